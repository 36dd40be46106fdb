/*
 * Softfloat's answers that were worked out by hand, in every rounding mode; the
 * other tests of this folder compare with other implementations.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/bits.h"
#include "softfloat/softfloat.h"

#define QNAN     SF_NAN64
#define SIG      UINT64_C(0x7ff0000000000001)
#define INF      UINT64_C(0x7ff0000000000000)
#define MAX      UINT64_C(0x7fefffffffffffff)
#define MIN_NORM UINT64_C(0x0010000000000000)
#define MAX_SUB  UINT64_C(0x000fffffffffffff)
#define ONE      UINT64_C(0x3ff0000000000000)
#define TWO      UINT64_C(0x4000000000000000)
#define HALF     UINT64_C(0x3fe0000000000000)
#define ULP      UINT64_C(0x3cb0000000000000) /* 2^-52 */
#define HALF_ULP UINT64_C(0x3ca0000000000000)
#define NEG      UINT64_C(0x8000000000000000)

#define QNAN32     SF_NAN32
#define SIG32      UINT32_C(0x7f800001)
#define INF32      UINT32_C(0x7f800000)
#define MAX32      UINT32_C(0x7f7fffff)
#define MIN_NORM32 UINT32_C(0x00800000)
#define ONE32      UINT32_C(0x3f800000)
#define NEG32      UINT32_C(0x80000000)

#define RM_ALL (-1)

/* An operation on three patterns, whatever its widths. */
#define UNARY(name)                                                                                \
    static uint64_t do_##name(uint64_t a, uint64_t b, uint64_t c, struct sf_env *e)                \
    {                                                                                              \
        (void)b, (void)c;                                                                          \
        return (uint64_t)sf_##name((T)a, e);                                                       \
    }
#define BINARY(name)                                                                               \
    static uint64_t do_##name(uint64_t a, uint64_t b, uint64_t c, struct sf_env *e)                \
    {                                                                                              \
        (void)c;                                                                                   \
        return (uint64_t)sf_##name((T)a, (T)b, e);                                                 \
    }
#define TERNARY(name)                                                                              \
    static uint64_t do_##name(uint64_t a, uint64_t b, uint64_t c, struct sf_env *e)                \
    {                                                                                              \
        return (uint64_t)sf_##name((T)a, (T)b, (T)c, e);                                           \
    }

#define T uint64_t
BINARY(add64)
BINARY(sub64)
BINARY(mul64)
BINARY(div64)
UNARY(sqrt64)
TERNARY(fma64)
BINARY(min64)
BINARY(max64)
BINARY(minm64)
BINARY(maxm64)
BINARY(eq64)
BINARY(lt64)
BINARY(le64)
BINARY(lt_quiet64)
BINARY(le_quiet64)
UNARY(f64_to_f32)
UNARY(f64_to_f16)
UNARY(f64_to_i32)
UNARY(f64_to_u32)
UNARY(f64_to_i64)
UNARY(f64_to_u64)
UNARY(f64_to_i32_mod)
UNARY(round64)
UNARY(roundnx64)
UNARY(u64_to_f64)
UNARY(u64_to_f32)
#undef T
#define T int64_t
UNARY(i64_to_f64)
UNARY(i64_to_f32)
#undef T
#define T int32_t
UNARY(i32_to_f64)
UNARY(i32_to_f32)
#undef T
#define T uint32_t
UNARY(u32_to_f64)
UNARY(u32_to_f32)
BINARY(add32)
BINARY(sub32)
BINARY(mul32)
BINARY(div32)
UNARY(sqrt32)
TERNARY(fma32)
BINARY(min32)
BINARY(max32)
BINARY(minm32)
BINARY(maxm32)
BINARY(eq32)
BINARY(lt32)
BINARY(le32)
BINARY(lt_quiet32)
BINARY(le_quiet32)
UNARY(f32_to_f64)
UNARY(f32_to_f16)
UNARY(f32_to_i32)
UNARY(f32_to_u32)
UNARY(f32_to_i64)
UNARY(f32_to_u64)
UNARY(round32)
UNARY(roundnx32)
#undef T
#define T uint16_t
UNARY(f16_to_f32)
UNARY(f16_to_f64)
#undef T

/* Results of 32-bit signed conversions are compared sign-extended. */
struct row {
    uint64_t (*op)(uint64_t a, uint64_t b, uint64_t c, struct sf_env *e);
    int rm; /* enum sf_rm or RM_ALL */
    uint64_t a, b, c;
    uint64_t result;
    uint8_t flags;
};

static void check_row(const struct row *r, size_t i, struct sf_env env)
{
    uint64_t got = r->op(r->a, r->b, r->c, &env);
    ck_assert_msg(got == r->result && env.flags == r->flags,
                  "row %zu, rm %u: %" PRIx64 " flags %x, expected %" PRIx64 " flags %x", i, env.rm,
                  got, env.flags, r->result, r->flags);
}

static void check_rows(const struct row *rows, size_t n, struct sf_env env)
{
    for (size_t i = 0; i < n; i++)
        for (uint8_t rm = SF_RNE; rm <= SF_RMM; rm++) {
            env.rm = rm;
            if (rows[i].rm == RM_ALL || rows[i].rm == rm)
                check_row(&rows[i], i, env);
        }
}
#define CHECK(rows) check_rows(rows, ARRAY_LEN(rows), (struct sf_env){0})

