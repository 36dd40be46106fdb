/* verify.c - each rule of the verifier, broken once. */
#include <stdio.h>
#include <string.h>

#include "tests/ir/ir_cpu.h"
#include "tests/unit/unit.h"

static void parse(struct ir_unit *u, struct arena *a, const char *text)
{
    struct err e = {0};
    if (ir_parse(u, a, &ir_cpu_names, text, &e))
        ck_abort_msg("%s:\n%s", e.msg, text);
}

/* The verifier's word on u; NULL: it has none. */
static void check(const struct ir_unit *u, const char *message, const char *what)
{
    struct err e = {0};
    int r = ir_verify(u, &e);
    if (message) {
        ck_assert_msg(r < 0, "accepted:\n%s", what);
        ck_assert_str_eq(e.msg, message);
    } else {
        ck_assert_msg(!r, "%s:\n%s", e.msg, what);
    }
}

static void check_text(const char *text, const char *message)
{
    struct arena a;
    struct ir_unit u;
    arena_init(&a);
    parse(&u, &a, text);
    check(&u, message, text);
    arena_fini(&a);
}

/* Values of each type, by the names i w d s and z (0). */
#define VALUES                                                                                     \
    "block 0\n insn 0x80 4\n i:i64 = get a0\n w:i32 = get w0\n d:f64 = get d0\n"                   \
    " s:f32 = get s0\n z:i64 = const 0\n"

START_TEST(types)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"x:i64 = add i, i", NULL},
        {"x:i32 = add i, w", NULL},
        {"x:i64 = add i, w", "v6 (add): operand 1, v2, is of the wrong type: i32"},
        {"x:f64 = add d, d", "v6 (add): cannot be of type f64"},
        {"x:i32 = mulhu w, w", "v6 (mulhu): cannot be of type i32"},
        {"x:i32 = mulhs w, w", "v6 (mulhs): cannot be of type i32"},
        {"x:i64 = shl i, w", NULL},
        {"x:i64 = shl i, d", "v6 (shl): operand 1, v3, is of the wrong type: f64"},
        {"x:i64 = clz s", "v6 (clz): operand 0, v4, is of the wrong type: f32"},
        {"x:i64 = sext8 w", NULL},
        {"x:i64 = zext32 s", "v6 (zext32): operand 0, v4, is of the wrong type: f32"},
        {"x:i64 = eq.i32 i, w", NULL},
        {"x:i64 = eq.i64 i, w", "v6 (eq): operand 1, v2, is of the wrong type: i32"},
        {"x:i64 = eq.f64 d, d", "v6 (eq): cannot be of type f64"},
        {"x:i64 = feq.i64 i, i", "v6 (feq): cannot be of type i64"},
        {"x:i64 = feq.f32 s, d", "v6 (feq): operand 1, v3, is of the wrong type: f64"},
        {"x:f64 = select i, d, d", NULL},
        {"x:f64 = select w, d, d", "v6 (select): operand 0, v2, is of the wrong type: i32"},
        {"x:f64 = select i, d, s", "v6 (select): operand 2, v4, is of the wrong type: f32"},
        {"x:i64 = fadd.rne i, i", "v6 (fadd): cannot be of type i64"},
        {"x:f64 = fadd.rne d, s", "v6 (fadd): operand 1, v4, is of the wrong type: f32"},
        {"x:f64 = f2i.rne d", "v6 (f2i): cannot be of type f64"},
        {"x:i64 = f2i.rne i", "v6 (f2i): operand 0, v1, is of the wrong type: i64"},
        {"x:f64 = i2f.rne d", "v6 (i2f): operand 0, v3, is of the wrong type: f64"},
        {"x:i64 = i2f.rne i", "v6 (i2f): cannot be of type i64"},
        {"x:f64 = f2f.rne d", "v6 (f2f): operand and result are both f64"},
        {"x:f64 = bits i", NULL},
        {"x:f32 = bits i", "v6 (bits): the types differ in size"},
        {"x:f64 = fbox d", "v6 (fbox): operand and result are both f64"},
        {"x:f32 = fbox d", "v6 (fbox): cannot be of type f32"},
        {"x:f32 = funbox s", "v6 (funbox): operand and result are both f32"},
        {"x:f64 = funbox s", "v6 (funbox): cannot be of type f64"},
        {"x:i32 = copy i", NULL},
        {"x:i64 = copy w", "v6 (copy): operand 0, v2, is of the wrong type: i32"},
        {"x:i32 = get a0", "v6 (get): a0 is i64, not i32"},
        {"put a0, w", "v6 (put): a0 is i64, not i32"},
        {"put d0, s", "v6 (put): d0 is f64, not f32"},
        {"exit_ind w", "v6 (exit_ind): operand 0, v2, is of the wrong type: i32"},
        {"brif w, 0, 0", "v6 (brif): operand 0, v2, is of the wrong type: i32"},
        {"x:i64 = load.u8 w", "v6 (load): operand 0, v2, is of the wrong type: i32"},
        {"x:i32 = load.u64 i", "v6 (load): i32 does not go with 64 bits"},
        {"x:f64 = load.u32 i", "v6 (load): f64 does not go with 32 bits"},
        {"x:f32 = load.s32 i", "v6 (load): f32 does not go with signed 32 bits"},
        {"x:f32 = load.u32.align i", NULL},
        {"store.64 i, w", "v6 (store): i32 does not go with 64 bits"},
        {"store.16 i, s", "v6 (store): f32 does not go with 16 bits"},
        {"store.8 i, i mode 3", NULL},
        {"x:i64 = call look w", "v6 (call): operand 0, v2, is of the wrong type: i32"},
        {"x:i64 = call look", "v6 (call): look takes 1 operands"},
        {"x:i64 = call look i, i", "v6 (call): look takes 1 operands"},
    };
    char text[512];
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        bool end = !strncmp(cases[n].line, "exit", 4) || !strncmp(cases[n].line, "br", 2);
        snprintf(text, sizeof text, VALUES " %s\n%s", cases[n].line, end ? "" : " exit_loop\n");
        check_text(text, cases[n].message);
    }
}
END_TEST

