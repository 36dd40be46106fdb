/*
 * bits.h - bits, byte order and hashing.
 *
 * Bit numbers count from 0, the least significant.  A field is named by its
 * lowest bit and its width, 1 to 64.
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))
#define BIT(n) (UINT64_C(1) << (n))

/* The lowest n bits set; n is 0 to 64. */
static inline uint64_t bits_mask(unsigned n)
{
    return n >= 64 ? UINT64_MAX : BIT(n) - 1;
}

static inline uint64_t bits_get(uint64_t v, unsigned lo, unsigned width)
{
    return (v >> lo) & bits_mask(width);
}

static inline uint64_t bits_set(uint64_t v, unsigned lo, unsigned width, uint64_t field)
{
    uint64_t m = bits_mask(width) << lo;
    return (v & ~m) | ((field << lo) & m);
}

/* Sign-extends the lowest n bits (1 to 64). */
static inline int64_t bits_sext(uint64_t v, unsigned n)
{
    return (int64_t)(v << (64 - n)) >> (64 - n);
}

static inline bool bits_pow2(uint64_t v)
{
    return v && !(v & (v - 1));
}

static inline uint64_t bits_align_up(uint64_t v, uint64_t pow2)
{
    return (v + pow2 - 1) & ~(pow2 - 1);
}

/* Unaligned little-endian memory; size is 1, 2, 4 or 8 bytes. */
static inline uint64_t bits_load_le(const void *p, unsigned size)
{
    uint64_t v8; /* hosts are little-endian: configure checks */
    uint32_t v4;
    uint16_t v2;

    /* One load each: a copy of a size that is not known would be put together in memory, and reading
     * that back waits. */
    switch (size) {
    case 1:
        return *(const uint8_t *)p;
    case 2:
        memcpy(&v2, p, sizeof v2);
        return v2;
    case 4:
        memcpy(&v4, p, sizeof v4);
        return v4;
    default:
        memcpy(&v8, p, sizeof v8);
        return v8;
    }
}

static inline void bits_store_le(void *p, unsigned size, uint64_t v)
{
    memcpy(p, &v, size);
}

/* Unaligned big-endian memory, for file formats and the device tree. */
static inline uint32_t bits_load_be32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

/* A well-mixed 64-bit function of one (splitmix64's finaliser). */
static inline uint64_t bits_mix(uint64_t v)
{
    v ^= v >> 30;
    v *= UINT64_C(0xbf58476d1ce4e5b9);
    v ^= v >> 27;
    v *= UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

/* A 64-bit hash of memory; not for adversaries.  Any length, fast on pages. */
uint64_t bits_hash(const void *data, size_t len, uint64_t seed);

#endif
