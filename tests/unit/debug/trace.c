/* trace.c - tracepoints: frames, a buffer that wraps or is full, what programs write down, steps.
 */
#include "debug/trace.h"

#include <string.h>

#include "base/bits.h"
#include "cpu/guest.h"
#include "debug/regs.h"
#include "tests/unit/debug/stopper.h"
#include "tests/unit/debug/tiny.h"
#include "tests/unit/unit.h"

/* addi a0, a0, 1; sd a0, 0(a1); j to the start */
static const uint32_t code[] = {0x00150513, 0x00a5b023, 0xff9ff06f};

#define JUMP (TINY_BASE + 8)
#define DATA (TINY_BASE + 0x1000)

static struct machine *m;
static struct cpu *c;
static struct dbg_points *points;
static struct dbg_trace *t;

static uint32_t row(const char *name)
{
    struct err e;
    int n = dbg_reg_find(c->guest, name, &e);

    ck_assert_int_ge(n, 0);
    return (uint32_t)n;
}

static void setup_on(const char *engine)
{
    m = tiny_machine_on(engine, code, sizeof code, (struct dev_chars){0});
    c = machine_cpu(m, 0);
    c->guest->reg_write(c, row("a0"), 0);
    c->guest->reg_write(c, row("a1"), DATA);
    points = dbg_points_new(m);
    t = dbg_trace_new(points, m);
}

static void setup(void)
{
    setup_on("interp");
}

static void teardown(void)
{
    dbg_trace_free(t);
    dbg_points_free(points);
    machine_free(m);
}

/* A tracepoint that writes down what a1 points to. */
static struct dbg_tracepoint *traced(uint64_t at)
{
    struct dbg_tracepoint *x = dbg_trace_add(t, 7, at);
    struct dbg_collect a = {.kind = DBG_COLLECT_MEMORY, .row = (int)row("a1"), .len = 8};

    ck_assert(x);
    vec_push(&x->actions[0], a);
    return x;
}

static void agent(struct dbg_tracepoint *x, const uint8_t *program, size_t len)
{
    struct dbg_collect a = {.kind = DBG_COLLECT_AGENT};
    struct err e = {0};

    ck_assert_msg(!dbg_agent_set(&a.agent, program, len, c->guest, &e), "%s", e.msg);
    vec_push(&x->actions[0], a);
}

/* So many instructions, which nothing stops but steps. */
static void instructions(uint64_t n)
{
    uint64_t until = machine_count(m) + n;
    enum machine_stop why;
    struct dbg_hit hit;

    dbg_points_apply(points);
    while ((why = dbg_trace_run(t, until)) == MACHINE_BREAK)
        ck_assert(!dbg_points_stopped(points, &hit));
    ck_assert_int_eq(why, MACHINE_COUNT);
    ck_assert_uint_eq(machine_count(m), until);
}

/* So many rounds of the loop. */
static void rounds(unsigned n)
{
    instructions(3 * n);
}

/* The word at DATA in a frame. */
static uint64_t word(size_t n)
{
    const struct dbg_trace_frame *f = dbg_trace_frame(t, n);
    uint8_t raw[8];

    ck_assert(f);
    ck_assert_uint_eq(dbg_trace_memory(t, f, DATA, raw, 8), 8);
    return bits_load_le(raw, 8);
}

