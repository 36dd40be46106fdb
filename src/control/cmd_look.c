/* cmd_look.c - commands that look at the machine, or change what they show. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "control/cmd_impl.h"
#include "debug/memory.h"
#include "debug/regs.h"
#include "debug/walk.h"

#define DISAS_LINES 10

/* ---- registers ---- */

static int show_regs(struct cmd_job *j)
{
    static const enum reg_kind all[] = {REG_PC, REG_INT, REG_FLOAT, REG_SYSTEM};

    if (j->argc == 1)
        dbg_regs_general(j->c, j->out);
    for (int i = 1; i < j->argc; i++) {
        const char *word = j->argv[i];
        int row;

        if (!strcmp(word, "float")) {
            dbg_regs_kind(j->c, REG_FLOAT, j->out);
        } else if (!strcmp(word, "system")) {
            dbg_regs_kind(j->c, REG_SYSTEM, j->out);
        } else if (!strcmp(word, "all")) {
            for (size_t k = 0; k < ARRAY_LEN(all); k++)
                dbg_regs_kind(j->c, all[k], j->out);
        } else {
            row = dbg_reg_find(j->c->guest, word, j->e);
            if (row < 0)
                return row;
            dbg_reg(j->c, (uint32_t)row, j->out);
        }
    }
    return 0;
}

int cmd_regs(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, show_regs, argc, argv, out, e, NULL);
}

static int set_reg(struct cmd_job *j)
{
    uint64_t value;
    int row = dbg_reg_find(j->c->guest, j->argv[1], j->e), rc;

    if (row < 0)
        return row;
    rc = cmd_value(j, j->argv[2], &value, j->e);
    return rc ? rc : dbg_reg_set(j->c, (uint32_t)row, value, j->e);
}

int cmd_set(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    if (argc != 3)
        return err_set(e, EINVAL, "what value? set REG VALUE");
    return cmd_on_machine(s, set_reg, argc, argv, out, e, NULL);
}

static int show_cpu(struct cmd_job *j)
{
    uint64_t n;

    if (j->argc > 1) {
        if (cmd_number(j->argv[1], &n, j->e))
            return -EINVAL;
        if (n >= machine_ncpus(j->m))
            return err_set(j->e, EINVAL, "there is no CPU %s: 0 to %u", j->argv[1],
                           machine_ncpus(j->m) - 1);
        j->s->cpu = (unsigned)n;
        j->s->disas_again = false;
    }
    buf_fmt(j->out, "CPU %u\n", j->s->cpu);
    return 0;
}

int cmd_cpu(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, show_cpu, argc, argv, out, e, NULL);
}

/* ---- code ---- */

static unsigned mark(void *opaque, uint64_t addr)
{
    const struct cmd_job *j = opaque;
    bool at = dbg_points_at(ctl_points(j->s->ctl), addr, NULL);

    return (addr == j->c->pc ? DBG_MARK_PC : 0u) | (at ? DBG_MARK_BREAK : 0u);
}

static int disas(struct cmd_job *j)
{
    uint64_t addr = j->s->disas_again ? j->s->disas_at : j->c->pc, n = DISAS_LINES;
    int rc = j->argc > 1 ? cmd_value(j, j->argv[1], &addr, j->e) : 0;

    if (!rc && j->argc > 2)
        rc = cmd_number(j->argv[2], &n, j->e);
    if (!rc && n > DBG_COUNT_MAX)
        rc = err_set(j->e, EINVAL, "%s: at most %u", j->argv[2], DBG_COUNT_MAX);
    if (rc)
        return rc;
    j->s->disas_at = dbg_disas_lines(j->s->disas, j->c, addr, (unsigned)n, mark, j, j->out);
    j->s->disas_again = true;
    return 0;
}

int cmd_disas(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, disas, argc, argv, out, e, NULL);
}

static int explain(struct cmd_job *j)
{
    struct accel *a = machine_accel(j->m);
    uint64_t addr = j->c->pc;
    int rc = j->argc > 1 ? cmd_value(j, j->argv[1], &addr, j->e) : 0;

    if (!rc)
        a->ops->explain(a, j->c, addr, j->out);
    return rc;
}

int cmd_explain(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, explain, argc, argv, out, e, NULL);
}

/* ---- memory ---- */

/* [/FMT] ADDR [N] */
static int examine(struct cmd_job *j, bool physical)
{
    struct dbg_format f = {'x', 4, 1};
    int i = 1, rc = 0;
    uint64_t addr, n;

    if (*j->argv[i] == '/')
        rc = dbg_format_parse(j->argv[i++] + 1, &f, j->e);
    if (!rc && i >= j->argc)
        rc = err_set(j->e, EINVAL, "where? give an address");
    rc = rc ? rc : cmd_value(j, j->argv[i++], &addr, j->e);
    if (!rc && i < j->argc) {
        rc = cmd_number(j->argv[i], &n, j->e);
        if (!rc && (!n || n > DBG_COUNT_MAX))
            rc = err_set(j->e, EINVAL, "%s: the count is 1 to %u", j->argv[i], DBG_COUNT_MAX);
        f.count = rc ? 1 : (unsigned)n;
    }
    if (rc)
        return rc;
    if (f.how != 'i')
        dbg_memory(j->c, physical, addr, &f, j->out);
    else if (physical)
        return err_set(j->e, EINVAL, "instructions are shown at virtual addresses: x/i");
    else
        dbg_disas_lines(j->s->disas, j->c, addr, f.count, mark, j, j->out);
    return 0;
}

