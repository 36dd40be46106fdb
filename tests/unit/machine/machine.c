/* machine.c - tests of windows, time, stops and the state of a machine. */
#include <pthread.h>

#include "host/host_clock.h"
#include "machine/machine_impl.h"
#include "machine/point.h"
#include "tests/unit/cpu/stops.h"
#include "tests/unit/machine/rig.h"

static struct machine *busy_machine(unsigned ncpus, unsigned rounds, const char *engine)
{
    struct rvasm p = {0};
    struct rig_file f;

    rig_busy_program(&p, rounds);
    rig_write(&f, &p);
    struct machine_config config = rig_config(&f, ncpus);
    if (engine)
        config.engine = engine;
    struct machine *m = rig_machine(&config);
    rig_remove(&f);
    return m;
}

/* What a run came to. */
struct outcome {
    enum machine_stop stop;
    uint64_t count, time, hash;
};

static struct outcome outcome(struct machine *m, enum machine_stop stop)
{
    return (struct outcome){stop, machine_count(m), machine_time(m), machine_hash(m)};
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
    ck_assert_int_eq(a->stop, b->stop);
    ck_assert_uint_eq(a->count, b->count);
    ck_assert_uint_eq(a->time, b->time);
    ck_assert_uint_eq(a->hash, b->hash);
}

/* To `until` in random pieces. */
static struct outcome chopped(struct machine *m, uint64_t until, uint64_t *seed)
{
    enum machine_stop stop = MACHINE_COUNT;

    while (stop == MACHINE_COUNT && machine_count(m) < until) {
        *seed = bits_mix(*seed + 1);
        uint64_t to = machine_count(m) + 1 + (*seed >> 32) % (1u << *seed % 15);
        stop = machine_run(m, to < until ? to : until);
        if (stop == MACHINE_COUNT)
            ck_assert_uint_eq(machine_count(m), to < until ? to : until);
    }
    return outcome(m, stop);
}

static void chop(unsigned ncpus)
{
    uint64_t seed = ncpus;
    struct machine *m = busy_machine(ncpus, 200, NULL);
    struct outcome whole = outcome(m, machine_run(m, UINT64_MAX));
    uint64_t points[5];
    struct outcome at[5];

    ck_assert_int_eq(whole.stop, MACHINE_ENDED);
    ck_assert_int_eq(machine_end(m, NULL), BOARD_POWEROFF);
    ck_assert_uint_gt(whole.count, 200000);
    ck_assert_uint_eq(rig_x(m, 0, S4), 200);
    if (ncpus > 1)
        ck_assert_uint_gt(rig_x(m, 0, S11), 10);
    for (unsigned i = 0; i < 5; i++) {
        seed = bits_mix(seed + 1);
        points[i] = seed % whole.count;
        ck_assert_int_eq(machine_reset(m, NULL), 0);
        at[i] = outcome(m, machine_run(m, points[i]));
        ck_assert_int_eq(at[i].stop, MACHINE_COUNT);
    }
    for (unsigned i = 0; i < 5; i++) {
        machine_free(m);
        m = busy_machine(ncpus, 200, NULL);
        struct outcome again = chopped(m, points[i], &seed);
        check_same(&again, &at[i]);
        again = chopped(m, UINT64_MAX, &seed);
        check_same(&again, &whole);
    }
    machine_free(m);
}

/* Where a caller stops on the way changes nothing. */
START_TEST(test_chop_1)
{
    chop(1);
}
END_TEST

START_TEST(test_chop_2)
{
    chop(2);
}
END_TEST

START_TEST(test_chop_5)
{
    chop(5);
}
END_TEST

