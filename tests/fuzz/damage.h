/*
 * damage.h - good files and states that the input then changes here and there.
 */
#ifndef TESTS_FUZZ_DAMAGE_H
#define TESTS_FUZZ_DAMAGE_H

#include "base/buf.h"
#include "tests/fuzz/fuzz.h"

/* Up to seven numbers in it become others. */
void fuzz_damage(struct fuzz_in *in, void *data, size_t len);

/* The same in a saved state (snap.h), whose hashes are then made right again most often, so that
 * the damage gets through to the fields. */
void fuzz_damage_state(struct fuzz_in *in, struct buf *state);

/* A file with these contents: a path that is good until the next one is made. */
const char *fuzz_file(const void *data, size_t len);

#endif
