/*
 * host_file.h - files of the host: whole ones, byte streams and disk images.
 *
 * Every error names the file.  A disk may be used by one thread at a time.
 */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HOST_SECTOR 512u /* bytes; a disk is made of whole sectors */

/*
 * Reads all of a file, pipe or device of at most `max` bytes.  *data is the
 * caller's to free(); a 0 byte that *len does not count follows the contents.
 * Directories and larger files are errors.
 */
int host_file_read(const char *path, uint64_t max, void **data, size_t *len, struct err *e);

/* The absolute path of an ELF file, malloc'ed; NULL: it is none, or cannot be read. */
char *host_file_elf(const char *path);

/*
 * What can be had from a terminal, pipe or file right now, without waiting:
 * the number of bytes, 0 if there are none yet, -EPIPE at the end of the input.
 */
int host_fd_read_now(int fd, void *data, size_t len);

/* Writes it all, waiting as needed; -EPIPE, -EIO, -ENOSPC and the like when it cannot. */
int host_fd_write(int fd, const void *data, size_t len);

/*
 * A raw disk image: a regular file or a block device of whole sectors.  It is
 * locked (advisory, F_OFD_SETLK) while open: a writer excludes everybody else,
 * readers share.  Ownership: host_disk_close frees it and ends the lock.
 */
struct host_disk;

struct host_disk *host_disk_open(const char *path, bool read_only, struct err *e);
void host_disk_close(struct host_disk *d);

uint64_t host_disk_size(const struct host_disk *d); /* bytes, a multiple of HOST_SECTOR */
bool host_disk_read_only(const struct host_disk *d);
const char *host_disk_path(const struct host_disk *d);

/* Offsets and lengths are bytes; a range that leaves the disk is -EINVAL and moves nothing. */
int host_disk_read(struct host_disk *d, uint64_t offset, void *data, size_t len, struct err *e);
int host_disk_write(struct host_disk *d, uint64_t offset, const void *data, size_t len,
                    struct err *e);
/* The range reads as 0 from now on, and takes no room where the file system can do that. */
int host_disk_zero(struct host_disk *d, uint64_t offset, uint64_t len, struct err *e);
int host_disk_flush(struct host_disk *d, struct err *e); /* what was written is on the medium */

#endif
