/* The TLB by itself: filling, looking up, policies, flushes, attributes. */
#include <errno.h>

#include "rig.h"

#define R   (1 << TLB_READ)
#define W   (1 << TLB_WRITE)
#define X   (1 << TLB_EXEC)
#define ALL (R | W | X)

#define VA(i) (UINT64_C(0x40000000) + (uint64_t)(i)*MEM_PAGE_SIZE)

struct rig {
    struct mem *m;
    struct tlb t;
    void *l1;
};

static void rig_init(struct rig *g, struct tlb_config config)
{
    g->m = test_mem_new();
    mem_add_device(g->m, "dev", 0x10000000, MEM_PAGE_SIZE, NULL, NULL, NULL);
    ck_assert_int_eq(tlb_config_check(&config, NULL), 0);
    g->l1 = malloc(tlb_l1_bytes(&config));
    tlb_init(&g->t, &config, g->m, g->l1);
}

static void rig_fini(struct rig *g)
{
    tlb_fini(&g->t);
    free(g->l1);
    mem_free(g->m);
}

static struct tlb_entry *fill(struct rig *g, unsigned mode, uint64_t vpage, uint64_t ppage,
                              unsigned allow)
{
    struct tlb_page page = {vpage, ppage, (uint8_t)allow, false};
    return tlb_fill(&g->t, mode, &page);
}

static bool in_l2(struct rig *g, unsigned mode, uint64_t vaddr)
{
    uint64_t paddr;
    return tlb_probe(&g->t, mode, vaddr, TLB_READ, &paddr);
}

static bool in_l1(struct rig *g, unsigned mode, uint64_t vaddr, enum tlb_access a)
{
    return tlb_hit(&g->t, mode, vaddr, a) != NULL;
}

