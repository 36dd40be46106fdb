/*
 * ptyrun.c - runs a program on a terminal of its own and plays a person.
 *
 *     ptyrun STEPS COMMAND [ARGUMENT...]
 *
 * STEPS is a file of lines:
 *     expect SECONDS TEXT   wait until TEXT is printed, behind what was expected before
 *     never TEXT            TEXT was not printed since what was expected before
 *     send TEXT             type it
 *     sleep MILLISECONDS
 *     kill SIGNAL           a number
 *     run COMMAND           of the host's shell, meanwhile; its status is 0
 *     time NAME             prints the seconds since the last `time` or the start: on the wall, and
 *                           those of a CPU that the program used
 *     raw | cooked          waits until the terminal is raw, or has the settings that it started with
 *     exit STATUS SECONDS   the program ends by then, with this status (128 + a signal's
 *                           number), and the terminal has the settings that it started with
 * TEXT may hold \r \n \t \\ and \xHH.  Blank lines and those with # in front do nothing.  What the
 * program printed goes to standard output as comments of TAP.  The status is 0 if all went so.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX (8u << 20)
#define SETTINGS_SECONDS 60 /* to change the terminal's settings in */

struct play {
    int fd;
    pid_t child;
    struct termios first;
    char *out;        /* all that was printed */
    size_t len, seen; /* seen: expected so far */
    bool hung_up;
    unsigned line;
    double mark, cpu_mark; /* when `time` was last */
};

static void transcript(const struct play *p)
{
    bool fresh = true;

    for (size_t i = 0; i < p->len; i++) {
        char c = p->out[i];

        if (fresh)
            fputs("# | ", stdout);
        fresh = c == '\n';
        if (c == '\n' || (c >= ' ' && c < 127))
            putchar(c);
        else if (c != '\r')
            printf("\\x%02x", (unsigned char)c);
    }
    putchar('\n');
}

__attribute__((noreturn, format(printf, 2, 3))) static void fail(struct play *p, const char *fmt,
                                                                 ...)
{
    va_list ap;

    if (p->child > 0)
        kill(p->child, SIGKILL);
    transcript(p);
    printf("# line %u: ", p->line);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Takes what is printed, waiting until the time at most. */
static void take(struct play *p, double until)
{
    struct pollfd fd = {.fd = p->fd, .events = POLLIN};
    double left = until - now();
    ssize_t n;

    if (p->hung_up || poll(&fd, 1, left > 0 ? (int)(left * 1000) + 1 : 0) <= 0) {
        if (p->hung_up)
            usleep(10000);
        return;
    }
    if (p->len == OUTPUT_MAX)
        fail(p, "more than %u bytes were printed", OUTPUT_MAX);
    n = read(p->fd, p->out + p->len, OUTPUT_MAX - p->len);
    if (n <= 0 && errno != EINTR)
        p->hung_up = true;
    if (n > 0)
        p->len += (size_t)n;
}

/* Undoes the escapes in place; the length. */
static size_t unescape(struct play *p, char *s)
{
    char *to = s, *start = s;

    for (; *s; s++) {
        if (*s != '\\') {
            *to++ = *s;
            continue;
        }
        s++;
        if (*s == 'x' && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2])) {
            char digits[] = {s[1], s[2], 0};
            *to++ = (char)strtol(digits, NULL, 16);
            s += 2;
        } else if (*s && strchr("rnt\\", *s)) {
            *to++ = *s == 'r' ? '\r' : *s == 'n' ? '\n' : *s == 't' ? '\t' : '\\';
        } else {
            fail(p, "what is \\%c?", *s);
        }
    }
    return (size_t)(to - start);
}

static void expect(struct play *p, char *rest)
{
    char *text;
    double until = now() + strtod(rest, &text);
    size_t len;

    text += *text == ' ';
    len = unescape(p, text);
    for (;;) {
        char *at = memmem(p->out + p->seen, p->len - p->seen, text, len);

        if (at) {
            p->seen = (size_t)(at - p->out) + len;
            return;
        }
        if (now() >= until || p->hung_up)
            fail(p, "never printed: %s", text);
        take(p, until);
    }
}

static void never(struct play *p, char *text)
{
    size_t len = unescape(p, text);

    take(p, now());
    if (memmem(p->out + p->seen, p->len - p->seen, text, len))
        fail(p, "printed: %s", text);
}

static void send_text(struct play *p, char *text)
{
    size_t len = unescape(p, text);

    if (write(p->fd, text, len) != (ssize_t)len)
        fail(p, "cannot type: %s", strerror(errno));
}

