/*
 * verify.c - two machines side by side, and the instruction after which they
 * differ.
 *
 * Both run to the same counts and their hashes are compared there.  Where these
 * differ, both go back to the last count at which they agreed, and again and again
 * from there: what an engine does depends on where its run ends, as translated
 * code runs whole units only and leaves the rest to the interpreter.  So every try is
 * one run without a stop in it.
 *
 * First the least count is searched at whose end they differ.  Then units are made
 * shorter: with units of one instruction, that count is the instruction.  What shows only
 * in longer units is blamed on the shortest one that still shows it.
 *
 * The first machine runs ahead and uses its doors, as long as all is well; the second one, and
 * both when they run again, get what came through them from the log.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "replay/verify_impl.h"

#define UNIT_MAX 1024 /* the longest unit that is asked for */

static void console_write(void *opaque, const uint8_t *data, size_t len)
{
    struct verify_side *s = opaque;
    buf_add(&s->console, data, len);
}

/* Whether the caller wants an end, as far as is known. */
static bool ask_stop(struct verify *v)
{
    const struct verify_config *c = v->config;

    v->stopped = v->stopped || (c->stop && c->stop(c->opaque));
    return v->stopped;
}

/* Machine a has waited. */
static void idle_ended(void *opaque, uint64_t from, uint64_t to)
{
    struct verify *v = opaque;

    (void)from, (void)to;
    if (ask_stop(v))
        machine_interrupt(v->a.m);
}

static void wait_for_stop(void *opaque, struct dev_wait *w)
{
    struct verify_side *s = opaque;
    if (s->stop_fd >= 0)
        dev_wait_fd(w, s->stop_fd, POLLIN);
}

static void stop_side(struct verify_side *s)
{
    if (s->running)
        s->runner->end(s->running);
    s->running = NULL;
    machine_free(s->m);
    replay_free(s->replay);
    for (unsigned i = 0; i < VERIFY_DISKS; i++)
        dev_overlay_free(s->disk[i]);
}

/* NULL: there is none. */
static struct dev_disk *disk_of(struct board_config *b, unsigned i)
{
    if (i < BOARD_DISKS)
        return i < b->ndisks ? &b->disks[i] : NULL;
    return i - BOARD_DISKS < b->nflash ? &b->flash[i - BOARD_DISKS] : NULL;
}

static void put_overlays(struct verify_side *s, struct board_config *b)
{
    for (unsigned i = 0; i < VERIFY_DISKS; i++) {
        struct dev_disk *d = disk_of(b, i);

        s->disk[i] = NULL;
        if (!d || d->read_only)
            continue;
        s->disk[i] = dev_overlay_new(d);
        *d = dev_overlay_disk(s->disk[i]);
    }
}

static int start_side(struct verify *v, struct verify_side *s, const struct machine_config *config,
                      enum replay_mode mode, struct err *e)
{
    struct machine_config c = *config;

    stop_side(s);
    buf_reset(&s->console);
    s->stop_fd = v->config->stop ? v->config->stop_fd : -1;
    c.board.console = (struct dev_chars){console_write, NULL, s, wait_for_stop};
    c.idle = (struct machine_idle){.ended = idle_ended, .opaque = v};
    put_overlays(s, &c.board);
    if (v->max_insns && (!c.accel.max_insns || c.accel.max_insns > v->max_insns))
        c.accel.max_insns = v->max_insns;
    s->replay = replay_new(v->log, mode, &c);
    s->m = machine_new(&c, e);
    replay_attach(s->replay, s->m);
    if (s->m && s->runner)
        s->running = s->runner->start(s->runner->opaque, s->m);
    return s->m ? 0 : -1;
}

/* Only the first time are doors used. */
static int start(struct verify *v, struct err *e)
{
    enum replay_mode mode = v->recorded ? REPLAY_AGAIN : REPLAY_RECORD;
    int rc = start_side(v, &v->a, &v->config->a, mode, e);

    v->recorded = true;
    return rc ? rc : start_side(v, &v->b, &v->config->b, REPLAY_AGAIN, e);
}

