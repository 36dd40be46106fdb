/*
 * points.h - breakpoints, watchpoints and catchpoints, by the numbers that people know
 * them by.
 *
 * One list for a machine, which all front ends share.  A point says what it waits for; what it
 * needs of the CPUs (cpu/debug.h) is worked out when the machine is about to run.  Machine
 * thread only, and only while the machine is at rest.
 */
#ifndef DEBUG_POINTS_H
#define DEBUG_POINTS_H

#include <stdbool.h>

#include "base/buf.h"
#include "debug/agent.h"
#include "machine/machine.h"

enum dbg_kind {
    DBG_BREAK,
    DBG_WATCH,
    DBG_CATCH,
    DBG_EXEC, /* code that runs for the first time: a stop before its first instruction, and then it is
                 disabled; whoever enables it waits again */
    DBG_UNITS, /* translated code comes or goes: the only stops that depend on the engine and on how much
                  memory it has */
};

/* A point.  Whoever makes one fills what it waits for, with the rest 0. */
struct dbg_point {
    unsigned number; /* given by dbg_points_add */
    enum dbg_kind kind;
    bool disabled;
    bool temporary; /* goes when it stops the machine */
    bool internal;  /* nobody is shown it, or can change it by its number */
    bool physical;  /* addr is; else it is virtual */
    bool every; /* DBG_BREAK, virtual: it is for each execution of the instruction, also that with
                   which a CPU goes on from a stop, past all points there; but only once for each */
    uint64_t addr;  /* of an instruction, or of what is watched */

    uint64_t len;      /* DBG_WATCH: bytes, not 0 */
    uint8_t access;    /* CPU_WATCH_* */
    bool changed_only; /* writes that leave the bytes as they were do not count */

    enum cpu_event event;    /* DBG_CATCH */
    uint64_t first, last;    /* what it tells (a) must lie in here; DBG_EXEC: addresses of instructions;
                                DBG_UNITS: of bytes of code */
    uint8_t units;           /* DBG_UNITS: bits, of enum cpu_unit_event */

    uint32_t cpus;     /* bits; 0: on any CPU */
    bool one_space;    /* only in this address space (tlb.space) */
    uint64_t space;
    struct dbg_agent cond; /* not 0 to stop; looked at before an instruction, behind an access */
    uint64_t ignore;       /* so many hits more do not stop */
    struct dbg_agent *commands; /* run at a hit, which then does not stop; malloc'ed, or NULL */
    unsigned ncommands;
    const void *owner;     /* whose it is; NULL: everybody's */
    char *text;            /* how a person said it, malloc'ed; NULL: nobody did */
    /* DBG_BREAK: what a hit does instead of stopping.  True: the machine comes to MACHINE_BREAK all
     * the same, and nobody hears of it.  NULL: it stops. */
    bool (*act)(void *opaque, struct cpu *c);
    void *opaque;
    uint64_t *asked; /* `every`: by CPU, the count at which it was looked at last; the list's own */

    /* The cost meter. */
    uint64_t hits, evals; /* stops and ignored ones; how often it was looked at */
    struct dbg_meter {
        uint64_t n, timed; /* how often; of these, with the clock */
        uint64_t ns;       /* of the host's time in these */
    } looks, work;         /* looks: not of DBG_BREAK; work: `act`, commands, conditions behind accesses */
};

/* What became of translated code. */
struct dbg_unit {
    unsigned n; /* units of which this is the first; 0: there is none */
    enum cpu_unit_event what;
    uint64_t pc;
    uint32_t bytes, ninsns; /* of guest code */
    bool by_device;         /* CPU_UNIT_INVALIDATED: written between instructions; else: */
    uint64_t by;            /* the instruction that writes, or has a device do it */
};

#define DBG_HITS 16

/* Why the machine stopped: only what counted. */
struct dbg_hit {
    unsigned point[DBG_HITS]; /* numbers of points; more than fit are not told */
    unsigned npoints;
    const void *owner;      /* of all of them; NULL: they have not one owner, or everybody's are among them */
    struct cpu_touch touch; /* of the first watchpoint among them */
    uint64_t old;           /* what was there */
    bool caught;            /* a catchpoint is among them: */
    enum cpu_event event;   /* of the last one */
    uint64_t a, b;
    bool ran;               /* a DBG_EXEC is among them: */
    struct cpu_range code;  /* of the last one */
    struct dbg_unit unit;   /* of all DBG_UNITS among them */
};

struct dbg_points;

/* Sets itself up as the machine's debugger. */
struct dbg_points *dbg_points_new(struct machine *m);
/* The machine is without a debugger then. */
void dbg_points_free(struct dbg_points *p);

/* What commands print, of the owner's point; called within a CPU's run. */
typedef void dbg_print_fn(void *opaque, const void *owner, const char *text, size_t len);
void dbg_points_on_print(struct dbg_points *p, dbg_print_fn *print, void *opaque);

/* The new one's number; takes cond, commands and text over. */
unsigned dbg_points_add(struct dbg_points *p, const struct dbg_point *point);
/* Whether there are DBG_POINTS_MAX: people are to make no more. */
#define DBG_POINTS_MAX 65536
bool dbg_points_full(const struct dbg_points *p);
/* By number, or NULL: there is none, or an internal one. */
struct dbg_point *dbg_points_find(const struct dbg_points *p, unsigned number);
/* The first one with a number of at least `from` that is not internal, or NULL: for going through all. */
struct dbg_point *dbg_points_next(const struct dbg_points *p, unsigned from);
/* An internal one's number is given again if it was the last. */
bool dbg_points_delete(struct dbg_points *p, unsigned number);
/* What it waits for was changed. */
void dbg_points_changed(struct dbg_points *p, const struct dbg_point *point);
/* Whether a breakpoint that is not disabled is at the virtual address: this owner's, or with NULL
 * anybody's. */
bool dbg_points_at(const struct dbg_points *p, uint64_t addr, const void *owner);

/* Who answers what agent programs ask about traces (agent.h, DBG_ASK_*). */
typedef uint64_t dbg_answer(void *opaque, struct cpu *c, uint64_t what, uint64_t a, uint64_t b);
void dbg_points_answer(struct dbg_points *p, dbg_answer *answer, void *opaque);

/* The machine was put back to its start, from where its counts come again. */
void dbg_points_reset(struct dbg_points *p);
/* The machine is about to run. */
void dbg_points_apply(struct dbg_points *p);
/* The machine came to MACHINE_BREAK.  False: nobody wants that stop, and it is to run on.  What was hit
 * is in *hit; temporary ones among it are gone. */
bool dbg_points_stopped(struct dbg_points *p, struct dbg_hit *hit);

/* What looking at a breakpoint costs: its condition and what decides behind it are run by the engine
 * some thousand times, where the machine is now.  Nanoseconds; below 0: it is none, or its condition is
 * more than a look. */
double dbg_points_look_ns(struct dbg_points *p, struct dbg_point *point);
/* Appends what a point has cost, and how that was found out; nothing if nobody looked at it yet. */
void dbg_points_cost(struct dbg_points *p, struct dbg_point *point, struct buf *out);
/* A line for a point, as people see it. */
void dbg_point_describe(const struct dbg_point *point, const struct guest *g, struct buf *out);
/* The name of an event ("trap"), and an event by its name; CPU_EVENTS: there is none. */
const char *dbg_event_name(enum cpu_event e);
enum cpu_event dbg_event_find(const char *name);
const char *dbg_unit_event_name(enum cpu_unit_event e);

#endif
