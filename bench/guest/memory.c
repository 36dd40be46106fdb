/* memory.c - stream, chase: bandwidth and latency. */
#include <string.h>

#include "bench.h"

#define STREAM_WORDS (1u << 20)
#define CHASE_BYTES  (64u << 20)
#define CHASE_LINE   64 /* bytes */
#define CHASE_STEPS  1000000

/* The compiler must not merge the passes. */
#define barrier() __asm__ volatile("" ::: "memory")

uint64_t bench_stream(unsigned long n)
{
    double *a = bench_alloc(STREAM_WORDS * sizeof(*a));
    double *b = bench_alloc(STREAM_WORDS * sizeof(*b));
    double *c = bench_alloc(STREAM_WORDS * sizeof(*c));
    uint64_t sum = 0;

    for (size_t i = 0; i < STREAM_WORDS; i++)
        a[i] = (double)(i & 1023);
    bench_start();
    for (unsigned long round = 0; round < n; round++) {
        a[round] = (double)round;
        for (size_t i = 0; i < STREAM_WORDS; i++)
            b[i] = a[i];
        barrier();
        for (size_t i = 0; i < STREAM_WORDS; i++)
            c[i] = 2.0 * b[i];
        barrier();
        for (size_t i = 0; i < STREAM_WORDS; i++)
            a[i] = (b[i] + c[i]) * 0.25;
        barrier();
    }
    bench_end();
    for (size_t i = 0; i < STREAM_WORDS; i += 1021) {
        uint64_t bits;
        memcpy(&bits, &a[i], 8);
        sum = bench_mix(sum, bits);
    }
    return sum;
}

/* One cycle through all lines, in random order (Sattolo's shuffle). */
static void link_lines(uint32_t *lines, uint32_t *order, uint32_t count)
{
    const uint32_t words = CHASE_LINE / sizeof(*lines);
    uint64_t seed = 9;

    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = count - 1; i; i--) {
        uint32_t k = (uint32_t)(bench_random(&seed) >> 32) % i, t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
    for (uint32_t i = 0; i < count; i++)
        lines[order[i] * words] = order[(i + 1) % count] * words;
}

uint64_t bench_chase(unsigned long n)
{
    uint32_t count = CHASE_BYTES / CHASE_LINE, at = 0;
    uint32_t *lines = bench_alloc(CHASE_BYTES);
    uint32_t *order = bench_alloc(count * sizeof(*order));
    uint64_t sum = 0;

    link_lines(lines, order, count);
    bench_start();
    for (unsigned long round = 0; round < n; round++) {
        for (uint32_t i = 0; i < CHASE_STEPS; i++)
            at = lines[at];
        sum = bench_mix(sum, at);
    }
    bench_end();
    return sum;
}
