/* mem.c - the physical map, accesses and block transfers. */
#include "mem/mem.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "mem/mem_impl.h"

/* More than this much RAM in one region is taken for a mistake: a host would grant the addresses
 * and then fail to hold the contents. */
#define RAM_MAX (UINT64_C(1) << 44)

/* From here on huge pages pay. */
#define RAM_BIG (UINT64_C(16) << 20)

/* So much of erased flash is there once, however much there is of it. */
#define ERASED_CHUNK (UINT64_C(1) << 20)
#define ERASED       0xff

struct mem *mem_new(void)
{
    return xcalloc(1, sizeof(struct mem));
}

static uint64_t pages_of(const struct mem_region *r)
{
    return r->size >> MEM_PAGE_BITS;
}

/* Zeroed memory that the host provides page by page as it is touched; NULL: there is none. */
static void *lazy_alloc(uint64_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static bool fill_erased(int fd)
{
    uint8_t bytes[16 * MEM_PAGE_SIZE];
    uint64_t at = 0;

    memset(bytes, ERASED, sizeof bytes);
    while (at < ERASED_CHUNK && pwrite(fd, bytes, sizeof bytes, (off_t)at) == (ssize_t)sizeof bytes)
        at += sizeof bytes;
    return at == ERASED_CHUNK;
}

/* The same, but of erased bytes: a page is the region's own from when it is written. */
static void *erased_alloc(uint64_t size)
{
    int fd = memfd_create("erased", MFD_CLOEXEC);
    uint8_t *p = fd >= 0 && fill_erased(fd) ? lazy_alloc(size) : NULL;
    uint64_t part;

    for (uint64_t at = 0; p && at < size; at += part) {
        part = size - at < ERASED_CHUNK ? size - at : ERASED_CHUNK;
        if (mmap(p + at, part, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd,
                 0) == MAP_FAILED) {
            munmap(p, size);
            p = NULL;
        }
    }
    if (fd >= 0)
        close(fd);
    return p;
}

static void lazy_free(void *p, uint64_t size)
{
    if (p)
        munmap(p, size);
}

static void region_free(struct region *reg)
{
    struct mem_region *r = &reg->pub;

    if (reg->code && reg->table)
        mem_pages_free(reg);
    lazy_free(r->host, r->size);
    lazy_free(r->attr, pages_of(r));
    lazy_free(reg->code, pages_of(r) * sizeof *reg->code);
    lazy_free(reg->table, pages_of(r) * sizeof *reg->table);
    free((char *)r->name);
    free(reg);
}

void mem_free(struct mem *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->regions.len; i++)
        region_free((struct region *)m->regions.data[i]);
    vec_fini(&m->regions);
    vec_fini(&m->tlbs);
    free(m);
}

