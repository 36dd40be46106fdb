/* interp.c - tests of the interpreter as an engine, and of what engines share. */
#include <stdlib.h>
#include <string.h>

#include "accel/engine.h"
#include "snap/snap.h"
#include "tests/unit/cpu/stops.h"
#include "tests/unit/accel/rvasm.h"
#include "tests/unit/riscv64/hart.h"

#define ODD_DEV UINT64_C(0x11000000)
#define DATA    (RAM + 0x8000)

/* A hart with an engine, and a device that notes when it was accessed. */
struct rig {
    struct hart t;
    struct accel *a;
    struct rvasm p;
    uint64_t counts[64]; /* cpu_count at each access */
    unsigned accesses;
    unsigned line; /* raised by a store to the device */
    bool quits;    /* a store to the device ends the run */
};

static bool odd_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct rig *r = opaque;
    (void)offset, (void)size;
    r->counts[r->accesses++ % 64] = cpu_count(r->t.c);
    *value = r->accesses;
    return true;
}

static bool odd_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct rig *r = opaque;
    (void)offset, (void)size;
    r->counts[r->accesses++ % 64] = cpu_count(r->t.c);
    if (r->line)
        guest_riscv64.line(r->t.c, r->line, value);
    if (r->quits)
        r->t.c->quit = r->t.c->pending = 1;
    return true;
}

static const struct mem_ops odd_ops = {odd_read, odd_write, 15};

static void rig_init(struct rig *r, uint32_t max_insns)
{
    struct err e = {0};

    memset(r, 0, sizeof *r);
    hart_init(&r->t);
    ck_assert_int_eq(mem_add_device(r->t.mem, "odd", ODD_DEV, MEM_PAGE_SIZE, &odd_ops, r, NULL), 0);
    struct accel_config config = {
        .guest = &guest_riscv64,
        .mem = r->t.mem,
        .ncpus = 4,
        .max_insns = max_insns,
        .break_op = -1,
    };
    r->a = accel_new("interp", &config, &e);
    ck_assert_msg(r->a, "%s", e.msg);
}

static void rig_fini(struct rig *r)
{
    accel_free(r->a);
    hart_fini(&r->t);
}

static void rig_load(struct rig *r)
{
    mem_poke(r->t.mem, RAM, r->p.code, r->p.n * 4);
}

/* Runs at most n instructions on. */
static enum accel_stop rig_run(struct rig *r, int64_t n)
{
    struct cpu *c = r->t.c;
    c->count_end = (int64_t)cpu_count(c) + n;
    c->budget = n;
    return r->a->ops->run(r->a, c);
}

static uint64_t x(const struct rig *r, unsigned n)
{
    return rv_x(r->t.c, n);
}

/* The program: a loop with loads, stores and the device, S0 times. */
static void loop_program(struct rig *r)
{
    struct rvasm *p = &r->p;

    rv_li(p, S1, (uint32_t)ODD_DEV);
    rv_ram(p, S2, DATA - RAM);
    rv_addi(p, S0, ZERO, 50);
    rv_addi(p, S3, ZERO, 7);
    unsigned loop = rv_here(p);
    rv_mul(p, S3, S3, S3);
    rv_addi(p, S3, S3, 3);
    rv_lw(p, T0, S1, 0);
    rv_add(p, S3, S3, T0);
    rv_andi(p, T1, S3, 0x7f8);
    rv_add(p, T1, T1, S2);
    rv_sd(p, S3, T1, 0);
    rv_ld(p, T2, T1, 8);
    rv_sw(p, S3, S1, 4);
    rv_add(p, S3, S3, T2);
    rv_addi(p, S0, S0, -1);
    rv_branch(p, RV_BNE, S0, ZERO, loop);
    rv_jump(p, rv_here(p));
    rig_load(r);
}

