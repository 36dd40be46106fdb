/* verify_report.c - what verify found, for people. */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "replay/verify_impl.h"
#include "snap/snap.h"

#define PAGES_MAX 16 /* pages that differ, in a report */
#define LINES_MAX 12 /* of 16 bytes that differ, in a page */

/* ---- instructions ---- */

/* What an instruction's IR does, from the unit of it alone. */
static void note_effects(struct verify_step *s, const struct ir_unit *u)
{
    const uint8_t wide = IR_HELPER_WRITES | IR_HELPER_LEAVES | IR_HELPER_FP;

    for (uint32_t i = 0; i < u->ninsns; i++) {
        const struct ir_insn *in = &u->insns[i];
        if (in->op == IR_put && in->imm < VERIFY_SLOTS)
            s->writes[in->imm / 64] |= UINT64_C(1) << in->imm % 64;
        if (ir_ops[in->op].effects & IR_FX_FLAGS)
            s->others = true;
        if (in->op == IR_call && u->names->helpers[in->imm].effects & wide)
            s->others = true;
        if (ir_ops[in->op].effects & IR_FX_WRITE)
            s->stores = true;
    }
}

void verify_note_step(struct verify_step *s, struct cpu *c)
{
    struct guest_fetch f = {.pc = c->pc, .max_insns = 1, .pass_stop = true};
    struct buf text = BUF_INIT;
    struct arena arena;
    struct ir_unit u;
    uint32_t bytes;

    *s = (struct verify_step){.cpu = c->index, .pc = c->pc};
    f.host = s->bytes;
    f.len = (uint32_t)cpu_peek(c, c->pc, s->bytes, sizeof s->bytes);
    s->len = c->guest->disassemble(c->pc, s->bytes, f.len, &text);
    buf_fini(&text);
    if (!s->len)
        return;
    arena_init(&arena);
    ir_unit_init(&u, &arena, &c->guest->names);
    if (c->guest->translate(c, &u, &f, &bytes) == GUEST_UNIT)
        note_effects(s, &u);
    arena_fini(&arena);
}

static void report_insn(struct buf *out, const struct guest *g, const struct verify_step *s)
{
    buf_fmt(out, "instruction %" PRIu64 " at 0x%016" PRIx64 ": ", s->count, s->pc);
    if (s->interrupt)
        buf_str(out, "the first of the handler of an interrupt taken there");
    else if (!s->len)
        buf_str(out, "none that can be fetched");
    else
        g->disassemble(s->pc, s->bytes, s->len, out);
}

/* The last step that writes a row of the registers of a CPU, or NULL. */
static const struct verify_step *writer(const struct verify *v, unsigned cpu, uint32_t row)
{
    const struct guest *g = machine_guest(v->a.m);
    bool slot = row < g->names.nslots && row < VERIFY_SLOTS;

    for (size_t i = v->nsteps; i--;) {
        const struct verify_step *s = &v->steps[i];
        if (s->cpu == cpu && (slot ? s->writes[row / 64] >> row % 64 & 1 : s->others))
            return s;
    }
    return NULL;
}

/* ---- registers ---- */

/* The next register that differs, at or behind (*cpu, *row). */
static bool next_register(const struct verify *v, unsigned *cpu, uint32_t *row)
{
    const struct guest *g = machine_guest(v->a.m);

    for (; *cpu < machine_ncpus(v->a.m); ++*cpu, *row = 0)
        for (; *row < g->nregs; ++*row)
            if (g->reg_read(machine_cpu(v->a.m, *cpu), *row) !=
                g->reg_read(machine_cpu(v->b.m, *cpu), *row))
                return true;
    return false;
}

static void report_register(struct verify *v, unsigned cpu, uint32_t row)
{
    const struct guest *g = machine_guest(v->a.m);
    const struct guest_reg *r = &g->regs[row];
    const struct verify_step *s = writer(v, cpu, row);

    buf_fmt(v->report, "  CPU %u  %-10s a %016" PRIx64 "  b %016" PRIx64, cpu,
            r->alias ? r->alias : r->name, g->reg_read(machine_cpu(v->a.m, cpu), row),
            g->reg_read(machine_cpu(v->b.m, cpu), row));
    if (v->nsteps > 1 && s) {
        buf_str(v->report, "  last written by ");
        report_insn(v->report, g, s);
    }
    buf_ch(v->report, '\n');
}

static void report_registers(struct verify *v)
{
    unsigned cpu = 0;
    uint32_t row = 0;

    if (!next_register(v, &cpu, &row))
        return;
    buf_str(v->report, "registers that differ:\n");
    for (; next_register(v, &cpu, &row); row++)
        report_register(v, cpu, row);
}