/* Nor do a debugger's stops. */
START_TEST(test_stops)
{
    struct machine *m = busy_machine(2, 100, NULL);
    struct outcome whole = outcome(m, machine_run(m, UINT64_MAX));
    uint64_t pcs[] = {RIG_RAM + 4, RIG_RAM + 12, RIG_RAM + 40, RIG_RAM + 300};
    struct cpu_debug stops = stops_at(pcs, ARRAY_LEN(pcs));
    unsigned breaks = 0;
    enum machine_stop stop;

    ck_assert_int_eq(machine_reset(m, NULL), 0);
    machine_set_debug(m, &stops);
    while ((stop = machine_run(m, UINT64_MAX)) == MACHINE_BREAK) {
        uint64_t pc = machine_cpu(m, machine_turn(m))->pc;
        machine_pass_probe(m, machine_turn(m));
        ck_assert(pc == pcs[0] || pc == pcs[1] || pc == pcs[2] || pc == pcs[3]);
        breaks++;
    }
    ck_assert_uint_gt(breaks, 300);
    struct outcome again = outcome(m, stop);
    check_same(&again, &whole);
    machine_free(m);
}
END_TEST

/* A stop that is told to be passed is passed; when it comes round again it is not. */
START_TEST(test_stop_passed)
{
    uint64_t pc = RIG_RAM + 4;
    struct cpu_debug stops = stops_at(&pc, 1);
    struct rvasm p = {0};
    struct rig_file f;

    rv_addi(&p, S0, S0, 1);
    rv_addi(&p, S1, S1, 1);
    rv_jump(&p, 0);
    rig_write(&f, &p);
    struct machine_config config = rig_config(&f, 1);
    struct machine *m = rig_machine(&config);
    machine_run(m, 6 + 3 * 4 + 1); /* the ROM has 6 instructions */
    ck_assert_uint_eq(machine_cpu(m, 0)->pc, RIG_RAM + 4);
    machine_set_debug(m, &stops);
    ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_BREAK);
    ck_assert_uint_eq(machine_count(m), 6 + 3 * 4 + 1);
    machine_pass_probe(m, 0);
    ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_BREAK);
    ck_assert_uint_eq(machine_count(m), 6 + 3 * 5 + 1);
    machine_set_debug(m, NULL);
    ck_assert_int_eq(machine_run(m, 1000), MACHINE_COUNT);
    machine_free(m);
    rig_remove(&f);
}
END_TEST

/* Sets the timer of hart 0 for tick 50; the handler notes mcycle and mtime.  Waits or loops. */
static void timer_program(struct rvasm *p, bool waits)
{
    rv_li(p, S2, MTIMECMP(0));
    rv_li(p, S3, MTIME);
    rv_addi(p, T0, ZERO, 50);
    rv_sd(p, T0, S2, 0);
    unsigned handler = rv_here(p) + 15;
    rig_set_mtvec(p, handler);
    rv_addi(p, T0, ZERO, 0x80);
    rv_csr(p, RV_CSRW, ZERO, CSR_MIE, T0);
    rv_csr(p, RV_CSRSI, ZERO, CSR_MSTATUS, 8);
    if (waits)
        rv_wfi(p);
    while (rv_here(p) < handler - 1)
        rv_addi(p, ZERO, ZERO, 0);
    rv_jump(p, rv_here(p));
    rv_csr(p, RV_CSRS, S4, CSR_MCYCLE, ZERO);
    rv_ld(p, S5, S3, 0);
    rv_jump(p, rv_here(p));
}

static struct machine *timer_machine(bool waits, uint64_t rate, uint64_t slice)
{
    struct rvasm p = {0};
    struct rig_file f;

    timer_program(&p, waits);
    rig_write(&f, &p);
    struct machine_config config = rig_config(&f, 1);
    config.rate = rate;
    config.slice = slice;
    struct machine *m = rig_machine(&config);
    rig_remove(&f);
    return m;
}

