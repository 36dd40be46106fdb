/*
 * walk.c - from virtual to physical addresses: Sv39, Sv48 and Sv57 (priv 12.3 to
 * 12.6) with Svnapot, Svpbmt and Svadu, then PMP.
 *
 * The walker takes memory as it is at this moment; what it used is told to mem
 * (mem_table_used), so that the TLB never shows.  For that reason PTE.G is not
 * made use of: a page that is global in one space and absent in another would
 * show it.
 */
#include "guest/riscv64/priv.h"

/* A page-table entry, priv 12.4.1. */
#define PTE_V        BIT(0)
#define PTE_R        BIT(1)
#define PTE_W        BIT(2)
#define PTE_X        BIT(3)
#define PTE_U        BIT(4)
#define PTE_A        BIT(6)
#define PTE_D        BIT(7)
#define PTE_RESERVED (bits_mask(7) << 54)
#define PTE_PBMT     (BIT(61) | BIT(62))
#define PTE_N        BIT(63)
#define PTE_LEAF     (PTE_R | PTE_X)
/* Reserved in an entry that points to a table. */
#define PTE_LEAF_ONLY (PTE_U | PTE_A | PTE_D | PTE_N | PTE_PBMT)
enum { PTE_PPN_LO = 10, PTE_PPN_BITS = 44, PTE_PBMT_LO = 61, PTE_PBMT_RESERVED = 3 };

/* Svnapot: 64 KiB is the one size there is; the entry's lowest ppn bits say so. */
enum { NAPOT_BITS = 4, NAPOT_PPN = 8 };

enum { MAX_LEVELS = 5, INDEX_BITS = 9 };

/* A walk in progress. */
struct walker {
    struct rv_cpu *h;
    struct guest_walk *out;
    uint64_t vaddr;
    enum tlb_access access;
    unsigned mode, priv;
    enum guest_walk_how how;
    int level;                    /* of the entry at hand; 0: 4 KiB pages */
    uint64_t entries[MAX_LEVELS]; /* physical addresses of those used, by level */
    uint64_t pte;
};

uint64_t rv_fault_cause(enum rv_fault_kind kind, enum tlb_access access)
{
    static const uint8_t causes[][3] = {
        [RV_FAULT_ACCESS] = {RV_CAUSE_LOAD_ACCESS, RV_CAUSE_STORE_ACCESS, RV_CAUSE_FETCH_ACCESS},
        [RV_FAULT_PAGE] = {RV_CAUSE_LOAD_PAGE, RV_CAUSE_STORE_PAGE, RV_CAUSE_FETCH_PAGE},
        [RV_FAULT_MISALIGNED] = {RV_CAUSE_LOAD_MISALIGNED, RV_CAUSE_STORE_MISALIGNED,
                                 RV_CAUSE_FETCH_MISALIGNED},
    };
    return causes[kind][access];
}

static void say(struct walker *w, const char *verdict)
{
    if (w->how == GUEST_WALK_EXPLAIN && w->out->nsteps)
        w->out->steps[w->out->nsteps - 1].verdict = verdict;
}

static void step(struct walker *w, uint64_t addr, const char *verdict)
{
    if (w->how == GUEST_WALK_EXPLAIN)
        w->out->steps[w->out->nsteps++] =
            (struct guest_walk_step){(unsigned)w->level, addr, 0, verdict};
}

/* False, to be returned. */
static bool fail(struct walker *w, enum rv_fault_kind kind, const char *verdict)
{
    w->out->fault.cause = rv_fault_cause(kind, w->access);
    w->out->fault.addr = w->vaddr;
    say(w, verdict);
    return false;
}

/* ---- entries ---- */

/* Walkers access memory as S does (priv 3.7.1). */
static bool table_allowed(const struct walker *w, uint64_t addr, enum tlb_access access)
{
    bool whole;
    return w->how == GUEST_WALK_DEBUG || rv_pmp_allows(w->h, addr, 8, access, RV_S, &whole);
}

