/*
 * plic.h - SiFive's platform-level interrupt controller.
 *
 * RISC-V PLIC specification 1.0.0.  Context 2 * n is hart n in M-mode, 2 * n + 1 in
 * S-mode.  Sources are level-triggered: a gateway forwards one request while
 * its wire is high, and the next one only after completion.
 */
#ifndef DEV_PLIC_H
#define DEV_PLIC_H

#include "dev/device.h"
#include "dev/sources.h"

#define PLIC_CONTEXTS 16
#define PLIC_SIZE 0x600000

struct plic;

/* out: wires to the contexts; the context is added to the number. */
struct plic *plic_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                      unsigned ncontexts, struct dev_line out);
struct dev *plic_dev(struct plic *p);

/* The wire into source n; keeps the level. */
struct dev_line plic_source(struct plic *p, unsigned n);

#endif
