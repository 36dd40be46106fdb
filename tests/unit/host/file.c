/* file.c - host/host_file.h: whole files, streams, disk images and their locks. */
#include "host/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit.h"

static char dir[] = "/tmp/glovebox-test.XXXXXX";

/* A directory of its own for the test; its files are known by name alone. */
static void enter(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chdir(dir), 0);
}

static void leave(void)
{
    unlink("f");
    rmdir("d");
    ck_assert_int_eq(rmdir(dir), 0);
}

static void make(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
    close(fd);
}

START_TEST(read_whole)
{
    struct err e = {0};
    void *data;
    size_t len;
    enter();
    make("f", "contents", 8);
    ck_assert_int_eq(host_file_read("f", 8, &data, &len, &e), 0);
    ck_assert_uint_eq(len, 8);
    ck_assert_str_eq(data, "contents"); /* terminated */
    free(data);
    make("f", "", 0);
    ck_assert_int_eq(host_file_read("f", 0, &data, &len, &e), 0);
    ck_assert_uint_eq(len, 0);
    ck_assert_str_eq(data, "");
    free(data);
    leave();
}
END_TEST

START_TEST(read_errors_name_the_file)
{
    struct err e = {0};
    void *data;
    size_t len;
    enter();
    make("f", "contents", 8);
    ck_assert_int_eq(host_file_read("f", 7, &data, &len, &e), -EFBIG);
    ck_assert_str_eq(e.msg, "f: larger than 7 bytes");
    ck_assert_int_eq(host_file_read("none", 7, &data, &len, &e), -ENOENT);
    ck_assert_str_eq(e.msg, "none: No such file or directory");
    ck_assert_int_eq(host_file_read("/", 7, &data, &len, &e), -EISDIR);
    ck_assert_str_eq(e.msg, "/: is a directory, not a file");
    leave();
}
END_TEST

/* Neither says its size beforehand. */
START_TEST(read_proc_and_pipe)
{
    struct err e = {0};
    void *data;
    size_t len;
    ck_assert_int_eq(host_file_read("/proc/self/status", 1 << 20, &data, &len, &e), 0);
    ck_assert(len > 100 && strlen(data) == len);
    free(data);

    int fd[2];
    char path[40], big[50000];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i % 251);
    for (unsigned fits = 0; fits < 2; fits++) {
        ck_assert_int_eq(pipe(fd), 0);
        ck_assert_int_eq(write(fd[1], big, sizeof big), (ssize_t)sizeof big);
        close(fd[1]);
        snprintf(path, sizeof path, "/dev/fd/%d", fd[0]);
        int r = host_file_read(path, fits ? sizeof big : sizeof big - 1, &data, &len, &e);
        ck_assert_int_eq(r, fits ? 0 : -EFBIG);
        close(fd[0]);
    }
    ck_assert_uint_eq(len, sizeof big);
    ck_assert_mem_eq(data, big, sizeof big);
    free(data);
}
END_TEST

START_TEST(streams)
{
    int fd[2];
    char c[8];
    ck_assert_int_eq(pipe(fd), 0);
    ck_assert_int_eq(host_fd_read_now(fd[0], c, sizeof c), 0);
    ck_assert_int_eq(host_fd_write(fd[1], "abc", 3), 0);
    ck_assert_int_eq(host_fd_read_now(fd[0], c, 2), 2);
    ck_assert_int_eq(host_fd_read_now(fd[0], c, sizeof c), 1);
    ck_assert_int_eq(c[0], 'c');
    close(fd[1]);
    ck_assert_int_eq(host_fd_read_now(fd[0], c, sizeof c), -EPIPE);
    close(fd[0]);

    int null = open("/dev/full", O_WRONLY);
    ck_assert_int_eq(host_fd_write(null, "x", 1), -ENOSPC);
    close(null);
}
END_TEST

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
    ck_assert_str_eq(host_disk_path(d), "f");
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
    host_disk_close(d);
    host_disk_close(NULL);
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
    host_disk_close(d);
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
    host_disk_close(w);
    struct host_disk *r1 = host_disk_open("f", true, &e), *r2 = host_disk_open("f", true, &e);
    ck_assert(r1 && r2);
    refused("f", false, -EBUSY, "read-only in both");
    host_disk_close(r1);
    refused("f", false, -EBUSY, "in use");
    host_disk_close(r2);
    w = host_disk_open("f", false, &e);
    ck_assert_ptr_nonnull(w);
    host_disk_close(w);
    leave();
}
END_TEST

UNIT_MAIN("host/file", read_whole, read_errors_name_the_file, read_proc_and_pipe, streams,
          disk_reads_and_writes, disk_read_only, disk_refuses, disk_locks)
