/*
 * ir.c - units of IR as text: what the parser and the verifier let through means the same to the
 * interpreter and to the JIT, before and after the passes.
 */
#include "tests/fuzz/damage.h"
#include "tests/ir/ir_random.h"
#include "tests/unit/jit/toy.h"

static struct rig rig;

/* Text that is the input, or that of a random unit with some damage. */
static void make_text(struct fuzz_in *in, struct buf *out)
{
    uint64_t kind = fuzz_int(in, 1);
    struct ir_random o = {.seed = fuzz_int(in, 2),
                          .names = &toy_guest.names,
                          .insns = 1 + (unsigned)(kind >> 6),
                          .control = kind & 2,
                          .memory = kind & 4,
                          .faults = kind & 8,
                          .calls = kind & 16,
                          .floats = kind & 32,
                          .mem_base = 0x0f80,
                          .mem_size = 256};
    struct ir_unit u;

    if (kind & 1) {
        ir_random_unit(&u, &rig.arena, &o);
        ir_print(&u, out);
        fuzz_damage(in, out->data, out->len);
    } else {
        buf_add(out, in->at, fuzz_left(in));
    }
}

static void check_valid(const struct ir_unit *u, const char *what)
{
    struct err e = {0};

    FUZZ_CHECK(!ir_verify(u, &e), "%s: %s", what, e.msg);
}

/* print, parse, print gives the same text. */
static void check_text(const struct ir_unit *u)
{
    struct buf first = BUF_INIT, second = BUF_INIT;
    struct err e = {0};
    struct ir_unit v;

    ir_print(u, &first);
    FUZZ_CHECK(!ir_parse(&v, &rig.arena, &toy_guest.names, first.data, &e), "%s\n%s", e.msg,
               first.data);
    ir_print(&v, &second);
    FUZZ_CHECK(!strcmp(first.data, second.data), "%s\n%s", first.data, second.data);
    buf_fini(&first);
    buf_fini(&second);
}

/* A loop that takes nothing from the budget would go on for ever. */
static bool has_loop(const struct ir_unit *u)
{
    for (uint32_t b = 0; b < u->nblocks; b++) {
        const struct ir_insn *end = &u->insns[u->blocks[b].end - 1];
        unsigned edges = end->op == IR_br ? 1 : end->op == IR_brif ? 3 : 0;

        for (unsigned i = 0; i < 3; i++)
            if (edges && end->arg[i] < u->nedges && (end->op == IR_br ? i == 0 : i > 0) &&
                u->edges[end->arg[i]].block <= b)
                return true;
    }
    return false;
}

struct outcome {
    struct toy_state state;
    enum toy_left left;
};

static void check_same(const struct outcome *want, const struct outcome *got,
                       const struct ir_unit *u, const char *what)
{
    if (!toy_compare(&want->state, &got->state, 20) && want->left == got->left)
        return;
    fflush(stdout);
    struct buf text = BUF_INIT;
    ir_print(u, &text);
    FUZZ_CHECK(false, "%s: left %d, not %d\n%s", what, got->left, want->left, text.data);
}

static void run_interp(const struct ir_unit *u, const struct toy_state *start, struct outcome *out)
{
    rig_load(&rig, start);
    out->left = rig_interp(&rig, u);
    rig_save(&rig, &out->state);
}

static void run_jit(const struct ir_unit *u, const struct toy_state *start,
                    const struct outcome *want, const char *what)
{
    static struct outcome got;
    struct ir_unit v;

    ir_unit_copy(&v, &rig.scratch, u);
    rig_load(&rig, start);
    if (!rig_jit(&rig, &v, &got.left))
        return;
    rig_save(&rig, &got.state);
    if (u->nblocks > 1) /* what lies beside the way is charged as well */
        got.state.budget = want->state.budget;
    check_same(want, &got, u, what);
}

static void run_all(const struct ir_unit *u, uint64_t seed, uint64_t short_budget)
{
    static struct toy_state start;
    static struct outcome want, got;
    struct ir_unit exact, fast;

    ir_unit_copy(&exact, &rig.arena, u);
    ir_run_passes(&exact, ir_exact_passes);
    check_valid(&exact, "after the exact passes");
    ir_unit_copy(&fast, &rig.arena, u);
    ir_run_passes(&fast, ir_tier1_passes);
    check_valid(&fast, "after tier 1's passes");
    if (has_loop(u))
        return;
    toy_random(&start, seed);
    start.budget = (int64_t)short_budget;
    run_interp(u, &start, &want);
    run_interp(&exact, &start, &got);
    check_same(&want, &got, u, "after the exact passes");
    start.budget = u->guest_insns;
    run_interp(u, &start, &want);
    run_jit(u, &start, &want, "by the JIT");
    run_jit(&fast, &start, &want, "by the JIT after tier 1's passes");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_in in = {data, data + len};
    struct buf text = BUF_INIT;
    struct err e = {0};
    struct ir_unit u;
    uint64_t seed = fuzz_int(&in, 1);

    rig_init(&rig);
    make_text(&in, &text);
    if (!ir_parse(&u, &rig.arena, &toy_guest.names, text.data, &e) && !ir_verify(&u, &e)) {
        u.fp_rm = (uint8_t)(seed % 5);
        check_text(&u);
        run_all(&u, seed, seed >> 4);
    } else {
        FUZZ_CHECK(*e.msg && !strchr(e.msg, '\n'), "%s", e.msg);
    }
    buf_fini(&text);
    rig_fini(&rig);
    return 0;
}
