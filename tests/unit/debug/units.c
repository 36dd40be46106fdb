/* units.c - stops where translated code comes and goes, on every engine. */
#include "tests/unit/debug/stopper.h"

#define MANY  (RIG_RAM + 0x100000) /* a lot of code */
#define JUMPS 300000               /* each a unit of its own */

static struct machine *m;
static struct dbg_points *p;
static struct dbg_hit hit;

#define EACH_ENGINE(engine)                                                                        \
    for (const char *const *engine = stopper_engines;                                              \
         engine < stopper_engines + ARRAY_LEN(stopper_engines); engine++)

static void start(const struct rvasm *a, const char *engine, struct machine_idle idle)
{
    struct rig_file f;

    rig_write(&f, a);
    struct machine_config config = rig_config(&f, 1);
    config.engine = engine;
    config.accel.code_size = 256 << 10;
    config.idle = idle;
    m = rig_machine(&config);
    rig_remove(&f);
    p = dbg_points_new(m);
    machine_run(m, 6); /* past the ROM */
    ck_assert_uint_eq(machine_cpu(m, 0)->pc, RIG_RAM);
}

static void end(void)
{
    dbg_points_free(p);
    machine_free(m);
}

static uint64_t pc(void)
{
    return machine_cpu(m, 0)->pc;
}

static bool run(uint64_t n)
{
    return stopper_run(m, p, n, &hit);
}

/* events: bits */
static unsigned add(unsigned events, uint64_t first, uint64_t last)
{
    struct dbg_point x = {
        .kind = DBG_UNITS, .units = (uint8_t)events, .first = first, .last = last};

    return dbg_points_add(p, &x);
}

/* ---- made ---- */

/* Three units. */
enum { ENTRY, LOOP = 3, TAIL = 7, LINES = 9 };

static void loop_program(struct rvasm *a)
{
    rv_addi(a, S0, ZERO, 0);
    rv_addi(a, S2, ZERO, 3);
    rv_jump(a, LOOP);
    rv_addi(a, S0, S0, 1);
    rv_addi(a, S1, S1, 1);
    rv_addi(a, S3, S3, 1);
    rv_branch(a, RV_BNE, S0, S2, LOOP);
    rv_addi(a, S0, ZERO, 0);
    rv_jump(a, LOOP);
    ck_assert_uint_eq(rv_here(a), LINES);
}

#define ck_made(index, insns)                                                                      \
    do {                                                                                           \
        ck_assert(run(1000));                                                                      \
        ck_assert_uint_eq(pc(), RIG_RAM + 4 * (index));                                            \
        ck_assert(hit.unit.n == 1 && hit.unit.what == CPU_UNIT_MADE);                              \
        ck_assert_uint_eq(hit.unit.pc, pc());                                                      \
        ck_assert_uint_eq(hit.unit.ninsns, insns);                                                 \
        ck_assert_uint_eq(hit.unit.bytes, 4 * (insns));                                            \
    } while (0)

START_TEST(made)
{
    struct rvasm a = {0};

    loop_program(&a);
    EACH_ENGINE (engine) {
        start(&a, *engine, (struct machine_idle){0});
        unsigned n = add(1 << CPU_UNIT_MADE, 0, UINT64_MAX);
        ck_made(ENTRY, 3);
        ck_assert_uint_eq(machine_count(m), 6); /* before it runs */
        ck_made(LOOP, 4);
        ck_assert_uint_eq(machine_count(m), 9);
        ck_made(TAIL, 2);
        ck_assert_uint_eq(machine_count(m), 21);
        ck_assert(!run(12 * 14)); /* whole rounds: the last one makes no other unit */
        ck_assert_uint_eq(dbg_points_find(p, n)->hits, 3);
        ck_assert_uint_eq(stopper_get(m, 0, "s1"), 3 * 13);
        /* Where nobody wants to hear of it, it is not told. */
        dbg_points_find(p, n)->disabled = true;
        dbg_points_changed(p, dbg_points_find(p, n));
        machine_accel(m)->ops->flush(machine_accel(m));
        ck_assert(!run(100));
        ck_assert_uint_eq(dbg_points_find(p, n)->evals, 3);
        end();
    }
}
END_TEST

/* number == register */
static void set_cond(struct dbg_point *x, uint8_t number, uint8_t reg)
{
    const uint8_t code[] = {DBG_AGENT_CONST8, number, DBG_AGENT_REG, 0, reg, DBG_AGENT_EQUAL,
                            DBG_AGENT_END};

    ck_assert_int_eq(dbg_agent_set(&x->cond, code, sizeof code, machine_guest(m), NULL), 0);
}

