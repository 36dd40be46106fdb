/* plic.c - see plic.h.  Section numbers are the PLIC specification's. */
#include "dev/plic.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

#define PRIORITY_MASK 7 /* priorities 0 (never) to 7 */

enum {
    PRIORITY = 0x0,
    PENDING = 0x1000,
    ENABLE = 0x2000,
    ENABLE_STRIDE = 0x80,
    CONTEXT = 0x200000,
    CONTEXT_STRIDE = 0x1000,
    CONTEXT_THRESHOLD = 0,
    CONTEXT_CLAIM = 4,
};

struct plic {
    struct dev dev; /* first */
    unsigned ncontexts;
    struct dev_line out;
    uint32_t level[SOURCE_WORDS];   /* the wires */
    uint32_t pending[SOURCE_WORDS]; /* requests that wait to be claimed */
    uint32_t flying[SOURCE_WORDS];  /* gateways that wait for completion, or are pending */
    uint8_t priority[SOURCES + 1];
    uint32_t enable[PLIC_CONTEXTS][SOURCE_WORDS];
    uint8_t threshold[PLIC_CONTEXTS];
    uint32_t raised; /* the output wires, a bit a context */
};

static const struct dev_reg plic_regs[] = {
    {"priority1", PRIORITY + 4, 4, "priority of source 1; source n at 4 * n"},
    {"pending0", PENDING, 4, "pending bits of sources 0 to 31"},
    {"pending1", PENDING + 4, 4, "pending bits of sources 32 to 63"},
    {"pending2", PENDING + 8, 4, "pending bits of sources 64 to 95"},
    {"pending3", PENDING + 12, 4, "pending bits of source 96"},
    {"enable0_0", ENABLE, 4, "sources 0 to 31 for context 0 (hart 0, M-mode)"},
    {"enable1_0", ENABLE + ENABLE_STRIDE, 4, "sources 0 to 31 for context 1 (hart 0, S-mode)"},
    {"threshold0", CONTEXT, 4, "priority threshold of context 0"},
    {"threshold1", CONTEXT + CONTEXT_STRIDE, 4, "priority threshold of context 1"},
    {"claim0", CONTEXT + CONTEXT_CLAIM, 4, "claim and complete of context 0"},
    {"claim1", CONTEXT + CONTEXT_STRIDE + CONTEXT_CLAIM, 4, "claim and complete of context 1"},
    {0},
};

/* The pending and enabled source of the highest priority, the lowest number first; 0: none.
 * The threshold does not matter here.  Sections 8, 9 */
static unsigned best(const struct plic *p, unsigned context)
{
    unsigned found = 0;

    for (unsigned w = 0; w < SOURCE_WORDS; w++)
        for (uint32_t bits = p->pending[w] & p->enable[context][w]; bits; bits &= bits - 1) {
            unsigned n = w * 32 + (unsigned)__builtin_ctz(bits);
            if (p->priority[n] > (found ? p->priority[found] : 0))
                found = n;
        }
    return found;
}

static uint32_t outputs(const struct plic *p)
{
    uint32_t raised = 0;

    for (unsigned c = 0; c < p->ncontexts; c++) {
        unsigned n = best(p, c);
        if (n && p->priority[n] > p->threshold[c])
            raised |= UINT32_C(1) << c;
    }
    return raised;
}

static void update(struct plic *p)
{
    sources_raise(&p->out, &p->raised, outputs(p));
}

/* The gateway: forwards a request if the wire is high and none is under way.  Section 4 */
static void gateway(struct plic *p, unsigned n)
{
    if (!sources_get(p->level, n) || sources_get(p->flying, n))
        return;
    sources_put(p->flying, n, true);
    sources_put(p->pending, n, true);
}

static void source_set(void *opaque, unsigned n, bool level)
{
    struct plic *p = opaque;

    if (sources_get(p->level, n) == level)
        return;
    sources_put(p->level, n, level);
    if (level) {
        gateway(p, n);
        update(p);
    }
}

static uint32_t claim(struct plic *p, unsigned context)
{
    unsigned n = best(p, context);

    if (n) {
        sources_put(p->pending, n, false);
        update(p);
    }
    return n;
}

/* Ignored unless the source is enabled for the context and was claimed.  Section 9 */
static void complete(struct plic *p, unsigned context, uint32_t n)
{
    if (!n || n > SOURCES || !sources_get(p->enable[context], n) || sources_get(p->pending, n))
        return;
    sources_put(p->flying, n, false);
    gateway(p, n);
    update(p);
}

