/* sbi.c - calls of the built-in firmware: base, time, IPI, remote fences, system reset, console,
 * and the legacy ones.  Chapters are those of SBI 2.0. */
#include "board/sbi.h"

#include "dev/ticks.h"

/* 4.9 lists the numbers of implementations; this one is not among them. */
#define SBI_IMPL_ID      UINT64_C(0x474c4f56)
#define SBI_IMPL_VERSION 1
#define SBI_SPEC_VERSION (UINT64_C(2) << 24)

enum { CSR_STIMECMP = 0x14d, CSR_MVENDORID = 0xf11, CSR_MARCHID = 0xf12, CSR_MIMPID = 0xf13 };

enum { A0 = 10, A1 = 11, A6 = 16, A7 = 17 };

/* ---- chapter 4: base ---- */

static bool known(uint64_t extension);

static uint64_t csr_of(const struct board_hart *h, unsigned csr)
{
    uint64_t v = 0;

    rv_csr_peek(rv_of(h->cpu), csr, &v);
    return v;
}

static int64_t sbi_base(struct sbi_args *c)
{
    switch (c->function) {
    case 0:
        c->value = SBI_SPEC_VERSION;
        return SBI_SUCCESS;
    case 1:
        c->value = SBI_IMPL_ID;
        return SBI_SUCCESS;
    case 2:
        c->value = SBI_IMPL_VERSION;
        return SBI_SUCCESS;
    case 3:
        c->value = known(c->a[0]);
        return SBI_SUCCESS;
    case 4:
        c->value = csr_of(c->hart, CSR_MVENDORID);
        return SBI_SUCCESS;
    case 5:
        c->value = csr_of(c->hart, CSR_MARCHID);
        return SBI_SUCCESS;
    case 6:
        c->value = csr_of(c->hart, CSR_MIMPID);
        return SBI_SUCCESS;
    default:
        return SBI_NOT_SUPPORTED;
    }
}

/* ---- chapter 6: timer ---- */

static void sti(struct board_hart *h, bool level)
{
    h->cpu->guest->line(h->cpu, RV_IRQ_STI, level);
}

static void timer_fire(void *opaque)
{
    sti(opaque, true);
}

/* With Sstc the hart's own comparator is set, as the supervisor itself could. */
static void set_timer(struct board_hart *h, uint64_t tick)
{
    struct rv_cpu *cpu = rv_of(h->cpu);
    uint64_t old;

    if (cpu->ext & RV_EXT(SSTC)) {
        rv_csr_access(cpu, CSR_STIMECMP, RV_CSR_RW, true, tick, &old);
        return;
    }
    h->sbi_tick = tick;
    sti(h, false);
    clock_set(h->board->config.clock, &h->sbi_timer, clint_when(h->board->clint, tick));
}

static int64_t sbi_time(struct sbi_args *c)
{
    if (c->function != 0)
        return SBI_NOT_SUPPORTED;
    set_timer(c->hart, c->a[0]);
    return SBI_SUCCESS;
}

/* ---- chapters 7 and 8: inter-processor interrupts, remote fences ---- */

/* 3.1: the harts that mask and base name, as bits; base -1 is all.  False: one does not exist. */
static bool hart_set(const struct board *b, uint64_t mask, uint64_t base, uint64_t *set)
{
    uint64_t all = bits_mask(b->attached);

    *set = all;
    if (base == UINT64_MAX)
        return true;
    *set = base < b->attached ? mask << base : 0;
    return base < b->attached && *set >> base == mask && !(*set & ~all);
}

static int64_t sbi_ipi(struct sbi_args *c)
{
    uint64_t set;

    if (c->function != 0)
        return SBI_NOT_SUPPORTED;
    if (!hart_set(c->board, c->a[0], c->a[1], &set))
        return SBI_INVALID_PARAM;
    for (unsigned i = 0; i < c->board->attached; i++) {
        struct board_hart *h = &c->board->hart[i];
        if (set >> i & 1 && h->cpu->halted != CPU_OFF)
            h->cpu->guest->line(h->cpu, RV_IRQ_SSI, true);
    }
    return SBI_SUCCESS;
}

