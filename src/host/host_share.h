/*
 * host_share.h - a folder of the host's, and nothing but what is beneath it.
 *
 * Paths are names with '/' between them, from the folder on; "" is the folder itself.
 * No name may be empty, "." or "..": callers see to that, and it is asserted.  Each
 * component is opened by itself and symbolic links are never followed, so that no path leads
 * out, whoever changes the tree meanwhile.  Devices, sockets and FIFOs are never opened.
 *
 * Files that are made belong to whoever runs the program, and set-user-id bits are not
 * set.  Functions return 0, or what they say, or a negative errno.
 */
#ifndef HOST_SHARE_H
#define HOST_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/err.h"
#include "base/vec.h"

struct host_share;

struct host_share *host_share_open(const char *dir, bool read_only, struct err *e);
void host_share_close(struct host_share *s);

int host_share_stat(struct host_share *s, const char *path, struct stat *st);
int host_share_statfs(struct host_share *s, struct statvfs *st);
/* Opens a regular file: a descriptor.  flags: how it is accessed, O_TRUNC, O_CREAT, O_EXCL. */
int host_share_file(struct host_share *s, const char *path, int flags, unsigned mode);
int host_share_mkdir(struct host_share *s, const char *path, unsigned mode);
int host_share_mkfifo(struct host_share *s, const char *path, unsigned mode);
int host_share_symlink(struct host_share *s, const char *target, const char *path);
int host_share_link(struct host_share *s, const char *from, const char *to);
int host_share_rename(struct host_share *s, const char *from, const char *to);
int host_share_unlink(struct host_share *s, const char *path, bool dir);
/* The length of what the link says, which is not terminated; at most size. */
int host_share_readlink(struct host_share *s, const char *path, char *text, size_t size);
int host_share_chmod(struct host_share *s, const char *path, unsigned mode);
int host_share_truncate(struct host_share *s, const char *path, uint64_t size);
int host_share_utimes(struct host_share *s, const char *path, const struct timespec times[2]);

struct host_share_entry {
    char *name;
    uint64_t ino;
    uint8_t type; /* DT_DIR and so on */
};
struct host_share_list {
    VEC(struct host_share_entry);
};
/* What is in a folder, sorted by name, without "." and "..". */
int host_share_list(struct host_share *s, const char *path, struct host_share_list *list);
void host_share_list_fini(struct host_share_list *list);

/* Of descriptors from host_share_file.  Bytes moved: fewer only at the end of the file. */
int64_t host_share_read(int fd, uint64_t offset, void *data, size_t len);
int host_share_fstat(int fd, struct stat *st);
/* The file's length in bytes, or a negative errno. */
int64_t host_share_length(int fd);
int64_t host_share_write(int fd, uint64_t offset, const void *data, size_t len);
int host_share_sync(int fd, bool data_only);
void host_share_close_file(int fd);

#endif
