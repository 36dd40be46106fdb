/* replay.c - tests of recorded inputs, given again. */
#include "machine/point.h"
#include "replay/replay.h"
#include "tests/unit/machine/rig.h"

#define UART 0x10000000u

/* A person, of whom nothing is known but that they type now and then. */
struct person {
    struct machine *m; /* NULL: they may not be asked */
    unsigned asked, typed, waits;
};

static void person_write(void *opaque, const uint8_t *data, size_t len)
{
    (void)opaque, (void)data, (void)len;
}

static size_t person_read(void *opaque, uint8_t *data, size_t len)
{
    struct person *p = opaque;

    ck_assert_msg(p->m, "the door is used");
    if (++p->asked % 3 || !len)
        return 0;
    p->typed++;
    *data = (uint8_t)(p->asked * 7);
    return 1;
}

/* Half of the waits end at once. */
static void person_wait(void *opaque, struct dev_wait *w)
{
    struct person *p = opaque;

    (void)w;
    ck_assert_msg(p->m, "the door is waited for");
    if (++p->waits % 2)
        machine_wake(p->m);
}

/* Takes what the serial port has, sums it up, and waits for a timer 20 us away. */
static void program(struct rvasm *p)
{
    rv_li(p, S2, MTIMECMP(0));
    rv_li(p, S3, MTIME);
    rv_li(p, S4, UART);
    rv_ram(p, S5, 0x10000);
    rv_addi(p, T0, ZERO, 0x80);
    rv_csr(p, RV_CSRW, ZERO, CSR_MIE, T0);
    unsigned loop = rv_here(p);
    rv_word(p, rv_i(5, S4, 4, T0, 0x03)); /* lbu: line status */
    rv_andi(p, T0, T0, 1);
    unsigned none = rv_branch(p, RV_BEQ, T0, ZERO, 0);
    rv_word(p, rv_i(0, S4, 4, T0, 0x03)); /* lbu: the byte */
    rv_slli(p, S6, S6, 3);
    rv_add(p, S6, S6, T0);
    rv_sd(p, S6, S5, 0);
    rv_addi(p, S7, S7, 1);
    rv_to_here(p, none);
    rv_ld(p, T0, S3, 0);
    rv_addi(p, T0, T0, 200);
    rv_sd(p, T0, S2, 0);
    rv_wfi(p);
    rv_jump(p, loop);
}

struct run {
    struct replay *replay;
    struct machine *m;
};

static void start(struct run *r, const struct rig_file *f, struct person *who,
                  struct replay_log *log, enum replay_mode mode)
{
    struct machine_config config = rig_config(f, 1);

    config.paced = true;
    config.board.console = (struct dev_chars){person_write, person_read, who, person_wait};
    r->replay = replay_new(log, mode, &config);
    r->m = rig_machine(&config);
    replay_attach(r->replay, r->m);
}

static void end(struct run *r)
{
    machine_free(r->m);
    replay_free(r->replay);
}

#define COUNT 3000

START_TEST(test_again)
{
    struct replay_log *log = replay_log_new();
    struct person who = {0}, nobody = {0};
    struct rvasm p = {0};
    struct rig_file f;
    struct run a, b;
    struct err e = {0};

    program(&p);
    rig_write(&f, &p);
    start(&a, &f, &who, log, REPLAY_RECORD);
    who.m = a.m;
    ck_assert_int_eq(machine_run(a.m, COUNT), MACHINE_COUNT);
    ck_assert_uint_gt(who.typed, 20);
    ck_assert_uint_gt(rig_x(a.m, 0, S7), 20);

    start(&b, &f, &nobody, log, REPLAY_AGAIN);
    ck_assert_int_eq(machine_run(b.m, COUNT / 2), MACHINE_COUNT);
    struct machine_point *half = machine_point_new(b.m);
    ck_assert_int_eq(machine_run(b.m, COUNT), MACHINE_COUNT);
    ck_assert_uint_eq(machine_hash(a.m), machine_hash(b.m));
    ck_assert_uint_eq(machine_now(a.m), machine_now(b.m));

    ck_assert_int_eq(machine_point_load(half, b.m, &e), 0);
    replay_seek(b.replay);
    ck_assert_int_eq(machine_run(b.m, COUNT), MACHINE_COUNT);
    ck_assert_uint_eq(machine_hash(a.m), machine_hash(b.m));
    machine_point_free(half);
    end(&a);
    end(&b);
    replay_log_free(log);
    rig_remove(&f);
}
END_TEST

/* An input that is missing, or comes at another time, shows. */
START_TEST(test_other_inputs)
{
    struct replay_log *log = replay_log_new(), *less = replay_log_new();
    struct person who = {0}, nobody = {0};
    const struct replay_input *in;
    const uint8_t *data;
    struct rvasm p = {0};
    struct rig_file f;
    struct run a, b;

    program(&p);
    rig_write(&f, &p);
    start(&a, &f, &who, log, REPLAY_RECORD);
    who.m = a.m;
    machine_run(a.m, COUNT);
    for (unsigned door = 0; door < REPLAY_DOORS; door++)
        for (size_t n = 0; (in = replay_log_get(log, door, n, &data)); n++)
            if (door != REPLAY_CONSOLE || n != 5)
                replay_log_add(less, door, in->tick, data, in->len);
    start(&b, &f, &nobody, less, REPLAY_AGAIN);
    machine_run(b.m, COUNT);
    ck_assert_uint_ne(machine_hash(a.m), machine_hash(b.m));
    end(&a);
    end(&b);
    replay_log_free(log);
    replay_log_free(less);
    rig_remove(&f);
}
END_TEST

START_TEST(test_log)
{
    static const uint64_t ticks[] = {5, 5, 9, 12};
    struct replay_log *log = replay_log_new();
    const uint8_t *data;

    for (unsigned i = 0; i < ARRAY_LEN(ticks); i++)
        replay_log_add(log, REPLAY_NET, ticks[i], &"abcdef"[i], i);
    ck_assert_uint_eq(replay_log_find(log, REPLAY_NET, 0), 0);
    ck_assert_uint_eq(replay_log_find(log, REPLAY_NET, 5), 0);
    ck_assert_uint_eq(replay_log_find(log, REPLAY_NET, 6), 2);
    ck_assert_uint_eq(replay_log_find(log, REPLAY_NET, 13), 4);
    ck_assert_uint_eq(replay_log_find(log, REPLAY_CONSOLE, 0), 0);
    ck_assert_uint_eq(replay_log_get(log, REPLAY_NET, 2, &data)->len, 2);
    ck_assert(!memcmp(data, "cd", 2));
    ck_assert_ptr_null(replay_log_get(log, REPLAY_NET, 4, &data));
    replay_log_free(log);
}
END_TEST

UNIT_MAIN("replay/replay", test_again, test_other_inputs, test_log)
