/* net.c - see net.h.  Section numbers are those of VIRTIO 1.2. */
#include "dev/virtio/net.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

#define FRAME_MIN  14  /* bytes: the Ethernet header */
#define FRAMES     64  /* taken in one poll */
#define CHAINS_MAX 128 /* buffers that one frame may need: each holds a header at least */
#define BUDGET     (UINT64_C(4) << 20)
#define FRAME_COST 4096 /* of a frame that is sent, in bytes of the budget */

/* 5.1.3, 5.1.4 */
enum { F_MAC = 5, F_MRG_RXBUF = 15, F_STATUS = 16 };
enum { C_MAC = 0, C_STATUS = 6, C_LEN = 8 };
enum { STATUS_LINK_UP = 1 };
enum { RX, TX, QUEUES };

/* 5.1.6: the header before each frame is 12 bytes, of which without offloads only the last two
 * say something: in how many buffers a received frame lies. */
enum { HEADER_LEN = 12, HEADER_BUFFERS = 10 };

struct net {
    struct vio_device vio; /* first */
    struct dev_net door;
    uint16_t waiting_len; /* of a frame that was taken and has found no room, or 0 */
    uint8_t waiting[DEV_FRAME_MAX];
};

/* A frame being given to the guest, and the buffers it has so far. */
struct delivery {
    uint8_t packet[HEADER_LEN + DEV_FRAME_MAX];
    uint64_t len, done;
    unsigned chains;
    struct {
        uint16_t head;
        uint32_t written;
    } used[CHAINS_MAX];
};

/* ---- from the guest ---- */

/* What is no frame is dropped; that breaks no rule of the queue's. */
static const char *send(struct vio_device *v, unsigned queue, uint32_t *written, uint64_t *cost)
{
    struct net *n = (struct net *)v;
    uint8_t frame[DEV_FRAME_MAX];
    uint64_t len = v->chain.out_len - HEADER_LEN;

    (void)queue;
    *written = 0;
    *cost = FRAME_COST;
    if (v->chain.out_len < HEADER_LEN)
        return "a frame has no header";
    if (v->chain.nin)
        return "a frame to be sent has something to write";
    if (len < FRAME_MIN || len > sizeof frame)
        return NULL;
    vio_chain_read(&v->chain, v->mem, HEADER_LEN, frame, len);
    n->door.send(n->door.opaque, clock_now(v->clock), frame, len);
    return NULL;
}

/* ---- to the guest ---- */

/* Fills the buffer in v->chain.  5.1.6.4 */
static const char *fill(struct net *n, struct delivery *d)
{
    const struct vio_chain *c = &n->vio.chain;
    uint64_t part = d->len - d->done;

    if (c->nout)
        return "a buffer for frames has something to read";
    if (c->in_len < HEADER_LEN)
        return "a buffer for frames is shorter than their header";
    if (part > c->in_len)
        part = c->in_len;
    vio_chain_write(c, n->vio.mem, 0, d->packet + d->done, part);
    d->used[d->chains].head = c->head;
    d->used[d->chains++].written = (uint32_t)part;
    d->done += part;
    return NULL;
}

/* Fills buffers until the frame is in.  1; 0: there are not enough, and nothing is taken; -1: *why.
 * The count in the header is known only then, so the first buffer is filled twice. */
static int fill_all(struct net *n, struct delivery *d, const char **why)
{
    struct vio_queue *q = &n->vio.queue[RX];
    bool mergeable = n->vio.negotiated >> F_MRG_RXBUF & 1;

    d->chains = 0;
    d->done = 0;
    do {
        int rc = vio_queue_pop(q, n->vio.mem, &n->vio.chain, why);

        if (!rc) {
            vio_queue_unpop(q, d->chains);
            return 0;
        }
        if (rc > 0)
            *why = fill(n, d);
        if (*why)
            return -1;
    } while (d->done < d->len && mergeable && d->chains < CHAINS_MAX);
    return 1;
}

