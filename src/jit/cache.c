/* cache.c - blocks: making, finding, linking, killing; see jit.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "host/host_clock.h"
#include "jit/jit.h"
#include "jit/target.h"

#define BLOCK_BYTES 128 /* of host code, that a small block takes: there are buckets for so many   \
                         */
#define PAGES_SIZE (1u << 14)
#define MAX_INSNS  64
#define TIMED      16 /* the clock is read for one translation in so many */
/* To find the blocks that hold a pc takes about as long as a look at so many blocks. */
#define LOOKS_FOR_PC 8

/* ---- tables ---- */

/* Blocks that lie near each other do so in the table too: its lines are in the host's caches.
 * Contexts and spaces share a slot: few pcs have blocks in several, and the blocks that hold a pc
 * are to be found. */
static struct jit_block **hash_slot(const struct jit *j, uint64_t pc)
{
    return &j->hash[(pc / 2 + bits_mix(pc >> j->hash_bits)) & bits_mask(j->hash_bits)];
}

static struct jit_page_link **page_slot(const struct jit *j, uint64_t paddr)
{
    return &j->pages[(paddr >> MEM_PAGE_BITS) & (PAGES_SIZE - 1)];
}

/* Bytes of the block that lie in its first page. */
static uint32_t first_bytes(const struct jit_block *b)
{
    uint64_t room = MEM_PAGE_SIZE - (b->paddr & MEM_PAGE_MASK);
    return b->bytes < room ? b->bytes : (uint32_t)room;
}

static void enter_page(struct jit *j, struct jit_block *b, unsigned n, uint64_t paddr,
                       uint32_t bytes)
{
    struct jit_page_link *k = &b->pages[n], **first = page_slot(j, paddr);

    *k = (struct jit_page_link){.block = b, .next = *first, .prev = first};
    if (k->next)
        k->next->prev = &k->next;
    *first = k;
    mem_code_add(j->mem, paddr, bytes);
}

static void enter_pages(struct jit *j, struct jit_block *b)
{
    enter_page(j, b, 0, b->paddr, first_bytes(b));
    if (b->paddr2)
        enter_page(j, b, 1, b->paddr2, b->bytes - first_bytes(b));
}

static void leave_page(struct jit *j, struct jit_block *b, unsigned n, uint64_t paddr,
                       uint32_t bytes)
{
    struct jit_page_link *k = &b->pages[n];

    *k->prev = k->next;
    if (k->next)
        k->next->prev = k->prev;
    mem_code_drop(j->mem, paddr, bytes);
}

static void leave_pages(struct jit *j, struct jit_block *b)
{
    leave_page(j, b, 0, b->paddr, first_bytes(b));
    if (b->paddr2)
        leave_page(j, b, 1, b->paddr2, b->bytes - first_bytes(b));
}

static void leave_hash(struct jit *j, struct jit_block *b)
{
    for (struct jit_block **p = hash_slot(j, b->pc); *p; p = &(*p)->hash_next) {
        if (*p == b) {
            *p = b->hash_next;
            return;
        }
    }
}

/* ---- links ---- */

static void unlink_exit(struct jit *j, struct jit_exit *x)
{
    for (struct jit_exit **p = &x->target->incoming; *p; p = &(*p)->next) {
        if (*p == x) {
            *p = x->next;
            break;
        }
    }
    x->target = NULL;
    j->target->patch(j, x, x->unlinked);
}

void jit_link(struct jit *j, struct jit_block *b)
{
    struct jit_exit *x = j->linking;

    j->linking = NULL;
    if (!x || x->target || x->pc != b->pc || x->block->context != b->context ||
        (x->block->paddr ^ b->paddr) & ~MEM_PAGE_MASK)
        return;
    if (b->paddr2) { /* what it is made of can change: it is looked up each time */
        x->jump = NULL;
        return;
    }
    x->target = b;
    x->next = b->incoming;
    b->incoming = x;
    j->target->patch(j, x, b->code);
    j->count.linked++;
}

static void forget_jumps(struct jit *j, const struct jit_block *b)
{
    for (unsigned i = 0; i < j->ncpus; i++) {
        for (unsigned k = 0; k < JIT_CONTEXTS; k++) {
            const struct jit_context *x = &j->cpus[i].contexts[k];
            if (!x->used || x->context != b->context)
                continue;
            struct cpu_jump *slot = &x->jumps[cpu_jump_index(b->pc)];
            if (slot->code == b->code)
                slot->pc = CPU_NO_PC;
        }
    }
}

