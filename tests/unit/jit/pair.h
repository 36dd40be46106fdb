/*
 * pair.h - two RISC-V machines that differ in the engine alone, run side by side.
 */
#ifndef TESTS_UNIT_JIT_PAIR_H
#define TESTS_UNIT_JIT_PAIR_H

#include <inttypes.h>

#include "accel/accel.h"
#include "tests/unit/riscv64/hart.h"

struct side {
    struct hart t;
    struct accel *a;
};

struct pair {
    struct side jit, interp;
    uint64_t ran; /* instructions, of one of them */
};

/* Time goes with the instructions, so that reading it shows a wrong count. */
static inline uint64_t pair_time(void *opaque)
{
    return cpu_count(((struct hart *)opaque)->c) / 2;
}

static inline void side_init(struct side *s, const char *engine, size_t code_size,
                             uint32_t max_insns)
{
    struct err e = {0};

    hart_init(&s->t);
    s->t.env.time = pair_time;
    struct accel_config config = {
        .guest = &guest_riscv64,
        .mem = s->t.mem,
        .ncpus = 4,
        .code_size = code_size,
        .max_insns = max_insns,
        .break_op = -1,
    };
    s->a = accel_new(engine, &config, &e);
    ck_assert_msg(s->a, "%s", e.msg);
}

/* 0: the engine's own sizes. */
static inline void pair_init(struct pair *p, size_t code_size, uint32_t max_insns)
{
    p->ran = 0;
    side_init(&p->jit, "jit", code_size, max_insns);
    side_init(&p->interp, "interp", 0, 0);
}

static inline void side_fini(struct side *s)
{
    accel_free(s->a);
    hart_fini(&s->t);
}

static inline void pair_fini(struct pair *p)
{
    side_fini(&p->jit);
    side_fini(&p->interp);
}

/* Does the same to both. */
#define PAIR_BOTH(p, s, ...)                                                                       \
    for (struct side *s = &(p)->jit; s; s = s == &(p)->jit ? &(p)->interp : NULL) {                \
        __VA_ARGS__;                                                                               \
    }

static inline void pair_write(struct pair *p, uint64_t paddr, const void *bytes, size_t len)
{
    PAIR_BOTH(p, s, ck_assert_int_eq(mem_dma_write(s->t.mem, paddr, bytes, len), 0));
}

static inline enum accel_stop side_run(struct side *s, int64_t n)
{
    struct cpu *c = s->t.c;

    c->count_end = (int64_t)cpu_count(c) + n;
    c->budget = n;
    return s->a->ops->run(s->a, c);
}

static inline bool same_registers(const struct side *a, const struct side *b)
{
    size_t first = offsetof(struct rv_cpu, x);
    const struct cpu *x = a->t.c, *y = b->t.c;

    return !memcmp((const char *)x + first, (const char *)y + first,
                   sizeof(struct rv_cpu) - first) &&
           x->pc == y->pc && cpu_count(x) == cpu_count(y) && x->fp_flags == y->fp_flags &&
           x->halted == y->halted && x->context == y->context && x->budget == y->budget;
}

static inline bool same_memory(const struct side *a, const struct side *b, uint64_t paddr,
                               uint64_t len)
{
    return !memcmp(mem_host(a->t.mem, paddr, len, false), mem_host(b->t.mem, paddr, len, false),
                   len);
}

static inline void show_differences(struct side *jit, struct side *interp)
{
    for (uint32_t i = 0; i < guest_riscv64.nregs; i++) {
        uint64_t got = guest_riscv64.reg_read(jit->t.c, i);
        uint64_t want = guest_riscv64.reg_read(interp->t.c, i);
        if (got != want)
            printf("#   %s: expected %#" PRIx64 ", got %#" PRIx64 "\n", guest_riscv64.regs[i].name,
                   want, got);
    }
    printf("#   count: expected %" PRIu64 ", got %" PRIu64 "; budget: %" PRId64 ", %" PRId64 "\n",
           cpu_count(interp->t.c), cpu_count(jit->t.c), interp->t.c->budget, jit->t.c->budget);
}

/* Runs both for n instructions; false if they differ then, which has been told. */
static inline bool pair_run(struct pair *p, int64_t n, enum accel_stop *stop)
{
    uint64_t from = p->jit.t.c->pc;
    enum accel_stop got = side_run(&p->jit, n), want = side_run(&p->interp, n);

    *stop = want;
    p->ran += (uint64_t)n;
    if (got == want && same_registers(&p->jit, &p->interp))
        return true;
    printf("# from %#" PRIx64 ", %" PRId64 " instructions: stop %d, expected %d\n", from, n, got,
           want);
    show_differences(&p->jit, &p->interp);
    struct buf out = BUF_INIT;
    p->jit.a->ops->explain(p->jit.a, p->jit.t.c, from, &out);
    printf("%s\n", out.data);
    buf_fini(&out);
    return false;
}

/* An engine's counter. */
struct pair_counter {
    const char *name;
    uint64_t value;
};

static inline void find_counter(void *opaque, const char *name, uint64_t value, const char *unit,
                                const char *doc)
{
    struct pair_counter *c = opaque;
    (void)unit, (void)doc;
    if (!strcmp(name, c->name))
        c->value = value;
}

static inline uint64_t pair_counter(struct pair *p, const char *name)
{
    struct pair_counter c = {name, 0};
    p->jit.a->ops->counters(p->jit.a, find_counter, &c);
    return c.value;
}

#endif
