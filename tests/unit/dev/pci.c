/* A PCI function alone: configuration space, BARs, capabilities, interrupts. */
#include "pci_test.h"

struct rig {
    struct bench b;
    struct sink sink;
    struct toy *toy;
    struct pci_func *f;
};

static void setup(struct rig *r, bool msi)
{
    struct dev_msi sink = {msi ? sink_send : NULL, &r->sink};

    memset(r, 0, sizeof *r);
    bench_init(&r->b);
    r->toy = toy_new(&r->b, "toy", bench_line(&r->b, TOY_WIRE), sink);
    r->f = &r->toy->pci;
    r->b.dev = &r->f->dev;
}

static uint32_t get(struct rig *r, unsigned offset, unsigned size)
{
    return pci_config_read(r->f, offset, size);
}

static void put(struct rig *r, unsigned offset, unsigned size, uint32_t v)
{
    pci_config_write(r->f, offset, size, v);
}

START_TEST(header)
{
    struct rig r;

    setup(&r, false);
    ck_assert_uint_eq(get(&r, 0, 4), 0x56781234);
    ck_assert_uint_eq(get(&r, 0, 2), 0x1234);
    ck_assert_uint_eq(get(&r, 2, 2), 0x5678);
    ck_assert_uint_eq(get(&r, 1, 1), 0x12);
    ck_assert_uint_eq(get(&r, 8, 4), 0x01020304);
    ck_assert_uint_eq(get(&r, 0x2c, 4), 0xef01abcd);
    ck_assert_uint_eq(get(&r, 0x0e, 1), 0);
    ck_assert_uint_eq(get(&r, 0x3d, 1), 1);
    ck_assert_uint_eq(get(&r, 0x06, 2), 0); /* no capabilities */
    ck_assert_uint_eq(get(&r, 0x34, 1), 0);
    for (unsigned i = 0; i < PCI_CONFIG; i += 4)
        put(&r, i, 4, UINT32_MAX);
    ck_assert_uint_eq(get(&r, 0, 4), 0x56781234);
    ck_assert_uint_eq(get(&r, 4, 4), 0x0547);
    ck_assert_uint_eq(get(&r, 8, 4), 0x01020304);
    ck_assert_uint_eq(get(&r, 0x0c, 4), 0xff);
    ck_assert_uint_eq(get(&r, 0x2c, 4), 0xef01abcd);
    ck_assert_uint_eq(get(&r, 0x30, 4), 0);
    ck_assert_uint_eq(get(&r, 0x3c, 4), 0x01ff);
    for (unsigned i = 0x40; i < PCI_CONFIG; i += 4)
        ck_assert_uint_eq(get(&r, i, 4), 0);
    toy_reset(&r.f->dev);
    ck_assert_uint_eq(get(&r, 4, 4), 0);
    ck_assert_uint_eq(get(&r, 0x3c, 1), 0);
    bench_fini(&r.b);
}
END_TEST

START_TEST(widths)
{
    struct rig r;

    setup(&r, false);
    put(&r, 0x3c, 1, 0x5a);
    ck_assert_uint_eq(get(&r, 0x3c, 4), 0x015a);
    put(&r, PCI_COMMAND + 1, 1, 0xff);
    ck_assert_uint_eq(get(&r, PCI_COMMAND, 2), 0x0500);
    put(&r, PCI_COMMAND, 2, 0x0002);
    ck_assert_uint_eq(get(&r, PCI_COMMAND, 4), 0x0002);
    put(&r, PCI_BAR0 + 2, 2, 0x4321);
    ck_assert_uint_eq(get(&r, PCI_BAR0, 4), 0x43210000);
    put(&r, PCI_BAR0 + 1, 1, 0xff);
    ck_assert_uint_eq(get(&r, PCI_BAR0, 4), 0x4321f000);
    /* beyond it, at its edge, and far away */
    ck_assert_uint_eq(get(&r, 0x100, 4), UINT32_MAX);
    ck_assert_uint_eq(get(&r, 0xfff, 1), 0xff);
    ck_assert_uint_eq(get(&r, 0xfe, 4), UINT32_MAX);
    ck_assert_uint_eq(get(&r, UINT32_MAX, 2), 0xffff);
    put(&r, 0x100, 4, 0);
    put(&r, 0xfe, 4, 0);
    put(&r, UINT32_MAX, 4, 0);
    put(&r, UINT32_MAX - 3, 4, 0);
    bench_fini(&r.b);
}
END_TEST

static bool at(struct rig *r, unsigned bar, uint64_t want)
{
    uint64_t base;

    return pci_bar_at(r->f, bar, &base) && base == want;
}

