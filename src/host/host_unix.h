/* host_unix.h - a unix socket that listens. */
#ifndef HOST_UNIX_H
#define HOST_UNIX_H

#include "base/err.h"

/* At path, where one that nobody listens at is replaced; not blocking.  The descriptor, or a negative
 * errno with a message. */
int host_unix_listen(const char *path, int backlog, struct err *e);

#endif
