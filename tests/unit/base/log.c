/* log.c - base/log.h: what a line looks like, and when there is none or no colour. */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"

/* What was written to the other end of fd since the last look. */
static const char *seen(int fd)
{
    static char text[65536];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = 0;
    return text;
}

START_TEST(lines)
{
    struct log l;
    int fd[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    log_init(&l, fd[0], LOG_INFO);
    ck_assert(!l.colour);
    log_error(&l, "%s: %d", "file", 7);
    ck_assert_str_eq(seen(fd[1]), "glovebox: error: file: 7\n");
    log_warn(&l, "w");
    ck_assert_str_eq(seen(fd[1]), "glovebox: warning: w\n");
    log_info(&l, "i");
    ck_assert_str_eq(seen(fd[1]), "glovebox: i\n");
    log_debug(&l, "d");
    ck_assert_str_eq(seen(fd[1]), "");
    l.level = LOG_DEBUG;
    l.cr = true;
    log_debug(&l, "d");
    ck_assert_str_eq(seen(fd[1]), "glovebox: debug: d\r\n");
    log_error(NULL, "nobody");
    errno = ENOSPC;
    l.fd = -1; /* the line is lost, and that is all */
    log_error(&l, "x");
    ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

static bool colour_with(const char *term, const char *no_color)
{
    struct log l;
    int master, slave;
    ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
    term ? setenv("TERM", term, 1) : unsetenv("TERM");
    no_color ? setenv("NO_COLOR", no_color, 1) : unsetenv("NO_COLOR");
    log_init(&l, slave, LOG_INFO);
    close(master);
    close(slave);
    return l.colour;
}

START_TEST(colour)
{
    ck_assert(colour_with("xterm", NULL));
    ck_assert(colour_with("xterm", ""));
    ck_assert(!colour_with("xterm", "1"));
    ck_assert(!colour_with("dumb", NULL));
    ck_assert(!colour_with(NULL, NULL));

    struct log l = {.level = LOG_INFO, .colour = true};
    int fd[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    l.fd = fd[0];
    log_error(&l, "x");
    ck_assert_str_eq(seen(fd[1]), "glovebox: \033[1;31merror:\033[0m x\n");
}
END_TEST

static void *many(void *arg)
{
    for (unsigned i = 0; i < 200; i++)
        log_info(arg, "the same line of text");
    return NULL;
}

/* Lines of two threads come out whole. */
START_TEST(threads)
{
    struct log l;
    pthread_t t[2];
    int fd[2];
    const char *line = "glovebox: the same line of text\n";
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    log_init(&l, fd[0], LOG_INFO);
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, many, &l);
    for (unsigned i = 0; i < 400; i++) {
        char got[64] = {0};
        ck_assert_int_eq(recv(fd[1], got, strlen(line), MSG_WAITALL), (int)strlen(line));
        ck_assert_str_eq(got, line);
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
}
END_TEST

UNIT_MAIN("base/log", lines, colour, threads)
