/* packet.c - see packet.h. */
#include "gdbstub/packet.h"

#include <string.h>

#include "base/bits.h"

#define ESCAPE     '}'
#define ESCAPE_XOR 0x20
#define BREAK      3
#define RUN        '*'

enum { REPEATS_BASE = 29, REPEATS_MAX = 97, REPEATS_MIN = 7 }; /* a shorter run gains little */

static const char digits[] = "0123456789abcdef";

void gdb_wire_init(struct gdb_wire *w)
{
    *w = (struct gdb_wire){.in = BUF_INIT, .out = BUF_INIT, .last = BUF_INIT};
}

void gdb_wire_fini(struct gdb_wire *w)
{
    buf_fini(&w->in);
    buf_fini(&w->out);
    buf_fini(&w->last);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- in ---- */

void gdb_wire_add(struct gdb_wire *w, const void *data, size_t len)
{
    if (w->in_at) { /* what was looked at goes */
        memmove(w->in.data, w->in.data + w->in_at, w->in.len - w->in_at);
        w->in.len -= w->in_at;
        w->in_at = 0;
    }
    buf_add(&w->in, data, len);
}

/* The same byte in each of eight. */
static uint64_t eight(uint8_t b)
{
    return b * UINT64_C(0x0101010101010101);
}

static uint8_t sum_of(const char *p, size_t len)
{
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
    uint64_t sum = 0;

    for (; len >= 8; p += 8, len -= 8) {
        uint64_t v = bits_load_le(p, 8);

        sum += ((v & even) + (v >> 8 & even)) * UINT64_C(0x0001000100010001) >> 48;
    }
    while (len--)
        sum += (uint8_t)*p++;
    return (uint8_t)sum;
}

static void unescape(const char *p, size_t len, struct buf *packet)
{
    buf_reset(packet);
    for (size_t i = 0; i < len; i++) {
        if (p[i] == ESCAPE && i + 1 < len)
            buf_ch(packet, (char)(p[++i] ^ ESCAPE_XOR));
        else
            buf_ch(packet, p[i]);
    }
}

/* At a '$'.  Passes over it when it is whole; *refused: by its sum. */
static enum gdb_in take_packet(struct gdb_wire *w, struct buf *packet, bool *refused)
{
    const char *start = w->in.data + w->in_at + 1;
    size_t room = w->in.len - w->in_at - 1;
    const char *end = memchr(start, '#', room);
    size_t len = end ? (size_t)(end - start) : room;
    uint8_t sum;
    bool good;

    *refused = false;
    if (len > GDB_PACKET_MAX)
        return GDB_IN_BAD;
    if (!end || room - len < 3)
        return GDB_IN_NONE;
    good = w->no_ack || (gdb_get_hex(end + 1, 2, &sum) == 1 && sum == sum_of(start, len));
    w->in_at += len + 4;
    if (!w->no_ack)
        buf_ch(&w->out, good ? '+' : '-');
    *refused = !good;
    if (!good)
        return GDB_IN_NONE;
    unescape(start, len, packet);
    return GDB_IN_PACKET;
}

enum gdb_in gdb_wire_next(struct gdb_wire *w, struct buf *packet)
{
    while (w->in_at < w->in.len) {
        bool refused;
        enum gdb_in in;

        switch (w->in.data[w->in_at]) {
        case '$':
            in = take_packet(w, packet, &refused);
            if (!refused)
                return in;
            break;
        case BREAK:
            w->in_at++;
            return GDB_IN_BREAK;
        case '-': /* not again while it is under way */
            if (!w->no_ack && w->out_at == w->out.len)
                buf_add(&w->out, w->last.data, w->last.len);
            w->in_at++;
            break;
        case '+':
        default: /* noise between packets is passed over */
            w->in_at++;
        }
    }
    return GDB_IN_NONE;
}

/* ---- out ---- */

bool gdb_wire_full(const struct gdb_wire *w)
{
    return w->out.len - w->out_at > 2 * GDB_PACKET_MAX;
}

void gdb_wire_sent(struct gdb_wire *w, size_t n)
{
    w->out_at += n;
    if (w->out_at == w->out.len) {
        buf_reset(&w->out);
        w->out_at = 0;
    } else if (w->out_at > GDB_PACKET_MAX) {
        memmove(w->out.data, w->out.data + w->out_at, w->out.len - w->out_at);
        w->out.len -= w->out_at;
        w->out_at = 0;
    }
}

static bool is_special(char c)
{
    return c == '#' || c == '$' || c == ESCAPE || c == RUN;
}

/* How often the first of len characters, of which there is one, is repeated behind it, up to what
 * a run may have. */
static size_t repeats(const char *p, size_t len)
{
    size_t n = 1, most = len < REPEATS_MAX + 1 ? len : REPEATS_MAX + 1;

    while (n + 8 <= most && bits_load_le(p + n, 8) == eight((uint8_t)*p))
        n += 8;
    while (n < most && p[n] == *p)
        n++;
    return n - 1;
}

/* Not 0 if one of the eight characters v is c. */
static uint64_t is_in(uint64_t v, char c)
{
    uint64_t x = v ^ eight((uint8_t)c);

    return (x - eight(1)) & ~x & eight(0x80);
}

/* Whether eight characters, v, go out as they are: none is special, and neither half is of one
 * character four times, as some half of eight is wherever a run is passed over by eights. */
static bool is_plain(uint64_t v)
{
    uint64_t differs = v ^ v >> 8;

    return differs & 0xffffff && differs >> 32 & 0xffffff &&
           !(is_in(v, '#') | is_in(v, '$') | is_in(v, ESCAPE) | is_in(v, RUN));
}

/* How many of the characters go out as they are, before one that does not or a run. */
static size_t plain(const char *p, size_t len)
{
    size_t n = 0;

    while (n < len) {
        if (n + 8 <= len && is_plain(bits_load_le(p + n, 8)))
            n += 8;
        else if (!is_special(p[n]) && repeats(p + n, len - n) < REPEATS_MIN)
            n++;
        else
            break;
    }
    return n;
}

/* A character, and that it is repeated n times.  The count is a character too. */
static void put_run(struct buf *out, char c, size_t n)
{
    char text[3] = {c, RUN, (char)(n + REPEATS_BASE)};

    buf_add(out, text, sizeof text);
}

/* Not all counts are allowed. */
static size_t repeats_allowed(size_t n)
{
    while (memchr("#$+-", (int)(n + REPEATS_BASE), 4))
        n--;
    return n;
}

/* GDB manual, appendix E.1: escapes and run-length encoding. */
static void frame(char start, const struct buf *packet, struct buf *out)
{
    const char *p = packet->data, *end = p + packet->len;
    size_t from, n;

    buf_ch(out, start);
    from = out->len;
    while (p < end) {
        n = plain(p, (size_t)(end - p));
        buf_add(out, p, n);
        p += n;
        if (p < end && is_special(*p)) {
            buf_ch(out, ESCAPE);
            buf_ch(out, (char)(*p++ ^ ESCAPE_XOR));
        } else if (p < end) {
            n = repeats_allowed(repeats(p, (size_t)(end - p)));
            put_run(out, *p, n);
            p += n + 1;
        }
    }
    uint8_t sum = sum_of(out->data + from, out->len - from);
    buf_ch(out, '#');
    buf_ch(out, digits[sum >> 4]);
    buf_ch(out, digits[sum & 15]);
}

void gdb_wire_send(struct gdb_wire *w, const struct buf *packet)
{
    buf_reset(&w->last);
    frame('$', packet, &w->last);
    buf_add(&w->out, w->last.data, w->last.len);
}

void gdb_wire_notify(struct gdb_wire *w, const struct buf *packet)
{
    frame('%', packet, &w->out);
}

/* ---- numbers ---- */

bool gdb_hex(const char **p, uint64_t *v)
{
    unsigned n = 0;

    for (*v = 0; digit(**p) >= 0; n++, ++*p)
        *v = *v << 4 | (unsigned)digit(**p);
    return n && n <= 16;
}

bool gdb_hex_then(const char **p, char c, uint64_t *v)
{
    return gdb_hex(p, v) && *(*p)++ == c;
}

/* The digits of four bytes. */
static uint64_t eight_digits(uint64_t v)
{
    uint64_t ten; /* in each byte: it is a letter */

    v = (v | v << 16) & UINT64_C(0x0000ffff0000ffff);
    v = (v | v << 8) & UINT64_C(0x00ff00ff00ff00ff);
    v = (v >> 4 | v << 8) & eight(0x0f);
    ten = (v + eight(6)) >> 4 & eight(1);
    return v + eight('0') + ten * ('a' - '0' - 10);
}

void gdb_put_hex(struct buf *out, const void *data, size_t len)
{
    const uint8_t *p = data;
    char text[1024];

    while (len) {
        size_t n = len < sizeof text / 2 ? len : sizeof text / 2, i = 0;

        for (; i + 4 <= n; i += 4)
            bits_store_le(text + 2 * i, 8, eight_digits(bits_load_le(p + i, 4)));
        for (; i < n; i++)
            bits_store_le(text + 2 * i, 2, eight_digits(p[i]));
        buf_add(out, text, 2 * n);
        p += n;
        len -= n;
    }
}

void gdb_put_le(struct buf *out, uint64_t v, unsigned bytes)
{
    uint8_t raw[8];

    bits_store_le(raw, 8, v);
    gdb_put_hex(out, raw, bytes);
}

long gdb_get_hex(const char *text, size_t len, uint8_t *data)
{
    if (len % 2)
        return -1;
    for (size_t i = 0; i < len; i += 2) {
        int high = digit(text[i]),
            low = high < 0 ? -1 : digit(text[i + 1]); /* not behind the end */

        if (low < 0)
            return -1;
        data[i / 2] = (uint8_t)(high << 4 | low);
    }
    return (long)(len / 2);
}
