/* ra.c - see ra.h. */
#include "jit/ra.h"

#include <string.h>

#include "base/bits.h"

static enum ra_bank bank_for(enum ir_type t)
{
    return t == IR_F32 || t == IR_F64 ? RA_VEC : RA_INT;
}

static const struct ir_slot *slot_of(const struct ra *ra, uint32_t slot)
{
    return &ra->u->names->slots[slot];
}

enum ra_bank ra_slot_bank(const struct ra *ra, uint32_t slot)
{
    return bank_for(slot_of(ra, slot)->type);
}

static inline enum ra_bank bank_of(const struct ra *ra, ir_ref v)
{
    return bank_for(ir_type_of(ra->u, v));
}

/* ---- lives ---- */

/* A value from before a loop that is used in it lives to the loop's end. */
static void extend_over_loop(struct ra *ra, uint32_t first, uint32_t end)
{
    for (uint32_t v = 0; v < first; v++) {
        struct ir_life *life = &ra->lives[v];
        if (life->last >= first && life->last < end)
            life->last = end - 1;
    }
}

static void find_loops(struct ra *ra)
{
    const struct ir_unit *u = ra->u;

    for (uint32_t b = 0; b < u->nblocks; b++) {
        const struct ir_insn *in = &u->insns[u->blocks[b].end - 1];
        if (!ir_has_edges(in->op))
            continue;
        for (unsigned k = ir_value_args(in); k < ir_ops[in->op].nargs; k++) {
            uint32_t to = u->edges[in->arg[k]].block;
            if (to <= b)
                extend_over_loop(ra, u->blocks[to].first, u->blocks[b].end);
        }
    }
}

void ra_init(struct ra *ra, const struct ir_unit *u, const struct ra_ops *ops, void *ctx)
{
    uint32_t nslots = u->names->nslots;

    ra->u = u;
    ra->ops = ops;
    ra->ctx = ctx;
    ra->lives = u->lives;
    ra->v = arena_array_raw(u->arena, struct ra_value, u->ninsns);
    ra->dirty = arena_array_raw(u->arena, ir_ref, nslots);
    ra->mem = arena_array_raw(u->arena, ir_ref, nslots);
    ra->homes = arena_array(u->arena, uint64_t, (nslots + 63) / 64);
    memset(ra->dirty, 0xff, nslots * sizeof *ra->dirty); /* IR_NONE */
    memset(ra->mem, 0xff, nslots * sizeof *ra->mem);
    memset(ra->used, 0, sizeof ra->used);
    memset(ra->locked, 0, sizeof ra->locked);
    memset(ra->spills, 0, sizeof ra->spills);
    ra->ndirty = 0;
    ra->heads = NULL;
    ra->at = 0;
    ra->failed = false;
    for (uint32_t i = 0; i < u->ninsns; i++)
        ra->v[i] = (struct ra_value){.reg = -1, .spill = -1, .home = -1};
    find_loops(ra);
}

void ra_extend(struct ra *ra, ir_ref v, uint32_t until)
{
    if (ra->lives[v].last < until)
        ra->lives[v].last = until;
}

static bool needed_after(const struct ra *ra, ir_ref v)
{
    return ra->lives[v].last > ra->at;
}

static bool needed_now_or_after(const struct ra *ra, ir_ref v)
{
    return ra->lives[v].uses && ra->lives[v].last >= ra->at;
}

/* ---- places ---- */

static void drop_reg(struct ra *ra, ir_ref v)
{
    struct ra_value *x = &ra->v[v];
    if (x->reg < 0)
        return;
    ra->used[x->bank] &= ~(UINT32_C(1) << x->reg);
    x->reg = -1;
}

static void set_home(struct ra *ra, ir_ref v, uint32_t slot)
{
    ra->v[v].home = (int16_t)slot;
    ra->mem[slot] = v;
    ra->homes[slot / 64] |= BIT(slot % 64);
}

static void drop_home(struct ra *ra, ir_ref v)
{
    int16_t slot = ra->v[v].home;
    if (slot >= 0) {
        ra->mem[slot] = IR_NONE;
        ra->homes[slot / 64] &= ~BIT(slot % 64);
        ra->v[v].home = -1;
    }
}

static void drop_spill(struct ra *ra, ir_ref v)
{
    int16_t s = ra->v[v].spill;
    if (s >= 0 && ra->u->insns[v].op != IR_param) { /* a loop's edge writes a parameter again */
        ra->spills[s / 64] &= ~BIT(s % 64);
        ra->v[v].spill = -1;
    }
}

