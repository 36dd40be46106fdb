/*
 * opt_dead.c - one walk backward: values that nobody uses, puts that nobody
 * can see.
 */
#include "ir/ir.h"

struct dead {
    struct ir_unit *u;
    bool *live;   /* by value */
    ir_ref *work; /* live values that lie behind the walk: their operands are to be marked */
    uint32_t nwork;
    uint32_t *overwritten; /* by slot: the epoch in which a put lies ahead */
    uint32_t epoch;        /* advances where slots can be seen */
};

static void mark(struct dead *d, ir_ref v, ir_ref at)
{
    if (d->live[v])
        return;
    d->live[v] = true;
    if (v >= at)
        d->work[d->nwork++] = v;
}

static void mark_args(struct dead *d, ir_ref user, ir_ref at)
{
    const struct ir_insn *i = &d->u->insns[user];
    const struct ir_op_info *info = &ir_ops[i->op];
    for (unsigned n = 0; n < info->nargs && i->arg[n] != IR_NONE; n++) {
        if (info->args[n] != 'e') {
            mark(d, i->arg[n], at);
            continue;
        }
        const struct ir_edge *e = &d->u->edges[i->arg[n]];
        for (uint32_t a = 0; a < e->nargs; a++)
            mark(d, e->args[a], at);
    }
}

static unsigned helper_effects(const struct ir_unit *u, const struct ir_insn *i)
{
    return u->names->helpers[i->imm].effects;
}

/* What has to stay although nobody uses its value. */
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
    if (is_needed(d, i))
        d->live[at] = true;
    if (!d->live[at])
        return;
    mark_args(d, at, at);
    while (d->nwork) /* only where blocks do not lie in an order that dominance allows */
        mark_args(d, d->work[--d->nwork], at);
}

static void run(struct ir_unit *u, bool exact)
{
    struct dead d = {.u = u, .epoch = 1};
    uint32_t nslots = u->names ? u->names->nslots : 0;
    d.live = arena_array(u->arena, bool, u->ninsns);
    d.work = arena_array(u->arena, ir_ref, u->ninsns);
    d.overwritten = arena_array(u->arena, uint32_t, nslots);
    for (ir_ref at = u->ninsns; at-- > 0;)
        visit(&d, at, exact);
    for (ir_ref at = 0; at < u->ninsns; at++)
        if (!d.live[at] && u->insns[at].op != IR_nop)
            remove_insn(&u->insns[at]);
}

void ir_opt_dead(struct ir_unit *u)
{
    run(u, false);
}

void ir_opt_dead_exact(struct ir_unit *u)
{
    run(u, true);
}
