/* trace.c - see trace.h. */
#include "debug/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "cpu/guest.h"

#define HEAD      6      /* bytes before a frame's blocks */
#define BLOCK_MAX 65535u /* bytes of an M block */

/* ---- the buffer ---- */

static void ring_write(struct dbg_trace *t, const void *data, uint64_t len)
{
    uint64_t at = (t->start + t->used) % t->size, first = t->size - at;

    first = first < len ? first : len;
    memcpy(t->data + at, data, first);
    memcpy(t->data, (const uint8_t *)data + first, len - first);
    t->used += len;
}

void dbg_trace_bytes(const struct dbg_trace *t, uint64_t at, void *data, uint64_t len)
{
    uint64_t first;

    at %= t->size;
    first = t->size - at < len ? t->size - at : len;
    memcpy(data, t->data + at, first);
    memcpy((uint8_t *)data + first, t->data, len - first);
}

size_t dbg_trace_nframes(const struct dbg_trace *t)
{
    return t->frames.len - t->first;
}

const struct dbg_trace_frame *dbg_trace_frame(const struct dbg_trace *t, size_t n)
{
    return n < dbg_trace_nframes(t) ? &t->frames.data[t->first + n] : NULL;
}

static void drop_oldest(struct dbg_trace *t)
{
    const struct dbg_trace_frame *f = dbg_trace_frame(t, 0);

    t->start = (t->start + f->len) % t->size;
    t->used -= f->len;
    if (++t->first < 1024 || t->first < t->frames.len / 2)
        return;
    t->frames.len -= t->first;
    memmove(t->frames.data, t->frames.data + t->first, t->frames.len * sizeof *t->frames.data);
    t->first = 0;
}

/* False: there is no room, and what is there is kept. */
static bool make_room(struct dbg_trace *t, uint64_t len)
{
    while (t->circular && len <= t->size &&
           (t->size - t->used < len || dbg_trace_nframes(t) == DBG_TRACE_FRAMES_MAX))
        drop_oldest(t);
    return t->size - t->used >= len && dbg_trace_nframes(t) < DBG_TRACE_FRAMES_MAX;
}

uint64_t dbg_trace_copy(const struct dbg_trace *t, uint64_t at, void *data, uint64_t len)
{
    if (at >= t->used)
        return 0;
    len = t->used - at < len ? t->used - at : len;
    dbg_trace_bytes(t, t->start + at, data, len);
    return len;
}

/* ---- a frame ---- */

static void put_le(struct dbg_trace *t, uint64_t v, unsigned bytes)
{
    uint8_t raw[8];

    bits_store_le(raw, bytes, v);
    buf_add(&t->frame, raw, bytes);
}

static void collect_regs(struct dbg_trace *t, const struct dbg_tracepoint *x, bool step,
                         struct cpu *c)
{
    size_t at = t->frame.len + 1;

    if (!x->regs[step].len)
        return;
    buf_ch(&t->frame, 'R');
    buf_add(&t->frame, t->no_regs, t->regs_len);
    for (size_t i = 0; i < x->regs[step].len; i++) {
        const struct dbg_trace_reg *r = &t->regs.data[x->regs[step].data[i]];

        bits_store_le((uint8_t *)t->frame.data + at + r->at, r->bytes,
                      c->guest->reg_read(c, r->row));
    }
}

/* What of it is there: so many bytes. */
static uint64_t collect_block(struct dbg_trace *t, struct cpu *c, uint64_t addr, uint64_t len)
{
    uint8_t bytes[BLOCK_MAX];
    uint64_t value, got;

    if (len <= 8 && !(len & (len - 1)) && cpu_debug_load(c, addr, (unsigned)len, &value)) {
        bits_store_le(bytes, (unsigned)len, value);
        got = len;
    } else {
        got = cpu_peek(c, addr, bytes, len);
    }
    if (!got)
        return 0;
    buf_ch(&t->frame, 'M');
    put_le(t, addr, 8);
    put_le(t, got, 2);
    buf_add(&t->frame, bytes, got);
    return got;
}

