/*
 * syscalls.c - QCatchSyscalls: system calls of the guest's users.
 *
 * A call is told at the first instruction of its handler, where GDB's word for it is
 * syscall_entry.  Its syscall_return is told before the user's next instruction, by a breakpoint
 * there: in the same address space and with the same stack pointer, so that another thread is not
 * taken for the caller.  A call that does not come back there (exit, exec) has no return.  Of more
 * than GDB_RETURNS calls under way the oldest is forgotten.
 *
 * GDB takes away what it catches at each stop, and puts it back before it goes on: calls under way
 * outlast that, unless the machine ran meanwhile.
 */
#include <errno.h>
#include <string.h>

#include "cpu/guest.h"
#include "gdbstub/session.h"

static void put_op(struct buf *code, enum dbg_agent_op op)
{
    buf_ch(code, (char)op);
}

/* Operands are big-endian. */
static void put_operand(struct buf *code, uint64_t v, unsigned bytes)
{
    while (bytes--)
        buf_ch(code, (char)(v >> (8 * bytes)));
}

/* Whether the register has the value. */
static void put_equal(struct buf *code, uint32_t reg, uint64_t value)
{
    put_op(code, DBG_AGENT_REG);
    put_operand(code, reg, 2);
    put_op(code, DBG_AGENT_CONST64);
    put_operand(code, value, 8);
    put_op(code, DBG_AGENT_EQUAL);
}

/* ";NUMBER;NUMBER...": a program that says whether it is one of these; none if there is no number.
 */
static bool parse_numbers(const struct guest *g, const char *p, struct buf *code)
{
    bool first = true;
    uint64_t v;

    for (; *p == ';'; first = false) {
        p++;
        if (!gdb_hex(&p, &v))
            return false;
        put_equal(code, g->regs[g->syscall_reg].gdb, v);
        if (!first)
            put_op(code, DBG_AGENT_BIT_OR);
    }
    return !*p;
}

/* Whether a list that parse_numbers has taken is of all calls, or has this one. */
static bool is_listed(const char *p, uint64_t number)
{
    uint64_t v = ~number;

    if (!*p)
        return true;
    while (*p++ == ';' && gdb_hex(&p, &v) && v != number)
        ;
    return v == number;
}

/* ---- calls under way ---- */

static void forget(struct gdb_session *s, unsigned i)
{
    dbg_points_delete(ctl_points(s->ctl), s->returns[i].point);
    s->nreturns--;
    memmove(s->returns + i, s->returns + i + 1, (s->nreturns - i) * sizeof *s->returns);
}

/* Those that were told are kept until the next call, for who asks again. */
static void forget_told(struct gdb_session *s)
{
    for (unsigned i = s->nreturns; i--;)
        if (!dbg_points_find(ctl_points(s->ctl), s->returns[i].point))
            forget(s, i);
}

static void set_disabled(struct gdb_session *s, struct dbg_point *x, bool disabled)
{
    x->disabled = disabled;
    dbg_points_changed(ctl_points(s->ctl), x);
}

static void suspend_returns(struct gdb_job *j)
{
    struct gdb_session *s = j->s;

    s->returns_at = machine_count(j->m);
    for (unsigned i = 0; i < s->nreturns; i++) {
        struct dbg_point *x = dbg_points_find(ctl_points(s->ctl), s->returns[i].point);

        if (x)
            set_disabled(s, x, true);
    }
}

/* Of the calls in a list. */
static void resume_returns(struct gdb_job *j, const char *numbers)
{
    struct gdb_session *s = j->s;

    forget_told(s);
    for (unsigned i = s->nreturns; i--;) {
        struct dbg_point *x = dbg_points_find(ctl_points(s->ctl), s->returns[i].point);

        if (!is_listed(numbers, s->returns[i].number) ||
            (x->disabled && machine_count(j->m) != s->returns_at))
            forget(s, i);
        else
            set_disabled(s, x, false);
    }
}

static void drop_catch(struct gdb_session *s)
{
    if (s->syscalls)
        dbg_points_delete(ctl_points(s->ctl), s->syscalls);
    s->syscalls = 0;
}

