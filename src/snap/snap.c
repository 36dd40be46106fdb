/* snap.c - one description of state, used in four ways. */
#include "snap/snap.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bits.h"

/* A saved section: u8 length of the name, the name, u32 version, then these two and the body. */
#define LENGTH_SIZE 8
#define HASH_SIZE   8

/* A listed block longer than this is shown by its hash. */
#define LIST_BYTES 32

static void open_as(struct snap *s, enum snap_mode mode)
{
    memset(s, 0, sizeof *s);
    s->mode = mode;
}

void snap_open_save(struct snap *s, struct buf *out)
{
    open_as(s, SNAP_SAVE);
    s->out = out;
}

void snap_open_load(struct snap *s, const void *data, size_t len)
{
    open_as(s, SNAP_LOAD);
    s->in = data;
    s->in_len = len;
}

void snap_open_hash(struct snap *s, uint64_t seed)
{
    open_as(s, SNAP_HASH);
    s->hash = seed;
}

void snap_open_list(struct snap *s, struct buf *out)
{
    open_as(s, SNAP_LIST);
    s->out = out;
}

static void fail(struct snap *s, const char *field, const char *why)
{
    if (s->status)
        return;
    const char *section = s->section ? s->section : "(start)";
    s->status = field ? err_set(&s->err, EINVAL, "snapshot: %s.%s: %s", section, field, why)
                      : err_set(&s->err, EINVAL, "snapshot: section %s: %s", section, why);
}

void snap_bad(struct snap *s, const char *name, const char *why)
{
    fail(s, name, why);
}

static void save_int(struct snap *s, uint64_t v, unsigned size)
{
    buf_add(s->out, &v, size);
}

/* The next `size` bytes of the input before `end`, or NULL. */
static const uint8_t *take(struct snap *s, size_t size, size_t end)
{
    if (size > end - s->in_at)
        return NULL;
    s->in_at += size;
    return s->in + s->in_at - size;
}

static bool take_int(struct snap *s, unsigned size, size_t end, uint64_t *v)
{
    const uint8_t *p = take(s, size, end);

    if (p)
        *v = bits_load_le(p, size);
    return p != NULL;
}

static void hash_in(struct snap *s, uint64_t v)
{
    s->hash = bits_mix(s->hash + UINT64_C(0x9e3779b97f4a7c15)) ^ v;
    s->hash = bits_mix(s->hash);
}

/* Fills in the length and hash that snap_section left room for. */
static void save_section_end(struct snap *s)
{
    char *body = s->out->data + s->section_at;
    size_t len = s->out->len - s->section_at;

    bits_store_le(body - HASH_SIZE - LENGTH_SIZE, 8, len);
    bits_store_le(body - HASH_SIZE, 8, bits_hash(body, len, 0));
}

static void section_end(struct snap *s)
{
    if (!s->section || s->status)
        return;
    if (s->mode == SNAP_SAVE)
        save_section_end(s);
    else if (s->mode == SNAP_LOAD && s->in_at != s->section_end)
        fail(s, NULL, "it is longer than what this version reads");
}

static void save_section(struct snap *s, unsigned version)
{
    size_t len = strlen(s->section);

    assert(len <= UINT8_MAX);
    save_int(s, len, 1);
    buf_add(s->out, s->section, len);
    save_int(s, version, 4);
    save_int(s, 0, LENGTH_SIZE);
    save_int(s, 0, HASH_SIZE);
    s->section_at = s->out->len;
}

static void load_section(struct snap *s, unsigned version)
{
    uint64_t name_len, found, len, hash;
    const uint8_t *name = NULL;

    if (s->in_at == s->in_len) {
        fail(s, NULL, "missing: the snapshot ends before it");
        return;
    }
    if (take_int(s, 1, s->in_len, &name_len))
        name = take(s, name_len, s->in_len);
    if (!name || name_len != strlen(s->section) || memcmp(name, s->section, name_len)) {
        fail(s, NULL, "another section, or none, is in its place");
        return;
    }
    if (!take_int(s, 4, s->in_len, &found) || !take_int(s, LENGTH_SIZE, s->in_len, &len) ||
        !take_int(s, HASH_SIZE, s->in_len, &hash) || len > s->in_len - s->in_at) {
        fail(s, NULL, "the snapshot is cut off in it");
        return;
    }
    if (found != version) {
        s->status = err_set(&s->err, EINVAL,
                            "snapshot: section %s has version %" PRIu64 ", this program reads %u",
                            s->section, found, version);
        return;
    }
    if (bits_hash(s->in + s->in_at, len, 0) != hash) {
        fail(s, NULL, "its bytes are damaged");
        return;
    }
    s->section_end = s->in_at + len;
}

