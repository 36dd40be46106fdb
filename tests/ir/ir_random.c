/*
 * ir_random.c - see ir_random.h.
 */
#include "tests/ir/ir_random.h"

#include <string.h>

#include "base/bits.h"

enum {
    POOL = 64,     /* values of one type that may be picked; the oldest are forgotten */
    MAX_DEPTH = 3, /* of branches and loops */
    MAX_TRIPS = 5, /* of a loop */
    INSN_BYTES = 4,
};

/* Values that dominate the place where the generator is. */
struct pool {
    ir_ref v[IR_TYPE_COUNT][POOL];
    unsigned n[IR_TYPE_COUNT];
};

struct gen {
    struct ir_unit *u;
    const struct ir_random *o;
    uint64_t state;
    struct pool pool;
    uint64_t pc;
    unsigned left; /* guest instructions to make */
    unsigned depth;
};

static uint64_t rnd(struct gen *g)
{
    g->state += UINT64_C(0x9e3779b97f4a7c15);
    return bits_mix(g->state);
}

static unsigned below(struct gen *g, unsigned n)
{
    return (unsigned)(rnd(g) % n);
}

static bool chance(struct gen *g, unsigned percent)
{
    return below(g, 100) < percent;
}

/* ---- values ---- */

static ir_ref keep(struct gen *g, ir_ref v)
{
    enum ir_type t = ir_type_of(g->u, v);
    if (g->pool.n[t] == POOL) {
        memmove(g->pool.v[t], g->pool.v[t] + POOL / 2, POOL / 2 * sizeof(ir_ref));
        g->pool.n[t] = POOL / 2;
    }
    g->pool.v[t][g->pool.n[t]++] = v;
    return v;
}

static uint64_t any_bits(struct gen *g)
{
    static const uint64_t edges[] = {
        0,
        1,
        2,
        3,
        8,
        31,
        32,
        63,
        64,
        0x7f,
        0x80,
        0xff,
        0x7fff,
        0x8000,
        0xffff,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        UINT64_MAX,
        INT64_MAX,
        BIT(63),
        BIT(32),
        0xfffffffe,
        -2ull,
        0xffffffff80000000,
        0xff00,
        0xffff0000,
        0x3ff00000u,
        0x7ff0000000000000,
        0x7f800000,
    };
    uint64_t r = rnd(g);
    return chance(g, 70) ? edges[r % ARRAY_LEN(edges)] : r >> below(g, 64);
}

static ir_ref any_const(struct gen *g, enum ir_type t)
{
    return keep(g, ir_const(g->u, t, any_bits(g)));
}

/* A value of type t; recent ones more often. */
static ir_ref pick(struct gen *g, enum ir_type t)
{
    unsigned n = g->pool.n[t];
    if (!n || chance(g, 15))
        return any_const(g, t);
    unsigned back = below(g, chance(g, 60) && n > 4 ? 4 : n);
    return g->pool.v[t][n - 1 - back];
}

/* An operand for an instruction of type t: those of 32 bits read the low half of an i64 too. */
static ir_ref operand(struct gen *g, enum ir_type t)
{
    return pick(g, t == IR_I32 && chance(g, 30) ? IR_I64 : t);
}

static enum ir_type int_type(struct gen *g)
{
    return chance(g, 70) ? IR_I64 : IR_I32;
}

static enum ir_type float_type(struct gen *g)
{
    return chance(g, 50) ? IR_F64 : IR_F32;
}

static enum ir_type any_type(struct gen *g)
{
    return g->o->floats && chance(g, 25) ? float_type(g) : int_type(g);
}

/* ---- operations ---- */

static void int_op(struct gen *g)
{
    unsigned op = IR_add + below(g, IR_geu - IR_add + 1);
    enum ir_type t = int_type(g);
    if (op == IR_mulhu || op == IR_mulhs || op == IR_sext32 || op == IR_zext32)
        t = IR_I64;
    const char *args = ir_ops[op].args;
    ir_ref a = args[0] == 'n' ? pick(g, int_type(g)) : operand(g, t), b = IR_NONE;
    if (args[0] && args[1])
        b = args[1] == 'n' ? pick(g, int_type(g)) : chance(g, 30) ? any_const(g, t) : operand(g, t);
    if (b != IR_NONE && chance(g, 5))
        b = args[1] == 't' ? a : b;
    keep(g, ir_bin(g->u, op, t, a, b));
}

static void select_or_copy(struct gen *g)
{
    enum ir_type t = any_type(g);
    if (chance(g, 30)) {
        keep(g, ir_un(g->u, IR_copy, t, operand(g, t)));
        return;
    }
    ir_ref c = pick(g, IR_I64), a = operand(g, t), b = operand(g, t);
    keep(g, ir_select(g->u, t, c, a, b));
}

