/* arena.c - see arena.h. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"

#define ALIGN 16u
#define CHUNK ((size_t)64 * 1024) /* bytes; larger requests get a chunk of their own */

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data */
    size_t used; /* valid for chunks before cur */
    _Alignas(ALIGN) char data[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

void arena_fini(struct arena *a)
{
    for (struct arena_chunk *c = a->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    arena_init(a);
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

/* Goes on to a chunk with `size` bytes: the next one if it is large enough, else a new one. */
static void next_chunk(struct arena *a, size_t size)
{
    struct arena_chunk *c = a->cur ? a->cur->next : NULL;
    if (a->cur)
        a->cur->used = (size_t)(a->at - a->cur->data);
    if (!c || c->size < size) {
        size_t n = size > CHUNK ? size : CHUNK;
        struct arena_chunk *fresh = xmalloc(sizeof *fresh + n);
        fresh->next = c;
        fresh->size = n;
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
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (!a->cur || size > (size_t)(a->end - a->at))
        next_chunk(a, size);
    void *p = a->at;
    a->at += size;
    return memset(p, 0, size);
}

char *arena_strdup(struct arena *a, const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(arena_alloc(a, n), s, n);
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
