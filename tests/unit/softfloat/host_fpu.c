/*
 * Softfloat against the SSE and AVX unit of an x86-64 host: results and flags, in
 * the four rounding modes that it has.  Each operation is one asm statement that
 * loads and stores MXCSR around the instruction.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include "softfloat/softfloat.h"
#include "tests/unit/softfloat/operands.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define MXCSR_QUIET 0x1f80u /* all exceptions masked, no flags, to nearest */

/* MXCSR for env->rm, and the flags that MXCSR holds (Intel SDM vol. 1, 10.2.3). */
static uint32_t mxcsr_of(const struct sf_env *env)
{
    static const uint32_t rc[] = {[SF_RNE] = 0, [SF_RDN] = 1, [SF_RUP] = 2, [SF_RTZ] = 3};
    return MXCSR_QUIET | rc[env->rm] << 13;
}

static uint8_t flags_of(uint32_t mxcsr)
{
    static const uint8_t flag[] = {SF_NV, 0, SF_DZ, SF_OF, SF_UF, SF_NX};
    uint8_t flags = 0;
    for (unsigned i = 0; i < ARRAY_LEN(flag); i++)
        flags |= mxcsr >> i & 1 ? flag[i] : 0;
    return flags;
}

static __m128i vec(uint64_t v)
{
    return _mm_set_epi64x(0, (int64_t)v);
}

/* Every operation, ours and the host's: up to three patterns to a pattern. */
typedef uint64_t op_fn(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env);

/* One instruction: %[r] holds a and receives the result; %[va] and %[a] are a too, in a
 * vector and a general register. */
#define HOST(name, insn, rtype, rinit, rconstraint, result)                                        \
    static uint64_t host_##name(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env)            \
    {                                                                                              \
        uint32_t in = mxcsr_of(env), out, quiet = MXCSR_QUIET;                                     \
        __m128i va = vec(a), vb = vec(b), vc = vec(c);                                             \
        rtype r = rinit;                                                                           \
        __asm__ volatile("ldmxcsr %[in]\n\t" insn "\n\tstmxcsr %[out]\n\tldmxcsr %[quiet]"         \
                         : [r] rconstraint(r), [out] "=m"(out)                                     \
                         : [in] "m"(in), [quiet] "m"(quiet), [va] "x"(va), [b] "x"(vb),            \
                           [c] "x"(vc), [a] "r"(a));                                               \
        env->flags |= flags_of(out);                                                               \
        return result;                                                                             \
    }
#define HOST_F32(name, insn) HOST(name, insn, __m128i, va, "+x", (uint32_t)_mm_cvtsi128_si32(r))
#define HOST_F64(name, insn) HOST(name, insn, __m128i, va, "+x", (uint64_t)_mm_cvtsi128_si64(r))
#define HOST_INT(name, insn) HOST(name, insn, uint64_t, a, "+r", r)

