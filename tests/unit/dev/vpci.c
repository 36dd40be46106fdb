/* Virtio over PCI: capabilities, common configuration in all widths, vectors, the window. */
#include "dev/virtio/balloon.h"
#include "dev/virtio/rng.h"
#include "vio_test.h"

enum { COMMON = 0, ISR = 0x1000, DEVICE = 0x2000, NOTIFY = 0x3000 };
enum { CONFIG_VECTOR = 0x10, NUM_QUEUES = 0x12, STATUS = 0x14, QUEUE_SELECT = 0x16 };
enum { QUEUE_SIZE = 0x18, QUEUE_VECTOR = 0x1a, ENABLE = 0x1c, NOTIFY_OFF = 0x1e, DESC = 0x20 };
enum { QUEUE_RESET = 0x3a, NO_VECTOR = 0xffff };

struct sink {
    uint32_t data[64];
    unsigned n;
};

struct rig {
    struct bench b;
    struct sink sink;
    struct pci_func *f;
    struct vio_device *v;
};

static void take(void *opaque, uint64_t address, uint32_t data)
{
    struct sink *s = opaque;

    ck_assert_uint_eq(address, 0xfee0000000);
    ck_assert_uint_lt(s->n, ARRAY_LEN(s->data));
    s->data[s->n++] = data;
}

static void setup(struct rig *r, struct vio_device *v, bool msi)
{
    struct dev_msi sink = {msi ? take : NULL, &r->sink};

    vt_use_pci();
    memset(r, 0, sizeof *r);
    bench_init(&r->b);
    r->v = v;
    r->f = vio_pci_new("pci1", r->b.mem, &r->b.clock, NULL, bench_line(&r->b, VT_WIRE), sink, v);
    vt_plug_pci(&r->b, r->f);
}

static struct vio_device *entropy(void)
{
    static const uint8_t seed[VIO_RNG_SEED];

    return vio_rng_new(seed);
}

static uint32_t config(struct rig *r, unsigned offset, unsigned size)
{
    return pci_config_read(r->f, offset, size);
}

static void config_set(struct rig *r, unsigned offset, unsigned size, uint32_t v)
{
    pci_config_write(r->f, offset, size, v);
}

/* A request for 8 random bytes at VT_DATA. */
static void ask(struct rig *r)
{
    const struct vt_seg seg = {VT_DATA, 8, true};

    vt_offer(&r->b, 0, 0, &seg, 1);
    vt_notify(&r->b, 0);
}

START_TEST(identity)
{
    struct rig r;

    setup(&r, entropy(), false);
    ck_assert_uint_eq(config(&r, PCI_VENDOR, 4), 0x10441af4);
    ck_assert_uint_eq(config(&r, PCI_REVISION, 4), 0x00ff0001);
    ck_assert_uint_eq(config(&r, PCI_SUBSYSTEM_VENDOR, 4), 0x11001af4);
    ck_assert_uint_eq(config(&r, PCI_INTERRUPT_PIN, 1), 1);
    ck_assert_ptr_eq(vio_pci_device(r.f), r.v);
    bench_fini(&r.b);
    setup(&r, vio_balloon_new(0), false);
    ck_assert_uint_eq(config(&r, PCI_DEVICE, 2), 0x1045);
    bench_fini(&r.b);
}
END_TEST

