/* ops.c - every pure and floating-point operation on edge values, with its operands in
 * registers, in their homes, spilled and constant, against ir_eval and ir_eval_fp. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/bits.h"
#include "toy.h"

/* Where an operand is when the operation is lowered. */
enum place { IN_REG, IN_HOME, IN_SPILL, PLACES, IN_CONST = PLACES };

/* What happens to the operands besides. */
enum life { DIES, LIVES_ON, DIRTY, LIVES };

/* Who reads the result: comparisons are fused with a select or a branch. */
enum user { BY_PUT, BY_SELECT, BY_SELECT_VEC, BY_BRANCH, USERS };

struct op_case {
    uint8_t op, type, from; /* from: of the operands that `type` does not tell */
    uint8_t fp_rm;
    uint16_t aux;
    uint8_t wide; /* i64 operands where an i32 operation allows that */
    uint8_t user, life;
};

enum { YES = 7, NO = 9, PC = 0x1000, COPY = 10 /* slot number of an operand's copy */ };

/* clang-format off */
static const uint64_t ints[] = {
    0, 1, 2, 7, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
    0xffffffff, 0x100000000, 0x123456789abcdef0, 0x7fffffffffffffff, 0x8000000000000000,
    0xffffffff80000000, 0xfffffffffffffffe, 0xffffffffffffffff,
};
static const uint64_t doubles[] = {
    0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000,
    0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000001,
    0x7ff0000000000001, 0x3ff0000000000001, 0x7fefffffffffffff, 0x0010000000000000,
    0x0000000000000001, 0x800fffffffffffff, 0x3fe0000000000000, 0xbff8000000000000,
    0x41dfffffffe00000, 0x41dfffffffc00000, 0xc1e0000000000000, 0xc1e0000000100000,
    0x41efffffffe00000, 0x43e0000000000000, 0xc3e0000000000000, 0x43efffffffffffff,
    0x3690000000000000, 0x47efffffe0000000, 0x47effffff0000000, 0x380fffffffffffff,
    0x3fd5555555555555, 0xffffffff3fc00000,
};
static const uint64_t singles[] = {
    0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001,
    0x7f800001, 0x3f800001, 0x7f7fffff, 0x00800000, 0x00000001, 0x807fffff, 0x3f000000, 0xbfc00000,
    0x4effffff, 0xcf000000, 0xcf000001, 0x4f7fffff, 0x4f800000, 0x5effffff, 0xdf000000, 0x5f7fffff,
    0x3eaaaaab, 0x4b7fffff,
};
/* clang-format on */

static unsigned edges_of(enum ir_type t, const uint64_t **edges)
{
    *edges = t == IR_F64 ? doubles : t == IR_F32 ? singles : ints;
    return t == IR_F64 ? ARRAY_LEN(doubles) : t == IR_F32 ? ARRAY_LEN(singles) : ARRAY_LEN(ints);
}

static bool is_compare(unsigned op)
{
    return op >= IR_eq && op <= IR_geu;
}

/* ---- operands and results ---- */

static enum ir_type operand_type(const struct op_case *c, unsigned n)
{
    switch (ir_ops[c->op].args[n]) {
    case 'i':
        return IR_I64;
    case 'n':
        return c->op == IR_i2f ? c->from : c->wide ? IR_I64 : IR_I32;
    case 'f':
    case 'v':
        return c->from;
    default:
        return c->type == IR_I32 && c->wide ? IR_I64 : c->type;
    }
}

static uint32_t slot_of(enum ir_type t, unsigned n)
{
    static const uint32_t first[] = {
        [IR_I32] = TOY_SLOT_W, [IR_I64] = TOY_SLOT_A, [IR_F32] = TOY_SLOT_S, [IR_F64] = TOY_SLOT_D};
    unsigned few = t == IR_I32 || t == IR_F32;
    return first[t] + (few && n >= COPY ? n - COPY + 4 : n);
}

static uint64_t read_slot(const struct rig *t, uint32_t slot)
{
    const struct ir_slot *s = &toy_guest.names.slots[slot];
    return bits_load_le((const char *)t->c + s->offset, s->type & 1 ? 4 : 8);
}

static void write_slot(struct rig *t, uint32_t slot, uint64_t v)
{
    const struct ir_slot *s = &toy_guest.names.slots[slot];
    bits_store_le((char *)t->c + s->offset, s->type & 1 ? 4 : 8, v);
}

