/* csr.c - which CSRs there are, who may access them, and what writes leave (WARL). */
#include "hart.h"

#define ALL UINT64_MAX

/* What reads back in M-mode after writing all ones, then all zeros. */
START_TEST(what_can_be_written)
{
    static const struct {
        unsigned csr;
        uint64_t ones, zeros;
    } rows[] = {
        {0x001, 0x1f, 0},
        {0x002, 7, 0},
        {0x003, 0xff, 0},
        {0x100,
         BIT(63) | BIT(33) | BIT(19) | BIT(18) | BIT(14) | BIT(13) | BIT(8) | BIT(5) | BIT(1),
         BIT(33)},
        {0x104, 0, 0}, /* nothing is delegated */
        {0x105, ALL & ~BIT(1), 0},
        {0x106, 0xffffffff, 0},
        {0x10a, 0xf1, 0},
        {0x140, ALL, 0},
        {0x141, ALL & ~BIT(0), 0},
        {0x142, ALL, 0},
        {0x143, ALL, 0},
        {0x144, 0, 0},
        {0x14d, ALL, 0},
        {0x180, 0, 0}, /* there is no mode 15 */
        {0x300,
         BIT(63) | BIT(35) | BIT(33) | BIT(22) | BIT(21) | BIT(20) | BIT(19) | BIT(18) | BIT(17) |
             BIT(14) | BIT(13) | BIT(12) | BIT(11) | BIT(8) | BIT(7) | BIT(5) | BIT(3) | BIT(1),
         BIT(35) | BIT(33)},
        {0x302, 0xb3ff, 0},
        {0x303, 0x2222, 0},
        {0x304, 0x2aaa, 0},
        {0x305, ALL & ~BIT(1), 0},
        {0x306, 0xffffffff, 0},
        {0x30a, BIT(63) | BIT(62) | BIT(61) | 0xf1, 0},
        {0x320, 0xfffffffd, 0},
        {0x323, BIT(63) | BIT(62) | BIT(61) | BIT(60), 0}, /* there is no event 0xffffffff */
        {0x340, ALL, 0},
        {0x341, ALL & ~BIT(0), 0},
        {0x342, ALL, 0},
        {0x343, ALL, 0},
        {0x344, 0x2222, 0},
        {0x3b5, BIT(54) - 1, 0},
        {0x747, 0, 0},
        {0x7a0, 0, 0},
        {0x7a1, 0, 0},
        {0x7a2, 0, 0},
        {0xb03, ALL, 0},
        {0xb1f, ALL, 0},
    };
    struct hart t;
    uint64_t old;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        hart_init(&t);
        csr_set(&t, CSR_MSTATUS, RV_MSTATUS_FS);
        ck_assert(csr_try(&t, rows[i].csr, RV_CSR_RW, true, ALL, &old));
        ck_assert_msg(csr_get(&t, rows[i].csr) == rows[i].ones, "csr %#x: %#lx", rows[i].csr,
                      (unsigned long)csr_get(&t, rows[i].csr));
        csr_set(&t, CSR_MSTATUS, csr_get(&t, CSR_MSTATUS) | RV_MSTATUS_FS);
        ck_assert(csr_try(&t, rows[i].csr, RV_CSR_RW, true, 0, &old));
        ck_assert_msg(csr_get(&t, rows[i].csr) == rows[i].zeros, "csr %#x: %#lx", rows[i].csr,
                      (unsigned long)csr_get(&t, rows[i].csr));
        hart_fini(&t);
    }
}
END_TEST

START_TEST(constants)
{
    static const struct {
        unsigned csr;
        uint64_t value;
    } rows[] = {{0xf11, 0}, {0xf12, 0}, {0xf13, 0},
                {0xf14, 3}, {0xf15, 0}, {0x301, BIT(63) | 0x14112d}};
    struct hart t;
    hart_init(&t);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t old;
        ck_assert(csr_try(&t, rows[i].csr, RV_CSR_RS, false, 0, &old));
        ck_assert_uint_eq(old, rows[i].value);
    }
    csr_set(&t, 0x301, 0);
    ck_assert_uint_eq(csr_get(&t, 0x301), BIT(63) | 0x14112d);
    hart_fini(&t);
}
END_TEST

