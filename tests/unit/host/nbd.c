/* nbd.c - host/host_nbd.h, host_qcow2.h, host_server.h: qemu-nbd's qcow2 images, nbdkit's servers
 * that fail in each way, and servers that are gone. */
#include "host/host_nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "folder.h"
#include "host/host_clock.h"
#include "host/host_qcow2.h"
#include "host/host_unix.h"

#define MIB (UINT64_C(1) << 20)

static uint8_t data[MIB], got[MIB];

static void start(void)
{
    enter();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(bits_mix(i) | 1);
}

static void sh(const char *command)
{
    ck_assert_int_eq(system(command), 0);
}

static struct host_disk *open_image(const char *path, bool read_only)
{
    struct err e = {0};
    struct host_disk *d = host_qcow2_open(path, read_only, false, &e);

    ck_assert_msg(d, "%s", e.msg);
    return d;
}

static void close_disk(struct host_disk *d)
{
    struct err e = {0};

    ck_assert_msg(!host_disk_close(d, &e), "%s", e.msg);
}

static void holds(struct host_disk *d, uint64_t offset, const void *want, size_t len)
{
    struct err e = {0};

    memset(got, 0xa5, len);
    ck_assert_msg(!host_disk_read(d, offset, got, len, &e), "%s", e.msg);
    ck_assert_mem_eq(got, want, len);
}

/* The one child that this process has. */
static pid_t child(void)
{
    char path[64], text[64] = "";
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, f));
    fclose(f);
    return (pid_t)atoi(text);
}

/* Whether the child was started with this argument. */
static bool told(const char *argument)
{
    char path[64], text[4096];
    size_t len;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/cmdline", child());
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    len = fread(text, 1, sizeof text, f);
    fclose(f);
    return memmem(text, len, argument, strlen(argument) + 1);
}

static void fails(int rc, int code, const struct err *e, const char *text)
{
    ck_assert_int_eq(rc, code);
    ck_assert_msg(strstr(e->msg, text), "%s", e->msg);
}

/* ---- qcow2 ---- */

START_TEST(image)
{
    static const uint8_t zeroes[MIB];
    struct host_disk *d;
    struct err e = {0};
    struct stat st;

    start();
    sh("qemu-img create -q -f qcow2 ./a,b:c 8G"); /* a name that options could misread */
    d = open_image("a,b:c", false);
    ck_assert_uint_eq(host_disk_size(d), 8192 * MIB);
    ck_assert_str_eq(host_disk_name(d), "a,b:c");
    holds(d, 8191 * MIB, zeroes, MIB);
    ck_assert_int_eq(host_disk_write(d, 5000 * MIB + 512, data, sizeof data, &e), 0);
    ck_assert_int_eq(host_disk_write(d, 7, "seven", 5, &e), 0);
    holds(d, 5000 * MIB + 512, data, MIB);
    ck_assert_int_eq(host_disk_flush(d, &e), 0);
    ck_assert_int_eq(host_disk_zero(d, 5000 * MIB + 1024, 65536, &e), 0);
    ck_assert_int_eq(host_disk_zero(d, 0, 8192 * MIB, NULL), 0); /* more than one request may be */
    holds(d, 5000 * MIB, zeroes, MIB);
    fails(host_disk_read(d, 8192 * MIB, got, 1, &e), -EINVAL, &e, "beyond its end");
    fails(host_disk_write(d, UINT64_MAX, got, 2, &e), -EINVAL, &e, "beyond its end");
    ck_assert_int_eq(host_disk_write(d, MIB, data, MIB, &e), 0);
    close_disk(d);
    ck_assert_int_eq(stat("a,b:c", &st), 0);
    ck_assert_uint_lt((uint64_t)st.st_size, 8 * MIB);
    d = open_image("a,b:c", true);
    holds(d, MIB, data, MIB);
    holds(d, 0, zeroes, 512);
    fails(host_disk_write(d, 0, data, 512, &e), -EROFS, &e, "read-only");
    ck_assert_int_eq(host_disk_flush(d, &e), 0);
    close_disk(d);
    leave();
}
END_TEST

static void refused(const char *path, bool read_only, bool backing, const char *text)
{
    struct err e = {0};

    ck_assert_ptr_null(host_qcow2_open(path, read_only, backing, &e));
    ck_assert_msg(!strncmp(e.msg, path, strlen(path)) && strstr(e.msg, text), "%s", e.msg);
    ck_assert(!strchr(e.msg, '\n') && e.code < 0);
}

