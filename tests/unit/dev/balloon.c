/* The memory balloon: pages that go back, and what a hostile driver lists. */
#include "dev/virtio/balloon.h"
#include "vio_test.h"

enum { INFLATE, DEFLATE, REPORT };
enum { F_REPORTING = 5 };
#define PAGE(n) (BENCH_RAM + 0x80000 + 4096 * (uint64_t)(n))

static unsigned changed;

static void code_changed(void *opaque, uint64_t paddr, uint64_t len)
{
    ck_assert(paddr <= PAGE(5) + 4 && paddr + len >= PAGE(5) + 8);
    mem_code_drop(opaque, PAGE(5) + 4, 4);
    changed++;
}

static struct vio_device *plug(struct bench *b, uint64_t bytes)
{
    struct vio_device *v = vio_balloon_new(bytes);

    vt_plug(b, v);
    vt_start(b, BIT(F_REPORTING), 3);
    for (unsigned i = 0; i < 16; i++)
        vt_poke(b, PAGE(i) + 8, 8, i + 1);
    return v;
}

static void list(struct bench *b, unsigned i, uint64_t page)
{
    vt_poke(b, VT_DATA + 4 * i, 4, page >> 12);
}

START_TEST(inflates)
{
    struct vt_seg seg = {VT_DATA, 20, false};
    struct bench b;

    plug(&b, 0);
    list(&b, 0, PAGE(2)); /* upwards, downwards, apart */
    list(&b, 1, PAGE(3));
    list(&b, 2, PAGE(9));
    list(&b, 3, PAGE(8));
    list(&b, 4, PAGE(5));
    mem_code_listen(b.mem, code_changed, b.mem);
    mem_code_add(b.mem, PAGE(5) + 4, 4);
    mem_clean(b.mem);
    changed = 0;
    vt_do(&b, INFLATE, &seg, 1);
    for (unsigned i = 0; i < 16; i++) {
        bool gone = i == 2 || i == 3 || i == 5 || i == 8 || i == 9;
        ck_assert_uint_eq(vt_peek(&b, PAGE(i) + 8, 8), gone ? 0 : i + 1);
    }
    ck_assert_uint_eq(changed, 1);
    uint64_t *dirty, seen = 0;
    size_t n = mem_dirty(b.mem, &dirty);
    for (size_t i = 0; i < n; i++)
        seen += dirty[i] == PAGE(2) || dirty[i] == PAGE(5) || dirty[i] == PAGE(9);
    ck_assert_uint_eq(seen, 3);
    free(dirty);
    vt_do(&b, DEFLATE, &seg, 1);
    vt_poke(&b, PAGE(2), 8, 7); /* it can be used again */
    ck_assert_uint_eq(vt_peek(&b, PAGE(2), 8), 7);
    mem_code_unlisten(b.mem, b.mem);
    bench_fini(&b);
}
END_TEST

START_TEST(asks)
{
    struct bench b;
    struct vio_device *v = plug(&b, 8 << 12);

    ck_assert_uint_eq(vt_config(&b, 0, 4), 8);
    vt_config_set(&b, 0, 4, 99); /* the device's own */
    vt_config_set(&b, 4, 2, 99);
    vt_config_set(&b, 0, 8, UINT64_C(99) << 32);
    ck_assert_uint_eq(vt_config(&b, 0, 8), 8);
    vt_config_set(&b, 4, 4, 5);
    ck_assert_uint_eq(vio_balloon_given(v), 5 << 12);
    ck_assert(!b.wire[VT_WIRE]);
    vio_balloon_ask(v, UINT64_MAX);
    ck_assert_uint_eq(vt_config(&b, 0, 4), UINT32_MAX);
    ck_assert_uint_eq(vt_interrupts(&b), 2);
    ck_assert(b.wire[VT_WIRE]);
    ck_assert_uint_eq(vt_get(&b, VT_GENERATION), 1);
    bench_round_trip(&b);
    ck_assert_uint_eq(vt_config(&b, 0, 4), UINT32_MAX);
    b.dev->class->reset(b.dev);
    ck_assert_uint_eq(vt_config(&b, 0, 8), 8);
    bench_fini(&b);
}
END_TEST

START_TEST(reports)
{
    const struct vt_seg segs[] = {{PAGE(0), 8192, true}, {PAGE(4) + 100, 8192, true}};
    struct bench b;

    plug(&b, 0);
    vt_poke(&b, PAGE(4) + 200, 8, 9);
    vt_do(&b, REPORT, segs, 2);
    ck_assert_uint_eq(vt_peek(&b, PAGE(4) + 200, 8), 9);
    ck_assert_uint_eq(vt_peek(&b, PAGE(0) + 8, 8), 0);
    ck_assert_uint_eq(vt_peek(&b, PAGE(1) + 8, 8), 0);
    ck_assert_uint_eq(vt_peek(&b, PAGE(2) + 8, 8), 3);
    ck_assert_uint_eq(vt_peek(&b, PAGE(4) + 8, 8), 5); /* in part: stays */
    ck_assert_uint_eq(vt_peek(&b, PAGE(5) + 8, 8), 0);
    ck_assert_uint_eq(vt_peek(&b, PAGE(6) + 8, 8), 7);
    vt_start(&b, 0, 3); /* without the feature nothing is served */
    vt_poke(&b, PAGE(0) + 8, 8, 1);
    vt_offer(&b, REPORT, 0, segs, 2);
    vt_notify(&b, REPORT);
    ck_assert_uint_eq(vt_used(&b, REPORT), 0);
    ck_assert_uint_eq(vt_peek(&b, PAGE(0) + 8, 8), 1);
    bench_fini(&b);
}
END_TEST

/* Numbers of pages that are no RAM do nothing; lists without end are refused. */
START_TEST(hostile)
{
    struct vt_seg seg = {VT_DATA, 19, false}, many[4];
    struct bench b;

    plug(&b, 0);
    list(&b, 0, 0);
    list(&b, 1, BENCH_DEV);
    list(&b, 2, UINT64_MAX);
    list(&b, 3, BENCH_RAM + BENCH_RAM_SIZE);
    list(&b, 4, PAGE(1)); /* cut off */
    vt_do(&b, INFLATE, &seg, 1);
    ck_assert_uint_eq(vt_peek(&b, PAGE(1) + 8, 8), 2);
    for (unsigned i = 0; i < 4; i++)
        many[i] = (struct vt_seg){BENCH_RAM + 0x40000, 0x18000, false};
    vt_breaks(&b, 0, 3, INFLATE, many, 4);
    seg.len = 0;
    vt_do(&b, INFLATE, &seg, 1);
    bench_fini(&b);
}
END_TEST

/* The rings themselves may be given away: then nothing more is found in them. */
START_TEST(gives_its_rings_away)
{
    struct vt_seg seg = {VT_DATA, 4, false};
    struct bench b;

    plug(&b, 0);
    list(&b, 0, VT_RING(INFLATE));
    vt_offer(&b, INFLATE, 0, &seg, 1);
    vt_notify(&b, INFLATE);
    ck_assert_uint_eq(vt_peek(&b, VT_RING(INFLATE), 8), 0);
    vt_notify(&b, INFLATE);
    bench_fini(&b);
}
END_TEST

START_TEST(storm)
{
    struct bench b;

    plug(&b, 0);
    ck_assert_uint_gt(vt_storm(&b, BIT(F_REPORTING), 3, 5000, NULL), 500);
    bench_fini(&b);
}
END_TEST

VT_MAIN("dev/balloon", inflates, asks, reports, hostile, gives_its_rings_away, storm)
