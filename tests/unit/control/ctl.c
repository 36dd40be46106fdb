/* ctl.c - the control loop: calls, runs, pauses, stops, from other threads. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>

#include "base/bits.h"
#include "control/ctl.h"
#include "cpu/guest.h"
#include "host/host_clock.h"
#include "host/host_thread.h"
#include "tests/unit/debug/tiny.h"
#include "tests/unit/unit.h"

/* addi a0, a0, 1; j to it */
static const uint32_t loop[] = {0x00150513, 0xffdff06f};
/* lui t0, 0x100; lui t1, 0x73; addi t1, t1, 0x333; sw t1, (t0): failure 7 */
static const uint32_t failing[] = {0x001002b7, 0x00073337, 0x33330313, 0x0062a023, 0x0000006f};
/* wfi; j to it */
static const uint32_t waiting[] = {0x10500073, 0xffdff06f};

static struct ctl *start(const uint32_t *code, size_t len, struct dev_chars console)
{
    struct err e;
    struct ctl *c = ctl_new(tiny_machine(code, len, console), &e);

    ck_assert(c);
    return c;
}

static void count(struct machine *m, void *arg)
{
    *(uint64_t *)arg = machine_count(m);
}

static uint64_t count_of(struct ctl *c)
{
    uint64_t n = UINT64_MAX;

    ctl_call(c, count, &n);
    return n;
}

static size_t no_input(void *opaque, uint8_t *data, size_t len)
{
    (void)opaque, (void)data, (void)len;
    return 0;
}

static bool news(struct ctl_client *k, int timeout_ms)
{
    struct pollfd fd = {.fd = ctl_client_fd(k), .events = POLLIN};

    return poll(&fd, 1, timeout_ms) == 1;
}

START_TEST(at_rest_first)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_client *k = ctl_client_new(c, "client", NULL);
    struct ctl_stop s;

    ck_assert(!ctl_running(c));
    ck_assert(ctl_wait(c, 0, &s));
    ck_assert_uint_eq(s.count, 0);
    ck_assert_uint_eq(s.pc, TINY_BASE);
    ck_assert_uint_eq(count_of(c), 0);
    ck_assert(!news(k, 0));
    ctl_pause(c);
    ck_assert(ctl_wait(c, 0, &s));
    ctl_client_free(k);
    ctl_free(c);
    ctl_free(NULL);
}
END_TEST

START_TEST(to_a_count)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_client *k = ctl_client_new(c, "client", NULL), *other = ctl_client_new(c, "client", NULL);
    struct ctl_stop s;

    ctl_run(c, &(struct ctl_go){.until = 12345});
    ck_assert(ctl_wait(c, -1, &s));
    ck_assert_int_eq(s.why, MACHINE_COUNT);
    ck_assert_uint_eq(s.count, 12345);
    ck_assert_uint_eq(s.pc, TINY_BASE + 4);
    ck_assert(news(k, 1000));
    ctl_client_ack(k);
    ck_assert(!news(k, 0));
    ck_assert(news(other, 1000));
    ctl_client_free(k);
    ctl_client_free(other);
    ctl_free(c);
}
END_TEST

START_TEST(calls_while_it_runs)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    uint64_t last = 0;
    struct ctl_stop s;

    ctl_run(c, &CTL_GO);
    for (int i = 0; i < 200; i++) {
        uint64_t n = count_of(c);
        ck_assert_uint_ge(n, last);
        last = n;
        ck_assert(ctl_running(c));
    }
    ck_assert_uint_gt(last, 0);
    ck_assert(!ctl_wait(c, 10, &s));
    ctl_pause(c);
    ck_assert(ctl_wait(c, 10000, &s));
    ck_assert_int_eq(s.why, MACHINE_INTERRUPTED);
    ck_assert_uint_eq(s.count, count_of(c));
    ctl_free(c);
}
END_TEST

