/* step.c - over calls, out of functions, to places, on every engine; lines are tests/gdb/steps.sh's. */
#include <errno.h>

#include "debug/expr.h"
#include "debug/step.h"
#include "tests/unit/debug/stopper.h"

/* The program's instructions, by number. */
enum {
    START = 0,
    MAIN = 12,
    CALL = MAIN + 1,
    SAVE_CALL = CALL + 2,
    ECALL = SAVE_CALL + 3,
    F = ECALL + 3, /* calls itself a1 times */
    RECURSE = F + 4,
    LEAVE = RECURSE + 2,
    SAVE = LEAVE + 3, /* leaves something on its caller's stack */
    HANDLER = SAVE + 2,
    END_ = HANDLER + 4
};
enum { DEPTH = 3, FRAME = 16, MEPC = 0x341 };

static struct machine *m;
static struct dbg_points *p;
static struct dbg_trace *trace;
static struct dbg_step *s;
static struct dbg_symbols *t;
static struct dbg_hit hit;

static void jal(struct rvasm *a, unsigned rd, unsigned target)
{
    rv_jump(a, target);
    a->code[a->n - 1] |= rd << 7;
}

static void jr(struct rvasm *a, unsigned rs1)
{
    rv_word(a, rv_i(0, rs1, 0, ZERO, 0x67));
}

static void program(struct rvasm *a)
{
    rv_ram(a, SP, 0x10000);
    rv_slli(a, T1, A0, 12);
    rv_add(a, SP, SP, T1);
    rig_set_mtvec(a, HANDLER);
    while (rv_here(a) < MAIN)
        rv_addi(a, ZERO, ZERO, 0);
    rv_addi(a, A1, ZERO, DEPTH);
    jal(a, RA, F);
    rv_addi(a, S1, S1, 1);
    jal(a, T0, SAVE);
    rv_addi(a, SP, SP, FRAME);
    rv_addi(a, S2, S2, 1);
    rv_ecall(a);
    rv_addi(a, S4, S4, 1);
    rv_jump(a, MAIN);
    rv_addi(a, SP, SP, -FRAME);
    rv_sd(a, RA, SP, 8);
    rv_branch(a, RV_BEQ, A1, ZERO, LEAVE);
    rv_addi(a, A1, A1, -1);
    jal(a, RA, F);
    rv_addi(a, S3, S3, 1);
    rv_ld(a, RA, SP, 8);
    rv_addi(a, SP, SP, FRAME);
    jr(a, RA);
    rv_addi(a, SP, SP, -FRAME);
    jr(a, T0);
    rv_csr(a, RV_CSRS, T2, MEPC, ZERO);
    rv_addi(a, T2, T2, 4);
    rv_csr(a, RV_CSRW, ZERO, MEPC, T2);
    rv_mret(a);
    ck_assert_uint_eq(rv_here(a), END_);
}

static uint64_t at(unsigned insn)
{
    return RIG_RAM + 4 * insn;
}

static void start(const char *engine, unsigned ncpus)
{
    struct rvasm a = {0};

    program(&a);
    m = stopper_machine(&a, ncpus, engine);
    p = dbg_points_new(m);
    trace = dbg_trace_new(p, m);
    s = dbg_step_new(p, trace, m);
    t = dbg_symbols_new();
    dbg_symbols_add(t, "main", at(MAIN), true);
    dbg_symbols_add(t, "f", at(F), true);
    dbg_symbols_add(t, "save", at(SAVE), true);
    dbg_symbols_added(t);
}

static void end(void)
{
    dbg_step_free(s);
    dbg_trace_free(trace);
    dbg_points_free(p);
    dbg_symbols_free(t);
    machine_free(m);
}

/* As the control loop does it; whether the plan is done. */
static bool run(const struct dbg_plan *plan)
{
    enum machine_stop why;

    dbg_step_begin(s, t, plan);
    dbg_points_apply(p);
    machine_pass_probe(m, machine_turn(m));
    machine_pass_probe(m, plan->cpu);
    do {
        dbg_points_apply(p);
        why = dbg_step_run(s, 3);
    } while ((why == MACHINE_BREAK && !dbg_points_stopped(p, &hit)) ||
             (why == MACHINE_COUNT && !dbg_step_done(s)));
    bool done = dbg_step_done(s);
    dbg_step_end(s);
    return done;
}

