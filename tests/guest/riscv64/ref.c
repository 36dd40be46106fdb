#include "tests/guest/riscv64/ref.h"

#include <math.h>
#include <string.h>

#include "softfloat/softfloat.h"

/* clang-format off */

typedef __int128 i128;
typedef unsigned __int128 u128;

static void *memory(struct ref *r, uint64_t addr)
{
    return (char *)r->s->mem + (addr - VEC_MEMORY);
}

static uint64_t load(struct ref *r, uint64_t addr, unsigned size)
{
    uint64_t v = 0;
    memcpy(&v, memory(r, addr), size);
    return v;
}

static void store(struct ref *r, uint64_t addr, unsigned size, uint64_t v)
{
    memcpy(memory(r, addr), &v, size);
}

static void illegal(struct ref *r)
{
    r->s->trap = 1;
}

/* ---- integers ---- */

static uint64_t clmul(uint64_t a, uint64_t b, unsigned from)
{
    u128 product = 0;
    for (unsigned i = 0; i < 64; i++)
        if (b >> i & 1)
            product ^= (u128)a << i;
    return (uint64_t)(product >> from);
}

static uint64_t orc_b(uint64_t a)
{
    for (unsigned i = 0; i < 64; i += 8)
        if (a >> i & 0xff)
            a |= (uint64_t)0xff << i;
    return a;
}

static uint64_t rev8(uint64_t a)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | (a >> (8 * i) & 0xff);
    return v;
}

static unsigned count_below(uint64_t a, unsigned width, bool from_top)
{
    for (unsigned i = 0; i < width; i++)
        if (a >> (from_top ? width - 1 - i : i) & 1)
            return i;
    return width;
}

static unsigned count_ones(uint64_t a)
{
    unsigned n = 0;
    for (; a; a &= a - 1)
        n++;
    return n;
}

static uint64_t rotate_right(uint64_t a, unsigned by)
{
    return by ? a >> by | a << (64 - by) : a;
}

static int32_t rotate_right32(uint32_t a, unsigned by)
{
    return (int32_t)(by ? a >> by | a << (32 - by) : a);
}

static int64_t divide(int64_t a, int64_t b)
{
    return b == 0 ? -1 : b == -1 ? (int64_t)-(uint64_t)a : a / b;
}

static int64_t remainder_of(int64_t a, int64_t b)
{
    return b == 0 ? a : b == -1 ? 0 : a % b;
}

