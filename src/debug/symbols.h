/*
 * symbols.h - names of code and data, from ELF files and from a running kernel; what files know of
 * lines and frames.
 *
 * One table for any number of files, each with an offset of its own.  A name may stand for
 * several places (functions of several files).  One thread at a time.
 */
#ifndef DEBUG_SYMBOLS_H
#define DEBUG_SYMBOLS_H

#include "base/buf.h"
#include "base/err.h"
#include "board/board.h"
#include "debug/dwarf.h"

struct dbg_symbol {
    const char *name;
    uint64_t start, end; /* virtual, [start, end): by its size; without one, to the next symbol */
    bool code;           /* else it is of data */
    bool sized;          /* the end is not a guess */
};

struct dbg_symbols;
struct dbg_symbols *dbg_symbols_new(void);
void dbg_symbols_free(struct dbg_symbols *t);

/* Adds those of the board's kernel and firmware. */
void dbg_symbols_board(struct dbg_symbols *t, const struct board *b);
/* Adds those of an ELF file, `offset` added to each address.  An error: it cannot be read, or names no
 * code. */
int dbg_symbols_file(struct dbg_symbols *t, const char *path, uint64_t offset, struct err *e);
/* Adds one without a size, by itself; dbg_symbols_added behind the last of some. */
void dbg_symbols_add(struct dbg_symbols *t, const char *name, uint64_t start, bool code);
void dbg_symbols_added(struct dbg_symbols *t);
/* How many there are. */
size_t dbg_symbols_count(const struct dbg_symbols *t);

/* The n-th (from 0) of this name, by address; NULL: there are no more. */
const struct dbg_symbol *dbg_symbols_named(struct dbg_symbols *t, const char *name, size_t n);
/* The n-th whose name has this prefix, by name; NULL: there are no more. */
const struct dbg_symbol *dbg_symbols_prefixed(struct dbg_symbols *t, const char *prefix, size_t n);
/* The one that an address lies in, the innermost; or NULL. */
const struct dbg_symbol *dbg_symbols_at(const struct dbg_symbols *t, uint64_t addr);

/* " <name+0x10>" if there is one at addr, else nothing. */
void dbg_symbols_text(const struct dbg_symbols *t, uint64_t addr, struct buf *out);
/* "memcpy, memcmp": the few names that are most like it, if any is. */
void dbg_symbols_near(const struct dbg_symbols *t, const char *name, struct buf *out);

/* ---- what debugging information says; see dwarf.h ---- */

bool dbg_symbols_line(const struct dbg_symbols *t, uint64_t addr, struct dbg_line *line);
void dbg_symbols_places(const struct dbg_symbols *t, const char *file, unsigned *line,
                        struct dbg_addrs *out);
uint64_t dbg_symbols_body(const struct dbg_symbols *t, uint64_t addr);
bool dbg_symbols_unwind(const struct dbg_symbols *t, const struct dbg_frame *f, dbg_load_fn *load,
                        void *opaque, struct dbg_frame *caller);

#endif