START_TEST(pause_again_and_again)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_stop s;

    for (int i = 0; i < 300; i++) {
        ctl_run(c, &CTL_GO);
        ctl_pause(c);
        ck_assert(ctl_wait(c, 10000, &s));
        ck_assert_int_eq(s.why, MACHINE_INTERRUPTED);
    }
    /* An interruption that came too late does not stop the next run. */
    ctl_run(c, &(struct ctl_go){.until = s.count + 1000});
    ck_assert(ctl_wait(c, 10000, &s));
    ck_assert_int_eq(s.why, MACHINE_COUNT);
    ctl_free(c);
}
END_TEST

struct caller {
    struct ctl *c;
    struct host_thread thread;
    atomic_int *total;
    int done;
};

static void add_one(struct machine *m, void *arg)
{
    atomic_int *total = arg;
    int before = atomic_load_explicit(total, memory_order_relaxed);

    (void)m;
    sched_yield(); /* two at a time would lose some */
    atomic_store_explicit(total, before + 1, memory_order_relaxed);
}

static void call_often(void *arg)
{
    struct caller *k = arg;

    for (int i = 0; i < 100; i++, k->done++)
        ctl_call(k->c, add_one, k->total);
}

START_TEST(many_callers)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    atomic_int total = 0;
    struct caller k[4];

    ctl_run(c, &CTL_GO);
    for (int i = 0; i < 4; i++) {
        k[i] = (struct caller){.c = c, .total = &total};
        ck_assert_int_eq(host_thread_start(&k[i].thread, "caller", call_often, &k[i], NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        host_thread_join(&k[i].thread);
        ck_assert_int_eq(k[i].done, 100);
    }
    ck_assert_int_eq(total, 400);
    ctl_free(c);
}
END_TEST

static void add_break(struct machine *m, void *arg)
{
    struct ctl *c = arg;
    struct dbg_point point = {.kind = DBG_BREAK, .addr = TINY_BASE + 4};

    (void)m;
    dbg_points_add(ctl_points(c), &point);
}

static void delete_break(struct machine *m, void *arg)
{
    (void)m;
    dbg_points_delete(ctl_points(arg), 1);
}

START_TEST(breakpoints)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_stop s;

    ctl_call(c, add_break, c);
    for (uint64_t i = 0; i < 3; i++) {
        ctl_run(c, &CTL_GO);
        ck_assert(ctl_wait(c, 10000, &s));
        ck_assert_int_eq(s.why, MACHINE_BREAK);
        ck_assert_uint_eq(s.hit.npoints, 1);
        ck_assert_uint_eq(s.hit.point[0], 1);
        ck_assert_uint_eq(s.pc, TINY_BASE + 4);
        ck_assert_uint_eq(s.count, 2 * i + 1);
    }
    ck_assert_uint_eq(dbg_points_find(ctl_points(c), 1)->hits, 3);
    ctl_free(c);
}
END_TEST

/* printf("a0 %d\n", a0), as GDB has it: argument, channel, function, format; no result. */
static const uint8_t say_a0[] = {DBG_AGENT_REG, 0, 10, DBG_AGENT_CONST8, 0, DBG_AGENT_CONST8, 0,
                                 DBG_AGENT_PRINTF, 1, 0, 8, 'a', '0', ' ', '%', 'd', '\\', 'n', 0,
                                 DBG_AGENT_END};
/* a0 > 2, which stops */
static const uint8_t above_2[] = {DBG_AGENT_CONST8, 2,   DBG_AGENT_REG, 0, 10,
                                  DBG_AGENT_LESS_UNSIGNED, DBG_AGENT_END};

struct command {
    struct ctl *c;
    const struct ctl_client *owner;
};

static void add_command(struct machine *m, void *arg)
{
    const struct command *k = arg;
    struct dbg_point point = {.kind = DBG_BREAK, .addr = TINY_BASE + 4, .owner = k->owner};
    struct dbg_point stop = point;
    struct err e;

    point.commands = calloc(1, sizeof *point.commands);
    point.ncommands = 1;
    ck_assert_int_eq(dbg_agent_set(point.commands, say_a0, sizeof say_a0 - 1, machine_guest(m), &e),
                     -EINVAL); /* no end */
    ck_assert_int_eq(dbg_agent_set(point.commands, say_a0, sizeof say_a0, machine_guest(m), &e), 0);
    ck_assert_int_eq(dbg_agent_set(&stop.cond, above_2, sizeof above_2, machine_guest(m), &e), 0);
    dbg_points_add(ctl_points(k->c), &point);
    dbg_points_add(ctl_points(k->c), &stop);
}

