/*
 * print.c - a unit as text.
 *
 * The form is described at parse.c.  Anything that a broken unit holds can be
 * printed: what has no name is written with a '?'.
 */
#include <inttypes.h>

#include "ir/text.h"

static const char *type_name(unsigned type)
{
    return type < IR_TYPE_COUNT ? ir_type_names[type] : "?";
}

static void print_slot(const struct ir_unit *u, uint64_t slot, struct buf *out)
{
    if (u->names && slot < u->names->nslots)
        buf_str(out, u->names->slots[slot].name);
    else
        buf_fmt(out, "?%" PRIu64, slot);
}

static void print_helper(const struct ir_unit *u, uint64_t helper, struct buf *out)
{
    if (u->names && helper < u->names->nhelpers)
        buf_str(out, u->names->helpers[helper].name);
    else
        buf_fmt(out, "?%" PRIu64, helper);
}

static void print_edge(const struct ir_unit *u, uint32_t edge, struct buf *out)
{
    if (edge >= u->nedges) {
        buf_fmt(out, "?%" PRIu32, edge);
        return;
    }
    const struct ir_edge *e = &u->edges[edge];
    buf_fmt(out, "%" PRIu32, e->block);
    for (uint32_t i = 0; i < e->nargs; i++)
        buf_fmt(out, "%sv%" PRIu32, i ? ", " : "(", e->args[i]);
    if (e->nargs)
        buf_ch(out, ')');
}

/* The operation's name with its suffixes. */
static void print_op(const struct ir_insn *i, struct buf *out)
{
    unsigned kinds = ir_mod_kinds(i->op);
    buf_str(out, ir_ops[i->op].name);
    if (ir_typed_suffix(i->op))
        buf_fmt(out, ".%s", type_name(i->type));
    for (const struct ir_mod *m = ir_mods; m->name; m++)
        if ((m->kind & kinds) && (i->aux & m->mask) == m->bits)
            buf_fmt(out, ".%s", m->name);
}

static void print_offset(uint64_t imm, struct buf *out)
{
    if ((int64_t)imm > 0)
        buf_fmt(out, " + %" PRIu64, imm);
    else if (imm)
        buf_fmt(out, " - %" PRIu64, -imm);
}

/* Operands from the first one on, as ops.def's letters say. */
static void print_args(const struct ir_unit *u, const struct ir_insn *i, struct buf *out)
{
    const struct ir_op_info *info = &ir_ops[i->op];
    for (unsigned n = 0; n < info->nargs && i->arg[n] != IR_NONE; n++) {
        buf_str(out, n ? ", " : " ");
        if (info->args[n] == 'e')
            print_edge(u, i->arg[n], out);
        else
            buf_fmt(out, "v%" PRIu32, i->arg[n]);
        if (n == 0 && (info->effects & (IR_FX_READ | IR_FX_WRITE)))
            print_offset(i->imm, out);
    }
    if (ir_mod_kinds(i->op) & IR_MOD_MODE && IR_MO_MODE(i->aux))
        buf_fmt(out, " mode %u", IR_MO_MODE(i->aux));
}

static void print_insn(const struct ir_unit *u, uint32_t at, struct buf *out)
{
    const struct ir_insn *i = &u->insns[at];
    if (i->op >= IR_OP_COUNT) {
        buf_fmt(out, "    ?%u\n", i->op);
        return;
    }
    enum ir_type type = ir_type_of(u, at);
    buf_str(out, "    ");
    if (type != IR_VOID)
        buf_fmt(out, "v%" PRIu32 ":%s = ", at, type_name(type));
    print_op(i, out);
    switch (i->op) {
    case IR_const:
    case IR_exit_pc:
        buf_fmt(out, " 0x%" PRIx64, i->imm);
        break;
    case IR_insn:
        buf_fmt(out, " 0x%" PRIx64 " %u", i->imm, i->aux);
        break;
    case IR_get:
        buf_ch(out, ' ');
        print_slot(u, i->imm, out);
        break;
    case IR_put:
        buf_ch(out, ' ');
        print_slot(u, i->imm, out);
        buf_fmt(out, ", v%" PRIu32, i->arg[0]);
        break;
    case IR_call:
        buf_ch(out, ' ');
        print_helper(u, i->imm, out);
        print_args(u, i, out);
        break;
    default:
        print_args(u, i, out);
        break;
    }
    buf_ch(out, '\n');
}

void ir_print(const struct ir_unit *u, struct buf *out)
{
    buf_fmt(out, "unit 0x%" PRIx64, u->pc);
    for (const struct ir_mod *m = ir_mods; m->name; m++)
        if (m->kind == IR_MOD_RM && m->bits == u->fp_rm)
            buf_fmt(out, " %s", m->name);
    buf_ch(out, '\n');
    for (uint32_t b = 0; b < u->nblocks; b++) {
        buf_fmt(out, "block %" PRIu32 "\n", b);
        for (uint32_t i = u->blocks[b].first; i < u->blocks[b].end; i++)
            print_insn(u, i, out);
    }
}
