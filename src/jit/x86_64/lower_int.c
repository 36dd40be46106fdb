/* lower_int.c - integers, comparisons, selection. */
#include "jit/x86_64/emit.h"

bool hx64_imm32(struct emit *e, ir_ref v, unsigned w, int32_t *imm)
{
    uint64_t c;

    if (!ra_const(&e->ra, v, &c))
        return false;
    *imm = (int32_t)c;
    return !w || asm_fits32(c);
}

/* Whether one instruction uses v: it is `op`, of the same block. */
static bool used_once_by(const struct emit *e, ir_ref v, enum ir_op op)
{
    const struct ir_life *life = &e->ra.lives[v];

    return life->uses == 1 && e->u->insns[life->last].op == op &&
           v >= e->u->blocks[e->block].first && life->last < e->u->blocks[e->block].end;
}

/* ---- two-operand arithmetic ---- */

struct alu_row {
    uint8_t alu;
    bool commutes;
};
static const struct alu_row alu_rows[IR_OP_COUNT] = {
    [IR_add] = {ALU_ADD, true}, [IR_sub] = {ALU_SUB, false}, [IR_and] = {ALU_AND, true},
    [IR_or] = {ALU_OR, true},   [IR_xor] = {ALU_XOR, true},
};

/* dst = a + imm or a + b without a copy of a. */
static bool add_by_lea(struct emit *e, ir_ref i, const struct ir_insn *in, unsigned w)
{
    int32_t imm;
    uint64_t c;

    if (in->op != IR_add || ra_dies(&e->ra, in->arg[0]) || ra_const(&e->ra, in->arg[0], &c))
        return false;
    if (hx64_imm32(e, in->arg[1], w, &imm)) {
        unsigned a = ra_use(&e->ra, in->arg[0]);
        asm_lea(&e->a, w, ra_def(&e->ra, i), asm_at(a, imm));
        return true;
    }
    if (ra_const(&e->ra, in->arg[1], &c) || ra_dies(&e->ra, in->arg[1]))
        return false;
    unsigned a = ra_use(&e->ra, in->arg[0]), b = ra_use(&e->ra, in->arg[1]);
    asm_lea(&e->a, w, ra_def(&e->ra, i), asm_at2(a, b, 0));
    return true;
}

/* Whether v, the operand n of an addition, is a shift that the addition does as well: what it is of
 * and by how much. */
static bool scaled(const struct emit *e, ir_ref v, ir_ref *of, uint64_t *by)
{
    const struct ir_insn *in = &e->u->insns[v];

    if (in->op != IR_shl || in->type != IR_I64 || !ra_const(&e->ra, in->arg[1], by))
        return false;
    *of = in->arg[0];
    return *by - 1 < 3 && used_once_by(e, v, IR_add);
}

/* The operand of an addition that is `scaled`, or 2: only one can be. */
static unsigned scaled_operand(const struct emit *e, const struct ir_insn *in, ir_ref *of,
                               uint64_t *by)
{
    unsigned n = in->op == IR_add && in->type == IR_I64 ? 0 : 2;

    while (n < 2 && !scaled(e, in->arg[n], of, by))
        n++;
    return n;
}

static bool add_scaled(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    uint64_t by;
    ir_ref of;
    unsigned n = scaled_operand(e, in, &of, &by);

    if (n == 2)
        return false;
    struct asm_mem sum = asm_at2(ra_use(&e->ra, in->arg[!n]), ra_use(&e->ra, of), 0);
    sum.scale = (uint8_t)by;
    asm_lea(&e->a, W, ra_def(&e->ra, i), sum);
    ra_done(&e->ra, of);
    return true;
}

