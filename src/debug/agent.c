/* agent.c - see agent.h. */
#include "debug/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bits.h"
#include "base/mem_alloc.h"
#include "cpu/guest.h"

struct op_info {
    const char *name;
    uint8_t operand, pops, pushes;
};

static const struct op_info ops[256] = {
#define OP(name, code, operand, pops, pushes) [code] = {#name, operand, pops, pushes},
    DBG_AGENT_OPS(OP)
#undef OP
};

/* Operands are big-endian. */
static uint64_t operand(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    while (n--)
        v = v << 8 | *p++;
    return v;
}

static int find_row(const struct guest *g, uint64_t number)
{
    for (uint32_t row = 0; row < g->nregs; row++)
        if (g->regs[row].gdb == number)
            return (int)row;
    return -1;
}

/* Bytes of the operation at an offset; 0: the program ends within it. */
static size_t size_at(const uint8_t *code, size_t len, size_t at)
{
    size_t n = 1u + ops[code[at]].operand;

    if (code[at] == DBG_AGENT_PRINTF && n <= len - at)
        n += operand(code + at + 2, 2);
    return n <= len - at ? n : 0;
}

static unsigned pops_at(const uint8_t *code, size_t at, unsigned depth)
{
    if (code[at] == DBG_AGENT_END)
        return depth != 0;
    return ops[code[at]].pops + (code[at] == DBG_AGENT_PRINTF ? code[at + 1] : 0);
}

/* ---- checking ---- */

#define NOT_REACHED 0xff

struct check {
    const uint8_t *code;
    size_t len;
    const struct guest *g;
    struct err *e;
    uint8_t *depth; /* at each offset, of the stack; NOT_REACHED */
};

static int reach(struct check *k, size_t from, uint64_t to, unsigned depth)
{
    if (to >= k->len || to <= from)
        return err_set(k->e, EINVAL, "agent expression: from byte %zu no way leads to %u", from,
                       (unsigned)to);
    if (k->depth[to] != NOT_REACHED && k->depth[to] != depth)
        return err_set(k->e, EINVAL, "agent expression: at byte %u the stack is not always alike",
                       (unsigned)to);
    k->depth[to] = (uint8_t)depth;
    return 0;
}

static int check_operand(struct check *k, size_t at, unsigned depth)
{
    uint64_t v = operand(k->code + at + 1, ops[k->code[at]].operand);

    switch (k->code[at]) {
    case DBG_AGENT_REG:
        if (find_row(k->g, v) < 0)
            return err_set(k->e, EINVAL, "agent expression: there is no register %u", (unsigned)v);
        return 0;
    case DBG_AGENT_EXT:
    case DBG_AGENT_ZERO_EXT:
        return v && v <= 64 ? 0 : err_set(k->e, EINVAL, "agent expression: %u bits", (unsigned)v);
    case DBG_AGENT_PICK:
        return v < depth ? 0 : err_set(k->e, EINVAL, "agent expression: the stack is too short");
    case DBG_AGENT_PRINTF:
        return v & 0xffff && !k->code[at + size_at(k->code, k->len, at) - 1]
                   ? 0
                   : err_set(k->e, EINVAL, "agent expression: a format has no end");
    default:
        return 0;
    }
}

static int check_one(struct check *k, size_t at)
{
    const struct op_info *op = &ops[k->code[at]];
    unsigned depth = k->depth[at], pops;
    size_t size;
    int rc;

    if (!op->name)
        return err_set(k->e, EINVAL, "agent expression: operation 0x%02x at byte %zu is not known",
                       k->code[at], at);
    size = size_at(k->code, k->len, at);
    if (!size)
        return err_set(k->e, EINVAL, "agent expression: it ends within an operation");
    pops = pops_at(k->code, at, depth);
    if (depth < pops || depth - pops + op->pushes > DBG_AGENT_DEPTH)
        return err_set(k->e, EINVAL, "agent expression: the stack is too short or too long at byte %zu",
                       at);
    rc = check_operand(k, at, depth);
    depth = depth - pops + op->pushes;
    if (!rc && (k->code[at] == DBG_AGENT_IF_GOTO || k->code[at] == DBG_AGENT_GOTO))
        rc = reach(k, at, operand(k->code + at + 1, 2), depth);
    if (rc || k->code[at] == DBG_AGENT_GOTO || k->code[at] == DBG_AGENT_END)
        return rc;
    return reach(k, at, at + size, depth);
}

