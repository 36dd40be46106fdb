/* loop.c - see loop.h. */
#include "jit/loop.h"

#include <string.h>

#include "base/bits.h"

/* Registers of a bank that are left to other values. */
#define KEPT_FREE 3

struct loop_slot {
    ir_ref first; /* the get or put that comes first, or IR_NONE */
    bool changed; /* there is a put */
    bool wanted;  /* by the head: it is read, or someone can look, before it is put */
};

/* ---- which units ---- */

/* Whether the block does nothing but go to `pc`, or to another one. */
static bool only_goes(const struct ir_unit *u, uint32_t block, uint64_t pc, bool to)
{
    const struct ir_block *b = &u->blocks[block];
    const struct ir_insn *in = &u->insns[b->first];

    return (in->imm == pc) == to && in->op == IR_exit_pc && b->end - b->first == 1;
}

static bool goes_back(struct loop *l, const struct ir_unit *u)
{
    if (u->nblocks != 3 || !u->guest_insns)
        return false;
    l->again = only_goes(u, 1, u->pc, true) ? 1 : 2;
    l->out = 3 - l->again;
    const struct ir_insn *end = &u->insns[u->blocks[0].end - 1];
    if (end->op != IR_brif || !only_goes(u, l->again, u->pc, true) ||
        !only_goes(u, l->out, u->pc, false))
        return false;
    uint32_t yes = u->edges[end->arg[1]].block, no = u->edges[end->arg[2]].block;
    return yes && no && yes != no;
}

struct scan {
    const struct ir_unit *u;
    struct loop_slot *slots;
    bool looked;                /* someone could look before this instruction */
    const struct ir_insn *last; /* of the `insn`s */
};

static void scan_slot(struct scan *s, ir_ref i, const struct ir_insn *in)
{
    struct loop_slot *slot = &s->slots[in->imm];

    if (in->op == IR_get && !s->u->lives[i].uses)
        return;
    slot->changed |= in->op == IR_put;
    if (slot->first == IR_NONE) {
        slot->first = i;
        slot->wanted = in->op == IR_get || s->looked;
    }
}

/* False: the unit is not kept in its loop.  What a helper does besides its result may be for the
 * run loop to see. */
static bool scan_insn(struct scan *s, ir_ref i)
{
    const struct ir_insn *in = &s->u->insns[i];

    if (in->op == IR_call)
        return !s->u->names->helpers[in->imm].effects;
    if (in->op == IR_insn)
        s->last = in;
    if (in->op == IR_get || in->op == IR_put) {
        if (in->imm == s->u->names->pc_slot)
            return false;
        scan_slot(s, i, in);
    }
    s->looked |= (ir_ops[in->op].effects & IR_FX_FAULT) != 0;
    return true;
}

void loop_find(struct loop *l, const struct ir_unit *u)
{
    uint32_t n = u->names->nslots;

    l->slots = NULL;
    l->ncarried = 0;
    if (!goes_back(l, u))
        return;
    struct scan s = {.u = u, .slots = arena_array(u->arena, struct loop_slot, n)};
    for (uint32_t k = 0; k < n; k++)
        s.slots[k].first = IR_NONE;
    for (ir_ref i = u->blocks[0].first; i < u->blocks[0].end; i++) {
        if (!scan_insn(&s, i))
            return;
    }
    /* Code on two pages is looked up each time: see jit_link. */
    if (s.last && !((u->pc ^ (s.last->imm + s.last->aux - 1)) & ~MEM_PAGE_MASK))
        l->slots = s.slots;
}

/* ---- the prologue ---- */

/* The slots that op comes to first, in its order, while there are registers. */
static void carry(struct loop *l, struct ra *ra, enum ir_op op)
{
    const struct ir_unit *u = ra->u;

    for (ir_ref i = u->blocks[0].first; i < u->blocks[0].end; i++) {
        const struct ir_insn *in = &u->insns[i];
        if (in->op != op)
            continue;
        struct loop_slot *slot = &l->slots[in->imm];
        if (slot->first != i || !slot->wanted || l->ncarried == LOOP_CARRIED_MAX ||
            !ra_enter(ra, i, (uint32_t)in->imm, slot->changed, KEPT_FREE))
            continue;
        l->carried[l->ncarried++] = (uint16_t)in->imm;
    }
}

void loop_enter(struct loop *l, struct ra *ra)
{
    uint32_t n = ra->u->names->nslots;

    ra->heads = arena_array_raw(ra->u->arena, int8_t, n);
    memset(ra->heads, -1, n);
    carry(l, ra, IR_get);
    carry(l, ra, IR_put);
}

/* ---- a round's end ---- */

void loop_write_back(const struct loop *l, struct ra *ra)
{
    for (uint32_t i = 0; i < ra->ndirty && !ra->failed;) {
        uint32_t slot = ra->dirty_list[i];
        if (l->slots[slot].wanted && ra->heads[slot] < 0)
            ra_write_back_slot(ra, slot); /* another takes its place in the list */
        else
            i++;
    }
}

/* Moves between registers of one bank that happen at once: by destination, the source. */
struct moves {
    uint32_t to; /* destinations that are left */
    uint8_t from[32];
};

static bool is_source(const struct moves *m, unsigned reg)
{
    for (uint32_t to = m->to; to; to &= to - 1) {
        if (m->from[__builtin_ctz(to)] == reg)
            return true;
    }
    return false;
}

/* A destination that nothing is to be read from any more; 32: there are circles only. */
static unsigned free_destination(const struct moves *m)
{
    for (uint32_t to = m->to; to; to &= to - 1) {
        if (!is_source(m, (unsigned)__builtin_ctz(to)))
            return (unsigned)__builtin_ctz(to);
    }
    return 32;
}

static void redirect(struct moves *m, unsigned from, unsigned to)
{
    for (uint32_t left = m->to; left; left &= left - 1) {
        uint8_t *source = &m->from[__builtin_ctz(left)];
        if (*source == from)
            *source = (uint8_t)to;
    }
}

static void emit_moves(struct moves *m, const struct ra *ra, enum ra_bank b)
{
    while (m->to) {
        unsigned to = free_destination(m);
        if (to == 32) { /* opens a circle */
            to = (unsigned)__builtin_ctz(m->to);
            ra->ops->move(ra->ctx, b, ra->ops->scratch[b], to);
            redirect(m, to, ra->ops->scratch[b]);
        }
        ra->ops->move(ra->ctx, b, to, m->from[to]);
        m->to &= ~(UINT32_C(1) << to);
    }
}

void loop_again(const struct loop *l, const struct ra *ra)
{
    struct moves moves[RA_BANKS] = {0};

    for (unsigned k = 0; k < l->ncarried; k++) {
        uint32_t slot = l->carried[k];
        struct moves *m = &moves[ra_slot_bank(ra, slot)];
        int to = ra->heads[slot], from = ra_slot_reg(ra, slot);
        if (from >= 0 && from != to) {
            m->to |= UINT32_C(1) << to;
            m->from[to] = (uint8_t)from;
        }
    }
    emit_moves(&moves[RA_INT], ra, RA_INT);
    emit_moves(&moves[RA_VEC], ra, RA_VEC);
    for (unsigned k = 0; k < l->ncarried; k++) {
        if (ra_slot_reg(ra, l->carried[k]) < 0)
            ra_load_head(ra, l->carried[k]);
    }
}
