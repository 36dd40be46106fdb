/* counters.c - cycle, instret, event counters, the time and stimecmp. */
#include "hart.h"

enum {
    CYCLE = 0xc00,
    TIME,
    INSTRET,
    MCYCLE = 0xb00,
    MINSTRET = 0xb02,
    HPM3 = 0xb03,
    EVENT3 = 0x323
};
#define OF   BIT(63)
#define MINH BIT(62)
#define SINH BIT(61)
#define UINH BIT(60)

/* n instructions run, of which the last may still be in progress. */
static void run(struct hart *t, unsigned n)
{
    t->c->budget -= n;
}

/* As an instruction of its own reads it. */
static uint64_t read_insn(struct hart *t, unsigned csr)
{
    uint64_t v;
    run(t, 1);
    ck_assert(csr_try(t, csr, RV_CSR_RS, false, 0, &v));
    return v;
}

static void write_insn(struct hart *t, unsigned csr, uint64_t value)
{
    uint64_t v;
    run(t, 1);
    ck_assert(csr_try(t, csr, RV_CSR_RW, true, value, &v));
}

static void start(struct hart *t)
{
    hart_init(t);
    t->c->budget = 1000000;
    t->c->count_end = 1000000;
}

START_TEST(cycle_and_instret)
{
    struct hart t;
    start(&t);
    ck_assert_uint_eq(read_insn(&t, CYCLE), 0); /* itself not counted */
    ck_assert_uint_eq(read_insn(&t, CYCLE), 1);
    run(&t, 10);
    ck_assert_uint_eq(read_insn(&t, INSTRET), 12);
    ck_assert_uint_eq(csr_get(&t, INSTRET), 13); /* a debugger between instructions */
    run(&t, 1);
    rv_raise(t.h, RV_CAUSE_BREAKPOINT, 0); /* does not retire */
    ck_assert_uint_eq(read_insn(&t, INSTRET), 13);
    ck_assert_uint_eq(read_insn(&t, CYCLE), 15);
    hart_fini(&t);
}
END_TEST

/* Charged ahead of the instruction that looks: not counted. */
START_TEST(ahead)
{
    struct hart t;
    start(&t);
    run(&t, 10);
    t.c->ahead = 7;
    uint64_t v;
    ck_assert(csr_try(&t, CYCLE, RV_CSR_RS, false, 0, &v));
    ck_assert_uint_eq(v, 2);
    hart_fini(&t);
}
END_TEST

START_TEST(writes)
{
    struct hart t;
    start(&t);
    for (unsigned i = 0; i < 2; i++) {
        unsigned csr = i ? MINSTRET : MCYCLE;
        run(&t, 7);
        write_insn(&t, csr, 1000);
        ck_assert_uint_eq(read_insn(&t, csr), 1000); /* the next reads what was written */
        ck_assert_uint_eq(read_insn(&t, csr), 1001);
        csr_set(&t, csr, UINT64_MAX);
        ck_assert_uint_eq(csr_get(&t, csr), UINT64_MAX);
        run(&t, 1);
        ck_assert_uint_eq(csr_get(&t, csr), 0);
    }
    hart_fini(&t);
}
END_TEST

START_TEST(inhibited)
{
    struct hart t;
    start(&t);
    run(&t, 99);
    write_insn(&t, CSR_MCOUNTINHIBIT, 1); /* cycle */
    run(&t, 50);
    ck_assert_uint_eq(csr_get(&t, CYCLE), 100);
    ck_assert_uint_eq(csr_get(&t, INSTRET), 150);
    csr_set(&t, MCYCLE, 7);
    run(&t, 5);
    ck_assert_uint_eq(csr_get(&t, CYCLE), 7);
    write_insn(&t, CSR_MCOUNTINHIBIT, 4);
    ck_assert_uint_eq(read_insn(&t, CYCLE), 7);
    ck_assert_uint_eq(csr_get(&t, INSTRET), 156);
    run(&t, 3);
    ck_assert_uint_eq(csr_get(&t, INSTRET), 156);
    ck_assert_uint_eq(csr_get(&t, CYCLE), 11);
    hart_fini(&t);
}
END_TEST

