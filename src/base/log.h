/*
 * log.h - lines for the person, on standard error.
 *
 * A struct log is owned by main and handed down; nothing here is global.  Lines
 * carry "glovebox: " and a level; colours appear only on a terminal and never
 * with NO_COLOR.  Safe to call from any thread.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log {
    int fd;               /* where lines go */
    enum log_level level; /* lines above it are dropped */
    bool colour;
    bool cr; /* the terminal is raw: end lines with CR LF */
};

/* Lines go to fd; colour is decided from isatty(fd), TERM and NO_COLOR. */
void log_init(struct log *l, int fd, enum log_level level);

/* One line; l may be NULL (dropped). */
void log_line(struct log *l, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(l, ...) log_line(l, LOG_ERROR, __VA_ARGS__)
#define log_warn(l, ...) log_line(l, LOG_WARN, __VA_ARGS__)
#define log_info(l, ...) log_line(l, LOG_INFO, __VA_ARGS__)
#define log_debug(l, ...) log_line(l, LOG_DEBUG, __VA_ARGS__)

#endif
