/* walk.c - page walks in every mode, what they refuse, and what they leave behind. */
#include "hart.h"

#define VA UINT64_C(0x1234567000)

START_TEST(every_mode_and_size)
{
    for (unsigned mode = 8; mode <= 10; mode++) {
        for (unsigned level = 0; level < mode - 8 + 3; level++) {
            struct hart t;
            uint64_t size = UINT64_C(4096) << (9 * level), offset = 0x123456789abcdef & (size - 1);
            uint64_t pa = level > 1 ? 0 : RAM + (level ? 0 : 0x5000); /* RAM is 1 MiB */
            hart_init(&t);
            hart_paging(&t, mode);
            hart_map(&t, VA & ~(size - 1), pa & ~(size - 1), level, RWXAD);
            for (unsigned a = 0; a < 3; a++)
                ck_assert_uint_eq(hart_walk_ok(&t, (VA & ~(size - 1)) + offset, a, RV_MODE_S),
                                  (pa & ~(size - 1)) + offset);
            hart_walk_faults(&t, (VA & ~(size - 1)) + size, TLB_READ, RV_MODE_S,
                             RV_CAUSE_LOAD_PAGE);
            hart_fini(&t);
        }
    }
}
END_TEST

START_TEST(canonical)
{
    static const unsigned bits[] = {39, 48, 57};
    for (unsigned i = 0; i < 3; i++) {
        struct hart t;
        hart_init(&t);
        hart_paging(&t, 8 + i);
        uint64_t top = ~bits_mask(bits[i] - 1); /* the lowest of the upper half */
        hart_map(&t, top, RAM, 0, RWXAD);
        ck_assert_uint_eq(hart_walk_ok(&t, top + 8, TLB_READ, RV_MODE_S), RAM + 8);
        hart_walk_faults(&t, top & bits_mask(63), TLB_READ, RV_MODE_S, RV_CAUSE_LOAD_PAGE);
        hart_walk_faults(&t, top & bits_mask(bits[i]), TLB_WRITE, RV_MODE_S, RV_CAUSE_STORE_PAGE);
        hart_walk_faults(&t, top & bits_mask(bits[i]), TLB_EXEC, RV_MODE_S, RV_CAUSE_FETCH_PAGE);
        hart_fini(&t);
    }
}
END_TEST

/* Which accesses bits of an entry allow in a mode. */
START_TEST(permissions)
{
    static const struct {
        unsigned bits, mode, allowed; /* allowed: bits 1 << access */
        bool mxr;
    } rows[] = {
        {R, RV_MODE_S, 1, false},
        {R | W, RV_MODE_S, 3, false},
        {R | X, RV_MODE_S, 5, false},
        {X, RV_MODE_S, 4, false},
        {X, RV_MODE_S, 5, true},
        {R | W | X, RV_MODE_S, 7, false},
        {R | W | X, RV_MODE_U, 0, false},
        {R | W | X, RV_MODE_U, 0, true},
        {R | W | X | U, RV_MODE_U, 7, false},
        {X | U, RV_MODE_U, 4, false},
        {X | U, RV_MODE_U, 5, true},
        {R | W | X | U, RV_MODE_S, 0, false},
        {X | U, RV_MODE_S, 0, true},
        {R | W | X | U, RV_MODE_S_SUM, 3, false},
        {X | U, RV_MODE_S_SUM, 1, true},
        {R | W | X, RV_MODE_S_SUM, 7, false},
        {W, RV_MODE_S, 0, true},
        {W | X, RV_MODE_S, 0, true},
    };
    static const unsigned causes[] = {RV_CAUSE_LOAD_PAGE, RV_CAUSE_STORE_PAGE, RV_CAUSE_FETCH_PAGE};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct hart t;
        hart_init(&t);
        hart_paging(&t, 8);
        csr_set(&t, CSR_MSTATUS, rows[i].mxr ? RV_MSTATUS_MXR : 0);
        hart_map(&t, VA, RAM, 0, rows[i].bits | V | A | D);
        for (unsigned a = 0; a < 3; a++) {
            if (rows[i].allowed >> a & 1)
                hart_walk_ok(&t, VA + 8, a, rows[i].mode);
            else
                hart_walk_faults(&t, VA + 8, a, rows[i].mode, causes[a]);
        }
        hart_fini(&t);
    }
}
END_TEST

