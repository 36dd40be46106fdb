/*
 * walk.h - a page walk, explained: each level's entry and what became of it.
 */
#ifndef DEBUG_WALK_H
#define DEBUG_WALK_H

#include "base/buf.h"
#include "cpu/guest.h"

/* As the CPU would translate now, without any change to anything.  Machine thread only. */
void dbg_walk(struct cpu *c, uint64_t vaddr, enum tlb_access access, struct buf *out);

#endif
