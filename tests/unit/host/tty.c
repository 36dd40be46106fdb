/*
 * tty.c - host/host_tty.h: the terminal's own settings come back whatever ends
 * the program that made it raw.  Each case is a child on a new pseudo-terminal
 * whose settings are looked at from the other end.
 */
#include "host/host_tty.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "../unit.h"
#include "host/host_clock.h"

#define MS UINT64_C(1000000) /* ns */

/* A sanitizer has handlers of its own, which end the program in another way. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZER 1
#elif defined __has_feature
#define SANITIZER __has_feature(address_sanitizer)
#else
#define SANITIZER 0
#endif

static struct termios settings(int fd)
{
    struct termios t;
    memset(&t, 0, sizeof t);
    ck_assert_int_eq(tcgetattr(fd, &t), 0);
    return t;
}

static bool is_raw(int fd)
{
    struct termios t = settings(fd);
    return !(t.c_lflag & (ICANON | ECHO | ISIG)) && !(t.c_oflag & OPOST);
}

/* Waits for up to 5 s until the terminal is (not) raw. */
static bool becomes(int fd, bool raw)
{
    for (unsigned i = 0; i < 500 && is_raw(fd) != raw; i++)
        host_wait(NULL, 0, host_monotonic_ns() + 10 * MS);
    return is_raw(fd) == raw;
}

static struct host_tty *child_tty; /* in the child */

/*
 * A child with a new terminal as its input and output: its controlling one, or
 * just some terminal, in which case the child can be stopped (a process group
 * without a shell ignores SIGTSTP).  When start returns, the child has made it
 * raw; then it runs `body` and waits for signals.
 */
static pid_t start(int *master, bool controlling, void (*body)(void))
{
    int ready[2], slave;
    ck_assert_int_eq(pipe(ready), 0);
    ck_assert_int_eq(openpty(master, &slave, NULL, NULL, NULL), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(ready[0]);
        if (controlling)
            login_tty(slave);
        else
            dup2(slave, 0);
        signal(SIGINT, SIG_DFL); /* libcheck has handlers for these */
        signal(SIGTERM, SIG_DFL);
        signal(SIGALRM, SIG_DFL);
        dup2(open("/dev/null", O_WRONLY), 2); /* a sanitizer's report would fill the terminal */
        child_tty = host_tty_raw(0, NULL);
        if (!child_tty || write(ready[1], "", 1) != 1)
            _exit(99);
        body();
        for (;;)
            pause();
    }
    close(ready[1]);
    close(slave);
    char c;
    ck_assert_int_eq(read(ready[0], &c, 1), 1); /* raw now, or ended already */
    close(ready[0]);
    return child;
}

static void nothing(void)
{
}

static int ended(pid_t child)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(no_terminal)
{
    struct err e = {0};
    unsigned columns, rows;
    int fd = open("/dev/null", O_RDWR);
    ck_assert(!host_tty_is(fd));
    ck_assert_ptr_null(host_tty_raw(fd, &e));
    ck_assert_int_eq(e.code, -ENOTTY);
    ck_assert_int_eq(host_tty_size(fd, &columns, &rows), -ENOTTY);
    host_tty_cooked(NULL);
    close(fd);
}
END_TEST

START_TEST(raw_and_back)
{
    int master, slave;
    struct sigaction before, after;
    ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
    struct termios was = settings(slave), now;
    sigaction(SIGTERM, NULL, &before);
    for (unsigned i = 0; i < 3; i++) {
        struct err e = {0};
        struct host_tty *t = host_tty_raw(slave, &e);
        ck_assert_msg(t != NULL, "%s", e.msg);
        ck_assert(is_raw(slave));
        ck_assert_ptr_null(host_tty_raw(slave, &e));
        ck_assert_int_eq(e.code, -EBUSY);
        host_tty_cooked(t);
        now = settings(slave);
        ck_assert_mem_eq(&now, &was, sizeof was);
        sigaction(SIGTERM, NULL, &after);
        ck_assert(before.sa_handler == after.sa_handler);
    }
    ck_assert(host_tty_is(slave));
    close(master);
    close(slave);
}
END_TEST

/* Keys arrive one by one and unchanged, output leaves unchanged. */
START_TEST(bytes_pass_unchanged)
{
    int master, slave;
    char got[8] = "";
    ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
    struct host_tty *t = host_tty_raw(slave, NULL);
    ck_assert_int_eq(write(master, "\003\032\r\x04", 4), 4);
    ck_assert_int_eq(read(slave, got, sizeof got), 4);
    ck_assert_mem_eq(got, "\003\032\r\x04", 4);
    ck_assert_int_eq(write(slave, "a\nb", 3), 3);
    ck_assert_int_eq(read(master, got, sizeof got), 3);
    ck_assert_mem_eq(got, "a\nb", 3);
    host_tty_cooked(t);
    close(master);
    close(slave);
}
END_TEST

START_TEST(size)
{
    int master, slave;
    unsigned columns = 0, rows = 0;
    struct winsize w = {.ws_col = 132, .ws_row = 43};
    ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
    ck_assert_int_eq(host_tty_size(slave, &columns, &rows), -ENOTTY); /* 0 x 0 */
    ioctl(master, TIOCSWINSZ, &w);
    ck_assert_int_eq(host_tty_size(slave, &columns, &rows), 0);
    ck_assert(columns == 132 && rows == 43);
    close(master);
    close(slave);
}
END_TEST

