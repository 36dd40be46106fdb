/*
 * finisher.h - SiFive's test finisher: a store that ends the machine.
 *
 * The low 16 bits say how, the high 16 bits are the code of a failure.
 */
#ifndef DEV_FINISHER_H
#define DEV_FINISHER_H

#include "dev/device.h"

enum finisher_how { FINISHER_FAIL = 0x3333, FINISHER_PASS = 0x5555, FINISHER_RESET = 0x7777 };

typedef void finisher_fn(void *opaque, enum finisher_how how, unsigned code);

struct dev *finisher_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                         finisher_fn *fn, void *opaque);

#endif
