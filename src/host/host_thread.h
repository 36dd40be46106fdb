/*
 * host_thread.h - threads, and ways to wait for and wake them.
 *
 * Thin wrappers: a program error (a mutex locked twice) is asserted, want of
 * resources is an error of the constructor.  Asynchronous signals stay with the
 * main thread: started threads block all but the synchronous ones.
 */
#ifndef HOST_THREAD_H
#define HOST_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct host_thread {
    pthread_t id;
};

/* `name` shows in ps and gdb: its first 15 bytes. */
int host_thread_start(struct host_thread *t, const char *name, void (*run)(void *), void *arg,
                      struct err *e);
void host_thread_join(struct host_thread *t);

struct host_mutex {
    pthread_mutex_t m;
};

void host_mutex_init(struct host_mutex *m);
void host_mutex_fini(struct host_mutex *m);
void host_mutex_lock(struct host_mutex *m);
void host_mutex_unlock(struct host_mutex *m);

struct host_cond {
    pthread_cond_t c;
};

void host_cond_init(struct host_cond *c);
void host_cond_fini(struct host_cond *c);
void host_cond_wait(struct host_cond *c, struct host_mutex *m);
/* False at the deadline (see host_monotonic_ns; HOST_NEVER: none); it may also wake for nothing. */
bool host_cond_wait_until(struct host_cond *c, struct host_mutex *m, uint64_t until_ns);
void host_cond_signal(struct host_cond *c);
void host_cond_broadcast(struct host_cond *c);

/* A wake-up that host_wait can wait for: fd is readable (POLLIN) from post until clear. */
struct host_wake {
    int fd;
};

int host_wake_init(struct host_wake *w, struct err *e);
void host_wake_fini(struct host_wake *w);
void host_wake_post(struct host_wake *w);  /* any thread, and signal handlers */
bool host_wake_clear(struct host_wake *w); /* whether it had been posted */

#endif
