/* cmd_run.c - commands that let the machine run, and those that stop it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "control/cmd_impl.h"

/* ---- stops, for people ---- */

/* What became of a block of code, and why. */
static void unit_reason(const struct dbg_unit *u, struct buf *out)
{
    buf_fmt(out, ": code %s: 0x%" PRIx64 "-0x%" PRIx64 ", %u bytes, %u instruction%s, ",
            dbg_unit_event_name(u->what), u->pc, u->pc + u->bytes - 1, u->bytes, u->ninsns,
            u->ninsns == 1 ? "" : "s");
    if (u->what == CPU_UNIT_MADE)
        buf_str(out, "to run now");
    else if (u->what == CPU_UNIT_EVICTED)
        buf_str(out, "as its memory is needed");
    else if (u->by_device)
        buf_str(out, "as a device wrote it");
    else
        buf_fmt(out, "written by 0x%" PRIx64, u->by);
    if (u->n > 1)
        buf_fmt(out, "; and %u more", u->n - 1);
}

/* What was hit. */
static void break_reason(const struct dbg_hit *h, struct buf *out)
{
    bool caught = h->caught || h->ran || h->unit.n;

    buf_str(out, h->touch.size ? "watchpoint" : caught ? "catchpoint" : "breakpoint");
    buf_str(out, h->npoints == 1 ? "" : "s");
    for (unsigned i = 0; i < h->npoints; i++)
        buf_fmt(out, "%s %u", i ? "," : "", h->point[i]);
    if (h->touch.size)
        buf_fmt(out, ": %s of %u bytes at 0x%" PRIx64 ", which held 0x%" PRIx64,
                h->touch.device  ? "a device's write"
                : h->touch.write ? "a write"
                                 : "a read", h->touch.size, h->touch.vaddr, h->old);
    else if (h->caught)
        buf_fmt(out, ": %s 0x%" PRIx64, dbg_event_name(h->event), h->a);
    else if (h->ran)
        buf_fmt(out, ": code in 0x%" PRIx64 "-0x%" PRIx64 " is about to run", h->code.first,
                h->code.last);
    else if (h->unit.n)
        unit_reason(&h->unit, out);
}

static void stop_reason(const struct ctl_stop *s, struct buf *out)
{
    switch (s->why) {
    case MACHINE_COUNT:
        buf_str(out, "stopped");
        break;
    case MACHINE_BREAK:
        break_reason(&s->hit, out);
        break;
    case MACHINE_INTERRUPTED:
        buf_str(out, "paused");
        break;
    case MACHINE_IDLE:
        buf_str(out, "every CPU waits, and nothing will ever wake one");
        break;
    case MACHINE_ENDED:
        if (s->end == BOARD_FAILED)
            buf_fmt(out, "the guest ended with failure %u", s->code);
        else
            buf_str(out, s->end == BOARD_REBOOT ? "the guest asked for a reboot"
                                                : "the guest powered off");
        break;
    }
}

static unsigned mark(void *opaque, uint64_t addr)
{
    const struct cmd_job *j = opaque;
    bool at = dbg_points_at(ctl_points(j->s->ctl), addr, NULL);

    return DBG_MARK_PC | (at ? DBG_MARK_BREAK : 0u);
}

static int show_pc(struct cmd_job *j)
{
    struct buf place = BUF_INIT;

    cmd_place(j, j->c->pc, &place);
    if (place.len)
        buf_fmt(j->out, "%s\n", place.data);
    buf_fini(&place);
    dbg_disas_lines(j->s->disas, j->c, j->c->pc, 1, mark, j, j->out);
    return 0;
}

void cmd_describe_stop(struct cmd_session *s, const struct ctl_stop *stop, struct buf *out)
{
    stop_reason(stop, out);
    buf_fmt(out, ", CPU %u, count %" PRIu64 "\n", stop->cpu, stop->count);
    s->cpu = stop->cpu;
    s->disas_again = false;
    cmd_on_machine(s, show_pc, 0, NULL, out, NULL, NULL);
}

/* ---- running ---- */

static int ended(struct cmd_job *j)
{
    unsigned code;

    j->value = machine_end(j->m, &code) != BOARD_RUNNING;
    return 0;
}

/* Lets the machine run, waits, and tells of the stop. */
static int run(struct cmd_session *s, const struct ctl_go *go, struct buf *out, struct err *e)
{
    struct ctl_stop stop;
    uint64_t over;

    cmd_on_machine(s, ended, 0, NULL, out, e, &over);
    if (over)
        return err_set(e, EPERM, "the guest has ended its machine; reset starts it again");
    ctl_run(s->ctl, go);
    if (s->wait ? !s->wait(s->wait_opaque, &stop) : !ctl_wait(s->ctl, -1, &stop))
        return 0;
    s->last_stop = stop;
    s->stopped = true;
    cmd_describe_stop(s, &stop, out);
    return 0;
}

static int run_to_count(struct cmd_session *s, uint64_t until, struct buf *out, struct err *e)
{
    return run(s, &(struct ctl_go){.until = until}, out, e);
}

