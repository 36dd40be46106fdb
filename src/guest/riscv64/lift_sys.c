#include "guest/riscv64/lift.h"

/* Stores to translated code are noticed by the byte; the next fetch sees them. */
RV_LIFT_RULE(fence_i)
{
    (void)r;
    rv_lift_goto(l, rv_lift_next(l));
}

/* fflags, frm and fcsr (unpriv 20.2). */
static bool is_fp_csr(unsigned csr)
{
    return csr >= 1 && csr <= 3;
}

RV_LIFT_RULE(csr)
{
    struct ir_unit *u = l->u;
    unsigned csr = (unsigned)l->in.imm, op = r->aux & RV_RULE_CSR_OP;
    bool zimm = r->aux & RV_RULE_ZIMM;
    /* A register or constant 0 as operand of set and clear does not write (unpriv 7.1). */
    bool writes = op == RV_CSR_RW || (zimm ? l->in.zimm : l->in.rs1);
    bool fp = is_fp_csr(csr);

    ir_ref operand = zimm ? ir_const(u, IR_I64, l->in.zimm) : rv_lift_x(l, l->in.rs1);
    uint64_t what = csr | (uint64_t)op << 12 | (writes ? RV_CSR_WRITES : 0);
    ir_ref old = ir_call(u, fp ? RV_HELPER_csr_fp : RV_HELPER_csr, ir_const(u, IR_I64, what),
                         operand, IR_NONE);
    rv_lift_put_x(l, old);
    if (writes && (rv_csr_ends_unit(csr) || (fp && !(l->context & RV_CTX_FS_DIRTY))))
        rv_lift_leave_at_next(l);
}

RV_LIFT_RULE(ebreak)
{
    const struct cpu_env *env = l->h->cpu.env;

    if (l->in.len == 4 && env && env->semihosting) {
        ir_call(l->u, RV_HELPER_ebreak, IR_NONE, IR_NONE, IR_NONE);
        rv_lift_leave(l);
        return;
    }
    (void)r;
    rv_lift_raise(l, RV_CAUSE_BREAKPOINT, l->pc);
}

RV_LIFT_RULE(call_leave)
{
    ir_call(l->u, r->op, IR_NONE, IR_NONE, IR_NONE);
    rv_lift_leave(l);
}

RV_LIFT_RULE(call_next)
{
    ir_call(l->u, r->op, IR_NONE, IR_NONE, IR_NONE);
    rv_lift_leave_at_next(l);
}

RV_LIFT_RULE(supervisor)
{
    if ((l->context & RV_CTX_PRIV) == RV_U)
        rv_lift_illegal(l, r);
}
