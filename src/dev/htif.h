/*
 * htif.h - the host-target interface of RISC-V simulators: two words of RAM.
 *
 * The guest stores a request to `tohost` and finds answers in `fromhost`.  A
 * request is device << 56 | command << 48 | payload: device 0 ends the machine or
 * calls the system (the payload is the address of eight words: number,
 * arguments), device 1 is a console.  As in the simulator Spike (fesvr), a request is taken
 * by putting 0 back, and an answer waits until fromhost is 0.
 *
 * Both words are doorbells (mem.h), so that a request is carried out at the count of its store.
 * Of two stores of 32 bits the one to the upper half is the request; one to the lower half alone
 * is taken for all of it a microsecond later.
 */
#ifndef DEV_HTIF_H
#define DEV_HTIF_H

#include "dev/device.h"
#include "dev/uart16550.h"

#define HTIF_NOWHERE UINT64_MAX

struct htif_config {
    uint64_t tohost, fromhost; /* physical, multiples of 8; fromhost may be HTIF_NOWHERE */
    struct uart16550 *console; /* whose bytes it sends and takes */
    void (*end)(void *opaque, bool failed, unsigned code);
    void *opaque;
};

/* NULL: the words are not in RAM or not aligned. */
struct dev *htif_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                     const struct htif_config *config, struct err *e);

#endif
