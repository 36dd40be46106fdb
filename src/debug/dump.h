/*
 * dump.h - translated code, explained: of each unit of a range of addresses its guest code, IR before
 * and after each pass, and host code.
 *
 * Addresses are virtual, and of every address space.  Machine thread only.
 */
#ifndef DEBUG_DUMP_H
#define DEBUG_DUMP_H

#include "base/buf.h"
#include "base/vec.h"
#include "debug/symbols.h"
#include "machine/machine.h"

struct dbg_range {
    uint64_t start, end; /* [start, end); start < end */
};
struct dbg_ranges {
    VEC(struct dbg_range);
};

typedef void dbg_text_fn(void *opaque, const char *text, size_t len);

/* What is explained when it is made. */
struct dbg_dump {
    struct dbg_ranges ranges;
    const struct dbg_symbols *symbols;
    struct machine *m;
    struct accel_watcher watcher;
    dbg_text_fn *text;
    void *opaque;
    struct buf buf;
};

/* From now on, d->text gets each unit that has code in d->ranges (which may grow) right after it is
 * made, until dbg_dump_fini. */
void dbg_dump_start(struct dbg_dump *d, struct machine *m);
void dbg_dump_fini(struct dbg_dump *d);

/* The units that there are now, by address: a heading each, and unless `brief` its explanation.
 * Returns their number. */
size_t dbg_dump_present(struct machine *m, const struct dbg_ranges *r,
                        const struct dbg_symbols *symbols, bool brief, struct buf *out);

#endif