static void release(struct ra *ra, ir_ref v)
{
    drop_reg(ra, v);
    drop_home(ra, v);
    drop_spill(ra, v);
}

static void release_if_dead(struct ra *ra, ir_ref v)
{
    if (!needed_after(ra, v) && !ra->v[v].dirty)
        release(ra, v);
}

void ra_done(struct ra *ra, ir_ref v)
{
    release_if_dead(ra, v);
}

static unsigned new_spill(struct ra *ra)
{
    for (unsigned i = 0; i < JIT_SPILLS; i++) {
        if (!(ra->spills[i / 64] & BIT(i % 64))) {
            ra->spills[i / 64] |= BIT(i % 64);
            return i;
        }
    }
    ra->failed = true;
    return 0;
}

bool ra_const(const struct ra *ra, ir_ref v, uint64_t *value)
{
    const struct ir_insn *in = &ra->u->insns[v];
    if (in->op != IR_const)
        return false;
    *value = in->type == IR_I32 ? (uint32_t)in->imm : in->imm;
    return true;
}

static bool is_const(const struct ra *ra, ir_ref v)
{
    return ra->u->insns[v].op == IR_const;
}

static bool in_memory(const struct ra *ra, ir_ref v)
{
    return ra->v[v].home >= 0 || ra->v[v].spill >= 0 || is_const(ra, v);
}

static void spill(struct ra *ra, ir_ref v)
{
    struct ra_value *x = &ra->v[v];
    x->spill = (int16_t)new_spill(ra);
    ra->ops->store_spill(ra->ctx, x->bank, (unsigned)x->reg, (unsigned)x->spill);
}

static void write_back(struct ra *ra, uint32_t slot);

/* Gives v a place in memory, so that its register can go. */
static void save(struct ra *ra, ir_ref v)
{
    if (in_memory(ra, v))
        return;
    if (ra->v[v].dirty) {
        for (uint32_t i = 0; i < ra->ndirty; i++) {
            uint32_t slot = ra->dirty_list[i];
            if (ra->dirty[slot] == v && ra->mem[slot] == IR_NONE) {
                write_back(ra, slot);
                return;
            }
        }
    }
    spill(ra, v);
}

/* The register to give up: cheapest to lose first, then the one used last. */
static unsigned victim(const struct ra *ra, enum ra_bank b)
{
    unsigned best = 32;
    uint64_t best_score = 0;

    for (uint32_t m = ra->used[b] & ~ra->locked[b]; m; m &= m - 1) {
        unsigned r = (unsigned)__builtin_ctz(m);
        ir_ref v = ra->holds[b][r];
        uint64_t last = needed_now_or_after(ra, v) ? ra->lives[v].last : UINT32_MAX;
        uint64_t score = last + 1 + (in_memory(ra, v) ? BIT(40) : ra->v[v].dirty ? BIT(33) : 0);
        if (score > best_score) {
            best_score = score;
            best = r;
        }
    }
    return best;
}

static uint32_t free_regs(const struct ra *ra, enum ra_bank b)
{
    return ra->ops->allocatable[b] & ~ra->used[b] & ~ra->locked[b];
}

static unsigned take_reg(struct ra *ra, enum ra_bank b)
{
    uint32_t free = free_regs(ra, b);
    unsigned r;

    if (free) {
        r = (unsigned)__builtin_ctz(free);
    } else {
        r = victim(ra, b);
        if (r == 32) { /* a back end locked more than there are */
            ra->failed = true;
            return (unsigned)__builtin_ctz(ra->ops->allocatable[b]);
        }
        ir_ref v = ra->holds[b][r];
        if (ra->v[v].dirty || needed_now_or_after(ra, v)) {
            save(ra, v);
            drop_reg(ra, v);
        } else {
            release(ra, v);
        }
    }
    ra->locked[b] |= UINT32_C(1) << r;
    return r;
}

static void assign(struct ra *ra, ir_ref v, enum ra_bank b, unsigned r)
{
    ra->v[v].reg = (int8_t)r;
    ra->v[v].bank = (uint8_t)b;
    ra->holds[b][r] = v;
    ra->used[b] |= UINT32_C(1) << r;
    ra->locked[b] |= UINT32_C(1) << r;
}

