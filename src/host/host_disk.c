/* host_disk.c - see host_disk.h. */
#include "host/host_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem_alloc.h"

/* ---- any kind ---- */

void host_disk_init(struct host_disk *d, const struct host_disk_ops *ops, const char *name,
                    bool read_only)
{
    d->ops = ops;
    d->name = xstrdup(name);
    d->read_only = read_only;
}

int host_disk_check_file(const char *path, int fd, bool *block, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_sys(e, errno, "%s", path);
    *block = S_ISBLK(st.st_mode);
    if (S_ISDIR(st.st_mode))
        return err_set(e, EISDIR, "%s: is a directory, not a disk image", path);
    if (!S_ISREG(st.st_mode) && !*block)
        return err_set(e, EINVAL, "%s: neither a file nor a block device", path);
    return 0;
}

int host_disk_check_size(const struct host_disk *d, struct err *e)
{
    if (d->size > HOST_DISK_MAX)
        return err_set(e, EFBIG, "%s: %llu bytes are more than a disk's %llu TiB", d->name,
                       (unsigned long long)d->size, (unsigned long long)HOST_DISK_MAX >> 40);
    if (d->size < HOST_SECTOR)
        return err_set(e, EINVAL, "%s: too small for a disk: %llu bytes", d->name,
                       (unsigned long long)d->size);
    if (d->size % HOST_SECTOR)
        return err_set(e, EINVAL,
                       "%s: %llu bytes are not whole sectors of %u (truncate -s %%%u would pad it)",
                       d->name, (unsigned long long)d->size, HOST_SECTOR, HOST_SECTOR);
    return 0;
}

int host_disk_close(struct host_disk *d, struct err *e)
{
    char *name;
    int rc;

    if (!d)
        return 0;
    name = d->name;
    rc = d->ops->close(d, e);
    free(name);
    return rc;
}

uint64_t host_disk_size(const struct host_disk *d)
{
    return d->size;
}

bool host_disk_read_only(const struct host_disk *d)
{
    return d->read_only;
}

const char *host_disk_name(const struct host_disk *d)
{
    return d->name;
}

static int check_range(const struct host_disk *d, uint64_t offset, uint64_t len, struct err *e)
{
    if (offset <= d->size && len <= d->size - offset)
        return 0;
    return err_set(e, EINVAL, "%s: %llu bytes at %llu are beyond its end", d->name,
                   (unsigned long long)len, (unsigned long long)offset);
}

static int check_write(const struct host_disk *d, uint64_t offset, uint64_t len, struct err *e)
{
    int rc = check_range(d, offset, len, e);

    return !rc && d->read_only ? err_set(e, EROFS, "%s: is open read-only", d->name) : rc;
}

int host_disk_read(struct host_disk *d, uint64_t offset, void *data, size_t len, struct err *e)
{
    int rc = check_range(d, offset, len, e);

    return rc ? rc : d->ops->read(d, offset, data, len, e);
}

int host_disk_write(struct host_disk *d, uint64_t offset, const void *data, size_t len,
                    struct err *e)
{
    int rc = check_write(d, offset, len, e);

    return rc ? rc : d->ops->write(d, offset, data, len, e);
}

int host_disk_zero(struct host_disk *d, uint64_t offset, uint64_t len, struct err *e)
{
    int rc = check_write(d, offset, len, e);

    return rc || !len ? rc : d->ops->zero(d, offset, len, e);
}

int host_disk_flush(struct host_disk *d, struct err *e)
{
    return d->read_only ? 0 : d->ops->flush(d, e);
}

int host_disk_write_zeroes(struct host_disk *d, uint64_t offset, uint64_t len, struct err *e)
{
    static const char zeroes[64 * 1024];
    int rc = 0;

    while (len && !rc) {
        size_t n = len < sizeof zeroes ? (size_t)len : sizeof zeroes;

        rc = host_disk_write(d, offset, zeroes, n, e);
        offset += n;
        len -= n;
    }
    return rc;
}

