/*
 * vio_test.h - a driver of any virtio device, as a test plays it: rings in the bench's RAM,
 * chains put together by hand.
 */
#ifndef VIO_TEST_H
#define VIO_TEST_H

#include "base/bits.h"
#include "dev/virtio/mmio.h"
#include "dev_test.h"

enum { VT_FEATURES = 0x10, VT_FEATURES_SEL = 0x14, VT_DRIVER = 0x20, VT_DRIVER_SEL = 0x24 };
enum { VT_QUEUE_SEL = 0x30, VT_NUM = 0x38, VT_READY = 0x44, VT_NOTIFY = 0x50 };
enum { VT_INT_STATUS = 0x60, VT_INT_ACK = 0x64, VT_STATUS = 0x70, VT_DESC = 0x80 };
enum { VT_AVAIL = 0x90, VT_USED = 0xa0, VT_CONFIG = 0x100 };
enum { VT_RUNS = 15, VT_BROKEN = 64 };

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

static inline void vt_plug(struct bench *b, struct vio_device *v)
{
    bench_init(b);
    bench_plug(b, vio_mmio_new("virtio0", b->mem, &b->clock, NULL, bench_line(b, VT_WIRE), v),
               VIO_MMIO_SIZE);
}

static inline uint64_t vt_offered(struct bench *b)
{
    uint64_t low, high;

    bench_write(b, VT_FEATURES_SEL, 4, 0);
    low = bench_read(b, VT_FEATURES, 4);
    bench_write(b, VT_FEATURES_SEL, 4, 1);
    high = bench_read(b, VT_FEATURES, 4);
    return low | high << 32;
}

static inline void vt_queue(struct bench *b, unsigned q)
{
    uint64_t ring = VT_RING(q);

    bench_write(b, VT_QUEUE_SEL, 4, q);
    bench_write(b, VT_NUM, 4, VT_QN);
    bench_write(b, VT_DESC, 4, (uint32_t)ring);
    bench_write(b, VT_AVAIL, 4, (uint32_t)ring + 0x400);
    bench_write(b, VT_USED, 4, (uint32_t)ring + 0x800);
    bench_write(b, VT_DESC + 4, 4, 0);
    bench_write(b, VT_AVAIL + 4, 4, 0);
    bench_write(b, VT_USED + 4, 4, 0);
    vt_poke(b, ring + 0x400, 4, 0);
    vt_poke(b, ring + 0x800, 4, 0);
    bench_write(b, VT_READY, 4, 1);
    ck_assert_uint_eq(bench_read(b, VT_READY, 4), 1);
}

/* The device from its reset to work, with these features and version 1. */
static inline void vt_start(struct bench *b, uint64_t features, unsigned queues)
{
    features |= BIT(VIO_F_VERSION_1);
    bench_write(b, VT_STATUS, 4, 0);
    bench_write(b, VT_STATUS, 4, 3);
    bench_write(b, VT_DRIVER_SEL, 4, 0);
    bench_write(b, VT_DRIVER, 4, (uint32_t)features);
    bench_write(b, VT_DRIVER_SEL, 4, 1);
    bench_write(b, VT_DRIVER, 4, features >> 32);
    bench_write(b, VT_STATUS, 4, 11);
    ck_assert_uint_eq(bench_read(b, VT_STATUS, 4), 11);
    for (unsigned q = 0; q < queues; q++)
        vt_queue(b, q);
    bench_write(b, VT_STATUS, 4, VT_RUNS);
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

static inline void vt_notify(struct bench *b, unsigned q)
{
    bench_write(b, VT_NOTIFY, 4, q);
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
    ck_assert_uint_eq(bench_read(b, VT_STATUS, 4), VT_RUNS | VT_BROKEN);
    ck_assert_uint_eq(vt_used(b, q), used);
    vt_start(b, features, queues);
}

static inline uint64_t vt_random(uint64_t below)
{
    static uint64_t seed = 1;

    seed = bits_mix(seed + UINT64_C(0x9e3779b97f4a7c15));
    return seed % below;
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
            bench_write(b, vt_random(0x180) & ~UINT64_C(3), 4, vt_random(UINT64_MAX));
        if (bench_read(b, VT_STATUS, 4) != VT_RUNS || !vt_random(64))
            vt_start(b, features, queues);
    }
    vt_start(b, features, queues);
    return served;
}

#endif
