/* links.c - blocks on their way: linked, found by the jump cache, killed by stores, evicted; small
 * programs by both engines, at budgets that end anywhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jit/jit.h"
#include "pair.h"
#include "tests/unit/accel/rvasm.h"

#define DATA (RAM + 0x40000)

static void load(struct pair *p, uint64_t at, const struct rvasm *a)
{
    pair_write(p, at, a->code, a->n * 4);
}

/* Runs at most n instructions in pieces of any length, comparing after each. */
static void run_in_pieces(struct pair *p, uint64_t n, uint64_t seed, unsigned longest)
{
    enum accel_stop stop;

    for (uint64_t end = p->ran + n; p->ran < end;) {
        seed = bits_mix(seed + 0x1234567);
        if (!pair_run(p, 1 + (int64_t)(seed % longest), &stop))
            ck_abort_msg("the engines differ after %u instructions", (unsigned)p->ran);
    }
    ck_assert(same_memory(&p->jit, &p->interp, RAM, PAGES * MEM_PAGE_SIZE));
}

/* A loop in a loop: sums, and stores each sum. */
static void make_loops(struct rvasm *a)
{
    *a = (struct rvasm){0};
    rv_ram(a, A0, DATA - RAM);
    rv_addi(a, A1, ZERO, 0);
    unsigned outer = rv_here(a);
    rv_addi(a, A2, ZERO, 7);
    unsigned inner = rv_here(a);
    rv_add(a, A1, A1, A2);
    rv_addi(a, A2, A2, -1);
    rv_branch(a, RV_BNE, A2, ZERO, inner);
    rv_sd(a, A1, A0, 8);
    rv_ld(a, A3, A0, 8);
    rv_amoadd(a, A4, A3, A0);
    rv_jump(a, outer);
}

START_TEST(loops_are_linked)
{
    struct pair p;
    struct rvasm a;

    make_loops(&a);
    pair_init(&p, 0, 0);
    load(&p, RAM, &a);
    run_in_pieces(&p, 100000, 1, 300);
    ck_assert_uint_ge(pair_counter(&p, "jit.linked"), 3);
    uint64_t lookups = pair_counter(&p, "jit.lookups");
    run_in_pieces(&p, 100000, 2, 10000);
    /* A run begins with one; linked blocks ask no more. */
    ck_assert_uint_le(pair_counter(&p, "jit.lookups") - lookups, 200);
    pair_fini(&p);
}
END_TEST

/* Code in RAM, at A0, that is to change an instruction of its own to A1, and A1 by A3. */
static void begin_changing(struct rvasm *a)
{
    rv_ram(a, A0, 0);
    rv_li(a, A1, rv_i(1, A2, 0, A2, 0x13)); /* addi a2, a2, 1 */
    rv_li(a, A3, 1 << 20);                  /* its immediate + 1 */
}

/* The loop's own instruction is stored to: another constant each time round. */
START_TEST(code_changes_itself)
{
    struct pair p;
    struct rvasm a = {0};

    pair_init(&p, 0, 0);
    begin_changing(&a);
    unsigned top = rv_here(&a);
    unsigned target = top + 3;
    rv_add(&a, A1, A1, A3);
    rv_sw(&a, A1, A0, (int)target * 4); /* ahead, in the block that runs */
    rv_addi(&a, A4, A4, 1);
    rv_addi(&a, A2, A2, 1);
    rv_sw(&a, A1, A0, (int)top * 4 + 0x200); /* beside: no code */
    rv_jump(&a, top);
    load(&p, RAM, &a);
    run_in_pieces(&p, 20000, 3, 40);
    ck_assert_uint_gt(pair_counter(&p, "jit.killed"), 1000);
    pair_fini(&p);
}
END_TEST

/* A loop of one block, which stays in registers, stores to its own code after a while: each time
 * round, the store is half a page lower. */
START_TEST(loop_comes_to_its_own_code)
{
    struct pair p;
    struct rvasm a = {0};

    pair_init(&p, 0, 0);
    begin_changing(&a);
    rv_li(&a, A5, 16 * 2048);
    unsigned outer = rv_here(&a);
    rv_add(&a, A6, A0, A5);
    unsigned top = rv_here(&a);
    unsigned target = top + 3;
    rv_addi(&a, A6, A6, -2048);
    rv_sw(&a, A1, A6, (int)target * 4);
    rv_add(&a, A4, A4, A2);
    rv_addi(&a, A2, A2, 1);
    rv_add(&a, A1, A1, A3);
    rv_branch(&a, RV_BNE, A6, A0, top);
    rv_jump(&a, outer);
    load(&p, RAM, &a);
    run_in_pieces(&p, 20000, 3, 400);
    ck_assert_uint_gt(pair_counter(&p, "jit.killed"), 100);
    pair_fini(&p);
}
END_TEST

