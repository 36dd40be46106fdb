/* points.c - breakpoints, watchpoints and catchpoints, on every engine. */
#include "tests/unit/debug/stopper.h"

#define ALIAS UINT64_C(0x40000000) /* where S-mode sees RAM */
#define TABLE (RIG_RAM + 0x8000)   /* of pages */
#define DATA  UINT64_C(0x10000)    /* from the start of RAM: s1 */
#define EDGE  (DATA + 0x2000 - 3)  /* s2: across two pages */
#define CONST 32                   /* from s1: what is stored there is always 0 */

/* The instructions of a round, by number; then the handler, which is M-mode's. */
enum {
    ADD,
    LOAD,   /* 8 bytes at s1 */
    STORE,  /* likewise */
    STORE4, /* at s1 + 8 */
    STORE0, /* 8 bytes at s1 + CONST */
    CROSS,  /* load 8 bytes at s2 */
    CROSS_STORE,
    CSR_WRITE,
    CSR_READ,
    ECALL,
    BACK,
    HANDLER, /* swaps satp with t5; reads and writes a device */
    SWAP = HANDLER + 1,
    DEVICE_READ,
    DEVICE_WRITE,
    RETURN = DEVICE_WRITE + 4,
    ROUND = RETURN + 1 /* instructions in a round */
};

enum { SSCRATCH = 0x140, SATP = 0x180, MEPC = 0x341 };

static struct machine *m;
static struct dbg_points *p;
static struct dbg_hit hit;
static uint64_t base; /* where the program is, as the CPU sees it */

static void program(struct rvasm *a)
{
    rv_addi(a, S0, S0, 1);
    rv_ld(a, T0, S1, 0);
    rv_sd(a, S0, S1, 0);
    rv_sw(a, S0, S1, 8);
    rv_sd(a, ZERO, S1, CONST);
    rv_ld(a, T1, S2, 0);
    rv_sd(a, S0, S2, 0);
    rv_csr(a, RV_CSRW, ZERO, SSCRATCH, S0);
    rv_csr(a, RV_CSRS, T2, SSCRATCH, ZERO);
    rv_ecall(a);
    rv_jump(a, ADD);
    rv_addi(a, ZERO, ZERO, 0);
    rv_csr(a, RV_CSRW, T5, SATP, T5);
    rv_ld(a, T3, S3, 0);
    rv_sw(a, ZERO, S4, 0);
    rv_csr(a, RV_CSRS, T4, MEPC, ZERO);
    rv_addi(a, T4, T4, 4);
    rv_csr(a, RV_CSRW, ZERO, MEPC, T4);
    rv_mret(a);
    ck_assert_uint_eq(rv_here(a), ROUND);
}

/* In M-mode without translation, or in S-mode with RAM at ALIAS as well, in two address spaces by
 * turns. */
static void start(const char *engine, unsigned ncpus, bool translated)
{
    struct rvasm a = {0};
    uint64_t satp = UINT64_C(8) << 60 | TABLE >> 12, zero = 0;
    uint64_t pte = RIG_RAM >> 12 << 10 | 0xcf;

    program(&a);
    m = stopper_machine(&a, ncpus, engine);
    p = dbg_points_new(m);
    machine_run(m, 6 * ncpus);
    base = translated ? ALIAS : RIG_RAM;
    mem_poke(machine_mem(m), RIG_RAM + DATA + CONST, &zero, 8);
    mem_poke(machine_mem(m), TABLE + 8 * (ALIAS >> 30), &pte, 8);
    for (unsigned i = 0; i < ncpus; i++) {
        stopper_set(m, i, "mtvec", RIG_RAM + 4 * HANDLER);
        stopper_set(m, i, "x8", 0);
        stopper_set(m, i, "s1", base + DATA);
        stopper_set(m, i, "s2", base + EDGE);
        stopper_set(m, i, "s3", MTIME);
        stopper_set(m, i, "s4", CLINT + 4 * i);
        stopper_set(m, i, "t5", translated ? satp | UINT64_C(2) << 44 : 0);
        if (translated) {
            stopper_set(m, i, "pmpaddr0", UINT64_MAX >> 10);
            stopper_set(m, i, "pmpcfg0", 0x1f);
            stopper_set(m, i, "satp", satp | UINT64_C(1) << 44);
            stopper_set(m, i, "priv", 1);
        }
        stopper_set(m, i, "pc", base);
    }
}

static void end(void)
{
    dbg_points_free(p);
    machine_free(m);
}

static uint64_t pc(void)
{
    return machine_cpu(m, machine_turn(m))->pc;
}

static bool run(uint64_t n)
{
    return stopper_run(m, p, n, &hit);
}

/* The next stop is before this instruction, by this point alone. */
#define ck_stop(n, insn)                                                                           \
    do {                                                                                           \
        ck_assert(run(10 * ROUND));                                                                \
        ck_assert_uint_eq(pc(), base + 4 * (insn));                                                \
        ck_assert_uint_eq(hit.npoints, 1);                                                         \
        ck_assert_uint_eq(hit.point[0], n);                                                        \
    } while (0)

static unsigned add_break(unsigned insn)
{
    return dbg_points_add(p, &(struct dbg_point){.kind = DBG_BREAK, .addr = base + 4 * insn});
}

