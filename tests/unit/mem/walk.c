/*
 * The promise of tlb.h: the guest cannot see the TLB.  Random guests with real
 * page tables, which never flush, on two CPUs with different TLBs: every answer
 * of a TLB must be what a walk finds at that moment, also for a memory of where
 * code is that looks at space and exec_epoch alone.
 */
#include "rig.h"

/* The guest's MMU: two levels, 512 entries of 8 bytes each, 4 KiB pages; a root entry may map
 * 2 MiB.  The upper half of the address space is the same in every space. */
enum { V = 1, PR = 2, PW = 4, PX = 8, PG = 16, PD = 32, LEAF = 64 };

#define ROOTS  4  /* spaces; their root tables are the first pages, which nothing maps */
#define TABLES 10 /* the pages that may be second-level tables follow, and also hold data */
#define CPUS   2
#define JUMPS  12

struct jump {
    uint64_t vpage, ppage, space, epoch;
    unsigned mode;
    bool set;
};

struct rig {
    struct mem *m;
    struct test_rng rng;
    struct tlb t[CPUS];
    void *l1[CPUS];
    struct jump jumps[CPUS][JUMPS];
    bool marked[RAM_PAGES];
    unsigned fast_stores, walks, kept_jumps;
};

struct walk {
    uint64_t vpage, ppage, root_at, leaf_at; /* leaf_at 0: the root's entry maps */
    unsigned allow, bits;
};

static unsigned rnd(struct rig *g, unsigned n)
{
    return (unsigned)test_rand(&g->rng, n);
}

static uint64_t peek64(struct rig *g, uint64_t paddr)
{
    uint64_t v;
    ck_assert_uint_eq(mem_peek(g->m, paddr, &v, 8), 8);
    return v;
}

/* Any entry leads to a page of RAM that is no root. */
static uint64_t entry_page(uint64_t entry, unsigned plus)
{
    return test_page(ROOTS + (unsigned)(((entry >> 12) + plus) % (RAM_PAGES - ROOTS)));
}

/* Mode 1 is refused execution, so that modes differ. */
static void walk_end(struct walk *w, uint64_t entry, unsigned mode)
{
    w->bits = entry & 0xff;
    w->allow = 0;
    if (entry & PR)
        w->allow |= 1 << TLB_READ;
    if (entry & PW && entry & PD)
        w->allow |= 1 << TLB_WRITE;
    if (entry & PX && mode != 1)
        w->allow |= 1 << TLB_EXEC;
}

/* What the tables say now; false: not mapped. */
static bool walk(struct rig *g, uint64_t space, unsigned mode, uint64_t vaddr, struct walk *w)
{
    unsigned leaf = vaddr >> 12 & 511;

    w->vpage = vaddr & ~MEM_PAGE_MASK;
    w->leaf_at = 0;
    w->root_at = test_page((unsigned)space) + 8 * (vaddr >> 21 & 511);
    uint64_t entry = peek64(g, w->root_at);
    if (!(entry & V))
        return false;
    if (entry & LEAF) {
        w->ppage = entry_page(entry, leaf);
    } else {
        w->leaf_at = test_page(ROOTS + (unsigned)((entry >> 12) % TABLES)) + 8 * leaf;
        entry = peek64(g, w->leaf_at);
        if (!(entry & V))
            return false;
        w->ppage = entry_page(entry, 0);
    }
    walk_end(w, entry, mode);
    return true;
}

/* A CPU's walk: sets D for a store, tells mem, fills.  NULL: a fault. */
static struct tlb_entry *walk_and_fill(struct rig *g, struct tlb *t, unsigned mode, uint64_t vaddr,
                                       enum tlb_access a)
{
    struct walk w;

    g->walks++;
    if (!walk(g, t->space, mode, vaddr, &w))
        return NULL;
    if (a == TLB_WRITE && w.bits & PW && !(w.bits & PD)) {
        uint64_t at = w.leaf_at ? w.leaf_at : w.root_at;
        ck_assert(mem_table_update(g->m, at, 8, peek64(g, at) | PD));
        ck_assert(walk(g, t->space, mode, vaddr, &w)); /* the entry may map itself */
    }
    if (!(w.allow >> a & 1))
        return NULL;
    if (a != TLB_EXEC && rnd(g, 2)) /* a walker may hold back what it was not asked for */
        w.allow &= ~(1u << TLB_EXEC);
    /* A root's own D is not the same in every space, the tables below the upper half are. */
    bool exec = w.allow >> TLB_EXEC & 1, shared = vaddr >> 21 & 256 && w.leaf_at;
    struct tlb_page page = {w.vpage, w.ppage, (uint8_t)w.allow, shared && w.bits & PG};
    mem_table_used(g->m, w.root_at, vaddr, 1, exec);
    if (w.leaf_at)
        mem_table_used(g->m, w.leaf_at, vaddr, 0, exec);
    return tlb_fill(t, mode, &page);
}

