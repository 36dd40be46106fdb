/* dwarf.c - see dwarf.h. */
#include "debug/dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

struct dbg_dwarf {
    const void *data;
    size_t len;
    uint64_t offset;
    bool opened;
    Elf *elf;
    Dwarf *dwarf;      /* NULL: there is none */
    Dwarf_CFI *cfi[2]; /* .debug_frame, .eh_frame; NULL: there is none */
};

struct dbg_dwarf *dbg_dwarf_new(const void *data, size_t len, uint64_t offset)
{
    struct dbg_dwarf *d = xcalloc(1, sizeof *d);

    d->data = data;
    d->len = len;
    d->offset = offset;
    return d;
}

void dbg_dwarf_free(struct dbg_dwarf *d)
{
    if (!d)
        return;
    if (d->cfi[1])
        dwarf_cfi_end(d->cfi[1]); /* the other one is the Dwarf's */
    if (d->dwarf)
        dwarf_end(d->dwarf);
    if (d->elf)
        elf_end(d->elf);
    free(d);
}

/* libelf takes memory that may be written, and then does not write to it. */
static void open_file(struct dbg_dwarf *d)
{
    if (d->opened)
        return;
    d->opened = true;
    elf_version(EV_CURRENT);
    d->elf = elf_memory((char *)(uintptr_t)d->data, d->len);
    if (!d->elf)
        return;
    d->dwarf = dwarf_begin_elf(d->elf, DWARF_C_READ, NULL);
    d->cfi[0] = d->dwarf ? dwarf_getcfi(d->dwarf) : NULL;
    d->cfi[1] = dwarf_getcfi_elf(d->elf);
}

/* ---- lines ---- */

/* The next unit's DIE, from *at on. */
static bool next_unit(struct dbg_dwarf *d, Dwarf_Off *at, Dwarf_Die *unit)
{
    Dwarf_Off off = *at;
    size_t header;

    return d->dwarf && !dwarf_nextcu(d->dwarf, off, at, &header, NULL, NULL, NULL) &&
           dwarf_offdie(d->dwarf, off + header, unit);
}

/* The unit that an address of the file is in: by the index, or where a compiler made none by all of
 * them. */
static bool unit_at(struct dbg_dwarf *d, uint64_t addr, Dwarf_Die *unit)
{
    Dwarf_Off at = 0;

    if (d->dwarf && dwarf_addrdie(d->dwarf, addr, unit))
        return true;
    while (next_unit(d, &at, unit))
        if (dwarf_haspc(unit, addr) > 0)
            return true;
    return false;
}