/* number <op> register */
static void set_cond(struct dbg_point *x, unsigned op, uint8_t number, unsigned reg)
{
    const uint8_t code[] = {DBG_AGENT_CONST8, number, DBG_AGENT_REG, 0, (uint8_t)reg, (uint8_t)op,
                            DBG_AGENT_END};

    ck_assert_int_eq(dbg_agent_set(&x->cond, code, sizeof code, machine_guest(m), NULL), 0);
}

#define EACH_ENGINE(engine)                                                                        \
    for (const char *const *engine = stopper_engines;                                              \
         engine < stopper_engines + ARRAY_LEN(stopper_engines); engine++)

/* ---- breakpoints ---- */

START_TEST(breaks)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, false);
        unsigned a = add_break(ADD), b = add_break(STORE4);
        ck_stop(b, STORE4);
        ck_stop(a, ADD);
        ck_stop(b, STORE4);
        ck_assert(dbg_points_at(p, base + 4 * STORE4, NULL));
        dbg_points_find(p, b)->disabled = true;
        dbg_points_changed(p, dbg_points_find(p, b));
        ck_assert(!dbg_points_at(p, base + 4 * STORE4, NULL));
        ck_stop(a, ADD);
        ck_stop(a, ADD);
        ck_assert_uint_eq(dbg_points_find(p, a)->hits, 3);
        ck_assert_uint_eq(dbg_points_find(p, b)->hits, 2);
        ck_assert(dbg_points_delete(p, a) && !dbg_points_delete(p, a));
        ck_assert(!run(5 * ROUND));
        ck_assert_ptr_null(dbg_points_find(p, a));
        ck_assert_ptr_eq(dbg_points_next(p, 0), dbg_points_find(p, b));
        ck_assert_ptr_null(dbg_points_next(p, b + 1));
        end();
    }
}
END_TEST

/* However little is left of a run when it comes to one. */
START_TEST(short_runs)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, false);
        unsigned a = add_break(STORE4), stops = 0;
        for (unsigned n = 1; n < 200; n++) {
            uint64_t before = machine_count(m);
            if (!run(1 + n % 5))
                continue;
            ck_assert_uint_eq(pc(), base + 4 * STORE4);
            ck_assert_uint_gt(machine_count(m), before);
            stops++;
        }
        ck_assert_uint_eq(dbg_points_find(p, a)->hits, stops);
        /* A run may end right before it, and then it is passed. */
        ck_assert_uint_ge(stops, 599 / ROUND * 2 / 3);
        end();
    }
}
END_TEST

START_TEST(several_at_one)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, false);
        struct dbg_point x = {.kind = DBG_BREAK, .addr = base, .temporary = true};
        unsigned a = add_break(ADD), b = dbg_points_add(p, &x), c;
        set_cond(&x, DBG_AGENT_EQUAL, 1, 8 /* s0 */);
        x.temporary = false;
        c = dbg_points_add(p, &x);
        ck_assert(run(2 * ROUND));
        ck_assert_uint_eq(hit.npoints, 3);
        ck_assert_uint_eq(hit.point[0] + hit.point[1] + hit.point[2], a + b + c);
        ck_assert_ptr_null(dbg_points_find(p, b));
        ck_stop(a, ADD);
        ck_assert_uint_eq(dbg_points_find(p, c)->evals, 2);
        ck_assert_uint_eq(dbg_points_find(p, c)->hits, 1);
        end();
    }
}
END_TEST

START_TEST(conditions)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, false);
        struct dbg_point x = {.kind = DBG_BREAK, .addr = base + 4 * STORE4};
        set_cond(&x, DBG_AGENT_LESS_SIGNED, 20, 8 /* s0 */);
        x.ignore = 4;
        unsigned a = dbg_points_add(p, &x);
        ck_assert(run(100 * ROUND));
        ck_assert_uint_eq(stopper_get(m, 0, "x8"), 25);
        ck_assert_uint_eq(dbg_points_find(p, a)->hits, 5);
        ck_assert_uint_eq(dbg_points_find(p, a)->evals, 25);
        /* Another condition on the same point. */
        set_cond(dbg_points_find(p, a), DBG_AGENT_EQUAL, 30, 8);
        dbg_points_changed(p, dbg_points_find(p, a));
        ck_stop(a, STORE4);
        ck_assert_uint_eq(stopper_get(m, 0, "x8"), 30);
        end();
    }
}
END_TEST

START_TEST(physical)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, true);
        unsigned wrong = dbg_points_add(
            p, &(struct dbg_point){.kind = DBG_BREAK, .addr = RIG_RAM + 4 * STORE4});
        unsigned a = dbg_points_add(p, &(struct dbg_point){.kind = DBG_BREAK,
                                                           .physical = true,
                                                           .addr = RIG_RAM + 4 * STORE});
        unsigned b = add_break(STORE4);
        ck_stop(a, STORE);
        ck_stop(b, STORE4);
        ck_stop(a, STORE);
        ck_assert_uint_eq(dbg_points_find(p, wrong)->hits, 0);
        end();
    }
}
END_TEST