static bool read_entry(struct walker *w, uint64_t addr)
{
    struct mem_region *r = mem_find(w->h->cpu.mem, addr);

    w->entries[w->level] = addr;
    step(w, addr, "");
    if (!table_allowed(w, addr, TLB_READ))
        return fail(w, RV_FAULT_ACCESS, "refused by PMP");
    if (!r || r->kind != MEM_RAM)
        return fail(w, RV_FAULT_ACCESS, "not in RAM");
    w->pte = bits_load_le(r->host + (addr - r->base), 8);
    if (w->how == GUEST_WALK_EXPLAIN)
        w->out->steps[w->out->nsteps - 1].entry = w->pte;
    return true;
}

/* What no entry may say. */
static bool check_entry(struct walker *w)
{
    if (!(w->pte & PTE_V))
        return fail(w, RV_FAULT_PAGE, "not valid");
    if ((w->pte & (PTE_R | PTE_W)) == PTE_W)
        return fail(w, RV_FAULT_PAGE, "reserved: writable but not readable");
    if (w->pte & PTE_RESERVED)
        return fail(w, RV_FAULT_PAGE, "reserved bits set");
    if (w->pte & PTE_LEAF)
        return true;
    if (w->pte & PTE_LEAF_ONLY)
        return fail(w, RV_FAULT_PAGE, "reserved: bits of a leaf in a pointer");
    if (!w->level)
        return fail(w, RV_FAULT_PAGE, "a pointer at the last level");
    return true;
}

/* Finds the leaf: priv 12.3.2, steps 1 to 4. */
static bool find_leaf(struct walker *w, unsigned levels)
{
    uint64_t table = bits_get(w->h->satp, 0, PTE_PPN_BITS);

    for (w->level = (int)levels - 1;; w->level--) {
        unsigned lo = MEM_PAGE_BITS + INDEX_BITS * (unsigned)w->level;
        uint64_t index = bits_get(w->vaddr, lo, INDEX_BITS);
        if (!read_entry(w, (table << MEM_PAGE_BITS) + index * 8) || !check_entry(w))
            return false;
        if (w->pte & PTE_LEAF)
            return true;
        say(w, "next table");
        table = bits_get(w->pte, PTE_PPN_LO, PTE_PPN_BITS);
    }
}

/* ---- the leaf ---- */

static bool check_leaf(struct walker *w)
{
    static const char *const names[MAX_LEVELS] = {"leaf 4 KiB", "leaf 2 MiB", "leaf 1 GiB",
                                                  "leaf 512 GiB", "leaf 256 TiB"};
    uint64_t ppn = bits_get(w->pte, PTE_PPN_LO, PTE_PPN_BITS);
    uint64_t pbmt = bits_get(w->pte, PTE_PBMT_LO, 2);

    if (pbmt == PTE_PBMT_RESERVED || (pbmt && !(w->h->menvcfg & RV_ENVCFG_PBMTE)))
        return fail(w, RV_FAULT_PAGE, "reserved memory type");
    if (ppn & bits_mask(INDEX_BITS * (unsigned)w->level))
        return fail(w, RV_FAULT_PAGE, "misaligned superpage");
    say(w, w->pte & PTE_N ? "leaf 64 KiB" : names[w->level]);
    if (w->pte & PTE_N &&
        (!rv_has(w->h, RV_EXT(SVNAPOT)) || w->level || (ppn & bits_mask(NAPOT_BITS)) != NAPOT_PPN))
        return fail(w, RV_FAULT_PAGE, "reserved size");
    return true;
}

/* The accesses that the entry's permissions allow in the mode, without MXR. */
static unsigned entry_allows(const struct walker *w)
{
    unsigned rwx = (w->pte & PTE_R ? 1 << TLB_READ : 0) | (w->pte & PTE_W ? 1 << TLB_WRITE : 0) |
                   (w->pte & PTE_X ? 1 << TLB_EXEC : 0);

    if (w->mode == RV_MODE_U)
        return w->pte & PTE_U ? rwx : 0;
    if (!(w->pte & PTE_U))
        return rwx;
    return w->mode == RV_MODE_S_SUM ? rwx & ~(1u << TLB_EXEC) : 0;
}

