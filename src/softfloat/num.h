/*
 * num.h - the form in which softfloat calculates; private to this folder.
 *
 * An operation unpacks its operands, works on a sign, an exponent and a 64-bit
 * significand, and rounds and packs once.  The functions are generic in the
 * format and always inlined: with a constant struct sf_fmt each use becomes
 * code for that width.
 */
#ifndef SOFTFLOAT_NUM_H
#define SOFTFLOAT_NUM_H

#include "base/bits.h"
#include "softfloat/softfloat.h"

#define SF_INLINE      static inline __attribute__((always_inline))
#define SF_COLD        __attribute__((cold, noinline))
#define SF_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* An interchange format (IEEE 754 3.6), by the widths of its fields. */
struct sf_fmt {
    int frac;  /* bits of the trailing significand */
    int ebits; /* bits of the exponent */
};
#define SF_F16 ((struct sf_fmt){10, 5})
#define SF_F32 ((struct sf_fmt){23, 8})
#define SF_F64 ((struct sf_fmt){52, 11})

enum sf_kind { SF_ZERO, SF_FINITE, SF_INF, SF_QNAN, SF_SNAN };

/* FINITE: sig * 2^(exp-62), with bit SF_TOP of sig the highest one set.
 * ZERO: sig 0 and an exponent below that of any number or product.
 * NaN: sig is the fraction field, its highest bit at SF_TOP-1. */
struct sf_num {
    uint64_t sig;
    int32_t exp;
    uint8_t kind; /* enum sf_kind */
    bool sign;
};
#define SF_TOP      62
#define SF_ZERO_EXP (-0x8000)

SF_INLINE int sf_bias(struct sf_fmt f)
{
    return (1 << (f.ebits - 1)) - 1;
}

/* The exponent field of infinities and NaNs. */
SF_INLINE int sf_emax(struct sf_fmt f)
{
    return (1 << f.ebits) - 1;
}

SF_INLINE uint64_t sf_sign_bit(struct sf_fmt f, bool sign)
{
    return (uint64_t)sign << (f.frac + f.ebits);
}

SF_INLINE uint64_t sf_pack_inf(struct sf_fmt f, bool sign)
{
    return sf_sign_bit(f, sign) | (uint64_t)sf_emax(f) << f.frac;
}

SF_INLINE bool sf_is_nan(struct sf_num n)
{
    return n.kind >= SF_QNAN;
}

SF_INLINE struct sf_num sf_unpack(struct sf_fmt f, uint64_t a)
{
    uint64_t frac = a & bits_mask((unsigned)f.frac);
    int e = (int)(a >> f.frac) & sf_emax(f);
    struct sf_num n = {
        .sig = frac << (SF_TOP - f.frac),
        .exp = e - sf_bias(f),
        .kind = SF_FINITE,
        .sign = (a >> (f.frac + f.ebits)) & 1,
    };
    if (SF_UNLIKELY(e == sf_emax(f))) {
        n.kind = !frac ? SF_INF : frac >> (f.frac - 1) ? SF_QNAN : SF_SNAN;
    } else if (e) {
        n.sig |= BIT(SF_TOP);
    } else if (!frac) {
        n.kind = SF_ZERO;
        n.exp = SF_ZERO_EXP;
    } else { /* subnormal: exponent field 0 means 1 */
        int shift = __builtin_clzll(n.sig) - (63 - SF_TOP);
        n.sig <<= shift;
        n.exp += 1 - shift;
    }
    return n;
}

/* v >> n (n >= 0), with any bit that is lost kept as a sticky bit 0. */
SF_INLINE uint64_t sf_shift_jam(uint64_t v, unsigned n)
{
    if (n >= 64)
        return v != 0;
    return v >> n | ((v & bits_mask(n)) != 0);
}

/* What to add below the lowest kept bit before dropping `drop` bits (1 to 63). */
SF_INLINE uint64_t sf_round_inc(uint8_t rm, bool sign, unsigned drop)
{
    switch (rm) {
    case SF_RNE:
    case SF_RMM:
        return BIT(drop - 1);
    case SF_RDN:
        return sign ? bits_mask(drop) : 0;
    case SF_RUP:
        return sign ? 0 : bits_mask(drop);
    default:
        return 0;
    }
}

/* v >> drop (1 to 63), rounded; v is below 2^63. */
SF_INLINE uint64_t sf_round_shift(uint64_t v, unsigned drop, uint8_t rm, bool sign)
{
    uint64_t out = (v + sf_round_inc(rm, sign, drop)) >> drop;
    bool tie = (v & bits_mask(drop)) == BIT(drop - 1);
    return out & ~(uint64_t)(tie && rm == SF_RNE);
}

/* sf_pack for results that may be subnormal or overflow. */
uint64_t sf_pack_extreme(struct sf_fmt f, bool sign, int exp, uint64_t sig,
                         struct sf_env *env) SF_COLD;

/* Rounds sig * 2^(exp-62), the top bit of sig at SF_TOP and bit 0 sticky, and
 * packs it with the flags that follow. */
SF_INLINE uint64_t sf_pack(struct sf_fmt f, bool sign, int exp, uint64_t sig, struct sf_env *env)
{
    int e = exp + sf_bias(f);
    unsigned drop = (unsigned)(SF_TOP - f.frac);
    if (SF_UNLIKELY(e < 1 || e >= sf_emax(f) - 1))
        return sf_pack_extreme(f, sign, exp, sig, env);
    if (sig & bits_mask(drop))
        env->flags |= SF_NX;
    /* The significand's leading bit adds 1 to the exponent, a carry one more. */
    uint64_t out = sf_round_shift(sig, drop, env->rm, sign);
    return sf_sign_bit(f, sign) | (((uint64_t)(e - 1) << f.frac) + out);
}

/* Normalises sig (not 0) to SF_TOP, then packs; sig has bit 63 clear. */
SF_INLINE uint64_t sf_norm_pack(struct sf_fmt f, bool sign, int exp, uint64_t sig,
                                struct sf_env *env)
{
    int shift = __builtin_clzll(sig) - (63 - SF_TOP);
    return sf_pack(f, sign, exp - shift, sig << shift, env);
}

/* The result of an operation of which one of the n operands is a NaN. */
uint64_t sf_nan_result(struct sf_fmt f, const struct sf_num *op, unsigned n,
                       struct sf_env *env) SF_COLD;

/* Raises NV; the default NaN. */
uint64_t sf_invalid(struct sf_fmt f, struct sf_env *env) SF_COLD;

#endif