/* satp changes in each round. */
START_TEST(spaces)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, true);
        unsigned a = add_break(STORE);
        ck_stop(a, STORE);
        dbg_points_delete(p, a);
        uint64_t space = machine_cpu(m, 0)->tlb.space;
        struct dbg_point x = {
            .kind = DBG_BREAK, .addr = base + 4 * STORE4, .one_space = true, .space = space};
        a = dbg_points_add(p, &x);
        x = (struct dbg_point){.kind = DBG_WATCH,
                               .addr = base + DATA,
                               .len = 8,
                               .access = CPU_WATCH_WRITE,
                               .one_space = true,
                               .space = space};
        unsigned b = dbg_points_add(p, &x);
        ck_stop(b, STORE + 1);
        for (unsigned i = 1; i < 4; i++) {
            ck_assert_uint_eq(stopper_get(m, 0, "x8"), 2 * i - 1);
            if (i == 1)
                ck_assert_uint_eq(pc(), base + 4 * STORE4);
            ck_stop(b, STORE + 1);
            ck_assert_uint_eq(machine_cpu(m, 0)->tlb.space, space);
        }
        ck_assert_uint_eq(dbg_points_find(p, b)->hits, 4);
        (void)a;
        end();
    }
}
END_TEST

START_TEST(one_cpu)
{
    EACH_ENGINE (engine) {
        start(*engine, 3, false);
        struct dbg_point x = {.kind = DBG_BREAK, .addr = base + 4 * STORE, .cpus = 1 << 2 | 1};
        unsigned a = dbg_points_add(p, &x), seen = 0;
        for (unsigned i = 0; i < 200; i++) {
            ck_assert(run(UINT32_MAX));
            ck_assert_uint_ne(machine_turn(m), 1);
            seen |= 1u << machine_turn(m);
        }
        ck_assert_uint_ne(seen, 0);
        ck_assert_uint_eq(dbg_points_find(p, a)->hits, 200);
        end();
    }
}
END_TEST

/* ---- code that runs for the first time ---- */

/* Instructions [first, last]. */
static struct dbg_point exec_of(unsigned first, unsigned last)
{
    return (struct dbg_point){
        .kind = DBG_EXEC, .first = base + 4 * first, .last = base + 4 * last + 3};
}

static void enable_again(unsigned n)
{
    ck_assert(dbg_points_find(p, n)->disabled);
    dbg_points_find(p, n)->disabled = false;
    dbg_points_changed(p, dbg_points_find(p, n));
}

START_TEST(exec_once)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, true);
        ck_assert(!run(3 * ROUND)); /* all of it is translated */
        struct dbg_point x = exec_of(STORE4, CROSS);
        unsigned a = dbg_points_add(p, &x);
        ck_stop(a, STORE4);
        ck_assert(hit.ran && hit.code.first == x.first && hit.code.last == x.last);
        ck_assert(!run(6 * ROUND - STORE4));
        ck_assert_uint_eq(dbg_points_find(p, a)->hits, 1);
        ck_assert_uint_eq(dbg_points_find(p, a)->evals, 1);
        enable_again(a);
        ck_stop(a, STORE4);
        /* It goes on from there into what is left of the range. */
        enable_again(a);
        ck_stop(a, STORE0);
        dbg_points_delete(p, a);
        ck_assert(!run(ROUND - STORE0));
        /* One that starts within an instruction, and one in which none starts. */
        x.first = base + 4 * STORE4 + 2;
        a = dbg_points_add(p, &x);
        ck_stop(a, STORE0);
        x.first = x.last = base + 4 * STORE4 + 2;
        dbg_points_add(p, &x);
        ck_assert(!run(5 * ROUND));
        end();
    }
}
END_TEST

/* Each instruction in the range is looked at until it stops. */
START_TEST(exec_conditions)
{
    uint64_t seen[2];

    EACH_ENGINE (engine) {
        start(*engine, 1, false);
        struct dbg_point x = exec_of(ADD, CROSS);
        set_cond(&x, DBG_AGENT_EQUAL, 40, 8 /* s0 */);
        x.ignore = 2;
        unsigned a = dbg_points_add(p, &x);
        ck_assert(run(100 * ROUND));
        ck_assert_uint_eq(pc(), base + 4 * STORE4);
        ck_assert_uint_eq(stopper_get(m, 0, "x8"), 40);
        ck_assert_uint_eq(dbg_points_find(p, a)->hits, 3);
        /* It is at the first one to begin with. */
        ck_assert_uint_eq(dbg_points_find(p, a)->evals, 39 * (CROSS + 1) + STORE4);
        seen[engine - stopper_engines] = machine_count(m);
        ck_assert_uint_eq(seen[0], machine_count(m));
        end();
    }
}
END_TEST

START_TEST(exec_filters)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, true);
        struct dbg_point x = exec_of(CROSS, CROSS);
        x.one_space = true;
        x.space = machine_cpu(m, 0)->tlb.space;
        run(ROUND);
        ck_assert_uint_ne(machine_cpu(m, 0)->tlb.space, x.space);
        uint64_t before = machine_count(m);
        unsigned a = dbg_points_add(p, &x);
        ck_stop(a, CROSS);
        ck_assert_uint_eq(machine_count(m) - before, ROUND + CROSS);
        x = (struct dbg_point){.kind = DBG_EXEC,
                               .physical = true,
                               .first = RIG_RAM + 4 * HANDLER,
                               .last = RIG_RAM + 4 * ROUND};
        unsigned b = dbg_points_add(p, &x);
        ck_assert(run(ROUND) && hit.point[0] == b);
        ck_assert_uint_eq(pc(), RIG_RAM + 4 * HANDLER);
        end();
        start(*engine, 3, false);
        x = (struct dbg_point){.kind = DBG_EXEC, .last = UINT64_MAX, .cpus = 1 << 2};
        a = dbg_points_add(p, &x);
        ck_assert(run(UINT32_MAX) && hit.point[0] == a);
        ck_assert_uint_eq(machine_turn(m), 2);
        end();
    }
}
END_TEST

