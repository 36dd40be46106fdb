/* bits.c - see bits.h. */
#include "base/bits.h"

#include <stddef.h>

/*
 * Four lanes take 32 bytes a round: a multiplication waits for the one before
 * it in its own lane only.  A lane is a bijection of its state for any input
 * word, so two inputs that differ in one word cannot meet in that lane.
 */
static inline uint64_t round64(uint64_t lane, uint64_t word)
{
    lane = (lane ^ word) * UINT64_C(0x9fb21c651e98df25);
    return lane ^ (lane >> 32);
}

uint64_t bits_hash(const void *data, size_t len, uint64_t seed)
{
    const unsigned char *p = data;
    uint64_t lane[4];
    size_t left = len;

    for (unsigned i = 0; i < 4; i++)
        lane[i] = bits_mix(seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
    for (; left >= 32; p += 32, left -= 32) {
        lane[0] = round64(lane[0], bits_load_le(p, 8));
        lane[1] = round64(lane[1], bits_load_le(p + 8, 8));
        lane[2] = round64(lane[2], bits_load_le(p + 16, 8));
        lane[3] = round64(lane[3], bits_load_le(p + 24, 8));
    }
    if (left) {
        unsigned char tail[32] = {0}; /* the length, mixed in below, tells zeros from nothing */
        memcpy(tail, p, left);
        for (unsigned i = 0; i < 4; i++)
            lane[i] = round64(lane[i], bits_load_le(tail + 8 * i, 8));
    }
    uint64_t h = bits_mix(len ^ lane[0]);
    for (unsigned i = 1; i < 4; i++)
        h = bits_mix(h ^ lane[i]);
    return h;
}
