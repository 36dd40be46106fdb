/* The 16550A: its interrupts, the FIFO, loopback, and what Linux's 8250 driver tries. */
#include "dev/uart16550.h"
#include "dev_test.h"

enum { RBR = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };

static char sent[256];
static size_t nsent;
static const char *waiting;

static void take(void *opaque, const uint8_t *data, size_t len)
{
    (void)opaque;
    ck_assert_uint_le(nsent + len, sizeof sent);
    memcpy(sent + nsent, data, len);
    nsent += len;
}

static size_t give(void *opaque, uint8_t *data, size_t len)
{
    size_t n = strlen(waiting) < len ? strlen(waiting) : len;

    (void)opaque;
    memcpy(data, waiting, n);
    waiting += n;
    return n;
}

static struct uart16550 *setup(struct bench *b)
{
    const struct dev_chars chars = {.write = take, .read = give};
    struct uart16550 *u;

    nsent = 0;
    waiting = "";
    bench_init(b);
    u = uart16550_new("uart0", b->mem, &b->clock, NULL, bench_line(b, 1), &chars);
    bench_plug(b, uart16550_dev(u), 0x1000);
    return u;
}

static void polled(struct bench *b)
{
    b->dev->class->poll(b->dev);
}

/* Each character raises "transmitter empty" anew; reading IIR or a new character clears it. */
START_TEST(transmit)
{
    struct bench b;

    setup(&b);
    ck_assert_uint_eq(bench_read(&b, LSR, 1), 0x60);
    ck_assert_uint_eq(bench_read(&b, IIR, 1), 1);
    bench_write(&b, RBR, 1, 'a');
    ck_assert(!b.wire[1]);
    bench_write(&b, IER, 1, 2);
    ck_assert(b.wire[1]);
    ck_assert_uint_eq(bench_peek(&b, IIR, 1), 2);
    ck_assert(b.wire[1]);
    ck_assert_uint_eq(bench_read(&b, IIR, 1), 2);
    ck_assert(!b.wire[1]);
    ck_assert_uint_eq(bench_read(&b, IIR, 1), 1);
    bench_write(&b, RBR, 1, 'b');
    ck_assert(b.wire[1]);
    bench_write(&b, IER, 1, 0);
    ck_assert(!b.wire[1]);
    bench_write(&b, IER, 1, 2);
    bench_read(&b, IIR, 1);
    ck_assert(!b.wire[1]);
    bench_write(&b, IER, 1, 0);
    bench_write(&b, IER, 1, 2); /* enabling it asks again */
    ck_assert(b.wire[1]);
    bench_round_trip(&b);
    ck_assert_uint_eq(nsent, 2);
    ck_assert_mem_eq(sent, "ab", 2);
    bench_fini(&b);
}
END_TEST

START_TEST(receive)
{
    struct bench b;

    setup(&b);
    bench_write(&b, IER, 1, 1);
    waiting = "xyz";
    polled(&b); /* no FIFO: one at a time */
    ck_assert_str_eq(waiting, "yz");
    ck_assert(b.wire[1]);
    ck_assert_uint_eq(bench_read(&b, IIR, 1), 4);
    ck_assert_uint_eq(bench_read(&b, LSR, 1), 0x61);
    polled(&b);
    ck_assert_str_eq(waiting, "yz");
    ck_assert_uint_eq(bench_peek(&b, RBR, 1), 'x');
    ck_assert_uint_eq(bench_read(&b, RBR, 1), 'x');
    ck_assert(!b.wire[1]);
    ck_assert_uint_eq(bench_read(&b, LSR, 1), 0x60);
    ck_assert_uint_eq(bench_read(&b, RBR, 1), 0);
    bench_fini(&b);
}
END_TEST

