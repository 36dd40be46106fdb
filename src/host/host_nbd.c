/* host_nbd.c - see host_nbd.h. */
#include "host/host_nbd.h"

#include <errno.h>
#include <libnbd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "host/host_clock.h"

#define LOST        "its server is lost: "
#define REQUEST_MAX (INT64_C(32) << 20) /* what every server takes that does not say less */

struct nbd {
    struct host_disk disk;      /* first */
    struct nbd_handle *handle;  /* NULL: the server is gone */
    struct host_server *server; /* NULL: another's, or gone */
    uint64_t max;               /* bytes in a request */
    uint64_t patience_ns;       /* for a request's answer, as a whole */
    bool can_zero;
};

enum request { READ, WRITE, ZERO, FLUSH };

/* ---- the end of a connection ---- */

/* Hangs up and ends our server; its status, and in `said` what is known of its end. */
static int hang_up(struct nbd *n, struct buf *said)
{
    int status = 0;

    nbd_close(n->handle);
    n->handle = NULL;
    if (n->server)
        status = host_server_end(n->server, said);
    n->server = NULL;
    return status;
}

/* The server is of no use: `text` says it, and behind that stands what is known of the reason,
 * which is the last call's or `reason`. */
static int give_up(struct nbd *n, const char *text, const char *reason, struct err *e)
{
    char *call = xstrdup(reason ? reason : nbd_get_error());
    struct buf said = BUF_INIT;
    int rc;

    hang_up(n, &said);
    rc = err_set(e, ENOTCONN, "%s: %s%s", n->disk.name, text, said.len ? said.data : call);
    buf_fini(&said);
    free(call);
    return rc;
}

/* ---- requests ---- */

static int64_t issue(struct nbd *n, enum request what, uint64_t offset, void *data, size_t len)
{
    switch (what) {
    case READ:
        return nbd_aio_pread(n->handle, data, len, offset, NBD_NULL_COMPLETION, 0);
    case WRITE:
        return nbd_aio_pwrite(n->handle, data, len, offset, NBD_NULL_COMPLETION, 0);
    case ZERO: /* holes may be made: it is not asked for that there are none */
        return nbd_aio_zero(n->handle, len, offset, NBD_NULL_COMPLETION, 0);
    default:
        return nbd_aio_flush(n->handle, NBD_NULL_COMPLETION, 0);
    }
}

/* Until when there may be an answer to what is asked now. */
static uint64_t deadline(const struct nbd *n)
{
    return n->patience_ns == HOST_NEVER ? HOST_NEVER : host_monotonic_ns() + n->patience_ns;
}

/* How long to sleep until then, rounded up; -1: for ever. */
static int left_ms(uint64_t until)
{
    uint64_t now = host_monotonic_ns();

    if (until == HOST_NEVER)
        return -1;
    return now < until ? (int)((until - now + 999999) / 1000000) : 0;
}

/* One request, and its answer, for which this thread sleeps. */
static int ask(struct nbd *n, enum request what, uint64_t offset, void *data, size_t len,
               struct err *e)
{
    static const char *const failed[] = {
        [READ] = "cannot read",
        [WRITE] = "cannot write",
        [ZERO] = "cannot write zeroes",
        [FLUSH] = "cannot write it to the medium",
    };
    uint64_t until = deadline(n);
    int64_t cookie;
    int done, rc;

    if (!n->handle)
        return err_set(e, ENOTCONN, "%s: its server is gone", n->disk.name);
    cookie = issue(n, what, offset, data, len);
    while ((done = cookie < 0 ? -1 : nbd_aio_command_completed(n->handle, cookie)) == 0) {
        int ms = left_ms(until);

        rc = ms ? nbd_poll(n->handle, ms) : 0;
        if (rc <= 0)
            return give_up(n, LOST, rc ? NULL : "it does not answer", e);
    }
    if (done > 0)
        return 0;
    rc = nbd_get_errno();
    if (nbd_aio_is_ready(n->handle) != 1)
        return give_up(n, LOST, NULL, e);
    return err_sys(e, rc ? rc : EIO, "%s: %s", n->disk.name, failed[what]);
}

/* A range, in as many requests as it takes. */
static int ask_all(struct host_disk *d, enum request what, uint64_t offset, uint8_t *data,
                   uint64_t len, struct err *e)
{
    struct nbd *n = (struct nbd *)d;
    int rc = 0;

    while (len && !rc) {
        size_t part = (size_t)(len < n->max ? len : n->max);

        rc = ask(n, what, offset, data, part, e);
        offset += part;
        data = data ? data + part : NULL;
        len -= part;
    }
    return rc;
}

