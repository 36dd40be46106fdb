/*
 * session.h - one client of a GDB server, among the files of this folder.
 *
 * session.c knows the packets by name and sends replies; the other files carry them out:
 * regs.c, memory.c, points.c, syscalls.c, resume.c (running, and stop replies), query.c, lldb.c,
 * files.c, trace.c, xml.c.
 * The server's thread only.  What touches the machine goes through gdb_on_machine.
 */
#ifndef GDBSTUB_SESSION_H
#define GDBSTUB_SESSION_H

#include "control/cmd.h"
#include "gdbstub/packet.h"
#include "gdbstub/server.h"

#define GDB_FILES   16 /* that a client has open */
#define GDB_RETURNS 16 /* of system calls that are waited for */
#define GDB_SAVED   16 /* sets of registers */

/* What points take. */
struct gdb_load {
    size_t points;    /* in dbg_points */
    size_t programs;  /* bytes of conditions and commands */
    uint64_t watched; /* bytes */
};

/* A point that the client set by Z: one for each of its conditions. */
struct gdb_point {
    unsigned type; /* of the packet */
    uint64_t addr, kind;
    struct gdb_load load;
    struct {
        VEC(unsigned);
    } numbers; /* in dbg_points */
};

/* A system call that was told, and the breakpoint behind it. */
struct gdb_return {
    unsigned point; /* its number */
    uint64_t number, pc, sp;
};

/* Registers that were put by. */
struct gdb_saved {
    unsigned id;
    uint64_t *values; /* of GDB_REGS */
};

/* What QAllow can forbid; a bit each. */
enum {
    GDB_WRITE_REG = 1,
    GDB_WRITE_MEM = 2,
    GDB_INSERT_BREAK = 4,
    GDB_STOP = 8,
    GDB_INSERT_TRACE = 16,
};
#define GDB_DENIED "QAllow forbade that"

/* [start, end) */
struct gdb_range {
    uint64_t start, end;
};

struct gdb_session {
    const struct gdb_config *config;
    struct ctl *ctl;
    struct ctl_client *client;
    struct cmd_session *cmd; /* for monitor */
    struct gdb_wire wire;
    struct buf reply;   /* to the packet that is being carried out */
    bool no_reply;      /* it comes later: the machine runs */
    bool over;          /* hang up when all is sent */
    bool held;          /* there may be packets, for which there was no room to answer */

    unsigned ncpus;
    unsigned g_cpu, c_cpu; /* the CPUs of g and c packets (Hg, Hc) */
    bool swbreak, hwbreak, error_message, extended, phys;
    bool multiprocess; /* threads are named with their process */
    bool gone;         /* the client stays without a process: it left ours, or that ended */
    bool thread_suffix, list_threads, error_strings; /* LLDB */
    unsigned denied;   /* QAllow */
    int16_t *rows;     /* of registers by their GDB numbers; -1: there is none */
    unsigned nrows;
    unsigned list_at;  /* qsThreadInfo: the next one */
    bool no_irq;       /* steps hold interrupts */

    /* Of traces: see trace.c. */
    int64_t frame; /* that is looked at in place of the machine; -1: none */
    struct {
        VEC(struct gdb_range);
    } read_only;     /* memory that a frame need not have */
    bool step_actions; /* of the tracepoint that is being defined */
    size_t up_point, up_text, up_var; /* what goes up next */

    struct {
        VEC(struct gdb_point);
    } points;
    struct gdb_load load; /* of all of them */
    unsigned syscalls; /* the catchpoint's number; 0: there is none */
    struct gdb_return returns[GDB_RETURNS];
    unsigned nreturns;
    uint64_t returns_at; /* machine_count when those that are disabled were */
    struct gdb_saved saved[GDB_SAVED];
    unsigned last_saved;
    struct gdb_file {
        int fd; /* -1: none */
    } files[GDB_FILES];

    /* Running: see resume.c. */
    bool waiting;        /* all-stop: a stop reply is owed */
    bool unseen;         /* the last stop was told, and nothing was heard of the client since */
    bool non_stop;
    uint32_t stopped;    /* non-stop: CPUs that are stopped, and frozen while others run */
    uint32_t told;       /* of these, those the client knows of */
    bool telling;        /* a notification is out, not all of which the client has fetched */
    bool first;          /* the reply to ? is */
    uint32_t steps;      /* non-stop: of those that run, the ones that are to be stepped */
    struct gdb_range step_ranges[32]; /* while in which */
    struct ctl_stop stop; /* the last one */
    struct ctl_stop stops[32]; /* non-stop: of each CPU that is stopped */
};

/* ---- session.c ---- */

/* NULL with a message.  config outlives it. */
struct gdb_session *gdb_session_new(const struct gdb_config *config, struct err *e);
/* After gdb_let_go, if that was not done. */
void gdb_session_free(struct gdb_session *s);
/* Carries out what the client sent. */
void gdb_session_input(struct gdb_session *s);
/* ctl has news. */
void gdb_session_news(struct gdb_session *s);

/* Replies. */
void gdb_ok(struct gdb_session *s);
void gdb_error(struct gdb_session *s, int errnum, const char *text);
/* Appends a text as hexadecimal digits. */
void gdb_put_text(struct buf *out, const char *text);

/* What a handler gets: the packet behind its name. */
struct gdb_args {
    const char *p; /* terminated */
    size_t len;
};
typedef void gdb_handler(struct gdb_session *s, struct gdb_args a);

