/* marker.h - a text that is waited for in a stream of bytes. */
#ifndef CLI_MARKER_H
#define CLI_MARKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_MARKER_MAX 256 /* bytes */

struct cli_marker {
    const char *text; /* NULL: none, which is never seen; the caller's */
    size_t len;
    uint8_t tail[CLI_MARKER_MAX]; /* the last bytes of the stream, at most len */
    size_t have;
    bool seen;
};

/* text has at most CLI_MARKER_MAX bytes. */
void cli_marker_init(struct cli_marker *m, const char *text);
/* True if the text came to its end in these bytes. */
bool cli_marker_feed(struct cli_marker *m, const uint8_t *data, size_t len);

#endif
