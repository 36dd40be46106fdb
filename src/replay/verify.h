/*
 * verify.h - two machines side by side, on one log of inputs.
 */
#ifndef REPLAY_VERIFY_H
#define REPLAY_VERIFY_H

#include "machine/machine.h"

/* Runs the second machine in place of machine_run, with stops of its own on the way. */
struct verify_runner {
    void *(*start)(void *opaque, struct machine *m);   /* m is new; the result is passed to all others */
    void (*end)(void *runner);                         /* m is still there */
    enum machine_stop (*run)(void *runner, uint64_t until); /* as machine_run, without MACHINE_BREAK */
    /* Appends all that it knows; a runner that was given that back (another one too, with the machine
     * in the same state) goes on in the same way. */
    void (*save)(void *runner, struct buf *out);
    void (*load)(void *runner, const struct buf *saved);
    void (*report)(void *runner, struct buf *out);     /* for people, a line: what it did */
    void *opaque;
};

struct verify_config {
    /* They differ in engine, sizes, ...  The first one's doors are used, once; what came through
     * them is given to the second one, and to both when they run again.  Disks are only read: what
     * a guest writes is kept in memory. */
    struct machine_config a, b;
    const struct verify_runner *runner; /* of b; NULL: machine_run */
    uint64_t interval; /* instructions between comparisons */
    uint64_t until;    /* count to end at; UINT64_MAX: when the guest ends */
    /* Both consoles go nowhere but here; return true to end (a marker was seen). */
    bool (*console)(void *opaque, const uint8_t *data, size_t len);
    /* Progress: called at each comparison with count and hash; may be NULL.  true: stop. */
    bool (*progress)(void *opaque, uint64_t count, uint64_t hash);
    /* Asked whenever the first machine has waited for its doors, and before each try while the
     * instruction is searched; may be NULL.  true: stop. */
    bool (*stop)(void *opaque);
    int stop_fd; /* becomes readable when `stop` has something to say; -1: nothing does */
    void *opaque;
};
enum verify_result { VERIFY_SAME, VERIFY_DIFFERENT, VERIFY_STOPPED, VERIFY_ERROR };
/* Compares at every interval; where they differ, goes back and finds the instruction after which
 * they do.  report: for people: what was compared; or the instruction (in its first line), what
 * differs behind it, and the guest code, IR and host code of its unit; or where they differed when
 * it was stopped. */
enum verify_result verify_run(const struct verify_config *config, struct buf *report,
                              struct err *e);

#endif