/* ---- life ---- */

static void tell(const struct jit *j, struct cpu *c, enum cpu_unit_event what,
                 const struct jit_block *b)
{
    if (j->told)
        j->told(j->told_opaque, c, what, b);
}

/* Nothing leads to b any more. */
static void kill_block(struct jit *j, struct jit_block *b)
{
    while (b->incoming)
        unlink_exit(j, b->incoming);
    for (uint32_t i = 0; i < b->nexits; i++) {
        if (b->exits[i].target)
            unlink_exit(j, &b->exits[i]);
    }
    if (j->linking && j->linking->block == b)
        j->linking = NULL;
    if (!b->entered)
        return;
    leave_hash(j, b);
    leave_pages(j, b);
    forget_jumps(j, b);
    b->entered = false;
    j->nblocks--;
}

static bool overlaps(const struct jit_block *b, uint64_t paddr, uint64_t len)
{
    uint64_t n = first_bytes(b);

    return (paddr < b->paddr + n && b->paddr < paddr + len) ||
           (b->paddr2 && paddr < b->paddr2 + (b->bytes - n) && b->paddr2 < paddr + len);
}

/* mem's listener: bytes that blocks were made from change. */
static void code_written(void *opaque, uint64_t paddr, uint64_t len)
{
    struct jit *j = opaque;
    uint64_t last = paddr + len - 1;

    for (uint64_t page = paddr & ~MEM_PAGE_MASK; page <= (last & ~MEM_PAGE_MASK);
         page += MEM_PAGE_SIZE) {
        struct jit_page_link *next;
        for (struct jit_page_link *k = *page_slot(j, page); k; k = next) {
            next = k->next;
            if (!overlaps(k->block, paddr, len))
                continue;
            if (next && next->block == k->block) /* both its pages share this list */
                next = next->next;
            tell(j, NULL, CPU_UNIT_INVALIDATED, k->block);
            kill_block(j, k->block);
            j->count.killed++;
        }
    }
}

static size_t region_start(const struct jit *j, unsigned region)
{
    return bits_align_up(j->stubs_size, 64) + region * j->region_size;
}

static void empty_region(struct jit *j, unsigned region)
{
    for (struct jit_block *b = j->region_blocks[region]; b; b = b->region_next) {
        j->count.evicted += b->entered;
        kill_block(j, b);
    }
    j->region_blocks[region] = NULL;
    arena_reset(&j->region_arena[region]);
}

static void next_region(struct jit *j)
{
    j->region = (j->region + 1) % JIT_REGIONS;
    if (j->region_blocks[j->region])
        j->count.regions_recycled++;
    for (const struct jit_block *b = j->region_blocks[j->region]; b; b = b->region_next)
        if (b->entered)
            tell(j, NULL, CPU_UNIT_EVICTED, b);
    empty_region(j, j->region);
    j->at = region_start(j, j->region);
}

void jit_flush(struct jit *j)
{
    for (unsigned r = 0; r < JIT_REGIONS; r++)
        empty_region(j, r);
}

void jit_watch(struct jit *j)
{
    if (!j->watching)
        jit_flush(j);
    j->watching = true;
}

/* Kills the blocks that hold the pc: they begin there, or less than the longest one's length
 * before. */
static void probe_changed(struct jit *j, uint64_t pc)
{
    struct jit_block *b, *next;

    for (uint64_t back = 0; back <= j->longest; back += 2) {
        for (b = *hash_slot(j, pc - back); b; b = next) {
            next = b->hash_next;
            if (pc - b->pc < b->bytes)
                kill_block(j, b);
        }
    }
}

/* The same of a physical one, which is on the page that they begin on. */
static void physical_probe_changed(struct jit *j, uint64_t pc)
{
    struct jit_page_link *next;

    for (struct jit_page_link *k = *page_slot(j, pc); k; k = next) {
        next = k->next;
        if (pc - k->block->paddr < first_bytes(k->block))
            kill_block(j, k->block);
    }
}

/* The same of many, by a look at each block. */
static void many_probes_changed(struct jit *j, struct cpu_pcs virtual, struct cpu_pcs physical)
{
    for (unsigned r = 0; r < JIT_REGIONS; r++)
        for (struct jit_block *b = j->region_blocks[r]; b; b = b->region_next)
            if (cpu_pcs_cover(virtual, b->pc, b->bytes) ||
                cpu_pcs_cover(physical, b->paddr, first_bytes(b)))
                kill_block(j, b);
}

