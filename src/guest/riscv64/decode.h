/*
 * decode.h - from the bits of a RISC-V instruction to its name and operands.
 *
 * Generated code and tables behind it come from riscv64.decode, the one list
 * of instructions.  A compressed instruction decodes to the base instruction
 * that it stands for (`op`, with all operands filled in) and keeps its own row
 * in `row`.  Pure functions of their arguments; any thread.
 */
#ifndef GUEST_RISCV64_DECODE_H
#define GUEST_RISCV64_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "guest/riscv64/decode_ops.h" /* generated: enum rv_op, RV_OP_COUNT; enum rv_row, RV_ROW_COUNT */

/* What an instruction says.  Fields that its format lacks are 0. */
struct rv_insn {
    uint32_t raw; /* the bits; the upper half is 0 for a compressed one */
    uint16_t op;  /* enum rv_op: what to do; RV_OP_ILLEGAL for no instruction */
    uint16_t row; /* enum rv_row: which line of the table matched; or RV_ROW_ILLEGAL */
    uint8_t len;  /* bytes: 2 or 4 */
    uint8_t rd, rs1, rs2, rs3;
    uint8_t rm; /* rounding mode field of a floating-point instruction, 0 to 7 */
    bool aq, rl;
    int64_t imm;  /* sign-extended; shift amount; CSR number (unsigned); fence bits; fli index */
    uint8_t zimm; /* the 5-bit immediate of csrrwi and its kin */
};

/* Decodes `raw` (at least 16 valid bits; all 32 if the low two bits are 11).
 * False, with op RV_OP_ILLEGAL and the length by the low two bits, when no row matches. */
bool rv_decode(uint32_t raw, struct rv_insn *out);

/* A row of the table, for people and for tests. */
struct rv_row_info {
    const char *name;      /* "c.addi4spn" */
    const char *extension; /* "I", "Zba", "C" ... */
    const char *doc;       /* one line */
    uint32_t match, mask;  /* raw & mask == match */
    uint8_t len;
    uint16_t op; /* enum rv_op that it decodes to */
};
const struct rv_row_info *rv_row(unsigned row); /* "illegal" from RV_ROW_COUNT up */

/* The name of an operation, as its base row is called ("addi"). */
const char *rv_op_name(unsigned op);

/* What the manuals call a CSR, whether the guest has it or not; NULL if no name is known. */
const char *rv_csr_name(unsigned csr);

/* Assembly text in binutils' spelling without aliases ("addi a0,a0,1"); branch
 * targets are absolute from pc.  Appends to out. */
void rv_format(const struct rv_insn *in, uint64_t pc, struct buf *out);

/* The breakdown of the bits, one field a line: "31:20 imm[11:0] = 0x010 (16)". */
void rv_explain(const struct rv_insn *in, struct buf *out);

/* A random valid instruction of a row: operand bits come from *seed, which is
 * advanced; fixed bits and the row's restrictions are respected. */
uint32_t rv_random(unsigned row, uint64_t *seed);

#endif
