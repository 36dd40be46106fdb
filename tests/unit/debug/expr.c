/* expr.c - expressions: what they mean, against C; what is none. */
#include "debug/expr.h"

#include <errno.h>
#include <inttypes.h>

#include "tests/unit/debug/stopper.h"

#define DATA (RIG_RAM + 0x4000)

static struct machine *m;
static struct cpu *c;
static struct dbg_points *p;
static struct err e;
static uint64_t seed = 7;

static uint64_t rnd(void)
{
    return seed = bits_mix(seed + 0x9e3779b97f4a7c15);
}

static bool find(void *opaque, const char *name, uint64_t *value)
{
    (void)opaque;
    *value = *name == 'd' ? DATA : UINT64_C(0xffffffff80001000);
    return !strcmp(name, "data") || !strcmp(name, "top.part.0") || !strcmp(name, "a0") ||
           !strcmp(name, "ns::f(int)");
}

static void near(void *opaque, const char *name, struct buf *out)
{
    (void)opaque, (void)name;
    buf_str(out, "data");
}

static const struct dbg_names names = {find, near, NULL};

static void setup(const char *engine)
{
    static const uint8_t bytes[] = {0x80, 0xff, 1, 2, 3, 4, 5, 0xf6, 7, 8};
    struct rvasm code = {0};

    rv_addi(&code, ZERO, ZERO, 0);
    rv_jump(&code, 0);
    m = stopper_machine(&code, 1, engine);
    machine_run(m, 6);
    c = machine_cpu(m, 0);
    p = dbg_points_new(m);
    mem_poke(machine_mem(m), DATA, bytes, sizeof bytes);
    stopper_set(m, 0, "a0", 5);
    stopper_set(m, 0, "a1", (uint64_t)-3);
    stopper_set(m, 0, "sstatus", 0x100);
}

static void teardown(void)
{
    dbg_points_free(p);
    machine_free(m);
}

static uint64_t eval(const char *text, bool *is_unsigned)
{
    uint64_t v;

    ck_assert_msg(dbg_expr_eval(text, c, &names, &v, is_unsigned, &e) == 0, "%s: %s", text, e.msg);
    return v;
}

START_TEST(meaning)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"1+2*3", 7},
        {"(1+2)*3", 9},
        {"10-3-2", 5},
        {"100/7/2", 7},
        {"-7/2", -3},
        {"-7%4", -3},
        {"7/0", -1},
        {"7%0", 7},
        {"1<<4|1", 17},
        {"-16>>2", -4},
        {"0xfffffffffffffff0u>>60", 15},
        {"1<2", 1},
        {"-1<1", 1},
        {"-1<1u", 0},
        {"-1 < 0x8000000000000000", 0},
        {"2<=2&&3>=4", 0},
        {"1==1!=0", 1},
        {"6&3^1|8", 11},
        {"~0", -1},
        {"!5 + !0", 1},
        {"- -3", 3},
        {"1?2:0?3:4", 2},
        {"0?2:0?3:4", 4},
        {"1 || 1/0", 1},
        {"0b101 + 010 + 0x1F", 44},
        {"'a' + '\\n' + '\\''", 'a' + '\n' + '\''},
        {"a0", 5},
        {"$a0*2", 10},
        {"x10", 5},
        {"&a0", -0x7ffff000},
        {"a1", -3},
        {"a1 < 0", 1},
        {"u64(a1) < 0", 0},
        {"u32(a1)", 0xfffffffd},
        {"s8(0x80)", -128},
        {"u8(-1)+u16(-1)", 255 + 65535},
        {"sstatus.SPP", 1},
        {"$sstatus.SIE", 0},
        {"pc", (int64_t)RIG_RAM},
        {"u8[data]", 0x80},
        {"s8[data]", -128},
        {"u16[data+1]", 0x1ff},
        {"s16[data]", -128},
        {"u32[data+2]", 0x04030201},
        {"s32[data+4]", (int32_t)0xf6050403},
        {"u64[data+2]", 0x0807f60504030201},
        {"u8[u8[data+2] + data]", 0xff},
        {"u8[0]", 0},
        {"u8 [data]", 0},
        {"top.part.0", -0x7ffff000},
        {"'ns::f(int)'", -0x7ffff000},
        {"data - 'd'", (int64_t)DATA - 'd'},
    };
    bool u;

    setup("interp");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (!strstr(cases[i].text, "u8 ["))
            ck_assert_msg((int64_t)eval(cases[i].text, &u) == cases[i].value, "%s", cases[i].text);
    for (const char *const *t = (const char *const[]){"data", "1u", "u64[data]", "u64(1)", "data - 1",
                                                      "1 + 1u", "0 ? 1 : 2u", "-1u", "1u << 3",
                                                      NULL};
         *t; t++)
        ck_assert_msg((eval(*t, &u), u), "%s", *t);
    for (const char *const *t = (const char *const[]){"a0", "1", "u32[data]", "s64[data]", "1u < 2",
                                                      "!1u", "1 << 3u", "data == 1", NULL};
         *t; t++)
        ck_assert_msg((eval(*t, &u), !u), "%s", *t);
    teardown();
}
END_TEST

