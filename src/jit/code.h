/*
 * code.h - memory for generated code: one memfd mapped twice, once to write
 * and once to run, so that no page is ever both.
 *
 * Machine thread only.  Addresses named `code` are where it runs; code_rw gives
 * the place to write to.
 */
#ifndef JIT_CODE_H
#define JIT_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct jit_code {
    uint8_t *rx, *rw; /* the two mappings */
    size_t size;
};

/* 0, or a negative errno with a message. */
int jit_code_init(struct jit_code *m, size_t size, struct err *e);
void jit_code_fini(struct jit_code *m);

static inline uint8_t *jit_code_rw(const struct jit_code *m, const void *code)
{
    return m->rw + ((const uint8_t *)code - m->rx);
}

#endif
