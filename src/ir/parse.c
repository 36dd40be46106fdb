/*
 * parse.c - a unit from text.
 *
 * A line is an instruction, "block N" (numbered in order from 0), or, at the
 * top, "unit PC [rounding mode]".  '#' starts a comment.
 *
 *     unit 0x80000000 rne
 *     block 0
 *         insn 0x80000000 4                     a guest instruction: pc, length
 *         v1:i64 = get a0                       slots and helpers by name
 *         v2:i64 = const 0x10
 *         v3:i64 = load.s32 v1 + 8 mode 1       suffixes spell out aux
 *         v4:i64 = lts.i64 v3, v2               comparisons: type of the operands
 *         v5:i64 = call csr_read v2
 *         brif v4, 1(v3), 2                     edges: block(arguments)
 *     block 1
 *         x:i64 = param
 *         put a0, x
 *         exit_pc 0x80000004
 *
 * A value's name is any word; an instruction's number is its place alone.
 * The text is untrusted: what this accepts is safe to print and to verify,
 * and only after ir_verify to run.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/bits.h"
#include "ir/text.h"

enum { MAX_LINES = 1 << 24 };

struct word {
    const char *s;
    size_t len;
};

struct value_name {
    struct word name;
    ir_ref ref;
};

struct parser {
    struct ir_unit *u;
    const struct ir_names *names;
    struct err *e;
    const char *at, *end; /* what is left of the line, without its comment */
    unsigned line;
    struct value_name *values; /* hash table with open addressing */
    uint32_t mask;
    uint32_t nblocks; /* in the whole text */
};

static int fail(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct parser *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_vset(p->e, EINVAL, fmt, ap);
    va_end(ap);
    err_prefix(p->e, "line %u", p->line);
    return -EINVAL;
}

/* ---- words ---- */

/* For %.*s: a word may be as long as the text. */
#define SHOW(w) (int)((w).len < 40 ? (w).len : 40), (w).s

static bool word_is(struct word w, const char *s)
{
    return w.len == strlen(s) && !memcmp(w.s, s, w.len);
}

static void skip_space(struct parser *p)
{
    while (p->at < p->end && isspace((unsigned char)*p->at))
        p->at++;
}

static bool at_end(struct parser *p)
{
    skip_space(p);
    return p->at == p->end;
}