START_TEST(errors)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "column 1: a value"},
        {"1 +", "column 4: a value"},
        {"1 + )", "column 5: a value"},
        {"(1", "column 3: ) is missing"},
        {"u8[1", "column 5: ] is missing"},
        {"1 2", "column 3: \"2\" is too much"},
        {"12z", "column 1: 12z: not a number"},
        {"0x", "not a number"},
        {"0b2", "not a number"},
        {"1 + 99999999999999999999", "column 5: "},
        {"a0 + nosuch", "column 6: nosuch: neither a register nor a symbol; near it: data"},
        {"$nosuch", "$nosuch: no such register"},
        {"$data", "no such register"},
        {"sstatus.XYZ", "sstatus has no field XYZ"},
        {"a0.x", "no field"},
        {"&&a0", "value"},
        {"1 ? 2", "column 6: : is missing"},
        {"'ab", "neither a character"},
        {"'\\", "neither a character"},
        {"'", "neither a character"},
        {"''", "neither a"},
        {"a = 1", "column 1: a: neither"},
        {"a0 = 1", "too much"},
        {"u8 [data]", "u8: neither a register"},
        {"@", "neither"},
    };
    char deep[2000];
    uint64_t v;

    setup("interp");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ck_assert_msg(dbg_expr_eval(cases[i].text, c, &names, &v, NULL, &e) == -EINVAL, "%s",
                      cases[i].text);
        ck_assert_msg(strstr(e.msg, cases[i].says), "%s: %s", cases[i].text, e.msg);
    }
    for (const char *s = "(-!~"; *s; s++) {
        memset(deep, *s, sizeof deep - 1);
        deep[sizeof deep - 1] = 0;
        ck_assert_int_eq(dbg_expr_eval(deep, c, &names, &v, NULL, &e), -EINVAL);
        ck_assert_ptr_nonnull(strstr(e.msg, "too deep"));
    }
    ck_assert_int_eq(dbg_expr_eval("data", c, NULL, &v, NULL, &e), -EINVAL);
    teardown();
}
END_TEST

/* ---- random ones ---- */

struct value {
    uint64_t v;
    bool u;
};

static struct value random_expr(struct buf *t, unsigned depth);

static struct value leaf(struct buf *t)
{
    static const uint64_t numbers[] = {0, 1, 2, 63, 100, UINT32_MAX, INT64_MAX, UINT64_MAX, BIT(63)};
    uint64_t v = numbers[rnd() % ARRAY_LEN(numbers)];

    switch (rnd() % 5) {
    case 0:
        buf_str(t, "a0");
        return (struct value){5, false};
    case 1:
        buf_str(t, "$a1");
        return (struct value){(uint64_t)-3, false};
    case 2:
        buf_str(t, "u64[data + 2]");
        return (struct value){0x0807f60504030201, true};
    case 3:
        buf_fmt(t, "%" PRIu64 "u", v);
        return (struct value){v, true};
    default:
        buf_fmt(t, "0x%" PRIx64, v);
        return (struct value){v, v >> 63};
    }
}

static struct value unary(struct buf *t, unsigned depth)
{
    static const char *const ops[] = {"-(", "~(", "!(", "s16(", "u32("};
    unsigned op = rnd() % ARRAY_LEN(ops);
    struct value a;

    buf_str(t, ops[op]);
    a = random_expr(t, depth);
    buf_ch(t, ')');
    switch (op) {
    case 0:
        return (struct value){0 - a.v, a.u};
    case 1:
        return (struct value){~a.v, a.u};
    case 2:
        return (struct value){!a.v, false};
    case 3:
        return (struct value){(uint64_t)(int16_t)a.v, false};
    default:
        return (struct value){(uint32_t)a.v, false};
    }
}

static uint64_t divide(struct value a, struct value b, bool u, bool rest)
{
    int64_t x = (int64_t)a.v, y = (int64_t)b.v;

    if (!b.v)
        return rest ? a.v : UINT64_MAX;
    if (u)
        return rest ? a.v % b.v : a.v / b.v;
    if (y == -1)
        return rest ? 0 : 0 - a.v;
    return (uint64_t)(rest ? x % y : x / y);
}

