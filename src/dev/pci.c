/* pci.c - see pci.h.  Section numbers are those of the PCI Local Bus Specification 3.0. */
#include "dev/pci.h"

#include <assert.h>

#include "base/bits.h"

/* 6.2.3 */
enum { STATUS_INTX = 8, STATUS_CAPABILITIES = 16 };

/* 6.2.5.1: a BAR's lowest bits. */
enum { BAR_IO = 1, BAR_MEM64 = 4, BAR_PREFETCH = 8 };
enum { BAR_IO_FLAGS = 3, BAR_MEM_FLAGS = 15 };

/* 6.8.2: the capability, and its control word. */
enum { MSIX_CONTROL = 2, MSIX_TABLE = 4, MSIX_PBA = 8, MSIX_LEN = 12 };
enum { MSIX_MASK_ALL = BIT(14), MSIX_ENABLE = BIT(15) };

/* The BAR of MSI-X: entries of address, data and control, and pending bits. */
enum { TABLE_ENTRY = 16, TABLE_ADDRESS_HIGH = 4, TABLE_DATA = 8, TABLE_CONTROL = 12 };
enum { PBA_AT = 0x800, MSIX_BAR_SIZE = 0x1000 };
enum { MSG_ALIGN = 3 }; /* bits of an address that are 0: messages are words */

static_assert(PCI_VECTORS * TABLE_ENTRY <= PBA_AT, "the table ends before the pending bits");

/* 6.2: what each function has. */
static const struct {
    uint8_t offset, size;
    uint32_t value, writable;
} header[] = {
    {PCI_COMMAND, 2, 0,
     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
         PCI_COMMAND_SERR | PCI_COMMAND_NO_INTX},
    {PCI_CACHE_LINE, 1, 0, 0xff},
    {PCI_INTERRUPT_LINE, 1, 0, 0xff},
};

static uint16_t command(const struct pci_func *f)
{
    return (uint16_t)bits_load_le(f->config + PCI_COMMAND, 2);
}

/* ---- interrupts ---- */

bool pci_master(const struct pci_func *f)
{
    return command(f) & PCI_COMMAND_MASTER;
}

static unsigned msix_control(const struct pci_func *f)
{
    return f->msix.n ? (unsigned)bits_load_le(f->config + f->msix.cap + MSIX_CONTROL, 2) : 0;
}

bool pci_msix_enabled(const struct pci_func *f)
{
    return msix_control(f) & MSIX_ENABLE;
}

static void update(struct pci_func *f)
{
    dev_line_set(&f->dev.irq,
                 f->intx && !(command(f) & PCI_COMMAND_NO_INTX) && !pci_msix_enabled(f));
}

void pci_intx(struct pci_func *f, bool level)
{
    f->intx = level;
    update(f);
}

/* Sends what waits and is held back by nothing any more.  A message is a write to memory, which
 * takes a bus master.  6.8.3.4 */
static void msix_look(struct pci_func *f)
{
    struct pci_msix *m = &f->msix;
    unsigned control = msix_control(f);

    if (!(control & MSIX_ENABLE) || control & MSIX_MASK_ALL || !pci_master(f))
        return;
    for (unsigned i = 0; i < m->n; i++) {
        if (!(m->pending >> i & 1) || m->vector[i].masked)
            continue;
        m->pending &= ~BIT(i);
        m->sink.send(m->sink.opaque, m->vector[i].address, m->vector[i].data);
    }
}

void pci_msix_send(struct pci_func *f, unsigned vector)
{
    if (vector >= f->msix.n || !pci_msix_enabled(f))
        return;
    f->msix.pending |= BIT(vector);
    msix_look(f);
}

void pci_msix_forget(struct pci_func *f)
{
    f->msix.pending = 0;
}

/* A word of the table or of the pending bits. */
static uint32_t msix_word(const struct pci_msix *m, uint64_t offset)
{
    const struct pci_vector *v = &m->vector[offset / TABLE_ENTRY % PCI_VECTORS];

    if (offset >= PBA_AT)
        return offset - PBA_AT < sizeof m->pending
                   ? (uint32_t)(m->pending >> (8 * (offset - PBA_AT)))
                   : 0;
    if (offset / TABLE_ENTRY >= m->n)
        return 0;
    switch (offset % TABLE_ENTRY) {
    case TABLE_DATA:
        return v->data;
    case TABLE_CONTROL:
        return v->masked;
    default:
        return (uint32_t)(v->address >> (8 * (offset % TABLE_ENTRY)));
    }
}

static bool msix_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct pci_func *f = opaque;

    *value = msix_word(&f->msix, offset);
    if (size == 8)
        *value |= (uint64_t)msix_word(&f->msix, offset + 4) << 32;
    return true;
}

