#include "guest/riscv64/decode.h"

#include <assert.h>
#include <stdlib.h>

#include "base/bits.h"
#include "guest/riscv64/decode_tables.inc" /* generated from riscv64.decode */

static_assert(ARRAY_LEN(rv_rows) == RV_ROW_COUNT, "a row each");
static_assert(ARRAY_LEN(rv_op_rows) == RV_OP_COUNT, "a row each");

bool rv_decode(uint32_t raw, struct rv_insn *out)
{
    /* Unprivileged manual 1.5: low bits 11 start a 32-bit instruction; longer ones we lack. */
    bool wide = (raw & 3) == 3;
    if (!wide)
        raw &= 0xffff;
    *out = (struct rv_insn){.raw = raw, .row = RV_ROW_ILLEGAL, .len = wide ? 4 : 2};
    return rv_match(raw, out);
}

const struct rv_row_info *rv_row(unsigned row)
{
    static const struct rv_row_info none = {"illegal", "", "No instruction.", 0,
                                            0,         0,  RV_OP_ILLEGAL};
    return row < RV_ROW_COUNT ? &rv_rows[row] : &none;
}

const char *rv_op_name(unsigned op)
{
    return rv_row(op < RV_OP_COUNT ? rv_op_rows[op] : RV_ROW_ILLEGAL)->name;
}

static int by_number(const void *key, const void *elem)
{
    unsigned a = *(const unsigned *)key, b = ((const struct rv_name *)elem)->number;
    return (a > b) - (a < b);
}

const char *rv_csr_name(unsigned csr)
{
    const struct rv_name *n =
        bsearch(&csr, rv_names_csr, ARRAY_LEN(rv_names_csr), sizeof *rv_names_csr, by_number);
    return n ? n->name : NULL;
}

/* Text */

