/*
 * build.c - making units.
 */
#include <assert.h>
#include <string.h>

#include "ir/build.h"

enum { FIRST_INSNS = 128, FIRST_BLOCKS = 4, FIRST_EDGES = 4 };

/* The array grows to twice its size in the arena; the old one is left behind. */
static void *grow(struct arena *a, void *old, uint32_t *cap, size_t size, uint32_t first)
{
    uint32_t want = *cap ? *cap * 2 : first;
    void *mem = arena_raw(a, want * size);
    if (*cap)
        memcpy(mem, old, *cap * size);
    *cap = want;
    return mem;
}

void ir_unit_init(struct ir_unit *u, struct arena *a, const struct ir_names *names)
{
    *u = (struct ir_unit){.arena = a, .names = names};
}

static bool block_open(const struct ir_unit *u)
{
    if (!u->nblocks)
        return false;
    const struct ir_block *b = &u->blocks[u->nblocks - 1];
    return b->first == b->end || !(ir_ops[u->insns[b->end - 1].op].effects & IR_FX_END);
}

uint32_t ir_block_begin(struct ir_unit *u)
{
    assert(!block_open(u));
    if (u->nblocks == u->blocks_cap)
        u->blocks = grow(u->arena, u->blocks, &u->blocks_cap, sizeof *u->blocks, FIRST_BLOCKS);
    u->blocks[u->nblocks] = (struct ir_block){u->ninsns, u->ninsns};
    if (u->fold)
        ir_fold_block(u->fold);
    return u->nblocks++;
}

uint32_t ir_edge_new(struct ir_unit *u, uint32_t block, const ir_ref *args, uint32_t nargs)
{
    assert(nargs <= IR_EDGE_ARGS_MAX);
    if (u->nedges == u->edges_cap)
        u->edges = grow(u->arena, u->edges, &u->edges_cap, sizeof *u->edges, FIRST_EDGES);
    struct ir_edge *e = &u->edges[u->nedges];
    *e = (struct ir_edge){.block = block, .nargs = nargs};
    if (nargs) {
        e->args = arena_array(u->arena, ir_ref, nargs);
        memcpy(e->args, args, nargs * sizeof *args);
    }
    return u->nedges++;
}

void ir_grow(struct ir_unit *u)
{
    u->insns = grow(u->arena, u->insns, &u->insns_cap, sizeof *u->insns, FIRST_INSNS);
}

ir_ref ir_emit(struct ir_unit *u, enum ir_op op, enum ir_type type, ir_ref a, ir_ref b, ir_ref c,
               uint64_t imm, unsigned aux)
{
    struct ir_insn i = {
        .op = (uint8_t)op,
        .type = (uint8_t)type,
        .aux = (uint16_t)aux,
        .arg = {a, b, c},
        .imm = imm,
    };
    if (op == IR_insn) {
        if (!u->guest_insns++)
            u->pc = imm;
    } else if (u->fold) {
        return ir_fold_insn(u->fold, &i);
    }
    return ir_append(u, &i);
}

ir_ref ir_const(struct ir_unit *u, enum ir_type type, uint64_t value)
{
    if (u->fold)
        return ir_fold_const(u->fold, type, value);
    if (type == IR_I32 || type == IR_F32)
        value = (uint32_t)value;
    return ir_emit(u, IR_const, type, IR_NONE, IR_NONE, IR_NONE, value, 0);
}

ir_ref ir_param(struct ir_unit *u, enum ir_type type)
{
    uint32_t index = u->ninsns - u->blocks[u->nblocks - 1].first;
    return ir_emit(u, IR_param, type, IR_NONE, IR_NONE, IR_NONE, index, 0);
}

ir_ref ir_get(struct ir_unit *u, uint32_t slot)
{
    assert(slot < u->names->nslots);
    if (u->fold)
        return ir_fold_get(u->fold, u->names->slots[slot].type, slot);
    return ir_emit(u, IR_get, u->names->slots[slot].type, IR_NONE, IR_NONE, IR_NONE, slot, 0);
}

void ir_put(struct ir_unit *u, uint32_t slot, ir_ref value)
{
    if (u->fold)
        ir_fold_put(u->fold, slot, value);
    else
        ir_emit(u, IR_put, IR_VOID, value, IR_NONE, IR_NONE, slot, 0);
}

