/*
 * resume.c - running, stopping, and telling of stops.
 *
 * All-stop: when the machine stops, all its CPUs do.  Non-stop: the CPU that hit something
 * stops, and is frozen while the others run on (session.stopped); each stop is a notification,
 * and vStopped fetches the rest.  The machine is at rest when all of them are stopped.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "gdbstub/session.h"

enum { SIG_NONE = 0, SIG_INT = 2, SIG_TRAP = 5 }; /* GDB's numbers */

#define TEXT_CHUNK 4096u /* bytes of an O packet */

static uint32_t all_cpus(const struct gdb_session *s)
{
    return (uint32_t)bits_mask(s->ncpus);
}

/* ---- stop replies ---- */

static const struct gdb_point *point_of(const struct gdb_session *s, const struct dbg_hit *h)
{
    const struct gdb_point *z = NULL;

    for (unsigned i = 0; i < h->npoints && !z; i++)
        z = gdb_point_of(s, h->point[i]);
    return z;
}

/* Why, where the client knows the word for it. */
static void put_reason(struct gdb_job *j, const struct ctl_stop *stop, struct buf *out)
{
    static const char *const watch[] = {"?", "?", "watch", "rwatch", "awatch"};
    const struct gdb_session *s = j->s;
    const struct gdb_point *z = stop->why == MACHINE_BREAK ? point_of(s, &stop->hit) : NULL;

    if (stop->why == MACHINE_BREAK && gdb_put_syscall(j, &stop->hit, out))
        return;
    if (!z)
        return;
    if (z->type >= 2)
        buf_fmt(out, "%s:%llx;", watch[z->type], (unsigned long long)stop->hit.touch.vaddr);
    else if (z->type == 0 && s->swbreak)
        buf_str(out, "swbreak:;");
    else if (z->type == 1 && s->hwbreak)
        buf_str(out, "hwbreak:;");
}

/* For LLDB: all threads, and where they are. */
static void put_threads(const struct gdb_job *j, struct buf *out)
{
    if (!j->s->list_threads)
        return;
    buf_str(out, "threads:");
    for (unsigned i = 0; i < j->s->ncpus; i++) {
        if (i)
            buf_ch(out, ',');
        gdb_put_thread(j->s, i, out);
    }
    buf_str(out, ";thread-pcs:");
    for (unsigned i = 0; i < j->s->ncpus; i++)
        buf_fmt(out, i ? ",%llx" : "%llx", (unsigned long long)machine_cpu(j->m, i)->pc);
    buf_ch(out, ';');
}

unsigned gdb_signal(const struct ctl_stop *stop)
{
    switch (stop->why) {
    case MACHINE_BREAK:
    case MACHINE_COUNT:
        return SIG_TRAP;
    case MACHINE_INTERRUPTED:
        return SIG_INT;
    default:
        return SIG_NONE;
    }
}

struct stop_job {
    const struct ctl_stop *stop;
    struct buf *out;
    unsigned signal;
};

static void put_stop(struct gdb_job *j)
{
    const struct stop_job *k = (const void *)j->a.p;
    unsigned cpu = k->stop->cpu;

    j->c = machine_cpu(j->m, cpu);
    buf_fmt(k->out, "T%02xthread:", k->signal);
    gdb_put_thread(j->s, cpu, k->out);
    buf_fmt(k->out, ";core:%x;", cpu);
    put_reason(j, k->stop, k->out);
    put_threads(j, k->out);
    gdb_expedite(j, k->out);
}

/* The end of the guest is the exit of a process. */
void gdb_describe(struct gdb_session *s, const struct ctl_stop *stop, unsigned signal,
                  struct buf *out)
{
    struct stop_job k = {stop, out, signal};

    if (stop->why != MACHINE_ENDED) {
        gdb_on_machine(s, put_stop, (struct gdb_args){(const void *)&k, 0});
        return;
    }
    s->gone = s->extended;
    buf_fmt(out, "W%02x", stop->end == BOARD_FAILED ? stop->code & 0xff : 0);
    if (s->multiprocess)
        buf_fmt(out, ";process:%x", GDB_PROCESS);
}

