/*
 * run.c - glovebox run and glovebox debug: one machine with its console, and the
 * debugger's console beside it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem_alloc.h"
#include "cli/cli.h"
#include "cli/number.h"
#include "cli/options.h"
#include "cli/pump.h"
#include "control/cmd.h"
#include "gdbstub/server.h"
#include "host/host_clock.h"
#include "host/host_file.h"
#include "script/console.h"

#define PROMPT         "(glovebox) "
#define LAST_WORDS_NS  UINT64_C(1000000000) /* what a blocked terminal gets after a signal */
#define LINE_MAX_BYTES 65536

enum {
    OPT_STOP_AT = 0x200,
    OPT_MARKER,
    OPT_COUNTERS,
    OPT_HASH,
    OPT_PACED,
    OPT_NO_PACED,
    OPT_NO_REBOOT,
    OPT_GDB,
    OPT_GDB_FILES,
    OPT_WAIT,
    OPT_DUMP,
    OPT_DUMP_OUT,
    OPT_SYMBOLS
};

struct words {
    VEC(const char *);
};

#define GDB_SERVERS 4

struct run_options {
    struct cli_options machine;
    bool debug; /* the debugger comes first */
    uint64_t stop_at;
    const char *marker;
    bool counters, hash, no_reboot;
    const char *gdb[GDB_SERVERS];
    unsigned ngdb;
    struct cli_share gdb_files;
    bool wait;
    struct words dump, symbols;
    const char *dump_out; /* NULL: standard error */
    int paced;            /* -1: if a person is there, or somebody behind a network or port */
};

struct run {
    struct run_options o;
    struct cli_pump pump;
    bool pumping;
    struct machine *m; /* until ctl has it */
    struct ctl *ctl;
    struct cmd_session *session;
    struct gdb_server *gdb[GDB_SERVERS];
    bool paused; /* by the person */
    int dump_fd; /* of --dump; the machine's thread writes to it; -1: no more */
    bool over;   /* status is what the program ends with */
    bool killed; /* by the person */
    int status;
};

/* ---- options ---- */

/* clang-format off */
static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "This run:", 40},
    {"stop-at", OPT_STOP_AT, "COUNT", 0, "Stop when COUNT instructions were carried out, with K, M or G for powers of 1000", 40},
    {"marker", OPT_MARKER, "TEXT", 0, "Stop when the guest has printed TEXT; always at the same count", 40},
    {"no-reboot", OPT_NO_REBOOT, NULL, 0, "End when the guest reboots, instead of starting it again (debug stops there in any case)", 40},
    {"paced", OPT_PACED, NULL, 0, "While the guest waits, time passes as slowly as on the wall (if standard input is a terminal, or there is a network or port)", 40},
    {"no-paced", OPT_NO_PACED, NULL, 0, "Do not wait when the guest does", 40},
    {"counters", OPT_COUNTERS, NULL, 0, "In the end, print all counters to standard error", 40},
    {"dump", OPT_DUMP, "WHAT[,...]", 0, "Show each block of code of WHAT (a symbol, an ADDRESS, or START-END up to END; virtual, of whatever address space) when it is translated, before it runs, so that those which are gone in the end are not missed: guest code, IR before and after each pass, host code.  In the end, a line for each that is still there says how it is linked to others.  How often a block runs is not counted; may be repeated", 40},
    {"dump-out", OPT_DUMP_OUT, "FILE", 0, "Where --dump writes to (standard error)", 40},
    {"symbols", OPT_SYMBOLS, "FILE[@OFFSET]", 0, "An ELF file whose names, lines and frames --dump and the debugger may use, as vmlinux or a static program of the guest; OFFSET is added to its addresses.  Those of an ELF kernel or firmware are known without; may be repeated", 40},
    {"hash", OPT_HASH, NULL, 0, "In the end, print the count and a hash of the machine's state to standard error", 40},
    {"gdb", OPT_GDB, "[ADDR:]PORT|unix:PATH", 0, "Listen for GDB (target remote); on 127.0.0.1 unless an address is named; may be repeated", 40},
    {"gdb-files", OPT_GDB_FILES, "DIR[,ro]", 0, "GDB may read and, without ro, write the files beneath this folder (remote get, remote put); it is the root of the paths it names", 40},
    {"wait", OPT_WAIT, NULL, 0, "Wait before the first instruction until GDB or the console lets the machine run, as debug always does", 40},
    {0},
};
/* clang-format on */

