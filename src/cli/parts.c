/* parts.c - see parts.h. */
#include "cli/parts.h"

#include <string.h>

bool cli_cut_ro(char *text)
{
    static const char ro[] = ",ro";
    size_t len = strlen(text);

    if (len < sizeof ro || strcmp(text + len - strlen(ro), ro))
        return false;
    text[len - strlen(ro)] = 0;
    return true;
}
