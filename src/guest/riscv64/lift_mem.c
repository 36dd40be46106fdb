#include "guest/riscv64/lift.h"

#include "base/bits.h"

/* The type of a value is always i64; aux is the access, enum IR_MO_*. */

RV_LIFT_RULE(load)
{
    ir_ref addr = rv_lift_x(l, l->in.rs1);
    rv_lift_put_x(l, ir_load(l->u, IR_I64, addr, l->in.imm, rv_lift_mo(l, r->aux)));
}

RV_LIFT_RULE(store)
{
    ir_ref addr = rv_lift_x(l, l->in.rs1);
    ir_store(l->u, addr, l->in.imm, rv_lift_x(l, l->in.rs2), rv_lift_mo(l, r->aux));
}

RV_LIFT_RULE(load_reserved)
{
    ir_ref addr = rv_lift_x(l, l->in.rs1);
    ir_ref v = ir_load(l->u, IR_I64, addr, 0, rv_lift_mo(l, r->aux | IR_MO_ALIGN));
    ir_put(l->u, RV_SLOT_RESERVE, addr);
    rv_lift_put_x(l, v);
}

/* Without the reservation, memory is not touched, not even checked (unpriv 14.2 leaves that open).
 */
RV_LIFT_RULE(store_conditional)
{
    struct ir_unit *u = l->u;
    ir_ref addr = rv_lift_x(l, l->in.rs1), value = rv_lift_x(l, l->in.rs2);
    ir_ref match = ir_bin(u, IR_eq, IR_I64, ir_get(u, RV_SLOT_RESERVE), addr);
    uint32_t store = u->nblocks, fail = store + 1, join = store + 2;

    ir_brif(u, match, ir_edge_new(u, store, NULL, 0), ir_edge_new(u, fail, NULL, 0));
    ir_block_begin(u);
    ir_store(u, addr, 0, value, rv_lift_mo(l, r->aux | IR_MO_ALIGN));
    ir_br(u, ir_edge_new(u, join, (ir_ref[]){ir_const(u, IR_I64, 0)}, 1));
    ir_block_begin(u);
    ir_br(u, ir_edge_new(u, join, (ir_ref[]){ir_const(u, IR_I64, 1)}, 1));
    ir_block_begin(u);
    ir_ref failed = ir_param(u, IR_I64);
    ir_put(u, RV_SLOT_RESERVE, ir_const(u, IR_I64, UINT64_MAX));
    rv_lift_put_x(l, failed);
}

static ir_ref amo_load(struct rv_lift *l, const struct rv_rule *r, ir_ref addr)
{
    return ir_load(l->u, IR_I64, addr, 0, rv_lift_mo(l, r->aux | IR_MO_ALIGN | IR_MO_RMW));
}

/* The other half: stores the new value, puts the old one. */
static void amo_store(struct rv_lift *l, const struct rv_rule *r, ir_ref addr, ir_ref new,
                      ir_ref old)
{
    unsigned mo = (r->aux & IR_MO_SIZE) | IR_MO_ALIGN;
    ir_store(l->u, addr, 0, new, rv_lift_mo(l, mo));
    rv_lift_put_x(l, old);
}

RV_LIFT_RULE(amo_swap)
{
    ir_ref addr = rv_lift_x(l, l->in.rs1), operand = rv_lift_x(l, l->in.rs2);
    ir_ref old = amo_load(l, r, addr);
    amo_store(l, r, addr, operand, old);
}

RV_LIFT_RULE(amo_binary)
{
    ir_ref addr = rv_lift_x(l, l->in.rs1), operand = rv_lift_x(l, l->in.rs2);
    ir_ref old = amo_load(l, r, addr);
    amo_store(l, r, addr, ir_bin(l->u, r->op, IR_I64, old, operand), old);
}

RV_LIFT_RULE(amo_minmax)
{
    ir_ref addr = rv_lift_x(l, l->in.rs1), operand = rv_lift_x(l, l->in.rs2);
    ir_ref old = amo_load(l, r, addr);
    ir_ref new = rv_lift_min(l, r->op, r->type, r->aux & RV_RULE_AMO_MAX, old, operand);
    amo_store(l, r, addr, new, old);
}

RV_LIFT_RULE(cbo)
{
    (void)r;
    ir_call(l->u, RV_HELPER_cbo, ir_const(l->u, IR_I64, l->in.op), rv_lift_x(l, l->in.rs1),
            IR_NONE);
}

RV_LIFT_RULE(cbo_zero)
{
    (void)r;
    ir_call(l->u, RV_HELPER_cbo_zero, rv_lift_x(l, l->in.rs1), IR_NONE, IR_NONE);
}
