/* regs.c - g, G, p, P: registers, by the numbers of the target description; and those put by. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "cpu/guest.h"
#include "gdbstub/session.h"

static const char digits[] = "0123456789abcdef";

/* ---- numbers ---- */

void gdb_find_rows(struct gdb_job *j)
{
    const struct guest *g = j->c->guest;
    struct gdb_session *s = j->s;

    for (uint32_t row = 0; row < g->nregs; row++)
        if (g->regs[row].gdb_feature && g->regs[row].gdb >= s->nrows)
            s->nrows = g->regs[row].gdb + 1;
    s->rows = xmalloc(s->nrows * sizeof *s->rows);
    memset(s->rows, 0xff, s->nrows * sizeof *s->rows);
    for (uint32_t row = 0; row < g->nregs; row++)
        if (g->regs[row].gdb_feature)
            s->rows[g->regs[row].gdb] = (int16_t)row;
}

int gdb_row(const struct gdb_session *s, uint64_t number)
{
    return number < s->nrows ? s->rows[number] : -1;
}

static unsigned bytes_of(const struct guest *g, int row)
{
    return g->regs[row].bits / 8;
}

void gdb_put_reg(struct cpu *c, uint32_t row, struct buf *out)
{
    gdb_put_le(out, c->guest->reg_read(c, row), bytes_of(c->guest, (int)row));
}

/* As the frame has it that is looked at, or x: it does not; else as it is. */
static void put_reg(struct gdb_job *j, int row)
{
    const struct guest *g = j->c->guest;
    uint64_t value;

    if (!gdb_frame(j->s))
        gdb_put_reg(j->c, (uint32_t)row, &j->s->reply);
    else if (gdb_frame_reg(j->s, &g->regs[row], &value))
        gdb_put_le(&j->s->reply, value, bytes_of(g, row));
    else
        for (unsigned i = 0; i < 2 * bytes_of(g, row); i++)
            buf_ch(&j->s->reply, 'x');
}

/* LLDB says behind a packet which thread it means: ";thread:ID;".  That is taken off.  False, and an
 * error is sent: there is no such thread. */
static bool aim(struct gdb_job *j)
{
    static const char word[] = ";thread:";
    const char *at = j->a.len ? memmem(j->a.p, j->a.len, word, sizeof word - 1) : NULL, *id;
    int cpu;

    if (!j->s->thread_suffix || !at)
        return true;
    id = at + sizeof word - 1;
    if (!gdb_thread(j->s, &id, &cpu) || cpu == GDB_ALL) {
        gdb_error(j->s, ESRCH, "there is no such thread");
        return false;
    }
    j->a.len = (size_t)(at - j->a.p);
    j->c = machine_cpu(j->m, (unsigned)cpu);
    return true;
}

/* ---- packets ---- */

/* Numbers from 0 without a gap; more are asked for one by one. */
static void read_all(struct gdb_job *j)
{
    if (!aim(j))
        return;
    for (unsigned n = 0; n < GDB_REGS && gdb_row(j->s, n) >= 0; n++)
        put_reg(j, gdb_row(j->s, n));
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
    const char *p = j->a.p, *end;
    uint64_t value;
    int row;

    if (!aim(j))
        return;
    end = p + j->a.len;
    for (unsigned n = 0; p < end && n < GDB_REGS; n++) {
        row = gdb_row(j->s, n);
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
    uint64_t n;
    int row;

    if (!aim(j))
        return;
    row = gdb_hex(&j->a.p, &n) ? gdb_row(j->s, n) : -1;
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
    const char *p = j->a.p, *end;
    uint64_t n, value;
    int row;

    if (!aim(j))
        return;
    end = p + j->a.len;
    row = gdb_hex_then(&p, '=', &n) ? gdb_row(j->s, n) : -1;
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

    for (unsigned n = 0; n < GDB_REGS && gdb_row(j->s, n) >= 0; n++) {
        uint32_t row = (uint32_t)gdb_row(j->s, n);
        char name[] = {digits[n >> 4], digits[n & 15], ':'};

        if (g->regs[row].kind != REG_PC && g->regs[row].kind != REG_INT)
            continue;
        buf_add(out, name, sizeof name);
        gdb_put_reg(j->c, row, out);
        buf_ch(out, ';');
    }
}

/* ---- LLDB's: registers put by, and back ---- */

static void save(struct gdb_job *j)
{
    struct gdb_session *s = j->s;
    struct gdb_saved *k = &s->saved[s->last_saved % GDB_SAVED]; /* the oldest goes */

    if (j->a.len) { /* what `then` took the ';' of */
        j->a.p--;
        j->a.len++;
    }
    if (!aim(j))
        return;
    if (!k->values)
        k->values = xmalloc(GDB_REGS * sizeof *k->values);
    for (unsigned n = 0; n < GDB_REGS; n++)
        if (gdb_row(s, n) >= 0)
            k->values[n] = j->c->guest->reg_read(j->c, (uint32_t)gdb_row(s, n));
    k->id = ++s->last_saved;
    buf_fmt(&s->reply, "%u", k->id);
}

void gdb_save(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, save, a);
}

static struct gdb_saved *find_saved(struct gdb_session *s, const char *text)
{
    unsigned long id = strtoul(text, NULL, 10);
    struct gdb_saved *k = &s->saved[(id - 1) % GDB_SAVED];

    return id && k->values && k->id == id ? k : NULL;
}

static void restore(struct gdb_job *j)
{
    struct gdb_session *s = j->s;
    struct gdb_saved *k = find_saved(s, j->a.p);

    if (!aim(j))
        return;
    if (!k) {
        gdb_error(s, ENOENT, "QRestoreRegisterState: nothing was saved by that number");
        return;
    }
    for (unsigned n = 0; n < GDB_REGS; n++)
        if (gdb_row(s, n) >= 0)
            j->c->guest->reg_write(j->c, (uint32_t)gdb_row(s, n), k->values[n]);
    gdb_ok(s);
}

void gdb_restore(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, restore, a);
}

void gdb_drop_saved(struct gdb_session *s)
{
    for (unsigned i = 0; i < GDB_SAVED; i++)
        free(s->saved[i].values);
}