unsigned ra_load(struct ra *ra, ir_ref v)
{
    const struct ra_value *x = &ra->v[v];
    bool head = ra->u->insns[v].op == IR_put; /* ra_enter's: it has had a register */
    enum ra_bank b = head ? x->bank : bank_of(ra, v);
    uint64_t c;

    unsigned r = take_reg(ra, b);
    if (ra_const(ra, v, &c))
        ra->ops->constant(ra->ctx, b, r, c);
    else if (x->spill >= 0)
        ra->ops->load_spill(ra->ctx, b, r, (unsigned)x->spill);
    else if (x->home >= 0)
        ra->ops->load_slot(ra->ctx, r, slot_of(ra, (uint32_t)x->home));
    else
        ra->failed = true;
    assign(ra, v, b, r);
    return r;
}

/* The slot that this instruction's result is put into right behind it, if nobody looks at what it
 * has until then; else IR_NONE. */
static uint32_t next_put(const struct ra *ra)
{
    const struct ir_insn *in = &ra->u->insns[ra->at];
    bool looks = ir_ops[in->op].effects & (IR_FX_FAULT | IR_FX_CALL | IR_FX_END);
    return !looks && in[1].op == IR_put && in[1].arg[0] == ra->at ? (uint32_t)in[1].imm : IR_NONE;
}

static void undirty(struct ra *ra, uint32_t slot);

/* What the slot of next_put has is on its way out: its register may be the result's. */
static void overwrite(struct ra *ra, uint32_t slot)
{
    ir_ref old = ra->dirty[slot];

    if (old == IR_NONE || needed_now_or_after(ra, old))
        return;
    undirty(ra, slot);
    release_if_dead(ra, old);
}

/* If it is free: in a loop, the register that the result is to be in at the end. */
static bool take_head(struct ra *ra, enum ra_bank b, uint32_t slot, unsigned *r)
{
    if (!ra->heads || ra->heads[slot] < 0 || !(free_regs(ra, b) & UINT32_C(1) << ra->heads[slot]))
        return false;
    *r = (unsigned)ra->heads[slot];
    return true;
}

unsigned ra_def(struct ra *ra, ir_ref v)
{
    enum ra_bank b = bank_of(ra, v);
    uint32_t slot = next_put(ra);
    unsigned r;

    if (slot != IR_NONE)
        overwrite(ra, slot);
    if (slot == IR_NONE || !take_head(ra, b, slot, &r))
        r = take_reg(ra, b);
    assign(ra, v, b, r);
    return r;
}

bool ra_dies(const struct ra *ra, ir_ref v)
{
    uint32_t slot;

    if (needed_after(ra, v) || ra->v[v].dirty > 1)
        return false;
    return !ra->v[v].dirty || ((slot = next_put(ra)) != IR_NONE && ra->dirty[slot] == v);
}

unsigned ra_def_from(struct ra *ra, ir_ref v, ir_ref a)
{
    enum ra_bank b = bank_of(ra, v);
    uint64_t c;
    unsigned r, from;

    if (!is_const(ra, a) && ra_dies(ra, a)) {
        r = ra_use(ra, a);
        if (ra->v[a].dirty)
            undirty(ra, next_put(ra));
        release(ra, a);
        assign(ra, v, b, r);
        return r;
    }
    if (ra_const(ra, a, &c)) {
        r = ra_def(ra, v);
        ra->ops->constant(ra->ctx, b, r, c);
        return r;
    }
    from = ra_use(ra, a);
    r = ra_def(ra, v);
    ra->ops->move(ra->ctx, b, r, from);
    return r;
}

enum ra_place ra_memory(const struct ra *ra, ir_ref v, unsigned *index)
{
    const struct ra_value *x = &ra->v[v];
    if (x->reg >= 0 || is_const(ra, v))
        return RA_NOWHERE;
    if (x->spill >= 0) {
        *index = (unsigned)x->spill;
        return RA_SPILL;
    }
    *index = (unsigned)x->home;
    return x->home >= 0 ? RA_SLOT : RA_NOWHERE;
}

void ra_release(struct ra *ra)
{
    const struct ir_life *life = &ra->lives[ra->at];

    for (unsigned m = life->dies; m; m &= m - 1)
        release_if_dead(ra, ra->u->insns[ra->at].arg[__builtin_ctz(m)]);
    if (!life->uses)
        release_if_dead(ra, ra->at);
}

/* ---- guest registers ---- */

