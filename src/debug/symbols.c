/* symbols.c - see symbols.h. */
#include "debug/symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem_alloc.h"
#include "board/load.h"

#define FILE_MAX (UINT64_C(4) << 30) /* bytes: a kernel with debugging information has 0.5 GiB */
#define NEAR_MAX 4                   /* names that are offered for one that is not there */
#define NEAR_LEN 64                  /* bytes of a name that are compared */

struct entry {
    struct dbg_symbol s;
    uint64_t limit; /* end of its section */
    bool sized;
    uint64_t reach; /* the highest end of this one and those before */
};

struct dbg_symbols {
    VEC(struct entry); /* by start; of one start in the order of their files */
    struct arena names;
    uint64_t offset; /* of the file being added */
};

struct dbg_symbols *dbg_symbols_new(void)
{
    struct dbg_symbols *t = xcalloc(1, sizeof *t);

    arena_init(&t->names);
    return t;
}

void dbg_symbols_free(struct dbg_symbols *t)
{
    if (!t)
        return;
    arena_fini(&t->names);
    vec_fini(t);
    free(t);
}

/* ---- making the table ---- */

/* Local labels, and those that say where data begin ($d) and code ($x), are no names for people. */
static bool is_name(const struct load_sym *k)
{
    return k->code && *k->name != '$' && strncmp(k->name, ".L", 2);
}

static bool add(void *opaque, const struct load_sym *k)
{
    struct dbg_symbols *t = opaque;
    uint64_t start = k->value + t->offset, end = start + k->size;

    if (is_name(k)) {
        struct entry one = {
            .s = {arena_strdup(&t->names, k->name), start, end < start ? UINT64_MAX : end},
            .limit = k->end + t->offset,
            .sized = k->size,
        };
        vec_push(t, one);
    }
    return true;
}

static int by_start(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->s.start != y->s.start)
        return x->s.start < y->s.start ? -1 : 1;
    return strcmp(x->s.name, y->s.name);
}

/* Entries without a size end where the next begins, or their section ends. */
static void finish(struct dbg_symbols *t)
{
    uint64_t next = UINT64_MAX;

    if (t->len)
        qsort(t->data, t->len, sizeof *t->data, by_start);
    for (size_t i = t->len; i-- > 0;) {
        struct entry *y = &t->data[i];

        if (i + 1 < t->len && t->data[i + 1].s.start != y->s.start)
            next = t->data[i + 1].s.start;
        if (!y->sized)
            y->s.end = y->limit > y->s.start && y->limit < next ? y->limit : next;
    }
    for (size_t i = 0; i < t->len; i++) {
        struct entry *y = &t->data[i];
        y->reach = i && y[-1].reach > y->s.end ? y[-1].reach : y->s.end;
    }
}

void dbg_symbols_board(struct dbg_symbols *t, const struct board *b)
{
    t->offset = 0;
    board_symbols(b, add, t);
    finish(t);
}

int dbg_symbols_file(struct dbg_symbols *t, const char *path, uint64_t offset, struct err *e)
{
    struct load_image im;
    size_t before = t->len;
    int rc = load_elf(&im, "file", path, FILE_MAX, e);

    if (rc)
        return rc;
    t->offset = offset;
    load_symbols(&im, add, t);
    load_fini(&im);
    finish(t);
    return t->len > before ? 0 : err_set(e, ENOENT, "file %s: it names no code (stripped?)", path);
}

/* ---- finding ---- */

static const struct dbg_symbol *nth(const struct dbg_symbols *t, const char *name, size_t len,
                                    size_t n)
{
    for (size_t i = 0; i < t->len; i++)
        if (!strncmp(t->data[i].s.name, name, len) && !n--)
            return &t->data[i].s;
    return NULL;
}

const struct dbg_symbol *dbg_symbols_named(const struct dbg_symbols *t, const char *name, size_t n)
{
    return nth(t, name, strlen(name) + 1, n);
}

const struct dbg_symbol *dbg_symbols_prefixed(const struct dbg_symbols *t, const char *prefix,
                                              size_t n)
{
    return nth(t, prefix, strlen(prefix), n);
}

/* The number of entries that start at addr or before. */
static size_t up_to(const struct dbg_symbols *t, uint64_t addr)
{
    size_t low = 0, high = t->len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->data[middle].s.start <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct dbg_symbol *dbg_symbols_at(const struct dbg_symbols *t, uint64_t addr)
{
    for (size_t i = up_to(t, addr); i-- > 0 && t->data[i].reach > addr;)
        if (t->data[i].s.end > addr)
            return &t->data[i].s;
    return NULL;
}

void dbg_symbols_text(const struct dbg_symbols *t, uint64_t addr, struct buf *out)
{
    const struct dbg_symbol *s = dbg_symbols_at(t, addr);

    if (!s)
        return;
    buf_fmt(out, " <%s", s->name);
    if (addr != s->start)
        buf_fmt(out, "+0x%" PRIx64, addr - s->start);
    buf_ch(out, '>');
}

/* ---- names that are like another ---- */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Letters to be put in, left out or changed to make b of a. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[NEAR_LEN + 1], n = (unsigned)strnlen(b, NEAR_LEN);

    for (unsigned k = 0; k <= n; k++)
        row[k] = k;
    for (unsigned i = 0; i < NEAR_LEN && a[i]; i++) {
        unsigned corner = row[0];

        row[0] = i + 1;
        for (unsigned k = 1; k <= n; k++) {
            unsigned change = corner + (a[i] != b[k - 1]);
            corner = row[k];
            row[k] = least(change, 1 + least(row[k], row[k - 1]));
        }
    }
    return row[n];
}

struct nearest {
    const char *name[NEAR_MAX];
    unsigned score[NEAR_MAX];
    unsigned n;
};

static void consider(struct nearest *best, const char *name, unsigned score)
{
    unsigned i = best->n;

    for (unsigned k = 0; k < best->n; k++)
        if (!strcmp(best->name[k], name))
            return;
    if (best->n < NEAR_MAX)
        best->n++;
    else if (best->score[--i] <= score)
        return;
    for (; i && best->score[i - 1] > score; i--) {
        best->name[i] = best->name[i - 1];
        best->score[i] = best->score[i - 1];
    }
    best->name[i] = name;
    best->score[i] = score;
}

void dbg_symbols_near(const struct dbg_symbols *t, const char *name, struct buf *out)
{
    unsigned most = 1 + (unsigned)strlen(name) / 3;
    struct nearest best = {.n = 0};

    for (size_t i = 0; i < t->len; i++) {
        const char *other = t->data[i].s.name;
        unsigned score = *name && strstr(other, name) ? 1 : distance(name, other);
        if (score <= most)
            consider(&best, other, score);
    }
    for (unsigned i = 0; i < best.n; i++)
        buf_fmt(out, "%s%.60s", i ? ", " : "", best.name[i]);
}
