/* regs.c - g, G, p, P: registers, by the numbers of the target description. */
#include <errno.h>

#include "cpu/guest.h"
#include "gdbstub/session.h"

#define G_MAX 65 /* registers of a g packet: integers, pc, floats */

/* The row of a register by its number, or -1. */
static int row_of(const struct guest *g, uint64_t number)
{
    for (uint32_t row = 0; row < g->nregs; row++)
        if (g->regs[row].gdb == number && g->regs[row].gdb_feature)
            return (int)row;
    return -1;
}

static unsigned bytes_of(const struct guest *g, int row)
{
    return g->regs[row].bits / 8;
}

/* As the frame has it that is looked at, or x: it does not; else as it is. */
static void put_reg(struct gdb_job *j, int row)
{
    const struct guest *g = j->c->guest;
    uint64_t value;

    if (!gdb_frame(j->s))
        gdb_put_le(&j->s->reply, g->reg_read(j->c, (uint32_t)row), bytes_of(g, row));
    else if (gdb_frame_reg(j->s, &g->regs[row], &value))
        gdb_put_le(&j->s->reply, value, bytes_of(g, row));
    else
        for (unsigned i = 0; i < 2 * bytes_of(g, row); i++)
            buf_ch(&j->s->reply, 'x');
}

/* Numbers from 0 without a gap; more are asked for one by one. */
static void read_all(struct gdb_job *j)
{
    const struct guest *g = j->c->guest;

    for (unsigned n = 0; n < G_MAX; n++) {
        int row = row_of(g, n);

        if (row < 0)
            break;
        put_reg(j, row);
    }
}

void gdb_g(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, read_all, a);
}

/* Takes a register's value from digits in the guest's order; false: they are bad or too few. */
static bool take_value(const char **p, const char *end, unsigned bytes, uint64_t *value)
{
    uint8_t raw[8];

    if ((size_t)(end - *p) < 2 * bytes || gdb_get_hex(*p, 2 * bytes, raw) < 0)
        return false;
    *value = 0;
    for (unsigned i = bytes; i--;)
        *value = *value << 8 | raw[i];
    *p += 2 * bytes;
    return true;
}

static void write_all(struct gdb_job *j)
{
    const struct guest *g = j->c->guest;
    const char *p = j->a.p, *end = p + j->a.len;
    uint64_t value;
    int row;

    for (unsigned n = 0; p < end && n < G_MAX; n++) {
        row = row_of(g, n);
        if (row < 0 || !take_value(&p, end, bytes_of(g, row), &value)) {
            gdb_error(j->s, EINVAL, "G: the registers' bytes are not right");
            return;
        }
        g->reg_write(j->c, (uint32_t)row, value); /* x0 stays 0 */
    }
    gdb_ok(j->s);
}

void gdb_G(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, write_all, a);
}

static void read_one(struct gdb_job *j)
{
    const struct guest *g = j->c->guest;
    uint64_t n;
    int row = gdb_hex(&j->a.p, &n) ? row_of(g, n) : -1;

    if (row < 0)
        gdb_error(j->s, EINVAL, "p: there is no such register");
    else
        put_reg(j, row);
}

void gdb_p(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, read_one, a);
}

static void write_one(struct gdb_job *j)
{
    const struct guest *g = j->c->guest;
    const char *p = j->a.p, *end = p + j->a.len;
    uint64_t n, value;
    int row = gdb_hex_then(&p, '=', &n) ? row_of(g, n) : -1;

    if (row < 0 || !take_value(&p, end, bytes_of(g, row), &value))
        gdb_error(j->s, EINVAL, "P: there is no such register, or its bytes are not right");
    else if (!g->reg_write(j->c, (uint32_t)row, value))
        gdb_error(j->s, EPERM, "P: the architecture does not allow that value there");
    else
        gdb_ok(j->s);
}

void gdb_P(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, write_one, a);
}

/* All that a debugger looks at first: integers and pc. */
void gdb_expedite(struct gdb_job *j, struct buf *out)
{
    const struct guest *g = j->c->guest;

    for (uint32_t row = 0; row < g->nregs; row++) {
        const struct guest_reg *r = &g->regs[row];

        if (!r->gdb_feature || (r->kind != REG_PC && r->kind != REG_INT))
            continue;
        buf_fmt(out, "%x:", r->gdb);
        gdb_put_le(out, g->reg_read(j->c, row), bytes_of(g, (int)row));
        buf_ch(out, ';');
    }
}
