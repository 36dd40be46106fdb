/*
 * verify.c - two machines side by side, and the first instruction after which
 * they differ.
 *
 * Both run to the same counts and their hashes are compared there.  Where these
 * differ, both start again, run to the last count at which they agreed, and go on in
 * steps that are STEPS times smaller, until the steps are single instructions.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "machine/machine_impl.h"
#include "snap/snap.h"

#define STEPS     100
#define PAGES_MAX 16 /* pages that differ, in a report */
#define LINES_MAX 12 /* of 16 bytes that differ, in a page */

/* One of the two. */
struct side {
    struct machine *m;
    enum machine_stop stop; /* of its last run */
    uint64_t hash;
    struct buf console; /* all that it said since it started */
    struct buf state;   /* as text, before the last step */
    uint64_t pc[BOARD_CPUS], counts[BOARD_CPUS], interrupts[BOARD_CPUS]; /* likewise */
};

struct verify {
    const struct verify_config *config;
    struct side a, b;
    size_t shown; /* bytes of the consoles that the caller has seen */
    bool marker;  /* the caller's console said that it is the end */
    uint64_t compared, restarts;
    struct buf *report;
};

static void console_write(void *opaque, const uint8_t *data, size_t len)
{
    struct side *s = opaque;
    buf_add(&s->console, data, len);
}

static int start_side(struct side *s, const struct machine_config *config, struct err *e)
{
    struct machine_config c = *config;

    machine_free(s->m);
    buf_reset(&s->console);
    c.board.console = (struct dev_chars){.write = console_write, .opaque = s};
    s->m = machine_new(&c, e);
    return s->m ? 0 : -1;
}

static int start(struct verify *v, struct err *e)
{
    int rc = start_side(&v->a, &v->config->a, e);
    return rc ? rc : start_side(&v->b, &v->config->b, e);
}

static void run_side(struct side *s, uint64_t until)
{
    do
        s->stop = machine_run(s->m, until);
    while (s->stop == MACHINE_INTERRUPTED);
    s->hash = machine_hash(s->m);
}