/* The result in rd of an operation on rs1 and rs2 (or the immediate, which is b too). */
static bool integer(const struct rv_insn *in, uint64_t pc, uint64_t a, uint64_t b, uint64_t *rd)
{
    uint64_t imm = (uint64_t)in->imm;
    int64_t sa = (int64_t)a, sb = (int64_t)b;
    uint32_t wa = (uint32_t)a, wb = (uint32_t)b;
    int32_t swa = (int32_t)a, swb = (int32_t)b;
    int64_t v;

    switch (in->op) {
    case RV_OP_LUI: v = in->imm; break;
    case RV_OP_AUIPC: v = (int64_t)(pc + imm); break;
    case RV_OP_ADD: v = (int64_t)(a + b); break;
    case RV_OP_SUB: v = (int64_t)(a - b); break;
    case RV_OP_SLL: v = (int64_t)(a << (b & 63)); break;
    case RV_OP_SLT: v = sa < sb; break;
    case RV_OP_SLTU: v = a < b; break;
    case RV_OP_XOR: v = sa ^ sb; break;
    case RV_OP_SRL: v = (int64_t)(a >> (b & 63)); break;
    case RV_OP_SRA: v = sa >> (b & 63); break;
    case RV_OP_OR: v = sa | sb; break;
    case RV_OP_AND: v = sa & sb; break;
    case RV_OP_ADDI: v = (int64_t)(a + imm); break;
    case RV_OP_SLTI: v = sa < in->imm; break;
    case RV_OP_SLTIU: v = a < imm; break;
    case RV_OP_XORI: v = sa ^ in->imm; break;
    case RV_OP_ORI: v = sa | in->imm; break;
    case RV_OP_ANDI: v = sa & in->imm; break;
    case RV_OP_SLLI: v = (int64_t)(a << imm); break;
    case RV_OP_SRLI: v = (int64_t)(a >> imm); break;
    case RV_OP_SRAI: v = sa >> imm; break;
    case RV_OP_ADDIW: v = (int32_t)(wa + (uint32_t)imm); break;
    case RV_OP_SLLIW: v = (int32_t)(wa << imm); break;
    case RV_OP_SRLIW: v = (int32_t)(wa >> imm); break;
    case RV_OP_SRAIW: v = swa >> imm; break;
    case RV_OP_ADDW: v = (int32_t)(wa + wb); break;
    case RV_OP_SUBW: v = (int32_t)(wa - wb); break;
    case RV_OP_SLLW: v = (int32_t)(wa << (b & 31)); break;
    case RV_OP_SRLW: v = (int32_t)(wa >> (b & 31)); break;
    case RV_OP_SRAW: v = swa >> (b & 31); break;
    case RV_OP_MUL: v = (int64_t)(a * b); break;
    case RV_OP_MULH: v = (int64_t)((i128)sa * sb >> 64); break;
    case RV_OP_MULHSU: v = (int64_t)((u128)((i128)sa * (i128)(u128)b) >> 64); break;
    case RV_OP_MULHU: v = (int64_t)((u128)a * b >> 64); break;
    case RV_OP_DIV: v = divide(sa, sb); break;
    case RV_OP_DIVU: v = b ? (int64_t)(a / b) : -1; break;
    case RV_OP_REM: v = remainder_of(sa, sb); break;
    case RV_OP_REMU: v = b ? (int64_t)(a % b) : sa; break;
    case RV_OP_MULW: v = (int32_t)(wa * wb); break;
    case RV_OP_DIVW: v = (int32_t)divide(swa, swb); break;
    case RV_OP_DIVUW: v = wb ? (int32_t)(wa / wb) : -1; break;
    case RV_OP_REMW: v = (int32_t)remainder_of(swa, swb); break;
    case RV_OP_REMUW: v = wb ? (int32_t)(wa % wb) : swa; break;
    case RV_OP_ADD_UW: v = (int64_t)(wa + b); break;
    case RV_OP_SH1ADD: v = (int64_t)(a * 2 + b); break;
    case RV_OP_SH2ADD: v = (int64_t)(a * 4 + b); break;
    case RV_OP_SH3ADD: v = (int64_t)(a * 8 + b); break;
    case RV_OP_SH1ADD_UW: v = (int64_t)(wa * UINT64_C(2) + b); break;
    case RV_OP_SH2ADD_UW: v = (int64_t)(wa * UINT64_C(4) + b); break;
    case RV_OP_SH3ADD_UW: v = (int64_t)(wa * UINT64_C(8) + b); break;
    case RV_OP_SLLI_UW: v = (int64_t)((uint64_t)wa << imm); break;
    case RV_OP_ANDN: v = (int64_t)(a & ~b); break;
    case RV_OP_ORN: v = (int64_t)(a | ~b); break;
    case RV_OP_XNOR: v = (int64_t) ~(a ^ b); break;
    case RV_OP_CLZ: v = count_below(a, 64, true); break;
    case RV_OP_CTZ: v = count_below(a, 64, false); break;
    case RV_OP_CPOP: v = count_ones(a); break;
    case RV_OP_CLZW: v = count_below(wa, 32, true); break;
    case RV_OP_CTZW: v = count_below(wa, 32, false); break;
    case RV_OP_CPOPW: v = count_ones(wa); break;
    case RV_OP_MAX: v = sa > sb ? sa : sb; break;
    case RV_OP_MAXU: v = a > b ? sa : sb; break;
    case RV_OP_MIN: v = sa < sb ? sa : sb; break;
    case RV_OP_MINU: v = a < b ? sa : sb; break;
    case RV_OP_SEXT_B: v = (int8_t)a; break;
    case RV_OP_SEXT_H: v = (int16_t)a; break;
    case RV_OP_ZEXT_H: v = (uint16_t)a; break;
    case RV_OP_ROL: v = (int64_t)rotate_right(a, -(unsigned)b & 63); break;
    case RV_OP_ROR: v = (int64_t)rotate_right(a, b & 63); break;
    case RV_OP_RORI: v = (int64_t)rotate_right(a, (unsigned)imm); break;
    case RV_OP_ROLW: v = rotate_right32(wa, -wb & 31); break;
    case RV_OP_RORW: v = rotate_right32(wa, wb & 31); break;
    case RV_OP_RORIW: v = rotate_right32(wa, (unsigned)imm); break;
    case RV_OP_ORC_B: v = (int64_t)orc_b(a); break;
    case RV_OP_REV8: v = (int64_t)rev8(a); break;
    case RV_OP_CLMUL: v = (int64_t)clmul(a, b, 0); break;
    case RV_OP_CLMULH: v = (int64_t)clmul(a, b, 64); break;
    case RV_OP_CLMULR: v = (int64_t)clmul(a, b, 63); break;
    case RV_OP_BCLR: v = (int64_t)(a & ~(UINT64_C(1) << (b & 63))); break;
    case RV_OP_BCLRI: v = (int64_t)(a & ~(UINT64_C(1) << imm)); break;
    case RV_OP_BEXT: v = a >> (b & 63) & 1; break;
    case RV_OP_BEXTI: v = a >> imm & 1; break;
    case RV_OP_BINV: v = (int64_t)(a ^ UINT64_C(1) << (b & 63)); break;
    case RV_OP_BINVI: v = (int64_t)(a ^ UINT64_C(1) << imm); break;
    case RV_OP_BSET: v = (int64_t)(a | UINT64_C(1) << (b & 63)); break;
    case RV_OP_BSETI: v = (int64_t)(a | UINT64_C(1) << imm); break;
    case RV_OP_CZERO_EQZ: v = b == 0 ? 0 : sa; break;
    case RV_OP_CZERO_NEZ: v = b != 0 ? 0 : sa; break;
    default: return false;
    }
    *rd = (uint64_t)v;
    return true;
}

