/*
 * p9.c - the transport and the requests of the 9P device: see p9.h and p9_impl.h.
 *
 * Messages are as in the protocol's description, 9P2000 of Plan 9's manual section 5 and the .L
 * dialect of the diod project (protocol.md): size u32, type u8, tag u16, fields.  A reply's
 * type is the request's plus 1, or Rlerror.
 */
#include "dev/virtio/p9.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem_alloc.h"
#include "dev/virtio/p9_impl.h"

#define MSIZE_MAX (512u << 10)
#define MSIZE_MIN 4096u
#define BUDGET    (UINT64_C(8) << 20)
#define COST      (UINT64_C(16) << 10) /* of a request, besides its bytes */

enum { HEADER = 7, ERROR_LEN = HEADER + 4, READ_HEAD = HEADER + 4, QID_LEN = 13 };
enum { F_MOUNT_TAG = 0 }; /* 5.12: and the configuration is the tag, with its length */
enum { C_TAG_LEN = 0, C_TAG = 2 };
enum { R_LERROR = 7 };
enum { QT_DIR = 0x80, QT_SYMLINK = 2, QT_FILE = 0 };
enum { NAMES_MAX = 16 }; /* in a walk */
enum { NO_FID = UINT32_MAX };
enum { LOCK_SUCCESS = 0, LOCK_UNLOCK = 2, REMOVE_DIR = 0x200 };

/* The protocol's own numbers for flags of open. */
enum { L_ACCMODE = 3, L_EXCL = 0200, L_TRUNC = 01000 };

/* What setattr is to change. */
enum {
    A_MODE = 1,
    A_SIZE = 8,
    A_ATIME = 0x10,
    A_MTIME = 0x20,
    A_ATIME_SET = 0x80,
    A_MTIME_SET = 0x100
};
#define GETATTR_BASIC UINT64_C(0x7ff)

struct p9 {
    struct vio_device vio; /* first */
    struct host_share *share;
    uint64_t root_dev; /* file system of the root: inode numbers of others are mixed */
    uint32_t msize;    /* 0: no version was agreed on */
    struct p9_fids fids;
    uint8_t *request, *reply; /* MSIZE_MAX each */
};

/* ---- helpers of requests ---- */

static uint64_t inode(const struct p9 *p, uint64_t dev, uint64_t ino)
{
    return dev == p->root_dev ? ino : ino ^ bits_mix(dev);
}

static void put_qid(struct p9_out *out, uint8_t type, uint32_t version, uint64_t path)
{
    p9_put(out, 1, type);
    p9_put(out, 4, version);
    p9_put(out, 8, path);
}

static void put_qid_of(const struct p9 *p, struct p9_out *out, const struct stat *st)
{
    uint8_t type = S_ISDIR(st->st_mode) ? QT_DIR : S_ISLNK(st->st_mode) ? QT_SYMLINK : QT_FILE;

    put_qid(out, type, (uint32_t)(st->st_mtim.tv_sec ^ st->st_mtim.tv_nsec),
            inode(p, st->st_dev, st->st_ino));
}

static struct p9_fid *get_fid(struct p9 *p, struct p9_in *in)
{
    return p9_fid_find(&p->fids, (uint32_t)p9_get(in, 4));
}

/* A fid's folder and a name in it, as a path. */
static int get_place(struct p9 *p, struct p9_in *in, char path[PATH_MAX])
{
    struct p9_fid *dir = get_fid(p, in);
    struct p9_str name = p9_get_str(in);

    return in->bad ? -EINVAL : dir ? p9_join(dir->path, name, path) : -EBADF;
}

/* The reply of what made something: its qid. */
static int put_made(struct p9 *p, const char *path, struct p9_out *out)
{
    struct stat st;
    int rc = host_share_stat(p->share, path, &st);

    if (!rc)
        put_qid_of(p, out, &st);
    return rc;
}

