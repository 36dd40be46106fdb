/* log.c - see log.h. */
#include "replay/log.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem_alloc.h"
#include "base/vec.h"

struct door {
    struct {
        VEC(struct replay_input);
    } inputs;
    struct buf bytes; /* of all of them */
};

struct replay_log {
    struct door door[REPLAY_DOORS];
};

struct replay_log *replay_log_new(void)
{
    struct replay_log *l = xcalloc(1, sizeof *l);

    for (unsigned i = 0; i < REPLAY_DOORS; i++)
        buf_init(&l->door[i].bytes);
    return l;
}

void replay_log_free(struct replay_log *l)
{
    if (!l)
        return;
    for (unsigned i = 0; i < REPLAY_DOORS; i++) {
        vec_fini(&l->door[i].inputs);
        buf_fini(&l->door[i].bytes);
    }
    free(l);
}

void replay_log_add(struct replay_log *l, unsigned door, uint64_t tick, const void *data,
                    size_t len)
{
    struct door *d = &l->door[door];
    struct replay_input in = {tick, d->bytes.len, len};

    buf_add(&d->bytes, data, len);
    vec_push(&d->inputs, in);
}

size_t replay_log_find(const struct replay_log *l, unsigned door, uint64_t tick)
{
    const struct door *d = &l->door[door];
    size_t low = 0, high = d->inputs.len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (d->inputs.data[mid].tick < tick)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct replay_input *replay_log_get(const struct replay_log *l, unsigned door, size_t n,
                                          const uint8_t **data)
{
    const struct door *d = &l->door[door];

    if (n >= d->inputs.len)
        return NULL;
    *data = (const uint8_t *)d->bytes.data + d->inputs.data[n].at;
    return &d->inputs.data[n];
}