/* Jumps and branches; those that write rd give it the address behind. */
static bool jump(struct ref *r, const struct rv_insn *in, uint64_t a, uint64_t b)
{
    bool taken;
    uint64_t target = r->pc + (uint64_t)in->imm, next = r->pc + in->len;
    switch (in->op) {
    case RV_OP_JAL: taken = true; break;
    case RV_OP_JALR: taken = true; target = (a + (uint64_t)in->imm) & ~UINT64_C(1); break;
    case RV_OP_BEQ: taken = a == b; break;
    case RV_OP_BNE: taken = a != b; break;
    case RV_OP_BLT: taken = (int64_t)a < (int64_t)b; break;
    case RV_OP_BGE: taken = (int64_t)a >= (int64_t)b; break;
    case RV_OP_BLTU: taken = a < b; break;
    case RV_OP_BGEU: taken = a >= b; break;
    default: return false;
    }
    if ((in->op == RV_OP_JAL || in->op == RV_OP_JALR) && in->rd)
        r->s->x[in->rd] = next;
    r->pc = taken ? target : next;
    return true;
}

/* ---- memory ---- */

static bool plain_load(struct ref *r, const struct rv_insn *in, uint64_t *rd)
{
    uint64_t addr = r->s->x[in->rs1] + (uint64_t)in->imm;
    switch (in->op) {
    case RV_OP_LB: *rd = (uint64_t)(int8_t)load(r, addr, 1); return true;
    case RV_OP_LH: *rd = (uint64_t)(int16_t)load(r, addr, 2); return true;
    case RV_OP_LW: *rd = (uint64_t)(int32_t)load(r, addr, 4); return true;
    case RV_OP_LD: *rd = load(r, addr, 8); return true;
    case RV_OP_LBU: *rd = load(r, addr, 1); return true;
    case RV_OP_LHU: *rd = load(r, addr, 2); return true;
    case RV_OP_LWU: *rd = load(r, addr, 4); return true;
    default: return false;
    }
}

