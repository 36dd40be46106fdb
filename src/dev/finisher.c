/* finisher.c - see finisher.h. */
#include "dev/finisher.h"

#include <stdlib.h>

#include "base/mem_alloc.h"

struct finisher {
    struct dev dev; /* first */
    finisher_fn *fn;
    void *opaque;
};

static const struct dev_reg finisher_regs[] = {
    {"finish", 0, 4, "0x5555 power off, 0x7777 reset, code << 16 | 0x3333 failure; reads 0"},
    {0},
};

static bool finisher_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    (void)d, (void)offset, (void)size;
    *value = 0;
    return true;
}

static bool finisher_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    return finisher_peek(opaque, offset, size, value);
}

static bool finisher_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct finisher *f = opaque;
    unsigned how = value & 0xffff, code = (value >> 16) & 0xffff;

    (void)size;
    if (offset)
        return true;
    if (how == FINISHER_PASS || how == FINISHER_RESET)
        f->fn(f->opaque, how, 0);
    else if (how == FINISHER_FAIL)
        f->fn(f->opaque, how, code);
    else
        log_debug(f->dev.log, "%s: 0x%x is no request", f->dev.name, how);
    return true;
}

/* It has no state. */
static void finisher_reset(struct dev *d)
{
    (void)d;
}

static void finisher_state(struct dev *d, struct snap *s)
{
    snap_section(s, d->name, 1);
}

static const struct mem_ops finisher_bus = {finisher_read, finisher_write, 2 | 4};

static const struct dev_class finisher_class = {
    .name = "sifive-test",
    .doc = "ends the machine: power off, reset, failure",
    .regs = finisher_regs,
    .bus = &finisher_bus,
    .reset = finisher_reset,
    .state = finisher_state,
    .peek = finisher_peek,
};

struct dev *finisher_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                         finisher_fn *fn, void *opaque)
{
    struct finisher *f = xcalloc(1, sizeof *f);

    dev_init(&f->dev, &finisher_class, name, mem, clock, (struct dev_line){0}, log);
    f->fn = fn;
    f->opaque = opaque;
    return &f->dev;
}
