/* Streams: files, sockets and terminals at the host's end. */
#include "host/host_port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../unit.h"
#include "base/log.h"
#include "host/host_tap.h"

static char dir[64], path[128];

static void setup(const char *name)
{
    strcpy(dir, "/tmp/glovebox-port-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/%s", dir, name);
}

static void teardown(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0);
}

static struct host_port *open_port(const char *kind, struct log *log)
{
    struct err e = {0};
    char where[200];
    struct host_port *p;

    snprintf(where, sizeof where, "%s%s", kind, path);
    p = host_port_open(where, log, &e);
    ck_assert_msg(p, "%s", e.msg);
    return p;
}

static int client(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(a.sun_path, path);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

START_TEST(file)
{
    struct host_port *p;
    char got[16] = "";
    int fd;

    setup("file");
    p = open_port("", NULL);
    host_port_write(p, "hello ", 6);
    host_port_write(p, "file", 4);
    ck_assert_uint_eq(host_port_read(p, got, sizeof got), 0);
    ck_assert_int_eq(host_port_fd(p), -1);
    host_port_close(p);
    fd = open(path, O_RDONLY);
    ck_assert_int_eq(read(fd, got, sizeof got), 10);
    ck_assert_str_eq(got, "hello file");
    close(fd);
    teardown();
}
END_TEST

START_TEST(unix_socket)
{
    struct host_port *p;
    char got[16] = "";
    int fd;

    setup("socket");
    p = open_port("unix:", NULL);
    ck_assert_str_eq(host_port_where(p), path);
    host_port_write(p, "lost", 4); /* nobody is there */
    ck_assert_int_ge(host_port_fd(p), 0);
    for (unsigned i = 0; i < 2; i++) { /* a second client, when the first has gone */
        fd = client();
        ck_assert_int_eq(write(fd, "in", 2), 2);
        ck_assert_uint_eq(host_port_read(p, got, sizeof got), 2);
        host_port_write(p, "out", 3);
        ck_assert_int_eq(read(fd, got, sizeof got), 3);
        ck_assert_mem_eq(got, "out", 3);
        close(fd);
        ck_assert_uint_eq(host_port_read(p, got, sizeof got), 0);
    }
    fd = client();
    host_port_read(p, got, sizeof got);
    close(fd);
    host_port_write(p, "nobody", 6); /* no signal, no end */
    host_port_write(p, "nobody", 6);
    host_port_close(p);
    ck_assert_int_ne(access(path, F_OK), 0);
    teardown();
}
END_TEST

START_TEST(names)
{
    struct host_port *p, *q;
    char where[200], got[4];
    struct err e;

    setup("socket");
    snprintf(where, sizeof where, "unix:%s", path);
    p = open_port("unix:", NULL);
    ck_assert_ptr_null(host_port_open(where, NULL, &e)); /* somebody listens there */
    ck_assert_ptr_nonnull(strstr(e.msg, path));
    ck_assert_int_eq(access(path, F_OK), 0);
    host_port_close(p);
    /* one that nobody listens at is replaced */
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(a.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd);
    p = open_port("unix:", NULL);
    host_port_close(p);
    /* a file of another kind is not */
    q = open_port("", NULL);
    host_port_close(q);
    ck_assert_ptr_null(host_port_open(where, NULL, &e));
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_ptr_null(host_port_open("unix:", NULL, &e));
    ck_assert_ptr_null(host_port_open("/nonexistent/file", NULL, &e));
    p = host_port_open("/dev/null", NULL, &e);
    host_port_write(p, "x", 1);
    ck_assert_uint_eq(host_port_read(p, got, 4), 0);
    host_port_write(p, "x", 1);
    host_port_close(p);
    teardown();
}
END_TEST

START_TEST(pseudo_terminal)
{
    struct err e = {0};
    struct host_port *p = host_port_open("pty", NULL, &e);
    char got[16];
    int fd;

    ck_assert_msg(p, "%s", e.msg);
    ck_assert_uint_eq(host_port_read(p, got, sizeof got), 0); /* nobody yet */
    host_port_write(p, "hi", 2);
    fd = open(host_port_where(p), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(read(fd, got, sizeof got), 2);
    ck_assert_int_eq(write(fd, "\r\n\3", 3), 3); /* raw: as it is */
    ck_assert_uint_eq(host_port_read(p, got, sizeof got), 3);
    ck_assert_mem_eq(got, "\r\n\3", 3);
    close(fd);
    ck_assert_uint_eq(host_port_read(p, got, sizeof got), 0); /* and somebody else may come */
    fd = open(host_port_where(p), O_RDWR | O_NOCTTY);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    ck_assert_uint_eq(host_port_read(p, got, sizeof got), 1);
    close(fd);
    host_port_close(p);
}
END_TEST

/* A client that reads nothing costs a second and one warning, not the machine. */
START_TEST(slow_client)
{
    static char block[1 << 20];
    struct host_port *p;
    struct log log;
    char text[512] = "";
    size_t total = 0;
    int pipes[2], fd;

    setup("socket");
    ck_assert_int_eq(pipe(pipes), 0);
    log_init(&log, pipes[1], LOG_WARN);
    p = open_port("unix:", &log);
    fd = client();
    for (unsigned i = 0; i < 20; i++)
        host_port_write(p, block, sizeof block);
    ck_assert_int_gt(read(pipes[0], text, sizeof text), 0);
    ck_assert_ptr_nonnull(strstr(text, "takes nothing"));
    ck_assert_ptr_eq(strchr(text, '\n'), strrchr(text, '\n'));
    for (ssize_t n = 1; n > 0;) { /* it reads after all, and gets what was kept */
        host_port_read(p, block, sizeof block);
        n = recv(fd, block, sizeof block, MSG_DONTWAIT);
        total += n > 0 ? (size_t)n : 0;
    }
    ck_assert_uint_ge(total, 4 << 20);
    ck_assert_uint_lt(total, 8 << 20);
    host_port_write(p, "more", 4);
    ck_assert_int_eq(recv(fd, block, sizeof block, 0), 4);
    close(fd);
    host_port_close(p);
    teardown();
}
END_TEST

START_TEST(tap)
{
    struct err e;
    struct host_tap *t;
    uint8_t frame[1518] = {0};

    ck_assert_ptr_null(host_tap_open("a-name-that-is-too-long", &e));
    ck_assert_ptr_null(host_tap_open("", &e));
    t = host_tap_open("gbtest%d", &e);
    if (!t) { /* not root, or no such device here */
        ck_assert_ptr_nonnull(strstr(e.msg, "tap: "));
        unit_skip(e.msg);
    }
    host_tap_send(t, frame, 60); /* the interface is down: lost */
    ck_assert_uint_eq(host_tap_receive(t, frame, sizeof frame), 0);
    ck_assert_int_ge(host_tap_fd(t), 0);
    host_tap_close(t);
}
END_TEST

UNIT_MAIN("host/port", file, unix_socket, names, pseudo_terminal, slow_client, tap)
