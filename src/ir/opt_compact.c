/*
 * opt_compact.c - drops the nops that other passes left.
 */
#include "ir/ir.h"

static void rename_args(struct ir_insn *i, const ir_ref *to)
{
    const struct ir_op_info *info = &ir_ops[i->op];
    for (unsigned n = 0; n < info->nargs; n++)
        if (info->args[n] != 'e' && i->arg[n] != IR_NONE)
            i->arg[n] = to[i->arg[n]];
}

/* An edge that no branch uses any more may name values that are gone: it loses them all. */
static void rename_edge(struct ir_edge *e, const ir_ref *to)
{
    for (uint32_t n = 0; n < e->nargs; n++) {
        e->args[n] = to[e->args[n]];
        if (e->args[n] == IR_NONE)
            e->nargs = 0;
    }
}

void ir_opt_compact(struct ir_unit *u)
{
    ir_ref *to = arena_array(u->arena, ir_ref, u->ninsns);
    ir_ref next = 0;
    for (ir_ref at = 0; at < u->ninsns; at++) {
        bool drop = u->insns[at].op == IR_nop;
        to[at] = drop ? IR_NONE : next;
        next += !drop;
    }
    for (uint32_t b = 0; b < u->nblocks; b++) {
        struct ir_block *block = &u->blocks[b];
        ir_ref first = block->first, end = block->end, out = b ? u->blocks[b - 1].end : 0;
        block->first = out;
        for (ir_ref at = first; at < end; at++) {
            if (to[at] == IR_NONE)
                continue;
            u->insns[out] = u->insns[at];
            rename_args(&u->insns[out++], to);
        }
        block->end = out;
    }
    u->ninsns = next;
    u->lives = NULL;
    for (uint32_t e = 0; e < u->nedges; e++)
        rename_edge(&u->edges[e], to);
}
