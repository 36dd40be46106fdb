/* points.c - see points.h. */
#include "debug/points.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bits.h"
#include "base/mem_alloc.h"
#include "cpu/guest.h"
#include "debug/print.h"
#include "host/host_clock.h"

#define TIMED 64 /* one in so many is timed, where the clock costs more than what is */

/* A probe: a point at its address.  It may have gone since. */
struct place {
    uint64_t addr;
    unsigned point; /* its number */
};

/* Bytes that a device must not write unseen: a part, within a page, of what a point watches. */
struct dma_watch {
    uint64_t paddr, addr, len; /* addr: as the point has it */
    struct dbg_point *point;
};

/* A point that wants a stop, and why. */
struct note {
    unsigned point;
    bool behind; /* if its condition holds then, or to run its commands, which is not known yet */
    enum { BY_PROBE, BY_TOUCH, BY_EVENT, BY_UNIT } by;
    struct cpu_touch touch; /* BY_TOUCH, */
    uint64_t old;           /* and what is there */
    enum cpu_event event;   /* BY_EVENT */
    uint64_t a, b;
};

struct pcs {
    VEC(uint64_t);
};

struct places {
    VEC(struct place);
};

/* What becomes a struct cpu_pcs. */
struct probes {
    struct pcs pcs;
    struct {
        VEC(struct cpu_range);
    } ranges;
};

struct dbg_points {
    struct machine *m;
    struct cpu_debug debug;
    struct {
        VEC(struct dbg_point *); /* owned */
    } all; /* by number */
    struct {
        VEC(struct dbg_point *); /* by their number; NULL: gone */
    } index;

    /* What `debug` points to, and what was changed since it was worked out; by whether physical. */
    struct places places[2];
    struct probes probes[2], changed[2];
    struct {
        VEC(struct cpu_watch);
    } watches;
    struct pcs vpages;
    struct {
        VEC(struct dma_watch);
    } dma;
    bool watches_changed;
    struct accel_watcher units;
    bool units_wanted; /* it is told */

    struct {
        VEC(struct note);
    } notes; /* since the machine stopped last, each point's first one */
    struct dbg_unit unit; /* since then: what BY_UNIT is about */
    uint64_t left;        /* the host's time when it was first left for a condition behind that; 0 */
    uint64_t clock_ns;    /* what reading the clock costs */

    dbg_print_fn *print;
    void *print_opaque;
    const void *speaker;            /* the owner of what prints */
    uint64_t args[DBG_AGENT_DEPTH]; /* of the next printf */
    unsigned nargs;
    dbg_answer *answer; /* of traces; may be NULL */
    void *answer_opaque;
};

/* ---- sorted lists ---- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return x->point < y->point ? -1 : 1;
}

/* In order, each once. */
static void settle(struct pcs *v)
{
    size_t n = 0;

    if (v->len)
        qsort(v->data, v->len, sizeof *v->data, by_value);
    for (size_t i = 0; i < v->len; i++)
        if (!n || v->data[n - 1] != v->data[i])
            v->data[n++] = v->data[i];
    v->len = n;
}

/* Likewise pages, with flags in their low bits, which are or-ed. */
static void settle_pages(struct pcs *v)
{
    size_t n = 0;

    if (v->len)
        qsort(v->data, v->len, sizeof *v->data, by_value);
    for (size_t i = 0; i < v->len; i++) {
        if (n && !((v->data[n - 1] ^ v->data[i]) & ~MEM_PAGE_MASK))
            v->data[n - 1] |= v->data[i];
        else
            v->data[n++] = v->data[i];
    }
    v->len = n;
}

/* The same, for CPUs. */
static struct cpu_pcs as_pcs(struct probes *v)
{
    settle(&v->pcs);
    return (struct cpu_pcs){v->pcs.data, v->pcs.len, v->ranges.data, v->ranges.len};
}

static bool has_probes(const struct probes *v)
{
    return v->pcs.len || v->ranges.len;
}

static void empty_probes(struct probes *v)
{
    v->pcs.len = v->ranges.len = 0;
}

static void add_probes(struct probes *v, const struct dbg_point *x)
{
    struct cpu_range r = {x->first, x->last};

    if (x->kind == DBG_EXEC)
        vec_push(&v->ranges, r);
    else
        vec_push(&v->pcs, x->addr);
}

static void fini_probes(struct probes *v)
{
    vec_fini(&v->pcs);
    vec_fini(&v->ranges);
}

/* ---- what CPUs ask: probes ---- */

/* Whether a hit counts on this CPU, where it is now. */
static bool concerns(const struct dbg_point *x, const struct cpu *c)
{
    return !x->disabled && (!x->cpus || x->cpus >> c->index & 1) &&
           (!x->one_space || x->space == c->tlb.space);
}

/* Whether it is looked at before an instruction. */
static bool is_probe(const struct dbg_point *x)
{
    return x->kind == DBG_BREAK || x->kind == DBG_EXEC;
}

