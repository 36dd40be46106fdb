/* expr.c - see expr.h. */
#include "debug/expr.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/guest.h"

#define NAME_MAX_BYTES 256
#define NESTING_MAX    100 /* of operands in operands */

struct expr {
    const char *text, *at;
    const struct guest *g;
    const struct dbg_names *names;
    struct buf code;
    unsigned nesting;
    struct err *e;
};

/* Each parser appends code that pushes one value; *u: it is unsigned.  0, or the error. */
static int ternary(struct expr *x, bool *u);
static int unary(struct expr *x, bool *u);

/* ---- text ---- */

static int column(const struct expr *x, const char *at)
{
    return (int)(at - x->text) + 1;
}

static void skip(struct expr *x)
{
    x->at += strspn(x->at, " \t");
}

static bool take(struct expr *x, char c)
{
    skip(x);
    if (*x->at != c)
        return false;
    x->at++;
    return true;
}

static int want(struct expr *x, char c)
{
    if (take(x, c))
        return 0;
    return err_set(x->e, EINVAL, "column %d: %c is missing before \"%.20s\"", column(x, x->at), c,
                   x->at);
}

static bool in_name(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_.$@", c));
}

/* ---- code ---- */

static void op(struct expr *x, enum dbg_agent_op o)
{
    buf_ch(&x->code, (char)o);
}

static void big_endian(struct expr *x, uint64_t v, unsigned bytes)
{
    while (bytes--)
        buf_ch(&x->code, (char)(v >> 8 * bytes));
}

static void constant(struct expr *x, uint64_t v)
{
    unsigned log = v >> 8 == 0 ? 0 : v >> 16 == 0 ? 1 : v >> 32 == 0 ? 2 : 3;

    op(x, (enum dbg_agent_op)(DBG_AGENT_CONST8 + log));
    big_endian(x, v, 1u << log);
}

static void extend(struct expr *x, enum dbg_agent_op o, unsigned bits)
{
    op(x, o);
    big_endian(x, bits, 1);
}

/* A jump, and later where to. */
static size_t jump(struct expr *x, enum dbg_agent_op o)
{
    op(x, o);
    big_endian(x, 0, 2);
    return x->code.len;
}

static void land(struct expr *x, size_t jump_end)
{
    x->code.data[jump_end - 2] = (char)(x->code.len >> 8);
    x->code.data[jump_end - 1] = (char)x->code.len;
}

static void truth(struct expr *x)
{
    op(x, DBG_AGENT_LOG_NOT);
    op(x, DBG_AGENT_LOG_NOT);
}

/* ---- operands ---- */

static int number(struct expr *x, bool *u)
{
    const char *start = x->at;
    int binary = !strncmp(start, "0b", 2) || !strncmp(start, "0B", 2);
    char *end;
    uint64_t v;

    errno = 0;
    v = strtoull(start + 2 * binary, &end, binary ? 2 : 0);
    *u = v >> 63;
    if (*end == 'u' || *end == 'U') {
        *u = true;
        end++;
    }
    if (errno || end == start + 2 * binary || in_name(*end))
        return err_set(x->e, EINVAL, "column %d: %.40s: not a number", column(x, start), start);
    x->at = end;
    constant(x, v);
    return 0;
}

static int escape(char c)
{
    static const char names[] = "0abefnrtv\\'\"", values[] = "\0\a\b\033\f\n\r\t\v\\'\"";
    const char *at = c ? strchr(names, c) : NULL;

    return at ? values[at - names] : -1;
}

static int symbol(struct expr *x, const char *at, const char *name, bool *u)
{
    struct buf near = BUF_INIT;
    uint64_t v;
    int rc;

    *u = true;
    if (x->names && x->names->find(x->names->opaque, name, &v)) {
        constant(x, v);
        return 0;
    }
    if (x->names && x->names->near)
        x->names->near(x->names->opaque, name, &near);
    rc = err_set(x->e, EINVAL, "column %d: %.60s: neither a register nor a symbol%s%.200s",
                 column(x, at), name, near.len ? "; near it: " : "", near.data);
    buf_fini(&near);
    return rc;
}