/* Changed from outside, as a device does: a linked target, then a block that links. */
START_TEST(changed_from_outside)
{
    struct pair p;
    struct rvasm a;
    uint32_t insn = rv_i(-1, A2, 0, A2, 0x13);

    make_loops(&a);
    pair_init(&p, 0, 0);
    load(&p, RAM, &a);
    for (unsigned i = 0; i < 400; i++) {
        uint32_t add = rv_i((int)(i & 3) + 1, A1, 0, A1, 0x13);
        run_in_pieces(&p, 50, i, 60);
        pair_write(&p, RAM + 4 * (i & 1 ? 6 : 9), i & 1 ? &add : &insn, 4);
    }
    ck_assert_uint_gt(pair_counter(&p, "jit.killed"), 100);
    pair_fini(&p);
}
END_TEST

/* An instruction of 4 bytes that lies on two pages; then its second half changes. */
START_TEST(on_two_pages)
{
    static const uint16_t halves[] = {
        0x0505,         /* c.addi a0, 1 */
        0x8593, 0x0015, /* addi a1, a1, 1: crosses */
        0xbfed,         /* c.j -6 */
    };
    struct pair p;
    uint64_t at = RAM + MEM_PAGE_SIZE - 4;
    uint16_t second = 0x0025;

    pair_init(&p, 0, 0);
    pair_write(&p, at, halves, sizeof halves);
    PAIR_BOTH(&p, s, s->t.c->pc = at);
    run_in_pieces(&p, 5000, 4, 50);
    ck_assert_uint_gt(p.interp.t.h->x[A1], 1000);
    pair_write(&p, RAM + MEM_PAGE_SIZE, &second, 2); /* addi a1, a1, 2 */
    uint64_t a1 = p.interp.t.h->x[A1], a0 = p.interp.t.h->x[A0];
    run_in_pieces(&p, 3000, 5, 50);
    ck_assert_uint_gt(p.interp.t.h->x[A1] - a1, (p.interp.t.h->x[A0] - a0) * 3 / 2);
    pair_fini(&p);
}
END_TEST

/* Eight instructions: a few, then on to the next eight by a branch or by register. */
static void make_eight(struct rvasm *a, unsigned i)
{
    rv_addi(a, A1, A1, (int)(i % 1000));
    rv_xori(a, A2, A1, (int)(i * 7 % 2000));
    rv_mul(a, A3, A2, A1);
    rv_sd(a, A3, A0, (int)(i * 8 % 2000));
    rv_ld(a, A4, A0, (int)(i * 24 % 2000));
    rv_add(a, A5, A5, A4);
    if (i & 1) {
        rv_word(a, T0 << 7 | 0x17); /* auipc t0, 0 */
        rv_word(a, rv_i(8, T0, 0, ZERO, 0x67));
    } else {
        rv_branch(a, RV_BEQ, ZERO, ZERO, rv_here(a) + 2);
        rv_addi(a, A6, A6, 1);
    }
}

/* Thousands of blocks over many pages, in a circle from `start` on, which s1 is. */
static void make_many(struct pair *p, uint64_t start, unsigned blocks)
{
    static struct rvasm a;

    for (unsigned first = 0; first < blocks; first += 64) {
        a.n = 0;
        for (unsigned i = first; i < first + 64; i++)
            make_eight(&a, i);
        if (first + 64 == blocks)
            a.code[a.n - 1] = rv_i(0, S1, 0, ZERO, 0x67);
        load(p, start + first * 32, &a);
    }
    PAIR_BOTH(p, s, s->t.c->pc = s->t.h->x[S1] = start; s->t.h->x[A0] = DATA);
}

START_TEST(more_than_the_code_memory_holds)
{
    enum { BLOCKS = 4096 };
    struct pair p;

    pair_init(&p, JIT_CODE_MIN, 0);
    make_many(&p, RAM, BLOCKS);
    run_in_pieces(&p, 8 * BLOCKS * 6, 6, 5000);
    ck_assert_uint_gt(pair_counter(&p, "jit.evicted"), 2 * BLOCKS);
    ck_assert_uint_lt(pair_counter(&p, "jit.blocks"), BLOCKS);
    pair_fini(&p);
}
END_TEST

