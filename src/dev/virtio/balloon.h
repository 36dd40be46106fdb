/*
 * balloon.h - the virtio memory balloon.
 *
 * VIRTIO 1.2, section 5.5.  Pages that the guest gives up, or reports as free, go back to the
 * host and read as 0 from then on.
 */
#ifndef DEV_VIRTIO_BALLOON_H
#define DEV_VIRTIO_BALLOON_H

#include "dev/virtio/virtio.h"

/* bytes: what the guest is asked to give up; whole pages count. */
struct vio_device *vio_balloon_new(uint64_t bytes);
/* Asks for another size. */
void vio_balloon_ask(struct vio_device *v, uint64_t bytes);
/* What the guest says that it has given up, in bytes. */
uint64_t vio_balloon_given(const struct vio_device *v);

#endif
