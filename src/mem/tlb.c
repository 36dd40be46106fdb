/* tlb.c - filling, looking up and flushing the software TLB. */
#include "mem/tlb.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

/* A longer range is flushed by flushing everything. */
#define RANGE_PAGES 64

static_assert(sizeof(struct tlb_entry) == 32, "generated code scales the index by a shift");

/* An entry's key is the virtual page address, the mode in the lowest bits, and whether the
 * translation holds in every space. */
#define KEY_GLOBAL 4
static_assert(TLB_MODES <= KEY_GLOBAL, "the mode fits below KEY_GLOBAL");

struct l2_entry {
    uint64_t key, space;
    uint64_t ppage;             /* address | allow */
    const struct mem_region *r; /* NULL: nothing there */
    uint32_t gen;               /* valid if it is the TLB's for this kind of key */
    uint32_t stamp;             /* of the last use (LRU) or of the filling (FIFO) */
};

/* What generated code need not see. */
struct tlb_l2 {
    struct l2_entry *entries; /* l2_sets * l2_ways; NULL: no L2 */
    uint32_t gen[2];          /* of entries for one space and for all; never 0 */
    uint32_t tick;
    uint64_t random;     /* the xorshift generator's state */
    unsigned modes_used; /* bit n: L1 may hold something for mode n */
    bool borrowed;       /* since the last switch, code was found by another space's entry */
};

int tlb_config_check(const struct tlb_config *c, struct err *e)
{
    if (!bits_pow2(c->l1_entries) || c->l1_entries < 16 || c->l1_entries > 4096)
        return err_set(e, EINVAL, "TLB: %u L1 entries: give a power of two from 16 to 4096",
                       c->l1_entries);
    if ((c->l2_sets && !bits_pow2(c->l2_sets)) || c->l2_sets > 65536)
        return err_set(e, EINVAL, "TLB: %u L2 sets: give 0 or a power of two up to 65536",
                       c->l2_sets);
    if (c->l2_ways < 1 || c->l2_ways > 16)
        return err_set(e, EINVAL, "TLB: %u L2 ways: give 1 to 16", c->l2_ways);
    if (c->policy != TLB_LRU && c->policy != TLB_FIFO && c->policy != TLB_RANDOM)
        return err_set(e, EINVAL, "TLB: replacement policy %d is unknown", (int)c->policy);
    return 0;
}

void tlb_init(struct tlb *t, const struct tlb_config *c, struct mem *m, void *l1)
{
    memset(t, 0, sizeof *t);
    t->l1 = l1;
    t->l1_mask = c->l1_entries - 1;
    t->config = *c;
    t->mem = m;
    memset(l1, 0xff, tlb_l1_bytes(c)); /* TLB_NONE */
    t->l2 = xcalloc(1, sizeof *t->l2);
    if (c->l2_sets)
        t->l2->entries = xcalloc((size_t)c->l2_sets * c->l2_ways, sizeof *t->l2->entries);
    t->l2->gen[false] = t->l2->gen[true] = 1;
    t->l2->random = UINT64_C(0x9e3779b97f4a7c15);
    mem_tlb_attach(m, t);
}

void tlb_fini(struct tlb *t)
{
    if (!t->l2)
        return;
    mem_tlb_detach(t->mem, t);
    free(t->l2->entries);
    free(t->l2);
    t->l2 = NULL;
}

/* L1. */

/* What is watched of a page: bits 1 << enum tlb_access. */
static unsigned watched(const struct tlb *t, uint64_t vpage)
{
    size_t lo = 0, hi = t->nwatched;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (t->watched[mid] < vpage)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == t->nwatched || (t->watched[lo] & ~MEM_PAGE_MASK) != vpage)
        return 0;
    return (unsigned)(t->watched[lo] & MEM_PAGE_MASK);
}

