/*
 * asm.h - x86-64 instructions as bytes.
 *
 * Encodings: Intel SDM volume 2, or AMD APM volume 3.  Nothing here looks at
 * `end`: whoever emits asks asm_room before each step of at most ASM_STEP bytes.
 * What lies between p and end may be overwritten.
 */
#ifndef JIT_X86_64_ASM_H
#define JIT_X86_64_ASM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/* Condition codes, as in Jcc's low four bits. */
enum { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE,
       CC_LE, CC_G };

/* ALU operations, as in the /digit of opcode 81. */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
/* Shifts, as in the /digit of opcodes C1 and D3. */
enum { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAL, SH_SAR };

struct asm_buf {
    uint8_t *p, *end; /* where bytes are written */
    int64_t delta;    /* run address - write address */
};

#define ASM_STEP 4096 /* with many guest registers to write back, and arguments to move */

static inline bool asm_room(const struct asm_buf *a)
{
    return a->end - a->p >= ASM_STEP;
}

static inline void asm_u8(struct asm_buf *a, unsigned v)
{
    *a->p++ = (uint8_t)v;
}

static inline void asm_u32(struct asm_buf *a, uint32_t v)
{
    memcpy(a->p, &v, 4);
    a->p += 4;
}

static inline void asm_u64(struct asm_buf *a, uint64_t v)
{
    memcpy(a->p, &v, 8);
    a->p += 8;
}

/* An instruction's first bytes, gathered to be written at once: at most 8. */
struct asm_head {
    uint64_t bytes;
    unsigned bits;
};

static inline void asm_add(struct asm_head *h, unsigned byte)
{
    h->bytes |= (uint64_t)byte << h->bits;
    h->bits += 8;
}

static inline void asm_write(struct asm_buf *a, struct asm_head h)
{
    memcpy(a->p, &h.bytes, 8);
    a->p += h.bits / 8;
}

/* A memory operand: [base + index + disp]; index -1: none. */
struct asm_mem {
    int8_t base, index;
    uint8_t scale; /* log2 */
    int32_t disp;
};

static inline struct asm_mem asm_at(unsigned base, int32_t disp)
{
    return (struct asm_mem){(int8_t)base, -1, 0, disp};
}

static inline struct asm_mem asm_at2(unsigned base, unsigned index, int32_t disp)
{
    return (struct asm_mem){(int8_t)base, (int8_t)index, 0, disp};
}

enum {
    W = 1,      /* REX.W */
    BYTE = 2,   /* a byte register in reg: needs REX for spl.. dil */
    P66 = 4,    /* prefixes */
    PF2 = 8,
    PF3 = 16,
    M0F = 32,   /* opcode maps */
    M38 = 64,
    M3A = 128,
    RMBYTE = 256, /* a byte register in r/m */
};

static inline struct asm_head asm_opcode(unsigned flags, unsigned rex, unsigned opcode)
{
    struct asm_head h = {0};

    if (flags & P66)
        asm_add(&h, 0x66);
    if (flags & PF2)
        asm_add(&h, 0xf2);
    if (flags & PF3)
        asm_add(&h, 0xf3);
    if (rex)
        asm_add(&h, 0x40 | rex);
    if (flags & (M0F | M38 | M3A))
        asm_add(&h, 0x0f);
    if (flags & M38)
        asm_add(&h, 0x38);
    if (flags & M3A)
        asm_add(&h, 0x3a);
    asm_add(&h, opcode);
    return h;
}

/* opcode with a register r/m. */
static inline void asm_rr(struct asm_buf *a, unsigned flags, unsigned opcode, unsigned reg,
                          unsigned rm)
{
    unsigned rex = (flags & W ? 8 : 0) | (reg >> 3 & 1) << 2 | (rm >> 3 & 1);
    bool need = ((flags & BYTE) && reg >= 4) || ((flags & RMBYTE) && rm >= 4);
    struct asm_head h = asm_opcode(flags, rex || need ? rex | 0x40 : 0, opcode);
    asm_add(&h, 0xc0 | (reg & 7) << 3 | (rm & 7));
    asm_write(a, h);
}

