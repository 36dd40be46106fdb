/*
 * kallsyms.c - see kallsyms.h.
 *
 * What the kernel's scripts/kallsyms.c writes, one behind the other, each aligned to 8 bytes:
 *
 *     (5.x to 6.3: offsets, relative base)
 *     number of symbols    u32
 *     names                each: its length (one byte, or two with bit 7 of the first set), tokens
 *     markers              u32: where in the names every 256th one starts
 *     token table          256 strings, which names are made of
 *     token index          u16: where in the table each string starts
 *     (6.4 on: offsets     u32 of each symbol, ascending
 *              relative base   u64: what is added to them)
 *
 * Nothing points to it, so it is found by what it must look like: the tokens of the ten digits are
 * the digits themselves.
 */
#include "debug/kallsyms.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/bits.h"

#define TOKENS      256
#define INDEX_BYTES (TOKENS * 2)
#define TABLE_MAX   16384 /* bytes of the token table: a token is a few characters */
#define SYMBOLS_MAX 2000000
#define MARKED      256 /* symbols from one marker to the next */
#define NAME_BYTES  512 /* KSYM_NAME_LEN, and the type before it */
#define NAME_LEAST  2   /* bytes of a name in the table */
#define LOOK_MAX                                                                                   \
    (UINT64_C(512) << 20)            /* bytes of RAM that are looked at: kernels lie at its start */
#define KNOWN "kallsyms_lookup_name" /* a name that all have which have names */

/* Offsets are from the start of the memory that is looked at. */
struct table {
    const uint8_t *p;
    uint64_t len;
    uint64_t names, markers, tokens, index, offsets;
    uint32_t n, nmarkers;
    uint64_t base;
};

static uint64_t align8(uint64_t v)
{
    return bits_align_up(v, 8);
}

static bool within(const struct table *k, uint64_t at, uint64_t len)
{
    return at <= k->len && len <= k->len - at;
}

static uint32_t u32(const struct table *k, uint64_t at)
{
    return (uint32_t)bits_load_le(k->p + at, 4);
}

/* ---- tokens ---- */

/* Where the token table starts, if the digits' tokens are at `digits`: 48 strings before. */
static bool tokens_before(struct table *k, uint64_t digits)
{
    uint64_t at = digits;

    for (unsigned i = 0; i < '0'; i++) {
        uint64_t start = at;

        if (!at || k->p[at - 1])
            return false;
        for (at--; at && k->p[at - 1] && start - at < NAME_BYTES; at--)
            ;
        if (i + 1u == '0')
            k->tokens = align8(at);
    }
    return digits - k->tokens < TABLE_MAX;
}

/* Behind the tokens is their index, which says where each one is. */
static bool index_behind(struct table *k)
{
    uint64_t at = k->tokens;

    for (unsigned i = 0; i < TOKENS; i++) {
        const uint8_t *end = within(k, at, 1) ? memchr(k->p + at, 0, k->len - at) : NULL;

        if (!end || at - k->tokens > TABLE_MAX)
            return false;
        at = (uint64_t)(end - k->p) + 1;
    }
    k->index = align8(at);
    if (!within(k, k->index, INDEX_BYTES))
        return false;
    at = k->tokens;
    for (unsigned i = 0; i < TOKENS; i++) {
        if (bits_load_le(k->p + k->index + 2 * i, 2) != at - k->tokens)
            return false;
        at += strlen((const char *)k->p + at) + 1;
    }
    return true;
}

/* ---- markers and names ---- */

/* They ascend, and the first is 0. */
static bool markers_before(struct table *k)
{
    uint64_t at = k->tokens;
    uint32_t next;

    if (at >= 8 && !u32(k, at - 4) && u32(k, at - 8))
        at -= 4; /* to align what follows */
    k->nmarkers = 0;
    do {
        if (at < 4 || k->nmarkers > SYMBOLS_MAX / MARKED)
            return false;
        at -= 4;
        next = u32(k, at);
        k->nmarkers++;
        if (k->nmarkers > 1 && next >= u32(k, at + 4))
            return false;
    } while (next);
    k->markers = at;
    return true;
}

/* The length of the name at *at, in tokens; *at is behind it then. */
static bool name_length(const struct table *k, uint64_t *at, unsigned *n)
{
    if (*at >= k->markers)
        return false;
    *n = k->p[(*at)++];
    if (*n & 0x80) {
        if (*at >= k->markers)
            return false;
        *n = (*n & 0x7f) | (unsigned)k->p[(*at)++] << 7;
    }
    return *n && *n <= k->markers - *at;
}