void jit_probes_changed(struct jit *j, struct cpu_pcs virtual, struct cpu_pcs physical)
{
    if (virtual.nranges || physical.nranges ||
        (virtual.n + physical.n) * LOOKS_FOR_PC > j->nblocks) {
        many_probes_changed(j, virtual, physical);
        return;
    }
    for (size_t i = 0; i < virtual.n; i++)
        probe_changed(j, virtual.pcs[i]);
    for (size_t i = 0; i < physical.n; i++)
        physical_probe_changed(j, physical.pcs[i]);
}

/* ---- compiling ---- */

/* For the proof of `verify`: an operation on two values is lowered as if it were another. */
static void break_one(const struct jit *j, struct ir_unit *u)
{
    for (uint32_t i = 0; j->config.break_op_on && i < u->ninsns; i++) {
        struct ir_insn *in = &u->insns[i];
        const char *args = ir_ops[in->op].args;
        if (in->op == j->config.break_op && (!strcmp(args, "tt") || !strcmp(args, "tn")))
            in->op = in->op == IR_or ? IR_xor : IR_or;
    }
}

struct jit_block *jit_block_new(struct jit *j, const struct ir_unit *u)
{
    const struct jit_side *s = &j->side;
    struct arena *a = &j->region_arena[j->region];
    struct jit_block *b = arena_raw(a, sizeof *b);

#define KEEP(what)                                                                                 \
    .what = arena_copy(a, s->what.data, s->what.len * sizeof *s->what.data),                       \
    .n##what = (uint32_t)s->what.len
    *b = (struct jit_block){.pc = u->pc,
                            .ninsns = u->guest_insns,
                            .fp_rm = u->fp_rm,
                            KEEP(exits),
                            KEEP(sites),
                            KEEP(softs),
                            KEEP(dirty),
                            KEEP(consts)};
#undef KEEP
    for (uint32_t i = 0; i < b->nexits; i++)
        b->exits[i].block = b;
    for (uint32_t i = 0; i < b->nsites; i++)
        b->sites[i].block = b;
    return b;
}

static struct jit_block *try_emit(struct jit *j, const struct ir_unit *u)
{
    size_t end = region_start(j, j->region) + j->region_size;
    struct jit_side *s = &j->side;

    s->exits.len = s->sites.len = s->softs.len = s->dirty.len = s->consts.len = 0;
    return j->at > end ? NULL : j->target->emit(j, u, end - j->at);
}

struct jit_block *jit_compile(struct jit *j, struct ir_unit *u)
{
    break_one(j, u);
    ir_find_lives(u);
    struct jit_block *b = try_emit(j, u);
    if (!b && !j->side.too_complex) {
        next_region(j);
        b = try_emit(j, u);
    }
    if (!b)
        return NULL;
    j->at = bits_align_up(j->at + b->code_size, 16);
    b->region_next = j->region_blocks[j->region];
    j->region_blocks[j->region] = b;
    j->count.code_bytes += b->code_size;
    return b;
}

static void begin_unit(struct jit *j, struct ir_unit *u)
{
    arena_reset(&j->arena);
    ir_unit_init(u, &j->arena, &j->guest->names);
    ir_unit_fold(u, j->fold);
}

/* The unit at f, in the arena.  *bytes: of guest code; *paddr2: of its second page or 0. */
static bool make_unit(struct jit *j, struct cpu *c, struct guest_fetch *f, struct ir_unit *u,
                      uint32_t *bytes, uint64_t *paddr2)
{
    *paddr2 = 0;
    begin_unit(j, u);
    if (j->guest->translate(c, u, f, bytes) == GUEST_NEEDS_NEXT) {
        uint64_t next = (f->pc & ~MEM_PAGE_MASK) + MEM_PAGE_SIZE;
        if (cpu_fetch(c, next, paddr2, &f->next) != CPU_OK)
            return false;
        begin_unit(j, u);
        if (j->guest->translate(c, u, f, bytes) == GUEST_NEEDS_NEXT)
            return false;
    }
    if (*bytes <= f->len)
        *paddr2 = 0;
    return true;
}

static uint64_t time_since(const struct jit *j, uint64_t start)
{
    uint64_t ns = host_thread_ns() - start;
    return ns > j->clock_cost ? ns - j->clock_cost : 0;
}