/* Every CSR that M has, and no other. */
START_TEST(the_map)
{
    static const struct {
        unsigned first, last;
    } ranges[] = {
        {0x001, 0x003}, {0x100, 0x100}, {0x104, 0x106}, {0x10a, 0x10a}, {0x140, 0x144},
        {0x14d, 0x14d}, {0x180, 0x180}, {0x300, 0x306}, {0x30a, 0x30a}, {0x320, 0x320},
        {0x323, 0x33f}, {0x340, 0x344}, {0x3a0, 0x3a0}, {0x3a2, 0x3a2}, {0x3b0, 0x3bf},
        {0x747, 0x747}, {0x7a0, 0x7a3}, {0xb00, 0xb00}, {0xb02, 0xb1f}, {0xc00, 0xc1f},
        {0xda0, 0xda0}, {0xf11, 0xf15},
    };
    struct hart t;
    hart_init(&t);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_FS);
    for (unsigned csr = 0, i = 0; csr < 4096; csr++) {
        uint64_t v;
        while (i < ARRAY_LEN(ranges) && csr > ranges[i].last)
            i++;
        bool there = i < ARRAY_LEN(ranges) && csr >= ranges[i].first;
        ck_assert_msg(csr_try(&t, csr, RV_CSR_RS, false, 0, &v) == there, "csr %#x", csr);
        ck_assert_msg(rv_csr_peek(t.h, csr, &v) == there, "csr %#x", csr);
        ck_assert_msg(csr_try(&t, csr, RV_CSR_RW, true, 0, &v) == (there && csr < 0xc00), "csr %#x",
                      csr);
        if (csr == CSR_MSTATUS || csr < 4)
            csr_set(&t, CSR_MSTATUS, RV_MSTATUS_FS);
    }
    uint64_t v;
    ck_assert(!rv_csr_peek(t.h, 0x1000, &v));
    ck_assert(!rv_csr_ends_unit(0x1000));
    hart_fini(&t);
}
END_TEST

/* Bits 9:8 of the number are the least privilege. */
START_TEST(privileges)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_FS);
    csr_set(&t, CSR_MCOUNTEREN, ALL);
    csr_set(&t, 0x106, ALL);
    csr_set(&t, CSR_MENVCFG, ALL);
    for (unsigned priv = 0; priv < 4; priv++) {
        if (priv == 2)
            continue;
        hart_priv(&t, priv);
        for (unsigned csr = 0; csr < 4096; csr++) {
            bool there = rv_csr_peek(t.h, csr, &v) && priv >= (csr >> 8 & 3);
            ck_assert_msg(csr_try(&t, csr, RV_CSR_RS, false, 0, &v) == there, "csr %#x, %u", csr,
                          priv);
        }
    }
    hart_fini(&t);
}
END_TEST

START_TEST(extensions_bring_csrs)
{
    struct hart t;
    uint64_t v;
    hart_init_isa(&t, "rv64imac");
    csr_set(&t, CSR_MSTATUS, ALL);
    ck_assert_uint_eq(csr_get(&t, CSR_MSTATUS) & RV_MSTATUS_FS, 0);
    static const unsigned absent[] = {1, 2, 3, 0x14d, 0xda0};
    for (unsigned i = 0; i < ARRAY_LEN(absent); i++)
        ck_assert(!csr_try(&t, absent[i], RV_CSR_RS, false, 0, &v));
    csr_set(&t, CSR_MENVCFG, ALL);
    ck_assert_uint_eq(csr_get(&t, CSR_MENVCFG), 1);
    csr_set(&t, CSR_MIDELEG, ALL);
    ck_assert_uint_eq(csr_get(&t, CSR_MIDELEG), 0x222);
    csr_set(&t, 0x323, ALL);
    ck_assert_uint_eq(csr_get(&t, 0x323), 0);
    hart_fini(&t);
    /* Without C, instructions are aligned to 4 bytes. */
    hart_init_isa(&t, "rv64ima");
    csr_set(&t, 0x341, ALL);
    ck_assert_uint_eq(csr_get(&t, 0x341), ALL & ~UINT64_C(3));
    hart_fini(&t);
}
END_TEST

