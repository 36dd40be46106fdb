/*
 * memory.h - memory as text.
 *
 * Reads never have a side effect: devices are not touched.  Machine thread only.
 */
#ifndef DEBUG_MEMORY_H
#define DEBUG_MEMORY_H

#include "base/buf.h"
#include "base/err.h"
#include "cpu/cpu.h"

/* As GDB's x: x hexadecimal, d signed, u unsigned, o octal, t binary, c characters, s strings, i
 * instructions (dbg_disas_lines is for those). */
struct dbg_format {
    char how;
    uint8_t size; /* bytes of a unit: 1, 2, 4, 8 */
    unsigned count;
};

#define DBG_COUNT_MAX 65536u

/* "8xg", "4i", "s", "" ...: changes what is named.  -EINVAL with a message. */
int dbg_format_parse(const char *text, struct dbg_format *f, struct err *e);

/* Shows f->count units from a virtual address of c, or a physical one.  Says where memory
 * ends.  The address behind the last one. */
uint64_t dbg_memory(struct cpu *c, bool physical, uint64_t addr, const struct dbg_format *f,
                    struct buf *out);

#endif
