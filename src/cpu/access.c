/*
 * access.c - memory as a CPU sees it, whenever generated code's own look at L1
 * was not enough.
 */
#include <string.h>

#include "base/bits.h"
#include "cpu/cpu.h"
#include "cpu/debug.h"
#include "cpu/guest.h"

#define likely(x) __builtin_expect(!!(x), 1)

/* What an address leads to. */
struct place {
    uint8_t *host;             /* NULL: a device serves it, at paddr */
    bool slow;                 /* the page has attributes */
    uint64_t paddr;            /* of RAM: valid after locate() */
    struct mem_region *region; /* likewise */
};

static inline unsigned in_page(uint64_t vaddr)
{
    return (unsigned)(MEM_PAGE_SIZE - (vaddr & MEM_PAGE_MASK));
}

static enum cpu_access refuse(struct cpu *c, uint64_t vaddr, enum tlb_access access)
{
    c->guest->bus_fault(c, vaddr, access);
    return CPU_FAULT;
}

/* The place of a physical address. */
static enum cpu_access place_at(struct cpu *c, uint64_t vaddr, uint64_t paddr,
                                enum tlb_access access, struct place *p)
{
    struct mem_region *r = mem_find(c->mem, paddr);

    bool direct = r && mem_direct(r, access == TLB_WRITE);

    if (!direct && (!r || !r->ops || access == TLB_EXEC))
        return refuse(c, vaddr, access);
    p->paddr = paddr;
    p->region = r;
    p->host = direct ? r->host + (paddr - r->base) : NULL;
    p->slow = direct && (r->attr[(paddr - r->base) >> MEM_PAGE_BITS] || c->tlb.nwatched);
    return CPU_OK;
}

/* What the TLB does not know.  len as for guest->exact. */
static __attribute__((noinline)) enum cpu_access resolve_miss(struct cpu *c, uint64_t vaddr,
                                                              uint64_t len, enum tlb_access access,
                                                              unsigned mode, struct place *p)
{
    struct guest_walk w;
    uint64_t paddr;

    if (tlb_probe(&c->tlb, mode, vaddr, access, &paddr))
        return place_at(c, vaddr, paddr, access, p);
    c->guest->walk(c, vaddr, access, mode, GUEST_WALK_CPU, &w);
    if (!w.ok) {
        c->fault = w.fault;
        return w.precise ? CPU_PRECISE : CPU_FAULT;
    }
    if (!w.exact) {
        tlb_fill(&c->tlb, mode, &w.page);
    } else {
        if (access == TLB_EXEC && !c->precise)
            return CPU_PRECISE;
        if (!c->guest->exact(c, vaddr, w.paddr, len, access, mode))
            return CPU_FAULT;
    }
    return place_at(c, vaddr, w.paddr, access, p);
}

/* Where [vaddr, vaddr + len), all in one page, is; CPU_OK if the access is allowed. */
static inline enum cpu_access resolve(struct cpu *c, uint64_t vaddr, uint64_t len,
                                      enum tlb_access access, unsigned mode, struct place *p)
{
    struct tlb_entry *e = tlb_hit(&c->tlb, mode, vaddr, access);

    if (!e)
        e = tlb_lookup(&c->tlb, mode, vaddr, access);
    if (!likely(e))
        return resolve_miss(c, vaddr, len, access, mode, p);
    p->host = (uint8_t *)(uintptr_t)(vaddr + e->addend);
    p->slow = e->tag[access] & TLB_FLAGS;
    p->region = NULL;
    return CPU_OK;
}

/* Completes a place in RAM or ROM that an L1 entry gave. */
static void locate(struct cpu *c, struct place *p)
{
    struct mem_region *const *r;
    size_t n = p->region ? 0 : mem_regions(c->mem, &r);

    for (size_t i = 0; i < n && !p->region; i++) {
        if (r[i]->host && (uintptr_t)p->host - (uintptr_t)r[i]->host < r[i]->size) {
            p->region = r[i];
            p->paddr = r[i]->base + (uint64_t)(p->host - r[i]->host);
        }
    }
}

static bool overlap(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
    return a < b ? b - a < alen : a - b < blen;
}

static bool is_watched(const struct cpu_debug *d, uint64_t vaddr, uint64_t paddr, uint64_t len,
                       unsigned access)
{
    for (size_t i = 0; i < d->nwatches; i++) {
        const struct cpu_watch *w = &d->watches[i];

        if (w->access & access && overlap(w->physical ? paddr : vaddr, len, w->addr, w->len))
            return true;
    }
    return false;
}

