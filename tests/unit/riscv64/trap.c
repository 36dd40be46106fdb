/* trap.c - traps, returns, interrupts, and the helpers that make them. */
#include "hart.h"

#define PC (RAM + 0x100)

static uint64_t status(struct hart *t, uint64_t bits)
{
    return csr_get(t, CSR_MSTATUS) & bits;
}

static unsigned mpp(struct hart *t)
{
    return (unsigned)bits_get(csr_get(t, CSR_MSTATUS), RV_MPP_LO, 2);
}

/* In a privilege at PC with handlers at RAM + 0x1000 (M) and RAM + 0x2000 (S). */
static void start(struct hart *t, unsigned priv)
{
    hart_init(t);
    csr_set(t, 0x305, RAM + 0x1000);
    csr_set(t, 0x105, RAM + 0x2000);
    hart_priv(t, priv);
    t->c->pc = PC;
    t->c->leave = t->c->pending = 0;
}

START_TEST(into_m)
{
    for (unsigned priv = 0; priv < 4; priv++) {
        for (unsigned mie = 0; priv != 2 && mie < 2; mie++) {
            struct hart t;
            start(&t, priv);
            csr_set(&t, CSR_MSTATUS, mie ? RV_MSTATUS_MIE : RV_MSTATUS_MPIE);
            t.h->reserve_addr = RAM;
            rv_raise(t.h, RV_CAUSE_BREAKPOINT, 77);
            ck_assert_uint_eq(t.h->priv, RV_M);
            ck_assert_uint_eq(t.c->pc, RAM + 0x1000);
            ck_assert_uint_eq(csr_get(&t, 0x341), PC);
            ck_assert_uint_eq(csr_get(&t, 0x342), RV_CAUSE_BREAKPOINT);
            ck_assert_uint_eq(csr_get(&t, 0x343), 77);
            ck_assert_uint_eq(mpp(&t), priv);
            ck_assert_uint_eq(status(&t, RV_MSTATUS_MIE), 0);
            ck_assert_uint_eq(status(&t, RV_MSTATUS_MPIE), mie ? RV_MSTATUS_MPIE : 0);
            ck_assert_uint_eq(t.h->reserve_addr, UINT64_MAX);
            ck_assert_uint_eq(t.c->leave, 1);
            ck_assert_uint_eq(t.c->count.traps, 1);
            ck_assert_uint_eq(t.c->context & RV_CTX_PRIV, RV_M);
            hart_fini(&t);
        }
    }
}
END_TEST

START_TEST(into_s)
{
    for (unsigned priv = 0; priv < 2; priv++) {
        for (unsigned sie = 0; sie < 2; sie++) {
            struct hart t;
            start(&t, priv);
            csr_set(&t, CSR_MEDELEG, BIT(RV_CAUSE_LOAD_PAGE));
            csr_set(&t, CSR_MSTATUS, (sie ? RV_MSTATUS_SIE : RV_MSTATUS_SPIE) | RV_MSTATUS_MIE);
            t.c->fault = (struct cpu_fault){RV_CAUSE_LOAD_PAGE, 0x1234};
            guest_riscv64.raise(t.c);
            ck_assert_uint_eq(t.h->priv, RV_S);
            ck_assert_uint_eq(t.c->pc, RAM + 0x2000);
            ck_assert_uint_eq(csr_get(&t, 0x141), PC);
            ck_assert_uint_eq(csr_get(&t, 0x142), RV_CAUSE_LOAD_PAGE);
            ck_assert_uint_eq(csr_get(&t, 0x143), 0x1234);
            ck_assert_uint_eq(status(&t, RV_MSTATUS_SPP), priv ? RV_MSTATUS_SPP : 0);
            ck_assert_uint_eq(status(&t, RV_MSTATUS_SIE), 0);
            ck_assert_uint_eq(status(&t, RV_MSTATUS_SPIE), sie ? RV_MSTATUS_SPIE : 0);
            ck_assert_uint_eq(status(&t, RV_MSTATUS_MIE), RV_MSTATUS_MIE); /* M's stay */
            ck_assert_uint_eq(csr_get(&t, 0x342), 0);
            hart_fini(&t);
        }
    }
}
END_TEST

