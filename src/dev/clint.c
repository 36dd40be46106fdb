/* clint.c - see clint.h. */
#include "dev/clint.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "dev/ticks.h"

enum { MSIP = 0x0, MTIMECMP = 0x4000, MTIME = 0xbff8 };

struct timer {
    struct clint *clint;
    unsigned hart;
    uint64_t cmp;
    struct clock_event event;
};

struct clint {
    struct dev dev; /* first */
    struct clint_config config;
    uint64_t offset; /* mtime - ticks of virtual time */
    bool msip[CLINT_HARTS];
    struct timer timer[CLINT_HARTS];
};

static const struct dev_reg clint_regs[] = {
    {"msip0", MSIP, 4, "software interrupt of hart 0 (bit 0); hart n at 4 * n"},
    {"mtimecmp0", MTIMECMP, 8, "timer compare of hart 0; hart n at 8 * n"},
    {"mtime", MTIME, 8, "the timer, in ticks of the time base"},
    {0},
};

static void hart_line(const struct dev_line *l, unsigned hart, bool level)
{
    if (l->set)
        l->set(l->opaque, l->number + hart, level);
}

uint64_t clint_time(const struct clint *c)
{
    return dev_ticks(clock_now(c->dev.clock), c->config.hz) + c->offset;
}

uint64_t clint_when(const struct clint *c, uint64_t tick)
{
    uint64_t now = clock_now(c->dev.clock), time = clint_time(c), at;

    if (tick <= time)
        return now;
    if (__builtin_add_overflow(dev_ticks(now, c->config.hz), tick - time, &at))
        return CLOCK_NEVER;
    return dev_ticks_when(at, c->config.hz);
}

/* The interrupt is pending while mtime >= mtimecmp.  priv 3.2.1 */
static void timer_update(struct timer *t)
{
    struct clint *c = t->clint;
    bool due = clint_time(c) >= t->cmp;

    clock_set(c->dev.clock, &t->event, due ? CLOCK_NEVER : clint_when(c, t->cmp));
    hart_line(&c->config.mti, t->hart, due);
}

static void timer_fire(void *opaque)
{
    timer_update(opaque);
}

static void time_write(struct clint *c, uint64_t value)
{
    c->offset = value - dev_ticks(clock_now(c->dev.clock), c->config.hz);
    for (unsigned i = 0; i < c->config.nharts; i++)
        timer_update(&c->timer[i]);
    if (c->config.moved)
        c->config.moved(c->config.opaque);
}

/* The value of the 8-byte register that holds `offset`, and the hart it belongs to. */
static bool reg64(const struct clint *c, uint64_t offset, uint64_t *value, unsigned *hart)
{
    *hart = (unsigned)(offset - MTIMECMP) / 8;
    if (offset >= MTIME) {
        *value = clint_time(c);
        return true;
    }
    if (offset < MTIMECMP || *hart >= c->config.nharts)
        return false;
    *value = c->timer[*hart].cmp;
    return true;
}

static bool clint_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    struct clint *c = (struct clint *)d;
    unsigned hart = (unsigned)offset / 4;
    uint64_t whole;

    *value = 0;
    if (size < 4)
        return false;
    if (offset < MTIMECMP) {
        if (size == 4 && hart < c->config.nharts)
            *value = c->msip[hart];
    } else if (offset < MTIME + 8 && reg64(c, offset, &whole, &hart)) {
        *value = bits_get(whole, (offset & 4) * 8, size * 8);
    }
    return true;
}

static bool clint_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    return clint_peek(opaque, offset, size, value);
}

static bool clint_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct clint *c = opaque;
    unsigned hart = (unsigned)offset / 4;
    uint64_t whole;

    if (offset < MTIMECMP) {
        if (size == 4 && hart < c->config.nharts) {
            c->msip[hart] = value & 1;
            hart_line(&c->config.msi, hart, value & 1);
        }
    } else if (offset < MTIME + 8 && reg64(c, offset, &whole, &hart)) {
        whole = bits_set(whole, (offset & 4) * 8, size * 8, value);
        if (offset >= MTIME) {
            time_write(c, whole);
        } else {
            c->timer[hart].cmp = whole;
            timer_update(&c->timer[hart]);
        }
    }
    return true;
}

static void clint_reset(struct dev *d)
{
    struct clint *c = (struct clint *)d;

    c->offset = 0;
    for (unsigned i = 0; i < c->config.nharts; i++) {
        c->msip[i] = false;
        c->timer[i].cmp = UINT64_MAX;
        hart_line(&c->config.msi, i, false);
        hart_line(&c->config.mti, i, false);
        clock_cancel(d->clock, &c->timer[i].event);
    }
}

static void clint_state(struct dev *d, struct snap *s)
{
    struct clint *c = (struct clint *)d;

    snap_section(s, d->name, 1);
    snap_u64(s, "offset", &c->offset);
    for (unsigned i = 0; i < c->config.nharts; i++) {
        snap_bool(s, "msip", &c->msip[i]);
        snap_u64(s, "mtimecmp", &c->timer[i].cmp);
        dev_snap_event(s, "due", d->clock, &c->timer[i].event);
    }
}

static void clint_free(struct dev *d)
{
    struct clint *c = (struct clint *)d;

    for (unsigned i = 0; i < c->config.nharts; i++)
        clock_cancel(d->clock, &c->timer[i].event);
    free(c);
}

static const struct mem_ops clint_bus = {clint_read, clint_write, 4 | 8};

static const struct dev_class clint_class = {
    .name = "sifive-clint",
    .doc = "software interrupts and machine timers",
    .regs = clint_regs,
    .bus = &clint_bus,
    .reset = clint_reset,
    .state = clint_state,
    .free = clint_free,
    .peek = clint_peek,
};

struct clint *clint_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                        const struct clint_config *config)
{
    struct clint *c = xcalloc(1, sizeof *c);

    dev_init(&c->dev, &clint_class, name, mem, clock, (struct dev_line){0}, log);
    c->config = *config;
    for (unsigned i = 0; i < config->nharts; i++) {
        c->timer[i] = (struct timer){.clint = c, .hart = i, .cmp = UINT64_MAX};
        clock_event_init(&c->timer[i].event, timer_fire, &c->timer[i]);
    }
    return c;
}

struct dev *clint_dev(struct clint *c)
{
    return &c->dev;
}