START_TEST(image_refused)
{
    struct host_disk *d, *second;

    start();
    refused("f", false, false, "No such file");
    refused(".", false, false, "is a directory");
    refused("/dev/zero", false, false, "neither a file nor a block device");
    sh("head -c 65536 /dev/zero >f");
    refused("f", false, false, "no qcow2 image");
    ck_assert(!host_qcow2_is("f") && !host_qcow2_is("none") && !host_qcow2_is("/dev/zero"));
    sh("qemu-img create -q -f qcow2 f 1M && qemu-img create -q -f qcow2 -b f -F qcow2 g");
    ck_assert(host_qcow2_is("f"));
    refused("g", false, false, ",backing");
    d = host_qcow2_open("g", false, true, NULL);
    ck_assert_ptr_nonnull(d);
    close_disk(d);
    sh("qemu-img create -q -f qcow2 -o data_file=./a,,b:c f 1M");
    refused("f", true, false, ",backing");
    sh("rm f");
    refused("g", false, true, "Could not open backing file");
    sh("qemu-img create -q -f qcow2 f 1M && head -c 64 f >g && head -c 4096 /dev/urandom >>g");
    refused("g", false, false, "");

    d = open_image("f", false);
    refused("f", false, false, "lock");
    refused("f", true, false, "lock");
    close_disk(d);
    d = open_image("f", true);
    second = open_image("f", true);
    refused("f", false, false, "lock");
    close_disk(second);
    close_disk(d);

    ck_assert_int_eq(setenv("PATH", "/nowhere", 1), 0);
    refused("f", false, false, "qemu-utils");
    leave();
}
END_TEST

/* An image and a raw disk of the same file exclude each other. */
START_TEST(image_and_raw)
{
    struct host_disk *d;
    struct err e = {0};

    start();
    sh("qemu-img create -q -f qcow2 f 1M && truncate -s 1M f");
    d = open_image("f", false);
    ck_assert_ptr_null(host_disk_open("f", false, &e));
    ck_assert_int_eq(e.code, -EBUSY);
    close_disk(d);
    d = host_disk_open("f", false, &e);
    ck_assert_ptr_nonnull(d);
    refused("f", false, false, "lock");
    close_disk(d);
    leave();
}
END_TEST

/* What was flushed is in the image even if its server has no time to say goodbye; and without one,
 * requests fail at once. */
START_TEST(server_killed)
{
    struct host_disk *d;
    struct err e = {0};

    start();
    sh("qemu-img create -q -f qcow2 f 64M");
    d = open_image("f", false);
    ck_assert_int_eq(getsid(child()), child()); /* a terminal's Ctrl-C is not for it */
    ck_assert(told("--cache=writeback"));       /* in which a flush is fdatasync */
    for (uint64_t at = 0; at < 64 * MIB; at += 8 * MIB)
        ck_assert_int_eq(host_disk_write(d, at, data, MIB, &e), 0);
    ck_assert_int_eq(host_disk_flush(d, &e), 0);
    ck_assert_int_eq(kill(child(), SIGKILL), 0);
    fails(host_disk_write(d, 0, got, 512, &e), -ENOTCONN, &e, "f: its server is lost");
    ck_assert_msg(strstr(e.msg, "qemu-nbd ended with status 137"), "%s", e.msg);
    fails(host_disk_read(d, 0, got, 512, &e), -ENOTCONN, &e, "f: its server is gone");
    fails(host_disk_flush(d, &e), -ENOTCONN, &e, "gone");
    fails(host_disk_zero(d, 0, 512, &e), -ENOTCONN, &e, "gone");
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no zombie is left */
    close_disk(d);
    d = open_image("f", true);
    for (uint64_t at = 0; at < 64 * MIB; at += 8 * MIB)
        holds(d, at, data, MIB);
    close_disk(d);
    leave();
}
END_TEST

/* Whatever end we come to, our server's follows; it is this process that sees it then.  How it
 * ended. */
static int die_together(bool image_server)
{
    char sleeps[] = "sleep", long_enough[] = "1000", *argv[] = {sleeps, long_enough, NULL};
    int pipes[2], status, fd;
    pid_t us, server;

    ck_assert_int_eq(pipe(pipes), 0);
    us = fork();
    if (!us) {
        if (image_server)
            open_image("f", false);
        else
            host_server_start(argv, "coreutils", &fd, NULL);
        server = child();
        (void)!write(pipes[1], &server, sizeof server);
        for (;;)
            pause();
    }
    close(pipes[1]);
    ck_assert_int_eq(read(pipes[0], &server, sizeof server), sizeof server);
    ck_assert_int_eq(kill(us, SIGKILL), 0);
    ck_assert_int_eq(waitpid(us, &status, 0), us);
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    close(pipes[0]);
    return status;
}