/* Only what is delegated goes to S, and never from M. */
START_TEST(delegation)
{
    for (unsigned cause = 0; cause < 16; cause++) {
        if (!(RV_MEDELEG_MASK >> cause & 1))
            continue;
        for (unsigned i = 0; i < 3; i++) {
            struct hart t;
            start(&t, i == 2 ? RV_M : RV_S);
            csr_set(&t, CSR_MEDELEG, i ? BIT(cause) : ~BIT(cause));
            rv_raise(t.h, cause, 0);
            ck_assert_uint_eq(t.h->priv, i == 1 ? RV_S : RV_M);
            hart_fini(&t);
        }
    }
}
END_TEST

/* Exceptions never go by the vector. */
START_TEST(vectors)
{
    struct hart t;
    start(&t, RV_S);
    csr_set(&t, 0x305, RAM + 0x1001);
    rv_raise(t.h, RV_CAUSE_STORE_PAGE, 0);
    ck_assert_uint_eq(t.c->pc, RAM + 0x1000);
    hart_priv(&t, RV_S);
    csr_set(&t, CSR_MIE, RV_MIP_MTI);
    rv_line(t.c, RV_IRQ_MTI, true);
    ck_assert(rv_interrupt(t.c));
    ck_assert_uint_eq(t.c->pc, RAM + 0x1000 + 4 * RV_IRQ_MTI);
    ck_assert_uint_eq(csr_get(&t, 0x342), RV_CAUSE_INTERRUPT | RV_IRQ_MTI);
    hart_fini(&t);
}
END_TEST

START_TEST(returns)
{
    for (unsigned bits = 0; bits < 16; bits++) {
        struct hart t;
        unsigned to = bits & 1 ? RV_S : RV_U;
        uint64_t ie = bits & 2 ? 1 : 0;
        start(&t, RV_M);
        csr_set(&t, CSR_MSTATUS,
                (uint64_t)to << RV_MPP_LO | (ie ? RV_MSTATUS_MPIE : 0) |
                    (bits & 4 ? RV_MSTATUS_MIE : 0) | RV_MSTATUS_MPRV);
        csr_set(&t, 0x341, 0x4444);
        rv_helper_mret(t.c, 0, 0, 0);
        ck_assert_uint_eq(t.h->priv, to);
        ck_assert_uint_eq(t.c->pc, 0x4444);
        ck_assert_uint_eq(t.c->leave, 1);
        ck_assert_uint_eq(mpp(&t), RV_U);
        ck_assert_uint_eq(status(&t, RV_MSTATUS_MIE), ie ? RV_MSTATUS_MIE : 0);
        ck_assert_uint_eq(status(&t, RV_MSTATUS_MPIE), RV_MSTATUS_MPIE);
        ck_assert_uint_eq(status(&t, RV_MSTATUS_MPRV), 0);
        hart_fini(&t);

        start(&t, bits & 8 ? RV_M : RV_S);
        csr_set(&t, CSR_MSTATUS,
                (to == RV_S ? RV_MSTATUS_SPP : 0) | (ie ? RV_MSTATUS_SPIE : 0) |
                    (bits & 4 ? RV_MSTATUS_SIE : 0) | RV_MSTATUS_MPRV);
        csr_set(&t, 0x141, 0x5556);
        rv_helper_sret(t.c, 0, 0, 0);
        ck_assert_uint_eq(t.h->priv, to);
        ck_assert_uint_eq(t.c->pc, 0x5556);
        ck_assert_uint_eq(status(&t, RV_MSTATUS_SPP), 0);
        ck_assert_uint_eq(status(&t, RV_MSTATUS_SIE), ie ? RV_MSTATUS_SIE : 0);
        ck_assert_uint_eq(status(&t, RV_MSTATUS_SPIE), RV_MSTATUS_SPIE);
        ck_assert_uint_eq(status(&t, RV_MSTATUS_MPRV), 0);
        ck_assert_uint_eq(t.c->count.traps, 0);
        hart_fini(&t);
    }
    struct hart t; /* M to M keeps MPRV */
    start(&t, RV_M);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_MPP | RV_MSTATUS_MPRV);
    rv_helper_mret(t.c, 0, 0, 0);
    ck_assert_uint_eq(t.h->priv, RV_M);
    ck_assert_uint_eq(status(&t, RV_MSTATUS_MPRV), RV_MSTATUS_MPRV);
    hart_fini(&t);
}
END_TEST

