/*
 * eval.c - the meaning of operations on constants.
 *
 * Operands of 32 bits may have anything above them; results of 32 bits have
 * zeros there.
 */
#include "base/bits.h"
#include "ir/arith.h"
#include "ir/ir.h"
#include "softfloat/softfloat.h"

static bool is_narrow(enum ir_type t)
{
    return t == IR_I32 || t == IR_F32;
}

/* Arithmetic and logic; n is 32 or 64; the caller cuts the result to n bits. */
static bool eval_binary(enum ir_op op, unsigned n, uint64_t a, uint64_t b, uint64_t *out)
{
    unsigned by = b & (n - 1);
    int64_t sa = bits_sext(a, n), sb = bits_sext(b, n);
    a &= bits_mask(n);
    b &= bits_mask(n);
    /* clang-format off */
    switch (op) {
    case IR_add: *out = a + b; return true;
    case IR_sub: *out = a - b; return true;
    case IR_mul: *out = a * b; return true;
    case IR_mulhu: *out = (uint64_t)((unsigned __int128)a * b >> 64); return true;
    case IR_mulhs: *out = (uint64_t)((__int128)sa * sb >> 64); return true;
    case IR_divu: *out = ir_divu(a, b); return true;
    case IR_divs: *out = ir_divs(sa, sb); return true;
    case IR_remu: *out = ir_remu(a, b); return true;
    case IR_rems: *out = ir_rems(sa, sb); return true;
    case IR_and: *out = a & b; return true;
    case IR_or: *out = a | b; return true;
    case IR_xor: *out = a ^ b; return true;
    case IR_shl: *out = a << by; return true;
    case IR_shr: *out = a >> by; return true;
    case IR_sar: *out = (uint64_t)(sa >> by); return true;
    case IR_rotl: *out = ir_rotl(a, by, n); return true;
    case IR_rotr: *out = ir_rotl(a, (n - by) & (n - 1), n); return true;
    case IR_eq: *out = a == b; return true;
    case IR_ne: *out = a != b; return true;
    case IR_lts: *out = sa < sb; return true;
    case IR_ges: *out = sa >= sb; return true;
    case IR_ltu: *out = a < b; return true;
    case IR_geu: *out = a >= b; return true;
    default: return false;
    }
    /* clang-format on */
}

/* One operand; n is the width of the instruction's type. */
static bool eval_unary(enum ir_op op, unsigned n, uint64_t a, uint64_t *out)
{
    uint64_t cut = a & bits_mask(n);
    /* clang-format off */
    switch (op) {
    case IR_copy:
    case IR_bits: *out = a; return true;
    case IR_clz: *out = cut ? (unsigned)__builtin_clzll(cut) - (64 - n) : n; return true;
    case IR_ctz: *out = cut ? (unsigned)__builtin_ctzll(cut) : n; return true;
    case IR_popcnt: *out = (unsigned)__builtin_popcountll(cut); return true;
    case IR_bswap: *out = __builtin_bswap64(cut) >> (64 - n); return true;
    case IR_sext8: *out = (uint64_t)(int8_t)a; return true;
    case IR_sext16: *out = (uint64_t)(int16_t)a; return true;
    case IR_sext32: *out = (uint64_t)(int32_t)a; return true;
    case IR_zext8: *out = (uint8_t)a; return true;
    case IR_zext16: *out = (uint16_t)a; return true;
    case IR_zext32: *out = (uint32_t)a; return true;
    case IR_fbox: *out = a | bits_mask(32) << 32; return true;
    case IR_funbox: *out = a >> 32 == UINT32_MAX ? a : SF_NAN32; return true;
    default: return false;
    }
    /* clang-format on */
}

bool ir_eval(enum ir_op op, enum ir_type type, unsigned aux, const uint64_t *args, uint64_t *out)
{
    (void)aux; /* no pure operation has any yet */
    unsigned n = is_narrow(type) ? 32 : 64;
    uint64_t v = 0;
    bool ok;
    if (op == IR_select) {
        v = args[0] ? args[1] : args[2];
        ok = true;
    } else if (ir_ops[op].nargs == 2) {
        ok = eval_binary(op, n, args[0], args[1], &v);
    } else {
        ok = ir_ops[op].nargs == 1 && eval_unary(op, n, args[0], &v);
    }
    if (ok)
        *out = v & bits_mask(n);
    return ok;
}

