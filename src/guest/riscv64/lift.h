/*
 * lift.h - what the lift_*.c files share; private to them.
 *
 * Each operation of the decode table has a rule: a function that emits the IR
 * of one instruction, and what distinguishes it from others of its kind.  The
 * rules say everything that an instruction means; helpers are for privileged
 * state and for what the IR has no operation for.
 *
 * Within one instruction puts follow the last thing that may fault or trap.
 */
#ifndef GUEST_RISCV64_LIFT_H
#define GUEST_RISCV64_LIFT_H

#include "guest/riscv64/riscv64.h"

struct rv_lift {
    struct ir_unit *u;
    const struct rv_cpu *h;
    uint32_t context; /* cpu.context that the unit is for */
    uint64_t pc;      /* of the instruction in `in` */
    struct rv_insn in;
    bool ended;           /* the unit's last block is closed */
    bool context_changed; /* by this instruction: the unit must end behind it */
};

/* How one operation is lifted. */
struct rv_rule {
    void (*lift)(struct rv_lift *l, const struct rv_rule *r);
    uint8_t op;   /* enum ir_op, or enum rv_helper */
    uint8_t type; /* enum ir_type in which it works */
    uint16_t aux; /* RV_RULE_* and, in the low byte and bit 8, IR_FP_* or IR_MO_* */
};

/* rv_rule.aux of integer rules. */
enum {
    RV_RULE_IMM = 1,   /* the second operand is the immediate */
    RV_RULE_NOT = 2,   /* the second operand is inverted */
    RV_RULE_UW = 4,    /* only the low half of the first, zero-extended, counts */
    RV_RULE_MAX = 8,   /* the greater one; of czero: zero if not zero */
    RV_RULE_SHIFT = 8, /* bits 9:8: the first is shifted left by that much */
};

/* rv_rule.aux of floating-point rules, above the IR_FP_* bits. */
enum {
    RV_RULE_AUX = 0x1ff,
    RV_RULE_RM = 1 << 12,     /* has a rounding mode */
    RV_RULE_DOUBLE = 1 << 13, /* a conversion's source is f64 */
    RV_RULE_NEG = 1 << 14,    /* fsgnjn */
    RV_RULE_XOR = 1 << 15,    /* fsgnjx */
};

/* rv_rule.aux of memory rules, above the IR_MO_* bits: amomax. */
enum { RV_RULE_AMO_MAX = 1 << 12 };

/* rv_rule.aux of CSR rules: an enum rv_csr_op and whether the operand is zimm. */
enum { RV_RULE_CSR_OP = 3, RV_RULE_ZIMM = 4 };

/* ---- what rules are made of: lift.c ---- */

static inline uint64_t rv_lift_next(const struct rv_lift *l)
{
    return l->pc + l->in.len;
}

/* x[n] as an i64. */
ir_ref rv_lift_x(struct rv_lift *l, unsigned n);
/* Writes an i64 to x[rd]; drops it for x0. */
void rv_lift_put_x(struct rv_lift *l, ir_ref value);
/* The smaller (or greater) one; `less` is IR_lts or IR_ltu, type the comparison's.  i64. */
ir_ref rv_lift_min(struct rv_lift *l, enum ir_op less, enum ir_type type, bool max, ir_ref a,
                   ir_ref b);
/* aux of an access: mo, in the context's mode. */
unsigned rv_lift_mo(const struct rv_lift *l, unsigned mo);

/* Ends of the unit. */
void rv_lift_goto(struct rv_lift *l, uint64_t target); /* in the same context */
void rv_lift_leave(struct rv_lift *l);                 /* pc is in the CPU */
void rv_lift_leave_at_next(struct rv_lift *l);         /* to the next instruction */
void rv_lift_raise(struct rv_lift *l, uint64_t cause, uint64_t tval);

/* Raises an illegal-instruction exception. */
void rv_lift_illegal(struct rv_lift *l, const struct rv_rule *r);

/* ---- the rules' functions ---- */

#define RV_LIFT_RULE(name) void rv_lift_##name(struct rv_lift *l, const struct rv_rule *r)

/* lift_int.c */
RV_LIFT_RULE(nop);
RV_LIFT_RULE(lui);
RV_LIFT_RULE(auipc);
RV_LIFT_RULE(jal);
RV_LIFT_RULE(jalr);
RV_LIFT_RULE(branch);
RV_LIFT_RULE(unary);
RV_LIFT_RULE(binary);
RV_LIFT_RULE(minmax);
RV_LIFT_RULE(mulhsu);
RV_LIFT_RULE(bit); /* bclr, binv, bset */
RV_LIFT_RULE(bext);
RV_LIFT_RULE(czero);
RV_LIFT_RULE(pure); /* by a helper */

/* lift_mem.c */
RV_LIFT_RULE(load);
RV_LIFT_RULE(store);
RV_LIFT_RULE(load_reserved);
RV_LIFT_RULE(store_conditional);
RV_LIFT_RULE(amo_swap);
RV_LIFT_RULE(amo_binary);
RV_LIFT_RULE(amo_minmax);
RV_LIFT_RULE(cbo);
RV_LIFT_RULE(cbo_zero);

/* lift_fp.c */
RV_LIFT_RULE(fp_load);
RV_LIFT_RULE(fp_store);
RV_LIFT_RULE(fp_arith); /* one to three operands, result in fd */
RV_LIFT_RULE(fp_compare);
RV_LIFT_RULE(fp_sign);
RV_LIFT_RULE(fp_to_int);
RV_LIFT_RULE(fp_from_int);
RV_LIFT_RULE(fp_convert);
RV_LIFT_RULE(fp_class);
RV_LIFT_RULE(fp_to_x);
RV_LIFT_RULE(fp_from_x);
RV_LIFT_RULE(fp_constant);
RV_LIFT_RULE(fp_modular);

/* lift_sys.c */
RV_LIFT_RULE(fence_i);
RV_LIFT_RULE(csr);
RV_LIFT_RULE(ebreak);
RV_LIFT_RULE(call_leave); /* a helper that sets pc */
RV_LIFT_RULE(call_next);  /* a helper that may change the context or what is pending */
RV_LIFT_RULE(supervisor); /* illegal in U-mode, else nothing */

#endif