/* The debugger's part in an access to a page with attributes, or to a device, of len bytes within
 * a page.  CPU_PRECISE: it is watched, and has to wait. */
static __attribute__((noinline)) enum cpu_access watch(struct cpu *c, struct place *p,
                                                       uint64_t vaddr, uint64_t len, bool write,
                                                       uint64_t value)
{
    const struct cpu_debug *d = c->debug;
    struct cpu_touch t = {.vaddr = vaddr, .value = value, .size = (unsigned)len, .write = write};

    if (p->host)
        locate(c, p);
    t.paddr = p->paddr;
    if (!is_watched(d, vaddr, p->paddr, len, write ? CPU_WATCH_WRITE : CPU_WATCH_READ))
        return CPU_OK;
    if (!c->precise)
        return CPU_PRECISE;
    if (d->ops->touched(d->opaque, c, &t))
        cpu_debug_stop(c);
    return CPU_OK;
}

static inline bool has_watches(const struct cpu *c)
{
    return c->debug && c->debug->nwatches;
}

/* Whether a store there has to wait for a precise run: it hits translated code, a page-table entry
 * that code is fetched through, or a doorbell. */
static bool must_wait(struct cpu *c, struct place *p, uint64_t len)
{
    if (!p->slow || c->precise)
        return false;
    locate(c, p);
    uint64_t offset = p->paddr - p->region->base;
    uint8_t attr = p->region->attr[offset >> MEM_PAGE_BITS];
    return (attr & MEM_ATTR_CODE && mem_code_at(c->mem, p->paddr, len)) ||
           (attr & MEM_ATTR_TABLE && mem_moves_code(c->mem, p->region, offset, len)) ||
           (attr & MEM_ATTR_BELL && mem_bell_at(c->mem, p->paddr, len));
}

/* Stores to RAM, whoever watches it being told. */
static void put(struct cpu *c, struct place *p, const void *bytes, uint64_t len)
{
    if (!p->slow) {
        memcpy(p->host, bytes, len);
        return;
    }
    locate(c, p);
    uint64_t offset = p->paddr - p->region->base;
    mem_will_write(c->mem, p->region, offset, len, bytes);
    memcpy(p->host, bytes, len);
    if (p->region->attr[offset >> MEM_PAGE_BITS] & MEM_ATTR_BELL)
        mem_bell_ring(c->mem, p->paddr, len);
}

static uint64_t extend(uint64_t v, unsigned mo)
{
    return mo & IR_MO_SIGN ? (uint64_t)bits_sext(v, 8 * IR_MO_BYTES(mo)) : v;
}

/* ---- loads ---- */

static enum cpu_access load_device(struct cpu *c, struct place *p, uint64_t vaddr,
                                   unsigned mo, uint64_t *value)
{
    unsigned size = IR_MO_BYTES(mo);
    enum tlb_access access = mo & IR_MO_RMW ? TLB_WRITE : TLB_READ;

    if (vaddr & (size - 1))
        return refuse(c, vaddr, access);
    if (!c->precise)
        return CPU_PRECISE;
    if (has_watches(c))
        watch(c, p, vaddr, size, false, 0);
    cpu_event(c, CPU_EVENT_DEVICE_READ, p->paddr, size);
    c->count.devices++;
    if (!mem_read(c->mem, p->paddr, size, value))
        return refuse(c, vaddr, access);
    *value = extend(*value, mo);
    return CPU_OK;
}

/* An access that crosses into another page, or that is misaligned where it must not be.  Places of
 * its two parts; devices have no part in it. */
static enum cpu_access resolve_misaligned(struct cpu *c, uint64_t vaddr, unsigned mo,
                                          enum tlb_access access, struct place p[2])
{
    unsigned n = in_page(vaddr), mode = IR_MO_MODE(mo);

    if (mo & IR_MO_ALIGN) {
        c->guest->misaligned(c, vaddr, access);
        return CPU_FAULT;
    }
    enum cpu_access a = resolve(c, vaddr, n, access, mode, &p[0]);
    if (a == CPU_OK)
        a = resolve(c, vaddr + n, IR_MO_BYTES(mo) - n, access, mode, &p[1]);
    if (a == CPU_OK && !p[0].host)
        return refuse(c, vaddr, access);
    if (a == CPU_OK && !p[1].host)
        return refuse(c, vaddr + n, access);
    return a;
}