/* ---- the unit ---- */

struct building {
    struct ir_unit *u;
    const struct op_case *c;
    ir_ref arg[3];
    unsigned nargs;
};

static void make_operands(struct building *b, const enum place *places, const uint64_t *values)
{
    bool spills = false;

    for (unsigned n = 0; n < b->nargs; n++) {
        if (places[n] == IN_SPILL) {
            b->arg[n] = ir_get(b->u, slot_of(operand_type(b->c, n), n + 1));
            spills = true;
        }
    }
    if (spills) {
        ir_br(b->u, ir_edge_new(b->u, 1, NULL, 0));
        ir_block_begin(b->u);
    }
    for (unsigned n = 0; n < b->nargs; n++) {
        enum ir_type t = operand_type(b->c, n);
        if (places[n] == IN_CONST)
            b->arg[n] = ir_const(b->u, t, values[n]);
        else if (places[n] != IN_SPILL)
            b->arg[n] = ir_get(b->u, slot_of(t, n + 1));
        if (places[n] == IN_REG)
            b->arg[n] = ir_un(b->u, IR_copy, t, b->arg[n]);
    }
}

static void put_operands(struct building *b)
{
    for (unsigned n = 0; n < b->nargs; n++)
        ir_put(b->u, slot_of(operand_type(b->c, n), COPY + n), b->arg[n]);
}

static void put_result(struct building *b, ir_ref v)
{
    ir_put(b->u, slot_of(ir_type_of(b->u, v), 0), v);
    if (b->c->life & LIVES_ON)
        put_operands(b);
    ir_exit_loop(b->u);
}

static void branch_on(struct building *b, ir_ref v)
{
    uint32_t next = b->u->nblocks;
    uint32_t yes = ir_edge_new(b->u, next, NULL, 0), no = ir_edge_new(b->u, next + 1, NULL, 0);

    ir_brif(b->u, v, yes, no);
    ir_block_begin(b->u);
    put_result(b, ir_const(b->u, IR_I64, YES));
    ir_block_begin(b->u);
    put_result(b, ir_const(b->u, IR_I64, NO));
}

static void build(struct rig *t, struct ir_unit *u, const struct op_case *c,
                  const enum place *places, const uint64_t *values)
{
    struct building b = {
        .u = u, .c = c, .nargs = ir_ops[c->op].nargs, .arg = {IR_NONE, IR_NONE, IR_NONE}};

    arena_reset(&t->arena);
    ir_unit_init(u, &t->arena, &toy_guest.names);
    u->pc = PC;
    u->fp_rm = c->fp_rm;
    ir_block_begin(u);
    ir_insn_mark(u, PC, 4);
    make_operands(&b, places, values);
    if (c->life & DIRTY)
        put_operands(&b);
    ir_ref v = ir_emit(u, c->op, c->type, b.arg[0], b.arg[1], b.arg[2], 0, c->aux);
    if (c->user == BY_SELECT)
        v = ir_select(u, IR_I64, v, ir_const(u, IR_I64, YES), ir_const(u, IR_I64, NO));
    else if (c->user == BY_SELECT_VEC)
        v = ir_un(u, IR_bits, IR_I64,
                  ir_select(u, IR_F64, v, ir_const(u, IR_F64, YES), ir_const(u, IR_F64, NO)));
    if (c->user == BY_BRANCH)
        branch_on(&b, v);
    else
        put_result(&b, v);
}

/* ---- running ---- */

static uint64_t expected(const struct op_case *c, const uint64_t *values, uint8_t *flags)
{
    uint64_t v;

    if (ir_ops[c->op].effects & IR_FX_FLAGS) {
        enum ir_type from = operand_type(c, 0);
        return ir_eval_fp(c->op, c->type, from, c->aux, values[0], values[1], values[2], flags);
    }
    if (!ir_eval(c->op, c->type, c->aux, values, &v))
        ck_abort_msg("%s is not pure", ir_ops[c->op].name);
    return c->user == BY_PUT ? v : v ? YES : NO;
}

static void say(struct rig *t, const struct op_case *c, const enum place *places,
                const uint64_t *values, const char *what, uint64_t want, uint64_t got)
{
    struct ir_unit u;

    printf("# %s of %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ": %s %#" PRIx64 ", expected %#" PRIx64
           "\n",
           ir_ops[c->op].name, values[0], values[1], values[2], what, got, want);
    build(t, &u, c, places, values);
    rig_print(t, &u);
    ck_abort_msg("%s: wrong %s", ir_ops[c->op].name, what);
}

