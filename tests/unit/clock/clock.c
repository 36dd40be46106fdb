/* The event queue: order, ties, moving, cancelling, and events that set events. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "clock/clock.h"
#include "../unit.h"

#define EVENTS 200

struct rig;

struct source {
    struct clock_event event;
    struct rig *g;
    int id;
    uint64_t again; /* sets itself to this when it fires; 0: not */
};

struct rig {
    struct clock c;
    struct source s[EVENTS];
    int fired[4 * EVENTS];
    size_t fired_count;
    uint64_t now;
    unsigned sooner;
};

static uint64_t rig_now(void *opaque)
{
    return ((struct rig *)opaque)->now;
}

static void rig_sooner(void *opaque)
{
    ((struct rig *)opaque)->sooner++;
}

static void fire(void *opaque)
{
    struct source *s = opaque;

    ck_assert(!s->event.pending);
    ck_assert_uint_lt(s->g->fired_count, 4 * EVENTS);
    s->g->fired[s->g->fired_count++] = s->id;
    uint64_t again = s->again;
    s->again = 0;
    if (again)
        clock_set(&s->g->c, &s->event, again);
}

static struct rig *rig_new(void)
{
    struct rig *g = calloc(1, sizeof *g);

    clock_init(&g->c, rig_now, rig_sooner, g);
    for (int i = 0; i < EVENTS; i++) {
        g->s[i].g = g;
        g->s[i].id = i;
        clock_event_init(&g->s[i].event, fire, &g->s[i]);
    }
    return g;
}

static void rig_free(struct rig *g)
{
    clock_fini(&g->c);
    free(g);
}

static void set(struct rig *g, int id, uint64_t when)
{
    clock_set(&g->c, &g->s[id].event, when);
}

