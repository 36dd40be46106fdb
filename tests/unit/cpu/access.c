/* access.c - the slow path of loads, stores and fetches, on a RISC-V hart. */
#include "../riscv64/hart.h"

#define VA UINT64_C(0x40000000)

/* Two pages that adjoin at VA: RAM + 0x4000 and RAM + 0x9000, as seen from S. */
static void map_two(struct hart *t, uint64_t first, uint64_t second)
{
    hart_init(t);
    hart_paging(t, 8);
    hart_priv(t, RV_S);
    hart_map(t, VA, RAM + 0x4000, 0, first);
    hart_map(t, VA + 4096, RAM + 0x9000, 0, second);
}

START_TEST(loads_extend)
{
    static const struct {
        unsigned mo;
        uint64_t want;
    } rows[] = {
        {IR_MO_8, 0xf8},
        {IR_MO_8 | IR_MO_SIGN, UINT64_C(0xfffffffffffffff8)},
        {IR_MO_16, 0xf7f8},
        {IR_MO_16 | IR_MO_SIGN, UINT64_C(0xfffffffffffff7f8)},
        {IR_MO_32, 0xf5f6f7f8},
        {IR_MO_32 | IR_MO_SIGN, UINT64_C(0xfffffffff5f6f7f8)},
        {IR_MO_64, UINT64_C(0xf1f2f3f4f5f6f7f8)},
    };
    struct hart t;
    hart_init(&t);
    for (unsigned offset = 0; offset < 8; offset++) {
        hart_set_word(&t, RAM + 64 + offset, UINT64_C(0xf1f2f3f4f5f6f7f8));
        for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
            uint64_t v = 0;
            ck_assert_int_eq(hart_load(&t, RAM + 64 + offset, rows[i].mo, &v), CPU_OK);
            ck_assert_uint_eq(v, rows[i].want);
        }
    }
    hart_fini(&t);
}
END_TEST

START_TEST(stores_write_their_bytes_only)
{
    struct hart t;
    hart_init(&t);
    for (unsigned size = 0; size < 4; size++) {
        for (unsigned offset = 0; offset < 8; offset++) {
            uint64_t want[2] = {UINT64_MAX, UINT64_MAX}, got[2];
            uint64_t v = UINT64_C(0x1122334455667788);
            hart_set_word(&t, RAM, UINT64_MAX);
            hart_set_word(&t, RAM + 8, UINT64_MAX);
            memcpy((char *)want + offset, &v, 1u << size);
            ck_assert_int_eq(hart_store(&t, RAM + offset, size, v), CPU_OK);
            mem_peek(t.mem, RAM, got, 16);
            ck_assert_mem_eq(got, want, 16);
        }
    }
    hart_fini(&t);
}
END_TEST

START_TEST(across_pages)
{
    struct hart t;
    map_two(&t, RWXAD, RWXAD);
    for (unsigned size = 1; size < 4; size++) {
        for (unsigned n = 1; n < 1u << size; n++) { /* n bytes in the first page */
            uint64_t v = 0, value = UINT64_C(0xf122334455667788);
            uint8_t bytes[16];
            unsigned bits = 8u << size;
            hart_set_word(&t, RAM + 0x4ff8, 0);
            hart_set_word(&t, RAM + 0x9000, 0);
            ck_assert_int_eq(hart_store(&t, VA + 4096 - n, size, value), CPU_OK);
            mem_peek(t.mem, RAM + 0x4ff8, bytes, 8);
            mem_peek(t.mem, RAM + 0x9000, bytes + 8, 8);
            ck_assert_mem_eq(bytes + 8 - n, &value, 1u << size);
            ck_assert_uint_eq(bytes[7 - n], 0);
            ck_assert_uint_eq(bytes[8 - n + (1u << size)], 0);
            ck_assert_int_eq(hart_load(&t, VA + 4096 - n, size, &v), CPU_OK);
            ck_assert_uint_eq(v, value & bits_mask(bits));
            ck_assert_int_eq(hart_load(&t, VA + 4096 - n, size | IR_MO_SIGN, &v), CPU_OK);
            ck_assert_uint_eq(v, (uint64_t)bits_sext(value, bits));
        }
    }
    hart_fini(&t);
}
END_TEST