/* Runs the block on the values, which are in the slots already unless they are constants. */
static void run_on(struct rig *t, const struct op_case *c, const enum place *places,
                   const struct jit_block *b, const uint64_t *values)
{
    enum ir_type result = ir_ops[c->op].result < 0 ? c->type : (enum ir_type)ir_ops[c->op].result;
    uint8_t flags = 0;
    uint64_t want = expected(c, values, &flags), got;

    for (unsigned n = 0; n < ir_ops[c->op].nargs; n++)
        write_slot(t, slot_of(operand_type(c, n), n + 1), values[n]);
    t->c->fp_flags = 0;
    t->c->budget = 1;
    jit_fp_enter(t->jit, c->fp_rm);
    enum jit_left left = jit_run(t->jit, t->c, b->code);
    jit_fp_leave(t->jit, t->c);
    if (left != JIT_LEFT_LOOP) /* libcheck's assertions are slow */
        say(t, c, places, values, "way out", JIT_LEFT_LOOP, left);
    got = read_slot(t, slot_of(c->user ? IR_I64 : result, 0));
    if (result == IR_I32 || result == IR_F32)
        want = (uint32_t)want;
    if (got != want)
        say(t, c, places, values, "result", want, got);
    if (t->c->fp_flags != flags)
        say(t, c, places, values, "flags", flags, t->c->fp_flags);
    for (unsigned n = 0; c->life && n < ir_ops[c->op].nargs; n++) {
        enum ir_type type = operand_type(c, n);
        got = read_slot(t, slot_of(type, COPY + n));
        want = type == IR_I32 || type == IR_F32 ? (uint32_t)values[n] : values[n];
        if (got != want)
            say(t, c, places, values, "operand afterwards", want, got);
    }
}

/* All values of the operands that are no constants, from operand n on.  Three operands: fewer. */
static void run_over(struct rig *t, const struct op_case *c, const enum place *places,
                     const struct jit_block *b, uint64_t *values, unsigned n)
{
    const uint64_t *edges;
    unsigned nargs = ir_ops[c->op].nargs, count;

    if (n == nargs) {
        run_on(t, c, places, b, values);
        return;
    }
    count = edges_of(operand_type(c, n), &edges);
    if (places[n] == IN_CONST)
        run_over(t, c, places, b, values, n + 1);
    for (unsigned i = 0; places[n] != IN_CONST && i < count; i += nargs == 3 ? 2 : 1) {
        values[n] = edges[i];
        run_over(t, c, places, b, values, n + 1);
    }
}

static void compile_and_run(struct rig *t, const struct op_case *c, const enum place *places,
                            uint64_t *values)
{
    struct ir_unit u;

    build(t, &u, c, places, values);
    struct jit_block *b = jit_compile(t->jit, &u);
    if (!b)
        ck_abort_msg("%s: the unit was given up", ir_ops[c->op].name);
    run_over(t, c, places, b, values, 0);
}

/* The constants among the operands, from n on, take every value in turn. */
static void each_const(struct rig *t, const struct op_case *c, const enum place *places,
                       uint64_t *values, unsigned n)
{
    const uint64_t *edges;
    unsigned nargs = ir_ops[c->op].nargs;

    while (n < nargs && places[n] != IN_CONST)
        n++;
    if (n == nargs) {
        compile_and_run(t, c, places, values);
        return;
    }
    unsigned count = edges_of(operand_type(c, n), &edges);
    for (unsigned i = 0; i < count; i += nargs == 3 ? 3 : 1) {
        values[n] = edges[i];
        each_const(t, c, places, values, n + 1);
    }
}

static void each_place(struct rig *t, const struct op_case *c)
{
    unsigned nargs = ir_ops[c->op].nargs, all = 1;

    for (unsigned n = 0; n < nargs; n++)
        all *= PLACES + 1;
    for (unsigned i = 0; i < all; i++) {
        enum place places[3] = {i % (PLACES + 1), i / (PLACES + 1) % (PLACES + 1),
                                i / (PLACES + 1) / (PLACES + 1)};
        uint64_t values[3] = {0};
        each_const(t, c, places, values, 0);
    }
}

