/*
 * files.c - vFile: files of the folder that the user allowed, which is the client's root.  GDB
 * manual, appendix E.10, "Host I/O packets".  Without such a folder the packets are not known.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "gdbstub/session.h"
#include "host/host_share.h"

#define READ_MAX       (GDB_PACKET_MAX / 2 - 64) /* bytes of a reply, which escapes may double */
#define PATH_MAX_BYTES 4096

/* The protocol's own numbers, where they are not Linux's. */
enum {
    VFILE_RDWR = 3,
    VFILE_APPEND = 8,
    VFILE_CREAT = 0x200,
    VFILE_TRUNC = 0x400,
    VFILE_EXCL = 0x800
};
enum { VFILE_ENAMETOOLONG = 91, VFILE_EUNKNOWN = 9999 };

/* ---- replies ---- */

/* A result of at least 0, or a negative errno. */
static void put_result(struct gdb_session *s, int64_t result)
{
    if (result >= 0)
        buf_fmt(&s->reply, "F%llx", (unsigned long long)result);
    else if (result == -ENAMETOOLONG)
        buf_fmt(&s->reply, "F-1,%x", VFILE_ENAMETOOLONG);
    else
        buf_fmt(&s->reply, "F-1,%x", result >= -EROFS ? (unsigned)-result : VFILE_EUNKNOWN);
}

static void put_data(struct gdb_session *s, const void *data, int64_t len)
{
    put_result(s, len);
    if (len >= 0) {
        buf_ch(&s->reply, ';');
        buf_add(&s->reply, data, (size_t)len);
    }
}

/* ---- arguments ---- */

/* Names between '/' from the folder on; 0, or a negative errno: "..", or the folder itself. */
static int clean(char *path)
{
    char *out = path;

    for (char *p = path, *next; *p; p = next) {
        size_t len = strcspn(p, "/");

        next = p + len + (p[len] == '/');
        if (len == 2 && !memcmp(p, "..", 2))
            return -EACCES;
        if (!len || (len == 1 && *p == '.'))
            continue;
        if (out != path)
            *out++ = '/';
        memmove(out, p, len);
        out += len;
    }
    *out = 0;
    return 0;
}

/* A path of hexadecimal digits, up to ',' or the end: malloc'ed, or NULL and a reply. */
static char *take_path(struct gdb_session *s, const char **p)
{
    size_t digits = strcspn(*p, ",");
    char *path = xcalloc(1, digits / 2 + 1);
    int rc = 0;

    if (digits / 2 > PATH_MAX_BYTES)
        rc = -ENAMETOOLONG;
    else if (gdb_get_hex(*p, digits, (uint8_t *)path) < 0 || strlen(path) != digits / 2)
        rc = -EINVAL;
    else
        rc = clean(path);
    *p += digits;
    if (!rc)
        return path;
    put_result(s, rc);
    free(path);
    return NULL;
}

/* A descriptor, and what follows it. */
static struct gdb_file *take_file(struct gdb_session *s, const char **p)
{
    uint64_t n;

    if (gdb_hex(p, &n) && n < GDB_FILES && s->files[n].fd >= 0)
        return &s->files[n];
    put_result(s, -EBADF);
    return NULL;
}

static bool take_number(const char **p, uint64_t *v)
{
    return *(*p)++ == ',' && gdb_hex(p, v);
}

/* ---- operations ---- */

/* The guest's only process is all there is. */
static void set_fs(struct gdb_session *s, const char *p)
{
    (void)p;
    put_result(s, 0);
}

static void open_path(struct gdb_session *s, const char *path, uint64_t flags, uint64_t mode)
{
    int how = (int)(flags & VFILE_RDWR);
    unsigned n = 0;

    how |= (flags & VFILE_CREAT ? O_CREAT : 0) | (flags & VFILE_TRUNC ? O_TRUNC : 0) |
           (flags & VFILE_EXCL ? O_EXCL : 0);
    while (n < GDB_FILES && s->files[n].fd >= 0)
        n++;
    if (n == GDB_FILES) {
        put_result(s, -EMFILE);
        return;
    }
    s->files[n].fd = host_share_file(s->config->files, path, how, (unsigned)mode & 0777);
    put_result(s, s->files[n].fd < 0 ? s->files[n].fd : (int)n);
}

static void open_file(struct gdb_session *s, const char *p)
{
    char *path = take_path(s, &p);
    uint64_t flags, mode;

    if (!path)
        return;
    if (take_number(&p, &flags) && take_number(&p, &mode) && *path && (flags & VFILE_RDWR) < 3 &&
        !(flags & ~(uint64_t)(VFILE_RDWR | VFILE_CREAT | VFILE_TRUNC | VFILE_EXCL)))
        open_path(s, path, flags, mode);
    else
        put_result(s, -EINVAL); /* VFILE_APPEND too */
    free(path);
}

