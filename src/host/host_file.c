/* host_file.c - see host_file.h. */
#include "host/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

struct host_disk {
    int fd;
    bool read_only;
    uint64_t size;
    char *path;
};

static int check_kind(const struct host_disk *d, struct err *e)
{
    struct stat st;
    if (fstat(d->fd, &st) < 0)
        return err_sys(e, errno, "%s", d->path);
    if (S_ISDIR(st.st_mode))
        return err_set(e, EISDIR, "%s: is a directory, not a disk image", d->path);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return err_set(e, EINVAL, "%s: neither a file nor a block device", d->path);
    return 0;
}

static int check_size(struct host_disk *d, struct err *e)
{
    off_t size = lseek(d->fd, 0, SEEK_END); /* for block devices too */
    if (size < 0)
        return err_sys(e, errno, "%s: cannot tell its size", d->path);
    d->size = (uint64_t)size;
    if (d->size < HOST_SECTOR)
        return err_set(e, EINVAL, "%s: too small for a disk: %llu bytes", d->path,
                       (unsigned long long)d->size);
    if (d->size % HOST_SECTOR)
        return err_set(e, EINVAL,
                       "%s: %llu bytes are not whole sectors of %u (truncate -s %%%u would pad it)",
                       d->path, (unsigned long long)d->size, HOST_SECTOR, HOST_SECTOR);
    return 0;
}

/* A lock of the open file, not of the process: it ends when the file is closed. */
static int lock(const struct host_disk *d, struct err *e)
{
    struct flock l = {.l_type = d->read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(d->fd, F_OFD_SETLK, &l) == 0)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return err_set(e, EBUSY, "%s: in use by another emulator; take a copy%s", d->path,
                       d->read_only ? "" : ", or open it read-only in both");
    return 0; /* a file system without locks */
}

struct host_disk *host_disk_open(const char *path, bool read_only, struct err *e)
{
    struct host_disk *d = xcalloc(1, sizeof *d);
    d->path = xstrdup(path);
    d->read_only = read_only;
    /* not to wait for the other end of a FIFO, which is refused below */
    d->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
    if (d->fd < 0 && errno == EISDIR)
        err_set(e, EISDIR, "%s: is a directory, not a disk image", path);
    else if (d->fd < 0 && !read_only && (errno == EACCES || errno == EROFS || errno == EPERM))
        err_sys(e, errno, "%s: cannot be written (a read-only disk may do)", path);
    else if (d->fd < 0)
        err_sys(e, errno, "%s", path);
    else if (check_kind(d, e) == 0 && check_size(d, e) == 0 && lock(d, e) == 0)
        return d;
    host_disk_close(d);
    return NULL;
}

void host_disk_close(struct host_disk *d)
{
    if (!d)
        return;
    if (d->fd >= 0)
        close(d->fd);
    free(d->path);
    free(d);
}

uint64_t host_disk_size(const struct host_disk *d)
{
    return d->size;
}

bool host_disk_read_only(const struct host_disk *d)
{
    return d->read_only;
}

const char *host_disk_path(const struct host_disk *d)
{
    return d->path;
}

static int check_range(const struct host_disk *d, uint64_t offset, size_t len, struct err *e)
{
    if (offset <= d->size && len <= d->size - offset)
        return 0;
    return err_set(e, EINVAL, "%s: %zu bytes at %llu are beyond its end", d->path, len,
                   (unsigned long long)offset);
}

int host_disk_read(struct host_disk *d, uint64_t offset, void *data, size_t len, struct err *e)
{
    int r = check_range(d, offset, len, e);
    for (char *p = data; r == 0 && len;) {
        ssize_t n = pread(d->fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, errno, "%s: cannot read", d->path);
        if (n == 0)
            return err_set(e, EIO, "%s: has become shorter", d->path);
        p += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return r;
}

int host_disk_write(struct host_disk *d, uint64_t offset, const void *data, size_t len,
                    struct err *e)
{
    int r = check_range(d, offset, len, e);
    if (r == 0 && d->read_only)
        return err_set(e, EROFS, "%s: is open read-only", d->path);
    for (const char *p = data; r == 0 && len;) {
        ssize_t n = pwrite(d->fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, errno, "%s: cannot write", d->path);
        p += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return r;
}

int host_disk_zero(struct host_disk *d, uint64_t offset, uint64_t len, struct err *e)
{
    static const char zeroes[64 * 1024];
    int r = check_range(d, offset, len, e);
    if (r == 0 && d->read_only)
        return err_set(e, EROFS, "%s: is open read-only", d->path);
    if (r == 0 && len &&
        fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len) ==
            0)
        return 0;
    while (r == 0 && len) {
        size_t n = len < sizeof zeroes ? (size_t)len : sizeof zeroes;
        r = host_disk_write(d, offset, zeroes, n, e);
        offset += n;
        len -= n;
    }
    return r;
}

int host_disk_flush(struct host_disk *d, struct err *e)
{
    if (d->read_only || fdatasync(d->fd) == 0)
        return 0;
    return err_sys(e, errno, "%s: cannot write it to the medium", d->path);
}
