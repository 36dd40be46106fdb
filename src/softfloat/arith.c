/*
 * arith.c - add, sub, mul, div, sqrt and fma.
 */
#include "softfloat/num.h"

__extension__ typedef unsigned __int128 u128;

/* The sign of an exact zero that is the sum of terms with these signs (IEEE 754 6.3). */
SF_INLINE bool zero_sign(bool a, bool b, const struct sf_env *env)
{
    return a == b ? a : env->rm == SF_RDN;
}

/* a + b where at least one is infinite and neither is a NaN. */
SF_COLD static uint64_t add_inf(struct sf_fmt f, struct sf_num a, struct sf_num b,
                                struct sf_env *env)
{
    if (a.kind == SF_INF && b.kind == SF_INF && a.sign != b.sign)
        return sf_invalid(f, env);
    return sf_pack_inf(f, a.kind == SF_INF ? a.sign : b.sign);
}

SF_INLINE uint64_t add(struct sf_fmt f, uint64_t x, uint64_t y, bool negate, struct sf_env *env)
{
    struct sf_num a = sf_unpack(f, x), b = sf_unpack(f, y);
    if (SF_UNLIKELY(sf_is_nan(a) || sf_is_nan(b)))
        return sf_nan_result(f, (struct sf_num[]){a, b}, 2, env);
    b.sign ^= negate;
    if (SF_UNLIKELY(a.kind == SF_INF || b.kind == SF_INF))
        return add_inf(f, a, b, env);
    if (a.exp < b.exp || (a.exp == b.exp && a.sig < b.sig)) {
        struct sf_num t = a;
        a = b;
        b = t;
    }
    /* 10 or more zeros lie below a's last place, and as many below b's.  Bits of b are
     * lost only when b is that much smaller; then at most one leading bit cancels, and
     * the sticky bit still lies below the rounding position. */
    uint64_t low = sf_shift_jam(b.sig, (unsigned)(a.exp - b.exp));
    if (a.sign != b.sign) {
        if (a.sig == low)
            return sf_sign_bit(f, zero_sign(a.sign, b.sign, env));
        return sf_norm_pack(f, a.sign, a.exp, a.sig - low, env);
    }
    uint64_t sum = a.sig + low;
    if (!sum)
        return sf_sign_bit(f, a.sign);
    unsigned carry = (unsigned)(sum >> (SF_TOP + 1));
    return sf_pack(f, a.sign, a.exp + (int)carry, sum >> carry | (sum & carry), env);
}

SF_INLINE uint64_t mul(struct sf_fmt f, uint64_t x, uint64_t y, struct sf_env *env)
{
    struct sf_num a = sf_unpack(f, x), b = sf_unpack(f, y);
    bool sign = a.sign ^ b.sign;
    if (SF_UNLIKELY(a.kind != SF_FINITE || b.kind != SF_FINITE)) {
        if (sf_is_nan(a) || sf_is_nan(b))
            return sf_nan_result(f, (struct sf_num[]){a, b}, 2, env);
        if (a.kind != SF_INF && b.kind != SF_INF)
            return sf_sign_bit(f, sign);
        if (a.kind == SF_ZERO || b.kind == SF_ZERO)
            return sf_invalid(f, env);
        return sf_pack_inf(f, sign);
    }
    u128 product = (u128)a.sig * (b.sig << 1); /* 1 <= product / 2^125 < 4 */
    uint64_t sig = (uint64_t)(product >> 64) | ((uint64_t)product != 0);
    unsigned carry = (unsigned)(sig >> SF_TOP);
    return sf_pack(f, sign, a.exp + b.exp + (int)carry, sig << (1 - carry), env);
}

/* a / b of significands, a >= b, with the quotient's top bit at SF_TOP. */
SF_INLINE uint64_t div_sig(struct sf_fmt f, uint64_t a, uint64_t b)
{
    if (f.frac <= 23) { /* b is 24 bits, so 38 quotient bits cost one division */
        b >>= SF_TOP - 23;
        uint64_t n = a >> 1, q = n / b;
        return q << 24 | (n % b != 0);
    }
    u128 n = (u128)a << SF_TOP;
    uint64_t q = (uint64_t)(n / b);
    return q | (n != (u128)q * b);
}

