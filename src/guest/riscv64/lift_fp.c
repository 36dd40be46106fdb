#include "guest/riscv64/lift.h"

#include "base/bits.h"
#include "softfloat/softfloat.h"

/* F and D.  An f register is an f64 slot; a single in it is NaN-boxed (unpriv 21.2). */

/* The instruction's rounding mode, or RV_NO_RM (unpriv 20.2). */
enum { RV_RM_DYNAMIC = 7, RV_NO_RM = 8 };
static unsigned rounding(const struct rv_lift *l)
{
    unsigned rm = l->in.rm == RV_RM_DYNAMIC ? l->context >> RV_CTX_RM_SHIFT & 7 : l->in.rm;
    return rm <= SF_RMM ? rm : RV_NO_RM;
}

/* Whether the instruction may run; if not, has raised an exception. */
static bool usable(struct rv_lift *l, const struct rv_rule *r)
{
    if ((l->context & RV_CTX_FS) && (!(r->aux & RV_RULE_RM) || rounding(l) != RV_NO_RM))
        return true;
    rv_lift_illegal(l, r);
    return false;
}

/* aux of the IR operation. */
static unsigned fp_aux(const struct rv_lift *l, const struct rv_rule *r)
{
    return (r->aux & RV_RULE_AUX) | (r->aux & RV_RULE_RM ? rounding(l) : 0);
}

/* To be called between the last thing that may fault and the first put: the instruction changes
 * f registers or flags. */
static void changes_fp(struct rv_lift *l)
{
    if (l->context & RV_CTX_FS_DIRTY)
        return;
    ir_call(l->u, RV_HELPER_fs_dirty, IR_NONE, IR_NONE, IR_NONE);
    l->context_changed = true;
}

static ir_ref get_f(struct rv_lift *l, unsigned n, enum ir_type type)
{
    ir_ref v = ir_get(l->u, RV_SLOT_F + n);
    return type == IR_F32 ? ir_un(l->u, IR_funbox, IR_F32, v) : v;
}

/* Writes an f32 or f64 to fd; the last step of an instruction. */
static void put_f(struct rv_lift *l, enum ir_type type, ir_ref v)
{
    changes_fp(l);
    ir_put(l->u, RV_SLOT_F + l->in.rd, type == IR_F32 ? ir_un(l->u, IR_fbox, IR_F64, v) : v);
}

/* The integer type as wide as a float's. */
static enum ir_type int_type(enum ir_type type)
{
    return type == IR_F32 ? IR_I32 : IR_I64;
}

RV_LIFT_RULE(fp_load)
{
    if (!usable(l, r))
        return;
    ir_ref addr = rv_lift_x(l, l->in.rs1);
    unsigned mo = rv_lift_mo(l, r->type == IR_F32 ? IR_MO_32 : IR_MO_64);
    put_f(l, r->type, ir_load(l->u, r->type, addr, l->in.imm, mo));
}

/* fsw stores the low half whether it is a single or not. */
RV_LIFT_RULE(fp_store)
{
    if (!usable(l, r))
        return;
    ir_ref addr = rv_lift_x(l, l->in.rs1), v = ir_get(l->u, RV_SLOT_F + l->in.rs2);
    if (r->type == IR_F32)
        ir_store(l->u, addr, l->in.imm, ir_un(l->u, IR_bits, IR_I64, v), rv_lift_mo(l, IR_MO_32));
    else
        ir_store(l->u, addr, l->in.imm, v, rv_lift_mo(l, IR_MO_64));
}

RV_LIFT_RULE(fp_arith)
{
    if (!usable(l, r))
        return;
    const uint8_t reg[3] = {l->in.rs1, l->in.rs2, l->in.rs3};
    ir_ref arg[3] = {IR_NONE, IR_NONE, IR_NONE};
    for (unsigned i = 0; i < ir_ops[r->op].nargs; i++)
        arg[i] = get_f(l, reg[i], r->type);
    put_f(l, r->type, ir_emit(l->u, r->op, r->type, arg[0], arg[1], arg[2], 0, fp_aux(l, r)));
}

RV_LIFT_RULE(fp_compare)
{
    if (!usable(l, r))
        return;
    ir_ref a = get_f(l, l->in.rs1, r->type), b = get_f(l, l->in.rs2, r->type);
    ir_ref v = ir_emit(l->u, r->op, r->type, a, b, IR_NONE, 0, fp_aux(l, r));
    changes_fp(l);
    rv_lift_put_x(l, v);
}

/* The sign bit of fsgnj*, from the bits of both operands. */
static ir_ref new_sign(struct rv_lift *l, const struct rv_rule *r, ir_ref a, ir_ref b, ir_ref mask)
{
    enum ir_type type = int_type(r->type);
    if (r->aux & RV_RULE_XOR)
        b = ir_bin(l->u, IR_xor, type, a, b);
    if (r->aux & RV_RULE_NEG)
        b = ir_bin(l->u, IR_xor, type, b, mask);
    return ir_bin(l->u, IR_and, type, b, mask);
}

RV_LIFT_RULE(fp_sign)
{
    if (!usable(l, r))
        return;
    struct ir_unit *u = l->u;
    enum ir_type type = int_type(r->type);
    ir_ref value = get_f(l, l->in.rs1, r->type);
    if (l->in.rs1 == l->in.rs2 && !(r->aux & (RV_RULE_XOR | RV_RULE_NEG))) { /* fmv */
        put_f(l, r->type, value);
        return;
    }
    uint64_t sign = r->type == IR_F32 ? BIT(31) : BIT(63);
    ir_ref a = ir_un(u, IR_bits, type, value);
    ir_ref b = l->in.rs1 == l->in.rs2 ? a : ir_un(u, IR_bits, type, get_f(l, l->in.rs2, r->type));
    ir_ref rest = ir_bin(u, IR_and, type, a, ir_const(u, type, sign - 1));
    ir_ref bits = ir_bin(u, IR_or, type, rest, new_sign(l, r, a, b, ir_const(u, type, sign)));
    put_f(l, r->type, ir_un(u, IR_bits, r->type, bits));
}