START_TEST(test_names)
{
    struct accel_config config = {.guest = &guest_riscv64};
    struct err e = {0};
    struct buf out = BUF_INIT;

    ck_assert(!accel_new("abacus", &config, &e));
    ck_assert(strstr(e.msg, "abacus") && strstr(e.msg, "interp"));
    accel_list(&out);
    ck_assert(strstr(out.data, "interp"));
    buf_fini(&out);
    accel_free(NULL);
}
END_TEST

/* Each access of a device happens at the count of its instruction, however long units are. */
START_TEST(test_device_count)
{
    static const uint32_t lengths[] = {0, 1, 2, 3, 5};

    for (unsigned i = 0; i < ARRAY_LEN(lengths); i++) {
        struct rig r;
        rig_init(&r, lengths[i]);
        loop_program(&r);
        ck_assert_int_eq(rig_run(&r, 1000), ACCEL_BUDGET);
        ck_assert_uint_eq(cpu_count(r.t.c), 1000);
        ck_assert_uint_eq(r.accesses, 100);
        for (unsigned n = 36; n < 100; n++) /* 8 instructions before the loop of 12 */
            ck_assert_uint_eq(r.counts[n % 64], 8 + n / 2 * 12 + (n % 2 ? 9 : 3));
        rig_fini(&r);
    }
}
END_TEST

static uint64_t state_hash(struct rig *r)
{
    struct snap s;
    uint8_t data[0x1000];

    snap_open_hash(&s, 1);
    guest_riscv64.state(r->t.c, &s);
    snap_close(&s, NULL);
    mem_peek(r->t.mem, DATA, data, sizeof data);
    return s.hash ^ bits_hash(data, sizeof data, 0);
}

/* A run in pieces of any size passes through the same states as one in pieces of 1. */
START_TEST(test_budget)
{
    uint64_t hashes[700], seed = 1;
    struct rig r;

    rig_init(&r, 0);
    loop_program(&r);
    for (unsigned i = 0; i < ARRAY_LEN(hashes); i++) {
        hashes[i] = state_hash(&r);
        ck_assert_uint_eq(cpu_count(r.t.c), i);
        ck_assert_int_eq(rig_run(&r, 1), ACCEL_BUDGET);
    }
    rig_fini(&r);
    for (unsigned round = 0; round < 20; round++) {
        rig_init(&r, round % 4);
        loop_program(&r);
        for (uint64_t at = 0; at < ARRAY_LEN(hashes);) {
            ck_assert_uint_eq(state_hash(&r), hashes[at]);
            seed = bits_mix(seed + 1);
            uint64_t n = 1 + seed % (1u << (seed >> 32) % 8);
            ck_assert_int_eq(rig_run(&r, (int64_t)n), ACCEL_BUDGET);
            at += n;
            ck_assert_uint_eq(cpu_count(r.t.c), at);
        }
        rig_fini(&r);
    }
}
END_TEST

/* A store changes an instruction behind it in its own unit, and one in front of it. */
START_TEST(test_own_code)
{
    struct rig r;
    struct rvasm *p = &r.p;

    rig_init(&r, 0);
    rv_ram(p, S2, 0);
    rv_addi(p, S4, ZERO, 0);
    unsigned again = rv_here(p);
    rv_lw(p, T0, S2, 0x100); /* addi s3, zero, 2 */
    rv_addi(p, S5, ZERO, 5);
    unsigned store = rv_here(p);
    rv_sw(p, T0, S2, 0); /* to the instruction behind the next one */
    rv_addi(p, S5, S5, 1);
    unsigned target = rv_here(p);
    rv_addi(p, S3, ZERO, 1);
    rv_add(p, S4, S4, S3);
    rv_xori(p, T0, T0, 0);
    rv_lw(p, T0, S2, 0x104);
    rv_sw(p, T0, S2, 0x100);
    rv_branch(p, RV_BLT, S4, S5, again);
    rv_jump(p, rv_here(p));
    p->code[store] = rv_s((int)target * 4, T0, S2, 2);
    rig_load(&r);
    uint32_t two = rv_i(2, ZERO, 0, S3, 0x13), four = rv_i(4, ZERO, 0, S3, 0x13);
    mem_poke(r.t.mem, RAM + 0x100, &two, 4);
    mem_poke(r.t.mem, RAM + 0x104, &four, 4);
    rig_run(&r, 100);
    ck_assert_uint_eq(x(&r, S4), 6); /* 2 the first time, 4 the second */
    ck_assert_uint_eq(x(&r, S5), 6);
    ck_assert_uint_eq(cpu_count(r.t.c), 100);
    rig_fini(&r);
}
END_TEST