/* Who may use what; an illegal instruction's bits are in mtval. */
START_TEST(illegal_instructions)
{
    static const struct {
        uint64_t (*fn)(void *cpu, uint64_t a, uint64_t b, uint64_t c);
        unsigned priv;
        uint64_t status;
        bool ok;
        uint32_t bits;
    } rows[] = {
        {rv_helper_mret, RV_S, 0, false, 0x30200073},
        {rv_helper_mret, RV_U, 0, false, 0x30200073},
        {rv_helper_sret, RV_S, 0, true, 0x10200073},
        {rv_helper_sret, RV_S, RV_MSTATUS_TSR, false, 0x10200073},
        {rv_helper_sret, RV_M, RV_MSTATUS_TSR, true, 0x10200073},
        {rv_helper_sret, RV_U, 0, false, 0x10200073},
        {rv_helper_wfi, RV_S, 0, true, 0x10500073},
        {rv_helper_wfi, RV_S, RV_MSTATUS_TW, false, 0x10500073},
        {rv_helper_wfi, RV_M, RV_MSTATUS_TW, true, 0x10500073},
        {rv_helper_wfi, RV_U, 0, false, 0x10500073},
        {rv_helper_sfence, RV_S, 0, true, 0x12000073},
        {rv_helper_sfence, RV_S, RV_MSTATUS_TVM, false, 0x12000073},
        {rv_helper_sfence, RV_M, RV_MSTATUS_TVM, true, 0x12000073},
        {rv_helper_sfence, RV_U, 0, false, 0x12000073},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct hart t;
        start(&t, rows[i].priv);
        csr_set(&t, CSR_MSTATUS, rows[i].status);
        t.c->pc = RAM + 0xffe; /* across a page's end */
        mem_poke(t.mem, t.c->pc, &rows[i].bits, 4);
        rows[i].fn(t.c, 0, 0, 0);
        ck_assert_msg(t.c->count.traps == !rows[i].ok, "row %u", i);
        if (!rows[i].ok) {
            ck_assert_uint_eq(csr_get(&t, 0x342), RV_CAUSE_ILLEGAL);
            ck_assert_uint_eq(csr_get(&t, 0x343), rows[i].bits);
            ck_assert_uint_eq(csr_get(&t, 0x341), RAM + 0xffe);
            ck_assert_uint_eq(t.c->leave, 1);
        }
        hart_fini(&t);
    }
}
END_TEST

START_TEST(csr_helper)
{
    struct hart t;
    start(&t, RV_M);
    uint64_t what = 0x340 | (uint64_t)RV_CSR_RW << 12 | RV_CSR_WRITES;
    ck_assert_uint_eq(rv_helper_csr(t.c, what, 5, 0), 0);
    what = 0x340 | (uint64_t)RV_CSR_RC << 12 | RV_CSR_WRITES;
    ck_assert_uint_eq(rv_helper_csr(t.c, what, 1, 0), 5);
    what = 0x340 | (uint64_t)RV_CSR_RS << 12;
    ck_assert_uint_eq(rv_helper_csr(t.c, what, UINT64_MAX, 0), 4);
    ck_assert_uint_eq(csr_get(&t, 0x340), 4);
    ck_assert_uint_eq(t.c->leave, 0);
    uint32_t bits = 0x34011073;
    mem_poke(t.mem, PC, &bits, 4);
    hart_priv(&t, RV_U);
    rv_helper_csr(t.c, what, 0, 0);
    ck_assert_uint_eq(csr_get(&t, 0x342), RV_CAUSE_ILLEGAL);
    ck_assert_uint_eq(csr_get(&t, 0x343), bits);
    ck_assert_uint_eq(t.c->leave, 1);
    hart_fini(&t);
}
END_TEST

