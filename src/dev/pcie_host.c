/* pcie_host.c - see pcie_host.h. */
#include "dev/pcie_host.h"

#include <assert.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

/* ECAM: bus, device, function, register. */
enum { ECAM_BUS = 20, ECAM_SLOT = 15, ECAM_FUNCTION = 12 };

#define CLAIMS (PCIE_SLOTS * PCI_BARS)

/* QEMU's host bridge says that it is this one. */
static const struct pci_id bridge_id = {
    .vendor = 0x1b36,
    .device = 0x0008,
    .subsystem_vendor = 0x1af4,
    .subsystem = 0x1100,
    .class = 0x060000,
};

/* Addresses that a BAR claims. */
struct claim {
    uint64_t base, last;
    struct pci_func *f;
    unsigned bar;
};

/* Sorted, and none overlap. */
struct space {
    unsigned n;
    struct claim claim[CLAIMS];
};

struct window {
    struct pcie_host *host;
    struct space *space;
    uint64_t base; /* on the PCI bus */
};

struct pcie_host {
    struct dev dev; /* first */
    struct dev_line out;
    struct pci_func bridge;
    struct pci_func *func[PCIE_SLOTS];
    uint32_t asserted; /* INTA of each slot, a bit each */
    struct space memory, io;
    struct window window[PCIE_WINDOWS];
    unsigned nwindows;
};

static const struct dev_reg pcie_regs[] = {PCI_REGS, {0}};

/* ---- where BARs are ---- */

/* The first claim that ends at or behind addr. */
static unsigned claim_from(const struct space *s, uint64_t addr)
{
    unsigned low = 0, high = s->n;

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (s->claim[mid].last < addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static const struct claim *claim_at(const struct space *s, uint64_t addr)
{
    unsigned i = claim_from(s, addr);

    return i < s->n && s->claim[i].base <= addr ? &s->claim[i] : NULL;
}

/* Unless others were there before. */
static void claim_add(struct space *s, const struct claim *c)
{
    unsigned at = claim_from(s, c->base);

    if (at < s->n && s->claim[at].base <= c->last)
        return;
    memmove(s->claim + at + 1, s->claim + at, (s->n - at) * sizeof *s->claim);
    s->claim[at] = *c;
    s->n++;
}

/* Looks at all BARs again. */
static void look(void *opaque)
{
    struct pcie_host *h = opaque;

    h->memory.n = h->io.n = 0;
    for (unsigned slot = 0; slot < PCIE_SLOTS; slot++) {
        struct pci_func *f = h->func[slot];

        for (unsigned n = 0; f && n < PCI_BARS; n++) {
            struct claim c = {.f = f, .bar = n};

            if (!pci_bar_at(f, n, &c.base))
                continue;
            c.last = c.base + (f->bar[n].size - 1);
            claim_add(f->bar[n].kind == PCI_BAR_IO ? &h->io : &h->memory, &c);
        }
    }
}

static bool window_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    const struct window *w = opaque;
    const struct claim *c = claim_at(w->space, w->base + offset);

    if (!c || !pci_bar_read(c->f, c->bar, w->base + offset - c->base, size, value))
        *value = UINT64_MAX;
    return true;
}

static bool window_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    const struct window *w = opaque;
    const struct claim *c = claim_at(w->space, w->base + offset);

    if (c)
        pci_bar_write(c->f, c->bar, w->base + offset - c->base, size, value);
    return true;
}

static const struct mem_ops window_bus = {window_read, window_write, 1 | 2 | 4 | 8};

int pcie_host_window(struct pcie_host *h, const char *name, bool io, uint64_t base, uint64_t size,
                     struct err *e)
{
    struct window *w = &h->window[h->nwindows];

    assert(h->nwindows < PCIE_WINDOWS);
    h->nwindows++;
    *w = (struct window){h, io ? &h->io : &h->memory, io ? 0 : base};
    return mem_add_device(h->dev.mem, name, base, size, &window_bus, w, e);
}

/* ---- configuration space ---- */

static struct pci_func *func_at(const struct pcie_host *h, uint64_t offset)
{
    return offset >> ECAM_BUS || bits_get(offset, ECAM_FUNCTION, ECAM_SLOT - ECAM_FUNCTION)
               ? NULL
               : h->func[offset >> ECAM_SLOT];
}

