/*
 * pci_test.h - a toy on PCI, with a BAR of each kind and MSI-X, and a sink that keeps
 * its messages.
 */
#ifndef PCI_TEST_H
#define PCI_TEST_H

#include "base/bits.h"
#include "dev/pci.h"
#include "dev_test.h"

#define TOY_WIRE    3
#define TOY_VECTORS 5
#define TOY_MEM32   0 /* BARs */
#define TOY_IO      1
#define TOY_MEM64   2
#define TOY_MSIX    4

struct toy {
    struct pci_func pci; /* first */
    uint8_t cell[16];    /* what each BAR holds, whatever the offset */
    uint64_t last;       /* offset of the last access */
    unsigned writes;
};

struct message {
    uint64_t address;
    uint32_t data;
};

struct sink {
    struct message got[64];
    unsigned n;
};

static void sink_send(void *opaque, uint64_t address, uint32_t data)
{
    struct sink *s = opaque;

    ck_assert_uint_lt(s->n, ARRAY_LEN(s->got));
    s->got[s->n++] = (struct message){address, data};
}

static bool toy_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct toy *t = opaque;

    t->last = offset;
    *value = bits_load_le(t->cell, size);
    return true;
}

static bool toy_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct toy *t = opaque;

    t->last = offset;
    t->writes++;
    bits_store_le(t->cell, size, value);
    return true;
}

static void toy_reset(struct dev *d)
{
    pci_reset((struct pci_func *)d);
}

static void toy_state(struct dev *d, struct snap *s)
{
    snap_section(s, d->name, 1);
    pci_state((struct pci_func *)d, s);
}

static bool toy_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    *value = pci_config_get((struct pci_func *)d, (unsigned)offset, size);
    return true;
}

static const struct dev_reg toy_regs[] = {PCI_REGS, {0}};
static const struct mem_ops toy_bus = {toy_read, toy_write, 1 | 2 | 4 | 8};
static const struct mem_ops toy_narrow = {toy_read, toy_write, 4};

static const struct dev_class toy_class = {
    .name = "toy",
    .doc = "a function to play with",
    .regs = toy_regs,
    .reset = toy_reset,
    .state = toy_state,
    .peek = toy_peek,
};

static inline struct toy *toy_new(struct bench *b, const char *name, struct dev_line irq,
                                  struct dev_msi msi)
{
    static const struct pci_id id = {
        .vendor = 0x1234,
        .device = 0x5678,
        .subsystem_vendor = 0xabcd,
        .subsystem = 0xef01,
        .class = 0x010203,
        .revision = 4,
        .intx = true,
    };
    struct toy *t = calloc(1, sizeof *t);

    pci_init(&t->pci, &toy_class, NULL, name, b->mem, &b->clock, irq, NULL, &id);
    pci_add_bar(&t->pci, TOY_MEM32, PCI_BAR_MEM32, 0x1000, &toy_bus);
    pci_add_bar(&t->pci, TOY_IO, PCI_BAR_IO, 32, &toy_narrow);
    pci_add_bar(&t->pci, TOY_MEM64, PCI_BAR_MEM64, 0x10000, &toy_bus);
    pci_add_msix(&t->pci, TOY_MSIX, TOY_VECTORS, msi);
    toy_reset(&t->pci.dev);
    return t;
}

#endif
