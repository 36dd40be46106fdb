/*
 * rvasm.h - small RISC-V programs, put together by the tests that run them.
 *
 * A function appends one instruction.  Targets of jumps are indices of instructions
 * (words), as rv_here gives them; a jump forward is appended with target 0 and then set
 * by rv_to_here.
 */
#ifndef TESTS_UNIT_ACCEL_RVASM_H
#define TESTS_UNIT_ACCEL_RVASM_H

#include <assert.h>
#include <stdint.h>

struct rvasm {
    uint32_t code[1024];
    unsigned n;
};

enum {
    ZERO,
    RA,
    SP,
    GP,
    TP,
    T0,
    T1,
    T2,
    S0,
    S1,
    A0,
    A1,
    A2,
    A3,
    A4,
    A5,
    A6,
    A7,
    S2,
    S3,
    S4,
    S5,
    S6,
    S7,
    S8,
    S9,
    S10,
    S11,
    T3,
    T4,
    T5,
    T6
};

static inline unsigned rv_here(const struct rvasm *a)
{
    return a->n;
}

static inline unsigned rv_word(struct rvasm *a, uint32_t word)
{
    assert(a->n < sizeof a->code / sizeof *a->code);
    a->code[a->n] = word;
    return a->n++;
}

static inline uint32_t rv_r(unsigned funct7, unsigned rs2, unsigned rs1, unsigned funct3,
                            unsigned rd, unsigned opcode)
{
    return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}

static inline uint32_t rv_i(int imm, unsigned rs1, unsigned funct3, unsigned rd, unsigned opcode)
{
    return (uint32_t)imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}

static inline uint32_t rv_s(int imm, unsigned rs2, unsigned rs1, unsigned funct3)
{
    uint32_t i = (uint32_t)imm;
    return (i >> 5 & 127) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (i & 31) << 7 | 0x23;
}

static inline void rv_addi(struct rvasm *a, unsigned rd, unsigned rs1, int imm)
{
    rv_word(a, rv_i(imm, rs1, 0, rd, 0x13));
}

static inline void rv_andi(struct rvasm *a, unsigned rd, unsigned rs1, int imm)
{
    rv_word(a, rv_i(imm, rs1, 7, rd, 0x13));
}

static inline void rv_xori(struct rvasm *a, unsigned rd, unsigned rs1, int imm)
{
    rv_word(a, rv_i(imm, rs1, 4, rd, 0x13));
}

static inline void rv_slli(struct rvasm *a, unsigned rd, unsigned rs1, unsigned by)
{
    rv_word(a, rv_i((int)by, rs1, 1, rd, 0x13));
}

static inline void rv_srli(struct rvasm *a, unsigned rd, unsigned rs1, unsigned by)
{
    rv_word(a, rv_i((int)by, rs1, 5, rd, 0x13));
}

static inline void rv_add(struct rvasm *a, unsigned rd, unsigned rs1, unsigned rs2)
{
    rv_word(a, rv_r(0, rs2, rs1, 0, rd, 0x33));
}

static inline void rv_mul(struct rvasm *a, unsigned rd, unsigned rs1, unsigned rs2)
{
    rv_word(a, rv_r(1, rs2, rs1, 0, rd, 0x33));
}

/* Any value of 31 bits: two instructions. */
static inline void rv_li(struct rvasm *a, unsigned rd, uint32_t value)
{
    int low = (int)(value << 20) >> 20;
    rv_word(a, (value - (uint32_t)low) | rd << 7 | 0x37);
    rv_word(a, rv_i(low, rd, 0, rd, 0x1b)); /* addiw */
}

/* 0x80000000 + offset: four instructions. */
static inline void rv_ram(struct rvasm *a, unsigned rd, uint32_t offset)
{
    rv_li(a, rd, (0x80000000u + offset) >> 1 & ~7u);
    rv_slli(a, rd, rd, 1);
    rv_addi(a, rd, rd, (int)(offset & 15));
}

static inline void rv_ld(struct rvasm *a, unsigned rd, unsigned rs1, int offset)
{
    rv_word(a, rv_i(offset, rs1, 3, rd, 0x03));
}

static inline void rv_lw(struct rvasm *a, unsigned rd, unsigned rs1, int offset)
{
    rv_word(a, rv_i(offset, rs1, 2, rd, 0x03));
}

static inline void rv_sd(struct rvasm *a, unsigned rs2, unsigned rs1, int offset)
{
    rv_word(a, rv_s(offset, rs2, rs1, 3));
}

static inline void rv_sw(struct rvasm *a, unsigned rs2, unsigned rs1, int offset)
{
    rv_word(a, rv_s(offset, rs2, rs1, 2));
}

static inline void rv_amoadd(struct rvasm *a, unsigned rd, unsigned rs2, unsigned rs1)
{
    rv_word(a, rv_r(0, rs2, rs1, 3, rd, 0x2f));
}

static inline void rv_lr(struct rvasm *a, unsigned rd, unsigned rs1)
{
    rv_word(a, rv_r(2 << 2, 0, rs1, 3, rd, 0x2f));
}

static inline void rv_sc(struct rvasm *a, unsigned rd, unsigned rs2, unsigned rs1)
{
    rv_word(a, rv_r(3 << 2, rs2, rs1, 3, rd, 0x2f));
}

enum { RV_CSRW = 1, RV_CSRS = 2, RV_CSRC = 3, RV_CSRSI = 6 };

static inline void rv_csr(struct rvasm *a, unsigned op, unsigned rd, unsigned csr, unsigned rs1)
{
    rv_word(a, rv_i((int)csr, rs1, op, rd, 0x73));
}

static inline void rv_ecall(struct rvasm *a)
{
    rv_word(a, 0x00000073);
}

static inline void rv_mret(struct rvasm *a)
{
    rv_word(a, 0x30200073);
}

static inline void rv_wfi(struct rvasm *a)
{
    rv_word(a, 0x10500073);
}

enum { RV_BEQ = 0, RV_BNE = 1, RV_BLT = 4, RV_BGE = 5 };

static inline uint32_t rv_branch_offset(int offset)
{
    uint32_t o = (uint32_t)offset;
    return (o >> 12 & 1) << 31 | (o >> 5 & 63) << 25 | (o >> 1 & 15) << 8 | (o >> 11 & 1) << 7;
}

static inline unsigned rv_branch(struct rvasm *a, unsigned op, unsigned rs1, unsigned rs2,
                                 unsigned target)
{
    int offset = ((int)target - (int)a->n) * 4;
    return rv_word(a, rv_branch_offset(offset) | rv_r(0, rs2, rs1, op, 0, 0x63));
}

/* The branch that was appended as instruction `at` goes here. */
static inline void rv_to_here(struct rvasm *a, unsigned at)
{
    a->code[at] = (a->code[at] & 0x01fff07f) | rv_branch_offset(((int)a->n - (int)at) * 4);
}

static inline void rv_jump(struct rvasm *a, unsigned target)
{
    uint32_t o = (uint32_t)(((int)target - (int)a->n) * 4);
    rv_word(a, (o >> 20 & 1) << 31 | (o >> 1 & 1023) << 21 | (o >> 11 & 1) << 20 |
                   (o >> 12 & 255) << 12 | 0x6f);
}

#endif