/* The step that is to blame: the first of those that wrote the registers that differ (the pc only
 * if there are no others); or the last store; or the last step. */
static const struct verify_step *culprit(const struct verify *v)
{
    const struct guest *g = machine_guest(v->a.m);
    const struct verify_step *found = NULL, *pc = NULL, *s;
    unsigned cpu = 0;

    for (uint32_t row = 0; next_register(v, &cpu, &row); row++) {
        s = writer(v, cpu, row);
        if (g->regs[row].kind == REG_PC)
            pc = s;
        else if (s && (!found || s->count < found->count))
            found = s;
    }
    for (size_t i = v->nsteps; i-- && !found && !pc;)
        found = v->steps[i].stores ? &v->steps[i] : NULL;
    return found ? found : pc ? pc : &v->steps[v->nsteps - 1];
}

/* ---- state and memory ---- */

void verify_state_text(struct machine *m, struct buf *out)
{
    struct snap s;

    buf_reset(out);
    snap_open_list(&s, out);
    machine_state(m, &s);
    snap_close(&s, NULL);
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

    verify_state_text(v->a.m, &a);
    verify_state_text(v->b.m, &b);
    buf_str(v->report, "state that differs:\n");
    report_lines(v->report, v->before.data ? v->before.data : "", a.data, b.data);
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

/* ---- the whole ---- */

static void report_side(struct buf *out, const char *name, const struct verify_side *s)
{
    static const char *const stops[] = {
        [MACHINE_COUNT] = "running",           [MACHINE_BREAK] = "at a stop",
        [MACHINE_INTERRUPTED] = "interrupted", [MACHINE_ENDED] = "ended",
        [MACHINE_IDLE] = "idle for ever",
    };
    const struct machine_config *c = machine_config(s->m);

    buf_fmt(out, "%s: %-7s count %" PRIu64 ", time %" PRIu64 " ns, hash %016" PRIx64 ", %s\n", name,
            c->engine, machine_count(s->m), machine_time(s->m), s->hash, stops[s->stop]);
    if (s->running)
        s->runner->report(s->running, out);
}

static void report_unit(struct verify *v)
{
    uint64_t n = v->end - v->unit;
    const struct verify_step *first = &v->steps[0];

    if (n == 1)
        return;
    buf_fmt(v->report,
            "seen at %" PRIu64 ", the end of %s %" PRIu64 " instructions from 0x%016" PRIx64
            " on; shorter units do not show it:\n",
            v->end, v->exact ? "a unit of" : "the last", n, first->pc);
    for (size_t i = 0; i < v->nsteps; i++) {
        buf_str(v->report, "  ");
        report_insn(v->report, machine_guest(v->a.m), &v->steps[i]);
        buf_ch(v->report, '\n');
    }
}

/* The line that names the instruction, and where it is. */
static void report_head(struct verify *v)
{
    const struct verify_step *s = culprit(v);
    struct buf *out = v->report;

    buf_str(out, "different after ");
    report_insn(out, machine_guest(v->a.m), s);
    buf_fmt(out, "\nCPU %u, bytes", s->cpu);
    for (unsigned i = 0; i < s->len; i++)
        buf_fmt(out, " %02x", s->bytes[i]);
    buf_fmt(out, "; both are the same at %" PRIu64 "\n", v->exact ? v->unit : v->end - 1);
}

static void report_code(struct verify *v, const char *name, const struct verify_side *s)
{
    buf_fmt(v->report, "\n%s, %s, the unit at 0x%016" PRIx64 ":\n", name,
            machine_config(s->m)->engine, v->steps[0].pc);
    buf_add(v->report, s->code.data, s->code.len);
}

void verify_report_difference(struct verify *v)
{
    struct buf *out = v->report;

    report_head(v);
    report_unit(v);
    report_side(out, "a", &v->a);
    report_side(out, "b", &v->b);
    report_registers(v);
    report_state(v);
    report_memory(v);
    if (v->a.console.len != v->b.console.len)
        buf_fmt(out, "console output since %" PRIu64 ": %zu bytes by a, %zu by b\n", v->good,
                v->a.console.len, v->b.console.len);
    report_code(v, "a", &v->a);
    report_code(v, "b", &v->b);
}

void verify_report_start(struct verify *v)
{
    buf_str(v->report, "different before the first instruction\n");
    report_side(v->report, "a", &v->a);
    report_side(v->report, "b", &v->b);
    report_state(v);
    report_memory(v);
}

void verify_report_same(struct verify *v, const char *why)
{
    buf_fmt(v->report, "same at %" PRIu64 " comparisons, one each %" PRIu64 " instructions: %s\n",
            v->compared, v->config->interval, why);
    report_side(v->report, "a", &v->a);
    report_side(v->report, "b", &v->b);
}