/* Memory that changes from outside changes what runs. */
START_TEST(test_poked_code)
{
    struct rig r;
    uint32_t other = rv_i(100, S3, 0, S3, 0x13);

    rig_init(&r, 0);
    rv_addi(&r.p, S3, S3, 1);
    rv_jump(&r.p, 0);
    rig_load(&r);
    rig_run(&r, 10);
    ck_assert_uint_eq(x(&r, S3), 5);
    mem_poke(r.t.mem, RAM, &other, 4);
    rig_run(&r, 10);
    ck_assert_uint_eq(x(&r, S3), 505);
    r.a->ops->flush(r.a);
    ck_assert(!mem_code_at(r.t.mem, RAM, 8));
    rig_run(&r, 10);
    ck_assert_uint_eq(x(&r, S3), 1005);
    rig_fini(&r);
}
END_TEST

/* An instruction of 4 bytes, 2 on each page; what it is follows both. */
START_TEST(test_straddle)
{
    struct rig r;
    uint32_t insn = rv_i(5, S3, 0, S3, 0x13), back;
    uint64_t at = RAM + 0xffe;
    struct rvasm p = {0};

    rig_init(&r, 0);
    rv_jump(&p, 0);
    back = p.code[0];
    mem_poke(r.t.mem, at, &insn, 4);
    mem_poke(r.t.mem, at + 4, &back, 4); /* jumps to itself */
    r.t.c->pc = at;
    rig_run(&r, 3);
    ck_assert_uint_eq(x(&r, S3), 5);
    ck_assert_uint_eq(r.t.c->pc, at + 4);
    insn = rv_i(0x205, S3, 0, S3, 0x13); /* only the second half differs */
    mem_poke(r.t.mem, at + 2, (char *)&insn + 2, 2);
    r.t.c->pc = at;
    rig_run(&r, 3);
    ck_assert_uint_eq(x(&r, S3), 5 + 0x205);
    rig_fini(&r);
}
END_TEST

/* Its second page is mapped elsewhere, or not at all. */
START_TEST(test_straddle_paged)
{
    struct rig r;
    uint64_t base = UINT64_C(0x40000000), at = base + 0xffe;
    uint32_t insn = rv_i(5, S3, 0, S3, 0x13), other = rv_i(0x105, S3, 0, S3, 0x13);

    rig_init(&r, 0);
    hart_paging(&r.t, 8);
    hart_map(&r.t, base, RAM + 0x4000, 0, RWXAD);
    uint64_t entry = hart_map(&r.t, base + 0x1000, RAM + 0x5000, 0, RWXAD);
    mem_poke(r.t.mem, RAM + 0x4ffe, &insn, 4);
    mem_poke(r.t.mem, RAM + 0x6000, (char *)&other + 2, 2);
    csr_set(&r.t, CSR_MEDELEG, BIT(RV_CAUSE_FETCH_PAGE));
    hart_priv(&r.t, RV_S);
    r.t.c->pc = at;
    rig_run(&r, 1);
    ck_assert_uint_eq(x(&r, S3), 5);

    uint64_t pte = (RAM + 0x6000) >> 12 << 10 | RWXAD;
    mem_dma_write(r.t.mem, entry, &pte, 8);
    r.t.c->pc = at;
    rig_run(&r, 1);
    ck_assert_uint_eq(x(&r, S3), 5 + 0x105);

    pte = 0;
    mem_dma_write(r.t.mem, entry, &pte, 8);
    r.t.c->pc = at;
    uint64_t count = cpu_count(r.t.c);
    rig_run(&r, 1);
    ck_assert_uint_eq(x(&r, S3), 5 + 0x105);
    ck_assert_uint_eq(r.t.h->scause, RV_CAUSE_FETCH_PAGE);
    ck_assert_uint_eq(r.t.h->sepc, at);
    ck_assert_uint_eq(r.t.h->stval, base + 0x1000);
    ck_assert_uint_eq(cpu_count(r.t.c), count + 1);
    rig_fini(&r);
}
END_TEST

