/* blk.c - see blk.h.  Section numbers are those of VIRTIO 1.2. */
#include "dev/virtio/blk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

#define SECTOR 512
#define ID_LEN 20

/* A request's limits, so that none keeps the machine for long. */
#define SEG_MAX     (VIO_QUEUE_MAX - 2)
#define SEG_BYTES   (UINT32_C(128) << 10) /* bytes in a segment */
#define REQUEST_MAX ((uint64_t)SEG_MAX * SEG_BYTES)
#define ZEROES_MAX  8192 /* sectors in a segment of a discard or write-zeroes request */
#define ZEROES_SEGS 8

/* What the disk is asked for at once; a multiple of a sector. */
#define PART SEG_BYTES

/* What is done in one go, in bytes, and what any request costs at least. */
#define BUDGET       (UINT64_C(32) << 20)
#define REQUEST_COST (UINT64_C(64) << 10)

/* 5.2.3 */
enum {
    F_SIZE_MAX = 1,
    F_SEG_MAX = 2,
    F_RO = 5,
    F_BLK_SIZE = 6,
    F_FLUSH = 9,
    F_DISCARD = 13,
    F_WRITE_ZEROES = 14
};

/* 5.2.4 */
enum {
    C_CAPACITY = 0,
    C_SIZE_MAX = 8,
    C_SEG_MAX = 12,
    C_BLK_SIZE = 20,
    C_DISCARD_MAX = 36,
    C_DISCARD_SEGS = 40,
    C_DISCARD_ALIGN = 44,
    C_ZEROES_MAX = 48,
    C_ZEROES_SEGS = 52,
    C_ZEROES_UNMAP = 56,
    C_LEN = 60,
};

/* 5.2.6 */
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };
enum { HEADER_LEN = 16, ZEROES_LEN = 16 };

struct blk {
    struct vio_device vio; /* first */
    struct dev_disk disk;
    char serial[ID_LEN];
    uint8_t part[PART]; /* scratch: data on their way */
};

/* A request's header and the size of its data, the status byte left out. */
struct request {
    uint32_t type;
    uint64_t sector;
    uint64_t out_len, in_len;
    uint64_t cost; /* bytes moved */
};

static bool in_range(const struct blk *b, uint64_t sector, uint64_t len)
{
    uint64_t sectors = b->disk.size / SECTOR;

    return len % SECTOR == 0 && sector <= sectors && len / SECTOR <= sectors - sector;
}

/* Moves up to sizeof b->part bytes, whole sectors, between the disk and the chain's data. */
static int move(struct blk *b, uint64_t offset, uint64_t at, uint64_t len, bool to_guest)
{
    const struct vio_chain *c = &b->vio.chain;
    int rc;

    if (!to_guest) {
        vio_chain_read(c, b->vio.mem, HEADER_LEN + at, b->part, len);
        return b->disk.write(b->disk.opaque, offset, b->part, len);
    }
    rc = b->disk.read(b->disk.opaque, offset, b->part, len);
    if (!rc)
        vio_chain_write(c, b->vio.mem, at, b->part, len);
    return rc;
}

/* The data of a read or write: the writable segments, or the readable ones behind the header.  In
 * parts, so that the disk sees whole sectors, and few requests, however the guest cuts its memory
 * up. */
static uint8_t transfer(struct blk *b, struct request *r, bool to_guest)
{
    uint64_t len = to_guest ? r->in_len : r->out_len, part;

    if (len > REQUEST_MAX || !in_range(b, r->sector, len) || (!to_guest && b->disk.read_only))
        return S_IOERR;
    r->cost = len;
    for (uint64_t at = 0; at < len; at += part) {
        part = len - at < sizeof b->part ? len - at : sizeof b->part;
        if (move(b, r->sector * SECTOR + at, at, part, to_guest))
            return S_IOERR;
    }
    return S_OK;
}

static uint8_t flush(struct blk *b)
{
    return b->disk.flush && b->disk.flush(b->disk.opaque) ? S_IOERR : S_OK;
}

/* For a driver that cannot ask for a flush, a write that is completed is stable.  5.2.6.2 */
static uint8_t written(struct blk *b, uint8_t status)
{
    return status || b->vio.negotiated & BIT(F_FLUSH) ? status : flush(b);
}

static uint8_t get_id(struct blk *b, const struct request *r)
{
    uint64_t len = r->in_len < ID_LEN ? r->in_len : ID_LEN;

    return vio_chain_write(&b->vio.chain, b->vio.mem, 0, b->serial, len) ? S_OK : S_IOERR;
}

static uint8_t zero_range(struct blk *b, uint64_t sector, uint32_t sectors)
{
    static const uint8_t zeroes[64 * 1024];
    uint64_t offset = sector * SECTOR, left = (uint64_t)sectors * SECTOR, part;

    if (b->disk.zero)
        return b->disk.zero(b->disk.opaque, offset, left) ? S_IOERR : S_OK;
    for (; left; left -= part, offset += part) {
        part = left < sizeof zeroes ? left : sizeof zeroes;
        if (b->disk.write(b->disk.opaque, offset, zeroes, part))
            return S_IOERR;
    }
    return S_OK;
}

