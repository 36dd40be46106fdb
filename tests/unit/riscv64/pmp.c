/* pmp.c - physical memory protection: ranges, priority, locks. */
#include "hart.h"

enum { TOR = 1 << 3, NA4 = 2 << 3, NAPOT = 3 << 3, LOCK = 0x80 };

/* Entry n of an otherwise empty PMP. */
static void set(struct hart *t, unsigned n, uint64_t addr, uint8_t cfg)
{
    uint64_t v = csr_get(t, CSR_PMPCFG0 + n / 8 * 2);
    csr_set(t, CSR_PMPADDR0 + n, addr);
    csr_set(t, CSR_PMPCFG0 + n / 8 * 2, bits_set(v, n % 8 * 8, 8, cfg));
}

static void start(struct hart *t)
{
    hart_init(t);
    csr_set(t, CSR_PMPCFG0, 0);
    csr_set(t, CSR_PMPADDR0, 0);
}

static bool may(struct hart *t, uint64_t paddr, uint64_t len, enum tlb_access access, unsigned priv)
{
    bool whole;
    return rv_pmp_allows(t->h, paddr, len, access, priv, &whole);
}

static bool whole(struct hart *t, uint64_t paddr)
{
    bool w;
    rv_pmp_allows(t->h, paddr, 1, TLB_READ, RV_S, &w);
    return w;
}

START_TEST(nothing_matches)
{
    struct hart t;
    start(&t);
    for (unsigned a = 0; a < 3; a++) {
        ck_assert(may(&t, RAM, 8, a, RV_M));
        ck_assert(!may(&t, RAM, 8, a, RV_S));
        ck_assert(!may(&t, RAM, 8, a, RV_U));
    }
    ck_assert(whole(&t, RAM));
    hart_fini(&t);
}
END_TEST

START_TEST(ranges)
{
    /* Each: entry 1 reads [first, last]. */
    static const struct {
        uint64_t below, addr;
        uint8_t cfg;
        uint64_t first, last;
    } rows[] = {
        {0, 0x1000, NA4, 0x4000, 0x4003},      {0, 0x1000, NAPOT, 0x4000, 0x4007},
        {0, 0x1001, NAPOT, 0x4000, 0x400f},    {0, 0x1002, NAPOT, 0x4008, 0x400f},
        {0, 0x11ff, NAPOT, 0x4000, 0x4fff},    {0, BIT(53) - 1, NAPOT, 0, BIT(56) - 1},
        {0x1000, 0x1003, TOR, 0x4000, 0x400b}, {0, 0x1000, TOR, 0, 0x3fff},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct hart t;
        start(&t);
        set(&t, 0, rows[i].below, 0);
        set(&t, 1, rows[i].addr, rows[i].cfg | R >> 1);
        ck_assert(may(&t, rows[i].first, 1, TLB_READ, RV_S));
        ck_assert(may(&t, rows[i].last, 1, TLB_READ, RV_U));
        ck_assert(!may(&t, rows[i].last, 1, TLB_WRITE, RV_U));
        ck_assert_msg(!may(&t, rows[i].last + 1, 1, TLB_READ, RV_S), "row %u", i);
        if (rows[i].first)
            ck_assert(!may(&t, rows[i].first - 1, 1, TLB_READ, RV_S));
        hart_fini(&t);
    }
    /* An empty TOR range matches nothing. */
    struct hart t;
    start(&t);
    set(&t, 0, 0x1000, 0);
    set(&t, 1, 0x1000, TOR | 7);
    ck_assert(!may(&t, 0x4000, 1, TLB_READ, RV_S));
    set(&t, 1, 0xfff, TOR | 7);
    ck_assert(!may(&t, 0x3ffc, 1, TLB_READ, RV_S));
    hart_fini(&t);
    /* All ones: all of memory. */
    start(&t);
    set(&t, 0, UINT64_MAX, NAPOT | 7);
    ck_assert(may(&t, 0, 8, TLB_READ, RV_S) && may(&t, BIT(56) - 8, 8, TLB_EXEC, RV_U));
    hart_fini(&t);
}
END_TEST

START_TEST(permissions)
{
    for (unsigned cfg = 0; cfg < 8; cfg++) {
        struct hart t;
        unsigned want = cfg & 1 ? cfg : cfg & ~2u; /* write without read is reserved */
        start(&t);
        set(&t, 3, 0x1000, (uint8_t)(NAPOT | cfg));
        for (unsigned a = 0; a < 3; a++) {
            ck_assert_int_eq(may(&t, 0x4000, 8, a, RV_S), want >> a & 1);
            ck_assert(may(&t, 0x4000, 8, a, RV_M));
        }
        set(&t, 3, 0x1000, (uint8_t)(NAPOT | cfg | LOCK)); /* a lock binds M */
        for (unsigned a = 0; a < 3; a++)
            ck_assert_int_eq(may(&t, 0x4000, 8, a, RV_M), want >> a & 1);
        hart_fini(&t);
    }
}
END_TEST