START_TEST(events)
{
    struct hart t;
    start(&t);
    write_insn(&t, EVENT3, 1);
    write_insn(&t, EVENT3 + 28, 2); /* the last one */
    ck_assert_uint_eq(csr_get(&t, HPM3), 1);
    run(&t, 10);
    rv_raise(t.h, RV_CAUSE_BREAKPOINT, 0); /* the last of the ten */
    ck_assert_uint_eq(csr_get(&t, HPM3), 11);
    ck_assert_uint_eq(csr_get(&t, HPM3 + 28), 9);
    ck_assert_uint_eq(read_insn(&t, 0xc03), 11);
    csr_set(&t, CSR_MCOUNTINHIBIT, 8);
    run(&t, 5);
    ck_assert_uint_eq(csr_get(&t, HPM3), 12);
    csr_set(&t, CSR_MCOUNTINHIBIT, 0);
    run(&t, 5);
    ck_assert_uint_eq(csr_get(&t, HPM3), 17);
    csr_set(&t, EVENT3, 0);
    run(&t, 5);
    ck_assert_uint_eq(csr_get(&t, HPM3), 17);
    ck_assert_uint_eq(csr_get(&t, HPM3 + 28), 25);
    hart_fini(&t);
}
END_TEST

/* xINH bits: 10 instructions in M, 20 in S, 40 in U. */
START_TEST(filters)
{
    for (unsigned bits = 0; bits < 8; bits++) {
        struct hart t;
        start(&t);
        csr_set(&t, EVENT3,
                1 | (bits & 1 ? MINH : 0) | (bits & 2 ? SINH : 0) | (bits & 4 ? UINH : 0));
        run(&t, 10);
        hart_priv(&t, RV_S);
        run(&t, 20);
        hart_priv(&t, RV_U);
        run(&t, 39);
        t.c->budget -= 1;
        rv_raise(t.h, RV_CAUSE_BREAKPOINT, 0); /* back to M */
        ck_assert_uint_eq(csr_get(&t, HPM3),
                          (bits & 1 ? 0 : 10) + (bits & 2 ? 0 : 20) + (bits & 4 ? 0 : 40));
        hart_fini(&t);
    }
}
END_TEST

/* Overflow at its exact count: the alarm says when. */
START_TEST(overflow)
{
    struct hart t;
    start(&t);
    run(&t, 100);
    t.c->pending = 0;
    csr_set(&t, HPM3, (uint64_t)-1000);
    ck_assert_uint_eq(t.c->alarm, UINT64_MAX);
    csr_set(&t, EVENT3, 1);
    ck_assert_uint_eq(t.c->alarm, 1100);
    ck_assert_uint_eq(t.c->pending, 1);
    csr_set(&t, HPM3 + 1, (uint64_t)-10);
    csr_set(&t, EVENT3 + 1, 2 | OF); /* has overflowed already: says nothing */
    ck_assert_uint_eq(t.c->alarm, 1100);
    csr_set(&t, EVENT3 + 1, 2);
    ck_assert_uint_eq(t.c->alarm, 110);
    run(&t, 9);
    rv_alarm_due(t.c); /* too early does no harm */
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    run(&t, 1);
    rv_raise(t.h, RV_CAUSE_BREAKPOINT, 0); /* does not count */
    rv_alarm_due(t.c);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    ck_assert_uint_eq(t.c->alarm, 111);
    run(&t, 1);
    csr_set(&t, CSR_MIE, RV_MIP_LCOFI);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_MIE);
    t.c->pending = 0;
    rv_alarm_due(t.c);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_LCOFI);
    ck_assert_uint_eq(t.c->pending, 1);
    ck_assert_uint_eq(csr_get(&t, EVENT3 + 1), 2 | OF);
    ck_assert_uint_eq(csr_get(&t, HPM3 + 1), 0);
    ck_assert_uint_eq(csr_get(&t, 0xda0), 0x10);
    ck_assert_uint_eq(t.c->alarm, 1100);
    ck_assert(rv_interrupt(t.c));
    ck_assert_uint_eq(csr_get(&t, 0x342), RV_CAUSE_INTERRUPT | RV_IRQ_LCOFI);
    /* S sees what mcounteren shows it. */
    csr_set(&t, CSR_MCOUNTEREN, 8);
    hart_priv(&t, RV_S);
    ck_assert_uint_eq(csr_get(&t, 0xda0), 0);
    csr_set(&t, CSR_MCOUNTEREN, 0x10);
    ck_assert_uint_eq(csr_get(&t, 0xda0), 0x10);
    /* While OF is set, another overflow is silent. */
    csr_set(&t, CSR_MIP, 0);
    csr_set(&t, HPM3 + 1, (uint64_t)-1);
    run(&t, 2);
    rv_counters_fold(t.h);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    hart_fini(&t);
}
END_TEST

