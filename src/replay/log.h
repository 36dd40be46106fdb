/*
 * log.h - what came from outside, and when: the inputs that a run depends on besides
 * its starting state.
 *
 * A log is a list of inputs for each door of a machine, each with the tick (machine.h)
 * at which the door gave it.  Ticks do not fall within a door's list.  In memory.
 */
#ifndef REPLAY_LOG_H
#define REPLAY_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "board/board.h"

/* The doors that give something, in a fixed order: a machine's idle time, its console, ... */
enum {
    REPLAY_IDLE,
    REPLAY_CONSOLE,
    REPLAY_PORT,
    REPLAY_NET = REPLAY_PORT + BOARD_PORTS,
    REPLAY_DOORS = REPLAY_NET + BOARD_NETS,
};

struct replay_input {
    uint64_t tick;
    size_t at, len; /* its bytes, in the door's */
};

struct replay_log;

struct replay_log *replay_log_new(void);
void replay_log_free(struct replay_log *l);

/* An input of a door; the bytes are copied. */
void replay_log_add(struct replay_log *l, unsigned door, uint64_t tick, const void *data,
                    size_t len);
/* The number of a door's first input at `tick` or later. */
size_t replay_log_find(const struct replay_log *l, unsigned door, uint64_t tick);
/* Its n-th input, or NULL behind the last; valid until one is added. */
const struct replay_input *replay_log_get(const struct replay_log *l, unsigned door, size_t n,
                                          const uint8_t **data);

#endif
