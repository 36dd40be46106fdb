/*
 * dwarf.h - the debugging information of one ELF file, by libdw: lines of sources, and how to get
 * from a function's frame to its caller's.
 *
 * It is read when it is first asked for; nothing but the bytes given is looked at.  Addresses are
 * the guest's: the file's plus an offset.  One thread at a time.
 */
#ifndef DEBUG_DWARF_H
#define DEBUG_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

struct dbg_dwarf;

/* data outlives it. */
struct dbg_dwarf *dbg_dwarf_new(const void *data, size_t len, uint64_t offset);
void dbg_dwarf_free(struct dbg_dwarf *d);

/* ---- lines ---- */

struct dbg_line {
    const char *file; /* as the compiler was told; lives as long as the dbg_dwarf */
    unsigned line;
    uint64_t from, to; /* this stretch of its code, [from, to) */
};
/* The line of the instruction at addr; unchanged if it is not known. */
bool dbg_dwarf_line(struct dbg_dwarf *d, uint64_t addr, struct dbg_line *line);

struct dbg_addrs {
    VEC(uint64_t);
};
/* Appends where a line's code begins: in each function or inlined copy of one the first place,
 * behind the prologue if that is a function's start.  `file` is a path or the last parts of one. If
 * there is no code on it, *line becomes the next one with code. */
void dbg_dwarf_places(struct dbg_dwarf *d, const char *file, unsigned *line, struct dbg_addrs *out);
/* Where the function that starts at addr has its prologue behind it; addr if that is not known. */
uint64_t dbg_dwarf_body(struct dbg_dwarf *d, uint64_t addr);

/* ---- frames ---- */

#define DBG_FRAME_REGS 32 /* by their numbers in DWARF */

struct dbg_frame {
    uint64_t pc;
    uint64_t reg[DBG_FRAME_REGS];
    uint32_t known;   /* bits: those that reg has */
    uint64_t cfa;     /* of the callee: where its frame ends; 0: not known */
    bool interrupted; /* pc is the next instruction; else it is behind a call */
};

typedef bool dbg_load_fn(void *opaque, uint64_t addr, uint64_t *value);

/* The frame of the caller.  False: the tables do not say. */
bool dbg_dwarf_unwind(struct dbg_dwarf *d, const struct dbg_frame *f, dbg_load_fn *load,
                      void *opaque, struct dbg_frame *caller);

#endif
