/*
 * cmd.h - the command table: name, arguments, help, completion, in one place for every front end.
 */
#ifndef CONTROL_CMD_H
#define CONTROL_CMD_H

#include "base/buf.h"
#include "control/ctl.h"

/* What commands act on; belongs to a front end's session.  One thread, not the machine's. */
struct cmd_session;
/* c outlives it, and the client whose commands these are; NULL: the console's. */
struct cmd_session *cmd_session_new(struct ctl *c, struct ctl_client *client);
void cmd_session_free(struct cmd_session *s);

/* How commands that let the machine run wait for its stop, while the front end goes on with its own
 * business.  False: the front end gave up, and the command ends at once.  NULL: ctl_wait. */
typedef bool cmd_wait_fn(void *opaque, struct ctl_stop *stop);
void cmd_session_on_wait(struct cmd_session *s, cmd_wait_fn *wait, void *opaque);

/* What a word of a command line may be, for completion. */
enum cmd_words {
    CMD_WORDS_NONE,
    CMD_WORDS_REGS,
    CMD_WORDS_INFO,
    CMD_WORDS_COMMANDS,
    CMD_WORDS_ADDRESSES, /* registers and symbols */
    CMD_WORDS_SYMBOLS,
    CMD_WORDS_EVENTS /* that catch knows, and then what they are of */
};

/* What a command does to the machine. */
enum {
    CMD_RUNS = 1,   /* lets it run */
    CMD_REGS = 2,   /* changes registers */
    CMD_MEMORY = 4, /* changes memory */
    CMD_POINTS = 8, /* makes, changes or removes breakpoints and the like */
};

struct cmd {
    const char *name;      /* "step" */
    const char *shorthand; /* "s", or NULL */
    const char *args;      /* "[N]" */
    const char *help;      /* one line */
    enum cmd_words words;
    unsigned max_args;
    unsigned does; /* CMD_RUNS and the like */
    /* argv[0] is the name.  Returns 0 or a negative errno; text for the person goes to out. */
    int (*run)(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e);
};
extern const struct cmd cmd_table[]; /* ends with a NULL name */

enum cmd_next { CMD_GO_ON, CMD_QUIT };
/* Parses a line, runs its command.  Unambiguous prefixes are enough; an empty line or one that
 * starts with # does nothing.  Errors are one line in *e. */
int cmd_run(struct cmd_session *s, const char *line, struct buf *out, enum cmd_next *next,
            struct err *e);
/* What a line's command does (CMD_RUNS and the like). */
unsigned cmd_does(const char *line);
/* The n-th completion (from 0) of the last word of the line, malloc'ed, or NULL. */
char *cmd_complete(struct cmd_session *s, const char *line, unsigned n);

/* Names of code from an ELF file, as the command symbols has it: "FILE" or "FILE@OFFSET". */
int cmd_symbols_add(struct cmd_session *s, const char *text, struct err *e);

/* Each unit of code of `what` (as for the command dump) is explained right after it is made, from now
 * on, to fn, which is called by the machine's thread.  Again: of this as well, and all to the new
 * fn.  opaque outlives the session's machine. */
typedef void cmd_text_fn(void *opaque, const char *text, size_t len);
int cmd_dump_watch(struct cmd_session *s, const char *what, cmd_text_fn *fn, void *opaque,
                   struct err *e);
/* A line for each of these units that there is now; nothing if none were to be explained. */
void cmd_dump_left(struct cmd_session *s, struct buf *out);

/* Why and where the machine is at rest, with the instruction there. */
void cmd_describe_stop(struct cmd_session *s, const struct ctl_stop *stop, struct buf *out);
/* The last stop that a command waited for; false if there was none. */
bool cmd_last_stop(const struct cmd_session *s, struct ctl_stop *stop);

#endif
