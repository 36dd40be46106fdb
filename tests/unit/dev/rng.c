/* The entropy device: its bytes, its seed, its state. */
#include "dev/virtio/rng.h"
#include "vio_test.h"

static const uint8_t zero_seed[VIO_RNG_SEED];

static void plug(struct bench *b, const uint8_t *seed)
{
    vt_plug(b, vio_rng_new(seed));
    vt_start(b, 0, 1);
}

static uint32_t ask(struct bench *b, uint32_t len)
{
    const struct vt_seg seg = {VT_DATA, len, true};

    return vt_do(b, 0, &seg, 1);
}

START_TEST(key_stream)
{
    /* RFC 8439, A.1, test vectors 1 and 2 */
    static const uint8_t first[] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
                                    0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28};
    static const uint8_t second[] = {0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a,
                                     0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d};
    uint8_t got[128];
    struct bench b;

    plug(&b, zero_seed);
    ck_assert_uint_eq(vt_id(&b), 4);
    ck_assert_uint_eq(ask(&b, 128), 128);
    mem_peek(b.mem, VT_DATA, got, sizeof got);
    ck_assert_mem_eq(got, first, sizeof first);
    ck_assert_mem_eq(got + 64, second, sizeof second);
    ck_assert(b.wire[VT_WIRE]);
    bench_fini(&b);
}
END_TEST

START_TEST(seeds_and_resets)
{
    uint8_t seed[VIO_RNG_SEED] = {1};
    struct bench b;
    uint64_t one, two;

    plug(&b, seed);
    ask(&b, 8);
    one = vt_peek(&b, VT_DATA, 8);
    ck_assert(one != UINT64_C(0x903df1a0ade0b876));
    vt_start(&b, 0, 1); /* a driver's reset goes on */
    ask(&b, 8);
    two = vt_peek(&b, VT_DATA, 8);
    ck_assert(one != two);
    bench_round_trip(&b); /* a snapshot gives the same once more */
    struct buf state = bench_save(&b);
    ask(&b, 8);
    one = vt_peek(&b, VT_DATA, 8);
    ck_assert_int_eq(bench_load(&b, &state), 0);
    vt_queue(&b, 0);
    buf_fini(&state);
    bench_fini(&b);

    plug(&b, seed);
    b.dev->class->reset(b.dev); /* power-on: from the start */
    vt_start(&b, 0, 1);
    ask(&b, 8);
    ask(&b, 8);
    ck_assert_uint_eq(vt_peek(&b, VT_DATA, 8), two);
    ask(&b, 8);
    ck_assert_uint_eq(vt_peek(&b, VT_DATA, 8), one);
    bench_fini(&b);
}
END_TEST

START_TEST(odd_requests)
{
    const struct vt_seg none = {VT_DATA, 0, true}, readable = {VT_DATA, 8, false};
    struct vt_seg big[] = {{BENCH_RAM, 0x30000, true}, {VT_DATA, 0x10000, true}};
    struct bench b;

    plug(&b, zero_seed);
    ck_assert_uint_eq(vt_do(&b, 0, &none, 1), 0);
    ck_assert_uint_eq(ask(&b, 1), 1);
    ck_assert_uint_eq(ask(&b, 65), 65);
    big[0].addr = VT_DATA;
    ck_assert_uint_eq(vt_do(&b, 0, big, 2), 0x10000); /* not all of it */
    vt_breaks(&b, 0, 1, 0, &readable, 1);
    ck_assert_uint_eq(ask(&b, 8), 8);
    bench_fini(&b);
}
END_TEST

/* What is more than one go's worth comes at set times. */
START_TEST(budget)
{
    const struct vt_seg seg = {VT_DATA, 0x10000, true};
    struct bench b;
    unsigned first;

    plug(&b, zero_seed);
    for (unsigned i = 0; i < VT_QN; i++)
        vt_offer(&b, 0, i, &seg, 1);
    vt_notify(&b, 0);
    first = vt_used(&b, 0);
    ck_assert_uint_gt(first, 8);
    ck_assert_uint_lt(first, VT_QN);
    ck_assert(clock_next(&b.clock) != CLOCK_NEVER);
    bench_round_trip(&b);
    bench_until(&b, b.now + 1000);
    ck_assert_uint_gt(vt_used(&b, 0), first);
    bench_until(&b, b.now + 10000);
    ck_assert_uint_eq(vt_used(&b, 0), VT_QN);
    ck_assert(clock_next(&b.clock) == CLOCK_NEVER);
    bench_fini(&b);
}
END_TEST

START_TEST(storm)
{
    struct bench b;

    plug(&b, zero_seed);
    ck_assert_uint_gt(vt_storm(&b, BIT(VIO_F_EVENT_IDX), 1, 5000, NULL), 500);
    bench_round_trip(&b);
    ck_assert_uint_eq(ask(&b, 8), 8);
    bench_fini(&b);
}
END_TEST

VT_MAIN("dev/rng", key_stream, seeds_and_resets, odd_requests, budget, storm)