static bool plain_store(struct ref *r, const struct rv_insn *in)
{
    uint64_t addr = r->s->x[in->rs1] + (uint64_t)in->imm;
    unsigned size = in->op == RV_OP_SB   ? 1
                    : in->op == RV_OP_SH ? 2
                    : in->op == RV_OP_SW ? 4
                    : in->op == RV_OP_SD ? 8
                                         : 0;
    if (size)
        store(r, addr, size, r->s->x[in->rs2]);
    return size;
}

/* What an AMO of 64 bits, or of 32 with sign-extended operands, leaves in memory. */
static bool amo_new(unsigned op, int64_t old, int64_t v, int64_t *new)
{
    uint64_t uo = (uint64_t)old, uv = (uint64_t)v;
    switch (op) {
    case RV_OP_AMOSWAP_W: case RV_OP_AMOSWAP_D: *new = v; return true;
    case RV_OP_AMOADD_W: case RV_OP_AMOADD_D: *new = (int64_t)(uo + uv); return true;
    case RV_OP_AMOXOR_W: case RV_OP_AMOXOR_D: *new = old ^ v; return true;
    case RV_OP_AMOAND_W: case RV_OP_AMOAND_D: *new = old &v; return true;
    case RV_OP_AMOOR_W: case RV_OP_AMOOR_D: *new = old | v; return true;
    case RV_OP_AMOMIN_W: case RV_OP_AMOMIN_D: *new = old < v ? old : v; return true;
    case RV_OP_AMOMAX_W: case RV_OP_AMOMAX_D: *new = old > v ? old : v; return true;
    case RV_OP_AMOMINU_W: case RV_OP_AMOMINU_D: *new = uo < uv ? old : v; return true;
    case RV_OP_AMOMAXU_W: case RV_OP_AMOMAXU_D: *new = uo > uv ? old : v; return true;
    default: return false;
    }
}

/* Sign extension keeps the order of unsigned words, so that one comparison serves both widths. */
static bool atomic(struct ref *r, const struct rv_insn *in, uint64_t *rd)
{
    bool wide = in->raw >> 12 & 1; /* funct3: 2 or 3 */
    uint64_t addr = r->s->x[in->rs1], v = r->s->x[in->rs2];
    unsigned size = wide ? 8 : 4;
    int64_t new, old;

    if (in->op == RV_OP_SC_W || in->op == RV_OP_SC_D) {
        *rd = r->reserve != addr;
        if (!*rd)
            store(r, addr, size, v);
        r->reserve = UINT64_MAX;
        return true;
    }
    bool reserve = in->op == RV_OP_LR_W || in->op == RV_OP_LR_D;
    if (!reserve && !amo_new(in->op, 0, 0, &new))
        return false;
    old = wide ? (int64_t)load(r, addr, 8) : (int32_t)load(r, addr, 4);
    if (reserve) {
        r->reserve = addr;
    } else {
        amo_new(in->op, old, wide ? (int64_t)v : (int32_t)v, &new);
        store(r, addr, size, (uint64_t) new);
    }
    *rd = (uint64_t)old;
    return true;
}

/* ---- floating point ---- */

static uint32_t single(const struct ref *r, unsigned n)
{
    uint64_t v = r->s->f[n];
    return v >> 32 == UINT32_MAX ? (uint32_t)v : SF_NAN32;
}

/* The operation's rounding mode; false if it is reserved. */
static bool rounding(const struct ref *r, const struct rv_insn *in, struct sf_env *env)
{
    unsigned rm = in->rm == 7 ? r->s->fcsr >> 5 & 7 : in->rm;
    env->rm = (uint8_t)rm;
    return rm <= 4;
}

static bool has_rounding(const struct rv_insn *in)
{
    return strstr(rv_row(in->row)->name, "c.") != rv_row(in->row)->name &&
           (rv_row(in->row)->mask >> 12 & 7) == 0 && (in->raw & 0x7f) >= 0x43;
}

