/*
 * interp.c - the interpreter: units of IR, remembered by where their code lies,
 * and run by ir_interp.
 *
 * A unit of more than one instruction runs imprecisely: an access that needs an
 * exact count (a device, a store to translated code) leaves it before its
 * instruction, which then runs alone, as a `single` unit with c->precise set.
 * So a unit that is running is never changed by its own stores but for singles,
 * which have nothing left to run then.
 *
 * Units live in one arena; a dead unit's memory is used until all is flushed.
 * That happens only where no unit is running.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "accel/engine.h"
#include "base/bits.h"
#include "base/mem_alloc.h"
#include "host/host_clock.h"

#define NO_PADDR UINT64_MAX

enum {
    UNIT_BITS = 16,       /* log2 of the buckets of all units */
    PAGE_BITS = 14,       /* of those of pages that hold code */
    FAST_BITS = 13,       /* of the slots that remember where a CPU found code */
    STORE_MAX = 64 << 20, /* bytes of units; then all are flushed */
    MANY_PCS = 1 << 10,   /* the units that hold so many are found sooner by a look at all */
};

/* In a key, beside the guest's context: a unit of one instruction that passes stops. */
#define KEY_SINGLE (UINT64_C(1) << 32)

struct unit;

/* A unit in the list of units of a page. */
struct page_link {
    struct unit *unit;
    struct page_link *next;
};

struct unit {
    struct ir_unit ir;
    uint64_t pc, key;
    uint64_t paddr;       /* of the first byte */
    uint64_t next_paddr;  /* of the page on which its only instruction goes on; NO_PADDR: none */
    uint32_t bytes, here; /* the length of its code; of the part on the first page */
    bool dead;            /* its code was changed */
    struct unit *next;    /* in its bucket */
    struct page_link link[2];
};

/* Where a CPU found the unit for a pc and key, while its translations stay (epoch). */
struct fast {
    uint64_t pc, key, space, epoch;
    struct unit *unit;
};

struct interp_counters {
    uint64_t units, killed, flushes, lookups, precise;
};

struct interp {
    struct accel accel; /* first */
    struct accel_config config;
    struct arena store; /* units */
    struct arena work;  /* one translation */
    struct ir_fold *fold;
    size_t store_bytes; /* about what is in store */
    struct unit *buckets[1u << UNIT_BITS]; /* by pc */
    uint32_t longest;                      /* bytes of the longest unit there was */
    struct page_link *pages[1u << PAGE_BITS];
    struct fast *fast; /* for each CPU 1 << FAST_BITS */
    uint64_t *scratch; /* of ir_interp */
    uint32_t scratch_len;
    struct ir_unit uncached; /* the last unit that may not be remembered; in work */
    struct interp_counters count;
};

/* ---- remembering units ---- */

/* Units that lie near each other do so in the buckets too, whatever their key and space: those that
 * hold a pc are to be found. */
static struct unit **bucket_of(struct interp *it, uint64_t pc)
{
    return &it->buckets[(pc / 2 + bits_mix(pc >> UNIT_BITS)) & bits_mask(UNIT_BITS)];
}

static struct page_link **page_of(struct interp *it, uint64_t paddr)
{
    return &it->pages[bits_mix(paddr >> MEM_PAGE_BITS) >> (64 - PAGE_BITS)];
}

static struct fast *fast_of(struct interp *it, const struct cpu *c, uint64_t key)
{
    uint64_t h = (c->pc >> 1) ^ (c->pc >> (FAST_BITS + 1)) ^ (key << 3) ^ (key >> 32);
    return &it->fast[((size_t)c->index << FAST_BITS) + (h & bits_mask(FAST_BITS))];
}

static void link_page(struct interp *it, struct unit *u, struct page_link *l, uint64_t paddr,
                      uint64_t len)
{
    struct page_link **head = page_of(it, paddr);

    *l = (struct page_link){u, *head};
    *head = l;
    mem_code_add(it->config.mem, paddr, len);
}

static void unlink_page(struct interp *it, const struct page_link *l, uint64_t paddr, uint64_t len)
{
    struct page_link **at = page_of(it, paddr);

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    mem_code_drop(it->config.mem, paddr, len);
}

