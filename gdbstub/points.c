/* points.c - Z and z: the client's breakpoints and watchpoints. */
#include <errno.h>
#include <stdlib.h>

#include "gdbstub/session.h"

#define WATCH_MAX (UINT64_C(1) << 24) /* bytes */

enum { Z_SOFT, Z_HARD, Z_WRITE, Z_READ, Z_ACCESS };

/* "TYPE,ADDRESS,KIND" */
static bool parse(struct gdb_args *a, struct gdb_point *z)
{
    uint64_t type;

    if (!gdb_hex_then(&a->p, ',', &type) || !gdb_hex_then(&a->p, ',', &z->addr) ||
        !gdb_hex(&a->p, &z->kind) || type > Z_ACCESS)
        return false;
    z->type = (unsigned)type;
    return true;
}

static struct gdb_point *find(struct gdb_session *s, const struct gdb_point *z)
{
    for (size_t i = 0; i < s->points.len; i++) {
        struct gdb_point *p = &s->points.data[i];

        if (p->type == z->type && p->addr == z->addr && p->kind == z->kind)
            return p;
    }
    return NULL;
}

/* ";X LENGTH,BYTES..." (conditions, any of which stops) and ";cmds:..." may follow. */
static bool set_condition(struct gdb_job *j, struct dbg_point *point, struct err *e)
{
    uint64_t len;
    uint8_t code[DBG_AGENT_MAX];

    if (*j->a.p != ';')
        return true;
    if (*++j->a.p != 'X' || (++j->a.p, !gdb_hex_then(&j->a.p, ',', &len)) || len > sizeof code ||
        gdb_get_hex(j->a.p, 2 * len, code) < 0) {
        err_set(e, EINVAL, "Z: its condition is not right");
        return false;
    }
    j->a.p += 2 * len;
    if (*j->a.p) {
        err_set(e, ENOTSUP, "Z: more than one condition, or commands");
        return false;
    }
    return !dbg_agent_set(&point->cond, code, len, j->c->guest, e);
}

static void add(struct gdb_job *j, struct gdb_point *z)
{
    static const uint8_t access[] = {[Z_WRITE] = CPU_WATCH_WRITE,
                                     [Z_READ] = CPU_WATCH_READ,
                                     [Z_ACCESS] = CPU_WATCH_READ | CPU_WATCH_WRITE};
    struct dbg_point point = {.addr = z->addr, .owner = j->s, .physical = j->s->phys};
    struct err e;

    if (z->type >= Z_WRITE) {
        point.kind = DBG_WATCH;
        point.len = z->kind;
        point.access = access[z->type];
    }
    if (z->type >= Z_WRITE && (!z->kind || z->kind > WATCH_MAX || z->addr + z->kind < z->addr)) {
        gdb_error(j->s, EINVAL, "Z: that many bytes cannot be watched");
    } else if (!set_condition(j, &point, &e)) {
        gdb_error(j->s, e.code, e.msg);
    } else {
        z->number = dbg_points_add(ctl_points(j->s->ctl), &point);
        vec_push(&j->s->points, *z);
        gdb_ok(j->s);
    }
}

static void remove_point(struct gdb_session *s, struct gdb_point *z)
{
    dbg_points_delete(ctl_points(s->ctl), z->number);
    vec_swap_out(&s->points, z - s->points.data);
}

/* Setting one that is there again gives it its new condition. */
static void insert(struct gdb_job *j)
{
    struct gdb_point z = {0}, *old;

    if (!parse(&j->a, &z)) {
        gdb_error(j->s, EINVAL, "Z: not like TYPE,ADDRESS,KIND");
        return;
    }
    old = find(j->s, &z);
    if (old)
        remove_point(j->s, old);
    add(j, &z);
}

void gdb_Z(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, insert, a);
}

static void take_away(struct gdb_job *j)
{
    struct gdb_point z = {0}, *old;

    if (!parse(&j->a, &z)) {
        gdb_error(j->s, EINVAL, "z: not like TYPE,ADDRESS,KIND");
        return;
    }
    old = find(j->s, &z);
    if (old)
        remove_point(j->s, old);
    gdb_ok(j->s);
}

void gdb_z(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, take_away, a);
}

static void drop(struct gdb_job *j)
{
    while (j->s->points.len)
        remove_point(j->s, &j->s->points.data[0]);
}

void gdb_drop_points(struct gdb_session *s)
{
    gdb_on_machine(s, drop, (struct gdb_args){NULL, 0});
}
