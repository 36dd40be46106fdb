/* step.c - see step.h.  Which registers a call uses is RISC-V's. */
#include "debug/step.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "cpu/debug.h"
#include "debug/backtrace.h"
#include "debug/expr.h"

enum { SP = 2 }; /* in DWARF */

/* A function that saves registers for its caller is called by t0 and leaves them on the stack. */
#define SAVED_MAX 256 /* bytes */

/* What the machine runs for, up to a point of the plan's own. */
enum errand { GOAL, CALL, TRAP };

struct dbg_step {
    struct dbg_points *points;
    struct dbg_trace *trace;
    struct machine *m;
    const struct dbg_symbols *symbols;
    struct dbg_plan plan;
    struct cpu *c;
    uint32_t sp, ra, t0; /* rows of registers */
    uint64_t left;       /* of plan.times */
    bool done;

    /* The instruction that is carried out, as it was before. */
    struct {
        uint64_t pc, sp, space, count, traps;
        uint64_t next; /* the address behind it; odd: not known */
    } was;

    enum errand errand;
    unsigned points_set[DBG_PLAN_PLACES], npoints; /* numbers; none: instructions are carried out */
    bool arrived;

    /* Of lines: the one that is to be left, and its function. */
    struct dbg_line line;
    uint64_t from, to;       /* code of it, where nobody need ask */
    bool entering;           /* a function: this is what comes before its first line */
    uint64_t function;       /* where it starts; 0: not known */
    struct dbg_place caller; /* where it returns to; address 0: not known */
};

/* ---- points of its own ---- */

static bool arrive(void *opaque, struct cpu *c)
{
    struct dbg_step *s = opaque;

    (void)c;
    s->arrived = true;
    return true;
}

static void add_point(struct dbg_step *s, const struct dbg_place *p)
{
    struct dbg_point x = {.kind = DBG_BREAK,
                          .internal = true,
                          .addr = p->addr,
                          .physical = p->physical,
                          .cpus = (uint32_t)BIT(s->plan.cpu),
                          .act = arrive,
                          .opaque = s};
    char *text = NULL;

    if (p->framed) {
        text = xasprintf("%" PRIu64 "u - sp < %" PRIu64 "u", p->sp, p->slack);
        dbg_expr_compile(&x.cond, text, s->c->guest, NULL, NULL);
        free(text);
        /* By its stack a thread is known; but processes may have theirs at the same addresses.  A
         * kernel's, in the upper half, are in all spaces. */
        x.one_space = !(p->addr >> 63);
        x.space = p->space;
    }
    s->points_set[s->npoints++] = dbg_points_add(s->points, &x);
}

static void run_to(struct dbg_step *s, enum errand errand, const struct dbg_place *places,
                   unsigned n)
{
    s->errand = errand;
    s->arrived = false;
    for (unsigned i = 0; i < n; i++)
        add_point(s, &places[i]);
}

static void drop_points(struct dbg_step *s)
{
    while (s->npoints)
        dbg_points_delete(s->points, s->points_set[--s->npoints]);
    s->arrived = false;
}

/* ---- frames ---- */

static uint64_t reg(const struct dbg_step *s, uint32_t row)
{
    return s->c->guest->reg_read(s->c, row);
}

static struct dbg_place in_frame(uint64_t addr, uint64_t sp, uint64_t space)
{
    return (struct dbg_place){.addr = addr, .framed = true, .sp = sp, .slack = 1, .space = space};
}

/* Whether an instruction before pc would return there: jal or jalr with ra or t0, or c.jalr. */
static bool is_behind_call(struct cpu *c, uint64_t pc)
{
    uint64_t low, w;

    if (!cpu_debug_load(c, pc - 2, 2, &low))
        return false;
    if ((low & 0xf07f) == 0x9002 && bits_get(low, 7, 5))
        return true;
    if (!cpu_debug_load(c, pc - 4, 2, &w))
        return false;
    w |= low << 16;
    return ((w & 0x7f) == 0x6f || (w & 0x707f) == 0x67) && (w >> 7 & 0x1b) == 1;
}

/* A guess may be wrong, and one would never come there.  Code and its stack lie in the same half of
 * addresses, kernel's or user's.  Assembly jumps to functions that are to return to a label. */
static bool is_likely(struct cpu *c, const struct dbg_symbols *t, const struct dbg_frame *caller)
{
    const struct dbg_symbol *s = dbg_symbols_at(t, caller->pc);

    if (caller->interrupted)
        return true;
    return (caller->pc ^ caller->reg[SP]) >> 63 == 0 &&
           ((s && s->start == caller->pc) || is_behind_call(c, caller->pc));
}

