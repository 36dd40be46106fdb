/*
 * ir_random.h - random units that the verifier accepts.
 *
 * For comparing engines, and units before and after passes.  The same options
 * give the same unit everywhere.  Every unit ends: loops run a few times.
 */
#ifndef TESTS_IR_IR_RANDOM_H
#define TESTS_IR_IR_RANDOM_H

#include "ir/ir.h"

struct ir_random {
    uint64_t seed;
    const struct ir_names *names; /* slots of any types are got and put, but never pc_slot
                                     in the middle; helpers are called by their effects */
    unsigned insns;               /* about how many guest instructions */
    bool control;                 /* branches that join, and loops */
    bool memory;                  /* loads and stores in [mem_base, mem_base + mem_size) */
    bool faults;                  /* some of them anywhere, and misaligned with IR_MO_ALIGN */
    bool calls;
    bool floats;
    uint64_t mem_base;
    uint64_t mem_size; /* a power of two, 32 at least */
    uint8_t mode;      /* of the MMU */
};

/* Makes u, in arena a. */
void ir_random_unit(struct ir_unit *u, struct arena *a, const struct ir_random *options);

/* The most instructions that a unit for these options may charge. */
uint64_t ir_random_budget(const struct ir_unit *u);

#endif
