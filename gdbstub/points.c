/* points.c - Z and z: the client's breakpoints and watchpoints. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "gdbstub/session.h"

#define WATCH_MAX  (UINT64_C(1) << 24) /* bytes */
#define AGENTS_MAX 64                  /* conditions of a point, or commands */

/* What all points of a client may come to. */
#define POINTS_MAX   DBG_POINTS_MAX      /* in dbg_points */
#define PROGRAMS_MAX ((size_t)1 << 20)  /* bytes of conditions and commands */
#define WATCHED_MAX  (UINT64_C(1) << 26) /* bytes */

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

/* What may follow: ";X LENGTH,BYTES...", conditions, any of which is enough, and
 * ";cmds:PERSIST,X LENGTH,BYTES...", what is then done instead of a stop.  Those that persist
 * behind their client have nobody to print for: they go with it. */
struct extra {
    struct agents {
        VEC(struct dbg_agent);
    } conditions, commands;
};

static void agents_fini(struct agents *v)
{
    for (size_t i = 0; i < v->len; i++)
        dbg_agent_fini(&v->data[i]);
    vec_fini(v);
}

int gdb_take_agent(struct gdb_job *j, struct dbg_agent *agent, struct err *e)
{
    uint8_t code[DBG_AGENT_MAX];
    uint64_t len;

    if (!gdb_hex_then(&j->a.p, ',', &len) || len > sizeof code ||
        strnlen(j->a.p, 2 * len) < 2 * len || gdb_get_hex(j->a.p, 2 * len, code) < 0)
        return err_set(e, EINVAL, "an agent expression is not like LENGTH,BYTES");
    j->a.p += 2 * len;
    return dbg_agent_set(agent, code, len, j->c->guest, e);
}

/* Programs, one behind the other, or with ';' between them. */
static int parse_agents(struct gdb_job *j, struct agents *v, struct err *e)
{
    int rc = 0;

    while (*j->a.p == 'X' && !rc) {
        struct dbg_agent a = {0};

        j->a.p++;
        rc = v->len == AGENTS_MAX ? err_set(e, E2BIG, "Z: more than %d programs", AGENTS_MAX)
                                  : gdb_take_agent(j, &a, e);
        if (!rc)
            vec_push(v, a);
        if (j->a.p[0] == ';' && j->a.p[1] == 'X')
            j->a.p++;
    }
    return rc;
}

static int parse_extra(struct gdb_job *j, struct extra *x, struct err *e)
{
    static const char cmds[] = ";cmds:";
    uint64_t persist;
    int rc = 0;

    if (j->a.p[0] == ';' && j->a.p[1] == 'X') {
        j->a.p++;
        rc = parse_agents(j, &x->conditions, e);
    }
    if (!rc && !strncmp(j->a.p, cmds, sizeof cmds - 1)) {
        j->a.p += sizeof cmds - 1;
        if (!gdb_hex_then(&j->a.p, ',', &persist))
            return err_set(e, EINVAL, "Z: commands are not like cmds:PERSIST,X...");
        rc = parse_agents(j, &x->commands, e);
    }
    return rc || !*j->a.p ? rc : err_set(e, EINVAL, "Z: conditions or commands are not right");
}

/* For each point its own, which it takes over. */
static void copy_commands(const struct gdb_job *j, const struct agents *v, struct dbg_point *point)
{
    struct err e;

    if (!v->len)
        return;
    point->commands = xcalloc(v->len, sizeof *point->commands);
    point->ncommands = (unsigned)v->len;
    for (size_t i = 0; i < v->len; i++)
        dbg_agent_set(&point->commands[i], v->data[i].code, v->data[i].len, j->c->guest, &e);
}

/* A point for each condition, or one that has none. */
static void add_points(struct gdb_job *j, struct gdb_point *z, struct dbg_point *point,
                       struct extra *x)
{
    size_t i = 0;

    do {
        if (x->conditions.len) { /* taken over */
            point->cond = x->conditions.data[i];
            x->conditions.data[i] = (struct dbg_agent){0};
        }
        copy_commands(j, &x->commands, point);
        vec_push(&z->numbers, dbg_points_add(ctl_points(j->s->ctl), point));
    } while (++i < x->conditions.len);
}

static size_t bytes_of(const struct agents *v)
{
    size_t n = 0;

    for (size_t i = 0; i < v->len; i++)
        n += v->data[i].len;
    return n;
}

