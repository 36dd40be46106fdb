/*
 * regs.h - registers as text and by name, from the guest's table.  Machine
 * thread only.
 */
#ifndef DEBUG_REGS_H
#define DEBUG_REGS_H

#include "base/buf.h"
#include "base/err.h"
#include "cpu/guest.h"

/* pc and the integer registers, in columns. */
void dbg_regs_general(struct cpu *c, struct buf *out);
/* All of one kind. */
void dbg_regs_kind(struct cpu *c, enum reg_kind kind, struct buf *out);
/* One register with its fields: "sstatus = 0x... SPP:S SPIE:1". */
void dbg_reg(struct cpu *c, uint32_t row, struct buf *out);

/* The row of a name or alias ("$sp", "sp", "x2"); negative with a message. */
int dbg_reg_find(const struct guest *g, const char *name, struct err *e);
int dbg_reg_set(struct cpu *c, uint32_t row, uint64_t value, struct err *e);

#endif
