/* balloon.c - see balloon.h.  Section numbers are those of VIRTIO 1.2. */
#include "dev/virtio/balloon.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

#define PAGE_BITS 12 /* of the balloon's pages, whatever the guest's are */
#define PAGE_SIZE (UINT64_C(1) << PAGE_BITS)
#define PFN_LEN   4
#define PFNS      512                  /* read at a time */
#define PFNS_MAX  (UINT64_C(64) << 10) /* in one request */
#define BUDGET    (UINT64_C(64) << 10) /* pages, and runs of pages */
#define RANGE_MAX (UINT64_C(1) << 30)  /* bytes in one request that reports free pages */

/* 5.5.3, 5.5.4 */
enum { F_DEFLATE_ON_OOM = 2, F_PAGE_REPORTING = 5 };
enum { C_NUM_PAGES = 0, C_ACTUAL = 4, C_LEN = 8 };
/* 5.5.2: those that no feature offered here brings are not counted. */
enum { INFLATE, DEFLATE, REPORT, QUEUES };

struct balloon {
    struct vio_device vio; /* first */
    uint32_t asked;        /* pages, at power-on */
};

/* Neighbours are given back together. */
struct run {
    uint64_t at, len;
};

static void run_end(struct balloon *b, struct run *r)
{
    mem_release(b->vio.mem, r->at, r->len);
    r->len = 0;
}

static void run_add(struct balloon *b, struct run *r, uint64_t page)
{
    if (r->len && page == r->at + r->len) {
        r->len += PAGE_SIZE;
    } else if (r->len && page + PAGE_SIZE == r->at) {
        r->at = page;
        r->len += PAGE_SIZE;
    } else {
        run_end(b, r);
        *r = (struct run){page, PAGE_SIZE};
    }
}

/* 5.5.6: a list of page numbers, u32 each.  Pages that are no RAM are left alone. */
static const char *inflate(struct vio_device *v, uint64_t *cost)
{
    struct balloon *b = (struct balloon *)v;
    uint64_t n = v->chain.out_len / PFN_LEN, part;
    uint8_t pfns[PFNS * PFN_LEN];
    struct run run = {0};

    if (n > PFNS_MAX)
        return "a balloon request lists more than 65536 pages";
    for (uint64_t at = 0; at < n; at += part) {
        part = n - at < PFNS ? n - at : PFNS;
        vio_chain_read(&v->chain, v->mem, at * PFN_LEN, pfns, part * PFN_LEN);
        for (uint64_t i = 0; i < part; i++)
            run_add(b, &run, bits_load_le(pfns + i * PFN_LEN, PFN_LEN) << PAGE_BITS);
    }
    run_end(b, &run);
    *cost = n + 1;
    return NULL;
}

/* 5.5.6.7: the buffers are the free pages. */
static const char *report(struct vio_device *v, uint64_t *cost)
{
    const struct vio_seg *seg = v->chain.seg + v->chain.nout;

    if (v->chain.in_len > RANGE_MAX)
        return "a balloon request reports more than 1 GiB";
    for (unsigned i = 0; i < v->chain.nin; i++)
        mem_release(v->mem, seg[i].addr, seg[i].len);
    *cost = v->chain.nin + (v->chain.in_len >> PAGE_BITS);
    return NULL;
}

/* A page that comes back needs nothing: it reads as 0 already. */
static const char *serve(struct vio_device *v, unsigned queue, uint32_t *written, uint64_t *cost)
{
    *written = 0;
    *cost = 1;
    return queue == INFLATE ? inflate(v, cost) : queue == REPORT ? report(v, cost) : NULL;
}

static bool balloon_notify(struct vio_device *v, unsigned queue)
{
    if (queue == REPORT && !(v->negotiated >> F_PAGE_REPORTING & 1))
        return false;
    return vio_serve(v, queue, serve, BUDGET);
}

static void balloon_config_write(struct vio_device *v, uint64_t offset, unsigned size,
                                 uint64_t value)
{
    if (offset == C_ACTUAL && size == 4)
        bits_store_le(v->config + C_ACTUAL, 4, value);
}

static void balloon_reset(struct vio_device *v)
{
    bits_store_le(v->config + C_ACTUAL, 4, 0);
}

static void balloon_power_on(struct vio_device *v)
{
    bits_store_le(v->config + C_NUM_PAGES, 4, ((struct balloon *)v)->asked);
}

static void balloon_state(struct vio_device *v, struct snap *s)
{
    snap_bytes(s, "config", v->config, C_LEN);
}

static void balloon_free(struct vio_device *v)
{
    free(v);
}

static const struct vio_ops balloon_ops = {
    .name = "virtio-balloon",
    .doc = "memory balloon",
    .id = 5,
    .queues = QUEUES,
    .notify = balloon_notify,
    .reset = balloon_reset,
    .power_on = balloon_power_on,
    .state = balloon_state,
    .free = balloon_free,
    .config_write = balloon_config_write,
};

static uint32_t pages(uint64_t bytes)
{
    return bytes >> PAGE_BITS > UINT32_MAX ? UINT32_MAX : (uint32_t)(bytes >> PAGE_BITS);
}

struct vio_device *vio_balloon_new(uint64_t bytes)
{
    struct balloon *b = xcalloc(1, sizeof *b);

    b->vio.ops = &balloon_ops;
    b->vio.offered = VIO_FEATURES | BIT(F_DEFLATE_ON_OOM) | BIT(F_PAGE_REPORTING);
    b->vio.config_len = C_LEN;
    b->asked = pages(bytes);
    balloon_power_on(&b->vio);
    return &b->vio;
}

void vio_balloon_ask(struct vio_device *v, uint64_t bytes)
{
    bits_store_le(v->config + C_NUM_PAGES, 4, pages(bytes));
    v->event(v->opaque, VIO_CONFIG_CHANGED, 0);
}

uint64_t vio_balloon_given(const struct vio_device *v)
{
    return bits_load_le(v->config + C_ACTUAL, 4) << PAGE_BITS;
}
