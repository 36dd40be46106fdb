/*
 * xml.c - what qXfer reads: the target description, made from the guest's register table, the
 * memory map, and the threads.  GDB manual, appendix G and E.16 to E.18.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board/board.h"
#include "cpu/guest.h"
#include "gdbstub/session.h"
#include "host/host_file.h"

/* ---- the target description ---- */

/* The type of a field with named values. */
static void put_enum(struct buf *out, const char *reg, const struct reg_field *f, unsigned bytes)
{
    buf_fmt(out, "<enum id=\"%s_%s\" size=\"%u\">", reg, f->name, bytes);
    for (unsigned v = 0; f->values[v]; v++)
        if (strcmp(f->values[v], "reserved"))
            buf_fmt(out, "<evalue name=\"%s\" value=\"%u\"/>", f->values[v], v);
    buf_str(out, "</enum>\n");
}

static void put_field(struct buf *out, const char *reg, const struct reg_field *f)
{
    buf_fmt(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"", f->name, f->lo,
            f->lo + f->width - 1u);
    if (f->values)
        buf_fmt(out, " type=\"%s_%s\"", reg, f->name);
    buf_str(out, "/>");
}

static void put_flags(struct buf *out, const struct guest_reg *r)
{
    for (const struct reg_field *f = r->fields; f->name; f++)
        if (f->values)
            put_enum(out, r->name, f, r->bits / 8);
    buf_fmt(out, "<flags id=\"%s_fields\" size=\"%u\">", r->name, r->bits / 8u);
    for (const struct reg_field *f = r->fields; f->name; f++)
        put_field(out, r->name, f);
    buf_str(out, "</flags>\n");
}

static const char *group_of(const struct guest_reg *r)
{
    return r->kind == REG_SYSTEM ? "system" : r->kind == REG_FLOAT ? "float" : "general";
}

static void put_type(struct buf *out, const struct guest_reg *r)
{
    if (r->fields)
        buf_fmt(out, "%s_fields", r->name);
    else if (r->kind == REG_PC)
        buf_str(out, "code_ptr");
    else if (r->kind == REG_FLOAT)
        buf_str(out, "ieee_double_or_single");
    else
        buf_fmt(out, "%s", r->alias && !strcmp(r->alias, "sp") ? "data_ptr" : "int");
}

static void put_reg(struct buf *out, const struct guest_reg *r)
{
    if (r->fields)
        put_flags(out, r);
    buf_fmt(out, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\" type=\"",
            r->kind == REG_INT && r->alias ? r->alias : r->name, r->bits, r->gdb);
    put_type(out, r);
    buf_fmt(out, "\" group=\"%s\" ", group_of(r));
    gdb_lldb_attributes(r, out);
    buf_str(out, "/>\n");
}

static void put_feature(struct buf *out, const struct guest *g, const char *feature)
{
    buf_fmt(out, "<feature name=\"%s\">\n", feature);
    if (strstr(feature, "fpu"))
        buf_str(out, "<union id=\"ieee_double_or_single\"><field name=\"float\" "
                     "type=\"ieee_single\"/><field name=\"double\" type=\"ieee_double\"/>"
                     "</union>\n");
    for (uint32_t row = 0; row < g->nregs; row++)
        if (g->regs[row].gdb_feature && !strcmp(g->regs[row].gdb_feature, feature))
            put_reg(out, &g->regs[row]);
    buf_str(out, "</feature>\n");
}

static bool is_first(const struct guest *g, uint32_t row)
{
    for (uint32_t i = 0; i < row; i++)
        if (g->regs[i].gdb_feature && !strcmp(g->regs[i].gdb_feature, g->regs[row].gdb_feature))
            return false;
    return true;
}

static void put_target(struct gdb_job *j, struct buf *out)
{
    const struct guest *g = j->c->guest;

    buf_str(out, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
                 "<target version=\"1.0\">\n");
    buf_fmt(out, "<architecture>%s</architecture>\n", g->gdb_arch);
    /* Else GDB takes it for a Linux process, works out by itself where an instruction leads, and sets
     * a breakpoint there for a step: wrong for traps and returns from them, and slow. */
    buf_str(out, "<osabi>none</osabi>\n");
    for (uint32_t row = 0; row < g->nregs; row++)
        if (g->regs[row].gdb_feature && is_first(g, row))
            put_feature(out, g, g->regs[row].gdb_feature);
    buf_str(out, "</target>\n");
}

