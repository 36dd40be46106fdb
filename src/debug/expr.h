/*
 * expr.h - the language of conditions and of `print`: C's operators on 64-bit integers.
 *
 *     $a0 == 3 && u32[sp + 8] < limit      sstatus.SPP ? sepc : ra      s8(a1 >> 4) * -1
 *
 * Operands: numbers (decimal, 0x, 0b, octal; with u behind them unsigned), characters, registers by
 * name or alias ($a0 or a0), their fields (sstatus.SPP), symbols (&name where a register is called
 * the same, 'name' for odd ones: their addresses), memory at a virtual address (u8[..] to u64[..],
 * s8[..] to s64[..]; what is not there reads as 0), casts (u8(..) to s64(..)).
 *
 * As in C, with 64-bit int: an operation is unsigned if an operand is.  Unsigned are symbols, u64,
 * numbers with u and those from 2^63 on.  Where C leaves open what happens, it is as RISC-V has it:
 * x / 0 is -1, x % 0 is x, shifts are by the low six bits.
 *
 * A text becomes a program (agent.h), which is what it means.
 */
#ifndef DEBUG_EXPR_H
#define DEBUG_EXPR_H

#include "debug/agent.h"

/* Where the symbols are. */
struct dbg_names {
    bool (*find)(void *opaque, const char *name, uint64_t *value);
    /* Appends the few names that are most like it; may be NULL. */
    void (*near)(void *opaque, const char *name, struct buf *out);
    void *opaque;
};

/* Sets *a; names may be NULL.  -EINVAL with what is wrong, and the column, from 1. */
int dbg_expr_compile(struct dbg_agent *a, const char *text, const struct guest *g,
                     const struct dbg_names *names, struct err *e);
/* What it comes to now; whether that is unsigned in *is_unsigned, which may be NULL. */
int dbg_expr_eval(const char *text, struct cpu *c, const struct dbg_names *names, uint64_t *value,
                  bool *is_unsigned, struct err *e);

#endif
