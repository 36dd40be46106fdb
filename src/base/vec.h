/*
 * vec.h - a growing array of any type.
 *
 *     struct thing_vec { VEC(struct thing); } v = {0};
 *     vec_push(&v, thing);   v.data[i], v.len   vec_fini(&v);
 *
 * A zeroed struct is the empty vector.  Pushing may move data.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>

#define VEC(type)  \
    type *data;    \
    size_t len;    \
    size_t cap

#define vec_push(v, value) \
    (vec_reserve(v, (v)->len + 1), (void)((v)->data[(v)->len++] = (value)))

#define vec_reserve(v, n)                                                                     \
    ((n) > (v)->cap                                                                           \
         ? (void)((v)->data = vec_grow((v)->data, &(v)->cap, sizeof *(v)->data, (n)))         \
         : (void)0)

/* Removes element i by moving the last one into its place. */
#define vec_swap_out(v, i) ((v)->data[i] = (v)->data[--(v)->len])
#define vec_fini(v) (free((v)->data), (v)->data = NULL, (v)->len = (v)->cap = 0)

/* At least `need` elements; doubles.  Returns the new memory, updates *cap. */
void *vec_grow(void *data, size_t *cap, size_t size, size_t need);

#endif
