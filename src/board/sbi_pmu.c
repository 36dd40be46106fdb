/*
 * sbi_pmu.c - performance monitoring, chapter 11 of SBI 2.0.
 *
 * A counter's number is its CSR's distance from `cycle`: 0 cycle, 2 instret, 3 to
 * 31 the hart's event counters, which count cycles or instructions by
 * privilege.  There are no firmware counters.
 */
#include "board/sbi.h"

enum { CYCLE = 0, TIME = 1, INSTRET = 2, HPM = 3 };
enum { CSR_CYCLE = 0xc00, CSR_MCOUNTINHIBIT = 0x320, CSR_MHPMEVENT = 0x320, CSR_MCYCLE = 0xb00 };
enum { EVENT_CYCLES = 1, EVENT_INSTRUCTIONS = 2 };

/* mhpmevent, Sscofpmf; the event's number is SBI's. */
#define OVERFLOWED BIT(63)
#define INHIBIT_M  BIT(62)
#define INHIBIT_S  BIT(61)
#define INHIBIT_U  BIT(60)

/* 11.5: flags of config_matching. */
enum {
    SKIP_MATCH = 1,
    CLEAR_VALUE = 2,
    AUTO_START = 4,
    SET_UINH = 32,
    SET_SINH = 64,
};

static uint64_t get(const struct board_hart *h, unsigned csr)
{
    uint64_t v = 0;

    rv_csr_peek(rv_of(h->cpu), csr, &v);
    return v;
}

static void put(struct board_hart *h, unsigned csr, uint64_t v)
{
    rv_csr_poke(rv_of(h->cpu), csr, v);
}

static bool exists(uint64_t n)
{
    return n < SBI_COUNTERS && n != TIME;
}

static bool running(const struct board_hart *h, unsigned n)
{
    return !(get(h, CSR_MCOUNTINHIBIT) >> n & 1);
}

/* Starting an event counter also lets it announce an overflow. */
static void run(struct board_hart *h, unsigned n, bool on)
{
    uint64_t inhibit = get(h, CSR_MCOUNTINHIBIT);

    if (on && n >= HPM)
        put(h, CSR_MHPMEVENT + n, get(h, CSR_MHPMEVENT + n) & ~OVERFLOWED);
    put(h, CSR_MCOUNTINHIBIT, on ? inhibit & ~BIT(n) : inhibit | BIT(n));
}

/* The counters that base and mask name; false if one does not exist. */
static bool counter_set(uint64_t base, uint64_t mask, uint64_t *set)
{
    *set = base < SBI_COUNTERS ? mask << base : 0;
    return base < SBI_COUNTERS && *set >> base == mask &&
           !(*set & ~(bits_mask(SBI_COUNTERS) & ~BIT(TIME)));
}

static int64_t counter_info(struct sbi_args *c)
{
    enum { WIDTH_SHIFT = 12, WIDTH = 64 };

    if (!exists(c->a[0]))
        return SBI_INVALID_PARAM;
    c->value = (CSR_CYCLE + c->a[0]) | (WIDTH - 1) << WIDTH_SHIFT;
    return SBI_SUCCESS;
}

/* A free counter of the set for an event.  Those with overflow interrupts come first; the fixed
 * ones cannot tell privileges apart. */
static int pick(const struct board_hart *h, uint64_t set, uint32_t event, uint64_t flags)
{
    unsigned fixed = event == EVENT_CYCLES ? CYCLE : INSTRET;
    bool filters = rv_of(h->cpu)->ext & RV_EXT(SSCOFPMF), filtered = flags & (SET_UINH | SET_SINH);
    bool use_fixed = set >> fixed & 1 && h->event[fixed] == SBI_NO_EVENT && !filtered;

    if (use_fixed && !filters)
        return (int)fixed;
    for (unsigned n = HPM; n < SBI_COUNTERS && (filters || !filtered); n++)
        if (set >> n & 1 && h->event[n] == SBI_NO_EVENT)
            return (int)n;
    return use_fixed ? (int)fixed : -1;
}

/* The counter stands still from here on.  With overflow marked, none is announced until it is
 * started. */