static int nbd_read(struct host_disk *d, uint64_t offset, void *data, size_t len, struct err *e)
{
    return ask_all(d, READ, offset, data, len, e);
}

static int nbd_write(struct host_disk *d, uint64_t offset, const void *data, size_t len,
                     struct err *e)
{
    return ask_all(d, WRITE, offset, (uint8_t *)data, len, e); /* which only reads it */
}

/* What is trimmed may read as anything afterwards; zeroes may be holes as well. */
static int nbd_zeroes(struct host_disk *d, uint64_t offset, uint64_t len, struct err *e)
{
    if (!((struct nbd *)d)->can_zero)
        return host_disk_write_zeroes(d, offset, len, e);
    return ask_all(d, ZERO, offset, NULL, len, e);
}

static int nbd_flush_all(struct host_disk *d, struct err *e)
{
    return ask((struct nbd *)d, FLUSH, 0, NULL, 0, e);
}

/* What was not flushed is, so that our server has nothing left that could fail unheard. */
static int nbd_end(struct host_disk *d, struct err *e)
{
    struct nbd *n = (struct nbd *)d;
    struct buf said = BUF_INIT;
    int rc = n->handle ? host_disk_flush(d, e) : 0;

    if (n->handle)
        nbd_aio_disconnect(n->handle, 0);
    if (hang_up(n, &said) && !rc)
        rc = err_set(e, EIO, "%s: its server did not end well: %s", d->name, said.data);
    buf_fini(&said);
    free(n);
    return rc;
}

static const struct host_disk_ops nbd_ops = {nbd_read, nbd_write, nbd_zeroes, nbd_flush_all,
                                             nbd_end};

/* ---- connecting ---- */

/* What the server offers, after the handshake. */
static int learn(struct nbd *n, struct err *e)
{
    const char *name = n->disk.name;
    int64_t size = nbd_get_size(n->handle), max, min;

    if (size < 0)
        return give_up(n, "", NULL, e);
    max = nbd_get_block_size(n->handle, LIBNBD_SIZE_MAXIMUM);
    min = nbd_get_block_size(n->handle, LIBNBD_SIZE_MINIMUM);
    n->disk.size = (uint64_t)size;
    n->max = (uint64_t)(max >= (int64_t)HOST_SECTOR && max < REQUEST_MAX ? max : REQUEST_MAX);
    n->max -= n->max % HOST_SECTOR;
    n->can_zero = nbd_can_zero(n->handle) == 1;
    if (min > (int64_t)HOST_SECTOR)
        return err_set(e, EINVAL, "%s: its server has sectors of %lld bytes, not %u", name,
                       (long long)min, HOST_SECTOR);
    if (!n->disk.read_only && nbd_is_read_only(n->handle))
        return err_set(e, EROFS, "%s: can only be read: append ,ro", name);
    if (!n->disk.read_only && nbd_can_flush(n->handle) != 1)
        return err_set(e, EINVAL,
                       "%s: its server cannot flush, so nothing is safe there: append ,ro", name);
    return host_disk_check_size(&n->disk, e);
}

/* The URI's server, or ours on fd. */
static struct host_disk *connect_to(const char *name, struct host_server *server, int fd,
                                    bool read_only, uint64_t patience_ns, struct err *e)
{
    struct nbd *n = xcalloc(1, sizeof *n);
    int rc;

    host_disk_init(&n->disk, &nbd_ops, name, read_only);
    n->server = server;
    n->patience_ns = patience_ns;
    n->handle = nbd_create();
    if (!n->handle && fd >= 0)
        close(fd);
    if (!n->handle)
        rc = err_set(e, ENOMEM, "%s: %s", name, nbd_get_error());
    else if (server ? nbd_connect_socket(n->handle, fd) : nbd_connect_uri(n->handle, name))
        rc = give_up(n, "", NULL, e);
    else
        rc = learn(n, e);
    if (!rc)
        return &n->disk;
    n->disk.read_only = true; /* there is nothing to flush */
    host_disk_close(&n->disk, NULL);
    return NULL;
}

bool host_nbd_is_uri(const char *text)
{
    static const char *const schemes[] = {"nbd://",       "nbds://",      "nbd+unix://",
                                          "nbds+unix://", "nbd+vsock://", "nbds+vsock://"};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (!strncmp(text, schemes[i], strlen(schemes[i])))
            return true;
    return false;
}

struct host_disk *host_nbd_open(const char *uri, bool read_only, uint64_t patience_ns,
                                struct err *e)
{
    return connect_to(uri, NULL, -1, read_only, patience_ns, e);
}

struct host_disk *host_nbd_serve(const char *name, struct host_server *server, int fd,
                                 bool read_only, struct err *e)
{
    return connect_to(name, server, fd, read_only, HOST_NEVER, e);
}