static void run_side(struct verify_side *s, uint64_t until)
{
    s->stop = s->running ? s->runner->run(s->running, until) : machine_run(s->m, until);
    s->hash = machine_hash(s->m);
}

bool verify_run_both(struct verify *v, uint64_t until)
{
    run_side(&v->a, until);
    if (v->stopped)
        return true;
    run_side(&v->b, until);
    return v->a.stop == v->b.stop && v->a.hash == v->b.hash &&
           machine_count(v->a.m) == machine_count(v->b.m) && v->a.console.len == v->b.console.len &&
           !memcmp(v->a.console.data, v->b.console.data, v->a.console.len);
}

/* Shows what the machines have said since the last time. */
static void show_console(struct verify *v)
{
    const struct buf *c = &v->a.console;

    if (v->config->console && c->len > v->shown)
        v->marker |= v->config->console(v->config->opaque, (const uint8_t *)c->data + v->shown,
                                        c->len - v->shown);
    v->shown = c->len > v->shown ? c->len : v->shown;
}

/* ---- narrowing ---- */

/* From a reset, with the stops of the first time.  -EAGAIN: it was not as the first time; -EINTR:
 * the caller wants an end. */
static int run_again(struct verify *v, struct err *e)
{
    uint64_t to = 0;

    if (start(v, e))
        return -EINVAL;
    do {
        to = v->good - to < v->config->interval ? v->good : to + v->config->interval;
        if (ask_stop(v))
            return err_set(e, EINTR, "stopped");
        if (!verify_run_both(v, to))
            return err_set(e, EAGAIN, "the machines differed before");
    } while (to < v->good);
    return 0;
}

static int rewind_side(struct verify *v, struct verify_side *s, struct err *e)
{
    int rc = machine_point_load(v->point, s->m, e);

    for (unsigned i = 0; i < VERIFY_DISKS; i++)
        if (s->disk[i])
            dev_overlay_copy(s->disk[i], v->disk[i]);
    replay_seek(s->replay);
    if (s->running)
        s->runner->load(s->running, &v->running);
    return rc;
}

/* Both to v->good.  -EINTR: the caller wants an end, and what was to be found will not be. */
static int rewind_both(struct verify *v, struct err *e)
{
    int rc;

    if (ask_stop(v))
        return err_set(e, EINTR, "stopped");
    rc = v->point ? rewind_side(v, &v->a, e) : run_again(v, e);
    if (!rc && v->point)
        rc = rewind_side(v, &v->b, e);
    buf_reset(&v->a.console);
    buf_reset(&v->b.console);
    return rc;
}

/* Whether they differ after a run from v->good to `until` without a stop.  A try that could not be
 * made shows nothing. */
static bool differ(struct verify *v, uint64_t until)
{
    struct err e;
    return !rewind_both(v, &e) && !verify_run_both(v, until);
}

/* They differ at `end`: a count after which they do, and before which they do not. */
static uint64_t least(struct verify *v, uint64_t end)
{
    uint64_t same = v->good;

    while (end - same > 1) {
        uint64_t mid = same + (end - same) / 2;
        if (differ(v, mid))
            end = mid;
        else
            same = mid;
    }
    return end;
}

/* The longest unit either engine makes. */
static uint32_t longest(const struct verify *v)
{
    uint32_t a = v->config->a.accel.max_insns, b = v->config->b.accel.max_insns;

    if (!a || !b)
        return UNIT_MAX;
    return a > b ? a : b;
}

/* The shortest units that show the difference at v->end, which moves to where they show it first.
 */
static int shorten_units(struct verify *v, struct err *e)
{
    uint64_t end = v->end;

    for (v->max_insns = 1; v->max_insns < longest(v) && !v->stopped; v->max_insns *= 2) {
        if (start(v, e))
            return -EINVAL;
        if (differ(v, end)) {
            v->end = least(v, end);
            return 0;
        }
    }
    v->max_insns = 0;
    return start(v, e);
}

