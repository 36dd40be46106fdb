/*
 * text.h - the words of the text form; private to this folder.
 *
 * What printer, parser and verifier must agree on: the names of types and of
 * the bits of aux, and which operation may have which.
 */
#ifndef IR_TEXT_H
#define IR_TEXT_H

#include "ir/ir.h"

extern const char *const ir_type_names[IR_TYPE_COUNT];

/* Groups of aux bits. */
enum ir_mod_kind {
    IR_MOD_LOAD = 1,
    IR_MOD_STORE = 2,
    IR_MOD_MEM = 4, /* both */
    IR_MOD_RMW = 8,
    IR_MOD_RM = 16,
    IR_MOD_UNSIGNED = 32,
    IR_MOD_NEG = 64,
    IR_MOD_NAN = 128,
    IR_MOD_QUIET = 256,
    IR_MOD_EXACT = 512,
    IR_MOD_IND = 1024,
    IR_MOD_MODE = 2048, /* not a suffix: "mode N" behind the operands */
};

/* A suffix of an operation: aux & mask == bits is written ".name". */
struct ir_mod {
    const char *name;
    uint16_t kind, bits, mask;
};
extern const struct ir_mod ir_mods[]; /* ends with a NULL name */

/* The groups that an operation has. */
unsigned ir_mod_kinds(enum ir_op op);

/* The bits of aux that it may set. */
unsigned ir_aux_mask(enum ir_op op);

/* Whether the type of the operands is not that of the result and is written as a suffix. */
static inline bool ir_typed_suffix(enum ir_op op)
{
    return ir_ops[op].result == IR_I64 && ir_ops[op].args[0] == 't';
}

#endif
