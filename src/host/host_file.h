/*
 * host_file.h - files of the host: whole ones and byte streams.
 *
 * Every error names the file.
 */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

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

#endif
