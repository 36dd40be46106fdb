/*
 * rig.h - what the tests of src/mem share: a small map and random numbers.
 */
#ifndef TESTS_UNIT_MEM_RIG_H
#define TESTS_UNIT_MEM_RIG_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "mem/mem.h"
#include "mem/tlb.h"

#include "../unit.h"

#define RAM_BASE  UINT64_C(0x80000000)
#define RAM_PAGES 64
#define ROM_BASE  UINT64_C(0x1000)

/* RAM_PAGES of RAM at RAM_BASE and one page of ROM at ROM_BASE. */
static inline struct mem *test_mem_new(void)
{
    struct mem *m = mem_new();
    ck_assert_int_eq(mem_add_rom(m, "rom", ROM_BASE, MEM_PAGE_SIZE, NULL), 0);
    ck_assert_int_eq(mem_add_ram(m, "ram", RAM_BASE, RAM_PAGES * MEM_PAGE_SIZE, NULL), 0);
    return m;
}

/* The physical address of RAM's page n. */
static inline uint64_t test_page(unsigned n)
{
    return RAM_BASE + n * MEM_PAGE_SIZE;
}

static inline unsigned test_attr(struct mem *m, uint64_t paddr)
{
    struct mem_region *r = mem_find(m, paddr);
    return r->attr[(paddr - r->base) >> MEM_PAGE_BITS];
}

struct test_rng {
    uint64_t state;
};

/* A number below n. */
static inline uint64_t test_rand(struct test_rng *r, uint64_t n)
{
    r->state += UINT64_C(0x9e3779b97f4a7c15);
    return bits_mix(r->state) % n;
}

/* The seed of a random test: SEED from the environment or 1; printed either way. */
static inline uint64_t test_seed(const char *what)
{
    const char *text = getenv("SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : 1;
    printf("# %s: SEED=%" PRIu64 "\n", what, seed);
    fflush(stdout);
    return seed;
}

#endif