static bool is_noted(const struct dbg_points *p, const struct dbg_point *x)
{
    for (size_t i = 0; i < p->notes.len; i++)
        if (p->notes.data[i].point == x->number)
            return true;
    return false;
}

/* Begins one of what a meter counts; what meter_end is to be given. */
static uint64_t meter_begin(struct dbg_meter *k)
{
    return k->n++ % TIMED ? 0 : host_monotonic_ns();
}

static void meter_end(const struct dbg_points *p, struct dbg_meter *k, uint64_t began)
{
    uint64_t ns;

    if (!began)
        return;
    ns = host_monotonic_ns() - began;
    k->ns += ns > p->clock_ns ? ns - p->clock_ns : 0;
    k->timed++;
}

static void run_commands(struct dbg_points *p, struct dbg_point *x, struct cpu *c)
{
    p->speaker = x->owner;
    for (unsigned i = 0; i < x->ncommands; i++)
        dbg_agent_run(&x->commands[i], c);
}

/* A hit.  True: it stops the machine; else it is ignored, or commands were all that it was for. */
static bool hit(struct dbg_points *p, struct dbg_point *x, struct cpu *c)
{
    x->hits++;
    if (x->act)
        return x->act(x->opaque, c);
    if (x->ignore) {
        x->ignore--;
        return false;
    }
    run_commands(p, x, c);
    return !x->ncommands;
}

/* The same, and its work is timed. */
static bool counts(struct dbg_points *p, struct dbg_point *x, struct cpu *c)
{
    uint64_t began = x->act || x->ncommands ? meter_begin(&x->work) : 0;
    bool stop = hit(p, x, c);

    meter_end(p, &x->work, began);
    return stop;
}

/* A hit now, whose condition holds.  True: it stops the machine. */
static bool hit_now(struct dbg_points *p, struct dbg_point *x, struct cpu *c, struct note why)
{
    bool stops = is_noted(p, x) || counts(p, x, c);

    why.point = x->number;
    if (stops && !x->act && !is_noted(p, x))
        vec_push(&p->notes, why);
    return stops;
}

/* A hit behind which a condition, or commands, may have to be looked at. */
static bool hit_behind(struct dbg_points *p, struct dbg_point *x, struct cpu *c, struct note why)
{
    if ((!x->cond.len && !x->ncommands) || is_noted(p, x))
        return hit_now(p, x, c, why);
    why.point = x->number;
    why.behind = true;
    vec_push(&p->notes, why);
    if (!p->left)
        p->left = host_monotonic_ns();
    return true;
}

static void keep_arg(struct dbg_points *p, uint64_t v)
{
    if (p->nargs < DBG_AGENT_DEPTH)
        p->args[p->nargs++] = v;
}

static void say(struct dbg_points *p, struct cpu *c, const char *format)
{
    struct buf text = BUF_INIT;

    dbg_print(c, format, p->args, p->nargs, &text);
    p->nargs = 0;
    if (p->print)
        p->print(p->print_opaque, p->speaker, text.data, text.len);
    buf_fini(&text);
}

/* A look at a probe's point, whose condition is known: whether it says stop. */
static bool looked(struct dbg_points *p, struct dbg_point *x, struct cpu *c, bool holds)
{
    x->evals++;
    if (!concerns(x, c))
        return false;
    if (x->every)
        x->asked[c->index] = cpu_count(c);
    return holds && hit_now(p, x, c, (struct note){.by = BY_PROBE});
}

static uint64_t on_decide(void *opaque, struct cpu *c, uint64_t a, uint64_t b, uint64_t more)
{
    struct dbg_points *p = opaque;

    switch ((int64_t)a) {
    case DBG_ASK_REG:
        return c->guest->reg_read(c, (uint32_t)b);
    case DBG_ASK_ARG:
        keep_arg(p, b);
        return 0;
    case DBG_ASK_PRINT:
        say(p, c, (const char *)(uintptr_t)b);
        return 0;
    }
    if (a >= DBG_ASK_LAST)
        return p->answer ? p->answer(p->answer_opaque, c, a, b, more) : 0;
    return looked(p, p->index.data[a], c, b);
}

/* Appends a look at a point: whether it says stop. */
static ir_ref lift_look(const struct dbg_point *x, struct cpu *c, struct ir_unit *u)
{
    ir_ref cond = x->cond.len ? dbg_agent_lift(&x->cond, c, u) : ir_const(u, IR_I64, 1);

    return ir_call(u, c->guest->decide, ir_const(u, IR_I64, x->number), cond,
                   ir_const(u, IR_I64, 0));
}

/* The same, and what those before it came to, `stop`. */
static ir_ref lift_point(const struct dbg_point *x, struct cpu *c, struct ir_unit *u, ir_ref stop)
{
    ir_ref look = lift_look(x, c, u);

    return stop == IR_NONE ? look : ir_bin(u, IR_or, IR_I64, stop, look);
}

