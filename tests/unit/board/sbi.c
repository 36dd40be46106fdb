/* The built-in firmware, called as a supervisor's ecall would. */
#include "board_test.h"

enum { BASE = 0x10, TIME = 0x54494d45, IPI = 0x735049, RFENCE = 0x52464e43, HSM = 0x48534d };
enum { SRST = 0x53525354, PMU = 0x504d55, DBCN = 0x4442434e };
enum { FAILED = -1, NOT_SUPPORTED = -2, INVALID_PARAM = -3, INVALID_ADDRESS = -5 };
enum { ALREADY_AVAILABLE = -6, ALREADY_STARTED = -7, ALREADY_STOPPED = -8 };
enum { CSR_MIP = 0x344, CSR_INHIBIT = 0x320, CSR_EVENT3 = 0x323, CSR_STIMECMP = 0x14d };

static void setup(struct rig *r, const char *isa)
{
    rig_init(r);
    ck_assert_int_eq(rig_build(r, isa, NULL), 0);
}

/* A call by hart `cpu`; the error, and in *value a1. */
static int64_t call_by(struct rig *r, unsigned cpu, uint64_t extension, uint64_t function,
                       const uint64_t a[5], uint64_t *value)
{
    struct cpu *c = r->cpu[cpu];
    const struct cpu_env *env = board_env(r->board);
    uint64_t before[32];

    for (unsigned i = 0; i < 32; i++)
        rv_set_x(c, i, 1000 + i);
    for (unsigned i = 0; i < 5; i++)
        rv_set_x(c, 10 + i, a[i]);
    rv_set_x(c, 16, function);
    rv_set_x(c, 17, extension);
    for (unsigned i = 0; i < 32; i++)
        before[i] = rv_x(c, i);
    ck_assert(env->firmware(env->opaque, c));
    for (unsigned i = 0; i < 32; i++)
        if (i != 10 && i != 11)
            ck_assert_uint_eq(rv_x(c, i), before[i]);
    if (value)
        *value = rv_x(c, 11);
    return (int64_t)rv_x(c, 10);
}

#define A(...)                                    ((const uint64_t[5]){__VA_ARGS__})
#define CALL(r, extension, function, args, value) call_by(r, 0, extension, function, args, value)

START_TEST(base)
{
    struct rig r;
    uint64_t v;

    setup(&r, NULL);
    ck_assert_int_eq(CALL(&r, BASE, 0, A(0), &v), 0);
    ck_assert_uint_eq(v, 0x2000000);
    ck_assert_int_eq(CALL(&r, BASE, 1, A(0), &v), 0);
    ck_assert_uint_gt(v, 100);
    ck_assert_int_eq(CALL(&r, BASE, 3, A(HSM), &v), 0);
    ck_assert_uint_eq(v, 1);
    ck_assert_int_eq(CALL(&r, BASE, 3, A(0x535553), &v), 0); /* SUSP */
    ck_assert_uint_eq(v, 0);
    for (unsigned f = 4; f <= 6; f++) {
        ck_assert_int_eq(CALL(&r, BASE, f, A(0), &v), 0);
        ck_assert_uint_eq(v, rig_csr(&r, 0, 0xf11 + f - 4));
    }
    ck_assert_int_eq(CALL(&r, BASE, 7, A(0), &v), NOT_SUPPORTED);
    ck_assert_int_eq(CALL(&r, 0x12345678, 0, A(0), &v), NOT_SUPPORTED);
    ck_assert_int_eq(CALL(&r, UINT64_C(1) << 32 | BASE, 0, A(0), &v), NOT_SUPPORTED);
    rv_of(r.cpu[0])->priv = RV_U;
    ck_assert(!board_env(r.board)->firmware(r.board, r.cpu[0]));
    rig_fini(&r);
}
END_TEST

START_TEST(timer)
{
    struct rig r;

    setup(&r, NULL);
    ck_assert_int_eq(CALL(&r, TIME, 0, A(100), NULL), 0);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_STIMECMP), 100);
    rig_until(&r, 10000);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), BIT(RV_IRQ_STI));
    ck_assert_int_eq(CALL(&r, TIME, 0, A(UINT64_MAX), NULL), 0);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), 0);
    ck_assert_int_eq(CALL(&r, TIME, 1, A(0), NULL), NOT_SUPPORTED);
    ck_assert_int_eq(CALL(&r, 0, 0, A(150), NULL), 0); /* the legacy call */
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_STIMECMP), 150);
    rig_fini(&r);
    setup(&r, "rv64imafdc"); /* no Sstc */
    ck_assert_int_eq(CALL(&r, TIME, 0, A(100), NULL), 0);
    rig_until(&r, 9999);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), 0);
    rig_until(&r, 10000);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), BIT(RV_IRQ_STI));
    ck_assert_int_eq(CALL(&r, TIME, 0, A(200), NULL), 0);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), 0);
    rig_fini(&r);
}
END_TEST

