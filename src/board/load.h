/*
 * load.h - images: what a file is, where it goes, and putting it there.
 *
 * A file is read and checked once; loading it is copying, so that a reboot gives
 * the same bytes.  Every error is one line that names the file.
 */
#ifndef BOARD_LOAD_H
#define BOARD_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "mem/mem.h"

/* Memory that an image takes: `len` bytes of data, then zeroes up to mem_len. */
struct load_seg {
    uint64_t addr, mem_len;
    const uint8_t *data;
    uint64_t len;
};

struct load_image {
    const char *role, *path; /* "kernel"; both the caller's.  No path: made, not read */
    void *data;              /* owned */
    size_t len;
    uint64_t entry;
    struct load_segs {
        VEC(struct load_seg);
    } segs;
};

struct load_place {
    uint64_t ram_base, ram_size;
    uint64_t raw_addr;  /* where a file of no known kind goes; UINT64_MAX: nowhere */
    bool always_raw;    /* what is no ELF file is raw: firmware */
};

/* A program: ELF for riscv64 (by physical addresses), a Linux Image (at the start of RAM plus its
 * text_offset), gzip of either, or raw. */
int load_program(struct load_image *im, const char *role, const char *path,
                 const struct load_place *place, struct err *e);
/* A file as it is; load_at places it. */
int load_file(struct load_image *im, const char *role, const char *path, uint64_t max,
              struct err *e);
void load_at(struct load_image *im, uint64_t addr);
void load_fini(struct load_image *im);

/* An ELF file that is looked into and goes nowhere: it has no segments. */
int load_elf(struct load_image *im, const char *role, const char *path, uint64_t max,
             struct err *e);

struct load_sym {
    const char *name;
    uint64_t value, size; /* as the file has them: a virtual address; size 0: not known */
    uint64_t end;         /* of its section; 0: it is in none that is in the file */
    bool code;            /* of a function, or a label in a section of code */
};
/* Returns whether to go on. */
typedef bool load_sym_fn(void *opaque, const struct load_sym *k);
/* Each defined symbol that has a name, of an ELF file; any other has none. */
void load_symbols(const struct load_image *im, load_sym_fn *fn, void *opaque);
/* Where a symbol of an ELF program lies in memory; false: it has none of that name. */
bool load_symbol(const struct load_image *im, const char *name, uint64_t *paddr);

/* Refuses images that overlap or leave RAM; those without segments are left out. */
int load_check(struct load_image *const *images, size_t n, const struct load_place *place,
               struct err *e);
/* Copies the data into memory that is zero where the image says so. */
void load_put(const struct load_image *im, struct mem *m);

#endif