/* What is discarded reads as 0 too, so that a guest that looks sees the same everywhere.  Segments
 * of sector u64, sectors u32, flags u32 (bit 0: may unmap; not for discards).  5.2.6.2 */
static uint8_t zero(struct blk *b, struct request *r)
{
    uint64_t sector, n = r->out_len / ZEROES_LEN, known = r->type == T_WRITE_ZEROES;
    uint8_t seg[ZEROES_LEN], status = S_OK;
    uint32_t sectors;

    if (b->disk.read_only || !n || n > ZEROES_SEGS || r->out_len % ZEROES_LEN)
        return S_IOERR;
    for (uint64_t i = 0; i < n && status == S_OK; i++) {
        vio_chain_read(&b->vio.chain, b->vio.mem, HEADER_LEN + i * ZEROES_LEN, seg, sizeof seg);
        sector = bits_load_le(seg, 8);
        sectors = (uint32_t)bits_load_le(seg + 8, 4);
        if (bits_load_le(seg + 12, 4) & ~known)
            return S_UNSUPP;
        if (sectors > ZEROES_MAX || !in_range(b, sector, (uint64_t)sectors * SECTOR))
            return S_IOERR;
        r->cost += (uint64_t)sectors * SECTOR;
        status = zero_range(b, sector, sectors);
    }
    return status;
}

static uint8_t carry_out(struct blk *b, struct request *r)
{
    switch (r->type) {
    case T_IN:
        return transfer(b, r, true);
    case T_OUT:
        return written(b, transfer(b, r, false));
    case T_FLUSH:
        return flush(b);
    case T_GET_ID:
        return get_id(b, r);
    case T_DISCARD:
    case T_WRITE_ZEROES:
        return written(b, zero(b, r));
    default:
        return S_UNSUPP;
    }
}

static const char *serve(struct vio_device *v, unsigned queue, uint32_t *written, uint64_t *cost)
{
    struct blk *b = (struct blk *)v;
    struct vio_chain *c = &v->chain;
    uint8_t header[HEADER_LEN], status;
    struct request r = {0};

    (void)queue;
    if (!vio_chain_read(c, v->mem, 0, header, sizeof header))
        return "a block request has no header";
    if (!c->in_len)
        return "a block request has no status byte";
    if (c->in_len > UINT32_MAX)
        return "a block request is longer than 4 GiB";
    r.type = (uint32_t)bits_load_le(header, 4);
    r.sector = bits_load_le(header + 8, 8);
    r.out_len = c->out_len - HEADER_LEN;
    r.in_len = c->in_len - 1;
    status = carry_out(b, &r);
    vio_chain_write(c, v->mem, c->in_len - 1, &status, 1);
    *written = (uint32_t)c->in_len;
    *cost = REQUEST_COST + r.cost;
    return NULL;
}

static bool blk_notify(struct vio_device *v, unsigned queue)
{
    return vio_serve(v, queue, serve, BUDGET);
}

static void blk_free(struct vio_device *v)
{
    free(v);
}

static const struct vio_ops blk_ops = {
    .name = "virtio-blk",
    .doc = "disk",
    .id = 2,
    .queues = 1,
    .notify = blk_notify,
    .free = blk_free,
};

struct vio_device *vio_blk_new(const struct dev_disk *disk, const char *serial)
{
    struct blk *b = xcalloc(1, sizeof *b);
    uint8_t *config = b->vio.config;

    b->vio.ops = &blk_ops;
    b->disk = *disk;
    memcpy(b->serial, serial, strnlen(serial, ID_LEN));
    b->vio.offered = VIO_FEATURES | BIT(F_SIZE_MAX) | BIT(F_SEG_MAX) | BIT(F_BLK_SIZE) |
                     BIT(F_FLUSH) |
                     (disk->read_only ? BIT(F_RO) : BIT(F_DISCARD) | BIT(F_WRITE_ZEROES));
    b->vio.config_len = C_LEN;
    bits_store_le(config + C_CAPACITY, 8, disk->size / SECTOR);
    bits_store_le(config + C_SIZE_MAX, 4, SEG_BYTES);
    bits_store_le(config + C_SEG_MAX, 4, SEG_MAX);
    bits_store_le(config + C_BLK_SIZE, 4, SECTOR);
    if (!disk->read_only) {
        bits_store_le(config + C_DISCARD_MAX, 4, ZEROES_MAX);
        bits_store_le(config + C_DISCARD_SEGS, 4, ZEROES_SEGS);
        bits_store_le(config + C_DISCARD_ALIGN, 4, 1);
        bits_store_le(config + C_ZEROES_MAX, 4, ZEROES_MAX);
        bits_store_le(config + C_ZEROES_SEGS, 4, ZEROES_SEGS);
        config[C_ZEROES_UNMAP] = 1;
    }
    return &b->vio;
}
