/* vec.c - base/vec.h and base/mem_alloc.h. */
#include "base/vec.h"

#include <stdint.h>
#include <string.h>

#include "../unit.h"
#include "base/mem_alloc.h"

struct item {
    int a, b;
};

START_TEST(push_and_remove)
{
    struct {
        VEC(struct item);
    } v = {0};
    for (int i = 0; i < 1000; i++)
        vec_push(&v, ((struct item){i, -i}));
    ck_assert_uint_eq(v.len, 1000);
    for (int i = 0; i < 1000; i++)
        ck_assert(v.data[i].a == i && v.data[i].b == -i);
    vec_swap_out(&v, 3);
    ck_assert_uint_eq(v.len, 999);
    ck_assert_int_eq(v.data[3].a, 999);
    vec_fini(&v);
    ck_assert_ptr_null(v.data);
    ck_assert_uint_eq(v.len + v.cap, 0);
}
END_TEST

/* Growth doubles: a thousand pushes may move the data a few times only. */
START_TEST(reserve)
{
    struct {
        VEC(uint64_t);
    } v = {0};
    unsigned moves = 0;
    for (unsigned i = 0; i < 1000; i++) {
        size_t cap = v.cap;
        vec_push(&v, i);
        moves += v.cap != cap;
    }
    ck_assert_uint_le(moves, 10);
    vec_reserve(&v, 5000);
    ck_assert_uint_ge(v.cap, 5000);
    size_t cap = v.cap;
    vec_reserve(&v, 10);
    ck_assert_uint_eq(v.cap, cap);
    vec_fini(&v);
}
END_TEST

START_TEST(allocations)
{
    char *p = xmalloc(0), *z = xcalloc(3, 5), *none = xcalloc(0, 8);
    ck_assert_mem_eq(z, (char[15]){0}, 15);
    z = xrealloc(z, 100);
    char *s = xasprintf("%d-%s", 5, "x"), *t = xstrdup("copy");
    ck_assert_str_eq(s, "5-x");
    ck_assert_str_eq(t, "copy");
    free(p);
    free(z);
    free(none);
    free(s);
    free(t);
}
END_TEST

UNIT_MAIN("base/vec", push_and_remove, reserve, allocations)
