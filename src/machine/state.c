/* state.c - a machine's state as a whole: saved, hashed, counted. */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "machine/machine_impl.h"
#include "snap/snap.h"

/* ---- all but memory ---- */

/* What later code relies on. */
static void check_schedule(struct machine *m, struct snap *s)
{
    if (m->turn >= m->config.board.ncpus)
        snap_bad(s, "turn", "there is no such CPU");
    else if (m->end < m->start || m->end - m->start > m->config.slice)
        snap_bad(s, "end", "no window is so long");
    else if (m->how > BOARD_FAILED)
        snap_bad(s, "how", "no machine ends so");
}

static void schedule_state(struct machine *m, struct snap *s)
{
    uint32_t how = m->how, code = m->code, turn = m->turn, ncpus = m->config.board.ncpus;

    snap_section(s, "machine", 1);
    snap_u32(s, "ncpus", &ncpus);
    if (snap_loading(s) && ncpus != m->config.board.ncpus)
        snap_bad(s, "ncpus", "it was saved from a machine with another number of CPUs");
    snap_u64(s, "start", &m->start);
    snap_u64(s, "end", &m->end);
    snap_bool(s, "open", &m->open);
    snap_bool(s, "begun", &m->begun);
    snap_u32(s, "turn", &turn);
    snap_u32(s, "awake", &m->awake);
    snap_u64s(s, "shift", m->shift, m->config.board.ncpus);
    snap_u32(s, "how", &how);
    snap_u32(s, "code", &code);
    m->turn = turn;
    m->how = (enum board_end)how;
    m->code = code;
    if (snap_loading(s))
        check_schedule(m, s);
}

/* Whether a CPU that waits takes part in the next window.  (One that runs looks anyway.) */
static void wakeups_state(struct machine *m, struct snap *s)
{
    bool wakes[BOARD_CPUS] = {0};

    snap_section(s, "wakeups", 1);
    for (unsigned i = 0; i < m->config.board.ncpus; i++) {
        struct cpu *c = m->cpu[i];
        wakes[i] = c->halted && c->pending;
        snap_bool(s, "wakes", &wakes[i]);
        if (snap_loading(s) && c->halted)
            c->pending = wakes[i];
    }
}

/* A CPU that is ahead of the window has no turn until the others have come there: it is so by less
 * than a window. */
static void check_ahead(struct machine *m, struct snap *s)
{
    for (unsigned i = 0; i < m->config.board.ncpus; i++) {
        uint64_t tick = cpu_count(m->cpu[i]) + m->shift[i];

        if ((int64_t)(tick - m->start) > (int64_t)m->config.slice)
            snap_bad(s, "shift", "no CPU is so far ahead of the others");
    }
}

/* The time comes first: what is loaded behind it reads the clock. */
void machine_state(struct machine *m, struct snap *s)
{
    schedule_state(m, s);
    board_state(m->board, s);
    for (unsigned i = 0; i < m->config.board.ncpus; i++)
        m->guest->state(m->cpu[i], s);
    wakeups_state(m, s);
    if (snap_loading(s))
        check_ahead(m, s);
}

/* ---- RAM and flash ---- */

static uint64_t page_hash(uint64_t paddr, const uint8_t *page, uint8_t blank)
{
    if (page[0] == blank && !memcmp(page, page + 1, MEM_PAGE_SIZE - 1))
        return 0;
    uint64_t h = bits_mix(paddr ^ bits_hash(page, MEM_PAGE_SIZE, 0));
    return h ? h : 1;
}

static void hash_init(struct machine *m)
{
    struct mem_region *const *regions;
    size_t n = mem_regions(m->mem, &regions);

    m->hashes = xcalloc(n, sizeof *m->hashes);
    for (size_t i = 0; i < n; i++) {
        if (regions[i]->kind != MEM_RAM && !(regions[i]->host && regions[i]->ops))
            continue;
        m->hashes[m->nhashes++] = (struct page_hashes){
            regions[i], xcalloc(regions[i]->size >> MEM_PAGE_BITS, sizeof(uint64_t))};
    }
}

void machine_hash_fini(struct machine *m)
{
    for (size_t i = 0; i < m->nhashes; i++)
        free(m->hashes[i].pages);
    free(m->hashes);
}

static void hash_page(struct machine *m, uint64_t paddr)
{
    for (size_t i = 0; i < m->nhashes; i++) {
        const struct mem_region *r = m->hashes[i].region;
        if (paddr - r->base >= r->size)
            continue;
        uint64_t *hash = &m->hashes[i].pages[(paddr - r->base) >> MEM_PAGE_BITS];
        m->ram_hash -= *hash;
        *hash = page_hash(paddr, r->host + (paddr - r->base), r->blank);
        m->ram_hash += *hash;
    }
}

