/* ctl.c - see ctl.h. */
#include "control/ctl.h"

#include <assert.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "host/host_clock.h"
#include "host/host_thread.h"

/* A request of ctl_call, in the caller's frame. */
struct call {
    void (*fn)(struct machine *m, void *arg);
    void *arg;
    bool done;
    struct call *next;
};

/* What somebody has to say on whether the machine is to run. */
struct vote {
    bool holds;
    bool given; /* for the run that is under way, or asked for */
};

struct ctl_client {
    struct ctl *c;
    const char *kind; /* NULL: it asks for nothing */
    unsigned number;
    struct vote vote;
    struct host_wake news;
    struct buf text; /* printed for it; of the lock */
    size_t lost;     /* bytes that did not fit */
    bool attends;
    struct ctl_client *next;
};

struct ctl {
    struct machine *m;
    struct dbg_points *points; /* the machine's thread's */
    struct dbg_symbols *symbols; /* likewise; NULL: nobody has asked yet */
    struct dbg_trace *trace;
    struct dbg_step *step;
    struct host_thread thread;

    struct host_mutex lock; /* of all that follows */
    struct host_cond work;  /* the machine's thread has something to do */
    struct host_cond done;  /* a call is done, or the machine is at rest */
    struct call *first, **last;
    bool taken; /* a thread has the machine at rest: it carries out a call or a step */
    bool running, pause, quit;
    bool begin; /* `go` is new */
    bool in_step; /* it runs on the thread of a ctl_step */
    struct ctl_go go;
    uint64_t end; /* of a run that nobody attends */
    struct ctl_stop stop; /* valid while at rest */
    struct ctl_client *clients; /* the latest first */
    unsigned last_client;
    struct vote console;
    const void *asked; /* the client that asked last for a run or a stop; the ctl: the console did;
                        * NULL: nobody who is still there */
};

/* With the lock held. */
static void tell(struct ctl *c)
{
    for (struct ctl_client *k = c->clients; k; k = k->next)
        host_wake_post(&k->news);
}

static struct ctl_stop describe(struct ctl *c, enum machine_stop why)
{
    unsigned cpu = machine_turn(c->m);
    struct ctl_stop s = {
        .why = why,
        .cpu = cpu,
        .pc = machine_cpu(c->m, cpu)->pc,
        .count = machine_count(c->m),
    };

    if (why == MACHINE_ENDED)
        s.end = machine_end(c->m, &s.code);
    return s;
}

/* ---- votes; all with the lock held ---- */

static bool is_against(struct vote v)
{
    return v.holds && !v.given;
}

/* Whether the run that was asked for has to wait.  One that is under way does not. */
static bool is_held(const struct ctl *c)
{
    bool held = is_against(c->console);

    for (const struct ctl_client *k = c->clients; k; k = k->next)
        held |= is_against(k->vote);
    return c->running && c->begin && held;
}

static struct vote *vote_of(struct ctl *c, struct ctl_client *k)
{
    return k ? &k->vote : &c->console;
}

/* A vote is for one run. */
static void take_votes_back(struct ctl *c)
{
    c->console.given = false;
    for (struct ctl_client *k = c->clients; k; k = k->next)
        k->vote.given = false;
}

/* The machine is at rest from now on. */
static void rest(struct ctl *c, struct ctl_stop stop)
{
    dbg_step_end(c->step);
    take_votes_back(c);
    stop.number = c->stop.number + 1;
    c->stop = stop;
    c->running = c->pause = false;
    host_cond_broadcast(&c->done);
}

/* With the lock held: the machine is this thread's until give.  False: it runs, or is another's. */
static bool take(struct ctl *c)
{
    if (c->running || c->taken || c->first)
        return false;
    c->taken = true;
    return true;
}

static void give(struct ctl *c)
{
    c->taken = false;
    if (c->first || c->running)
        host_cond_broadcast(&c->work);
}

/* With the lock held, which is given up meanwhile. */
static void serve(struct ctl *c)
{
    while (c->first) {
        struct call *call = c->first;

        c->first = call->next;
        if (!c->first)
            c->last = &c->first;
        c->taken = true;
        host_mutex_unlock(&c->lock);
        call->fn(c->m, call->arg);
        host_mutex_lock(&c->lock);
        c->taken = false;
        call->done = true;
        host_cond_broadcast(&c->done);
    }
}

/* ---- running, on the thread that has the machine ---- */

#define STEPS_MAX 1000 /* after which the loop looks at its requests */

/* Whether the stop came before the probe at its pc was asked: code was made to run there. */
static bool is_unasked(const struct ctl_stop *stop)
{
    return stop->hit.unit.n && stop->hit.unit.what != CPU_UNIT_INVALIDATED;
}

