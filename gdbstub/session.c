/* session.c - see session.h. */
#include "gdbstub/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"

/* ---- the packets ---- */

/* A packet's name is the longest one here that it begins with; behind a name with a `then`, that must
 * come or the packet must end. */
static const struct {
    const char *name;
    const char *then; /* characters of which one may follow; NULL: anything */
    gdb_handler *handle;
} packets[] = {
    {"!", "", gdb_extended},
    {"?", "", gdb_why},
    {"C", NULL, gdb_C},
    {"D", ";", gdb_detach},
    {"G", NULL, gdb_G},
    {"H", NULL, gdb_H},
    {"M", NULL, gdb_M},
    {"P", NULL, gdb_P},
    {"QNonStop", ":", gdb_non_stop},
    {"QStartNoAckMode", "", gdb_no_ack},
    {"QTBuffer", ":", gdb_tbuffer},
    {"QTDP", ":", gdb_tdp},
    {"QTDPsrc", ":", gdb_tdpsrc},
    {"QTDV", ":", gdb_tdv},
    {"QTDisable", ":", gdb_tdisable},
    {"QTDisconnected", ":", gdb_tdisconnected},
    {"QTEnable", ":", gdb_tenable},
    {"QTFrame", ":", gdb_tframe},
    {"QTNotes", ":", gdb_tnotes},
    {"QTStart", "", gdb_tstart},
    {"QTStop", "", gdb_tstop},
    {"QTinit", "", gdb_tinit},
    {"QTro", ":", gdb_tro},
    {"Qqemu.PhyMemMode", ":", gdb_phys_mode},
    {"Qqemu.sstep", "=", gdb_sstep},
    {"R", NULL, gdb_restart},
    {"S", NULL, gdb_S},
    {"T", NULL, gdb_T},
    {"X", NULL, gdb_X},
    {"Z", NULL, gdb_Z},
    {"bc", "", gdb_reverse},
    {"bs", "", gdb_reverse},
    {"c", NULL, gdb_c},
    {"g", "", gdb_g},
    {"k", "", gdb_kill},
    {"m", NULL, gdb_m},
    {"p", NULL, gdb_p},
    {"qAttached", ":", gdb_attached},
    {"qC", "", gdb_current},
    {"qCRC", ":", gdb_crc},
    {"qOffsets", "", gdb_offsets},
    {"qRcmd", ",", gdb_rcmd},
    {"qSearch:memory", ":", gdb_search},
    {"qSupported", ":", gdb_supported},
    {"qSymbol", ":", gdb_symbol},
    {"qTBuffer", ":", gdb_tupload},
    {"qTP", ":", gdb_tp},
    {"qTStatus", "", gdb_tstatus},
    {"qTV", ":", gdb_tv},
    {"qTfP", "", gdb_tpoint_first},
    {"qTfV", "", gdb_tvar_first},
    {"qTsP", "", gdb_tpoint_next},
    {"qTsV", "", gdb_tvar_next},
    {"qThreadExtraInfo", ",", gdb_thread_extra},
    {"qXfer", ":", gdb_xfer},
    {"qfThreadInfo", "", gdb_thread_first},
    {"qqemu.PhyMemMode", "", gdb_phys_query},
    {"qqemu.sstep", "", gdb_sstep_query},
    {"qqemu.sstepbits", "", gdb_sstep_bits},
    {"qsThreadInfo", "", gdb_thread_next},
    {"s", NULL, gdb_s},
    {"vAttach", ";", gdb_vattach},
    {"vCont", ";", gdb_vcont},
    {"vCont?", "", gdb_vcont_ask},
    {"vCtrlC", "", gdb_vctrlc},
    {"vKill", ";", gdb_vkill},
    {"vRun", ";", gdb_vrun},
    {"vStopped", "", gdb_vstopped},
    {"x", NULL, gdb_x},
    {"z", NULL, gdb_z},
};

/* Packets that are not known get an empty reply. */
static void carry_out(struct gdb_session *s, const struct buf *packet)
{
    size_t best = 0, len = 0;

    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        size_t n = strlen(packets[i].name);
        const char *then = packets[i].then;

        if (n < len || packet->len < n || memcmp(packet->data, packets[i].name, n))
            continue;
        if (then && packet->len > n && (!packet->data[n] || !strchr(then, packet->data[n])))
            continue;
        best = i;
        len = n;
    }
    if (!len)
        return;
    if (packets[best].then && packet->len > len)
        len++;
    packets[best].handle(s, (struct gdb_args){packet->data + len, packet->len - len});
}

