/*
 * dev_test.h - a bench for one device: a bus with RAM, a clock that the test
 * turns, and wires whose levels are kept.
 */
#ifndef DEV_TEST_H
#define DEV_TEST_H

#include <string.h>

#include "base/buf.h"
#include "dev/device.h"
#include "snap/snap.h"
#include "../unit.h"

#define BENCH_RAM      UINT64_C(0x80000000)
#define BENCH_RAM_SIZE UINT64_C(0x100000)
#define BENCH_DEV      UINT64_C(0x10000000)
#define BENCH_WIRES    64

struct bench {
    struct mem *mem;
    uint64_t now;
    struct clock clock;
    bool wire[BENCH_WIRES];
    unsigned sets; /* how often a wire was driven */
    struct dev *dev;
};

static uint64_t bench_now(void *opaque)
{
    return ((struct bench *)opaque)->now;
}

static void bench_sooner(void *opaque)
{
    (void)opaque;
}

static inline void bench_wire(void *opaque, unsigned n, bool level)
{
    struct bench *b = opaque;

    ck_assert_uint_lt(n, BENCH_WIRES);
    b->wire[n] = level;
    b->sets++;
}

static inline struct dev_line bench_line(struct bench *b, unsigned n)
{
    return (struct dev_line){bench_wire, b, n};
}

static inline void bench_init(struct bench *b)
{
    *b = (struct bench){.mem = mem_new()};
    clock_init(&b->clock, bench_now, bench_sooner, b);
    ck_assert_int_eq(mem_add_ram(b->mem, "ram", BENCH_RAM, BENCH_RAM_SIZE, NULL), 0);
}

static inline void bench_plug(struct bench *b, struct dev *d, uint64_t size)
{
    b->dev = d;
    ck_assert_int_eq(dev_map(d, BENCH_DEV, size, NULL), 0);
    d->class->reset(d);
}

static inline void bench_fini(struct bench *b)
{
    if (b->dev)
        dev_free(b->dev);
    ck_assert_uint_eq(b->clock.len, 0); /* a device takes its events with it */
    clock_fini(&b->clock);
    mem_free(b->mem);
}

/* Time passes; events fire at their own times. */
static inline void bench_until(struct bench *b, uint64_t now)
{
    for (uint64_t next; (next = clock_next(&b->clock)) <= now;) {
        b->now = next > b->now ? next : b->now;
        clock_run(&b->clock, b->now);
    }
    b->now = now;
}

static inline uint64_t bench_read(struct bench *b, uint64_t offset, unsigned size)
{
    uint64_t v = 0;

    ck_assert(mem_read(b->mem, BENCH_DEV + offset, size, &v));
    return v;
}

static inline void bench_write(struct bench *b, uint64_t offset, unsigned size, uint64_t v)
{
    ck_assert(mem_write(b->mem, BENCH_DEV + offset, size, v));
}

static inline uint64_t bench_peek(struct bench *b, uint64_t offset, unsigned size)
{
    uint64_t v = 0;

    ck_assert(b->dev->class->peek(b->dev, offset, size, &v));
    return v;
}

/* The device's saved state; the caller's to end. */
static inline struct buf bench_save(struct bench *b)
{
    struct buf out = BUF_INIT;
    struct snap s;

    snap_open_save(&s, &out);
    b->dev->class->state(b->dev, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    return out;
}

static inline int bench_load(struct bench *b, const struct buf *in)
{
    struct snap s;

    snap_open_load(&s, in->data, in->len);
    b->dev->class->state(b->dev, &s);
    return snap_close(&s, NULL);
}

/* Saves, resets, loads, and finds the same state again; every register can be peeked at. */
static inline void bench_round_trip(struct bench *b)
{
    struct buf first = bench_save(b), second;

    b->dev->class->reset(b->dev);
    ck_assert_int_eq(bench_load(b, &first), 0);
    second = bench_save(b);
    ck_assert_uint_eq(first.len, second.len);
    ck_assert_mem_eq(first.data, second.data, first.len);
    for (const struct dev_reg *r = b->dev->class->regs; r->name; r++)
        bench_peek(b, r->offset, r->size);
    buf_fini(&second);
    second = bench_save(b);
    ck_assert_uint_eq(first.len, second.len);
    ck_assert_mem_eq(first.data, second.data, first.len);
    buf_fini(&first);
    buf_fini(&second);
}

#endif