/* An open file is looked at itself: its name may be gone. */
static int stat_fid(struct p9 *p, const struct p9_fid *fid, struct stat *st)
{
    if (fid->fd >= 0)
        return fstat(fid->fd, st) ? -errno : 0;
    return host_share_stat(p->share, fid->path, st);
}

/* ---- the session ---- */

static int t_version(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    static const char ours[] = "9P2000.L";
    uint64_t msize = p9_get(in, 4);
    struct p9_str theirs = p9_get_str(in);
    bool same = theirs.len == sizeof ours - 1 && !memcmp(theirs.text, ours, theirs.len);

    if (in->bad || msize < MSIZE_MIN)
        return -EINVAL;
    p9_fid_drop_all(&p->fids);
    p->msize = msize < MSIZE_MAX ? (uint32_t)msize : MSIZE_MAX;
    p9_put(out, 4, p->msize);
    p9_put_str(out, same ? ours : "unknown", same ? sizeof ours - 1 : 7);
    return 0;
}

static int t_auth(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    (void)p, (void)in, (void)out;
    return -EOPNOTSUPP;
}

/* A fid that is to be new. */
static int new_fid(struct p9 *p, uint32_t id, const char *path)
{
    if (id == NO_FID || p9_fid_find(&p->fids, id))
        return -EBADF;
    return p9_fid_add(&p->fids, id, path) ? 0 : -ENFILE;
}

static int t_attach(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    uint32_t id = (uint32_t)p9_get(in, 4);
    struct stat st;
    int rc;

    p9_get(in, 4); /* the fid of an authentication */
    p9_get_str(in);
    p9_get_str(in);
    p9_get(in, 4);
    if (in->bad)
        return -EINVAL;
    rc = host_share_stat(p->share, "", &st);
    if (!rc)
        rc = new_fid(p, id, "");
    if (!rc)
        put_qid_of(p, out, &st);
    return rc;
}

/* All requests before it are done. */
static int t_flush(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    (void)p, (void)out;
    p9_get(in, 2);
    return 0;
}

static int t_clunk(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);

    (void)out;
    if (!fid)
        return -EBADF;
    p9_fid_drop(&p->fids, fid);
    return 0;
}

/* ---- walking ---- */

/* One step; ".." stays beneath the root. */
static int step(char path[PATH_MAX], struct p9_str name)
{
    char *slash;

    if (name.len != 2 || memcmp(name.text, "..", 2))
        return p9_join(path, name, path);
    slash = strrchr(path, '/');
    *(slash ? slash : path) = 0;
    return 0;
}

/* Steps that lead somewhere are told by their qids; only all of them make the new fid. */
static int t_walk(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    uint32_t id = (uint32_t)p9_get(in, 4);
    unsigned count = (unsigned)p9_get(in, 2), done;
    uint8_t *count_at = p9_room(out, 2);
    char path[PATH_MAX];
    int rc = 0;

    if (in->bad || count > NAMES_MAX || !count_at)
        return -EINVAL;
    if (!fid || id == NO_FID || (id != fid->id && p9_fid_find(&p->fids, id)) ||
        (id == fid->id && fid->open))
        return -EBADF;
    strcpy(path, fid->path);
    for (done = 0; done < count; done++) {
        struct stat st;

        rc = step(path, p9_get_str(in));
        if (in->bad)
            return -EINVAL;
        rc = rc ? rc : host_share_stat(p->share, path, &st);
        if (rc)
            break;
        put_qid_of(p, out, &st);
    }
    if (rc && !done)
        return rc;
    bits_store_le(count_at, 2, done);
    if (done < count)
        return 0;
    if (id == fid->id)
        p9_fid_drop(&p->fids, fid);
    return new_fid(p, id, path);
}

/* ---- files ---- */

static int host_flags(uint64_t flags)
{
    static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR};
    unsigned mode = flags & L_ACCMODE;

    return mode > 2 ? -EINVAL : access[mode] | (flags & L_TRUNC ? O_TRUNC : 0);
}

