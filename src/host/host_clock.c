/* host_clock.c - see host_clock.h. */
#include "host/host_clock.h"

#include <errno.h>
#include <time.h>

#define SECOND UINT64_C(1000000000) /* ns */

static uint64_t now(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

uint64_t host_monotonic_ns(void)
{
    return now(CLOCK_MONOTONIC);
}

uint64_t host_thread_ns(void)
{
    return now(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t host_clock_cost(uint64_t (*clock)(void))
{
    uint64_t best = UINT64_MAX;

    for (unsigned i = 0; i < 8; i++) {
        uint64_t start = clock(), ns = clock() - start;

        best = ns < best ? ns : best;
    }
    return best;
}

int64_t host_realtime_ns(void)
{
    return (int64_t)now(CLOCK_REALTIME);
}

unsigned host_wait(struct pollfd *fds, unsigned count, uint64_t until_ns)
{
    for (;;) {
        uint64_t t = until_ns == HOST_NEVER ? 0 : host_monotonic_ns();
        uint64_t left = until_ns > t ? until_ns - t : 0;
        struct timespec ts = {(time_t)(left / SECOND), (long)(left % SECOND)};
        int n = ppoll(fds, count, until_ns == HOST_NEVER ? NULL : &ts, NULL);
        if (n > 0)
            return (unsigned)n;
        if (n == 0)
            return 0;
        if (errno != EINTR && errno != EAGAIN)
            return 0; /* EINVAL, ENOMEM: nothing can be waited for */
    }
}