static bool same_settings(const struct play *p)
{
    struct termios t;

    return tcgetattr(p->fd, &t) == 0 && t.c_iflag == p->first.c_iflag &&
           t.c_oflag == p->first.c_oflag && t.c_cflag == p->first.c_cflag &&
           t.c_lflag == p->first.c_lflag && !memcmp(t.c_cc, p->first.c_cc, sizeof t.c_cc);
}

static bool is_raw(const struct play *p)
{
    struct termios t;

    return tcgetattr(p->fd, &t) == 0 && !(t.c_lflag & (ICANON | ECHO | ISIG));
}

static void await_settings(struct play *p, bool (*right)(const struct play *p), const char *what)
{
    double until = now() + SETTINGS_SECONDS;

    while (!right(p)) {
        if (now() >= until || p->hung_up)
            fail(p, "the terminal %s", what);
        take(p, now() + 0.01);
    }
}

static void expect_exit(struct play *p, char *rest)
{
    char *seconds;
    int want = (int)strtol(rest, &seconds, 10), status, got;
    double until = now() + strtod(seconds, NULL);

    while (waitpid(p->child, &status, WNOHANG) == 0) {
        if (now() >= until)
            fail(p, "the program does not end");
        take(p, now() + 0.02);
    }
    p->child = 0;
    got = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (got != want)
        fail(p, "ended with status %d, not %d", got, want);
    if (!same_settings(p))
        fail(p, "the terminal is left with other settings");
}

static void run(struct play *p, const char *command)
{
    int status = system(command);

    if (status)
        fail(p, "status %d: %s", WIFEXITED(status) ? WEXITSTATUS(status) : status, command);
}

/* What the program used; all that is known of one that has ended is what it did before. */
static double cpu_seconds(const struct play *p)
{
    clockid_t id;
    struct timespec t;

    if (!p->child || clock_getcpuclockid(p->child, &id) || clock_gettime(id, &t))
        return p->cpu_mark;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell_time(struct play *p, const char *name)
{
    double wall = now(), cpu = cpu_seconds(p);

    printf("# %6.1f s, %6.1f of CPU: %s\n", wall - p->mark, cpu - p->cpu_mark, name);
    p->mark = wall;
    p->cpu_mark = cpu;
}

static void step(struct play *p, char *line)
{
    char *rest = strchr(line, ' ');

    if (rest)
        *rest++ = 0;
    else
        rest = line + strlen(line);
    if (!*line || *line == '#')
        return;
    if (!strcmp(line, "expect"))
        expect(p, rest);
    else if (!strcmp(line, "never"))
        never(p, rest);
    else if (!strcmp(line, "send"))
        send_text(p, rest);
    else if (!strcmp(line, "sleep"))
        usleep((useconds_t)atoi(rest) * 1000);
    else if (!strcmp(line, "kill"))
        kill(p->child, atoi(rest));
    else if (!strcmp(line, "run"))
        run(p, rest);
    else if (!strcmp(line, "time"))
        tell_time(p, rest);
    else if (!strcmp(line, "raw"))
        await_settings(p, is_raw, "is not raw");
    else if (!strcmp(line, "exit"))
        expect_exit(p, rest);
    else if (!strcmp(line, "cooked"))
        await_settings(p, same_settings, "has other settings than at the start");
    else
        fail(p, "what is \"%s\"?", line);
}

/* The settings are read before the program can change them: it waits for that. */
static void start(struct play *p, char **argv)
{
    int go[2];
    char c = 0;

    if (pipe(go))
        fail(p, "pipe: %s", strerror(errno));
    p->child = forkpty(&p->fd, NULL, NULL, NULL);
    if (p->child < 0)
        fail(p, "forkpty: %s", strerror(errno));
    if (!p->child) {
        close(go[1]);
        (void)!read(go[0], &c, 1);
        close(go[0]);
        execvp(argv[0], argv);
        fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(go[0]);
    tcgetattr(p->fd, &p->first);
    close(go[1]);
}

int main(int argc, char **argv)
{
    struct play p = {0};
    char line[1024];
    FILE *steps;

    if (argc < 3 || !(steps = fopen(argv[1], "r"))) {
        fprintf(stderr, "usage: ptyrun STEPS COMMAND [ARGUMENT...]\n");
        return 2;
    }
    p.out = malloc(OUTPUT_MAX);
    if (!p.out)
        return 2;
    start(&p, argv + 2);
    p.mark = now();
    while (fgets(line, sizeof line, steps)) {
        p.line++;
        line[strcspn(line, "\n")] = 0;
        step(&p, line);
    }
    if (p.child) {
        kill(p.child, SIGKILL);
        waitpid(p.child, NULL, 0);
    }
    transcript(&p);
    fclose(steps);
    free(p.out);
    return 0;
}
