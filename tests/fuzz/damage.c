/* damage.c - see damage.h. */
#include "tests/fuzz/damage.h"

#include <sys/mman.h>
#include <unistd.h>

void fuzz_damage(struct fuzz_in *in, void *data, size_t len)
{
    static const uint8_t sizes[] = {1, 2, 4, 8};

    for (uint64_t n = fuzz_below(in, 8); n && len >= 8; n--) {
        size_t at = (size_t)(fuzz_int(in, 2) % (len - 7));
        unsigned size = sizes[fuzz_below(in, 4)];

        bits_store_le((uint8_t *)data + at, size, fuzz_value(in));
    }
}

/* As far as it looks like sections: length of the name, name, version u32, length u64, hash. */
static void mend(struct buf *b)
{
    uint64_t len;

    for (size_t at = 0, body; at < b->len; at = body + len) {
        body = at + 1 + (uint8_t)b->data[at] + 4 + 16;
        if (body > b->len)
            return;
        len = bits_load_le(b->data + body - 16, 8);
        if (len > b->len - body)
            return;
        bits_store_le(b->data + body - 8, 8, bits_hash(b->data + body, len, 0));
    }
}

void fuzz_damage_state(struct fuzz_in *in, struct buf *state)
{
    fuzz_damage(in, state->data, state->len);
    if (!fuzz_rarely(in, 8))
        mend(state);
}

const char *fuzz_file(const void *data, size_t len)
{
    static char path[32];
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && !ftruncate(fd, 0) && pwrite(fd, data, len, 0) == (ssize_t)len,
               "no file of %zu bytes", len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}