/* An integral value next to x, by rounding mode; x is finite. */
static double round_double(double x, unsigned rm)
{
    if (fabs(x) >= 0x1p52)
        return x;
    double whole = trunc(x), part = fabs(x - whole);
    bool odd = fmod(whole, 2) != 0, away = false;
    switch (rm) {
    case SF_RNE: away = part > 0.5 || (part == 0.5 && odd); break;
    case SF_RDN: away = part > 0 && x < 0; break;
    case SF_RUP: away = part > 0 && x > 0; break;
    case SF_RMM: away = part >= 0.5; break;
    default: break;
    }
    return copysign(away ? fabs(whole) + 1 : whole, x);
}

static double as_double(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, 8);
    return d;
}

static uint64_t double_bits(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, 8);
    return bits;
}

static float as_float(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

static uint32_t float_bits(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, 4);
    return bits;
}

/* Of a NaN, whether it is a signalling one. */
static bool signalling(double d)
{
    return isnan(d) && !(double_bits(d) >> 51 & 1);
}

/* A single with its NaN's quiet bit where a double has it: no conversion that would quiet it. */
static double widen(uint32_t s)
{
    float f = as_float(s);
    uint64_t nan = UINT64_C(0x7ff) << 52 | (uint64_t)(s & 0x7fffff) << 29;
    return isnan(f) ? as_double(nan) : (double)f;
}

/* Zfa on a value; the flags it raises. */
static double zfa_round(double x, unsigned rm, bool exact, uint8_t *flags)
{
    if (isnan(x)) {
        *flags |= signalling(x) ? SF_NV : 0;
        return as_double(SF_NAN64);
    }
    double v = isinf(x) ? x : round_double(x, rm);
    if (exact && v != x)
        *flags |= SF_NX;
    return v;
}

static double zfa_min(double a, double b, bool max, uint8_t *flags)
{
    if (signalling(a) || signalling(b))
        *flags |= SF_NV;
    if (isnan(a) || isnan(b))
        return as_double(SF_NAN64);
    bool less = a < b || (a == b && signbit(a));
    return less != max ? a : b;
}

static int32_t zfa_modular(double x, uint8_t *flags)
{
    if (!isfinite(x)) {
        *flags |= SF_NV;
        return 0;
    }
    double whole = trunc(x);
    if (whole < -0x1p31 || whole >= 0x1p31)
        *flags |= SF_NV;
    else if (whole != x)
        *flags |= SF_NX;
    return (int32_t)(uint32_t)(int64_t)fmod(whole, 0x1p32);
}

/* fli: sign, power of two and quarters; the rest by hand. */
static double zfa_constant(unsigned i, bool wide)
{
    static const double value[32] = {
        -1,     0,   0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0.0625, 0.125, 0.25,     0.3125, 0.375,
        0.4375, 0.5, 0.625,   0.75,    0.875,  1,      1.25,   1.5,   1.75,     2,      2.5,
        3,      4,   8,       16,      128,    256,    32768,  65536, INFINITY, NAN,
    };
    if (i == 1)
        return wide ? 0x1p-1022 : 0x1p-126;
    return i == 31 ? as_double(SF_NAN64) : value[i];
}

