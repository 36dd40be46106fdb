/* clock.c - the queue of events: a binary heap, ordered by time, then by when it was set. */
#include "clock/clock.h"

#include <stdlib.h>

#include "base/vec.h"

void clock_init(struct clock *c, uint64_t (*now)(void *), void (*sooner)(void *), void *opaque)
{
    *c = (struct clock){.now = now, .sooner = sooner, .opaque = opaque};
}

void clock_fini(struct clock *c)
{
    for (size_t i = 0; i < c->len; i++)
        c->heap[i]->pending = false;
    free(c->heap);
    c->heap = NULL;
    c->len = c->cap = 0;
}

uint64_t clock_now(const struct clock *c)
{
    return c->now(c->opaque);
}

void clock_event_init(struct clock_event *e, void (*fire)(void *), void *opaque)
{
    *e = (struct clock_event){.fire = fire, .opaque = opaque};
}

static bool before(const struct clock_event *a, const struct clock_event *b)
{
    return a->when != b->when ? a->when < b->when : a->seq < b->seq;
}

static void put(struct clock *c, size_t i, struct clock_event *e)
{
    c->heap[i] = e;
    e->index = i;
}

/* Moves e, whose place is free at i, up or down to where it belongs. */
static void settle(struct clock *c, size_t i, struct clock_event *e)
{
    while (i && before(e, c->heap[(i - 1) / 2])) {
        put(c, i, c->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (size_t child; (child = 2 * i + 1) < c->len; i = child) {
        if (child + 1 < c->len && before(c->heap[child + 1], c->heap[child]))
            child++;
        if (!before(c->heap[child], e))
            break;
        put(c, i, c->heap[child]);
    }
    put(c, i, e);
}

static void set_at(struct clock *c, struct clock_event *e, uint64_t when, uint64_t seq)
{
    uint64_t next = clock_next(c);

    if (!e->pending) {
        if (c->len == c->cap)
            c->heap = vec_grow(c->heap, &c->cap, sizeof *c->heap, c->len + 1);
        e->index = c->len++;
        e->pending = true;
    }
    e->when = when;
    e->seq = seq;
    settle(c, e->index, e);
    if (clock_next(c) < next && c->sooner)
        c->sooner(c->opaque);
}

void clock_set(struct clock *c, struct clock_event *e, uint64_t when)
{
    if (when == CLOCK_NEVER)
        clock_cancel(c, e);
    else
        set_at(c, e, when, c->seq++);
}

void clock_restore(struct clock *c, struct clock_event *e, uint64_t when, uint64_t seq)
{
    if (when == CLOCK_NEVER) {
        clock_cancel(c, e);
        return;
    }
    if (c->seq <= seq)
        c->seq = seq + 1;
    set_at(c, e, when, seq);
}

void clock_cancel(struct clock *c, struct clock_event *e)
{
    if (!e->pending)
        return;
    e->pending = false;
    struct clock_event *last = c->heap[--c->len];
    if (last != e)
        settle(c, e->index, last);
}

uint64_t clock_next(const struct clock *c)
{
    return c->len ? c->heap[0]->when : CLOCK_NEVER;
}

void clock_run(struct clock *c, uint64_t now)
{
    while (c->len && c->heap[0]->when <= now) {
        struct clock_event *e = c->heap[0];
        clock_cancel(c, e);
        e->fire(e->opaque);
    }
}
