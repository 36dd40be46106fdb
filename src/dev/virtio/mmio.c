/* mmio.c - see mmio.h.  Section numbers are those of VIRTIO 1.2. */
#include "dev/virtio/mmio.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "dev/ticks.h"

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

/* 2.1 */
enum { S_FEATURES_OK = 8, S_DRIVER_OK = 4, S_NEEDS_RESET = 64 };

enum { INT_USED = 1, INT_CONFIG = 2 };

#define AGAIN_NS 1000 /* until a queue with work left is served again */

struct mmio {
    struct dev dev;       /* first */
    struct vio_device *v; /* or NULL */
    uint32_t device_sel, driver_sel, queue_sel;
    uint64_t driver_features; /* as written; negotiated at FEATURES_OK */
    uint8_t status, interrupt;
    uint32_t generation;
    uint32_t left; /* queues with work left, a bit each */
    struct clock_event again;
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
    dev_line_set(&x->dev.irq, x->interrupt != 0);
}

static void device_event(void *opaque, enum vio_event what)
{
    struct mmio *x = opaque;

    if (what == VIO_USED) {
        x->interrupt |= INT_USED;
    } else {
        if (what == VIO_BROKEN)
            x->status |= S_NEEDS_RESET;
        else
            x->generation++;
        if (x->status & S_DRIVER_OK)
            x->interrupt |= INT_CONFIG;
    }
    update(x);
}

/* 4.2.2.1: everything as after power-on, but the generation goes on. */
static void reset(struct mmio *x)
{
    x->device_sel = x->driver_sel = x->queue_sel = 0;
    x->driver_features = 0;
    x->status = x->interrupt = 0;
    x->left = 0;
    clock_cancel(x->dev.clock, &x->again);
    if (x->v) {
        x->v->negotiated = 0;
        for (unsigned i = 0; i < VIO_QUEUES; i++)
            vio_queue_reset(&x->v->queue[i]);
        if (x->v->ops->reset)
            x->v->ops->reset(x->v);
    }
    update(x);
}

static struct vio_queue *selected(const struct mmio *x)
{
    return x->v && x->queue_sel < x->v->ops->queues ? &x->v->queue[x->queue_sel] : NULL;
}

static uint32_t half(uint64_t v, uint32_t sel)
{
    return sel < 2 ? (uint32_t)(v >> (32 * sel)) : 0;
}

static uint32_t reg_value(const struct mmio *x, uint32_t reg)
{
    const struct vio_queue *q = selected(x);

    switch (reg) {
    case R_MAGIC:
        return MAGIC;
    case R_VERSION:
        return 2;
    case R_DEVICE_ID:
        return x->v ? x->v->ops->id : 0;
    case R_VENDOR_ID:
        return VENDOR;
    case R_DEVICE_FEATURES:
        return x->v ? half(x->v->offered, x->device_sel) : 0;
    case R_QUEUE_NUM_MAX:
        return q ? VIO_QUEUE_MAX : 0;
    case R_QUEUE_READY:
        return q && q->ready;
    case R_INTERRUPT_STATUS:
        return x->interrupt;
    case R_STATUS:
        return x->status;
    case R_CONFIG_GENERATION:
        return x->generation;
    default: /* there is no shared memory: its length and base read as all ones */
        return reg >= R_SHM_LEN && reg <= R_SHM_BASE_HIGH ? UINT32_MAX : 0;
    }
}

static bool mmio_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    struct mmio *x = (struct mmio *)d;

    *value = 0;
    if (offset < R_CONFIG) {
        if (size == 4)
            *value = reg_value(x, (uint32_t)offset);
        return size == 4;
    }
    offset -= R_CONFIG;
    if (x->v && offset + size <= x->v->config_len)
        *value = bits_load_le(x->v->config + offset, size);
    return true;
}

/* Registers are words; others read as 0, so that a guest that errs goes on.  4.2.2.2 */
static bool mmio_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    mmio_peek(opaque, offset, size, value);
    return true;
}

/* FEATURES_OK stays only if the driver took a subset, with the modern interface.  3.1.1 */
static bool negotiate(struct mmio *x)
{
    struct vio_device *v = x->v;
    uint64_t f = x->driver_features;

    if (f & ~v->offered || !(f & BIT(VIO_F_VERSION_1)))
        return false;
    v->negotiated = f;
    for (unsigned i = 0; i < v->ops->queues; i++) {
        v->queue[i].event_idx = f >> VIO_F_EVENT_IDX & 1;
        v->queue[i].indirect = f >> VIO_F_INDIRECT_DESC & 1;
    }
    return true;
}

/* The driver adds bits; only a reset takes one away. */
static void status_write(struct mmio *x, uint8_t value)
{
    if (!value) {
        reset(x);
        return;
    }
    value |= x->status;
    if (value & ~x->status & S_FEATURES_OK && !(x->v && negotiate(x)))
        value &= (uint8_t)~S_FEATURES_OK;
    x->status = value;
}

static void ready_write(struct mmio *x, struct vio_queue *q, uint32_t value)
{
    const char *why;

    if (!(value & 1)) {
        q->ready = false;
        return;
    }
    if (q->ready)
        return;
    why = vio_queue_check(q, x->dev.mem);
    if (why) {
        vio_broken(x->v, why);
        return;
    }
    q->ready = true;
    q->next_avail = q->next_used = q->signalled = 0;
}

/* 2.1.2: nothing happens before DRIVER_OK or after the device stopped. */
static bool live(const struct mmio *x)
{
    return x->v && x->status & S_DRIVER_OK && x->status & S_FEATURES_OK &&
           !(x->status & S_NEEDS_RESET);
}