/* Reading by MXR must stop when MXR does, though nothing is flushed. */
START_TEST(mxr_is_not_remembered)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    hart_paging(&t, 8);
    hart_priv(&t, RV_S);
    hart_map(&t, VA, RAM + 0x4000, 0, V | X | A);
    hart_set_word(&t, RAM + 0x4000, 77);
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_FAULT);
    csr_set(&t, CSR_MSTATUS, csr_get(&t, CSR_MSTATUS) | RV_MSTATUS_MXR);
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_OK);
    ck_assert_uint_eq(v, 77);
    csr_set(&t, CSR_MSTATUS, csr_get(&t, CSR_MSTATUS) & ~RV_MSTATUS_MXR);
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_FAULT);
    ck_fault(&t, RV_CAUSE_LOAD_PAGE, VA);
    hart_fini(&t);
}
END_TEST

START_TEST(reserved_encodings)
{
    static const struct {
        unsigned level;
        uint64_t bits;
        bool pbmte, ok;
    } rows[] = {
        {0, RWXAD, false, true},
        {0, RWXAD & ~V, false, false},
        {0, RWXAD | BIT(54), false, false},
        {0, RWXAD | BIT(60), false, false},
        {1, V, false, true},      /* a pointer to a table that has the page */
        {0, V, false, false},     /* a pointer at the last level */
        {1, V | A, false, false}, /* bits of a leaf in a pointer */
        {1, V | D, false, false},
        {1, V | U, false, false},
        {1, V | BIT(61), true, false},
        {1, V | BIT(63), false, false},
        {0, RWXAD | BIT(61), false, false}, /* Svpbmt */
        {0, RWXAD | BIT(61), true, true},
        {0, RWXAD | BIT(62), true, true},
        {0, RWXAD | BIT(61) | BIT(62), true, false},
        {1, RWXAD | BIT(62), true, true},
        {1, RWXAD | BIT(10), false, false}, /* misaligned superpages */
        {1, RWXAD | BIT(18), false, false},
        {2, RWXAD | BIT(27), false, false},
        {2, RWXAD | BIT(28), false, true},
        {0, RWXAD | BIT(63) | 8 << 10, false, true}, /* Svnapot */
        {0, RWXAD | BIT(63) | 4 << 10, false, false},
        {0, RWXAD | BIT(63) | 12 << 10, false, false},
        {0, RWXAD | BIT(63), false, false},
        {1, RWXAD | BIT(63), false, false},
        {0, RWXAD | 3 << 8, false, true}, /* for software */
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct hart t;
        struct guest_walk w;
        hart_init(&t);
        hart_paging(&t, 8);
        csr_set(&t, CSR_MENVCFG, rows[i].pbmte ? RV_ENVCFG_PBMTE : 0);
        uint64_t base = rows[i].level > 1 ? 0 : RAM;
        hart_set_word(&t, RAM + bits_get(VA, 12, 9) * 8, RAM >> 12 << 10 | RWXAD);
        hart_map(&t, VA, base, rows[i].level, rows[i].bits);
        rv_walk(t.c, VA, TLB_READ, RV_MODE_S, GUEST_WALK_CPU, &w);
        ck_assert_msg(w.ok == rows[i].ok, "row %u", i);
        if (!w.ok)
            ck_assert_uint_eq(w.fault.cause, RV_CAUSE_LOAD_PAGE);
        hart_fini(&t);
    }
}
END_TEST

START_TEST(napot_and_pbmt_need_their_extension)
{
    struct hart t;
    hart_init_isa(&t, "rv64gc");
    hart_paging(&t, 8);
    hart_map(&t, VA, RAM + 0x8000, 0, RWXAD | BIT(63));
    hart_walk_faults(&t, VA, TLB_READ, RV_MODE_S, RV_CAUSE_LOAD_PAGE);
    csr_set(&t, CSR_MENVCFG, UINT64_MAX);
    ck_assert_uint_eq(csr_get(&t, CSR_MENVCFG), RV_ENVCFG_FIOM);
    hart_fini(&t);
}
END_TEST

START_TEST(napot_addresses)
{
    struct hart t;
    hart_init(&t);
    hart_paging(&t, 8);
    uint64_t va = VA & ~UINT64_C(0xffff);
    for (unsigned i = 0; i < 16; i++)
        hart_map(&t, va + i * 4096, RAM + 0x30000 + 0x8000, 0, RWXAD | BIT(63));
    for (unsigned i = 0; i < 16; i++)
        ck_assert_uint_eq(hart_walk_ok(&t, va + i * 4096 + 24, TLB_READ, RV_MODE_S),
                          RAM + 0x30000 + i * 4096 + 24);
    hart_fini(&t);
}
END_TEST

