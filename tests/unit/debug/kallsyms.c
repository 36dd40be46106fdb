/* kallsyms.c - a kernel's own table of names, as made by old and new kernels, whole and broken. */
#include "debug/kallsyms.h"

#include <errno.h>

#include "tests/unit/debug/stopper.h"

#define AT    (RIG_RAM + 0x123450)
#define BASE  UINT64_C(0xffffffff80000000)
#define NAMES 600

static struct machine *m;
static struct buf table = BUF_INIT;
static struct err e;

static void put(uint64_t v, unsigned size)
{
    buf_add(&table, &v, size);
}

static void align(void)
{
    while (table.len % 8)
        buf_ch(&table, 0);
}

/* What a name is made of: characters, and one token for "sys_". */
static const char *token(unsigned i)
{
    static char one[2];

    one[0] = (char)(i < 0x80 ? i : 'x');
    return i == 0xfe ? "sys_" : one;
}

static void name_of(unsigned i, char *name)
{
    sprintf(name, i % 7 ? "name_%u" : "sys_%u", i);
}

static void put_name(unsigned i)
{
    char name[32], tokens[300];
    size_t n = 0;

    name_of(i, name);
    tokens[n++] = i % 3 ? 'T' : 'd';
    for (const char *s = name; *s; s++)
        if (strncmp(s, "sys_", 4))
            tokens[n++] = *s;
        else
            tokens[n++] = (char)0xfe, s += 3;
    while (i == 17 && n < 200) /* a long one: its length takes two bytes */
        tokens[n++] = 'y';
    if (n > 0x7f)
        put((n & 0x7f) | 0x80, 1);
    put(n > 0x7f ? n >> 7 : n, 1);
    buf_add(&table, tokens, n);
}

static void put_offsets(void)
{
    for (unsigned i = 0; i < NAMES; i++)
        put(0x1000 + 16 * i, 4);
    align();
    put(BASE, 8);
}

static void make(bool old)
{
    uint32_t markers[NAMES / 256 + 1], at = 0;
    size_t names;

    buf_reset(&table);
    for (unsigned i = 0; i < 40; i++)
        put(i * UINT64_C(0x9e3779b97f4a7c15), 8); /* whatever lies before */
    if (old)
        put_offsets();
    put(NAMES, 8);
    names = table.len;
    for (unsigned i = 0; i < NAMES; i++) {
        if (i % 256 == 0)
            markers[i / 256] = (uint32_t)(table.len - names);
        put_name(i);
    }
    align();
    buf_add(&table, markers, sizeof markers);
    align();
    for (unsigned i = 0; i < 256; i++)
        buf_add(&table, token(i), strlen(token(i)) + 1);
    align();
    for (unsigned i = 0; i < 256; i++, at += (uint32_t)strlen(token(i - 1)) + 1)
        put(at, 2);
    align();
    if (!old)
        put_offsets();
    put(0x123456789abcdef, 8);
}

static struct dbg_symbols *read_table(int want)
{
    struct dbg_symbols *t = dbg_symbols_new();

    mem_poke(machine_mem(m), AT, table.data, table.len);
    ck_assert_int_eq(dbg_kallsyms(t, machine_mem(m), &e), want);
    return t;
}

START_TEST(whole)
{
    m = stopper_machine(&(struct rvasm){.n = 1}, 1, "interp");
    for (int old = 0; old < 2; old++) {
        make(old);
        struct dbg_symbols *t = read_table(0);
        ck_assert_uint_eq(dbg_symbols_count(t), NAMES);
        for (unsigned i = 0; i < NAMES; i++) {
            char name[32];
            name_of(i, name);
            const struct dbg_symbol *s = dbg_symbols_named(t, name, 0);
            if (i == 17)
                s = dbg_symbols_prefixed(t, "name_17yyyy", 0);
            ck_assert_msg(s, "%s", name);
            ck_assert_uint_eq(s->start, BASE + 0x1000 + 16 * i);
            ck_assert_int_eq(s->code, i % 3 != 0);
        }
        dbg_symbols_free(t);
    }
    machine_free(m);
    buf_fini(&table);
}
END_TEST

START_TEST(none)
{
    m = stopper_machine(&(struct rvasm){.n = 1}, 1, "interp");
    struct dbg_symbols *t = read_table(-ENOENT);
    ck_assert_ptr_nonnull(strstr(e.msg, "no Linux kernel"));
    dbg_symbols_free(t);
    machine_free(m);
}
END_TEST

/* Whatever is in memory is looked at without harm. */
START_TEST(broken)
{
    uint64_t seed = 3;

    m = stopper_machine(&(struct rvasm){.n = 1}, 1, "interp");
    for (unsigned i = 0; i < 300; i++) {
        struct dbg_symbols *t = dbg_symbols_new();
        make(i & 1);
        for (unsigned k = 0; k < 1 + i % 4; k++) {
            seed = bits_mix(seed + 1);
            table.data[seed % table.len] = (char)(seed >> 40);
        }
        if (i % 3 == 0)
            memset(table.data + table.len / 2 + (seed >> 8) % (table.len / 2), 0, 64);
        mem_poke(machine_mem(m), RIG_RAM + (16 << 20) - table.len + (i % 5 ? 0 : 777), table.data,
                 table.len - (i % 5 ? 0 : 777));
        dbg_kallsyms(t, machine_mem(m), &e);
        dbg_symbols_free(t);
    }
    machine_free(m);
    buf_fini(&table);
}
END_TEST

UNIT_MAIN("debug/kallsyms", whole, none, broken)