START_TEST(test_add)
{
    static const struct row rows[] = {
        {do_add64, RM_ALL, ONE, ONE, 0, TWO, 0},
        /* 1 + 2^-53: a tie */
        {do_add64, SF_RNE, ONE, HALF_ULP, 0, ONE, SF_NX},
        {do_add64, SF_RTZ, ONE, HALF_ULP, 0, ONE, SF_NX},
        {do_add64, SF_RDN, ONE, HALF_ULP, 0, ONE, SF_NX},
        {do_add64, SF_RUP, ONE, HALF_ULP, 0, ONE + 1, SF_NX},
        {do_add64, SF_RMM, ONE, HALF_ULP, 0, ONE + 1, SF_NX},
        {do_add64, SF_RMM, ONE | NEG, HALF_ULP | NEG, 0, (ONE | NEG) + 1, SF_NX},
        {do_add64, SF_RUP, ONE | NEG, HALF_ULP | NEG, 0, ONE | NEG, SF_NX},
        {do_add64, SF_RNE, ONE + 1, HALF_ULP, 0, ONE + 2, SF_NX},
        /* just below and above the tie */
        {do_add64, SF_RMM, ONE, HALF_ULP - 1, 0, ONE, SF_NX},
        {do_add64, SF_RNE, ONE, HALF_ULP + 1, 0, ONE + 1, SF_NX},
        {do_add64, RM_ALL, ONE, ULP, 0, ONE + 1, 0},
        /* the sign of zero sums */
        {do_add64, SF_RNE, ONE, ONE | NEG, 0, 0, 0},
        {do_add64, SF_RDN, ONE, ONE | NEG, 0, NEG, 0},
        {do_add64, SF_RDN, 0, NEG, 0, NEG, 0},
        {do_add64, SF_RMM, 0, NEG, 0, 0, 0},
        {do_add64, RM_ALL, NEG, NEG, 0, NEG, 0},
        {do_sub64, RM_ALL, NEG, 0, 0, NEG, 0},
        {do_sub64, SF_RDN, 0, 0, 0, NEG, 0},
        /* sums are never tiny and inexact */
        {do_add64, RM_ALL, MAX_SUB, 1, 0, MIN_NORM, 0},
        {do_sub64, RM_ALL, MIN_NORM, 1, 0, MAX_SUB, 0},
        {do_sub64, RM_ALL, MIN_NORM + 1, MIN_NORM, 0, 1, 0},
        /* cancellation over a binade */
        {do_sub64, RM_ALL, ONE, ONE - 1, 0, HALF_ULP, 0},
        /* overflow */
        {do_add64, SF_RNE, MAX, MAX, 0, INF, SF_OF | SF_NX},
        {do_add64, SF_RMM, MAX | NEG, MAX | NEG, 0, INF | NEG, SF_OF | SF_NX},
        {do_add64, SF_RTZ, MAX, MAX, 0, MAX, SF_OF | SF_NX},
        {do_add64, SF_RDN, MAX, MAX, 0, MAX, SF_OF | SF_NX},
        {do_add64, SF_RDN, MAX | NEG, MAX | NEG, 0, INF | NEG, SF_OF | SF_NX},
        {do_add64, SF_RUP, MAX | NEG, MAX | NEG, 0, MAX | NEG, SF_OF | SF_NX},
        {do_add64, SF_RUP, MAX, 1, 0, INF, SF_OF | SF_NX},
        {do_add64, SF_RNE, MAX, 1, 0, MAX, SF_NX},
        {do_add64, RM_ALL, INF, MAX | NEG, 0, INF, 0},
        {do_sub64, RM_ALL, INF, INF, 0, QNAN, SF_NV},
        {do_add64, RM_ALL, INF, INF, 0, INF, 0},
        {do_add64, RM_ALL, QNAN | NEG | 5, ONE, 0, QNAN, 0},
        {do_sub64, RM_ALL, ONE, SIG, 0, QNAN, SF_NV},
        {do_add32, SF_RMM, ONE32, 0x33800000, 0, ONE32 + 1, SF_NX},
        {do_add32, SF_RNE, ONE32, 0x33800000, 0, ONE32, SF_NX},
        {do_sub32, RM_ALL, INF32, INF32, 0, QNAN32, SF_NV},
        {do_add32, RM_ALL, ONE32, SIG32, 0, QNAN32, SF_NV},
    };
    CHECK(rows);
}
END_TEST