/* Commands run instead of a stop; what they print is their owner's. */
START_TEST(commands)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_client *k = ctl_client_new(c, "client", NULL), *other = ctl_client_new(c, "client", NULL);
    struct command command = {c, k};
    struct buf text = BUF_INIT;
    struct ctl_stop s;

    ctl_call(c, add_command, &command);
    ctl_run(c, &CTL_GO);
    ck_assert(ctl_wait(c, 10000, &s));
    ck_assert_int_eq(s.why, MACHINE_BREAK);
    ck_assert_uint_eq(s.hit.npoints, 1);
    ck_assert_uint_eq(s.hit.point[0], 2);
    ctl_client_text(other, &text);
    ck_assert_str_eq(text.data, "");
    ctl_client_text(k, &text);
    ck_assert_str_eq(text.data, "a0 1\na0 2\na0 3\n");
    buf_reset(&text);
    ctl_client_text(k, &text);
    ck_assert_str_eq(text.data, "");
    ck_assert_uint_eq(dbg_points_find(ctl_points(c), 1)->hits, 3);
    buf_fini(&text);
    ctl_client_free(k);
    ctl_client_free(other);
    ctl_free(c);
}
END_TEST

START_TEST(steps)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_client *k = ctl_client_new(c, "client", NULL);
    struct ctl_go go = {.until = UINT64_MAX, .step = true};
    struct ctl_stop s, now;

    for (uint64_t i = 1; i < 100; i++) {
        ck_assert(ctl_step(c, &go, &s));
        ck_assert(ctl_wait(c, 0, &now));
        ck_assert_uint_eq(now.count, i);
        ck_assert(s.stepped);
        ck_assert_uint_eq(s.count, i);
        ck_assert_uint_eq(s.pc, TINY_BASE + 4 * (i % 2));
    }
    ck_assert(!news(k, 0));
    /* In a range that it never leaves, it goes on, can be asked, and can be stopped. */
    go.from = TINY_BASE;
    go.to = TINY_BASE + 8;
    ck_assert(!ctl_step(c, &go, &s));
    while (count_of(c) < 100000)
        ck_assert(!ctl_wait(c, 0, &s));
    ck_assert(news(k, 1000));
    ctl_pause(c);
    ck_assert(ctl_wait(c, 10000, &s));
    ck_assert_int_eq(s.why, MACHINE_INTERRUPTED);
    ctl_client_free(k);
    ctl_free(c);
}
END_TEST

/* A plan ends with its run: at its place, by a pause, or as another run is asked for. */
START_TEST(plans)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_go over = {.until = UINT64_MAX, .plan = {.kind = DBG_PLAN_OVER, .times = 5001}};
    struct ctl_go nowhere = {.until = UINT64_MAX,
                             .plan = {.kind = DBG_PLAN_TO,
                                      .nplaces = 2,
                                      .places = {{.addr = 2}, {.addr = TINY_BASE + 8}}}};
    struct ctl_stop s;

    ctl_run(c, &over);
    ck_assert(ctl_wait(c, 10000, &s));
    ck_assert_int_eq(s.why, MACHINE_COUNT);
    ck_assert(s.stepped);
    ck_assert_uint_eq(s.count, 5001);
    ck_assert_uint_eq(s.pc, TINY_BASE + 4);
    ctl_run(c, &nowhere);
    ck_assert_uint_gt(count_of(c), 5000);
    ck_assert(ctl_running(c));
    ctl_pause(c);
    ck_assert(ctl_wait(c, 10000, &s));
    ck_assert_int_eq(s.why, MACHINE_INTERRUPTED);
    for (int i = 0; i < 100; i++) {
        ctl_run(c, &nowhere);
        if (i % 2)
            count_of(c);
        over.plan.times = 1 + 100u * (unsigned)i;
        ctl_run(c, &over);
        ck_assert(ctl_wait(c, 10000, &s));
        ck_assert_int_eq(s.why, MACHINE_COUNT);
    }
    ctl_run(c, &nowhere);
    ctl_call(c, add_break, c);
    ck_assert(ctl_wait(c, 10000, &s)); /* one of somebody else's ends it */
    ck_assert_int_eq(s.why, MACHINE_BREAK);
    ck_assert_uint_eq(s.hit.npoints, 1);
    ctl_run(c, &nowhere);
    ctl_free(c);
}
END_TEST

