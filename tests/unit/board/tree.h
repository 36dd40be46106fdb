/*
 * tree.h - looking into a device tree; beside what board_test.h has.
 */
#ifndef TREE_H
#define TREE_H

#include <libfdt.h>

#include "board_test.h"

static inline const char *path_of(const void *fdt, const char *path, const char *prop)
{
    int len, node = fdt_path_offset(fdt, path);
    const char *s = node < 0 ? NULL : fdt_getprop(fdt, node, prop, &len);

    ck_assert_msg(s && len > 0 && !s[len - 1], "%s %s", path, prop);
    return s;
}

static inline uint32_t cell(const void *fdt, const char *path, const char *prop, int n)
{
    int len = 0, node = fdt_path_offset(fdt, path);
    const fdt32_t *c = node < 0 ? NULL : fdt_getprop(fdt, node, prop, &len);

    ck_assert_msg(c && len >= 4 * (n + 1), "%s %s", path, prop);
    return fdt32_to_cpu(c[n]);
}

static inline uint64_t cells(const void *fdt, const char *path, const char *prop)
{
    return (uint64_t)cell(fdt, path, prop, 0) << 32 | cell(fdt, path, prop, 1);
}

static inline bool has(const void *fdt, const char *path, const char *prop)
{
    int node = fdt_path_offset(fdt, path);

    return node >= 0 && fdt_getprop(fdt, node, prop, NULL);
}

#endif
