/* fw_cfg: items and files by both ways, DMA with hostile descriptions, its state. */
#include <errno.h>
#include <stdio.h>

#include "base/bits.h"
#include "dev/fw_cfg.h"
#include "dev_test.h"

enum { DATA = 0, SELECTOR = 8, DMA = 16 };
enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

#define ACCESS (BENCH_RAM + 0x100)
#define TO     (BENCH_RAM + 0x1000)
#define BIG    (UINT32_C(9) << 20)
#define RAM2   UINT64_C(0x90000000)

static struct fw_cfg *setup(struct bench *b)
{
    struct fw_cfg *f;

    bench_init(b);
    f = fw_cfg_new("fw_cfg", b->mem, &b->clock, NULL);
    bench_plug(b, fw_cfg_dev(f), 0x1000);
    return f;
}

static uint64_t be(uint64_t v, unsigned size)
{
    return __builtin_bswap64(v) >> (64 - 8 * size);
}

static void choose(struct bench *b, uint16_t key)
{
    bench_write(b, SELECTOR, 2, be(key, 2));
}

/* The next n bytes, one at a time. */
static const char *next(struct bench *b, unsigned n)
{
    static char text[256];

    for (unsigned i = 0; i < n; i++)
        text[i] = (char)bench_read(b, DATA, 1);
    text[n] = 0;
    return text;
}

static uint32_t word_at(struct bench *b, uint64_t at)
{
    uint64_t v;

    ck_assert(mem_read(b->mem, at, 4, &v));
    return (uint32_t)be(v, 4);
}

/* Writes a description and its address; what control then is. */
static uint32_t dma(struct bench *b, uint32_t control, uint32_t len, uint64_t address)
{
    ck_assert(mem_write(b->mem, ACCESS, 4, be(control, 4)));
    ck_assert(mem_write(b->mem, ACCESS + 4, 4, be(len, 4)));
    ck_assert(mem_write(b->mem, ACCESS + 8, 8, be(address, 8)));
    bench_write(b, DMA, 8, be(ACCESS, 8));
    return word_at(b, ACCESS);
}

START_TEST(items)
{
    struct bench b;
    struct fw_cfg *f = setup(&b);

    fw_cfg_add_number(f, FW_CFG_CPUS, 4, 2);
    fw_cfg_add_bytes(f, FW_CFG_CMDLINE_DATA, "a=b", 4);
    ck_assert_str_eq(next(&b, 4), "QEMU"); /* what a reset selects */
    choose(&b, FW_CFG_ID);
    ck_assert_uint_eq(bench_read(&b, DATA, 4), 3);
    choose(&b, FW_CFG_CPUS);
    ck_assert_uint_eq(bench_read(&b, DATA, 8), 4); /* 0 behind the end */
    ck_assert_uint_eq(bench_read(&b, DATA, 1), 0);
    choose(&b, FW_CFG_CMDLINE_DATA | 0x4000);
    ck_assert_uint_eq(bench_read(&b, DATA, 2), 'a' | '=' << 8); /* bytes in their order */
    ck_assert_uint_eq(bench_peek(&b, DATA, 1), 'b');
    bench_round_trip(&b);
    ck_assert_uint_eq(bench_read(&b, DATA, 1), 'b');
    choose(&b, FW_CFG_CMDLINE_DATA | 0x8000); /* the architecture's: there are none */
    ck_assert_uint_eq(bench_read(&b, DATA, 8), 0);
    choose(&b, 0xffff);
    ck_assert_uint_eq(bench_read(&b, DATA, 8), 0);
    bench_write(&b, DATA, 1, 1); /* not taken */
    ck_assert_uint_eq(bench_peek(&b, SELECTOR, 2), be(0xbfff, 2));
    ck_assert_uint_eq(be(bench_read(&b, DMA, 8), 8), UINT64_C(0x51454d5520434647));
    ck_assert_uint_eq(be(bench_read(&b, DMA + 4, 4), 4), 0x20434647);
    for (unsigned size = 1; size <= 8; size *= 2) /* nothing is there */
        ck_assert(!mem_read(b.mem, BENCH_DEV + 24, size, &(uint64_t){0}));
    ck_assert(!mem_write(b.mem, BENCH_DEV + SELECTOR, 4, 0));
    ck_assert(!mem_write(b.mem, BENCH_DEV + 24, 8, 0));
    ck_assert(!mem_write(b.mem, BENCH_DEV + 4, 4, 0));
    ck_assert(!mem_read(b.mem, BENCH_DEV + SELECTOR, 8, &(uint64_t){0}));
    bench_fini(&b);
}
END_TEST