/* Shifts to both sides, mostly by what makes a rotation, extended and joined. */
static ir_ref turned(struct gen *g, ir_ref x, ir_ref y)
{
    static const uint8_t joining[] = {IR_or, IR_xor, IR_add, IR_and};
    enum ir_type t = int_type(g);
    unsigned bits = t == IR_I32 ? 32 : 64, by = below(g, bits), ext = below(g, 4);
    unsigned back = chance(g, 80) ? bits - by : below(g, bits);
    ir_ref a = ir_bin(g->u, IR_shl, t, x, ir_const(g->u, IR_I64, by));
    ir_ref b = ir_bin(g->u, IR_shr, t, chance(g, 90) ? x : y, ir_const(g->u, IR_I64, back));
    if (t == IR_I32 && ext) {
        t = IR_I64;
        a = ir_un(g->u, IR_sext32, t, a);
        b = ir_un(g->u, ext == 1 ? IR_zext32 : IR_sext32, t, b);
    }
    ir_ref first = chance(g, 50) ? a : b;
    return ir_bin(g->u, joining[below(g, 4)], t, first, first == a ? b : a);
}

/* Shift to the left and back, masks, extensions: what passes look for.  (Random
 * numbers are drawn one statement at a time: C leaves the order of arguments open.) */
static void idiom(struct gen *g)
{
    static const uint8_t counts[] = {8, 16, 24, 32, 48, 56, 60};
    static const uint8_t merging[] = {IR_add, IR_and, IR_or, IR_xor};
    unsigned kind = below(g, 5), r = below(g, 6);
    ir_ref x = pick(g, IR_I64), y = pick(g, IR_I64), c;
    if (kind == 0) {
        c = ir_const(g->u, IR_I64, counts[below(g, ARRAY_LEN(counts))]);
        x = ir_bin(g->u, IR_shl, IR_I64, x, c);
        x = ir_bin(g->u, r & 1 ? IR_shr : IR_sar, IR_I64, x, c);
    } else if (kind == 1) {
        x = ir_bin(g->u, merging[r & 3], IR_I64, x, any_const(g, IR_I64));
        c = ir_const(g->u, IR_I64, any_bits(g));
        x = ir_bin(g->u, merging[r & 3], IR_I64, x, c);
    } else if (kind == 2) {
        x = ir_un(g->u, IR_sext8 + r, IR_I64, x);
        x = ir_un(g->u, IR_sext8 + below(g, 6), IR_I64, x);
    } else if (kind == 3) {
        x = turned(g, x, y);
    } else {
        x = ir_bin(g->u, IR_eq + r, IR_I64, x, y);
        c = ir_const(g->u, IR_I64, below(g, 2));
        r = below(g, 12);
        x = ir_bin(g->u, r < 6 ? IR_eq + r : IR_xor, IR_I64, x, c);
    }
    keep(g, x);
}

static void convert_op(struct gen *g)
{
    unsigned rm = below(g, 5), kind = below(g, 7), uns = chance(g, 50) ? IR_FP_UNSIGNED : 0;
    enum ir_type t = float_type(g), other = t == IR_F64 ? IR_F32 : IR_F64, i = int_type(g);
    enum ir_type same = t == IR_F64 ? IR_I64 : IR_I32;
    ir_ref v = IR_NONE;
    switch (kind) {
    case 0:
        v = ir_emit(g->u, IR_f2i, i, pick(g, t), v, v, 0, rm | uns);
        break;
    case 1:
        v = ir_emit(g->u, IR_i2f, t, pick(g, i), v, v, 0, rm | uns);
        break;
    case 2:
        v = ir_emit(g->u, IR_f2f, t, pick(g, other), v, v, 0, rm);
        break;
    case 3:
        v = ir_un(g->u, IR_bits, t, pick(g, same));
        break;
    case 4:
        v = ir_un(g->u, IR_bits, same, pick(g, t));
        break;
    case 5:
        v = ir_un(g->u, IR_fbox, IR_F64, pick(g, IR_F32));
        break;
    default:
        v = ir_un(g->u, IR_funbox, IR_F32, pick(g, IR_F64));
        break;
    }
    keep(g, v);
}