/* Whether a unit that starts at count `from`, where both agree, makes the difference at v->end. */
static bool blame(struct verify *v, uint64_t from)
{
    struct err e;
    return !rewind_both(v, &e) && verify_run_both(v, from) && !verify_run_both(v, v->end);
}

static void find_unit(struct verify *v)
{
    uint32_t max = v->max_insns ? v->max_insns : longest(v);

    v->exact = true;
    for (v->unit = v->end - 1;; v->unit--) {
        if (blame(v, v->unit))
            return;
        if (v->unit == v->good || v->end - v->unit >= max)
            break;
    }
    v->exact = false;
}

/* The CPU that ran since the counts were taken. */
static unsigned ran(const struct machine *m, const uint64_t *counts)
{
    for (unsigned i = 0; i < machine_ncpus(m); i++)
        if (cpu_count(machine_cpu(m, i)) != counts[i])
            return i;
    return machine_turn(m);
}

/* One instruction of machine a.  Which CPU's it is shows behind it. */
static void step(struct verify *v, struct verify_step *s)
{
    struct verify_step at[BOARD_CPUS];
    uint64_t counts[BOARD_CPUS], interrupts[BOARD_CPUS];
    struct machine *m = v->a.m;
    const struct cpu *c;

    for (unsigned i = 0; i < machine_ncpus(m); i++) {
        c = machine_cpu(m, i);
        counts[i] = cpu_count(c);
        interrupts[i] = c->count.interrupts;
        verify_note_step(&at[i], machine_cpu(m, i));
    }
    run_side(&v->a, machine_count(m) + 1);
    c = machine_cpu(m, ran(m, counts));
    *s = at[c->index];
    s->interrupt = c->count.interrupts != interrupts[c->index];
    s->count = machine_count(m);
}

static void explain(struct verify_side *s, const struct verify_step *at)
{
    struct accel *a = machine_accel(s->m);

    buf_reset(&s->code);
    a->ops->explain(a, machine_cpu(s->m, at->cpu), at->pc, &s->code);
}

/* Notes how the unit starts and what its instructions are.  Its code is explained as it is before
 * it runs: so the CPU has to be known first. */
static int note_unit(struct verify *v, struct err *e)
{
    int rc = rewind_both(v, e);

    if (rc)
        return rc;
    run_side(&v->a, v->unit);
    verify_state_text(v->a.m, &v->before);
    v->steps = xcalloc(v->end - v->unit, sizeof *v->steps);
    do
        step(v, &v->steps[v->nsteps++]);
    while (v->a.stop == MACHINE_COUNT && machine_count(v->a.m) < v->end);
    rc = rewind_both(v, e);
    if (rc)
        return rc;
    verify_run_both(v, v->unit);
    explain(&v->a, &v->steps[0]);
    explain(&v->b, &v->steps[0]);
    return 0;
}

static void keep_point(struct verify *v)
{
    struct board_config b = v->config->a.board;

    v->point = machine_point_new(v->a.m);
    buf_reset(&v->running);
    if (v->b.running)
        v->b.runner->save(v->b.running, &v->running);
    for (unsigned i = 0; i < VERIFY_DISKS; i++) {
        if (!v->a.disk[i])
            continue;
        v->disk[i] = dev_overlay_new(disk_of(&b, i));
        dev_overlay_copy(v->disk[i], v->a.disk[i]);
    }
}

static void drop_point(struct verify *v)
{
    machine_point_free(v->point);
    v->point = NULL;
    for (unsigned i = 0; i < VERIFY_DISKS; i++) {
        dev_overlay_free(v->disk[i]);
        v->disk[i] = NULL;
    }
}

