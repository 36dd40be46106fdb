/* host_port.c - see host_port.h. */
#include "host/host_port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem_alloc.h"
#include "host/host_clock.h"
#include "host/host_unix.h"

#define KEEP_MAX (4u << 20)           /* bytes that wait for the other end */
#define STALL_NS UINT64_C(1000000000) /* that one write may wait */

struct host_port {
    char *where; /* the path */
    struct log *log;
    int fd;       /* bytes; -1: nobody is there */
    int listener; /* of a socket, or -1 */
    int slave;    /* of a pseudo-terminal: kept open, so that it never hangs up; or -1 */
    bool reads;
    bool stalled; /* bytes were dropped */
    struct buf keep;
    size_t keep_at; /* bytes of keep that have gone */
};

/* ---- the three kinds ---- */

static int open_pty(struct host_port *p, struct err *e)
{
    struct termios t;
    char name[128];

    if (openpty(&p->fd, &p->slave, NULL, NULL, NULL))
        return err_sys(e, errno, "cannot make a pseudo-terminal");
    if (ttyname_r(p->slave, name, sizeof name) || tcgetattr(p->slave, &t))
        return err_sys(e, errno, "the new pseudo-terminal");
    cfmakeraw(&t);
    tcsetattr(p->slave, TCSANOW, &t);
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
    fcntl(p->fd, F_SETFD, FD_CLOEXEC);
    fcntl(p->slave, F_SETFD, FD_CLOEXEC);
    p->reads = true;
    p->where = xstrdup(name);
    return 0;
}

static int open_socket(struct host_port *p, const char *path, struct err *e)
{
    int fd = host_unix_listen(path, 1, e);

    if (fd < 0)
        return fd;
    p->listener = fd;
    p->reads = true;
    p->where = xstrdup(path);
    return 0;
}

static int open_file(struct host_port *p, const char *path, struct err *e)
{
    struct stat st;

    bool there = stat(path, &st) == 0, fifo = there && S_ISFIFO(st.st_mode);

    p->reads = there && S_ISCHR(st.st_mode);
    p->fd = open(path,
                 O_CLOEXEC | O_NOCTTY | O_NONBLOCK | /* a FIFO's reader may come later */
                     (p->reads || fifo ? O_RDWR : O_WRONLY | O_CREAT | O_TRUNC),
                 0666);
    if (p->fd < 0)
        return err_sys(e, errno, "%s", path);
    p->where = xstrdup(path);
    return 0;
}

struct host_port *host_port_open(const char *where, struct log *log, struct err *e)
{
    struct host_port *p = xcalloc(1, sizeof *p);
    int rc;

    p->log = log;
    p->fd = p->listener = p->slave = -1;
    buf_init(&p->keep);
    rc = !strcmp(where, "pty")         ? open_pty(p, e)
         : !strncmp(where, "unix:", 5) ? open_socket(p, where + 5, e)
                                       : open_file(p, where, e);
    if (rc) {
        host_port_close(p);
        return NULL;
    }
    return p;
}

void host_port_close(struct host_port *p)
{
    if (!p)
        return;
    if (p->listener >= 0) {
        unlink(p->where);
        close(p->listener);
    }
    if (p->fd >= 0)
        close(p->fd);
    if (p->slave >= 0)
        close(p->slave);
    buf_fini(&p->keep);
    free(p->where);
    free(p);
}

const char *host_port_where(const struct host_port *p)
{
    return p->where;
}

int host_port_fd(const struct host_port *p)
{
    return p->fd < 0 ? p->listener : p->reads ? p->fd : -1;
}

/* ---- bytes ---- */

/* A client that waits is taken if there is none. */
static void take_client(struct host_port *p)
{
    if (p->fd < 0 && p->listener >= 0)
        p->fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* The other end is gone: of a socket, until the next comes. */
static void hang_up(struct host_port *p)
{
    close(p->fd);
    p->fd = -1;
    buf_reset(&p->keep);
    p->keep_at = 0;
    p->stalled = false;
}

static ssize_t put(struct host_port *p, const void *data, size_t len)
{
    return p->listener >= 0 ? send(p->fd, data, len, MSG_NOSIGNAL) : write(p->fd, data, len);
}

/* Writes of what is kept as much as goes at once. */
static void push(struct host_port *p)
{
    while (p->fd >= 0 && p->keep_at < p->keep.len) {
        ssize_t n = put(p, p->keep.data + p->keep_at, p->keep.len - p->keep_at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            log_warn(p->log, "%s: %s", p->where, strerror(errno));
            hang_up(p);
            return;
        }
        p->keep_at += (size_t)n;
        p->stalled = false;
    }
    buf_reset(&p->keep);
    p->keep_at = 0;
}

static size_t kept(const struct host_port *p)
{
    return p->keep.len - p->keep_at;
}

/* Waits until there is room for more. */
static void wait_for_room(struct host_port *p)
{
    uint64_t until = host_monotonic_ns() + STALL_NS;

    while (p->fd >= 0 && kept(p) > KEEP_MAX && host_monotonic_ns() < until) {
        struct pollfd fd = {.fd = p->fd, .events = POLLOUT};

        host_wait(&fd, 1, until);
        push(p);
    }
}

void host_port_write(struct host_port *p, const void *data, size_t len)
{
    take_client(p);
    push(p);
    if (p->fd < 0)
        return;
    if (kept(p) > KEEP_MAX && !p->stalled)
        wait_for_room(p);
    if (kept(p) > KEEP_MAX) {
        if (!p->stalled)
            log_warn(p->log, "%s: the other end takes nothing: what the guest writes is lost",
                     p->where);
        p->stalled = true;
        return;
    }
    if (p->keep_at > KEEP_MAX) { /* what has gone is let go of now and then */
        memmove(p->keep.data, p->keep.data + p->keep_at, kept(p));
        p->keep.len -= p->keep_at;
        p->keep_at = 0;
    }
    buf_add(&p->keep, data, len);
    push(p);
}

size_t host_port_read(struct host_port *p, void *data, size_t len)
{
    ssize_t n;

    take_client(p);
    push(p);
    if (p->fd < 0 || !p->reads || !len)
        return 0;
    do
        n = read(p->fd, data, len);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return (size_t)n;
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n == 0 && p->listener < 0)
        p->reads = false; /* a device at its end, such as /dev/null, can still be written */
    else
        hang_up(p);
    return 0;
}