static void undirty(struct ra *ra, uint32_t slot)
{
    ir_ref v = ra->dirty[slot];

    if (v == IR_NONE)
        return;
    ra->dirty[slot] = IR_NONE;
    ra->v[v].dirty--;
    for (uint32_t i = 0; i < ra->ndirty; i++) {
        if (ra->dirty_list[i] == slot) {
            ra->dirty_list[i] = ra->dirty_list[--ra->ndirty];
            break;
        }
    }
}

void ra_evict_home(struct ra *ra, uint32_t slot)
{
    ir_ref v = ra->mem[slot];

    if (v == IR_NONE)
        return;
    struct ra_value *x = &ra->v[v];
    if ((needed_now_or_after(ra, v) || x->dirty) && x->reg < 0 && x->spill < 0)
        ra_use(ra, v);
    drop_home(ra, v);
}

static void write_back(struct ra *ra, uint32_t slot)
{
    ir_ref v = ra->dirty[slot];
    uint64_t c;

    ra_evict_home(ra, slot);
    if (ra_const(ra, v, &c))
        ra->ops->store_slot_const(ra->ctx, c, slot_of(ra, slot));
    else
        ra->ops->store_slot(ra->ctx, ra_use(ra, v), slot_of(ra, slot));
    undirty(ra, slot);
    if (!is_const(ra, v) && ra->v[v].home < 0)
        set_home(ra, v, slot);
}

void ra_get(struct ra *ra, ir_ref v, uint32_t slot)
{
    ir_ref now = ra->dirty[slot];

    if (now == v || ra->mem[slot] == v)
        return; /* from the head of a loop on */
    if (now != IR_NONE) {
        ra_def_from(ra, v, now);
    } else if (ra->mem[slot] == IR_NONE) {
        set_home(ra, v, slot);
    } else {
        ra->ops->load_slot(ra->ctx, ra_def(ra, v), slot_of(ra, slot));
    }
}

void ra_put(struct ra *ra, uint32_t slot, ir_ref v)
{
    ir_ref old = ra->dirty[slot];

    undirty(ra, slot);
    if (old != IR_NONE && old != v)
        release_if_dead(ra, old);
    if (ra->mem[slot] == v)
        return; /* it is there */
    if (ra->ndirty == ARRAY_LEN(ra->dirty_list)) {
        ra->failed = true;
        return;
    }
    ra->dirty[slot] = v;
    ra->v[v].dirty++;
    ra->dirty_list[ra->ndirty++] = slot;
}

void ra_write_back_slot(struct ra *ra, uint32_t slot)
{
    ir_ref v = ra->dirty[slot];
    uint32_t locked[RA_BANKS] = {ra->locked[RA_INT], ra->locked[RA_VEC]};

    write_back(ra, slot);
    memcpy(ra->locked, locked, sizeof locked);
    if (!needed_now_or_after(ra, v))
        release_if_dead(ra, v);
}

void ra_write_back(struct ra *ra)
{
    while (ra->ndirty && !ra->failed)
        ra_write_back_slot(ra, ra->dirty_list[0]);
}

static void forget_home(struct ra *ra, ir_ref v)
{
    if (needed_now_or_after(ra, v) && ra->v[v].reg < 0 && ra->v[v].spill < 0) {
        uint32_t locked[RA_BANKS] = {ra->locked[RA_INT], ra->locked[RA_VEC]};
        ra_use(ra, v);
        memcpy(ra->locked, locked, sizeof locked);
    }
    drop_home(ra, v);
}

void ra_forget_homes(struct ra *ra)
{
    for (uint32_t w = 0; w < (ra->u->names->nslots + 63) / 64; w++) {
        while (ra->homes[w])
            forget_home(ra, ra->mem[w * 64 + (unsigned)__builtin_ctzll(ra->homes[w])]);
    }
}

/* ---- calls and blocks ---- */

/* A value in a register that a call clobbers and that has no other place, or IR_NONE. */
static ir_ref call_loses(const struct ra *ra)
{
    for (unsigned b = 0; b < RA_BANKS; b++) {
        for (uint32_t m = ra->used[b] & ra->ops->clobbered[b]; m; m &= m - 1) {
            ir_ref v = ra->holds[b][__builtin_ctz(m)];
            if ((needed_after(ra, v) || ra->v[v].dirty) && !in_memory(ra, v))
                return v;
        }
    }
    return IR_NONE;
}

void ra_before_call(struct ra *ra)
{
    ir_ref v;

    while ((v = call_loses(ra)) != IR_NONE && !ra->failed)
        save(ra, v);
}