START_TEST(set_and_clear)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    ck_assert(csr_try(&t, 0x340, RV_CSR_RW, true, 0xf0, &v));
    ck_assert(csr_try(&t, 0x340, RV_CSR_RS, true, 0x0f, &v));
    ck_assert_uint_eq(v, 0xf0);
    ck_assert(csr_try(&t, 0x340, RV_CSR_RC, true, 0x81, &v));
    ck_assert_uint_eq(v, 0xff);
    ck_assert(csr_try(&t, 0x340, RV_CSR_RC, false, ALL, &v));
    ck_assert_uint_eq(csr_get(&t, 0x340), 0x7e);
    /* A refused access changes nothing. */
    hart_priv(&t, RV_S);
    ck_assert(!csr_try(&t, 0x340, RV_CSR_RW, true, 1, &v));
    ck_assert_uint_eq(csr_get(&t, 0x340), 0x7e);
    hart_fini(&t);
}
END_TEST

START_TEST(floating_point)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    for (unsigned csr = 1; csr <= 3; csr++)
        ck_assert(!csr_try(&t, csr, RV_CSR_RS, false, 0, &v)); /* FS is Off, in M too */
    csr_set(&t, CSR_MSTATUS, (uint64_t)RV_FS_CLEAN << RV_FS_LO);
    ck_assert(csr_try(&t, 3, RV_CSR_RS, false, 0, &v));
    ck_assert_uint_eq(rv_fs(t.h), RV_FS_CLEAN);
    ck_assert_uint_eq(csr_get(&t, CSR_MSTATUS) >> 63, 0);
    ck_assert(csr_try(&t, 3, RV_CSR_RW, true, 0x7a, &v));
    ck_assert_uint_eq(rv_fs(t.h), RV_FS_DIRTY);
    ck_assert_uint_eq(csr_get(&t, CSR_MSTATUS) >> 63, 1);
    ck_assert_uint_eq(csr_get(&t, CSR_SSTATUS) >> 63, 1);
    ck_assert_uint_eq(csr_get(&t, 1), 0x1a);
    ck_assert_uint_eq(csr_get(&t, 2), 3);
    ck_assert_uint_eq(t.c->fp_flags, 0x1a);
    for (unsigned csr = 1; csr <= 3; csr++) {
        csr_set(&t, CSR_MSTATUS, (uint64_t)RV_FS_CLEAN << RV_FS_LO);
        ck_assert(csr_try(&t, csr, RV_CSR_RS, true, 0, &v));
        ck_assert_uint_eq(rv_fs(t.h), RV_FS_DIRTY);
    }
    ck_assert_uint_eq(t.c->context >> RV_CTX_RM_SHIFT & 7, 3);
    ck_assert(t.c->context & RV_CTX_FS_DIRTY);
    hart_fini(&t);
}
END_TEST

