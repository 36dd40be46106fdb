/*
 * trace.c - QT and qT: tracepoints, state variables and the frames of hits (GDB manual, appendix
 * E.6).
 *
 * The trace is the machine's (debug/trace.h): a client finds what another one left.  Which frame is
 * looked at is the session's own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "cpu/guest.h"
#include "gdbstub/session.h"

#define VAR_NAME_MAX 1024
#define UPLOAD_MAX   (GDB_PACKET_MAX / 2 - 16) /* bytes that fit into a packet as digits */

static struct dbg_trace *trace_of(const struct gdb_session *s)
{
    return ctl_trace(s->ctl);
}

static void clear(struct gdb_job *j)
{
    dbg_trace_clear(trace_of(j->s));
    gdb_ok(j->s);
}

void gdb_tinit(struct gdb_session *s, struct gdb_args a)
{
    s->frame = -1;
    s->read_only.len = 0;
    gdb_on_machine(s, clear, a);
}

/* ---- tracepoints ---- */

/* "REGISTER,OFFSET,LENGTH"; -1 for no register. */
static bool take_memory(struct gdb_job *j, struct dbg_collect *a, struct err *e)
{
    const struct guest *g = j->c->guest;
    bool absolute = *j->a.p == '-';
    uint64_t number, sign;

    j->a.p += absolute;
    if (!gdb_hex_then(&j->a.p, ',', &number))
        return !err_set(e, EINVAL, "QTDP: M is not like REGISTER,OFFSET,LENGTH");
    sign = *j->a.p == '-' ? UINT64_MAX : 1;
    j->a.p += sign != 1;
    if (!gdb_hex_then(&j->a.p, ',', &a->addr) || !gdb_hex(&j->a.p, &a->len))
        return !err_set(e, EINVAL, "QTDP: M is not like REGISTER,OFFSET,LENGTH");
    a->addr *= sign;
    a->row = -1;
    for (uint32_t row = 0; !absolute && number != UINT32_MAX && row < g->nregs; row++)
        if (g->regs[row].gdb == number && g->regs[row].gdb_feature)
            a->row = (int)row;
    if (!absolute && number != UINT32_MAX && a->row < 0)
        return !err_set(e, EINVAL, "QTDP: there is no register %llx", (unsigned long long)number);
    return true;
}

/* A mask of registers, by number, in hexadecimal digits of which the last one has the lowest. */
static void take_regs(struct gdb_job *j, struct dbg_tracepoint *x)
{
    size_t n = strspn(j->a.p, "0123456789abcdefABCDEF");

    for (size_t i = 0; i < n; i++) {
        char digit[2] = {j->a.p[n - 1 - i]};
        unsigned bits = (unsigned)strtoul(digit, NULL, 16);

        for (unsigned k = 0; k < 4; k++)
            if (bits >> k & 1)
                dbg_trace_want_reg(x, j->s->step_actions, (uint32_t)(4 * i + k));
    }
    j->a.p += n;
}

static bool may_keep(struct dbg_tracepoint *x, size_t bytes, struct err *e)
{
    return dbg_trace_keep(x, bytes) ||
           !err_set(e, E2BIG, "tracepoints have more than %zu bytes of programs and texts",
                    DBG_TRACE_KEPT_MAX);
}

static bool take_program(struct gdb_job *j, struct dbg_tracepoint *x, struct dbg_agent *a,
                         struct err *e)
{
    if (gdb_take_agent(j, a, e))
        return false;
    if (may_keep(x, a->len, e))
        return true;
    dbg_agent_fini(a);
    return false;
}

/* One action: R, M or X. */
static bool take_action(struct gdb_job *j, struct dbg_tracepoint *x, struct err *e)
{
    struct dbg_collect a = {0};
    bool good;

    if (x->actions[0].len + x->actions[1].len >= DBG_TRACE_ACTIONS_MAX)
        return !err_set(e, E2BIG, "QTDP: more than %u actions", DBG_TRACE_ACTIONS_MAX);
    switch (*j->a.p++) {
    case 'R':
        take_regs(j, x);
        return true;
    case 'M':
        a.kind = DBG_COLLECT_MEMORY;
        good = take_memory(j, &a, e);
        break;
    case 'X':
        a.kind = DBG_COLLECT_AGENT;
        good = take_program(j, x, &a.agent, e);
        break;
    default:
        return !err_set(e, EINVAL, "QTDP: an action is not known");
    }
    if (good)
        vec_push(&x->actions[j->s->step_actions], a);
    return good;
}

