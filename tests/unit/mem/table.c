/* Page tables: which stores drop what from the TLBs. */
#include "rig.h"

#define ALL (1 << TLB_READ | 1 << TLB_WRITE | 1 << TLB_EXEC)

/* Two CPUs' TLBs over test_mem_new's map; page 0 of RAM is the table of most tests. */
struct rig {
    struct mem *m;
    struct tlb t[2];
    void *l1[2];
};

static void rig_init(struct rig *g)
{
    static const struct tlb_config config = TLB_CONFIG_DEFAULT;

    g->m = test_mem_new();
    for (int i = 0; i < 2; i++) {
        g->l1[i] = malloc(tlb_l1_bytes(&config));
        tlb_init(&g->t[i], &config, g->m, g->l1[i]);
    }
}

static void rig_fini(struct rig *g)
{
    for (int i = 0; i < 2; i++) {
        tlb_fini(&g->t[i]);
        free(g->l1[i]);
    }
    mem_free(g->m);
}

#define VA(i) (UINT64_C(0x40000000) + (uint64_t)(i)*MEM_PAGE_SIZE)

/* What a walk of CPU 0 does that finds vaddr by the entry at `entry`: both TLBs get it. */
static void walked(struct rig *g, uint64_t entry, uint64_t vaddr, unsigned level, bool exec)
{
    struct tlb_page page = {vaddr, test_page(40), exec ? ALL : 1 << TLB_READ, false};

    mem_table_used(g->m, entry, vaddr, level, exec);
    for (int i = 0; i < 2; i++)
        ck_assert_ptr_nonnull(tlb_fill(&g->t[i], 0, &page));
}

static bool known(struct rig *g, uint64_t vaddr)
{
    uint64_t paddr;
    bool in[2];

    for (int i = 0; i < 2; i++) {
        in[i] = tlb_hit(&g->t[i], 0, vaddr, TLB_READ) != NULL;
        ck_assert_int_eq(tlb_probe(&g->t[i], 0, vaddr, TLB_READ, &paddr), in[i]);
    }
    ck_assert_int_eq(in[0], in[1]);
    return in[0];
}

static uint64_t entry_of(unsigned i)
{
    return test_page(0) + 8 * i;
}

static void store(struct rig *g, uint64_t paddr, uint64_t value)
{
    ck_assert(mem_write(g->m, paddr, 8, value));
}

START_TEST(a_changed_entry_drops_its_page)
{
    struct rig g;
    rig_init(&g);

    for (unsigned i = 0; i < 3; i++) {
        store(&g, entry_of(i), 0x1000 + i);
        walked(&g, entry_of(i), VA(i), 0, false);
    }
    ck_assert_uint_eq(test_attr(g.m, test_page(0)), MEM_ATTR_TABLE);
    store(&g, entry_of(1), 0x1001); /* the same value changes nothing */
    ck_assert(known(&g, VA(1)));
    ck_assert(mem_write(g.m, entry_of(1), 1, 0)); /* one byte of it does */
    ck_assert(known(&g, VA(0)));
    ck_assert(!known(&g, VA(1)));
    ck_assert(known(&g, VA(2)));
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(g.t[i].count.flushes_page, 1);
        ck_assert_uint_eq(g.t[i].count.flushes_all, 0);
        ck_assert_uint_eq(g.t[i].count.table_writes, 1);
    }
    uint64_t two[2] = {7, 7}; /* unaligned, over entries 0 to 2 */
    ck_assert_int_eq(mem_dma_write(g.m, entry_of(0) + 4, two, 16), 0);
    ck_assert(!known(&g, VA(0)));
    ck_assert(!known(&g, VA(2)));
    rig_fini(&g);
}
END_TEST

START_TEST(filling_a_zero_entry_drops_nothing)
{
    struct rig g;
    rig_init(&g);

    store(&g, entry_of(0), 1);
    walked(&g, entry_of(0), VA(0), 0, true);
    mem_table_used(g.m, entry_of(5), VA(5), 0, true); /* a walk that ended at a 0 */
    uint64_t epoch = g.t[0].exec_epoch;
    store(&g, entry_of(5), 0x5005);
    store(&g, entry_of(6), 0x6006);
    store(&g, entry_of(6), 0x6007); /* not 0, but no walk used it */
    ck_assert(known(&g, VA(0)));
    ck_assert_uint_eq(g.t[0].count.flushes_page + g.t[0].count.flushes_all, 0);
    ck_assert_uint_eq(g.t[0].exec_epoch, epoch);
    rig_fini(&g);
}
END_TEST