/* Runs up to now; what fires must be these ids, -1 ends. */
static void expect(struct rig *g, uint64_t now, const int *ids)
{
    size_t n = 0;

    g->fired_count = 0;
    clock_run(&g->c, now);
    while (ids[n] >= 0)
        n++;
    ck_assert_uint_eq(g->fired_count, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(g->fired[i], ids[i]);
}
#define IDS(...) ((const int[]){__VA_ARGS__ __VA_OPT__(, ) - 1})

START_TEST(in_order_of_time)
{
    struct rig *g = rig_new();

    ck_assert_uint_eq(clock_next(&g->c), CLOCK_NEVER);
    set(g, 0, 30);
    set(g, 1, 10);
    set(g, 2, 20);
    set(g, 3, 0);
    ck_assert_uint_eq(clock_next(&g->c), 0);
    expect(g, 0, IDS(3));
    expect(g, 9, IDS());
    ck_assert_uint_eq(clock_next(&g->c), 10);
    expect(g, 20, IDS(1, 2));
    expect(g, CLOCK_NEVER, IDS(0));
    ck_assert_uint_eq(clock_next(&g->c), CLOCK_NEVER);
    g->now = 77;
    ck_assert_uint_eq(clock_now(&g->c), 77);
    rig_free(g);
}
END_TEST

START_TEST(ties_fire_as_they_were_set)
{
    struct rig *g = rig_new();

    for (int i = 0; i < 8; i++)
        set(g, i, 5);
    set(g, 2, 5); /* set again: now the last */
    clock_cancel(&g->c, &g->s[4].event);
    expect(g, 5, IDS(0, 1, 3, 5, 6, 7, 2));
    rig_free(g);
}
END_TEST

START_TEST(moved_and_cancelled)
{
    struct rig *g = rig_new();

    set(g, 0, 10);
    set(g, 1, 20);
    set(g, 2, 30);
    set(g, 2, 5);
    set(g, 0, 25);
    clock_set(&g->c, &g->s[1].event, CLOCK_NEVER);
    clock_cancel(&g->c, &g->s[1].event); /* not pending: nothing */
    ck_assert(!g->s[1].event.pending);
    expect(g, 100, IDS(2, 0));
    rig_free(g);
}
END_TEST

START_TEST(sooner_when_the_head_moves_forward)
{
    struct rig *g = rig_new();

    set(g, 0, 100);
    ck_assert_uint_eq(g->sooner, 1);
    set(g, 1, 200);
    set(g, 2, 100);
    ck_assert_uint_eq(g->sooner, 1);
    set(g, 1, 50);
    ck_assert_uint_eq(g->sooner, 2);
    set(g, 1, 60); /* later */
    clock_cancel(&g->c, &g->s[1].event);
    ck_assert_uint_eq(g->sooner, 2);
    set(g, 0, 99);
    ck_assert_uint_eq(g->sooner, 3);
    rig_free(g);
}
END_TEST

START_TEST(events_that_set_events)
{
    struct rig *g = rig_new();

    set(g, 0, 10);
    set(g, 1, 10);
    set(g, 2, 15);
    g->s[0].again = 10; /* due at once: in this run, behind what is due already */
    g->s[1].again = 3;  /* in the past: fires next */
    g->s[2].again = 21;
    expect(g, 20, IDS(0, 1, 1, 0, 2));
    expect(g, 21, IDS(2));
    rig_free(g);
}
END_TEST

START_TEST(restored_ties_keep_their_order)
{
    struct rig *g = rig_new(), *h = rig_new();

    for (int i = 0; i < 5; i++)
        set(g, i, 40);
    set(g, 1, 40);
    for (int i = 4; i >= 0; i--) /* in another order, as sections lie in a snapshot */
        clock_restore(&h->c, &h->s[i].event, g->s[i].event.when, g->s[i].event.seq);
    set(h, 5, 40);
    set(h, 6, 50);
    clock_restore(&h->c, &h->s[6].event, CLOCK_NEVER, 0);
    expect(h, 100, IDS(0, 2, 3, 4, 1, 5));
    rig_free(g);
    rig_free(h);
}
END_TEST

START_TEST(fini_leaves_events_unset)
{
    struct rig *g = rig_new();

    set(g, 0, 10);
    clock_fini(&g->c);
    ck_assert(!g->s[0].event.pending);
    clock_init(&g->c, rig_now, NULL, g);
    set(g, 0, 5);
    expect(g, 5, IDS(0));
    rig_free(g);
}
END_TEST

/* The event that should be first by a plain search, or -1. */
static int first_of(const struct rig *g)
{
    int first = -1;

    for (int i = 0; i < EVENTS; i++) {
        const struct clock_event *e = &g->s[i].event;
        if (!e->pending)
            continue;
        const struct clock_event *f = first < 0 ? NULL : &g->s[first].event;
        if (!f || e->when < f->when || (e->when == f->when && e->seq < f->seq))
            first = i;
    }
    return first;
}

START_TEST(random_against_a_search)
{
    struct rig *g = rig_new();
    const char *text = getenv("SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : 1, x = seed;

    printf("# random_against_a_search: SEED=%" PRIu64 "\n", seed);
    fflush(stdout);
    for (int step = 0; step < 50000; step++) {
        uint64_t r = bits_mix(x += UINT64_C(0x9e3779b97f4a7c15));
        int id = (int)(r % EVENTS);
        if (r >> 32 & 3)
            set(g, id, g->now + (r >> 40) % 64);
        else
            clock_cancel(&g->c, &g->s[id].event);
        int first = first_of(g);
        ck_assert_uint_eq(clock_next(&g->c), first < 0 ? CLOCK_NEVER : g->s[first].event.when);
        if (step % 3 == 0 && first >= 0) {
            g->now = g->s[first].event.when;
            g->fired_count = 0;
            clock_run(&g->c, g->now);
            ck_assert_uint_ge(g->fired_count, 1);
            ck_assert_int_eq(g->fired[0], first);
            for (size_t i = 1; i < g->fired_count; i++)
                ck_assert_uint_lt(g->s[g->fired[i - 1]].event.seq, g->s[g->fired[i]].event.seq);
        }
    }
    rig_free(g);
}
END_TEST

UNIT_MAIN("clock/clock", in_order_of_time, ties_fire_as_they_were_set, moved_and_cancelled,
          sooner_when_the_head_moves_forward, events_that_set_events,
          restored_ties_keep_their_order, fini_leaves_events_unset, random_against_a_search)
