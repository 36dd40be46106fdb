/* messages.c - harts that interrupt each other through their IMSICs: the same on each engine,
 * however the run is cut up, and from a saved state. */
#include "tests/unit/machine/rig.h"

enum { CSR_MISELECT = 0x350, CSR_MIREG = 0x351, CSR_MTOPEI = 0x35c };
#define IMSIC_M 0x24000000u
#define ROUNDS  1000

/* A hart computes and waits; a message that it gets makes it send the next.  s4: how many came, s5:
 * which. */
static void program(struct rvasm *p)
{
    unsigned start = rv_branch(p, RV_BEQ, ZERO, ZERO, 0);

    unsigned handler = rv_here(p);
    rv_csr(p, RV_CSRW, A0, CSR_MTOPEI, ZERO);
    rv_srli(p, A0, A0, 16);
    rv_mul(p, S5, S5, S8);
    rv_add(p, S5, S5, A0);
    rv_addi(p, S4, S4, 1);
    rig_end_after(p, ROUNDS);
    rv_andi(p, A0, S5, 0x7f);
    rv_addi(p, A0, A0, 100);
    rv_sw(p, A0, S9, 0);
    rv_mret(p);

    rv_to_here(p, start);
    rv_csr(p, RV_CSRS, S0, CSR_MHARTID, ZERO);
    rv_li(p, S9, IMSIC_M);
    rv_xori(p, T0, S0, 1);
    rv_slli(p, T0, T0, 12);
    rv_add(p, S9, S9, T0);
    rv_li(p, S8, 0x41c64e6d);
    rig_set_mtvec(p, handler);
    rv_addi(p, T1, ZERO, -1);
    for (int reg = 0xc0; reg < 0xc8; reg += 2) { /* eie */
        rv_addi(p, T0, ZERO, reg);
        rv_csr(p, RV_CSRW, ZERO, CSR_MISELECT, T0);
        rv_csr(p, RV_CSRW, ZERO, CSR_MIREG, T1);
    }
    rv_addi(p, T0, ZERO, 0x70); /* eidelivery */
    rv_csr(p, RV_CSRW, ZERO, CSR_MISELECT, T0);
    rv_csr(p, RV_CSRSI, ZERO, CSR_MIREG, 1);
    rv_li(p, T0, 0x800);
    rv_csr(p, RV_CSRW, ZERO, CSR_MIE, T0);
    rv_csr(p, RV_CSRSI, ZERO, CSR_MSTATUS, 8);
    rv_addi(p, T0, ZERO, 9);
    unsigned loop = rv_branch(p, RV_BNE, S0, ZERO, 0);
    rv_sw(p, T0, S9, 0); /* hart 0 sends the first */
    rv_to_here(p, loop);
    loop = rv_here(p);
    rv_mul(p, S6, S6, S8);
    rv_addi(p, S6, S6, 1);
    rv_andi(p, T1, S6, 0x1ff);
    rv_branch(p, RV_BNE, T1, ZERO, loop);
    rv_wfi(p);
    rv_jump(p, loop);
}

static struct machine *machine(const char *engine)
{
    struct rvasm p = {0};
    struct rig_file f;
    struct machine_config config;
    struct machine *m;

    program(&p);
    rig_write(&f, &p);
    config = rig_config(&f, 2);
    config.board.interrupts = "imsic";
    config.engine = engine;
    m = rig_machine(&config);
    rig_remove(&f);
    return m;
}

static void ends(struct machine *m, uint64_t *count, uint64_t *hash)
{
    ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_ENDED);
    ck_assert_int_eq(machine_end(m, NULL), BOARD_POWEROFF);
    ck_assert_uint_eq(rig_x(m, 0, S4), ROUNDS);
    ck_assert_uint_ge(rig_x(m, 1, S4), ROUNDS - 1);
    *count = machine_count(m);
    *hash = machine_hash(m);
}

START_TEST(engines_and_pieces)
{
    struct machine *a = machine("interp"), *b = machine("interp");
    uint64_t count, hash, n, h, seed = 1;

    ends(a, &count, &hash);
    while (machine_count(b) < count - 1) {
        seed = bits_mix(seed + 1);
        n = machine_count(b) + 1 + seed % 999;
        machine_run(b, n < count - 1 ? n : count - 1);
    }
    ends(b, &n, &h);
    ck_assert(n == count && h == hash);
    machine_free(b);
#ifdef __x86_64__
    b = machine("jit");
    ck_assert_int_eq(machine_reset(a, NULL), 0);
    for (n = 1; n < count; n += count / 50) {
        machine_run(a, n);
        machine_run(b, n);
        ck_assert_uint_eq(machine_hash(a), machine_hash(b));
    }
    ends(b, &n, &h);
    ck_assert(n == count && h == hash);
    machine_free(b);
#endif
    machine_free(a);
}
END_TEST

/* From a state in which messages are on their way. */
START_TEST(from_a_saved_state)
{
    struct machine *a = machine("interp"), *b = machine("interp");
    uint64_t count, hash, n, h;

    for (unsigned i = 1; i < 20; i++) {
        ck_assert_int_eq(machine_run(a, i * 777), MACHINE_COUNT);
        rig_take_over(b, a);
        ck_assert_uint_eq(machine_hash(b), machine_hash(a));
    }
    ends(a, &count, &hash);
    ends(b, &n, &h);
    ck_assert(n == count && h == hash);
    machine_free(a);
    machine_free(b);
}
END_TEST

UNIT_MAIN("machine/messages", engines_and_pieces, from_a_saved_state)