START_TEST(test_multiply)
{
    static const struct row rows[] = {
        {do_mul64, RM_ALL, TWO, HALF | NEG, 0, ONE | NEG, 0},
        {do_mul64, RM_ALL, NEG, ONE, 0, NEG, 0},
        {do_mul64, RM_ALL, INF, NEG, 0, QNAN, SF_NV},
        {do_mul64, RM_ALL, INF, 1 | NEG, 0, INF | NEG, 0},
        /* half of the smallest number: a tie with zero */
        {do_mul64, SF_RNE, 1, HALF, 0, 0, SF_UF | SF_NX},
        {do_mul64, SF_RMM, 1, HALF, 0, 1, SF_UF | SF_NX},
        {do_mul64, SF_RUP, 1, HALF, 0, 1, SF_UF | SF_NX},
        {do_mul64, SF_RDN, 1 | NEG, HALF, 0, 1 | NEG, SF_UF | SF_NX},
        {do_mul64, SF_RUP, 1 | NEG, HALF, 0, NEG, SF_UF | SF_NX},
        {do_mul64, SF_RNE, 3, HALF, 0, 2, SF_UF | SF_NX},
        {do_mul64, SF_RMM, MIN_NORM, ULP / 2, 0, 0, SF_UF | SF_NX},
        {do_mul64, RM_ALL, MIN_NORM, HALF, 0, MIN_NORM / 2, 0}, /* tiny, exact */
        /* (1 - 2^-53) * 2^-1022: an infinite exponent range keeps it below 2^-1022 */
        {do_mul64, SF_RNE, MIN_NORM, ONE - 1, 0, MIN_NORM, SF_UF | SF_NX},
        {do_mul64, SF_RTZ, MIN_NORM, ONE - 1, 0, MAX_SUB, SF_UF | SF_NX},
        /* (1 - 2^-104) * 2^-1022 rounds to 2^-1022 in that range too: not tiny */
        {do_mul64, SF_RNE, MIN_NORM + 1, ONE - 2, 0, MIN_NORM, SF_NX},
        {do_mul64, SF_RNE, MAX, TWO, 0, INF, SF_OF | SF_NX},
        {do_mul32, SF_RNE, MIN_NORM32, ONE32 - 1, 0, MIN_NORM32, SF_UF | SF_NX},
        {do_mul32, SF_RMM, 1, 0x3f000000, 0, 1, SF_UF | SF_NX},
        {do_mul32, SF_RTZ, MAX32, MAX32, 0, MAX32, SF_OF | SF_NX},
        {do_mul32, RM_ALL, INF32, 0, 0, QNAN32, SF_NV},
    };
    CHECK(rows);
}
END_TEST

START_TEST(test_divide_and_root)
{
    static const struct row rows[] = {
        {do_div64, RM_ALL, ONE, 0, 0, INF, SF_DZ},
        {do_div64, RM_ALL, ONE, NEG, 0, INF | NEG, SF_DZ},
        {do_div64, RM_ALL, INF, 0, 0, INF, 0},
        {do_div64, RM_ALL, 0, NEG, 0, QNAN, SF_NV},
        {do_div64, RM_ALL, INF, INF | NEG, 0, QNAN, SF_NV},
        {do_div64, RM_ALL, ONE, INF | NEG, 0, NEG, 0},
        {do_div64, RM_ALL, 0, TWO | NEG, 0, NEG, 0},
        {do_div64, SF_RNE, ONE, 0x4008000000000000, 0, 0x3fd5555555555555, SF_NX}, /* 1/3 */
        {do_div64, SF_RUP, ONE, 0x4008000000000000, 0, 0x3fd5555555555556, SF_NX},
        {do_div64, SF_RMM, 3, TWO, 0, 2, SF_UF | SF_NX},
        {do_div64, RM_ALL, QNAN, SIG, 0, QNAN, SF_NV},
        {do_div32, SF_RNE, ONE32, 0x40400000, 0, 0x3eaaaaab, SF_NX},
        {do_div32, SF_RTZ, ONE32, 0x40400000, 0, 0x3eaaaaaa, SF_NX},
        {do_div32, RM_ALL, ONE32, NEG32, 0, INF32 | NEG32, SF_DZ},
        {do_sqrt64, RM_ALL, 0x4010000000000000, 0, 0, TWO, 0},
        {do_sqrt64, SF_RNE, TWO, 0, 0, 0x3ff6a09e667f3bcd, SF_NX},
        {do_sqrt64, SF_RDN, TWO, 0, 0, 0x3ff6a09e667f3bcc, SF_NX},
        {do_sqrt64, RM_ALL, NEG, 0, 0, NEG, 0},
        {do_sqrt64, RM_ALL, 0, 0, 0, 0, 0},
        {do_sqrt64, RM_ALL, INF, 0, 0, INF, 0},
        {do_sqrt64, RM_ALL, INF | NEG, 0, 0, QNAN, SF_NV},
        {do_sqrt64, RM_ALL, 1 | NEG, 0, 0, QNAN, SF_NV},
        {do_sqrt64, RM_ALL, 1, 0, 0, 0x1e60000000000000, 0}, /* 2^-537 */
        {do_sqrt64, SF_RTZ, ONE - 1, 0, 0, ONE - 1, SF_NX},
        {do_sqrt64, SF_RUP, ONE - 1, 0, 0, ONE, SF_NX},
        {do_sqrt64, RM_ALL, QNAN | NEG, 0, 0, QNAN, 0},
        {do_sqrt32, RM_ALL, 0x41100000, 0, 0, 0x40400000, 0},
        {do_sqrt32, SF_RMM, 0x40000000, 0, 0, 0x3fb504f3, SF_NX},
    };
    CHECK(rows);
}
END_TEST

