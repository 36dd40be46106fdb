/* memory.c - the virtio devices that fill memory and take it away: entropy and the balloon. */
#include "dev/virtio/balloon.h"
#include "dev/virtio/rng.h"
#include "tests/fuzz/driver.h"

struct own {
    struct driver driver; /* first */
    bool balloon;
};

static size_t request(struct rig *r, unsigned queue, uint8_t *out, size_t *reply)
{
    const struct own *own = r->own;
    size_t n = fuzz_below(&r->in, 64);

    if (!own->balloon || queue == 2) {
        *reply = driver_reply(r);
        return fuzz_rarely(&r->in, 16) ? 4 : 0;
    }
    for (size_t i = 0; i < n; i++) /* pages of RAM, those of the rings seldom */
        bits_store_le(out + 4 * i, 4,
                      fuzz_rarely(&r->in, 16) ? fuzz_value(&r->in)
                                              : (DRIVER_DATA >> 12) + fuzz_below(&r->in, 16));
    return 4 * n;
}

/* The first byte of the program says which. */
static void make(struct rig *r)
{
    static const uint8_t seed[VIO_RNG_SEED] = {1, 2, 3};
    struct own *own = r->own;

    if (!own->driver.queues)
        own->balloon = fuzz_below(&r->in, 2);
    driver_plug(r, own->balloon ? vio_balloon_new(1 << 16) : vio_rng_new(seed),
                own->balloon ? 3 : 1, request);
}

static void op_ask(struct rig *r)
{
    const struct own *own = r->own;

    if (!own->balloon)
        return;
    vio_balloon_ask(own->driver.device, fuzz_value(&r->in));
    rig_see(r, "given", vio_balloon_given(own->driver.device));
}

const struct rig_kind rig_target = {
    .make = make,
    .own = sizeof(struct own),
    .begin = driver_op_start,
    .ops = {DRIVER_OPS, op_ask},
};