/* ---- watchpoints ---- */

static const struct access {
    unsigned insn;
    uint64_t at, size; /* from the start of RAM */
    bool write;
} accesses[] = {
    {LOAD, DATA, 8, false},  {STORE, DATA, 8, true},      {STORE4, DATA + 8, 4, true},
    {STORE0, DATA + CONST, 8, true}, {CROSS, EDGE, 8, false}, {CROSS_STORE, EDGE, 8, true},
};

static bool hits(const struct access *k, uint64_t at, uint64_t len, unsigned access)
{
    return access & (k->write ? CPU_WATCH_WRITE : CPU_WATCH_READ) && at < k->at + k->size &&
           k->at < at + len;
}

/* In two rounds, exactly the accesses that touch the bytes stop, right behind their instructions. */
static void check_watch(uint64_t at, uint64_t len, unsigned access, bool physical_one)
{
    struct dbg_point x = {.kind = DBG_WATCH,
                          .physical = physical_one,
                          .addr = (physical_one ? RIG_RAM : base) + at,
                          .len = len,
                          .access = (uint8_t)access};
    unsigned n = dbg_points_add(p, &x);
    unsigned start_break = add_break(ADD);

    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < ARRAY_LEN(accesses); i++) {
            const struct access *k = &accesses[i];
            if (!hits(k, at, len, access))
                continue;
            ck_stop(n, k->insn + 1);
            ck_assert_int_eq(hit.touch.write, k->write);
            /* Of one across pages, a part may be what is told. */
            ck_assert_uint_lt(hit.touch.vaddr - (base + k->at), k->size);
            if (k->write && k->at != EDGE)
                ck_assert_uint_eq(hit.touch.value,
                                  k->insn == STORE0 ? 0 : stopper_get(m, 0, "x8"));
        }
        ck_stop(start_break, ADD);
    }
    dbg_points_delete(p, n);
    dbg_points_delete(p, start_break);
}

static void check_watches(const char *engine, bool translated)
{
    uint64_t seed = 1;

    start(engine, 1, translated);
    add_break(ADD);
    run(2 * ROUND);
    dbg_points_delete(p, 1);
    for (unsigned i = 0; i < 120; i++) {
        static const uint64_t lens[] = {1, 2, 3, 4, 7, 8, 16, 0x1000, 0x2345};
        static const uint64_t places[] = {DATA, DATA + 8, DATA + CONST, EDGE, EDGE + 3};
        seed = bits_mix(seed + 1);
        check_watch(places[seed % ARRAY_LEN(places)] - 8 + (seed >> 8) % 16,
                    lens[(seed >> 16) % ARRAY_LEN(lens)], 1 + (seed >> 24) % 3, seed >> 32 & 1);
    }
    end();
}

START_TEST(watches)
{
    EACH_ENGINE (engine)
        check_watches(*engine, false);
}
END_TEST

START_TEST(watches_translated)
{
    EACH_ENGINE (engine)
        check_watches(*engine, true);
}
END_TEST

/* All that is watched spans all of memory. */
START_TEST(watch_ends)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, false);
        struct dbg_point x = {.kind = DBG_WATCH, .len = 8, .access = CPU_WATCH_WRITE};
        dbg_points_add(p, &x);
        x.addr = UINT64_MAX - 7;
        dbg_points_add(p, &x);
        x.addr = base + DATA;
        unsigned a = dbg_points_add(p, &x);
        ck_stop(a, STORE + 1);
        end();
    }
}
END_TEST

START_TEST(changes)
{
    EACH_ENGINE (engine) {
        uint64_t other = UINT64_C(7) << 32;

        start(*engine, 1, false);
        struct dbg_point x = {.kind = DBG_WATCH,
                              .addr = base + DATA + CONST,
                              .len = 8,
                              .access = CPU_WATCH_WRITE,
                              .changed_only = true};
        unsigned a = dbg_points_add(p, &x);
        ck_assert(!run(4 * ROUND));
        mem_poke(machine_mem(m), RIG_RAM + DATA + CONST, &other, 8);
        ck_stop(a, STORE0 + 1);
        ck_assert_uint_eq(hit.old, other);
        ck_assert(!run(4 * ROUND));
        ck_assert_uint_ge(dbg_points_find(p, a)->evals, 8);
        end();
    }
}
END_TEST

static unsigned add_store_watch(uint64_t addr, uint64_t len, bool changed_only)
{
    struct dbg_point x = {.kind = DBG_WATCH,
                          .addr = addr,
                          .len = len,
                          .access = CPU_WATCH_WRITE,
                          .changed_only = changed_only};

    return dbg_points_add(p, &x);
}