static int put_opened(struct p9 *p, const struct p9_fid *fid, struct p9_out *out)
{
    struct stat st;
    int rc = stat_fid(p, fid, &st);

    if (rc)
        return rc;
    put_qid_of(p, out, &st);
    p9_put(out, 4, 0); /* as much at once as a message holds */
    return 0;
}

static int t_lopen(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    int flags = host_flags(p9_get(in, 4)), rc;
    struct stat st;

    if (in->bad || flags < 0)
        return -EINVAL;
    if (!fid || fid->open)
        return -EBADF;
    rc = host_share_stat(p->share, fid->path, &st);
    if (rc)
        return rc;
    if (!S_ISDIR(st.st_mode)) {
        rc = p9_fid_open(&p->fids, fid, p->share, flags, 0);
        return rc ? rc : put_opened(p, fid, out);
    }
    if (flags != O_RDONLY)
        return -EISDIR;
    fid->open = fid->dir = true;
    return put_opened(p, fid, out);
}

/* The fid of the folder becomes that of the new file. */
static int t_lcreate(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    struct p9_str name = p9_get_str(in);
    uint64_t wanted = p9_get(in, 4), mode = p9_get(in, 4);
    int flags = host_flags(wanted), rc;
    char path[PATH_MAX], *old;

    p9_get(in, 4); /* the group */
    if (in->bad || flags < 0)
        return -EINVAL;
    if (!fid || fid->open)
        return -EBADF;
    rc = p9_join(fid->path, name, path);
    if (rc)
        return rc;
    old = fid->path;
    fid->path = xstrdup(path);
    rc = p9_fid_open(&p->fids, fid, p->share, flags | O_CREAT | (wanted & L_EXCL ? O_EXCL : 0),
                     (unsigned)mode);
    if (rc) {
        free(fid->path);
        fid->path = old;
        return rc;
    }
    free(old);
    return put_opened(p, fid, out);
}

/* The fid of an open file, that may be read or written. */
static int check_file(const struct p9_fid *fid, int refused)
{
    if (!fid || !fid->open || fid->access == refused)
        return -EBADF;
    if (fid->dir)
        return -EISDIR;
    return fid->fd < 0 ? -ESTALE : 0;
}

static int t_read(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    uint64_t offset = p9_get(in, 8), count = p9_get(in, 4), room;
    int rc = check_file(fid, O_WRONLY);
    uint8_t *count_at = p9_room(out, 4);
    int64_t n;

    if (in->bad || !count_at)
        return -EINVAL;
    if (rc)
        return rc;
    room = (uint64_t)(out->end - out->at);
    if (offset > INT64_MAX - MSIZE_MAX)
        return -EINVAL;
    n = host_share_read(fid->fd, offset, out->at, count < room ? count : room);
    if (n < 0)
        return (int)n;
    p9_room(out, (size_t)n);
    bits_store_le(count_at, 4, (uint64_t)n);
    return 0;
}

static int t_write(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    uint64_t offset = p9_get(in, 8), count = p9_get(in, 4);
    const uint8_t *data = p9_take(in, count);
    int rc = check_file(fid, O_RDONLY);
    int64_t n;

    if (in->bad || offset > INT64_MAX - MSIZE_MAX)
        return -EINVAL;
    if (rc)
        return rc;
    n = host_share_write(fid->fd, offset, data, count);
    if (n < 0)
        return (int)n;
    p9_put(out, 4, (uint64_t)n);
    return 0;
}

static int t_fsync(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    bool data_only = p9_get(in, 4);

    (void)out;
    if (!fid || !fid->open)
        return -EBADF;
    return fid->dir ? 0 : fid->fd < 0 ? -ESTALE : host_share_sync(fid->fd, data_only);
}

/* Entry `i` of a folder: ".", "..", then what was listed. */
static bool put_entry(struct p9 *p, const struct p9_fid *fid, const struct stat *st, uint64_t i,
                      struct p9_out *out)
{
    static const char *const dots[] = {".", ".."};
    const struct host_share_entry *entry = i < 2 ? NULL : &fid->list.data[i - 2];
    const char *name = entry ? entry->name : dots[i];
    uint8_t type = entry ? entry->type : DT_DIR;
    struct p9_out here = *out;

