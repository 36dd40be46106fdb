/* The virtio console: its ports, its control messages, and a hostile driver. */
#include "dev/virtio/console.h"
#include "vio_test.h"

enum { CONTROL_RX = 2, CONTROL_TX = 3 };
enum { READY, ADD, PORT_READY = 3, CONSOLE = 4, OPEN = 6, NAME = 7 };
#define MULTIPORT BIT(1)
#define QUEUES    8 /* of three ports */

struct end {
    char out[256];
    size_t len;
    const char *in;
    unsigned reads;
};

static struct end ends[3];

static void take(void *opaque, const uint8_t *data, size_t len)
{
    struct end *e = opaque;

    if (e->len + len > sizeof e->out)
        len = sizeof e->out - e->len;
    memcpy(e->out + e->len, data, len);
    e->len += len;
}

static size_t give(void *opaque, uint8_t *data, size_t len)
{
    struct end *e = opaque;
    size_t n = e->in ? strlen(e->in) : 0;

    n = n < len ? n : len;
    memcpy(data, e->in, n);
    e->in += n;
    e->reads++;
    return n;
}

static void plug(struct bench *b, uint64_t features)
{
    static const char *const names[] = {"console", "log", "a-name-of-just-thirty-one-bytes"};
    struct dev_port ports[3];

    for (unsigned i = 0; i < 3; i++) {
        ends[i] = (struct end){.in = ""};
        ports[i] = (struct dev_port){names[i], {.write = take, .read = give, .opaque = &ends[i]}};
    }
    vt_plug(b, vio_console_new(ports, 3));
    vt_start(b, features, QUEUES);
}

static void poll_once(struct bench *b)
{
    b->dev->class->poll(b->dev);
}

/* What the driver says. */
static void say(struct bench *b, unsigned id, unsigned event, unsigned value)
{
    const struct vt_seg seg = {VT_DATA, 8, false};

    vt_poke(b, VT_DATA, 4, id);
    vt_poke(b, VT_DATA + 4, 2, event);
    vt_poke(b, VT_DATA + 6, 2, value);
    vt_do(b, CONTROL_TX, &seg, 1);
}

/* Buffers for n control messages, at 64 bytes each. */
static void hear(struct bench *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct vt_seg seg = {VT_DATA + 0x1000 + 64 * (uint64_t)i, 64, true};
        vt_offer(b, CONTROL_RX, i, &seg, 1);
    }
    vt_notify(b, CONTROL_RX);
}

static void heard(struct bench *b, unsigned i, unsigned id, unsigned event)
{
    uint64_t at = VT_DATA + 0x1000 + 64 * (uint64_t)i;

    ck_assert_uint_eq(vt_peek(b, at, 4), id);
    ck_assert_uint_eq(vt_peek(b, at + 4, 2), event);
    ck_assert_uint_eq(vt_peek(b, at + 6, 2), 1);
}

START_TEST(introduces_its_ports)
{
    char name[32] = "";
    struct bench b;

    plug(&b, MULTIPORT);
    ck_assert_uint_eq(vt_id(&b), 3);
    ck_assert_uint_eq(vt_config(&b, 4, 4), 3);
    say(&b, 0, READY, 1);
    ck_assert_uint_eq(vt_used(&b, CONTROL_RX), 0); /* no buffers: it waits */
    bench_round_trip(&b);
    hear(&b, 2);
    ck_assert_uint_eq(vt_used(&b, CONTROL_RX), 2);
    heard(&b, 0, 0, ADD);
    heard(&b, 1, 1, ADD);
    hear(&b, 4);
    heard(&b, 0, 2, ADD);
    say(&b, 0, PORT_READY, 1);
    heard(&b, 1, 0, CONSOLE);
    heard(&b, 2, 0, OPEN);
    heard(&b, 3, 0, NAME);
    hear(&b, 4);
    say(&b, 2, PORT_READY, 1); /* no console */
    heard(&b, 0, 2, OPEN);
    heard(&b, 1, 2, NAME);
    ck_assert_uint_eq(vt_len(&b, CONTROL_RX), 8 + 31);
    mem_peek(b.mem, VT_DATA + 0x1000 + 64 + 8, name, 31);
    ck_assert_str_eq(name, "a-name-of-just-thirty-one-bytes");
    say(&b, 77, PORT_READY, 1); /* there is none; nothing happens */
    say(&b, 1, PORT_READY, 0);
    say(&b, 1, 99, 1);
    ck_assert_uint_eq(vt_used(&b, CONTROL_RX), 8);
    bench_fini(&b);
}
END_TEST