START_TEST(edges)
{
    check_text("block 0\n x:i64 = get a0\n br 1(x)\nblock 1\n p:i64 = param\n exit_loop", NULL);
    check_text("block 0\n x:i64 = get a0\n br 1\nblock 1\n p:i64 = param\n exit_loop",
               "v1 (br): 0 arguments for the 1 parameters of block 1");
    check_text("block 0\n x:i64 = get a0\n br 1(x, x)\nblock 1\n p:i64 = param\n exit_loop",
               "v1 (br): 2 arguments for the 1 parameters of block 1");
    check_text("block 0\n x:i64 = get a0\n br 1(x)\nblock 1\n p:i32 = param\n exit_loop",
               "v1 (br): argument 0 for block 1 is i64, not i32");
    check_text("block 0\n x:i64 = get a0\n brif x, 1(x), 1(x)\nblock 1\n p:f64 = param\n exit_loop",
               "v1 (brif): argument 0 for block 1 is i64, not f64");
    check_text("block 0\n p:i64 = param\n exit_loop",
               "v0 (param): the entry block has no parameters");
    check_text("block 0\n br 1\nblock 1\n nop\n p:i64 = param\n exit_loop",
               "v2 (param): parameters come first in a block");
}
END_TEST

START_TEST(dominance)
{
    check_text("block 0\n x:i64 = add y, y\n y:i64 = get a0\n exit_loop",
               "v0 (add): v1 lies behind it");
    check_text("block 0\n x:i64 = add x, x\n exit_loop", "v0 (add): v0 lies behind it");
    /* one arm of two */
    check_text("block 0\n c:i64 = get a0\n brif c, 1, 2\nblock 1\n x:i64 = get a1\n br 3\n"
               "block 2\n br 3\nblock 3\n put a0, x\n exit_loop",
               "v5 (put): v2 is not defined on every way to here");
    /* as an argument */
    check_text("block 0\n c:i64 = get a0\n brif c, 1, 2\nblock 1\n x:i64 = get a1\n br 3(x)\n"
               "block 2\n br 3(x)\nblock 3\n p:i64 = param\n exit_loop",
               "v4 (br): v2 is not defined on every way to here");
    /* a loop's body dominates its exit, but the end of the body not its head */
    check_text("block 0\n br 1\nblock 1\n c:i64 = get a0\n brif c, 2, 3\nblock 2\n x:i64 = get a1\n"
               " br 1\nblock 3\n put a0, c\n exit_loop",
               NULL);
    check_text("block 0\n br 1\nblock 1\n c:i64 = get a0\n brif c, 2, 3\nblock 2\n x:i64 = get a1\n"
               " br 1\nblock 3\n put a0, x\n exit_loop",
               "v5 (put): v3 is not defined on every way to here");
    check_text("block 0\n br 1\nblock 1\n y:i64 = add x, x\n c:i64 = get a0\n brif c, 2, 3\n"
               "block 2\n x:i64 = get a1\n br 1\nblock 3\n exit_loop",
               "v1 (add): v4 lies behind it");
    /* a loop with two ways in */
    check_text("block 0\n c:i64 = get a0\n brif c, 1, 2\nblock 1\n x:i64 = get a1\n br 2\n"
               "block 2\n d:i64 = get a2\n brif d, 1, 3\nblock 3\n put a0, d\n exit_loop",
               NULL);
    check_text("block 0\n c:i64 = get a0\n brif c, 1, 2\nblock 1\n x:i64 = get a1\n br 2\n"
               "block 2\n d:i64 = get a2\n brif d, 1, 3\nblock 3\n put a0, x\n exit_loop",
               "v6 (put): v2 is not defined on every way to here");
    /* the same, where the second way in changes what dominates a block further on */
    check_text("block 0\n c:i64 = get a0\n brif c, 1, 4\nblock 1\n x:i64 = get a1\n brif c, 2, 3\n"
               "block 2\n brif c, 4, 3\nblock 3\n put a0, x\n exit_loop\nblock 4\n br 2",
               "v5 (put): v2 is not defined on every way to here");
    /* blocks in any order, but not values */
    check_text("block 0\n x:i64 = get a1\n br 2\nblock 1\n put a0, x\n exit_loop\nblock 2\n br 1",
               NULL);
    check_text("block 0\n br 2\nblock 1\n put a0, x\n exit_loop\nblock 2\n x:i64 = get a1\n br 1",
               "v1 (put): v3 lies behind it");
    /* where nothing comes, values need not dominate, but nothing reached may use them */
    check_text("block 0\n exit_loop\nblock 1\n x:i64 = get a0\n br 2\nblock 2\n br 3\n"
               "block 3\n put a0, x\n br 1",
               NULL);
    check_text("block 0\n exit_loop\nblock 1\n put a0, x\n x:i64 = get a0\n br 0",
               "v1 (put): v2 lies behind it");
    check_text("block 0\n br 2\nblock 1\n x:i64 = get a0\n br 2\nblock 2\n put a0, x\n exit_loop",
               "v3 (put): v1 is not defined on every way to here");
}
END_TEST