START_TEST(accessed_and_dirty_faults)
{
    struct hart t;
    hart_init(&t);
    hart_paging(&t, 8);
    uint64_t at = hart_map(&t, VA, RAM, 0, V | R | W | X);
    hart_walk_faults(&t, VA, TLB_READ, RV_MODE_S, RV_CAUSE_LOAD_PAGE);
    hart_walk_faults(&t, VA, TLB_EXEC, RV_MODE_S, RV_CAUSE_FETCH_PAGE);
    ck_assert_uint_eq(hart_word(&t, at) & (A | D), 0);
    hart_set_word(&t, at, hart_word(&t, at) | A);
    hart_walk_ok(&t, VA, TLB_READ, RV_MODE_S);
    hart_walk_faults(&t, VA, TLB_WRITE, RV_MODE_S, RV_CAUSE_STORE_PAGE);
    hart_set_word(&t, at, hart_word(&t, at) | D);
    hart_walk_ok(&t, VA, TLB_WRITE, RV_MODE_S);
    hart_fini(&t);
}
END_TEST

START_TEST(accessed_and_dirty_updates)
{
    struct hart t;
    struct guest_walk w;
    uint64_t v;
    hart_init(&t);
    hart_paging(&t, 8);
    hart_priv(&t, RV_S);
    csr_set(&t, CSR_MENVCFG, RV_ENVCFG_ADUE);
    uint64_t at = hart_map(&t, VA, RAM, 0, V | R | W);
    rv_walk(t.c, VA, TLB_WRITE, RV_MODE_S, GUEST_WALK_EXPLAIN, &w);
    ck_assert(w.ok);
    hart_walk_faults(&t, VA, TLB_EXEC, RV_MODE_S, RV_CAUSE_FETCH_PAGE);
    ck_assert_uint_eq(hart_word(&t, at) & (A | D), 0);
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_OK);
    ck_assert_uint_eq(hart_word(&t, at) & (A | D), A);
    ck_assert_int_eq(hart_store(&t, VA, IR_MO_64, 1), CPU_OK);
    ck_assert_uint_eq(hart_word(&t, at) & (A | D), A | D);
    /* The guest clears them: the next accesses set them again, in spite of the TLB. */
    ck_assert_uint_eq(hart_word(&t, at), RAM >> 12 << 10 | V | R | W | A | D);
    mem_will_write(t.mem, mem_find(t.mem, at), at - RAM, 8,
                   &(uint64_t){RAM >> 12 << 10 | V | R | W});
    hart_set_word(&t, at, RAM >> 12 << 10 | V | R | W);
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_OK);
    ck_assert_uint_eq(hart_word(&t, at) & (A | D), A);
    /* A page that is not writable is not made dirty. */
    hart_set_word(&t, at, RAM >> 12 << 10 | V | R | A);
    ck_assert_int_eq(hart_store(&t, VA, IR_MO_64, 1), CPU_FAULT);
    ck_assert_uint_eq(hart_word(&t, at) & (A | D), A);
    hart_fini(&t);
}
END_TEST

static void code_changed(void *opaque, uint64_t paddr, uint64_t len)
{
    *(uint64_t *)opaque = paddr;
    (void)len;
}

/* The walker's own store may hit translated code, which must not go while it runs. */
START_TEST(update_of_an_entry_in_code_waits)
{
    struct hart t;
    uint64_t v, told = 0;
    hart_init(&t);
    hart_paging(&t, 8);
    hart_priv(&t, RV_S);
    csr_set(&t, CSR_MENVCFG, RV_ENVCFG_ADUE);
    uint64_t at = hart_map(&t, VA, RAM, 0, V | R | W);
    mem_code_listen(t.mem, code_changed, &told);
    mem_code_add(t.mem, at, 4);
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_PRECISE);
    ck_assert_uint_eq(hart_word(&t, at) & A, 0);
    ck_assert_uint_eq(told, 0);
    t.c->precise = 1;
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_OK);
    ck_assert_uint_eq(hart_word(&t, at) & A, A);
    ck_assert_uint_eq(told, at);
    hart_fini(&t);
}
END_TEST

