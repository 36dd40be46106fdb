/* Transports, the split queue and the block device, driven as a guest would, and as a hostile one.
 */
#include <errno.h>
#include <unistd.h>

#include "base/bits.h"
#include "dev/virtio/blk.h"
#include "vio_test.h"

enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4 };
enum { T_IN, T_OUT, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_ZEROES = 13 };

#define QN         8u /* entries of the queue */
#define RING_DESC  (BENCH_RAM + 0x1000)
#define RING_AVAIL (BENCH_RAM + 0x2000)
#define RING_USED  (BENCH_RAM + 0x3000)
#define HEADER     (BENCH_RAM + 0x4000)
#define DATA       (BENCH_RAM + 0x5000)
#define STAT       (BENCH_RAM + 0x4100)
#define TABLE      (BENCH_RAM + 0x6000)
#define SECTORS    64

static uint8_t image[SECTORS * 512];
static unsigned flushes;
static int disk_error;

static int disk_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    (void)opaque;
    ck_assert(!(offset % 512) && !(len % 512)); /* whatever the guest does */
    ck_assert(offset <= sizeof image && len <= sizeof image - offset);
    memcpy(buf, image + offset, len);
    return disk_error;
}

static int disk_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    (void)opaque;
    ck_assert(!(offset % 512) && !(len % 512)); /* whatever the guest does */
    ck_assert(offset <= sizeof image && len <= sizeof image - offset);
    memcpy(image + offset, buf, len);
    return disk_error;
}

static int disk_flush(void *opaque)
{
    (void)opaque;
    flushes++;
    return disk_error;
}

static void desc_at(struct bench *b, uint64_t at, uint64_t addr, uint32_t len, unsigned flags,
                    unsigned next)
{
    vt_poke(b, at, 8, addr);
    vt_poke(b, at + 8, 4, len);
    vt_poke(b, at + 12, 2, flags);
    vt_poke(b, at + 14, 2, next);
}

static void desc(struct bench *b, unsigned i, uint64_t addr, uint32_t len, unsigned flags,
                 unsigned next)
{
    desc_at(b, RING_DESC + 16 * i, addr, len, flags, next);
}

static void setup_disk(struct bench *b, bool read_only)
{
    const struct dev_disk disk = {
        .read = disk_read,
        .write = disk_write,
        .flush = disk_flush,
        .size = sizeof image,
        .read_only = read_only,
    };

    for (size_t i = 0; i < sizeof image; i++)
        image[i] = (uint8_t)(i / 512 + i);
    flushes = 0;
    disk_error = 0;
    vt_plug(b, vio_blk_new(&disk, "serial-0"));
}

static void rings(struct bench *b)
{
    vt_set(b, VT_QUEUE_SEL, 0);
    vt_set(b, VT_NUM, QN);
    vt_address(b, VT_DESC, RING_DESC);
    vt_address(b, VT_AVAIL, RING_AVAIL);
    vt_address(b, VT_USED, RING_USED);
    vt_poke(b, RING_AVAIL, 4, 0);
    vt_poke(b, RING_USED, 4, 0);
    vt_set(b, VT_READY, 1);
}

static void start(struct bench *b, uint64_t features)
{
    ck_assert(vt_negotiate(b, features | BIT(VIO_F_VERSION_1)));
    rings(b);
    ck_assert_uint_eq(vt_get(b, VT_READY), 1);
    vt_set(b, VT_STATUS, 3 | 8 | 4);
}

static void setup(struct bench *b, uint64_t features)
{
    setup_disk(b, false);
    start(b, features);
}

/* Offers the chain that begins at descriptor `head`, without telling. */
static void offer(struct bench *b, unsigned head)
{
    unsigned idx = (unsigned)vt_peek(b, RING_AVAIL + 2, 2);

    vt_poke(b, RING_AVAIL + 4 + idx % QN * 2, 2, head);
    vt_poke(b, RING_AVAIL + 2, 2, idx + 1);
}

static void header(struct bench *b, unsigned type, uint64_t sector)
{
    vt_poke(b, HEADER, 4, type);
    vt_poke(b, HEADER + 4, 4, 0);
    vt_poke(b, HEADER + 8, 8, sector);
    vt_poke(b, STAT, 1, 0xee);
}