START_TEST(across_pages_faults)
{
    struct hart t;
    uint64_t v = 5;
    map_two(&t, RWXAD, V | R | A);
    hart_set_word(&t, RAM + 0x4ff8, 7);
    ck_assert_int_eq(hart_store(&t, VA + 4096 - 3, IR_MO_64, UINT64_MAX), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_PAGE, VA + 4096);
    ck_assert_uint_eq(hart_word(&t, RAM + 0x4ff8), 7); /* all or nothing */
    ck_assert_int_eq(hart_load(&t, VA + 4096 - 3, IR_MO_64, &v), CPU_OK);
    ck_assert_int_eq(hart_load(&t, VA + 8192 - 3, IR_MO_64, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_LOAD_PAGE, VA + 8192);
    ck_assert_int_eq(hart_load(&t, VA - 1, IR_MO_16, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_LOAD_PAGE, VA - 1);
    hart_fini(&t);

    map_two(&t, RWXAD, RWXAD);
    hart_map(&t, VA + 4096, DEV, 0, RWXAD);
    ck_assert_int_eq(hart_store(&t, VA + 4095, IR_MO_16, 0), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_ACCESS, VA + 4096);
    hart_map(&t, VA, DEV, 0, RWXAD);
    ck_assert_int_eq(hart_load(&t, VA + 4095, IR_MO_16, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_LOAD_ACCESS, VA + 4095);
    ck_assert_uint_eq(t.reads + t.writes, 0);
    hart_fini(&t);
}
END_TEST

/* The last bytes of the address space and its first do not adjoin in any mode. */
START_TEST(wraps_around)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    ck_assert_int_eq(hart_load(&t, UINT64_MAX, IR_MO_64, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_LOAD_ACCESS, UINT64_MAX);
    hart_fini(&t);
}
END_TEST

START_TEST(alignment)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    ck_assert_int_eq(hart_load(&t, RAM + 8, IR_MO_64 | IR_MO_ALIGN, &v), CPU_OK);
    ck_assert_int_eq(hart_load(&t, RAM + 4, IR_MO_64 | IR_MO_ALIGN, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_LOAD_MISALIGNED, RAM + 4);
    ck_assert_int_eq(hart_load(&t, RAM + 2, IR_MO_32 | IR_MO_ALIGN | IR_MO_RMW, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_MISALIGNED, RAM + 2);
    ck_assert_int_eq(hart_store(&t, RAM + 1, IR_MO_16 | IR_MO_ALIGN, 0), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_MISALIGNED, RAM + 1);
    hart_fini(&t);
}
END_TEST

START_TEST(read_modify_write_needs_both)
{
    struct hart t;
    uint64_t v = 0;
    map_two(&t, V | R | A, RWXAD);
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_OK);
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64 | IR_MO_RMW, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_PAGE, VA);
    hart_set_word(&t, RAM + 0x9000, 3);
    ck_assert_int_eq(hart_load(&t, VA + 4096, IR_MO_64 | IR_MO_RMW, &v), CPU_OK);
    ck_assert_uint_eq(v, 3);
    ck_assert_int_eq(hart_load(&t, VA + 8192, IR_MO_64 | IR_MO_RMW, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_PAGE, VA + 8192);
    hart_priv(&t, RV_M);
    ck_assert_int_eq(hart_load(&t, ROM, IR_MO_64 | IR_MO_RMW, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_ACCESS, ROM);
    hart_fini(&t);
}
END_TEST

START_TEST(devices_want_precision)
{
    struct hart t;
    uint64_t v = 0;
    hart_init(&t);
    t.value = 0x80;
    ck_assert_int_eq(hart_load(&t, DEV + 4, IR_MO_8, &v), CPU_PRECISE);
    ck_assert_int_eq(hart_store(&t, DEV + 4, IR_MO_32, 1), CPU_PRECISE);
    ck_assert_int_eq(hart_load(&t, DEV + 4, IR_MO_32 | IR_MO_RMW, &v), CPU_PRECISE);
    ck_assert_uint_eq(t.reads + t.writes, 0);
    t.c->precise = 1;
    for (unsigned i = 1; i < 3; i++) { /* by the walk, then by L2 */
        ck_assert_int_eq(hart_load(&t, DEV + 4, IR_MO_8 | IR_MO_SIGN, &v), CPU_OK);
        ck_assert_uint_eq(v, (uint64_t)-128);
        ck_assert_uint_eq(t.reads, i);
    }
    ck_assert_uint_eq(t.offset, 4);
    ck_assert_int_eq(hart_store(&t, DEV + 8, IR_MO_16, 0x1234), CPU_OK);
    ck_assert_uint_eq(t.offset, 8);
    ck_assert_uint_eq(t.value, 0x1234);
    ck_assert_uint_eq(t.c->count.devices, 3);
    hart_fini(&t);
}
END_TEST

START_TEST(refused_accesses)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    ck_assert_int_eq(hart_load(&t, DEV + 1, IR_MO_16, &v), CPU_FAULT); /* no need for precision */
    ck_assert_int_eq(hart_store(&t, DEV + 1, IR_MO_16, 0), CPU_FAULT);
    t.c->precise = 1;
    ck_assert_int_eq(hart_load(&t, DEV + 0x100, IR_MO_32, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_LOAD_ACCESS, DEV + 0x100);
    ck_assert_int_eq(hart_store(&t, DEV + 0x100, IR_MO_32, 0), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_ACCESS, DEV + 0x100);
    ck_assert_int_eq(hart_load(&t, DEV, IR_MO_64, &v), CPU_FAULT); /* a size it does not take */
    ck_assert_int_eq(hart_load(&t, DEV + 1, IR_MO_16, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_LOAD_ACCESS, DEV + 1);
    ck_assert_int_eq(hart_store(&t, DEV + 2, IR_MO_32, 0), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_ACCESS, DEV + 2);
    ck_assert_uint_eq(t.reads + t.writes, 2);
    ck_assert_int_eq(hart_load(&t, 0x20000000, IR_MO_8, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_LOAD_ACCESS, 0x20000000);
    ck_assert_int_eq(hart_load(&t, ROM + 8, IR_MO_64, &v), CPU_OK);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(hart_store(&t, ROM + 8, IR_MO_64, 1), CPU_FAULT);
        ck_fault(&t, RV_CAUSE_STORE_ACCESS, ROM + 8);
    }
    ck_assert_uint_eq(hart_word(&t, ROM + 8), 0);
    hart_fini(&t);
}
END_TEST

/* Flash: as ROM, but stores are its device's, and so are loads while it is hidden. */
START_TEST(flash)
{
    const uint64_t at = UINT64_C(0x20000000);
    struct hart t;
    uint64_t v = 0, paddr;
    const uint8_t *host;

    hart_init(&t);
    ck_assert_int_eq(mem_add_flash(t.mem, "flash", at, 0x10000, &hart_dev, &t, NULL), 0);
    hart_set_word(&t, at + 8, 42);
    for (unsigned i = 0; i < 2; i++) { /* by the walk, then by the TLB */
        ck_assert_int_eq(hart_load(&t, at + 8, IR_MO_64, &v), CPU_OK);
        ck_assert_uint_eq(v, 42);
        ck_assert_int_eq(cpu_fetch(t.c, at + 8, &paddr, &host), CPU_OK);
        ck_assert_uint_eq(host[0], 42);
        ck_assert_int_eq(hart_store(&t, at + 8, IR_MO_32, 7), CPU_PRECISE);
    }
    ck_assert_int_eq(hart_store(&t, at + 10, IR_MO_32, 7), CPU_FAULT); /* not aligned */
    ck_assert_int_eq(cpu_fill(t.c, at, 64, RV_MODE_BARE, 0), CPU_FAULT);
    t.c->precise = 1;
    ck_assert_int_eq(hart_store(&t, at + 8, IR_MO_32, 7), CPU_OK);
    ck_assert(t.writes == 1 && t.offset == 8 && t.value == 7 && hart_word(&t, at + 8) == 42);

    mem_flash_hide(t.mem, at, true);
    ck_assert_int_eq(hart_load(&t, at + 8, IR_MO_32, &v), CPU_OK);
    ck_assert(t.reads == 1 && v == 7);
    ck_assert_int_eq(hart_load(&t, at + 6, IR_MO_32, &v), CPU_FAULT);
    ck_assert_int_eq(cpu_fetch(t.c, at + 8, &paddr, &host), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_FETCH_ACCESS, at + 8);
    mem_flash_hide(t.mem, at, false);
    ck_assert_int_eq(cpu_fetch(t.c, at + 8, &paddr, &host), CPU_OK);
    ck_assert_int_eq(hart_load(&t, at + 8, IR_MO_64, &v), CPU_OK);
    ck_assert_uint_eq(v, 42);
    hart_fini(&t);
}
END_TEST

/* What a listener was told, and what memory held then. */
struct told {
    struct mem *mem;
    uint64_t paddr, len, word;
    unsigned calls;
};

static void code_changed(void *opaque, uint64_t paddr, uint64_t len)
{
    struct told *s = opaque;
    s->calls++;
    s->paddr = paddr;
    s->len = len;
    mem_peek(s->mem, paddr, &s->word, 8);
}

START_TEST(stores_to_code)
{
    struct hart t;
    uint64_t code = RAM + 0x4100;
    hart_init(&t);
    struct told s = {.mem = t.mem};
    hart_set_word(&t, code, 1);
    mem_code_listen(t.mem, code_changed, &s);
    mem_code_add(t.mem, code, 8);
    /* Beside it, however close. */
    ck_assert_int_eq(hart_store(&t, code + 8, IR_MO_64, 5), CPU_OK);
    ck_assert_int_eq(hart_store(&t, code - 8, IR_MO_64, 6), CPU_OK);
    ck_assert_uint_eq(s.calls, 0);
    /* Into it. */
    ck_assert_int_eq(hart_store(&t, code + 7, IR_MO_16, 0), CPU_PRECISE);
    ck_assert_int_eq(hart_store(&t, code, IR_MO_64, 2), CPU_PRECISE);
    ck_assert_int_eq(cpu_fill(t.c, code - 0x40, 128, RV_MODE_BARE, 0), CPU_PRECISE);
    ck_assert_uint_eq(hart_word(&t, code), 1);
    ck_assert_uint_eq(hart_word(&t, code + 8), 5);
    ck_assert_uint_eq(s.calls, 0);
    t.c->precise = 1;
    ck_assert_int_eq(hart_store(&t, code, IR_MO_64, 2), CPU_OK);
    ck_assert_uint_eq(s.calls, 1);
    ck_assert_uint_eq(s.paddr, code);
    ck_assert_uint_eq(s.len, 8);
    ck_assert_uint_eq(s.word, 1); /* told before */
    ck_assert_uint_eq(hart_word(&t, code), 2);
    hart_fini(&t);
}
END_TEST

/* Code in the second page of a crossing store holds up the whole of it. */
START_TEST(crossing_stores_to_code)
{
    struct hart t;
    map_two(&t, RWXAD, RWXAD);
    struct told s = {.mem = t.mem};
    mem_code_listen(t.mem, code_changed, &s);
    mem_code_add(t.mem, RAM + 0x9000, 2);
    ck_assert_int_eq(hart_store(&t, VA + 4094, IR_MO_32, UINT32_MAX), CPU_PRECISE);
    ck_assert_uint_eq(hart_word(&t, RAM + 0x4ff8), 0);
    t.c->precise = 1;
    ck_assert_int_eq(hart_store(&t, VA + 4094, IR_MO_32, UINT32_MAX), CPU_OK);
    ck_assert_uint_eq(s.calls, 1);
    ck_assert_uint_eq(s.paddr, RAM + 0x9000);
    ck_assert_uint_eq(hart_word(&t, RAM + 0x9000), 0xffff);
    hart_fini(&t);
}
END_TEST

/* Doorbells ring behind the store, with its bytes, and from a precise run only. */
START_TEST(doorbells)
{
    struct hart t;
    uint64_t bell = RAM + 0x8ffc; /* across a page's end */
    map_two(&t, RWXAD, RWXAD);
    struct told s = {.mem = t.mem};
    mem_bell_add(t.mem, bell, 8, code_changed, &s);
    ck_assert_int_eq(hart_store(&t, VA + 4096 + 4, IR_MO_32, 7), CPU_OK); /* beside it */
    ck_assert_int_eq(hart_store(&t, VA + 8, IR_MO_64, 7), CPU_OK);
    ck_assert_uint_eq(s.calls, 0);
    ck_assert_int_eq(hart_store(&t, VA + 4096 + 3, IR_MO_8, 7), CPU_PRECISE);
    ck_assert_int_eq(hart_store(&t, VA + 4094, IR_MO_32, 7), CPU_PRECISE);
    ck_assert_int_eq(cpu_fill(t.c, VA + 4096, 64, RV_MODE_S, 1), CPU_PRECISE);
    ck_assert_uint_eq(hart_word(&t, RAM + 0x9000), UINT64_C(7) << 32);
    ck_assert_int_eq(mem_dma_write(t.mem, bell, "devices", 8), 0);
    ck_assert_uint_eq(s.calls, 0);
    t.c->precise = 1;
    ck_assert_int_eq(hart_store(&t, VA + 4096 + 2, IR_MO_16, 0x1234), CPU_OK);
    ck_assert_uint_eq(s.calls, 1);
    ck_assert_uint_eq(s.paddr, RAM + 0x9002);
    ck_assert_uint_eq(s.len, 2);
    ck_assert_uint_eq(s.word & 0xffff, 0x1234); /* told after */
    ck_assert_int_eq(hart_store(&t, VA + 4096 + 4, IR_MO_32, 7), CPU_OK);
    ck_assert_uint_eq(s.calls, 1);
    ck_assert_int_eq(cpu_fill(t.c, VA + 4096, 64, RV_MODE_S, 1), CPU_OK);
    ck_assert_uint_eq(s.calls, 2);
    ck_assert(mem_bell_at(t.mem, bell + 7, 1) && !mem_bell_at(t.mem, bell + 8, 1));
    ck_assert(mem_bell_at(t.mem, bell - 1, 2) && !mem_bell_at(t.mem, bell - 1, 1));
    hart_fini(&t);
}
END_TEST

START_TEST(stores_make_dirty)
{
    struct hart t;
    uint64_t *pages;
    hart_init(&t);
    ck_assert_int_eq(hart_store(&t, RAM + 0x3000, IR_MO_64, 1), CPU_OK);
    mem_clean(t.mem);
    ck_assert_int_eq(hart_store(&t, RAM + 0x3010, IR_MO_64, 1), CPU_OK);
    ck_assert_int_eq(hart_store(&t, RAM + 0x5ffc, IR_MO_64, 1), CPU_OK);
    ck_assert_uint_eq(mem_dirty(t.mem, &pages), 3);
    ck_assert_uint_eq(pages[0], RAM + 0x3000);
    ck_assert_uint_eq(pages[1], RAM + 0x5000);
    ck_assert_uint_eq(pages[2], RAM + 0x6000);
    free(pages);
    hart_fini(&t);
}
END_TEST

/* L1 is asked before L2, L2 before the tables. */
START_TEST(levels_of_the_tlb)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    hart_load(&t, RAM, IR_MO_64, &v);
    ck_assert_uint_eq(t.c->tlb.count.walks, 1);
    hart_load(&t, RAM + 8, IR_MO_64, &v);
    ck_assert_uint_eq(t.c->tlb.count.l1_misses, 1);
    tlb_switch(&t.c->tlb, 1); /* empties L1; M's pages hold in every space */
    hart_load(&t, RAM + 16, IR_MO_64, &v);
    ck_assert_uint_eq(t.c->tlb.count.l2_hits, 1);
    ck_assert_uint_eq(t.c->tlb.count.walks, 1);
    ck_assert_uint_eq(t.c->count.slow_loads, 3);
    hart_fini(&t);
}
END_TEST

START_TEST(fetches)
{
    struct hart t;
    uint64_t paddr = 0;
    const uint8_t *host = NULL;
    map_two(&t, RWXAD, V | R | W | A | D);
    hart_set_word(&t, RAM + 0x4010, 0x13);
    for (unsigned i = 0; i < 2; i++) { /* by the walk, then by L1 */
        ck_assert_int_eq(cpu_fetch(t.c, VA + 0x10, &paddr, &host), CPU_OK);
        ck_assert_uint_eq(paddr, RAM + 0x4010);
        ck_assert_uint_eq(host[0], 0x13);
    }
    ck_assert_int_eq(cpu_fetch(t.c, VA + 4096, &paddr, &host), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_FETCH_PAGE, VA + 4096);
    hart_map(&t, VA + 4096, DEV, 0, RWXAD);
    ck_assert_int_eq(cpu_fetch(t.c, VA + 4098, &paddr, &host), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_FETCH_ACCESS, VA + 4098);
    hart_priv(&t, RV_M);
    ck_assert_int_eq(cpu_fetch(t.c, ROM, &paddr, &host), CPU_OK);
    ck_assert_uint_eq(paddr, ROM);
    hart_fini(&t);
}
END_TEST

/* PMP splits a page: bytes are checked one access at a time. */
START_TEST(split_pages)
{
    struct hart t;
    uint64_t v, paddr;
    const uint8_t *host;
    hart_init(&t);
    hart_priv(&t, RV_S);
    /* Entry 0: RAM + 0x1008 to 0x100f without write and execute; entry 1: everything. */
    csr_set(&t, CSR_PMPADDR0 + 1, UINT64_MAX);
    csr_set(&t, CSR_PMPADDR0, (RAM + 0x1008) >> 2);
    csr_set(&t, CSR_PMPCFG0, 0x1f19);
    for (unsigned i = 0; i < 2; i++) { /* not remembered either way */
        ck_assert_int_eq(hart_store(&t, RAM + 0x1000, IR_MO_64, 9), CPU_OK);
        ck_assert_int_eq(hart_store(&t, RAM + 0x1010, IR_MO_64, 9), CPU_OK);
        ck_assert_int_eq(hart_store(&t, RAM + 0x1008, IR_MO_8, 9), CPU_FAULT);
        ck_fault(&t, RV_CAUSE_STORE_ACCESS, RAM + 0x1008);
        ck_assert_int_eq(hart_store(&t, RAM + 0x1004, IR_MO_64, 9), CPU_FAULT);
        ck_fault(&t, RV_CAUSE_STORE_ACCESS, RAM + 0x1004);
        ck_assert_int_eq(hart_load(&t, RAM + 0x1008, IR_MO_64, &v), CPU_OK);
        /* Both entries may be read, but no entry matches all of it (priv 3.7.1). */
        ck_assert_int_eq(hart_load(&t, RAM + 0x100c, IR_MO_64, &v), CPU_FAULT);
        ck_fault(&t, RV_CAUSE_LOAD_ACCESS, RAM + 0x100c);
    }
    ck_assert_int_eq(cpu_fetch(t.c, RAM + 0x1000, &paddr, &host), CPU_PRECISE);
    t.c->precise = 1;
    ck_assert_int_eq(cpu_fetch(t.c, RAM + 0x1000, &paddr, &host), CPU_OK);
    ck_assert_int_eq(cpu_fetch(t.c, RAM + 0x1008, &paddr, &host), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_FETCH_ACCESS, RAM + 0x1008);
    /* The second half of an instruction; a compressed one has none. */
    hart_set_word(&t, RAM + 0x1000, UINT64_C(0x0003000000000000));
    ck_assert_int_eq(cpu_fetch(t.c, RAM + 0x1006, &paddr, &host), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_FETCH_ACCESS, RAM + 0x1008);
    hart_set_word(&t, RAM + 0x1000, UINT64_C(0x0001000000000000));
    ck_assert_int_eq(cpu_fetch(t.c, RAM + 0x1006, &paddr, &host), CPU_OK);
    /* What lies in the next page is not this fetch's. */
    csr_set(&t, CSR_PMPADDR0 + 1, (RAM + 0x2000) >> 2);
    csr_set(&t, CSR_PMPCFG0, 0x0f19);
    hart_set_word(&t, RAM + 0x1ff8, UINT64_C(0x0003000000000000));
    ck_assert_int_eq(cpu_fetch(t.c, RAM + 0x1ffe, &paddr, &host), CPU_OK);
    ck_assert_int_eq(cpu_fetch(t.c, RAM + 0x2000, &paddr, &host), CPU_FAULT);
    hart_fini(&t);
}
END_TEST

START_TEST(fills_and_probes)
{
    struct hart t;
    map_two(&t, RWXAD, V | R | A);
    hart_set_word(&t, RAM + 0x4038, UINT64_MAX);
    hart_set_word(&t, RAM + 0x4040, UINT64_MAX);
    hart_set_word(&t, RAM + 0x4078, UINT64_MAX);
    hart_set_word(&t, RAM + 0x4080, UINT64_MAX);
    ck_assert_int_eq(cpu_fill(t.c, VA + 0x40, 64, RV_MODE_S, 0xa5), CPU_OK);
    ck_assert_uint_eq(hart_word(&t, RAM + 0x4038), UINT64_MAX);
    ck_assert_uint_eq(hart_word(&t, RAM + 0x4040), UINT64_C(0xa5a5a5a5a5a5a5a5));
    ck_assert_uint_eq(hart_word(&t, RAM + 0x4078), UINT64_C(0xa5a5a5a5a5a5a5a5));
    ck_assert_uint_eq(hart_word(&t, RAM + 0x4080), UINT64_MAX);
    ck_assert_int_eq(cpu_fill(t.c, VA + 4096, 64, RV_MODE_S, 0), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_PAGE, VA + 4096);
    ck_assert_int_eq(cpu_probe(t.c, VA + 4096, 64, RV_MODE_S, TLB_READ), CPU_OK);
    ck_assert_int_eq(cpu_probe(t.c, VA + 4096, 64, RV_MODE_S, TLB_WRITE), CPU_FAULT);
    t.c->precise = 1;
    ck_assert_int_eq(cpu_fill(t.c, DEV, 64, RV_MODE_BARE, 0), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_STORE_ACCESS, DEV);
    ck_assert_uint_eq(t.writes, 0);
    hart_fini(&t);
}
END_TEST

START_TEST(debuggers)
{
    struct hart t;
    uint8_t bytes[8192], text[3] = "ab";
    map_two(&t, V | X, V | X | U);
    struct told s = {.mem = t.mem};
    mem_code_listen(t.mem, code_changed, &s);
    mem_code_add(t.mem, RAM + 0x9000, 2);
    /* Across the pages, though S may not even read them. */
    ck_assert_uint_eq(cpu_poke(t.c, VA + 4095, text, 3), 3);
    ck_assert_uint_eq(cpu_peek(t.c, VA + 4094, bytes, 4), 4);
    ck_assert_mem_eq(bytes, "\0ab", 4);
    ck_assert_uint_eq(s.calls, 1);
    ck_assert_uint_eq(hart_word(&t, hart_entry(&t, VA, 0)) & (A | D), 0);
    /* Short at a hole; nothing from a device. */
    ck_assert_uint_eq(cpu_peek(t.c, VA + 100, bytes, 8192), 8092);
    hart_map(&t, VA + 8192, DEV, 0, RWXAD);
    ck_assert_uint_eq(cpu_peek(t.c, VA + 8190, bytes, 8), 2);
    ck_assert_uint_eq(t.reads, 0);
    ck_assert_uint_eq(cpu_peek(t.c, BIT(60), bytes, 8), 0);
    hart_fini(&t);
}
END_TEST

START_TEST(callbacks_of_units)
{
    struct hart t;
    uint64_t v = 0;
    unsigned mo = mo_in(RV_MODE_BARE, IR_MO_64);
    hart_init(&t);
    hart_set_word(&t, RAM, 42);
    ck_assert(cpu_ir_host.load(t.c, RAM, mo, &v));
    ck_assert_uint_eq(v, 42);
    ck_assert(cpu_ir_host.store(t.c, RAM, mo, 43));
    ck_assert_uint_eq(hart_word(&t, RAM), 43);
    ck_assert_uint_eq(t.c->access, CPU_OK);
    ck_assert(!cpu_ir_host.load(t.c, 0, mo, &v));
    ck_assert_uint_eq(t.c->access, CPU_FAULT);
    ck_fault(&t, RV_CAUSE_LOAD_ACCESS, 0);
    ck_assert(!cpu_ir_host.store(t.c, DEV, mo_in(RV_MODE_BARE, IR_MO_32), 1));
    ck_assert_uint_eq(t.c->access, CPU_PRECISE);
    ck_assert_int_eq(cpu_ir_host.leave_offset, offsetof(struct cpu, leave));
    ck_assert_int_eq(cpu_ir_host.flags_offset, offsetof(struct cpu, fp_flags));
    ck_assert_int_eq(cpu_ir_host.budget_offset, offsetof(struct cpu, budget));
    hart_fini(&t);
}
END_TEST

UNIT_MAIN("cpu/access", loads_extend, stores_write_their_bytes_only, across_pages,
          across_pages_faults, wraps_around, alignment, read_modify_write_needs_both,
          devices_want_precision, refused_accesses, flash, stores_to_code, crossing_stores_to_code,
          doorbells, stores_make_dirty, levels_of_the_tlb, fetches, split_pages, fills_and_probes,
          debuggers, callbacks_of_units)