struct stepper {
    struct ctl *c;
    struct ctl_client *k;
    struct host_thread thread;
    int done;
};

/* Each step is done when ctl_step says so, or news come. */
static void step_often(void *arg)
{
    struct stepper *k = arg;
    struct ctl_go go = {.until = UINT64_MAX, .step = true};
    struct ctl_stop s;

    for (int i = 0; i < 1000; i++, k->done++) {
        ctl_client_ack(k->k);
        if (ctl_step(k->c, &go, &s))
            continue;
        while (!ctl_wait(k->c, 0, &s)) {
            if (!news(k->k, 10000))
                return;
            ctl_client_ack(k->k);
        }
    }
}

START_TEST(many_steppers)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct stepper k[4];

    for (int i = 0; i < 4; i++) {
        k[i] = (struct stepper){.c = c, .k = ctl_client_new(c, "client", NULL)};
        ck_assert_int_eq(host_thread_start(&k[i].thread, "stepper", step_often, &k[i], NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        host_thread_join(&k[i].thread);
        ck_assert_int_eq(k[i].done, 1000);
        ctl_client_free(k[i].k);
    }
    ctl_free(c);
}
END_TEST

START_TEST(a_step_that_waits)
{
    struct ctl *c = start(waiting, sizeof waiting, (struct dev_chars){.read = no_input});
    struct ctl_go go = {.until = UINT64_MAX, .step = true};
    struct ctl_stop s;

    ck_assert(ctl_step(c, &go, &s)); /* the instruction that waits */
    ck_assert(s.stepped);
    ck_assert(!ctl_step(c, &go, &s)); /* the one behind the wait */
    ck_assert(!ctl_wait(c, 20, &s));
    ck_assert_uint_eq(count_of(c), 1);
    ctl_pause(c);
    ck_assert(ctl_wait(c, 10000, &s));
    ck_assert_int_eq(s.why, MACHINE_INTERRUPTED);
    ctl_free(c);
}
END_TEST

/* The machine is let go by who leaves last, if it had it stopped, or nobody had. */
START_TEST(leaving)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_client *k = ctl_client_new(c, "client", NULL), *other = ctl_client_new(c, "client", NULL);
    struct ctl_go go = {.until = UINT64_MAX, .frozen = 1, .owner = k};
    struct ctl_stop s;

    ck_assert(!ctl_attended(c));
    ctl_client_pause(k); /* at rest before */
    ctl_client_pause(other);
    ck_assert(ctl_attended(c));
    ctl_client_leave(k, true); /* the other one looks at it */
    ck_assert(ctl_wait(c, 0, &s) && s.number == 0);
    ctl_client_leave(other, true);
    ck_assert(ctl_running(c) && !ctl_attended(c));

    ctl_client_pause(k);
    ck_assert(ctl_wait(c, -1, &s) && s.number == 1);
    ctl_pause(c); /* the console has it now */
    ctl_client_leave(k, true);
    ck_assert(!ctl_running(c));
    ctl_client_pause(k); /* and has it still */
    ctl_client_leave(k, true);
    ck_assert(!ctl_running(c));

    ctl_run(c, &go); /* without its only CPU */
    ctl_client_ack(other);
    ctl_client_leave(k, true);
    ck_assert(news(other, 10000));
    for (uint64_t before = count_of(c); count_of(c) == before;)
        ck_assert(ctl_running(c));
    ctl_client_pause(k);
    ctl_client_leave(k, true); /* the pause is not wanted any more */
    ck_assert(!ctl_wait(c, 20, &s));
    ctl_client_free(k);
    ctl_client_free(other);
    ctl_free(c);
}
END_TEST

