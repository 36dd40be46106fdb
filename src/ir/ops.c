/*
 * ops.c - the table of operations, from ops.def.
 */
#include <assert.h>

#include "ir/ir.h"

enum {
    RESULT_T = -1,
    RESULT_VOID = IR_VOID,
    RESULT_I64 = IR_I64,
};

enum {
    FLAGS = IR_FX_FLAGS,
    FAULT = IR_FX_FAULT,
    READ = IR_FX_READ,
    WRITE = IR_FX_WRITE,
    SLOT = IR_FX_SLOT,
    CALL = IR_FX_CALL,
    END = IR_FX_END,
};

#define IR_OP(name, result, args, effects)                                                         \
    static_assert(sizeof(args) - 1 <= 3, #name ": more operands than struct ir_insn holds");
#include "ir/ops.def"
#undef IR_OP

const struct ir_op_info ir_ops[IR_OP_COUNT] = {
#define IR_OP(name, result, args, effects)                                                         \
    [IR_##name] = {#name, args, sizeof(args) - 1, effects, RESULT_##result},
#include "ir/ops.def"
#undef IR_OP
};
