/*
 * host_clock.h - the host's time, and waiting for it or for a descriptor.
 *
 * Nothing that a guest sees may come from here but through src/clock.  Any
 * thread.
 */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include <poll.h>
#include <stdint.h>

#define HOST_NEVER UINT64_MAX /* a deadline that does not come */

/* Nanoseconds since some moment before the program started; never goes back. */
uint64_t host_monotonic_ns(void);

/* Nanoseconds of CPU time that the calling thread has used.  Slower to read than the others. */
uint64_t host_thread_ns(void);

/* What reading one of these clocks costs, in nanoseconds: the least of a few times. */
uint64_t host_clock_cost(uint64_t (*clock)(void));

/* Nanoseconds since 1970-01-01 00:00 UTC, by the host's calendar clock. */
int64_t host_realtime_ns(void);

/*
 * Waits until a descriptor has one of its `events`, or until the monotonic
 * clock reaches `until_ns`; a deadline that is past only looks.  Returns how
 * many are ready, with their `revents` set as poll(2) does; 0 at the deadline.
 * A signal does not end the wait.  count may be 0.
 */
unsigned host_wait(struct pollfd *fds, unsigned count, uint64_t until_ns);

#endif
