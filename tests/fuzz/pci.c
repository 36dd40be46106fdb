/*
 * pci.c - a PCI host bridge and functions that have BARs of each kind, MSI-X and a wire.
 *
 * Who answers at an address is worked out a second time here, from what the bridge's header
 * says and from configuration space as it reads.
 */
#include <stdlib.h>

#include "base/mem_alloc.h"
#include "dev/pcie_host.h"
#include "tests/fuzz/rig.h"

enum { FUNCTIONS = 4, MSIX_BAR = 5, VECTORS = 3 };
enum { ECAM_SIZE = FUNCTIONS << 15 };
enum { SPACE_IO, SPACE_MEMORY, SPACE_HIGH, SPACES };

static const struct {
    const char *name;
    uint64_t base, size;
} windows[SPACES] = {
    [SPACE_IO] = {"io", 0x3000000, 0x10000},
    [SPACE_MEMORY] = {"memory", 0x40000000, 0x100000},
    [SPACE_HIGH] = {"high", UINT64_C(0x400000000), 0x100000},
};

struct function {
    struct pci_func pci; /* first */
    struct rig *rig;
};

struct own {
    struct function *function[FUNCTIONS]; /* none in slot 0 */
    const struct pci_func *answered;      /* to the last access, */
    unsigned bar;                         /* by which BAR, */
    uint64_t offset;                      /* where in it */
};

/* ---- functions ---- */

static void answer(struct function *f, unsigned bar, uint64_t offset)
{
    struct own *o = f->rig->own;

    FUZZ_CHECK(offset < f->pci.bar[bar].size, "offset 0x%" PRIx64, offset);
    o->answered = &f->pci;
    o->bar = bar;
    o->offset = offset;
}

/* BAR n is one of the bus operations n. */
#define BAR_OPS(n)                                                                                 \
    static bool read_##n(void *opaque, uint64_t offset, unsigned size, uint64_t *value)            \
    {                                                                                              \
        answer(opaque, n, offset);                                                                 \
        *value = offset + size;                                                                    \
        return offset & 32;                                                                        \
    }                                                                                              \
    static bool write_##n(void *opaque, uint64_t offset, unsigned size, uint64_t value)            \
    {                                                                                              \
        answer(opaque, n, offset);                                                                 \
        rig_see(((struct function *)opaque)->rig, "BAR written", value ^ size);                    \
        return true;                                                                               \
    }                                                                                              \
    static const struct mem_ops bar_##n = {read_##n, write_##n, 1 | 2 | 4 | 8};
BAR_OPS(0)
BAR_OPS(1)
BAR_OPS(2)

static void reset(struct dev *d)
{
    pci_reset((struct pci_func *)d);
}

static void state(struct dev *d, struct snap *s)
{
    snap_section(s, d->name, 1);
    pci_state((struct pci_func *)d, s);
}

static bool peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    *value = pci_config_get((struct pci_func *)d, (unsigned)offset, size);
    return true;
}

static const struct dev_reg regs[] = {PCI_REGS, {0}};
static const struct dev_class class = {
    .name = "function",
    .doc = "a function",
    .regs = regs,
    .reset = reset,
    .state = state,
    .peek = peek,
};

/* Only a vector that may be sent, and is not held back. */
static void send_message(void *opaque, uint64_t address, uint32_t data)
{
    const struct function *f = opaque;
    bool known = false;

    FUZZ_CHECK(pci_msix_enabled(&f->pci) && pci_master(&f->pci), "a message");
    for (unsigned i = 0; i < VECTORS; i++) {
        const struct pci_vector *v = &f->pci.msix.vector[i];
        known |= v->address == address && v->data == data && !v->masked;
    }
    FUZZ_CHECK(known, "data %u at 0x%" PRIx64, data, address);
    rig_see(f->rig, "message", address ^ data);
}

