/*
 * host_disk.h - disks of the host: raw images, and what each kind of disk has in common.
 *
 * Every error names the disk.  A disk may be used by one thread at a time.  What was
 * flushed is on the medium; if a flush failed, what it was for may be lost.
 */
#ifndef HOST_DISK_H
#define HOST_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HOST_SECTOR   512u                 /* bytes; a disk is made of whole sectors */
#define HOST_DISK_MAX (UINT64_C(64) << 40) /* bytes; who announces more is not believed */

struct host_disk;

/* A kind of disk.  Ranges are within the disk; a disk that is read only is only read. */
struct host_disk_ops {
    int (*read)(struct host_disk *d, uint64_t offset, void *data, size_t len, struct err *e);
    int (*write)(struct host_disk *d, uint64_t offset, const void *data, size_t len, struct err *e);
    int (*zero)(struct host_disk *d, uint64_t offset, uint64_t len, struct err *e);
    int (*flush)(struct host_disk *d, struct err *e);
    int (*close)(struct host_disk *d, struct err *e); /* frees its own struct in any case */
};

/* What the struct of each kind begins with. */
struct host_disk {
    const struct host_disk_ops *ops;
    char *name; /* a path or a URI */
    uint64_t size;
    bool read_only;
};

/* For kinds: fills the common part; the size is the kind's to set and to have checked. */
void host_disk_init(struct host_disk *d, const struct host_disk_ops *ops, const char *name,
                    bool read_only);
/* A file that can be a disk image; whether it is a block device. */
int host_disk_check_file(const char *path, int fd, bool *block, struct err *e);
int host_disk_check_size(const struct host_disk *d, struct err *e);
/* The range as zeroes that are written. */
int host_disk_write_zeroes(struct host_disk *d, uint64_t offset, uint64_t len, struct err *e);

/*
 * A raw disk image: a regular file or a block device of whole sectors.  It is
 * locked (advisory, F_OFD_SETLK) while open: a writer excludes everybody else,
 * readers share.
 */
struct host_disk *host_disk_open(const char *path, bool read_only, struct err *e);

/* Frees it, whatever comes of it: an error is about what was written and not flushed.  NULL is
 * closed already. */
int host_disk_close(struct host_disk *d, struct err *e);

uint64_t host_disk_size(const struct host_disk *d); /* bytes, a multiple of HOST_SECTOR */
bool host_disk_read_only(const struct host_disk *d);
const char *host_disk_name(const struct host_disk *d);

/* Offsets and lengths are bytes; a range that leaves the disk is -EINVAL and moves nothing. */
int host_disk_read(struct host_disk *d, uint64_t offset, void *data, size_t len, struct err *e);
int host_disk_write(struct host_disk *d, uint64_t offset, const void *data, size_t len,
                    struct err *e);
/* The range reads as 0 from now on, and takes no room where that can be done. */
int host_disk_zero(struct host_disk *d, uint64_t offset, uint64_t len, struct err *e);
int host_disk_flush(struct host_disk *d, struct err *e); /* what was written is on the medium */

#endif
