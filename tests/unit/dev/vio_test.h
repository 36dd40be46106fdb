/*
 * vio_test.h - a driver of any virtio device, as a test plays it: rings in the bench's RAM,
 * chains put together by hand.  VT_MAIN runs all tests over each transport.
 */
#ifndef VIO_TEST_H
#define VIO_TEST_H

#include "base/bits.h"
#include "dev/virtio/mmio.h"
#include "dev/virtio/pci.h"
#include "dev/virtio/transport.h"
#include "dev_test.h"

/* Registers that both transports have. */
enum vt_reg {
    VT_FEATURES_SEL,
    VT_FEATURES,
    VT_DRIVER_SEL,
    VT_DRIVER,
    VT_QUEUE_SEL,
    VT_NUM,
    VT_READY,
    VT_STATUS,
    VT_GENERATION,
    VT_DESC,
    VT_DESC_HIGH,
    VT_AVAIL,
    VT_AVAIL_HIGH,
    VT_USED,
    VT_USED_HIGH,
    VT_REGS,
};
enum { VT_RUNS = 15, VT_BROKEN = 64 };

/* Where they are, in a window at BENCH_DEV. */
struct vt_place {
    uint16_t offset;
    uint8_t size;
};

struct vt_transport {
    bool pci;
    uint64_t features; /* of its own */
    struct vt_place reg[VT_REGS];
    uint16_t config;           /* the device's own */
    uint16_t notify, stride;   /* of queue n: n is written at notify + n * stride */
    struct vt_place interrupt; /* as debuggers see it */
};

static const struct vt_transport vt_mmio = {
    .reg = {{0x14, 4},
            {0x10, 4},
            {0x24, 4},
            {0x20, 4},
            {0x30, 4},
            {0x38, 4},
            {0x44, 4},
            {0x70, 4},
            {0xfc, 4},
            {0x80, 4},
            {0x84, 4},
            {0x90, 4},
            {0x94, 4},
            {0xa0, 4},
            {0xa4, 4}},
    .config = 0x100,
    .notify = 0x50,
    .interrupt = {0x60, 4},
};

static const struct vt_transport vt_pci = {
    .pci = true,
    .features = BIT(VIO_F_RING_RESET),
    .reg = {{0x00, 4},
            {0x04, 4},
            {0x08, 4},
            {0x0c, 4},
            {0x16, 2},
            {0x18, 2},
            {0x1c, 2},
            {0x14, 1},
            {0x15, 1},
            {0x20, 4},
            {0x24, 4},
            {0x28, 4},
            {0x2c, 4},
            {0x30, 4},
            {0x34, 4}},
    .config = 0x2000,
    .notify = 0x3000,
    .stride = 4,
    .interrupt = {PCI_CONFIG_WINDOW + 0x1000, 1},
};

static const struct vt_transport *vt = &vt_mmio; /* of this process's test */

static void vt_use_mmio(void)
{
    vt = &vt_mmio;
}

static void vt_use_pci(void)
{
    vt = &vt_pci;
}

static const struct unit_case vt_cases[] = {{"mmio", vt_use_mmio}, {"pci", vt_use_pci}};

#define VT_MAIN(name, ...) UNIT_MAIN_CASES(name, vt_cases, __VA_ARGS__)

#define VT_WIRE    3
#define VT_QN      32u /* entries of each queue */
#define VT_RING(q) (BENCH_RAM + 0x1000 + 0x1000 * (uint64_t)(q))
#define VT_DATA    (BENCH_RAM + 0x40000) /* the test's own */

struct vt_seg {
    uint64_t addr;
    uint32_t len;
    bool write; /* by the device */
};

static inline void vt_poke(struct bench *b, uint64_t addr, unsigned size, uint64_t v)
{
    ck_assert_uint_eq(mem_poke(b->mem, addr, &v, size), size);
}

static inline uint64_t vt_peek(struct bench *b, uint64_t addr, unsigned size)
{
    uint64_t v = 0;

    ck_assert_uint_eq(mem_peek(b->mem, addr, &v, size), size);
    return v;
}

static inline uint64_t vt_get(struct bench *b, enum vt_reg reg)
{
    return bench_read(b, vt->reg[reg].offset, vt->reg[reg].size);
}

static inline void vt_set(struct bench *b, enum vt_reg reg, uint64_t v)
{
    bench_write(b, vt->reg[reg].offset, vt->reg[reg].size, v);
}

static inline uint64_t vt_config(struct bench *b, unsigned offset, unsigned size)
{
    return bench_read(b, vt->config + offset, size);
}

