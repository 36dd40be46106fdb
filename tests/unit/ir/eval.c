/* eval.c - each operation on edge values: ir_eval, the interpreter and the folding
 * pass against C. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/bits.h"
#include "tests/ir/ir_cpu.h"
#include "tests/unit/unit.h"

static const uint64_t edges[] = {
    0,
    1,
    2,
    7,
    31,
    32,
    33,
    63,
    64,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x100000000,
    0x123456789abcdef0,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xffffffff80000000,
    0xfffffffffffffffe,
    0xffffffffffffffff,
};

struct rule {
    enum ir_op op;
    enum ir_type type;
    uint64_t (*fn)(uint64_t a, uint64_t b);
};

/* What the operation is, written without the code under test.  The 32-bit ones
 * get operands with anything above bit 31. */
#define FN(name, expr)                                                                             \
    static uint64_t name(uint64_t a, uint64_t b)                                                   \
    {                                                                                              \
        (void)a;                                                                                   \
        (void)b;                                                                                   \
        return (uint64_t)(expr);                                                                   \
    }
#define SA ((int64_t)a)
#define SB ((int64_t)b)
#define UA ((uint32_t)a)
#define UB ((uint32_t)b)
#define IA ((int32_t)a)
#define IB ((int32_t)b)

/* clang-format off */
FN(add64, a + b) FN(add32, (uint32_t)(UA + UB))
FN(sub64, a - b) FN(sub32, (uint32_t)(UA - UB))
FN(mul64, a * b) FN(mul32, (uint32_t)(UA * UB))
FN(divu64, b ? a / b : ~0ull) FN(divu32, UB ? UA / UB : ~0u)
FN(divs64, !b ? -1 : a == 1ull << 63 && b == ~0ull ? SA : SA / SB)
FN(divs32, (uint32_t)(!UB ? -1 : UA == 1u << 31 && UB == ~0u ? IA : IA / IB))
FN(remu64, b ? a % b : a) FN(remu32, UB ? UA % UB : UA)
FN(rems64, !b ? SA : b == ~0ull ? 0 : SA % SB)
FN(rems32, (uint32_t)(!UB ? IA : UB == ~0u ? 0 : IA % IB))
FN(and64, a & b) FN(and32, UA & UB)
FN(or64, a | b) FN(or32, UA | UB)
FN(xor64, a ^ b) FN(xor32, UA ^ UB)
FN(shl64, a << (b % 64)) FN(shl32, UA << (b % 32))
FN(shr64, a >> (b % 64)) FN(shr32, UA >> (b % 32))
FN(eq64, a == b) FN(eq32, UA == UB)
FN(ne64, a != b) FN(ne32, UA != UB)
FN(lts64, SA < SB) FN(lts32, IA < IB)
FN(ges64, SA >= SB) FN(ges32, IA >= IB)
FN(ltu64, a < b) FN(ltu32, UA < UB)
FN(geu64, a >= b) FN(geu32, UA >= UB)
FN(bits64, a) FN(bits32, UA)
FN(sext8_64, a & 0x80 ? a | ~0xffull : a & 0xff)
FN(sext8_32, (uint32_t)(a & 0x80 ? a | ~0xffull : a & 0xff))
FN(sext16_64, a & 0x8000 ? a | ~0xffffull : a & 0xffff)
FN(sext16_32, (uint32_t)(a & 0x8000 ? a | ~0xffffull : a & 0xffff))
FN(sext32_64, a & 0x80000000 ? a | ~0xffffffffull : a & 0xffffffff)
FN(zext8_64, a & 0xff) FN(zext16_64, a & 0xffff) FN(zext32_64, a & 0xffffffff)
FN(fbox64, UA | 0xffffffff00000000) FN(funbox32, a >> 32 == 0xffffffff ? UA : 0x7fc00000)
    /* clang-format on */

    /* The loops below go bit by bit. */
    static uint64_t sar(uint64_t a, unsigned by, unsigned n)
{
    uint64_t sign = a >> (n - 1) & 1;
    while (by--)
        a = a >> 1 | sign << (n - 1);
    return a;
}

