/*
 * device.h - what a device is, and all that it may see.
 *
 * A device is a value: its state per machine, and one const table of
 * operations.  It sees the bus (for DMA), the clock, its interrupt lines and the host
 * doors that the board hands it, and nothing of CPUs or engines.  Machine
 * thread only.  All that a guest writes is hostile: check it.
 */
#ifndef DEV_DEVICE_H
#define DEV_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "clock/clock.h"
#include "mem/mem.h"
#include "snap/snap.h"

/* A wire out of a device.  level is remembered by whoever receives it. */
struct dev_line {
    void (*set)(void *opaque, unsigned number, bool level);
    void *opaque;
    unsigned number;
};

static inline void dev_line_set(const struct dev_line *l, bool level)
{
    if (l->set)
        l->set(l->opaque, l->number, level);
}

/* A register for people: the debugger lists these by name. */
struct dev_reg {
    const char *name;
    uint32_t offset; /* in the device's first window */
    uint8_t size;    /* bytes */
    const char *doc;
};

struct dev;

/* The operations; const, one for each kind of device. */
struct dev_class {
    const char *name;              /* "ns16550a" */
    const char *doc;               /* one line */
    const struct dev_reg *regs;    /* ends with a NULL name */
    const struct mem_ops *bus;     /* opaque is the struct dev * */
    void (*reset)(struct dev *d);
    void (*state)(struct dev *d, struct snap *s); /* see snap.h; the section is the device's name */
    void (*free)(struct dev *d);
    /* Reads a register with no side effect, for debuggers; false: not readable so. */
    bool (*peek)(struct dev *d, uint64_t offset, unsigned size, uint64_t *value);
    /* Called between windows of execution: takes what host doors have.  May be NULL. */
    void (*poll)(struct dev *d);
};

/* What every device's own struct begins with. */
struct dev {
    const struct dev_class *class;
    char name[24];         /* "uart0" */
    uint64_t base, size;   /* its window on the bus */
    struct mem *mem;
    struct clock *clock;
    struct dev_line irq;
    struct log *log;       /* may be NULL */
};

/* Fills the common part. */
void dev_init(struct dev *d, const struct dev_class *class, const char *name, struct mem *mem,
              struct clock *clock, struct dev_line irq, struct log *log);
/* Puts its window on the bus. */
int dev_map(struct dev *d, uint64_t base, uint64_t size, struct err *e);

/* A door for bytes, as a serial port sees it; the front end is behind it. */
struct dev_chars {
    /* Bytes from the guest; never blocks the machine for long. */
    void (*write)(void *opaque, const uint8_t *data, size_t len);
    /* Takes up to len bytes that wait for the guest; 0 if none.  Only called from poll. */
    size_t (*read)(void *opaque, uint8_t *data, size_t len);
    void *opaque;
};

/* A door to a disk.  Synchronous; 0 or a negative errno. */
struct dev_disk {
    int (*read)(void *opaque, uint64_t offset, void *buf, size_t len);
    int (*write)(void *opaque, uint64_t offset, const void *buf, size_t len);
    int (*flush)(void *opaque);
    void *opaque;
    uint64_t size; /* bytes, a multiple of 512 */
    bool read_only;
};

#endif