START_TEST(integers)
{
    struct rig t;

    rig_init(&t);
    for (unsigned op = IR_copy; op <= IR_select; op++) {
        if (ir_ops[op].effects || op == IR_select || op == IR_mulhu || op == IR_mulhs)
            continue;
        for (unsigned wide = 0; wide < 2; wide++) {
            for (unsigned type = IR_I32; type <= IR_I64; type++) {
                struct op_case c = {
                    .op = (uint8_t)op, .type = (uint8_t)type, .wide = (uint8_t)wide};
                if (op == IR_sext32 || op == IR_zext32)
                    c.type = IR_I64;
                for (c.user = 0; c.user < (is_compare(op) ? USERS : 1); c.user++) {
                    c.life = (uint8_t)(op + wide + type + c.user) & LIVES;
                    each_place(&t, &c);
                }
            }
        }
    }
    rig_fini(&t);
}
END_TEST

START_TEST(wide_products_and_selection)
{
    static const struct {
        uint8_t op, type;
    } rows[] = {
        {IR_mulhu, IR_I64},  {IR_mulhs, IR_I64},  {IR_select, IR_I64}, {IR_select, IR_I32},
        {IR_select, IR_F64}, {IR_select, IR_F32}, {IR_copy, IR_F64},   {IR_copy, IR_F32},
    };
    struct rig t;

    rig_init(&t);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned life = DIES; life <= LIVES; life++)
            each_place(&t, &(struct op_case){
                               .op = rows[i].op, .type = rows[i].type, .life = (uint8_t)life});
    }
    rig_fini(&t);
}
END_TEST

START_TEST(bits_and_boxes)
{
    static const uint8_t rows[][3] = {
        {IR_bits, IR_I64, IR_F64}, {IR_bits, IR_F64, IR_I64},   {IR_bits, IR_I32, IR_F32},
        {IR_bits, IR_F32, IR_I32}, {IR_bits, IR_I64, IR_I64},   {IR_bits, IR_F64, IR_F64},
        {IR_fbox, IR_F64, IR_F32}, {IR_funbox, IR_F32, IR_F64},
    };
    struct rig t;

    rig_init(&t);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned life = DIES; life <= LIVES; life++)
            each_place(&t, &(struct op_case){.op = rows[i][0],
                                             .type = rows[i][1],
                                             .from = rows[i][2],
                                             .life = (uint8_t)life});
    }
    rig_fini(&t);
}
END_TEST

/* In every rounding mode of the operation and of the unit. */
static void each_mode(struct rig *t, struct op_case c)
{
    uint16_t aux = c.aux;

    for (unsigned rm = 0; rm < 5; rm++) {
        for (unsigned of_unit = 0; of_unit < 5; of_unit++) {
            static const enum place all_home[3] = {IN_HOME, IN_HOME, IN_HOME};
            uint64_t values[3] = {0};
            c.aux = (uint16_t)(aux | rm);
            c.fp_rm = (uint8_t)of_unit;
            compile_and_run(t, &c, all_home, values);
        }
    }
    c.aux = c.fp_rm = 0; /* and every place, in the mode of the unit */
    c.aux |= aux;
    c.life = (c.op + c.type) & LIVES;
    each_place(t, &c);
}

START_TEST(arithmetic)
{
    static const struct {
        uint8_t op;
        uint16_t aux;
    } rows[] = {
        {IR_fadd, 0},         {IR_fsub, 0},          {IR_fmul, 0},         {IR_fdiv, 0},
        {IR_fsqrt, 0},        {IR_fmin, 0},          {IR_fmin, IR_FP_NAN}, {IR_fmax, 0},
        {IR_fmax, IR_FP_NAN}, {IR_feq, 0},           {IR_flt, 0},          {IR_flt, IR_FP_QUIET},
        {IR_fle, 0},          {IR_fle, IR_FP_QUIET}, {IR_fround, 0},       {IR_fround, IR_FP_EXACT},
    };
    struct rig t;

    rig_init(&t);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned type = IR_F32; type <= IR_F64; type++)
            each_mode(
                &t, (struct op_case){.op = rows[i].op, .type = (uint8_t)type, .aux = rows[i].aux});
    }
    rig_fini(&t);
}
END_TEST