void gdb_drop_syscalls(struct gdb_session *s)
{
    while (s->nreturns)
        forget(s, s->nreturns - 1);
    drop_catch(s);
}

/* ---- entries ---- */

static void set_catch(struct gdb_job *j, const struct buf *code)
{
    const struct guest *g = j->c->guest;
    struct dbg_point x = {.kind = DBG_CATCH,
                          .event = CPU_EVENT_TRAP,
                          .first = g->syscall_cause,
                          .last = g->syscall_cause,
                          .owner = j->s->client};
    struct err e;

    if (code->len && dbg_agent_set(&x.cond, (const uint8_t *)code->data, code->len, g, &e)) {
        gdb_error(j->s, e.code, e.msg);
        return;
    }
    j->s->syscalls = dbg_points_add(ctl_points(j->s->ctl), &x);
    gdb_ok(j->s);
}

static void catch_some(struct gdb_job *j)
{
    struct buf code = BUF_INIT;
    const char *p = j->a.p + 1;

    drop_catch(j->s);
    if (!strcmp(j->a.p, "0")) {
        suspend_returns(j);
        gdb_ok(j->s);
    } else if (*j->a.p != '1' || !parse_numbers(j->c->guest, p, &code)) {
        gdb_drop_syscalls(j->s);
        gdb_error(j->s, EINVAL, "QCatchSyscalls: not like 1;NUMBER;NUMBER");
    } else {
        if (code.len)
            put_op(&code, DBG_AGENT_END);
        resume_returns(j, p);
        set_catch(j, &code);
    }
    buf_fini(&code);
}

void gdb_catch_syscalls(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, catch_some, a);
}

/* ---- returns ---- */

static bool is_waited_for(const struct gdb_session *s, const struct gdb_return *r)
{
    for (unsigned i = 0; i < s->nreturns; i++)
        if (s->returns[i].pc == r->pc && s->returns[i].sp == r->sp)
            return true;
    return false;
}

/* Once for each call, however often it is told. */
static void wait_for_return(struct gdb_job *j, uint64_t number)
{
    struct gdb_session *s = j->s;
    const struct guest *g = j->c->guest;
    uint32_t sp = (uint32_t)guest_find_reg(g, "sp");
    struct gdb_return r = {
        .number = number, .pc = g->syscall_return(j->c), .sp = g->reg_read(j->c, sp)};
    struct dbg_point x = {.kind = DBG_BREAK,
                          .addr = r.pc,
                          .temporary = true,
                          .one_space = true,
                          .space = j->c->tlb.space,
                          .owner = s->client};
    struct buf code = BUF_INIT;
    struct err e;

    forget_told(s);
    if (is_waited_for(s, &r))
        return;
    if (s->nreturns == GDB_RETURNS)
        forget(s, 0);
    put_equal(&code, g->regs[sp].gdb, r.sp);
    put_op(&code, DBG_AGENT_END);
    dbg_agent_set(&x.cond, (const uint8_t *)code.data, code.len, g, &e);
    buf_fini(&code);
    r.point = dbg_points_add(ctl_points(s->ctl), &x);
    s->returns[s->nreturns++] = r;
}

static bool put_return(struct gdb_session *s, unsigned point, struct buf *out)
{
    for (unsigned i = 0; i < s->nreturns; i++) {
        if (s->returns[i].point != point)
            continue;
        buf_fmt(out, "syscall_return:%llx;", (unsigned long long)s->returns[i].number);
        return true;
    }
    return false;
}

bool gdb_put_syscall(struct gdb_job *j, const struct dbg_hit *hit, struct buf *out)
{
    struct gdb_session *s = j->s;
    uint64_t number;

    for (unsigned i = 0; i < hit->npoints; i++) {
        if (put_return(s, hit->point[i], out))
            return true;
        if (!s->syscalls || hit->point[i] != s->syscalls)
            continue;
        number = j->c->guest->reg_read(j->c, j->c->guest->syscall_reg);
        wait_for_return(j, number);
        buf_fmt(out, "syscall_entry:%llx;", (unsigned long long)number);
        return true;
    }
    return false;
}
