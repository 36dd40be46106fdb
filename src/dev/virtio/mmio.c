/* mmio.c - see mmio.h.  Section numbers are those of VIRTIO 1.2. */
#include "dev/virtio/mmio.h"

#include <stdlib.h>

#include "base/mem_alloc.h"
#include "dev/virtio/transport.h"

#define MAGIC  UINT32_C(0x74726976) /* "virt" */
#define VENDOR UINT32_C(0x584f4247) /* "GBOX" */

/* 4.2.2 */
enum {
    R_MAGIC = 0x000,
    R_VERSION = 0x004,
    R_DEVICE_ID = 0x008,
    R_VENDOR_ID = 0x00c,
    R_DEVICE_FEATURES = 0x010,
    R_DEVICE_FEATURES_SEL = 0x014,
    R_DRIVER_FEATURES = 0x020,
    R_DRIVER_FEATURES_SEL = 0x024,
    R_QUEUE_SEL = 0x030,
    R_QUEUE_NUM_MAX = 0x034,
    R_QUEUE_NUM = 0x038,
    R_QUEUE_READY = 0x044,
    R_QUEUE_NOTIFY = 0x050,
    R_INTERRUPT_STATUS = 0x060,
    R_INTERRUPT_ACK = 0x064,
    R_STATUS = 0x070,
    R_QUEUE_DESC = 0x080,
    R_QUEUE_DRIVER = 0x090,
    R_QUEUE_DEVICE = 0x0a0,
    R_SHM_LEN = 0x0b0,
    R_SHM_BASE_HIGH = 0x0bc,
    R_CONFIG_GENERATION = 0x0fc,
    R_CONFIG = 0x100,
};

struct mmio {
    struct dev dev; /* first */
    struct vio_transport t;
};

static const struct dev_reg mmio_regs[] = {
    {"magic", R_MAGIC, 4, "\"virt\""},
    {"version", R_VERSION, 4, "2: not the legacy interface"},
    {"device_id", R_DEVICE_ID, 4, "kind of device; 0: the slot is empty"},
    {"vendor_id", R_VENDOR_ID, 4, "who made it"},
    {"device_features", R_DEVICE_FEATURES, 4, "features offered, of the selected half"},
    {"queue_num_max", R_QUEUE_NUM_MAX, 4, "longest size of the selected queue"},
    {"queue_ready", R_QUEUE_READY, 4, "whether the selected queue is in use"},
    {"interrupt_status", R_INTERRUPT_STATUS, 4, "1: buffers used, 2: configuration changed"},
    {"status", R_STATUS, 4, "what the driver has come to"},
    {"config_generation", R_CONFIG_GENERATION, 4, "changes with the configuration"},
    {0},
};

static void update(struct mmio *x)
{
    dev_line_set(&x->dev.irq, x->t.interrupt != 0);
}

static void interrupt(struct vio_transport *t, uint8_t why, unsigned queue)
{
    (void)queue;
    t->interrupt |= why;
    update((struct mmio *)t->dev);
}

static void driver_reset(struct vio_transport *t)
{
    update((struct mmio *)t->dev);
}

static const struct vio_transport_ops mmio_transport = {
    .interrupt = interrupt,
    .reset = driver_reset,
};

static uint32_t reg_value(const struct vio_transport *t, uint32_t reg)
{
    const struct vio_queue *q = vio_selected(t);

    switch (reg) {
    case R_MAGIC:
        return MAGIC;
    case R_VERSION:
        return 2;
    case R_DEVICE_ID:
        return t->v ? t->v->ops->id : 0;
    case R_VENDOR_ID:
        return VENDOR;
    case R_DEVICE_FEATURES:
        return vio_offered(t);
    case R_QUEUE_NUM_MAX:
        return q ? VIO_QUEUE_MAX : 0;
    case R_QUEUE_READY:
        return q && q->ready;
    case R_INTERRUPT_STATUS:
        return t->interrupt;
    case R_STATUS:
        return t->status;
    case R_CONFIG_GENERATION:
        return t->generation;
    default: /* there is no shared memory: its length and base read as all ones */
        return reg >= R_SHM_LEN && reg <= R_SHM_BASE_HIGH ? UINT32_MAX : 0;
    }
}

