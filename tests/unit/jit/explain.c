/* explain.c - what engines tell people of the units that they make: when, of what, and as what. */
#include <stdio.h>
#include <string.h>

#include "jit/jit.h"
#include "pair.h"
#include "tests/unit/accel/rvasm.h"

#define DATA  (RAM + 0x40000)
#define INNER (RAM + 4 * 5)

/* A loop in a loop that loads, stores and calls a helper. */
static void load_loops(struct pair *p)
{
    struct rvasm a = {0};

    rv_ram(&a, A0, DATA - RAM);
    while (rv_here(&a) < 4)
        rv_addi(&a, A1, ZERO, 0);
    unsigned outer = rv_here(&a);
    rv_addi(&a, A2, ZERO, 7);
    ck_assert_uint_eq(RAM + 4 * rv_here(&a), INNER);
    unsigned inner = rv_here(&a);
    rv_sd(&a, A1, A0, 8);
    rv_ld(&a, A3, A0, 8);
    rv_addi(&a, A2, A2, -1);
    rv_branch(&a, RV_BNE, A2, ZERO, inner);
    rv_word(&a, 0xc0002373); /* csrr t1, cycle */
    rv_jump(&a, outer);
    pair_write(p, RAM, a.code, a.n * 4);
}

/* What was told of, and the text of the unit at INNER. */
struct told {
    struct accel *a;
    struct cpu *c;
    unsigned n;
    struct buf text;
};

static void tell(void *opaque, struct cpu *c, const struct accel_unit *k)
{
    struct told *t = opaque;

    ck_assert(!c || c == t->c);
    ck_assert_uint_eq(k->pc, k->paddr);
    ck_assert_uint_eq(k->bytes, 4 * k->ninsns);
    t->n++;
    if (k->pc != INNER)
        return;
    buf_reset(&t->text);
    t->a->ops->show(t->a, t->c, k, &t->text);
}

static void tell_made(void *opaque, struct cpu *c, enum cpu_unit_event what,
                      const struct accel_unit *k)
{
    ck_assert_int_eq(what, CPU_UNIT_MADE);
    tell(opaque, c, k);
}

static struct accel_watcher watcher(struct told *t)
{
    return (struct accel_watcher){.told = tell_made, .opaque = t};
}

static struct told told_of(struct side *s)
{
    return (struct told){.a = s->a, .c = s->t.c, .text = BUF_INIT};
}

static void has(const struct told *t, const char *text)
{
    ck_assert_msg(strstr(t->text.data, text), "\"%s\" is not in:\n%s", text, t->text.data);
}

static void run(struct pair *p, int64_t n)
{
    enum accel_stop stop;

    ck_assert(pair_run(p, n, &stop));
}

static void check_guest_code(const struct told *t)
{
    has(t, "Guest code, 4 instructions in 16 bytes:\n  0000000080000014  sd a1,8(a0)");
    has(t, "bne a2,zero,0x80000014\nIR as");
    has(t, "insn 0x80000014 4");
    has(t, "exit_pc 0x80000014");
}

START_TEST(when_made)
{
    struct pair p;

    pair_init(&p, 0, 0);
    load_loops(&p);
    PAIR_BOTH(&p, s, {
        struct told t = told_of(s);
        struct accel_watcher w = watcher(&t);
        accel_watch(s->a, &w);
        side_run(s, 1000);
        ck_assert_uint_ge(t.n, 3);
        check_guest_code(&t);
        accel_unwatch(s->a, &w);
        s->a->ops->flush(s->a);
        unsigned before = t.n;
        side_run(s, 1000);
        ck_assert_uint_eq(t.n, before);
        buf_fini(&t.text);
    });
    pair_fini(&p);
}
END_TEST