/* Zfa, in doubles: exact for singles too.  *f is the result unless the instruction gives *x. */
static bool zfa(struct ref *r, const struct rv_insn *in, unsigned rm, uint64_t *f, uint64_t *x,
                bool *to_x, uint8_t *flags)
{
    bool wide = in->op == RV_OP_FCVTMOD_W_D || (in->raw >> 25 & 3) == 1;
    double a = wide ? as_double(r->s->f[in->rs1]) : widen(single(r, in->rs1));
    double b = wide ? as_double(r->s->f[in->rs2]) : widen(single(r, in->rs2));
    double v = 0;

    *to_x = false;
    switch (in->op) {
    case RV_OP_FLI_S: case RV_OP_FLI_D: v = zfa_constant((unsigned)in->imm, wide); break;
    case RV_OP_FMINM_S: case RV_OP_FMINM_D: v = zfa_min(a, b, false, flags); break;
    case RV_OP_FMAXM_S: case RV_OP_FMAXM_D: v = zfa_min(a, b, true, flags); break;
    case RV_OP_FROUND_S: case RV_OP_FROUND_D: v = zfa_round(a, rm, false, flags); break;
    case RV_OP_FROUNDNX_S: case RV_OP_FROUNDNX_D: v = zfa_round(a, rm, true, flags); break;
    case RV_OP_FLEQ_S: case RV_OP_FLEQ_D: *to_x = true; *x = islessequal(a, b); break;
    case RV_OP_FLTQ_S: case RV_OP_FLTQ_D: *to_x = true; *x = isless(a, b); break;
    case RV_OP_FCVTMOD_W_D:
        *to_x = true;
        *x = (uint64_t)(int64_t)zfa_modular(a, flags);
        return true;
    default: return false;
    }
    if (*to_x && (signalling(a) || signalling(b)))
        *flags |= SF_NV;
    *f = wide ? double_bits(v) : VEC_BOXED(isnan(v) ? SF_NAN32 : float_bits((float)v));
    return true;
}

/* Singles that give a single. */
static bool arith32(const struct rv_insn *in, uint32_t a, uint32_t b, uint32_t c,
                    struct sf_env *env, uint32_t *f)
{
    const uint32_t sign = UINT32_C(1) << 31;
    switch (in->op) {
    case RV_OP_FMADD_S: *f = sf_fma32(a, b, c, env); return true;
    case RV_OP_FMSUB_S: *f = sf_fma32(a, b, c ^ sign, env); return true;
    case RV_OP_FNMSUB_S: *f = sf_fma32(a ^ sign, b, c, env); return true;
    case RV_OP_FNMADD_S: *f = sf_fma32(a ^ sign, b, c ^ sign, env); return true;
    case RV_OP_FADD_S: *f = sf_add32(a, b, env); return true;
    case RV_OP_FSUB_S: *f = sf_sub32(a, b, env); return true;
    case RV_OP_FMUL_S: *f = sf_mul32(a, b, env); return true;
    case RV_OP_FDIV_S: *f = sf_div32(a, b, env); return true;
    case RV_OP_FSQRT_S: *f = sf_sqrt32(a, env); return true;
    case RV_OP_FMIN_S: *f = sf_min32(a, b, env); return true;
    case RV_OP_FMAX_S: *f = sf_max32(a, b, env); return true;
    case RV_OP_FSGNJ_S: *f = (a & ~sign) | (b & sign); return true;
    case RV_OP_FSGNJN_S: *f = (a & ~sign) | (~b & sign); return true;
    case RV_OP_FSGNJX_S: *f = a ^ (b & sign); return true;
    default: return false;
    }
}

static bool arith64(const struct rv_insn *in, uint64_t a, uint64_t b, uint64_t c,
                    struct sf_env *env, uint64_t *f)
{
    const uint64_t sign = UINT64_C(1) << 63;
    switch (in->op) {
    case RV_OP_FMADD_D: *f = sf_fma64(a, b, c, env); return true;
    case RV_OP_FMSUB_D: *f = sf_fma64(a, b, c ^ sign, env); return true;
    case RV_OP_FNMSUB_D: *f = sf_fma64(a ^ sign, b, c, env); return true;
    case RV_OP_FNMADD_D: *f = sf_fma64(a ^ sign, b, c ^ sign, env); return true;
    case RV_OP_FADD_D: *f = sf_add64(a, b, env); return true;
    case RV_OP_FSUB_D: *f = sf_sub64(a, b, env); return true;
    case RV_OP_FMUL_D: *f = sf_mul64(a, b, env); return true;
    case RV_OP_FDIV_D: *f = sf_div64(a, b, env); return true;
    case RV_OP_FSQRT_D: *f = sf_sqrt64(a, env); return true;
    case RV_OP_FMIN_D: *f = sf_min64(a, b, env); return true;
    case RV_OP_FMAX_D: *f = sf_max64(a, b, env); return true;
    case RV_OP_FSGNJ_D: *f = (a & ~sign) | (b & sign); return true;
    case RV_OP_FSGNJN_D: *f = (a & ~sign) | (~b & sign); return true;
    case RV_OP_FSGNJX_D: *f = a ^ (b & sign); return true;
    default: return false;
    }
}

