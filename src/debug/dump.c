/* dump.c - see dump.h. */
#include "debug/dump.h"

#include <inttypes.h>
#include <stdlib.h>

static bool covers(const struct dbg_ranges *r, const struct accel_unit *k)
{
    for (size_t i = 0; i < r->len; i++) {
        const struct dbg_range *one = &r->data[i];
        if (k->pc < one->end && (one->start <= k->pc || one->start - k->pc < k->bytes))
            return true;
    }
    return false;
}

static void place(const struct accel_unit *k, const struct dbg_symbols *symbols, struct buf *out)
{
    buf_fmt(out, "==== 0x%016" PRIx64, k->pc);
    dbg_symbols_text(symbols, k->pc, out);
    buf_fmt(out, ": physical 0x%" PRIx64 ", ", k->paddr);
}

/* ---- when they are made ---- */

static void told(void *opaque, struct cpu *c, enum cpu_unit_event what, const struct accel_unit *k)
{
    struct dbg_dump *d = opaque;
    struct accel *a = machine_accel(d->m);

    if (what != CPU_UNIT_MADE || !covers(&d->ranges, k))
        return;
    buf_reset(&d->buf);
    place(k, d->symbols, &d->buf);
    buf_fmt(&d->buf, "made for CPU %u after %" PRIu64 " of its instructions\n", c->index,
            cpu_count(c));
    a->ops->show(a, c, k, &d->buf);
    d->text(d->opaque, d->buf.data, d->buf.len);
}

void dbg_dump_start(struct dbg_dump *d, struct machine *m)
{
    d->m = m;
    buf_init(&d->buf);
    d->watcher = (struct accel_watcher){.told = told, .opaque = d};
    accel_watch(machine_accel(m), &d->watcher);
}

void dbg_dump_fini(struct dbg_dump *d)
{
    accel_unwatch(machine_accel(d->m), &d->watcher);
    vec_fini(&d->ranges);
    buf_fini(&d->buf);
}

/* ---- those that there are ---- */

struct present {
    const struct dbg_ranges *ranges;
    VEC(struct accel_unit);
};

static void collect(void *opaque, struct cpu *c, const struct accel_unit *k)
{
    struct present *p = opaque;

    (void)c;
    if (covers(p->ranges, k))
        vec_push(p, *k);
}

static int by_address(const void *a, const void *b)
{
    const struct accel_unit *x = a, *y = b;

    if (x->pc != y->pc)
        return x->pc < y->pc ? -1 : 1;
    if (x->paddr != y->paddr)
        return x->paddr < y->paddr ? -1 : 1;
    return x->context < y->context ? -1 : x->context > y->context;
}

static void size_and_links(const struct accel_unit *k, struct buf *out)
{
    buf_fmt(out, "%u instructions", k->ninsns);
    if (k->host_bytes)
        buf_fmt(out, ", %u bytes of host code; linked from %u places, and to %u of %u",
                k->host_bytes, k->links_in, k->links_out, k->exits);
    buf_ch(out, '\n');
}

size_t dbg_dump_present(struct machine *m, const struct dbg_ranges *r,
                        const struct dbg_symbols *symbols, bool brief, struct buf *out)
{
    struct accel *a = machine_accel(m);
    struct present p = {.ranges = r};
    size_t n;

    a->ops->units(a, collect, &p);
    if (p.len)
        qsort(p.data, p.len, sizeof *p.data, by_address);
    for (size_t i = 0; i < p.len; i++) {
        place(&p.data[i], symbols, out);
        size_and_links(&p.data[i], out);
        if (!brief)
            a->ops->show(a, machine_cpu(m, 0), &p.data[i], out);
    }
    n = p.len;
    vec_fini(&p);
    return n;
}
