/*
 * snap.h - the state of things, as named and versioned sections.
 *
 * Whoever has state describes it once, in a function that calls snap_* for each
 * field in order.  The same function saves, loads, hashes or lists it for a
 * person, by the mode that the struct snap was opened in.
 *
 * A saved section: name, version, length and hash of what follows, then the
 * fields' bytes, little-endian; blocks carry their length.  All of it is checked
 * on load, the hash before the first field: a wrong name, version, length or byte
 * is an error that names the section and field; loading stops changing anything
 * from there on.
 */
#ifndef SNAP_SNAP_H
#define SNAP_SNAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum snap_mode { SNAP_SAVE, SNAP_LOAD, SNAP_HASH, SNAP_LIST };

struct snap {
    enum snap_mode mode;
    struct buf *out;       /* SAVE: bytes; LIST: "section.field = value" lines */
    const uint8_t *in;     /* LOAD */
    size_t in_len, in_at;
    size_t section_at;     /* SAVE: where the open section's body starts in out */
    size_t section_end;    /* LOAD: where it ends in `in` */
    uint64_t hash;         /* HASH: the result */
    const char *section;
    int status;            /* 0, or the first error's negative errno */
    struct err err;
};

void snap_open_save(struct snap *s, struct buf *out);
void snap_open_load(struct snap *s, const void *data, size_t len);
void snap_open_hash(struct snap *s, uint64_t seed);
void snap_open_list(struct snap *s, struct buf *out);
/* Ends the last section.  The status; *e gets the message.  A load must have come to the end. */
int snap_close(struct snap *s, struct err *e);

static inline bool snap_loading(const struct snap *s)
{
    return s->mode == SNAP_LOAD && !s->status;
}

/* Names must be string constants; a section's has at most 255 characters. */
void snap_section(struct snap *s, const char *name, unsigned version);
void snap_u8(struct snap *s, const char *name, uint8_t *v);
void snap_u16(struct snap *s, const char *name, uint16_t *v);
void snap_u32(struct snap *s, const char *name, uint32_t *v);
void snap_u64(struct snap *s, const char *name, uint64_t *v);
void snap_bool(struct snap *s, const char *name, bool *v);
void snap_bytes(struct snap *s, const char *name, void *data, size_t len);
void snap_u64s(struct snap *s, const char *name, uint64_t *v, size_t count);
/* Refuses the load: a field's value cannot be.  Nothing is loaded after it. */
void snap_bad(struct snap *s, const char *name, const char *why);

#endif