/* 'c', '\n', or 'a symbol'. */
static int quoted(struct expr *x, bool *u)
{
    const char *start = x->at++, *end;
    char name[NAME_MAX_BYTES];
    int c = *x->at == '\\' ? escape(x->at[1]) : (unsigned char)*x->at;

    end = *x->at && c >= 0 ? strchr(x->at + 1 + (*x->at == '\\'), '\'') : NULL;
    if (!end || (size_t)(end - x->at) >= sizeof name)
        return err_set(x->e, EINVAL, "column %d: %.40s: neither a character nor a name",
                       column(x, start), start);
    if (end - x->at == 1 + (*x->at == '\\')) {
        constant(x, (uint64_t)c);
        x->at = end + 1;
        return 0;
    }
    memcpy(name, x->at, (size_t)(end - x->at));
    name[end - x->at] = 0;
    x->at = end + 1;
    return symbol(x, start, name, u);
}

static int field(struct expr *x, const struct guest_reg *r, const char *name, const char *at)
{
    for (const struct reg_field *f = r->fields; f && f->name; f++) {
        if (strcmp(f->name, name))
            continue;
        constant(x, f->lo);
        op(x, DBG_AGENT_RSH_UNSIGNED);
        extend(x, DBG_AGENT_ZERO_EXT, f->width);
        return 0;
    }
    return err_set(x->e, EINVAL, "column %d: %s has no field %.40s", column(x, at), r->name, name);
}

/* "a0" or "sstatus.SPP".  1: that is no register's name. */
static int reg(struct expr *x, char *name, const char *at)
{
    char *dot = strchr(name, '.');
    int row;

    if (dot)
        *dot = 0;
    row = guest_find_reg(x->g, name);
    if (row < 0 || x->g->regs[row].gdb > UINT16_MAX) {
        if (dot)
            *dot = '.';
        return 1;
    }
    op(x, DBG_AGENT_REG);
    big_endian(x, x->g->regs[row].gdb, 2);
    return dot ? field(x, &x->g->regs[row], dot + 1, at) : 0;
}

/* u8 to s64: its bits, or 0. */
static unsigned sized(const char *name, bool *is_signed)
{
    static const char *const sizes[] = {"8", "16", "32", "64"};

    *is_signed = *name == 's';
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
        if ((*name == 'u' || *name == 's') && !strcmp(name + 1, sizes[i]))
            return 8u << i;
    return 0;
}

/* u8[address] or u8(value), behind the name. */
static int memory_or_cast(struct expr *x, unsigned bits, bool is_signed, bool *u)
{
    bool memory = *x->at == '[';
    int rc;

    x->at++;
    rc = ternary(x, u);
    rc = rc ? rc : want(x, memory ? ']' : ')');
    if (memory)
        op(x, (enum dbg_agent_op)(DBG_AGENT_REF8 + (unsigned)__builtin_ctz(bits / 8)));
    if (bits < 64 && (is_signed || !memory))
        extend(x, is_signed ? DBG_AGENT_EXT : DBG_AGENT_ZERO_EXT, bits);
    *u = !is_signed && bits == 64;
    return rc;
}

static int named(struct expr *x, bool address, bool *u)
{
    const char *start = x->at;
    char name[NAME_MAX_BYTES];
    size_t n = 0;
    bool is_signed;
    unsigned bits;
    int rc;

    while (in_name(start[n]))
        n++;
    if (!n || n >= sizeof name)
        return err_set(x->e, EINVAL,
                       n ? "column %d: %.40s...: too long a name"
                         : "column %d: a value is missing before \"%.20s\"",
                       column(x, start), start);
    memcpy(name, start, n);
    name[n] = 0;
    x->at += n;
    bits = sized(name, &is_signed);
    if (bits && !address && (*x->at == '[' || *x->at == '('))
        return memory_or_cast(x, bits, is_signed, u);
    *u = false;
    rc = address ? 1 : reg(x, name + (*name == '$'), start);
    if (rc == 1 && *name == '$')
        return err_set(x->e, EINVAL, "column %d: %.60s: no such register", column(x, start), name);
    return rc == 1 ? symbol(x, start, name, u) : rc;
}

