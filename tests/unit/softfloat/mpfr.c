/*
 * Softfloat against GNU MPFR: finite operands in all five rounding modes, with
 * tininess seen before and after rounding.  MPFR gives the exact result, or one of
 * PRECISION bits rounded to odd, from which any shorter rounding is still right;
 * rounding to the format and its flags are worked out here.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include "softfloat/softfloat.h"
#include "tests/tap.h"
#include "tests/unit/softfloat/operands.h"

#if defined(HAVE_MPFR)
#include <mpfr.h>

#define PRECISION 256

static struct layout layout_of(unsigned width)
{
    return width == 64 ? LAYOUT64 : width == 32 ? LAYOUT32 : LAYOUT16;
}

/* x = the finite pattern v, exactly. */
static void set_pattern(mpfr_t x, struct layout l, uint64_t v)
{
    unsigned e = (unsigned)exponent_field(l, v);
    uint64_t sig = (v & bits_mask(l.frac)) | (e ? BIT(l.frac) : 0);
    mpfr_set_ui_2exp(x, sig, (long)(e ? e : 1) - layout_bias(l) - l.frac, MPFR_RNDZ);
    if (v >> (l.frac + l.ebits))
        mpfr_neg(x, x, MPFR_RNDZ);
}

/* x was rounded to zero with this ternary value: set the last bit if it was inexact. */
static void round_to_odd(mpfr_t x, int ternary)
{
    if (!ternary || mpfr_min_prec(x) == PRECISION)
        return;
    if (mpfr_sgn(x) < 0)
        mpfr_nextbelow(x);
    else
        mpfr_nextabove(x);
}

/* r = x as an integer; returns whether it differs from x. */
static bool to_integral(mpfr_t r, const mpfr_t x, uint8_t rm)
{
    switch (rm) {
    case SF_RNE:
        mpfr_roundeven(r, x);
        break;
    case SF_RTZ:
        mpfr_trunc(r, x);
        break;
    case SF_RDN:
        mpfr_floor(r, x);
        break;
    case SF_RUP:
        mpfr_ceil(r, x);
        break;
    default:
        mpfr_round(r, x); /* ties away from zero */
    }
    return !mpfr_equal_p(r, x);
}

/* r = x rounded to a multiple of 2^q. */
static bool to_multiple(mpfr_t r, const mpfr_t x, long q, uint8_t rm)
{
    mpfr_t scaled;
    mpfr_init2(scaled, PRECISION);
    mpfr_mul_2si(scaled, x, -q, MPFR_RNDZ);
    bool inexact = to_integral(r, scaled, rm);
    mpfr_mul_2si(r, r, q, MPFR_RNDZ);
    mpfr_clear(scaled);
    return inexact;
}

static uint64_t overflow(struct layout l, bool sign, struct sf_env *env)
{
    bool to_inf = env->rm == SF_RNE || env->rm == SF_RMM || env->rm == (sign ? SF_RDN : SF_RUP);
    uint64_t inf = bits_mask(l.ebits) << l.frac;
    env->flags |= SF_OF | SF_NX;
    return (to_inf ? inf : inf - 1) | (uint64_t)sign << (l.frac + l.ebits);
}

/* The pattern of x, a number of the format. */
static uint64_t get_pattern(const mpfr_t x, struct layout l, bool sign)
{
    long e = mpfr_zero_p(x) ? 0 : mpfr_get_exp(x) - 1 + (long)layout_bias(l);
    mpfr_t sig;
    mpfr_init2(sig, PRECISION);
    mpfr_mul_2si(sig, x, (long)(layout_bias(l) + l.frac) - (e < 1 ? 1 : e), MPFR_RNDZ);
    mpfr_abs(sig, sig, MPFR_RNDZ);
    uint64_t mant = mpfr_get_ui(sig, MPFR_RNDZ);
    mpfr_clear(sig);
    return layout_pack(l, sign, e < 1 ? 0 : (uint64_t)e, mant);
}

