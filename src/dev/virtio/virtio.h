/*
 * virtio.h - a virtio device apart from its transport.
 *
 * The transport owns the device: its registers lead to the operations here, and the
 * device tells it of used buffers, changed configuration and a broken guest.
 * Requests are carried out in order, within the notification as far as a budget goes and
 * the rest at set virtual times: deterministic.
 */
#ifndef DEV_VIRTIO_VIRTIO_H
#define DEV_VIRTIO_VIRTIO_H

#include "base/bits.h"
#include "base/log.h"
#include "dev/device.h"
#include "dev/virtio/queue.h"

#define VIO_QUEUES   18
#define VIO_CONFIG   64 /* bytes */
#define VIO_WARNINGS 5  /* of a broken queue, in one machine's life */

struct vio_device;

struct vio_ops {
    const char *name, *doc;
    uint32_t id;     /* VIRTIO 1.2, section 5 */
    unsigned queues; /* at most VIO_QUEUES */
    /* The queue is ready and checked.  True: work is left, and this is called again soon. */
    bool (*notify)(struct vio_device *v, unsigned queue);
    void (*reset)(struct vio_device *v);    /* by the driver: its own state; may be NULL */
    void (*power_on)(struct vio_device *v); /* what only the machine's reset changes; likewise */
    void (*state)(struct vio_device *v, struct snap *s);  /* likewise */
    void (*free)(struct vio_device *v);
    /* Between windows, while the driver is there: takes what host doors have.  May be NULL. */
    void (*poll)(struct vio_device *v);
    void (*wait)(struct vio_device *v, struct dev_wait *w); /* see device.h; may be NULL */
    /* The guest wrote into `config`; NULL: it cannot. */
    void (*config_write)(struct vio_device *v, uint64_t offset, unsigned size, uint64_t value);
};

enum vio_event { VIO_USED, VIO_CONFIG_CHANGED, VIO_BROKEN };

/* What every device's own struct begins with. */
struct vio_device {
    const struct vio_ops *ops;
    const char *name; /* the transport's, for messages */
    struct mem *mem;
    struct clock *clock;
    struct log *log;
    unsigned warned; /* how often of a broken queue */
    uint64_t offered;    /* feature bits, those of the queues included */
    uint64_t negotiated;
    uint8_t config[VIO_CONFIG]; /* device configuration, as the guest reads it */
    unsigned config_len;
    struct vio_queue queue[VIO_QUEUES];
    struct vio_chain chain; /* scratch of the request that is served */
    /* The transport's; queue: for VIO_USED. */
    void (*event)(void *opaque, enum vio_event what, unsigned queue);
    void *opaque;
};

/* The guest broke a rule: logs it, if not too often, and stops the device until it is reset.
 * 2.1.2 */
void vio_broken(struct vio_device *v, const char *why);

/* Serves one request, v->chain: NULL, or how the guest broke the rules.  `written`: bytes written
 * into it; `cost`: what it took from the budget. */
typedef const char *vio_serve_fn(struct vio_device *v, unsigned queue, uint32_t *written,
                                 uint64_t *cost);
/* Serves the requests that wait in a queue until `budget` is spent.  True: some are left. */
bool vio_serve(struct vio_device *v, unsigned queue, vio_serve_fn *serve, uint64_t budget);

/* The features that every device here offers. */
#define VIO_FEATURES (BIT(VIO_F_VERSION_1) | BIT(VIO_F_INDIRECT_DESC) | BIT(VIO_F_EVENT_IDX))

#endif