static int operand(struct expr *x, bool *u)
{
    int rc;

    *u = false;
    if (isdigit((unsigned char)*x->at))
        return number(x, u);
    if (*x->at == '\'')
        return quoted(x, u);
    if (!take(x, '('))
        return named(x, false, u);
    rc = ternary(x, u);
    return rc ? rc : want(x, ')');
}

static int unary_op(struct expr *x, char c, bool *u)
{
    int rc;

    x->at++;
    skip(x);
    if (c == '&')
        return named(x, true, u);
    rc = unary(x, u);
    switch (c) {
    case '-':
        constant(x, 0);
        op(x, DBG_AGENT_SWAP);
        op(x, DBG_AGENT_SUB);
        break;
    case '~':
        op(x, DBG_AGENT_BIT_NOT);
        break;
    default:
        op(x, DBG_AGENT_LOG_NOT);
        *u = false;
    }
    return rc;
}

static int unary(struct expr *x, bool *u)
{
    int rc;

    skip(x);
    if (++x->nesting > NESTING_MAX)
        return err_set(x->e, EINVAL, "column %d: nested too deep", column(x, x->at));
    rc = *x->at && strchr("-~!&", *x->at) ? unary_op(x, *x->at, u) : operand(x, u);
    x->nesting--;
    return rc;
}

/* ---- operators ---- */

enum shape { PLAIN, SWAPPED, NEGATED, SWAPPED_NEGATED };

/* Longer ones before those that they begin with. */
static const struct binary {
    char text[3];
    uint8_t level; /* of precedence: higher ones bind first */
    uint8_t op, unsigned_op;
    uint8_t shape;
    bool compares; /* the result is signed */
    bool shifts;   /* the result is as the left operand */
} binaries[] = {
    {"||", 1, 0, 0, PLAIN, true, false},
    {"&&", 2, 0, 0, PLAIN, true, false},
    {"==", 6, DBG_AGENT_EQUAL, DBG_AGENT_EQUAL, PLAIN, true, false},
    {"!=", 6, DBG_AGENT_EQUAL, DBG_AGENT_EQUAL, NEGATED, true, false},
    {"<<", 8, DBG_AGENT_LSH, DBG_AGENT_LSH, PLAIN, false, true},
    {">>", 8, DBG_AGENT_RSH_SIGNED, DBG_AGENT_RSH_UNSIGNED, PLAIN, false, true},
    {"<=", 7, DBG_AGENT_LESS_SIGNED, DBG_AGENT_LESS_UNSIGNED, SWAPPED_NEGATED, true, false},
    {">=", 7, DBG_AGENT_LESS_SIGNED, DBG_AGENT_LESS_UNSIGNED, NEGATED, true, false},
    {"<", 7, DBG_AGENT_LESS_SIGNED, DBG_AGENT_LESS_UNSIGNED, PLAIN, true, false},
    {">", 7, DBG_AGENT_LESS_SIGNED, DBG_AGENT_LESS_UNSIGNED, SWAPPED, true, false},
    {"|", 3, DBG_AGENT_BIT_OR, DBG_AGENT_BIT_OR, PLAIN, false, false},
    {"^", 4, DBG_AGENT_BIT_XOR, DBG_AGENT_BIT_XOR, PLAIN, false, false},
    {"&", 5, DBG_AGENT_BIT_AND, DBG_AGENT_BIT_AND, PLAIN, false, false},
    {"+", 9, DBG_AGENT_ADD, DBG_AGENT_ADD, PLAIN, false, false},
    {"-", 9, DBG_AGENT_SUB, DBG_AGENT_SUB, PLAIN, false, false},
    {"*", 10, DBG_AGENT_MUL, DBG_AGENT_MUL, PLAIN, false, false},
    {"/", 10, DBG_AGENT_DIV_SIGNED, DBG_AGENT_DIV_UNSIGNED, PLAIN, false, false},
    {"%", 10, DBG_AGENT_REM_SIGNED, DBG_AGENT_REM_UNSIGNED, PLAIN, false, false},
};

