/* uart16550.c - see uart16550.h.  Section numbers are the PC16550D data sheet's. */
#include "dev/uart16550.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "dev/ticks.h"

#define FIFO 16

enum { RBR = 0, IER = 1, IIR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };
enum { IER_RX = 1, IER_TX = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { IIR_NONE = 1, IIR_MODEM = 0, IIR_TX = 2, IIR_RX = 4, IIR_LINE = 6, IIR_TIMEOUT = 12 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_TRIGGER_SHIFT = 6 };
enum { LCR_WORD = 3, LCR_STOP = 4, LCR_PARITY = 8, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 16 };
enum {
    LSR_DATA = 1,
    LSR_OVERRUN = 2,
    LSR_ERRORS = 0x1e,
    LSR_THR_EMPTY = 0x20,
    LSR_TX_EMPTY = 0x40
};
enum { MSR_DELTAS = 0x0f, MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80 };

struct uart16550 {
    struct dev dev; /* first */
    struct dev_chars chars;
    uint8_t fifo[FIFO]; /* received; the first of `count` bytes is the oldest */
    uint8_t count;
    uint8_t ier, fcr, lcr, mcr, msr, scr;
    uint8_t errors; /* LSR_ERRORS */
    uint16_t divisor;
    bool tx_pending; /* the transmitter-empty interrupt was not yet seen */
    bool timeout;    /* bytes lie below the trigger level for four characters' time */
    bool irq;        /* the wire */
    struct clock_event timer;
};

static const struct dev_reg uart_regs[] = {
    {"rbr", RBR, 1, "received byte, transmitted byte, or the divisor's low byte"},
    {"ier", IER, 1, "interrupt enable, or the divisor's high byte"},
    {"iir", IIR, 1, "interrupt identification; FIFO control when written"},
    {"lcr", LCR, 1, "line control"},
    {"mcr", MCR, 1, "modem control"},
    {"lsr", LSR, 1, "line status"},
    {"msr", MSR, 1, "modem status"},
    {"scr", SCR, 1, "scratch"},
    {0},
};

static unsigned capacity(const struct uart16550 *u)
{
    return u->fcr & FCR_ENABLE ? FIFO : 1;
}

/* Bytes at which data is announced.  8.5 */
static unsigned trigger(const struct uart16550 *u)
{
    static const uint8_t levels[] = {1, 4, 8, 14};
    return u->fcr & FCR_ENABLE ? levels[u->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/* The interrupt of the highest priority, as IIR shows it.  Table IV */
static uint8_t pending_irq(const struct uart16550 *u)
{
    if (u->ier & IER_LINE && u->errors)
        return IIR_LINE;
    if (u->ier & IER_RX && u->timeout)
        return IIR_TIMEOUT;
    if (u->ier & IER_RX && u->count >= trigger(u))
        return IIR_RX;
    if (u->ier & IER_TX && u->tx_pending)
        return IIR_TX;
    if (u->ier & IER_MODEM && u->msr & MSR_DELTAS)
        return IIR_MODEM;
    return IIR_NONE;
}

static void update(struct uart16550 *u)
{
    bool irq = pending_irq(u) != IIR_NONE;

    if (irq != u->irq) {
        u->irq = irq;
        dev_line_set(&u->dev.irq, irq);
    }
}

/* Nanoseconds that four characters take on the line. */
static uint64_t four_characters(const struct uart16550 *u)
{
    unsigned bits =
        1 + 5 + (u->lcr & LCR_WORD) + !!(u->lcr & LCR_PARITY) + (u->lcr & LCR_STOP ? 2 : 1);
    uint64_t divisor = u->divisor ? u->divisor : 1;

    return 4 * bits * 16 * divisor * DEV_NS_PER_SEC / UART16550_CLOCK;
}

/* The FIFO was touched: the timeout counts anew.  8.6 */
static void restart_timeout(struct uart16550 *u)
{
    bool counts = u->fcr & FCR_ENABLE && u->count;

    u->timeout = false;
    clock_set(u->dev.clock, &u->timer,
              counts ? clock_now(u->dev.clock) + four_characters(u) : CLOCK_NEVER);
}

static void timer_fire(void *opaque)
{
    struct uart16550 *u = opaque;

    u->timeout = true;
    update(u);
}

static void receive(struct uart16550 *u, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (u->count < capacity(u))
            u->fifo[u->count++] = data[i];
        else
            u->errors |= LSR_OVERRUN;
    }
    restart_timeout(u);
    update(u);
}

static uint8_t pop(struct uart16550 *u)
{
    uint8_t byte = u->fifo[0];

    if (!u->count)
        return 0;
    u->count--;
    memmove(u->fifo, u->fifo + 1, u->count);
    restart_timeout(u);
    update(u);
    return byte;
}

static void clear_rx(struct uart16550 *u)
{
    u->count = 0;
    u->errors = 0;
    restart_timeout(u);
}

/* The transmitter takes the byte at once, so that it is empty again afterwards. */
static void transmit(struct uart16550 *u, uint8_t byte)
{
    if (u->mcr & MCR_LOOP)
        receive(u, &byte, 1);
    else if (u->chars.write)
        u->chars.write(u->chars.opaque, &byte, 1);
    u->tx_pending = true;
}

/* The modem lines: a ready peer, or in loopback the port's own outputs.  8.7 */
static uint8_t modem_lines(const struct uart16550 *u)
{
    uint8_t m = u->mcr;

    if (!(m & MCR_LOOP))
        return MSR_DCD | MSR_DSR | MSR_CTS;
    return (m & MCR_RTS ? MSR_CTS : 0) | (m & MCR_DTR ? MSR_DSR : 0) | (m & MCR_OUT1 ? MSR_RI : 0) |
           (m & MCR_OUT2 ? MSR_DCD : 0);
}

/* Changes set delta bits; RI only when it ends.  8.8 */
static void update_modem(struct uart16550 *u)
{
    uint8_t lines = modem_lines(u), changed = (lines ^ u->msr) & (uint8_t)~MSR_DELTAS;

    if (lines & MSR_RI)
        changed &= (uint8_t)~MSR_RI;
    u->msr = lines | (u->msr & MSR_DELTAS) | changed >> 4;
}

/* Bits other than the enable count only together with it; a change of it clears.  8.5 */
static void fcr_write(struct uart16550 *u, uint8_t value)
{
    if ((value ^ u->fcr) & FCR_ENABLE || (value & FCR_ENABLE && value & FCR_CLEAR_RX))
        clear_rx(u);
    u->fcr = value & FCR_ENABLE ? value & (3 << FCR_TRIGGER_SHIFT | FCR_ENABLE) : 0;
}

static void ier_write(struct uart16550 *u, uint8_t value)
{
    value &= IER_RX | IER_TX | IER_LINE | IER_MODEM;
    if (value & ~u->ier & IER_TX)
        u->tx_pending = true; /* the transmitter is empty now */
    u->ier = value;
}

static uint8_t reg_value(const struct uart16550 *u, unsigned reg)
{
    switch (reg) {
    case RBR:
        return u->lcr & LCR_DLAB ? (uint8_t)u->divisor : u->count ? u->fifo[0] : 0;
    case IER:
        return u->lcr & LCR_DLAB ? (uint8_t)(u->divisor >> 8) : u->ier;
    case IIR:
        return pending_irq(u) | (u->fcr & FCR_ENABLE ? 0xc0 : 0);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        return (u->count ? LSR_DATA : 0) | u->errors | LSR_THR_EMPTY | LSR_TX_EMPTY;
    case MSR:
        return u->msr;
    default:
        return u->scr;
    }
}

static bool uart_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    (void)size;
    if (offset > SCR)
        return false;
    *value = reg_value((struct uart16550 *)d, (unsigned)offset);
    return true;
}

static bool uart_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct uart16550 *u = opaque;

