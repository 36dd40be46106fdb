/* err.c - see err.h. */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

int err_vset(struct err *e, int errnum, const char *fmt, va_list ap)
{
    if (e) {
        e->code = -errnum;
        vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    }
    return -errnum;
}

int err_set(struct err *e, int errnum, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_vset(e, errnum, fmt, ap);
    va_end(ap);
    return -errnum;
}

int err_sys(struct err *e, int errnum, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_vset(e, errnum, fmt, ap);
    va_end(ap);
    if (e) {
        char why[128];
        size_t len = strlen(e->msg);
        snprintf(e->msg + len, sizeof e->msg - len, ": %s", strerror_r(errnum, why, sizeof why));
    }
    return -errnum;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
    if (!e)
        return 0;
    struct err old = *e;
    va_list ap;
    va_start(ap, fmt);
    err_vset(e, -old.code, fmt, ap);
    va_end(ap);
    size_t len = strlen(e->msg);
    snprintf(e->msg + len, sizeof e->msg - len, ": %s", old.msg);
    return old.code;
}