/* A filtered counter's alarm waits for its privilege. */
START_TEST(overflow_of_a_filtered_counter)
{
    struct hart t;
    start(&t);
    csr_set(&t, HPM3, (uint64_t)-100);
    csr_set(&t, EVENT3, 1 | MINH);
    ck_assert_uint_eq(t.c->alarm, UINT64_MAX);
    run(&t, 500);
    hart_priv(&t, RV_S);
    ck_assert_uint_eq(t.c->alarm, 600);
    run(&t, 60);
    hart_priv(&t, RV_M);
    ck_assert_uint_eq(t.c->alarm, UINT64_MAX);
    run(&t, 500);
    hart_priv(&t, RV_S);
    ck_assert_uint_eq(t.c->alarm, 1100);
    run(&t, 40);
    rv_alarm_due(t.c);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_LCOFI);
    hart_fini(&t);
}
END_TEST

START_TEST(without_sscofpmf)
{
    struct hart t;
    hart_init_isa(&t, "rv64gc");
    t.c->budget = t.c->count_end = 1000;
    csr_set(&t, EVENT3, OF | MINH | 1);
    ck_assert_uint_eq(csr_get(&t, EVENT3), 1);
    csr_set(&t, HPM3, (uint64_t)-5);
    ck_assert_uint_eq(t.c->alarm, UINT64_MAX);
    run(&t, 10);
    rv_counters_fold(t.h);
    ck_assert_uint_eq(csr_get(&t, HPM3), 5);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    hart_fini(&t);
}
END_TEST

START_TEST(the_time)
{
    struct hart t;
    start(&t);
    t.now = 12345;
    ck_assert_uint_eq(read_insn(&t, TIME), 12345);
    hart_fini(&t);
}
END_TEST

START_TEST(supervisor_timer)
{
    struct hart t;
    start(&t);
    t.now = 100;
    csr_set(&t, CSR_MIE, RV_MIP_STI);
    csr_set(&t, CSR_MIP, RV_MIP_STI); /* software's bit, while STCE is off */
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_STI);
    csr_set(&t, CSR_STIMECMP, 150);
    ck_assert_uint_eq(t.timer, UINT64_MAX);
    csr_set(&t, CSR_MENVCFG, RV_ENVCFG_STCE);
    ck_assert_uint_eq(t.timer, 150);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    csr_set(&t, CSR_MIP, RV_MIP_STI); /* read-only now */
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    t.now = 149;
    guest_riscv64.timer_due(t.c);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    ck_assert_uint_eq(t.timer, 150);
    t.now = 150;
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_MIE);
    t.c->pending = 0;
    guest_riscv64.timer_due(t.c);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_STI);
    ck_assert_uint_eq(t.c->pending, 1);
    ck_assert_uint_eq(t.timer, UINT64_MAX);
    ck_assert(rv_interrupt(t.c));
    /* A later compare value takes it back at once; an earlier one raises it at once. */
    csr_set(&t, CSR_STIMECMP, 151);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    ck_assert_uint_eq(t.timer, 151);
    csr_set(&t, CSR_STIMECMP, 0);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_STI);
    csr_set(&t, CSR_MENVCFG, 0);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_STI); /* software's bit is back */
    csr_set(&t, CSR_MIP, 0);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    hart_fini(&t);
}
END_TEST

UNIT_MAIN("riscv64/counters", cycle_and_instret, ahead, writes, inhibited, events, filters,
          overflow, overflow_of_a_filtered_counter, without_sscofpmf, the_time, supervisor_timer)
