/*
 * server.h - a GDB server: a thread of its own that listens, talks to clients, and asks the control
 * loop.
 *
 * Any number of clients at once; each is a session.  Made and freed by the main thread.
 */
#ifndef GDBSTUB_SERVER_H
#define GDBSTUB_SERVER_H

#include "base/log.h"
#include "control/ctl.h"

struct gdb_server;
struct host_share;

struct gdb_config {
    const char *where; /* see host_listen */
    struct ctl *ctl;
    struct log *log;
    struct host_share *files; /* that clients may use by vFile; NULL: none */
    /* A client asked for the program's end (k, vKill); from the server's thread. */
    void (*killed)(void *opaque);
    void *opaque;
};

/* NULL with a message: nobody can listen there. */
struct gdb_server *gdb_server_new(const struct gdb_config *config, struct err *e);
void gdb_server_free(struct gdb_server *s);
/* What a person gives GDB: target remote ... */
const char *gdb_server_where(const struct gdb_server *s);

#endif
