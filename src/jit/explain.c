/* explain.c - a unit as people look at it: IR before and after each pass, host code. */
#include <capstone/capstone.h>
#include <inttypes.h>

#include "jit/jit.h"

static void host_text(const struct jit_block *b, struct buf *out)
{
    csh cs;
    cs_insn *insns;

    if (cs_open(CS_ARCH_X86, CS_MODE_64, &cs) != CS_ERR_OK) {
        buf_str(out, "  (Capstone cannot disassemble for this host)\n");
        return;
    }
    size_t n = cs_disasm(cs, b->code, b->code_size, (uintptr_t)b->code, 0, &insns);
    for (size_t i = 0; i < n; i++)
        buf_fmt(out, "  %" PRIx64 "  %s %s\n", insns[i].address - (uintptr_t)b->code,
                insns[i].mnemonic, insns[i].op_str);
    if (n)
        cs_free(insns, n);
    cs_close(&cs);
}

void jit_explain(struct jit *j, struct ir_unit *u, struct buf *out)
{
    buf_str(out, "IR as lifted:\n");
    ir_print(u, out);
    for (const struct ir_pass *p = ir_tier1_passes; p->name; p++) {
        p->run(u);
        buf_fmt(out, "IR after %s:\n", p->name);
        ir_print(u, out);
    }
    struct jit_block *b = jit_compile(j, u);
    if (!b) {
        buf_str(out, "Too large for one block of host code.\n");
        return;
    }
    buf_fmt(out, "Host code, %u bytes for %u guest instructions:\n", b->code_size, b->ninsns);
    host_text(b, out);
}
