/* host_tap.c - see host_tap.h. */
#include "host/host_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem_alloc.h"

#define DEVICE   "/dev/net/tun"
#define SKIP_MAX 64 /* frames that are too long, in one call */

struct host_tap {
    int fd;
};

static int attach(int fd, const char *interface, struct err *e)
{
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};

    if (!*interface || strlen(interface) >= sizeof r.ifr_name)
        return err_set(e, EINVAL, "tap: \"%.60s\" cannot be the name of an interface", interface);
    strcpy(r.ifr_name, interface);
    if (ioctl(fd, TUNSETIFF, &r) == 0)
        return 0;
    if (errno == EPERM)
        return err_set(e, EPERM,
                       "tap: %s: not allowed (root can make it for you: "
                       "ip tuntap add %s mode tap user NAME)",
                       interface, interface);
    return err_sys(e, errno, "tap: %s", interface);
}

struct host_tap *host_tap_open(const char *interface, struct err *e)
{
    int fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct host_tap *t;

    if (fd < 0) {
        err_sys(e, errno, "tap: %s", DEVICE);
        return NULL;
    }
    if (attach(fd, interface, e)) {
        close(fd);
        return NULL;
    }
    t = xcalloc(1, sizeof *t);
    t->fd = fd;
    return t;
}

void host_tap_close(struct host_tap *t)
{
    if (!t)
        return;
    close(t->fd);
    free(t);
}

void host_tap_send(struct host_tap *t, const uint8_t *frame, size_t len)
{
    ssize_t n;

    do
        n = write(t->fd, frame, len);
    while (n < 0 && errno == EINTR);
}

/* A frame that is longer than both buffers together says so by filling them. */
size_t host_tap_receive(struct host_tap *t, uint8_t *frame, size_t max)
{
    uint8_t more;
    struct iovec parts[] = {{frame, max}, {&more, 1}};

    for (unsigned i = 0; i < SKIP_MAX; i++) {
        ssize_t n = readv(t->fd, parts, 2);

        if (n >= 0 && (size_t)n <= max)
            return (size_t)n;
        if (n < 0 && errno != EINTR)
            return 0;
    }
    return 0;
}

int host_tap_fd(const struct host_tap *t)
{
    return t->fd;
}
