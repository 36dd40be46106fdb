/* host_tty.c - see host_tty.h. */
#include "host/host_tty.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

#define ALT_STACK 65536 /* bytes; for a SIGSEGV whose cause is a stack overflow */

/* Signals that end a program by default, and the two that stop it and let it go on. */
static const int watched[] = {
    SIGHUP,  SIGINT,    SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
    SIGFPE,  SIGUSR1,   SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM,
    SIGXCPU, SIGVTALRM, SIGPROF, SIGXFSZ, SIGSYS,  SIGTSTP, SIGCONT,
};

struct host_tty {
    int fd;
    pid_t owner; /* a forked child must not touch its parent's terminal */
    struct termios saved, raw;
    volatile sig_atomic_t is_raw;
    struct sigaction old[ARRAY_LEN(watched)];
    void *alt_stack; /* NULL if the thread had one already */
};

/* The terminal that is raw, for the signal handler and exit: see host_tty.h. */
static _Atomic(struct host_tty *) active;

/* False when a shell has the terminal now: its settings are none of our business. */
static bool foreground(const struct host_tty *t)
{
    pid_t group = tcgetpgrp(t->fd);
    return group < 0 || group == getpgrp(); /* < 0: not our controlling terminal */
}

/* Sets the terminal, also from the background, where SIGTTOU would stop us. */
static void set(const struct host_tty *t, const struct termios *to)
{
    sigset_t ttou, before;
    sigemptyset(&ttou);
    sigaddset(&ttou, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &ttou, &before);
    while (tcsetattr(t->fd, TCSANOW, to) < 0 && errno == EINTR)
        ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void leave_raw(struct host_tty *t)
{
    if (t->is_raw && foreground(t))
        set(t, &t->saved);
    t->is_raw = 0;
}

static void enter_raw(struct host_tty *t)
{
    if (!foreground(t))
        return;
    set(t, &t->raw);
    t->is_raw = 1;
}

static struct host_tty *mine(void)
{
    struct host_tty *t = atomic_load(&active);
    return t && t->owner == getpid() ? t : NULL;
}

static void at_exit(void)
{
    struct host_tty *t = mine();
    if (t)
        leave_raw(t);
}

/*
 * Does to sig what would have happened without us.  The default action ends or
 * stops the program as soon as the signal is not blocked: for a stop that is
 * here, and all go on from here after SIGCONT.
 */
static void pass_on(struct host_tty *t, unsigned i, siginfo_t *info, void *context)
{
    int sig = watched[i];
    const struct sigaction *old = &t->old[i];
    struct sigaction ours;
    sigset_t one;

    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(sig, info, context);
    } else if (old->sa_handler != SIG_DFL) {
        old->sa_handler(sig);
    } else {
        sigemptyset(&one);
        sigaddset(&one, sig);
        sigaction(sig, old, &ours);
        raise(sig);
        pthread_sigmask(SIG_UNBLOCK, &one, NULL);
        pthread_sigmask(SIG_BLOCK, &one, NULL);
        sigaction(sig, &ours, NULL);
    }
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    int saved_errno = errno;
    struct host_tty *t = mine();
    unsigned i = 0;

    while (watched[i] != sig)
        i++;
    if (!t) { /* a child that forked: it dies of the signal as it should */
        signal(sig, SIG_DFL);
        raise(sig);
    } else if (sig == SIGCONT) {
        enter_raw(t);
        if (t->old[i].sa_handler != SIG_DFL)
            pass_on(t, i, info, context);
    } else {
        leave_raw(t);
        pass_on(t, i, info, context);
        if (mine() == t)
            enter_raw(t);
    }
    errno = saved_errno;
}

static void take_signals(struct host_tty *t)
{
    struct sigaction sa = {.sa_sigaction = on_signal,
                           .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigfillset(&sa.sa_mask);
    for (unsigned i = 0; i < ARRAY_LEN(watched); i++) {
        sigaction(watched[i], NULL, &t->old[i]);
        if (t->old[i].sa_handler != SIG_IGN || watched[i] == SIGCONT)
            sigaction(watched[i], &sa, NULL);
    }
}

static void give_signals_back(const struct host_tty *t)
{
    for (unsigned i = 0; i < ARRAY_LEN(watched); i++) {
        struct sigaction now;
        sigaction(watched[i], NULL, &now);
        if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_signal)
            sigaction(watched[i], &t->old[i], NULL);
    }
}

static void take_alt_stack(struct host_tty *t)
{
    stack_t now, s = {.ss_size = ALT_STACK};
    if (sigaltstack(NULL, &now) < 0 || !(now.ss_flags & SS_DISABLE))
        return;
    s.ss_sp = t->alt_stack = xmalloc(ALT_STACK);
    sigaltstack(&s, NULL);
}

static void give_alt_stack_back(struct host_tty *t)
{
    stack_t off = {.ss_flags = SS_DISABLE};
    if (t->alt_stack)
        sigaltstack(&off, NULL);
    free(t->alt_stack);
}

struct host_tty *host_tty_raw(int fd, struct err *e)
{
    struct host_tty *t, *none = NULL;
    if (atomic_load(&active)) {
        err_set(e, EBUSY, "a terminal is in raw mode already");
        return NULL;
    }
    t = xcalloc(1, sizeof *t);
    t->fd = fd;
    t->owner = getpid();
    if (tcgetattr(fd, &t->saved) < 0) {
        err_sys(e, errno, "file descriptor %d is no terminal", fd);
        goto fail;
    }
    t->raw = t->saved;
    cfmakeraw(&t->raw);
    if (!atomic_compare_exchange_strong(&active, &none, t) || atexit(at_exit) != 0) {
        err_set(e, EBUSY, "the terminal cannot be made raw safely");
        goto fail;
    }
    take_alt_stack(t);
    take_signals(t);
    enter_raw(t);
    return t;
fail:
    free(t);
    return NULL;
}

void host_tty_cooked(struct host_tty *t)
{
    if (!t)
        return;
    if (t->owner == getpid())
        leave_raw(t);
    give_signals_back(t);
    atomic_store(&active, NULL);
    give_alt_stack_back(t);
    free(t);
}

bool host_tty_is(int fd)
{
    return isatty(fd);
}

int host_tty_size(int fd, unsigned *columns, unsigned *rows)
{
    struct winsize w;
    if (ioctl(fd, TIOCGWINSZ, &w) < 0 || !w.ws_col || !w.ws_row)
        return -ENOTTY;
    *columns = w.ws_col;
    *rows = w.ws_row;
    return 0;
}
