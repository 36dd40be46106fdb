/* rig.c - see rig.h. */
#include "tests/fuzz/rig.h"

#include <string.h>

#include "base/mem_alloc.h"
#include "tests/fuzz/damage.h"

void rig_see(struct rig *r, const char *what, uint64_t value)
{
    r->seen = bits_mix(r->seen + value) ^ bits_hash(what, strlen(what), 0);
    if (getenv("FUZZ_TRACE"))
        fprintf(stderr, "%12" PRIu64 " ns  %s 0x%" PRIx64 "\n", r->now, what, value);
}

/* ---- the world around the devices ---- */

static uint64_t clock_time(void *opaque)
{
    return ((struct rig *)opaque)->now;
}

static void sooner(void *opaque)
{
    (void)opaque;
}

static void set_wire(void *opaque, unsigned n, bool level)
{
    struct rig *r = opaque;

    FUZZ_CHECK(n < RIG_WIRES, "wire %u", n);
    r->wire[n] = level;
}

struct dev_line rig_line(struct rig *r, unsigned wire)
{
    return (struct dev_line){set_wire, r, wire};
}

static void chars_write(void *opaque, const uint8_t *data, size_t len)
{
    rig_see(opaque, "bytes out", bits_hash(data, len, len));
}

static size_t chars_read(void *opaque, uint8_t *data, size_t len)
{
    struct rig *r = opaque;
    size_t want = fuzz_below(&r->in, 33);

    if (want == 32) { /* all that there is room for */
        memset(data, 'x', len);
        return len;
    }
    return fuzz_bytes(&r->in, data, want < len ? want : len);
}

static void chars_wait(void *opaque, struct dev_wait *w)
{
    rig_see(opaque, "waits for bytes", w->len);
}

struct dev_chars rig_chars(struct rig *r)
{
    return (struct dev_chars){chars_write, chars_read, r, chars_wait};
}

/* ---- life ---- */

static void bus_init(struct rig *r)
{
    struct rig_bus *b = &r->bus;
    int rc;

    *b = (struct rig_bus){.mem = mem_new(), .clock = xcalloc(1, sizeof *b->clock)};
    clock_init(b->clock, clock_time, sooner, r);
    rc = mem_add_rom(b->mem, "rom", RIG_ROM, MEM_PAGE_SIZE, NULL);
    rc = rc ? rc : mem_add_ram(b->mem, "ram", RIG_RAM, RIG_RAM_SIZE, NULL);
    FUZZ_CHECK(!rc, "%d", rc);
    r->kind->make(r);
    mem_clean(b->mem);
}

static void bus_fini(struct rig_bus *b)
{
    for (unsigned i = b->ndevs; i-- > 0;)
        dev_free(b->dev[i]);
    FUZZ_CHECK(!b->clock->len, "%zu events outlive their devices", b->clock->len);
    clock_fini(b->clock);
    free(b->clock);
    mem_free(b->mem);
}

void rig_plug(struct rig *r, struct dev *d, uint64_t size, const uint32_t *places)
{
    struct rig_bus *b = &r->bus;
    int rc = 0;

    FUZZ_CHECK(b->ndevs < RIG_DEVS, "%u", b->ndevs);
    if (size)
        rc = dev_map(d, RIG_DEV + b->ndevs * RIG_DEV_SIZE, size, NULL);
    FUZZ_CHECK(!rc, "%d", rc);
    b->places[b->ndevs] = places;
    b->dev[b->ndevs++] = d;
    d->class->reset(d);
}

/* ---- state ---- */

static void state(struct rig *r, struct snap *s)
{
    for (unsigned i = 0; i < r->bus.ndevs; i++)
        r->bus.dev[i]->class->state(r->bus.dev[i], s);
}

static struct buf save(struct rig *r)
{
    struct buf out = BUF_INIT;
    struct snap s;

    snap_open_save(&s, &out);
    state(r, &s);
    FUZZ_CHECK(!snap_close(&s, NULL), "saving failed");
    return out;
}

static int load(struct rig *r, const struct buf *in, struct err *e)
{
    struct snap s;

    snap_open_load(&s, in->data, in->len);
    state(r, &s);
    return snap_close(&s, e);
}

