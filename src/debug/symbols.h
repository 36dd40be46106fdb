/*
 * symbols.h - names of code, from ELF files.
 *
 * One table for any number of files, each with an offset of its own.  A name may stand for
 * several places (functions of several files).  One thread at a time.
 */
#ifndef DEBUG_SYMBOLS_H
#define DEBUG_SYMBOLS_H

#include "base/buf.h"
#include "base/err.h"
#include "board/board.h"

struct dbg_symbol {
    const char *name;
    uint64_t start, end; /* virtual, [start, end): by its size; without one, to the next symbol */
};

struct dbg_symbols;
struct dbg_symbols *dbg_symbols_new(void);
void dbg_symbols_free(struct dbg_symbols *t);

/* Adds those of the board's kernel and firmware. */
void dbg_symbols_board(struct dbg_symbols *t, const struct board *b);
/* Adds those of an ELF file, `offset` added to each address.  An error: it cannot be read, or names no
 * code. */
int dbg_symbols_file(struct dbg_symbols *t, const char *path, uint64_t offset, struct err *e);

/* The n-th (from 0) of this name, by address; NULL: there are no more. */
const struct dbg_symbol *dbg_symbols_named(const struct dbg_symbols *t, const char *name, size_t n);
/* The n-th whose name has this prefix; NULL: there are no more. */
const struct dbg_symbol *dbg_symbols_prefixed(const struct dbg_symbols *t, const char *prefix,
                                              size_t n);
/* The one that an address lies in, the innermost; or NULL. */
const struct dbg_symbol *dbg_symbols_at(const struct dbg_symbols *t, uint64_t addr);

/* " <name+0x10>" if there is one at addr, else nothing. */
void dbg_symbols_text(const struct dbg_symbols *t, uint64_t addr, struct buf *out);
/* "memcpy, memcmp": the few names that are most like it, if any is. */
void dbg_symbols_near(const struct dbg_symbols *t, const char *name, struct buf *out);

#endif