START_TEST(several_watchers)
{
    struct pair p;

    pair_init(&p, 0, 0);
    load_loops(&p);
    PAIR_BOTH(&p, s, {
        struct told t[3] = {told_of(s), told_of(s), told_of(s)};
        struct accel_watcher w[3];
        for (unsigned i = 0; i < 3; i++) {
            w[i] = watcher(&t[i]);
            accel_watch(s->a, &w[i]);
        }
        side_run(s, 1000);
        accel_unwatch(s->a, &w[1]);
        s->a->ops->flush(s->a);
        side_run(s, 1000);
        ck_assert_uint_ge(t[1].n, 3);
        ck_assert(t[0].n > t[1].n && t[0].n == t[2].n);
        accel_unwatch(s->a, &w[0]);
        accel_unwatch(s->a, &w[2]);
        ck_assert_ptr_null(s->a->watchers);
        for (unsigned i = 0; i < 3; i++)
            buf_fini(&t[i].text);
    });
    pair_fini(&p);
}
END_TEST

START_TEST(each_once)
{
    struct pair p;
    struct told t, again;

    pair_init(&p, 0, 0);
    load_loops(&p);
    t = told_of(&p.jit);
    struct accel_watcher w = watcher(&t);
    accel_watch(p.jit.a, &w);
    run(&p, 5000);
    ck_assert_uint_eq(t.n, pair_counter(&p, "jit.translated"));
    again = told_of(&p.jit);
    p.jit.a->ops->units(p.jit.a, tell, &again);
    ck_assert_uint_eq(again.n, pair_counter(&p, "jit.blocks"));
    buf_fini(&t.text);
    buf_fini(&again.text);
    pair_fini(&p);
}
END_TEST

/* The text does not depend on what the CPU is and maps by then. */
START_TEST(those_there_are)
{
    struct pair p;

    pair_init(&p, 0, 0);
    load_loops(&p);
    PAIR_BOTH(&p, s, {
        struct told t = told_of(s), other = told_of(s);
        side_run(s, 1000);
        s->a->ops->units(s->a, tell, &t);
        check_guest_code(&t);
        uint32_t context = s->t.c->context;
        s->t.c->context ^= 1u << RV_CTX_DATA_SHIFT;
        s->a->ops->units(s->a, tell, &other);
        ck_assert_uint_eq(s->t.c->context, context ^ 1u << RV_CTX_DATA_SHIFT);
        s->t.c->context = context;
        ck_assert_str_eq(t.text.data, other.text.data);
        buf_fini(&t.text);
        buf_fini(&other.text);
    });
    pair_fini(&p);
}
END_TEST

/* Every jump leads to an offset in the block or to something with a name. */
static unsigned jumps_in(const char *text, unsigned size)
{
    unsigned n = 0, at, to;
    char word[16], where[80];

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line++;
        if (sscanf(line, "  %x  %15s %79[^\n]", &at, word, where) != 3 || *word != 'j')
            continue;
        n++;
        ck_assert_uint_lt(at, size);
        if (*where != '<')
            ck_assert_msg(sscanf(where, "%x", &to) == 1 && to < size, "%s %s", word, where);
    }
    return n;
}

START_TEST(host_code)
{
    struct pair p;
    struct told t;
    unsigned size;

    pair_init(&p, 0, 0);
    load_loops(&p);
    t = told_of(&p.jit);
    struct accel_watcher w = watcher(&t);
    accel_watch(p.jit.a, &w);
    run(&p, 1000);
    const char *code = strstr(t.text.data, "Host code, ");
    ck_assert(code && sscanf(code, "Host code, %u", &size) == 1);
    ck_assert_uint_ge(jumps_in(code, size), 4);
    has(&t, "<exit to 0x80000024>");
    ck_assert_ptr_null(strstr(code, "<exit to 0x80000014>")); /* a jump within the block */
    has(&t, "<access of 0x80000018>");
    has(&t, "<STUB_LEFT_GOTO>");
    /* Linked to the block behind it. */
    p.jit.a->ops->units(p.jit.a, tell, &t);
    has(&t, "<block 0x80000024>");
    buf_fini(&t.text);
    pair_fini(&p);
}
END_TEST

UNIT_MAIN("jit/explain", when_made, several_watchers, each_once, those_there_are, host_code)
