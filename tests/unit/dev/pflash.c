/* Flash: query and identifiers, programming, erasing, locks, a disk behind it, its state. */
#include <errno.h>

#include "base/bits.h"
#include "dev/pflash.h"
#include "dev_test.h"

enum { READY = 0x80, ERASE_ERROR = 0x20, PROGRAM_ERROR = 0x10, LOCKED = 0x02 };
#define BOTH(v) ((uint32_t)(v)*0x10001u)
#define OF(v)   BOTH(READY | (v)) /* the status of both chips, by its errors */
#define BLOCK   PFLASH_BLOCK

/* A disk in memory. */
struct image {
    uint8_t *data;
    uint64_t size;
    unsigned reads, writes;
    int fails; /* what is returned instead */
};

static int image_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    struct image *im = opaque;

    ck_assert(offset <= im->size && len <= im->size - offset);
    memcpy(buf, im->data + offset, len);
    im->reads++;
    return im->fails;
}

static int image_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    struct image *im = opaque;

    ck_assert(offset <= im->size && len <= im->size - offset);
    ck_assert(offset % 512 == 0 && len % 512 == 0);
    im->writes++;
    if (!im->fails)
        memcpy(im->data + offset, buf, len);
    return im->fails;
}

static struct dev_disk door(struct image *im, uint64_t size, bool read_only)
{
    *im = (struct image){.data = calloc(1, size), .size = size};
    memset(im->data, 0xff, size);
    return (struct dev_disk){.read = image_read,
                             .write = image_write,
                             .opaque = im,
                             .size = size,
                             .read_only = read_only};
}

static void setup(struct bench *b, const struct dev_disk *disk)
{
    bench_init(b);
    bench_plug(b, pflash_new("flash0", b->mem, &b->clock, NULL, disk), PFLASH_SIZE);
    ck_assert_int_eq(pflash_fill(b->dev, NULL), 0);
}

static uint32_t get(struct bench *b, uint64_t offset)
{
    return (uint32_t)bench_read(b, offset, 4);
}

static void put(struct bench *b, uint64_t offset, uint32_t value)
{
    bench_write(b, offset, 4, value);
}

/* A command and what confirms it; the status that follows.  The array is back. */
static uint32_t two(struct bench *b, uint64_t offset, unsigned cmd, uint32_t second)
{
    uint32_t status;

    put(b, offset, BOTH(0x50));
    put(b, offset, BOTH(cmd));
    put(b, offset, second);
    status = get(b, offset);
    put(b, offset, BOTH(0xff));
    return status;
}

START_TEST(query)
{
    static const uint8_t want[] = {'Q', 'R', 'Y', 1, 0, 0x31, 0};
    struct bench b;

    setup(&b, NULL);
    ck_assert_uint_eq(get(&b, 0x40), UINT32_MAX);
    put(&b, 0x55 * 4, BOTH(0x98));
    for (unsigned i = 0; i < sizeof want; i++)
        ck_assert_uint_eq(get(&b, 4 * (0x10 + i)), BOTH(want[i]));
    ck_assert_uint_eq(bench_read(&b, 0x40, 1), 'Q'); /* each chip's low byte, then its high one */
    ck_assert_uint_eq(bench_read(&b, 0x41, 1), 0);
    ck_assert_uint_eq(bench_read(&b, 0x42, 2), 'Q');
    ck_assert_uint_eq(bench_read(&b, 0x40, 8), UINT64_C(0x0052005200510051));
    ck_assert_uint_eq(get(&b, 4 * 0x27), BOTH(24));  /* 16 MiB a chip, */
    ck_assert_uint_eq(get(&b, 4 * 0x2d), BOTH(127)); /* in 128 blocks */
    ck_assert_uint_eq(get(&b, 4 * 0x30), BOTH(2));   /* of 128 KiB */
    ck_assert_uint_eq(get(&b, PFLASH_SIZE - 4), 0);
    put(&b, 0, BOTH(0x90)); /* from one mode to another */
    ck_assert_uint_eq(get(&b, 0), BOTH(0x89));
    ck_assert_uint_eq(get(&b, 4), BOTH(0x18));
    ck_assert_uint_eq(get(&b, 8), 0);
    ck_assert_uint_eq(get(&b, PFLASH_SIZE - 4), 0);
    put(&b, 0, BOTH(0x70));
    ck_assert_uint_eq(get(&b, 0x1234), OF(0));
    put(&b, 0, BOTH(0xf0)); /* AMD's reset */
    ck_assert_uint_eq(get(&b, 0x40), UINT32_MAX);
    bench_round_trip(&b);
    bench_fini(&b);
}
END_TEST

