/* fp.c - nbody, mandel: double precision with additions, divisions and square roots. */
#include <math.h>
#include <string.h>

#include "bench.h"

#define BODIES 5

struct body {
    double at[3], speed[3], mass;
};

/* A sun and four bodies around it, at nobody's true values. */
static void place(struct body *b)
{
    uint64_t seed = 8;

    memset(b, 0, BODIES * sizeof(*b));
    b[0].mass = 40;
    for (int i = 1; i < BODIES; i++) {
        double r = 5.0 * i;
        b[i].at[0] = r;
        b[i].at[1] = (double)(bench_random(&seed) >> 60) / 16;
        b[i].at[2] = (double)(bench_random(&seed) >> 60) / 32;
        b[i].speed[1] = sqrt(b[0].mass / r);
        b[i].mass = 0.01 * i;
    }
}

static void step(struct body *b, double dt)
{
    for (int i = 0; i < BODIES; i++) {
        for (int j = i + 1; j < BODIES; j++) {
            double d[3], square = 0;
            for (int k = 0; k < 3; k++) {
                d[k] = b[i].at[k] - b[j].at[k];
                square += d[k] * d[k];
            }
            double pull = dt / (square * sqrt(square));
            for (int k = 0; k < 3; k++) {
                b[i].speed[k] -= d[k] * b[j].mass * pull;
                b[j].speed[k] += d[k] * b[i].mass * pull;
            }
        }
    }
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            b[i].at[k] += dt * b[i].speed[k];
}

uint64_t bench_nbody(unsigned long n)
{
    struct body b[BODIES];
    uint64_t sum = 0;

    place(b);
    bench_start();
    for (unsigned long round = 0; round < n; round++)
        step(b, 0.001);
    bench_end();
    for (int i = 0; i < BODIES; i++) {
        for (int k = 0; k < 3; k++) {
            uint64_t bits;
            memcpy(&bits, &b[i].at[k], 8);
            sum = bench_mix(sum, bits);
        }
    }
    return sum;
}

static unsigned escape(double re, double im)
{
    double x = 0, y = 0;
    unsigned i = 0;

    while (i < 200 && x * x + y * y < 4) {
        double next = x * x - y * y + re;
        y = 2 * x * y + im;
        x = next;
        i++;
    }
    return i;
}

uint64_t bench_mandel(unsigned long n)
{
    uint64_t sum = 0;

    bench_start();
    for (unsigned long round = 0; round < n; round++)
        for (int row = 0; row < 192; row++)
            for (int column = 0; column < 256; column++)
                sum = bench_mix(sum, escape(-2.0 + column * (3.0 / 256) + (double)round / 1024,
                                            -1.2 + row * (2.4 / 192)));
    bench_end();
    return sum;
}