static uint64_t rotate_right(uint64_t a, unsigned by, unsigned n)
{
    while (by--)
        a = a >> 1 | (a & 1) << (n - 1);
    return a;
}

FN(sar64, sar(a, b % 64, 64))
FN(sar32, sar(UA, b % 32, 32))
FN(rotr64, rotate_right(a, b % 64, 64))
FN(rotr32, rotate_right(UA, b % 32, 32))
FN(rotl64, rotate_right(a, (64 - b % 64) % 64, 64))
FN(rotl32, rotate_right(UA, (32 - b % 32) % 32, 32))

static uint64_t count_zeros(uint64_t a, unsigned n, bool from_top)
{
    unsigned i = 0;
    while (i < n && !(a >> (from_top ? n - 1 - i : i) & 1))
        i++;
    return i;
}

static uint64_t count_ones(uint64_t a)
{
    uint64_t n = 0;
    for (; a; a >>= 1)
        n += a & 1;
    return n;
}

static uint64_t swap_bytes(uint64_t a, unsigned bytes)
{
    uint64_t out = 0;
    for (unsigned i = 0; i < bytes; i++, a >>= 8)
        out = out << 8 | (a & 0xff);
    return out;
}

FN(clz64, count_zeros(a, 64, true))
FN(clz32, count_zeros(UA, 32, true))
FN(ctz64, count_zeros(a, 64, false))
FN(ctz32, count_zeros(UA, 32, false))
FN(popcnt64, count_ones(a))
FN(popcnt32, count_ones(UA))
FN(bswap64, swap_bytes(a, 8))
FN(bswap32, swap_bytes(UA, 4))

/* By halves. */
static uint64_t mul_high(uint64_t a, uint64_t b)
{
    uint64_t lo = (uint64_t)UA * UB, m1 = (a >> 32) * UB, m2 = UA * (b >> 32);
    uint64_t carry = ((lo >> 32) + (uint32_t)m1 + (uint32_t)m2) >> 32;
    return (a >> 32) * (b >> 32) + (m1 >> 32) + (m2 >> 32) + carry;
}

FN(mulhu64, mul_high(a, b))
FN(mulhs64, mul_high(a, b) - (SA < 0 ? b : 0) - (SB < 0 ? a : 0))