START_TEST(test_fma)
{
    static const struct row rows[] = {
        {do_fma64, RM_ALL, TWO, TWO, ONE | NEG, 0x4008000000000000, 0},
        /* (1 + u)^2 - (1 + 2u) = u^2 */
        {do_fma64, RM_ALL, ONE + 1, ONE + 1, (ONE + 2) | NEG, 0x3970000000000000, 0},
        {do_fma64, SF_RNE, ONE, ONE, ONE | NEG, 0, 0},
        {do_fma64, SF_RDN, ONE, ONE, ONE | NEG, NEG, 0},
        {do_fma64, RM_ALL, 0, ONE | NEG, NEG, NEG, 0},
        {do_fma64, SF_RDN, 0, ONE | NEG, 0, NEG, 0},
        {do_fma64, SF_RUP, 0, ONE | NEG, 0, 0, 0},
        {do_fma64, RM_ALL, 0, MAX, 1, 1, 0},
        {do_fma64, RM_ALL, INF, 0, ONE, QNAN, SF_NV},
        {do_fma64, RM_ALL, 0, INF, QNAN, QNAN, SF_NV},
        {do_fma64, RM_ALL, INF, 0, SIG, QNAN, SF_NV},
        {do_fma64, RM_ALL, INF, ONE, INF | NEG, QNAN, SF_NV},
        {do_fma64, RM_ALL, ONE, INF | NEG, INF | NEG, INF | NEG, 0},
        {do_fma64, RM_ALL, ONE, ONE, INF, INF, 0},
        {do_fma64, RM_ALL, QNAN, INF, 0, QNAN, 0},
        /* the product overflows, the sum does not */
        {do_fma64, RM_ALL, MAX, TWO, MAX | NEG, MAX, 0},
        {do_fma64, SF_RNE, MAX, MAX, MAX | NEG, INF, SF_OF | SF_NX},
        /* a tie broken by a product far below */
        {do_fma64, SF_RNE, ULP, HALF, ONE, ONE, SF_NX},
        {do_fma64, SF_RMM, ULP, HALF, ONE, ONE + 1, SF_NX},
        {do_fma64, SF_RMM, 1, 1 | NEG, ONE, ONE, SF_NX},
        {do_fma64, SF_RTZ, 1, 1 | NEG, ONE, ONE - 1, SF_NX},
        {do_fma64, SF_RUP, 1, 1, 1, 2, SF_UF | SF_NX},
        {do_fma64, SF_RNE, 1, 1, 1, 1, SF_UF | SF_NX},
        {do_fma32, RM_ALL, ONE32 + 1, ONE32 + 1, (ONE32 + 2) | NEG32, 0x28800000, 0},
        {do_fma32, RM_ALL, INF32, 0, QNAN32, QNAN32, SF_NV},
        {do_fma32, SF_RMM, 1, 0x3f000000, 0, 1, SF_UF | SF_NX},
    };
    CHECK(rows);
}
END_TEST

/* Tininess before rounding differs only where rounding reaches the smallest normal. */
START_TEST(test_tiny_before)
{
    static const struct row rows[] = {
        {do_mul64, SF_RNE, MIN_NORM + 1, ONE - 2, 0, MIN_NORM, SF_UF | SF_NX},
        {do_mul64, RM_ALL, MIN_NORM, HALF, 0, MIN_NORM / 2, 0},
        {do_mul64, RM_ALL, MIN_NORM, ONE, 0, MIN_NORM, 0},
        {do_f64_to_f32, SF_RNE, 0x380fffffffffffff, 0, 0, MIN_NORM32, SF_UF | SF_NX},
    };
    check_rows(rows, ARRAY_LEN(rows), (struct sf_env){.tiny_before = true});
}
END_TEST

START_TEST(test_nan_arm)
{
    static const struct row rows[] = {
        {do_add64, RM_ALL, QNAN | 3, SIG | NEG, 0, QNAN | NEG | 1, SF_NV},
        {do_add64, RM_ALL, SIG | 2, SIG, 0, QNAN | 3, SF_NV},
        {do_sub64, RM_ALL, ONE, QNAN | 6 | NEG, 0, QNAN | 6 | NEG, 0},
        {do_mul64, RM_ALL, INF, 0, 0, QNAN, SF_NV},
        {do_fma64, RM_ALL, QNAN | 1, QNAN | 2, QNAN | 3, QNAN | 3, 0},
        {do_fma64, RM_ALL, QNAN | 1, SIG | 4, QNAN | 3, QNAN | 5, SF_NV},
        {do_fma64, RM_ALL, INF, 0, QNAN | 3, QNAN, SF_NV},
        {do_fma64, RM_ALL, INF, 0, SIG, QNAN | 1, SF_NV},
        {do_fma64, RM_ALL, QNAN | 1, QNAN | 2, ONE, QNAN | 1, 0},
        {do_f64_to_f32, RM_ALL, QNAN | NEG | UINT64_C(0x123456789abcd), 0, 0, 0xffc91a2b, 0},
        {do_f32_to_f64, RM_ALL, SIG32, 0, 0, UINT64_C(0x7ff8000020000000), SF_NV},
    };
    check_rows(rows, ARRAY_LEN(rows), (struct sf_env){.nan = SF_NAN_ARM});
}
END_TEST

START_TEST(test_nan_x86)
{
    static const struct row rows[] = {
        {do_add64, RM_ALL, QNAN | 3, SIG | NEG, 0, QNAN | 3, SF_NV},
        {do_mul64, RM_ALL, INF, 0, 0, QNAN | NEG, SF_NV},
        {do_fma64, RM_ALL, QNAN | 1, QNAN | 2, QNAN | 3, QNAN | 1, 0},
        {do_fma64, RM_ALL, INF, 0, QNAN | 3, QNAN | 3, 0},
        {do_fma64, RM_ALL, INF, 0, ONE, QNAN | NEG, SF_NV},
    };
    check_rows(rows, ARRAY_LEN(rows), (struct sf_env){.nan = SF_NAN_X86});
}
END_TEST

