/* verify.c - tests of two machines side by side. */
#include "tests/unit/machine/rig.h"

static bool stop_at(void *opaque, uint64_t count, uint64_t hash)
{
    (void)hash;
    uint64_t *limit = opaque;
    return *limit && count >= *limit;
}

static enum verify_result verify(const struct rig_file *a, const struct rig_file *b,
                                 uint64_t interval, uint64_t until, uint64_t limit,
                                 struct buf *report)
{
    struct verify_config config = {
        .a = rig_config(a, 2),
        .b = rig_config(b, 2),
        .interval = interval,
        .until = until,
        .progress = stop_at,
        .opaque = &limit,
    };
    struct err e = {0};

    config.b.accel.max_insns = 3;
    config.b.tlb.l1_entries = 16;
    enum verify_result result = verify_run(&config, report, &e);
    ck_assert_msg(result != VERIFY_ERROR, "%s", e.msg);
    return result;
}

START_TEST(test_same)
{
    struct rvasm p = {0};
    struct rig_file f;
    struct buf report = BUF_INIT;

    rig_busy_program(&p, 100);
    rig_write(&f, &p);
    ck_assert_int_eq(verify(&f, &f, 10000, UINT64_MAX, 0, &report), VERIFY_SAME);
    ck_assert(strstr(report.data, "the guest ended"));
    buf_reset(&report);
    ck_assert_int_eq(verify(&f, &f, 10000, 25000, 0, &report), VERIFY_SAME);
    ck_assert_msg(strstr(report.data, "same at 4 comparisons") &&
                      strstr(report.data, "count 25000"),
                  "%s", report.data);
    buf_reset(&report);
    ck_assert_int_eq(verify(&f, &f, 10000, UINT64_MAX, 20000, &report), VERIFY_STOPPED);
    buf_fini(&report);
    rig_remove(&f);
}
END_TEST

static int no_disk(void *opaque, uint64_t offset, void *buf, size_t len)
{
    (void)opaque, (void)offset, (void)buf, (void)len;
    return -1;
}

/* Reads the size of the first disk, after a while, and stores it. */
static void disk_program(struct rvasm *p)
{
    rv_li(p, S1, 5000);
    unsigned loop = rv_here(p);
    rv_addi(p, S1, S1, -1);
    rv_addi(p, S2, S2, 3);
    rv_branch(p, RV_BNE, S1, ZERO, loop);
    rv_li(p, S3, 0x10001000);
    rv_ram(p, S4, 0x10000);
    rv_lw(p, S5, S3, 0x100);
    rv_sw(p, S5, S4, 8);
    rv_jump(p, rv_here(p));
}

/* Two disks that differ: the load of the size is found. */
START_TEST(test_different)
{
    static const uint64_t intervals[] = {1, 100, 9999, 100000};
    enum { COUNT = 6 + 2 + 3 * 5000 + 2 + 4 + 1 };

    for (unsigned i = 0; i < ARRAY_LEN(intervals); i++) {
        struct rvasm p = {0};
        struct rig_file f;
        struct buf report = BUF_INIT;
        struct err e = {0};
        char want[80];

        disk_program(&p);
        rig_write(&f, &p);
        struct verify_config config = {
            .a = rig_config(&f, 1),
            .b = rig_config(&f, 1),
            .interval = intervals[i],
            .until = 50000,
        };
        config.a.board.ndisks = config.b.board.ndisks = 1;
        config.a.board.disks[0] = (struct dev_disk){.read = no_disk, .size = 4096};
        config.b.board.disks[0] = (struct dev_disk){.read = no_disk, .size = 8192};
        ck_assert_int_eq(verify_run(&config, &report, &e), VERIFY_DIFFERENT);
        snprintf(want, sizeof want, "different after instruction %d (same at %d)", COUNT,
                 COUNT - 1);
        ck_assert_msg(strstr(report.data, want), "%s", report.data);
        ck_assert_msg(strstr(report.data, "lw") && strstr(report.data, "x[20]"), "%s", report.data);
        buf_fini(&report);
        rig_remove(&f);
    }
}
END_TEST

/* Memory that differs is shown by its bytes. */
START_TEST(test_memory)
{
    struct rvasm p = {0}, q = {0};
    struct rig_file f, g;
    struct buf report = BUF_INIT;

    rig_busy_program(&p, 100);
    rig_busy_program(&q, 100);
    q.code[9] ^= 1u << 20;
    rig_write(&f, &p);
    rig_write(&g, &q);
    ck_assert_int_eq(verify(&f, &g, 1000, UINT64_MAX, 0, &report), VERIFY_DIFFERENT);
    ck_assert_msg(strstr(report.data, "different before the first instruction") &&
                      strstr(report.data, "000080000020  a"),
                  "%s", report.data);
    buf_fini(&report);
    rig_remove(&f);
    rig_remove(&g);
}
END_TEST

UNIT_MAIN("machine/verify", test_same, test_different, test_memory)