static void float_op(struct gen *g)
{
    enum ir_type t = float_type(g);
    unsigned op = IR_fadd + below(g, IR_fle - IR_fadd + 2), aux = below(g, 5);
    if (op > IR_fle)
        op = IR_fround;
    if (op == IR_fma)
        aux |= below(g, 4) * IR_FP_NEG_MUL;
    else if (op == IR_fmin || op == IR_fmax)
        aux = chance(g, 50) ? IR_FP_NAN : 0;
    else if (op == IR_flt || op == IR_fle)
        aux = chance(g, 50) ? IR_FP_QUIET : 0;
    else if (op == IR_feq)
        aux = 0;
    else if (op == IR_fround)
        aux |= chance(g, 50) ? IR_FP_EXACT : 0;
    ir_ref arg[3] = {IR_NONE, IR_NONE, IR_NONE};
    for (unsigned n = 0; n < ir_ops[op].nargs; n++)
        arg[n] = pick(g, t);
    keep(g, ir_emit(g->u, op, t, arg[0], arg[1], arg[2], 0, aux));
}

static void pure_op(struct gen *g)
{
    unsigned r = below(g, 100);
    if (g->o->floats && r < 25)
        (chance(g, 50) ? float_op : convert_op)(g);
    else if (r < 35)
        select_or_copy(g);
    else if (r < 50)
        idiom(g);
    else
        int_op(g);
}

/* ---- slots, memory, calls ---- */

static uint32_t any_slot(struct gen *g)
{
    const struct ir_names *names = g->o->names;
    uint32_t slot;
    do
        slot = below(g, names->nslots);
    while (slot == names->pc_slot);
    return slot;
}

static void put_any(struct gen *g)
{
    uint32_t slot = any_slot(g);
    ir_put(g->u, slot, pick(g, g->o->names->slots[slot].type));
}

/* An address with up to 15 bytes in range behind it; *offset goes with it. */
static ir_ref address(struct gen *g, int64_t *offset)
{
    uint64_t room = g->o->mem_size - 16;
    ir_ref at = pick(g, IR_I64);
    *offset = (int64_t)below(g, 8);
    if (g->o->faults && chance(g, 4))
        return at;
    at = ir_bin(g->u, IR_and, IR_I64, at, ir_const(g->u, IR_I64, room & ~UINT64_C(15)));
    if (chance(g, 50)) /* the base as a sum or as the offset */
        return ir_bin(g->u, IR_add, IR_I64, at, ir_const(g->u, IR_I64, g->o->mem_base));
    *offset += (int64_t)g->o->mem_base;
    return at;
}

static unsigned memory_aux(struct gen *g, enum ir_type t)
{
    unsigned mo = t == IR_I64 ? below(g, 4) : t == IR_F64 ? IR_MO_64 : IR_MO_32;
    if (t == IR_I32)
        mo = below(g, 3);
    if (g->o->faults && chance(g, 10))
        mo |= IR_MO_ALIGN;
    return mo | (unsigned)g->o->mode << IR_MO_MODE_SHIFT;
}

static void memory_op(struct gen *g)
{
    enum ir_type t = any_type(g);
    unsigned mo = memory_aux(g, t);
    int64_t offset;
    ir_ref at = address(g, &offset);
    if (chance(g, 40)) {
        ir_store(g->u, at, offset, pick(g, t), mo);
        return;
    }
    if ((t == IR_I64 || t == IR_I32) && chance(g, 50))
        mo |= IR_MO_SIGN;
    if (chance(g, 10))
        mo |= IR_MO_RMW;
    keep(g, ir_load(g->u, t, at, offset, mo));
}

/* A helper; one that may leave only if `may_leave`, and then mostly with 0. */
static void call_op(struct gen *g, bool may_leave)
{
    const struct ir_names *names = g->o->names;
    ir_ref arg[3] = {IR_NONE, IR_NONE, IR_NONE};
    uint32_t h = below(g, names->nhelpers);
    bool leaves = names->helpers[h].effects & IR_HELPER_LEAVES;
    if (leaves && !may_leave)
        return;
    for (unsigned n = 0; n < names->helpers[h].nargs; n++)
        arg[n] = leaves && n == 0 && chance(g, 85) ? ir_const(g->u, IR_I64, 0) : pick(g, IR_I64);
    ir_ref v = ir_call(g->u, h, arg[0], arg[1], arg[2]);
    if (names->helpers[h].result)
        keep(g, v);
}

/* One guest instruction: what may leave comes before the puts. */
static void guest_insn(struct gen *g)
{
    ir_insn_mark(g->u, g->pc, INSN_BYTES);
    g->pc += INSN_BYTES;
    g->left -= g->left > 0;
    for (unsigned n = below(g, 4); n--;) {
        uint32_t slot = any_slot(g);
        keep(g, ir_get(g->u, slot));
    }
    for (unsigned n = 1 + below(g, 4); n--;)
        pure_op(g);
    if (g->o->memory && chance(g, 40))
        memory_op(g);
    if (g->o->calls && chance(g, 15))
        call_op(g, true);
    for (unsigned n = below(g, 3); n--;) {
        pure_op(g);
        put_any(g);
    }
    if (g->o->calls && chance(g, 8))
        call_op(g, false);
}

