/*
 * operands.h - bit patterns that are hard on floating-point arithmetic, for the
 * tests that compare with another implementation.
 */
#ifndef TESTS_SOFTFLOAT_OPERANDS_H
#define TESTS_SOFTFLOAT_OPERANDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/bits.h"

/* A format by the widths of its fields. */
struct layout {
    unsigned frac, ebits;
};
#define LAYOUT16 ((struct layout){10, 5})
#define LAYOUT32 ((struct layout){23, 8})
#define LAYOUT64 ((struct layout){52, 11})

static inline unsigned layout_bias(struct layout l)
{
    return (1u << (l.ebits - 1)) - 1;
}

static inline uint64_t layout_pack(struct layout l, bool sign, uint64_t e, uint64_t frac)
{
    return (uint64_t)sign << (l.frac + l.ebits) | (e & bits_mask(l.ebits)) << l.frac |
           (frac & bits_mask(l.frac));
}

static inline bool layout_is_nan(struct layout l, uint64_t v)
{
    return bits_get(v, l.frac, l.ebits) == bits_mask(l.ebits) && bits_get(v, 0, l.frac);
}

static inline bool layout_is_finite(struct layout l, uint64_t v)
{
    return bits_get(v, l.frac, l.ebits) != bits_mask(l.ebits);
}

/* The seed is $SEED, or else the time; printed as a TAP comment. */
static inline uint64_t seed_from_env(void)
{
    const char *s = getenv("SEED");
    uint64_t seed = s ? strtoull(s, NULL, 0) : (uint64_t)time(NULL);
    printf("# SEED=%llu repeats this run\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

/* The next of a sequence of pseudo-random numbers (splitmix64). */
static inline uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return bits_mix(*state);
}

/* All combinations of the exponents and fractions at which something changes;
 * returns their number, at most EDGES_MAX. */
#define EDGES_MAX 640
static inline size_t edge_values(struct layout l, uint64_t out[EDGES_MAX])
{
    unsigned bias = layout_bias(l), top = (unsigned)bits_mask(l.ebits);
    uint64_t half = BIT(l.frac - 1), ones = bits_mask(l.frac);
    const unsigned exponents[] = {0,
                                  1,
                                  2,
                                  l.frac + 1,
                                  bias / 2,
                                  bias - l.frac - 1,
                                  bias - l.frac,
                                  bias - 2,
                                  bias - 1,
                                  bias,
                                  bias + 1,
                                  bias + l.frac,
                                  bias + l.frac + 1,
                                  bias + 15,
                                  bias + 16,
                                  bias + 30,
                                  bias + 31,
                                  bias + 32,
                                  bias + 62,
                                  bias + 63,
                                  bias + 64,
                                  bias + bias / 2,
                                  top - 2,
                                  top - 1,
                                  top};
    const uint64_t fractions[] = {0,        1,   2, half - 1, half, half + 1, half | half / 2,
                                  ones - 1, ones};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(exponents); i++)
        for (size_t j = 0; j < ARRAY_LEN(fractions) && exponents[i] <= top; j++) {
            out[n++] = layout_pack(l, false, exponents[i], fractions[j]);
            out[n++] = layout_pack(l, true, exponents[i], fractions[j]);
        }
    return n;
}

/* Uniform, or with few changes between 0 and 1. */
static inline uint64_t random_fraction(uint64_t *state, unsigned width)
{
    uint64_t r = next_random(state), pick = r >> 61;
    uint64_t run = bits_mask((unsigned)(r >> 40) % 64) << ((unsigned)(r >> 48) % 64);
    if (pick < 4)
        return next_random(state) & bits_mask(width);
    if (pick == 4)
        return (r & 3) & bits_mask(width);
    if (pick == 5)
        return ~(r & 3) & bits_mask(width);
    return (pick == 6 ? run : ~run) & bits_mask(width);
}

/* A pattern; `near` is the exponent field of another operand, taken as a hint. */
static inline uint64_t random_value(uint64_t *state, struct layout l, uint64_t near)
{
    uint64_t r = next_random(state), top = bits_mask(l.ebits), bias = layout_bias(l), e;
    uint64_t small = (r >> 8) % 8, wide = (r >> 8) % (2 * l.frac + 8);
    switch (r >> 61) {
    case 0:
        e = r & top;
        break;
    case 1:
        e = small / 2;
        break;
    case 2:
        e = top - small / 2;
        break;
    case 3:
        e = bias + wide - l.frac;
        break;
    case 4: /* a product or quotient near the smallest or largest number */
        e = bias - near + small / 2 + (r & 1 ? top : 0);
        break;
    case 5:
        e = near + small - 4;
        break;
    case 6:
        e = near + wide - l.frac - 4;
        break;
    default:
        e = bias + small - 4;
    }
    return layout_pack(l, r >> 20 & 1, e, random_fraction(state, l.frac));
}

static inline uint64_t exponent_field(struct layout l, uint64_t v)
{
    return bits_get(v, l.frac, l.ebits);
}

/* Operands of which each is near the one before, or near what fma's product is. */
static inline void random_operands(uint64_t *state, struct layout l, uint64_t v[3])
{
    v[0] = random_value(state, l, layout_bias(l));
    v[1] = random_value(state, l, exponent_field(l, v[0]));
    uint64_t product = exponent_field(l, v[0]) + exponent_field(l, v[1]) - layout_bias(l);
    v[2] = random_value(state, l, product);
}

#endif