/* Both to a count.  Whether they are the same there. */
static bool run_both(struct verify *v, uint64_t until)
{
    run_side(&v->a, until);
    run_side(&v->b, until);
    v->compared++;
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

/* ---- the report ---- */

static void state_text(struct machine *m, struct buf *out)
{
    struct snap s;

    buf_reset(out);
    snap_open_list(&s, out);
    machine_state(m, &s);
    snap_close(&s, NULL);
}

static void note_before(struct side *s)
{
    state_text(s->m, &s->state);
    for (unsigned i = 0; i < machine_ncpus(s->m); i++) {
        const struct cpu *c = machine_cpu(s->m, i);
        s->pc[i] = c->pc;
        s->counts[i] = cpu_count(c);
        s->interrupts[i] = c->count.interrupts;
    }
}

/* The CPU that made the last step. */
static unsigned stepped(const struct side *s)
{
    for (unsigned i = 0; i < machine_ncpus(s->m); i++)
        if (cpu_count(machine_cpu(s->m, i)) != s->counts[i])
            return i;
    return machine_turn(s->m);
}

/* Takes a line off *text. */
static bool next_line(const char **text, const char **line, size_t *len)
{
    *line = *text;
    *len = strcspn(*text, "\n");
    *text += *len + ((*text)[*len] == '\n');
    return **line != 0;
}

/* Lines of three texts of the same form where the latter two differ. */
static void report_lines(struct buf *out, const char *before, const char *a, const char *b)
{
    const char *line0, *line1, *line2;
    size_t len0, len1, len2;

    while (next_line(&a, &line1, &len1) && next_line(&b, &line2, &len2)) {
        bool known = next_line(&before, &line0, &len0); /* `before` may be empty */
        if (len1 == len2 && !memcmp(line1, line2, len1))
            continue;
        if (known)
            buf_fmt(out, "  before  %.*s\n", (int)len0, line0);
        buf_fmt(out, "  a       %.*s\n  b       %.*s\n", (int)len1, line1, (int)len2, line2);
    }
}

static void report_state(struct verify *v)
{
    struct buf a = BUF_INIT, b = BUF_INIT;

    state_text(v->a.m, &a);
    state_text(v->b.m, &b);
    buf_str(v->report, "state that differs:\n");
    report_lines(v->report, v->a.state.data, a.data, b.data);
    buf_fini(&a);
    buf_fini(&b);
}

static void report_bytes(struct buf *out, const char *name, uint64_t at, const uint8_t *bytes)
{
    buf_fmt(out, "  %012" PRIx64 "  %s ", at, name);
    for (unsigned i = 0; i < 16; i++)
        buf_fmt(out, " %02x", bytes[i]);
    buf_ch(out, '\n');
}

static void report_page(struct verify *v, uint64_t page)
{
    uint8_t a[MEM_PAGE_SIZE], b[MEM_PAGE_SIZE];
    unsigned lines = 0;

    mem_peek(machine_mem(v->a.m), page, a, sizeof a);
    mem_peek(machine_mem(v->b.m), page, b, sizeof b);
    for (unsigned i = 0; i < MEM_PAGE_SIZE && lines < LINES_MAX; i += 16) {
        if (!memcmp(a + i, b + i, 16))
            continue;
        report_bytes(v->report, "a", page + i, a + i);
        report_bytes(v->report, "b", page + i, b + i);
        lines++;
    }
}

static void report_memory(struct verify *v)
{
    uint64_t pages[PAGES_MAX];
    size_t n = machine_hash_differ(v->a.m, v->b.m, pages, PAGES_MAX);

    if (n)
        buf_fmt(v->report, "memory that differs%s:\n", n == PAGES_MAX ? " (first pages)" : "");
    for (size_t i = 0; i < n; i++)
        report_page(v, pages[i]);
}

static void report_side(struct buf *out, const char *name, const struct side *s)
{
    static const char *const stops[] = {
        [MACHINE_COUNT] = "running",           [MACHINE_BREAK] = "at a stop",
        [MACHINE_INTERRUPTED] = "interrupted", [MACHINE_ENDED] = "ended",
        [MACHINE_IDLE] = "idle for ever",
    };
    const struct machine_config *c = &s->m->config;

    buf_fmt(out, "%s: %-7s count %" PRIu64 ", time %" PRIu64 " ns, hash %016" PRIx64 ", %s\n", name,
            c->engine, machine_count(s->m), machine_time(s->m), s->hash, stops[s->stop]);
}

static void report_code(struct verify *v, const char *name, struct side *s, unsigned cpu)
{
    struct cpu *c = machine_cpu(s->m, cpu);

    buf_fmt(v->report, "\n%s, %s, the code at %016" PRIx64 " (as of now):\n", name,
            s->m->config.engine, s->pc[cpu]);
    machine_accel(s->m)->ops->explain(machine_accel(s->m), c, s->pc[cpu], v->report);
}

/* The instruction at the pc before the step. */
static void report_insn(struct verify *v, unsigned cpu)
{
    struct cpu *c = machine_cpu(v->a.m, cpu);
    uint8_t code[16];
    uint64_t len = cpu_peek(c, v->a.pc[cpu], code, sizeof code);

    buf_str(v->report, "  ");
    if (!c->guest->disassemble(v->a.pc[cpu], code, len, v->report))
        buf_str(v->report, "no instruction");
    buf_ch(v->report, '\n');
}

static void report_difference(struct verify *v, uint64_t good)
{
    unsigned cpu = stepped(&v->a);
    struct buf *out = v->report;

    buf_fmt(out, "different after instruction %" PRIu64 " (same at %" PRIu64 ")\n",
            machine_count(v->a.m), good);
    report_side(out, "a", &v->a);
    report_side(out, "b", &v->b);
    buf_fmt(out, "CPU %u, pc before: %016" PRIx64 "\n", cpu, v->a.pc[cpu]);
    report_insn(v, cpu);
    if (machine_cpu(v->a.m, cpu)->count.interrupts != v->a.interrupts[cpu] ||
        machine_cpu(v->b.m, cpu)->count.interrupts != v->b.interrupts[cpu])
        buf_str(out, "an interrupt was taken before that instruction\n");
    report_state(v);
    report_memory(v);
    if (v->a.console.len != v->b.console.len)
        buf_fmt(out, "console output: %zu bytes by a, %zu by b\n", v->a.console.len,
                v->b.console.len);
    report_code(v, "a", &v->a, cpu);
    report_code(v, "b", &v->b, cpu);
}

/* They differ as they start: what the machines are made of does. */
static void report_start(struct verify *v)
{
    buf_str(v->report, "different before the first instruction\n");
    report_side(v->report, "a", &v->a);
    report_side(v->report, "b", &v->b);
    report_state(v);
    report_memory(v);
}

/* ---- running ---- */

/* From `good`, where both agree, in steps of `step` to `end`.  True: they differ behind *good. */
static bool find_step(struct verify *v, uint64_t *good, uint64_t end, uint64_t step)
{
    while (*good < end) {
        uint64_t to = end - *good < step ? end : *good + step;
        if (step == 1) {
            note_before(&v->a);
            note_before(&v->b);
        }
        if (!run_both(v, to))
            return true;
        *good = to;
    }
    return false;
}

/* They agreed at `good` and no longer at `end`. */
static enum verify_result narrow(struct verify *v, uint64_t good, uint64_t end, struct err *e)
{
    uint64_t step = end - good;

    do {
        step = step > STEPS ? step / STEPS : 1;
        if (start(v, e))
            return VERIFY_ERROR;
        v->restarts++;
        if ((good && !run_both(v, good)) || !find_step(v, &good, end, step)) {
            buf_fmt(v->report,
                    "different at instruction %" PRIu64 ", but not when run again in steps of "
                    "%" PRIu64 ": what they do depends on where they stop, or on the host\n",
                    end, step);
            return VERIFY_DIFFERENT;
        }
        end = good + step < end ? good + step : end;
    } while (step > 1);
    report_difference(v, good);
    return VERIFY_DIFFERENT;
}

static void report_same(struct verify *v, const char *why)
{
    buf_fmt(v->report, "same at %" PRIu64 " comparisons, one each %" PRIu64 " instructions: %s\n",
            v->compared, v->config->interval, why);
    report_side(v->report, "a", &v->a);
    report_side(v->report, "b", &v->b);
}

static enum verify_result compare(struct verify *v, struct err *e)
{
    const struct verify_config *c = v->config;
    uint64_t good = 0;

    if (start(v, e))
        return VERIFY_ERROR;
    if (!run_both(v, 0)) {
        report_start(v);
        return VERIFY_DIFFERENT;
    }
    for (;;) {
        uint64_t to = c->until - good < c->interval ? c->until : good + c->interval;
        if (!run_both(v, to))
            return narrow(v, good, to, e);
        show_console(v);
        good = machine_count(v->a.m);
        if (c->progress && c->progress(c->opaque, good, v->a.hash)) {
            report_same(v, "stopped");
            return VERIFY_STOPPED;
        }
        if (v->a.stop != MACHINE_COUNT || v->marker || good >= c->until) {
            report_same(v, v->a.stop != MACHINE_COUNT ? "the guest ended"
                           : v->marker                ? "the marker was seen"
                                                      : "the count was reached");
            return VERIFY_SAME;
        }
    }
}

static void fini_side(struct side *s)
{
    machine_free(s->m);
    buf_fini(&s->console);
    buf_fini(&s->state);
}

enum verify_result verify_run(const struct verify_config *config, struct buf *report, struct err *e)
{
    struct verify v = {
        .config = config,
        .a = {.console = BUF_INIT, .state = BUF_INIT},
        .b = {.console = BUF_INIT, .state = BUF_INIT},
        .report = report,
    };
    enum verify_result result = VERIFY_ERROR;

    if (!config->interval)
        err_set(e, EINVAL, "verify: the interval is at least 1 instruction");
    else
        result = compare(&v, e);
    fini_side(&v.a);
    fini_side(&v.b);
    return result;
}
