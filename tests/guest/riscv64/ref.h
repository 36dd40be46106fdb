/*
 * ref.h - what instructions do, said once more in plain C: the reference for
 * what rv_translate and an engine make of them.
 *
 * User-level instructions only, on the state of a vector.  Integer operations
 * and Zfa share nothing with the code under test but the decoder; F and D take
 * their arithmetic from softfloat, which has tests of its own.
 */
#ifndef TESTS_GUEST_RISCV64_REF_H
#define TESTS_GUEST_RISCV64_REF_H

#include <stdbool.h>

#include "guest/riscv64/decode.h"
#include "tests/guest/riscv64/vectors.h"

struct ref {
    struct vec_state *s;
    uint64_t pc;      /* of the instruction; then of the next one */
    uint64_t reserve; /* LR's address; UINT64_MAX: none */
};

/* False if the reference does not know the instruction (system instructions). */
bool ref_run(struct ref *r, const struct rv_insn *in);

#endif
