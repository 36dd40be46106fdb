/*
 * virtio.h - a virtio device apart from its transport.
 *
 * The transport owns the device: its registers lead to the operations here, and the
 * device tells it of used buffers, changed configuration and a broken guest.
 * Requests are carried out in order within the notification: deterministic.
 */
#ifndef DEV_VIRTIO_VIRTIO_H
#define DEV_VIRTIO_VIRTIO_H

#include "base/bits.h"
#include "base/log.h"
#include "dev/virtio/queue.h"

#define VIO_QUEUES 4
#define VIO_CONFIG 64 /* bytes */

struct vio_device;

struct vio_ops {
    const char *name, *doc;
    uint32_t id;     /* VIRTIO 1.2, section 5 */
    unsigned queues; /* at most VIO_QUEUES */
    void (*notify)(struct vio_device *v, unsigned queue); /* the queue is ready and checked */
    void (*reset)(struct vio_device *v);                  /* its own state; may be NULL */
    void (*state)(struct vio_device *v, struct snap *s);  /* likewise */
    void (*free)(struct vio_device *v);
};

enum vio_event { VIO_USED, VIO_CONFIG_CHANGED, VIO_BROKEN };

/* What every device's own struct begins with. */
struct vio_device {
    const struct vio_ops *ops;
    const char *name; /* the transport's, for messages */
    struct mem *mem;
    struct log *log;
    uint64_t offered;    /* feature bits, those of the queues included */
    uint64_t negotiated;
    uint8_t config[VIO_CONFIG]; /* device configuration, as the guest reads it */
    unsigned config_len;
    struct vio_queue queue[VIO_QUEUES];
    void (*event)(void *opaque, enum vio_event what); /* the transport's */
    void *opaque;
};

/* The guest broke a rule: logs it and stops the device until it is reset.  2.1.2 */
static inline void vio_broken(struct vio_device *v, const char *why)
{
    log_warn(v->log, "%s: the guest broke a virtqueue: %s", v->name, why);
    v->event(v->opaque, VIO_BROKEN);
}

/* The features that every device here offers. */
#define VIO_FEATURES (BIT(VIO_F_VERSION_1) | BIT(VIO_F_INDIRECT_DESC) | BIT(VIO_F_EVENT_IDX))

#endif