START_TEST(tables_out_of_reach)
{
    struct hart t;
    hart_init(&t);
    /* The root in a device, in ROM and in nothing. */
    static const uint64_t roots[] = {DEV, ROM, 0x7000000000};
    for (unsigned i = 0; i < 3; i++) {
        csr_set(&t, CSR_SATP, UINT64_C(8) << 60 | roots[i] >> 12);
        hart_walk_faults(&t, VA, TLB_READ, RV_MODE_S, RV_CAUSE_LOAD_ACCESS);
        hart_walk_faults(&t, VA, TLB_WRITE, RV_MODE_U, RV_CAUSE_STORE_ACCESS);
        hart_walk_faults(&t, VA, TLB_EXEC, RV_MODE_S, RV_CAUSE_FETCH_ACCESS);
    }
    ck_assert_uint_eq(t.reads, 0);
    hart_fini(&t);
}
END_TEST

START_TEST(tables_under_pmp)
{
    struct hart t;
    hart_init(&t);
    hart_paging(&t, 8);
    csr_set(&t, CSR_MENVCFG, RV_ENVCFG_ADUE);
    hart_map(&t, VA, RAM, 0, V | R | W);
    /* Entry 0: the page of the leaf's table, first read-only, then nothing. */
    uint64_t leaf = hart_entry(&t, VA, 0) & ~MEM_PAGE_MASK;
    csr_set(&t, CSR_PMPADDR0 + 1, UINT64_MAX);
    csr_set(&t, CSR_PMPADDR0, leaf >> 2 | 0x1ff);
    csr_set(&t, CSR_PMPCFG0, 0x1f19);
    hart_walk_faults(&t, VA, TLB_READ, RV_MODE_S, RV_CAUSE_LOAD_ACCESS); /* A cannot be set */
    csr_set(&t, CSR_PMPCFG0, 0x1f18);
    hart_set_word(&t, hart_entry(&t, VA, 0), RAM >> 12 << 10 | V | R | W | A | D);
    hart_walk_faults(&t, VA, TLB_WRITE, RV_MODE_U, RV_CAUSE_STORE_ACCESS);
    csr_set(&t, CSR_PMPCFG0, 0x1f19);
    hart_walk_ok(&t, VA, TLB_WRITE, RV_MODE_S);
    hart_fini(&t);
}
END_TEST

/* Bare: S and U see physical addresses, M always does. */
START_TEST(bare)
{
    struct hart t;
    hart_init(&t);
    for (unsigned mode = 0; mode < 4; mode++)
        ck_assert_uint_eq(hart_walk_ok(&t, RAM + 0x123, TLB_WRITE, mode), RAM + 0x123);
    hart_paging(&t, 8);
    hart_walk_faults(&t, RAM, TLB_READ, RV_MODE_S, RV_CAUSE_LOAD_PAGE);
    ck_assert_uint_eq(hart_walk_ok(&t, RAM, TLB_READ, RV_MODE_BARE), RAM);
    hart_fini(&t);
}
END_TEST

START_TEST(steps_for_people)
{
    struct hart t;
    struct guest_walk w;
    hart_init(&t);
    hart_paging(&t, 9);
    uint64_t at = hart_map(&t, VA, RAM, 0, V | R | A);
    rv_walk(t.c, VA, TLB_READ, RV_MODE_S, GUEST_WALK_EXPLAIN, &w);
    ck_assert(w.ok);
    ck_assert_uint_eq(w.nsteps, 4);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(w.steps[i].level, 3 - i);
        ck_assert_str_eq(w.steps[i].verdict, i < 3 ? "next table" : "leaf 4 KiB");
    }
    ck_assert_uint_eq(w.steps[3].entry_addr, at);
    ck_assert_uint_eq(w.steps[3].entry, hart_word(&t, at));
    rv_walk(t.c, VA, TLB_WRITE, RV_MODE_S, GUEST_WALK_EXPLAIN, &w);
    ck_assert(!w.ok);
    ck_assert_str_eq(w.steps[3].verdict, "not writable");
    rv_walk(t.c, VA, TLB_READ, RV_MODE_U, GUEST_WALK_EXPLAIN, &w);
    ck_assert_str_eq(w.steps[3].verdict, "not a user page");
    rv_walk(t.c, VA + 4096, TLB_READ, RV_MODE_S, GUEST_WALK_EXPLAIN, &w);
    ck_assert_uint_eq(w.nsteps, 4);
    ck_assert_str_eq(w.steps[3].verdict, "not valid");
    rv_walk(t.c, BIT(62), TLB_READ, RV_MODE_S, GUEST_WALK_EXPLAIN, &w);
    ck_assert_uint_eq(w.nsteps, 1);
    ck_assert_str_eq(w.steps[0].verdict, "not a canonical address");
    rv_walk(t.c, RAM, TLB_READ, RV_MODE_BARE, GUEST_WALK_EXPLAIN, &w);
    ck_assert(w.ok);
    ck_assert_str_eq(w.steps[0].verdict, "no translation");
    hart_fini(&t);
}
END_TEST