START_TEST(frames)
{
    const struct dbg_trace_frame *f;
    struct dbg_tracepoint *x;
    uint64_t value;
    uint8_t raw[6];

    setup();
    x = traced(JUMP);
    ck_assert(!dbg_trace_add(t, 7, JUMP));
    dbg_trace_want_reg(x, false, c->guest->regs[row("a0")].gdb);
    dbg_trace_start(t, NULL);
    rounds(5);
    ck_assert_uint_eq(dbg_trace_nframes(t), 5);
    ck_assert_uint_eq(x->hits, 5);
    f = dbg_trace_frame(t, 3);
    ck_assert_uint_eq(f->pc, JUMP);
    ck_assert_uint_eq(word(3), 4);
    ck_assert(dbg_trace_reg(t, f, c->guest->regs[row("a0")].gdb, &value));
    ck_assert_uint_eq(value, 4);
    ck_assert(!dbg_trace_reg(t, f, c->guest->regs[row("a1")].gdb, &value));
    ck_assert_uint_eq(dbg_trace_memory(t, f, DATA + 8, raw, 1), 0);
    ck_assert_uint_eq(dbg_trace_memory(t, f, DATA + 6, raw, 6), 2);
    ck_assert_uint_eq(dbg_trace_copy(t, 0, raw, 6), 6); /* as in a file */
    ck_assert_uint_eq(bits_load_le(raw, 2), 7);
    ck_assert_uint_eq(bits_load_le(raw + 2, 4), f->len - 6);
    ck_assert_uint_eq(dbg_trace_copy(t, 5 * f->len, raw, 1), 0);
    ck_assert(!dbg_trace_frame(t, 5));
    dbg_trace_enable(t, x, false);
    rounds(5);
    ck_assert_uint_eq(dbg_trace_nframes(t), 5);
    dbg_trace_stop(t, DBG_TRACE_STOPPED);
    dbg_trace_enable(t, x, true);
    rounds(5);
    ck_assert_uint_eq(dbg_trace_nframes(t), 5);
    teardown();
}
END_TEST

#define FRAME (6 + 1 + 8 + 2 + 8)

START_TEST(room)
{
    struct dbg_tracepoint *x;
    uint8_t head[2];

    setup();
    x = traced(JUMP);
    ck_assert(!dbg_trace_resize(t, DBG_TRACE_SIZE_MAX + 1));
    ck_assert(dbg_trace_resize(t, 4 * FRAME + 7));
    dbg_trace_start(t, NULL);
    rounds(10);
    ck_assert_int_eq(t->state, DBG_TRACE_FULL);
    ck_assert_uint_eq(dbg_trace_nframes(t), 4);
    ck_assert_uint_eq(word(3), 4);
    t->circular = true;
    dbg_trace_start(t, NULL);
    rounds(5000); /* the ring wraps, and the list of frames is cut short */
    ck_assert_int_eq(t->state, DBG_TRACE_RUNS);
    ck_assert_uint_eq(dbg_trace_nframes(t), 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(word(i), 10 + 4997 + i);
        ck_assert_uint_eq(dbg_trace_copy(t, i * FRAME, head, 2), 2);
        ck_assert_uint_eq(bits_load_le(head, 2), 7);
    }
    ck_assert_uint_eq(t->created, 5000);
    x->actions[0].data[0].len = UINT64_MAX; /* as far as there is memory */
    ck_assert(dbg_trace_resize(t, 32 << 20));
    dbg_trace_start(t, NULL);
    rounds(1);
    ck_assert_uint_gt(dbg_trace_frame(t, 0)->len, (16 << 20) - (DATA - 0x80000000));
    x->actions[0].data[0].len = 8;
    ck_assert(dbg_trace_resize(t, FRAME - 1)); /* not even one fits */
    dbg_trace_start(t, NULL);
    rounds(1);
    ck_assert_int_eq(t->state, DBG_TRACE_FULL);
    teardown();
}
END_TEST

