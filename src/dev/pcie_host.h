/*
 * pcie_host.h - a PCI Express host bridge with one bus: ECAM, windows for BARs, four wires.
 *
 * PCI Express Base Specification 4.0, section 7.2.2, as "pci-host-ecam-generic" of the
 * device tree describes it.  Its register window is ECAM.  BARs lie where the guest puts
 * them: a window looks an access up among those that are enabled.  Of BARs that
 * overlap, the one of the lower slot and number is decoded, and the others as a whole are not.
 * Nobody there: reads give all ones, writes vanish.
 */
#ifndef DEV_PCIE_HOST_H
#define DEV_PCIE_HOST_H

#include "dev/pci.h"

#define PCIE_SLOTS     32
#define PCIE_WIRES     4
#define PCIE_WINDOWS   3
#define PCIE_ECAM_SIZE (UINT64_C(256) << 20)

struct pcie_host;

/* irq: INTA of slot 0; INTB to INTD have the numbers that follow. */
struct pcie_host *pcie_host_new(const char *name, struct mem *mem, struct clock *clock,
                                struct log *log, struct dev_line irq);
struct dev *pcie_host_dev(struct pcie_host *h);

/* A window on the machine's bus, at most PCIE_WINDOWS: of memory, at the same address on the PCI
 * bus, or of I/O ports, from 0 on. */
int pcie_host_window(struct pcie_host *h, const char *name, bool io, uint64_t base, uint64_t size,
                     struct err *e);

/* The wire of INTA of the function in a slot. */
struct dev_line pcie_host_intx(struct pcie_host *h, unsigned slot);
/* Puts a function into a slot, 1 to PCIE_SLOTS - 1: the bridge itself is in slot 0.  It stays the
 * caller's. */
void pcie_host_plug(struct pcie_host *h, unsigned slot, struct pci_func *f);
/* What is in a slot, or NULL. */
struct pci_func *pcie_host_func(const struct pcie_host *h, unsigned slot);

/* Which wire a pin (0 to 3) of a slot leads to. */
unsigned pcie_host_wire(unsigned slot, unsigned pin);

#endif