HOST_F32(add32, "addss %[b], %[r]")
HOST_F64(add64, "addsd %[b], %[r]")
HOST_F32(sub32, "subss %[b], %[r]")
HOST_F64(sub64, "subsd %[b], %[r]")
HOST_F32(mul32, "mulss %[b], %[r]")
HOST_F64(mul64, "mulsd %[b], %[r]")
HOST_F32(div32, "divss %[b], %[r]")
HOST_F64(div64, "divsd %[b], %[r]")
HOST_F32(sqrt32, "sqrtss %[va], %[r]")
HOST_F64(sqrt64, "sqrtsd %[va], %[r]")
HOST_F32(fma32, "vfmadd132ss %[b], %[c], %[r]")
HOST_F64(fma64, "vfmadd132sd %[b], %[c], %[r]")
HOST_F32(round32, "roundss $12, %[va], %[r]")
HOST_F64(round64, "roundsd $12, %[va], %[r]")
HOST_F32(roundnx32, "roundss $4, %[va], %[r]")
HOST_F64(roundnx64, "roundsd $4, %[va], %[r]")
HOST_F64(f32_to_f64, "cvtss2sd %[va], %[r]")
HOST_F32(f64_to_f32, "cvtsd2ss %[va], %[r]")
HOST_F32(f16_to_f32, "vcvtph2ps %[va], %[r]")
HOST_F32(f32_to_f16, "vcvtps2ph $4, %[va], %[r]")
HOST_F32(i32_to_f32, "cvtsi2ssl %k[a], %[r]")
HOST_F64(i32_to_f64, "cvtsi2sdl %k[a], %[r]")
HOST_F32(i64_to_f32, "cvtsi2ssq %[a], %[r]")
HOST_F64(i64_to_f64, "cvtsi2sdq %[a], %[r]")
/* Predicates EQ_OQ, LT_OS, LE_OS, LT_OQ, LE_OQ; all ones for true. */
HOST_F32(eq32, "vcmpss $0x00, %[b], %[r], %[r]")
HOST_F64(eq64, "vcmpsd $0x00, %[b], %[r], %[r]")
HOST_F32(lt32, "vcmpss $0x01, %[b], %[r], %[r]")
HOST_F64(lt64, "vcmpsd $0x01, %[b], %[r], %[r]")
HOST_F32(le32, "vcmpss $0x02, %[b], %[r], %[r]")
HOST_F64(le64, "vcmpsd $0x02, %[b], %[r], %[r]")
HOST_F32(lt_quiet32, "vcmpss $0x11, %[b], %[r], %[r]")
HOST_F64(lt_quiet64, "vcmpsd $0x11, %[b], %[r], %[r]")
HOST_F32(le_quiet32, "vcmpss $0x12, %[b], %[r], %[r]")
HOST_F64(le_quiet64, "vcmpsd $0x12, %[b], %[r], %[r]")
HOST_INT(f32_to_l, "cvtss2siq %[va], %[r]")
HOST_INT(f64_to_l, "cvtsd2siq %[va], %[r]")
HOST_INT(f32_to_w, "cvtss2sil %[va], %k[r]")
HOST_INT(f64_to_w, "cvtsd2sil %[va], %k[r]")
HOST_INT(f64_to_w_rtz, "cvttsd2sil %[va], %k[r]")

/* The RISC-V end of the range for a value that does not fit: NaNs are positive. */
static uint64_t saturate(struct layout l, uint64_t a, uint64_t least, uint64_t most,
                         struct sf_env *env)
{
    env->flags = SF_NV;
    return a >> (l.frac + l.ebits) && !layout_is_nan(l, a) ? least : most;
}

static uint64_t to_i32(op_fn *to_w, struct layout l, uint64_t a, struct sf_env *env)
{
    uint64_t v = to_w(a, 0, 0, env);
    if (env->flags & SF_NV)
        return saturate(l, a, UINT32_C(1) << 31, INT32_MAX, env);
    return v;
}

static uint64_t to_i64(op_fn *to_l, struct layout l, uint64_t a, struct sf_env *env)
{
    uint64_t v = to_l(a, 0, 0, env);
    return env->flags & SF_NV ? saturate(l, a, BIT(63), INT64_MAX, env) : v;
}

static uint64_t to_u32(op_fn *to_l, struct layout l, uint64_t a, struct sf_env *env)
{
    uint64_t v = to_l(a, 0, 0, env);
    return v > UINT32_MAX ? saturate(l, a, 0, UINT32_MAX, env) : v;
}

static uint64_t to_u64(op_fn *to_l, struct layout l, uint64_t a, struct sf_env *env)
{
    uint64_t v = to_l(a, 0, 0, env);
    if (a >> l.frac == layout_bias(l) + 63) { /* 2^63 and above: an integer as it stands */
        env->flags = 0;
        return (a & bits_mask(l.frac)) << (63 - l.frac) | BIT(63);
    }
    return (int64_t)v < 0 ? saturate(l, a, 0, UINT64_MAX, env) : v;
}

