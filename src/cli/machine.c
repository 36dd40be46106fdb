/* machine.c - glovebox machine: the machines and engines there are, and what one is made of. */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"

struct machine_command {
    struct cli_options o;
    const char *name;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct machine_command *c = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &c->o;
        return 0;
    case ARGP_KEY_ARG:
        if (c->name) {
            log_error(c->o.log, "%.60s: one machine at a time", arg);
            return EINVAL;
        }
        c->name = c->o.config.board.machine = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&cli_machine_argp, 0, NULL, 0}, {0}};
static const char doc[] = "Without NAME or --dtb-out, list machines and engines.  Else make the "
                          "machine with all that the options say, and show its memory map and "
                          "devices."
                          "\vExit status: 0; 2 for an error, which is said.";

static int describe(struct cli_options *o, struct buf *out, struct err *e)
{
    struct machine *m;
    int rc = cli_options_open(o, e);

    if (rc)
        return rc;
    m = machine_new(&o->config, e);
    if (!m)
        return -EINVAL;
    board_describe(machine_board(m), out);
    rc = cli_write_dtb(o, m, e);
    machine_free(m);
    return rc;
}

int cli_machine(struct log *log, int argc, char **argv)
{
    const struct argp argp = {NULL, parse, "[NAME]", doc, children, NULL, NULL};
    struct machine_command c = {0};
    struct buf out = BUF_INIT;
    struct err e;
    int status;

    cli_options_init(&c.o, log);
    status = cli_parse(&argp, argc, argv, &c);
    if (!status && !c.name && !c.o.dtb_out) {
        buf_str(&out, "machines:\n");
        board_list(&out);
        buf_str(&out, "engines:\n");
        accel_list(&out);
    } else if (!status && describe(&c.o, &out, &e)) {
        log_error(log, "%s", e.msg);
        status = CLI_ERROR;
    }
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    return cli_options_fini(&c.o) ? CLI_ERROR : status;
}
