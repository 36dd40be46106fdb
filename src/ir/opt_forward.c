/*
 * opt_forward.c - one walk forward: constants, copies, algebra, common values,
 * and gets of registers whose value is known.
 *
 * Each instruction is looked at once, after those before it.  One that is not
 * needed becomes a copy or a constant in its place; ir_opt_dead removes what
 * nobody uses then.  What is known of slots, and which values are common, holds
 * within a block; everything else wherever a value can be used at all.
 */
#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "ir/ir.h"

/* What is known of a value.  All 0: nothing. */
struct fact {
    uint32_t uses; /* operands that name it, dead ones included */
    uint8_t zeros; /* an i64's upper bits that are 0 */
    uint8_t signs; /* an i64's upper bits, without the highest, that equal the highest */
};

struct known_slot {
    ir_ref value;
    uint32_t epoch; /* valid if it is the walk's */
};

struct forward {
    struct ir_unit *u;
    struct ir_insn *insns;
    struct fact *facts;
    struct known_slot *slots;
    uint32_t epoch;
    ir_ref *common; /* hash table: the latest value, 0 for none (insn 0 is none then) */
    unsigned common_bits;
    ir_ref block_first;
};

/* ---- looking at values ---- */

static enum ir_type type_of(const struct forward *f, ir_ref v)
{
    return ir_type_of(f->u, v);
}

static bool is_const(const struct forward *f, ir_ref v, uint64_t *out)
{
    if (f->insns[v].op != IR_const)
        return false;
    *out = f->insns[v].imm;
    return true;
}

/* A constant operand, cut to the instruction's width. */
static bool const_arg(const struct forward *f, const struct ir_insn *i, unsigned n, uint64_t *out)
{
    if (!is_const(f, i->arg[n], out))
        return false;
    if (i->type == IR_I32)
        *out = (uint32_t)*out;
    return true;
}

static bool arg_is(const struct forward *f, const struct ir_insn *i, unsigned n, uint64_t value)
{
    uint64_t c;
    return const_arg(f, i, n, &c) && c == value;
}

/* The instruction that makes operand n, if that is `op` of the same type. */
static const struct ir_insn *arg_insn(const struct forward *f, const struct ir_insn *i, unsigned n,
                                      enum ir_op op)
{
    const struct ir_insn *a = &f->insns[i->arg[n]];
    return a->op == op && a->type == i->type ? a : NULL;
}

static bool is_compare(const struct ir_insn *i)
{
    return i->op >= IR_eq && i->op <= IR_geu;
}

static_assert(IR_ne == IR_eq + 1 && IR_lts == IR_eq + 2 && IR_ges == IR_eq + 3 &&
                  IR_ltu == IR_eq + 4 && IR_geu == IR_eq + 5,
              "a comparison and its opposite are neighbours");

static uint8_t opposite(uint8_t compare)
{
    return (uint8_t)(IR_eq + ((compare - IR_eq) ^ 1));
}

/* ---- changing instructions ---- */

static void set_arg(struct forward *f, struct ir_insn *i, unsigned n, ir_ref v)
{
    if (i->arg[n] != IR_NONE)
        f->facts[i->arg[n]].uses--;
    i->arg[n] = v;
    if (v != IR_NONE)
        f->facts[v].uses++;
}

/* Only for instructions without edges. */
static void drop_args(struct forward *f, struct ir_insn *i)
{
    for (unsigned n = 0; n < 3; n++)
        set_arg(f, i, n, IR_NONE);
}

static bool become_const(struct forward *f, struct ir_insn *i, enum ir_type type, uint64_t value)
{
    drop_args(f, i);
    i->op = IR_const;
    i->type = (uint8_t)type;
    i->aux = 0;
    i->imm = type == IR_I32 || type == IR_F32 ? (uint32_t)value : value;
    return true;
}

static bool become_copy(struct forward *f, struct ir_insn *i, ir_ref v)
{
    enum ir_type type = type_of(f, (ir_ref)(i - f->insns));
    drop_args(f, i);
    set_arg(f, i, 0, v);
    i->op = IR_copy;
    i->type = (uint8_t)type;
    i->aux = 0;
    i->imm = 0;
    return true;
}

