/* loops.c - units that go back to their own start keep registers in the host's: the same at each
 * budget and each fault as by the interpreter, and no memory in the way of a value that goes round.
 * RANDOM_UNITS and RANDOM_SEED in the environment choose other random loops. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/bits.h"
#include "toy.h"

enum { PC = 0x1000 };

/* ---- rounds, by either engine ---- */

/* The next round is the unit's, and the budget does for it. */
static bool goes_on(const struct rig *t, const struct ir_unit *u, enum toy_left *left)
{
    if (*left != TOY_GOTO || t->c->pc != u->pc)
        return false;
    if (t->c->budget >= (int64_t)u->guest_insns)
        return true;
    *left = TOY_BUDGET;
    return false;
}

/* Runs u from `start` until it goes elsewhere; the pc is u's. */
static enum toy_left by_interp(struct rig *t, const struct ir_unit *u,
                               const struct toy_state *start, struct toy_state *end)
{
    enum toy_left left = TOY_GOTO;

    rig_load(t, start);
    t->c->pc = u->pc;
    while (goes_on(t, u, &left))
        left = rig_interp(t, u);
    rig_save(t, end);
    return left;
}

static enum toy_left by_block(struct rig *t, const struct ir_unit *u, const struct jit_block *b,
                              const struct toy_state *start, struct toy_state *end)
{
    enum toy_left left = TOY_GOTO;

    rig_load(t, start);
    t->c->pc = u->pc;
    do
        left = rig_run(t, b);
    while (goes_on(t, u, &left));
    rig_save(t, end);
    return left;
}

static bool kept_in_its_loop(const struct jit_block *b)
{
    for (uint32_t i = 0; i < b->nexits; i++) {
        if (b->exits[i].pc == b->pc)
            return false;
    }
    return true;
}

/* ---- loops by hand ---- */

struct hand {
    struct rig t;
    struct ir_unit u;
    const struct jit_block *b;
    struct toy_state start;
};

static void hand_init(struct hand *h, const char *text, uint64_t seed)
{
    struct err e = {0};

    rig_init(&h->t);
    ck_assert_msg(!ir_parse(&h->u, &h->t.arena, &toy_guest.names, text, &e), "%s", e.msg);
    ck_assert_msg(!ir_verify(&h->u, &e), "%s", e.msg);
    h->b = jit_compile(h->t.jit, &h->u);
    ck_assert(h->b && kept_in_its_loop(h->b));
    toy_random(&h->start, seed);
}

static enum toy_left hand_agrees(struct hand *h, int64_t budget)
{
    static struct toy_state want, got;

    h->start.budget = budget;
    enum toy_left left = by_interp(&h->t, &h->u, &h->start, &want);
    ck_assert_int_eq(by_block(&h->t, &h->u, h->b, &h->start, &got), left);
    ck_assert_msg(!toy_compare(&want, &got, 10), "with a budget of %d", (int)budget);
    return left;
}

/* Lines of host code from the loop's head to the jump back that name memory. */
static unsigned memory_in_loop(struct hand *h)
{
    struct buf out = BUF_INIT;
    unsigned n = 0, at, to, head = 0;
    char rest[80];

    jit_explain_block(h->t.jit, &h->u, h->b, &out);
    for (unsigned pass = 0; pass < 2; pass++) {
        unsigned back = UINT32_MAX;
        for (const char *line = strstr(out.data, "Host code"); (line = strchr(line, '\n'));
             line++) {
            if (sscanf(line, "\n  %x  %79[^\n]", &at, rest) != 2)
                continue;
            if (sscanf(rest, "jmp %x", &to) == 1 && to < at && back == UINT32_MAX)
                back = at, head = to;
            n += pass && at >= head && at < back && strstr(rest, "ptr [");
        }
        ck_assert_uint_ne(back, UINT32_MAX);
        ck_assert_uint_ge(((uintptr_t)h->b->code + head) % 32, 16);
    }
    buf_fini(&out);
    return n;
}

/* Three registers and two of floating point change places; one more is only looked at, one only
 * written. */
static const char places[] =
    "unit 0x1000 rne\n"
    "block 0\n"
    " insn 0x1000 4\n v1:i64 = get a1\n v2:i64 = get a2\n put a1, v2\n"
    " insn 0x1004 4\n v5:i64 = get a3\n put a2, v5\n"
    " insn 0x1008 4\n put a3, v1\n"
    " insn 0x100c 4\n v10:f64 = get d1\n v11:f64 = get d2\n put d1, v11\n"
    " put d2, v10\n"
    " insn 0x1010 4\n v15:i64 = get a4\n v16:i64 = get a5\n"
    " v17:i64 = add v15, v16\n put a4, v17\n put a6, v15\n"
    " insn 0x1014 4\n v21:i64 = get a0\n v22:i64 = const 0xffffffffffffffff\n"
    " v23:i64 = add v21, v22\n put a0, v23\n"
    " insn 0x1018 4\n v26:i64 = const 0\n v27:i64 = ne.i64 v23, v26\n"
    " brif v27, 1, 2\n"
    "block 1\n exit_pc 0x1000\n"
    "block 2\n exit_pc 0x101c\n";

