/* pci.c - see pci.h.  Section numbers are those of VIRTIO 1.2. */
#include "dev/virtio/pci.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "dev/virtio/transport.h"

/* 4.1.2 */
enum { VENDOR = 0x1af4, DEVICE = 0x1040, SUBSYSTEM = 0x1100, REVISION = 1 };

#define NO_VECTOR 0xffff /* 4.1.5.1.2 */

/* 4.1.4: structures, each in a page of the BAR. */
enum { CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_ISR = 3, CFG_DEVICE = 4, CFG_PCI = 5 };
enum { AT_COMMON = 0, AT_ISR = 0x1000, AT_DEVICE = 0x2000, AT_NOTIFY = 0x3000 };
enum { STRUCTURE = 0x1000, BAR_SIZE = 0x4000, NOTIFY_STRIDE = 4 };

/* 4.1.4: a capability; what follows is the stride of notifications, or the access's data. */
enum { CAP_LEN = 2, CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_MORE = 16 };

/* 4.1.4.3 */
enum {
    C_DEVICE_FEATURE_SELECT = 0x00,
    C_DEVICE_FEATURE = 0x04,
    C_DRIVER_FEATURE_SELECT = 0x08,
    C_DRIVER_FEATURE = 0x0c,
    C_CONFIG_VECTOR = 0x10,
    C_NUM_QUEUES = 0x12,
    C_STATUS = 0x14,
    C_GENERATION = 0x15,
    C_QUEUE_SELECT = 0x16,
    C_QUEUE_SIZE = 0x18,
    C_QUEUE_VECTOR = 0x1a,
    C_QUEUE_ENABLE = 0x1c,
    C_QUEUE_NOTIFY_OFF = 0x1e,
    C_QUEUE_DESC = 0x20,
    C_QUEUE_DRIVER = 0x28,
    C_QUEUE_DEVICE = 0x30,
    C_QUEUE_RESET = 0x3a,
    C_LEN = 0x40,
};

/* Of the fields that a driver writes, bytes of each, or of each half. */
static const uint8_t common_width[C_LEN] = {
    [C_DEVICE_FEATURE_SELECT] = 4,
    [C_DRIVER_FEATURE_SELECT] = 4,
    [C_DRIVER_FEATURE] = 4,
    [C_CONFIG_VECTOR] = 2,
    [C_STATUS] = 1,
    [C_QUEUE_SELECT] = 2,
    [C_QUEUE_SIZE] = 2,
    [C_QUEUE_VECTOR] = 2,
    [C_QUEUE_ENABLE] = 2,
    [C_QUEUE_RESET] = 2,
    [C_QUEUE_DESC] = 4,
    [C_QUEUE_DESC + 4] = 4,
    [C_QUEUE_DRIVER] = 4,
    [C_QUEUE_DRIVER + 4] = 4,
    [C_QUEUE_DEVICE] = 4,
    [C_QUEUE_DEVICE + 4] = 4,
};

struct vpci {
    struct pci_func pci; /* first */
    struct vio_transport t;
    unsigned window; /* the capability to reach the BAR through */
    uint16_t config_vector, vector[VIO_QUEUES];
};

/* To debuggers, the BAR lies behind configuration space. */
#define COMMON(at) (PCI_CONFIG_WINDOW + AT_COMMON + (at))

static const struct dev_reg vpci_regs[] = {
    PCI_REGS,
    {"features", COMMON(C_DEVICE_FEATURE), 4, "features offered, of the selected half"},
    {"num_queues", COMMON(C_NUM_QUEUES), 2, "how many queues there are"},
    {"status", COMMON(C_STATUS), 1, "what the driver has come to"},
    {"generation", COMMON(C_GENERATION), 1, "changes with the configuration"},
    {"cfg_vector", COMMON(C_CONFIG_VECTOR), 2, "of MSI-X, for the configuration"},
    {"queue_select", COMMON(C_QUEUE_SELECT), 2, "number of the selected queue"},
    {"queue_size", COMMON(C_QUEUE_SIZE), 2, "entries of the selected queue"},
    {"queue_vector", COMMON(C_QUEUE_VECTOR), 2, "of MSI-X, for the selected queue"},
    {"queue_enable", COMMON(C_QUEUE_ENABLE), 2, "whether the selected queue is in use"},
    {"isr", PCI_CONFIG_WINDOW + AT_ISR, 1, "1: buffers used, 2: configuration changed"},
    {0},
};

static struct vpci *of_transport(const struct vio_transport *t)
{
    return (struct vpci *)t->dev;
}