/* 4.1.4: one of each kind, all in BAR 4, and none on another. */
START_TEST(capabilities)
{
    struct rig r;
    unsigned seen = 0, end = 0;

    setup(&r, entropy(), true);
    for (unsigned at = config(&r, PCI_CAPABILITIES, 1); at; at = config(&r, at + 1, 1)) {
        unsigned type = config(&r, at + 3, 1), len = config(&r, at + 2, 1);

        ck_assert_uint_ge(at, end ? end : 0x40);
        end = at + (config(&r, at, 1) == PCI_CAP_MSIX ? 12 : len);
        ck_assert_uint_le(end, PCI_CONFIG);
        if (config(&r, at, 1) == PCI_CAP_MSIX) {
            ck_assert_uint_eq(config(&r, at + 2, 2), 1); /* a queue, and changes */
            ck_assert_uint_eq(config(&r, at + 4, 4), VIO_PCI_MSIX_BAR);
            continue;
        }
        ck_assert_uint_eq(config(&r, at, 1), PCI_CAP_VENDOR);
        seen |= 1u << type;
        if (type == 5) {
            ck_assert_uint_eq(len, 20);
            continue;
        }
        ck_assert_uint_eq(len, type == 2 ? 20 : 16);
        ck_assert_uint_eq(config(&r, at + 4, 1), VIO_PCI_BAR);
        ck_assert_uint_eq(config(&r, at + 8, 4), type == 1   ? COMMON
                                                 : type == 2 ? NOTIFY
                                                 : type == 3 ? ISR
                                                             : DEVICE);
        ck_assert_uint_eq(config(&r, at + 12, 4), 0x1000);
        if (type == 2)
            ck_assert_uint_eq(config(&r, at + 16, 4), 4);
    }
    ck_assert_uint_eq(seen, 0x3e);
    bench_fini(&r.b);
}
END_TEST

/* 4.1.3.1 */
START_TEST(widths)
{
    static const uint8_t wrong[][2] = {
        {0x00, 1},         {0x00, 2},       {0x08, 2},       {0x0c, 1},   {STATUS, 2}, {STATUS, 4},
        {QUEUE_SELECT, 1}, {QUEUE_SIZE, 1}, {QUEUE_SIZE, 4}, {ENABLE, 1}, {ENABLE, 4}, {DESC, 1},
        {DESC, 2},         {DESC + 2, 2},   {0x38, 8},       {0x3c, 4}};
    uint8_t before[64], after[64];
    struct rig r;

    setup(&r, entropy(), true);
    vt_negotiate(&r.b, BIT(VIO_F_VERSION_1));
    bench_write(&r.b, DESC, 8, UINT64_C(0x1122334455667780)); /* an address at once */
    bench_write(&r.b, DESC + 8, 4, 0x99aabbcc);
    bench_write(&r.b, DESC + 12, 4, 0xddeeff00);
    ck_assert_uint_eq(bench_read(&r.b, DESC, 8), UINT64_C(0x1122334455667780));
    ck_assert_uint_eq(bench_read(&r.b, DESC + 8, 8), UINT64_C(0xddeeff0099aabbcc));
    for (unsigned i = 0; i < 64; i++)
        before[i] = (uint8_t)bench_read(&r.b, i, 1);
    for (unsigned size = 2; size <= 8; size *= 2)
        for (unsigned i = 0; i < 64; i += size)
            ck_assert_uint_eq(bench_read(&r.b, i, size), bits_load_le(before + i, size));
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++)
        bench_write(&r.b, wrong[i][0], wrong[i][1], UINT64_MAX);
    for (unsigned i = 0; i < 0x40; i += 8) /* read only, as far as two words of them are */
        if (i != DESC && i != DESC + 8 && i != DESC + 16 && i != 0x00 && i != 0x08)
            bench_write(&r.b, i, 8, UINT64_MAX);
    for (unsigned i = 0; i < 64; i++)
        after[i] = (uint8_t)bench_read(&r.b, i, 1);
    ck_assert_mem_eq(before, after, 64);
    for (unsigned at = 0x40; at < 0x1000; at += 8) { /* behind it there is nothing */
        ck_assert_uint_eq(bench_read(&r.b, at, 8), 0);
        bench_write(&r.b, at, 8, UINT64_MAX);
    }
    ck_assert_uint_eq(bench_read(&r.b, DEVICE, 8), 0); /* entropy has no configuration */
    ck_assert_uint_eq(bench_read(&r.b, DEVICE + 0xff8, 8), 0);
    ck_assert_uint_eq(bench_read(&r.b, NOTIFY, 8), 0);
    bench_fini(&r.b);
}
END_TEST

