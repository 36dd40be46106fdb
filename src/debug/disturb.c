/*
 * disturb.c - see disturb.h.
 *
 * Something is done at counts that are drawn, and at stops.  A point goes when its time is over
 * or when it has been hit or looked at often enough: one that is touched by every instruction
 * must not hold the machine up for long.
 *
 * All that decides what comes next is one struct without pointers, so that it can be saved.
 */
#include "debug/disturb.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "debug/backtrace.h"
#include "debug/disas.h"
#include "debug/expr.h"
#include "debug/memory.h"
#include "debug/points.h"
#include "debug/regs.h"
#include "debug/walk.h"
#include "snap/snap.h"

enum {
    POINTS_MAX = 12,  /* at a time */
    PLACES = 64,      /* that are remembered, of code and of data each */
    QUIET_BITS = 18,  /* log2 of the most instructions between two doings */
    LIFE_BITS = 14,   /* likewise of 1024 instructions in the life of a point */
    LENGTH_BITS = 16, /* of the bytes that a point watches */
    HITS_BITS = 6,    /* of the hits of a point */
    LOOKS_MAX = 2000, /* at a point, behind which it goes */
    STEPS_BITS = 6,   /* of single steps in a row */
};

/* Where the guest has been; paddr may be CPU_NO_PADDR. */
struct place {
    uint64_t vaddr, paddr;
};

struct places {
    struct place at[PLACES];
    uint64_t n; /* that ever were; the last ones are there */
};

/* A point, and what it is made of. */
struct plan {
    struct dbg_point what; /* without pointers; once made, as it was when it was saved */
    bool conditional, commanded, pauses;
    unsigned shape; /* of the condition */
    uint32_t row;   /* the register in it */
    uint64_t end;   /* the machine's count at which it goes */
    uint64_t hits;  /* after which it goes */
};

struct counts {
    uint64_t points[DBG_CATCH + 1], stops[DBG_CATCH + 1]; /* by kind */
    uint64_t steps, pauses, looks;
};

struct state {
    uint64_t random; /* the generator's */
    uint64_t next;   /* count at which something is done */
    uint64_t steps;  /* that are left to be made */
    bool pass; /* the machine goes on from a stop, or steps: not to be stopped by the probe there */
    uint32_t passing; /* bits: CPUs that are past the probe at their pc; only as it was saved */
    struct places code, data;
    uint64_t told[CPU_EVENTS]; /* what events were about */
    struct plan plans[POINTS_MAX];
    unsigned nplans;
    struct counts count;
};

struct disturb {
    uint64_t seed;
    struct machine *m;
    struct dbg_points *points;
    struct dbg_symbols *symbols; /* of the board's files */
    struct dbg_disas *disas;
    struct state s;
};

/* ---- random numbers ---- */

static uint64_t draw(struct state *s)
{
    s->random += UINT64_C(0x9e3779b97f4a7c15);
    return bits_mix(s->random);
}

static uint64_t below(struct state *s, uint64_t n)
{
    return draw(s) % n;
}

static bool one_in(struct state *s, uint64_t n)
{
    return !below(s, n);
}

/* 1 to 2^bits, small ones as often as large ones. */
static uint64_t spread(struct state *s, unsigned bits)
{
    return 1 + below(s, BIT(below(s, bits + 1)));
}

/* ---- where the guest has been ---- */

static void note(struct places *p, uint64_t vaddr, uint64_t paddr)
{
    p->at[p->n++ % PLACES] = (struct place){vaddr, paddr};
}

static struct place choose(struct state *s, const struct places *p)
{
    return p->at[below(s, p->n < PLACES ? p->n : PLACES)];
}

/* Where a register leads to, if it is an address. */
static void note_register(struct state *s, struct cpu *c)
{
    uint32_t row = (uint32_t)below(s, c->guest->names.nslots);
    struct guest_walk w;
    uint64_t addr;

    if (c->guest->regs[row].kind != REG_INT)
        return;
    addr = c->guest->reg_read(c, row);
    c->guest->walk(c, addr, TLB_READ, c->guest->data_mode(c), GUEST_WALK_DEBUG, &w);
    if (w.ok)
        note(&s->data, addr, w.paddr);
}

static void look_around(struct disturb *d)
{
    for (unsigned i = 0; i < machine_ncpus(d->m); i++) {
        struct cpu *c = machine_cpu(d->m, i);

        note(&d->s.code, c->pc, cpu_debug_paddr(c, c->pc));
        note_register(&d->s, c);
    }
}

/* ---- conditions ---- */