static bool become_unary(struct forward *f, struct ir_insn *i, enum ir_op op, ir_ref v)
{
    drop_args(f, i);
    set_arg(f, i, 0, v);
    i->op = (uint8_t)op;
    return true;
}

/* A comparison of what another one compares; the result is an i64 either way. */
static bool become_compare(struct forward *f, struct ir_insn *i, uint8_t op,
                           const struct ir_insn *like)
{
    ir_ref a = like->arg[0], b = like->arg[1];
    drop_args(f, i);
    set_arg(f, i, 0, a);
    set_arg(f, i, 1, b);
    i->op = op;
    i->type = like->type;
    return true;
}

/* Gives the constant operand n another value, if no one else uses it. */
static bool change_const(struct forward *f, struct ir_insn *i, unsigned n, uint64_t value)
{
    struct ir_insn *c = &f->insns[i->arg[n]];
    struct fact *fact = &f->facts[i->arg[n]];
    if (c->op != IR_const || fact->uses != 1)
        return false;
    c->imm = c->type == IR_I32 ? (uint32_t)value : value;
    fact->zeros = fact->signs = 0;
    return true;
}

static void swap_args(struct ir_insn *i, unsigned a, unsigned b)
{
    ir_ref v = i->arg[a];
    i->arg[a] = i->arg[b];
    i->arg[b] = v;
}

/* ---- algebra: each returns true if it changed the instruction ---- */

/* (y op c1) op c2 is y op (c1 op c2). */
static bool merge_consts(struct forward *f, struct ir_insn *i)
{
    const struct ir_insn *a = arg_insn(f, i, 0, i->op);
    uint64_t c[2], v = 0;
    if (!a || !const_arg(f, i, 1, &c[1]) || !const_arg(f, a, 1, &c[0]))
        return false;
    ir_eval(i->op, i->type, 0, c, &v);
    if (!change_const(f, i, 1, v))
        return false;
    set_arg(f, i, 0, a->arg[0]);
    return true;
}

static bool simplify_add(struct forward *f, struct ir_insn *i)
{
    uint64_t c;
    if (i->op == IR_sub && i->arg[0] == i->arg[1])
        return become_const(f, i, i->type, 0);
    if (!const_arg(f, i, 1, &c))
        return false;
    if (c == 0)
        return become_copy(f, i, i->arg[0]);
    if (i->op == IR_add)
        return merge_consts(f, i);
    if (!change_const(f, i, 1, -c))
        return false;
    i->op = IR_add;
    return true;
}

/* Multiplication and division by 1 and powers of two. */
static bool simplify_mul(struct forward *f, struct ir_insn *i)
{
    uint64_t c;
    if (!const_arg(f, i, 1, &c))
        return false;
    if (c == 0)
        return i->op == IR_mul && become_const(f, i, i->type, 0);
    if (c == 1)
        return i->op == IR_remu ? become_const(f, i, i->type, 0) : become_copy(f, i, i->arg[0]);
    if (!bits_pow2(c) || i->op == IR_divs)
        return false;
    if (!change_const(f, i, 1, i->op == IR_remu ? c - 1 : (unsigned)__builtin_ctzll(c)))
        return false;
    i->op = i->op == IR_mul ? IR_shl : i->op == IR_divu ? IR_shr : IR_and;
    return true;
}

static bool simplify_and(struct forward *f, struct ir_insn *i)
{
    uint64_t c, all = i->type == IR_I32 ? UINT32_MAX : UINT64_MAX;
    if (i->arg[0] == i->arg[1])
        return become_copy(f, i, i->arg[0]);
    if (!const_arg(f, i, 1, &c))
        return false;
    if (c == 0)
        return become_const(f, i, i->type, 0);
    uint64_t may = i->type == IR_I64 ? all >> (f->facts[i->arg[0]].zeros & 63) : all;
    if ((c & may) == may)
        return become_copy(f, i, i->arg[0]);
    return merge_consts(f, i);
}