void hx64_lower_alu(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    const struct alu_row *row = &alu_rows[in->op];
    unsigned w = wide(in->type);
    ir_ref a = in->arg[0], b = in->arg[1];
    int32_t imm;
    uint64_t c;

    if (add_scaled(e, i, in) || add_by_lea(e, i, in, w))
        return;
    if (row->commutes && (ra_const(&e->ra, a, &c) || (!ra_const(&e->ra, b, &c) &&
                                                      !ra_dies(&e->ra, a) && ra_dies(&e->ra, b)))) {
        a = in->arg[1];
        b = in->arg[0];
    }
    if (hx64_imm32(e, b, w, &imm)) {
        unsigned dst = ra_def_from(&e->ra, i, a);
        asm_alu_imm(&e->a, w, row->alu, dst, imm);
        return;
    }
    int rb = a == b ? (int)ra_use(&e->ra, b) : hx64_source(e, b);
    unsigned dst = ra_def_from(&e->ra, i, a);
    hx64_op(e, w, row->alu << 3 | 3, dst, b, rb);
}

void hx64_lower_mul(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    unsigned w = wide(in->type);
    int32_t imm;

    if (hx64_imm32(e, in->arg[1], w, &imm)) {
        int a = hx64_source(e, in->arg[0]);
        hx64_op(e, w, 0x69, ra_def(&e->ra, i), in->arg[0], a);
        asm_u32(&e->a, (uint32_t)imm);
        return;
    }
    ir_ref a = in->arg[0], b = in->arg[1];
    int rb = a == b ? (int)ra_use(&e->ra, b) : hx64_source(e, b);
    unsigned dst = ra_def_from(&e->ra, i, a);
    hx64_op(e, w | M0F, 0xaf, dst, b, rb);
}

void hx64_lower_mulh(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    unsigned a = ra_use(&e->ra, in->arg[0]), b = ra_use(&e->ra, in->arg[1]);

    asm_mov(&e->a, W, RAX, a);
    asm_rr(&e->a, W, 0xf7, in->op == IR_mulhs ? 5 : 4, b);
    asm_mov(&e->a, W, ra_def(&e->ra, i), RDX);
}

/* The host traps on what the IR defines: x / 0 and the most negative / -1. */
void hx64_lower_div(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    unsigned w = wide(in->type);
    bool is_signed = in->op == IR_divs || in->op == IR_rems;
    bool quotient = in->op == IR_divs || in->op == IR_divu;
    unsigned a = ra_use(&e->ra, in->arg[0]), b = ra_use(&e->ra, in->arg[1]);
    uint8_t *minus_one = NULL, *done[2];

    asm_mov(&e->a, w, RAX, a);
    asm_rr(&e->a, w, 0x85, b, b);
    uint8_t *zero = asm_jcc(&e->a, CC_E);
    if (is_signed) {
        asm_alu_imm(&e->a, w, ALU_CMP, b, -1);
        minus_one = asm_jcc(&e->a, CC_E);
        if (w)
            asm_u8(&e->a, 0x48);
        asm_u8(&e->a, 0x99); /* cdq, cqo */
    } else {
        asm_alu(&e->a, 0, ALU_XOR, RDX, RDX);
    }
    asm_rr(&e->a, w, 0xf7, is_signed ? 7 : 6, b);
    done[0] = asm_jmp(&e->a);
    asm_patch_here(&e->a, zero);
    asm_mov(&e->a, w, RDX, RAX);
    asm_rr(&e->a, W, 0xc7, 0, RAX);
    asm_u32(&e->a, UINT32_MAX);
    if (is_signed) {
        done[1] = asm_jmp(&e->a);
        asm_patch_here(&e->a, minus_one);
        asm_rr(&e->a, w, 0xf7, 3, RAX); /* neg */
        asm_alu(&e->a, 0, ALU_XOR, RDX, RDX);
        asm_patch_here(&e->a, done[1]);
    }
    asm_patch_here(&e->a, done[0]);
    asm_mov(&e->a, w, ra_def(&e->ra, i), quotient ? RAX : RDX);
}

/* ---- shifts ---- */

struct shift_row {
    uint8_t digit;  /* of opcodes C1 and D3 */
    uint8_t bmi_pp; /* prefix of shlx, shrx, sarx; 0: none */
};
static const struct shift_row shift_rows[IR_OP_COUNT] = {
    [IR_shl] = {SH_SHL, 1},  [IR_shr] = {SH_SHR, 3},  [IR_sar] = {SH_SAR, 2},
    [IR_rotl] = {SH_ROL, 0}, [IR_rotr] = {SH_ROR, 0},
};

