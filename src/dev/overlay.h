/*
 * overlay.h - a disk whose changes are kept in memory: the one below is only read.
 *
 * What a disk is at a moment can be kept, and gone back to, at the cost of what
 * changes in between: pages are shared until they are written.
 */
#ifndef DEV_OVERLAY_H
#define DEV_OVERLAY_H

#include "dev/device.h"

struct dev_overlay;

/* The disk below is copied; what is behind it outlives the overlay. */
struct dev_overlay *dev_overlay_new(const struct dev_disk *below);
void dev_overlay_free(struct dev_overlay *o);
/* As a device sees it: it can be written.  Valid until the overlay is freed. */
struct dev_disk dev_overlay_disk(struct dev_overlay *o);

/* Makes o what `from` is now: an overlay on the same disk. */
void dev_overlay_copy(struct dev_overlay *o, const struct dev_overlay *from);

#endif
