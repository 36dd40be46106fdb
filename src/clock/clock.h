/*
 * clock.h - virtual time and what is due when.
 *
 * Time is nanoseconds since the machine's reset, a function of the retired
 * instructions (machine.h).  Events lie in their owner's memory; those due at
 * one time fire in the order in which they were set.  Machine thread only.
 */
#ifndef CLOCK_CLOCK_H
#define CLOCK_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_NEVER UINT64_MAX

struct clock_event {
    uint64_t when, seq; /* valid while pending */
    size_t index;       /* in the heap */
    bool pending;
    void (*fire)(void *opaque);
    void *opaque;
};

struct clock {
    struct clock_event **heap;
    size_t len, cap;
    uint64_t seq;
    uint64_t (*now)(void *opaque);      /* installed by the machine */
    void (*sooner)(void *opaque);       /* the earliest time moved forward: windows shrink */
    void *opaque;
};

void clock_init(struct clock *c, uint64_t (*now)(void *), void (*sooner)(void *), void *opaque);
void clock_fini(struct clock *c); /* events stay their owners' */

uint64_t clock_now(const struct clock *c);

void clock_event_init(struct clock_event *e, void (*fire)(void *), void *opaque);
/* Sets or moves; `when` may be in the past (fires next).  CLOCK_NEVER cancels. */
void clock_set(struct clock *c, struct clock_event *e, uint64_t when);
void clock_cancel(struct clock *c, struct clock_event *e);
/* Sets as it was when a snapshot was taken, with its seq then, so that events due at one time fire
 * in the same order again; CLOCK_NEVER: it was not pending. */
void clock_restore(struct clock *c, struct clock_event *e, uint64_t when, uint64_t seq);

/* When the earliest event is due, or CLOCK_NEVER. */
uint64_t clock_next(const struct clock *c);
/* Fires all that are due at `now`, those that they set for `now` included. */
void clock_run(struct clock *c, uint64_t now);

#endif