START_TEST(programs_and_erases)
{
    struct bench b;
    uint64_t at = 5 * BLOCK + 0x100;

    setup(&b, NULL);
    ck_assert_uint_eq(two(&b, at, 0x40, 0xdeadbeef), OF(0));
    ck_assert_uint_eq(get(&b, at), 0xdeadbeef);
    ck_assert_uint_eq(two(&b, at, 0x10, 0xffff00ff), OF(0));
    ck_assert_uint_eq(get(&b, at), 0xdead00ef); /* bits are cleared, never set */
    put(&b, at, BOTH(0x40));
    bench_write(&b, at + 3, 1, 0x0f);
    put(&b, at, BOTH(0xff));
    ck_assert_uint_eq(get(&b, at), 0x0ead00ef);
    ck_assert_uint_eq(get(&b, at + 4), UINT32_MAX);
    ck_assert_uint_eq(two(&b, 6 * BLOCK - 4, 0x40, 1), OF(0));
    ck_assert_uint_eq(two(&b, 6 * BLOCK, 0x40, 2), OF(0));
    ck_assert_uint_eq(two(&b, at, 0x20, BOTH(0xff)), OF(ERASE_ERROR | PROGRAM_ERROR));
    ck_assert_uint_eq(get(&b, at), 0x0ead00ef);
    ck_assert_uint_eq(two(&b, at, 0x20, BOTH(0xd0)), OF(0));
    ck_assert_uint_eq(get(&b, at), UINT32_MAX);
    ck_assert_uint_eq(get(&b, 6 * BLOCK - 4), UINT32_MAX);
    ck_assert_uint_eq(get(&b, 6 * BLOCK), 2); /* the next block */
    bench_fini(&b);
}
END_TEST

/* A buffered program of n words at an offset, of the words i, i + 1, ...; the status behind it. */
static uint32_t buffered(struct bench *b, uint64_t offset, uint32_t n, uint32_t confirm)
{
    uint32_t status;

    put(b, offset, BOTH(0x50));
    put(b, offset, BOTH(0xe8));
    ck_assert_uint_eq(get(b, offset), OF(0));
    put(b, offset, BOTH(n - 1));
    for (uint32_t i = 0; i < n; i++)
        put(b, offset + 4 * i, i);
    put(b, offset, confirm);
    status = get(b, offset);
    put(b, offset, BOTH(0xff));
    return status;
}

START_TEST(programs_by_the_buffer)
{
    struct bench b;

    setup(&b, NULL);
    ck_assert_uint_eq(buffered(&b, 0x2000, 1024, BOTH(0xd0)), OF(0));
    for (uint32_t i = 0; i < 1024; i++)
        ck_assert_uint_eq(get(&b, 0x2000 + 4 * i), i);
    ck_assert_uint_eq(get(&b, 0x3000), UINT32_MAX);
    ck_assert_uint_eq(buffered(&b, 0x4100, 3, BOTH(0xd0)), OF(0));
    ck_assert_uint_eq(get(&b, 0x40fc), UINT32_MAX); /* what was not stored stays */
    ck_assert_uint_eq(get(&b, 0x4108), 2);
    ck_assert_uint_eq(get(&b, 0x410c), UINT32_MAX);
    ck_assert_uint_eq(buffered(&b, 0x6000, 4, BOTH(0xff)), OF(ERASE_ERROR | PROGRAM_ERROR));
    ck_assert_uint_eq(get(&b, 0x6000), UINT32_MAX);
    put(&b, 0, BOTH(0xe8)); /* more than the buffer takes */
    put(&b, 0, BOTH(1024));
    ck_assert_uint_eq(get(&b, 0), OF(ERASE_ERROR | PROGRAM_ERROR));
    put(&b, 0, BOTH(0x50));
    put(&b, 0, BOTH(0xe8)); /* beyond the buffer */
    put(&b, 0, BOTH(1));
    put(&b, 0x8000, 1);
    bench_round_trip(&b);
    put(&b, 0x9000, 1);
    ck_assert_uint_eq(get(&b, 0), OF(ERASE_ERROR | PROGRAM_ERROR));
    put(&b, 0, BOTH(0xff));
    ck_assert_uint_eq(get(&b, 0x8000), UINT32_MAX);
    put(&b, 0, BOTH(0xe8)); /* two words in a store */
    put(&b, 0, BOTH(1));
    bench_write(&b, PFLASH_SIZE - 8, 8, UINT64_C(0x1122334455667788));
    put(&b, 0, BOTH(0xd0));
    put(&b, 0, BOTH(0xff));
    ck_assert_uint_eq(bench_read(&b, PFLASH_SIZE - 8, 8), UINT64_C(0x1122334455667788));
    bench_fini(&b);
}
END_TEST

