/* text.c - the parser's errors, and what print and parse do to details. */
#include <string.h>

#include "tests/ir/ir_cpu.h"
#include "tests/unit/unit.h"

/* Parses `text` and expects the message; NULL: expects success. */
static void check_message(const char *text, const char *message)
{
    struct arena a;
    struct ir_unit u;
    struct err e = {0};
    arena_init(&a);
    int r = ir_parse(&u, &a, &ir_cpu_names, text, &e);
    if (message) {
        ck_assert_msg(r < 0, "accepted:\n%s", text);
        ck_assert_str_eq(e.msg, message);
    } else {
        ck_assert_msg(!r, "%s:\n%s", e.msg, text);
    }
    arena_fini(&a);
}

START_TEST(errors_name_their_line)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "no blocks"},
        {"# nothing\n\n", "no blocks"},
        {"block 0\n", "the last block has no end"},
        {"block 0\n nop\n", "the last block has no end"},
        {"block 1\n exit_loop\n", "line 1: block 0 expected: blocks are numbered in order"},
        {"block 0\n nop\nblock 1\n exit_loop", "line 3: the block before this one has no end"},
        {"block 0\n exit_loop\n nop", "line 3: the block has ended: 'block 1' expected"},
        {"exit_loop\n", "line 1: 'block 0' must come first"},
        {"block\n", "line 1: 'block 0' must come first"},
        {"block x\n", "line 1: block: a number up to 0xffffffff expected, not 'x'"},
        {"unit zz\n", "line 1: pc: a number up to 0xffffffffffffffff expected, not 'zz'"},
        {"unit 1 up\n", "line 1: no rounding mode is called 'up'"},
        {"block 0\n frob v1", "line 2: no operation is called 'frob'"},
        {"block 0\n +", "line 2: no operation is called ''"},
        {"block 0\n a:i64 = add b, b", "line 2: no value is called 'b'"},
        {"block 0\n a:i64 = get a0\n b:i64 = add a", "line 3: add: ',' and operand 2 expected"},
        {"block 0\n a:i64 = get a0\n b:i64 = add a,", "line 3: a value expected"},
        {"block 0\n a:i64 = get a0\n a:i64 = get a1", "line 3: the name 'a' is taken"},
        {"block 0\n a:i65 = get a0", "line 2: no type is called 'i65'"},
        {"block 0\n a:void = get a0", "line 2: no type is called 'void'"},
        {"block 0\n a:i64 get a0", "line 2: '=' expected"},
        {"block 0\n a:i64 = get x9", "line 2: no register is called 'x9'"},
        {"block 0\n get a0", "line 2: get needs a name and a type for its result"},
        {"block 0\n a:i64 = nop", "line 2: nop has no result"},
        {"block 0\n a:i64 = get a0\n b:i32 = eq.i64 a, a", "line 3: eq makes an i64"},
        {"block 0\n a:i64 = get a0\n b:i64 = eq a, a",
         "line 3: eq needs the type of its operands as suffix"},
        {"block 0\n a:i64 = get a0\n b:i64 = load a", "line 3: load needs a size as suffix"},
        {"block 0\n a:i64 = get a0\n b:i64 = load.u8.u16 a",
         "line 3: suffix .u16 contradicts another"},
        {"block 0\n a:i64 = get a0\n b:i64 = add.u8 a, a", "line 3: add has no suffix .u8"},
        {"block 0\n a:i64 = get a0\n b:i64 = add. a, a", "line 3: add has no suffix ."},
        {"block 0\n a:i64 = get a0\n store.8.rmw a, a", "line 3: store has no suffix .rmw"},
        {"block 0\n a:i64 = get a0\n b:i64 = load.u8 a mode 8",
         "line 3: mode: a number up to 0x7 expected, not '8'"},
        {"block 0\n a:i64 = get a0\n b:i64 = load.u8 a mod",
         "line 3: 'mode' or the end of the line expected, not 'mod'"},
        {"block 0\n a:i64 = get a0\n b:i64 = load.u8 a + ",
         "line 3: offset: a number up to 0xffffffffffffffff expected, not ''"},
        {"block 0\n a:i64 = const 0x10000000000000000",
         "line 2: const: a number up to 0xffffffffffffffff expected, not '0x10000000000000000'"},
        {"block 0\n a:i64 = const 0x",
         "line 2: const: a number up to 0xffffffffffffffff expected, not '0x'"},
        {"block 0\n a:i64 = const 1f",
         "line 2: const: a number up to 0xffffffffffffffff expected, not '1f'"},
        {"block 0\n a:i32 = const 0x100000000", "line 2: the constant does not fit 32 bits"},
        {"block 0\n a:i64 = const 5 6", "line 2: '6' is left over"},
        {"block 0\n insn 0x80 65536",
         "line 2: length: a number up to 0xffff expected, not '65536'"},
        {"block 0\n insn 0x80 -1", "line 2: length: a number up to 0xffff expected, not '1'"},
        {"block 0\n call frob", "line 2: no helper is called 'frob'"},
        {"block 0\n a:i64 = get a0\n b:i64 = call change a", "line 3: call has no result"},
        {"block 0\n a:i64 = get a0\n call look a",
         "line 3: call needs a name and a type for its result"},
        {"block 0\n put a0 x", "line 2: put: ',' and a value expected"},
        {"block 0\n br 1", "line 2: there is no block 1"},
        {"block 0\n br 0(", "line 2: a value expected"},
        {"block 0\n a:i64 = get a0\n br 0(a", "line 3: ')' expected"},
        {"block 0\n a:i64 = get a0\n br 0(a,)", "line 3: a value expected"},
        {"block 0\n exit_ind", "line 2: a value expected"},
        {"block 0\n unit 5\n", "line 2: no operation is called 'unit'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_message(cases[i].text, cases[i].message);
}
END_TEST

