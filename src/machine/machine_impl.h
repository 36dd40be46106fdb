/*
 * machine_impl.h - the inside of a struct machine, among the files of this
 * folder: machine.c runs it, state.c hashes and saves it, point.c goes back to an
 * earlier state.
 */
#ifndef MACHINE_MACHINE_IMPL_H
#define MACHINE_MACHINE_IMPL_H

#include <stdatomic.h>

#include "host/host_thread.h"
#include "machine/machine.h"

/* The hashes of a region's pages as of the last machine_hash. */
struct page_hashes {
    const struct mem_region *region;
    uint64_t *pages; /* one a page; 0: blank */
};

/*
 * Time is counted in ticks of one instruction each.  A CPU that has charged n
 * instructions is at tick n + shift: shift grows while it is halted.  Within a
 * window a CPU may be at any tick from start on; one that had its turn before the window
 * was shortened is beyond its end, and has that much less in the next.
 */
struct machine {
    struct machine_config config;
    const struct guest *guest;
    struct mem *mem;
    struct clock clock;
    struct board *board;
    struct accel *accel;
    struct cpu *cpu[BOARD_CPUS];
    uint32_t frozen;   /* by CPU; no part of the state */
    bool break_wanted; /* see machine_debug_stop; likewise */

    /* The schedule: part of the state. */
    uint64_t start, end; /* ticks: the open window; between windows both are now */
    bool open;           /* a window is open */
    bool begun;          /* the turn's CPU has been told of its turn */
    unsigned turn;
    uint32_t awake; /* by CPU: takes part in the window */
    uint64_t shift[BOARD_CPUS];
    enum board_end how;
    unsigned code;

    bool in_run;          /* machine_run runs */
    struct cpu *running;  /* inside its engine's run */
    uint64_t host_offset; /* realtime: virtual ns - host's, while machine_run runs */
    bool live;            /* realtime: the host's clock counts */
    atomic_bool interrupted;
    struct host_wake wake;
    bool wake_made;
    struct dev_wait doors; /* scratch of a wait; owned */
    struct {
        VEC(uint64_t);
    } watched; /* physical pages with MEM_ATTR_WATCH */

    /* Of machine_hash: RAM and flash. */
    struct page_hashes *hashes;
    size_t nhashes;
    uint64_t ram_hash; /* the sum over all pages */

    struct {
        uint64_t windows, shortened, idle_ns, waits;
    } count;
};

/* Virtual ns at a tick, and the first tick at or behind a time (UINT64_MAX: beyond all). */
uint64_t machine_ns(const struct machine *m, uint64_t tick);
uint64_t machine_tick(const struct machine *m, uint64_t ns);

/* state.c */
void machine_hash_fini(struct machine *m);

#endif
