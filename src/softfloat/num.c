#include "softfloat/num.h"

/* The result of an overflow (IEEE 754 7.4): infinity, or the largest number when
 * the rounding direction points the other way. */
static uint64_t overflow(struct sf_fmt f, bool sign, struct sf_env *env)
{
    bool largest = sf_round_inc(env->rm, sign, 1) == 0;
    env->flags |= SF_OF | SF_NX;
    return sf_pack_inf(f, sign) - largest;
}

uint64_t sf_pack_extreme(struct sf_fmt f, bool sign, int exp, uint64_t sig, struct sf_env *env)
{
    int e = exp + sf_bias(f);
    unsigned drop = (unsigned)(SF_TOP - f.frac);
    if (e >= sf_emax(f))
        return overflow(f, sign, env);
    bool tiny = false;
    if (e < 1) {
        /* Seen after rounding, a number is not tiny when rounding as if the exponent
         * had no bound carries it to the smallest normal (IEEE 754 7.5). */
        bool carries = e == 0 && sig + sf_round_inc(env->rm, sign, drop) >= BIT(SF_TOP + 1);
        tiny = env->tiny_before || !carries;
        sig = sf_shift_jam(sig, (unsigned)(1 - e));
        e = 1;
    }
    bool inexact = sig & bits_mask(drop);
    uint64_t out = sf_round_shift(sig, drop, env->rm, sign);
    uint64_t mag = ((uint64_t)(e - 1) << f.frac) + out;
    if (mag >= sf_pack_inf(f, false))
        return overflow(f, sign, env);
    if (inexact)
        env->flags |= tiny ? SF_NX | SF_UF : SF_NX;
    return sf_sign_bit(f, sign) | mag;
}

static uint64_t default_nan(struct sf_fmt f, const struct sf_env *env)
{
    return sf_pack_inf(f, env->nan == SF_NAN_X86) | BIT(f.frac - 1);
}

uint64_t sf_invalid(struct sf_fmt f, struct sf_env *env)
{
    env->flags |= SF_NV;
    return default_nan(f, env);
}

uint64_t sf_nan_result(struct sf_fmt f, const struct sf_num *op, unsigned n, struct sf_env *env)
{
    const struct sf_num *quiet = NULL, *signalling = NULL, *first = NULL;
    for (unsigned i = n; i-- > 0;) {
        if (!sf_is_nan(op[i]))
            continue;
        first = &op[i];
        if (op[i].kind == SF_SNAN)
            signalling = &op[i];
        else
            quiet = &op[i];
    }
    if (signalling)
        env->flags |= SF_NV;
    if (env->nan == SF_NAN_RISCV)
        return default_nan(f, env);
    if (env->nan == SF_NAN_ARM)
        first = signalling ? signalling : quiet;
    return sf_pack_inf(f, first->sign) | first->sig >> (SF_TOP - f.frac) | BIT(f.frac - 1);
}
