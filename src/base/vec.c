/* vec.c - see vec.h. */
#include "base/vec.h"

#include <stdint.h>

#include "base/mem_alloc.h"

void *vec_grow(void *data, size_t *cap, size_t size, size_t need)
{
    size_t n = *cap < 8 ? 8 : *cap;
    while (n < need)
        n = n > SIZE_MAX / 2 ? need : n * 2;
    if (n > SIZE_MAX / size)
        n = SIZE_MAX / size; /* more than any host has: xrealloc says so */
    data = xrealloc(data, n * size);
    *cap = n;
    return data;
}
