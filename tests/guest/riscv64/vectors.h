/*
 * vectors.h - test vectors that two programs make alike, each for itself.
 *
 * The host's test and the guest program that runs under an emulator (runner.c)
 * both include this: a vector is a function of its group and index, so that only
 * groups and hashes travel between them.  Freestanding C; everything is static.
 */
#ifndef TESTS_GUEST_RISCV64_VECTORS_H
#define TESTS_GUEST_RISCV64_VECTORS_H

#include <stdint.h>

/* Where things are, for both sides. */
#define VEC_GADGET    UINT64_C(0x20000000) /* runner.c's code around the slot */
#define VEC_SLOT      UINT64_C(0x20004000) /* the instructions under test */
#define VEC_REACH     0x3000               /* how far from the slot they may jump */
#define VEC_STATE     UINT64_C(0x20010000) /* the runner's struct vec_state; x31 holds this */
#define VEC_MEMORY    UINT64_C(0x30000800) /* the window that loads and stores use */
#define VEC_WORDS     8                    /* its size in 64-bit words */
#define VEC_STATE_REG 31                   /* never an operand */

/* What a vector starts from and ends with. */
struct vec_state {
    uint64_t x[32], f[32];
    uint64_t fcsr;
    uint64_t mem[VEC_WORDS];
    uint64_t jumped; /* result: 0 fell through, 1 at the group's target */
    uint64_t trap;   /* result: 1 for an illegal instruction */
};
enum { VEC_STATE_WORDS = sizeof(struct vec_state) / 8 };

enum vec_kind {
    VEC_NONE,
    VEC_INT,
    VEC_F32,
    VEC_F64,
    VEC_ADDR,  /* somewhere in the window, minus `value`; aligned to 1 << align */
    VEC_CONST, /* `value` */
};

/* A register that differs from vector to vector; the last one of a register counts. */
struct vec_operand {
    uint8_t kind, reg, align, unused[5];
    uint64_t value;
};
enum { VEC_OPERANDS = 4 };

enum { VEC_CODE = 128 };
struct vec_group {
    uint8_t code[VEC_CODE];
    uint32_t code_len;
    uint32_t count; /* of vectors */
    uint32_t frm;
    uint32_t dump;   /* the runner writes whole states instead of a hash */
    uint64_t target; /* where a jump goes; 0: there is none */
    uint64_t seed;
    struct vec_operand operands[VEC_OPERANDS];
};

/* clang-format off */
static const uint64_t vec_ints[] = {
    0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
    0x80000000, 0x80000001, 0xffffffff, 0x100000000, UINT64_C(0x7fffffffffffffff),
    UINT64_C(0x8000000000000000), UINT64_C(0x8000000000000001), UINT64_C(0xffffffff80000000),
    UINT64_C(0xffffffff7fffffff), UINT64_C(0xffffffffffffff80), UINT64_C(0xffffffffffff8000),
    UINT64_C(0xfffffffffffffffe), UINT64_C(0xffffffffffffffff), UINT64_C(0x00ff000000120001),
    UINT64_C(0x8000000080000000), UINT64_C(0x5555555555555555),
};

static const uint64_t vec_f64s[] = {
    0, UINT64_C(0x8000000000000000), /* zeros */
    1, UINT64_C(0x8000000000000001), UINT64_C(0x000fffffffffffff), /* subnormals */
    UINT64_C(0x800fffffffffffff), UINT64_C(0x0008000000000000), UINT64_C(0x0010000000000000),
    UINT64_C(0x8010000000000000), /* the least normal numbers */
    UINT64_C(0x7fefffffffffffff), UINT64_C(0xffefffffffffffff), /* the greatest numbers */
    UINT64_C(0x3ff0000000000000), UINT64_C(0xbff0000000000000), /* around 1 */
    UINT64_C(0x3ff0000000000001), UINT64_C(0x3fefffffffffffff), UINT64_C(0xbff0000000000001),
    UINT64_C(0x3fe0000000000000), UINT64_C(0x3ff8000000000000), UINT64_C(0x4004000000000000),
    UINT64_C(0xc004000000000000), UINT64_C(0x4008000000000000), UINT64_C(0x3fb999999999999a),
    UINT64_C(0x41dfffffffc00000), UINT64_C(0x41dfffffffe00000), /* around 2^31 */
    UINT64_C(0x41e0000000000000), UINT64_C(0xc1e0000000000000), UINT64_C(0xc1e0000000200000),
    UINT64_C(0x41efffffffe00000), UINT64_C(0x41f0000000000000), UINT64_C(0x4340000000000001),
    UINT64_C(0x43e0000000000000), UINT64_C(0xc3e0000000000000), UINT64_C(0x43f0000000000000),
    UINT64_C(0x36a0000000000000), UINT64_C(0x380fffffffffffff), /* below what singles hold */
    UINT64_C(0x47efffffe0000000), UINT64_C(0x47effffff0000000), /* and above */
    UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000), /* infinities */
    UINT64_C(0x7ff8000000000000), UINT64_C(0xfff8000000000001), /* quiet NaNs */
    UINT64_C(0x7ff0000000000001), UINT64_C(0xfff4000000000000), /* signalling ones */
};

