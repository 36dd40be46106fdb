/*
 * clint.h - SiFive's core-local interruptor: software interrupts and machine
 * timers of up to CLINT_HARTS harts.
 *
 * Layout: SiFive U54-MC manual, chapter 9; the window is 64 KiB.  mtime is the
 * virtual time in ticks, moved by what the guest writes to it.
 */
#ifndef DEV_CLINT_H
#define DEV_CLINT_H

#include "dev/device.h"

#define CLINT_HARTS 8
#define CLINT_SIZE 0x10000

struct clint_config {
    unsigned nharts;          /* 1 to CLINT_HARTS */
    uint64_t hz;              /* ticks of mtime a second */
    struct dev_line msi, mti; /* wires to the harts; the hart is added to the number */
    /* The guest wrote mtime: comparisons elsewhere must be made anew.  May be NULL. */
    void (*moved)(void *opaque);
    void *opaque;
};

struct clint;

struct clint *clint_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                        const struct clint_config *config);
struct dev *clint_dev(struct clint *c);

/* mtime now. */
uint64_t clint_time(const struct clint *c);
/* The first ns at which mtime is at least `tick`; the present if it is so already. */
uint64_t clint_when(const struct clint *c, uint64_t tick);

#endif