static void plug(struct rig *r, struct pcie_host *host, unsigned slot)
{
    static const uint32_t places[] = {0, 0x40, UINT32_MAX};
    static const struct pci_id id = {
        .vendor = 0x1234, .device = 1, .class = 0xff0000, .intx = true};
    struct own *o = r->own;
    struct function *f = xcalloc(1, sizeof *f);
    const struct dev_msi msi = {slot == FUNCTIONS - 1 ? NULL : send_message, f};
    char name[16];

    f->rig = r;
    snprintf(name, sizeof name, "function%u", slot);
    pci_init(&f->pci, &class, NULL, name, r->bus.mem, r->bus.clock, pcie_host_intx(host, slot),
             NULL, &id);
    pci_add_bar(&f->pci, 0, PCI_BAR_MEM32, 0x1000u << slot, &bar_0);
    pci_add_bar(&f->pci, 1, PCI_BAR_IO, 16u << slot, &bar_1);
    pci_add_bar(&f->pci, 2, PCI_BAR_MEM64, 0x10000u >> slot, &bar_2);
    pci_add_msix(&f->pci, MSIX_BAR, VECTORS, msi);
    pcie_host_plug(host, slot, &f->pci);
    rig_plug(r, &f->pci.dev, 0, places);
    o->function[slot] = f;
}

static void make(struct rig *r)
{
    static const uint32_t places[] = {0, 0x8000, 0x10000, 0x18000, UINT32_MAX};
    struct pcie_host *host = pcie_host_new("pcie", r->bus.mem, r->bus.clock, NULL, rig_line(r, 0));

    rig_plug(r, pcie_host_dev(host), ECAM_SIZE, places);
    for (unsigned i = 0; i < SPACES; i++) {
        int rc = pcie_host_window(host, windows[i].name, i == SPACE_IO, windows[i].base,
                                  windows[i].size, NULL);
        FUZZ_CHECK(!rc, "%d", rc);
    }
    for (unsigned slot = 1; slot < FUNCTIONS; slot++)
        plug(r, host, slot);
}

/* ---- who answers ---- */

struct range {
    uint64_t first, last;
    const struct pci_func *f;
    unsigned bar;
};