static bool simplify_or(struct forward *f, struct ir_insn *i)
{
    uint64_t c, all = i->type == IR_I32 ? UINT32_MAX : UINT64_MAX;
    if (i->arg[0] == i->arg[1])
        return become_copy(f, i, i->arg[0]);
    if (!const_arg(f, i, 1, &c))
        return false;
    if (c == all)
        return become_const(f, i, i->type, all);
    return c == 0 ? become_copy(f, i, i->arg[0]) : merge_consts(f, i);
}

static bool simplify_xor(struct forward *f, struct ir_insn *i)
{
    const struct ir_insn *a = &f->insns[i->arg[0]];
    uint64_t c;
    if (i->arg[0] == i->arg[1])
        return become_const(f, i, i->type, 0);
    if (!const_arg(f, i, 1, &c))
        return false;
    if (c == 0)
        return become_copy(f, i, i->arg[0]);
    if (c == 1 && i->type == IR_I64 && is_compare(a))
        return become_compare(f, i, opposite(a->op), a);
    return merge_consts(f, i);
}

/* A shift to the left and back by the same count extends. */
static bool shifts_to_ext(struct forward *f, struct ir_insn *i, unsigned count)
{
    const struct ir_insn *a = arg_insn(f, i, 0, IR_shl);
    bool sign = i->op == IR_sar;
    uint64_t c;
    if (!a || i->type != IR_I64 || i->op == IR_shl || !is_const(f, a->arg[1], &c) ||
        (c & 63) != count)
        return false;
    if (count == 32)
        return become_unary(f, i, sign ? IR_sext32 : IR_zext32, a->arg[0]);
    if (count == 48)
        return become_unary(f, i, sign ? IR_sext16 : IR_zext16, a->arg[0]);
    if (count == 56)
        return become_unary(f, i, sign ? IR_sext8 : IR_zext8, a->arg[0]);
    return false;
}

static bool simplify_shift(struct forward *f, struct ir_insn *i)
{
    uint64_t c;
    if (arg_is(f, i, 0, 0))
        return become_const(f, i, i->type, 0);
    if (!is_const(f, i->arg[1], &c))
        return false;
    c &= i->type == IR_I32 ? 31 : 63;
    if (c == 0)
        return become_copy(f, i, i->arg[0]);
    return (i->op == IR_shr || i->op == IR_sar) && shifts_to_ext(f, i, (unsigned)c);
}

/* How many low bits an extension looks at; 0 for other operations. */
static unsigned ext_width(uint8_t op)
{
    switch (op) {
    case IR_sext8:
    case IR_zext8:
        return 8;
    case IR_sext16:
    case IR_zext16:
        return 16;
    case IR_sext32:
    case IR_zext32:
        return 32;
    default:
        return 0;
    }
}

/* What has the same low `width` (at most 32) bits as v and was made before it. */
static ir_ref low_bits_of(const struct forward *f, ir_ref v, unsigned width)
{
    const struct ir_insn *i = &f->insns[v];
    uint64_t c;
    if (ext_width(i->op) >= width || i->op == IR_copy)
        return i->arg[0];
    if (i->op == IR_and && is_const(f, i->arg[1], &c) && !(~c & bits_mask(width)))
        return i->arg[0];
    return v;
}

static bool simplify_ext(struct forward *f, struct ir_insn *i)
{
    unsigned width = ext_width(i->op);
    bool sign = i->op == IR_sext8 || i->op == IR_sext16 || i->op == IR_sext32;
    const struct fact *a = &f->facts[i->arg[0]];
    if (i->type == IR_I64 && type_of(f, i->arg[0]) == IR_I64 &&
        (sign ? a->signs : a->zeros) >= 64 - width)
        return become_copy(f, i, i->arg[0]);
    ir_ref v = low_bits_of(f, i->arg[0], width);
    if (v == i->arg[0])
        return false;
    set_arg(f, i, 0, v);
    return true;
}

