/* arena.c - base/arena.h: alignment, zeroed memory, reuse, large requests. */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../unit.h"

static bool all_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

START_TEST(zeroed_and_aligned)
{
    struct arena a;
    arena_init(&a);
    for (unsigned round = 0; round < 3; round++) {
        char *last = NULL;
        for (size_t n = 1; n < 400; n++) {
            char *p = arena_alloc(&a, n);
            ck_assert_uint_eq((uintptr_t)p % 16, 0);
            ck_assert(all_zero(p, n));
            ck_assert_ptr_ne(p, last);
            memset(p, 0xa5, n); /* the next round must find zeros again */
            last = p;
        }
        arena_reset(&a);
        ck_assert_uint_eq(arena_used(&a), 0);
    }
    arena_fini(&a);
}
END_TEST

START_TEST(pieces_do_not_overlap)
{
    enum { N = 3000 };
    struct arena a;
    unsigned *piece[N];
    arena_init(&a);
    for (unsigned i = 0; i < N; i++) {
        piece[i] = arena_array(&a, unsigned, 1 + i % 97);
        for (unsigned k = 0; k < 1 + i % 97; k++)
            piece[i][k] = i;
    }
    for (unsigned i = 0; i < N; i++)
        for (unsigned k = 0; k < 1 + i % 97; k++)
            ck_assert_uint_eq(piece[i][k], i);
    arena_fini(&a);
}
END_TEST

START_TEST(used_counts_what_was_given)
{
    struct arena a;
    arena_init(&a);
    ck_assert_uint_eq(arena_used(&a), 0);
    arena_alloc(&a, 1);
    arena_alloc(&a, 17);
    ck_assert_uint_eq(arena_used(&a), 16 + 32);
    arena_alloc(&a, 1000000);
    arena_alloc(&a, 16);
    ck_assert_uint_eq(arena_used(&a), 16 + 32 + 1000000 + 16);
    arena_fini(&a);
}
END_TEST

/* After a reset the same requests are met from the same memory. */
START_TEST(reset_keeps_the_chunks)
{
    struct arena a;
    void *first[40];
    arena_init(&a);
    for (unsigned i = 0; i < 40; i++)
        first[i] = arena_alloc(&a, 10000);
    arena_reset(&a);
    for (unsigned i = 0; i < 40; i++)
        ck_assert_ptr_eq(arena_alloc(&a, 10000), first[i]);
    arena_fini(&a);
}
END_TEST

START_TEST(large_after_reset)
{
    struct arena a;
    arena_init(&a);
    for (unsigned i = 0; i < 5; i++) {
        arena_alloc(&a, 100);
        char *big = arena_alloc(&a, 300000 + i * 100000);
        memset(big, 1, 300000 + i * 100000);
        ck_assert(all_zero(arena_alloc(&a, 100), 100));
        arena_reset(&a);
    }
    arena_fini(&a);
}
END_TEST

/* What does not fit a large arena's pieces still gets its own. */
START_TEST(large_arenas)
{
    enum { N = 300, SIZE = 10000, PIECE = 2 << 20 };
    struct arena a;
    char *first[N];
    arena_init_large(&a);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < N; i++) {
            char *p = arena_alloc(&a, SIZE);
            ck_assert(all_zero(p, SIZE));
            memset(p, 0xa5, SIZE);
            if (!round)
                first[i] = p;
            ck_assert_ptr_eq(p, first[i]);
        }
        ck_assert(all_zero(arena_alloc(&a, PIECE), PIECE));
        arena_reset(&a);
    }
    arena_fini(&a);
    ck_assert(a.large);
}
END_TEST

/* Raw memory comes from the same place, and what follows it is zeroed again. */
START_TEST(raw_between_zeroed)
{
    struct arena a;
    arena_init(&a);
    for (unsigned round = 0; round < 2; round++) {
        for (size_t n = 1; n < 3000; n += 7) {
            char *raw = arena_raw(&a, n);
            ck_assert_uint_eq((uintptr_t)raw % 16, 0);
            memset(raw, 0xa5, n);
            char *p = arena_alloc(&a, n);
            ck_assert(p >= raw + n || p < raw);
            ck_assert(all_zero(p, n));
        }
        arena_reset(&a);
    }
    arena_fini(&a);
}
END_TEST

START_TEST(strings)
{
    struct arena a;
    arena_init(&a);
    char *one = arena_strdup(&a, "one"), *none = arena_strdup(&a, "");
    ck_assert_str_eq(one, "one");
    ck_assert_str_eq(none, "");
    char *copy = arena_copy(&a, "copied", 3);
    ck_assert_mem_eq(copy, "cop", 3);
    ck_assert_ptr_null(arena_copy(&a, NULL, 0));
    arena_fini(&a);
}
END_TEST

UNIT_MAIN("base/arena", zeroed_and_aligned, pieces_do_not_overlap, used_counts_what_was_given,
          reset_keeps_the_chunks, large_after_reset, large_arenas, raw_between_zeroed, strings)