START_TEST(spellings_are_free)
{
    check_message("block 0\nexit_loop", NULL);
    check_message("  block   0 # first\n\n\texit_loop# end\r\n", NULL);
    check_message("unit 0x80 rup\nblock 0\n block:i64 = get a0\n unit:i64=add block,block\n"
                  " put a0,unit\n exit_loop",
                  NULL);
    check_message("block 0\n later:i64 = add x.1, x.1\n x.1:i64 = get a0\n exit_loop", NULL);
}
END_TEST

static void parse(struct ir_unit *u, struct arena *a, const char *text)
{
    struct err e = {0};
    if (ir_parse(u, a, &ir_cpu_names, text, &e))
        ck_abort_msg("%s", e.msg);
}

/* Every suffix, by the bits that it stands for, and the exact text that comes back. */
START_TEST(the_printed_form)
{
    static const char text[] = "unit 0x8000 rtz\n"
                               "block 0\n"
                               "    insn 0x8000 2\n"
                               "    v1:i64 = const 0xffffffffffffffff\n"
                               "    v2:i64 = load.s16.align.rmw v1 - 9223372036854775808 mode 3\n"
                               "    store.64.align v1 + 255, v2 mode 7\n"
                               "    v4:f64 = get d1\n"
                               "    v5:f64 = fma.rmm.negmul.negadd v4, v4, v4\n"
                               "    v6:f64 = fmin.nan v4, v5\n"
                               "    v7:i64 = fle.f64.quiet v4, v6\n"
                               "    v8:f64 = fround.rup.exact v6\n"
                               "    v9:i32 = f2i.rdn.unsigned v8\n"
                               "    v10:i64 = ltu.i32 v9, v9\n"
                               "    v11:i64 = call trap_get v10, v7\n"
                               "    call change v11\n"
                               "    nop\n"
                               "    put w3, v9\n"
                               "    brif v10, 1(v9, v4), 2\n"
                               "block 1\n"
                               "    v16:i32 = param\n"
                               "    v17:f64 = param\n"
                               "    exit_ind.ret v1\n"
                               "block 2\n"
                               "    br 3\n"
                               "block 3\n"
                               "    exit_pc 0x8002\n";
    struct arena a;
    struct ir_unit u;
    struct buf b = BUF_INIT;
    arena_init(&a);
    parse(&u, &a, text);
    ir_print(&u, &b);
    ck_assert_str_eq(b.data, text);
    ck_assert_uint_eq(u.pc, 0x8000);
    ck_assert_uint_eq(u.fp_rm, 1);
    ck_assert_uint_eq(u.guest_insns, 1);
    ck_assert_uint_eq(u.insns[2].aux,
                      IR_MO_16 | IR_MO_SIGN | IR_MO_ALIGN | IR_MO_RMW | 3 << IR_MO_MODE_SHIFT);
    ck_assert_uint_eq(u.insns[2].imm, (uint64_t)INT64_MIN);
    ck_assert_uint_eq(u.insns[5].aux, 4 | IR_FP_NEG_MUL | IR_FP_NEG_ADD);
    ck_assert_uint_eq(u.insns[10].type, IR_I32);
    ck_assert_uint_eq(u.insns[17].imm, 1);
    ck_assert_uint_eq(u.insns[18].aux, IR_IND_RET);
    buf_fini(&b);
    arena_fini(&a);
}
END_TEST

