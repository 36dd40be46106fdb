/*
 * machine.h - a whole machine: CPUs, board, engine, virtual time, windows.
 *
 * Time.  The machine runs in windows: each CPU that is not halted runs, in order of its index, from
 * the time at which the window starts to that at which it ends; then due events fire and host doors
 * are polled.  A window ends at the next event that is known when it starts, or after `slice`
 * instructions.  What happens in it may end it sooner, at the time of the CPU that runs then or later:
 * an event that a device sets, or a CPU that is woken (it runs from the next window on).  A CPU that
 * had its turn before the window was shortened is ahead and has so much less in the next.  A CPU that
 * halts lets the rest of the window pass.  If all are halted, time jumps to the next event.
 *
 *     ns = ticks * 1e9 / rate      a tick is one instruction's time
 *
 * Nothing here depends on the engine, on where a caller asks to stop, or on
 * breakpoints: a stop inside a window leaves the window open, and the next run goes on
 * with it.
 *
 * Position.  machine_count: instructions charged on all CPUs since reset.  MACHINE_COUNT leaves the
 * state right behind that instruction: what follows without a further instruction (an event that is
 * due, an interrupt that is pending) happens when the machine runs on.  At MACHINE_BREAK it has
 * happened.
 *
 * One thread owns a machine; only machine_interrupt and machine_wake may be called from others.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "accel/accel.h"
#include "board/board.h"

/* How long idle time takes is an input from outside, if it passes as on the wall. */
struct machine_idle {
    /* Idle time that began at tick `from` ended at `to`, sooner than the next event was due.  May be
     * NULL. */
    void (*ended)(void *opaque, uint64_t from, uint64_t to);
    /* In place of a wait: the tick at which idle time that begins at `from` ends, `next` at the latest
     * (UINT64_MAX: no event is due, ever; then the same says that it does not end).  NULL: the host is
     * waited for. */
    uint64_t (*replay)(void *opaque, uint64_t from, uint64_t next);
    void *opaque;
};

struct machine_config {
    struct board_config board; /* mem, clock, ended, changed, opaque are the machine's to fill */
    const char *guest;         /* "riscv64" */
    const char *isa;           /* NULL: everything */
    const char *engine;        /* "jit" or "interp" */
    struct accel_config accel; /* code_size, max_insns, break_op */
    struct tlb_config tlb;
    uint64_t rate;             /* instructions a virtual second: 1e9 by default */
    uint64_t slice;            /* instructions in the longest window; 0: the default */
    bool realtime;             /* virtual time is the host's clock: not deterministic */
    bool paced;                /* idle time passes as slowly as on the wall */
    struct machine_idle idle;
};

enum machine_stop {
    MACHINE_COUNT,       /* the count asked for is reached */
    MACHINE_BREAK,       /* a debugger's stop, of machine_turn's CPU */
    MACHINE_INTERRUPTED, /* machine_interrupt was called */
    MACHINE_ENDED,       /* the guest ended the machine: machine_end says how */
    MACHINE_IDLE,        /* all CPUs wait and no event is due, ever, and no door is open */
};

struct machine;

struct machine *machine_new(const struct machine_config *config, struct err *e);
void machine_free(struct machine *m);
/* Power-on state: images loaded again, counts and time 0. */
int machine_reset(struct machine *m, struct err *e);

/* Runs until machine_count is `until` (UINT64_MAX: no end) or another stop. */
enum machine_stop machine_run(struct machine *m, uint64_t until);

uint64_t machine_count(const struct machine *m);
uint64_t machine_time(const struct machine *m); /* virtual ns */
/* Ticks: machine_time, exactly (but not in real time).  Each time host doors are polled it is another
 * one. */
uint64_t machine_now(const struct machine *m);

/* From any thread or a signal handler: machine_run returns MACHINE_INTERRUPTED soon (at the end of the
 * window, or at once from an idle wait). */
void machine_interrupt(struct machine *m);
/* From any thread: a host door has something; wakes a paced idle wait. */
void machine_wake(struct machine *m);

/* As it was given, defaults filled in. */
const struct machine_config *machine_config(const struct machine *m);
unsigned machine_ncpus(const struct machine *m);
struct cpu *machine_cpu(const struct machine *m, unsigned index);
const struct guest *machine_guest(const struct machine *m);
struct mem *machine_mem(const struct machine *m);
struct board *machine_board(const struct machine *m);
struct accel *machine_accel(const struct machine *m);
/* The CPU whose turn it is (where MACHINE_BREAK was reached). */
unsigned machine_turn(const struct machine *m);
enum board_end machine_end(const struct machine *m, unsigned *code);

/* What a debugger wants of the CPUs (debug.h); d stays the caller's, and may change while the machine
 * is at rest: each change of its watches is told, and of probes the pcs at which some came, went or
 * changed.  NULL: there is no debugger. */
void machine_set_debug(struct machine *m, const struct cpu_debug *d);
void machine_watches_changed(struct machine *m);
void machine_probes_changed(struct machine *m, struct cpu_pcs virtual, struct cpu_pcs physical);
/* From a listener of the machine's memory or of its engine (mem_dma_listen, accel_watch): the run ends as a
 * debugger's stop, behind the instruction that is in progress, or between two instructions or windows. */
void machine_debug_stop(struct machine *m);
/* Whether machine_run is under way.  *c: the CPU whose turn it runs, or NULL: it is between turns. */
bool machine_runs(const struct machine *m, const struct cpu **c);
/* The probe at which a CPU is now is left out, once, when it runs on: for going on from a stop that was
 * told, and for a step. */
void machine_pass_probe(struct machine *m, unsigned cpu);
/* These CPUs, a bit each, take no interrupts but for such as end a wait; the others do. */
void machine_hold_interrupts(struct machine *m, uint32_t cpus);
/* These CPUs (a bit each) do not run while others do: time passes without them. */
void machine_freeze(struct machine *m, uint32_t cpus);

/* A hash of the whole state: CPUs, devices, schedule, all of RAM and flash.  Pages that were not
 * written since the last call are not read again. */
uint64_t machine_hash(struct machine *m);
/* Physical addresses of pages of RAM and flash that differ, as of the last machine_hash of both, up to max.
 * Both have the same map. */
size_t machine_hash_differ(const struct machine *a, const struct machine *b, uint64_t *pages,
                           size_t max);
/* All state but RAM and flash, as snap says; the hash's text form for a person with SNAP_LIST. */
void machine_state(struct machine *m, struct snap *s);

/* Every counter there is: name, value, unit, one-line meaning. */
void machine_counters(struct machine *m,
                      void (*row)(void *opaque, const char *name, uint64_t value, const char *unit,
                                  const char *doc),
                      void *opaque);

#endif