START_TEST(files)
{
    static const struct {
        const char *name, *why;
    } bad[] = {
        {"", "a name has 1 to 55 bytes"},
        {"opt/56-bytes-and-no-byte-more-or-less-are-in-this-name-..", "a name has 1 to 55 bytes"},
        {"opt/a b", "a name is printable ASCII"},
        {"opt/\xc3\xa4", "a name is printable ASCII"},
        {"opt/b", "there is a file of that name already"},
    };
    struct bench b;
    struct fw_cfg *f = setup(&b);
    struct err e;
    char name[16];

    choose(&b, FW_CFG_DIRECTORY);
    ck_assert_uint_eq(bench_read(&b, DATA, 4), 0);
    ck_assert_int_eq(fw_cfg_add_file(f, "opt/b", "second", 6, &e), 0);
    ck_assert_int_eq(fw_cfg_add_file(f, "opt/c", NULL, 0, &e), 0);
    ck_assert_int_eq(fw_cfg_add_file(f, "opt/a", "first", 5, &e), 0);
    choose(&b, FW_CFG_DIRECTORY);
    ck_assert_uint_eq(be(bench_read(&b, DATA, 4), 4), 3);
    ck_assert_uint_eq(be(bench_read(&b, DATA, 4), 4), 5);
    ck_assert_uint_eq(be(bench_read(&b, DATA, 2), 2), 0x20);
    bench_read(&b, DATA, 2);
    ck_assert_str_eq(next(&b, 56), "opt/a");
    ck_assert_uint_eq(be(bench_read(&b, DATA, 4), 4), 6);
    ck_assert_uint_eq(be(bench_read(&b, DATA, 4), 4), 0x210000);
    choose(&b, 0x21);
    ck_assert_str_eq(next(&b, 8), "second");
    choose(&b, 0x22);
    ck_assert_uint_eq(bench_read(&b, DATA, 8), 0);
    choose(&b, 0x23);
    ck_assert_uint_eq(bench_read(&b, DATA, 8), 0);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        ck_assert_int_eq(fw_cfg_add_file(f, bad[i].name, "", 0, &e), -EINVAL);
        ck_assert_msg(strstr(e.msg, bad[i].why), "%s", e.msg);
    }
    for (unsigned i = 3; i < FW_CFG_FILES; i++) {
        snprintf(name, sizeof name, "opt/x%u", i);
        ck_assert_int_eq(fw_cfg_add_file(f, name, "", 0, &e), 0);
    }
    ck_assert_int_eq(fw_cfg_add_file(f, "opt/x", "", 0, &e), -EINVAL);
    ck_assert_str_eq(e.msg, "fw_cfg file opt/x: there are 32 files already");
    bench_fini(&b);
}
END_TEST

START_TEST(transfers)
{
    struct bench b;
    struct fw_cfg *f = setup(&b);
    char got[16];

    fw_cfg_add_file(f, "opt/a", "0123456789", 10, NULL);
    mem_poke(b.mem, TO, "................", 16);
    ck_assert_uint_eq(dma(&b, 0x20u << 16 | SELECT | READ, 4, TO), 0);
    ck_assert_uint_eq(dma(&b, SKIP, 3, 0), 0);
    ck_assert_uint_eq(bench_read(&b, DATA, 1), '7');               /* one offset for both ways */
    ck_assert_uint_eq(dma(&b, READ | SKIP | WRITE, 4, TO + 4), 0); /* reading goes first */
    mem_peek(b.mem, TO, got, sizeof got);
    ck_assert_mem_eq(got, "012389\0\0........", 16);
    ck_assert_uint_eq(dma(&b, 0x20u << 16 | SELECT, 4, TO), 0); /* moves nothing */
    ck_assert_uint_eq(bench_peek(&b, DATA, 1), '0');
    ck_assert_uint_eq(dma(&b, 0, 4, TO), 0);
    ck_assert_uint_eq(dma(&b, SKIP, UINT32_MAX, 0), 0);
    ck_assert_uint_eq(bench_read(&b, DATA, 8), 0);
    ck_assert_uint_eq(dma(&b, 0xffffu << 16 | SELECT | READ, 2, TO), 0); /* no such item: zeroes */
    ck_assert_uint_eq(word_at(&b, TO), '2' << 8 | '3');
    /* Two halves, the upper one first and once. */
    mem_write(b.mem, ACCESS, 4, be(0x20u << 16 | SELECT | SKIP, 4));
    bench_write(&b, DMA, 4, 0);
    bench_write(&b, DMA + 4, 4, be(ACCESS, 4));
    ck_assert_uint_eq(word_at(&b, ACCESS), 0);
    ck_assert_uint_eq(bench_read(&b, DATA, 1), '2');
    bench_fini(&b);
}
END_TEST

