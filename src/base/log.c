/* log.c - see log.h. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

static const struct {
    const char *name, *colour;
} levels[] = {
    [LOG_ERROR] = {"error", "\033[1;31m"},
    [LOG_WARN] = {"warning", "\033[1;33m"},
    [LOG_INFO] = {"", ""},
    [LOG_DEBUG] = {"debug", "\033[2m"},
};

void log_init(struct log *l, int fd, enum log_level level)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    *l = (struct log){.fd = fd, .level = level};
    l->colour = isatty(fd) && term && strcmp(term, "dumb") != 0 && !(no_color && *no_color);
}

/* The bytes go out by one write, so that lines of two threads do not mix. */
static void put(int fd, const char *s, size_t len)
{
    while (len) {
        ssize_t n = write(fd, s, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* there is nobody to tell */
        s += n;
        len -= (size_t)n;
    }
}

void log_line(struct log *l, enum log_level level, const char *fmt, ...)
{
    if (!l || level > l->level)
        return;
    int saved = errno;
    struct buf b = BUF_INIT;
    va_list ap;

    buf_str(&b, "glovebox: ");
    if (*levels[level].name && l->colour)
        buf_fmt(&b, "%s%s:\033[0m ", levels[level].colour, levels[level].name);
    else if (*levels[level].name)
        buf_fmt(&b, "%s: ", levels[level].name);
    va_start(ap, fmt);
    buf_vfmt(&b, fmt, ap);
    va_end(ap);
    buf_str(&b, l->cr ? "\r\n" : "\n");
    put(l->fd, b.data, b.len);
    buf_fini(&b);
    errno = saved;
}
