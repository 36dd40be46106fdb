/*
 * counters.c - cycle, instret and the event counters (priv 3.1.10 to 3.1.12;
 * Sscofpmf, chapter 17).
 *
 * A cycle is an instruction charged (cpu_count); an instruction retires if it does
 * not trap.  cycle and instret are a base plus an offset, or stand still at the
 * offset while mcountinhibit says so.  An event counter's value is kept as of the
 * last fold, which happens before anything that decides whether it counts changes.
 *
 * Events (mhpmevent bits 31:0): 0 nothing, 1 cycles, 2 instructions.  A counter
 * that overflows does so at its exact count: cpu.alarm asks for a look then.
 */
#include "guest/riscv64/priv.h"

enum { EVENT_NONE, EVENT_CYCLES, EVENT_INSTRUCTIONS };

/* mhpmevent with Sscofpmf. */
#define EVENT_OF   BIT(63)
#define EVENT_MINH BIT(62)
#define EVENT_SINH BIT(61)
#define EVENT_UINH BIT(60)

enum { CYCLE = 0, INSTRET = 2, HPM = 3 };

static uint64_t cycles(const struct rv_cpu *h, bool running)
{
    return cpu_count(&h->cpu) - running;
}

static uint64_t retired(const struct rv_cpu *h, bool running)
{
    return cpu_count(&h->cpu) - running - h->not_retired;
}

/* ---- event counters ---- */

/* Whether event counter i (from 0) counts at the current privilege. */
static bool counts(const struct rv_cpu *h, unsigned i)
{
    uint64_t inhibit = h->priv == RV_M ? EVENT_MINH : h->priv == RV_S ? EVENT_SINH : EVENT_UINH;
    return h->hpm_on >> (i + HPM) & 1 && !(h->hpm_event[i] & inhibit);
}

/* What counter i has counted since the last fold. */
static uint64_t since_fold(const struct rv_cpu *h, unsigned i, bool running)
{
    if (!counts(h, i))
        return 0;
    return (uint32_t)h->hpm_event[i] == EVENT_CYCLES ? cycles(h, running) - h->hpm_cycle
                                                     : retired(h, running) - h->hpm_instret;
}

/* Adds to counter i; overflow sets OF and, if that was clear, raises the interrupt. */
static void count_up(struct rv_cpu *h, unsigned i, uint64_t by)
{
    h->hpm_counter[i] += by;
    if (h->hpm_counter[i] >= by || !rv_has(h, RV_EXT(SSCOFPMF)) || h->hpm_event[i] & EVENT_OF)
        return;
    h->hpm_event[i] |= EVENT_OF;
    h->mip |= RV_MIP_LCOFI;
    rv_check_interrupts(h);
}

static void fold(struct rv_cpu *h, bool running)
{
    for (unsigned i = 0; h->hpm_on && i < RV_HPM_COUNTERS; i++)
        count_up(h, i, since_fold(h, i, running));
    h->hpm_cycle = cycles(h, running);
    h->hpm_instret = retired(h, running);
}

void rv_counters_fold(struct rv_cpu *h)
{
    fold(h, false);
}

/* The count at which counter i, just folded, may overflow.  Instructions may need longer: they are
 * looked at again then. */
static uint64_t overflow_count(const struct rv_cpu *h, unsigned i)
{
    uint64_t left = 0 - h->hpm_counter[i], now = cpu_count(&h->cpu);
    if (!counts(h, i) || h->hpm_event[i] & EVENT_OF || !left || left > UINT64_MAX - now)
        return UINT64_MAX;
    return now + left;
}

/* Folded already. */
static void set_alarm(struct rv_cpu *h)
{
    uint64_t alarm = UINT64_MAX;

    if (h->hpm_on && rv_has(h, RV_EXT(SSCOFPMF))) {
        for (unsigned i = 0; i < RV_HPM_COUNTERS; i++) {
            uint64_t at = overflow_count(h, i);
            alarm = at < alarm ? at : alarm;
        }
    }
    if (alarm != h->cpu.alarm)
        h->cpu.pending = 1;
    h->cpu.alarm = alarm;
}

void rv_counters_rearm(struct rv_cpu *h)
{
    h->hpm_on = 0;
    for (unsigned i = 0; i < RV_HPM_COUNTERS; i++) {
        bool on = (uint32_t)h->hpm_event[i] && !(h->mcountinhibit >> (i + HPM) & 1);
        h->hpm_on |= (uint32_t)on << (i + HPM);
    }
    set_alarm(h);
}

void rv_alarm_due(struct cpu *c)
{
    fold(rv_of(c), false);
    set_alarm(rv_of(c));
}

/* Events and filters that there are not read as 0. */
void rv_counter_event(struct rv_cpu *h, unsigned n, uint64_t event)
{
    uint64_t mask =
        rv_has(h, RV_EXT(SSCOFPMF)) ? EVENT_OF | EVENT_MINH | EVENT_SINH | EVENT_UINH : 0;
    uint32_t id = (uint32_t)event;

    fold(h, false);
    h->hpm_event[n - HPM] = (event & mask) | (id <= EVENT_INSTRUCTIONS ? id : EVENT_NONE);
    rv_counters_rearm(h);
}

/* ---- all of them ---- */

/* cycle's or instret's base. */
static uint64_t base(const struct rv_cpu *h, unsigned n, bool running)
{
    if (h->mcountinhibit >> n & 1)
        return 0;
    return n == CYCLE ? cycles(h, running) : retired(h, running);
}

uint64_t rv_counter_read(const struct rv_cpu *h, unsigned n, bool running)
{
    if (n < HPM)
        return base(h, n, running) + (n == CYCLE ? h->cycle_offset : h->instret_offset);
    return h->hpm_counter[n - HPM] + since_fold(h, n - HPM, running);
}

/* The instruction that writes does not count: the next one reads what was written (priv 3.1.10). */
void rv_counter_write(struct rv_cpu *h, unsigned n, uint64_t value)
{
    if (n == CYCLE) {
        h->cycle_offset = value - base(h, n, false);
    } else if (n == INSTRET) {
        h->instret_offset = value - base(h, n, false);
    } else {
        fold(h, false);
        h->hpm_counter[n - HPM] = value;
        set_alarm(h);
    }
}

void rv_counters_inhibit(struct rv_cpu *h, uint64_t mask)
{
    uint64_t cycle = rv_counter_read(h, CYCLE, false);
    uint64_t instret = rv_counter_read(h, INSTRET, false);

    fold(h, false);
    h->mcountinhibit = mask;
    rv_counter_write(h, CYCLE, cycle);
    rv_counter_write(h, INSTRET, instret);
    rv_counters_rearm(h);
}
