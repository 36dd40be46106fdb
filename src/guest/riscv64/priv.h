/*
 * priv.h - the privileged state, among the files that keep it (csr.c, trap.c,
 * counters.c, walk.c, pmp.c, helpers.c, riscv64.c, regs.c).
 */
#ifndef GUEST_RISCV64_PRIV_H
#define GUEST_RISCV64_PRIV_H

#include <assert.h>

#include "base/bits.h"
#include "guest/riscv64/riscv64.h"

/* mstatus, priv 3.1.6. */
#define RV_MSTATUS_SIE  BIT(1)
#define RV_MSTATUS_MIE  BIT(3)
#define RV_MSTATUS_SPIE BIT(5)
#define RV_MSTATUS_MPIE BIT(7)
#define RV_MSTATUS_SPP  BIT(8)
#define RV_MSTATUS_MPP  (BIT(11) | BIT(12))
#define RV_MSTATUS_FS   (BIT(13) | BIT(14))
#define RV_MSTATUS_MPRV BIT(17)
#define RV_MSTATUS_SUM  BIT(18)
#define RV_MSTATUS_MXR  BIT(19)
#define RV_MSTATUS_TVM  BIT(20)
#define RV_MSTATUS_TW   BIT(21)
#define RV_MSTATUS_TSR  BIT(22)
#define RV_MSTATUS_UXL  (BIT(32) | BIT(33))
#define RV_MSTATUS_SXL  (BIT(34) | BIT(35))
#define RV_MSTATUS_SD   BIT(63)
#define RV_MSTATUS_XL64 (BIT(33) | BIT(35)) /* UXL and SXL: 64 bits */
enum { RV_MPP_LO = 11, RV_FS_LO = 13 };
enum { RV_FS_OFF, RV_FS_INITIAL, RV_FS_CLEAN, RV_FS_DIRTY };

/* mip and mie. */
#define RV_MIP_SSI   BIT(RV_IRQ_SSI)
#define RV_MIP_MSI   BIT(RV_IRQ_MSI)
#define RV_MIP_STI   BIT(RV_IRQ_STI)
#define RV_MIP_MTI   BIT(RV_IRQ_MTI)
#define RV_MIP_SEI   BIT(RV_IRQ_SEI)
#define RV_MIP_MEI   BIT(RV_IRQ_MEI)
#define RV_MIP_LCOFI BIT(RV_IRQ_LCOFI)

/* menvcfg and senvcfg, priv 3.1.18 and 12.1.10. */
#define RV_ENVCFG_FIOM  BIT(0)
#define RV_ENVCFG_CBIE  (BIT(4) | BIT(5))
#define RV_ENVCFG_CBCFE BIT(6)
#define RV_ENVCFG_CBZE  BIT(7)
#define RV_ENVCFG_ADUE  BIT(61)
#define RV_ENVCFG_PBMTE BIT(62)
#define RV_ENVCFG_STCE  BIT(63)
enum { RV_CBIE_LO = 4, RV_CBIE_RESERVED = 2 };

/* Exceptions that medeleg can delegate: all but those from M-mode. */
#define RV_MEDELEG_MASK                                                                            \
    (BIT(RV_CAUSE_FETCH_MISALIGNED) | BIT(RV_CAUSE_FETCH_ACCESS) | BIT(RV_CAUSE_ILLEGAL) |         \
     BIT(RV_CAUSE_BREAKPOINT) | BIT(RV_CAUSE_LOAD_MISALIGNED) | BIT(RV_CAUSE_LOAD_ACCESS) |        \
     BIT(RV_CAUSE_STORE_MISALIGNED) | BIT(RV_CAUSE_STORE_ACCESS) | BIT(RV_CAUSE_ECALL_U) |         \
     BIT(RV_CAUSE_ECALL_S) | BIT(RV_CAUSE_FETCH_PAGE) | BIT(RV_CAUSE_LOAD_PAGE) |                  \
     BIT(RV_CAUSE_STORE_PAGE))

/* satp, priv 12.1.11. */
enum { RV_SATP_MODE_LO = 60, RV_SATP_BARE = 0, RV_SATP_SV39 = 8, RV_SATP_SV57 = 10 };

/* pmpcfg, priv 3.7.1. */
enum { RV_PMP_R = 1, RV_PMP_W = 2, RV_PMP_X = 4, RV_PMP_A_LO = 3, RV_PMP_L = 0x80 };
enum { RV_PMP_OFF, RV_PMP_TOR, RV_PMP_NA4, RV_PMP_NAPOT };

