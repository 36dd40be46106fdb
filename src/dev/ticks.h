/*
 * ticks.h - counters that run at a fixed rate of virtual time, and their events.
 *
 * All arithmetic is exact: a counter's value is a function of the nanosecond,
 * and an event for a value is set for the first nanosecond that has it.
 */
#ifndef DEV_TICKS_H
#define DEV_TICKS_H

#include <stdint.h>

#include "clock/clock.h"
#include "snap/snap.h"

#define DEV_NS_PER_SEC UINT64_C(1000000000)

/* The value at `ns` of a counter of `hz` ticks a second that started at 0. */
static inline uint64_t dev_ticks(uint64_t ns, uint64_t hz)
{
    return (uint64_t)((unsigned __int128)ns * hz / DEV_NS_PER_SEC);
}

/* The first ns at which dev_ticks(ns, hz) >= ticks; CLOCK_NEVER if that is beyond time. */
static inline uint64_t dev_ticks_when(uint64_t ticks, uint64_t hz)
{
    unsigned __int128 ns = ((unsigned __int128)ticks * DEV_NS_PER_SEC + hz - 1) / hz;
    return ns >= CLOCK_NEVER ? CLOCK_NEVER : (uint64_t)ns;
}

/* A pending event as a field of a section: when it is due, or CLOCK_NEVER.  Set anew on load;
 * handlers of events that are due together must not depend on their order. */
void dev_snap_event(struct snap *s, const char *name, struct clock *clock, struct clock_event *e);

#endif
