/* host_slirp.c - see host_slirp.h. */
#include "host/host_slirp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libslirp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "base/vec.h"

#define FRAMES    256 /* that wait for the guest; more are lost, as on a wire */
#define FRAME_MAX 1518
#define NS_PER_MS UINT64_C(1000000)
#define WARNINGS  5

struct frame {
    uint16_t len;
    uint8_t data[FRAME_MAX];
};

struct timer {
    SlirpTimerCb fire;
    void *opaque;
    int64_t when; /* ms; INT64_MAX: not set */
    struct timer *next;
};

struct host_slirp {
    Slirp *slirp;
    struct log *log;
    unsigned warned;
    uint64_t now;
    struct frame frames[FRAMES]; /* a ring */
    size_t first, count;
    struct timer *timers;
    struct {
        VEC(struct pollfd);
    } fds;            /* of the last fill */
    uint32_t timeout; /* ms, of the last fill */
};

/* ---- what libslirp calls ---- */

static ssize_t send_packet(const void *data, size_t len, void *opaque)
{
    struct host_slirp *s = opaque;
    struct frame *f = &s->frames[(s->first + s->count) % FRAMES];

    if (s->count == FRAMES || len > FRAME_MAX)
        return (ssize_t)len;
    memcpy(f->data, data, len);
    f->len = (uint16_t)len;
    s->count++;
    return (ssize_t)len;
}

static void guest_error(const char *msg, void *opaque)
{
    struct host_slirp *s = opaque;

    if (s->warned < WARNINGS)
        log_warn(s->log, "network: the guest sent something wrong: %s", msg);
    s->warned++;
}

static int64_t clock_get_ns(void *opaque)
{
    return (int64_t)((struct host_slirp *)opaque)->now;
}

static void *timer_new(SlirpTimerCb fire, void *cb_opaque, void *opaque)
{
    struct host_slirp *s = opaque;
    struct timer *t = xcalloc(1, sizeof *t);

    *t = (struct timer){fire, cb_opaque, INT64_MAX, s->timers};
    s->timers = t;
    return t;
}

static void timer_free(void *timer, void *opaque)
{
    struct host_slirp *s = opaque;

    for (struct timer **t = &s->timers; *t; t = &(*t)->next) {
        if (*t == timer) {
            *t = (*t)->next;
            free(timer);
            return;
        }
    }
}

static void timer_mod(void *timer, int64_t when, void *opaque)
{
    (void)opaque;
    ((struct timer *)timer)->when = when;
}

static void fd_news(int fd, void *opaque)
{
    (void)fd, (void)opaque;
}

static void notify(void *opaque)
{
    (void)opaque;
}