/* The interrupt comes at the instruction at which its time has come: tick 50 is at 5000 ns. */
START_TEST(test_timer_exact)
{
    static const struct {
        uint64_t rate, count;
    } cases[] = {{1000000000, 5000}, {10000000, 50}, {3000000000, 15000}, {7777777, 39}};
    static const uint64_t slices[] = {0, 1, 7, 1000};

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        for (unsigned k = 0; k < ARRAY_LEN(slices); k++) {
            struct machine *m = timer_machine(false, cases[i].rate, slices[k]);
            ck_assert_int_eq(machine_run(m, cases[i].count), MACHINE_COUNT);
            ck_assert_uint_ge(machine_time(m), 5000);
            ck_assert_int_eq(machine_run(m, cases[i].count + 10), MACHINE_COUNT);
            ck_assert_uint_eq(rig_x(m, 0, S4), cases[i].count);
            /* mtime is read by the second instruction of the handler */
            uint64_t ns = (cases[i].count + 2) * 1000000000 / cases[i].rate;
            ck_assert_uint_eq(rig_x(m, 0, S5), ns / 100);
            machine_free(m);
        }
    }
}
END_TEST

/* Time that nobody uses passes at once. */
START_TEST(test_idle)
{
    struct machine *m = timer_machine(true, 0, 0);

    ck_assert_int_eq(machine_run(m, 100), MACHINE_COUNT);
    ck_assert_uint_lt(rig_x(m, 0, S4), 50);
    ck_assert_uint_eq(rig_x(m, 0, S5), 50);
    ck_assert_uint_ge(machine_time(m), 5000);
    ck_assert_uint_lt(machine_time(m), 5100);
    machine_free(m);
}
END_TEST

static struct machine *waiting_machine(bool paced, bool realtime, struct dev_chars *door)
{
    struct rvasm p = {0};
    struct rig_file f;

    rv_wfi(&p);
    rv_jump(&p, 0);
    rig_write(&f, &p);
    struct machine_config config = rig_config(&f, 2);
    config.paced = paced;
    config.realtime = realtime;
    if (door)
        config.board.console = *door;
    struct machine *m = rig_machine(&config);
    rig_remove(&f);
    return m;
}

START_TEST(test_idle_for_ever)
{
    struct machine *m = waiting_machine(false, false, NULL);

    ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_IDLE);
    ck_assert_uint_eq(machine_count(m), 2 * 7);
    ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_IDLE);
    machine_interrupt(m);
    ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_INTERRUPTED);
    machine_free(m);
}
END_TEST

static void *interrupt_later(void *m)
{
    host_wait(NULL, 0, host_monotonic_ns() + 50000000);
    machine_interrupt(m);
    return NULL;
}

static size_t no_bytes(void *opaque, uint8_t *data, size_t len)
{
    (void)data, (void)len;
    ++*(unsigned *)opaque;
    return 0;
}

/* An idle machine with an open door waits for the host, in every way of keeping time. */
START_TEST(test_interrupt)
{
    for (unsigned i = 0; i < 3; i++) {
        unsigned reads = 0;
        struct dev_chars door = {.read = no_bytes, .opaque = &reads};
        struct machine *m = waiting_machine(i == 1, i == 2, &door);
        pthread_t thread;
        uint64_t began = host_monotonic_ns();
        ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_later, m), 0);
        ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_INTERRUPTED);
        ck_assert_uint_ge(host_monotonic_ns() - began, 40000000);
        ck_assert_uint_lt(reads, 10); /* it slept */
        pthread_join(thread, NULL);
        if (i)
            ck_assert_uint_gt(machine_time(m), 0);
        machine_free(m);
    }
}
END_TEST