START_TEST(locks)
{
    struct bench b;

    setup(&b, NULL);
    ck_assert_uint_eq(two(&b, 127 * BLOCK, 0x60, BOTH(0x01)), OF(0));
    ck_assert_uint_eq(two(&b, 0, 0x60, BOTH(0x33)), OF(ERASE_ERROR | PROGRAM_ERROR));
    put(&b, 0, BOTH(0x90));
    ck_assert_uint_eq(get(&b, 127 * BLOCK + 8), BOTH(1));
    ck_assert_uint_eq(get(&b, 126 * BLOCK + 8), 0);
    bench_round_trip(&b);
    ck_assert_uint_eq(two(&b, 127 * BLOCK, 0x40, 0), OF(PROGRAM_ERROR | LOCKED));
    ck_assert_uint_eq(two(&b, 127 * BLOCK, 0x20, BOTH(0xd0)), OF(ERASE_ERROR | LOCKED));
    ck_assert_uint_eq(get(&b, 127 * BLOCK), UINT32_MAX);
    ck_assert_uint_eq(two(&b, 127 * BLOCK, 0x60, BOTH(0xd0)), OF(0));
    ck_assert_uint_eq(two(&b, 127 * BLOCK, 0x40, 0), OF(0));
    ck_assert_uint_eq(get(&b, 127 * BLOCK), 0);
    two(&b, 127 * BLOCK, 0x60, BOTH(0x2f));
    b.dev->class->reset(b.dev);
    ck_assert_uint_eq(get(&b, 127 * BLOCK), 0); /* the array outlives a reset */
    ck_assert_uint_eq(two(&b, 127 * BLOCK, 0x20, BOTH(0xd0)), OF(0));
    bench_fini(&b);
}
END_TEST

START_TEST(a_disk_behind_it)
{
    struct bench b;
    struct image im;
    struct dev_disk d = door(&im, BLOCK + 512, false);

    im.data[BLOCK + 511] = 0x12;
    im.data[7] = 0x34;
    setup(&b, &d);
    ck_assert_uint_eq(get(&b, 4), 0x34ffffff);
    ck_assert_uint_eq(get(&b, BLOCK + 508), 0x12ffffff);
    ck_assert_uint_eq(get(&b, BLOCK + 512), UINT32_MAX);
    ck_assert_uint_eq(two(&b, 0x1000, 0x40, 0x1234), OF(0));
    ck_assert(im.data[0x1000] == 0x34 && im.data[0x1001] == 0x12 && im.writes == 1);
    ck_assert_uint_eq(two(&b, 0, 0x20, BOTH(0xd0)), OF(0));
    ck_assert(im.data[7] == 0xff && im.data[0x1000] == 0xff && im.data[BLOCK + 511] == 0x12);
    ck_assert_uint_eq(im.writes, 3); /* what is erased already is not written */

    /* Behind its end nothing can be kept; erasing its last block can. */
    ck_assert_uint_eq(two(&b, BLOCK + 512, 0x40, 0), OF(PROGRAM_ERROR));
    ck_assert_uint_eq(buffered(&b, BLOCK, 200, BOTH(0xd0)), OF(PROGRAM_ERROR));
    ck_assert_uint_eq(get(&b, BLOCK), UINT32_MAX);
    ck_assert_uint_eq(buffered(&b, BLOCK, 8, BOTH(0xd0)), OF(0));
    ck_assert_uint_eq(im.data[BLOCK + 4], 1);
    ck_assert_uint_eq(two(&b, BLOCK, 0x20, BOTH(0xd0)), OF(0));
    ck_assert_uint_eq(im.data[BLOCK + 4], 0xff);

    /* What the disk refuses has not happened. */
    two(&b, 0x1000, 0x40, 0x1234);
    im.fails = -EIO;
    ck_assert_uint_eq(two(&b, 0x1004, 0x40, 0), OF(PROGRAM_ERROR));
    ck_assert_uint_eq(two(&b, 0, 0x20, BOTH(0xd0)), OF(ERASE_ERROR));
    ck_assert_uint_eq(get(&b, 0x1000), 0x1234);
    ck_assert_uint_eq(get(&b, 0x1004), UINT32_MAX);
    bench_fini(&b);
    free(im.data);
}
END_TEST

