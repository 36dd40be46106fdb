/* machine.c - windows, turns and time. */
#include "machine/machine.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "cpu/debug.h"
#include "host/host_clock.h"
#include "machine/machine_impl.h"

#define NS_PER_SEC UINT64_C(1000000000)
#define RATE       UINT64_C(1000000000)
#define RATE_MAX   UINT64_C(1000000000000)
/* The longest windows, in instructions: between two of them host doors are polled, and other CPUs
 * wait for them. */
#define SLICE_ALONE    1000000
#define SLICE_SHARED   50000
#define SLICE_REALTIME 50000
#define SLICE_MAX      1000000000
/* With several CPUs: what a CPU has reserved is lost at its turn's end, so that a turn has room for
 * lr, sc and the way between them. */
#define SLICE_MIN 100

static const struct guest *const guests[] = {
    &guest_riscv64,
};

/* ---- time ---- */

uint64_t machine_ns(const struct machine *m, uint64_t tick)
{
    unsigned __int128 ns = (unsigned __int128)tick * NS_PER_SEC / m->config.rate;
    return ns >= CLOCK_NEVER ? CLOCK_NEVER - 1 : (uint64_t)ns;
}

uint64_t machine_tick(const struct machine *m, uint64_t ns)
{
    unsigned __int128 tick = ((unsigned __int128)ns * m->config.rate + NS_PER_SEC - 1) / NS_PER_SEC;
    return ns == CLOCK_NEVER || tick > UINT64_MAX ? UINT64_MAX : (uint64_t)tick;
}

/* The tick at which the turn's CPU is; between turns, that at which the window starts. */
static uint64_t now_tick(const struct machine *m)
{
    return m->open && m->begun ? cpu_count(m->cpu[m->turn]) + m->shift[m->turn] : m->start;
}

uint64_t machine_now(const struct machine *m)
{
    return now_tick(m);
}

uint64_t machine_time(const struct machine *m)
{
    return m->live ? host_monotonic_ns() + m->host_offset : machine_ns(m, now_tick(m));
}

static uint64_t clock_time(void *opaque)
{
    return machine_time(opaque);
}

/* Brings the running CPU's run to an end at tick `end` at the latest. */
static void shorten_run(struct machine *m, uint64_t end)
{
    struct cpu *c = m->running;
    int64_t target = (int64_t)(end - m->shift[c->index]);

    if (c->count_end <= target)
        return;
    c->budget -= c->count_end - target;
    c->count_end = target;
    c->pending = 1;
}

/* The open window ends at `end`, or now if that has passed. */
static void shorten(struct machine *m, uint64_t end)
{
    uint64_t now = now_tick(m);

    if (end < now)
        end = now;
    if (!m->open || !m->running || end >= m->end)
        return;
    m->end = end;
    m->count.shortened++;
    shorten_run(m, end);
}

/* The clock's earliest event moved forward.  In real time ticks are no measure of events. */
static void sooner(void *opaque)
{
    struct machine *m = opaque;

    if (!m->live)
        shorten(m, machine_tick(m, clock_next(&m->clock)));
}

/* ---- what the board tells ---- */

static void ended(void *opaque, enum board_end how, unsigned code)
{
    struct machine *m = opaque;

    if (m->how != BOARD_RUNNING)
        return; /* the first one counts */
    m->how = how;
    m->code = code;
    if (m->running) {
        m->running->quit = 1;
        m->running->pending = 1;
    }
}

/* A CPU that has no part in this window, or no longer, may go on: the window ends, so that it need
 * not wait. */
static void changed(void *opaque, struct cpu *c)
{
    struct machine *m = opaque;

    if (c != m->running && (c->halted || !(m->awake >> c->index & 1)))
        shorten(m, 0);
}

/* ---- life ---- */

