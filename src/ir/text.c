/*
 * text.c - the words of the text form.
 */
#include <stddef.h>

#include "ir/text.h"

const char *const ir_type_names[IR_TYPE_COUNT] = {
    [IR_VOID] = "void", [IR_I32] = "i32", [IR_I64] = "i64", [IR_F32] = "f32", [IR_F64] = "f64",
};

#define LOAD_BITS (IR_MO_SIZE | IR_MO_SIGN)

const struct ir_mod ir_mods[] = {
    {"u8", IR_MOD_LOAD, IR_MO_8, LOAD_BITS},
    {"u16", IR_MOD_LOAD, IR_MO_16, LOAD_BITS},
    {"u32", IR_MOD_LOAD, IR_MO_32, LOAD_BITS},
    {"u64", IR_MOD_LOAD, IR_MO_64, LOAD_BITS},
    {"s8", IR_MOD_LOAD, IR_MO_8 | IR_MO_SIGN, LOAD_BITS},
    {"s16", IR_MOD_LOAD, IR_MO_16 | IR_MO_SIGN, LOAD_BITS},
    {"s32", IR_MOD_LOAD, IR_MO_32 | IR_MO_SIGN, LOAD_BITS},
    {"s64", IR_MOD_LOAD, IR_MO_64 | IR_MO_SIGN, LOAD_BITS},
    {"8", IR_MOD_STORE, IR_MO_8, IR_MO_SIZE},
    {"16", IR_MOD_STORE, IR_MO_16, IR_MO_SIZE},
    {"32", IR_MOD_STORE, IR_MO_32, IR_MO_SIZE},
    {"64", IR_MOD_STORE, IR_MO_64, IR_MO_SIZE},
    {"align", IR_MOD_MEM, IR_MO_ALIGN, IR_MO_ALIGN},
    {"rmw", IR_MOD_RMW, IR_MO_RMW, IR_MO_RMW},
    {"rne", IR_MOD_RM, 0, IR_RM},
    {"rtz", IR_MOD_RM, 1, IR_RM},
    {"rdn", IR_MOD_RM, 2, IR_RM},
    {"rup", IR_MOD_RM, 3, IR_RM},
    {"rmm", IR_MOD_RM, 4, IR_RM},
    {"unsigned", IR_MOD_UNSIGNED, IR_FP_UNSIGNED, IR_FP_UNSIGNED},
    {"negmul", IR_MOD_NEG, IR_FP_NEG_MUL, IR_FP_NEG_MUL},
    {"negadd", IR_MOD_NEG, IR_FP_NEG_ADD, IR_FP_NEG_ADD},
    {"nan", IR_MOD_NAN, IR_FP_NAN, IR_FP_NAN},
    {"quiet", IR_MOD_QUIET, IR_FP_QUIET, IR_FP_QUIET},
    {"exact", IR_MOD_EXACT, IR_FP_EXACT, IR_FP_EXACT},
    {"jump", IR_MOD_IND, IR_IND_JUMP, 3},
    {"call", IR_MOD_IND, IR_IND_CALL, 3},
    {"ret", IR_MOD_IND, IR_IND_RET, 3},
    {NULL, 0, 0, 0},
};

unsigned ir_mod_kinds(enum ir_op op)
{
    switch (op) {
    case IR_load:
        return IR_MOD_LOAD | IR_MOD_MEM | IR_MOD_RMW | IR_MOD_MODE;
    case IR_store:
        return IR_MOD_STORE | IR_MOD_MEM | IR_MOD_MODE;
    case IR_fadd:
    case IR_fsub:
    case IR_fmul:
    case IR_fdiv:
    case IR_fsqrt:
    case IR_f2f:
        return IR_MOD_RM;
    case IR_fma:
        return IR_MOD_RM | IR_MOD_NEG;
    case IR_fmin:
    case IR_fmax:
        return IR_MOD_NAN;
    case IR_flt:
    case IR_fle:
        return IR_MOD_QUIET;
    case IR_f2i:
    case IR_i2f:
        return IR_MOD_RM | IR_MOD_UNSIGNED;
    case IR_fround:
        return IR_MOD_RM | IR_MOD_EXACT;
    case IR_exit_ind:
        return IR_MOD_IND;
    default:
        return 0;
    }
}

unsigned ir_aux_mask(enum ir_op op)
{
    unsigned kinds = ir_mod_kinds(op);
    unsigned mask = kinds & IR_MOD_MODE ? 7u << IR_MO_MODE_SHIFT : 0;
    if (op == IR_insn)
        return UINT16_MAX;
    for (const struct ir_mod *m = ir_mods; m->name; m++)
        if (m->kind & kinds)
            mask |= m->mask;
    return mask;
}