static void msix_word_write(struct pci_func *f, uint64_t offset, uint32_t value)
{
    struct pci_vector *v = &f->msix.vector[offset / TABLE_ENTRY % PCI_VECTORS];

    if (offset / TABLE_ENTRY >= f->msix.n)
        return;
    switch (offset % TABLE_ENTRY) {
    case 0:
        v->address = bits_set(v->address, 0, 32, value & ~(uint64_t)MSG_ALIGN);
        break;
    case TABLE_ADDRESS_HIGH:
        v->address = bits_set(v->address, 32, 32, value);
        break;
    case TABLE_DATA:
        v->data = value;
        break;
    case TABLE_CONTROL:
        v->masked = value & 1;
        msix_look(f);
        break;
    }
}

static bool msix_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    msix_word_write(opaque, offset, (uint32_t)value);
    if (size == 8)
        msix_word_write(opaque, offset + 4, (uint32_t)(value >> 32));
    return true;
}

static const struct mem_ops msix_bus = {msix_read, msix_write, 4 | 8};

/* ---- configuration space ---- */

static void told(struct pci_func *f)
{
    if (f->moved)
        f->moved(f->moved_opaque);
}

uint32_t pci_config_get(const struct pci_func *f, unsigned offset, unsigned size)
{
    uint32_t value;

    if (offset >= PCI_CONFIG || size > PCI_CONFIG - offset)
        return (uint32_t)bits_mask(8 * size);
    value = (uint32_t)bits_load_le(f->config + offset, size);
    if (f->intx && offset <= PCI_STATUS && PCI_STATUS - offset < size)
        value |= (uint32_t)STATUS_INTX << (8 * (PCI_STATUS - offset));
    return value;
}

uint32_t pci_config_read(struct pci_func *f, unsigned offset, unsigned size)
{
    if (f->ops && f->ops->config_read)
        f->ops->config_read(f, offset, size);
    return pci_config_get(f, offset, size);
}

static bool overlaps(unsigned offset, unsigned size, unsigned at, unsigned len)
{
    return offset < at + len && at < offset + size;
}

void pci_config_write(struct pci_func *f, unsigned offset, unsigned size, uint32_t value)
{
    if (offset >= PCI_CONFIG || size > PCI_CONFIG - offset)
        return;
    for (unsigned i = 0; i < size; i++) {
        uint8_t mask = f->writable[offset + i];

        f->config[offset + i] =
            (uint8_t)((f->config[offset + i] & ~mask) | (value >> (8 * i) & mask));
    }
    update(f);
    msix_look(f);
    if (overlaps(offset, size, PCI_COMMAND, 2) || overlaps(offset, size, PCI_BAR0, 4 * PCI_BARS))
        told(f);
    if (f->ops && f->ops->config_written)
        f->ops->config_written(f, offset, size);
}

bool pci_bar_at(const struct pci_func *f, unsigned n, uint64_t *base)
{
    enum pci_bar_kind kind = f->bar[n].kind;
    bool io = kind == PCI_BAR_IO;

    *base = bits_load_le(f->config + PCI_BAR0 + 4 * n, kind == PCI_BAR_MEM64 ? 8 : 4) &
            ~(uint64_t)(io ? BAR_IO_FLAGS : BAR_MEM_FLAGS);
    return kind != PCI_BAR_NONE && command(f) & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
}

bool pci_bar_read(struct pci_func *f, unsigned n, uint64_t offset, unsigned size, uint64_t *value)
{
    const struct mem_ops *bus = f->bar[n].bus;

    *value = 0;
    return bus->sizes & size && bus->read(f, offset, size, value);
}

bool pci_bar_write(struct pci_func *f, unsigned n, uint64_t offset, unsigned size, uint64_t value)
{
    const struct mem_ops *bus = f->bar[n].bus;

    return bus->sizes & size && bus->write(f, offset, size, value);
}

/* ---- the dev's operations ---- */

void pci_reset(struct pci_func *f)
{
    memcpy(f->config, f->initial, sizeof f->config);
    f->msix.pending = 0;
    for (unsigned i = 0; i < f->msix.n; i++)
        f->msix.vector[i] = (struct pci_vector){.masked = true};
    pci_intx(f, false);
    told(f);
}

static void msix_state(struct pci_msix *m, struct snap *s)
{
    snap_u64(s, "pending", &m->pending);
    if (m->pending & ~bits_mask(m->n)) {
        snap_bad(s, "pending", "a vector that does not exist");
        m->pending = 0;
    }
    for (unsigned i = 0; i < m->n; i++) {
        snap_u64(s, "address", &m->vector[i].address);
        if (m->vector[i].address & MSG_ALIGN) {
            snap_bad(s, "address", "of no word");
            m->vector[i].address &= ~(uint64_t)MSG_ALIGN;
        }
        snap_u32(s, "data", &m->vector[i].data);
        snap_bool(s, "masked", &m->vector[i].masked);
    }
}