START_TEST(programs)
{
    /* $1 = $1 + 3, written down; two bytes at DATA; the string at DATA + 0x10, 4 bytes at most */
    static const uint8_t sum[] = {0x2c, 0, 1, 0x22, 3, 0x02, 0x2d, 0, 1, 0x29, 0x2e, 0, 1, 0x27};
    static const uint8_t memory[] = {0x24, 0x80, 0x20, 0x10, 0, 0x0d, 2,
                                     0x22, 0x10, 0x02, 0x22, 4, 0x2f, 0x27};
    static const uint8_t odd[] = {0x26, 0, 10, 0x22, 1, 0x0f, 0x27};
    const struct dbg_trace_frame *f;
    struct dbg_trace_block b;
    struct dbg_tracepoint *x;
    uint64_t next = 0, value;
    uint8_t raw[8];

    setup();
    mem_poke(machine_mem(m), DATA + 0x10, "ab", 3);
    x = dbg_trace_add(t, 1, JUMP);
    x->pass = 3;
    ck_assert_int_eq(dbg_agent_set(&x->cond, odd, sizeof odd, c->guest, NULL), 0);
    agent(x, sum, sizeof sum);
    agent(x, memory, sizeof memory);
    dbg_trace_var(t, 1, true)->initial = 100;
    dbg_trace_start(t, NULL);
    rounds(10);
    ck_assert_int_eq(t->state, DBG_TRACE_PASSED);
    ck_assert_uint_eq(t->stopped_by, 1);
    ck_assert_uint_eq(dbg_trace_nframes(t), 3);
    ck_assert_uint_eq(dbg_trace_var(t, 1, false)->value, 109);
    f = dbg_trace_frame(t, 2);
    ck_assert(dbg_trace_block(t, f, &next, &b) && b.kind == 'V' && b.addr == 1);
    dbg_trace_bytes(t, b.at, &value, 8);
    ck_assert_uint_eq(value, 109);
    ck_assert_uint_eq(dbg_trace_memory(t, f, DATA, raw, 8), 2);
    ck_assert_uint_eq(raw[0], 5); /* the third odd number */
    ck_assert_uint_eq(dbg_trace_memory(t, f, DATA + 0x10, raw, 8), 3);
    ck_assert_str_eq((const char *)raw, "ab");
    teardown();
}
END_TEST

/* The fourth frame is of a step to the jump, the fifth of the hit there.  Whether the machine runs at
 * once or one instruction after the other makes no difference. */
START_TEST(steps)
{
    static const unsigned at_once[] = {12, 1, 2, 5};
    static const uint64_t pcs[] = {JUMP, TINY_BASE, TINY_BASE + 4, JUMP, JUMP, TINY_BASE};
    static const bool by_step[] = {false, true, true, true, false, true};
    struct dbg_tracepoint *x;

    setup();
    x = traced(JUMP);
    x->steps = 4;
    vec_push(&x->actions[1], x->actions[0].data[0]);
    for (unsigned k = 0; k < 4; k++) {
        c->guest->reg_write(c, row("pc"), TINY_BASE);
        dbg_trace_start(t, NULL);
        for (unsigned n = 0; n < 12; n += at_once[k])
            instructions(at_once[k]);
        ck_assert_uint_ge(dbg_trace_nframes(t), 6);
        for (size_t i = 0; i < 6; i++) {
            ck_assert_uint_eq(dbg_trace_frame(t, i)->pc, pcs[i]);
            ck_assert_uint_eq(dbg_trace_frame(t, i)->step, by_step[i]);
        }
        dbg_trace_stop(t, DBG_TRACE_STOPPED);
    }
    teardown();
}
END_TEST

/* n instructions on from a stop. */
static void go_on(uint64_t n)
{
    dbg_points_apply(points);
    machine_pass_probe(m, 0);
    instructions(n);
}

#define ck_traced(n)                                                                               \
    do {                                                                                           \
        ck_assert_uint_eq(dbg_trace_nframes(t), n);                                                \
        ck_assert_uint_eq(x->hits, n);                                                             \
    } while (0)

/* The machine goes on from a stop at `at`, which is a hit if it was none when it came there. */
static void check_going_on(const char *engine, uint64_t at)
{
    struct dbg_point stop = {.kind = DBG_BREAK, .addr = at};
    struct dbg_tracepoint *x, *late;
    struct dbg_hit hit;

    setup_on(engine);
    x = traced(at);
    late = dbg_trace_add(t, 8, at);
    late->disabled = true;
    c->guest->reg_write(c, row("pc"), at);
    dbg_trace_start(t, NULL); /* when it was there already */
    go_on(1);
    ck_traced(1);
    ck_assert_uint_ne(c->pc, at);
    go_on(2); /* to there by count, */
    ck_assert_uint_eq(c->pc, at);
    ck_traced(1);
    go_on(0); /* from where it does not run, */
    ck_assert_double_lt(dbg_points_look_ns(points, dbg_points_find(points, x->point)), 1e9);
    ck_traced(1);
    go_on(1); /* and on */
    ck_traced(2);
    ck_assert_uint_eq(word(1), 1);

    unsigned n = dbg_points_add(points, &stop);
    ck_assert(stopper_run(m, points, 100, &hit)); /* to there by a stop, */
    ck_traced(3);
    ck_assert(hit.npoints == 1 && hit.point[0] == n);
    dbg_trace_enable(t, late, true);
    go_on(1); /* where it was met, but for the other one */
    ck_assert_uint_eq(dbg_trace_nframes(t), 4);
    ck_assert_uint_eq(x->hits, 3);
    ck_assert_uint_eq(late->hits, 1);
    ck_assert_uint_eq(dbg_points_find(points, n)->hits, 1);
    ck_assert(stopper_run(m, points, 100, &hit));
    ck_assert_uint_eq(dbg_trace_nframes(t), 6);
    go_on(1);
    ck_assert_uint_eq(dbg_trace_nframes(t), 6);
    teardown();
}

