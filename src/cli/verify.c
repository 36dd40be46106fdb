/* verify.c - glovebox verify: the same guest on two engines, compared as they go. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mem_alloc.h"
#include "cli/cli.h"
#include "cli/marker.h"
#include "cli/number.h"
#include "cli/options.h"
#include "debug/disturb.h"
#include "host/host_clock.h"
#include "host/host_tty.h"
#include "ir/ir.h"
#include "replay/verify.h"

#define DEFAULT_INTERVAL UINT64_C(1000000)
#define PROGRESS_NS      UINT64_C(200000000)

enum { OPT_ENGINES = 0x300, OPT_INTERVAL, OPT_UNTIL, OPT_MARKER, OPT_BREAK_OP, OPT_DISTURB };

struct verify {
    struct cli_options o;
    char *engines; /* "interp,jit", cut at the comma; owned */
    uint64_t interval, until;
    int break_op;
    bool disturb;
    uint64_t seed; /* of that */
    struct cli_marker marker;
    int signal_fd, signal;
    bool progress; /* standard error is a terminal */
    uint64_t next_progress;
};

/* clang-format off */
static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "The comparison:", 40},
    {"engines", OPT_ENGINES, "A,B", 0, "What runs the two machines (interp,jit)", 40},
    {"interval", OPT_INTERVAL, "N", 0, "Instructions between two comparisons, with K, M or G for powers of 1000 (1M)", 40},
    {"until", OPT_UNTIL, "COUNT", 0, "End after COUNT instructions (when the guest ends)", 40},
    {"marker", OPT_MARKER, "TEXT", 0, "End when the guest has printed TEXT", 40},
    {"break-op", OPT_BREAK_OP, "OP", 0, "Proof that differences are found: the JIT computes this IR operation, on two integers, wrongly", 40},
    {"disturb", OPT_DISTURB, "SEED", 0, "Run the second machine under a debugger that sets and deletes points of all kinds, steps, pauses and looks at everything, at random by SEED; none of it may change what the guest does", 40},
    {0},
};
/* clang-format on */

static int break_op(struct verify *v, const char *name, struct err *e)
{
    for (unsigned i = 0; i < IR_OP_COUNT; i++) {
        if (!strcmp(ir_ops[i].name, name)) {
            v->break_op = (int)i;
            return 0;
        }
    }
    return err_set(e, EINVAL, "--break-op: there is no IR operation \"%.40s\"", name);
}

static int engines(struct verify *v, const char *text, struct err *e)
{
    const char *comma = strchr(text, ',');

    if (!comma || comma == text || !comma[1] || strchr(comma + 1, ','))
        return err_set(e, EINVAL, "--engines: \"%.60s\" is not like interp,jit", text);
    free(v->engines);
    v->engines = xstrdup(text);
    v->engines[comma - text] = 0;
    return 0;
}

static int parse_value(struct verify *v, int key, const char *arg, struct err *e)
{
    int rc;

    switch (key) {
    case OPT_ENGINES:
        return engines(v, arg, e);
    case OPT_INTERVAL:
        rc = cli_count("--interval", arg, &v->interval, e);
        return rc || v->interval ? rc : err_set(e, EINVAL, "--interval: at least 1");
    case OPT_UNTIL:
        return cli_count("--until", arg, &v->until, e);
    case OPT_MARKER:
        if (!*arg || strlen(arg) > CLI_MARKER_MAX)
            return err_set(e, EINVAL, "--marker: 1 to %d bytes", CLI_MARKER_MAX);
        cli_marker_init(&v->marker, arg);
        return 0;
    case OPT_DISTURB:
        v->disturb = true;
        return cli_count("--disturb", arg, &v->seed, e);
    default: /* OPT_BREAK_OP */
        return break_op(v, arg, e);
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct verify *v = state->input;
    struct err e;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &v->o;
        return 0;
    case ARGP_KEY_ARG:
        return cli_kernel(&v->o, arg);
    case OPT_ENGINES:
    case OPT_INTERVAL:
    case OPT_UNTIL:
    case OPT_MARKER:
    case OPT_BREAK_OP:
    case OPT_DISTURB:
        return parse_value(v, key, arg, &e) ? cli_refuse(&v->o, &e) : 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&cli_machine_argp, 0, NULL, 0}, {0}};
static const char doc[] =
    "Run the same machine on two engines, compare a hash of all of their state at intervals, and "
    "where "
    "they differ, find the first instruction that they do not agree on."
    "\vThe guest's console goes nowhere, and it gets no input.  What comes through networks and ports "
    "is given to both machines alike.  Disks and flash are not changed: what the guest writes is kept in "
    "memory.  Shared folders and that of --semihosting must be read only.  --engines says what runs, not "
    "--engine.\n\n"
    "Exit status: 0 the same, 1 different, 2 for an error of ours, which is said, or if --marker's text "
    "was never printed; 128 plus a "
    "signal's number.";

