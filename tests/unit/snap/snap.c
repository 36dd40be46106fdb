/* Snapshots: one description saves, loads, hashes and lists; damage is refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snap/snap.h"
#include "../unit.h"

struct thing {
    uint8_t a;
    uint16_t b;
    uint32_t c;
    uint64_t d;
    bool on;
    char text[40];
    uint64_t regs[5];
    uint64_t extra;
};

static const struct thing sample = {
    .a = 0x12,
    .b = 0x3456,
    .c = 0x789abcde,
    .d = UINT64_C(0xf0e1d2c3b4a59687),
    .on = true,
    .text = "forty bytes, of which most are zero",
    .regs = {1, 2, UINT64_MAX, 4, 5},
    .extra = 99,
};

static void describe(struct snap *s, struct thing *t)
{
    snap_section(s, "first", 3);
    snap_u8(s, "a", &t->a);
    snap_u16(s, "b", &t->b);
    snap_u32(s, "c", &t->c);
    snap_u64(s, "d", &t->d);
    snap_bool(s, "on", &t->on);
    snap_section(s, "second", 1);
    snap_bytes(s, "text", t->text, sizeof t->text);
    snap_u64s(s, "regs", t->regs, 5);
    snap_section(s, "third", 1);
    snap_u64(s, "extra", &t->extra);
    if (snap_loading(s) && t->extra == 666)
        snap_bad(s, "extra", "nobody has that many");
}

static void save(struct buf *out, const struct thing *from)
{
    struct thing t = *from;
    struct snap s;

    snap_open_save(&s, out);
    describe(&s, &t);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    ck_assert_mem_eq(&t, from, sizeof t);
}

static int load(const void *data, size_t len, struct thing *t, struct err *e)
{
    struct snap s;

    snap_open_load(&s, data, len);
    describe(&s, t);
    return snap_close(&s, e);
}

static uint64_t hash(const struct thing *from, uint64_t seed)
{
    struct thing t = *from;
    struct snap s;

    snap_open_hash(&s, seed);
    describe(&s, &t);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    return s.hash;
}

START_TEST(round_trip)
{
    struct buf out = BUF_INIT, again = BUF_INIT;
    struct thing t = {0};
    struct err e = {0};

    save(&out, &sample);
    ck_assert_int_eq(load(out.data, out.len, &t, &e), 0);
    save(&again, &t);
    ck_assert_mem_eq(&t.text, sample.text, sizeof t.text);
    ck_assert_uint_eq(t.d, sample.d);
    ck_assert(t.on);
    ck_assert_uint_eq(out.len, again.len);
    ck_assert_mem_eq(out.data, again.data, out.len);
    buf_fini(&out);
    buf_fini(&again);
}
END_TEST

START_TEST(saving_appends)
{
    struct buf out = BUF_INIT;
    struct thing t = {0};

    buf_str(&out, "head");
    save(&out, &sample);
    ck_assert_mem_eq(out.data, "head", 4);
    ck_assert_int_eq(load(out.data + 4, out.len - 4, &t, NULL), 0);
    ck_assert_uint_eq(t.extra, 99);
    buf_fini(&out);
}
END_TEST

START_TEST(hash_sees_every_field)
{
    uint64_t h = hash(&sample, 1);

    ck_assert_uint_eq(h, hash(&sample, 1));
    ck_assert_uint_ne(h, hash(&sample, 2));
    struct thing t[] = {sample, sample, sample, sample, sample, sample, sample, sample};
    t[0].a++;
    t[1].b++;
    t[2].c++;
    t[3].d++;
    t[4].on = false;
    t[5].text[39] = 1;
    t[6].regs[4]++;
    t[7].extra++;
    for (int i = 0; i < 8; i++) {
        ck_assert_msg(hash(&t[i], 1) != h, "field %d", i);
        for (int k = 0; k < i; k++)
            ck_assert_uint_ne(hash(&t[i], 1), hash(&t[k], 1));
    }
}
END_TEST

START_TEST(listed_for_a_person)
{
    struct buf out = BUF_INIT;
    struct thing t = sample;
    struct snap s;
    uint8_t few[3] = {1, 0xab, 0};

    snap_open_list(&s, &out);
    describe(&s, &t);
    snap_bytes(&s, "few", few, 3);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    ck_assert_ptr_eq(out.data, strstr(out.data, "first.a = 0x12\nfirst.b = 0x3456\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "\nfirst.on = 0x1\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "\nsecond.text = 40 bytes, hash 0x"));
    ck_assert_ptr_nonnull(strstr(out.data, "\nsecond.regs[2] = 0xffffffffffffffff\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "\nthird.extra = 0x63\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "\nthird.few = 01ab00\n"));
    buf_fini(&out);
}
END_TEST

/* Loads what is damaged: it must fail, and leave what comes behind the damage alone. */
static void refuse(const void *data, size_t len, const char *word)
{
    struct thing t;
    struct err e = {0};

    memset(&t, 0, sizeof t);
    ck_assert_int_eq(load(data, len, &t, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.msg, "snapshot"));
    ck_assert_msg(!word || strstr(e.msg, word), "%s", e.msg);
    ck_assert_uint_eq(t.extra, 0); /* the last field */
}

