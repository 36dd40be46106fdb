/*
 * disturb.h - a debugger that is busy for nothing.
 *
 * It runs a machine with breakpoints, watchpoints and catchpoints that come and go, steps, pauses and
 * looks at everything, all at random, and goes on from every stop.  The guest is to see none of it:
 * `verify` runs its second machine so.  What is done depends on the seed and on what the machine does,
 * not on the counts that the machine is run to.  Machine thread only.
 */
#ifndef DEBUG_DISTURB_H
#define DEBUG_DISTURB_H

#include "replay/verify.h"

/* The seed outlives it. */
struct verify_runner dbg_disturb(const uint64_t *seed);

#endif
