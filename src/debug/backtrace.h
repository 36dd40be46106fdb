/*
 * backtrace.h - which functions called each other to where a CPU is.
 *
 * By the tables of files with debugging information; where those say nothing, by what the
 * function's first instructions have done with the return address and the stack, or by its frame
 * pointer.  Nothing is believed: each frame must lie above the one before.  Machine thread only.
 */
#ifndef DEBUG_BACKTRACE_H
#define DEBUG_BACKTRACE_H

#include "cpu/cpu.h"
#include "debug/symbols.h"

#define DBG_FRAMES_MAX 1000u

/* The CPU's own frame. */
void dbg_frame_first(struct cpu *c, struct dbg_frame *f);
/* The caller's.  False: f is the outermost one, or nobody knows. */
bool dbg_frame_up(struct cpu *c, const struct dbg_symbols *t, const struct dbg_frame *f,
                  struct dbg_frame *caller);

/* At most n frames, a line each. */
void dbg_backtrace(struct cpu *c, const struct dbg_symbols *t, unsigned n, struct buf *out);

#endif