START_TEST(we_are_killed)
{
    int status;

    start();
    sh("qemu-img create -q -f qcow2 f 1M");
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    status = die_together(true);
    ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
    close_disk(open_image("f", false)); /* nothing holds it */
    die_together(false);                /* a program that would not ask whether anybody is there */
    leave();
}
END_TEST

/* ---- servers of all kinds ---- */

static bool have_nbdkit(void)
{
    return system("nbdkit --version >/dev/null 2>&1") == 0;
}

/* nbdkit with up to 10 more arguments. */
static struct host_disk *serve(char *const arguments[], bool read_only, struct err *e)
{
    static char program[] = "nbdkit", foreground[] = "-f";
    char *argv[13] = {program, foreground};
    struct host_server *s;
    int fd;

    for (unsigned i = 0; arguments[i]; i++)
        argv[2 + i] = arguments[i];
    s = host_server_start(argv, "nbdkit", &fd, e);
    ck_assert_msg(s, "%s", e->msg);
    return host_nbd_serve("disk", s, fd, read_only, e);
}

#define SERVE(read_only, ...) serve((char *const[]){__VA_ARGS__, NULL}, read_only, &e)

/* Each request's error is its own, and the next one may succeed. */
START_TEST(errors)
{
    static const uint8_t zeroes[MIB];
    struct host_disk *d;
    struct err e = {0};

    if (!have_nbdkit())
        unit_missing("no nbdkit");
    d = SERVE(false, "--filter=error", "memory", "8M", "error-pwrite=ENOSPC",
              "error-pwrite-rate=100%", "error-zero=EIO", "error-zero-rate=100%");
    ck_assert_msg(d, "%s", e.msg);
    for (int i = 0; i < 3; i++) {
        fails(host_disk_write(d, 0, data, MIB, &e), -ENOSPC, &e, "disk: cannot write: No space");
        fails(host_disk_zero(d, 0, MIB, &e), -EIO, &e, "disk: cannot write zeroes");
        holds(d, 0, zeroes, MIB);
        ck_assert_int_eq(host_disk_flush(d, &e), 0);
    }
    close_disk(d);
    d = SERVE(false, "--filter=error", "memory", "8M", "error-pread=EIO", "error-pread-rate=100%");
    ck_assert_msg(d, "%s", e.msg);
    fails(host_disk_read(d, 0, got, 512, &e), -EIO, &e, "disk: cannot read: Input/output error");
    ck_assert_int_eq(host_disk_write(d, 0, data, 512, &e), 0);
    close_disk(d);
    d = SERVE(false, "eval", "get_size=echo 1M", "can_flush=exit 0", "can_write=exit 0",
              "pread=head -c $3 /dev/zero", "pwrite=cat >/dev/null", "flush=echo EIO >&2; exit 1");
    ck_assert_msg(d, "%s", e.msg);
    fails(host_disk_flush(d, &e), -EIO, &e, "disk: cannot write it to the medium");
    fails(host_disk_close(d, &e), -EIO, &e, "disk: cannot write it to the medium");
}
END_TEST

START_TEST(abilities)
{
    static const uint8_t zeroes[MIB];
    struct host_disk *d;
    struct err e = {0};

    if (!have_nbdkit())
        unit_missing("no nbdkit");
    d = SERVE(false, "--filter=nozero", "--filter=blocksize-policy", "memory", "8M",
              "blocksize-minimum=512", "blocksize-preferred=4K", "blocksize-maximum=64K",
              "blocksize-error-policy=error");
    ck_assert_msg(d, "%s", e.msg);
    ck_assert_int_eq(host_disk_write(d, MIB, data, MIB, &e), 0);
    holds(d, MIB, data, MIB);
    ck_assert_int_eq(host_disk_zero(d, MIB, MIB - 512, &e), 0);
    holds(d, MIB, zeroes, MIB - 512);
    holds(d, 2 * MIB - 512, data + MIB - 512, 512);
    close_disk(d);

    ck_assert_ptr_null(SERVE(false, "--filter=blocksize-policy", "memory", "8M",
                             "blocksize-minimum=4K", "blocksize-preferred=4K"));
    ck_assert_msg(strstr(e.msg, "sectors of 4096"), "%s", e.msg);
    ck_assert_ptr_null(SERVE(false, "memory", "1000"));
    ck_assert_msg(strstr(e.msg, "whole sectors"), "%s", e.msg);
    ck_assert_ptr_null(SERVE(true, "null", "65T"));
    ck_assert_msg(strstr(e.msg, "disk: ") && strstr(e.msg, "more than a disk's 64 TiB"), "%s",
                  e.msg);
    ck_assert_ptr_null(SERVE(false, "pattern", "1M"));
    ck_assert_msg(strstr(e.msg, "append ,ro"), "%s", e.msg);
    ck_assert_ptr_null(SERVE(false, "eval", "get_size=echo 1M", "can_write=exit 0",
                             "pread=head -c $3 /dev/zero", "pwrite=cat >/dev/null"));
    ck_assert_msg(strstr(e.msg, "cannot flush"), "%s", e.msg);
    d = SERVE(true, "pattern", "1M");
    ck_assert_msg(d, "%s", e.msg);
    ck_assert(host_disk_read_only(d));
    close_disk(d);
}
END_TEST

