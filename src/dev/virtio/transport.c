/* transport.c - see transport.h.  Section numbers are those of VIRTIO 1.2. */
#include "dev/virtio/transport.h"

#include "base/bits.h"
#include "dev/ticks.h"

/* 2.1 */
enum { S_DRIVER_OK = 4, S_FEATURES_OK = 8, S_NEEDS_RESET = 64 };

#define AGAIN_NS 1000 /* until a queue with work left is served again */

static void device_event(void *opaque, enum vio_event what, unsigned queue)
{
    struct vio_transport *t = opaque;

    if (what == VIO_USED) {
        t->ops->interrupt(t, VIO_INT_USED, queue);
        return;
    }
    if (what == VIO_BROKEN)
        t->status |= S_NEEDS_RESET;
    else
        t->generation++;
    if (t->status & S_DRIVER_OK)
        t->ops->interrupt(t, VIO_INT_CONFIG, 0);
}

/* 2.4: everything as after power-on, but the generation goes on. */
static void reset(struct vio_transport *t)
{
    t->device_sel = t->driver_sel = t->queue_sel = 0;
    t->driver_features = 0;
    t->status = t->interrupt = 0;
    t->left = 0;
    clock_cancel(t->dev->clock, &t->again);
    if (t->v) {
        t->v->negotiated = 0;
        for (unsigned i = 0; i < VIO_QUEUES; i++)
            vio_queue_reset(&t->v->queue[i]);
        if (t->v->ops->reset)
            t->v->ops->reset(t->v);
    }
    t->ops->reset(t);
}

/* 2.1.2: nothing happens before DRIVER_OK or after the device stopped. */
static bool live(const struct vio_transport *t)
{
    return t->v && t->status & S_DRIVER_OK && t->status & S_FEATURES_OK &&
           !(t->status & S_NEEDS_RESET) && (!t->ops->may_dma || t->ops->may_dma(t));
}

/* ---- what registers show ---- */

uint32_t vio_offered(const struct vio_transport *t)
{
    return t->v && t->device_sel < 2 ? (uint32_t)(t->v->offered >> (32 * t->device_sel)) : 0;
}

struct vio_queue *vio_selected(const struct vio_transport *t)
{
    return t->v && t->queue_sel < t->v->ops->queues ? &t->v->queue[t->queue_sel] : NULL;
}

uint64_t vio_config_read(const struct vio_transport *t, uint64_t offset, unsigned size)
{
    return t->v && offset + size <= t->v->config_len ? bits_load_le(t->v->config + offset, size)
                                                     : 0;
}

/* ---- what a driver does ---- */

void vio_driver_features(struct vio_transport *t, uint32_t value)
{
    if (t->driver_sel < 2 && !(t->status & S_FEATURES_OK))
        t->driver_features = bits_set(t->driver_features, t->driver_sel * 32, 32, value);
}

/* What a queue knows of the features. */
static void queue_features(struct vio_transport *t, struct vio_queue *q)
{
    q->event_idx = t->v->negotiated >> VIO_F_EVENT_IDX & 1;
    q->indirect = t->v->negotiated >> VIO_F_INDIRECT_DESC & 1;
}

/* FEATURES_OK stays only if the driver took a subset, with the modern interface.  3.1.1 */
static bool negotiate(struct vio_transport *t)
{
    struct vio_device *v = t->v;
    uint64_t f = t->driver_features;

    if (f & ~v->offered || !(f & BIT(VIO_F_VERSION_1)))
        return false;
    v->negotiated = f;
    for (unsigned i = 0; i < v->ops->queues; i++)
        queue_features(t, &v->queue[i]);
    return true;
}

/* The driver adds bits; only a reset takes one away. */
void vio_driver_status(struct vio_transport *t, uint8_t value)
{
    if (!value) {
        reset(t);
        return;
    }
    value |= t->status;
    if (value & ~t->status & S_FEATURES_OK && !(t->v && negotiate(t)))
        value &= (uint8_t)~S_FEATURES_OK;
    t->status = value;
}

void vio_driver_queue_size(struct vio_transport *t, uint32_t value)
{
    struct vio_queue *q = vio_selected(t);

    if (q && !q->ready && bits_pow2(value) && value <= VIO_QUEUE_MAX)
        q->num = (uint16_t)value;
}

void vio_driver_queue_address(struct vio_transport *t, enum vio_ring ring, unsigned shift,
                              uint32_t value)
{
    struct vio_queue *q = vio_selected(t);
    uint64_t *addr;

    if (!q || q->ready)
        return;
    addr = ring == VIO_RING_DESC ? &q->desc : ring == VIO_RING_AVAIL ? &q->avail : &q->used;
    *addr = bits_set(*addr, shift, 32, value);
}