static bool moves(struct ctl *c)
{
    uint64_t before = count_of(c);

    for (int i = 0; i < 20 && count_of(c) == before; i++)
        ctl_wait(c, 1, NULL);
    return count_of(c) != before;
}

static bool says(struct ctl *c, const char *holders)
{
    struct buf text = BUF_INIT, whole = BUF_INIT;
    bool held = ctl_held(c, &text), same;

    if (held)
        buf_fmt(&whole, "[held by %s: the machine runs when they continue, or say release]\n", holders);
    same = held == (holders != NULL) && !strcmp(text.len ? text.data : "", whole.len ? whole.data : "");
    buf_fini(&text);
    buf_fini(&whole);
    return same;
}

/* A run waits until each one that holds has asked for one as well, or holds no more. */
START_TEST(votes)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_client *a = ctl_client_new(c, "GDB", NULL), *b = ctl_client_new(c, "GDB", NULL);
    struct ctl_go by_a = {.until = UINT64_MAX, .owner = a}, by_b = by_a;
    struct ctl_go step = {.until = UINT64_MAX, .step = true, .owner = b};
    struct ctl_stop s;

    by_b.owner = b;
    ctl_hold(c, a, true);
    ck_assert(says(c, NULL)); /* nobody wants it to run */
    ctl_run(c, &by_b);
    ck_assert(ctl_running(c) && says(c, "GDB 1") && !moves(c));
    ctl_client_pause(b);
    ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_INTERRUPTED && s.count == 0);
    ck_assert(!ctl_step(c, &step, &s)); /* a step is no less */
    ck_assert(!ctl_wait(c, 20, &s) && says(c, "GDB 1"));
    ctl_hold(c, a, false);
    ck_assert(ctl_wait(c, 10000, &s) && s.stepped && s.count == 1);

    ctl_hold(c, a, true); /* who holds may run it alone */
    ctl_run(c, &by_a);
    ck_assert(says(c, NULL) && moves(c));
    ctl_hold(c, b, true); /* from the next stop on */
    ctl_run(c, &by_a);
    ck_assert(says(c, NULL) && moves(c));
    ctl_pause(c);
    ck_assert(ctl_wait(c, 10000, &s));
    ctl_run(c, &CTL_GO);
    ck_assert(says(c, "GDB 2, GDB 1") && !moves(c));
    ctl_run(c, &by_a);
    ck_assert(says(c, "GDB 2") && !moves(c));
    ctl_hold(c, NULL, true); /* behind the request, which waits still */
    ctl_run(c, &by_b);
    ck_assert(says(c, "the console") && !moves(c));
    ctl_hold(c, NULL, false);
    ck_assert(says(c, NULL) && moves(c));
    ctl_client_pause(a);
    ck_assert(ctl_wait(c, 10000, &s));

    ctl_run(c, &by_a); /* who leaves or vanishes has no vote */
    ck_assert(says(c, "GDB 2"));
    ctl_client_leave(b, true);
    ck_assert(says(c, NULL) && moves(c));
    ctl_hold(c, b, true);
    ctl_client_pause(a);
    ck_assert(ctl_wait(c, 10000, &s));
    ctl_run(c, &by_a);
    ck_assert(says(c, "GDB 2"));
    ctl_client_free(b);
    ck_assert(says(c, NULL) && moves(c));
    ctl_client_free(a);
    ctl_free(c);
}
END_TEST

