/*
 * step.h - one CPU on its way to where a person means by "next", "finish" or "until".
 *
 * A plan says where; steps are what comes of it.  The machine runs in its own order meanwhile, all
 * of its CPUs, so that nothing the guest sees depends on it.  Instructions are carried out one by
 * one where each has to be looked at; over calls the machine runs to a point of its own, which
 * nobody else sees: an address on this CPU, and where a frame is meant, with its stack pointer, so
 * that neither recursion nor another thread is taken for it.  An interrupt or trap on the way is
 * run through, to where it came from.
 *
 * Anything else that stops the machine is the end of a plan: whoever runs it sees to that.  Machine
 * thread only, and only while the machine is at rest.
 */
#ifndef DEBUG_STEP_H
#define DEBUG_STEP_H

#include "debug/points.h"
#include "debug/symbols.h"
#include "debug/trace.h"

enum dbg_plan_kind {
    DBG_PLAN_NONE,
    DBG_PLAN_TO,        /* to one of some places */
    DBG_PLAN_OVER,      /* instructions, a call of a function being one */
    DBG_PLAN_LINE,      /* to the next source line, into functions whose lines are known */
    DBG_PLAN_LINE_OVER, /* likewise, over them */
};

/* Where the CPU is to come. */
struct dbg_place {
    uint64_t addr;
    bool physical;
    /* With this stack pointer, or one that is less than `slack` below it, in this address space. */
    bool framed;
    uint64_t sp, slack, space;
};

#define DBG_PLAN_PLACES 8

struct dbg_plan {
    enum dbg_plan_kind kind;
    unsigned cpu;
    uint64_t times;   /* instructions or lines, at least 1; not of DBG_PLAN_TO */
    unsigned nplaces; /* of DBG_PLAN_TO */
    struct dbg_place places[DBG_PLAN_PLACES];
};

/* The place where the function that the CPU is in returns to, in its caller's frame.  -ENOENT with
 * a message: nobody knows. */
int dbg_plan_out(struct cpu *c, const struct dbg_symbols *t, struct dbg_plan *plan, struct err *e);

struct dbg_step;
struct dbg_step *dbg_step_new(struct dbg_points *points, struct dbg_trace *trace, struct machine *m);
/* Before the points are freed. */
void dbg_step_free(struct dbg_step *s);

/* A plan instead of the one that there may be; symbols are needed to its end. */
void dbg_step_begin(struct dbg_step *s, const struct dbg_symbols *t, const struct dbg_plan *plan);
/* There is none any more, done or not. */
void dbg_step_end(struct dbg_step *s);
/* Whether the CPU is where the plan wanted it. */
bool dbg_step_done(const struct dbg_step *s);
/* The machine runs on by the plan.  MACHINE_COUNT: it is done, or `most` instructions were looked
 * at. MACHINE_BREAK may be a stop of its own: if nobody else wants it (dbg_points_stopped), it is
 * to be called again. */
enum machine_stop dbg_step_run(struct dbg_step *s, unsigned most);

/* Runs the machine until the CPU's count is not `count`, which it may not be already, or to another
 * stop. */
enum machine_stop dbg_step_one(struct dbg_trace *t, struct machine *m, unsigned cpu,
                               uint64_t count);

#endif
