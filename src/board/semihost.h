/*
 * semihost.h - semihosting: calls of a guest to the host of its debugger.
 *
 * Arm's "Semihosting for AArch32 and AArch64" (2.0), by the sequence of "RISC-V
 * Semihosting" (0.4), from M- and S-mode.  The board's console is ":tt", and the handles 0 to 2
 * from the start, for programs that take them for what a system has; files are those of one
 * folder of the host's, which is the root of all names.  Time is virtual.  A hart that waits for
 * a key is halted at the call, which it makes again.
 */
#ifndef BOARD_SEMIHOST_H
#define BOARD_SEMIHOST_H

#include "board/virt.h"

struct semihost;

struct semihost *semihost_new(struct board *b);
void semihost_free(struct semihost *s);
void semihost_reset(struct semihost *s);
/* Carries out a call; pc is behind its ebreak. */
void semihost_call(struct semihost *s, struct board_hart *h);
/* Between windows: wakes who waits for a key that is there. */
void semihost_poll(struct semihost *s);
/* Loading opens files again. */
void semihost_state(struct semihost *s, struct snap *snap);

#endif
