/*
 * csr.c - control and status registers: who may access which, and what a write
 * leaves in them (WARL, priv 2.3).
 */
#include "guest/riscv64/csr_list.h"
#include "guest/riscv64/priv.h"

struct csr {
    uint16_t addr;
    bool ends;
    uint32_t ext;
    bool (*need)(const struct rv_cpu *h, unsigned csr);
    /* running: the instruction that reads is in progress (see rv_counter_read). */
    uint64_t (*get)(const struct rv_cpu *h, unsigned csr, bool running);
    void (*set)(struct rv_cpu *h, unsigned csr, uint64_t value); /* NULL: read-only */
    size_t offset; /* plain ones, whose get is NULL: of the member */
    uint64_t mask; /* and its bits that can be written */
};

#define GET(name) static uint64_t get_##name(const struct rv_cpu *h, unsigned csr, bool running)
#define SET(name) static void set_##name(struct rv_cpu *h, unsigned csr, uint64_t v)
/* For those who look at some of their parameters only. */
#define UNUSED_GET (void)h, (void)csr, (void)running
#define UNUSED_SET (void)h, (void)csr, (void)v

/* ---- who may access: below M; M may access what exists, but for floating point and what is
 * behind the windows of the AIA ---- */

static bool need_any(const struct rv_cpu *h, unsigned csr)
{
    (void)h, (void)csr;
    return true;
}

static bool need_fs(const struct rv_cpu *h, unsigned csr)
{
    (void)csr;
    return rv_fs(h) != RV_FS_OFF;
}

/* priv 3.1.11, 12.1.5 */
static bool need_counter(const struct rv_cpu *h, unsigned csr)
{
    uint64_t bit = BIT(csr & 31);
    return h->priv == RV_M || (h->mcounteren & bit && (h->priv == RV_S || h->scounteren & bit));
}

/* Sstc, chapter 16 of priv. */
static bool need_stce(const struct rv_cpu *h, unsigned csr)
{
    (void)csr;
    return h->priv == RV_M || (h->menvcfg & RV_ENVCFG_STCE && h->mcounteren & BIT(1));
}

static bool need_tvm(const struct rv_cpu *h, unsigned csr)
{
    (void)csr;
    return h->priv == RV_M || !(h->mstatus & RV_MSTATUS_TVM);
}

/* The AIA's CSRs for M and for S differ in bits 9:8 only. */
static unsigned level_of(unsigned csr)
{
    return csr >> 8 & 3;
}

static bool need_imsic(const struct rv_cpu *h, unsigned csr)
{
    (void)csr;
    return h->imsic;
}

/* *iselect, AIA 2.1 */
enum { IPRIO = 0x30, IPRIO_END = 0x40, IMSIC = 0x70, IMSIC_ARRAYS = 0x80, IMSIC_END = 0x100 };

static uint64_t iselect(const struct rv_cpu *h, unsigned csr)
{
    return level_of(csr) == RV_M ? h->miselect : h->siselect;
}

static bool selects_imsic(const struct rv_cpu *h, unsigned csr)
{
    uint64_t reg = iselect(h, csr);
    return h->imsic && reg >= IMSIC && reg < IMSIC_END;
}

/* *iselect names a register: in arrays those of even number.  AIA 5.2.1, 3.8.3 */
static bool need_ireg(const struct rv_cpu *h, unsigned csr)
{
    uint64_t reg = iselect(h, csr);
    if (reg >= IPRIO && reg < IPRIO_END)
        return !(reg & 1);
    return selects_imsic(h, csr) && (reg < IMSIC_ARRAYS || !(reg & 1));
}

/* ---- constants ---- */

GET(zero)
{
    UNUSED_GET;
    return 0;
}

SET(ignored)
{
    UNUSED_SET;
}

GET(mhartid)
{
    UNUSED_GET;
    return h->cpu.index;
}

GET(misa)
{
    UNUSED_GET;
    return h->misa;
}

/* ---- floating point ---- */

