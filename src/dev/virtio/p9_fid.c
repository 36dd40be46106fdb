/* p9_fid.c - the handles of a 9P guest: see p9_impl.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/mem_alloc.h"
#include "dev/virtio/p9_impl.h"

int p9_join(const char *path, struct p9_str name, char out[PATH_MAX])
{
    size_t len = strlen(path);

    if (!name.len || memchr(name.text, '/', name.len) || memchr(name.text, 0, name.len) ||
        (name.text[0] == '.' && (name.len == 1 || (name.len == 2 && name.text[1] == '.'))))
        return -EINVAL;
    if (name.len > P9_NAME || len + 1 + name.len >= PATH_MAX)
        return -ENAMETOOLONG;
    memmove(out, path, len);
    if (len)
        out[len++] = '/';
    memcpy(out + len, name.text, name.len);
    out[len + name.len] = 0;
    return 0;
}

/* Where the id is, or would be. */
static size_t place(const struct p9_fids *f, uint32_t id)
{
    size_t lo = 0, hi = f->len;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (f->data[mid]->id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct p9_fid *p9_fid_find(const struct p9_fids *f, uint32_t id)
{
    size_t i = place(f, id);

    return i < f->len && f->data[i]->id == id ? f->data[i] : NULL;
}

struct p9_fid *p9_fid_add(struct p9_fids *f, uint32_t id, const char *path)
{
    size_t i = place(f, id);
    struct p9_fid *fid;

    if (f->len == P9_FIDS)
        return NULL;
    fid = xcalloc(1, sizeof *fid);
    fid->id = id;
    fid->path = xstrdup(path);
    fid->fd = -1;
    vec_push(f, fid);
    memmove(f->data + i + 1, f->data + i, (f->len - 1 - i) * sizeof *f->data);
    f->data[i] = fid;
    return fid;
}

static void fid_free(struct p9_fids *f, struct p9_fid *fid)
{
    f->opens -= fid->fd >= 0;
    host_share_close_file(fid->fd);
    host_share_list_fini(&fid->list);
    free(fid->path);
    free(fid);
}

void p9_fid_drop(struct p9_fids *f, struct p9_fid *fid)
{
    size_t i = place(f, fid->id);

    fid_free(f, fid);
    f->len--;
    memmove(f->data + i, f->data + i + 1, (f->len - i) * sizeof *f->data);
}

void p9_fid_drop_all(struct p9_fids *f)
{
    for (size_t i = 0; i < f->len; i++)
        fid_free(f, f->data[i]);
    vec_fini(f);
}

int p9_fid_open(struct p9_fids *f, struct p9_fid *fid, struct host_share *s, int flags,
                unsigned mode)
{
    if (f->opens == P9_OPENS)
        return -EMFILE;
    fid->fd = host_share_file(s, fid->path, flags, mode);
    if (fid->fd < 0) {
        int rc = fid->fd;

        fid->fd = -1;
        return rc;
    }
    f->opens++;
    fid->open = true;
    fid->access = flags & O_ACCMODE;
    return 0;
}

/* Whether a path begins with the whole names of `from`. */
static bool beneath(const char *path, const char *from)
{
    size_t len = strlen(from);

    return !strncmp(path, from, len) && (!path[len] || path[len] == '/');
}

bool p9_fid_can_rename(const struct p9_fids *f, const char *from, const char *to)
{
    for (size_t i = 0; i < f->len; i++)
        if (beneath(f->data[i]->path, from) &&
            strlen(f->data[i]->path) - strlen(from) + strlen(to) >= PATH_MAX)
            return false;
    return true;
}

void p9_fid_renamed(struct p9_fids *f, const char *from, const char *to)
{
    for (size_t i = 0; i < f->len; i++) {
        struct p9_fid *fid = f->data[i];
        char *path;

        if (!beneath(fid->path, from))
            continue;
        path = xasprintf("%s%s", to, fid->path + strlen(from));
        free(fid->path);
        fid->path = path;
    }
}

/* ---- state ---- */

/* A saved path could have been anything: it is put together again. */
static bool path_ok(const char *path)
{
    char rebuilt[PATH_MAX] = "";

    for (const char *p = path, *end; *path; p = end + 1) {
        end = strchrnul(p, '/');
        if (p9_join(rebuilt, (struct p9_str){p, (size_t)(end - p)}, rebuilt))
            return false;
        if (!*end)
            break;
    }
    return true;
}

static void fid_state(struct p9_fid *fid, struct snap *s)
{
    uint16_t len = (uint16_t)strlen(fid->path);
    char path[PATH_MAX] = "";

    snap_u32(s, "fid", &fid->id);
    snap_u16(s, "path_len", &len);
    if (len >= sizeof path) {
        snap_bad(s, "path_len", "too long");
        len = 0;
    }
    memcpy(path, fid->path, strlen(fid->path) < len ? strlen(fid->path) : len);
    snap_bytes(s, "path", path, len);
    snap_bool(s, "open", &fid->open);
    snap_bool(s, "dir", &fid->dir);
    snap_u8(s, "access", &fid->access);
    if (!snap_loading(s))
        return;
    path[len] = 0;
    if (!path_ok(path) || strlen(path) != len || fid->access > O_RDWR) {
        snap_bad(s, "path", "no such file can be open");
        return;
    }
    free(fid->path);
    fid->path = xstrdup(path);
}

static void load(struct p9_fids *f, struct host_share *share, struct snap *s, uint32_t n)
{
    p9_fid_drop_all(f);
    for (uint32_t i = 0; i < n && snap_loading(s); i++) {
        struct p9_fid *fid = p9_fid_add(f, UINT32_MAX, "");
        bool sorted;

        fid_state(fid, s);
        sorted = !i || f->data[i - 1]->id < fid->id;
        if (snap_loading(s) && !sorted)
            snap_bad(s, "fid", "out of order");
        if (!sorted)
            fid->id = UINT32_MAX; /* never looked for: the machine does not run on */
        if (snap_loading(s) && fid->open && !fid->dir)
            p9_fid_open(f, fid, share, fid->access, 0);
    }
}

/* Loading opens files again as they are now; one that is gone cannot be read any more. */
void p9_fid_state(struct p9_fids *f, struct host_share *share, struct snap *s)
{
    uint32_t n = (uint32_t)f->len;

    snap_u32(s, "fids", &n);
    if (n > P9_FIDS) {
        snap_bad(s, "fids", "too many");
        return;
    }
    if (snap_loading(s))
        load(f, share, s, n);
    else
        for (size_t i = 0; i < f->len; i++)
            fid_state(f->data[i], s);
}
