#include "guest/riscv64/lift.h"

#include <strings.h>

#include "base/bits.h"
#include "cpu/debug.h"
#include "softfloat/softfloat.h"

/* The longest unit, whatever an engine asks for. */
enum { MAX_INSNS = 64 };

ir_ref rv_lift_x(struct rv_lift *l, unsigned n)
{
    return n ? ir_get(l->u, RV_SLOT_X + n) : ir_const(l->u, IR_I64, 0);
}

void rv_lift_put_x(struct rv_lift *l, ir_ref value)
{
    if (l->in.rd)
        ir_put(l->u, RV_SLOT_X + l->in.rd, value);
}

ir_ref rv_lift_min(struct rv_lift *l, enum ir_op less, enum ir_type type, bool max, ir_ref a,
                   ir_ref b)
{
    ir_ref cond = ir_bin(l->u, less, type, a, b);
    return ir_select(l->u, IR_I64, cond, max ? b : a, max ? a : b);
}

unsigned rv_lift_mo(const struct rv_lift *l, unsigned mo)
{
    unsigned mode = l->context >> RV_CTX_DATA_SHIFT & 3;
    return (mo & bits_mask(IR_MO_MODE_SHIFT)) | mode << IR_MO_MODE_SHIFT;
}

void rv_lift_goto(struct rv_lift *l, uint64_t target)
{
    ir_exit_pc(l->u, target);
    l->ended = true;
}

void rv_lift_leave(struct rv_lift *l)
{
    ir_exit_loop(l->u);
    l->ended = true;
}

void rv_lift_leave_at_next(struct rv_lift *l)
{
    ir_put(l->u, RV_SLOT_PC, ir_const(l->u, IR_I64, rv_lift_next(l)));
    rv_lift_leave(l);
}

void rv_lift_raise(struct rv_lift *l, uint64_t cause, uint64_t tval)
{
    ir_call(l->u, RV_HELPER_raise, ir_const(l->u, IR_I64, cause), ir_const(l->u, IR_I64, tval),
            IR_NONE);
    rv_lift_leave(l);
}

RV_LIFT_RULE(illegal)
{
    (void)r;
    rv_lift_raise(l, RV_CAUSE_ILLEGAL, l->in.raw);
}

/* ---- the rules ---- */