    put_qid(&here,
            type == DT_DIR   ? QT_DIR
            : type == DT_LNK ? QT_SYMLINK
                             : QT_FILE,
            0, inode(p, st->st_dev, entry ? entry->ino : st->st_ino));
    p9_put(&here, 8, i + 1);
    p9_put(&here, 1, type);
    p9_put_str(&here, name, strlen(name));
    if (here.bad)
        return false;
    *out = here;
    return true;
}

/* A folder is listed when it is read from the start, and then stays as it was. */
static int t_readdir(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    uint64_t at = p9_get(in, 8), count = p9_get(in, 4);
    uint8_t *count_at = p9_room(out, 4), *start = out->at;
    struct stat st;
    int rc;

    if (in->bad || !count_at)
        return -EINVAL;
    if (!fid || !fid->open || !fid->dir)
        return -EBADF;
    rc = host_share_stat(p->share, fid->path, &st);
    if (!rc && (!at || !fid->listed)) {
        host_share_list_fini(&fid->list);
        rc = host_share_list(p->share, fid->path, &fid->list);
        fid->listed = !rc;
    }
    if (rc)
        return rc;
    if (count < (uint64_t)(out->end - start))
        out->end = start + count;
    for (; at < fid->list.len + 2; at++)
        if (!put_entry(p, fid, &st, at, out))
            break;
    if (at < fid->list.len + 2 && out->at == start)
        return -EINVAL; /* not even one fits */
    bits_store_le(count_at, 4, (uint64_t)(out->at - start));
    return 0;
}

/* ---- attributes ---- */

static void put_time(struct p9_out *out, const struct timespec *t)
{
    p9_put(out, 8, (uint64_t)t->tv_sec);
    p9_put(out, 8, (uint64_t)t->tv_nsec);
}

static int t_getattr(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    static const struct timespec never;
    struct p9_fid *fid = get_fid(p, in);
    struct stat st;
    int rc;

    p9_get(in, 8); /* what is asked for: all that there is, is told */
    if (in->bad)
        return -EINVAL;
    rc = fid ? stat_fid(p, fid, &st) : -EBADF;
    if (rc)
        return rc;
    p9_put(out, 8, GETATTR_BASIC);
    put_qid_of(p, out, &st);
    p9_put(out, 4, st.st_mode);
    p9_put(out, 4, st.st_uid);
    p9_put(out, 4, st.st_gid);
    p9_put(out, 8, st.st_nlink);
    p9_put(out, 8, st.st_rdev);
    p9_put(out, 8, (uint64_t)st.st_size);
    p9_put(out, 8, (uint64_t)st.st_blksize);
    p9_put(out, 8, (uint64_t)st.st_blocks);
    put_time(out, &st.st_atim);
    put_time(out, &st.st_mtim);
    put_time(out, &st.st_ctim);
    put_time(out, &never); /* of birth; and, unused, the generation and the data's version */
    put_time(out, &never);
    return 0;
}

/* Times: given ones, now, or as they are. */
static int get_times(struct p9_in *in, uint64_t what, struct timespec times[2])
{
    static const uint64_t change[] = {A_ATIME, A_MTIME}, given[] = {A_ATIME_SET, A_MTIME_SET};

    for (unsigned i = 0; i < 2; i++) {
        times[i].tv_sec = (time_t)p9_get(in, 8);
        times[i].tv_nsec = (long)p9_get(in, 8);
        if (!(what & change[i]))
            times[i].tv_nsec = UTIME_OMIT;
        else if (!(what & given[i]))
            times[i].tv_nsec = UTIME_NOW;
        else if ((uint64_t)times[i].tv_nsec > 999999999)
            return -EINVAL;
    }
    return in->bad ? -EINVAL : 0;
}