static struct dbg_point *numbered(const struct dbg_points *p, unsigned number)
{
    return number < p->index.len ? p->index.data[number] : NULL;
}

/* The first place at or behind addr. */
static size_t find_place(const struct places *v, uint64_t addr)
{
    size_t lo = 0, hi = v->len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (v->data[mid].addr < addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Breakpoints at addr.  Code may be lifted for people to look at while the list is out of date. */
static ir_ref lift_places(const struct dbg_points *p, bool physical, uint64_t addr, struct cpu *c,
                          struct ir_unit *u, ir_ref stop)
{
    const struct places *v = &p->places[physical];

    for (size_t i = find_place(v, addr); i < v->len && v->data[i].addr == addr; i++) {
        const struct dbg_point *x = numbered(p, v->data[i].point);

        if (x && x->kind == DBG_BREAK && x->addr == addr)
            stop = lift_point(x, c, u, stop);
    }
    return stop;
}

/* Those in whose range addr lies. */
static ir_ref lift_ranges(const struct dbg_points *p, bool physical, uint64_t addr, struct cpu *c,
                          struct ir_unit *u, ir_ref stop)
{
    for (size_t i = 0; p->probes[physical].ranges.len && i < p->all.len; i++) {
        const struct dbg_point *x = p->all.data[i];

        if (x->kind == DBG_EXEC && !x->disabled && x->physical == physical && x->first <= addr &&
            addr <= x->last)
            stop = lift_point(x, c, u, stop);
    }
    return stop;
}

static ir_ref on_lift(void *opaque, struct cpu *c, struct ir_unit *u, uint64_t pc, uint64_t paddr)
{
    struct dbg_points *p = opaque;
    ir_ref stop = lift_places(p, false, pc, c, u, IR_NONE);

    stop = lift_ranges(p, false, pc, c, u, stop);
    if (paddr != CPU_NO_PADDR) {
        stop = lift_places(p, true, paddr, c, u, stop);
        stop = lift_ranges(p, true, paddr, c, u, stop);
    }
    return stop == IR_NONE ? ir_const(u, IR_I64, 0) : stop;
}

/* Points for each execution, but for those that were looked at when the CPU came here. */
static bool on_passed(void *opaque, struct cpu *c)
{
    struct dbg_points *p = opaque;
    const struct places *v = &p->places[false];
    bool stop = false;

    for (size_t i = find_place(v, c->pc); i < v->len && v->data[i].addr == c->pc; i++) {
        struct dbg_point *x = numbered(p, v->data[i].point);

        if (x && x->every && x->asked[c->index] != cpu_count(c))
            stop |= looked(p, x, c, !x->cond.len || dbg_agent_run(&x->cond, c));
    }
    return stop;
}

/* ---- what CPUs tell: accesses and events ---- */

static bool touches(const struct dbg_point *x, const struct cpu_touch *t)
{
    uint64_t addr = x->physical ? t->paddr : t->vaddr;
    unsigned access = t->write ? CPU_WATCH_WRITE : CPU_WATCH_READ;

    return x->kind == DBG_WATCH && x->access & access &&
           (addr < x->addr ? x->addr - addr < t->size : addr - x->addr < x->len);
}

static struct note note_of(struct mem *mem, const struct cpu_touch *t)
{
    struct note why = {.by = BY_TOUCH, .touch = *t};
    uint8_t bytes[8] = {0};

    mem_peek(mem, t->paddr, bytes, t->size < sizeof bytes ? t->size : sizeof bytes);
    why.old = bits_load_le(bytes, 8);
    return why;
}

/* The first of the bytes that is not in memory already, or len.  What cannot be known is not. */
static uint64_t first_change(struct mem *mem, uint64_t paddr, const uint8_t *bytes, uint64_t len)
{
    uint8_t old[256];
    uint64_t at = 0, n, got;

    for (; at < len; at += n) {
        n = len - at < sizeof old ? len - at : sizeof old;
        got = mem_peek(mem, paddr + at, old, n);
        for (uint64_t i = 0; i < n; i++)
            if (i >= got || old[i] != bytes[at + i])
                return at + i;
    }
    return len;
}

/* Whether a store leaves what the point watches as it is. */
static bool stays(struct mem *mem, const struct dbg_point *x, const struct cpu_touch *t)
{
    uint64_t addr = x->physical ? t->paddr : t->vaddr;
    uint64_t skip = addr < x->addr ? x->addr - addr : 0, left = x->len - (addr + skip - x->addr);
    uint64_t end = skip + (t->size - skip < left ? t->size - skip : left);
    uint8_t bytes[8];
    bool same = t->write;

    bits_store_le(bytes, 8, t->value); /* one of more than 8 bytes repeats it */
    for (uint64_t at = skip, n; at < end && same; at += n) {
        n = 8 - at % 8 < end - at ? 8 - at % 8 : end - at;
        same = first_change(mem, t->paddr + at, bytes + at % 8, n) == n;
    }
    return same;
}

static uint64_t begin_look(struct dbg_point *x)
{
    x->evals++;
    return meter_begin(&x->looks);
}

/* Conditions are looked at behind the instruction. */
static bool on_touched(void *opaque, struct cpu *c, const struct cpu_touch *t)
{
    struct dbg_points *p = opaque;
    struct note why = note_of(c->mem, t);
    bool stop = false;
    uint64_t began;

    for (size_t i = 0; i < p->all.len; i++) {
        struct dbg_point *x = p->all.data[i];

        if (!touches(x, t) || !concerns(x, c))
            continue;
        began = begin_look(x);
        if (!x->changed_only || !stays(c->mem, x, t))
            stop |= hit_behind(p, x, c, why);
        meter_end(p, &x->looks, began);
    }
    return stop;
}

/* A device writes bytes at paddr, which a point watches as w->addr and on; it is told of those that it
 * is about, 8 at most. */
static bool on_dma_part(struct dbg_points *p, const struct dma_watch *w, uint64_t paddr,
                        const uint8_t *bytes, uint64_t len)
{
    struct cpu *c = machine_cpu(p->m, machine_turn(p->m));
    struct cpu_touch t = {.paddr = paddr, .write = true, .device = true};
    uint64_t skip = 0;

    w->point->evals++;
    if (w->point->changed_only)
        skip = first_change(c->mem, paddr, bytes, len);
    if (skip == len)
        return false;
    t.paddr += skip;
    t.vaddr = w->addr + (t.paddr - w->paddr);
    t.size = len - skip < 8 ? (unsigned)(len - skip) : 8;
    t.value = bits_load_le(bytes + skip, t.size);
    return hit_behind(p, w->point, c, note_of(c->mem, &t));
}

static void on_dma(void *opaque, uint64_t paddr, const void *bytes, uint64_t len)
{
    struct dbg_points *p = opaque;
    bool stop = false;

    for (size_t i = 0; i < p->dma.len; i++) {
        const struct dma_watch *w = &p->dma.data[i];
        uint64_t from = paddr > w->paddr ? paddr : w->paddr;
        uint64_t end = paddr + len < w->paddr + w->len ? paddr + len : w->paddr + w->len;

        if (from < end)
            stop |= on_dma_part(p, w, from, (const uint8_t *)bytes + (from - paddr), end - from);
    }
    if (stop)
        machine_debug_stop(p->m);
}

static bool on_event(void *opaque, struct cpu *c, enum cpu_event what, uint64_t a, uint64_t b)
{
    struct dbg_points *p = opaque;
    struct note why = {.by = BY_EVENT, .event = what, .a = a, .b = b};
    bool stop = false;
    uint64_t began;

    for (size_t i = 0; i < p->all.len; i++) {
        struct dbg_point *x = p->all.data[i];

        if (x->kind != DBG_CATCH || x->event != what || !concerns(x, c))
            continue;
        began = begin_look(x);
        if (a >= x->first && a <= x->last)
            stop |= hit_behind(p, x, c, why);
        meter_end(p, &x->looks, began);
    }
    return stop;
}

static bool overlaps(const struct dbg_point *x, uint64_t addr, uint64_t len)
{
    return len && x->first <= addr + (len - 1) && addr <= x->last;
}

/* Whether a unit has bytes that the point is for. */
static bool holds(const struct dbg_point *x, const struct accel_unit *k)
{
    uint64_t room = MEM_PAGE_SIZE - (k->paddr & MEM_PAGE_MASK);
    uint64_t here = k->paddr2 && room < k->bytes ? room : k->bytes;

    if (!x->physical)
        return overlaps(x, k->pc, k->bytes);
    return overlaps(x, k->paddr, here) || overlaps(x, k->paddr2, k->bytes - here);
}

static void note_unit(struct dbg_unit *n, enum cpu_unit_event what, const struct accel_unit *k,
                      const struct cpu *by)
{
    if (n->n++)
        return;
    n->what = what;
    n->pc = k->pc;
    n->bytes = k->bytes;
    n->ninsns = k->ninsns;
    n->by_device = !by;
    n->by = by ? by->pc : 0;
}

/* The engine tells of its units, also while the machine is at rest. */
static void on_unit(void *opaque, struct cpu *made_for, enum cpu_unit_event what,
                    const struct accel_unit *k)
{
    struct dbg_points *p = opaque;
    struct cpu *c = machine_cpu(p->m, machine_turn(p->m));
    const struct cpu *by;
    bool stop = false;

    (void)made_for;
    if (!machine_runs(p->m, &by))
        return;
    for (size_t i = 0; i < p->all.len; i++) {
        struct dbg_point *x = p->all.data[i];

        if (x->kind != DBG_UNITS || !(x->units >> what & 1) || !concerns(x, c))
            continue;
        x->evals++;
        if (holds(x, k))
            stop |= hit_behind(p, x, c, (struct note){.by = BY_UNIT});
    }
    if (!stop)
        return;
    note_unit(&p->unit, what, k, by);
    machine_debug_stop(p->m);
}

static const struct cpu_debug_ops ops = {on_lift, on_decide, on_touched, on_event, on_passed};

static void watch_units(struct dbg_points *p, bool wanted)
{
    if (wanted != p->units_wanted)
        (wanted ? accel_watch : accel_unwatch)(machine_accel(p->m), &p->units);
    p->units_wanted = wanted;
}

/* ---- the list ---- */

struct dbg_points *dbg_points_new(struct machine *m)
{
    struct dbg_points *p = xcalloc(1, sizeof *p);

    p->m = m;
    p->clock_ns = host_clock_cost(host_monotonic_ns);
    p->debug.ops = &ops;
    p->debug.opaque = p;
    p->units = (struct accel_watcher){.told = on_unit, .opaque = p};
    vec_push(&p->index, NULL); /* there is no number 0 */
    machine_set_debug(m, &p->debug);
    return p;
}

static void point_free(struct dbg_point *x)
{
    dbg_agent_fini(&x->cond);
    free(x->text);
    for (unsigned i = 0; i < x->ncommands; i++)
        dbg_agent_fini(&x->commands[i]);
    free(x->commands);
    free(x->asked);
    free(x);
}

void dbg_points_free(struct dbg_points *p)
{
    if (!p)
        return;
    machine_set_debug(p->m, NULL);
    watch_units(p, false);
    mem_dma_listen(machine_mem(p->m), NULL, NULL);
    for (size_t i = 0; i < p->all.len; i++)
        point_free(p->all.data[i]);
    for (unsigned i = 0; i < 2; i++) {
        vec_fini(&p->places[i]);
        fini_probes(&p->probes[i]);
        fini_probes(&p->changed[i]);
    }
    vec_fini(&p->all);
    vec_fini(&p->index);
    vec_fini(&p->watches);
    vec_fini(&p->vpages);
    vec_fini(&p->dma);
    vec_fini(&p->notes);
    free(p);
}

void dbg_points_on_print(struct dbg_points *p, dbg_print_fn *print, void *opaque)
{
    p->print = print;
    p->print_opaque = opaque;
}

static void forget_asked(const struct dbg_points *p, struct dbg_point *x)
{
    memset(x->asked, 0xff, machine_ncpus(p->m) * sizeof *x->asked);
}

void dbg_points_reset(struct dbg_points *p)
{
    for (size_t i = 0; i < p->all.len; i++)
        if (p->all.data[i]->every)
            forget_asked(p, p->all.data[i]);
}

unsigned dbg_points_add(struct dbg_points *p, const struct dbg_point *point)
{
    struct dbg_point *x = xmalloc(sizeof *x);

    *x = *point;
    x->number = (unsigned)p->index.len;
    if (x->every) {
        x->asked = xmalloc(machine_ncpus(p->m) * sizeof *x->asked);
        forget_asked(p, x);
    }
    vec_push(&p->index, x);
    vec_push(&p->all, x);
    dbg_points_changed(p, x);
    return x->number;
}

bool dbg_points_full(const struct dbg_points *p)
{
    return p->all.len >= DBG_POINTS_MAX;
}

struct dbg_point *dbg_points_find(const struct dbg_points *p, unsigned number)
{
    struct dbg_point *x = numbered(p, number);

    return x && !x->internal ? x : NULL;
}

struct dbg_point *dbg_points_next(const struct dbg_points *p, unsigned from)
{
    while (from < p->index.len && !dbg_points_find(p, from))
        from++;
    return dbg_points_find(p, from);
}

/* A point that goes has no part in the next stop: the machine may have been interrupted before it. */
static void forget(struct dbg_points *p, const struct dbg_point *x)
{
    size_t n = 0;

    for (size_t i = 0; i < p->notes.len; i++)
        if (p->notes.data[i].point != x->number)
            p->notes.data[n++] = p->notes.data[i];
    p->notes.len = n;
}

bool dbg_points_delete(struct dbg_points *p, unsigned number)
{
    struct dbg_point *x = numbered(p, number);
    size_t i = 0;

    if (!x)
        return false;
    dbg_points_changed(p, x);
    forget(p, x);
    while (p->all.data[i] != x)
        i++;
    p->all.len--;
    memmove(p->all.data + i, p->all.data + i + 1, (p->all.len - i) * sizeof(struct dbg_point *));
    p->index.data[number] = NULL;
    if (x->internal && number + 1u == p->index.len)
        p->index.len--;
    point_free(x);
    return true;
}

void dbg_points_changed(struct dbg_points *p, const struct dbg_point *x)
{
    if (is_probe(x))
        add_probes(&p->changed[x->physical], x);
    else
        p->watches_changed = true;
}

bool dbg_points_at(const struct dbg_points *p, uint64_t addr, const void *owner)
{
    for (size_t i = 0; i < p->all.len; i++) {
        const struct dbg_point *x = p->all.data[i];

        if (x->kind == DBG_BREAK && !x->act && !x->physical && !x->disabled && x->addr == addr &&
            (!owner || x->owner == owner))
            return true;
    }
    return false;
}

void dbg_points_answer(struct dbg_points *p, dbg_answer *answer, void *opaque)
{
    p->answer = answer;
    p->answer_opaque = opaque;
}

/* ---- to the machine ---- */

static void find_places(struct dbg_points *p, bool physical)
{
    struct places *v = &p->places[physical];

    v->len = 0;
    empty_probes(&p->probes[physical]);
    for (size_t i = 0; i < p->all.len; i++) {
        const struct dbg_point *x = p->all.data[i];
        struct place place = {x->addr, x->number};

        if (!is_probe(x) || x->physical != physical || x->disabled)
            continue;
        add_probes(&p->probes[physical], x);
        if (x->kind == DBG_BREAK)
            vec_push(v, place);
    }
    if (v->len)
        qsort(v->data, v->len, sizeof *v->data, by_place);
}

static void apply_breaks(struct dbg_points *p)
{
    for (unsigned physical = 0; physical < 2; physical++)
        find_places(p, physical);
    p->debug.virtual = as_pcs(&p->probes[false]);
    p->debug.physical = as_pcs(&p->probes[true]);
    machine_probes_changed(p->m, as_pcs(&p->changed[false]), as_pcs(&p->changed[true]));
    empty_probes(&p->changed[false]);
    empty_probes(&p->changed[true]);
}

static void add_watch(struct dbg_points *p, const struct dbg_point *x)
{
    struct cpu_watch w = {x->addr, x->len, x->access, x->physical};
    uint64_t last = (x->addr + (x->len - 1)) & ~MEM_PAGE_MASK;

    vec_push(&p->watches, w);
    if (!x->physical)
        for (uint64_t page = x->addr & ~MEM_PAGE_MASK; page != last + MEM_PAGE_SIZE;
             page += MEM_PAGE_SIZE)
            vec_push(&p->vpages, page | x->access);
}

/* Where a point's bytes are now: a page at a time. */
static void add_dma(struct dbg_points *p, struct dbg_point *x)
{
    struct cpu *c = machine_cpu(p->m, machine_turn(p->m));
    struct dma_watch w = {.addr = x->addr, .point = x};

    for (uint64_t left = x->len; left; left -= w.len, w.addr += w.len) {
        struct guest_walk walk = {.ok = true, .paddr = w.addr};

        w.len = MEM_PAGE_SIZE - (w.addr & MEM_PAGE_MASK);
        w.len = w.len < left ? w.len : left;
        if (!x->physical)
            c->guest->walk(c, w.addr, TLB_READ, c->guest->data_mode(c), GUEST_WALK_DEBUG, &walk);
        w.paddr = walk.paddr;
        if (walk.ok)
            vec_push(&p->dma, w);
    }
}

/* Addresses may lead elsewhere since the machine stopped last. */
static void apply_dma(struct dbg_points *p)
{
    p->dma.len = 0;
    for (size_t i = 0; i < p->all.len; i++)
        if (p->all.data[i]->kind == DBG_WATCH && !p->all.data[i]->disabled &&
            p->all.data[i]->access & CPU_WATCH_WRITE)
            add_dma(p, p->all.data[i]);
    mem_dma_listen(machine_mem(p->m), p->dma.len ? on_dma : NULL, p);
}

static void apply_watches(struct dbg_points *p)
{
    bool units = false;

    p->watches.len = p->vpages.len = 0;
    p->debug.events = 0;
    for (size_t i = 0; i < p->all.len; i++) {
        const struct dbg_point *x = p->all.data[i];

        if (x->disabled)
            continue;
        if (x->kind == DBG_WATCH)
            add_watch(p, x);
        if (x->kind == DBG_CATCH)
            p->debug.events |= (uint32_t)BIT(x->event);
        units |= x->kind == DBG_UNITS;
    }
    watch_units(p, units);
    settle_pages(&p->vpages);
    p->debug.watches = p->watches.data;
    p->debug.nwatches = p->watches.len;
    p->debug.vpages = p->vpages.data;
    p->debug.nvpages = p->vpages.len;
    machine_watches_changed(p->m);
    p->watches_changed = false;
}

void dbg_points_apply(struct dbg_points *p)
{
    if (has_probes(&p->changed[false]) || has_probes(&p->changed[true]))
        apply_breaks(p);
    if (p->watches_changed)
        apply_watches(p);
    apply_dma(p);
}

/* What was put down without knowing whether it counts.  All the time since the CPU was left for it is
 * its own. */
static bool counts_after_all(struct dbg_points *p, struct dbg_point *x, struct cpu *c)
{
    uint64_t began = p->left;
    bool stop = (!x->cond.len || dbg_agent_run(&x->cond, c)) && hit(p, x, c);

    p->left = host_monotonic_ns();
    x->work.n++;
    meter_end(p, &x->work, began);
    return stop;
}

static void tell(const struct dbg_points *p, struct dbg_hit *hit, const struct note *why)
{
    const struct dbg_point *x = p->index.data[why->point];

    if (hit->npoints < DBG_HITS)
        hit->point[hit->npoints++] = why->point;
    if (why->by == BY_TOUCH && !hit->touch.size) {
        hit->touch = why->touch;
        hit->old = why->old;
    }
    if (why->by == BY_EVENT) {
        hit->caught = true;
        hit->event = why->event;
        hit->a = why->a;
        hit->b = why->b;
    }
    if (why->by == BY_UNIT)
        hit->unit = p->unit;
    if (x->kind == DBG_EXEC) {
        hit->ran = true;
        hit->code = (struct cpu_range){x->first, x->last};
    }
}

/* Whose all the points are that were hit, or NULL. */
static const void *owner_of(const struct dbg_points *p, const struct dbg_hit *hit)
{
    const void *owner = hit->npoints ? p->index.data[hit->point[0]]->owner : NULL;

    for (unsigned i = 1; i < hit->npoints; i++)
        if (p->index.data[hit->point[i]]->owner != owner)
            return NULL;
    return owner;
}

/* It stopped the machine. */
static void spend(struct dbg_points *p, struct dbg_point *x)
{
    if (x->temporary) {
        dbg_points_delete(p, x->number);
    } else if (x->kind == DBG_EXEC) {
        x->disabled = true;
        dbg_points_changed(p, x);
    }
}

bool dbg_points_stopped(struct dbg_points *p, struct dbg_hit *hit)
{
    struct cpu *c = machine_cpu(p->m, machine_turn(p->m));

    *hit = (struct dbg_hit){0};
    for (size_t i = 0; i < p->notes.len; i++) {
        const struct note *why = &p->notes.data[i];

        if (!why->behind || counts_after_all(p, p->index.data[why->point], c))
            tell(p, hit, why);
    }
    p->notes.len = 0;
    p->left = 0;
    p->unit = (struct dbg_unit){0};
    hit->owner = owner_of(p, hit);
    for (unsigned i = 0; i < hit->npoints; i++)
        spend(p, p->index.data[hit->point[i]]);
    return hit->npoints;
}

/* ---- what points cost ---- */

#define LOOK_RUNS   1000
#define LOOK_ROUNDS 3 /* of which the quickest counts: others are disturbed */

/* Nanoseconds for LOOK_RUNS looks at x; with NULL at none. */
static uint64_t time_looks(struct dbg_points *p, const struct dbg_point *x)
{
    struct cpu *c = machine_cpu(p->m, machine_turn(p->m));
    struct accel *a = machine_accel(p->m);
    struct arena arena;
    struct ir_unit u;
    uint64_t ns, pc = c->pc;

    arena_init(&arena);
    ir_unit_init(&u, &arena, &c->guest->names);
    u.pc = x && !x->physical ? x->addr : c->pc;
    ir_block_begin(&u);
    if (x)
        lift_look(x, c, &u);
    ir_exit_stop(&u);
    ns = a->ops->time(a, c, &u, LOOK_RUNS);
    c->pc = pc;
    arena_fini(&arena);
    return ns;
}

/* A point that is disabled decides without any effect but that it counts. */
double dbg_points_look_ns(struct dbg_points *p, struct dbg_point *x)
{
    const struct dbg_point was = *x;
    double best = -1;

    if (x->kind != DBG_BREAK || !dbg_agent_is_pure(&x->cond))
        return -1;
    x->disabled = true;
    for (unsigned i = 0; i < LOOK_ROUNDS; i++) {
        uint64_t without = time_looks(p, NULL), with = time_looks(p, x);
        double ns = with > without ? (double)(with - without) / LOOK_RUNS : 0;

        if (with != UINT64_MAX && (best < 0 || ns < best))
            best = ns;
    }
    x->disabled = was.disabled;
    x->evals = was.evals;
    return best;
}

static void say_ns(double ns, struct buf *out)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    unsigned i = 0;

    for (; ns >= 1000 && i + 1 < ARRAY_LEN(units); i++)
        ns /= 1000;
    buf_fmt(out, "%.1f %s", ns, units[i]);
}

static void say_cost(const char *what, double each, uint64_t n, const char *how, struct buf *out)
{
    buf_fmt(out, "%s%s ", out->len ? "; " : "", what);
    say_ns(each, out);
    buf_str(out, " each, ");
    say_ns(each * (double)n, out);
    buf_fmt(out, " in all (%s)", how);
}

static void say_meter(const char *what, const struct dbg_meter *k, struct buf *out)
{
    char how[64];

    if (!k->timed)
        return;
    snprintf(how, sizeof how, "%llu of %llu timed", (unsigned long long)k->timed,
             (unsigned long long)k->n);
    say_cost(what, (double)k->ns / (double)k->timed, k->n, how, out);
}

void dbg_points_cost(struct dbg_points *p, struct dbg_point *x, struct buf *out)
{
    struct buf text = BUF_INIT;
    double look = x->kind == DBG_BREAK && x->evals ? dbg_points_look_ns(p, x) : -1;

    if (look >= 0)
        say_cost("looks", look, x->evals, "timed now", &text);
    say_meter("looks", &x->looks, &text);
    say_meter("work", &x->work, &text);
    buf_add(out, text.data, text.len);
    buf_fini(&text);
}

/* ---- for people ---- */

static const char *const event_names[] = {
    [CPU_EVENT_TRAP] = "trap",           [CPU_EVENT_INTERRUPT] = "interrupt",
    [CPU_EVENT_MODE] = "mode",           [CPU_EVENT_SPACE] = "space",
    [CPU_EVENT_REG_READ] = "reg-read",   [CPU_EVENT_REG_WRITE] = "reg-write",
    [CPU_EVENT_DEVICE_READ] = "device-read", [CPU_EVENT_DEVICE_WRITE] = "device-write",
    [CPU_EVENT_HALT] = "halt",
};

const char *dbg_event_name(enum cpu_event e)
{
    return event_names[e];
}

enum cpu_event dbg_event_find(const char *name)
{
    unsigned e = 0;

    while (e < CPU_EVENTS && strcmp(event_names[e], name))
        e++;
    return (enum cpu_event)e;
}

static const char *const unit_event_names[] = {
    [CPU_UNIT_MADE] = "made",
    [CPU_UNIT_EVICTED] = "evicted",
    [CPU_UNIT_INVALIDATED] = "invalidated",
};

const char *dbg_unit_event_name(enum cpu_unit_event e)
{
    return unit_event_names[e];
}

static void describe_unit_events(const struct dbg_point *x, struct buf *out)
{
    for (unsigned e = 0; e < CPU_UNIT_EVENTS; e++)
        if (x->units >> e & 1)
            buf_fmt(out, " %s", unit_event_names[e]);
}

static void describe_code(const struct dbg_point *x, struct buf *out)
{
    if (x->first || x->last != UINT64_MAX)
        buf_fmt(out, " 0x%llx-0x%llx", (unsigned long long)x->first, (unsigned long long)x->last);
}

static void describe_what(const struct dbg_point *x, const struct guest *g, struct buf *out)
{
    static const char *const watch[] = {"?", "rwatch", "watch", "awatch"};

    switch (x->kind) {
    case DBG_BREAK:
        buf_fmt(out, "%s  0x%016llx", x->act ? "trace" : "break", (unsigned long long)x->addr);
        break;
    case DBG_WATCH:
        buf_fmt(out, "%-6s 0x%016llx %llu byte%s", watch[x->access & 3],
                (unsigned long long)x->addr, (unsigned long long)x->len, x->len == 1 ? "" : "s");
        break;
    case DBG_CATCH:
        buf_fmt(out, "catch  %s", dbg_event_name(x->event));
        if (x->first || x->last != UINT64_MAX)
            buf_fmt(out, x->first == x->last ? " %llu" : " %llu-%llu", (unsigned long long)x->first,
                    (unsigned long long)x->last);
        if (x->event == CPU_EVENT_TRAP && x->first == x->last)
            buf_fmt(out, " (%s)", g->cause_name(x->first));
        break;
    case DBG_EXEC:
        buf_str(out, "catch  exec");
        describe_code(x, out);
        break;
    case DBG_UNITS:
        buf_str(out, "catch  translate");
        describe_unit_events(x, out);
        describe_code(x, out);
    }
}

void dbg_point_describe(const struct dbg_point *x, const struct guest *g, struct buf *out)
{
    buf_fmt(out, "%-4u ", x->number);
    describe_what(x, g, out);
    buf_fmt(out, "%s%s%s%s  hit %llu time%s", x->physical ? " physical" : "",
            x->temporary ? " once" : "", x->disabled ? " disabled" : "",
            x->cond.len ? " conditional" : "", (unsigned long long)x->hits,
            x->hits == 1 ? "" : "s");
    if (x->ncommands)
        buf_str(out, ", runs commands");
    if (x->evals != x->hits)
        buf_fmt(out, ", looked at %llu times", (unsigned long long)x->evals);
    if (x->ignore)
        buf_fmt(out, ", %llu more ignored", (unsigned long long)x->ignore);
    if (x->text)
        buf_fmt(out, "  %s", x->text);
    buf_ch(out, '\n');
}
