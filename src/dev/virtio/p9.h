/*
 * p9.h - the virtio 9P device: a folder of the host's as a file system.
 *
 * VIRTIO 1.2, section 5.12 (device id 9), and the protocol 9P2000.L.  Files belong to whoever runs
 * the emulator; ownership, set-user-id bits, device files and extended attributes are not kept.
 * Requests are carried out in order and at once.  Symbolic links are the guest's to follow.
 *
 * What the host has in the folder is an outside event like any other: the same folder gives
 * the same run, a changed one may not.  A snapshot remembers which files are open, not
 * what was in them.
 */
#ifndef DEV_VIRTIO_P9_H
#define DEV_VIRTIO_P9_H

#include "dev/virtio/virtio.h"

#define VIO_P9_TAG 31 /* bytes, at most */

struct vio_device *vio_p9_new(const struct dev_share *share);

#endif