/* 50 ms of idle time take 50 ms. */
START_TEST(test_paced)
{
    for (unsigned realtime = 0; realtime < 2; realtime++) {
        struct rvasm p = {0};
        struct rig_file f;

        rv_li(&p, S2, MTIMECMP(0));
        rv_li(&p, T0, 500000);
        rv_sd(&p, T0, S2, 0);
        rv_addi(&p, T0, ZERO, 0x80);
        rv_csr(&p, RV_CSRW, ZERO, CSR_MIE, T0);
        rv_wfi(&p);
        rv_li(&p, T0, FINISH);
        rv_li(&p, T1, 0x73333);
        rv_sw(&p, T1, T0, 0);
        rv_jump(&p, rv_here(&p));
        rig_write(&f, &p);
        struct machine_config config = rig_config(&f, 1);
        config.paced = !realtime;
        config.realtime = realtime;
        struct machine *m = rig_machine(&config);
        uint64_t began = host_monotonic_ns();
        unsigned code;
        ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_ENDED);
        uint64_t took = host_monotonic_ns() - began;
        ck_assert_msg(took >= 45000000 && took < 5000000000, "%llu", (unsigned long long)took);
        ck_assert_int_eq(machine_end(m, &code), BOARD_FAILED);
        ck_assert_uint_eq(code, 7);
        ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_ENDED);
        machine_free(m);
        rig_remove(&f);
    }
}
END_TEST

/* The hash follows RAM, and knows nothing of when it was asked for. */
START_TEST(test_hash)
{
    struct machine *m = busy_machine(1, 100, NULL), *n = busy_machine(1, 100, NULL);
    uint64_t zero = 0, other = 1, at = RIG_RAM + 0x700000;

    for (unsigned i = 1; i < 20; i++) {
        machine_run(m, i * 1000);
        machine_hash(m);
    }
    machine_run(n, 19000);
    uint64_t hash = machine_hash(n);
    ck_assert_uint_eq(machine_hash(m), hash);
    mem_poke(machine_mem(m), at, &other, 8);
    ck_assert_uint_ne(machine_hash(m), hash);
    mem_poke(machine_mem(m), at, &zero, 8);
    ck_assert_uint_eq(machine_hash(m), hash);
    mem_poke(machine_mem(m), at + 0x1000, &other, 8);
    mem_poke(machine_mem(n), at + 0x2000, &other, 8);
    ck_assert_uint_ne(machine_hash(m), machine_hash(n));
    machine_free(m);
    machine_free(n);
}
END_TEST

/* A machine that takes over another's state goes on as that one does. */
static void save_load(unsigned ncpus)
{
    struct machine *m = busy_machine(ncpus, 300, NULL), *n = busy_machine(ncpus, 300, NULL);
    uint64_t seed = 5;

    for (unsigned i = 0; i < 10; i++) {
        seed = bits_mix(seed + 1);
        machine_run(m, machine_count(m) + seed % 5000);
        machine_run(n, machine_count(n) + 777);
        rig_take_over(n, m);
        struct outcome a = outcome(m, MACHINE_COUNT), b = outcome(n, MACHINE_COUNT);
        check_same(&a, &b);
        a = outcome(m, machine_run(m, machine_count(m) + 3000));
        b = outcome(n, machine_run(n, machine_count(n) + 3000));
        check_same(&a, &b);
    }
    struct outcome a = outcome(m, machine_run(m, UINT64_MAX));
    struct outcome b = outcome(n, machine_run(n, UINT64_MAX));
    check_same(&a, &b);
    ck_assert_int_eq(a.stop, MACHINE_ENDED);
    machine_free(m);
    machine_free(n);
}

START_TEST(test_save_load)
{
    save_load(1);
    save_load(3);
}
END_TEST

/* A reservation does not outlive another hart's turn. */
START_TEST(test_reservation)
{
    for (unsigned ncpus = 1; ncpus < 3; ncpus++) {
        struct rvasm p = {0};
        struct rig_file f;

        rv_ram(&p, S1, 0x10000);
        rv_lr(&p, T0, S1);
        rv_addi(&p, S2, ZERO, 100);
        unsigned loop = rv_here(&p);
        rv_addi(&p, S2, S2, -1);
        rv_branch(&p, RV_BNE, S2, ZERO, loop);
        rv_sc(&p, S3, ZERO, S1);
        rv_jump(&p, rv_here(&p));
        rig_write(&f, &p);
        struct machine_config config = rig_config(&f, ncpus);
        config.slice = 100;
        struct machine *m = rig_machine(&config);
        machine_run(m, 1000);
        ck_assert_uint_eq(rig_x(m, 0, S3), ncpus - 1);
        ck_assert_uint_eq(rig_x(m, 0, S2), 0);
        machine_free(m);
        rig_remove(&f);
    }
}
END_TEST