START_TEST(ecall)
{
    static const unsigned causes[] = {RV_CAUSE_ECALL_U, RV_CAUSE_ECALL_S, 0, RV_CAUSE_ECALL_M};
    for (unsigned priv = 0; priv < 4; priv++) {
        struct hart t;
        if (priv == 2)
            continue;
        start(&t, priv);
        rv_helper_ecall(t.c, 0, 0, 0);
        ck_assert_uint_eq(csr_get(&t, 0x342), causes[priv]);
        ck_assert_uint_eq(csr_get(&t, 0x343), 0);
        ck_assert_uint_eq(csr_get(&t, 0x341), PC);
        ck_assert_uint_eq(t.firmware_pc, priv == RV_S ? PC + 4 : 0); /* S calls it, first */
        hart_fini(&t);

        start(&t, priv);
        t.has_firmware = true;
        rv_helper_ecall(t.c, 0, 0, 0);
        ck_assert_uint_eq(t.c->leave, 1);
        ck_assert_uint_eq(t.c->count.traps, priv != RV_S);
        ck_assert_uint_eq(t.c->pc, priv == RV_S ? PC + 4 : RAM + 0x1000);
        hart_fini(&t);
    }
}
END_TEST

START_TEST(priorities)
{
    static const unsigned order[] = {RV_IRQ_MEI, RV_IRQ_MSI, RV_IRQ_MTI,  RV_IRQ_SEI,
                                     RV_IRQ_SSI, RV_IRQ_STI, RV_IRQ_LCOFI};
    /* All to M, then all of S's delegated: taken one by one, each masked when it was. */
    for (unsigned delegated = 0; delegated < 2; delegated++) {
        struct hart t;
        start(&t, RV_U);
        csr_set(&t, CSR_MIDELEG, delegated ? UINT64_MAX : 0);
        csr_set(&t, CSR_MIE, UINT64_MAX);
        for (unsigned i = 0; i < ARRAY_LEN(order); i++)
            rv_line(t.c, order[i], true);
        for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
            bool to_s = delegated && i >= 3;
            hart_priv(&t, RV_U);
            t.c->pc = PC;
            ck_assert(rv_interrupt(t.c));
            ck_assert_uint_eq(t.h->priv, to_s ? RV_S : RV_M);
            ck_assert_uint_eq(csr_get(&t, to_s ? 0x142 : 0x342), RV_CAUSE_INTERRUPT | order[i]);
            ck_assert_uint_eq(csr_get(&t, to_s ? 0x141 : 0x341), PC);
            csr_set(&t, CSR_MIE, csr_get(&t, CSR_MIE) & ~BIT(order[i]));
        }
        hart_priv(&t, RV_U);
        ck_assert(!rv_interrupt(t.c));
        ck_assert_uint_eq(t.c->count.interrupts, ARRAY_LEN(order));
        ck_assert_uint_eq(t.c->count.traps, 0);
        hart_fini(&t);
    }
}
END_TEST

/* When an interrupt is taken: by privilege, delegation and the enable bits. */
START_TEST(enable_bits)
{
    for (unsigned priv = 0; priv < 4; priv++) {
        for (unsigned bits = 0; priv != 2 && bits < 8; bits++) {
            struct hart t;
            bool deleg = bits & 1, sie = bits & 2, mie = bits & 4;
            bool want = deleg ? priv == RV_U || (priv == RV_S && sie) : priv != RV_M || mie;
            start(&t, priv);
            csr_set(&t, CSR_MIDELEG, deleg ? RV_MIP_SEI : 0);
            csr_set(&t, CSR_MSTATUS, (sie ? RV_MSTATUS_SIE : 0) | (mie ? RV_MSTATUS_MIE : 0));
            rv_line(t.c, RV_IRQ_SEI, true);
            ck_assert(!rv_interrupt(t.c));
            t.c->pending = 0;
            csr_set(&t, CSR_MIE, RV_MIP_SEI);
            ck_assert_uint_eq(t.c->pending, want);
            ck_assert_int_eq(rv_interrupt(t.c), want);
            hart_fini(&t);
        }
    }
}
END_TEST