/* 6.2.5.1: all ones written, the size is read. */
START_TEST(bar_sizing)
{
    struct rig r;
    uint64_t base;

    setup(&r, false);
    ck_assert_uint_eq(get(&r, PCI_BAR0, 4), 0);
    ck_assert_uint_eq(get(&r, PCI_BAR0 + 4, 4), 1);
    ck_assert_uint_eq(get(&r, PCI_BAR0 + 8, 4), 12);
    for (unsigned i = 0; i < PCI_BARS; i++)
        put(&r, PCI_BAR0 + 4 * i, 4, UINT32_MAX);
    ck_assert_uint_eq(get(&r, PCI_BAR0, 4), 0xfffff000);
    ck_assert_uint_eq(get(&r, PCI_BAR0 + 4, 4), 0xffffffe1);
    ck_assert_uint_eq(get(&r, PCI_BAR0 + 8, 4), 0xffff000c);
    ck_assert_uint_eq(get(&r, PCI_BAR0 + 12, 4), 0xffffffff);
    ck_assert_uint_eq(get(&r, PCI_BAR0 + 16, 4), 0);
    ck_assert_uint_eq(get(&r, PCI_BAR0 + 20, 4), 0);
    put(&r, PCI_BAR0, 4, 0x40001234);
    put(&r, PCI_BAR0 + 4, 4, 0x123f);
    put(&r, PCI_BAR0 + 8, 4, 0x87654321);
    put(&r, PCI_BAR0 + 12, 4, 4);
    ck_assert(!pci_bar_at(r.f, TOY_MEM32, &base) && !pci_bar_at(r.f, TOY_IO, &base));
    put(&r, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    ck_assert(at(&r, TOY_MEM32, 0x40001000));
    ck_assert(at(&r, TOY_MEM64, UINT64_C(0x487650000)));
    ck_assert(!pci_bar_at(r.f, TOY_IO, &base) && !pci_bar_at(r.f, 3, &base));
    put(&r, PCI_COMMAND, 2, PCI_COMMAND_IO);
    ck_assert(at(&r, TOY_IO, 0x1220));
    ck_assert(!pci_bar_at(r.f, TOY_MEM32, &base));
    bench_fini(&r.b);
}
END_TEST

START_TEST(wire)
{
    struct rig r;

    setup(&r, true);
    ck_assert(!r.b.wire[TOY_WIRE]);
    pci_intx(r.f, true);
    ck_assert(r.b.wire[TOY_WIRE]);
    ck_assert_uint_eq(get(&r, PCI_STATUS, 2) & 8, 8);
    ck_assert_uint_eq(get(&r, PCI_COMMAND, 4) >> 16 & 8, 8);
    ck_assert_uint_eq(get(&r, PCI_STATUS, 1) & 8, 8);
    ck_assert_uint_eq(get(&r, PCI_STATUS + 1, 1), 0);
    put(&r, PCI_COMMAND, 2, PCI_COMMAND_NO_INTX);
    ck_assert(!r.b.wire[TOY_WIRE]);
    ck_assert_uint_eq(get(&r, PCI_STATUS, 2) & 8, 8); /* it still wants one */
    put(&r, PCI_COMMAND, 2, 0);
    ck_assert(r.b.wire[TOY_WIRE]);
    put(&r, r.f->msix.cap + 2, 2, 0x8000);
    ck_assert(!r.b.wire[TOY_WIRE]);
    put(&r, r.f->msix.cap + 2, 2, 0);
    ck_assert(r.b.wire[TOY_WIRE]);
    pci_intx(r.f, false);
    ck_assert(!r.b.wire[TOY_WIRE]);
    ck_assert_uint_eq(get(&r, PCI_STATUS, 2) & 8, 0);
    pci_intx(r.f, true);
    toy_reset(&r.f->dev);
    ck_assert(!r.b.wire[TOY_WIRE]);
    bench_fini(&r.b);
}
END_TEST

/* ---- MSI-X ---- */

static uint64_t table(struct rig *r, uint64_t offset, unsigned size)
{
    uint64_t v;

    ck_assert(pci_bar_read(r->f, TOY_MSIX, offset, size, &v));
    return v;
}

static void table_put(struct rig *r, uint64_t offset, unsigned size, uint64_t v)
{
    ck_assert(pci_bar_write(r->f, TOY_MSIX, offset, size, v));
}

static void control(struct rig *r, uint16_t v)
{
    put(r, r->f->msix.cap + 2, 2, v);
}

/* All vectors unmasked, with addresses and data of their own; messages may go out. */
static void start(struct rig *r)
{
    setup(r, true);
    for (unsigned i = 0; i < TOY_VECTORS; i++) {
        table_put(r, 16 * i, 8, UINT64_C(0x1234500000) + 0x1000 * i);
        table_put(r, 16 * i + 8, 4, 100 + i);
        table_put(r, 16 * i + 12, 4, 0);
    }
    put(r, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    control(r, 0x8000);
}

static bool got(struct rig *r, unsigned n, unsigned vector)
{
    return r->sink.n == n && r->sink.got[n - 1].data == 100 + vector &&
           r->sink.got[n - 1].address == UINT64_C(0x1234500000) + 0x1000 * vector;
}

static uint64_t pending(struct rig *r)
{
    return table(r, 0x800, 8);
}

START_TEST(msix_capability)
{
    struct rig r;

    setup(&r, true);
    ck_assert_uint_eq(get(&r, PCI_STATUS, 2), 0x10);
    ck_assert_uint_eq(get(&r, PCI_CAPABILITIES, 1), 0x40);
    ck_assert_uint_eq(get(&r, 0x40, 2), 0x0011); /* the only one */
    ck_assert_uint_eq(get(&r, 0x42, 2), TOY_VECTORS - 1);
    ck_assert_uint_eq(get(&r, 0x44, 4), TOY_MSIX);
    ck_assert_uint_eq(get(&r, 0x48, 4), 0x800 | TOY_MSIX);
    for (unsigned i = 0x40; i < 0x4c; i += 4)
        put(&r, i, 4, UINT32_MAX);
    ck_assert_uint_eq(get(&r, 0x40, 4), 0xc0040011);
    ck_assert_uint_eq(get(&r, 0x44, 4), TOY_MSIX);
    ck_assert_uint_eq(get(&r, 0x48, 4), 0x800 | TOY_MSIX);
    bench_fini(&r.b);
    setup(&r, false); /* without a sink it is not there, nor is its BAR */
    ck_assert_uint_eq(get(&r, PCI_CAPABILITIES, 1), 0);
    put(&r, PCI_BAR0 + 4 * TOY_MSIX, 4, UINT32_MAX);
    ck_assert_uint_eq(get(&r, PCI_BAR0 + 4 * TOY_MSIX, 4), 0);
    pci_msix_send(r.f, 0);
    ck_assert_uint_eq(r.sink.n, 0);
    bench_fini(&r.b);
}
END_TEST

START_TEST(msix_table)
{
    struct rig r;
    uint64_t v;

    setup(&r, true);
    ck_assert_uint_eq(table(&r, 12, 4), 1); /* masked */
    table_put(&r, 16, 4, 0x12345677);
    table_put(&r, 20, 4, 0x9abcdef0);
    table_put(&r, 24, 8, UINT64_C(0xfffffffe11223344));
    ck_assert_uint_eq(table(&r, 16, 8), UINT64_C(0x9abcdef012345674));
    ck_assert_uint_eq(table(&r, 20, 4), 0x9abcdef0);
    ck_assert_uint_eq(table(&r, 24, 4), 0x11223344);
    ck_assert_uint_eq(table(&r, 28, 4), 0);
    ck_assert_uint_eq(table(&r, 0, 8), 0); /* the neighbours are as they were */
    ck_assert_uint_eq(table(&r, 32, 8), 0);
    table_put(&r, 16 * TOY_VECTORS, 8, UINT64_MAX); /* behind the last */
    ck_assert_uint_eq(table(&r, 16 * TOY_VECTORS, 8), 0);
    table_put(&r, 0x7f8, 8, UINT64_MAX);
    table_put(&r, 0x800, 8, UINT64_MAX); /* pending bits are read only */
    table_put(&r, 0xff8, 8, UINT64_MAX);
    ck_assert_uint_eq(pending(&r), 0);
    ck_assert_uint_eq(table(&r, 0xff8, 8), 0);
    ck_assert(!pci_bar_read(r.f, TOY_MSIX, 16, 1, &v) && !pci_bar_read(r.f, TOY_MSIX, 16, 2, &v));
    ck_assert(!pci_bar_write(r.f, TOY_MSIX, 16, 2, 0));
    ck_assert_uint_eq(table(&r, 16, 4), 0x12345674);
    toy_reset(&r.f->dev);
    ck_assert_uint_eq(table(&r, 16, 8), 0);
    ck_assert_uint_eq(table(&r, 28, 4), 1);
    ck_assert_uint_eq(r.sink.n, 0);
    bench_fini(&r.b);
}
END_TEST

START_TEST(msix_masks)
{
    struct rig r;

    start(&r);
    pci_msix_send(r.f, 2);
    ck_assert(got(&r, 1, 2) && !pending(&r));
    table_put(&r, 16 * 2 + 12, 4, 1);
    pci_msix_send(r.f, 2);
    pci_msix_send(r.f, 2); /* twice is once */
    ck_assert_uint_eq(r.sink.n, 1);
    ck_assert_uint_eq(pending(&r), 4);
    ck_assert_uint_eq(table(&r, 0x800, 4), 4);
    ck_assert_uint_eq(table(&r, 0x804, 4), 0);
    pci_msix_send(r.f, 4); /* the others are free */
    ck_assert(got(&r, 2, 4));
    table_put(&r, 16 * 2 + 12, 4, 0);
    ck_assert(got(&r, 3, 2) && !pending(&r));
    control(&r, 0xc000); /* all of them */
    pci_msix_send(r.f, 0);
    pci_msix_send(r.f, 3);
    ck_assert_uint_eq(pending(&r), 9);
    table_put(&r, 16 * 3 + 12, 4, 1);
    ck_assert_uint_eq(r.sink.n, 3);
    control(&r, 0x8000);
    ck_assert(got(&r, 4, 0));
    ck_assert_uint_eq(pending(&r), 8);
    put(&r, PCI_COMMAND, 2, 0); /* no bus master */
    table_put(&r, 16 * 3 + 12, 4, 0);
    ck_assert_uint_eq(r.sink.n, 4);
    put(&r, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    ck_assert(got(&r, 5, 3) && !pending(&r));
    control(&r, 0); /* disabled: it is as if nothing had been said */
    pci_msix_send(r.f, 1);
    control(&r, 0x8000);
    ck_assert_uint_eq(r.sink.n, 5);
    ck_assert_uint_eq(pending(&r), 0);
    pci_msix_send(r.f, TOY_VECTORS);
    pci_msix_send(r.f, PCI_VECTORS);
    pci_msix_send(r.f, 0xffff);
    pci_msix_send(r.f, UINT32_MAX);
    ck_assert_uint_eq(r.sink.n, 5);
    ck_assert_uint_eq(pending(&r), 0);
    control(&r, 0xc000);
    pci_msix_send(r.f, 1);
    pci_msix_forget(r.f);
    control(&r, 0x8000);
    ck_assert_uint_eq(r.sink.n, 5);
    control(&r, 0xc000);
    pci_msix_send(r.f, 1);
    toy_reset(&r.f->dev);
    ck_assert_uint_eq(pending(&r), 0);
    ck_assert(!pci_msix_enabled(r.f));
    bench_fini(&r.b);
}
END_TEST

/* ---- saved state ---- */

START_TEST(state)
{
    struct rig r;
    struct buf saved;

    start(&r);
    control(&r, 0xc000);
    pci_msix_send(r.f, 3);
    put(&r, PCI_BAR0, 4, 0x40000000);
    pci_intx(r.f, true);
    bench_round_trip(&r.b);
    ck_assert_uint_eq(pending(&r), 8);
    saved = bench_save(&r.b);
    toy_reset(&r.f->dev);
    ck_assert_int_eq(bench_load(&r.b, &saved), 0);
    ck_assert_uint_eq(get(&r, PCI_BAR0, 4), 0x40000000);
    ck_assert_uint_eq(get(&r, PCI_STATUS, 2) & 8, 8);
    control(&r, 0x8000);
    ck_assert(got(&r, 1, 3));
    buf_fini(&saved);
    bench_fini(&r.b);
}
END_TEST

/* Loads a state as a function of another kind could have made it. */
static void refused(struct rig *r, const uint8_t *config, uint64_t waiting)
{
    struct buf out = BUF_INIT;
    uint8_t bytes[PCI_CONFIG];
    bool intx = false;
    struct snap s;

    memcpy(bytes, config, sizeof bytes);
    snap_open_save(&s, &out);
    snap_section(&s, "toy", 1);
    snap_bytes(&s, "config", bytes, sizeof bytes);
    snap_bool(&s, "intx", &intx);
    snap_u64(&s, "pending", &waiting);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    ck_assert_int_lt(bench_load(&r->b, &out), 0);
    ck_assert_uint_eq(pending(r), 0);
    buf_fini(&out);
}

START_TEST(bad_state)
{
    uint8_t config[PCI_CONFIG];
    struct rig r;

    start(&r);
    memcpy(config, r.f->config, sizeof config);
    config[PCI_VENDOR] ^= 1;
    refused(&r, config, 0);
    ck_assert_uint_eq(get(&r, PCI_VENDOR, 2), 0x1234);
    memcpy(config, r.f->config, sizeof config);
    config[PCI_CONFIG - 1] = 1;
    refused(&r, config, 0);
    ck_assert_uint_eq(get(&r, PCI_CONFIG - 1, 1), 0);
    refused(&r, r.f->config, BIT(TOY_VECTORS)); /* too many vectors */
    control(&r, 0x8000);
    ck_assert_uint_eq(r.sink.n, 0);
    bench_fini(&r.b);
}
END_TEST

UNIT_MAIN("dev/pci", header, widths, bar_sizing, wire, msix_capability, msix_table, msix_masks,
          state, bad_state)
