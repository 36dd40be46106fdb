/*
 * sources.h - sets of interrupt sources, as the controllers that have wires keep them.
 *
 * Source n is bit n % 32 of word n / 32, as in these controllers' registers; number 0 is none.
 */
#ifndef DEV_SOURCES_H
#define DEV_SOURCES_H

#include "dev/device.h"

#define SOURCES      96 /* numbers 1 to 96 */
#define SOURCE_WORDS (SOURCES / 32 + 1)

static inline bool sources_get(const uint32_t *words, unsigned n)
{
    return words[n / 32] >> (n % 32) & 1;
}

static inline void sources_put(uint32_t *words, unsigned n, bool v)
{
    words[n / 32] = (words[n / 32] & ~(UINT32_C(1) << (n % 32))) | (uint32_t)v << (n % 32);
}

/* Of a word's bits, those that have a source. */
uint32_t sources_of(unsigned word);
/* A set as a field of a section; sources that do not exist are refused. */
void sources_state(struct snap *s, const char *name, uint32_t *words);

/* A controller's wires to harts, a bit each: drives those whose level changes from *raised. */
void sources_raise(const struct dev_line *first, uint32_t *raised, uint32_t now);

#endif
