/*
 * pages.c - what is known about single pages of RAM and ROM: attributes, which
 * bytes were translated, which words a walk read as page-table entries.
 */
#include "mem/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "mem/mem_impl.h"
#include "mem/tlb.h"

#define WORDS (MEM_PAGE_SIZE / 8) /* page-table entries in a page */

/* A page of page tables is forgotten after so many changed words without a walk through it, so
 * that stores to a page that was recycled are fast again. */
#define TABLE_STORES 64
/* When more pages than this must be dropped, everything is. */
#define DROP_PAGES 32

/* A mark on bytes [start, end) of a page. */
struct code_range {
    uint16_t start, end;
};

struct code_page {
    uint64_t chunks; /* bit n: bytes of chunk n (64 bytes) are marked, or were */
    size_t dropped;  /* marks since the chunks were right */
    VEC(struct code_range);
};

/*
 * The words of a page that walks used since what was made of them was dropped last.  Valid while
 * gen is the map's: a flush of all TLBs leaves nothing to be dropped, in any table.
 */
struct table_page {
    uint64_t gen;
    uint64_t used[WORDS / 64], exec[WORDS / 64]; /* exec: code may be fetched through it */
    uint64_t base;                               /* virtual page that word 0 maps */
    unsigned used_count;
    unsigned stores; /* words changed since the last walk */
    bool plain;      /* every used word maps the page at base + 4096 * its index, and that only */
};

static struct region *region_of(struct mem_region *r)
{
    return (struct region *)r;
}

/* Attributes. */

static bool is_marked(uint8_t attr)
{
    return attr & (MEM_ATTR_CODE | MEM_ATTR_TABLE);
}

static void attr_put(struct mem *m, struct mem_region *r, uint64_t page, uint8_t attr)
{
    uint8_t old = r->attr[page];

    r->attr[page] = attr;
    region_of(r)->marked += (uint64_t)is_marked(attr) - is_marked(old);
    if (!old == !attr && !((old ^ attr) & MEM_ATTR_WATCH))
        return; /* no access changes its path */
    for (size_t i = 0; i < m->tlbs.len; i++)
        tlb_attr_changed(m->tlbs.data[i], r, page << MEM_PAGE_BITS);
}

/* The attributes that only the marks of code and tables set and clear. */
#define ATTR_OWN (MEM_ATTR_CODE | MEM_ATTR_TABLE | MEM_ATTR_BELL)

void mem_attr_set(struct mem *m, uint64_t paddr, enum mem_attr a)
{
    struct mem_region *r = mem_find(m, paddr);

    assert(!(a & ATTR_OWN));
    if (r && r->host) {
        uint64_t page = (paddr - r->base) >> MEM_PAGE_BITS;
        attr_put(m, r, page, r->attr[page] | a);
    }
}

void mem_attr_clear(struct mem *m, uint64_t paddr, enum mem_attr a)
{
    struct mem_region *r = mem_find(m, paddr);

    assert(!(a & ATTR_OWN));
    if (r && r->host) {
        uint64_t page = (paddr - r->base) >> MEM_PAGE_BITS;
        attr_put(m, r, page, r->attr[page] & ~a);
    }
}

void mem_clean(struct mem *m)
{
    for (size_t i = 0; i < m->regions.len; i++) {
        struct mem_region *r = m->regions.data[i];
        for (uint64_t p = 0; r->host && p < r->size >> MEM_PAGE_BITS; p++)
            r->attr[p] |= MEM_ATTR_CLEAN;
    }
    for (size_t i = 0; i < m->tlbs.len; i++)
        tlb_attr_all_changed(m->tlbs.data[i]);
}

size_t mem_dirty(const struct mem *m, uint64_t **pages)
{
    struct {
        VEC(uint64_t);
    } list = {0};

    vec_reserve(&list, 1);
    for (size_t i = 0; i < m->regions.len; i++) {
        const struct mem_region *r = m->regions.data[i];
        for (uint64_t p = 0; r->host && p < r->size >> MEM_PAGE_BITS; p++) {
            if (!(r->attr[p] & MEM_ATTR_CLEAN))
                vec_push(&list, r->base + (p << MEM_PAGE_BITS));
        }
    }
    *pages = list.data;
    return list.len;
}

