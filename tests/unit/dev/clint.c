/* The CLINT: software interrupts, the timer's exact moment, mtime moved by the guest. */
#include "dev/clint.h"
#include "dev/ticks.h"
#include "dev_test.h"

enum { MSIP = 0, CMP = 0x4000, TIME = 0xbff8, MSI = 0, MTI = 8 };

static unsigned moved;

static void count_move(void *opaque)
{
    (void)opaque;
    moved++;
}

static struct clint *setup(struct bench *b, uint64_t hz)
{
    const struct clint_config config = {
        .nharts = 2,
        .hz = hz,
        .msi = bench_line(b, MSI),
        .mti = bench_line(b, MTI),
        .moved = count_move,
    };
    struct clint *c;

    bench_init(b);
    c = clint_new("clint", b->mem, &b->clock, NULL, &config);
    bench_plug(b, clint_dev(c), CLINT_SIZE);
    return c;
}

START_TEST(ticks)
{
    ck_assert_uint_eq(dev_ticks(99, 10000000), 0);
    ck_assert_uint_eq(dev_ticks(100, 10000000), 1);
    ck_assert_uint_eq(dev_ticks_when(1, 10000000), 100);
    ck_assert_uint_eq(dev_ticks_when(1, 3), 333333334);
    ck_assert_uint_eq(dev_ticks(333333333, 3), 0);
    ck_assert_uint_eq(dev_ticks(333333334, 3), 1);
    ck_assert_uint_eq(dev_ticks_when(UINT64_MAX, 10000000), CLOCK_NEVER);
    ck_assert_uint_eq(dev_ticks(UINT64_MAX, 1000000000), UINT64_MAX);
    for (uint64_t t = 0; t < 1000; t++) {
        uint64_t ns = dev_ticks_when(t, 32768);
        ck_assert_uint_eq(dev_ticks(ns, 32768), t);
        if (ns)
            ck_assert_uint_eq(dev_ticks(ns - 1, 32768), t - 1);
    }
}
END_TEST

START_TEST(software)
{
    struct bench b;

    setup(&b, 10000000);
    bench_write(&b, MSIP + 4, 4, 0xffffffff);
    ck_assert(b.wire[MSI + 1] && !b.wire[MSI]);
    ck_assert_uint_eq(bench_read(&b, MSIP + 4, 4), 1);
    ck_assert_uint_eq(bench_read(&b, MSIP, 4), 0);
    bench_write(&b, MSIP + 4, 4, 2);
    ck_assert(!b.wire[MSI + 1]);
    bench_write(&b, MSIP + 8, 4, 1); /* no such hart */
    ck_assert_uint_eq(bench_read(&b, MSIP + 8, 4), 0);
    ck_assert(!b.wire[MSI + 2]);
    ck_assert(!mem_write(b.mem, BENCH_DEV, 1, 1));
    bench_fini(&b);
}
END_TEST

START_TEST(timer)
{
    struct bench b;

    setup(&b, 10000000);
    b.now = 1234;
    ck_assert_uint_eq(bench_read(&b, TIME, 8), 12);
    bench_write(&b, CMP + 8, 8, 100);
    ck_assert(!b.wire[MTI + 1]);
    bench_until(&b, 9999);
    ck_assert(!b.wire[MTI + 1]);
    bench_until(&b, 10000);
    ck_assert(b.wire[MTI + 1] && !b.wire[MTI]);
    bench_write(&b, CMP + 8, 4, 101); /* the low half alone */
    ck_assert(!b.wire[MTI + 1]);
    bench_write(&b, CMP + 12, 4, 1); /* and the high one */
    ck_assert_uint_eq(bench_read(&b, CMP + 8, 8), (UINT64_C(1) << 32) + 101);
    ck_assert_uint_eq(bench_read(&b, CMP + 12, 4), 1);
    bench_until(&b, 20000);
    ck_assert(!b.wire[MTI + 1]);
    bench_write(&b, CMP, 8, 200); /* now: already due */
    ck_assert(b.wire[MTI]);
    bench_round_trip(&b);
    bench_write(&b, CMP, 8, UINT64_MAX);
    ck_assert(!b.wire[MTI]);
    bench_fini(&b);
}
END_TEST

START_TEST(time_written)
{
    struct bench b;
    struct clint *c = setup(&b, 10000000);

    b.now = 5000;
    bench_write(&b, CMP, 8, 1000);
    moved = 0;
    bench_write(&b, TIME, 8, 990);
    ck_assert_uint_eq(moved, 1);
    ck_assert_uint_eq(clint_time(c), 990);
    ck_assert_uint_eq(clint_when(c, 1000), 6000);
    ck_assert_uint_eq(clint_when(c, 990), 5000);
    bench_until(&b, 5999);
    ck_assert(!b.wire[MTI]);
    bench_until(&b, 6000);
    ck_assert(b.wire[MTI]);
    bench_write(&b, TIME, 4, 0); /* back before the compare value */
    ck_assert(!b.wire[MTI]);
    ck_assert_uint_eq(bench_read(&b, TIME, 8), 0);
    bench_round_trip(&b);
    bench_fini(&b);
}
END_TEST

UNIT_MAIN("dev/clint", ticks, software, timer, time_written)
