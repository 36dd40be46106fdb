/* memory.c - see memory.h. */
#include "debug/memory.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bits.h"

#define STRING_MAX 200 /* bytes of a string that are shown */

int dbg_format_parse(const char *text, struct dbg_format *f, struct err *e)
{
    const char *s = text;

    if (isdigit((unsigned char)*s)) {
        uint64_t n = 0;
        for (; isdigit((unsigned char)*s); s++)
            if (n <= DBG_COUNT_MAX)
                n = n * 10 + (uint64_t)(*s - '0');
        if (!n || n > DBG_COUNT_MAX)
            return err_set(e, EINVAL, "/%s: the count is 1 to %u", text, DBG_COUNT_MAX);
        f->count = (unsigned)n;
    }
    for (; *s; s++) {
        static const char sizes[] = "bhwg";
        const char *size = strchr(sizes, *s);

        if (size)
            f->size = (uint8_t)(1u << (size - sizes));
        else if (strchr("xduotcsi", *s))
            f->how = *s;
        else
            return err_set(e, EINVAL, "/%s: '%c' is no format (x d u o t c s i) or size (b h w g)",
                           text, *s);
    }
    if (f->how == 'c')
        f->size = 1;
    return 0;
}

static uint64_t peek(struct cpu *c, bool physical, uint64_t addr, void *data, uint64_t len)
{
    return physical ? mem_peek(c->mem, addr, data, len) : cpu_peek(c, addr, data, len);
}

static void one_char(uint8_t ch, struct buf *out)
{
    if (ch == '\\' || ch == '"')
        buf_fmt(out, "\\%c", ch);
    else if (ch >= 0x20 && ch < 0x7f)
        buf_ch(out, (char)ch);
    else if (ch == '\n')
        buf_str(out, "\\n");
    else
        buf_fmt(out, "\\%03o", ch);
}

static void one_unit(uint64_t v, const struct dbg_format *f, struct buf *out)
{
    unsigned bits = f->size * 8u;

    switch (f->how) {
    case 'd':
        buf_fmt(out, " %*" PRId64, (int)bits / 3, bits_sext(v, bits));
        break;
    case 'u':
        buf_fmt(out, " %*" PRIu64, (int)bits / 3, v);
        break;
    case 'o':
        buf_fmt(out, " 0%0*" PRIo64, (int)(bits + 2) / 3, v);
        break;
    case 't':
        buf_ch(out, ' ');
        for (unsigned i = bits; i--;)
            buf_ch(out, v >> i & 1 ? '1' : '0');
        break;
    case 'c':
        buf_str(out, " '");
        one_char((uint8_t)v, out);
        buf_ch(out, '\'');
        break;
    default:
        buf_fmt(out, " 0x%0*" PRIx64, (int)bits / 4, v);
    }
}

static void no_memory(uint64_t addr, bool fresh_line, struct buf *out)
{
    if (fresh_line)
        buf_fmt(out, "0x%016" PRIx64 ": no memory here\n", addr);
    else
        buf_fmt(out, "\n0x%016" PRIx64 ": no memory here\n", addr);
}

static unsigned per_line(const struct dbg_format *f)
{
    if (f->how == 't')
        return f->size >= 4 ? 1 : 4u / f->size;
    return f->how == 'x' || f->how == 'c' ? 16u / f->size > 8 ? 8 : 16u / f->size : 4;
}

static uint64_t units(struct cpu *c, bool physical, uint64_t addr, const struct dbg_format *f,
                      struct buf *out)
{
    unsigned width = per_line(f);

    for (unsigned i = 0; i < f->count; i++, addr += f->size) {
        uint8_t bytes[8];

        if (peek(c, physical, addr, bytes, f->size) != f->size) {
            no_memory(addr, i % width == 0, out);
            return addr;
        }
        if (i % width == 0)
            buf_fmt(out, "0x%016" PRIx64 ":", addr);
        one_unit(bits_load_le(bytes, f->size), f, out);
        if (i % width == width - 1 || i == f->count - 1)
            buf_ch(out, '\n');
    }
    return addr;
}

static uint64_t strings(struct cpu *c, bool physical, uint64_t addr, unsigned n, struct buf *out)
{
    while (n--) {
        uint8_t ch;
        unsigned len = 0;

        if (!peek(c, physical, addr, &ch, 1)) {
            no_memory(addr, true, out);
            return addr;
        }
        buf_fmt(out, "0x%016" PRIx64 ": \"", addr);
        while (peek(c, physical, addr, &ch, 1) && ch && len++ < STRING_MAX) {
            one_char(ch, out);
            addr++;
        }
        buf_str(out, len > STRING_MAX ? "\"...\n" : "\"\n");
        addr += len <= STRING_MAX; /* past the 0 */
    }
    return addr;
}

uint64_t dbg_memory(struct cpu *c, bool physical, uint64_t addr, const struct dbg_format *f,
                    struct buf *out)
{
    return f->how == 's' ? strings(c, physical, addr, f->count, out)
                         : units(c, physical, addr, f, out);
}