START_TEST(queues)
{
    struct rig r;

    setup(&r, entropy(), false);
    vt_start(&r.b, 0, 1);
    ck_assert_uint_eq(bench_read(&r.b, NUM_QUEUES, 2), 1);
    ck_assert_uint_eq(bench_read(&r.b, QUEUE_SIZE, 2), VT_QN);
    ck_assert_uint_eq(bench_read(&r.b, NOTIFY_OFF, 2), 0);
    bench_write(&r.b, ENABLE, 2, 0);      /* not so */
    bench_write(&r.b, QUEUE_RESET, 2, 1); /* nor so: it was not negotiated */
    ck_assert_uint_eq(bench_read(&r.b, ENABLE, 2), 1);
    bench_write(&r.b, QUEUE_SIZE, 2, 8); /* nor while it is in use */
    bench_write(&r.b, DESC, 4, 0);
    ck_assert_uint_eq(bench_read(&r.b, QUEUE_SIZE, 2), VT_QN);
    ask(&r);
    ck_assert_uint_eq(vt_used(&r.b, 0), 1);
    bench_write(&r.b, NOTIFY + 2, 2, 0); /* no queue's place */
    bench_write(&r.b, NOTIFY + 4, 2, 0); /* nobody's queue */
    bench_write(&r.b, NOTIFY + 0xffc, 4, 0);
    bench_write(&r.b, QUEUE_SELECT, 2, 1);
    ck_assert_uint_eq(bench_read(&r.b, QUEUE_SIZE, 2), 0);
    ck_assert_uint_eq(bench_read(&r.b, ENABLE, 2), 0);
    ck_assert_uint_eq(bench_read(&r.b, QUEUE_VECTOR, 2), NO_VECTOR);
    for (unsigned i = 0; i < 2; i++) {
        bench_write(&r.b, QUEUE_SELECT, 2, i ? 1 : 0xffff);
        bench_write(&r.b, QUEUE_SIZE, 2, 8);
        bench_write(&r.b, QUEUE_VECTOR, 2, 0);
        bench_write(&r.b, ENABLE, 2, 1);
        bench_write(&r.b, QUEUE_RESET, 2, 1);
        bench_write(&r.b, DESC, 8, 0);
    }
    ck_assert_uint_eq(bench_read(&r.b, STATUS, 1), VT_RUNS);
    bench_fini(&r.b);
}
END_TEST

/* 2.6.1: one queue begins anew, and nothing else does. */
START_TEST(queue_reset)
{
    struct rig r;

    setup(&r, entropy(), false);
    vt_start(&r.b, BIT(VIO_F_RING_RESET) | BIT(VIO_F_EVENT_IDX), 1);
    ask(&r);
    ck_assert_uint_eq(vt_used(&r.b, 0), 1);
    bench_write(&r.b, QUEUE_RESET, 2, 0);
    bench_write(&r.b, QUEUE_RESET, 2, 2);
    ck_assert_uint_eq(bench_read(&r.b, ENABLE, 2), 1);
    bench_write(&r.b, QUEUE_RESET, 2, 1);
    ck_assert_uint_eq(bench_read(&r.b, QUEUE_RESET, 2), 0);
    ck_assert_uint_eq(bench_read(&r.b, ENABLE, 2), 0);
    ck_assert_uint_eq(bench_read(&r.b, QUEUE_SIZE, 2), 256);
    ck_assert_uint_eq(bench_read(&r.b, STATUS, 1), VT_RUNS);
    ask(&r);
    ck_assert_uint_eq(vt_used(&r.b, 0), 1); /* it is not in use */
    vt_queue(&r.b, 0);
    vt_poke(&r.b, VT_RING(0) + 0x404 + 2 * VT_QN, 2, 7); /* no interrupt: by event index */
    vt_ack(&r.b);
    ask(&r);
    ck_assert_uint_eq(vt_used(&r.b, 0), 1);
    ck_assert(!r.b.wire[VT_WIRE]);
    /* work that was left in it is forgotten */
    for (unsigned i = 0; i < VT_QN; i++) {
        const struct vt_seg big = {VT_DATA, 0x10000, true};
        vt_offer(&r.b, 0, i, &big, 1);
    }
    vt_notify(&r.b, 0);
    ck_assert_uint_lt(vt_used(&r.b, 0), VT_QN);
    bench_write(&r.b, QUEUE_RESET, 2, 1);
    vt_queue(&r.b, 0);
    vt_poke(&r.b, VT_RING(0) + 0x402, 2, 1);
    bench_until(&r.b, 100000);
    ck_assert_uint_eq(vt_used(&r.b, 0), 0);
    bench_fini(&r.b);
}
END_TEST

