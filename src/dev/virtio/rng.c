/* rng.c - see rng.h.  Section numbers are those of VIRTIO 1.2, or of RFC 8439 where it says so. */
#include "dev/virtio/rng.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

#define BLOCK       64                   /* bytes of key stream */
#define REQUEST_MAX (UINT64_C(64) << 10) /* bytes; a longer request is answered in part */
#define BUDGET      (UINT64_C(1) << 20)

struct rng {
    struct vio_device vio; /* first */
    uint8_t seed[VIO_RNG_SEED];
    uint8_t key[VIO_RNG_SEED];
    uint64_t block; /* the next one */
};

static uint32_t rotate(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

/* RFC 8439, 2.1 */
static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b;
    *d = rotate(*d ^ *a, 16);
    *c += *d;
    *b = rotate(*b ^ *c, 12);
    *a += *b;
    *d = rotate(*d ^ *a, 8);
    *c += *d;
    *b = rotate(*b ^ *c, 7);
}

/* RFC 8439, 2.3, with the counter going on into the first word of the nonce, which is 0. */
static void key_stream(const uint8_t key[VIO_RNG_SEED], uint64_t block, uint8_t out[BLOCK])
{
    static const uint8_t sigma[] = "expand 32-byte k";
    uint32_t first[16] = {0}, s[16];

    memcpy(first, sigma, 16);
    memcpy(first + 4, key, VIO_RNG_SEED);
    memcpy(first + 12, &block, sizeof block);
    memcpy(s, first, sizeof s);
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 4; i++)
            quarter_round(&s[i], &s[4 + i], &s[8 + i], &s[12 + i]);
        for (unsigned i = 0; i < 4; i++)
            quarter_round(&s[i], &s[4 + (i + 1) % 4], &s[8 + (i + 2) % 4], &s[12 + (i + 3) % 4]);
    }
    for (unsigned i = 0; i < 16; i++)
        s[i] += first[i];
    memcpy(out, s, BLOCK);
}

/* 5.4.6.1: the buffer is the device's to write; it may fill less of it. */
static const char *serve(struct vio_device *v, unsigned queue, uint32_t *written, uint64_t *cost)
{
    struct rng *r = (struct rng *)v;
    uint64_t len = v->chain.in_len < REQUEST_MAX ? v->chain.in_len : REQUEST_MAX;
    uint8_t bytes[BLOCK];

    (void)queue;
    if (v->chain.nout)
        return "an entropy request has something to read";
    for (uint64_t at = 0; at < len; at += BLOCK) {
        key_stream(r->key, r->block++, bytes);
        vio_chain_write(&v->chain, v->mem, at, bytes, len - at < BLOCK ? len - at : BLOCK);
    }
    *written = (uint32_t)len;
    *cost = len + BLOCK;
    return NULL;
}

static bool rng_notify(struct vio_device *v, unsigned queue)
{
    return vio_serve(v, queue, serve, BUDGET);
}

/* A driver's reset does not bring old bytes back. */
static void rng_power_on(struct vio_device *v)
{
    struct rng *r = (struct rng *)v;

    memcpy(r->key, r->seed, sizeof r->key);
    r->block = 0;
}

static void rng_state(struct vio_device *v, struct snap *s)
{
    struct rng *r = (struct rng *)v;

    snap_bytes(s, "key", r->key, sizeof r->key);
    snap_u64(s, "block", &r->block);
}

static void rng_free(struct vio_device *v)
{
    free(v);
}

static const struct vio_ops rng_ops = {
    .name = "virtio-rng",
    .doc = "entropy",
    .id = 4,
    .queues = 1,
    .notify = rng_notify,
    .power_on = rng_power_on,
    .state = rng_state,
    .free = rng_free,
};

struct vio_device *vio_rng_new(const uint8_t seed[VIO_RNG_SEED])
{
    struct rng *r = xcalloc(1, sizeof *r);

    r->vio.ops = &rng_ops;
    r->vio.offered = VIO_FEATURES;
    memcpy(r->seed, seed, sizeof r->seed);
    rng_power_on(&r->vio);
    return &r->vio;
}