static bool has_plan(const struct ctl_go *go)
{
    return go->plan.kind != DBG_PLAN_NONE;
}

/* A plan takes the place of one that may be under way. */
static void begin_plan(struct ctl *c, const struct ctl_go *go)
{
    dbg_step_end(c->step);
    if (has_plan(go))
        dbg_step_begin(c->step, ctl_symbols(c), &go->plan);
}

/* What is only for this run.  It goes on from a stop, whose point is not to stop it again; but GDB
 * takes its points away to do that, and means one that is still there. */
static void begin(struct ctl *c, const struct ctl_go *go)
{
    unsigned cpu = go->step ? go->cpu : machine_turn(c->m);

    if (has_plan(go))
        machine_pass_probe(c->m, go->plan.cpu);
    if (!go->step && is_unasked(&c->stop))
        return;
    if (go->step || !go->owner ||
        !dbg_points_at(c->points, machine_cpu(c->m, cpu)->pc, go->owner))
        machine_pass_probe(c->m, cpu);
}

static void arrange(struct ctl *c, const struct ctl_go *go)
{
    dbg_points_apply(c->points);
    machine_freeze(c->m, go->frozen);
    machine_hold_interrupts(c->m, go->step && go->hold ? (uint32_t)BIT(go->cpu) : 0);
}

static bool in_range(struct ctl *c, const struct ctl_go *go)
{
    return machine_cpu(c->m, go->cpu)->pc - go->from < go->to - go->from;
}

/* One instruction after the other.  An interruption ends the machine's next run. */
static enum machine_stop step(struct ctl *c, const struct ctl_go *go)
{
    enum machine_stop why;
    unsigned n = STEPS_MAX;

    do
        why = dbg_step_one(c->trace, c->m, go->cpu, cpu_count(machine_cpu(c->m, go->cpu)));
    while (why == MACHINE_COUNT && in_range(c, go) && --n);
    return why;
}

/* Whether a stop by the count is none for anybody else. */
static bool is_under_way(struct ctl *c, const struct ctl_go *go)
{
    return go->step ? in_range(c, go) : has_plan(go) && !dbg_step_done(c->step);
}

static enum machine_stop run_some(struct ctl *c, const struct ctl_go *go)
{
    if (go->step)
        return step(c, go);
    return has_plan(go) ? dbg_step_run(c->step, STEPS_MAX) : dbg_trace_run(c->trace, go->until);
}

/* Runs until there is something for the loop to look at.  False: it is to run on. */
static bool run_once(struct ctl *c, const struct ctl_go *go, struct ctl_stop *stop)
{
    enum machine_stop why = run_some(c, go);
    struct dbg_hit hit = {0};

    if (why == MACHINE_COUNT && is_under_way(c, go))
        return false;
    if (why == MACHINE_BREAK && !dbg_points_stopped(c->points, &hit))
        return false;
    *stop = describe(c, why);
    stop->hit = hit;
    stop->stepped = why == MACHINE_COUNT && (go->step || has_plan(go));
    if (why != MACHINE_BREAK && (go->step || stop->stepped)) { /* another CPU may have the turn */
        stop->cpu = go->step ? go->cpu : go->plan.cpu;
        stop->pc = machine_cpu(c->m, stop->cpu)->pc;
    }
    return why != MACHINE_INTERRUPTED;
}

/* With the lock held, which is given up meanwhile.  Whether the machine came to rest. */
static bool run(struct ctl *c)
{
    struct ctl_go go = c->go;
    struct ctl_stop stop;
    bool first = c->begin, stopped;

    c->begin = false;
    host_mutex_unlock(&c->lock);
    if (first)
        begin_plan(c, &go);
    arrange(c, &go);
    if (first)
        begin(c, &go);
    stopped = run_once(c, &go, &stop);
    host_mutex_lock(&c->lock);
    /* An interruption that nobody wants any more was for a call, or came too late; and a step is
     * nobody's when another request came behind it. */
    stopped = stopped && !(stop.stepped && !c->go.step && !has_plan(&c->go));
    if (stopped)
        rest(c, stop);
    return stopped;
}

/* A client's text.  Only the first bytes of it are news. */
static void print(void *opaque, const void *owner, const char *text, size_t len)
{
    struct ctl *c = opaque;

    host_mutex_lock(&c->lock);
    for (struct ctl_client *k = c->clients; k; k = k->next) {
        if (k != owner)
            continue;
        if (!k->text.len)
            host_wake_post(&k->news);
        if (len <= CTL_TEXT_MAX - k->text.len)
            buf_add(&k->text, text, len);
        else
            k->lost += len;
    }
    host_mutex_unlock(&c->lock);
}