/* Translations are dropped by the stores that change them, so that nothing is left to do. */
static int64_t sbi_rfence(struct sbi_args *c)
{
    enum { FENCE_I, SFENCE_VMA, SFENCE_VMA_ASID };
    uint64_t set;

    if (c->function > SFENCE_VMA_ASID)
        return SBI_NOT_SUPPORTED; /* the others are for hypervisors */
    return hart_set(c->board, c->a[0], c->a[1], &set) ? SBI_SUCCESS : SBI_INVALID_PARAM;
}

/* ---- chapter 10: system reset ---- */

static int64_t sbi_srst(struct sbi_args *c)
{
    enum { SHUTDOWN, COLD_REBOOT, WARM_REBOOT };
    enum { NO_REASON, SYSTEM_FAILURE, VENDOR_REASONS = 0xe0000000u, VENDOR_TYPES = 0xf0000000u };
    uint32_t type = (uint32_t)c->a[0], reason = (uint32_t)c->a[1];

    if (c->function != 0 || type >= VENDOR_TYPES)
        return SBI_NOT_SUPPORTED;
    if (type > WARM_REBOOT || (reason > SYSTEM_FAILURE && reason < VENDOR_REASONS))
        return SBI_INVALID_PARAM;
    if (type != SHUTDOWN)
        board_ended(c->board, BOARD_REBOOT, 0);
    else if (reason == SYSTEM_FAILURE)
        board_ended(c->board, BOARD_FAILED, 1);
    else
        board_ended(c->board, BOARD_POWEROFF, 0);
    return SBI_SUCCESS;
}

/* ---- chapter 12: debug console ---- */

#define DBCN_MAX 65536 /* bytes in one call; fewer than asked for may be done */

/* Memory of the console's buffer, of which *len may be cut short; NULL: not all in RAM. */
static void *dbcn_memory(const struct sbi_args *c, uint64_t *len, bool write)
{
    uint64_t low = c->a[1], high = c->a[2];

    *len = c->a[0];
    if (high || !mem_host(c->board->config.mem, low, *len, write))
        return NULL;
    if (*len > DBCN_MAX)
        *len = DBCN_MAX;
    return mem_host(c->board->config.mem, low, *len, write);
}

static int64_t dbcn_write(struct sbi_args *c)
{
    uint64_t len;
    const void *data = dbcn_memory(c, &len, false);

    if (c->a[0] && !data)
        return SBI_INVALID_PARAM;
    if (c->a[0])
        uart16550_send(c->board->uart, data, len);
    c->value = c->a[0] ? len : 0;
    return SBI_SUCCESS;
}

static int64_t dbcn_read(struct sbi_args *c)
{
    uint64_t len;
    void *data = dbcn_memory(c, &len, true);

    if (c->a[0] && !data)
        return SBI_INVALID_PARAM;
    if (c->a[0]) {
        c->value = uart16550_take(c->board->uart, data, len);
        if (c->value)
            mem_wrote(c->board->config.mem, c->a[1], c->value);
    }
    return SBI_SUCCESS;
}

int64_t sbi_dbcn(struct sbi_args *c)
{
    uint8_t byte = (uint8_t)c->a[0];

    switch (c->function) {
    case 0:
        return dbcn_write(c);
    case 1:
        return dbcn_read(c);
    case 2:
        uart16550_send(c->board->uart, &byte, 1);
        return SBI_SUCCESS;
    default:
        return SBI_NOT_SUPPORTED;
    }
}

/* ---- chapter 5: legacy; the result is a0 alone ---- */

static int64_t legacy_timer(struct sbi_args *c)
{
    set_timer(c->hart, c->a[0]);
    return 0;
}

