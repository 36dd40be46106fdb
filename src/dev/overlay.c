/* overlay.c - see overlay.h. */
#include "dev/overlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"

#define PAGE      UINT64_C(4096)
#define SLOT_BITS 9
#define SLOTS     (1u << SLOT_BITS) /* of a node */

/*
 * A tree, which grows with what is written and not with the disk's size: at height 0 are pages,
 * above that nodes, whose slots lead to what is one lower.  Both are shared between overlays, and
 * written only by the one that has the only reference.
 */
struct shared {
    unsigned refs;
};

struct page {
    struct shared shared; /* first */
    uint8_t data[PAGE];
};

struct node {
    struct shared shared;       /* first */
    struct shared *slot[SLOTS]; /* NULL: as below */
};

struct dev_overlay {
    struct dev_disk below;
    unsigned height;     /* of the root, at least 1 */
    struct shared *root; /* NULL: all as below */
    struct page *zeroes;
};

/* ---- sharing ---- */

static struct shared *share(struct shared *s)
{
    if (s)
        s->refs++;
    return s;
}

static void drop(struct shared *s, unsigned height)
{
    if (!s || --s->refs)
        return;
    for (unsigned i = 0; height && i < SLOTS; i++)
        drop(((struct node *)s)->slot[i], height - 1);
    free(s);
}

/* The node at *at, made ours alone. */
static struct shared *own_node(struct shared **at)
{
    struct shared *old = *at;
    struct node *n;

    if (old && old->refs == 1)
        return old;
    n = xcalloc(1, sizeof *n);
    n->shared.refs = 1;
    for (unsigned i = 0; old && i < SLOTS; i++)
        n->slot[i] = share(((struct node *)old)->slot[i]);
    if (old)
        old->refs--; /* others have it */
    return *at = &n->shared;
}

/* ---- the tree ---- */

/* Where a node at a height has what leads to the disk's n-th page. */
static struct shared **slot_of(struct shared *node, unsigned height, uint64_t n)
{
    return &((struct node *)node)->slot[n >> (height - 1) * SLOT_BITS & (SLOTS - 1)];
}

static const struct page *find(const struct dev_overlay *o, uint64_t n)
{
    struct shared *at = o->root;

    for (unsigned height = o->height; at && height; height--)
        at = *slot_of(at, height, n);
    return (const struct page *)at;
}

/* The n-th page's slot, all nodes above it ours alone. */
static struct shared **own_slot(struct dev_overlay *o, uint64_t n)
{
    struct shared **at = &o->root;

    for (unsigned height = o->height; height; height--)
        at = slot_of(own_node(at), height, n);
    return at;
}

/* ---- bytes ---- */

/* The disk's n-th page, ours alone to be written.  Its old bytes are there if `keep`. */
static int own_page(struct dev_overlay *o, uint64_t n, bool keep, struct page **page)
{
    struct shared **at = own_slot(o, n);
    struct page *old = (struct page *)*at, *p;
    uint64_t rest = o->below.size - n * PAGE;
    int rc = 0;

    *page = old;
    if (old && old->shared.refs == 1)
        return 0;
    p = xcalloc(1, sizeof *p);
    p->shared.refs = 1;
    if (keep && old)
        memcpy(p->data, old->data, PAGE);
    else if (keep)
        rc = o->below.read(o->below.opaque, n * PAGE, p->data, rest < PAGE ? rest : PAGE);
    if (rc) {
        free(p);
        return rc;
    }
    drop(*at, 0);
    *at = &p->shared;
    *page = p;
    return 0;
}

/* How much of [offset, offset + len) lies in offset's page. */
static uint64_t part_of(uint64_t offset, uint64_t len)
{
    uint64_t room = PAGE - offset % PAGE;

    return len < room ? len : room;
}

static bool inside(const struct dev_overlay *o, uint64_t offset, uint64_t len)
{
    return offset <= o->below.size && len <= o->below.size - offset;
}

static int overlay_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    struct dev_overlay *o = opaque;
    uint8_t *to = buf;
    int rc = inside(o, offset, len) ? 0 : -EINVAL;
    uint64_t part;

    for (; len && !rc; offset += part, to += part, len -= part) {
        const struct page *p = find(o, offset / PAGE);

        part = part_of(offset, len);
        if (p)
            memcpy(to, p->data + offset % PAGE, part);
        else
            rc = o->below.read(o->below.opaque, offset, to, part);
    }
    return rc;
}

static int overlay_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    struct dev_overlay *o = opaque;
    const uint8_t *from = buf;
    int rc = inside(o, offset, len) ? 0 : -EINVAL;
    struct page *p;
    uint64_t part;

    for (; len && !rc; offset += part, from += part, len -= part) {
        part = part_of(offset, len);
        rc = own_page(o, offset / PAGE, part < PAGE, &p);
        if (!rc)
            memcpy(p->data + offset % PAGE, from, part);
    }
    return rc;
}

/* Whole pages cost no more than their place in a node. */
static int zero_part(struct dev_overlay *o, uint64_t offset, uint64_t part)
{
    struct shared **slot;
    struct page *p;
    int rc;

    if (part == PAGE) {
        slot = own_slot(o, offset / PAGE);
        drop(*slot, 0);
        *slot = share(&o->zeroes->shared);
        return 0;
    }
    rc = own_page(o, offset / PAGE, true, &p);
    if (!rc)
        memset(p->data + offset % PAGE, 0, part);
    return rc;
}

static int overlay_zero(void *opaque, uint64_t offset, uint64_t len)
{
    struct dev_overlay *o = opaque;
    int rc = inside(o, offset, len) ? 0 : -EINVAL;
    uint64_t part;

    for (; len && !rc; offset += part, len -= part) {
        part = part_of(offset, len);
        rc = zero_part(o, offset, part);
    }
    return rc;
}

static int overlay_flush(void *opaque)
{
    (void)opaque; /* nothing is to outlive us */
    return 0;
}

/* ---- life ---- */

struct dev_overlay *dev_overlay_new(const struct dev_disk *below)
{
    struct dev_overlay *o = xcalloc(1, sizeof *o);

    o->below = *below;
    o->height = 1;
    while (below->size / PAGE >> o->height * SLOT_BITS)
        o->height++;
    o->zeroes = xcalloc(1, sizeof *o->zeroes);
    o->zeroes->shared.refs = 1;
    return o;
}

void dev_overlay_free(struct dev_overlay *o)
{
    if (!o)
        return;
    drop(o->root, o->height);
    drop(&o->zeroes->shared, 0);
    free(o);
}

void dev_overlay_copy(struct dev_overlay *o, const struct dev_overlay *from)
{
    struct shared *old = o->root;

    o->root = share(from->root);
    drop(old, o->height);
}

struct dev_disk dev_overlay_disk(struct dev_overlay *o)
{
    return (struct dev_disk){
        .read = overlay_read,
        .write = overlay_write,
        .flush = overlay_flush,
        .zero = overlay_zero,
        .opaque = o,
        .size = o->below.size,
    };
}
