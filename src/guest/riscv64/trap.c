/*
 * trap.c - traps, interrupts and what follows from the privileged state
 * (priv 3.1.6 to 3.1.9, 3.3, 12.1).
 */
#include <string.h>

#include "cpu/debug.h"
#include "guest/riscv64/priv.h"

/* ---- context ---- */

static unsigned mode_of(const struct rv_cpu *h, unsigned priv)
{
    if (priv == RV_M)
        return RV_MODE_BARE;
    if (priv == RV_U)
        return RV_MODE_U;
    return h->mstatus & RV_MSTATUS_SUM ? RV_MODE_S_SUM : RV_MODE_S;
}

/* mstatus.MPRV: M's loads and stores are made as by MPP. */
unsigned rv_data_mode(const struct rv_cpu *h)
{
    if (h->priv == RV_M && h->mstatus & RV_MSTATUS_MPRV)
        return mode_of(h, (unsigned)bits_get(h->mstatus, RV_MPP_LO, 2));
    return mode_of(h, h->priv);
}

/* SUM does not concern fetches. */
static unsigned fetch_mode(const struct rv_cpu *h)
{
    return h->priv == RV_M ? RV_MODE_BARE : h->priv == RV_S ? RV_MODE_S : RV_MODE_U;
}

void rv_update_context(struct rv_cpu *h)
{
    unsigned fs = rv_fs(h);
    uint32_t context = h->priv | rv_data_mode(h) << RV_CTX_DATA_SHIFT |
                       (fs != RV_FS_OFF ? RV_CTX_FS : 0) |
                       (fs == RV_FS_DIRTY ? RV_CTX_FS_DIRTY : 0) |
                       (uint32_t)h->frm << RV_CTX_RM_SHIFT | fetch_mode(h) << RV_CTX_FETCH_SHIFT;

    if (context == h->cpu.context)
        return;
    h->cpu.context = context;
    h->cpu.fetch_mode = (uint8_t)fetch_mode(h);
    h->cpu.pending = 1;
}

void rv_fp_dirty(struct rv_cpu *h)
{
    if (rv_fs(h) != RV_FS_OFF)
        h->mstatus |= RV_MSTATUS_FS;
    rv_update_context(h);
}

/* The caller updates the context. */
void rv_set_priv(struct rv_cpu *h, unsigned priv)
{
    if (h->priv != priv)
        cpu_event(&h->cpu, CPU_EVENT_MODE, h->priv, priv);
    if (!h->hpm_on || h->priv == priv) {
        h->priv = (uint8_t)priv;
        return;
    }
    rv_counters_fold(h);
    h->priv = (uint8_t)priv;
    rv_counters_rearm(h);
}

/* ---- entering a trap ---- */

static uint64_t vector(uint64_t tvec, uint64_t cause)
{
    uint64_t base = tvec & ~UINT64_C(3);
    return tvec & 1 && cause & RV_CAUSE_INTERRUPT ? base + 4 * (cause & ~RV_CAUSE_INTERRUPT) : base;
}

static void enter_s(struct rv_cpu *h, uint64_t cause, uint64_t tval)
{
    uint64_t s = h->mstatus & ~(RV_MSTATUS_SPP | RV_MSTATUS_SPIE | RV_MSTATUS_SIE);

    if (h->mstatus & RV_MSTATUS_SIE)
        s |= RV_MSTATUS_SPIE;
    if (h->priv == RV_S)
        s |= RV_MSTATUS_SPP;
    h->mstatus = s;
    h->sepc = h->cpu.pc;
    h->scause = cause;
    h->stval = tval;
    h->cpu.pc = vector(h->stvec, cause);
    rv_set_priv(h, RV_S);
}

static void enter_m(struct rv_cpu *h, uint64_t cause, uint64_t tval)
{
    uint64_t s = h->mstatus & ~(RV_MSTATUS_MPP | RV_MSTATUS_MPIE | RV_MSTATUS_MIE);

    if (h->mstatus & RV_MSTATUS_MIE)
        s |= RV_MSTATUS_MPIE;
    h->mstatus = s | (uint64_t)h->priv << RV_MPP_LO;
    h->mepc = h->cpu.pc;
    h->mcause = cause;
    h->mtval = tval;
    h->cpu.pc = vector(h->mtvec, cause);
    rv_set_priv(h, RV_M);
}

static void enter(struct rv_cpu *h, bool to_s, uint64_t cause, uint64_t tval)
{
    h->reserve_addr = UINT64_MAX;
    if (to_s)
        enter_s(h, cause, tval);
    else
        enter_m(h, cause, tval);
    rv_update_context(h);
    rv_check_interrupts(h);
    if (cause & RV_CAUSE_INTERRUPT)
        cpu_event(&h->cpu, CPU_EVENT_INTERRUPT, cause & ~RV_CAUSE_INTERRUPT, 0);
    else
        cpu_event(&h->cpu, CPU_EVENT_TRAP, cause, tval);
}

void rv_raise(struct rv_cpu *h, uint64_t cause, uint64_t tval)
{
    h->cpu.count.traps++;
    h->not_retired++;
    h->cpu.leave = 1;
    enter(h, h->priv != RV_M && h->medeleg >> cause & 1, cause, tval);
}

uint32_t rv_code_at(struct rv_cpu *h, uint64_t pc)
{
    struct cpu *c = &h->cpu;
    uint8_t bytes[4] = {0};

    for (unsigned i = 0; i < 4; i += 2) {
        struct guest_walk w;
        rv_walk(c, pc + i, TLB_EXEC, c->fetch_mode, GUEST_WALK_DEBUG, &w);
        if (!w.ok || mem_peek(c->mem, w.paddr, bytes + i, 2) != 2)
            break;
        if ((bytes[0] & 3) != 3)
            break;
    }
    return (uint32_t)bits_load_le(bytes, 4);
}

