/*
 * cpu.h - one CPU (hart) as engines, guests and the run loop share it.
 *
 * A guest's own struct begins with a struct cpu.  Generated code reaches both,
 * and the L1 TLB that lies just below them, from one pointer.  Exposed, because
 * it is the hottest state there is.  Machine thread only.
 *
 * Counting: an instruction is charged when it starts, whether it then retires
 * or traps; every stop, event and interrupt lies at such a count.  While the
 * CPU runs, the instructions charged since reset are
 *     count_end - budget - ahead.
 * A loop of traps is charged too, so that a CPU always comes to the end of its
 * budget.
 */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ir/ir.h"
#include "mem/mem.h"
#include "mem/tlb.h"

struct guest;
struct cpu;
struct cpu_debug;
struct snap;

/* A slot of a jump cache: where the code for a pc is, in one context.  pc 1 is no pc. */
struct cpu_jump {
    uint64_t pc;
    const void *code;
};
#define CPU_JUMP_BITS 12
#define CPU_JUMPS (1u << CPU_JUMP_BITS)
#define CPU_NO_PC UINT64_C(1)

static inline uint32_t cpu_jump_index(uint64_t pc)
{
    return (uint32_t)(pc >> 1) & (CPU_JUMPS - 1);
}

/* Why an access did not happen; `guest` cause codes stay the guest's. */
enum cpu_access {
    CPU_OK,
    CPU_FAULT,   /* cpu->fault says what to raise */
    CPU_PRECISE, /* a device, a doorbell, or translated code: only where the count is exact,
                    that is by the interpreter with cpu->precise set */
};

struct cpu_fault {
    uint64_t cause; /* the guest's number */
    uint64_t addr;  /* virtual */
};

/* What a CPU may ask of the machine around it; installed by the board. */
struct cpu_env {
    uint64_t (*time)(void *opaque);                          /* the guest's timer ticks */
    void (*timer)(void *opaque, unsigned cpu, uint64_t tick); /* call guest->timer_due then;
                                                                 UINT64_MAX: never */
    bool (*firmware)(void *opaque, struct cpu *c); /* a call to built-in firmware, pc already
                                                      past it: false if there is none (the call
                                                      traps); true if it was carried out, which may
                                                      have changed any state, pc too.  May be NULL */
    void (*changed)(void *opaque, struct cpu *c);  /* interrupts or halting changed from outside
                                                      its own run */
    void *opaque;
    bool (*semihosting)(void *opaque, struct cpu *c); /* likewise a call to the debugger's host, by
                                                         the guest's own sequence; NULL: there is
                                                         none, and never will be */
};

struct cpu_counters {
    uint64_t traps, interrupts;
    uint64_t slow_loads, slow_stores; /* through cpu_load and cpu_store */
    uint64_t devices;                 /* precise accesses */
    uint64_t fences;                  /* translation fences (sfence.vma) */
};

/* Why a CPU runs no instructions. */
enum cpu_halt {
    CPU_RUNS,
    CPU_WAITS, /* for an interrupt, or what its board knows of; not when a debugger gives it another pc */
    CPU_OFF,   /* until its board starts it */
    CPU_HALTS
};
/* What people are told: "runs", ... */
extern const char *const cpu_halt_names[CPU_HALTS];

struct cpu {
    /* What generated code touches. */
    int64_t budget;          /* instructions that may still be charged in this run */
    uint64_t pc;             /* valid outside generated code and in helpers */
    struct cpu_jump *jumps;  /* the current context's jump cache; NULL: no engine uses one */
    uint32_t ahead;          /* charged but not yet begun, behind the one that runs a helper */
    uint8_t leave;           /* a helper sets it: the unit ends after this instruction */
    uint8_t fp_flags;        /* sticky floating-point flags, softfloat's bits (an engine may hold
                                more in the host's registers: IR_HELPER_FP) */
    uint8_t pending;         /* interrupts, halting or context want a look by the run loop */
    uint8_t halted;          /* enum cpu_halt */
    uint32_t context;        /* guest->context(cpu), kept by the guest: all that translated code
                                depends on besides pc, space and memory */
    uint8_t fetch_mode;      /* MMU mode of instruction fetches, below TLB_MODES */
    uint8_t precise;         /* the interpreter runs one instruction: devices may be touched */
    uint8_t stop_passed;     /* run loop: leave the probe at pc out, once */
    uint8_t stopped;         /* a debugger wants the stop that quit brings */
    uint8_t hold;            /* interrupts are not taken, but for one that ends a wait */
    uint8_t quit;            /* the machine asks this run to end after this instruction */
    uint8_t access;          /* enum cpu_access of the load, store or helper that said no; see
                                cpu_ir_host.  Whoever runs a unit sets it to CPU_OK first */
    struct cpu_fault fault;
    int64_t count_end;       /* the count at which the budget is 0 */
    uint64_t alarm;          /* guest->alarm_due is to be called when cpu_count is here (the run loop
                                lets no budget reach beyond it); UINT64_MAX: never.  A guest that
                                changes it sets pending */