START_TEST(test_min_max)
{
    static const struct row rows[] = {
        {do_min64, RM_ALL, ONE, TWO, 0, ONE, 0},
        {do_max64, RM_ALL, ONE, TWO, 0, TWO, 0},
        {do_min64, RM_ALL, ONE | NEG, TWO | NEG, 0, TWO | NEG, 0},
        {do_min64, RM_ALL, 0, NEG, 0, NEG, 0},
        {do_min64, RM_ALL, NEG, 0, 0, NEG, 0},
        {do_max64, RM_ALL, 0, NEG, 0, 0, 0},
        {do_max64, RM_ALL, NEG, 0, 0, 0, 0},
        {do_max64, RM_ALL, INF | NEG, QNAN, 0, INF | NEG, 0},
        {do_min64, RM_ALL, SIG, ONE, 0, ONE, SF_NV},
        {do_max64, RM_ALL, QNAN | 1, SIG, 0, QNAN, SF_NV},
        {do_min64, RM_ALL, QNAN | NEG, QNAN | 1, 0, QNAN, 0},
        {do_minm64, RM_ALL, ONE, TWO, 0, ONE, 0},
        {do_maxm64, RM_ALL, NEG, 0, 0, 0, 0},
        {do_minm64, RM_ALL, 0, NEG, 0, NEG, 0},
        {do_minm64, RM_ALL, ONE, QNAN | 1, 0, QNAN, 0},
        {do_maxm64, RM_ALL, SIG, ONE, 0, QNAN, SF_NV},
        {do_min32, RM_ALL, 0, NEG32, 0, NEG32, 0},
        {do_max32, RM_ALL, SIG32, ONE32, 0, ONE32, SF_NV},
        {do_minm32, RM_ALL, ONE32, QNAN32, 0, QNAN32, 0},
        {do_maxm32, RM_ALL, ONE32, INF32, 0, INF32, 0},
    };
    CHECK(rows);
}
END_TEST

START_TEST(test_compare)
{
    static const struct row rows[] = {
        {do_eq64, RM_ALL, 0, NEG, 0, 1, 0},
        {do_eq64, RM_ALL, QNAN, QNAN, 0, 0, 0},
        {do_eq64, RM_ALL, ONE, SIG, 0, 0, SF_NV},
        {do_lt64, RM_ALL, NEG, 0, 0, 0, 0},
        {do_lt64, RM_ALL, 1 | NEG, 0, 0, 1, 0},
        {do_lt64, RM_ALL, TWO | NEG, ONE | NEG, 0, 1, 0},
        {do_lt64, RM_ALL, ONE, QNAN, 0, 0, SF_NV},
        {do_le64, RM_ALL, 0, NEG, 0, 1, 0},
        {do_le64, RM_ALL, QNAN, ONE, 0, 0, SF_NV},
        {do_le64, RM_ALL, INF, MAX, 0, 0, 0},
        {do_lt_quiet64, RM_ALL, ONE, QNAN, 0, 0, 0},
        {do_lt_quiet64, RM_ALL, ONE, SIG, 0, 0, SF_NV},
        {do_lt_quiet64, RM_ALL, INF | NEG, INF, 0, 1, 0},
        {do_le_quiet64, RM_ALL, QNAN, QNAN, 0, 0, 0},
        {do_le_quiet64, RM_ALL, TWO, TWO, 0, 1, 0},
        {do_eq32, RM_ALL, NEG32, 0, 0, 1, 0},
        {do_lt32, RM_ALL, ONE32, QNAN32, 0, 0, SF_NV},
        {do_le32, RM_ALL, ONE32, ONE32, 0, 1, 0},
        {do_lt_quiet32, RM_ALL, ONE32, QNAN32, 0, 0, 0},
        {do_le_quiet32, RM_ALL, SIG32, ONE32, 0, 0, SF_NV},
    };
    CHECK(rows);
}
END_TEST

START_TEST(test_classify)
{
    static const struct {
        uint64_t f64;
        uint32_t f32, mask;
    } rows[] = {
        {INF | NEG, INF32 | NEG32, 1 << 0},
        {MAX | NEG, MAX32 | NEG32, 1 << 1},
        {MAX_SUB | NEG, NEG32 | 1, 1 << 2},
        {NEG, NEG32, 1 << 3},
        {0, 0, 1 << 4},
        {1, MIN_NORM32 - 1, 1 << 5},
        {MIN_NORM, MIN_NORM32, 1 << 6},
        {INF, INF32, 1 << 7},
        {SIG | NEG, SIG32 | NEG32, 1 << 8},
        {QNAN | NEG, QNAN32, 1 << 9},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ck_assert_uint_eq(sf_class64(rows[i].f64), rows[i].mask);
        ck_assert_uint_eq(sf_class32(rows[i].f32), rows[i].mask);
    }
}
END_TEST

#define I32_MIN (~UINT64_C(0) << 31)

