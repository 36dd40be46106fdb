/*
 * cmd_impl.h - among cmd*.c: a session, and work on the machine's thread.
 */
#ifndef CONTROL_CMD_IMPL_H
#define CONTROL_CMD_IMPL_H

#include "control/cmd.h"
#include "debug/disas.h"
#include "debug/dump.h"
#include "debug/symbols.h"

#define CMD_ARGS_MAX 64

struct cmd_session {
    struct ctl *ctl;
    cmd_wait_fn *wait;
    void *wait_opaque;
    struct dbg_disas *disas;     /* these three: used inside ctl_call */
    struct dbg_symbols *symbols; /* those of the board to begin with */
    struct dbg_dump *dump;       /* NULL: nothing is explained when it is made */
    unsigned cpu;            /* that commands look at */
    uint64_t disas_at;       /* where "disas" goes on; valid if disas_again */
    bool disas_again;
    bool stopped; /* last_stop is valid */
    struct ctl_stop last_stop;
    enum cmd_next next;
};

/* A command's part that runs on the machine's thread. */
struct cmd_job {
    struct cmd_session *s;
    struct machine *m;
    struct cpu *c; /* the session's */
    int argc;
    char **argv;
    struct buf *out;
    struct err *e;
    uint64_t value; /* a result */
};
int cmd_on_machine(struct cmd_session *s, int (*fn)(struct cmd_job *j), int argc, char **argv,
                   struct buf *out, struct err *e, uint64_t *value);

/* A plain number: decimal, 0x, 0b or 0 octal. */
int cmd_number(const char *text, uint64_t *v, struct err *e);
/* The one at the start of text, and where it ends; NULL if there is none. */
const char *cmd_number_start(const char *text, uint64_t *v);
/* Numbers, registers and symbols with + and - between: "pc+8", "$sp-0x10", "main". */
int cmd_value(const struct cmd_job *j, const char *text, uint64_t *v, struct err *e);

/* Lets the machine run, waits, and tells of the stop. */
int cmd_go(struct cmd_session *s, uint64_t until, struct buf *out, struct err *e);

typedef int cmd_fn(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e);
cmd_fn cmd_break, cmd_continue, cmd_cpu, cmd_delete, cmd_disas, cmd_dump, cmd_explain, cmd_hash,
    cmd_help, cmd_info, cmd_quit, cmd_regs, cmd_reset, cmd_set, cmd_step, cmd_symbols, cmd_until,
    cmd_walk, cmd_x, cmd_xp;

/* A job: ends s->dump. */
int cmd_dump_end(struct cmd_job *j);

/* What info can show; NULL behind the last. */
const char *cmd_info_topic(unsigned n);

#endif
