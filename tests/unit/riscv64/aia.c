/* The CSRs of Smaia and Ssaia (AIA 1.0): windows, top interrupts, claims; with and without an
 * IMSIC. */
#include "hart.h"

#include "snap/snap.h"

enum { SISELECT = 0x150, SIREG = 0x151, STOPEI = 0x15c, STOPI = 0xdb0, MVIEN = 0x308 };
enum { MVIP = 0x309, MISELECT = 0x350, MIREG = 0x351, MTOPEI = 0x35c, MTOPI = 0xfb0 };
enum { IPRIO0 = 0x30, EIDELIVERY = 0x70, EIP0 = 0x80, EIE0 = 0xc0 };
#define ALL UINT64_MAX

static const unsigned windows[] = {SIREG, MIREG};
static const unsigned added[] = {SISELECT, STOPI, MVIEN, MVIP, MISELECT, MTOPI};
static const unsigned with_imsic[] = {STOPEI, MTOPEI};

/* An IMSIC of which the test sees all that it is asked: registers by level. */
struct files {
    uint64_t reg[4][256], top[4];
    unsigned reads, writes, claims, level;
};

static uint64_t file_read(void *opaque, unsigned hart, unsigned level, unsigned reg)
{
    struct files *f = opaque;

    ck_assert_uint_eq(hart, 3);
    ck_assert(reg >= EIDELIVERY && reg < 256);
    f->reads++;
    return f->reg[level][reg];
}

static void file_write(void *opaque, unsigned hart, unsigned level, unsigned reg, uint64_t value)
{
    struct files *f = opaque;

    ck_assert_uint_eq(hart, 3);
    ck_assert(reg >= EIDELIVERY && reg < 256);
    f->writes++;
    f->reg[level][reg] = value;
}

static uint64_t file_top(void *opaque, unsigned hart, unsigned level)
{
    ck_assert_uint_eq(hart, 3);
    return ((struct files *)opaque)->top[level];
}

static void file_claim(void *opaque, unsigned hart, unsigned level)
{
    struct files *f = opaque;

    ck_assert_uint_eq(hart, 3);
    f->claims++;
    f->level = level;
    f->top[level] = 0;
}

static struct files files;
static const struct rv_imsic imsic = {file_read, file_write, file_top, file_claim, &files};

static void setup(struct hart *t, bool has_imsic)
{
    hart_init(t);
    rv_set_aia(t->c, has_imsic ? &imsic : NULL);
}

static bool can_read(struct hart *t, unsigned csr)
{
    uint64_t v;

    return csr_try(t, csr, RV_CSR_RS, false, 0, &v);
}

static uint64_t swap(struct hart *t, unsigned csr, enum rv_csr_op op, uint64_t v)
{
    uint64_t old;

    ck_assert(csr_try(t, csr, op, true, v, &old));
    return old;
}

START_TEST(what_there_is)
{
    struct hart t;
    uint64_t v;

    for (unsigned has = 0; has < 3; has++) { /* no AIA, no IMSIC, both */
        if (has)
            setup(&t, has == 2);
        else
            hart_init(&t);
        for (unsigned i = 0; i < ARRAY_LEN(added); i++)
            ck_assert(can_read(&t, added[i]) == (has > 0));
        for (unsigned i = 0; i < ARRAY_LEN(with_imsic); i++)
            ck_assert(can_read(&t, with_imsic[i]) == (has == 2));
        ck_assert(rv_csr_peek(t.h, MTOPEI, &v) == (has > 0)); /* 0 without an IMSIC */
        for (unsigned priv = RV_U; has && priv <= RV_S; priv++) {
            hart_priv(&t, priv);
            for (unsigned i = 0; i < ARRAY_LEN(added); i++)
                ck_assert(can_read(&t, added[i]) == (priv >= (added[i] >> 8 & 3)));
            ck_assert(!can_read(&t, MTOPEI));
            ck_assert(can_read(&t, STOPEI) == (has == 2 && priv == RV_S));
        }
        hart_fini(&t);
    }
}
END_TEST

START_TEST(isa_strings)
{
    struct cpu_config config = {.guest = &guest_riscv64, .isa = "rv64imac_smaia"};
    struct tlb_config tlb = TLB_CONFIG_DEFAULT;
    struct buf isa = BUF_INIT;
    struct err e;
    struct hart t;

    setup(&t, false);
    rv_isa_string(t.c, &isa);
    ck_assert_ptr_nonnull(strstr(isa.data, "_smaia_ssaia_sscofpmf"));
    config.mem = t.mem;
    config.tlb = tlb;
    ck_assert_ptr_null(cpu_new(&config, &e));
    ck_assert_ptr_nonnull(strstr(e.msg, "smaia"));
    buf_fini(&isa);
    hart_fini(&t);
}
END_TEST