static void notify(struct mmio *x, uint32_t n)
{
    if (!live(x) || n >= x->v->ops->queues || !x->v->queue[n].ready)
        return;
    x->left &= ~(uint32_t)BIT(n);
    if (!x->v->ops->notify(x->v, n))
        return;
    x->left |= (uint32_t)BIT(n);
    if (!x->again.pending)
        clock_set(x->dev.clock, &x->again, clock_now(x->dev.clock) + AGAIN_NS);
}

static void again(void *opaque)
{
    struct mmio *x = opaque;
    uint32_t left = x->left;

    x->left = 0;
    for (unsigned n = 0; n < VIO_QUEUES; n++)
        if (left >> n & 1)
            notify(x, n);
}

/* Half of an address of the selected queue, which may not be in use. */
static void address_write(struct vio_queue *q, uint32_t reg, uint32_t value)
{
    uint64_t *addr = reg < R_QUEUE_DRIVER ? &q->desc : reg < R_QUEUE_DEVICE ? &q->avail : &q->used;

    *addr = bits_set(*addr, (reg & 4) * 8, 32, value);
}

static void queue_write(struct mmio *x, uint32_t reg, uint32_t value)
{
    struct vio_queue *q = selected(x);

    if (!q)
        return;
    switch (reg) {
    case R_QUEUE_READY:
        ready_write(x, q, value);
        break;
    case R_QUEUE_NUM:
        if (!q->ready && bits_pow2(value) && value <= VIO_QUEUE_MAX)
            q->num = (uint16_t)value;
        break;
    case R_QUEUE_DESC:
    case R_QUEUE_DESC + 4:
    case R_QUEUE_DRIVER:
    case R_QUEUE_DRIVER + 4:
    case R_QUEUE_DEVICE:
    case R_QUEUE_DEVICE + 4:
        if (!q->ready)
            address_write(q, reg, value);
        break;
    }
}

static bool mmio_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct mmio *x = opaque;
    uint32_t v = (uint32_t)value;

    if (offset >= R_CONFIG) {
        if (x->v && x->v->ops->config_write)
            x->v->ops->config_write(x->v, offset - R_CONFIG, size, value);
        return true;
    }
    if (size != 4)
        return true;
    switch (offset) {
    case R_DEVICE_FEATURES_SEL:
        x->device_sel = v;
        break;
    case R_DRIVER_FEATURES_SEL:
        x->driver_sel = v;
        break;
    case R_DRIVER_FEATURES:
        if (x->driver_sel < 2 && !(x->status & S_FEATURES_OK))
            x->driver_features = bits_set(x->driver_features, x->driver_sel * 32, 32, v);
        break;
    case R_QUEUE_SEL:
        x->queue_sel = v;
        break;
    case R_QUEUE_NOTIFY:
        notify(x, v);
        break;
    case R_INTERRUPT_ACK:
        x->interrupt &= (uint8_t)~v;
        update(x);
        break;
    case R_STATUS:
        status_write(x, (uint8_t)v);
        break;
    default:
        queue_write(x, (uint32_t)offset, v);
    }
    return true;
}

static void mmio_reset(struct dev *d)
{
    struct mmio *x = (struct mmio *)d;

    x->generation = 0;
    if (x->v && x->v->ops->power_on)
        x->v->ops->power_on(x->v);
    reset(x);
}

static void mmio_state(struct dev *d, struct snap *s)
{
    struct mmio *x = (struct mmio *)d;

    snap_section(s, d->name, 2);
    snap_u32(s, "device_sel", &x->device_sel);
    snap_u32(s, "driver_sel", &x->driver_sel);
    snap_u32(s, "queue_sel", &x->queue_sel);
    snap_u64(s, "driver_features", &x->driver_features);
    snap_u8(s, "status", &x->status);
    snap_u8(s, "interrupt", &x->interrupt);
    snap_u32(s, "generation", &x->generation);
    if (!x->v)
        return;
    snap_u32(s, "left", &x->left);
    dev_snap_event(s, "again", d->clock, &x->again);
    snap_u64(s, "negotiated", &x->v->negotiated);
    for (unsigned i = 0; i < x->v->ops->queues; i++)
        vio_queue_state(&x->v->queue[i], s);
    if (x->v->ops->state)
        x->v->ops->state(x->v, s);
}

static void mmio_poll(struct dev *d)
{
    struct mmio *x = (struct mmio *)d;

    if (live(x) && x->v->ops->poll)
        x->v->ops->poll(x->v);
}

static void mmio_wait(struct dev *d, struct dev_wait *w)
{
    struct mmio *x = (struct mmio *)d;

    if (live(x) && x->v->ops->wait)
        x->v->ops->wait(x->v, w);
}

static void mmio_free(struct dev *d)
{
    struct mmio *x = (struct mmio *)d;

    clock_cancel(d->clock, &x->again);
    if (x->v)
        x->v->ops->free(x->v);
    free(x);
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
    x->v = v;
    clock_event_init(&x->again, again, x);
    if (v) {
        v->name = x->dev.name;
        v->mem = mem;
        v->clock = clock;
        v->log = log;
        v->event = device_event;
        v->opaque = x;
        for (unsigned i = 0; i < VIO_QUEUES; i++)
            vio_queue_reset(&v->queue[i]);
    }
    return &x->dev;
}

struct vio_device *vio_mmio_device(struct dev *d)
{
    return ((struct mmio *)d)->v;
}
