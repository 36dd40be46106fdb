/* stops.h - for tests: a debugger that stops before some instructions, always. */
#ifndef TESTS_UNIT_CPU_STOPS_H
#define TESTS_UNIT_CPU_STOPS_H

#include "cpu/debug.h"

static inline ir_ref stops_lift(void *opaque, struct cpu *c, struct ir_unit *u, uint64_t pc,
                                uint64_t paddr)
{
    (void)opaque, (void)c, (void)pc, (void)paddr;
    return ir_const(u, IR_I64, 1);
}

static const struct cpu_debug_ops stops_ops = {.lift = stops_lift};

/* pcs: virtual, sorted, each once. */
static inline struct cpu_debug stops_at(const uint64_t *pcs, size_t n)
{
    return (struct cpu_debug){.virtual = {.pcs = pcs, .n = n}, .ops = &stops_ops};
}

#endif