/* ---- control ---- */

static void region(struct gen *g, unsigned insns);

static ir_ref condition(struct gen *g)
{
    ir_ref a = pick(g, IR_I64), b = pick(g, IR_I64);
    unsigned op = below(g, 9);
    return op < 6 ? ir_bin(g->u, IR_eq + op, IR_I64, a, b) : a;
}

/* Starts the next block with n parameters of the types given. */
static void begin_with(struct gen *g, const enum ir_type *types, unsigned n)
{
    ir_block_begin(g->u);
    for (unsigned i = 0; i < n; i++)
        keep(g, ir_param(g->u, types[i]));
}

static uint32_t edge_to(struct gen *g, uint32_t block, const enum ir_type *types, unsigned n)
{
    ir_ref args[4];
    for (unsigned i = 0; i < n; i++)
        args[i] = pick(g, types[i]);
    return ir_edge_new(g->u, block, args, n);
}

/* Two ways that join in a block with parameters.  The numbers of later blocks are
 * not known yet, so edges to the join are set when it begins. */
static void diamond(struct gen *g)
{
    enum ir_type types[4];
    unsigned n = below(g, 4);
    uint32_t join[2];
    for (unsigned i = 0; i < n; i++)
        types[i] = any_type(g);
    ir_ref cond = condition(g);
    uint32_t arm = ir_edge_new(g->u, g->u->nblocks, NULL, 0);
    uint32_t other = ir_edge_new(g->u, 0, NULL, 0);
    if (chance(g, 50))
        ir_brif(g->u, cond, arm, other);
    else
        ir_brif(g->u, cond, other, arm);
    struct pool before = g->pool;
    for (unsigned way = 0; way < 2; way++) {
        if (way)
            g->u->edges[other].block = g->u->nblocks;
        ir_block_begin(g->u);
        region(g, below(g, 4));
        join[way] = edge_to(g, 0, types, n);
        ir_br(g->u, join[way]);
        g->pool = before;
    }
    g->u->edges[join[0]].block = g->u->edges[join[1]].block = g->u->nblocks;
    begin_with(g, types, n);
}

/* A loop that counts its first parameter down to 0. */
static void loop(struct gen *g)
{
    enum ir_type types[3] = {IR_I64};
    unsigned n = 1 + below(g, 3);
    for (unsigned i = 1; i < n; i++)
        types[i] = any_type(g);
    ir_ref count = ir_const(g->u, IR_I64, 1 + below(g, MAX_TRIPS));
    uint32_t enter = edge_to(g, g->u->nblocks, types, n), head = g->u->nblocks;
    g->u->edges[enter].args[0] = count;
    ir_br(g->u, enter);
    begin_with(g, types, n);
    ir_ref left = g->u->blocks[head].first;
    region(g, 1 + below(g, 4));
    left = ir_bin(g->u, IR_sub, IR_I64, left, ir_const(g->u, IR_I64, 1));
    uint32_t back = edge_to(g, head, types, n);
    g->u->edges[back].args[0] = left;
    uint32_t leave = ir_edge_new(g->u, g->u->nblocks, NULL, 0);
    ir_brif(g->u, left, back, leave);
    ir_block_begin(g->u);
}

static void region(struct gen *g, unsigned insns)
{
    g->depth++;
    while (insns--) {
        guest_insn(g);
        if (g->o->control && g->depth <= MAX_DEPTH && g->left && chance(g, 20))
            (chance(g, 60) ? diamond : loop)(g);
    }
    g->depth--;
}

static void finish(struct gen *g)
{
    ir_ref to = pick(g, IR_I64);
    switch (below(g, 4)) {
    case 0:
        ir_exit_pc(g->u, g->pc);
        break;
    case 1:
        ir_exit_ind(g->u, to, below(g, 3));
        break;
    default:
        ir_put(g->u, g->o->names->pc_slot, to);
        if (chance(g, 50))
            ir_exit_loop(g->u);
        else
            ir_exit_stop(g->u);
        break;
    }
}

void ir_random_unit(struct ir_unit *u, struct arena *a, const struct ir_random *options)
{
    struct gen g = {
        .u = u, .o = options, .state = options->seed, .pc = 0x10000, .left = options->insns};
    ir_unit_init(u, a, options->names);
    ir_block_begin(u);
    while (g.left)
        region(&g, 1);
    finish(&g);
}

uint64_t ir_random_budget(const struct ir_unit *u)
{
    uint64_t trips = 1;
    for (unsigned d = 0; d <= MAX_DEPTH; d++)
        trips *= MAX_TRIPS;
    return trips * u->guest_insns;
}
