/* driver.c - see driver.h.  Section numbers are those of VIRTIO 1.2. */
#include "tests/fuzz/driver.h"

#include "dev/pcie_host.h"
#include "dev/virtio/mmio.h"
#include "dev/virtio/pci.h"

enum transport { MMIO, PCI_WIRE, PCI_MESSAGES, TRANSPORTS };

/* Where a PCI bus is: bus 0 of ECAM, and the window for BARs behind that. */
enum { SLOT = 1, ECAM = 0x100000, WINDOW = 0x10000, BAR = ECAM, MSIX_BAR = ECAM + 0x4000 };
enum { FUNCTION = SLOT * 0x8000, MSIX_CONTROL = 2, MSIX_ENABLE = 0x8000 };

/* 4.2.2; 4.1.4.3 and the notifications behind that. */
enum reg {
    FEATURES,
    FEATURES_SEL,
    DRIVER,
    DRIVER_SEL,
    QUEUE_SEL,
    QUEUE_NUM,
    QUEUE_READY,
    QUEUE_NOTIFY,
    STATUS,
    QUEUE_DESC,
    QUEUE_DRIVER,
    QUEUE_DEVICE,
    REGS
};
static const struct {
    uint32_t mmio, pci;
    uint8_t pci_size;
} regs[REGS] = {
    [FEATURES] = {0x10, 0x04, 4},     [FEATURES_SEL] = {0x14, 0x00, 4},
    [DRIVER] = {0x20, 0x0c, 4},       [DRIVER_SEL] = {0x24, 0x08, 4},
    [QUEUE_SEL] = {0x30, 0x16, 2},    [QUEUE_NUM] = {0x38, 0x18, 2},
    [QUEUE_READY] = {0x44, 0x1c, 2},  [QUEUE_NOTIFY] = {0x50, 0x3000, 2},
    [STATUS] = {0x70, 0x14, 1},       [QUEUE_DESC] = {0x80, 0x20, 4},
    [QUEUE_DRIVER] = {0x90, 0x28, 4}, [QUEUE_DEVICE] = {0xa0, 0x30, 4},
};
enum { CONFIG_VECTOR = BAR + 0x10, QUEUE_VECTOR = BAR + 0x1a, QUEUE_RESET = BAR + 0x3a };

enum { NEEDS_RESET = 64 };
enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4 };

/* ---- transports ---- */

static bool on_pci(const struct rig *r)
{
    return ((const struct driver *)r->own)->transport != MMIO;
}

static uint64_t place(const struct rig *r, enum reg reg)
{
    return on_pci(r) ? BAR + regs[reg].pci : regs[reg].mmio;
}

static unsigned width(const struct rig *r, enum reg reg)
{
    return on_pci(r) ? regs[reg].pci_size : 4;
}

static void set_reg(struct rig *r, enum reg reg, uint64_t value)
{
    unsigned size = width(r, reg);

    rig_write(r, 0, place(r, reg), size, value & bits_mask(8 * size));
}

static uint64_t get_reg(struct rig *r, enum reg reg)
{
    return rig_read(r, 0, place(r, reg), width(r, reg));
}

static void set_address(struct rig *r, enum reg reg, uint64_t addr)
{
    rig_write(r, 0, place(r, reg), 4, (uint32_t)addr);
    rig_write(r, 0, place(r, reg) + 4, 4, addr >> 32);
}

/* On PCI the place says which queue. */
static void notify(struct rig *r, unsigned queue)
{
    uint64_t at = place(r, QUEUE_NOTIFY) + (on_pci(r) ? 4 * queue : 0);

    rig_write(r, 0, at, width(r, QUEUE_NOTIFY), queue);
}

static void message(void *opaque, uint64_t address, uint32_t data)
{
    rig_see(opaque, "message", address ^ data);
}