static void remember(struct interp *it, struct unit *u)
{
    struct unit **bucket = bucket_of(it, u->pc);

    u->next = *bucket;
    *bucket = u;
    link_page(it, u, &u->link[0], u->paddr, u->here);
    if (u->next_paddr != NO_PADDR)
        link_page(it, u, &u->link[1], u->next_paddr, u->bytes - u->here);
}

static void forget(struct interp *it, struct unit *u)
{
    struct unit **at = bucket_of(it, u->pc);

    while (*at != u)
        at = &(*at)->next;
    *at = u->next;
    unlink_page(it, &u->link[0], u->paddr, u->here);
    if (u->next_paddr != NO_PADDR)
        unlink_page(it, &u->link[1], u->next_paddr, u->bytes - u->here);
    u->dead = true;
}

/* ---- telling of units ---- */

static struct accel_unit describe(const struct unit *u)
{
    return (struct accel_unit){
        .pc = u->pc,
        .paddr = u->paddr,
        .paddr2 = u->next_paddr == NO_PADDR ? 0 : u->next_paddr,
        .context = (uint32_t)u->key,
        .bytes = u->bytes,
        .ninsns = u->ir.guest_insns,
    };
}

/* Whether people are told of it: single instructions are run again in other units. */
static bool is_shown(const struct unit *u)
{
    return !(u->key & KEY_SINGLE) && u->ir.guest_insns;
}

static void tell(const struct interp *it, struct cpu *c, enum cpu_unit_event what,
                 const struct unit *u)
{
    if (!it->accel.watchers || !is_shown(u))
        return;
    struct accel_unit k = describe(u);
    accel_tell(&it->accel, c, what, &k);
}

/* ---- forgetting units ---- */

/* A unit with bytes of [paddr, paddr + len), which lies in one page; or NULL. */
static struct unit *overlapping(struct interp *it, uint64_t paddr, uint64_t len)
{
    for (struct page_link *l = *page_of(it, paddr); l; l = l->next) {
        const struct unit *u = l->unit;
        bool second = l == &u->link[1];
        uint64_t start = second ? u->next_paddr : u->paddr;
        uint64_t size = second ? u->bytes - u->here : u->here;
        if (start < paddr + len && paddr < start + size)
            return l->unit;
    }
    return NULL;
}

/* mem tells that bytes which hold translated code change. */
static void code_changed(void *opaque, uint64_t paddr, uint64_t len)
{
    struct interp *it = opaque;
    struct unit *u;

    while (len) {
        uint64_t room = MEM_PAGE_SIZE - (paddr & MEM_PAGE_MASK), n = len < room ? len : room;
        while ((u = overlapping(it, paddr, n)) != NULL) {
            tell(it, NULL, CPU_UNIT_INVALIDATED, u);
            forget(it, u);
            it->count.killed++;
        }
        paddr += n;
        len -= n;
    }
}

void interp_flush(struct interp *it)
{
    it->count.flushes++;
    if (!it->store_bytes)
        return;
    for (size_t i = 0; i < ARRAY_LEN(it->buckets); i++)
        while (it->buckets[i])
            forget(it, it->buckets[i]);
    memset(it->fast, 0, ((size_t)it->config.ncpus << FAST_BITS) * sizeof *it->fast);
    arena_reset(&it->store);
    it->store_bytes = 0;
}

/* Forgets the units that hold the pc: they begin there, or less than the longest one's length
 * before. */
static void probe_changed(struct interp *it, uint64_t pc)
{
    struct unit *u, *next;

    for (uint64_t back = 0; back <= it->longest; back += 2) {
        for (u = *bucket_of(it, pc - back); u; u = next) {
            next = u->next;
            if (pc - u->pc < u->bytes)
                forget(it, u);
        }
    }
}

/* The same of a physical one, which is on the page that they begin on. */
static void physical_probe_changed(struct interp *it, uint64_t pc)
{
    struct page_link *l, *next;

    for (l = *page_of(it, pc); l; l = next) {
        next = l->next;
        if (pc - l->unit->paddr >= l->unit->here)
            continue;
        if (next && next->unit == l->unit) /* both its pages share this list */
            next = next->next;
        forget(it, l->unit);
    }
}

