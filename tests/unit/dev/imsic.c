/* Interrupt files: messages, priorities, thresholds, claims, and what is no message. */
#include "dev/imsic.h"
#include "dev_test.h"

enum { EIDELIVERY = 0x70, EITHRESHOLD = 0x72, EIP = 0x80, EIE = 0xc0 };
enum { HARTS = 3 };
#define TOP(id) ((uint32_t)(id) << 16 | (id))

static struct imsic *setup(struct bench *b)
{
    struct imsic *m;

    bench_init(b);
    m = imsic_new("imsic", b->mem, &b->clock, NULL, HARTS, bench_line(b, 0));
    bench_plug(b, imsic_dev(m), IMSIC_SIZE);
    return m;
}

/* A hart that takes all of its interrupts. */
static void open_file(struct imsic *m, unsigned hart)
{
    imsic_write(m, hart, EIDELIVERY, 1);
    for (unsigned reg = 0; reg < 8; reg += 2)
        imsic_write(m, hart, EIE + reg, UINT64_MAX);
}

static void message(struct bench *b, unsigned hart, uint32_t id)
{
    bench_write(b, hart * IMSIC_PAGE, 4, id);
}

START_TEST(flow)
{
    struct bench b;
    struct imsic *m = setup(&b);

    open_file(m, 1);
    message(&b, 1, 70);
    ck_assert(b.wire[1] && !b.wire[0] && !b.wire[2]);
    ck_assert_uint_eq(imsic_read(m, 1, EIP + 2), UINT64_C(1) << 6);
    ck_assert_uint_eq(imsic_top(m, 1), TOP(70));
    ck_assert_uint_eq(imsic_top(m, 1), TOP(70)); /* looking claims nothing */
    message(&b, 1, 70);                          /* it is pending already */
    imsic_claim(m, 1);
    ck_assert(!b.wire[1]);
    ck_assert_uint_eq(imsic_top(m, 1), 0);
    imsic_claim(m, 1); /* nothing to claim */
    ck_assert_uint_eq(imsic_read(m, 1, EIP + 2), 0);
    message(&b, 1, 255);
    ck_assert(b.wire[1]);
    ck_assert_uint_eq(imsic_top(m, 1), TOP(255));
    ck_assert_uint_eq(imsic_top(m, 0), 0);
    bench_fini(&b);
}
END_TEST

START_TEST(priorities)
{
    struct bench b;
    struct imsic *m = setup(&b);

    open_file(m, 0);
    message(&b, 0, 200);
    message(&b, 0, 64);
    message(&b, 0, 63);
    message(&b, 0, 1);
    for (const uint32_t *id = (const uint32_t[]){1, 63, 64, 200, 0}; *id; id++) {
        ck_assert_uint_eq(imsic_top(m, 0), TOP(*id));
        ck_assert(b.wire[0]);
        imsic_claim(m, 0);
    }
    ck_assert(!b.wire[0]);
    bench_fini(&b);
}
END_TEST

/* Identities from the threshold on do not interrupt, and are not seen as first. */
START_TEST(threshold)
{
    struct bench b;
    struct imsic *m = setup(&b);

    open_file(m, 0);
    imsic_write(m, 0, EITHRESHOLD, 40);
    message(&b, 0, 40);
    message(&b, 0, 100);
    ck_assert(!b.wire[0]);
    ck_assert_uint_eq(imsic_top(m, 0), 0);
    imsic_claim(m, 0);
    ck_assert_uint_eq(imsic_read(m, 0, EIP), UINT64_C(1) << 40);
    imsic_write(m, 0, EITHRESHOLD, 41);
    ck_assert(b.wire[0]);
    ck_assert_uint_eq(imsic_top(m, 0), TOP(40));
    imsic_claim(m, 0);
    ck_assert(!b.wire[0]);
    imsic_write(m, 0, EITHRESHOLD, 0);
    ck_assert_uint_eq(imsic_top(m, 0), TOP(100));
    imsic_write(m, 0, EITHRESHOLD, 255);
    ck_assert_uint_eq(imsic_read(m, 0, EITHRESHOLD), 255);
    bench_fini(&b);
}
END_TEST

