/*
 * host_qcow2.h - qcow2 images, which a qemu-nbd of our own serves.
 *
 * QEMU's docs/interop/qcow2.txt.  Our server keeps no cache that a flush does not empty: it
 * ends with fdatasync on the image.  It holds QEMU's locks on the image, which exclude our
 * raw disks too.
 */
#ifndef HOST_QCOW2_H
#define HOST_QCOW2_H

#include <stdbool.h>

#include "base/err.h"
#include "host/host_disk.h"

/* Whether the file begins as a qcow2 image does. */
bool host_qcow2_is(const char *path);

/* An image that names other files is opened only with `backing`: the guest would read them,
 * whatever they are. */
struct host_disk *host_qcow2_open(const char *path, bool read_only, bool backing, struct err *e);

#endif