static uint64_t eval_fp32(enum ir_op op, unsigned aux, uint32_t a, uint32_t b, uint32_t c,
                          struct sf_env *env)
{
    bool nan = aux & IR_FP_NAN, quiet = aux & IR_FP_QUIET;
    /* clang-format off */
    switch (op) {
    case IR_fadd: return sf_add32(a, b, env);
    case IR_fsub: return sf_sub32(a, b, env);
    case IR_fmul: return sf_mul32(a, b, env);
    case IR_fdiv: return sf_div32(a, b, env);
    case IR_fsqrt: return sf_sqrt32(a, env);
    case IR_fma:
        a ^= aux & IR_FP_NEG_MUL ? UINT32_C(1) << 31 : 0;
        c ^= aux & IR_FP_NEG_ADD ? UINT32_C(1) << 31 : 0;
        return sf_fma32(a, b, c, env);
    case IR_fmin: return nan ? sf_minm32(a, b, env) : sf_min32(a, b, env);
    case IR_fmax: return nan ? sf_maxm32(a, b, env) : sf_max32(a, b, env);
    case IR_feq: return sf_eq32(a, b, env);
    case IR_flt: return quiet ? sf_lt_quiet32(a, b, env) : sf_lt32(a, b, env);
    case IR_fle: return quiet ? sf_le_quiet32(a, b, env) : sf_le32(a, b, env);
    case IR_fround: return aux & IR_FP_EXACT ? sf_roundnx32(a, env) : sf_round32(a, env);
    default: return 0;
    }
    /* clang-format on */
}

static uint64_t eval_fp64(enum ir_op op, unsigned aux, uint64_t a, uint64_t b, uint64_t c,
                          struct sf_env *env)
{
    bool nan = aux & IR_FP_NAN, quiet = aux & IR_FP_QUIET;
    /* clang-format off */
    switch (op) {
    case IR_fadd: return sf_add64(a, b, env);
    case IR_fsub: return sf_sub64(a, b, env);
    case IR_fmul: return sf_mul64(a, b, env);
    case IR_fdiv: return sf_div64(a, b, env);
    case IR_fsqrt: return sf_sqrt64(a, env);
    case IR_fma:
        a ^= aux & IR_FP_NEG_MUL ? BIT(63) : 0;
        c ^= aux & IR_FP_NEG_ADD ? BIT(63) : 0;
        return sf_fma64(a, b, c, env);
    case IR_fmin: return nan ? sf_minm64(a, b, env) : sf_min64(a, b, env);
    case IR_fmax: return nan ? sf_maxm64(a, b, env) : sf_max64(a, b, env);
    case IR_feq: return sf_eq64(a, b, env);
    case IR_flt: return quiet ? sf_lt_quiet64(a, b, env) : sf_lt64(a, b, env);
    case IR_fle: return quiet ? sf_le_quiet64(a, b, env) : sf_le64(a, b, env);
    case IR_fround: return aux & IR_FP_EXACT ? sf_roundnx64(a, env) : sf_round64(a, env);
    default: return 0;
    }
    /* clang-format on */
}

static uint64_t eval_f2i(enum ir_type type, enum ir_type from, bool uns, uint64_t a,
                         struct sf_env *env)
{
    uint32_t a32 = (uint32_t)a;
    if (type == IR_I32 && from == IR_F32)
        return uns ? sf_f32_to_u32(a32, env) : (uint32_t)sf_f32_to_i32(a32, env);
    if (type == IR_I32)
        return uns ? sf_f64_to_u32(a, env) : (uint32_t)sf_f64_to_i32(a, env);
    if (from == IR_F32)
        return uns ? sf_f32_to_u64(a32, env) : (uint64_t)sf_f32_to_i64(a32, env);
    return uns ? sf_f64_to_u64(a, env) : (uint64_t)sf_f64_to_i64(a, env);
}

static uint64_t eval_i2f(enum ir_type type, enum ir_type from, bool uns, uint64_t a,
                         struct sf_env *env)
{
    if (type == IR_F32 && from == IR_I32)
        return uns ? sf_u32_to_f32((uint32_t)a, env) : sf_i32_to_f32((int32_t)a, env);
    if (type == IR_F32)
        return uns ? sf_u64_to_f32(a, env) : sf_i64_to_f32((int64_t)a, env);
    if (from == IR_I32)
        return uns ? sf_u32_to_f64((uint32_t)a, env) : sf_i32_to_f64((int32_t)a, env);
    return uns ? sf_u64_to_f64(a, env) : sf_i64_to_f64((int64_t)a, env);
}

uint64_t ir_eval_fp(enum ir_op op, enum ir_type type, enum ir_type from, unsigned aux, uint64_t a,
                    uint64_t b, uint64_t c, uint8_t *flags)
{
    struct sf_env env = {.rm = aux & IR_RM};
    bool uns = aux & IR_FP_UNSIGNED;
    uint64_t v;
    if (op == IR_f2i)
        v = eval_f2i(type, from, uns, a, &env);
    else if (op == IR_i2f)
        v = eval_i2f(type, from, uns, a, &env);
    else if (op == IR_f2f && type == from)
        v = a;
    else if (op == IR_f2f)
        v = from == IR_F32 ? sf_f32_to_f64((uint32_t)a, &env) : sf_f64_to_f32(a, &env);
    else if (type == IR_F32)
        v = eval_fp32(op, aux, (uint32_t)a, (uint32_t)b, (uint32_t)c, &env);
    else
        v = eval_fp64(op, aux, a, b, c, &env);
    *flags |= env.flags;
    return v;
}