/* Each way in which an interrupt becomes deliverable asks for a look. */
START_TEST(pending_is_set)
{
    struct hart t;
    uint64_t old;
    start(&t, RV_S);
    csr_set(&t, CSR_MIDELEG, RV_MIP_SSI);
    csr_set(&t, CSR_MIE, RV_MIP_SSI);
    csr_set(&t, CSR_MIP, RV_MIP_SSI);
    ck_assert_uint_eq(t.c->pending, 0);
    ck_assert(csr_try(&t, CSR_SSTATUS, RV_CSR_RS, true, RV_MSTATUS_SIE, &old));
    ck_assert_uint_eq(t.c->pending, 1);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_SPIE | RV_MSTATUS_SPP);
    t.c->pending = 0;
    rv_helper_sret(t.c, 0, 0, 0);
    ck_assert_uint_eq(t.c->pending, 1);
    /* A trap into S leaves M's interrupts open. */
    csr_set(&t, CSR_MIDELEG, 0);
    csr_set(&t, CSR_MEDELEG, UINT64_MAX);
    t.c->pending = 0;
    rv_raise(t.h, RV_CAUSE_BREAKPOINT, 0);
    ck_assert_uint_eq(t.c->pending, 1);
    hart_fini(&t);
}
END_TEST

START_TEST(lines)
{
    struct hart t;
    start(&t, RV_M);
    rv_line(t.c, RV_IRQ_MEI, true);
    rv_line(t.c, RV_IRQ_MEI, true);
    ck_assert_uint_eq(t.changes, 1); /* changes only */
    rv_line(t.c, RV_IRQ_MEI, false);
    ck_assert_uint_eq(t.changes, 2);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    /* SSI has an edge: software clears it. */
    rv_line(t.c, RV_IRQ_SSI, true);
    rv_line(t.c, RV_IRQ_SSI, false);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_SSI);
    csr_set(&t, CSR_MIP, 0);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    rv_line(t.c, RV_IRQ_STI, true);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_STI);
    rv_line(t.c, RV_IRQ_STI, false);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), 0);
    hart_fini(&t);
}
END_TEST

START_TEST(waiting)
{
    struct hart t;
    start(&t, RV_S);
    csr_set(&t, CSR_MIE, RV_MIP_SEI);
    csr_set(&t, CSR_MIDELEG, RV_MIP_SEI);
    t.c->pending = 0;
    rv_helper_wfi(t.c, 0, 0, 0);
    ck_assert_uint_eq(t.c->halted, CPU_WAITS);
    ck_assert_uint_eq(t.c->pending, 1);
    ck_assert_uint_eq(t.c->leave, 0);
    t.c->pending = 0;
    rv_line(t.c, RV_IRQ_MTI, true); /* not enabled in mie */
    ck_assert(!rv_interrupt(t.c));
    ck_assert_uint_eq(t.c->halted, CPU_WAITS);
    ck_assert_uint_eq(t.c->pending, 0);
    rv_line(t.c, RV_IRQ_SEI, true); /* SIE is off: wakes all the same */
    ck_assert_uint_eq(t.c->pending, 1);
    ck_assert(!rv_interrupt(t.c));
    ck_assert_uint_eq(t.c->halted, CPU_RUNS);
    rv_helper_wfi(t.c, 0, 0, 0); /* and now there is nothing to wait for */
    ck_assert_uint_eq(t.c->halted, CPU_RUNS);
    hart_fini(&t);
}
END_TEST

/* A debugger's pc ends a wait, and nothing else that it writes does. */
START_TEST(sent_elsewhere)
{
    struct hart t;
    start(&t, RV_S);
    rv_helper_wfi(t.c, 0, 0, 0);
    ck_assert(rv_reg_write(t.c, RV_SLOT_PC, t.c->pc));
    ck_assert(rv_reg_write(t.c, RV_SLOT_X + 10, 1));
    ck_assert_uint_eq(t.c->halted, CPU_WAITS);
    ck_assert(!rv_reg_write(t.c, RV_SLOT_PC, t.c->pc + 1));
    ck_assert_uint_eq(t.c->halted, CPU_WAITS);
    ck_assert(rv_reg_write(t.c, RV_SLOT_PC, t.c->pc + 8));
    ck_assert_uint_eq(t.c->halted, CPU_RUNS);
    t.c->halted = CPU_OFF;
    ck_assert(rv_reg_write(t.c, RV_SLOT_PC, t.c->pc + 8));
    ck_assert_uint_eq(t.c->halted, CPU_OFF);
    csr_set(&t, CSR_MIE, RV_MIP_SEI);
    csr_set(&t, CSR_MIDELEG, RV_MIP_SEI);
    rv_line(t.c, RV_IRQ_SEI, true);
    ck_assert(!rv_interrupt(t.c)); /* that is its board's business alone */
    ck_assert_uint_eq(t.c->halted, CPU_OFF);
    hart_fini(&t);
}
END_TEST