/* What is not reached is not looked at: jumps lead forward, so one pass sees all that is. */
static int check(struct check *k)
{
    size_t end = 0; /* of the last operation that is reached */
    int rc = 0;

    k->depth[0] = 0;
    for (size_t at = 0; at < k->len && !rc; at++) {
        if (k->depth[at] == NOT_REACHED)
            continue;
        if (at < end)
            return err_set(k->e, EINVAL, "agent expression: byte %zu is within an operation, and is jumped to", at);
        rc = check_one(k, at);
        end = at + (rc ? 0 : size_at(k->code, k->len, at));
    }
    return rc;
}

int dbg_agent_set(struct dbg_agent *a, const uint8_t *code, size_t len, const struct guest *g,
                  struct err *e)
{
    struct check k = {code, len, g, e, NULL};
    int rc;

    if (!len || len > DBG_AGENT_MAX)
        return err_set(e, EINVAL, "agent expression: 1 to %d bytes, not %zu", DBG_AGENT_MAX, len);
    k.depth = xmalloc(len);
    memset(k.depth, NOT_REACHED, len);
    rc = check(&k);
    free(k.depth);
    if (rc)
        return rc;
    dbg_agent_fini(a);
    a->code = xmalloc(len);
    memcpy(a->code, code, len);
    a->len = (uint32_t)len;
    return 0;
}

void dbg_agent_fini(struct dbg_agent *a)
{
    free(a->code);
    *a = (struct dbg_agent){0};
}

/* What nobody reaches is counted in. */
bool dbg_agent_is_pure(const struct dbg_agent *a)
{
    size_t size;

    for (size_t at = 0; at < a->len; at += size) {
        switch (a->code[at]) {
        case DBG_AGENT_TRACE:
        case DBG_AGENT_TRACE_QUICK:
        case DBG_AGENT_TRACE16:
        case DBG_AGENT_TRACENZ:
        case DBG_AGENT_TRACEV:
        case DBG_AGENT_SETV:
        case DBG_AGENT_PRINTF:
            return false;
        }
        size = size_at(a->code, a->len, at);
        if (!size)
            return false;
    }
    return true;
}

/* ---- to IR ---- */

/* A program becomes blocks: one starts at each offset that a jump leads to, and behind each jump.  They
 * are in order of their offsets, and the last one gets the result. */
struct lift {
    const struct dbg_agent *a;
    struct cpu *c;
    struct ir_unit *u;
    ir_ref stack[DBG_AGENT_DEPTH];
    unsigned depth;
    uint8_t *starts; /* by offset: whether a block starts there */
    uint32_t *block; /* its number, if so */
    uint8_t *entry;  /* the stack's depth there */
    uint32_t first, last; /* the numbers of its blocks; the same if there are no jumps */
    bool closed;          /* the open block has its end */
    ir_ref result;
};

static ir_ref pop(struct lift *l)
{
    return l->stack[--l->depth];
}

static void push(struct lift *l, ir_ref v)
{
    l->stack[l->depth++] = v;
}

static ir_ref constant(struct lift *l, uint64_t v)
{
    return ir_const(l->u, IR_I64, v);
}

static void binary(struct lift *l, enum ir_op op)
{
    ir_ref b = pop(l), a = pop(l);

    push(l, ir_bin(l->u, op, IR_I64, a, b));
}

/* The low n bits, extended. */
static void extend(struct lift *l, unsigned n, enum ir_op shift)
{
    ir_ref by = constant(l, 64 - n);

    if (n < 64)
        push(l, ir_bin(l->u, shift, IR_I64, ir_bin(l->u, IR_shl, IR_I64, pop(l), by), by));
}

static void load(struct lift *l, unsigned size)
{
    push(l, ir_call(l->u, l->c->guest->peek, pop(l), constant(l, size), IR_NONE));
}

static ir_ref ask(struct lift *l, int what, ir_ref a, ir_ref b)
{
    return ir_call(l->u, l->c->guest->decide, constant(l, (uint64_t)what), a, b);
}

static void reg(struct lift *l, uint64_t number)
{
    uint32_t row = (uint32_t)find_row(l->c->guest, number);
    const struct ir_names *n = &l->c->guest->names;

    if (row == n->pc_slot)
        push(l, constant(l, l->u->pc));
    else if (row < n->nslots && n->slots[row].type == IR_I64)
        push(l, ir_get(l->u, row));
    else
        push(l, ask(l, DBG_ASK_REG, constant(l, row), constant(l, 0)));
}

static uint32_t edge(struct lift *l, uint64_t offset)
{
    return ir_edge_new(l->u, l->block[offset], l->stack, l->depth);
}

