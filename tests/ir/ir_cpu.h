/*
 * ir_cpu.h - a CPU for tests of the IR: some registers of each type, a little
 * memory, and one helper for each kind of effect.
 *
 * Memory is IR_CPU_MEM bytes from address IR_CPU_BASE on; what touches a byte
 * outside, or is misaligned where that matters, faults.  The mode is ignored.
 */
#ifndef TESTS_IR_IR_CPU_H
#define TESTS_IR_IR_CPU_H

#include "ir/ir.h"

enum { IR_CPU_MEM = 256 };
#define IR_CPU_BASE UINT64_C(0x1000)

struct ir_cpu {
    uint64_t a[8]; /* a0 to a7 */
    uint32_t w[4]; /* w0 to w3: i32 */
    uint64_t d[4]; /* d0 to d3: f64 */
    uint32_t s[4]; /* s0 to s3: f32 */
    uint64_t pc;
    int64_t budget;
    uint8_t flags, leave;
    uint8_t mem[IR_CPU_MEM];
};

/* Slots: a0..a7 w0..w3 d0..d3 s0..s3 pc.  Helpers:
 *   mix a, b, c     pure
 *   look a          READS: a sum over a0..a7 and pc, plus a
 *   change a        WRITES: a1 += a, a2 = 7; no result
 *   trap a          LEAVES: if a is not 0, pc = a, a0 += 1, and the unit ends; no result
 *   trap_get a, b   LEAVES, with a result: the same for a, else b + 1 */
extern const struct ir_names ir_cpu_names;
extern const struct ir_host ir_cpu_host;

/* Every register and all memory from a seed; the budget is left alone. */
void ir_cpu_random(struct ir_cpu *c, uint64_t seed);

/* Runs the unit on c. */
enum ir_exit ir_cpu_run(const struct ir_unit *u, struct ir_cpu *c, uint64_t *pc);

#endif
