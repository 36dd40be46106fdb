/*
 * agent.h - small programs that a debugger's conditions and values are made of: agent
 * expressions, as GDB's manual describes them in its appendix "The GDB Agent Expression Mechanism".
 *
 * A program works on a stack of 64-bit integers.  Ours come from GDB or from expr.h.  They are
 * checked once, and then become IR: in the unit of a probe, or to be run at once.  Jumps lead forward,
 * so that each of them ends.  Memory that is not there reads as 0.  What is on top in the end is
 * the result; 0 if nothing is, as in programs that only trace.
 */
#ifndef DEBUG_AGENT_H
#define DEBUG_AGENT_H

#include "base/buf.h"
#include "base/err.h"
#include "cpu/debug.h"

/* Opcodes; those of the manual that are not here are refused. */
#define DBG_AGENT_OPS(OP)                                                                          \
    /* name, code, bytes of operand, popped, pushed */                                             \
    OP(ADD, 0x02, 0, 2, 1)                                                                         \
    OP(SUB, 0x03, 0, 2, 1)                                                                         \
    OP(MUL, 0x04, 0, 2, 1)                                                                         \
    OP(DIV_SIGNED, 0x05, 0, 2, 1)                                                                  \
    OP(DIV_UNSIGNED, 0x06, 0, 2, 1)                                                                \
    OP(REM_SIGNED, 0x07, 0, 2, 1)                                                                  \
    OP(REM_UNSIGNED, 0x08, 0, 2, 1)                                                                \
    OP(LSH, 0x09, 0, 2, 1)                                                                         \
    OP(RSH_SIGNED, 0x0a, 0, 2, 1)                                                                  \
    OP(RSH_UNSIGNED, 0x0b, 0, 2, 1)                                                                \
    OP(LOG_NOT, 0x0e, 0, 1, 1)                                                                     \
    OP(BIT_AND, 0x0f, 0, 2, 1)                                                                     \
    OP(BIT_OR, 0x10, 0, 2, 1)                                                                      \
    OP(BIT_XOR, 0x11, 0, 2, 1)                                                                     \
    OP(BIT_NOT, 0x12, 0, 1, 1)                                                                     \
    OP(TRACE, 0x0c, 0, 2, 0)                                                                       \
    OP(TRACE_QUICK, 0x0d, 1, 1, 1)                                                                 \
    OP(EQUAL, 0x13, 0, 2, 1)                                                                       \
    OP(LESS_SIGNED, 0x14, 0, 2, 1)                                                                 \
    OP(LESS_UNSIGNED, 0x15, 0, 2, 1)                                                               \
    OP(EXT, 0x16, 1, 1, 1)                                                                         \
    OP(REF8, 0x17, 0, 1, 1)                                                                        \
    OP(REF16, 0x18, 0, 1, 1)                                                                       \
    OP(REF32, 0x19, 0, 1, 1)                                                                       \
    OP(REF64, 0x1a, 0, 1, 1)                                                                       \
    OP(IF_GOTO, 0x20, 2, 1, 0)                                                                     \
    OP(GOTO, 0x21, 2, 0, 0)                                                                        \
    OP(CONST8, 0x22, 1, 0, 1)                                                                      \
    OP(CONST16, 0x23, 2, 0, 1)                                                                     \
    OP(CONST32, 0x24, 4, 0, 1)                                                                     \
    OP(CONST64, 0x25, 8, 0, 1)                                                                     \
    OP(REG, 0x26, 2, 0, 1)                                                                         \
    OP(END, 0x27, 0, 0, 0)                                                                         \
    OP(DUP, 0x28, 0, 1, 2)                                                                         \
    OP(POP, 0x29, 0, 1, 0)                                                                         \
    OP(ZERO_EXT, 0x2a, 1, 1, 1)                                                                    \
    OP(SWAP, 0x2b, 0, 2, 2)                                                                        \
    OP(GETV, 0x2c, 2, 0, 1)                                                                        \
    OP(SETV, 0x2d, 2, 1, 1)                                                                        \
    OP(TRACEV, 0x2e, 2, 0, 0)                                                                      \
    OP(TRACENZ, 0x2f, 0, 2, 0)                                                                     \
    OP(TRACE16, 0x30, 2, 1, 1)                                                                     \
    OP(PICK, 0x32, 1, 0, 1)                                                                        \
    OP(ROT, 0x33, 0, 3, 3)                                                                         \
    OP(PRINTF, 0x34, 3, 2, 0) /* and its arguments; its format follows the operand */

enum dbg_agent_op {
#define OP(name, code, operand, pops, pushes) DBG_AGENT_##name = (code),
    DBG_AGENT_OPS(OP)
#undef OP
};

#define DBG_AGENT_MAX   4096 /* bytes of a program */
#define DBG_AGENT_DEPTH 32   /* of its stack */

/* A program; a zeroed one is none.  Its bytes are malloc'ed. */
struct dbg_agent {
    uint8_t *code;
    uint32_t len;
};

/* Takes a copy, if it is a program: opcodes, jumps and the stack are right on all paths, and registers
 * are g's.  0, or -EINVAL with what is wrong and where. */
int dbg_agent_set(struct dbg_agent *a, const uint8_t *code, size_t len, const struct guest *g,
                  struct err *e);
void dbg_agent_fini(struct dbg_agent *a);

/* Whether it only looks: it changes no variable, traces and prints nothing. */
bool dbg_agent_is_pure(const struct dbg_agent *a);

/* Appends it to u; the i64 that it comes to.  The open block may be another one then. */
ir_ref dbg_agent_lift(const struct dbg_agent *a, struct cpu *c, struct ir_unit *u);
/* What it comes to now. */
uint64_t dbg_agent_run(const struct dbg_agent *a, struct cpu *c);

/* What a program asks cpu_debug_ops.decide for: a is one of these, which are no points' numbers. */
enum {
    DBG_ASK_REG = -1,    /* a register that is no slot of the IR; b is the row */
    DBG_ASK_GETV = -2,   /* a trace variable; b is its number */
    DBG_ASK_SETV = -3,   /* likewise, and its new value */
    DBG_ASK_TRACEV = -4, /* the variable is to be written down */
    DBG_ASK_TRACE = -5,  /* memory is to be: address, length */
    DBG_ASK_TRACENZ = -6, /* a string is to be: address, greatest length */
    DBG_ASK_ARG = -7,     /* b is to be kept as the next argument of a printf */
    DBG_ASK_PRINT = -8,   /* printf, by the format that b points to, in the program */
};
#define DBG_ASK_LAST ((uint64_t)DBG_ASK_PRINT)

#endif
