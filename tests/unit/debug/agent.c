/* agent.c - agent expressions against plain C: every operation, at once and in a probe's unit. */
#include <errno.h>

#include "base/mem_alloc.h"
#include "tests/unit/debug/stopper.h"

#define DATA  (RIG_RAM + 0x4000)
#define WORDS 64
#define A0    10 /* GDB's numbers */
#define PC    32
#define FA0   43
#define SATP  (65 + 0x180)

static struct machine *m;
static struct dbg_points *p;
static struct cpu *c;
static uint64_t seed;
static uint64_t data[WORDS];

static uint64_t rnd(void)
{
    return seed = bits_mix(seed + 0x9e3779b97f4a7c15);
}

/* A loop of two instructions, with something in registers and memory. */
static void start(const char *engine)
{
    struct rvasm code = {0};

    rv_addi(&code, ZERO, ZERO, 0);
    rv_jump(&code, 0);
    m = stopper_machine(&code, 1, engine);
    machine_run(m, 6); /* the ROM's */
    c = machine_cpu(m, 0);
    ck_assert_uint_eq(c->pc, RIG_RAM);
    p = dbg_points_new(m);
    for (unsigned i = 0; i < WORDS; i++)
        data[i] = rnd();
    mem_poke(machine_mem(m), DATA, data, sizeof data);
    stopper_set(m, 0, "a0", UINT64_C(0x8000000000000003));
    stopper_set(m, 0, "fa0", UINT64_C(0x123456789abcdef0));
}

static void end(void)
{
    dbg_points_free(p);
    machine_free(m);
}

/* ---- the reference ---- */

static uint64_t divide(uint64_t a, uint64_t b, unsigned op)
{
    int64_t x = (int64_t)a, y = (int64_t)b;

    switch (op) {
    case DBG_AGENT_DIV_UNSIGNED:
        return b ? a / b : UINT64_MAX;
    case DBG_AGENT_REM_UNSIGNED:
        return b ? a % b : a;
    case DBG_AGENT_DIV_SIGNED:
        return !y ? UINT64_MAX : y == -1 ? 0 - a : (uint64_t)(x / y);
    default:
        return !y ? a : y == -1 ? 0 : (uint64_t)(x % y);
    }
}

static uint64_t binary(unsigned op, uint64_t a, uint64_t b)
{
    switch (op) {
    case DBG_AGENT_ADD:
        return a + b;
    case DBG_AGENT_SUB:
        return a - b;
    case DBG_AGENT_MUL:
        return a * b;
    case DBG_AGENT_LSH:
        return a << (b & 63);
    case DBG_AGENT_RSH_SIGNED:
        return (uint64_t)((int64_t)a >> (b & 63));
    case DBG_AGENT_RSH_UNSIGNED:
        return a >> (b & 63);
    case DBG_AGENT_BIT_AND:
        return a & b;
    case DBG_AGENT_BIT_OR:
        return a | b;
    case DBG_AGENT_BIT_XOR:
        return a ^ b;
    case DBG_AGENT_EQUAL:
        return a == b;
    case DBG_AGENT_LESS_SIGNED:
        return (int64_t)a < (int64_t)b;
    case DBG_AGENT_LESS_UNSIGNED:
        return a < b;
    default:
        return divide(a, b, op);
    }
}

static uint64_t memory(uint64_t addr, unsigned size)
{
    uint64_t v = 0;

    if (addr - DATA <= sizeof data - size)
        memcpy(&v, (const char *)data + (addr - DATA), size);
    return v;
}

static uint64_t reg(unsigned number)
{
    switch (number) {
    case A0:
        return UINT64_C(0x8000000000000003);
    case FA0:
        return UINT64_C(0x123456789abcdef0);
    case PC:
        return RIG_RAM;
    default:
        return 0;
    }
}

static uint64_t big_endian(const uint8_t *at, unsigned n)
{
    uint64_t v = 0;

    while (n--)
        v = v << 8 | *at++;
    return v;
}

