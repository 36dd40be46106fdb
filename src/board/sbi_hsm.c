/* sbi_hsm.c - hart state management, chapter 9 of SBI 2.0. */
#include "board/sbi.h"

enum { STARTED = 0, STOPPED = 1, SUSPENDED = 4 };
#define RETENTIVE              0 /* the default retentive suspend type */
#define RETENTIVE_PLATFORM     UINT32_C(0x10000000)
#define NON_RETENTIVE          UINT32_C(0x80000000)
#define NON_RETENTIVE_PLATFORM UINT32_C(0x90000000)

static void changed(struct board_hart *h)
{
    cpu_kick(h->cpu);
    if (h->board->config.changed)
        h->board->config.changed(h->board->config.opaque, h->cpu);
}

static bool is_stopped(const struct board_hart *h)
{
    return h->cpu->halted == CPU_OFF;
}

/* A suspended hart that has gone on is started again. */
static bool is_suspended(const struct board_hart *h)
{
    return h->suspended && h->cpu->halted && h->cpu->pc == h->suspend_pc;
}

/* Enters the supervisor with registers as after reset; the wires into the hart stay what they are.
 */
static void enter(struct board_hart *h, uint64_t pc, uint64_t opaque)
{
    static const uint8_t wires[] = {RV_IRQ_MSI, RV_IRQ_MTI, RV_IRQ_SEI, RV_IRQ_MEI};
    uint64_t lines = rv_of(h->cpu)->mip_lines;

    rv_enter_supervisor(h->cpu, pc, h->index, opaque);
    for (unsigned i = 0; i < ARRAY_LEN(wires); i++)
        if (lines >> wires[i] & 1)
            h->cpu->guest->line(h->cpu, wires[i], true);
    sbi_pmu_reset(h);
}

static int64_t hart_start(struct sbi_args *c)
{
    struct board_hart *h = board_hart(c->board, c->a[0]);
    const struct mem_region *r = mem_find(c->board->config.mem, c->a[1]);

    if (!h)
        return SBI_INVALID_PARAM;
    if (!is_stopped(h))
        return SBI_ALREADY_AVAILABLE;
    if (!r || r->kind != MEM_RAM || c->a[1] & 1)
        return SBI_INVALID_ADDRESS;
    h->suspended = false;
    h->cpu->halted = CPU_RUNS;
    enter(h, c->a[1], c->a[2]);
    changed(h);
    return SBI_SUCCESS;
}

static int64_t hart_stop(struct sbi_args *c)
{
    struct board_hart *h = c->hart;

    rv_of(h->cpu)->mie = 0;
    h->cpu->halted = CPU_OFF;
    h->suspended = false;
    changed(h);
    c->gone = true;
    return SBI_SUCCESS;
}

static int64_t hart_status(struct sbi_args *c)
{
    const struct board_hart *h = board_hart(c->board, c->a[0]);

    if (!h)
        return SBI_INVALID_PARAM;
    c->value = is_stopped(h) ? STOPPED : is_suspended(h) ? SUSPENDED : STARTED;
    return SBI_SUCCESS;
}

/* The retentive kind is a wfi. */
static int64_t hart_suspend(struct sbi_args *c)
{
    struct board_hart *h = c->hart;
    uint32_t type = (uint32_t)c->a[0];

    if (type == NON_RETENTIVE || (type >= RETENTIVE_PLATFORM && type < NON_RETENTIVE) ||
        type >= NON_RETENTIVE_PLATFORM)
        return SBI_NOT_SUPPORTED;
    if (type != RETENTIVE)
        return SBI_INVALID_PARAM; /* reserved */
    h->suspended = true;
    h->suspend_pc = h->cpu->pc;
    h->cpu->halted = CPU_WAITS;
    changed(h);
    return SBI_SUCCESS;
}

int64_t sbi_hsm(struct sbi_args *c)
{
    switch (c->function) {
    case 0:
        return hart_start(c);
    case 1:
        return hart_stop(c);
    case 2:
        return hart_status(c);
    case 3:
        return hart_suspend(c);
    default:
        return SBI_NOT_SUPPORTED;
    }
}