/* For the person; GDB takes it in while it waits for a stop. */
static void put_text(struct gdb_session *s, const struct buf *text)
{
    struct buf packet = BUF_INIT;

    for (size_t at = 0, n; at < text->len; at += n) {
        n = text->len - at < TEXT_CHUNK ? text->len - at : TEXT_CHUNK;
        buf_reset(&packet);
        buf_ch(&packet, 'O');
        gdb_put_hex(&packet, text->data + at, n);
        if (s->waiting)
            gdb_wire_send(&s->wire, &packet);
        else
            log_info(s->config->log, "gdb: %.*s", (int)(n - (text->data[at + n - 1] == '\n')),
                     text->data + at);
    }
    buf_fini(&packet);
}

/* What commands of points printed. */
static void pass_text(struct gdb_session *s)
{
    struct buf text = BUF_INIT;

    ctl_client_text(s->client, &text);
    put_text(s, &text);
    buf_fini(&text);
}

/* Whether what was asked for waits for others; the person is told. */
static bool is_held(struct gdb_session *s)
{
    struct buf text = BUF_INIT;
    bool held = ctl_held(s->ctl, &text);

    put_text(s, &text);
    buf_fini(&text);
    return held;
}

/* ---- all-stop ---- */

static void tell_stop(struct gdb_session *s, const struct ctl_stop *stop)
{
    struct buf reply = BUF_INIT;

    pass_text(s);
    s->stop = *stop;
    s->waiting = false;
    s->unseen = true;
    s->g_cpu = s->c_cpu = stop->cpu;
    gdb_describe(s, stop, gdb_signal(stop), &reply);
    gdb_wire_send(&s->wire, &reply);
    buf_fini(&reply);
}

static void stopped_all(struct gdb_session *s)
{
    struct ctl_stop stop;

    if (ctl_wait(s->ctl, 0, &stop))
        tell_stop(s, &stop);
}

static void go(struct gdb_session *s, const struct ctl_go *how)
{
    struct ctl_go go = *how;
    struct ctl_stop stop;

    go.owner = s->client;
    s->waiting = true;
    s->no_reply = true;
    if (!go.step)
        ctl_run(s->ctl, &go);
    else if (ctl_step(s->ctl, &go, &stop))
        tell_stop(s, &stop);
    if (s->waiting)
        is_held(s);
}

/* The other CPUs wait meanwhile. */
static struct ctl_go step_of(const struct gdb_session *s, unsigned cpu, uint64_t from, uint64_t to)
{
    return (struct ctl_go){.until = UINT64_MAX,
                           .frozen = ~(uint32_t)BIT(cpu),
                           .step = true,
                           .hold = s->no_irq,
                           .cpu = cpu,
                           .from = from,
                           .to = to,
                           .owner = s->client};
}

/* ---- non-stop ---- */

/* The lowest CPU of a set. */
static unsigned first_of(uint32_t cpus)
{
    return (unsigned)__builtin_ctz(cpus);
}

/* Tells of one stop, if none is out; the client fetches the others. */
static void notify(struct gdb_session *s)
{
    uint32_t news = s->stopped & ~s->told;
    struct buf text = BUF_INIT;

    if (s->telling || !news)
        return;
    buf_str(&text, "Stop:");
    gdb_describe(s, &s->stops[first_of(news)], gdb_signal(&s->stops[first_of(news)]), &text);
    s->told |= (uint32_t)BIT(first_of(news));
    s->telling = true;
    gdb_wire_notify(&s->wire, &text);
    buf_fini(&text);
}

static void send_reply(struct gdb_session *s)
{
    gdb_wire_send(&s->wire, &s->reply);
    s->no_reply = true;
}

static void stop_one(struct gdb_session *s, unsigned cpu, const struct ctl_stop *stop)
{
    if (s->stopped >> cpu & 1)
        return;
    s->stops[cpu] = *stop;
    s->stops[cpu].cpu = cpu;
    s->stopped |= (uint32_t)BIT(cpu);
    s->told &= ~(uint32_t)BIT(cpu);
    s->steps &= ~(uint32_t)BIT(cpu);
}

/* The client knows that all are stopped, for no reason. */
static void stop_silently(struct gdb_session *s)
{
    for (unsigned i = 0; i < s->ncpus; i++)
        s->stops[i] = (struct ctl_stop){.why = MACHINE_IDLE, .cpu = i};
    s->stopped = s->told = all_cpus(s);
    s->steps = 0;
}

