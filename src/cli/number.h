/* number.h - numbers as people write them in options. */
#ifndef CLI_NUMBER_H
#define CLI_NUMBER_H

#include <stdint.h>

#include "base/err.h"

/* Bytes: decimal or 0x, with K, M, G or T for powers of 1024. */
int cli_size(const char *option, const char *text, uint64_t *v, struct err *e);
/* Anything counted: the same letters stand for powers of 1000. */
int cli_count(const char *option, const char *text, uint64_t *v, struct err *e);

#endif
