/*
 * debug.h - what a debugger wants of the CPUs: probes before instructions, watched
 * memory, events.
 *
 * One struct cpu_debug serves all CPUs of a machine.  A debugger owns and fills it while
 * the machine is at rest, and tells the machine what it changed (machine.h).  What is not
 * wanted costs nothing: a probe is compiled into the unit that begins at its pc;
 * accesses to a watched page, and to no other, take the slow path; an event is a bit that
 * is looked at where the event happens, which is never in generated code.
 *
 * Nothing here changes what the guest does.  A stop lies at an instruction boundary, and is the same
 * on every engine.
 */
#ifndef CPU_DEBUG_H
#define CPU_DEBUG_H

#include "cpu/cpu.h"

enum cpu_event {
    CPU_EVENT_TRAP,      /* an exception is entered: cause, value; pc is the handler's */
    CPU_EVENT_INTERRUPT, /* likewise: cause */
    CPU_EVENT_MODE,      /* of privilege: old, new */
    CPU_EVENT_SPACE,     /* of addresses: old, new */
    CPU_EVENT_REG_READ,  /* a system register: its number */
    CPU_EVENT_REG_WRITE, /* likewise, done: number, operand */
    CPU_EVENT_DEVICE_READ,  /* physical address, size in bytes */
    CPU_EVENT_DEVICE_WRITE, /* likewise, done */
    CPU_EVENT_HALT,      /* the CPU waits for an interrupt */
    CPU_EVENTS
};

/* What becomes of a unit of translated code; engines tell of it (accel.h). */
enum cpu_unit_event {
    CPU_UNIT_MADE,        /* it is about to run for the first time */
    CPU_UNIT_EVICTED,     /* its memory is needed for others */
    CPU_UNIT_INVALIDATED, /* bytes that it was made from are written */
    CPU_UNIT_EVENTS
};

enum { CPU_WATCH_READ = 1 << TLB_READ, CPU_WATCH_WRITE = 1 << TLB_WRITE };

/* Bytes that are watched. */
struct cpu_watch {
    uint64_t addr, len; /* len: not 0; the end does not wrap around */
    uint8_t access;     /* CPU_WATCH_* */
    bool physical;      /* else virtual, whatever the address space */
};

/* An access that touches watched bytes; it is about to be made, and is allowed. */
struct cpu_touch {
    uint64_t vaddr, paddr;
    uint64_t value; /* that is stored */
    unsigned size;  /* bytes */
    bool write;
    bool device; /* by a device: vaddr is what is watched */
};

/* Addresses [first, last]. */
struct cpu_range {
    uint64_t first, last;
};

/* Addresses of instructions: some, sorted, each once; and all that lie in ranges, in no order. */
struct cpu_pcs {
    const uint64_t *pcs;
    size_t n;
    const struct cpu_range *ranges;
    size_t nranges;
};

#define CPU_NO_PADDR UINT64_MAX

/* What the debugger is asked; each from within a CPU's run, at an exact count. */
struct cpu_debug_ops {
    /* Appends to u's open block what works out whether to stop before pc (at paddr, or
     * CPU_NO_PADDR): an i64, not 0 to stop.  The block may be closed and others begun. */
    ir_ref (*lift)(void *opaque, struct cpu *c, struct ir_unit *u, uint64_t pc, uint64_t paddr);
    /* What the helper cpu_debug_decide passes on: the result is the helper's. */
    uint64_t (*decide)(void *opaque, struct cpu *c, uint64_t a, uint64_t b, uint64_t more);
    /* These say whether to stop behind the instruction. */
    bool (*touched)(void *opaque, struct cpu *c, const struct cpu_touch *t);
    bool (*event)(void *opaque, struct cpu *c, enum cpu_event what, uint64_t a, uint64_t b);
    /* The instruction at pc is about to be carried out, its probe being left out (stop_passed).
     * True: to stop before it all the same.  NULL: never. */
    bool (*passed)(void *opaque, struct cpu *c);
};

struct cpu_debug {
    struct cpu_pcs virtual, physical; /* of probes */
    const struct cpu_watch *watches;
    size_t nwatches;
    const uint64_t *vpages; /* of virtual watches; see tlb_watch */
    size_t nvpages;
    uint32_t events; /* bits: those that are wanted */
    const struct cpu_debug_ops *ops;
    void *opaque;
};

/* The watches changed: the CPU's TLB and what generated code asks are brought up to date. */
void cpu_watches_changed(struct cpu *c);

/* Whether a probe is at pc, which is at paddr or CPU_NO_PADDR. */
bool cpu_probed(const struct cpu *c, uint64_t pc, uint64_t paddr);
/* Whether one of these is pc, or may lie in [pc, pc + bytes): those of a unit. */
bool cpu_pcs_cover(struct cpu_pcs p, uint64_t pc, uint64_t bytes);
static inline bool cpu_pcs_any(struct cpu_pcs p)
{
    return p.n || p.nranges;
}
/* The physical address of an instruction, or CPU_NO_PADDR; without any effect on anything. */
uint64_t cpu_debug_paddr(struct cpu *c, uint64_t pc);

/* Appends a probe's IR to a unit that begins at pc and has no instruction yet: it stops there, or goes on
 * in u's open block. */
void cpu_lift_probe(struct cpu *c, struct ir_unit *u, uint64_t pc, uint64_t paddr);

/* The CPU's run ends behind this instruction, as a debugger's stop. */
void cpu_debug_stop(struct cpu *c);

/* An event that may be wanted. */
void cpu_debug_event(struct cpu *c, enum cpu_event what, uint64_t a, uint64_t b);
static inline void cpu_event(struct cpu *c, enum cpu_event what, uint64_t a, uint64_t b)
{
    if (c->debug && c->debug->events >> what & 1)
        cpu_debug_event(c, what, a, b);
}

/* Bytes of RAM at vaddr as a load finds them, without any effect on anything; false: there are none
 * (an address that is not mapped, a device).  Quick where L1 knows the page. */
bool cpu_debug_load(struct cpu *c, uint64_t vaddr, unsigned size, uint64_t *value);

/* Rows of every guest's table of helpers (IR_call): peek(address, size) is that load, 0 if there is
 * nothing; decide(a, b, more) asks the debugger. */
uint64_t cpu_helper_peek(void *cpu, uint64_t vaddr, uint64_t size, uint64_t unused);
uint64_t cpu_helper_decide(void *cpu, uint64_t a, uint64_t b, uint64_t more);

#endif
