/* clock.c - host/host_clock.h and host/host_entropy.h. */
#include "host/host_clock.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "../unit.h"
#include "host/host_entropy.h"

#define MS UINT64_C(1000000) /* ns */

START_TEST(monotonic)
{
    uint64_t last = host_monotonic_ns();
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t t = host_monotonic_ns();
        ck_assert_uint_ge(t, last);
        last = t;
    }
}
END_TEST

START_TEST(realtime)
{
    int64_t t = host_realtime_ns() / 1000000000, want = time(NULL);
    ck_assert(t >= want - 2 && t <= want + 2);
}
END_TEST

START_TEST(sleeps)
{
    uint64_t start = host_monotonic_ns();
    ck_assert_uint_eq(host_wait(NULL, 0, start + 30 * MS), 0);
    uint64_t took = host_monotonic_ns() - start;
    ck_assert_msg(took >= 30 * MS && took < 2000 * MS, "%llu ns", (unsigned long long)took);
    ck_assert_uint_eq(host_wait(NULL, 0, start), 0); /* past: at once */
}
END_TEST

START_TEST(descriptors)
{
    int a[2], b[2];
    ck_assert_int_eq(pipe(a) + pipe(b), 0);
    struct pollfd p[2] = {{.fd = a[0], .events = POLLIN}, {.fd = b[0], .events = POLLIN}};
    ck_assert_uint_eq(host_wait(p, 2, 0), 0);
    ck_assert_int_eq(write(b[1], "x", 1), 1);
    ck_assert_uint_eq(host_wait(p, 2, HOST_NEVER), 1);
    ck_assert_int_eq(p[0].revents, 0);
    ck_assert_int_eq(p[1].revents, POLLIN);
    ck_assert_uint_eq(host_wait(p, 1, host_monotonic_ns() + 5 * MS), 0);
}
END_TEST

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
    (void)sig;
    ticks++;
}

/* Signals arrive all the time; the wait is as long as without them. */
START_TEST(signals_do_not_end_it)
{
    struct sigaction sa = {.sa_handler = tick};
    struct itimerval often = {{0, 2000}, {0, 2000}};
    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    uint64_t start = host_monotonic_ns();
    host_wait(NULL, 0, start + 60 * MS);
    ck_assert_uint_ge(host_monotonic_ns() - start, 60 * MS);
    ck_assert_int_ge(ticks, 3);
}
END_TEST

/* Work counts, sleep does not. */
START_TEST(time_of_a_thread)
{
    uint64_t start = host_thread_ns(), wall = host_monotonic_ns();
    host_wait(NULL, 0, wall + 60 * MS);
    uint64_t slept = host_monotonic_ns() - wall, used = host_thread_ns() - start;
    ck_assert_uint_lt(used, slept);
    start = host_thread_ns();
    while (host_thread_ns() < start + MS)
        ;
}
END_TEST

START_TEST(entropy)
{
    unsigned char a[64], b[64], zero[64] = {0};
    struct err e = {0};
    ck_assert_int_eq(host_entropy(a, sizeof a, &e), 0);
    ck_assert_int_eq(host_entropy(b, sizeof b, &e), 0);
    ck_assert_int_eq(host_entropy(b, 0, &e), 0);
    ck_assert(memcmp(a, b, sizeof a) != 0 && memcmp(a, zero, sizeof a) != 0);
}
END_TEST

UNIT_MAIN("host/clock", monotonic, realtime, sleeps, descriptors, signals_do_not_end_it,
          time_of_a_thread, entropy)