    if (!uart_peek(&u->dev, offset, size, value))
        return false;
    if (offset == RBR && !(u->lcr & LCR_DLAB))
        pop(u);
    else if (offset == IIR && pending_irq(u) == IIR_TX)
        u->tx_pending = false;
    else if (offset == LSR)
        u->errors = 0;
    else if (offset == MSR)
        u->msr &= (uint8_t)~MSR_DELTAS;
    update(u);
    return true;
}

static bool uart_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct uart16550 *u = opaque;
    uint8_t v = (uint8_t)value;
    bool dlab = u->lcr & LCR_DLAB;

    (void)size;
    if (offset > SCR)
        return false;
    if (offset == RBR && dlab)
        u->divisor = (u->divisor & 0xff00) | v;
    else if (offset == RBR)
        transmit(u, v);
    else if (offset == IER && dlab)
        u->divisor = (uint16_t)((u->divisor & 0xff) | v << 8);
    else if (offset == IER)
        ier_write(u, v);
    else if (offset == IIR)
        fcr_write(u, v);
    else if (offset == LCR)
        u->lcr = v;
    else if (offset == MCR)
        u->mcr = v & 0x1f;
    else if (offset == SCR)
        u->scr = v;
    update_modem(u);
    update(u);
    return true;
}

static void uart_poll(struct dev *d)
{
    struct uart16550 *u = (struct uart16550 *)d;
    uint8_t data[FIFO];
    size_t room = capacity(u) - u->count, got;

    if (!room || u->mcr & MCR_LOOP || !u->chars.read)
        return;
    got = u->chars.read(u->chars.opaque, data, room);
    if (got)
        receive(u, data, got < room ? got : room);
}