START_TEST(going_on)
{
    for (size_t i = 0; i < ARRAY_LEN(stopper_engines); i++) {
        check_going_on(stopper_engines[i], JUMP);
        check_going_on(stopper_engines[i], TINY_BASE); /* the start of more than one */
    }
}
END_TEST

/* Such a hit, followed by steps; and one whose condition is false. */
START_TEST(going_on_by_steps)
{
    static const uint8_t no[] = {0x22, 0, 0x27};
    static const uint64_t pcs[] = {JUMP, TINY_BASE, TINY_BASE + 4, TINY_BASE + 8};

    for (size_t i = 0; i < ARRAY_LEN(stopper_engines); i++) {
        struct dbg_tracepoint *x, *never;

        setup_on(stopper_engines[i]);
        x = traced(JUMP);
        x->steps = 3;
        vec_push(&x->actions[1], x->actions[0].data[0]);
        never = dbg_trace_add(t, 8, JUMP);
        ck_assert_int_eq(dbg_agent_set(&never->cond, no, sizeof no, c->guest, NULL), 0);
        c->guest->reg_write(c, row("pc"), JUMP);
        dbg_trace_start(t, NULL);
        go_on(3);
        ck_assert_uint_eq(dbg_trace_nframes(t), 4);
        for (size_t k = 0; k < 4; k++) {
            ck_assert_uint_eq(dbg_trace_frame(t, k)->pc, pcs[k]);
            ck_assert_uint_eq(dbg_trace_frame(t, k)->step, k > 0);
        }
        ck_assert_uint_eq(x->hits, 1);
        ck_assert_uint_eq(never->hits, 0);
        teardown();
    }
}
END_TEST

START_TEST(limits)
{
    struct dbg_tracepoint *x;

    setup();
    x = traced(JUMP);
    ck_assert(dbg_trace_keep(x, DBG_TRACE_KEPT_MAX - 1));
    ck_assert(!dbg_trace_keep(x, 2) && !dbg_trace_keep(x, SIZE_MAX));
    for (unsigned i = 1; i < DBG_TRACE_POINTS_MAX; i++)
        ck_assert(dbg_trace_add(t, i, TINY_BASE));
    ck_assert(!dbg_trace_add(t, 1, JUMP));
    dbg_trace_remove(t, x);
    ck_assert(!dbg_trace_find(t, 7, JUMP));
    x = dbg_trace_add(t, 7, JUMP);
    ck_assert(x && dbg_trace_keep(x, DBG_TRACE_KEPT_MAX));
    dbg_trace_clear(t);
    x = dbg_trace_add(t, 7, JUMP);
    ck_assert(dbg_trace_keep(x, DBG_TRACE_KEPT_MAX));
    /* The smallest frames: their list has an end, too. */
    ck_assert(dbg_trace_resize(t, UINT64_C(8) * DBG_TRACE_FRAMES_MAX));
    dbg_trace_start(t, NULL);
    rounds(DBG_TRACE_FRAMES_MAX + 10);
    ck_assert_int_eq(t->state, DBG_TRACE_FULL);
    ck_assert_uint_eq(dbg_trace_nframes(t), DBG_TRACE_FRAMES_MAX);
    teardown();
}
END_TEST

UNIT_MAIN("debug/trace", frames, room, programs, steps, going_on, going_on_by_steps, limits)
