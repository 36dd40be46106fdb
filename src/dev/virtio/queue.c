/* queue.c - see queue.h.  Section numbers are those of VIRTIO 1.2. */
#include "dev/virtio/queue.h"

#include <errno.h>
#include <string.h>

#include "base/bits.h"

/* 2.7.5: a descriptor is addr u64, len u32, flags u16, next u16. */
enum { DESC_SIZE = 16, DESC_LEN = 8, DESC_FLAGS = 12, DESC_NEXT = 14 };
enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4 };

/* 2.7.6, 2.7.8: flags u16, idx u16, ring, event u16; available entries are 2 bytes, used ones 8. */
enum { RING_IDX = 2, RING_ENTRIES = 4, AVAIL_ENTRY = 2, USED_ENTRY = 8 };
enum { AVAIL_F_NO_INTERRUPT = 1 };

void vio_queue_reset(struct vio_queue *q)
{
    *q = (struct vio_queue){.num = VIO_QUEUE_MAX};
}

void vio_queue_state(struct vio_queue *q, struct snap *s)
{
    snap_u16(s, "num", &q->num);
    snap_bool(s, "ready", &q->ready);
    snap_u64(s, "desc", &q->desc);
    snap_u64(s, "avail", &q->avail);
    snap_u64(s, "used", &q->used);
    snap_bool(s, "event_idx", &q->event_idx);
    snap_bool(s, "indirect", &q->indirect);
    snap_u16(s, "next_avail", &q->next_avail);
    snap_u16(s, "next_used", &q->next_used);
    snap_u16(s, "signalled", &q->signalled);
    if (!bits_pow2(q->num) || q->num > VIO_QUEUE_MAX) {
        snap_bad(s, "num", "not a queue size");
        q->num = VIO_QUEUE_MAX;
        q->ready = false;
    }
}

const char *vio_queue_check(const struct vio_queue *q, struct mem *m)
{
    uint64_t avail_len = RING_ENTRIES + (uint64_t)q->num * AVAIL_ENTRY + 2;
    uint64_t used_len = RING_ENTRIES + (uint64_t)q->num * USED_ENTRY + 2;

    if (q->desc % 16 || q->avail % 2 || q->used % 4)
        return "a ring is not aligned";
    if (!mem_host(m, q->desc, (uint64_t)q->num * DESC_SIZE, false) ||
        !mem_host(m, q->avail, avail_len, false) || !mem_host(m, q->used, used_len, true))
        return "a ring is not in RAM";
    return NULL;
}

/* The rings were checked when the queue became ready: what they hold can always be read. */
static uint16_t load16(struct mem *m, uint64_t addr)
{
    uint16_t v = 0;

    mem_dma_read(m, addr, &v, sizeof v);
    return v;
}

static void store16(struct mem *m, uint64_t addr, uint16_t v)
{
    mem_dma_write(m, addr, &v, sizeof v);
}

/* A table of descriptors: the queue's own, or an indirect one. */
struct table {
    uint64_t addr;
    uint32_t count;
    bool indirect;
};

/* Adds a descriptor's memory to the chain; NULL or what is wrong. */
static const char *add_seg(struct vio_chain *c, struct mem *m, uint64_t addr, uint32_t len,
                           bool write)
{
    if (!write && c->nin)
        return "a readable descriptor follows a writable one";
    if (c->nout + c->nin == VIO_QUEUE_MAX)
        return "a chain is longer than the queue, or has a loop";
    if (len && !mem_host(m, addr, len, write))
        return "a descriptor's memory is not in RAM";
    c->seg[c->nout + c->nin] = (struct vio_seg){addr, len};
    if (write) {
        c->nin++;
        c->in_len += len;
    } else {
        c->nout++;
        c->out_len += len;
    }
    return NULL;
}

/* 2.7.5.3: an indirect table is all there is behind its descriptor. */
static const char *enter_indirect(struct table *t, const struct vio_queue *q, const uint8_t *desc)
{
    uint64_t len = bits_load_le(desc + DESC_LEN, 4), flags = bits_load_le(desc + DESC_FLAGS, 2);

    if (!q->indirect || t->indirect)
        return "an indirect descriptor where none may be";
    if (flags & F_NEXT)
        return "an indirect descriptor has a next one";
    if (!len || len % DESC_SIZE)
        return "an indirect table's length is not a multiple of 16";
    *t = (struct table){bits_load_le(desc, 8), (uint32_t)(len / DESC_SIZE), true};
    return NULL;
}

