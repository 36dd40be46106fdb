/* query.c - questions and settings: q, Q, H, T and the like. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "cpu/guest.h"
#include "gdbstub/session.h"

/* What a client may say, and what that switches on. */
static void note_feature(struct gdb_session *s, const char *name, size_t len)
{
    static const struct {
        const char *name;
        size_t offset;
    } features[] = {
        {"swbreak+", offsetof(struct gdb_session, swbreak)},
        {"hwbreak+", offsetof(struct gdb_session, hwbreak)},
        {"error-message+", offsetof(struct gdb_session, error_message)},
    };

    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        if (len == strlen(features[i].name) && !memcmp(name, features[i].name, len))
            *(bool *)((char *)s + features[i].offset) = true;
}

void gdb_supported(struct gdb_session *s, struct gdb_args a)
{
    for (const char *p = a.p; *p;) {
        size_t n = strcspn(p, ";");

        note_feature(s, p, n);
        p += n + (p[n] == ';');
    }
    buf_fmt(&s->reply,
            "PacketSize=%x;QStartNoAckMode+;QNonStop+;vContSupported+;swbreak+;hwbreak+;"
            "ConditionalBreakpoints+;error-message+;binary-upload+;qXfer:features:read+;"
            "qXfer:memory-map:read+;qXfer:threads:read+;qXfer:osdata:read+;"
            "qXfer:traceframe-info:read+;ConditionalTracepoints+;TracepointSource+;"
            "EnableDisableTracepoints+;DisconnectedTracing+;tracenz+;QTBuffer:size+",
            GDB_PACKET_MAX);
}

void gdb_no_ack(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    s->wire.no_ack = true;
    gdb_ok(s);
}

void gdb_extended(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    s->extended = true;
    gdb_ok(s);
}

/* Hg and Hc: which CPU other packets mean. */
void gdb_H(struct gdb_session *s, struct gdb_args a)
{
    char which = *a.p;
    int cpu;

    if (which)
        a.p++;
    if ((which != 'g' && which != 'c') || !gdb_thread(s, &a.p, &cpu)) {
        gdb_error(s, EINVAL, "H: there is no such thread");
        return;
    }
    if (cpu != GDB_ALL)
        *(which == 'g' ? &s->g_cpu : &s->c_cpu) = (unsigned)cpu;
    gdb_ok(s);
}

void gdb_T(struct gdb_session *s, struct gdb_args a)
{
    int cpu;

    if (gdb_thread(s, &a.p, &cpu))
        gdb_ok(s);
    else
        gdb_error(s, ESRCH, "T: there is no such thread");
}

void gdb_thread_next(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    if (s->list_at >= s->ncpus) {
        buf_ch(&s->reply, 'l');
        return;
    }
    for (; s->list_at < s->ncpus; s->list_at++)
        buf_fmt(&s->reply, "%c%x", s->reply.len ? ',' : 'm', s->list_at + 1);
}

void gdb_thread_first(struct gdb_session *s, struct gdb_args a)
{
    s->list_at = 0;
    gdb_thread_next(s, a);
}

static void describe_cpu(struct gdb_job *j)
{
    struct buf text = BUF_INIT;
    int cpu;

    if (!gdb_thread(j->s, &j->a.p, &cpu) || cpu == GDB_ALL) {
        gdb_error(j->s, ESRCH, "qThreadExtraInfo: there is no such thread");
        return;
    }
    buf_fmt(&text, "CPU %d [%s]", cpu,
            machine_cpu(j->m, (unsigned)cpu)->halted ? "waits for an interrupt" : "runs");
    gdb_put_hex(&j->s->reply, text.data, text.len);
    buf_fini(&text);
}

void gdb_thread_extra(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, describe_cpu, a);
}

void gdb_current(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    buf_fmt(&s->reply, "QC%x", s->g_cpu + 1);
}

