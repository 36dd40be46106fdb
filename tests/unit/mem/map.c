/* The physical map: regions, accesses, block transfers, dirty pages. */
#include <errno.h>

#include "rig.h"

/* A device that remembers its last access and answers with a fixed value. */
struct probe {
    uint64_t offset, value;
    unsigned size, reads, writes;
    bool refuse;
};

static bool probe_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct probe *p = opaque;
    p->offset = offset;
    p->size = size;
    p->reads++;
    *value = UINT64_C(0x1122334455667788);
    return !p->refuse;
}

static bool probe_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct probe *p = opaque;
    p->offset = offset;
    p->size = size;
    p->value = value;
    p->writes++;
    return !p->refuse;
}

static const struct mem_ops probe_ops = {probe_read, probe_write, 1 | 4};

START_TEST(regions_are_found)
{
    struct mem *m = mem_new();
    struct mem_region *const *list;
    struct probe p = {0};

    ck_assert_ptr_null(mem_find(m, 0));
    ck_assert_int_eq(mem_add_ram(m, "b", 0x10000, 0x2000, NULL), 0);
    ck_assert_int_eq(mem_add_device(m, "c", 0x12000, 0x1000, &probe_ops, &p, NULL), 0);
    ck_assert_int_eq(mem_add_rom(m, "a", 0x1000, 0x1000, NULL), 0);
    ck_assert_int_eq(mem_add_ram(m, "top", UINT64_MAX - 0xfff, 0x1000, NULL), 0);
    ck_assert_int_eq(mem_add_ram(m, "zero", 0, 0x1000, NULL), 0);

    ck_assert_uint_eq(mem_regions(m, &list), 5);
    const char *names[] = {"zero", "a", "b", "c", "top"};
    for (size_t i = 0; i < 5; i++) {
        ck_assert_str_eq(list[i]->name, names[i]);
        ck_assert_ptr_eq(mem_find(m, list[i]->base), list[i]);
        ck_assert_ptr_eq(mem_find(m, list[i]->base + list[i]->size - 1), list[i]);
    }
    ck_assert_ptr_null(mem_find(m, 0x2000));
    ck_assert_ptr_null(mem_find(m, 0xffff));
    ck_assert_ptr_null(mem_find(m, 0x13000));
    ck_assert_ptr_null(mem_find(m, UINT64_MAX - 0x1000));
    mem_free(m);
    mem_free(NULL);
}
END_TEST

START_TEST(bad_regions_are_refused)
{
    struct mem *m = test_mem_new();
    struct err e;
    static const struct {
        uint64_t base, size;
        int code;
    } bad[] = {
        {RAM_BASE, 0x1000, -EEXIST},
        {RAM_BASE - 0x1000, 0x2000, -EEXIST},
        {RAM_BASE + (RAM_PAGES - 1) * MEM_PAGE_SIZE, 0x2000, -EEXIST},
        {0, UINT64_C(1) << 63, -EEXIST},
        {ROM_BASE, 0x1000, -EEXIST},
        {0x10000, 0, -EINVAL},
        {0x10000, 0x800, -EINVAL},
        {0x10800, 0x1000, -EINVAL},
        {UINT64_MAX - 0xfff, 0x2000, -EINVAL},
        {UINT64_C(1) << 63, (UINT64_C(1) << 63) + 0x1000, -EINVAL},
        {UINT64_C(1) << 40, UINT64_C(1) << 60, -ENOMEM},
        {UINT64_C(1) << 40, UINT64_C(1) << 46, -ENOMEM},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        memset(&e, 0, sizeof e);
        ck_assert_msg(mem_add_ram(m, "extra", bad[i].base, bad[i].size, &e) == bad[i].code,
                      "case %zu: %d %s", i, e.code, e.msg);
        ck_assert_ptr_nonnull(strstr(e.msg, "extra"));
    }
    ck_assert_int_eq(mem_add_ram(m, "x", RAM_BASE, 0x1000, &e), -EEXIST);
    ck_assert_ptr_nonnull(strstr(e.msg, "ram")); /* the one in the way is named */
    ck_assert_int_eq(mem_add_ram(m, "after", RAM_BASE + RAM_PAGES * MEM_PAGE_SIZE, 0x1000, &e), 0);
    mem_free(m);
}
END_TEST

START_TEST(big_ram_is_lazy)
{
    struct mem *m = mem_new();
    uint64_t v, size = UINT64_C(64) << 30;

    ck_assert_int_eq(mem_add_ram(m, "big", RAM_BASE, size, NULL), 0);
    ck_assert(mem_write(m, RAM_BASE + size - 8, 8, 42));
    ck_assert(mem_read(m, RAM_BASE + size - 8, 8, &v));
    ck_assert_uint_eq(v, 42);
    ck_assert(mem_read(m, RAM_BASE + size / 2, 8, &v));
    ck_assert_uint_eq(v, 0);
    mem_free(m);
}
END_TEST

