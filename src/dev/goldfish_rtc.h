/*
 * goldfish_rtc.h - the Goldfish real-time clock: nanoseconds since 1970, and an
 * alarm.
 *
 * Layout: Android's docs/GOLDFISH-VIRTUAL-HARDWARE.TXT, "Goldfish real-time
 * clock".  It runs by virtual time from the epoch that it is given.
 */
#ifndef DEV_GOLDFISH_RTC_H
#define DEV_GOLDFISH_RTC_H

#include "dev/device.h"

/* epoch_ns: what it says when virtual time is 0. */
struct dev *goldfish_rtc_new(const char *name, struct mem *mem, struct clock *clock,
                             struct log *log, struct dev_line irq, uint64_t epoch_ns);

#endif
