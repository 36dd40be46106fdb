/* cmd_sym.c - names, lines and expressions: what addresses may be, and commands that show them. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "control/cmd_impl.h"
#include "debug/backtrace.h"
#include "debug/kallsyms.h"
#include "host/host_file.h"

#define FRAMES      30
#define LIST_BEFORE 5
#define LIST_LINES  10
#define SOURCE_MAX  (UINT64_C(64) << 20) /* bytes of a source file */

/* ---- names ---- */

const struct dbg_symbol *cmd_named(const struct cmd_job *j, const char *name)
{
    struct dbg_symbols *t = ctl_symbols(j->s->ctl);
    const struct dbg_symbol *s = dbg_symbols_named(t, name, 0);

    if (!s && !dbg_kallsyms(t, machine_mem(j->m), NULL))
        s = dbg_symbols_named(t, name, 0);
    return s;
}

/* Likewise what an address is in; but it is shown again and again, and is sought for once. */
const struct dbg_symbol *cmd_symbol_at(const struct cmd_job *j, uint64_t addr)
{
    struct dbg_symbols *t = ctl_symbols(j->s->ctl);
    const struct dbg_symbol *s = dbg_symbols_at(t, addr);

    if (s || j->s->kernel_sought)
        return s;
    j->s->kernel_sought = true;
    return dbg_kallsyms(t, machine_mem(j->m), NULL) ? NULL : dbg_symbols_at(t, addr);
}

static bool find_name(void *opaque, const char *name, uint64_t *value)
{
    const struct dbg_symbol *s = cmd_named(opaque, name);

    if (s)
        *value = s->start;
    return s;
}

static void near_names(void *opaque, const char *name, struct buf *out)
{
    const struct cmd_job *j = opaque;

    dbg_symbols_near(ctl_symbols(j->s->ctl), name, out);
}

struct dbg_names cmd_names(const struct cmd_job *j)
{
    return (struct dbg_names){find_name, near_names, (void *)(uintptr_t)j};
}

int cmd_value(const struct cmd_job *j, const char *text, uint64_t *v, struct err *e)
{
    struct dbg_names names = cmd_names(j);

    return dbg_expr_eval(text, j->c, &names, v, NULL, e);
}

int cmd_no_symbol(struct dbg_symbols *t, const char *name, struct err *e)
{
    struct buf near = BUF_INIT;
    int rc;

    dbg_symbols_near(t, name, &near);
    rc = err_set(e, ENOENT, "there is no symbol %.60s%s%s", name, near.len ? "; near it: " : "",
                 near.data);
    buf_fini(&near);
    return rc;
}

char *cmd_words_join(const struct cmd_job *j, int from, int to)
{
    struct buf all = BUF_INIT;

    for (int i = from; i < to; i++)
        buf_fmt(&all, "%s%s", i > from ? " " : "", j->argv[i]);
    return buf_take(&all);
}

void cmd_place(const struct cmd_job *j, uint64_t addr, struct buf *out)
{
    const struct dbg_symbols *t = ctl_symbols(j->s->ctl);
    const struct dbg_symbol *s = dbg_symbols_at(t, addr);
    struct dbg_line l;

    if (s)
        buf_str(out, s->name);
    if (s && addr != s->start)
        buf_fmt(out, "+0x%" PRIx64, addr - s->start);
    if (dbg_symbols_line(t, addr, &l))
        buf_fmt(out, "%sat %s:%u", s ? " " : "", l.file, l.line);
}

/* ---- where ---- */

/* FILE:LINE: the colon; NULL: that is none. */
static const char *file_line(const char *text, unsigned *line)
{
    const char *colon = strrchr(text, ':');
    char *end;
    unsigned long n;

    if (!colon || colon == text || !isdigit((unsigned char)colon[1]))
        return NULL;
    n = strtoul(colon + 1, &end, 10);
    *line = (unsigned)n;
    return *end || !n || n > INT32_MAX ? NULL : colon;
}

static int at_line(const struct cmd_job *j, const char *text, const char *colon, unsigned line,
                   struct dbg_addrs *out, struct err *e)
{
    char *file = xstrdup(text);

    file[colon - text] = 0;
    dbg_symbols_places(ctl_symbols(j->s->ctl), file, &line, out);
    free(file);
    return out->len ? 0 : err_set(e, ENOENT, "%.100s: no code of this line is known", text);
}

/* Every function of that name; false: there is none. */
static bool at_functions(const struct cmd_job *j, const char *name, struct dbg_addrs *out)
{
    struct dbg_symbols *t = ctl_symbols(j->s->ctl);
    const struct dbg_symbol *s;

    if (guest_find_reg(j->c->guest, name) >= 0 || !cmd_named(j, name))
        return false;
    for (size_t n = 0; (s = dbg_symbols_named(t, name, n)); n++)
        if (s->code)
            vec_push(out, dbg_symbols_body(t, s->start));
    return out->len;
}

