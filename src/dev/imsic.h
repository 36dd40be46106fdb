/*
 * imsic.h - incoming MSI controllers: the interrupt files of one privilege level, one
 * a hart.
 *
 * RISC-V Advanced Interrupt Architecture 1.0 (AIA), chapter 3.  A message is a word that arrives at
 * a file's page on the bus; the hart itself comes to its file through CSRs, which whoever has the
 * hart leads to the functions below.
 */
#ifndef DEV_IMSIC_H
#define DEV_IMSIC_H

#include "dev/device.h"

#define IMSIC_HARTS 8
#define IMSIC_IDS   255 /* identities 1 to 255; one less than a multiple of 64 */
#define IMSIC_PAGE  0x1000
#define IMSIC_SIZE  (IMSIC_HARTS * IMSIC_PAGE) /* pages beyond the harts read 0 */

struct imsic;

/* out: the external interrupts of the harts at this level; the hart is added to the number. */
struct imsic *imsic_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                        unsigned nharts, struct dev_line out);
struct dev *imsic_dev(struct imsic *m);

/* A message from a device; ignored if it is no identity.  False: the address is none of its pages'.
 */
bool imsic_send(struct imsic *m, uint64_t address, uint32_t data);

/* The registers of a hart's file, 0x70 to 0xff of *iselect, 64 bits wide.  There is nothing in odd
 * numbers: they read 0, and writes are ignored. */
uint64_t imsic_read(struct imsic *m, unsigned hart, unsigned reg);
void imsic_write(struct imsic *m, unsigned hart, unsigned reg, uint64_t value);
/* *topei: the first interrupt that is pending, enabled and below the threshold, or 0; and a write
 * to it, which claims that one. */
uint32_t imsic_top(const struct imsic *m, unsigned hart);
void imsic_claim(struct imsic *m, unsigned hart);

#endif