static void l1_tags(const struct tlb *t, struct tlb_entry *e, uint64_t vpage, unsigned allow,
                    const struct mem_region *r, uint64_t offset)
{
    unsigned attr = r->attr[offset >> MEM_PAGE_BITS], w = watched(t, vpage);
    bool load = allow & 1 << TLB_READ, fetch = allow & 1 << TLB_EXEC;
    bool store = allow & 1 << TLB_WRITE && mem_direct(r, true);
    uint64_t loads = (attr & MEM_ATTR_WATCH ? TLB_SLOW : 0) | (w >> TLB_READ & 1 ? TLB_WATCHED : 0);
    uint64_t stores = (attr ? TLB_SLOW : 0) | (w >> TLB_WRITE & 1 ? TLB_WATCHED : 0);

    e->tag[TLB_READ] = load ? vpage | loads : TLB_NONE;
    e->tag[TLB_WRITE] = store ? vpage | stores : TLB_NONE;
    e->tag[TLB_EXEC] = fetch ? vpage : TLB_NONE;
}

static struct tlb_entry *l1_enter(struct tlb *t, unsigned mode, uint64_t vpage, uint64_t ppage,
                                  unsigned allow, const struct mem_region *r)
{
    struct tlb_entry *e = tlb_l1(t, mode, vpage);
    uint64_t offset = ppage - r->base;

    l1_tags(t, e, vpage, allow, r, offset);
    e->addend = (uintptr_t)r->host + offset - vpage;
    t->l2->modes_used |= 1u << mode;
    return e;
}

/* The page that an L1 entry maps, or TLB_NONE. */
static uint64_t l1_vpage(const struct tlb_entry *e)
{
    for (unsigned a = 0; a < ARRAY_LEN(e->tag); a++) {
        if (e->tag[a] != TLB_NONE)
            return e->tag[a] & ~MEM_PAGE_MASK;
    }
    return TLB_NONE;
}

static unsigned l1_allow(const struct tlb_entry *e)
{
    unsigned allow = 0;

    for (unsigned a = 0; a < ARRAY_LEN(e->tag); a++)
        allow |= (unsigned)(e->tag[a] != TLB_NONE) << a;
    return allow;
}

static void l1_flush(struct tlb *t)
{
    size_t bytes = (t->l1_mask + 1) * sizeof *t->l1;

    for (unsigned mode = 0; mode < TLB_MODES; mode++) {
        if (t->l2->modes_used >> mode & 1)
            memset(tlb_l1(t, mode, 0), 0xff, bytes);
    }
    t->l2->modes_used = 0;
}

/* L2.  The set depends on the page alone, so that one set holds it for all modes and spaces. */

static struct l2_entry *l2_set(const struct tlb *t, uint64_t vpage)
{
    uint64_t n = vpage >> MEM_PAGE_BITS;
    return t->l2->entries + ((n ^ n >> 9) & (t->config.l2_sets - 1)) * t->config.l2_ways;
}

static bool l2_valid(const struct tlb *t, const struct l2_entry *e)
{
    return e->gen == t->l2->gen[(e->key & KEY_GLOBAL) != 0];
}

/* No branch depends on which way matches: that is as good as random. */
static struct l2_entry *l2_find(const struct tlb *t, unsigned mode, uint64_t vpage)
{
    if (!t->l2->entries)
        return NULL;
    struct l2_entry *set = l2_set(t, vpage), *found = NULL;
    for (unsigned i = 0; i < t->config.l2_ways; i++) {
        struct l2_entry *e = &set[i];
        bool global = e->key & KEY_GLOBAL;
        bool here = ((e->key & ~(uint64_t)KEY_GLOBAL) == (vpage | mode)) &
                    (e->gen == t->l2->gen[global]) & (global | (e->space == t->space));
        found = here ? e : found;
    }
    return found;
}

static uint64_t xorshift(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    return *x ^= *x << 17;
}

/* The entry of the set that the next new page takes. */
static struct l2_entry *l2_victim(struct tlb *t, struct l2_entry *set)
{
    unsigned oldest = 0;

    for (unsigned i = 0; i < t->config.l2_ways; i++) {
        if (!l2_valid(t, &set[i]))
            return &set[i];
        if (set[i].stamp < set[oldest].stamp)
            oldest = i;
    }
    if (t->config.policy == TLB_RANDOM)
        return &set[(xorshift(&t->l2->random) >> 32) % t->config.l2_ways];
    return &set[oldest];
}