START_TEST(cpu_accesses)
{
    struct mem *m = test_mem_new();
    uint64_t v;

    ck_assert(mem_write(m, RAM_BASE, 8, UINT64_C(0x8877665544332211)));
    ck_assert(mem_read(m, RAM_BASE, 1, &v) && v == 0x11);
    ck_assert(mem_read(m, RAM_BASE + 2, 2, &v) && v == 0x4433);
    ck_assert(mem_read(m, RAM_BASE + 4, 4, &v) && v == 0x88776655);
    ck_assert(mem_write(m, RAM_BASE + 1, 1, 0xabcd));
    ck_assert(mem_read(m, RAM_BASE, 4, &v) && v == 0x4433cd11);

    ck_assert(!mem_read(m, RAM_BASE + 1, 2, &v)); /* not aligned */
    ck_assert(!mem_read(m, RAM_BASE, 3, &v));
    ck_assert(!mem_read(m, RAM_BASE, 0, &v));
    ck_assert(!mem_write(m, RAM_BASE + 4, 8, 0));
    ck_assert(!mem_read(m, RAM_BASE - 8, 8, &v));
    ck_assert(!mem_write(m, test_page(RAM_PAGES), 8, 0));

    ck_assert(!mem_write(m, ROM_BASE, 4, 1));
    uint32_t word = 0x12345678;
    ck_assert_uint_eq(mem_poke(m, ROM_BASE, &word, 4), 4);
    ck_assert(mem_read(m, ROM_BASE, 4, &v) && v == word);
    mem_free(m);
}
END_TEST

START_TEST(device_accesses)
{
    struct mem *m = test_mem_new();
    struct probe p = {0};
    uint64_t v = 7;

    ck_assert_int_eq(mem_add_device(m, "dev", 0x10000, 0x1000, &probe_ops, &p, NULL), 0);
    struct mem_region *r = mem_find(m, 0x10000);
    ck_assert(mem_read(m, 0x10ffc, 4, &v));
    ck_assert_uint_eq(v, 0x55667788); /* cut to its size */
    ck_assert_uint_eq(p.offset, 0xffc);
    ck_assert_uint_eq(p.size, 4);
    ck_assert(mem_write(m, 0x10003, 1, 0x1ff));
    ck_assert_uint_eq(p.value, 0xff);
    ck_assert_uint_eq(p.offset, 3);

    ck_assert(!mem_read(m, 0x10000, 2, &v)); /* sizes that the device has not */
    ck_assert(!mem_read(m, 0x10000, 8, &v));
    ck_assert(!mem_write(m, 0x10000, 8, 0));
    ck_assert(!mem_read(m, 0x10002, 4, &v));
    ck_assert_uint_eq(p.reads, 1);
    ck_assert_uint_eq(p.writes, 1);
    p.refuse = true;
    ck_assert(!mem_read(m, 0x10000, 4, &v));
    ck_assert(!mem_write(m, 0x10000, 4, 0));
    ck_assert_uint_gt(r->reads, 0);
    ck_assert_uint_gt(r->writes, 0);

    p = (struct probe){0}; /* nothing else reaches a device */
    ck_assert_int_eq(mem_dma_read(m, 0x10000, &v, 4), -EFAULT);
    ck_assert_int_eq(mem_dma_write(m, 0x10000, &v, 4), -EFAULT);
    ck_assert_uint_eq(mem_peek(m, 0x10000, &v, 4), 0);
    ck_assert_uint_eq(mem_poke(m, 0x10000, &v, 4), 0);
    ck_assert_ptr_null(mem_host(m, 0x10000, 4, false));
    ck_assert_uint_eq(p.reads + p.writes, 0);
    mem_free(m);
}
END_TEST

#define FLASH      UINT64_C(0x20000000)
#define FLASH_SIZE (UINT64_C(1) << 20)

