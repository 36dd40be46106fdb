/* cmd_points.c - commands that say where the machine is to stop. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "control/cmd_impl.h"

#define WATCH_BYTES 8 /* where nobody says how many */
#define WATCH_MAX   (UINT64_C(1) << 30)

/* ---- what all have in common ---- */

/* The words behind the command's, up to a condition: [1, condition), which is argc if there is
 * none. */
static int find_condition(const struct cmd_job *j)
{
    int i = 1;

    while (i < j->argc && strcmp(j->argv[i], "if"))
        i++;
    return i;
}

static int compile(const struct cmd_job *j, int from, struct dbg_agent *cond)
{
    struct dbg_names names = cmd_names(j);
    char *text = cmd_words_join(j, from, j->argc);
    int rc = dbg_expr_compile(cond, text, j->c->guest, &names, j->e);

    free(text);
    return rc;
}

/* Adds a point with the line's condition and words, unless it has others. */
static int add(struct cmd_job *j, struct dbg_point *point, const char *what)
{
    int condition = find_condition(j);

    if (dbg_points_full(ctl_points(j->s->ctl)))
        return err_set(j->e, E2BIG, "there are %d breakpoints and the like already", DBG_POINTS_MAX);
    if (!point->cond.len && condition < j->argc && compile(j, condition + 1, &point->cond))
        return -EINVAL;
    if (!point->text)
        point->text = cmd_words_join(j, 1, j->argc);
    j->value = dbg_points_add(ctl_points(j->s->ctl), point);
    buf_fmt(j->out, "%s %" PRIu64, what, j->value);
    return 0;
}

/* Point argv[1], or NULL with a message. */
static struct dbg_point *find(const struct cmd_job *j)
{
    struct dbg_point *x;
    uint64_t n;

    if (cmd_number(j->argv[1], &n, j->e))
        return NULL;
    x = n <= UINT32_MAX ? dbg_points_find(ctl_points(j->s->ctl), (unsigned)n) : NULL;
    if (!x)
        err_set(j->e, ENOENT, "there is no breakpoint %s", j->argv[1]);
    return x;
}

/* ---- breakpoints ---- */

static int break_at(struct cmd_job *j, const struct cmd_where *w, uint64_t addr, bool temporary)
{
    struct dbg_point point = {
        .kind = DBG_BREAK, .temporary = temporary, .physical = w->physical, .addr = addr};
    int rc = add(j, &point, "breakpoint");

    if (rc)
        return rc;
    buf_fmt(j->out, " at 0x%" PRIx64, addr);
    if (!w->physical) {
        size_t before = j->out->len;

        buf_ch(j->out, ' ');
        cmd_place(j, addr, j->out);
        if (j->out->len == before + 1)
            j->out->data[--j->out->len] = 0;
    }
    buf_ch(j->out, '\n');
    return 0;
}

static int add_breaks(struct cmd_job *j, bool temporary)
{
    char *text = cmd_words_join(j, 1, find_condition(j));
    struct cmd_where w;
    int rc = cmd_where(j, text, &w);

    for (size_t i = 0; i < w.addrs.len && !rc; i++)
        rc = break_at(j, &w, w.addrs.data[i], temporary);
    vec_fini(&w.addrs);
    free(text);
    return rc;
}

static int add_break(struct cmd_job *j)
{
    return add_breaks(j, false);
}

static int add_tbreak(struct cmd_job *j)
{
    return add_breaks(j, true);
}

int cmd_break(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, add_break, argc, argv, out, e, NULL);
}

int cmd_tbreak(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, add_tbreak, argc, argv, out, e, NULL);
}

/* ---- watchpoints ---- */

/* The last comma outside of brackets, or NULL. */
static char *last_comma(char *text)
{
    char *found = NULL;
    int depth = 0;

    for (; *text; text++) {
        depth += (*text == '(' || *text == '[') - (*text == ')' || *text == ']');
        if (*text == ',' && !depth)
            found = text;
    }
    return found;
}

/* "u32[ADDR]" and nothing behind it: its bytes, and the text is ADDR then.  Else 0. */
static uint64_t sized_memory(char **text)
{
    static const char *const names[] = {"8[", "16[", "32[", "64["};
    size_t len = strlen(*text), n;
    int depth = 0;

    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        char *p = *text + 1;

        n = strlen(names[i]);
        if ((**text != 'u' && **text != 's') || strncmp(p, names[i], n) || (*text)[len - 1] != ']')
            continue;
        for (p += n - 1; *p; p++) {
            depth += (*p == '[') - (*p == ']');
            if (!depth && p[1])
                return 0;
        }
        (*text)[len - 1] = 0;
        *text += 1 + n;
        return UINT64_C(1) << i;
    }
    return 0;
}