/* Up to where memory ends; what cannot fit into the buffer is not read either. */
static void collect_memory(struct dbg_trace *t, struct cpu *c, uint64_t addr, uint64_t len)
{
    while (len && t->frame.len <= t->size) {
        uint64_t part = len < BLOCK_MAX ? len : BLOCK_MAX;

        if (collect_block(t, c, addr, part) < part)
            return;
        addr += part;
        len -= part;
    }
}

/* Up to and with the byte 0. */
static void collect_string(struct dbg_trace *t, struct cpu *c, uint64_t addr, uint64_t max)
{
    uint64_t len = 0, byte = 1;

    max = max < BLOCK_MAX ? max : BLOCK_MAX;
    while (len < max && byte && cpu_debug_load(c, addr + len, 1, &byte))
        len++;
    collect_memory(t, c, addr, len);
}

static void collect_var(struct dbg_trace *t, unsigned number)
{
    const struct dbg_trace_var *v = dbg_trace_var(t, number, false);

    buf_ch(&t->frame, 'V');
    put_le(t, number, 4);
    put_le(t, v ? v->value : 0, 8);
}

static void collect(struct dbg_trace *t, struct cpu *c, const struct dbg_collect *a)
{
    uint64_t base = 0;

    if (a->kind == DBG_COLLECT_AGENT) {
        dbg_agent_run(&a->agent, c);
        return;
    }
    if (a->row >= 0)
        base = c->guest->reg_read(c, (uint32_t)a->row);
    collect_memory(t, c, base + a->addr, a->len);
}

static void finish(struct dbg_trace *t, enum dbg_trace_state why)
{
    t->state = why;
    t->step_of = NULL;
}

static void commit(struct dbg_trace *t, struct dbg_tracepoint *x, bool step, uint64_t pc)
{
    struct dbg_trace_frame f = {.len = t->frame.len, .x = x, .step = step, .pc = pc};

    bits_store_le((uint8_t *)t->frame.data, 2, x->number);
    bits_store_le((uint8_t *)t->frame.data + 2, 4, f.len - HEAD);
    if (!make_room(t, f.len)) {
        finish(t, DBG_TRACE_FULL);
        return;
    }
    f.at = (t->start + t->used) % t->size;
    ring_write(t, t->frame.data, f.len);
    vec_push(&t->frames, f);
    t->created++;
    x->usage += f.len;
}

static void write_frame(struct dbg_trace *t, struct dbg_tracepoint *x, struct cpu *c, bool step)
{
    static const char head[HEAD];

    buf_reset(&t->frame);
    buf_add(&t->frame, head, HEAD);
    t->writes = true;
    collect_regs(t, x, step, c);
    for (size_t i = 0; i < x->actions[step].len; i++)
        collect(t, c, &x->actions[step].data[i]);
    t->writes = false;
    commit(t, x, step, c->pc);
}

/* ---- hits ---- */

static bool on_hit(void *opaque, struct cpu *c)
{
    struct dbg_tracepoint *x = opaque;
    struct dbg_trace *t = x->trace;

    if (t->state != DBG_TRACE_RUNS)
        return false;
    x->hits++;
    write_frame(t, x, c, false);
    if (t->state == DBG_TRACE_RUNS && x->pass && x->hits >= x->pass) {
        t->stopped_by = x->number;
        finish(t, DBG_TRACE_PASSED);
    }
    if (t->state != DBG_TRACE_RUNS || !x->steps || t->step_of)
        return false;
    t->step_of = x;
    t->step_left = x->steps;
    t->step_cpu = c->index;
    return true;
}

/* By a single count, which may be a step of the hit that has some left. */
static enum machine_stop run_one(struct dbg_trace *t)
{
    struct cpu *c = machine_cpu(t->m, t->step_cpu);
    uint64_t count = cpu_count(c);
    enum machine_stop why;

    if (t->step_left == t->step_of->steps) /* it goes on from the hit */
        machine_pass_probe(t->m, t->step_cpu);
    why = machine_run(t->m, machine_count(t->m) + 1);
    if (cpu_count(c) == count)
        return why;
    write_frame(t, t->step_of, c, true);
    if (t->step_of && !--t->step_left)
        t->step_of = NULL;
    return why;
}