static inline void vt_config_set(struct bench *b, unsigned offset, unsigned size, uint64_t v)
{
    bench_write(b, vt->config + offset, size, v);
}

static inline void vt_notify(struct bench *b, unsigned q)
{
    bench_write(b, vt->notify + vt->stride * q, vt->pci ? 2 : 4, q);
}

/* Why the device interrupts; and that was seen. */
static inline unsigned vt_interrupts(struct bench *b)
{
    return (unsigned)bench_peek(b, vt->interrupt.offset, vt->interrupt.size);
}

static inline void vt_ack(struct bench *b)
{
    if (vt->pci)
        bench_read(b, 0x1000, 1);
    else
        bench_write(b, 0x64, 4, 3);
}

/* Without a bus: its BAR is the window. */
static inline void vt_plug_pci(struct bench *b, struct pci_func *f)
{
    const struct pci_bar *bar = &f->bar[VIO_PCI_BAR];

    b->dev = &f->dev;
    ck_assert_int_eq(mem_add_device(b->mem, "bar", BENCH_DEV, bar->size, bar->bus, f, NULL), 0);
    f->dev.class->reset(&f->dev);
}

static inline void vt_plug_log(struct bench *b, struct vio_device *v, struct log *log)
{
    struct dev_line wire = bench_line(b, VT_WIRE);

    bench_init(b);
    if (vt->pci)
        vt_plug_pci(b, vio_pci_new("pci1", b->mem, &b->clock, log, wire, (struct dev_msi){0}, v));
    else
        bench_plug(b, vio_mmio_new("virtio0", b->mem, &b->clock, log, wire, v), VIO_MMIO_SIZE);
}

static inline void vt_plug(struct bench *b, struct vio_device *v)
{
    vt_plug_log(b, v, NULL);
}

/* Kind of device: VIRTIO 1.2, section 5. */
static inline unsigned vt_id(struct bench *b)
{
    return vt->pci ? (unsigned)bench_peek(b, PCI_DEVICE, 2) - 0x1040
                   : (unsigned)bench_read(b, 8, 4);
}

/* Features that the device offers, the transport's left out. */
static inline uint64_t vt_offered(struct bench *b)
{
    uint64_t low, high;

    vt_set(b, VT_FEATURES_SEL, 0);
    low = vt_get(b, VT_FEATURES);
    vt_set(b, VT_FEATURES_SEL, 1);
    high = vt_get(b, VT_FEATURES);
    ck_assert_uint_eq((low | high << 32) & vt->features, vt->features);
    return (low | high << 32) & ~vt->features;
}

/* Both halves. */
static inline void vt_address(struct bench *b, enum vt_reg low, uint64_t v)
{
    vt_set(b, low, (uint32_t)v);
    vt_set(b, low + 1, v >> 32);
}

static inline void vt_queue(struct bench *b, unsigned q)
{
    uint64_t ring = VT_RING(q);

    vt_set(b, VT_QUEUE_SEL, q);
    vt_set(b, VT_NUM, VT_QN);
    vt_address(b, VT_DESC, ring);
    vt_address(b, VT_AVAIL, ring + 0x400);
    vt_address(b, VT_USED, ring + 0x800);
    vt_poke(b, ring + 0x400, 4, 0);
    vt_poke(b, ring + 0x800, 4, 0);
    vt_set(b, VT_READY, 1);
    ck_assert_uint_eq(vt_get(b, VT_READY), 1);
}