/* A unit too broken to verify can still be shown. */
START_TEST(broken_units_print)
{
    struct arena a;
    struct ir_unit u;
    struct buf b = BUF_INIT;
    arena_init(&a);
    parse(&u, &a, "block 0\n x:i64 = get a0\n put a0, x\n br 0");
    u.insns[0].imm = 999;
    u.insns[1].op = 255;
    u.insns[2].arg[0] = 77;
    ir_print(&u, &b);
    ck_assert_str_eq(b.data,
                     "unit 0x0 rne\nblock 0\n    v0:i64 = get ?999\n    ?255\n    br ?77\n");
    buf_fini(&b);
    arena_fini(&a);
}
END_TEST

/* Cut anywhere and with bytes changed: an error or a unit that can be printed, no crash. */
START_TEST(damaged_text_is_safe)
{
    static const char text[] = "unit 0x80 rne\nblock 0\n insn 0x80 4\n x:i64 = get a0\n"
                               " y:i64 = load.s32.align x + 8 mode 1\n c:i64 = eq.i64 x, y\n"
                               " z:i64 = call mix x, y, c\n brif c, 1(z), 2\nblock 1\n"
                               " p:i64 = param\n put a0, p\n exit_ind.call p\nblock 2\n"
                               " exit_pc 0x84\n";
    static const char bytes[] = "0(),:=.#-+ \nxz9\x80\xff";
    struct arena a;
    struct buf b = BUF_INIT;
    char copy[sizeof text];
    arena_init(&a);
    for (size_t i = 0; i < sizeof text - 1; i++)
        for (size_t k = 0; k < sizeof bytes; k++) {
            struct ir_unit u;
            arena_reset(&a);
            buf_reset(&b);
            memcpy(copy, text, sizeof text);
            copy[i] = bytes[k]; /* the last one ends the text */
            if (!ir_parse(&u, &a, &ir_cpu_names, copy, NULL)) {
                ir_print(&u, &b);
                ir_verify(&u, NULL);
            }
        }
    buf_fini(&b);
    arena_fini(&a);
}
END_TEST

START_TEST(copies_are_deep)
{
    struct arena a, b;
    struct ir_unit u, v;
    struct buf t1 = BUF_INIT, t2 = BUF_INIT;
    arena_init(&a);
    arena_init(&b);
    parse(&u, &a,
          "block 0\n x:i64 = get a0\n br 1(x)\nblock 1\n p:i64 = param\n put a1, p\n exit_loop");
    ir_print(&u, &t1);
    ir_unit_copy(&v, &b, &u);
    memset(u.edges[0].args, 0xff, sizeof *u.edges[0].args);
    memset(u.insns, 0xff, u.ninsns * sizeof *u.insns);
    arena_fini(&a);
    ir_print(&v, &t2);
    ck_assert_str_eq(t1.data, t2.data);
    ck_assert_ptr_eq(v.arena, &b);
    buf_fini(&t1);
    buf_fini(&t2);
    arena_fini(&b);
}
END_TEST

UNIT_MAIN("ir/text", errors_name_their_line, spellings_are_free, the_printed_form,
          broken_units_print, damaged_text_is_safe, copies_are_deep)