static void over(unsigned cpu, uint64_t times)
{
    ck_assert(run(&(struct dbg_plan){.kind = DBG_PLAN_OVER, .cpu = cpu, .times = times}));
}

static void to(unsigned cpu, unsigned insn)
{
    ck_assert(run(&(struct dbg_plan){
        .kind = DBG_PLAN_TO, .cpu = cpu, .nplaces = 1, .places = {{.addr = at(insn)}}}));
    ck_assert_uint_eq(machine_cpu(m, cpu)->pc, at(insn));
}

static void out(unsigned cpu)
{
    struct dbg_plan plan;

    ck_assert_int_eq(dbg_plan_out(machine_cpu(m, cpu), t, &plan, NULL), 0);
    ck_assert(run(&plan));
}

#define ck_at(cpu, insn) ck_assert_uint_eq(machine_cpu(m, cpu)->pc, at(insn))

#define EACH_ENGINE(engine)                                                                        \
    for (const char *const *engine = stopper_engines;                                              \
         engine < stopper_engines + ARRAY_LEN(stopper_engines); engine++)

START_TEST(over_calls)
{
    EACH_ENGINE (engine) {
        start(*engine, 1);
        to(0, CALL);
        uint64_t sp = stopper_get(m, 0, "sp");
        over(0, 1);
        ck_at(0, CALL + 1);
        ck_assert_uint_eq(stopper_get(m, 0, "s3"), DEPTH);
        over(0, 2); /* the second one leaves its frame */
        ck_at(0, SAVE_CALL + 1);
        ck_assert_uint_eq(stopper_get(m, 0, "sp"), sp - FRAME);
        over(0, 2);
        ck_at(0, ECALL);
        over(0, 1); /* its handler calls nothing back */
        ck_at(0, ECALL + 1);
        over(0, 2 * (F - MAIN));
        ck_at(0, ECALL + 1);
        ck_assert_uint_eq(stopper_get(m, 0, "s4"), 2);
        ck_assert_ptr_null(dbg_points_next(p, 0));
        end();
    }
}
END_TEST

START_TEST(recursion)
{
    EACH_ENGINE (engine) {
        start(*engine, 1);
        to(0, RECURSE);
        uint64_t sp = stopper_get(m, 0, "sp");
        over(0, 1);
        ck_at(0, RECURSE + 1);
        ck_assert_uint_eq(stopper_get(m, 0, "sp"), sp);
        ck_assert_uint_eq(stopper_get(m, 0, "s3"), DEPTH - 1);
        to(0, RECURSE);
        to(0, RECURSE);
        to(0, F); /* with two activations above it, before and behind its first instructions */
        for (unsigned n = 0; n < 5; n++) {
            ck_at(0, F + n);
            out(0);
            ck_at(0, RECURSE + 1);
            ck_assert_uint_eq(stopper_get(m, 0, "sp"), sp - FRAME);
            out(0);
            ck_at(0, RECURSE + 1);
            ck_assert_uint_eq(stopper_get(m, 0, "sp"), sp);
            out(0);
            ck_at(0, CALL + 1);
            to(0, RECURSE);
            to(0, RECURSE);
            to(0, F);
            over(0, n == 4 ? 4 : n + 1);
        }
        end();
    }
}
END_TEST

START_TEST(nobody_knows)
{
    struct dbg_plan plan;
    struct err e;

    start("interp", 1);
    to(0, CALL);
    ck_assert_int_eq(dbg_plan_out(machine_cpu(m, 0), t, &plan, &e), -ENOENT);
    ck_assert_ptr_nonnull(strstr(e.msg, "0x80000034"));
    to(0, F);
    struct dbg_symbols *none = dbg_symbols_new();
    ck_assert_int_eq(dbg_plan_out(machine_cpu(m, 0), none, &plan, &e), -ENOENT);
    dbg_symbols_free(none);
    /* An address that no call returns to, unless it has a name. */
    ck_assert_int_eq(dbg_plan_out(machine_cpu(m, 0), t, &plan, &e), 0);
    ck_assert_uint_eq(plan.places[0].addr, at(CALL + 1));
    for (unsigned insn = SAVE_CALL; insn <= ECALL + 1; insn++) {
        stopper_set(m, 0, "ra", at(insn));
        int rc = dbg_plan_out(machine_cpu(m, 0), t, &plan, &e);
        ck_assert_int_eq(rc, insn == SAVE_CALL + 1 ? 0 : -ENOENT);
    }
    stopper_set(m, 0, "ra", at(MAIN));
    ck_assert_int_eq(dbg_plan_out(machine_cpu(m, 0), t, &plan, &e), 0);
    stopper_set(m, 0, "ra", 4);
    ck_assert_int_eq(dbg_plan_out(machine_cpu(m, 0), t, &plan, &e), -ENOENT);
    end();
}
END_TEST

