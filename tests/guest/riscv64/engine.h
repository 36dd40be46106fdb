/*
 * engine.h - the ways to run a unit, and a small machine to run it on.
 */
#ifndef TESTS_GUEST_RISCV64_ENGINE_H
#define TESTS_GUEST_RISCV64_ENGINE_H

#include "cpu/guest.h"
#include "guest/riscv64/riscv64.h"
#include "tests/guest/riscv64/vectors.h"

/* One hart in M-mode, FP on and dirty.  Its memory is a page for the window of vectors.h and one at
 * the slot, which world_translate does not look at. */
struct world {
    struct mem *mem;
    struct cpu *cpu;
    uint64_t *window; /* host memory of it */
    struct arena arena;
    struct ir_unit unit;  /* the last one that world_translate made */
    struct ir_fold *fold; /* set by a test: units are folded as they are made */
};
void world_init(struct world *w);
void world_fini(struct world *w);

/* Translates code as if it were at pc, in the hart's context, at most max instructions. */
void world_translate(struct world *w, const void *code, uint32_t len, uint64_t pc, uint32_t max);

/* One way to run units.  Run: from cpu->pc on; how the unit ended, with cpu->pc set. */
struct engine {
    const char *name;
    void *(*open)(struct world *w);
    void (*close)(void *self);
    void (*load)(void *self, const struct ir_unit *u); /* the unit stays the caller's */
    enum ir_exit (*run)(void *self);
};
extern const struct engine *const engines[]; /* ends with NULL */

/* Runs the world's unit, loaded into an engine, on a vector's state: s becomes the final one, as a
 * runner would give it.  False: it left in a way that no instruction of a vector may. */
bool world_run(struct world *w, const struct engine *e, void *self, const struct vec_group *g,
               struct vec_state *s);

#endif