/* With the lock held.  A run that did not begin leaves the probe at its pc as it was. */
static void break_off(struct ctl *c)
{
    struct ctl_stop stop = describe(c, MACHINE_INTERRUPTED);

    if (c->begin)
        stop.hit.unit = c->stop.hit.unit;
    rest(c, stop);
    tell(c);
}

static void loop(void *arg)
{
    struct ctl *c = arg;

    host_mutex_lock(&c->lock);
    for (;;) {
        if (!c->taken)
            serve(c);
        if (c->quit)
            break;
        if (!c->running || c->taken || (is_held(c) && !c->pause)) {
            host_cond_wait(&c->work, &c->lock);
        } else if (c->pause) {
            break_off(c);
        } else if (run(c)) {
            tell(c);
        }
    }
    host_mutex_unlock(&c->lock);
}

static void fini(struct ctl *c)
{
    host_cond_fini(&c->done);
    host_cond_fini(&c->work);
    host_mutex_fini(&c->lock);
    dbg_trace_free(c->trace);
    dbg_step_free(c->step);
    dbg_points_free(c->points);
    dbg_symbols_free(c->symbols);
    free(c);
}

struct ctl *ctl_new(struct machine *m, struct err *e)
{
    struct ctl *c = xcalloc(1, sizeof *c);

    c->m = m;
    c->end = UINT64_MAX;
    c->last = &c->first;
    host_mutex_init(&c->lock);
    host_cond_init(&c->work);
    host_cond_init(&c->done);
    c->stop = describe(c, MACHINE_COUNT);
    c->points = dbg_points_new(m);
    dbg_points_on_print(c->points, print, c);
    c->trace = dbg_trace_new(c->points, m);
    c->step = dbg_step_new(c->points, c->trace, m);
    if (!host_thread_start(&c->thread, "machine", loop, c, e))
        return c;
    fini(c);
    return NULL;
}

void ctl_free(struct ctl *c)
{
    struct machine *m;

    if (!c)
        return;
    assert(!c->clients);
    host_mutex_lock(&c->lock);
    c->quit = true;
    host_cond_broadcast(&c->work);
    host_mutex_unlock(&c->lock);
    machine_interrupt(c->m);
    host_thread_join(&c->thread);
    m = c->m;
    fini(c);
    machine_free(m);
}

void ctl_call(struct ctl *c, void (*fn)(struct machine *m, void *arg), void *arg)
{
    struct call call = {.fn = fn, .arg = arg};

    host_mutex_lock(&c->lock);
    if (take(c)) {
        host_mutex_unlock(&c->lock);
        fn(c->m, arg);
        host_mutex_lock(&c->lock);
        give(c);
        host_mutex_unlock(&c->lock);
        return;
    }
    *c->last = &call;
    c->last = &call.next;
    host_cond_broadcast(&c->work);
    if (c->running)
        machine_interrupt(c->m);
    while (!call.done)
        host_cond_wait(&c->done, &c->lock);
    host_mutex_unlock(&c->lock);
}

struct reset {
    struct ctl *c;
    struct err *e;
    int rc;
};

static void reset(struct machine *m, void *arg)
{
    struct reset *r = arg;
    struct ctl *c = r->c;
    uint64_t number;

    r->rc = machine_reset(m, r->e);
    dbg_points_reset(c->points);
    dbg_trace_reset(c->trace);
    host_mutex_lock(&c->lock);
    number = c->stop.number;
    c->stop = describe(c, MACHINE_COUNT);
    c->stop.number = number; /* it has not run: that is no stop */
    host_mutex_unlock(&c->lock);
}

int ctl_reset(struct ctl *c, struct err *e)
{
    struct reset r = {.c = c, .e = e};

    ctl_call(c, reset, &r);
    return r.rc;
}

/* With the lock held: the machine is to run.  If it does, it looks at what is new soon. */
static void order(struct ctl *c, const struct ctl_go *go)
{
    if (c->running)
        machine_interrupt(c->m);
    c->go = *go;
    c->begin = c->running = true;
    c->pause = false;
}

/* Whether a run is under way for another one than k, which holds: its stop is to be waited for. */
static bool is_guarded(struct ctl *c, const struct ctl_client *k)
{
    return c->running && !is_held(c) && c->go.owner != k && vote_of(c, c->go.owner)->holds;
}