/* Owners are not kept: a change of them is taken and forgotten. */
static int t_setattr(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    uint64_t what = p9_get(in, 4), mode = p9_get(in, 4), size;
    struct timespec times[2];
    int rc;

    (void)out;
    p9_get(in, 8); /* owner and group */
    size = p9_get(in, 8);
    rc = get_times(in, what, times);
    if (rc)
        return rc;
    if (!fid)
        return -EBADF;
    if (what & A_MODE)
        rc = host_share_chmod(p->share, fid->path, (unsigned)mode);
    if (!rc && what & A_SIZE)
        rc = host_share_truncate(p->share, fid->path, size);
    if (!rc && what & (A_ATIME | A_MTIME))
        rc = host_share_utimes(p->share, fid->path, times);
    return rc;
}

static int t_statfs(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    struct statvfs st;
    int rc = fid ? host_share_statfs(p->share, &st) : -EBADF;

    if (rc)
        return rc;
    p9_put(out, 4, 0x01021997); /* a 9P file system */
    p9_put(out, 4, st.f_bsize);
    p9_put(out, 8, st.f_blocks * st.f_frsize / (st.f_bsize ? st.f_bsize : 1));
    p9_put(out, 8, st.f_bfree * st.f_frsize / (st.f_bsize ? st.f_bsize : 1));
    p9_put(out, 8, st.f_bavail * st.f_frsize / (st.f_bsize ? st.f_bsize : 1));
    p9_put(out, 8, st.f_files);
    p9_put(out, 8, st.f_ffree);
    p9_put(out, 8, st.f_fsid);
    p9_put(out, 4, P9_NAME);
    return 0;
}

static int t_xattr(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    (void)p, (void)in, (void)out;
    return -EOPNOTSUPP;
}

/* Locks are kept by the guest among its own programs. */
static int t_lock(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    if (!get_fid(p, in))
        return -EBADF;
    p9_put(out, 1, LOCK_SUCCESS);
    return 0;
}

static int t_getlock(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    uint64_t start, len, process;
    struct p9_str client;

    p9_get(in, 1);
    start = p9_get(in, 8);
    len = p9_get(in, 8);
    process = p9_get(in, 4);
    client = p9_get_str(in);
    if (!fid || in->bad)
        return -EBADF;
    p9_put(out, 1, LOCK_UNLOCK);
    p9_put(out, 8, start);
    p9_put(out, 8, len);
    p9_put(out, 4, process);
    p9_put_str(out, client.text, client.len);
    return 0;
}

/* ---- names ---- */

static int t_mkdir(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    char path[PATH_MAX];
    int rc = get_place(p, in, path);
    uint64_t mode = p9_get(in, 4);

    p9_get(in, 4); /* the group */
    if (in->bad)
        return -EINVAL;
    rc = rc ? rc : host_share_mkdir(p->share, path, (unsigned)mode);
    return rc ? rc : put_made(p, path, out);
}

/* Files and FIFOs, which mean nothing outside the guest. */
static int t_mknod(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    char path[PATH_MAX];
    int rc = get_place(p, in, path), fd;
    uint64_t mode = p9_get(in, 4);

    p9_get(in, 8); /* major and minor */
    p9_get(in, 4);
    if (in->bad)
        return -EINVAL;
    if (rc)
        return rc;
    if (S_ISFIFO(mode)) {
        rc = host_share_mkfifo(p->share, path, (unsigned)mode);
    } else if (S_ISREG(mode)) {
        fd = host_share_file(p->share, path, O_WRONLY | O_CREAT | O_EXCL, (unsigned)mode);
        host_share_close_file(fd);
        rc = fd < 0 ? fd : 0;
    } else {
        rc = -EPERM;
    }
    return rc ? rc : put_made(p, path, out);
}

static int t_symlink(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    char path[PATH_MAX], target[PATH_MAX];
    int rc = get_place(p, in, path);
    struct p9_str text = p9_get_str(in);

    p9_get(in, 4);
    if (in->bad || !text.len || memchr(text.text, 0, text.len))
        return -EINVAL;
    if (text.len >= sizeof target)
        return -ENAMETOOLONG;
    memcpy(target, text.text, text.len);
    target[text.len] = 0;
    rc = rc ? rc : host_share_symlink(p->share, target, path);
    return rc ? rc : put_made(p, path, out);
}

