/*
 * opt_dead.c - one walk backward: values that nobody uses, puts that nobody
 * can see, and where the other values are used last.
 */
#include "ir/ir.h"

enum how { DEAD, DEAD_EXACT, LIVES };

struct walk {
    struct ir_unit *u;
    enum how how;
    struct ir_life *lives; /* the unit's */
    uint32_t *overwritten; /* by slot: the epoch in which a put lies ahead */
    uint32_t epoch;        /* advances where slots can be seen */
};

/* All users of a value lie behind it: the first one met is the last. */
static inline bool mark(struct walk *w, ir_ref v, ir_ref user)
{
    struct ir_life *life = &w->lives[v];
    bool first = !life->uses;
    if (first)
        life->last = user;
    life->uses += life->uses < IR_USES_MANY;
    return first;
}

static void mark_edges(struct walk *w, const struct ir_insn *i, ir_ref at)
{
    for (unsigned n = ir_value_args(i); n < ir_ops[i->op].nargs; n++) {
        const struct ir_edge *e = &w->u->edges[i->arg[n]];
        for (uint32_t a = 0; a < e->nargs; a++)
            mark(w, e->args[a], at);
    }
}

static void mark_args(struct walk *w, const struct ir_insn *i, ir_ref at)
{
    unsigned end = 3, dies = 0;
    if (ir_has_edges(i->op)) {
        mark_edges(w, i, at);
        end = ir_value_args(i);
    }
    for (unsigned n = 0; n < end && i->arg[n] != IR_NONE; n++)
        dies |= (unsigned)mark(w, i->arg[n], at) << n;
    w->lives[at].dies = (uint8_t)dies;
}

static void remove_insn(struct ir_insn *i)
{
    *i = (struct ir_insn){.op = IR_nop, .arg = {IR_NONE, IR_NONE, IR_NONE}};
}

/* What the instruction does besides making its value, as the operation or the helper declares. */
static unsigned effects_of(const struct walk *w, const struct ir_insn *i, bool *sees_slots)
{
    unsigned effects = ir_ops[i->op].effects;
    if (i->op == IR_call) {
        effects = w->u->names->helpers[i->imm].effects;
        *sees_slots = effects & (IR_HELPER_READS | IR_HELPER_LEAVES);
    } else {
        *sees_slots = effects & (IR_FX_FAULT | IR_FX_END);
    }
    return effects;
}

/* Whether the instruction has to stay. */
static bool is_needed(struct walk *w, const struct ir_insn *i, bool used)
{
    bool sees_slots;
    switch (i->op) {
    case IR_const:
        return used;
    case IR_param: /* edges have an argument for it */
        return true;
    case IR_put:
        used |= w->overwritten[i->imm] != w->epoch;
        w->overwritten[i->imm] = w->epoch;
        return used;
    case IR_get:
        if (used)
            w->overwritten[i->imm] = 0;
        return used;
    default:
        used |= effects_of(w, i, &sees_slots) != 0;
        w->epoch += sees_slots;
        return used;
    }
}

static void visit(struct walk *w, ir_ref at)
{
    struct ir_insn *i = &w->u->insns[at];
    if (i->op == IR_insn)
        w->epoch += w->how == DEAD_EXACT;
    else if (is_needed(w, i, w->lives[at].uses || w->how == LIVES))
        mark_args(w, i, at);
    else
        remove_insn(i);
}

static void run(struct ir_unit *u, enum how how)
{
    struct walk w = {.u = u, .how = how, .epoch = 1};
    uint32_t nslots = u->names ? u->names->nslots : 0;
    w.lives = u->lives = arena_array(u->arena, struct ir_life, u->ninsns);
    w.overwritten = arena_array(u->arena, uint32_t, nslots);
    for (ir_ref at = u->ninsns; at-- > 0;)
        visit(&w, at);
}

void ir_opt_dead(struct ir_unit *u)
{
    run(u, DEAD);
}

void ir_opt_dead_exact(struct ir_unit *u)
{
    run(u, DEAD_EXACT);
}

void ir_find_lives(struct ir_unit *u)
{
    if (!u->lives)
        run(u, LIVES);
}