START_TEST(carries_bytes)
{
    const struct vt_seg out[] = {{VT_DATA, 3, false}, {VT_DATA + 8, 4, false}};
    const struct vt_seg in = {VT_DATA + 0x100, 5, true};
    struct bench b;

    plug(&b, MULTIPORT);
    mem_poke(b.mem, VT_DATA, "abc-----defg", 12);
    vt_do(&b, 5, out, 2); /* port 1 */
    ck_assert_uint_eq(ends[1].len, 7);
    ck_assert_mem_eq(ends[1].out, "abcdefg", 7);
    vt_do(&b, 1, out, 1); /* port 0 */
    ck_assert_uint_eq(ends[0].len, 3);
    ends[1].in = "hello, world";
    vt_offer(&b, 4, 0, &in, 1);
    poll_once(&b);
    ck_assert_uint_eq(ends[1].reads, 0); /* it is not open */
    say(&b, 1, OPEN, 1);
    poll_once(&b);
    ck_assert_uint_eq(vt_used(&b, 4), 1);
    ck_assert_uint_eq(vt_len(&b, 4), 5);
    ck_assert_uint_eq(vt_peek(&b, VT_DATA + 0x100, 4), 0x6c6c6568);
    ck_assert_str_eq(ends[1].in, ", world");
    ck_assert_uint_eq(ends[1].reads, 1); /* nothing is taken without a buffer */
    bench_round_trip(&b);
    vt_offer(&b, 4, 0, &in, 1);
    vt_offer(&b, 4, 1, &in, 1);
    vt_offer(&b, 4, 2, &in, 1);
    poll_once(&b);
    ck_assert_uint_eq(vt_used(&b, 4), 3); /* the third buffer stays */
    ends[1].in = "!";
    poll_once(&b);
    ck_assert_uint_eq(vt_used(&b, 4), 4);
    vt_offer(&b, 4, 0, &in, 1);
    say(&b, 1, OPEN, 0);
    ends[1].in = "more";
    poll_once(&b);
    ck_assert_str_eq(ends[1].in, "more");
    bench_fini(&b);
}
END_TEST

START_TEST(one_port_for_old_drivers)
{
    const struct vt_seg in = {VT_DATA, 5, true};
    struct bench b;

    plug(&b, 0);
    ends[0].in = "x";
    ends[1].in = "y";
    vt_offer(&b, 0, 0, &in, 1);
    vt_offer(&b, 4, 0, &in, 1);
    poll_once(&b);
    ck_assert_uint_eq(vt_used(&b, 0), 1);
    ck_assert_uint_eq(vt_used(&b, 4), 0);
    bench_fini(&b);
}
END_TEST

START_TEST(hostile)
{
    const struct vt_seg brief = {VT_DATA, 7, false}, small = {VT_DATA, 7, true};
    const struct vt_seg nothing = {VT_DATA, 0, true};
    struct vt_seg much[11];
    struct bench b;

    plug(&b, MULTIPORT);
    vt_breaks(&b, MULTIPORT, QUEUES, CONTROL_TX, &brief, 1);
    for (unsigned i = 0; i < 11; i++)
        much[i] = (struct vt_seg){VT_DATA, 0x18000, false};
    vt_breaks(&b, MULTIPORT, QUEUES, 1, much, 11);
    ck_assert_uint_eq(ends[0].len, 0);
    say(&b, 0, READY, 1);
    vt_breaks(&b, MULTIPORT, QUEUES, CONTROL_RX, &small, 1);
    say(&b, 1, OPEN, 1);
    ends[1].in = "x";
    vt_breaks(&b, MULTIPORT, QUEUES, 4, &nothing, 1);
    ck_assert_str_eq(ends[1].in, "x");
    vt_queue(&b, 17); /* of a port that is not there */
    vt_queue(&b, 16);
    const struct vt_seg out = {VT_DATA, 5, false}, in = {VT_DATA, 5, true};
    vt_do(&b, 17, &out, 1);
    vt_offer(&b, 16, 0, &in, 1);
    poll_once(&b);
    ck_assert_uint_eq(vt_used(&b, 16), 0);
    bench_fini(&b);
}
END_TEST

static void random_message(struct bench *b, uint64_t addr)
{
    uint64_t v = vt_random(4) | vt_random(9) << 32 | vt_random(2) << 48;

    mem_poke(b->mem, addr, &v, sizeof v);
}

START_TEST(storm)
{
    struct bench b;

    plug(&b, MULTIPORT);
    ends[0].in = ends[1].in = "something to read, now and then";
    ck_assert_uint_gt(vt_storm(&b, MULTIPORT, QUEUES, 10000, random_message), 500);
    bench_round_trip(&b);
    bench_fini(&b);
}
END_TEST

VT_MAIN("dev/vconsole", introduces_its_ports, carries_bytes, one_port_for_old_drivers, hostile,
        storm)
