/* session.c - see session.h. */
#include "gdbstub/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"

/* ---- the packets ---- */

/* A packet's name is the longest one here that it begins with; behind a name with a `then`, that
 * must come or the packet must end. */
static const struct {
    const char *name;
    const char *then; /* characters of which one may follow; NULL: anything */
    gdb_handler *handle;
    unsigned needs; /* what QAllow may have forbidden */
} packets[] = {
    {"!", "", gdb_extended, 0},
    {"?", "", gdb_why, 0},
    {"C", NULL, gdb_C, 0},
    {"D", ";", gdb_detach, 0},
    {"G", NULL, gdb_G, GDB_WRITE_REG},
    {"H", NULL, gdb_H, 0},
    {"M", NULL, gdb_M, GDB_WRITE_MEM},
    {"P", NULL, gdb_P, GDB_WRITE_REG},
    {"QAllow", ":", gdb_allow, 0},
    {"QCatchSyscalls", ":", gdb_catch_syscalls, GDB_INSERT_BREAK},
    {"QDisableRandomization", ":", gdb_fine, 0},
    {"QEnableErrorStrings", "", gdb_error_strings, 0},
    {"QListThreadsInStopReply", "", gdb_list_threads, 0},
    {"QNonStop", ":", gdb_non_stop, 0},
    {"QPassSignals", ":", gdb_fine, 0},
    {"QProgramSignals", ":", gdb_fine, 0},
    {"QRestoreRegisterState", ":", gdb_restore, GDB_WRITE_REG},
    {"QSaveRegisterState", ";", gdb_save, 0},
    {"QStartNoAckMode", "", gdb_no_ack, 0},
    {"QStartupWithShell", ":", gdb_fine, 0},
    {"QTBuffer", ":", gdb_tbuffer, 0},
    {"QTDP", ":", gdb_tdp, GDB_INSERT_TRACE},
    {"QTDPsrc", ":", gdb_tdpsrc, 0},
    {"QTDV", ":", gdb_tdv, 0},
    {"QTDisable", ":", gdb_tdisable, 0},
    {"QTDisconnected", ":", gdb_tdisconnected, 0},
    {"QTEnable", ":", gdb_tenable, 0},
    {"QTFrame", ":", gdb_tframe, 0},
    {"QTNotes", ":", gdb_tnotes, 0},
    {"QTStart", "", gdb_tstart, 0},
    {"QTStop", "", gdb_tstop, 0},
    {"QThreadEvents", ":", gdb_fine, 0},
    {"QThreadSuffixSupported", "", gdb_thread_suffix, 0},
    {"QTinit", "", gdb_tinit, 0},
    {"QTro", ":", gdb_tro, 0},
    {"Qqemu.PhyMemMode", ":", gdb_phys_mode, 0},
    {"Qqemu.sstep", "=", gdb_sstep, 0},
    {"R", NULL, gdb_restart, GDB_WRITE_REG | GDB_WRITE_MEM | GDB_STOP},
    {"S", NULL, gdb_S, 0},
    {"T", NULL, gdb_T, 0},
    {"X", NULL, gdb_X, GDB_WRITE_MEM},
    {"Z", NULL, gdb_Z, GDB_INSERT_BREAK},
    {"bc", "", gdb_reverse, 0},
    {"bs", "", gdb_reverse, 0},
    {"c", NULL, gdb_c, 0},
    {"g", ";", gdb_g, 0},
    {"jThreadsInfo", "", gdb_threads_info, 0},
    {"k", "", gdb_kill, 0},
    {"m", NULL, gdb_m, 0},
    {"p", NULL, gdb_p, 0},
    {"qAttached", ":", gdb_attached, 0},
    {"qC", "", gdb_current, 0},
    {"qCRC", ":", gdb_crc, 0},
    {"qGDBServerVersion", "", gdb_version, 0},
    {"qGetTLSAddr", ":", gdb_tls, 0},
    {"qHostInfo", "", gdb_host_info, 0},
    {"qMemoryRegionInfo", ":", gdb_region, 0},
    {"qOffsets", "", gdb_offsets, 0},
    {"qProcessInfo", "", gdb_process_info, 0},
    {"qRcmd", ",", gdb_rcmd, 0},
    {"qRegisterInfo", NULL, gdb_register_info, 0},
    {"qSearch:memory", ":", gdb_search, 0},
    {"qShlibInfoAddr", "", gdb_nothing, 0},
    {"qSupported", ":", gdb_supported, 0},
    {"qSymbol", ":", gdb_symbol, 0},
    {"qTBuffer", ":", gdb_tupload, 0},
    {"qTP", ":", gdb_tp, 0},
    {"qTStatus", "", gdb_tstatus, 0},
    {"qTV", ":", gdb_tv, 0},
    {"qTfP", "", gdb_tpoint_first, 0},
    {"qTfV", "", gdb_tvar_first, 0},
    {"qThreadExtraInfo", ",", gdb_thread_extra, 0},
    {"qThreadStopInfo", NULL, gdb_thread_stop, 0},
    {"qTsP", "", gdb_tpoint_next, 0},
    {"qTsV", "", gdb_tvar_next, 0},
    {"qXfer", ":", gdb_xfer, 0},
    {"qfThreadInfo", "", gdb_thread_first, 0},
    {"qqemu.PhyMemMode", "", gdb_phys_query, 0},
    {"qqemu.sstep", "", gdb_sstep_query, 0},
    {"qqemu.sstepbits", "", gdb_sstep_bits, 0},
    {"qsThreadInfo", "", gdb_thread_next, 0},
    {"s", NULL, gdb_s, 0},
    {"vAttach", ";", gdb_vattach, GDB_STOP},
    {"vCont", ";", gdb_vcont, 0},
    {"vCont?", "", gdb_vcont_ask, 0},
    {"vCtrlC", "", gdb_vctrlc, GDB_STOP},
    {"vFile", ":", gdb_vfile, 0},
    {"vKill", ";", gdb_vkill, 0},
    {"vMustReplyEmpty", "", gdb_nothing, 0},
    {"vRun", ";", gdb_vrun, GDB_WRITE_REG | GDB_WRITE_MEM | GDB_STOP},
    {"vStopped", "", gdb_vstopped, 0},
    {"x", NULL, gdb_x, 0},
    {"z", NULL, gdb_z, GDB_INSERT_BREAK},
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
    if (packets[best].needs & s->denied) {
        gdb_error(s, EPERM, GDB_DENIED);
        return;
    }
    if (packets[best].then && packet->len > len)
        len++;
    packets[best].handle(s, (struct gdb_args){packet->data + len, packet->len - len});
}