/* Translated code. */

void mem_code_listen(struct mem *m, mem_code_fn *fn, void *opaque)
{
    assert(m->listener_count < MEM_LISTENERS);
    m->listeners[m->listener_count].fn = fn;
    m->listeners[m->listener_count++].opaque = opaque;
}

void mem_code_unlisten(struct mem *m, void *opaque)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < m->listener_count; i++) {
        if (m->listeners[i].opaque != opaque)
            m->listeners[kept++] = m->listeners[i];
    }
    m->listener_count = kept;
}

/* The chunks that bytes [start, end) of a page touch; the range is not empty. */
static uint64_t chunk_mask(unsigned start, unsigned end)
{
    unsigned first = start / 64, last = (end - 1) / 64;
    return bits_mask(last - first + 1) << first;
}

static bool code_overlaps(const struct code_page *c, unsigned start, unsigned end)
{
    if (!c || !(c->chunks & chunk_mask(start, end)))
        return false;
    for (size_t i = 0; i < c->len; i++) {
        if (c->data[i].start < end && start < c->data[i].end)
            return true;
    }
    return false;
}

/* The latest such mark's index; c->len: none. */
static size_t code_range_find(const struct code_page *c, unsigned start, unsigned end)
{
    for (size_t i = c->len; i-- > 0;) {
        if (c->data[i].start == start && c->data[i].end == end)
            return i;
    }
    return c->len;
}

/* Chunks forget late, so that a drop need not look at all marks. */
static void code_chunks_renew(struct code_page *c)
{
    if (++c->dropped < c->len)
        return;
    c->chunks = 0;
    c->dropped = 0;
    for (size_t i = 0; i < c->len; i++)
        c->chunks |= chunk_mask(c->data[i].start, c->data[i].end);
}

static void code_page_add(struct mem *m, struct mem_region *r, uint64_t page, unsigned start,
                          unsigned end)
{
    struct code_page **slot = &region_of(r)->code[page];

    if (!*slot) {
        *slot = xcalloc(1, sizeof **slot);
        attr_put(m, r, page, r->attr[page] | MEM_ATTR_CODE);
    }
    struct code_page *c = *slot;
    vec_push(c, ((struct code_range){(uint16_t)start, (uint16_t)end}));
    c->chunks |= chunk_mask(start, end);
}

static void code_page_drop(struct mem *m, struct mem_region *r, uint64_t page, unsigned start,
                           unsigned end)
{
    struct code_page *c = region_of(r)->code[page];
    size_t i = c ? code_range_find(c, start, end) : 0;

    assert(c && i < c->len); /* what is dropped was added */
    vec_swap_out(c, i);
    if (!c->len) {
        vec_fini(c);
        free(c);
        region_of(r)->code[page] = NULL;
        attr_put(m, r, page, r->attr[page] & ~MEM_ATTR_CODE);
        return;
    }
    code_chunks_renew(c);
}

/* Calls fn for each page's part of [paddr, paddr+len), as bytes [start, end) of that page. */
static void each_page(struct mem *m, uint64_t paddr, uint64_t len,
                      void (*fn)(struct mem *, struct mem_region *, uint64_t page, unsigned start,
                                 unsigned end))
{
    struct piece p;

    while (mem_next_piece(m, &paddr, &len, &p)) {
        while (p.len) {
            unsigned start = p.offset & MEM_PAGE_MASK;
            uint64_t room = MEM_PAGE_SIZE - start, n = p.len < room ? p.len : room;
            fn(m, p.r, p.offset >> MEM_PAGE_BITS, start, start + (unsigned)n);
            p.offset += n;
            p.len -= n;
        }
    }
}

void mem_code_add(struct mem *m, uint64_t paddr, uint64_t len)
{
    each_page(m, paddr, len, code_page_add);
}

