/*
 * riscv64.h - the state of a RISC-V hart, shared by the files of this folder.
 *
 * Others see struct guest (cpu/guest.h); boards and built-in firmware also use
 * the functions at the end.  Sections: "priv" is The RISC-V Instruction Set Manual,
 * Volume II (20240411), "unpriv" Volume I, "AIA" The RISC-V Advanced Interrupt Architecture (1.0).
 */
#ifndef GUEST_RISCV64_RISCV64_H
#define GUEST_RISCV64_RISCV64_H

#include "cpu/guest.h"
#include "guest/riscv64/decode.h"

enum rv_priv { RV_U = 0, RV_S = 1, RV_M = 3 };

/* MMU modes (TLB_MODES): what an access may do.  priv 12.3, mstatus.SUM.  BARE is M-mode, which
 * satp does not concern; U and S go through satp, whatever its mode, so that PMP can tell them
 * from M. */
enum rv_mode { RV_MODE_U, RV_MODE_S, RV_MODE_S_SUM, RV_MODE_BARE };

/* cpu.context: bits that translated code depends on. */
enum {
    RV_CTX_PRIV = 3,          /* bits 1:0: privilege of the instructions */
    RV_CTX_DATA_SHIFT = 2,    /* bits 3:2: enum rv_mode of loads and stores */
    RV_CTX_FS = 1 << 4,       /* mstatus.FS is not Off */
    RV_CTX_FS_DIRTY = 1 << 5, /* ... and Dirty: code need not set it */
    RV_CTX_RM_SHIFT = 6,      /* bits 8:6: frm */
    RV_CTX_FETCH_SHIFT = 9,   /* bits 10:9: enum rv_mode of fetches */
};

/* Optional extensions, bits of rv_cpu.ext; names as in an ISA string. */
#define RV_EXTENSIONS(X)                                                                         \
    X(A, "a") X(C, "c") X(F, "f") X(D, "d") X(ZBA, "zba") X(ZBB, "zbb") X(ZBS, "zbs")            \
    X(ZBC, "zbc") X(ZICOND, "zicond") X(ZICBOM, "zicbom") X(ZICBOP, "zicbop")                    \
    X(ZICBOZ, "zicboz") X(ZAWRS, "zawrs") X(ZFA, "zfa") X(ZCB, "zcb") X(SVINVAL, "svinval")      \
    X(SVPBMT, "svpbmt") X(SVNAPOT, "svnapot") X(SVADU, "svadu") X(SSTC, "sstc")                  \
    X(SSCOFPMF, "sscofpmf") X(SMAIA, "smaia") X(SSAIA, "ssaia")
enum rv_ext_bit {
#define RV_X(id, name) RV_EXT_BIT_##id,
    RV_EXTENSIONS(RV_X)
#undef RV_X
    RV_EXT_COUNT
};
#define RV_EXT(id) (UINT32_C(1) << RV_EXT_BIT_##id)

/* These come with the board's interrupt controllers (rv_set_aia), not with an ISA string. */
#define RV_EXT_AIA (RV_EXT(SMAIA) | RV_EXT(SSAIA))

#define RV_PMP_ENTRIES 16
#define RV_HPM_COUNTERS 29 /* mhpmcounter3 to 31 */
#define RV_CBO_BYTES 64    /* cache block of Zicbom and Zicboz */

/* Exception codes, priv 3.1.15, and interrupt numbers. */
enum {
    RV_CAUSE_FETCH_MISALIGNED = 0, RV_CAUSE_FETCH_ACCESS = 1, RV_CAUSE_ILLEGAL = 2,
    RV_CAUSE_BREAKPOINT = 3, RV_CAUSE_LOAD_MISALIGNED = 4, RV_CAUSE_LOAD_ACCESS = 5,
    RV_CAUSE_STORE_MISALIGNED = 6, RV_CAUSE_STORE_ACCESS = 7, RV_CAUSE_ECALL_U = 8,
    RV_CAUSE_ECALL_S = 9, RV_CAUSE_ECALL_M = 11, RV_CAUSE_FETCH_PAGE = 12,
    RV_CAUSE_LOAD_PAGE = 13, RV_CAUSE_STORE_PAGE = 15,
    RV_IRQ_SSI = 1, RV_IRQ_MSI = 3, RV_IRQ_STI = 5, RV_IRQ_MTI = 7, RV_IRQ_SEI = 9,
    RV_IRQ_MEI = 11, RV_IRQ_LCOFI = 13,
};
#define RV_CAUSE_INTERRUPT BIT(63)

/* A hart's way to its incoming MSI controller (AIA chapter 3): the interrupt file of a level, RV_M
 * or RV_S.  A file's signal comes by RV_IRQ_MEI or RV_IRQ_SEI, as from any other controller. */
struct rv_imsic {
    /* Registers 0x70 to 0xff of miselect and siselect, even numbers where there is an array. */
    uint64_t (*read)(void *opaque, unsigned hart, unsigned level, unsigned reg);
    void (*write)(void *opaque, unsigned hart, unsigned level, unsigned reg, uint64_t value);
    /* mtopei, stopei; and a write to it. */
    uint64_t (*top)(void *opaque, unsigned hart, unsigned level);
    void (*claim)(void *opaque, unsigned hart, unsigned level);
    void *opaque;
};

/* Exposed: generated code reads x, f and the reservation at fixed offsets. */
struct rv_cpu {
    struct cpu cpu; /* first */
    uint64_t x[32]; /* x[0] stays 0 and is no slot */
    uint64_t f[32]; /* raw bits; singles are NaN-boxed */
    uint64_t reserve_addr;  /* LR's address (virtual), UINT64_MAX: none */
    uint64_t reserve_value; /* not used to decide: for debuggers */

