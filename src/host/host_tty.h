/*
 * host_tty.h - the person's terminal, raw while a machine owns it.
 *
 * Raw means that every key reaches the program as a byte, Ctrl-C included, and
 * that output is sent as it is.  The terminal gets its own settings back
 * whatever ends the program: host_tty_cooked, exit(), a signal that kills or
 * stops it (SIGTSTP; raw again at SIGCONT, in the foreground).  SIGKILL and
 * _exit() leave no chance.
 *
 * One terminal at a time.  A signal handler is given no argument of ours, so
 * host_tty.c holds the one static pointer of the program.  A handler that was
 * there before host_tty_raw is called with the terminal restored; signals that
 * were ignored stay ignored.  Called by the main thread.
 */
#ifndef HOST_TTY_H
#define HOST_TTY_H

#include <stdbool.h>

#include "base/err.h"

struct host_tty;

/* Makes the terminal behind fd raw; -ENOTTY through *e if there is none. */
struct host_tty *host_tty_raw(int fd, struct err *e);

/* Restores the terminal and the signal actions, and frees t, which may be NULL. */
void host_tty_cooked(struct host_tty *t);

bool host_tty_is(int fd);

/* The window's size in cells; 0 or -ENOTTY, where nothing is known. */
int host_tty_size(int fd, unsigned *columns, unsigned *rows);

#endif