/* An access that did not count is no part of a stop. */
START_TEST(only_what_counts)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, false);
        unsigned ignored = add_store_watch(base + DATA, 8, false), b = add_break(STORE4);
        dbg_points_find(p, ignored)->ignore = 1000;
        ck_stop(b, STORE4);
        ck_assert_uint_eq(hit.touch.size, 0);
        dbg_points_delete(p, ignored);
        dbg_points_delete(p, b);
        unsigned same = add_store_watch(base + DATA + CONST, 8, true), cross = add_break(CROSS);
        ck_stop(cross, CROSS);
        ck_assert_uint_eq(dbg_points_find(p, same)->evals, 1);
        ck_assert_uint_eq(hit.touch.size, 0);
        end();
    }
}
END_TEST

/* The bytes that are watched are compared: of each access of an instruction, and no others. */
START_TEST(changes_of_parts)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, false);
        unsigned low = add_store_watch(base + EDGE, 3, true);
        unsigned high = add_store_watch(base + EDGE + 3, 5, true);
        unsigned beside = add_store_watch(base + DATA + 1, 1, true);
        for (unsigned i = 0; i < 3; i++) {
            ck_stop(low, CROSS_STORE + 1);
            ck_assert_uint_eq(hit.touch.size, 3);
            ck_assert_uint_eq(dbg_points_find(p, low)->hits, i + 1);
        }
        ck_assert_uint_eq(dbg_points_find(p, high)->evals, 3);
        ck_assert_uint_eq(dbg_points_find(p, beside)->evals, 3);
        end();
    }
}
END_TEST

/* The condition is looked at behind the access. */
START_TEST(watch_conditions)
{
    EACH_ENGINE (engine) {
        start(*engine, 1, false);
        struct dbg_point x = {
            .kind = DBG_WATCH, .addr = base + DATA, .len = 1, .access = CPU_WATCH_READ};
        set_cond(&x, DBG_AGENT_EQUAL, 6, 5 /* t0 */);
        x.temporary = true;
        dbg_points_add(p, &x);
        ck_assert(run(20 * ROUND));
        ck_assert_uint_eq(pc(), base + 4 * (LOAD + 1));
        ck_assert_uint_eq(stopper_get(m, 0, "x8"), 7);
        ck_assert_ptr_null(dbg_points_next(p, 0));
        ck_assert(!run(2 * ROUND));
        end();
    }
}
END_TEST

/* What zeroes a block stops behind its instruction, which is done and not to be done again. */
START_TEST(watch_block)
{
    enum { CBO_ZERO_S1 = 0x0044a00f, BLOCK = 64 };
    uint64_t ones = UINT64_MAX, after;

    EACH_ENGINE (engine) {
        struct rvasm a = {0};
        rv_word(&a, CBO_ZERO_S1);
        rv_addi(&a, S0, S0, 1);
        rv_jump(&a, 0);
        m = stopper_machine(&a, 1, *engine);
        p = dbg_points_new(m);
        base = RIG_RAM;
        machine_run(m, 6);
        stopper_set(m, 0, "s1", RIG_RAM + DATA);
        mem_poke(machine_mem(m), RIG_RAM + DATA + 32, &ones, 8);
        struct dbg_point x = {
            .kind = DBG_WATCH, .addr = RIG_RAM + DATA + 32, .len = 8, .access = CPU_WATCH_WRITE};
        unsigned n = dbg_points_add(p, &x);
        for (uint64_t round = 0; round < 3; round++) {
            ck_stop(n, 1);
            ck_assert_uint_eq(machine_count(m), 6 + 3 * round + 1);
            ck_assert_uint_eq(stopper_get(m, 0, "x8"), round);
            mem_peek(machine_mem(m), RIG_RAM + DATA + 32, &after, 8);
            ck_assert_uint_eq(after, 0);
            ck_assert_uint_eq(hit.touch.size, BLOCK);
        }
        /* All of its bytes count for whether it changes something. */
        dbg_points_find(p, n)->changed_only = true;
        ck_assert(!run(10));
        mem_poke(machine_mem(m), RIG_RAM + DATA + 32, &ones, 8);
        ck_stop(n, 1);
        ck_assert(!run(10));
        end();
    }
}
END_TEST

/* ---- costs ---- */

static bool do_nothing(void *opaque, struct cpu *c)
{
    (void)opaque, (void)c;
    return false;
}

/* A condition that prints, and is 0. */
static void set_printing(struct dbg_point *x)
{
    static const uint8_t code[] = {DBG_AGENT_CONST8, 0, DBG_AGENT_CONST8, 0, DBG_AGENT_PRINTF, 0, 0,
                                   2, '!', 0, DBG_AGENT_CONST8, 0, DBG_AGENT_END};

    ck_assert_int_eq(dbg_agent_set(&x->cond, code, sizeof code, machine_guest(m), NULL), 0);
}

static void count_text(void *opaque, const void *owner, const char *text, size_t len)
{
    (void)owner, (void)text;
    *(size_t *)opaque += len;
}

static bool cost_says(unsigned n, const char *words)
{
    struct buf text = BUF_INIT;
    bool found;

    dbg_points_cost(p, dbg_points_find(p, n), &text);
    found = *words ? strstr(text.data, words) != NULL : !text.len;
    if (!found)
        printf("# %s\n", text.data);
    buf_fini(&text);
    return found;
}