START_TEST(ipi_and_fences)
{
    struct rig r;

    setup(&r, NULL);
    ck_assert_int_eq(CALL(&r, IPI, 0, A(1, 0), NULL), 0);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), BIT(RV_IRQ_SSI));
    ck_assert_int_eq(CALL(&r, IPI, 0, A(3, 0), NULL), 0);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), 0); /* stopped */
    ck_assert_int_eq(CALL(&r, HSM, 0, A(1, RAM, 0), NULL), 0);
    ck_assert_int_eq(CALL(&r, IPI, 0, A(0, UINT64_MAX), NULL), 0);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), BIT(RV_IRQ_SSI));
    ck_assert_int_eq(CALL(&r, IPI, 0, A(1, 1), NULL), 0);
    ck_assert_int_eq(CALL(&r, IPI, 0, A(4, 0), NULL), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, IPI, 0, A(2, 1), NULL), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, IPI, 0, A(1, 64), NULL), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, IPI, 0, A(BIT(63), 1), NULL), INVALID_PARAM);
    for (unsigned f = 0; f < 3; f++) {
        ck_assert_int_eq(CALL(&r, RFENCE, f, A(3, 0, 0, UINT64_MAX, 0), NULL), 0);
        ck_assert_int_eq(CALL(&r, RFENCE, f, A(8, 0, 0, 0, 0), NULL), INVALID_PARAM);
    }
    ck_assert_int_eq(CALL(&r, RFENCE, 3, A(1, 0), NULL), NOT_SUPPORTED);
    rig_fini(&r);
}
END_TEST

START_TEST(hart_states)
{
    struct rig r;
    struct rv_cpu *h;
    uint64_t v;

    setup(&r, NULL);
    h = rv_of(r.cpu[1]);
    ck_assert_int_eq(CALL(&r, HSM, 2, A(0), &v), 0);
    ck_assert_uint_eq(v, 0);
    ck_assert_int_eq(CALL(&r, HSM, 2, A(1), &v), 0);
    ck_assert_uint_eq(v, 1);
    ck_assert_int_eq(CALL(&r, HSM, 2, A(2), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, HSM, 0, A(2, RAM, 0), NULL), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, HSM, 0, A(0, RAM, 0), NULL), ALREADY_AVAILABLE);
    ck_assert_int_eq(CALL(&r, HSM, 0, A(1, 0x10000000, 0), NULL), INVALID_ADDRESS);
    ck_assert_int_eq(CALL(&r, HSM, 0, A(1, RAM + 1, 0), NULL), INVALID_ADDRESS);
    mem_write(r.mem, 0x2000004, 4, 1); /* a wire that is high stays so */
    r.changes = 0;
    ck_assert_int_eq(CALL(&r, HSM, 0, A(1, RAM + 0x40, 99), NULL), 0);
    ck_assert_uint_gt(r.changes, 0);
    ck_assert(!h->cpu.halted && h->priv == RV_S && h->satp == 0);
    ck_assert_uint_eq(h->cpu.pc, RAM + 0x40);
    ck_assert_uint_eq(h->x[10], 1);
    ck_assert_uint_eq(h->x[11], 99);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), BIT(RV_IRQ_MSI));
    ck_assert_int_eq(CALL(&r, HSM, 2, A(1), &v), 0);
    ck_assert_uint_eq(v, 0);
    call_by(&r, 1, HSM, 3, A(0), NULL);
    ck_assert(h->cpu.halted);
    ck_assert_int_eq(CALL(&r, HSM, 2, A(1), &v), 0);
    ck_assert_uint_eq(v, 4);
    h->cpu.halted = 0; /* an interrupt woke it */
    ck_assert_int_eq(CALL(&r, HSM, 2, A(1), &v), 0);
    ck_assert_uint_eq(v, 0);
    h->mie = 0x222;
    h->cpu.pc = RAM + 0x80;
    call_by(&r, 1, HSM, 1, A(0), NULL);
    ck_assert(h->cpu.halted && !h->mie);
    ck_assert_uint_eq(h->x[10], 0); /* as it was: the call does not return */
    ck_assert_int_eq(CALL(&r, HSM, 2, A(1), &v), 0);
    ck_assert_uint_eq(v, 1);
    ck_assert_int_eq(CALL(&r, HSM, 0, A(1, RAM, 5), NULL), 0);
    ck_assert_int_eq(CALL(&r, HSM, 3, A(0x80000000), NULL), NOT_SUPPORTED);
    ck_assert_int_eq(CALL(&r, HSM, 3, A(0x10000000), NULL), NOT_SUPPORTED);
    ck_assert_int_eq(CALL(&r, HSM, 3, A(7), NULL), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, HSM, 4, A(0), NULL), NOT_SUPPORTED);
    rig_fini(&r);
}
END_TEST

