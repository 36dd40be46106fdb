/* The Goldfish clock and the test finisher. */
#include "dev/finisher.h"
#include "dev/goldfish_rtc.h"
#include "dev_test.h"

enum { LOW = 0, HIGH = 4, ALARM_LOW = 8, ALARM_HIGH = 12, ENABLED = 16, CLEAR_ALARM = 20 };
enum { STATUS = 24, CLEAR_IRQ = 28 };

#define EPOCH UINT64_C(1700000000123456789)

static uint64_t now(struct bench *b)
{
    uint64_t low = bench_read(b, LOW, 4);
    return bench_read(b, HIGH, 4) << 32 | low;
}

static void setup(struct bench *b)
{
    bench_init(b);
    bench_plug(b, goldfish_rtc_new("rtc", b->mem, &b->clock, NULL, bench_line(b, 2), EPOCH),
               0x1000);
}

START_TEST(time_runs)
{
    struct bench b;

    setup(&b);
    ck_assert_uint_eq(now(&b), EPOCH);
    b.now = 5000000000;
    ck_assert_uint_eq(bench_peek(&b, HIGH, 4), EPOCH >> 32); /* as latched */
    ck_assert_uint_eq(now(&b), EPOCH + 5000000000);
    bench_write(&b, HIGH, 4, 0x10);
    bench_write(&b, LOW, 4, 0x20);
    ck_assert_uint_eq(now(&b), UINT64_C(0x1000000020));
    bench_round_trip(&b);
    ck_assert(!mem_read(b.mem, BENCH_DEV, 8, &(uint64_t){0}));
    bench_fini(&b);
}
END_TEST

START_TEST(alarm_rings)
{
    struct bench b;
    uint64_t at = EPOCH + 1000;

    setup(&b);
    bench_write(&b, ENABLED, 4, 1);
    bench_write(&b, ALARM_HIGH, 4, at >> 32);
    bench_write(&b, ALARM_LOW, 4, at);
    ck_assert_uint_eq(bench_read(&b, STATUS, 4), 1);
    bench_until(&b, 999);
    ck_assert(!b.wire[2]);
    bench_round_trip(&b);
    bench_until(&b, 1000);
    ck_assert(b.wire[2]);
    ck_assert_uint_eq(bench_read(&b, STATUS, 4), 0);
    bench_write(&b, CLEAR_IRQ, 4, 1);
    ck_assert(!b.wire[2]);
    bench_write(&b, ALARM_LOW, 4, at); /* in the past: at once */
    ck_assert(b.wire[2]);
    bench_write(&b, ENABLED, 4, 0);
    ck_assert(!b.wire[2]);
    bench_write(&b, CLEAR_IRQ, 4, 1);
    bench_write(&b, ENABLED, 4, 1);
    bench_write(&b, ALARM_LOW, 4, at + 5000);
    bench_write(&b, CLEAR_ALARM, 4, 1);
    bench_until(&b, 100000);
    ck_assert(!b.wire[2]);
    bench_fini(&b);
}
END_TEST

static enum finisher_how last_how;
static unsigned last_code, calls;

static void finish(void *opaque, enum finisher_how how, unsigned code)
{
    (void)opaque;
    last_how = how;
    last_code = code;
    calls++;
}

START_TEST(finishes)
{
    struct bench b;

    calls = 0;
    bench_init(&b);
    bench_plug(&b, finisher_new("test", b.mem, &b.clock, NULL, finish, NULL), 0x1000);
    bench_write(&b, 0, 4, 0x5555);
    ck_assert(last_how == FINISHER_PASS && last_code == 0 && calls == 1);
    bench_write(&b, 0, 4, 0x00073333);
    ck_assert(last_how == FINISHER_FAIL && last_code == 7 && calls == 2);
    bench_write(&b, 0, 4, 0x7777);
    ck_assert(last_how == FINISHER_RESET && last_code == 0 && calls == 3);
    bench_write(&b, 0, 4, 0x1234);
    bench_write(&b, 4, 4, 0x5555);
    ck_assert_uint_eq(calls, 3);
    ck_assert_uint_eq(bench_read(&b, 0, 4), 0);
    bench_round_trip(&b);
    bench_fini(&b);
}
END_TEST

UNIT_MAIN("dev/rtc", time_runs, alarm_rings, finishes)