static int count(struct cmd_job *j)
{
    j->value = machine_count(j->m);
    return 0;
}

int cmd_continue(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    (void)argc, (void)argv;
    return run_to_count(s, UINT64_MAX, out, e);
}

/* [N]: how often; 1 if nobody says. */
static int times(int argc, char **argv, uint64_t *n, struct err *e)
{
    *n = 1;
    if (argc > 1 && cmd_number(argv[1], n, e))
        return -EINVAL;
    return *n ? 0 : err_set(e, EINVAL, "0 times is not at all");
}

int cmd_step(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    uint64_t n, now;

    if (times(argc, argv, &n, e))
        return -EINVAL;
    cmd_on_machine(s, count, 0, NULL, out, e, &now);
    return run_to_count(s, now + n < now ? UINT64_MAX : now + n, out, e);
}

/* ---- to somewhere ---- */

/* Runs by the plan that the job makes of the line. */
static int run_plan(struct cmd_session *s, int (*make)(struct cmd_job *j), int argc, char **argv,
                    struct buf *out, struct err *e)
{
    struct ctl_go go = CTL_GO;
    int rc;

    s->plan = (struct dbg_plan){.cpu = s->cpu};
    rc = cmd_on_machine(s, make, argc, argv, out, e, NULL);
    go.plan = s->plan;
    return rc ? rc : run(s, &go, out, e);
}

static int plan_next(struct cmd_job *j)
{
    j->s->plan.kind = DBG_PLAN_OVER;
    return times(j->argc, j->argv, &j->s->plan.times, j->e);
}

int cmd_next(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return run_plan(s, plan_next, argc, argv, out, e);
}

static int plan_line(struct cmd_job *j, enum dbg_plan_kind kind)
{
    struct dbg_line l;

    if (!dbg_symbols_line(ctl_symbols(j->s->ctl), j->c->pc, &l))
        return err_set(j->e, ENOENT,
                       "no line is known for 0x%" PRIx64 "; step and next go by instructions",
                       j->c->pc);
    j->s->plan.kind = kind;
    return times(j->argc, j->argv, &j->s->plan.times, j->e);
}

static int plan_stepline(struct cmd_job *j)
{
    return plan_line(j, DBG_PLAN_LINE);
}

static int plan_nextline(struct cmd_job *j)
{
    return plan_line(j, DBG_PLAN_LINE_OVER);
}

int cmd_stepline(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return run_plan(s, plan_stepline, argc, argv, out, e);
}

int cmd_nextline(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return run_plan(s, plan_nextline, argc, argv, out, e);
}

static int plan_finish(struct cmd_job *j)
{
    cmd_symbol_at(j, j->c->pc);
    return dbg_plan_out(j->c, ctl_symbols(j->s->ctl), &j->s->plan, j->e);
}

int cmd_finish(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return run_plan(s, plan_finish, argc, argv, out, e);
}

static int add_place(struct cmd_job *j, uint64_t addr, bool physical)
{
    struct dbg_plan *plan = &j->s->plan;

    if (addr & 1)
        return err_set(j->e, EINVAL, "0x%" PRIx64 ": instructions have even addresses", addr);
    if (plan->nplaces == DBG_PLAN_PLACES)
        return err_set(j->e, E2BIG, "%s: that is at more than %d places", j->argv[1],
                       DBG_PLAN_PLACES);
    plan->places[plan->nplaces++] = (struct dbg_place){.addr = addr, .physical = physical};
    return 0;
}

static int plan_until(struct cmd_job *j)
{
    char *text = cmd_words_join(j, 1, j->argc);
    struct cmd_where w;
    int rc = cmd_where(j, text, &w);

    j->s->plan.kind = DBG_PLAN_TO;
    for (size_t i = 0; i < w.addrs.len && !rc; i++)
        rc = add_place(j, w.addrs.data[i], w.physical);
    vec_fini(&w.addrs);
    free(text);
    return rc;
}

/* A plain number is a count. */
int cmd_until(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    uint64_t n, now;

    if (argc > 2 || cmd_number(argv[1], &n, NULL))
        return run_plan(s, plan_until, argc, argv, out, e);
    cmd_on_machine(s, count, 0, NULL, out, e, &now);
    if (n < now)
        return err_set(e, EINVAL, "%" PRIu64 " is past: the count is %" PRIu64, n, now);
    return run_to_count(s, n, out, e);
}

/* ---- against the runs of others ---- */

int cmd_hold(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    (void)argc, (void)argv, (void)out, (void)e;
    ctl_hold(s->ctl, s->client, true);
    return 0;
}

int cmd_release(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    (void)argc, (void)argv, (void)out, (void)e;
    ctl_hold(s->ctl, s->client, false);
    return 0;
}

int cmd_reset(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    s->disas_again = false;
    s->stopped = false;
    s->cpu = 0;
    int rc = ctl_reset(s->ctl, e);
    return rc ? rc : cmd_on_machine(s, show_pc, argc, argv, out, e, NULL);
}
