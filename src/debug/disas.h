/*
 * disas.h - instructions as text.
 *
 * The text is Capstone's; for what Capstone does not know, and for jumps, it is the guest's
 * own.  The length of an instruction is always the guest's.  One thread at a time.
 */
#ifndef DEBUG_DISAS_H
#define DEBUG_DISAS_H

#include "base/buf.h"
#include "cpu/guest.h"
#include "debug/symbols.h"

struct dbg_disas;

/* t outlives it and says where jumps lead; it may be NULL. */
struct dbg_disas *dbg_disas_new(const struct guest *g, const struct dbg_symbols *t);
void dbg_disas_free(struct dbg_disas *d);

/* Appends the text of the instruction at `bytes`; its length, 0 if it is not all in len. */
unsigned dbg_disas_one(struct dbg_disas *d, uint64_t pc, const uint8_t *bytes, size_t len,
                       struct buf *out);

/* What stands before a line. */
enum dbg_mark { DBG_MARK_PC = 1, DBG_MARK_BREAK = 2 };

/* Up to n lines from the CPU's virtual address, with bytes; mark (may be NULL) tells an address's
 * enum dbg_mark bits.  Says so where memory ends.  The address behind the last one. */
uint64_t dbg_disas_lines(struct dbg_disas *d, struct cpu *c, uint64_t addr, unsigned n,
                         unsigned (*mark)(void *opaque, uint64_t addr), void *opaque,
                         struct buf *out);

#endif
