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
        {"multiprocess+", offsetof(struct gdb_session, multiprocess)},
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
            "PacketSize=%x;QStartNoAckMode+;QNonStop+;multiprocess+;vContSupported+;swbreak+;hwbreak+;"
            "ConditionalBreakpoints+;BreakpointCommands+;QCatchSyscalls+;QThreadEvents+;QAllow+;"
            "QDisableRandomization+;QPassSignals+;QProgramSignals+;QStartupWithShell+;"
            "error-message+;binary-upload+;qXfer:features:read+;qXfer:memory-map:read+;"
            "qXfer:threads:read+;qXfer:osdata:read+;qXfer:exec-file:read+;qXfer:auxv:read+;"
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
    for (; s->list_at < s->ncpus; s->list_at++) {
        buf_ch(&s->reply, s->reply.len ? ',' : 'm');
        gdb_put_thread(s, s->list_at, &s->reply);
    }
}

void gdb_thread_first(struct gdb_session *s, struct gdb_args a)
{
    s->list_at = s->gone ? s->ncpus : 0;
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
            cpu_halt_names[machine_cpu(j->m, (unsigned)cpu)->halted]);
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
    buf_str(&s->reply, "QC");
    gdb_put_thread(s, s->g_cpu, &s->reply);
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

/* An empty reply: there is no such thing (a list of shared libraries). */
void gdb_nothing(struct gdb_session *s, struct gdb_args a)
{
    (void)s, (void)a;
}

/* What a whole machine has no use for (signals, a shell, threads that come and go), or always does.
 */
void gdb_fine(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    gdb_ok(s);
}

/* "OPERATION:0;OPERATION:1..." */
void gdb_allow(struct gdb_session *s, struct gdb_args a)
{
    static const struct {
        const char *name;
        unsigned what;
    } operations[] = {{"WriteReg", GDB_WRITE_REG},
                      {"WriteMem", GDB_WRITE_MEM},
                      {"InsertBreak", GDB_INSERT_BREAK},
                      {"InsertTrace", GDB_INSERT_TRACE},
                      {"Stop", GDB_STOP}};

    for (const char *p = a.p; *p;) {
        size_t name = strcspn(p, ":;"), all = strcspn(p, ";");

        for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
            if (strlen(operations[i].name) != name || memcmp(p, operations[i].name, name))
                continue;
            s->denied |= operations[i].what;
            if (name < all && p[name + 1] == '1')
                s->denied &= ~operations[i].what;
        }
        p += all + (p[all] == ';');
    }
    gdb_ok(s);
}

static void find_tls(struct gdb_job *j)
{
    int cpu, row = guest_find_reg(j->c->guest, "tp");
    uint64_t offset, module;

    if (!gdb_thread(j->s, &j->a.p, &cpu) || cpu == GDB_ALL || *j->a.p++ != ',' ||
        !gdb_hex_then(&j->a.p, ',', &offset) || !gdb_hex(&j->a.p, &module))
        gdb_error(j->s, EINVAL, "qGetTLSAddr: not like THREAD,OFFSET,MODULE");
    else if (module || row < 0)
        gdb_error(j->s, ENOTSUP,
                  "where a shared library has its thread's variables, only the guest's "
                  "C library knows");
    else
        buf_fmt(&j->s->reply, "%llx",
                (unsigned long long)(j->c->guest->reg_read(machine_cpu(j->m, (unsigned)cpu),
                                                           (uint32_t)row) +
                                     offset));
}

/* A program without shared libraries has its variables where the thread pointer points (RISC-V
 * psABI, "Thread Local Storage"); a loaded module is refused. */
void gdb_tls(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, find_tls, a);
}

/* ---- monitor ---- */

/* Whether QAllow has forbidden what a command does. */
static bool is_denied(const struct gdb_session *s, unsigned does)
{
    unsigned needs = (does & CMD_REGS ? GDB_WRITE_REG : 0) | (does & CMD_MEMORY ? GDB_WRITE_MEM : 0) |
                     (does & CMD_POINTS ? GDB_INSERT_BREAK : 0);

    return needs & s->denied;
}

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
    } else if (cmd_does(line) & CMD_RUNS) {
        buf_str(&out, "that lets the machine run: use GDB's own command for it\n");
    } else if (is_denied(s, cmd_does(line))) {
        buf_fmt(&out, "%s\n", GDB_DENIED);
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
    enum gdb_object found;
    uint64_t offset, len;

    if (!p || !gdb_hex_then(&p, ',', &offset) || !gdb_hex(&p, &len)) {
        gdb_error(j->s, EINVAL, "qXfer: not like OBJECT:read:ANNEX:OFFSET,LENGTH");
    } else if (strcmp(verb, "read") ||
               (found = gdb_xml(j, object, annex, &text)) == GDB_NO_OBJECT) {
        /* an empty reply: it is not known */
    } else if (found == GDB_NO_ANNEX) {
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