/* A hart that waits is woken by another one at once, before or behind it in their order. */
START_TEST(test_wake_up)
{
    for (int waker = 0; waker < 2; waker++) {
        struct rvasm p = {0};
        struct rig_file f;

        rv_li(&p, S3, MTIME);
        rv_li(&p, S4, CLINT + (waker ? 0 : 4));
        rv_addi(&p, T0, ZERO, 8);
        rv_csr(&p, RV_CSRW, ZERO, CSR_MIE, T0);
        rv_csr(&p, RV_CSRS, S0, CSR_MHARTID, ZERO);
        rv_addi(&p, T1, ZERO, waker);
        unsigned sends = rv_branch(&p, RV_BEQ, S0, T1, 0);
        rv_wfi(&p);
        rv_ld(&p, S5, S3, 0);
        rv_jump(&p, rv_here(&p));
        rv_to_here(&p, sends);
        rv_li(&p, T0, 300000);
        unsigned loop = rv_here(&p);
        rv_addi(&p, T0, T0, -1);
        rv_branch(&p, RV_BNE, T0, ZERO, loop);
        rv_ld(&p, S5, S3, 0);
        rv_addi(&p, T0, ZERO, 1);
        rv_sw(&p, T0, S4, 0);
        rv_jump(&p, rv_here(&p));
        rig_write(&f, &p);
        struct machine_config config = rig_config(&f, 2);
        struct machine *m = rig_machine(&config);
        machine_run(m, 1000000);
        uint64_t sent = rig_x(m, (unsigned)waker, S5), seen = rig_x(m, !waker, S5);
        ck_assert_uint_gt(sent, 5999);
        ck_assert_uint_ge(seen, sent);
        ck_assert_uint_le(seen, sent + 1); /* ticks of 100 instructions */
        machine_free(m);
        rig_remove(&f);
    }
}
END_TEST

#define FLASH UINT64_C(0x22000000)

static void flash_command(struct machine *m, uint64_t offset, uint32_t command, uint32_t second)
{
    ck_assert(mem_write(machine_mem(m), FLASH + offset, 4, command));
    ck_assert(mem_write(machine_mem(m), FLASH + offset, 4, second));
}

static uint64_t flash_word(struct machine *m, uint64_t offset)
{
    uint64_t v;

    ck_assert(mem_read(machine_mem(m), FLASH + offset, 4, &v));
    return v;
}

/* What flash holds is in the hash and in a point, whatever it shows. */
START_TEST(test_flash)
{
    struct machine *m = busy_machine(1, 100, NULL);
    struct machine_point *p;
    uint64_t blank = machine_hash(m), hash;

    flash_command(m, 0x40000, 0x400040, 0x1234);
    flash_command(m, 0, 0x500050, 0xff00ff);
    hash = machine_hash(m);
    ck_assert_uint_ne(hash, blank);
    ck_assert(mem_write(machine_mem(m), FLASH, 4, 0x700070));
    ck_assert_uint_ne(machine_hash(m), hash);
    p = machine_point_new(m);
    flash_command(m, 0x40000, 0x200020, 0xd000d0);
    flash_command(m, 0x80000, 0x400040, 0);
    flash_command(m, 0, 0x500050, 0xff00ff);
    ck_assert_uint_eq(flash_word(m, 0x40000), UINT32_MAX);

    ck_assert_int_eq(machine_point_load(p, m, NULL), 0); /* which compares the hash */
    ck_assert_uint_eq(flash_word(m, 0x40000), 0x800080);
    ck_assert(mem_write(machine_mem(m), FLASH, 4, 0xff00ff));
    ck_assert_uint_eq(flash_word(m, 0x40000), 0x1234);
    ck_assert_uint_eq(flash_word(m, 0x80000), UINT32_MAX);
    ck_assert_uint_eq(machine_hash(m), hash);
    flash_command(m, 0x40000, 0x200020, 0xd000d0);
    flash_command(m, 0, 0x500050, 0xff00ff);
    ck_assert_uint_eq(machine_hash(m), blank);
    machine_point_free(p);
    machine_free(m);
}
END_TEST