/* ---- raw images ---- */

struct raw {
    struct host_disk disk; /* first */
    int fd;
    bool lost; /* a flush failed */
};

static int raw_read(struct host_disk *d, uint64_t offset, void *data, size_t len, struct err *e)
{
    struct raw *r = (struct raw *)d;

    for (char *p = data; len;) {
        ssize_t n = pread(r->fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, errno, "%s: cannot read", d->name);
        if (n == 0)
            return err_set(e, EIO, "%s: has become shorter", d->name);
        p += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static int raw_write(struct host_disk *d, uint64_t offset, const void *data, size_t len,
                     struct err *e)
{
    struct raw *r = (struct raw *)d;

    for (const char *p = data; len;) {
        ssize_t n = pwrite(r->fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_sys(e, n ? errno : EIO, "%s: cannot write", d->name);
        p += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static int raw_zero(struct host_disk *d, uint64_t offset, uint64_t len, struct err *e)
{
    struct raw *r = (struct raw *)d;

    if (fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len) ==
        0)
        return 0;
    return host_disk_write_zeroes(d, offset, len, e);
}

/* Linux says once that pages could not be written, and then takes them for clean: a later flush
 * would succeed without them. */
static int raw_flush(struct host_disk *d, struct err *e)
{
    struct raw *r = (struct raw *)d;

    if (r->lost)
        return err_set(e, EIO, "%s: a flush failed: what was written before it may be lost",
                       d->name);
    if (fdatasync(r->fd) == 0)
        return 0;
    r->lost = true;
    return err_sys(e, errno, "%s: cannot write it to the medium", d->name);
}

static int raw_close(struct host_disk *d, struct err *e)
{
    struct raw *r = (struct raw *)d;
    int rc = 0;

    if (r->fd >= 0 && close(r->fd) < 0)
        rc = err_sys(e, errno, "%s: cannot write", d->name);
    free(r);
    return rc;
}

static const struct host_disk_ops raw_ops = {raw_read, raw_write, raw_zero, raw_flush, raw_close};

static int check_size(struct raw *r, struct err *e)
{
    off_t size = lseek(r->fd, 0, SEEK_END); /* for block devices too */

    if (size < 0)
        return err_sys(e, errno, "%s: cannot tell its size", r->disk.name);
    r->disk.size = (uint64_t)size;
    return host_disk_check_size(&r->disk, e);
}

/* A lock of the open file, not of the process: it ends when the file is closed. */
static int lock(const struct raw *r, struct err *e)
{
    struct flock l = {.l_type = r->disk.read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(r->fd, F_OFD_SETLK, &l) == 0)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return err_set(e, EBUSY, "%s: in use by another emulator; take a copy%s", r->disk.name,
                       r->disk.read_only ? "" : ", or open it read-only in both");
    return 0; /* a file system without locks */
}

struct host_disk *host_disk_open(const char *path, bool read_only, struct err *e)
{
    struct raw *r = xcalloc(1, sizeof *r);
    bool block;

    host_disk_init(&r->disk, &raw_ops, path, read_only);
    /* not to wait for the other end of a FIFO, which is refused below */
    r->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
    if (r->fd < 0 && errno == EISDIR)
        err_set(e, EISDIR, "%s: is a directory, not a disk image", path);
    else if (r->fd < 0 && !read_only && (errno == EACCES || errno == EROFS || errno == EPERM))
        err_sys(e, errno, "%s: cannot be written (a read-only disk may do)", path);
    else if (r->fd < 0)
        err_sys(e, errno, "%s", path);
    else if (host_disk_check_file(path, r->fd, &block, e) == 0 && check_size(r, e) == 0 &&
             lock(r, e) == 0)
        return &r->disk;
    host_disk_close(&r->disk, NULL);
    return NULL;
}