/* Whoever is behind the wire keeps what it said. */
void pci_state(struct pci_func *f, struct snap *s)
{
    uint8_t config[PCI_CONFIG];

    memcpy(config, f->config, sizeof config);
    snap_bytes(s, "config", config, sizeof config);
    for (unsigned i = 0; i < sizeof config; i++)
        if ((config[i] ^ f->initial[i]) & ~f->writable[i]) {
            snap_bad(s, "config", "a bit that cannot be written is another one");
            break;
        }
    if (snap_loading(s))
        memcpy(f->config, config, sizeof config);
    snap_bool(s, "intx", &f->intx);
    if (f->intx && !f->initial[PCI_INTERRUPT_PIN]) {
        snap_bad(s, "intx", "it has no wire");
        f->intx = false;
    }
    if (f->msix.n)
        msix_state(&f->msix, s);
    if (snap_loading(s))
        told(f);
}

/* ---- putting a function together ---- */

void pci_define(struct pci_func *f, unsigned offset, unsigned size, uint32_t value,
                uint32_t writable)
{
    assert(offset + size <= PCI_CONFIG);
    bits_store_le(f->initial + offset, size, value);
    bits_store_le(f->writable + offset, size, writable);
    memcpy(f->config + offset, f->initial + offset, size);
}

void pci_init(struct pci_func *f, const struct dev_class *class, const struct pci_ops *ops,
              const char *name, struct mem *mem, struct clock *clock, struct dev_line irq,
              struct log *log, const struct pci_id *id)
{
    dev_init(&f->dev, class, name, mem, clock, irq, log);
    f->ops = ops;
    f->end = PCI_HEADER_END;
    f->last = PCI_CAPABILITIES;
    for (unsigned i = 0; i < ARRAY_LEN(header); i++)
        pci_define(f, header[i].offset, header[i].size, header[i].value, header[i].writable);
    pci_define(f, PCI_VENDOR, 2, id->vendor, 0);
    pci_define(f, PCI_DEVICE, 2, id->device, 0);
    pci_define(f, PCI_REVISION, 4, id->class << 8 | id->revision, 0);
    pci_define(f, PCI_SUBSYSTEM_VENDOR, 2, id->subsystem_vendor, 0);
    pci_define(f, PCI_SUBSYSTEM, 2, id->subsystem, 0);
    pci_define(f, PCI_INTERRUPT_PIN, 1, id->intx, 0);
}

void pci_add_bar(struct pci_func *f, unsigned n, enum pci_bar_kind kind, uint64_t size,
                 const struct mem_ops *bus)
{
    static const uint8_t flags[] = {
        [PCI_BAR_IO] = BAR_IO, [PCI_BAR_MEM32] = 0, [PCI_BAR_MEM64] = BAR_MEM64 | BAR_PREFETCH};

    assert(n < PCI_BARS - (kind == PCI_BAR_MEM64) && bits_pow2(size) && size >= 16 &&
           size <= BIT(31));
    f->bar[n] = (struct pci_bar){kind, size, bus};
    pci_define(f, PCI_BAR0 + 4 * n, 4, flags[kind], ~(uint32_t)(size - 1));
    if (kind == PCI_BAR_MEM64)
        pci_define(f, PCI_BAR0 + 4 * n + 4, 4, 0, UINT32_MAX);
}

unsigned pci_add_capability(struct pci_func *f, uint8_t id, unsigned len)
{
    unsigned at = f->end;

    pci_define(f, PCI_STATUS, 2, STATUS_CAPABILITIES, 0);
    pci_define(f, f->last, 1, at, 0);
    pci_define(f, at, 1, id, 0);
    f->last = at + 1;
    f->end = (unsigned)bits_align_up(at + len, 4);
    return at;
}

void pci_add_msix(struct pci_func *f, unsigned bar, unsigned n, struct dev_msi sink)
{
    unsigned at;

    assert(n && n <= PCI_VECTORS);
    if (!sink.send)
        return;
    at = pci_add_capability(f, PCI_CAP_MSIX, MSIX_LEN);
    pci_define(f, at + MSIX_CONTROL, 2, n - 1, MSIX_ENABLE | MSIX_MASK_ALL);
    pci_define(f, at + MSIX_TABLE, 4, bar, 0);
    pci_define(f, at + MSIX_PBA, 4, PBA_AT | bar, 0);
    pci_add_bar(f, bar, PCI_BAR_MEM32, MSIX_BAR_SIZE, &msix_bus);
    f->msix.sink = sink;
    f->msix.n = n;
    f->msix.cap = (uint8_t)at;
}
