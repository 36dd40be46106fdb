/*
 * disks.h - the option --disk, and disks as a machine's devices have them.
 *
 * What goes wrong with a disk while the machine runs is said once for each kind of
 * error, and in the end how often anything did.
 */
#ifndef CLI_DISKS_H
#define CLI_DISKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "dev/device.h"
#include "host/host_disk.h"

struct cli_disk_option {
    char *path;         /* or a URI; owned */
    const char *format; /* "raw" or "qcow2"; NULL: raw, if it does not look otherwise */
    bool read_only;
    bool backing; /* a qcow2 image may name other files */
};

/* A disk of one machine; zeroed while it is not open. */
struct cli_disk {
    struct host_disk *disk;
    struct log *log;
    uint64_t failed;  /* requests */
    uint64_t said[3]; /* a bit for each errno that was said */
};

/* The last parts of the text are options: a file's name may hold commas. */
int cli_disk(struct cli_disk_option *o, const char *text, struct err *e);
/* *door is the machine's.  keep: it is only to be read, though the door says what o does: whoever
 * writes does so elsewhere. */
int cli_disk_open(const struct cli_disk_option *o, bool keep, struct cli_disk *d,
                  struct dev_disk *door, struct log *log, struct err *e);
/* An error is said: what the guest wrote and did not flush may be lost. */
int cli_disk_close(struct cli_disk *d);

#endif