/* They agreed at v->good and no longer at `end`.  Whether that comes again. */
static int again(struct verify *v, uint64_t end, bool *comes, struct err *e)
{
    int rc = run_again(v, e);

    *comes = false;
    if (rc)
        return rc == -EAGAIN ? 0 : rc;
    keep_point(v);
    *comes = differ(v, end);
    if (*comes)
        return 0;
    /* It may need what engines remember, which a point does not hold. */
    drop_point(v);
    *comes = differ(v, end);
    return 0;
}

static enum verify_result narrow(struct verify *v, uint64_t end, struct err *e)
{
    uint64_t good = v->good;
    bool comes;

    if (again(v, end, &comes, e))
        return VERIFY_ERROR;
    if (comes)
        v->end = least(v, end);
    comes = comes && differ(v, v->end) && (v->end - 1 == good || !differ(v, v->end - 1));
    if (v->stopped)
        return VERIFY_STOPPED;
    if (!comes) {
        buf_fmt(v->report,
                "different at instruction %" PRIu64 " (same at %" PRIu64 "), but not whenever they "
                "run there: what they do depends on the host\n",
                end, good);
        return VERIFY_DIFFERENT;
    }
    if (shorten_units(v, e))
        return VERIFY_ERROR;
    find_unit(v);
    if (note_unit(v, e) || rewind_both(v, e))
        return VERIFY_ERROR;
    if (v->exact)
        verify_run_both(v, v->unit);
    verify_run_both(v, v->end);
    verify_report_difference(v);
    return VERIFY_DIFFERENT;
}

/* They agreed at `good` and no longer at `end`. */
static enum verify_result look_closer(struct verify *v, uint64_t good, uint64_t end, struct err *e)
{
    enum verify_result result;

    v->good = good;
    result = narrow(v, end, e);
    if (!v->stopped)
        return result;
    buf_fmt(v->report,
            "different at instruction %" PRIu64 " (same at %" PRIu64 "); stopped before it was "
            "known which one is to blame\n",
            end, good);
    return VERIFY_STOPPED;
}

/* ---- running ---- */

static enum verify_result compare(struct verify *v, struct err *e)
{
    const struct verify_config *c = v->config;
    uint64_t good = 0;

    if (start(v, e))
        return VERIFY_ERROR;
    v->compared++;
    if (!verify_run_both(v, 0)) {
        verify_report_start(v);
        return VERIFY_DIFFERENT;
    }
    for (;;) {
        uint64_t to = c->until - good < c->interval ? c->until : good + c->interval;
        v->compared++;
        if (!verify_run_both(v, to))
            return look_closer(v, good, to, e);
        show_console(v);
        good = machine_count(v->a.m);
        v->stopped |= c->progress && c->progress(c->opaque, good, v->a.hash);
        if (v->stopped) {
            verify_report_same(v, "stopped");
            return VERIFY_STOPPED;
        }
        if (v->a.stop != MACHINE_COUNT || v->marker || good >= c->until) {
            verify_report_same(v, v->a.stop != MACHINE_COUNT ? "the guest ended"
                                  : v->marker                ? "the marker was seen"
                                                             : "the count was reached");
            return VERIFY_SAME;
        }
    }
}

static void fini_side(struct verify_side *s)
{
    stop_side(s);
    buf_fini(&s->console);
    buf_fini(&s->code);
}

enum verify_result verify_run(const struct verify_config *config, struct buf *report, struct err *e)
{
    struct verify v = {
        .config = config,
        .a = {.console = BUF_INIT, .code = BUF_INIT},
        .b = {.console = BUF_INIT, .code = BUF_INIT, .runner = config->runner},
        .running = BUF_INIT,
        .before = BUF_INIT,
        .report = report,
        .log = replay_log_new(),
    };
    enum verify_result result = VERIFY_ERROR;

    if (!config->interval)
        err_set(e, EINVAL, "verify: the interval is at least 1 instruction");
    else
        result = compare(&v, e);
    fini_side(&v.a);
    fini_side(&v.b);
    drop_point(&v);
    replay_log_free(v.log);
    buf_fini(&v.running);
    buf_fini(&v.before);
    free(v.steps);
    return result;
}
