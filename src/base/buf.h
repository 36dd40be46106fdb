/*
 * buf.h - a growing string of bytes.
 *
 * Invariant: data[len] is 0, so data is always a C string too; len never
 * counts it.  A zeroed struct is not valid: use BUF_INIT or buf_init.  The
 * owner calls buf_fini.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;
    size_t len;
    size_t cap;
};

extern char buf_empty[1]; /* what data points to before the first byte; never written */
#define BUF_INIT {buf_empty, 0, 0}

void buf_init(struct buf *b);
void buf_fini(struct buf *b);
void buf_reset(struct buf *b); /* length 0, memory kept */

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_ch(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Spaces until the current line is `column` bytes long (none if it is longer). */
void buf_pad(struct buf *b, size_t column);

/* Hands the string to the caller (free() it) and leaves b empty. */
char *buf_take(struct buf *b);

#endif
