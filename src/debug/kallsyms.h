/*
 * kallsyms.h - the table of names that a Linux kernel carries with it (CONFIG_KALLSYMS), found in
 * the guest's memory.
 *
 * It is there as soon as the kernel is loaded.  Modules have tables of their own, which are not
 * looked for.  Machine thread only.
 */
#ifndef DEBUG_KALLSYMS_H
#define DEBUG_KALLSYMS_H

#include "base/err.h"
#include "debug/symbols.h"
#include "mem/mem.h"

/* Adds its names, if no kernel's are there yet; 0, or -ENOENT: there is none in RAM. */
int dbg_kallsyms(struct dbg_symbols *t, const struct mem *m, struct err *e);

#endif
