/*
 * target.h - the contract of a host back end.  Nothing in it is about a guest.
 *
 * Back ends lower one IR unit to one block; register allocation (ra.h), blocks,
 * links and the slow paths' C side are common.
 */
#ifndef JIT_TARGET_H
#define JIT_TARGET_H

#include "jit/jit.h"

#define JIT_SPILLS 96 /* 8-byte spill slots in the frame */

/* Registers as a slow path's stub saves them; the side tables index it. */
struct jit_frame {
    uint64_t gpr[32];
    uint64_t vec[32]; /* low halves */
    uint64_t spill[JIT_SPILLS];
};

struct jit_target {
    const char *name;  /* "x86-64" */
    const char *needs; /* of the host CPU, for people */
    bool (*supported)(void);
    /* Writes entry, exit and slow-path stubs at the start of the code memory and fills
     * j->stubs; returns their size. */
    size_t (*stubs)(struct jit *j);
    /* Emits u at code offset j->at, which it may align, of at most `room` bytes.  What goes beside
     * the code is noted in j->side, which is empty, until jit_block_new is called; the block's
     * exits, sites and softs keep their indices and stay where they are.  NULL: it does not fit. */
    struct jit_block *(*emit)(struct jit *j, const struct ir_unit *u, size_t room);
    /* Points the exit's jump at a code address. */
    void (*patch)(struct jit *j, struct jit_exit *x, const uint8_t *to);
    enum jit_left (*enter)(struct jit *j, struct cpu *c, const uint8_t *code);
    /* Host floating point: rounding mode set, sticky flags cleared / sticky flags returned (in
     * softfloat's bits) and cleared / the host's own mode restored. */
    void (*fp_enter)(unsigned rm);
    unsigned (*fp_flags)(void);
    void (*fp_leave)(void);
};

extern const struct jit_target jit_target_x86_64;

/* For `emit`: a block of u with what is in j->side.  code and code_size are still to be set. */
struct jit_block *jit_block_new(struct jit *j, const struct ir_unit *u);

/* ---- called by generated code: slow.c ---- */

/* The slow path of a load or store; the frame holds all registers.  Not 0: it was not done, the
 * CPU's state is precise at the instruction, and c->access says why. */
int jit_slow_load(struct cpu *c, const struct jit_site *s, uint64_t vaddr, uint64_t *value,
                  const struct jit_frame *f);
int jit_slow_store(struct cpu *c, const struct jit_site *s, uint64_t vaddr, uint64_t value,
                   const struct jit_frame *f);
/* A floating-point operation whose operands (bits) are given. */
uint64_t jit_soft_fp(struct cpu *c, const struct jit_soft *s, uint64_t a, uint64_t b, uint64_t d);

#endif