/* A trap handler that cannot be fetched: the loop of faults uses the budget up. */
START_TEST(test_fetch_faults)
{
    struct rig r;

    rig_init(&r, 0);
    r.t.c->pc = UINT64_C(0x70000000);
    ck_assert_int_eq(rig_run(&r, 77), ACCEL_BUDGET);
    ck_assert_uint_eq(cpu_count(r.t.c), 77);
    ck_assert_uint_eq(r.t.c->count.traps, 77);
    ck_assert_uint_eq(r.t.h->mcause, RV_CAUSE_FETCH_ACCESS);
    rig_fini(&r);
}
END_TEST

/* Permissions that differ within a page: one instruction may be fetched, the next not. */
START_TEST(test_exact_page)
{
    struct rig r;

    rig_init(&r, 0);
    rv_addi(&r.p, S3, S3, 1);
    rv_addi(&r.p, S3, S3, 1);
    rv_addi(&r.p, S3, S3, 1);
    rig_load(&r);
    csr_set(&r.t, CSR_PMPADDR0, (RAM + 8) >> 2);
    csr_set(&r.t, CSR_PMPCFG0, 0x0f); /* TOR: up to RAM + 8 */
    csr_set(&r.t, CSR_MEDELEG, 0);
    hart_priv(&r.t, RV_S);
    r.t.c->pc = RAM;
    rig_run(&r, 3);
    ck_assert_uint_eq(x(&r, S3), 2);
    ck_assert_uint_eq(r.t.h->mcause, RV_CAUSE_FETCH_ACCESS);
    ck_assert_uint_eq(r.t.h->mepc, RAM + 8);
    rig_fini(&r);
}
END_TEST

/* An interrupt that a store raises is taken behind that store. */
START_TEST(test_interrupt_at_store)
{
    struct rig r;

    rig_init(&r, 0);
    loop_program(&r);
    r.line = RV_IRQ_MEI;
    csr_set(&r.t, CSR_MIE, BIT(RV_IRQ_MEI));
    csr_set(&r.t, CSR_MSTATUS, BIT(3));
    csr_set(&r.t, 0x305, RAM + 0x2000);
    struct rvasm p = {0};
    rv_jump(&p, 0);
    mem_poke(r.t.mem, RAM + 0x2000, p.code, 4);
    ck_assert_int_eq(rig_run(&r, 50), ACCEL_BUDGET);
    ck_assert_uint_eq(r.t.h->mcause, RV_CAUSE_INTERRUPT | RV_IRQ_MEI);
    ck_assert_uint_eq(r.t.h->mepc, RAM + (8 + 9) * 4);
    ck_assert_uint_eq(r.counts[1], 17);
    rig_fini(&r);
}
END_TEST

/* The run ends behind the store that asks for it. */
START_TEST(test_quit)
{
    struct rig r;

    rig_init(&r, 0);
    loop_program(&r);
    r.quits = true;
    ck_assert_int_eq(rig_run(&r, 500), ACCEL_QUIT);
    ck_assert_uint_eq(cpu_count(r.t.c), 17);
    ck_assert_uint_eq(r.t.c->pc, RAM + 17 * 4);
    rig_fini(&r);
}
END_TEST