START_TEST(reserved_values)
{
    struct hart t;
    hart_init(&t);
    /* mstatus.MPP 2 */
    csr_set(&t, CSR_MSTATUS, UINT64_C(1) << RV_MPP_LO);
    csr_set(&t, CSR_MSTATUS, UINT64_C(2) << RV_MPP_LO | RV_MSTATUS_SUM);
    ck_assert_uint_eq(bits_get(csr_get(&t, CSR_MSTATUS), RV_MPP_LO, 2), 1);
    ck_assert(csr_get(&t, CSR_MSTATUS) & RV_MSTATUS_SUM);
    /* menvcfg.CBIE 2 */
    csr_set(&t, CSR_MENVCFG, 0x10);
    csr_set(&t, CSR_MENVCFG, 0x60);
    ck_assert_uint_eq(csr_get(&t, CSR_MENVCFG), 0x50);
    /* satp modes */
    uint64_t satp = UINT64_C(9) << 60 | UINT64_C(0xabcd) << 44 | 0x12345;
    csr_set(&t, CSR_SATP, satp);
    for (unsigned mode = 1; mode < 16; mode++) {
        csr_set(&t, CSR_SATP, (uint64_t)mode << 60);
        ck_assert_uint_eq(csr_get(&t, CSR_SATP),
                          mode >= 8 && mode <= 10 ? (uint64_t)mode << 60 : satp);
        csr_set(&t, CSR_SATP, satp);
    }
    ck_assert_uint_eq(t.c->tlb.space, satp);
    csr_set(&t, CSR_SATP, 5);
    ck_assert_uint_eq(csr_get(&t, CSR_SATP), 0);
    ck_assert_uint_eq(t.c->tlb.space, 0);
    /* events */
    for (unsigned event = 0; event < 5; event++) {
        csr_set(&t, 0x324, event);
        ck_assert_uint_eq(csr_get(&t, 0x324), event < 3 ? event : 0);
    }
    hart_fini(&t);
}
END_TEST

START_TEST(views_of_interrupts)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    csr_set(&t, CSR_MIE, ALL);
    csr_set(&t, CSR_MIP, ALL);
    csr_set(&t, CSR_MIDELEG, RV_MIP_SSI | RV_MIP_SEI);
    ck_assert_uint_eq(csr_get(&t, CSR_SIE), RV_MIP_SSI | RV_MIP_SEI);
    ck_assert_uint_eq(csr_get(&t, CSR_SIP), RV_MIP_SSI | RV_MIP_SEI);
    csr_set(&t, CSR_SIE, 0);
    ck_assert_uint_eq(csr_get(&t, CSR_MIE), 0x2aaa & ~(RV_MIP_SSI | RV_MIP_SEI));
    csr_set(&t, CSR_SIP, 0); /* SSIP only */
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0x2220);
    /* A line shows in mip, but set and clear act on software's bit alone (priv 3.1.9). */
    csr_set(&t, CSR_MIP, 0);
    rv_line(t.c, RV_IRQ_SEI, true);
    rv_line(t.c, RV_IRQ_MTI, true);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_SEI | RV_MIP_MTI);
    ck_assert(csr_try(&t, CSR_MIP, RV_CSR_RS, true, RV_MIP_SSI, &v));
    ck_assert_uint_eq(v, RV_MIP_SEI | RV_MIP_MTI);
    rv_line(t.c, RV_IRQ_SEI, false);
    rv_line(t.c, RV_IRQ_MTI, false);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_SSI);
    rv_line(t.c, RV_IRQ_SEI, true);
    csr_set(&t, CSR_MIP, RV_MIP_SEI);
    rv_line(t.c, RV_IRQ_SEI, false);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_SEI);
    hart_fini(&t);
}
END_TEST

START_TEST(counter_enables)
{
    static const unsigned csrs[] = {0xc00, 0xc01, 0xc02, 0xc03, 0xc1f};
    struct hart t;
    uint64_t v;
    hart_init(&t);
    for (unsigned i = 0; i < ARRAY_LEN(csrs); i++) {
        for (unsigned enables = 0; enables < 4; enables++) {
            csr_set(&t, CSR_MCOUNTEREN, enables & 1 ? BIT(csrs[i] & 31) : ~BIT(csrs[i] & 31));
            csr_set(&t, 0x106, enables & 2 ? BIT(csrs[i] & 31) : ~BIT(csrs[i] & 31));
            hart_priv(&t, RV_M);
            ck_assert(csr_try(&t, csrs[i], RV_CSR_RS, false, 0, &v));
            hart_priv(&t, RV_S);
            ck_assert_int_eq(csr_try(&t, csrs[i], RV_CSR_RS, false, 0, &v), enables & 1);
            hart_priv(&t, RV_U);
            ck_assert_int_eq(csr_try(&t, csrs[i], RV_CSR_RS, false, 0, &v), enables == 3);
        }
    }
    hart_fini(&t);
}
END_TEST