static bool mmio_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    struct mmio *x = (struct mmio *)d;

    *value = 0;
    if (offset >= R_CONFIG)
        *value = vio_config_read(&x->t, offset - R_CONFIG, size);
    else if (size == 4)
        *value = reg_value(&x->t, (uint32_t)offset);
    else
        return false;
    return true;
}

/* Registers are words; others read as 0, so that a guest that errs goes on.  4.2.2.2 */
static bool mmio_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    mmio_peek(opaque, offset, size, value);
    return true;
}

/* Half of an address of the selected queue. */
static void address_write(struct vio_transport *t, uint32_t reg, uint32_t value)
{
    enum vio_ring ring = reg < R_QUEUE_DRIVER   ? VIO_RING_DESC
                         : reg < R_QUEUE_DEVICE ? VIO_RING_AVAIL
                                                : VIO_RING_USED;

    vio_driver_queue_address(t, ring, (reg & 4) * 8, value);
}

static void reg_write(struct mmio *x, uint32_t reg, uint32_t value)
{
    struct vio_transport *t = &x->t;

    switch (reg) {
    case R_DEVICE_FEATURES_SEL:
        t->device_sel = value;
        break;
    case R_DRIVER_FEATURES_SEL:
        t->driver_sel = value;
        break;
    case R_DRIVER_FEATURES:
        vio_driver_features(t, value);
        break;
    case R_QUEUE_SEL:
        t->queue_sel = value;
        break;
    case R_QUEUE_NUM:
        vio_driver_queue_size(t, value);
        break;
    case R_QUEUE_READY:
        vio_driver_queue_ready(t, value & 1);
        break;
    case R_QUEUE_NOTIFY:
        vio_driver_notify(t, value);
        break;
    case R_INTERRUPT_ACK:
        t->interrupt &= (uint8_t)~value;
        update(x);
        break;
    case R_STATUS:
        vio_driver_status(t, (uint8_t)value);
        break;
    case R_QUEUE_DESC:
    case R_QUEUE_DESC + 4:
    case R_QUEUE_DRIVER:
    case R_QUEUE_DRIVER + 4:
    case R_QUEUE_DEVICE:
    case R_QUEUE_DEVICE + 4:
        address_write(t, reg, value);
        break;
    }
}

static bool mmio_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct mmio *x = opaque;

    if (offset >= R_CONFIG)
        vio_driver_config(&x->t, offset - R_CONFIG, size, value);
    else if (size == 4)
        reg_write(x, (uint32_t)offset, (uint32_t)value);
    return true;
}

static void mmio_reset(struct dev *d)
{
    vio_transport_reset(&((struct mmio *)d)->t);
}

static void mmio_state(struct dev *d, struct snap *s)
{
    snap_section(s, d->name, 2);
    vio_transport_state(&((struct mmio *)d)->t, s);
}

static void mmio_poll(struct dev *d)
{
    vio_transport_poll(&((struct mmio *)d)->t);
}

static void mmio_wait(struct dev *d, struct dev_wait *w)
{
    vio_transport_wait(&((struct mmio *)d)->t, w);
}

static void mmio_free(struct dev *d)
{
    vio_transport_fini(&((struct mmio *)d)->t);
    free(d);
}

static const struct mem_ops mmio_bus = {mmio_read, mmio_write, 1 | 2 | 4 | 8};

static const struct dev_class mmio_class = {
    .name = "virtio-mmio",
    .doc = "a slot for a virtio device",
    .regs = mmio_regs,
    .bus = &mmio_bus,
    .reset = mmio_reset,
    .state = mmio_state,
    .free = mmio_free,
    .peek = mmio_peek,
    .poll = mmio_poll,
    .wait = mmio_wait,
};

struct dev *vio_mmio_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                         struct dev_line irq, struct vio_device *v)
{
    struct mmio *x = xcalloc(1, sizeof *x);

    dev_init(&x->dev, &mmio_class, name, mem, clock, irq, log);
    vio_transport_init(&x->t, &mmio_transport, &x->dev, v);
    return &x->dev;
}

struct vio_device *vio_mmio_device(struct dev *d)
{
    return ((struct mmio *)d)->t.v;
}