/* The same of many, by a look at each unit. */
static void many_probes_changed(struct interp *it, struct cpu_pcs virtual, struct cpu_pcs physical)
{
    struct unit *u, *next;

    for (size_t i = 0; i < ARRAY_LEN(it->buckets); i++) {
        for (u = it->buckets[i]; u; u = next) {
            next = u->next;
            if (cpu_pcs_cover(virtual, u->pc, u->bytes) ||
                cpu_pcs_cover(physical, u->paddr, u->here))
                forget(it, u);
        }
    }
}

void interp_probes_changed(struct interp *it, struct cpu_pcs virtual, struct cpu_pcs physical)
{
    if (virtual.nranges || physical.nranges || virtual.n + physical.n > MANY_PCS) {
        many_probes_changed(it, virtual, physical);
        return;
    }
    for (size_t i = 0; i < virtual.n; i++)
        probe_changed(it, virtual.pcs[i]);
    for (size_t i = 0; i < physical.n; i++)
        physical_probe_changed(it, physical.pcs[i]);
}

/* ---- making units ---- */

/* Where the code at c->pc was found. */
struct place {
    uint64_t paddr, next_paddr;
    const uint8_t *host, *next;
};

static uint32_t in_page(uint64_t vaddr)
{
    return (uint32_t)(MEM_PAGE_SIZE - (vaddr & MEM_PAGE_MASK));
}

static enum guest_translated translate(struct interp *it, struct cpu *c, const struct place *p,
                                       bool single, struct ir_unit *u, uint32_t *bytes)
{
    struct guest_fetch f = {
        .pc = c->pc,
        .paddr = p->paddr,
        .host = p->host,
        .len = in_page(c->pc),
        .next = p->next,
        .max_insns = single ? 1 : it->config.max_insns,
        .pass_stop = single,
    };

    arena_reset(&it->work);
    ir_unit_init(u, &it->work, &it->config.guest->names);
    ir_unit_fold(u, it->fold);
    return c->guest->translate(c, u, &f, bytes);
}

static void need_scratch(struct interp *it, const struct ir_unit *u)
{
    if (it->scratch_len >= u->ninsns)
        return;
    it->scratch_len = u->ninsns;
    it->scratch = xrealloc(it->scratch, it->scratch_len * sizeof *it->scratch);
}

static size_t size_of(const struct ir_unit *u)
{
    return sizeof(struct unit) + u->ninsns * sizeof *u->insns + u->nblocks * sizeof *u->blocks +
           u->nedges * sizeof *u->edges + 64;
}

/* There is no room for another unit. */
static void make_room(struct interp *it)
{
    for (size_t i = 0; it->accel.watchers && i < ARRAY_LEN(it->buckets); i++)
        for (const struct unit *u = it->buckets[i]; u; u = u->next)
            tell(it, NULL, CPU_UNIT_EVICTED, u);
    interp_flush(it);
}

static struct unit *keep(struct interp *it, struct cpu *c, const struct place *p, uint64_t key,
                         struct ir_unit *made, uint32_t bytes)
{
    ir_run_passes(made, ir_exact_passes);
    if (it->store_bytes >= STORE_MAX)
        make_room(it);

    struct unit *u = arena_new(&it->store, struct unit);
    ir_unit_copy(&u->ir, &it->store, made);
    u->pc = c->pc;
    u->key = key;
    u->paddr = p->paddr;
    u->bytes = bytes;
    u->here = bytes < in_page(c->pc) ? bytes : in_page(c->pc);
    u->next_paddr = u->here < bytes ? p->next_paddr : NO_PADDR;
    if (it->longest < bytes)
        it->longest = bytes;
    need_scratch(it, &u->ir);
    remember(it, u);
    it->store_bytes += size_of(&u->ir);
    it->count.units++;
    tell(it, c, CPU_UNIT_MADE, u);
    return u;
}

/* ---- finding units ---- */

static struct unit *known(struct interp *it, const struct cpu *c, const struct place *p,
                          uint64_t key)
{
    struct unit *u = *bucket_of(it, c->pc);

    while (u && (u->pc != c->pc || u->paddr != p->paddr || u->key != key ||
                 u->next_paddr != p->next_paddr))
        u = u->next;
    return u;
}

/* The page behind that of c->pc, into which its instruction reaches. */
static enum cpu_access fetch_next(struct cpu *c, struct place *p)
{
    return cpu_fetch(c, c->pc + in_page(c->pc), &p->next_paddr, &p->next);
}