static const struct {
    const char *before, *behind; /* a register's name */
} shapes[] = {
    {"0 && ", ""},    {"1 || ", ""},           {"", " & 1"}, {"", " % 3 == 0"}, {"s32(", ") < 0"},
    {"u8[", "] & 4"}, {"u64[", " + 8] > 100"},
};

static struct dbg_agent condition(const struct disturb *d, const struct plan *p)
{
    const struct guest *g = machine_guest(d->m);
    struct dbg_agent a = {0};
    char text[80];
    struct err e;

    snprintf(text, sizeof text, "%s$%.40s%s", shapes[p->shape].before, g->regs[p->row].name,
             shapes[p->shape].behind);
    if (dbg_expr_compile(&a, text, g, NULL, &e))
        assert(!"a condition is none");
    return a;
}

/* A register that can be in one. */
static uint32_t draw_register(struct state *s, const struct guest *g)
{
    uint32_t row;

    do
        row = (uint32_t)below(s, g->nregs);
    while (g->regs[row].gdb == GUEST_NO_GDB);
    return row;
}

/* ---- points ---- */

/* The machine's run ends now, or with the window that it is in. */
static void ask_for_pause(struct disturb *d)
{
    machine_interrupt(d->m);
    d->s.count.pauses++;
}

/* What a breakpoint does instead of stopping. */
static bool pause_at(void *opaque, struct cpu *c)
{
    (void)c;
    ask_for_pause(opaque);
    return false;
}

static void make(struct disturb *d, struct plan *p)
{
    struct dbg_point x = p->what;

    if (p->conditional)
        x.cond = condition(d, p);
    if (p->commanded) {
        x.commands = xmalloc(sizeof *x.commands);
        x.commands[0] = condition(d, p);
        x.ncommands = 1;
    }
    if (p->pauses) {
        x.act = pause_at;
        x.opaque = d;
    }
    p->what.number = dbg_points_add(d->points, &x);
}

static void plan_break(struct state *s, struct plan *p)
{
    struct place at = choose(s, &s->code);
    struct dbg_point *x = &p->what;

    x->physical = at.paddr != CPU_NO_PADDR && one_in(s, 3);
    x->addr = x->physical ? at.paddr : at.vaddr;
    if (one_in(s, 8)) /* behind it, maybe in the middle of an instruction */
        x->addr += 2 * below(s, 16);
    p->pauses = one_in(s, 8);
}

static void plan_watch(struct state *s, struct plan *p)
{
    struct place at = choose(s, !s->data.n || one_in(s, 8) ? &s->code : &s->data);
    struct dbg_point *x = &p->what;

    x->physical = at.paddr != CPU_NO_PADDR && one_in(s, 2);
    x->addr = (x->physical ? at.paddr : at.vaddr) + below(s, 65) - 32;
    x->len = one_in(s, 3) ? spread(s, LENGTH_BITS) : BIT(below(s, 4));
    if (x->addr + (x->len - 1) < x->addr)
        x->len = 1;
    x->access = (uint8_t)(1 + below(s, CPU_WATCH_READ | CPU_WATCH_WRITE));
    x->changed_only = one_in(s, 4);
}

static void plan_catch(struct state *s, struct plan *p)
{
    struct dbg_point *x = &p->what;

    x->event = (enum cpu_event)below(s, CPU_EVENTS);
    if (one_in(s, 2)) {
        x->first = s->told[x->event];
        x->last = x->first + below(s, 4) < x->first ? x->first : x->first + 3;
    }
}

/* Where, when and how often any point counts. */
static void plan_limits(struct disturb *d, struct plan *p)
{
    struct state *s = &d->s;
    struct dbg_point *x = &p->what;

    if (one_in(s, 4))
        x->cpus = (uint32_t)below(s, BIT(machine_ncpus(d->m)));
    x->one_space = one_in(s, 8);
    x->space = machine_cpu(d->m, machine_turn(d->m))->tlb.space;
    x->ignore = one_in(s, 4) ? below(s, 16) : 0;
    x->temporary = one_in(s, 8);
    p->conditional = one_in(s, 2);
    p->commanded = one_in(s, 8);
    p->shape = (unsigned)below(s, ARRAY_LEN(shapes));
    p->row = draw_register(s, machine_guest(d->m));
    p->end = machine_count(d->m) + (spread(s, LIFE_BITS) << 10);
    p->hits = spread(s, HITS_BITS);
}

