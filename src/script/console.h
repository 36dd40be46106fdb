/*
 * console.h - a line editor on the person's terminal: history, completion, and never
 * a wait: it is fed when there is something to read.
 *
 * The only user of readline.  Readline is one for the program, so there is one
 * console at a time, on standard input and output.  Main thread only.
 */
#ifndef SCRIPT_CONSOLE_H
#define SCRIPT_CONSOLE_H

#include <stdbool.h>

#include "base/err.h"

struct script_console;

/* The n-th completion of the last word of the line so far, malloc'ed, or NULL. */
typedef char *script_complete_fn(void *opaque, const char *line, unsigned n);

struct script_console *script_console_new(const char *prompt, script_complete_fn *complete,
                                          void *opaque, struct err *e);
/* The terminal is as it was. */
void script_console_free(struct script_console *c);

/* Between show and hide the prompt is there and the terminal is readline's. */
void script_console_show(struct script_console *c);
void script_console_hide(struct script_console *c);

enum script_input { SCRIPT_MORE, SCRIPT_LINE, SCRIPT_END };
/* Standard input is readable: takes a key.  SCRIPT_LINE: *line is the caller's to free, and the
 * console is hidden.  SCRIPT_END: the person ended the input (Ctrl-D); it is hidden too. */
enum script_input script_console_feed(struct script_console *c, char **line);
/* Ctrl-C: what was typed is dropped, and there is a fresh prompt. */
void script_console_cancel(struct script_console *c);

#endif
