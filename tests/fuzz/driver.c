/* driver.c - see driver.h.  Section numbers are those of VIRTIO 1.2. */
#include "tests/fuzz/driver.h"

#include "dev/virtio/mmio.h"

/* 4.2.2 */
enum {
    FEATURES = 0x10,
    FEATURES_SEL = 0x14,
    DRIVER = 0x20,
    DRIVER_SEL = 0x24,
    QUEUE_SEL = 0x30,
    QUEUE_NUM = 0x38,
    QUEUE_READY = 0x44,
    QUEUE_NOTIFY = 0x50,
    STATUS = 0x70,
    QUEUE_DESC = 0x80,
    QUEUE_DRIVER = 0x90,
    QUEUE_DEVICE = 0xa0,
};

enum { NEEDS_RESET = 64 };
enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4 };

static void reg(struct rig *r, unsigned offset, uint64_t value)
{
    rig_write(r, 0, offset, 4, (uint32_t)value);
}

void driver_plug(struct rig *r, struct vio_device *v, unsigned queues,
                 size_t (*request)(struct rig *r, unsigned queue, uint8_t *request, size_t *reply))
{
    static const uint32_t places[] = {0, 0x100, UINT32_MAX};
    struct driver *d = r->own;

    d->queues = queues;
    d->request = request;
    rig_plug(r, vio_mmio_new("virtio0", r->bus.mem, r->bus.clock, NULL, rig_line(r, 0), v),
             VIO_MMIO_SIZE, places);
}

static uint64_t ring(unsigned queue)
{
    return DRIVER_RINGS + queue * DRIVER_RING;
}

/* ---- starting ---- */

static uint64_t offered(struct rig *r)
{
    uint64_t low;

    reg(r, FEATURES_SEL, 0);
    low = rig_read(r, 0, FEATURES, 4);
    reg(r, FEATURES_SEL, 1);
    return low | rig_read(r, 0, FEATURES, 4) << 32;
}

static void set_address(struct rig *r, unsigned offset, uint64_t addr)
{
    reg(r, offset, addr);
    reg(r, offset + 4, addr >> 32);
}

static void start_queue(struct rig *r, unsigned queue, uint32_t num)
{
    struct driver *d = r->own;
    uint64_t at = ring(queue);

    d->num[queue] = num;
    d->at[queue] = 0;
    reg(r, QUEUE_SEL, queue);
    reg(r, QUEUE_NUM, num);
    set_address(r, QUEUE_DESC, at);
    set_address(r, QUEUE_DRIVER, at + DRIVER_AVAIL);
    set_address(r, QUEUE_DEVICE, at + DRIVER_USED);
    rig_poke(r, at + DRIVER_AVAIL, 4, 0);
    rig_poke(r, at + DRIVER_USED, 4, 0);
    reg(r, QUEUE_READY, 1);
}

/* From its reset to work, with all features but one or none.  3.1.1 */
void driver_op_start(struct rig *r)
{
    struct driver *d = r->own;
    uint64_t features = offered(r), num = BIT(fuzz_below(&r->in, 9));

    features &= ~BIT(fuzz_below(&r->in, 64));
    reg(r, STATUS, 0);
    reg(r, STATUS, 3);
    reg(r, DRIVER_SEL, 0);
    reg(r, DRIVER, features);
    reg(r, DRIVER_SEL, 1);
    reg(r, DRIVER, features >> 32);
    reg(r, STATUS, 11);
    for (unsigned q = 0; q < d->queues; q++)
        start_queue(r, q, (uint32_t)num);
    reg(r, STATUS, 15);
}

/* ---- chains ---- */

struct seg {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
};

struct chain {
    struct seg seg[16];
    unsigned n;
};

/* Room for len bytes, somewhere in the data; it may overlap what was there before. */
static uint64_t buffer(struct rig *r, uint64_t len)
{
    struct driver *d = r->own;
    uint64_t at = d->data;

    if (at + len > DRIVER_DATA_SIZE)
        at = 0;
    d->data = at + len;
    return DRIVER_DATA + at;
}

/* A piece with bytes to be read, or without. */
static void add_seg(struct rig *r, struct chain *c, uint64_t len, const uint8_t *data)
{
    uint64_t addr = buffer(r, len);

    if (data)
        mem_dma_write(r->bus.mem, addr, data, len);
    c->seg[c->n++] = (struct seg){addr, (uint32_t)len, data ? 0 : F_WRITE};
}

/* The same in up to three. */
static void add_segs(struct rig *r, struct chain *c, uint64_t len, const uint8_t *data)
{
    for (uint64_t pieces = fuzz_below(&r->in, 3); pieces; pieces--) {
        uint64_t part = fuzz_int(&r->in, 1);

        part = part < len ? part : len;
        add_seg(r, c, part, data);
        data = data ? data + part : NULL;
        len -= part;
    }
    add_seg(r, c, len, data);
}