static void jump(struct lift *l, unsigned op, size_t next, uint64_t target)
{
    if (op == DBG_AGENT_GOTO) {
        ir_br(l->u, edge(l, target));
    } else {
        ir_ref cond = pop(l);
        uint32_t yes = edge(l, target);

        ir_brif(l->u, cond, yes, edge(l, next));
    }
    l->closed = true;
}

/* A function and its channel, which are of use on GDB's side only, lie above the arguments, of which the
 * first is the topmost. */
static void print(struct lift *l, const uint8_t *op)
{
    ir_ref none = constant(l, 0);

    l->depth -= 2;
    for (unsigned n = op[1]; n; n--)
        ask(l, DBG_ASK_ARG, pop(l), none);
    ask(l, DBG_ASK_PRINT, constant(l, (uintptr_t)(op + 4)), none);
}

static void end(struct lift *l)
{
    l->result = l->depth ? pop(l) : constant(l, 0);
    if (l->first != l->last)
        ir_br(l->u, ir_edge_new(l->u, l->last, &l->result, 1));
    l->closed = true;
}

static void stack_op(struct lift *l, unsigned op, uint64_t n)
{
    ir_ref *top = &l->stack[l->depth], a;

    switch (op) {
    case DBG_AGENT_DUP:
        push(l, top[-1]);
        break;
    case DBG_AGENT_POP:
        l->depth--;
        break;
    case DBG_AGENT_SWAP:
        a = top[-1];
        top[-1] = top[-2];
        top[-2] = a;
        break;
    case DBG_AGENT_PICK:
        push(l, top[-1 - (int)n]);
        break;
    default: /* ROT: a b c to c a b */
        a = top[-1];
        top[-1] = top[-2];
        top[-2] = top[-3];
        top[-3] = a;
    }
}

/* Of traces: v is the operand. */
static void trace_op(struct lift *l, unsigned op, uint64_t v)
{
    ir_ref len;

    switch (op) {
    case DBG_AGENT_GETV:
        push(l, ask(l, DBG_ASK_GETV, constant(l, v), constant(l, 0)));
        break;
    case DBG_AGENT_SETV:
        ask(l, DBG_ASK_SETV, constant(l, v), l->stack[l->depth - 1]);
        break;
    case DBG_AGENT_TRACEV:
        ask(l, DBG_ASK_TRACEV, constant(l, v), constant(l, 0));
        break;
    case DBG_AGENT_TRACE_QUICK:
    case DBG_AGENT_TRACE16:
        ask(l, DBG_ASK_TRACE, l->stack[l->depth - 1], constant(l, v));
        break;
    default: /* TRACE, TRACENZ */
        len = pop(l);
        ask(l, op == DBG_AGENT_TRACE ? DBG_ASK_TRACE : DBG_ASK_TRACENZ, pop(l), len);
    }
}

static const uint8_t binary_ops[256] = {
    [DBG_AGENT_ADD] = IR_add,          [DBG_AGENT_SUB] = IR_sub,
    [DBG_AGENT_MUL] = IR_mul,          [DBG_AGENT_DIV_SIGNED] = IR_divs,
    [DBG_AGENT_DIV_UNSIGNED] = IR_divu, [DBG_AGENT_REM_SIGNED] = IR_rems,
    [DBG_AGENT_REM_UNSIGNED] = IR_remu, [DBG_AGENT_LSH] = IR_shl,
    [DBG_AGENT_RSH_SIGNED] = IR_sar,   [DBG_AGENT_RSH_UNSIGNED] = IR_shr,
    [DBG_AGENT_BIT_AND] = IR_and,      [DBG_AGENT_BIT_OR] = IR_or,
    [DBG_AGENT_BIT_XOR] = IR_xor,      [DBG_AGENT_EQUAL] = IR_eq,
    [DBG_AGENT_LESS_SIGNED] = IR_lts,  [DBG_AGENT_LESS_UNSIGNED] = IR_ltu,
};