/* A register's value, and for claim registers what a claim would give.  Holes read 0. */
static bool plic_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    struct plic *p = (struct plic *)d;
    unsigned context = (unsigned)((offset - CONTEXT) / CONTEXT_STRIDE);
    unsigned row = (unsigned)((offset - ENABLE) / ENABLE_STRIDE);
    unsigned word = (unsigned)(offset % ENABLE_STRIDE) / 4;

    *value = 0;
    if (size != 4)
        return false;
    if (offset < PENDING) {
        if (offset / 4 <= SOURCES)
            *value = p->priority[offset / 4];
    } else if (offset < ENABLE) {
        if ((offset - PENDING) / 4 < SOURCE_WORDS)
            *value = p->pending[(offset - PENDING) / 4];
    } else if (offset < CONTEXT) {
        if (row < p->ncontexts && word < SOURCE_WORDS)
            *value = p->enable[row][word];
    } else if (context < p->ncontexts) {
        if (offset % CONTEXT_STRIDE == CONTEXT_THRESHOLD)
            *value = p->threshold[context];
        else if (offset % CONTEXT_STRIDE == CONTEXT_CLAIM)
            *value = best(p, context);
    }
    return true;
}

static bool plic_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct plic *p = opaque;
    uint64_t context = (offset - CONTEXT) / CONTEXT_STRIDE;

    if (offset >= CONTEXT && offset % CONTEXT_STRIDE == CONTEXT_CLAIM && context < p->ncontexts) {
        *value = claim(p, (unsigned)context);
        return true;
    }
    return plic_peek(&p->dev, offset, size, value);
}

static void context_write(struct plic *p, unsigned context, unsigned reg, uint32_t value)
{
    if (reg == CONTEXT_THRESHOLD) {
        p->threshold[context] = value & PRIORITY_MASK;
        update(p);
    } else if (reg == CONTEXT_CLAIM) {
        complete(p, context, value);
    }
}

static bool plic_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct plic *p = opaque;
    unsigned row = (unsigned)((offset - ENABLE) / ENABLE_STRIDE);
    unsigned word = (unsigned)(offset % ENABLE_STRIDE) / 4;
    uint64_t context = (offset - CONTEXT) / CONTEXT_STRIDE;

    (void)size;
    if (offset < PENDING) {
        if (offset >= 4 && offset / 4 <= SOURCES)
            p->priority[offset / 4] = value & PRIORITY_MASK;
        update(p);
    } else if (offset >= CONTEXT) {
        if (context < p->ncontexts)
            context_write(p, (unsigned)context, (unsigned)(offset % CONTEXT_STRIDE),
                          (uint32_t)value);
    } else if (offset >= ENABLE && row < p->ncontexts && word < SOURCE_WORDS) {
        p->enable[row][word] = (uint32_t)value & sources_of(word);
        update(p);
    }
    return true;
}

/* The devices behind the wires are reset with it. */
static void plic_reset(struct dev *d)
{
    struct plic *p = (struct plic *)d;

    memset(p->level, 0, sizeof p->level);
    memset(p->pending, 0, sizeof p->pending);
    memset(p->flying, 0, sizeof p->flying);
    memset(p->priority, 0, sizeof p->priority);
    memset(p->enable, 0, sizeof p->enable);
    memset(p->threshold, 0, sizeof p->threshold);
    p->raised = (uint32_t)bits_mask(p->ncontexts); /* so that every wire is driven */
    update(p);
}

static void plic_state(struct dev *d, struct snap *s)
{
    struct plic *p = (struct plic *)d;

    snap_section(s, d->name, 1);
    sources_state(s, "level", p->level);
    sources_state(s, "pending", p->pending);
    sources_state(s, "flying", p->flying);
    snap_bytes(s, "priority", p->priority, sizeof p->priority);
    for (unsigned c = 0; c < p->ncontexts; c++) {
        sources_state(s, "enable", p->enable[c]);
        snap_u8(s, "threshold", &p->threshold[c]);
    }
    if (snap_loading(s)) /* the harts keep what the wires said */
        p->raised = outputs(p);
}

static const struct mem_ops plic_bus = {plic_read, plic_write, 4};

static const struct dev_class plic_class = {
    .name = "sifive-plic",
    .doc = "interrupt controller for devices",
    .regs = plic_regs,
    .bus = &plic_bus,
    .reset = plic_reset,
    .state = plic_state,
    .peek = plic_peek,
};

struct plic *plic_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                      unsigned ncontexts, struct dev_line out)
{
    struct plic *p = xcalloc(1, sizeof *p);

    dev_init(&p->dev, &plic_class, name, mem, clock, (struct dev_line){0}, log);
    p->ncontexts = ncontexts;
    p->out = out;
    return p;
}

struct dev *plic_dev(struct plic *p)
{
    return &p->dev;
}

struct dev_line plic_source(struct plic *p, unsigned n)
{
    return (struct dev_line){source_set, p, n};
}
