/*
 * host_nbd.h - disks behind the network block device protocol.
 *
 * A request waits for its answer; another's server gets so long for all of it, ours is waited for
 * as a file would be.  A server that is gone is not asked again: what follows fails with
 * -ENOTCONN.  A flush is what the server promises by it.
 */
#ifndef HOST_NBD_H
#define HOST_NBD_H

#include <stdbool.h>

#include "base/err.h"
#include "host/host_disk.h"
#include "host/host_server.h"

/* Whether the text is like nbd://HOST/EXPORT, nbd+unix:///EXPORT?socket=PATH and so on. */
bool host_nbd_is_uri(const char *text);
/* One that has not answered a request in patience_ns is lost. */
struct host_disk *host_nbd_open(const char *uri, bool read_only, uint64_t patience_ns,
                                struct err *e);

/* A disk that a server of ours serves on fd.  Takes both, also where it fails. */
struct host_disk *host_nbd_serve(const char *name, struct host_server *server, int fd,
                                 bool read_only, struct err *e);

#endif
