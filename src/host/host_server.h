/*
 * host_server.h - a program of the host's that serves us, and nobody else, over a socket.
 *
 * It is handed a listening socket as systemd does that (LISTEN_FDS), in which our
 * connection waits already: there is nothing to poll for, and no name of the
 * socket is left.  It has a session of its own, so that a terminal's Ctrl-C is not for
 * it, and is told to end (SIGTERM) when the thread that started it ends, however
 * that does.
 */
#ifndef HOST_SERVER_H
#define HOST_SERVER_H

#include "base/buf.h"
#include "base/err.h"

struct host_server;

/* Starts argv[0], which is looked for in PATH and which the Debian package brings.  *fd is our end
 * of the connection, the caller's to close. */
struct host_server *host_server_start(char *const argv[], const char *package, int *fd,
                                      struct err *e);

/* Tells it to end, waits until it has, and frees it; the caller has closed its end.  What it said
 * on standard error goes to `said` as one line, or that it did not end well.  Returns its exit
 * status, 128 plus a signal's number, or -ETIMEDOUT if it had to be killed. */
int host_server_end(struct host_server *s, struct buf *said);

#endif