/* Raw while the child lives, itself again after a signal that ends it; the child died of it. */
START_TEST(signals_that_end)
{
    static const int sigs[] = {SIGINT, SIGTERM, SIGHUP,  SIGQUIT, SIGSEGV,
                               SIGBUS, SIGABRT, SIGPIPE, SIGUSR1, SIGALRM};
    for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++) {
        int master;
        signal(sigs[i], SIG_DFL); /* nohup ignores SIGHUP */
        pid_t child = start(&master, true, nothing);
        ck_assert(is_raw(master));
        kill(child, sigs[i]);
        int status = ended(child);
        ck_assert_msg(!is_raw(master), "still raw after %s", strsignal(sigs[i]));
        ck_assert(SANITIZER || (WIFSIGNALED(status) && WTERMSIG(status) == sigs[i]));
        close(master);
    }
}
END_TEST

static void leave_by_exit(void)
{
    exit(7);
}

START_TEST(program_exit)
{
    int master;
    pid_t child = start(&master, true, leave_by_exit);
    int status = ended(child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    ck_assert(!is_raw(master));
    close(master);
}
END_TEST

static void leave_by_abort(void)
{
    abort();
}

START_TEST(program_abort)
{
    int master;
    ended(start(&master, true, leave_by_abort));
    ck_assert(!is_raw(master));
    close(master);
}
END_TEST

static int overflow(volatile char *above)
{
    volatile char frame[4096];
    frame[0] = above[0];
    if (frame[0])
        return 0;
    return overflow(frame) + frame[1];
}

static void leave_by_overflow(void)
{
    volatile char c[1] = {0};
    overflow(c);
}

/* The handler has no stack but its own then. */
START_TEST(stack_overflow)
{
    int master;
    ended(start(&master, true, leave_by_overflow));
    ck_assert(!is_raw(master));
    close(master);
}
END_TEST

static void stopped(pid_t child, int sig)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
    ck_assert(WIFSTOPPED(status) && WSTOPSIG(status) == sig);
}

START_TEST(stop_and_continue)
{
    int master;
    pid_t child = start(&master, false, nothing);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(becomes(master, true));
        kill(child, SIGTSTP);
        stopped(child, SIGTSTP);
        ck_assert(!is_raw(master));
        kill(child, SIGCONT);
    }
    ck_assert(becomes(master, true));
    kill(child, SIGTERM);
    ended(child);
    ck_assert(!is_raw(master));
    close(master);
}
END_TEST

/* SIGSTOP cannot be caught: a shell sets the terminal right, SIGCONT makes it raw again. */
START_TEST(continue_after_sigstop)
{
    int master;
    pid_t child = start(&master, false, nothing);
    struct termios cooked = settings(master);
    cooked.c_lflag |= ICANON | ECHO | ISIG;
    cooked.c_oflag |= OPOST;
    kill(child, SIGSTOP);
    stopped(child, SIGSTOP);
    tcsetattr(master, TCSANOW, &cooked);
    ck_assert(!is_raw(master));
    kill(child, SIGCONT);
    ck_assert(becomes(master, true));
    kill(child, SIGTERM);
    ended(child);
    ck_assert(!is_raw(master));
    close(master);
}
END_TEST

static volatile sig_atomic_t raw_inside = -1;

static void handler(int sig)
{
    (void)sig;
    raw_inside = is_raw(0);
}

static void with_handler(void)
{
    raise(SIGUSR1);
    _exit(raw_inside == 0 && is_raw(0) ? 0 : 1);
}

/* A handler that was there first sees the terminal restored and may return. */
START_TEST(earlier_handler)
{
    struct sigaction sa = {.sa_handler = handler};
    int master;
    sigaction(SIGUSR1, &sa, NULL); /* the child inherits it */
    int status = ended(start(&master, true, with_handler));
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(master);
}
END_TEST

static void hang_up_on_me(void)
{
    raise(SIGHUP);
    _exit(is_raw(0) ? 0 : 1);
}

START_TEST(ignored_stays_ignored)
{
    int master;
    signal(SIGHUP, SIG_IGN);
    int status = ended(start(&master, true, hang_up_on_me));
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(master);
}
END_TEST

static void fork_and_die(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGTERM);
        _exit(1);
    }
    int status;
    waitpid(pid, &status, 0);
    _exit(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM && is_raw(0) ? 0 : 1);
}

/* A child of the program dies of a signal and leaves the terminal as it is. */
START_TEST(forked_child)
{
    int master;
    int status = ended(start(&master, true, fork_and_die));
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(master);
}
END_TEST

/*
 * The session's leader has the terminal.  Its child, a job in the background,
 * must not touch it until it is in the foreground and goes on.
 */
static void leader(void)
{
    host_tty_cooked(child_tty);
    pid_t job = fork();
    if (job == 0) {
        setpgid(0, 0);
        struct host_tty *t = host_tty_raw(0, NULL);
        int quiet = !is_raw(0);
        host_wait(NULL, 0, host_monotonic_ns() + 20 * MS);
        raise(SIGCONT);
        quiet &= !is_raw(0);
        signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(0, getpgrp());
        raise(SIGCONT);
        int loud = is_raw(0);
        host_tty_cooked(t);
        _exit(quiet && loud && !is_raw(0) ? 0 : 1);
    }
    int status;
    waitpid(job, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
}

START_TEST(background)
{
    int master;
    int status = ended(start(&master, true, leader));
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(master);
}
END_TEST

UNIT_MAIN("host/tty", no_terminal, raw_and_back, bytes_pass_unchanged, size, signals_that_end,
          program_exit, program_abort, stack_overflow, stop_and_continue, continue_after_sigstop,
          earlier_handler, ignored_stays_ignored, forked_child, background)
