/*
 * breaks.h - breakpoints, by the numbers that people know them by.
 *
 * One list for a machine; every change is handed to the machine at once.
 * Machine thread only.
 */
#ifndef DEBUG_BREAKS_H
#define DEBUG_BREAKS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/vec.h"
#include "machine/machine.h"

struct dbg_break {
    unsigned number;
    uint64_t addr; /* virtual */
    uint64_t hits;
};

struct dbg_breaks {
    VEC(struct dbg_break); /* by number */
    unsigned last;         /* the highest number given so far; none is given twice */
};

void dbg_breaks_fini(struct dbg_breaks *b);

/* The new one's number. */
unsigned dbg_breaks_add(struct dbg_breaks *b, struct machine *m, uint64_t addr);
bool dbg_breaks_delete(struct dbg_breaks *b, struct machine *m, unsigned number);
void dbg_breaks_delete_all(struct dbg_breaks *b, struct machine *m);

/* The machine stopped there: counts the hit.  The first one's number, 0 if there is none. */
unsigned dbg_breaks_hit(struct dbg_breaks *b, uint64_t addr);
bool dbg_breaks_at(const struct dbg_breaks *b, uint64_t addr);

/* A line for each. */
void dbg_breaks_list(const struct dbg_breaks *b, struct buf *out);

#endif