/* The usual request of three descriptors; returns its status byte. */
static unsigned request(struct bench *b, unsigned type, uint64_t sector, uint32_t len)
{
    unsigned used = (unsigned)vt_peek(b, RING_USED + 2, 2);

    header(b, type, sector);
    desc(b, 0, HEADER, 16, F_NEXT, 1);
    desc(b, 1, DATA, len, F_NEXT | (type == T_IN || type == T_GET_ID ? F_WRITE : 0), 2);
    desc(b, 2, STAT, 1, F_WRITE, 0);
    offer(b, 0);
    vt_notify(b, 0);
    ck_assert_uint_eq(vt_peek(b, RING_USED + 2, 2), (used + 1) & 0xffff);
    ck_assert_uint_eq(vt_peek(b, RING_USED + 4 + used % QN * 8, 4), 0);
    return (unsigned)vt_peek(b, STAT, 1);
}

static uint32_t used_len(struct bench *b)
{
    unsigned used = (unsigned)vt_peek(b, RING_USED + 2, 2) - 1;

    return (uint32_t)vt_peek(b, RING_USED + 4 + used % QN * 8 + 4, 4);
}

START_TEST(negotiation)
{
    struct bench b;

    setup_disk(&b, false);
    ck_assert_uint_eq(vt_id(&b), 2);
    ck_assert_uint_eq(vt_get(&b, VT_FEATURES) & BIT(9), BIT(9));
    vt_set(&b, VT_FEATURES_SEL, 1);
    ck_assert_uint_eq(vt_get(&b, VT_FEATURES), 1 | vt->features >> 32);
    vt_set(&b, VT_FEATURES_SEL, 2);
    ck_assert_uint_eq(vt_get(&b, VT_FEATURES), 0);
    ck_assert(!vt_negotiate(&b, BIT(9)));                        /* not version 1 */
    ck_assert(!vt_negotiate(&b, BIT(VIO_F_VERSION_1) | BIT(5))); /* not offered */
    ck_assert(!vt_negotiate(&b, BIT(VIO_F_VERSION_1) | BIT(63)));
    ck_assert(vt_negotiate(&b, BIT(VIO_F_VERSION_1)));
    vt_set(&b, VT_DRIVER, 0); /* too late: nothing changes */
    vt_set(&b, VT_STATUS, 15);
    ck_assert_uint_eq(vt_get(&b, VT_STATUS), 15);
    vt_set(&b, VT_STATUS, 1); /* bits only go by a reset */
    ck_assert_uint_eq(vt_get(&b, VT_STATUS), 15);
    vt_set(&b, VT_STATUS, 0);
    ck_assert_uint_eq(vt_get(&b, VT_STATUS), 0);
    bench_fini(&b);
}
END_TEST

START_TEST(configuration)
{
    struct bench b;

    setup_disk(&b, true);
    ck_assert_uint_eq(vt_config(&b, 0, 8), SECTORS);
    ck_assert_uint_eq(vt_config(&b, 0, 4), SECTORS);
    ck_assert_uint_eq(vt_config(&b, 0, 1), SECTORS);
    ck_assert_uint_eq(vt_config(&b, 12, 4), 254);
    ck_assert_uint_eq(vt_config(&b, 20, 4), 512);
    ck_assert_uint_eq(vt_config(&b, 0xe00, 8), 0);
    vt_config_set(&b, 0, 8, 1);
    ck_assert_uint_eq(vt_config(&b, 0, 8), SECTORS);
    ck_assert_uint_eq(vt_get(&b, VT_FEATURES) & BIT(5), BIT(5)); /* read-only */
    bench_fini(&b);
}
END_TEST

START_TEST(reads_and_writes)
{
    struct bench b;
    uint8_t data[1024];

    setup(&b, 0);
    ck_assert_uint_eq(request(&b, T_IN, 3, 1024), 0);
    ck_assert_uint_eq(used_len(&b), 1025);
    mem_peek(b.mem, DATA, data, sizeof data);
    ck_assert_mem_eq(data, image + 3 * 512, 1024);
    ck_assert(b.wire[VT_WIRE]);
    ck_assert_uint_eq(vt_interrupts(&b), 1);
    vt_ack(&b);
    ck_assert(!b.wire[VT_WIRE]);
    memset(data, 0xa5, sizeof data);
    mem_poke(b.mem, DATA, data, sizeof data);
    ck_assert_uint_eq(request(&b, T_OUT, SECTORS - 2, 1024), 0);
    ck_assert_uint_eq(used_len(&b), 1);
    ck_assert_mem_eq(image + sizeof image - 1024, data, 1024);
    ck_assert_uint_eq(image[sizeof image - 1025], (uint8_t)(SECTORS - 3 + 511));
    for (unsigned i = 0; i < 3 * QN; i++) /* round the ring */
        ck_assert_uint_eq(request(&b, T_IN, i, 512), 0);
    bench_round_trip(&b);
    ck_assert_uint_eq(request(&b, T_IN, 1, 512), 0);
    bench_fini(&b);
}
END_TEST