/* A rotation by a constant that keeps its operand. */
static bool rotate_by_copy(struct emit *e, ir_ref i, const struct ir_insn *in, unsigned w,
                           uint64_t count)
{
    if ((in->op != IR_rotl && in->op != IR_rotr) || ra_dies(&e->ra, in->arg[0]))
        return false;
    unsigned a = ra_use(&e->ra, in->arg[0]);
    asm_rorx(&e->a, w, ra_def(&e->ra, i), a,
             (unsigned)(in->op == IR_rotl ? -count : count) & (w ? 63 : 31));
    return true;
}

/* Leaves a shift to the addition that alone uses it. */
static bool shift_later(struct emit *e, ir_ref i)
{
    ir_ref user = e->ra.lives[i].last, of;
    uint64_t by;

    if (!scaled(e, i, &of, &by))
        return false;
    const struct ir_insn *sum = &e->u->insns[user];
    unsigned n = scaled_operand(e, sum, &of, &by);
    if (n == 2 || sum->arg[n] != i)
        return false;
    ra_extend(&e->ra, of, user);
    return true;
}

void hx64_lower_shift(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    const struct shift_row *row = &shift_rows[in->op];
    unsigned w = wide(in->type);
    uint64_t count;

    if (shift_later(e, i))
        return;
    if (ra_const(&e->ra, in->arg[1], &count)) {
        if (rotate_by_copy(e, i, in, w, count))
            return;
        unsigned dst = ra_def_from(&e->ra, i, in->arg[0]);
        asm_shift_imm(&e->a, w, row->digit, dst, count & (w ? 63 : 31));
        return;
    }
    unsigned n = ra_use(&e->ra, in->arg[1]);
    if (row->bmi_pp) {
        unsigned a = ra_use(&e->ra, in->arg[0]);
        asm_vex38(&e->a, w, row->bmi_pp, 0xf7, ra_def(&e->ra, i), n, a);
        return;
    }
    asm_mov(&e->a, 0, RCX, n);
    unsigned dst = ra_def_from(&e->ra, i, in->arg[0]);
    asm_rr(&e->a, w, 0xd3, row->digit, dst);
}

/* ---- one operand ---- */

struct unary_row {
    uint16_t flags, opcode;
    bool own_width; /* REX.W by the type; else flags say it */
};
static const struct unary_row unary_rows[IR_OP_COUNT] = {
    [IR_clz] = {PF3 | M0F, 0xbd, true},       [IR_ctz] = {PF3 | M0F, 0xbc, true},
    [IR_popcnt] = {PF3 | M0F, 0xb8, true},    [IR_sext8] = {M0F | RMBYTE, 0xbe, true},
    [IR_sext16] = {M0F, 0xbf, true},          [IR_sext32] = {W, 0x63, false},
    [IR_zext8] = {M0F | RMBYTE, 0xb6, false}, [IR_zext16] = {M0F, 0xb7, false},
    [IR_zext32] = {0, 0x8b, false},
};

void hx64_lower_unary(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    const struct unary_row *row = &unary_rows[in->op];
    int a = hx64_source(e, in->arg[0]);

    hx64_op(e, row->flags | (row->own_width ? wide(in->type) : 0), row->opcode, ra_def(&e->ra, i),
            in->arg[0], a);
}

void hx64_lower_bswap(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    unsigned dst = ra_def_from(&e->ra, i, in->arg[0]);
    unsigned rex = (in->type == IR_I64 ? 8u : 0) | dst >> 3;

    if (rex)
        asm_u8(&e->a, 0x40 | rex);
    asm_u8(&e->a, 0x0f);
    asm_u8(&e->a, 0xc8 | (dst & 7));
}

/* ---- comparisons ---- */

