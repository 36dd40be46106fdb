/* disks.c - see disks.h. */
#include "cli/disks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "host/host_nbd.h"
#include "host/host_qcow2.h"

#define NBD_PATIENCE_NS UINT64_C(120000000000)

/* ---- the option ---- */

/* "," and a part at the end of *text: false if it is none of ours and belongs to the name. */
static bool take_part(struct cli_disk_option *o, const char *part)
{
    if (!strcmp(part, "ro"))
        o->read_only = true;
    else if (!strcmp(part, "backing"))
        o->backing = true;
    else if (!strcmp(part, "format=raw"))
        o->format = "raw";
    else if (!strcmp(part, "format=qcow2"))
        o->format = "qcow2";
    else
        return false;
    return true;
}

int cli_disk(struct cli_disk_option *o, const char *text, struct err *e)
{
    bool qcow2, uri;
    char *comma;

    o->path = xstrdup(text);
    while ((comma = strrchr(o->path, ',')) && take_part(o, comma + 1))
        *comma = 0;
    qcow2 = o->format && !strcmp(o->format, "qcow2");
    uri = host_nbd_is_uri(o->path);
    if (!*o->path)
        return err_set(e, EINVAL, "--disk: which file?");
    if (comma && !strncmp(comma, ",format=", 8))
        return err_set(e, EINVAL, "--disk: %.60s: the formats are raw and qcow2", comma + 1);
    if (uri && o->format)
        return err_set(e, EINVAL, "--disk: %.200s: format=%s is for files", o->path, o->format);
    if (o->backing && !qcow2)
        return err_set(e, EINVAL, "--disk: %.200s: backing is for format=qcow2", o->path);
    return 0;
}

/* ---- requests ---- */

/* Passes rc on. */
static int report(struct cli_disk *d, int rc, const struct err *e)
{
    unsigned code = (unsigned)-rc;
    uint64_t *said = &d->said[code / 64 % ARRAY_LEN(d->said)];

    if (!rc)
        return 0;
    d->failed++;
    if (!(*said & BIT(code % 64)))
        log_warn(d->log, "%s", e->msg);
    *said |= BIT(code % 64);
    return rc;
}

static int disk_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    struct cli_disk *d = opaque;
    struct err e;

    return report(d, host_disk_read(d->disk, offset, buf, len, &e), &e);
}

static int disk_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    struct cli_disk *d = opaque;
    struct err e;

    return report(d, host_disk_write(d->disk, offset, buf, len, &e), &e);
}

static int disk_flush(void *opaque)
{
    struct cli_disk *d = opaque;
    struct err e;

    return report(d, host_disk_flush(d->disk, &e), &e);
}

static int disk_zero(void *opaque, uint64_t offset, uint64_t len)
{
    struct cli_disk *d = opaque;
    struct err e;

    return report(d, host_disk_zero(d->disk, offset, len, &e), &e);
}

/* ---- life ---- */

static struct host_disk *open_disk(const struct cli_disk_option *o, bool read_only, struct err *e)
{
    if (host_nbd_is_uri(o->path))
        return host_nbd_open(o->path, read_only, NBD_PATIENCE_NS, e);
    if (o->format && !strcmp(o->format, "qcow2"))
        return host_qcow2_open(o->path, read_only, o->backing, e);
    if (o->format || !host_qcow2_is(o->path))
        return host_disk_open(o->path, read_only, e);
    err_set(e, EINVAL, "%.250s: looks like qcow2: append ,format=qcow2, or ,format=raw if not",
            o->path);
    return NULL;
}

int cli_disk_open(const struct cli_disk_option *o, bool keep, struct cli_disk *d,
                  struct dev_disk *door, struct log *log, struct err *e)
{
    *d = (struct cli_disk){.disk = open_disk(o, o->read_only || keep, e), .log = log};
    if (!d->disk)
        return -EINVAL;
    *door = (struct dev_disk){
        .read = disk_read,
        .write = disk_write,
        .flush = disk_flush,
        .zero = disk_zero,
        .opaque = d,
        .size = host_disk_size(d->disk),
        .read_only = host_disk_read_only(d->disk) && !(keep && !o->read_only),
    };
    return 0;
}

int cli_disk_close(struct cli_disk *d)
{
    struct err e;
    int rc;

    if (d->failed > 1)
        log_warn(d->log, "%s: %" PRIu64 " requests failed in all", host_disk_name(d->disk),
                 d->failed);
    rc = host_disk_close(d->disk, &e);
    if (rc)
        log_error(d->log, "%s", e.msg);
    *d = (struct cli_disk){0};
    return rc;
}
