/* Marks of translated code: found by the byte, nested, across pages. */
#include "rig.h"

struct heard {
    unsigned calls;
    uint64_t paddr, len; /* of the last call */
    struct mem *m;
    uint64_t drop_paddr, drop_len; /* dropped when called, once; len 0: nothing */
    uint64_t seen;                 /* what memory held at the last call */
};

static void hear(void *opaque, uint64_t paddr, uint64_t len)
{
    struct heard *h = opaque;

    h->calls++;
    h->paddr = paddr;
    h->len = len;
    mem_peek(h->m, paddr & ~UINT64_C(7), &h->seen, 8);
    if (h->drop_len)
        mem_code_drop(h->m, h->drop_paddr, h->drop_len);
    h->drop_len = 0;
}

/* Whether a store of `size` bytes there is heard. */
static bool heard(struct mem *m, struct heard *h, uint64_t paddr, unsigned size)
{
    unsigned before = h->calls;

    ck_assert(mem_write(m, paddr, size, 0));
    if (h->calls != before) {
        ck_assert_uint_eq(h->calls, before + 1);
        ck_assert_uint_eq(h->paddr, paddr);
        ck_assert_uint_eq(h->len, size);
    }
    return h->calls != before;
}

START_TEST(found_by_the_byte)
{
    struct mem *m = test_mem_new();
    struct heard h = {.m = m};
    uint64_t at = RAM_BASE + 0x102;

    mem_code_listen(m, hear, &h);
    mem_code_add(m, at, 6); /* 0x102 to 0x107 */
    ck_assert_uint_eq(test_attr(m, at), MEM_ATTR_CODE);
    ck_assert(!heard(m, &h, RAM_BASE + 0x101, 1));
    ck_assert(heard(m, &h, RAM_BASE + 0x102, 1));
    ck_assert(heard(m, &h, RAM_BASE + 0x107, 1));
    ck_assert(!heard(m, &h, RAM_BASE + 0x108, 1));
    ck_assert(!heard(m, &h, RAM_BASE + 0x100, 2)); /* the same 64 bytes */
    ck_assert(heard(m, &h, RAM_BASE + 0x100, 4));
    ck_assert(heard(m, &h, RAM_BASE + 0x100, 8));
    ck_assert(!heard(m, &h, RAM_BASE + 0x0f8, 8));
    ck_assert(!heard(m, &h, RAM_BASE + 0x800, 8));
    ck_assert(!heard(m, &h, test_page(1), 8));
    ck_assert(mem_code_at(m, RAM_BASE + 0x107, 1));
    ck_assert(!mem_code_at(m, RAM_BASE + 0x108, 100));
    ck_assert(mem_code_at(m, 0, UINT64_MAX));
    ck_assert(!mem_code_at(m, RAM_BASE + 0x102, 0));
    mem_code_drop(m, at, 6);
    ck_assert_uint_eq(test_attr(m, at), 0);
    ck_assert(!mem_code_at(m, 0, UINT64_MAX));
    ck_assert(!heard(m, &h, RAM_BASE + 0x102, 1));
    mem_free(m);
}
END_TEST

START_TEST(told_before_the_change)
{
    struct mem *m = test_mem_new();
    struct heard h = {.m = m};

    mem_code_listen(m, hear, &h);
    ck_assert(mem_write(m, RAM_BASE, 8, 111));
    mem_code_add(m, RAM_BASE, 4);
    ck_assert(mem_write(m, RAM_BASE, 8, 222));
    ck_assert_uint_eq(h.seen, 111);
    uint64_t v = 333;
    ck_assert_int_eq(mem_dma_write(m, RAM_BASE, &v, 8), 0);
    ck_assert_uint_eq(h.seen, 222);
    ck_assert_uint_eq(h.calls, 2);
    mem_wrote(m, RAM_BASE, 1);
    ck_assert_uint_eq(h.calls, 3);
    ck_assert(mem_table_update(m, RAM_BASE, 8, 444));
    ck_assert_uint_eq(h.calls, 4);
    mem_code_drop(m, RAM_BASE, 4);
    mem_free(m);
}
END_TEST

START_TEST(marks_nest)
{
    struct mem *m = test_mem_new();
    struct heard h = {.m = m};

    mem_code_listen(m, hear, &h);
    mem_code_add(m, RAM_BASE + 16, 16);
    mem_code_add(m, RAM_BASE + 16, 16); /* the same twice */
    mem_code_add(m, RAM_BASE + 24, 100);
    mem_code_drop(m, RAM_BASE + 16, 16);
    ck_assert(heard(m, &h, RAM_BASE + 16, 1));
    mem_code_drop(m, RAM_BASE + 16, 16);
    ck_assert(!heard(m, &h, RAM_BASE + 16, 8));
    ck_assert(heard(m, &h, RAM_BASE + 24, 1));
    ck_assert(heard(m, &h, RAM_BASE + 123, 1));
    ck_assert(!heard(m, &h, RAM_BASE + 124, 1));
    mem_code_drop(m, RAM_BASE + 24, 100);
    ck_assert_uint_eq(test_attr(m, RAM_BASE), 0);
    mem_free(m);
}
END_TEST