/* ---- replies ---- */

void gdb_ok(struct gdb_session *s)
{
    buf_str(&s->reply, "OK");
}

/* "E.text" (GDB) or "Exx;text" (LLDB) if the client said that it takes that, else a number. */
void gdb_error(struct gdb_session *s, int errnum, const char *text)
{
    buf_reset(&s->reply);
    if (s->error_message) {
        buf_fmt(&s->reply, "E.%s", text);
        return;
    }
    buf_fmt(&s->reply, "E%02x", (errnum < 0 ? -errnum : errnum) & 0xff);
    if (s->error_strings) {
        buf_ch(&s->reply, ';');
        gdb_put_text(&s->reply, text);
    }
}

void gdb_put_text(struct buf *out, const char *text)
{
    gdb_put_hex(out, text, strlen(text));
}

void gdb_session_input(struct gdb_session *s)
{
    struct buf packet = BUF_INIT;

    while (!s->over && !gdb_wire_full(&s->wire)) {
        enum gdb_in in = gdb_wire_next(&s->wire, &packet);

        if (in == GDB_IN_NONE)
            break;
        if (in == GDB_IN_BAD) {
            log_warn(s->config->log, "gdb: a client sent a packet without end");
            s->over = true;
            break;
        }
        if (in == GDB_IN_BREAK) {
            if (!(s->denied & GDB_STOP) && !s->gone)
                ctl_client_pause(s->client);
            continue;
        }
        buf_reset(&s->reply);
        s->no_reply = s->unseen = false;
        carry_out(s, &packet);
        if (!s->no_reply)
            gdb_wire_send(&s->wire, &s->reply);
    }
    s->held = gdb_wire_full(&s->wire);
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

static bool take_all(const char **p)
{
    if (strncmp(*p, "-1", 2))
        return false;
    *p += 2;
    return true;
}

bool gdb_thread(const struct gdb_session *s, const char **p, int *cpu)
{
    uint64_t n;

    if (**p == 'p') {
        ++*p;
        if (!take_all(p) && (!gdb_hex(p, &n) || n > GDB_PROCESS))
            return false;
        if (**p != '.') {
            *cpu = GDB_ALL;
            return true;
        }
        ++*p;
    }
    if (take_all(p)) {
        *cpu = GDB_ALL;
        return true;
    }
    if (!gdb_hex(p, &n) || n > s->ncpus)
        return false;
    *cpu = n ? (int)n - 1 : (int)s->g_cpu;
    return true;
}

void gdb_put_thread(const struct gdb_session *s, unsigned cpu, struct buf *out)
{
    if (s->multiprocess)
        buf_fmt(out, "p%x.", GDB_PROCESS);
    buf_fmt(out, "%x", cpu + 1);
}

/* ---- life ---- */

static void look_at(struct gdb_job *j)
{
    j->s->ncpus = machine_ncpus(j->m);
    gdb_find_rows(j);
}

struct gdb_session *gdb_session_new(const struct gdb_config *config, struct err *e)
{
    struct gdb_session *s = xcalloc(1, sizeof *s);

    s->config = config;
    s->ctl = config->ctl;
    s->no_irq = true;
    for (unsigned i = 0; i < GDB_FILES; i++)
        s->files[i].fd = -1;
    s->frame = -1;
    s->client = ctl_client_new(s->ctl, "GDB", e);
    if (!s->client) {
        free(s);
        return NULL;
    }
    s->cmd = cmd_session_new(s->ctl, s->client);
    gdb_wire_init(&s->wire);
    buf_init(&s->reply);
    gdb_on_machine(s, look_at, (struct gdb_args){NULL, 0});
    /* A client finds the machine at rest. */
    ctl_client_pause(s->client);
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
    gdb_drop_saved(s);
    gdb_close_files(s);
    free(s->rows);
    vec_fini(&s->read_only);
    free(s);
}
