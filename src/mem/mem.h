/*
 * mem.h - the physical address space of a machine: RAM, ROM and devices.
 *
 * Regions are added while the machine is built and never overlap.  RAM is host
 * memory, reserved lazily, with one byte of attributes a page.  All calls are
 * the machine thread's.  Addresses and lengths from a guest or client may be
 * anything, wrap-around included.
 */
#ifndef MEM_MEM_H
#define MEM_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MEM_PAGE_BITS 12
#define MEM_PAGE_SIZE (UINT64_C(1) << MEM_PAGE_BITS)
#define MEM_PAGE_MASK (MEM_PAGE_SIZE - 1)

struct tlb;
struct mem;

/* Why a store to a page of RAM must take the slow path; bits of mem_region.attr. */
enum mem_attr {
    MEM_ATTR_CODE = 1,  /* holds translated code */
    MEM_ATTR_TABLE = 2, /* holds page-table entries that a TLB remembers */
    MEM_ATTR_CLEAN = 4, /* not written since the last mem_clean */
    MEM_ATTR_WATCH = 8, /* a debugger watches bytes of it: loads are slow too */
    MEM_ATTR_BELL = 16, /* holds doorbells */
};

/* A device's side of the bus.  `offset` is from the region's base and inside it, aligned
 * to `size`; size (bytes) is one that `sizes` allows.  False: the access faults. */
struct mem_ops {
    bool (*read)(void *opaque, uint64_t offset, unsigned size, uint64_t *value);
    bool (*write)(void *opaque, uint64_t offset, unsigned size, uint64_t value);
    uint8_t sizes; /* allowed sizes or-ed: 1 | 2 | 4 | 8; others fault */
};

enum mem_kind { MEM_RAM, MEM_ROM, MEM_DEVICE };

/* Exposed: the CPU's slow path and the walkers read it.  Flash is both: ROM whose stores its device
 * serves, or, while that hides it, MEM_DEVICE. */
struct mem_region {
    const char *name;
    uint64_t base, size;
    enum mem_kind kind; /* who serves CPUs now */
    uint8_t *host; /* RAM, ROM and flash: size bytes */
    uint8_t *attr; /* of these: enum mem_attr, a byte a page */
    uint8_t blank; /* what each of these bytes is at first */
    const struct mem_ops *ops; /* devices and flash */
    void *opaque;
    uint64_t reads, writes;    /* of these: accesses by CPUs that the device saw */
};

/* Whether a CPU's access goes to the region's own memory. */
static inline bool mem_direct(const struct mem_region *r, bool store)
{
    return r->kind == MEM_RAM || (r->kind == MEM_ROM && !store);
}

/* Told when bytes that hold translated code were changed, before they are. */
typedef void mem_code_fn(void *opaque, uint64_t paddr, uint64_t len);

struct mem *mem_new(void);
void mem_free(struct mem *m);

/* 0, or -EINVAL/-EEXIST/-ENOMEM with a message naming the region.  Base and size are
 * multiples of the page size.  RAM reads as zero; ROM starts as zero and is filled by mem_poke.
 * The name is copied; ops and opaque stay the caller's and outlive m. */
int mem_add_ram(struct mem *m, const char *name, uint64_t base, uint64_t size, struct err *e);
int mem_add_rom(struct mem *m, const char *name, uint64_t base, uint64_t size, struct err *e);
int mem_add_device(struct mem *m, const char *name, uint64_t base, uint64_t size,
                   const struct mem_ops *ops, void *opaque, struct err *e);
/* Flash: 0xff at first, and changed by mem_poke, which its device does on a store that is a command. */
int mem_add_flash(struct mem *m, const char *name, uint64_t base, uint64_t size,
                  const struct mem_ops *ops, void *opaque, struct err *e);
/* All of the flash at base gives its device's answers instead of its bytes from now on, or again its
 * bytes.  No code runs from it meanwhile, and what was translated or walked there is forgotten. */
void mem_flash_hide(struct mem *m, uint64_t base, bool hide);

/* The region that holds paddr, or NULL. */
struct mem_region *mem_find(const struct mem *m, uint64_t paddr);
/* All of them, sorted by base. */
size_t mem_regions(const struct mem *m, struct mem_region *const **regions);

/* Host memory of [paddr, paddr+len) if that is all in one RAM (or, for reading, ROM) region, else NULL.
 * For loaders and devices' descriptors; a write through it must be followed by mem_wrote. */
void *mem_host(const struct mem *m, uint64_t paddr, uint64_t len, bool write);
/* The whole pages in [paddr, paddr+len) that are RAM read as 0 from now on, and the host has their
 * memory back until they are written. */
void mem_release(struct mem *m, uint64_t paddr, uint64_t len);
/* Announces that RAM was changed through a host pointer or by a CPU's slow path: drops
 * translated code that overlaps, TLB entries made from page tables there, CLEAN marks. */