/* From a reset on, takes these features; true if the device agrees. */
static inline bool vt_negotiate(struct bench *b, uint64_t features)
{
    if (vt->pci)
        pci_config_write((struct pci_func *)b->dev, PCI_COMMAND, 2,
                         PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    vt_set(b, VT_STATUS, 0);
    vt_set(b, VT_STATUS, 3);
    vt_set(b, VT_DRIVER_SEL, 0);
    vt_set(b, VT_DRIVER, (uint32_t)features);
    vt_set(b, VT_DRIVER_SEL, 1);
    vt_set(b, VT_DRIVER, features >> 32);
    vt_set(b, VT_STATUS, 3 | 8);
    return vt_get(b, VT_STATUS) & 8;
}

/* The device from its reset to work, with these features and version 1. */
static inline void vt_start(struct bench *b, uint64_t features, unsigned queues)
{
    ck_assert(vt_negotiate(b, features | BIT(VIO_F_VERSION_1)));
    for (unsigned q = 0; q < queues; q++)
        vt_queue(b, q);
    vt_set(b, VT_STATUS, VT_RUNS);
}

/* Offers a chain whose descriptors start at number `head`, without telling. */
static inline void vt_offer(struct bench *b, unsigned q, unsigned head, const struct vt_seg *segs,
                            unsigned n)
{
    uint64_t ring = VT_RING(q);
    unsigned idx = (unsigned)vt_peek(b, ring + 0x402, 2);

    for (unsigned i = 0; i < n; i++) {
        uint64_t desc = ring + 16 * (uint64_t)(head + i);
        vt_poke(b, desc, 8, segs[i].addr);
        vt_poke(b, desc + 8, 4, segs[i].len);
        vt_poke(b, desc + 12, 2, (i + 1 < n) | segs[i].write << 1);
        vt_poke(b, desc + 14, 2, head + i + 1);
    }
    vt_poke(b, ring + 0x404 + idx % VT_QN * 2, 2, head);
    vt_poke(b, ring + 0x402, 2, idx + 1);
}

/* How many chains came back. */
static inline unsigned vt_used(struct bench *b, unsigned q)
{
    return (unsigned)vt_peek(b, VT_RING(q) + 0x802, 2);
}

/* Bytes written into the last one that came back. */
static inline uint32_t vt_len(struct bench *b, unsigned q)
{
    return (uint32_t)vt_peek(b, VT_RING(q) + 0x804 + (vt_used(b, q) - 1) % VT_QN * 8 + 4, 4);
}

/* Offers, tells, and the chain came back. */
static inline uint32_t vt_do(struct bench *b, unsigned q, const struct vt_seg *segs, unsigned n)
{
    unsigned used = vt_used(b, q);

    vt_offer(b, q, 0, segs, n);
    vt_notify(b, q);
    ck_assert_uint_eq(vt_used(b, q), used + 1);
    return vt_len(b, q);
}

/* The same with a chain that breaks the device, which works again after a reset. */
static inline void vt_breaks(struct bench *b, uint64_t features, unsigned queues, unsigned q,
                             const struct vt_seg *segs, unsigned n)
{
    unsigned used = vt_used(b, q);

    vt_offer(b, q, 0, segs, n);
    vt_notify(b, q);
    b->dev->class->poll(b->dev);
    ck_assert_uint_eq(vt_get(b, VT_STATUS), VT_RUNS | VT_BROKEN);
    ck_assert_uint_eq(vt_used(b, q), used);
    vt_start(b, features, queues);
}

static inline uint64_t vt_random(uint64_t below)
{
    static uint64_t seed = 1;

    seed = bits_mix(seed + UINT64_C(0x9e3779b97f4a7c15));
    return seed % below;
}

/* Writes anything into any register. */
static inline void vt_scribble(struct bench *b)
{
    unsigned size = vt->pci ? 1u << vt_random(4) : 4;
    uint64_t offset = vt_random(0x180);

    if (vt->pci && offset >= 0x40)
        offset += vt->config - 0x40;
    bench_write(b, offset & ~(uint64_t)(size - 1), size, vt_random(UINT64_MAX));
}

/* Chains of random lengths and places, to random queues, and random registers: whatever the guest
 * does, it ends and stays in bounds.  The first bytes of what the device reads are `fill`'s.
 * Returns how many came back. */
static inline unsigned vt_storm(struct bench *b, uint64_t features, unsigned queues, unsigned turns,
                                void (*fill)(struct bench *b, uint64_t addr))
{
    unsigned served = 0;

    for (unsigned turn = 0; turn < turns; turn++) {
        unsigned q = (unsigned)vt_random(queues), n = 1 + (unsigned)vt_random(4), used;
        unsigned readable = (unsigned)vt_random(n + 1);
        struct vt_seg segs[4];

        for (unsigned i = 0; i < n; i++)
            segs[i] = (struct vt_seg){VT_DATA + vt_random(0x4000),
                                      (uint32_t)vt_random(vt_random(2) ? 16 : 3000), i >= readable};
        if (!vt_random(8))
            segs[vt_random(n)].addr = vt_random(UINT64_MAX);
        if (fill)
            fill(b, segs[0].addr);
        used = vt_used(b, q);
        vt_offer(b, q, (unsigned)vt_random(VT_QN - 4), segs, n);
        vt_notify(b, q);
        b->dev->class->poll(b->dev);
        served += vt_used(b, q) != used;
        bench_until(b, b->now + 2000);
        if (!vt_random(16))
            vt_scribble(b);
        if (vt_get(b, VT_STATUS) != VT_RUNS || !vt_random(64))
            vt_start(b, features, queues);
    }
    vt_start(b, features, queues);
    return served;
}

#endif