START_TEST(filters)
{
    struct rvasm a = {0};

    loop_program(&a);
    EACH_ENGINE (engine) {
        start(&a, *engine, (struct machine_idle){0});
        unsigned other = add(1 << CPU_UNIT_MADE, RIG_RAM + 4 * LINES, UINT64_MAX);
        unsigned gone = add(1 << CPU_UNIT_EVICTED | 1 << CPU_UNIT_INVALIDATED, 0, UINT64_MAX);
        unsigned last = add(1 << CPU_UNIT_MADE, RIG_RAM + 4 * LOOP + 15, RIG_RAM + 4 * LOOP + 15);
        struct dbg_point x = {.kind = DBG_UNITS,
                              .units = 1 << CPU_UNIT_MADE,
                              .physical = true,
                              .first = RIG_RAM,
                              .last = RIG_RAM + 4 * LINES,
                              .ignore = 2};
        unsigned third = dbg_points_add(p, &x);
        x.ignore = 0;
        x.cpus = 2;
        unsigned nowhere = dbg_points_add(p, &x);
        x.cpus = 0;
        set_cond(&x, 3, 8 /* s0 */);
        unsigned cond = dbg_points_add(p, &x);
        ck_made(LOOP, 4);
        ck_assert(hit.npoints == 1 && hit.point[0] == last);
        ck_made(TAIL, 2);
        ck_assert(hit.npoints == 2 && hit.point[0] + hit.point[1] == third + cond);
        ck_assert(!run(12 * 14));
        ck_assert_uint_eq(dbg_points_find(p, other)->hits + dbg_points_find(p, gone)->hits, 0);
        ck_assert_uint_eq(dbg_points_find(p, nowhere)->hits, 0);
        ck_assert_uint_eq(dbg_points_find(p, cond)->hits, 1);
        end();
    }
}
END_TEST

/* ---- invalidated ---- */

enum { PATCHED = 9, STORE = PATCHED + 1, ENDLESS = STORE + 2 };

/* A loop that writes its first instruction each time. */
static void patch_program(struct rvasm *a)
{
    rv_ram(a, A0, 4 * PATCHED);
    rv_li(a, A1, 0x00240413); /* addi s0, s0, 2 */
    rv_jump(a, PATCHED);
    while (rv_here(a) < PATCHED)
        rv_addi(a, ZERO, ZERO, 0);
    rv_addi(a, S0, S0, 1);
    rv_sw(a, A1, A0, 0);
    rv_addi(a, S1, S1, 1);
    ck_assert_uint_eq(rv_here(a), ENDLESS);
    rv_jump(a, PATCHED);
}

START_TEST(invalidated)
{
    struct rvasm a = {0};

    patch_program(&a);
    EACH_ENGINE (engine) {
        start(&a, *engine, (struct machine_idle){0});
        unsigned n = add(1 << CPU_UNIT_INVALIDATED, 0, UINT64_MAX);
        for (unsigned i = 1; i < 5; i++) {
            ck_assert(run(100));
            ck_assert_uint_eq(pc(), RIG_RAM + 4 * (STORE + 1));
            ck_assert(hit.unit.n == 1 && hit.unit.what == CPU_UNIT_INVALIDATED);
            ck_assert_uint_eq(hit.unit.pc, RIG_RAM + 4 * PATCHED);
            ck_assert_uint_eq(hit.unit.ninsns, 4);
            ck_assert(!hit.unit.by_device && hit.unit.by == RIG_RAM + 4 * STORE);
            ck_assert_uint_eq(stopper_get(m, 0, "s1"), i - 1);
            ck_assert_uint_eq(stopper_get(m, 0, "x8"), 2 * i - 1);
        }
        ck_assert_uint_eq(dbg_points_find(p, n)->hits, 4);
        end();
    }
}
END_TEST

/* What the debugger does itself while the machine is at rest is no event of the guest's. */
START_TEST(at_rest)
{
    struct rvasm a = {0};

    loop_program(&a);
    EACH_ENGINE (engine) {
        uint32_t same = a.code[LOOP];

        start(&a, *engine, (struct machine_idle){0});
        unsigned n = add(1 << CPU_UNIT_INVALIDATED, 0, UINT64_MAX);
        ck_assert(!run(100));
        mem_poke(machine_mem(m), RIG_RAM + 4 * LOOP, &same, 4);
        dbg_points_add(p, &(struct dbg_point){.kind = DBG_EXEC, .last = UINT64_MAX});
        ck_assert(run(100));
        ck_assert(hit.ran && !hit.unit.n);
        ck_assert(!run(100));
        ck_assert_uint_eq(dbg_points_find(p, n)->evals, 0);
        end();
    }
}
END_TEST