/* ---- while it runs ---- */

static bool on_console(void *opaque, const uint8_t *data, size_t len)
{
    struct verify *v = opaque;
    return cli_marker_feed(&v->marker, data, len);
}

static void show_progress(struct verify *v, uint64_t count, uint64_t hash)
{
    uint64_t now = host_monotonic_ns();

    if (!v->progress || now < v->next_progress)
        return;
    v->next_progress = now + PROGRESS_NS;
    fprintf(stderr, "\rsame at %" PRIu64 " (%016" PRIx64 ")\033[K", count, hash);
}

static bool on_stop(void *opaque)
{
    struct verify *v = opaque;
    struct signalfd_siginfo info;

    if (read(v->signal_fd, &info, sizeof info) == sizeof info)
        v->signal = (int)info.ssi_signo;
    return v->signal;
}

static bool on_progress(void *opaque, uint64_t count, uint64_t hash)
{
    show_progress(opaque, count, hash);
    return on_stop(opaque);
}

/* Signals are looked at between comparisons, while the guest waits, and between tries while the
 * instruction is searched. */
static int take_signals(struct verify *v, struct err *e)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    v->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return v->signal_fd < 0 ? err_sys(e, errno, "signals") : 0;
}

/* ---- wiring ---- */

static int check(struct verify *v, struct err *e)
{
    int rc = cli_options_check(&v->o, e);

    if (!rc && v->o.config.realtime)
        rc = err_set(e, EINVAL, "--realtime: the two machines would not see the same time");
    if (!rc && v->o.dtb_out)
        rc = err_set(e, EINVAL, "--dtb-out: verify writes none; run and machine do");
    for (unsigned i = 0; i < v->o.doors.nshares && !rc; i++)
        if (!v->o.doors.share[i].read_only)
            rc = err_set(e, EINVAL, "--share: %.200s: verify needs it read only: append ,ro",
                         v->o.doors.share[i].dir);
    if (!rc && v->o.semihosting.dir && !v->o.semihosting.read_only)
        rc = err_set(e, EINVAL, "--semihosting: %.200s: verify needs it read only: append ,ro",
                     v->o.semihosting.dir);
    return rc;
}

static int compare(struct verify *v, struct err *e)
{
    struct verify_runner runner = dbg_disturb(&v->seed);
    struct verify_config config = {
        .a = v->o.config,
        .b = v->o.config,
        .runner = v->disturb ? &runner : NULL,
        .interval = v->interval,
        .until = v->until,
        .console = on_console,
        .progress = on_progress,
        .stop = on_stop,
        .stop_fd = v->signal_fd,
        .opaque = v,
    };
    struct buf report = BUF_INIT;
    enum verify_result result = VERIFY_ERROR;
    const char *second = v->engines ? v->engines + strlen(v->engines) + 1 : "jit";

    config.a.engine = v->engines ? v->engines : "interp";
    config.b.engine = second;
    config.a.accel.break_op = config.b.accel.break_op = v->break_op;
    config.a.paced = v->o.doors.nnets || v->o.doors.nports;
    result = verify_run(&config, &report, e);
    if (v->progress)
        fputs("\r\033[K", stderr);
    fwrite(report.data, 1, report.len, stdout);
    buf_fini(&report);
    return result == VERIFY_SAME        ? CLI_OK
           : result == VERIFY_DIFFERENT ? CLI_DIFFERENT
           : result == VERIFY_STOPPED   ? CLI_SIGNAL + v->signal
                                        : CLI_ERROR;
}

static int verify(struct verify *v, struct err *e)
{
    int status;

    v->o.keep_disks = true;
    if (check(v, e) || cli_options_open(&v->o, e) || take_signals(v, e))
        return CLI_ERROR;
    v->progress = host_tty_is(STDERR_FILENO);
    status = compare(v, e);
    if (status == CLI_OK && v->marker.text && !v->marker.seen) {
        err_set(e, ENOENT, "--marker: the guest never printed \"%s\"", v->marker.text);
        status = CLI_ERROR;
    }
    return status;
}

int cli_verify(struct log *log, int argc, char **argv)
{
    const struct argp argp = {options, parse, "[KERNEL]", doc, children, NULL, NULL};
    struct verify v = {
        .interval = DEFAULT_INTERVAL, .until = UINT64_MAX, .break_op = -1, .signal_fd = -1};
    struct err e;
    int status;

    cli_options_init(&v.o, log);
    status = cli_parse(&argp, argc, argv, &v);
    if (!status) {
        status = verify(&v, &e);
        if (status == CLI_ERROR)
            log_error(log, "%s", e.msg);
    }
    if (v.signal_fd >= 0)
        close(v.signal_fd);
    free(v.engines);
    return cli_options_fini(&v.o) ? CLI_ERROR : status;
}