START_TEST(traps_of_virtualisation)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_TVM);
    ck_assert(csr_try(&t, CSR_SATP, RV_CSR_RS, false, 0, &v));
    hart_priv(&t, RV_S);
    ck_assert(!csr_try(&t, CSR_SATP, RV_CSR_RS, false, 0, &v));
    ck_assert(!csr_try(&t, CSR_SATP, RV_CSR_RW, true, 0, &v));
    csr_set(&t, CSR_MSTATUS, 0);
    ck_assert(csr_try(&t, CSR_SATP, RV_CSR_RW, true, 0, &v));
    /* stimecmp: menvcfg.STCE and mcounteren.TM */
    for (unsigned i = 0; i < 4; i++) {
        csr_set(&t, CSR_MENVCFG, i & 1 ? RV_ENVCFG_STCE : 0);
        csr_set(&t, CSR_MCOUNTEREN, i & 2 ? 2 : 0);
        ck_assert_int_eq(csr_try(&t, CSR_STIMECMP, RV_CSR_RW, true, 9, &v), i == 3);
    }
    hart_fini(&t);
}
END_TEST

/* What translated code depends on ends its unit; what the handlers use all the time does not. */
START_TEST(ends_of_units)
{
    static const unsigned ends[] = {0x002, 0x003, 0x100, 0x104, 0x144, 0x14d, 0x180,
                                    0x300, 0x303, 0x304, 0x30a, 0x344, 0x3a0, 0x3b3};
    static const unsigned goes_on[] = {0x001, 0x105, 0x140, 0x141, 0x142,
                                       0x305, 0x340, 0xc00, 0xc01, 0x123};
    for (unsigned i = 0; i < ARRAY_LEN(ends); i++)
        ck_assert_msg(rv_csr_ends_unit(ends[i]), "%#x", ends[i]);
    for (unsigned i = 0; i < ARRAY_LEN(goes_on); i++)
        ck_assert_msg(!rv_csr_ends_unit(goes_on[i]), "%#x", goes_on[i]);
}
END_TEST

/* Whatever changes the context ends the unit: tried out on every CSR with random values. */
START_TEST(context_changes_end_units)
{
    uint64_t seed = 1;
    struct hart t;
    hart_init(&t);
    for (unsigned csr = 0; csr < 4096; csr++) {
        for (unsigned i = 0; i < 40; i++) {
            uint64_t old, value = bits_mix(seed++);
            csr_set(&t, CSR_MSTATUS, bits_mix(seed) & (RV_MSTATUS_FS | RV_MSTATUS_MPRV));
            uint32_t context = t.c->context | RV_CTX_FS_DIRTY;
            uint64_t space = t.c->tlb.space, epoch = t.c->tlb.exec_epoch;
            t.c->pending = 0;
            if (!csr_try(&t, csr, i & 3 ? RV_CSR_RW : RV_CSR_RS, true, value, &old))
                continue;
            bool changed = (t.c->context | RV_CTX_FS_DIRTY) != context || t.c->tlb.space != space ||
                           t.c->tlb.exec_epoch != epoch;
            ck_assert_msg(!changed || rv_csr_ends_unit(csr), "csr %#x", csr);
            if ((t.c->context | RV_CTX_FS_DIRTY) != context)
                ck_assert(t.c->pending);
            ck_assert_msg(!t.c->leave, "csr %#x: leaving is for traps", csr);
        }
    }
    hart_fini(&t);
}
END_TEST

UNIT_MAIN("riscv64/csr", what_can_be_written, constants, the_map, privileges, extensions_bring_csrs,
          set_and_clear, floating_point, reserved_values, views_of_interrupts, counter_enables,
          traps_of_virtualisation, ends_of_units, context_changes_end_units)