/* The address of the first row behind an address of the unit; rows are sorted. */
static bool next_row(Dwarf_Die *unit, uint64_t addr, Dwarf_Addr *next)
{
    Dwarf_Lines *rows;
    size_t n, lo = 0, hi;

    if (dwarf_getsrclines(unit, &rows, &n))
        return false;
    for (hi = n; lo < hi;) {
        size_t mid = lo + (hi - lo) / 2;

        if (dwarf_lineaddr(dwarf_onesrcline(rows, mid), next))
            return false;
        if (*next <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && !dwarf_lineaddr(dwarf_onesrcline(rows, lo), next);
}

bool dbg_dwarf_line(struct dbg_dwarf *d, uint64_t addr, struct dbg_line *line)
{
    Dwarf_Addr from, to;
    Dwarf_Die unit;
    Dwarf_Line *row;
    const char *file;
    int n = 0;

    open_file(d);
    if (!unit_at(d, addr - d->offset, &unit))
        return false;
    row = dwarf_getsrc_die(&unit, addr - d->offset);
    file = row ? dwarf_linesrc(row, NULL, NULL) : NULL;
    if (!file || dwarf_lineno(row, &n) || n <= 0 || dwarf_lineaddr(row, &from) ||
        !next_row(&unit, addr - d->offset, &to))
        return false;
    *line = (struct dbg_line){file, (unsigned)n, from + d->offset, to + d->offset};
    return true;
}

/* The innermost function, inlined ones too, that addr is in; false: none. */
static bool function_at(Dwarf_Die *unit, uint64_t addr, Dwarf_Die *function)
{
    Dwarf_Die *scopes;
    int n = dwarf_getscopes(unit, addr, &scopes);
    bool found = false;

    for (int i = 0; i < n && !found; i++) {
        int tag = dwarf_tag(&scopes[i]);

        found = tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
        *function = scopes[i];
    }
    if (n > 0)
        free(scopes);
    return found;
}

/* Behind a prologue, as libdw and GDB see it: at the second line of the function. */
static uint64_t body(Dwarf_Die *function, uint64_t addr)
{
    Dwarf_Addr entry, *found;
    int n;

    if (dwarf_tag(function) != DW_TAG_subprogram || dwarf_entrypc(function, &entry) ||
        entry != addr)
        return addr;
    n = dwarf_entry_breakpoints(function, &found);
    if (n > 0) {
        addr = found[0];
        free(found);
    }
    return addr;
}

uint64_t dbg_dwarf_body(struct dbg_dwarf *d, uint64_t addr)
{
    Dwarf_Die unit, function;

    open_file(d);
    if (!unit_at(d, addr - d->offset, &unit) || !function_at(&unit, addr - d->offset, &function))
        return addr;
    return body(&function, addr - d->offset) + d->offset;
}

/* Whether path is file, or ends with /file. */
static bool is_file(const char *path, const char *file)
{
    size_t n = path ? strlen(path) : 0, m = strlen(file);

    return n >= m && !strcmp(path + n - m, file) && (n == m || path[n - m - 1] == '/');
}

/* A place that was found, and in which function: of those in one, the first is kept. */
struct place {
    uint64_t addr;
    Dwarf_Off function;
};

struct search {
    struct dbg_dwarf *d;
    const char *file;
    unsigned line, best; /* that is asked for; that is nearest so far: UINT_MAX */
    struct {
        VEC(struct place);
    } found;
};

static void found(struct search *s, Dwarf_Die *unit, uint64_t addr)
{
    struct place place = {addr, 0};
    Dwarf_Die function;

    if (function_at(unit, addr, &function)) {
        place.function = dwarf_dieoffset(&function);
        place.addr = body(&function, addr);
    }
    for (size_t i = 0; i < s->found.len; i++) {
        struct place *other = &s->found.data[i];

        if (place.function ? other->function != place.function : other->addr != addr)
            continue;
        if (place.addr < other->addr)
            other->addr = place.addr;
        return;
    }
    vec_push(&s->found, place);
}

/* A row of a unit's table, if a statement begins with it. */
static void look_at_row(struct search *s, Dwarf_Die *unit, Dwarf_Line *row)
{
    Dwarf_Addr addr;
    bool statement, end;
    int line;

    if (dwarf_lineno(row, &line) || line < (int)s->line || (unsigned)line > s->best ||
        dwarf_linebeginstatement(row, &statement) || !statement ||
        dwarf_lineendsequence(row, &end) || end || dwarf_lineaddr(row, &addr) ||
        !is_file(dwarf_linesrc(row, NULL, NULL), s->file))
        return;
    if ((unsigned)line < s->best)
        s->found.len = 0;
    s->best = (unsigned)line;
    found(s, unit, addr);
}

static void look_at_unit(struct search *s, Dwarf_Die *unit)
{
    Dwarf_Lines *rows;
    size_t n;

    if (dwarf_getsrclines(unit, &rows, &n))
        return;
    for (size_t i = 0; i < n; i++)
        look_at_row(s, unit, dwarf_onesrcline(rows, i));
}

/* Units that are called as the file; if there are none, all: it is a header. */
static void look(struct search *s, bool all)
{
    Dwarf_Off at = 0;
    Dwarf_Die unit;

    while (next_unit(s->d, &at, &unit))
        if (all || is_file(dwarf_diename(&unit), s->file))
            look_at_unit(s, &unit);
}

void dbg_dwarf_places(struct dbg_dwarf *d, const char *file, unsigned *line, struct dbg_addrs *out)
{
    struct search s = {.d = d, .file = file, .line = *line, .best = UINT32_MAX};

    open_file(d);
    look(&s, false);
    if (!s.found.len)
        look(&s, true);
    for (size_t i = 0; i < s.found.len; i++)
        vec_push(out, s.found.data[i].addr + d->offset);
    if (s.found.len)
        *line = s.best;
    vec_fini(&s.found);
}

/* ---- frames ---- */

/* An expression of the tables on a frame. */
#define STACK 16

struct eval {
    const struct dbg_frame *f;
    uint64_t cfa;
    dbg_load_fn *load;
    void *opaque;
    uint64_t stack[STACK];
    unsigned depth;
    bool is_value;    /* what it comes to, not where that is */
    bool is_register; /* its number */
};

static bool push(struct eval *v, uint64_t value)
{
    if (v->depth == STACK)
        return false;
    v->stack[v->depth++] = value;
    return true;
}

static bool push_register(struct eval *v, uint64_t number, uint64_t add)
{
    return number < DBG_FRAME_REGS && v->f->known >> number & 1 && push(v, v->f->reg[number] + add);
}

static bool binary(struct eval *v, unsigned op)
{
    uint64_t *a, b;

    if (v->depth < 2)
        return false;
    b = v->stack[--v->depth];
    a = &v->stack[v->depth - 1];
    switch (op) {
    case DW_OP_plus:
        *a += b;
        return true;
    case DW_OP_minus:
        *a -= b;
        return true;
    case DW_OP_and:
        *a &= b;
        return true;
    case DW_OP_shl:
        *a = b < 64 ? *a << b : 0;
        return true;
    case DW_OP_ge:
        *a = (int64_t)*a >= (int64_t)b;
        return true;
    default:
        return false;
    }
}

/* libdw hands constants over in `number`, whatever their form. */
static bool one(struct eval *v, const Dwarf_Op *op)
{
    unsigned o = op->atom;

    if (o >= DW_OP_lit0 && o <= DW_OP_lit31)
        return push(v, o - DW_OP_lit0);
    if (o >= DW_OP_const1u && o <= DW_OP_consts)
        return push(v, op->number);
    if (o >= DW_OP_breg0 && o <= DW_OP_breg31)
        return push_register(v, o - DW_OP_breg0, op->number);
    switch (o) {
    case DW_OP_bregx:
        return push_register(v, op->number, op->number2);
    case DW_OP_regx:
        v->is_register = true;
        return push(v, op->number);
    case DW_OP_call_frame_cfa:
        return push(v, v->cfa);
    case DW_OP_stack_value:
        v->is_value = true;
        return v->depth;
    case DW_OP_plus_uconst:
        return push(v, op->number) && binary(v, DW_OP_plus);
    case DW_OP_deref:
        return v->depth && v->load(v->opaque, v->stack[v->depth - 1], &v->stack[v->depth - 1]);
    default:
        if (o < DW_OP_reg0 || o > DW_OP_reg31)
            return binary(v, o);
        v->is_register = true;
        return push(v, o - DW_OP_reg0);
    }
}

static bool evaluate(struct eval *v, const Dwarf_Op *ops, size_t n)
{
    v->depth = 0;
    v->is_value = v->is_register = false;
    for (size_t i = 0; i < n; i++)
        if (!one(v, &ops[i]))
            return false;
    return v->depth;
}

/* What a register was in the caller. */
static void restore(struct eval *v, Dwarf_Frame *frame, unsigned number, struct dbg_frame *caller)
{
    Dwarf_Op mem[3], *ops;
    size_t n;
    uint64_t value;

    if (dwarf_frame_register(frame, (int)number, mem, &ops, &n))
        return;
    /* Nothing is said of most registers: calls keep them, or nobody wants them. */
    if (!n) {
        caller->reg[number] = v->f->reg[number];
        caller->known |= v->f->known & (uint32_t)BIT(number);
        return;
    }
    if (!evaluate(v, ops, n))
        return;
    value = v->stack[v->depth - 1];
    if (v->is_register && !(value < DBG_FRAME_REGS && v->f->known >> value & 1))
        return;
    if (v->is_register)
        value = v->f->reg[value];
    else if (!v->is_value && !v->load(v->opaque, value, &value))
        return;
    caller->reg[number] = value;
    caller->known |= (uint32_t)BIT(number);
}

/* Whether the table says where a register is. */
static bool is_saved(Dwarf_Frame *frame, int number)
{
    Dwarf_Op mem[3], *ops;
    size_t n;

    return !dwarf_frame_register(frame, number, mem, &ops, &n) && n;
}

/* Where the stack pointer is not saved it is the frame's end, by definition. */
static bool up(struct eval *v, Dwarf_Frame *frame, struct dbg_frame *caller)
{
    enum { SP = 2 }; /* RISC-V */
    bool interrupted;
    int ra = dwarf_frame_info(frame, NULL, NULL, &interrupted);
    Dwarf_Op *ops;
    size_t n;

    if (ra < 0 || ra >= DBG_FRAME_REGS || dwarf_frame_cfa(frame, &ops, &n) || !evaluate(v, ops, n))
        return false;
    v->cfa = v->stack[v->depth - 1];
    if (!v->f->interrupted && !is_saved(frame, ra))
        return false; /* a call has changed it: that was the outermost frame */
    for (unsigned i = 0; i < DBG_FRAME_REGS; i++)
        restore(v, frame, i, caller);
    if (!is_saved(frame, SP)) {
        caller->reg[SP] = v->cfa;
        caller->known |= 1u << SP;
    }
    caller->pc = caller->reg[ra];
    caller->cfa = v->cfa;
    caller->interrupted = interrupted;
    return caller->known >> ra & 1;
}

bool dbg_dwarf_unwind(struct dbg_dwarf *d, const struct dbg_frame *f, dbg_load_fn *load,
                      void *opaque, struct dbg_frame *caller)
{
    struct eval v = {.f = f, .load = load, .opaque = opaque};
    uint64_t addr = f->pc - !f->interrupted - d->offset;
    bool done = false;

    open_file(d);
    for (unsigned i = 0; i < ARRAY_LEN(d->cfi) && !done; i++) {
        Dwarf_Frame *frame;

        if (!d->cfi[i] || dwarf_cfi_addrframe(d->cfi[i], addr, &frame))
            continue;
        *caller = (struct dbg_frame){0};
        done = up(&v, frame, caller);
        free(frame);
    }
    return done;
}
