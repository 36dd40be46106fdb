/*
 * emit.h - what the files of the x86-64 back end share while a unit is emitted.
 *
 * Registers of generated code: rbp the CPU (its middle: jit_layout.bias), r15 the
 * budget, rsp the struct jit_frame;
 * rax, rcx, rdx and xmm0 to xmm2 are scratch inside one IR instruction; the rest
 * is the allocator's.  MXCSR holds the guest's rounding mode and sticky flags.
 */
#ifndef JIT_X86_64_EMIT_H
#define JIT_X86_64_EMIT_H

#include <stddef.h>

#include "jit/loop.h"
#include "jit/ra.h"
#include "jit/target.h"
#include "jit/x86_64/asm.h"

enum { REG_CPU = RBP, REG_BUDGET = R15 };
#define INT_REGS      (1u << RBX | 1u << RSI | 1u << RDI | 0x7f00u) /* and r8 to r14 */
#define INT_CLOBBERED (1u << RSI | 1u << RDI | 0x0f00u)             /* and r8 to r11 */
#define VEC_REGS      0xfff8u                                       /* xmm3 to xmm15 */

/* A place in the CPU struct. */
static inline struct asm_mem hx64_cpu(const struct jit *j, int32_t offset)
{
    return asm_at(REG_CPU, offset - j->layout.bias);
}
#define CPU_AT(j, field) hx64_cpu(j, (int32_t)offsetof(struct cpu, field))

/* Indices of jit.stubs. */
enum {
    STUB_ENTER,
    STUB_LEFT_GOTO, /* rdx: exit or 0 */
    STUB_LEFT_LOOP,
    STUB_LEFT_STOP,
    STUB_LEFT_BUDGET, /* rdx: block */
    STUB_LOAD,     /* rcx: address, rdx: site; result in rax; all else kept */
    STUB_LOAD_VEC, /* the same where vector registers are in use */
    STUB_STORE,    /* and rax: value */
    STUB_STORE_VEC,
    STUB_SOFT,    /* xmm0 to xmm2: operands, rdx: struct jit_soft; result in rax; all else kept */
    STUB_FP_SYNC, /* sticky flags into the CPU; all kept but scratch */
};

/* Code that is rarely run lies behind the block. */
enum cold_kind { COLD_EXIT, COLD_LOAD, COLD_STORE, COLD_SOFT, COLD_LEAVE, COLD_NAN };

struct cold {
    enum cold_kind kind;
    uint8_t *from; /* displacement that leads here */
    const uint8_t *back;
    const uint8_t *found; /* COLD_LOAD, COLD_STORE: where the access goes on with a known page */
    int32_t tag;          /* displacement of the L1 entry's tag; 0: it was not looked at */
    int reg;  /* COLD_LOAD, COLD_SOFT, COLD_NAN: destination; COLD_STORE: value, -1: imm */
    bool vec; /* reg is a vector register */
    bool vec_live;
    uint8_t type;
    uint32_t index; /* exit, site or soft; COLD_LEAVE: instructions to give back */
    uint64_t imm;
};

enum { COLD_MAX = 2 };

struct fixup {
    uint8_t *disp;
    uint32_t block;
};

struct emit {
    struct asm_buf a;
    struct ra ra;
    struct jit *j;
    const struct ir_unit *u;
    struct jit_block *b; /* from where cold code starts on */
    struct cold *cold; /* at most COLD_MAX for an instruction */
    struct fixup *fixups;
    uint32_t ncold, nfixups;
    uint8_t *over[2]; /* jumps for a budget that is too small: on entry, in a loop */
    struct loop loop;
    const uint8_t *head; /* of that loop */
    uint8_t **labels; /* by IR block */
    uint8_t **direct; /* by IR block: the one jump to it, when it does nothing but leave */
    uint32_t block;   /* the IR block being emitted */
    uint32_t insn;    /* index of the current guest instruction */
    uint64_t insn_pc;
    bool fma; /* the host has FMA3 */
};

/* Each lowers the instruction at index i, *in.  Which is for what operation: emit.c. */
typedef void lower_fn(struct emit *e, ir_ref i, const struct ir_insn *in);
lower_fn hx64_lower_copy, hx64_lower_alu, hx64_lower_mul, hx64_lower_mulh, hx64_lower_div,
    hx64_lower_shift, hx64_lower_unary, hx64_lower_bswap, hx64_lower_cmp, hx64_lower_select;
lower_fn hx64_lower_load, hx64_lower_store;
lower_fn hx64_lower_arith, hx64_lower_fma, hx64_lower_minmax, hx64_lower_fcmp, hx64_lower_f2i,
    hx64_lower_i2f, hx64_lower_f2f, hx64_lower_bits, hx64_lower_fbox, hx64_lower_funbox,
    hx64_lower_soft;

/* Operands. */
static inline unsigned wide(enum ir_type t)
{
    return t == IR_I64 || t == IR_F64 ? W : 0;
}
/* The register of an operand; -1: nobody needs it later, and hx64_op reads it from memory. */
int hx64_source_load(struct emit *e, ir_ref v);
static inline int hx64_source(struct emit *e, ir_ref v)
{
    return e->ra.v[v].reg < 0 ? hx64_source_load(e, v) : (int)ra_use(&e->ra, v);
}
/* opcode with `reg` and, in r/m, the operand v, of which hx64_source said `source`. */
void hx64_op_memory(struct emit *e, unsigned flags, unsigned opcode, unsigned reg, ir_ref v);
static inline void hx64_op(struct emit *e, unsigned flags, unsigned opcode, unsigned reg, ir_ref v,
                           int source)
{
    if (source < 0)
        hx64_op_memory(e, flags, opcode, reg, v);
    else
        asm_rr(&e->a, flags, opcode, reg, (unsigned)source);
}
/* Whether v is a constant that fits a sign-extended imm32 of an operation of width w. */
bool hx64_imm32(struct emit *e, ir_ref v, unsigned w, int32_t *imm);
/* Whether v is a comparison with one user, a brif or select of the same block, which emits it. */
bool hx64_fused(const struct emit *e, ir_ref v);
/* Emits the comparison at `cmp` and returns the condition code for "true". */
unsigned hx64_compare(struct emit *e, ir_ref cmp);
/* Makes the operands of a brif's or select's condition ready, so that what comes between that and
 * the test does not have to change flags. */
void hx64_use_condition(struct emit *e, ir_ref cond);
/* Emits the test and returns the condition code for "true". */
unsigned hx64_test_condition(struct emit *e, ir_ref cond);
struct cold *hx64_cold(struct emit *e, enum cold_kind kind, uint8_t *from);
void hx64_emit_cold(struct emit *e);
void hx64_movq_to_vec(struct emit *e, unsigned vec, unsigned reg);
void hx64_movq_from_vec(struct emit *e, unsigned reg, unsigned vec);

size_t hx64_stubs(struct jit *j);
void hx64_fp_fold(struct cpu *c);
void hx64_fp_enter(unsigned rm);
unsigned hx64_fp_flags(void);
void hx64_fp_leave(void);

#endif
