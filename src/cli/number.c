/* number.c - see number.h. */
#include "cli/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const char *option, const char *text, const char *what, struct err *e)
{
    return err_set(e, EINVAL, "%s: \"%.60s\" is no %s", option, text, what);
}

static int scaled(const char *option, const char *text, uint64_t kilo, const char *what,
                  uint64_t *v, struct err *e)
{
    static const char letters[] = "KMGT";
    const char *letter;
    char *end;

    if (!isdigit((unsigned char)*text))
        return refuse(option, text, what, e);
    errno = 0;
    *v = strtoull(text, &end, strncasecmp(text, "0x", 2) ? 10 : 16);
    if (errno)
        return err_set(e, ERANGE, "%s: %.60s is too large", option, text);
    letter = *end ? strchr(letters, toupper((unsigned char)*end)) : NULL;
    if (end == text || (*end && (!letter || end[1])))
        return refuse(option, text, what, e);
    for (const char *l = letters; letter && l <= letter; l++)
        if (__builtin_mul_overflow(*v, kilo, v))
            return err_set(e, ERANGE, "%s: %.60s is too large", option, text);
    return 0;
}

int cli_size(const char *option, const char *text, uint64_t *v, struct err *e)
{
    return scaled(option, text, 1024, "size: try 512M or 2G", v, e);
}

int cli_count(const char *option, const char *text, uint64_t *v, struct err *e)
{
    return scaled(option, text, 1000, "number: try 1000000, 1M or 0x1000", v, e);
}
