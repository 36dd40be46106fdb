/*
 * host_listen.h - sockets that others connect to.
 *
 * All is without waiting.  The owner of a listener or a connection closes it.
 */
#ifndef HOST_LISTEN_H
#define HOST_LISTEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct host_listener;

/*
 * where:
 *   unix:PATH        a unix socket; a stale one is replaced, and it is removed in the end
 *   [ADDRESS:]PORT   TCP; ADDRESS is numeric, in [] if it has colons, 127.0.0.1 without; port 0 is
 *                    any that is free
 */
struct host_listener *host_listen(const char *where, struct err *e);
void host_listener_close(struct host_listener *l);
int host_listener_fd(const struct host_listener *l);
/* As people can give it to a client: "127.0.0.1:1234", "unix:/tmp/x". */
const char *host_listener_where(const struct host_listener *l);

/* The next connection's descriptor (small packets go at once), or -1. */
int host_accept(struct host_listener *l);
/* Bytes moved, 0 if none can be now, or a negative errno; -EPIPE when the other end is gone. */
int host_socket_read(int fd, void *data, size_t len);
int host_socket_write(int fd, const void *data, size_t len);
void host_socket_close(int fd);

#endif