START_TEST(configurations)
{
    static const struct tlb_config good[] = {TLB_CONFIG_DEFAULT,
                                             {16, 0, 1, TLB_FIFO},
                                             {4096, 65536, 16, TLB_RANDOM},
                                             {16, 1, 1, TLB_LRU}};
    static const struct tlb_config bad[] = {
        {8, 1, 1, TLB_LRU},   {8192, 1, 1, TLB_LRU},    {100, 1, 1, TLB_LRU},
        {16, 3, 1, TLB_LRU},  {16, 131072, 1, TLB_LRU}, {16, 1, 0, TLB_LRU},
        {16, 1, 17, TLB_LRU}, {0, 1, 1, TLB_LRU},       {16, 1, 1, (enum tlb_policy)3}};
    struct err e;

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        ck_assert_int_eq(tlb_config_check(&good[i], &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ck_assert_msg(tlb_config_check(&bad[i], &e) == -EINVAL, "case %zu", i);
        ck_assert_ptr_nonnull(strstr(e.msg, "TLB"));
    }
}
END_TEST

START_TEST(filling_and_finding)
{
    struct rig g;
    rig_init(&g, (struct tlb_config){256, 512, 4, TLB_LRU});

    ck_assert(!in_l1(&g, 0, VA(3), TLB_READ));
    ck_assert_ptr_null(tlb_lookup(&g.t, 0, VA(3), TLB_READ));
    struct tlb_entry *e = fill(&g, 0, VA(3), test_page(7), R | X);
    ck_assert_ptr_nonnull(e);
    ck_assert_ptr_eq(e, tlb_hit(&g.t, 0, VA(3) + 0x123, TLB_READ));
    ck_assert_uint_eq(e->addend + VA(3), (uintptr_t)mem_host(g.m, test_page(7), 1, true));
    ck_assert_uint_eq(e->tag[TLB_READ], VA(3));
    ck_assert_uint_eq(e->tag[TLB_WRITE], TLB_NONE);
    ck_assert_uint_eq(e->tag[TLB_EXEC], VA(3));
    ck_assert_ptr_null(tlb_lookup(&g.t, 0, VA(3), TLB_WRITE)); /* needs a walk */
    ck_assert(!in_l1(&g, 1, VA(3), TLB_READ));                 /* another mode */
    ck_assert(!in_l2(&g, 1, VA(3)));

    e = fill(&g, 0, VA(3), test_page(7), W); /* what walks allow adds up */
    for (int a = TLB_READ; a <= TLB_EXEC; a++)
        ck_assert_uint_eq(e->tag[a], VA(3));
    e = fill(&g, 0, VA(3), test_page(8), R); /* unless it is another page */
    ck_assert_uint_eq(e->tag[TLB_READ], VA(3));
    ck_assert_uint_eq(e->tag[TLB_WRITE], TLB_NONE);
    ck_assert_ptr_null(tlb_lookup(&g.t, 0, VA(3), TLB_WRITE));

    fill(&g, 0, VA(3 + 256), test_page(9), R); /* the same L1 slot */
    ck_assert(!in_l1(&g, 0, VA(3), TLB_READ));
    e = tlb_lookup(&g.t, 0, VA(3) + 8, TLB_READ);
    ck_assert_ptr_nonnull(e);
    ck_assert_uint_eq(e->addend + VA(3), (uintptr_t)mem_host(g.m, test_page(8), 1, true));

    uint64_t top = UINT64_MAX & ~MEM_PAGE_MASK; /* the last page of all */
    ck_assert(!in_l1(&g, 0, UINT64_MAX, TLB_WRITE));
    fill(&g, 0, top, test_page(1), ALL);
    ck_assert(in_l1(&g, 0, UINT64_MAX, TLB_WRITE));
    rig_fini(&g);
}
END_TEST

START_TEST(what_l1_cannot_hold)
{
    struct rig g;
    uint64_t paddr;
    rig_init(&g, (struct tlb_config)TLB_CONFIG_DEFAULT);

    ck_assert_ptr_null(fill(&g, 0, VA(1), 0x10000000, R | W)); /* a device */
    ck_assert_ptr_null(tlb_lookup(&g.t, 0, VA(1), TLB_READ));
    ck_assert(tlb_probe(&g.t, 0, VA(1) + 0x24, TLB_WRITE, &paddr));
    ck_assert_uint_eq(paddr, 0x10000024);
    ck_assert(!tlb_probe(&g.t, 0, VA(1), TLB_EXEC, &paddr));
    ck_assert_ptr_null(fill(&g, 0, VA(2), UINT64_C(1) << 50, R)); /* nothing */
    ck_assert_ptr_null(tlb_lookup(&g.t, 0, VA(2), TLB_READ));

    struct tlb_entry *e = fill(&g, 0, VA(3), ROM_BASE, ALL);
    ck_assert_uint_eq(e->tag[TLB_READ], VA(3));
    ck_assert_uint_eq(e->tag[TLB_WRITE], TLB_NONE);
    ck_assert_ptr_null(tlb_lookup(&g.t, 0, VA(3), TLB_WRITE));
    ck_assert(tlb_probe(&g.t, 0, VA(3), TLB_WRITE, &paddr));

    fill(&g, 0, VA(4), test_page(1), R); /* RAM becomes a device */
    fill(&g, 0, VA(4), 0x10000000, R);
    ck_assert(!in_l1(&g, 0, VA(4), TLB_READ));
    rig_fini(&g);
}
END_TEST

START_TEST(spaces)
{
    struct rig g;
    rig_init(&g, (struct tlb_config)TLB_CONFIG_DEFAULT);
    struct tlb_page kernel = {VA(9), test_page(9), ALL, true};

    tlb_switch(&g.t, 1);
    fill(&g, 0, VA(1), test_page(1), ALL);
    fill(&g, 3, VA(5), test_page(5), ALL);
    tlb_fill(&g.t, 1, &kernel);
    uint64_t epoch = g.t.exec_epoch;
    tlb_switch(&g.t, 1); /* the same: nothing happens */
    ck_assert(in_l1(&g, 0, VA(1), TLB_READ));
    ck_assert_uint_eq(g.t.exec_epoch, epoch);

    tlb_switch(&g.t, 2);
    ck_assert_uint_eq(g.t.exec_epoch, epoch);
    ck_assert(!in_l1(&g, 0, VA(1), TLB_READ));
    ck_assert(!in_l1(&g, 3, VA(5), TLB_READ));
    ck_assert_ptr_null(tlb_lookup(&g.t, 0, VA(1), TLB_READ));
    ck_assert_ptr_nonnull(tlb_lookup(&g.t, 1, VA(9), TLB_READ)); /* global */
    fill(&g, 0, VA(1), test_page(2), R);

    tlb_switch(&g.t, 1); /* L2 outlives the switch */
    struct tlb_entry *e = tlb_lookup(&g.t, 0, VA(1), TLB_WRITE);
    ck_assert_ptr_nonnull(e);
    ck_assert_uint_eq(e->addend + VA(1), (uintptr_t)mem_host(g.m, test_page(1), 1, true));
    ck_assert_uint_eq(g.t.count.l2_hits, 2);

    tlb_flush_page(&g.t, VA(1)); /* in every space */
    tlb_switch(&g.t, 2);
    ck_assert(!in_l2(&g, 0, VA(1)));
    rig_fini(&g);
}
END_TEST

START_TEST(global_flushes)
{
    struct rig g;
    rig_init(&g, (struct tlb_config)TLB_CONFIG_DEFAULT);
    struct tlb_page a = {VA(1), test_page(1), ALL, true}, b = {VA(2), test_page(2), ALL, true};

    tlb_switch(&g.t, 1);
    tlb_fill(&g.t, 0, &a);
    tlb_fill(&g.t, 0, &b);
    fill(&g, 0, VA(3), test_page(3), ALL);
    fill(&g, 1, VA(1), test_page(3), ALL);
    uint64_t epoch = g.t.exec_epoch;
    tlb_flush_global_page(&g.t, VA(1) + 5);
    ck_assert(!in_l1(&g, 0, VA(1), TLB_READ));
    ck_assert(!in_l2(&g, 0, VA(1)));
    ck_assert(in_l2(&g, 1, VA(1)));
    ck_assert(in_l1(&g, 0, VA(2), TLB_READ));
    ck_assert_uint_eq(g.t.exec_epoch, epoch); /* tables vouch for this space's own */

    tlb_switch(&g.t, 2);
    epoch = g.t.exec_epoch;
    ck_assert_ptr_nonnull(tlb_lookup(&g.t, 0, VA(2), TLB_EXEC));
    tlb_flush_global(&g.t);
    ck_assert_uint_gt(g.t.exec_epoch, epoch);
    ck_assert(!in_l1(&g, 0, VA(2), TLB_READ));
    ck_assert(!in_l2(&g, 0, VA(2)));
    tlb_switch(&g.t, 1);
    ck_assert(in_l2(&g, 0, VA(3)));
    rig_fini(&g);
}
END_TEST

START_TEST(flushes)
{
    struct rig g;
    rig_init(&g, (struct tlb_config)TLB_CONFIG_DEFAULT);

    for (unsigned mode = 0; mode < TLB_MODES; mode++) {
        for (unsigned i = 0; i < 4; i++)
            fill(&g, mode, VA(i), test_page(i), ALL);
    }
    uint64_t epoch = g.t.exec_epoch;
    tlb_flush_page(&g.t, VA(1) + 0xfff);
    ck_assert_uint_gt(g.t.exec_epoch, epoch);
    tlb_flush_range(&g.t, VA(2) + 0xfff, 2); /* two bytes on two pages */
    tlb_flush_range(&g.t, VA(0), 0);
    for (unsigned mode = 0; mode < TLB_MODES; mode++) {
        for (unsigned i = 0; i < 4; i++) {
            ck_assert_int_eq(in_l1(&g, mode, VA(i), TLB_EXEC), i == 0);
            ck_assert_int_eq(in_l2(&g, mode, VA(i)), i == 0);
        }
    }
    epoch = g.t.exec_epoch;
    tlb_drop_page(&g.t, VA(9), false);
    ck_assert_uint_eq(g.t.exec_epoch, epoch);
    tlb_flush_all(&g.t);
    ck_assert_uint_gt(g.t.exec_epoch, epoch);
    for (unsigned mode = 0; mode < TLB_MODES; mode++) {
        ck_assert(!in_l1(&g, mode, VA(0), TLB_EXEC));
        ck_assert(!in_l2(&g, mode, VA(0)));
    }
    fill(&g, 0, VA(0), test_page(0), ALL);
    tlb_flush_range(&g.t, UINT64_MAX - 5, 100); /* beyond the end */
    tlb_flush_range(&g.t, 0, UINT64_MAX);       /* large */
    ck_assert(!in_l2(&g, 0, VA(0)));
    rig_fini(&g);
}
END_TEST

/* Four ways filled with pages 0 to 3, page 0 used again, page 4 comes: which one left? */
static int left(enum tlb_policy policy)
{
    struct rig g;
    int gone = -1;

    rig_init(&g, (struct tlb_config){16, 1, 4, policy});
    for (unsigned i = 0; i < 4; i++)
        fill(&g, 0, VA(i), test_page(i), R);
    ck_assert(in_l2(&g, 0, VA(0)));
    fill(&g, 0, VA(4), test_page(4), R);
    ck_assert(in_l2(&g, 0, VA(4)));
    for (int i = 0; i < 4; i++) {
        if (!in_l2(&g, 0, VA(i))) {
            ck_assert_int_eq(gone, -1);
            gone = i;
        }
    }
    rig_fini(&g);
    return gone;
}

START_TEST(policies)
{
    ck_assert_int_eq(left(TLB_LRU), 1);
    ck_assert_int_eq(left(TLB_FIFO), 0);
    ck_assert_int_ge(left(TLB_RANDOM), 0);
    ck_assert_int_eq(left(TLB_RANDOM), left(TLB_RANDOM));
}
END_TEST

START_TEST(random_policy_is_spread_and_repeatable)
{
    struct rig g[2];
    bool seen[64][2];
    unsigned kept = 0;

    for (int k = 0; k < 2; k++) {
        rig_init(&g[k], (struct tlb_config){16, 1, 8, TLB_RANDOM});
        for (unsigned i = 0; i < 64; i++)
            fill(&g[k], 0, VA(i), test_page(0), R);
        for (unsigned i = 0; i < 64; i++)
            seen[i][k] = in_l2(&g[k], 0, VA(i));
        rig_fini(&g[k]);
    }
    for (unsigned i = 0; i < 64; i++) {
        ck_assert_int_eq(seen[i][0], seen[i][1]);
        kept += seen[i][0];
    }
    ck_assert_uint_eq(kept, 8);
    for (unsigned i = 0, last = 0; i < 56; i++) { /* not simply the last 8 */
        last += seen[i][0];
        if (i == 55)
            ck_assert_uint_gt(last, 0);
    }
}
END_TEST

START_TEST(sizes)
{
    static const struct tlb_config configs[] = {{16, 0, 1, TLB_LRU},
                                                {16, 1, 1, TLB_FIFO},
                                                {64, 16, 2, TLB_LRU},
                                                {4096, 1024, 16, TLB_RANDOM}};

    for (size_t k = 0; k < ARRAY_LEN(configs); k++) {
        struct rig g;
        unsigned l1 = 0, l2 = 0, n = 128;
        rig_init(&g, configs[k]);
        for (unsigned i = 0; i < n; i++)
            fill(&g, 2, VA(i), test_page(i % RAM_PAGES), R);
        for (unsigned i = 0; i < n; i++)
            l1 += in_l1(&g, 2, VA(i), TLB_READ);
        for (unsigned i = 0; i < n; i++)
            l2 += in_l2(&g, 2, VA(i));
        unsigned room = configs[k].l2_sets * configs[k].l2_ways;
        ck_assert_uint_eq(l1, n < configs[k].l1_entries ? n : configs[k].l1_entries);
        ck_assert_uint_eq(l2, n < room ? n : room);
        rig_fini(&g);
    }
}
END_TEST

START_TEST(attributes_make_accesses_slow)
{
    struct rig g;
    rig_init(&g, (struct tlb_config)TLB_CONFIG_DEFAULT);
    uint64_t page = test_page(5);

    struct tlb_entry *e = fill(&g, 0, VA(1), page, ALL);
    struct tlb_entry *alias = fill(&g, 3, VA(900), page, ALL);
    struct tlb_entry *other = fill(&g, 0, VA(2), test_page(6), ALL);
    mem_code_add(g.m, page + 8, 4);
    ck_assert_uint_eq(e->tag[TLB_WRITE], VA(1) | TLB_SLOW);
    ck_assert_uint_eq(alias->tag[TLB_WRITE], VA(900) | TLB_SLOW);
    ck_assert_uint_eq(e->tag[TLB_READ], VA(1));
    ck_assert_uint_eq(other->tag[TLB_WRITE], VA(2));
    ck_assert(in_l1(&g, 0, VA(1), TLB_WRITE)); /* present, if slow */

    mem_attr_set(g.m, page, MEM_ATTR_WATCH);
    ck_assert_uint_eq(e->tag[TLB_READ], VA(1) | TLB_SLOW);
    ck_assert_uint_eq(e->tag[TLB_EXEC], VA(1));
    tlb_switch(&g.t, 1);
    tlb_switch(&g.t, 0);
    e = tlb_lookup(&g.t, 0, VA(1), TLB_READ); /* by L2: the attributes of now */
    ck_assert_uint_eq(e->tag[TLB_READ], VA(1) | TLB_SLOW);
    ck_assert_uint_eq(e->tag[TLB_WRITE], VA(1) | TLB_SLOW);
    mem_attr_clear(g.m, page, MEM_ATTR_WATCH);
    ck_assert_uint_eq(e->tag[TLB_READ], VA(1));
    ck_assert_uint_eq(e->tag[TLB_WRITE], VA(1) | TLB_SLOW);
    mem_code_drop(g.m, page + 8, 4);
    ck_assert_uint_eq(e->tag[TLB_WRITE], VA(1));

    mem_clean(g.m);
    e = tlb_lookup(&g.t, 0, VA(1), TLB_WRITE);
    ck_assert_uint_eq(e->tag[TLB_WRITE], VA(1) | TLB_SLOW);
    ck_assert(mem_write(g.m, page, 8, 1)); /* the first store; the next are fast */
    ck_assert_uint_eq(e->tag[TLB_WRITE], VA(1));
    rig_fini(&g);
}
END_TEST

/* The TLB against a map of what was filled and not flushed since: whatever it answers must be
 * there, and what was filled just now must be answered. */
struct model {
    uint64_t ppage;
    uint8_t allow; /* 0: not known */
};

#define SPACES 3
#define PAGES  40

static void model_check(struct rig *g, struct model (*map)[TLB_MODES][PAGES], unsigned mode,
                        unsigned i, enum tlb_access a)
{
    const struct model *want = &map[g->t.space][mode][i];
    struct tlb_entry *e = tlb_hit(&g->t, mode, VA(i), a);
    uint64_t paddr;

    if (!e)
        e = tlb_lookup(&g->t, mode, VA(i), a);
    if (e) {
        ck_assert(want->allow >> a & 1);
        void *host = mem_host(g->m, want->ppage, 1, false);
        ck_assert_uint_eq(e->addend + VA(i), (uintptr_t)host);
        unsigned attr = test_attr(g->m, want->ppage);
        bool slow = a == TLB_READ ? attr & MEM_ATTR_WATCH : a == TLB_WRITE && attr;
        ck_assert_uint_eq(e->tag[a], VA(i) | (slow ? TLB_SLOW : 0));
    }
    if (tlb_probe(&g->t, mode, VA(i), a, &paddr)) {
        ck_assert(want->allow >> a & 1);
        ck_assert_uint_eq(paddr, want->ppage);
    }
}

static void model_fill(struct rig *g, struct model (*map)[TLB_MODES][PAGES], struct test_rng *rng)
{
    static const uint64_t odd[] = {ROM_BASE, 0x10000000, UINT64_C(1) << 50};
    unsigned mode = (unsigned)test_rand(rng, TLB_MODES), i = (unsigned)test_rand(rng, PAGES);
    struct model *e = &map[g->t.space][mode][i];
    bool global = i < 8; /* by convention of this test */
    struct tlb_page page = {VA(i), test_page((unsigned)test_rand(rng, RAM_PAGES)),
                            (uint8_t)(1 + test_rand(rng, ALL)), global};

    if (!test_rand(rng, 8))
        page.ppage = odd[test_rand(rng, ARRAY_LEN(odd))];
    if (e->allow && test_rand(rng, 8)) /* the same once more; else it must be dropped first */
        page.ppage = e->ppage;
    else
        tlb_flush_page(&g->t, VA(i));
    if (page.ppage != e->ppage || !e->allow)
        for (unsigned n = 0; n < SPACES * TLB_MODES; n++)
            map[n / TLB_MODES][n % TLB_MODES][i].allow = 0;
    struct tlb_entry *got = tlb_fill(&g->t, mode, &page);
    ck_assert_int_eq(got != NULL, mem_host(g->m, page.ppage, 1, false) != NULL);
    for (unsigned s = 0; s < SPACES; s++) {
        if (!global && s != g->t.space)
            continue;
        map[s][mode][i].ppage = page.ppage;
        map[s][mode][i].allow |= page.allow;
    }
    for (enum tlb_access a = TLB_READ; a <= TLB_EXEC; a++) {
        bool rom = page.ppage == ROM_BASE && a == TLB_WRITE;
        if (page.allow >> a & 1 && got && !rom)
            ck_assert_ptr_eq(tlb_hit(&g->t, mode, VA(i), a), got);
    }
}

static void model_forget(struct model (*map)[TLB_MODES][PAGES], unsigned first, unsigned last)
{
    for (unsigned n = 0; n < SPACES * TLB_MODES; n++) {
        for (unsigned i = first; i <= last && i < PAGES; i++)
            map[n / TLB_MODES][n % TLB_MODES][i].allow = 0;
    }
}

static void model_flush(struct rig *g, struct model (*map)[TLB_MODES][PAGES], struct test_rng *rng)
{
    unsigned i = (unsigned)test_rand(rng, PAGES), n = (unsigned)test_rand(rng, 4);

    switch (test_rand(rng, 12)) {
    case 0:
        tlb_flush_all(&g->t);
        model_forget(map, 0, PAGES);
        break;
    case 1:
        tlb_flush_global(&g->t);
        model_forget(map, 0, 7);
        break;
    case 2:
        tlb_flush_range(&g->t, VA(i) + 1, n * MEM_PAGE_SIZE + 1);
        model_forget(map, i, i + n);
        break;
    case 3:
        tlb_flush_global_page(&g->t, VA(i));
        if (i < 8)
            model_forget(map, i, i);
        break;
    default:
        tlb_flush_page(&g->t, VA(i));
        model_forget(map, i, i);
    }
}

static void model_attr(struct rig *g, struct test_rng *rng)
{
    uint64_t page = test_page((unsigned)test_rand(rng, RAM_PAGES));

    switch (test_rand(rng, 20)) {
    case 0:
        mem_clean(g->m);
        break;
    case 1:
    case 2:
        mem_attr_set(g->m, page, MEM_ATTR_WATCH);
        break;
    case 3:
    case 4:
    case 5:
        mem_attr_clear(g->m, page, MEM_ATTR_WATCH);
        break;
    case 6:
        if (!mem_code_at(g->m, page, 8))
            mem_code_add(g->m, page, 8);
        break;
    case 7:
    case 8:
        if (mem_code_at(g->m, page, 8))
            mem_code_drop(g->m, page, 8);
        break;
    default:
        ck_assert(mem_write(g->m, page, 8, 0));
    }
}

START_TEST(random_model)
{
    static const struct tlb_config configs[] = {{16, 0, 1, TLB_LRU},  {16, 1, 4, TLB_LRU},
                                                {16, 8, 2, TLB_FIFO}, {32, 4, 3, TLB_RANDOM},
                                                {64, 64, 4, TLB_LRU}, {256, 512, 4, TLB_LRU}};
    struct test_rng rng = {test_seed("random_model")};

    for (size_t k = 0; k < ARRAY_LEN(configs); k++) {
        static struct model map[SPACES][TLB_MODES][PAGES];
        struct rig g;
        memset(map, 0, sizeof map);
        rig_init(&g, configs[k]);
        for (unsigned step = 0; step < 100000; step++) {
            unsigned what = (unsigned)test_rand(&rng, 100);
            if (what < 60)
                model_check(&g, map, (unsigned)test_rand(&rng, TLB_MODES),
                            (unsigned)test_rand(&rng, PAGES), (enum tlb_access)test_rand(&rng, 3));
            else if (what < 85)
                model_fill(&g, map, &rng);
            else if (what < 90)
                tlb_switch(&g.t, test_rand(&rng, SPACES));
            else if (what < 91)
                model_flush(&g, map, &rng);
            else
                model_attr(&g, &rng);
        }
        printf("# %u entries, %u sets, %u ways: %" PRIu64 " misses, %" PRIu64 " L2 hits\n",
               configs[k].l1_entries, configs[k].l2_sets, configs[k].l2_ways, g.t.count.l1_misses,
               g.t.count.l2_hits);
        ck_assert(!configs[k].l2_sets || g.t.count.l2_hits > 100);
        rig_fini(&g);
    }
}
END_TEST

START_TEST(hidden_flash_is_no_memory)
{
    static const struct mem_ops ops = {NULL, NULL, 4};
    const uint64_t flash = 0x20000000;
    struct rig g;
    uint64_t paddr;

    rig_init(&g, (struct tlb_config)TLB_CONFIG_DEFAULT);
    ck_assert_int_eq(mem_add_flash(g.m, "flash", flash, 0x10000, &ops, NULL, NULL), 0);
    fill(&g, 0, VA(1), flash + 0x3000, ALL);
    fill(&g, 2, VA(2), flash, R);
    fill(&g, 0, VA(3), test_page(1), ALL);
    ck_assert(in_l1(&g, 0, VA(1), TLB_READ) && in_l1(&g, 0, VA(1), TLB_EXEC));
    ck_assert(!in_l1(&g, 0, VA(1), TLB_WRITE));
    ck_assert_ptr_null(tlb_lookup(&g.t, 0, VA(1), TLB_WRITE));

    mem_flash_hide(g.m, flash, true);
    ck_assert(!in_l1(&g, 0, VA(1), TLB_READ) && !in_l1(&g, 0, VA(1), TLB_EXEC));
    ck_assert(!in_l1(&g, 2, VA(2), TLB_READ));
    ck_assert(in_l1(&g, 0, VA(3), TLB_WRITE)); /* the rest stays */
    ck_assert_ptr_null(tlb_lookup(&g.t, 0, VA(1), TLB_READ));
    ck_assert(tlb_probe(&g.t, 0, VA(1) + 8, TLB_READ, &paddr));
    ck_assert_uint_eq(paddr, flash + 0x3008);
    ck_assert_ptr_null(fill(&g, 2, VA(2), flash, R));

    mem_flash_hide(g.m, flash, false);
    ck_assert_ptr_nonnull(tlb_lookup(&g.t, 0, VA(1), TLB_EXEC));
    ck_assert_ptr_nonnull(tlb_lookup(&g.t, 2, VA(2), TLB_READ));
    rig_fini(&g);
}
END_TEST

UNIT_MAIN("mem/tlb", configurations, filling_and_finding, what_l1_cannot_hold, spaces,
          global_flushes, flushes, policies, random_policy_is_spread_and_repeatable, sizes,
          attributes_make_accesses_slow, random_model, hidden_flash_is_no_memory)
