/*
 * pci.h - one function on a PCI bus: configuration space, BARs, capabilities, interrupts.
 *
 * PCI Local Bus Specification 3.0, chapter 6.  A function is a device whose first
 * window is its configuration space.  It is put together once, with pci_init and what
 * follows it here, and then needs no bus: a host bridge (pcie_host.h) or a test calls
 * the configuration space and the BARs.  Messages go to the board's sink and nowhere else.
 */
#ifndef DEV_PCI_H
#define DEV_PCI_H

#include "base/bits.h"
#include "dev/device.h"

#define PCI_CONFIG        256    /* bytes: there are no extended ones */
#define PCI_CONFIG_WINDOW 0x1000 /* which a function has all the same, in ECAM */
#define PCI_BARS          6
#define PCI_VECTORS       64

/* 6.1: configuration space's header. */
enum {
    PCI_VENDOR = 0x00,
    PCI_DEVICE = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS = 0x09, /* 3 bytes */
    PCI_CACHE_LINE = 0x0c,
    PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR = 0x2c,
    PCI_SUBSYSTEM = 0x2e,
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_HEADER_END = 0x40,
};

/* 6.2.2 */
enum {
    PCI_COMMAND_IO = BIT(0),
    PCI_COMMAND_MEMORY = BIT(1),
    PCI_COMMAND_MASTER = BIT(2),
    PCI_COMMAND_PARITY = BIT(6),
    PCI_COMMAND_SERR = BIT(8),
    PCI_COMMAND_NO_INTX = BIT(10),
};

enum { PCI_CAP_VENDOR = 0x09, PCI_CAP_MSIX = 0x11 };

/* A class's registers begin with these, so that the debugger names them. */
/* clang-format off */
#define PCI_REGS                                                                                   \
    {"vendor", PCI_VENDOR, 2, "who made it"},                                                      \
    {"device", PCI_DEVICE, 2, "what it is"},                                                       \
    {"command", PCI_COMMAND, 2, "1: I/O, 2: memory, 4: bus master, 0x400: no INTx"},               \
    {"pci_status", PCI_STATUS, 2, "8: INTx is wanted, 0x10: there are capabilities"},              \
    {"bar0", PCI_BAR0, 4, "base address 0"},                                                       \
    {"bar1", PCI_BAR0 + 4, 4, "base address 1, or 0's high half"},                                 \
    {"bar2", PCI_BAR0 + 8, 4, "base address 2, or 1's high half"},                                 \
    {"bar3", PCI_BAR0 + 12, 4, "base address 3, or 2's high half"},                                \
    {"bar4", PCI_BAR0 + 16, 4, "base address 4, or 3's high half"},                                \
    {"bar5", PCI_BAR0 + 20, 4, "base address 5, or 4's high half"},                                \
    {"int_line", PCI_INTERRUPT_LINE, 1, "the driver's own note"}
/* clang-format on */

struct pci_id {
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint32_t class; /* base class, subclass, interface: 24 bits */
    uint8_t revision;
    bool intx; /* it uses INTA */
};

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEM32, PCI_BAR_MEM64 };

struct pci_bar {
    enum pci_bar_kind kind;
    uint64_t size; /* a power of two, 16 to 2 GiB */
    /* opaque is the function; false: it does not answer. */
    const struct mem_ops *bus;
};

struct pci_func;

/* A function's own part in its configuration space; each may be NULL. */
struct pci_ops {
    /* Bytes are about to be read: brings those up to date that are more than memory. */
    void (*config_read)(struct pci_func *f, unsigned offset, unsigned size);
    void (*config_written)(struct pci_func *f, unsigned offset, unsigned size);
};

struct pci_vector {
    uint64_t address;
    uint32_t data;
    bool masked;
};

struct pci_msix {
    struct dev_msi sink;
    unsigned n;  /* vectors; 0: there is no such capability */
    uint8_t cap; /* where it is */
    uint64_t pending;
    struct pci_vector vector[PCI_VECTORS];
};

/* What every function's own struct begins with. */
struct pci_func {
    struct dev dev; /* first */
    const struct pci_ops *ops;
    uint8_t config[PCI_CONFIG];
    uint8_t initial[PCI_CONFIG], writable[PCI_CONFIG]; /* bytes at reset, and masks */
    struct pci_bar bar[PCI_BARS];
    unsigned end;  /* of the last capability */
    unsigned last; /* the byte that leads to the next one */
    bool intx;     /* the function wants an interrupt by its wire */
    struct pci_msix msix;
    /* The host bridge's: the command register or a BAR may have changed. */
    void (*moved)(void *opaque);
    void *moved_opaque;
};

/* ---- putting a function together ---- */

/* ops may be NULL.  dev.irq is INTA's wire. */
void pci_init(struct pci_func *f, const struct dev_class *class, const struct pci_ops *ops,
              const char *name, struct mem *mem, struct clock *clock, struct dev_line irq,
              struct log *log, const struct pci_id *id);
/* What is at `offset` after a reset, and the bits that the guest may write. */
void pci_define(struct pci_func *f, unsigned offset, unsigned size, uint32_t value,
                uint32_t writable);
/* PCI_BAR_MEM64 takes number n + 1 too, and is prefetchable. */
void pci_add_bar(struct pci_func *f, unsigned n, enum pci_bar_kind kind, uint64_t size,
                 const struct mem_ops *bus);
/* Room for a capability of `len` bytes, its first two included: where it is. */
unsigned pci_add_capability(struct pci_func *f, uint8_t id, unsigned len);
/* MSI-X with n vectors, whose table and pending bits are all of BAR `bar`: if there is a sink. */
void pci_add_msix(struct pci_func *f, unsigned bar, unsigned n, struct dev_msi sink);

/* The dev's operations of the same names, for its section. */
void pci_reset(struct pci_func *f);
void pci_state(struct pci_func *f, struct snap *s);

/* ---- the guest's side ---- */

/* Configuration space; size 1, 2 or 4, aligned.  Beyond PCI_CONFIG all ones. */
uint32_t pci_config_read(struct pci_func *f, unsigned offset, unsigned size);
void pci_config_write(struct pci_func *f, unsigned offset, unsigned size, uint32_t value);
/* Whether BAR n is there and enabled, and where. */
bool pci_bar_at(const struct pci_func *f, unsigned n, uint64_t *base);
/* An access inside a BAR, aligned.  False: the function does not answer. */
bool pci_bar_read(struct pci_func *f, unsigned n, uint64_t offset, unsigned size, uint64_t *value);
bool pci_bar_write(struct pci_func *f, unsigned n, uint64_t offset, unsigned size, uint64_t value);

/* What configuration space holds, without any effect. */
uint32_t pci_config_get(const struct pci_func *f, unsigned offset, unsigned size);

/* ---- the function's side ---- */

/* Whether it may reach memory. */
bool pci_master(const struct pci_func *f);
/* Its wire, which is silent while MSI-X is enabled. */
void pci_intx(struct pci_func *f, bool level);
bool pci_msix_enabled(const struct pci_func *f);
/* A message by a vector, which may be any number; while it is masked, it waits. */
void pci_msix_send(struct pci_func *f, unsigned vector);
/* Those that wait are not sent any more. */
void pci_msix_forget(struct pci_func *f);

#endif