GET(fflags)
{
    UNUSED_GET;
    return h->cpu.fp_flags;
}

GET(frm)
{
    UNUSED_GET;
    return h->frm;
}

GET(fcsr)
{
    UNUSED_GET;
    return (uint64_t)h->frm << 5 | h->cpu.fp_flags;
}

SET(fflags)
{
    (void)csr;
    h->cpu.fp_flags = v & 31;
    rv_fp_dirty(h);
}

SET(frm)
{
    (void)csr;
    h->frm = v & 7;
    rv_fp_dirty(h);
}

SET(fcsr)
{
    (void)csr;
    h->frm = v >> 5 & 7;
    h->cpu.fp_flags = v & 31;
    rv_fp_dirty(h);
}

/* ---- mstatus, sstatus: priv 3.1.6, 12.1.1 ---- */

#define SSTATUS_WRITE                                                                              \
    (RV_MSTATUS_SIE | RV_MSTATUS_SPIE | RV_MSTATUS_SPP | RV_MSTATUS_FS | RV_MSTATUS_SUM |          \
     RV_MSTATUS_MXR)
#define MSTATUS_WRITE                                                                              \
    (SSTATUS_WRITE | RV_MSTATUS_MIE | RV_MSTATUS_MPIE | RV_MSTATUS_MPP | RV_MSTATUS_MPRV |         \
     RV_MSTATUS_TVM | RV_MSTATUS_TW | RV_MSTATUS_TSR)

GET(mstatus)
{
    UNUSED_GET;
    return h->mstatus | (rv_fs(h) == RV_FS_DIRTY ? RV_MSTATUS_SD : 0);
}

GET(sstatus)
{
    return get_mstatus(h, csr, running) & (SSTATUS_WRITE | RV_MSTATUS_UXL | RV_MSTATUS_SD);
}

static void write_mstatus(struct rv_cpu *h, uint64_t v, uint64_t mask)
{
    if (bits_get(v, RV_MPP_LO, 2) == 2) /* reserved: the old one stays */
        mask &= ~RV_MSTATUS_MPP;
    if (!rv_has(h, RV_EXT(F)))
        mask &= ~RV_MSTATUS_FS;
    h->mstatus = (h->mstatus & ~mask) | (v & mask);
    rv_update_context(h);
    rv_check_interrupts(h);
}

SET(mstatus)
{
    (void)csr;
    write_mstatus(h, v, MSTATUS_WRITE);
}

SET(sstatus)
{
    (void)csr;
    write_mstatus(h, v, SSTATUS_WRITE);
}

/* ---- interrupts: priv 3.1.8, 3.1.9, 12.1.3 ---- */

static uint64_t lcofi(const struct rv_cpu *h)
{
    return rv_has(h, RV_EXT(SSCOFPMF)) ? RV_MIP_LCOFI : 0;
}

static uint64_t supervisor_irqs(const struct rv_cpu *h)
{
    return RV_MIP_SSI | RV_MIP_STI | RV_MIP_SEI | lcofi(h);
}

GET(mideleg)
{
    UNUSED_GET;
    return h->mideleg;
}

SET(mideleg)
{
    (void)csr;
    h->mideleg = v & supervisor_irqs(h);
    rv_check_interrupts(h);
}

GET(mie)
{
    UNUSED_GET;
    return h->mie;
}

static void write_mie(struct rv_cpu *h, uint64_t v, uint64_t mask)
{
    h->mie = (h->mie & ~mask) | (v & mask);
    rv_check_interrupts(h);
}

SET(mie)
{
    (void)csr;
    write_mie(h, v, supervisor_irqs(h) | RV_MIP_MSI | RV_MIP_MTI | RV_MIP_MEI);
}

GET(sie)
{
    UNUSED_GET;
    return h->mie & h->mideleg;
}

SET(sie)
{
    (void)csr;
    write_mie(h, v, h->mideleg);
}

GET(mip)
{
    UNUSED_GET;
    return rv_mip(h);
}