static error_t parse_gdb(struct run_options *o, const char *arg)
{
    struct err e;

    if (o->ngdb < GDB_SERVERS) {
        o->gdb[o->ngdb++] = arg;
        return 0;
    }
    err_set(&e, EINVAL, "--gdb: %.100s is one too many; %d fit", arg, GDB_SERVERS);
    return cli_refuse(&o->machine, &e);
}

static error_t parse_gdb_files(struct run_options *o, const char *arg)
{
    struct err e;
    return cli_folder("--gdb-files", &o->gdb_files, arg, &e) ? cli_refuse(&o->machine, &e) : 0;
}

static error_t parse_stop_at(struct run_options *o, const char *arg)
{
    struct err e;
    return cli_count("--stop-at", arg, &o->stop_at, &e) ? cli_refuse(&o->machine, &e) : 0;
}

static error_t parse_marker(struct run_options *o, const char *arg)
{
    struct err e;

    if (!*arg || strlen(arg) > CLI_MARKER_MAX) {
        err_set(&e, EINVAL, "--marker: 1 to %d bytes", CLI_MARKER_MAX);
        return cli_refuse(&o->machine, &e);
    }
    o->marker = arg;
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct run_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->machine;
        return 0;
    case ARGP_KEY_ARG:
        return cli_kernel(&o->machine, arg);
    case OPT_STOP_AT:
        return parse_stop_at(o, arg);
    case OPT_MARKER:
        return parse_marker(o, arg);
    case OPT_COUNTERS:
        o->counters = true;
        return 0;
    case OPT_HASH:
        o->hash = true;
        return 0;
    case OPT_NO_REBOOT:
        o->no_reboot = true;
        return 0;
    case OPT_GDB:
        return parse_gdb(o, arg);
    case OPT_GDB_FILES:
        return parse_gdb_files(o, arg);
    case OPT_WAIT:
        o->wait = true;
        return 0;
    case OPT_DUMP:
        vec_push(&o->dump, arg);
        return 0;
    case OPT_DUMP_OUT:
        o->dump_out = arg;
        return 0;
    case OPT_SYMBOLS:
        vec_push(&o->symbols, arg);
        return 0;
    case OPT_PACED:
    case OPT_NO_PACED:
        o->paced = key == OPT_PACED;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&cli_machine_argp, 0, NULL, 0}, {0}};

static const char run_doc[] =
    "Run a machine; its serial port is standard input and output."
    "\vOn a terminal: C-a x quits, C-a c pauses and goes to the debugger's console, C-a h lists "
    "these "
    "keys, C-a C-a sends C-a.  The end of standard input is not the end of the machine.\n\n"
    "Exit status: 0 when the guest powers off, or where --stop-at, --marker or --no-reboot end the "
    "run; the guest's own code (1 to 255) when it fails; 1 when it waits for ever or "
    "ends without --marker's text; 2 for an error of ours, which is said; 128 plus a signal's number; 130 for C-a x.";
static const char debug_doc[] =
    "Make a machine, stop before its first instruction (or at --stop-at), and take debugger "
    "commands "
    "from standard input."
    "\vOn a terminal, Tab completes, an empty line repeats the last command, and while the machine "
    "runs "
    "keys go to it, Ctrl-C pauses it and C-a h lists other keys.  From a file or a pipe, each line "
    "is a "
    "command; the end of the input is quit.  The command help lists the commands.\n\n"
    "Exit status: 0; 1 if a command from a file or pipe failed; 2 for an error of ours; 128 plus a "
    "signal's number.";

/* ---- while the machine runs ---- */

static void end(struct run *r, int status)
{
    if (!r->over)
        r->status = status;
    r->over = true;
}

static void end_by(struct run *r, int sig)
{
    r->killed = true;
    end(r, CLI_SIGNAL + sig);
}

static void on_signal(struct run *r)
{
    if (r->o.debug && r->pump.signal == SIGINT)
        cli_pump_pause(&r->pump);
    else
        end_by(r, r->pump.signal);
    r->pump.signal = 0;
}

static void quit(struct run *r)
{
    if (r->o.debug)
        end(r, CLI_OK);
    else
        end_by(r, SIGINT);
}

/* Who reads standard input while the machine runs: in a script for the debugger, nobody. */
static enum cli_pump_in running_input(const struct run *r)
{
    return r->o.debug && !r->pump.in_tty ? CLI_IN_NOBODY : CLI_IN_GUEST;
}