static int t_readlink(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    char text[PATH_MAX];
    int n = fid ? host_share_readlink(p->share, fid->path, text, sizeof text) : -EBADF;

    if (n < 0)
        return n;
    p9_put_str(out, text, (size_t)n);
    return 0;
}

static int t_link(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *dir = get_fid(p, in), *fid = get_fid(p, in);
    struct p9_str name = p9_get_str(in);
    char path[PATH_MAX];
    int rc;

    (void)out;
    if (in->bad)
        return -EINVAL;
    rc = dir && fid ? p9_join(dir->path, name, path) : -EBADF;
    return rc ? rc : host_share_link(p->share, fid->path, path);
}

static int rename_path(struct p9 *p, const char *from, const char *to)
{
    int rc = p9_fid_can_rename(&p->fids, from, to) ? host_share_rename(p->share, from, to)
                                                   : -ENAMETOOLONG;

    if (!rc && strcmp(from, to))
        p9_fid_renamed(&p->fids, from, to);
    return rc;
}

static int t_rename(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    char from[PATH_MAX], to[PATH_MAX];
    int rc = get_place(p, in, to);

    (void)out;
    if (rc)
        return rc;
    if (!fid)
        return -EBADF;
    strcpy(from, fid->path);
    return rename_path(p, from, to);
}

static int t_renameat(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    char from[PATH_MAX], to[PATH_MAX];
    int rc = get_place(p, in, from);

    (void)out;
    rc = rc ? rc : get_place(p, in, to);
    return rc ? rc : rename_path(p, from, to);
}

static int t_unlinkat(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    char path[PATH_MAX];
    int rc = get_place(p, in, path);
    uint64_t flags = p9_get(in, 4);

    (void)out;
    if (in->bad || flags & ~(uint64_t)REMOVE_DIR)
        return -EINVAL;
    return rc ? rc : host_share_unlink(p->share, path, flags & REMOVE_DIR);
}

/* The fid is gone, whether or not the file is. */
static int t_remove(struct p9 *p, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = get_fid(p, in);
    struct stat st;
    int rc;

    (void)out;
    if (!fid)
        return -EBADF;
    rc = host_share_stat(p->share, fid->path, &st);
    rc = rc ? rc : host_share_unlink(p->share, fid->path, S_ISDIR(st.st_mode));
    p9_fid_drop(&p->fids, fid);
    return rc;
}

/* ---- dispatch ---- */

typedef int request_fn(struct p9 *p, struct p9_in *in, struct p9_out *out);

static const struct {
    uint8_t type;
    request_fn *fn;
} requests[] = {
    {8, t_statfs},  {12, t_lopen},    {14, t_lcreate},  {16, t_symlink},  {18, t_mknod},
    {20, t_rename}, {22, t_readlink}, {24, t_getattr},  {26, t_setattr},  {30, t_xattr},
    {32, t_xattr},  {40, t_readdir},  {50, t_fsync},    {52, t_lock},     {54, t_getlock},
    {70, t_link},   {72, t_mkdir},    {74, t_renameat}, {76, t_unlinkat}, {100, t_version},
    {102, t_auth},  {104, t_attach},  {108, t_flush},   {110, t_walk},    {116, t_read},
    {118, t_write}, {120, t_clunk},   {122, t_remove},
};

/* Before a version is agreed on, nothing else is answered. */
static int carry_out(struct p9 *p, uint8_t type, struct p9_in *in, struct p9_out *out)
{
    int rc;

    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        if (requests[i].type != type)
            continue;
        if (!p->msize && requests[i].fn != t_version)
            return -EPROTO;
        rc = requests[i].fn(p, in, out);
        return rc ? rc : in->bad ? -EINVAL : out->bad ? -EMSGSIZE : 0;
    }
    return -EOPNOTSUPP;
}