/* The same with room for all: nothing is translated twice. */
START_TEST(all_blocks_stay)
{
    enum { BLOCKS = 2048 };
    struct pair p;

    pair_init(&p, 0, 0);
    make_many(&p, RAM, BLOCKS);
    run_in_pieces(&p, 8 * BLOCKS * 3, 7, 5000);
    uint64_t translated = pair_counter(&p, "jit.translated");
    run_in_pieces(&p, 8 * BLOCKS * 3, 7, 5000); /* pieces end at the same places */
    ck_assert_uint_lt(pair_counter(&p, "jit.translated") - translated, 100);
    ck_assert_uint_eq(pair_counter(&p, "jit.evicted"), 0);
    pair_fini(&p);
}
END_TEST

/* One virtual page, two physical ones in turn: blocks of the other one must not be found, linked or
 * jumped to. */
START_TEST(pages_change_places)
{
    enum { VA = 0x40000000, FIRST = 0x30000, SECOND = 0x31000 };
    struct pair p;
    struct rvasm a;
    uint64_t entry = 0;

    pair_init(&p, 0, 0);
    for (unsigned i = 0; i < 2; i++) {
        make_loops(&a);
        a.code[6] = rv_i((int)i + 1, A1, 0, A1, 0x13); /* the sum grows by 1 or 2 */
        load(&p, RAM + (i ? SECOND : FIRST), &a);
    }
    PAIR_BOTH(&p, s, hart_paging(&s->t, 8); hart_map(&s->t, DATA, DATA, 0, RWXAD);
              entry = hart_map(&s->t, VA, RAM + FIRST, 0, RWXAD); hart_priv(&s->t, RV_S);
              s->t.c->pc = VA);
    for (unsigned i = 0; i < 200; i++) {
        run_in_pieces(&p, 100, i, 90);
        uint64_t pte = (RAM + (i & 1 ? FIRST : SECOND)) >> 12 << 10 | RWXAD;
        pair_write(&p, entry, &pte, sizeof pte);
    }
    ck_assert_uint_le(pair_counter(&p, "jit.translated"), 200 * 4);
    pair_fini(&p);
}
END_TEST

/* A routine on another page, reached by register and directly, whose page is another one in turn:
 * what the jump cache says must not outlive the mapping. */
START_TEST(routines_change_places)
{
    enum { VA = 0x40000000, CALLER = 0x30000, FIRST = 0x31000 };
    struct pair p;
    struct rvasm a = {0};
    uint64_t entry = 0;

    pair_init(&p, 0, 0);
    rv_word(&a, rv_i(0, S1, 0, RA, 0x67)); /* jalr ra, s1 */
    rv_addi(&a, A1, A1, 1);
    rv_jump(&a, MEM_PAGE_SIZE / 4); /* jal ra: to the same */
    a.code[a.n - 1] |= RA << 7;
    rv_jump(&a, 0);
    load(&p, RAM + CALLER, &a);
    for (unsigned i = 0; i < 2; i++) {
        a.n = 0;
        rv_addi(&a, A0, A0, i ? 3 : 5);
        rv_word(&a, rv_i(0, RA, 0, ZERO, 0x67));
        load(&p, RAM + FIRST + i * MEM_PAGE_SIZE, &a);
    }
    PAIR_BOTH(&p, s, hart_paging(&s->t, 8); hart_map(&s->t, VA, RAM + CALLER, 0, RWXAD);
              entry = hart_map(&s->t, VA + MEM_PAGE_SIZE, RAM + FIRST, 0, RWXAD);
              hart_priv(&s->t, RV_S); s->t.c->pc = VA; s->t.h->x[S1] = VA + MEM_PAGE_SIZE);
    for (unsigned i = 0; i < 200; i++) {
        uint64_t pte = (RAM + FIRST + (i & 1) * MEM_PAGE_SIZE) >> 12 << 10 | RWXAD;
        run_in_pieces(&p, 100, i, 90);
        pair_write(&p, entry, &pte, sizeof pte);
    }
    pair_fini(&p);
}
END_TEST

