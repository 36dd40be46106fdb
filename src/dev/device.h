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

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/vec.h"
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

/* A way for message-signalled interrupts: a word written at an address.  Whoever is behind it lets
 * them reach interrupt controllers and nothing else, for the guest chooses both. */
struct dev_msi {
    void (*send)(void *opaque, uint64_t address, uint32_t data); /* NULL: there are none */
    void *opaque;
};

/* A register for people: the debugger lists these by name. */
struct dev_reg {
    const char *name;
    uint32_t offset; /* in the device's first window */
    uint8_t size;    /* bytes */
    const char *doc;
};

/* What the machine's thread waits for on the host while all CPUs wait. */
struct dev_wait {
    VEC(struct pollfd);
    uint64_t ns; /* at most so long, by the host's clock; UINT64_MAX: no matter how long */
};

static inline void dev_wait_fd(struct dev_wait *w, int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    vec_push(w, p);
}

struct dev;

/* The operations; const, one for each kind of device. */
struct dev_class {
    const char *name;              /* "ns16550a" */
    const char *doc;               /* one line */
    const struct dev_reg *regs;    /* ends with a NULL name */
    const struct mem_ops *bus;     /* opaque is the struct dev * */
    bool flash;                    /* its window is flash: see mem.h */
    void (*reset)(struct dev *d);
    void (*state)(struct dev *d, struct snap *s); /* see snap.h; the section is the device's name */
    void (*free)(struct dev *d); /* NULL: there is but the struct, by malloc */
    /* Reads a register with no side effect, for debuggers; false: not readable so. */
    bool (*peek)(struct dev *d, uint64_t offset, unsigned size, uint64_t *value);
    /* Called between windows of execution: takes what host doors have.  May be NULL. */
    void (*poll)(struct dev *d);
    /* Adds what poll would find something at.  May be NULL. */
    void (*wait)(struct dev *d, struct dev_wait *w);
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
/* Ends it; its window has to be off the bus, or the bus to be gone too. */
void dev_free(struct dev *d);
/* Puts its window on the bus. */
int dev_map(struct dev *d, uint64_t base, uint64_t size, struct err *e);

/* A door for bytes, as a serial port sees it; the front end is behind it. */
struct dev_chars {
    /* Bytes from the guest; never blocks the machine for long. */
    void (*write)(void *opaque, const uint8_t *data, size_t len);
    /* Takes up to len bytes that wait for the guest; 0 if none.  Only called from poll. */
    size_t (*read)(void *opaque, uint8_t *data, size_t len);
    void *opaque;
    /* Adds what read may find bytes at; NULL: whoever has some wakes the machine. */
    void (*wait)(void *opaque, struct dev_wait *w);
};

/* A named stream of bytes, of a virtio console.  "console" is one for people. */
struct dev_port {
    const char *name;
    struct dev_chars chars;
};

#define DEV_FRAME_MAX 1518 /* bytes: Ethernet, one VLAN tag, without the checksum */

/* A door to a network, for Ethernet frames without their checksums.  It is told the virtual
 * time (ns), so that its timers need no other clock. */
struct dev_net {
    /* A frame from the guest; what cannot be sent is lost. */
    void (*send)(void *opaque, uint64_t now, const uint8_t *frame, size_t len);
    /* The next frame for the guest, of at most DEV_FRAME_MAX bytes; 0: none.  Only called from
     * poll. */
    size_t (*receive)(void *opaque, uint64_t now, uint8_t *frame);
    /* Adds what receive may find frames at. */
    void (*wait)(void *opaque, struct dev_wait *w);
    void *opaque;
    uint8_t mac[6];
};

struct host_share;

/* A folder of the host's that the guest may see. */
struct dev_share {
    const char *tag; /* what the guest mounts */
    struct host_share *share;
};

/* A door to a disk.  Synchronous; 0 or a negative errno. */
struct dev_disk {
    int (*read)(void *opaque, uint64_t offset, void *buf, size_t len);
    int (*write)(void *opaque, uint64_t offset, const void *buf, size_t len);
    int (*flush)(void *opaque);
    void *opaque;
    uint64_t size; /* bytes, a multiple of 512 */
    bool read_only;
    /* These bytes read as 0 from now on, and need no room on the host; NULL: zeroes are
     * written. */
    int (*zero)(void *opaque, uint64_t offset, uint64_t len);
};

#endif
