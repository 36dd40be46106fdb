/*
 * bigcode.c - code that was never run before.
 *
 * bigcode_gen.lua writes 400 KiB of functions that refer to nothing outside their
 * own section.  Each round copies that section to fresh memory and calls each function of the
 * copy a few times: an emulator has to translate it all again.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "bigcode.h"

#define TIMES 3

extern const char __start_bigcode_text[], __stop_bigcode_text[];

/* A copy of the section, ready to be called. */
static char *copy_code(size_t size)
{
    char *copy =
        mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (copy == MAP_FAILED)
        bench_die("mmap");
    memcpy(copy, __start_bigcode_text, size);
    __builtin___clear_cache(copy, copy + size);
    return copy;
}

static bigcode_fn *in_copy(const char *copy, unsigned i)
{
    uintptr_t offset = (uintptr_t)bigcode_table[i] - (uintptr_t)__start_bigcode_text;
    return (bigcode_fn *)((uintptr_t)copy + offset);
}

/* A function that refers to anything outside computes something else in a copy. */
static void check_copy(size_t size)
{
    char *copy = copy_code(size);

    for (unsigned i = 0; i < BIGCODE_FUNCTIONS; i++) {
        if (in_copy(copy, i)(i, 5) != bigcode_table[i](i, 5)) {
            errno = EINVAL;
            bench_die("a copied function");
        }
    }
    munmap(copy, size);
}

uint64_t bench_bigcode(unsigned long n)
{
    size_t size = (size_t)(__stop_bigcode_text - __start_bigcode_text);
    uint64_t sum = 0;

    bench_start();
    for (unsigned long round = 0; round < n; round++) {
        char *copy = copy_code(size);
        for (unsigned i = 0; i < BIGCODE_FUNCTIONS; i++)
            for (unsigned k = 0; k < TIMES; k++)
                sum = bench_mix(sum, in_copy(copy, i)(sum, i + k));
        munmap(copy, size);
    }
    bench_end();
    check_copy(size);
    return sum;
}
