/*
 * opt_forward.c - folding: constants, algebra, common values, and gets of
 * registers whose value is known.
 *
 * Each instruction is looked at once, before it is appended to the unit: by
 * ir_emit in a unit that is folded as it is built, or in a walk over one that
 * was not.  One that is not needed is not appended; its users get the value that
 * it comes to.  What is known of slots, and which values are common, holds within a
 * block; everything else wherever a value can be used at all.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "ir/build.h"

enum { COMMON_BITS = 9, KNOWN_DEPTH = 6 };

struct known_slot {
    ir_ref value;
    uint64_t epoch; /* valid if it is the fold's, which never comes again */
};

/* Nothing in it has to be cleared for another unit: slots go by the epoch, and a common value is
 * compared with the instruction at hand. */
struct ir_fold {
    struct ir_unit *u;
    uint64_t epoch;
    ir_ref block_first;
    ir_ref common[1 << COMMON_BITS]; /* hash table: the latest value */
    struct known_slot slots[];
};

/* ---- looking at values ---- */

static const struct ir_insn *insn_of(const struct ir_fold *f, ir_ref v)
{
    return &f->u->insns[v];
}

static enum ir_type type_of(const struct ir_fold *f, ir_ref v)
{
    return ir_type_of(f->u, v);
}

/* The type of an instruction's result. */
static enum ir_type result_type(const struct ir_insn *i)
{
    return ir_ops[i->op].result < 0 ? i->type : (enum ir_type)ir_ops[i->op].result;
}

static bool is_const(const struct ir_fold *f, ir_ref v, uint64_t *out)
{
    const struct ir_insn *i = insn_of(f, v);
    if (i->op != IR_const)
        return false;
    *out = i->imm;
    return true;
}

/* A constant operand, cut to the instruction's width. */
static bool const_arg(const struct ir_fold *f, const struct ir_insn *i, unsigned n, uint64_t *out)
{
    if (!is_const(f, i->arg[n], out))
        return false;
    if (i->type == IR_I32)
        *out = (uint32_t)*out;
    return true;
}

static bool arg_is(const struct ir_fold *f, const struct ir_insn *i, unsigned n, uint64_t value)
{
    uint64_t c;
    return const_arg(f, i, n, &c) && c == value;
}

