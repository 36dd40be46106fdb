/*
 * board.h - a machine's hardware as an explicit table of devices, and what is
 * loaded into it.
 *
 * A board owns the bus, its devices and the firmware's state; the CPUs are handed to it.  It
 * knows nothing of engines or of the run loop.
 */
#ifndef BOARD_BOARD_H
#define BOARD_BOARD_H

#include "base/err.h"
#include "base/log.h"
#include "clock/clock.h"
#include "cpu/cpu.h"
#include "dev/device.h"
#include "mem/mem.h"

#define BOARD_CPUS 8
#define BOARD_DISKS 8
#define BOARD_NETS 4
#define BOARD_PORTS 8
#define BOARD_SHARES 4
#define BOARD_SEED 32 /* bytes */
#define BOARD_FLASH 2
#define BOARD_FW_FILES 32

/* How a guest ended its machine. */
enum board_end { BOARD_RUNNING, BOARD_POWEROFF, BOARD_REBOOT, BOARD_FAILED };

/* How virtio devices are attached. */
enum board_virtio { BOARD_VIRTIO_MMIO, BOARD_VIRTIO_PCI };

struct host_share;
struct load_sym;

/* A file that the guest finds in fw_cfg. */
struct board_fw_file {
    const char *name;
    const void *data;
    uint32_t len;
};

/* All strings, doors and data outlive the board. */
struct board_config {
    const char *machine;     /* "virt" */
    unsigned ncpus;          /* 1 to BOARD_CPUS */
    uint64_t memory;         /* bytes of RAM */
    const char *kernel;      /* ELF, Linux Image, gzip of either, or raw with load_addr; NULL:
                                none.  Without firmware, and unless it is bare, it is entered in
                                S-mode, an ELF file too */
    const char *initrd;      /* or NULL */
    const char *append;      /* kernel command line, or NULL */
    const char *firmware;    /* an M-mode image at the start of RAM; NULL: the built-in SBI, or none
                                if flash starts */
    bool bare;               /* the kernel is entered in M-mode at its entry by all CPUs, with a0 hartid
                                and a1 device tree, as an ELF file with a symbol "tohost" always
                                is; there is no SBI */
    bool semihosting;        /* M- and S-mode may call the host */
    struct host_share *semihosting_files; /* or NULL: it has no files */
    const char *interrupts;  /* controllers: "plic", "aplic", or "imsic", which is both kinds of the
                                advanced interrupt architecture; NULL: plic */
    uint64_t load_addr;      /* of a raw kernel; UINT64_MAX: not given */
    uint64_t timebase;       /* guest timer ticks a second: 10 MHz on virt */
    uint64_t epoch_ns;       /* what the real-time clock says at reset (Unix time, ns) */
    struct dev_chars console;
    enum board_virtio virtio;
    struct dev_disk disks[BOARD_DISKS];
    unsigned ndisks;
    /* Of the two banks of flash those with a disk.  As with QEMU, what the first one holds is started
     * in S-mode by the firmware, if there is one, and finds the kernel in fw_cfg; with neither
     * firmware nor kernel, in M-mode by all CPUs. */
    struct dev_disk flash[BOARD_FLASH];
    unsigned nflash;
    struct board_fw_file fw_files[BOARD_FW_FILES];
    unsigned nfw_files;
    struct dev_net nets[BOARD_NETS];
    unsigned nnets;
    struct dev_port ports[BOARD_PORTS]; /* of a virtio console, which is there if there are some */
    unsigned nports;
    struct dev_share shares[BOARD_SHARES];
    unsigned nshares;
    uint8_t seed[BOARD_SEED]; /* of the entropy device, which is always there */
    bool balloon;             /* there is a memory balloon, */
    uint64_t balloon_bytes;   /* and at first the guest is asked to give up so much */
    struct mem *mem;
    struct clock *clock;
    struct log *log;
    /* The guest ended the machine (from inside a CPU's run): why, and its exit code. */
    void (*ended)(void *opaque, enum board_end how, unsigned code);
    /* Some CPU's interrupt lines or halting changed (env->changed). */
    void (*changed)(void *opaque, struct cpu *c);
    void *opaque;
};

struct board;

/* Reads the images, builds the devices and maps them; config is copied.  mem must be empty, and
 * may only be freed after an error. */
struct board *board_new(const struct board_config *config, struct err *e);
void board_free(struct board *b);

/* What the CPUs are given; then each is attached, in order of its index. */
const struct cpu_env *board_env(struct board *b);
void board_attach(struct board *b, struct cpu *c);

/* Loads images and the device tree, and puts CPUs and devices in the state of power-on.  Called
 * again for a reboot: the same state each time (disks keep what was written). */
int board_reset(struct board *b, struct err *e);

/* Between windows: devices take what their host doors have. */
void board_poll(struct board *b);
/* Whether anything could ever come through a door. */
bool board_doors(const struct board *b);
/* Adds what board_poll would find something at; see device.h. */
void board_wait(struct board *b, struct dev_wait *w);

size_t board_devices(const struct board *b, struct dev *const **devs);
/* State of all devices and the firmware. */
void board_state(struct board *b, struct snap *s);
/* The flattened device tree, valid until the board is freed. */
const void *board_dtb(const struct board *b, size_t *len);
/* The symbols of the kernel and the firmware, if they are ELF files; see load.h. */
void board_symbols(const struct board *b, bool (*fn)(void *opaque, const struct load_sym *k),
                   void *opaque);
/* The memory map and devices, those on PCI too, as text, for `glovebox machine`. */
void board_describe(const struct board *b, struct buf *out);
/* Names of machines, one a line with its description. */
void board_list(struct buf *out);

#endif
