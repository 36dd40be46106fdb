/* host_share.c - see host_share.h. */
#include "host/host_share.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem_alloc.h"

#define ENTRIES_MAX (1u << 20) /* in a folder */
#define MODE        01777u     /* what may be set */

struct host_share {
    int root;
    bool read_only;
};

struct host_share *host_share_open(const char *dir, bool read_only, struct err *e)
{
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct host_share *s;

    if (fd < 0) {
        err_sys(e, errno, "%s", dir);
        return NULL;
    }
    s = xcalloc(1, sizeof *s);
    s->root = fd;
    s->read_only = read_only;
    return s;
}

void host_share_close(struct host_share *s)
{
    if (!s)
        return;
    close(s->root);
    free(s);
}

/* ---- paths ---- */

/* The folder `name` in the folder dir, which is closed unless it is the root. */
static int enter(struct host_share *s, int dir, const char *name, size_t len)
{
    char component[NAME_MAX + 1];
    int fd;

    if (len > NAME_MAX) {
        errno = ENAMETOOLONG;
        fd = -1;
    } else {
        assert(len && !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'))));
        memcpy(component, name, len);
        component[len] = 0;
        fd = openat(dir, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    fd = fd < 0 ? -errno : fd;
    if (dir != s->root)
        close(dir);
    return fd;
}

/* A place: a folder's descriptor, and a name in it; "." for the root itself. */
struct place {
    int dir;
    const char *name;
};

static void leave(struct host_share *s, struct place *p)
{
    if (p->dir >= 0 && p->dir != s->root)
        close(p->dir);
}

static int find(struct host_share *s, const char *path, struct place *p)
{
    const char *slash;

    *p = (struct place){s->root, *path ? path : "."};
    while (p->dir >= 0 && (slash = strchr(p->name, '/'))) {
        p->dir = enter(s, p->dir, p->name, (size_t)(slash - p->name));
        p->name = slash + 1;
    }
    assert(p->dir < 0 || !*path || (*p->name && strcmp(p->name, ".") && strcmp(p->name, "..")));
    return p->dir < 0 ? p->dir : 0;
}

/* A place where something is to change: not the root itself. */
static int find_to_change(struct host_share *s, const char *path, struct place *p)
{
    p->dir = -1;
    if (s->read_only)
        return -EROFS;
    return *path ? find(s, path, p) : -EBUSY;
}

/* For the end of an operation: what it returned, and the place is left. */
static int done(struct host_share *s, struct place *p, int rc)
{
    rc = rc < 0 ? -errno : rc;
    leave(s, p);
    return rc;
}

/* ---- looking ---- */

int host_share_stat(struct host_share *s, const char *path, struct stat *st)
{
    struct place p;
    int rc = find(s, path, &p);

    return rc ? rc : done(s, &p, fstatat(p.dir, p.name, st, AT_SYMLINK_NOFOLLOW));
}

int host_share_statfs(struct host_share *s, struct statvfs *st)
{
    return fstatvfs(s->root, st) ? -errno : 0;
}

int host_share_readlink(struct host_share *s, const char *path, char *text, size_t size)
{
    struct place p;
    int rc = find(s, path, &p);

    return rc ? rc : done(s, &p, (int)readlinkat(p.dir, p.name, text, size));
}

static int compare(const void *a, const void *b)
{
    const struct host_share_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int read_list(DIR *dir, struct host_share_list *list)
{
    const struct dirent *d;

    while (errno = 0, (d = readdir(dir))) {
        struct host_share_entry entry = {NULL, d->d_ino, d->d_type};

        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
            continue;
        if (list->len == ENTRIES_MAX)
            return -EFBIG;
        entry.name = xstrdup(d->d_name);
        vec_push(list, entry);
    }
    return -errno;
}

int host_share_list(struct host_share *s, const char *path, struct host_share_list *list)
{
    struct place p;
    int rc = find(s, path, &p), fd;
    DIR *dir;

    if (rc)
        return rc;
    fd = done(s, &p, openat(p.dir, p.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd < 0)
        return fd;
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return -ENOMEM;
    }
    rc = read_list(dir, list);
    closedir(dir);
    if (rc)
        host_share_list_fini(list);
    else if (list->len)
        qsort(list->data, list->len, sizeof *list->data, compare);
    return rc;
}

void host_share_list_fini(struct host_share_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        free(list->data[i].name);
    vec_fini(list);
}

/* ---- files ---- */

/* What is no regular file is refused before it is opened, which might set off something, and,
 * should it have changed meanwhile, afterwards. */
static int open_regular(const struct place *p, int flags, unsigned mode)
{
    struct stat st;
    int fd;

    if (!fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) && !S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISLNK(st.st_mode) ? ELOOP : ENXIO;
        return -1;
    }
    fd = openat(p->dir, p->name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                mode & MODE);
    if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = ENXIO;
        return -1;
    }
    return fd;
}

int host_share_file(struct host_share *s, const char *path, int flags, unsigned mode)
{
    struct place p;
    int rc;

    flags &= O_ACCMODE | O_TRUNC | O_CREAT | O_EXCL;
    if (flags == O_RDONLY)
        rc = find(s, path, &p);
    else
        rc = find_to_change(s, path, &p);
    return rc ? rc : done(s, &p, open_regular(&p, flags, mode));
}

int64_t host_share_read(int fd, uint64_t offset, void *data, size_t len)
{
    size_t n = 0;

    while (n < len) {
        ssize_t got = pread(fd, (char *)data + n, len - n, (off_t)(offset + n));
        if (got < 0 && errno != EINTR)
            return n ? (int64_t)n : -errno;
        if (got == 0)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    return (int64_t)n;
}

int64_t host_share_write(int fd, uint64_t offset, const void *data, size_t len)
{
    size_t n = 0;

    while (n < len) {
        ssize_t put = pwrite(fd, (const char *)data + n, len - n, (off_t)(offset + n));
        if (put < 0 && errno != EINTR)
            return n ? (int64_t)n : -errno;
        n += put > 0 ? (size_t)put : 0;
    }
    return (int64_t)n;
}

int host_share_sync(int fd, bool data_only)
{
    return (data_only ? fdatasync(fd) : fsync(fd)) ? -errno : 0;
}

void host_share_close_file(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* ---- changing ---- */

int host_share_mkdir(struct host_share *s, const char *path, unsigned mode)
{
    struct place p;
    int rc = find_to_change(s, path, &p);

    return rc ? rc : done(s, &p, mkdirat(p.dir, p.name, mode & MODE));
}

int host_share_mkfifo(struct host_share *s, const char *path, unsigned mode)
{
    struct place p;
    int rc = find_to_change(s, path, &p);

    return rc ? rc : done(s, &p, mkfifoat(p.dir, p.name, mode & MODE));
}

int host_share_symlink(struct host_share *s, const char *target, const char *path)
{
    struct place p;
    int rc = find_to_change(s, path, &p);

    return rc ? rc : done(s, &p, symlinkat(target, p.dir, p.name));
}

int host_share_unlink(struct host_share *s, const char *path, bool dir)
{
    struct place p;
    int rc = find_to_change(s, path, &p);

    return rc ? rc : done(s, &p, unlinkat(p.dir, p.name, dir ? AT_REMOVEDIR : 0));
}

int host_share_chmod(struct host_share *s, const char *path, unsigned mode)
{
    struct place p = {-1, NULL};
    int rc = s->read_only ? -EROFS : find(s, path, &p);

    return rc ? rc : done(s, &p, fchmodat(p.dir, p.name, mode & MODE, AT_SYMLINK_NOFOLLOW));
}

int host_share_utimes(struct host_share *s, const char *path, const struct timespec times[2])
{
    struct place p = {-1, NULL};
    int rc = s->read_only ? -EROFS : find(s, path, &p);

    return rc ? rc : done(s, &p, utimensat(p.dir, p.name, times, AT_SYMLINK_NOFOLLOW));
}

int host_share_truncate(struct host_share *s, const char *path, uint64_t size)
{
    int fd, rc;

    if (size > INT64_MAX)
        return -EFBIG;
    fd = host_share_file(s, path, O_WRONLY, 0);
    if (fd < 0)
        return fd;
    rc = ftruncate(fd, (off_t)size) ? -errno : 0;
    close(fd);
    return rc;
}

/* What has two places. */
static int two(struct host_share *s, const char *from, const char *to, bool link)
{
    struct place a, b;
    int rc = find_to_change(s, from, &a);

    if (rc)
        return rc;
    rc = find_to_change(s, to, &b);
    if (!rc)
        rc = done(s, &b,
                  link ? linkat(a.dir, a.name, b.dir, b.name, 0)
                       : renameat(a.dir, a.name, b.dir, b.name));
    leave(s, &a);
    return rc;
}

int host_share_link(struct host_share *s, const char *from, const char *to)
{
    return two(s, from, to, true);
}

int host_share_rename(struct host_share *s, const char *from, const char *to)
{
    return two(s, from, to, false);
}

int host_share_fstat(int fd, struct stat *st)
{
    return fstat(fd, st) ? -errno : 0;
}

int64_t host_share_length(int fd)
{
    struct stat st;

    return fstat(fd, &st) ? -errno : st.st_size;
}
