/* console.c - see console.h.  Section numbers are those of VIRTIO 1.2. */
#include "dev/virtio/console.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

#define CHUNK     4096                /* bytes taken for the guest at once */
#define CHUNKS    16                  /* in one poll of a port */
#define WRITE_MAX (UINT64_C(1) << 20) /* bytes in one request */
#define BUDGET    (UINT64_C(4) << 20)

/* 5.3.2: port 0's, the control queues, the other ports'. */
enum { CONTROL_RX = 2, CONTROL_TX = 3 };

/* 5.3.3, 5.3.4 */
enum { F_MULTIPORT = 1 };
enum { C_MAX_PORTS = 4, C_LEN = 12 };

/* 5.3.6.2: id u32, event u16, value u16; a name follows its message. */
enum { CONTROL_LEN = 8, CONTROL_EVENT = 4, CONTROL_VALUE = 6 };
enum {
    DEVICE_READY = 0,
    PORT_ADD = 1,
    PORT_READY = 3,
    CONSOLE_PORT = 4,
    PORT_OPEN = 6,
    PORT_NAME = 7,
};

struct port {
    char name[VIO_PORT_NAME + 1];
    struct dev_chars chars;
    uint8_t news; /* messages that wait for the guest: bit numbers are events, sent in order */
    bool open;    /* by the guest */
};

struct console {
    struct vio_device vio; /* first */
    unsigned nports;
    struct port port[VIO_PORTS];
};

static_assert(2 * VIO_PORTS + 2 <= VIO_QUEUES, "two queues a port, and two for control");

static unsigned rx_queue(unsigned port)
{
    return port ? 2 * port + 2 : 0;
}

static bool multiport(const struct console *c)
{
    return c->vio.negotiated >> F_MULTIPORT & 1;
}

/* ---- control ---- */

static size_t message(const struct console *c, unsigned port, unsigned event, uint8_t *out)
{
    size_t name = event == PORT_NAME ? strlen(c->port[port].name) : 0;

    bits_store_le(out, 4, port);
    bits_store_le(out + CONTROL_EVENT, 2, event);
    bits_store_le(out + CONTROL_VALUE, 2, 1);
    memcpy(out + CONTROL_LEN, c->port[port].name, name);
    return CONTROL_LEN + name;
}

/* One message into the guest's next buffer.  1; 0: it has none; -1: *why */
static int tell(struct console *c, unsigned port, unsigned event, const char **why)
{
    struct vio_queue *q = &c->vio.queue[CONTROL_RX];
    uint8_t text[CONTROL_LEN + VIO_PORT_NAME];
    size_t len = message(c, port, event, text);
    int rc = vio_queue_pop(q, c->vio.mem, &c->vio.chain, why);

    if (rc > 0 && !vio_chain_write(&c->vio.chain, c->vio.mem, 0, text, len)) {
        *why = "a control message does not fit into its buffer";
        rc = -1;
    }
    if (rc > 0)
        vio_queue_push(q, c->vio.mem, c->vio.chain.head, (uint32_t)len);
    return rc;
}

/* Tells what waits, as far as the guest has buffers. */
static void tell_all(struct console *c)
{
    struct vio_queue *q = &c->vio.queue[CONTROL_RX];
    const char *why = NULL;
    int rc = 1;

    if (!q->ready)
        return;
    for (unsigned p = 0; p < c->nports && rc > 0; p++) {
        for (unsigned event = 0; event < 8 && rc > 0; event++) {
            if (!(c->port[p].news >> event & 1))
                continue;
            rc = tell(c, p, event, &why);
            if (rc > 0)
                c->port[p].news &= (uint8_t)~BIT(event);
        }
    }
    if (rc < 0)
        vio_broken(&c->vio, why);
    else if (vio_queue_settle(q, c->vio.mem))
        c->vio.event(c->vio.opaque, VIO_USED, CONTROL_RX);
}

/* 5.3.6.2: what the driver says; of ports that are not there, and other events: nothing. */
static const char *control(struct vio_device *v, unsigned queue, uint32_t *written, uint64_t *cost)
{
    struct console *c = (struct console *)v;
    uint8_t text[CONTROL_LEN];
    struct port *p;

    (void)queue;
    *written = 0;
    *cost = 4096;
    if (!vio_chain_read(&v->chain, v->mem, 0, text, sizeof text))
        return "a control message is too short";
    uint64_t id = bits_load_le(text, 4), value = bits_load_le(text + CONTROL_VALUE, 2);
    p = id < c->nports ? &c->port[id] : NULL;
    switch (bits_load_le(text + CONTROL_EVENT, 2)) {
    case DEVICE_READY:
        for (unsigned i = 0; i < c->nports && value; i++)
            c->port[i].news = BIT(PORT_ADD);
        break;
    case PORT_READY:
        if (p && value)
            p->news |= BIT(PORT_NAME) | BIT(PORT_OPEN) |
                       (strcmp(p->name, "console") ? 0 : BIT(CONSOLE_PORT));
        break;
    case PORT_OPEN:
        if (p)
            p->open = value;
        break;
    }
    return NULL;
}

