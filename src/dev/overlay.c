/* overlay.c - see overlay.h. */
#include "dev/overlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"

#define PAGE  UINT64_C(4096)
#define SLOTS 512 /* pages of a leaf */

/* Both are shared between overlays, and written only by the one that has the only reference. */
struct page {
    unsigned refs;
    uint8_t data[PAGE];
};

struct leaf {
    unsigned refs;
    struct page *page[SLOTS]; /* NULL: as below */
};

struct dev_overlay {
    struct dev_disk below;
    uint64_t nleaves;
    struct leaf **leaf; /* NULL: all as below */
    struct page *zeroes;
};

/* ---- sharing ---- */

static void page_drop(struct page *p)
{
    if (p && !--p->refs)
        free(p);
}

static void leaf_drop(struct leaf *l)
{
    if (!l || --l->refs)
        return;
    for (unsigned i = 0; i < SLOTS; i++)
        page_drop(l->page[i]);
    free(l);
}

/* The leaf at *at, made ours alone. */
static struct leaf *own_leaf(struct leaf **at)
{
    struct leaf *old = *at, *l;

    if (old && old->refs == 1)
        return old;
    l = xcalloc(1, sizeof *l);
    l->refs = 1;
    for (unsigned i = 0; old && i < SLOTS; i++) {
        l->page[i] = old->page[i];
        if (l->page[i])
            l->page[i]->refs++;
    }
    leaf_drop(old);
    return *at = l;
}

/* ---- bytes ---- */

static const struct page *find(const struct dev_overlay *o, uint64_t n)
{
    const struct leaf *l = o->leaf[n / SLOTS];

    return l ? l->page[n % SLOTS] : NULL;
}

/* The disk's n-th page, ours alone to be written.  Its old bytes are there if `keep`. */
static int own_page(struct dev_overlay *o, uint64_t n, bool keep, struct page **page)
{
    struct page **at = &own_leaf(&o->leaf[n / SLOTS])->page[n % SLOTS], *old = *at, *p;
    uint64_t rest = o->below.size - n * PAGE;
    int rc = 0;

    *page = old;
    if (old && old->refs == 1)
        return 0;
    p = xcalloc(1, sizeof *p);
    p->refs = 1;
    if (keep && old)
        memcpy(p->data, old->data, PAGE);
    else if (keep)
        rc = o->below.read(o->below.opaque, n * PAGE, p->data, rest < PAGE ? rest : PAGE);
    if (rc) {
        free(p);
        return rc;
    }
    page_drop(old);
    *page = *at = p;
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

/* Whole pages cost no more than their place in a leaf. */
static int zero_part(struct dev_overlay *o, uint64_t offset, uint64_t part)
{
    struct page *p, **slot;
    int rc = 0;

    if (part == PAGE) {
        slot = &own_leaf(&o->leaf[offset / PAGE / SLOTS])->page[offset / PAGE % SLOTS];
        page_drop(*slot);
        *slot = o->zeroes;
        o->zeroes->refs++;
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
    o->nleaves = below->size / (PAGE * SLOTS) + 1;
    o->leaf = xcalloc(o->nleaves, sizeof(struct leaf *));
    o->zeroes = xcalloc(1, sizeof *o->zeroes);
    o->zeroes->refs = 1;
    return o;
}

static void forget(struct dev_overlay *o)
{
    for (uint64_t i = 0; i < o->nleaves; i++)
        leaf_drop(o->leaf[i]);
}

void dev_overlay_free(struct dev_overlay *o)
{
    if (!o)
        return;
    forget(o);
    page_drop(o->zeroes);
    free(o->leaf);
    free(o);
}

void dev_overlay_copy(struct dev_overlay *o, const struct dev_overlay *from)
{
    if (o == from)
        return;
    for (uint64_t i = 0; i < o->nleaves; i++)
        if (from->leaf[i])
            from->leaf[i]->refs++;
    forget(o);
    memcpy(o->leaf, from->leaf, o->nleaves * sizeof(struct leaf *));
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
