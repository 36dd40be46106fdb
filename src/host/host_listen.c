/* host_listen.c - see host_listen.h. */
#include "host/host_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem_alloc.h"
#include "host/host_unix.h"

struct host_listener {
    int fd;
    char *path; /* of a unix socket that is ours to remove; or NULL */
    char where[160];
};

/* ---- TCP ---- */

/* Cuts "[ADDRESS:]PORT", whose copy is text; the address without brackets. */
static int split(char *text, const char **address, const char **port)
{
    char *colon = strrchr(text, ':'), *end;

    *address = "127.0.0.1";
    *port = colon ? colon + 1 : text;
    if (!**port || strspn(*port, "0123456789") != strlen(*port) || strlen(*port) > 5 ||
        atoi(*port) > UINT16_MAX)
        return -EINVAL;
    if (!colon || colon == text)
        return 0;
    *colon = 0;
    *address = text;
    if (*text == '[') {
        end = text + strlen(text) - 1;
        if (*end != ']')
            return -EINVAL;
        *end = 0;
        ++*address;
    }
    return 0;
}

static void name_tcp(struct host_listener *l)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    char host[80], port[8];

    getsockname(l->fd, (struct sockaddr *)&a, &len);
    getnameinfo((struct sockaddr *)&a, len, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(l->where, sizeof l->where, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static int listen_tcp(struct host_listener *l, const char *where, struct err *e)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *a = NULL;
    const char *address, *port;
    char *copy = xstrdup(where);
    int bad = split(copy, &address, &port), on = 1, rc = 0;

    if (bad || getaddrinfo(address, port, &hints, &a)) {
        free(copy);
        return err_set(e, EINVAL, "%.100s: not like PORT, ADDRESS:PORT or unix:PATH", where);
    }
    free(copy);
    l->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd >= 0)
        setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (l->fd < 0 || bind(l->fd, a->ai_addr, a->ai_addrlen) || listen(l->fd, 8))
        rc = err_sys(e, errno, "%.100s", where);
    else
        name_tcp(l);
    freeaddrinfo(a);
    return rc;
}

/* ---- both ---- */

static int listen_unix(struct host_listener *l, const char *path, struct err *e)
{
    l->fd = host_unix_listen(path, 8, e);
    if (l->fd < 0)
        return l->fd;
    l->path = xstrdup(path);
    snprintf(l->where, sizeof l->where, "unix:%s", path);
    return 0;
}

struct host_listener *host_listen(const char *where, struct err *e)
{
    struct host_listener *l = xcalloc(1, sizeof *l);

    l->fd = -1;
    if (strncmp(where, "unix:", 5) ? listen_tcp(l, where, e) : listen_unix(l, where + 5, e)) {
        host_listener_close(l);
        return NULL;
    }
    return l;
}

void host_listener_close(struct host_listener *l)
{
    if (!l)
        return;
    if (l->path)
        unlink(l->path);
    if (l->fd >= 0)
        close(l->fd);
    free(l->path);
    free(l);
}

int host_listener_fd(const struct host_listener *l)
{
    return l->fd;
}

const char *host_listener_where(const struct host_listener *l)
{
    return l->where;
}

int host_accept(struct host_listener *l)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;

    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static int moved(ssize_t n, bool end)
{
    if (n > 0)
        return (int)n;
    if (n == 0)
        return end ? -EPIPE : 0;
    return errno == EAGAIN || errno == EINTR ? 0 : errno == ECONNRESET ? -EPIPE : -errno;
}

int host_socket_read(int fd, void *data, size_t len)
{
    return moved(recv(fd, data, len, 0), true);
}

int host_socket_write(int fd, const void *data, size_t len)
{
    return moved(send(fd, data, len, MSG_NOSIGNAL), false);
}

void host_socket_close(int fd)
{
    if (fd >= 0)
        close(fd);
}