static bool find_caller(struct cpu *c, const struct dbg_symbols *t, struct dbg_place *p)
{
    struct dbg_frame f, caller;

    dbg_frame_first(c, &f);
    if (!dbg_frame_up(c, t, &f, &caller) || !(caller.known >> SP & 1) || !is_likely(c, t, &caller))
        return false;
    *p = in_frame(caller.pc, caller.reg[SP], c->tlb.space);
    return true;
}

int dbg_plan_out(struct cpu *c, const struct dbg_symbols *t, struct dbg_plan *plan, struct err *e)
{
    *plan = (struct dbg_plan){.kind = DBG_PLAN_TO, .cpu = c->index, .nplaces = 1};
    if (find_caller(c, t, &plan->places[0]))
        return 0;
    return err_set(e, ENOENT,
                   "nobody knows who called the code at 0x%" PRIx64
                   ": no table of frames says it, and what the stack says is not likely",
                   c->pc);
}

/* Whether the instruction was a call: it is one that leads elsewhere and leaves the address behind
 * it in a register for returns. */
static bool has_called(const struct dbg_step *s, struct dbg_place *back)
{
    uint64_t next = s->was.next;

    if (s->c->pc == next || (reg(s, s->ra) != next && reg(s, s->t0) != next))
        return false;
    *back = in_frame(next, s->was.sp, s->was.space);
    if (reg(s, s->ra) != next)
        back->slack = SAVED_MAX;
    return true;
}

static bool has_returned(const struct dbg_step *s)
{
    return s->caller.addr && s->c->pc == s->caller.addr && reg(s, s->sp) == s->caller.sp;
}

/* ---- the state machine ---- */

static uint64_t traps(const struct cpu *c)
{
    return c->count.traps + c->count.interrupts;
}

static uint64_t behind(struct cpu *c)
{
    uint64_t low;

    if (!cpu_debug_load(c, c->pc, 2, &low))
        return 1;
    return c->pc + ((low & 3) == 3 ? 4 : 2);
}

static void begin_insn(struct dbg_step *s)
{
    s->was.pc = s->c->pc;
    s->was.next = behind(s->c);
    s->was.sp = reg(s, s->sp);
    s->was.space = s->c->tlb.space;
    s->was.count = cpu_count(s->c);
    s->was.traps = traps(s->c);
}

static uint64_t function_at(const struct dbg_step *s, uint64_t addr)
{
    const struct dbg_symbol *k = dbg_symbols_at(s->symbols, addr);

    return k ? k->start : 0;
}

/* The line where the CPU is, if it is known, is the one to be left. */
static void begin_line(struct dbg_step *s)
{
    uint64_t pc = s->c->pc;

    s->entering = false;
    s->line = (struct dbg_line){.from = pc, .to = pc};
    dbg_symbols_line(s->symbols, pc, &s->line);
    s->from = s->line.from;
    s->to = s->line.to;
    s->function = function_at(s, pc);
    if (!find_caller(s->c, s->symbols, &s->caller))
        s->caller.addr = 0;
}

static void begin_one(struct dbg_step *s)
{
    if (s->plan.kind != DBG_PLAN_OVER)
        begin_line(s);
    begin_insn(s);
}

static void one_done(struct dbg_step *s)
{
    s->done = !--s->left;
    if (!s->done)
        begin_one(s);
}

/* Into a function: to the first line behind its prologue. */
static void enter(struct dbg_step *s, const struct dbg_place *back)
{
    s->entering = true;
    s->from = s->c->pc;
    s->to = dbg_symbols_body(s->symbols, s->c->pc);
    s->caller = *back;
    if (s->from < s->to)
        begin_insn(s);
    else
        one_done(s);
}

static void called(struct dbg_step *s, const struct dbg_place *back)
{
    struct dbg_line l;

    if (s->plan.kind == DBG_PLAN_LINE && dbg_symbols_line(s->symbols, s->c->pc, &l))
        enter(s, back);
    else
        run_to(s, CALL, back, 1);
}

/* Code without lines is passed over where it is part of the function, or is a function that was
 * jumped to and will return to this one's caller. */
static void without_line(struct dbg_step *s)
{
    uint64_t pc = s->c->pc, function = function_at(s, pc);
    struct dbg_place caller = in_frame(reg(s, s->ra), reg(s, s->sp), s->c->tlb.space);

    if (function && function == s->function)
        begin_insn(s);
    else if (function && function == pc)
        run_to(s, CALL, &caller, 1);
    else
        one_done(s);
}

