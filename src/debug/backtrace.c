/* backtrace.c - see backtrace.h.  What is not in tables is RISC-V's. */
#include "debug/backtrace.h"

#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/debug.h"
#include "cpu/guest.h"

enum { RA = 1, SP = 2, FP = 8 }; /* of the integer registers, and in DWARF */

#define PROLOGUE_MAX 4096 /* bytes of a function that are looked at */
#define EPILOGUE_MAX 24   /* instructions */
#define STACK_MAX    (1 << 20) /* bytes of a frame, for a guess */

static bool load(void *opaque, uint64_t addr, uint64_t *value)
{
    return cpu_debug_load(opaque, addr, 8, value);
}

void dbg_frame_first(struct cpu *c, struct dbg_frame *f)
{
    *f = (struct dbg_frame){.pc = c->pc, .known = UINT32_MAX, .interrupted = true};
    for (uint32_t row = 0; row < c->guest->nregs; row++) {
        const struct guest_reg *r = &c->guest->regs[row];

        if (r->kind == REG_INT && r->number < DBG_FRAME_REGS)
            f->reg[r->number] = c->guest->reg_read(c, row);
    }
}

/* ---- without tables ---- */

/* The few instructions that matter: what they do with sp, and with ra and s0 on the stack. */
enum kind { OTHER, MOVE_SP, SET_FP, STORE, LOAD, RETURN, JUMP };

struct insn {
    enum kind kind;
    unsigned reg; /* that is stored or loaded */
    int64_t n;    /* what is added to sp, or the offset from sp */
    unsigned len;
};

/* The compressed ones: RVC's c.addi, c.addi16sp, c.addi4spn, c.sdsp, c.ldsp, c.jr ra. */
static void decode16(uint32_t w, struct insn *k)
{
    unsigned rd = (unsigned)bits_get(w, 7, 5);

    if ((w & 0xe003) == 0x0001 && rd == SP) {
        k->kind = MOVE_SP;
        k->n = bits_sext(bits_get(w, 12, 1) << 5 | bits_get(w, 2, 5), 6);
    } else if ((w & 0xef83) == 0x6101) {
        k->kind = MOVE_SP;
        k->n = bits_sext(bits_get(w, 12, 1) << 9 | bits_get(w, 3, 2) << 7 | bits_get(w, 5, 1) << 6 |
                             bits_get(w, 2, 1) << 5 | bits_get(w, 6, 1) << 4,
                         10);
    } else if ((w & 0xe003) == 0x0000 && w && bits_get(w, 2, 3) + 8 == FP) {
        k->kind = SET_FP;
        k->n = (int64_t)(bits_get(w, 7, 4) << 6 | bits_get(w, 11, 2) << 4 | bits_get(w, 5, 1) << 3 |
                         bits_get(w, 6, 1) << 2);
    } else if ((w & 0xe003) == 0xe002) {
        k->kind = STORE;
        k->reg = (unsigned)bits_get(w, 2, 5);
        k->n = (int64_t)(bits_get(w, 7, 3) << 6 | bits_get(w, 10, 3) << 3);
    } else if ((w & 0xe003) == 0x6002) {
        k->kind = LOAD;
        k->reg = rd;
        k->n = (int64_t)(bits_get(w, 2, 3) << 6 | bits_get(w, 12, 1) << 5 | bits_get(w, 5, 2) << 3);
    } else if (w == 0x8082) {
        k->kind = RETURN;
    } else if ((w & 0xe003) == 0xa001 || (w & 0xf07f) == 0x8002) {
        k->kind = JUMP;
    }
}