static uint64_t any_vaddr(struct rig *g)
{
    static const unsigned roots[] = {0, 1, 2, 256, 257, 511};
    unsigned leaf = rnd(g, 20) ? rnd(g, 6) : 511;
    return (uint64_t)roots[rnd(g, ARRAY_LEN(roots))] << 21 | (uint64_t)leaf << 12 | rnd(g, 512) * 8;
}

/* Whoever kept where code is, and sees no new epoch, must still be right. */
static void check_jumps(struct rig *g, unsigned cpu)
{
    struct tlb *t = &g->t[cpu];

    for (unsigned i = 0; i < JUMPS; i++) {
        const struct jump *j = &g->jumps[cpu][i];
        struct walk w;
        if (!j->set || j->space != t->space || j->epoch != t->exec_epoch)
            continue;
        ck_assert(walk(g, t->space, j->mode, j->vpage, &w));
        ck_assert_uint_eq(w.ppage, j->ppage);
        ck_assert(w.allow >> TLB_EXEC & 1);
        g->kept_jumps++;
    }
}

/* An access as a CPU makes it; whatever the TLB knows is compared with the tables. */
static void access_once(struct rig *g, unsigned cpu)
{
    struct tlb *t = &g->t[cpu];
    uint64_t vaddr = any_vaddr(g), value = rnd(g, 4) ? 0 : test_rand(&g->rng, UINT64_MAX);
    enum tlb_access a = (enum tlb_access)rnd(g, 3);
    unsigned mode = rnd(g, 2);

    struct tlb_entry *e = tlb_hit(t, mode, vaddr, a);
    if (!e)
        e = tlb_lookup(t, mode, vaddr, a);
    if (!e)
        e = walk_and_fill(g, t, mode, vaddr, a);
    if (!e)
        return;
    struct walk w;
    ck_assert(walk(g, t->space, mode, vaddr, &w));
    ck_assert(w.allow >> a & 1);
    uint8_t *host = mem_host(g->m, w.ppage + (vaddr & MEM_PAGE_MASK), 8, false);
    ck_assert_uint_eq(e->addend + vaddr, (uintptr_t)host);
    unsigned attr = test_attr(g->m, w.ppage);
    ck_assert_int_eq(e->tag[TLB_READ] & TLB_SLOW && e->tag[TLB_READ] != TLB_NONE,
                     e->tag[TLB_READ] != TLB_NONE && attr & MEM_ATTR_WATCH);
    if (a == TLB_EXEC) {
        g->jumps[cpu][rnd(g, JUMPS)] = (struct jump){w.vpage, w.ppage, t->space, t->exec_epoch, mode, true};
    } else if (a == TLB_WRITE && e->tag[TLB_WRITE] & TLB_SLOW) {
        ck_assert(mem_write(g->m, w.ppage + (vaddr & MEM_PAGE_MASK), 8, value));
    } else if (a == TLB_WRITE) {
        ck_assert_uint_eq(attr, 0);
        bits_store_le(host, 8, value); /* as generated code does */
        g->fast_stores++;
    }
}

static uint64_t any_entry(struct rig *g)
{
    if (!rnd(g, 6))
        return 0;
    uint64_t bits = rnd(g, 3) ? rnd(g, 128) | PR | PW | PX : rnd(g, 128);
    return (test_rand(&g->rng, UINT64_MAX) & ~UINT64_C(0xfff)) | V | bits;
}

/* Writes bytes in one of the ways that memory changes. */
static void put(struct rig *g, uint64_t paddr, const void *bytes, uint64_t len)
{
    uint64_t v;

    switch (rnd(g, 4)) {
    case 0:
        ck_assert_int_eq(mem_dma_write(g->m, paddr, bytes, len), 0);
        break;
    case 1:
        ck_assert_uint_eq(mem_poke(g->m, paddr, bytes, len), len);
        break;
    case 2:
        memcpy(mem_host(g->m, paddr, len, true), bytes, len);
        mem_wrote(g->m, paddr, len);
        break;
    default:
        for (uint64_t i = 0; i < len; i += 4) {
            v = bits_load_le((const uint8_t *)bytes + i, 4);
            ck_assert(mem_write(g->m, paddr + i, 4, v));
        }
    }
}

/* The guest changes an entry of a second-level table, or overwrites a stretch of one. */
static void change_leaf(struct rig *g)
{
    uint64_t table = test_page(ROOTS + rnd(g, TABLES));
    uint64_t buf[512];

    if (rnd(g, 60)) {
        buf[0] = any_entry(g);
        put(g, table + 8 * (rnd(g, 20) ? rnd(g, 6) : 511), buf, 8);
        return;
    }
    unsigned first = rnd(g, 512), n = 1 + rnd(g, 512 - first);
    memset(buf, 0, sizeof buf);
    for (unsigned i = 0; i < n && rnd(g, 4); i++)
        buf[i] = any_entry(g);
    put(g, table + 8 * first, buf, 8 * n);
}