/* Keeps a piece for upload: "T...", "A...", "S...", "Z...". */
static bool keep_text(struct dbg_tracepoint *x, char kind, const char *text, size_t len,
                      struct err *e)
{
    struct buf piece = BUF_INIT;

    if (!may_keep(x, len + sizeof(char *), e))
        return false;
    buf_fmt(&piece, "%c%x:%llx:", kind, x->number, (unsigned long long)x->addr);
    buf_add(&piece, text, len);
    vec_push(&x->texts, buf_take(&piece));
    return true;
}

static bool take_actions(struct gdb_job *j, struct dbg_tracepoint *x, struct err *e)
{
    if (*j->a.p == 'S') {
        j->a.p++;
        j->s->step_actions = true;
    }
    while (*j->a.p && *j->a.p != '-') {
        const char *text = j->a.p;

        if (!take_action(j, x, e) ||
            !keep_text(x, j->s->step_actions ? 'S' : 'A', text, (size_t)(j->a.p - text), e))
            return false;
    }
    return true;
}

/* "E:STEPS:PASS" and ":XLENGTH,BYTES"; other kinds of tracepoints, which compile code into the
 * program or are there already, make no sense here. */
static bool take_definition(struct gdb_job *j, struct dbg_tracepoint *x, struct err *e)
{
    x->disabled = *j->a.p == 'D';
    if (strspn(j->a.p, "ED") != 1 || j->a.p[1] != ':' ||
        (j->a.p += 2, !gdb_hex_then(&j->a.p, ':', &x->steps)) || !gdb_hex(&j->a.p, &x->pass))
        return !err_set(e, EINVAL, "QTDP: not like NUMBER:ADDRESS:E:STEPS:PASS");
    if (x->steps > DBG_TRACE_STEPS_MAX)
        return !err_set(e, EINVAL, "QTDP: more than %u steps", DBG_TRACE_STEPS_MAX);
    if (*j->a.p == ':') {
        if (*++j->a.p != 'X')
            return !err_set(e, ENOTSUP, "QTDP: there are only ordinary tracepoints");
        j->a.p++;
        if (!take_program(j, x, &x->cond, e))
            return false;
    }
    return !*j->a.p || !strcmp(j->a.p, "-") ||
           !err_set(e, EINVAL, "QTDP: something is behind the definition");
}

/* Tracepoint NUMBER:ADDRESS, to which a packet adds; NULL with a message. */
static struct dbg_tracepoint *to_define(struct dbg_trace *t, unsigned number, uint64_t addr, bool more,
                                        struct err *e)
{
    struct dbg_tracepoint *x = dbg_trace_find(t, number, addr);

    if (t->state == DBG_TRACE_RUNS)
        err_set(e, EBUSY, "QTDP: the trace runs");
    else if (!more && x)
        err_set(e, EEXIST, "QTDP: there is this tracepoint already");
    else if (more && !x)
        err_set(e, ENOENT, "QTDP: there is no such tracepoint");
    else if (more && x->ran)
        err_set(e, EBUSY, "QTDP: the tracepoint has run");
    else if (!more && !(x = dbg_trace_add(t, number, addr)))
        err_set(e, E2BIG, "QTDP: more than %u tracepoints", DBG_TRACE_POINTS_MAX);
    else
        return x;
    return NULL;
}

/* A new tracepoint, or with '-' more of its actions.  One that is refused anything is no more. */
static void define(struct gdb_job *j)
{
    struct dbg_trace *t = trace_of(j->s);
    struct dbg_tracepoint *x;
    bool more = *j->a.p == '-';
    uint64_t number, addr;
    struct err e;

    j->a.p += more;
    if (!gdb_hex_then(&j->a.p, ':', &number) || !gdb_hex_then(&j->a.p, ':', &addr) ||
        number > UINT16_MAX) {
        gdb_error(j->s, EINVAL, "QTDP: not like NUMBER:ADDRESS:");
        return;
    }
    x = to_define(t, (unsigned)number, addr, more, &e);
    j->s->step_actions = j->s->step_actions && more;
    if (x && (more ? take_actions(j, x, &e) : take_definition(j, x, &e))) {
        gdb_ok(j->s);
        return;
    }
    gdb_error(j->s, e.code, e.msg);
    if (x)
        dbg_trace_remove(t, x);
}

void gdb_tdp(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, define, a);
}

/* The tracepoint that "NUMBER:ADDRESS" names; NULL, and an error is sent. */
static struct dbg_tracepoint *named(struct gdb_job *j)
{
    struct dbg_tracepoint *x = NULL;
    uint64_t number, addr;