static const char late_load[] = "v5 (load): may leave the unit behind a put of the same guest "
                                "instruction";

START_TEST(places_of_puts)
{
    static const char head[] = "block 0\n insn 0x80 4\n x:i64 = get a0\n put a1, x\n";
    char text[512];
    static const struct {
        const char *rest, *message;
    } cases[] = {
        {" y:i64 = load.u8 x\n exit_loop",
         "v3 (load): may leave the unit behind a put of the same guest instruction"},
        {" store.8 x, x\n exit_loop",
         "v3 (store): may leave the unit behind a put of the same guest instruction"},
        {" call trap x\n exit_loop",
         "v3 (call): may leave the unit behind a put of the same guest instruction"},
        {" insn 0x84 4\n y:i64 = load.u8 x\n exit_loop", NULL},
        {" y:i64 = call look x\n call change x\n exit_loop", NULL},
        {" put pc, x\n call change x\n exit_loop",
         "v4 (call): needs the pc of its guest instruction, which was put before"},
        {" put pc, x\n y:i64 = call look x\n exit_loop",
         "v4 (call): needs the pc of its guest instruction, which was put before"},
        {" put pc, x\n y:i64 = call mix x, x, x\n exit_loop", NULL},
        {" put pc, x\n insn 0x84 4\n y:i64 = call look x\n exit_loop", NULL},
        {" br 1\nblock 1\n nop\n y:i64 = load.u8 x\n exit_loop", late_load},
        {" brif x, 1, 2\nblock 1\n y:i64 = load.u8 x\n exit_loop\nblock 2\n exit_loop",
         "v4 (load): may leave the unit behind a put of the same guest instruction"},
        {" brif x, 1, 2\nblock 1\n insn 0x84 4\n y:i64 = load.u8 x\n exit_loop\n"
         "block 2\n exit_loop",
         NULL},
    };
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        snprintf(text, sizeof text, "%s%s", head, cases[n].rest);
        check_text(text, cases[n].message);
    }
    /* by way of a back edge that lies behind */
    check_text("block 0\n x:i64 = get a0\n br 1\nblock 1\n y:i64 = load.u8 x\n insn 0x84 4\n"
               " put a0, y\n brif x, 1, 2\nblock 2\n exit_loop",
               "v2 (load): may leave the unit behind a put of the same guest instruction");
    /* the same, and on through the loop's head */
    check_text("block 0\n x:i64 = get a0\n br 1\nblock 1\n br 2\nblock 2\n y:i64 = load.u8 x\n"
               " insn 0x84 4\n put a0, y\n brif x, 1, 3\nblock 3\n exit_loop",
               "v3 (load): may leave the unit behind a put of the same guest instruction");
    /* through a block that puts nothing, against the order of the blocks */
    check_text("block 0\n x:i64 = get a0\n br 3\nblock 1\n y:i64 = load.u8 x\n exit_loop\n"
               "block 2\n br 1\nblock 3\n insn 0x80 4\n put a0, x\n br 2",
               "v2 (load): may leave the unit behind a put of the same guest instruction");
}
END_TEST