/* Delivery concerns the signal alone; enable bits what is first. */
START_TEST(delivery)
{
    struct bench b;
    struct imsic *m = setup(&b);

    message(&b, 2, 5); /* pending though it is not enabled */
    ck_assert_uint_eq(imsic_read(m, 2, EIP), 1 << 5);
    ck_assert_uint_eq(imsic_top(m, 2), 0);
    imsic_write(m, 2, EIE, 1 << 5);
    ck_assert_uint_eq(imsic_top(m, 2), TOP(5));
    imsic_write(m, 2, EIDELIVERY, 0x40000000); /* there is no delivery from an APLIC */
    imsic_write(m, 2, EIDELIVERY, 3);
    ck_assert_uint_eq(imsic_read(m, 2, EIDELIVERY), 0);
    ck_assert(!b.wire[2]);
    imsic_write(m, 2, EIDELIVERY, 1);
    ck_assert(b.wire[2]);
    imsic_write(m, 2, EIE, 0);
    ck_assert(!b.wire[2]);
    imsic_write(m, 2, EIE, 1 << 5);
    imsic_write(m, 2, EIDELIVERY, 0);
    ck_assert(!b.wire[2]);
    imsic_write(m, 2, EIDELIVERY, 1);
    imsic_write(m, 2, EIP, 0); /* software may clear and set */
    ck_assert(!b.wire[2]);
    imsic_write(m, 2, EIP, 1 << 5 | 1 << 6);
    ck_assert(b.wire[2]);
    bench_round_trip(&b);
    ck_assert_uint_eq(imsic_read(m, 2, EIP), 1 << 5 | 1 << 6);
    ck_assert_uint_eq(imsic_top(m, 2), TOP(5));
    bench_fini(&b);
}
END_TEST

START_TEST(registers)
{
    struct bench b;
    struct imsic *m = setup(&b);

    for (unsigned reg = 0; reg < 0x200; reg++) {
        uint64_t want = reg == EIDELIVERY ? 1 : reg == EITHRESHOLD ? 255 : 0;
        if ((reg >= EIP && reg < EIP + 8) || (reg >= EIE && reg < EIE + 8))
            want = reg % 2 ? 0 : reg == EIP || reg == EIE ? ~UINT64_C(1) : UINT64_MAX;
        imsic_write(m, 1, reg, reg == EIDELIVERY ? 1 : UINT64_MAX);
        ck_assert_msg(imsic_read(m, 1, reg) == want, "register %#x", reg);
    }
    ck_assert_uint_eq(imsic_read(m, 0, EIE), 0);
    bench_round_trip(&b);
    bench_fini(&b);
}
END_TEST

/* What is written elsewhere, or is no identity, does nothing; all of it reads 0. */
START_TEST(hostile_messages)
{
    static const uint32_t bad[] = {0, 256, 0x10001, 0x05000000, 0xffffffff};
    struct bench b;
    struct imsic *m = setup(&b);
    struct buf before, after;
    uint64_t v;

    open_file(m, 0);
    before = bench_save(&b);
    b.sets = 0;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        message(&b, 0, bad[i]);
    for (unsigned hart = HARTS; hart < IMSIC_HARTS; hart++)
        message(&b, hart, 5);
    ck_assert_uint_eq(b.sets, 0);
    for (unsigned at = 4; at < IMSIC_PAGE; at += 4) /* big-endian, and holes */
        bench_write(&b, at, 4, at == 4 ? 0x05000000 : 5);
    ck_assert(!mem_write(b.mem, BENCH_DEV, 1, 5));
    ck_assert(!mem_write(b.mem, BENCH_DEV, 2, 5));
    ck_assert(!mem_write(b.mem, BENCH_DEV, 8, 5));
    ck_assert(!mem_read(b.mem, BENCH_DEV, 8, &v));
    after = bench_save(&b);
    ck_assert_uint_eq(before.len, after.len);
    ck_assert_mem_eq(before.data, after.data, before.len);
    buf_fini(&before);
    buf_fini(&after);
    ck_assert_uint_eq(imsic_top(m, 0), 0);
    ck_assert(!b.wire[0]);
    message(&b, 0, 5);
    ck_assert_uint_eq(bench_read(&b, 0, 4), 0);
    ck_assert_uint_eq(bench_read(&b, 4, 4), 0);
    bench_fini(&b);
}
END_TEST

