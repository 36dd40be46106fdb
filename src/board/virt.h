/*
 * virt.h - the inside of a struct board, among the files of this folder: the
 * RISC-V machine "virt", on QEMU's memory map.
 *
 * virt.c makes the devices and wires them, irq.c the interrupt controllers, boot.c loads and
 * starts, fdt.c describes it all to the guest, sbi*.c are the built-in firmware.
 */
#ifndef BOARD_VIRT_H
#define BOARD_VIRT_H

#include "base/bits.h"
#include "board/board.h"
#include "board/load.h"
#include "dev/aplic.h"
#include "dev/clint.h"
#include "dev/imsic.h"
#include "dev/pcie_host.h"
#include "dev/plic.h"
#include "dev/uart16550.h"
#include "guest/riscv64/riscv64.h"

/* Of what there is for M-mode and for S-mode. */
enum virt_level { VIRT_M, VIRT_S, VIRT_LEVELS };

/* VIRT_APLIC and VIRT_IMSIC are M-mode's; S-mode's follow, so that a level can be added. */
enum virt_place {
    VIRT_ROM, VIRT_TEST, VIRT_RTC, VIRT_CLINT, VIRT_PCIE_IO, VIRT_PLIC, VIRT_APLIC, VIRT_APLIC_S,
    VIRT_UART, VIRT_VIRTIO, VIRT_FW_CFG, VIRT_FLASH, VIRT_IMSIC, VIRT_IMSIC_S, VIRT_PCIE,
    VIRT_PCIE_MEM, VIRT_RAM
};

/* Of virtio, one after the other: there are at least so many, and more if devices need them. */
#define VIRT_SLOTS 8
#define VIRT_SLOTS_MAX 24

struct virt_range {
    uint64_t base, size;
    unsigned irq; /* or of the first slot; 0: none */
};
extern const struct virt_range virt_map[];
/* The interrupt of a slot of virtio, of a wire of PCI, or of another place with slot 0. */
unsigned virt_irq(enum virt_place place, unsigned slot);

#define SBI_COUNTERS 32
#define SBI_NO_EVENT UINT32_MAX

/* A CPU, and what the board and its firmware keep for it. */
struct board_hart {
    struct board *board;
    struct cpu *cpu;
    unsigned index;
    uint64_t timer_tick; /* when guest->timer_due is wanted, in mtime; UINT64_MAX: never */
    struct clock_event timer;

    /* Built-in SBI only. */
    bool suspended;           /* by a call, and not seen awake since */
    uint64_t suspend_pc;      /* where it then went on */
    uint64_t sbi_tick;        /* set_timer without Sstc */
    struct clock_event sbi_timer;
    uint32_t event[SBI_COUNTERS]; /* what a PMU counter was configured for, or SBI_NO_EVENT */
};

struct board {
    struct board_config config;
    struct cpu_env env;
    struct board_hart hart[BOARD_CPUS];
    unsigned attached;

    struct {
        VEC(struct dev *);
    } devs; /* in the order of the table; owned */
    struct clint *clint;
    struct plic *plic;                /* or NULL: there are APLICs */
    struct aplic *aplic[VIRT_LEVELS]; /* or NULL: there is a PLIC */
    struct imsic *imsic[VIRT_LEVELS]; /* or NULL */
    struct rv_imsic files;            /* the harts' way to these */
    struct dev_msi msi;               /* the devices' way; nothing if there is no IMSIC */
    struct uart16550 *uart;
    struct pcie_host *pcie;
    unsigned slots; /* of virtio-mmio */
    struct dev *htif;          /* or NULL; in devs too */
    struct semihost *semihost; /* or NULL */

    struct load_place place;
    struct load_image kernel, firmware, initrd, dtb; /* no data: there is none */
    bool used; /* RAM is no longer all zero */
    bool bare;    /* the kernel starts in M-mode: see board.h */
    bool flashed; /* what is in flash starts: likewise */
};

/* ---- virt.c ---- */

/* The hart, or NULL if there is none of this number. */
struct board_hart *board_hart(struct board *b, uint64_t n);
/* PCI's window of memory above RAM. */
struct virt_range virt_pcie_high(const struct board *b);
/* The end of the machine, from inside a CPU's run. */
void board_ended(struct board *b, enum board_end how, unsigned code);
/* Drives an interrupt line into a hart. */
void board_line(struct board *b, unsigned hart, unsigned irq, bool level);
/* Takes d over, and puts it on the bus. */
int virt_add(struct board *b, struct dev *d, enum virt_place place, unsigned slot, struct err *e);
/* The built-in firmware is there, and has M-mode to itself. */
bool board_has_sbi(const struct board *b);

/* ---- irq.c ---- */

/* Makes the interrupt controllers, and gives a CPU what it needs to use them. */
int virt_add_irqs(struct board *b, struct err *e);
void virt_attach_irqs(struct board *b, struct cpu *c);
/* The wire into source n of whichever there is. */
struct dev_line virt_line(struct board *b, unsigned n);

/* ---- fdt.c ---- */

/* The device tree, in malloc'd memory; its size does not depend on where the initrd is. */
int virt_fdt(struct board *b, void **dtb, size_t *len, struct err *e);

/* ---- boot.c ---- */

/* Reads the images and places them; knows what starts. */
int boot_load(struct board *b, struct err *e);
/* Puts them into memory and the harts at their start; all is reset already. */
int boot_start(struct board *b, struct err *e);
void boot_fini(struct board *b);

/* ---- sbi.c ---- */

void sbi_init(struct board *b);
/* The state in which a supervisor finds its machine; hart 0 enters it. */
void sbi_reset(struct board *b, uint64_t entry, uint64_t dtb);
/* A call: a7 extension, a6 function.  False if it does not come from S-mode. */
bool sbi_call(struct board *b, struct cpu *c);
void sbi_state(struct board *b, struct snap *s);

#endif