static void add_point(struct disturb *d)
{
    static void (*const plan[])(struct state *, struct plan *) = {
        [DBG_BREAK] = plan_break, [DBG_WATCH] = plan_watch, [DBG_CATCH] = plan_catch};
    struct plan *p = &d->s.plans[d->s.nplans++];

    *p = (struct plan){
        .what = {.kind = (enum dbg_kind)below(&d->s, ARRAY_LEN(plan)), .last = UINT64_MAX}};
    plan[p->what.kind](&d->s, p);
    plan_limits(d, p);
    make(d, p);
    d->s.count.points[p->what.kind]++;
}

static void delete_point(struct disturb *d, unsigned i)
{
    struct state *s = &d->s;

    dbg_points_delete(d->points, s->plans[i].what.number);
    s->nplans--;
    memmove(&s->plans[i], &s->plans[i + 1], (s->nplans - i) * sizeof s->plans[i]);
}

/* Takes away what has had its time. */
static void tidy(struct disturb *d)
{
    uint64_t now = machine_count(d->m);

    for (unsigned i = d->s.nplans; i--;) {
        const struct plan *p = &d->s.plans[i];
        const struct dbg_point *x = dbg_points_find(d->points, p->what.number);

        if (!x || now >= p->end || x->hits >= p->hits || x->evals >= LOOKS_MAX)
            delete_point(d, i);
    }
}

/* ---- looks ---- */

static void look_at_registers(struct disturb *d, struct cpu *c, struct buf *out)
{
    (void)d;
    dbg_regs_general(c, out);
    for (unsigned kind = REG_PC; kind <= REG_SYSTEM; kind++)
        dbg_regs_kind(c, (enum reg_kind)kind, out);
}

static void look_at_memory(struct disturb *d, struct cpu *c, struct buf *out)
{
    struct place at = choose(&d->s, d->s.data.n ? &d->s.data : &d->s.code);
    struct dbg_format f = {'x', 8, 32};

    dbg_memory(c, false, at.vaddr, &f, out);
    dbg_memory(c, true, at.paddr, &f, out);
    dbg_walk(c, at.vaddr, TLB_WRITE, out);
}

static void look_at_code(struct disturb *d, struct cpu *c, struct buf *out)
{
    struct accel *a = machine_accel(d->m);

    dbg_disas_lines(d->disas, c, c->pc, 8, NULL, NULL, out);
    a->ops->explain(a, c, c->pc, out);
}

static void look_at_frames(struct disturb *d, struct cpu *c, struct buf *out)
{
    dbg_backtrace(c, d->symbols, 16, out);
}

static void look_at_state(struct disturb *d, struct cpu *c, struct buf *out)
{
    struct snap s;

    (void)c;
    snap_open_list(&s, out);
    machine_state(d->m, &s);
    snap_close(&s, NULL);
    machine_hash(d->m);
}

/* As a person or a front end might, at one of many things. */
static void look(struct disturb *d)
{
    static void (*const looks[])(struct disturb *, struct cpu *, struct buf *) = {
        look_at_registers, look_at_memory, look_at_code, look_at_frames, look_at_state};
    struct cpu *c = machine_cpu(d->m, (unsigned)below(&d->s, machine_ncpus(d->m)));
    struct buf out = BUF_INIT;

    looks[below(&d->s, ARRAY_LEN(looks))](d, c, &out);
    buf_fini(&out);
    d->s.count.looks++;
}

/* ---- what is done ---- */

static void change_points(struct disturb *d)
{
    struct state *s = &d->s;

    tidy(d);
    if (s->nplans && (s->nplans == POINTS_MAX || one_in(s, 4)))
        delete_point(d, (unsigned)below(s, s->nplans));
    else
        add_point(d);
}

static void begin_steps(struct state *s)
{
    s->steps = spread(s, STEPS_BITS);
    s->pass = true;
}

/* At a count that was drawn. */
static void act(struct disturb *d)
{
    struct state *s = &d->s;

    s->next = machine_count(d->m) + spread(s, QUIET_BITS);
    look_around(d);
    change_points(d);
    if (one_in(s, 4))
        look(d);
    if (one_in(s, 4))
        begin_steps(s);
    if (one_in(s, 8))
        ask_for_pause(d);
    s->pass |= one_in(s, 2); /* it may go on past a point that was just set here */
}

static void note_hit(struct disturb *d, const struct dbg_hit *hit)
{
    struct state *s = &d->s;

    s->count.stops[hit->caught ? DBG_CATCH : hit->touch.size ? DBG_WATCH : DBG_BREAK]++;
    if (hit->touch.size)
        note(&s->data, hit->touch.vaddr, hit->touch.paddr);
    if (hit->caught)
        s->told[hit->event] = hit->a;
}