START_TEST(hostile_transfers)
{
    struct bench b;
    struct fw_cfg *f = setup(&b);
    uint64_t end = BENCH_RAM + BENCH_RAM_SIZE;

    fw_cfg_add_file(f, "opt/a", "0123456789", 10, NULL);
    choose(&b, 0x20);
    /* Nothing may be written, or not all. */
    ck_assert_uint_eq(dma(&b, WRITE, 4, TO), ERROR);
    ck_assert_uint_eq(dma(&b, WRITE | SKIP, 4, TO), ERROR);
    ck_assert_uint_eq(dma(&b, READ, 4, BENCH_DEV), ERROR);
    ck_assert_uint_eq(dma(&b, READ, 4, UINT64_MAX - 1), ERROR);
    ck_assert_uint_eq(dma(&b, READ, 4, end - 2), ERROR);
    ck_assert_uint_eq(dma(&b, READ, UINT32_MAX, TO), ERROR);
    ck_assert_uint_eq(bench_peek(&b, DATA, 1), '0'); /* what failed has not moved on */
    /* The description itself: cut off, on the device, at the end of all. */
    bench_write(&b, DMA, 8, be(end - 8, 8));
    ck_assert_uint_eq(word_at(&b, end - 8), ERROR);
    bench_write(&b, DMA, 8, be(BENCH_DEV, 8));
    bench_write(&b, DMA, 8, UINT64_MAX);
    /* The bytes land on it, and then the result. */
    ck_assert_uint_eq(dma(&b, READ, 4, ACCESS + 2), 0);
    ck_assert_uint_eq(word_at(&b, ACCESS + 4) >> 16, '2' << 8 | '3');
    bench_round_trip(&b);
    bench_fini(&b);
}
END_TEST

START_TEST(long_transfers_take_time)
{
    struct bench b;
    struct fw_cfg *f = setup(&b);
    uint8_t *data = malloc(BIG);
    uint64_t v;

    memset(data, 0x5a, BIG);
    fw_cfg_add_file(f, "opt/big", data, BIG, NULL);
    ck_assert_int_eq(mem_add_ram(b.mem, "more", RAM2, 2 * BIG, NULL), 0);
    ck_assert_uint_eq(dma(&b, 0x20u << 16 | SELECT | READ, BIG + 4096, RAM2) & ERROR, 0);
    ck_assert_uint_ne(word_at(&b, ACCESS), 0); /* not done yet */
    bench_write(&b, DMA, 8, be(TO, 8));        /* one at a time */
    bench_round_trip(&b);
    bench_until(&b, 1000000);
    ck_assert_uint_eq(word_at(&b, ACCESS), 0);
    ck_assert(mem_read(b.mem, RAM2 + BIG - 8, 8, &v) && v == UINT64_C(0x5a5a5a5a5a5a5a5a));
    ck_assert(mem_read(b.mem, RAM2 + BIG, 8, &v) && v == 0);
    /* A reset ends it; a state that is half of one is refused. */
    dma(&b, 0x20u << 16 | SELECT | READ, BIG, RAM2);
    struct buf s = bench_save(&b);
    size_t body = 1 + strlen("fw_cfg") + 4 + 8 + 8;
    b.dev->class->reset(b.dev);
    ck_assert_uint_eq(b.clock.len, 0);
    memset(s.data + s.len - 12, 0, 4); /* left */
    bits_store_le(s.data + body - 8, 8, bits_hash(s.data + body, s.len - body, 0));
    ck_assert_int_eq(bench_load(&b, &s), -EINVAL);
    ck_assert_uint_eq(b.clock.len, 0);
    buf_fini(&s);
    bench_fini(&b);
    free(data);
}
END_TEST

UNIT_MAIN("dev/fw_cfg", items, files, transfers, hostile_transfers, long_transfers_take_time)