/* What is timed does nothing: neither guest, counters nor who is told of prints see it. */
START_TEST(costs)
{
    EACH_ENGINE (engine) {
        size_t printed = 0;

        start(*engine, 1, true);
        dbg_points_on_print(p, count_text, &printed);
        struct dbg_point x = {.kind = DBG_BREAK, .addr = base + 4 * LOAD, .ignore = 1000};
        unsigned ignored = dbg_points_add(p, &x), acts, rare, prints, watch;
        ck_assert(cost_says(ignored, ""));
        x.act = do_nothing;
        acts = dbg_points_add(p, &x);
        x.act = NULL;
        set_cond(&x, DBG_AGENT_EQUAL, 255, 8);
        rare = dbg_points_add(p, &x);
        x.cond = (struct dbg_agent){0};
        set_printing(&x);
        prints = dbg_points_add(p, &x);
        struct dbg_point w = {
            .kind = DBG_WATCH, .addr = base + DATA, .len = 8, .access = CPU_WATCH_WRITE};
        set_cond(&w, DBG_AGENT_EQUAL, 255, 8);
        watch = dbg_points_add(p, &w);
        ck_assert(!run(100 * ROUND));
        uint64_t hash = machine_hash(m), count = machine_count(m);
        ck_assert_uint_eq(printed, 100);
        struct cpu *c = machine_cpu(m, 0);
        uint64_t budget = (uint64_t)c->budget, end_of_run = (uint64_t)c->count_end;
        ck_assert(cost_says(ignored, "looks ") && cost_says(ignored, "(timed now)"));
        ck_assert(cost_says(rare, "(timed now)"));
        ck_assert(cost_says(acts, "(timed now); work ") && cost_says(acts, "2 of 100 timed"));
        ck_assert(cost_says(prints, ""));
        ck_assert(cost_says(watch, "looks ") && cost_says(watch, "(2 of 100 timed); work ") &&
                  cost_says(watch, "(100 of 100 timed)"));
        ck_assert(dbg_points_look_ns(p, dbg_points_find(p, rare)) >= 0);
        ck_assert(dbg_points_look_ns(p, dbg_points_find(p, watch)) < 0);
        ck_assert_uint_eq(printed, 100);
        ck_assert_uint_eq(dbg_points_find(p, rare)->evals, 100);
        ck_assert_uint_eq(dbg_points_find(p, rare)->hits, 0);
        ck_assert_uint_eq(dbg_points_find(p, ignored)->hits, 100);
        ck_assert_uint_eq(dbg_points_find(p, ignored)->ignore, 900);
        ck_assert(!dbg_points_find(p, ignored)->disabled);
        ck_assert_uint_eq(machine_hash(m), hash);
        ck_assert_uint_eq(machine_count(m), count);
        ck_assert_uint_eq(c->budget, budget);
        ck_assert_uint_eq(c->count_end, end_of_run);
        ck_assert_uint_eq(pc(), base);
        ck_assert(!run(100 * ROUND));
        ck_assert_uint_eq(dbg_points_find(p, ignored)->hits, 200);
        end();
    }
}
END_TEST

/* ---- events ---- */

/* Two stops a round apart, where it is: in the program (behind ECALL: in the handler). */
static void check_event(enum cpu_event event, uint64_t first, uint64_t last, unsigned insn)
{
    struct dbg_point x = {.kind = DBG_CATCH, .event = event, .first = first, .last = last};
    unsigned n = dbg_points_add(p, &x);
    uint64_t before;

    ck_assert_msg(run(2 * ROUND), "%s", dbg_event_name(event));
    ck_assert_uint_eq(pc() % 0x1000, 4 * insn);
    ck_assert_uint_eq(hit.npoints, 1);
    ck_assert_int_eq(hit.event, event);
    ck_assert(hit.a >= first && hit.a <= last);
    before = machine_count(m);
    ck_assert(run(2 * ROUND));
    ck_assert_uint_eq(machine_count(m) - before, ROUND);
    ck_assert_uint_eq(dbg_points_find(p, n)->hits, 2);
    dbg_points_delete(p, n);
}

static void check_no_event(enum cpu_event event, uint64_t first, uint64_t last)
{
    struct dbg_point x = {.kind = DBG_CATCH, .event = event, .first = first, .last = last};
    unsigned n = dbg_points_add(p, &x);

    ck_assert_msg(!run(3 * ROUND), "%s", dbg_event_name(event));
    ck_assert_uint_eq(dbg_points_find(p, n)->hits, 0);
    dbg_points_delete(p, n);
}

START_TEST(events)
{
    enum { ECALL_S = 9, S = 1, MODE_M = 3 };

    EACH_ENGINE (engine) {
        start(*engine, 1, true);
        check_event(CPU_EVENT_TRAP, 0, UINT64_MAX, HANDLER);
        check_event(CPU_EVENT_TRAP, ECALL_S, ECALL_S, HANDLER);
        check_no_event(CPU_EVENT_TRAP, 0, ECALL_S - 1);
        check_no_event(CPU_EVENT_TRAP, ECALL_S + 1, UINT64_MAX);
        check_no_event(CPU_EVENT_INTERRUPT, 0, UINT64_MAX);
        check_event(CPU_EVENT_MODE, S, S, HANDLER);
        check_event(CPU_EVENT_MODE, MODE_M, MODE_M, BACK);
        check_event(CPU_EVENT_SPACE, 0, UINT64_MAX, SWAP + 1);
        check_event(CPU_EVENT_REG_WRITE, SSCRATCH, SSCRATCH, CSR_WRITE + 1);
        check_event(CPU_EVENT_REG_WRITE, SATP, SATP, SWAP + 1);
        check_event(CPU_EVENT_REG_READ, SSCRATCH, SSCRATCH, CSR_READ + 1);
        check_event(CPU_EVENT_DEVICE_READ, MTIME, MTIME + 7, DEVICE_READ + 1);
        check_event(CPU_EVENT_DEVICE_WRITE, CLINT, CLINT + 3, DEVICE_WRITE + 1);
        check_no_event(CPU_EVENT_HALT, 0, UINT64_MAX);
        end();
    }
}
END_TEST