/* The unit for c->pc; *a says why there is none.  Code is fetched, with all that this does to page
 * tables, so its first instruction must be about to run. */
static struct unit *find_slowly(struct interp *it, struct cpu *c, uint64_t key, enum cpu_access *a)
{
    struct place p = {.next_paddr = NO_PADDR};
    struct ir_unit made;
    uint32_t bytes;
    struct unit *u;

    it->count.lookups++;
    *a = cpu_fetch(c, c->pc, &p.paddr, &p.host);
    if (*a != CPU_OK)
        return NULL;
    u = known(it, c, &p, key);
    if (!u && translate(it, c, &p, key & KEY_SINGLE, &made, &bytes) == GUEST_NEEDS_NEXT) {
        *a = fetch_next(c, &p);
        if (*a != CPU_OK)
            return NULL;
        u = known(it, c, &p, key);
        if (!u)
            translate(it, c, &p, key & KEY_SINGLE, &made, &bytes);
    }
    if (!u)
        u = keep(it, c, &p, key, &made, bytes);
    *fast_of(it, c, key) = (struct fast){c->pc, key, c->tlb.space, c->tlb.exec_epoch, u};
    return u;
}

static inline struct unit *find_fast(struct interp *it, struct cpu *c, uint64_t key)
{
    const struct fast *f = fast_of(it, c, key);

    if (f->pc == c->pc && f->key == key && f->space == c->tlb.space &&
        f->epoch == c->tlb.exec_epoch && f->unit && !f->unit->dead)
        return f->unit;
    return NULL;
}

static inline struct unit *find(struct interp *it, struct cpu *c, uint64_t key, enum cpu_access *a)
{
    struct unit *u = find_fast(it, c, key);
    return u ? u : find_slowly(it, c, key, a);
}

/* ---- running ---- */

/* The fetch of the instruction at pc faulted: it is charged, so that a loop of these ends. */
static void fetch_fault(struct cpu *c)
{
    c->budget--;
    c->guest->raise(c);
}

static inline enum ir_exit run_ir(struct interp *it, struct cpu *c, const struct ir_unit *u,
                                  bool precise)
{
    uint64_t pc;
    enum ir_exit exit;

    c->leave = 0;
    c->access = CPU_OK;
    c->precise = precise;
    exit = ir_interp(u, c, &cpu_ir_host, it->scratch, &pc);
    c->precise = 0;
    if (exit != IR_EXIT_LOOP && exit != IR_EXIT_STOP)
        c->pc = pc;
    return exit;
}

/* One instruction, alone and precisely. */
static void run_single(struct interp *it, struct cpu *c, const struct ir_unit *u)
{
    run_ir(it, c, u, true);
    assert(c->access != CPU_PRECISE);
    if (c->access == CPU_FAULT)
        c->guest->raise(c);
}

/* The instruction at pc lies on a page that may not be remembered. */
static void step_uncached(struct interp *it, struct cpu *c)
{
    struct place p = {.next_paddr = NO_PADDR};
    uint32_t bytes;
    enum cpu_access a;

    c->precise = 1;
    a = cpu_fetch(c, c->pc, &p.paddr, &p.host);
    if (a == CPU_OK && translate(it, c, &p, true, &it->uncached, &bytes) == GUEST_NEEDS_NEXT) {
        a = fetch_next(c, &p);
        if (a == CPU_OK)
            translate(it, c, &p, true, &it->uncached, &bytes);
    }
    c->precise = 0;
    if (a != CPU_OK) {
        fetch_fault(c);
        return;
    }
    need_scratch(it, &it->uncached);
    run_single(it, c, &it->uncached);
}

/* The instruction at pc, whatever stops lie there; there is budget for it. */
static void step(struct interp *it, struct cpu *c)
{
    enum cpu_access a = CPU_OK;
    struct unit *u = find(it, c, c->context | KEY_SINGLE, &a);

    it->count.precise++;
    if (u)
        run_single(it, c, &u->ir);
    else if (a == CPU_PRECISE)
        step_uncached(it, c);
    else
        fetch_fault(c);
}