/* What one that holds lets run is not changed by others: they wait for its stop. */
START_TEST(votes_under_way)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_client *a = ctl_client_new(c, "GDB", NULL), *b = ctl_client_new(c, "GDB", NULL);
    struct ctl_go by_a = {.until = 1, .owner = a}, by_b = {.until = UINT64_MAX, .owner = b};
    struct ctl_go step = {.until = UINT64_MAX, .step = true, .owner = a};
    struct ctl_stop s;

    ctl_hold(c, b, true);
    ctl_run(c, &by_b);
    ctl_run(c, &by_a);
    ck_assert(!ctl_wait(c, 20, &s) && says(c, NULL));
    ck_assert(!ctl_step(c, &step, &s) && !ctl_wait(c, 20, &s));
    ctl_run(c, &(struct ctl_go){.until = 1});
    ck_assert(moves(c));
    by_b.until = count_of(c);
    ctl_run(c, &by_b); /* it may itself */
    ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_COUNT);
    by_b.until = by_a.until = UINT64_MAX;
    for (int i = 0; i < 20; i++) { /* a stop that is asked for is one */
        ctl_run(c, &by_b);
        ctl_client_pause(a);
        ctl_run(c, &by_a);
        ck_assert((ctl_wait(c, 100, &s) || says(c, "GDB 2")) && !moves(c));
    }
    ctl_run(c, &(struct ctl_go){.until = 1});
    ck_assert(says(c, "GDB 2"));
    ctl_client_leave(b, true);
    ck_assert(ctl_wait(c, 10000, &s));
    ctl_client_free(a);
    ctl_client_free(b);
    ctl_free(c);
}
END_TEST

static void catch_code(struct machine *m, void *arg)
{
    struct dbg_point made = {.kind = DBG_UNITS, .units = BIT(CPU_UNIT_MADE), .last = UINT64_MAX};

    add_break(m, arg);
    dbg_points_add(ctl_points(arg), &made);
}

/* A stop at a pc whose breakpoint was not looked at yet, and a run from there that is broken off before
 * it began. */
START_TEST(a_wait_broken_off)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_client *a = ctl_client_new(c, "GDB", NULL);
    struct ctl_stop s;

    ctl_call(c, catch_code, c);
    for (uint64_t i = 0; i < 2; i++) {
        ctl_run(c, &CTL_GO);
        ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_BREAK && s.hit.unit.n && s.count == i);
    }
    ctl_hold(c, a, true);
    ctl_run(c, &CTL_GO);
    ck_assert(says(c, "GDB 1"));
    ctl_pause(c);
    ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_INTERRUPTED);
    ctl_hold(c, a, false);
    ctl_run(c, &CTL_GO);
    ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_BREAK && !s.hit.unit.n);
    ck_assert_uint_eq(s.count, 1);
    ctl_client_free(a);
    ctl_free(c);
}
END_TEST

/* One that leaves while others hold does not let the machine run. */
START_TEST(leaving_holders)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_client *a = ctl_client_new(c, "GDB", NULL);
    struct buf list = BUF_INIT;

    ctl_hold(c, NULL, true);
    ctl_client_pause(a);
    ctl_list_clients(c, &list);
    ck_assert_str_eq(list.data, "the console, holds\nGDB 1, attends, asked last\n");
    ctl_client_leave(a, true);
    ck_assert(says(c, "the console") && !moves(c));
    ctl_hold(c, NULL, false);
    ck_assert(moves(c));
    buf_fini(&list);
    ctl_client_free(a);
    ctl_free(c);
}
END_TEST

/* One that leaves takes with it that some CPUs are not to run, for others who wait for its run's stop. */
START_TEST(leaving_frozen_cpus)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){.read = no_input});
    struct ctl_client *a = ctl_client_new(c, "GDB", NULL), *b = ctl_client_new(c, "GDB", NULL);
    struct ctl_go by_a = {.until = UINT64_MAX, .owner = a};
    struct ctl_go by_b = {.until = UINT64_MAX, .frozen = 1, .owner = b};

    ctl_hold(c, b, true);
    ctl_run(c, &by_b);
    ctl_run(c, &by_a);
    ck_assert(ctl_running(c) && !moves(c));
    ctl_client_leave(b, true);
    ck_assert(moves(c));
    ctl_client_free(a);
    ctl_client_free(b);
    ctl_free(c);
}
END_TEST