static uint64_t reference(const uint8_t *code)
{
    uint64_t stack[DBG_AGENT_DEPTH + 1], *top = stack, a;

    for (size_t at = 0;;) {
        unsigned op = code[at++];
        switch (op) {
        case DBG_AGENT_END:
            return top[-1];
        case DBG_AGENT_LOG_NOT:
            top[-1] = !top[-1];
            break;
        case DBG_AGENT_BIT_NOT:
            top[-1] = ~top[-1];
            break;
        case DBG_AGENT_EXT:
            top[-1] = (uint64_t)bits_sext(top[-1], code[at++]);
            break;
        case DBG_AGENT_ZERO_EXT:
            top[-1] &= bits_mask(code[at++]);
            break;
        case DBG_AGENT_REF8:
        case DBG_AGENT_REF16:
        case DBG_AGENT_REF32:
        case DBG_AGENT_REF64:
            top[-1] = memory(top[-1], 1u << (op - DBG_AGENT_REF8));
            break;
        case DBG_AGENT_IF_GOTO:
            at = *--top ? big_endian(code + at, 2) : at + 2;
            break;
        case DBG_AGENT_GOTO:
            at = big_endian(code + at, 2);
            break;
        case DBG_AGENT_CONST8:
        case DBG_AGENT_CONST16:
        case DBG_AGENT_CONST32:
        case DBG_AGENT_CONST64:
            *top++ = big_endian(code + at, 1u << (op - DBG_AGENT_CONST8));
            at += 1u << (op - DBG_AGENT_CONST8);
            break;
        case DBG_AGENT_REG:
            *top++ = reg((unsigned)big_endian(code + at, 2));
            at += 2;
            break;
        case DBG_AGENT_DUP:
            top[0] = top[-1];
            top++;
            break;
        case DBG_AGENT_POP:
            top--;
            break;
        case DBG_AGENT_SWAP:
            a = top[-1];
            top[-1] = top[-2];
            top[-2] = a;
            break;
        case DBG_AGENT_PICK:
            top[0] = top[-1 - code[at++]];
            top++;
            break;
        case DBG_AGENT_ROT: /* a b c to c a b */
            a = top[-1];
            top[-1] = top[-2];
            top[-2] = top[-3];
            top[-3] = a;
            break;
        default:
            top--;
            top[-1] = binary(op, top[-1], top[0]);
        }
    }
}

/* ---- programs ---- */

static const uint8_t all_ops[] = {
#define OP(name, code, operand, pops, pushes) DBG_AGENT_##name,
    DBG_AGENT_OPS(OP)
#undef OP
};

/* Those that trace or print are tested with what they are for. */
static bool has_reference(unsigned op)
{
    return !(op >= DBG_AGENT_GETV && op <= DBG_AGENT_TRACE16) && op != DBG_AGENT_TRACE &&
           op != DBG_AGENT_TRACE_QUICK && op != DBG_AGENT_PRINTF;
}

static unsigned any_op(void)
{
    unsigned op;

    do
        op = all_ops[rnd() % ARRAY_LEN(all_ops)];
    while (!has_reference(op));
    return op;
}

static void put(struct buf *b, unsigned byte)
{
    buf_ch(b, (char)byte);
}

static void put_big_endian(struct buf *b, uint64_t v, unsigned n)
{
    while (n--)
        put(b, (unsigned)(v >> 8 * n) & 255);
}

static uint64_t interesting(void)
{
    static const uint64_t values[] = {0,  1,         2,         UINT64_MAX, INT64_MAX,
                                      63, BIT(63),   BIT(32),   UINT32_MAX, 64,
                                      80, DATA + 13, DATA + 99, 0x50};

    return rnd() % 3 ? values[rnd() % ARRAY_LEN(values)] : rnd();
}

static void put_const(struct buf *b, uint64_t v)
{
    put(b, DBG_AGENT_CONST64);
    put_big_endian(b, v, 8);
}

static void put_address(struct buf *b)
{
    put_const(b, rnd() % 8 ? DATA + rnd() % (sizeof data - 8) : interesting());
}