/* C's precedence, the operands in brackets only where they need them. */
static const struct {
    const char *text;
    unsigned level;
} ops[] = {{"||", 1}, {"&&", 2}, {"|", 3},  {"^", 4},  {"&", 5}, {"==", 6}, {"!=", 6},
           {"<", 7},  {"<=", 7}, {">", 7},  {">=", 7}, {"<<", 8}, {">>", 8}, {"+", 9},
           {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10}};

static struct value apply(unsigned op, struct value a, struct value b)
{
    bool u = a.u || b.u;
    int64_t x = (int64_t)a.v, y = (int64_t)b.v;

    switch (op) {
    case 0:
        return (struct value){a.v || b.v, false};
    case 1:
        return (struct value){a.v && b.v, false};
    case 2:
        return (struct value){a.v | b.v, u};
    case 3:
        return (struct value){a.v ^ b.v, u};
    case 4:
        return (struct value){a.v & b.v, u};
    case 5:
        return (struct value){a.v == b.v, false};
    case 6:
        return (struct value){a.v != b.v, false};
    case 7:
        return (struct value){u ? a.v < b.v : x < y, false};
    case 8:
        return (struct value){u ? a.v <= b.v : x <= y, false};
    case 9:
        return (struct value){u ? a.v > b.v : x > y, false};
    case 10:
        return (struct value){u ? a.v >= b.v : x >= y, false};
    case 11:
        return (struct value){a.v << (b.v & 63), a.u};
    case 12:
        return (struct value){a.u ? a.v >> (b.v & 63) : (uint64_t)(x >> (b.v & 63)), a.u};
    case 13:
        return (struct value){a.v + b.v, u};
    case 14:
        return (struct value){a.v - b.v, u};
    case 15:
        return (struct value){a.v * b.v, u};
    default:
        return (struct value){divide(a, b, u, op == 17), u};
    }
}

/* An expression of operators of at least this level. */
static struct value random_level(struct buf *t, unsigned depth, unsigned level)
{
    struct value a, b;
    unsigned op = rnd() % ARRAY_LEN(ops);

    if (!depth)
        return leaf(t);
    if (ops[op].level < level) {
        buf_ch(t, '(');
        a = random_expr(t, depth - 1);
        buf_ch(t, ')');
        return a;
    }
    a = random_level(t, depth - 1, ops[op].level);
    buf_str(t, rnd() & 1 ? " " : "");
    buf_str(t, ops[op].text);
    buf_str(t, rnd() & 1 ? " " : "");
    b = random_level(t, depth - 1, ops[op].level + 1);
    return apply(op, a, b);
}

static struct value random_expr(struct buf *t, unsigned depth)
{
    struct value a, b, k;

    if (!depth)
        return leaf(t);
    if (rnd() % 6 == 0)
        return unary(t, depth - 1);
    if (rnd() % 8)
        return random_level(t, depth, 0);
    k = random_level(t, depth - 1, 0);
    buf_ch(t, '?');
    a = random_expr(t, depth - 1);
    buf_ch(t, ':');
    b = random_expr(t, depth - 1);
    return (struct value){k.v ? a.v : b.v, a.u || b.u};
}

/* Whether a breakpoint with the condition stops. */
static bool stops(const char *text)
{
    struct dbg_point x = {.kind = DBG_BREAK, .addr = RIG_RAM};
    struct dbg_hit hit;
    unsigned n;
    bool stopped;

    ck_assert_msg(dbg_expr_compile(&x.cond, text, c->guest, &names, &e) == 0, "%s: %s", text, e.msg);
    n = dbg_points_add(p, &x);
    stopped = stopper_run(m, p, 3, &hit);
    dbg_points_delete(p, n);
    dbg_points_apply(p);
    machine_run(m, machine_count(m) + !stopped);
    ck_assert_uint_eq(c->pc, RIG_RAM);
    return stopped;
}

START_TEST(random_ones)
{
    for (unsigned i = 0; i < ARRAY_LEN(stopper_engines); i++) {
        setup(stopper_engines[i]);
        for (unsigned n = 0; n < 3000; n++) {
            struct buf t = BUF_INIT;
            struct value want = random_expr(&t, 1 + rnd() % 5);
            uint64_t v;
            bool u;
            int rc = dbg_expr_eval(t.data, c, &names, &v, &u, &e);

            if (rc && strstr(e.msg, "stack is too short or too long"))
                rc = 0;
            else
                ck_assert_msg(!rc && v == want.v && u == want.u, "%s: %s, %" PRIx64 " for %" PRIx64,
                              t.data, rc ? e.msg : "other", v, want.v);
            if (n < 100 && t.len < 200)
                ck_assert_msg(stops(t.data) == (want.v != 0), "%s", t.data);
            buf_fini(&t);
        }
        teardown();
    }
}
END_TEST

UNIT_MAIN("debug/expr", meaning, errors, random_ones)