    const struct guest *guest;
    const struct cpu_env *env;
    const struct cpu_debug *debug; /* see debug.h; NULL: nothing is wanted */
    /* An access that starts before, or more than watch_span behind, touches no virtual watch. */
    uint64_t watch_from, watch_span;
    struct mem *mem;
    struct tlb tlb;
    uint32_t index; /* which hart: 0, 1, ... */
    struct cpu_counters count;
};

/* Instructions charged since reset, exact at any moment. */
static inline uint64_t cpu_count(const struct cpu *c)
{
    return (uint64_t)(c->count_end - c->budget - c->ahead);
}

/* ---- life: cpu.c ---- */

struct cpu_config {
    const struct guest *guest;
    unsigned index, count; /* of the CPUs of the machine */
    struct mem *mem;
    struct tlb_config tlb;
    const char *isa; /* the guest's own option string; NULL: everything there is */
};

/* Reset state.  NULL with a message for a bad isa or TLB. */
struct cpu *cpu_new(const struct cpu_config *config, struct err *e);
void cpu_free(struct cpu *c);

/* Ends the current run after the instruction in progress; for helpers and devices.  The rest
 * of the budget stays: the run loop looks at `pending` and `quit`. */
static inline void cpu_kick(struct cpu *c)
{
    c->pending = 1;
    c->leave = 1;
}

/* ---- memory as the CPU sees it: access.c ---- */

/*
 * The slow path of every access: L1, L2, walk, RAM or device.  mo: IR_MO_*;
 * any alignment, page-crossing included (all or nothing).  Loads extend as mo
 * says.  CPU_FAULT fills c->fault.
 */
enum cpu_access cpu_load(struct cpu *c, uint64_t vaddr, unsigned mo, uint64_t *value);
enum cpu_access cpu_store(struct cpu *c, uint64_t vaddr, unsigned mo, uint64_t value);

/* Fills len bytes (a power of two, aligned, at most a page) of RAM: all or nothing.  Devices and
 * ROM refuse. */
enum cpu_access cpu_fill(struct cpu *c, uint64_t vaddr, uint64_t len, unsigned mode, uint8_t byte);

/* Whether such an access would be done; translates, but touches nothing. */
enum cpu_access cpu_probe(struct cpu *c, uint64_t vaddr, uint64_t len, unsigned mode,
                          enum tlb_access access);

/* Translates an instruction fetch: the physical address and host memory of the page's bytes
 * from vaddr on.  CPU_PRECISE: a page that may not be remembered (guest->walk says exact): one
 * instruction at a time, with c->precise set, which makes this call check that instruction.  A
 * fetch from a device is a fault. */
enum cpu_access cpu_fetch(struct cpu *c, uint64_t vaddr, uint64_t *paddr, const uint8_t **host);

/* A debugger's view of virtual memory: current mode and space; no A/D updates, no faults, no
 * device touched.  Returns the bytes done. */
uint64_t cpu_peek(struct cpu *c, uint64_t vaddr, void *buf, uint64_t len);
uint64_t cpu_poke(struct cpu *c, uint64_t vaddr, const void *buf, uint64_t len);

/*
 * The two callbacks of struct ir_host, on the above: a CPU_FAULT or CPU_PRECISE is left in
 * c->fault / c->access for the run loop.
 *
 * A helper that cannot go on does the same: it sets c->access and c->leave, has done nothing,
 * and leaves c->pc at its instruction.  So whenever a unit was left with c->access other than
 * CPU_OK, the run loop raises c->fault (CPU_FAULT; the instruction stays charged), or gives the
 * instruction back to the budget and runs it by the interpreter with c->precise set
 * (CPU_PRECISE).
 */
extern const struct ir_host cpu_ir_host;

#endif