/* As many as a symbol's file says it has, if the text is its name. */
static uint64_t bytes_of(const struct cmd_job *j, const char *name)
{
    const struct dbg_symbol *s = dbg_symbols_named(ctl_symbols(j->s->ctl), name, 0);

    return s && s->sized ? s->end - s->start : WATCH_BYTES;
}

/* ADDR[,LENGTH] */
static int parse_watch(struct cmd_job *j, char *text, struct dbg_point *point)
{
    char *comma;
    int rc;

    point->physical = !strncmp(text, "phys:", 5);
    text += point->physical ? 5 : 0;
    comma = last_comma(text);
    if (comma)
        *comma = 0;
    point->len = comma ? 0 : sized_memory(&text);
    rc = cmd_value(j, text, &point->addr, j->e);
    if (!rc && comma)
        rc = cmd_value(j, comma + 1, &point->len, j->e);
    else if (!rc && !point->len)
        point->len = bytes_of(j, text);
    if (!rc &&
        (!point->len || point->len > WATCH_MAX || point->addr + (point->len - 1) < point->addr))
        rc = err_set(j->e, EINVAL, "%" PRIu64 " bytes at 0x%" PRIx64 " cannot be watched",
                     point->len, point->addr);
    return rc;
}

static int add_watch(struct cmd_job *j, uint8_t access, bool changed_only)
{
    struct dbg_point point = {.kind = DBG_WATCH, .access = access, .changed_only = changed_only};
    char *text = cmd_words_join(j, 1, find_condition(j));
    int rc = parse_watch(j, text, &point);

    free(text);
    rc = rc ? rc : add(j, &point, "watchpoint");
    if (!rc)
        buf_fmt(j->out, " of %" PRIu64 " byte%s at 0x%" PRIx64 "\n", point.len,
                point.len == 1 ? "" : "s", point.addr);
    return rc;
}

static int watch_writes(struct cmd_job *j)
{
    return add_watch(j, CPU_WATCH_WRITE, true);
}

static int watch_reads(struct cmd_job *j)
{
    return add_watch(j, CPU_WATCH_READ, false);
}

static int watch_all(struct cmd_job *j)
{
    return add_watch(j, CPU_WATCH_READ | CPU_WATCH_WRITE, false);
}

int cmd_watch(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, watch_writes, argc, argv, out, e, NULL);
}

int cmd_rwatch(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, watch_reads, argc, argv, out, e, NULL);
}

int cmd_awatch(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, watch_all, argc, argv, out, e, NULL);
}

/* ---- catchpoints ---- */

/* A trap for which a register has a number: a user's call to the guest's system. */
#define SYSCALL "syscall"

#define EXEC "exec"

/* The cause with this name; blanks may be written as -. */
static bool find_cause(const struct cmd_job *j, const char *name, uint64_t flag, uint64_t *cause)
{
    enum { CAUSES = 64 };

    for (*cause = 0; *cause < CAUSES; ++*cause) {
        const char *other = j->c->guest->cause_name(*cause | flag), *p = name;

        while (*p && (*p == *other || (*p == '-' && *other == ' ')))
            p++, other++;
        if (!*p && !*other)
            return true;
    }
    return false;
}

/* What the event tells, by a name. */
static bool find_what(const struct cmd_job *j, enum cpu_event event, const char *name, uint64_t *v)
{
    const uint64_t interrupt = BIT(63);
    int row;

    switch (event) {
    case CPU_EVENT_TRAP:
        return find_cause(j, name, 0, v);
    case CPU_EVENT_INTERRUPT:
        return find_cause(j, name, interrupt, v);
    case CPU_EVENT_REG_READ:
    case CPU_EVENT_REG_WRITE:
        row = guest_find_reg(j->c->guest, name);
        if (row < 0 || j->c->guest->regs[row].kind != REG_SYSTEM)
            return false;
        *v = j->c->guest->regs[row].number;
        return true;
    default:
        return false;
    }
}

/* FIRST or FIRST-LAST; what: that a name would be of. */
static int parse_numbers(struct cmd_job *j, const char *text, const char *what, struct cpu_range *r)
{
    const char *end = cmd_number_start(text, &r->first);

    r->last = r->first;
    if (end && !*end)
        return 0;
    if (!end || *end != '-')
        return err_set(j->e, EINVAL, "%.60s: neither a number, FIRST-LAST nor a name of a %s", text,
                       what);
    if (cmd_number(end + 1, &r->last, j->e))
        return -EINVAL;
    return r->first <= r->last ? 0 : err_set(j->e, EINVAL, "%s: nothing is in it", text);
}

