/* file.c - host/host_file.h: whole files and streams. */
#include "host/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"

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

UNIT_MAIN("host/file", read_whole, read_errors_name_the_file, read_proc_and_pipe, streams)
