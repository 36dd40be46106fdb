/* sources.c - see sources.h. */
#include "dev/sources.h"

#include "base/bits.h"

uint32_t sources_of(unsigned word)
{
    return word == 0 ? ~UINT32_C(1)
                     : (uint32_t)bits_mask(word == SOURCE_WORDS - 1 ? SOURCES % 32 + 1 : 32);
}

void sources_state(struct snap *s, const char *name, uint32_t *words)
{
    for (unsigned w = 0; w < SOURCE_WORDS; w++) {
        snap_u32(s, name, &words[w]);
        if (words[w] & ~sources_of(w))
            snap_bad(s, name, "a source that does not exist");
        words[w] &= sources_of(w);
    }
}

void sources_raise(const struct dev_line *first, uint32_t *raised, uint32_t now)
{
    uint32_t changed = *raised ^ now;

    *raised = now;
    for (; changed && first->set; changed &= changed - 1) {
        unsigned n = (unsigned)__builtin_ctz(changed);
        first->set(first->opaque, first->number + n, now >> n & 1);
    }
}