START_TEST(context)
{
    struct hart t;
    start(&t, RV_U);
    ck_assert_uint_eq(t.c->context,
                      RV_U | RV_MODE_U << RV_CTX_DATA_SHIFT | RV_MODE_U << RV_CTX_FETCH_SHIFT);
    hart_priv(&t, RV_S);
    ck_assert_uint_eq(rv_data_mode(t.h), RV_MODE_S);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_SUM | RV_MSTATUS_MPRV); /* MPRV is M's only */
    ck_assert_uint_eq(t.c->context,
                      RV_S | RV_MODE_S_SUM << RV_CTX_DATA_SHIFT | RV_MODE_S << RV_CTX_FETCH_SHIFT);
    ck_assert_uint_eq(t.c->fetch_mode, RV_MODE_S);
    hart_priv(&t, RV_M);
    ck_assert_uint_eq(rv_data_mode(t.h), RV_MODE_U); /* MPP is U */
    ck_assert_uint_eq(t.c->fetch_mode, RV_MODE_BARE);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_SUM | RV_MSTATUS_MPRV | UINT64_C(1) << RV_MPP_LO);
    ck_assert_uint_eq(rv_data_mode(t.h), RV_MODE_S_SUM);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_MPRV | UINT64_C(1) << RV_MPP_LO);
    ck_assert_uint_eq(rv_data_mode(t.h), RV_MODE_S);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_MPRV | UINT64_C(3) << RV_MPP_LO);
    ck_assert_uint_eq(rv_data_mode(t.h), RV_MODE_BARE);
    csr_set(&t, CSR_MSTATUS, (uint64_t)RV_FS_INITIAL << RV_FS_LO);
    ck_assert(t.c->context & RV_CTX_FS && !(t.c->context & RV_CTX_FS_DIRTY));
    t.c->pending = 0;
    rv_helper_fs_dirty(t.c, 0, 0, 0);
    ck_assert(t.c->context & RV_CTX_FS_DIRTY);
    ck_assert_uint_eq(t.c->pending, 1);
    ck_assert_uint_eq(rv_fs(t.h), RV_FS_DIRTY);
    hart_fini(&t);
}
END_TEST

START_TEST(cache_blocks)
{
    static const unsigned ops[] = {RV_OP_CBO_INVAL, RV_OP_CBO_CLEAN, RV_OP_CBO_FLUSH,
                                   RV_OP_CBO_ZERO};
    static const uint64_t enables[] = {0x10, 0x40, 0x40, 0x80};
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned bits = 0; bits < 12; bits++) { /* menvcfg, senvcfg, privilege */
            struct hart t;
            unsigned priv = bits >> 2 == 2 ? RV_M : bits >> 2;
            bool ok = priv == RV_M || (bits & 1 && (priv == RV_S || bits & 2));
            start(&t, priv);
            csr_set(&t, CSR_MENVCFG, bits & 1 ? enables[i] : ~enables[i]);
            csr_set(&t, 0x10a, bits & 2 ? enables[i] : ~enables[i]);
            if (ops[i] == RV_OP_CBO_ZERO)
                rv_helper_cbo_zero(t.c, RAM, 0, 0);
            else
                rv_helper_cbo(t.c, ops[i], RAM, 0);
            ck_assert_msg(t.c->count.traps == !ok, "op %u, bits %u", i, bits);
            if (!ok)
                ck_assert_uint_eq(csr_get(&t, 0x342), RV_CAUSE_ILLEGAL);
            hart_fini(&t);
        }
    }
}
END_TEST