/* A stop for everybody that who leaves does not know of is left to others. */
START_TEST(leaving_a_stop)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_client *k = ctl_client_new(c, "client", NULL);
    struct ctl_go go = {.until = UINT64_MAX, .owner = k};
    struct command command = {c, k};
    struct ctl_stop s;

    ctl_call(c, add_break, c);
    ctl_run(c, &go);
    ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_BREAK && !s.hit.owner);
    ctl_client_leave(k, false);
    ctl_client_leave(k, true);
    ck_assert(ctl_wait(c, 20, &s) && s.number == 1);
    ctl_client_pause(k);
    ctl_client_leave(k, true);
    ck_assert(ctl_wait(c, 10000, &s) && s.number == 2); /* at the breakpoint again */

    ctl_call(c, delete_break, c);
    ctl_call(c, add_command, &command);
    ctl_run(c, &go);
    ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_BREAK && s.hit.owner == k);
    ctl_client_leave(k, false);
    ck_assert(ctl_wait(c, 10000, &s) && s.number == 4);
    ctl_client_free(k);
    ctl_free(c);
}
END_TEST

/* A machine that is let go runs to where it was to end; wherever it was to run when it is let go. */
START_TEST(leaving_to_the_end)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){.read = no_input});
    struct ctl_client *k = ctl_client_new(c, "client", NULL);
    struct ctl_go go = {.until = UINT64_MAX, .owner = k};
    struct ctl_stop s, last;

    ctl_set_end(c, 1000);
    ctl_client_pause(k);
    ctl_client_leave(k, true); /* at rest */
    ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_COUNT);
    ck_assert_uint_eq(s.count, 1000);

    ctl_set_end(c, 2000);
    go.frozen = 1; /* it does not get there */
    ctl_run(c, &go);
    ctl_client_leave(k, true); /* it runs */
    ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_COUNT);
    ck_assert_uint_eq(s.count, 2000);

    go = (struct ctl_go){.until = 3000, .owner = k}; /* who asks for a run says how far */
    ctl_run(c, &go);
    ck_assert(ctl_wait(c, 10000, &last) && last.count == 3000);
    ctl_client_leave(k, true); /* beyond the end */
    ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_COUNT && s.number == last.number + 1);
    ck_assert_uint_eq(s.count, 3000);
    ctl_client_free(k);
    ctl_free(c);
}
END_TEST

/* A hit, and a probe that is to be passed, are of the machine before a reset. */
static void trace(struct machine *m, void *arg)
{
    struct ctl *c = arg;

    (void)m;
    ck_assert(dbg_trace_add(ctl_trace(c), 1, TINY_BASE + 4));
    dbg_trace_start(ctl_trace(c), NULL);
}

static size_t frames(struct ctl *c)
{
    return dbg_trace_nframes(ctl_trace(c));
}

START_TEST(a_trace_behind_a_reset)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_stop s;
    struct err e;

    ctl_call(c, trace, c);
    for (size_t i = 1; i <= 2; i++) {
        for (uint64_t until = 1; until <= 2; until++) {
            ctl_run(c, &(struct ctl_go){.until = until});
            ck_assert(ctl_wait(c, 10000, &s) && s.count == until);
        }
        ck_assert_uint_eq(frames(c), i);
        ck_assert_int_eq(ctl_reset(c, &e), 0);
        ck_assert(ctl_wait(c, 0, &s) && s.why == MACHINE_COUNT && s.count == 0 && s.number == 2 * i);
    }
    ctl_free(c);
}
END_TEST

static void trace_steps(struct machine *m, void *arg)
{
    struct dbg_collect what = {.kind = DBG_COLLECT_MEMORY, .row = -1, .addr = TINY_BASE, .len = 8};
    struct dbg_tracepoint *x = dbg_trace_add(ctl_trace(arg), 1, TINY_BASE + 4);

    (void)m;
    vec_push(&x->actions[0], what);
    vec_push(&x->actions[1], what);
    x->steps = 3;
    dbg_trace_start(ctl_trace(arg), NULL);
}