SF_INLINE uint64_t divide(struct sf_fmt f, uint64_t x, uint64_t y, struct sf_env *env)
{
    struct sf_num a = sf_unpack(f, x), b = sf_unpack(f, y);
    bool sign = a.sign ^ b.sign;
    if (SF_UNLIKELY(a.kind != SF_FINITE || b.kind != SF_FINITE)) {
        if (sf_is_nan(a) || sf_is_nan(b))
            return sf_nan_result(f, (struct sf_num[]){a, b}, 2, env);
        if (a.kind == b.kind) /* inf/inf, 0/0 */
            return sf_invalid(f, env);
        if (a.kind == SF_ZERO || b.kind == SF_INF)
            return sf_sign_bit(f, sign);
        if (a.kind != SF_INF)
            env->flags |= SF_DZ;
        return sf_pack_inf(f, sign);
    }
    unsigned less = a.sig < b.sig;
    return sf_pack(f, sign, a.exp - b.exp - (int)less, div_sig(f, a.sig << less, b.sig), env);
}

/* A square root and what is left: n = root^2 + rem, 0 <= rem <= 2*root. */
struct root {
    uint64_t root, rem;
};

/* From the root of n to that of n * 2^(2*bits) + low, low of 2*bits bits: one
 * step of Zimmermann's Karatsuba square root (INRIA RR-3805).  The root of n has
 * its top bit at `bits` - 1; bits is at most 16. */
SF_INLINE struct root root_step(struct root in, uint64_t low, unsigned bits)
{
    uint64_t n = in.rem << bits | low >> bits;
    uint64_t q = n / (2 * in.root), u = n % (2 * in.root);
    int64_t root = (int64_t)((in.root << bits) + q);
    int64_t rem = (int64_t)((u << bits) + (low & bits_mask(bits))) - (int64_t)(q * q);
    if (rem < 0) {
        rem += 2 * root - 1;
        root--;
    }
    return (struct root){(uint64_t)root, (uint64_t)rem};
}

/* The root of n, 2^62 <= n: 8 bits one by one, then 16, then 32. */
SF_INLINE struct root root_of(uint64_t n)
{
    uint32_t top = (uint32_t)(n >> 48), r = 0x80;
    for (uint32_t bit = 0x40; bit; bit >>= 1)
        r |= (r | bit) * (r | bit) <= top ? bit : 0;
    struct root root = {r, top - r * r};
    root = root_step(root, bits_get(n, 32, 16), 8);
    return root_step(root, n & UINT32_MAX, 16);
}

/* sqrt(n * 2^60), 2^62 <= n < 2^64: 62 bits and the sticky bit. */
SF_INLINE uint64_t sqrt_sig(struct sf_fmt f, uint64_t n)
{
    struct root half = root_of(n);
    if (f.frac <= 29) /* 32 bits are enough */
        return half.root << 31 | (half.rem != 0);
    /* One more step, for n * 2^64; halving both sides of the division keeps it in 64 bits. */
    uint64_t q = (half.rem << 31) / half.root, u = (half.rem << 31) % half.root;
    uint64_t root = (half.root << 32) + q;
    root -= (u128)u << 33 < (u128)q * q;
    return root >> 1 | (root & 1) | ((u128)root * root != (u128)n << 64);
}

SF_INLINE uint64_t square_root(struct sf_fmt f, uint64_t x, struct sf_env *env)
{
    struct sf_num a = sf_unpack(f, x);
    if (SF_UNLIKELY(a.kind != SF_FINITE || a.sign)) {
        if (sf_is_nan(a))
            return sf_nan_result(f, &a, 1, env);
        if (a.kind == SF_ZERO || !a.sign)
            return x;
        return sf_invalid(f, env);
    }
    int odd = a.exp & 1;
    return sf_pack(f, false, (a.exp - odd) / 2, sqrt_sig(f, a.sig << odd), env);
}

/* v >> n, lost bits sticky. */
SF_INLINE u128 shift_jam128(u128 v, unsigned n)
{
    if (n >= 128)
        return v != 0;
    return v >> n | ((v & (((u128)1 << n) - 1)) != 0);
}

