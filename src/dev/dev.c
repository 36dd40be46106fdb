/* dev.c - what all devices share. */
#include "dev/device.h"

#include <stdio.h>
#include <stdlib.h>

#include "dev/ticks.h"

void dev_init(struct dev *d, const struct dev_class *class, const char *name, struct mem *mem,
              struct clock *clock, struct dev_line irq, struct log *log)
{
    *d = (struct dev){.class = class, .mem = mem, .clock = clock, .irq = irq, .log = log};
    snprintf(d->name, sizeof d->name, "%s", name);
}

void dev_free(struct dev *d)
{
    if (d->class->free)
        d->class->free(d);
    else
        free(d);
}

int dev_map(struct dev *d, uint64_t base, uint64_t size, struct err *e)
{
    int rc = d->class->flash
                 ? mem_add_flash(d->mem, d->name, base, size, d->class->bus, d, e)
                 : mem_add_device(d->mem, d->name, base, size, d->class->bus, d, e);

    if (rc)
        return rc;
    d->base = base;
    d->size = size;
    return 0;
}

void dev_snap_event(struct snap *s, const char *name, struct clock *clock, struct clock_event *e)
{
    uint64_t when = e->pending ? e->when : CLOCK_NEVER;

    snap_u64(s, name, &when);
    if (snap_loading(s))
        clock_set(clock, e, when);
}