static bool accept(struct parser *p, char c)
{
    skip_space(p);
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

/* Letters, digits, '_' and '.'; empty if there are none. */
static struct word next_word(struct parser *p)
{
    skip_space(p);
    struct word w = {p->at, 0};
    while (p->at < p->end && (isalnum((unsigned char)*p->at) || *p->at == '_' || *p->at == '.'))
        p->at++;
    w.len = (size_t)(p->at - w.s);
    return w;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : 99;
}

static bool word_number(struct word w, uint64_t *out)
{
    bool hex = w.len > 2 && w.s[0] == '0' && (w.s[1] | 32) == 'x';
    unsigned base = hex ? 16 : 10;
    uint64_t v = 0;
    if (!w.len)
        return false;
    for (size_t i = hex ? 2 : 0; i < w.len; i++) {
        unsigned d = (unsigned)digit_value(w.s[i]);
        if (d >= base || v > (UINT64_MAX - d) / base)
            return false;
        v = v * base + d;
    }
    *out = v;
    return true;
}

static int parse_number(struct parser *p, const char *what, uint64_t max, uint64_t *out)
{
    bool negative = accept(p, '-');
    struct word w = next_word(p);
    if (!word_number(w, out) || (negative && max != UINT64_MAX) || *out > max)
        return fail(p, "%s: a number up to 0x%llx expected, not '%.*s'", what,
                    (unsigned long long)max, SHOW(w));
    if (negative)
        *out = -*out;
    return 0;
}

/* ---- values by name ---- */

static struct value_name *value_find(struct parser *p, struct word w)
{
    uint32_t h = (uint32_t)bits_hash(w.s, w.len, 0) & p->mask;
    while (p->values[h].name.s &&
           (p->values[h].name.len != w.len || memcmp(p->values[h].name.s, w.s, w.len)))
        h = (h + 1) & p->mask;
    return &p->values[h];
}

static int parse_value(struct parser *p, ir_ref *out)
{
    struct word w = next_word(p);
    if (!w.len)
        return fail(p, "a value expected");
    const struct value_name *v = value_find(p, w);
    if (!v->name.s)
        return fail(p, "no value is called '%.*s'", SHOW(w));
    *out = v->ref;
    return 0;
}

static bool type_by_name(struct word w, enum ir_type *out)
{
    for (unsigned t = IR_I32; t < IR_TYPE_COUNT; t++)
        if (word_is(w, ir_type_names[t])) {
            *out = t;
            return true;
        }
    return false;
}

/* ---- operations ---- */

static bool op_by_name(struct word w, uint8_t *out)
{
    for (unsigned op = 0; op < IR_OP_COUNT; op++)
        if (word_is(w, ir_ops[op].name)) {
            *out = (uint8_t)op;
            return true;
        }
    return false;
}

/* One suffix: a type, or a name for bits of aux that are not yet named (*seen). */
static int parse_suffix(struct parser *p, struct word w, struct ir_insn *i, unsigned *seen)
{
    unsigned kinds = ir_mod_kinds(i->op);
    enum ir_type type;
    if (ir_typed_suffix(i->op) && i->type == IR_VOID && type_by_name(w, &type)) {
        i->type = (uint8_t)type;
        return 0;
    }
    for (const struct ir_mod *m = ir_mods; m->name; m++) {
        if (!(m->kind & kinds) || !word_is(w, m->name))
            continue;
        if (*seen & m->mask)
            return fail(p, "suffix .%.*s contradicts another", SHOW(w));
        *seen |= m->mask;
        i->aux |= m->bits;
        return 0;
    }
    return fail(p, "%s has no suffix .%.*s", ir_ops[i->op].name, SHOW(w));
}

/* "load.s32.align": the operation, aux, and the type if that is a suffix. */
static int parse_op(struct parser *p, struct ir_insn *i)
{
    struct word w = next_word(p), part = w;
    const char *dot = memchr(w.s, '.', w.len);
    unsigned seen = 0;
    part.len = dot ? (size_t)(dot - w.s) : w.len;
    if (!op_by_name(part, &i->op))
        return fail(p, "no operation is called '%.*s'", SHOW(part));
    while (dot) {
        part.s = dot + 1;
        size_t left = (size_t)(w.s + w.len - part.s);
        dot = memchr(part.s, '.', left);
        part.len = dot ? (size_t)(dot - part.s) : left;
        int r = parse_suffix(p, part, i, &seen);
        if (r)
            return r;
    }
    if ((ir_mod_kinds(i->op) & (IR_MOD_LOAD | IR_MOD_STORE)) && !(seen & IR_MO_SIZE))
        return fail(p, "%s needs a size as suffix", ir_ops[i->op].name);
    if (ir_typed_suffix(i->op) && i->type == IR_VOID)
        return fail(p, "%s needs the type of its operands as suffix", ir_ops[i->op].name);
    return 0;
}

static int parse_slot(struct parser *p, uint64_t *out)
{
    struct word w = next_word(p);
    for (uint32_t s = 0; p->names && s < p->names->nslots; s++)
        if (word_is(w, p->names->slots[s].name)) {
            *out = s;
            return 0;
        }
    return fail(p, "no register is called '%.*s'", SHOW(w));
}

static int parse_helper(struct parser *p, uint64_t *out)
{
    struct word w = next_word(p);
    for (uint32_t h = 0; p->names && h < p->names->nhelpers; h++)
        if (word_is(w, p->names->helpers[h].name)) {
            *out = h;
            return 0;
        }
    return fail(p, "no helper is called '%.*s'", SHOW(w));
}

static int parse_edge(struct parser *p, ir_ref *out)
{
    ir_ref args[IR_EDGE_ARGS_MAX];
    uint64_t block;
    uint32_t n = 0;
    int r = parse_number(p, "block", UINT32_MAX, &block);
    if (r)
        return r;
    if (block >= p->nblocks)
        return fail(p, "there is no block %u", (unsigned)block);
    bool more = accept(p, '(');
    while (more) {
        if (n == IR_EDGE_ARGS_MAX)
            return fail(p, "more than %d arguments", IR_EDGE_ARGS_MAX);
        if ((r = parse_value(p, &args[n++])))
            return r;
        more = accept(p, ',');
        if (!more && !accept(p, ')'))
            return fail(p, "')' expected");
    }
    *out = ir_edge_new(p->u, (uint32_t)block, args, n);
    return 0;
}

/* "+ N", "- N" or nothing. */
static int parse_offset(struct parser *p, uint64_t *out)
{
    bool plus = accept(p, '+');
    bool minus = !plus && accept(p, '-');
    if (!plus && !minus)
        return 0;
    int r = parse_number(p, "offset", UINT64_MAX, out);
    if (minus)
        *out = -*out;
    return r;
}

static int parse_mode(struct parser *p, struct ir_insn *i)
{
    uint64_t mode;
    if (at_end(p))
        return 0;
    struct word w = next_word(p);
    if (!word_is(w, "mode"))
        return fail(p, "'mode' or the end of the line expected, not '%.*s'", SHOW(w));
    int r = parse_number(p, "mode", 7, &mode);
    if (!r)
        i->aux |= (uint16_t)(mode << IR_MO_MODE_SHIFT);
    return r;
}

/* Operands as ops.def's letters say, with commas between. */
static int parse_args(struct parser *p, struct ir_insn *i)
{
    const struct ir_op_info *info = &ir_ops[i->op];
    int r = 0;
    for (unsigned n = 0; !r && n < info->nargs; n++) {
        if (info->args[n] == '.' && at_end(p))
            break;
        if (n && !accept(p, ','))
            return fail(p, "%s: ',' and operand %u expected", info->name, n + 1);
        r = info->args[n] == 'e' ? parse_edge(p, &i->arg[n]) : parse_value(p, &i->arg[n]);
        if (!r && n == 0 && (info->effects & (IR_FX_READ | IR_FX_WRITE)))
            r = parse_offset(p, &i->imm);
    }
    if (!r && ir_mod_kinds(i->op) & IR_MOD_MODE)
        r = parse_mode(p, i);
    return r;
}

/* Everything behind the operation's name. */
static int parse_operands(struct parser *p, struct ir_insn *i)
{
    uint64_t len = 0;
    int r;
    switch (i->op) {
    case IR_const:
    case IR_exit_pc:
        return parse_number(p, ir_ops[i->op].name, UINT64_MAX, &i->imm);
    case IR_insn:
        if ((r = parse_number(p, "pc", UINT64_MAX, &i->imm)) ||
            (r = parse_number(p, "length", UINT16_MAX, &len)))
            return r;
        i->aux = (uint16_t)len;
        return 0;
    case IR_get:
        return parse_slot(p, &i->imm);
    case IR_put:
        if ((r = parse_slot(p, &i->imm)))
            return r;
        if (!accept(p, ','))
            return fail(p, "put: ',' and a value expected");
        return parse_value(p, &i->arg[0]);
    case IR_call:
        if ((r = parse_helper(p, &i->imm)))
            return r;
        return parse_args(p, i);
    case IR_param:
        i->imm = p->u->ninsns - p->u->blocks[p->u->nblocks - 1].first;
        return 0;
    default:
        return parse_args(p, i);
    }
}

/* The declared type against what the operation makes. */
static int set_type(struct parser *p, struct ir_insn *i, enum ir_type declared)
{
    const struct ir_op_info *info = &ir_ops[i->op];
    int result = info->result;
    if (i->op == IR_call)
        result = p->names->helpers[i->imm].result ? IR_I64 : IR_VOID;
    if (result == IR_VOID && declared != IR_VOID)
        return fail(p, "%s has no result", info->name);
    if (result != IR_VOID && declared == IR_VOID)
        return fail(p, "%s needs a name and a type for its result", info->name);
    if (result == IR_I64 && declared != IR_I64)
        return fail(p, "%s makes an i64", info->name);
    if (!ir_typed_suffix(i->op))
        i->type = (uint8_t)declared;
    if (i->op == IR_const && (i->type == IR_I32 || i->type == IR_F32)) {
        if (bits_sext(i->imm, 32) != (int64_t)i->imm && i->imm > UINT32_MAX)
            return fail(p, "the constant does not fit 32 bits");
        i->imm = (uint32_t)i->imm;
    }
    return 0;
}

/* ---- lines ---- */

static bool block_closed(const struct ir_unit *u)
{
    return u->nblocks && u->blocks[u->nblocks - 1].end > u->blocks[u->nblocks - 1].first &&
           (ir_ops[u->insns[u->ninsns - 1].op].effects & IR_FX_END);
}

static int parse_unit_line(struct parser *p)
{
    int r = parse_number(p, "pc", UINT64_MAX, &p->u->pc);
    if (r || at_end(p))
        return r;
    struct word w = next_word(p);
    for (const struct ir_mod *m = ir_mods; m->name; m++)
        if (m->kind == IR_MOD_RM && word_is(w, m->name)) {
            p->u->fp_rm = (uint8_t)m->bits;
            return 0;
        }
    return fail(p, "no rounding mode is called '%.*s'", SHOW(w));
}

static int parse_block_line(struct parser *p)
{
    uint64_t n;
    int r = parse_number(p, "block", UINT32_MAX, &n);
    if (r)
        return r;
    if (n != p->u->nblocks)
        return fail(p, "block %u expected: blocks are numbered in order", p->u->nblocks);
    if (n && !block_closed(p->u))
        return fail(p, "the block before this one has no end");
    ir_block_begin(p->u);
    return 0;
}

static int parse_insn_line(struct parser *p)
{
    struct ir_insn i = {.arg = {IR_NONE, IR_NONE, IR_NONE}};
    enum ir_type declared = IR_VOID;
    const char *start = p->at;
    next_word(p);
    if (accept(p, ':')) {
        struct word w = next_word(p);
        if (!type_by_name(w, &declared))
            return fail(p, "no type is called '%.*s'", SHOW(w));
        if (!accept(p, '='))
            return fail(p, "'=' expected");
    } else {
        p->at = start;
    }
    if (!p->u->nblocks)
        return fail(p, "'block 0' must come first");
    if (block_closed(p->u))
        return fail(p, "the block has ended: 'block %u' expected", p->u->nblocks);
    int r = parse_op(p, &i);
    if (!r)
        r = parse_operands(p, &i);
    if (!r)
        r = set_type(p, &i, declared);
    if (r)
        return r;
    uint64_t pc = p->u->pc;
    ir_emit(p->u, i.op, i.type, i.arg[0], i.arg[1], i.arg[2], i.imm, i.aux);
    if (pc)
        p->u->pc = pc;
    return 0;
}

/* Sets up the next line without its comment; false after the last one. */
static bool next_line(struct parser *p, const char **text)
{
    if (!**text)
        return false;
    size_t len = strcspn(*text, "\n");
    p->at = *text;
    p->end = *text + strcspn(*text, "#\n");
    *text += len + ((*text)[len] == '\n');
    p->line++;
    return true;
}

static int parse_line(struct parser *p)
{
    if (at_end(p))
        return 0;
    const char *start = p->at;
    struct word w = next_word(p);
    int r;
    if (word_is(w, "unit") && !p->u->nblocks && !at_end(p) && *p->at != ':') {
        r = parse_unit_line(p);
    } else if (word_is(w, "block") && !at_end(p) && *p->at != ':') {
        r = parse_block_line(p);
    } else {
        p->at = start;
        r = parse_insn_line(p);
    }
    if (!r && !at_end(p))
        return fail(p, "'%.*s' is left over", (int)(p->end - p->at < 40 ? p->end - p->at : 40),
                    p->at);
    return r;
}

/* The first reading: which instruction each name stands for, and how many blocks there are. */
static int collect_names(struct parser *p, const char *text)
{
    ir_ref ref = 0;
    while (next_line(p, &text)) {
        if (at_end(p))
            continue;
        struct word w = next_word(p);
        bool named = w.len && accept(p, ':');
        if (!named && word_is(w, "block")) {
            p->nblocks++;
            continue;
        }
        if (!named && word_is(w, "unit") && !ref)
            continue;
        if (named) {
            struct value_name *v = value_find(p, w);
            if (v->name.s)
                return fail(p, "the name '%.*s' is taken", SHOW(w));
            *v = (struct value_name){w, ref};
        }
        ref++;
    }
    p->line = 0;
    return 0;
}

static uint32_t count_lines(const char *text)
{
    uint32_t n = 1;
    for (; *text && n < MAX_LINES; text++)
        n += *text == '\n';
    return n;
}

int ir_parse(struct ir_unit *u, struct arena *a, const struct ir_names *names, const char *text,
             struct err *e)
{
    struct parser p = {.u = u, .names = names, .e = e};
    uint32_t lines = count_lines(text), size = 16;
    ir_unit_init(u, a, names);
    if (lines == MAX_LINES)
        return err_set(e, EINVAL, "more than %d lines", MAX_LINES - 1);
    while (size < lines * 2)
        size *= 2;
    p.values = arena_array(a, struct value_name, size);
    p.mask = size - 1;
    int r = collect_names(&p, text);
    while (!r && next_line(&p, &text))
        r = parse_line(&p);
    if (!r && !block_closed(u))
        return err_set(e, EINVAL, u->nblocks ? "the last block has no end" : "no blocks");
    return r;
}