static bool is_same_line(const struct dbg_line *a, const struct dbg_line *b)
{
    return a->line == b->line && !strcmp(a->file, b->file);
}

/* Whether another line has begun: at its start, or by a return into the midst of one. */
static void look_at_line(struct dbg_step *s)
{
    uint64_t pc = s->c->pc;
    struct dbg_line l;

    if (has_returned(s)) {
        one_done(s);
    } else if (pc - s->from < s->to - s->from) {
        begin_insn(s);
    } else if (s->entering) {
        one_done(s);
    } else if (!dbg_symbols_line(s->symbols, pc, &l)) {
        without_line(s);
    } else if (pc == l.from && !is_same_line(&l, &s->line)) {
        one_done(s);
    } else {
        s->from = l.from;
        s->to = l.to;
        begin_insn(s);
    }
}

static void insn_done(struct dbg_step *s)
{
    if (s->plan.kind == DBG_PLAN_OVER)
        one_done(s);
    else
        look_at_line(s);
}

/* The CPU has begun an instruction.  If that is a trap's or interrupt's first, the one that was
 * meant comes after it; or has been carried out, as a system call. */
static void after_insn(struct dbg_step *s)
{
    struct dbg_place back[2];

    if (traps(s->c) != s->was.traps) {
        back[0] = in_frame(s->was.pc, s->was.sp, s->was.space);
        back[1] = in_frame(s->was.next, s->was.sp, s->was.space);
        run_to(s, TRAP, back, 2);
    } else if (has_called(s, &back[0])) {
        called(s, &back[0]);
    } else {
        insn_done(s);
    }
}

static void after_arrival(struct dbg_step *s)
{
    drop_points(s);
    if (s->errand == GOAL) {
        s->done = true;
        return;
    }
    dbg_points_apply(s->points); /* others that are here were asked already */
    machine_pass_probe(s->m, s->plan.cpu);
    if (s->errand == TRAP && s->c->pc == s->was.pc)
        begin_insn(s);
    else
        insn_done(s);
}

/* ---- for whoever runs the machine ---- */

struct dbg_step *dbg_step_new(struct dbg_points *points, struct dbg_trace *trace, struct machine *m)
{
    struct dbg_step *s = xcalloc(1, sizeof *s);
    const struct guest *g = machine_guest(m);

    s->points = points;
    s->trace = trace;
    s->m = m;
    s->sp = (uint32_t)guest_find_reg(g, "sp");
    s->ra = (uint32_t)guest_find_reg(g, "ra");
    s->t0 = (uint32_t)guest_find_reg(g, "t0");
    return s;
}

void dbg_step_free(struct dbg_step *s)
{
    if (s)
        dbg_step_end(s);
    free(s);
}

void dbg_step_begin(struct dbg_step *s, const struct dbg_symbols *t, const struct dbg_plan *plan)
{
    dbg_step_end(s);
    s->plan = *plan;
    s->symbols = t;
    s->c = machine_cpu(s->m, plan->cpu);
    s->left = plan->times;
    if (plan->kind == DBG_PLAN_TO)
        run_to(s, GOAL, plan->places, plan->nplaces);
    else
        begin_one(s);
}

void dbg_step_end(struct dbg_step *s)
{
    drop_points(s);
    s->plan.kind = DBG_PLAN_NONE;
    s->done = false;
}

bool dbg_step_done(const struct dbg_step *s)
{
    return s->done;
}

enum machine_stop dbg_step_one(struct dbg_trace *t, struct machine *m, unsigned cpu,
                               uint64_t count)
{
    const struct cpu *c = machine_cpu(m, cpu);
    enum machine_stop why = MACHINE_COUNT;

    while (why == MACHINE_COUNT && cpu_count(c) == count)
        why = dbg_trace_run(t, machine_count(m) + 1);
    return why;
}

enum machine_stop dbg_step_run(struct dbg_step *s, unsigned most)
{
    enum machine_stop why = MACHINE_COUNT;

    while (why == MACHINE_COUNT && !s->done && most--) {
        if (s->arrived) {
            after_arrival(s);
        } else if (s->npoints) {
            dbg_points_apply(s->points);
            why = dbg_trace_run(s->trace, UINT64_MAX);
        } else {
            why = dbg_step_one(s->trace, s->m, s->plan.cpu, s->was.count);
            if (why == MACHINE_COUNT)
                after_insn(s);
        }
    }
    return why;
}