START_TEST(system_reset)
{
    struct rig r;

    setup(&r, NULL);
    CALL(&r, SRST, 0, A(0, 0), NULL);
    ck_assert(r.end == BOARD_POWEROFF && r.code == 0 && r.ends == 1);
    CALL(&r, SRST, 0, A(1, 0), NULL);
    ck_assert(r.end == BOARD_REBOOT);
    r.end = BOARD_RUNNING;
    CALL(&r, SRST, 0, A(2, 1), NULL);
    ck_assert(r.end == BOARD_REBOOT);
    r.cpu[0]->leave = 0;
    CALL(&r, SRST, 0, A(0, 1), NULL);
    ck_assert(r.end == BOARD_FAILED && r.code == 1 && r.ends == 4 && r.cpu[0]->leave);
    ck_assert_int_eq(CALL(&r, SRST, 0, A(3, 0), NULL), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, SRST, 0, A(0, 2), NULL), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, SRST, 0, A(0xf0000000, 0), NULL), NOT_SUPPORTED);
    ck_assert_int_eq(CALL(&r, SRST, 1, A(0, 0), NULL), NOT_SUPPORTED);
    ck_assert_uint_eq(r.ends, 4);
    CALL(&r, 8, 0, A(0), NULL); /* the legacy call */
    ck_assert(r.end == BOARD_POWEROFF && r.ends == 5);
    rig_fini(&r);
}
END_TEST

START_TEST(debug_console)
{
    struct rig r;
    uint64_t v;

    setup(&r, NULL);
    mem_poke(r.mem, RAM + 0x1000, "hello", 5);
    ck_assert_int_eq(CALL(&r, DBCN, 0, A(5, RAM + 0x1000, 0), &v), 0);
    ck_assert_uint_eq(v, 5);
    ck_assert_int_eq(CALL(&r, DBCN, 2, A('!'), &v), 0);
    CALL(&r, 1, 0, A('?'), NULL); /* the legacy call */
    ck_assert_uint_eq(r.nsent, 7);
    ck_assert_mem_eq(r.sent, "hello!?", 7);
    ck_assert_int_eq(CALL(&r, DBCN, 1, A(8, RAM + 0x2000, 0), &v), 0);
    ck_assert_uint_eq(v, 0);
    r.waiting = "abcdefghijk";
    board_poll(r.board);
    ck_assert_int_eq(CALL(&r, DBCN, 1, A(8, RAM + 0x2000, 0), &v), 0);
    ck_assert_uint_eq(v, 8);
    ck_assert_mem_eq(mem_host(r.mem, RAM + 0x2000, 9, false), "abcdefgh", 9);
    ck_assert_int_eq(CALL(&r, 2, 0, A(0), NULL), 'i');
    CALL(&r, 2, 0, A(0), NULL);
    CALL(&r, 2, 0, A(0), NULL);
    ck_assert_int_eq(CALL(&r, 2, 0, A(0), NULL), -1);
    ck_assert_int_eq(CALL(&r, DBCN, 0, A(0, 0, 0), &v), 0);
    ck_assert_int_eq(CALL(&r, DBCN, 0, A(5, RAM + 0x1000, 1), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, DBCN, 0, A(5, RAM - 1, 0), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, DBCN, 1, A(5, RAM + 64 * MIB - 4, 0), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, DBCN, 1, A(5, 0x1000, 0), &v), INVALID_PARAM); /* ROM */
    ck_assert_int_eq(CALL(&r, DBCN, 0, A(UINT64_MAX, RAM, 0), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, DBCN, 0, A(1 << 20, RAM, 0), &v), 0); /* in part */
    ck_assert_uint_eq(v, 65536);
    ck_assert_int_eq(CALL(&r, DBCN, 3, A(0), &v), NOT_SUPPORTED);
    rig_fini(&r);
}
END_TEST