/* A debugger's walk asks nobody and leaves no trace. */
START_TEST(debug)
{
    struct hart t;
    struct guest_walk w;
    hart_init(&t);
    hart_paging(&t, 8);
    csr_set(&t, CSR_MENVCFG, RV_ENVCFG_ADUE);
    uint64_t at = hart_map(&t, VA, RAM, 0, V | X | U), before = hart_word(&t, at);
    csr_set(&t, CSR_PMPCFG0, 0);
    rv_walk(t.c, VA + 5, TLB_WRITE, RV_MODE_S, GUEST_WALK_DEBUG, &w);
    ck_assert(w.ok && w.paddr == RAM + 5);
    ck_assert_uint_eq(hart_word(&t, at), before);
    hart_fini(&t);
}
END_TEST

/* The TLB cannot be seen: a changed entry counts at once, at every level, without a fence. */
START_TEST(changes_are_seen_at_once)
{
    for (unsigned level = 0; level < 3; level++) {
        struct hart t;
        uint64_t v;
        hart_init(&t);
        hart_paging(&t, 8);
        hart_map(&t, RAM, RAM, 1, RWXAD); /* so that S can reach its tables */
        hart_priv(&t, RV_S);
        hart_map(&t, VA, RAM + 0x4000, 0, RWXAD);
        hart_set_word(&t, RAM + 0x4000, 1);
        ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_OK);
        ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_OK);
        ck_assert_uint_eq(t.c->tlb.count.walks, 1);
        uint64_t at = hart_entry(&t, VA, level), old = hart_word(&t, at);
        ck_assert_int_eq(hart_store(&t, at, IR_MO_64, 0), CPU_OK);
        ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_FAULT);
        ck_fault(&t, RV_CAUSE_LOAD_PAGE, VA);
        ck_assert_int_eq(hart_store(&t, at, IR_MO_64, old), CPU_OK);
        ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_OK);
        hart_fini(&t);
    }
}
END_TEST

/* What menvcfg.PBMTE made legal is not remembered when it goes. */
START_TEST(memory_types_go)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    hart_paging(&t, 8);
    hart_priv(&t, RV_S);
    csr_set(&t, CSR_MENVCFG, RV_ENVCFG_PBMTE);
    hart_map(&t, VA, RAM, 0, RWXAD | BIT(62));
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_OK);
    csr_set(&t, CSR_MENVCFG, 0);
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_FAULT);
    hart_fini(&t);
}
END_TEST

/* A page global in one space is not found from another. */
START_TEST(global_pages_do_not_leak)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    hart_priv(&t, RV_S);
    hart_paging(&t, 8);
    hart_map(&t, VA, RAM + 0x4000, 0, RWXAD | G);
    uint64_t satp = t.h->satp;
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_OK);
    hart_paging(&t, 8);
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_FAULT);
    csr_set(&t, CSR_SATP, satp);
    uint64_t walks = t.c->tlb.count.walks;
    ck_assert_int_eq(hart_load(&t, VA, IR_MO_64, &v), CPU_OK);
    ck_assert_uint_eq(t.c->tlb.count.walks, walks); /* L2 still knows */
    hart_fini(&t);
}
END_TEST

UNIT_MAIN("riscv64/walk", every_mode_and_size, canonical, permissions, mxr_is_not_remembered,
          reserved_encodings, napot_and_pbmt_need_their_extension, napot_addresses,
          accessed_and_dirty_faults, accessed_and_dirty_updates, update_of_an_entry_in_code_waits,
          tables_out_of_reach, tables_under_pmp, bare, steps_for_people, debug,
          changes_are_seen_at_once, memory_types_go, global_pages_do_not_leak)