/* Appends an operation, and before it what it needs; the stack has *depth values. */
static void put_op(struct buf *b, unsigned op, unsigned *depth)
{
    static const uint16_t regs[] = {A0, PC, FA0, SATP};

    switch (op) {
    case DBG_AGENT_END:
    case DBG_AGENT_GOTO:
    case DBG_AGENT_IF_GOTO: /* over a value's loss, or over what nobody comes to */
        if (op == DBG_AGENT_IF_GOTO)
            put_const(b, rnd() & 1);
        put(b, op == DBG_AGENT_IF_GOTO ? op : DBG_AGENT_GOTO);
        put_big_endian(b, b->len + 2 + 10, 2);
        put_const(b, interesting());
        put(b, op == DBG_AGENT_IF_GOTO ? DBG_AGENT_MUL : DBG_AGENT_END);
        return;
    case DBG_AGENT_REF8:
    case DBG_AGENT_REF16:
    case DBG_AGENT_REF32:
    case DBG_AGENT_REF64:
        put_address(b);
        ++*depth;
        break;
    case DBG_AGENT_POP:
        --*depth;
        break;
    case DBG_AGENT_DUP:
    case DBG_AGENT_PICK:
    case DBG_AGENT_REG:
    case DBG_AGENT_CONST8:
    case DBG_AGENT_CONST16:
    case DBG_AGENT_CONST32:
    case DBG_AGENT_CONST64:
        ++*depth;
        break;
    case DBG_AGENT_LOG_NOT:
    case DBG_AGENT_BIT_NOT:
    case DBG_AGENT_EXT:
    case DBG_AGENT_ZERO_EXT:
    case DBG_AGENT_SWAP:
    case DBG_AGENT_ROT:
        break;
    default:
        --*depth;
    }
    put(b, op);
    if (op >= DBG_AGENT_CONST8 && op <= DBG_AGENT_CONST64)
        put_big_endian(b, interesting(), 1u << (op - DBG_AGENT_CONST8));
    if (op == DBG_AGENT_REG)
        put_big_endian(b, regs[rnd() % ARRAY_LEN(regs)], 2);
    if (op == DBG_AGENT_EXT || op == DBG_AGENT_ZERO_EXT)
        put(b, 1 + (unsigned)(rnd() % 64));
    if (op == DBG_AGENT_PICK)
        put(b, (unsigned)(rnd() % (*depth - 1)));
}

/* With `first` as its first operation and n others. */
static void make(struct buf *b, unsigned first, unsigned n)
{
    unsigned depth = 4;

    buf_reset(b);
    for (unsigned i = 0; i < depth; i++)
        put_const(b, interesting());
    put_op(b, first, &depth);
    for (unsigned i = 0; i < n; i++)
        if (depth > 3 && depth < 20)
            put_op(b, any_op(), &depth);
        else
            put_op(b, depth < 10 ? DBG_AGENT_REF64 : DBG_AGENT_BIT_XOR, &depth);
    while (depth > 1)
        put_op(b, DBG_AGENT_ADD, &depth);
}

static void set(struct dbg_agent *a, const struct buf *b)
{
    struct err e;

    ck_assert_msg(dbg_agent_set(a, (const uint8_t *)b->data, b->len, c->guest, &e) == 0, "%s",
                  e.msg);
}

/* Whether a probe with the program stops where the CPU is. */
static bool stops(const struct buf *b)
{
    struct dbg_point x = {.kind = DBG_BREAK, .addr = c->pc};
    struct dbg_hit hit;
    bool stopped;
    unsigned n;

    set(&x.cond, b);
    n = dbg_points_add(p, &x);
    machine_run(m, machine_count(m) + 1); /* off the probe, to meet it a round later */
    stopped = stopper_run(m, p, 2, &hit);
    dbg_points_delete(p, n);
    dbg_points_apply(p);
    if (!stopped)
        machine_run(m, machine_count(m) + 1);
    ck_assert_uint_eq(c->pc, RIG_RAM);
    return stopped;
}

/* What it comes to, by whether it equals what it should and nothing else. */
static void check_probe(struct buf *b, uint64_t want)
{
    size_t len = b->len;

    for (uint64_t wrong = 0; wrong < 2; wrong++) {
        b->len = len;
        put_const(b, want ^ wrong << rnd() % 64);
        put(b, DBG_AGENT_EQUAL);
        put(b, DBG_AGENT_END);
        ck_assert_int_eq(stops(b), !wrong);
    }
}