void vio_driver_queue_ready(struct vio_transport *t, bool ready)
{
    struct vio_queue *q = vio_selected(t);
    const char *why;

    if (!q || q->ready == ready)
        return;
    why = ready ? vio_queue_check(q, t->dev->mem) : NULL;
    if (why) {
        vio_broken(t->v, why);
        return;
    }
    q->ready = ready;
    if (ready)
        q->next_avail = q->next_used = q->signalled = 0;
}

void vio_driver_queue_reset(struct vio_transport *t)
{
    struct vio_queue *q = vio_selected(t);

    if (!q || !(t->v->negotiated >> VIO_F_RING_RESET & 1))
        return;
    vio_queue_reset(q);
    queue_features(t, q);
    t->left &= ~(uint32_t)BIT(t->queue_sel);
}

void vio_driver_notify(struct vio_transport *t, uint32_t n)
{
    if (!live(t) || n >= t->v->ops->queues || !t->v->queue[n].ready)
        return;
    t->left &= ~(uint32_t)BIT(n);
    if (!t->v->ops->notify(t->v, n))
        return;
    t->left |= (uint32_t)BIT(n);
    vio_transport_resume(t);
}

void vio_transport_resume(struct vio_transport *t)
{
    if (t->left && !t->again.pending)
        clock_set(t->dev->clock, &t->again, clock_now(t->dev->clock) + AGAIN_NS);
}

/* What may not go on now waits for vio_transport_resume, or a reset. */
static void again(void *opaque)
{
    struct vio_transport *t = opaque;
    uint32_t left = t->left;

    if (!live(t))
        return;
    t->left = 0;
    for (unsigned n = 0; n < VIO_QUEUES; n++)
        if (left >> n & 1)
            vio_driver_notify(t, n);
}

void vio_driver_config(struct vio_transport *t, uint64_t offset, unsigned size, uint64_t value)
{
    if (t->v && t->v->ops->config_write)
        t->v->ops->config_write(t->v, offset, size, value);
}

/* ---- the dev's operations ---- */

void vio_transport_reset(struct vio_transport *t)
{
    t->generation = 0;
    if (t->v && t->v->ops->power_on)
        t->v->ops->power_on(t->v);
    reset(t);
}

/* What only a device with other queues or features could have. */
static void check_device(struct vio_transport *t, struct snap *s)
{
    uint32_t queues = (uint32_t)bits_mask(t->v->ops->queues);

    if (t->left & ~queues)
        snap_bad(s, "left", "a queue that does not exist");
    if (t->v->negotiated & ~t->v->offered)
        snap_bad(s, "negotiated", "a feature that is not offered");
    t->left &= queues;
    t->v->negotiated &= t->v->offered;
}

void vio_transport_state(struct vio_transport *t, struct snap *s)
{
    snap_u32(s, "device_sel", &t->device_sel);
    snap_u32(s, "driver_sel", &t->driver_sel);
    snap_u32(s, "queue_sel", &t->queue_sel);
    snap_u64(s, "driver_features", &t->driver_features);
    snap_u8(s, "status", &t->status);
    snap_u8(s, "interrupt", &t->interrupt);
    snap_u32(s, "generation", &t->generation);
    if (!t->v)
        return;
    snap_u32(s, "left", &t->left);
    dev_snap_event(s, "again", t->dev->clock, &t->again);
    snap_u64(s, "negotiated", &t->v->negotiated);
    check_device(t, s);
    for (unsigned i = 0; i < t->v->ops->queues; i++)
        vio_queue_state(&t->v->queue[i], s);
    if (t->v->ops->state)
        t->v->ops->state(t->v, s);
}

void vio_transport_poll(struct vio_transport *t)
{
    if (live(t) && t->v->ops->poll)
        t->v->ops->poll(t->v);
}

void vio_transport_wait(struct vio_transport *t, struct dev_wait *w)
{
    if (live(t) && t->v->ops->wait)
        t->v->ops->wait(t->v, w);
}

void vio_transport_init(struct vio_transport *t, const struct vio_transport_ops *ops,
                        struct dev *dev, struct vio_device *v)
{
    *t = (struct vio_transport){.ops = ops, .dev = dev, .v = v};
    clock_event_init(&t->again, again, t);
    if (!v)
        return;
    v->name = dev->name;
    v->mem = dev->mem;
    v->clock = dev->clock;
    v->log = dev->log;
    v->event = device_event;
    v->opaque = t;
    for (unsigned i = 0; i < VIO_QUEUES; i++)
        vio_queue_reset(&v->queue[i]);
}

void vio_transport_fini(struct vio_transport *t)
{
    clock_cancel(t->dev->clock, &t->again);
    if (t->v)
        t->v->ops->free(t->v);
}
