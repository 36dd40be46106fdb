/* regs.c - see regs.h. */
#include "debug/regs.h"

#include <errno.h>
#include <inttypes.h>

#include "base/bits.h"

#define COLUMNS 3
#define NUMBERS 64 /* of pc, integer and floating-point registers: below this */

static const char *short_name(const struct guest_reg *r)
{
    return r->alias ? r->alias : r->name;
}

/* The row of a kind's n-th register by the guest's numbers, or -1. */
static int numbered(const struct guest *g, enum reg_kind kind, uint32_t number)
{
    for (uint32_t i = 0; i < g->nregs; i++)
        if (g->regs[i].kind == kind && g->regs[i].number == number)
            return (int)i;
    return -1;
}

static void columns(struct cpu *c, enum reg_kind kind, struct buf *out)
{
    unsigned n = 0;

    for (uint32_t number = 0; number < NUMBERS; number++) {
        int row = numbered(c->guest, kind, number);

        if (row < 0)
            continue;
        buf_fmt(out, "%s%-4s %016" PRIx64, n % COLUMNS ? "  " : "",
                short_name(&c->guest->regs[row]), c->guest->reg_read(c, (uint32_t)row));
        n++;
        if (n % COLUMNS == 0)
            buf_ch(out, '\n');
    }
    if (n % COLUMNS)
        buf_ch(out, '\n');
}

void dbg_regs_general(struct cpu *c, struct buf *out)
{
    columns(c, REG_PC, out);
    columns(c, REG_INT, out);
}

void dbg_regs_kind(struct cpu *c, enum reg_kind kind, struct buf *out)
{
    if (kind != REG_SYSTEM) {
        columns(c, kind, out);
        return;
    }
    for (uint32_t i = 0; i < c->guest->nregs; i++)
        if (c->guest->regs[i].kind == kind)
            dbg_reg(c, i, out);
}

static void field(const struct reg_field *f, uint64_t value, struct buf *out)
{
    uint64_t v = bits_get(value, f->lo, f->width), n = 0;

    while (f->values && n < v && f->values[n])
        n++;
    if (f->values && n == v && f->values[v])
        buf_fmt(out, " %s:%s", f->name, f->values[v]);
    else if (v < 10)
        buf_fmt(out, " %s:%" PRIu64, f->name, v);
    else
        buf_fmt(out, " %s:0x%" PRIx64, f->name, v);
}

void dbg_reg(struct cpu *c, uint32_t row, struct buf *out)
{
    const struct guest_reg *r = &c->guest->regs[row];
    uint64_t value = c->guest->reg_read(c, row);

    buf_fmt(out, "%-13s 0x%0*" PRIx64, short_name(r), r->bits / 4, value);
    for (const struct reg_field *f = r->fields; f && f->name; f++)
        field(f, value, out);
    buf_ch(out, '\n');
}

int dbg_reg_find(const struct guest *g, const char *name, struct err *e)
{
    int row = guest_find_reg(g, *name == '$' ? name + 1 : name);

    return row < 0 ? err_set(e, ENOENT, "%.60s: %s has no such register", name, g->name) : row;
}

int dbg_reg_set(struct cpu *c, uint32_t row, uint64_t value, struct err *e)
{
    const char *name = short_name(&c->guest->regs[row]);

    if (!c->guest->reg_write(c, row, value))
        return err_set(e, EPERM, "%s: cannot be set to 0x%" PRIx64, name, value);
    return 0;
}
