/*
 * replay.h - stands between a machine and its doors: records what they give, or gives
 * again what they gave.
 *
 * A machine is a function of its starting state and of what comes through its
 * doors, so two machines with one log do the same.  What is covered: the console,
 * ports, networks, and how long idle time took.  Disks and shared folders answer
 * at once and are not in the log: they must be the same each time (an overlay
 * on a disk that nobody writes; a folder that nobody changes).  Machine thread only.
 */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include "machine/machine.h"
#include "replay/log.h"

enum replay_mode {
    REPLAY_RECORD, /* doors are asked, and the log grows */
    REPLAY_AGAIN,  /* doors are not asked; what the guest gives to any but the console is forgotten
                    */
};

struct replay;

/* Puts itself into the doors of *config, which a machine is then made of.  The log, and
 * config->idle.opaque when recording, outlive it. */
struct replay *replay_new(struct replay_log *log, enum replay_mode mode,
                          struct machine_config *config);
void replay_free(struct replay *r);
/* The machine that was made.  Before it runs. */
void replay_attach(struct replay *r, const struct machine *m);
/* The machine was brought to another moment. */
void replay_seek(struct replay *r);

#endif