    if (gdb_hex_then(&j->a.p, ':', &number) && gdb_hex(&j->a.p, &addr))
        x = dbg_trace_find(trace_of(j->s), (unsigned)number, addr);
    if (!x)
        gdb_error(j->s, ENOENT, "there is no such tracepoint");
    return x;
}

/* What the user typed, for who asks later. */
static void keep_source(struct gdb_job *j)
{
    struct dbg_tracepoint *x = named(j);
    struct err e;

    if (!x)
        return;
    if (*j->a.p == ':')
        j->a.p++;
    if (keep_text(x, 'Z', j->a.p, strlen(j->a.p), &e))
        gdb_ok(j->s);
    else
        gdb_error(j->s, e.code, e.msg);
}

void gdb_tdpsrc(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, keep_source, a);
}

/* QTEnable and QTDisable. */
static void set_enabled(struct gdb_job *j, bool enabled)
{
    struct dbg_tracepoint *x = named(j);

    if (!x)
        return;
    dbg_trace_enable(trace_of(j->s), x, enabled);
    gdb_ok(j->s);
}

static void enable(struct gdb_job *j)
{
    set_enabled(j, true);
}

void gdb_tenable(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, enable, a);
}

static void disable(struct gdb_job *j)
{
    set_enabled(j, false);
}

void gdb_tdisable(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, disable, a);
}

static void point_status(struct gdb_job *j)
{
    const struct dbg_tracepoint *x = named(j);

    if (x)
        buf_fmt(&j->s->reply, "V%llx:%llx", (unsigned long long)x->hits,
                (unsigned long long)x->usage);
}

void gdb_tp(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, point_status, a);
}

/* ---- variables ---- */

/* "NUMBER:VALUE:BUILTIN:NAME" */
static void define_var(struct gdb_job *j)
{
    uint64_t number, value, builtin;
    struct dbg_trace_var *v;
    size_t len;

    if (!gdb_hex_then(&j->a.p, ':', &number) || !gdb_hex_then(&j->a.p, ':', &value) ||
        !gdb_hex_then(&j->a.p, ':', &builtin) || number > UINT16_MAX) {
        gdb_error(j->s, EINVAL, "QTDV: not like NUMBER:VALUE:BUILTIN:NAME");
        return;
    }
    len = strlen(j->a.p);
    v = dbg_trace_var(trace_of(j->s), (unsigned)number, false);
    if (len > VAR_NAME_MAX || (!v && trace_of(j->s)->vars.len == DBG_TRACE_VARS_MAX)) {
        gdb_error(j->s, E2BIG, "QTDV: too many variables, or a name that is too long");
        return;
    }
    v = dbg_trace_var(trace_of(j->s), (unsigned)number, true);
    v->initial = v->value = value;
    free(v->name);
    v->name = xmalloc(len + 1);
    memcpy(v->name, j->a.p, len + 1);
    gdb_ok(j->s);
}

void gdb_tdv(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, define_var, a);
}

/* As the frame has it, or as it is. */
static void read_var(struct gdb_job *j)
{
    const struct dbg_trace *t = trace_of(j->s);
    const struct dbg_trace_frame *f = gdb_frame(j->s);
    const struct dbg_trace_var *v;
    struct dbg_trace_block b;
    uint64_t number, value;

    if (!gdb_hex(&j->a.p, &number)) {
        gdb_error(j->s, EINVAL, "qTV: not a number");
        return;
    }
    for (uint64_t next = 0; f && dbg_trace_block(t, f, &next, &b);)
        if (b.kind == 'V' && b.addr == number) {
            dbg_trace_bytes(t, b.at, &value, sizeof value);
            buf_fmt(&j->s->reply, "V%llx", (unsigned long long)value);
            return;
        }
    v = f ? NULL : dbg_trace_var(trace_of(j->s), (unsigned)number, false);
    if (v)
        buf_fmt(&j->s->reply, "V%llx", (unsigned long long)v->value);
    else
        buf_ch(&j->s->reply, 'U');
}

void gdb_tv(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, read_var, a);
}

/* ---- running ---- */

static void start(struct gdb_job *j)
{
    dbg_trace_start(trace_of(j->s), j->s->client);
    gdb_ok(j->s);
}

void gdb_tstart(struct gdb_session *s, struct gdb_args a)
{
    s->frame = -1;
    gdb_on_machine(s, start, a);
}