START_TEST(other_requests)
{
    struct bench b;
    char id[21] = "";

    setup(&b, 0);
    ck_assert_uint_eq(request(&b, T_FLUSH, 0, 0), 0);
    ck_assert_uint_eq(flushes, 1);
    ck_assert_uint_eq(request(&b, T_GET_ID, 0, 20), 0);
    mem_peek(b.mem, DATA, id, 20);
    ck_assert_str_eq(id, "serial-0");
    ck_assert_uint_eq(request(&b, T_GET_ID, 0, 3), 0);
    ck_assert_uint_eq(request(&b, 77, 0, 16), 2);
    vt_poke(&b, DATA, 8, 5);
    vt_poke(&b, DATA + 8, 8, 2);
    ck_assert_uint_eq(request(&b, T_ZEROES, 0, 16), 0);
    for (unsigned i = 5 * 512; i < 7 * 512; i++)
        ck_assert_uint_eq(image[i], 0);
    ck_assert(image[5 * 512 - 1] && image[7 * 512]);
    vt_poke(&b, DATA + 8, 8, 60);
    ck_assert_uint_eq(request(&b, T_ZEROES, 0, 16), 1); /* beyond the end */
    vt_poke(&b, DATA + 8, 4, 2);
    vt_poke(&b, DATA + 12, 4, 2);
    ck_assert_uint_eq(request(&b, T_ZEROES, 0, 16), 2); /* an unknown flag */
    ck_assert_uint_eq(request(&b, T_ZEROES, 0, 15), 1);
    bench_fini(&b);
}
END_TEST

START_TEST(bad_requests)
{
    struct bench b;

    setup(&b, 0);
    ck_assert_uint_eq(request(&b, T_IN, SECTORS, 512), 1);
    ck_assert_uint_eq(request(&b, T_IN, SECTORS - 1, 1024), 1);
    ck_assert_uint_eq(request(&b, T_IN, UINT64_MAX, 512), 1);
    ck_assert_uint_eq(request(&b, T_IN, UINT64_MAX / 512, 512), 1);
    ck_assert_uint_eq(request(&b, T_OUT, 0, 511), 1);
    ck_assert_uint_eq(request(&b, T_IN, SECTORS, 0), 0); /* nothing, at the end */
    disk_error = -EIO;
    ck_assert_uint_eq(request(&b, T_IN, 0, 512), 1);
    ck_assert_uint_eq(request(&b, T_OUT, 0, 512), 1);
    ck_assert_uint_eq(request(&b, T_FLUSH, 0, 0), 1);
    ck_assert_uint_eq(vt_get(&b, VT_STATUS), 15); /* the device itself is well */
    bench_fini(&b);
    setup_disk(&b, true);
    start(&b, 0);
    ck_assert_uint_eq(request(&b, T_OUT, 0, 512), 1);
    ck_assert_uint_eq(request(&b, T_ZEROES, 0, 16), 1);
    ck_assert_uint_eq(request(&b, T_IN, 0, 512), 0);
    bench_fini(&b);
}
END_TEST

/* Header and status may be spread over descriptors in any way. */
START_TEST(any_layout)
{
    struct bench b;
    uint8_t data[512];

    setup(&b, 0);
    header(&b, T_OUT, 9);
    memset(data, 0x3c, sizeof data);
    mem_poke(b.mem, DATA, data, sizeof data);
    vt_poke(&b, HEADER + 8 + 8, 1, 0); /* the data follow the header's second part */
    desc(&b, 0, HEADER, 5, F_NEXT, 3);
    desc(&b, 3, HEADER + 5, 0, F_NEXT, 4);
    desc(&b, 4, HEADER + 5, 11, F_NEXT, 5);
    desc(&b, 5, DATA, 100, F_NEXT, 6);
    desc(&b, 6, DATA + 100, 412, F_NEXT, 7);
    desc(&b, 7, STAT, 1, F_WRITE, 0);
    offer(&b, 0);
    vt_notify(&b, 0);
    ck_assert_uint_eq(vt_peek(&b, STAT, 1), 0);
    ck_assert_mem_eq(image + 9 * 512, data, 512);
    header(&b, T_IN, 9);
    desc(&b, 0, HEADER, 16, F_NEXT, 3);
    desc(&b, 3, DATA + 0x800, 200, F_WRITE | F_NEXT, 4);
    desc(&b, 4, DATA + 0x800 + 200, 313, F_WRITE, 0); /* the last byte is the status */
    vt_poke(&b, DATA + 0x800 + 512, 1, 0xee);
    offer(&b, 0);
    vt_notify(&b, 0);
    ck_assert_uint_eq(vt_peek(&b, DATA + 0x800 + 512, 1), 0);
    mem_peek(b.mem, DATA + 0x800, data, sizeof data);
    ck_assert_mem_eq(image + 9 * 512, data, 512);
    bench_fini(&b);
}
END_TEST

