/* integer.c - crc, sieve: integer arithmetic and tables. */
#include <string.h>

#include "bench.h"

#define CRC_BYTES   (1u << 20)
#define SIEVE_LIMIT (1u << 20)

static void crc_table(uint32_t table[256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
        table[i] = c;
    }
}

uint64_t bench_crc(unsigned long n)
{
    uint32_t table[256];
    uint64_t *words = bench_alloc(CRC_BYTES);
    uint64_t seed = 1, hash = 0;
    uint32_t crc = UINT32_MAX;

    crc_table(table);
    for (size_t i = 0; i < CRC_BYTES / 8; i++)
        words[i] = bench_random(&seed);
    bench_start();
    for (unsigned long round = 0; round < n; round++) {
        for (size_t i = 0; i < CRC_BYTES / 8; i++) {
            hash = bench_mix(hash, words[i]);
            crc = crc >> 8 ^ table[(crc ^ words[i]) & 0xff];
        }
    }
    bench_end();
    return hash ^ crc;
}

uint64_t bench_sieve(unsigned long n)
{
    uint8_t *composite = bench_alloc(SIEVE_LIMIT);
    uint64_t primes = 0;

    bench_start();
    for (unsigned long round = 0; round < n; round++) {
        memset(composite, 0, SIEVE_LIMIT);
        for (uint32_t i = 2; i < SIEVE_LIMIT; i++) {
            if (composite[i])
                continue;
            primes += i ^ round;
            for (uint32_t k = 2 * i; k < SIEVE_LIMIT; k += i)
                composite[k] = 1;
        }
    }
    bench_end();
    return primes;
}
