/*
 * loop.h - units of one block that go back to their own start: which guest registers stay in host
 * registers from one round to the next, for any host.
 *
 * Such a unit begins with a prologue that loads these registers.  Behind it is the head, where
 * those that the unit changes count as dirty: they are written to memory where someone can look, as
 * in any unit, but not on the way back to the head.  A round ends with moves that bring each value
 * to the register where the head wants it.
 */
#ifndef JIT_LOOP_H
#define JIT_LOOP_H

#include "jit/ra.h"

#define LOOP_CARRIED_MAX 32

struct loop {
    uint32_t again, out;     /* the IR blocks that go back and on: nothing but an exit_pc each */
    struct loop_slot *slots; /* by number; NULL: the unit is no loop */
    uint16_t carried[LOOP_CARRIED_MAX]; /* slots with a register */
    unsigned ncarried;
};

/* Looks whether u is such a unit; its lives are known. */
void loop_find(struct loop *l, const struct ir_unit *u);

/* Emits the prologue; then ra is as the head wants it. */
void loop_enter(struct loop *l, struct ra *ra);

/* Writes back what the head wants in memory.  What is dirty then is carried, or nobody will ask for
 * it. */
void loop_write_back(const struct loop *l, struct ra *ra);

/* Emits the moves to the head's registers.  What ra knows stays as it is, for the way out. */
void loop_again(const struct loop *l, const struct ra *ra);

#endif