int cmd_where(const struct cmd_job *j, const char *text, struct cmd_where *w)
{
    const char *colon;
    unsigned line;
    uint64_t addr;
    int rc;

    *w = (struct cmd_where){.physical = !strncmp(text, "phys:", 5)};
    if (w->physical)
        text += 5;
    else if ((colon = file_line(text, &line)))
        return at_line(j, text, colon, line, &w->addrs, j->e);
    else if (at_functions(j, text, &w->addrs))
        return 0;
    rc = cmd_value(j, text + (*text == '*'), &addr, j->e);
    if (!rc)
        vec_push(&w->addrs, addr);
    return rc;
}

/* ---- files ---- */

/* "FILE@OFFSET": what follows the last @ is an offset if it starts as a number does. */
static int add_file(struct cmd_job *j)
{
    char *path = xstrdup(j->argv[1]), *at = strrchr(path, '@');
    uint64_t offset = 0;
    int rc = 0;

    if (at && at[1] >= '0' && at[1] <= '9') {
        rc = cmd_number(at + 1, &offset, j->e);
        *at = 0;
    }
    rc = rc ? rc : dbg_symbols_file(ctl_symbols(j->s->ctl), path, offset, j->e);
    free(path);
    return rc;
}

static int add_kernel(struct cmd_job *j)
{
    struct dbg_symbols *t = ctl_symbols(j->s->ctl);
    int rc = dbg_kallsyms(t, machine_mem(j->m), j->e);

    if (!rc)
        buf_fmt(j->out, "%zu names\n", dbg_symbols_count(t));
    return rc;
}

int cmd_symbols(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, argc > 1 ? add_file : add_kernel, argc, argv, out, e, NULL);
}

int cmd_symbols_add(struct cmd_session *s, const char *text, struct err *e)
{
    char *argv[] = {NULL, (char *)text};

    return cmd_symbols(s, 2, argv, NULL, e);
}

/* ---- print, symbol ---- */

static void print_binary(uint64_t v, struct buf *out)
{
    unsigned n = v ? 64 - (unsigned)__builtin_clzll(v) : 1;

    buf_str(out, "0b");
    while (n--)
        buf_ch(out, v >> n & 1 ? '1' : '0');
}

static int print_as(struct cmd_job *j, char how, uint64_t v)
{
    switch (how) {
    case 'x':
        buf_fmt(j->out, "0x%" PRIx64, v);
        break;
    case 'd':
        buf_fmt(j->out, "%" PRId64, (int64_t)v);
        break;
    case 'u':
        buf_fmt(j->out, "%" PRIu64, v);
        break;
    case 'o':
        buf_fmt(j->out, "0%" PRIo64, v);
        break;
    case 't':
        print_binary(v, j->out);
        break;
    case 'c':
        buf_fmt(j->out, v >= ' ' && v < 0x7f ? "%d '%c'" : "%d", (int)(int8_t)v, (char)v);
        break;
    case 'a':
        buf_fmt(j->out, "0x%" PRIx64, v);
        if (cmd_symbol_at(j, v))
            dbg_symbols_text(ctl_symbols(j->s->ctl), v, j->out);
        break;
    default:
        return err_set(j->e, EINVAL, "/%c: the formats are /x d u o t c a", how);
    }
    buf_ch(j->out, '\n');
    return 0;
}

/* Without a format, in decimal and hexadecimal. */
static int print(struct cmd_job *j)
{
    bool formatted = *j->argv[1] == '/', u;
    struct dbg_names names = cmd_names(j);
    char *text = cmd_words_join(j, 1 + formatted, j->argc);
    uint64_t v;
    int rc = 0;

    if (formatted && strlen(j->argv[1]) != 2)
        rc = err_set(j->e, EINVAL, "%.20s: the formats are /x d u o t c a", j->argv[1]);
    rc = rc ? rc : dbg_expr_eval(text, j->c, &names, &v, &u, j->e);
    free(text);
    if (rc || formatted)
        return rc ? rc : print_as(j, j->argv[1][1], v);
    buf_fmt(j->out, u ? "%" PRIu64 : "%" PRId64, v);
    buf_fmt(j->out, " = 0x%" PRIx64, v);
    dbg_symbols_text(ctl_symbols(j->s->ctl), v, j->out);
    buf_ch(j->out, '\n');
    return 0;
}

int cmd_print(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, print, argc, argv, out, e, NULL);
}

