/* main.c - from the command line to a command. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "cli/cli.h"

const char *argp_program_version = PACKAGE_STRING; /* argp's own, for --version */

static const struct {
    const char *name;
    int (*run)(struct log *log, int argc, char **argv);
} commands[] = {
    {"run", cli_run}, {"debug", cli_debug},     {"verify", cli_verify},
    {"isa", cli_isa}, {"machine", cli_machine},
};

struct command_line {
    struct log *log;
    int command; /* index into argv; 0: none */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command_line *l = state->input;

    (void)arg;
    switch (key) {
    case ARGP_KEY_INIT:
        state->err_stream = NULL; /* one line a mistake, without "Try ..." */
        return 0;
    case ARGP_KEY_ARG: /* the rest is the command's */
        l->command = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        log_error(l->log, "what is to be done? run, debug, verify, isa or machine; see --help");
        return EINVAL;
    }
    return ARGP_ERR_UNKNOWN;
}

static const char doc[] =
    "A machine emulator that is a debugger first: whole RISC-V 64 computers, that do the same "
    "thing "
    "each time and can be looked into at any instruction."
    "\vCommands:\n"
    "  run      Run a machine with its console on the terminal\n"
    "  debug    Make a machine, stop before its first instruction, take commands\n"
    "  verify   Run one machine on two engines and compare them\n"
    "  isa      List or explain a guest's instructions\n"
    "  machine  List machines, or show what one is made of\n"
    "\n"
    "glovebox COMMAND --help says more about each.\n"
    "\n"
    "Colours are used on terminals only, and not at all if NO_COLOR is set.";

static int run_command(struct log *log, int argc, char **argv)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].name, argv[0]))
            continue;
        argv[0] = xasprintf("glovebox %s", commands[i].name); /* argp keeps it for messages */
        int status = commands[i].run(log, argc, argv);
        free(argv[0]);
        return status;
    }
    log_error(log, "%.60s: no such command; there are run, debug, verify, isa and machine",
              argv[0]);
    return CLI_ERROR;
}

/* A standard descriptor that is closed must not become a disk's or a socket's: it is opened so that
 * its use is an error. */
static void hold_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
            _exit(CLI_ERROR);
}

int main(int argc, char **argv)
{
    const struct argp argp = {NULL, parse, "COMMAND [ARGUMENT...]", doc, NULL, NULL, NULL};
    struct log log;
    struct command_line line = {.log = &log};
    int status;

    hold_descriptors();
    log_init(&log, STDERR_FILENO, LOG_INFO);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is the writer's error */
    argp_err_exit_status = CLI_ERROR;
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &line))
        return CLI_ERROR;
    status = run_command(&log, argc - line.command, argv + line.command);
    if (fflush(stdout) == EOF && !status) {
        log_error(&log, "standard output: %s", strerror(errno));
        status = CLI_ERROR;
    }
    return status;
}
