/* walk.c - see walk.h. */
#include "debug/walk.h"

#include <inttypes.h>

static void allowed(const struct tlb_page *p, struct buf *out)
{
    buf_fmt(out, "%s%s%s%s", p->allow & 1 << TLB_READ ? "r" : "-",
            p->allow & 1 << TLB_WRITE ? "w" : "-", p->allow & 1 << TLB_EXEC ? "x" : "-",
            p->global ? ", global" : "");
}

/* A step without an entry is a remark. */
static void step(const struct guest_walk_step *s, struct buf *out)
{
    if (s->entry_addr)
        buf_fmt(out, "  level %u: 0x%012" PRIx64 " holds 0x%016" PRIx64 ": %s\n", s->level,
                s->entry_addr, s->entry, s->verdict);
    else
        buf_fmt(out, "  %s\n", s->verdict);
}

void dbg_walk(struct cpu *c, uint64_t vaddr, enum tlb_access access, struct buf *out)
{
    static const char *const names[] = {"read", "write", "fetch"};
    const struct guest *g = c->guest;
    struct guest_walk w = {0};

    g->walk(c, vaddr, access, access == TLB_EXEC ? c->fetch_mode : g->data_mode(c),
            GUEST_WALK_EXPLAIN, &w);
    buf_fmt(out, "0x%016" PRIx64 " for a %s:\n", vaddr, names[access]);
    for (unsigned i = 0; i < w.nsteps; i++)
        step(&w.steps[i], out);
    if (!w.nsteps)
        buf_str(out, "  no page table is used\n");
    if (!w.ok) {
        buf_fmt(out, "  fault: %s (cause %" PRIu64 ")\n", g->cause_name(w.fault.cause),
                w.fault.cause);
        return;
    }
    struct mem_region *r = mem_find(c->mem, w.paddr);
    buf_fmt(out, "  physical 0x%" PRIx64 ", %s; this page needs no further walk for ", w.paddr,
            r ? r->name : "nothing there");
    allowed(&w.page, out);
    buf_ch(out, '\n');
}