static void reset(struct rig *r)
{
    for (unsigned i = 0; i < r->bus.ndevs; i++)
        r->bus.dev[i]->class->reset(r->bus.dev[i]);
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* What was written on the one bus is written on the other, which is new. */
static void copy_memory(struct rig_bus *to, const struct rig_bus *from)
{
    uint8_t page[MEM_PAGE_SIZE];
    uint64_t *pages;
    size_t n = mem_dirty(from->mem, &pages);

    for (size_t i = 0; i < n; i++) {
        mem_peek(from->mem, pages[i], page, sizeof page);
        mem_poke(to->mem, pages[i], page, sizeof page);
    }
    free(pages);
}

static uint64_t memory_hash(const struct rig_bus *b)
{
    uint8_t page[MEM_PAGE_SIZE];
    uint64_t *pages, hash = 0;
    size_t n = mem_dirty(b->mem, &pages);

    for (size_t i = 0; i < n; i++) {
        mem_peek(b->mem, pages[i], page, sizeof page);
        hash = bits_hash(page, sizeof page, hash + pages[i]);
    }
    free(pages);
    return hash;
}

/* New devices on a new bus get the state and the memory of the old ones. */
static void renew(struct rig *r, const struct buf *state)
{
    struct rig old = *r;
    struct err e = {0};

    bus_init(r);
    copy_memory(&r->bus, &old.bus);
    FUZZ_CHECK(!load(r, state, &e), "%s", e.msg);
    memcpy(r->wire, old.wire, sizeof r->wire);
    r->seen = old.seen;
    bus_fini(&old.bus);
}

static void reload(struct rig *r, const struct buf *state)
{
    struct err e = {0};

    reset(r);
    FUZZ_CHECK(!load(r, state, &e), "%s", e.msg);
}

void rig_op_checkpoint(struct rig *r)
{
    struct buf first = save(r), second;

    if (r->renews)
        renew(r, &first);
    else if (r->kind->outside)
        reload(r, &first);
    second = save(r);
    FUZZ_CHECK(same(&first, &second), "the state changed by saving, or by loading it");
    buf_fini(&first);
    buf_fini(&second);
}

/* A state that somebody made up is one to go on from, or is refused; then a good one can still be
 * loaded. */
void rig_op_damage(struct rig *r)
{
    struct buf good = save(r), bad = save(r);
    struct err e = {0};

    fuzz_damage_state(&r->in, &bad);
    if (load(r, &bad, NULL))
        FUZZ_CHECK(!load(r, &good, &e), "%s", e.msg);
    buf_fini(&good);
    buf_fini(&bad);
}

void rig_op_reset(struct rig *r)
{
    if (fuzz_rarely(&r->in, 8))
        reset(r);
}

/* ---- accesses ---- */

uint64_t rig_address(struct rig *r)
{
    switch (fuzz_below(&r->in, 8)) {
    case 0:
        return fuzz_value(&r->in);
    case 1:
        return RIG_RAM + RIG_RAM_SIZE - fuzz_int(&r->in, 1);
    case 2:
        return RIG_ROM + fuzz_int(&r->in, 1);
    case 3:
        return RIG_DEV + fuzz_int(&r->in, 1);
    default:
        return RIG_RAM + fuzz_int(&r->in, 3) % RIG_RAM_SIZE;
    }
}

void rig_poke(struct rig *r, uint64_t addr, unsigned size, uint64_t value)
{
    mem_dma_write(r->bus.mem, addr, &value, size);
}

uint64_t rig_peek(struct rig *r, uint64_t addr, unsigned size)
{
    uint64_t v = 0;

    mem_peek(r->bus.mem, addr, &v, size);
    return v;
}

void rig_store(struct rig *r, uint64_t addr, unsigned size, uint64_t value)
{
    addr &= ~(uint64_t)(size - 1);
    if (!mem_write(r->bus.mem, addr, size, value))
        rig_see(r, "refused", addr);
}

uint64_t rig_load(struct rig *r, uint64_t addr, unsigned size)
{
    uint64_t v = 0;

    addr &= ~(uint64_t)(size - 1);
    if (!mem_read(r->bus.mem, addr, size, &v))
        rig_see(r, "refused", addr);
    rig_see(r, "read", v);
    return v;
}

void rig_write(struct rig *r, unsigned dev, uint64_t offset, unsigned size, uint64_t value)
{
    rig_store(r, r->bus.dev[dev]->base + offset, size, value);
}

uint64_t rig_read(struct rig *r, unsigned dev, uint64_t offset, unsigned size)
{
    return rig_load(r, r->bus.dev[dev]->base + offset, size);
}

/* A register that the device names, or something at one of its places. */
static uint64_t offset(struct rig *r, unsigned dev)
{
    const struct dev_reg *regs = r->bus.dev[dev]->class->regs;
    const uint32_t *places = r->bus.places[dev];
    uint64_t at, nregs = 0, nplaces = 0;

    while (regs[nregs].name)
        nregs++;
    while (places[nplaces] != UINT32_MAX)
        nplaces++;
    if (fuzz_below(&r->in, 2))
        return regs[fuzz_below(&r->in, nregs)].offset;
    at = places[fuzz_below(&r->in, nplaces)];
    at += fuzz_int(&r->in, 1) * 4;
    return fuzz_rarely(&r->in, 8) ? at + 1 : at;
}

static unsigned access_size(struct rig *r)
{
    static const uint8_t sizes[] = {4, 4, 4, 4, 1, 8, 2, 4};

    return sizes[fuzz_below(&r->in, 8)];
}

void rig_op_write(struct rig *r)
{
    unsigned dev = (unsigned)fuzz_below(&r->in, r->bus.ndevs), size = access_size(r);
    uint64_t at = offset(r, dev);

    rig_write(r, dev, at, size, fuzz_value(&r->in));
}

void rig_op_read(struct rig *r)
{
    unsigned dev = (unsigned)fuzz_below(&r->in, r->bus.ndevs), size = access_size(r);

    rig_read(r, dev, offset(r, dev), size);
}

/* What the device finds in memory. */
void rig_op_poke(struct rig *r)
{
    uint64_t addr = rig_address(r);
    uint8_t data[64];
    size_t len = fuzz_bytes(&r->in, data, fuzz_below(&r->in, sizeof data));

    mem_dma_write(r->bus.mem, addr, data, len);
}

/* A store by a CPU, which may ring a bell. */
void rig_op_store(struct rig *r)
{
    unsigned size = access_size(r);
    uint64_t addr = rig_address(r) & ~(uint64_t)(size - 1), value = fuzz_value(&r->in);

    if (mem_write(r->bus.mem, addr, size, value) && mem_bell_at(r->bus.mem, addr, size))
        mem_bell_ring(r->bus.mem, addr, size);
}

/* Time passes; events fire at their own times. */
void rig_op_time(struct rig *r)
{
    uint64_t past = fuzz_int(&r->in, 2), until;

    past <<= fuzz_below(&r->in, 48);
    until = r->now < CLOCK_NEVER / 2 ? r->now + past : r->now + 1;
    for (uint64_t next; (next = clock_next(r->bus.clock)) <= until;) {
        r->now = next > r->now ? next : r->now;
        clock_run(r->bus.clock, r->now);
    }
    r->now = until;
}

void rig_op_poll(struct rig *r)
{
    struct dev_wait w = {.ns = UINT64_MAX};

    for (unsigned i = 0; i < r->bus.ndevs; i++) {
        if (r->bus.dev[i]->class->poll)
            r->bus.dev[i]->class->poll(r->bus.dev[i]);
        if (r->bus.dev[i]->class->wait)
            r->bus.dev[i]->class->wait(r->bus.dev[i], &w);
    }
    vec_fini(&w);
}

static void look_at_registers(struct rig *r)
{
    for (unsigned i = 0; i < r->bus.ndevs; i++) {
        const struct dev_class *c = r->bus.dev[i]->class;
        for (const struct dev_reg *reg = c->regs; reg->name; reg++) {
            uint64_t v = 0;

            if (c->peek(r->bus.dev[i], reg->offset, reg->size, &v))
                rig_see(r, reg->name, v);
        }
    }
}

/* A debugger looks at everything: nothing changes. */
void rig_op_look(struct rig *r)
{
    struct buf before = save(r), after, list = BUF_INIT;
    struct snap s;

    look_at_registers(r);
    snap_open_list(&s, &list);
    state(r, &s);
    snap_close(&s, NULL);
    after = save(r);
    FUZZ_CHECK(same(&before, &after), "looking changed something:\n%s", list.data);
    buf_fini(&before);
    buf_fini(&after);
    buf_fini(&list);
}

/* ---- programs ---- */

static uint64_t count_ops(const struct rig_kind *kind)
{
    uint64_t n = 0;

    while (n < RIG_OPS_MAX && kind->ops[n])
        n++;
    return n;
}

/* One operation, and what the wires are then. */
static void step(struct rig *r, uint64_t nops)
{
    bool before[RIG_WIRES];

    memcpy(before, r->wire, sizeof before);
    r->kind->ops[fuzz_below(&r->in, nops)](r);
    for (unsigned i = 0; i < RIG_WIRES; i++)
        if (before[i] != r->wire[i])
            rig_see(r, r->wire[i] ? "wire up" : "wire down", i);
}

/* What the guest and the doors have seen in the end. */
static uint64_t run(const struct rig_kind *kind, const uint8_t *data, size_t len, bool renews)
{
    struct rig r = {.kind = kind, .in = {data, data + len}, .renews = renews};
    uint64_t nops = count_ops(kind);

    r.own = xcalloc(1, kind->own);
    bus_init(&r);
    if (kind->begin)
        kind->begin(&r);
    while (fuzz_left(&r.in))
        step(&r, nops);
    rig_op_checkpoint(&r);
    look_at_registers(&r);
    rig_see(&r, "memory", memory_hash(&r.bus));
    bus_fini(&r.bus);
    if (kind->fini)
        kind->fini(&r);
    free(r.own);
    return r.seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint64_t seen = run(&rig_target, data, len, false);

    if (!rig_target.outside)
        FUZZ_CHECK(seen == run(&rig_target, data, len, true),
                   "devices that were saved and loaded do something else");
    return 0;
}