START_TEST(counters)
{
    struct rig r;
    uint64_t v;

    setup(&r, NULL);
    ck_assert_int_eq(CALL(&r, PMU, 0, A(0), &v), 0);
    ck_assert_uint_eq(v, 32);
    ck_assert_int_eq(CALL(&r, PMU, 1, A(2), &v), 0);
    ck_assert_uint_eq(v, 0xc02 | 63 << 12);
    ck_assert_int_eq(CALL(&r, PMU, 1, A(31), &v), 0);
    ck_assert_uint_eq(v, 0xc1f | 63 << 12);
    ck_assert_int_eq(CALL(&r, PMU, 1, A(1), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, PMU, 1, A(32), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, PMU, 5, A(0), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, PMU, 7, A(0), &v), NOT_SUPPORTED);
    ck_assert_int_eq(CALL(&r, PMU, 4, A(0, 5, 1), &v), 0);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_INHIBIT), 5);
    ck_assert_int_eq(CALL(&r, PMU, 4, A(0, 1, 0), &v), ALREADY_STOPPED);
    ck_assert_int_eq(CALL(&r, PMU, 3, A(0, 1, 1, 12345), &v), 0);
    ck_assert_uint_eq(rig_csr(&r, 0, 0xb00), 12345);
    ck_assert_int_eq(CALL(&r, PMU, 3, A(0, 1, 0), &v), ALREADY_STARTED);
    ck_assert_int_eq(CALL(&r, PMU, 3, A(0, 2, 0), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, PMU, 3, A(32, 1, 0), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, PMU, 3, A(31, 2, 0), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, PMU, 3, A(0, 1, 2), &v), NOT_SUPPORTED);
    ck_assert_int_eq(CALL(&r, PMU, 4, A(0, 1, 4), &v), INVALID_PARAM);
    rig_fini(&r);
}
END_TEST

START_TEST(matching)
{
    const uint64_t all = 0xfffffffd, minh = BIT(62), sinh = BIT(61), of = BIT(63);
    struct rig r;
    uint64_t v;

    setup(&r, NULL);
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, all, 2 | 4 | 64, 2, 0), &v), 0);
    ck_assert_uint_eq(v, 3);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_EVENT3), 2 | minh | sinh); /* started: no overflow mark */
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, all, 0, 1, 0), &v), 0);
    ck_assert_uint_eq(v, 4);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_EVENT3 + 1), 1 | minh | of);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_INHIBIT) & 0x18, 0x10);
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, 1, 4, 1, 0), &v), 0); /* the fixed one, as asked */
    ck_assert_uint_eq(v, 0);
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, 1, 4, 1, 0), &v), NOT_SUPPORTED);  /* taken */
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, 4, 64, 2, 0), &v), NOT_SUPPORTED); /* cannot filter */
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, 1, 4, 2, 0), &v), NOT_SUPPORTED);
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, all, 0, 3, 0), &v), NOT_SUPPORTED);
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, all, 0, 0xf0005, 0), &v), NOT_SUPPORTED);
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, 0, 0, 1, 0), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, PMU, 2, A(4, 1, 1 | 4, 1, 0), &v), 0); /* as configured before */
    ck_assert_uint_eq(v, 4);
    ck_assert_int_eq(CALL(&r, PMU, 2, A(9, 1, 1, 1, 0), &v), INVALID_PARAM);
    ck_assert_int_eq(CALL(&r, PMU, 4, A(3, 1, 1), &v), 0);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_EVENT3), 0);
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, all, 0, 1, 0), &v), 0);
    ck_assert_uint_eq(v, 3);
    rig_fini(&r);
    setup(&r, "rv64imafdc"); /* without Sscofpmf the fixed counters come first */
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, all, 4, 2, 0), &v), 0);
    ck_assert_uint_eq(v, 2);
    ck_assert_int_eq(CALL(&r, PMU, 2, A(0, all, 4 | 64, 1, 0), &v), NOT_SUPPORTED);
    rig_fini(&r);
}
END_TEST

UNIT_MAIN("board/sbi", base, timer, ipi_and_fences, hart_states, system_reset, debug_console,
          counters, matching)