START_TEST(test_to_integer)
{
    static const struct row rows[] = {
        /* 2.5, 3.5 and -2.5 */
        {do_f64_to_i32, SF_RNE, 0x4004000000000000, 0, 0, 2, SF_NX},
        {do_f64_to_i32, SF_RMM, 0x4004000000000000, 0, 0, 3, SF_NX},
        {do_f64_to_i32, SF_RNE, 0x400c000000000000, 0, 0, 4, SF_NX},
        {do_f64_to_i32, SF_RMM, 0xc004000000000000, 0, 0, (uint64_t)-3, SF_NX},
        {do_f64_to_i64, SF_RDN, 0xc004000000000000, 0, 0, (uint64_t)-3, SF_NX},
        {do_f64_to_i64, SF_RUP, 0xc004000000000000, 0, 0, (uint64_t)-2, SF_NX},
        {do_f64_to_i64, SF_RUP, 1, 0, 0, 1, SF_NX},
        {do_f64_to_i64, SF_RMM, HALF, 0, 0, 1, SF_NX},
        {do_f64_to_i64, SF_RMM, HALF - 1, 0, 0, 0, SF_NX},
        {do_f64_to_i64, SF_RNE, HALF, 0, 0, 0, SF_NX},
        {do_f64_to_i64, RM_ALL, NEG, 0, 0, 0, 0},
        /* the ends of the ranges: 2^31 - 1/2, 2^31, -2^31 - 1/2 and -2^31 */
        {do_f64_to_i32, SF_RTZ, 0x41dfffffffe00000, 0, 0, INT32_MAX, SF_NX},
        {do_f64_to_i32, SF_RNE, 0x41dfffffffe00000, 0, 0, INT32_MAX, SF_NV},
        {do_f64_to_i32, RM_ALL, 0x41e0000000000000, 0, 0, INT32_MAX, SF_NV},
        {do_f64_to_i32, SF_RNE, 0xc1e0000000100000, 0, 0, I32_MIN, SF_NX},
        {do_f64_to_i32, SF_RMM, 0xc1e0000000100000, 0, 0, I32_MIN, SF_NV},
        {do_f64_to_i32, RM_ALL, 0xc1e0000000000000, 0, 0, I32_MIN, 0},
        {do_f64_to_i32, RM_ALL, INF | NEG, 0, 0, I32_MIN, SF_NV},
        {do_f64_to_i32, RM_ALL, QNAN | NEG, 0, 0, INT32_MAX, SF_NV},
        {do_f64_to_u32, RM_ALL, QNAN | NEG, 0, 0, UINT32_MAX, SF_NV},
        {do_f64_to_u32, RM_ALL, INF, 0, 0, UINT32_MAX, SF_NV},
        {do_f64_to_u32, RM_ALL, ONE | NEG, 0, 0, 0, SF_NV},
        {do_f64_to_u32, SF_RTZ, (ONE - 1) | NEG, 0, 0, 0, SF_NX},
        {do_f64_to_u32, SF_RNE, (ONE - 1) | NEG, 0, 0, 0, SF_NV},
        {do_f64_to_u32, SF_RNE, HALF | NEG, 0, 0, 0, SF_NX},
        {do_f64_to_u32, SF_RMM, HALF | NEG, 0, 0, 0, SF_NV},
        {do_f64_to_u32, SF_RNE, 0x41efffffffefffff, 0, 0, UINT32_MAX, SF_NX},
        {do_f64_to_u32, SF_RNE, 0x41effffffff00000, 0, 0, UINT32_MAX, SF_NV},
        {do_f64_to_i64, RM_ALL, 0x43e0000000000000, 0, 0, INT64_MAX, SF_NV},
        {do_f64_to_i64, RM_ALL, 0x43dfffffffffffff, 0, 0, 0x7ffffffffffffc00, 0},
        {do_f64_to_i64, RM_ALL, 0xc3e0000000000000, 0, 0, NEG, 0},
        {do_f64_to_i64, RM_ALL, 0xc3e0000000000001, 0, 0, NEG, SF_NV},
        {do_f64_to_i64, RM_ALL, SIG, 0, 0, INT64_MAX, SF_NV},
        {do_f64_to_u64, RM_ALL, 0x43e0000000000000, 0, 0, NEG, 0},
        {do_f64_to_u64, RM_ALL, 0x43efffffffffffff, 0, 0, 0xfffffffffffff800, 0},
        {do_f64_to_u64, RM_ALL, 0x43f0000000000000, 0, 0, UINT64_MAX, SF_NV},
        {do_f64_to_u64, RM_ALL, QNAN, 0, 0, UINT64_MAX, SF_NV},
        {do_f64_to_u64, RM_ALL, INF | NEG, 0, 0, 0, SF_NV},
        {do_f64_to_u64, SF_RDN, 1 | NEG, 0, 0, 0, SF_NV},
        {do_f32_to_i32, RM_ALL, 0x4f000000, 0, 0, INT32_MAX, SF_NV},
        {do_f32_to_i32, RM_ALL, 0xcf000000, 0, 0, I32_MIN, 0},
        {do_f32_to_i32, SF_RMM, 0x3f000000, 0, 0, 1, SF_NX},
        {do_f32_to_u32, RM_ALL, 0x4f7fffff, 0, 0, 0xffffff00, 0},
        {do_f32_to_u32, RM_ALL, 0x4f800000, 0, 0, UINT32_MAX, SF_NV},
        {do_f32_to_i64, RM_ALL, 0x5f000000, 0, 0, INT64_MAX, SF_NV},
        {do_f32_to_u64, RM_ALL, 0x5f7fffff, 0, 0, 0xffffff0000000000, 0},
        {do_f32_to_u64, RM_ALL, QNAN32, 0, 0, UINT64_MAX, SF_NV},
        {do_f32_to_u64, RM_ALL, 0xbf800000, 0, 0, 0, SF_NV},
    };
    CHECK(rows);
}
END_TEST