/* Comparisons with 0 and 1 of things that are comparisons, differences or unsigned. */
static bool simplify_compare_const(struct forward *f, struct ir_insn *i, uint64_t c)
{
    const struct ir_insn *a = &f->insns[i->arg[0]];
    if (c == 0 && i->op == IR_ltu)
        return become_const(f, i, IR_I64, 0);
    if (c == 0 && i->op == IR_geu)
        return become_const(f, i, IR_I64, 1);
    if (c == 1 && (i->op == IR_ltu || i->op == IR_geu) && change_const(f, i, 1, 0)) {
        i->op = i->op == IR_ltu ? IR_eq : IR_ne;
        return true;
    }
    if (c != 0 || (i->op != IR_eq && i->op != IR_ne))
        return false;
    if ((a->op == IR_xor || a->op == IR_sub) && a->type == i->type)
        return become_compare(f, i, i->op, a);
    if (i->type != IR_I64)
        return false;
    if (i->op == IR_ne && f->facts[i->arg[0]].zeros >= 63)
        return become_copy(f, i, i->arg[0]);
    return i->op == IR_eq && is_compare(a) && become_compare(f, i, opposite(a->op), a);
}

static bool simplify_compare(struct forward *f, struct ir_insn *i)
{
    uint64_t c;
    if (i->arg[0] == i->arg[1])
        return become_const(f, i, IR_I64, i->op == IR_eq || i->op == IR_ges || i->op == IR_geu);
    if (i->op == IR_ltu && arg_is(f, i, 0, 0)) {
        i->op = IR_ne;
        swap_args(i, 0, 1);
        return true;
    }
    return const_arg(f, i, 1, &c) && simplify_compare_const(f, i, c);
}

/* A condition (operand 0) that compares with 0 is the value compared, or its
 * opposite: operands 1 and 2 change places then. */
static bool simplify_condition(struct forward *f, struct ir_insn *i)
{
    const struct ir_insn *a = &f->insns[i->arg[0]];
    if ((a->op != IR_eq && a->op != IR_ne) || a->type != IR_I64 || !arg_is(f, a, 1, 0))
        return false;
    bool swap = a->op == IR_eq;
    set_arg(f, i, 0, a->arg[0]);
    if (swap)
        swap_args(i, 1, 2);
    return true;
}

static bool simplify_select(struct forward *f, struct ir_insn *i)
{
    uint64_t c;
    if (is_const(f, i->arg[0], &c))
        return become_copy(f, i, i->arg[c ? 1 : 2]);
    if (i->arg[1] == i->arg[2])
        return become_copy(f, i, i->arg[1]);
    if (i->type == IR_I64 && arg_is(f, i, 1, 1) && arg_is(f, i, 2, 0) &&
        f->facts[i->arg[0]].zeros >= 63)
        return become_copy(f, i, i->arg[0]);
    return simplify_condition(f, i);
}

static bool simplify_brif(struct forward *f, struct ir_insn *i)
{
    const struct ir_edge *yes = &f->u->edges[i->arg[1]], *no = &f->u->edges[i->arg[2]];
    uint64_t c = 0;
    if (!is_const(f, i->arg[0], &c) && (yes->block != no->block || yes->nargs || no->nargs))
        return simplify_condition(f, i);
    ir_ref edge = i->arg[c ? 1 : 2];
    set_arg(f, i, 0, IR_NONE);
    i->op = IR_br;
    i->arg[0] = edge;
    i->arg[1] = i->arg[2] = IR_NONE;
    return true;
}

static bool simplify_bits(struct forward *f, struct ir_insn *i)
{
    const struct ir_insn *a = &f->insns[i->arg[0]];
    if (type_of(f, i->arg[0]) == i->type)
        return become_copy(f, i, i->arg[0]);
    if (a->op != IR_bits)
        return false;
    set_arg(f, i, 0, a->arg[0]);
    return true;
}

static bool simplify_funbox(struct forward *f, struct ir_insn *i)
{
    const struct ir_insn *a = &f->insns[i->arg[0]];
    return a->op == IR_fbox && become_copy(f, i, a->arg[0]);
}

