/*
 * helpers.c - what translated code calls out for, where privileged state is
 * concerned.  At a call the pc slot holds the instruction's own pc; a trap, or
 * whatever else must not go on behind the instruction, sets leave.
 */
#include "cpu/debug.h"
#include "guest/riscv64/priv.h"

#define HELPER(name)    uint64_t rv_helper_##name(void *cpu, uint64_t a, uint64_t b, uint64_t c)
#define UNUSED_OPERANDS (void)a, (void)b, (void)c

const struct ir_helper rv_helpers[RV_HELPER_COUNT] = {
#define RV_HELPER(name, nargs, effects, result) {#name, rv_helper_##name, nargs, effects, result},
#include "guest/riscv64/helpers.def"
#undef RV_HELPER
};

HELPER(raise)
{
    (void)c;
    rv_raise(cpu, a, b);
    return 0;
}

/* Firmware may change anything, so the unit ends even if it does not trap. */
HELPER(ecall)
{
    UNUSED_OPERANDS;
    struct rv_cpu *h = cpu;
    struct cpu *base = &h->cpu;
    uint64_t pc = base->pc;

    if (h->priv == RV_S && base->env && base->env->firmware) {
        base->pc = pc + 4;
        base->leave = 1;
        if (base->env->firmware(base->env->opaque, base))
            return 0;
        base->pc = pc;
    }
    rv_raise(h, RV_CAUSE_ECALL_U + h->priv, 0);
    return 0;
}

/* The three instructions of a call: slli x0, x0, 0x1f; ebreak; srai x0, x0, 7 (RISC-V Semihosting,
 * chapter 2). */
static bool is_semihosting(struct rv_cpu *h)
{
    uint64_t pc = h->cpu.pc;

    return rv_code_at(h, pc - 4) == 0x01f01013 && rv_code_at(h, pc) == 0x00100073 &&
           rv_code_at(h, pc + 4) == 0x40705013;
}

HELPER(ebreak)
{
    UNUSED_OPERANDS;
    struct rv_cpu *h = cpu;
    struct cpu *base = &h->cpu;
    uint64_t pc = base->pc;

    if (h->priv != RV_U && is_semihosting(h)) {
        base->pc = pc + 4;
        base->leave = 1;
        if (base->env->semihosting(base->env->opaque, base))
            return 0;
        base->pc = pc;
    }
    rv_raise(h, RV_CAUSE_BREAKPOINT, pc);
    return 0;
}

static void csr_events(struct rv_cpu *h, uint64_t what, uint64_t operand, uint64_t old_satp)
{
    cpu_event(&h->cpu, what & RV_CSR_WRITES ? CPU_EVENT_REG_WRITE : CPU_EVENT_REG_READ,
              what & 0xfff, operand);
    if (h->satp != old_satp)
        cpu_event(&h->cpu, CPU_EVENT_SPACE, old_satp, h->satp);
}

/* If somebody may stop behind it, it is carried out alone: the unit goes on to the result and the next
 * pc, and has its end there. */
static uint64_t csr(struct rv_cpu *h, uint64_t what, uint64_t operand)
{
    const uint32_t events =
        BIT(CPU_EVENT_REG_READ) | BIT(CPU_EVENT_REG_WRITE) | BIT(CPU_EVENT_SPACE);
    bool wanted = h->cpu.debug && h->cpu.debug->events & events;
    uint64_t old = 0, satp = h->satp;
    uint8_t leave = h->cpu.leave;

    if (wanted && !h->cpu.precise) {
        h->cpu.access = CPU_PRECISE;
        h->cpu.leave = 1;
        return 0;
    }
    if (rv_csr_access(h, what & 0xfff, what >> 12 & 3, what & RV_CSR_WRITES, operand, &old)) {
        rv_raise_illegal(h);
        return old;
    }
    csr_events(h, what, operand, satp);
    if (wanted)
        h->cpu.leave = leave;
    return old;
}

HELPER(csr)
{
    (void)c;
    return csr(cpu, a, b);
}

HELPER(csr_fp)
{
    (void)c;
    return csr(cpu, a, b);
}

HELPER(mret)
{
    UNUSED_OPERANDS;
    struct rv_cpu *h = cpu;
    if (h->priv == RV_M)
        rv_return(h, RV_M);
    else
        rv_raise_illegal(h);
    return 0;
}

