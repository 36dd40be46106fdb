/*
 * host_entropy.h - random bytes from the host.
 *
 * For seeds that the person did not give.  Any thread.
 */
#ifndef HOST_ENTROPY_H
#define HOST_ENTROPY_H

#include <stddef.h>

#include "base/err.h"

/* Fills all of `data`; returns 0 or a negative errno. */
int host_entropy(void *data, size_t len, struct err *e);

#endif