/* Runs fn with the machine and the session, at an instruction boundary. */
struct gdb_job {
    struct gdb_session *s;
    struct machine *m;
    struct cpu *c; /* the session's g_cpu */
    struct gdb_args a;
};
void gdb_on_machine(struct gdb_session *s, void (*fn)(struct gdb_job *j), struct gdb_args a);

/* The machine is process 1, and a CPU a thread: its number + 1, or "p1.NUMBER"; "-1": all, "0": any.
 * False: there is no such thread. */
enum { GDB_ALL = -1, GDB_PROCESS = 1 };
bool gdb_thread(const struct gdb_session *s, const char **p, int *cpu);
void gdb_put_thread(const struct gdb_session *s, unsigned cpu, struct buf *out);

/* ---- by file ---- */

gdb_handler gdb_g, gdb_G, gdb_p, gdb_P, gdb_save, gdb_restore; /* regs.c */
gdb_handler gdb_m, gdb_M, gdb_X, gdb_x, gdb_search, gdb_crc; /* memory.c */
gdb_handler gdb_Z, gdb_z;                           /* points.c */
gdb_handler gdb_catch_syscalls;                     /* syscalls.c */
gdb_handler gdb_vfile;                              /* files.c */
gdb_handler gdb_host_info, gdb_process_info, gdb_region, gdb_register_info, gdb_thread_suffix,
    gdb_list_threads, gdb_error_strings, gdb_threads_info, gdb_thread_stop, gdb_version; /* lldb.c */
gdb_handler gdb_why, gdb_c, gdb_s, gdb_C, gdb_S, gdb_vcont, gdb_vcont_ask, gdb_vctrlc, gdb_vstopped,
    gdb_non_stop, gdb_detach, gdb_kill, gdb_vkill, gdb_vrun, gdb_vattach, gdb_restart,
    gdb_reverse; /* resume.c */
gdb_handler gdb_H, gdb_T, gdb_extended, gdb_supported, gdb_no_ack, gdb_thread_first,
    gdb_thread_next, gdb_thread_extra, gdb_current, gdb_attached, gdb_rcmd, gdb_phys_mode,
    gdb_phys_query, gdb_sstep, gdb_sstep_query, gdb_sstep_bits, gdb_xfer, gdb_symbol, gdb_offsets,
    gdb_nothing, gdb_fine, gdb_allow, gdb_tls; /* query.c */
gdb_handler gdb_tinit, gdb_tdp, gdb_tdpsrc, gdb_tdv, gdb_tstart, gdb_tstop, gdb_tenable,
    gdb_tdisable, gdb_tro, gdb_tdisconnected, gdb_tbuffer, gdb_tnotes, gdb_tframe, gdb_tstatus,
    gdb_tp, gdb_tv, gdb_tpoint_first, gdb_tpoint_next, gdb_tvar_first, gdb_tvar_next,
    gdb_tupload; /* trace.c */

void gdb_drop_points(struct gdb_session *s);
/* The client's point with that number in dbg_points, or NULL. */
const struct gdb_point *gdb_point_of(const struct gdb_session *s, unsigned number);
/* Appends the words for a system call that was hit; false: there was none. */
bool gdb_put_syscall(struct gdb_job *j, const struct dbg_hit *hit, struct buf *out);
void gdb_drop_syscalls(struct gdb_session *s);
void gdb_close_files(struct gdb_session *s);

/* The registers of a g packet: integers, pc, floats, which have the numbers from 0 on. */
#define GDB_REGS 65
/* The row of a register by its number, or -1. */
int gdb_row(const struct gdb_session *s, uint64_t number);
void gdb_find_rows(struct gdb_job *j);
/* Appends a register's value. */
void gdb_put_reg(struct cpu *c, uint32_t row, struct buf *out);
/* The frame that the session looks at; NULL: the machine itself. */
const struct dbg_trace_frame *gdb_frame(const struct gdb_session *s);
/* What it has of a register; false: nothing. */
bool gdb_frame_reg(const struct gdb_session *s, const struct guest_reg *r, uint64_t *value);
uint64_t gdb_frame_memory(struct gdb_job *j, uint64_t addr, void *buf, uint64_t len);
/* qXfer:traceframe-info: what the frame has. */
void gdb_frame_info(struct gdb_job *j, struct buf *out);
/* The client goes; the trace that it started too, unless it is to go on. */
void gdb_trace_left(struct gdb_session *s);

/* The registers a stop reply brings along, as "n1:r1;n2:r2;". */
void gdb_expedite(struct gdb_job *j, struct buf *out);
void gdb_drop_saved(struct gdb_session *s);

/* What LLDB wants to know of a register, besides what GDB does: attributes of the target
 * description. */
void gdb_lldb_attributes(const struct guest_reg *r, struct buf *out);
/* GDB's signal for a stop, and its stop reply. */
unsigned gdb_signal(const struct ctl_stop *stop);
void gdb_describe(struct gdb_session *s, const struct ctl_stop *stop, unsigned signal,
                  struct buf *out);
/* Target description, memory map and threads, as qXfer has them. */
enum gdb_object { GDB_OBJECT, GDB_NO_ANNEX, GDB_NO_OBJECT };
enum gdb_object gdb_xml(struct gdb_job *j, const char *object, const char *annex, struct buf *out);

/* "LENGTH,BYTES" of an agent expression, at j->a.p, which moves behind it. */
int gdb_take_agent(struct gdb_job *j, struct dbg_agent *agent, struct err *e);

/* All is given up: the client attends no more, and where nobody else has it stopped the machine runs
 * on. */
void gdb_let_go(struct gdb_session *s);

#endif