static void stop(struct gdb_job *j)
{
    dbg_trace_stop(trace_of(j->s), DBG_TRACE_STOPPED);
    gdb_ok(j->s);
}

void gdb_tstop(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, stop, a);
}

static void leave(struct gdb_job *j)
{
    struct dbg_trace *t = trace_of(j->s);

    if (t->owner != j->s->client)
        return;
    t->owner = NULL;
    if (!t->disconnected)
        dbg_trace_stop(t, DBG_TRACE_DISCONNECTED);
}

void gdb_trace_left(struct gdb_session *s)
{
    gdb_on_machine(s, leave, (struct gdb_args){NULL, 0});
}

static void set_disconnected(struct gdb_job *j)
{
    trace_of(j->s)->disconnected = *j->a.p == '1';
    gdb_ok(j->s);
}

void gdb_tdisconnected(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, set_disconnected, a);
}

/* "circular:1", "size:N"; a size of -1 is the default. */
static void set_buffer(struct gdb_job *j)
{
    struct dbg_trace *t = trace_of(j->s);
    const char *p = strchr(j->a.p, ':');
    uint64_t n = DBG_TRACE_SIZE;

    if (!p++ || (*p != '-' && !gdb_hex(&p, &n)))
        gdb_error(j->s, EINVAL, "QTBuffer: not like circular:0 or size:NUMBER");
    else if (!strncmp(j->a.p, "circular", 8))
        t->circular = n;
    else if (t->state == DBG_TRACE_RUNS || !dbg_trace_resize(t, n)) {
        gdb_error(j->s, EINVAL, "QTBuffer: the trace runs, or that is too much");
        return;
    }
    if (!j->s->reply.len)
        gdb_ok(j->s);
}

void gdb_tbuffer(struct gdb_session *s, struct gdb_args a)
{
    s->frame = -1;
    gdb_on_machine(s, set_buffer, a);
}

static const char *const note_names[DBG_NOTES] = {
    [DBG_NOTE_USER] = "user", [DBG_NOTE_NOTES] = "notes", [DBG_NOTE_STOP] = "tstop"};

/* Which note "NAME:" is, DBG_NOTES: none; *p moves behind it. */
static unsigned take_note_name(const char **p)
{
    size_t n = strcspn(*p, ":;");
    unsigned which = 0;

    while (which < DBG_NOTES && (strlen(note_names[which]) != n || memcmp(*p, note_names[which], n)))
        which++;
    *p += n + ((*p)[n] == ':');
    return which;
}

/* "NAME:DIGITS;NAME:DIGITS..." */
static void keep_notes(struct gdb_job *j)
{
    while (*j->a.p) {
        unsigned which = take_note_name(&j->a.p);
        size_t digits = strcspn(j->a.p, ";");
        char *text = NULL;

        if (which == DBG_NOTES || digits > 2 * DBG_TRACE_NOTE_MAX) {
            gdb_error(j->s, EINVAL, "QTNotes: a note is neither user, notes nor tstop, or too long");
            return;
        }
        text = xcalloc(1, digits / 2 + 1);
        if (gdb_get_hex(j->a.p, digits, (uint8_t *)text) < 0) {
            gdb_error(j->s, EINVAL, "QTNotes: not hexadecimal digits");
            free(text);
            return;
        }
        dbg_trace_note(trace_of(j->s), which, text);
        j->a.p += digits + (j->a.p[digits] == ';');
    }
    gdb_ok(j->s);
}

void gdb_tnotes(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, keep_notes, a);
}

/* "START,END:START,END..." */
void gdb_tro(struct gdb_session *s, struct gdb_args a)
{
    struct gdb_range r;

    s->read_only.len = 0;
    while (gdb_hex_then(&a.p, ',', &r.start) && gdb_hex(&a.p, &r.end)) {
        vec_push(&s->read_only, r);
        a.p += *a.p == ':';
    }
    gdb_ok(s);
}

/* Why it does not run, or that it does. */
static void put_state(const struct dbg_trace *t, struct buf *out)
{
    static const char *const reasons[] = {
        [DBG_TRACE_NOT_RUN] = "tnotrun:0",
        [DBG_TRACE_RUNS] = "tunknown:0",
        [DBG_TRACE_STOPPED] = "tstop:",
        [DBG_TRACE_FULL] = "tfull:0",
        [DBG_TRACE_DISCONNECTED] = "tdisconnected:0",
    };

    buf_fmt(out, "T%d;", t->state == DBG_TRACE_RUNS);
    if (t->state == DBG_TRACE_PASSED)
        buf_fmt(out, "tpasscount:%x", t->stopped_by);
    else
        buf_str(out, reasons[t->state]);
    if (t->state == DBG_TRACE_STOPPED) {
        if (t->notes[DBG_NOTE_STOP])
            gdb_put_text(out, t->notes[DBG_NOTE_STOP]);
        buf_str(out, ":0");
    }
}

