/* blk.c - the virtio disk. */
#include <errno.h>

#include "dev/virtio/blk.h"
#include "tests/fuzz/driver.h"

enum { SECTOR = 512, SECTORS = 16 };

struct disk {
    struct driver driver; /* first */
    bool read_only, no_zero;
    uint8_t data[SECTORS * SECTOR];
};

static void check(uint64_t offset, uint64_t len)
{
    FUZZ_CHECK(offset <= SECTORS * SECTOR && len <= SECTORS * SECTOR - offset,
               "%" PRIu64 " bytes at %" PRIu64, len, offset);
}

static int disk_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    struct disk *d = ((struct rig *)opaque)->own;

    check(offset, len);
    memcpy(buf, d->data + offset, len);
    return d->data[0] == 0xff ? -EIO : 0;
}

static int disk_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    struct disk *d = ((struct rig *)opaque)->own;

    check(offset, len);
    FUZZ_CHECK(!d->read_only, "a write");
    memcpy(d->data + offset, buf, len);
    rig_see(opaque, "disk", bits_hash(d->data, sizeof d->data, 0));
    return d->data[0] == 0xff ? -EIO : 0;
}

static int disk_flush(void *opaque)
{
    struct disk *d = ((struct rig *)opaque)->own;

    rig_see(opaque, "flush", 0);
    return d->data[0] == 0xff ? -EIO : 0;
}

static int disk_zero(void *opaque, uint64_t offset, uint64_t len)
{
    static const uint8_t zeroes[SECTORS * SECTOR];

    check(offset, len);
    return disk_write(opaque, offset, zeroes, len);
}

/* 5.2.6 */
static size_t request(struct rig *r, unsigned queue, uint8_t *out, size_t *reply)
{
    static const uint8_t types[] = {0, 1, 4, 8, 11, 13, 99};
    uint8_t type = types[fuzz_below(&r->in, ARRAY_LEN(types))];
    size_t len = 16;

    (void)queue;
    bits_store_le(out, 4, type);
    bits_store_le(out + 8, 8, fuzz_rarely(&r->in, 8) ? fuzz_value(&r->in) : fuzz_below(&r->in, 18));
    *reply = 1 + (type == 0   ? SECTOR * fuzz_below(&r->in, 4)
                  : type == 8 ? fuzz_below(&r->in, 24)
                              : 0);
    if (type == 1)
        len += fuzz_below(&r->in, 4) * SECTOR;
    for (uint64_t n = type > 8 ? fuzz_below(&r->in, 10) : 0; n; n--, len += 16) {
        bits_store_le(out + len, 8, fuzz_below(&r->in, 18));
        bits_store_le(out + len + 8, 4, fuzz_value(&r->in));
        bits_store_le(out + len + 12, 4, fuzz_below(&r->in, 3));
    }
    if (type == 1)
        fuzz_bytes(&r->in, out + 16, fuzz_int(&r->in, 1));
    return fuzz_rarely(&r->in, 16) ? fuzz_below(&r->in, len) : len;
}

/* The first bytes of the program say what kind of disk. */
static void make(struct rig *r)
{
    struct disk *d = r->own;
    struct dev_disk disk = {.read = disk_read,
                            .write = disk_write,
                            .flush = disk_flush,
                            .opaque = r,
                            .size = sizeof d->data};

    if (!d->driver.queues) {
        d->read_only = fuzz_rarely(&r->in, 4);
        d->no_zero = fuzz_below(&r->in, 2);
    }
    disk.read_only = d->read_only;
    disk.zero = d->no_zero ? NULL : disk_zero;
    driver_plug(r, vio_blk_new(&disk, "serial"), 1, request);
}

const struct rig_kind rig_target = {
    .make = make,
    .own = sizeof(struct disk),
    .begin = driver_op_start,
    .ops = {DRIVER_OPS},
};
