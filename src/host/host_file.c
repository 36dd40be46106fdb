/* host_file.c - see host_file.h. */
#include "host/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem_alloc.h"

/* As read(2), but not ended by a signal; 0 at the end of the file or a negative errno. */
static ssize_t read_some(int fd, void *data, size_t len)
{
    ssize_t n;
    do
        n = read(fd, data, len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static int too_large(const char *path, uint64_t max, struct err *e)
{
    return err_set(e, EFBIG, "%s: larger than %llu bytes", path, (unsigned long long)max);
}

/* Grows *data to `cap` bytes and one for the terminator. */
static int grow(const char *path, char **data, size_t cap, struct err *e)
{
    char *p = realloc(*data, cap + 1);
    if (!p)
        return err_set(e, ENOMEM, "%s: no memory for %zu bytes", path, cap);
    *data = p;
    return 0;
}

/* `expect` is the size by stat, a first guess: pipes say 0 and files in /proc lie. */
static int read_all(int fd, const char *path, uint64_t expect, uint64_t max, char **data,
                    size_t *len, struct err *e)
{
    size_t cap = expect < max ? (size_t)expect + 1 : (size_t)max + 1;
    int r = grow(path, data, cap, e);
    *len = 0;
    while (r == 0) {
        ssize_t n = read_some(fd, *data + *len, cap - *len);
        if (n < 0)
            return err_sys(e, (int)-n, "%s: cannot read", path);
        if (n == 0)
            break;
        *len += (size_t)n;
        if (*len > max)
            return too_large(path, max, e);
        if (*len == cap) {
            cap = cap < 4096 ? 8192 : cap * 2;
            cap = cap > max ? (size_t)max + 1 : cap;
            r = grow(path, data, cap, e);
        }
    }
    if (r == 0)
        (*data)[*len] = 0;
    return r;
}

int host_file_read(const char *path, uint64_t max, void **data, size_t *len, struct err *e)
{
    struct stat st;
    char *p = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC), r;
    if (fd < 0)
        return err_sys(e, errno, "%s", path);
    if (fstat(fd, &st) < 0)
        r = err_sys(e, errno, "%s", path);
    else if (S_ISDIR(st.st_mode))
        r = err_set(e, EISDIR, "%s: is a directory, not a file", path);
    else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > max)
        r = too_large(path, max, e);
    else
        r = read_all(fd, path, (uint64_t)st.st_size, max, &p, len, e);
    close(fd);
    if (r < 0)
        free(p);
    else
        *data = p;
    return r;
}

char *host_file_elf(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char magic[4];
    bool is_elf = fd >= 0 && pread(fd, magic, 4, 0) == 4 && !memcmp(magic, "\177ELF", 4);

    if (fd >= 0)
        close(fd);
    return is_elf ? realpath(path, NULL) : NULL;
}

int host_fd_read_now(int fd, void *data, size_t len)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready = poll(&p, 1, 0);
    if (ready <= 0)
        return 0;
    ssize_t n = read_some(fd, data, len);
    if (n == -EAGAIN)
        return 0;
    return n > 0 ? (int)n : -EPIPE; /* a hung-up terminal says EIO */
}

int host_fd_write(int fd, const void *data, size_t len)
{
    for (const char *p = data; len;) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd w = {.fd = fd, .events = POLLOUT};
            poll(&w, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return -errno;
        } else if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return 0;
}