START_TEST(event_names)
{
    for (unsigned i = 0; i < CPU_EVENTS; i++)
        ck_assert_uint_eq(dbg_event_find(dbg_event_name((enum cpu_event)i)), i);
    ck_assert_uint_eq(dbg_event_find("nosuch"), CPU_EVENTS);
    ck_assert_uint_eq(dbg_event_find(""), CPU_EVENTS);
}
END_TEST

/* ---- and none of it changes anything ---- */

enum { ROUNDS = 60 };

static struct machine *busy(const char *engine)
{
    struct rvasm a = {0};

    rig_busy_program(&a, ROUNDS);
    return stopper_machine(&a, 2, engine);
}

static struct dbg_point random_point(uint64_t r)
{
    struct dbg_point x = {.kind = (enum dbg_kind)(r % 5), .cpus = (r >> 4) % 4, .last = UINT64_MAX};

    x.ignore = (r >> 8) % 4 == 0 ? 3 : 0;
    x.temporary = (r >> 12) % 4 == 0;
    x.physical = r >> 16 & 1;
    x.addr = RIG_RAM + 4 * ((r >> 20) % 100);
    x.event = (enum cpu_event)((r >> 40) % CPU_EVENTS);
    x.access = (uint8_t)(1 + (r >> 44) % 3);
    x.len = 1 + (r >> 48) % 64;
    if (x.kind == DBG_WATCH)
        x.addr = RIG_RAM + 0x10000 + (r >> 20) % 0x2000;
    if (x.kind == DBG_UNITS)
        x.units = 1 + (r >> 52) % 7;
    if (x.kind == DBG_EXEC) {
        x.first = x.addr;
        x.last = x.addr + (r >> 30) % 40;
    }
    if ((x.kind == DBG_BREAK || x.kind == DBG_EXEC) && r >> 60 & 1)
        set_cond(&x, DBG_AGENT_LESS_UNSIGNED, 30, 21 /* s5 */);
    return x;
}

/* At each stop a point goes and another comes, for some thousand stops. */
static unsigned disturb(uint64_t *seed)
{
    unsigned stops = 0;

    while (machine_end(m, NULL) == BOARD_RUNNING) {
        *seed = bits_mix(*seed + 1);
        if (stops > 3000) {
            while (dbg_points_next(p, 1))
                dbg_points_delete(p, dbg_points_next(p, 1)->number);
            dbg_points_apply(p);
            machine_set_debug(m, NULL);
            machine_run(m, UINT64_MAX);
        } else {
            struct dbg_point x = random_point(*seed);
            struct dbg_point *old = dbg_points_next(p, 1);

            if (old && dbg_points_find(p, old->number + 8))
                dbg_points_delete(p, old->number);
            dbg_points_add(p, &x);
            stops += run(1 + (*seed >> 30) % 500);
        }
    }
    return stops;
}

START_TEST(undisturbed)
{
    EACH_ENGINE (engine) {
        m = busy("interp");
        machine_run(m, UINT64_MAX);
        uint64_t count = machine_count(m), hash = machine_hash(m), seed = 99;
        machine_free(m);
        m = busy(*engine);
        p = dbg_points_new(m);
        ck_assert_uint_gt(disturb(&seed), 200);
        ck_assert_uint_eq(machine_count(m), count);
        ck_assert_uint_eq(machine_hash(m), hash);
        end();
    }
}
END_TEST

/* Interrupts and waits: the same stops on every engine. */
START_TEST(same_stops)
{
    uint64_t seen[2][64] = {{0}};

    EACH_ENGINE (engine) {
        uint64_t *at = seen[engine - stopper_engines];
        m = busy(*engine);
        p = dbg_points_new(m);
        struct dbg_point x = {.kind = DBG_CATCH, .event = CPU_EVENT_INTERRUPT, .last = UINT64_MAX};
        unsigned a = dbg_points_add(p, &x), b;
        x.event = CPU_EVENT_HALT;
        b = dbg_points_add(p, &x);
        for (unsigned i = 0; i < 64 && run(UINT32_MAX); i++)
            at[i] = machine_count(m) * 8 + machine_turn(m) * 4 + hit.event % 4;
        ck_assert_uint_gt(dbg_points_find(p, a)->hits, 10);
        ck_assert_uint_gt(dbg_points_find(p, b)->hits, 10);
        ck_assert_mem_eq(seen[0], at, sizeof seen[0]);
        end();
    }
}
END_TEST