/* 32-bit results are sign-extended, unsigned ones too (unpriv 20.7). */
RV_LIFT_RULE(fp_to_int)
{
    if (!usable(l, r))
        return;
    ir_ref a = get_f(l, l->in.rs1, r->aux & RV_RULE_DOUBLE ? IR_F64 : IR_F32);
    ir_ref v = ir_emit(l->u, IR_f2i, r->type, a, IR_NONE, IR_NONE, 0, fp_aux(l, r));
    if (r->type == IR_I32)
        v = ir_un(l->u, IR_sext32, IR_I64, v);
    changes_fp(l);
    rv_lift_put_x(l, v);
}

/* r->op widens a 32-bit source, so that every source is an i64. */
RV_LIFT_RULE(fp_from_int)
{
    if (!usable(l, r))
        return;
    ir_ref a = rv_lift_x(l, l->in.rs1);
    if (r->op != IR_copy)
        a = ir_un(l->u, r->op, IR_I64, a);
    put_f(l, r->type, ir_emit(l->u, IR_i2f, r->type, a, IR_NONE, IR_NONE, 0, fp_aux(l, r)));
}

RV_LIFT_RULE(fp_convert)
{
    if (!usable(l, r))
        return;
    ir_ref a = get_f(l, l->in.rs1, r->aux & RV_RULE_DOUBLE ? IR_F64 : IR_F32);
    put_f(l, r->type, ir_emit(l->u, IR_f2f, r->type, a, IR_NONE, IR_NONE, 0, fp_aux(l, r)));
}

RV_LIFT_RULE(fp_class)
{
    if (!usable(l, r))
        return;
    ir_ref bits = ir_un(l->u, IR_bits, int_type(r->type), get_f(l, l->in.rs1, r->type));
    if (r->type == IR_F32)
        bits = ir_un(l->u, IR_zext32, IR_I64, bits);
    rv_lift_put_x(l, ir_call(l->u, r->op, bits, IR_NONE, IR_NONE));
}

/* fmv.x.w and fmv.x.d: raw bits, boxed or not. */
RV_LIFT_RULE(fp_to_x)
{
    if (!usable(l, r))
        return;
    ir_ref v = ir_un(l->u, IR_bits, IR_I64, ir_get(l->u, RV_SLOT_F + l->in.rs1));
    rv_lift_put_x(l, r->type == IR_F32 ? ir_un(l->u, IR_sext32, IR_I64, v) : v);
}

RV_LIFT_RULE(fp_from_x)
{
    if (!usable(l, r))
        return;
    ir_ref v = rv_lift_x(l, l->in.rs1);
    if (r->type == IR_F32)
        v = ir_bin(l->u, IR_or, IR_I64, v, ir_const(l->u, IR_I64, ~bits_mask(32)));
    put_f(l, IR_F64, ir_un(l->u, IR_bits, IR_F64, v));
}

/* The constants of fli as singles (unpriv 23.1, table of FLI.S). */
static const uint32_t constants[32] = {
    0xbf800000,                                     /* -1 */
    0x00800000,                                     /* the smallest normal number, of the format */
    0x37800000, 0x38000000,                         /* 2^-16, 2^-15 */
    0x3b800000, 0x3c000000,                         /* 2^-8, 2^-7 */
    0x3d800000, 0x3e000000,                         /* 0.0625, 0.125 */
    0x3e800000, 0x3ea00000, 0x3ec00000, 0x3ee00000, /* 0.25 to 0.4375 */
    0x3f000000, 0x3f200000, 0x3f400000, 0x3f600000, /* 0.5 to 0.875 */
    0x3f800000, 0x3fa00000, 0x3fc00000, 0x3fe00000, /* 1 to 1.75 */
    0x40000000, 0x40200000, 0x40400000, 0x40800000, /* 2, 2.5, 3, 4 */
    0x41000000, 0x41800000,                         /* 8, 16 */
    0x43000000, 0x43800000,                         /* 2^7, 2^8 */
    0x47000000, 0x47800000,                         /* 2^15, 2^16 */
    0x7f800000, SF_NAN32,
};
enum { FLI_SMALLEST = 1 };

RV_LIFT_RULE(fp_constant)
{
    if (!usable(l, r))
        return;
    uint64_t bits = constants[l->in.imm & 31];
    if (r->type == IR_F64) {
        struct sf_env env = {0};
        bits = l->in.imm == FLI_SMALLEST ? BIT(52) : sf_f32_to_f64((uint32_t)bits, &env);
    }
    put_f(l, r->type, ir_const(l->u, r->type, bits));
}

/* fcvtmod.w.d is defined for rounding towards zero alone, which its encoding says. */
RV_LIFT_RULE(fp_modular)
{
    if (!usable(l, r))
        return;
    ir_ref bits = ir_un(l->u, IR_bits, IR_I64, get_f(l, l->in.rs1, IR_F64));
    ir_ref v = ir_call(l->u, RV_HELPER_fcvtmod, bits, IR_NONE, IR_NONE);
    changes_fp(l);
    rv_lift_put_x(l, v);
}