static void close_one(struct gdb_file *f)
{
    host_share_close_file(f->fd);
    *f = (struct gdb_file){.fd = -1};
}

static void close_file(struct gdb_session *s, const char *p)
{
    struct gdb_file *f = take_file(s, &p);

    if (!f)
        return;
    close_one(f);
    put_result(s, 0);
}

static void read_file(struct gdb_session *s, const char *p)
{
    struct gdb_file *f = take_file(s, &p);
    uint64_t len, offset;
    uint8_t *data;

    if (!f)
        return;
    if (!take_number(&p, &len) || !take_number(&p, &offset) || offset > INT64_MAX) {
        put_result(s, -EINVAL);
        return;
    }
    len = len < READ_MAX ? len : READ_MAX;
    data = xmalloc(len + 1);
    put_data(s, data, host_share_read(f->fd, offset, data, len));
    free(data);
}

static void write_file(struct gdb_session *s, const char *p, const char *end)
{
    struct gdb_file *f = take_file(s, &p);
    uint64_t offset;

    if (!f)
        return;
    if (!take_number(&p, &offset) || offset > INT64_MAX || *p++ != ',' || p > end)
        put_result(s, -EINVAL);
    else
        put_result(s, host_share_write(f->fd, offset, p, (size_t)(end - p)));
}

/* Numbers are big-endian. */
static void put_be(struct buf *out, uint64_t v, unsigned bytes)
{
    while (bytes--)
        buf_ch(out, (char)(v >> (8 * bytes)));
}

/* What was found out, unless rc says why it was not. */
static void put_stat(struct gdb_session *s, int rc, const struct stat *st)
{
    struct buf text = BUF_INIT;

    if (rc) {
        put_result(s, rc);
        return;
    }
    put_be(&text, st->st_dev, 4);
    put_be(&text, st->st_ino, 4);
    put_be(&text, st->st_mode, 4);
    put_be(&text, st->st_nlink, 4);
    put_be(&text, st->st_uid, 4);
    put_be(&text, st->st_gid, 4);
    put_be(&text, st->st_rdev, 4);
    put_be(&text, (uint64_t)st->st_size, 8);
    put_be(&text, (uint64_t)st->st_blksize, 8);
    put_be(&text, (uint64_t)st->st_blocks, 8);
    put_be(&text, (uint64_t)st->st_atime, 4);
    put_be(&text, (uint64_t)st->st_mtime, 4);
    put_be(&text, (uint64_t)st->st_ctime, 4);
    put_data(s, text.data, (int64_t)text.len);
    buf_fini(&text);
}

static void stat_file(struct gdb_session *s, const char *p)
{
    struct gdb_file *f = take_file(s, &p);
    struct stat st;

    if (f)
        put_stat(s, host_share_fstat(f->fd, &st), &st);
}

static void stat_path(struct gdb_session *s, const char *p)
{
    char *path = take_path(s, &p);
    struct stat st;

    if (path)
        put_stat(s, host_share_stat(s->config->files, path, &st), &st);
    free(path);
}

static void read_link(struct gdb_session *s, const char *p)
{
    char *path = take_path(s, &p), text[PATH_MAX_BYTES];

    if (path)
        put_data(s, text, host_share_readlink(s->config->files, path, text, sizeof text));
    free(path);
}

static void unlink_path(struct gdb_session *s, const char *p)
{
    char *path = take_path(s, &p);

    if (path)
        put_result(s, *path ? host_share_unlink(s->config->files, path, false) : -EISDIR);
    free(path);
}

void gdb_vfile(struct gdb_session *s, struct gdb_args a)
{
    static const struct {
        const char *name;
        void (*run)(struct gdb_session *s, const char *p);
    } operations[] = {{"setfs:", set_fs},       {"open:", open_file},    {"close:", close_file},
                      {"pread:", read_file},    {"fstat:", stat_file},   {"stat:", stat_path},
                      {"readlink:", read_link}, {"unlink:", unlink_path}};
    static const char pwrite[] = "pwrite:";

    if (!s->config->files)
        return;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        size_t n = strlen(operations[i].name);

        if (!strncmp(a.p, operations[i].name, n)) {
            operations[i].run(s, a.p + n);
            return;
        }
    }
    if (!strncmp(a.p, pwrite, sizeof pwrite - 1)) /* the only one with bytes */
        write_file(s, a.p + sizeof pwrite - 1, a.p + a.len);
}

void gdb_close_files(struct gdb_session *s)
{
    for (unsigned i = 0; i < GDB_FILES; i++)
        if (s->files[i].fd >= 0)
            close_one(&s->files[i]);
}