static int add_poll(int fd, int events, void *opaque)
{
    struct host_slirp *s = opaque;
    struct pollfd p = {.fd = fd};

    p.events =
        (short)((events & SLIRP_POLL_IN ? POLLIN : 0) | (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                (events & SLIRP_POLL_PRI ? POLLPRI : 0));
    vec_push(&s->fds, p);
    return (int)s->fds.len - 1;
}

static int get_revents(int index, void *opaque)
{
    const struct host_slirp *s = opaque;
    int r = s->fds.data[index].revents;

    return (r & POLLIN ? SLIRP_POLL_IN : 0) | (r & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (r & POLLPRI ? SLIRP_POLL_PRI : 0) | (r & POLLERR ? SLIRP_POLL_ERR : 0) |
           (r & POLLHUP ? SLIRP_POLL_HUP : 0);
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = fd_news,
    .unregister_poll_fd = fd_news,
    .notify = notify,
};

/* ---- life ---- */

static int forward(struct host_slirp *s, const struct host_forward *f, struct err *e)
{
    const struct in_addr host = {htonl(f->address)}, guest = {0}; /* the one that DHCP gives */

    if (slirp_add_hostfwd(s->slirp, f->udp, host, f->host, guest, f->guest) == 0)
        return 0;
    return err_sys(e, errno, "network: cannot listen at %s port %u of %s", inet_ntoa(host), f->host,
                   f->udp ? "UDP" : "TCP");
}

struct host_slirp *host_slirp_new(const struct host_slirp_config *config, struct err *e)
{
    const uint32_t net = 0x0a000000 | (uint32_t)config->subnet << 8;
    const SlirpConfig c = {
        .version = 1,
        .restricted = config->restricted,
        .in_enabled = true,
        .vnetwork = {htonl(net)},
        .vnetmask = {htonl(0xffffff00)},
        .vhost = {htonl(net + 2)},
        .vdhcp_start = {htonl(net + 15)},
        .vnameserver = {htonl(net + 3)},
    };
    struct host_slirp *s = xcalloc(1, sizeof *s);

    s->log = config->log;
    s->timeout = UINT32_MAX;
    s->slirp = slirp_new(&c, &callbacks, s);
    if (!s->slirp) {
        err_set(e, ENOMEM, "network: libslirp %s does not start", slirp_version_string());
        host_slirp_free(s);
        return NULL;
    }
    for (size_t i = 0; i < config->nforwards; i++) {
        if (forward(s, &config->forwards[i], e)) {
            host_slirp_free(s);
            return NULL;
        }
    }
    return s;
}

void host_slirp_free(struct host_slirp *s)
{
    if (!s)
        return;
    if (s->slirp)
        slirp_cleanup(s->slirp);
    while (s->timers)
        timer_free(s->timers, s);
    vec_fini(&s->fds);
    free(s);
}

/* ---- frames ---- */

void host_slirp_send(struct host_slirp *s, uint64_t now, const uint8_t *frame, size_t len)
{
    s->now = now;
    slirp_input(s->slirp, frame, (int)len);
}

static void fire_timers(struct host_slirp *s)
{
    int64_t now = (int64_t)(s->now / NS_PER_MS);

    for (struct timer *t = s->timers, *next; t; t = next) {
        next = t->next;
        if (t->when > now)
            continue;
        t->when = INT64_MAX;
        t->fire(t->opaque);
    }
}

/* Moves what can be moved now between the host's sockets and the frames. */
static void pump(struct host_slirp *s)
{
    int ready;

    s->fds.len = 0;
    s->timeout = UINT32_MAX;
    slirp_pollfds_fill(s->slirp, &s->timeout, add_poll, s);
    do
        ready = poll(s->fds.data, s->fds.len, 0);
    while (ready < 0 && errno == EINTR);
    slirp_pollfds_poll(s->slirp, ready < 0, get_revents, s);
    fire_timers(s);
}

size_t host_slirp_receive(struct host_slirp *s, uint64_t now, uint8_t *frame, size_t max)
{
    s->now = now;
    if (!s->count)
        pump(s);
    while (s->count) {
        const struct frame *f = &s->frames[s->first];

        s->first = (s->first + 1) % FRAMES;
        s->count--;
        if (f->len && f->len <= max) {
            memcpy(frame, f->data, f->len);
            return f->len;
        }
    }
    return 0;
}

size_t host_slirp_wait(struct host_slirp *s, const struct pollfd **fds, uint64_t *ns)
{
    uint64_t at, now = s->now / NS_PER_MS;

    s->fds.len = 0;
    s->timeout = UINT32_MAX;
    slirp_pollfds_fill(s->slirp, &s->timeout, add_poll, s);
    at = s->count ? 0 : s->timeout;
    for (const struct timer *t = s->timers; t; t = t->next)
        if (t->when != INT64_MAX && (uint64_t)t->when < now + at)
            at = (uint64_t)t->when > now ? (uint64_t)t->when - now : 0;
    *fds = s->fds.data;
    *ns = at >= UINT32_MAX ? UINT64_MAX : at * NS_PER_MS;
    return s->fds.len;
}
