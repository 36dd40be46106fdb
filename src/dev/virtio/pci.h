/*
 * pci.h - virtio over PCI.
 *
 * VIRTIO 1.2, section 4.1, without the legacy interface: one function for a device,
 * which interrupts by MSI-X if there is a sink for messages and the driver wants it, and
 * else by its wire.
 */
#ifndef DEV_VIRTIO_PCI_H
#define DEV_VIRTIO_PCI_H

#include "dev/pci.h"
#include "dev/virtio/virtio.h"

#define VIO_PCI_BAR      4 /* its registers; MSI-X is in VIO_PCI_MSIX_BAR */
#define VIO_PCI_MSIX_BAR 1

/* v: its device, owned from here on. */
struct pci_func *vio_pci_new(const char *name, struct mem *mem, struct clock *clock,
                             struct log *log, struct dev_line irq, struct dev_msi msi,
                             struct vio_device *v);
/* The device in the function, or NULL: it is another kind. */
struct vio_device *vio_pci_device(struct pci_func *f);

#endif
