/*
 * engine.h - what the engines of this folder share.
 */
#ifndef ACCEL_ENGINE_H
#define ACCEL_ENGINE_H

#include "accel/accel.h"

/* A row of the table of engines in accel.c. */
struct accel_engine {
    const char *name, *doc;
    struct accel *(*make)(const struct accel_config *config, struct err *e);
};
extern const struct accel_engine accel_interp;
extern const struct accel_engine accel_jit;

/* Tells all watchers of a unit. */
void accel_tell(const struct accel *a, struct cpu *c, enum cpu_unit_event what,
                const struct accel_unit *k);

/*
 * The look that c->pending (or halted) asks for, at an instruction boundary, with c->ahead 0.
 * False: the run ends with *stop; what is still to be looked at stays pending.  Nothing is looked
 * at once the budget is used up: where a run ends, the state is the one right behind its last
 * instruction.
 */
bool accel_look(struct cpu *c, enum accel_stop *stop);

/*
 * Translates the unit at pc as an engine would, but reads memory as a debugger: nothing is
 * changed, nothing remembered.  u and *bytes as for guest->translate.  False: there is no memory at
 * pc.
 */
bool accel_translate(struct cpu *c, uint64_t pc, uint32_t max_insns, struct ir_unit *u,
                     uint32_t *bytes);
/* The n guest instructions of [pc, pc + bytes), a line each, under a heading. */
void accel_disassemble(struct cpu *c, uint64_t pc, uint32_t bytes, uint32_t n, struct buf *out);
/* The IR that k was made of, and its guest instructions as accel_disassemble has them; whatever c
 * maps or runs now. */
void accel_lift(struct cpu *c, const struct accel_unit *k, struct ir_unit *u);
void accel_list_code(struct cpu *c, const struct accel_unit *k, struct buf *out);

#endif
