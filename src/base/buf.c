/* buf.c - see buf.h. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"

char buf_empty[1];

void buf_init(struct buf *b)
{
    *b = (struct buf)BUF_INIT;
}

void buf_fini(struct buf *b)
{
    if (b->cap)
        free(b->data);
    buf_init(b);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    if (b->cap)
        b->data[0] = 0;
}

/* Room for `more` bytes and the terminator. */
static void reserve(struct buf *b, size_t more)
{
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return;
    size_t cap = b->cap ? b->cap : 32;
    while (cap < need)
        cap *= 2;
    b->data = xrealloc(b->cap ? b->data : NULL, cap);
    b->data[b->len] = 0;
    b->cap = cap;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    if (!len)
        return;
    reserve(b, len);
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = 0;
}

void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_ch(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_vfmt(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(b->data + b->len, b->cap ? b->cap - b->len : 0, fmt, ap);
    if (n > 0) {
        if (b->len + (size_t)n + 1 > b->cap) {
            reserve(b, (size_t)n);
            vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        }
        b->len += (size_t)n;
    }
    va_end(again);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vfmt(b, fmt, ap);
    va_end(ap);
}

void buf_pad(struct buf *b, size_t column)
{
    const char *nl = memrchr(b->data, '\n', b->len);
    size_t line = nl ? (size_t)(nl - b->data) + 1 : 0;
    if (b->len - line >= column)
        return;
    size_t n = column - (b->len - line);
    reserve(b, n);
    memset(b->data + b->len, ' ', n);
    b->len += n;
    b->data[b->len] = 0;
}

char *buf_take(struct buf *b)
{
    reserve(b, 0); /* an empty string is the caller's to free as well */
    char *s = b->data;
    buf_init(b);
    return s;
}
