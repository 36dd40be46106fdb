/* virtio.c - see virtio.h. */
#include "dev/virtio/virtio.h"

void vio_broken(struct vio_device *v, const char *why)
{
    if (v->warned < VIO_WARNINGS)
        log_warn(v->log, "%s: the guest broke a virtqueue: %s%s", v->name, why,
                 v->warned + 1 == VIO_WARNINGS ? "; this is not said again" : "");
    v->warned++;
    v->event(v->opaque, VIO_BROKEN, 0);
}

/* Ends: the turns are bounded by the ring's size, whatever the device's own writes do to it. */
bool vio_serve(struct vio_device *v, unsigned queue, vio_serve_fn *serve, uint64_t budget)
{
    struct vio_queue *q = &v->queue[queue];
    uint64_t spent = 0;
    int rc = 1;

    for (unsigned i = 0; i < q->num && spent < budget; i++) {
        const char *why = NULL;
        uint32_t written = 0;
        uint64_t cost = 0;

        rc = vio_queue_pop(q, v->mem, &v->chain, &why);
        if (!rc)
            break;
        if (rc > 0)
            why = serve(v, queue, &written, &cost);
        if (why) {
            vio_broken(v, why);
            return false;
        }
        vio_queue_push(q, v->mem, v->chain.head, written);
        spent += cost;
    }
    if (vio_queue_settle(q, v->mem))
        v->event(v->opaque, VIO_USED, queue);
    return rc && vio_queue_waiting(q, v->mem);
}
