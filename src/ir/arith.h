/*
 * arith.h - arithmetic that C leaves undefined; private to this folder.
 *
 * 32-bit operands are extended, as signed or unsigned as the name says; the
 * low 32 bits of the result are then the 32-bit result.
 */
#ifndef IR_ARITH_H
#define IR_ARITH_H

#include <stdint.h>

static inline uint64_t ir_divu(uint64_t a, uint64_t b)
{
    return b ? a / b : UINT64_MAX;
}

static inline uint64_t ir_remu(uint64_t a, uint64_t b)
{
    return b ? a % b : a;
}

static inline uint64_t ir_divs(int64_t a, int64_t b)
{
    if (b == 0)
        return UINT64_MAX;
    return b == -1 ? 0 - (uint64_t)a : (uint64_t)(a / b);
}

static inline uint64_t ir_rems(int64_t a, int64_t b)
{
    if (b == 0)
        return (uint64_t)a;
    return b == -1 ? 0 : (uint64_t)(a % b);
}

/* Rotation of an n-bit v, zeros above, to the left by less than n. */
static inline uint64_t ir_rotl(uint64_t v, unsigned by, unsigned n)
{
    return by ? v << by | v >> (n - by) : v;
}

#endif