/* What a device writes counts too; the machine stops though no CPU runs. */
START_TEST(device_writes)
{
    enum { PLACE = 0x100000 };
    uint32_t bytes = 0x11223344;

    for (unsigned translated = 0; translated < 2; translated++) {
        start("interp", 1, translated);
        struct dbg_point x = {
            .kind = DBG_WATCH, .addr = base + PLACE, .len = 8, .access = CPU_WATCH_WRITE};
        unsigned number = dbg_points_add(p, &x);
        dbg_points_apply(p);
        ck_assert_int_eq(mem_dma_write(machine_mem(m), RIG_RAM + PLACE - 4, &bytes, 4), 0);
        ck_assert_int_eq(machine_run(m, machine_count(m) + 1), MACHINE_COUNT);
        ck_assert_int_eq(mem_dma_write(machine_mem(m), RIG_RAM + PLACE + 6, &bytes, 4), 0);
        ck_assert_int_eq(machine_run(m, machine_count(m) + 1), MACHINE_BREAK);
        ck_assert(dbg_points_stopped(p, &hit));
        ck_assert(hit.npoints == 1 && hit.point[0] == number && hit.touch.device);
        ck_assert(hit.touch.vaddr == base + PLACE + 6 && hit.touch.size == 2);
        ck_assert_uint_eq(hit.touch.value, 0x3344);
        ck_assert_uint_eq(hit.old, 0);
        end();
    }
}
END_TEST

/* One that was hit where the machine came to rest all the same may be gone when it runs on. */
START_TEST(gone_before_its_stop)
{
    uint32_t bytes = 1;

    start("interp", 1, false);
    struct dbg_point x = {.kind = DBG_WATCH, .addr = base + DATA, .len = 8, .access = CPU_WATCH_WRITE};
    unsigned number = dbg_points_add(p, &x);
    dbg_points_apply(p);
    ck_assert_int_eq(mem_dma_write(machine_mem(m), RIG_RAM + DATA, &bytes, 4), 0);
    dbg_points_delete(p, number);
    dbg_points_apply(p);
    ck_assert_int_eq(machine_run(m, machine_count(m) + 1), MACHINE_BREAK);
    ck_assert(!dbg_points_stopped(p, &hit));
    end();
}
END_TEST

/* Code may be explained before the machine knows that a point has gone: a sanitizer sees that nothing of
 * it is used. */
START_TEST(explained_behind_its_end)
{
    EACH_ENGINE (engine) {
        struct buf text = BUF_INIT;

        start(*engine, 1, true);
        struct dbg_point x = {.kind = DBG_BREAK, .addr = base + 4 * LOAD};
        unsigned gone = dbg_points_add(p, &x);
        dbg_points_apply(p);
        dbg_points_delete(p, gone);
        machine_accel(m)->ops->explain(machine_accel(m), machine_cpu(m, 0), base + 4 * LOAD, &text);
        ck_assert(strstr(text.data, "ld "));
        buf_fini(&text);
        end();
    }
}
END_TEST

static bool device_stops(uint64_t addr, const void *bytes, size_t len)
{
    ck_assert_int_eq(mem_dma_write(machine_mem(m), addr, bytes, len), 0);
    return machine_run(m, machine_count(m) + 1) == MACHINE_BREAK && dbg_points_stopped(p, &hit);
}

/* Long ones, over the edge of a page, that change something and not. */
START_TEST(long_device_writes)
{
    enum { PLACE = 0x100fe0 };
    uint8_t bytes[64] = {[8] = 7, [30] = 8};

    for (unsigned translated = 0; translated < 2; translated++) {
        start("interp", 1, translated);
        unsigned all = add_store_watch(base + PLACE, 64, true);
        unsigned first = add_store_watch(base + PLACE + 30, 2, false);
        unsigned second = add_store_watch(base + PLACE + 40, 1, false);
        dbg_points_apply(p);
        ck_assert(device_stops(RIG_RAM + PLACE, bytes, sizeof bytes));
        ck_assert_uint_eq(hit.npoints, 3);
        ck_assert_uint_eq(hit.point[0], all);
        ck_assert_uint_eq(hit.point[1], first);
        ck_assert_uint_eq(hit.point[2], second);
        ck_assert(hit.touch.vaddr == base + PLACE + 8 && hit.touch.size == 8 && hit.touch.value == 7);
        ck_assert_uint_eq(dbg_points_find(p, all)->hits, 1);
        dbg_points_delete(p, first);
        dbg_points_delete(p, second);
        dbg_points_apply(p);
        ck_assert(!device_stops(RIG_RAM + PLACE, bytes, sizeof bytes));
        bytes[50] = 9;
        ck_assert(device_stops(RIG_RAM + PLACE, bytes, sizeof bytes));
        ck_assert(hit.npoints == 1 && hit.point[0] == all);
        ck_assert(hit.touch.vaddr == base + PLACE + 50 && hit.touch.value == 9 && !hit.old);
        bytes[50] = 0;
        end();
    }
}
END_TEST

UNIT_MAIN("debug/points", device_writes, long_device_writes, gone_before_its_stop,
          explained_behind_its_end, only_what_counts,
          changes_of_parts, breaks, short_runs, several_at_one, conditions, physical, spaces, one_cpu,
          exec_once, exec_conditions, exec_filters, watches, watches_translated, watch_ends, changes,
          watch_conditions, watch_block, costs, events, event_names, undisturbed, same_stops)