/* What text cannot say: the arrays changed behind the parser's back. */
enum { BASE_GET = 1, BASE_CONST, BASE_ADD, BASE_PUT, BASE_BR, BASE_PARAM, BASE_IND };
static const char base[] = "unit 0x80 rne\nblock 0\n insn 0x80 4\n x:i64 = get a0\n"
                           " c:i32 = const 5\n y:i64 = add x, x\n put a1, y\n br 1(y)\n"
                           "block 1\n p:i64 = param\n exit_ind p\n";

static void check_base(struct ir_unit *u, const char *message)
{
    check(u, message, "what was built");
    arena_reset(u->arena);
    parse(u, u->arena, base);
}

START_TEST(arrays)
{
    struct arena a;
    struct ir_unit u;
    arena_init(&a);
    parse(&u, &a, base);
    check_base(&u, NULL);
    u.nblocks = 0;
    check_base(&u, "the unit has no blocks");
    u.nblocks = 1;
    check_base(&u, "v6 (param): lies in no block");
    u.blocks[1].first++;
    check_base(&u, "block 1: [7, 8) is empty or leaves a gap behind 6");
    u.blocks[1].end = u.ninsns + 1;
    check_base(&u, "block 1: [6, 9) is empty or leaves a gap behind 6");
    u.blocks[0].end = 0;
    check_base(&u, "block 0: [0, 0) is empty or leaves a gap behind 0");
    u.insns[BASE_ADD].op = IR_exit_loop;
    check_base(&u, "v3 (exit_loop): ends block 0 before its last instruction");
    u.insns[BASE_BR].op = IR_nop;
    check_base(&u, "v5 (nop): block 0 does not end here");
    u.insns[BASE_ADD].op = IR_OP_COUNT;
    check_base(&u, "v3 (?): no such operation or type");
    u.insns[BASE_ADD].type = IR_TYPE_COUNT;
    check_base(&u, "v3 (add): no such operation or type");
    u.insns[BASE_PARAM].imm = 1;
    check_base(&u, "v6 (param): parameter 0 has the index 1");
    u.guest_insns = 2;
    check_base(&u, "the unit has 1 insn marks but says 2");
    u.fp_rm = 5;
    check_base(&u, "the unit's rounding mode is 5");
    arena_fini(&a);
}
END_TEST