static void write_mip(struct rv_cpu *h, uint64_t v, uint64_t mask)
{
    h->mip = (h->mip & ~mask) | (v & mask);
    rv_check_interrupts(h);
}

/* With Sstc on, STIP is stimecmp's alone. */
SET(mip)
{
    (void)csr;
    uint64_t timer = h->menvcfg & RV_ENVCFG_STCE ? RV_MIP_STI : 0;
    write_mip(h, v, supervisor_irqs(h) & ~timer);
}

GET(sip)
{
    UNUSED_GET;
    return rv_mip(h) & h->mideleg;
}

SET(sip)
{
    (void)csr;
    write_mip(h, v, h->mideleg & (RV_MIP_SSI | RV_MIP_LCOFI));
}

/* ---- the AIA: chapters 2, 3, 5 ---- */

#define ISELECT_MASK 0x1ff

GET(iselect)
{
    (void)running;
    return iselect(h, csr);
}

SET(iselect)
{
    if (level_of(csr) == RV_M)
        h->miselect = v & ISELECT_MASK;
    else
        h->siselect = v & ISELECT_MASK;
}

/* All interrupts keep their default priorities: iprio is 0.  5.2.1, 5.4.1 */
GET(ireg)
{
    (void)running;
    if (!selects_imsic(h, csr))
        return 0;
    return h->imsic->read(h->imsic->opaque, h->cpu.index, level_of(csr), (unsigned)iselect(h, csr));
}

SET(ireg)
{
    if (selects_imsic(h, csr))
        h->imsic->write(h->imsic->opaque, h->cpu.index, level_of(csr), (unsigned)iselect(h, csr),
                        v);
}

/* A debugger may look without there being one. */
GET(topei)
{
    (void)running;
    return h->imsic ? h->imsic->top(h->imsic->opaque, h->cpu.index, level_of(csr)) : 0;
}

SET(topei)
{
    (void)v;
    if (h->imsic)
        h->imsic->claim(h->imsic->opaque, h->cpu.index, level_of(csr));
}

/* With iprio all 0 the priority is said as 1.  5.2.2, 5.4.2 */
GET(topi)
{
    (void)running;
    unsigned irq = rv_top_interrupt(h, level_of(csr) == RV_S);
    return irq ? (uint64_t)irq << 16 | 1 : 0;
}

/* mvien is 0: mvip is another name for what software can write of S's bits in mip.  5.3 */
static uint64_t mvip_mask(const struct rv_cpu *h)
{
    return RV_MIP_SSI | RV_MIP_SEI | (h->menvcfg & RV_ENVCFG_STCE ? 0 : RV_MIP_STI);
}

GET(mvip)
{
    UNUSED_GET;
    return h->mip & mvip_mask(h);
}

SET(mvip)
{
    (void)csr;
    write_mip(h, v, mvip_mask(h));
}

/* ---- traps ---- */

/* Mode 2 and 3 are reserved: bit 1 reads as 0. */
#define TVEC_MASK (~UINT64_C(2))

GET(mtvec)
{
    UNUSED_GET;
    return h->mtvec;
}

SET(mtvec)
{
    (void)csr;
    h->mtvec = v & TVEC_MASK;
}

GET(stvec)
{
    UNUSED_GET;
    return h->stvec;
}

SET(stvec)
{
    (void)csr;
    h->stvec = v & TVEC_MASK;
}

GET(mepc)
{
    UNUSED_GET;
    return h->mepc;
}

SET(mepc)
{
    (void)csr;
    h->mepc = v & rv_pc_mask(h);
}

GET(sepc)
{
    UNUSED_GET;
    return h->sepc;
}

SET(sepc)
{
    (void)csr;
    h->sepc = v & rv_pc_mask(h);
}

/* ---- translation: satp, envcfg, PMP ---- */

GET(satp)
{
    UNUSED_GET;
    return h->satp;
}

