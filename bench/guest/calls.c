/* calls.c - calls, fib: indirect calls, returns and recursion. */
#include "bench.h"

#define CALLS (1u << 20)
#define FIB   32

#define noinline __attribute__((noinline))

typedef uint64_t step_fn(uint64_t x, uint64_t i);

#define STEP(name, expr)                                                                           \
    static noinline uint64_t name(uint64_t x, uint64_t i)                                          \
    {                                                                                              \
        return expr;                                                                               \
    }
#define STEPS(p, c)                                                                                \
    STEP(p##0, x + i * (c))                                                                        \
    STEP(p##1, x ^ i << (c) % 31)                                                                  \
    STEP(p##2, x - (i ^ (c)))                                                                      \
    STEP(p##3, (x << 1 | x >> 63) + i + (c))                                                       \
    STEP(p##4, x * 5 + i + (c))                                                                    \
    STEP(p##5, (x ^ x >> (c) % 29) + i)                                                            \
    STEP(p##6, x + (i & x) + (c))                                                                  \
    STEP(p##7, (x | i) - (c))
#define NAMES(p) p##0, p##1, p##2, p##3, p##4, p##5, p##6, p##7

STEPS(a, 3)
STEPS(b, 7)
STEPS(c, 11)
STEPS(d, 19)
STEPS(e, 23)
STEPS(f, 37)
STEPS(g, 41)
STEPS(h, 53)

static step_fn *const steps[64] = {NAMES(a), NAMES(b), NAMES(c), NAMES(d),
                                   NAMES(e), NAMES(f), NAMES(g), NAMES(h)};

uint64_t bench_calls(unsigned long n)
{
    uint8_t *order = bench_alloc(CALLS);
    uint64_t seed = 4, x = 1;

    for (size_t i = 0; i < CALLS; i++)
        order[i] = (uint8_t)(bench_random(&seed) >> 58);
    bench_start();
    for (unsigned long round = 0; round < n; round++)
        for (size_t i = 0; i < CALLS; i++)
            x = steps[order[i]](x, i);
    bench_end();
    return x;
}

/* The asm keeps the compiler from unrolling the recursion into loops. */
static noinline uint64_t fib(unsigned i)
{
    __asm__ volatile("" : "+r"(i));
    return i < 2 ? i : fib(i - 1) + fib(i - 2);
}

uint64_t bench_fib(unsigned long n)
{
    uint64_t sum = 0;

    bench_start();
    for (unsigned long round = 0; round < n; round++)
        sum = bench_mix(sum, fib(FIB));
    bench_end();
    return sum;
}
