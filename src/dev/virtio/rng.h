/*
 * rng.h - the virtio entropy device.
 *
 * VIRTIO 1.2, section 5.4.  Its bytes are the key stream of ChaCha20 (RFC 8439) for the
 * seed as the key: a seed from the host's entropy makes them as good as that, a fixed one
 * makes every run the same.  What was given out is part of the machine's state.
 */
#ifndef DEV_VIRTIO_RNG_H
#define DEV_VIRTIO_RNG_H

#include "dev/virtio/virtio.h"

#define VIO_RNG_SEED 32 /* bytes */

struct vio_device *vio_rng_new(const uint8_t seed[VIO_RNG_SEED]);

#endif