START_TEST(indirect)
{
    struct bench b;
    uint8_t data[512];

    setup(&b, BIT(VIO_F_INDIRECT_DESC));
    header(&b, T_IN, 4);
    desc_at(&b, TABLE, HEADER, 16, F_NEXT, 2);
    desc_at(&b, TABLE + 32, DATA, 512, F_WRITE | F_NEXT, 1);
    desc_at(&b, TABLE + 16, STAT, 1, F_WRITE, 0);
    desc(&b, 6, TABLE, 48, F_INDIRECT, 0);
    offer(&b, 6);
    vt_notify(&b, 0);
    ck_assert_uint_eq(vt_peek(&b, STAT, 1), 0);
    ck_assert_uint_eq(vt_peek(&b, RING_USED + 4, 4), 6);
    mem_peek(b.mem, DATA, data, sizeof data);
    ck_assert_mem_eq(data, image + 4 * 512, 512);
    bench_fini(&b);
}
END_TEST

/* Interrupts by flag, and by index. */
START_TEST(suppression)
{
    struct bench b;

    setup(&b, 0);
    vt_poke(&b, RING_AVAIL, 2, 1);
    request(&b, T_IN, 0, 512);
    ck_assert(!b.wire[VT_WIRE]);
    bench_fini(&b);
    setup(&b, BIT(VIO_F_EVENT_IDX));
    vt_poke(&b, RING_AVAIL + 4 + 2 * QN, 2, 1); /* after the second one */
    request(&b, T_IN, 0, 512);
    ck_assert(!b.wire[VT_WIRE]);
    ck_assert_uint_eq(vt_peek(&b, RING_USED + 4 + 8 * QN, 2), 1); /* wants to hear of the next */
    request(&b, T_IN, 0, 512);
    ck_assert(b.wire[VT_WIRE]);
    vt_ack(&b);
    request(&b, T_IN, 0, 512);
    ck_assert(!b.wire[VT_WIRE]);
    vt_poke(&b, RING_AVAIL + 4 + 2 * QN, 2, 4);
    header(&b, T_IN, 0);
    offer(&b, 0);
    offer(&b, 0);
    offer(&b, 0);
    vt_notify(&b, 0); /* passes index 4 on the way to 6 */
    ck_assert_uint_eq(vt_peek(&b, RING_USED + 2, 2), 6);
    ck_assert(b.wire[VT_WIRE]);
    bench_fini(&b);
}
END_TEST

START_TEST(not_before_driver_ok)
{
    struct bench b;

    setup_disk(&b, false);
    ck_assert(vt_negotiate(&b, BIT(VIO_F_VERSION_1)));
    rings(&b);
    header(&b, T_FLUSH, 0);
    desc(&b, 0, HEADER, 16, F_NEXT, 1);
    desc(&b, 1, STAT, 1, F_WRITE, 0);
    offer(&b, 0);
    vt_notify(&b, 0);
    ck_assert_uint_eq(flushes, 0);
    vt_notify(&b, 1); /* nor other queues */
    vt_notify(&b, 0xffffffff);
    vt_set(&b, VT_STATUS, 15);
    vt_notify(&b, 0);
    ck_assert_uint_eq(flushes, 1);
    vt_set(&b, VT_NUM, 4); /* not while in use */
    vt_address(&b, VT_DESC, TABLE);
    ck_assert_uint_eq(request(&b, T_IN, 0, 512), 0);
    ck_assert_uint_eq(vt_get(&b, VT_STATUS), 15);
    bench_fini(&b);
}
END_TEST

