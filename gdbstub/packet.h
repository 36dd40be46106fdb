/*
 * packet.h - bytes to packets and back: the framing of GDB's remote serial protocol (GDB
 * manual, appendix E.1), and the numbers within packets.
 *
 * What a client sends is hostile.  One thread at a time.
 */
#ifndef GDBSTUB_PACKET_H
#define GDBSTUB_PACKET_H

#include <stdbool.h>

#include "base/buf.h"

#define GDB_PACKET_MAX (1u << 20) /* bytes of a packet, as they are sent */

struct gdb_wire {
    struct buf in;   /* not yet looked at: from in_at on */
    size_t in_at;
    struct buf out;  /* not yet sent: from out_at on */
    size_t out_at;
    struct buf last; /* the last packet, to be sent again */
    bool no_ack;
};

void gdb_wire_init(struct gdb_wire *w);
void gdb_wire_fini(struct gdb_wire *w);

/* Bytes came. */
void gdb_wire_add(struct gdb_wire *w, const void *data, size_t len);

enum gdb_in {
    GDB_IN_NONE,   /* there is nothing whole yet */
    GDB_IN_PACKET, /* acknowledged, without its escapes */
    GDB_IN_BREAK,  /* the client wants a stop: byte 3 */
    GDB_IN_BAD,    /* that is no client of ours: hang up */
};
/* The next one.  A packet with a wrong sum is asked for again and not told. */
enum gdb_in gdb_wire_next(struct gdb_wire *w, struct buf *packet);

/* So much is to be sent that the client has to take some before it is heard again. */
bool gdb_wire_full(const struct gdb_wire *w);
/* n bytes of what is to be sent, at out_at, are. */
void gdb_wire_sent(struct gdb_wire *w, size_t n);

/* Sends a packet, with escapes and sum. */
void gdb_wire_send(struct gdb_wire *w, const struct buf *packet);
/* The same as a notification, which nobody acknowledges. */
void gdb_wire_notify(struct gdb_wire *w, const struct buf *packet);

/* ---- numbers ---- */

/* Reads hexadecimal digits at *p, moves it behind them; false: there are none, or more than 16. */
bool gdb_hex(const char **p, uint64_t *v);
/* The same, and then the character c. */
bool gdb_hex_then(const char **p, char c, uint64_t *v);
/* Appends bytes as hexadecimal digits. */
void gdb_put_hex(struct buf *out, const void *data, size_t len);
/* Appends a number of so many bytes, at most 8, in the guest's order (little-endian). */
void gdb_put_le(struct buf *out, uint64_t v, unsigned bytes);
/* Bytes from pairs of digits; the number of them, or -1: one is no digit, or half a pair. */
long gdb_get_hex(const char *text, size_t len, uint8_t *data);

#endif
