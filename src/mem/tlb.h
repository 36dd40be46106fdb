/*
 * tlb.h - the software TLB of one CPU.
 *
 * L1 is direct-mapped, one table for each MMU mode, and looked up by generated
 * code; L2 is set-associative and tagged by address space, so that it outlives
 * a switch.  Entries cover 4 KiB whatever the guest's page size.
 *
 * The TLB cannot be seen by the guest: a store that changes a valid page-table
 * entry which a walk has used drops what was made of it (mem_table_used), on
 * every CPU.  So the sizes, the policy, a snapshot or another engine change
 * nothing but speed, and a guest's flush instructions need do nothing, with one
 * exception: an entry that the guest declared global is believed in every space,
 * which is the guest's promise.  One that breaks it for a while (early boot) and
 * then flushes must be heard: see tlb_flush_global.  The other flush calls are for
 * changes of what an entry means (MXR, PMP, ...).
 */
#ifndef MEM_TLB_H
#define MEM_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mem/mem.h"

#define TLB_MODES 4
/* In a tag: present, but the access takes the slow path; or it does if it may touch bytes that are
 * watched. */
#define TLB_SLOW 1
#define TLB_WATCHED 2
#define TLB_FLAGS (TLB_SLOW | TLB_WATCHED)
#define TLB_NONE UINT64_MAX /* a tag that matches nothing */

enum tlb_access { TLB_READ, TLB_WRITE, TLB_EXEC };
enum tlb_policy { TLB_LRU, TLB_FIFO, TLB_RANDOM };

/* Exposed: generated code compares a tag (the virtual page address) and adds.
 * 32 bytes: the index scales by a shift. */
struct tlb_entry {
    uint64_t tag[3];  /* by enum tlb_access; page address | TLB_FLAGS, or TLB_NONE */
    uintptr_t addend; /* host address = virtual address + addend */
};

struct tlb_config {
    uint32_t l1_entries; /* a mode; a power of two, 16 to 4096 */
    uint32_t l2_sets;    /* a power of two, 1 to 65536; 0: no L2 */
    uint32_t l2_ways;    /* 1 to 16 */
    enum tlb_policy policy;
};
#define TLB_CONFIG_DEFAULT {1024, 4096, 4, TLB_LRU}
int tlb_config_check(const struct tlb_config *c, struct err *e);

/* A translation of one 4 KiB page, as a walk found it.  More than one walk may find the same page:
 * what they allow adds up. */
struct tlb_page {
    uint64_t vpage, ppage; /* addresses of the pages */
    uint8_t allow;         /* bits 1 << enum tlb_access that need no further walk */
    bool global;           /* the same in every address space */
};

struct tlb_counters {
    uint64_t l1_misses;    /* tlb_lookup calls */
    uint64_t l2_hits;      /* of these, and tlb_probe calls, answered by L2 */
    uint64_t walks;        /* that ended in a translation (tlb_fill) */
    uint64_t flushes_page; /* single pages dropped, for whatever reason */
    uint64_t flushes_all;
    uint64_t table_writes; /* of the flushes, those because a page-table entry changed */
};

struct tlb {
    struct tlb_entry *l1; /* TLB_MODES * l1_entries, in the owner's memory */
    uint32_t l1_mask;     /* l1_entries - 1 */
    struct tlb_config config;
    struct mem *mem;
    uint64_t space;       /* the current address space (any number) */
    uint64_t exec_epoch;  /* advances when an executable translation may have gone: what
                             remembers where code is must look again */
    struct tlb_l2 *l2;
    const uint64_t *watched; /* see tlb_watch */
    size_t nwatched;
    struct tlb_counters count;
};

static inline size_t tlb_l1_bytes(const struct tlb_config *c)
{
    return sizeof(struct tlb_entry) * TLB_MODES * c->l1_entries;
}

/* l1: tlb_l1_bytes(c) bytes that live as long as t; c was checked.  Attaches t to m, which
 * outlives it; tlb_fini detaches. */
void tlb_init(struct tlb *t, const struct tlb_config *c, struct mem *m, void *l1);
void tlb_fini(struct tlb *t);

static inline struct tlb_entry *tlb_l1(const struct tlb *t, unsigned mode, uint64_t vaddr)
{
    return &t->l1[mode * (t->l1_mask + 1) + ((vaddr >> MEM_PAGE_BITS) & t->l1_mask)];
}

/* The L1 entry for the access, TLB_FLAGS allowed, or NULL. */
static inline struct tlb_entry *tlb_hit(const struct tlb *t, unsigned mode, uint64_t vaddr,
                                        enum tlb_access access)
{
    struct tlb_entry *e = tlb_l1(t, mode, vaddr);
    return (e->tag[access] & ~(uint64_t)TLB_FLAGS) == (vaddr & ~MEM_PAGE_MASK) ? e : NULL;
}

/* After an L1 miss: looks in L2; on a hit fills L1 and returns its entry.  NULL also for what L1
 * cannot hold: devices, stores to ROM. */
struct tlb_entry *tlb_lookup(struct tlb *t, unsigned mode, uint64_t vaddr,
                             enum tlb_access access);

/* After tlb_lookup said NULL: whether L2 knows the translation, devices included, which saves a
 * device access its walk.  *paddr: the physical address of vaddr. */
bool tlb_probe(struct tlb *t, unsigned mode, uint64_t vaddr, enum tlb_access access,
               uint64_t *paddr);

/* After a walk: enters the page in both levels (in L1 only if it is RAM or ROM: devices and
 * nothing get no entry, NULL).  Tags get TLB_SLOW by the page's attributes.  The entry may lack the
 * tag of the walk's access (a store to ROM): look before using the host address. */
struct tlb_entry *tlb_fill(struct tlb *t, unsigned mode, const struct tlb_page *page);

/* The address space changed (not its contents).  What remembers code by virtual address keys it by
 * space too: exec_epoch advances only if a global entry of another space was believed. */
void tlb_switch(struct tlb *t, uint64_t space);

/* What the guest or a client asks for; each advances exec_epoch. */
void tlb_flush_all(struct tlb *t);
/* One page in every mode and space. */
void tlb_flush_page(struct tlb *t, uint64_t vaddr);
/* [vaddr, vaddr + len): whole pages, every mode and space. */
void tlb_flush_range(struct tlb *t, uint64_t vaddr, uint64_t len);
/* For the guest's own flushes of all spaces: drops what was entered as global (all of it, or one
 * page), which is all of L2 that tables do not vouch for.  exec_epoch advances only if code was
 * found through another space's entry since the last switch. */
void tlb_flush_global(struct tlb *t);
void tlb_flush_global_page(struct tlb *t, uint64_t vaddr);

/* Bytes of these virtual pages are watched from now on, in every space: page addresses | bits 1 << enum
 * tlb_access of what is watched (loads and stores); sorted, each page once.  The list stays the caller's
 * and lives until the next call. */
void tlb_watch(struct tlb *t, const uint64_t *vpages, size_t n);

/* The page's attributes changed: entries that lead to it are set TLB_SLOW (or fast again). */
void tlb_attr_changed(struct tlb *t, const struct mem_region *r, uint64_t offset);
/* Those of any number of pages did. */
void tlb_attr_all_changed(struct tlb *t);
/* The region's memory is out of reach: L1 holds no entries that lead to it. */
void tlb_drop_region(struct tlb *t, const struct mem_region *r);
/* As tlb_flush_page, for mem: exec_epoch advances only if exec (code may have been fetched
 * through the page). */
void tlb_drop_page(struct tlb *t, uint64_t vaddr, bool exec);

#endif