/* The guest changes a root entry: in one space, or in all for the upper half. */
static void change_root(struct rig *g)
{
    static const unsigned at[] = {0, 1, 2, 256, 257, 511};
    unsigned i = at[rnd(g, ARRAY_LEN(at))], space = rnd(g, ROOTS);
    uint64_t entry = any_entry(g);

    if (rnd(g, 4))
        entry &= ~(uint64_t)LEAF;
    for (unsigned s = 0; s < ROOTS; s++) {
        if (s == space || i >= 256)
            put(g, test_page(s) + 8 * i, &entry, 8);
    }
    for (unsigned cpu = 0; i >= 256 && cpu < CPUS; cpu++) { /* as it must, for what is global */
        if (rnd(g, 2))
            tlb_flush_global(&g->t[cpu]);
        else
            tlb_flush_all(&g->t[cpu]);
    }
}

static void change_attr(struct rig *g)
{
    unsigned p = rnd(g, RAM_PAGES);

    switch (rnd(g, 6)) {
    case 0:
        if (!rnd(g, 20))
            mem_clean(g->m);
        break;
    case 1:
        mem_attr_set(g->m, test_page(p), MEM_ATTR_WATCH);
        break;
    case 2:
    case 3:
        mem_attr_clear(g->m, test_page(p), MEM_ATTR_WATCH);
        break;
    default:
        if (g->marked[p])
            mem_code_drop(g->m, test_page(p) + 8, 100);
        else if (rnd(g, 4) == 0)
            mem_code_add(g->m, test_page(p) + 8, 100);
        else
            break;
        g->marked[p] = !g->marked[p];
    }
}

static void step(struct rig *g)
{
    unsigned what = rnd(g, 10000), cpu = rnd(g, CPUS);

    if (what < 9650)
        access_once(g, cpu);
    else if (what < 9850)
        change_leaf(g);
    else if (what < 9855)
        change_root(g);
    else if (what < 9920)
        change_attr(g);
    else if (what < 9995)
        tlb_switch(&g->t[cpu], rnd(g, ROOTS));
    else
        tlb_flush_range(&g->t[cpu], any_vaddr(g), test_rand(&g->rng, 10000));
    for (cpu = 0; cpu < CPUS; cpu++)
        check_jumps(g, cpu);
}

static void run(struct rig *g, const struct tlb_config config[CPUS], unsigned steps)
{
    g->m = test_mem_new();
    for (unsigned i = 0; i < CPUS; i++) {
        g->l1[i] = malloc(tlb_l1_bytes(&config[i]));
        tlb_init(&g->t[i], &config[i], g->m, g->l1[i]);
    }
    for (unsigned i = 0; i < 200; i++) {
        change_root(g);
        for (unsigned k = 0; k < 5; k++)
            change_leaf(g);
    }
    for (unsigned i = 0; i < steps; i++)
        step(g);
    for (unsigned i = 0; i < CPUS; i++) {
        struct tlb_counters *c = &g->t[i].count;
        printf("# %u+%ux%u: %" PRIu64 " misses, %" PRIu64 " L2 hits, %" PRIu64
               " page flushes, %" PRIu64 " full, %" PRIu64 " by tables\n",
               config[i].l1_entries, config[i].l2_sets, config[i].l2_ways, c->l1_misses, c->l2_hits,
               c->flushes_page, c->flushes_all, c->table_writes);
        tlb_fini(&g->t[i]);
        free(g->l1[i]);
    }
    mem_free(g->m);
    printf("# %u walks, %u fast stores, %u jumps kept\n", g->walks, g->fast_stores, g->kept_jumps);
    ck_assert_uint_gt(g->fast_stores, steps / 1000); /* the test looked at something */
    ck_assert_uint_gt(g->kept_jumps, steps / 1000);
}

START_TEST(the_tlb_cannot_be_seen)
{
    static const struct tlb_config configs[][CPUS] = {
        {TLB_CONFIG_DEFAULT, {16, 0, 1, TLB_LRU}},
        {{16, 2, 2, TLB_FIFO}, {32, 16, 3, TLB_RANDOM}},
    };
    uint64_t seed = test_seed("the_tlb_cannot_be_seen");

    for (size_t k = 0; k < ARRAY_LEN(configs); k++) {
        static struct rig g;
        memset(&g, 0, sizeof g);
        g.rng.state = seed * 1000003 + k;
        run(&g, configs[k], 2000000);
    }
}
END_TEST

UNIT_MAIN("mem/walk", the_tlb_cannot_be_seen)
