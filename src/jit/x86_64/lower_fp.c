/*
 * lower_fp.c - floating point by SSE2 where it gives RISC-V's bits and flags, else
 * by softfloat out of line.
 *
 * SSE2 agrees but for NaN results (the default NaN instead), rounding modes other
 * than MXCSR's, and integer conversions out of range.
 */
#include "jit/x86_64/emit.h"

/* The scalar prefix: sd or ss. */
static unsigned scalar(enum ir_type t)
{
    return (t == IR_F64 ? PF2 : PF3) | M0F;
}

static void movap(struct emit *e, unsigned dst, unsigned src)
{
    if (dst != src)
        asm_rr(&e->a, M0F, 0x28, dst, src);
}

void hx64_movq_to_vec(struct emit *e, unsigned vec, unsigned reg)
{
    asm_rr(&e->a, W | P66 | M0F, 0x6e, vec, reg);
}

void hx64_movq_from_vec(struct emit *e, unsigned reg, unsigned vec)
{
    asm_rr(&e->a, W | P66 | M0F, 0x7e, vec, reg);
}

/* ucomis: quiet; comis: signalling.  Sets P for unordered, B for below, E for equal. */
static void compare(struct emit *e, enum ir_type t, bool quiet, unsigned a, unsigned b)
{
    asm_rr(&e->a, (t == IR_F64 ? P66 : 0) | M0F, quiet ? 0x2e : 0x2f, a, b);
}

/* ---- the soft path ---- */

static uint32_t new_soft(struct emit *e, const struct ir_insn *in)
{
    struct jit_side *side = &e->j->side;
    struct jit_soft s = {.op = in->op, .type = in->type, .aux = in->aux};
    if (in->arg[0] != IR_NONE)
        s.from = (uint8_t)ir_type_of(e->u, in->arg[0]);
    vec_push(&side->softs, s);
    return (uint32_t)side->softs.len - 1;
}

static bool is_vec(enum ir_type t)
{
    return t == IR_F32 || t == IR_F64;
}

/* Operands into xmm0 to xmm2, where the soft path looks for them. */
static void soft_operands(struct emit *e, const struct ir_insn *in)
{
    for (unsigned k = 0; k < 3 && in->arg[k] != IR_NONE; k++) {
        unsigned r = ra_use(&e->ra, in->arg[k]);
        if (is_vec(ir_type_of(e->u, in->arg[k])))
            movap(e, k, r);
        else
            hx64_movq_to_vec(e, k, r);
    }
}

static bool result_is_vec(const struct ir_insn *in)
{
    return ir_ops[in->op].result < 0 && is_vec(in->type);
}

/* A cold jump to the soft path; operands are in place.  The result goes to dst and on at the
 * place that the caller sets. */
static struct cold *soft_cold(struct emit *e, const struct ir_insn *in, unsigned dst, uint8_t *from)
{
    struct cold *c = hx64_cold(e, COLD_SOFT, from);
    c->index = new_soft(e, in);
    c->reg = (int)dst;
    c->vec = result_is_vec(in);
    c->type = in->type;
    return c;
}

void hx64_lower_soft(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    soft_operands(e, in);
    unsigned dst = ra_def(&e->ra, i);
    struct cold *c = soft_cold(e, in, dst, asm_jmp(&e->a));
    c->back = e->a.p;
}

/* ---- arithmetic ---- */

/* Whether MXCSR has the rounding mode that the operation wants. */
static bool host_rounds(const struct emit *e, const struct ir_insn *in)
{
    return (in->aux & IR_RM) == e->u->fp_rm && e->u->fp_rm < 4;
}

/* A NaN result becomes the default NaN. */
static void canonical(struct emit *e, unsigned dst, enum ir_type t)
{
    compare(e, t, true, dst, dst);
    struct cold *c = hx64_cold(e, COLD_NAN, asm_jcc(&e->a, CC_P));
    c->reg = (int)dst;
    c->type = (uint8_t)t;
    c->back = e->a.p;
}