/* The machine came to MACHINE_BREAK. */
static void stopped(struct disturb *d)
{
    struct state *s = &d->s;
    struct dbg_hit hit;

    if (!dbg_points_stopped(d->points, &hit)) {
        tidy(d);
        return;
    }
    note_hit(d, &hit);
    s->pass = true;
    s->steps = 0;
    look_around(d);
    if (one_in(s, 2))
        change_points(d);
    if (one_in(s, 8))
        look(d);
    if (one_in(s, 8))
        begin_steps(s);
    tidy(d);
}

/* As the control loop does it. */
static void get_ready(struct disturb *d)
{
    dbg_points_apply(d->points);
    if (d->s.pass)
        machine_pass_probe(d->m, machine_turn(d->m));
    d->s.pass = false;
}

/* Runs on to a count, a stop, or where something is to be done. */
static enum machine_stop run_once(struct disturb *d, uint64_t until)
{
    struct state *s = &d->s;
    uint64_t now = machine_count(d->m), to;
    enum machine_stop stop;

    if (now >= until)
        return machine_run(d->m, until);
    if (now >= s->next)
        act(d);
    to = s->steps ? now + 1 : s->next;
    get_ready(d);
    stop = machine_run(d->m, to < until ? to : until);
    if (stop == MACHINE_COUNT && s->steps) {
        s->steps--;
        s->count.steps++;
    }
    return stop;
}

static enum machine_stop run(void *runner, uint64_t until)
{
    struct disturb *d = runner;
    enum machine_stop stop;

    for (;;) {
        stop = run_once(d, until);
        if (stop == MACHINE_BREAK)
            stopped(d);
        else if (stop != MACHINE_INTERRUPTED &&
                 (stop != MACHINE_COUNT || machine_count(d->m) >= until))
            return stop;
    }
}

/* ---- as verify knows it ---- */

static void *start(void *opaque, struct machine *m)
{
    const uint64_t *seed = opaque;
    struct disturb *d = xcalloc(1, sizeof *d);

    d->seed = d->s.random = *seed;
    d->m = m;
    d->points = dbg_points_new(m);
    d->symbols = dbg_symbols_new();
    dbg_symbols_board(d->symbols, machine_board(m));
    d->disas = dbg_disas_new(machine_guest(m), d->symbols);
    return d;
}

static void end(void *runner)
{
    struct disturb *d = runner;

    dbg_points_free(d->points);
    dbg_disas_free(d->disas);
    dbg_symbols_free(d->symbols);
    free(d);
}

static void save(void *runner, struct buf *out)
{
    struct disturb *d = runner;
    struct state s = d->s;

    for (unsigned i = 0; i < s.nplans; i++) {
        struct dbg_point *what = &s.plans[i].what;
        const struct dbg_point *x = dbg_points_find(d->points, what->number);

        what->ignore = x->ignore;
        what->hits = x->hits;
        what->evals = x->evals;
    }
    for (unsigned i = 0; i < machine_ncpus(d->m); i++)
        s.passing |= (uint32_t)machine_cpu(d->m, i)->stop_passed << i;
    buf_add(out, &s, sizeof s);
}

static void load(void *runner, const struct buf *saved)
{
    struct disturb *d = runner;
    struct dbg_hit hit;

    assert(saved->len == sizeof d->s);
    dbg_points_stopped(d->points, &hit); /* what was put down where the machine comes from */
    while (d->s.nplans)
        delete_point(d, d->s.nplans - 1);
    memcpy(&d->s, saved->data, sizeof d->s);
    for (unsigned i = 0; i < d->s.nplans; i++)
        make(d, &d->s.plans[i]);
    for (unsigned i = 0; i < machine_ncpus(d->m); i++)
        machine_cpu(d->m, i)->stop_passed = d->s.passing >> i & 1;
    d->s.passing = 0;
}

static void report(void *runner, struct buf *out)
{
    const struct disturb *d = runner;
    const struct counts *c = &d->s.count;

    buf_fmt(out,
            "disturbed by seed %" PRIu64 ": points %" PRIu64 " (break %" PRIu64 ", watch %" PRIu64
            ", catch %" PRIu64 "), stops %" PRIu64 " (%" PRIu64 ", %" PRIu64 ", %" PRIu64
            "), steps %" PRIu64 ", pauses %" PRIu64 ", looks %" PRIu64 "\n",
            d->seed, c->points[0] + c->points[1] + c->points[2], c->points[0], c->points[1],
            c->points[2], c->stops[0] + c->stops[1] + c->stops[2], c->stops[0], c->stops[1],
            c->stops[2], c->steps, c->pauses, c->looks);
}

struct verify_runner dbg_disturb(const uint64_t *seed)
{
    return (struct verify_runner){start, end, run, save, load, report, (void *)(uintptr_t)seed};
}
