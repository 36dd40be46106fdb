/*
 * compare.c - the decoder against binutils' disassembler, word by word.
 *
 *   decode_compare write16 FILE               every 16-bit word that is not the start of a longer
 * one decode_compare write32 FILE COUNT SEED    COUNT 32-bit words: any, of each row, and one bit
 * off decode_compare check FILE [-v] [EXTENSION...]
 *
 * `check` reads `objdump -d -z -M no-aliases` of those words, at address 0, on
 * standard input.  Legality, name and operands must agree, but for the
 * differences in the table `accepted`.  The extensions are those that this
 * binutils does not have.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/buf.h"
#include "guest/riscv64/decode.h"

/* One word, and what both sides say of it. */
struct pair {
    struct rv_insn in;
    const char *ours, *theirs; /* text; an illegal word's starts with a dot */
    char *const *missing;      /* extensions that binutils lacks, up to a NULL */
};

/* Differences that are right, each with its reason */

static bool is_illegal(const char *text)
{
    return text[0] == '.';
}

static bool lacks_extension(const struct pair *p)
{
    const char *ext = rv_row(p->in.row)->extension;
    bool hint = !strncmp(p->theirs, "add zero,zero,", 14) || !strncmp(p->theirs, "c.add zero,", 11);
    for (char *const *m = p->missing; *m; m++)
        if (!strcmp(ext, *m))
            return is_illegal(p->theirs) || (!strcmp(ext, "Zihintntl") && hint);
    return false;
}

/* The unprivileged manual: reserved fields of fence and fence.i shall be ignored, and a
 * reserved fm is an ordinary fence.  binutils knows the exact words only. */
static bool fence_reserved(const struct pair *p)
{
    bool fence = p->in.op == RV_OP_FENCE || p->in.op == RV_OP_FENCE_TSO;
    return (fence || p->in.op == RV_OP_FENCE_I) && is_illegal(p->theirs);
}

/* All rounding modes are legal where the result is exact; binutils wants the canonical 0. */
static bool exact_rounding(const struct pair *p)
{
    bool exact =
        p->in.op == RV_OP_FCVT_D_W || p->in.op == RV_OP_FCVT_D_WU || p->in.op == RV_OP_FCVT_D_S;
    return exact && p->in.rm != 0 && is_illegal(p->theirs);
}

/* binutils names c.slli, c.srli and c.srai by 0 after the 128-bit set's c.slli64 and so on. */
static bool shift_by_zero(const struct pair *p)
{
    unsigned r = p->in.row;
    bool shift = r == RV_ROW_C_SLLI || r == RV_ROW_C_SRLI || r == RV_ROW_C_SRAI;
    return shift && p->in.imm == 0 && strstr(p->theirs, "64 ");
}

/* binutils writes c.nop as c.addi with x0. */
static bool nop_spelling(const struct pair *p)
{
    return p->in.row == RV_ROW_C_NOP && !strncmp(p->theirs, "c.addi zero,", 12);
}

/* binutils has names for words that are meant to trap: the all-zero half-word, which is
 * defined to be illegal, and a write to the read-only cycle. */
static bool unimp_name(const struct pair *p)
{
    return (p->in.raw == 0 && !strcmp(p->theirs, "c.unimp")) ||
           (p->in.raw == 0xc0001073 && !strcmp(p->theirs, "unimp"));
}

/* C, c.addi16sp: an immediate of 0 is reserved; binutils shows it all the same. */
static bool reserved_addi16sp(const struct pair *p)
{
    return p->in.raw == 0x6101 && !strcmp(p->theirs, "c.addi16sp sp,0");
}

/* binutils keeps drafts that never were or are no more (N, H of 1.9), and debug mode's dret. */
static bool withdrawn(const struct pair *p)
{
    static const char names[][12] = {"uret", "hret", "sfence.vm", "dret"};
    size_t n = strcspn(p->theirs, " ");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (is_illegal(p->ours) && n == strlen(names[i]) && !strncmp(p->theirs, names[i], n))
            return true;
    return false;
}

/* The table names a CSR that this binutils shows as a number. */
static bool newer_csr(const struct pair *p)
{
    bool csr = p->in.op >= RV_OP_CSRRW && p->in.op <= RV_OP_CSRRCI;
    return csr && rv_csr_name((unsigned)p->in.imm) && strstr(p->theirs, ",0x");
}

/* Svinval has two instructions for the hypervisor extension, which the guest does not have. */
static bool hypervisor(const struct pair *p)
{
    return is_illegal(p->ours) && !strncmp(p->theirs, "hinval.", 7);
}

/* binutils names the upper halves of 32-bit CSRs, which RV64 does not have. */
static bool rv32_csr(const struct pair *p)
{
    bool csr = p->in.op >= RV_OP_CSRRW && p->in.op <= RV_OP_CSRRCI;
    const char *h = strchr(p->theirs, ',');
    h = h ? strchr(h + 1, ',') : NULL;
    return csr && h && h[-1] == 'h' && !rv_csr_name((unsigned)p->in.imm);
}

static const struct accepted {
    const char *reason;
    bool (*holds)(const struct pair *p);
} accepted[] = {
    {"newer than this binutils", lacks_extension},
    {"fence with reserved fields", fence_reserved},
    {"rounding mode of an exact conversion", exact_rounding},
    {"name of a compressed shift by 0", shift_by_zero},
    {"spelling of c.nop", nop_spelling},
    {"name of unimp and c.unimp", unimp_name},
    {"c.addi16sp of 0 is reserved", reserved_addi16sp},
    {"withdrawn instruction, or one of debug mode", withdrawn},
    {"the hypervisor's part of Svinval", hypervisor},
    {"CSR with a name newer than this binutils", newer_csr},
    {"CSR of RV32 only", rv32_csr},
};