/* An unsupported mode makes the whole write void (priv 12.1.11). */
SET(satp)
{
    (void)csr;
    unsigned mode = (unsigned)(v >> RV_SATP_MODE_LO);
    if (mode != RV_SATP_BARE && (mode < RV_SATP_SV39 || mode > RV_SATP_SV57))
        return;
    h->satp = mode == RV_SATP_BARE ? 0 : v;
    tlb_switch(&h->cpu.tlb, h->satp);
}

/* CBIE's reserved value is void. */
static uint64_t write_envcfg(uint64_t old, uint64_t v, uint64_t mask)
{
    if (bits_get(v, RV_CBIE_LO, 2) == RV_CBIE_RESERVED)
        mask &= ~RV_ENVCFG_CBIE;
    return (old & ~mask) | (v & mask);
}

static uint64_t senvcfg_mask(const struct rv_cpu *h)
{
    return RV_ENVCFG_FIOM | (rv_has(h, RV_EXT(ZICBOM)) ? RV_ENVCFG_CBIE | RV_ENVCFG_CBCFE : 0) |
           (rv_has(h, RV_EXT(ZICBOZ)) ? RV_ENVCFG_CBZE : 0);
}

static uint64_t menvcfg_mask(const struct rv_cpu *h)
{
    return senvcfg_mask(h) | (rv_has(h, RV_EXT(SVADU)) ? RV_ENVCFG_ADUE : 0) |
           (rv_has(h, RV_EXT(SVPBMT)) ? RV_ENVCFG_PBMTE : 0) |
           (rv_has(h, RV_EXT(SSTC)) ? RV_ENVCFG_STCE : 0);
}

GET(menvcfg)
{
    UNUSED_GET;
    return h->menvcfg;
}

SET(menvcfg)
{
    (void)csr;
    uint64_t old = h->menvcfg;
    h->menvcfg = write_envcfg(old, v, menvcfg_mask(h));
    if ((old ^ h->menvcfg) & RV_ENVCFG_PBMTE)
        tlb_flush_all(&h->cpu.tlb);
    if ((old ^ h->menvcfg) & RV_ENVCFG_STCE)
        rv_timer_update(h);
}

GET(senvcfg)
{
    UNUSED_GET;
    return h->senvcfg;
}

SET(senvcfg)
{
    (void)csr;
    h->senvcfg = write_envcfg(h->senvcfg, v, senvcfg_mask(h));
}

GET(pmpcfg)
{
    (void)running;
    return rv_pmp_cfg_read(h, csr & 15);
}

SET(pmpcfg)
{
    rv_pmp_cfg_write(h, csr & 15, v);
}

GET(pmpaddr)
{
    (void)running;
    return h->pmp_addr[csr & 15];
}

SET(pmpaddr)
{
    rv_pmp_addr_write(h, csr & 15, v);
}

/* ---- time and counters ---- */

GET(time)
{
    UNUSED_GET;
    return rv_time(h);
}

GET(stimecmp)
{
    UNUSED_GET;
    return h->stimecmp;
}

SET(stimecmp)
{
    (void)csr;
    h->stimecmp = v;
    rv_timer_update(h);
}

GET(counter)
{
    return rv_counter_read(h, csr & 31, running);
}

SET(counter)
{
    rv_counter_write(h, csr & 31, v);
}

GET(hpmevent)
{
    (void)running;
    return h->hpm_event[(csr & 31) - 3];
}

SET(hpmevent)
{
    rv_counter_event(h, csr & 31, v);
}

GET(mcountinhibit)
{
    UNUSED_GET;
    return h->mcountinhibit;
}

SET(mcountinhibit)
{
    (void)csr;
    rv_counters_inhibit(h, v & 0xfffffffd); /* time cannot be stopped */
}

/* Sscofpmf, chapter 17 of priv: S sees the bits of counters that it may read. */
GET(scountovf)
{
    (void)csr, (void)running;
    uint64_t v = 0;
    for (unsigned i = 0; i < RV_HPM_COUNTERS; i++)
        v |= h->hpm_event[i] >> 63 << (i + 3);
    return h->priv == RV_M ? v : v & h->mcounteren;
}

