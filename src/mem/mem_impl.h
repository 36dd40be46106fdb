/*
 * mem_impl.h - what mem.c and pages.c share; nobody else includes it.
 *
 * mem.c holds the map and the accesses, pages.c what is known about single
 * pages: attributes, translated code, page tables.
 */
#ifndef MEM_MEM_IMPL_H
#define MEM_MEM_IMPL_H

#include "base/vec.h"
#include "mem/mem.h"

#define MEM_LISTENERS 4
#define MEM_BELLS     4

struct code_page;  /* marks of translated code in one page */
struct table_page; /* what was made of one page of page tables */

/* What has memory has both arrays: one pointer a page, NULL for most, in memory that the host
 * provides when it is touched. */
struct region {
    struct mem_region pub; /* first: a struct mem_region of the map is one of these */
    struct code_page **code;
    struct table_page **table;
    uint64_t marked; /* pages that have either */
};

struct mem {
    struct {
        VEC(struct mem_region *);
    } regions;   /* sorted by base */
    size_t last; /* the region that mem_find found last */
    struct {
        mem_code_fn *fn;
        void *opaque;
    } listeners[MEM_LISTENERS];
    unsigned listener_count;
    struct {
        uint64_t paddr, len;
        mem_bell_fn *fn;
        void *opaque;
    } bells[MEM_BELLS];
    unsigned bell_count;
    struct {
        VEC(struct tlb *);
    } tlbs;
    mem_dma_fn *dma; /* see mem_dma_listen */
    void *dma_opaque;
    uint64_t table_gen; /* advances when every TLB was flushed: see struct table_page */
};

/* A part of one region that has memory. */
struct piece {
    struct mem_region *r;
    uint64_t offset, len;
};

/* Takes the first piece of memory off [*paddr, *paddr + *len), with what lies before it.
 * False: there is none.  The range ends at the end of the address space. */
bool mem_next_piece(const struct mem *m, uint64_t *paddr, uint64_t *len, struct piece *p);

/* A region's memory is out of reach: what was translated there or made of tables there goes, and TLBs
 * hold no way to it. */
void mem_pages_forget(struct mem *m, struct mem_region *r);

/* Frees what pages.c knows about a region's pages. */
void mem_pages_free(struct region *r);

#endif