/* A unit was left because of an access. */
static __attribute__((noinline)) void refused(struct interp *it, struct cpu *c)
{
    if (c->access == CPU_FAULT) {
        c->guest->raise(c);
        return;
    }
    c->budget++; /* it is charged again by the step */
    step(it, c);
}

bool interp_probe_stops(struct interp *it, struct cpu *c)
{
    bool physical = c->debug && cpu_pcs_any(c->debug->physical);
    uint64_t paddr = physical ? cpu_debug_paddr(c, c->pc) : CPU_NO_PADDR;
    struct ir_unit u;

    if (!cpu_probed(c, c->pc, paddr))
        return false;
    arena_reset(&it->work);
    ir_unit_init(&u, &it->work, &it->config.guest->names);
    u.pc = c->pc;
    ir_block_begin(&u);
    cpu_lift_probe(c, &u, c->pc, paddr);
    ir_exit_pc(&u, c->pc);
    need_scratch(it, &u);
    return run_ir(it, c, &u, true) == IR_EXIT_STOP;
}

/* The probe at pc is passed.  Whether to stop there all the same. */
static bool passed_stops(struct cpu *c)
{
    c->stop_passed = 0;
    return c->debug && c->debug->ops->passed && c->debug->ops->passed(c->debug->opaque, c);
}

/* The unit at pc, or one instruction if the unit has more than `left`.  False: a probe says stop.
 */
static inline bool run_unit(struct interp *it, struct cpu *c, int64_t left)
{
    enum cpu_access a = CPU_OK;
    struct unit *u = find_fast(it, c, c->context);

    if (__builtin_expect(!u, 0)) {
        u = find_slowly(it, c, c->context, &a);
        if (c->quit) /* somebody wants to see what became of units for it */
            return true;
    }
    if (__builtin_expect(!u, 0)) {
        if (interp_probe_stops(it, c))
            return false;
        if (a == CPU_PRECISE)
            step_uncached(it, c);
        else
            fetch_fault(c);
        return true;
    }
    if (u->ir.guest_insns > left) {
        if (interp_probe_stops(it, c))
            return false;
        step(it, c);
        return true;
    }
    enum ir_exit exit = run_ir(it, c, &u->ir, u->ir.guest_insns == 1);
    if (__builtin_expect(c->access != CPU_OK, 0))
        refused(it, c);
    return exit != IR_EXIT_STOP;
}

enum accel_stop interp_step(struct interp *it, struct cpu *c, int64_t limit)
{
    uint64_t end = cpu_count(c) + (uint64_t)limit;

    while (c->budget > 0 && !c->pending && cpu_count(c) < end) {
        int64_t left = (int64_t)(end - cpu_count(c));
        bool passes = c->stop_passed;
        if (passes && passed_stops(c))
            return ACCEL_BREAK;
        if (limit == 1 || passes)
            step(it, c);
        else if (!run_unit(it, c, left < c->budget ? left : INT64_MAX))
            return ACCEL_BREAK;
    }
    return ACCEL_BUDGET;
}

/* ---- the engine ---- */

static struct interp *interp_of(struct accel *a)
{
    return (struct interp *)a;
}

static enum accel_stop engine_run(struct accel *a, struct cpu *c)
{
    struct interp *it = interp_of(a);
    enum accel_stop stop;

    for (;;) {
        if ((c->pending || c->halted) && !accel_look(c, &stop))
            return stop;
        if (c->budget <= 0)
            return ACCEL_BUDGET;
        if (c->stop_passed) {
            if (passed_stops(c))
                return ACCEL_BREAK;
            step(it, c);
        }
        while (c->budget > 0 && !c->pending)
            if (!run_unit(it, c, INT64_MAX))
                return ACCEL_BREAK;
    }
}

static void engine_flush(struct accel *a)
{
    interp_flush(interp_of(a));
}

static void engine_probes_changed(struct accel *a, struct cpu_pcs virtual, struct cpu_pcs physical)
{
    interp_probes_changed(interp_of(a), virtual, physical);
}

/* u is changed by the passes. */
static void explain_ir(struct ir_unit *u, struct buf *out)
{
    buf_str(out, "IR as translated:\n");
    ir_print(u, out);
    ir_run_passes(u, ir_exact_passes);
    buf_str(out, "IR as the interpreter runs it:\n");
    ir_print(u, out);
}