/* With a CPU so far ahead that others would have to run for years before it has a turn. */
START_TEST(test_far_ahead)
{
    struct machine *m = busy_machine(2, 100, NULL);
    struct buf good = BUF_INIT, bad = BUF_INIT;
    struct err e = {0};
    struct snap s;

    ck_assert_int_eq(machine_run(m, 5000), MACHINE_COUNT);
    snap_open_save(&s, &good);
    machine_state(m, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    m->shift[1] += BIT(48);
    snap_open_save(&s, &bad);
    machine_state(m, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    snap_open_load(&s, bad.data, bad.len);
    machine_state(m, &s);
    ck_assert_int_ne(snap_close(&s, &e), 0);
    ck_assert_msg(strstr(e.msg, "ahead"), "%s", e.msg);
    snap_open_load(&s, good.data, good.len);
    machine_state(m, &s);
    ck_assert_msg(snap_close(&s, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_ENDED);
    buf_fini(&good);
    buf_fini(&bad);
    machine_free(m);
}
END_TEST

START_TEST(test_bad_config)
{
    struct rvasm p = {0};
    struct rig_file f;
    struct err e = {0};

    rv_jump(&p, 0);
    rig_write(&f, &p);
    struct machine_config good = rig_config(&f, 1), c = good;
    c.guest = "pdp11";
    ck_assert(!machine_new(&c, &e) && strstr(e.msg, "pdp11"));
    c = good;
    c.engine = "steam";
    ck_assert(!machine_new(&c, &e) && strstr(e.msg, "steam"));
    c = good;
    c.rate = UINT64_MAX;
    ck_assert(!machine_new(&c, &e) && strstr(e.msg, "rate"));
    c = good;
    c.slice = UINT64_MAX;
    ck_assert(!machine_new(&c, &e) && strstr(e.msg, "slice"));
    c = good;
    c.isa = "rv32";
    ck_assert(!machine_new(&c, &e) && strstr(e.msg, "rv32"));
    c = good;
    c.board.ncpus = 99;
    ck_assert(!machine_new(&c, &e) && strstr(e.msg, "99"));
    rig_remove(&f);
    ck_assert(!machine_new(&good, &e) && strstr(e.msg, f.path));
}
END_TEST

static void row(void *opaque, const char *name, uint64_t value, const char *unit, const char *doc)
{
    buf_fmt(opaque, "%s=%llu %s: %s\n", name, (unsigned long long)value, unit, doc);
}

START_TEST(test_counters)
{
    struct machine *m = busy_machine(2, 100, NULL);
    struct buf out = BUF_INIT;

    machine_run(m, UINT64_MAX);
    machine_counters(m, row, &out);
    ck_assert(strstr(out.data, "dev.test.writes=1 "));
    ck_assert(strstr(out.data, "cpu.interrupts=") && !strstr(out.data, "cpu.interrupts=0"));
    ck_assert(strstr(out.data, "interp.units="));
    buf_fini(&out);
    machine_free(m);
}
END_TEST

UNIT_MAIN("machine/machine", test_chop_1, test_chop_2, test_chop_5, test_stops, test_stop_passed,
          test_timer_exact, test_idle, test_idle_for_ever, test_interrupt, test_paced, test_hash,
          test_save_load, test_reservation, test_wake_up, test_flash, test_far_ahead,
          test_bad_config, test_counters)