/* A stop of all.  The end is the process's, and told once. */
static void stop_all(struct gdb_session *s, const struct ctl_stop *stop)
{
    for (unsigned i = 0; i < s->ncpus; i++)
        stop_one(s, i, stop);
    if (stop->why == MACHINE_ENDED) {
        stop_silently(s);
        s->stops[0] = *stop;
        s->told &= ~UINT32_C(1);
    }
}

/* A step of one CPU is done while all others wait: they lose no time by it.  False: it waits for
 * clients that hold the machine. */
static bool step_some(struct gdb_session *s, unsigned cpu)
{
    struct ctl_go step = step_of(s, cpu, s->step_ranges[cpu].start, s->step_ranges[cpu].end);
    struct ctl_stop stop;

    if (!ctl_step(s->ctl, &step, &stop)) {
        if (is_held(s))
            return false;
        /* It may wait for an interrupt, perhaps for ever. */
        if (!ctl_wait(s->ctl, 1000, &stop)) {
            ctl_client_pause(s->client);
            ctl_wait(s->ctl, -1, &stop);
            if (stop.why == MACHINE_INTERRUPTED) {
                s->steps &= ~(uint32_t)BIT(cpu);
                return true;
            }
        }
    }
    stop_one(s, cpu, &stop);
    return true;
}

/* Those that are not stopped run, behind the steps of those that are to be stepped. */
static void run_others(struct gdb_session *s)
{
    while (s->steps)
        if (!step_some(s, first_of(s->steps)))
            return;
    if (s->stopped == all_cpus(s))
        return;
    ctl_run(s->ctl,
            &(struct ctl_go){.until = UINT64_MAX, .frozen = s->stopped, .owner = s->client});
    is_held(s);
}

static void stopped_some(struct gdb_session *s)
{
    struct ctl_stop stop;

    if (!ctl_wait(s->ctl, 0, &stop) || s->stopped == all_cpus(s))
        return;
    s->stop = stop;
    if (stop.why == MACHINE_BREAK || stop.stepped)
        stop_one(s, stop.cpu, &stop);
    else /* somebody else stopped it, or it ended */
        stop_all(s, &stop);
    run_others(s);
    notify(s);
}

void gdb_session_news(struct gdb_session *s)
{
    ctl_client_ack(s->client);
    pass_text(s);
    if (s->non_stop)
        stopped_some(s);
    else if (s->waiting)
        stopped_all(s);
}

void gdb_vstopped(struct gdb_session *s, struct gdb_args a)
{
    uint32_t news = s->stopped & ~s->told;

    (void)a;
    if (!news || s->first) {
        s->telling = s->first = false;
        gdb_ok(s);
        send_reply(s); /* before any notification */
        notify(s);
        return;
    }
    gdb_describe(s, &s->stops[first_of(news)], gdb_signal(&s->stops[first_of(news)]), &s->reply);
    s->told |= (uint32_t)BIT(first_of(news));
}

void gdb_non_stop(struct gdb_session *s, struct gdb_args a)
{
    s->non_stop = *a.p == '1';
    s->telling = false;
    stop_silently(s);
    gdb_ok(s);
}

/* ---- what the client asks for ---- */

void gdb_why(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    if (s->non_stop) { /* the first of them all.  The others are notifications: GDB 13 has an assertion
                          that fails if a reply to ? is followed by more than one */
        s->told = 0;
        s->first = s->stopped;
        if (!s->stopped) {
            gdb_ok(s);
            return;
        }
        s->told = (uint32_t)BIT(first_of(s->stopped));
        s->telling = true;
        gdb_describe(s, &s->stops[first_of(s->stopped)], SIG_NONE, &s->reply);
        return;
    }
    ctl_wait(s->ctl, 0, &s->stop);
    gdb_describe(s, &s->stop, gdb_signal(&s->stop) == SIG_NONE ? SIG_NONE : SIG_TRAP, &s->reply);
}

static void set_pc(struct gdb_job *j)
{
    const struct guest *g = j->c->guest;
    uint64_t pc;

    j->c = machine_cpu(j->m, j->s->c_cpu);
    if (!gdb_hex(&j->a.p, &pc) || *j->a.p)
        gdb_error(j->s, EINVAL, "where to go on is not an address");
    else
        g->reg_write(j->c, g->names.pc_slot, pc);
}