/* Making the words */

static uint64_t next_random(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    return bits_mix(*seed);
}

/* Low bits 11111 start an instruction of more than 32 bits for binutils. */
static bool is_32bit(uint32_t w)
{
    return (w & 3) == 3 && (w & 0x1f) != 0x1f;
}

/* The i-th word: first each CSR read once, then by turns any word, one of a row, and one
 * of a row with a bit changed. */
static uint32_t make_word(uint64_t i, uint64_t *seed)
{
    uint32_t w;
    if (i < 4096)
        return (uint32_t)i << 20 | 0x2073; /* csrrs zero,csr,zero */
    do {
        unsigned row = (unsigned)(next_random(seed) % RV_ROW_COUNT);
        uint64_t r = next_random(seed);
        w = i % 3 == 0 ? (uint32_t)r : rv_random(row, seed);
        if (i % 3 == 2)
            w ^= UINT32_C(1) << (r & 31);
    } while (!is_32bit(w));
    return w;
}

static int write_words(FILE *f, bool wide, uint64_t count, uint64_t seed)
{
    if (!wide) {
        for (uint32_t w = 0; w < 0x10000; w++)
            if ((w & 3) != 3)
                fwrite(&w, 2, 1, f);
    }
    for (uint64_t i = 0; wide && i < count; i++) {
        uint32_t w = make_word(i, &seed);
        fwrite(&w, 4, 1, f);
    }
    return ferror(f);
}

/* Comparing */

struct totals {
    uint64_t words, legal, agreed, wrong;
    uint64_t by_reason[ARRAY_LEN(accepted)];
};

/* "   4:\t00a58533          \tadd\ta0,a1,a0 # x" to pc, bits and "add a0,a1,a0"; false for
 * another kind of line. */
static bool parse_line(char *line, uint64_t *pc, uint32_t *raw, unsigned *len, char **text)
{
    char *end, *word;
    *pc = strtoull(line, &end, 16);
    if (end == line || end[0] != ':' || end[1] != '\t')
        return false;
    word = end + 2;
    *raw = (uint32_t)strtoul(word, &end, 16);
    *len = (unsigned)(end - word) / 2;
    *text = strchr(end, '\t');
    if (!*text)
        return false;
    ++*text;
    char *tab = strchr(*text, '\t');
    if (tab)
        *tab = ' ';
    end = strstr(*text, " #"); /* an address that binutils worked out */
    if (!end)
        end = *text + strcspn(*text, "\n");
    while (end > *text && end[-1] == ' ')
        end--;
    *end = 0;
    return true;
}

static void compare_one(const struct pair *p, struct totals *t, bool verbose)
{
    t->words++;
    t->legal += !is_illegal(p->ours);
    if (is_illegal(p->ours) ? is_illegal(p->theirs) : !strcmp(p->ours, p->theirs)) {
        t->agreed++;
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++)
        if (accepted[i].holds(p)) {
            t->by_reason[i]++;
            return;
        }
    if (t->wrong++ < 20 || verbose)
        printf("# %0*" PRIx32 ": ours '%s', binutils '%s'\n", p->in.len * 2, p->in.raw, p->ours,
               p->theirs);
}

/* Reads objdump's lines beside the words that they must be of. */
static bool check_words(FILE *words, struct pair *p, struct totals *t, bool verbose)
{
    char line[256], *theirs;
    struct buf ours = BUF_INIT;
    uint64_t pc, expect_pc = 0;
    uint32_t raw, want;
    unsigned len;
    bool ok = true;
    while (ok && fgets(line, sizeof line, stdin)) {
        if (!parse_line(line, &pc, &raw, &len, &theirs))
            continue;
        want = 0;
        ok = pc == expect_pc && (len == 2 || len == 4) && fread(&want, len, 1, words) == 1 &&
             want == raw;
        expect_pc += len;
        rv_decode(raw, &p->in);
        buf_reset(&ours);
        rv_format(&p->in, pc, &ours);
        p->ours = ours.data;
        p->theirs = theirs;
        compare_one(p, t, verbose);
    }
    if (!ok)
        printf("# the disassembly is not of these words: at %" PRIx64 "\n", pc);
    else if (fgetc(words) != EOF) {
        printf("# the disassembly ends early\n");
        ok = false;
    }
    buf_fini(&ours);
    return ok;
}

static int check(FILE *words, char *const *missing, bool verbose)
{
    struct totals t = {0};
    struct pair p = {.missing = missing};
    bool ok = check_words(words, &p, &t, verbose);
    printf("# %" PRIu64 " words: %" PRIu64 " legal; %" PRIu64 " agree; %" PRIu64 " wrong\n",
           t.words, t.legal, t.agreed, t.wrong);
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++)
        if (t.by_reason[i])
            printf("# accepted, %s: %" PRIu64 "\n", accepted[i].reason, t.by_reason[i]);
    return !ok || t.wrong || !t.words;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[1] : "";
    FILE *f = argc > 2 ? fopen(argv[2], strcmp(mode, "check") ? "wb" : "rb") : NULL;
    if (argc > 2 && !f) {
        fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
        return 2;
    }
    int rc = 2;
    if (!strcmp(mode, "check")) {
        bool verbose = argc > 3 && !strcmp(argv[3], "-v");
        rc = check(f, argv + 3 + verbose, verbose);
    } else if (!strcmp(mode, "write16")) {
        rc = write_words(f, false, 0, 0);
    } else if (!strcmp(mode, "write32") && argc == 5) {
        rc = write_words(f, true, strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
    } else {
        fprintf(stderr, "usage: decode_compare write16|write32|check FILE ...\n");
    }
    return f && fclose(f) ? 2 : rc;
}
