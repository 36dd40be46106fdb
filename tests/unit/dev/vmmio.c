/* Registers of virtio-mmio alone. */
#include "dev/virtio/rng.h"
#include "vio_test.h"

enum { R_MAGIC = 0, R_VERSION = 4, R_DEVICE_ID = 8, R_NUM_MAX = 0x34 };

START_TEST(empty_slot)
{
    struct bench b;

    vt_plug(&b, NULL);
    ck_assert_uint_eq(bench_read(&b, R_MAGIC, 4), 0x74726976);
    ck_assert_uint_eq(bench_read(&b, R_VERSION, 4), 2);
    ck_assert_uint_eq(bench_read(&b, R_DEVICE_ID, 4), 0);
    for (unsigned reg = 0; reg < 0x200; reg += 4) {
        bench_read(&b, reg, 4);
        bench_write(&b, reg, 4, 0xffffffff);
    }
    ck_assert(!b.wire[VT_WIRE]);
    bench_round_trip(&b);
    bench_fini(&b);
}
END_TEST

START_TEST(words)
{
    static const uint8_t seed[VIO_RNG_SEED];
    struct bench b;

    vt_plug(&b, vio_rng_new(seed));
    ck_assert_uint_eq(bench_read(&b, R_NUM_MAX, 4), 256);
    vt_set(&b, VT_QUEUE_SEL, 1);
    ck_assert_uint_eq(bench_read(&b, R_NUM_MAX, 4), 0);
    ck_assert_uint_eq(bench_read(&b, R_MAGIC, 1), 0);
    ck_assert_uint_eq(bench_read(&b, R_MAGIC, 8), 0);
    bench_write(&b, vt->reg[VT_STATUS].offset, 1, 3);
    ck_assert_uint_eq(vt_get(&b, VT_STATUS), 0);
    bench_fini(&b);
}
END_TEST

UNIT_MAIN("dev/vmmio", empty_slot, words)
