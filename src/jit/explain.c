/* explain.c - a unit as people look at it: IR before and after each pass, host code. */
#include <capstone/capstone.h>
#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "jit/jit.h"

/* Whether p points into an array of n elements. */
#define AMONG(p, array, n) ((p) - (uintptr_t)(array) < (n) * sizeof *(array))

static const char *stub_at(const struct jit *j, uint64_t to)
{
    const char *name = NULL;

    if (to - (uintptr_t)j->code.rx >= j->stubs_size)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(j->stubs); i++)
        if ((uintptr_t)j->stubs[i] == to)
            name = j->stub_names[i];
    return name;
}

/* Where a jump or call leads: an offset, like those at the start of lines, or what lies there. */
static void target_text(const struct jit *j, const struct jit_block *b, uint64_t to,
                        struct buf *out)
{
    const char *stub = stub_at(j, to);

    if (to - (uintptr_t)b->code < b->code_size) {
        buf_fmt(out, "%" PRIx64, to - (uintptr_t)b->code);
        return;
    }
    for (uint32_t i = 0; i < b->nexits; i++) {
        const struct jit_block *t = b->exits[i].target;
        if (t && to - (uintptr_t)t->code < t->code_size) {
            buf_fmt(out, "<block 0x%" PRIx64 ">", t->pc);
            return;
        }
    }
    buf_fmt(out, "<%s>", stub ? stub : "elsewhere");
}

/* What an immediate stands for, which is not the same in the next run; false: for itself. */
static bool pointer_text(const struct jit *j, const struct jit_block *b, uint64_t v,
                         struct buf *out)
{
    const struct ir_names *names = &j->guest->names;

    if (v == (uintptr_t)b) {
        buf_str(out, "<this block>");
        return true;
    }
    if (AMONG(v, b->exits, b->nexits)) {
        buf_fmt(out, "<exit to 0x%" PRIx64 ">", ((const struct jit_exit *)(uintptr_t)v)->pc);
        return true;
    }
    if (AMONG(v, b->sites, b->nsites)) {
        buf_fmt(out, "<access of 0x%" PRIx64 ">", ((const struct jit_site *)(uintptr_t)v)->pc);
        return true;
    }
    if (AMONG(v, b->softs, b->nsofts)) {
        buf_fmt(out, "<%s>", ir_ops[((const struct jit_soft *)(uintptr_t)v)->op].name);
        return true;
    }
    for (uint32_t i = 0; i < names->nhelpers; i++) {
        if ((uintptr_t)names->helpers[i].fn == v) {
            buf_fmt(out, "<helper %s>", names->helpers[i].name);
            return true;
        }
    }
    return false;
}

/* The operands, with a name for an immediate that has one. */
static void operands_text(const struct jit *j, const struct jit_block *b, csh cs,
                          const cs_insn *insn, struct buf *out)
{
    const cs_x86 *x = &insn->detail->x86;
    const cs_x86_op *last = x->op_count ? &x->operands[x->op_count - 1] : NULL;
    bool jump = cs_insn_group(cs, insn, CS_GRP_JUMP) || cs_insn_group(cs, insn, CS_GRP_CALL);
    const char *comma = strrchr(insn->op_str, ',');
    size_t kept = comma ? (size_t)(comma - insn->op_str) + 2 : 0;

    buf_add(out, insn->op_str, kept);
    if (last && last->type == X86_OP_IMM && jump)
        target_text(j, b, (uint64_t)last->imm, out);
    else if (!last || last->type != X86_OP_IMM || !pointer_text(j, b, (uint64_t)last->imm, out))
        buf_str(out, insn->op_str + kept);
}

static void host_text(const struct jit *j, const struct jit_block *b, struct buf *out)
{
    csh cs;
    cs_insn *insns;

    if (cs_open(CS_ARCH_X86, CS_MODE_64, &cs) != CS_ERR_OK) {
        buf_str(out, "  (Capstone cannot disassemble for this host)\n");
        return;
    }
    cs_option(cs, CS_OPT_DETAIL, CS_OPT_ON);
    size_t n = cs_disasm(cs, b->code, b->code_size, (uintptr_t)b->code, 0, &insns);
    for (size_t i = 0; i < n; i++) {
        buf_fmt(out, "  %" PRIx64 "  %s ", insns[i].address - (uintptr_t)b->code,
                insns[i].mnemonic);
        operands_text(j, b, cs, &insns[i], out);
        buf_ch(out, '\n');
    }
    if (n)
        cs_free(insns, n);
    cs_close(&cs);
}

static void ir_text(struct ir_unit *u, struct buf *out)
{
    buf_str(out, "IR as lifted:\n");
    ir_print(u, out);
    for (const struct ir_pass *p = ir_tier1_passes; p->name; p++) {
        p->run(u);
        buf_fmt(out, "IR after %s:\n", p->name);
        ir_print(u, out);
    }
}

static void code_text(const struct jit *j, const struct jit_block *b, struct buf *out)
{
    buf_fmt(out, "Host code, %u bytes for %u guest instructions:\n", b->code_size, b->ninsns);
    host_text(j, b, out);
}

void jit_explain(struct jit *j, struct ir_unit *u, struct buf *out)
{
    ir_text(u, out);
    struct jit_block *b = jit_compile(j, u);
    if (b)
        code_text(j, b, out);
    else
        buf_str(out, "Too large for one block of host code.\n");
}

void jit_explain_block(struct jit *j, struct ir_unit *u, const struct jit_block *b, struct buf *out)
{
    ir_text(u, out);
    code_text(j, b, out);
}