static inline void asm_modrm_mem(struct asm_buf *a, struct asm_head h, unsigned reg,
                                 struct asm_mem m)
{
    static const uint8_t disp_bytes[3] = {0, 1, 4};
    unsigned mod = m.disp == 0 && (m.base & 7) != RBP ? 0 : m.disp == (int8_t)m.disp ? 1 : 2;
    bool sib = m.index >= 0 || (m.base & 7) == RSP;

    asm_add(&h, mod << 6 | (reg & 7) << 3 | (sib ? 4u : (unsigned)m.base & 7));
    if (sib)
        asm_add(&h, (unsigned)m.scale << 6 | (m.index < 0 ? 4u : (unsigned)m.index & 7) << 3 |
                        ((unsigned)m.base & 7));
    asm_write(a, h);
    memcpy(a->p, &m.disp, 4);
    a->p += disp_bytes[mod];
}

/* opcode with a memory r/m. */
static inline void asm_rm(struct asm_buf *a, unsigned flags, unsigned opcode, unsigned reg,
                          struct asm_mem m)
{
    unsigned rex = (flags & W ? 8 : 0) | (reg >> 3 & 1) << 2 |
                   (m.index >= 0 ? ((unsigned)m.index >> 3 & 1) << 1 : 0) |
                   ((unsigned)m.base >> 3 & 1);
    bool need = (flags & BYTE) && reg >= 4;
    asm_modrm_mem(a, asm_opcode(flags, rex || need ? rex | 0x40 : 0, opcode), reg, m);
}

static inline bool asm_fits32(uint64_t v)
{
    return (int64_t)v == (int32_t)v;
}

static inline void asm_mov(struct asm_buf *a, unsigned w, unsigned dst, unsigned src)
{
    asm_rr(a, w, 0x89, src, dst);
}

static inline void asm_load64(struct asm_buf *a, unsigned dst, struct asm_mem m)
{
    asm_rm(a, W, 0x8b, dst, m);
}

static inline void asm_store64(struct asm_buf *a, unsigned src, struct asm_mem m)
{
    asm_rm(a, W, 0x89, src, m);
}

/* The shortest way to put a constant into a register; flags survive. */
static inline void asm_imm(struct asm_buf *a, unsigned dst, uint64_t v)
{
    if (v <= UINT32_MAX) { /* mov r32, imm32 */
        if (dst >= 8)
            asm_u8(a, 0x41);
        asm_u8(a, 0xb8 | (dst & 7));
        asm_u32(a, (uint32_t)v);
    } else if (asm_fits32(v)) { /* mov r/m64, imm32 */
        asm_rr(a, W, 0xc7, 0, dst);
        asm_u32(a, (uint32_t)v);
    } else {
        asm_u8(a, 0x48 | (dst >> 3));
        asm_u8(a, 0xb8 | (dst & 7));
        asm_u64(a, v);
    }
}

static inline void asm_alu_imm(struct asm_buf *a, unsigned w, unsigned op, unsigned dst,
                               int32_t imm)
{
    bool small = imm == (int8_t)imm;
    asm_rr(a, w, small ? 0x83 : 0x81, op, dst);
    if (small)
        asm_u8(a, (uint8_t)imm);
    else
        asm_u32(a, (uint32_t)imm);
}

static inline void asm_alu_imm_mem(struct asm_buf *a, unsigned w, unsigned op, struct asm_mem m,
                                   int32_t imm)
{
    bool small = imm == (int8_t)imm;
    asm_rm(a, w, small ? 0x83 : 0x81, op, m);
    if (small)
        asm_u8(a, (uint8_t)imm);
    else
        asm_u32(a, (uint32_t)imm);
}

static inline void asm_alu(struct asm_buf *a, unsigned w, unsigned op, unsigned dst, unsigned src)
{
    asm_rr(a, w, op << 3 | 1, src, dst);
}

