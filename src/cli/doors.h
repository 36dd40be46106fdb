/*
 * doors.h - options for what a machine has of the host's besides its disks: networks, shared
 * folders, ports, files of fw_cfg, entropy.
 *
 * Options are kept by cli_doors_option, in a zeroed struct, and opened by cli_doors_open.
 */
#ifndef CLI_DOORS_H
#define CLI_DOORS_H

#include <stdbool.h>

#include "base/log.h"
#include "base/vec.h"
#include "host/host_port.h"
#include "host/host_share.h"
#include "host/host_slirp.h"
#include "host/host_tap.h"
#include "machine/machine.h"

struct cli_net {
    char *tap; /* the interface; NULL: a user network.  Owned */
    bool restricted;
    uint8_t mac[6];
    struct {
        VEC(struct host_forward);
    } forwards;
    struct host_slirp *user; /* once open */
    struct host_tap *device;
};

struct cli_share {
    char *dir, *tag; /* owned */
    bool read_only;
    struct host_share *share;
};

struct cli_port {
    char *name, *where; /* owned */
    struct host_port *port;
};

struct cli_fw_file {
    char *name, *what; /* owned */
    void *data;        /* once open; owned */
};

struct cli_doors {
    struct cli_net net[BOARD_NETS];
    struct cli_share share[BOARD_SHARES];
    struct cli_port port[BOARD_PORTS];
    struct cli_fw_file fw_file[BOARD_FW_FILES];
    unsigned nnets, nshares, nports, nfw_files;
    bool host_entropy;
};

/* "DIR[,ro]", of an option that takes one folder; it is opened if it was given, and closed. */
int cli_folder(const char *option, struct cli_share *s, const char *text, struct err *e);
int cli_folder_open(const char *option, struct cli_share *s, struct err *e);
void cli_folder_fini(struct cli_share *s);

/* --net, --share, --port, --fw-cfg, --rng-seed */
int cli_net(struct cli_doors *d, const char *text, struct err *e);
int cli_share(struct cli_doors *d, const char *text, struct err *e);
int cli_port(struct cli_doors *d, const char *text, struct err *e);
int cli_fw_cfg(struct cli_doors *d, const char *text, struct err *e);
int cli_rng_seed(struct cli_doors *d, struct board_config *b, const char *text, struct err *e);

/* Opens all, for *b; they stay d's. */
int cli_doors_open(struct cli_doors *d, struct board_config *b, struct log *log, struct err *e);
void cli_doors_fini(struct cli_doors *d);

#endif