/* Turns the request of len bytes into a reply in room bytes: its length. */
static uint32_t answer(struct p9 *p, uint32_t len, uint32_t room)
{
    struct p9_in in = {p->request, p->request + len, false};
    struct p9_out out = {p->reply + HEADER, p->reply + room, false};
    uint64_t size = p9_get(&in, 4), type = p9_get(&in, 1), tag = p9_get(&in, 2);
    int rc = size == len ? carry_out(p, (uint8_t)type, &in, &out) : -EINVAL;

    if (rc) {
        out = (struct p9_out){p->reply + HEADER, p->reply + room, false};
        p9_put(&out, 4, (uint32_t)-rc);
        type = R_LERROR - 1;
    }
    size = (uint64_t)(out.at - p->reply);
    bits_store_le(p->reply, 4, size);
    p->reply[4] = (uint8_t)(type + 1);
    bits_store_le(p->reply + 5, 2, tag);
    return (uint32_t)size;
}

/* The buffer may be longer than the message that is in it. */
static const char *serve(struct vio_device *v, unsigned queue, uint32_t *written, uint64_t *cost)
{
    struct p9 *p = (struct p9 *)v;
    const struct vio_chain *c = &v->chain;
    uint64_t limit = p->msize ? p->msize : MSIZE_MIN, len, room;

    (void)queue;
    if (c->out_len < HEADER)
        return "a 9P message has no header";
    if (c->in_len < ERROR_LEN)
        return "a 9P request has no room for its reply";
    vio_chain_read(c, v->mem, 0, p->request, 4);
    len = bits_load_le(p->request, 4);
    if (len < HEADER || len > c->out_len || len > limit)
        return "a 9P message is longer than its buffer, or than was agreed on";
    vio_chain_read(c, v->mem, 0, p->request, len);
    room = c->in_len < limit ? c->in_len : limit;
    *written = answer(p, (uint32_t)len, (uint32_t)room);
    vio_chain_write(c, v->mem, 0, p->reply, *written);
    *cost = COST + len + *written;
    return NULL;
}

/* ---- the device ---- */

static bool p9_notify(struct vio_device *v, unsigned queue)
{
    return vio_serve(v, queue, serve, BUDGET);
}

static void p9_reset(struct vio_device *v)
{
    struct p9 *p = (struct p9 *)v;

    p9_fid_drop_all(&p->fids);
    p->msize = 0;
}

static void p9_state(struct vio_device *v, struct snap *s)
{
    struct p9 *p = (struct p9 *)v;

    snap_u32(s, "msize", &p->msize);
    if (p->msize && (p->msize < MSIZE_MIN || p->msize > MSIZE_MAX)) {
        p->msize = 0;
        snap_bad(s, "msize", "not a size of messages");
    }
    p9_fid_state(&p->fids, p->share, s);
}

static void p9_free(struct vio_device *v)
{
    struct p9 *p = (struct p9 *)v;

    p9_fid_drop_all(&p->fids);
    free(p->request);
    free(p->reply);
    free(p);
}

static const struct vio_ops p9_ops = {
    .name = "virtio-9p",
    .doc = "a folder of the host's",
    .id = 9,
    .queues = 1,
    .notify = p9_notify,
    .reset = p9_reset,
    .state = p9_state,
    .free = p9_free,
};

struct vio_device *vio_p9_new(const struct dev_share *share)
{
    struct p9 *p = xcalloc(1, sizeof *p);
    size_t len = strnlen(share->tag, VIO_P9_TAG);
    struct stat st = {0};

    p->vio.ops = &p9_ops;
    p->vio.offered = VIO_FEATURES | BIT(F_MOUNT_TAG);
    p->vio.config_len = (unsigned)(C_TAG + len);
    bits_store_le(p->vio.config + C_TAG_LEN, 2, len);
    memcpy(p->vio.config + C_TAG, share->tag, len);
    p->share = share->share;
    host_share_stat(p->share, "", &st);
    p->root_dev = st.st_dev;
    p->request = xmalloc(MSIZE_MAX);
    p->reply = xmalloc(MSIZE_MAX);
    return &p->vio;
}
