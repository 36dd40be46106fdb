/*
 * p9_impl.h - what the files of the 9P device share: p9.c has the transport and the requests,
 * p9_fid.c the guest's handles on files, and here is how messages are read and written.
 *
 * Numbers are little-endian; a string is a u16 length and its bytes.  A reader that is asked
 * for more than there is, and a writer that has no room, say so once at the end: bad.
 */
#ifndef DEV_VIRTIO_P9_IMPL_H
#define DEV_VIRTIO_P9_IMPL_H

#include <limits.h>
#include <string.h>

#include "dev/virtio/p9.h"
#include "host/host_share.h"

#define P9_FIDS  4096 /* that a guest may have */
#define P9_OPENS 512  /* of these, open files */
#define P9_NAME  255  /* bytes in a name */

/* ---- messages ---- */

struct p9_in {
    const uint8_t *at, *end;
    bool bad;
};

static inline const uint8_t *p9_take(struct p9_in *in, size_t len)
{
    const uint8_t *p = in->at;

    if (in->bad || (size_t)(in->end - in->at) < len) {
        in->bad = true;
        return NULL;
    }
    in->at += len;
    return p;
}

static inline uint64_t p9_get(struct p9_in *in, unsigned size)
{
    const uint8_t *p = p9_take(in, size);
    return p ? bits_load_le(p, size) : 0;
}

struct p9_str {
    const char *text; /* not terminated */
    size_t len;
};

static inline struct p9_str p9_get_str(struct p9_in *in)
{
    size_t len = (size_t)p9_get(in, 2);
    const char *text = (const char *)p9_take(in, len);

    return text ? (struct p9_str){text, len} : (struct p9_str){"", 0};
}

struct p9_out {
    uint8_t *at, *end;
    bool bad;
};

/* Room for len bytes, or NULL. */
static inline uint8_t *p9_room(struct p9_out *out, size_t len)
{
    uint8_t *p = out->at;

    if (out->bad || (size_t)(out->end - out->at) < len) {
        out->bad = true;
        return NULL;
    }
    out->at += len;
    return p;
}

static inline void p9_put(struct p9_out *out, unsigned size, uint64_t v)
{
    uint8_t *p = p9_room(out, size);

    if (p)
        bits_store_le(p, size, v);
}

static inline void p9_put_str(struct p9_out *out, const char *text, size_t len)
{
    uint8_t *p;

    p9_put(out, 2, len);
    p = p9_room(out, len);
    if (p)
        memcpy(p, text, len);
}

/* ---- fids ---- */

struct p9_fid {
    uint32_t id;
    char *path; /* see host_share.h; owned */
    bool open, dir, listed;
    uint8_t access; /* of an open file: O_RDONLY, O_WRONLY or O_RDWR */
    int fd;         /* of an open file; -1: it is gone since a snapshot was taken */
    struct host_share_list list; /* of an open folder, once it was listed */
};

struct p9_fids {
    VEC(struct p9_fid *); /* sorted by id */
    unsigned opens;       /* files with a descriptor */
};

struct p9_fid *p9_fid_find(const struct p9_fids *f, uint32_t id);
/* path is copied.  NULL: there are too many.  The id must be free. */
struct p9_fid *p9_fid_add(struct p9_fids *f, uint32_t id, const char *path);
void p9_fid_drop(struct p9_fids *f, struct p9_fid *fid);
void p9_fid_drop_all(struct p9_fids *f);
/* Opens it; flags as for host_share_file.  It must not be open. */
int p9_fid_open(struct p9_fids *f, struct p9_fid *fid, struct host_share *s, int flags,
                unsigned mode);
/* Whether names that begin with the path `from` could begin with `to`: none grows too long. */
bool p9_fid_can_rename(const struct p9_fids *f, const char *from, const char *to);
/* They do now. */
void p9_fid_renamed(struct p9_fids *f, const char *from, const char *to);
void p9_fid_state(struct p9_fids *f, struct host_share *s, struct snap *snap);

/* path and name with '/' between, or -ENAMETOOLONG, or -EINVAL for what no name can be; path and
 * out may be the same. */
int p9_join(const char *path, struct p9_str name, char out[PATH_MAX]);

#endif