START_TEST(test_halt)
{
    struct rig r;

    rig_init(&r, 0);
    rv_addi(&r.p, S3, S3, 1);
    rv_wfi(&r.p);
    rv_addi(&r.p, S3, S3, 1);
    rv_jump(&r.p, rv_here(&r.p));
    rig_load(&r);
    csr_set(&r.t, CSR_MIE, BIT(RV_IRQ_MEI));
    ck_assert_int_eq(rig_run(&r, 50), ACCEL_HALT);
    ck_assert_uint_eq(cpu_count(r.t.c), 2);
    ck_assert_int_eq(rig_run(&r, 50), ACCEL_HALT);
    ck_assert_uint_eq(x(&r, S3), 1);
    guest_riscv64.line(r.t.c, RV_IRQ_MEI, true); /* enabled, but MIE is off: it goes on */
    ck_assert_int_eq(rig_run(&r, 50), ACCEL_BUDGET);
    ck_assert_uint_eq(x(&r, S3), 2);
    rig_fini(&r);
}
END_TEST

START_TEST(test_stops)
{
    uint64_t pcs[] = {RAM + 10 * 4, RAM + 12 * 4};
    struct cpu_debug stops = stops_at(pcs, 2);
    struct rig r;

    rig_init(&r, 0);
    loop_program(&r);
    r.t.c->debug = &stops;
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_int_eq(rig_run(&r, 500), ACCEL_BREAK);
        ck_assert_uint_eq(r.t.c->pc, pcs[0]);
        ck_assert_uint_eq(cpu_count(r.t.c), 8 + 2 + 12 * i);
        ck_assert_int_eq(rig_run(&r, 500), ACCEL_BREAK);
        ck_assert_uint_eq(cpu_count(r.t.c), 8 + 2 + 12 * i);
        r.t.c->stop_passed = 1;
        ck_assert_int_eq(rig_run(&r, 500), ACCEL_BREAK);
        ck_assert_uint_eq(r.t.c->pc, pcs[1]);
        ck_assert_uint_eq(cpu_count(r.t.c), 8 + 4 + 12 * i);
        ck_assert(!r.t.c->stop_passed);
        r.t.c->stop_passed = 1;
    }
    stops.virtual.n = 0;
    r.a->ops->probes_changed(r.a, (struct cpu_pcs){.pcs = pcs, .n = 2}, (struct cpu_pcs){0});
    ck_assert_int_eq(rig_run(&r, 500), ACCEL_BUDGET);
    rig_fini(&r);
}
END_TEST

/* The stop that is passed is the one at pc, not one in the handler of an interrupt taken there. */
START_TEST(test_stop_behind_interrupt)
{
    uint64_t pcs[] = {RAM, RAM + 0x2000};
    struct cpu_debug stops = stops_at(pcs, 2);
    struct rig r;

    rig_init(&r, 0);
    loop_program(&r);
    r.t.c->debug = &stops;
    csr_set(&r.t, CSR_MIE, BIT(RV_IRQ_MEI));
    csr_set(&r.t, CSR_MSTATUS, BIT(3));
    csr_set(&r.t, 0x305, RAM + 0x2000);
    guest_riscv64.line(r.t.c, RV_IRQ_MEI, true);
    r.t.c->stop_passed = 1;
    ck_assert_int_eq(rig_run(&r, 500), ACCEL_BREAK);
    ck_assert_uint_eq(r.t.c->pc, RAM + 0x2000);
    ck_assert_uint_eq(cpu_count(r.t.c), 0);
    rig_fini(&r);
}
END_TEST