/* 1: the frame is in, or is dropped because one buffer is all that it may have, and that is too
 * short; 0: there is no room; -1: the guest broke the queue. */
static int deliver(struct net *n, const char **why)
{
    struct vio_queue *q = &n->vio.queue[RX];
    struct delivery d = {.len = HEADER_LEN + (uint64_t)n->waiting_len};
    int rc;

    memcpy(d.packet + HEADER_LEN, n->waiting, n->waiting_len);
    bits_store_le(d.packet + HEADER_BUFFERS, 2, 1);
    rc = fill_all(n, &d, why);
    if (rc > 0 && d.chains > 1) {
        vio_queue_unpop(q, d.chains);
        bits_store_le(d.packet + HEADER_BUFFERS, 2, d.chains);
        rc = fill_all(n, &d, why);
    }
    if (rc <= 0)
        return rc;
    if (d.done < d.len) { /* the buffers stay to be filled */
        vio_queue_unpop(q, d.chains);
        return 1;
    }
    for (unsigned i = 0; i < d.chains; i++)
        vio_queue_push(q, n->vio.mem, d.used[i].head, d.used[i].written);
    return 1;
}

/* The next frame into n->waiting; false: there is none. */
static bool take(struct net *n)
{
    size_t len;

    if (n->waiting_len)
        return true;
    len = n->door.receive(n->door.opaque, clock_now(n->vio.clock), n->waiting);
    if (len > sizeof n->waiting)
        len = 0;
    n->waiting_len = (uint16_t)len;
    return len;
}

static void net_poll(struct vio_device *v)
{
    struct net *n = (struct net *)v;
    const char *why = NULL;
    int rc = 1;

    if (!v->queue[RX].ready)
        return;
    for (unsigned i = 0; i < FRAMES && rc > 0 && take(n); i++) {
        rc = deliver(n, &why);
        if (rc > 0)
            n->waiting_len = 0;
    }
    if (rc < 0)
        vio_broken(v, why);
    else if (vio_queue_settle(&v->queue[RX], v->mem))
        v->event(v->opaque, VIO_USED, RX);
}

/* With no room for a frame, others cannot be taken either. */
static void net_wait(struct vio_device *v, struct dev_wait *w)
{
    struct net *n = (struct net *)v;

    if (!n->waiting_len && n->door.wait)
        n->door.wait(n->door.opaque, w);
}

/* New buffers are filled at the next poll. */
static bool net_notify(struct vio_device *v, unsigned queue)
{
    return queue == TX && vio_serve(v, TX, send, BUDGET);
}

static void net_reset(struct vio_device *v)
{
    ((struct net *)v)->waiting_len = 0;
}

static void net_state(struct vio_device *v, struct snap *s)
{
    struct net *n = (struct net *)v;

    snap_u16(s, "waiting_len", &n->waiting_len);
    if (n->waiting_len > sizeof n->waiting) {
        n->waiting_len = 0;
        snap_bad(s, "waiting_len", "no frame is so long");
    }
    snap_bytes(s, "waiting", n->waiting, n->waiting_len);
}

static void net_free(struct vio_device *v)
{
    free(v);
}

static const struct vio_ops net_ops = {
    .name = "virtio-net",
    .doc = "network",
    .id = 1,
    .queues = QUEUES,
    .notify = net_notify,
    .reset = net_reset,
    .state = net_state,
    .free = net_free,
    .poll = net_poll,
    .wait = net_wait,
};

struct vio_device *vio_net_new(const struct dev_net *net)
{
    struct net *n = xcalloc(1, sizeof *n);

    n->vio.ops = &net_ops;
    n->vio.offered = VIO_FEATURES | BIT(F_MAC) | BIT(F_MRG_RXBUF) | BIT(F_STATUS);
    n->vio.config_len = C_LEN;
    n->door = *net;
    memcpy(n->vio.config + C_MAC, net->mac, sizeof net->mac);
    bits_store_le(n->vio.config + C_STATUS, 2, STATUS_LINK_UP);
    return &n->vio;
}