START_TEST(discards)
{
    struct bench b;

    setup(&b, 0);
    ck_assert_uint_eq(vt_config(&b, 36, 4), 8192);
    ck_assert_uint_eq(vt_config(&b, 40, 4), 8);
    vt_poke(&b, DATA, 8, 5); /* two segments */
    vt_poke(&b, DATA + 8, 8, 2);
    vt_poke(&b, DATA + 16, 8, 9);
    vt_poke(&b, DATA + 24, 8, 1);
    ck_assert_uint_eq(request(&b, T_DISCARD, 0, 32), 0);
    for (unsigned i = 0; i < SECTORS; i++)
        ck_assert_uint_eq(!image[i * 512 + 511],
                          i == 5 || i == 6 || i == 9 || (i + 511) % 256 == 0);
    vt_poke(&b, DATA + 8, 8, 2 | BIT(32)); /* the flag is write-zeroes' */
    ck_assert_uint_eq(request(&b, T_DISCARD, 0, 16), 2);
    ck_assert_uint_eq(request(&b, T_ZEROES, 0, 16), 0);
    vt_poke(&b, DATA + 8, 8, 2 | BIT(33));
    ck_assert_uint_eq(request(&b, T_ZEROES, 0, 16), 2);
    vt_poke(&b, DATA + 8, 8, SECTORS);
    ck_assert_uint_eq(request(&b, T_DISCARD, 0, 16), 1);
    vt_poke(&b, DATA, 8, UINT64_MAX);
    vt_poke(&b, DATA + 8, 8, 1);
    ck_assert_uint_eq(request(&b, T_DISCARD, 0, 16), 1);
    ck_assert_uint_eq(request(&b, T_DISCARD, 0, 15), 1);
    ck_assert_uint_eq(request(&b, T_DISCARD, 0, 9 * 16), 1); /* more segments than may be */
    ck_assert_uint_eq(request(&b, T_DISCARD, 0, 0), 1);
    bench_fini(&b);
}
END_TEST

static uint64_t zeroed[2];

static int disk_zero(void *opaque, uint64_t offset, uint64_t len)
{
    (void)opaque;
    zeroed[0] = offset;
    zeroed[1] = len;
    return disk_error;
}

/* A disk that can do it itself; and nothing larger than a request may be reaches a disk. */
START_TEST(large_disk)
{
    const struct dev_disk disk = {
        .read = disk_read, .write = disk_write, .zero = disk_zero, .size = UINT64_C(1) << 40};
    struct bench b;

    disk_error = 0;
    vt_plug(&b, vio_blk_new(&disk, ""));
    start(&b, BIT(VIO_F_INDIRECT_DESC));
    vt_poke(&b, DATA, 8, 100000);
    vt_poke(&b, DATA + 8, 8, 8192);
    ck_assert_uint_eq(request(&b, T_DISCARD, 0, 16), 0);
    ck_assert(zeroed[0] == 51200000 && zeroed[1] == 4 << 20);
    vt_poke(&b, DATA + 8, 8, 8193);
    ck_assert_uint_eq(request(&b, T_DISCARD, 0, 16), 1);
    disk_error = -EIO;
    vt_poke(&b, DATA + 8, 8, 1);
    ck_assert_uint_eq(request(&b, T_ZEROES, 0, 16), 1);
    /* 252 times most of RAM */
    header(&b, T_IN, 0);
    desc(&b, 0, TABLE, 254 * 16, F_INDIRECT, 0);
    desc_at(&b, TABLE, HEADER, 16, F_NEXT, 1);
    for (unsigned i = 1; i < 253; i++)
        desc_at(&b, TABLE + 16 * i, BENCH_RAM + 0x10000, 0xf0000, F_NEXT | F_WRITE, i + 1);
    desc_at(&b, TABLE + 253 * 16, STAT, 1, F_WRITE, 0);
    offer(&b, 0);
    vt_notify(&b, 0);
    ck_assert_uint_eq(vt_peek(&b, STAT, 1), 1);
    ck_assert_uint_eq(vt_get(&b, VT_STATUS), 15);
    bench_fini(&b);
}
END_TEST

static unsigned parts;

static int long_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    uint8_t *p = buf;

    (void)opaque;
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)bits_mix(offset + i);
    parts++;
    return disk_error && offset >= 512 << 10 ? disk_error : 0;
}

static int long_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    const uint8_t *p = buf;

    (void)opaque;
    for (size_t i = 0; i < len; i++)
        ck_assert_uint_eq(p[i], (uint8_t)bits_mix(offset + i));
    parts++;
    return disk_error && offset >= 512 << 10 ? disk_error : 0;
}