/* The debugger's part in an access of two parts, in whose pages tags may not have been looked at. */
static enum cpu_access watch_parts(struct cpu *c, struct place p[2], uint64_t vaddr, unsigned mo,
                                   bool write, uint64_t value)
{
    unsigned n = in_page(vaddr);
    enum cpu_access a = CPU_OK;

    if (!has_watches(c))
        return CPU_OK;
    a = watch(c, &p[0], vaddr, n, write, value);
    return a == CPU_OK ? watch(c, &p[1], vaddr + n, IR_MO_BYTES(mo) - n, write, value >> 8 * n) : a;
}

static __attribute__((noinline)) enum cpu_access load_misaligned(struct cpu *c, uint64_t vaddr,
                                                                 unsigned mo, uint64_t *value)
{
    struct place p[2];
    unsigned n = in_page(vaddr);
    enum tlb_access access = mo & IR_MO_RMW ? TLB_WRITE : TLB_READ;
    enum cpu_access a = resolve_misaligned(c, vaddr, mo, access, p);

    if (a == CPU_OK)
        a = watch_parts(c, p, vaddr, mo, false, 0);
    if (a != CPU_OK)
        return a;
    uint8_t bytes[8];
    memcpy(bytes, p[0].host, n);
    memcpy(bytes + n, p[1].host, IR_MO_BYTES(mo) - n);
    *value = extend(bits_load_le(bytes, IR_MO_BYTES(mo)), mo);
    return CPU_OK;
}

/* Alignment matters, or the access crosses into another page. */
static inline bool is_awkward(uint64_t vaddr, unsigned mo)
{
    unsigned size = IR_MO_BYTES(mo);
    return vaddr & (size - 1) && (mo & IR_MO_ALIGN || in_page(vaddr) < size);
}

enum cpu_access cpu_load(struct cpu *c, uint64_t vaddr, unsigned mo, uint64_t *value)
{
    struct place p;
    enum tlb_access access = mo & IR_MO_RMW ? TLB_WRITE : TLB_READ;

    c->count.slow_loads++;
    if (is_awkward(vaddr, mo))
        return load_misaligned(c, vaddr, mo, value);
    enum cpu_access a = resolve(c, vaddr, IR_MO_BYTES(mo), access, IR_MO_MODE(mo), &p);
    if (!likely(a == CPU_OK))
        return a;
    if (!likely(p.host))
        return load_device(c, &p, vaddr, mo, value);
    if (!likely(!p.slow) && has_watches(c)) {
        a = watch(c, &p, vaddr, IR_MO_BYTES(mo), false, 0);
        if (a != CPU_OK)
            return a;
    }
    *value = extend(bits_load_le(p.host, IR_MO_BYTES(mo)), mo);
    return CPU_OK;
}

/* ---- stores ---- */

static enum cpu_access store_device(struct cpu *c, struct place *p, uint64_t vaddr,
                                    unsigned size, uint64_t value)
{
    if (vaddr & (size - 1))
        return refuse(c, vaddr, TLB_WRITE);
    if (!c->precise)
        return CPU_PRECISE;
    if (has_watches(c))
        watch(c, p, vaddr, size, true, value);
    c->count.devices++;
    if (!mem_write(c->mem, p->paddr, size, value))
        return refuse(c, vaddr, TLB_WRITE);
    cpu_event(c, CPU_EVENT_DEVICE_WRITE, p->paddr, size);
    return CPU_OK;
}

static __attribute__((noinline)) enum cpu_access store_misaligned(struct cpu *c, uint64_t vaddr,
                                                                  unsigned mo, uint64_t value)
{
    struct place p[2];
    unsigned n = in_page(vaddr), rest = IR_MO_BYTES(mo) - n;
    enum cpu_access a = resolve_misaligned(c, vaddr, mo, TLB_WRITE, p);

    if (a != CPU_OK)
        return a;
    /* The walk for one page may have made the other a page table. */
    p[0].slow = p[1].slow = true;
    if (must_wait(c, &p[0], n) || must_wait(c, &p[1], rest))
        return CPU_PRECISE;
    a = watch_parts(c, p, vaddr, mo, true, value);
    if (a != CPU_OK)
        return a;
    uint8_t bytes[8];
    bits_store_le(bytes, 8, value);
    put(c, &p[0], bytes, n);
    put(c, &p[1], bytes + n, rest);
    return CPU_OK;
}

/* A store to a page with attributes, or to a device. */
static __attribute__((noinline)) enum cpu_access
store_place(struct cpu *c, struct place *p, uint64_t vaddr, unsigned size, uint64_t value)
{
    if (!p->host)
        return store_device(c, p, vaddr, size, value);
    if (must_wait(c, p, size))
        return CPU_PRECISE;
    if (has_watches(c)) {
        enum cpu_access a = watch(c, p, vaddr, size, true, value);

        if (a != CPU_OK)
            return a;
    }
    put(c, p, &value, size);
    return CPU_OK;
}