static void describe(const struct cmd_job *j, const struct dbg_symbol *s)
{
    struct dbg_line l;

    buf_fmt(j->out, "0x%016" PRIx64 " %s %s, %" PRIu64 " bytes%s", s->start,
            s->code ? "code" : "data", s->name, s->end - s->start, s->sized ? "" : " to the next");
    if (dbg_symbols_line(ctl_symbols(j->s->ctl), s->start, &l))
        buf_fmt(j->out, ", at %s:%u", l.file, l.line);
    buf_ch(j->out, '\n');
}

/* Each of that name; else what is at an address. */
static int symbol(struct cmd_job *j)
{
    struct dbg_symbols *t = ctl_symbols(j->s->ctl);
    char *text = cmd_words_join(j, 1, j->argc);
    const struct dbg_symbol *s = cmd_named(j, text);
    uint64_t addr;
    int rc = 0;

    for (size_t n = 0; s && (s = dbg_symbols_named(t, text, n)); n++)
        describe(j, s);
    if (!dbg_symbols_named(t, text, 0)) {
        rc = cmd_value(j, text, &addr, j->e);
        if (!rc && !cmd_symbol_at(j, addr))
            rc = err_set(j->e, ENOENT, "there is no symbol at 0x%" PRIx64, addr);
        if (!rc) {
            cmd_place(j, addr, j->out);
            buf_ch(j->out, '\n');
        }
    }
    free(text);
    return rc;
}

int cmd_symbol(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, symbol, argc, argv, out, e, NULL);
}

static int backtrace(struct cmd_job *j)
{
    uint64_t n = FRAMES;

    if (j->argc > 1 && cmd_number(j->argv[1], &n, j->e))
        return -EINVAL;
    if (!n || n > DBG_FRAMES_MAX)
        return err_set(j->e, EINVAL, "%s: 1 to %u frames", j->argv[1], DBG_FRAMES_MAX);
    cmd_symbol_at(j, j->c->pc);
    dbg_backtrace(j->c, ctl_symbols(j->s->ctl), (unsigned)n, j->out);
    return 0;
}

int cmd_backtrace(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, backtrace, argc, argv, out, e, NULL);
}

/* ---- lines ---- */

static int line(struct cmd_job *j)
{
    struct cmd_where w = {0};
    uint64_t pc = j->c->pc;
    int rc = 0;

    if (j->argc > 1)
        rc = cmd_where(j, j->argv[1], &w);
    else
        vec_push(&w.addrs, pc);
    for (size_t i = 0; i < w.addrs.len && !rc; i++) {
        struct dbg_line l;

        if (!dbg_symbols_line(ctl_symbols(j->s->ctl), w.addrs.data[i], &l))
            rc = err_set(j->e, ENOENT, "no line is known for 0x%" PRIx64, w.addrs.data[i]);
        else
            buf_fmt(j->out, "0x%016" PRIx64 " ", w.addrs.data[i]);
        if (!rc)
            cmd_place(j, w.addrs.data[i], j->out);
        buf_str(j->out, rc ? "" : "\n");
    }
    vec_fini(&w.addrs);
    return rc;
}

int cmd_line(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, line, argc, argv, out, e, NULL);
}

/* Lines [from, from + LIST_LINES) of a file; => before the one that is at `mark`. */
static int show_source(const char *path, unsigned from, unsigned mark, struct buf *out,
                       struct err *e)
{
    void *data;
    size_t len;
    int rc = host_file_read(path, SOURCE_MAX, &data, &len, e);
    unsigned n = 1;

    if (rc)
        return rc;
    for (const char *p = data, *end; *p && n < from + LIST_LINES; p = *end ? end + 1 : end, n++) {
        end = strchrnul(p, '\n');
        if (n >= from)
            buf_fmt(out, "%s %5u  %.*s\n", n == mark ? "=>" : "  ", n, (int)(end - p), p);
    }
    free(data);
    return n <= from ? err_set(e, ENOENT, "%s has no line %u", path, mark) : 0;
}

static int list(struct cmd_job *j)
{
    struct cmd_where w = {0};
    uint64_t addr = j->c->pc;
    struct dbg_line l;
    int rc = j->argc > 1 ? cmd_where(j, j->argv[1], &w) : 0;

    if (w.addrs.len)
        addr = w.addrs.data[0];
    if (!rc && !dbg_symbols_line(ctl_symbols(j->s->ctl), addr, &l))
        rc = err_set(j->e, ENOENT, "no line is known for 0x%" PRIx64, addr);
    vec_fini(&w.addrs);
    if (rc)
        return rc;
    return show_source(l.file, l.line > LIST_BEFORE ? l.line - LIST_BEFORE : 1, l.line, j->out,
                       j->e);
}

int cmd_list(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, list, argc, argv, out, e, NULL);
}