/* addi to sp and s0, sd and ld by sp, ret, jal zero and jr. */
static void decode32(uint32_t w, struct insn *k)
{
    unsigned rd = (unsigned)bits_get(w, 7, 5), rs1 = (unsigned)bits_get(w, 15, 5);
    uint32_t shape = w & 0x707f;
    int64_t imm = bits_sext(w >> 20, 12);

    if (w == 0x00008067) {
        k->kind = RETURN;
    } else if (((w & 0x7f) == 0x6f || shape == 0x0067) && !rd) {
        k->kind = JUMP;
    } else if (rs1 == SP && shape == 0x0013 && (rd == SP || rd == FP)) {
        k->kind = rd == SP ? MOVE_SP : SET_FP;
        k->n = imm;
    } else if (rs1 == SP && shape == 0x3003) {
        k->kind = LOAD;
        k->reg = rd;
        k->n = imm;
    } else if (rs1 == SP && shape == 0x3023) {
        k->kind = STORE;
        k->reg = (unsigned)bits_get(w, 20, 5);
        k->n = bits_sext(bits_get(w, 25, 7) << 5 | rd, 12);
    }
}

static bool decode(struct cpu *c, uint64_t pc, struct insn *k)
{
    uint64_t low, high = 0;

    *k = (struct insn){.kind = OTHER};
    if (!cpu_debug_load(c, pc, 2, &low))
        return false;
    k->len = (low & 3) == 3 ? 4 : 2;
    if (k->len == 4 && !cpu_debug_load(c, pc + 2, 2, &high))
        return false;
    if (k->len == 2)
        decode16((uint32_t)low, k);
    else
        decode32((uint32_t)(high << 16 | low), k);
    return true;
}

/* What a function has done up to where it is; offsets from where sp was when it began. */
struct done {
    int64_t sp;     /* it is now */
    int64_t ra, fp; /* saved there */
    bool saved_ra, saved_fp, has_fp;
    int64_t frame_fp; /* what s0 was set to, if has_fp */
};

/* Up to the first jump; what a function saves it saves before. */
static void look_at_prologue(struct cpu *c, uint64_t start, uint64_t pc, struct done *d)
{
    struct insn k;

    *d = (struct done){0};
    for (uint64_t at = start; at < pc && decode(c, at, &k); at += k.len) {
        if (k.kind == RETURN || k.kind == JUMP)
            break;
        if (k.kind == MOVE_SP && k.n < 0) {
            d->sp += k.n;
        } else if (k.kind == SET_FP) {
            d->has_fp = true;
            d->frame_fp = d->sp + k.n;
        } else if (k.kind == STORE && k.reg == RA && !d->saved_ra) {
            d->saved_ra = true;
            d->ra = d->sp + k.n;
        } else if (k.kind == STORE && k.reg == FP && !d->saved_fp) {
            d->saved_fp = true;
            d->fp = d->sp + k.n;
        }
    }
}

/* On the way out, what was saved is back: whether no load of ra comes before the return.  Likewise
 * what is yet to be added to sp. */
static bool is_leaving(struct cpu *c, uint64_t pc, int64_t *to_add)
{
    struct insn k;

    *to_add = 0;
    for (unsigned i = 0; i < EPILOGUE_MAX && decode(c, pc, &k); i++, pc += k.len) {
        if (k.kind == RETURN)
            return true;
        if (k.kind == JUMP || (k.kind == LOAD && k.reg == RA))
            return false;
        if (k.kind == MOVE_SP)
            *to_add += k.n;
    }
    return false;
}

static void keep(const struct dbg_frame *f, struct dbg_frame *caller, int64_t sp_to_caller)
{
    *caller = *f;
    caller->interrupted = false;
    caller->pc = f->reg[RA];
    caller->cfa = caller->reg[SP] = f->reg[SP] + (uint64_t)sp_to_caller;
}

/* The function starts at `start`. */
static bool by_prologue(struct cpu *c, const struct dbg_frame *f, uint64_t start,
                        struct dbg_frame *caller)
{
    struct done d;
    int64_t to_add;
    uint64_t entry_sp;

    look_at_prologue(c, start, f->pc, &d);
    if (f->interrupted && (!d.saved_ra || is_leaving(c, f->pc, &to_add))) {
        keep(f, caller, d.saved_ra ? to_add : -d.sp);
        return true;
    }
    if (!d.saved_ra)
        return false;
    entry_sp = d.has_fp ? f->reg[FP] - (uint64_t)d.frame_fp : f->reg[SP] - (uint64_t)d.sp;
    keep(f, caller, 0);
    caller->cfa = caller->reg[SP] = entry_sp;
    return load(c, entry_sp + (uint64_t)d.ra, &caller->pc) &&
           (!d.saved_fp || load(c, entry_sp + (uint64_t)d.fp, &caller->reg[FP]));
}

