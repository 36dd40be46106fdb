#include "guest/riscv64/lift.h"

#include "base/bits.h"

/* x1 and x5 hold return addresses by convention (unpriv 2.5.1). */
static bool is_link(unsigned reg)
{
    return reg == 1 || reg == 5;
}

/* Whether target cannot be jumped to: without C, instructions are 4-byte aligned. */
static bool misaligned(const struct rv_lift *l, uint64_t target)
{
    return (target & 2) && !(l->h->ext & RV_EXT(C));
}

static void jump(struct rv_lift *l, uint64_t target)
{
    if (misaligned(l, target))
        rv_lift_raise(l, RV_CAUSE_FETCH_MISALIGNED, target);
    else
        rv_lift_goto(l, target);
}

RV_LIFT_RULE(nop)
{
    (void)l, (void)r;
}

RV_LIFT_RULE(lui)
{
    (void)r;
    rv_lift_put_x(l, ir_const(l->u, IR_I64, (uint64_t)l->in.imm));
}

RV_LIFT_RULE(auipc)
{
    (void)r;
    rv_lift_put_x(l, ir_const(l->u, IR_I64, l->pc + (uint64_t)l->in.imm));
}

RV_LIFT_RULE(jal)
{
    (void)r;
    uint64_t target = l->pc + (uint64_t)l->in.imm;
    if (!misaligned(l, target))
        rv_lift_put_x(l, ir_const(l->u, IR_I64, rv_lift_next(l)));
    jump(l, target);
}

/* Without C: traps, in a block of its own, if bit 1 of the target is set. */
static void check_target(struct rv_lift *l, ir_ref target)
{
    struct ir_unit *u = l->u;
    ir_ref bit = ir_bin(u, IR_and, IR_I64, target, ir_const(u, IR_I64, 2));
    uint32_t next = u->nblocks;
    ir_brif(u, bit, ir_edge_new(u, next, NULL, 0), ir_edge_new(u, next + 1, NULL, 0));
    ir_block_begin(u);
    ir_call(u, RV_HELPER_raise, ir_const(u, IR_I64, RV_CAUSE_FETCH_MISALIGNED), target, IR_NONE);
    ir_exit_loop(u);
    ir_block_begin(u);
}

RV_LIFT_RULE(jalr)
{
    (void)r;
    struct ir_unit *u = l->u;
    ir_ref sum = ir_bin(u, IR_add, IR_I64, rv_lift_x(l, l->in.rs1),
                        ir_const(u, IR_I64, (uint64_t)l->in.imm));
    ir_ref target = ir_bin(u, IR_and, IR_I64, sum, ir_const(u, IR_I64, ~UINT64_C(1)));
    if (!(l->h->ext & RV_EXT(C)))
        check_target(l, target);
    rv_lift_put_x(l, ir_const(u, IR_I64, rv_lift_next(l)));
    ir_exit_ind(u, target,
                is_link(l->in.rd)    ? IR_IND_CALL
                : is_link(l->in.rs1) ? IR_IND_RET
                                     : IR_IND_JUMP);
    l->ended = true;
}

RV_LIFT_RULE(branch)
{
    struct ir_unit *u = l->u;
    ir_ref cond = ir_bin(u, r->op, IR_I64, rv_lift_x(l, l->in.rs1), rv_lift_x(l, l->in.rs2));
    uint32_t taken = u->nblocks;
    ir_brif(u, cond, ir_edge_new(u, taken, NULL, 0), ir_edge_new(u, taken + 1, NULL, 0));
    ir_block_begin(u);
    jump(l, l->pc + (uint64_t)l->in.imm);
    ir_block_begin(u);
    rv_lift_goto(l, rv_lift_next(l));
}

/* Writes a result of the rule's type to rd. */
static void put_result(struct rv_lift *l, enum ir_type type, ir_ref v)
{
    rv_lift_put_x(l, type == IR_I32 ? ir_un(l->u, IR_sext32, IR_I64, v) : v);
}

RV_LIFT_RULE(unary)
{
    put_result(l, r->type, ir_un(l->u, r->op, r->type, rv_lift_x(l, l->in.rs1)));
}