static const char x_names[32][5] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static const char f_names[32][5] = {
    "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1",  "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4",  "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

/* Unprivileged manual, chapter F, rounding modes; 5 and 6 are reserved. */
static const char round_names[8][8] = {"rne", "rtz",     "rdn",     "rup",
                                       "rmm", "unknown", "unknown", "dyn"};

/* The constants of fli (unprivileged manual, chapter Zfa), as C's %a would print them. */
static const char fli_names[32][9] = {
    "-0x1p+0", "min",      "0x1p-16",  "0x1p-15",  "0x1p-8",  "0x1p-7",   "0x1p-4",   "0x1p-3",
    "0x1p-2",  "0x1.4p-2", "0x1.8p-2", "0x1.cp-2", "0x1p-1",  "0x1.4p-1", "0x1.8p-1", "0x1.cp-1",
    "0x1p+0",  "0x1.4p+0", "0x1.8p+0", "0x1.cp+0", "0x1p+1",  "0x1.4p+1", "0x1.8p+1", "0x1p+2",
    "0x1p+3",  "0x1p+4",   "0x1p+7",   "0x1p+8",   "0x1p+15", "0x1p+16",  "inf",      "nan",
};

/* The value of a row's field in `raw`, put together from its slices. */
static int64_t field_value(unsigned row, unsigned field, uint32_t raw)
{
    const struct rv_layout *lay = &rv_layouts[row];
    const struct rv_field *f = &rv_fields[field];
    uint64_t v = 0;
    for (unsigned i = 0; i < lay->slices; i++) {
        const struct rv_slice *s = &rv_slices[lay->first_slice + i];
        if (s->field == field)
            v |= bits_get(raw, s->at, s->width) << s->to;
    }
    return f->is_signed ? bits_sext(v, f->width) : (int64_t)v + f->add;
}

/* The sets of fence: i, o, r, w from bit 3 down. */
static void add_fence_set(struct buf *out, unsigned set)
{
    if (!set)
        buf_str(out, "unknown"); /* binutils' word for the empty set */
    for (unsigned i = 0; i < 4; i++)
        if (set & (8u >> i))
            buf_ch(out, "iorw"[i]);
}

static void add_csr(struct buf *out, unsigned csr)
{
    const char *name = rv_csr_name(csr);
    if (name)
        buf_str(out, name);
    else
        buf_fmt(out, "0x%x", csr);
}

static void add_value(struct buf *out, const struct rv_field *f, int64_t v, uint64_t pc)
{
    switch ((enum rv_kind)f->kind) {
    case RV_KIND_X:
        buf_str(out, x_names[v & 31]);
        break;
    case RV_KIND_F:
        buf_str(out, f_names[v & 31]);
        break;
    case RV_KIND_ROUND:
    case RV_KIND_EXACT:
        buf_str(out, round_names[v & 7]);
        break;
    case RV_KIND_ORDER:
    case RV_KIND_DEC:
    case RV_KIND_HINT:
        buf_fmt(out, "%lld", (long long)v);
        break;
    case RV_KIND_HEX:
        buf_fmt(out, "0x%llx", (unsigned long long)v);
        break;
    case RV_KIND_TARGET:
        buf_fmt(out, "0x%llx", (unsigned long long)(pc + (uint64_t)v));
        break;
    case RV_KIND_UPPER:
        buf_fmt(out, "0x%llx", (unsigned long long)bits_get((uint64_t)v, f->low, 20));
        break;
    case RV_KIND_CSR:
        add_csr(out, (unsigned)v);
        break;
    case RV_KIND_IORW:
        add_fence_set(out, (unsigned)v >> f->low);
        break;
    case RV_KIND_FLI:
        buf_str(out, fli_names[v & 31]);
        break;
    }
}

/* Operands that text leaves out when they say nothing: the dynamic rounding
 * mode, any mode where the result is exact, the immediate of c.nop. */
static bool is_silent(const struct rv_field *f, int64_t v)
{
    return (f->kind == RV_KIND_ROUND && v == 7) || (f->kind == RV_KIND_EXACT && v == 0) ||
           (f->kind == RV_KIND_HINT && v == 0);
}

static void add_operands(const struct rv_insn *in, uint64_t pc, struct buf *out)
{
    char gap = ' '; /* what stands before the next operand's first byte, if there is one */
    for (const char *p = rv_layouts[in->row].operands; *p; p++) {
        unsigned ch = (unsigned char)*p;
        if (ch == ',') {
            gap = ',';
            continue;
        }
        unsigned field = ch & 0x7f;
        int64_t v = ch & 0x80 ? field_value(in->row, field, in->raw) : 0;
        if (ch & 0x80 && is_silent(&rv_fields[field], v))
            continue;
        if (gap)
            buf_ch(out, gap);
        gap = 0;
        if (ch & 0x80)
            add_value(out, &rv_fields[field], v, pc);
        else
            buf_ch(out, (char)ch);
    }
}

void rv_format(const struct rv_insn *in, uint64_t pc, struct buf *out)
{
    if (in->row >= RV_ROW_COUNT) {
        buf_fmt(out, in->len == 4 ? ".4byte 0x%x" : ".2byte 0x%x", in->raw);
        return;
    }
    buf_str(out, rv_rows[in->row].name);
    if (in->aq || in->rl)
        buf_fmt(out, ".%s%s", in->aq ? "aq" : "", in->rl ? "rl" : "");
    add_operands(in, pc, out);
}

/* The breakdown */

static void add_bit_range(struct buf *out, unsigned lo, unsigned width)
{
    if (width > 1)
        buf_fmt(out, "%u:%u", lo + width - 1, lo);
    else
        buf_fmt(out, "%u", lo);
}

static void add_binary(struct buf *out, uint32_t v, unsigned width)
{
    while (width--)
        buf_ch(out, v >> width & 1 ? '1' : '0');
}

/* What a value means, where its number does not say it already. */
static void add_meaning(struct buf *out, const struct rv_field *f, int64_t v)
{
    buf_str(out, " (");
    if (f->kind == RV_KIND_TARGET)
        buf_fmt(out, "pc%+lld", (long long)v);
    else if (f->kind == RV_KIND_HEX)
        buf_fmt(out, "%lld", (long long)v);
    else
        add_value(out, f, v, 0);
    buf_ch(out, ')');
}

/* One run of bits; the field's meaning too if the run is all of it. */
static void explain_slice(const struct rv_insn *in, const struct rv_slice *s, struct buf *out)
{
    size_t start = out->len;
    uint32_t v = (uint32_t)bits_get(in->raw, s->at, s->width);
    add_bit_range(out, s->at, s->width);
    while (out->len < start + 6)
        buf_ch(out, ' ');
    if (s->field == RV_SLICE_FIXED || s->field == RV_SLICE_IGNORED) {
        buf_str(out, s->field == RV_SLICE_FIXED ? "fixed = " : "ignored = ");
        add_binary(out, v, s->width);
        buf_ch(out, '\n');
        return;
    }
    const struct rv_field *f = &rv_fields[s->field];
    bool whole = s->width == f->width - f->low;
    buf_str(out, f->name);
    if (!whole || f->low || f->is_signed) {
        buf_ch(out, '[');
        add_bit_range(out, s->to, s->width);
        buf_ch(out, ']');
    }
    buf_fmt(out, " = 0x%0*x", (int)(s->width + 3) / 4, v);
    if (whole)
        add_meaning(out, f, field_value(in->row, s->field, in->raw));
    buf_ch(out, '\n');
}

/* The values of fields that more than one run makes up, each once. */
static void explain_split_fields(const struct rv_insn *in, struct buf *out)
{
    const struct rv_layout *lay = &rv_layouts[in->row];
    unsigned last = RV_SLICE_FIXED;
    for (unsigned i = 0; i < lay->slices; i++) {
        const struct rv_slice *s = &rv_slices[lay->first_slice + i];
        if (s->field >= ARRAY_LEN(rv_fields) || s->field == last)
            continue;
        const struct rv_field *f = &rv_fields[s->field];
        if (s->width == f->width - f->low)
            continue;
        int64_t v = field_value(in->row, s->field, in->raw);
        buf_fmt(out, "      %s = 0x%llx", f->name,
                (unsigned long long)((uint64_t)v & bits_mask(f->width)));
        add_meaning(out, f, v);
        buf_ch(out, '\n');
        last = s->field; /* no row splits two fields */
    }
}

void rv_explain(const struct rv_insn *in, struct buf *out)
{
    if (in->row >= RV_ROW_COUNT) {
        buf_str(out, "no instruction\n");
        return;
    }
    const struct rv_layout *lay = &rv_layouts[in->row];
    for (unsigned i = 0; i < lay->slices; i++)
        explain_slice(in, &rv_slices[lay->first_slice + i], out);
    explain_split_fields(in, out);
    if (in->row != rv_op_rows[in->op])
        buf_fmt(out, "      stands for %s\n", rv_op_name(in->op));
}

/* Random instructions */

static uint64_t next_random(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    return bits_mix(*seed);
}

/* Bits for one slice; all zeros and all ones come up often, since corner cases live there. */
static uint32_t random_slice(const struct rv_slice *s, uint64_t *seed)
{
    uint64_t r = next_random(seed);
    unsigned how = r >> 60;
    uint64_t v = how == 0 ? 0 : how == 1 ? UINT64_MAX : r;
    if (s->field < ARRAY_LEN(rv_fields) && rv_fields[s->field].kind == RV_KIND_ROUND &&
        ((v & 7) == 5 || (v & 7) == 6))
        v = 7; /* modes 5 and 6 are reserved */
    return (uint32_t)bits_get(v, 0, s->width) << s->at;
}

uint32_t rv_random(unsigned row, uint64_t *seed)
{
    if (row >= RV_ROW_COUNT)
        return 0;
    const struct rv_layout *lay = &rv_layouts[row];
    struct rv_insn in;
    uint32_t raw;
    do { /* until the conditions hold and no more special row matches */
        raw = rv_rows[row].match;
        for (unsigned i = 0; i < lay->slices; i++)
            if (rv_slices[lay->first_slice + i].field != RV_SLICE_FIXED)
                raw |= random_slice(&rv_slices[lay->first_slice + i], seed);
        rv_decode(raw, &in);
    } while (in.row != row);
    return raw;
}