/* By the psABI's frame record: ra and the caller's frame pointer lie below where s0 points to.  A
 * function that calls none saves the latter alone, where ra would be: that is a place on the stack. */
static bool by_frame_pointer(struct cpu *c, const struct dbg_frame *f, struct dbg_frame *caller)
{
    uint64_t fp = f->reg[FP], top;

    if (fp & 7 || fp < f->reg[SP] || !load(c, fp - 8, &top))
        return false;
    keep(f, caller, 0);
    caller->cfa = caller->reg[SP] = fp;
    if (f->interrupted && top >= fp && top - fp < STACK_MAX && !(top & 7)) {
        caller->reg[FP] = top;
        return true;
    }
    caller->pc = top;
    return load(c, fp - 16, &caller->reg[FP]);
}

/* Linux returns from a trap by this; all registers of what was interrupted lie on the stack, pc
 * in the place of x0 (struct pt_regs). */
static bool by_trap(struct cpu *c, const struct dbg_symbol *s, const struct dbg_frame *f,
                    struct dbg_frame *caller)
{
    if (!s || f->interrupted ||
        (strcmp(s->name, "ret_from_exception") && strcmp(s->name, "handle_exception")))
        return false;
    *caller = (struct dbg_frame){.known = UINT32_MAX, .interrupted = true};
    for (unsigned i = 1; i < DBG_FRAME_REGS; i++)
        if (!load(c, f->reg[SP] + 8 * i, &caller->reg[i]))
            return false;
    return load(c, f->reg[SP], &caller->pc);
}

/* ---- all of it ---- */

static const struct dbg_symbol *function_of(const struct dbg_symbols *t, const struct dbg_frame *f)
{
    return dbg_symbols_at(t, f->pc - !f->interrupted);
}

bool dbg_frame_up(struct cpu *c, const struct dbg_symbols *t, const struct dbg_frame *f,
                  struct dbg_frame *caller)
{
    const struct dbg_symbol *s = function_of(t, f);
    bool near = s && s->code && f->pc - s->start <= PROLOGUE_MAX;

    if (by_trap(c, s, f, caller))
        return true;
    if (!dbg_symbols_unwind(t, f, load, c, caller) &&
        !(near && by_prologue(c, f, s->start, caller)) && !by_frame_pointer(c, f, caller))
        return false;
    /* A frame is above its callee's; only one that saves nothing is empty. */
    return caller->pc && (caller->cfa > f->cfa || (f->interrupted && caller->cfa >= f->cfa)) &&
           (caller->pc != f->pc || caller->cfa != f->cfa);
}

static void line(unsigned n, const struct dbg_symbols *t, const struct dbg_frame *f,
                 struct buf *out)
{
    uint64_t pc = f->pc - !f->interrupted;
    const struct dbg_symbol *s = dbg_symbols_at(t, pc);
    struct dbg_line l;

    buf_fmt(out, "#%-3u 0x%016" PRIx64, n, f->pc);
    if (s)
        buf_fmt(out, " %s+0x%" PRIx64, s->name, f->pc - s->start);
    if (dbg_symbols_line(t, pc, &l))
        buf_fmt(out, " at %s:%u", l.file, l.line);
    buf_ch(out, '\n');
}

void dbg_backtrace(struct cpu *c, const struct dbg_symbols *t, unsigned n, struct buf *out)
{
    struct dbg_frame f, caller;
    bool more = true;

    dbg_frame_first(c, &f);
    for (unsigned i = 0; i < n && more; i++, f = caller) {
        line(i, t, &f, out);
        more = dbg_frame_up(c, t, &f, &caller);
    }
    if (more)
        buf_str(out, "...\n");
}