ir_ref ir_un(struct ir_unit *u, enum ir_op op, enum ir_type type, ir_ref a)
{
    return ir_emit(u, op, type, a, IR_NONE, IR_NONE, 0, 0);
}

ir_ref ir_bin(struct ir_unit *u, enum ir_op op, enum ir_type type, ir_ref a, ir_ref b)
{
    return ir_emit(u, op, type, a, b, IR_NONE, 0, 0);
}

ir_ref ir_select(struct ir_unit *u, enum ir_type type, ir_ref cond, ir_ref a, ir_ref b)
{
    return ir_emit(u, IR_select, type, cond, a, b, 0, 0);
}

ir_ref ir_load(struct ir_unit *u, enum ir_type type, ir_ref addr, int64_t offset, unsigned mo)
{
    return ir_emit(u, IR_load, type, addr, IR_NONE, IR_NONE, (uint64_t)offset, mo);
}

void ir_store(struct ir_unit *u, ir_ref addr, int64_t offset, ir_ref value, unsigned mo)
{
    ir_emit(u, IR_store, IR_VOID, addr, value, IR_NONE, (uint64_t)offset, mo);
}

ir_ref ir_call(struct ir_unit *u, uint32_t helper, ir_ref a, ir_ref b, ir_ref c)
{
    assert(helper < u->names->nhelpers);
    enum ir_type type = u->names->helpers[helper].result ? IR_I64 : IR_VOID;
    return ir_emit(u, IR_call, type, a, b, c, helper, 0);
}

void ir_insn_mark(struct ir_unit *u, uint64_t pc, unsigned len)
{
    ir_emit(u, IR_insn, IR_VOID, IR_NONE, IR_NONE, IR_NONE, pc, len);
}

void ir_br(struct ir_unit *u, uint32_t edge)
{
    ir_emit(u, IR_br, IR_VOID, edge, IR_NONE, IR_NONE, 0, 0);
}

void ir_brif(struct ir_unit *u, ir_ref cond, uint32_t then_edge, uint32_t else_edge)
{
    ir_emit(u, IR_brif, IR_VOID, cond, then_edge, else_edge, 0, 0);
}

void ir_exit_pc(struct ir_unit *u, uint64_t pc)
{
    ir_emit(u, IR_exit_pc, IR_VOID, IR_NONE, IR_NONE, IR_NONE, pc, 0);
}

void ir_exit_ind(struct ir_unit *u, ir_ref pc, unsigned hint)
{
    ir_emit(u, IR_exit_ind, IR_VOID, pc, IR_NONE, IR_NONE, 0, hint);
}

void ir_exit_loop(struct ir_unit *u)
{
    ir_emit(u, IR_exit_loop, IR_VOID, IR_NONE, IR_NONE, IR_NONE, 0, 0);
}

void ir_exit_stop(struct ir_unit *u)
{
    ir_emit(u, IR_exit_stop, IR_VOID, IR_NONE, IR_NONE, IR_NONE, 0, 0);
}

void ir_rename_args(struct ir_insn *i, const ir_ref *to)
{
    unsigned values = ir_value_args(i);
    for (unsigned n = 0; n < values; n++)
        i->arg[n] = to[i->arg[n]];
}

void ir_rename_edges(struct ir_unit *u, const ir_ref *to)
{
    for (uint32_t e = 0; e < u->nedges; e++) {
        struct ir_edge *edge = &u->edges[e];
        for (uint32_t n = 0; n < edge->nargs; n++) {
            edge->args[n] = to[edge->args[n]];
            if (edge->args[n] == IR_NONE)
                edge->nargs = 0;
        }
    }
}

void ir_unit_copy(struct ir_unit *dst, struct arena *a, const struct ir_unit *src)
{
    *dst = *src;
    dst->arena = a;
    dst->lives = NULL;
    dst->insns = arena_copy(a, src->insns, src->ninsns * sizeof *src->insns);
    dst->insns_cap = src->ninsns;
    dst->blocks = arena_copy(a, src->blocks, src->nblocks * sizeof *src->blocks);
    dst->blocks_cap = src->nblocks;
    dst->edges = arena_copy(a, src->edges, src->nedges * sizeof *src->edges);
    dst->edges_cap = src->nedges;
    for (uint32_t i = 0; i < dst->nedges; i++) {
        struct ir_edge *e = &dst->edges[i];
        e->args = arena_copy(a, e->args, e->nargs * sizeof *e->args);
    }
}
