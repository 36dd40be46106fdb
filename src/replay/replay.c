/* replay.c - see replay.h. */
#include "replay/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"

/* A door as the machine sees it.  One of the two that are behind it is used. */
struct door {
    struct replay *replay;
    unsigned number; /* in the log */
    size_t next;     /* of its inputs, to be given */
    struct dev_chars chars;
    struct dev_net net;
};

struct replay {
    struct replay_log *log;
    const struct machine *m;
    struct machine_idle idle; /* who else wants to know */
    struct door door[REPLAY_DOORS];
};

/* ---- the way out ---- */

static void pass_write(void *opaque, const uint8_t *data, size_t len)
{
    struct door *d = opaque;
    d->chars.write(d->chars.opaque, data, len);
}

/* ---- recording ---- */

static void note(struct door *d, const void *data, size_t len)
{
    if (len)
        replay_log_add(d->replay->log, d->number, machine_now(d->replay->m), data, len);
}

static size_t record_read(void *opaque, uint8_t *data, size_t len)
{
    struct door *d = opaque;
    size_t n = d->chars.read(d->chars.opaque, data, len);

    note(d, data, n);
    return n;
}

static void record_chars_wait(void *opaque, struct dev_wait *w)
{
    struct door *d = opaque;
    d->chars.wait(d->chars.opaque, w);
}

static void record_send(void *opaque, uint64_t now, const uint8_t *frame, size_t len)
{
    struct door *d = opaque;
    d->net.send(d->net.opaque, now, frame, len);
}

static size_t record_receive(void *opaque, uint64_t now, uint8_t *frame)
{
    struct door *d = opaque;
    size_t n = d->net.receive(d->net.opaque, now, frame);

    note(d, frame, n);
    return n;
}

static void record_net_wait(void *opaque, struct dev_wait *w)
{
    struct door *d = opaque;
    d->net.wait(d->net.opaque, w);
}

static void record_idle(void *opaque, uint64_t from, uint64_t to)
{
    struct replay *r = opaque;

    replay_log_add(r->log, REPLAY_IDLE, from, &to, sizeof to);
    if (r->idle.ended)
        r->idle.ended(r->idle.opaque, from, to);
}

/* ---- giving again ---- */

/* A door's input of this tick, if there is another one, of at most len bytes. */
static size_t again(struct door *d, void *data, size_t len)
{
    uint64_t now = machine_now(d->replay->m);
    const struct replay_input *in;
    const uint8_t *bytes;

    while ((in = replay_log_get(d->replay->log, d->number, d->next, &bytes)) && in->tick < now)
        d->next++; /* what a machine took before it came here */
    if (!in || in->tick > now || in->len > len)
        return 0;
    d->next++;
    memcpy(data, bytes, in->len);
    return in->len;
}

static void again_write(void *opaque, const uint8_t *data, size_t len)
{
    (void)opaque, (void)data, (void)len;
}

static size_t again_read(void *opaque, uint8_t *data, size_t len)
{
    return again(opaque, data, len);
}

static void again_wait(void *opaque, struct dev_wait *w)
{
    (void)opaque, (void)w;
}

static void again_send(void *opaque, uint64_t now, const uint8_t *frame, size_t len)
{
    (void)opaque, (void)now, (void)frame, (void)len;
}

static size_t again_receive(void *opaque, uint64_t now, uint8_t *frame)
{
    (void)now;
    return again(opaque, frame, DEV_FRAME_MAX);
}

static uint64_t again_idle(void *opaque, uint64_t from, uint64_t next)
{
    struct replay *r = opaque;
    uint64_t to;

    (void)from;
    return again(&r->door[REPLAY_IDLE], &to, sizeof to) ? to : next;
}

/* ---- wiring ---- */

static void put_chars(struct replay *r, enum replay_mode mode, unsigned number, struct dev_chars *c)
{
    struct door *d = &r->door[number];
    bool record = mode == REPLAY_RECORD, pass = record || number == REPLAY_CONSOLE;

    d->chars = *c;
    c->opaque = d;
    if (c->write)
        c->write = pass ? pass_write : again_write;
    if (c->read)
        c->read = record ? record_read : again_read;
    if (c->wait)
        c->wait = record ? record_chars_wait : again_wait;
}

static void put_net(struct replay *r, enum replay_mode mode, unsigned number, struct dev_net *n)
{
    struct door *d = &r->door[number];

    d->net = *n;
    n->send = mode == REPLAY_RECORD ? record_send : again_send;
    n->receive = mode == REPLAY_RECORD ? record_receive : again_receive;
    n->wait = mode == REPLAY_RECORD ? record_net_wait : again_wait;
    n->opaque = d;
}

struct replay *replay_new(struct replay_log *log, enum replay_mode mode,
                          struct machine_config *config)
{
    struct replay *r = xcalloc(1, sizeof *r);
    struct board_config *b = &config->board;

    r->log = log;
    r->idle = config->idle;
    for (unsigned i = 0; i < REPLAY_DOORS; i++)
        r->door[i] = (struct door){.replay = r, .number = i};
    put_chars(r, mode, REPLAY_CONSOLE, &b->console);
    for (unsigned i = 0; i < b->nports; i++)
        put_chars(r, mode, REPLAY_PORT + i, &b->ports[i].chars);
    for (unsigned i = 0; i < b->nnets; i++)
        put_net(r, mode, REPLAY_NET + i, &b->nets[i]);
    config->idle = mode == REPLAY_RECORD ? (struct machine_idle){record_idle, NULL, r}
                                         : (struct machine_idle){NULL, again_idle, r};
    return r;
}

void replay_free(struct replay *r)
{
    free(r);
}

void replay_attach(struct replay *r, const struct machine *m)
{
    r->m = m;
}

void replay_seek(struct replay *r)
{
    for (unsigned i = 0; i < REPLAY_DOORS; i++)
        r->door[i].next = replay_log_find(r->log, i, machine_now(r->m));
}
