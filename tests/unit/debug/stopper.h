/* stopper.h - a machine with points, without a control loop: what tests of src/debug share. */
#ifndef TESTS_UNIT_DEBUG_STOPPER_H
#define TESTS_UNIT_DEBUG_STOPPER_H

#include "debug/points.h"
#include "tests/unit/machine/rig.h"

static const char *const stopper_engines[] = {
    "interp",
#ifdef __x86_64__
    "jit",
#endif
};

static inline struct machine *stopper_machine(const struct rvasm *p, unsigned ncpus,
                                              const char *engine)
{
    struct rig_file f;

    rig_write(&f, p);
    struct machine_config config = rig_config(&f, ncpus);
    config.engine = engine;
    struct machine *m = rig_machine(&config);
    rig_remove(&f);
    return m;
}

static inline uint64_t stopper_get(struct machine *m, unsigned cpu, const char *name)
{
    struct cpu *c = machine_cpu(m, cpu);
    return c->guest->reg_read(c, (uint32_t)guest_find_reg(c->guest, name));
}

static inline void stopper_set(struct machine *m, unsigned cpu, const char *name, uint64_t value)
{
    struct cpu *c = machine_cpu(m, cpu);
    ck_assert_msg(c->guest->reg_write(c, (uint32_t)guest_find_reg(c->guest, name), value), "%s",
                  name);
}

/* Runs on from where it is, to a stop that somebody wants or for n instructions.  Whether it was one. */
static inline bool stopper_run(struct machine *m, struct dbg_points *p, uint64_t n,
                               struct dbg_hit *hit)
{
    uint64_t until = machine_count(m) + n;

    dbg_points_apply(p);
    machine_pass_probe(m, machine_turn(m));
    for (;;) {
        dbg_points_apply(p);
        if (machine_run(m, until) != MACHINE_BREAK)
            return false;
        if (dbg_points_stopped(p, hit))
            return true;
    }
}

#endif
