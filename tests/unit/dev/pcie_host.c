/* The PCI host bridge: ECAM, windows to BARs that move, wires. */
#include "dev/pcie_host.h"
#include "pci_test.h"

#define IO     UINT64_C(0x3000000)
#define WINDOW UINT64_C(0x40000000)
#define HIGH   UINT64_C(0x400000000)
#define GIB    UINT64_C(0x40000000)

struct rig {
    struct bench b;
    struct sink sink;
    struct pcie_host *h;
    struct toy *toy[PCIE_SLOTS]; /* in slots 1, 2 and 7 */
};

static void setup(struct rig *r)
{
    static const unsigned slots[] = {1, 2, 7};

    memset(r, 0, sizeof *r);
    bench_init(&r->b);
    r->h = pcie_host_new("pcie", r->b.mem, &r->b.clock, NULL, bench_line(&r->b, 32));
    bench_plug(&r->b, pcie_host_dev(r->h), 0x10000000);
    ck_assert_int_eq(pcie_host_window(r->h, "io", true, IO, 0x10000, NULL), 0);
    ck_assert_int_eq(pcie_host_window(r->h, "32", false, WINDOW, GIB, NULL), 0);
    ck_assert_int_eq(pcie_host_window(r->h, "64", false, HIGH, 16 * GIB, NULL), 0);
    for (unsigned i = 0; i < ARRAY_LEN(slots); i++) {
        unsigned slot = slots[i];
        char name[8] = {'t', (char)('0' + slot)};

        r->toy[slot] =
            toy_new(&r->b, name, pcie_host_intx(r->h, slot), (struct dev_msi){sink_send, &r->sink});
        pcie_host_plug(r->h, slot, &r->toy[slot]->pci);
        r->toy[slot]->cell[0] = (uint8_t)slot;
    }
}

static void fini(struct rig *r)
{
    for (unsigned i = 0; i < PCIE_SLOTS; i++)
        free(r->toy[i]);
    bench_fini(&r->b);
}

static uint64_t ecam(unsigned slot, unsigned reg)
{
    return slot << 15 | reg;
}

static void command(struct rig *r, unsigned slot, uint16_t v)
{
    bench_write(&r->b, ecam(slot, PCI_COMMAND), 2, v);
}

static void move(struct rig *r, unsigned slot, unsigned bar, uint32_t base)
{
    bench_write(&r->b, ecam(slot, PCI_BAR0 + 4 * bar), 4, base);
}

static uint64_t load(struct rig *r, uint64_t addr, unsigned size)
{
    uint64_t v = 0;

    ck_assert(mem_read(r->b.mem, addr, size, &v));
    return v;
}

static void store(struct rig *r, uint64_t addr, unsigned size, uint64_t v)
{
    ck_assert(mem_write(r->b.mem, addr, size, v));
}

/* Whose cell is there; 0xff: nobody's. */
static unsigned at(struct rig *r, uint64_t addr)
{
    return (unsigned)load(r, addr, 1);
}

START_TEST(configuration_space)
{
    static const uint64_t nobody[] = {3 << 15, 31 << 15,   1 << 15 | 1 << 12, 1 << 15 | 7 << 12,
                                      1 << 20, 0xff << 20, 0xffffffc,         0x200 << 15};
    struct rig r;
    uint64_t v;

    setup(&r);
    ck_assert_uint_eq(bench_read(&r.b, 0, 4), 0x00081b36);
    ck_assert_uint_eq(bench_read(&r.b, 8, 4), 0x06000000);
    ck_assert_uint_eq(bench_read(&r.b, ecam(1, 0), 4), 0x56781234);
    ck_assert_uint_eq(bench_read(&r.b, ecam(7, 2), 2), 0x5678);
    ck_assert_uint_eq(bench_read(&r.b, ecam(7, 3), 1), 0x56);
    ck_assert_uint_eq(bench_read(&r.b, ecam(7, 0x100), 4), UINT32_MAX);
    ck_assert_uint_eq(bench_read(&r.b, ecam(7, 0xffe), 2), 0xffff);
    for (unsigned i = 0; i < ARRAY_LEN(nobody); i++) {
        ck_assert_uint_eq(bench_read(&r.b, nobody[i], 4), UINT32_MAX);
        ck_assert_uint_eq(bench_read(&r.b, nobody[i] | 1, 1), 0xff);
        bench_write(&r.b, nobody[i], 4, 0);
    }
    ck_assert(!mem_read(r.b.mem, BENCH_DEV, 8, &v)); /* words at most */
    bench_write(&r.b, ecam(2, 0x3c), 1, 77);
    ck_assert_uint_eq(bench_read(&r.b, ecam(2, 0x3c), 1), 77);
    ck_assert_uint_eq(bench_read(&r.b, ecam(1, 0x3c), 1), 0);
    ck_assert_uint_eq(bench_peek(&r.b, ecam(2, 0x3c), 1), 77);
    ck_assert_uint_eq(bench_peek(&r.b, ecam(9, 0x3c), 1), 0xff);
    ck_assert_uint_eq(r.toy[7]->pci.dev.base, BENCH_DEV + (7 << 15));
    ck_assert_ptr_eq(pcie_host_func(r.h, 7), &r.toy[7]->pci);
    ck_assert_ptr_null(pcie_host_func(r.h, 8));
    fini(&r);
}
END_TEST