static const struct guest *find_guest(const char *name, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(guests); i++)
        if (!strcmp(guests[i]->name, name))
            return guests[i];
    err_set(e, EINVAL, "%.40s: there is no such guest; there is: %s", name, guests[0]->name);
    return NULL;
}

static int set_config(struct machine *m, const struct machine_config *config, struct err *e)
{
    struct machine_config *c = &m->config;

    *c = *config;
    if (!c->rate)
        c->rate = RATE;
    if (!c->slice)
        c->slice = c->realtime ? SLICE_REALTIME : c->board.ncpus > 1 ? SLICE_SHARED : SLICE_ALONE;
    if (c->rate > RATE_MAX)
        return err_set(e, EINVAL, "the rate is 1 to 10^12 instructions a second, not %" PRIu64,
                       c->rate);
    if (c->slice > SLICE_MAX)
        return err_set(e, EINVAL, "the slice is 1 to 10^9 instructions, not %" PRIu64, c->slice);
    if (c->board.ncpus > 1 && c->slice < SLICE_MIN)
        return err_set(e, EINVAL, "with several CPUs the slice is at least %d, not %" PRIu64,
                       SLICE_MIN, c->slice);
    m->guest = find_guest(c->guest, e);
    return m->guest ? 0 : -EINVAL;
}

static int make_cpus(struct machine *m, struct err *e)
{
    const struct machine_config *c = &m->config;

    for (unsigned i = 0; i < c->board.ncpus; i++) {
        struct cpu_config config = {m->guest, i, c->board.ncpus, m->mem, c->tlb, c->isa};
        m->cpu[i] = cpu_new(&config, e);
        if (!m->cpu[i])
            return -EINVAL;
        board_attach(m->board, m->cpu[i]);
    }
    return 0;
}

static int make_accel(struct machine *m, struct err *e)
{
    struct accel_config config = m->config.accel;

    config.guest = m->guest;
    config.mem = m->mem;
    config.ncpus = m->config.board.ncpus;
    m->accel = accel_new(m->config.engine, &config, e);
    return m->accel ? 0 : -EINVAL;
}

static int make(struct machine *m, const struct machine_config *config, struct err *e)
{
    struct board_config *board = &m->config.board;
    int rc = set_config(m, config, e);

    if (rc)
        return rc;
    rc = host_wake_init(&m->wake, e);
    if (rc)
        return rc;
    m->wake_made = true;
    m->mem = mem_new();
    board->mem = m->mem;
    board->clock = &m->clock;
    board->ended = ended;
    board->changed = changed;
    board->opaque = m;
    m->board = board_new(board, e);
    if (!m->board)
        return -EINVAL;
    rc = make_cpus(m, e);
    if (!rc)
        rc = make_accel(m, e);
    return rc ? rc : machine_reset(m, e);
}

struct machine *machine_new(const struct machine_config *config, struct err *e)
{
    struct machine *m = xcalloc(1, sizeof *m);

    clock_init(&m->clock, clock_time, sooner, m);
    if (make(m, config, e)) {
        machine_free(m);
        return NULL;
    }
    return m;
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    accel_free(m->accel);
    board_free(m->board);
    for (unsigned i = 0; i < BOARD_CPUS; i++)
        cpu_free(m->cpu[i]);
    clock_fini(&m->clock);
    machine_hash_fini(m);
    mem_free(m->mem);
    if (m->wake_made)
        host_wake_fini(&m->wake);
    vec_fini(&m->doors);
    vec_fini(&m->watched);
    free(m);
}

int machine_reset(struct machine *m, struct err *e)
{
    m->start = m->end = 0;
    m->open = m->begun = false;
    m->turn = 0;
    m->awake = 0;
    m->how = BOARD_RUNNING;
    m->code = 0;
    for (unsigned i = 0; i < m->config.board.ncpus; i++) {
        struct cpu *c = m->cpu[i];
        m->shift[i] = 0;
        c->count_end = c->budget = 0;
        c->ahead = 0;
    }
    int rc = board_reset(m->board, e);
    m->accel->ops->flush(m->accel);
    return rc;
}

