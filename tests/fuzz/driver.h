/*
 * driver.h - a driver of a virtio device that goes wrong now and then: programs for the rig.
 *
 * It sets queues up and offers chains of descriptors as the device wants them; then the
 * input has its way with registers, rings, descriptors and what they point to.
 */
#ifndef TESTS_FUZZ_DRIVER_H
#define TESTS_FUZZ_DRIVER_H

#include "dev/virtio/virtio.h"
#include "tests/fuzz/rig.h"

/* Where things are in RAM. */
#define DRIVER_QUEUES    8u
#define DRIVER_RING      UINT64_C(0x2000) /* a queue: descriptors, then the two rings */
#define DRIVER_AVAIL     UINT64_C(0x1000)
#define DRIVER_USED      UINT64_C(0x1300)
#define DRIVER_RINGS     RIG_RAM
#define DRIVER_DATA      (RIG_RAM + DRIVER_QUEUES * DRIVER_RING)
#define DRIVER_DATA_SIZE (RIG_RAM_SIZE - DRIVER_QUEUES * DRIVER_RING)
#define DRIVER_REQUEST   2048 /* bytes of a request, at most */

/* What rig.own begins with. */
struct driver {
    uint8_t transport; /* which: driver.c's */
    struct vio_device *device;
    unsigned queues;             /* that are used, DRIVER_QUEUES at most */
    uint32_t num[DRIVER_QUEUES]; /* entries of each */
    uint32_t at[DRIVER_QUEUES];  /* the next descriptor */
    uint64_t data;               /* offset of the next buffer */
    /* Makes a request for a queue: how many bytes it is, and how many the reply may have. */
    size_t (*request)(struct rig *r, unsigned queue, uint8_t *request, size_t *reply);
};

/* For rig_kind.make: plugs the device into a slot of virtio-mmio or of a PCI bus, as the input says
 * the first time. */
void driver_plug(struct rig *r, struct vio_device *v, unsigned queues,
                 size_t (*request)(struct rig *r, unsigned queue, uint8_t *request, size_t *reply));
/* A request that is all right, in one piece, and its notification. */
void driver_send(struct rig *r, unsigned queue, const uint8_t *request, size_t len, size_t reply);
/* A reply's length that suits nobody in particular. */
size_t driver_reply(struct rig *r);

rig_op driver_op_start, driver_op_offer, driver_op_flood, driver_op_ring, driver_op_notify,
    driver_op_reset_queue;
/* Chains are most of it. */
#define DRIVER_OPS                                                                                 \
    driver_op_start, driver_op_offer, driver_op_offer, driver_op_offer, driver_op_offer,           \
        driver_op_flood, driver_op_ring, driver_op_notify, driver_op_reset_queue, RIG_OPS

#endif