enum machine_stop dbg_trace_run(struct dbg_trace *t, uint64_t until)
{
    enum machine_stop why = MACHINE_COUNT;

    if (!t->step_of)
        return machine_run(t->m, until);
    while (t->step_of && why == MACHINE_COUNT && machine_count(t->m) < until)
        why = run_one(t);
    return why == MACHINE_COUNT && machine_count(t->m) < until ? machine_run(t->m, until) : why;
}

/* Only a hit's programs have a frame to write to; others may have variables. */
static uint64_t answer(void *opaque, struct cpu *c, uint64_t what, uint64_t a, uint64_t b)
{
    struct dbg_trace *t = opaque;
    struct dbg_trace_var *v = dbg_trace_var(t, (unsigned)a, false);

    if (what == (uint64_t)DBG_ASK_GETV)
        return v ? v->value : 0;
    if (what == (uint64_t)DBG_ASK_SETV && v)
        v->value = b;
    if (!t->writes)
        return 0;
    if (what == (uint64_t)DBG_ASK_TRACEV)
        collect_var(t, (unsigned)a);
    if (what == (uint64_t)DBG_ASK_TRACE)
        collect_memory(t, c, a, b);
    if (what == (uint64_t)DBG_ASK_TRACENZ)
        collect_string(t, c, a, b);
    return 0;
}

/* ---- tracepoints and variables ---- */

struct dbg_tracepoint *dbg_trace_find(const struct dbg_trace *t, unsigned number, uint64_t addr)
{
    for (size_t i = 0; i < t->all.len; i++)
        if (t->all.data[i]->number == number && t->all.data[i]->addr == addr)
            return t->all.data[i];
    return NULL;
}

struct dbg_tracepoint *dbg_trace_add(struct dbg_trace *t, unsigned number, uint64_t addr)
{
    struct dbg_tracepoint *x;

    if (t->all.len == DBG_TRACE_POINTS_MAX || dbg_trace_find(t, number, addr))
        return NULL;
    x = xcalloc(1, sizeof *x);
    x->trace = t;
    x->number = number;
    x->addr = addr;
    vec_push(&t->all, x);
    return x;
}

static void tracepoint_free(struct dbg_tracepoint *x)
{
    for (unsigned step = 0; step < 2; step++) {
        for (size_t i = 0; i < x->actions[step].len; i++)
            dbg_agent_fini(&x->actions[step].data[i].agent);
        vec_fini(&x->actions[step]);
        vec_fini(&x->regs[step]);
    }
    for (size_t i = 0; i < x->texts.len; i++)
        free(x->texts.data[i]);
    vec_fini(&x->texts);
    dbg_agent_fini(&x->cond);
    free(x);
}

void dbg_trace_remove(struct dbg_trace *t, struct dbg_tracepoint *x)
{
    size_t i = 0;

    while (t->all.data[i] != x)
        i++;
    t->all.len--;
    memmove(t->all.data + i, t->all.data + i + 1, (t->all.len - i) * sizeof(struct dbg_tracepoint *));
    t->kept -= x->kept;
    tracepoint_free(x);
}

bool dbg_trace_keep(struct dbg_tracepoint *x, size_t bytes)
{
    struct dbg_trace *t = x->trace;

    if (bytes > DBG_TRACE_KEPT_MAX - t->kept)
        return false;
    t->kept += bytes;
    x->kept += bytes;
    return true;
}

void dbg_trace_enable(struct dbg_trace *t, struct dbg_tracepoint *x, bool enabled)
{
    struct dbg_point *point = x->point ? dbg_points_find(t->points, x->point) : NULL;

    x->disabled = !enabled;
    if (!point)
        return;
    point->disabled = !enabled;
    dbg_points_changed(t->points, point);
}

struct dbg_trace_var *dbg_trace_var(struct dbg_trace *t, unsigned number, bool make)
{
    struct dbg_trace_var v = {.number = number};

