/* arena.c - see arena.h. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem_alloc.h"

#define CHUNK ((size_t)64 * 1024) /* bytes; larger requests get a chunk of their own */
#define LARGE ((size_t)2 << 20)   /* the same for large arenas: a huge page */

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data */
    size_t used; /* valid for chunks before cur */
    _Alignas(ARENA_ALIGN) char data[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

void arena_init_large(struct arena *a)
{
    *a = (struct arena){.large = true};
}

void arena_fini(struct arena *a)
{
    for (struct arena_chunk *c = a->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    *a = (struct arena){.large = a->large};
}

static void enter(struct arena *a, struct arena_chunk *c)
{
    a->cur = c;
    a->at = c->data;
    a->end = c->data + c->size;
}

void arena_reset(struct arena *a)
{
    if (a->first)
        enter(a, a->first);
}

static struct arena_chunk *chunk_new(const struct arena *a, size_t size)
{
    size_t n = size > CHUNK ? size : CHUNK;
    struct arena_chunk *c;

    if (a->large && size <= LARGE - sizeof *c) {
        n = LARGE - sizeof *c;
        c = xaligned(LARGE, LARGE);
        madvise(c, LARGE, MADV_HUGEPAGE); /* if the host can */
    } else {
        c = xmalloc(sizeof *c + n);
    }
    c->size = n;
    return c;
}

/* The next chunk if it is large enough, else a new one. */
void arena_more(struct arena *a, size_t size)
{
    struct arena_chunk *c = a->cur ? a->cur->next : NULL;
    if (a->cur)
        a->cur->used = (size_t)(a->at - a->cur->data);
    if (!c || c->size < size) {
        struct arena_chunk *fresh = chunk_new(a, size);
        fresh->next = c;
        if (a->cur)
            a->cur->next = fresh;
        else
            a->first = fresh;
        c = fresh;
    }
    enter(a, c);
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(arena_raw(a, size), 0, size);
}

char *arena_strdup(struct arena *a, const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(arena_alloc(a, n), s, n);
}

void *arena_copy(struct arena *a, const void *data, size_t len)
{
    return len ? memcpy(arena_raw(a, len), data, len) : NULL;
}

size_t arena_used(const struct arena *a)
{
    if (!a->cur)
        return 0;
    size_t n = (size_t)(a->at - a->cur->data);
    for (const struct arena_chunk *c = a->first; c != a->cur; c = c->next)
        n += c->used;
    return n;
}
