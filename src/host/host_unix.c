/* host_unix.c - see host_unix.h. */
#include "host/host_unix.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Whether a socket is there that nobody listens at. */
static bool stale(const struct sockaddr_un *a)
{
    struct stat st;
    if (lstat(a->sun_path, &st) || !S_ISSOCK(st.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool refused =
        fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) < 0 && errno == ECONNREFUSED;

    if (fd >= 0)
        close(fd);
    return refused;
}

int host_unix_listen(const char *path, int backlog, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd, why;

    if (!*path || strlen(path) >= sizeof a.sun_path)
        return err_set(e, EINVAL, "unix:%.100s: a socket's path has 1 to %zu bytes", path,
                       sizeof a.sun_path - 1);
    strcpy(a.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_sys(e, errno, "unix:%s", path);
    if (stale(&a))
        unlink(path);
    if (!bind(fd, (const struct sockaddr *)&a, sizeof a) && !listen(fd, backlog))
        return fd;
    why = errno;
    close(fd);
    return err_sys(e, why, "unix:%s", path);
}
