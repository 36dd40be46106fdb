/*
 * trace.h - tracepoints: places whose hits write down registers, memory and values into a
 * buffer, while the machine runs on.
 *
 * Modelled on GDB's (its manual, "Tracepoints", and appendix E.6).  There is one trace a machine;
 * it goes on whoever comes and goes.  The buffer holds frames, one a hit, in the form in which GDB
 * keeps them in files:
 *     tracepoint (2 bytes), length of the rest (4), then blocks:
 *     'R' registers | 'M' address (8) length (2) bytes | 'V' variable (4) value (8)
 * numbers being little-endian.  An R block has room for all registers that debuggers know, in the
 * order of their numbers; those that were not asked for are 0 there.  The buffer is bounded: when
 * it is full the trace stops, or the oldest frames go.  What a hit writes down is only what is
 * there; nothing of the guest changes.
 *
 * Machine thread only.
 */
#ifndef DEBUG_TRACE_H
#define DEBUG_TRACE_H

#include "debug/points.h"

#define DBG_TRACE_SIZE      (UINT64_C(5) << 20) /* bytes of the buffer, by default */
#define DBG_TRACE_SIZE_MAX  (UINT64_C(1) << 30)
/* What may be defined. */
#define DBG_TRACE_STEPS_MAX   1000000u
#define DBG_TRACE_POINTS_MAX  1024u
#define DBG_TRACE_ACTIONS_MAX 256u              /* of a tracepoint */
#define DBG_TRACE_VARS_MAX    1024u
#define DBG_TRACE_KEPT_MAX    ((size_t)4 << 20) /* bytes of programs and texts, of all together */
#define DBG_TRACE_FRAMES_MAX  (1u << 20)        /* in the buffer, however small they are */

/* What a hit is to write down. */
struct dbg_collect {
    enum { DBG_COLLECT_MEMORY, DBG_COLLECT_AGENT } kind;
    int row;                /* DBG_COLLECT_MEMORY: addr is from this register; -1: from 0 */
    uint64_t addr, len;     /* likewise */
    struct dbg_agent agent; /* DBG_COLLECT_AGENT: runs, and its trace operations write down */
};

struct dbg_tracepoint {
    struct dbg_trace *trace;
    unsigned number; /* the client's; with addr, its name */
    uint64_t addr;
    bool disabled;
    bool ran;       /* it was set once: frames may be its */
    size_t kept;    /* bytes of its programs and texts; see dbg_trace_keep */
    uint64_t steps; /* instructions after a hit that are hits, too; of step_actions */
    uint64_t pass;  /* the trace stops after so many hits; 0: it does not */
    struct dbg_agent cond;
    struct {
        VEC(uint32_t);
    } regs[2]; /* to be written down: indices of dbg_trace.regs; [1]: in steps */
    struct {
        VEC(struct dbg_collect);
    } actions[2]; /* likewise */
    struct {
        VEC(char *);
    } texts; /* what the client calls all this by, for it to ask back */

    unsigned point;       /* in dbg_points while it is set; 0 */
    uint64_t hits, usage; /* usage: bytes written into the buffer */
};

struct dbg_trace_var {
    unsigned number;
    uint64_t initial, value;
    char *name;
};

/* What people say about a trace. */
enum dbg_trace_note { DBG_NOTE_USER, DBG_NOTE_NOTES, DBG_NOTE_STOP, DBG_NOTES };
#define DBG_TRACE_NOTE_MAX 4096u /* bytes */

enum dbg_trace_state {
    DBG_TRACE_NOT_RUN,
    DBG_TRACE_RUNS,
    DBG_TRACE_STOPPED,      /* by dbg_trace_stop */
    DBG_TRACE_FULL,         /* the buffer is */
    DBG_TRACE_DISCONNECTED, /* its client went */
    DBG_TRACE_PASSED,       /* a pass count was reached */
};

/* A register's place in an R block. */
struct dbg_trace_reg {
    uint32_t number, row; /* GDB's, and the guest's */
    uint32_t at, bytes;
};

/* A frame: a hit that was written down. */
struct dbg_trace_frame {
    uint64_t at, len; /* in the buffer */
    const struct dbg_tracepoint *x;
    bool step;
    uint64_t pc;
};

struct dbg_trace {
    struct dbg_points *points;
    struct machine *m;
    struct {
        VEC(struct dbg_trace_reg);
    } regs;                /* by number */
    uint32_t regs_len, pc; /* pc: its number */
    uint8_t *no_regs;      /* that many zeroes */

    struct {
        VEC(struct dbg_tracepoint *); /* owned */
    } all;
    struct {
        VEC(struct dbg_trace_var);
    } vars;