/* NAME, FIRST or FIRST-LAST */
static int parse_range(struct cmd_job *j, const char *text, struct dbg_point *point)
{
    struct cpu_range r = {0, UINT64_MAX};
    int rc = 0;

    if (find_what(j, point->event, text, &r.first))
        r.last = r.first;
    else if (*text)
        rc = parse_numbers(j, text, dbg_event_name(point->event), &r);
    point->first = r.first;
    point->last = r.last;
    return rc;
}

/* A call, any or of this number; with a condition both must hold. */
static int catch_syscall(struct cmd_job *j, const char *number, struct dbg_point *point)
{
    const struct guest *g = j->c->guest;
    const struct guest_reg *reg = &g->regs[g->syscall_reg];
    int condition = find_condition(j);
    struct dbg_names names = cmd_names(j);
    char *rest, *text;
    uint64_t n;
    int rc;

    point->event = CPU_EVENT_TRAP;
    point->first = point->last = g->syscall_cause;
    if (!*number)
        return 0;
    if (cmd_number(number, &n, j->e))
        return -EINVAL;
    rest = cmd_words_join(j, condition + 1, j->argc);
    text = xasprintf(SYSCALL " if %s == %" PRIu64 "%s%s%s", reg->alias ? reg->alias : reg->name, n,
                     *rest ? " && (" : "", rest, *rest ? ")" : "");
    rc = dbg_expr_compile(&point->cond, text + strlen(SYSCALL " if "), g, &names, j->e);
    free(rest);
    if (rc)
        free(text);
    else
        point->text = text;
    return rc;
}

static int catch_event(struct cmd_job *j, const char *what)
{
    struct dbg_point point = {.kind = DBG_CATCH, .event = dbg_event_find(j->argv[1])};
    int rc;

    if (!strcmp(j->argv[1], SYSCALL))
        rc = catch_syscall(j, what, &point);
    else if (point.event == CPU_EVENTS)
        rc = err_set(j->e, EINVAL, "%.60s: no such event", j->argv[1]);
    else
        rc = parse_range(j, what, &point);
    rc = rc ? rc : add(j, &point, "catchpoint");
    if (!rc)
        buf_ch(j->out, '\n');
    return rc;
}

/* A point like this one for code in a range. */
static int catch_code_in(struct cmd_job *j, const struct dbg_point *like, const struct cpu_range *r)
{
    struct dbg_point point = *like;
    int rc;

    point.first = r->first;
    point.last = r->last;
    rc = add(j, &point, "catchpoint");
    if (!rc && (r->first || r->last != UINT64_MAX))
        buf_fmt(j->out, " in 0x%" PRIx64 "-0x%" PRIx64, r->first, r->last);
    if (!rc)
        buf_ch(j->out, '\n');
    return rc;
}

/* Code at FIRST[-LAST] or of a symbol, each of that name. */
static int catch_code(struct cmd_job *j, const char *text, struct dbg_point *like)
{
    struct dbg_symbols *t = ctl_symbols(j->s->ctl);
    const struct dbg_symbol *s;
    struct cpu_range r;
    int rc = 0;

    like->physical = !strncmp(text, "phys:", 5);
    text += like->physical ? 5 : 0;
    if (like->physical || isdigit((unsigned char)*text)) {
        rc = parse_numbers(j, text, "symbol", &r);
        return rc ? rc : catch_code_in(j, like, &r);
    }
    if (!cmd_named(j, text))
        return cmd_no_symbol(t, text, j->e);
    for (size_t n = 0; !rc && (s = dbg_symbols_named(t, text, n)); n++) {
        r = (struct cpu_range){s->start, s->end > s->start ? s->end - 1 : s->start};
        rc = catch_code_in(j, like, &r);
    }
    return rc;
}

static int catch_exec(struct cmd_job *j, const char *what)
{
    struct dbg_point like = {.kind = DBG_EXEC};

    return *what ? catch_code(j, what, &like)
                 : err_set(j->e, EINVAL, "of which code? catch " EXEC " FIRST[-LAST]|NAME");
}

/* The text's first word, if it names what may become of a unit: text is behind it then.  Else
 * CPU_UNIT_EVENTS. */
static unsigned take_unit_event(const char **text)
{
    size_t len = strcspn(*text, " ");

    for (unsigned e = 0; e < CPU_UNIT_EVENTS; e++) {
        const char *name = dbg_unit_event_name((enum cpu_unit_event)e);

        if (strlen(name) != len || strncmp(*text, name, len))
            continue;
        *text += len + strspn(*text + len, " ");
        return e;
    }
    return CPU_UNIT_EVENTS;
}

