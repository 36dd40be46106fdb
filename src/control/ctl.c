/* ctl.c - see ctl.h. */
#include "control/ctl.h"

#include <stdlib.h>

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

struct ctl {
    struct machine *m;
    struct dbg_breaks breaks; /* the machine's thread's */
    struct host_thread thread;
    struct host_wake news;

    struct host_mutex lock; /* of all that follows */
    struct host_cond work;  /* the machine's thread has something to do */
    struct host_cond done;  /* a call is done, or the machine is at rest */
    struct call *first, **last;
    bool running, pause, quit;
    uint64_t until;
    struct ctl_stop stop; /* valid while at rest */
};

static struct ctl_stop describe(struct ctl *c, enum machine_stop why)
{
    unsigned cpu = machine_turn(c->m);
    struct ctl_stop s = {
        .why = why,
        .cpu = cpu,
        .pc = machine_cpu(c->m, cpu)->pc,
        .count = machine_count(c->m),
    };

    if (why == MACHINE_BREAK)
        s.breakpoint = dbg_breaks_hit(&c->breaks, s.pc);
    if (why == MACHINE_ENDED)
        s.end = machine_end(c->m, &s.code);
    return s;
}

/* With the lock held: the machine is at rest from now on. */
static void rest(struct ctl *c, enum machine_stop why)
{
    c->stop = describe(c, why);
    c->running = c->pause = false;
    host_cond_broadcast(&c->done);
    host_wake_post(&c->news);
}

/* With the lock held, which is given up meanwhile. */
static void serve(struct ctl *c)
{
    while (c->first) {
        struct call *call = c->first;

        c->first = call->next;
        if (!c->first)
            c->last = &c->first;
        host_mutex_unlock(&c->lock);
        call->fn(c->m, call->arg);
        host_mutex_lock(&c->lock);
        call->done = true;
        host_cond_broadcast(&c->done);
    }
}

static void run(struct ctl *c)
{
    uint64_t until = c->until;
    enum machine_stop why;

    host_mutex_unlock(&c->lock);
    why = machine_run(c->m, until);
    host_mutex_lock(&c->lock);
    /* An interruption that nobody wants any more was for a call, or came too late. */
    if (why != MACHINE_INTERRUPTED)
        rest(c, why);
}

static void loop(void *arg)
{
    struct ctl *c = arg;

    host_mutex_lock(&c->lock);
    for (;;) {
        serve(c);
        if (c->quit)
            break;
        if (!c->running)
            host_cond_wait(&c->work, &c->lock);
        else if (c->pause)
            rest(c, MACHINE_INTERRUPTED);
        else
            run(c);
    }
    host_mutex_unlock(&c->lock);
}

static void fini(struct ctl *c)
{
    host_cond_fini(&c->done);
    host_cond_fini(&c->work);
    host_mutex_fini(&c->lock);
    dbg_breaks_fini(&c->breaks);
    free(c);
}

struct ctl *ctl_new(struct machine *m, struct err *e)
{
    struct ctl *c = xcalloc(1, sizeof *c);

    c->m = m;
    c->last = &c->first;
    host_mutex_init(&c->lock);
    host_cond_init(&c->work);
    host_cond_init(&c->done);
    c->stop = describe(c, MACHINE_COUNT);
    if (host_wake_init(&c->news, e))
        goto no_wake;
    if (host_thread_start(&c->thread, "machine", loop, c, e))
        goto no_thread;
    return c;
no_thread:
    host_wake_fini(&c->news);
no_wake:
    fini(c);
    return NULL;
}

void ctl_free(struct ctl *c)
{
    if (!c)
        return;
    host_mutex_lock(&c->lock);
    c->quit = true;
    host_cond_broadcast(&c->work);
    host_mutex_unlock(&c->lock);
    machine_interrupt(c->m);
    host_thread_join(&c->thread);
    host_wake_fini(&c->news);
    machine_free(c->m);
    fini(c);
}

void ctl_call(struct ctl *c, void (*fn)(struct machine *m, void *arg), void *arg)
{
    struct call call = {.fn = fn, .arg = arg};

    host_mutex_lock(&c->lock);
    *c->last = &call;
    c->last = &call.next;
    host_cond_broadcast(&c->work);
    if (c->running)
        machine_interrupt(c->m);
    while (!call.done)
        host_cond_wait(&c->done, &c->lock);
    host_mutex_unlock(&c->lock);
}

void ctl_run(struct ctl *c, uint64_t until)
{
    host_mutex_lock(&c->lock);
    c->until = until;
    c->running = true;
    c->pause = false;
    host_cond_broadcast(&c->work);
    host_mutex_unlock(&c->lock);
}

void ctl_pause(struct ctl *c)
{
    host_mutex_lock(&c->lock);
    if (c->running) {
        c->pause = true;
        machine_interrupt(c->m);
    }
    host_mutex_unlock(&c->lock);
}

bool ctl_wait(struct ctl *c, int timeout_ms, struct ctl_stop *stop)
{
    uint64_t until = HOST_NEVER;
    bool in_time = true, at_rest;

    if (timeout_ms >= 0)
        until = host_monotonic_ns() + (uint64_t)timeout_ms * 1000000;
    host_mutex_lock(&c->lock);
    while (c->running && in_time)
        in_time = host_cond_wait_until(&c->done, &c->lock, until);
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

struct dbg_breaks *ctl_breaks(struct ctl *c)
{
    return &c->breaks;
}

int ctl_news_fd(struct ctl *c)
{
    return c->news.fd;
}

void ctl_news_ack(struct ctl *c)
{
    host_wake_clear(&c->news);
}