static int64_t legacy_putchar(struct sbi_args *c)
{
    uint8_t byte = (uint8_t)c->a[0];

    uart16550_send(c->board->uart, &byte, 1);
    return 0;
}

static int64_t legacy_getchar(struct sbi_args *c)
{
    uint8_t byte;

    return uart16550_take(c->board->uart, &byte, 1) ? byte : -1;
}

static int64_t legacy_shutdown(struct sbi_args *c)
{
    board_ended(c->board, BOARD_POWEROFF, 0);
    return 0;
}

/* ---- all of them ---- */

struct extension {
    uint64_t id;
    int64_t (*call)(struct sbi_args *c);
};

static const struct extension extensions[] = {
    {0x10, sbi_base},         {0x54494d45, sbi_time}, /* "TIME" */
    {0x735049, sbi_ipi},                              /* "sPI" */
    {0x52464e43, sbi_rfence},                         /* "RFNC" */
    {0x48534d, sbi_hsm},                              /* "HSM" */
    {0x53525354, sbi_srst},                           /* "SRST" */
    {0x504d55, sbi_pmu},                              /* "PMU" */
    {0x4442434e, sbi_dbcn},                           /* "DBCN" */
    {0x00, legacy_timer},     {0x01, legacy_putchar},
    {0x02, legacy_getchar},   {0x08, legacy_shutdown},
};
#define LEGACY_LAST 0x0f

static const struct extension *find(uint64_t id)
{
    for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
        if (extensions[i].id == id)
            return &extensions[i];
    return NULL;
}

static bool known(uint64_t extension)
{
    return find(extension) != NULL;
}

bool sbi_call(struct board *b, struct cpu *c)
{
    const struct extension *x = find(rv_x(c, A7));
    struct sbi_args args = {.board = b, .hart = &b->hart[c->index], .function = rv_x(c, A6)};
    int64_t error = SBI_NOT_SUPPORTED;

    if (rv_of(c)->priv != RV_S)
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(args.a); i++)
        args.a[i] = rv_x(c, A0 + i);
    if (x)
        error = x->call(&args);
    if (args.gone)
        return true;
    rv_set_x(c, A0, (uint64_t)error);
    if (!x || x->id > LEGACY_LAST)
        rv_set_x(c, A1, args.value);
    return true;
}

void sbi_init(struct board *b)
{
    for (unsigned i = 0; i < BOARD_CPUS; i++)
        clock_event_init(&b->hart[i].sbi_timer, timer_fire, &b->hart[i]);
}

void sbi_reset(struct board *b, uint64_t entry, uint64_t dtb)
{
    uart16550_setup(b->uart);
    if (b->aplic[VIRT_M])
        aplic_delegate(b->aplic[VIRT_M]);
    for (unsigned i = 0; i < b->attached; i++) {
        struct board_hart *h = &b->hart[i];

        h->suspended = false;
        h->suspend_pc = 0;
        h->sbi_tick = UINT64_MAX;
        clock_cancel(b->config.clock, &h->sbi_timer);
        sbi_pmu_reset(h);
        h->cpu->halted = i ? CPU_OFF : CPU_RUNS;
    }
    rv_enter_supervisor(b->hart[0].cpu, entry, 0, dtb);
}

void sbi_state(struct board *b, struct snap *s)
{
    snap_section(s, "sbi", 2);
    for (unsigned i = 0; i < b->attached; i++) {
        struct board_hart *h = &b->hart[i];

        snap_bool(s, "suspended", &h->suspended);
        snap_u64(s, "suspend_pc", &h->suspend_pc);
        snap_u64(s, "tick", &h->sbi_tick);
        dev_snap_event(s, "timer", b->config.clock, &h->sbi_timer);
        for (unsigned n = 0; n < SBI_COUNTERS; n++)
            snap_u32(s, "event", &h->event[n]);
    }
}