/* ---- bytes ---- */

static const char *send(struct vio_device *v, unsigned queue, uint32_t *written, uint64_t *cost)
{
    struct console *c = (struct console *)v;
    struct port *p = &c->port[queue == 1 ? 0 : queue / 2 - 1];
    const struct vio_chain *chain = &v->chain;

    *written = 0;
    *cost = chain->out_len + 64;
    if (chain->out_len > WRITE_MAX)
        return "more than 1 MiB is written to a port at once";
    for (unsigned i = 0; i < chain->nout; i++) {
        const void *data = mem_host(v->mem, chain->seg[i].addr, chain->seg[i].len, false);

        if (data && chain->seg[i].len && p->chars.write)
            p->chars.write(p->chars.opaque, data, chain->seg[i].len);
    }
    return NULL;
}

/* Bytes into the guest's next buffer, of which there is one.  False: that is all for now. */
static bool receive(struct console *c, unsigned port)
{
    struct vio_queue *q = &c->vio.queue[rx_queue(port)];
    const struct dev_chars *chars = &c->port[port].chars;
    const char *why = NULL;
    uint8_t data[CHUNK];
    size_t len;
    int rc = vio_queue_pop(q, c->vio.mem, &c->vio.chain, &why);

    if (rc > 0 && !c->vio.chain.in_len) {
        why = "a buffer for a port's bytes is empty";
        rc = -1;
    }
    if (rc < 0)
        vio_broken(&c->vio, why);
    if (rc <= 0)
        return false;
    len = c->vio.chain.in_len < sizeof data ? (size_t)c->vio.chain.in_len : sizeof data;
    len = chars->read(chars->opaque, data, len);
    if (!len) {
        vio_queue_unpop(q, 1);
        return false;
    }
    vio_chain_write(&c->vio.chain, c->vio.mem, 0, data, len);
    vio_queue_push(q, c->vio.mem, c->vio.chain.head, (uint32_t)len);
    if (vio_queue_settle(q, c->vio.mem))
        c->vio.event(c->vio.opaque, VIO_USED, rx_queue(port));
    return true;
}

/* Whether the guest takes bytes at a port.  Without the feature there is port 0 alone, which is
 * always open. */
static bool takes(const struct console *c, unsigned port)
{
    const struct vio_queue *q = &c->vio.queue[rx_queue(port)];

    return c->port[port].chars.read && q->ready && vio_queue_waiting(q, c->vio.mem) &&
           (multiport(c) ? c->port[port].open : !port);
}

static bool console_notify(struct vio_device *v, unsigned queue)
{
    struct console *c = (struct console *)v;
    bool left = false;

    if (queue == CONTROL_TX)
        left = vio_serve(v, queue, control, BUDGET);
    else if (queue % 2)
        return vio_serve(v, queue, send, BUDGET);
    if (queue == CONTROL_RX || queue == CONTROL_TX)
        tell_all(c);
    return left;
}

static void console_poll(struct vio_device *v)
{
    struct console *c = (struct console *)v;

    for (unsigned i = 0; i < c->nports; i++)
        for (unsigned n = 0; n < CHUNKS && takes(c, i) && receive(c, i); n++)
            ;
}

static void console_wait(struct vio_device *v, struct dev_wait *w)
{
    struct console *c = (struct console *)v;

    for (unsigned i = 0; i < c->nports; i++)
        if (takes(c, i) && c->port[i].chars.wait)
            c->port[i].chars.wait(c->port[i].chars.opaque, w);
}

static void console_reset(struct vio_device *v)
{
    struct console *c = (struct console *)v;

    for (unsigned i = 0; i < c->nports; i++) {
        c->port[i].news = 0;
        c->port[i].open = false;
    }
}

static void console_state(struct vio_device *v, struct snap *s)
{
    struct console *c = (struct console *)v;

    for (unsigned i = 0; i < c->nports; i++) {
        snap_u8(s, "news", &c->port[i].news);
        snap_bool(s, "open", &c->port[i].open);
    }
}

static void console_free(struct vio_device *v)
{
    free(v);
}

/* With fewer ports the queues behind theirs are never ready. */
static const struct vio_ops console_ops = {
    .name = "virtio-console",
    .doc = "ports",
    .id = 3,
    .queues = 2 * VIO_PORTS + 2,
    .notify = console_notify,
    .reset = console_reset,
    .state = console_state,
    .free = console_free,
    .poll = console_poll,
    .wait = console_wait,
};

struct vio_device *vio_console_new(const struct dev_port *ports, unsigned n)
{
    struct console *c = xcalloc(1, sizeof *c);

    assert(n && n <= VIO_PORTS);
    c->vio.ops = &console_ops;
    c->vio.offered = VIO_FEATURES | BIT(F_MULTIPORT);
    c->vio.config_len = C_LEN;
    bits_store_le(c->vio.config + C_MAX_PORTS, 4, n);
    c->nports = n;
    for (unsigned i = 0; i < n; i++) {
        snprintf(c->port[i].name, sizeof c->port[i].name, "%s", ports[i].name);
        c->port[i].chars = ports[i].chars;
    }
    return &c->vio;
}