START_TEST(every_cut_is_refused)
{
    struct buf out = BUF_INIT;

    save(&out, &sample);
    for (size_t n = 0; n < out.len; n++) {
        char *part = malloc(n + 1); /* its own memory, so that a sanitizer sees the end */
        memcpy(part, out.data, n);
        part = realloc(part, n ? n : 1);
        refuse(part, n, n == 0 ? "first" : NULL);
        free(part);
    }
    buf_fini(&out);
}
END_TEST

START_TEST(every_wrong_bit_is_refused)
{
    struct buf out = BUF_INIT;

    save(&out, &sample);
    for (size_t bit = 0; bit < 8 * out.len; bit++) {
        out.data[bit / 8] ^= (char)(1 << bit % 8);
        refuse(out.data, out.len, NULL);
        out.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    buf_ch(&out, 0); /* and what is too long; all else was loaded by then */
    struct thing t = {0};
    ck_assert_int_eq(load(out.data, out.len, &t, NULL), -EINVAL);
    buf_fini(&out);
}
END_TEST

START_TEST(a_damaged_section_changes_nothing)
{
    struct buf out = BUF_INIT;
    struct thing t = {.a = 77, .d = 88, .text = "old"}, before = t;

    save(&out, &sample);
    char *last = out.data + out.len - 1;
    out.data[1 + 5 + 4 + 16 + 14] ^= 1; /* first.d: behind the header, a, b and c */
    ck_assert_int_eq(load(out.data, out.len, &t, NULL), -EINVAL);
    ck_assert_mem_eq(&t, &before, sizeof t);
    out.data[1 + 5 + 4 + 16 + 14] ^= 1;
    *last ^= 1; /* the third: the first two are loaded */
    ck_assert_int_eq(load(out.data, out.len, &t, NULL), -EINVAL);
    ck_assert_uint_eq(t.a, 0x12);
    ck_assert_uint_eq(t.extra, 0);
    buf_fini(&out);
}
END_TEST

/* Saves one section by hand, for the loads below, and one more behind it. */
static void save_one(struct buf *out, const char *name, unsigned version, uint64_t value, int kind)
{
    struct snap s;
    uint8_t small = (uint8_t)value;

    snap_open_save(&s, out);
    snap_section(&s, name, version);
    if (kind == 'u')
        snap_u64(&s, "x", &value);
    else if (kind == 's')
        snap_u8(&s, "x", &small);
    else if (kind == 'b')
        snap_bytes(&s, "x", &value, 8);
    snap_section(&s, "behind", 1);
    snap_u64(&s, "y", &value);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
}

/* Loads it as section "unit" version 2; the message must have these words. */
static void load_one(const struct buf *in, int kind, const char *word, const char *word2)
{
    struct snap s;
    struct err e = {0};
    uint64_t x = 5;
    uint8_t block[4] = {6, 6, 6, 6};
    bool on = true;

    snap_open_load(&s, in->data, in->len);
    snap_section(&s, "unit", 2);
    if (kind == 'u')
        snap_u64(&s, "x", &x);
    else if (kind == 'b')
        snap_bytes(&s, "x", block, 4);
    else if (kind == 'o')
        snap_bool(&s, "x", &on);
    ck_assert_int_eq(snap_close(&s, &e), -EINVAL);
    ck_assert_msg(strstr(e.msg, word) && strstr(e.msg, word2), "%s", e.msg);
    ck_assert(x == 5 || kind != 'u' || strstr(word2, "longer"));
    ck_assert(block[0] == 6 && on);
}

START_TEST(mismatches_are_named)
{
    static const struct {
        const char *name;
        unsigned version;
        int saved, loaded;
        uint64_t value;
        const char *word, *word2;
    } cases[] = {
        {"unix", 2, 'u', 'u', 1, "unit", "another section"},
        {"units", 2, 'u', 'u', 1, "unit", "another section"},
        {"unit", 3, 'u', 'u', 1, "unit", "version 3"},
        {"unit", 2, 's', 'u', 1, "unit.x", "ends before"},
        {"unit", 2, 0, 'u', 1, "unit.x", "ends before"},
        {"unit", 2, 'b', 'u', 1, "unit", "longer"},
        {"unit", 2, 'b', 'b', 1, "unit.x", "8 bytes"},
        {"unit", 2, 'u', 'b', 4, "unit.x", "ends inside"},
        {"unit", 2, 's', 'o', 2, "unit.x", "neither"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = BUF_INIT;
        save_one(&out, cases[i].name, cases[i].version, cases[i].value, cases[i].saved);
        load_one(&out, cases[i].loaded, cases[i].word, cases[i].word2);
        buf_fini(&out);
    }
}
END_TEST

START_TEST(owners_can_refuse)
{
    struct buf out = BUF_INIT;
    struct thing t = sample;
    struct err e = {0};

    t.extra = 666;
    save(&out, &t);
    ck_assert_int_eq(load(out.data, out.len, &t, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.msg, "third.extra: nobody has that many"));
    buf_fini(&out);
}
END_TEST

UNIT_MAIN("snap/snap", round_trip, saving_appends, hash_sees_every_field, listed_for_a_person,
          every_cut_is_refused, every_wrong_bit_is_refused, a_damaged_section_changes_nothing,
          mismatches_are_named, owners_can_refuse)
