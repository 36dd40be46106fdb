/*
 * ctl.h - the control loop: one thread owns the machine; everybody else asks.
 *
 * A front end calls ctl_call with a function; the control loop runs it at an
 * instruction boundary, between windows, with the machine at rest, and then wakes the
 * caller.  So no front end ever touches guest state, and there are no locks
 * around it.  Running and stopping are requests too.  That the machine came to rest
 * shows at ctl_news_fd.  Any thread but the machine's own, unless a call says more.
 */
#ifndef CONTROL_CTL_H
#define CONTROL_CTL_H

#include "base/err.h"
#include "debug/breaks.h"
#include "machine/machine.h"

struct ctl;

/* Why the machine is at rest. */
struct ctl_stop {
    enum machine_stop why;
    unsigned cpu;
    uint64_t pc, count;
    unsigned breakpoint; /* MACHINE_BREAK: its number, 0 if it is gone */
    enum board_end end;  /* MACHINE_ENDED */
    unsigned code;
};

/* Starts the machine's thread, at rest; owns m from now on (not if it returns NULL). */
struct ctl *ctl_new(struct machine *m, struct err *e);
/* Stops and frees the machine. */
void ctl_free(struct ctl *c);

/* Runs fn(m, arg) on the machine's thread and waits for it.  While the machine runs it is held for
 * the call and goes on after. */
void ctl_call(struct ctl *c, void (*fn)(struct machine *m, void *arg), void *arg);

/* Lets the machine run until count (UINT64_MAX: no end); returns at once. */
void ctl_run(struct ctl *c, uint64_t until);
/* Asks it to stop; returns at once (ctl_wait waits).  The machine's thread may do so too, from a
 * host door: the stop is then at the end of the window, the same one whenever it is run again. */
void ctl_pause(struct ctl *c);
/* Waits until the machine is at rest and says why; timeout in ms, negative: none.  False: timeout.
 */
bool ctl_wait(struct ctl *c, int timeout_ms, struct ctl_stop *stop);
bool ctl_running(struct ctl *c);

/* The machine's breakpoints; only to be touched inside ctl_call. */
struct dbg_breaks *ctl_breaks(struct ctl *c);

/* A file descriptor that becomes readable whenever news came (for poll); ctl_news_ack clears it. */
int ctl_news_fd(struct ctl *c);
void ctl_news_ack(struct ctl *c);

#endif