#define BOTH(name)                                                                                 \
    {IR_##name, IR_I64, name##64},                                                                 \
    {                                                                                              \
        IR_##name, IR_I32, name##32                                                                \
    }

static const struct rule rules[] = {
    BOTH(add),
    BOTH(sub),
    BOTH(mul),
    {IR_mulhu, IR_I64, mulhu64},
    {IR_mulhs, IR_I64, mulhs64},
    BOTH(divu),
    BOTH(divs),
    BOTH(remu),
    BOTH(rems),
    BOTH(and),
    BOTH(or),
    BOTH(xor),
    BOTH(shl),
    BOTH(shr),
    BOTH(sar),
    BOTH(rotl),
    BOTH(rotr),
    BOTH(clz),
    BOTH(ctz),
    BOTH(popcnt),
    BOTH(bswap),
    {IR_sext8, IR_I64, sext8_64},
    {IR_sext8, IR_I32, sext8_32},
    {IR_sext16, IR_I64, sext16_64},
    {IR_sext16, IR_I32, sext16_32},
    {IR_sext32, IR_I64, sext32_64},
    {IR_zext8, IR_I64, zext8_64},
    {IR_zext8, IR_I32, zext8_64},
    {IR_zext16, IR_I64, zext16_64},
    {IR_zext16, IR_I32, zext16_64},
    {IR_zext32, IR_I64, zext32_64},
    BOTH(eq),
    BOTH(ne),
    BOTH(lts),
    BOTH(ges),
    BOTH(ltu),
    BOTH(geu),
    {IR_copy, IR_I64, bits64},
    {IR_copy, IR_I32, bits32},
    {IR_bits, IR_I64, bits64},
    {IR_bits, IR_F64, bits64},
    {IR_bits, IR_I32, bits32},
    {IR_bits, IR_F32, bits32},
    {IR_fbox, IR_F64, fbox64},
    {IR_funbox, IR_F32, funbox32},
};

/* The type that an operand of the operation has here: for 32-bit integer operations an
 * i64, whose upper half must not matter. */
static enum ir_type operand_type(const struct rule *r)
{
    if (r->op == IR_fbox)
        return IR_F32;
    if (r->op == IR_funbox)
        return IR_F64;
    if (r->op == IR_bits)
        return r->type == IR_F64   ? IR_I64
               : r->type == IR_F32 ? IR_I32
               : r->type == IR_I64 ? IR_F64
                                   : IR_F32;
    return IR_I64;
}

static uint32_t slot_of(enum ir_type t)
{
    static const char *const names[] = {
        [IR_I32] = "w0", [IR_I64] = "a0", [IR_F32] = "s0", [IR_F64] = "d0"};
    for (uint32_t s = 0;; s++)
        if (!strcmp(ir_cpu_names.slots[s].name, names[t]))
            return s;
}

/* a0 = op(a, b), the operands read from registers or, if `folded`, constants. */
static uint64_t run_op(struct arena *arena, const struct rule *r, uint64_t a, uint64_t b,
                       bool folded)
{
    struct ir_cpu c = {.budget = 1};
    struct ir_unit u;
    struct err e = {0};
    uint64_t pc;
    enum ir_type t = operand_type(r);
    uint32_t slot = slot_of(t);
    ir_unit_init(&u, arena, &ir_cpu_names);
    ir_block_begin(&u);
    ir_ref x = folded ? ir_const(&u, t, a) : ir_get(&u, slot);
    ir_ref y = folded ? ir_const(&u, t, b) : ir_get(&u, slot + 1);
    ir_ref v = ir_bin(&u, r->op, r->type, x, ir_ops[r->op].nargs == 2 ? y : IR_NONE);
    ir_put(&u, slot_of(ir_type_of(&u, v)) + 2, v);
    ir_exit_pc(&u, 0);
    ck_assert_msg(!ir_verify(&u, &e), "%s", e.msg);
    if (folded) {
        ir_opt_forward(&u);
        ir_ref put = u.ninsns - 2;
        ck_assert_int_eq(u.insns[put].op, IR_put);
        ck_assert_msg(u.insns[u.insns[put].arg[0]].op == IR_const, "%s does not fold",
                      ir_ops[r->op].name);
    }
    bits_store_le((char *)&c + ir_cpu_names.slots[slot].offset, t % 2 ? 4 : 8, a);
    bits_store_le((char *)&c + ir_cpu_names.slots[slot + 1].offset, t % 2 ? 4 : 8, b);
    ck_assert_int_eq(ir_cpu_run(&u, &c, &pc), IR_EXIT_GOTO);
    switch (r->op >= IR_eq && r->op <= IR_geu ? IR_I64 : r->type) {
    case IR_I32:
        return c.w[2];
    case IR_F32:
        return c.s[2];
    case IR_F64:
        return c.d[2];
    default:
        return c.a[2];
    }
}

START_TEST(integers)
{
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct rule *r = &rules[i];
        for (size_t x = 0; x < ARRAY_LEN(edges) * ARRAY_LEN(edges); x++) {
            uint64_t args[2] = {edges[x / ARRAY_LEN(edges)], edges[x % ARRAY_LEN(edges)]};
            uint64_t want = r->fn(args[0], args[1]), got = ~want;
            arena_reset(&arena);
            ck_assert(ir_eval(r->op, r->type, 0, args, &got));
            ck_assert_msg(got == want,
                          "%s.%d 0x%" PRIx64 ", 0x%" PRIx64 ": 0x%" PRIx64 ", not 0x%" PRIx64,
                          ir_ops[r->op].name, r->type, args[0], args[1], got, want);
            for (int folded = 0; folded < 2; folded++) {
                got = run_op(&arena, r, args[0], args[1], folded);
                ck_assert_msg(got == want,
                              "%s %s.%d 0x%" PRIx64 ", 0x%" PRIx64 ": 0x%" PRIx64
                              ", not 0x%" PRIx64,
                              folded ? "folded" : "interpreted", ir_ops[r->op].name, r->type,
                              args[0], args[1], got, want);
            }
        }
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(every_pure_operation_is_listed)
{
    uint64_t args[3] = {0}, out;
    for (unsigned op = 0; op < IR_OP_COUNT; op++) {
        bool listed = op == IR_select;
        for (size_t i = 0; i < ARRAY_LEN(rules); i++)
            listed |= rules[i].op == op;
        ck_assert_msg(ir_eval(op, IR_I64, 0, args, &out) == listed, "%s", ir_ops[op].name);
    }
}
END_TEST

START_TEST(select_takes_one)
{
    uint64_t yes[3] = {BIT(40), 5, 6}, no[3] = {0, 5, BIT(33) | 6}, out;
    ck_assert(ir_eval(IR_select, IR_I64, 0, yes, &out));
    ck_assert_uint_eq(out, 5);
    ck_assert(ir_eval(IR_select, IR_I64, 0, no, &out));
    ck_assert_uint_eq(out, BIT(33) | 6);
    ck_assert(ir_eval(IR_select, IR_I32, 0, no, &out));
    ck_assert_uint_eq(out, 6);
}
END_TEST

/* ---- floating point: results that are exact, so that C must agree ---- */

static uint64_t f64(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, 8);
    return bits;
}

static uint64_t f32(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, 4);
    return bits;
}