/* The second half of an instruction lies on a page that is another one in turn. */
START_TEST(second_pages_change_places)
{
    enum { VA = 0x40000000, CODE = 0x30000, FIRST = 0x31000 };
    static const uint16_t first[] = {0x0505 /* c.addi a0, 1 */, 0x8593 /* addi a1, a1, ... */};
    static const uint16_t seconds[2][2] = {{0x0015 /* 1 */, 0xbfed /* c.j -6 */}, {0x0025, 0xbfed}};
    struct pair p;
    uint64_t entry = 0;

    pair_init(&p, 0, 0);
    pair_write(&p, RAM + CODE + MEM_PAGE_SIZE - 4, first, sizeof first);
    for (unsigned i = 0; i < 2; i++)
        pair_write(&p, RAM + FIRST + i * MEM_PAGE_SIZE, seconds[i], sizeof seconds[i]);
    PAIR_BOTH(&p, s, hart_paging(&s->t, 8); hart_map(&s->t, VA, RAM + CODE, 0, RWXAD);
              entry = hart_map(&s->t, VA + MEM_PAGE_SIZE, RAM + FIRST, 0, RWXAD);
              hart_priv(&s->t, RV_S); s->t.c->pc = VA + MEM_PAGE_SIZE - 4);
    for (unsigned i = 0; i < 200; i++) {
        uint64_t pte = (RAM + FIRST + (i & 1) * MEM_PAGE_SIZE) >> 12 << 10 | RWXAD;
        run_in_pieces(&p, 100, i, 90);
        pair_write(&p, entry, &pte, sizeof pte);
    }
    ck_assert_uint_gt(p.interp.t.h->x[A1], p.interp.t.h->x[A0]);
    pair_fini(&p);
}
END_TEST

/* Two address spaces with other code at the same addresses, by satp. */
START_TEST(spaces_change)
{
    enum { VA = 0x40000000 };
    struct pair p;
    struct rvasm a;
    uint64_t satp[2] = {0};

    pair_init(&p, 0, 0);
    for (unsigned i = 0; i < 2; i++) {
        make_loops(&a);
        a.code[6] = rv_i((int)i + 1, A1, 0, A1, 0x13);
        load(&p, RAM + 0x30000 + i * MEM_PAGE_SIZE, &a);
        PAIR_BOTH(&p, s, hart_paging(&s->t, 8); hart_map(&s->t, DATA, DATA, 0, RWXAD);
                  hart_map(&s->t, VA, RAM + 0x30000 + i * MEM_PAGE_SIZE, 0, RWXAD);
                  satp[i] = s->t.h->satp | (uint64_t)(i + 1) << 44);
    }
    PAIR_BOTH(&p, s, hart_priv(&s->t, RV_S); s->t.c->pc = VA);
    for (unsigned i = 0; i < 300; i++) {
        PAIR_BOTH(&p, s, csr_set(&s->t, CSR_SATP, satp[i % 3 & 1]));
        run_in_pieces(&p, 60, i, 50);
    }
    /* Each is translated once for each place where a piece may end and another begin. */
    ck_assert_uint_lt(pair_counter(&p, "jit.translated"), 60);
    pair_fini(&p);
}
END_TEST

/* ---- changes of probes ---- */

enum { KINDS = 7, SPAN = 0x20000 /* bytes of make_many's code */ };
#define VIRTUAL UINT64_C(0x40000000)

struct units {
    VEC(struct accel_unit);
};

static void add_unit(void *opaque, struct cpu *c, const struct accel_unit *k)
{
    struct units *v = opaque;

    (void)c;
    vec_push(v, *k);
}

static int by_place(const void *a, const void *b)
{
    const struct accel_unit *x = a, *y = b;
    uint64_t p[] = {x->pc, x->paddr, x->context, x->bytes};
    uint64_t q[] = {y->pc, y->paddr, y->context, y->bytes};

    for (unsigned i = 0; i < ARRAY_LEN(p); i++)
        if (p[i] != q[i])
            return p[i] < q[i] ? -1 : 1;
    return 0;
}

static struct units units_of(const struct side *s)
{
    struct units v = {0};

    s->a->ops->units(s->a, add_unit, &v);
    qsort(v.data, v.len, sizeof *v.data, by_place);
    return v;
}

/* Code of M, and two spaces in which it lies elsewhere, forwards and backwards. */
static void make_spaces(struct pair *p, uint64_t satp[2])
{
    make_many(p, RAM + 2, SPAN / 32 - 64); /* instructions lie on two pages */
    for (unsigned i = 0; i < 2; i++) {
        PAIR_BOTH(p, s, hart_paging(&s->t, 8); hart_map(&s->t, DATA, DATA, 0, RWXAD);
                  for (uint64_t at = 0; at < SPAN; at += MEM_PAGE_SIZE) hart_map(
                      &s->t, VIRTUAL + at, RAM + (i ? SPAN - MEM_PAGE_SIZE - at : at), 0, RWXAD);
                  satp[i] = s->t.h->satp | (uint64_t)(i + 1) << 44);
    }
}

