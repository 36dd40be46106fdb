/*
 * ra.h - register allocation inside a block, in one forward pass, for any host.
 *
 * Where a value is: in a register, in a spill slot of the frame, in the memory of
 * a guest register (its home), a constant, or several of these.  A `put` emits
 * nothing: the slot's value becomes dirty and is written back where someone can
 * look, or when its register is needed.  What is dirty at a load or store goes
 * into the side table instead.
 *
 * The back end asks for operands (ra_use) and results (ra_def) of one instruction
 * at a time; registers so obtained are locked until ra_next.
 */
#ifndef JIT_RA_H
#define JIT_RA_H

#include <stdbool.h>
#include <stdint.h>

#include "ir/ir.h"
#include "jit/jit.h"
#include "jit/target.h"

enum ra_bank { RA_INT, RA_VEC, RA_BANKS };

/* What the allocator needs emitted. */
struct ra_ops {
    uint32_t allocatable[RA_BANKS]; /* register masks */
    uint32_t clobbered[RA_BANKS];   /* by a call */
    uint8_t scratch[RA_BANKS];      /* a register of nobody's, for circles of moves */
    void (*move)(void *ctx, enum ra_bank bank, unsigned dst, unsigned src);
    void (*constant)(void *ctx, enum ra_bank bank, unsigned dst, uint64_t value);
    void (*load_slot)(void *ctx, unsigned reg, const struct ir_slot *slot);
    void (*store_slot)(void *ctx, unsigned reg, const struct ir_slot *slot);
    void (*store_slot_const)(void *ctx, uint64_t value, const struct ir_slot *slot);
    void (*load_spill)(void *ctx, enum ra_bank bank, unsigned reg, unsigned index);
    void (*store_spill)(void *ctx, enum ra_bank bank, unsigned reg, unsigned index);
};

struct ra_value {
    int8_t reg;     /* -1: none */
    uint8_t bank;   /* enum ra_bank; valid if it has, or had, a register */
    int16_t spill;  /* -1: none */
    int16_t home;   /* slot whose memory holds it; -1: none */
    uint16_t dirty; /* slots whose latest value it is, while their memory is not */
};

struct ra {
    const struct ir_unit *u;
    const struct ra_ops *ops;
    void *ctx;
    struct ra_value *v;
    struct ir_life *lives;           /* the unit's; some are extended */
    ir_ref *dirty;                   /* by slot: the value its memory lacks, or IR_NONE */
    ir_ref *mem;                     /* by slot: a value whose home it is, or IR_NONE */
    uint64_t *homes;                 /* a bit for each slot of which mem has one */
    uint32_t dirty_list[64], ndirty; /* the slots with one */
    int8_t *heads;              /* by slot: its register at the head of a loop, or -1; NULL: the
                                   unit is no loop */
    ir_ref holds[RA_BANKS][32]; /* valid for those in use */
    uint32_t used[RA_BANKS], locked[RA_BANKS];
    uint64_t spills[(JIT_SPILLS + 63) / 64];
    uint32_t at;
    bool failed; /* out of spill slots, too many dirty slots: give the unit up */
};

/* Prepares for u, whose lives are known; memory comes from the unit's arena. */
void ra_init(struct ra *ra, const struct ir_unit *u, const struct ra_ops *ops, void *ctx);

/* Extends the life of v to the instruction at `until` (a fused comparison's operands). */
void ra_extend(struct ra *ra, ir_ref v, uint32_t until);

/* An extended life may end here: the instruction at `until` has read v. */
void ra_done(struct ra *ra, ir_ref v);

/* Frees what died at the present instruction. */
void ra_release(struct ra *ra);

/* The instruction at i is next: unlocks, and frees what died at the one before.  May be left out
 * for one that has no operands and asks for nothing. */
static inline void ra_next(struct ra *ra, uint32_t i)
{
    if (ra->lives[ra->at].dies || (ra->v[ra->at].reg >= 0 && !ra->lives[ra->at].uses))
        ra_release(ra);
    ra->at = i;
    ra->locked[RA_INT] = ra->locked[RA_VEC] = 0;
}

/* Whether v is a constant (then it needs no register). */
bool ra_const(const struct ra *ra, ir_ref v, uint64_t *value);
/* Whether this instruction is the last to need the register of v, an operand. */
bool ra_dies(const struct ra *ra, ir_ref v);
/* A register for v, which has none, with its value. */
unsigned ra_load(struct ra *ra, ir_ref v);
/* v's register, loaded if need be. */
static inline unsigned ra_use(struct ra *ra, ir_ref v)
{
    const struct ra_value *x = &ra->v[v];

    if (x->reg < 0)
        return ra_load(ra, v);
    ra->locked[x->bank] |= UINT32_C(1) << x->reg;
    return (unsigned)x->reg;
}
/* A register for the result v. */
unsigned ra_def(struct ra *ra, ir_ref v);
/* The same, holding a's value to begin with: a's own register if a dies here, else a copy. */
unsigned ra_def_from(struct ra *ra, ir_ref v, ir_ref a);
/* Where v can be read in memory: true with the slot or spill index.  Only if it has no register. */
enum ra_place { RA_NOWHERE, RA_SLOT, RA_SPILL };
enum ra_place ra_memory(const struct ra *ra, ir_ref v, unsigned *index);

/* A `get`: v is the slot's value.  Emits nothing unless the slot is dirty. */
void ra_get(struct ra *ra, ir_ref v, uint32_t slot);
void ra_put(struct ra *ra, uint32_t slot, ir_ref v);
/* Writes a dirty slot back / every one. */
void ra_write_back_slot(struct ra *ra, uint32_t slot);
void ra_write_back(struct ra *ra);
/* The slot's memory is about to change: whoever only lives there moves out. */
void ra_evict_home(struct ra *ra, uint32_t slot);
/* Slots may change in memory: nothing has a home any more (values that have only that are loaded
 * first: call before the change, with nothing dirty). */
void ra_forget_homes(struct ra *ra);
/* Before a call: whatever lives on and sits in a clobbered register also gets a place in memory;
 * registers still hold their values.  After the call: those registers are empty. */
void ra_before_call(struct ra *ra);
void ra_after_call(struct ra *ra);
/* The block ends with successors inside the unit: all slots are written back; what is used later
 * is spilled; all registers are empty. */
void ra_end_block(struct ra *ra);
/* The spill slot of a block parameter. */
unsigned ra_param(struct ra *ra, ir_ref param);

/* The head of a loop: loads the slot, whose first get or put is v and stands for that value, into a
 * register that is the slot's at the end of each round too.  `changed`: there is a put, so it
 * counts as dirty.  False: no register is to be had if `spare` are to be left. */
bool ra_enter(struct ra *ra, ir_ref v, uint32_t slot, bool changed, unsigned spare);
enum ra_bank ra_slot_bank(const struct ra *ra, uint32_t slot);
/* The register with the slot's value, or -1. */
int ra_slot_reg(const struct ra *ra, uint32_t slot);
/* If there is none: emits a load into its register at the head, wherever the value is. */
void ra_load_head(const struct ra *ra, uint32_t slot);

/* Appends what is dirty now to the block's side table; *first and the count go into the site. */
void ra_snapshot(struct ra *ra, struct jit_side *side, uint32_t *first, uint32_t *count);

#endif
