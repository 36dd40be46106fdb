/*
 * ctl.h - the control loop: one thread owns the machine; everybody else asks.
 *
 * A front end calls ctl_call with a function; the control loop runs it at an
 * instruction boundary, between windows, with the machine at rest, and then wakes the
 * caller.  So no front end ever touches guest state, and there are no locks
 * around it.  Running and stopping are requests too.  While the machine is at rest, a call and a
 * step are carried out by the caller's thread in the loop's place: nobody has to be woken.
 *
 * Several front ends may be clients at once.  Each hears that the machine came to rest, or
 * runs, whoever asked for it, and that another one left; the last one that asked is the one that is
 * heard.  Requests that name no client are the console's, which is there all the time.  A client that
 * asked for a run or a stop attends from then on: stops are for it, until it leaves.
 *
 * Whoever looks at something may hold the machine at rest: what others ask for waits then, as if the
 * machine ran, until each one that holds it has asked for a run or a step as well, or holds no more,
 * or is gone.  That is a vote for one run; the next one takes another.  While a run is under way for one
 * that holds, what others ask for is no more than to hear of its stop.
 * Any thread but the machine's own, unless a call says more.
 */
#ifndef CONTROL_CTL_H
#define CONTROL_CTL_H

#include "base/err.h"
#include "debug/points.h"
#include "debug/step.h"
#include "debug/symbols.h"
#include "debug/trace.h"
#include "machine/machine.h"

struct ctl;
struct ctl_client;

/* Why the machine is at rest. */
struct ctl_stop {
    enum machine_stop why;
    unsigned cpu;
    uint64_t pc, count;
    struct dbg_hit hit; /* MACHINE_BREAK */
    bool stepped;       /* MACHINE_COUNT: a step or plan is done */
    uint64_t number;    /* of stops: which one it is; 0: the machine has not run yet */
    enum board_end end; /* MACHINE_ENDED */
    unsigned code;
};

/* How the machine is to run. */
struct ctl_go {
    uint64_t until;     /* count to stop at; UINT64_MAX: no end */
    uint32_t frozen;    /* CPUs that do not run meanwhile, a bit each */
    bool step;          /* one instruction of `cpu`, and on while its pc is in [from, to) */
    bool hold;          /* a step takes no interrupt, but for one that ends the CPU's wait */
    unsigned cpu;
    uint64_t from, to;
    struct ctl_client *owner; /* who asks: its points stop it even where a CPU is already; or NULL */
    struct dbg_plan plan; /* not a step: it runs to where this leads, whatever `until` is */
};
#define CTL_GO ((struct ctl_go){.until = UINT64_MAX})

/* Starts the machine's thread, at rest; owns m from now on (not if it returns NULL). */
struct ctl *ctl_new(struct machine *m, struct err *e);
/* Stops and frees the machine.  There are no clients any more. */
void ctl_free(struct ctl *c);

/* Runs fn(m, arg) on the machine's thread and waits for it.  While the machine runs it is held for
 * the call and goes on after. */
void ctl_call(struct ctl *c, void (*fn)(struct machine *m, void *arg), void *arg);

/* Puts the machine back to power-on; if it is at rest it stays so, for no other reason any more. */
int ctl_reset(struct ctl *c, struct err *e);

/* Lets the machine run; returns at once. */
void ctl_run(struct ctl *c, const struct ctl_go *go);
/* The same for a step.  True: it is done already, as *stop says, which is no news to anybody: the
 * machine was at rest, and is. */
bool ctl_step(struct ctl *c, const struct ctl_go *go, struct ctl_stop *stop);
/* Asks it to stop; returns at once (ctl_wait waits).  The machine's thread may do so too, from a
 * host door: the stop is then at the end of the window, the same one whenever it is run again. */
void ctl_pause(struct ctl *c);
/* Waits until the machine is at rest and says why; timeout in ms, negative: none.  False: timeout.
 */
bool ctl_wait(struct ctl *c, int timeout_ms, struct ctl_stop *stop);
bool ctl_running(struct ctl *c);
/* Whether some client attends. */
bool ctl_attended(struct ctl *c);
/* Where a run ends that goes on because nobody attends any more (ctl_client_leave): a count; at first
 * UINT64_MAX, no end. */
void ctl_set_end(struct ctl *c, uint64_t count);

/* The machine's breakpoints and the like; only to be touched inside ctl_call. */
struct dbg_points *ctl_points(struct ctl *c);
/* What is known of the guest's code, the board's own ELF files to begin with; likewise. */
struct dbg_symbols *ctl_symbols(struct ctl *c);
/* Likewise its trace. */
struct dbg_trace *ctl_trace(struct ctl *c);

/* A client; any number of them.  NULL with a message.  kind, for people: "GDB"; NULL: it only listens.
 * What the commands of points print that it owns (dbg_point.owner) is kept for it. */
struct ctl_client *ctl_client_new(struct ctl *c, const char *kind, struct err *e);
void ctl_client_free(struct ctl_client *k);
/* As ctl_pause, for a client, which attends from now on.  Where the machine is at rest already, it is
 * whoever had it stopped that holds it. */
void ctl_client_pause(struct ctl_client *k);
/* The client attends no more; its points should be gone.  If no other client attends, and no request
 * of the console's came behind this one's, the machine is let go in the same moment: it runs, with all
 * its CPUs, to the end that ctl_set_end says.  But at a stop that this client has not seen, for a point
 * which is not its own, it stays at rest.  A client that does not attend may leave again: nothing is
 * done. */
void ctl_client_leave(struct ctl_client *k, bool seen);
/* Holds the machine from its next stop on (now, if it is at rest), or no more.  k NULL: the console. */
void ctl_hold(struct ctl *c, struct ctl_client *k, bool hold);
/* Whether a run or step waits for votes; appends whose, and what they may do, as a line for people. */
bool ctl_held(struct ctl *c, struct buf *out);
/* Appends a line for the console and each client: whether it attends, asked last, holds.  Any thread. */
void ctl_list_clients(struct ctl *c, struct buf *out);
/* A file descriptor that becomes readable whenever news came (for poll); ctl_client_ack clears it. */
int ctl_client_fd(const struct ctl_client *k);
void ctl_client_ack(struct ctl_client *k);
/* Appends what was printed for it since the last call; it is told as news.  Of more than CTL_TEXT_MAX
 * bytes at a time the rest is lost, which is said. */
#define CTL_TEXT_MAX (1u << 20)
void ctl_client_text(struct ctl_client *k, struct buf *out);

#endif