/* The steps of a hit end there, too. */
START_TEST(steps_of_a_hit_behind_a_reset)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_stop s;
    struct err e;

    ctl_call(c, trace_steps, c);
    ctl_run(c, &(struct ctl_go){.until = 2});
    ck_assert(ctl_wait(c, 10000, &s));
    ck_assert_uint_eq(frames(c), 2);
    ck_assert_int_eq(ctl_reset(c, &e), 0);
    ctl_run(c, &(struct ctl_go){.until = 1});
    ck_assert(ctl_wait(c, 10000, &s));
    ck_assert_uint_eq(frames(c), 2);
    ctl_free(c);
}
END_TEST

static void jump_to_break(struct machine *m, void *arg)
{
    struct cpu *c = machine_cpu(m, 0);

    (void)arg;
    ck_assert(c->guest->reg_write(c, c->guest->names.pc_slot, TINY_BASE + 4));
}

static void add_breaks(struct machine *m, void *arg)
{
    struct command *k = arg;

    for (uint64_t at = TINY_BASE; at <= TINY_BASE + 4; at += 4)
        dbg_points_add(ctl_points(k->c), &(struct dbg_point){.kind = DBG_BREAK, .addr = at, .owner = k->owner});
    (void)m;
}

START_TEST(elsewhere)
{
    struct ctl *c = start(loop, sizeof loop, (struct dev_chars){0});
    struct ctl_client *k = ctl_client_new(c, "client", NULL);
    struct ctl_go by_k = {.until = UINT64_MAX, .owner = k};
    struct command command = {c, k};
    struct ctl_stop s;
    struct err e;

    ctl_call(c, add_breaks, &command);
    for (int i = 0; i < 2; i++) {
        ctl_run(c, &(struct ctl_go){.until = UINT64_MAX, .frozen = 1}); /* it is to pass one, and waits */
        ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_IDLE);
        if (i)
            ck_assert_int_eq(ctl_reset(c, &e), 0);
        else
            ctl_call(c, jump_to_break, NULL);
        ctl_run(c, &by_k);
        ck_assert(ctl_wait(c, 10000, &s) && s.why == MACHINE_BREAK && s.count == 0);
        ck_assert_uint_eq(s.pc, i ? TINY_BASE : TINY_BASE + 4);
    }
    ctl_client_free(k);
    ctl_free(c);
}
END_TEST

START_TEST(the_end)
{
    struct ctl *c = start(failing, sizeof failing, (struct dev_chars){0});
    struct ctl_stop s;

    for (int i = 0; i < 2; i++) { /* the end stays the end */
        ctl_run(c, &CTL_GO);
        ck_assert(ctl_wait(c, 10000, &s));
        ck_assert_int_eq(s.why, MACHINE_ENDED);
        ck_assert_int_eq(s.end, BOARD_FAILED);
        ck_assert_uint_eq(s.code, 7);
        ck_assert_uint_eq(s.count, 4);
    }
    ctl_free(c);
}
END_TEST

START_TEST(idle)
{
    struct ctl *c = start(waiting, sizeof waiting, (struct dev_chars){0});
    struct ctl_stop s;

    ctl_run(c, &CTL_GO);
    ck_assert(ctl_wait(c, 10000, &s));
    ck_assert_int_eq(s.why, MACHINE_IDLE);
    ctl_free(c);

    /* With a door open it waits, and can be asked and ended at any time. */
    c = start(waiting, sizeof waiting, (struct dev_chars){.read = no_input});
    ctl_run(c, &CTL_GO);
    ck_assert(!ctl_wait(c, 50, &s));
    ck_assert_uint_eq(count_of(c), 1);
    ctl_pause(c);
    ck_assert(ctl_wait(c, 10000, &s));
    ck_assert_int_eq(s.why, MACHINE_INTERRUPTED);
    ctl_run(c, &CTL_GO);
    ctl_free(c);
}
END_TEST

UNIT_MAIN("control/ctl", at_rest_first, to_a_count, calls_while_it_runs, pause_again_and_again,
          many_callers, breakpoints, commands, steps, plans, many_steppers, a_step_that_waits, leaving,
          votes, votes_under_way, a_wait_broken_off, leaving_holders, leaving_frozen_cpus, leaving_a_stop, leaving_to_the_end, a_trace_behind_a_reset,
          steps_of_a_hit_behind_a_reset,
          elsewhere, the_end, idle)