static void plug_pci(struct rig *r, struct vio_device *v)
{
    static const uint32_t places[] = {FUNCTION,     FUNCTION + 0x40, FUNCTION + 0x80, BAR,
                                      BAR + 0x2000, BAR + 0x3000,    MSIX_BAR,        UINT32_MAX};
    static const uint32_t function_places[] = {0, 0x40, BAR - FUNCTION, UINT32_MAX};
    struct driver *d = r->own;
    struct mem *m = r->bus.mem;
    const struct dev_msi msi = {d->transport == PCI_MESSAGES ? message : NULL, r};
    struct pcie_host *host = pcie_host_new("pcie", m, r->bus.clock, NULL, rig_line(r, 0));
    struct pci_func *f;
    int rc;

    rig_plug(r, pcie_host_dev(host), ECAM, places);
    rc = pcie_host_window(host, "window", false, pcie_host_dev(host)->base + ECAM, WINDOW, NULL);
    FUZZ_CHECK(!rc, "%d", rc);
    f = vio_pci_new("virtio0", m, r->bus.clock, NULL, pcie_host_intx(host, SLOT), msi, v);
    pcie_host_plug(host, SLOT, f);
    rig_plug(r, &f->dev, 0, function_places);
}

static void plug_mmio(struct rig *r, struct vio_device *v)
{
    static const uint32_t places[] = {0, 0x100, UINT32_MAX};

    rig_plug(r, vio_mmio_new("virtio0", r->bus.mem, r->bus.clock, NULL, rig_line(r, 0), v),
             VIO_MMIO_SIZE, places);
}

void driver_plug(struct rig *r, struct vio_device *v, unsigned queues,
                 size_t (*request)(struct rig *r, unsigned queue, uint8_t *request, size_t *reply))
{
    struct driver *d = r->own;

    if (!d->queues)
        d->transport = (uint8_t)fuzz_below(&r->in, TRANSPORTS);
    d->device = v;
    d->queues = queues;
    d->request = request;
    if (on_pci(r))
        plug_pci(r, v);
    else
        plug_mmio(r, v);
}

/* The capability of MSI-X: where it is in configuration space, or 0. */
static uint64_t find_msix(struct rig *r)
{
    uint64_t at = rig_read(r, 1, PCI_CAPABILITIES, 1);

    for (unsigned i = 0; at && i < 16; i++, at = rig_read(r, 1, at + 1, 1))
        if (rig_read(r, 1, at, 1) == PCI_CAP_MSIX)
            break;
    return at;
}

