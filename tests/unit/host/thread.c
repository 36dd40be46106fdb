/* thread.c - host/host_thread.h. */
#include "host/host_thread.h"

#include <signal.h>
#include <string.h>

#include "../unit.h"
#include "host/host_clock.h"

#define MS UINT64_C(1000000) /* ns */

struct shared {
    struct host_mutex m;
    struct host_cond c;
    struct host_wake wake;
    unsigned count, turn;
    char name[16];
    sigset_t blocked;
};

static struct shared *shared_new(void)
{
    struct shared *s = calloc(1, sizeof *s);
    host_mutex_init(&s->m);
    host_cond_init(&s->c);
    ck_assert_int_eq(host_wake_init(&s->wake, NULL), 0);
    return s;
}

static void shared_free(struct shared *s)
{
    host_wake_fini(&s->wake);
    host_cond_fini(&s->c);
    host_mutex_fini(&s->m);
    free(s);
}

static void add(void *arg)
{
    struct shared *s = arg;
    for (unsigned i = 0; i < 20000; i++) {
        host_mutex_lock(&s->m);
        s->count++;
        host_mutex_unlock(&s->m);
    }
}

START_TEST(mutex)
{
    struct shared *s = shared_new();
    struct host_thread t[3];
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(host_thread_start(&t[i], "add", add, s, NULL), 0);
    for (unsigned i = 0; i < 3; i++)
        host_thread_join(&t[i]);
    ck_assert_uint_eq(s->count, 60000);
    shared_free(s);
}
END_TEST

static void odd_turns(void *arg)
{
    struct shared *s = arg;
    host_mutex_lock(&s->m);
    for (unsigned i = 0; i < 500; i++) {
        while (s->turn % 2 == 0)
            host_cond_wait(&s->c, &s->m);
        s->turn++;
        host_cond_signal(&s->c);
    }
    host_mutex_unlock(&s->m);
}

START_TEST(condition)
{
    struct shared *s = shared_new();
    struct host_thread t;
    ck_assert_int_eq(host_thread_start(&t, "odd", odd_turns, s, NULL), 0);
    host_mutex_lock(&s->m);
    for (unsigned i = 0; i < 500; i++) {
        while (s->turn % 2 == 1)
            ck_assert(host_cond_wait_until(&s->c, &s->m, HOST_NEVER));
        s->turn++;
        host_cond_broadcast(&s->c);
    }
    host_mutex_unlock(&s->m);
    host_thread_join(&t);
    ck_assert_uint_eq(s->turn, 1000);
    shared_free(s);
}
END_TEST

START_TEST(deadline)
{
    struct shared *s = shared_new();
    uint64_t until = host_monotonic_ns() + 20 * MS;
    host_mutex_lock(&s->m);
    while (host_cond_wait_until(&s->c, &s->m, until))
        ;
    host_mutex_unlock(&s->m);
    uint64_t late = host_monotonic_ns() - until;
    ck_assert_msg(late < 2000 * MS, "%lld ns", (long long)late);
    shared_free(s);
}
END_TEST

static void post_later(void *arg)
{
    struct shared *s = arg;
    host_wait(NULL, 0, host_monotonic_ns() + 20 * MS);
    host_wake_post(&s->wake);
    host_wake_post(&s->wake);
}

START_TEST(wake)
{
    struct shared *s = shared_new();
    struct host_thread t;
    struct pollfd p = {.fd = s->wake.fd, .events = POLLIN};
    ck_assert(!host_wake_clear(&s->wake));
    ck_assert_uint_eq(host_wait(&p, 1, 0), 0);
    ck_assert_int_eq(host_thread_start(&t, "post", post_later, s, NULL), 0);
    ck_assert_uint_eq(host_wait(&p, 1, HOST_NEVER), 1);
    host_thread_join(&t);
    ck_assert(host_wake_clear(&s->wake)); /* both posts are one wake-up */
    ck_assert(!host_wake_clear(&s->wake));
    ck_assert_uint_eq(host_wait(&p, 1, 0), 0);
    shared_free(s);
}
END_TEST

static void look(void *arg)
{
    struct shared *s = arg;
    host_mutex_lock(&s->m); /* the name is given by the starter */
    pthread_getname_np(pthread_self(), s->name, sizeof s->name);
    pthread_sigmask(SIG_BLOCK, NULL, &s->blocked);
    host_mutex_unlock(&s->m);
}

START_TEST(name_and_signals)
{
    struct shared *s = shared_new();
    struct host_thread t;
    sigset_t mine;
    host_mutex_lock(&s->m);
    ck_assert_int_eq(host_thread_start(&t, "a name that is long", look, s, NULL), 0);
    host_mutex_unlock(&s->m);
    host_thread_join(&t);
    ck_assert_str_eq(s->name, "a name that is ");
    ck_assert(sigismember(&s->blocked, SIGINT) && sigismember(&s->blocked, SIGTERM));
    ck_assert(!sigismember(&s->blocked, SIGSEGV) && !sigismember(&s->blocked, SIGABRT));
    pthread_sigmask(SIG_BLOCK, NULL, &mine);
    ck_assert(!sigismember(&mine, SIGINT));
    shared_free(s);
}
END_TEST

UNIT_MAIN("host/thread", mutex, condition, deadline, wake, name_and_signals)
