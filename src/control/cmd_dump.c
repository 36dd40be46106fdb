/* cmd_dump.c - symbols, and translated code explained: as commands, and for the command line. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "control/cmd_impl.h"

/* ---- symbols ---- */

/* "FILE@OFFSET": what follows the last @ is an offset if it starts as a number does. */
static int symbols(struct cmd_job *j)
{
    char *path = xstrdup(j->argv[1]), *at = strrchr(path, '@');
    uint64_t offset = 0;
    int rc = 0;

    if (at && at[1] >= '0' && at[1] <= '9') {
        rc = cmd_number(at + 1, &offset, j->e);
        *at = 0;
    }
    rc = rc ? rc : dbg_symbols_file(j->s->symbols, path, offset, j->e);
    free(path);
    return rc;
}

int cmd_symbols(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, symbols, argc, argv, out, e, NULL);
}

int cmd_symbols_add(struct cmd_session *s, const char *text, struct err *e)
{
    char *argv[] = {NULL, (char *)text};

    return cmd_symbols(s, 2, argv, NULL, e);
}

/* ---- what to explain ---- */

static int no_symbol(const struct dbg_symbols *t, const char *name, struct err *e)
{
    struct buf near = BUF_INIT;
    int rc;

    dbg_symbols_near(t, name, &near);
    rc = err_set(e, ENOENT, "there is no symbol %.60s%s%s", name, near.len ? "; near it: " : "",
                 near.data);
    buf_fini(&near);
    return rc;
}

static int add_range(struct dbg_ranges *r, uint64_t start, uint64_t end)
{
    struct dbg_range one = {start, end};

    vec_push(r, one);
    return 0;
}

/* Every place of that name. */
static int add_symbol(const struct dbg_symbols *t, const char *name, struct dbg_ranges *r,
                      struct err *e)
{
    const struct dbg_symbol *k = dbg_symbols_named(t, name, 0);

    if (!k)
        return no_symbol(t, name, e);
    for (size_t n = 0; k; k = dbg_symbols_named(t, name, ++n))
        add_range(r, k->start, k->end);
    return 0;
}

/* A symbol, ADDRESS or START-END. */
static int add_one(const struct dbg_symbols *t, const char *text, struct dbg_ranges *r,
                   struct err *e)
{
    uint64_t start, end;
    const char *rest = cmd_number_start(text, &start);

    if (dbg_symbols_named(t, text, 0) || *text < '0' || *text > '9')
        return add_symbol(t, text, r, e);
    if (!rest || (*rest && *rest != '-'))
        return err_set(e, EINVAL, "%.60s: neither a symbol, an address nor START-END", text);
    if (!*rest)
        return add_range(r, start, start + 1);
    if (cmd_number(rest + 1, &end, e))
        return -EINVAL;
    return start < end ? add_range(r, start, end)
                       : err_set(e, EINVAL, "%.60s: no address is in this range", text);
}

/* Adds WHAT[,...] to *r, or nothing of it. */
static int add_all(const struct dbg_symbols *t, const char *text, struct dbg_ranges *r,
                   struct err *e)
{
    char *copy = xstrdup(text), *rest = copy, *part;
    size_t before = r->len;
    int rc = 0;

    while (!rc && (part = strsep(&rest, ",")))
        rc = add_one(t, part, r, e);
    if (rc)
        r->len = before;
    free(copy);
    return rc;
}

/* ---- explaining ---- */

static int dump(struct cmd_job *j)
{
    struct dbg_ranges r = {0};
    int rc = add_all(j->s->symbols, j->argv[1], &r, j->e);

    if (!rc && !dbg_dump_present(j->m, &r, j->s->symbols, false, j->out))
        buf_fmt(j->out, "no code of %s is translated now; explain ADDR shows what would be made\n",
                j->argv[1]);
    vec_fini(&r);
    return rc;
}

int cmd_dump(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, dump, argc, argv, out, e, NULL);
}

struct watch {
    const char *what;
    cmd_text_fn *fn;
    void *opaque;
};

static int watch(struct cmd_job *j)
{
    const struct watch *w = (const struct watch *)(void *)j->argv;
    struct cmd_session *s = j->s;

    if (!s->dump) {
        s->dump = xcalloc(1, sizeof *s->dump);
        s->dump->symbols = s->symbols;
        dbg_dump_start(s->dump, j->m);
    }
    s->dump->text = w->fn;
    s->dump->opaque = w->opaque;
    return add_all(s->symbols, w->what, &s->dump->ranges, j->e);
}

int cmd_dump_watch(struct cmd_session *s, const char *what, cmd_text_fn *fn, void *opaque,
                   struct err *e)
{
    struct watch w = {what, fn, opaque};

    return cmd_on_machine(s, watch, 0, (char **)(void *)&w, NULL, e, NULL);
}

static int left(struct cmd_job *j)
{
    if (j->s->dump)
        dbg_dump_present(j->m, &j->s->dump->ranges, j->s->symbols, true, j->out);
    return 0;
}

void cmd_dump_left(struct cmd_session *s, struct buf *out)
{
    cmd_on_machine(s, left, 0, NULL, out, NULL, NULL);
}

int cmd_dump_end(struct cmd_job *j)
{
    dbg_dump_fini(j->s->dump);
    free(j->s->dump);
    j->s->dump = NULL;
    return 0;
}
