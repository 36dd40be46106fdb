/*
 * point.h - a machine's whole state at a moment, to go back to.
 *
 * It can be loaded into any machine of the same board, CPUs and memory, whose engine then starts
 * without translated code.  What is behind the machine's doors (disks) is no part of it.
 */
#ifndef MACHINE_POINT_H
#define MACHINE_POINT_H

#include "machine/machine.h"

struct machine_point;

struct machine_point *machine_point_new(struct machine *m);
void machine_point_free(struct machine_point *p);
/* -EINVAL: the machine is another one; -EIO: it has state that is not saved. */
int machine_point_load(const struct machine_point *p, struct machine *m, struct err *e);

#endif
