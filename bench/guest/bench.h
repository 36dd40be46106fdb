/*
 * bench.h - what the benchmark programs share.
 *
 * One static executable holds them all, built for the guest and for the host.  A program
 * is a function that prepares, calls bench_start, does `n` rounds of work, calls bench_end
 * and returns a checksum.  Whoever reads the console takes the time between the
 * lines that the two calls print.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#define PROGRAM(name, group, work, doc) uint64_t bench_##name(unsigned long n);
#include "programs.def"
#undef PROGRAM

void bench_start(void);
void bench_end(void);

/* Ends the program with errno's message. */
_Noreturn void bench_die(const char *what);
/* Memory that is there: zeroed and touched. */
void *bench_alloc(size_t bytes);

/* Numbers that look random, the same everywhere (xorshift64*); *state is not 0. */
static inline uint64_t bench_random(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

/* Folds a value into a checksum. */
static inline uint64_t bench_mix(uint64_t sum, uint64_t v)
{
    sum = (sum ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 29;
}

/* Argument by which forkexec's child ends at once. */
#define BENCH_CHILD "--child"

#endif