START_TEST(messages_from_devices)
{
    struct bench b;
    struct imsic *m = setup(&b);

    open_file(m, 2);
    ck_assert(imsic_send(m, BENCH_DEV + 2 * IMSIC_PAGE, 9));
    ck_assert(b.wire[2]);
    ck_assert_uint_eq(imsic_top(m, 2), TOP(9));
    imsic_claim(m, 2);
    ck_assert(imsic_send(m, BENCH_DEV + 2 * IMSIC_PAGE + 1, 9)); /* its, but no register */
    ck_assert(imsic_send(m, BENCH_DEV + 2 * IMSIC_PAGE + 4, 9));
    ck_assert(imsic_send(m, BENCH_DEV + 7 * IMSIC_PAGE, 9));
    ck_assert(!imsic_send(m, BENCH_DEV - IMSIC_PAGE, 9));
    ck_assert(!imsic_send(m, BENCH_DEV + IMSIC_SIZE, 9));
    ck_assert(!imsic_send(m, UINT64_MAX, 9));
    ck_assert(!imsic_send(m, 0, 9));
    ck_assert_uint_eq(imsic_top(m, 2), 0);
    bench_fini(&b);
}
END_TEST

/* A state in which hart 1 has these, and all others nothing; whether it was loaded. */
static int load(struct bench *b, uint32_t limit, uint64_t pending, uint64_t enabled)
{
    struct buf saved = BUF_INIT;
    struct snap s;
    int rc;

    snap_open_save(&s, &saved);
    snap_section(&s, "imsic", 1);
    for (unsigned i = 0; i < HARTS; i++) {
        bool on = true;
        uint32_t eithreshold = i == 1 ? limit : 0;
        uint64_t eip[4] = {i == 1 ? pending : 0}, eie[4] = {i == 1 ? enabled : 0};

        snap_bool(&s, "eidelivery", &on);
        snap_u32(&s, "eithreshold", &eithreshold);
        snap_u64s(&s, "eip", eip, 4);
        snap_u64s(&s, "eie", eie, 4);
    }
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    rc = bench_load(b, &saved);
    buf_fini(&saved);
    return rc;
}

/* A saved state that cannot be is refused, and what of it is there by then can be. */
START_TEST(bad_state)
{
    struct bench b;
    struct imsic *m = setup(&b);

    ck_assert_int_eq(load(&b, 0, 6, 6), 0);
    ck_assert_uint_eq(imsic_top(m, 1), TOP(1));
    ck_assert_int_ne(load(&b, 0, 5, 5), 0);
    ck_assert_uint_eq(imsic_top(m, 1), TOP(2)); /* 0 does not hide it */
    ck_assert_uint_eq(imsic_read(m, 1, EIP), 4);
    ck_assert_uint_eq(imsic_read(m, 1, EIE), 4);
    ck_assert_int_ne(load(&b, 0, 4, 1), 0);
    ck_assert_int_ne(load(&b, 256, 4, 4), 0);
    ck_assert_uint_eq(imsic_read(m, 1, EITHRESHOLD), 0);
    bench_fini(&b);
}
END_TEST

UNIT_MAIN("dev/imsic", flow, priorities, threshold, delivery, registers, hostile_messages,
          messages_from_devices, bad_state)
