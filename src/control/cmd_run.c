/* cmd_run.c - commands that let the machine run, and those that stop it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

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

int cmd_go(struct cmd_session *s, uint64_t until, struct buf *out, struct err *e)
{
    struct ctl_stop stop;
    uint64_t over;

    cmd_on_machine(s, ended, 0, NULL, out, e, &over);
    if (over)
        return err_set(e, EPERM, "the guest has ended its machine; reset starts it again");
    ctl_run(s->ctl, &(struct ctl_go){.until = until});
    if (s->wait ? !s->wait(s->wait_opaque, &stop) : !ctl_wait(s->ctl, -1, &stop))
        return 0;
    s->last_stop = stop;
    s->stopped = true;
    cmd_describe_stop(s, &stop, out);
    return 0;
}

static int count(struct cmd_job *j)
{
    j->value = machine_count(j->m);
    return 0;
}

int cmd_continue(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    (void)argc, (void)argv;
    return cmd_go(s, UINT64_MAX, out, e);
}

int cmd_step(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    uint64_t n = 1, now;

    if (argc > 1 && cmd_number(argv[1], &n, e))
        return -EINVAL;
    if (!n)
        return err_set(e, EINVAL, "0 is no number of instructions");
    cmd_on_machine(s, count, 0, NULL, out, e, &now);
    return cmd_go(s, now + n < now ? UINT64_MAX : now + n, out, e);
}

int cmd_until(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    uint64_t n, now;

    (void)argc;
    if (cmd_number(argv[1], &n, e))
        return -EINVAL;
    cmd_on_machine(s, count, 0, NULL, out, e, &now);
    if (n < now)
        return err_set(e, EINVAL, "%" PRIu64 " is past: the count is %" PRIu64, n, now);
    return cmd_go(s, n, out, e);
}

static int reset(struct cmd_job *j)
{
    return machine_reset(j->m, j->e);
}

int cmd_reset(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    s->disas_again = false;
    s->stopped = false;
    s->cpu = 0;
    int rc = cmd_on_machine(s, reset, argc, argv, out, e, NULL);
    return rc ? rc : cmd_on_machine(s, show_pc, argc, argv, out, e, NULL);
}
