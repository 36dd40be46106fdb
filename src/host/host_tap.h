/*
 * host_tap.h - a TAP interface of the host's: Ethernet frames without their checksums.
 *
 * One thread at a time.
 */
#ifndef HOST_TAP_H
#define HOST_TAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct host_tap;

/* The interface is made if it is not there, which root alone may. */
struct host_tap *host_tap_open(const char *interface, struct err *e);
void host_tap_close(struct host_tap *t);

/* What the host does not take is lost. */
void host_tap_send(struct host_tap *t, const uint8_t *frame, size_t len);
/* The next frame that fits into `max` bytes, without waiting; 0: there is none.  Longer ones are
 * lost. */
size_t host_tap_receive(struct host_tap *t, uint8_t *frame, size_t max);
/* Readable (POLLIN) when there may be a frame. */
int host_tap_fd(const struct host_tap *t);

#endif