/* More than the device moves at once; an error in the middle is the request's. */
START_TEST(long_requests)
{
    const struct dev_disk disk = {.read = long_read, .write = long_write, .size = 4 << 20};
    struct bench b;

    disk_error = 0;
    vt_plug(&b, vio_blk_new(&disk, ""));
    start(&b, 0);
    for (unsigned error = 0; error < 2; error++) {
        disk_error = error ? -EIO : 0;
        parts = 0;
        ck_assert_uint_eq(request(&b, T_IN, 200, 900 << 10), error);
        ck_assert_uint_eq(vt_peek(&b, DATA + 0x50000, 1), (uint8_t)bits_mix(200 * 512 + 0x50000));
        if (!error)
            ck_assert_uint_eq(request(&b, T_OUT, 200, 900 << 10), 0);
        ck_assert_uint_lt(parts, 20);
    }
    ck_assert_uint_eq(request(&b, T_IN, 8192 - 1800 + 1, 900 << 10), 1);
    bench_fini(&b);
}
END_TEST

/* What a driver was told of is on the medium: by each write if it cannot ask for a flush. */
START_TEST(stable_writes)
{
    struct bench b;

    setup(&b, 0);
    ck_assert_uint_eq(request(&b, T_OUT, 0, 512), 0);
    ck_assert_uint_eq(flushes, 1);
    vt_poke(&b, DATA, 8, 5);
    vt_poke(&b, DATA + 8, 8, 2);
    ck_assert_uint_eq(request(&b, T_ZEROES, 0, 16), 0);
    ck_assert_uint_eq(flushes, 2);
    ck_assert_uint_eq(request(&b, T_IN, 0, 512), 0);
    ck_assert_uint_eq(request(&b, T_OUT, SECTORS, 512), 1); /* nothing was written */
    ck_assert_uint_eq(flushes, 2);
    bench_fini(&b);
    setup(&b, BIT(9)); /* flush */
    ck_assert_uint_eq(request(&b, T_OUT, 0, 512), 0);
    ck_assert_uint_eq(flushes, 0);
    ck_assert_uint_eq(request(&b, T_FLUSH, 0, 0), 0);
    ck_assert_uint_eq(flushes, 1);
    bench_fini(&b);
}
END_TEST

static unsigned lines;

