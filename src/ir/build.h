/*
 * build.h - what build.c and opt_forward.c need of each other.
 */
#ifndef IR_BUILD_H
#define IR_BUILD_H

#include "ir/ir.h"

/* Makes room for another instruction. */
void ir_grow(struct ir_unit *u);

/* Appends *i as it is.  (That the block is open is for ir_block_begin and ir_verify to see.) */
static inline ir_ref ir_append(struct ir_unit *u, const struct ir_insn *i)
{
    if (u->ninsns == u->insns_cap)
        ir_grow(u);
    u->insns[u->ninsns] = *i;
    u->blocks[u->nblocks - 1].end = u->ninsns + 1;
    return u->ninsns++;
}

/* Each operand v that is a value becomes to[v]. */
void ir_rename_args(struct ir_insn *i, const ir_ref *to);
/* Each argument v of an edge becomes to[v].  An edge that no branch uses any more may name values
 * that are gone (IR_NONE): it loses them all. */
void ir_rename_edges(struct ir_unit *u, const ir_ref *to);

/* The value that *i, of any operation but `insn`, comes to, appended if it is new; IR_NONE: nothing
 * is left of it. */
ir_ref ir_fold_insn(struct ir_fold *f, struct ir_insn *i);
/* The same for what is emitted most. */
ir_ref ir_fold_const(struct ir_fold *f, enum ir_type type, uint64_t value);
ir_ref ir_fold_get(struct ir_fold *f, enum ir_type type, uint32_t slot);
ir_ref ir_fold_put(struct ir_fold *f, uint32_t slot, ir_ref value);
/* A block begins. */
void ir_fold_block(struct ir_fold *f);

#endif