static uint64_t hash_ram(struct machine *m)
{
    uint64_t *pages;
    size_t n;

    if (!m->hashes)
        hash_init(m);
    n = mem_dirty(m->mem, &pages);
    for (size_t i = 0; i < n; i++)
        hash_page(m, pages[i]);
    free(pages);
    mem_clean(m->mem);
    return m->ram_hash;
}

uint64_t machine_hash(struct machine *m)
{
    struct snap s;

    snap_open_hash(&s, 0);
    machine_state(m, &s);
    snap_close(&s, NULL);
    return bits_mix(s.hash) + hash_ram(m);
}

size_t machine_hash_differ(const struct machine *a, const struct machine *b, uint64_t *pages,
                           size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < a->nhashes && i < b->nhashes; i++) {
        const struct mem_region *r = a->hashes[i].region;
        for (uint64_t p = 0; p < r->size >> MEM_PAGE_BITS && n < max; p++)
            if (a->hashes[i].pages[p] != b->hashes[i].pages[p])
                pages[n++] = r->base + (p << MEM_PAGE_BITS);
    }
    return n;
}

/* ---- counters ---- */

/* Takes a row of the table of counters. */
typedef void row_fn(void *opaque, const char *name, uint64_t value, const char *unit,
                    const char *doc);

/* The sum over all CPUs of a counter at an offset in struct cpu. */
static uint64_t sum(const struct machine *m, size_t offset)
{
    uint64_t total = 0, v;

    for (unsigned i = 0; i < m->config.board.ncpus; i++) {
        memcpy(&v, (const char *)m->cpu[i] + offset, sizeof v);
        total += v;
    }
    return total;
}

static void cpu_rows(const struct machine *m, row_fn *row, void *opaque)
{
    static const struct {
        size_t offset;
        const char *name, *unit, *doc;
    } rows[] = {
#define COUNT(field) offsetof(struct cpu, count.field)
#define TLB(field)   offsetof(struct cpu, tlb.count.field)
        {COUNT(traps), "cpu.traps", "traps", "exceptions entered"},
        {COUNT(interrupts), "cpu.interrupts", "interrupts", "taken"},
        {COUNT(slow_loads), "cpu.slow_loads", "loads", "not done by generated code alone"},
        {COUNT(slow_stores), "cpu.slow_stores", "stores", "not done by generated code alone"},
        {COUNT(devices), "cpu.devices", "accesses", "to devices"},
        {COUNT(fences), "cpu.fences", "fences", "of address translation"},
        {TLB(l1_misses), "tlb.l1_misses", "lookups", "that L1 did not answer"},
        {TLB(l2_hits), "tlb.l2_hits", "lookups", "of these, answered by L2"},
        {TLB(walks), "tlb.walks", "walks", "of page tables that found a page"},
        {TLB(flushes_page), "tlb.flushes_page", "pages", "dropped one by one"},
        {TLB(flushes_all), "tlb.flushes_all", "flushes", "of everything"},
        {TLB(table_writes), "tlb.table_writes", "flushes", "because a page-table entry changed"},
#undef COUNT
#undef TLB
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        row(opaque, rows[i].name, sum(m, rows[i].offset), rows[i].unit, rows[i].doc);
}

static void device_rows(const struct machine *m, row_fn *row, void *opaque)
{
    struct mem_region *const *regions;
    size_t n = mem_regions(m->mem, &regions);
    struct buf name = BUF_INIT;

    for (size_t i = 0; i < n; i++) {
        if (!regions[i]->ops)
            continue;
        buf_reset(&name);
        buf_fmt(&name, "dev.%s.reads", regions[i]->name);
        row(opaque, name.data, regions[i]->reads, "accesses", "loads from the device's registers");
        buf_reset(&name);
        buf_fmt(&name, "dev.%s.writes", regions[i]->name);
        row(opaque, name.data, regions[i]->writes, "accesses", "stores to the device's registers");
    }
    buf_fini(&name);
}

void machine_counters(struct machine *m, row_fn *row, void *opaque)
{
    row(opaque, "machine.instructions", machine_count(m), "instructions", "charged on all CPUs");
    row(opaque, "machine.time", machine_time(m), "ns", "of virtual time");
    row(opaque, "machine.idle", m->count.idle_ns, "ns", "of virtual time in which all CPUs waited");
    row(opaque, "machine.windows", m->count.windows, "windows", "opened");
    row(opaque, "machine.shortened", m->count.shortened, "windows",
        "shortened by an event or a wake-up");
    row(opaque, "machine.waits", m->count.waits, "waits", "on the host while all CPUs waited");
    cpu_rows(m, row, opaque);
    m->accel->ops->counters(m->accel, row, opaque);
    device_rows(m, row, opaque);
}
