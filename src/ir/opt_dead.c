/*
 * opt_dead.c - one walk backward: values that nobody uses, puts that nobody
 * can see.
 */
#include "ir/ir.h"

struct dead {
    struct ir_unit *u;
    bool *live;            /* by value */
    uint32_t *overwritten; /* by slot: the epoch in which a put lies ahead */
    uint32_t epoch;        /* advances where slots can be seen */
};

static void mark_args(struct dead *d, const struct ir_insn *i)
{
    unsigned values = ir_value_args(i);
    for (unsigned n = 0; n < values; n++)
        d->live[i->arg[n]] = true;
    if (!ir_has_edges(i->op))
        return;
    for (unsigned n = values; n < ir_ops[i->op].nargs; n++) {
        const struct ir_edge *e = &d->u->edges[i->arg[n]];
        for (uint32_t a = 0; a < e->nargs; a++)
            d->live[e->args[a]] = true;
    }
}

static unsigned helper_effects(const struct ir_unit *u, const struct ir_insn *i)
{
    return u->names->helpers[i->imm].effects;
}

/* What has to stay although nobody uses its value.  All users of one lie behind it. */
static bool is_needed(const struct dead *d, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_get:
        return false;
    case IR_param: /* edges have an argument for it */
        return true;
    case IR_call:
        return helper_effects(d->u, i) != 0;
    default:
        return ir_ops[i->op].effects != 0;
    }
}

/* Whether slots must be right when this instruction starts. */
static bool sees_slots(const struct dead *d, const struct ir_insn *i, bool exact)
{
    switch (i->op) {
    case IR_insn:
        return exact;
    case IR_call:
        return helper_effects(d->u, i) & (IR_HELPER_READS | IR_HELPER_LEAVES);
    default:
        return ir_ops[i->op].effects & (IR_FX_FAULT | IR_FX_END);
    }
}

static void remove_insn(struct ir_insn *i)
{
    *i = (struct ir_insn){.op = IR_nop, .arg = {IR_NONE, IR_NONE, IR_NONE}};
}

static void visit(struct dead *d, ir_ref at, bool exact)
{
    struct ir_insn *i = &d->u->insns[at];
    if (i->op == IR_put) {
        if (d->overwritten[i->imm] == d->epoch) {
            remove_insn(i);
            return;
        }
        d->overwritten[i->imm] = d->epoch;
    } else if (i->op == IR_get) {
        d->overwritten[i->imm] = 0;
    } else if (sees_slots(d, i, exact)) {
        d->epoch++;
    }
    if (d->live[at] || is_needed(d, i))
        mark_args(d, i);
    else
        remove_insn(i);
}

static void run(struct ir_unit *u, bool exact)
{
    struct dead d = {.u = u, .epoch = 1};
    uint32_t nslots = u->names ? u->names->nslots : 0;
    d.live = arena_array(u->arena, bool, u->ninsns);
    d.overwritten = arena_array(u->arena, uint32_t, nslots);
    for (ir_ref at = u->ninsns; at-- > 0;)
        visit(&d, at, exact);
}

void ir_opt_dead(struct ir_unit *u)
{
    run(u, false);
}

void ir_opt_dead_exact(struct ir_unit *u)
{
    run(u, true);
}