START_TEST(registers_change_places)
{
    struct hand h;

    hand_init(&h, places, 1);
    for (unsigned rounds = 1; rounds < 9; rounds++) {
        h.start.r.a[0] = rounds;
        for (int64_t budget = 0; budget <= 7 * rounds + 7; budget++)
            ck_assert_int_eq(hand_agrees(&h, budget),
                             budget < 7 * (int)rounds ? TOY_BUDGET : TOY_GOTO);
    }
    ck_assert_uint_eq(memory_in_loop(&h), 0);
    rig_fini(&h.t);
}
END_TEST

/* Stores go up in memory: to a page that takes the slow path, then to none. */
static const char walks[] =
    "unit 0x1000 rne\n"
    "block 0\n"
    " insn 0x1000 4\n v1:i64 = get a1\n v2:i64 = get a2\n v3:i64 = add v2, v1\n"
    " put a1, v3\n put a2, v1\n"
    " insn 0x1004 4\n v7:f64 = get d1\n v8:f64 = fadd.rne v7, v7\n put d1, v8\n"
    " insn 0x1008 4\n v11:i64 = get a0\n store.64 v11, v3\n"
    " insn 0x100c 4\n v14:i64 = const 0x108\n v15:i64 = add v11, v14\n put a0, v15\n"
    " put a3, v3\n put d2, v7\n"
    " insn 0x1010 4\n v20:f64 = load.u64 v11 + 8\n put d4, v20\n"
    " insn 0x1014 4\n v23:i64 = get a4\n v24:i64 = ltu.i64 v15, v23\n"
    " brif v24, 1, 2\n"
    "block 1\n exit_pc 0x1000\n"
    "block 2\n exit_pc 0x1018\n";

START_TEST(faults_in_later_rounds)
{
    struct hand h;

    hand_init(&h, walks, 2);
    h.start.r.a[4] = UINT64_MAX;
    for (unsigned rounds = 0; rounds < 60; rounds++) {
        h.start.r.a[0] = TOY_MEM - 0x108 * (uint64_t)rounds;
        ck_assert_int_eq(hand_agrees(&h, 6 * rounds + 5), TOY_BUDGET);
        ck_assert_int_eq(hand_agrees(&h, 6 * rounds + 6), TOY_FAULT);
    }
    h.start.r.a[0] = 0;
    h.start.r.a[4] = 0x3000;
    ck_assert_int_eq(hand_agrees(&h, 1000), TOY_GOTO);
    rig_fini(&h.t);
}
END_TEST

/* Both ways of the branch lead back: nothing is known of such a unit's end. */
START_TEST(no_way_out)
{
    static const char text[] = "unit 0x1000 rne\nblock 0\n insn 0x1000 4\n v1:i64 = get a0\n"
                               " put a1, v1\n brif v1, 1, 1\n"
                               "block 1\n exit_pc 0x1000\nblock 2\n exit_pc 0x1004\n";
    static struct toy_state start, want, got;
    struct rig t;
    struct ir_unit u;
    struct err e = {0};

    rig_init(&t);
    ck_assert_msg(!ir_parse(&u, &t.arena, &toy_guest.names, text, &e), "%s", e.msg);
    ck_assert_msg(!ir_verify(&u, &e), "%s", e.msg);
    const struct jit_block *b = jit_compile(t.jit, &u);
    for (unsigned i = 0; i < 2; i++) {
        toy_random(&start, 3);
        start.r.a[0] = i;
        start.budget = 20;
        ck_assert_int_eq(by_interp(&t, &u, &start, &want), TOY_BUDGET);
        ck_assert_int_eq(by_block(&t, &u, b, &start, &got), TOY_BUDGET);
        ck_assert_uint_eq(toy_compare(&want, &got, 10), 0);
    }
    rig_fini(&t);
}
END_TEST

/* ---- at random ---- */

struct tally {
    uint64_t loops, kept, left[TOY_BUDGET + 1];
};

/* The unit that begins as `body`, which is one block, and goes back to its start if a register that
 * counts down says so. */