START_TEST(test_modular)
{
    static const struct row rows[] = {
        {do_f64_to_i32_mod, RM_ALL, 0xbfe8000000000000, 0, 0, 0, SF_NX}, /* -0.75 */
        {do_f64_to_i32_mod, RM_ALL, 0x400c000000000000, 0, 0, 3, SF_NX},
        {do_f64_to_i32_mod, RM_ALL, 0xc1e0000000100000, 0, 0, I32_MIN, SF_NX},
        {do_f64_to_i32_mod, RM_ALL, 0x41e0000000000000, 0, 0, I32_MIN, SF_NV},
        {do_f64_to_i32_mod, RM_ALL, 0xc1e0000000200000, 0, 0, INT32_MAX, SF_NV},
        /* 2^32 + 5.5, in both signs */
        {do_f64_to_i32_mod, RM_ALL, 0x41f0000000580000, 0, 0, 5, SF_NV},
        {do_f64_to_i32_mod, RM_ALL, 0xc1f0000000580000, 0, 0, (uint64_t)-5, SF_NV},
        /* 2^83 + 2^31, the last exponents that reach the low word, and one more */
        {do_f64_to_i32_mod, RM_ALL, 0x4520000000000001, 0, 0, I32_MIN, SF_NV},
        {do_f64_to_i32_mod, RM_ALL, 0x4530000000000001, 0, 0, 0, SF_NV},
        {do_f64_to_i32_mod, RM_ALL, 0x4510000000000001, 0, 0, 0x40000000, SF_NV},
        {do_f64_to_i32_mod, RM_ALL, MAX, 0, 0, 0, SF_NV},
        {do_f64_to_i32_mod, RM_ALL, INF, 0, 0, 0, SF_NV},
        {do_f64_to_i32_mod, RM_ALL, QNAN, 0, 0, 0, SF_NV},
        {do_f64_to_i32_mod, RM_ALL, NEG, 0, 0, 0, 0},
        {do_f64_to_i32_mod, RM_ALL, 1, 0, 0, 0, SF_NX},
    };
    CHECK(rows);
}
END_TEST

START_TEST(test_from_integer)
{
    static const struct row rows[] = {
        {do_i64_to_f64, RM_ALL, NEG, 0, 0, 0xc3e0000000000000, 0},
        {do_i64_to_f64, SF_RNE, INT64_MAX, 0, 0, 0x43e0000000000000, SF_NX},
        {do_i64_to_f64, SF_RTZ, INT64_MAX, 0, 0, 0x43dfffffffffffff, SF_NX},
        {do_i64_to_f64, RM_ALL, 0, 0, 0, 0, 0},
        {do_u64_to_f64, SF_RMM, UINT64_MAX, 0, 0, 0x43f0000000000000, SF_NX},
        {do_u64_to_f64, SF_RDN, UINT64_MAX, 0, 0, 0x43efffffffffffff, SF_NX},
        /* 2^63 + 1024: a tie */
        {do_u64_to_f64, SF_RNE, NEG | 1024, 0, 0, 0x43e0000000000000, SF_NX},
        {do_u64_to_f64, SF_RMM, NEG | 1024, 0, 0, 0x43e0000000000001, SF_NX},
        {do_u64_to_f64, SF_RNE, NEG | 1025, 0, 0, 0x43e0000000000001, SF_NX},
        {do_i32_to_f64, RM_ALL, I32_MIN, 0, 0, 0xc1e0000000000000, 0},
        {do_u32_to_f64, RM_ALL, UINT32_MAX, 0, 0, 0x41efffffffe00000, 0},
        {do_i32_to_f32, SF_RUP, (uint64_t)-16777217, 0, 0, 0xcb800000, SF_NX},
        {do_i32_to_f32, SF_RDN, (uint64_t)-16777217, 0, 0, 0xcb800001, SF_NX},
        {do_u32_to_f32, SF_RMM, 16777217, 0, 0, 0x4b800001, SF_NX},
        {do_i64_to_f32, SF_RNE, INT64_MAX, 0, 0, 0x5f000000, SF_NX},
        {do_u64_to_f32, SF_RTZ, UINT64_MAX, 0, 0, 0x5f7fffff, SF_NX},
    };
    CHECK(rows);
}
END_TEST