START_TEST(windows)
{
    struct rig r;

    setup(&r);
    ck_assert_uint_eq(load(&r, WINDOW, 8), UINT64_MAX);
    ck_assert_uint_eq(load(&r, WINDOW + GIB - 4, 4), UINT32_MAX);
    ck_assert_uint_eq(load(&r, HIGH + 16 * GIB - 1, 1), 0xff);
    ck_assert_uint_eq(load(&r, IO, 2), 0xffff);
    store(&r, WINDOW + 0x1000, 8, 0);
    move(&r, 1, TOY_MEM32, WINDOW + 0x3000);
    ck_assert_uint_eq(at(&r, WINDOW + 0x3000), 0xff); /* not enabled */
    command(&r, 1, PCI_COMMAND_IO);
    ck_assert_uint_eq(at(&r, WINDOW + 0x3000), 0xff);
    command(&r, 1, PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(at(&r, WINDOW + 0x3000), 1);
    ck_assert_uint_eq(at(&r, WINDOW + 0x3fff), 1);
    ck_assert_uint_eq(r.toy[1]->last, 0xfff);
    ck_assert_uint_eq(at(&r, WINDOW + 0x2fff), 0xff);
    ck_assert_uint_eq(at(&r, WINDOW + 0x4000), 0xff);
    store(&r, WINDOW + 0x3010, 8, UINT64_C(0x1122334455667788));
    ck_assert_uint_eq(load(&r, WINDOW + 0x3010, 8), UINT64_C(0x1122334455667788));
    ck_assert_uint_eq(load(&r, WINDOW + 0x3010, 2), 0x7788);
    ck_assert_uint_eq(r.toy[1]->last, 0x10);
    /* above 4 GiB */
    move(&r, 2, TOY_MEM64, 0x20000);
    move(&r, 2, TOY_MEM64 + 1, HIGH >> 32);
    command(&r, 2, PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(at(&r, HIGH + 0x2ffff), 2);
    ck_assert_uint_eq(r.toy[2]->last, 0xffff);
    ck_assert_uint_eq(at(&r, HIGH + 0x30000), 0xff);
    ck_assert_uint_eq(at(&r, HIGH + 0x1ffff), 0xff);
    /* ports, of words */
    move(&r, 2, TOY_IO, 0x1220);
    ck_assert_uint_eq(load(&r, IO + 0x1220, 4), UINT32_MAX);
    command(&r, 2, PCI_COMMAND_IO);
    ck_assert_uint_eq(load(&r, IO + 0x1220, 4), 2);
    ck_assert_uint_eq(load(&r, IO + 0x123c, 4), 2);
    ck_assert_uint_eq(r.toy[2]->last, 0x1c);
    ck_assert_uint_eq(load(&r, IO + 0x1240, 4), UINT32_MAX);
    ck_assert_uint_eq(load(&r, IO + 0x1220, 1), 0xff); /* it does not answer */
    store(&r, IO + 0x1220, 2, 0);
    ck_assert_uint_eq(r.toy[2]->writes, 0);
    ck_assert_uint_eq(at(&r, HIGH + 0x20000), 0xff);
    command(&r, 2, 0);
    ck_assert_uint_eq(load(&r, IO + 0x1220, 4), UINT32_MAX);
    fini(&r);
}
END_TEST

START_TEST(moves)
{
    struct rig r;

    setup(&r);
    command(&r, 1, PCI_COMMAND_MEMORY); /* both at 0, which no window shows */
    command(&r, 2, PCI_COMMAND_MEMORY);
    for (unsigned i = 1; i < 200; i++) { /* while enabled: in turns, past each other */
        move(&r, 1 + i % 2, TOY_MEM32, (uint32_t)WINDOW + i * 0x1000);
        ck_assert_uint_eq(at(&r, WINDOW + i * 0x1000), 1 + i % 2);
        ck_assert_uint_eq(at(&r, WINDOW + i * 0x1000 - 0x1000), i > 1 ? 2 - i % 2 : 0xff);
        if (i > 2)
            ck_assert_uint_eq(at(&r, WINDOW + i * 0x1000 - 0x2000), 0xff);
    }
    move(&r, 1, TOY_MEM32, UINT32_MAX); /* sized, outside all windows, at the end of everything */
    ck_assert_uint_eq(at(&r, WINDOW + 199 * 0x1000), 2);
    ck_assert_uint_eq(at(&r, WINDOW + GIB - 1), 0xff);
    move(&r, 1, TOY_MEM64, UINT32_MAX);
    move(&r, 1, TOY_MEM64 + 1, UINT32_MAX);
    ck_assert_uint_eq(at(&r, WINDOW + 199 * 0x1000), 2);
    move(&r, 1, TOY_MEM32, (uint32_t)(WINDOW + GIB) - 0x1000);
    ck_assert_uint_eq(at(&r, WINDOW + GIB - 1), 1);
    fini(&r);
}
END_TEST

/* The lower slot, and the lower number: whatever the order in which they came. */
START_TEST(overlaps)
{
    struct rig r;

    setup(&r);
    for (unsigned i = 0; i < 2; i++) {
        move(&r, i ? 1 : 7, TOY_MEM32, WINDOW + 0x10000);
        move(&r, i ? 7 : 1, TOY_MEM32, WINDOW + 0x10000);
        command(&r, i ? 7 : 1, PCI_COMMAND_MEMORY);
        command(&r, i ? 1 : 7, PCI_COMMAND_MEMORY);
        ck_assert_uint_eq(at(&r, WINDOW + 0x10000), 1);
        command(&r, 1, 0);
        ck_assert_uint_eq(at(&r, WINDOW + 0x10000), 7);
        command(&r, 7, 0);
        ck_assert_uint_eq(at(&r, WINDOW + 0x10000), 0xff);
    }
    command(&r, 1, PCI_COMMAND_MEMORY);
    command(&r, 7, PCI_COMMAND_MEMORY);
    move(&r, 7, TOY_MEM64, WINDOW + 0x10000); /* 64 KiB with a page taken: not decoded */
    ck_assert_uint_eq(at(&r, WINDOW + 0x10000), 1);
    ck_assert_uint_eq(at(&r, WINDOW + 0x11000), 0xff);
    move(&r, 1, TOY_MEM32, WINDOW + 0x1f000);
    ck_assert_uint_eq(at(&r, WINDOW + 0x1f000), 1);
    ck_assert_uint_eq(at(&r, WINDOW + 0x1e000), 0xff);
    move(&r, 1, TOY_MEM32, WINDOW + 0x20000);
    move(&r, 7, TOY_MEM32, 0);
    ck_assert_uint_eq(at(&r, WINDOW + 0x20000), 1);
    ck_assert_uint_eq(at(&r, WINDOW + 0x1f000), 7);
    ck_assert_uint_eq(r.toy[7]->last, 0xf000);
    /* of one function */
    move(&r, 7, TOY_MEM32, WINDOW + 0x18000);
    ck_assert_uint_eq(at(&r, WINDOW + 0x18010), 7);
    ck_assert_uint_eq(r.toy[7]->last, 0x10);
    ck_assert_uint_eq(at(&r, WINDOW + 0x10000), 0xff);
    fini(&r);
}
END_TEST

START_TEST(wires)
{
    struct rig r;

    setup(&r);
    for (unsigned slot = 0; slot < 8; slot++)
        for (unsigned pin = 0; pin < 4; pin++)
            ck_assert_uint_eq(pcie_host_wire(slot, pin), (slot + pin) & 3);
    pci_intx(&r.toy[1]->pci, true);
    ck_assert(!r.b.wire[32] && r.b.wire[33] && !r.b.wire[34] && !r.b.wire[35]);
    pci_intx(&r.toy[2]->pci, true);
    pci_intx(&r.toy[7]->pci, true);
    ck_assert(!r.b.wire[32] && r.b.wire[33] && r.b.wire[34] && r.b.wire[35]);
    pcie_host_intx(r.h, 3).set(r.h, 3, true); /* shares 7's */
    pci_intx(&r.toy[7]->pci, false);
    ck_assert(r.b.wire[35]);
    pcie_host_intx(r.h, 3).set(r.h, 3, false);
    ck_assert(!r.b.wire[35] && r.b.wire[33]);
    r.b.dev->class->reset(r.b.dev);
    ck_assert(!r.b.wire[33] && !r.b.wire[34]);
    fini(&r);
}
END_TEST

/* The bridge and its functions: BARs are where they were, and the wire as it was. */
START_TEST(state)
{
    uint32_t asserted = BIT(9); /* where nobody is */
    struct buf out = BUF_INIT;
    struct rig r, q;
    struct snap s;
    unsigned sets;

    setup(&r);
    setup(&q);
    move(&r, 1, TOY_MEM32, WINDOW + 0x3000);
    command(&r, 1, PCI_COMMAND_MEMORY);
    pci_intx(&r.toy[1]->pci, true);
    bench_round_trip(&r.b);
    ck_assert_uint_eq(at(&r, WINDOW + 0x3000), 1);
    snap_open_save(&s, &out);
    r.b.dev->class->state(r.b.dev, &s);
    toy_state(&r.toy[1]->pci.dev, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    ck_assert_uint_eq(at(&q, WINDOW + 0x3000), 0xff);
    sets = q.b.sets;
    snap_open_load(&s, out.data, out.len);
    q.b.dev->class->state(q.b.dev, &s);
    toy_state(&q.toy[1]->pci.dev, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    ck_assert_uint_eq(at(&q, WINDOW + 0x3000), 1);
    ck_assert_uint_eq(q.b.sets, sets); /* who is behind the wires has a state too */
    pci_intx(&q.toy[7]->pci, true);
    pcie_host_intx(q.h, 5).set(q.h, 5, true); /* shares 1's wire, which stays high */
    pcie_host_intx(q.h, 5).set(q.h, 5, false);
    ck_assert(q.b.wire[33] && q.b.wire[35]);
    buf_reset(&out);
    snap_open_save(&s, &out);
    snap_section(&s, "pcie", 1);
    snap_u32(&s, "asserted", &asserted);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    ck_assert_int_lt(bench_load(&r.b, &out), 0);
    buf_fini(&out);
    fini(&q);
    fini(&r);
}
END_TEST

static uint64_t random_below(uint64_t n)
{
    static uint64_t seed = 1;

    seed = bits_mix(seed + UINT64_C(0x9e3779b97f4a7c15));
    return seed % n;
}

/* Anything into configuration space, anything read and written through the windows: an answer
 * comes from the BAR that claims the address, if one does, and never from another one. */
START_TEST(random_guest)
{
    static const uint8_t slots[] = {0, 1, 2, 7};
    unsigned answers = 0;
    struct rig r;

    setup(&r);
    for (unsigned turn = 0; turn < 30000; turn++) {
        unsigned slot = slots[random_below(ARRAY_LEN(slots))], size = 1u << random_below(3);
        uint64_t reg = random_below(4) ? PCI_COMMAND + random_below(0x24) : random_below(0x1000);
        uint64_t addr = WINDOW + random_below(0x40000), base;
        struct pci_func *found = NULL;

        bench_write(&r.b, ecam(slot, (unsigned)(reg & ~(uint64_t)(size - 1))), size,
                    random_below(2) ? random_below(UINT64_MAX) : WINDOW | random_below(0x40000));
        for (unsigned i = 0; i < 8 && !found; i++)
            for (unsigned bar = 0; r.toy[i] && bar < PCI_BARS && bar != TOY_MSIX && !found; bar++)
                if (bar != TOY_IO && pci_bar_at(&r.toy[i]->pci, bar, &base) &&
                    addr - base < r.toy[i]->pci.bar[bar].size)
                    found = &r.toy[i]->pci;
        unsigned who = at(&r, addr);
        ck_assert(who == 0xff || (found && who == ((struct toy *)found)->cell[0]) || who == 0);
        answers += who && who != 0xff;
    }
    ck_assert_uint_gt(answers, 100);
    bench_round_trip(&r.b);
    fini(&r);
}
END_TEST

UNIT_MAIN("dev/pcie_host", configuration_space, windows, moves, overlaps, wires, state,
          random_guest)