#define VEC_BOXED(v) (UINT64_C(0xffffffff00000000) | (v))
static const uint64_t vec_f32s[] = {
    VEC_BOXED(0), VEC_BOXED(0x80000000), VEC_BOXED(1), VEC_BOXED(0x80000001),
    VEC_BOXED(0x007fffff), VEC_BOXED(0x807fffff), VEC_BOXED(0x00400000), VEC_BOXED(0x00800000),
    VEC_BOXED(0x80800000), VEC_BOXED(0x7f7fffff), VEC_BOXED(0xff7fffff), VEC_BOXED(0x3f800000),
    VEC_BOXED(0xbf800000), VEC_BOXED(0x3f800001), VEC_BOXED(0x3f7fffff), VEC_BOXED(0xbf800001),
    VEC_BOXED(0x3f000000), VEC_BOXED(0x3fc00000), VEC_BOXED(0x40200000), VEC_BOXED(0xc0200000),
    VEC_BOXED(0x40400000), VEC_BOXED(0x3dcccccd), VEC_BOXED(0x4effffff), VEC_BOXED(0x4f000000),
    VEC_BOXED(0xcf000000), VEC_BOXED(0xcf000001), VEC_BOXED(0x4f7fffff), VEC_BOXED(0x4f800000),
    VEC_BOXED(0x5f000000), VEC_BOXED(0xdf000000), VEC_BOXED(0x5f800000), VEC_BOXED(0x7f800000),
    VEC_BOXED(0xff800000), VEC_BOXED(0x7fc00000), VEC_BOXED(0xffc00001), VEC_BOXED(0x7f800001),
    VEC_BOXED(0xffa00000), 0x3f800000, UINT64_C(0xfffffffe3f800000),
    UINT64_C(0x3ff0000000000000), /* not boxed */
};

/* clang-format on */

#define VEC_LEN(a) (sizeof(a) / sizeof *(a))

static inline uint64_t vec_mix(uint64_t v)
{
    v = (v ^ v >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ v >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return v ^ v >> 32;
}

/* Around 1, with few significant bits more often than not: sums cancel, products are exact. */
static inline uint64_t vec_near_one(enum vec_kind kind, uint64_t r)
{
    uint64_t sign = r & 1, exp = (r >> 1 & 15) - 8, sparse = r >> 5 & 3;
    uint64_t frac = r >> 12;
    if (sparse)
        frac &= UINT64_C(0xffc0000000001) << (sparse * 4);
    if (kind == VEC_F32)
        return VEC_BOXED(sign << 31 | ((127 + exp) & 255) << 23 | (frac >> 29 & 0x7fffff));
    return sign << 63 | ((1023 + exp) & 2047) << 52 | (frac & UINT64_C(0xfffffffffffff));
}

/* The value of operand k: first each pair of edge values for the first two, then any. */
static inline uint64_t vec_number(enum vec_kind kind, uint32_t i, unsigned k, uint64_t r)
{
    const uint64_t *edges = kind == VEC_INT ? vec_ints : kind == VEC_F32 ? vec_f32s : vec_f64s;
    uint32_t n = (uint32_t)(kind == VEC_INT   ? VEC_LEN(vec_ints)
                            : kind == VEC_F32 ? VEC_LEN(vec_f32s)
                                              : VEC_LEN(vec_f64s));
    if (i < n * n && k < 2)
        return edges[k ? i / n : i % n];
    if (i < n * n || (r & 3) < 2)
        return edges[(r >> 8) % n];
    if (kind == VEC_INT)
        return r & 4 ? r >> (r >> 3 & 63) : vec_mix(r);
    if (r & 4)
        return vec_near_one(kind, vec_mix(r));
    return kind == VEC_F32 ? VEC_BOXED(vec_mix(r) >> 32) : vec_mix(r);
}

static inline uint64_t vec_address(const struct vec_operand *op, uint64_t r)
{
    uint64_t room = VEC_WORDS * 8 - 7, align = UINT64_C(1) << op->align;
    return VEC_MEMORY + (r % room & ~(align - 1)) - op->value;
}

static inline uint64_t vec_value(const struct vec_operand *op, uint32_t i, unsigned k, uint64_t r)
{
    switch ((enum vec_kind)op->kind) {
    case VEC_ADDR:
        return vec_address(op, r);
    case VEC_CONST:
        return op->value;
    default:
        return vec_number((enum vec_kind)op->kind, i, k, r);
    }
}

/* What all vectors of a group have in common. */
static inline void vec_prepare(const struct vec_group *g, struct vec_state *s)
{
    for (unsigned i = 0; i < 32; i++) {
        s->x[i] = vec_mix(g->seed + i);
        s->f[i] = vec_mix(g->seed + 32 + i) | (i & 1 ? VEC_BOXED(0) : 0);
    }
    s->x[0] = 0;
    s->x[VEC_STATE_REG] = VEC_STATE;
}

/* Fills in vector i; s is as vec_prepare left it or as any vector of the group started. */
static inline void vec_make(const struct vec_group *g, uint32_t i, struct vec_state *s)
{
    uint64_t r = vec_mix(g->seed ^ (uint64_t)(i + 1) << 32);
    for (unsigned k = 0; k < VEC_OPERANDS; k++) {
        const struct vec_operand *op = &g->operands[k];
        if (op->kind == VEC_NONE)
            continue;
        uint64_t v = vec_value(op, i, k, vec_mix(r + k));
        if (op->kind == VEC_F32 || op->kind == VEC_F64)
            s->f[op->reg] = v;
        else if (op->reg)
            s->x[op->reg] = v;
    }
    for (unsigned k = 0; k < VEC_WORDS; k++)
        s->mem[k] =
            r & 256 ? vec_mix(r + 8 + k) : vec_ints[((r >> 10) + k * 5) % VEC_LEN(vec_ints)];
    s->fcsr = g->frm << 5 | (r & 512 ? r >> 58 & 31 : 0);
    s->jumped = s->trap = 0;
}

static inline uint64_t vec_hash(const struct vec_state *s, uint64_t h)
{
    const uint64_t *w = (const uint64_t *)s;
    for (unsigned i = 0; i < VEC_STATE_WORDS; i++) {
        h = (h ^ w[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    return h;
}

#endif