static void check_one(unsigned first, unsigned n)
{
    struct buf b = BUF_INIT;
    struct dbg_agent a = {0};
    uint64_t want;
    size_t len;

    make(&b, first, n);
    len = b.len;
    put(&b, DBG_AGENT_END);
    set(&a, &b);
    want = reference(a.code);
    ck_assert_uint_eq(dbg_agent_run(&a, c), want);
    b.len = len;
    check_probe(&b, want);
    dbg_agent_fini(&a);
    buf_fini(&b);
}

static void check_all(const char *engine)
{
    start(engine);
    for (unsigned i = 0; i < ARRAY_LEN(all_ops); i++)
        for (unsigned k = 0; k < 12; k++)
            if (has_reference(all_ops[i]))
                check_one(all_ops[i], 0);
    for (unsigned k = 0; k < 150; k++)
        check_one(any_op(), 1 + (unsigned)(rnd() % 40));
    end();
}

START_TEST(operations)
{
    for (unsigned i = 0; i < ARRAY_LEN(stopper_engines); i++)
        check_all(stopper_engines[i]);
}
END_TEST

/* ---- what is no program ---- */

static void refused(const char *code, size_t len)
{
    struct dbg_agent a = {0};
    struct err e = {0};

    ck_assert_int_eq(dbg_agent_set(&a, (const uint8_t *)code, len, c->guest, &e), -EINVAL);
    ck_assert(strstr(e.msg, "agent expression"));
    ck_assert_ptr_null(a.code);
}
#define refused(code) refused(code, sizeof(code) - 1)

START_TEST(bad)
{
    char *large = xcalloc(1, DBG_AGENT_MAX + 1), random[40];
    struct dbg_agent a = {0};

    start("interp");
    refused("");
    refused("\x22\x01");                     /* no end */
    refused("\x22");                         /* within an operand */
    refused("\x22\x01\x02\x27");             /* too little to add */
    refused("\x22\x01\xff\x27");             /* no operation */
    refused("\x22\x01\x16\x00\x27");         /* no bits */
    refused("\x22\x01\x2a\x41\x27");         /* too many */
    refused("\x22\x01\x32\x01\x27");         /* too deep */
    refused("\x26\xff\xff\x27");             /* no register */
    refused("\x21\x00\x00\x27");             /* for ever */
    refused("\x22\x01\x20\x00\x02\x27");     /* into an operand, backward */
    refused("\x22\x01\x20\x00\xff\x27\x27"); /* out of it */
    refused("\x22\x01\x20\x00\x06\x23\x27\x27\x27"); /* into a later operand */
    /* the stack is not alike on both ways */
    refused("\x22\x01\x20\x00\x07\x22\x01\x22\x01\x27");
    memset(large, DBG_AGENT_END, DBG_AGENT_MAX + 1);
    ck_assert_int_eq(dbg_agent_set(&a, (uint8_t *)large, DBG_AGENT_MAX + 1, c->guest, NULL),
                     -EINVAL);
    for (unsigned i = 0; i < DBG_AGENT_DEPTH + 1; i++)
        memcpy(large + 2 * i, "\x22\x01", 2);
    ck_assert_int_eq(dbg_agent_set(&a, (uint8_t *)large, DBG_AGENT_MAX, c->guest, NULL), -EINVAL);
    /* Whatever bytes are taken can be run. */
    for (unsigned i = 0; i < 200000; i++) {
        for (unsigned k = 0; k < sizeof random; k++)
            random[k] = (char)(rnd() % 3 ? all_ops[rnd() % ARRAY_LEN(all_ops)] : rnd() % 40);
        if (!dbg_agent_set(&a, (uint8_t *)random, 2 + rnd() % 38, c->guest, NULL))
            dbg_agent_run(&a, c);
    }
    dbg_agent_fini(&a);
    free(large);
    end();
}
END_TEST

UNIT_MAIN("debug/agent", operations, bad)