static inline void asm_shift_imm(struct asm_buf *a, unsigned w, unsigned op, unsigned dst,
                                 unsigned count)
{
    asm_rr(a, w, 0xc1, op, dst);
    asm_u8(a, count);
}

static inline void asm_lea(struct asm_buf *a, unsigned w, unsigned dst, struct asm_mem m)
{
    asm_rm(a, w, 0x8d, dst, m);
}

/* n bytes that do nothing: SDM volume 2, NOP. */
static inline void asm_nops(struct asm_buf *a, size_t n)
{
    static const uint8_t nop8[8] = {0x0f, 0x1f, 0x84};

    for (; n >= sizeof nop8; n -= sizeof nop8)
        for (unsigned i = 0; i < sizeof nop8; i++)
            asm_u8(a, nop8[i]);
    for (; n; n--)
        asm_u8(a, n > 1 ? 0x66 : 0x90); /* prefixes of one */
}

/* Jumps return where their displacement is, for asm_patch_here. */
static inline uint8_t *asm_jcc(struct asm_buf *a, unsigned cc)
{
    asm_u8(a, 0x0f);
    asm_u8(a, 0x80 | cc);
    asm_u32(a, 0);
    return a->p - 4;
}

static inline uint8_t *asm_jmp(struct asm_buf *a)
{
    asm_u8(a, 0xe9);
    asm_u32(a, 0);
    return a->p - 4;
}

/* disp (write address of a 32-bit displacement) leads to the write address `to`. */
static inline void asm_patch(uint8_t *disp, const uint8_t *to)
{
    int32_t d = (int32_t)(to - (disp + 4));
    memcpy(disp, &d, 4);
}

static inline void asm_patch_here(struct asm_buf *a, uint8_t *disp)
{
    asm_patch(disp, a->p);
}

/* To an absolute run address within the code memory. */
static inline void asm_jmp_to(struct asm_buf *a, const void *code)
{
    asm_u8(a, 0xe9);
    asm_u32(a, (uint32_t)((const uint8_t *)code - (a->p + 4 + a->delta)));
}

static inline void asm_call_to(struct asm_buf *a, const void *code)
{
    asm_u8(a, 0xe8);
    asm_u32(a, (uint32_t)((const uint8_t *)code - (a->p + 4 + a->delta)));
}

static inline void asm_call_reg(struct asm_buf *a, unsigned reg)
{
    asm_rr(a, 0, 0xff, 2, reg);
}

static inline void asm_setcc(struct asm_buf *a, unsigned cc, unsigned dst)
{
    asm_rr(a, M0F | RMBYTE, 0x90 | cc, 0, dst);
}

/* VEX three-operand forms; map 2: 0F38, 3: 0F3A; pp 1: 66, 2: F3, 3: F2. */
static inline void asm_vex(struct asm_buf *a, unsigned w, unsigned map, unsigned pp,
                           unsigned opcode, unsigned reg, unsigned vvvv, unsigned rm)
{
    asm_u8(a, 0xc4);
    asm_u8(a, (~(reg >> 3) & 1) << 7 | 1 << 6 | (~(rm >> 3) & 1) << 5 | map);
    asm_u8(a, (w ? 0x80u : 0) | (~vvvv & 15) << 3 | pp);
    asm_u8(a, opcode);
    asm_u8(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

/* Of map 0F38: BMI2 shifts, FMA. */
static inline void asm_vex38(struct asm_buf *a, unsigned w, unsigned pp, unsigned opcode,
                             unsigned reg, unsigned vvvv, unsigned rm)
{
    asm_vex(a, w, 2, pp, opcode, reg, vvvv, rm);
}

/* dst = src, turned to the right. */
static inline void asm_rorx(struct asm_buf *a, unsigned w, unsigned dst, unsigned src,
                            unsigned count)
{
    asm_vex(a, w, 3, 3, 0xf0, dst, 0, src);
    asm_u8(a, count);
}

#endif