void mem_code_drop(struct mem *m, uint64_t paddr, uint64_t len)
{
    each_page(m, paddr, len, code_page_drop);
}

bool mem_code_at(const struct mem *m, uint64_t paddr, uint64_t len)
{
    struct piece p;

    while (mem_next_piece(m, &paddr, &len, &p)) {
        while (p.len) {
            unsigned start = p.offset & MEM_PAGE_MASK;
            uint64_t room = MEM_PAGE_SIZE - start, n = p.len < room ? p.len : room;
            if (code_overlaps(region_of(p.r)->code[p.offset >> MEM_PAGE_BITS], start,
                              start + (unsigned)n))
                return true;
            p.offset += n;
            p.len -= n;
        }
    }
    return false;
}

/* Bytes [start, end) of a page change: whoever holds code of them is told. */
static void code_store(struct mem *m, struct mem_region *r, uint64_t page, unsigned start,
                       unsigned end)
{
    if (!code_overlaps(region_of(r)->code[page], start, end))
        return;
    uint64_t paddr = r->base + (page << MEM_PAGE_BITS) + start;
    for (unsigned i = 0; i < m->listener_count; i++)
        m->listeners[i].fn(m->listeners[i].opaque, paddr, end - start);
}

/* Doorbells. */

void mem_bell_add(struct mem *m, uint64_t paddr, uint64_t len, mem_bell_fn *fn, void *opaque)
{
    struct mem_region *r = mem_find(m, paddr);

    assert(m->bell_count < MEM_BELLS && r && r->kind == MEM_RAM && len &&
           len <= r->size - (paddr - r->base));
    m->bells[m->bell_count].paddr = paddr;
    m->bells[m->bell_count].len = len;
    m->bells[m->bell_count].fn = fn;
    m->bells[m->bell_count++].opaque = opaque;
    for (uint64_t page = (paddr - r->base) >> MEM_PAGE_BITS;
         page <= (paddr - r->base + len - 1) >> MEM_PAGE_BITS; page++)
        attr_put(m, r, page, r->attr[page] | MEM_ATTR_BELL);
}

static bool bell_overlaps(const struct mem *m, unsigned i, uint64_t paddr, uint64_t len)
{
    return paddr < m->bells[i].paddr + m->bells[i].len && m->bells[i].paddr < paddr + len;
}

bool mem_bell_at(const struct mem *m, uint64_t paddr, uint64_t len)
{
    for (unsigned i = 0; i < m->bell_count; i++)
        if (bell_overlaps(m, i, paddr, len))
            return true;
    return false;
}

void mem_bell_ring(struct mem *m, uint64_t paddr, uint64_t len)
{
    for (unsigned i = 0; i < m->bell_count; i++)
        if (bell_overlaps(m, i, paddr, len))
            m->bells[i].fn(m->bells[i].opaque, paddr, len);
}

/* Page tables. */

void mem_tlb_attach(struct mem *m, struct tlb *t)
{
    for (size_t i = 0; i < m->tlbs.len; i++) {
        if (m->tlbs.data[i] == t)
            return;
    }
    vec_push(&m->tlbs, t);
}

void mem_tlb_detach(struct mem *m, struct tlb *t)
{
    for (size_t i = 0; i < m->tlbs.len; i++) {
        if (m->tlbs.data[i] == t) {
            vec_swap_out(&m->tlbs, i);
            return;
        }
    }
}

static bool word_get(const uint64_t *map, unsigned i)
{
    return map[i / 64] >> (i % 64) & 1;
}

static void table_reset(struct mem *m, struct table_page *tp)
{
    memset(tp->used, 0, sizeof tp->used);
    memset(tp->exec, 0, sizeof tp->exec);
    tp->used_count = 0;
    tp->gen = m->table_gen;
}

