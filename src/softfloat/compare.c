/*
 * compare.c - comparisons, minimum, maximum and classification: no rounding.
 */
#include "softfloat/num.h"

/* A signed integer in the order of the numbers; both zeros are 0. */
SF_INLINE int64_t order(struct sf_fmt f, uint64_t a)
{
    int64_t mag = (int64_t)(a & ~sf_sign_bit(f, true));
    return a & sf_sign_bit(f, true) ? -mag : mag;
}

SF_INLINE bool is_nan(struct sf_fmt f, uint64_t a)
{
    return (a & ~sf_sign_bit(f, true)) > sf_pack_inf(f, false);
}

SF_INLINE bool is_snan(struct sf_fmt f, uint64_t a)
{
    return is_nan(f, a) && !(a & BIT(f.frac - 1));
}

/* Whether either is a NaN, having raised NV for a signalling one (or for any). */
SF_INLINE bool unordered(struct sf_fmt f, uint64_t a, uint64_t b, bool any, struct sf_env *env)
{
    if (!is_nan(f, a) && !is_nan(f, b))
        return false;
    if (any || is_snan(f, a) || is_snan(f, b))
        env->flags |= SF_NV;
    return true;
}

SF_INLINE bool equal(struct sf_fmt f, uint64_t a, uint64_t b, struct sf_env *env)
{
    return !unordered(f, a, b, false, env) && order(f, a) == order(f, b);
}

SF_INLINE bool less(struct sf_fmt f, uint64_t a, uint64_t b, bool signal, struct sf_env *env)
{
    return !unordered(f, a, b, signal, env) && order(f, a) < order(f, b);
}

SF_INLINE bool less_eq(struct sf_fmt f, uint64_t a, uint64_t b, bool signal, struct sf_env *env)
{
    return !unordered(f, a, b, signal, env) && order(f, a) <= order(f, b);
}

/* The least or greatest; with `number` a NaN loses, else it wins. */
SF_INLINE uint64_t extremum(struct sf_fmt f, uint64_t a, uint64_t b, bool max, bool number,
                            struct sf_env *env)
{
    if (unordered(f, a, b, false, env)) {
        if (number && !is_nan(f, a))
            return a;
        if (number && !is_nan(f, b))
            return b;
        return sf_pack_inf(f, false) | BIT(f.frac - 1);
    }
    if (order(f, a) == order(f, b)) /* they differ in the sign of zero at most */
        return max ? a & b : a | b;
    return (order(f, a) < order(f, b)) != max ? a : b;
}

SF_INLINE uint32_t classify(struct sf_fmt f, uint64_t a)
{
    struct sf_num n = sf_unpack(f, a);
    bool subnormal = n.exp <= -sf_bias(f);
    switch (n.kind) {
    case SF_ZERO:
        return n.sign ? SF_CLASS_NEG_ZERO : SF_CLASS_POS_ZERO;
    case SF_INF:
        return n.sign ? SF_CLASS_NEG_INF : SF_CLASS_POS_INF;
    case SF_QNAN:
        return SF_CLASS_QNAN;
    case SF_SNAN:
        return SF_CLASS_SNAN;
    default:
        if (subnormal)
            return n.sign ? SF_CLASS_NEG_SUBNORMAL : SF_CLASS_POS_SUBNORMAL;
        return n.sign ? SF_CLASS_NEG_NORMAL : SF_CLASS_POS_NORMAL;
    }
}

#define EXTREMUM(name, type, fmt, max, number)                                                     \
    type name(type a, type b, struct sf_env *env)                                                  \
    {                                                                                              \
        return (type)extremum(fmt, a, b, max, number, env);                                        \
    }

#define COMPARE(name, type, expr)                                                                  \
    bool name(type a, type b, struct sf_env *env)                                                  \
    {                                                                                              \
        return expr;                                                                               \
    }

#define WIDTH(w, type, fmt)                                                                        \
    EXTREMUM(sf_min##w, type, fmt, false, true)                                                    \
    EXTREMUM(sf_max##w, type, fmt, true, true)                                                     \
    EXTREMUM(sf_minm##w, type, fmt, false, false)                                                  \
    EXTREMUM(sf_maxm##w, type, fmt, true, false)                                                   \
    COMPARE(sf_eq##w, type, equal(fmt, a, b, env))                                                 \
    COMPARE(sf_lt##w, type, less(fmt, a, b, true, env))                                            \
    COMPARE(sf_le##w, type, less_eq(fmt, a, b, true, env))                                         \
    COMPARE(sf_lt_quiet##w, type, less(fmt, a, b, false, env))                                     \
    COMPARE(sf_le_quiet##w, type, less_eq(fmt, a, b, false, env))                                  \
    uint32_t sf_class##w(type a)                                                                   \
    {                                                                                              \
        return classify(fmt, a);                                                                   \
    }

WIDTH(32, uint32_t, SF_F32)
WIDTH(64, uint64_t, SF_F64)