/* ---- waiting ---- */

/* Waits until the host's clock is at `until`, a door may have something, or somebody wakes the
 * machine. */
static void wait_host(struct machine *m, uint64_t until)
{
    struct dev_wait *w = &m->doors;
    uint64_t now = host_monotonic_ns();

    m->count.waits++;
    w->len = 0;
    w->ns = UINT64_MAX;
    dev_wait_fd(w, m->wake.fd, POLLIN);
    board_wait(m->board, w);
    if (now < until && w->ns < until - now)
        until = now + w->ns;
    host_wait(w->data, (unsigned)w->len, until);
    host_wake_clear(&m->wake);
}

/* Time passes to `next` as slowly as on the wall, but no further than to when somebody woke the
 * machine.  The tick at which that was. */
static uint64_t wait_paced(struct machine *m, uint64_t next)
{
    uint64_t began = host_monotonic_ns(), now = machine_time(m), past;
    uint64_t left = next == CLOCK_NEVER ? HOST_NEVER : next - now;

    wait_host(m, left >= HOST_NEVER - began ? HOST_NEVER : began + left);
    past = host_monotonic_ns() - began;
    return machine_tick(m, past < left ? now + past : next);
}

static void wait_realtime(struct machine *m, uint64_t next)
{
    wait_host(m, next == CLOCK_NEVER ? HOST_NEVER : next - m->host_offset);
}

/* The tick at which idle time ends: that of the next event, `due` (UINT64_MAX: none), or before it.
 * Each wait takes a tick, so that no two looks at doors are at the same one. */
static uint64_t idle_end(struct machine *m, uint64_t due)
{
    const struct machine_idle *idle = &m->config.idle;
    uint64_t to;

    if (due == m->start)
        due++;
    to = due;
    if (idle->replay)
        return idle->replay(idle->opaque, m->start, due);
    if (m->config.paced) {
        to = wait_paced(m, clock_next(&m->clock));
    } else if (due == UINT64_MAX) {
        wait_host(m, HOST_NEVER);
        to = m->start;
    }
    if (to == m->start)
        to++;
    if (to < due && idle->ended)
        idle->ended(idle->opaque, m->start, to);
    return to;
}

/* All CPUs wait.  False: for ever. */
static bool pass_idle_time(struct machine *m)
{
    uint64_t next = clock_next(&m->clock), before = machine_time(m), to = m->start;

    if (next == CLOCK_NEVER && !board_doors(m->board))
        return false;
    if (m->live)
        wait_realtime(m, next);
    else
        to = idle_end(m, machine_tick(m, next));
    if (to == UINT64_MAX)
        return false;
    m->start = m->end = to;
    m->count.idle_ns += machine_time(m) - before;
    return true;
}

/* ---- windows ---- */

/* In real time the window starts where the host's clock is, for all CPUs. */
static void follow_host(struct machine *m)
{
    uint64_t tick = machine_tick(m, machine_time(m));

    if (tick > m->start)
        m->start = m->end = tick;
    for (unsigned i = 0; i < m->config.board.ncpus; i++)
        m->shift[i] = m->start - cpu_count(m->cpu[i]);
}

/* A CPU that waited is as far as the window's start. */
static void catch_up(struct machine *m, unsigned i)
{
    uint64_t count = cpu_count(m->cpu[i]);

    if (count + m->shift[i] < m->start)
        m->shift[i] = m->start - count;
}

