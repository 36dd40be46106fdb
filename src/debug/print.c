/* print.c - see print.h. */
#include "debug/print.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

#define STRING_MAX 4096 /* bytes of a guest's string that are shown */

/* Behind a backslash; moves *p behind the escape. */
static char escape(const char **p)
{
    static const char from[] = "abfnrtve", to[] = "\a\b\f\n\r\t\v\033";
    const char *known = **p ? strchr(from, **p) : NULL;
    unsigned v = 0, n = 0;

    if (known) {
        ++*p;
        return to[known - from];
    }
    for (; n < 3 && **p >= '0' && **p <= '7'; n++)
        v = v * 8 + (unsigned)(*(*p)++ - '0');
    if (n)
        return (char)v;
    return **p ? *(*p)++ : '\\';
}

/* A conversion: what stands between % and the sizes, what the sizes come to, and the letter. */
struct conversion {
    char spec[24]; /* "%-08.3", to be completed */
    unsigned bits;
    char letter;
};

/* At most so many of these characters go into the specification. */
static const char *take(struct conversion *k, const char *p, const char *set, unsigned max)
{
    size_t n = strlen(k->spec), len = strspn(p, set);

    if (len > max)
        return NULL;
    memcpy(k->spec + n, p, len);
    k->spec[n + len] = 0;
    return p + len;
}

/* Behind '%'.  NULL: it is none that is known. */
static const char *parse(const char *p, struct conversion *k)
{
    static const char digits[] = "0123456789";

    *k = (struct conversion){.spec = "%", .bits = 32};
    p = take(k, p, "-+ #0", 5);
    p = p ? take(k, p, digits, 3) : NULL;
    p = p ? take(k, p, ".", 1) : NULL;
    p = p ? take(k, p, digits, 3) : NULL;
    if (!p)
        return NULL;
    for (; *p && strchr("hlLqjzt", *p); p++)
        k->bits = *p == 'h' ? k->bits / 2 : 64;
    k->letter = *p;
    if (!*p || !strchr("diuoxXcsp", *p) || k->bits < 8)
        return NULL;
    return p + 1;
}

static void put_string(struct cpu *c, const char *spec, uint64_t addr, struct buf *out)
{
    char text[STRING_MAX + 1];
    size_t len = cpu_peek(c, addr, text, STRING_MAX);

    text[len] = 0;
    buf_fmt(out, spec, text);
}

static void convert(struct cpu *c, struct conversion *k, uint64_t v, struct buf *out)
{
    size_t n = strlen(k->spec);

    switch (k->letter) {
    case 'c':
        memcpy(k->spec + n, "c", 2);
        buf_fmt(out, k->spec, (int)(v & 0xff));
        break;
    case 's':
        memcpy(k->spec + n, "s", 2);
        put_string(c, k->spec, v, out);
        break;
    case 'p':
        buf_fmt(out, "0x%llx", (unsigned long long)v);
        break;
    default:
        v = k->letter == 'd' || k->letter == 'i' ? (uint64_t)bits_sext(v, k->bits)
                                                 : v & bits_mask(k->bits);
        memcpy(k->spec + n, (char[]){'l', 'l', k->letter, 0}, 4);
        buf_fmt(out, k->spec, (unsigned long long)v);
    }
}

void dbg_print(struct cpu *c, const char *format, const uint64_t *args, unsigned nargs,
               struct buf *out)
{
    struct conversion k;
    const char *next;
    unsigned n = 0;

    for (const char *p = format; *p;) {
        char ch = *p++;

        if (ch == '%' && *p == '%') {
            buf_ch(out, *p++);
        } else if (ch == '%' && (next = parse(p, &k))) {
            convert(c, &k, n < nargs ? args[n] : 0, out);
            n++;
            p = next;
        } else {
            buf_ch(out, ch == '\\' ? escape(&p) : ch);
        }
    }
}