static inline bool rv_has(const struct rv_cpu *h, uint32_t ext)
{
    return (h->ext & ext) == ext;
}

static inline unsigned rv_fs(const struct rv_cpu *h)
{
    return (unsigned)bits_get(h->mstatus, RV_FS_LO, 2);
}

/* The bits of an instruction address that may be set: IALIGN is 16 with C, else 32. */
static inline uint64_t rv_pc_mask(const struct rv_cpu *h)
{
    return rv_has(h, RV_EXT(C)) ? ~UINT64_C(1) : ~UINT64_C(3);
}

/* ---- trap.c ---- */

/* mip as it is read: software's bits or-ed with the lines. */
uint64_t rv_mip(const struct rv_cpu *h);
/* Sets pending if an interrupt can be taken; after any change to what decides that. */
void rv_check_interrupts(struct rv_cpu *h);
void rv_set_priv(struct rv_cpu *h, unsigned priv);
/* mstatus.FS = Dirty. */
void rv_fp_dirty(struct rv_cpu *h);
/* Illegal-instruction trap for the instruction at pc, whose bits become xtval. */
void rv_raise_illegal(struct rv_cpu *h);
/* The bits of the instruction at an address, as fetches see it now; 0 if there is none. */
uint32_t rv_code_at(struct rv_cpu *h, uint64_t pc);
void rv_return(struct rv_cpu *h, unsigned from); /* mret, sret: from RV_M, RV_S */
/* The first interrupt that is pending and enabled and is S's (delegated) or M's, whether it can be
 * taken now or not; 0: none. */
unsigned rv_top_interrupt(const struct rv_cpu *h, bool s);
bool rv_interrupt(struct cpu *c);
void rv_line(struct cpu *c, unsigned line, bool level);
unsigned rv_data_mode(const struct rv_cpu *h);

/* Supervisor timer (Sstc): brings mip.STIP and the board's timer into line with stimecmp. */
uint64_t rv_time(const struct rv_cpu *h);
void rv_timer_update(struct rv_cpu *h);

/* ---- counters.c ---- */

/* n: 0 cycle, 2 instret, 3 to 31 hpmcounter.  running: an instruction that is not to be counted yet
 * is in progress. */
uint64_t rv_counter_read(const struct rv_cpu *h, unsigned n, bool running);
void rv_counter_write(struct rv_cpu *h, unsigned n, uint64_t value);
void rv_counter_event(struct rv_cpu *h, unsigned n, uint64_t event);
void rv_counters_inhibit(struct rv_cpu *h, uint64_t mask);
/* Brings the counters up to date: before a change of privilege, and for a canonical state. */
void rv_counters_fold(struct rv_cpu *h);
/* Works out what the counters wait for; after a change of privilege or of the whole state. */
void rv_counters_rearm(struct rv_cpu *h);
void rv_alarm_due(struct cpu *c);

/* ---- pmp.c ---- */

/* Bits 1 << enum tlb_access: what PMP allows on [paddr, paddr + len); *whole as for rv_pmp_allows.
 */
unsigned rv_pmp_mask(const struct rv_cpu *h, uint64_t paddr, uint64_t len, unsigned priv,
                     bool *whole);
void rv_pmp_update(struct rv_cpu *h); /* after a change of pmp_cfg or pmp_addr */
uint64_t rv_pmp_cfg_read(const struct rv_cpu *h, unsigned n);
void rv_pmp_cfg_write(struct rv_cpu *h, unsigned n, uint64_t value);
void rv_pmp_addr_write(struct rv_cpu *h, unsigned n, uint64_t value);

/* ---- walk.c ---- */

enum rv_fault_kind { RV_FAULT_ACCESS, RV_FAULT_PAGE, RV_FAULT_MISALIGNED };
uint64_t rv_fault_cause(enum rv_fault_kind kind, enum tlb_access access);
bool rv_exact(struct cpu *c, uint64_t vaddr, uint64_t paddr, uint64_t len, enum tlb_access access,
              unsigned mode);

/* ---- regs.c ---- */

extern const struct guest_reg rv_regs[];
extern const struct ir_slot rv_slots[RV_SLOT_COUNT];
uint64_t rv_reg_read(struct cpu *c, uint32_t row);
bool rv_reg_write(struct cpu *c, uint32_t row, uint64_t value);

/* ---- riscv64.c ---- */

const char *rv_cause_name(uint64_t cause);

#endif