static bool pcie_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    struct pci_func *f = func_at((struct pcie_host *)d, offset);

    *value = f ? pci_config_get(f, offset % PCI_CONFIG_WINDOW, size) : bits_mask(8 * size);
    return size <= 4;
}

static bool ecam_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct pci_func *f = func_at(opaque, offset);

    *value = f ? pci_config_read(f, offset % PCI_CONFIG_WINDOW, size) : UINT64_MAX;
    return true;
}

static bool ecam_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci_func *f = func_at(opaque, offset);

    if (f)
        pci_config_write(f, offset % PCI_CONFIG_WINDOW, size, (uint32_t)value);
    return true;
}

/* ---- wires ---- */

unsigned pcie_host_wire(unsigned slot, unsigned pin)
{
    return (slot + pin) % PCIE_WIRES;
}

static void wire_update(struct pcie_host *h, unsigned wire)
{
    bool level = false;

    for (unsigned slot = 0; slot < PCIE_SLOTS; slot++)
        level |= h->asserted >> slot & 1 && pcie_host_wire(slot, 0) == wire;
    if (h->out.set)
        h->out.set(h->out.opaque, h->out.number + wire, level);
}

static void intx_set(void *opaque, unsigned slot, bool level)
{
    struct pcie_host *h = opaque;

    h->asserted = (uint32_t)bits_set(h->asserted, slot, 1, level);
    wire_update(h, pcie_host_wire(slot, 0));
}

struct dev_line pcie_host_intx(struct pcie_host *h, unsigned slot)
{
    return (struct dev_line){intx_set, h, slot};
}

/* ---- the dev ---- */

static void pcie_reset(struct dev *d)
{
    struct pcie_host *h = (struct pcie_host *)d;

    h->asserted = 0;
    for (unsigned wire = 0; wire < PCIE_WIRES; wire++)
        wire_update(h, wire);
    pci_reset(&h->bridge);
}

/* Functions that are loaded say where they are. */
static void pcie_state(struct dev *d, struct snap *s)
{
    struct pcie_host *h = (struct pcie_host *)d;

    snap_section(s, d->name, 1);
    snap_u32(s, "asserted", &h->asserted);
    for (unsigned slot = 0; slot < PCIE_SLOTS; slot++)
        if (h->asserted >> slot & 1 && !h->func[slot]) {
            snap_bad(s, "asserted", "a slot that is empty");
            h->asserted = 0;
        }
    pci_state(&h->bridge, s);
}

static const struct mem_ops ecam_bus = {ecam_read, ecam_write, 1 | 2 | 4};

static const struct dev_class pcie_class = {
    .name = "pci-host-ecam-generic",
    .doc = "PCI Express host bridge",
    .regs = pcie_regs,
    .bus = &ecam_bus,
    .reset = pcie_reset,
    .state = pcie_state,
    .peek = pcie_peek,
};

static void plug(struct pcie_host *h, unsigned slot, struct pci_func *f)
{
    h->func[slot] = f;
    f->moved = look;
    f->moved_opaque = h;
    look(h);
}

struct pcie_host *pcie_host_new(const char *name, struct mem *mem, struct clock *clock,
                                struct log *log, struct dev_line irq)
{
    struct pcie_host *h = xcalloc(1, sizeof *h);

    dev_init(&h->dev, &pcie_class, name, mem, clock, (struct dev_line){0}, log);
    h->out = irq;
    pci_init(&h->bridge, &pcie_class, NULL, name, mem, clock, (struct dev_line){0}, log,
             &bridge_id);
    plug(h, 0, &h->bridge);
    return h;
}

struct dev *pcie_host_dev(struct pcie_host *h)
{
    return &h->dev;
}

void pcie_host_plug(struct pcie_host *h, unsigned slot, struct pci_func *f)
{
    assert(slot && slot < PCIE_SLOTS && !h->func[slot]);
    f->dev.base = h->dev.base + ((uint64_t)slot << ECAM_SLOT);
    f->dev.size = PCI_CONFIG_WINDOW;
    plug(h, slot, f);
}

struct pci_func *pcie_host_func(const struct pcie_host *h, unsigned slot)
{
    return h->func[slot];
}