/* An address x + c moves c into the offset, modulo 2^64, while that stays in 32 bits. */
static bool simplify_address(struct forward *f, struct ir_insn *i)
{
    const struct ir_insn *a = &f->insns[i->arg[0]];
    uint64_t c;
    if (a->op != IR_add || a->type != IR_I64 || !is_const(f, a->arg[1], &c))
        return false;
    if ((int64_t)(i->imm + c) != (int32_t)(i->imm + c))
        return false;
    i->imm += c;
    set_arg(f, i, 0, a->arg[0]);
    return true;
}

static bool simplify(struct forward *f, struct ir_insn *i)
{
    switch (i->op) {
    case IR_add:
    case IR_sub:
        return simplify_add(f, i);
    case IR_mul:
    case IR_divu:
    case IR_divs:
    case IR_remu:
        return simplify_mul(f, i);
    case IR_and:
        return simplify_and(f, i);
    case IR_or:
        return simplify_or(f, i);
    case IR_xor:
        return simplify_xor(f, i);
    case IR_shl:
    case IR_shr:
    case IR_sar:
    case IR_rotl:
    case IR_rotr:
        return simplify_shift(f, i);
    case IR_sext8:
    case IR_sext16:
    case IR_sext32:
    case IR_zext8:
    case IR_zext16:
    case IR_zext32:
        return simplify_ext(f, i);
    case IR_eq:
    case IR_ne:
    case IR_lts:
    case IR_ges:
    case IR_ltu:
    case IR_geu:
        return simplify_compare(f, i);
    case IR_select:
        return simplify_select(f, i);
    case IR_brif:
        return simplify_brif(f, i);
    case IR_bits:
        return simplify_bits(f, i);
    case IR_funbox:
        return simplify_funbox(f, i);
    case IR_load:
    case IR_store:
        return simplify_address(f, i);
    default:
        return false;
    }
}

/* ---- constants and common values ---- */

static bool is_pure(const struct forward *f, const struct ir_insn *i)
{
    if (i->op == IR_call)
        return i->type != IR_VOID && !f->u->names->helpers[i->imm].effects;
    return !ir_ops[i->op].effects && i->op != IR_nop && i->op != IR_param && i->op != IR_copy;
}

static bool fold(struct forward *f, struct ir_insn *i)
{
    uint64_t c[3], v;
    unsigned nargs = ir_ops[i->op].nargs;
    if (ir_ops[i->op].effects || !nargs)
        return false;
    for (unsigned n = 0; n < nargs; n++)
        if (!is_const(f, i->arg[n], &c[n]))
            return false;
    if (!ir_eval(i->op, i->type, i->aux, c, &v))
        return false;
    return become_const(f, i, type_of(f, (ir_ref)(i - f->insns)), v);
}

/* A constant goes to the right, where the rules above look for it. */
static void order_operands(struct forward *f, struct ir_insn *i)
{
    switch (i->op) {
    case IR_add:
    case IR_mul:
    case IR_mulhu:
    case IR_mulhs:
    case IR_and:
    case IR_or:
    case IR_xor:
    case IR_eq:
    case IR_ne:
        if (f->insns[i->arg[0]].op == IR_const)
            swap_args(i, 0, 1);
        break;
    default:
        break;
    }
}

static bool same_insn(const struct ir_insn *a, const struct ir_insn *b)
{
    return a->op == b->op && a->type == b->type && a->aux == b->aux && a->imm == b->imm &&
           !memcmp(a->arg, b->arg, sizeof a->arg);
}

/* A copy of an equal value made before in this block, if there is one. */
static void find_common(struct forward *f, struct ir_insn *i)
{
    uint64_t h = i->op | (uint64_t)i->type << 8 | (uint64_t)i->aux << 16;
    h ^= (i->arg[0] + i->imm) * UINT64_C(0x9e3779b97f4a7c15);
    h ^= (i->arg[1] | (uint64_t)i->arg[2] << 32) * UINT64_C(0xd6e8feb86659fd93);
    h = (h ^ h >> 32) * UINT64_C(0xbf58476d1ce4e5b9);
    ir_ref *entry = &f->common[h >> (64 - f->common_bits)];
    if (*entry && *entry >= f->block_first && same_insn(&f->insns[*entry], i))
        become_copy(f, i, *entry);
    else
        *entry = (ir_ref)(i - f->insns);
}

