/* disturb.c - tests of a debugger that the guest is not to see. */
#include "debug/disturb.h"
#include "tests/unit/machine/rig.h"

enum { ROUNDS = 150 };

static const char *const engines[] = {
    "interp",
#ifdef __x86_64__
    "jit",
#endif
};

/* A busy program, undisturbed on the interpreter and disturbed on an engine, to its end.  What is said
 * of it is in *report. */
static enum verify_result verify(const char *engine, uint64_t seed, uint64_t interval, int break_op,
                                 struct buf *report)
{
    struct rvasm p = {0};
    struct rig_file f;
    struct err e = {0};

    rig_busy_program(&p, ROUNDS);
    rig_write(&f, &p);
    struct verify_runner runner = dbg_disturb(&seed);
    struct verify_config config = {
        .a = rig_config(&f, 2),
        .b = rig_config(&f, 2),
        .runner = &runner,
        .interval = interval,
        .until = UINT64_MAX,
    };
    config.b.engine = engine;
    config.b.accel.break_op = break_op;
    enum verify_result result = verify_run(&config, report, &e);
    ck_assert_msg(result != VERIFY_ERROR, "%s", e.msg);
    rig_remove(&f);
    return result;
}

static const char *line(const struct buf *report)
{
    const char *at = strstr(report->data, "disturbed by seed");

    ck_assert_msg(at, "%.2000s", report->data);
    return at;
}

START_TEST(unseen)
{
    static const uint64_t intervals[] = {2000, 1000000};
    unsigned stops[3] = {0}; /* at breakpoints, watchpoints, catchpoints */

    for (unsigned i = 0; i < ARRAY_LEN(engines) * ARRAY_LEN(intervals); i++) {
        struct buf report = BUF_INIT;
        unsigned points, n[3];

        ck_assert_int_eq(verify(engines[i % ARRAY_LEN(engines)], 100 + i,
                                intervals[i / ARRAY_LEN(engines)], -1, &report),
                         VERIFY_SAME);
        ck_assert_int_eq(sscanf(line(&report),
                                "disturbed by seed %*u: points %u (break %*u, watch %*u, catch %*u), "
                                "stops %*u (%u, %u, %u)",
                                &points, &n[0], &n[1], &n[2]),
                         4);
        ck_assert_uint_gt(points, 50);
        for (unsigned k = 0; k < 3; k++)
            stops[k] += n[k];
        buf_fini(&report);
    }
    for (unsigned k = 0; k < 3; k++)
        ck_assert_uint_gt(stops[k], 5);
}
END_TEST

/* Where runs are cut, and what runs the machine, is all the same to it. */
START_TEST(by_its_seed)
{
    struct buf first = BUF_INIT, report = BUF_INIT;

    verify("interp", 1, 1000000, -1, &first);
    for (unsigned i = 0; i < ARRAY_LEN(engines); i++) {
        buf_reset(&report);
        verify(engines[i], 1, 999, -1, &report);
        ck_assert_str_eq(line(&first), line(&report));
    }
    buf_reset(&report);
    verify("interp", 2, 1000000, -1, &report);
    ck_assert_str_ne(strchr(line(&first), ':'), strchr(line(&report), ':'));
    buf_fini(&first);
    buf_fini(&report);
}
END_TEST

/* What differs is narrowed down all the same. */
START_TEST(wrong_engine)
{
    struct buf report = BUF_INIT;

    if (ARRAY_LEN(engines) == 1)
        return;
    ck_assert_int_eq(verify("jit", 5, 100000, IR_mul, &report), VERIFY_DIFFERENT);
    ck_assert_msg(!strncmp(report.data, "different after instruction ", 28) &&
                      strstr(report.data, ": mul s5,s5,s8\n"),
                  "%.2000s", report.data);
    line(&report);
    buf_fini(&report);
}
END_TEST

UNIT_MAIN("debug/disturb", unseen, by_its_seed, wrong_engine)
