/* buf.c - base/buf.h: the terminator, growth, formatting and padding. */
#include "base/buf.h"

#include <string.h>

#include "../unit.h"

START_TEST(empty)
{
    struct buf b = BUF_INIT;
    ck_assert_str_eq(b.data, "");
    buf_add(&b, "x", 0);
    buf_str(&b, "");
    buf_reset(&b);
    ck_assert_uint_eq(b.len, 0);
    ck_assert_ptr_eq(b.data, buf_empty);
    buf_fini(&b);
    buf_fini(&b); /* twice does no harm */
}
END_TEST

START_TEST(grows_by_every_step)
{
    for (size_t step = 1; step < 70; step++) {
        struct buf b = BUF_INIT;
        char piece[70], want[70 * 70];
        memset(piece, 'a' + (int)(step % 26), sizeof piece);
        memset(want, 'a' + (int)(step % 26), sizeof want);
        for (size_t i = 1; i <= 69; i++) {
            buf_add(&b, piece, step);
            ck_assert_uint_eq(b.len, i * step);
            ck_assert_uint_eq(strlen(b.data), b.len);
        }
        ck_assert_mem_eq(b.data, want, b.len);
        buf_fini(&b);
    }
}
END_TEST

START_TEST(bytes_of_any_value)
{
    struct buf b = BUF_INIT;
    buf_add(&b, "a\0b", 3);
    buf_ch(&b, 0);
    ck_assert_uint_eq(b.len, 4);
    ck_assert_mem_eq(b.data, "a\0b\0", 5);
    buf_fini(&b);
}
END_TEST

/* The text that just fits, and the one that just does not. */
START_TEST(formats)
{
    for (int n = 0; n < 300; n++) {
        struct buf b = BUF_INIT;
        buf_fmt(&b, "<%*s>", n, "");
        buf_fmt(&b, "%d", n);
        ck_assert_uint_ge(b.len, (size_t)n + 3);
        ck_assert_uint_eq(strlen(b.data), b.len);
        ck_assert_int_eq(b.data[n + 1], '>');
        ck_assert_int_eq(atoi(b.data + n + 2), n);
        buf_fini(&b);
    }
}
END_TEST

START_TEST(pads_the_line)
{
    struct buf b = BUF_INIT;
    buf_pad(&b, 0);
    ck_assert_uint_eq(b.len, 0);
    buf_str(&b, "long line\nab");
    buf_pad(&b, 4);
    buf_str(&b, "c");
    buf_pad(&b, 3);
    ck_assert_str_eq(b.data, "long line\nab  c");
    buf_str(&b, "\n");
    buf_pad(&b, 2);
    ck_assert_str_eq(b.data, "long line\nab  c\n  ");
    buf_fini(&b);
}
END_TEST

START_TEST(take_and_reset)
{
    struct buf b = BUF_INIT;
    char *none = buf_take(&b);
    ck_assert_str_eq(none, "");
    free(none);
    buf_str(&b, "text");
    const char *memory = b.data;
    buf_reset(&b);
    ck_assert_str_eq(b.data, "");
    ck_assert_ptr_eq(b.data, memory);
    buf_str(&b, "more");
    char *s = buf_take(&b);
    ck_assert_str_eq(s, "more");
    ck_assert_uint_eq(b.len + b.cap, 0);
    buf_str(&b, "again");
    ck_assert_str_eq(s, "more");
    free(s);
    buf_fini(&b);
}
END_TEST

UNIT_MAIN("base/buf", empty, grows_by_every_step, bytes_of_any_value, formats, pads_the_line,
          take_and_reset)