void snap_section(struct snap *s, const char *name, unsigned version)
{
    section_end(s);
    if (s->status)
        return;
    s->section = name;
    if (s->mode == SNAP_SAVE)
        save_section(s, version);
    else if (s->mode == SNAP_LOAD)
        load_section(s, version);
    else if (s->mode == SNAP_HASH)
        hash_in(s, bits_hash(name, strlen(name), version));
}

int snap_close(struct snap *s, struct err *e)
{
    section_end(s);
    if (s->mode == SNAP_LOAD && !s->status && s->in_at != s->in_len)
        fail(s, NULL, "more follows than this program reads");
    if (s->status)
        err_set(e, -s->status, "%s", s->err.msg);
    return s->status;
}

/* One unsigned integer of `size` bytes; false: *v stays. */
static bool load_int(struct snap *s, const char *name, unsigned size, uint64_t *v)
{
    if (s->status)
        return false;
    if (take_int(s, size, s->section_end, v))
        return true;
    fail(s, name, "the section ends before it");
    return false;
}

/* Saves, hashes or lists *v, or loads it; true: *v was loaded. */
static bool integer(struct snap *s, const char *name, unsigned size, uint64_t *v)
{
    assert(s->section || s->status);
    switch (s->mode) {
    case SNAP_SAVE:
        save_int(s, *v, size);
        break;
    case SNAP_LOAD:
        return load_int(s, name, size, v);
    case SNAP_HASH:
        hash_in(s, *v);
        break;
    case SNAP_LIST:
        buf_fmt(s->out, "%s.%s = 0x%" PRIx64 "\n", s->section, name, *v);
        break;
    }
    return false;
}

void snap_u8(struct snap *s, const char *name, uint8_t *v)
{
    uint64_t x = *v;
    if (integer(s, name, 1, &x))
        *v = (uint8_t)x;
}

void snap_u16(struct snap *s, const char *name, uint16_t *v)
{
    uint64_t x = *v;
    if (integer(s, name, 2, &x))
        *v = (uint16_t)x;
}

void snap_u32(struct snap *s, const char *name, uint32_t *v)
{
    uint64_t x = *v;
    if (integer(s, name, 4, &x))
        *v = (uint32_t)x;
}

void snap_u64(struct snap *s, const char *name, uint64_t *v)
{
    uint64_t x = *v;
    if (integer(s, name, 8, &x))
        *v = x;
}

void snap_bool(struct snap *s, const char *name, bool *v)
{
    uint64_t x = *v;

    if (!integer(s, name, 1, &x))
        return;
    if (x > 1)
        fail(s, name, "neither 0 nor 1");
    else
        *v = x;
}

/* Blocks and arrays start with their size in bytes.  The bytes to load, or NULL. */
static const uint8_t *load_block(struct snap *s, const char *name, size_t len)
{
    uint64_t found;

    if (!load_int(s, name, 8, &found))
        return NULL;
    if (found != len) {
        s->status = err_set(&s->err, EINVAL,
                            "snapshot: %s.%s has %" PRIu64 " bytes, this program reads %zu",
                            s->section, name, found, len);
        return NULL;
    }
    const uint8_t *p = take(s, len, s->section_end);
    if (!p)
        fail(s, name, "the section ends inside it");
    return p;
}

static void list_bytes(struct snap *s, const char *name, const uint8_t *data, size_t len)
{
    buf_fmt(s->out, "%s.%s = ", s->section, name);
    if (len > LIST_BYTES)
        buf_fmt(s->out, "%zu bytes, hash 0x%016" PRIx64, len, bits_hash(data, len, 0));
    else
        for (size_t i = 0; i < len; i++)
            buf_fmt(s->out, "%02x", data[i]);
    buf_ch(s->out, '\n');
}

/* Saves, hashes or loads a block.  Listing is the caller's. */
static void block(struct snap *s, const char *name, void *data, size_t len)
{
    const uint8_t *p;

    assert(s->section || s->status);
    if (s->mode == SNAP_SAVE) {
        save_int(s, len, 8);
        buf_add(s->out, data, len);
    } else if (s->mode == SNAP_HASH) {
        hash_in(s, bits_hash(data, len, len));
    } else if (s->mode == SNAP_LOAD && (p = load_block(s, name, len)) != NULL && len) {
        memcpy(data, p, len);
    }
}

void snap_bytes(struct snap *s, const char *name, void *data, size_t len)
{
    if (s->mode == SNAP_LIST)
        list_bytes(s, name, data, len);
    else
        block(s, name, data, len);
}

void snap_u64s(struct snap *s, const char *name, uint64_t *v, size_t count)
{
    if (s->mode != SNAP_LIST) {
        block(s, name, v, count * sizeof *v);
        return;
    }
    for (size_t i = 0; i < count; i++)
        buf_fmt(s->out, "%s.%s[%zu] = 0x%" PRIx64 "\n", s->section, name, i, v[i]);
}
