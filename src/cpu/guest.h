/*
 * guest.h - what an architecture offers: the contract between the folders of
 * src/guest and everybody above.
 *
 * One const struct guest for each architecture.  Nothing here knows of an
 * engine, and no engine knows of a guest by name.
 */
#ifndef CPU_GUEST_H
#define CPU_GUEST_H

#include "cpu/cpu.h"

/* What kind of register; decides where front ends show it. */
enum reg_kind { REG_PC, REG_INT, REG_FLOAT, REG_SYSTEM };

/* A named range of bits; the list ends with a NULL name. */
struct reg_field {
    const char *name;
    uint8_t lo, width;
    const char *const *values; /* names of its values, or NULL; ends with NULL */
};

#define GUEST_NO_GDB UINT32_MAX

/* One row of a guest's register table.  IR slots are the first `nslots` rows. */
struct guest_reg {
    const char *name;
    const char *alias;      /* ABI name, or NULL */
    uint8_t bits;           /* width */
    enum reg_kind kind;
    int32_t offset;         /* in the CPU struct; -1: only through reg_read and reg_write */
    uint32_t number;        /* the guest's own (x0: 0, csr: its address) */
    const char *gdb_feature; /* "org.gnu.gdb.riscv.cpu" ... */
    uint32_t gdb;           /* its number for GDB; without a feature GUEST_NO_GDB */
    const struct reg_field *fields; /* or NULL */
    const char *doc;        /* one line */
};

/* One step of a page walk, for people. */
struct guest_walk_step {
    unsigned level;
    uint64_t entry_addr, entry;
    const char *verdict; /* "next table", "leaf 2 MiB", "not valid", ... */
};
#define GUEST_WALK_STEPS 6

/* The result of a page walk. */
struct guest_walk {
    struct tlb_page page;   /* valid if ok */
    uint64_t paddr;         /* of the address asked for */
    bool ok;
    bool exact;             /* permissions differ within the page, or hold for this access only: do not
                               remember, and ask guest->exact */
    bool precise;           /* !ok, and nothing was done: the walker would store to translated
                               code; to be repeated with c->precise set */
    struct cpu_fault fault; /* valid if !ok */
    unsigned nsteps;        /* filled only if explaining */
    struct guest_walk_step steps[GUEST_WALK_STEPS];
};

enum guest_walk_how {
    GUEST_WALK_CPU,     /* as the CPU: sets accessed and dirty bits, tells mem_table_used */
    GUEST_WALK_DEBUG,   /* no change to anything; permissions are not asked for */
    GUEST_WALK_EXPLAIN, /* no change either; permissions as for the CPU, with steps */
};

/* Where a unit begins and what its code may use. */
struct guest_fetch {
    uint64_t pc, paddr;
    const uint8_t *host; /* the bytes at pc ... */
    uint32_t len;        /* ... to the end of its page */
    const uint8_t *next; /* an instruction that crosses the page's end goes on here (the other page's
                            first bytes); NULL if unknown: then such an instruction ends the unit
                            before it, and a unit that would be empty says GUEST_NEEDS_NEXT */
    uint32_t max_insns;
    bool pass_stop;      /* leave a probe at pc itself out */
};

enum guest_translated { GUEST_UNIT, GUEST_NEEDS_NEXT };

struct guest {
    const char *name;      /* "riscv64" */
    const char *gdb_arch;  /* GDB's name for it */
    size_t cpu_size;       /* of the struct that begins with struct cpu */
    const struct guest_reg *regs;
    uint32_t nregs;
    struct ir_names names; /* slots, pc slot, helpers */
    uint32_t peek, decide; /* of the helpers, those of debug.h */

    int (*init)(struct cpu *c, const struct cpu_config *config, struct err *e);
    void (*fini)(struct cpu *c);
    void (*reset)(struct cpu *c);

    /* Appends the IR of a basic block: at least one guest instruction (an illegal one raises).  Ends at
     * a branch, at the end of the page, at max_insns, or before a pc with a probe, which is the start
     * of the unit there.
     * *bytes: the length of the code that it covers. */
    enum guest_translated (*translate)(struct cpu *c, struct ir_unit *u,
                                       const struct guest_fetch *f, uint32_t *bytes);

    /* Translates an address for an access in an MMU mode.  The only meaning of page tables. */
    void (*walk)(struct cpu *c, uint64_t vaddr, enum tlb_access access, unsigned mode,
                 enum guest_walk_how how, struct guest_walk *out);
    /* Behind a walk that said exact: whether these bytes of one page may be accessed; len 0: the
     * instruction there.  False: fills c->fault. */
    bool (*exact)(struct cpu *c, uint64_t vaddr, uint64_t paddr, uint64_t len,
                  enum tlb_access access, unsigned mode);
    /* A misaligned access that mo (IR_MO_ALIGN) forbids: fills c->fault. */
    void (*misaligned)(struct cpu *c, uint64_t vaddr, enum tlb_access access);
    /* An access that the bus or a device refuses: fills c->fault. */
    void (*bus_fault)(struct cpu *c, uint64_t vaddr, enum tlb_access access);
    /* The MMU mode of loads and stores now (for debuggers). */
    unsigned (*data_mode)(const struct cpu *c);

    /* Enters the trap for c->fault at pc, whose instruction was charged.  Sets c->leave, as every
     * trap does: whoever runs a unit clears it first. */
    void (*raise)(struct cpu *c);
    /* Looks at the interrupts: enters the handler of one that is pending and enabled and returns
     * true, or returns false.  Clears c->halted if one is pending, enabled globally or not. */
    bool (*interrupt)(struct cpu *c);
    /* An interrupt line into the CPU changed; `line` is the guest's number (RISC-V: mip bit). */
    void (*line)(struct cpu *c, unsigned line, bool level);
    /* The time asked for by env->timer has come. */
    void (*timer_due)(struct cpu *c);
    /* The count asked for by c->alarm has come; sets the next one. */
    void (*alarm_due)(struct cpu *c);
    /* Another CPU has run since this one did: a reservation does not outlive that. */
    void (*switched)(struct cpu *c);

    /* Any register by row; reads have no side effect, writes are refused (false) where the
     * architecture does not allow them. */
    uint64_t (*reg_read)(struct cpu *c, uint32_t row);
    bool (*reg_write)(struct cpu *c, uint32_t row, uint64_t value);

    /* All architectural state (not caches). */
    void (*state)(struct cpu *c, struct snap *s);

    /* The text of the instruction at `bytes`; returns its length, 0 if there is none in len. */
    unsigned (*disassemble)(uint64_t pc, const uint8_t *bytes, size_t len, struct buf *out);
    /* Of a user's system call: the cause of its trap, and the row of the register that has its number;
     * and where it goes on, asked right behind the trap. */
    uint64_t syscall_cause;
    uint32_t syscall_reg;
    uint64_t (*syscall_return)(const struct cpu *c);
    /* A trap cause's name ("load page fault"). */
    const char *(*cause_name)(uint64_t cause);
};

extern const struct guest guest_riscv64;

/* A row by name or alias, or -1. */
int guest_find_reg(const struct guest *g, const char *name);

#endif