/* The instruction that makes operand n, if that is `op` of the same type. */
static const struct ir_insn *arg_insn(const struct ir_fold *f, const struct ir_insn *i, unsigned n,
                                      enum ir_op op)
{
    const struct ir_insn *a = insn_of(f, i->arg[n]);
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

/* ---- what is known of a value ---- */

/* All 0: nothing. */
struct upper_bits {
    uint8_t zeros; /* an i64's upper bits that are 0 */
    uint8_t signs; /* its upper bits, without the highest, that equal the highest */
};

static struct upper_bits upper_bits(const struct ir_fold *f, ir_ref v, unsigned depth);

static uint8_t min8(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

static uint8_t max8(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static struct upper_bits upper_of_memory(const struct ir_insn *i)
{
    uint8_t above = (uint8_t)(64 - 8 * IR_MO_BYTES(i->aux));
    return i->aux & IR_MO_SIGN ? (struct upper_bits){.signs = above}
                               : (struct upper_bits){.zeros = above};
}

static struct upper_bits upper_of_shift(const struct ir_fold *f, const struct ir_insn *i,
                                        unsigned depth)
{
    uint64_t c;
    if (!is_const(f, i->arg[1], &c))
        return (struct upper_bits){0};
    c &= 63;
    struct upper_bits a = upper_bits(f, i->arg[0], depth);
    return i->op == IR_shr ? (struct upper_bits){.zeros = min8((uint8_t)(a.zeros + c), 64)}
                           : (struct upper_bits){.signs = min8((uint8_t)(a.signs + c), 63)};
}

/* Of what has the upper bits of one value, the other, or a mixture. */
static struct upper_bits upper_of_pair(const struct ir_fold *f, ir_ref v, ir_ref w, bool is_and,
                                       unsigned depth)
{
    struct upper_bits a = upper_bits(f, v, depth), b = upper_bits(f, w, depth);
    return (struct upper_bits){.zeros = (is_and ? max8 : min8)(a.zeros, b.zeros),
                               .signs = min8(a.signs, b.signs)};
}

static struct upper_bits upper_of_insn(const struct ir_fold *f, const struct ir_insn *i,
                                       unsigned depth)
{
    switch (i->op) {
    case IR_const:
        return (struct upper_bits){.zeros = (uint8_t)(i->imm ? __builtin_clzll(i->imm) : 64),
                                   .signs = (uint8_t)__builtin_clrsbll((long long)i->imm)};
    case IR_load:
        return upper_of_memory(i);
    case IR_sext8:
    case IR_sext16:
    case IR_sext32:
        return (struct upper_bits){.signs = (uint8_t)(64 - ext_width(i->op))};
    case IR_zext8:
    case IR_zext16:
    case IR_zext32:
        return (struct upper_bits){.zeros = (uint8_t)(64 - ext_width(i->op))};
    case IR_and:
    case IR_or:
    case IR_xor:
        return upper_of_pair(f, i->arg[0], i->arg[1], i->op == IR_and, depth);
    case IR_select:
        return upper_of_pair(f, i->arg[1], i->arg[2], false, depth);
    case IR_shr:
    case IR_sar:
        return upper_of_shift(f, i, depth);
    case IR_clz:
    case IR_ctz:
    case IR_popcnt:
        return (struct upper_bits){.zeros = 57};
    case IR_feq:
    case IR_flt:
    case IR_fle:
        return (struct upper_bits){.zeros = 63};
    default:
        return (struct upper_bits){.zeros = is_compare(i) ? 63 : 0};
    }
}

static struct upper_bits upper_bits(const struct ir_fold *f, ir_ref v, unsigned depth)
{
    const struct ir_insn *i = insn_of(f, v);
    struct upper_bits u = {0};
    if (!depth || result_type(i) != IR_I64)
        return u;
    u = upper_of_insn(f, i, depth - 1);
    if (u.zeros > u.signs + 1)
        u.signs = (uint8_t)(u.zeros - 1);
    return u;
}

/* ---- what rules give ---- */

/* The value that an instruction comes to, or one of these. */
enum { SAME = IR_NONE, CHANGED = IR_NONE - 1 };

/* An instruction without operands. */
static struct ir_insn plain(enum ir_op op, enum ir_type type, uint64_t imm)
{
    return (struct ir_insn){
        .op = (uint8_t)op, .type = (uint8_t)type, .arg = {IR_NONE, IR_NONE, IR_NONE}, .imm = imm};
}

ir_ref ir_fold_const(struct ir_fold *f, enum ir_type type, uint64_t value)
{
    if (type == IR_I32 || type == IR_F32)
        value = (uint32_t)value;
    uint64_t h = (value + type) * UINT64_C(0x9e3779b97f4a7c15);
    ir_ref *entry = &f->common[h >> (64 - COMMON_BITS)];
    if (*entry >= f->block_first && *entry < f->u->ninsns) {
        const struct ir_insn *i = insn_of(f, *entry);
        if (i->op == IR_const && i->imm == value && i->type == type)
            return *entry;
    }
    struct ir_insn c = plain(IR_const, type, value);
    return *entry = ir_append(f->u, &c);
}

/* Makes *i another operation on at most two values. */
static ir_ref become(struct ir_insn *i, unsigned op, ir_ref a, ir_ref b)
{
    i->op = (uint8_t)op;
    i->arg[0] = a;
    i->arg[1] = b;
    i->arg[2] = IR_NONE;
    return CHANGED;
}

/* v; where *i is of another type, a copy of it. */
static ir_ref value_of(const struct ir_fold *f, struct ir_insn *i, ir_ref v)
{
    enum ir_type type = result_type(i);
    if (type_of(f, v) == type)
        return v;
    i->type = (uint8_t)type;
    i->aux = 0;
    i->imm = 0;
    return become(i, IR_copy, v, IR_NONE);
}

/* A comparison of what another one compares; the result is an i64 either way. */
static ir_ref become_compare(struct ir_insn *i, uint8_t op, const struct ir_insn *like)
{
    i->type = like->type;
    return become(i, op, like->arg[0], like->arg[1]);
}

/* Gives the constant operand n another value. */
static void change_const(struct ir_fold *f, struct ir_insn *i, unsigned n, uint64_t value)
{
    i->arg[n] = ir_fold_const(f, insn_of(f, i->arg[n])->type, value);
}

static void swap_args(struct ir_insn *i, unsigned a, unsigned b)
{
    ir_ref v = i->arg[a];
    i->arg[a] = i->arg[b];
    i->arg[b] = v;
}

/* ---- algebra ---- */

/* (y op c1) op c2 is y op (c1 op c2). */
static ir_ref merge_consts(struct ir_fold *f, struct ir_insn *i)
{
    const struct ir_insn *a = arg_insn(f, i, 0, i->op);
    uint64_t c[2], v = 0;
    if (!a || !const_arg(f, i, 1, &c[1]) || !const_arg(f, a, 1, &c[0]))
        return SAME;
    ir_eval(i->op, i->type, 0, c, &v);
    i->arg[0] = a->arg[0];
    change_const(f, i, 1, v);
    return CHANGED;
}

/* What joins x, shifted to either side by as many bits as there are in all, turns it. */
static ir_ref shifts_to_rotate(const struct ir_fold *f, struct ir_insn *i)
{
    unsigned left = insn_of(f, i->arg[0])->op != IR_shl;
    const struct ir_insn *l = arg_insn(f, i, left, IR_shl), *r = arg_insn(f, i, !left, IR_shr);
    uint64_t n = i->type == IR_I32 ? 32 : 64, by[2];
    if (!l || !r || l->arg[0] != r->arg[0] || !is_const(f, l->arg[1], &by[0]) ||
        !is_const(f, r->arg[1], &by[1]) || (by[0] & (n - 1)) + (by[1] & (n - 1)) != n)
        return SAME;
    return become(i, IR_rotl, l->arg[0], l->arg[1]);
}

static ir_ref fold_value(struct ir_fold *f, struct ir_insn *i);

/* Logic of two values that were extended from 32 bits is done before that. */
static ir_ref extend_late(struct ir_fold *f, struct ir_insn *i)
{
    const struct ir_insn *a = insn_of(f, i->arg[0]), *b = insn_of(f, i->arg[1]);
    struct ir_insn low = *i;
    if (i->type != IR_I64 || a->op != IR_sext32 || b->op != IR_sext32)
        return SAME;
    low.type = IR_I32;
    become(&low, i->op, a->arg[0], b->arg[0]);
    return become(i, IR_sext32, fold_value(f, &low), IR_NONE);
}

/* and, or, xor of two values that are not constant. */
static ir_ref simplify_logic(struct ir_fold *f, struct ir_insn *i)
{
    ir_ref v = i->op == IR_and ? SAME : shifts_to_rotate(f, i);
    return v == SAME ? extend_late(f, i) : v;
}

static ir_ref simplify_add(struct ir_fold *f, struct ir_insn *i)
{
    uint64_t c;
    if (i->op == IR_sub && i->arg[0] == i->arg[1])
        return ir_fold_const(f, i->type, 0);
    if (!const_arg(f, i, 1, &c))
        return i->op == IR_add ? shifts_to_rotate(f, i) : SAME;
    if (c == 0)
        return value_of(f, i, i->arg[0]);
    if (i->op == IR_add)
        return merge_consts(f, i);
    change_const(f, i, 1, -c);
    i->op = IR_add;
    return CHANGED;
}

/* Multiplication and division by 1 and powers of two. */
static ir_ref simplify_mul(struct ir_fold *f, struct ir_insn *i)
{
    uint64_t c;
    if (!const_arg(f, i, 1, &c))
        return SAME;
    if (c == 0)
        return i->op == IR_mul ? ir_fold_const(f, i->type, 0) : SAME;
    if (c == 1)
        return i->op == IR_remu ? ir_fold_const(f, i->type, 0) : value_of(f, i, i->arg[0]);
    if (!bits_pow2(c) || i->op == IR_divs)
        return SAME;
    change_const(f, i, 1, i->op == IR_remu ? c - 1 : (unsigned)__builtin_ctzll(c));
    i->op = i->op == IR_mul ? IR_shl : i->op == IR_divu ? IR_shr : IR_and;
    return CHANGED;
}

static ir_ref simplify_and(struct ir_fold *f, struct ir_insn *i)
{
    uint64_t c, may = i->type == IR_I32 ? UINT32_MAX : UINT64_MAX;
    if (i->arg[0] == i->arg[1])
        return value_of(f, i, i->arg[0]);
    if (!const_arg(f, i, 1, &c))
        return simplify_logic(f, i);
    if (c == 0)
        return ir_fold_const(f, i->type, 0);
    if (i->type == IR_I64)
        may >>= upper_bits(f, i->arg[0], KNOWN_DEPTH).zeros & 63;
    return (c & may) == may ? value_of(f, i, i->arg[0]) : merge_consts(f, i);
}

static ir_ref simplify_or(struct ir_fold *f, struct ir_insn *i)
{
    uint64_t c, all = i->type == IR_I32 ? UINT32_MAX : UINT64_MAX;
    if (i->arg[0] == i->arg[1])
        return value_of(f, i, i->arg[0]);
    if (!const_arg(f, i, 1, &c))
        return simplify_logic(f, i);
    if (c == all)
        return ir_fold_const(f, i->type, all);
    return c == 0 ? value_of(f, i, i->arg[0]) : merge_consts(f, i);
}

static ir_ref simplify_xor(struct ir_fold *f, struct ir_insn *i)
{
    const struct ir_insn *a = insn_of(f, i->arg[0]);
    uint64_t c;
    if (i->arg[0] == i->arg[1])
        return ir_fold_const(f, i->type, 0);
    if (!const_arg(f, i, 1, &c))
        return simplify_logic(f, i);
    if (c == 0)
        return value_of(f, i, i->arg[0]);
    if (c == 1 && i->type == IR_I64 && is_compare(a))
        return become_compare(i, opposite(a->op), a);
    return merge_consts(f, i);
}

/* A shift to the left and back by the same count extends. */
static ir_ref shifts_to_ext(struct ir_fold *f, struct ir_insn *i, unsigned count)
{
    const struct ir_insn *a = arg_insn(f, i, 0, IR_shl);
    bool sign = i->op == IR_sar;
    uint64_t c;
    if (!a || i->type != IR_I64 || i->op == IR_shl || !is_const(f, a->arg[1], &c) ||
        (c & 63) != count)
        return SAME;
    if (count == 32)
        return become(i, sign ? IR_sext32 : IR_zext32, a->arg[0], IR_NONE);
    if (count == 48)
        return become(i, sign ? IR_sext16 : IR_zext16, a->arg[0], IR_NONE);
    if (count == 56)
        return become(i, sign ? IR_sext8 : IR_zext8, a->arg[0], IR_NONE);
    return SAME;
}

static ir_ref simplify_shift(struct ir_fold *f, struct ir_insn *i)
{
    uint64_t c;
    if (arg_is(f, i, 0, 0))
        return ir_fold_const(f, i->type, 0);
    if (!is_const(f, i->arg[1], &c))
        return SAME;
    c &= i->type == IR_I32 ? 31 : 63;
    if (c == 0)
        return value_of(f, i, i->arg[0]);
    return i->op == IR_shr || i->op == IR_sar ? shifts_to_ext(f, i, (unsigned)c) : SAME;
}

/* What has the same low `width` (at most 32) bits as v and was made before it. */
static ir_ref low_bits_of(const struct ir_fold *f, ir_ref v, unsigned width)
{
    const struct ir_insn *i = insn_of(f, v);
    uint64_t c;
    if (ext_width(i->op) >= width || i->op == IR_copy)
        return i->arg[0];
    if (i->op == IR_and && is_const(f, i->arg[1], &c) && !(~c & bits_mask(width)))
        return i->arg[0];
    return v;
}

static ir_ref simplify_ext(struct ir_fold *f, struct ir_insn *i)
{
    unsigned width = ext_width(i->op);
    bool sign = i->op == IR_sext8 || i->op == IR_sext16 || i->op == IR_sext32;
    if (i->type == IR_I64 && type_of(f, i->arg[0]) == IR_I64) {
        struct upper_bits a = upper_bits(f, i->arg[0], KNOWN_DEPTH);
        if ((sign ? a.signs : a.zeros) >= 64 - width)
            return i->arg[0];
    }
    ir_ref v = low_bits_of(f, i->arg[0], width);
    if (v == i->arg[0])
        return SAME;
    i->arg[0] = v;
    return CHANGED;
}

/* Comparisons with 0 and 1 of things that are comparisons, differences or unsigned. */
static ir_ref simplify_compare_const(struct ir_fold *f, struct ir_insn *i, uint64_t c)
{
    const struct ir_insn *a = insn_of(f, i->arg[0]);
    if (c == 0 && (i->op == IR_ltu || i->op == IR_geu))
        return ir_fold_const(f, IR_I64, i->op == IR_geu);
    if (c == 1 && (i->op == IR_ltu || i->op == IR_geu)) {
        change_const(f, i, 1, 0);
        i->op = i->op == IR_ltu ? IR_eq : IR_ne;
        return CHANGED;
    }
    if (c != 0 || (i->op != IR_eq && i->op != IR_ne))
        return SAME;
    if ((a->op == IR_xor || a->op == IR_sub) && a->type == i->type)
        return become_compare(i, i->op, a);
    if (i->type != IR_I64)
        return SAME;
    if (i->op == IR_ne && upper_bits(f, i->arg[0], KNOWN_DEPTH).zeros >= 63)
        return i->arg[0];
    return i->op == IR_eq && is_compare(a) ? become_compare(i, opposite(a->op), a) : SAME;
}

static ir_ref simplify_compare(struct ir_fold *f, struct ir_insn *i)
{
    uint64_t c;
    if (i->arg[0] == i->arg[1])
        return ir_fold_const(f, IR_I64, i->op == IR_eq || i->op == IR_ges || i->op == IR_geu);
    if (i->op == IR_ltu && arg_is(f, i, 0, 0)) {
        i->op = IR_ne;
        swap_args(i, 0, 1);
        return CHANGED;
    }
    return const_arg(f, i, 1, &c) ? simplify_compare_const(f, i, c) : SAME;
}

/* A condition (operand 0) that compares with 0 is the value compared, or its
 * opposite: operands 1 and 2 change places then. */
static ir_ref simplify_condition(struct ir_fold *f, struct ir_insn *i)
{
    const struct ir_insn *a = insn_of(f, i->arg[0]);
    if ((a->op != IR_eq && a->op != IR_ne) || a->type != IR_I64 || !arg_is(f, a, 1, 0))
        return SAME;
    i->arg[0] = a->arg[0];
    if (a->op == IR_eq)
        swap_args(i, 1, 2);
    return CHANGED;
}

static ir_ref simplify_select(struct ir_fold *f, struct ir_insn *i)
{
    uint64_t c;
    if (is_const(f, i->arg[0], &c))
        return value_of(f, i, i->arg[c ? 1 : 2]);
    if (i->arg[1] == i->arg[2])
        return value_of(f, i, i->arg[1]);
    if (i->type == IR_I64 && arg_is(f, i, 1, 1) && arg_is(f, i, 2, 0) &&
        upper_bits(f, i->arg[0], KNOWN_DEPTH).zeros >= 63)
        return i->arg[0];
    return simplify_condition(f, i);
}

static ir_ref simplify_brif(struct ir_fold *f, struct ir_insn *i)
{
    const struct ir_edge *yes = &f->u->edges[i->arg[1]], *no = &f->u->edges[i->arg[2]];
    uint64_t c = 0;
    if (!is_const(f, i->arg[0], &c) && (yes->block != no->block || yes->nargs || no->nargs))
        return simplify_condition(f, i);
    return become(i, IR_br, i->arg[c ? 1 : 2], IR_NONE);
}

static ir_ref simplify_bits(struct ir_fold *f, struct ir_insn *i)
{
    const struct ir_insn *a = insn_of(f, i->arg[0]);
    if (type_of(f, i->arg[0]) == i->type)
        return i->arg[0];
    if (a->op != IR_bits)
        return SAME;
    i->arg[0] = a->arg[0];
    return CHANGED;
}

static ir_ref simplify_funbox(struct ir_fold *f, struct ir_insn *i)
{
    const struct ir_insn *a = insn_of(f, i->arg[0]);
    return a->op == IR_fbox ? value_of(f, i, a->arg[0]) : SAME;
}

/* An address x + c moves c into the offset, modulo 2^64, while that stays in 32 bits. */
static ir_ref simplify_address(struct ir_fold *f, struct ir_insn *i)
{
    const struct ir_insn *a = insn_of(f, i->arg[0]);
    uint64_t c;
    if (a->op != IR_add || a->type != IR_I64 || !is_const(f, a->arg[1], &c))
        return SAME;
    if ((int64_t)(i->imm + c) != (int32_t)(i->imm + c))
        return SAME;
    i->imm += c;
    i->arg[0] = a->arg[0];
    return CHANGED;
}

static ir_ref simplify(struct ir_fold *f, struct ir_insn *i)
{
    switch (i->op) {
    case IR_copy:
        return type_of(f, i->arg[0]) == i->type ? i->arg[0] : SAME;
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
        return SAME;
    }
}

/* ---- constants and common values ---- */

/* Its value, if all operands are constants. */
static ir_ref eval(struct ir_fold *f, const struct ir_insn *i)
{
    uint64_t c[3], v;
    unsigned nargs = ir_ops[i->op].nargs;
    if (ir_ops[i->op].effects || !nargs)
        return SAME;
    for (unsigned n = 0; n < nargs; n++)
        if (!is_const(f, i->arg[n], &c[n]))
            return SAME;
    return ir_eval(i->op, i->type, i->aux, c, &v) ? ir_fold_const(f, result_type(i), v) : SAME;
}

/* A constant goes to the right, where the rules above look for it. */
static void order_operands(const struct ir_fold *f, struct ir_insn *i)
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
        if (insn_of(f, i->arg[0])->op == IR_const)
            swap_args(i, 0, 1);
        break;
    default:
        break;
    }
}

/* 32-bit arithmetic does not care how its operands were extended. */
static void drop_extensions(const struct ir_fold *f, struct ir_insn *i)
{
    const char *letters = ir_ops[i->op].args;
    for (unsigned n = 0; letters[n]; n++)
        if (letters[n] == 't' && ext_width(insn_of(f, i->arg[n])->op) == 32)
            i->arg[n] = insn_of(f, i->arg[n])->arg[0];
}

static bool same_insn(const struct ir_insn *a, const struct ir_insn *b)
{
    return a->op == b->op && a->type == b->type && a->aux == b->aux && a->imm == b->imm &&
           a->arg[0] == b->arg[0] && a->arg[1] == b->arg[1] && a->arg[2] == b->arg[2];
}

/* An equal value made before in this block, or a new one. */
static ir_ref common_value(struct ir_fold *f, const struct ir_insn *i)
{
    uint64_t h = (i->op | (uint64_t)i->type << 8 | (uint64_t)i->aux << 16) + i->imm;
    h = (h ^ i->arg[0] ^ (uint64_t)i->arg[1] << 21 ^ (uint64_t)i->arg[2] << 42) *
        UINT64_C(0x9e3779b97f4a7c15);
    ir_ref *entry = &f->common[h >> (64 - COMMON_BITS)];
    if (*entry >= f->block_first && *entry < f->u->ninsns && same_insn(insn_of(f, *entry), i))
        return *entry;
    return *entry = ir_append(f->u, i);
}

/* ---- slots ---- */

ir_ref ir_fold_get(struct ir_fold *f, enum ir_type type, uint32_t slot)
{
    struct known_slot *s = &f->slots[slot];
    if (s->epoch != f->epoch || type_of(f, s->value) != type) {
        struct ir_insn i = plain(IR_get, type, slot);
        *s = (struct known_slot){ir_append(f->u, &i), f->epoch};
    }
    return s->value;
}

static bool looks_behind(const struct ir_fold *f, ir_ref v)
{
    for (ir_ref at = v + 1; at < f->u->ninsns; at++)
        if (ir_ops[insn_of(f, at)->op].effects & (IR_FX_FAULT | IR_FX_CALL))
            return true;
    return false;
}

/* (x + c) + y, just made, which takes the place of x + c before that was seen, is (x + y) + c: an
 * address takes c in. */
static ir_ref constant_last(struct ir_fold *f, ir_ref old, ir_ref value)
{
    const struct ir_insn *sum = insn_of(f, value), *first = insn_of(f, old);
    uint64_t c;
    if (value + 1 != f->u->ninsns || sum->op != IR_add || sum->type != IR_I64 ||
        first->op != IR_add || first->type != IR_I64 || !is_const(f, first->arg[1], &c) ||
        (sum->arg[0] != old) == (sum->arg[1] != old) || looks_behind(f, old))
        return value;
    struct ir_insn i = plain(IR_add, IR_I64, 0), last = i;
    become(&i, IR_add, first->arg[0], sum->arg[sum->arg[0] == old]);
    become(&last, IR_add, IR_NONE, first->arg[1]);
    last.arg[0] = fold_value(f, &i);
    return fold_value(f, &last);
}

ir_ref ir_fold_put(struct ir_fold *f, uint32_t slot, ir_ref value)
{
    struct known_slot *s = &f->slots[slot];
    if (s->epoch == f->epoch) {
        if (s->value == value)
            return IR_NONE; /* the slot holds it already */
        value = constant_last(f, s->value, value);
    }
    struct ir_insn i = plain(IR_put, IR_VOID, slot);
    i.arg[0] = value;
    *s = (struct known_slot){value, f->epoch};
    return ir_append(f->u, &i);
}

static ir_ref fold_call(struct ir_fold *f, const struct ir_insn *i)
{
    unsigned effects = f->u->names->helpers[i->imm].effects;
    if (!effects && i->type != IR_VOID)
        return common_value(f, i);
    if (effects & (IR_HELPER_WRITES | IR_HELPER_LEAVES))
        f->epoch++;
    else if (effects & IR_HELPER_READS)
        f->slots[f->u->names->pc_slot].epoch = 0; /* the engine has written it */
    return ir_append(f->u, i);
}

/* ---- the whole ---- */

/* Apart, so that shorter ways need not save registers for it. */
static __attribute__((noinline)) ir_ref fold_value(struct ir_fold *f, struct ir_insn *i)
{
    enum { RULES = 8 }; /* a bound for one instruction; more are hardly ever possible */
    ir_ref v = CHANGED;
    for (unsigned n = 0; n < RULES && v == CHANGED; n++) {
        if (i->type == IR_I32)
            drop_extensions(f, i);
        v = eval(f, i);
        if (v != SAME)
            return v;
        order_operands(f, i);
        v = simplify(f, i);
    }
    if (v != SAME && v != CHANGED)
        return v;
    bool pure = !ir_ops[i->op].effects && i->op != IR_copy;
    return pure ? common_value(f, i) : ir_append(f->u, i);
}

ir_ref ir_fold_insn(struct ir_fold *f, struct ir_insn *i)
{
    switch (i->op) {
    case IR_nop:
        return IR_NONE;
    case IR_const:
        return ir_fold_const(f, i->type, i->imm);
    case IR_get:
        return ir_fold_get(f, i->type, (uint32_t)i->imm);
    case IR_put:
        return ir_fold_put(f, (uint32_t)i->imm, i->arg[0]);
    case IR_call:
        return fold_call(f, i);
    case IR_param:
        return ir_append(f->u, i);
    default:
        return fold_value(f, i);
    }
}

void ir_fold_block(struct ir_fold *f)
{
    f->epoch++;
    f->block_first = f->u->ninsns;
}

static size_t fold_size(const struct ir_names *names)
{
    return sizeof(struct ir_fold) + (names ? names->nslots : 0) * sizeof(struct known_slot);
}

struct ir_fold *ir_fold_new(const struct ir_names *names)
{
    return xcalloc(1, fold_size(names));
}

void ir_fold_free(struct ir_fold *f)
{
    free(f);
}

void ir_unit_fold(struct ir_unit *u, struct ir_fold *f)
{
    assert(!u->nblocks);
    u->fold = f;
    f->u = u;
}

/* Appends the instructions of `from` anew, folded; to: what became of each. */
static void rebuild(struct ir_unit *u, const struct ir_unit *from, ir_ref *to)
{
    for (uint32_t b = 0; b < from->nblocks; b++) {
        struct ir_block block = from->blocks[b];
        ir_block_begin(u);
        for (ir_ref at = block.first; at < block.end; at++) {
            struct ir_insn i = from->insns[at];
            ir_rename_args(&i, to);
            to[at] = ir_emit(u, i.op, i.type, i.arg[0], i.arg[1], i.arg[2], i.imm, i.aux);
        }
    }
}

void ir_opt_forward(struct ir_unit *u)
{
    if (u->fold)
        return; /* done as it was built */
    struct ir_unit from = *u;
    ir_ref *to = arena_array_raw(u->arena, ir_ref, u->ninsns);
    u->insns = NULL;
    u->blocks = NULL;
    u->lives = NULL;
    u->ninsns = u->insns_cap = u->nblocks = u->blocks_cap = u->guest_insns = 0;
    ir_unit_fold(u, arena_alloc(u->arena, fold_size(u->names)));
    rebuild(u, &from, to);
    u->fold = NULL;
    u->pc = from.pc;
    ir_rename_edges(u, to);
}