/* Follows a chain from descriptor i on.  Each turn adds a segment, of which there are at most
 * VIO_QUEUE_MAX, or enters the one indirect table. */
static const char *walk(const struct vio_queue *q, struct mem *m, struct vio_chain *c, uint32_t i)
{
    struct table t = {q->desc, q->num, false};
    uint8_t desc[DESC_SIZE];
    const char *why;
    uint64_t flags;

    for (;;) {
        if (i >= t.count)
            return "a descriptor's number is beyond its table";
        if (mem_dma_read(m, t.addr + (uint64_t)i * DESC_SIZE, desc, sizeof desc))
            return "an indirect table is not in RAM";
        flags = bits_load_le(desc + DESC_FLAGS, 2);
        if (flags & F_INDIRECT) {
            why = enter_indirect(&t, q, desc);
            i = 0;
        } else {
            why = add_seg(c, m, bits_load_le(desc, 8), (uint32_t)bits_load_le(desc + DESC_LEN, 4),
                          flags & F_WRITE);
            if (!why && !(flags & F_NEXT))
                return NULL;
            i = (uint32_t)bits_load_le(desc + DESC_NEXT, 2);
        }
        if (why)
            return why;
    }
}

int vio_queue_pop(struct vio_queue *q, struct mem *m, struct vio_chain *c, const char **why)
{
    uint16_t waiting = (uint16_t)(load16(m, q->avail + RING_IDX) - q->next_avail);

    if (!waiting)
        return 0;
    if (waiting > q->num) {
        *why = "the available ring's index ran away";
        return -EINVAL;
    }
    c->head = load16(m, q->avail + RING_ENTRIES + (q->next_avail % q->num) * AVAIL_ENTRY);
    c->nout = c->nin = 0;
    c->out_len = c->in_len = 0;
    *why = walk(q, m, c, c->head);
    if (*why)
        return -EINVAL;
    q->next_avail++;
    return 1;
}

void vio_queue_unpop(struct vio_queue *q, unsigned n)
{
    q->next_avail = (uint16_t)(q->next_avail - n);
}

bool vio_queue_waiting(const struct vio_queue *q, struct mem *m)
{
    return load16(m, q->avail + RING_IDX) != q->next_avail;
}

void vio_queue_push(struct vio_queue *q, struct mem *m, uint16_t head, uint32_t written)
{
    uint8_t entry[USED_ENTRY];

    bits_store_le(entry, 4, head);
    bits_store_le(entry + 4, 4, written);
    mem_dma_write(m, q->used + RING_ENTRIES + (q->next_used % q->num) * USED_ENTRY, entry,
                  sizeof entry);
    q->next_used++;
    store16(m, q->used + RING_IDX, q->next_used);
}

/* With event indices: interrupt if the index that the driver named was passed since last time. */
bool vio_queue_settle(struct vio_queue *q, struct mem *m)
{
    uint16_t passed = (uint16_t)(q->next_used - q->signalled), event;

    if (q->event_idx)
        store16(m, q->used + RING_ENTRIES + q->num * USED_ENTRY, q->next_avail);
    q->signalled = q->next_used;
    if (!passed)
        return false;
    if (!q->event_idx)
        return !(load16(m, q->avail) & AVAIL_F_NO_INTERRUPT);
    event = load16(m, q->avail + RING_ENTRIES + q->num * AVAIL_ENTRY);
    return (uint16_t)(q->next_used - event - 1) < passed;
}

/* Copies between data and segments first..first+n, from byte `offset` of them on. */
static bool copy(const struct vio_seg *seg, unsigned n, struct mem *m, uint64_t offset, void *in,
                 const void *out, uint64_t len)
{
    for (; n && len; seg++, n--) {
        uint64_t part = seg->len - offset;

        if (offset >= seg->len) {
            offset -= seg->len;
            continue;
        }
        if (part > len)
            part = len;
        if (in ? mem_dma_read(m, seg->addr + offset, in, part)
               : mem_dma_write(m, seg->addr + offset, out, part))
            return false;
        in = in ? (uint8_t *)in + part : NULL;
        out = out ? (const uint8_t *)out + part : NULL;
        len -= part;
        offset = 0;
    }
    return !len;
}

bool vio_chain_read(const struct vio_chain *c, struct mem *m, uint64_t offset, void *data,
                    uint64_t len)
{
    return copy(c->seg, c->nout, m, offset, data, NULL, len);
}

bool vio_chain_write(const struct vio_chain *c, struct mem *m, uint64_t offset, const void *data,
                     uint64_t len)
{
    return copy(c->seg + c->nout, c->nin, m, offset, NULL, data, len);
}