/* No run goes on beyond the count of an alarm that was set in it. */
START_TEST(test_alarm)
{
    struct rig r;

    rig_init(&r, 0);
    rv_addi(&r.p, T0, ZERO, 1);
    rv_csr(&r.p, RV_CSRW, ZERO, 0x323, T0); /* mhpmevent3: cycles */
    rv_addi(&r.p, T0, ZERO, -20);
    rv_csr(&r.p, RV_CSRW, ZERO, 0xb03, T0); /* mhpmcounter3 */
    rv_jump(&r.p, rv_here(&r.p));
    rig_load(&r);
    ck_assert_int_eq(rig_run(&r, 500), ACCEL_BUDGET);
    ck_assert_uint_eq(cpu_count(r.t.c), 4 + 20);
    ck_assert(!(csr_get(&r.t, CSR_MIP) & BIT(RV_IRQ_LCOFI)));
    guest_riscv64.alarm_due(r.t.c);
    ck_assert(csr_get(&r.t, CSR_MIP) & BIT(RV_IRQ_LCOFI));
    rig_fini(&r);
}
END_TEST

static void row(void *opaque, const char *name, uint64_t value, const char *unit, const char *doc)
{
    struct buf *out = opaque;
    buf_fmt(out, "%s=%llu %s %s\n", name, (unsigned long long)value, unit, doc);
}

START_TEST(test_explain)
{
    uint64_t pcs[] = {RAM + 8 * 4, RAM + 10 * 4};
    struct cpu_debug stops = stops_at(pcs, 2);
    struct rig r;
    struct buf out = BUF_INIT;

    rig_init(&r, 0);
    loop_program(&r);
    uint64_t before = state_hash(&r);
    r.a->ops->explain(r.a, r.t.c, RAM + 8 * 4, &out);
    ck_assert_msg(strstr(out.data, "mul") && strstr(out.data, "12 instructions"), "%s", out.data);
    ck_assert_uint_eq(state_hash(&r), before);
    buf_reset(&out);
    r.a->ops->explain(r.a, r.t.c, 0, &out);
    ck_assert(strstr(out.data, "no memory"));
    buf_reset(&out);
    r.t.c->debug = &stops; /* probes: as they are in units that run */
    r.a->ops->explain(r.a, r.t.c, pcs[0], &out);
    ck_assert_msg(strstr(out.data, "exit_stop") && strstr(out.data, " 2 instructions"), "%s",
                  out.data);
    r.t.c->debug = NULL;
    rig_run(&r, 100);
    buf_reset(&out);
    r.a->ops->counters(r.a, row, &out);
    ck_assert(strstr(out.data, "interp.units=") && !strstr(out.data, "interp.units=0"));
    buf_fini(&out);
    rig_fini(&r);
}
END_TEST

/* The interpreter as a part of another engine. */
START_TEST(test_step)
{
    struct rig r;
    struct accel_config config = {.guest = &guest_riscv64, .ncpus = 4};

    rig_init(&r, 0);
    loop_program(&r);
    config.mem = r.t.mem;
    struct interp *it = interp_new(&config);
    struct cpu *c = r.t.c;
    c->budget = c->count_end = 400;
    for (unsigned at = 0; at < 300; at += 1) {
        ck_assert_int_eq(interp_step(it, c, 1), ACCEL_BUDGET);
        ck_assert_uint_eq(cpu_count(c), at + 1);
    }
    ck_assert_int_eq(interp_step(it, c, 17), ACCEL_BUDGET);
    ck_assert_uint_eq(cpu_count(c), 317);
    ck_assert_int_eq(interp_step(it, c, 1000), ACCEL_BUDGET);
    ck_assert_uint_eq(cpu_count(c), 400);
    interp_free(it);
    rig_fini(&r);
}
END_TEST

UNIT_MAIN("accel/interp", test_names, test_device_count, test_budget, test_own_code,
          test_poked_code, test_straddle, test_straddle_paged, test_fetch_faults, test_exact_page,
          test_interrupt_at_store, test_quit, test_halt, test_stops, test_stop_behind_interrupt,
          test_alarm, test_explain, test_step)