void mem_table_used(struct mem *m, uint64_t paddr, uint64_t vaddr, unsigned level, bool exec)
{
    struct mem_region *r = mem_find(m, paddr);
    if (!r || !r->host)
        return;

    uint64_t page = (paddr - r->base) >> MEM_PAGE_BITS;
    unsigned i = (paddr & MEM_PAGE_MASK) / 8;
    uint64_t base = (vaddr & ~MEM_PAGE_MASK) - i * MEM_PAGE_SIZE;
    struct table_page **slot = &region_of(r)->table[page];
    if (!*slot) {
        *slot = xcalloc(1, sizeof **slot);
        (*slot)->gen = m->table_gen;
        attr_put(m, r, page, r->attr[page] | MEM_ATTR_TABLE);
    }
    struct table_page *tp = *slot;
    if (tp->gen != m->table_gen)
        table_reset(m, tp);
    if (!tp->used_count) {
        tp->base = base;
        tp->plain = level == 0;
    } else if (level != 0 || tp->base != base) {
        tp->plain = false;
    }
    tp->used_count += !word_get(tp->used, i);
    tp->used[i / 64] |= BIT(i % 64);
    tp->exec[i / 64] |= (uint64_t)exec << (i % 64);
    tp->stores = 0;
}

/* Empties every TLB: then no word of any table has anything made of it. */
static void drop_all(struct mem *m)
{
    for (size_t i = 0; i < m->tlbs.len; i++) {
        m->tlbs.data[i]->count.table_writes++;
        tlb_flush_all(m->tlbs.data[i]);
    }
    m->table_gen++;
}

/* Drops what was made of the used word i of a plain table. */
static void drop_word(struct mem *m, struct table_page *tp, unsigned i)
{
    for (size_t k = 0; k < m->tlbs.len; k++) {
        m->tlbs.data[k]->count.table_writes++;
        tlb_drop_page(m->tlbs.data[k], tp->base + i * MEM_PAGE_SIZE, word_get(tp->exec, i));
    }
    tp->used[i / 64] &= ~BIT(i % 64);
    tp->exec[i / 64] &= ~BIT(i % 64);
    tp->used_count--;
}

/* The word i of a table changes: what was made of it goes. */
static void table_word_changed(struct mem *m, struct table_page *tp, unsigned i)
{
    if (tp->gen != m->table_gen)
        table_reset(m, tp);
    if (!word_get(tp->used, i))
        return;
    if (tp->plain)
        drop_word(m, tp, i);
    else
        drop_all(m);
}

bool mem_moves_code(const struct mem *m, struct mem_region *r, uint64_t offset, uint64_t len)
{
    for (uint64_t at = offset & ~UINT64_C(7); at < offset + len; at += 8) {
        uint64_t page = at >> MEM_PAGE_BITS;
        const struct table_page *tp =
            r->attr[page] & MEM_ATTR_TABLE ? region_of(r)->table[page] : NULL;
        if (tp && tp->gen == m->table_gen && word_get(tp->exec, (at & MEM_PAGE_MASK) / 8))
            return true;
    }
    return false;
}

static void table_forget(struct mem *m, struct mem_region *r, uint64_t page)
{
    struct table_page *tp = region_of(r)->table[page];

    if (tp->gen != m->table_gen)
        table_reset(m, tp);
    if (tp->used_count && (!tp->plain || tp->used_count > DROP_PAGES)) {
        drop_all(m);
    } else if (tp->used_count) {
        for (unsigned i = 0; i < WORDS; i++) {
            if (word_get(tp->used, i))
                drop_word(m, tp, i);
        }
    }
    free(tp);
    region_of(r)->table[page] = NULL;
    attr_put(m, r, page, r->attr[page] & ~MEM_ATTR_TABLE);
}

/* Bytes [start, end) of a page of tables change to `bytes`; NULL: they have changed, to and from
 * no matter what.  An entry that was 0 has nothing made of it whoever the guest is. */
