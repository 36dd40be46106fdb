/*
 * accel.h - engines: run one CPU until there is a reason to stop.
 *
 * Every engine charges the same instructions, takes interrupts at the same
 * instruction and leaves the same state; only speed differs.  An engine belongs to
 * one machine and serves all its CPUs.  Machine thread only.
 */
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include "base/buf.h"
#include "base/err.h"
#include "cpu/debug.h"
#include "cpu/guest.h"

enum accel_stop {
    ACCEL_BUDGET, /* the budget is used up, to the instruction */
    ACCEL_HALT,   /* the CPU waits for an interrupt */
    ACCEL_BREAK,  /* a probe at pc says stop; its instruction has not begun */
    ACCEL_QUIT,   /* c->quit was set: by a device, the firmware, a shorter window, a debugger */
};

struct accel;

/* Code that an engine made and has now: of a basic block of the guest. */
struct accel_unit {
    uint64_t pc, paddr;
    uint64_t paddr2; /* of the next page's first byte, if the last instruction goes on there; else 0 */
    uint32_t context;
    uint32_t bytes, ninsns;         /* of guest code */
    uint32_t host_bytes;            /* 0: there is no host code */
    uint32_t links_in;              /* jumps of other units that lead straight here */
    uint32_t exits, links_out;      /* ways out to a known pc; those that lead straight there */
    const void *made;               /* the engine's own */
};
/* c: the CPU that it was made for; NULL if that is not known. */
typedef void accel_unit_fn(void *opaque, struct cpu *c, const struct accel_unit *k);

/* Who is told of units: when one was made for c, and when one is about to go (c is NULL then) for one of the
 * reasons that there are words for; others are the debugger's own doing.  `told` changes nothing, but may
 * want a debugger's stop of the CPU that runs (debug.h): before the instruction at pc for a unit that was
 * made or is evicted, behind that which writes for one that is invalidated. */
struct accel_watcher {
    void (*told)(void *opaque, struct cpu *c, enum cpu_unit_event what,
                 const struct accel_unit *k);
    void *opaque;
    struct accel_watcher *next; /* the engine's */
};

struct accel_ops {
    const char *name; /* "interp", "jit" */
    const char *doc;
    /* Runs c until c->budget is 0 or a stop.  c->count_end and c->budget are the caller's; c->ahead
     * is 0 before and after.  c->stop_passed: the probe at pc is left out (once), and what the
     * debugger says of that (debug.h, `passed`) is asked in its place. */
    enum accel_stop (*run)(struct accel *a, struct cpu *c);
    /* Translated code is stale: all of memory was replaced, or what `lift` makes of probes. */
    void (*flush)(struct accel *a);
    /* The probes at these virtual and physical pcs came, went or changed. */
    void (*probes_changed)(struct accel *a, struct cpu_pcs virtual, struct cpu_pcs physical);
    /* There are virtual watches now, and may be from now on; NULL: that is all the same to it. */
    void (*watches)(struct accel *a);
    /* Guest code, IR and host code of the unit at pc, for people. */
    void (*explain)(struct accel *a, struct cpu *c, uint64_t pc, struct buf *out);
    /* Calls fn for each unit that there is, in no order. */
    void (*units)(struct accel *a, accel_unit_fn *fn, void *opaque);
    /* As explain, of a unit that fn was given; c: any CPU. */
    void (*show)(struct accel *a, struct cpu *c, const struct accel_unit *k, struct buf *out);
    /* Nanoseconds of the host's time for c to run u so many times, as the engine runs what it makes.
     * u has no effects, no instruction, and ends with exit_stop; c's pc may be u's behind that.
     * UINT64_MAX: it cannot be compiled. */
    uint64_t (*time)(struct accel *a, struct cpu *c, struct ir_unit *u, unsigned runs);
    /* "name value unit meaning" rows; see counters below. */
    void (*counters)(struct accel *a, void (*row)(void *opaque, const char *name, uint64_t value,
                                                  const char *unit, const char *doc),
                     void *opaque);
    void (*free)(struct accel *a);
};

struct accel {
    const struct accel_ops *ops;
    struct accel_watcher *watchers;
};

struct accel_config {
    const struct guest *guest;
    struct mem *mem;
    unsigned ncpus;
    size_t code_size;      /* jit: bytes of code memory; 0: default */
    uint32_t max_insns;    /* of a unit; 0: the guest's limit */
    int break_op;          /* for the proof of `verify`: the JIT computes this IR op (enum ir_op) wrongly;
                              -1: none */
};

/* By name ("jit", "interp").  NULL with a message: unknown, or not on this host. */
struct accel *accel_new(const char *name, const struct accel_config *config, struct err *e);
void accel_free(struct accel *a);
/* w is told of units from now on; it stays the caller's, in place, until it is not any more. */
void accel_watch(struct accel *a, struct accel_watcher *w);
void accel_unwatch(struct accel *a, struct accel_watcher *w);
/* Names and one line each. */
void accel_list(struct buf *out);

/* ---- the interpreter as a part: interp.c ---- */

/* Units in IR by pc, physical address and context, run by ir_interp.  The JIT uses it for
 * single precise instructions and the tails of budgets. */
struct interp;
struct interp *interp_new(const struct accel_config *config);
void interp_free(struct interp *it);
void interp_flush(struct interp *it);
void interp_probes_changed(struct interp *it, struct cpu_pcs virtual, struct cpu_pcs physical);
/* Whether a probe at pc, where no unit can be had, says stop. */
bool interp_probe_stops(struct interp *it, struct cpu *c);
/* Runs at most `limit` instructions at pc (precisely: devices may be touched), interrupts aside; traps
 * are entered.  ACCEL_BUDGET: limit or budget reached, or something wants the run loop (c->pending).
 * With a limit of 1 a probe at pc is left out; else ACCEL_BREAK if one says stop. */
enum accel_stop interp_step(struct interp *it, struct cpu *c, int64_t limit);

#endif