/* 2.1, 5.2.1, 3.8 */
START_TEST(selection)
{
    struct hart t;

    for (unsigned has = 0; has < 2; has++) {
        setup(&t, has);
        for (unsigned i = 0; i < ARRAY_LEN(windows); i++)
            for (unsigned reg = 0; reg < 0x200; reg++) {
                bool prio = reg >= IPRIO0 && reg < 0x40 && !(reg & 1);
                bool file = has && reg >= EIDELIVERY && reg < 0x100 && (reg < EIP0 || !(reg & 1));
                csr_set(&t, windows[i] - 1, reg);
                ck_assert_uint_eq(csr_get(&t, windows[i] - 1), reg);
                ck_assert_msg(can_read(&t, windows[i]) == (prio || file), "%#x %#x", windows[i],
                              reg);
            }
        hart_fini(&t);
    }
}
END_TEST

START_TEST(default_priorities)
{
    struct hart t;

    setup(&t, true);
    csr_set(&t, MISELECT, IPRIO0 + 2);
    ck_assert_uint_eq(swap(&t, MIREG, RV_CSR_RW, ALL), 0);
    ck_assert_uint_eq(csr_get(&t, MIREG), 0);
    csr_set(&t, MISELECT, ALL);
    ck_assert_uint_eq(csr_get(&t, MISELECT), 0x1ff);
    csr_set(&t, SISELECT, ALL);
    ck_assert_uint_eq(csr_get(&t, SISELECT), 0x1ff);
    ck_assert(!files.writes);
    hart_fini(&t);
}
END_TEST

/* Each window leads to its own level's file. */
START_TEST(windows_to_files)
{
    struct hart t;
    uint64_t v;

    setup(&t, true);
    files.reg[RV_M][EIE0] = 0xf0;
    csr_set(&t, MISELECT, EIE0);
    csr_set(&t, SISELECT, EIE0);
    ck_assert_uint_eq(swap(&t, MIREG, RV_CSR_RS, 0x0f), 0xf0);
    ck_assert_uint_eq(files.reg[RV_M][EIE0], 0xff);
    ck_assert_uint_eq(swap(&t, MIREG, RV_CSR_RC, 0x81), 0xff);
    ck_assert_uint_eq(files.reg[RV_M][EIE0], 0x7e);
    ck_assert_uint_eq(files.writes, 2);
    ck_assert(csr_try(&t, MIREG, RV_CSR_RS, false, 0, &v));
    ck_assert_uint_eq(v, 0x7e);
    ck_assert_uint_eq(files.writes, 2);
    ck_assert_uint_eq(files.reg[RV_S][EIE0], 0);
    hart_priv(&t, RV_S);
    ck_assert_uint_eq(swap(&t, SIREG, RV_CSR_RW, 0x55), 0);
    ck_assert_uint_eq(files.reg[RV_S][EIE0], 0x55);
    ck_assert(!csr_try(&t, MIREG, RV_CSR_RW, true, 0, &v));
    ck_assert(!csr_try(&t, SISELECT + 0x200, RV_CSR_RW, true, 0, &v));
    hart_priv(&t, RV_U);
    ck_assert(!csr_try(&t, SIREG, RV_CSR_RW, true, 0, &v));
    ck_assert_uint_eq(files.reg[RV_S][EIE0], 0x55);
    hart_fini(&t);
}
END_TEST

/* A write claims, whatever is written; reading does not.  3.9 */
START_TEST(claims)
{
    struct hart t;
    uint64_t v;

    setup(&t, true);
    files.top[RV_S] = 5 << 16 | 5;
    files.top[RV_M] = 9 << 16 | 9;
    ck_assert(csr_try(&t, STOPEI, RV_CSR_RS, false, 0, &v));
    ck_assert_uint_eq(v, 5 << 16 | 5);
    ck_assert_uint_eq(csr_get(&t, STOPEI), 5 << 16 | 5);
    ck_assert_uint_eq(files.claims, 0);
    ck_assert_uint_eq(swap(&t, STOPEI, RV_CSR_RW, 0), 5 << 16 | 5);
    ck_assert_uint_eq(files.claims, 1);
    ck_assert_uint_eq(files.level, RV_S);
    ck_assert_uint_eq(swap(&t, STOPEI, RV_CSR_RW, 0), 0);
    ck_assert_uint_eq(swap(&t, MTOPEI, RV_CSR_RC, 1), 9 << 16 | 9);
    ck_assert_uint_eq(files.level, RV_M);
    ck_assert(rv_csr_ends_unit(STOPEI) && rv_csr_ends_unit(MTOPEI));
    ck_assert(rv_csr_ends_unit(SIREG) && rv_csr_ends_unit(MIREG));
    hart_fini(&t);
}
END_TEST

