/*
 * cli.h - the program's commands, one function each; main.c picks.
 *
 * argv[0] is "glovebox run" and so on.  Each returns the program's exit status.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/log.h"

enum {
    CLI_OK = 0,
    CLI_DIFFERENT = 1, /* verify; a guest's failure that has no number of its own */
    CLI_ERROR = 2,     /* bad usage, a file or the host: said in one line on standard error */
    CLI_SIGNAL = 128,  /* plus the signal's number; Ctrl-A x counts as SIGINT */
};

int cli_run(struct log *log, int argc, char **argv);
int cli_debug(struct log *log, int argc, char **argv);
int cli_verify(struct log *log, int argc, char **argv);
int cli_isa(struct log *log, int argc, char **argv);
int cli_machine(struct log *log, int argc, char **argv);

#endif