/* The address that a BAR has, by its registers alone; false: it is not decoded. */
static bool bar_range(struct rig *r, unsigned slot, unsigned bar, bool io, struct range *out)
{
    const struct own *o = r->own;
    const struct pci_func *f = &o->function[slot]->pci;
    uint64_t command = pci_config_get(f, PCI_COMMAND, 2);
    uint64_t low = pci_config_get(f, PCI_BAR0 + 4 * bar, 4);
    uint64_t high = bar == 2 ? pci_config_get(f, PCI_BAR0 + 12, 4) : 0;

    if (f->bar[bar].kind == PCI_BAR_NONE || (f->bar[bar].kind == PCI_BAR_IO) != io ||
        !(command & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
        return false;
    out->first = high << 32 | (low & ~(uint64_t)(io ? 3 : 15));
    out->last = out->first + f->bar[bar].size - 1;
    out->f = f;
    out->bar = bar;
    return true;
}

/* Those of lower slots and numbers come first; of others that overlap nothing is decoded. */
static const struct range *find(struct rig *r, uint64_t addr, bool io, struct range *ranges)
{
    const struct range *found = NULL;
    unsigned n = 0;

    for (unsigned i = 0; i < (FUNCTIONS - 1) * PCI_BARS; i++) {
        bool free_there = bar_range(r, 1 + i / PCI_BARS, i % PCI_BARS, io, &ranges[n]);

        for (unsigned k = 0; k < n && free_there; k++)
            free_there = ranges[n].first > ranges[k].last || ranges[k].first > ranges[n].last;
        if (free_there && addr >= ranges[n].first && addr <= ranges[n].last)
            found = &ranges[n];
        n += free_there;
    }
    return found;
}

/* An access in a window, or behind the BAR that it is meant for. */
static void op_access(struct rig *r)
{
    struct own *o = r->own;
    struct range ranges[(FUNCTIONS - 1) * PCI_BARS + 1];
    unsigned space = (unsigned)fuzz_below(&r->in, SPACES), how = (unsigned)fuzz_int(&r->in, 1);
    uint64_t offset = fuzz_int(&r->in, 3) % windows[space].size, size = 1u << (how & 3), addr;
    const struct range *to;

    offset &= ~(size - 1);
    addr = offset + (space == SPACE_IO ? 0 : windows[space].base);
    to = find(r, addr, space == SPACE_IO, ranges);
    o->answered = NULL;
    if (how & 4)
        rig_load(r, windows[space].base + offset, (unsigned)size);
    else
        rig_store(r, windows[space].base + offset, (unsigned)size, fuzz_value(&r->in));
    if (to && to->bar == MSIX_BAR)
        return;
    FUZZ_CHECK(o->answered == (to ? to->f : NULL), "0x%" PRIx64, addr);
    FUZZ_CHECK(!to || (o->bar == to->bar && o->offset == addr - to->first), "0x%" PRIx64, addr);
}

/* ---- what else happens ---- */

static struct function *any_function(struct rig *r)
{
    const struct own *o = r->own;

    return o->function[1 + fuzz_below(&r->in, FUNCTIONS - 1)];
}

static void config(struct rig *r, const struct function *f, uint64_t reg, unsigned size,
                   uint64_t value)
{
    rig_store(r, f->pci.dev.base + reg, size, value);
}

/* A BAR's place: one of a few, so that some overlap. */
static void op_bar(struct rig *r)
{
    const struct function *f = any_function(r);
    unsigned bar = (unsigned)fuzz_below(&r->in, PCI_BARS);
    unsigned space = (unsigned)fuzz_below(&r->in, SPACES);
    uint64_t at = fuzz_int(&r->in, 1) * 0x1000;

    at = space == SPACE_IO ? at >> 8 : at + windows[space].base;
    config(r, f, PCI_BAR0 + 4 * bar, 4, fuzz_rarely(&r->in, 8) ? UINT32_MAX : (uint32_t)at);
    if (bar == 2)
        config(r, f, PCI_BAR0 + 12, 4, at >> 32);
    config(r, f, PCI_COMMAND, 2, 7 | (fuzz_rarely(&r->in, 4) ? fuzz_value(&r->in) & 0xffff : 0));
}

static void op_wire(struct rig *r)
{
    struct function *f = any_function(r);

    pci_intx(&f->pci, fuzz_below(&r->in, 2));
}

static void op_vector(struct rig *r)
{
    struct function *f = any_function(r);
    unsigned vector = (unsigned)fuzz_below(&r->in, VECTORS + 1);

    if (fuzz_rarely(&r->in, 16))
        pci_msix_forget(&f->pci);
    else
        pci_msix_send(&f->pci, vector);
}

/* MSI-X is switched on or masked, or a vector is. */
static void op_msix(struct rig *r)
{
    struct function *f = any_function(r);
    uint64_t how = fuzz_int(&r->in, 1), at;

    if (!f->pci.msix.n)
        return;
    config(r, f, f->pci.msix.cap + 2u, 2, how << 14);
    if (!pci_bar_at(&f->pci, MSIX_BAR, &at))
        return;
    at += 16 * (how >> 2 & 3);
    rig_store(r, at, 8, fuzz_value(&r->in));
    rig_store(r, at + 8, 8, fuzz_value(&r->in) & ~((uint64_t)(how >> 4 & 1) << 32));
}

const struct rig_kind rig_target = {
    .make = make,
    .own = sizeof(struct own),
    .ops = {RIG_OPS, op_access, op_access, op_access, op_bar, op_bar, op_wire, op_vector, op_vector,
            op_msix, op_msix},
};