/* What is M's and S's, unless M keeps S from it by a bit of mstatus. */
static bool supervisor_may(const struct rv_cpu *h, uint64_t bit)
{
    return h->priv == RV_M || (h->priv == RV_S && !(h->mstatus & bit));
}

HELPER(sret)
{
    UNUSED_OPERANDS;
    struct rv_cpu *h = cpu;
    if (supervisor_may(h, RV_MSTATUS_TSR))
        rv_return(h, RV_S);
    else
        rv_raise_illegal(h);
    return 0;
}

/* Waits for what mie enables, whether it would be taken or not (priv 3.3.3). */
HELPER(wfi)
{
    UNUSED_OPERANDS;
    struct rv_cpu *h = cpu;
    if (!supervisor_may(h, RV_MSTATUS_TW)) {
        rv_raise_illegal(h);
    } else if (!(rv_mip(h) & h->mie)) {
        uint8_t leave = h->cpu.leave;

        h->cpu.halted = CPU_WAITS;
        h->cpu.pending = 1;
        cpu_event(&h->cpu, CPU_EVENT_HALT, 0, 0);
        h->cpu.leave = leave; /* the unit ends behind it anyway, with the next pc */
    }
    return 0;
}

/* Stores to page tables are noticed as they happen (tlb.h): there is nothing to flush. */
HELPER(sfence)
{
    UNUSED_OPERANDS;
    struct rv_cpu *h = cpu;
    if (supervisor_may(h, RV_MSTATUS_TVM))
        h->cpu.count.fences++;
    else
        rv_raise_illegal(h);
    return 0;
}

/* ---- cache blocks: the CMO extensions, chapter 19 of unpriv ---- */

/* Whether menvcfg and senvcfg let the privilege do it. */
static bool enabled(const struct rv_cpu *h, uint64_t mask)
{
    return h->priv == RV_M || (h->menvcfg & mask && (h->priv == RV_S || h->senvcfg & mask));
}

/* Ends the instruction as the access to its block did.  The fault is at the operand's address. */
static void end_block_access(struct rv_cpu *h, enum cpu_access access, uint64_t addr)
{
    if (access == CPU_FAULT) {
        rv_raise(h, h->cpu.fault.cause, addr);
    } else if (access == CPU_PRECISE) {
        h->cpu.access = CPU_PRECISE;
        h->cpu.leave = 1;
    }
}

/* There is no cache, so nothing is done; but who may neither load nor store faults as a store. */
HELPER(cbo)
{
    (void)c;
    struct rv_cpu *h = cpu;
    uint64_t block = b & ~(uint64_t)(RV_CBO_BYTES - 1);
    unsigned mode = rv_data_mode(h);

    if (!enabled(h, a == RV_OP_CBO_INVAL ? RV_ENVCFG_CBIE : RV_ENVCFG_CBCFE)) {
        rv_raise_illegal(h);
        return 0;
    }
    enum cpu_access access = cpu_probe(&h->cpu, block, RV_CBO_BYTES, mode, TLB_READ);
    if (access == CPU_FAULT)
        access = cpu_probe(&h->cpu, block, RV_CBO_BYTES, mode, TLB_WRITE);
    end_block_access(h, access, b);
    return 0;
}

HELPER(cbo_zero)
{
    (void)b, (void)c;
    struct rv_cpu *h = cpu;
    uint64_t block = a & ~(uint64_t)(RV_CBO_BYTES - 1);

    uint8_t leave = h->cpu.leave;
    enum cpu_access access;

    if (!enabled(h, RV_ENVCFG_CBZE)) {
        rv_raise_illegal(h);
        return 0;
    }
    access = cpu_fill(&h->cpu, block, RV_CBO_BYTES, rv_data_mode(h), 0);
    /* Whoever watches the store may have kicked the CPU, but the pc is still that of the instruction,
     * which is alone then: the unit goes on to the next pc, and has its end there. */
    h->cpu.leave = leave;
    end_block_access(h, access, a);
    return 0;
}

HELPER(peek)
{
    return cpu_helper_peek(cpu, a, b, c);
}

HELPER(decide)
{
    return cpu_helper_decide(cpu, a, b, c);
}

HELPER(fs_dirty)
{
    UNUSED_OPERANDS;
    rv_fp_dirty(cpu);
    return 0;
}
