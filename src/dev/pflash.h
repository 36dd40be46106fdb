/*
 * pflash.h - a bank of parallel NOR flash with Intel's command set and CFI.
 *
 * JESD68.01 (CFI) and Intel's "StrataFlash Embedded Memory (P30)" data sheet.  Two 16-bit chips
 * side by side make the bank's 32-bit words.  They are driven as one, as QEMU's are: a command is the
 * low byte of any store and goes to both.  Commands take no time.  All blocks are unlocked after
 * reset.
 *
 * The bytes are flash of mem.h; a bank with a disk keeps there too what the guest makes of them.  What
 * the disk refuses, or does not reach, is an error in the status register, and nothing has changed.
 */
#ifndef DEV_PFLASH_H
#define DEV_PFLASH_H

#include "dev/device.h"

#define PFLASH_SIZE  (UINT64_C(32) << 20)
#define PFLASH_BLOCK (UINT64_C(256) << 10)

/* Whether a bank has room for all of a disk, which is called `name`: 0 or -EINVAL. */
int pflash_check(const struct dev_disk *disk, const char *name, struct err *e);
/* disk: one that was checked, copied; NULL: there is none. */
struct dev *pflash_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                       const struct dev_disk *disk);
/* Once it is on the bus: takes the disk's bytes. */
int pflash_fill(struct dev *d, struct err *e);

#endif