START_TEST(interrupt_status)
{
    struct rig r;

    setup(&r, vio_balloon_new(0), false);
    vt_start(&r.b, 0, 2);
    ck_assert_uint_eq(bench_read(&r.b, ISR, 1), 0);
    vio_balloon_ask(r.v, 4096);
    ck_assert(r.b.wire[VT_WIRE]);
    ck_assert_uint_eq(config(&r, PCI_STATUS, 2) & 8, 8);
    ck_assert_uint_eq(bench_peek(&r.b, PCI_CONFIG_WINDOW + ISR, 1), 2);
    ck_assert_uint_eq(bench_read(&r.b, ISR + 4, 4), 0); /* not there */
    ck_assert_uint_eq(bench_read(&r.b, ISR, 1), 2);
    ck_assert(!r.b.wire[VT_WIRE]);
    ck_assert_uint_eq(bench_read(&r.b, ISR, 1), 0);
    vio_balloon_ask(r.v, 8192);
    bench_write(&r.b, STATUS, 1, 0);
    ck_assert(!r.b.wire[VT_WIRE]);
    bench_fini(&r.b);
}
END_TEST

/* ---- MSI-X ---- */

static void vectors(struct rig *r, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        pci_bar_write(r->f, VIO_PCI_MSIX_BAR, 16 * i, 8, 0xfee0000000);
        pci_bar_write(r->f, VIO_PCI_MSIX_BAR, 16 * i + 8, 8, 50 + i);
    }
    config_set(r, r->f->msix.cap + 2, 2, 0x8000);
}

static void queue_vector(struct rig *r, unsigned queue, unsigned vector)
{
    bench_write(&r->b, QUEUE_SELECT, 2, queue);
    bench_write(&r->b, QUEUE_VECTOR, 2, vector);
}

START_TEST(messages)
{
    struct rig r;

    setup(&r, entropy(), true);
    vectors(&r, 2);
    vt_start(&r.b, 0, 1);
    ck_assert_uint_eq(bench_read(&r.b, QUEUE_VECTOR, 2), NO_VECTOR);
    ask(&r);
    ck_assert_uint_eq(r.sink.n, 0);
    queue_vector(&r, 0, 1);
    ck_assert_uint_eq(bench_read(&r.b, QUEUE_VECTOR, 2), 1);
    bench_write(&r.b, CONFIG_VECTOR, 2, 0);
    ck_assert_uint_eq(bench_read(&r.b, CONFIG_VECTOR, 2), 0);
    ask(&r);
    ck_assert(r.sink.n == 1 && r.sink.data[0] == 51);
    ck_assert(!r.b.wire[VT_WIRE]);
    ck_assert_uint_eq(bench_read(&r.b, ISR, 1), 0);
    queue_vector(&r, 0, 2); /* there is none */
    bench_write(&r.b, CONFIG_VECTOR, 2, 0xfffe);
    ck_assert_uint_eq(bench_read(&r.b, QUEUE_VECTOR, 2), NO_VECTOR);
    ck_assert_uint_eq(bench_read(&r.b, CONFIG_VECTOR, 2), NO_VECTOR);
    ask(&r);
    ck_assert_uint_eq(r.sink.n, 1);
    /* masked, then reset: nothing comes any more */
    queue_vector(&r, 0, 1);
    pci_bar_write(r.f, VIO_PCI_MSIX_BAR, 16 + 12, 4, 1);
    ask(&r);
    bench_write(&r.b, STATUS, 1, 0);
    pci_bar_write(r.f, VIO_PCI_MSIX_BAR, 16 + 12, 4, 0);
    ck_assert_uint_eq(r.sink.n, 1);
    ck_assert_uint_eq(bench_read(&r.b, QUEUE_VECTOR, 2), NO_VECTOR);
    bench_fini(&r.b);
}
END_TEST