static void table_store(struct mem *m, struct mem_region *r, uint64_t page, unsigned start,
                        unsigned end, const uint8_t *bytes)
{
    struct table_page *tp = region_of(r)->table[page];
    const uint8_t *host = r->host + (page << MEM_PAGE_BITS);

    for (unsigned at = start & ~7u; at < end; at += 8) {
        if (bytes) {
            uint64_t old = bits_load_le(host + at, 8), new = old;
            unsigned lo = at < start ? start : at, hi = at + 8 < end ? at + 8 : end;
            memcpy((char *)&new + (lo - at), bytes + (lo - start), hi - lo);
            if (new == old)
                continue;
            if (old)
                table_word_changed(m, tp, at / 8);
        } else {
            table_word_changed(m, tp, at / 8);
        }
        tp->stores++;
    }
    if (tp->stores >= TABLE_STORES)
        table_forget(m, r, page);
}

/* Stores. */

/* One page's part of a store; bytes as for table_store. */
static void page_store(struct mem *m, struct mem_region *r, uint64_t page, unsigned start,
                       unsigned end, const uint8_t *bytes)
{
    if (r->attr[page] & MEM_ATTR_CODE)
        code_store(m, r, page, start, end);
    if (r->attr[page] & MEM_ATTR_TABLE)
        table_store(m, r, page, start, end, bytes);
    if (r->attr[page] & MEM_ATTR_CLEAN)
        attr_put(m, r, page, r->attr[page] & ~MEM_ATTR_CLEAN);
}

static void region_store(struct mem *m, struct mem_region *r, uint64_t offset, uint64_t len,
                         const uint8_t *bytes)
{
    while (len) {
        unsigned start = offset & MEM_PAGE_MASK;
        uint64_t room = MEM_PAGE_SIZE - start, n = len < room ? len : room;
        if (r->attr[offset >> MEM_PAGE_BITS])
            page_store(m, r, offset >> MEM_PAGE_BITS, start, start + (unsigned)n, bytes);
        offset += n;
        len -= n;
        bytes = bytes ? bytes + n : NULL;
    }
}

void mem_will_write(struct mem *m, struct mem_region *r, uint64_t offset, uint64_t len,
                    const void *bytes)
{
    region_store(m, r, offset, len, bytes);
}

void mem_wrote(struct mem *m, uint64_t paddr, uint64_t len)
{
    struct piece p;

    while (mem_next_piece(m, &paddr, &len, &p))
        region_store(m, p.r, p.offset, p.len, NULL);
}

bool mem_table_update(struct mem *m, uint64_t paddr, unsigned size, uint64_t value)
{
    struct mem_region *r = mem_find(m, paddr);
    if (!r || r->kind != MEM_RAM || paddr & (size - 1))
        return false;

    uint64_t offset = paddr - r->base, page = offset >> MEM_PAGE_BITS;
    unsigned start = offset & MEM_PAGE_MASK;
    if (r->attr[page] & MEM_ATTR_CODE)
        code_store(m, r, page, start, start + size);
    if (r->attr[page] & MEM_ATTR_CLEAN)
        attr_put(m, r, page, r->attr[page] & ~MEM_ATTR_CLEAN);
    bits_store_le(r->host + offset, size, value);
    return true;
}

void mem_pages_forget(struct mem *m, struct mem_region *r)
{
    for (uint64_t p = 0; region_of(r)->marked && p < r->size >> MEM_PAGE_BITS; p++) {
        if (is_marked(r->attr[p]))
            page_store(m, r, p, 0, MEM_PAGE_SIZE, NULL);
    }
    for (size_t i = 0; i < m->tlbs.len; i++)
        tlb_drop_region(m->tlbs.data[i], r);
}

void mem_pages_free(struct region *r)
{
    for (uint64_t p = 0; p < r->pub.size >> MEM_PAGE_BITS; p++) {
        if (r->pub.attr[p] & MEM_ATTR_CODE) {
            vec_fini(r->code[p]);
            free(r->code[p]);
            r->code[p] = NULL;
        }
        if (r->pub.attr[p] & MEM_ATTR_TABLE) {
            free(r->table[p]);
            r->table[p] = NULL;
        }
    }
}