/* 4.1.5.1.3, 4.1.5.3: the ISR byte is for drivers without MSI-X. */
static void interrupt(struct vio_transport *t, uint8_t why, unsigned queue)
{
    struct vpci *x = of_transport(t);

    if (pci_msix_enabled(&x->pci)) {
        pci_msix_send(&x->pci, why & VIO_INT_CONFIG ? x->config_vector : x->vector[queue]);
        return;
    }
    t->interrupt |= why;
    pci_intx(&x->pci, true);
}

static void driver_reset(struct vio_transport *t)
{
    struct vpci *x = of_transport(t);

    x->config_vector = NO_VECTOR;
    for (unsigned i = 0; i < VIO_QUEUES; i++)
        x->vector[i] = NO_VECTOR;
    pci_msix_forget(&x->pci);
    pci_intx(&x->pci, false);
}

static bool may_dma(const struct vio_transport *t)
{
    return pci_master(&of_transport(t)->pci);
}

static const struct vio_transport_ops vpci_transport = {
    .interrupt = interrupt,
    .reset = driver_reset,
    .may_dma = may_dma,
};

/* ---- common configuration ---- */

static uint16_t *queue_vector(struct vpci *x)
{
    return vio_selected(&x->t) ? &x->vector[x->t.queue_sel] : NULL;
}

static void common_queue(const struct vpci *x, const struct vio_queue *q, uint8_t *out)
{
    bits_store_le(out + C_QUEUE_SIZE, 2, q->num);
    bits_store_le(out + C_QUEUE_VECTOR, 2, x->vector[x->t.queue_sel]);
    bits_store_le(out + C_QUEUE_ENABLE, 2, q->ready);
    bits_store_le(out + C_QUEUE_NOTIFY_OFF, 2, x->t.queue_sel);
    bits_store_le(out + C_QUEUE_DESC, 8, q->desc);
    bits_store_le(out + C_QUEUE_DRIVER, 8, q->avail);
    bits_store_le(out + C_QUEUE_DEVICE, 8, q->used);
}

/* All of it, as it reads. */
static void common_image(const struct vpci *x, uint8_t out[C_LEN])
{
    const struct vio_transport *t = &x->t;
    const struct vio_queue *q = vio_selected(t);

    memset(out, 0, C_LEN);
    bits_store_le(out + C_DEVICE_FEATURE_SELECT, 4, t->device_sel);
    bits_store_le(out + C_DEVICE_FEATURE, 4, vio_offered(t));
    bits_store_le(out + C_DRIVER_FEATURE_SELECT, 4, t->driver_sel);
    bits_store_le(out + C_DRIVER_FEATURE, 4,
                  t->driver_sel < 2 ? t->driver_features >> (32 * t->driver_sel) : 0);
    bits_store_le(out + C_CONFIG_VECTOR, 2, x->config_vector);
    bits_store_le(out + C_NUM_QUEUES, 2, t->v->ops->queues);
    bits_store_le(out + C_STATUS, 1, t->status);
    bits_store_le(out + C_GENERATION, 1, t->generation);
    bits_store_le(out + C_QUEUE_SELECT, 2, t->queue_sel);
    bits_store_le(out + C_QUEUE_VECTOR, 2, NO_VECTOR);
    if (q)
        common_queue(x, q, out);
}

/* A vector that there is, or none: the driver reads back which.  4.1.5.1.2.1 */
static void vector_write(const struct vpci *x, uint16_t *vector, uint16_t value)
{
    if (vector)
        *vector = value < x->pci.msix.n ? value : NO_VECTOR;
}

static void address_write(struct vio_transport *t, unsigned offset, uint32_t value)
{
    enum vio_ring ring = offset < C_QUEUE_DRIVER   ? VIO_RING_DESC
                         : offset < C_QUEUE_DEVICE ? VIO_RING_AVAIL
                                                   : VIO_RING_USED;

    vio_driver_queue_address(t, ring, (offset & 4) * 8, value);
}

static void field_write(struct vpci *x, unsigned offset, uint32_t value)
{
    struct vio_transport *t = &x->t;

    switch (offset) {
    case C_DEVICE_FEATURE_SELECT:
        t->device_sel = value;
        break;
    case C_DRIVER_FEATURE_SELECT:
        t->driver_sel = value;
        break;
    case C_DRIVER_FEATURE:
        vio_driver_features(t, value);
        break;
    case C_CONFIG_VECTOR:
        vector_write(x, &x->config_vector, (uint16_t)value);
        break;
    case C_STATUS:
        vio_driver_status(t, (uint8_t)value);
        break;
    case C_QUEUE_SELECT:
        t->queue_sel = value;
        break;
    case C_QUEUE_SIZE:
        vio_driver_queue_size(t, value);
        break;
    case C_QUEUE_VECTOR:
        vector_write(x, queue_vector(x), (uint16_t)value);
        break;
    case C_QUEUE_ENABLE: /* only a reset takes it out of use: 4.1.4.3.2 */
        if (value == 1)
            vio_driver_queue_ready(t, true);
        break;
    case C_QUEUE_RESET:
        if (value == 1)
            vio_driver_queue_reset(t);
        break;
    default:
        address_write(t, offset, value);
    }
}

