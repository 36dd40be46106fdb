/*
 * pump.h - between the guest's console, the person's terminal and the signals.
 *
 * The machine's thread writes to and reads from queues in memory and is never
 * kept by a slow terminal for longer than the person allows; the main thread moves
 * bytes between the queues and standard input and output, in cli_pump.  The guest's output
 * may be at most a few megabytes ahead of the terminal: then the machine waits, unless somebody
 * wants it to stop.
 *
 * While the guest has the terminal it is raw, and Ctrl-A is the escape key.
 */
#ifndef CLI_PUMP_H
#define CLI_PUMP_H

#include "base/buf.h"
#include "base/log.h"
#include "cli/marker.h"
#include "control/ctl.h"
#include "host/host_thread.h"
#include "host/host_tty.h"

#define CLI_KEYS_MAX 4096 /* bytes that wait for the guest */

struct cli_pump {
    struct log *log;
    struct machine *m; /* these: set once the machine is there */
    struct ctl *ctl;
    struct ctl_client *client; /* of it; likewise */
    bool ctrl_c_pauses; /* instead of being the guest's */

    bool in_tty, in_end;  /* standard input is a terminal; has come to its end */
    int out_fd;           /* where output goes; does not block if that can be had */
    bool out_own;         /* out_fd is to be closed */
    struct host_tty *tty; /* while raw */
    int signal_fd;
    int signal;            /* the last one that came; 0: none, or its reader has seen to it */
    bool escape;           /* Ctrl-A was pressed */
    struct host_wake wake; /* there is output */

    struct host_mutex lock; /* of all that follows */
    struct host_cond room;
    struct buf out;
    size_t out_at;  /* bytes of out that have gone */
    bool free_flow; /* the machine must not wait for room */
    uint8_t last;   /* byte that was put there; 0: none yet */
    bool broken;    /* standard output takes nothing any more: output is dropped */
    uint8_t keys[CLI_KEYS_MAX];
    size_t nkeys;
    struct cli_marker marker;
};

/* Takes over signals and standard input and output.  marker may be NULL: see run.c. */
int cli_pump_init(struct cli_pump *p, struct log *log, const char *marker, struct err *e);
void cli_pump_fini(struct cli_pump *p);

/* The machine's door to it.  Nothing can be read if standard input is /dev/null or closed. */
struct dev_chars cli_pump_chars(struct cli_pump *p);

/* The guest gets the terminal, or gives it back. */
void cli_pump_raw(struct cli_pump *p);
void cli_pump_cooked(struct cli_pump *p);

/* Asks the machine to stop, which then waits for nothing; cli_pump_flow undoes that. */
void cli_pump_pause(struct cli_pump *p);
void cli_pump_flow(struct cli_pump *p);

enum cli_pump_event {
    CLI_PUMP_NEWS = 1,     /* ctl has news */
    CLI_PUMP_SIGNAL = 2,   /* p->signal */
    CLI_PUMP_QUIT = 4,     /* Ctrl-A x */
    CLI_PUMP_PAUSE = 8,    /* Ctrl-A c, or Ctrl-C */
    CLI_PUMP_BROKEN = 16,  /* standard output takes nothing any more; said so */
    CLI_PUMP_READABLE = 32 /* the caller may read standard input */
};
/* Who gets standard input. */
enum cli_pump_in { CLI_IN_NOBODY, CLI_IN_GUEST, CLI_IN_CALLER };

/* Waits for something to do until a time (HOST_NEVER: none), does it, and tells what the caller
 * must look after. */
unsigned cli_pump(struct cli_pump *p, enum cli_pump_in in, uint64_t until_ns);

/* Queues text of our own behind what the guest wrote. */
void cli_pump_text(struct cli_pump *p, const char *text, size_t len);
/* What follows starts on a line of its own. */
void cli_pump_fresh_line(struct cli_pump *p);
/* Waits until all is written.  False: a signal came first, or there is no more writing; what is
 * left stays. */
bool cli_pump_drain(struct cli_pump *p, uint64_t until_ns);
/* Bytes that were not written. */
size_t cli_pump_left(struct cli_pump *p);

#endif