static ir_ref second(struct rv_lift *l, const struct rv_rule *r)
{
    uint64_t imm = (uint64_t)l->in.imm & (r->type == IR_I32 ? UINT32_MAX : UINT64_MAX);
    ir_ref b = r->aux & RV_RULE_IMM ? ir_const(l->u, r->type, imm) : rv_lift_x(l, l->in.rs2);
    if (r->aux & RV_RULE_NOT)
        b = ir_bin(l->u, IR_xor, IR_I64, b, ir_const(l->u, IR_I64, UINT64_MAX));
    return b;
}

RV_LIFT_RULE(binary)
{
    struct ir_unit *u = l->u;
    ir_ref a = rv_lift_x(l, l->in.rs1);
    unsigned shift = r->aux >> RV_RULE_SHIFT;
    if (r->aux & RV_RULE_UW)
        a = ir_un(u, IR_zext32, IR_I64, a);
    if (shift)
        a = ir_bin(u, IR_shl, IR_I64, a, ir_const(u, IR_I64, shift));
    put_result(l, r->type, ir_bin(u, r->op, r->type, a, second(l, r)));
}

RV_LIFT_RULE(minmax)
{
    rv_lift_put_x(l, rv_lift_min(l, r->op, IR_I64, r->aux & RV_RULE_MAX, rv_lift_x(l, l->in.rs1),
                                 rv_lift_x(l, l->in.rs2)));
}

/* The unsigned product, less rs2 * 2^64 if rs1 is negative. */
RV_LIFT_RULE(mulhsu)
{
    (void)r;
    struct ir_unit *u = l->u;
    ir_ref a = rv_lift_x(l, l->in.rs1), b = rv_lift_x(l, l->in.rs2);
    ir_ref sign = ir_bin(u, IR_sar, IR_I64, a, ir_const(u, IR_I64, 63));
    ir_ref high = ir_bin(u, IR_mulhu, IR_I64, a, b);
    rv_lift_put_x(l, ir_bin(u, IR_sub, IR_I64, high, ir_bin(u, IR_and, IR_I64, sign, b)));
}

RV_LIFT_RULE(bit)
{
    struct ir_unit *u = l->u;
    ir_ref a = rv_lift_x(l, l->in.rs1), mask;
    uint64_t invert = r->aux & RV_RULE_NOT ? UINT64_MAX : 0;
    if (r->aux & RV_RULE_IMM) {
        mask = ir_const(u, IR_I64, BIT(l->in.imm) ^ invert);
    } else {
        mask = ir_bin(u, IR_shl, IR_I64, ir_const(u, IR_I64, 1), rv_lift_x(l, l->in.rs2));
        if (invert)
            mask = ir_bin(u, IR_xor, IR_I64, mask, ir_const(u, IR_I64, invert));
    }
    rv_lift_put_x(l, ir_bin(u, r->op, IR_I64, a, mask));
}

RV_LIFT_RULE(bext)
{
    struct ir_unit *u = l->u;
    ir_ref v = ir_bin(u, IR_shr, IR_I64, rv_lift_x(l, l->in.rs1), second(l, r));
    rv_lift_put_x(l, ir_bin(u, IR_and, IR_I64, v, ir_const(u, IR_I64, 1)));
}

RV_LIFT_RULE(czero)
{
    struct ir_unit *u = l->u;
    ir_ref v = rv_lift_x(l, l->in.rs1), cond = rv_lift_x(l, l->in.rs2);
    ir_ref zero = ir_const(u, IR_I64, 0);
    bool nez = r->aux & RV_RULE_MAX;
    rv_lift_put_x(l, ir_select(u, IR_I64, cond, nez ? zero : v, nez ? v : zero));
}

RV_LIFT_RULE(pure)
{
    ir_ref a = rv_lift_x(l, l->in.rs1);
    ir_ref b = rv_helpers[r->op].nargs > 1 ? rv_lift_x(l, l->in.rs2) : IR_NONE;
    rv_lift_put_x(l, ir_call(l->u, r->op, a, b, IR_NONE));
}
