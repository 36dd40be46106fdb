/*
 * options.h - what the commands' options have in common: a machine's description.
 *
 * cli_options_init, then argp with cli_machine_argp among the children (its input is
 * the struct cli_options), then cli_options_open, in the end cli_options_fini.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <argp.h>

#include "base/log.h"
#include "cli/disks.h"
#include "cli/doors.h"
#include "machine/machine.h"

struct cli_options;

/* Disks, then what is behind banks of flash. */
#define CLI_DISKS (BOARD_DISKS + BOARD_FLASH)

struct cli_options {
    struct log *log;
    struct machine_config config; /* board.console, board.disks and board.flash are filled later */
    struct cli_disk_option disk[BOARD_DISKS], flash[BOARD_FLASH];
    unsigned ndisks, nflash;
    bool keep_disks; /* whoever uses disks and flash writes elsewhere: they are opened to be read */
    struct cli_disk open[CLI_DISKS];
    struct cli_doors doors;
    struct cli_share semihosting; /* its folder, if it has one */
    const char *dtb_out;
};

void cli_options_init(struct cli_options *o, struct log *log);
/* Closes and frees all.  CLI_ERROR: a disk may have lost what the guest wrote, which was said;
 * that is what the program ends with, whatever else came of it. */
int cli_options_fini(struct cli_options *o);

extern const struct argp cli_machine_argp;

/* Parses with `argp`, whose input is `input` and which says what is wrong itself.  0 or CLI_ERROR.
 */
int cli_parse(const struct argp *argp, int argc, char **argv, void *input);
/* For argp parsers: an option's value is bad, which e says. */
error_t cli_refuse(const struct cli_options *o, const struct err *e);

/* For KERNEL as an argument. */
error_t cli_kernel(struct cli_options *o, const char *path);
/* There is something to run, else -EINVAL. */
int cli_options_check(struct cli_options *o, struct err *e);

/* Opens disks and doors, which are those of o->config. */
int cli_options_open(struct cli_options *o, struct err *e);
/* Writes the device tree to o->dtb_out, if that is wanted.  m is at rest. */
int cli_write_dtb(const struct cli_options *o, struct machine *m, struct err *e);

#endif
