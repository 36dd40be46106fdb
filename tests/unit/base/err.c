/* err.c - base/err.h: codes, texts, prefixes, texts that are too long. */
#include "base/err.h"

#include <errno.h>
#include <string.h>

#include "../unit.h"

START_TEST(set)
{
    struct err e = {0};
    ck_assert_int_eq(err_set(&e, EINVAL, "%s: bad %d", "file", 3), -EINVAL);
    ck_assert_int_eq(e.code, -EINVAL);
    ck_assert_str_eq(e.msg, "file: bad 3");
}
END_TEST

START_TEST(system_error)
{
    struct err e = {0};
    errno = 0;
    ck_assert_int_eq(err_sys(&e, ENOENT, "a%s", "b"), -ENOENT);
    ck_assert_int_eq(e.code, -ENOENT);
    ck_assert_str_eq(e.msg, "ab: No such file or directory");
}
END_TEST

START_TEST(prefix)
{
    struct err e = {0};
    err_set(&e, EIO, "inner");
    ck_assert_int_eq(err_prefix(&e, "outer %d", 1), -EIO);
    ck_assert_int_eq(err_prefix(&e, "first"), -EIO);
    ck_assert_str_eq(e.msg, "first: outer 1: inner");
    ck_assert_int_eq(e.code, -EIO);
}
END_TEST

START_TEST(nobody_listens)
{
    ck_assert_int_eq(err_set(NULL, EINVAL, "x"), -EINVAL);
    ck_assert_int_eq(err_sys(NULL, EIO, "x"), -EIO);
    err_prefix(NULL, "x");
}
END_TEST

START_TEST(long_texts_are_cut)
{
    struct err e;
    char text[1000];
    memset(text, 'x', sizeof text);
    text[999] = 0;
    err_set(&e, EINVAL, "%s", text);
    ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
    err_sys(&e, EINVAL, "%s", text);
    ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
    err_prefix(&e, "name");
    ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
    ck_assert_mem_eq(e.msg, "name: xxx", 9);
    err_prefix(&e, "%s", text);
    ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
}
END_TEST

UNIT_MAIN("base/err", set, system_error, prefix, nobody_listens, long_texts_are_cut)