/* x, not zero, in the format, with the flags. */
static uint64_t round_to_format(const mpfr_t x, struct layout l, struct sf_env *env)
{
    long e = mpfr_get_exp(x) - 1, emin = 1 - (long)layout_bias(l);
    bool sign = mpfr_sgn(x) < 0;
    mpfr_t r;
    mpfr_init2(r, PRECISION);
    to_multiple(r, x, e - l.frac, env->rm);
    bool tiny = (env->tiny_before || mpfr_zero_p(r) ? e : mpfr_get_exp(r) - 1) < emin;
    bool inexact = to_multiple(r, x, (e < emin ? emin : e) - l.frac, env->rm);
    uint64_t out;
    if (!mpfr_zero_p(r) && mpfr_get_exp(r) - 1 > (long)layout_bias(l)) {
        out = overflow(l, sign, env);
    } else {
        env->flags |= inexact ? (tiny ? SF_NX | SF_UF : SF_NX) : 0;
        out = get_pattern(r, l, sign);
    }
    mpfr_clear(r);
    return out;
}

/* x as an integer of RISC-V's conversions. */
static uint64_t round_to_int(const mpfr_t x, unsigned width, bool is_signed, struct sf_env *env)
{
    mpfr_t r, limit;
    uint64_t out = 0;
    mpfr_inits2(PRECISION, r, limit, (mpfr_ptr)0);
    bool inexact = to_integral(r, x, env->rm);
    mpfr_set_ui_2exp(limit, 1, is_signed ? width - 1 : width, MPFR_RNDZ);
    if (mpfr_cmp(r, limit) >= 0) {
        env->flags |= SF_NV;
        out = bits_mask(is_signed ? width - 1 : width);
    } else if (mpfr_sgn(r) < 0 && (!is_signed || mpfr_cmpabs(r, limit) > 0)) {
        env->flags |= SF_NV;
        out = is_signed ? BIT(width - 1) : 0;
    } else {
        env->flags |= inexact ? SF_NX : 0;
        mpfr_abs(limit, r, MPFR_RNDZ);
        out = mpfr_get_ui(limit, MPFR_RNDZ);
        out = mpfr_sgn(r) < 0 ? 0 - out : out;
    }
    mpfr_clears(r, limit, (mpfr_ptr)0);
    return out & bits_mask(width);
}

enum result { TO_FORMAT, TO_INT, TO_UINT, TO_INTEGRAL, TO_INTEGRAL_NX };
typedef uint64_t soft_fn(const uint64_t v[3], struct sf_env *env);
typedef int exact_fn(mpfr_t r, mpfr_t x[3]); /* rounds to zero; returns the ternary value */

#define SOFT(name, call)                                                                           \
    static uint64_t soft_##name(const uint64_t v[3], struct sf_env *env)                           \
    {                                                                                              \
        return (uint64_t)call;                                                                     \
    }
#define SOFT1(name, type) SOFT(name, sf_##name((type)v[0], env))
#define SOFT2(name, type) SOFT(name, sf_##name((type)v[0], (type)v[1], env))
#define SOFT3(name, type) SOFT(name, sf_##name((type)v[0], (type)v[1], (type)v[2], env))
#define EXACT(name, call)                                                                          \
    static int exact_##name(mpfr_t r, mpfr_t x[3])                                                 \
    {                                                                                              \
        return call;                                                                               \
    }
EXACT(add, mpfr_add(r, x[0], x[1], MPFR_RNDZ))
EXACT(sub, mpfr_sub(r, x[0], x[1], MPFR_RNDZ))
EXACT(mul, mpfr_mul(r, x[0], x[1], MPFR_RNDZ))
EXACT(div, mpfr_div(r, x[0], x[1], MPFR_RNDZ))
EXACT(sqrt, mpfr_sqrt(r, x[0], MPFR_RNDZ))
EXACT(fma, mpfr_fma(r, x[0], x[1], x[2], MPFR_RNDZ))
EXACT(same, mpfr_set(r, x[0], MPFR_RNDZ))

/* Soft arity, name, operand width (0: an integer) and type, exact result, how it is
 * rounded, to which width. */