enum cpu_access cpu_store(struct cpu *c, uint64_t vaddr, unsigned mo, uint64_t value)
{
    struct place p;
    unsigned size = IR_MO_BYTES(mo);

    c->count.slow_stores++;
    if (is_awkward(vaddr, mo))
        return store_misaligned(c, vaddr, mo, value);
    enum cpu_access a = resolve(c, vaddr, size, TLB_WRITE, IR_MO_MODE(mo), &p);
    if (!likely(a == CPU_OK))
        return a;
    if (!likely(p.host && !p.slow))
        return store_place(c, &p, vaddr, size, value);
    bits_store_le(p.host, size, value);
    return CPU_OK;
}

enum cpu_access cpu_fill(struct cpu *c, uint64_t vaddr, uint64_t len, unsigned mode, uint8_t byte)
{
    struct place p;
    uint8_t bytes[MEM_PAGE_SIZE];
    enum cpu_access a = resolve(c, vaddr, len, TLB_WRITE, mode, &p);

    if (a != CPU_OK)
        return a;
    if (!p.host)
        return refuse(c, vaddr, TLB_WRITE);
    if (must_wait(c, &p, len))
        return CPU_PRECISE;
    if (p.slow && has_watches(c)) {
        a = watch(c, &p, vaddr, len, true, byte * UINT64_C(0x0101010101010101));
        if (a != CPU_OK)
            return a;
    }
    memset(bytes, byte, len);
    put(c, &p, bytes, len);
    return CPU_OK;
}

enum cpu_access cpu_probe(struct cpu *c, uint64_t vaddr, uint64_t len, unsigned mode,
                          enum tlb_access access)
{
    struct place p;
    return resolve(c, vaddr, len, access, mode, &p);
}

/* ---- fetches ---- */

enum cpu_access cpu_fetch(struct cpu *c, uint64_t vaddr, uint64_t *paddr, const uint8_t **host)
{
    struct place p;
    enum cpu_access a = resolve(c, vaddr, 0, TLB_EXEC, c->fetch_mode, &p);

    if (a != CPU_OK)
        return a;
    locate(c, &p);
    *paddr = p.paddr;
    *host = p.host;
    return CPU_OK;
}

/* ---- debuggers ---- */

/* Does [vaddr, vaddr + len) page by page: stops at the first page that is not there. */
static uint64_t each_page(struct cpu *c, uint64_t vaddr, uint8_t *buf, uint64_t len, bool write)
{
    unsigned mode = c->guest->data_mode(c);
    uint64_t done = 0;

    while (done < len) {
        struct guest_walk w;
        uint64_t n = in_page(vaddr + done), moved;
        if (n > len - done)
            n = len - done;
        c->guest->walk(c, vaddr + done, TLB_READ, mode, GUEST_WALK_DEBUG, &w);
        if (!w.ok)
            break;
        moved = write ? mem_poke(c->mem, w.paddr, buf + done, n)
                      : mem_peek(c->mem, w.paddr, buf + done, n);
        done += moved;
        if (moved < n)
            break;
    }
    return done;
}

uint64_t cpu_peek(struct cpu *c, uint64_t vaddr, void *buf, uint64_t len)
{
    return each_page(c, vaddr, buf, len, false);
}

uint64_t cpu_poke(struct cpu *c, uint64_t vaddr, const void *buf, uint64_t len)
{
    return each_page(c, vaddr, (uint8_t *)(uintptr_t)buf, len, true);
}

/* ---- for units ---- */

static bool host_load(void *cpu, uint64_t addr, unsigned mo, uint64_t *value)
{
    struct cpu *c = cpu;
    enum cpu_access a = cpu_load(c, addr, mo, value);

    if (likely(a == CPU_OK))
        return true;
    c->access = (uint8_t)a;
    return false;
}

static bool host_store(void *cpu, uint64_t addr, unsigned mo, uint64_t value)
{
    struct cpu *c = cpu;
    enum cpu_access a = cpu_store(c, addr, mo, value);

    if (likely(a == CPU_OK))
        return true;
    c->access = (uint8_t)a;
    return false;
}

const struct ir_host cpu_ir_host = {
    .load = host_load,
    .store = host_store,
    .leave_offset = offsetof(struct cpu, leave),
    .flags_offset = offsetof(struct cpu, fp_flags),
    .budget_offset = offsetof(struct cpu, budget),
};