/* BARs have addresses, and now and then another one. */
static void start_pci(struct rig *r)
{
    uint64_t base = r->bus.dev[0]->base, how = fuzz_int(&r->in, 1), msix = find_msix(r);
    uint64_t bar = base + BAR + (how & 0xf8 ? 0 : 0x8000);

    rig_write(r, 1, PCI_BAR0 + 4 * VIO_PCI_BAR, 4, bar);
    rig_write(r, 1, PCI_BAR0 + 4 * VIO_PCI_BAR + 4, 4, 0);
    rig_write(r, 1, PCI_BAR0 + 4 * VIO_PCI_MSIX_BAR, 4, base + MSIX_BAR);
    rig_write(r, 1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    if (msix)
        rig_write(r, 1, msix + MSIX_CONTROL, 2, how & 3 ? MSIX_ENABLE : 0);
    for (unsigned i = 0; i < 4 && msix; i++) {
        rig_write(r, 0, MSIX_BAR + 16 * i, 4, 0x1000 * i);
        rig_write(r, 0, MSIX_BAR + 16 * i + 8, 4, i);
        rig_write(r, 0, MSIX_BAR + 16 * i + 12, 4, how >> 2 & 1);
    }
}

static uint64_t ring(unsigned queue)
{
    return DRIVER_RINGS + queue * DRIVER_RING;
}

/* ---- starting ---- */

static uint64_t offered(struct rig *r)
{
    uint64_t low;

    set_reg(r, FEATURES_SEL, 0);
    low = get_reg(r, FEATURES);
    set_reg(r, FEATURES_SEL, 1);
    return low | get_reg(r, FEATURES) << 32;
}

static void start_queue(struct rig *r, unsigned queue, uint32_t num)
{
    struct driver *d = r->own;
    uint64_t at = ring(queue);

    d->num[queue] = num;
    d->at[queue] = 0;
    set_reg(r, QUEUE_SEL, queue);
    set_reg(r, QUEUE_NUM, num);
    set_address(r, QUEUE_DESC, at);
    set_address(r, QUEUE_DRIVER, at + DRIVER_AVAIL);
    set_address(r, QUEUE_DEVICE, at + DRIVER_USED);
    rig_poke(r, at + DRIVER_AVAIL, 4, 0);
    rig_poke(r, at + DRIVER_USED, 4, 0);
    if (on_pci(r))
        rig_write(r, 0, QUEUE_VECTOR, 2, queue + 1);
    set_reg(r, QUEUE_READY, 1);
}

/* From its reset to work, with all features but one or none.  3.1.1 */
void driver_op_start(struct rig *r)
{
    struct driver *d = r->own;
    uint64_t features, num;

    if (on_pci(r))
        start_pci(r);
    features = offered(r);
    num = BIT(fuzz_below(&r->in, 9));
    features &= ~BIT(fuzz_below(&r->in, 64));
    set_reg(r, STATUS, 0);
    set_reg(r, STATUS, 3);
    set_reg(r, DRIVER_SEL, 0);
    set_reg(r, DRIVER, features);
    set_reg(r, DRIVER_SEL, 1);
    set_reg(r, DRIVER, features >> 32);
    set_reg(r, STATUS, 11);
    if (on_pci(r))
        rig_write(r, 0, CONFIG_VECTOR, 2, 0);
    for (unsigned q = 0; q < d->queues; q++)
        start_queue(r, q, (uint32_t)num);
    set_reg(r, STATUS, 15);
}

/* A queue alone, and set up again.  2.6.1 */
void driver_op_reset_queue(struct rig *r)
{
    struct driver *d = r->own;
    unsigned queue = (unsigned)fuzz_below(&r->in, d->queues);
    uint32_t num = (uint32_t)BIT(fuzz_below(&r->in, 9));

    if (!on_pci(r))
        return;
    set_reg(r, QUEUE_SEL, queue);
    rig_write(r, 0, QUEUE_RESET, 2, 1);
    rig_read(r, 0, QUEUE_RESET, 2);
    start_queue(r, queue, num);
}

/* ---- chains ---- */

struct seg {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
};

struct chain {
    struct seg seg[16];
    unsigned n;
};

/* Room for len bytes, somewhere in the data; it may overlap what was there before. */
static uint64_t buffer(struct rig *r, uint64_t len)
{
    struct driver *d = r->own;
    uint64_t at = d->data;

    if (at + len > DRIVER_DATA_SIZE)
        at = 0;
    d->data = at + len;
    return DRIVER_DATA + at;
}

/* A piece with bytes to be read, or without. */
static void add_seg(struct rig *r, struct chain *c, uint64_t len, const uint8_t *data)
{
    uint64_t addr = buffer(r, len);

    if (data)
        mem_dma_write(r->bus.mem, addr, data, len);
    c->seg[c->n++] = (struct seg){addr, (uint32_t)len, data ? 0 : F_WRITE};
}

/* The same in up to three. */
static void add_segs(struct rig *r, struct chain *c, uint64_t len, const uint8_t *data)
{
    for (uint64_t pieces = fuzz_below(&r->in, 3); pieces; pieces--) {
        uint64_t part = fuzz_int(&r->in, 1);

        part = part < len ? part : len;
        add_seg(r, c, part, data);
        data = data ? data + part : NULL;
        len -= part;
    }
    add_seg(r, c, len, data);
}

/* One in a few chains is not as it ought to be. */
static void spoil(struct rig *r, struct chain *c)
{
    struct seg *s = &c->seg[fuzz_below(&r->in, c->n)];

    switch (fuzz_below(&r->in, 64)) {
    case 0:
        s->addr = rig_address(r);
        break;
    case 1:
        s->len = (uint32_t)fuzz_value(&r->in);
        break;
    case 2:
        s->flags ^= (uint16_t)fuzz_below(&r->in, 8);
        break;
    case 3: /* the rings themselves */
        s->addr = DRIVER_RINGS + fuzz_int(&r->in, 2);
        break;
    }
}

/* Writes a descriptor at a place of a table. */
static void put_desc(struct rig *r, uint64_t table, uint32_t i, const struct seg *s, unsigned flags,
                     uint32_t next)
{
    uint64_t at = table + 16 * (uint64_t)i;

    rig_poke(r, at, 8, s->addr);
    rig_poke(r, at + 8, 4, s->len);
    rig_poke(r, at + 12, 2, s->flags | flags);
    rig_poke(r, at + 14, 2, next);
}

static void put_chain(struct rig *r, uint64_t table, uint32_t first, uint32_t num,
                      const struct chain *c)
{
    for (unsigned i = 0; i < c->n; i++)
        put_desc(r, table, (first + i) % num, &c->seg[i], i + 1 < c->n ? F_NEXT : 0,
                 (first + i + 1) % num);
}

/* Into the available ring, where the device will find it. */
static void offer(struct rig *r, unsigned queue, const struct chain *c, bool indirect)
{
    struct driver *d = r->own;
    uint32_t num = d->num[queue] ? d->num[queue] : 1, head = d->at[queue] % num;
    uint64_t at = ring(queue), idx = rig_peek(r, at + DRIVER_AVAIL + 2, 2);
    struct seg table = {0, 16 * c->n, F_INDIRECT};

    if (indirect) {
        table.addr = buffer(r, table.len);
        put_chain(r, table.addr, 0, c->n, c);
        put_desc(r, at, head, &table, 0, 0);
        d->at[queue] += 1;
    } else {
        put_chain(r, at, head, num, c);
        d->at[queue] += c->n;
    }
    rig_poke(r, at + DRIVER_AVAIL + 4 + idx % num * 2, 2, head);
    rig_poke(r, at + DRIVER_AVAIL + 2, 2, idx + 1);
}

void driver_op_offer(struct rig *r)
{
    struct driver *d = r->own;
    unsigned queue = (unsigned)fuzz_below(&r->in, d->queues);
    unsigned how = (unsigned)fuzz_int(&r->in, 1);
    uint8_t request[DRIVER_REQUEST] = {0};
    struct chain c = {0};
    size_t reply = 0, len;

    if (get_reg(r, STATUS) & NEEDS_RESET)
        r->kind->begin(r);
    len = d->request(r, queue, request, &reply);
    if (len)
        add_segs(r, &c, len, request);
    if (reply)
        add_segs(r, &c, reply, NULL);
    if (!c.n)
        return;
    spoil(r, &c);
    offer(r, queue, &c, how & 1);
    if (how & 6)
        notify(r, queue);
    if (how & 8)
        rig_op_poll(r);
}

void driver_send(struct rig *r, unsigned queue, const uint8_t *request, size_t len, size_t reply)
{
    struct chain c = {0};

    add_seg(r, &c, len, request);
    if (reply)
        add_seg(r, &c, reply, NULL);
    offer(r, queue, &c, false);
    notify(r, queue);
}

size_t driver_reply(struct rig *r)
{
    static const uint16_t sizes[] = {0, 1, 4096, 1500, 64, 16384, 12, 256};
    uint64_t i = fuzz_below(&r->in, 9);

    return i < 8 ? sizes[i] : (size_t)fuzz_int(&r->in, 2);
}

/* The descriptors from 0 on are offered many times over, in one go. */
void driver_op_flood(struct rig *r)
{
    struct driver *d = r->own;
    unsigned queue = (unsigned)fuzz_below(&r->in, d->queues);
    uint32_t num = d->num[queue] ? d->num[queue] : 1;
    uint64_t at = ring(queue) + DRIVER_AVAIL, idx = rig_peek(r, at + 2, 2);

    for (uint32_t i = 0; i < num; i++)
        rig_poke(r, at + 4 + 2 * i, 2, 0);
    rig_poke(r, at + 2, 2, idx + fuzz_int(&r->in, 1));
    notify(r, queue);
}

/* A number in a queue's memory is another. */
void driver_op_ring(struct rig *r)
{
    static const uint16_t parts[] = {0, DRIVER_AVAIL, DRIVER_AVAIL, DRIVER_USED};
    struct driver *d = r->own;
    uint64_t at = ring((unsigned)fuzz_below(&r->in, d->queues));

    at += parts[fuzz_below(&r->in, 4)];
    at += 2 * fuzz_int(&r->in, 1);
    rig_poke(r, at, 2, fuzz_value(&r->in));
}

void driver_op_notify(struct rig *r)
{
    notify(r, (unsigned)fuzz_int(&r->in, 1));
}