/* ---- facts ---- */

static uint8_t min8(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

static uint8_t max8(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static void facts_of_memory(const struct ir_insn *i, struct fact *fact)
{
    uint8_t above = (uint8_t)(64 - 8 * IR_MO_BYTES(i->aux));
    if (i->aux & IR_MO_SIGN)
        fact->signs = above;
    else
        fact->zeros = above;
}

static void facts_of_shift(const struct forward *f, const struct ir_insn *i, struct fact *fact)
{
    uint64_t c;
    if (!is_const(f, i->arg[1], &c))
        return;
    c &= 63;
    if (i->op == IR_shr)
        fact->zeros = (uint8_t)(f->facts[i->arg[0]].zeros + c);
    else
        fact->signs = (uint8_t)(f->facts[i->arg[0]].signs + c);
    fact->zeros = min8(fact->zeros, 64);
    fact->signs = min8(fact->signs, 63);
}

static void facts_of_pair(const struct fact *a, const struct fact *b, struct fact *fact)
{
    fact->zeros = min8(a->zeros, b->zeros);
    fact->signs = min8(a->signs, b->signs);
}

/* Fills in what the instruction says of its i64 result. */
static void learn(struct forward *f, ir_ref at)
{
    const struct ir_insn *i = &f->insns[at];
    struct fact *fact = &f->facts[at];
    const struct fact *arg = f->facts;
    if (i->type != IR_I64 && ir_ops[i->op].result != IR_I64)
        return;
    switch (i->op) {
    case IR_const:
        fact->zeros = (uint8_t)(i->imm ? __builtin_clzll(i->imm) : 64);
        fact->signs = (uint8_t)__builtin_clrsbll((long long)i->imm);
        break;
    case IR_load:
        facts_of_memory(i, fact);
        break;
    case IR_sext8:
    case IR_sext16:
    case IR_sext32:
        fact->signs = (uint8_t)(64 - ext_width(i->op));
        break;
    case IR_zext8:
    case IR_zext16:
    case IR_zext32:
        fact->zeros = (uint8_t)(64 - ext_width(i->op));
        break;
    case IR_and:
        facts_of_pair(&arg[i->arg[0]], &arg[i->arg[1]], fact);
        fact->zeros = max8(arg[i->arg[0]].zeros, arg[i->arg[1]].zeros);
        break;
    case IR_or:
    case IR_xor:
        facts_of_pair(&arg[i->arg[0]], &arg[i->arg[1]], fact);
        break;
    case IR_select:
        facts_of_pair(&arg[i->arg[1]], &arg[i->arg[2]], fact);
        break;
    case IR_shr:
    case IR_sar:
        facts_of_shift(f, i, fact);
        break;
    case IR_clz:
    case IR_ctz:
    case IR_popcnt:
        fact->zeros = 57;
        break;
    default:
        if (is_compare(i) || i->op == IR_feq || i->op == IR_flt || i->op == IR_fle)
            fact->zeros = 63;
        break;
    }
    if (fact->zeros > fact->signs + 1)
        fact->signs = (uint8_t)(fact->zeros - 1);
}

/* ---- operands ---- */

/* What a value is a copy of. */
static ir_ref resolve(const struct forward *f, ir_ref v)
{
    const struct ir_insn *i = &f->insns[v];
    while (i->op == IR_copy && type_of(f, i->arg[0]) == i->type) {
        v = i->arg[0];
        i = &f->insns[v];
    }
    return v;
}

static void resolve_edge(struct forward *f, struct ir_edge *e)
{
    for (uint32_t n = 0; n < e->nargs; n++) {
        f->facts[e->args[n]].uses--;
        e->args[n] = resolve(f, e->args[n]);
        f->facts[e->args[n]].uses++;
    }
}

static void resolve_args(struct forward *f, struct ir_insn *i)
{
    const struct ir_op_info *info = &ir_ops[i->op];
    for (unsigned n = 0; n < info->nargs && i->arg[n] != IR_NONE; n++) {
        if (info->args[n] == 'e') {
            resolve_edge(f, &f->u->edges[i->arg[n]]);
            continue;
        }
        ir_ref v = resolve(f, i->arg[n]);
        /* 32-bit arithmetic does not care how its operands were extended. */
        if (info->args[n] == 't' && i->type == IR_I32 && ext_width(f->insns[v].op) == 32)
            v = f->insns[v].arg[0];
        if (v != i->arg[n])
            set_arg(f, i, n, v);
    }
}

/* ---- slots ---- */

static void forward_get(struct forward *f, struct ir_insn *i)
{
    struct known_slot *s = &f->slots[i->imm];
    if (s->epoch == f->epoch && type_of(f, s->value) == i->type)
        become_copy(f, i, s->value);
    else
        *s = (struct known_slot){(ir_ref)(i - f->insns), f->epoch};
}

static void forward_put(struct forward *f, struct ir_insn *i)
{
    struct known_slot *s = &f->slots[i->imm];
    if (s->epoch == f->epoch && s->value == i->arg[0]) {
        drop_args(f, i); /* the slot holds it already */
        *i = (struct ir_insn){.op = IR_nop, .arg = {IR_NONE, IR_NONE, IR_NONE}};
        return;
    }
    *s = (struct known_slot){i->arg[0], f->epoch};
}

static void forward_call(struct forward *f, const struct ir_insn *i)
{
    unsigned effects = f->u->names->helpers[i->imm].effects;
    if (effects & (IR_HELPER_WRITES | IR_HELPER_LEAVES))
        f->epoch++;
    else if (effects & IR_HELPER_READS)
        f->slots[f->u->names->pc_slot].epoch = 0; /* the engine has written it */
}

/* ---- the walk ---- */

static void forward_insn(struct forward *f, ir_ref at)
{
    enum { RULES = 8 }; /* a bound for one instruction; more are hardly ever possible */
    struct ir_insn *i = &f->insns[at];
    resolve_args(f, i);
    if (i->op == IR_get) {
        forward_get(f, i);
    } else if (i->op == IR_put) {
        forward_put(f, i);
    } else if (i->op == IR_call) {
        forward_call(f, i);
    } else {
        for (unsigned n = 0; n < RULES && !fold(f, i); n++) {
            order_operands(f, i);
            if (!simplify(f, i))
                break;
        }
    }
    if (is_pure(f, i))
        find_common(f, i);
    learn(f, at);
}

static void count_uses(struct forward *f)
{
    const struct ir_unit *u = f->u;
    for (ir_ref at = 0; at < u->ninsns; at++) {
        const struct ir_insn *i = &u->insns[at];
        const struct ir_op_info *info = &ir_ops[i->op];
        for (unsigned n = 0; n < info->nargs && i->arg[n] != IR_NONE; n++)
            if (info->args[n] != 'e')
                f->facts[i->arg[n]].uses++;
    }
    for (uint32_t e = 0; e < u->nedges; e++)
        for (uint32_t n = 0; n < u->edges[e].nargs; n++)
            f->facts[u->edges[e].args[n]].uses++;
}

void ir_opt_forward(struct ir_unit *u)
{
    struct forward f = {.u = u, .insns = u->insns, .common_bits = 5};
    while (f.common_bits < 10 && BIT(f.common_bits) < u->ninsns)
        f.common_bits++;
    f.facts = arena_array(u->arena, struct fact, u->ninsns);
    f.common = arena_array(u->arena, ir_ref, BIT(f.common_bits));
    f.slots = arena_array(u->arena, struct known_slot, u->names ? u->names->nslots : 0);
    count_uses(&f);
    for (uint32_t b = 0; b < u->nblocks; b++) {
        f.epoch++;
        f.block_first = u->blocks[b].first;
        for (ir_ref at = u->blocks[b].first; at < u->blocks[b].end; at++)
            forward_insn(&f, at);
    }
}
