/* breaks.c - see breaks.h. */
#include "debug/breaks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"

void dbg_breaks_fini(struct dbg_breaks *b)
{
    vec_fini(b);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The machine wants addresses in order, each once. */
static void apply(const struct dbg_breaks *b, struct machine *m)
{
    uint64_t *pcs = xcalloc(b->len + 1, sizeof *pcs);
    size_t n = 0;

    for (size_t i = 0; i < b->len; i++)
        pcs[i] = b->data[i].addr;
    qsort(pcs, b->len, sizeof *pcs, by_value);
    for (size_t i = 0; i < b->len; i++)
        if (!n || pcs[n - 1] != pcs[i])
            pcs[n++] = pcs[i];
    machine_set_stops(m, pcs, n);
    free(pcs);
}

unsigned dbg_breaks_add(struct dbg_breaks *b, struct machine *m, uint64_t addr)
{
    struct dbg_break one = {.number = ++b->last, .addr = addr};

    vec_push(b, one);
    apply(b, m);
    return one.number;
}

bool dbg_breaks_delete(struct dbg_breaks *b, struct machine *m, unsigned number)
{
    size_t i = 0;

    while (i < b->len && b->data[i].number != number)
        i++;
    if (i == b->len)
        return false;
    b->len--;
    memmove(b->data + i, b->data + i + 1, (b->len - i) * sizeof *b->data);
    apply(b, m);
    return true;
}

void dbg_breaks_delete_all(struct dbg_breaks *b, struct machine *m)
{
    b->len = 0;
    apply(b, m);
}

unsigned dbg_breaks_hit(struct dbg_breaks *b, uint64_t addr)
{
    unsigned first = 0;

    for (size_t i = 0; i < b->len; i++) {
        if (b->data[i].addr != addr)
            continue;
        b->data[i].hits++;
        first = first ? first : b->data[i].number;
    }
    return first;
}

bool dbg_breaks_at(const struct dbg_breaks *b, uint64_t addr)
{
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i].addr == addr)
            return true;
    return false;
}

void dbg_breaks_list(const struct dbg_breaks *b, struct buf *out)
{
    if (!b->len)
        buf_str(out, "no breakpoints\n");
    for (size_t i = 0; i < b->len; i++)
        buf_fmt(out, "%-4u 0x%016" PRIx64 "  hit %" PRIu64 " time%s\n", b->data[i].number,
                b->data[i].addr, b->data[i].hits, b->data[i].hits == 1 ? "" : "s");
}