static int catch_translate(struct cmd_job *j, const char *what)
{
    static const struct cpu_range all = {0, UINT64_MAX};
    struct dbg_point like = {.kind = DBG_UNITS};
    unsigned e;

    while ((e = take_unit_event(&what)) < CPU_UNIT_EVENTS)
        like.units |= (uint8_t)BIT(e);
    if (!like.units)
        like.units = (uint8_t)bits_mask(CPU_UNIT_EVENTS);
    return *what ? catch_code(j, what, &like) : catch_code_in(j, &like, &all);
}

/* What there is beside the CPU's events. */
static const struct catching {
    const char *name;
    int (*add)(struct cmd_job *j, const char *what);
    bool of_code, of_units;
} catches[] = {
    {SYSCALL, catch_event, false, false},
    {EXEC, catch_exec, true, false},
    {"translate", catch_translate, true, true},
};

/* NULL: there is none, but perhaps such an event. */
static const struct catching *find_catch(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(catches); i++)
        if (!strcmp(catches[i].name, name))
            return &catches[i];
    return NULL;
}

const char *cmd_event_name(unsigned n)
{
    if (n < CPU_EVENTS)
        return dbg_event_name((enum cpu_event)n);
    n -= CPU_EVENTS;
    return n < ARRAY_LEN(catches) ? catches[n].name : NULL;
}

bool cmd_event_of_code(const char *event)
{
    const struct catching *k = find_catch(event);

    return k && k->of_code;
}

const char *cmd_event_word(const char *event, unsigned n)
{
    const struct catching *k = find_catch(event);

    return k && k->of_units && n < CPU_UNIT_EVENTS ? dbg_unit_event_name((enum cpu_unit_event)n)
                                                   : NULL;
}

static int add_catch(struct cmd_job *j)
{
    int condition = find_condition(j), rc;
    char *what = cmd_words_join(j, 2, condition > 2 ? condition : 2);
    const struct catching *k = find_catch(j->argv[1]);

    rc = (k ? k->add : catch_event)(j, what);
    free(what);
    return rc;
}

int cmd_catch(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, add_catch, argc, argv, out, e, NULL);
}

/* ---- changing them ---- */

/* The text up to its condition. */
static void cut_condition(char *text)
{
    char *at = strstr(text, " if ");

    if (at)
        *at = 0;
}

static int condition(struct cmd_job *j)
{
    struct dbg_point *x = find(j);
    char *text, *all;

    if (!x)
        return -EINVAL;
    if (j->argc > 2 && compile(j, 2, &x->cond))
        return -EINVAL;
    if (j->argc == 2)
        dbg_agent_fini(&x->cond);
    dbg_points_changed(ctl_points(j->s->ctl), x);
    if (!x->text)
        return 0;
    cut_condition(x->text);
    text = cmd_words_join(j, 2, j->argc);
    all = xasprintf("%s%s%s", x->text, *text ? " if " : "", text);
    free(x->text);
    free(text);
    x->text = all;
    return 0;
}

int cmd_condition(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, condition, argc, argv, out, e, NULL);
}

static int ignore(struct cmd_job *j)
{
    struct dbg_point *x = find(j);

    if (!x)
        return -EINVAL;
    if (j->argc < 3)
        return err_set(j->e, EINVAL, "how many? ignore N COUNT");
    return cmd_number(j->argv[2], &x->ignore, j->e);
}

int cmd_ignore(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, ignore, argc, argv, out, e, NULL);
}

static void set_disabled(struct dbg_points *p, struct dbg_point *x, bool disabled)
{
    x->disabled = disabled;
    dbg_points_changed(p, x);
}

/* One, or all. */
static int switch_points(struct cmd_job *j, bool disabled)
{
    struct dbg_points *p = ctl_points(j->s->ctl);
    struct dbg_point *x;

    if (!strcmp(j->argv[1], "all")) {
        for (x = dbg_points_next(p, 0); x; x = dbg_points_next(p, x->number + 1))
            set_disabled(p, x, disabled);
        return 0;
    }
    x = find(j);
    if (x)
        set_disabled(p, x, disabled);
    return x ? 0 : -EINVAL;
}

static int enable(struct cmd_job *j)
{
    return switch_points(j, false);
}

static int disable(struct cmd_job *j)
{
    return switch_points(j, true);
}

int cmd_enable(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, enable, argc, argv, out, e, NULL);
}

int cmd_disable(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, disable, argc, argv, out, e, NULL);
}

static int delete (struct cmd_job *j)
{
    struct dbg_points *p = ctl_points(j->s->ctl);
    const struct dbg_point *x;

    if (!strcmp(j->argv[1], "all")) {
        while ((x = dbg_points_next(p, 0)))
            dbg_points_delete(p, x->number);
        return 0;
    }
    x = find(j);
    return x && dbg_points_delete(p, x->number) ? 0 : -EINVAL;
}

int cmd_delete(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, delete, argc, argv, out, e, NULL);
}
