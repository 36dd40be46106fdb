/* net.c - the virtio network device. */
#include "dev/virtio/net.h"
#include "tests/fuzz/driver.h"

static void send_frame(void *opaque, uint64_t now, const uint8_t *frame, size_t len)
{
    FUZZ_CHECK(len >= 14 && len <= DEV_FRAME_MAX, "a frame of %zu bytes", len);
    rig_see(opaque, "frame out", bits_hash(frame, len, now));
}

static size_t receive(void *opaque, uint64_t now, uint8_t *frame)
{
    struct rig *r = opaque;
    size_t len = fuzz_int(&r->in, 2) % (DEV_FRAME_MAX + 1);

    rig_see(r, "frame in", now + len);
    if (!fuzz_left(&r->in))
        return 0;
    memset(frame, 0xa5, len);
    fuzz_bytes(&r->in, frame, len < 16 ? len : 16);
    return len;
}

static void wait_frame(void *opaque, struct dev_wait *w)
{
    rig_see(opaque, "waits", w->len);
}

static size_t request(struct rig *r, unsigned queue, uint8_t *out, size_t *reply)
{
    size_t len = 12 + fuzz_int(&r->in, 2) % 1600;

    if (queue == 0) { /* a buffer for frames */
        *reply = driver_reply(r);
        return 0;
    }
    fuzz_bytes(&r->in, out, 12 + fuzz_below(&r->in, 16));
    return fuzz_rarely(&r->in, 16) ? fuzz_below(&r->in, 13) : len;
}

static void make(struct rig *r)
{
    const struct dev_net door = {send_frame, receive, wait_frame, r, {2, 0, 0, 0, 0, 1}};

    driver_plug(r, vio_net_new(&door), 2, request);
}

const struct rig_kind rig_target = {
    .make = make,
    .own = sizeof(struct driver),
    .begin = driver_op_start,
    .ops = {DRIVER_OPS, rig_op_poll},
};