/* To a pc to go on at, if there is one.  False, and an error is sent: that cannot be. */
static bool jump(struct gdb_session *s, struct gdb_args a)
{
    if (*a.p && s->denied & GDB_WRITE_REG)
        gdb_error(s, EPERM, GDB_DENIED);
    else if (*a.p)
        gdb_on_machine(s, set_pc, a);
    return !s->reply.len;
}

/* c and s, with a pc to go on at, perhaps. */
void gdb_c(struct gdb_session *s, struct gdb_args a)
{
    if (jump(s, a))
        go(s, &CTL_GO);
}

void gdb_s(struct gdb_session *s, struct gdb_args a)
{
    struct ctl_go step = step_of(s, s->c_cpu, 0, 0);

    if (jump(s, a))
        go(s, &step);
}

/* The guest has no use for signals: "SIGNAL[;PC]". */
static struct gdb_args without_signal(struct gdb_args a)
{
    const char *semicolon = memchr(a.p, ';', a.len);

    return semicolon ? (struct gdb_args){semicolon + 1, a.len - (size_t)(semicolon + 1 - a.p)}
                     : (struct gdb_args){"", 0};
}

void gdb_C(struct gdb_session *s, struct gdb_args a)
{
    gdb_c(s, without_signal(a));
}

void gdb_S(struct gdb_session *s, struct gdb_args a)
{
    gdb_s(s, without_signal(a));
}

void gdb_vcont_ask(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    buf_str(&s->reply, "vCont;c;C;s;S;t;r");
}

/* One action of vCont. */
struct action {
    char what; /* c, s, t, r */
    uint64_t from, to;
    int cpu; /* or GDB_ALL */
};

static bool parse_action(const struct gdb_session *s, const char **p, struct action *x)
{
    uint64_t signal;

    *x = (struct action){.what = *(*p)++, .cpu = GDB_ALL};
    switch (x->what) {
    case 'C':
    case 'S':
        x->what |= 0x20;
        if (!gdb_hex(p, &signal))
            return false;
        break;
    case 'r':
        if (!gdb_hex_then(p, ',', &x->from) || !gdb_hex(p, &x->to))
            return false;
        break;
    case 'c':
    case 's':
    case 't':
        break;
    default:
        return false;
    }
    if (**p == ':' && (++*p, !gdb_thread(s, p, &x->cpu)))
        return false;
    return !**p || *(*p)++ == ';';
}

/* The first action that names a CPU is what it does. */
static void note_action(const struct gdb_session *s, const struct action *x,
                        struct action per_cpu[32])
{
    for (unsigned i = 0; i < s->ncpus; i++)
        if (!per_cpu[i].what && (x->cpu == GDB_ALL || x->cpu == (int)i))
            per_cpu[i] = *x;
}

/* All-stop: those that are to, run, and one of those that are to make a step does. */
static void resume_all(struct gdb_session *s, const struct action *x)
{
    struct ctl_go run = CTL_GO;
    uint32_t runs = 0;

    for (unsigned i = 0; i < s->ncpus; i++) {
        if (x[i].what == 'c')
            runs |= (uint32_t)BIT(i);
        else if (!run.step && (x[i].what == 's' || x[i].what == 'r'))
            run = step_of(s, i, x[i].from, x[i].to);
    }
    if (run.step)
        run.frozen &= ~runs;
    else if (runs)
        run.frozen = ~runs;
    go(s, &run);
}

/* The machine comes to rest, and what it told meanwhile is taken in. */
static void rest(struct gdb_session *s)
{
    struct ctl_stop stop;

    if (s->stopped == all_cpus(s))
        return;
    ctl_client_pause(s->client);
    ctl_wait(s->ctl, -1, &stop);
    if (stop.why == MACHINE_BREAK || stop.stepped)
        stop_one(s, stop.cpu, &stop);
    else if (stop.why != MACHINE_INTERRUPTED)
        stop_all(s, &stop);
}

static void want_step(struct gdb_session *s, unsigned cpu, const struct action *x)
{
    s->stopped &= ~(uint32_t)BIT(cpu);
    s->steps |= (uint32_t)BIT(cpu);
    s->step_ranges[cpu] = (struct gdb_range){x->from, x->to};
}

