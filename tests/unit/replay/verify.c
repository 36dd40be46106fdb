/* verify.c - tests of two machines side by side. */
#include "replay/verify.h"
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
                  "%.2000s", report.data);
    buf_reset(&report);
    ck_assert_int_eq(verify(&f, &f, 10000, UINT64_MAX, 20000, &report), VERIFY_STOPPED);
    buf_fini(&report);
    rig_remove(&f);
}
END_TEST

static bool starts(const struct buf *report, const char *text)
{
    return report->data && !strncmp(report->data, text, strlen(text));
}

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
    enum { COUNT = 6 + 2 + 3 * 5000 + 2 + 4 + 1, LW = 2 + 3 + 2 + 4 };

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
        snprintf(want, sizeof want, "different after instruction %d at 0x%016llx: lw", COUNT,
                 (unsigned long long)RIG_RAM + 4 * LW);
        ck_assert_msg(starts(&report, want), "%.2000s", report.data);
        snprintf(want, sizeof want, "both are the same at %d", COUNT - 1);
        ck_assert_msg(strstr(report.data, want) && strstr(report.data, "x[20]") &&
                          strstr(report.data, "s5         a 0000000000000008  b 0000000000000010"),
                      "%.2000s", report.data);
        buf_fini(&report);
        rig_remove(&f);
    }
}
END_TEST

struct patience {
    unsigned asked, left;
};

static bool lose_patience(void *opaque)
{
    struct patience *p = opaque;

    p->asked++;
    return p->asked > p->left;
}

/* Whoever waits for the instruction can end that at any time, and is told what is known. */
START_TEST(test_stopped_while_looking)
{
    struct rvasm program = {0};
    struct rig_file f;
    struct patience p = {.left = 0};
    enum verify_result result = VERIFY_STOPPED;
    struct err e = {0};

    disk_program(&program);
    rig_write(&f, &program);
    struct verify_config config = {
        .a = rig_config(&f, 1),
        .b = rig_config(&f, 1),
        .interval = 9999,
        .until = 50000,
        .stop = lose_patience,
        .stop_fd = -1,
        .opaque = &p,
    };
    config.a.board.ndisks = config.b.board.ndisks = 1;
    config.a.board.disks[0] = (struct dev_disk){.read = no_disk, .size = 4096};
    config.b.board.disks[0] = (struct dev_disk){.read = no_disk, .size = 8192};
    while (result == VERIFY_STOPPED) {
        struct buf report = BUF_INIT;

        p.asked = 0;
        result = verify_run(&config, &report, &e);
        if (result == VERIFY_STOPPED) {
            ck_assert_msg(starts(&report, "different at instruction 19998 (same at 9999); stopped"),
                          "%.2000s", report.data);
            ck_assert_uint_eq(p.asked, p.left + 1); /* and nothing is tried after that */
        } else {
            ck_assert_msg(starts(&report, "different after instruction"), "%.2000s", report.data);
        }
        p.left += 1 + p.left / 2;
        buf_fini(&report);
    }
    ck_assert_int_eq(result, VERIFY_DIFFERENT);
    ck_assert_uint_gt(p.asked, 20);
    rig_remove(&f);
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
                  "%.2000s", report.data);
    buf_fini(&report);
    rig_remove(&f);
    rig_remove(&g);
}
END_TEST

/* ---- a JIT that is broken on purpose ---- */

enum {
    ROUNDS = 100,
    RESET = 6, /* instructions before the program's first */
    LOOP = 3,  /* words */
    FILLER = 8,
    OPS = LOOP + 2 + FILLER,
    SET = OPS + 4,
};

static void filler(struct rvasm *p)
{
    for (unsigned i = 0; i < FILLER; i++)
        rv_srli(p, T3, S2, i + 1);
}

/* A loop, then one long block with an instruction for each of some operations. */
static void ops_program(struct rvasm *p)
{
    rv_addi(p, S2, ZERO, 0x155);
    rv_addi(p, S3, ZERO, 0x0f3);
    rv_addi(p, S1, ZERO, ROUNDS);
    unsigned loop = rv_here(p);
    rv_addi(p, S1, S1, -1);
    rv_branch(p, RV_BNE, S1, ZERO, loop);
    filler(p);
    rv_word(p, rv_r(0x20, S3, S2, 0, S4, 0x33)); /* sub */
    rv_word(p, rv_r(0, S3, S2, 4, S5, 0x33));    /* xor */
    rv_word(p, rv_r(0, S3, S2, 7, S6, 0x33));    /* and */
    rv_mul(p, S7, S2, S3);
    rv_word(p, rv_r(0, S3, S2, 2, T0, 0x33)); /* slt */
    rv_xori(p, T0, T0, 1);                    /* with it: one comparison */
    filler(p);
    rv_jump(p, rv_here(p));
}

/* Runs ops_program; the broken operation is found at a word of it, whose text is `text`, and `also`
 * is in the report. */
static void broken(enum ir_op op, bool swap, uint64_t pc, uint64_t count, const char *text,
                   const char *also)
{
    struct rvasm p = {0};
    struct rig_file f;
    struct buf report = BUF_INIT;
    struct err e = {0};
    char want[120];

    ops_program(&p);
    rig_write(&f, &p);
    struct verify_config config = {
        .a = rig_config(&f, 1), .b = rig_config(&f, 1), .interval = 1000, .until = 5000};
    config.a.engine = swap ? "jit" : "interp";
    config.b.engine = swap ? "interp" : "jit";
    config.a.accel.break_op = config.b.accel.break_op = (int)op;
    ck_assert_int_eq(verify_run(&config, &report, &e), VERIFY_DIFFERENT);
    snprintf(want, sizeof want, "different after instruction %llu at 0x%016llx: %s\n",
             (unsigned long long)count, (unsigned long long)pc, text);
    ck_assert_msg(starts(&report, want), "%s%.2000s", want, report.data);
    ck_assert_msg(strstr(report.data, also) && strstr(report.data, "IR as lifted") &&
                      strstr(report.data, "Host code"),
                  "%.2000s", report.data);
    buf_fini(&report);
    rig_remove(&f);
}

