/*
 * queue.h - the device's side of a split virtqueue.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 2.7.  The rings and descriptors are the
 * guest's, and hostile: every index, address and length is checked, and every
 * loop ends.  A queue that the guest broke says why and is not used again until
 * it is reset.
 */
#ifndef DEV_VIRTIO_QUEUE_H
#define DEV_VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "mem/mem.h"
#include "snap/snap.h"

#define VIO_QUEUE_MAX 256 /* entries; also the longest chain */

#define VIO_F_INDIRECT_DESC 28
#define VIO_F_EVENT_IDX 29
#define VIO_F_VERSION_1 32

/* Exposed: the transport's registers write the first fields. */
struct vio_queue {
    uint16_t num; /* entries; a power of two, 1 to VIO_QUEUE_MAX */
    bool ready;
    uint64_t desc, avail, used; /* guest physical addresses: table, driver area, device area */

    bool event_idx, indirect; /* features that were negotiated */
    uint16_t next_avail;      /* the next entry of the available ring, counted without end */
    uint16_t next_used;       /* the same of the used ring */
    uint16_t signalled;       /* next_used when the last interrupt was decided on */
};

/* Memory of a chain: in RAM as a whole, or readable also in ROM. */
struct vio_seg {
    uint64_t addr;
    uint32_t len;
};

/* A request: first what the device reads, then what it writes. */
struct vio_chain {
    uint16_t head; /* its name in the used ring */
    unsigned nout, nin;
    uint64_t out_len, in_len;           /* bytes */
    struct vio_seg seg[VIO_QUEUE_MAX]; /* nout to be read, nin to be written */
};

void vio_queue_reset(struct vio_queue *q);
void vio_queue_state(struct vio_queue *q, struct snap *s);

/* Whether the rings can be used: alignment and addresses.  NULL, or what is wrong. */
const char *vio_queue_check(const struct vio_queue *q, struct mem *m);

/* Takes the next request: 1, 0 if there is none, or -EINVAL with *why. */
int vio_queue_pop(struct vio_queue *q, struct mem *m, struct vio_chain *c, const char **why);
/* Puts the last n that were taken, and not given back, into their place again. */
void vio_queue_unpop(struct vio_queue *q, unsigned n);
/* Whether there is a next request. */
bool vio_queue_waiting(const struct vio_queue *q, struct mem *m);
/* Gives it back; `written` bytes were written into it. */
void vio_queue_push(struct vio_queue *q, struct mem *m, uint16_t head, uint32_t written);
/* After a run of pushes: asks to be notified of the next request, and says whether the guest
 * wants an interrupt for these.  2.7.7 */
bool vio_queue_settle(struct vio_queue *q, struct mem *m);

/* Copies bytes of a request's readable part, from `offset` on, or into its writable part.  False:
 * the chain is shorter. */
bool vio_chain_read(const struct vio_chain *c, struct mem *m, uint64_t offset, void *data,
                    uint64_t len);
bool vio_chain_write(const struct vio_chain *c, struct mem *m, uint64_t offset, const void *data,
                     uint64_t len);

#endif