/* Enters the page; returns all that is allowed on it now. */
static unsigned l2_enter(struct tlb *t, unsigned mode, const struct tlb_page *page,
                         const struct mem_region *r)
{
    struct l2_entry *e = l2_find(t, mode, page->vpage);
    unsigned allow = page->allow;

    if (e && (e->ppage & ~MEM_PAGE_MASK) == page->ppage)
        allow |= e->ppage & MEM_PAGE_MASK;
    if (!e) {
        e = l2_victim(t, l2_set(t, page->vpage));
        e->stamp = ++t->l2->tick;
    } else if (t->config.policy == TLB_LRU) {
        e->stamp = ++t->l2->tick;
    }
    e->key = page->vpage | mode | (page->global ? KEY_GLOBAL : 0);
    e->space = t->space;
    e->ppage = page->ppage | allow;
    e->r = r;
    e->gen = t->l2->gen[page->global];
    return allow;
}

/* Drops the entries for all spaces or those for one. */
static void l2_flush(struct tlb *t, bool global)
{
    if (++t->l2->gen[global])
        return;
    t->l2->gen[global] = 1; /* wrapped: entries of 2^32 flushes ago must not come back */
    if (t->l2->entries)
        memset(t->l2->entries, 0,
               (size_t)t->config.l2_sets * t->config.l2_ways * sizeof *t->l2->entries);
}

/* Both. */

/* The L2 entry that allows the access, counted and marked as used; or NULL. */
static struct l2_entry *l2_hit(struct tlb *t, unsigned mode, uint64_t vaddr, enum tlb_access access)
{
    struct l2_entry *e = l2_find(t, mode, vaddr & ~MEM_PAGE_MASK);

    if (!e || !(e->ppage >> access & 1))
        return NULL;
    if (t->config.policy == TLB_LRU)
        e->stamp = ++t->l2->tick;
    if (e->space != t->space && e->ppage >> TLB_EXEC & 1)
        t->l2->borrowed = true;
    return e;
}

struct tlb_entry *tlb_lookup(struct tlb *t, unsigned mode, uint64_t vaddr, enum tlb_access access)
{
    t->count.l1_misses++;
    struct l2_entry *e = l2_hit(t, mode, vaddr, access);
    if (!e || !e->r || !mem_direct(e->r, access == TLB_WRITE))
        return NULL;
    t->count.l2_hits++;
    return l1_enter(t, mode, vaddr & ~MEM_PAGE_MASK, e->ppage & ~MEM_PAGE_MASK,
                    e->ppage & MEM_PAGE_MASK, e->r);
}

bool tlb_probe(struct tlb *t, unsigned mode, uint64_t vaddr, enum tlb_access access,
               uint64_t *paddr)
{
    struct l2_entry *e = l2_hit(t, mode, vaddr, access);

    if (!e)
        return false;
    t->count.l2_hits++;
    *paddr = (e->ppage & ~MEM_PAGE_MASK) | (vaddr & MEM_PAGE_MASK);
    return true;
}

/* Removes the page from the L1 slot that it would take. */
static void l1_drop(struct tlb *t, unsigned mode, uint64_t vpage)
{
    struct tlb_entry *e = tlb_l1(t, mode, vpage);

    if (l1_vpage(e) == vpage)
        memset(e, 0xff, sizeof *e);
}

struct tlb_entry *tlb_fill(struct tlb *t, unsigned mode, const struct tlb_page *page)
{
    const struct mem_region *r = mem_find(t->mem, page->ppage);
    unsigned allow = page->allow;

    t->count.walks++;
    if (t->l2->entries)
        allow = l2_enter(t, mode, page, r);
    if (!r || !mem_direct(r, false)) {
        l1_drop(t, mode, page->vpage);
        return NULL;
    }
    struct tlb_entry *e = tlb_l1(t, mode, page->vpage);
    uintptr_t host = (uintptr_t)r->host + (page->ppage - r->base);
    if (l1_vpage(e) == page->vpage && e->addend + page->vpage == host)
        allow |= l1_allow(e);
    return l1_enter(t, mode, page->vpage, page->ppage, allow, r);
}

void tlb_switch(struct tlb *t, uint64_t space)
{
    if (space == t->space)
        return;
    t->space = space;
    t->exec_epoch += t->l2->borrowed;
    t->l2->borrowed = false;
    l1_flush(t);
}