/* Moves and conversions into f registers. */
static bool fp_from(struct ref *r, const struct rv_insn *in, struct sf_env *env, uint64_t *f)
{
    uint64_t x = r->s->x[in->rs1], addr = x + (uint64_t)in->imm;
    switch (in->op) {
    case RV_OP_FLW: *f = VEC_BOXED(load(r, addr, 4)); return true;
    case RV_OP_FLD: *f = load(r, addr, 8); return true;
    case RV_OP_FMV_W_X: *f = VEC_BOXED((uint32_t)x); return true;
    case RV_OP_FMV_D_X: *f = x; return true;
    case RV_OP_FCVT_S_W: *f = VEC_BOXED(sf_i32_to_f32((int32_t)x, env)); return true;
    case RV_OP_FCVT_S_WU: *f = VEC_BOXED(sf_u32_to_f32((uint32_t)x, env)); return true;
    case RV_OP_FCVT_S_L: *f = VEC_BOXED(sf_i64_to_f32((int64_t)x, env)); return true;
    case RV_OP_FCVT_S_LU: *f = VEC_BOXED(sf_u64_to_f32(x, env)); return true;
    case RV_OP_FCVT_D_W: *f = sf_i32_to_f64((int32_t)x, env); return true;
    case RV_OP_FCVT_D_WU: *f = sf_u32_to_f64((uint32_t)x, env); return true;
    case RV_OP_FCVT_D_L: *f = sf_i64_to_f64((int64_t)x, env); return true;
    case RV_OP_FCVT_D_LU: *f = sf_u64_to_f64(x, env); return true;
    case RV_OP_FCVT_S_D: *f = VEC_BOXED(sf_f64_to_f32(r->s->f[in->rs1], env)); return true;
    case RV_OP_FCVT_D_S: *f = sf_f32_to_f64(single(r, in->rs1), env); return true;
    default: return false;
    }
}

/* What ends in x registers. */
static bool fp_to(struct ref *r, const struct rv_insn *in, struct sf_env *env, int64_t *x)
{
    uint32_t a = single(r, in->rs1), b = single(r, in->rs2);
    uint64_t wa = r->s->f[in->rs1], wb = r->s->f[in->rs2];
    switch (in->op) {
    case RV_OP_FEQ_S: *x = sf_eq32(a, b, env); return true;
    case RV_OP_FLT_S: *x = sf_lt32(a, b, env); return true;
    case RV_OP_FLE_S: *x = sf_le32(a, b, env); return true;
    case RV_OP_FEQ_D: *x = sf_eq64(wa, wb, env); return true;
    case RV_OP_FLT_D: *x = sf_lt64(wa, wb, env); return true;
    case RV_OP_FLE_D: *x = sf_le64(wa, wb, env); return true;
    case RV_OP_FCLASS_S: *x = sf_class32(a); return true;
    case RV_OP_FCLASS_D: *x = sf_class64(wa); return true;
    case RV_OP_FMV_X_W: *x = (int32_t)wa; return true;
    case RV_OP_FMV_X_D: *x = (int64_t)wa; return true;
    case RV_OP_FCVT_W_S: *x = sf_f32_to_i32(a, env); return true;
    case RV_OP_FCVT_WU_S: *x = (int32_t)sf_f32_to_u32(a, env); return true;
    case RV_OP_FCVT_L_S: *x = sf_f32_to_i64(a, env); return true;
    case RV_OP_FCVT_LU_S: *x = (int64_t)sf_f32_to_u64(a, env); return true;
    case RV_OP_FCVT_W_D: *x = sf_f64_to_i32(wa, env); return true;
    case RV_OP_FCVT_WU_D: *x = (int32_t)sf_f64_to_u32(wa, env); return true;
    case RV_OP_FCVT_L_D: *x = sf_f64_to_i64(wa, env); return true;
    case RV_OP_FCVT_LU_D: *x = (int64_t)sf_f64_to_u64(wa, env); return true;
    default: return false;
    }
}