void hx64_lower_arith(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    static const uint8_t opcode[IR_OP_COUNT] = {
        [IR_fadd] = 0x58, [IR_fmul] = 0x59, [IR_fsub] = 0x5c, [IR_fdiv] = 0x5e, [IR_fsqrt] = 0x51};
    unsigned dst;
    ir_ref a = in->arg[0], b = in->op == IR_fsqrt ? a : in->arg[1];

    if (!host_rounds(e, in)) {
        hx64_lower_soft(e, i, in);
        return;
    }
    int rb = a == b ? (int)ra_use(&e->ra, b) : hx64_source(e, b);
    if (in->op == IR_fsqrt) {
        dst = ra_def(&e->ra, i);
        movap(e, dst, (unsigned)rb);
    } else {
        dst = ra_def_from(&e->ra, i, a);
    }
    hx64_op(e, scalar(in->type), opcode[in->op], dst, b, rb);
    canonical(e, dst, in->type);
}

/* vfmadd231 and kin: xmm0 = +-(xmm1 * xmm2) +- xmm0.  A NaN goes the soft way, because
 * the flags for inf * 0 + NaN differ. */
void hx64_lower_fma(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    static const uint8_t opcode[2][2] = {{0xb9, 0xbb}, {0xbd, 0xbf}};

    if (!e->fma || !host_rounds(e, in)) {
        hx64_lower_soft(e, i, in);
        return;
    }
    unsigned a = ra_use(&e->ra, in->arg[0]), b = ra_use(&e->ra, in->arg[1]);
    unsigned c = ra_use(&e->ra, in->arg[2]);
    unsigned dst = ra_def(&e->ra, i);

    movap(e, dst, c);
    asm_vex38(&e->a, in->type == IR_F64, 1,
              opcode[!!(in->aux & IR_FP_NEG_MUL)][!!(in->aux & IR_FP_NEG_ADD)], dst, a, b);
    compare(e, in->type, true, dst, dst);
    uint8_t *nan = asm_jcc(&e->a, CC_P);
    uint8_t *back = e->a.p;
    uint8_t *over = asm_jmp(&e->a);
    asm_patch_here(&e->a, nan);
    movap(e, 0, a);
    movap(e, 1, b);
    movap(e, 2, c);
    struct cold *cold = soft_cold(e, in, dst, asm_jmp(&e->a));
    cold->back = back;
    asm_patch_here(&e->a, over);
}

/* The smaller or larger one; equal operands (zeros) and NaNs go the soft way. */
void hx64_lower_minmax(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    soft_operands(e, in);
    unsigned dst = ra_def(&e->ra, i);

    movap(e, dst, 0);
    compare(e, in->type, true, 0, 1);
    struct cold *unordered = soft_cold(e, in, dst, asm_jcc(&e->a, CC_P));
    uint32_t index = unordered->index;
    size_t first = e->ncold - 1;
    struct cold *equal = hx64_cold(e, COLD_SOFT, asm_jcc(&e->a, CC_E));
    *equal = (struct cold){.kind = COLD_SOFT,
                           .from = equal->from,
                           .reg = (int)dst,
                           .vec = true,
                           .vec_live = equal->vec_live,
                           .type = in->type,
                           .index = index};
    asm_rr(&e->a, scalar(in->type), in->op == IR_fmin ? 0x5d : 0x5f, dst, 1);
    e->cold[first].back = e->cold[first + 1].back = e->a.p;
}

void hx64_lower_fcmp(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    bool quiet = in->op == IR_feq || in->aux & IR_FP_QUIET;
    unsigned a = ra_use(&e->ra, in->arg[0]), b = ra_use(&e->ra, in->arg[1]);

    if (in->op == IR_feq) { /* equal and ordered */
        compare(e, in->type, quiet, a, b);
        asm_setcc(&e->a, CC_NP, RCX);
        asm_setcc(&e->a, CC_E, RAX);
        asm_alu(&e->a, 0, ALU_AND, RAX, RCX);
    } else { /* a < b is b above a: false when unordered */
        compare(e, in->type, quiet, b, a);
        asm_setcc(&e->a, in->op == IR_flt ? CC_A : CC_AE, RAX);
    }
    asm_rr(&e->a, M0F | RMBYTE, 0xb6, ra_def(&e->ra, i), RAX);
}

