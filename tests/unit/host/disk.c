/* disk.c - host/host_disk.h: disk images, their locks, and media that fail. */
#include "host/host_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"

static char sectors[4 * HOST_SECTOR];

START_TEST(disk_reads_and_writes)
{
    struct err e = {0};
    char got[sizeof sectors];
    enter();
    make("f", sectors, sizeof sectors);
    struct host_disk *d = host_disk_open("f", false, &e);
    ck_assert_msg(d != NULL, "%s", e.msg);
    ck_assert_uint_eq(host_disk_size(d), sizeof sectors);
    ck_assert(!host_disk_read_only(d));
    ck_assert_str_eq(host_disk_name(d), "f");
    ck_assert_int_eq(host_disk_write(d, 600, "hello", 5, &e), 0);
    ck_assert_int_eq(host_disk_flush(d, &e), 0);
    ck_assert_int_eq(host_disk_read(d, 0, got, sizeof got, &e), 0);
    memcpy(sectors + 600, "hello", 5);
    ck_assert_mem_eq(got, sectors, sizeof got);

    const struct {
        uint64_t at;
        size_t len;
    } out[] = {{sizeof sectors, 1}, {sizeof sectors - 1, 2}, {UINT64_MAX, 2}, {1, SIZE_MAX}};
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(host_disk_read(d, out[i].at, got, out[i].len, &e), -EINVAL);
        ck_assert_int_eq(host_disk_write(d, out[i].at, got, out[i].len, &e), -EINVAL);
    }
    ck_assert_int_eq(host_disk_write(d, sizeof sectors, got, 0, &e), 0);
    ck_assert_int_eq(truncate("f", HOST_SECTOR), 0);
    ck_assert_int_eq(host_disk_read(d, HOST_SECTOR, got, 1, &e), -EIO);
    ck_assert_str_eq(e.msg, "f: has become shorter");
    ck_assert_int_eq(host_disk_close(d, &e), 0);
    host_disk_close(NULL, &e);
    leave();
}
END_TEST

START_TEST(disk_read_only)
{
    struct err e = {0};
    char got[5] = "";
    enter();
    make("f", sectors, sizeof sectors);
    chmod("f", 0444);
    struct host_disk *d = host_disk_open("f", true, &e);
    ck_assert_msg(d != NULL, "%s", e.msg);
    ck_assert(host_disk_read_only(d));
    ck_assert_int_eq(host_disk_write(d, 0, "hello", 5, &e), -EROFS);
    ck_assert_int_eq(host_disk_read(d, 0, got, 5, &e), 0);
    ck_assert_mem_eq(got, "\0\0\0\0\0", 5);
    ck_assert_int_eq(host_disk_flush(d, &e), 0);
    ck_assert_int_eq(host_disk_close(d, &e), 0);
    if (geteuid() != 0) { /* root may write whatever the mode says */
        ck_assert_ptr_null(host_disk_open("f", false, &e));
        ck_assert_int_eq(e.code, -EACCES);
        ck_assert_ptr_nonnull(strstr(e.msg, "f: cannot be written"));
    }
    leave();
}
END_TEST

static void refused(const char *path, bool read_only, int code, const char *text)
{
    struct err e = {0};
    ck_assert_ptr_null(host_disk_open(path, read_only, &e));
    ck_assert_int_eq(e.code, code);
    ck_assert_msg(!strncmp(e.msg, path, strlen(path)) && strstr(e.msg, text), "%s", e.msg);
}

START_TEST(disk_refuses)
{
    enter();
    mkdir("d", 0755);
    for (int ro = 0; ro < 2; ro++) {
        refused("none", ro, -ENOENT, "No such file");
        refused("d", ro, -EISDIR, "is a directory");
        refused("/dev/null", ro, -EINVAL, "neither a file nor a block device");
        make("f", "", 0);
        refused("f", ro, -EINVAL, "too small for a disk: 0 bytes");
        make("f", sectors, HOST_SECTOR - 1);
        refused("f", ro, -EINVAL, "too small");
        make("f", sectors, HOST_SECTOR + 1);
        refused("f", ro, -EINVAL, "whole sectors");
        unlink("f");
        mkfifo("f", 0644);
        refused("f", ro, -EINVAL, "neither");
        unlink("f");
    }
    leave();
}
END_TEST

/* One writer or many readers, in this process too: two machines may live in one. */
START_TEST(disk_locks)
{
    struct err e = {0};
    enter();
    make("f", sectors, sizeof sectors);
    struct host_disk *w = host_disk_open("f", false, &e);
    ck_assert_ptr_nonnull(w);
    refused("f", false, -EBUSY, "in use");
    refused("f", true, -EBUSY, "in use");
    ck_assert_int_eq(host_disk_close(w, &e), 0);
    struct host_disk *r1 = host_disk_open("f", true, &e), *r2 = host_disk_open("f", true, &e);
    ck_assert(r1 && r2);
    refused("f", false, -EBUSY, "read-only in both");
    ck_assert_int_eq(host_disk_close(r1, &e), 0);
    refused("f", false, -EBUSY, "in use");
    ck_assert_int_eq(host_disk_close(r2, &e), 0);
    w = host_disk_open("f", false, &e);
    ck_assert_ptr_nonnull(w);
    ck_assert_int_eq(host_disk_close(w, &e), 0);
    leave();
}
END_TEST