    size_t kept; /* bytes of all programs and texts */
    char *notes[DBG_NOTES]; /* malloc'ed; NULL: none.  The stop's goes when the trace starts */

    enum dbg_trace_state state;
    const void *owner;   /* who started it last and is still there; or NULL */
    unsigned stopped_by; /* DBG_TRACE_PASSED: the tracepoint */
    bool circular, disconnected;

    uint8_t *data; /* a ring; NULL before the first start */
    uint64_t size, start, used;
    struct {
        VEC(struct dbg_trace_frame);
    } frames;
    size_t first;     /* of frames: those before it went */
    uint64_t created; /* frames, ever */

    struct buf frame;               /* the one that is being written, */
    bool writes;                    /* if so */
    struct dbg_tracepoint *step_of; /* its steps are being traced: step_left on step_cpu */
    uint64_t step_left;
    unsigned step_cpu;
};

struct dbg_trace *dbg_trace_new(struct dbg_points *points, struct machine *m);
void dbg_trace_free(struct dbg_trace *t);
/* No tracepoints, variables, frames or notes. */
void dbg_trace_clear(struct dbg_trace *t);

/* A new one, which is not set before the trace starts; NULL: there is one already, or there are
 * DBG_TRACE_POINTS_MAX. */
struct dbg_tracepoint *dbg_trace_add(struct dbg_trace *t, unsigned number, uint64_t addr);
struct dbg_tracepoint *dbg_trace_find(const struct dbg_trace *t, unsigned number, uint64_t addr);
/* It was not right: it goes.  It has not run. */
void dbg_trace_remove(struct dbg_trace *t, struct dbg_tracepoint *x);
/* It is to keep so many bytes more of programs and texts.  False: that would be more than
 * DBG_TRACE_KEPT_MAX in all. */
bool dbg_trace_keep(struct dbg_tracepoint *x, size_t bytes);
void dbg_trace_enable(struct dbg_trace *t, struct dbg_tracepoint *x, bool enabled);
/* Its hits write down the register, if there is one of that number. */
void dbg_trace_want_reg(struct dbg_tracepoint *x, bool step, uint32_t number);
/* By number; made if there is none, unless it is only looked for: NULL then. */
struct dbg_trace_var *dbg_trace_var(struct dbg_trace *t, unsigned number, bool make);
/* Takes the text over; NULL: there is to be none. */
void dbg_trace_note(struct dbg_trace *t, enum dbg_trace_note which, char *text);
/* Not while it runs.  False: more than DBG_TRACE_SIZE_MAX. */
bool dbg_trace_resize(struct dbg_trace *t, uint64_t size);

/* With an empty buffer, variables as they were made, and no hits. */
void dbg_trace_start(struct dbg_trace *t, const void *owner);
void dbg_trace_stop(struct dbg_trace *t, enum dbg_trace_state why);
/* The machine was put back to its start: no steps of a hit are left. */
void dbg_trace_reset(struct dbg_trace *t);

/* machine_run for whoever lets a machine with a trace run: by single counts as long as steps of a hit
 * are to be written down, which are that CPU's instructions in the machine's own order. */
enum machine_stop dbg_trace_run(struct dbg_trace *t, uint64_t until);

size_t dbg_trace_nframes(const struct dbg_trace *t);
const struct dbg_trace_frame *dbg_trace_frame(const struct dbg_trace *t, size_t n);
/* Copies from the frames as one run of bytes, oldest first; how many there were. */
uint64_t dbg_trace_copy(const struct dbg_trace *t, uint64_t at, void *data, uint64_t len);

/* A block of a frame; next: 0 to begin with.  False: there are no more. */
struct dbg_trace_block {
    char kind;          /* R, M, V */
    uint64_t addr, len; /* M; V: number, and 8 */
    uint64_t at;        /* of its bytes, for dbg_trace_bytes */
};
bool dbg_trace_block(const struct dbg_trace *t, const struct dbg_trace_frame *f, uint64_t *next,
                     struct dbg_trace_block *b);
/* A register as a frame has it; false: it does not. */
bool dbg_trace_reg(const struct dbg_trace *t, const struct dbg_trace_frame *f, uint32_t number,
                   uint64_t *value);
/* Bytes of the ring. */
void dbg_trace_bytes(const struct dbg_trace *t, uint64_t at, void *data, uint64_t len);
/* Memory as a frame has it; how many bytes from addr on. */
uint64_t dbg_trace_memory(const struct dbg_trace *t, const struct dbg_trace_frame *f, uint64_t addr,
                          void *data, uint64_t len);

#endif