void mem_wrote(struct mem *m, uint64_t paddr, uint64_t len);
/* The same, before the write, with the new bytes at hand: page tables are compared entry by
 * entry (8 bytes), so that filling in entries that were 0 costs no flush. */
void mem_will_write(struct mem *m, struct mem_region *r, uint64_t offset, uint64_t len,
                    const void *bytes);

/* One access as a CPU makes it, side effects included.  size 1, 2, 4 or 8, naturally
 * aligned; little-endian.  False: nothing there, ROM written, or the device refuses. */
bool mem_read(struct mem *m, uint64_t paddr, unsigned size, uint64_t *value);
bool mem_write(struct mem *m, uint64_t paddr, unsigned size, uint64_t value);

/* Blocks, for devices (DMA) and loaders: all or nothing, across regions that adjoin.  Reads take
 * RAM and ROM, writes RAM only; devices are refused.  0 or -EFAULT. */
int mem_dma_read(struct mem *m, uint64_t paddr, void *buf, uint64_t len);
int mem_dma_write(struct mem *m, uint64_t paddr, const void *buf, uint64_t len);
/* Told of each mem_dma_write before it is made, with the new bytes; NULL: nobody is. */
typedef void mem_dma_fn(void *opaque, uint64_t paddr, const void *bytes, uint64_t len);
void mem_dma_listen(struct mem *m, mem_dma_fn *fn, void *opaque);
/* As a debugger: never a side effect; ROM and flash, hidden or not, may be written.  Returns the
 * bytes done, which stop short at the first address that has no memory. */
uint64_t mem_peek(struct mem *m, uint64_t paddr, void *buf, uint64_t len);
uint64_t mem_poke(struct mem *m, uint64_t paddr, const void *buf, uint64_t len);

/* MEM_ATTR_CLEAN and MEM_ATTR_WATCH of the page at paddr (the others follow the marks below).
 * Every TLB learns at once which accesses are slow now. */
void mem_attr_set(struct mem *m, uint64_t paddr, enum mem_attr a);
void mem_attr_clear(struct mem *m, uint64_t paddr, enum mem_attr a);

/* Who translated code must be told to.  At most 4; opaque identifies for removal. */
void mem_code_listen(struct mem *m, mem_code_fn *fn, void *opaque);
void mem_code_unlisten(struct mem *m, void *opaque);
/* Marks [paddr, paddr+len) as translated: a store to exactly these bytes calls the listeners, each
 * of which afterwards calls mem_code_drop for what it no longer holds.  Counted: marks nest. */
void mem_code_add(struct mem *m, uint64_t paddr, uint64_t len);
void mem_code_drop(struct mem *m, uint64_t paddr, uint64_t len);
/* Whether a store there would hit translated bytes. */
bool mem_code_at(const struct mem *m, uint64_t paddr, uint64_t len);

/* A CPU's store made [paddr, paddr+len), all in one page, what it is now. */
typedef void mem_bell_fn(void *opaque, uint64_t paddr, uint64_t len);
/* A doorbell: memory like any other, but a CPU's store to any of its bytes calls fn, and is made
 * where the count is exact.  Writes of devices, loaders and debuggers do not ring.  In RAM; at most 4,
 * for good. */
void mem_bell_add(struct mem *m, uint64_t paddr, uint64_t len, mem_bell_fn *fn, void *opaque);
/* Whether a store there would ring; and doing so, after the store. */
bool mem_bell_at(const struct mem *m, uint64_t paddr, uint64_t len);
void mem_bell_ring(struct mem *m, uint64_t paddr, uint64_t len);

/* TLBs to be told of attributes and page-table writes; tlb_init and tlb_fini do this (attaching
 * twice is once). */
void mem_tlb_attach(struct mem *m, struct tlb *t);
void mem_tlb_detach(struct mem *m, struct tlb *t);
/* A walk used the entry at paddr (8 bytes or fewer) at `level` (0: leaf level) of a table whose
 * entry covers the virtual page at vaddr: stores to it must drop what the TLBs made of it.  To be
 * called for every level of a walk whose result goes to tlb_fill.  exec: that result allows
 * TLB_EXEC, whatever access the walk was for. */
void mem_table_used(struct mem *m, uint64_t paddr, uint64_t vaddr, unsigned level, bool exec);
/* Whether a store to [offset, offset + len) of RAM may take away a translation that code is fetched
 * through (exec_epoch would advance): such a store is made where the run loop looks right after. */
bool mem_moves_code(const struct mem *m, struct mem_region *r, uint64_t offset, uint64_t len);
/* The walker's own store to an entry, of bits that change no translation (accessed, dirty): no TLB
 * forgets anything, all else is as for any store.  Naturally aligned.  False: that is not RAM. */
bool mem_table_update(struct mem *m, uint64_t paddr, unsigned size, uint64_t value);

/* Dirty tracking.  mem_clean marks every page clean; the pages written since are listed by
 * mem_dirty (physical page addresses, ascending, in an array the caller frees). */
void mem_clean(struct mem *m);
size_t mem_dirty(const struct mem *m, uint64_t **pages);

#endif
