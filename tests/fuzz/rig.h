/*
 * rig.h - devices on a bus, and programs for them that are read from the input.
 *
 * A program runs twice: once as it is and once with the devices saved, made anew and loaded at
 * each checkpoint.  Both must show the same to the guest and to the doors.
 */
#ifndef TESTS_FUZZ_RIG_H
#define TESTS_FUZZ_RIG_H

#include "base/buf.h"
#include "dev/device.h"
#include "tests/fuzz/fuzz.h"

#define RIG_RAM      UINT64_C(0x80000000)
#define RIG_RAM_SIZE UINT64_C(0x20000)
#define RIG_ROM      UINT64_C(0x1000)
#define RIG_DEV      UINT64_C(0x10000000) /* the first device's window; the others' follow */
#define RIG_DEV_SIZE UINT64_C(0x2000000)
#define RIG_DEVS     8
#define RIG_WIRES    128
#define RIG_OPS_MAX  40

struct rig;
typedef void rig_op(struct rig *r);

/* What is on the bus and what programs do.  A target defines one, rig_target; rig.c has the rest.
 */
struct rig_kind {
    void (*make)(struct rig *r); /* plugs the devices; again at a checkpoint */
    void (*fini)(struct rig *r); /* at the program's end; may be NULL */
    size_t own;                  /* bytes of rig.own */
    rig_op *begin;               /* the first operation of each program; may be NULL */
    rig_op *ops[RIG_OPS_MAX];    /* up to the first NULL */
    bool outside; /* they depend on more than the input: the program runs once, and devices are
                     reset and loaded in place */
};

/* What a checkpoint replaces. */
struct rig_bus {
    struct mem *mem;
    struct clock *clock;
    struct dev *dev[RIG_DEVS];
    const uint32_t *places[RIG_DEVS]; /* offsets where its registers lie, up to UINT32_MAX */
    unsigned ndevs;
};

struct rig {
    const struct rig_kind *kind;
    struct fuzz_in in;
    bool renews; /* at checkpoints */
    uint64_t now;
    struct rig_bus bus;
    bool wire[RIG_WIRES];
    uint64_t seen; /* a hash of all that was seen from outside */
    void *own;     /* the target's, 0 at first */
};

extern const struct rig_kind rig_target;

/* For make: puts a device on the bus and resets it.  places: see above; size 0: it is not the bus
 * that leads to it, but may be its own base. */
void rig_plug(struct rig *r, struct dev *d, uint64_t size, const uint32_t *places);
struct dev_line rig_line(struct rig *r, unsigned wire);
/* Doors of bytes: what they take is seen, what they give is the input's. */
struct dev_chars rig_chars(struct rig *r);

/* Something is seen from outside.  FUZZ_TRACE in the environment has it printed. */
void rig_see(struct rig *r, const char *what, uint64_t value);

/* An address that a guest might think of: mostly in RAM. */
uint64_t rig_address(struct rig *r);
void rig_poke(struct rig *r, uint64_t addr, unsigned size, uint64_t value);
uint64_t rig_peek(struct rig *r, uint64_t addr, unsigned size);
/* Any access by a CPU, and one to a device, as far as the bus lets it through. */
void rig_store(struct rig *r, uint64_t addr, unsigned size, uint64_t value);
uint64_t rig_load(struct rig *r, uint64_t addr, unsigned size);
void rig_write(struct rig *r, unsigned dev, uint64_t offset, unsigned size, uint64_t value);
uint64_t rig_read(struct rig *r, unsigned dev, uint64_t offset, unsigned size);

/* Operations that suit all devices. */
rig_op rig_op_write, rig_op_read, rig_op_poke, rig_op_store, rig_op_time, rig_op_poll, rig_op_look,
    rig_op_checkpoint, rig_op_damage, rig_op_reset;
#define RIG_OPS                                                                                    \
    rig_op_write, rig_op_read, rig_op_poke, rig_op_store, rig_op_time, rig_op_poll, rig_op_look,   \
        rig_op_checkpoint, rig_op_damage, rig_op_reset

#endif