START_TEST(exec_epoch_follows_code_only)
{
    struct rig g;
    rig_init(&g);

    for (unsigned i = 0; i < 4; i++)
        store(&g, entry_of(i), 1 + i);
    walked(&g, entry_of(0), VA(0), 0, false);
    walked(&g, entry_of(1), VA(1), 0, true);
    walked(&g, entry_of(2), VA(2), 0, true);
    walked(&g, entry_of(2), VA(2), 0, false); /* once executable is enough */
    uint64_t epoch = g.t[1].exec_epoch;
    store(&g, entry_of(0), 0);
    ck_assert(!known(&g, VA(0)));
    ck_assert_uint_eq(g.t[1].exec_epoch, epoch);
    store(&g, entry_of(1), 0);
    ck_assert_uint_gt(g.t[1].exec_epoch, epoch);
    epoch = g.t[1].exec_epoch;
    store(&g, entry_of(2), 0);
    ck_assert_uint_gt(g.t[1].exec_epoch, epoch);
    epoch = g.t[1].exec_epoch;
    store(&g, entry_of(2), 9); /* was dropped already */
    ck_assert_uint_eq(g.t[1].exec_epoch, epoch);
    rig_fini(&g);
}
END_TEST

START_TEST(upper_levels_drop_everything)
{
    struct rig g;
    rig_init(&g);

    store(&g, test_page(1) + 8, 1);
    store(&g, entry_of(0), 1);
    mem_table_used(g.m, test_page(1) + 8, VA(0), 1, false);
    walked(&g, entry_of(0), VA(0), 0, false);
    uint64_t epoch = g.t[0].exec_epoch;
    store(&g, test_page(1) + 8, 2);
    ck_assert(!known(&g, VA(0)));
    ck_assert_uint_eq(g.t[0].count.flushes_all, 1);
    ck_assert_uint_gt(g.t[0].exec_epoch, epoch);
    store(&g, test_page(1) + 8, 3); /* nothing has been made of it since */
    store(&g, entry_of(0), 2);
    ck_assert_uint_eq(g.t[0].count.flushes_all + g.t[0].count.flushes_page, 1);
    rig_fini(&g);
}
END_TEST

START_TEST(a_table_seen_at_two_places)
{
    struct rig g;
    rig_init(&g);

    store(&g, entry_of(0), 1);
    store(&g, entry_of(1), 1);
    walked(&g, entry_of(0), VA(0), 0, false);
    walked(&g, entry_of(0), VA(512), 0, false);
    walked(&g, entry_of(1), VA(1), 0, false);
    store(&g, entry_of(0), 2);
    ck_assert(!known(&g, VA(0)));
    ck_assert(!known(&g, VA(512)));
    ck_assert_uint_eq(g.t[0].count.flushes_all, 1);

    walked(&g, entry_of(0), VA(512), 0, false); /* one place again */
    walked(&g, entry_of(1), VA(513), 0, false);
    store(&g, entry_of(1), 2);
    ck_assert(known(&g, VA(512)));
    ck_assert(!known(&g, VA(513)));

    walked(&g, entry_of(1), VA(513), 1, false); /* the same page as two levels */
    store(&g, entry_of(0), 3);
    ck_assert(!known(&g, VA(512)));
    ck_assert(!known(&g, VA(513)));
    rig_fini(&g);
}
END_TEST

START_TEST(entries_of_four_bytes)
{
    struct rig g;
    rig_init(&g);
    uint64_t at = test_page(0) + 8;

    store(&g, at, 1);
    walked(&g, at + 4, VA(3), 0, false);
    ck_assert(mem_write(g.m, at + 4, 4, 2));
    ck_assert(!known(&g, VA(3)));
    walked(&g, at, VA(2), 0, false);
    walked(&g, at + 4, VA(3), 0, false);
    ck_assert(mem_write(g.m, at, 4, 3));
    ck_assert(!known(&g, VA(2)));
    rig_fini(&g);
}
END_TEST

START_TEST(writes_of_unknown_content)
{
    struct rig g;
    rig_init(&g);

    store(&g, entry_of(3), 1);
    store(&g, entry_of(4), 1);
    walked(&g, entry_of(3), VA(3), 0, false);
    walked(&g, entry_of(4), VA(4), 0, false);
    mem_wrote(g.m, entry_of(3) + 7, 1);
    ck_assert(!known(&g, VA(3)));
    ck_assert(known(&g, VA(4)));
    mem_wrote(g.m, 0, UINT64_MAX);
    ck_assert(!known(&g, VA(4)));
    rig_fini(&g);
}
END_TEST