START_TEST(flash_is_rom_or_a_device)
{
    struct mem *m = test_mem_new();
    struct probe p = {0};
    uint64_t v;
    uint32_t word = 0x12345678;

    ck_assert_int_eq(mem_add_flash(m, "flash", FLASH, FLASH_SIZE, &probe_ops, &p, NULL), 0);
    ck_assert_int_eq(mem_add_flash(m, "flash", FLASH, FLASH_SIZE, &probe_ops, &p, NULL), -EEXIST);
    ck_assert(mem_read(m, FLASH + FLASH_SIZE - 8, 8, &v) && v == UINT64_MAX);
    ck_assert_uint_eq(mem_poke(m, FLASH + 0x40000, &word, 4), 4);
    ck_assert(mem_read(m, FLASH + 0x40000, 8, &v) && v == UINT64_C(0xffffffff12345678));
    ck_assert(mem_read(m, FLASH, 4, &v) && v == UINT32_MAX); /* a page of its own */
    ck_assert_uint_eq(p.reads, 0);
    ck_assert(mem_write(m, FLASH + 0x40004, 4, 7)); /* a command, and not stored */
    ck_assert(p.writes == 1 && p.offset == 0x40004 && p.value == 7);
    ck_assert(!mem_write(m, FLASH, 8, 7)); /* no such size */
    ck_assert_int_eq(mem_dma_read(m, FLASH + 0x40000, &v, 8), 0);
    ck_assert_uint_eq(v, UINT64_C(0xffffffff12345678));
    ck_assert_int_eq(mem_dma_write(m, FLASH, &v, 8), -EFAULT);
    ck_assert_ptr_nonnull(mem_host(m, FLASH, FLASH_SIZE, false));
    ck_assert_ptr_null(mem_host(m, FLASH, 8, true));

    mem_flash_hide(m, FLASH, true);
    ck_assert(mem_read(m, FLASH + 0x40000, 4, &v) && v == 0x55667788);
    ck_assert(!mem_read(m, FLASH + 0x40000, 8, &v)); /* sizes are the device's */
    ck_assert_uint_eq(p.reads, 1);
    ck_assert_int_eq(mem_dma_read(m, FLASH, &v, 8), -EFAULT);
    ck_assert_ptr_null(mem_host(m, FLASH, 8, false));
    word = 1;
    ck_assert_uint_eq(mem_poke(m, FLASH + 0x40004, &word, 4), 4); /* its device programs it */
    ck_assert_uint_eq(mem_peek(m, FLASH + 0x40000, &v, 8), 8);
    ck_assert_uint_eq(v, UINT64_C(0x112345678));

    mem_flash_hide(m, FLASH, false);
    ck_assert(mem_read(m, FLASH + 0x40000, 8, &v) && v == UINT64_C(0x112345678));
    mem_free(m);
}
END_TEST

/* Two regions that adjoin, a gap, and ROM behind. */
static struct mem *blocks_new(void)
{
    struct mem *m = mem_new();
    mem_add_ram(m, "a", 0x10000, 0x1000, NULL);
    mem_add_ram(m, "b", 0x11000, 0x1000, NULL);
    mem_add_rom(m, "rom", 0x12000, 0x1000, NULL);
    mem_add_ram(m, "top", UINT64_MAX - 0xfff, 0x1000, NULL);
    mem_add_ram(m, "zero", 0, 0x1000, NULL);
    return m;
}

START_TEST(dma_is_all_or_nothing)
{
    struct mem *m = blocks_new();
    uint8_t in[0x3000], out[0x3000] = {0};

    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 7 + 1);
    ck_assert_int_eq(mem_dma_write(m, 0x10800, in, 0x1800), 0); /* across regions */
    ck_assert_int_eq(mem_dma_read(m, 0x10800, out, 0x1800), 0);
    ck_assert_mem_eq(in, out, 0x1800);
    ck_assert_int_eq(mem_dma_read(m, 0x10800, out, 0x2800), 0); /* with ROM */

    uint8_t before[0x2000], after[0x2000];
    mem_peek(m, 0x10000, before, sizeof before);
    ck_assert_int_eq(mem_dma_write(m, 0x10800, in, 0x1801), -EFAULT); /* into ROM */
    ck_assert_int_eq(mem_dma_write(m, 0xffff, in, 2), -EFAULT);
    mem_peek(m, 0x10000, after, sizeof after);
    ck_assert_mem_eq(before, after, sizeof before);

    memset(out, 0x5a, sizeof out);
    ck_assert_int_eq(mem_dma_read(m, 0x12800, out, 0x801), -EFAULT);
    ck_assert_uint_eq(out[0], 0x5a);
    ck_assert_int_eq(mem_dma_read(m, 0x12800, out, UINT64_MAX), -EFAULT);
    ck_assert_int_eq(mem_dma_read(m, 0x50000, out, 0), 0);
    mem_free(m);
}
END_TEST