static struct gdb_load load_of(const struct gdb_point *z, const struct extra *x)
{
    size_t points = x->conditions.len ? x->conditions.len : 1;

    return (struct gdb_load){
        .points = points,
        .programs = bytes_of(&x->conditions) + points * bytes_of(&x->commands),
        .watched = z->type >= Z_WRITE ? z->kind : 0,
    };
}

/* z is told its load, for which there has to be room beside the client's other points. */
static int weigh(const struct gdb_session *s, struct gdb_point *z, const struct extra *x, struct err *e)
{
    const struct gdb_load *all = &s->load, *one = &z->load;

    z->load = load_of(z, x);
    if (all->points + one->points > POINTS_MAX)
        return err_set(e, E2BIG, "Z: more than %u points", POINTS_MAX);
    if (all->programs + one->programs > PROGRAMS_MAX)
        return err_set(e, E2BIG, "Z: more than %zu bytes of conditions and commands", PROGRAMS_MAX);
    if (all->watched + one->watched > WATCHED_MAX)
        return err_set(e, E2BIG, "Z: more than %llu bytes to watch", (unsigned long long)WATCHED_MAX);
    return 0;
}

static void change_load(struct gdb_session *s, const struct gdb_point *z, int sign)
{
    s->load.points += (size_t)sign * z->load.points;
    s->load.programs += (size_t)sign * z->load.programs;
    s->load.watched += (uint64_t)sign * z->load.watched;
}

/* True: it is there; else an error is sent. */
static bool add(struct gdb_job *j, struct gdb_point *z)
{
    static const uint8_t access[] = {[Z_WRITE] = CPU_WATCH_WRITE,
                                     [Z_READ] = CPU_WATCH_READ,
                                     [Z_ACCESS] = CPU_WATCH_READ | CPU_WATCH_WRITE};
    struct dbg_point point = {.addr = z->addr, .owner = j->s->client, .physical = j->s->phys};
    struct extra extra = {0};
    bool good = false;
    struct err e;

    if (z->type >= Z_WRITE) {
        point.kind = DBG_WATCH;
        point.len = z->kind;
        point.access = access[z->type];
    }
    if (z->type >= Z_WRITE && (!z->kind || z->kind > WATCH_MAX || z->addr + z->kind < z->addr)) {
        gdb_error(j->s, EINVAL, "Z: that many bytes cannot be watched");
    } else if (parse_extra(j, &extra, &e) || weigh(j->s, z, &extra, &e)) {
        gdb_error(j->s, e.code, e.msg);
    } else {
        add_points(j, z, &point, &extra);
        change_load(j->s, z, 1);
        vec_push(&j->s->points, *z);
        gdb_ok(j->s);
        good = true;
    }
    agents_fini(&extra.conditions);
    agents_fini(&extra.commands);
    return good;
}

static void remove_point(struct gdb_session *s, struct gdb_point *z)
{
    for (size_t i = 0; i < z->numbers.len; i++)
        dbg_points_delete(ctl_points(s->ctl), z->numbers.data[i]);
    change_load(s, z, -1);
    vec_fini(&z->numbers);
    vec_swap_out(&s->points, z - s->points.data);
}

const struct gdb_point *gdb_point_of(const struct gdb_session *s, unsigned number)
{
    for (size_t i = 0; i < s->points.len; i++)
        for (size_t k = 0; k < s->points.data[i].numbers.len; k++)
            if (s->points.data[i].numbers.data[k] == number)
                return &s->points.data[i];
    return NULL;
}

/* Setting one that is there again gives it its new condition, if that is right. */
static void insert(struct gdb_job *j)
{
    struct gdb_point z = {0}, *old;
    size_t at;

    if (!parse(&j->a, &z)) {
        gdb_error(j->s, EINVAL, "Z: not like TYPE,ADDRESS,KIND");
        return;
    }
    old = find(j->s, &z);
    at = old ? (size_t)(old - j->s->points.data) : 0;
    if (add(j, &z) && old)
        remove_point(j->s, &j->s->points.data[at]);
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
        remove_point(j->s, &j->s->points.data[j->s->points.len - 1]);
    gdb_drop_syscalls(j->s);
}

void gdb_drop_points(struct gdb_session *s)
{
    gdb_on_machine(s, drop, (struct gdb_args){NULL, 0});
}
