/* The network device: frames both ways, buffers of all shapes, and a hostile driver. */
#include "dev/virtio/net.h"
#include "vio_test.h"

enum { RX, TX };
enum { F_MAC = 5, F_MRG_RXBUF = 15, F_STATUS = 16 };
#define HEADER 12

struct wire {
    uint8_t sent[DEV_FRAME_MAX];
    size_t len;
    unsigned frames;
    uint64_t now;
    uint8_t waiting[8][DEV_FRAME_MAX];
    size_t waiting_len[8];
    unsigned first, count;
};

static void wire_send(void *opaque, uint64_t now, const uint8_t *frame, size_t len)
{
    struct wire *w = opaque;

    ck_assert(len >= 14 && len <= DEV_FRAME_MAX);
    memcpy(w->sent, frame, len);
    w->len = len;
    w->frames++;
    w->now = now;
}

static size_t wire_receive(void *opaque, uint64_t now, uint8_t *frame)
{
    struct wire *w = opaque;
    unsigned i = w->first % 8;

    w->now = now;
    if (!w->count)
        return 0;
    w->first++;
    w->count--;
    memcpy(frame, w->waiting[i], w->waiting_len[i]);
    return w->waiting_len[i];
}

static void wire_wait(void *opaque, struct dev_wait *w)
{
    (void)opaque;
    dev_wait_fd(w, 7, POLLIN);
}

static void arrive(struct wire *w, size_t len)
{
    unsigned i = (w->first + w->count++) % 8;

    w->waiting_len[i] = len;
    for (size_t k = 0; k < len; k++)
        w->waiting[i][k] = (uint8_t)(k * 7 + i + 1);
}

static void plug(struct bench *b, struct wire *w, uint64_t features)
{
    const struct dev_net net = {wire_send, wire_receive, wire_wait, w, {2, 3, 4, 5, 6, 7}};

    *w = (struct wire){0};
    vt_plug(b, vio_net_new(&net));
    vt_start(b, features, 2);
}

static void poll_once(struct bench *b)
{
    b->dev->class->poll(b->dev);
}

START_TEST(configuration)
{
    struct bench b;
    struct wire w;

    plug(&b, &w, 0);
    ck_assert_uint_eq(vt_id(&b), 1);
    ck_assert_uint_eq(vt_offered(&b), VIO_FEATURES | BIT(F_MAC) | BIT(F_MRG_RXBUF) | BIT(F_STATUS));
    for (unsigned i = 0; i < 6; i++)
        ck_assert_uint_eq(vt_config(&b, i, 1), i + 2);
    ck_assert_uint_eq(vt_config(&b, 6, 2), 1);
    bench_fini(&b);
}
END_TEST

START_TEST(sends)
{
    /* the header and the frame may lie in any pieces */
    const struct vt_seg one = {VT_DATA, HEADER + 60, false};
    const struct vt_seg pieces[] = {
        {VT_DATA, 5, false}, {VT_DATA + 5, HEADER + 5, false}, {VT_DATA + HEADER + 10, 50, false}};
    const struct vt_seg shortest = {VT_DATA, HEADER + 13, false};
    const struct vt_seg longest = {VT_DATA, HEADER + DEV_FRAME_MAX, false};
    const struct vt_seg longer = {VT_DATA, HEADER + DEV_FRAME_MAX + 1, false};
    uint8_t frame[60];
    struct bench b;
    struct wire w;

    plug(&b, &w, BIT(F_MAC));
    for (unsigned i = 0; i < sizeof frame; i++)
        frame[i] = (uint8_t)(i + 1);
    mem_poke(b.mem, VT_DATA + HEADER, frame, sizeof frame);
    b.now = 55;
    ck_assert_uint_eq(vt_do(&b, TX, &one, 1), 0);
    ck_assert_uint_eq(w.len, 60);
    ck_assert_uint_eq(w.now, 55);
    ck_assert_mem_eq(w.sent, frame, 60);
    w.len = 0;
    vt_do(&b, TX, pieces, 3);
    ck_assert_uint_eq(w.len, 60);
    ck_assert_mem_eq(w.sent, frame, 60);
    vt_do(&b, TX, &longest, 1);
    ck_assert_uint_eq(w.frames, 3);
    vt_do(&b, TX, &shortest, 1); /* no frame: dropped */
    vt_do(&b, TX, &longer, 1);
    ck_assert_uint_eq(w.frames, 3);
    ck_assert(b.wire[VT_WIRE]);
    bench_fini(&b);
}
END_TEST

START_TEST(receives)
{
    const struct vt_seg buffer = {VT_DATA, 2000, true};
    uint8_t got[100];
    struct bench b;
    struct wire w;

    plug(&b, &w, 0);
    arrive(&w, 100);
    poll_once(&b); /* no buffer: it waits, once */
    poll_once(&b);
    ck_assert_uint_eq(w.count, 0);
    ck_assert_uint_eq(vt_used(&b, RX), 0);
    ck_assert(!b.wire[VT_WIRE]);
    bench_round_trip(&b); /* the frame is part of the state */
    vt_offer(&b, RX, 0, &buffer, 1);
    vt_notify(&b, RX);
    ck_assert_uint_eq(vt_used(&b, RX), 0); /* not before the window ends */
    poll_once(&b);
    ck_assert_uint_eq(vt_used(&b, RX), 1);
    ck_assert_uint_eq(vt_len(&b, RX), HEADER + 100);
    ck_assert_uint_eq(vt_peek(&b, VT_DATA, 8), 0);
    ck_assert_uint_eq(vt_peek(&b, VT_DATA + 8, 4), 0x10000); /* one buffer */
    mem_peek(b.mem, VT_DATA + HEADER, got, sizeof got);
    ck_assert_mem_eq(got, w.waiting[0], 100);
    ck_assert(b.wire[VT_WIRE]);
    bench_fini(&b);
}
END_TEST