START_TEST(test_formats)
{
    static const struct row rows[] = {
        {do_f64_to_f32, SF_RNE, 0x380fffffffffffff, 0, 0, MIN_NORM32, SF_NX},
        {do_f64_to_f32, SF_RTZ, 0x380fffffffffffff, 0, 0, MIN_NORM32 - 1, SF_UF | SF_NX},
        {do_f64_to_f32, SF_RMM, 0x3690000000000000, 0, 0, 1, SF_UF | SF_NX}, /* 2^-150 */
        {do_f64_to_f32, SF_RNE, 0x3690000000000000, 0, 0, 0, SF_UF | SF_NX},
        {do_f64_to_f32, SF_RNE, 0x47efffffefffffff, 0, 0, MAX32, SF_NX},
        {do_f64_to_f32, SF_RNE, 0x47effffff0000000, 0, 0, INF32, SF_OF | SF_NX},
        {do_f64_to_f32, SF_RDN, MAX, 0, 0, MAX32, SF_OF | SF_NX},
        {do_f64_to_f32, RM_ALL, SIG | NEG, 0, 0, QNAN32, SF_NV},
        {do_f64_to_f32, RM_ALL, INF | NEG, 0, 0, INF32 | NEG32, 0},
        {do_f64_to_f32, RM_ALL, NEG, 0, 0, NEG32, 0},
        {do_f32_to_f64, RM_ALL, 1, 0, 0, 0x36a0000000000000, 0},
        {do_f32_to_f64, RM_ALL, QNAN32 | 1, 0, 0, QNAN, 0},
        {do_f32_to_f64, RM_ALL, SIG32, 0, 0, QNAN, SF_NV},
        {do_f32_to_f16, SF_RNE, 0x477ff000, 0, 0, 0x7c00, SF_OF | SF_NX}, /* 65520 */
        {do_f32_to_f16, SF_RTZ, 0x477ff000, 0, 0, 0x7bff, SF_NX},
        {do_f32_to_f16, SF_RMM, 0x33000000, 0, 0, 1, SF_UF | SF_NX}, /* 2^-25 */
        {do_f32_to_f16, RM_ALL, SIG32, 0, 0, SF_NAN16, SF_NV},
        {do_f64_to_f16, SF_RNE, 0x3f0fffffffffffff, 0, 0, 0x0400, SF_NX},
        {do_f64_to_f16, RM_ALL, QNAN | NEG, 0, 0, SF_NAN16, 0},
        {do_f16_to_f32, RM_ALL, 0x8001, 0, 0, 0xb3800000, 0},
        {do_f16_to_f64, RM_ALL, 0x03ff, 0, 0, 0x3f0ff80000000000, 0},
        {do_f16_to_f32, RM_ALL, 0xfc00, 0, 0, INF32 | NEG32, 0},
        {do_f16_to_f64, RM_ALL, 0x7c01, 0, 0, QNAN, SF_NV},
    };
    CHECK(rows);
}
END_TEST

START_TEST(test_round)
{
    static const struct row rows[] = {
        {do_round64, SF_RNE, 0x4004000000000000, 0, 0, TWO, 0},
        {do_roundnx64, SF_RNE, 0x4004000000000000, 0, 0, TWO, SF_NX},
        {do_roundnx64, SF_RMM, 0x4004000000000000, 0, 0, 0x4008000000000000, SF_NX},
        {do_roundnx64, SF_RUP, 0xbfe0000000000000, 0, 0, NEG, SF_NX},
        {do_round64, SF_RMM, 0xbfe0000000000000, 0, 0, ONE | NEG, 0},
        {do_round64, SF_RUP, 1, 0, 0, ONE, 0},
        {do_round64, RM_ALL, NEG, 0, 0, NEG, 0},
        {do_roundnx64, RM_ALL, 0x4330000000000001, 0, 0, 0x4330000000000001, 0},
        {do_roundnx64, SF_RNE, 0x432fffffffffffff, 0, 0, 0x4330000000000000, SF_NX},
        {do_roundnx64, RM_ALL, MAX | NEG, 0, 0, MAX | NEG, 0},
        {do_round64, RM_ALL, INF | NEG, 0, 0, INF | NEG, 0},
        {do_round64, RM_ALL, QNAN | NEG | 1, 0, 0, QNAN, 0},
        {do_round64, RM_ALL, SIG, 0, 0, QNAN, SF_NV},
        {do_round32, SF_RDN, 0xbf000000, 0, 0, 0xbf800000, 0},
        {do_roundnx32, SF_RTZ, 0xbf7fffff, 0, 0, NEG32, SF_NX},
        {do_roundnx32, SF_RMM, 0x4b000001, 0, 0, 0x4b000001, 0},
        {do_round32, RM_ALL, SIG32, 0, 0, QNAN32, SF_NV},
    };
    CHECK(rows);
}
END_TEST

/* Flags that are already set stay set. */
START_TEST(test_sticky)
{
    struct sf_env env = {.flags = SF_DZ | SF_NV};
    ck_assert_uint_eq(sf_add64(ONE, ONE, &env), TWO);
    ck_assert_uint_eq(env.flags, SF_DZ | SF_NV);
    sf_add64(ONE, HALF_ULP, &env);
    ck_assert_uint_eq(env.flags, SF_DZ | SF_NV | SF_NX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("softfloat");
    TCase *tc = tcase_create("edges");
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, test_add);
    tcase_add_test(tc, test_multiply);
    tcase_add_test(tc, test_divide_and_root);
    tcase_add_test(tc, test_fma);
    tcase_add_test(tc, test_tiny_before);
    tcase_add_test(tc, test_nan_arm);
    tcase_add_test(tc, test_nan_x86);
    tcase_add_test(tc, test_min_max);
    tcase_add_test(tc, test_compare);
    tcase_add_test(tc, test_classify);
    tcase_add_test(tc, test_to_integer);
    tcase_add_test(tc, test_modular);
    tcase_add_test(tc, test_from_integer);
    tcase_add_test(tc, test_formats);
    tcase_add_test(tc, test_round);
    tcase_add_test(tc, test_sticky);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
