/*
 * host_port.h - the host's end of a stream of bytes: a file, a unix socket, a pseudo-terminal.
 *
 * What cannot be written at once is kept, up to a few megabytes; then a write waits for the
 * other end, up to a second, and after that drops bytes, and says so once, until the other
 * end takes some again.  One thread at a time.
 */
#ifndef HOST_PORT_H
#define HOST_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

struct host_port;

/*
 * where:
 *   unix:PATH   a socket that listens; one client at a time.  Without one, what is written
 *               is lost.  The socket is removed in the end; a stale one is replaced.
 *   pty         a new pseudo-terminal; host_port_where names it
 *   PATH        a file, which is made anew, or a FIFO, or a character device, which alone is
 *               read too
 * log outlives it and may be NULL.
 */
struct host_port *host_port_open(const char *where, struct log *log, struct err *e);
void host_port_close(struct host_port *p);
/* The file, as a person can name it. */
const char *host_port_where(const struct host_port *p);

void host_port_write(struct host_port *p, const void *data, size_t len);
/* What is there now, without waiting: 0: nothing. */
size_t host_port_read(struct host_port *p, void *data, size_t len);
/* The descriptor that read may find something at (POLLIN), or -1. */
int host_port_fd(const struct host_port *p);

#endif
