/*
 * cmd_impl.h - among cmd*.c: a session, and work on the machine's thread.
 */
#ifndef CONTROL_CMD_IMPL_H
#define CONTROL_CMD_IMPL_H

#include "control/cmd.h"
#include "debug/disas.h"

#define CMD_ARGS_MAX 64

struct cmd_session {
    struct ctl *ctl;
    cmd_wait_fn *wait;
    void *wait_opaque;
    struct dbg_disas *disas; /* used inside ctl_call */
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
/* Numbers and registers with + and - between: "pc+8", "$sp-0x10". */
int cmd_value(const struct cmd_job *j, const char *text, uint64_t *v, struct err *e);

/* Lets the machine run, waits, and tells of the stop. */
int cmd_go(struct cmd_session *s, uint64_t until, struct buf *out, struct err *e);

typedef int cmd_fn(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e);
cmd_fn cmd_break, cmd_continue, cmd_cpu, cmd_delete, cmd_disas, cmd_explain, cmd_hash, cmd_help,
    cmd_info, cmd_quit, cmd_regs, cmd_reset, cmd_set, cmd_step, cmd_until, cmd_walk, cmd_x, cmd_xp;

/* What info can show; NULL behind the last. */
const char *cmd_info_topic(unsigned n);

#endif
