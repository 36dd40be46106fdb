/*
 * blk.h - the virtio block device.
 *
 * VIRTIO 1.2, section 5.2.  Requests are carried out in order; one of more than 31.75 MiB
 * fails.
 */
#ifndef DEV_VIRTIO_BLK_H
#define DEV_VIRTIO_BLK_H

#include "dev/device.h"
#include "dev/virtio/virtio.h"

/* serial: what "get id" answers, at most 20 bytes. */
struct vio_device *vio_blk_new(const struct dev_disk *disk, const char *serial);

#endif