/* The page is user's where it must not be, or the other way round. */
static bool wrong_owner(const struct walker *w)
{
    return w->mode == RV_MODE_U ? !(w->pte & PTE_U) : w->mode == RV_MODE_S && w->pte & PTE_U;
}

/* mstatus.MXR lets loads read what can only be executed.  That is not remembered, so that
 * nothing need be forgotten when MXR changes. */
static bool check_permission(struct walker *w, unsigned *allow)
{
    *allow = entry_allows(w);
    if (*allow >> w->access & 1)
        return true;
    if (w->access == TLB_READ && w->h->mstatus & RV_MSTATUS_MXR && w->pte & PTE_X &&
        !wrong_owner(w)) {
        w->out->exact = true;
        return true;
    }
    if (wrong_owner(w))
        return fail(w, RV_FAULT_PAGE, w->mode == RV_MODE_U ? "not a user page" : "a user page");
    return fail(w, RV_FAULT_PAGE,
                w->access == TLB_READ    ? "not readable"
                : w->access == TLB_WRITE ? "not writable"
                                         : "not executable");
}

/* Step 7: the accessed and dirty bits, by the walker (Svadu, menvcfg.ADUE) or as a fault. */
static bool update_entry(struct walker *w)
{
    struct cpu *c = &w->h->cpu;
    uint64_t addr = w->entries[w->level];
    uint64_t missing = (PTE_A | (w->access == TLB_WRITE ? PTE_D : 0)) & ~w->pte;

    if (!missing)
        return true;
    if (!(w->h->menvcfg & RV_ENVCFG_ADUE))
        return fail(w, RV_FAULT_PAGE, missing & PTE_A ? "accessed bit clear" : "dirty bit clear");
    if (!table_allowed(w, addr, TLB_WRITE))
        return fail(w, RV_FAULT_ACCESS, "update refused by PMP");
    if (w->how != GUEST_WALK_CPU)
        return true;
    if (!c->precise && mem_code_at(c->mem, addr, 8)) {
        w->out->precise = true;
        return false;
    }
    w->pte |= missing;
    return mem_table_update(c->mem, addr, 8, w->pte);
}

/* ---- the result ---- */

/* The last check: PMP for the access itself.  allow: what translation allows. */
static bool finish(struct walker *w, uint64_t paddr, unsigned *allow)
{
    bool whole;
    unsigned pmp;

    w->out->paddr = paddr;
    if (w->how == GUEST_WALK_DEBUG)
        return true;
    pmp = rv_pmp_mask(w->h, paddr, 1, w->priv, &whole);
    if (!whole)
        w->out->exact = true;
    if (!(pmp >> w->access & 1))
        return fail(w, RV_FAULT_ACCESS, "refused by PMP");
    *allow &= pmp;
    return true;
}

static void set_page(struct walker *w, unsigned allow, bool global)
{
    w->out->ok = true;
    w->out->page = (struct tlb_page){.vpage = w->vaddr & ~MEM_PAGE_MASK,
                                     .ppage = w->out->paddr & ~MEM_PAGE_MASK,
                                     .allow = (uint8_t)allow,
                                     .global = global};
}

/* M-mode, and satp.MODE = Bare: every page is itself. */
static void walk_bare(struct walker *w)
{
    unsigned allow = 1 << TLB_READ | 1 << TLB_WRITE | 1 << TLB_EXEC;

    step(w, 0, "no translation");
    if (finish(w, w->vaddr, &allow))
        set_page(w, allow, w->mode == RV_MODE_BARE);
}

static uint64_t leaf_paddr(const struct walker *w)
{
    unsigned bits = MEM_PAGE_BITS + INDEX_BITS * (unsigned)w->level;
    uint64_t base = bits_get(w->pte, PTE_PPN_LO, PTE_PPN_BITS) << MEM_PAGE_BITS;

    if (w->pte & PTE_N)
        bits = MEM_PAGE_BITS + NAPOT_BITS;
    return (base & ~bits_mask(bits)) | (w->vaddr & bits_mask(bits));
}

