/*
 * transport.h - what transports have in common: how a driver and its device come together,
 * whatever the registers look like.
 *
 * VIRTIO 1.2, sections 2.1 to 2.4 and 3.1.  A transport has registers; what the driver
 * writes into them becomes the calls here, and what the device has to say becomes an
 * interrupt by the transport's operations.
 */
#ifndef DEV_VIRTIO_TRANSPORT_H
#define DEV_VIRTIO_TRANSPORT_H

#include "dev/device.h"
#include "dev/virtio/virtio.h"

#define VIO_F_RING_RESET 40

/* Bits of an interrupt's reason, as drivers read them. */
enum { VIO_INT_USED = 1, VIO_INT_CONFIG = 2 };

enum vio_ring { VIO_RING_DESC, VIO_RING_AVAIL, VIO_RING_USED };

struct vio_transport;

struct vio_transport_ops {
    /* The driver is to be interrupted: bits of the reason, and for VIO_INT_USED the queue. */
    void (*interrupt)(struct vio_transport *t, uint8_t why, unsigned queue);
    /* The driver or the machine reset the device: the transport's own registers too. */
    void (*reset)(struct vio_transport *t);
    /* Whether the device may reach memory now; NULL: it always may. */
    bool (*may_dma)(const struct vio_transport *t);
};

/* Exposed: the transport's registers show the fields. */
struct vio_transport {
    const struct vio_transport_ops *ops;
    struct dev *dev;      /* of which this is a part */
    struct vio_device *v; /* owned; NULL: there is none */
    uint32_t device_sel, driver_sel, queue_sel;
    uint64_t driver_features; /* as written; negotiated at FEATURES_OK */
    uint8_t status;
    uint8_t interrupt; /* reasons that the driver has not seen: the transport's to change */
    uint32_t generation;
    uint32_t left; /* queues with work left, a bit each */
    struct clock_event again;
};

/* dev is initialised; v is owned from here on, and may be NULL. */
void vio_transport_init(struct vio_transport *t, const struct vio_transport_ops *ops,
                        struct dev *dev, struct vio_device *v);
void vio_transport_fini(struct vio_transport *t);
/* The dev's operations of the same names, for its section. */
void vio_transport_reset(struct vio_transport *t);
void vio_transport_state(struct vio_transport *t, struct snap *s);
void vio_transport_poll(struct vio_transport *t);
void vio_transport_wait(struct vio_transport *t, struct dev_wait *w);
/* The device may reach memory (again): work that is left goes on soon. */
void vio_transport_resume(struct vio_transport *t);

/* ---- what registers show ---- */

/* The selected half of the features offered. */
uint32_t vio_offered(const struct vio_transport *t);
/* The selected queue, or NULL if there is none of this number. */
struct vio_queue *vio_selected(const struct vio_transport *t);
/* Device configuration; beyond its end it reads as 0. */
uint64_t vio_config_read(const struct vio_transport *t, uint64_t offset, unsigned size);

/* ---- what a driver does ---- */

/* The selected half of the features that it takes. */
void vio_driver_features(struct vio_transport *t, uint32_t value);
/* Adds status bits; 0 resets.  FEATURES_OK stays only if the device agrees. */
void vio_driver_status(struct vio_transport *t, uint8_t value);
/* The selected queue's size, and bits [shift, shift + 32) of its addresses; not while it is in
 * use. */
void vio_driver_queue_size(struct vio_transport *t, uint32_t value);
void vio_driver_queue_address(struct vio_transport *t, enum vio_ring ring, unsigned shift,
                              uint32_t value);
/* It is in use from now on, or not. */
void vio_driver_queue_ready(struct vio_transport *t, bool ready);
/* As after the device's reset; only with VIO_F_RING_RESET.  2.6.1 */
void vio_driver_queue_reset(struct vio_transport *t);
/* Buffers are there in queue n, which may be any number. */
void vio_driver_notify(struct vio_transport *t, uint32_t n);
void vio_driver_config(struct vio_transport *t, uint64_t offset, unsigned size, uint64_t value);

#endif