START_TEST(configuration_message)
{
    struct rig r;

    setup(&r, vio_balloon_new(0), true);
    ck_assert_uint_eq(config(&r, r.f->msix.cap + 2, 2), 3);
    vectors(&r, 4);
    vt_start(&r.b, 0, 2);
    bench_write(&r.b, CONFIG_VECTOR, 2, 3);
    queue_vector(&r, 0, 0);
    vio_balloon_ask(r.v, 4096);
    ck_assert(r.sink.n == 1 && r.sink.data[0] == 53);
    bench_round_trip(&r.b);
    vio_balloon_ask(r.v, 8192);
    ck_assert(r.sink.n == 2 && r.sink.data[1] == 53);
    vt_poke(&r.b, VT_RING(0) + 0x402, 2, 1000); /* the guest breaks a queue */
    vt_notify(&r.b, 0);
    ck_assert_uint_eq(bench_read(&r.b, STATUS, 1), VT_RUNS | VT_BROKEN);
    ck_assert(r.sink.n == 3 && r.sink.data[2] == 53);
    bench_fini(&r.b);
}
END_TEST

/* ---- bus mastering ---- */

START_TEST(no_master)
{
    struct rig r;

    setup(&r, entropy(), false);
    vt_start(&r.b, 0, 1);
    config_set(&r, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    ask(&r);
    ck_assert_uint_eq(vt_used(&r.b, 0), 0);
    ck_assert_uint_eq(vt_peek(&r.b, VT_DATA, 8), 0);
    config_set(&r, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    ask(&r);
    ck_assert_uint_eq(vt_used(&r.b, 0), 2);
    bench_fini(&r.b);
}
END_TEST

/* ---- the window in configuration space ---- */

static unsigned window(struct rig *r)
{
    unsigned at = config(r, PCI_CAPABILITIES, 1);

    while (config(r, at, 1) != PCI_CAP_VENDOR || config(r, at + 3, 1) != 5)
        at = config(r, at + 1, 1);
    return at;
}

static void aim(struct rig *r, uint32_t bar, uint32_t offset, uint32_t length)
{
    unsigned at = window(r);

    config_set(r, at + 4, 1, bar);
    config_set(r, at + 8, 4, offset);
    config_set(r, at + 12, 4, length);
}

/* What a budget left over waits until the function may reach memory again, in a saved state too. */
START_TEST(no_master_for_the_rest)
{
    enum { ASKED = 20 }; /* more than a budget of 1 MiB */
    const struct vt_seg seg = {VT_DATA, 0x10000, true};
    struct rig r;
    unsigned used;

    setup(&r, entropy(), false);
    vt_start(&r.b, 0, 1);
    for (unsigned i = 0; i < ASKED; i++)
        vt_offer(&r.b, 0, i, &seg, 1);
    vt_notify(&r.b, 0);
    used = vt_used(&r.b, 0);
    ck_assert_uint_lt(used, ASKED);
    config_set(&r, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    bench_until(&r.b, 1000000);
    ck_assert_uint_eq(vt_used(&r.b, 0), used);
    bench_round_trip(&r.b);
    config_set(&r, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    bench_until(&r.b, 2000000);
    ck_assert_uint_eq(vt_used(&r.b, 0), ASKED);
    bench_fini(&r.b);
}
END_TEST

/* Where fields are in a saved state, behind the section's head. */
enum {
    S_CONFIG = 8,
    S_INTX = S_CONFIG + PCI_CONFIG,
    S_PENDING = S_INTX + 1,
    S_TABLE = S_PENDING + 8,
    S_VECTOR = 8 + 4 + 1,
    S_LEFT = 4 + 4 + 4 + 8 + 1 + 1 + 4, /* of the transport */
    S_NEGOTIATED = S_LEFT + 4 + 8,
};

/* A saved state with one field changed is refused, and nothing is different then. */
static void refused(struct rig *r, size_t at, unsigned size, uint64_t bad)
{
    struct buf saved = bench_save(&r->b), after;
    size_t start = 1 + strlen("pci1") + 4, body = start + 16;
    char *field = saved.data + body + at;
    uint64_t good = bits_load_le(field, size);

    for (unsigned i = 0; i < 2; i++) {
        bits_store_le(field, size, i ? good : bad);
        bits_store_le(saved.data + start + 8, 8, bits_hash(saved.data + body, saved.len - body, 0));
        ck_assert_int_eq(bench_load(&r->b, &saved) == 0, i);
    }
    after = bench_save(&r->b);
    ck_assert_mem_eq(saved.data, after.data, saved.len);
    buf_fini(&saved);
    buf_fini(&after);
}

START_TEST(bad_states)
{
    for (unsigned vectors = 0; vectors <= 2; vectors += 2) {
        size_t own = vectors ? S_TABLE + vectors * S_VECTOR : S_PENDING, transport = own + 2 + 2;
        struct rig r;

        setup(&r, entropy(), vectors);
        vt_start(&r.b, 0, 1);
        refused(&r, S_CONFIG + PCI_COMMAND, 2, 0x8007);
        refused(&r, S_CONFIG + PCI_BAR0 + 4 * VIO_PCI_BAR, 4, 0x4000100c);
        refused(&r, own, 2, vectors);
        refused(&r, own + 2, 2, vectors);
        refused(&r, transport + S_LEFT, 4, 2);
        refused(&r, transport + S_NEGOTIATED, 8, BIT(VIO_F_VERSION_1) | BIT(63));
        if (vectors) {
            refused(&r, S_PENDING, 8, 4);
            refused(&r, S_TABLE + S_VECTOR, 8, 0xfee0000002);
        }
        bench_fini(&r.b);
    }
}
END_TEST

START_TEST(window_accesses)
{
    struct rig r;
    unsigned data;

    setup(&r, entropy(), false); /* no BAR is enabled */
    data = window(&r) + 16;
    aim(&r, 4, STATUS, 1);
    config_set(&r, data, 1, 3);
    ck_assert_uint_eq(bench_read(&r.b, STATUS, 1), 3);
    ck_assert_uint_eq(config(&r, data, 4), 3);
    ck_assert_uint_eq(config(&r, data, 1), 3);
    aim(&r, 4, QUEUE_SIZE, 2);
    ck_assert_uint_eq(config(&r, data, 2), 256);
    config_set(&r, data, 4, 16);
    ck_assert_uint_eq(bench_read(&r.b, QUEUE_SIZE, 2), 16);
    aim(&r, 4, DESC + 4, 4);
    config_set(&r, data, 4, 0x12345678);
    ck_assert_uint_eq(bench_read(&r.b, DESC, 8), UINT64_C(0x12345678) << 32);
    /* side effects are the BAR's: a notification, and a read of the ISR byte; not for debuggers */
    vt_start(&r.b, 0, 1);
    aim(&r, 4, NOTIFY, 2);
    const struct vt_seg seg = {VT_DATA, 8, true};
    vt_offer(&r.b, 0, 0, &seg, 1);
    config_set(&r, data, 2, 0);
    ck_assert_uint_eq(vt_used(&r.b, 0), 1);
    ck_assert(r.b.wire[VT_WIRE]);
    aim(&r, 4, ISR, 1);
    bench_peek(&r.b, data, 4);
    ck_assert(r.b.wire[VT_WIRE]);
    config(&r, data - 4, 4); /* beside the data */
    ck_assert(r.b.wire[VT_WIRE]);
    ck_assert_uint_eq(config(&r, data, 1), 1);
    ck_assert(!r.b.wire[VT_WIRE]);
    bench_fini(&r.b);
}
END_TEST

START_TEST(window_refuses)
{
    static const uint32_t bad[][3] = {
        {0, STATUS, 1},     {1, STATUS, 1},          {5, STATUS, 1},     {6, STATUS, 1},
        {0xff, STATUS, 1},  {4, STATUS, 0},          {4, STATUS, 3},     {4, STATUS, 8},
        {4, STATUS, 16},    {4, STATUS, UINT32_MAX}, {4, 0x4000, 4},     {4, 0x4014, 1},
        {4, UINT32_MAX, 1}, {4, UINT32_MAX - 3, 4},  {4, 0x80000014, 1}, {4, STATUS + 1, 2},
    };
    struct rig r;
    unsigned data;

    setup(&r, entropy(), true);
    data = window(&r) + 16;
    bench_write(&r.b, STATUS, 1, 3);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        aim(&r, bad[i][0], bad[i][1], bad[i][2]);
        config_set(&r, data, 4, 0x01010104);
        ck_assert_uint_eq(bench_read(&r.b, STATUS, 1), 3);
        ck_assert_uint_eq(config(&r, data, 4), 0x01010104); /* memory like any other */
    }
    aim(&r, 4, STATUS, 1);
    config_set(&r, data, 4, 4);
    ck_assert_uint_eq(bench_read(&r.b, STATUS, 1), 7);
    bench_fini(&r.b);
}
END_TEST

/* Anything into configuration space and the BARs, while a driver tries to work. */
START_TEST(random_guest)
{
    unsigned served = 0;
    struct rig r;

    setup(&r, entropy(), true);
    for (unsigned turn = 0; turn < 30000; turn++) {
        unsigned size = 1u << vt_random(3), used;
        unsigned offset = (unsigned)vt_random(PCI_CONFIG) & ~(size - 1);

        if (!vt_random(8))
            vt_start(&r.b, BIT(VIO_F_RING_RESET), 1);
        if (!vt_random(8))
            vectors(&r, 2);
        config_set(&r, offset, size, (uint32_t)vt_random(UINT64_MAX));
        if (vt_random(2))
            aim(&r, 4, (uint32_t)vt_random(0x4010), 1u << vt_random(3));
        config(&r, (unsigned)vt_random(PCI_CONFIG) & ~3u, 4);
        vt_scribble(&r.b);
        pci_bar_write(r.f, VIO_PCI_MSIX_BAR, vt_random(64) * 4, 4, vt_random(4));
        pci_bar_write(r.f, VIO_PCI_MSIX_BAR, 0, 8, 0xfee0000000);
        pci_bar_write(r.f, VIO_PCI_MSIX_BAR, 16, 8, 0xfee0000000);
        used = vt_used(&r.b, 0);
        ask(&r);
        served += vt_used(&r.b, 0) != used;
        r.sink.n = 0;
        bench_until(&r.b, r.b.now + 2000);
    }
    ck_assert_uint_gt(served, 300);
    bench_round_trip(&r.b);
    vt_start(&r.b, 0, 1);
    ask(&r);
    ck_assert_uint_eq(vt_used(&r.b, 0), 1);
    bench_fini(&r.b);
}
END_TEST

UNIT_MAIN("dev/vpci", identity, capabilities, widths, queues, queue_reset, interrupt_status,
          messages, configuration_message, no_master, no_master_for_the_rest, bad_states,
          window_accesses, window_refuses, random_guest)