static void lift_one(struct lift *l, size_t at)
{
    unsigned op = l->a->code[at], size = ops[op].operand;
    uint64_t v = operand(l->a->code + at + 1, size);

    switch (op) {
    case DBG_AGENT_LOG_NOT:
        push(l, ir_bin(l->u, IR_eq, IR_I64, pop(l), constant(l, 0)));
        break;
    case DBG_AGENT_BIT_NOT:
        push(l, ir_bin(l->u, IR_xor, IR_I64, pop(l), constant(l, UINT64_MAX)));
        break;
    case DBG_AGENT_EXT:
        extend(l, (unsigned)v, IR_sar);
        break;
    case DBG_AGENT_ZERO_EXT:
        extend(l, (unsigned)v, IR_shr);
        break;
    case DBG_AGENT_REF8:
    case DBG_AGENT_REF16:
    case DBG_AGENT_REF32:
    case DBG_AGENT_REF64:
        load(l, 1u << (op - DBG_AGENT_REF8));
        break;
    case DBG_AGENT_IF_GOTO:
    case DBG_AGENT_GOTO:
        jump(l, op, at + 1 + size, v);
        break;
    case DBG_AGENT_CONST8:
    case DBG_AGENT_CONST16:
    case DBG_AGENT_CONST32:
    case DBG_AGENT_CONST64:
        push(l, constant(l, v));
        break;
    case DBG_AGENT_REG:
        reg(l, v);
        break;
    case DBG_AGENT_PRINTF:
        print(l, l->a->code + at);
        break;
    case DBG_AGENT_END:
        end(l);
        break;
    case DBG_AGENT_TRACE:
    case DBG_AGENT_TRACE_QUICK:
    case DBG_AGENT_GETV:
    case DBG_AGENT_SETV:
    case DBG_AGENT_TRACEV:
    case DBG_AGENT_TRACENZ:
    case DBG_AGENT_TRACE16:
        trace_op(l, op, v);
        break;
    default:
        if (binary_ops[op])
            binary(l, (enum ir_op)binary_ops[op]);
        else
            stack_op(l, op, v);
    }
}

/* Where blocks start, and with how much on the stack; as check() found it. */
static void find_blocks(struct lift *l)
{
    uint32_t n = l->first = l->u->nblocks;

    l->entry[0] = 0;
    for (size_t at = 0, next; at < l->a->len; at = next) {
        const struct op_info *op = &ops[l->a->code[at]];
        unsigned depth =
            l->entry[at] - pops_at(l->a->code, at, l->entry[at]) + op->pushes;

        next = at + size_at(l->a->code, l->a->len, at);
        if (l->a->code[at] == DBG_AGENT_IF_GOTO || l->a->code[at] == DBG_AGENT_GOTO) {
            uint64_t target = operand(l->a->code + at + 1, 2);

            l->starts[target] = 1;
            l->entry[target] = (uint8_t)depth;
        }
        if (l->a->code[at] == DBG_AGENT_IF_GOTO)
            l->starts[next] = 1;
        if (l->a->code[at] != DBG_AGENT_GOTO && l->a->code[at] != DBG_AGENT_END)
            l->entry[next] = (uint8_t)depth;
        else
            while (next < l->a->len && !l->starts[next])
                next++; /* nobody comes there */
    }
    for (size_t at = 0; at < l->a->len; at++)
        if (l->starts[at])
            l->block[at] = n++;
    l->last = n;
}

/* The block that starts at an offset: what is open leads to it. */
static void begin_block(struct lift *l, size_t at)
{
    if (!l->closed)
        ir_br(l->u, edge(l, at));
    ir_block_begin(l->u);
    l->closed = false;
    l->depth = 0;
    for (unsigned i = 0; i < l->entry[at]; i++)
        push(l, ir_param(l->u, IR_I64));
}

ir_ref dbg_agent_lift(const struct dbg_agent *a, struct cpu *c, struct ir_unit *u)
{
    struct lift l = {.a = a, .c = c, .u = u};

    l.starts = arena_array(u->arena, uint8_t, a->len + 1);
    l.entry = arena_array(u->arena, uint8_t, a->len + 1);
    l.block = arena_array(u->arena, uint32_t, a->len + 1);
    find_blocks(&l);
    for (size_t at = 0; at < a->len; at++) {
        if (l.starts[at])
            begin_block(&l, at);
        if (l.closed)
            continue;
        lift_one(&l, at);
        at += size_at(a->code, a->len, at) - 1;
    }
    if (l.first == l.last)
        return l.result;
    ir_block_begin(u);
    return ir_param(u, IR_I64);
}

uint64_t dbg_agent_run(const struct dbg_agent *a, struct cpu *c)
{
    struct arena arena;
    struct ir_unit u;
    uint64_t value = 0;

    arena_init(&arena);
    ir_unit_init(&u, &arena, &c->guest->names);
    u.pc = c->pc;
    ir_block_begin(&u);
    ir_exit_ind(&u, dbg_agent_lift(a, c, &u), 0);
    ir_interp(&u, c, &cpu_ir_host, arena_array(&arena, uint64_t, u.ninsns), &value);
    arena_fini(&arena);
    return value;
}