START_TEST(too_short_a_buffer)
{
    const struct vt_seg small = {VT_DATA, 100, true};
    struct bench b;
    struct wire w;

    plug(&b, &w, 0);
    arrive(&w, 200); /* cannot be told in one buffer of 100 bytes: dropped */
    arrive(&w, 60);
    vt_offer(&b, RX, 0, &small, 1);
    poll_once(&b);
    ck_assert_uint_eq(vt_used(&b, RX), 1);
    ck_assert_uint_eq(vt_len(&b, RX), HEADER + 60);
    ck_assert_uint_eq(vt_peek(&b, VT_DATA + HEADER, 1), 2);
    bench_fini(&b);
}
END_TEST

START_TEST(merged_buffers)
{
    struct bench b;
    struct wire w;
    uint8_t got[300];

    plug(&b, &w, BIT(F_MRG_RXBUF));
    arrive(&w, 288);
    for (unsigned i = 0; i < 2; i++) {
        const struct vt_seg seg = {VT_DATA + 100 * i, 100, true};
        vt_offer(&b, RX, i, &seg, 1);
    }
    poll_once(&b); /* 300 bytes with the header, and room for 200: not yet */
    ck_assert_uint_eq(vt_used(&b, RX), 0);
    const struct vt_seg last = {VT_DATA + 200, 500, true};
    vt_offer(&b, RX, 2, &last, 1);
    poll_once(&b);
    ck_assert_uint_eq(vt_used(&b, RX), 3);
    ck_assert_uint_eq(vt_len(&b, RX), 100);
    ck_assert_uint_eq(vt_peek(&b, VT_DATA + 10, 2), 3);
    mem_peek(b.mem, VT_DATA, got, sizeof got);
    ck_assert_mem_eq(got + HEADER, w.waiting[0], 288);
    bench_fini(&b);
}
END_TEST

START_TEST(bounded_polls)
{
    const struct vt_seg buffer = {VT_DATA, 2000, true};
    struct bench b;
    struct wire w;
    unsigned took;

    plug(&b, &w, 0);
    for (unsigned i = 0; i < 8; i++)
        arrive(&w, 60);
    for (unsigned i = 0; i < 3; i++)
        vt_offer(&b, RX, i, &buffer, 1);
    poll_once(&b);
    ck_assert_uint_eq(vt_used(&b, RX), 3);
    took = 8 - w.count;
    ck_assert_uint_eq(took, 4); /* one waits in the device */
    struct dev_wait wait = {.ns = UINT64_MAX};
    b.dev->class->wait(b.dev, &wait);
    ck_assert_uint_eq(wait.len, 0); /* so there is nothing to wait for */
    vt_offer(&b, RX, 3, &buffer, 1);
    poll_once(&b);
    ck_assert_uint_eq(vt_used(&b, RX), 4);
    for (unsigned i = 0; i < 10; i++)
        vt_offer(&b, RX, i, &buffer, 1);
    poll_once(&b);
    ck_assert_uint_eq(vt_used(&b, RX), 8);
    b.dev->class->wait(b.dev, &wait);
    ck_assert_uint_eq(wait.len, 1);
    vec_fini(&wait);
    bench_fini(&b);
}
END_TEST

START_TEST(hostile)
{
    const struct vt_seg no_header = {VT_DATA, HEADER - 1, false};
    const struct vt_seg writable[] = {{VT_DATA, HEADER + 60, false}, {VT_DATA, 1, true}};
    const struct vt_seg tiny = {VT_DATA, HEADER - 1, true};
    const struct vt_seg readable[] = {{VT_DATA, 20, false}, {VT_DATA, 2000, true}};
    struct bench b;
    struct wire w;

    plug(&b, &w, BIT(F_MRG_RXBUF));
    vt_breaks(&b, 0, 2, TX, &no_header, 1);
    vt_breaks(&b, 0, 2, TX, writable, 2);
    arrive(&w, 60);
    vt_breaks(&b, BIT(F_MRG_RXBUF), 2, RX, &tiny, 1);
    arrive(&w, 60);
    vt_breaks(&b, BIT(F_MRG_RXBUF), 2, RX, readable, 2);
    arrive(&w, 1000); /* the second buffer is wrong */
    const struct vt_seg good = {VT_DATA, 50, true};
    vt_offer(&b, RX, 4, &good, 1);
    vt_breaks(&b, BIT(F_MRG_RXBUF), 2, RX, &tiny, 1);
    ck_assert_uint_eq(w.frames, 0);
    bench_fini(&b);
}
END_TEST

START_TEST(storm)
{
    struct bench b;
    struct wire w;
    unsigned served = 0;

    plug(&b, &w, BIT(F_MRG_RXBUF));
    for (unsigned i = 0; i < 200; i++) {
        while (w.count < 8)
            arrive(&w, 1 + vt_random(DEV_FRAME_MAX));
        served += vt_storm(&b, (i & 1 ? BIT(F_MRG_RXBUF) : 0) | BIT(VIO_F_EVENT_IDX), 2, 30, NULL);
    }
    ck_assert_uint_gt(served, 200);
    ck_assert_uint_gt(w.frames, 50);
    bench_round_trip(&b);
    bench_fini(&b);
}
END_TEST

VT_MAIN("dev/net", configuration, sends, receives, too_short_a_buffer, merged_buffers,
        bounded_polls, hostile, storm)