void tlb_flush_all(struct tlb *t)
{
    t->count.flushes_all++;
    t->exec_epoch++;
    l1_flush(t);
    l2_flush(t, false);
    l2_flush(t, true);
}

void tlb_flush_global(struct tlb *t)
{
    t->count.flushes_all++;
    t->exec_epoch += t->l2->borrowed;
    t->l2->borrowed = false;
    l1_flush(t);
    l2_flush(t, true);
}

/* Drops the page from L1 and, of L2, the entries that have one of the key's flags; 0: all. */
static void page_drop(struct tlb *t, uint64_t vpage, uint64_t flags)
{
    t->count.flushes_page++;
    for (unsigned mode = 0; mode < TLB_MODES; mode++)
        l1_drop(t, mode, vpage);
    if (!t->l2->entries)
        return;
    struct l2_entry *set = l2_set(t, vpage);
    for (unsigned i = 0; i < t->config.l2_ways; i++) {
        if ((set[i].key & ~MEM_PAGE_MASK) == vpage && (!flags || set[i].key & flags))
            set[i].gen = 0;
    }
}

void tlb_drop_page(struct tlb *t, uint64_t vaddr, bool exec)
{
    t->exec_epoch += exec;
    page_drop(t, vaddr & ~MEM_PAGE_MASK, 0);
}

void tlb_flush_global_page(struct tlb *t, uint64_t vaddr)
{
    t->exec_epoch += t->l2->borrowed;
    page_drop(t, vaddr & ~MEM_PAGE_MASK, KEY_GLOBAL);
}

void tlb_flush_page(struct tlb *t, uint64_t vaddr)
{
    tlb_drop_page(t, vaddr, true);
}

void tlb_flush_range(struct tlb *t, uint64_t vaddr, uint64_t len)
{
    if (!len)
        return;
    uint64_t first = vaddr & ~MEM_PAGE_MASK, last = vaddr + (len - 1);
    if ((last - first) >> MEM_PAGE_BITS >= RANGE_PAGES) {
        tlb_flush_all(t);
        return;
    }
    for (uint64_t n = 0; n <= (last - first) >> MEM_PAGE_BITS; n++)
        tlb_flush_page(t, first + (n << MEM_PAGE_BITS));
}

/* Calls fn for each L1 entry that leads to [offset, offset + len) of r, whole pages. */
static void l1_each(struct tlb *t, const struct mem_region *r, uint64_t offset, uint64_t len,
                    void (*fn)(const struct tlb *, struct tlb_entry *, const struct mem_region *))
{
    uintptr_t host = (uintptr_t)r->host + offset;

    for (unsigned mode = 0; mode < TLB_MODES; mode++) {
        if (!(t->l2->modes_used >> mode & 1))
            continue;
        struct tlb_entry *e = tlb_l1(t, mode, 0);
        for (uint32_t i = 0; i <= t->l1_mask; i++, e++) {
            uint64_t vpage = l1_vpage(e);
            if (vpage != TLB_NONE && vpage + e->addend - host < len)
                fn(t, e, r);
        }
    }
}

static void set_tags(const struct tlb *t, struct tlb_entry *e, const struct mem_region *r)
{
    uint64_t vpage = l1_vpage(e);

    l1_tags(t, e, vpage, l1_allow(e), r, vpage + e->addend - (uintptr_t)r->host);
}

void tlb_attr_changed(struct tlb *t, const struct mem_region *r, uint64_t offset)
{
    l1_each(t, r, offset & ~MEM_PAGE_MASK, MEM_PAGE_SIZE, set_tags);
}

static void clear_tags(const struct tlb *t, struct tlb_entry *e, const struct mem_region *r)
{
    (void)t, (void)r;
    memset(e, 0xff, sizeof *e);
}

void tlb_drop_region(struct tlb *t, const struct mem_region *r)
{
    l1_each(t, r, 0, r->size, clear_tags);
}

/* L2 has no tags that would have to change. */
void tlb_watch(struct tlb *t, const uint64_t *vpages, size_t n)
{
    t->watched = vpages;
    t->nwatched = n;
    l1_flush(t);
}

void tlb_attr_all_changed(struct tlb *t)
{
    l1_flush(t);
}