static const struct binary *peek_binary(struct expr *x)
{
    skip(x);
    for (size_t i = 0; i < ARRAY_LEN(binaries); i++)
        if (!strncmp(x->at, binaries[i].text, strlen(binaries[i].text)))
            return &binaries[i];
    return NULL;
}

static int climb(struct expr *x, unsigned level, bool *u);

/* The right operand of && or || is only looked at if the left one leaves it open. */
static int logical(struct expr *x, const struct binary *b)
{
    bool is_or = *b->text == '|', u;
    size_t done, end;
    int rc;

    if (!is_or)
        op(x, DBG_AGENT_LOG_NOT);
    done = jump(x, DBG_AGENT_IF_GOTO);
    rc = climb(x, b->level + 1u, &u);
    truth(x);
    end = jump(x, DBG_AGENT_GOTO);
    land(x, done);
    constant(x, is_or);
    land(x, end);
    return rc;
}

static int binary(struct expr *x, const struct binary *b, bool *u)
{
    bool right = false, is_unsigned;
    int rc;

    x->at += strlen(b->text);
    if (!b->op) {
        *u = false;
        return logical(x, b);
    }
    rc = climb(x, b->level + 1u, &right);
    is_unsigned = *u || (right && !b->shifts);
    if (b->shape == SWAPPED || b->shape == SWAPPED_NEGATED)
        op(x, DBG_AGENT_SWAP);
    op(x, (enum dbg_agent_op)(is_unsigned ? b->unsigned_op : b->op));
    if (b->shape == NEGATED || b->shape == SWAPPED_NEGATED)
        op(x, DBG_AGENT_LOG_NOT);
    *u = is_unsigned && !b->compares;
    return rc;
}

/* Operators of at least this level. */
static int climb(struct expr *x, unsigned level, bool *u)
{
    const struct binary *b;
    int rc = unary(x, u);

    while (!rc && (b = peek_binary(x)) && b->level >= level)
        rc = binary(x, b, u);
    return rc;
}

static int ternary(struct expr *x, bool *u)
{
    bool other = false;
    size_t no, end;
    int rc;

    if (++x->nesting > NESTING_MAX)
        return err_set(x->e, EINVAL, "column %d: nested too deep", column(x, x->at));
    rc = climb(x, 0, u);
    if (!rc && take(x, '?')) {
        op(x, DBG_AGENT_LOG_NOT);
        no = jump(x, DBG_AGENT_IF_GOTO);
        rc = ternary(x, u);
        rc = rc ? rc : want(x, ':');
        end = jump(x, DBG_AGENT_GOTO);
        land(x, no);
        rc = rc ? rc : ternary(x, &other);
        land(x, end);
        *u = *u || other;
    }
    x->nesting--;
    return rc;
}

/* ---- whole texts ---- */

static int compile(struct dbg_agent *a, const char *text, const struct guest *g,
                   const struct dbg_names *names, bool *u, struct err *e)
{
    struct expr x = {.text = text, .at = text, .g = g, .names = names, .code = BUF_INIT, .e = e};
    int rc = ternary(&x, u);

    skip(&x);
    if (!rc && *x.at)
        rc = err_set(e, EINVAL, "column %d: \"%.20s\" is too much", column(&x, x.at), x.at);
    op(&x, DBG_AGENT_END);
    if (!rc)
        rc = dbg_agent_set(a, (const uint8_t *)x.code.data, x.code.len, g, e);
    buf_fini(&x.code);
    return rc;
}

int dbg_expr_compile(struct dbg_agent *a, const char *text, const struct guest *g,
                     const struct dbg_names *names, struct err *e)
{
    bool u;

    return compile(a, text, g, names, &u, e);
}

int dbg_expr_eval(const char *text, struct cpu *c, const struct dbg_names *names, uint64_t *value,
                  bool *is_unsigned, struct err *e)
{
    struct dbg_agent a = {0};
    bool u;
    int rc = compile(&a, text, c->guest, names, &u, e);

    if (!rc)
        *value = dbg_agent_run(&a, c);
    if (!rc && is_unsigned)
        *is_unsigned = u;
    dbg_agent_fini(&a);
    return rc;
}