void ra_after_call(struct ra *ra)
{
    for (unsigned b = 0; b < RA_BANKS; b++) {
        for (uint32_t m = ra->used[b] & ra->ops->clobbered[b]; m; m &= m - 1)
            drop_reg(ra, ra->holds[b][__builtin_ctz(m)]);
        ra->locked[b] = 0;
    }
}

void ra_end_block(struct ra *ra)
{
    ra_write_back(ra);
    ra_forget_homes(ra);
    for (unsigned b = 0; b < RA_BANKS; b++) {
        for (uint32_t m = ra->used[b]; m; m &= m - 1) {
            ir_ref v = ra->holds[b][__builtin_ctz(m)];
            if (needed_after(ra, v) && ra->v[v].spill < 0 && !is_const(ra, v))
                spill(ra, v);
        }
    }
    for (unsigned b = 0; b < RA_BANKS; b++) {
        while (ra->used[b])
            drop_reg(ra, ra->holds[b][__builtin_ctz(ra->used[b])]);
    }
}

unsigned ra_param(struct ra *ra, ir_ref param)
{
    if (ra->v[param].spill < 0)
        ra->v[param].spill = (int16_t)new_spill(ra);
    return (unsigned)ra->v[param].spill;
}

/* ---- loops ---- */

bool ra_enter(struct ra *ra, ir_ref v, uint32_t slot, bool changed, unsigned spare)
{
    enum ra_bank b = ra_slot_bank(ra, slot);
    uint32_t free = free_regs(ra, b);

    if ((unsigned)__builtin_popcount(free) <= spare)
        return false;
    unsigned r = 31 - (unsigned)__builtin_clz(free); /* other values get the lowest one */
    ra->ops->load_slot(ra->ctx, r, slot_of(ra, slot));
    assign(ra, v, b, r);
    if (changed) {
        ra_put(ra, slot, v);
    } else {
        set_home(ra, v, slot);
        ra_extend(ra, v, ra->u->blocks[0].end); /* it stays where it is */
    }
    ra->heads[slot] = (int8_t)r;
    return true;
}

/* The value of a slot, or IR_NONE: its memory has it. */
static ir_ref value_in(const struct ra *ra, uint32_t slot)
{
    return ra->dirty[slot] != IR_NONE ? ra->dirty[slot] : ra->mem[slot];
}

int ra_slot_reg(const struct ra *ra, uint32_t slot)
{
    ir_ref v = value_in(ra, slot);
    return v == IR_NONE ? -1 : ra->v[v].reg;
}

void ra_load_head(const struct ra *ra, uint32_t slot)
{
    enum ra_bank b = ra_slot_bank(ra, slot);
    unsigned r = (unsigned)ra->heads[slot];
    ir_ref v = ra->dirty[slot];
    uint64_t c;

    if (v != IR_NONE && ra_const(ra, v, &c))
        ra->ops->constant(ra->ctx, b, r, c);
    else if (v != IR_NONE && ra->v[v].spill >= 0)
        ra->ops->load_spill(ra->ctx, b, r, (unsigned)ra->v[v].spill);
    else
        ra->ops->load_slot(ra->ctx, r, slot_of(ra, v == IR_NONE ? slot : (uint32_t)ra->v[v].home));
}

void ra_snapshot(struct ra *ra, struct jit_side *side, uint32_t *first, uint32_t *count)
{
    *first = (uint32_t)side->dirty.len;
    *count = ra->ndirty;
    for (uint32_t i = 0; i < ra->ndirty; i++) {
        uint32_t slot = ra->dirty_list[i];
        ir_ref v = ra->dirty[slot];
        const struct ra_value *x = &ra->v[v];
        struct jit_dirty d = {.slot = (uint16_t)slot};
        uint64_t c;

        if (x->reg >= 0) {
            d.where = x->bank == RA_VEC ? JIT_IN_VEC : JIT_IN_GPR;
            d.reg = (uint8_t)x->reg;
        } else if (ra_const(ra, v, &c)) {
            d.where = JIT_IN_CONST;
            d.index = (uint32_t)side->consts.len;
            vec_push(&side->consts, c);
        } else if (x->spill >= 0) {
            d.where = JIT_IN_SPILL;
            d.index = (uint32_t)x->spill;
        } else {
            d.where = JIT_IN_SLOT;
            d.index = (uint32_t)x->home;
        }
        vec_push(&side->dirty, d);
    }
}