static void status(struct gdb_job *j)
{
    const struct dbg_trace *t = trace_of(j->s);
    struct buf *out = &j->s->reply;

    put_state(t, out);
    buf_fmt(out, ";tframes:%zx;tcreated:%llx;tfree:%llx;tsize:%llx;circular:%d;disconn:%d",
            dbg_trace_nframes(t), (unsigned long long)t->created,
            (unsigned long long)(t->size - t->used), (unsigned long long)t->size, t->circular,
            t->disconnected);
    if (t->notes[DBG_NOTE_USER]) {
        buf_str(out, ";username:");
        gdb_put_text(out, t->notes[DBG_NOTE_USER]);
    }
    if (t->notes[DBG_NOTE_NOTES]) {
        buf_str(out, ";notes:");
        gdb_put_text(out, t->notes[DBG_NOTE_NOTES]);
    }
}

void gdb_tstatus(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, status, a);
}

/* ---- frames ---- */

const struct dbg_trace_frame *gdb_frame(const struct gdb_session *s)
{
    return s->frame < 0 ? NULL : dbg_trace_frame(trace_of(s), (size_t)s->frame);
}

/* What QTFrame looks for. */
struct wanted {
    enum { BY_NUMBER, BY_PC, BY_POINT, INSIDE, OUTSIDE } how;
    uint64_t a, b;
};

static bool parse_wanted(const char *p, struct wanted *w)
{
    static const struct {
        const char *name;
        int how;
    } ways[] = {{"pc:", BY_PC}, {"tdp:", BY_POINT}, {"range:", INSIDE}, {"outside:", OUTSIDE}};

    *w = (struct wanted){.how = BY_NUMBER};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (!strncmp(p, ways[i].name, strlen(ways[i].name))) {
            p += strlen(ways[i].name);
            w->how = ways[i].how;
            break;
        }
    return gdb_hex(&p, &w->a) && (w->how < INSIDE || (*p++ == ':' && gdb_hex(&p, &w->b)));
}

static bool is_wanted(const struct dbg_trace_frame *f, const struct wanted *w)
{
    switch (w->how) {
    case BY_PC:
        return f->pc == w->a;
    case BY_POINT:
        return f->x->number == w->a;
    case INSIDE:
        return f->pc >= w->a && f->pc <= w->b;
    default:
        return f->pc < w->a || f->pc > w->b;
    }
}

/* Behind the frame that is looked at; -1: there is none. */
static int64_t find_frame(const struct gdb_session *s, const struct wanted *w)
{
    const struct dbg_trace *t = trace_of(s);
    size_t n = (size_t)(s->frame + 1);

    if (w->how == BY_NUMBER)
        return w->a < dbg_trace_nframes(t) ? (int64_t)w->a : -1;
    while (n < dbg_trace_nframes(t) && !is_wanted(dbg_trace_frame(t, n), w))
        n++;
    return n < dbg_trace_nframes(t) ? (int64_t)n : -1;
}

/* A search that finds nothing leaves the frame; the number -1 is the machine itself. */
static void look_at(struct gdb_job *j)
{
    struct wanted w;
    int64_t found;

    if (!parse_wanted(j->a.p, &w)) {
        gdb_error(j->s, EINVAL, "QTFrame: not known");
        return;
    }
    if (w.how == BY_NUMBER && w.a == UINT32_MAX) {
        j->s->frame = -1;
        gdb_ok(j->s);
        return;
    }
    found = find_frame(j->s, &w);
    if (found < 0) {
        buf_str(&j->s->reply, "F-1");
        return;
    }
    j->s->frame = found;
    buf_fmt(&j->s->reply, "F%llxT%x", (unsigned long long)found, gdb_frame(j->s)->x->number);
}

void gdb_tframe(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, look_at, a);
}

/* The pc is known of any frame. */
bool gdb_frame_reg(const struct gdb_session *s, const struct guest_reg *r, uint64_t *value)
{
    const struct dbg_trace_frame *f = gdb_frame(s);

    *value = f->pc;
    return r->kind == REG_PC || dbg_trace_reg(trace_of(s), f, r->gdb, value);
}