static void uart_reset(struct dev *d)
{
    struct uart16550 *u = (struct uart16550 *)d;

    u->count = u->ier = u->fcr = u->lcr = u->scr = u->errors = 0;
    u->mcr = MCR_OUT2;
    u->msr = modem_lines(u);
    u->divisor = 12;
    u->tx_pending = u->timeout = u->irq = false;
    clock_cancel(d->clock, &u->timer);
    dev_line_set(&d->irq, false);
}

static void uart_state(struct dev *d, struct snap *s)
{
    struct uart16550 *u = (struct uart16550 *)d;

    snap_section(s, d->name, 1);
    snap_u8(s, "count", &u->count);
    if (u->count > FIFO) {
        u->count = 0;
        snap_bad(s, "count", "more than the FIFO holds");
    }
    snap_bytes(s, "fifo", u->fifo, u->count);
    snap_u8(s, "ier", &u->ier);
    snap_u8(s, "fcr", &u->fcr);
    if (u->count > capacity(u)) {
        u->count = 0;
        snap_bad(s, "count", "more than there is room for without the FIFO");
    }
    snap_u8(s, "lcr", &u->lcr);
    snap_u8(s, "mcr", &u->mcr);
    snap_u8(s, "msr", &u->msr);
    snap_u8(s, "scr", &u->scr);
    snap_u8(s, "errors", &u->errors);
    snap_u16(s, "divisor", &u->divisor);
    snap_bool(s, "tx_pending", &u->tx_pending);
    snap_bool(s, "timeout", &u->timeout);
    snap_bool(s, "irq", &u->irq);
    dev_snap_event(s, "timer", d->clock, &u->timer);
}

static void uart_free(struct dev *d)
{
    struct uart16550 *u = (struct uart16550 *)d;

    clock_cancel(d->clock, &u->timer);
    free(u);
}

static const struct mem_ops uart_bus = {uart_read, uart_write, 1 | 2 | 4 | 8};

static const struct dev_class uart_class = {
    .name = "ns16550a",
    .doc = "serial port",
    .regs = uart_regs,
    .bus = &uart_bus,
    .reset = uart_reset,
    .state = uart_state,
    .free = uart_free,
    .peek = uart_peek,
    .poll = uart_poll,
};

struct uart16550 *uart16550_new(const char *name, struct mem *mem, struct clock *clock,
                                struct log *log, struct dev_line irq, const struct dev_chars *chars)
{
    struct uart16550 *u = xcalloc(1, sizeof *u);

    dev_init(&u->dev, &uart_class, name, mem, clock, irq, log);
    u->chars = *chars;
    clock_event_init(&u->timer, timer_fire, u);
    return u;
}

struct dev *uart16550_dev(struct uart16550 *u)
{
    return &u->dev;
}

void uart16550_setup(struct uart16550 *u)
{
    uart_write(u, LCR, 1, 3);
    uart_write(u, IIR, 1, FCR_ENABLE);
}

void uart16550_send(struct uart16550 *u, const void *data, size_t len)
{
    if (u->chars.write)
        u->chars.write(u->chars.opaque, data, len);
}

size_t uart16550_waiting(const struct uart16550 *u)
{
    return u->count;
}

size_t uart16550_take(struct uart16550 *u, uint8_t *data, size_t len)
{
    size_t n = 0;

    while (n < len && u->count)
        data[n++] = pop(u);
    return n;
}
