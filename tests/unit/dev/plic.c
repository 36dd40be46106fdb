/* The PLIC: the flow of a claim, priorities, thresholds, and gateways. */
#include "dev/plic.h"
#include "dev_test.h"

enum { PENDING = 0x1000, ENABLE = 0x2000, CONTEXT = 0x200000, CLAIM = 4 };
enum { M0, S0, M1, S1 }; /* contexts, and their wires */

static struct plic *setup(struct bench *b)
{
    struct plic *p;

    bench_init(b);
    p = plic_new("plic", b->mem, &b->clock, NULL, 4, bench_line(b, 0));
    bench_plug(b, plic_dev(p), PLIC_SIZE);
    return p;
}

static void source(struct plic *p, unsigned n, bool level)
{
    struct dev_line l = plic_source(p, n);

    dev_line_set(&l, level);
}

static void enable(struct bench *b, unsigned context, unsigned n, unsigned priority)
{
    uint64_t word = ENABLE + 0x80 * context + n / 32 * 4;

    bench_write(b, 4 * n, 4, priority);
    bench_write(b, word, 4, bench_read(b, word, 4) | UINT64_C(1) << (n % 32));
}

static uint64_t claim(struct bench *b, unsigned context)
{
    return bench_read(b, CONTEXT + 0x1000 * context + CLAIM, 4);
}

static void complete(struct bench *b, unsigned context, unsigned n)
{
    bench_write(b, CONTEXT + 0x1000 * context + CLAIM, 4, n);
}

START_TEST(flow)
{
    struct bench b;
    struct plic *p = setup(&b);

    enable(&b, S0, 10, 1);
    source(p, 10, true);
    ck_assert(b.wire[S0] && !b.wire[M0] && !b.wire[S1]);
    ck_assert_uint_eq(bench_read(&b, PENDING, 4), 1 << 10);
    ck_assert_uint_eq(bench_peek(&b, CONTEXT + 0x1000 + CLAIM, 4), 10);
    ck_assert(b.wire[S0]); /* peeking claims nothing */
    ck_assert_uint_eq(claim(&b, S0), 10);
    ck_assert(!b.wire[S0]);
    ck_assert_uint_eq(claim(&b, S0), 0);
    bench_round_trip(&b);
    complete(&b, S0, 10); /* still high: asks again */
    ck_assert(b.wire[S0]);
    ck_assert_uint_eq(claim(&b, S0), 10);
    source(p, 10, false);
    complete(&b, S0, 10);
    ck_assert(!b.wire[S0]);
    source(p, 10, true);
    ck_assert(b.wire[S0]);
    bench_fini(&b);
}
END_TEST

/* A request that was forwarded stays, and none is forwarded while one is under way. */
START_TEST(gateways)
{
    struct bench b;
    struct plic *p = setup(&b);

    enable(&b, M1, 96, 7);
    source(p, 96, true);
    source(p, 96, false);
    ck_assert(b.wire[M1]);
    ck_assert_uint_eq(bench_read(&b, PENDING + 12, 4), 1);
    ck_assert_uint_eq(claim(&b, M1), 96);
    source(p, 96, true);
    ck_assert(!b.wire[M1]);
    complete(&b, S1, 96); /* not enabled there: ignored */
    ck_assert(!b.wire[M1]);
    complete(&b, M1, 95);
    complete(&b, M1, 97);
    complete(&b, M1, 0xffffffff);
    ck_assert(!b.wire[M1]);
    complete(&b, M1, 96);
    ck_assert(b.wire[M1]);
    bench_fini(&b);
}
END_TEST

START_TEST(priorities)
{
    struct bench b;
    struct plic *p = setup(&b);

    enable(&b, S0, 3, 2);
    enable(&b, S0, 40, 2);
    enable(&b, S0, 70, 5);
    enable(&b, S0, 5, 0); /* never interrupts */
    source(p, 40, true);
    source(p, 3, true);
    source(p, 70, true);
    source(p, 5, true);
    bench_write(&b, CONTEXT + 0x1000, 4, 5);
    ck_assert(!b.wire[S0]);
    bench_write(&b, CONTEXT + 0x1000, 4, 4);
    ck_assert(b.wire[S0]);
    bench_write(&b, CONTEXT + 0x1000, 4, 7);
    ck_assert_uint_eq(claim(&b, S0), 70); /* the threshold is not asked */
    ck_assert_uint_eq(claim(&b, S0), 3);
    ck_assert_uint_eq(claim(&b, S0), 40);
    ck_assert_uint_eq(claim(&b, S0), 0);
    bench_fini(&b);
}
END_TEST

START_TEST(registers)
{
    struct bench b;

    setup(&b);
    bench_write(&b, 0, 4, 7); /* source 0 does not exist */
    ck_assert_uint_eq(bench_read(&b, 0, 4), 0);
    bench_write(&b, 4 * 96, 4, 0xff);
    ck_assert_uint_eq(bench_read(&b, 4 * 96, 4), 7);
    bench_write(&b, 4 * 97, 4, 7);
    ck_assert_uint_eq(bench_read(&b, 4 * 97, 4), 0);
    bench_write(&b, ENABLE, 4, 0xffffffff);
    ck_assert_uint_eq(bench_read(&b, ENABLE, 4), 0xfffffffe);
    bench_write(&b, ENABLE + 12, 4, 0xffffffff);
    ck_assert_uint_eq(bench_read(&b, ENABLE + 12, 4), 1);
    bench_write(&b, ENABLE + 16, 4, 0xffffffff);
    ck_assert_uint_eq(bench_read(&b, ENABLE + 16, 4), 0);
    bench_write(&b, ENABLE + 0x80 * 4, 4, 2); /* no such context */
    ck_assert_uint_eq(bench_read(&b, ENABLE + 0x80 * 4, 4), 0);
    bench_write(&b, CONTEXT + 4 * 0x1000, 4, 7);
    ck_assert_uint_eq(bench_read(&b, CONTEXT + 4 * 0x1000, 4), 0);
    bench_write(&b, PENDING, 4, 2); /* read-only */
    ck_assert_uint_eq(bench_read(&b, PENDING, 4), 0);
    ck_assert(!mem_write(b.mem, BENCH_DEV, 8, 0));
    bench_round_trip(&b);
    bench_fini(&b);
}
END_TEST

UNIT_MAIN("dev/plic", flow, gateways, priorities, registers)