/* A guest that breaks its queue again and again does not fill the person's terminal. */
START_TEST(few_warnings)
{
    const struct dev_disk disk = {.read = disk_read, .write = disk_write, .size = sizeof image};
    struct log log;
    struct bench b;
    char text[4096];
    int pipes[2];

    ck_assert_int_eq(pipe(pipes), 0);
    log_init(&log, pipes[1], LOG_WARN);
    vt_plug_log(&b, vio_blk_new(&disk, ""), &log);
    for (unsigned i = 0; i < 100; i++) {
        start(&b, 0);
        desc(&b, 0, HEADER, 16, F_NEXT, 0);
        offer(&b, 0);
        vt_notify(&b, 0);
    }
    ck_assert_uint_eq(vt_get(&b, VT_STATUS) & 64, 64);
    ssize_t n = read(pipes[0], text, sizeof text);
    for (ssize_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    ck_assert_uint_eq(lines, VIO_WARNINGS);
    bench_fini(&b);
}
END_TEST

/* A good chain from descriptor i of a table on: reads sector 0. */
static void good_chain(struct bench *b, uint64_t table, unsigned i)
{
    header(b, T_IN, 0);
    desc_at(b, table + 16 * i, HEADER, 16, F_NEXT, i + 1);
    desc_at(b, table + 16 * i + 16, DATA, 512, F_NEXT | F_WRITE, i + 2);
    desc_at(b, table + 16 * i + 32, STAT, 1, F_WRITE, 0);
}

/* Each way to break the queue stops the device, and nothing else happens. */
static void broken(struct bench *b, unsigned head)
{
    offer(b, head);
    vt_notify(b, 0);
    ck_assert_uint_eq(vt_get(b, VT_STATUS), 15 | 64);
    ck_assert_uint_eq(vt_interrupts(b), 2);
    ck_assert_uint_eq(vt_peek(b, RING_USED + 2, 2), 0);
    vt_notify(b, 0);
    ck_assert_uint_eq(vt_peek(b, RING_USED + 2, 2), 0);
    vt_set(b, VT_STATUS, 0); /* and after a reset all is well */
    start(b, BIT(VIO_F_INDIRECT_DESC));
    ck_assert_uint_eq(request(b, T_IN, 0, 512), 0);
    vt_set(b, VT_STATUS, 0);
    start(b, BIT(VIO_F_INDIRECT_DESC));
}

START_TEST(hostile)
{
    struct bench b;

    setup(&b, BIT(VIO_F_INDIRECT_DESC));
    good_chain(&b, RING_DESC, QN); /* a head beyond the table */
    broken(&b, QN);
    broken(&b, 0xffff);
    desc(&b, 0, HEADER, 16, F_NEXT, QN); /* a next beyond it */
    broken(&b, 0);
    desc(&b, 0, HEADER, 16, F_NEXT, 0); /* loops */
    broken(&b, 0);
    desc(&b, 0, HEADER, 16, F_NEXT, 1);
    desc(&b, 1, HEADER, 16, F_NEXT, 0);
    broken(&b, 0);
    header(&b, T_FLUSH, 0);
    desc(&b, 0, HEADER, 16, F_NEXT, 1);
    desc(&b, 1, STAT, 1, F_WRITE | F_NEXT, 2); /* readable behind writable */
    desc(&b, 2, DATA, 16, 0, 0);
    broken(&b, 0);
    desc(&b, 2, STAT, 1, F_WRITE, 0);
    desc(&b, 0, BENCH_RAM - 8, 16, F_NEXT, 2); /* outside RAM, in part */
    desc(&b, 2, STAT, 1, F_WRITE, 0);
    broken(&b, 0);
    desc(&b, 0, BENCH_RAM + BENCH_RAM_SIZE - 8, 16, F_NEXT, 2);
    broken(&b, 0);
    desc(&b, 0, UINT64_MAX - 7, 16, F_NEXT, 2); /* wraps around */
    broken(&b, 0);
    desc(&b, 0, BENCH_DEV, 16, F_NEXT, 2); /* a device, itself */
    broken(&b, 0);
    desc(&b, 0, HEADER, UINT32_MAX, F_NEXT, 2);
    broken(&b, 0);
    desc(&b, 0, HEADER, 15, F_NEXT, 2); /* no whole header */
    desc(&b, 2, STAT, 1, F_WRITE, 0);
    broken(&b, 0);
    desc(&b, 0, HEADER, 16, 0, 0); /* no status byte */
    broken(&b, 0);
    bench_fini(&b);
}
END_TEST

/* Not even when the guest repairs what it did. */
START_TEST(stays_broken)
{
    struct bench b;

    setup(&b, 0);
    desc(&b, 0, HEADER, 16, F_NEXT, 0);
    offer(&b, 0);
    vt_notify(&b, 0);
    good_chain(&b, RING_DESC, 0);
    vt_notify(&b, 0);
    ck_assert_uint_eq(vt_peek(&b, RING_USED + 2, 2), 0);
    bench_fini(&b);
}
END_TEST

START_TEST(hostile_indirect)
{
    struct bench b;

    setup(&b, BIT(VIO_F_INDIRECT_DESC));
    desc(&b, 0, TABLE, 0, F_INDIRECT, 0);
    broken(&b, 0);
    desc(&b, 0, TABLE, 17, F_INDIRECT, 0);
    broken(&b, 0);
    good_chain(&b, TABLE, 0);
    desc(&b, 0, TABLE, 48, F_INDIRECT | F_NEXT, 1);
    broken(&b, 0);
    desc(&b, 0, TABLE, 49, F_INDIRECT, 1);
    broken(&b, 0);
    desc(&b, 0, TABLE, 32, F_INDIRECT, 0);
    desc_at(&b, TABLE, TABLE, 32, F_INDIRECT, 0); /* a table in a table */
    broken(&b, 0);
    desc(&b, 0, TABLE, 32, F_INDIRECT, 0);
    desc_at(&b, TABLE, HEADER, 16, F_NEXT, 2); /* beyond the table */
    broken(&b, 0);
    desc(&b, 0, TABLE, 32, F_INDIRECT, 0);
    desc_at(&b, TABLE, HEADER, 16, F_NEXT, 0); /* loops */
    broken(&b, 0);
    desc(&b, 0, BENCH_RAM + BENCH_RAM_SIZE - 16, 32, F_INDIRECT, 0); /* leaves RAM */
    desc_at(&b, BENCH_RAM + BENCH_RAM_SIZE - 16, HEADER, 16, F_NEXT, 1);
    broken(&b, 0);
    desc(&b, 0, UINT64_MAX & ~UINT64_C(15), 0xfffffff0, F_INDIRECT, 0);
    broken(&b, 0);
    vt_set(&b, VT_STATUS, 0);
    start(&b, 0); /* not negotiated */
    good_chain(&b, TABLE, 0);
    desc(&b, 0, TABLE, 48, F_INDIRECT, 0);
    broken(&b, 0);
    bench_fini(&b);
}
END_TEST

START_TEST(hostile_rings)
{
    static const uint64_t bad[][3] = {
        {RING_DESC + 8, RING_AVAIL, RING_USED},
        {RING_DESC, RING_AVAIL + 1, RING_USED},
        {RING_DESC, RING_AVAIL, RING_USED + 2},
        {BENCH_RAM + BENCH_RAM_SIZE - 16, RING_AVAIL, RING_USED},
        {RING_DESC, BENCH_RAM - 2, RING_USED},
        {RING_DESC, RING_AVAIL, UINT64_MAX & ~UINT64_C(3)},
        {RING_DESC, RING_AVAIL, BENCH_DEV},
        {0, 0, 0},
    };
    struct bench b;

    setup(&b, 0);
    good_chain(&b, RING_DESC, 0);
    vt_poke(&b, RING_AVAIL + 2, 2, QN + 1); /* more than the ring can hold */
    vt_notify(&b, 0);
    ck_assert_uint_eq(vt_get(&b, VT_STATUS), 15 | 64);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        ck_assert(vt_negotiate(&b, BIT(VIO_F_VERSION_1)));
        vt_address(&b, VT_DESC, bad[i][0]);
        vt_address(&b, VT_AVAIL, bad[i][1]);
        vt_address(&b, VT_USED, bad[i][2]);
        vt_set(&b, VT_NUM, QN);
        vt_set(&b, VT_READY, 1);
        ck_assert_uint_eq(vt_get(&b, VT_READY), 0);
        ck_assert_uint_eq(vt_get(&b, VT_STATUS) & 64, 64);
        vt_set(&b, VT_STATUS, 15);
        vt_notify(&b, 0);
    }
    ck_assert(vt_negotiate(&b, BIT(VIO_F_VERSION_1)));
    vt_set(&b, VT_NUM, 3); /* no power of two; too many; none: the size stays */
    vt_set(&b, VT_NUM, 512);
    vt_set(&b, VT_NUM, 0);
    vt_set(&b, VT_NUM, 0x10000);
    rings(&b);
    vt_set(&b, VT_STATUS, 15);
    ck_assert_uint_eq(request(&b, T_IN, 0, 512), 0);
    bench_fini(&b);
}
END_TEST

