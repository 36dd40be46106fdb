/*
 * uart16550.h - the 16550A serial port.
 *
 * National Semiconductor PC16550D (June 1995).  A byte written is sent at once;
 * bytes for the guest are taken from the door in poll, as far as there is room.
 */
#ifndef DEV_UART16550_H
#define DEV_UART16550_H

#include "dev/device.h"

#define UART16550_CLOCK 3686400 /* Hz; the divisor counts sixteenths of it */

struct uart16550;

struct uart16550 *uart16550_new(const char *name, struct mem *mem, struct clock *clock,
                                struct log *log, struct dev_line irq,
                                const struct dev_chars *chars);
struct dev *uart16550_dev(struct uart16550 *u);

/* For built-in firmware, which drives the port in place of guest code: 8N1 with the FIFO on;
 * sends bytes; takes up to len received bytes. */
void uart16550_setup(struct uart16550 *u);
void uart16550_send(struct uart16550 *u, const void *data, size_t len);
/* How many could be taken now. */
size_t uart16550_waiting(const struct uart16550 *u);
size_t uart16550_take(struct uart16550 *u, uint8_t *data, size_t len);

#endif