/* At the trigger level at once; below it after four characters' time. */
START_TEST(fifo)
{
    struct bench b;

    setup(&b);
    bench_write(&b, LCR, 1, 0x83);
    bench_write(&b, RBR, 1, 2); /* 115200 baud */
    bench_write(&b, IER, 1, 0);
    bench_write(&b, LCR, 1, 3);
    bench_write(&b, FCR, 1, 0x81); /* 8 bytes */
    bench_write(&b, IER, 1, 1);
    ck_assert_uint_eq(bench_read(&b, IIR, 1), 0xc1);
    waiting = "0123456";
    polled(&b);
    ck_assert(!b.wire[1]);
    bench_until(&b, 347221); /* 40 bits at 115200 a second */
    ck_assert(!b.wire[1]);
    bench_until(&b, 347222);
    ck_assert(b.wire[1]);
    ck_assert_uint_eq(bench_read(&b, IIR, 1), 0xcc);
    bench_round_trip(&b);
    ck_assert_uint_eq(bench_read(&b, RBR, 1), '0');
    ck_assert(!b.wire[1]);
    waiting = "789abcdefghij";
    polled(&b);
    ck_assert(b.wire[1]);
    ck_assert_uint_eq(bench_read(&b, IIR, 1), 0xc4);
    ck_assert_str_eq(waiting, "hij"); /* 16 fit */
    for (unsigned i = 0; i < 8; i++)
        bench_read(&b, RBR, 1);
    ck_assert(b.wire[1]);
    bench_read(&b, RBR, 1);
    ck_assert(!b.wire[1]); /* 7 are left */
    bench_write(&b, FCR, 1, 0x83);
    ck_assert_uint_eq(bench_read(&b, LSR, 1), 0x60);
    bench_until(&b, 10000000);
    ck_assert(!b.wire[1]);
    bench_fini(&b);
}
END_TEST

START_TEST(loopback)
{
    struct bench b;

    setup(&b);
    ck_assert_uint_eq(bench_read(&b, MSR, 1), 0xb0);
    bench_write(&b, MCR, 1, 0x1a); /* what Linux looks for */
    ck_assert_uint_eq(bench_read(&b, MSR, 1) & 0xf0, 0x90);
    bench_read(&b, MSR, 1);
    bench_write(&b, IER, 1, 0x0f);
    bench_read(&b, IIR, 1);
    ck_assert(!b.wire[1]);
    bench_write(&b, MCR, 1, 0x10); /* RTS and OUT2 fall: deltas of CTS and DCD */
    ck_assert(b.wire[1]);
    ck_assert_uint_eq(bench_read(&b, IIR, 1), 0);
    ck_assert_uint_eq(bench_read(&b, MSR, 1), 0x09);
    ck_assert(!b.wire[1]);
    bench_write(&b, RBR, 1, 'q');
    bench_write(&b, RBR, 1, 'r'); /* no room: overrun */
    ck_assert_uint_eq(nsent, 0);
    ck_assert_uint_eq(bench_read(&b, IIR, 1), 6);
    ck_assert_uint_eq(bench_read(&b, LSR, 1), 0x63);
    ck_assert_uint_eq(bench_read(&b, LSR, 1), 0x61);
    ck_assert_uint_eq(bench_read(&b, IIR, 1), 4);
    ck_assert_uint_eq(bench_read(&b, RBR, 1), 'q');
    waiting = "no";
    polled(&b);
    ck_assert_str_eq(waiting, "no");
    bench_fini(&b);
}
END_TEST