static void resume_some(struct gdb_session *s, const struct action *x)
{
    struct ctl_stop none = {.why = MACHINE_IDLE};

    rest(s);
    for (unsigned i = 0; i < s->ncpus; i++) {
        bool is_stopped = s->stopped >> i & 1;

        if (x[i].what == 't')
            stop_one(s, i, &none);
        else if (x[i].what == 'c' && is_stopped)
            s->stopped &= ~(uint32_t)BIT(i);
        else if (x[i].what && is_stopped)
            want_step(s, i, &x[i]);
    }
    run_others(s);
    gdb_ok(s);
    send_reply(s); /* before any notification */
    notify(s);
}

void gdb_vcont(struct gdb_session *s, struct gdb_args a)
{
    struct action x, per_cpu[32] = {{0}};
    const char *p = a.p;

    while (*p) {
        if (!parse_action(s, &p, &x)) {
            gdb_error(s, EINVAL, "vCont: an action is not right");
            return;
        }
        if (x.what == 't' && !s->non_stop) {
            gdb_error(s, EINVAL, "vCont;t: only in non-stop mode");
            return;
        }
        if (x.what == 't' && s->denied & GDB_STOP) {
            gdb_error(s, EPERM, GDB_DENIED);
            return;
        }
        note_action(s, &x, per_cpu);
    }
    if (s->non_stop)
        resume_some(s, per_cpu);
    else
        resume_all(s, per_cpu);
}

void gdb_vctrlc(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    ctl_client_pause(s->client);
    gdb_ok(s);
}

/* ---- the end ---- */

void gdb_let_go(struct gdb_session *s)
{
    gdb_drop_points(s);
    gdb_trace_left(s);
    ctl_client_leave(s->client, !s->waiting && !s->unseen);
    s->waiting = false;
    stop_silently(s); /* what it does now is not the client's */
}

/* A client that does not speak of processes may call ours what it likes. */
static bool is_ours(struct gdb_session *s, struct gdb_args a)
{
    uint64_t process;

    if (!s->multiprocess || !*a.p ||
        (gdb_hex(&a.p, &process) && !*a.p && process == GDB_PROCESS))
        return true;
    gdb_error(s, ESRCH, "there is one process: 1, the machine");
    return false;
}

void gdb_detach(struct gdb_session *s, struct gdb_args a)
{
    if (!is_ours(s, a))
        return;
    gdb_let_go(s);
    gdb_ok(s);
    s->over = !s->extended;
    s->gone = true;
}

static void end_program(struct gdb_session *s)
{
    s->config->killed(s->config->opaque);
    s->over = true;
}

void gdb_kill(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    s->no_reply = true;
    end_program(s);
}

void gdb_vkill(struct gdb_session *s, struct gdb_args a)
{
    if (!is_ours(s, a))
        return;
    gdb_ok(s);
    end_program(s);
}

/* The machine is as at power-on, and at rest. */
static void restart(struct gdb_session *s)
{
    struct err e;

    ctl_client_pause(s->client);
    ctl_wait(s->ctl, -1, &s->stop);
    if (ctl_reset(s->ctl, &e))
        gdb_error(s, e.code, e.msg);
    ctl_wait(s->ctl, 0, &s->stop);
    s->g_cpu = s->c_cpu = s->stop.cpu;
    stop_silently(s);
    s->gone = false;
}

void gdb_restart(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    restart(s);
    s->no_reply = true;
}

void gdb_vrun(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    restart(s);
    if (!s->reply.len)
        gdb_describe(s, &s->stop, SIG_TRAP, &s->reply);
}

void gdb_vattach(struct gdb_session *s, struct gdb_args a)
{
    if (!is_ours(s, a))
        return;
    ctl_client_pause(s->client);
    ctl_wait(s->ctl, -1, &s->stop);
    s->gone = false;
    if (!s->non_stop) {
        gdb_why(s, a);
        return;
    }
    stop_silently(s);
    s->told = 0;
    gdb_ok(s);
    send_reply(s); /* before any notification */
    notify(s);
}

void gdb_reverse(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    gdb_error(s, ENOTSUP, "the past was not recorded");
}
