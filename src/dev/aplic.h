/*
 * aplic.h - a domain of an advanced platform-level interrupt controller.
 *
 * RISC-V Advanced Interrupt Architecture 1.0 (AIA), chapter 4.  The root domain has the wires of
 * all sources, and delegates those that it is told to to its child.  A domain either raises the
 * external interrupts of its harts itself (direct delivery), or forwards interrupts to the harts'
 * IMSICs as messages; which of them is fixed when it is made.
 */
#ifndef DEV_APLIC_H
#define DEV_APLIC_H

#include "dev/device.h"
#include "dev/sources.h"

#define APLIC_HARTS     8
#define APLIC_HART_BITS 3 /* of a hart's number */
#define APLIC_SIZE      0x8000

struct aplic;

struct aplic_config {
    struct aplic *parent; /* a root, whose only child it becomes, at supervisor level; NULL: it is a
                             root itself, at machine level */
    unsigned nharts;      /* hart index n is hart n */
    struct dev_line out;  /* direct: wires to the harts; the hart is added to the number */
    struct dev_msi msi;   /* messages, if it is there */
    uint64_t files;       /* then: where this level's interrupt files are, a page a hart */
};

struct aplic *aplic_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                        const struct aplic_config *config);
struct dev *aplic_dev(struct aplic *a);

/* The wire into source n of a root; keeps the level. */
struct dev_line aplic_source(struct aplic *a, unsigned n);
/* Delegates all sources to the child, as firmware does before it starts an operating system. */
void aplic_delegate(struct aplic *a);

#endif
