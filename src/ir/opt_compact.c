/*
 * opt_compact.c - drops the nops that other passes left.
 */
#include "ir/build.h"

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
            ir_rename_args(&u->insns[out++], to);
        }
        block->end = out;
    }
    u->ninsns = next;
    u->lives = NULL;
    ir_rename_edges(u, to);
}