    for (size_t i = 0; i < t->vars.len; i++)
        if (t->vars.data[i].number == number)
            return &t->vars.data[i];
    if (!make)
        return NULL;
    vec_push(&t->vars, v);
    return &t->vars.data[t->vars.len - 1];
}

/* ---- the whole ---- */

static int by_number(const void *a, const void *b)
{
    const struct dbg_trace_reg *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void list_regs(struct dbg_trace *t)
{
    const struct guest *g = machine_guest(t->m);

    for (uint32_t row = 0; row < g->nregs; row++) {
        struct dbg_trace_reg r = {g->regs[row].gdb, row, 0, g->regs[row].bits / 8u};

        if (g->regs[row].gdb_feature)
            vec_push(&t->regs, r);
        if (g->regs[row].gdb_feature && g->regs[row].kind == REG_PC)
            t->pc = r.number;
    }
    qsort(t->regs.data, t->regs.len, sizeof *t->regs.data, by_number);
    for (size_t i = 0; i < t->regs.len; i++) {
        t->regs.data[i].at = t->regs_len;
        t->regs_len += t->regs.data[i].bytes;
    }
    t->no_regs = xcalloc(1, t->regs_len);
}

static const struct dbg_trace_reg *find_reg(const struct dbg_trace *t, uint32_t number)
{
    struct dbg_trace_reg key = {.number = number};

    return bsearch(&key, t->regs.data, t->regs.len, sizeof key, by_number);
}

static void want(struct dbg_tracepoint *x, bool step, uint32_t index)
{
    for (size_t i = 0; i < x->regs[step].len; i++)
        if (x->regs[step].data[i] == index)
            return;
    vec_push(&x->regs[step], index);
}

/* Whoever reads an R block looks for the pc there. */
void dbg_trace_want_reg(struct dbg_tracepoint *x, bool step, uint32_t number)
{
    const struct dbg_trace *t = x->trace;
    const struct dbg_trace_reg *r = find_reg(t, number);

    if (!r)
        return;
    want(x, step, (uint32_t)(r - t->regs.data));
    want(x, step, (uint32_t)(find_reg(t, t->pc) - t->regs.data));
}

struct dbg_trace *dbg_trace_new(struct dbg_points *points, struct machine *m)
{
    struct dbg_trace *t = xcalloc(1, sizeof *t);

    t->points = points;
    t->m = m;
    t->size = DBG_TRACE_SIZE;
    list_regs(t);
    buf_init(&t->frame);
    dbg_points_answer(points, answer, t);
    return t;
}

void dbg_trace_free(struct dbg_trace *t)
{
    if (!t)
        return;
    dbg_trace_clear(t);
    dbg_points_answer(t->points, NULL, NULL);
    vec_fini(&t->all);
    vec_fini(&t->vars);
    vec_fini(&t->frames);
    vec_fini(&t->regs);
    free(t->no_regs);
    buf_fini(&t->frame);
    free(t->data);
    free(t);
}

static void unset(struct dbg_trace *t)
{
    for (size_t i = 0; i < t->all.len; i++) {
        if (t->all.data[i]->point)
            dbg_points_delete(t->points, t->all.data[i]->point);
        t->all.data[i]->point = 0;
    }
}

static void empty(struct dbg_trace *t)
{
    t->start = t->used = 0;
    t->frames.len = t->first = 0;
    t->created = 0;
    buf_reset(&t->frame);
}

void dbg_trace_clear(struct dbg_trace *t)
{
    unset(t);
    finish(t, DBG_TRACE_NOT_RUN);
    for (size_t i = 0; i < t->all.len; i++)
        tracepoint_free(t->all.data[i]);
    for (size_t i = 0; i < t->vars.len; i++)
        free(t->vars.data[i].name);
    t->all.len = t->vars.len = t->kept = 0;
    t->owner = NULL;
    for (unsigned i = 0; i < DBG_NOTES; i++)
        dbg_trace_note(t, i, NULL);
    empty(t);
}

void dbg_trace_note(struct dbg_trace *t, enum dbg_trace_note which, char *text)
{
    free(t->notes[which]);
    t->notes[which] = text;
}

bool dbg_trace_resize(struct dbg_trace *t, uint64_t size)
{
    if (size > DBG_TRACE_SIZE_MAX)
        return false;
    empty(t);
    free(t->data);
    t->data = NULL;
    t->size = size ? size : 1;
    return true;
}

static void set(struct dbg_trace *t, struct dbg_tracepoint *x)
{
    struct dbg_point point = {.addr = x->addr,
                              .disabled = x->disabled,
                              .every = true,
                              .owner = t,
                              .act = on_hit,
                              .opaque = x};

    if (x->cond.len) {
        point.cond.code = xmalloc(x->cond.len);
        memcpy(point.cond.code, x->cond.code, x->cond.len);
        point.cond.len = x->cond.len;
    }
    x->hits = x->usage = 0;
    x->ran = true;
    x->point = dbg_points_add(t->points, &point);
}

void dbg_trace_start(struct dbg_trace *t, const void *owner)
{
    t->owner = owner;
    dbg_trace_note(t, DBG_NOTE_STOP, NULL);
    unset(t);
    empty(t);
    if (!t->data)
        t->data = xmalloc(t->size);
    for (size_t i = 0; i < t->vars.len; i++)
        t->vars.data[i].value = t->vars.data[i].initial;
    for (size_t i = 0; i < t->all.len; i++)
        set(t, t->all.data[i]);
    finish(t, DBG_TRACE_RUNS);
}

void dbg_trace_stop(struct dbg_trace *t, enum dbg_trace_state why)
{
    unset(t);
    if (t->state == DBG_TRACE_RUNS)
        finish(t, why);
}

void dbg_trace_reset(struct dbg_trace *t)
{
    t->step_of = NULL;
}

/* ---- frames, read ---- */

static uint64_t load(const struct dbg_trace *t, uint64_t at, unsigned bytes)
{
    uint8_t raw[8];

    dbg_trace_bytes(t, at, raw, bytes);
    return bits_load_le(raw, bytes);
}

bool dbg_trace_block(const struct dbg_trace *t, const struct dbg_trace_frame *f, uint64_t *next,
                     struct dbg_trace_block *b)
{
    uint64_t at = f->at + (*next ? *next : HEAD);

    if (at >= f->at + f->len)
        return false;
    *b = (struct dbg_trace_block){.kind = (char)load(t, at, 1), .at = at + 1};
    switch (b->kind) {
    case 'R':
        b->len = t->regs_len;
        break;
    case 'M':
        b->addr = load(t, at + 1, 8);
        b->len = load(t, at + 9, 2);
        b->at += 10;
        break;
    default: /* V */
        b->addr = load(t, at + 1, 4);
        b->len = 8;
        b->at += 4;
    }
    *next = b->at + b->len - f->at;
    return true;
}

uint64_t dbg_trace_memory(const struct dbg_trace *t, const struct dbg_trace_frame *f, uint64_t addr,
                          void *data, uint64_t len)
{
    struct dbg_trace_block b;
    uint64_t done = 0;

    for (uint64_t next = 0; done < len && dbg_trace_block(t, f, &next, &b);) {
        uint64_t into = addr + done - b.addr, n = b.len - into;

        if (b.kind != 'M' || into >= b.len)
            continue;
        n = n < len - done ? n : len - done;
        dbg_trace_bytes(t, b.at + into, (uint8_t *)data + done, n);
        done += n;
        next = 0; /* what follows may lie in a block before this */
    }
    return done;
}

bool dbg_trace_reg(const struct dbg_trace *t, const struct dbg_trace_frame *f, uint32_t number,
                   uint64_t *value)
{
    const struct dbg_trace_reg *r = find_reg(t, number);
    uint64_t next = 0;
    struct dbg_trace_block b;

    for (size_t i = 0; r && i < f->x->regs[f->step].len; i++)
        if (f->x->regs[f->step].data[i] == (uint32_t)(r - t->regs.data) &&
            dbg_trace_block(t, f, &next, &b)) { /* the first one */
            *value = load(t, b.at + r->at, r->bytes);
            return true;
        }
    return false;
}