START_TEST(registers)
{
    struct bench b;
    uint64_t v;

    setup(&b);
    bench_write(&b, IER, 1, 0xff);
    ck_assert_uint_eq(bench_read(&b, IER, 1), 0x0f);
    bench_write(&b, SCR, 1, 0x5a);
    ck_assert_uint_eq(bench_read(&b, SCR, 1), 0x5a);
    bench_write(&b, LCR, 1, 0xbf);
    bench_write(&b, IER, 1, 0x12);
    bench_write(&b, RBR, 1, 0x34);
    ck_assert_uint_eq(bench_read(&b, IER, 1), 0x12);
    ck_assert_uint_eq(bench_read(&b, RBR, 1), 0x34);
    bench_write(&b, LCR, 1, 0);
    ck_assert_uint_eq(bench_read(&b, IER, 1), 0x0f);
    ck_assert_uint_eq(nsent, 0);
    bench_write(&b, FCR, 1, 0xc0); /* without the enable bit nothing counts */
    ck_assert_uint_eq(bench_peek(&b, IIR, 1) & 0xc0, 0);
    bench_write(&b, FCR, 1, 1);
    ck_assert_uint_eq(bench_peek(&b, IIR, 1) & 0xc0, 0xc0);
    ck_assert_uint_eq(bench_read(&b, SCR, 1), 0x5a);
    ck_assert(!mem_read(b.mem, BENCH_DEV + 8, 1, &v));
    ck_assert(!mem_write(b.mem, BENCH_DEV + 8, 1, 0));
    bench_fini(&b);
}
END_TEST

START_TEST(firmware)
{
    struct bench b;
    struct uart16550 *u = setup(&b);
    uint8_t data[32];

    uart16550_setup(u);
    uart16550_send(u, "hello", 5);
    ck_assert_mem_eq(sent, "hello", 5);
    ck_assert_uint_eq(uart16550_take(u, data, sizeof data), 0);
    waiting = "world";
    polled(&b);
    ck_assert_uint_eq(uart16550_take(u, data, 2), 2);
    ck_assert_uint_eq(uart16550_take(u, data + 2, sizeof data - 2), 3);
    ck_assert_mem_eq(data, "world", 5);
    bench_fini(&b);
}
END_TEST

/* A saved state that cannot be is refused. */
START_TEST(bad_state)
{
    struct bench b;
    struct buf out = BUF_INIT;
    struct snap s;
    uint8_t count = 17;

    setup(&b);
    snap_open_save(&s, &out);
    snap_section(&s, "uart0", 1);
    snap_u8(&s, "count", &count);
    snap_close(&s, NULL);
    ck_assert_int_lt(bench_load(&b, &out), 0);
    ck_assert_uint_eq(bench_read(&b, LSR, 1), 0x60);
    buf_fini(&out);
    bench_fini(&b);
}
END_TEST

/* A whole state with five bytes received. */
static int load_received(struct bench *b, uint8_t fcr)
{
    struct buf out = BUF_INIT;
    struct snap s;
    uint8_t count = 5, zero = 0;
    uint16_t divisor = 1;
    uint64_t never = CLOCK_NEVER;
    bool no = false;
    int rc;

    snap_open_save(&s, &out);
    snap_section(&s, "uart0", 1);
    snap_u8(&s, "count", &count);
    snap_bytes(&s, "fifo", "hello", 5);
    snap_u8(&s, "ier", &zero);
    snap_u8(&s, "fcr", &fcr);
    for (unsigned i = 0; i < 5; i++)
        snap_u8(&s, "lcr, mcr, msr, scr, errors", &zero);
    snap_u16(&s, "divisor", &divisor);
    for (unsigned i = 0; i < 3; i++)
        snap_bool(&s, "tx_pending, timeout, irq", &no);
    snap_u64(&s, "timer", &never);
    snap_close(&s, NULL);
    rc = bench_load(b, &out);
    buf_fini(&out);
    return rc;
}

/* More bytes than there is room for without the FIFO: a poll would ask the door for less than
 * nothing. */
START_TEST(bad_count)
{
    struct bench b;

    setup(&b);
    ck_assert_int_eq(load_received(&b, 1), 0);
    ck_assert_int_lt(load_received(&b, 0), 0);
    waiting = "a long line, that is longer than the FIFO";
    polled(&b);
    bench_fini(&b);
}
END_TEST

UNIT_MAIN("dev/uart", transmit, receive, fifo, loopback, registers, firmware, bad_state, bad_count)