/* Somebody wants it to run, or step. */
static void ask(struct ctl *c, const struct ctl_go *go)
{
    if (!is_guarded(c, go->owner)) {
        order(c, go);
        c->asked = go->owner ? (const void *)go->owner : c;
    }
    vote_of(c, go->owner)->given = true;
    if (go->owner)
        go->owner->attends = true;
}

void ctl_run(struct ctl *c, const struct ctl_go *go)
{
    host_mutex_lock(&c->lock);
    ask(c, go);
    host_cond_broadcast(&c->work);
    tell(c);
    host_mutex_unlock(&c->lock);
}

bool ctl_step(struct ctl *c, const struct ctl_go *go, struct ctl_stop *stop)
{
    bool taken, done = false;

    host_mutex_lock(&c->lock);
    taken = take(c);
    ask(c, go);
    if (taken && !is_held(c) && !machine_cpu(c->m, go->cpu)->halted) { /* which may wait for long */
        c->in_step = true;
        done = run(c);
        c->in_step = false;
        if (!done)
            host_cond_broadcast(&c->done); /* who waited for its end waits on */
        *stop = c->stop;
    }
    if (!done || c->begin) /* it goes on; or another one asked for a run, and hears of this stop */
        tell(c);
    if (taken)
        give(c);
    else
        host_cond_broadcast(&c->work);
    host_mutex_unlock(&c->lock);
    return done;
}

/* With the lock held. */
static void pause_run(struct ctl *c)
{
    if (!c->running)
        return;
    c->pause = true;
    machine_interrupt(c->m);
    host_cond_broadcast(&c->work); /* it may wait for votes */
}

void ctl_pause(struct ctl *c)
{
    host_mutex_lock(&c->lock);
    pause_run(c);
    c->asked = c;
    host_mutex_unlock(&c->lock);
}

bool ctl_wait(struct ctl *c, int timeout_ms, struct ctl_stop *stop)
{
    uint64_t until = HOST_NEVER;
    bool in_time = true, at_rest;

    if (timeout_ms >= 0)
        until = host_monotonic_ns() + (uint64_t)timeout_ms * 1000000;
    host_mutex_lock(&c->lock);
    while (c->running && (in_time || c->in_step)) {
        if (c->in_step) /* soon over, and nobody is told: no client is to see it running */
            host_cond_wait(&c->done, &c->lock);
        else
            in_time = host_cond_wait_until(&c->done, &c->lock, until);
    }
    at_rest = !c->running;
    if (at_rest && stop)
        *stop = c->stop;
    host_mutex_unlock(&c->lock);
    return at_rest;
}

bool ctl_running(struct ctl *c)
{
    bool running;

    host_mutex_lock(&c->lock);
    running = c->running;
    host_mutex_unlock(&c->lock);
    return running;
}

/* With the lock held. */
static bool attended(const struct ctl *c)
{
    for (const struct ctl_client *k = c->clients; k; k = k->next)
        if (k->attends)
            return true;
    return false;
}

bool ctl_attended(struct ctl *c)
{
    bool yes;

    host_mutex_lock(&c->lock);
    yes = attended(c);
    host_mutex_unlock(&c->lock);
    return yes;
}

void ctl_set_end(struct ctl *c, uint64_t count)
{
    host_mutex_lock(&c->lock);
    c->end = count;
    host_mutex_unlock(&c->lock);
}

struct dbg_points *ctl_points(struct ctl *c)
{
    return c->points;
}

struct dbg_symbols *ctl_symbols(struct ctl *c)
{
    if (!c->symbols) {
        c->symbols = dbg_symbols_new();
        dbg_symbols_board(c->symbols, machine_board(c->m));
    }
    return c->symbols;
}

struct dbg_trace *ctl_trace(struct ctl *c)
{
    return c->trace;
}

/* ---- clients ---- */

/* With the lock held.  A run that is under way goes on. */
static void set_vote(struct ctl *c, struct ctl_client *k, bool hold)
{
    bool under_way = c->running && !is_held(c);

    *vote_of(c, k) = (struct vote){.holds = hold, .given = under_way};
    host_cond_broadcast(&c->work); /* what waited may run */
}

void ctl_hold(struct ctl *c, struct ctl_client *k, bool hold)
{
    host_mutex_lock(&c->lock);
    set_vote(c, k, hold);
    host_mutex_unlock(&c->lock);
}

/* NULL: the console. */
static void put_name(const struct ctl_client *k, struct buf *out)
{
    if (k)
        buf_fmt(out, "%s %u", k->kind, k->number);
    else
        buf_str(out, "the console");
}