/* Others run through the same code, and do not count. */
START_TEST(one_cpu)
{
    EACH_ENGINE (engine) {
        start(*engine, 3);
        for (unsigned i = 0; i < 40; i++) {
            unsigned cpu = i % 3;
            to(cpu, RECURSE);
            uint64_t sp = stopper_get(m, cpu, "sp");
            over(cpu, 1);
            ck_at(cpu, RECURSE + 1);
            ck_assert_uint_eq(stopper_get(m, cpu, "sp"), sp);
            out(cpu);
            over(cpu, 100);
        }
        end();
    }
}
END_TEST

/* A breakpoint that is hit on the way ends it; its own points nobody sees. */
START_TEST(breakpoints)
{
    EACH_ENGINE (engine) {
        start(*engine, 1);
        struct dbg_plan plan = {
            .kind = DBG_PLAN_TO,
            .nplaces = 2,
            .places = {{.addr = at(ECALL)}, {.addr = at(SAVE), .physical = true}}};
        unsigned n = dbg_points_add(p, &(struct dbg_point){.kind = DBG_BREAK, .addr = at(LEAVE)});
        to(0, CALL);
        dbg_step_begin(s, t, &plan);
        ck_assert_ptr_null(dbg_points_next(p, n + 1));
        ck_assert_ptr_null(dbg_points_find(p, n + 1));
        ck_assert(!dbg_points_at(p, at(ECALL), NULL));
        dbg_points_apply(p);
        ck_assert_int_eq(dbg_step_run(s, 100), MACHINE_BREAK);
        ck_assert(dbg_points_stopped(p, &hit) && !dbg_step_done(s));
        ck_assert(hit.npoints == 1 && hit.point[0] == n);
        ck_at(0, LEAVE);
        dbg_points_delete(p, n);
        ck_assert(run(&plan));
        ck_at(0, SAVE);
        ck_assert(run(&plan));
        ck_at(0, ECALL);
        /* One where it comes to is hit with it, once. */
        to(0, CALL);
        n = dbg_points_add(p, &(struct dbg_point){.kind = DBG_BREAK, .addr = at(CALL + 1)});
        ck_assert_uint_eq(n, 2);
        ck_assert(!run(&(struct dbg_plan){.kind = DBG_PLAN_OVER, .times = 1}));
        ck_at(0, CALL + 1);
        over(0, 1);
        ck_at(0, CALL + 2);
        ck_assert_uint_eq(dbg_points_find(p, n)->hits, 1);
        /* One that does not stop is asked once; nor does a watchpoint whose condition is false. */
        dbg_points_find(p, n)->ignore = 5;
        n = dbg_points_add(p, &(struct dbg_point){.kind = DBG_WATCH,
                                                  .addr = RIG_RAM + 0xf000,
                                                  .len = 0x1000,
                                                  .access = CPU_WATCH_WRITE});
        ck_assert_int_eq(dbg_expr_compile(&dbg_points_find(p, n)->cond, "a1 > 3",
                                          machine_guest(m), NULL, NULL), 0);
        over(0, 7);
        ck_at(0, CALL);
        over(0, 2);
        ck_at(0, CALL + 2);
        ck_assert_uint_eq(dbg_points_find(p, 2)->ignore, 4);
        to(0, F + 1);
        over(0, 1);
        ck_at(0, F + 2);
        end();
    }
}
END_TEST

START_TEST(undisturbed)
{
    EACH_ENGINE (engine) {
        start(*engine, 2);
        for (unsigned i = 0; i < 30; i++) {
            over(i % 2, 1 + 3 * i);
            to(i % 2, F + i % 4);
            out(i % 2);
        }
        uint64_t count = machine_count(m), hash = machine_hash(m);
        end();
        start("interp", 2);
        ck_assert_int_eq(machine_run(m, count), MACHINE_COUNT);
        ck_assert_uint_eq(machine_hash(m), hash);
        end();
    }
}
END_TEST

UNIT_MAIN("debug/step", over_calls, recursion, nobody_knows, one_cpu, breakpoints, undisturbed)
