/* cache.c - blocks: making, finding, linking, killing; see jit.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "host/host_clock.h"
#include "jit/jit.h"
#include "jit/target.h"

#define HASH_SIZE  (1u << 16)
#define PAGES_SIZE (1u << 14)
#define MIN_ROOM   512 /* bytes of a region that are worth trying */
#define MAX_INSNS  64

/* ---- tables ---- */

static struct jit_block **hash_slot(const struct jit *j, uint64_t pc, uint32_t context)
{
    return &j->hash[bits_mix(pc ^ (uint64_t)context << 48) & (j->hash_size - 1)];
}

static struct jit_block **page_slot(const struct jit *j, uint64_t paddr)
{
    return &j->pages[bits_mix(paddr >> MEM_PAGE_BITS) & (PAGES_SIZE - 1)];
}

static unsigned side_of(const struct jit_block *b, const struct jit *j, struct jit_block **slot)
{
    return page_slot(j, b->paddr) == slot ? 0 : 1;
}

/* Bytes of the block that lie in its first page. */
static uint32_t first_bytes(const struct jit_block *b)
{
    uint64_t room = MEM_PAGE_SIZE - (b->paddr & MEM_PAGE_MASK);
    return b->bytes < room ? b->bytes : (uint32_t)room;
}

static void enter_pages(struct jit *j, struct jit_block *b)
{
    struct jit_block **first = page_slot(j, b->paddr);

    b->page_next[0] = *first;
    *first = b;
    mem_code_add(j->mem, b->paddr, first_bytes(b));
    if (!b->paddr2)
        return;
    struct jit_block **second = page_slot(j, b->paddr2);
    if (second != first) { /* else the one list serves for both */
        b->page_next[1] = *second;
        *second = b;
    }
    mem_code_add(j->mem, b->paddr2, b->bytes - first_bytes(b));
}

static void leave_page(struct jit *j, struct jit_block *b, struct jit_block **slot)
{
    for (struct jit_block **p = slot; *p; p = &(*p)->page_next[side_of(*p, j, slot)]) {
        if (*p == b) {
            *p = b->page_next[side_of(b, j, slot)];
            return;
        }
    }
}

static void leave_pages(struct jit *j, struct jit_block *b)
{
    leave_page(j, b, page_slot(j, b->paddr));
    mem_code_drop(j->mem, b->paddr, first_bytes(b));
    if (b->paddr2) {
        if (page_slot(j, b->paddr2) != page_slot(j, b->paddr))
            leave_page(j, b, page_slot(j, b->paddr2));
        mem_code_drop(j->mem, b->paddr2, b->bytes - first_bytes(b));
    }
}

static void leave_hash(struct jit *j, struct jit_block *b)
{
    for (struct jit_block **p = hash_slot(j, b->pc, b->context); *p; p = &(*p)->hash_next) {
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
    if (!x || x->target || b->paddr2 || x->pc != b->pc || x->block->context != b->context ||
        (x->block->paddr ^ b->paddr) & ~MEM_PAGE_MASK)
        return;
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
            struct cpu_jump *t = j->cpus[i].contexts[k].jumps;
            if (t && t[cpu_jump_index(b->pc)].code == b->code)
                t[cpu_jump_index(b->pc)].pc = CPU_NO_PC;
        }
    }
}

/* ---- life ---- */

static void block_free(struct jit_block *b)
{
    free(b->exits);
    free(b->sites);
    free(b->softs);
    free(b->dirty);
    free(b->consts);
    free(b);
}

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
    if (b->region_prev) {
        *b->region_prev = b->region_next;
        if (b->region_next)
            b->region_next->region_prev = b->region_prev;
    }
    if (b->entered) {
        leave_hash(j, b);
        leave_pages(j, b);
        forget_jumps(j, b);
        j->nblocks--;
    }
    block_free(b);
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
        struct jit_block **slot = page_slot(j, page), *next;
        for (struct jit_block *b = *slot; b; b = next) {
            next = b->page_next[side_of(b, j, slot)];
            if (overlaps(b, paddr, len)) {
                kill_block(j, b);
                j->count.killed++;
            }
        }
    }
}

static size_t region_start(const struct jit *j, unsigned region)
{
    return bits_align_up(j->stubs_size, 64) + region * j->region_size;
}

static void empty_region(struct jit *j, unsigned region)
{
    while (j->region_blocks[region]) {
        kill_block(j, j->region_blocks[region]);
        j->count.evicted++;
    }
}

static void next_region(struct jit *j)
{
    j->region = (j->region + 1) % JIT_REGIONS;
    if (j->region_blocks[j->region])
        j->count.regions_recycled++;
    empty_region(j, j->region);
    j->at = region_start(j, j->region);
}

void jit_flush(struct jit *j)
{
    for (unsigned r = 0; r < JIT_REGIONS; r++)
        empty_region(j, r);
}