bool ctl_held(struct ctl *c, struct buf *out)
{
    const char *and = "[held by ";
    bool held;

    host_mutex_lock(&c->lock);
    held = is_held(c);
    for (const struct ctl_client *k = c->clients; k && held; k = k->next)
        if (is_against(k->vote)) {
            buf_str(out, and);
            put_name(k, out);
            and = ", ";
        }
    if (held && is_against(c->console)) {
        buf_str(out, and);
        put_name(NULL, out);
    }
    host_mutex_unlock(&c->lock);
    if (held)
        buf_str(out, ": the machine runs when they continue, or say release]\n");
    return held;
}

static void put_client(const struct ctl *c, const struct ctl_client *k, struct buf *out)
{
    bool asked = c->asked == (k ? (const void *)k : c);

    put_name(k, out);
    buf_fmt(out, "%s%s%s\n", k && k->attends ? ", attends" : "",
            asked ? ", asked last" : "", (k ? k->vote : c->console).holds ? ", holds" : "");
}

void ctl_list_clients(struct ctl *c, struct buf *out)
{
    host_mutex_lock(&c->lock);
    put_client(c, NULL, out);
    for (const struct ctl_client *k = c->clients; k; k = k->next)
        if (k->kind)
            put_client(c, k, out);
    host_mutex_unlock(&c->lock);
}

struct ctl_client *ctl_client_new(struct ctl *c, const char *kind, struct err *e)
{
    struct ctl_client *k = xcalloc(1, sizeof *k);

    k->c = c;
    k->kind = kind;
    buf_init(&k->text);
    if (host_wake_init(&k->news, e)) {
        free(k);
        return NULL;
    }
    host_mutex_lock(&c->lock);
    k->number = kind ? ++c->last_client : 0;
    k->next = c->clients;
    c->clients = k;
    host_mutex_unlock(&c->lock);
    return k;
}

/* With the lock held: the run that k asked for is nobody's, and no CPU is to wait meanwhile. */
static void disown(struct ctl *c, const struct ctl_client *k)
{
    if (c->asked == k)
        c->asked = NULL;
    if (c->go.owner != k)
        return;
    c->go.owner = NULL;
    c->go.frozen = 0;
    if (c->running)
        machine_interrupt(c->m);
}

void ctl_client_free(struct ctl_client *k)
{
    struct ctl_client **at;

    if (!k)
        return;
    host_mutex_lock(&k->c->lock);
    for (at = &k->c->clients; *at != k; at = &(*at)->next)
        ;
    *at = k->next;
    set_vote(k->c, k, false);
    disown(k->c, k);
    tell(k->c);
    host_mutex_unlock(&k->c->lock);
    host_wake_fini(&k->news);
    buf_fini(&k->text);
    free(k);
}

void ctl_client_pause(struct ctl_client *k)
{
    struct ctl *c = k->c;

    host_mutex_lock(&c->lock);
    pause_run(c);
    if (c->running || !c->asked)
        c->asked = k;
    k->attends = true;
    host_mutex_unlock(&c->lock);
}

/* With the lock held: nobody is there who had the machine stopped, or its CPUs. */
static void let_go(struct ctl *c)
{
    const struct ctl_go go = {.until = c->end};

    if (!c->running) {
        order(c, &go);
        host_cond_broadcast(&c->work);
    } else { /* it goes on where it is: that is no new run */
        c->go = go;
        c->pause = false;
        machine_interrupt(c->m);
    }
    c->asked = NULL;
}

/* With the lock held: the machine is at rest for a point that is not k's, and k does not know. */
static bool is_for_others(const struct ctl *c, const struct ctl_client *k, bool seen)
{
    return !c->running && c->stop.why == MACHINE_BREAK && !seen && c->stop.hit.owner != k;
}

void ctl_client_leave(struct ctl_client *k, bool seen)
{
    struct ctl *c = k->c;
    bool attends;

    host_mutex_lock(&c->lock);
    attends = k->attends;
    k->attends = false;
    set_vote(c, k, false);
    disown(c, k);
    if (attends && !c->asked && !attended(c) && !is_for_others(c, k, seen))
        let_go(c);
    if (attends)
        tell(c);
    host_mutex_unlock(&c->lock);
}

int ctl_client_fd(const struct ctl_client *k)
{
    return k->news.fd;
}

void ctl_client_ack(struct ctl_client *k)
{
    host_wake_clear(&k->news);
}

void ctl_client_text(struct ctl_client *k, struct buf *out)
{
    host_mutex_lock(&k->c->lock);
    buf_add(out, k->text.data, k->text.len);
    if (k->lost)
        buf_fmt(out, "[%zu bytes more were lost]\n", k->lost);
    buf_reset(&k->text);
    k->lost = 0;
    host_mutex_unlock(&k->c->lock);
}
