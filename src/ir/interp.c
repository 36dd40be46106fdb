/*
 * interp.c - runs a unit.
 *
 * Each instruction jumps to the code of the next.  An operation has two pieces
 * of code: x_ for types of 64 bits (and none), w_ for those of 32.  Values of
 * 32 bits have zeros above them in scratch.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/bits.h"
#include "ir/arith.h"
#include "ir/ir.h"
#include "softfloat/softfloat.h"

/* Gives the parameters of the edge's block their values.  All are read before
 * any is written, as arguments may be parameters of the same block. */
static void pass_args(uint64_t *scratch, const struct ir_edge *e, uint64_t *params)
{
    uint64_t values[IR_EDGE_ARGS_MAX];
    for (uint32_t n = 0; n < e->nargs; n++)
        values[n] = scratch[e->args[n]];
    memcpy(params, values, e->nargs * sizeof *values);
}

static uint64_t call_helper(const struct ir_helper *h, const struct ir_insn *i, void *cpu,
                            const uint64_t *scratch)
{
    uint64_t arg[3] = {0};
    for (unsigned n = 0; n < h->nargs; n++)
        arg[n] = scratch[i->arg[n]];
    return h->fn(cpu, arg[0], arg[1], arg[2]);
}

/* Where an instruction's code is: by op, and behind all of those by op for the
 * types of 32 bits.  Read at once from the struct's first two bytes. */
enum { NARROW = 1 << 8 };
static_assert(offsetof(struct ir_insn, op) == 0 && offsetof(struct ir_insn, type) == 1, "code_key");
static_assert(IR_I32 % 2 == 1 && IR_F32 % 2 == 1 && IR_I64 % 2 == 0 && IR_F64 % 2 == 0 &&
                  IR_VOID % 2 == 0,
              "types of 32 bits have odd numbers");

static inline unsigned code_key(const struct ir_insn *i)
{
    return bits_load_le(i, 2) & (2 * NARROW - 1);
}

/* Dispatch: `i` is the instruction, `d` where its result goes. */
#define DISPATCH goto *code[code_key(i)]
#define NEXT                                                                                       \
    do {                                                                                           \
        i++;                                                                                       \
        d++;                                                                                       \
        DISPATCH;                                                                                  \
    } while (0)

/* Operands: bits; 64 and 32 bits, unsigned and signed. */
#define V(n)  scratch[i->arg[n]]
#define U(n)  V(n)
#define S(n)  ((int64_t)V(n))
#define U3(n) ((uint32_t)V(n))
#define S3(n) ((int32_t)V(n))

#define BOTH(name) x_##name : w_##name:

#define SET64(value)                                                                               \
    *d = (uint64_t)(value);                                                                        \
    NEXT

#define SET32(value)                                                                               \
    *d = (uint32_t)(value);                                                                        \
    NEXT

/* The same expression in both widths. */
#define UNSIGNED(name, op)                                                                         \
    x_##name : SET64(U(0) op U(1));                                                                \
    w_##name : SET32(U3(0) op U3(1))

#define COMPARE(name, X, W, op)                                                                    \
    x_##name : SET64(X(0) op X(1));                                                                \
    w_##name : SET64(W(0) op W(1))

#define WIDTHS(name, wide, narrow)                                                                 \
    x_##name : SET64(wide);                                                                        \
    w_##name : SET32(narrow)

/* Floating point: softfloat's functions, with the flags that they raise. */
#define FP_BEGIN struct sf_env env = {.rm = i->aux & IR_RM}
#define FP_END                                                                                     \
    *fp_flags |= env.flags;                                                                        \
    NEXT

#define FP2(name, fn)                                                                              \
    x_##name:                                                                                      \
    {                                                                                              \
        FP_BEGIN;                                                                                  \
        *d = fn##64(V(0), V(1), &env);                                                             \
        FP_END;                                                                                    \
    }                                                                                              \
    w_##name:                                                                                      \
    {                                                                                              \
        FP_BEGIN;                                                                                  \
        *d = fn##32(U3(0), U3(1), &env);                                                           \
        FP_END;                                                                                    \
    }

