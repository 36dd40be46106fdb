/* queue.c - the device's side of a virtqueue, called directly: chains that it takes are what it
 * says that they are. */
#include "dev/virtio/queue.h"
#include "tests/fuzz/rig.h"

struct own {
    struct vio_queue q;
    struct vio_chain c;
    bool taken; /* c is a chain that was not given back */
};

static void make(struct rig *r)
{
    struct own *o = r->own;

    vio_queue_reset(&o->q);
}

/* Rings that are used only if they were found right. */
static void op_start(struct rig *r)
{
    struct own *o = r->own;
    uint64_t page = RIG_RAM + fuzz_below(&r->in, 29) * MEM_PAGE_SIZE, how = fuzz_int(&r->in, 1);

    o->q = (struct vio_queue){.num = (uint16_t)BIT(fuzz_below(&r->in, 9)),
                              .event_idx = how & 1,
                              .indirect = how & 2,
                              .desc = page,
                              .avail = page + 0x1000,
                              .used = page + 0x2000};
    if (how >> 2 == 1)
        o->q.desc = rig_address(r);
    if (how >> 2 == 2)
        o->q.avail = rig_address(r);
    if (how >> 2 == 3)
        o->q.used = rig_address(r);
    o->q.ready = !vio_queue_check(&o->q, r->bus.mem);
    o->taken = false;
}

/* A descriptor in the queue's own table, or in an indirect one. */
static void put_desc(struct rig *r, uint64_t table, uint64_t i)
{
    uint64_t at = table + 16 * i, how = fuzz_int(&r->in, 1);

    rig_poke(r, at, 8, rig_address(r));
    rig_poke(r, at + 8, 4, how & 8 ? fuzz_value(&r->in) : how & 0xf0);
    rig_poke(r, at + 12, 2, how & 7);
    rig_poke(r, at + 14, 2, how & 8 ? fuzz_value(&r->in) : i + 1);
}

static void op_desc(struct rig *r)
{
    struct own *o = r->own;
    uint64_t i = fuzz_below(&r->in, 16);

    put_desc(r, i < 8 ? o->q.desc : RIG_RAM, i & 7);
}

/* One of these is available. */
static void op_offer(struct rig *r)
{
    struct own *o = r->own;
    uint64_t idx = rig_peek(r, o->q.avail + 2, 2);

    rig_poke(r, o->q.avail + 4 + idx % o->q.num * 2, 2, fuzz_below(&r->in, 9));
    rig_poke(r, o->q.avail + 2, 2, fuzz_rarely(&r->in, 16) ? fuzz_value(&r->in) : idx + 1);
}

static void check_part(struct rig *r, const struct vio_seg *s, unsigned n, uint64_t len, bool write)
{
    for (; n; s++, n--) {
        FUZZ_CHECK(!s->len || mem_host(r->bus.mem, s->addr, s->len, write),
                   "0x%" PRIx64 ", %u bytes", s->addr, s->len);
        len -= s->len;
    }
    FUZZ_CHECK(!len, "%" PRIu64 " bytes", len);
}

static void op_pop(struct rig *r)
{
    struct own *o = r->own;
    const char *why = NULL;
    int rc;

    if (!o->q.ready || o->taken)
        return;
    rc = vio_queue_pop(&o->q, r->bus.mem, &o->c, &why);
    FUZZ_CHECK((rc < 0) == (why != NULL), "%d", rc);
    rig_see(r, why ? why : "popped", (uint64_t)rc);
    o->taken = rc > 0;
    if (rc <= 0)
        return;
    FUZZ_CHECK(o->c.nout + o->c.nin <= VIO_QUEUE_MAX, "%u, %u", o->c.nout, o->c.nin);
    check_part(r, o->c.seg, o->c.nout, o->c.out_len, false);
    check_part(r, o->c.seg + o->c.nout, o->c.nin, o->c.in_len, true);
}

/* Copies succeed exactly if they are within the chain. */
static void op_copy(struct rig *r)
{
    struct own *o = r->own;
    uint64_t offset = fuzz_value(&r->in), len = fuzz_int(&r->in, 1);
    uint8_t data[256];
    bool ok;

    if (!o->taken)
        return;
    ok = vio_chain_read(&o->c, r->bus.mem, offset, data, len);
    FUZZ_CHECK(!len || ok == (offset <= o->c.out_len && len <= o->c.out_len - offset),
               "%" PRIu64 " bytes at %" PRIu64, len, offset);
    memset(data, 0x5a, sizeof data);
    ok = vio_chain_write(&o->c, r->bus.mem, offset, data, len);
    FUZZ_CHECK(!len || ok == (offset <= o->c.in_len && len <= o->c.in_len - offset),
               "%" PRIu64 " bytes at %" PRIu64, len, offset);
}

static void op_push(struct rig *r)
{
    struct own *o = r->own;

    if (o->taken && fuzz_below(&r->in, 4))
        vio_queue_push(&o->q, r->bus.mem, o->c.head, (uint32_t)o->c.in_len);
    else if (o->taken)
        vio_queue_unpop(&o->q, 1);
    o->taken = false;
    if (o->q.ready)
        rig_see(r, "settled",
                vio_queue_settle(&o->q, r->bus.mem) | vio_queue_waiting(&o->q, r->bus.mem) << 1);
}

const struct rig_kind rig_target = {
    .make = make,
    .own = sizeof(struct own),
    .outside = true,
    .ops = {op_start, op_desc, op_desc, op_offer, op_pop, op_copy, op_push, rig_op_poke},
};