static void assign(struct board_hart *h, unsigned n, uint32_t event, uint64_t flags)
{
    run(h, n, false);
    h->event[n] = event;
    if (n >= HPM)
        put(h, CSR_MHPMEVENT + n,
            event | OVERFLOWED | INHIBIT_M | (flags & SET_UINH ? INHIBIT_U : 0) |
                (flags & SET_SINH ? INHIBIT_S : 0));
}

static int64_t config_matching(struct sbi_args *c)
{
    struct board_hart *h = c->hart;
    uint64_t flags = c->a[2], set;
    int n;

    if (!counter_set(c->a[0], c->a[1], &set) || !set)
        return SBI_INVALID_PARAM;
    if (flags & SKIP_MATCH) { /* the set is one counter that was configured before */
        n = __builtin_ctzll(set);
        if (h->event[n] == SBI_NO_EVENT)
            return SBI_INVALID_PARAM;
    } else {
        if (c->a[3] != EVENT_CYCLES && c->a[3] != EVENT_INSTRUCTIONS)
            return SBI_NOT_SUPPORTED;
        n = pick(h, set, (uint32_t)c->a[3], flags);
        if (n < 0)
            return SBI_NOT_SUPPORTED;
        assign(h, (unsigned)n, (uint32_t)c->a[3], flags);
    }
    if (flags & CLEAR_VALUE)
        put(h, CSR_MCYCLE + (unsigned)n, 0);
    if (flags & AUTO_START)
        run(h, (unsigned)n, true);
    c->value = (uint64_t)n;
    return SBI_SUCCESS;
}

static int64_t counter_start(struct sbi_args *c)
{
    enum { SET_VALUE = 1, FROM_SNAPSHOT = 2 };
    int64_t result = SBI_SUCCESS;
    uint64_t set;

    if (!counter_set(c->a[0], c->a[1], &set) || c->a[2] & ~UINT64_C(3))
        return SBI_INVALID_PARAM;
    if (c->a[2] & FROM_SNAPSHOT)
        return SBI_NOT_SUPPORTED;
    for (; set; set &= set - 1) {
        unsigned n = (unsigned)__builtin_ctzll(set);
        if (c->a[2] & SET_VALUE)
            put(c->hart, CSR_MCYCLE + n, c->a[3]);
        if (running(c->hart, n))
            result = SBI_ALREADY_STARTED;
        run(c->hart, n, true);
    }
    return result;
}

static int64_t counter_stop(struct sbi_args *c)
{
    enum { RESET = 1, TAKE_SNAPSHOT = 2 };
    int64_t result = SBI_SUCCESS;
    uint64_t set;

    if (!counter_set(c->a[0], c->a[1], &set) || c->a[2] & ~UINT64_C(3))
        return SBI_INVALID_PARAM;
    if (c->a[2] & TAKE_SNAPSHOT)
        return SBI_NOT_SUPPORTED;
    for (; set; set &= set - 1) {
        unsigned n = (unsigned)__builtin_ctzll(set);
        if (!running(c->hart, n))
            result = SBI_ALREADY_STOPPED;
        run(c->hart, n, false);
        if (c->a[2] & RESET) {
            c->hart->event[n] = SBI_NO_EVENT;
            if (n >= HPM)
                put(c->hart, CSR_MHPMEVENT + n, 0);
        }
    }
    return result;
}

int64_t sbi_pmu(struct sbi_args *c)
{
    switch (c->function) {
    case 0:
        c->value = SBI_COUNTERS;
        return SBI_SUCCESS;
    case 1:
        return counter_info(c);
    case 2:
        return config_matching(c);
    case 3:
        return counter_start(c);
    case 4:
        return counter_stop(c);
    case 5: /* firmware counters, of which there are none */
    case 6:
        return SBI_INVALID_PARAM;
    default:
        return SBI_NOT_SUPPORTED;
    }
}

void sbi_pmu_reset(struct board_hart *h)
{
    for (unsigned n = 0; n < SBI_COUNTERS; n++)
        h->event[n] = SBI_NO_EVENT;
}