/* Packs v * 2^(exp-124), v not 0 and below 2^127. */
SF_INLINE uint64_t pack128(struct sf_fmt f, bool sign, int exp, u128 v, struct sf_env *env)
{
    uint64_t hi = (uint64_t)(v >> 64);
    int zeros = hi ? __builtin_clzll(hi) : 64 + __builtin_clzll((uint64_t)v);
    v <<= zeros - 1; /* top bit to 126 */
    return sf_pack(f, sign, exp + 3 - zeros, (uint64_t)(v >> 64) | ((uint64_t)v != 0), env);
}

/* a*b + c where one operand is infinite or a NaN. */
SF_COLD static uint64_t fma_special(struct sf_fmt f, struct sf_num a, struct sf_num b,
                                    struct sf_num c, struct sf_env *env)
{
    bool invalid =
        (a.kind == SF_INF && b.kind == SF_ZERO) || (a.kind == SF_ZERO && b.kind == SF_INF);
    if (invalid && !(sf_is_nan(c) && env->nan == SF_NAN_X86) && c.kind != SF_SNAN)
        return sf_invalid(f, env);
    if (sf_is_nan(a) || sf_is_nan(b) || sf_is_nan(c)) {
        if (env->nan == SF_NAN_ARM)
            return sf_nan_result(f, (struct sf_num[]){c, a, b}, 3, env);
        return sf_nan_result(f, (struct sf_num[]){a, b, c}, 3, env);
    }
    a.sign ^= b.sign;
    if (b.kind == SF_INF)
        a.kind = SF_INF;
    return add_inf(f, a, c, env);
}

SF_INLINE uint64_t fused(struct sf_fmt f, uint64_t x, uint64_t y, uint64_t z, struct sf_env *env)
{
    struct sf_num a = sf_unpack(f, x), b = sf_unpack(f, y), c = sf_unpack(f, z);
    if (SF_UNLIKELY(a.kind >= SF_INF || b.kind >= SF_INF || c.kind >= SF_INF))
        return fma_special(f, a, b, c, env);
    bool sign = a.sign ^ b.sign;
    int exp = a.exp + b.exp;
    /* Both terms with 2^exp at bit 124.  The product has 19 or more zeros below, so
     * bits are lost only when they are far below the result's last place. */
    u128 product = (u128)a.sig * b.sig;
    u128 term = (u128)c.sig << SF_TOP;
    if (exp >= c.exp) {
        term = shift_jam128(term, (unsigned)(exp - c.exp));
    } else {
        product = shift_jam128(product, (unsigned)(c.exp - exp));
        exp = c.exp;
    }
    u128 sum = product + term;
    if (sign != c.sign) {
        bool flip = product < term;
        sum = flip ? term - product : product - term;
        sign ^= flip;
    }
    if (!sum)
        return sf_sign_bit(f, zero_sign(a.sign ^ b.sign, c.sign, env));
    return pack128(f, sign, exp, sum, env);
}

#define ARITH(w, type, fmt)                                                                        \
    type sf_add##w(type a, type b, struct sf_env *env)                                             \
    {                                                                                              \
        return (type)add(fmt, a, b, false, env);                                                   \
    }                                                                                              \
    type sf_sub##w(type a, type b, struct sf_env *env)                                             \
    {                                                                                              \
        return (type)add(fmt, a, b, true, env);                                                    \
    }                                                                                              \
    type sf_mul##w(type a, type b, struct sf_env *env)                                             \
    {                                                                                              \
        return (type)mul(fmt, a, b, env);                                                          \
    }                                                                                              \
    type sf_div##w(type a, type b, struct sf_env *env)                                             \
    {                                                                                              \
        return (type)divide(fmt, a, b, env);                                                       \
    }                                                                                              \
    type sf_sqrt##w(type a, struct sf_env *env)                                                    \
    {                                                                                              \
        return (type)square_root(fmt, a, env);                                                     \
    }                                                                                              \
    type sf_fma##w(type a, type b, type c, struct sf_env *env)                                     \
    {                                                                                              \
        return (type)fused(fmt, a, b, c, env);                                                     \
    }

ARITH(32, uint32_t, SF_F32)
ARITH(64, uint64_t, SF_F64)
