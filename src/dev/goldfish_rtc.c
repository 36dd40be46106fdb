/* goldfish_rtc.c - see goldfish_rtc.h. */
#include "dev/goldfish_rtc.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "dev/ticks.h"

enum {
    TIME_LOW = 0x00,
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08,
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c,
};

struct rtc {
    struct dev dev; /* first */
    uint64_t epoch;
    uint64_t offset;    /* the clock's time - virtual time */
    uint64_t alarm;     /* when, by the clock */
    uint32_t time_high; /* latched by a read of TIME_LOW */
    bool enabled, pending;
    struct clock_event event; /* pending: the alarm is armed */
};

static const struct dev_reg rtc_regs[] = {
    {"time_low", TIME_LOW, 4, "time in ns, low half; a read latches the high half"},
    {"time_high", TIME_HIGH, 4, "time in ns, high half, as latched"},
    {"alarm_low", ALARM_LOW, 4, "alarm's low half; a write arms it"},
    {"alarm_high", ALARM_HIGH, 4, "alarm's high half; written first"},
    {"irq_enabled", IRQ_ENABLED, 4, "whether the alarm raises the interrupt"},
    {"alarm_status", ALARM_STATUS, 4, "whether the alarm is armed"},
    {0},
};

static uint64_t now(const struct rtc *r)
{
    return clock_now(r->dev.clock) + r->offset;
}

static void update(struct rtc *r)
{
    dev_line_set(&r->dev.irq, r->enabled && r->pending);
}

static void arm(struct rtc *r)
{
    uint64_t time = now(r), left = r->alarm - time, when;

    if (r->alarm <= time) {
        clock_cancel(r->dev.clock, &r->event);
        r->pending = true;
        update(r);
    } else if (__builtin_add_overflow(clock_now(r->dev.clock), left, &when)) {
        clock_cancel(r->dev.clock, &r->event);
    } else {
        clock_set(r->dev.clock, &r->event, when);
    }
}

static void alarm_fire(void *opaque)
{
    struct rtc *r = opaque;

    r->pending = true;
    update(r);
}

static bool rtc_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    struct rtc *r = (struct rtc *)d;

    *value = 0;
    if (size != 4)
        return false;
    switch (offset) {
    case TIME_LOW:
        *value = (uint32_t)now(r);
        break;
    case TIME_HIGH:
        *value = r->time_high;
        break;
    case ALARM_LOW:
        *value = (uint32_t)r->alarm;
        break;
    case ALARM_HIGH:
        *value = r->alarm >> 32;
        break;
    case IRQ_ENABLED:
        *value = r->enabled;
        break;
    case ALARM_STATUS:
        *value = r->event.pending;
        break;
    }
    return true;
}

static bool rtc_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct rtc *r = opaque;

    if (offset == TIME_LOW)
        r->time_high = (uint32_t)(now(r) >> 32);
    return rtc_peek(&r->dev, offset, size, value);
}

/* Sets half of the time; an armed alarm keeps its time by the clock. */
static void time_write(struct rtc *r, unsigned shift, uint64_t value)
{
    uint64_t time = now(r);

    r->offset += bits_set(time, shift, 32, value) - time;
    if (r->event.pending)
        arm(r);
}

static bool rtc_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct rtc *r = opaque;

    (void)size;
    switch (offset) {
    case TIME_LOW:
        time_write(r, 0, value);
        break;
    case TIME_HIGH:
        time_write(r, 32, value);
        break;
    case ALARM_LOW:
        r->alarm = bits_set(r->alarm, 0, 32, value);
        arm(r);
        break;
    case ALARM_HIGH:
        r->alarm = bits_set(r->alarm, 32, 32, value);
        break;
    case IRQ_ENABLED:
        r->enabled = value & 1;
        break;
    case CLEAR_ALARM:
        clock_cancel(r->dev.clock, &r->event);
        break;
    case CLEAR_INTERRUPT:
        r->pending = false;
        break;
    }
    update(r);
    return true;
}

static void rtc_reset(struct dev *d)
{
    struct rtc *r = (struct rtc *)d;

    r->offset = r->epoch;
    r->alarm = 0;
    r->time_high = 0;
    r->enabled = r->pending = false;
    clock_cancel(d->clock, &r->event);
    update(r);
}

static void rtc_state(struct dev *d, struct snap *s)
{
    struct rtc *r = (struct rtc *)d;

    snap_section(s, d->name, 1);
    snap_u64(s, "offset", &r->offset);
    snap_u64(s, "alarm", &r->alarm);
    snap_u32(s, "time_high", &r->time_high);
    snap_bool(s, "enabled", &r->enabled);
    snap_bool(s, "pending", &r->pending);
    dev_snap_event(s, "due", d->clock, &r->event);
}

static void rtc_free(struct dev *d)
{
    struct rtc *r = (struct rtc *)d;

    clock_cancel(d->clock, &r->event);
    free(r);
}

static const struct mem_ops rtc_bus = {rtc_read, rtc_write, 4};

static const struct dev_class rtc_class = {
    .name = "goldfish-rtc",
    .doc = "real-time clock",
    .regs = rtc_regs,
    .bus = &rtc_bus,
    .reset = rtc_reset,
    .state = rtc_state,
    .free = rtc_free,
    .peek = rtc_peek,
};

struct dev *goldfish_rtc_new(const char *name, struct mem *mem, struct clock *clock,
                             struct log *log, struct dev_line irq, uint64_t epoch_ns)
{
    struct rtc *r = xcalloc(1, sizeof *r);

    dev_init(&r->dev, &rtc_class, name, mem, clock, irq, log);
    r->epoch = epoch_ns;
    clock_event_init(&r->event, alarm_fire, r);
    return &r->dev;
}
