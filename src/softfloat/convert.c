/*
 * convert.c - between formats, to and from integers, to integral values.
 */
#include "softfloat/num.h"

SF_INLINE uint64_t convert(struct sf_fmt from, struct sf_fmt to, uint64_t x, struct sf_env *env)
{
    struct sf_num a = sf_unpack(from, x);
    if (a.kind == SF_FINITE)
        return sf_pack(to, a.sign, a.exp, a.sig, env);
    if (a.kind == SF_ZERO)
        return sf_sign_bit(to, a.sign);
    if (a.kind == SF_INF)
        return sf_pack_inf(to, a.sign);
    return sf_nan_result(to, &a, 1, env);
}

/* A number below 2^64 without its sign, rounded to an integer. */
SF_INLINE uint64_t round_mag(struct sf_num a, uint8_t rm, bool *inexact)
{
    *inexact = false;
    if (a.kind == SF_ZERO)
        return 0;
    if (a.exp >= SF_TOP)
        return a.sig << (a.exp - SF_TOP);
    unsigned drop = (unsigned)(SF_TOP - a.exp);
    if (drop > 63) { /* below 1/2: any number there rounds like 1/4 */
        a.sig = 1;
        drop = 2;
    }
    *inexact = a.sig & bits_mask(drop);
    return sf_round_shift(a.sig, drop, rm, a.sign);
}

/* To an integer of `width` bits: the value in the low bits. */
SF_INLINE uint64_t to_int(struct sf_fmt f, uint64_t x, unsigned width, bool is_signed, uint8_t rm,
                          struct sf_env *env)
{
    struct sf_num a = sf_unpack(f, x);
    uint64_t most = bits_mask(is_signed ? width - 1 : width);
    uint64_t least = is_signed ? BIT(width - 1) : 0; /* without its sign */
    uint64_t limit = a.sign ? least : most;
    bool inexact = false;
    if (SF_UNLIKELY(a.kind >= SF_INF || a.exp > 63)) {
        env->flags |= SF_NV;
        return sf_is_nan(a) || !a.sign ? most : 0 - least;
    }
    uint64_t mag = round_mag(a, rm, &inexact);
    if (mag > limit) {
        env->flags |= SF_NV;
        mag = limit;
    } else if (inexact) {
        env->flags |= SF_NX;
    }
    return a.sign ? 0 - mag : mag;
}

SF_INLINE uint64_t from_int(struct sf_fmt f, bool sign, uint64_t mag, struct sf_env *env)
{
    if (!mag)
        return 0;
    int exp = 63 - __builtin_clzll(mag);
    uint64_t sig = exp > SF_TOP ? sf_shift_jam(mag, 1) : mag << (SF_TOP - exp);
    return sf_pack(f, sign, exp, sig, env);
}

SF_INLINE uint64_t from_signed(struct sf_fmt f, int64_t v, struct sf_env *env)
{
    return from_int(f, v < 0, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, env);
}

SF_INLINE uint64_t round_integral(struct sf_fmt f, uint64_t x, bool nx, struct sf_env *env)
{
    struct sf_num a = sf_unpack(f, x);
    bool inexact;
    if (sf_is_nan(a))
        return sf_nan_result(f, &a, 1, env);
    if (a.kind == SF_INF || a.exp >= f.frac)
        return x;
    uint64_t mag = round_mag(a, env->rm, &inexact);
    if (inexact && nx)
        env->flags |= SF_NX;
    if (!mag)
        return sf_sign_bit(f, a.sign);
    return from_int(f, a.sign, mag, env); /* at most 2^frac: exact */
}

int32_t sf_f64_to_i32_mod(uint64_t x, struct sf_env *env)
{
    struct sf_num a = sf_unpack(SF_F64, x);
    to_int(SF_F64, x, 32, true, SF_RTZ, env); /* for the flags */
    if (a.kind != SF_FINITE || a.exp < 0 || a.exp >= SF_TOP + 32)
        return 0;
    uint64_t mag = a.exp <= SF_TOP ? a.sig >> (SF_TOP - a.exp) : a.sig << (a.exp - SF_TOP);
    return (int32_t)(uint32_t)(a.sign ? 0 - mag : mag);
}

#define INTEGERS(w, type, fmt)                                                                     \
    int32_t sf_f##w##_to_i32(type a, struct sf_env *env)                                           \
    {                                                                                              \
        return (int32_t)(uint32_t)to_int(fmt, a, 32, true, env->rm, env);                          \
    }                                                                                              \
    uint32_t sf_f##w##_to_u32(type a, struct sf_env *env)                                          \
    {                                                                                              \
        return (uint32_t)to_int(fmt, a, 32, false, env->rm, env);                                  \
    }                                                                                              \
    int64_t sf_f##w##_to_i64(type a, struct sf_env *env)                                           \
    {                                                                                              \
        return (int64_t)to_int(fmt, a, 64, true, env->rm, env);                                    \
    }                                                                                              \
    uint64_t sf_f##w##_to_u64(type a, struct sf_env *env)                                          \
    {                                                                                              \
        return to_int(fmt, a, 64, false, env->rm, env);                                            \
    }                                                                                              \
    type sf_i32_to_f##w(int32_t v, struct sf_env *env)                                             \
    {                                                                                              \
        return (type)from_signed(fmt, v, env);                                                     \
    }                                                                                              \
    type sf_u32_to_f##w(uint32_t v, struct sf_env *env)                                            \
    {                                                                                              \
        return (type)from_int(fmt, false, v, env);                                                 \
    }                                                                                              \
    type sf_i64_to_f##w(int64_t v, struct sf_env *env)                                             \
    {                                                                                              \
        return (type)from_signed(fmt, v, env);                                                     \
    }                                                                                              \
    type sf_u64_to_f##w(uint64_t v, struct sf_env *env)                                            \
    {                                                                                              \
        return (type)from_int(fmt, false, v, env);                                                 \
    }                                                                                              \
    type sf_round##w(type a, struct sf_env *env)                                                   \
    {                                                                                              \
        return (type)round_integral(fmt, a, false, env);                                           \
    }                                                                                              \
    type sf_roundnx##w(type a, struct sf_env *env)                                                 \
    {                                                                                              \
        return (type)round_integral(fmt, a, true, env);                                            \
    }

INTEGERS(32, uint32_t, SF_F32)
INTEGERS(64, uint64_t, SF_F64)

#define FORMATS(name, from_type, from, to_type, to)                                                \
    to_type name(from_type a, struct sf_env *env)                                                  \
    {                                                                                              \
        return (to_type)convert(from, to, a, env);                                                 \
    }

FORMATS(sf_f32_to_f64, uint32_t, SF_F32, uint64_t, SF_F64)
FORMATS(sf_f64_to_f32, uint64_t, SF_F64, uint32_t, SF_F32)
FORMATS(sf_f16_to_f32, uint16_t, SF_F16, uint32_t, SF_F32)
FORMATS(sf_f16_to_f64, uint16_t, SF_F16, uint64_t, SF_F64)
FORMATS(sf_f32_to_f16, uint32_t, SF_F32, uint16_t, SF_F16)
FORMATS(sf_f64_to_f16, uint64_t, SF_F64, uint16_t, SF_F16)