/* ---- replies ---- */

void gdb_ok(struct gdb_session *s)
{
    buf_str(&s->reply, "OK");
}

/* "E.text" if the client said that it takes that, else a number. */
void gdb_error(struct gdb_session *s, int errnum, const char *text)
{
    buf_reset(&s->reply);
    if (s->error_message)
        buf_fmt(&s->reply, "E.%s", text);
    else
        buf_fmt(&s->reply, "E%02x", (errnum < 0 ? -errnum : errnum) & 0xff);
}

void gdb_session_input(struct gdb_session *s)
{
    struct buf packet = BUF_INIT;

    while (!s->over) {
        enum gdb_in in = gdb_wire_next(&s->wire, &packet);

        if (in == GDB_IN_NONE)
            break;
        if (in == GDB_IN_BAD) {
            log_warn(s->config->log, "gdb: a client sent a packet without end");
            s->over = true;
            break;
        }
        if (in == GDB_IN_BREAK) {
            ctl_pause(s->ctl);
            continue;
        }
        buf_reset(&s->reply);
        s->no_reply = false;
        carry_out(s, &packet);
        if (!s->no_reply)
            gdb_wire_send(&s->wire, &s->reply);
    }
    buf_fini(&packet);
}

/* ---- on the machine ---- */

struct call {
    struct gdb_job job;
    void (*fn)(struct gdb_job *j);
};

static void run_call(struct machine *m, void *arg)
{
    struct call *k = arg;

    k->job.m = m;
    k->job.c = machine_cpu(m, k->job.s->g_cpu);
    k->fn(&k->job);
}

void gdb_on_machine(struct gdb_session *s, void (*fn)(struct gdb_job *j), struct gdb_args a)
{
    struct call k = {.job = {.s = s, .a = a}, .fn = fn};

    ctl_call(s->ctl, run_call, &k);
}

bool gdb_thread(const struct gdb_session *s, const char **p, int *cpu)
{
    uint64_t n;

    if (**p == 'p') { /* of a process, of which there is one */
        ++*p;
        if (!(**p == '-' ? (*p += 2, true) : gdb_hex(p, &n)))
            return false;
        if (**p != '.') {
            *cpu = GDB_ALL;
            return true;
        }
        ++*p;
    }
    if (**p == '-') {
        *p += 2;
        *cpu = GDB_ALL;
        return (*p)[-1] == '1';
    }
    if (!gdb_hex(p, &n) || n > s->ncpus)
        return false;
    *cpu = n ? (int)n - 1 : (int)s->g_cpu;
    return true;
}

/* ---- life ---- */

static void look_at(struct gdb_job *j)
{
    j->s->ncpus = machine_ncpus(j->m);
}

struct gdb_session *gdb_session_new(const struct gdb_config *config, struct err *e)
{
    struct gdb_session *s = xcalloc(1, sizeof *s);

    s->config = config;
    s->ctl = config->ctl;
    s->no_irq = true;
    s->frame = -1;
    s->client = ctl_client_new(s->ctl, e);
    if (!s->client) {
        free(s);
        return NULL;
    }
    s->cmd = cmd_session_new(s->ctl);
    gdb_wire_init(&s->wire);
    buf_init(&s->reply);
    gdb_on_machine(s, look_at, (struct gdb_args){NULL, 0});
    /* A client finds the machine at rest. */
    ctl_pause(s->ctl);
    ctl_wait(s->ctl, -1, &s->stop);
    s->g_cpu = s->c_cpu = s->stop.cpu;
    ctl_client_ack(s->client);
    return s;
}

void gdb_session_free(struct gdb_session *s)
{
    if (!s)
        return;
    gdb_let_go(s);
    ctl_client_free(s->client);
    cmd_session_free(s->cmd);
    gdb_wire_fini(&s->wire);
    buf_fini(&s->reply);
    vec_fini(&s->points);
    vec_fini(&s->read_only);
    free(s);
}
