/*
 * hart.h - a hart to try things on: a small machine around it, page tables, and
 * what its environment was asked for.
 */
#ifndef TESTS_UNIT_RISCV64_HART_H
#define TESTS_UNIT_RISCV64_HART_H

#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/bits.h"
#include "guest/riscv64/priv.h"

#define ROM   UINT64_C(0x1000)
#define DEV   UINT64_C(0x10000000)
#define RAM   UINT64_C(0x80000000)
#define PAGES 256

/* CSR numbers that several tests use. */
enum {
    CSR_SSTATUS = 0x100,
    CSR_SIE = 0x104,
    CSR_SIP = 0x144,
    CSR_STIMECMP = 0x14d,
    CSR_SATP = 0x180,
    CSR_MSTATUS = 0x300,
    CSR_MEDELEG = 0x302,
    CSR_MIDELEG = 0x303,
    CSR_MIE = 0x304,
    CSR_MCOUNTEREN = 0x306,
    CSR_MENVCFG = 0x30a,
    CSR_MCOUNTINHIBIT = 0x320,
    CSR_MIP = 0x344,
    CSR_PMPCFG0 = 0x3a0,
    CSR_PMPADDR0 = 0x3b0,
};

/* PTE bits. */
enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128, RWXAD = V | R | W | X | A | D };

struct hart {
    struct mem *mem;
    struct cpu *c;
    struct rv_cpu *h;
    struct cpu_env env;
    uint64_t now, timer;  /* the time; the tick asked for last */
    unsigned changes;     /* calls of env.changed */
    uint64_t firmware_pc; /* pc at the last call to firmware; 0: none */
    bool has_firmware;
    uint64_t tables; /* the next free page for a page table */
    uint64_t root;
    /* The device: its last write; reads give `value`; refuses offset 0x100. */
    unsigned reads, writes;
    uint64_t value, offset;
};

static inline bool hart_dev_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct hart *t = opaque;
    (void)size;
    t->reads++;
    t->offset = offset;
    *value = t->value & bits_mask(8 * size);
    return offset != 0x100;
}

static inline bool hart_dev_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct hart *t = opaque;
    (void)size;
    t->writes++;
    t->offset = offset;
    t->value = value;
    return offset != 0x100;
}

static const struct mem_ops hart_dev = {hart_dev_read, hart_dev_write, 1 | 2 | 4};

static inline uint64_t hart_time(void *opaque)
{
    return ((struct hart *)opaque)->now;
}

static inline void hart_timer(void *opaque, unsigned cpu, uint64_t tick)
{
    ck_assert_uint_eq(cpu, 3);
    ((struct hart *)opaque)->timer = tick;
}

static inline bool hart_firmware(void *opaque, struct cpu *c)
{
    struct hart *t = opaque;
    t->firmware_pc = c->pc;
    return t->has_firmware;
}

static inline void hart_changed(void *opaque, struct cpu *c)
{
    (void)c;
    ((struct hart *)opaque)->changes++;
}

/* In M-mode after reset, with all of memory open to S and U, and pc in RAM.  isa: NULL for all. */
static inline void hart_init_isa(struct hart *t, const char *isa)
{
    struct cpu_config config = {
        .guest = &guest_riscv64, .index = 3, .count = 4, .tlb = TLB_CONFIG_DEFAULT, .isa = isa};
    struct err e = {0};

    memset(t, 0, sizeof *t);
    t->mem = mem_new();
    ck_assert_int_eq(mem_add_rom(t->mem, "rom", ROM, MEM_PAGE_SIZE, NULL), 0);
    ck_assert_int_eq(mem_add_ram(t->mem, "ram", RAM, PAGES * MEM_PAGE_SIZE, NULL), 0);
    ck_assert_int_eq(mem_add_device(t->mem, "dev", DEV, MEM_PAGE_SIZE, &hart_dev, t, NULL), 0);
    config.mem = t->mem;
    t->c = cpu_new(&config, &e);
    ck_assert_msg(t->c, "%s", e.msg);
    t->h = rv_of(t->c);
    t->env = (struct cpu_env){.time = hart_time,
                              .timer = hart_timer,
                              .firmware = hart_firmware,
                              .changed = hart_changed,
                              .opaque = t};
    t->c->env = &t->env;
    t->c->pc = RAM;
    t->tables = RAM + 0x20000;
    ck_assert(rv_csr_poke(t->h, CSR_PMPADDR0, UINT64_MAX));
    ck_assert(rv_csr_poke(t->h, CSR_PMPCFG0, 0x1f));
    t->c->pending = 0;
}

static inline void hart_init(struct hart *t)
{
    hart_init_isa(t, NULL);
}

static inline void hart_fini(struct hart *t)
{
    cpu_free(t->c);
    mem_free(t->mem);
}

