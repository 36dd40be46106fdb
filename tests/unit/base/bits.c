/* bits.c - base/bits.h: fields, extension, byte order and the hash. */
#include "base/bits.h"

#include "../unit.h"

START_TEST(fields)
{
    ck_assert_uint_eq(bits_mask(0), 0);
    ck_assert_uint_eq(bits_mask(1), 1);
    ck_assert_uint_eq(bits_mask(63), UINT64_MAX >> 1);
    ck_assert_uint_eq(bits_mask(64), UINT64_MAX);
    ck_assert_uint_eq(bits_get(0xabcdef, 8, 8), 0xcd);
    ck_assert_uint_eq(bits_get(UINT64_MAX, 0, 64), UINT64_MAX);
    ck_assert_uint_eq(bits_set(0xabcdef, 8, 8, 0x112), 0xab12ef); /* excess bits are dropped */
    ck_assert_uint_eq(bits_set(0, 63, 1, 1), BIT(63));
}
END_TEST

START_TEST(sign_extension)
{
    ck_assert_int_eq(bits_sext(0x800, 12), -2048);
    ck_assert_int_eq(bits_sext(0x7ff, 12), 2047);
    ck_assert_int_eq(bits_sext(0xfff7ff, 12), 2047);
    ck_assert_int_eq(bits_sext(1, 1), -1);
    ck_assert_int_eq(bits_sext(UINT64_MAX, 64), -1);
}
END_TEST

START_TEST(powers)
{
    ck_assert(!bits_pow2(0));
    ck_assert(bits_pow2(1));
    ck_assert(bits_pow2(BIT(63)));
    ck_assert(!bits_pow2(BIT(63) + 1));
    ck_assert_uint_eq(bits_align_up(4097, 4096), 8192);
    ck_assert_uint_eq(bits_align_up(4096, 4096), 4096);
    ck_assert_uint_eq(bits_align_up(0, 4096), 0);
}
END_TEST

START_TEST(byte_order)
{
    const unsigned char m[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99};
    unsigned char out[9] = {0};
    ck_assert_uint_eq(bits_load_le(m + 1, 1), 0x22);
    ck_assert_uint_eq(bits_load_le(m + 1, 2), 0x3322);
    ck_assert_uint_eq(bits_load_le(m + 1, 4), 0x55443322);
    ck_assert_uint_eq(bits_load_le(m + 1, 8), UINT64_C(0x9988776655443322));
    ck_assert_uint_eq(bits_load_be32(m + 1), 0x22334455);
    bits_store_le(out + 1, 4, UINT64_C(0xaabbccdd11223344));
    ck_assert_mem_eq(out, "\0\x44\x33\x22\x11\0\0\0\0", 9);
}
END_TEST

/* Snapshots and logs keep hashes: these values may never change, on any host. */
START_TEST(hash_is_fixed)
{
    unsigned char page[4096];
    for (unsigned i = 0; i < sizeof page; i++)
        page[i] = (unsigned char)(i * 7 + (i >> 8));
    ck_assert_uint_eq(bits_hash("", 0, 0), UINT64_C(0x107fec4104b6cabf));
    ck_assert_uint_eq(bits_hash("glovebox", 8, 1), UINT64_C(0x34d81478738267e6));
    ck_assert_uint_eq(bits_hash(page, sizeof page, 42), UINT64_C(0xdbac293af76d4164));
    ck_assert_uint_eq(bits_hash(page + 1, 4001, 42), UINT64_C(0x4dfc5dc4d7f02b57));
}
END_TEST

/* Every bit, the length and the seed count; alignment does not. */
START_TEST(hash_sees_everything)
{
    unsigned char m[300] = {0}, moved[301] = {0};
    for (size_t len = 0; len < 300; len++) {
        uint64_t h = bits_hash(m, len, 0);
        ck_assert_uint_ne(h, bits_hash(m, len + 1, 0));
        ck_assert_uint_ne(h, bits_hash(m, len, 1));
        ck_assert_uint_eq(h, bits_hash(moved + 1, len, 0));
    }
    uint64_t zero = bits_hash(m, 100, 0);
    for (unsigned bit = 0; bit < 800; bit++) {
        m[bit / 8] ^= (unsigned char)(1u << bit % 8);
        uint64_t h = bits_hash(m, 100, 0);
        unsigned changed = (unsigned)__builtin_popcountll(h ^ zero);
        ck_assert_msg(changed >= 10 && changed <= 54, "bit %u moves %u bits", bit, changed);
        m[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}
END_TEST

/* Words that move from one place to another must show: lanes are not exchangeable. */
START_TEST(hash_sees_order)
{
    uint64_t m[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint64_t h = bits_hash(m, sizeof m, 0);
    for (unsigned i = 0; i < 8; i++)
        for (unsigned k = 0; k < i; k++) {
            uint64_t n[8];
            memcpy(n, m, sizeof m);
            n[i] = m[k];
            n[k] = m[i];
            ck_assert_uint_ne(h, bits_hash(n, sizeof n, 0));
        }
}
END_TEST

UNIT_MAIN("base/bits", fields, sign_extension, powers, byte_order, hash_is_fixed,
          hash_sees_everything, hash_sees_order)