START_TEST(cache_blocks_and_memory)
{
    struct hart t;
    start(&t, RV_S);
    csr_set(&t, CSR_MENVCFG, 0xd0);
    hart_paging(&t, 8);
    hart_map(&t, 0x1000, RAM + 0x4000, 0, V | R | A);
    hart_map(&t, 0x2000, RAM + 0x5000, 0, RWXAD);
    hart_map(&t, 0x3000, RAM + 0x6000, 0, V | X | A);
    hart_map(&t, 0x4000, DEV, 0, RWXAD);
    rv_helper_cbo(t.c, RV_OP_CBO_FLUSH, 0x1010, 0); /* may be read */
    ck_assert_uint_eq(t.c->count.traps, 0);
    rv_helper_cbo(t.c, RV_OP_CBO_CLEAN, 0x3010, 0); /* neither */
    ck_assert_uint_eq(t.c->count.traps, 1);
    ck_assert_uint_eq(csr_get(&t, 0x342), RV_CAUSE_STORE_PAGE);
    ck_assert_uint_eq(csr_get(&t, 0x343), 0x3010);
    hart_priv(&t, RV_S);
    rv_helper_cbo_zero(t.c, 0x1010, 0, 0);
    ck_assert_uint_eq(csr_get(&t, 0x342), RV_CAUSE_STORE_PAGE);
    ck_assert_uint_eq(csr_get(&t, 0x343), 0x1010);
    hart_priv(&t, RV_S);
    rv_helper_cbo_zero(t.c, 0x4010, 0, 0);
    ck_assert_uint_eq(csr_get(&t, 0x342), RV_CAUSE_STORE_ACCESS);
    hart_priv(&t, RV_S);
    for (unsigned i = 0; i < 24; i++)
        hart_set_word(&t, RAM + 0x5000 + 8 * i, UINT64_MAX);
    t.c->leave = 0;
    rv_helper_cbo_zero(t.c, 0x207f, 0, 0);
    for (unsigned i = 0; i < 24; i++)
        ck_assert_uint_eq(hart_word(&t, RAM + 0x5000 + 8 * i), i / 8 == 1 ? 0 : UINT64_MAX);
    ck_assert_uint_eq(t.c->count.traps, 3);
    ck_assert_uint_eq(t.c->leave, 0);
    /* Over translated code: not now. */
    mem_code_add(t.mem, RAM + 0x5080, 4);
    t.c->pc = PC;
    rv_helper_cbo_zero(t.c, 0x2080, 0, 0);
    ck_assert_uint_eq(t.c->access, CPU_PRECISE);
    ck_assert_uint_eq(t.c->leave, 1);
    ck_assert_uint_eq(t.c->pc, PC);
    ck_assert_uint_eq(hart_word(&t, RAM + 0x5080), UINT64_MAX);
    t.c->access = t.c->leave = 0;
    t.c->precise = 1;
    rv_helper_cbo_zero(t.c, 0x2080, 0, 0);
    ck_assert_uint_eq(t.c->access, CPU_OK);
    ck_assert_uint_eq(hart_word(&t, RAM + 0x5080), 0);
    hart_fini(&t);
}
END_TEST

START_TEST(fences_are_counted)
{
    struct hart t;
    start(&t, RV_S);
    rv_helper_sfence(t.c, 0, 0, 0);
    rv_helper_sfence(t.c, 0, 0, 0);
    ck_assert_uint_eq(t.c->count.fences, 2);
    ck_assert_uint_eq(t.c->tlb.count.flushes_all,
                      3); /* reset and the two PMP writes: none of theirs */
    hart_fini(&t);
}
END_TEST

START_TEST(cause_names)
{
    ck_assert_str_eq(rv_cause_name(RV_CAUSE_LOAD_PAGE), "load page fault");
    ck_assert_str_eq(rv_cause_name(RV_CAUSE_INTERRUPT | RV_IRQ_STI), "supervisor timer interrupt");
    ck_assert_str_eq(rv_cause_name(10), "unknown cause");
    ck_assert_str_eq(rv_cause_name(RV_CAUSE_INTERRUPT | 2), "unknown cause");
    ck_assert_str_eq(rv_cause_name(UINT64_MAX), "unknown cause");
    ck_assert_str_eq(rv_cause_name(1000), "unknown cause");
}
END_TEST

UNIT_MAIN("riscv64/trap", into_m, into_s, delegation, vectors, returns, illegal_instructions,
          csr_helper, ecall, priorities, enable_bits, pending_is_set, lines, waiting, sent_elsewhere,
          context, cache_blocks, cache_blocks_and_memory, fences_are_counted, cause_names)
