/*
 * mem_alloc.h - allocation that does not fail.
 *
 * Small host allocations (tables, blocks, text) that fail mean that the host
 * is out of memory: these end the program with one line.  Sizes that come from
 * a user or a guest (RAM, file contents) are checked by their owner and do not
 * come here.
 */
#ifndef BASE_MEM_ALLOC_H
#define BASE_MEM_ALLOC_H

#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/* align: a power of two; size: a multiple of it. */
void *xaligned(size_t align, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

#endif