/* Whether the names can start there: the markers point to them, and they fill the room. */
static bool names_at(struct table *k, uint64_t names)
{
    uint64_t at = names;
    unsigned n;

    k->n = u32(k, names - 8);
    if (!k->n || (k->n + MARKED - 1) / MARKED != k->nmarkers)
        return false;
    for (uint32_t i = 0; i < k->n; i++) {
        if (i % MARKED == 0 && at - names != u32(k, k->markers + i / MARKED * 4))
            return false;
        if (!name_length(k, &at, &n))
            return false;
        at += n;
    }
    k->names = names;
    return align8(at) == k->markers;
}

/* They start at most so far before the markers as the last 256 can take. */
static bool names_before(struct table *k)
{
    uint64_t last = u32(k, k->markers + (k->nmarkers - 1) * 4);
    uint64_t most = last + MARKED * (NAME_BYTES + 2), at = k->markers - align8(last);

    if (align8(last) > k->markers)
        return false;
    while (at >= 8 && k->markers - at <= most) {
        if (names_at(k, at))
            return true;
        at -= 8;
    }
    return false;
}

/* ---- addresses ---- */

static bool offsets_at(struct table *k, uint64_t at)
{
    uint64_t base = align8(at + UINT64_C(4) * k->n);

    if (!within(k, at, 0) || !within(k, base, 8))
        return false;
    for (uint32_t i = 1; i < k->n; i++)
        if (u32(k, at + 4 * i) < u32(k, at + 4 * (i - 1)))
            return false;
    k->offsets = at;
    k->base = bits_load_le(k->p + base, 8);
    return k->base && u32(k, at + UINT64_C(4) * (k->n - 1));
}

static bool find_offsets(struct table *k)
{
    uint64_t before = 8 + 8 + align8(UINT64_C(4) * k->n);

    return offsets_at(k, align8(k->index + INDEX_BYTES)) ||
           (k->names >= before && offsets_at(k, k->names - before));
}

/* ---- all of it ---- */

static const char digits[] = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009";

static bool find_table(struct table *k)
{
    uint64_t at = 0;
    const uint8_t *hit;

    while ((hit = memmem(k->p + at, k->len - at, digits, sizeof digits))) {
        at = (uint64_t)(hit - k->p);
        if (tokens_before(k, at) && index_behind(k) && markers_before(k) && names_before(k) &&
            find_offsets(k))
            return true;
        at++;
    }
    return false;
}

/* The name of n tokens at `at`, the type first.  False: it is too long. */
static bool expand(const struct table *k, uint64_t at, unsigned n, char name[NAME_BYTES])
{
    size_t len = 0;

    while (n--) {
        const char *token =
            (const char *)k->p + k->tokens + bits_load_le(k->p + k->index + 2 * k->p[at++], 2);
        size_t more = strlen(token);

        if (len + more >= NAME_BYTES)
            return false;
        memcpy(name + len, token, more);
        len += more;
    }
    name[len] = 0;
    return len >= NAME_LEAST;
}

static void add_all(const struct table *k, struct dbg_symbols *t)
{
    uint64_t at = k->names;
    char name[NAME_BYTES];
    unsigned n;

    for (uint32_t i = 0; i < k->n && name_length(k, &at, &n); i++) {
        if (expand(k, at, n, name))
            dbg_symbols_add(t, name + 1, k->base + u32(k, k->offsets + UINT64_C(4) * i),
                            tolower((unsigned char)*name) == 't' ||
                                tolower((unsigned char)*name) == 'w');
        at += n;
    }
    dbg_symbols_added(t);
}

int dbg_kallsyms(struct dbg_symbols *t, const struct mem *m, struct err *e)
{
    struct mem_region *const *regions;
    size_t n = mem_regions(m, &regions);

    if (dbg_symbols_named(t, KNOWN, 0))
        return 0;
    for (size_t i = 0; i < n; i++) {
        struct table k = {.p = regions[i]->host, .len = regions[i]->size};

        if (k.len > LOOK_MAX)
            k.len = LOOK_MAX;
        if (regions[i]->kind != MEM_RAM || !find_table(&k))
            continue;
        add_all(&k, t);
        return 0;
    }
    return err_set(e, ENOENT, "there is no Linux kernel with a table of names (kallsyms) in RAM");
}
