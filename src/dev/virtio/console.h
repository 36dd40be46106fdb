/*
 * console.h - the virtio console, with many ports.
 *
 * VIRTIO 1.2, section 5.3.  Each port is a named stream of bytes; one that is called
 * "console" is a terminal for people (hvc0 in Linux), others are files that programs open
 * (/dev/virtio-ports/NAME).  What the guest writes goes out when it notifies; bytes for it are
 * taken between windows, once it has opened the port.
 */
#ifndef DEV_VIRTIO_CONSOLE_H
#define DEV_VIRTIO_CONSOLE_H

#include "dev/virtio/virtio.h"

#define VIO_PORTS     8
#define VIO_PORT_NAME 31 /* bytes, at most */

/* 1 to VIO_PORTS ports; their names are copied. */
struct vio_device *vio_console_new(const struct dev_port *ports, unsigned n);

#endif
