/* sort.c - the C library's qsort with a compare function. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define RECORDS (1u << 16)

struct record {
    uint64_t key;
    uint32_t tie, place;
};

static int compare(const void *left, const void *right)
{
    const struct record *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->tie > b->tie) - (a->tie < b->tie);
}

uint64_t bench_sort(unsigned long n)
{
    struct record *input = bench_alloc(RECORDS * sizeof(*input));
    struct record *work = bench_alloc(RECORDS * sizeof(*work));
    uint64_t seed = 3, sum = 0;

    for (uint32_t i = 0; i < RECORDS; i++) {
        uint64_t r = bench_random(&seed);
        input[i] = (struct record){r >> 50, (uint32_t)r, i};
    }
    bench_start();
    for (unsigned long round = 0; round < n; round++) {
        memcpy(work, input, RECORDS * sizeof(*work));
        work[round % RECORDS].key += round;
        qsort(work, RECORDS, sizeof(*work), compare);
        for (uint32_t i = 0; i < RECORDS; i += 1021)
            sum = bench_mix(sum, work[i].place);
    }
    bench_end();
    return sum;
}
