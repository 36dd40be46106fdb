/*
 * mmio.h - virtio over MMIO, version 2.
 *
 * VIRTIO 1.2, section 4.2.  One slot is one window of registers and one
 * interrupt; an empty slot reads as device id 0.
 */
#ifndef DEV_VIRTIO_MMIO_H
#define DEV_VIRTIO_MMIO_H

#include "dev/device.h"
#include "dev/virtio/virtio.h"

#define VIO_MMIO_SIZE 0x1000

/* v: its device, owned from here on, or NULL for an empty slot. */
struct dev *vio_mmio_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                         struct dev_line irq, struct vio_device *v);
/* The device in the slot, or NULL. */
struct vio_device *vio_mmio_device(struct dev *d);

#endif