static void need_jit(void)
{
#ifndef __x86_64__
    unit_skip("there is no JIT for this host");
#endif
}

/* One instruction is named, whichever of the two is the broken one. */
START_TEST(test_broken)
{
    enum { BEFORE = RESET + LOOP + 2 * ROUNDS + FILLER };

    need_jit();
    for (unsigned swap = 0; swap < 2; swap++) {
        broken(IR_add, swap, RIG_RAM + 4 * LOOP, RESET + LOOP + 1, "addi s1,s1,-1",
               "bytes 93 84 f4 ff; ");
        broken(IR_sub, swap, RIG_RAM + 4 * OPS, BEFORE + 1, "sub s4,s2,s3",
               swap ? "s4         a 00000000000001f7  b 0000000000000062"
                    : "s4         a 0000000000000062  b 00000000000001f7");
        broken(IR_xor, swap, RIG_RAM + 4 * (OPS + 1), BEFORE + 2, "xor s5,s2,s3", " s5 ");
        broken(IR_and, swap, 0x1014, RESET, "jalr zero,0(t0)", " pc ");
        broken(IR_mul, swap, RIG_RAM + 4 * (OPS + 3), BEFORE + 4, "mul s7,s2,s3", " s7 ");
    }
}
END_TEST

/* What is wrong only where two instructions are one operation: the unit has both. */
START_TEST(test_broken_unit)
{
    enum { AT = RESET + LOOP + 2 * ROUNDS + FILLER + 4 + 2 };
    char unit[100];

    need_jit();
    snprintf(unit, sizeof unit, "a unit of 2 instructions from 0x%016llx on",
             (unsigned long long)RIG_RAM + 4 * SET);
    for (unsigned swap = 0; swap < 2; swap++)
        broken(IR_ges, swap, RIG_RAM + 4 * (SET + 1), AT, "xori t0,t0,1", unit);
}
END_TEST

/* ---- another one runs the second machine ---- */

struct meddler {
    struct machine *m;
    unsigned started, ended, kept, brought_back;
};

enum { MEDDLED = 12345 }; /* the count */

static void *meddler_start(void *opaque, struct machine *m)
{
    struct meddler *r = opaque;

    r->m = m;
    r->started++;
    return r;
}

static void meddler_end(void *runner)
{
    struct meddler *r = runner;

    ck_assert_uint_gt(machine_ncpus(r->m), 0); /* which is still there */
    r->ended++;
}

/* Changes a register behind instruction MEDDLED. */
static enum machine_stop meddler_run(void *runner, uint64_t until)
{
    struct machine *m = ((struct meddler *)runner)->m;
    struct cpu *c;

    if (machine_count(m) < MEDDLED && until >= MEDDLED) {
        machine_run(m, MEDDLED);
        c = machine_cpu(m, 1);
        c->guest->reg_write(c, (uint32_t)guest_find_reg(c->guest, "tp"), 77);
    }
    return machine_run(m, until);
}

static void meddler_save(void *runner, struct buf *out)
{
    ((struct meddler *)runner)->kept++;
    buf_str(out, "kept");
}

static void meddler_load(void *runner, const struct buf *saved)
{
    ((struct meddler *)runner)->brought_back++;
    ck_assert_str_eq(saved->data, "kept");
}

static void meddler_report(void *runner, struct buf *out)
{
    (void)runner;
    buf_str(out, "what the runner did\n");
}

/* What it changes is found, at its count. */
START_TEST(test_runner)
{
    struct rvasm p = {0};
    struct rig_file f;
    struct buf report = BUF_INIT;
    struct err e = {0};
    struct meddler meddler = {0};
    struct verify_runner runner = {meddler_start, meddler_end,  meddler_run, meddler_save,
                                   meddler_load,  meddler_report, &meddler};

    rig_busy_program(&p, 100);
    rig_write(&f, &p);
    struct verify_config config = {.a = rig_config(&f, 2),
                                   .b = rig_config(&f, 2),
                                   .runner = &runner,
                                   .interval = 5000,
                                   .until = MEDDLED - 1};
    ck_assert_int_eq(verify_run(&config, &report, &e), VERIFY_SAME);
    ck_assert_msg(strstr(report.data, "\nwhat the runner did\n"), "%.2000s", report.data);
    buf_reset(&report);
    config.until = UINT64_MAX;
    ck_assert_int_eq(verify_run(&config, &report, &e), VERIFY_DIFFERENT);
    ck_assert_msg(starts(&report, "different after instruction 12345 at ") &&
                      strstr(report.data, "CPU 1  tp         a 0000000000000000  b 000000000000004d"),
                  "%.2000s", report.data);
    ck_assert_uint_eq(meddler.started, meddler.ended);
    ck_assert(meddler.kept && meddler.brought_back);
    buf_fini(&report);
    rig_remove(&f);
}
END_TEST

UNIT_MAIN("machine/verify", test_same, test_different, test_stopped_while_looking, test_memory,
          test_broken, test_broken_unit, test_runner)