static struct jit_block *translate(struct jit *j, struct cpu *c, uint64_t paddr,
                                   const uint8_t *host)
{
    struct guest_fetch f = {.pc = c->pc,
                            .paddr = paddr,
                            .host = host,
                            .len = (uint32_t)(MEM_PAGE_SIZE - (c->pc & MEM_PAGE_MASK)),
                            .max_insns = j->config.max_insns ? j->config.max_insns : MAX_INSNS};
    bool timed = j->count.translated % TIMED == 0;
    uint64_t start = timed ? host_thread_ns() : 0, paddr2;
    struct jit_block *b = NULL;
    struct ir_unit u;
    uint32_t bytes;

    while (!b) {
        if (!make_unit(j, c, &f, &u, &bytes, &paddr2))
            return NULL;
        ir_run_passes(&u, ir_tier1_passes);
        b = jit_compile(j, &u);
        if (!b && u.guest_insns <= 1)
            return NULL;
        f.max_insns = u.guest_insns / 2;
    }
    b->paddr = paddr;
    b->paddr2 = paddr2;
    b->context = c->context;
    b->bytes = bytes;
    if (j->longest < bytes)
        j->longest = bytes;
    b->entered = true;
    struct jit_block **slot = hash_slot(j, b->pc);
    b->hash_next = *slot;
    *slot = b;
    enter_pages(j, b);
    j->nblocks++;
    j->count.translated++;
    j->count.guest_insns += b->ninsns;
    j->count.ir_insns += u.ninsns;
    if (timed)
        j->count.translate_ns += TIMED * time_since(j, start);
    tell(j, c, CPU_UNIT_MADE, b);
    return b;
}

/* ---- finding ---- */

static bool same_second_page(struct cpu *c, const struct jit_block *b)
{
    uint64_t paddr2;
    const uint8_t *host;

    return !b->paddr2 ||
           (cpu_fetch(c, (b->pc & ~MEM_PAGE_MASK) + MEM_PAGE_SIZE, &paddr2, &host) == CPU_OK &&
            paddr2 == b->paddr2);
}

struct jit_block *jit_find(struct jit *j, struct cpu *c)
{
    uint64_t paddr;
    const uint8_t *host;
    struct jit_block *b;

    j->count.lookups++;
    if (cpu_fetch(c, c->pc, &paddr, &host) != CPU_OK)
        return NULL;
    for (b = *hash_slot(j, c->pc); b; b = b->hash_next) {
        if (b->pc == c->pc && b->paddr == paddr && b->context == c->context &&
            same_second_page(c, b))
            break;
    }
    if (b)
        j->count.hash_hits++;
    else
        b = translate(j, c, paddr, host);
    if (b) {
        struct cpu_jump *slot = &c->jumps[cpu_jump_index(c->pc)];
        slot->pc = c->pc;
        slot->code = b->code;
        j->cpus[c->index].current->fp_rm = b->fp_rm;
        j->count.jump_fills++;
    }
    return b;
}

static void empty_jumps(struct jit *j, struct jit_context *x, uint64_t epoch)
{
    for (unsigned i = 0; i < CPU_JUMPS; i++)
        x->jumps[i].pc = CPU_NO_PC;
    x->epoch = epoch;
    j->count.jump_flushes++;
}

void jit_select(struct jit *j, struct cpu *c)
{
    struct jit_cpu *jc = &j->cpus[c->index];
    struct jit_context *x = NULL, *oldest = &jc->contexts[0];

    for (unsigned i = 0; i < JIT_CONTEXTS && !x; i++) {
        struct jit_context *k = &jc->contexts[i];
        if (k->used && k->space == c->tlb.space && k->context == c->context)
            x = k;
        else if (k->used < oldest->used)
            oldest = k;
    }
    if (!x) {
        x = oldest;
        if (!x->jumps)
            x->jumps = xmalloc(CPU_JUMPS * sizeof *x->jumps);
        x->space = c->tlb.space;
        x->context = c->context;
        empty_jumps(j, x, c->tlb.exec_epoch);
    } else if (x->epoch != c->tlb.exec_epoch) {
        empty_jumps(j, x, c->tlb.exec_epoch);
    }
    x->used = ++jc->clock;
    jc->current = x;
    c->jumps = x->jumps;
}

/* ---- the whole ---- */

static const struct jit_target *host_target(void)
{
#if defined __x86_64__
    return &jit_target_x86_64;
#else
    return NULL;
#endif
}