static void engine_explain(struct accel *a, struct cpu *c, uint64_t pc, struct buf *out)
{
    struct interp *it = interp_of(a);
    struct ir_unit u;
    uint32_t bytes;

    arena_reset(&it->work);
    ir_unit_init(&u, &it->work, &it->config.guest->names);
    if (!accel_translate(c, pc, it->config.max_insns, &u, &bytes)) {
        buf_fmt(out, "%016" PRIx64 ": there is no memory\n", pc);
        return;
    }
    accel_disassemble(c, pc, bytes, u.guest_insns, out);
    explain_ir(&u, out);
}

static uint64_t engine_time(struct accel *a, struct cpu *c, struct ir_unit *u, unsigned runs)
{
    uint64_t *scratch, start, pc;

    (void)a;
    ir_run_passes(u, ir_exact_passes);
    scratch = arena_array(u->arena, uint64_t, u->ninsns);
    c->leave = 0;
    start = host_monotonic_ns();
    while (runs--)
        ir_interp(u, c, &cpu_ir_host, scratch, &pc);
    return host_monotonic_ns() - start;
}

static void engine_units(struct accel *a, accel_unit_fn *fn, void *opaque)
{
    const struct interp *it = interp_of(a);

    for (size_t i = 0; i < ARRAY_LEN(it->buckets); i++) {
        for (const struct unit *u = it->buckets[i]; u; u = u->next) {
            struct accel_unit k = describe(u);
            if (is_shown(u))
                fn(opaque, NULL, &k);
        }
    }
}

static void engine_show(struct accel *a, struct cpu *c, const struct accel_unit *k, struct buf *out)
{
    struct arena arena;
    struct ir_unit u;

    arena_init(&arena);
    ir_unit_init(&u, &arena, &interp_of(a)->config.guest->names);
    accel_lift(c, k, &u);
    accel_list_code(c, k, out);
    explain_ir(&u, out);
    arena_fini(&arena);
}

static void engine_counters(struct accel *a,
                            void (*row)(void *opaque, const char *name, uint64_t value,
                                        const char *unit, const char *doc),
                            void *opaque)
{
    const struct interp *it = interp_of(a);

    row(opaque, "interp.units", it->count.units, "units", "translated to IR");
    row(opaque, "interp.killed", it->count.killed, "units", "dropped as their code was changed");
    row(opaque, "interp.flushes", it->count.flushes, "flushes", "of all units");
    row(opaque, "interp.memory", it->store_bytes, "bytes", "of units, dead ones included");
    row(opaque, "interp.lookups", it->count.lookups, "lookups",
        "of units that the quick table did not have");
    row(opaque, "interp.precise", it->count.precise, "instructions", "run alone");
}

static void engine_free(struct accel *a)
{
    interp_free(interp_of(a));
}

static const struct accel_ops ops = {
    .name = "interp",
    .doc = "runs the IR directly: the reference",
    .run = engine_run,
    .flush = engine_flush,
    .probes_changed = engine_probes_changed,
    .explain = engine_explain,
    .units = engine_units,
    .show = engine_show,
    .time = engine_time,
    .counters = engine_counters,
    .free = engine_free,
};

struct interp *interp_new(const struct accel_config *config)
{
    struct interp *it = xcalloc(1, sizeof *it);

    it->accel.ops = &ops;
    it->config = *config;
    if (!it->config.max_insns)
        it->config.max_insns = UINT32_MAX;
    arena_init(&it->store);
    arena_init(&it->work);
    it->fold = ir_fold_new(&config->guest->names);
    it->fast = xcalloc((size_t)config->ncpus << FAST_BITS, sizeof *it->fast);
    mem_code_listen(config->mem, code_changed, it);
    return it;
}

void interp_free(struct interp *it)
{
    if (!it)
        return;
    interp_flush(it);
    mem_code_unlisten(it->config.mem, it);
    arena_fini(&it->store);
    arena_fini(&it->work);
    ir_fold_free(it->fold);
    free(it->fast);
    free(it->scratch);
    free(it);
}

static struct accel *make(const struct accel_config *config, struct err *e)
{
    (void)e;
    return &interp_new(config)->accel;
}

const struct accel_engine accel_interp = {
    "interp",
    "runs the intermediate representation directly; portable, and the reference",
    make,
};