/* Fields are written as a whole, addresses by halves or as a whole; else nothing happens, so that a
 * guest that errs goes on.  4.1.3.1 */
static void common_write(struct vpci *x, unsigned offset, unsigned size, uint64_t value)
{
    if (size == 8) {
        common_write(x, offset, 4, value);
        common_write(x, offset + 4, 4, value >> 32);
    } else if (offset < C_LEN && size == common_width[offset]) {
        field_write(x, offset, (uint32_t)value);
    }
}

/* ---- the BAR ---- */

/* As a read, but without its effect. */
static void bar_peek(const struct vpci *x, uint64_t offset, unsigned size, uint64_t *value)
{
    uint64_t within = offset % STRUCTURE;
    uint8_t common[C_LEN];

    *value = 0;
    switch (offset - within) {
    case AT_COMMON:
        common_image(x, common);
        if (within + size <= C_LEN)
            *value = bits_load_le(common + within, size);
        break;
    case AT_ISR:
        if (!within)
            *value = x->t.interrupt;
        break;
    case AT_DEVICE:
        *value = vio_config_read(&x->t, within, size);
        break;
    }
}

static bool bar_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct vpci *x = opaque;

    bar_peek(x, offset, size, value);
    if (offset == AT_ISR) {
        x->t.interrupt = 0;
        pci_intx(&x->pci, false);
    }
    return true;
}

static bool bar_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct vpci *x = opaque;
    uint64_t within = offset % STRUCTURE;

    switch (offset - within) {
    case AT_COMMON:
        common_write(x, (unsigned)within, size, value);
        break;
    case AT_DEVICE:
        vio_driver_config(&x->t, within, size, value);
        break;
    case AT_NOTIFY: /* the place says which queue */
        if (within % NOTIFY_STRIDE == 0)
            vio_driver_notify(&x->t, (uint32_t)(within / NOTIFY_STRIDE));
        break;
    }
    return true;
}

static const struct mem_ops bar_bus = {bar_read, bar_write, 1 | 2 | 4 | 8};

/* ---- the window to the BAR in configuration space: 4.1.4.9 ---- */

/* Whether an access is one to the window's data, and the window leads to the BAR. */
static bool window_hit(struct vpci *x, unsigned offset, unsigned size, uint64_t *at, unsigned *len)
{
    const uint8_t *cap = x->pci.config + x->window;
    unsigned data = x->window + CAP_MORE;

    *at = bits_load_le(cap + CAP_OFFSET, 4);
    *len = (unsigned)bits_load_le(cap + CAP_LENGTH, 4);
    return offset < data + 4 && data < offset + size && cap[CAP_BAR] == VIO_PCI_BAR &&
           bits_pow2(*len) && *len <= 4 && *at < BAR_SIZE && *at % *len == 0;
}

static void config_read(struct pci_func *f, unsigned offset, unsigned size)
{
    struct vpci *x = (struct vpci *)f;
    uint64_t at, value;
    unsigned len;

    if (!window_hit(x, offset, size, &at, &len))
        return;
    bar_read(x, at, len, &value);
    bits_store_le(f->config + x->window + CAP_MORE, len, value);
}

static void config_written(struct pci_func *f, unsigned offset, unsigned size)
{
    struct vpci *x = (struct vpci *)f;
    uint64_t at;
    unsigned len;

    if (pci_master(f))
        vio_transport_resume(&x->t);
    if (window_hit(x, offset, size, &at, &len))
        bar_write(x, at, len, bits_load_le(f->config + x->window + CAP_MORE, len));
}

static const struct pci_ops vpci_ops = {config_read, config_written};

/* ---- the dev ---- */

static bool vpci_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    struct vpci *x = (struct vpci *)d;

    if (offset < PCI_CONFIG_WINDOW)
        *value = pci_config_get(&x->pci, (unsigned)offset, size);
    else
        bar_peek(x, offset - PCI_CONFIG_WINDOW, size, value);
    return true;
}

static void vpci_reset(struct dev *d)
{
    struct vpci *x = (struct vpci *)d;

    pci_reset(&x->pci);
    vio_transport_reset(&x->t);
}

/* A vector that there is, or none. */
static void vector_state(const struct vpci *x, struct snap *s, const char *name, uint16_t *vector)
{
    snap_u16(s, name, vector);
    if (*vector != NO_VECTOR && *vector >= x->pci.msix.n) {
        snap_bad(s, name, "a vector that does not exist");
        *vector = NO_VECTOR;
    }
}