START_TEST(a_disk_that_is_read_only)
{
    struct bench b;
    struct image im;
    struct dev_disk d = door(&im, 512, true);
    struct err e;

    im.data[0] = 0;
    setup(&b, &d);
    ck_assert_uint_eq(get(&b, 0), 0xffffff00);
    ck_assert_uint_eq(two(&b, 0, 0x40, 0), OF(PROGRAM_ERROR));
    ck_assert_uint_eq(two(&b, 0, 0x20, BOTH(0xd0)), OF(ERASE_ERROR));
    ck_assert_uint_eq(two(&b, BLOCK, 0x20, BOTH(0xd0)), OF(ERASE_ERROR));
    ck_assert(get(&b, 0) == 0xffffff00 && !im.writes);
    im.fails = -EIO;
    ck_assert_int_eq(pflash_fill(b.dev, &e), -EIO);
    ck_assert_str_eq(e.msg, "flash0: its file cannot be read");
    bench_fini(&b);
    free(im.data);
}
END_TEST

/* Any step can be saved and gone on from; what no step leaves behind is refused. */
START_TEST(states)
{
    struct bench b;
    static const struct {
        unsigned at; /* behind the section's head */
        uint8_t value;
    } bad[] = {{0, 4}, {1, 7}, {3, 0}, {4, 5}, {7, 1}, {10, 2}};

    setup(&b, NULL);
    put(&b, 0, BOTH(0x40));
    bench_round_trip(&b);
    put(&b, 0, 5);
    put(&b, 0, BOTH(0xff));
    ck_assert_uint_eq(get(&b, 0), 5);
    put(&b, 0, BOTH(0xe8));
    put(&b, 0, BOTH(1));
    put(&b, 0x1000, 6);
    bench_round_trip(&b);
    put(&b, 0x1004, 7);
    bench_round_trip(&b);
    put(&b, 0, BOTH(0xd0));
    put(&b, 0, BOTH(0xff));
    ck_assert_uint_eq(bench_read(&b, 0x1000, 8), UINT64_C(0x700000006));

    put(&b, 0, BOTH(0xe8));
    put(&b, 0, BOTH(1));
    put(&b, 0x1000, 6);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf s = bench_save(&b);
        size_t body = 1 + strlen("flash0") + 4 + 8 + 8;

        s.data[body + bad[i].at] = (char)bad[i].value;
        bits_store_le(s.data + body - 8, 8, bits_hash(s.data + body, s.len - body, 0));
        ck_assert_msg(bench_load(&b, &s) == -EINVAL, "case %u", i);
        ck_assert_uint_eq(get(&b, 0), 5); /* reset, not half loaded */
        put(&b, 0, BOTH(0xe8));
        put(&b, 0, BOTH(1));
        put(&b, 0x1000, 6);
        buf_fini(&s);
    }
    bench_fini(&b);
}
END_TEST

UNIT_MAIN("dev/pflash", query, programs_and_erases, programs_by_the_buffer, locks, a_disk_behind_it,
          a_disk_that_is_read_only, states)
