/*
 * toy.h - a guest for tests of the JIT: slots of all four types, one helper for each
 * kind of effect, and a run of one unit by either engine from the same state.
 *
 * Memory is RAM from 0 on.  Its third page is watched, so that every access there takes the
 * slow path; MMU mode 1 may not write to its second page.
 */
#ifndef TESTS_UNIT_JIT_TOY_H
#define TESTS_UNIT_JIT_TOY_H

#include "base/arena.h"
#include "cpu/cpu.h"
#include "cpu/guest.h"
#include "jit/jit.h"
#include "tests/ir/ir_random.h"

enum {
    TOY_PAGES = 4,
    TOY_MEM = TOY_PAGES * (int)MEM_PAGE_SIZE,
    TOY_A = 20,
    TOY_W = 8,
    TOY_D = 20,
    TOY_S = 8
};

struct toy_regs {
    uint64_t a[TOY_A]; /* i64 */
    uint64_t d[TOY_D]; /* f64 */
    uint32_t w[TOY_W]; /* i32 */
    uint32_t s[TOY_S]; /* f32 */
};

struct toy {
    struct cpu cpu; /* first */
    struct toy_regs r;
    bool counts; /* `counted` tells the instruction count; else 0 */
};

static inline struct toy *toy_of(struct cpu *c)
{
    return (struct toy *)c;
}

/* Slots, by first number: a0.. w0.. d0.. s0.. pc. */
enum {
    TOY_SLOT_A = 0,
    TOY_SLOT_W = TOY_A,
    TOY_SLOT_D = TOY_SLOT_W + TOY_W,
    TOY_SLOT_S = TOY_SLOT_D + TOY_D,
    TOY_SLOT_PC = TOY_SLOT_S + TOY_S,
    TOY_SLOTS
};

/* Helpers (operands that one does not have may be anything):
 *   mix a, b, c     pure
 *   look a          READS: a sum over all registers and pc, plus a
 *   counted         READS: the instruction count
 *   change a        WRITES: some registers; no result
 *   trap a          LEAVES: if a is not 0, pc = a, a0 += 1, and the unit ends; no result
 *   trap_get a, b   LEAVES, with a result: the same for a, else b + 1
 *   sticky a        FP: the sticky flags so far; a is or-ed into them
 */
enum { TOY_MIX, TOY_LOOK, TOY_COUNTED, TOY_CHANGE, TOY_TRAP, TOY_TRAP_GET, TOY_STICKY };
extern const struct guest toy_guest;

struct rig {
    struct mem *mem;
    uint8_t *ram; /* TOY_MEM bytes */
    struct cpu *c;
    struct jit *jit;
    struct arena arena, scratch;
};

/* All that a unit can change. */
struct toy_state {
    struct toy_regs r;
    uint64_t pc;
    int64_t budget;
    uint8_t flags, access;
    struct cpu_fault fault;
    uint8_t mem[TOY_MEM];
};

/* How a unit was left, by either engine. */
enum toy_left { TOY_GOTO, TOY_LOOP, TOY_STOP, TOY_FAULT, TOY_BUDGET };

void rig_init(struct rig *t);
void rig_fini(struct rig *t);
void rig_load(struct rig *t, const struct toy_state *s);
void rig_save(struct rig *t, struct toy_state *s);
/* What a random unit has, by the bits of r from the fourth to the eleventh; how long it is, and whether it
 * branches, is the caller's to say. */
struct ir_random toy_unit(uint64_t seed, uint64_t r);
/* Every register and all memory from a seed; budget, flags and the rest are 0. */
void toy_random(struct toy_state *s, uint64_t seed);

/* Runs u on the CPU as it is; pc is in the CPU afterwards. */
enum toy_left rig_interp(struct rig *t, const struct ir_unit *u);
enum toy_left rig_run(struct rig *t, const struct jit_block *b);
/* False: the JIT gave the unit up.  u is kept as it is. */
bool rig_jit(struct rig *t, struct ir_unit *u, enum toy_left *left);

/* A line for each difference, at most `max` of them; returns how many there are. */
unsigned toy_compare(const struct toy_state *want, const struct toy_state *got, unsigned max);
/* The unit, and what the JIT makes of it. */
void rig_print(struct rig *t, const struct ir_unit *u);

#endif