/* ---- the table ---- */

#define set_none NULL
static const struct csr csrs[RV_CSR_ROWS] = {
#define RV_CSR(addr, name, ext, need, get, set, ends, fields, doc)                                 \
    [RV_CSR_ROW_##name] = {addr, ends, ext, need_##need, get_##get, set_##set, 0, 0},
#define RV_CSR_PLAIN(addr, name, mask, fields, doc)                                                \
    [RV_CSR_ROW_##                                                                                 \
        name] = {addr, false, 0, need_any, NULL, NULL, offsetof(struct rv_cpu, name), mask},
#include "guest/riscv64/csr.def"
#undef RV_CSR
#undef RV_CSR_PLAIN
};

/* Rows by address, plus 1; 0: none. */
static const uint8_t row_of[4096] = {
#define RV_CSR(addr, name, ext, need, get, set, ends, fields, doc) [addr] = RV_CSR_ROW_##name + 1,
#define RV_CSR_PLAIN(addr, name, mask, fields, doc)                [addr] = RV_CSR_ROW_##name + 1,
#include "guest/riscv64/csr.def"
#undef RV_CSR
#undef RV_CSR_PLAIN
};
static_assert(RV_CSR_ROWS < 256, "a row's number plus 1 fits a byte");

static const struct csr *find(const struct rv_cpu *h, unsigned csr)
{
    unsigned row = csr < ARRAY_LEN(row_of) ? row_of[csr] : 0;
    if (!row || !rv_has(h, csrs[row - 1].ext))
        return NULL;
    return &csrs[row - 1];
}

static uint64_t *plain(struct rv_cpu *h, const struct csr *d)
{
    return (uint64_t *)((char *)h + d->offset);
}

static uint64_t read(struct rv_cpu *h, const struct csr *d, bool running)
{
    return d->get ? d->get(h, d->addr, running) : *plain(h, d);
}

static void write(struct rv_cpu *h, const struct csr *d, uint64_t value)
{
    if (d->get)
        d->set(h, d->addr, value);
    else
        *plain(h, d) = (*plain(h, d) & ~d->mask) | (value & d->mask);
}

/* priv 2.1: bits 11:10 are 3 for a read-only CSR, bits 9:8 are the least privilege. */
static bool is_read_only(unsigned csr)
{
    return csr >> 10 == 3;
}

int rv_csr_access(struct rv_cpu *h, unsigned csr, enum rv_csr_op op, bool writes, uint64_t operand,
                  uint64_t *old)
{
    const struct csr *d = find(h, csr);
    if (!d || h->priv < (csr >> 8 & 3) || (writes && is_read_only(csr)) || !d->need(h, csr))
        return -1;
    *old = read(h, d, true);
    if (!writes)
        return 0;
    /* Set and clear act on what software wrote to mip, not on the lines (priv 3.1.9). */
    uint64_t base = d->addr == csrs[RV_CSR_ROW_mip].addr ? h->mip : *old;
    if (op == RV_CSR_RS)
        operand = base | operand;
    else if (op == RV_CSR_RC)
        operand = base & ~operand;
    write(h, d, operand);
    return 0;
}

bool rv_csr_peek(struct rv_cpu *h, unsigned csr, uint64_t *value)
{
    const struct csr *d = find(h, csr);
    if (!d)
        return false;
    *value = read(h, d, false);
    return true;
}

bool rv_csr_poke(struct rv_cpu *h, unsigned csr, uint64_t value)
{
    const struct csr *d = find(h, csr);
    if (!d || is_read_only(csr))
        return false;
    write(h, d, value);
    return true;
}

bool rv_csr_ends_unit(unsigned csr)
{
    unsigned row = csr < ARRAY_LEN(row_of) ? row_of[csr] : 0;
    return row && csrs[row - 1].ends;
}