/* The index of the first region that ends behind paddr; regions.len if there is none. */
static size_t region_from(const struct mem *m, uint64_t paddr)
{
    size_t lo = 0, hi = m->regions.len;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        const struct mem_region *r = m->regions.data[mid];
        if (r->base + (r->size - 1) < paddr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct mem_region *mem_find(const struct mem *m, uint64_t paddr)
{
    size_t i = m->last;

    if (i < m->regions.len && paddr - m->regions.data[i]->base < m->regions.data[i]->size)
        return m->regions.data[i];
    i = region_from(m, paddr);
    if (i == m->regions.len || paddr < m->regions.data[i]->base)
        return NULL;
    ((struct mem *)m)->last = i; /* a hint: every value is right */
    return m->regions.data[i];
}

size_t mem_regions(const struct mem *m, struct mem_region *const **regions)
{
    *regions = m->regions.data;
    return m->regions.len;
}

static int check_place(const struct mem *m, const char *name, uint64_t base, uint64_t size,
                       struct err *e)
{
    if (!size || (base | size) & MEM_PAGE_MASK)
        return err_set(e, EINVAL,
                       "memory region %s: base 0x%" PRIx64 " and size 0x%" PRIx64
                       " must be multiples of 0x1000, the size not 0",
                       name, base, size);
    if (size - 1 > UINT64_MAX - base)
        return err_set(e, EINVAL,
                       "memory region %s: 0x%" PRIx64 " bytes at 0x%" PRIx64
                       " reach beyond the address space",
                       name, size, base);

    size_t i = region_from(m, base);
    if (i < m->regions.len && m->regions.data[i]->base <= base + (size - 1)) {
        const struct mem_region *r = m->regions.data[i];
        return err_set(e, EEXIST,
                       "memory region %s at 0x%" PRIx64 "-0x%" PRIx64 " overlaps %s at 0x%" PRIx64
                       "-0x%" PRIx64,
                       name, base, base + (size - 1), r->name, r->base, r->base + (r->size - 1));
    }
    return 0;
}

static void insert(struct mem *m, struct mem_region *r)
{
    size_t at = region_from(m, r->base);

    vec_push(&m->regions, r);
    memmove(m->regions.data + at + 1, m->regions.data + at,
            (m->regions.len - 1 - at) * sizeof *m->regions.data);
    m->regions.data[at] = r;
}

static struct region *region_new(const char *name, uint64_t base, uint64_t size, enum mem_kind kind)
{
    struct region *reg = xcalloc(1, sizeof *reg);

    reg->pub.name = xstrdup(name);
    reg->pub.base = base;
    reg->pub.size = size;
    reg->pub.kind = kind;
    return reg;
}

static int add_host(struct mem *m, const char *name, uint64_t base, uint64_t size,
                    enum mem_kind kind, uint8_t blank, struct err *e)
{
    int rc = check_place(m, name, base, size, e);
    if (rc)
        return rc;
    if (size > RAM_MAX)
        return err_set(e, ENOMEM,
                       "memory region %s: 0x%" PRIx64 " bytes are more than the 0x%" PRIx64
                       " that one region can have",
                       name, size, RAM_MAX);

    struct region *reg = region_new(name, base, size, kind);
    struct mem_region *r = &reg->pub;
    r->blank = blank;
    r->host = blank ? erased_alloc(size) : lazy_alloc(size);
    r->attr = lazy_alloc(pages_of(r));
    reg->code = lazy_alloc(pages_of(r) * sizeof *reg->code);
    reg->table = lazy_alloc(pages_of(r) * sizeof *reg->table);
    if (!r->host || !r->attr || !reg->code || !reg->table) {
        region_free(reg);
        return err_set(e, ENOMEM,
                       "memory region %s: the host does not give 0x%" PRIx64 " bytes (%" PRIu64
                       " MiB)",
                       name, size, size >> 20);
    }
    if (size >= RAM_BIG && !blank)
        madvise(r->host, size, MADV_HUGEPAGE); /* where the host has none, it works without */
    insert(m, r);
    return 0;
}

int mem_add_ram(struct mem *m, const char *name, uint64_t base, uint64_t size, struct err *e)
{
    return add_host(m, name, base, size, MEM_RAM, 0, e);
}

void mem_release(struct mem *m, uint64_t paddr, uint64_t len)
{
    struct piece p;

    while (mem_next_piece(m, &paddr, &len, &p)) {
        uint64_t from = bits_align_up(p.offset, MEM_PAGE_SIZE);
        uint64_t to = (p.offset + p.len) & ~MEM_PAGE_MASK;

        if (p.r->kind != MEM_RAM || from >= to)
            continue;
        mem_will_write(m, p.r, from, to - from, NULL);
        if (madvise(p.r->host + from, to - from, MADV_DONTNEED))
            memset(p.r->host + from, 0, to - from);
    }
}

int mem_add_rom(struct mem *m, const char *name, uint64_t base, uint64_t size, struct err *e)
{
    return add_host(m, name, base, size, MEM_ROM, 0, e);
}

int mem_add_flash(struct mem *m, const char *name, uint64_t base, uint64_t size,
                  const struct mem_ops *ops, void *opaque, struct err *e)
{
    int rc = add_host(m, name, base, size, MEM_ROM, ERASED, e);
    if (rc)
        return rc;

    struct mem_region *r = mem_find(m, base);
    r->ops = ops;
    r->opaque = opaque;
    return 0;
}

void mem_flash_hide(struct mem *m, uint64_t base, bool hide)
{
    struct mem_region *r = mem_find(m, base);

    assert(r && r->host && r->ops);
    if (hide && r->kind == MEM_ROM)
        mem_pages_forget(m, r);
    r->kind = hide ? MEM_DEVICE : MEM_ROM;
}

int mem_add_device(struct mem *m, const char *name, uint64_t base, uint64_t size,
                   const struct mem_ops *ops, void *opaque, struct err *e)
{
    int rc = check_place(m, name, base, size, e);
    if (rc)
        return rc;

    struct region *reg = region_new(name, base, size, MEM_DEVICE);
    reg->pub.ops = ops;
    reg->pub.opaque = opaque;
    insert(m, &reg->pub);
    return 0;
}

bool mem_next_piece(const struct mem *m, uint64_t *paddr, uint64_t *len, struct piece *p)
{
    while (*len) {
        size_t i = region_from(m, *paddr);
        if (i == m->regions.len)
            break;
        struct mem_region *r = m->regions.data[i];
        if (r->base > *paddr) {
            uint64_t gap = r->base - *paddr;
            if (gap >= *len)
                break;
            *paddr += gap;
            *len -= gap;
        }
        p->r = r;
        p->offset = *paddr - r->base;
        p->len = *len < r->size - p->offset ? *len : r->size - p->offset;
        *paddr += p->len;
        *len = *paddr ? *len - p->len : 0;
        if (r->host)
            return true;
    }
    *len = 0;
    return false;
}

void *mem_host(const struct mem *m, uint64_t paddr, uint64_t len, bool write)
{
    struct mem_region *r = mem_find(m, paddr);

    if (!r || !mem_direct(r, write))
        return NULL;
    return len <= r->size - (paddr - r->base) ? r->host + (paddr - r->base) : NULL;
}

static bool natural(uint64_t paddr, unsigned size)
{
    return size <= 8 && bits_pow2(size) && !(paddr & (size - 1));
}

bool mem_read(struct mem *m, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct mem_region *r = mem_find(m, paddr);

    if (!r || !natural(paddr, size))
        return false;
    uint64_t offset = paddr - r->base;
    if (mem_direct(r, false)) {
        *value = bits_load_le(r->host + offset, size);
        return true;
    }
    r->reads++;
    uint64_t v = 0;
    if (!(r->ops->sizes & size) || !r->ops->read || !r->ops->read(r->opaque, offset, size, &v))
        return false;
    *value = v & bits_mask(8 * size);
    return true;
}

bool mem_write(struct mem *m, uint64_t paddr, unsigned size, uint64_t value)
{
    struct mem_region *r = mem_find(m, paddr);

    if (!r || !natural(paddr, size))
        return false;
    uint64_t offset = paddr - r->base;
    if (r->kind == MEM_RAM) {
        if (r->attr[offset >> MEM_PAGE_BITS])
            mem_will_write(m, r, offset, size, &value);
        bits_store_le(r->host + offset, size, value);
        return true;
    }
    if (!r->ops)
        return false;
    r->writes++;
    return (r->ops->sizes & size) && r->ops->write &&
           r->ops->write(r->opaque, offset, size, value & bits_mask(8 * size));
}

/* What a block transfer reaches: memory that devices can store to, that they can load from, all. */
enum reach { REACH_STORES, REACH_LOADS, REACH_ALL };

/* What of [paddr, paddr+len) lies in the region at paddr; 0 unless that can be reached. */
static uint64_t block_here(const struct mem *m, uint64_t paddr, uint64_t len, enum reach reach,
                           struct mem_region **r)
{
    *r = mem_find(m, paddr);
    if (!*r || !(*r)->host || (reach != REACH_ALL && !mem_direct(*r, reach == REACH_STORES)))
        return 0;
    uint64_t room = (*r)->size - (paddr - (*r)->base);
    return len < room ? len : room;
}

/* Copies as far as memory that can be reached goes without a gap.  One of out and in is NULL; both
 * NULL only counts. */
static uint64_t block_copy(struct mem *m, uint64_t paddr, void *out, const void *in, uint64_t len,
                           enum reach reach)
{
    uint64_t done = 0, n;
    struct mem_region *r;

    while (done < len && (n = block_here(m, paddr + done, len - done, reach, &r)) != 0) {
        uint64_t offset = paddr + done - r->base;
        if (out) {
            memmove((char *)out + done, r->host + offset, n);
        } else if (in) {
            mem_will_write(m, r, offset, n, (const char *)in + done);
            memmove(r->host + offset, (const char *)in + done, n);
        }
        done += n;
        if (paddr + done == 0) /* the end of the address space */
            break;
    }
    return done;
}

int mem_dma_read(struct mem *m, uint64_t paddr, void *buf, uint64_t len)
{
    if (block_copy(m, paddr, NULL, NULL, len, REACH_LOADS) != len)
        return -EFAULT;
    block_copy(m, paddr, buf, NULL, len, REACH_LOADS);
    return 0;
}

int mem_dma_write(struct mem *m, uint64_t paddr, const void *buf, uint64_t len)
{
    if (block_copy(m, paddr, NULL, NULL, len, REACH_STORES) != len)
        return -EFAULT;
    if (m->dma)
        m->dma(m->dma_opaque, paddr, buf, len);
    block_copy(m, paddr, NULL, buf, len, REACH_STORES);
    return 0;
}

void mem_dma_listen(struct mem *m, mem_dma_fn *fn, void *opaque)
{
    m->dma = fn;
    m->dma_opaque = opaque;
}

uint64_t mem_peek(struct mem *m, uint64_t paddr, void *buf, uint64_t len)
{
    return block_copy(m, paddr, buf, NULL, len, REACH_ALL);
}

uint64_t mem_poke(struct mem *m, uint64_t paddr, const void *buf, uint64_t len)
{
    return block_copy(m, paddr, NULL, buf, len, REACH_ALL);
}