/* One in a few chains is not as it ought to be. */
static void spoil(struct rig *r, struct chain *c)
{
    struct seg *s = &c->seg[fuzz_below(&r->in, c->n)];

    switch (fuzz_below(&r->in, 64)) {
    case 0:
        s->addr = rig_address(r);
        break;
    case 1:
        s->len = (uint32_t)fuzz_value(&r->in);
        break;
    case 2:
        s->flags ^= (uint16_t)fuzz_below(&r->in, 8);
        break;
    case 3: /* the rings themselves */
        s->addr = DRIVER_RINGS + fuzz_int(&r->in, 2);
        break;
    }
}

/* Writes a descriptor at a place of a table. */
static void put_desc(struct rig *r, uint64_t table, uint32_t i, const struct seg *s, unsigned flags,
                     uint32_t next)
{
    uint64_t at = table + 16 * (uint64_t)i;

    rig_poke(r, at, 8, s->addr);
    rig_poke(r, at + 8, 4, s->len);
    rig_poke(r, at + 12, 2, s->flags | flags);
    rig_poke(r, at + 14, 2, next);
}

static void put_chain(struct rig *r, uint64_t table, uint32_t first, uint32_t num,
                      const struct chain *c)
{
    for (unsigned i = 0; i < c->n; i++)
        put_desc(r, table, (first + i) % num, &c->seg[i], i + 1 < c->n ? F_NEXT : 0,
                 (first + i + 1) % num);
}

/* Into the available ring, where the device will find it. */
static void offer(struct rig *r, unsigned queue, const struct chain *c, bool indirect)
{
    struct driver *d = r->own;
    uint32_t num = d->num[queue] ? d->num[queue] : 1, head = d->at[queue] % num;
    uint64_t at = ring(queue), idx = rig_peek(r, at + DRIVER_AVAIL + 2, 2);
    struct seg table = {0, 16 * c->n, F_INDIRECT};

    if (indirect) {
        table.addr = buffer(r, table.len);
        put_chain(r, table.addr, 0, c->n, c);
        put_desc(r, at, head, &table, 0, 0);
        d->at[queue] += 1;
    } else {
        put_chain(r, at, head, num, c);
        d->at[queue] += c->n;
    }
    rig_poke(r, at + DRIVER_AVAIL + 4 + idx % num * 2, 2, head);
    rig_poke(r, at + DRIVER_AVAIL + 2, 2, idx + 1);
}

void driver_op_offer(struct rig *r)
{
    struct driver *d = r->own;
    unsigned queue = (unsigned)fuzz_below(&r->in, d->queues);
    unsigned how = (unsigned)fuzz_int(&r->in, 1);
    uint8_t request[DRIVER_REQUEST] = {0};
    struct chain c = {0};
    size_t reply = 0, len;

    if (rig_read(r, 0, STATUS, 4) & NEEDS_RESET)
        r->kind->begin(r);
    len = d->request(r, queue, request, &reply);
    if (len)
        add_segs(r, &c, len, request);
    if (reply)
        add_segs(r, &c, reply, NULL);
    if (!c.n)
        return;
    spoil(r, &c);
    offer(r, queue, &c, how & 1);
    if (how & 6)
        reg(r, QUEUE_NOTIFY, queue);
    if (how & 8)
        rig_op_poll(r);
}

void driver_send(struct rig *r, unsigned queue, const uint8_t *request, size_t len, size_t reply)
{
    struct chain c = {0};

    add_seg(r, &c, len, request);
    if (reply)
        add_seg(r, &c, reply, NULL);
    offer(r, queue, &c, false);
    reg(r, QUEUE_NOTIFY, queue);
}

size_t driver_reply(struct rig *r)
{
    static const uint16_t sizes[] = {0, 1, 4096, 1500, 64, 16384, 12, 256};
    uint64_t i = fuzz_below(&r->in, 9);

    return i < 8 ? sizes[i] : (size_t)fuzz_int(&r->in, 2);
}

/* The descriptors from 0 on are offered many times over, in one go. */
void driver_op_flood(struct rig *r)
{
    struct driver *d = r->own;
    unsigned queue = (unsigned)fuzz_below(&r->in, d->queues);
    uint32_t num = d->num[queue] ? d->num[queue] : 1;
    uint64_t at = ring(queue) + DRIVER_AVAIL, idx = rig_peek(r, at + 2, 2);

    for (uint32_t i = 0; i < num; i++)
        rig_poke(r, at + 4 + 2 * i, 2, 0);
    rig_poke(r, at + 2, 2, idx + fuzz_int(&r->in, 1));
    reg(r, QUEUE_NOTIFY, queue);
}

/* A number in a queue's memory is another. */
void driver_op_ring(struct rig *r)
{
    static const uint16_t parts[] = {0, DRIVER_AVAIL, DRIVER_AVAIL, DRIVER_USED};
    struct driver *d = r->own;
    uint64_t at = ring((unsigned)fuzz_below(&r->in, d->queues));

    at += parts[fuzz_below(&r->in, 4)];
    at += 2 * fuzz_int(&r->in, 1);
    rig_poke(r, at, 2, fuzz_value(&r->in));
}

void driver_op_notify(struct rig *r)
{
    reg(r, QUEUE_NOTIFY, fuzz_int(&r->in, 1));
}