#define HOST_TO_INTEGER(w, l)                                                                      \
    static uint64_t host_f##w##_to_i32(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env)     \
    {                                                                                              \
        (void)b, (void)c;                                                                          \
        return to_i32(host_f##w##_to_w, l, a, env);                                                \
    }                                                                                              \
    static uint64_t host_f##w##_to_u32(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env)     \
    {                                                                                              \
        (void)b, (void)c;                                                                          \
        return to_u32(host_f##w##_to_l, l, a, env);                                                \
    }                                                                                              \
    static uint64_t host_f##w##_to_i64(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env)     \
    {                                                                                              \
        (void)b, (void)c;                                                                          \
        return to_i64(host_f##w##_to_l, l, a, env);                                                \
    }                                                                                              \
    static uint64_t host_f##w##_to_u64(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env)     \
    {                                                                                              \
        (void)b, (void)c;                                                                          \
        return to_u64(host_f##w##_to_l, l, a, env);                                                \
    }
HOST_TO_INTEGER(32, LAYOUT32)
HOST_TO_INTEGER(64, LAYOUT64)

static uint64_t host_f64_to_i32_mod(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env)
{
    uint64_t v = host_f64_to_w_rtz(a, b, c, env);
    int shift = (int)exponent_field(LAYOUT64, a) - 1023 - 52;
    uint64_t mant = (a & bits_mask(52)) | BIT(52);
    if (!(env->flags & SF_NV))
        return v;
    if (!layout_is_finite(LAYOUT64, a) || shift > 31)
        return 0;
    mant = shift < 0 ? mant >> -shift : mant << shift;
    return a >> 63 ? 0 - mant : mant;
}

/* Unsigned integers by way of signed ones; the largest are halved first. */
#define HOST_FROM_UNSIGNED(w, frac)                                                                \
    static uint64_t host_u64_to_f##w(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env)       \
    {                                                                                              \
        if (a >> 63)                                                                               \
            return host_i64_to_f##w(a >> 1 | (a & 1), b, c, env) + BIT(frac);                      \
        return host_i64_to_f##w(a, b, c, env);                                                     \
    }                                                                                              \
    static uint64_t host_u32_to_f##w(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env)       \
    {                                                                                              \
        return host_i64_to_f##w((uint32_t)a, b, c, env);                                           \
    }
HOST_FROM_UNSIGNED(32, 23)
HOST_FROM_UNSIGNED(64, 52)

/* min and max from the host's quiet comparison, which sets the flags too. */
static uint64_t extremum(struct layout l, op_fn *lt, uint64_t a, uint64_t b, bool max, bool number,
                         struct sf_env *env)
{
    uint64_t nan = bits_mask(l.ebits + 1) << (l.frac - 1);
    uint64_t below = lt(a, b, 0, env), above = lt(b, a, 0, env);
    if (layout_is_nan(l, a) || layout_is_nan(l, b)) {
        if (!number || (layout_is_nan(l, a) && layout_is_nan(l, b)))
            return nan;
        return layout_is_nan(l, a) ? b : a;
    }
    if (!below && !above) /* equal: a zero's sign decides */
        return a == b ? a : max ? 0 : BIT(l.frac + l.ebits);
    return (below != 0) == max ? b : a;
}

#define HOST_EXTREMUM(name, w, max, number)                                                        \
    static uint64_t host_##name##w(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env)         \
    {                                                                                              \
        (void)c;                                                                                   \
        return extremum(LAYOUT##w, host_lt_quiet##w, a, b, max, number, env);                      \
    }
HOST_EXTREMUM(min, 32, false, true)
HOST_EXTREMUM(min, 64, false, true)
HOST_EXTREMUM(max, 32, true, true)
HOST_EXTREMUM(max, 64, true, true)
HOST_EXTREMUM(minm, 32, false, false)
HOST_EXTREMUM(minm, 64, false, false)
HOST_EXTREMUM(maxm, 32, true, false)
HOST_EXTREMUM(maxm, 64, true, false)

#define SOFT(name, call)                                                                           \
    static uint64_t soft_##name(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env)            \
    {                                                                                              \
        (void)b, (void)c;                                                                          \
        return (uint64_t)call;                                                                     \
    }
#define UNARY(name, type)   SOFT(name, sf_##name((type)a, env))
#define BINARY(name, type)  SOFT(name, sf_##name((type)a, (type)b, env))
#define TERNARY(name, type) SOFT(name, sf_##name((type)a, (type)b, (type)c, env))
#define PREDICATE(name, t)  SOFT(name, (sf_##name((t)a, (t)b, env) ? (t)-1 : 0))

/* Every operation once: shape, number of operands, name, width of the operands (0: an
 * integer) and their type, mask of the result. */
#define OPS_2(X, w, type, mask)                                                                    \
    X(BINARY, 2, add##w, w, type, mask)                                                            \
    X(BINARY, 2, sub##w, w, type, mask)                                                            \
    X(BINARY, 2, mul##w, w, type, mask)                                                            \
    X(BINARY, 2, div##w, w, type, mask)                                                            \
    X(BINARY, 2, min##w, w, type, mask)                                                            \
    X(BINARY, 2, max##w, w, type, mask)                                                            \
    X(BINARY, 2, minm##w, w, type, mask)                                                           \
    X(BINARY, 2, maxm##w, w, type, mask)                                                           \
    X(PREDICATE, 2, eq##w, w, type, mask)                                                          \
    X(PREDICATE, 2, lt##w, w, type, mask)                                                          \
    X(PREDICATE, 2, le##w, w, type, mask)                                                          \
    X(PREDICATE, 2, lt_quiet##w, w, type, mask)                                                    \
    X(PREDICATE, 2, le_quiet##w, w, type, mask)                                                    \
    X(TERNARY, 3, fma##w, w, type, mask)                                                           \
    X(UNARY, 1, sqrt##w, w, type, mask)                                                            \
    X(UNARY, 1, round##w, w, type, mask)                                                           \
    X(UNARY, 1, roundnx##w, w, type, mask)                                                         \
    X(UNARY, 1, f##w##_to_i32, w, type, UINT32_MAX)                                                \
    X(UNARY, 1, f##w##_to_u32, w, type, UINT32_MAX)                                                \
    X(UNARY, 1, f##w##_to_i64, w, type, UINT64_MAX)                                                \
    X(UNARY, 1, f##w##_to_u64, w, type, UINT64_MAX)                                                \
    X(UNARY, 1, i32_to_f##w, 0, int32_t, mask)                                                     \
    X(UNARY, 1, u32_to_f##w, 0, uint32_t, mask)                                                    \
    X(UNARY, 1, i64_to_f##w, 0, int64_t, mask)                                                     \
    X(UNARY, 1, u64_to_f##w, 0, uint64_t, mask)
#define OPS(X)                                                                                     \
    OPS_2(X, 32, uint32_t, UINT32_MAX)                                                             \
    OPS_2(X, 64, uint64_t, UINT64_MAX)                                                             \
    X(UNARY, 1, f64_to_i32_mod, 64, uint64_t, UINT32_MAX)                                          \
    X(UNARY, 1, f32_to_f64, 32, uint32_t, UINT64_MAX)                                              \
    X(UNARY, 1, f64_to_f32, 64, uint64_t, UINT32_MAX)                                              \
    X(UNARY, 1, f16_to_f32, 16, uint16_t, UINT32_MAX)                                              \
    X(UNARY, 1, f32_to_f16, 32, uint32_t, UINT16_MAX)

#define DEFINE(kind, n, name, w, type, mask) kind(name, type)
OPS(DEFINE)

struct op {
    const char *name;
    op_fn *soft, *host;
    unsigned operands, width; /* width of the operands, 0 for integers */
    uint64_t mask;            /* of the result */
};
#define ROW(kind, n, name, w, type, mask) {#name, soft_##name, host_##name, n, w, mask},
static const struct op ops[] = {OPS(ROW)};

static struct layout layout_of(unsigned width)
{
    return width == 64 ? LAYOUT64 : width == 32 ? LAYOUT32 : LAYOUT16;
}

/* The result's NaNs, for operations whose result is a number. */
static uint64_t canonical(const struct op *op, uint64_t v)
{
    static const char *const floats[] = {"add", "sub", "mul", "div", "fma", "sqrt", "round"};
    const char *to = strstr(op->name, "_to_f");
    bool is_float = to != NULL;
    for (size_t i = 0; i < ARRAY_LEN(floats); i++)
        is_float |= !strncmp(op->name, floats[i], strlen(floats[i]));
    struct layout l = layout_of(op->mask == UINT64_MAX ? 64 : op->mask == UINT32_MAX ? 32 : 16);
    return is_float && layout_is_nan(l, v) ? bits_mask(l.ebits + 1) << (l.frac - 1) : v;
}

/* RISC-V raises NV for inf*0 + a quiet NaN, x86 does not. */
static uint8_t fma_flags(const struct op *op, const uint64_t v[3])
{
    struct layout l = layout_of(op->width);
    uint64_t mag = bits_mask(l.frac + l.ebits), inf = bits_mask(l.ebits) << l.frac;
    uint64_t a = v[0] & mag, b = v[1] & mag;
    return op->operands == 3 && ((a == inf && b == 0) || (a == 0 && b == inf)) ? SF_NV : 0;
}

static void check_one(const struct op *op, const uint64_t v[3], uint8_t rm)
{
    struct sf_env host = {.rm = rm}, x86 = {.rm = rm, .nan = SF_NAN_X86}, riscv = {.rm = rm};
    uint64_t want = op->host(v[0], v[1], v[2], &host) & op->mask;
    uint64_t got = op->soft(v[0], v[1], v[2], &x86) & op->mask;
    if (got != want || x86.flags != host.flags)
        ck_abort_msg("%s rm %u of %" PRIx64 " %" PRIx64 " %" PRIx64 ": %" PRIx64
                     " flags %x, the host says %" PRIx64 " flags %x",
                     op->name, rm, v[0], v[1], v[2], got, x86.flags, want, host.flags);
    uint64_t canon = canonical(op, want);
    got = op->soft(v[0], v[1], v[2], &riscv) & op->mask;
    uint8_t flags = host.flags | fma_flags(op, v);
    if (got != canon || riscv.flags != flags)
        ck_abort_msg("%s rm %u of %" PRIx64 " %" PRIx64 " %" PRIx64 ": %" PRIx64
                     " flags %x, RISC-V needs %" PRIx64 " flags %x",
                     op->name, rm, v[0], v[1], v[2], got, riscv.flags, canon, flags);
}

static uint64_t seed, comparisons;

static void check_modes(const struct op *op, const uint64_t v[3])
{
    for (uint8_t rm = SF_RNE; rm <= SF_RUP; rm++)
        check_one(op, v, rm);
    comparisons += 4;
}

/* All values, pairs and a part of the triples of the edge values. */
static void check_edges(const struct op *op, const uint64_t *edge, size_t n)
{
    size_t step = op->operands == 3 ? 11 : 1; /* prime to the structure of the set */
    size_t nb = op->operands > 1 ? n : 1, nc = op->operands > 2 ? n : 1;
    for (size_t i = 0; i < n; i += step)
        for (size_t j = i % step; j < nb; j += step)
            for (size_t k = (i + j) % step; k < nc; k += step)
                check_modes(op, (uint64_t[]){edge[i], edge[j], edge[k]});
}

START_TEST(test_edge_values)
{
    const struct op *op = &ops[_i];
    uint64_t edge[EDGES_MAX];
    check_edges(op, edge, edge_values(layout_of(op->width), edge));
}
END_TEST

START_TEST(test_random)
{
    const struct op *op = &ops[_i];
    uint64_t state = bits_mix(seed + (uint64_t)_i), v[3];
    for (unsigned i = 0; i < 100000; i++) {
        random_operands(&state, layout_of(op->width), v);
        if (!op->width)
            v[0] = random_fraction(&state, 64) >> (v[1] & 63);
        check_modes(op, v);
    }
}
END_TEST

START_TEST(test_all_f16)
{
    for (uint64_t v = 0; v <= UINT16_MAX; v++)
        check_modes(&ops[_i], (uint64_t[]){v, 0, 0});
}
END_TEST

static const char *missing_feature(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2"))
        return "the CPU has no AVX2";
    if (!__builtin_cpu_supports("fma"))
        return "the CPU has no FMA";
    return NULL; /* these came together with F16C */
}

static Suite *host_suite(void)
{
    Suite *suite = suite_create("softfloat-host");
    for (int i = 0; i < (int)ARRAY_LEN(ops); i++) {
        TCase *tc = tcase_create(ops[i].name);
        suite_add_tcase(suite, tc);
        tcase_add_loop_test(tc, test_edge_values, ops[i].width ? i : i + 1, i + 1);
        tcase_add_loop_test(tc, test_random, i, i + 1);
        if (ops[i].width == 16)
            tcase_add_loop_test(tc, test_all_f16, i, i + 1);
    }
    return suite;
}

int main(void)
{
    const char *missing = missing_feature();
    if (missing) {
        printf("1..0 # SKIP %s\n", missing);
        return EXIT_SUCCESS;
    }
    seed = seed_from_env();
    SRunner *runner = srunner_create(host_suite());
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    printf("# %" PRIu64 " comparisons with the host\n", comparisons);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#else

int main(void)
{
    printf("1..0 # SKIP compares with the floating-point unit of x86-64 hosts only\n");
    return EXIT_SUCCESS;
}

#endif