/* The rarer ones, by way of ir_eval_fp. */
#define FP_EVAL(from, a, b, c)                                                                     \
    *d = ir_eval_fp(i->op, i->type, from, i->aux, a, b, c, fp_flags);                              \
    NEXT

enum ir_exit ir_interp(const struct ir_unit *u, void *cpu, const struct ir_host *host,
                       uint64_t *scratch, uint64_t *pc)
{
    static const void *const code[2 * NARROW] = {
#define IR_OP(name, result, args, effects)                                                         \
    [IR_##name] = &&x_##name, [IR_##name + NARROW] = &&w_##name,
#include "ir/ops.def"
#undef IR_OP
    };
    char *state = cpu;
    int64_t *budget = (int64_t *)(state + host->budget_offset);
    uint8_t *fp_flags = (uint8_t *)state + host->flags_offset;
    const struct ir_slot *slots = u->names ? u->names->slots : NULL;
    const struct ir_insn *i = u->insns;
    uint64_t *d = scratch;
    uint64_t now = u->pc; /* of the current guest instruction */
    const struct ir_edge *edge;

    DISPATCH;

    BOTH(nop)
    NEXT;

    BOTH(const)
    SET64(i->imm);

    BOTH(param) /* set by the edge */
    NEXT;

    WIDTHS(copy, U(0), U(0));

x_get:
    memcpy(d, state + slots[i->imm].offset, 8);
    NEXT;
w_get : {
    uint32_t v;
    memcpy(&v, state + slots[i->imm].offset, 4);
    SET32(v);
}
    BOTH(put)
    {
        const struct ir_slot *slot = &slots[i->imm];
        if (slot->type & 1)
            memcpy(state + slot->offset, &V(0), 4);
        else
            memcpy(state + slot->offset, &V(0), 8);
        NEXT;
    }

    BOTH(insn)
    now = i->imm;
    if (*budget <= 0) {
        *pc = now;
        return IR_EXIT_BUDGET;
    }
    --*budget;
    NEXT;

    UNSIGNED(add, +);
    UNSIGNED(sub, -);
    UNSIGNED(mul, *);
    BOTH(mulhu)
    SET64((unsigned __int128)U(0) * U(1) >> 64);
    BOTH(mulhs)
    SET64((__int128)S(0) * S(1) >> 64);
    WIDTHS(divu, ir_divu(U(0), U(1)), ir_divu(U3(0), U3(1)));
    WIDTHS(divs, ir_divs(S(0), S(1)), ir_divs(S3(0), S3(1)));
    WIDTHS(remu, ir_remu(U(0), U(1)), ir_remu(U3(0), U3(1)));
    WIDTHS(rems, ir_rems(S(0), S(1)), ir_rems(S3(0), S3(1)));
    UNSIGNED(and, &);
    UNSIGNED(or, |);
    UNSIGNED(xor, ^);
    WIDTHS(shl, U(0) << (U(1) & 63), U3(0) << (U(1) & 31));
    WIDTHS(shr, U(0) >> (U(1) & 63), U3(0) >> (U(1) & 31));
    WIDTHS(sar, S(0) >> (U(1) & 63), S3(0) >> (U(1) & 31));
    WIDTHS(rotl, ir_rotl(U(0), U(1) & 63, 64), ir_rotl(U3(0), U(1) & 31, 32));
    WIDTHS(rotr, ir_rotl(U(0), -U(1) & 63, 64), ir_rotl(U3(0), -U(1) & 31, 32));
    WIDTHS(clz, U(0) ? __builtin_clzll(U(0)) : 64, U3(0) ? __builtin_clz(U3(0)) : 32);
    WIDTHS(ctz, U(0) ? __builtin_ctzll(U(0)) : 64, U3(0) ? __builtin_ctz(U3(0)) : 32);
    WIDTHS(popcnt, __builtin_popcountll(U(0)), __builtin_popcount(U3(0)));
    WIDTHS(bswap, __builtin_bswap64(U(0)), __builtin_bswap32(U3(0)));
    WIDTHS(sext8, (int8_t)U(0), (int8_t)U(0));
    WIDTHS(sext16, (int16_t)U(0), (int16_t)U(0));
    BOTH(sext32)
    SET64(S3(0));
    BOTH(zext8)
    SET64((uint8_t)U(0));
    BOTH(zext16)
    SET64((uint16_t)U(0));
    BOTH(zext32)
    SET64(U3(0));

    COMPARE(eq, U, U3, ==);
    COMPARE(ne, U, U3, !=);
    COMPARE(lts, S, S3, <);
    COMPARE(ges, S, S3, >=);
    COMPARE(ltu, U, U3, <);
    COMPARE(geu, U, U3, >=);
    WIDTHS(select, U(0) ? U(1) : U(2), U(0) ? U(1) : U(2));

x_load:
    if (!host->load(cpu, U(0) + i->imm, i->aux, d))
        goto fault;
    NEXT;
w_load:
    if (!host->load(cpu, U(0) + i->imm, i->aux, d))
        goto fault;
    SET32(*d);
    BOTH(store)
    if (!host->store(cpu, U(0) + i->imm, i->aux, U(1)))
        goto fault;
    NEXT;

    FP2(fadd, sf_add)
    FP2(fsub, sf_sub)
    FP2(fmul, sf_mul)
    FP2(fdiv, sf_div)
    BOTH(fmin)
    BOTH(fmax)
    BOTH(feq)
    BOTH(flt)
    BOTH(fle)
    FP_EVAL(i->type, V(0), V(1), 0);
    BOTH(fsqrt)
    BOTH(fround)
    FP_EVAL(i->type, V(0), 0, 0);
    BOTH(fma)
    FP_EVAL(i->type, V(0), V(1), V(2));
    BOTH(f2i)
    BOTH(i2f)
    BOTH(f2f)
    FP_EVAL(ir_type_of(u, i->arg[0]), V(0), 0, 0);

    WIDTHS(bits, U(0), U(0));
    BOTH(fbox)
    SET64(U3(0) | bits_mask(32) << 32);
    BOTH(funbox)
    SET32(U(0) >> 32 == UINT32_MAX ? U(0) : SF_NAN32);

    BOTH(call)
    {
        const struct ir_helper *h = &u->names->helpers[i->imm];
        if (h->effects & (IR_HELPER_READS | IR_HELPER_WRITES | IR_HELPER_LEAVES))
            memcpy(state + slots[u->names->pc_slot].offset, &now, 8);
        *d = call_helper(h, i, cpu, scratch);
        if ((h->effects & IR_HELPER_LEAVES) && state[host->leave_offset])
            return IR_EXIT_LOOP;
        NEXT;
    }

    BOTH(br)
    edge = &u->edges[i->arg[0]];
    goto follow;
    BOTH(brif)
    edge = &u->edges[i->arg[U(0) ? 1 : 2]];
follow : {
    uint32_t to = u->blocks[edge->block].first;
    if (edge->nargs)
        pass_args(scratch, edge, scratch + to);
    i = u->insns + to + edge->nargs;
    d = scratch + to + edge->nargs;
    DISPATCH;
}
    BOTH(exit_pc)
    *pc = i->imm;
    return IR_EXIT_GOTO;
    BOTH(exit_ind)
    *pc = U(0);
    return IR_EXIT_GOTO;
    BOTH(exit_loop)
    return IR_EXIT_LOOP;
    BOTH(exit_stop)
    return IR_EXIT_STOP;

fault:
    *pc = now;
    return IR_EXIT_FAULT;
}
