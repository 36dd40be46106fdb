/* disas.c - see disas.h. */
#include "debug/disas.h"

#include <capstone/capstone.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

#define INSN_MAX      8 /* bytes; no guest here has longer instructions */
#define BYTES_COLUMNS 8 /* of hexadecimal digits, for riscv64's four bytes */

struct dbg_disas {
    const struct guest *guest;
    const struct dbg_symbols *symbols;
    csh capstone;
    bool open; /* Capstone knows this guest */
};

static const struct {
    const char *guest;
    cs_arch arch;
    cs_mode mode;
} arches[] = {{"riscv64", CS_ARCH_RISCV, (cs_mode)(CS_MODE_RISCV64 | CS_MODE_RISCVC)}};

struct dbg_disas *dbg_disas_new(const struct guest *g, const struct dbg_symbols *t)
{
    struct dbg_disas *d = xcalloc(1, sizeof *d);

    d->guest = g;
    d->symbols = t;
    for (size_t i = 0; i < ARRAY_LEN(arches); i++)
        if (!strcmp(arches[i].guest, g->name))
            d->open = cs_open(arches[i].arch, arches[i].mode, &d->capstone) == CS_ERR_OK;
    if (d->open)
        cs_option(d->capstone, CS_OPT_DETAIL, CS_OPT_ON);
    return d;
}

void dbg_disas_free(struct dbg_disas *d)
{
    if (d && d->open)
        cs_close(&d->capstone);
    free(d);
}

/* Capstone gives the targets of these as distances, the guest as addresses. */
static bool is_relative(const struct dbg_disas *d, const cs_insn *insn)
{
    return cs_insn_group(d->capstone, insn, CS_GRP_JUMP) ||
           cs_insn_group(d->capstone, insn, CS_GRP_CALL) ||
           cs_insn_group(d->capstone, insn, CS_GRP_BRANCH_RELATIVE);
}

/* Capstone's text, if it takes exactly these bytes for one instruction. */
static bool by_capstone(struct dbg_disas *d, uint64_t pc, const uint8_t *bytes, unsigned len,
                        struct buf *out)
{
    cs_insn *insn;
    bool ok;

    if (!d->open || !cs_disasm(d->capstone, bytes, len, pc, 1, &insn))
        return false;
    ok = insn->size == len && !is_relative(d, insn);
    if (ok && *insn->op_str)
        buf_fmt(out, "%-7s %s", insn->mnemonic, insn->op_str);
    else if (ok)
        buf_str(out, insn->mnemonic);
    cs_free(insn, 1);
    return ok;
}

unsigned dbg_disas_one(struct dbg_disas *d, uint64_t pc, const uint8_t *bytes, size_t len,
                       struct buf *out)
{
    struct buf own = BUF_INIT;
    unsigned n = d->guest->disassemble(pc, bytes, len, &own);

    if (n && !by_capstone(d, pc, bytes, n, out)) {
        size_t name = strcspn(own.data, " ");
        buf_fmt(out, "%-*.*s%s", own.data[name] ? 7 : 0, (int)name, own.data, own.data + name);
    }
    buf_fini(&own);
    return n;
}

static void line_start(uint64_t addr, unsigned marks, struct buf *out)
{
    buf_fmt(out, "%s%s 0x%016" PRIx64 "  ", marks & DBG_MARK_BREAK ? "*" : " ",
            marks & DBG_MARK_PC ? "=>" : "  ", addr);
}

/* Where a jump leads is its last operand. */
static void target(const struct dbg_disas *d, const char *text, struct buf *out)
{
    static const char *const jumps[] = {"j", "b", "c.j", "c.b"};
    const char *last = text + strlen(text);
    bool jump = false;

    for (size_t i = 0; i < ARRAY_LEN(jumps); i++)
        jump |= !strncmp(text, jumps[i], strlen(jumps[i]));
    while (last > text && last[-1] != ',' && last[-1] != ' ')
        last--;
    if (jump && d->symbols && !strncmp(last, "0x", 2))
        dbg_symbols_text(d->symbols, strtoull(last, NULL, 16), out);
}

/* Words, not bytes in memory order: as manuals and binutils print RISC-V's. */
static void insn(const struct dbg_disas *d, const uint8_t *bytes, unsigned len, const char *text,
                 struct buf *out)
{
    buf_fmt(out, "%0*" PRIx64 "%*s  %s", (int)len * 2, bits_load_le(bytes, len),
            len * 2 < BYTES_COLUMNS ? (int)(BYTES_COLUMNS - len * 2) : 0, "", text);
    target(d, text, out);
    buf_ch(out, '\n');
}

uint64_t dbg_disas_lines(struct dbg_disas *d, struct cpu *c, uint64_t addr, unsigned n,
                         unsigned (*mark)(void *opaque, uint64_t addr), void *opaque,
                         struct buf *out)
{
    while (n--) {
        uint8_t bytes[INSN_MAX];
        struct buf text = BUF_INIT;
        uint64_t got = cpu_peek(c, addr, bytes, sizeof bytes);
        unsigned len = got ? dbg_disas_one(d, addr, bytes, got, &text) : 0;

        line_start(addr, mark ? mark(opaque, addr) : 0, out);
        if (len)
            insn(d, bytes, len, text.data, out);
        else
            buf_str(out, "no memory here\n");
        buf_fini(&text);
        if (!len)
            break;
        addr += len;
    }
    return addr;
}