#define OPS_2(X, w, t)                                                                             \
    X(SOFT2, add##w, w, t, add, TO_FORMAT, w)                                                      \
    X(SOFT2, sub##w, w, t, sub, TO_FORMAT, w)                                                      \
    X(SOFT2, mul##w, w, t, mul, TO_FORMAT, w)                                                      \
    X(SOFT2, div##w, w, t, div, TO_FORMAT, w)                                                      \
    X(SOFT3, fma##w, w, t, fma, TO_FORMAT, w)                                                      \
    X(SOFT1, sqrt##w, w, t, sqrt, TO_FORMAT, w)                                                    \
    X(SOFT1, round##w, w, t, same, TO_INTEGRAL, w)                                                 \
    X(SOFT1, roundnx##w, w, t, same, TO_INTEGRAL_NX, w)                                            \
    X(SOFT1, f##w##_to_i32, w, t, same, TO_INT, 32)                                                \
    X(SOFT1, f##w##_to_u32, w, t, same, TO_UINT, 32)                                               \
    X(SOFT1, f##w##_to_i64, w, t, same, TO_INT, 64)                                                \
    X(SOFT1, f##w##_to_u64, w, t, same, TO_UINT, 64)                                               \
    X(SOFT1, i32_to_f##w, 0, int32_t, same, TO_FORMAT, w)                                          \
    X(SOFT1, u32_to_f##w, 0, uint32_t, same, TO_FORMAT, w)                                         \
    X(SOFT1, i64_to_f##w, 0, int64_t, same, TO_FORMAT, w)                                          \
    X(SOFT1, u64_to_f##w, 0, uint64_t, same, TO_FORMAT, w)
#define OPS(X)                                                                                     \
    OPS_2(X, 32, uint32_t)                                                                         \
    OPS_2(X, 64, uint64_t)                                                                         \
    X(SOFT1, f32_to_f64, 32, uint32_t, same, TO_FORMAT, 64)                                        \
    X(SOFT1, f64_to_f32, 64, uint64_t, same, TO_FORMAT, 32)                                        \
    X(SOFT1, f16_to_f32, 16, uint16_t, same, TO_FORMAT, 32)                                        \
    X(SOFT1, f16_to_f64, 16, uint16_t, same, TO_FORMAT, 64)                                        \
    X(SOFT1, f32_to_f16, 32, uint32_t, same, TO_FORMAT, 16)                                        \
    X(SOFT1, f64_to_f16, 64, uint64_t, same, TO_FORMAT, 16)

#define DEFINE(soft, name, width, type, exact, result, to) soft(name, type)
OPS(DEFINE)

struct op {
    const char *name;
    soft_fn *soft;
    exact_fn *exact;
    unsigned operands, width;
    bool is_signed; /* operands of width 0 */
    enum result result;
    unsigned to;
};
#define COUNT_SOFT1 1
#define COUNT_SOFT2 2
#define COUNT_SOFT3 3
#define ROW(soft, name, width, type, exact, result, to)                                            \
    {#name, soft_##name, exact_##exact, COUNT_##soft, width, (type)-1 < (type)1, result, to},
static const struct op ops[] = {OPS(ROW)};

/* The result and flags that are right; false for an exact zero of a sum, whose sign the
 * tables of hand-made cases check. */
static bool expected(const struct op *op, const mpfr_t exact, struct sf_env *env, uint64_t *out)
{
    struct layout l = layout_of(op->to);
    mpfr_t r;
    if (op->result == TO_INT || op->result == TO_UINT) {
        *out = round_to_int(exact, op->to, op->result == TO_INT, env);
        return true;
    }
    if (mpfr_zero_p(exact))
        return false;
    if (op->result == TO_FORMAT) {
        *out = round_to_format(exact, l, env);
        return true;
    }
    mpfr_init2(r, PRECISION);
    if (to_integral(r, exact, env->rm) && op->result == TO_INTEGRAL_NX)
        env->flags |= SF_NX;
    *out = get_pattern(r, l, mpfr_sgn(exact) < 0);
    mpfr_clear(r);
    return true;
}

static uint64_t seed, comparisons;

static void check_one(const struct op *op, const uint64_t v[3], const mpfr_t exact,
                      struct sf_env env)
{
    struct sf_env ours = env;
    uint64_t want = 0, got = op->soft(v, &ours) & bits_mask(op->to);
    if (!expected(op, exact, &env, &want)) {
        want = 0;
        got &= bits_mask(op->to - 1);
    }
    comparisons++;
    if (got != want || ours.flags != env.flags)
        ck_abort_msg("%s rm %u tiny_before %d of %" PRIx64 " %" PRIx64 " %" PRIx64 ": %" PRIx64
                     " flags %x, MPFR says %" PRIx64 " flags %x",
                     op->name, env.rm, env.tiny_before, v[0], v[1], v[2], got, ours.flags, want,
                     env.flags);
}

/* All modes of one set of operands that have a finite exact result. */
static void check_modes(const struct op *op, const uint64_t v[3], mpfr_t x[3], mpfr_t exact)
{
    for (unsigned i = 0; i < op->operands; i++) {
        if (op->width && !layout_is_finite(layout_of(op->width), v[i]))
            return;
        if (op->width)
            set_pattern(x[i], layout_of(op->width), v[i]);
        else if (op->is_signed)
            mpfr_set_si(x[i], (int64_t)v[i], MPFR_RNDZ);
        else
            mpfr_set_ui(x[i], v[i], MPFR_RNDZ);
    }
    int ternary = op->exact(exact, x);
    if (!mpfr_number_p(exact))
        return;
    round_to_odd(exact, ternary);
    for (uint8_t rm = SF_RNE; rm <= SF_RMM; rm++) {
        check_one(op, v, exact, (struct sf_env){.rm = rm});
        check_one(op, v, exact, (struct sf_env){.rm = rm, .tiny_before = true});
    }
}

/* An integer operand of the operation's type, of any length. */
static uint64_t random_integer(uint64_t *state, const struct op *op)
{
    uint64_t v = random_fraction(state, 64) >> (next_random(state) & 63);
    if (strstr(op->name, "i32_to"))
        return (uint64_t)(int32_t)(uint32_t)v;
    return strstr(op->name, "u32_to") ? (uint32_t)v : v;
}

START_TEST(test_random)
{
    const struct op *op = &ops[_i];
    uint64_t state = bits_mix(seed + (uint64_t)_i), v[3];
    mpfr_t x[3], exact;
    mpfr_inits2(PRECISION, x[0], x[1], x[2], exact, (mpfr_ptr)0);
    for (unsigned i = 0; i < 40000; i++) {
        random_operands(&state, layout_of(op->width), v);
        if (!op->width)
            v[0] = random_integer(&state, op);
        check_modes(op, v, x, exact);
    }
    mpfr_clears(x[0], x[1], x[2], exact, (mpfr_ptr)0);
}
END_TEST

/* The edge values; of their pairs and triples a part. */
START_TEST(test_edge_values)
{
    const struct op *op = &ops[_i];
    uint64_t edge[EDGES_MAX];
    size_t n = edge_values(layout_of(op->width), edge);
    size_t step = op->operands == 3 ? 23 : op->operands == 2 ? 3 : 1;
    size_t nb = op->operands > 1 ? n : 1, nc = op->operands > 2 ? n : 1;
    mpfr_t x[3], exact;
    mpfr_inits2(PRECISION, x[0], x[1], x[2], exact, (mpfr_ptr)0);
    for (size_t i = 0; i < n; i += step)
        for (size_t j = i % step; j < nb; j += step)
            for (size_t k = (i + j) % step; k < nc; k += step)
                check_modes(op, (uint64_t[]){edge[i], edge[j], edge[k]}, x, exact);
    mpfr_clears(x[0], x[1], x[2], exact, (mpfr_ptr)0);
}
END_TEST

static Suite *mpfr_suite(void)
{
    Suite *suite = suite_create("softfloat-mpfr");
    for (int i = 0; i < (int)ARRAY_LEN(ops); i++) {
        TCase *tc = tcase_create(ops[i].name);
        suite_add_tcase(suite, tc);
        tcase_add_loop_test(tc, test_edge_values, ops[i].width ? i : i + 1, i + 1);
        tcase_add_loop_test(tc, test_random, i, i + 1);
    }
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(mpfr_suite());
    seed = seed_from_env();
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    printf("# %" PRIu64 " comparisons with MPFR %s\n", comparisons, mpfr_get_version());
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    mpfr_free_cache();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#else

int main(void)
{
    return tap_none_missing("built without GNU MPFR (Debian package libmpfr-dev)");
}

#endif