/* Runs all of it in many contexts. */
static void run_spaces(struct pair *p, const uint64_t satp[2], uint64_t seed)
{
    for (unsigned i = 0; i < KINDS; i++) {
        PAIR_BOTH(p, s, hart_priv(&s->t, i ? RV_S : RV_M); csr_set(&s->t, CSR_SATP, satp[i & 1]);
                  csr_set(&s->t, CSR_MSTATUS, (uint64_t)(i / 2) << 13);
                  s->t.c->pc = s->t.h->x[S1] = 2 + (i ? VIRTUAL : RAM); s->t.h->x[A0] = DATA);
        run_in_pieces(p, 8 * SPAN / 32, seed + i, 2000);
    }
}

static bool holds(const struct accel_unit *k, struct cpu_pcs virtual, struct cpu_pcs physical)
{
    uint64_t room = MEM_PAGE_SIZE - (k->paddr & MEM_PAGE_MASK);

    return cpu_pcs_cover(virtual, k->pc, k->bytes) ||
           cpu_pcs_cover(physical, k->paddr, k->bytes < room ? k->bytes : room);
}

/* Those of the units which hold one of these go, and no others. */
static void check_change(const struct side *s, struct cpu_pcs virtual, struct cpu_pcs physical,
                         uint64_t *killed)
{
    struct units before = units_of(s), after;
    size_t n = 0;

    s->a->ops->probes_changed(s->a, virtual, physical);
    after = units_of(s);
    for (size_t i = 0; i < before.len; i++) {
        bool stays = n < after.len && !by_place(&before.data[i], &after.data[n]);

        ck_assert_msg(stays != holds(&before.data[i], virtual, physical),
                      "%s: unit at %#" PRIx64 " (%#" PRIx64 ")", s->a->ops->name, before.data[i].pc,
                      before.data[i].paddr);
        n += stays;
        *killed += !stays;
    }
    ck_assert_uint_eq(n, after.len);
    vec_fini(&before);
    vec_fini(&after);
}

/* n addresses in and around the code from `start` on; of a few, some are the first ones of pages.
 */
static size_t choose_pcs(uint64_t *pcs, size_t n, uint64_t start, uint64_t *seed)
{
    uint64_t step = (2 * SPAN / (n + 1)) & ~UINT64_C(1);

    for (size_t i = 0; i < n; i++) {
        *seed = bits_mix(*seed + 1);
        pcs[i] = start - SPAN / 2 + i * step + (*seed % (step / 2) & ~UINT64_C(1));
        if (step > 2 * MEM_PAGE_SIZE && *seed >> 63)
            pcs[i] = bits_align_up(pcs[i], MEM_PAGE_SIZE);
    }
    return n;
}

START_TEST(probes_change)
{
    static const size_t numbers[] = {0, 1, 1, 2, 5, 40, 3000};
    static uint64_t pcs[2][3000];
    uint64_t satp[2], seed = 9, killed = 0;
    struct pair p;

    pair_init(&p, 0, 0);
    make_spaces(&p, satp);
    for (unsigned i = 0; i < 60; i++) {
        size_t n = numbers[i % 7], m = numbers[i / 2 % 7];
        struct cpu_range range = {VIRTUAL + 64 * i, VIRTUAL + 80 * i};
        struct cpu_pcs physical = {pcs[0], choose_pcs(pcs[0], m, RAM, &seed), NULL, 0};
        struct cpu_pcs virtual = {pcs[1], choose_pcs(pcs[1], n, i & 1 ? VIRTUAL : RAM, &seed),
                                  &range, i % 8 == 7};

        if (i % 6 == 0)
            run_spaces(&p, satp, seed);
        PAIR_BOTH(&p, s, check_change(s, virtual, physical, &killed));
    }
    ck_assert_uint_gt(killed, 10000);
    run_spaces(&p, satp, seed);
    pair_fini(&p);
}
END_TEST

UNIT_MAIN("jit/links", loops_are_linked, code_changes_itself, loop_comes_to_its_own_code,
          changed_from_outside, on_two_pages, more_than_the_code_memory_holds, all_blocks_stay,
          pages_change_places, routines_change_places, second_pages_change_places, spaces_change,
          probes_change)