START_TEST(the_walker_drops_nothing)
{
    struct rig g;
    rig_init(&g);

    store(&g, entry_of(0), 1);
    walked(&g, entry_of(0), VA(0), 0, true);
    ck_assert(mem_table_update(g.m, entry_of(0), 8, 0xc1));
    ck_assert(known(&g, VA(0)));
    uint64_t v;
    ck_assert(mem_read(g.m, entry_of(0), 8, &v) && v == 0xc1);
    ck_assert(!mem_table_update(g.m, ROM_BASE, 8, 1));
    ck_assert(!mem_table_update(g.m, entry_of(0) + 4, 8, 1));
    ck_assert(!mem_table_update(g.m, UINT64_C(1) << 50, 8, 1));
    rig_fini(&g);
}
END_TEST

/* Stores that change words of a table until it is forgotten; returns how many. */
static unsigned until_forgotten(struct rig *g, unsigned first)
{
    for (unsigned n = 0; n < 1000; n++) {
        if (!test_attr(g->m, test_page(0)))
            return n;
        store(g, entry_of(first + n % 100), n + 1000);
    }
    return 1000;
}

START_TEST(recycled_tables_are_forgotten)
{
    struct rig g;
    rig_init(&g);

    store(&g, entry_of(0), 1);
    store(&g, entry_of(1), 1);
    walked(&g, entry_of(0), VA(0), 0, false);
    for (unsigned i = 0; i < 40; i++)
        store(&g, entry_of(200 + i), 1 + i);
    walked(&g, entry_of(1), VA(1), 0, false); /* in use after all: counting starts anew */
    ck_assert_uint_eq(until_forgotten(&g, 300), 64);
    ck_assert(!known(&g, VA(0))); /* what was made of it went with it */
    ck_assert(!known(&g, VA(1)));
    ck_assert_ptr_null(tlb_hit(&g.t[0], 0, VA(1), TLB_READ));

    walked(&g, entry_of(0), VA(0), 0, false); /* and known again */
    store(&g, entry_of(0), 2);
    ck_assert(!known(&g, VA(0)));

    mem_table_used(g.m, entry_of(0), VA(0), 1, false); /* one that must flush all */
    walked(&g, entry_of(0), VA(0), 0, false);
    uint8_t page[MEM_PAGE_SIZE];
    memset(page, 0x55, sizeof page);
    ck_assert_int_eq(mem_dma_write(g.m, test_page(0), page, sizeof page), 0); /* at once */
    ck_assert_uint_eq(test_attr(g.m, test_page(0)), 0);
    ck_assert(!known(&g, VA(0)));

    for (unsigned i = 0; i < 100; i++) /* many: cheaper all at once */
        walked(&g, entry_of(i), VA(i), 0, false);
    uint64_t all = g.t[0].count.flushes_all;
    ck_assert_uint_eq(until_forgotten(&g, 300), 64);
    ck_assert_uint_eq(g.t[0].count.flushes_all, all + 1);
    for (unsigned i = 0; i < 100; i++)
        ck_assert(!known(&g, VA(i)));
    rig_fini(&g);
}
END_TEST

START_TEST(other_pages_and_devices)
{
    struct rig g;
    rig_init(&g);

    store(&g, entry_of(0), 1);
    walked(&g, entry_of(0), VA(0), 0, false);
    for (unsigned i = 0; i < 100; i++)
        store(&g, test_page(1) + 8 * i, i + 1);
    ck_assert(known(&g, VA(0)));
    mem_table_used(g.m, UINT64_C(1) << 50, VA(0), 0, false); /* nothing there: ignored */
    uint64_t v = 5;
    mem_poke(g.m, ROM_BASE, &v, 8);
    walked(&g, ROM_BASE, VA(7), 0, false); /* a table in ROM, which a debugger changes */
    v = 6;
    mem_poke(g.m, ROM_BASE, &v, 8);
    ck_assert(!known(&g, VA(7)));
    tlb_fini(&g.t[1]); /* no longer told */
    store(&g, entry_of(0), 2);
    ck_assert_ptr_null(tlb_hit(&g.t[0], 0, VA(0), TLB_READ));
    tlb_init(&g.t[1], &g.t[0].config, g.m, g.l1[1]);
    mem_tlb_attach(g.m, &g.t[1]); /* twice is once */
    store(&g, entry_of(0), 1);
    walked(&g, entry_of(0), VA(0), 0, false);
    store(&g, entry_of(0), 3);
    ck_assert_uint_eq(g.t[1].count.flushes_page, 1);
    rig_fini(&g);
}
END_TEST

UNIT_MAIN("mem/table", a_changed_entry_drops_its_page, filling_a_zero_entry_drops_nothing,
          exec_epoch_follows_code_only, upper_levels_drop_everything, a_table_seen_at_two_places,
          entries_of_four_bytes, writes_of_unknown_content, the_walker_drops_nothing,
          recycled_tables_are_forgotten, other_pages_and_devices)