    uint32_t ext;  /* RV_EXT bits */
    uint8_t priv;  /* enum rv_priv */
    uint8_t frm;   /* fcsr.frm; fflags are cpu.fp_flags */

    /* CSRs, by their names in priv.  S-mode views are computed. */
    uint64_t mstatus, misa, medeleg, mideleg, mie, mip, mtvec, mcounteren, mcountinhibit;
    uint64_t mscratch, mepc, mcause, mtval, menvcfg, mseccfg;
    uint64_t stvec, scounteren, sscratch, sepc, scause, stval, satp, senvcfg, stimecmp;
    uint64_t miselect, siselect;
    uint64_t mip_lines; /* what the interrupt lines into the hart say; mip is this or-ed with
                           the bits that software set */
    uint64_t cycle_offset, instret_offset; /* counter = base + offset; writes change the offset */
    uint64_t not_retired; /* instructions charged that trapped: instret leaves them out */
    /* hpm_counter: as of cycle hpm_cycle and instruction hpm_instret; see counters.c. */
    uint64_t hpm_counter[RV_HPM_COUNTERS], hpm_event[RV_HPM_COUNTERS], hpm_cycle, hpm_instret;
    uint8_t pmp_cfg[RV_PMP_ENTRIES];
    uint64_t pmp_addr[RV_PMP_ENTRIES];

    const struct rv_imsic *imsic; /* NULL: there is none */

    /* Computed from the above. */
    uint64_t pmp_first[RV_PMP_ENTRIES], pmp_last[RV_PMP_ENTRIES]; /* bytes matched; first > last: none */
    uint8_t pmp_used; /* entries below this one may match */
    uint32_t hpm_on;  /* bit n: hpmcounter n is enabled and has an event */
};

static inline struct rv_cpu *rv_of(struct cpu *c)
{
    return (struct rv_cpu *)c;
}

/* IR slots, the first rows of the register table: pc, x1..x31, f0..f31, reservation. */
enum {
    RV_SLOT_PC = 0,
    RV_SLOT_X = 0,       /* RV_SLOT_X + n for x1..x31 */
    RV_SLOT_F = 32,      /* RV_SLOT_F + n for f0..f31: f64 */
    RV_SLOT_RESERVE = 64,
    RV_SLOT_COUNT
};

/* Helpers of translated code: name, operands, effects, has a result. */
enum rv_helper {
#define RV_HELPER(name, nargs, effects, result) RV_HELPER_##name,
#include "guest/riscv64/helpers.def"
#undef RV_HELPER
    RV_HELPER_COUNT
};
#define RV_HELPER(name, nargs, effects, result)                                                  \
    uint64_t rv_helper_##name(void *cpu, uint64_t a, uint64_t b, uint64_t c);
#include "guest/riscv64/helpers.def"
#undef RV_HELPER
extern const struct ir_helper rv_helpers[RV_HELPER_COUNT];

/* csr helper's operand a: CSR number | enum << 12 | writes << 14. */
enum rv_csr_op { RV_CSR_RW, RV_CSR_RS, RV_CSR_RC };
#define RV_CSR_WRITES (UINT64_C(1) << 14)

/* lift.c: the guest's translate. */
enum guest_translated rv_translate(struct cpu *c, struct ir_unit *u, const struct guest_fetch *f,
                                   uint32_t *bytes);

/* csr.c: 0 if the access is legal at the hart's privilege, with the old value; -1 illegal. */
int rv_csr_access(struct rv_cpu *h, unsigned csr, enum rv_csr_op op, bool writes, uint64_t operand,
                  uint64_t *old);
/* A debugger's view: any CSR that exists, whatever the privilege; false if it does not. */
bool rv_csr_peek(struct rv_cpu *h, unsigned csr, uint64_t *value);
bool rv_csr_poke(struct rv_cpu *h, unsigned csr, uint64_t value);
/* Whether a write to it can change the context, the space or what is pending, so that the unit must
 * end behind it. */
bool rv_csr_ends_unit(unsigned csr);

/* trap.c */
void rv_raise(struct rv_cpu *h, uint64_t cause, uint64_t tval);
void rv_update_context(struct rv_cpu *h); /* after any change of priv, mstatus, satp, frm, ... */

/* walk.c, pmp.c */
void rv_walk(struct cpu *c, uint64_t vaddr, enum tlb_access access, unsigned mode,
             enum guest_walk_how how, struct guest_walk *out);
/* Whether [paddr, paddr + len) may be accessed at a privilege; *whole: the same answer holds for its
 * whole page. */
bool rv_pmp_allows(const struct rv_cpu *h, uint64_t paddr, uint64_t len, enum tlb_access access,
                   unsigned priv, bool *whole);

/* For boards with an APLIC, before the hart runs: it has Smaia and Ssaia from now on, and an IMSIC if
 * that is not NULL. */
void rv_set_aia(struct cpu *c, const struct rv_imsic *imsic);

/* For built-in firmware: the state in which a supervisor is entered. */
void rv_enter_supervisor(struct cpu *c, uint64_t pc, uint64_t a0, uint64_t a1);
uint64_t rv_x(const struct cpu *c, unsigned n);
void rv_set_x(struct cpu *c, unsigned n, uint64_t value);
/* The ISA string for a device tree ("rv64imafdc_zba_..."). */
void rv_isa_string(const struct cpu *c, struct buf *out);

#endif