enum { NX = 1, DZ = 8, NV = 16 };

struct fp_rule {
    enum ir_op op;
    enum ir_type type, from;
    unsigned aux;
    double a, b, c; /* integers for i2f */
    double want;    /* an integer for f2i and comparisons */
    unsigned flags;
};

static const struct fp_rule fp_rules[] = {
    {IR_fadd, IR_F64, IR_F64, 0, 1.5, 2.25, 0, 3.75, 0},
    {IR_fsub, IR_F64, IR_F64, 0, 1.5, 2.25, 0, -0.75, 0},
    {IR_fmul, IR_F64, IR_F64, 0, 1.5, 2.5, 0, 3.75, 0},
    {IR_fdiv, IR_F64, IR_F64, 0, 1, 4, 0, 0.25, 0},
    {IR_fdiv, IR_F64, IR_F64, 0, 1, 0, 0, INFINITY, DZ},
    {IR_fsqrt, IR_F64, IR_F64, 0, 6.25, 0, 0, 2.5, 0},
    {IR_fma, IR_F64, IR_F64, 0, 2, 3, 4, 10, 0},
    {IR_fma, IR_F64, IR_F64, IR_FP_NEG_ADD, 2, 3, 4, 2, 0},
    {IR_fma, IR_F64, IR_F64, IR_FP_NEG_MUL, 2, 3, 4, -2, 0},
    {IR_fma, IR_F64, IR_F64, IR_FP_NEG_MUL | IR_FP_NEG_ADD, 2, 3, 4, -10, 0},
    {IR_fmin, IR_F64, IR_F64, 0, 2, -3, 0, -3, 0},
    {IR_fmax, IR_F64, IR_F64, 0, 2, -3, 0, 2, 0},
    {IR_fmin, IR_F64, IR_F64, 0, NAN, -3, 0, -3, 0},
    {IR_fmin, IR_F64, IR_F64, IR_FP_NAN, NAN, -3, 0, NAN, 0},
    {IR_fmax, IR_F64, IR_F64, IR_FP_NAN, 5, NAN, 0, NAN, 0},
    {IR_feq, IR_F64, IR_F64, 0, 2, 2, 0, 1, 0},
    {IR_feq, IR_F64, IR_F64, 0, NAN, 2, 0, 0, 0},
    {IR_flt, IR_F64, IR_F64, 0, 2, 3, 0, 1, 0},
    {IR_flt, IR_F64, IR_F64, 0, 3, NAN, 0, 0, NV},
    {IR_flt, IR_F64, IR_F64, IR_FP_QUIET, 3, NAN, 0, 0, 0},
    {IR_fle, IR_F64, IR_F64, 0, 3, 3, 0, 1, 0},
    {IR_fle, IR_F64, IR_F64, IR_FP_QUIET, NAN, 3, 0, 0, 0},
    {IR_f2i, IR_I64, IR_F64, 1, -2.5, 0, 0, -2, NX},
    {IR_f2i, IR_I64, IR_F64, 2, -2.5, 0, 0, -3, NX},
    {IR_f2i, IR_I32, IR_F64, 0, 2.5, 0, 0, 2, NX},
    {IR_f2i, IR_I32, IR_F64, 4, 2.5, 0, 0, 3, NX},
    {IR_f2i, IR_I32, IR_F64, 0, 1e10, 0, 0, 0x7fffffff, NV},
    {IR_f2i, IR_I32, IR_F64, IR_FP_UNSIGNED, 3e9, 0, 0, 3000000000, 0},
    {IR_f2i, IR_I64, IR_F64, IR_FP_UNSIGNED, -1, 0, 0, 0, NV},
    {IR_i2f, IR_F64, IR_I64, 0, -7, 0, 0, -7, 0},
    {IR_i2f, IR_F64, IR_I64, IR_FP_UNSIGNED, -1, 0, 0, 0x1p64, NX},
    {IR_i2f, IR_F64, IR_I32, 0, 4294967295, 0, 0, -1, 0},
    {IR_i2f, IR_F64, IR_I32, IR_FP_UNSIGNED, 4294967295, 0, 0, 4294967295, 0},
    {IR_fround, IR_F64, IR_F64, 3, 2.25, 0, 0, 3, 0},
    {IR_fround, IR_F64, IR_F64, 3 | IR_FP_EXACT, 2.25, 0, 0, 3, NX},
};