static void show(struct run *r, struct buf *out)
{
    if (out->len)
        cli_pump_text(&r->pump, out->data, out->len);
    buf_reset(out);
    if (!cli_pump_drain(&r->pump, HOST_NEVER) && r->pump.signal)
        on_signal(r);
    if (r->pump.broken)
        end(r, CLI_ERROR);
}

/* Whether a person, or a script for the debugger, reads standard output. */
static bool has_console(const struct run *r)
{
    return r->pump.in_tty || r->o.debug;
}

/* A run that waits for others looks like one. */
static void tell_if_held(struct run *r)
{
    struct buf text = BUF_INIT;

    if (has_console(r) && ctl_held(r->ctl, &text))
        show(r, &text);
    buf_fini(&text);
}

/* Until the machine stops.  False: the program is to end; the machine is at rest nevertheless. */
static bool wait_for_stop(void *opaque, struct ctl_stop *stop)
{
    struct run *r = opaque;

    tell_if_held(r);
    cli_pump_raw(&r->pump);
    while (!r->over && !ctl_wait(r->ctl, 0, stop)) {
        unsigned events = cli_pump(&r->pump, running_input(r), HOST_NEVER);

        if (events & CLI_PUMP_SIGNAL)
            on_signal(r);
        if (events & CLI_PUMP_QUIT)
            end_by(r, SIGINT);
        if (events & CLI_PUMP_PAUSE) {
            r->paused = true;
            cli_pump_pause(&r->pump);
        }
        if (events & CLI_PUMP_BROKEN)
            end(r, CLI_ERROR);
    }
    if (r->over) {
        cli_pump_pause(&r->pump);
        ctl_wait(r->ctl, -1, stop);
    } else if (!cli_pump_drain(&r->pump, HOST_NEVER) && r->pump.signal) {
        on_signal(r);
    }
    cli_pump_cooked(&r->pump);
    cli_pump_flow(&r->pump);
    if (has_console(r))
        cli_pump_fresh_line(&r->pump);
    return !r->over;
}

/* ---- the debugger's console ---- */

static int end_status(const struct ctl_stop *stop)
{
    if (stop->end != BOARD_FAILED)
        return CLI_OK;
    return stop->code & 0xff ? (int)(stop->code & 0xff) : CLI_DIFFERENT;
}

/* False: it failed. */
static bool command(struct run *r, const char *line)
{
    struct buf out = BUF_INIT;
    struct ctl_stop stop;
    enum cmd_next next;
    struct err e;
    int rc = cmd_run(r->session, line, &out, &next, &e);

    show(r, &out);
    if (rc)
        log_error(r->o.machine.log, "%s", e.msg);
    if (next == CMD_QUIT)
        quit(r);
    /* For `run`, the guest's end is the program's. */
    if (!r->o.debug && cmd_last_stop(r->session, &stop) && stop.why == MACHINE_ENDED &&
        stop.end != BOARD_REBOOT)
        end(r, end_status(&stop));
    buf_fini(&out);
    return !rc;
}

static char *complete(void *opaque, const char *line, unsigned n)
{
    struct run *r = opaque;
    return cmd_complete(r->session, line, n);
}

/* A line was typed: an empty one repeats the last. */
static void typed(struct run *r, char *line, char **last)
{
    if (*line) {
        free(*last);
        *last = xstrdup(line);
    }
    if (*last)
        command(r, *last);
    free(line);
}

static void terminal_console(struct run *r)
{
    struct err e;
    struct script_console *c = script_console_new(PROMPT, complete, r, &e);
    char *last = NULL, *line;

    if (!c) {
        log_error(r->o.machine.log, "%s", e.msg);
        end(r, CLI_ERROR);
    }
    while (!r->over) {
        unsigned events;

        script_console_show(c);
        events = cli_pump(&r->pump, CLI_IN_CALLER, HOST_NEVER);
        if (events & CLI_PUMP_SIGNAL && r->pump.signal == SIGINT)
            script_console_cancel(c);
        else if (events & CLI_PUMP_SIGNAL)
            end_by(r, r->pump.signal);
        else if (events & CLI_PUMP_READABLE)
            switch (script_console_feed(c, &line)) {
            case SCRIPT_LINE:
                typed(r, line, &last);
                break;
            case SCRIPT_END:
                quit(r);
                break;
            case SCRIPT_MORE:
                break;
            }
    }
    free(last);
    script_console_free(c);
}