void rv_raise_illegal(struct rv_cpu *h)
{
    rv_raise(h, RV_CAUSE_ILLEGAL, rv_code_at(h, h->cpu.pc));
}

/* ---- returning ---- */

/* priv 3.3.2: what is left of the trap's stack of privilege and interrupt enable. */
void rv_return(struct rv_cpu *h, unsigned from)
{
    bool m = from == RV_M;
    uint64_t s = h->mstatus, pie = m ? RV_MSTATUS_MPIE : RV_MSTATUS_SPIE;
    uint64_t ie = m ? RV_MSTATUS_MIE : RV_MSTATUS_SIE, pp = m ? RV_MSTATUS_MPP : RV_MSTATUS_SPP;
    unsigned priv = m ? (unsigned)bits_get(s, RV_MPP_LO, 2) : s & RV_MSTATUS_SPP ? RV_S : RV_U;

    s = s & pie ? s | ie : s & ~ie;
    s = (s | pie) & ~pp; /* U is the least privilege */
    if (priv != RV_M)
        s &= ~RV_MSTATUS_MPRV;
    h->mstatus = s;
    h->cpu.pc = m ? h->mepc : h->sepc;
    h->cpu.leave = 1;
    rv_set_priv(h, priv);
    rv_update_context(h);
    rv_check_interrupts(h);
}

/* ---- interrupts ---- */

uint64_t rv_mip(const struct rv_cpu *h)
{
    uint64_t software = h->mip;
    if (h->menvcfg & RV_ENVCFG_STCE)
        software &= ~RV_MIP_STI;
    return software | h->mip_lines;
}

/* The order of priv 3.1.9; LCOFI: Sscofpmf. */
unsigned rv_top_interrupt(const struct rv_cpu *h, bool s)
{
    static const uint8_t order[] = {RV_IRQ_MEI, RV_IRQ_MSI, RV_IRQ_MTI,  RV_IRQ_SEI,
                                    RV_IRQ_SSI, RV_IRQ_STI, RV_IRQ_LCOFI};
    uint64_t irqs = rv_mip(h) & h->mie & (s ? h->mideleg : ~h->mideleg);

    for (unsigned i = 0; irqs && i < ARRAY_LEN(order); i++) {
        if (irqs >> order[i] & 1)
            return order[i];
    }
    return 0;
}

/* The interrupt to take now, or 0; *to_s: where to.  Those that M handles come first. */
static unsigned deliverable(const struct rv_cpu *h, bool *to_s)
{
    unsigned irq = 0;

    *to_s = false;
    if (h->priv < RV_M || h->mstatus & RV_MSTATUS_MIE)
        irq = rv_top_interrupt(h, false);
    if (irq)
        return irq;
    *to_s = true;
    if (h->priv < RV_S || (h->priv == RV_S && h->mstatus & RV_MSTATUS_SIE))
        irq = rv_top_interrupt(h, true);
    return irq;
}

void rv_check_interrupts(struct rv_cpu *h)
{
    bool to_s;
    if (deliverable(h, &to_s) || (h->cpu.halted && rv_mip(h) & h->mie))
        h->cpu.pending = 1;
}

bool rv_interrupt(struct cpu *c)
{
    struct rv_cpu *h = rv_of(c);
    bool to_s;
    unsigned irq;

    if (c->halted == CPU_OFF)
        return false;
    irq = deliverable(h, &to_s);
    if (rv_mip(h) & h->mie)
        c->halted = CPU_RUNS;
    if (!irq)
        return false;
    c->count.interrupts++;
    enter(h, to_s, RV_CAUSE_INTERRUPT | irq, 0);
    return true;
}

/* External, timer and M's software interrupts follow their lines.  SSI has an edge (as of the
 * ACLINT's SSWI): high sets the bit, which software clears.  STI is what an M-mode that emulates
 * the supervisor's timer would write. */
void rv_line(struct cpu *c, unsigned line, bool level)
{
    struct rv_cpu *h = rv_of(c);
    uint64_t bit = BIT(line), old = rv_mip(h);

    if (line == RV_IRQ_SSI || line == RV_IRQ_STI || line == RV_IRQ_LCOFI) {
        if (level)
            h->mip |= bit;
        else if (line == RV_IRQ_STI)
            h->mip &= ~bit;
    } else {
        h->mip_lines = level ? h->mip_lines | bit : h->mip_lines & ~bit;
    }
    if (old == rv_mip(h))
        return;
    rv_check_interrupts(h);
    if (c->env && c->env->changed)
        c->env->changed(c->env->opaque, c);
}

/* ---- the supervisor's timer: Sstc, chapter 16 of priv ---- */

uint64_t rv_time(const struct rv_cpu *h)
{
    const struct cpu_env *env = h->cpu.env;
    return env && env->time ? env->time(env->opaque) : 0;
}

void rv_timer_update(struct rv_cpu *h)
{
    const struct cpu_env *env = h->cpu.env;
    bool on = h->menvcfg & RV_ENVCFG_STCE, due = on && rv_time(h) >= h->stimecmp;

    h->mip_lines = due ? h->mip_lines | RV_MIP_STI : h->mip_lines & ~RV_MIP_STI;
    if (env && env->timer)
        env->timer(env->opaque, h->cpu.index, on && !due ? h->stimecmp : UINT64_MAX);
    rv_check_interrupts(h);
}