/* Programs that are no servers. */
START_TEST(no_server)
{
    char ends[] = "false", *argv[] = {ends, NULL};
    struct err e = {0};
    int fd;
    struct host_server *s = host_server_start(argv, "coreutils", &fd, &e);

    ck_assert_msg(s, "%s", e.msg);
    ck_assert_ptr_null(host_nbd_serve("disk", s, fd, false, &e));
    ck_assert_msg(strstr(e.msg, "disk: false ended with status 1"), "%s", e.msg);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* ---- a server that drips ---- */

/* One client's bytes to a server and back: what is long comes a byte at a time. */
__attribute__((noreturn)) static void drip(int listener, int server)
{
    int client = accept(listener, NULL, NULL);
    struct pollfd fds[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    ssize_t n;

    for (;;) {
        poll(fds, 2, -1);
        if (fds[0].revents) {
            n = read(client, got, sizeof got);
            if (n <= 0 || write(server, got, (size_t)n) != n)
                _exit(0);
        }
        if (!fds[1].revents)
            continue;
        n = read(server, got, sizeof got);
        if (n <= 0)
            _exit(0);
        for (ssize_t i = 0, part; i < n; i += part) {
            part = n < 1024 ? n : 1;
            if (part == 1)
                usleep(5000);
            if (send(client, got + i, (size_t)part, MSG_NOSIGNAL) != part)
                _exit(0);
        }
    }
}

/* It sends something all the time, and yet its time is over. */
START_TEST(dripping)
{
    static char program[] = "nbdkit", foreground[] = "-f", memory[] = "memory", size[] = "8M";
    char *argv[] = {program, foreground, memory, size, NULL};
    struct host_server *s;
    struct host_disk *d;
    struct err e = {0};
    struct buf said = BUF_INIT;
    int fd, listener;
    pid_t us;

    if (!have_nbdkit())
        return;
    start();
    s = host_server_start(argv, "nbdkit", &fd, &e);
    ck_assert_msg(s, "%s", e.msg);
    listener = host_unix_listen("f", 1, &e);
    ck_assert_msg(listener >= 0, "%s", e.msg);
    us = fork();
    if (!us) {
        fcntl(listener, F_SETFL, 0);
        drip(listener, fd);
    }
    close(fd);
    d = host_nbd_open("nbd+unix:///?socket=f", false, 300000000, &e);
    ck_assert_msg(d, "%s", e.msg);
    fails(host_disk_read(d, 0, got, sizeof got, &e), -ENOTCONN, &e,
          "its server is lost: it does not answer");
    fails(host_disk_read(d, 0, got, 512, &e), -ENOTCONN, &e, "its server is gone");
    close_disk(d);
    close(listener);
    ck_assert_int_eq(kill(us, SIGKILL), 0);
    ck_assert_int_eq(waitpid(us, NULL, 0), us);
    host_server_end(s, &said);
    buf_fini(&said);
    leave();
}
END_TEST

START_TEST(uris)
{
    struct err e = {0};

    ck_assert(host_nbd_is_uri("nbd://localhost") && host_nbd_is_uri("nbds+unix:///?socket=x"));
    ck_assert(!host_nbd_is_uri("nbd:localhost") && !host_nbd_is_uri("/nbd://x"));
    ck_assert_ptr_null(host_nbd_open("nbd+unix:///?socket=/nonexistent", false, HOST_NEVER, &e));
    fails(e.code, -ENOTCONN, &e, "nbd+unix:///?socket=/nonexistent: ");
    ck_assert_ptr_null(host_nbd_open("nbd://", true, HOST_NEVER, NULL));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {image,         image_refused, image_and_raw, server_killed,
                                  we_are_killed, errors,        abilities,     no_server,
                                  dripping,      uris};

    if (system("qemu-img --version >/dev/null 2>&1") ||
        system("qemu-nbd --version >/dev/null 2>&1")) {
        return tap_none_missing("no qemu-utils");
    }
    return unit_run("host/nbd", tests, sizeof tests / sizeof *tests);
}