/* Carries out the whole lines in `in`, and at its end the rest. */
static bool script_lines(struct run *r, struct buf *in, bool at_end)
{
    bool ok = true;
    char *line = in->data, *newline;

    while (!r->over && (newline = strchr(line, '\n'))) {
        *newline = 0;
        ok &= command(r, line);
        line = newline + 1;
    }
    if (at_end && !r->over && *line)
        ok &= command(r, line);
    size_t rest = in->len - (size_t)(line - in->data);
    memmove(in->data, line, rest + 1);
    in->len = rest;
    return ok;
}

/* Commands from a file or a pipe. */
static void script_input(struct run *r)
{
    struct buf in = BUF_INIT;
    bool ok = true, at_end = false;

    while (!r->over && !at_end) {
        char data[4096];
        unsigned events = cli_pump(&r->pump, CLI_IN_CALLER, HOST_NEVER);
        int n = 0;

        if (events & CLI_PUMP_SIGNAL)
            end_by(r, r->pump.signal);
        if (events & CLI_PUMP_READABLE)
            n = host_fd_read_now(STDIN_FILENO, data, sizeof data);
        at_end = n < 0;
        if (n > 0)
            buf_add(&in, data, (size_t)n);
        if (in.len > LINE_MAX_BYTES && !strchr(in.data, '\n')) {
            log_error(r->o.machine.log, "standard input: a line of more than %d bytes",
                      LINE_MAX_BYTES);
            end(r, CLI_ERROR);
        }
        ok &= script_lines(r, &in, at_end);
    }
    buf_fini(&in);
    if (!r->over || r->status == CLI_OK)
        r->status = ok ? CLI_OK : CLI_DIFFERENT;
    r->over = true;
}

static void console(struct run *r)
{
    if (r->pump.in_tty)
        terminal_console(r);
    else
        script_input(r);
}

/* ---- run ---- */

static void reboot(struct run *r)
{
    struct err e;

    log_info(r->o.machine.log, "the guest reboots");
    if (ctl_reset(r->ctl, &e)) {
        log_error(r->o.machine.log, "%s", e.msg);
        end(r, CLI_ERROR);
    }
}

static void paused(struct run *r, const struct ctl_stop *stop)
{
    struct buf out = BUF_INIT;

    cmd_describe_stop(r->session, stop, &out);
    show(r, &out);
    buf_fini(&out);
    console(r);
}

static void stopped(struct run *r, const struct ctl_stop *stop)
{
    struct log *log = r->o.machine.log;

    switch (stop->why) {
    case MACHINE_ENDED:
        if (stop->end == BOARD_REBOOT && !r->o.no_reboot)
            reboot(r);
        else
            end(r, end_status(stop));
        break;
    case MACHINE_COUNT:
        end(r, CLI_OK);
        break;
    case MACHINE_IDLE:
        log_error(log, "every CPU waits, and nothing will ever wake one");
        end(r, CLI_DIFFERENT);
        break;
    default:
        if (r->pump.marker.seen)
            end(r, CLI_OK);
        else
            paused(r, stop);
    }
}

/* Whether somebody is there for it, or may yet come: a person at a terminal does not wait for that. */
static bool gdb_attended(const struct run *r)
{
    return r->o.ngdb && (!r->pump.in_tty || ctl_attended(r->ctl));
}

/* Whether GDB, and nobody else, has reason to see this stop. */
static bool for_gdb(const struct run *r, const struct ctl_stop *stop)
{
    return gdb_attended(r) && !r->paused && !r->pump.marker.seen &&
           (stop->why == MACHINE_BREAK || stop->why == MACHINE_INTERRUPTED || stop->stepped);
}

/* The machine is at rest for GDB, as the stop says, until GDB lets it run again.  False: the console
 * is wanted, by the person or as GDB is gone, where it was not to be waited for. */
static bool wait_for_gdb(struct run *r, bool may_come, const struct ctl_stop *stop)
{
    bool attended = true, ran = false;
    struct ctl_stop now;

    cli_pump_raw(&r->pump);
    while (!r->over && !r->paused && !ran && (may_come || attended)) {
        unsigned events = cli_pump(&r->pump, running_input(r), HOST_NEVER);

        if (events & CLI_PUMP_SIGNAL)
            on_signal(r);
        if (events & CLI_PUMP_QUIT)
            end_by(r, SIGINT);
        if (events & CLI_PUMP_BROKEN)
            end(r, CLI_ERROR);
        if (events & CLI_PUMP_PAUSE) {
            r->paused = true;
            cli_pump_pause(&r->pump);
        }
        attended = gdb_attended(r); /* before: a client that leaves lets go in the same moment */
        ran = !ctl_wait(r->ctl, 0, &now) || now.number != stop->number;
    }
    cli_pump_cooked(&r->pump);
    if (!ran)
        cli_pump_flow(&r->pump);
    return ran || r->over;
}