void jit_probes_changed(struct jit *j, struct cpu_pcs virtual, struct cpu_pcs physical)
{
    struct jit_block *b, *next;

    for (unsigned r = 0; r < JIT_REGIONS; r++) {
        for (b = j->region_blocks[r]; b; b = next) {
            next = b->region_next;
            if (cpu_pcs_cover(virtual, b->pc, b->bytes) ||
                cpu_pcs_cover(physical, b->paddr, b->bytes))
                kill_block(j, b);
        }
    }
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

static struct jit_block *block_new(const struct ir_unit *u)
{
    struct jit_block *b = xcalloc(1, sizeof *b);
    uint32_t sites = 0, exits = 0, softs = 0;

    for (uint32_t i = 0; i < u->ninsns; i++) {
        unsigned op = u->insns[i].op;
        sites += op == IR_load || op == IR_store;
        exits += op == IR_exit_pc;
        softs += (ir_ops[op].effects & IR_FX_FLAGS) != 0;
    }
    b->sites = xcalloc(sites + 1, sizeof *b->sites);
    b->exits = xcalloc(exits + 1, sizeof *b->exits);
    b->softs = xcalloc(softs + 1, sizeof *b->softs);
    b->ninsns = u->guest_insns;
    b->fp_rm = u->fp_rm;
    b->pc = u->pc;
    return b;
}

static bool try_emit(struct jit *j, const struct ir_unit *u, struct jit_block *b)
{
    size_t end = region_start(j, j->region) + j->region_size;

    if (j->at + MIN_ROOM > end)
        return false;
    b->nsites = b->nexits = b->nsofts = 0;
    free(b->dirty);
    free(b->consts);
    return j->target->emit(j, u, &j->layout, b, end - j->at);
}

struct jit_block *jit_compile(struct jit *j, struct ir_unit *u)
{
    struct jit_block *b = block_new(u);

    break_one(j, u);
    if (!try_emit(j, u, b)) {
        next_region(j);
        if (!try_emit(j, u, b)) {
            block_free(b);
            return NULL;
        }
    }
    j->at = bits_align_up(j->at + b->code_size, 16);
    b->region_prev = &j->region_blocks[j->region];
    b->region_next = *b->region_prev;
    if (b->region_next)
        b->region_next->region_prev = &b->region_next;
    *b->region_prev = b;
    j->count.code_bytes += b->code_size;
    return b;
}

/* The unit at f, optimised, in the arena.  *bytes: of guest code; *crosses: on two pages. */
static bool make_unit(struct jit *j, struct cpu *c, struct guest_fetch *f, struct ir_unit *u,
                      uint32_t *bytes, uint64_t *paddr2)
{
    *paddr2 = 0;
    arena_reset(&j->arena);
    ir_unit_init(u, &j->arena, &j->guest->names);
    if (j->guest->translate(c, u, f, bytes) == GUEST_NEEDS_NEXT) {
        uint64_t next = (f->pc & ~MEM_PAGE_MASK) + MEM_PAGE_SIZE;
        if (cpu_fetch(c, next, paddr2, &f->next) != CPU_OK)
            return false;
        arena_reset(&j->arena);
        ir_unit_init(u, &j->arena, &j->guest->names);
        if (j->guest->translate(c, u, f, bytes) == GUEST_NEEDS_NEXT)
            return false;
    }
    if (*bytes <= f->len)
        *paddr2 = 0;
    return true;
}

static struct jit_block *translate(struct jit *j, struct cpu *c, uint64_t paddr,
                                   const uint8_t *host)
{
    struct guest_fetch f = {.pc = c->pc,
                            .paddr = paddr,
                            .host = host,
                            .len = (uint32_t)(MEM_PAGE_SIZE - (c->pc & MEM_PAGE_MASK)),
                            .max_insns = j->config.max_insns ? j->config.max_insns : MAX_INSNS};
    uint64_t start = host_monotonic_ns(), paddr2;
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
    b->entered = true;
    struct jit_block **slot = hash_slot(j, b->pc, b->context);
    b->hash_next = *slot;
    *slot = b;
    enter_pages(j, b);
    j->nblocks++;
    j->count.translated++;
    j->count.guest_insns += b->ninsns;
    j->count.ir_insns += u.ninsns;
    j->count.translate_ns += host_monotonic_ns() - start;
    if (j->made)
        j->made(j->made_opaque, c, b);
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
    for (b = *hash_slot(j, c->pc, c->context); b; b = b->hash_next) {
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

struct jit *jit_new(const struct guest *g, struct mem *m, unsigned ncpus,
                    const struct jit_config *config, struct err *e)
{
    struct jit *j = xcalloc(1, sizeof *j);

    j->config = *config;
    j->guest = g;
    j->mem = m;
    j->ncpus = ncpus;
    arena_init(&j->arena);
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
    j->hash_size = HASH_SIZE;
    j->hash = xcalloc(HASH_SIZE, sizeof *j->hash);
    j->pages = xcalloc(PAGES_SIZE, sizeof *j->pages);
    j->cpus = xcalloc(ncpus, sizeof *j->cpus);
    mem_code_listen(m, code_written, j);
    return j;
fail:
    arena_fini(&j->arena);
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
    arena_fini(&j->arena);
    free(j);
}

void jit_attach(struct jit *j, const struct cpu *c)
{
    j->layout.l1_mask = c->tlb.l1_mask;
    for (unsigned m = 0; m < TLB_MODES; m++)
        j->layout.l1[m] =
            (int32_t)((const char *)(c->tlb.l1 + m * (c->tlb.l1_mask + 1)) - (const char *)c);
}

enum jit_left jit_run(struct jit *j, struct cpu *c, const struct jit_block *b)
{
    return j->target->enter(j, c, b->code);
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