static int examine_virtual(struct cmd_job *j)
{
    return examine(j, false);
}

static int examine_physical(struct cmd_job *j)
{
    return examine(j, true);
}

int cmd_x(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, examine_virtual, argc, argv, out, e, NULL);
}

int cmd_xp(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, examine_physical, argc, argv, out, e, NULL);
}

static int walk(struct cmd_job *j)
{
    enum tlb_access access = TLB_READ;
    const char *how = j->argc > 2 ? j->argv[2] : "r";
    uint64_t addr;
    int rc = cmd_value(j, j->argv[1], &addr, j->e);

    if (!rc && (strlen(how) != 1 || !strchr("rwx", *how)))
        rc = err_set(j->e, EINVAL, "%.20s: r, w or x", how);
    if (rc)
        return rc;
    access = *how == 'w' ? TLB_WRITE : *how == 'x' ? TLB_EXEC : access;
    dbg_walk(j->c, addr, access, j->out);
    return 0;
}

int cmd_walk(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, walk, argc, argv, out, e, NULL);
}

/* ---- the whole machine ---- */

static int hash(struct cmd_job *j)
{
    buf_fmt(j->out, "count %" PRIu64 " hash %016" PRIx64 "\n", machine_count(j->m),
            machine_hash(j->m));
    return 0;
}

int cmd_hash(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, hash, argc, argv, out, e, NULL);
}

static void info_breaks(struct cmd_job *j)
{
    struct dbg_points *p = ctl_points(j->s->ctl);
    struct dbg_point *x = dbg_points_next(p, 0);

    if (!x)
        buf_str(j->out, "no breakpoints\n");
    for (; x; x = dbg_points_next(p, x->number + 1)) {
        struct buf cost = BUF_INIT;

        dbg_point_describe(x, j->c->guest, j->out);
        dbg_points_cost(p, x, &cost);
        if (cost.len)
            buf_fmt(j->out, "     cost: %s\n", cost.data);
        buf_fini(&cost);
    }
}

static void info_clients(struct cmd_job *j)
{
    ctl_list_clients(j->s->ctl, j->out);
}

static void info_cpus(struct cmd_job *j)
{
    for (unsigned i = 0; i < machine_ncpus(j->m); i++) {
        const struct cpu *c = machine_cpu(j->m, i);

        buf_fmt(j->out,
                "%c%u  pc 0x%016" PRIx64 "  %-22s  %" PRIu64 " instructions, %" PRIu64
                " traps, %" PRIu64 " interrupts\n",
                i == j->s->cpu ? '*' : ' ', i, c->pc, cpu_halt_names[c->halted], cpu_count(c),
                c->count.traps, c->count.interrupts);
    }
}

static void device_regs(struct dev *d, struct buf *out)
{
    for (const struct dev_reg *r = d->class->regs; r && r->name; r++) {
        uint64_t v;

        if (d->class->peek && d->class->peek(d, r->offset, r->size, &v))
            buf_fmt(out, "    %-12s 0x%0*" PRIx64 "  %s\n", r->name, r->size * 2, v, r->doc);
    }
}

static void info_devices(struct cmd_job *j)
{
    struct dev *const *devs;
    size_t n = board_devices(machine_board(j->m), &devs);

    for (size_t i = 0; i < n; i++) {
        const char *prefix = j->argc > 2 ? j->argv[2] : "";

        if (strncmp(devs[i]->name, prefix, strlen(prefix)))
            continue;
        buf_fmt(j->out, "%-10s 0x%08" PRIx64 "  %s: %s\n", devs[i]->name, devs[i]->base,
                devs[i]->class->name, devs[i]->class->doc);
        device_regs(devs[i], j->out);
    }
}

static void counter(void *opaque, const char *name, uint64_t value, const char *unit,
                    const char *doc)
{
    struct cmd_job *j = opaque;
    const char *prefix = j->argc > 2 ? j->argv[2] : "";

    if (!strncmp(name, prefix, strlen(prefix)))
        buf_fmt(j->out, "%-24s %16" PRIu64 " %-8s %s\n", name, value, unit, doc);
}

static void info_counters(struct cmd_job *j)
{
    machine_counters(j->m, counter, j);
}

static void info_map(struct cmd_job *j)
{
    board_describe(machine_board(j->m), j->out);
}

static void info_time(struct cmd_job *j)
{
    uint64_t ns = machine_time(j->m);

    buf_fmt(j->out, "count %" PRIu64 ", virtual time %" PRIu64 ".%09" PRIu64 " s\n",
            machine_count(j->m), ns / 1000000000, ns % 1000000000);
}

static const struct {
    const char *name;
    void (*show)(struct cmd_job *j);
} topics[] = {
    {"breaks", info_breaks}, {"clients", info_clients}, {"counters", info_counters}, {"cpus", info_cpus},
    {"devices", info_devices}, {"map", info_map}, {"time", info_time},
};

const char *cmd_info_topic(unsigned n)
{
    return n < ARRAY_LEN(topics) ? topics[n].name : NULL;
}

static int info(struct cmd_job *j)
{
    const char *word = j->argv[1];
    size_t found = ARRAY_LEN(topics), n = 0;

    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        if (strncmp(topics[i].name, word, strlen(word)))
            continue;
        found = i;
        n++;
    }
    if (n != 1)
        return err_set(j->e, EINVAL, "%.40s: breaks, clients, counters, cpus, devices, map or time", word);
    topics[found].show(j);
    return 0;
}

int cmd_info(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    return cmd_on_machine(s, info, argc, argv, out, e, NULL);
}
