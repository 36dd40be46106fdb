/* fma.c - matmul, fir: loops in which a compiler may fuse multiply and add.  All values are small
 * integers, so that the results are exact either way. */
#include <string.h>

#include "bench.h"

#define SIZE    256
#define TAPS    64
#define SAMPLES (1u << 16)

typedef double matrix[SIZE][SIZE];

static void multiply(matrix product, matrix a, matrix b)
{
    for (int row = 0; row < SIZE; row++) {
        for (int column = 0; column < SIZE; column++) {
            double sum = 0;
            for (int i = 0; i < SIZE; i++)
                sum += a[row][i] * b[i][column];
            product[row][column] = sum;
        }
    }
}

static void fill(matrix m, uint64_t seed)
{
    for (int row = 0; row < SIZE; row++)
        for (int column = 0; column < SIZE; column++)
            m[row][column] = (double)(bench_random(&seed) >> 60) - 8;
}

uint64_t bench_matmul(unsigned long n)
{
    matrix *a = bench_alloc(sizeof(*a)), *b = bench_alloc(sizeof(*b));
    matrix *product = bench_alloc(sizeof(*product));
    uint64_t sum = 0;

    fill(*a, 5);
    fill(*b, 6);
    bench_start();
    for (unsigned long round = 0; round < n; round++) {
        (*a)[round % SIZE][0] = (double)round;
        multiply(*product, *a, *b);
        for (int i = 0; i < SIZE; i++)
            sum = bench_mix(sum, (uint64_t)(int64_t)(*product)[i][i]);
    }
    bench_end();
    return sum;
}

static void filter(float *out, const float *in, const float taps[TAPS])
{
    for (unsigned i = 0; i < SAMPLES; i++) {
        float sum = 0;
        for (unsigned k = 0; k < TAPS; k++)
            sum += in[i + k] * taps[k];
        out[i] = sum;
    }
}

uint64_t bench_fir(unsigned long n)
{
    float *in = bench_alloc((SAMPLES + TAPS) * sizeof(*in));
    float *out = bench_alloc(SAMPLES * sizeof(*out));
    float taps[TAPS];
    uint64_t seed = 7, sum = 0;

    for (unsigned i = 0; i < SAMPLES + TAPS; i++)
        in[i] = (float)(bench_random(&seed) >> 56) - 128;
    for (unsigned i = 0; i < TAPS; i++)
        taps[i] = (float)(bench_random(&seed) >> 59) - 16;
    bench_start();
    for (unsigned long round = 0; round < n; round++) {
        in[round % SAMPLES] = (float)(round & 63);
        filter(out, in, taps);
        for (unsigned i = 0; i < SAMPLES; i += 509)
            sum = bench_mix(sum, (uint64_t)(int64_t)out[i]);
    }
    bench_end();
    return sum;
}
