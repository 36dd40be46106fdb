/* console.c - the virtio console with some ports. */
#include "dev/virtio/console.h"
#include "tests/fuzz/driver.h"

enum { PORTS = 3, CONTROL_RX = 2, CONTROL_TX = 3 };

/* 5.3.6.2 */
static size_t request(struct rig *r, unsigned queue, uint8_t *out, size_t *reply)
{
    static const uint8_t events[] = {0, 3, 6, 7};

    if (queue == CONTROL_TX) {
        bits_store_le(out, 4, fuzz_below(&r->in, PORTS + 1));
        bits_store_le(out + 4, 2, events[fuzz_below(&r->in, 4)]);
        bits_store_le(out + 6, 2, fuzz_below(&r->in, 3));
        return fuzz_rarely(&r->in, 16) ? fuzz_below(&r->in, 8) : 8;
    }
    if (queue % 2)
        return fuzz_bytes(&r->in, out, fuzz_below(&r->in, 64));
    *reply = queue == CONTROL_RX ? 8 + fuzz_below(&r->in, 32) : driver_reply(r);
    return 0;
}

/* All ports are there and open. */
static void op_session(struct rig *r)
{
    static const uint8_t messages[][8] = {{0, 0, 0, 0, 0, 0, 1, 0},
                                          {0, 0, 0, 0, 3, 0, 1, 0},
                                          {0, 0, 0, 0, 6, 0, 1, 0},
                                          {1, 0, 0, 0, 3, 0, 1, 0},
                                          {1, 0, 0, 0, 6, 0, 1, 0}};

    driver_op_start(r);
    for (unsigned i = 0; i < ARRAY_LEN(messages); i++)
        driver_send(r, CONTROL_TX, messages[i], sizeof messages[i], 0);
}

static void make(struct rig *r)
{
    const struct dev_chars chars = rig_chars(r);
    const struct dev_port ports[PORTS] = {
        {"console", chars}, {"a.port", chars}, {"no-input", {.write = chars.write, .opaque = r}}};

    driver_plug(r, vio_console_new(ports, PORTS), 2 * PORTS + 2, request);
}

const struct rig_kind rig_target = {
    .make = make,
    .own = sizeof(struct driver),
    .begin = op_session,
    .ops = {DRIVER_OPS, rig_op_poll},
};