/* What the library's calls meet here instead of the system's. */
static int flush_error, hole_error;
static unsigned flushes, holes;

int fdatasync(int fd)
{
    (void)fd;
    flushes++;
    errno = flush_error;
    return flush_error ? -1 : 0;
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
    (void)fd, (void)mode, (void)offset, (void)len;
    holes++;
    errno = hole_error;
    return hole_error ? -1 : 0;
}

static struct host_disk *open_disk(const char *path)
{
    struct err e = {0};
    struct host_disk *d = host_disk_open(path, false, &e);

    ck_assert_msg(d, "%s", e.msg);
    return d;
}

/* Linux would let the second one succeed, without what the first one lost. */
START_TEST(failed_flush)
{
    struct err e = {0};
    struct host_disk *d;

    enter();
    make("f", sectors, sizeof sectors);
    d = open_disk("f");
    ck_assert_int_eq(host_disk_flush(d, &e), 0);
    ck_assert_uint_eq(flushes, 1);
    flush_error = ENOSPC;
    ck_assert_int_eq(host_disk_flush(d, &e), -ENOSPC);
    ck_assert_str_eq(e.msg, "f: cannot write it to the medium: No space left on device");
    flush_error = 0;
    ck_assert_int_eq(host_disk_flush(d, &e), -EIO);
    ck_assert_ptr_nonnull(strstr(e.msg, "f: a flush failed"));
    ck_assert_int_eq(host_disk_read(d, 0, sectors, 512, &e), 0);
    ck_assert_int_eq(host_disk_close(d, &e), 0);
    leave();
}
END_TEST

/* Without holes, zeroes are written. */
START_TEST(zeroes)
{
    static char full[200000], got[200000];
    struct err e = {0};
    struct host_disk *d;

    enter();
    memset(full, 'x', sizeof full);
    make("f", full, 199680);
    d = open_disk("f");
    ck_assert_int_eq(host_disk_zero(d, 512, 1024, &e), 0);
    ck_assert_uint_eq(holes, 1);
    hole_error = EOPNOTSUPP;
    ck_assert_int_eq(host_disk_zero(d, 1024, 199680 - 2048, &e), 0);
    ck_assert_int_eq(host_disk_zero(d, 199680 - 512, 1024, &e), -EINVAL);
    ck_assert_int_eq(host_disk_read(d, 0, got, 199680, &e), 0);
    memset(full + 1024, 0, 199680 - 2048);
    ck_assert_mem_eq(got, full, 199680);
    ck_assert_int_eq(host_disk_close(d, &e), 0);
    leave();
}
END_TEST

START_TEST(limited_file)
{
    const struct rlimit limit = {4096, 4096};
    struct err e = {0};
    struct host_disk *d;

    enter();
    make("f", "", 0);
    ck_assert_int_eq(truncate("f", 1 << 20), 0);
    d = open_disk("f");
    signal(SIGXFSZ, SIG_IGN); /* as main does */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(host_disk_write(d, 0, sectors, 512, &e), 0);
    ck_assert_int_eq(host_disk_write(d, 8192, sectors, 512, &e), -EFBIG);
    ck_assert_str_eq(e.msg, "f: cannot write: File too large");
    ck_assert_int_eq(host_disk_write(d, 4096 - 512, sectors, 1024, &e), -EFBIG); /* half of it */
    ck_assert_int_eq(host_disk_read(d, 8192, sectors, 512, &e), 0);
    ck_assert_int_eq(host_disk_close(d, &e), 0);
    leave();
}
END_TEST

/* A sparse image larger than what its file system has room for. */
START_TEST(full_host)
{
    static char data[256 * 1024];
    struct err e = {0};
    struct host_disk *d;
    int rc = 0;

    enter();
    mkdir("d", 0755);
    if (mount("none", "d", "tmpfs", 0, "size=1m") < 0) {
        leave();
        unit_skip("a file system for a test cannot be mounted, which needs root");
    }
    make("d/f", "", 0);
    ck_assert_int_eq(truncate("d/f", 16 << 20), 0);
    d = open_disk("d/f");
    for (uint64_t at = 0; at < 16 << 20 && !rc; at += sizeof data)
        rc = host_disk_write(d, at, data, sizeof data, &e);
    ck_assert_int_eq(rc, -ENOSPC);
    ck_assert_str_eq(e.msg, "d/f: cannot write: No space left on device");
    ck_assert_int_eq(host_disk_write(d, 0, sectors, 512, &e), 0); /* which has its room */
    ck_assert_int_eq(host_disk_read(d, 0, sectors, 512, &e), 0);
    ck_assert_int_eq(host_disk_close(d, &e), 0);
    ck_assert_int_eq(umount("d"), 0);
    leave();
}
END_TEST

UNIT_MAIN("host/disk", disk_reads_and_writes, disk_read_only, disk_refuses, disk_locks,
          failed_flush, zeroes, limited_file, full_host)