static void vpci_state(struct dev *d, struct snap *s)
{
    struct vpci *x = (struct vpci *)d;

    snap_section(s, d->name, 1);
    pci_state(&x->pci, s);
    vector_state(x, s, "config_vector", &x->config_vector);
    for (unsigned i = 0; i < x->t.v->ops->queues; i++)
        vector_state(x, s, "vector", &x->vector[i]);
    vio_transport_state(&x->t, s);
}

static void vpci_poll(struct dev *d)
{
    vio_transport_poll(&((struct vpci *)d)->t);
}

static void vpci_wait(struct dev *d, struct dev_wait *w)
{
    vio_transport_wait(&((struct vpci *)d)->t, w);
}

static void vpci_free(struct dev *d)
{
    vio_transport_fini(&((struct vpci *)d)->t);
    free(d);
}

static const struct dev_class vpci_class = {
    .name = "virtio-pci",
    .doc = "a virtio device on PCI",
    .regs = vpci_regs,
    .reset = vpci_reset,
    .state = vpci_state,
    .free = vpci_free,
    .peek = vpci_peek,
    .poll = vpci_poll,
    .wait = vpci_wait,
};

/* A capability that leads to `length` bytes of the BAR, with a word behind it or without. */
static unsigned add_structure(struct pci_func *f, uint8_t type, uint32_t offset, uint32_t length,
                              bool more)
{
    unsigned len = CAP_MORE + (more ? 4 : 0);
    unsigned at = pci_add_capability(f, PCI_CAP_VENDOR, len);

    pci_define(f, at + CAP_LEN, 1, len, 0);
    pci_define(f, at + CAP_TYPE, 1, type, 0);
    pci_define(f, at + CAP_BAR, 1, VIO_PCI_BAR, 0);
    pci_define(f, at + CAP_OFFSET, 4, offset, 0);
    pci_define(f, at + CAP_LENGTH, 4, length, 0);
    return at;
}

static void add_structures(struct vpci *x)
{
    struct pci_func *f = &x->pci;
    unsigned at;

    add_structure(f, CFG_COMMON, AT_COMMON, STRUCTURE, false);
    add_structure(f, CFG_ISR, AT_ISR, STRUCTURE, false);
    add_structure(f, CFG_DEVICE, AT_DEVICE, STRUCTURE, false);
    at = add_structure(f, CFG_NOTIFY, AT_NOTIFY, STRUCTURE, true);
    pci_define(f, at + CAP_MORE, 4, NOTIFY_STRIDE, 0);
    at = x->window = add_structure(f, CFG_PCI, 0, 0, true);
    pci_define(f, at + CAP_BAR, 1, 0, UINT8_MAX);
    pci_define(f, at + CAP_OFFSET, 4, 0, UINT32_MAX);
    pci_define(f, at + CAP_LENGTH, 4, 0, UINT32_MAX);
    pci_define(f, at + CAP_MORE, 4, 0, UINT32_MAX);
}

/* Of the PCI Code and ID Assignment Specification, by the kind of device: as QEMU has it. */
static uint32_t class_code(uint32_t id)
{
    switch (id) {
    case 1:
        return 0x020000; /* Ethernet */
    case 2:
        return 0x010000; /* storage, SCSI */
    case 3:
        return 0x078000; /* communication, other */
    case 9:
        return 0x000200;
    default:
        return 0x00ff00;
    }
}

struct pci_func *vio_pci_new(const char *name, struct mem *mem, struct clock *clock,
                             struct log *log, struct dev_line irq, struct dev_msi msi,
                             struct vio_device *v)
{
    struct vpci *x = xcalloc(1, sizeof *x);
    const struct pci_id id = {
        .vendor = VENDOR,
        .device = (uint16_t)(DEVICE + v->ops->id),
        .subsystem_vendor = VENDOR,
        .subsystem = SUBSYSTEM,
        .class = class_code(v->ops->id),
        .revision = REVISION,
        .intx = true,
    };

    pci_init(&x->pci, &vpci_class, &vpci_ops, name, mem, clock, irq, log, &id);
    pci_add_msix(&x->pci, VIO_PCI_MSIX_BAR, v->ops->queues + 1, msi);
    pci_add_bar(&x->pci, VIO_PCI_BAR, PCI_BAR_MEM64, BAR_SIZE, &bar_bus);
    add_structures(x);
    v->offered |= BIT(VIO_F_RING_RESET);
    vio_transport_init(&x->t, &vpci_transport, &x->pci.dev, v);
    return &x->pci;
}

struct vio_device *vio_pci_device(struct pci_func *f)
{
    return f->dev.class == &vpci_class ? ((struct vpci *)f)->t.v : NULL;
}
