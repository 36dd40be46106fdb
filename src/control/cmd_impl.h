/*
 * cmd_impl.h - among cmd*.c: a session, and work on the machine's thread.
 */
#ifndef CONTROL_CMD_IMPL_H
#define CONTROL_CMD_IMPL_H

#include "control/cmd.h"
#include "debug/disas.h"
#include "debug/dump.h"
#include "debug/expr.h"
#include "debug/symbols.h"

#define CMD_ARGS_MAX 64

struct cmd_session {
    struct ctl *ctl;
    struct ctl_client *client; /* NULL: the console */
    cmd_wait_fn *wait;
    void *wait_opaque;
    struct dbg_disas *disas; /* these two: used inside ctl_call */
    struct dbg_dump *dump;   /* NULL: nothing is explained when it is made */
    unsigned cpu;            /* that commands look at */
    uint64_t disas_at;       /* where "disas" goes on; valid if disas_again */
    bool disas_again;
    struct dbg_plan plan; /* of a command that runs to somewhere */
    bool kernel_sought; /* for an address that has no name; a name is always sought for */
    bool stopped;       /* last_stop is valid */
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
/* An expression (debug/expr.h): "pc+8", "$sp-0x10", "main". */
int cmd_value(const struct cmd_job *j, const char *text, uint64_t *v, struct err *e);
/* What an address is in, or NULL; the running kernel's own symbols are looked for once. */
const struct dbg_symbol *cmd_symbol_at(const struct cmd_job *j, uint64_t addr);
/* What expressions find symbols by: if a name is unknown, the running kernel's own are looked for. */
struct dbg_names cmd_names(const struct cmd_job *j);
/* The first symbol of that name, or NULL; if the name is unknown, perhaps the running kernel knows it. */
const struct dbg_symbol *cmd_named(const struct cmd_job *j, const char *name);
/* -ENOENT, with names that are like it. */
int cmd_no_symbol(struct dbg_symbols *t, const char *name, struct err *e);
/* The words [from, to) with blanks between, malloc'ed. */
char *cmd_words_join(const struct cmd_job *j, int from, int to);

/* Where code is: what is said by *EXPR (exactly there), FILE:LINE, a function's name (behind its
 * prologue; each of that name), or an expression; with phys: before it an address in physical memory. */
struct cmd_where {
    struct dbg_addrs addrs; /* at least one */
    bool physical;
};
int cmd_where(const struct cmd_job *j, const char *text, struct cmd_where *w);
/* "name+0x10 at file:line", what is known of it. */
void cmd_place(const struct cmd_job *j, uint64_t addr, struct buf *out);

typedef int cmd_fn(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e);
cmd_fn cmd_awatch, cmd_backtrace, cmd_break, cmd_catch, cmd_condition, cmd_continue, cmd_cpu, cmd_delete,
    cmd_disable, cmd_disas, cmd_dump, cmd_enable, cmd_explain, cmd_finish, cmd_hash, cmd_help, cmd_hold, cmd_ignore,
    cmd_info, cmd_line, cmd_list, cmd_next, cmd_nextline, cmd_print, cmd_quit, cmd_regs, cmd_release,
    cmd_reset, cmd_rwatch, cmd_set, cmd_step, cmd_stepline, cmd_symbol, cmd_symbols, cmd_tbreak, cmd_until, cmd_walk,
    cmd_watch, cmd_x, cmd_xp;

/* A job: ends s->dump. */
int cmd_dump_end(struct cmd_job *j);

/* What info can show, what catch knows; NULL behind the last. */
const char *cmd_info_topic(unsigned n);
const char *cmd_event_name(unsigned n);
/* Whether an event is of code, for which there are symbols; what else may stand behind its name. */
bool cmd_event_of_code(const char *event);
const char *cmd_event_word(const char *event, unsigned n);

#endif