/* There was a machine before there was a client. */
void gdb_attached(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    buf_str(&s->reply, "1");
}

void gdb_offsets(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    buf_str(&s->reply, "Text=0;Data=0;Bss=0");
}

/* There are no symbols that we would have to ask for. */
void gdb_symbol(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    gdb_ok(s);
}

/* ---- monitor ---- */

/* A command of the shared table.  One that lets the machine run is refused: the client would not
 * know. */
void gdb_rcmd(struct gdb_session *s, struct gdb_args a)
{
    struct buf out = BUF_INIT;
    char *line = xcalloc(1, a.len / 2 + 1);
    enum cmd_next next = CMD_GO_ON;
    struct err e;

    if (gdb_get_hex(a.p, a.len, (uint8_t *)line) < 0) {
        gdb_error(s, EINVAL, "qRcmd: not hexadecimal digits");
    } else if (cmd_runs(line)) {
        buf_str(&out, "that lets the machine run: use GDB's own command for it\n");
    } else if (cmd_run(s->cmd, line, &out, &next, &e)) {
        buf_fmt(&out, "%s\n", e.msg);
    }
    gdb_put_hex(&s->reply, out.data, out.len);
    if (!s->reply.len)
        gdb_ok(s);
    if (next == CMD_QUIT)
        s->config->killed(s->config->opaque);
    buf_fini(&out);
    free(line);
}

/* ---- QEMU's ---- */

void gdb_phys_mode(struct gdb_session *s, struct gdb_args a)
{
    s->phys = *a.p == '1';
    gdb_ok(s);
}

void gdb_phys_query(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    buf_str(&s->reply, s->phys ? "1" : "0");
}

/* 1: single steps; 2: no interrupts in them; 4: no timers (which is the same here). */
enum { SSTEP_ENABLE = 1, SSTEP_NOIRQ = 2, SSTEP_NOTIMER = 4 };

void gdb_sstep_bits(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    buf_fmt(&s->reply, "ENABLE=%x,NOIRQ=%x,NOTIMER=%x", SSTEP_ENABLE, SSTEP_NOIRQ, SSTEP_NOTIMER);
}

void gdb_sstep_query(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    buf_fmt(&s->reply, "0x%x", SSTEP_ENABLE | (s->no_irq ? SSTEP_NOIRQ | SSTEP_NOTIMER : 0));
}

void gdb_sstep(struct gdb_session *s, struct gdb_args a)
{
    uint64_t flags;

    if (!gdb_hex(&a.p, &flags)) {
        gdb_error(s, EINVAL, "Qqemu.sstep: not a number");
        return;
    }
    s->no_irq = flags & SSTEP_NOIRQ;
    gdb_ok(s);
}

/* ---- qXfer ---- */

static void transfer(struct gdb_job *j)
{
    char *copy = xstrdup(j->a.p), *rest = copy;
    const char *object = strsep(&rest, ":"), *verb = strsep(&rest, ":");
    const char *annex = strsep(&rest, ":"), *p = rest;
    struct buf text = BUF_INIT;
    uint64_t offset, len;

    if (!p || strcmp(verb, "read") || !gdb_hex_then(&p, ',', &offset) || !gdb_hex(&p, &len)) {
        gdb_error(j->s, EINVAL, "qXfer: not like OBJECT:read:ANNEX:OFFSET,LENGTH");
    } else if (!gdb_xml(j, object, annex, &text)) {
        gdb_error(j->s, ENOENT, "qXfer: there is no such thing");
    } else {
        uint64_t left = offset < text.len ? text.len - offset : 0;

        len = len < GDB_PACKET_MAX / 2 ? len : GDB_PACKET_MAX / 2;
        buf_ch(&j->s->reply, left > len ? 'm' : 'l');
        buf_add(&j->s->reply, text.data + text.len - left, left > len ? len : left);
    }
    buf_fini(&text);
    free(copy);
}

void gdb_xfer(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, transfer, a);
}