START_TEST(the_address_space_does_not_wrap)
{
    struct mem *m = blocks_new();
    uint8_t buf[32] = {0};

    ck_assert_int_eq(mem_dma_write(m, UINT64_MAX - 15, buf, 16), 0);
    ck_assert_int_eq(mem_dma_write(m, UINT64_MAX - 15, buf, 17), -EFAULT);
    ck_assert_int_eq(mem_dma_read(m, UINT64_MAX - 15, buf, 32), -EFAULT);
    ck_assert_uint_eq(mem_peek(m, UINT64_MAX - 15, buf, 32), 16);
    ck_assert_uint_eq(mem_poke(m, UINT64_MAX, buf, 32), 1);
    ck_assert_ptr_nonnull(mem_host(m, UINT64_MAX - 15, 16, true));
    ck_assert_ptr_null(mem_host(m, UINT64_MAX - 15, 17, true));
    ck_assert_ptr_null(mem_host(m, 0x10000, UINT64_MAX, false));

    mem_code_add(m, 0, 8);
    ck_assert(!mem_code_at(m, UINT64_MAX - 3, 100)); /* not the bytes at 0 */
    ck_assert(mem_code_at(m, 0, UINT64_MAX));
    mem_code_drop(m, 0, 8);
    mem_clean(m);
    mem_wrote(m, UINT64_MAX - 3, 100);
    ck_assert_uint_eq(test_attr(m, 0), MEM_ATTR_CLEAN);
    ck_assert_uint_eq(test_attr(m, UINT64_MAX), 0);
    mem_free(m);
}
END_TEST

START_TEST(peek_and_poke_stop_short)
{
    struct mem *m = blocks_new();
    uint8_t in[0x4000], out[0x4000] = {0};

    memset(in, 0xc3, sizeof in);
    ck_assert_uint_eq(mem_poke(m, 0x10ff0, in, sizeof in), 0x2010); /* ROM too, up to the gap */
    ck_assert_uint_eq(mem_peek(m, 0x10ff0, out, sizeof out), 0x2010);
    ck_assert_mem_eq(in, out, 0x2010);
    ck_assert_uint_eq(out[0x2010], 0);
    ck_assert_uint_eq(mem_peek(m, 0x13000, out, 1), 0);
    mem_free(m);
}
END_TEST

START_TEST(host_pointers)
{
    struct mem *m = blocks_new();

    uint8_t *p = mem_host(m, 0x10ff8, 8, true);
    ck_assert_ptr_nonnull(p);
    p[0] = 9;
    uint64_t v;
    ck_assert(mem_read(m, 0x10ff8, 1, &v) && v == 9);
    ck_assert_ptr_null(mem_host(m, 0x10ff8, 9, true)); /* two regions */
    ck_assert_ptr_nonnull(mem_host(m, 0x12000, 8, false));
    ck_assert_ptr_null(mem_host(m, 0x12000, 8, true)); /* ROM */
    ck_assert_ptr_null(mem_host(m, 0x13000, 0, false));
    mem_free(m);
}
END_TEST

static void check_dirty(struct mem *m, size_t n, const uint64_t *want)
{
    uint64_t *pages;

    ck_assert_uint_eq(mem_dirty(m, &pages), n);
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(pages[i], want[i]);
    free(pages);
}

START_TEST(dirty_pages_are_listed)
{
    struct mem *m = test_mem_new();
    uint64_t *pages, zero = 0;
    uint8_t buf[0x1800] = {0};
    struct probe p = {0};

    mem_add_flash(m, "flash", FLASH, FLASH_SIZE, &probe_ops, &p, NULL);
    ck_assert_uint_eq(mem_dirty(m, &pages), RAM_PAGES + 1 + (FLASH_SIZE >> MEM_PAGE_BITS));
    free(pages);
    mem_clean(m);
    check_dirty(m, 0, NULL);

    ck_assert(mem_write(m, test_page(9) + 8, 8, 1));
    ck_assert_int_eq(mem_dma_write(m, test_page(3) + 0xf00, buf, sizeof buf), 0);
    mem_wrote(m, test_page(20), 1);
    ck_assert(mem_table_update(m, test_page(30), 8, 1));
    ck_assert_uint_eq(mem_poke(m, ROM_BASE, &zero, 8), 8);
    mem_flash_hide(m, FLASH, true); /* which changes no byte */
    ck_assert_uint_eq(mem_poke(m, FLASH + 0x2008, &zero, 8), 8);
    check_dirty(m, 8,
                (const uint64_t[]){ROM_BASE, FLASH + 0x2000, test_page(3), test_page(4),
                                   test_page(5), test_page(9), test_page(20), test_page(30)});
    mem_clean(m);
    check_dirty(m, 0, NULL);
    mem_free(m);
}
END_TEST

UNIT_MAIN("mem/map", regions_are_found, bad_regions_are_refused, big_ram_is_lazy, cpu_accesses,
          device_accesses, flash_is_rom_or_a_device, dma_is_all_or_nothing,
          the_address_space_does_not_wrap, peek_and_poke_stop_short, host_pointers,
          dirty_pages_are_listed)