/* Stores to the entries that were used must be noticed. */
static void tell_tables(const struct walker *w, unsigned levels)
{
    for (unsigned l = (unsigned)w->level; l < levels; l++)
        mem_table_used(w->h->cpu.mem, w->entries[l], w->vaddr, l, w->access == TLB_EXEC);
}

/* The page may be remembered as writable once it is dirty, and as executable only behind a fetch,
 * so that a change of a data page's entry does not concern whoever remembers where code is. */
static unsigned remembered(const struct walker *w, unsigned allow)
{
    if (!(w->pte & PTE_D))
        allow &= ~(1u << TLB_WRITE);
    return w->access == TLB_EXEC ? allow : allow & ~(1u << TLB_EXEC);
}

static void walk_tables(struct walker *w, unsigned levels)
{
    unsigned allow = 0;
    bool debug = w->how == GUEST_WALK_DEBUG;

    if ((uint64_t)bits_sext(w->vaddr, MEM_PAGE_BITS + INDEX_BITS * levels) != w->vaddr) {
        step(w, 0, "");
        fail(w, RV_FAULT_PAGE, "not a canonical address");
        return;
    }
    if (!find_leaf(w, levels) || !check_leaf(w) || (!debug && !check_permission(w, &allow)) ||
        !finish(w, leaf_paddr(w), &allow) || (!debug && !update_entry(w)))
        return;
    set_page(w, remembered(w, allow), false);
    if (w->how == GUEST_WALK_CPU)
        tell_tables(w, levels);
}

void rv_walk(struct cpu *c, uint64_t vaddr, enum tlb_access access, unsigned mode,
             enum guest_walk_how how, struct guest_walk *out)
{
    struct walker w = {
        .h = rv_of(c), .out = out, .vaddr = vaddr, .access = access, .mode = mode, .how = how};
    unsigned satp = (unsigned)(w.h->satp >> RV_SATP_MODE_LO);

    w.priv = mode == RV_MODE_BARE ? RV_M : mode == RV_MODE_U ? RV_U : RV_S;
    out->ok = out->exact = out->precise = false;
    out->nsteps = 0;
    if (mode == RV_MODE_BARE || satp == RV_SATP_BARE)
        walk_bare(&w);
    else
        walk_tables(&w, satp - RV_SATP_SV39 + 3);
}

/* An instruction is fetched in parcels of 2 bytes, each an access of its own. */
static bool exact_fetch(struct cpu *c, uint64_t vaddr, uint64_t paddr, unsigned priv)
{
    uint8_t low = 0;
    bool whole;

    for (unsigned i = 0; i < 4 && (paddr & MEM_PAGE_MASK) + i < MEM_PAGE_SIZE; i += 2) {
        if (!rv_pmp_allows(rv_of(c), paddr + i, 2, TLB_EXEC, priv, &whole)) {
            c->fault = (struct cpu_fault){RV_CAUSE_FETCH_ACCESS, vaddr + i};
            return false;
        }
        if (!i && (mem_peek(c->mem, paddr, &low, 1) != 1 || (low & 3) != 3))
            break;
    }
    return true;
}

bool rv_exact(struct cpu *c, uint64_t vaddr, uint64_t paddr, uint64_t len, enum tlb_access access,
              unsigned mode)
{
    unsigned priv = mode == RV_MODE_BARE ? RV_M : mode == RV_MODE_U ? RV_U : RV_S;
    bool whole;

    if (!len)
        return exact_fetch(c, vaddr, paddr, priv);
    if (rv_pmp_allows(rv_of(c), paddr, len, access, priv, &whole))
        return true;
    c->fault = (struct cpu_fault){rv_fault_cause(RV_FAULT_ACCESS, access), vaddr};
    return false;
}
