/*
 * net.h - the virtio network device.
 *
 * VIRTIO 1.2, section 5.1.  No offloads: frames travel whole, with their checksums
 * made by who sends them.  Frames from the guest leave when it notifies; those for it are
 * taken between windows, as far as there are buffers, and wait behind the door otherwise.
 */
#ifndef DEV_VIRTIO_NET_H
#define DEV_VIRTIO_NET_H

#include "dev/virtio/virtio.h"

struct vio_device *vio_net_new(const struct dev_net *net);

#endif
