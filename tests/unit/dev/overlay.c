/* overlay.c - tests of disks whose changes are kept in memory. */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "dev/overlay.h"
#include "tests/unit/unit.h"

#define SIZE                                                                                       \
    (UINT64_C(5) * 512 * 4096 / 2 + 3 * 512) /* more than two leaves; the last page is short */

struct below {
    uint8_t *data;
    bool broken;
};

static int below_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    struct below *b = opaque;

    ck_assert(offset <= SIZE && len <= SIZE - offset);
    if (b->broken)
        return -EIO;
    memcpy(buf, b->data + offset, len);
    return 0;
}

static void below_init(struct below *b)
{
    b->data = malloc(SIZE);
    b->broken = false;
    for (uint64_t i = 0; i < SIZE; i++)
        b->data[i] = (uint8_t)(i * 7 + i / 512);
}

static struct dev_overlay *overlay(struct below *b)
{
    struct dev_disk d = {.read = below_read, .opaque = b, .size = SIZE, .read_only = true};

    return dev_overlay_new(&d);
}

static uint64_t rnd(uint64_t *state)
{
    return *state = bits_mix(*state + 1);
}

/* A random change, to the disk and to what it should be. */
static void change(struct dev_disk *d, uint8_t *want, uint64_t *seed)
{
    uint64_t sectors = SIZE / 512, at = rnd(seed) % sectors, n = 1 + rnd(seed) % 40;
    uint8_t bytes[40 * 512];

    if (n > sectors - at)
        n = sectors - at;
    memset(bytes, (int)rnd(seed), sizeof bytes);
    if (rnd(seed) % 3) {
        ck_assert_int_eq(d->write(d->opaque, at * 512, bytes, n * 512), 0);
        memcpy(want + at * 512, bytes, n * 512);
    } else {
        ck_assert_int_eq(d->zero(d->opaque, at * 512, n * 512), 0);
        memset(want + at * 512, 0, n * 512);
    }
}

static void check(const struct dev_disk *d, const uint8_t *want)
{
    uint8_t *got = malloc(SIZE);

    ck_assert_int_eq(d->read(d->opaque, 0, got, SIZE), 0);
    ck_assert(!memcmp(got, want, SIZE));
    free(got);
}

/* Two disks that part, and go back to a moment that both shared, again and again. */
START_TEST(test_changes)
{
    struct below b;
    uint8_t *want[3];
    struct dev_overlay *o[3];
    struct dev_disk d[3];
    uint64_t seed = 1;

    below_init(&b);
    for (unsigned i = 0; i < 3; i++) {
        want[i] = malloc(SIZE);
        memcpy(want[i], b.data, SIZE);
        o[i] = overlay(&b);
        d[i] = dev_overlay_disk(o[i]);
        ck_assert(!d[i].read_only && d[i].size == SIZE);
    }
    for (unsigned round = 0; round < 40; round++) {
        unsigned from = (unsigned)(rnd(&seed) % 3), to = (unsigned)(rnd(&seed) % 3);

        for (unsigned i = 0; i < 60; i++)
            change(&d[i % 3], want[i % 3], &seed);
        for (unsigned i = 0; i < 3; i++)
            check(&d[i], want[i]);
        dev_overlay_copy(o[to], o[from]);
        if (to != from)
            memcpy(want[to], want[from], SIZE);
    }
    ck_assert_int_eq(d[0].flush(d[0].opaque), 0);
    for (unsigned i = 0; i < 3; i++) {
        dev_overlay_free(o[i]);
        free(want[i]);
    }
    free(b.data);
}
END_TEST

/* What is written is there though the disk below cannot be read, and an error is passed on. */
START_TEST(test_errors)
{
    uint8_t page[4096] = {1}, got[4096];
    struct dev_overlay *o;
    struct dev_disk d;
    struct below b;

    below_init(&b);
    o = overlay(&b);
    d = dev_overlay_disk(o);
    b.broken = true;
    ck_assert_int_eq(d.write(d.opaque, 4096, page, 4096), 0);
    ck_assert_int_eq(d.read(d.opaque, 4096, got, 4096), 0);
    ck_assert(!memcmp(got, page, 4096));
    ck_assert_int_eq(d.read(d.opaque, 0, got, 512), -EIO);
    ck_assert_int_eq(d.write(d.opaque, 0, page, 512), -EIO);
    ck_assert_int_eq(d.write(d.opaque, SIZE - 512, page, 1024), -EINVAL);
    ck_assert_int_eq(d.zero(d.opaque, SIZE, 512), -EINVAL);
    ck_assert_int_eq(d.read(d.opaque, UINT64_MAX, got, 512), -EINVAL);
    b.broken = false;
    ck_assert_int_eq(d.read(d.opaque, 0, got, 512), 0);
    ck_assert(!memcmp(got, b.data, 512));
    dev_overlay_free(o);
    free(b.data);
}
END_TEST

static int read_zeroes(void *opaque, uint64_t offset, void *buf, size_t len)
{
    (void)opaque, (void)offset;
    memset(buf, 0, len);
    return 0;
}

/* A disk of any size takes no more than what is written: its server may announce what it likes. */
START_TEST(test_vast)
{
    static const uint64_t sizes[] = {512,
                                     4096,
                                     4096 * 512,
                                     UINT64_C(1) << 46,
                                     UINT64_C(0x7ffffffffffffe00),
                                     UINT64_C(0xfffffffffffffe00)};

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct dev_disk below = {.read = read_zeroes, .size = sizes[i]}, d, kept;
        struct dev_overlay *o = dev_overlay_new(&below), *p = dev_overlay_new(&below);
        uint8_t one[512], got[512];

        memset(one, 1, sizeof one);
        d = dev_overlay_disk(o);
        kept = dev_overlay_disk(p);
        for (uint64_t at = sizes[i] - 512;; at = at / 3 / 512 * 512) {
            dev_overlay_copy(p, o);
            ck_assert_int_eq(d.write(d.opaque, at, one, 512), 0);
            ck_assert_int_eq(d.read(d.opaque, at, got, 512), 0);
            ck_assert_mem_eq(got, one, 512);
            ck_assert_int_eq(kept.read(kept.opaque, at, got, 512), 0);
            ck_assert(!got[0] && !got[511]);
            if (!at)
                break;
        }
        ck_assert_int_eq(d.read(d.opaque, sizes[i] - 512, got, 512), 0);
        ck_assert_mem_eq(got, one, 512);
        dev_overlay_copy(o, o);
        dev_overlay_free(o);
        dev_overlay_free(p);
    }
}
END_TEST

UNIT_MAIN("dev/overlay", test_changes, test_errors, test_vast)