static void make_loop(struct ir_unit *u, struct arena *a, const struct ir_unit *body, uint64_t r)
{
    const uint32_t count = TOY_SLOT_A + r % 4;

    ir_unit_init(u, a, body->names);
    ir_block_begin(u);
    for (ir_ref i = 0; i + 1 < body->blocks[0].end; i++) {
        const struct ir_insn *in = &body->insns[i];
        if (in->op == IR_put && in->imm == TOY_SLOT_PC) /* for an end that is not there */
            ir_emit(u, IR_nop, IR_VOID, IR_NONE, IR_NONE, IR_NONE, 0, 0);
        else
            ir_emit(u, in->op, in->type, in->arg[0], in->arg[1], in->arg[2], in->imm, in->aux);
    }
    ir_ref less = ir_bin(u, IR_sub, IR_I64, ir_get(u, count), ir_const(u, IR_I64, 1));
    ir_put(u, count, less);
    ir_ref more = ir_bin(u, r & 8 ? IR_ne : IR_eq, IR_I64, less, ir_const(u, IR_I64, 0));
    if (r & 16)
        more = ir_un(u, IR_copy, IR_I64, more); /* a condition that is a value */
    ir_brif(u, more, ir_edge_new(u, 1, NULL, 0), ir_edge_new(u, 2, NULL, 0));
    ir_block_begin(u);
    ir_exit_pc(u, r & 8 ? u->pc : u->pc + 4);
    ir_block_begin(u);
    ir_exit_pc(u, r & 8 ? u->pc + 4 : u->pc);
}

static struct ir_random options_for(uint64_t seed, uint64_t r)
{
    struct ir_random o = toy_unit(seed, r);

    o.insns = 1 + (unsigned)(r >> 32) % ((r & 3) == 0 ? 60 : 12);
    o.calls &= r >> 18 & 1; /* those with effects are in no loop that is kept */
    return o;
}

static bool loop_agrees(struct rig *t, struct ir_unit *u, uint64_t seed, struct tally *tally)
{
    static struct toy_state start, want, got;
    uint64_t r = bits_mix(seed + 7);
    struct err e = {0};

    ck_assert_msg(!ir_verify(u, &e), "%s", e.msg);
    const struct jit_block *b = jit_compile(t->jit, u);
    if (!b)
        return true;
    toy_random(&start, seed);
    for (unsigned i = 0; i < 4; i++)
        start.r.a[i] = 1 + (r >> 8 * i & 15);
    start.budget = (int64_t)u->guest_insns + (int64_t)(r >> 32 & 255);
    enum toy_left left = by_interp(t, u, &start, &want);
    enum toy_left how = by_block(t, u, b, &start, &got);
    tally->loops++;
    tally->kept += kept_in_its_loop(b);
    tally->left[left]++;
    if (how != left)
        printf("#   left: expected %d, got %d\n", left, how);
    return !toy_compare(&want, &got, 20) && how == left;
}

/* Whether the engines agree on the loop that the seed gives, as built and after the passes. */
static bool seed_agrees(struct rig *t, uint64_t seed, struct tally *tally)
{
    uint64_t r = bits_mix(seed);
    struct ir_random o = options_for(seed, r);
    struct ir_unit body, u;

    arena_reset(&t->arena);
    arena_reset(&t->scratch);
    ir_random_unit(&body, &t->arena, &o);
    for (unsigned passes = 0; passes < 2; passes++) {
        make_loop(&u, &t->arena, &body, r >> 20);
        u.fp_rm = (uint8_t)((r >> 11 & 7) % 5);
        toy_of(t->c)->counts = true;
        if (passes)
            ir_run_passes(&u, ir_tier1_passes);
        if (loop_agrees(t, &u, seed, tally))
            continue;
        printf("# seed %" PRIu64 ": the engines differ, %s\n", seed,
               passes ? "after the passes" : "as built");
        rig_print(t, &u);
        return false;
    }
    return true;
}

START_TEST(random_loops)
{
    uint64_t units = tap_number("RANDOM_UNITS", 10000), seed = tap_number("RANDOM_SEED", 20260101);
    struct tally n = {0};
    struct rig t;

    rig_init(&t);
    for (uint64_t i = 0; i < units; i++)
        ck_assert(seed_agrees(&t, seed + i, &n));
    rig_fini(&t);
    printf("# %" PRIu64 " loops from seed %" PRIu64 ", %" PRIu64 " kept; goto %" PRIu64
           ", loop %" PRIu64 ", fault %" PRIu64 ", budget %" PRIu64 "\n",
           n.loops, seed, n.kept, n.left[TOY_GOTO], n.left[TOY_LOOP], n.left[TOY_FAULT],
           n.left[TOY_BUDGET]);
    if (units < 1000)
        return;
    ck_assert_uint_gt(n.kept, n.loops / 2);
    ck_assert_uint_gt(n.left[TOY_GOTO], units / 20);
    ck_assert_uint_gt(n.left[TOY_FAULT], units / 20);
    ck_assert_uint_gt(n.left[TOY_BUDGET], units / 20);
}
END_TEST

UNIT_MAIN("jit/loops", registers_change_places, faults_in_later_rounds, no_way_out, random_loops)