/* What the frame has, or what cannot have been otherwise. */
uint64_t gdb_frame_memory(struct gdb_job *j, uint64_t addr, void *buf, uint64_t len)
{
    uint64_t got = dbg_trace_memory(trace_of(j->s), gdb_frame(j->s), addr, buf, len);

    for (size_t i = 0; !got && i < j->s->read_only.len; i++) {
        const struct gdb_range *r = &j->s->read_only.data[i];

        if (addr >= r->start && addr < r->end)
            got = cpu_peek(j->c, addr, buf, r->end - addr < len ? r->end - addr : len);
    }
    return got;
}

void gdb_frame_info(struct gdb_job *j, struct buf *out)
{
    const struct dbg_trace *t = trace_of(j->s);
    const struct dbg_trace_frame *f = gdb_frame(j->s);
    struct dbg_trace_block b;

    buf_str(out, "<?xml version=\"1.0\"?>\n<!DOCTYPE traceframe-info SYSTEM "
                 "\"traceframe-info.dtd\">\n<traceframe-info>\n");
    for (uint64_t next = 0; f && dbg_trace_block(t, f, &next, &b);) {
        if (b.kind == 'M')
            buf_fmt(out, "<memory start=\"0x%llx\" length=\"0x%llx\"/>\n",
                    (unsigned long long)b.addr, (unsigned long long)b.len);
        if (b.kind == 'V')
            buf_fmt(out, "<tvar id=\"0x%llx\"/>\n", (unsigned long long)b.addr);
    }
    buf_str(out, "</traceframe-info>\n");
}

/* ---- upload ---- */

/* "OFFSET,LENGTH" of all frames, as GDB writes them to a file. */
static void upload(struct gdb_job *j)
{
    uint64_t at, len;
    uint8_t *data;

    if (!gdb_hex_then(&j->a.p, ',', &at) || !gdb_hex(&j->a.p, &len)) {
        gdb_error(j->s, EINVAL, "qTBuffer: not like OFFSET,LENGTH");
        return;
    }
    len = len < UPLOAD_MAX ? len : UPLOAD_MAX;
    data = xmalloc(len + 1);
    len = dbg_trace_copy(trace_of(j->s), at, data, len);
    if (len)
        gdb_put_hex(&j->s->reply, data, len);
    else
        buf_ch(&j->s->reply, 'l');
    free(data);
}

void gdb_tupload(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, upload, a);
}

static void put_point(struct gdb_session *s, const struct dbg_tracepoint *x)
{
    buf_fmt(&s->reply, "T%x:%llx:%c:%llx:%llx", x->number, (unsigned long long)x->addr,
            x->disabled ? 'D' : 'E', (unsigned long long)x->steps, (unsigned long long)x->pass);
    if (!x->cond.len)
        return;
    buf_fmt(&s->reply, ":X%x,", x->cond.len);
    gdb_put_hex(&s->reply, x->cond.code, x->cond.len);
}

/* Each tracepoint is its definition and then its texts. */
static void point_next(struct gdb_job *j)
{
    const struct dbg_trace *t = trace_of(j->s);
    struct gdb_session *s = j->s;
    const struct dbg_tracepoint *x;

    if (s->up_point >= t->all.len) {
        buf_ch(&s->reply, 'l');
        return;
    }
    x = t->all.data[s->up_point];
    if (!s->up_text)
        put_point(s, x);
    else if (s->up_text <= x->texts.len)
        buf_str(&s->reply, x->texts.data[s->up_text - 1]);
    if (++s->up_text <= x->texts.len)
        return;
    s->up_text = 0;
    s->up_point++;
}

void gdb_tpoint_next(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, point_next, a);
}

void gdb_tpoint_first(struct gdb_session *s, struct gdb_args a)
{
    s->up_point = s->up_text = 0;
    gdb_tpoint_next(s, a);
}

static void var_next(struct gdb_job *j)
{
    const struct dbg_trace *t = trace_of(j->s);
    const struct dbg_trace_var *v;

    if (j->s->up_var >= t->vars.len) {
        buf_ch(&j->s->reply, 'l');
        return;
    }
    v = &t->vars.data[j->s->up_var++];
    buf_fmt(&j->s->reply, "%x:%llx:0:%s", v->number, (unsigned long long)v->initial,
            v->name ? v->name : "");
}

void gdb_tvar_next(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, var_next, a);
}

void gdb_tvar_first(struct gdb_session *s, struct gdb_args a)
{
    s->up_var = 0;
    gdb_tvar_next(s, a);
}
