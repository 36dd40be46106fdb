/* server.c - see server.h. */
#include "gdbstub/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "base/vec.h"
#include "gdbstub/session.h"
#include "host/host_clock.h"
#include "host/host_listen.h"
#include "host/host_thread.h"

#define CLIENTS_MAX 16
#define READ_SIZE   65536
#define LAST_NS     UINT64_C(1000000000) /* for what is still to be sent in the end */
#define EAGER_NS    UINT64_C(1000000)    /* within which a client mostly goes on */

/* A connection.  A slot without one has fd -1. */
struct link {
    int fd;
    struct gdb_session *session;
};

struct gdb_server {
    struct gdb_config config;
    struct host_listener *listener;
    struct host_thread thread;
    struct host_wake quit;
    struct link link[CLIENTS_MAX];
    uint8_t bytes[READ_SIZE];
};

static void hang_up(struct link *l)
{
    gdb_let_go(l->session);
    gdb_session_free(l->session);
    host_socket_close(l->fd);
    *l = (struct link){.fd = -1};
}

static void send_some(struct link *l)
{
    struct gdb_wire *w = &l->session->wire;
    int n = 1;

    while (n > 0 && w->out_at < w->out.len) {
        n = host_socket_write(l->fd, w->out.data + w->out_at, w->out.len - w->out_at);
        if (n > 0)
            gdb_wire_sent(w, (size_t)n);
    }
    if (n < 0 || (l->session->over && !w->out.len))
        hang_up(l);
}

/* What was to be sent may have kept packets from being looked at. */
static void go_on(struct link *l)
{
    send_some(l);
    while (l->fd >= 0 && l->session->held && !gdb_wire_full(&l->session->wire)) {
        gdb_session_input(l->session);
        send_some(l);
    }
}

static void receive(struct gdb_server *s, struct link *l)
{
    int n = host_socket_read(l->fd, s->bytes, sizeof s->bytes);

    if (n < 0) {
        hang_up(l);
        return;
    }
    gdb_wire_add(&l->session->wire, s->bytes, (size_t)n);
    gdb_session_input(l->session);
}

static void welcome(struct gdb_server *s)
{
    struct err e;
    int fd = host_accept(s->listener);
    struct link *l = s->link;

    if (fd < 0)
        return;
    while (l < s->link + CLIENTS_MAX && l->fd >= 0)
        l++;
    if (l < s->link + CLIENTS_MAX)
        l->session = gdb_session_new(&s->config, &e);
    else
        err_set(&e, EMFILE, "there are %d clients already", CLIENTS_MAX);
    if (l == s->link + CLIENTS_MAX || !l->session) {
        log_warn(s->config.log, "gdb: a client is turned away: %s", e.msg);
        host_socket_close(fd);
        return;
    }
    l->fd = fd;
}

/* What to wait for; the descriptors of link i are at 2 + 2 * i. */
static void list_fds(struct gdb_server *s, struct pollfd *fds)
{
    fds[0] = (struct pollfd){.fd = s->quit.fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = host_listener_fd(s->listener), .events = POLLIN};
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        const struct link *l = &s->link[i];
        bool sends = l->fd >= 0 && l->session->wire.out.len;
        bool hears = l->fd >= 0 && !gdb_wire_full(&l->session->wire);

        fds[2 + 2 * i] =
            (struct pollfd){.fd = l->fd, .events = (hears ? POLLIN : 0) | (sends ? POLLOUT : 0)};
        fds[3 + 2 * i] = (struct pollfd){.fd = l->fd < 0 ? -1 : ctl_client_fd(l->session->client),
                                         .events = POLLIN};
    }
}

/* Looks for a while before it sleeps, as to be woken takes longer than a client does to go on. */
static void wait_for_any(struct pollfd *fds, unsigned n, uint64_t eager_until)
{
    while (host_monotonic_ns() < eager_until)
        if (host_wait(fds, n, 0))
            return;
    host_wait(fds, n, HOST_NEVER);
}

static void serve(void *arg)
{
    struct gdb_server *s = arg;
    struct pollfd fds[2 + 2 * CLIENTS_MAX];
    uint64_t eager_until = 0;

    for (;;) {
        list_fds(s, fds);
        wait_for_any(fds, ARRAY_LEN(fds), eager_until);
        if (fds[0].revents)
            return;
        for (unsigned i = 0; i < CLIENTS_MAX; i++) {
            struct link *l = &s->link[i];

            if (l->fd >= 0 && fds[3 + 2 * i].revents)
                gdb_session_news(l->session);
            if (l->fd >= 0 && fds[2 + 2 * i].revents & ~POLLOUT) {
                receive(s, l);
                eager_until = host_monotonic_ns() + EAGER_NS;
            }
            if (l->fd >= 0)
                go_on(l);
        }
        if (fds[1].revents)
            welcome(s);
    }
}

struct gdb_server *gdb_server_new(const struct gdb_config *config, struct err *e)
{
    struct gdb_server *s = xcalloc(1, sizeof *s);

    s->config = *config;
    s->quit.fd = -1;
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        s->link[i].fd = -1;
    s->listener = host_listen(config->where, e);
    if (!s->listener) {
        err_prefix(e, "--gdb");
        goto no_listener;
    }
    if (host_wake_init(&s->quit, e))
        goto no_wake;
    if (host_thread_start(&s->thread, "gdb", serve, s, e))
        goto no_thread;
    return s;
no_thread:
    host_wake_fini(&s->quit);
no_wake:
    host_listener_close(s->listener);
no_listener:
    free(s);
    return NULL;
}

/* The program ends when the machine does, and its clients are to know that: what they are owed goes
 * out, unless they do not take it. */
static void part(struct link *l)
{
    uint64_t until = host_monotonic_ns() + LAST_NS;
    struct pollfd fd = {.fd = l->fd, .events = POLLOUT};

    gdb_session_news(l->session);
    while (l->fd >= 0 && l->session->wire.out.len && host_wait(&fd, 1, until))
        send_some(l);
    if (l->fd >= 0)
        hang_up(l);
}

void gdb_server_free(struct gdb_server *s)
{
    if (!s)
        return;
    host_wake_post(&s->quit);
    host_thread_join(&s->thread);
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        if (s->link[i].fd >= 0)
            part(&s->link[i]);
    host_wake_fini(&s->quit);
    host_listener_close(s->listener);
    free(s);
}

const char *gdb_server_where(const struct gdb_server *s)
{
    return host_listener_where(s->listener);
}