/* ---- other objects ---- */

/* GDB keeps away from what the map leaves out, and looks at virtual addresses: any may be memory. */
static void put_memory_map(struct gdb_job *j, struct buf *out)
{
    (void)j;
    buf_str(out, "<?xml version=\"1.0\"?>\n<!DOCTYPE memory-map PUBLIC "
                 "\"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" "
                 "\"http://sourceware.org/gdb/gdb-memory-map.dtd\">\n<memory-map>\n"
                 "<memory type=\"ram\" start=\"0\" length=\"0x8000000000000000\"/>\n"
                 "<memory type=\"ram\" start=\"0x8000000000000000\" "
                 "length=\"0x8000000000000000\"/>\n</memory-map>\n");
}

static void put_threads(struct gdb_job *j, struct buf *out)
{
    buf_str(out, "<?xml version=\"1.0\"?>\n<threads>\n");
    for (unsigned i = 0; i < j->s->ncpus && !j->s->gone; i++) {
        buf_str(out, "<thread id=\"");
        gdb_put_thread(j->s, i, out);
        buf_fmt(out, "\" core=\"%u\" name=\"CPU %u\">%s</thread>\n", i, i,
                cpu_halt_names[machine_cpu(j->m, i)->halted]);
    }
    buf_str(out, "</threads>\n");
}

static void put_osdata(struct gdb_job *j, struct buf *out)
{
    struct dev *const *devs;
    size_t n = board_devices(machine_board(j->m), &devs);

    buf_str(out, "<?xml version=\"1.0\"?>\n<!DOCTYPE osdata SYSTEM \"osdata.dtd\">\n"
                 "<osdata type=\"devices\">\n");
    for (size_t i = 0; i < n; i++)
        buf_fmt(out,
                "<item><column name=\"name\">%s</column><column name=\"class\">%s</column>"
                "<column name=\"base\">0x%llx</column></item>\n",
                devs[i]->name, devs[i]->class->name, (unsigned long long)devs[i]->base);
    buf_str(out, "</osdata>\n");
}

/* The program, if it is one that GDB can read; its path is absolute, as GDB wants it. */
static enum gdb_object put_exec_file(struct gdb_job *j, struct buf *out)
{
    const char *kernel = machine_config(j->m)->board.kernel;
    char *path = kernel ? host_file_elf(kernel) : NULL;

    if (!path)
        return GDB_NO_ANNEX;
    buf_str(out, path);
    free(path);
    return GDB_OBJECT;
}

/* Empty: no system has told of a process of its own. */
static void put_auxv(struct gdb_job *j, struct buf *out)
{
    (void)j, (void)out;
}

enum gdb_object gdb_xml(struct gdb_job *j, const char *object, const char *annex, struct buf *out)
{
    static const struct {
        const char *object, *annex;
        void (*put)(struct gdb_job *j, struct buf *out);
    } objects[] = {
        {"features", "target.xml", put_target},
        {"memory-map", "", put_memory_map},
        {"threads", "", put_threads},
        {"osdata", "", put_osdata},
        {"osdata", "devices", put_osdata},
        {"auxv", "", put_auxv},
        {"traceframe-info", "", gdb_frame_info},
    };
    enum gdb_object found = GDB_NO_OBJECT;

    if (!strcmp(object, "exec-file")) /* its annex is a process's number, or nothing */
        return put_exec_file(j, out);
    for (size_t i = 0; i < sizeof objects / sizeof *objects && found != GDB_OBJECT; i++) {
        if (strcmp(object, objects[i].object))
            continue;
        found = GDB_NO_ANNEX;
        if (strcmp(annex, objects[i].annex))
            continue;
        objects[i].put(j, out);
        found = GDB_OBJECT;
    }
    return found;
}
