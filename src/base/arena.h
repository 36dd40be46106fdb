/*
 * arena.h - memory that is given back all at once.
 *
 * For what lives as long as one unit's translation.  Memory is zeroed and
 * aligned to 16 bytes.  arena_reset keeps the chunks for the next unit.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *first, *cur;
    char *at, *end; /* the free part of cur */
};

void arena_init(struct arena *a);
void arena_fini(struct arena *a);
void arena_reset(struct arena *a);

void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *a, const char *s);

/* The bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

#define arena_new(a, type) ((type *)arena_alloc(a, sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc(a, sizeof(type) * (size_t)(n)))

#endif