static bool open_target(struct jit *j, struct err *e)
{
    j->target = host_target();
    if (!j->target) {
        err_set(e, ENOTSUP, "the JIT has no back end for this host (try --engine interp)");
        return false;
    }
    if (!j->target->supported()) {
        err_set(e, ENOTSUP, "the JIT needs a CPU with %s (try --engine interp)", j->target->needs);
        return false;
    }
    return true;
}

/* The offset with the most slots in [offset - 128, offset + 128), a slot's own + 128. */
static int32_t best_bias(const struct ir_names *names)
{
    uint32_t best = 0;
    int32_t bias = 0;

    for (uint32_t i = 0; i < names->nslots; i++) {
        int32_t first = names->slots[i].offset;
        uint32_t near = 0;
        for (uint32_t k = 0; k < names->nslots; k++)
            near += names->slots[k].offset >= first && names->slots[k].offset < first + 256;
        if (near > best) {
            best = near;
            bias = first + 128;
        }
    }
    return bias;
}

static void init_memory(struct jit *j)
{
    arena_init(&j->arena);
    j->fold = ir_fold_new(&j->guest->names);
    for (unsigned r = 0; r < JIT_REGIONS; r++)
        arena_init_large(&j->region_arena[r]);
}

static void fini_memory(struct jit *j)
{
    arena_fini(&j->arena);
    ir_fold_free(j->fold);
    for (unsigned r = 0; r < JIT_REGIONS; r++)
        arena_fini(&j->region_arena[r]);
    vec_fini(&j->side.exits);
    vec_fini(&j->side.sites);
    vec_fini(&j->side.softs);
    vec_fini(&j->side.dirty);
    vec_fini(&j->side.consts);
}

struct jit *jit_new(const struct guest *g, struct mem *m, unsigned ncpus,
                    const struct jit_config *config, struct err *e)
{
    struct jit *j = xcalloc(1, sizeof *j);

    j->config = *config;
    j->guest = g;
    j->layout.bias = best_bias(&g->names);
    j->clock_cost = host_clock_cost(host_thread_ns);
    j->mem = m;
    j->ncpus = ncpus;
    init_memory(j);
    size_t size = config->code_size ? config->code_size : JIT_CODE_DEFAULT;
    if (size < JIT_CODE_MIN || size > JIT_CODE_MAX) {
        err_set(e, EINVAL, "code cache of %zu bytes: from 256 KiB to 1 GiB please", size);
        goto fail;
    }
    if (!open_target(j, e) || jit_code_init(&j->code, size, e))
        goto fail;
    j->stubs_size = j->target->stubs(j);
    j->region_size = (size - bits_align_up(j->stubs_size, 64)) / JIT_REGIONS & ~(size_t)63;
    j->at = region_start(j, 0);
    while (size / BLOCK_BYTES >> j->hash_bits)
        j->hash_bits++;
    j->hash = xcalloc((size_t)1 << j->hash_bits, sizeof *j->hash);
    j->pages = xcalloc(PAGES_SIZE, sizeof *j->pages);
    j->cpus = xcalloc(ncpus, sizeof *j->cpus);
    mem_code_listen(m, code_written, j);
    return j;
fail:
    fini_memory(j);
    free(j);
    return NULL;
}

void jit_free(struct jit *j)
{
    if (!j)
        return;
    jit_flush(j);
    mem_code_unlisten(j->mem, j);
    for (unsigned i = 0; i < j->ncpus; i++) {
        for (unsigned k = 0; k < JIT_CONTEXTS; k++)
            free(j->cpus[i].contexts[k].jumps);
    }
    free(j->cpus);
    free(j->hash);
    free(j->pages);
    jit_code_fini(&j->code);
    fini_memory(j);
    free(j);
}

void jit_attach(struct jit *j, const struct cpu *c)
{
    j->layout.l1_mask = c->tlb.l1_mask;
    for (unsigned m = 0; m < TLB_MODES; m++)
        j->layout.l1[m] =
            (int32_t)((const char *)(c->tlb.l1 + m * (c->tlb.l1_mask + 1)) - (const char *)c);
}

enum jit_left jit_run(struct jit *j, struct cpu *c, const void *code)
{
    return j->target->enter(j, c, code);
}

void jit_fp_enter(struct jit *j, unsigned rm)
{
    j->target->fp_enter(rm);
}

void jit_fp_sync(struct jit *j, struct cpu *c)
{
    c->fp_flags |= (uint8_t)j->target->fp_flags();
}

void jit_fp_leave(struct jit *j, struct cpu *c)
{
    jit_fp_sync(j, c);
    j->target->fp_leave();
}
