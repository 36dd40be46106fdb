/* point.c - see point.h. */
#include "machine/point.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem_alloc.h"
#include "machine/machine_impl.h"
#include "snap/snap.h"

/* A region of RAM or flash: of each page its hash, and its bytes if that is not 0. */
struct point_ram {
    uint64_t base, npages;
    uint64_t *hashes;
    uint8_t **bytes;
};

struct machine_point {
    struct arena arena; /* what lies behind pointers */
    struct point_ram *ram;
    size_t nram;
    struct buf state; /* all but these */
    uint64_t hash;
};

static void keep_ram(struct machine_point *p, const struct page_hashes *h, struct point_ram *ram)
{
    const struct mem_region *r = h->region;

    ram->base = r->base;
    ram->npages = r->size >> MEM_PAGE_BITS;
    ram->hashes = arena_array(&p->arena, uint64_t, ram->npages);
    ram->bytes = arena_array(&p->arena, uint8_t *, ram->npages);
    memcpy(ram->hashes, h->pages, ram->npages * sizeof *ram->hashes);
    for (uint64_t i = 0; i < ram->npages; i++) {
        if (!h->pages[i])
            continue;
        ram->bytes[i] = arena_alloc(&p->arena, MEM_PAGE_SIZE);
        memcpy(ram->bytes[i], r->host + (i << MEM_PAGE_BITS), MEM_PAGE_SIZE);
    }
}

struct machine_point *machine_point_new(struct machine *m)
{
    struct machine_point *p = xcalloc(1, sizeof *p);
    struct snap s;

    p->hash = machine_hash(m);
    arena_init(&p->arena);
    p->nram = m->nhashes;
    p->ram = arena_array(&p->arena, struct point_ram, p->nram);
    for (size_t i = 0; i < p->nram; i++)
        keep_ram(p, &m->hashes[i], &p->ram[i]);
    buf_init(&p->state);
    snap_open_save(&s, &p->state);
    machine_state(m, &s);
    snap_close(&s, NULL);
    return p;
}

void machine_point_free(struct machine_point *p)
{
    if (!p)
        return;
    arena_fini(&p->arena);
    buf_fini(&p->state);
    free(p);
}

/* The pages that differ are written. */
static void load_ram(const struct point_ram *ram, struct machine *m, const struct page_hashes *h)
{
    uint8_t blank[MEM_PAGE_SIZE];

    memset(blank, h->region->blank, sizeof blank);
    for (uint64_t i = 0; i < ram->npages; i++)
        if (h->pages[i] != ram->hashes[i])
            mem_poke(m->mem, ram->base + (i << MEM_PAGE_BITS),
                     ram->hashes[i] ? ram->bytes[i] : blank, MEM_PAGE_SIZE);
}

int machine_point_load(const struct machine_point *p, struct machine *m, struct err *e)
{
    struct snap s;
    int rc;

    machine_hash(m);
    for (size_t i = 0; i < p->nram; i++)
        if (m->nhashes != p->nram || m->hashes[i].region->base != p->ram[i].base ||
            m->hashes[i].region->size >> MEM_PAGE_BITS != p->ram[i].npages)
            return err_set(e, EINVAL, "the state is of a machine with other memory");
    for (size_t i = 0; i < p->nram; i++)
        load_ram(&p->ram[i], m, &m->hashes[i]);
    snap_open_load(&s, p->state.data, p->state.len);
    machine_state(m, &s);
    rc = snap_close(&s, e);
    m->accel->ops->flush(m->accel);
    if (!rc && machine_hash(m) != p->hash)
        rc = err_set(e, EIO, "the machine has state that is not saved");
    return rc;
}
