/*
 * arena.h - memory that is given back all at once.
 *
 * For what lives as long as one unit's translation.  Memory is aligned to 16
 * bytes, and zeroed unless it is asked for raw.  arena_reset keeps the chunks for
 * the next unit.  A large arena takes memory in pieces that the host can give at
 * once (2 MiB): for what fills megabytes.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#define ARENA_ALIGN ((size_t)16)

struct arena_chunk;

struct arena {
    struct arena_chunk *first, *cur;
    char *at, *end; /* the free part of cur */
    bool large;
};

void arena_init(struct arena *a);
void arena_init_large(struct arena *a);
void arena_fini(struct arena *a);
void arena_reset(struct arena *a);

void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
/* For arena_raw: goes on to a chunk with that much room. */
void arena_more(struct arena *a, size_t size);

/* What is in it is left over from before. */
static inline void *arena_raw(struct arena *a, size_t size)
{
    size = (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
    if (size > (size_t)(a->end - a->at) || !a->cur)
        arena_more(a, size);
    void *p = a->at;
    a->at += size;
    return p;
}

char *arena_strdup(struct arena *a, const char *s);
/* A copy of len bytes; NULL for none. */
void *arena_copy(struct arena *a, const void *data, size_t len);

/* The bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

#define arena_new(a, type) ((type *)arena_alloc(a, sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc(a, sizeof(type) * (size_t)(n)))
#define arena_array_raw(a, type, n) ((type *)arena_raw(a, sizeof(type) * (size_t)(n)))

#endif
