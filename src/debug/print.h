/*
 * print.h - printf with a format and arguments that a debugger's client gave: both are hostile.
 */
#ifndef DEBUG_PRINT_H
#define DEBUG_PRINT_H

#include "base/buf.h"
#include "cpu/cpu.h"

/* The format is as in C's source: with escapes such as \n and \033.  Conversions are d i u o x X c
 * s p and %%, with flags, a width and a precision (up to 999), and sizes; any other is shown as it
 * is. An argument that is not there is 0; %s takes the address of a string in c's memory. */
void dbg_print(struct cpu *c, const char *format, const uint64_t *args, unsigned nargs,
               struct buf *out);

#endif