START_TEST(marks_cross_pages)
{
    struct mem *m = test_mem_new();
    struct heard h = {.m = m};
    uint64_t at = test_page(4) - 2, len = MEM_PAGE_SIZE + 4; /* pages 3 to 5 */

    mem_code_listen(m, hear, &h);
    mem_code_add(m, at, len);
    for (unsigned p = 3; p <= 5; p++)
        ck_assert_uint_eq(test_attr(m, test_page(p)), MEM_ATTR_CODE);
    ck_assert(!heard(m, &h, test_page(4) - 4, 2));
    ck_assert(heard(m, &h, test_page(4) - 2, 2));
    ck_assert(heard(m, &h, test_page(4) + 0x800, 8));
    ck_assert(heard(m, &h, test_page(5), 8));
    ck_assert(!heard(m, &h, test_page(5) + 2, 2));

    h.calls = 0; /* one store across pages: each page's bytes are told */
    uint8_t bytes[16] = {0};
    ck_assert_int_eq(mem_dma_write(m, test_page(4) - 8, bytes, 16), 0);
    ck_assert_uint_eq(h.calls, 2);
    ck_assert_uint_eq(h.paddr, test_page(4));
    ck_assert_uint_eq(h.len, 8);
    mem_code_drop(m, at, len);
    for (unsigned p = 3; p <= 5; p++)
        ck_assert_uint_eq(test_attr(m, test_page(p)), 0);
    mem_free(m);
}
END_TEST

START_TEST(listeners_drop_and_leave)
{
    struct mem *m = test_mem_new();
    struct heard a = {.m = m}, b = {.m = m};

    mem_code_listen(m, hear, &a);
    mem_code_listen(m, hear, &b);
    mem_code_add(m, RAM_BASE, 8);
    a.drop_paddr = RAM_BASE; /* the last mark goes while the store is looked at */
    a.drop_len = 8;
    ck_assert(mem_write(m, RAM_BASE, 8, 5));
    ck_assert_uint_eq(a.calls, 1);
    ck_assert_uint_eq(b.calls, 1);
    ck_assert_uint_eq(test_attr(m, RAM_BASE), 0);

    mem_code_add(m, RAM_BASE, 8);
    mem_code_unlisten(m, &a);
    ck_assert(mem_write(m, RAM_BASE, 8, 6));
    ck_assert_uint_eq(a.calls, 1);
    ck_assert_uint_eq(b.calls, 2);
    mem_free(m); /* marks left behind are freed */
}
END_TEST

START_TEST(a_debugger_writes_code_in_rom)
{
    struct mem *m = test_mem_new();
    struct heard h = {.m = m};

    mem_code_listen(m, hear, &h);
    mem_code_add(m, ROM_BASE + 0x10, 4);
    ck_assert_uint_eq(mem_poke(m, ROM_BASE + 0x13, "x", 1), 1);
    ck_assert_uint_eq(h.calls, 1);
    mem_code_drop(m, ROM_BASE + 0x10, 4);
    mem_free(m);
}
END_TEST

START_TEST(code_in_flash_goes_when_that_is_hidden)
{
    static const struct mem_ops ops = {NULL, NULL, 4};
    struct mem *m = test_mem_new();
    struct heard h = {.m = m, .drop_paddr = 0x20001010, .drop_len = 4};

    mem_code_listen(m, hear, &h);
    ck_assert_int_eq(mem_add_flash(m, "flash", 0x20000000, 0x10000, &ops, NULL, NULL), 0);
    mem_code_add(m, 0x20001010, 4);
    mem_flash_hide(m, 0x20000000, true);
    ck_assert(h.calls == 1 && h.paddr == 0x20001000 && h.len == MEM_PAGE_SIZE);
    ck_assert(!mem_code_at(m, 0x20000000, 0x10000));
    mem_flash_hide(m, 0x20000000, false);
    mem_code_add(m, 0x20001010, 4);
    ck_assert_uint_eq(mem_poke(m, 0x20001013, "x", 1), 1); /* programmed */
    ck_assert_uint_eq(h.calls, 2);
    mem_code_drop(m, 0x20001010, 4);
    mem_free(m);
}
END_TEST

/* Random marks against a count for each byte. */
START_TEST(random_marks)
{
    enum { MARKS = 40, BYTES = 3 * 4096, STEPS = 20000 };
    struct test_rng rng = {test_seed("random_marks")};
    struct mem *m = test_mem_new();
    struct heard h = {.m = m};
    struct {
        unsigned start, len;
    } marks[MARKS] = {0};
    static uint8_t count[BYTES];

    mem_code_listen(m, hear, &h);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)test_rand(&rng, MARKS);
        if (marks[i].len) {
            mem_code_drop(m, RAM_BASE + marks[i].start, marks[i].len);
            for (unsigned k = 0; k < marks[i].len; k++)
                count[marks[i].start + k]--;
            marks[i].len = 0;
        } else {
            marks[i].len = 1 + (unsigned)test_rand(&rng, test_rand(&rng, 20) ? 200 : 5000);
            marks[i].start = (unsigned)test_rand(&rng, BYTES - marks[i].len) & ~1u;
            mem_code_add(m, RAM_BASE + marks[i].start, marks[i].len);
            for (unsigned k = 0; k < marks[i].len; k++)
                count[marks[i].start + k]++;
        }
        unsigned size = 1u << test_rand(&rng, 4);
        unsigned at = (unsigned)test_rand(&rng, BYTES) & ~(size - 1);
        bool want = false;
        for (unsigned k = at; k < at + size; k++)
            want |= count[k] != 0;
        ck_assert_int_eq(heard(m, &h, RAM_BASE + at, size), want);
        ck_assert_int_eq(mem_code_at(m, RAM_BASE + at, size), want);
    }
    mem_free(m);
}
END_TEST

UNIT_MAIN("mem/code", found_by_the_byte, told_before_the_change, marks_nest, marks_cross_pages,
          listeners_drop_and_leave, a_debugger_writes_code_in_rom,
          code_in_flash_goes_when_that_is_hidden, random_marks)
