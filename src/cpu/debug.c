/* debug.c - see debug.h. */
#include "cpu/debug.h"

#include "base/bits.h"
#include "cpu/guest.h"

/* ---- probes ---- */

static bool ranges_cover(struct cpu_pcs p, uint64_t pc, uint64_t bytes)
{
    for (size_t i = 0; i < p.nranges; i++) {
        const struct cpu_range *r = &p.ranges[i];

        if (r->first <= pc ? pc <= r->last : r->first - pc < bytes)
            return true;
    }
    return false;
}

bool cpu_pcs_cover(struct cpu_pcs p, uint64_t pc, uint64_t bytes)
{
    size_t lo = 0, hi = p.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (p.pcs[mid] < pc)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (lo < p.n && (p.pcs[lo] == pc || p.pcs[lo] - pc < bytes)) || ranges_cover(p, pc, bytes);
}

bool cpu_probed(const struct cpu *c, uint64_t pc, uint64_t paddr)
{
    return c->debug && (cpu_pcs_cover(c->debug->virtual, pc, 1) ||
                        (paddr != CPU_NO_PADDR && cpu_pcs_cover(c->debug->physical, paddr, 1)));
}

uint64_t cpu_debug_paddr(struct cpu *c, uint64_t pc)
{
    struct guest_walk w;

    c->guest->walk(c, pc, TLB_EXEC, c->fetch_mode, GUEST_WALK_DEBUG, &w);
    return w.ok ? w.paddr : CPU_NO_PADDR;
}

void cpu_lift_probe(struct cpu *c, struct ir_unit *u, uint64_t pc, uint64_t paddr)
{
    ir_ref stop = c->debug->ops->lift(c->debug->opaque, c, u, pc, paddr);
    uint32_t next = u->nblocks, yes = ir_edge_new(u, next, NULL, 0);

    ir_brif(u, stop, yes, ir_edge_new(u, next + 1, NULL, 0));
    ir_block_begin(u);
    ir_put(u, c->guest->names.pc_slot, ir_const(u, IR_I64, pc));
    ir_exit_stop(u);
    ir_block_begin(u);
}

uint64_t cpu_helper_decide(void *cpu, uint64_t a, uint64_t b, uint64_t more)
{
    struct cpu *c = cpu;

    return c->debug ? c->debug->ops->decide(c->debug->opaque, c, a, b, more) : 0;
}

/* ---- memory ---- */

#define ACCESS_MAX 8 /* bytes */

void cpu_watches_changed(struct cpu *c)
{
    const struct cpu_debug *d = c->debug;
    uint64_t from = UINT64_MAX,
             last = UINT64_MAX; /* none: then only the last bytes are looked at */
    bool any = false;

    for (size_t i = 0; d && i < d->nwatches; i++) {
        const struct cpu_watch *w = &d->watches[i];

        if (w->physical)
            continue;
        from = w->addr < from ? w->addr : from;
        last = !any || w->addr + (w->len - 1) > last ? w->addr + (w->len - 1) : last;
        any = true;
    }
    from = from < ACCESS_MAX ? 0 : from - (ACCESS_MAX - 1);
    c->watch_from = from;
    c->watch_span = last - from;
    tlb_watch(&c->tlb, d ? d->vpages : NULL, d ? d->nvpages : 0);
}

bool cpu_debug_load(struct cpu *c, uint64_t vaddr, unsigned size, uint64_t *value)
{
    struct tlb_entry *e = tlb_hit(&c->tlb, c->guest->data_mode(c), vaddr, TLB_READ);
    uint8_t bytes[8];

    if (e && (vaddr & MEM_PAGE_MASK) <= MEM_PAGE_SIZE - size) {
        *value = bits_load_le((const void *)(uintptr_t)(vaddr + e->addend), size);
        return true;
    }
    if (cpu_peek(c, vaddr, bytes, size) != size)
        return false;
    *value = bits_load_le(bytes, size);
    return true;
}

uint64_t cpu_helper_peek(void *cpu, uint64_t vaddr, uint64_t size, uint64_t unused)
{
    uint64_t value = 0;

    (void)unused;
    return cpu_debug_load(cpu, vaddr, (unsigned)size, &value) ? value : 0;
}

/* ---- events ---- */

void cpu_debug_stop(struct cpu *c)
{
    c->stopped = c->quit = 1;
    cpu_kick(c);
}

void cpu_debug_event(struct cpu *c, enum cpu_event what, uint64_t a, uint64_t b)
{
    if (c->debug->ops->event(c->debug->opaque, c, what, a, b))
        cpu_debug_stop(c);
}
