/*
 * fuzz.h - what every fuzz target has: an input that is read like a program, and a way to
 * say that something is wrong.
 *
 * A target is one file that defines LLVMFuzzerTestOneInput.  With libFuzzer (configure
 * --enable-fuzz) that is called with inputs that lead to new code; otherwise regress.c calls it
 * with the inputs of regress/TARGET and some random ones.  What a target does depends on
 * its input alone.  A crash, a sanitizer's report, a leak, a hang and a FUZZ_CHECK that does not
 * hold are bugs.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FUZZ_CHECK(holds, ...)                                                                     \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #holds);                    \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* What is left of the input.  At its end everything reads as 0.  No expression reads it twice
 * without an order that C guarantees: compilers would differ in what an input means. */
struct fuzz_in {
    const uint8_t *at, *end;
};

static inline size_t fuzz_left(const struct fuzz_in *in)
{
    return (size_t)(in->end - in->at);
}

static inline uint64_t fuzz_int(struct fuzz_in *in, unsigned size)
{
    uint64_t v = 0;
    unsigned n = fuzz_left(in) < size ? (unsigned)fuzz_left(in) : size;

    if (n)
        memcpy(&v, in->at, n);
    in->at += n;
    return v;
}

/* A number below n, of one byte of the input or of four. */
static inline uint64_t fuzz_below(struct fuzz_in *in, uint64_t n)
{
    return fuzz_int(in, n <= 256 ? 1 : 4) % n;
}

/* One chance in n. */
static inline bool fuzz_rarely(struct fuzz_in *in, unsigned n)
{
    return fuzz_below(in, n) == n - 1;
}

/* A number such as breaks things: small, negative, around a power of two, or any. */
static inline uint64_t fuzz_value(struct fuzz_in *in)
{
    static const uint8_t sizes[] = {1, 1, 2, 4, 8};
    uint64_t kind = fuzz_below(in, 8), power;

    if (kind < 5)
        return fuzz_int(in, sizes[kind]);
    if (kind == 5)
        return -fuzz_int(in, 1);
    power = BIT(fuzz_below(in, 64));
    return power - 4 + fuzz_below(in, 8);
}

/* Up to max bytes as they come; how many there were. */
static inline size_t fuzz_bytes(struct fuzz_in *in, void *data, size_t max)
{
    size_t n = fuzz_left(in) < max ? fuzz_left(in) : max;

    if (n)
        memcpy(data, in->at, n);
    in->at += n;
    return n;
}

#endif