static const uint8_t cmp_cc[IR_OP_COUNT] = {
    [IR_eq] = CC_E,   [IR_ne] = CC_NE, [IR_lts] = CC_L,
    [IR_ges] = CC_GE, [IR_ltu] = CC_B, [IR_geu] = CC_AE,
};

bool hx64_fused(const struct emit *e, ir_ref v)
{
    const struct ir_insn *in = &e->u->insns[v], *user = &e->u->insns[e->ra.lives[v].last];

    return in->op >= IR_eq && in->op <= IR_geu &&
           (used_once_by(e, v, IR_brif) || used_once_by(e, v, IR_select)) && user->arg[0] == v;
}

unsigned hx64_compare(struct emit *e, ir_ref cmp)
{
    const struct ir_insn *in = &e->u->insns[cmp];
    unsigned w = wide(in->type);
    int32_t imm;

    unsigned a = ra_use(&e->ra, in->arg[0]);
    if (hx64_imm32(e, in->arg[1], w, &imm)) {
        if (imm == 0 && (in->op == IR_eq || in->op == IR_ne))
            asm_rr(&e->a, w, 0x85, a, a);
        else
            asm_alu_imm(&e->a, w, ALU_CMP, a, imm);
    } else {
        hx64_op(e, w, ALU_CMP << 3 | 3, a, in->arg[1], hx64_source(e, in->arg[1]));
    }
    return cmp_cc[in->op];
}

void hx64_lower_cmp(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    if (hx64_fused(e, i)) { /* its operands are wanted there */
        ra_extend(&e->ra, in->arg[0], e->ra.lives[i].last);
        ra_extend(&e->ra, in->arg[1], e->ra.lives[i].last);
        return;
    }
    unsigned cc = hx64_compare(e, i);
    asm_setcc(&e->a, cc, RAX);
    asm_rr(&e->a, M0F | RMBYTE, 0xb6, ra_def(&e->ra, i), RAX);
}

unsigned hx64_test_condition(struct emit *e, ir_ref cond)
{
    if (hx64_fused(e, cond))
        return hx64_compare(e, cond);
    unsigned c = ra_use(&e->ra, cond);
    asm_rr(&e->a, W, 0x85, c, c);
    return CC_NE;
}

void hx64_use_condition(struct emit *e, ir_ref cond)
{
    int32_t imm;

    if (!hx64_fused(e, cond)) {
        ra_use(&e->ra, cond);
        return;
    }
    const struct ir_insn *in = &e->u->insns[cond];
    ra_use(&e->ra, in->arg[0]);
    if (!hx64_imm32(e, in->arg[1], wide(in->type), &imm))
        hx64_source(e, in->arg[1]);
}

/* Vectors: a branch around a move. */
static void select_vec(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    hx64_use_condition(e, in->arg[0]);
    unsigned a = ra_use(&e->ra, in->arg[1]);
    unsigned b = ra_use(&e->ra, in->arg[2]);
    unsigned dst = ra_def(&e->ra, i);
    unsigned cc = hx64_test_condition(e, in->arg[0]);

    asm_rr(&e->a, M0F, 0x28, dst, a); /* movaps */
    uint8_t *over = asm_jcc(&e->a, cc);
    asm_rr(&e->a, M0F, 0x28, dst, b);
    asm_patch_here(&e->a, over);
}

void hx64_lower_select(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    if (in->type == IR_F32 || in->type == IR_F64) {
        select_vec(e, i, in);
        return;
    }
    hx64_use_condition(e, in->arg[0]);
    unsigned a = ra_use(&e->ra, in->arg[1]);
    unsigned b = ra_use(&e->ra, in->arg[2]);
    unsigned dst = ra_def(&e->ra, i); /* its own: operands of the comparison may die here */
    asm_mov(&e->a, wide(in->type), dst, b);
    unsigned cc = hx64_test_condition(e, in->arg[0]);
    asm_rr(&e->a, wide(in->type) | M0F, 0x40 | cc, dst, a);
}

void hx64_lower_copy(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    ra_def_from(&e->ra, i, in->arg[0]);
}