static void run_machine(struct run *r)
{
    struct ctl_stop stop = {.why = MACHINE_INTERRUPTED};
    bool held = r->o.wait, may_come = held;

    while (!r->over) {
        r->paused = false;
        if (held && !wait_for_gdb(r, may_come, &stop))
            paused(r, &stop);
        else if (!held)
            ctl_run(r->ctl, &(struct ctl_go){.until = r->o.stop_at});
        may_come = false;
        if (r->over || !wait_for_stop(r, &stop))
            break;
        held = for_gdb(r, &stop);
        if (!held)
            stopped(r, &stop);
    }
    if (r->o.marker && !r->pump.marker.seen && r->status == CLI_OK) {
        log_error(r->o.machine.log, "--marker: the guest never printed \"%s\"", r->o.marker);
        r->status = CLI_DIFFERENT;
    }
}

static void first_stop(struct run *r)
{
    struct buf out = BUF_INIT;
    struct ctl_stop stop;

    ctl_pause(r->ctl); /* it is the console that has it at rest */
    if (r->o.stop_at != UINT64_MAX)
        ctl_run(r->ctl, &(struct ctl_go){.until = r->o.stop_at});
    if (wait_for_stop(r, &stop)) {
        cmd_describe_stop(r->session, &stop, &out);
        show(r, &out);
    }
    buf_fini(&out);
}

/* ---- --dump ---- */

static void dump_close(struct run *r)
{
    if (r->o.dump_out && r->dump_fd >= 0)
        close(r->dump_fd);
    r->dump_fd = -1;
}

static int dump_open(struct run *r, struct err *e)
{
    const char *path = r->o.dump_out;

    if (path && !r->o.dump.len)
        return err_set(e, EINVAL, "--dump-out: there is nothing to write without --dump");
    r->dump_fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : STDERR_FILENO;
    return r->dump_fd < 0 ? err_sys(e, errno, "--dump-out: %s", path) : 0;
}

/* By the machine's thread. */
static void dump_text(void *opaque, const char *text, size_t len)
{
    struct run *r = opaque;
    int rc = r->dump_fd < 0 ? 0 : host_fd_write(r->dump_fd, text, len);

    if (!rc)
        return;
    log_error(r->o.machine.log, "--dump: %s: %s", r->o.dump_out ? r->o.dump_out : "standard error",
              strerror(-rc));
    dump_close(r);
}

static int dump_start(struct run *r, struct err *e)
{
    int rc = dump_open(r, e);

    for (size_t i = 0; i < r->o.symbols.len && !rc; i++)
        if (cmd_symbols_add(r->session, r->o.symbols.data[i], e))
            rc = err_prefix(e, "--symbols");
    for (size_t i = 0; i < r->o.dump.len && !rc; i++)
        if (cmd_dump_watch(r->session, r->o.dump.data[i], dump_text, r, e))
            rc = err_prefix(e, "--dump");
    return rc;
}

static void dump_end(struct run *r)
{
    struct buf out = BUF_INIT;

    cmd_dump_left(r->session, &out);
    if (out.len)
        dump_text(r, out.data, out.len);
    buf_fini(&out);
}

/* ---- the end ---- */

static void counter(void *opaque, const char *name, uint64_t value, const char *unit,
                    const char *doc)
{
    (void)opaque;
    fprintf(stderr, "%-24s %16" PRIu64 " %-8s %s\n", name, value, unit, doc);
}

static void report(struct machine *m, void *arg)
{
    struct run *r = arg;

    if (r->o.counters)
        machine_counters(m, counter, NULL);
    if (r->o.hash)
        fprintf(stderr, "count %" PRIu64 " hash %016" PRIx64 "\n", machine_count(m),
                machine_hash(m));
}

static void last_words(struct run *r)
{
    cli_pump_drain(&r->pump, r->killed ? host_monotonic_ns() + LAST_WORDS_NS : HOST_NEVER);
    if (cli_pump_left(&r->pump))
        log_warn(r->o.machine.log, "standard output: %zu bytes could not be written",
                 cli_pump_left(&r->pump));
    dump_end(r);
    ctl_call(r->ctl, report, r);
}

