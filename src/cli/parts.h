/* parts.h - what stands at the end of an option's value, behind a name. */
#ifndef CLI_PARTS_H
#define CLI_PARTS_H

#include <stdbool.h>

/* Cuts ",ro" off the end of the text, if it is there and a name before it. */
bool cli_cut_ro(char *text);

#endif
