/* host_thread.c - see host_thread.h. */
#include "host/host_thread.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem_alloc.h"
#include "host/host_clock.h"

struct start {
    void (*run)(void *);
    void *arg;
};

static void *trampoline(void *p)
{
    struct start s = *(struct start *)p;
    free(p);
    s.run(s.arg);
    return NULL;
}

int host_thread_start(struct host_thread *t, const char *name, void (*run)(void *), void *arg,
                      struct err *e)
{
    static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    struct start *s = xmalloc(sizeof *s);
    sigset_t block, before;
    char short_name[16];

    *s = (struct start){run, arg};
    sigfillset(&block);
    for (unsigned i = 0; i < sizeof synchronous / sizeof *synchronous; i++)
        sigdelset(&block, synchronous[i]);
    pthread_sigmask(SIG_SETMASK, &block, &before);
    int r = pthread_create(&t->id, NULL, trampoline, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r) {
        free(s);
        return err_sys(e, r, "cannot start the thread %s", name);
    }
    snprintf(short_name, sizeof short_name, "%s", name);
    pthread_setname_np(t->id, short_name);
    return 0;
}

/* These calls fail only for an object that is not one, or is not ours to use. */
static void must(int r)
{
    assert(r == 0);
    (void)r;
}

void host_thread_join(struct host_thread *t)
{
    must(pthread_join(t->id, NULL));
}

void host_mutex_init(struct host_mutex *m)
{
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
    must(pthread_mutex_init(&m->m, &a));
    pthread_mutexattr_destroy(&a);
}

void host_mutex_fini(struct host_mutex *m)
{
    must(pthread_mutex_destroy(&m->m));
}

void host_mutex_lock(struct host_mutex *m)
{
    must(pthread_mutex_lock(&m->m));
}

void host_mutex_unlock(struct host_mutex *m)
{
    must(pthread_mutex_unlock(&m->m));
}

void host_cond_init(struct host_cond *c)
{
    pthread_condattr_t a;
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    must(pthread_cond_init(&c->c, &a));
    pthread_condattr_destroy(&a);
}

void host_cond_fini(struct host_cond *c)
{
    must(pthread_cond_destroy(&c->c));
}

void host_cond_wait(struct host_cond *c, struct host_mutex *m)
{
    must(pthread_cond_wait(&c->c, &m->m));
}

bool host_cond_wait_until(struct host_cond *c, struct host_mutex *m, uint64_t until_ns)
{
    struct timespec ts = {(time_t)(until_ns / 1000000000), (long)(until_ns % 1000000000)};
    if (until_ns == HOST_NEVER) {
        host_cond_wait(c, m);
        return true;
    }
    int r = pthread_cond_timedwait(&c->c, &m->m, &ts);
    must(r == ETIMEDOUT ? 0 : r);
    return r == 0;
}

void host_cond_signal(struct host_cond *c)
{
    must(pthread_cond_signal(&c->c));
}

void host_cond_broadcast(struct host_cond *c)
{
    must(pthread_cond_broadcast(&c->c));
}

int host_wake_init(struct host_wake *w, struct err *e)
{
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return w->fd < 0 ? err_sys(e, errno, "cannot make an eventfd") : 0;
}

void host_wake_fini(struct host_wake *w)
{
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

void host_wake_post(struct host_wake *w)
{
    int saved = errno;
    uint64_t one = 1;
    while (write(w->fd, &one, sizeof one) < 0 && errno == EINTR)
        ; /* EAGAIN: posted 2^64 - 2 times already */
    errno = saved;
}

bool host_wake_clear(struct host_wake *w)
{
    uint64_t count;
    return read(w->fd, &count, sizeof count) == sizeof count;
}