/* Waits for a timer that is far away, and ends. */
static void wait_program(struct rvasm *a)
{
    rv_li(a, A0, MTIMECMP(0));
    rv_li(a, A1, 1000000);
    rv_sd(a, A1, A0, 0);
    rv_addi(a, T0, ZERO, 0x80);
    rv_csr(a, RV_CSRW, ZERO, CSR_MIE, T0);
    rv_wfi(a);
    rv_li(a, A0, FINISH);
    rv_li(a, A1, 0x5555);
    rv_sw(a, A1, A0, 0);
}

/* A device writes to code while the CPU waits. */
static uint64_t write_code(void *opaque, uint64_t from, uint64_t next)
{
    uint32_t same;
    unsigned *n = opaque;

    (void)from;
    if (!(*n)++) {
        mem_peek(machine_mem(m), RIG_RAM, &same, 4);
        mem_dma_write(machine_mem(m), RIG_RAM, &same, 4);
    }
    return next;
}

START_TEST(by_device)
{
    struct rvasm a = {0};

    wait_program(&a);
    EACH_ENGINE (engine) {
        unsigned waits = 0;

        start(&a, *engine, (struct machine_idle){.replay = write_code, .opaque = &waits});
        add(1 << CPU_UNIT_INVALIDATED, 0, UINT64_MAX);
        ck_assert(run(UINT32_MAX));
        ck_assert_uint_eq(waits, 1);
        ck_assert(hit.unit.n == 1 && hit.unit.pc == RIG_RAM && hit.unit.by_device);
        ck_assert(machine_cpu(m, 0)->halted);
        ck_assert(!run(UINT32_MAX));
        ck_assert_int_eq(machine_end(m, NULL), BOARD_POWEROFF);
        end();
    }
}
END_TEST

/* ---- evicted ---- */

/* More than any engine has room for. */
static void many_program(struct rvasm *a)
{
    rv_ram(a, A0, (uint32_t)(MANY - RIG_RAM));
    rv_word(a, rv_i(0, A0, 0, ZERO, 0x67)); /* jr a0 */
}

static void load_many(void)
{
    static uint32_t code[JUMPS];

    for (unsigned i = 0; i < JUMPS; i++)
        code[i] = 0x0040006f; /* j .+4 */
    mem_poke(machine_mem(m), MANY, code, sizeof code);
}

START_TEST(evicted)
{
    struct rvasm a = {0};

    many_program(&a);
    EACH_ENGINE (engine) {
        start(&a, *engine, (struct machine_idle){0});
        load_many();
        unsigned n = add(1 << CPU_UNIT_EVICTED, MANY + 0x100, UINT64_MAX);
        ck_assert(run(JUMPS));
        ck_assert(hit.unit.what == CPU_UNIT_EVICTED && hit.unit.n > 10);
        ck_assert(hit.unit.pc >= MANY + 0x100 && hit.unit.pc < pc() && hit.unit.bytes == 4);
        /* The one that it makes room for has not run. */
        ck_assert_uint_eq(pc(), MANY + 4 * (machine_count(m) - 6 - rv_here(&a)));
        ck_assert_uint_eq(dbg_points_find(p, n)->hits, 1);
        end();
    }
}
END_TEST

/* ---- and none of it changes anything ---- */

static uint64_t hash_at(uint64_t count)
{
    unsigned stops = 0;

    while (machine_count(m) < count)
        stops += run(count - machine_count(m));
    ck_assert_uint_gt(stops, 100);
    return machine_hash(m);
}

START_TEST(undisturbed)
{
    enum { COUNT = 1000 };
    struct rvasm a = {0};

    patch_program(&a);
    start(&a, "interp", (struct machine_idle){0});
    ck_assert(!run(COUNT - 6));
    uint64_t want = machine_hash(m);
    end();
    EACH_ENGINE (engine) {
        start(&a, *engine, (struct machine_idle){0});
        add((1 << CPU_UNIT_EVENTS) - 1, 0, UINT64_MAX);
        ck_assert_uint_eq(hash_at(COUNT), want);
        end();
    }
}
END_TEST

UNIT_MAIN("debug/units", made, filters, invalidated, at_rest, by_device, evicted, undisturbed)
