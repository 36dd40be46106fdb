/* marker.c - see marker.h. */
#include "cli/marker.h"

#include <string.h>

void cli_marker_init(struct cli_marker *m, const char *text)
{
    memset(m, 0, sizeof *m);
    m->text = text && *text ? text : NULL;
    m->len = text ? strlen(text) : 0;
}

bool cli_marker_feed(struct cli_marker *m, const uint8_t *data, size_t len)
{
    bool now = false;

    for (size_t i = 0; m->text && i < len; i++) {
        if (m->have == m->len)
            memmove(m->tail, m->tail + 1, --m->have);
        m->tail[m->have++] = data[i];
        if (m->have == m->len && !memcmp(m->tail, m->text, m->len))
            now = true;
    }
    m->seen |= now;
    return now;
}