START_TEST(fields)
{
    struct arena a;
    struct ir_unit u;
    arena_init(&a);
    parse(&u, &a, base);
    u.insns[BASE_ADD].arg[1] = IR_NONE;
    check_base(&u, "v3 (add): operand 1: there is no v4294967295");
    u.insns[BASE_ADD].arg[1] = 99;
    check_base(&u, "v3 (add): operand 1: there is no v99");
    u.insns[BASE_ADD].arg[1] = BASE_PUT;
    check_base(&u, "v3 (add): operand 1, v4, is of the wrong type: void");
    u.insns[BASE_ADD].arg[2] = BASE_GET;
    check_base(&u, "v3 (add): operand 2 is one too many");
    u.insns[BASE_ADD].aux = 1;
    check_base(&u, "v3 (add): aux has the bits 0x1, which mean nothing here");
    u.insns[BASE_PUT].type = IR_I64;
    check_base(&u, "v4 (put): cannot be of type i64");
    u.insns[BASE_PUT].imm = 999;
    check_base(&u, "v4 (put): there is no slot 999");
    u.insns[BASE_GET].imm = 999;
    check_base(&u, "v1 (get): there is no slot 999");
    u.names = NULL;
    check_base(&u, "v1 (get): there is no slot 0");
    u.insns[BASE_CONST].imm = UINT64_C(1) << 32;
    check_base(&u, "v2 (const): bits above the type's");
    u.insns[BASE_BR].arg[0] = 9;
    check_base(&u, "v5 (br): there is no edge 9");
    u.edges[0].block = 9;
    check_base(&u, "v5 (br): there is no block 9");
    u.edges[0].args[0] = 99;
    check_base(&u, "v5 (br): argument 0: there is no v99");
    u.insns[BASE_IND].aux = 3;
    check_base(&u, "v7 (exit_ind): there is no hint 3");
    u.insns[BASE_ADD].op = IR_call;
    u.insns[BASE_ADD].imm = 99;
    check_base(&u, "v3 (call): there is no helper 99");
    u.insns[BASE_ADD].op = IR_call;
    u.insns[BASE_ADD].imm = 2; /* change */
    u.insns[BASE_ADD].arg[1] = IR_NONE;
    u.insns[BASE_PUT].arg[0] = u.edges[0].args[0] = BASE_GET;
    check_base(&u, "v3 (call): change has no result");
    u.insns[BASE_ADD] = (struct ir_insn){
        .op = IR_fsqrt, .type = IR_F64, .aux = 5, .arg = {BASE_ADD, IR_NONE, IR_NONE}};
    u.insns[BASE_PUT].arg[0] = u.edges[0].args[0] = BASE_GET;
    check_base(&u, "v3 (fsqrt): there is no rounding mode 5");
    arena_fini(&a);
}
END_TEST

UNIT_MAIN("ir/verify", types, edges, dominance, places_of_puts, arrays, fields)