/* ---- conversions ---- */

/* The host says "indefinite", the most negative number, for what does not fit. */
void hx64_lower_f2i(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    enum ir_type from = ir_type_of(e->u, in->arg[0]);
    unsigned w = wide(in->type), rm = in->aux & IR_RM;

    if (in->aux & IR_FP_UNSIGNED || (rm != 1 && !host_rounds(e, in))) {
        hx64_lower_soft(e, i, in);
        return;
    }
    soft_operands(e, in);
    unsigned dst = ra_def(&e->ra, i);
    asm_rr(&e->a, scalar(from) | w, rm == 1 ? 0x2c : 0x2d, dst, 0);
    /* cmp dst, 1 overflows for the most negative number only */
    asm_alu_imm(&e->a, w, ALU_CMP, dst, 1);
    struct cold *c = soft_cold(e, in, dst, asm_jcc(&e->a, CC_O));
    c->back = e->a.p;
}

void hx64_lower_i2f(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    enum ir_type from = ir_type_of(e->u, in->arg[0]);
    bool wide_from = from == IR_I64, is_unsigned = in->aux & IR_FP_UNSIGNED;
    bool exact = in->type == IR_F64 && !wide_from;

    if ((is_unsigned && wide_from) || (!exact && !host_rounds(e, in))) {
        hx64_lower_soft(e, i, in);
        return;
    }
    unsigned a = ra_use(&e->ra, in->arg[0]);
    unsigned dst = ra_def(&e->ra, i);
    asm_rr(&e->a, M0F, 0x57, dst, dst); /* xorps: no false dependence */
    if (is_unsigned) {
        asm_mov(&e->a, 0, RAX, a);
        asm_rr(&e->a, scalar(in->type) | W, 0x2a, dst, RAX);
    } else {
        asm_rr(&e->a, scalar(in->type) | (wide_from ? W : 0), 0x2a, dst, a);
    }
}

void hx64_lower_f2f(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    enum ir_type from = ir_type_of(e->u, in->arg[0]);

    if (from == in->type || (in->type == IR_F32 && !host_rounds(e, in))) {
        hx64_lower_soft(e, i, in);
        return;
    }
    unsigned a = ra_use(&e->ra, in->arg[0]);
    unsigned dst = ra_def(&e->ra, i);
    asm_rr(&e->a, scalar(from), 0x5a, dst, a);
    canonical(e, dst, in->type);
}

/* ---- bits ---- */

void hx64_lower_bits(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    bool from = is_vec(ir_type_of(e->u, in->arg[0])), to = is_vec(in->type);
    unsigned a = ra_use(&e->ra, in->arg[0]);
    unsigned dst = ra_def(&e->ra, i);

    if (from && to)
        movap(e, dst, a);
    else if (to)
        hx64_movq_to_vec(e, dst, a);
    else if (from)
        hx64_movq_from_vec(e, dst, a);
    else
        asm_mov(&e->a, W, dst, a);
}

void hx64_lower_fbox(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    unsigned a = ra_use(&e->ra, in->arg[0]);
    unsigned dst = ra_def(&e->ra, i);

    hx64_movq_from_vec(e, RAX, a);
    asm_mov(&e->a, 0, RAX, RAX);
    asm_imm(&e->a, RCX, UINT64_C(0xffffffff00000000));
    asm_alu(&e->a, W, ALU_OR, RAX, RCX);
    hx64_movq_to_vec(e, dst, RAX);
}

void hx64_lower_funbox(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    unsigned a = ra_use(&e->ra, in->arg[0]);
    unsigned dst = ra_def(&e->ra, i);

    hx64_movq_from_vec(e, RAX, a);
    movap(e, dst, a);
    asm_shift_imm(&e->a, W, SH_SAR, RAX, 32);
    asm_alu_imm(&e->a, 0, ALU_CMP, RAX, -1);
    struct cold *c = hx64_cold(e, COLD_NAN, asm_jcc(&e->a, CC_NE));
    c->reg = (int)dst;
    c->type = IR_F32;
    c->back = e->a.p;
}