START_TEST(multiply_and_add)
{
    struct rig t;

    rig_init(&t);
    for (unsigned type = IR_F32; type <= IR_F64; type++) {
        for (unsigned neg = 0; neg < 4; neg++)
            each_mode(&t, (struct op_case){.op = IR_fma,
                                           .type = (uint8_t)type,
                                           .aux = (uint16_t)(neg * IR_FP_NEG_MUL)});
    }
    rig_fini(&t);
}
END_TEST

START_TEST(conversions)
{
    struct rig t;

    rig_init(&t);
    for (unsigned f = IR_F32; f <= IR_F64; f++) {
        for (unsigned i = IR_I32; i <= IR_I64; i++) {
            for (uint16_t aux = 0; aux <= IR_FP_UNSIGNED; aux += IR_FP_UNSIGNED) {
                each_mode(&t,
                          (struct op_case){
                              .op = IR_f2i, .type = (uint8_t)i, .from = (uint8_t)f, .aux = aux});
                each_mode(&t,
                          (struct op_case){
                              .op = IR_i2f, .type = (uint8_t)f, .from = (uint8_t)i, .aux = aux});
            }
        }
        each_mode(&t, (struct op_case){
                          .op = IR_f2f, .type = (uint8_t)f, .from = f == IR_F32 ? IR_F64 : IR_F32});
    }
    rig_fini(&t);
}
END_TEST

/* Every engine stores the pc before a call that can look: a value that was put there before must be
 * had from elsewhere afterwards. */
START_TEST(put_to_the_pc_before_a_call)
{
    static struct toy_state start, want, got;
    struct rig t;
    struct ir_unit u;
    struct err e = {0};
    enum toy_left left;
    ir_ref v[8];

    rig_init(&t);
    ir_unit_init(&u, &t.arena, &toy_guest.names);
    u.pc = PC;
    ir_block_begin(&u);
    ir_insn_mark(&u, PC, 4);
    for (unsigned i = 0; i < ARRAY_LEN(v); i++)
        v[i] = ir_un(&u, IR_bswap, IR_I64, ir_get(&u, TOY_SLOT_A + i));
    ir_put(&u, TOY_SLOT_PC, v[2]);
    ir_insn_mark(&u, PC + 4, 4);
    ir_ref sum = ir_call(&u, TOY_LOOK, v[0], IR_NONE, IR_NONE);
    for (unsigned i = 0; i < ARRAY_LEN(v); i++)
        sum = ir_bin(&u, IR_add, IR_I64, ir_un(&u, IR_bswap, IR_I64, sum), v[i]);
    ir_put(&u, TOY_SLOT_A, sum);
    ir_exit_loop(&u);
    ck_assert_msg(!ir_verify(&u, &e), "%s", e.msg);

    toy_random(&start, 1);
    start.budget = 2;
    rig_load(&t, &start);
    ck_assert_int_eq(rig_interp(&t, &u), TOY_LOOP);
    rig_save(&t, &want);
    rig_load(&t, &start);
    ck_assert(rig_jit(&t, &u, &left));
    rig_save(&t, &got);
    ck_assert_int_eq(left, TOY_LOOP);
    ck_assert_uint_eq(toy_compare(&want, &got, 10), 0);
    rig_fini(&t);
}
END_TEST

/* A branch back to a block that leaves. */
START_TEST(exit_before_its_branch)
{
    static const char text[] = "unit 0x1000\nblock 0\n insn 0x1000 4\n v1:i64 = get a1\n br 2\n"
                               "block 1\n exit_pc 0x1008\n"
                               "block 2\n brif v1, 3, 1\n"
                               "block 3\n exit_pc 0x1010\n";
    static struct toy_state start, got;
    struct rig t;
    struct ir_unit u;
    struct err e = {0};
    enum toy_left left;

    rig_init(&t);
    ck_assert_msg(!ir_parse(&u, &t.arena, &toy_guest.names, text, &e), "%s", e.msg);
    for (unsigned i = 0; i < 2; i++) {
        start.r.a[1] = i;
        start.budget = 1;
        rig_load(&t, &start);
        ck_assert(rig_jit(&t, &u, &left));
        rig_save(&t, &got);
        ck_assert_int_eq(left, TOY_GOTO);
        ck_assert_uint_eq(got.pc, i ? 0x1010 : 0x1008);
    }
    rig_fini(&t);
}
END_TEST

UNIT_MAIN("jit/ops", integers, wide_products_and_selection, bits_and_boxes, arithmetic,
          multiply_and_add, conversions, put_to_the_pc_before_a_call, exit_before_its_branch)