/* Between windows: what is due happens, and the next one is opened.  False: all CPUs wait. */
static bool open_window(struct machine *m)
{
    uint64_t next;

    if (m->live)
        follow_host(m);
    clock_run(&m->clock, machine_time(m));
    board_poll(m->board);
    m->awake = 0;
    for (unsigned i = 0; i < m->config.board.ncpus; i++)
        if (!m->cpu[i]->halted || m->cpu[i]->pending)
            m->awake |= (uint32_t)BIT(i) & ~m->frozen;
    if (!m->awake)
        return false;
    next = m->live ? UINT64_MAX : machine_tick(m, clock_next(&m->clock));
    m->end = next - m->start < m->config.slice ? next : m->start + m->config.slice;
    m->turn = 0;
    m->begun = false;
    m->open = true;
    m->count.windows++;
    return true;
}

static void next_turn(struct machine *m)
{
    m->begun = false;
    if (++m->turn < m->config.board.ncpus)
        return;
    m->turn = 0;
    m->open = false;
    m->start = m->end;
}

static void begin_turn(struct machine *m, struct cpu *c)
{
    m->begun = true;
    if (m->config.board.ncpus > 1)
        c->guest->switched(c);
    if (m->awake >> c->index & 1)
        catch_up(m, c->index);
}

/* Runs the turn's CPU on, by at most `most` instructions.  A turn that is over passes to the next
 * CPU, or closes the window.  False: a debugger's stop. */
static bool run_turn(struct machine *m, uint64_t most)
{
    struct cpu *c = m->cpu[m->turn];
    uint64_t count = cpu_count(c), goal;
    enum accel_stop stop;
    bool stopped;

    if (!m->begun)
        begin_turn(m, c);
    goal = m->end - m->shift[m->turn];
    if (!((m->awake & ~m->frozen) >> m->turn & 1) || (int64_t)(goal - count) <= 0) {
        next_turn(m);
        return true;
    }
    if (c->alarm <= count)
        c->guest->alarm_due(c);
    if (goal - count > most)
        goal = count + most;
    if (goal > c->alarm)
        goal = c->alarm;
    c->count_end = (int64_t)goal;
    c->budget = (int64_t)(goal - count);
    m->running = c;
    stop = m->accel->ops->run(m->accel, c);
    m->running = NULL;
    c->count_end = (int64_t)cpu_count(c);
    c->budget = 0;
    c->quit = 0;
    if (stop == ACCEL_HALT) {
        m->awake &= ~(uint32_t)BIT(m->turn);
        next_turn(m);
    }
    stopped = c->stopped;
    c->stopped = 0;
    return stop != ACCEL_BREAK && !stopped;
}

static enum machine_stop run(struct machine *m, uint64_t until)
{
    for (;;) {
        uint64_t count = machine_count(m);

        if (m->how != BOARD_RUNNING)
            return MACHINE_ENDED;
        if (count >= until)
            return MACHINE_COUNT;
        if (atomic_exchange(&m->interrupted, false))
            return MACHINE_INTERRUPTED;
        if (m->break_wanted) {
            m->break_wanted = false;
            return MACHINE_BREAK;
        }
        if (m->open) {
            if (!run_turn(m, until - count))
                return MACHINE_BREAK;
        } else if (!open_window(m) && m->how == BOARD_RUNNING && !pass_idle_time(m)) {
            return MACHINE_IDLE;
        }
    }
}

enum machine_stop machine_run(struct machine *m, uint64_t until)
{
    enum machine_stop stop;

    if (m->config.realtime) {
        m->host_offset = machine_time(m) - host_monotonic_ns();
        m->live = true;
    }
    m->in_run = true;
    stop = run(m, until);
    m->in_run = false;
    if (m->config.realtime) {
        follow_host(m);
        m->live = false;
    }
    return stop;
}

void machine_interrupt(struct machine *m)
{
    atomic_store(&m->interrupted, true);
    host_wake_post(&m->wake);
}

void machine_wake(struct machine *m)
{
    host_wake_post(&m->wake);
}

/* ---- questions ---- */

uint64_t machine_count(const struct machine *m)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < m->config.board.ncpus; i++)
        count += cpu_count(m->cpu[i]);
    return count;
}