/* ---- wiring ---- */

/* From a server's thread: the program ends as by a signal of ours. */
static void killed(void *opaque)
{
    (void)opaque;
    kill(getpid(), SIGTERM);
}

static int open_gdb(struct run *r, struct err *e)
{
    int rc = cli_folder_open("--gdb-files", &r->o.gdb_files, e);

    if (rc)
        return rc;
    for (unsigned i = 0; i < r->o.ngdb; i++) {
        struct gdb_config config = {.where = r->o.gdb[i],
                                    .ctl = r->ctl,
                                    .log = r->o.machine.log,
                                    .files = r->o.gdb_files.share,
                                    .killed = killed,
                                    .opaque = r};

        r->gdb[i] = gdb_server_new(&config, e);
        if (!r->gdb[i])
            return -EINVAL;
        log_info(r->o.machine.log, "gdb: target remote %s", gdb_server_where(r->gdb[i]));
    }
    return 0;
}

static int make(struct run *r, struct err *e)
{
    struct cli_options *o = &r->o.machine;
    int rc = cli_options_check(o, e);

    rc = rc ? rc : cli_options_open(o, e);
    if (rc)
        return rc;
    o->config.board.console = cli_pump_chars(&r->pump);
    o->config.paced = r->o.paced < 0
                          ? host_tty_is(STDIN_FILENO) || o->doors.nnets || o->doors.nports
                          : r->o.paced;
    r->m = machine_new(&o->config, e);
    rc = r->m ? cli_write_dtb(o, r->m, e) : -EINVAL;
    if (rc)
        return rc;
    rc = cli_pump_init(&r->pump, o->log, r->o.marker, e);
    if (rc)
        return rc;
    r->pumping = true;
    r->ctl = ctl_new(r->m, e);
    if (!r->ctl)
        return -EINVAL;
    if (!r->o.debug) /* which only begins there */
        ctl_set_end(r->ctl, r->o.stop_at);
    r->pump.m = r->m;
    r->m = NULL;
    r->pump.ctl = r->ctl;
    r->pump.client = ctl_client_new(r->ctl, NULL, e);
    if (!r->pump.client)
        return -EINVAL;
    r->pump.ctrl_c_pauses = r->o.debug;
    r->session = cmd_session_new(r->ctl, NULL);
    cmd_session_on_wait(r->session, wait_for_stop, r);
    rc = open_gdb(r, e);
    return rc ? rc : dump_start(r, e);
}

static void fini(struct run *r)
{
    if (r->pump.ctl) /* clients that leave now do not let it run */
        cli_pump_pause(&r->pump);
    for (unsigned i = 0; i < r->o.ngdb; i++)
        gdb_server_free(r->gdb[i]);
    cmd_session_free(r->session);
    ctl_client_free(r->pump.client);
    ctl_free(r->ctl);
    machine_free(r->m);
    if (r->pumping)
        cli_pump_fini(&r->pump);
    cli_folder_fini(&r->o.gdb_files);
    dump_close(r);
    vec_fini(&r->o.dump);
    vec_fini(&r->o.symbols);
    if (cli_options_fini(&r->o.machine))
        r->status = CLI_ERROR;
}

static int run_or_debug(struct log *log, bool debug, int argc, char **argv)
{
    const struct argp argp = {options,  parse, "[KERNEL]", debug ? debug_doc : run_doc,
                              children, NULL,  NULL};
    struct run r = {.o = {.debug = debug, .stop_at = UINT64_MAX, .paced = -1}, .dump_fd = -1};
    struct err e;

    cli_options_init(&r.o.machine, log);
    r.status = cli_parse(&argp, argc, argv, &r.o);
    if (!r.status && make(&r, &e)) {
        log_error(log, "%s", e.msg);
        r.status = CLI_ERROR;
    } else if (!r.status) {
        if (debug) {
            first_stop(&r);
            console(&r);
        } else {
            run_machine(&r);
        }
        last_words(&r);
    }
    fini(&r);
    return r.status;
}

int cli_run(struct log *log, int argc, char **argv)
{
    return run_or_debug(log, false, argc, argv);
}

int cli_debug(struct log *log, int argc, char **argv)
{
    return run_or_debug(log, true, argc, argv);
}
