/*
 * verify_impl.h - the inside of verify_run: verify.c runs the two machines and
 * finds where they part, verify_report.c tells people.
 */
#ifndef REPLAY_VERIFY_IMPL_H
#define REPLAY_VERIFY_IMPL_H

#include "dev/overlay.h"
#include "machine/point.h"
#include "replay/replay.h"
#include "replay/verify.h"

/* Disks, then what is behind flash. */
#define VERIFY_DISKS (BOARD_DISKS + BOARD_FLASH)

/* One of the two. */
struct verify_side {
    struct machine *m;
    struct replay *replay;
    struct dev_overlay *disk[VERIFY_DISKS]; /* of those that can be written */
    const struct verify_runner *runner;    /* NULL: machine_run */
    void *running;                         /* what it started; NULL: nothing */
    int stop_fd;                           /* the config's, or -1 */
    enum machine_stop stop;                /* of its last run */
    uint64_t hash;
    struct buf console; /* what it said since it started, or since the last rewind */
    struct buf code;    /* explain, of the unit that is to blame */
};

#define VERIFY_SLOTS 256

/* An instruction of the unit that is to blame, as machine a ran it alone. */
struct verify_step {
    unsigned cpu;
    uint64_t pc, count; /* count: of the machine, behind it */
    uint8_t bytes[16];
    unsigned len;                       /* of bytes; 0: there is no instruction */
    uint64_t writes[VERIFY_SLOTS / 64]; /* bits: registers that its IR writes */
    bool others;                        /* it may write registers that the IR does not know */
    bool stores;
    bool interrupt; /* it is the first of the handler of an interrupt that was taken at pc */
};

struct verify {
    const struct verify_config *config;
    struct verify_side a, b;
    struct replay_log *log;
    bool recorded; /* all doors have been used that ever are */
    bool stopped;  /* the caller wants an end */
    size_t shown;  /* bytes of the consoles that the caller has seen */
    bool marker;   /* the caller's console said that it is the end */
    uint64_t compared;
    struct buf *report;

    /* Narrowing. */
    uint64_t good;                         /* the last comparison at which both agreed */
    struct machine_point *point;           /* both, there; NULL: each try starts with a reset */
    struct dev_overlay *disk[VERIFY_DISKS]; /* both, there */
    struct buf running;                     /* b's runner, there */
    uint32_t max_insns;                    /* of a unit, for both; 0: as configured */
    uint64_t unit, end; /* counts: the unit that is to blame has the instructions (unit, end] */
    bool exact;         /* it alone, from an equal start, makes the difference */
    struct buf before;  /* state at `unit`, as text */
    struct verify_step *steps;
    size_t nsteps;
};

/* Both machines to a count.  Whether they are the same there. */
bool verify_run_both(struct verify *v, uint64_t until);

/* verify_report.c */
void verify_state_text(struct machine *m, struct buf *out);
/* Fills *s but for count: the instruction that c is to run. */
void verify_note_step(struct verify_step *s, struct cpu *c);
void verify_report_same(struct verify *v, const char *why);
/* They differ as they start: what the machines are made of does. */
void verify_report_start(struct verify *v);
/* Both are at v->end, and differ. */
void verify_report_difference(struct verify *v);

#endif