/* The lowest entry that matches any byte decides, and must match all of them. */
START_TEST(priority)
{
    struct hart t;
    start(&t);
    set(&t, 2, 0x1001, NA4 | 1);
    set(&t, 5, 0x11ff, NAPOT | 7);
    ck_assert(may(&t, 0x4000, 4, TLB_WRITE, RV_S));
    ck_assert(!may(&t, 0x4004, 4, TLB_WRITE, RV_S));
    ck_assert(may(&t, 0x4004, 4, TLB_READ, RV_S));
    ck_assert(!may(&t, 0x4000, 8, TLB_READ, RV_S));
    ck_assert(!may(&t, 0x4002, 4, TLB_READ, RV_M));
    ck_assert(!may(&t, 0x4003, 4, TLB_READ, RV_S));
    ck_assert(!may(&t, 0x3ffd, 4, TLB_READ, RV_M));
    ck_assert(may(&t, 0x4008, 8, TLB_READ, RV_S));
    ck_assert(!whole(&t, 0x4000));
    ck_assert(!whole(&t, 0x4800));
    ck_assert(whole(&t, 0x5000));
    set(&t, 7, 0x6000 >> 2, NA4 | 1);
    set(&t, 8, 0x7ffc >> 2, NA4 | 1);
    ck_assert(!whole(&t, 0x6800) && !whole(&t, 0x7800) && whole(&t, 0x8000));
    /* An entry below that covers the page hides the split. */
    set(&t, 1, 0x11ff, NAPOT | 7);
    ck_assert(whole(&t, 0x4800));
    hart_fini(&t);
}
END_TEST

START_TEST(locks)
{
    struct hart t;
    start(&t);
    set(&t, 2, 0x1000, NAPOT | LOCK | 1);
    set(&t, 4, 0x2000, TOR | LOCK | 1);
    uint64_t cfg = csr_get(&t, CSR_PMPCFG0);
    csr_set(&t, CSR_PMPCFG0, 0);
    ck_assert_uint_eq(csr_get(&t, CSR_PMPCFG0), cfg);
    csr_set(&t, CSR_PMPADDR0 + 2, 7);
    ck_assert_uint_eq(csr_get(&t, CSR_PMPADDR0 + 2), 0x1000);
    csr_set(&t, CSR_PMPADDR0 + 3, 7); /* the TOR entry above begins there */
    ck_assert_uint_eq(csr_get(&t, CSR_PMPADDR0 + 3), 0);
    csr_set(&t, CSR_PMPADDR0 + 1, 7);
    ck_assert_uint_eq(csr_get(&t, CSR_PMPADDR0 + 1), 7);
    guest_riscv64.reset(t.c); /* nothing else opens them */
    ck_assert_uint_eq(csr_get(&t, CSR_PMPCFG0), 0);
    hart_fini(&t);
}
END_TEST

START_TEST(registers)
{
    struct hart t;
    uint64_t v;
    start(&t);
    csr_set(&t, CSR_PMPCFG0, UINT64_C(0x0102030405060708));
    csr_set(&t, CSR_PMPCFG0 + 2, UINT64_C(0x7f));
    ck_assert_uint_eq(csr_get(&t, CSR_PMPCFG0), UINT64_C(0x0100030405040708));
    ck_assert_uint_eq(csr_get(&t, CSR_PMPCFG0 + 2), 0x1f);
    ck_assert_uint_eq(t.h->pmp_cfg[8], 0x1f);
    ck_assert(!rv_csr_peek(t.h, CSR_PMPCFG0 + 1, &v)); /* RV32's */
    ck_assert(!rv_csr_peek(t.h, CSR_PMPCFG0 + 4, &v));
    hart_fini(&t);
}
END_TEST

/* What the TLB holds does not outlive a change; M and S do not share. */
START_TEST(changes_are_seen_at_once)
{
    struct hart t;
    uint64_t v;
    start(&t);
    set(&t, 0, UINT64_MAX, NAPOT | 7);
    ck_assert_int_eq(hart_store(&t, RAM, IR_MO_64, 1), CPU_OK);
    hart_priv(&t, RV_S);
    ck_assert_int_eq(hart_store(&t, RAM, IR_MO_64, 1), CPU_OK);
    uint64_t epoch = t.c->tlb.exec_epoch;
    set(&t, 0, UINT64_MAX, NAPOT | 1);
    ck_assert_uint_ne(t.c->tlb.exec_epoch, epoch);
    ck_assert_int_eq(hart_store(&t, RAM, IR_MO_64, 1), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_ACCESS, RAM);
    ck_assert_int_eq(hart_load(&t, RAM, IR_MO_64, &v), CPU_OK);
    ck_assert_int_eq(hart_store(&t, RAM, IR_MO_64, 1), CPU_FAULT);
    hart_priv(&t, RV_M);
    ck_assert_int_eq(hart_store(&t, RAM, IR_MO_64, 1), CPU_OK);
    hart_priv(&t, RV_S);
    ck_assert_int_eq(hart_store(&t, RAM, IR_MO_64, 1), CPU_FAULT);
    /* M's loads and stores as S. */
    hart_priv(&t, RV_M);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_MPRV | UINT64_C(1) << RV_MPP_LO);
    ck_assert_int_eq(hart_store(&t, RAM, IR_MO_64, 1), CPU_FAULT);
    hart_fini(&t);
}
END_TEST

UNIT_MAIN("riscv64/pmp", nothing_matches, ranges, permissions, priority, locks, registers,
          changes_are_seen_at_once)
