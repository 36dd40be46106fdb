/* random.c - random units: the verifier takes them, their text comes back, and
 * passes do not change what they do. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "tests/ir/ir_cpu.h"
#include "tests/ir/ir_random.h"
#include "tests/unit/unit.h"

enum { UNITS = 3000, RUNS = 3 };

static struct ir_random options(uint64_t seed)
{
    uint64_t r = bits_mix(seed);
    return (struct ir_random){
        .seed = seed,
        .names = &ir_cpu_names,
        .insns = 1 + (unsigned)(r >> 8) % 24,
        .control = r & 1,
        .memory = r & 2,
        .faults = r & 4,
        .calls = r & 8,
        .floats = r & 16,
        .mem_base = IR_CPU_BASE,
        .mem_size = IR_CPU_MEM,
        .mode = (uint8_t)(r >> 5 & 3),
    };
}

static void show(const struct ir_unit *u, const char *what)
{
    struct buf text = BUF_INIT;
    ir_print(u, &text);
    fprintf(stderr, "# %s:\n%s", what, text.data);
    buf_fini(&text);
}

static void check_valid(const struct ir_unit *u, uint64_t seed, const char *what)
{
    struct err e = {0};
    if (ir_verify(u, &e)) {
        show(u, what);
        ck_abort_msg("seed %" PRIu64 ", %s: %s", seed, what, e.msg);
    }
}

/* Both units from the same state. */
static void check_same(const struct ir_unit *u, const struct ir_unit *v, uint64_t seed,
                       uint64_t state, uint64_t budget, const char *what)
{
    struct ir_cpu c = {.budget = (int64_t)budget}, d;
    uint64_t pc[2];
    ir_cpu_random(&c, state);
    d = c;
    enum ir_exit x = ir_cpu_run(u, &c, &pc[0]), y = ir_cpu_run(v, &d, &pc[1]);
    if (x == y && pc[0] == pc[1] && !memcmp(&c, &d, sizeof c))
        return;
    show(u, "built");
    show(v, what);
    for (size_t i = 0; i < sizeof c; i += 8)
        if (memcmp((char *)&c + i, (char *)&d + i, 8))
            fprintf(stderr, "# CPU bytes at %zu differ\n", i);
    ck_abort_msg("seed %" PRIu64 ", state %" PRIu64 ", budget %" PRIu64
                 ", %s: exit %d at 0x%" PRIx64 ", not %d at 0x%" PRIx64,
                 seed, state, budget, what, y, pc[1], x, pc[0]);
}

START_TEST(text_comes_back)
{
    struct arena a;
    struct buf t1 = BUF_INIT, t2 = BUF_INIT;
    arena_init(&a);
    for (uint64_t seed = 0; seed < UNITS / 3; seed++) {
        struct ir_random o = options(seed);
        struct ir_unit u, v;
        struct err e = {0};
        arena_reset(&a);
        buf_reset(&t1);
        buf_reset(&t2);
        ir_random_unit(&u, &a, &o);
        ir_print(&u, &t1);
        if (ir_parse(&v, &a, &ir_cpu_names, t1.data, &e))
            ck_abort_msg("seed %" PRIu64 ": %s\n%s", seed, e.msg, t1.data);
        ir_print(&v, &t2);
        ck_assert_str_eq(t1.data, t2.data);
        ck_assert_uint_eq(u.ninsns, v.ninsns);
        ck_assert_uint_eq(u.guest_insns, v.guest_insns);
        for (uint32_t i = 0; i < u.ninsns; i++) {
            struct ir_insn *p = &u.insns[i], *q = &v.insns[i];
            ck_assert(p->op == q->op && p->type == q->type && p->aux == q->aux && p->imm == q->imm);
        }
        check_valid(&v, seed, "parsed");
    }
    buf_fini(&t1);
    buf_fini(&t2);
    arena_fini(&a);
}
END_TEST

/* The exact passes: from any state, with any budget. */
START_TEST(exact_passes_keep_the_meaning)
{
    struct arena a;
    arena_init(&a);
    for (uint64_t seed = 0; seed < UNITS; seed++) {
        struct ir_random o = options(seed);
        struct ir_unit u, v;
        arena_reset(&a);
        ir_random_unit(&u, &a, &o);
        check_valid(&u, seed, "built");
        ir_unit_copy(&v, &a, &u);
        for (const struct ir_pass *p = ir_exact_passes; p->name; p++) {
            p->run(&v);
            check_valid(&v, seed, p->name);
        }
        uint64_t full = ir_random_budget(&u);
        check_same(&u, &v, seed, seed, full, "exact passes");
        for (uint64_t n = 0; n < RUNS; n++)
            check_same(&u, &v, seed, seed + n, bits_mix(seed + n) % (u.guest_insns + 2),
                       "exact passes");
    }
    arena_fini(&a);
}
END_TEST

/* Every pass alone, then all of tier 1: where the budget suffices. */
START_TEST(passes_keep_the_meaning)
{
    struct arena a;
    arena_init(&a);
    for (uint64_t seed = 0; seed < UNITS; seed++) {
        struct ir_random o = options(seed + 1000000);
        struct ir_unit u, v, w;
        arena_reset(&a);
        ir_random_unit(&u, &a, &o);
        ir_unit_copy(&w, &a, &u);
        for (const struct ir_pass *p = ir_tier1_passes; p->name; p++) {
            ir_unit_copy(&v, &a, &u);
            p->run(&v);
            p->run(&w);
            check_valid(&v, o.seed, p->name);
            check_valid(&w, o.seed, p->name);
            for (uint64_t n = 0; n < RUNS; n++) {
                check_same(&u, &v, o.seed, seed + n, ir_random_budget(&u), p->name);
                check_same(&u, &w, o.seed, seed + n, ir_random_budget(&u), "all so far");
            }
        }
        ir_run_passes(&w, ir_tier1_passes);
        check_valid(&w, o.seed, "a second time");
        check_same(&u, &w, o.seed, seed, ir_random_budget(&u), "a second time");
    }
    arena_fini(&a);
}
END_TEST

/* The passes do something, and the units use every operation and every way out. */
START_TEST(units_are_various)
{
    bool op[IR_OP_COUNT] = {false};
    unsigned exits[IR_EXIT_BUDGET + 1] = {0};
    uint64_t before = 0, after = 0;
    struct arena a;
    arena_init(&a);
    for (uint64_t seed = 0; seed < UNITS; seed++) {
        struct ir_random o = options(seed);
        struct ir_cpu c = {.budget = 20};
        struct ir_unit u;
        uint64_t pc;
        arena_reset(&a);
        ir_random_unit(&u, &a, &o);
        for (uint32_t i = 0; i < u.ninsns; i++)
            op[u.insns[i].op] = true;
        ir_cpu_random(&c, seed);
        exits[ir_cpu_run(&u, &c, &pc)]++;
        before += u.ninsns;
        ir_run_passes(&u, ir_tier1_passes);
        after += u.ninsns;
    }
    arena_fini(&a);
    for (unsigned i = IR_nop + 1; i < IR_OP_COUNT; i++)
        ck_assert_msg(op[i], "no unit has %s", ir_ops[i].name);
    for (unsigned i = 0; i <= IR_EXIT_BUDGET; i++)
        ck_assert_msg(exits[i] > 20, "exit %u: %u times", i, exits[i]);
    ck_assert_msg(after * 10 < before * 8, "%" PRIu64 " of %" PRIu64 " instructions are left",
                  after, before);
}
END_TEST

UNIT_MAIN("ir/random", text_comes_back, exact_passes_keep_the_meaning, passes_keep_the_meaning,
          units_are_various)