static uint64_t fp_bits(enum ir_type t, double v)
{
    if (t == IR_I64 || t == IR_I32)
        return v < 0 ? (uint64_t)(int64_t)v : (uint64_t)v;
    if (isnan(v))
        return t == IR_F64 ? 0x7ff8000000000000 : 0x7fc00000;
    return t == IR_F64 ? f64(v) : f32((float)v);
}

static void check_fp(const struct fp_rule *r, enum ir_type type, enum ir_type from)
{
    uint8_t flags = 2;
    uint64_t a = fp_bits(from, r->a), b = fp_bits(from, r->b), c = fp_bits(from, r->c);
    uint64_t got = ir_eval_fp(r->op, type, from, r->aux, a, b, c, &flags);
    bool compare = r->op == IR_feq || r->op == IR_flt || r->op == IR_fle;
    uint64_t want = fp_bits(compare ? IR_I64 : type, r->want);
    ck_assert_msg(got == want && flags == (r->flags | 2),
                  "rule %td, %s type %d: 0x%" PRIx64 " flags 0x%x, not 0x%" PRIx64, r - fp_rules,
                  ir_ops[r->op].name, type, got, flags, want);
}

/* Each in double and in single precision, which holds the same numbers. */
START_TEST(floats)
{
    for (size_t i = 0; i < ARRAY_LEN(fp_rules); i++) {
        const struct fp_rule *r = &fp_rules[i];
        check_fp(r, r->type, r->from);
        bool inexact_in_single = r->op == IR_i2f && r->a > 1e9;
        bool rounds_input = r->op == IR_f2i && r->a == 1e10;
        if (!inexact_in_single && !rounds_input)
            check_fp(r, r->type == IR_F64 ? IR_F32 : r->type, r->from == IR_F64 ? IR_F32 : r->from);
    }
}
END_TEST

START_TEST(float_formats)
{
    uint8_t flags = 0;
    ck_assert_uint_eq(ir_eval_fp(IR_f2f, IR_F64, IR_F32, 0, f32(1.5f), 0, 0, &flags), f64(1.5));
    ck_assert_uint_eq(ir_eval_fp(IR_f2f, IR_F32, IR_F64, 0, f64(1.5), 0, 0, &flags), f32(1.5f));
    ck_assert_uint_eq(flags, 0);
    uint64_t up = ir_eval_fp(IR_f2f, IR_F32, IR_F64, 3, f64(1 + 0x1p-40), 0, 0, &flags);
    ck_assert_uint_eq(up, f32(1 + 0x1p-23f));
    ck_assert_uint_eq(flags, NX);
}
END_TEST

UNIT_MAIN("ir/eval", integers, every_pure_operation_is_listed, select_takes_one, floats,
          float_formats)