static bool fp_store(struct ref *r, const struct rv_insn *in)
{
    if (in->op != RV_OP_FSW && in->op != RV_OP_FSD)
        return false;
    uint64_t addr = r->s->x[in->rs1] + (uint64_t)in->imm;
    store(r, addr, in->op == RV_OP_FSW ? 4 : 8, r->s->f[in->rs2]);
    return true;
}

/* Finds the instruction's result for f (returns 1) or x (2); 0: not floating point. */
static int fp_result(struct ref *r, const struct rv_insn *in, struct sf_env *env, uint64_t *f,
                     uint64_t *x)
{
    const uint64_t *reg = r->s->f;
    uint32_t narrow;
    int64_t sx;
    bool to_x;
    if (zfa(r, in, env->rm, f, x, &to_x, &env->flags))
        return to_x ? 2 : 1;
    if (arith32(in, single(r, in->rs1), single(r, in->rs2), single(r, in->rs3), env, &narrow)) {
        *f = VEC_BOXED(narrow);
        return 1;
    }
    if (arith64(in, reg[in->rs1], reg[in->rs2], reg[in->rs3], env, f) || fp_from(r, in, env, f))
        return 1;
    if (fp_to(r, in, env, &sx)) {
        *x = (uint64_t)sx;
        return 2;
    }
    return 0;
}

static bool floating(struct ref *r, const struct rv_insn *in)
{
    struct sf_env env = {0};
    uint64_t f, x;
    if (fp_store(r, in))
        return true;
    bool legal = rounding(r, in, &env) || !has_rounding(in);
    int kind = fp_result(r, in, &env, &f, &x);
    if (kind && !legal) {
        illegal(r);
        return true;
    }
    if (kind == 1)
        r->s->f[in->rd] = f;
    if (kind == 2 && in->rd)
        r->s->x[in->rd] = x;
    r->s->fcsr |= env.flags;
    return kind;
}

/* fflags, frm and fcsr. */
static bool csr(struct ref *r, const struct rv_insn *in, uint64_t *rd)
{
    static const uint8_t shift[4] = {0, 0, 5, 0}, width[4] = {0, 5, 3, 8};
    if (in->op < RV_OP_CSRRW || in->op > RV_OP_CSRRCI || in->imm < 1 || in->imm > 3)
        return false;
    uint64_t mask = (UINT64_C(1) << width[in->imm]) - 1, v = r->s->fcsr;
    uint64_t old = v >> shift[in->imm] & mask, new = 0;
    bool zimm = in->raw >> 14 & 1;
    uint64_t operand = zimm ? in->zimm : r->s->x[in->rs1];
    switch (in->raw >> 12 & 3) {
    case 1: new = operand; break;
    case 2: new = old | operand; break;
    case 3: new = old & ~operand; break;
    }
    r->s->fcsr = (v & ~(mask << shift[in->imm])) | (new &mask) << shift[in->imm];
    *rd = old;
    return true;
}

static bool nothing(unsigned op)
{
    switch (op) {
    case RV_OP_FENCE: case RV_OP_FENCE_TSO: case RV_OP_FENCE_I: case RV_OP_PAUSE:
    case RV_OP_PREFETCH_I: case RV_OP_PREFETCH_R: case RV_OP_PREFETCH_W: case RV_OP_WRS_NTO:
    case RV_OP_WRS_STO: return true;
    default: return false;
    }
}

bool ref_run(struct ref *r, const struct rv_insn *in)
{
    uint64_t a = r->s->x[in->rs1], b = r->s->x[in->rs2], rd;
    if (jump(r, in, a, b))
        return true;
    if (integer(in, r->pc, a, b, &rd) || plain_load(r, in, &rd) || atomic(r, in, &rd) ||
        csr(r, in, &rd)) {
        if (in->rd)
            r->s->x[in->rd] = rd;
    } else if (!plain_store(r, in) && !floating(r, in) && !nothing(in->op)) {
        return false;
    }
    r->pc += in->len;
    return true;
}