/* clang-format off */
#define RULE(name, fn, ir, t, x) \
    [RV_OP_##name] = {rv_lift_##fn, IR_##ir, IR_##t, (x)},
#define CALL(name, fn, helper) [RV_OP_##name] = {rv_lift_##fn, RV_HELPER_##helper, 0, 0},
#define PLAIN(name, fn, x) [RV_OP_##name] = {rv_lift_##fn, 0, IR_I64, (x)},
/* Atomics and floating point in both widths. */
#define ATOMIC(name, fn, ir, x) \
    RULE(name##_W, fn, ir, I32, IR_MO_32 | IR_MO_SIGN | (x)) \
    RULE(name##_D, fn, ir, I64, IR_MO_64 | (x))
#define FLOAT(name, fn, ir, x) \
    RULE(name##_S, fn, ir, F32, x) \
    RULE(name##_D, fn, ir, F64, x)

enum {
    IMM = RV_RULE_IMM, NOT = RV_RULE_NOT, UW = RV_RULE_UW, MAX = RV_RULE_MAX,
    SHIFT1 = 1 << RV_RULE_SHIFT, SHIFT2 = 2 << RV_RULE_SHIFT, SHIFT3 = 3 << RV_RULE_SHIFT,
    RM = RV_RULE_RM, DOUBLE = RV_RULE_DOUBLE, NEG = RV_RULE_NEG, XOR = RV_RULE_XOR,
    ZIMM = RV_RULE_ZIMM,
};

static const struct rv_rule rules[RV_OP_COUNT] = {
    PLAIN(ILLEGAL, illegal, 0)

    /* Integers. */
    PLAIN(LUI, lui, 0)
    PLAIN(AUIPC, auipc, 0)
    RULE(ADD, binary, add, I64, 0)
    RULE(SUB, binary, sub, I64, 0)
    RULE(SLL, binary, shl, I64, 0)
    RULE(SLT, binary, lts, I64, 0)
    RULE(SLTU, binary, ltu, I64, 0)
    RULE(XOR, binary, xor, I64, 0)
    RULE(SRL, binary, shr, I64, 0)
    RULE(SRA, binary, sar, I64, 0)
    RULE(OR, binary, or, I64, 0)
    RULE(AND, binary, and, I64, 0)
    RULE(ADDI, binary, add, I64, IMM)
    RULE(SLTI, binary, lts, I64, IMM)
    RULE(SLTIU, binary, ltu, I64, IMM)
    RULE(XORI, binary, xor, I64, IMM)
    RULE(ORI, binary, or, I64, IMM)
    RULE(ANDI, binary, and, I64, IMM)
    RULE(SLLI, binary, shl, I64, IMM)
    RULE(SRLI, binary, shr, I64, IMM)
    RULE(SRAI, binary, sar, I64, IMM)
    RULE(ADDW, binary, add, I32, 0)
    RULE(SUBW, binary, sub, I32, 0)
    RULE(SLLW, binary, shl, I32, 0)
    RULE(SRLW, binary, shr, I32, 0)
    RULE(SRAW, binary, sar, I32, 0)
    RULE(ADDIW, binary, add, I32, IMM)
    RULE(SLLIW, binary, shl, I32, IMM)
    RULE(SRLIW, binary, shr, I32, IMM)
    RULE(SRAIW, binary, sar, I32, IMM)
    RULE(MUL, binary, mul, I64, 0)
    RULE(MULH, binary, mulhs, I64, 0)
    PLAIN(MULHSU, mulhsu, 0)
    RULE(MULHU, binary, mulhu, I64, 0)
    RULE(DIV, binary, divs, I64, 0)
    RULE(DIVU, binary, divu, I64, 0)
    RULE(REM, binary, rems, I64, 0)
    RULE(REMU, binary, remu, I64, 0)
    RULE(MULW, binary, mul, I32, 0)
    RULE(DIVW, binary, divs, I32, 0)
    RULE(DIVUW, binary, divu, I32, 0)
    RULE(REMW, binary, rems, I32, 0)
    RULE(REMUW, binary, remu, I32, 0)

    /* Zba, Zbb, Zbs, Zbc, Zicond. */
    RULE(ADD_UW, binary, add, I64, UW)
    RULE(SH1ADD, binary, add, I64, SHIFT1)
    RULE(SH2ADD, binary, add, I64, SHIFT2)
    RULE(SH3ADD, binary, add, I64, SHIFT3)
    RULE(SH1ADD_UW, binary, add, I64, SHIFT1 | UW)
    RULE(SH2ADD_UW, binary, add, I64, SHIFT2 | UW)
    RULE(SH3ADD_UW, binary, add, I64, SHIFT3 | UW)
    RULE(SLLI_UW, binary, shl, I64, IMM | UW)
    RULE(ANDN, binary, and, I64, NOT)
    RULE(ORN, binary, or, I64, NOT)
    RULE(XNOR, binary, xor, I64, NOT)
    RULE(CLZ, unary, clz, I64, 0)
    RULE(CTZ, unary, ctz, I64, 0)
    RULE(CPOP, unary, popcnt, I64, 0)
    RULE(CLZW, unary, clz, I32, 0)
    RULE(CTZW, unary, ctz, I32, 0)
    RULE(CPOPW, unary, popcnt, I32, 0)
    RULE(MAX, minmax, lts, I64, MAX)
    RULE(MAXU, minmax, ltu, I64, MAX)
    RULE(MIN, minmax, lts, I64, 0)
    RULE(MINU, minmax, ltu, I64, 0)
    RULE(SEXT_B, unary, sext8, I64, 0)
    RULE(SEXT_H, unary, sext16, I64, 0)
    RULE(ZEXT_H, unary, zext16, I64, 0)
    RULE(ROL, binary, rotl, I64, 0)
    RULE(ROR, binary, rotr, I64, 0)
    RULE(RORI, binary, rotr, I64, IMM)
    RULE(ROLW, binary, rotl, I32, 0)
    RULE(RORW, binary, rotr, I32, 0)
    RULE(RORIW, binary, rotr, I32, IMM)
    RULE(REV8, unary, bswap, I64, 0)
    CALL(ORC_B, pure, orc_b)
    CALL(CLMUL, pure, clmul)
    CALL(CLMULH, pure, clmulh)
    CALL(CLMULR, pure, clmulr)
    RULE(BCLR, bit, and, I64, NOT)
    RULE(BINV, bit, xor, I64, 0)
    RULE(BSET, bit, or, I64, 0)
    RULE(BCLRI, bit, and, I64, NOT | IMM)
    RULE(BINVI, bit, xor, I64, IMM)
    RULE(BSETI, bit, or, I64, IMM)
    PLAIN(BEXT, bext, 0)
    PLAIN(BEXTI, bext, IMM)
    PLAIN(CZERO_EQZ, czero, 0)
    PLAIN(CZERO_NEZ, czero, MAX)

    /* Jumps and branches. */
    PLAIN(JAL, jal, 0)
    PLAIN(JALR, jalr, 0)
    RULE(BEQ, branch, eq, I64, 0)
    RULE(BNE, branch, ne, I64, 0)
    RULE(BLT, branch, lts, I64, 0)
    RULE(BGE, branch, ges, I64, 0)
    RULE(BLTU, branch, ltu, I64, 0)
    RULE(BGEU, branch, geu, I64, 0)

    /* Memory. */
    PLAIN(LB, load, IR_MO_8 | IR_MO_SIGN)
    PLAIN(LH, load, IR_MO_16 | IR_MO_SIGN)
    PLAIN(LW, load, IR_MO_32 | IR_MO_SIGN)
    PLAIN(LD, load, IR_MO_64)
    PLAIN(LBU, load, IR_MO_8)
    PLAIN(LHU, load, IR_MO_16)
    PLAIN(LWU, load, IR_MO_32)
    PLAIN(SB, store, IR_MO_8)
    PLAIN(SH, store, IR_MO_16)
    PLAIN(SW, store, IR_MO_32)
    PLAIN(SD, store, IR_MO_64)
    PLAIN(LR_W, load_reserved, IR_MO_32 | IR_MO_SIGN)
    PLAIN(LR_D, load_reserved, IR_MO_64)
    PLAIN(SC_W, store_conditional, IR_MO_32)
    PLAIN(SC_D, store_conditional, IR_MO_64)
    ATOMIC(AMOSWAP, amo_swap, nop, 0)
    ATOMIC(AMOADD, amo_binary, add, 0)
    ATOMIC(AMOXOR, amo_binary, xor, 0)
    ATOMIC(AMOAND, amo_binary, and, 0)
    ATOMIC(AMOOR, amo_binary, or, 0)
    ATOMIC(AMOMIN, amo_minmax, lts, 0)
    ATOMIC(AMOMAX, amo_minmax, lts, RV_RULE_AMO_MAX)
    ATOMIC(AMOMINU, amo_minmax, ltu, 0)
    ATOMIC(AMOMAXU, amo_minmax, ltu, RV_RULE_AMO_MAX)
    PLAIN(CBO_INVAL, cbo, 0)
    PLAIN(CBO_CLEAN, cbo, 0)
    PLAIN(CBO_FLUSH, cbo, 0)
    PLAIN(CBO_ZERO, cbo_zero, 0)

    /* Floating point. */
    RULE(FLW, fp_load, load, F32, 0)
    RULE(FLD, fp_load, load, F64, 0)
    RULE(FSW, fp_store, store, F32, 0)
    RULE(FSD, fp_store, store, F64, 0)
    FLOAT(FMADD, fp_arith, fma, RM)
    FLOAT(FMSUB, fp_arith, fma, RM | IR_FP_NEG_ADD)
    FLOAT(FNMSUB, fp_arith, fma, RM | IR_FP_NEG_MUL)
    FLOAT(FNMADD, fp_arith, fma, RM | IR_FP_NEG_MUL | IR_FP_NEG_ADD)
    FLOAT(FADD, fp_arith, fadd, RM)
    FLOAT(FSUB, fp_arith, fsub, RM)
    FLOAT(FMUL, fp_arith, fmul, RM)
    FLOAT(FDIV, fp_arith, fdiv, RM)
    FLOAT(FSQRT, fp_arith, fsqrt, RM)
    FLOAT(FSGNJ, fp_sign, nop, 0)
    FLOAT(FSGNJN, fp_sign, nop, NEG)
    FLOAT(FSGNJX, fp_sign, nop, XOR)
    FLOAT(FMIN, fp_arith, fmin, 0)
    FLOAT(FMAX, fp_arith, fmax, 0)
    FLOAT(FEQ, fp_compare, feq, 0)
    FLOAT(FLT, fp_compare, flt, 0)
    FLOAT(FLE, fp_compare, fle, 0)
    RULE(FCVT_W_S, fp_to_int, f2i, I32, RM)
    RULE(FCVT_WU_S, fp_to_int, f2i, I32, RM | IR_FP_UNSIGNED)
    RULE(FCVT_L_S, fp_to_int, f2i, I64, RM)
    RULE(FCVT_LU_S, fp_to_int, f2i, I64, RM | IR_FP_UNSIGNED)
    RULE(FCVT_W_D, fp_to_int, f2i, I32, RM | DOUBLE)
    RULE(FCVT_WU_D, fp_to_int, f2i, I32, RM | DOUBLE | IR_FP_UNSIGNED)
    RULE(FCVT_L_D, fp_to_int, f2i, I64, RM | DOUBLE)
    RULE(FCVT_LU_D, fp_to_int, f2i, I64, RM | DOUBLE | IR_FP_UNSIGNED)
    RULE(FCVT_S_W, fp_from_int, sext32, F32, RM)
    RULE(FCVT_S_WU, fp_from_int, zext32, F32, RM)
    RULE(FCVT_S_L, fp_from_int, copy, F32, RM)
    RULE(FCVT_S_LU, fp_from_int, copy, F32, RM | IR_FP_UNSIGNED)
    RULE(FCVT_D_W, fp_from_int, sext32, F64, RM)
    RULE(FCVT_D_WU, fp_from_int, zext32, F64, RM)
    RULE(FCVT_D_L, fp_from_int, copy, F64, RM)
    RULE(FCVT_D_LU, fp_from_int, copy, F64, RM | IR_FP_UNSIGNED)
    RULE(FCVT_S_D, fp_convert, f2f, F32, RM | DOUBLE)
    RULE(FCVT_D_S, fp_convert, f2f, F64, RM)
    [RV_OP_FCLASS_S] = {rv_lift_fp_class, RV_HELPER_fclass32, IR_F32, 0},
    [RV_OP_FCLASS_D] = {rv_lift_fp_class, RV_HELPER_fclass64, IR_F64, 0},
    RULE(FMV_X_W, fp_to_x, bits, F32, 0)
    RULE(FMV_X_D, fp_to_x, bits, F64, 0)
    RULE(FMV_W_X, fp_from_x, bits, F32, 0)
    RULE(FMV_D_X, fp_from_x, bits, F64, 0)
    FLOAT(FLI, fp_constant, const, 0)
    FLOAT(FMINM, fp_arith, fmin, IR_FP_NAN)
    FLOAT(FMAXM, fp_arith, fmax, IR_FP_NAN)
    FLOAT(FROUND, fp_arith, fround, RM)
    FLOAT(FROUNDNX, fp_arith, fround, RM | IR_FP_EXACT)
    FLOAT(FLEQ, fp_compare, fle, IR_FP_QUIET)
    FLOAT(FLTQ, fp_compare, flt, IR_FP_QUIET)
    PLAIN(FCVTMOD_W_D, fp_modular, 0)

    /* System.  Fences, hints and waits on a reservation have nothing to do: accesses happen in
     * order, and waits may end at any time (unpriv 15). */
    PLAIN(FENCE, nop, 0)
    PLAIN(FENCE_TSO, nop, 0)
    PLAIN(PAUSE, nop, 0)
    PLAIN(PREFETCH_I, nop, 0)
    PLAIN(PREFETCH_R, nop, 0)
    PLAIN(PREFETCH_W, nop, 0)
    PLAIN(WRS_NTO, nop, 0)
    PLAIN(WRS_STO, nop, 0)
    PLAIN(FENCE_I, fence_i, 0)
    PLAIN(CSRRW, csr, RV_CSR_RW)
    PLAIN(CSRRS, csr, RV_CSR_RS)
    PLAIN(CSRRC, csr, RV_CSR_RC)
    PLAIN(CSRRWI, csr, RV_CSR_RW | ZIMM)
    PLAIN(CSRRSI, csr, RV_CSR_RS | ZIMM)
    PLAIN(CSRRCI, csr, RV_CSR_RC | ZIMM)
    PLAIN(EBREAK, ebreak, 0)
    CALL(ECALL, call_leave, ecall)
    CALL(MRET, call_leave, mret)
    CALL(SRET, call_leave, sret)
    CALL(WFI, call_next, wfi)
    CALL(SFENCE_VMA, call_next, sfence)
    CALL(SINVAL_VMA, call_next, sfence)
    PLAIN(SFENCE_W_INVAL, supervisor, 0)
    PLAIN(SFENCE_INVAL_IR, supervisor, 0)
};
/* clang-format on */

/* ---- extensions ---- */

/* The extensions that bring instructions. */
#define EXT_INSNS                                                                                  \
    (RV_EXT(A) | RV_EXT(C) | RV_EXT(F) | RV_EXT(D) | RV_EXT(ZBA) | RV_EXT(ZBB) | RV_EXT(ZBS) |     \
     RV_EXT(ZBC) | RV_EXT(ZICOND) | RV_EXT(ZICBOM) | RV_EXT(ZICBOZ) | RV_EXT(ZAWRS) |              \
     RV_EXT(ZFA) | RV_EXT(ZCB) | RV_EXT(SVINVAL))

/* The bit of an extension as the decode table calls it; 0 for one that is always there (or, as
 * prefetches, means nothing). */
static uint32_t ext_bit(const char *name)
{
    static const char *const names[] = {
#define RV_X(id, text) text,
        RV_EXTENSIONS(RV_X)
#undef RV_X
    };
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (!strcasecmp(name, names[i]))
            return BIT(i) & EXT_INSNS;
    return 0;
}

/* A row that stands for another's operation needs that one's extension too: c.fld needs D. */
static uint32_t ext_needed(unsigned row)
{
    const struct rv_row_info *info = rv_row(row);
    uint32_t need = ext_bit(info->extension);
    for (unsigned i = 0; i < RV_ROW_COUNT; i++) {
        const struct rv_row_info *base = rv_row(i);
        if (base->op == info->op && !strcmp(base->name, rv_op_name(info->op)))
            need |= ext_bit(base->extension);
    }
    return need;
}

/* Whether the hart has the instruction. */
static bool is_present(const struct rv_lift *l)
{
    if ((l->h->ext & EXT_INSNS) == EXT_INSNS)
        return true;
    return !(ext_needed(l->in.row) & ~l->h->ext);
}

/* ---- units ---- */

/* The bits of the instruction at an offset, which is below f->len; false if the page's end cuts
 * them off. */
static bool fetch(const struct guest_fetch *f, uint32_t offset, uint32_t *raw)
{
    const uint8_t *p = f->host + offset;
    *raw = (uint32_t)bits_load_le(p, 2);
    if ((*raw & 3) != 3)
        return true;
    if (f->len - offset < 4 && !f->next)
        return false;
    const uint8_t *upper = f->len - offset < 4 ? f->next : p + 2;
    *raw |= (uint32_t)bits_load_le(upper, 2) << 16;
    return true;
}

static void lift_insn(struct rv_lift *l, uint32_t raw)
{
    if (!rv_decode(raw, &l->in) || !is_present(l))
        l->in.op = RV_OP_ILLEGAL;
    ir_insn_mark(l->u, l->pc, l->in.len);
    const struct rv_rule *r = &rules[l->in.op];
    l->context_changed = false;
    r->lift(l, r);
    if (l->context_changed && !l->ended)
        rv_lift_leave_at_next(l);
}

static void lift_insns(struct cpu *c, struct rv_lift *l, const struct guest_fetch *f,
                       uint32_t *bytes)
{
    uint32_t max = f->max_insns < MAX_INSNS ? f->max_insns : MAX_INSNS, raw;
    for (uint32_t n = 0; !l->ended; n++) {
        l->pc = f->pc + *bytes;
        bool more = n < max && *bytes < f->len && !cpu_probed(c, l->pc, f->paddr + *bytes);
        /* The caller has seen to it that the first one can be lifted. */
        if ((n && !more) || !fetch(f, *bytes, &raw)) {
            rv_lift_goto(l, l->pc);
            return;
        }
        lift_insn(l, raw);
        *bytes += l->in.len;
    }
}

enum guest_translated rv_translate(struct cpu *c, struct ir_unit *u, const struct guest_fetch *f,
                                   uint32_t *bytes)
{
    struct rv_lift l = {.u = u, .h = rv_of(c), .context = c->context};
    bool probe = !f->pass_stop && cpu_probed(c, f->pc, f->paddr);
    uint32_t raw, frm = l.context >> RV_CTX_RM_SHIFT & 7;

    *bytes = 0;
    if (!fetch(f, 0, &raw))
        return GUEST_NEEDS_NEXT;
    u->pc = f->pc;
    u->fp_rm = frm <= SF_RMM ? (uint8_t)frm : SF_RNE;
    ir_block_begin(u);
    if (probe)
        cpu_lift_probe(c, u, f->pc, f->paddr);
    lift_insns(c, &l, f, bytes);
    return GUEST_UNIT;
}
