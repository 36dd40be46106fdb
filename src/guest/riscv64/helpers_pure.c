/*
 * helpers_pure.c - operations on values for which the IR has none.
 */
#include "base/bits.h"
#include "guest/riscv64/riscv64.h"
#include "softfloat/softfloat.h"

/* Zbc: the product of two polynomials over GF(2), of 127 bits. */
static uint64_t clmul(uint64_t a, uint64_t b, uint64_t *high)
{
    uint64_t lo = 0, hi = 0;
    for (unsigned i = 0; i < 64; i++) {
        uint64_t take = -(b >> i & 1);
        lo ^= (a << i) & take;
        hi ^= (a >> 1 >> (63 - i)) & take;
    }
    *high = hi;
    return lo;
}

uint64_t rv_helper_clmul(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    (void)cpu, (void)c;
    uint64_t high;
    return clmul(a, b, &high);
}

uint64_t rv_helper_clmulh(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    (void)cpu, (void)c;
    uint64_t high;
    clmul(a, b, &high);
    return high;
}

/* Bits 126:63. */
uint64_t rv_helper_clmulr(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    (void)cpu, (void)c;
    uint64_t high, low = clmul(a, b, &high);
    return high << 1 | low >> 63;
}

/* Zbb: each byte that is not 0 becomes 0xff. */
uint64_t rv_helper_orc_b(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    (void)cpu, (void)b, (void)c;
    const uint64_t low = UINT64_C(0x0101010101010101), seven = low * 0x7f;
    uint64_t top = ((a & seven) + seven) | a; /* bit 7 of a byte: the byte is not 0 */
    return (top >> 7 & low) * 0xff;
}

uint64_t rv_helper_fclass32(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    (void)cpu, (void)b, (void)c;
    return sf_class32((uint32_t)a);
}

uint64_t rv_helper_fclass64(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    (void)cpu, (void)b, (void)c;
    return sf_class64(a);
}

uint64_t rv_helper_fcvtmod(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    (void)b, (void)c;
    struct cpu *p = cpu;
    struct sf_env env = {.rm = SF_RTZ, .flags = p->fp_flags};
    int64_t v = sf_f64_to_i32_mod(a, &env);
    p->fp_flags = env.flags;
    return (uint64_t)v;
}