const struct machine_config *machine_config(const struct machine *m)
{
    return &m->config;
}

unsigned machine_ncpus(const struct machine *m)
{
    return m->config.board.ncpus;
}

struct cpu *machine_cpu(const struct machine *m, unsigned index)
{
    assert(index < m->config.board.ncpus);
    return m->cpu[index];
}

const struct guest *machine_guest(const struct machine *m)
{
    return m->guest;
}

struct mem *machine_mem(const struct machine *m)
{
    return m->mem;
}

struct board *machine_board(const struct machine *m)
{
    return m->board;
}

struct accel *machine_accel(const struct machine *m)
{
    return m->accel;
}

unsigned machine_turn(const struct machine *m)
{
    return m->turn;
}

enum board_end machine_end(const struct machine *m, unsigned *code)
{
    if (code)
        *code = m->code;
    return m->how;
}

/* ---- a debugger ---- */

void machine_set_debug(struct machine *m, const struct cpu_debug *d)
{
    for (unsigned i = 0; i < m->config.board.ncpus; i++)
        m->cpu[i]->debug = d;
    m->accel->ops->flush(m->accel);
    machine_watches_changed(m);
}

/* Physical watches are attributes of their pages. */
static void mark_watched(struct machine *m, bool on)
{
    void (*change)(struct mem *, uint64_t, enum mem_attr) = on ? mem_attr_set : mem_attr_clear;

    for (size_t i = 0; i < m->watched.len; i++)
        change(m->mem, m->watched.data[i], MEM_ATTR_WATCH);
}

static void note_pages(struct machine *m, const struct cpu_watch *w)
{
    uint64_t last = (w->addr + (w->len - 1)) & ~MEM_PAGE_MASK;

    for (uint64_t page = w->addr & ~MEM_PAGE_MASK; page <= last; page += MEM_PAGE_SIZE) {
        const struct mem_region *r = mem_find(m->mem, page);

        if (r && r->attr)
            vec_push(&m->watched, page);
        if (page == (UINT64_MAX & ~MEM_PAGE_MASK))
            break;
    }
}

void machine_watches_changed(struct machine *m)
{
    const struct cpu_debug *d = m->cpu[0]->debug;

    /* First, for their old lists may be gone, and marks look at them. */
    for (unsigned i = 0; i < m->config.board.ncpus; i++)
        cpu_watches_changed(m->cpu[i]);
    mark_watched(m, false);
    m->watched.len = 0;
    for (size_t i = 0; d && i < d->nwatches; i++)
        if (d->watches[i].physical)
            note_pages(m, &d->watches[i]);
    mark_watched(m, true);
    if (d && d->nvpages && m->accel->ops->watches)
        m->accel->ops->watches(m->accel);
}

void machine_probes_changed(struct machine *m, struct cpu_pcs virtual, struct cpu_pcs physical)
{
    m->accel->ops->probes_changed(m->accel, virtual, physical);
}

void machine_debug_stop(struct machine *m)
{
    if (m->running)
        cpu_debug_stop(m->running);
    else
        m->break_wanted = true;
}

bool machine_runs(const struct machine *m, const struct cpu **c)
{
    *c = m->running;
    return m->in_run;
}

void machine_pass_probe(struct machine *m, unsigned cpu)
{
    struct cpu *c = m->cpu[cpu];

    c->stop_passed = cpu_probed(c, c->pc, cpu_debug_paddr(c, c->pc));
}

void machine_hold_interrupts(struct machine *m, uint32_t cpus)
{
    for (unsigned i = 0; i < m->config.board.ncpus; i++) {
        struct cpu *c = m->cpu[i];
        bool hold = cpus >> i & 1;

        if (c->hold && !hold && !c->halted)
            c->pending = 1; /* what was not looked at */
        c->hold = hold;
    }
}

void machine_freeze(struct machine *m, uint32_t cpus)
{
    m->frozen = cpus;
}
