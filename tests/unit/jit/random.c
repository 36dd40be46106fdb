/* random.c - random units by the interpreter and by the JIT, from equal states.
 * RANDOM_UNITS and RANDOM_SEED in the environment choose others. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/bits.h"
#include "toy.h"

struct tally {
    uint64_t units, given_up, left[TOY_BUDGET + 1];
};

static struct ir_random options_for(uint64_t seed, uint64_t *bits)
{
    uint64_t r = *bits = bits_mix(seed);
    struct ir_random o = toy_unit(seed, r);

    o.insns = 1 + (unsigned)(r >> 32) % ((r & 3) == 0 ? 60 : 8);
    o.control = r & 4;
    return o;
}

/* With branches the JIT charges what lies beside the way as well. */
static void forget_count(struct toy_state *s, bool control)
{
    if (control)
        s->budget = 0;
}

static bool run_jit(struct rig *t, const struct ir_random *o, struct ir_unit *u,
                    const struct toy_state *start, struct toy_state *want, enum toy_left left,
                    struct tally *tally)
{
    static struct toy_state got;
    enum toy_left how;
    struct ir_unit copy;
    struct err e = {0};

    ir_unit_copy(&copy, &t->scratch, u);
    if (ir_verify(&copy, &e)) {
        printf("# %s\n", e.msg);
        return false;
    }
    rig_load(t, start);
    if (bits_mix(o->seed + 5) & 1)
        tlb_flush_all(&t->c->tlb);
    if (!rig_jit(t, &copy, &how)) {
        tally->given_up++;
        return true;
    }
    rig_save(t, &got);
    forget_count(&got, o->control);
    unsigned n = toy_compare(want, &got, 20);
    if (how != left)
        printf("#   left: expected %d, got %d\n", left, how);
    return !n && how == left;
}

/* Whether all agree on the unit that the seed gives. */
static bool agree(struct rig *t, uint64_t seed, struct tally *tally)
{
    static struct toy_state start, want;
    uint64_t bits;
    struct ir_random o = options_for(seed, &bits);
    struct ir_unit u, raw;

    arena_reset(&t->arena);
    arena_reset(&t->scratch);
    ir_random_unit(&u, &t->arena, &o);
    u.fp_rm = (uint8_t)((bits >> 11 & 7) % 5);
    toy_random(&start, seed);
    start.budget = (int64_t)ir_random_budget(&u);
    start.flags = bits >> 16 & bits >> 20 & 31;
    toy_of(t->c)->counts = !o.control;

    rig_load(t, &start);
    enum toy_left left = rig_interp(t, &u);
    rig_save(t, &want);
    forget_count(&want, o.control);
    tally->units++;
    tally->left[left]++;

    ir_unit_copy(&raw, &t->scratch, &u);
    const char *stage = "as built";
    if (run_jit(t, &o, &u, &start, &want, left, tally)) {
        stage = "after the passes";
        ir_run_passes(&u, ir_tier1_passes);
        if (run_jit(t, &o, &u, &start, &want, left, tally))
            return true;
    }
    printf("# seed %" PRIu64 ": the engines differ, %s\n", seed, stage);
    struct buf out = {0};
    ir_print(&raw, &out);
    printf("%s\n", out.data);
    buf_fini(&out);
    rig_print(t, &u);
    return false;
}

static bool agree_on(uint64_t units, uint64_t seed, struct tally *tally)
{
    struct rig t;
    bool ok = true;

    rig_init(&t);
    for (uint64_t i = 0; i < units && ok; i++)
        ok = agree(&t, seed + i, tally);
    rig_fini(&t);
    return ok;
}

START_TEST(random_units)
{
    uint64_t units = tap_number("RANDOM_UNITS", 20000), seed = tap_number("RANDOM_SEED", 20260101);
    struct tally n = {0};

    ck_assert(agree_on(units, seed, &n));
    printf("# %" PRIu64 " units from seed %" PRIu64 ", %" PRIu64 " given up; goto %" PRIu64
           ", loop %" PRIu64 ", stop %" PRIu64 ", fault %" PRIu64 "\n",
           n.units, seed, n.given_up, n.left[TOY_GOTO], n.left[TOY_LOOP], n.left[TOY_STOP],
           n.left[TOY_FAULT]);
    if (units < 1000)
        return;
    for (unsigned i = 0; i < TOY_BUDGET; i++)
        ck_assert_msg(n.left[i] > units / 50, "few units were left by way %u", i);
    ck_assert_msg(n.given_up < units / 100, "many units were given up");
}
END_TEST

UNIT_MAIN("jit/random", random_units)