/* 5.2.2, 5.4.2: what is pending, enabled, and that level's; whether it could be taken or not. */
START_TEST(top_interrupts)
{
    static const unsigned m_order[] = {RV_IRQ_MEI, RV_IRQ_MSI, RV_IRQ_MTI};
    static const unsigned s_order[] = {RV_IRQ_SEI, RV_IRQ_SSI, RV_IRQ_STI, RV_IRQ_LCOFI};
    struct hart t;

    setup(&t, false);
    csr_set(&t, CSR_MIE, ALL);
    ck_assert_uint_eq(csr_get(&t, MTOPI), 0);
    csr_set(&t, CSR_MIP, RV_MIP_SEI | RV_MIP_SSI | RV_MIP_STI | RV_MIP_LCOFI);
    ck_assert_uint_eq(csr_get(&t, STOPI), 0); /* nothing is delegated */
    ck_assert_uint_eq(csr_get(&t, MTOPI), RV_IRQ_SEI << 16 | 1);
    csr_set(&t, CSR_MIDELEG, ALL);
    ck_assert_uint_eq(csr_get(&t, MTOPI), 0);
    for (unsigned i = 0; i < ARRAY_LEN(s_order); i++) {
        ck_assert_uint_eq(csr_get(&t, STOPI), s_order[i] << 16 | 1);
        csr_set(&t, CSR_MIP, t.h->mip & ~BIT(s_order[i]));
    }
    ck_assert_uint_eq(csr_get(&t, STOPI), 0);
    for (unsigned i = 0; i < ARRAY_LEN(m_order); i++)
        rv_line(t.c, m_order[i], true);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_MIE);
    for (unsigned i = 0; i < ARRAY_LEN(m_order); i++) {
        ck_assert_uint_eq(csr_get(&t, MTOPI), m_order[i] << 16 | 1);
        csr_set(&t, CSR_MIE, t.h->mie & ~BIT(m_order[i]));
    }
    ck_assert_uint_eq(csr_get(&t, MTOPI), 0);
    hart_fini(&t);
}
END_TEST

/* 5.3: the least that there must be. */
START_TEST(virtual_interrupts)
{
    struct hart t;

    setup(&t, false);
    csr_set(&t, MVIEN, ALL);
    ck_assert_uint_eq(csr_get(&t, MVIEN), 0);
    csr_set(&t, MVIP, ALL);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_SSI | RV_MIP_STI | RV_MIP_SEI);
    csr_set(&t, CSR_MIP, ALL);
    ck_assert_uint_eq(csr_get(&t, MVIP), RV_MIP_SSI | RV_MIP_STI | RV_MIP_SEI);
    csr_set(&t, CSR_MIP, RV_MIP_SSI | RV_MIP_STI | RV_MIP_SEI);
    swap(&t, MVIP, RV_CSR_RC, RV_MIP_SEI | RV_MIP_STI);
    rv_line(t.c, RV_IRQ_SEI, true); /* the controller's signal is not software's bit */
    ck_assert_uint_eq(csr_get(&t, MVIP), RV_MIP_SSI);
    ck_assert_uint_eq(csr_get(&t, CSR_MIP), RV_MIP_SSI | RV_MIP_SEI);
    csr_set(&t, CSR_MENVCFG, RV_ENVCFG_STCE);
    csr_set(&t, MVIP, ALL);
    ck_assert_uint_eq(csr_get(&t, MVIP), RV_MIP_SSI | RV_MIP_SEI);
    hart_fini(&t);
}
END_TEST

START_TEST(state)
{
    struct hart t, plain;
    struct buf saved = BUF_INIT;
    struct snap s;

    setup(&t, true);
    csr_set(&t, MISELECT, 0x82);
    csr_set(&t, SISELECT, 0xc4);
    snap_open_save(&s, &saved);
    guest_riscv64.state(t.c, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    guest_riscv64.reset(t.c);
    ck_assert_uint_eq(csr_get(&t, MISELECT), 0);
    ck_assert_uint_eq(csr_get(&t, SISELECT), 0);
    rv_enter_supervisor(t.c, RAM, 0, 0);
    ck_assert(can_read(&t, STOPEI)); /* what the hart is made of stays */
    snap_open_load(&s, saved.data, saved.len);
    guest_riscv64.state(t.c, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    ck_assert_uint_eq(csr_get(&t, MISELECT), 0x82);
    ck_assert_uint_eq(csr_get(&t, SISELECT), 0xc4);
    hart_init(&plain); /* not for a hart without */
    snap_open_load(&s, saved.data, saved.len);
    guest_riscv64.state(plain.c, &s);
    ck_assert_int_ne(snap_close(&s, NULL), 0);
    buf_fini(&saved);
    hart_fini(&plain);
    hart_fini(&t);
}
END_TEST

UNIT_MAIN("riscv64/aia", what_there_is, isa_strings, selection, default_priorities,
          windows_to_files, claims, top_interrupts, virtual_interrupts, state)