static inline void hart_priv(struct hart *t, unsigned priv)
{
    ck_assert(rv_reg_write(t->c, (uint32_t)guest_find_reg(&guest_riscv64, "priv"), priv));
}

static inline uint64_t csr_get(struct hart *t, unsigned csr)
{
    uint64_t v;
    ck_assert(rv_csr_peek(t->h, csr, &v));
    return v;
}

static inline void csr_set(struct hart *t, unsigned csr, uint64_t v)
{
    ck_assert(rv_csr_poke(t->h, csr, v));
}

/* As an instruction does it, at the current privilege: whether it is legal. */
static inline bool csr_try(struct hart *t, unsigned csr, enum rv_csr_op op, bool writes, uint64_t v,
                           uint64_t *old)
{
    return rv_csr_access(t->h, csr, op, writes, v, old) == 0;
}

static inline uint64_t hart_word(struct hart *t, uint64_t paddr)
{
    uint64_t v = 0;
    ck_assert_uint_eq(mem_peek(t->mem, paddr, &v, 8), 8);
    return v;
}

static inline void hart_set_word(struct hart *t, uint64_t paddr, uint64_t v)
{
    ck_assert_uint_eq(mem_poke(t->mem, paddr, &v, 8), 8);
}

static inline uint64_t hart_new_table(struct hart *t)
{
    uint64_t page = t->tables;
    t->tables += MEM_PAGE_SIZE;
    return page;
}

/* Switches translation on with an empty root; satp mode 8, 9 or 10. */
static inline void hart_paging(struct hart *t, unsigned mode)
{
    t->root = hart_new_table(t);
    csr_set(t, CSR_SATP, (uint64_t)mode << 60 | t->root >> 12);
}

static inline unsigned hart_levels(struct hart *t)
{
    return (unsigned)(t->h->satp >> 60) - 8 + 3;
}

/* Where the entry for vaddr at `level` is; tables above are made. */
static inline uint64_t hart_entry(struct hart *t, uint64_t vaddr, unsigned level)
{
    uint64_t table = t->root;
    for (unsigned l = hart_levels(t) - 1;; l--) {
        uint64_t at = table + bits_get(vaddr, 12 + 9 * l, 9) * 8;
        if (l == level)
            return at;
        if (!(hart_word(t, at) & V))
            hart_set_word(t, at, hart_new_table(t) >> 12 << 10 | V);
        table = bits_get(hart_word(t, at), 10, 44) << 12;
    }
}

static inline uint64_t hart_map(struct hart *t, uint64_t vaddr, uint64_t paddr, unsigned level,
                                uint64_t bits)
{
    uint64_t at = hart_entry(t, vaddr, level);
    hart_set_word(t, at, paddr >> 12 << 10 | bits);
    return at;
}

/* mo of a plain access in a mode. */
static inline unsigned mo_in(unsigned mode, unsigned mo)
{
    return mo | mode << IR_MO_MODE_SHIFT;
}

static inline enum cpu_access hart_load(struct hart *t, uint64_t vaddr, unsigned mo, uint64_t *v)
{
    return cpu_load(t->c, vaddr, mo_in(rv_data_mode(t->h), mo), v);
}

static inline enum cpu_access hart_store(struct hart *t, uint64_t vaddr, unsigned mo, uint64_t v)
{
    return cpu_store(t->c, vaddr, mo_in(rv_data_mode(t->h), mo), v);
}

#define ck_fault(t, want_cause, want_addr)                                                         \
    do {                                                                                           \
        ck_assert_uint_eq((t)->c->fault.cause, want_cause);                                        \
        ck_assert_uint_eq((t)->c->fault.addr, want_addr);                                          \
    } while (0)

/* The walk faults with a cause at the address itself. */
static inline void hart_walk_faults(struct hart *t, uint64_t vaddr, enum tlb_access access,
                                    unsigned mode, uint64_t cause)
{
    struct guest_walk w;
    rv_walk(t->c, vaddr, access, mode, GUEST_WALK_CPU, &w);
    ck_assert_msg(!w.ok, "no fault at %#lx", (unsigned long)vaddr);
    ck_assert_uint_eq(w.fault.cause, cause);
    ck_assert_uint_eq(w.fault.addr, vaddr);
}

static inline uint64_t hart_walk_ok(struct hart *t, uint64_t vaddr, enum tlb_access access,
                                    unsigned mode)
{
    struct guest_walk w;
    rv_walk(t->c, vaddr, access, mode, GUEST_WALK_CPU, &w);
    ck_assert_msg(w.ok, "fault %lu at %#lx", (unsigned long)w.fault.cause, (unsigned long)vaddr);
    ck_assert_uint_eq(w.page.vpage, vaddr & ~MEM_PAGE_MASK);
    ck_assert_uint_eq(w.page.ppage, w.paddr & ~MEM_PAGE_MASK);
    return w.paddr;
}

#endif
