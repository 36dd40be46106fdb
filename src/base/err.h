/*
 * err.h - how every operation that can fail says so.
 *
 * An operation returns 0 or a negative errno; a constructor returns NULL.  The
 * caller passes a `struct err`, which then holds one line for a person: it
 * names the file, option, address or packet and, where there is one, the next
 * thing to try.  A NULL `struct err *` is accepted everywhere and drops the
 * message.  A guest's own fault is a value, never one of these.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

struct err {
    int code;      /* the negative errno that was returned; 0: no error */
    char msg[384]; /* no trailing newline; always terminated */
};

/* Fills *e and returns -errnum, so that `return err_set(e, EINVAL, ...)` reads well. */
int err_set(struct err *e, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int err_vset(struct err *e, int errnum, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* As err_set, with ": " and strerror(errnum) behind the text. */
int err_sys(struct err *e, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "fmt: " in front of the message that *e holds; returns e->code. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