/* Random registers, rings and descriptors: whatever the guest does, it ends and stays in bounds. */
START_TEST(random_guest)
{
    unsigned served = 0;
    struct bench b;
    uint64_t used;

    setup(&b, BIT(VIO_F_INDIRECT_DESC) | BIT(VIO_F_EVENT_IDX));
    for (unsigned turn = 0; turn < 20000; turn++) {
        for (unsigned i = 0; i < QN; i++)
            desc(&b, i, HEADER + vt_random(0x3000), (uint32_t)vt_random(3000),
                 (unsigned)vt_random(8), (unsigned)vt_random(QN + 1));
        header(&b, (unsigned)vt_random(14), vt_random(SECTORS + 2));
        offer(&b, (unsigned)vt_random(QN));
        used = vt_peek(&b, RING_USED + 2, 2);
        vt_notify(&b, 0);
        served += vt_peek(&b, RING_USED + 2, 2) != used;
        if (!vt_random(4))
            vt_scribble(&b);
        if (vt_get(&b, VT_STATUS) != 15 || !vt_get(&b, VT_READY) || !vt_random(50))
            start(&b, BIT(VIO_F_INDIRECT_DESC) | BIT(VIO_F_EVENT_IDX));
    }
    ck_assert_uint_gt(served, 100); /* not all was refused */
    bench_round_trip(&b);
    bench_fini(&b);
}
END_TEST

VT_MAIN("dev/virtio", negotiation, configuration, reads_and_writes, other_requests, bad_requests,
        any_layout, indirect, suppression, not_before_driver_ok, discards, large_disk, long_requests,
        stable_writes, few_warnings, hostile, stays_broken, hostile_indirect, hostile_rings, random_guest)
