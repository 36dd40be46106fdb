/*
 * diff.c - every instruction of the decode table over edge values, in every
 * engine: against the plain C of ref.c, and against QEMU where that is there.
 *
 * A group is an instruction (or an LR and its SC) with up to a few thousand
 * vectors, or a random sequence of instructions with a few.  Each engine and each judge boils it
 * down to a hash; where two differ the first vector that does is looked for and shown.  diff
 * [SCALE] does SCALE times as many words.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/buf.h"
#include "base/mem_alloc.h"
#include "base/vec.h"
#include "tests/guest/riscv64/engine.h"
#include "tests/guest/riscv64/ref.h"
#include "tests/tap.h"

/* Extensions that QEMU 7.2 does not know, and an instruction that it does wrong: ctzw of a word of
 * zeros looks at the bits above it. */
static const char *const not_in_qemu[] = {"Zicond", "Zfa", "Zcb", "Zawrs"};
static const char wrong_in_qemu[] = "ctzw";

struct plan {
    struct vec_group group;
    unsigned row;
    bool qemu;
    uint64_t hash; /* by the first engine */
};
struct plan_vec {
    VEC(struct plan);
};

/* What a plan's results are listed under. */
static const char *title(const struct plan *p)
{
    return p->row == RV_ROW_ILLEGAL ? "sequences" : rv_row(p->row)->extension;
}

/* ---- what an instruction wants of its operands ---- */

static bool is_ext(unsigned row, const char *name)
{
    return !strcmp(rv_row(row)->extension, name);
}

static bool in_qemu(unsigned row)
{
    for (size_t i = 0; i < ARRAY_LEN(not_in_qemu); i++)
        if (is_ext(row, not_in_qemu[i]))
            return false;
    return strcmp(rv_row(row)->name, wrong_in_qemu);
}

/* System instructions need more than a vector's state. */
static bool is_tested(unsigned row)
{
    unsigned op = rv_row(row)->op;
    return row != RV_ROW_ILLEGAL && !is_ext(row, "S") && !is_ext(row, "Svinval") &&
           !is_ext(row, "Zicbom") && !is_ext(row, "Zicboz") && op != RV_OP_ECALL &&
           op != RV_OP_EBREAK;
}

/* By the text of the operands: which fields name f registers, and how wide values are. */
struct shape {
    bool memory, atomic, jump, csr;
    bool f_rs1, f_rs2, f_rs3, rounds;
    enum vec_kind f_kind;
};

static bool is_between(unsigned op, unsigned first, unsigned last)
{
    return op >= first && op <= last;
}

static struct shape shape_of(const struct rv_insn *in)
{
    struct shape s = {0};
    const char *name = rv_op_name(in->op);
    size_t n = strlen(name);
    unsigned opcode = rv_row(in->row)->mask & rv_row(in->row)->match & 0x7f;
    bool fp = name[0] == 'f' && !is_between(in->op, RV_OP_FENCE, RV_OP_FENCE_I);
    s.f_kind = n > 2 && !strcmp(name + n - 2, ".s") ? VEC_F32 : VEC_F64;
    s.atomic =
        strstr(name, "amo") == name || strstr(name, "lr.") == name || strstr(name, "sc.") == name;
    s.memory = s.atomic || is_between(in->op, RV_OP_LB, RV_OP_SD) || in->op == RV_OP_FLW ||
               in->op == RV_OP_FLD || in->op == RV_OP_FSW || in->op == RV_OP_FSD;
    s.jump = in->op == RV_OP_JALR;
    s.csr = is_between(in->op, RV_OP_CSRRW, RV_OP_CSRRCI);
    s.f_rs2 = in->op == RV_OP_FSW || in->op == RV_OP_FSD;
    if (fp && !s.memory) {
        bool from_x = in->op == RV_OP_FMV_W_X || in->op == RV_OP_FMV_D_X ||
                      (strstr(name, "fcvt.") == name && strchr("wl", name[7]));
        s.f_rs1 = !from_x;
        s.f_rs2 = s.f_rs3 = true;
        s.rounds = in->len == 4 && !(rv_row(in->row)->mask >> 12 & 7) && opcode >= 0x43;
    }
    return s;
}

/* Jumps by a distance that the instruction says. */
static bool is_direct(const struct rv_insn *in)
{
    return in->op == RV_OP_JAL || is_between(in->op, RV_OP_BEQ, RV_OP_BGEU);
}

/* Whether a jump by d from the slot lands in reach, and clear of what lies at the slot. */
static bool lands(int64_t d)
{
    return d > -VEC_REACH && d < VEC_REACH && (d <= -4 || d >= 8);
}

/* Whether a runner can do this word. */
static bool usable(const struct rv_insn *in)
{
    struct shape s = shape_of(in);
    const unsigned used = VEC_STATE_REG;
    if (in->rd == used || in->rs1 == used || in->rs2 == used || in->rs3 == used)
        return false;
    if ((s.memory || s.jump) && !in->rs1)
        return false;
    return !is_direct(in) || lands(in->imm);
}

/* A random word of the row that `usable` likes. */
static bool random_word(unsigned row, uint64_t *seed, struct rv_insn *in)
{
    for (unsigned tries = 0; tries < 100000; tries++) {
        uint32_t raw = rv_random(row, seed);
        if (is_ext(row, "Zicsr"))
            raw = (raw & 0xfffff) | (1 + (raw >> 20) % 3) << 20; /* fflags, frm, fcsr */
        if (rv_decode(raw, in) && in->row == row && usable(in))
            return true;
    }
    return false;
}

/* ---- groups ---- */

static void add_code(struct vec_group *g, const struct rv_insn *in)
{
    memcpy(g->code + g->code_len, &in->raw, in->len);
    g->code_len += in->len;
}

static void add_operand(struct vec_group *g, struct vec_operand op)
{
    for (unsigned i = 0; i < VEC_OPERANDS; i++)
        if (g->operands[i].kind == VEC_NONE) {
            g->operands[i] = op;
            return;
        }
}

static void add_number(struct vec_group *g, enum vec_kind kind, unsigned reg)
{
    add_operand(g, (struct vec_operand){.kind = (uint8_t)kind, .reg = (uint8_t)reg});
}

static void add_operands(struct vec_group *g, const struct rv_insn *in)
{
    struct shape s = shape_of(in);
    enum vec_kind value = s.f_rs2 ? s.f_kind : VEC_INT;
    /* The source of a conversion between formats is the other one. */
    enum vec_kind first = in->op == RV_OP_FCVT_S_D   ? VEC_F64
                          : in->op == RV_OP_FCVT_D_S ? VEC_F32
                                                     : s.f_kind;
    struct vec_operand base = {.reg = in->rs1, .value = (uint64_t)in->imm};
    if (s.memory) {
        if (!s.atomic || in->rs2) /* LR has none: x0 */
            add_number(g, value, in->rs2);
        base.kind = VEC_ADDR;
        base.align = !s.atomic ? 0 : in->raw >> 12 & 1 ? 3 : 2;
        add_operand(g, base);
    } else if (s.jump) {
        g->target = VEC_SLOT + 0x1000 + (g->seed % 64) * 2;
        base.kind = VEC_CONST;
        base.value = g->target - (uint64_t)in->imm + (g->seed >> 8 & 1);
        add_operand(g, base);
    } else {
        add_number(g, s.f_rs1 ? first : VEC_INT, in->rs1);
        add_number(g, value, in->rs2);
        if (s.f_rs3)
            add_number(g, value, in->rs3);
    }
}

/* What comes before an SC: an LR, with the same register as address or another. */
static bool random_reserve(const struct rv_insn *sc, uint64_t *seed, struct rv_insn *lr)
{
    unsigned row = sc->op == RV_OP_SC_W ? RV_ROW_LR_W : RV_ROW_LR_D;
    do {
        if (!random_word(row, seed, lr))
            return false;
        if (vec_mix(*seed) & 1)
            rv_decode((lr->raw & ~(31u << 15)) | (uint32_t)sc->rs1 << 15, lr);
    } while (lr->rd == sc->rs1);
    return true;
}

/* A group for a word; rm and frm are the rounding mode's field and register, if it has one. */
static void plan_word(struct plan_vec *plans, struct rv_insn in, unsigned rm, unsigned frm,
                      uint32_t count, uint64_t *seed)
{
    struct plan p = {.row = in.row, .qemu = in_qemu(in.row)};
    struct vec_group *g = &p.group;
    g->seed = bits_mix(*seed += 0x9e37);
    g->count = count;
    g->frm = frm;
    if (shape_of(&in).rounds)
        rv_decode((in.raw & ~(7u << 12)) | rm << 12, &in);
    add_operands(g, &in);
    if (in.op == RV_OP_SC_W || in.op == RV_OP_SC_D) {
        struct rv_insn lr;
        if (!random_reserve(&in, seed, &lr))
            return;
        add_code(g, &lr);
        add_operands(g, &lr);
    }
    if (is_direct(&in))
        g->target = VEC_SLOT + g->code_len + (uint64_t)in.imm;
    add_code(g, &in);
    vec_push(plans, p);
}

/* Rounding: each static mode, each dynamic one, and those that are reserved. */
static void plan_rounding(struct plan_vec *plans, unsigned row, uint32_t count, uint64_t *seed)
{
    struct rv_insn in;
    for (unsigned rm = 0; rm < 8; rm++) {
        if (!random_word(row, seed, &in))
            continue;
        bool reserved = rm == 5 || rm == 6;
        if (rm < 7)
            plan_word(plans, in, rm, (unsigned)(*seed >> 40 & 3), reserved ? 16 : count, seed);
    }
    for (unsigned frm = 0; frm < 8; frm++)
        if (random_word(row, seed, &in))
            plan_word(plans, in, 7, frm, frm > 4 ? 16 : count, seed);
}

static void plan_row(struct plan_vec *plans, unsigned row, unsigned scale, uint64_t *seed)
{
    enum { WORDS = 10, VECTORS = 2048 };
    struct rv_insn in;
    for (unsigned n = 0; n < WORDS * scale; n++) {
        if (!random_word(row, seed, &in))
            return;
        if (shape_of(&in).rounds) {
            if (n % (WORDS / 2) == 0)
                plan_rounding(plans, row, VECTORS, seed);
            continue;
        }
        plan_word(plans, in, 0, n % 5, VECTORS, seed);
    }
}

/* ---- sequences ---- */

enum { BASE = 30 }; /* the register that addresses memory in sequences, and is never written */

/* What a sequence is made of: straight code.  QEMU also lets an SC fail when the hart itself has
 * stored there since its LR. */
static bool is_straight(const struct rv_insn *in)
{
    return !is_direct(in) && in->op != RV_OP_JALR && in->op != RV_OP_FENCE_I && !shape_of(in).csr &&
           strncmp(rv_op_name(in->op), "lr.", 3) && strncmp(rv_op_name(in->op), "sc.", 3) &&
           is_tested(in->row);
}

/* Gives a load, store or atomic the base register and an aligned offset into the window. */
static bool rebase(struct rv_insn *in, uint64_t random)
{
    struct shape s = shape_of(in);
    uint32_t raw = (in->raw & ~(31u << 15)) | BASE << 15, imm = (uint32_t)(random & 7) * 8;
    bool store = (in->raw & 0x7b) == 0x23; /* STORE, STORE-FP */
    if (!s.memory)
        return true;
    if (in->len == 2)
        return false;
    if (store)
        raw = (raw & 0x01fff07f) | (imm >> 5) << 25 | (imm & 31) << 7;
    else if (!s.atomic)
        raw = (raw & 0xfffff) | imm << 20;
    return rv_decode(raw, in);
}

/* With half of the registers, so that instructions depend on one another. */
static bool random_straight(bool qemu, uint64_t *seed, struct rv_insn *in)
{
    uint64_t r = bits_mix(*seed += 0x9e37);
    unsigned row = 1 + (unsigned)(r >> 8) % (RV_ROW_COUNT - 1);
    rv_decode(rv_random(row, seed), in);
    return in->row == row && is_straight(in) && usable(in) && (!qemu || in_qemu(row)) &&
           in->rm != 5 && in->rm != 6 && in->rd < 16 && in->rs1 < 16 && in->rs2 < 16 &&
           rebase(in, r);
}

static void plan_sequence(struct plan_vec *plans, bool qemu, uint64_t *seed)
{
    enum { VECTORS = 48 };
    struct plan p = {.row = RV_ROW_ILLEGAL, .qemu = qemu};
    struct vec_group *g = &p.group;
    struct rv_insn in;
    g->seed = bits_mix(*seed += 0x9e37);
    g->count = VECTORS;
    g->frm = g->seed % 5;
    while (g->code_len + 4 <= VEC_CODE)
        if (random_straight(qemu, seed, &in))
            add_code(g, &in);
    add_operand(g, (struct vec_operand){.kind = VEC_CONST, .reg = BASE, .value = VEC_MEMORY});
    vec_push(plans, p);
}

/* ---- judges ---- */

/* Runs a vector by the reference.  False: it does not know an instruction. */
static bool ref_vector(const struct vec_group *g, struct vec_state *s)
{
    struct ref r = {.s = s, .pc = VEC_SLOT, .reserve = UINT64_MAX};
    for (uint32_t at = 0; at < g->code_len;) {
        struct rv_insn in;
        uint32_t raw = 0;
        memcpy(&raw, g->code + at, g->code_len - at < 4 ? 2 : 4);
        rv_decode(raw, &in);
        if (!ref_run(&r, &in))
            return false;
        at += in.len;
    }
    s->jumped = g->target && r.pc == g->target;
    return true;
}

struct tester {
    struct world world;
    const struct engine *engine;
    void *self;
    char dir[256]; /* of the runner and its files; empty: none */
    bool have_qemu;
    uint64_t vectors; /* run by an engine */
    double engine_s, ref_s, qemu_s;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The context that code of a group runs in, translated. */
static void load_group(struct tester *t, const struct vec_group *g)
{
    struct rv_cpu *h = rv_of(t->world.cpu);
    h->frm = (uint8_t)g->frm;
    rv_update_context(h);
    world_translate(&t->world, g->code, g->code_len, VEC_SLOT, 64);
    t->engine->load(t->self, &t->world.unit);
}

static bool engine_vector(struct tester *t, const struct vec_group *g, struct vec_state *s)
{
    return world_run(&t->world, t->engine, t->self, g, s);
}

static void show_word(const struct plan *p, struct buf *out)
{
    for (uint32_t at = 0; at < p->group.code_len;) {
        struct rv_insn in;
        uint32_t raw = 0;
        memcpy(&raw, p->group.code + at, p->group.code_len - at < 4 ? 2 : 4);
        rv_decode(raw, &in);
        rv_format(&in, VEC_SLOT + at, out);
        buf_fmt(out, " (%0*" PRIx32 ")  ", in.len * 2, in.raw);
        at += in.len;
    }
    buf_fmt(out, "frm %" PRIu32, p->group.frm);
}

static const char *word_name(unsigned i, char text[16])
{
    static const char *const rest[] = {"fcsr", "mem", "mem", "mem",    "mem", "mem",
                                       "mem",  "mem", "mem", "jumped", "trap"};
    if (i < 64)
        snprintf(text, 16, "%c%u", i < 32 ? 'x' : 'f', i % 32);
    else
        snprintf(text, 16, "%s", rest[i - 64]);
    return text;
}

/* Says how two results of a vector differ. */
static void report(const struct tester *t, const struct plan *p, uint32_t index,
                   const struct vec_state *got, const struct vec_state *want, const char *judge)
{
    struct vec_state start;
    struct buf out = BUF_INIT;
    vec_prepare(&p->group, &start);
    vec_make(&p->group, index, &start);
    show_word(p, &out);
    printf("# %s, %s against %s: %s, vector %" PRIu32 "\n", title(p), t->engine->name, judge,
           out.data, index);
    const uint64_t *a = (const void *)got, *b = (const void *)want, *s = (const void *)&start;
    char text[16];
    for (unsigned k = 0; k < VEC_OPERANDS; k++) {
        const struct vec_operand *op = &p->group.operands[k];
        bool f = op->kind == VEC_F32 || op->kind == VEC_F64;
        if (op->kind != VEC_NONE)
            printf("#   %c%u = %016" PRIx64 "\n", f ? 'f' : 'x', op->reg,
                   s[op->reg + (f ? 32 : 0)]);
    }
    for (unsigned i = 0; i < VEC_STATE_WORDS; i++)
        if (a[i] != b[i])
            printf("#   %s: %016" PRIx64 ", should be %016" PRIx64 "\n", word_name(i, text), a[i],
                   b[i]);
    buf_fini(&out);
}

/* Runs a group by the engine and the reference: at the first difference says so. */
static bool check_ref(struct tester *t, struct plan *p)
{
    struct vec_state start, got, want;
    const struct vec_group *g = &p->group;
    double begin = now();
    load_group(t, g);
    vec_prepare(g, &start);
    p->hash = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        vec_make(g, i, &start);
        got = want = start;
        bool left_well = engine_vector(t, g, &got);
        if (!ref_vector(g, &want)) {
            printf("# %s: the reference does not know it\n", title(p));
            return false;
        }
        if (!left_well || memcmp(&got, &want, sizeof got)) {
            report(t, p, i, &got, &want, "plain C");
            if (!left_well)
                printf("#   the unit was left at %" PRIx64 "\n", t->world.cpu->pc);
            return false;
        }
        p->hash = vec_hash(&got, p->hash);
    }
    t->vectors += g->count;
    t->engine_s += now() - begin;
    return true;
}

/* ---- QEMU ---- */

static int shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *fmt, ...)
{
    struct buf cmd = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vfmt(&cmd, fmt, ap);
    va_end(ap);
    int status = system(cmd.data);
    buf_fini(&cmd);
    return status;
}

static const char *tool(const char *variable)
{
    const char *name = getenv(variable);
    return name && *name ? name : NULL;
}

static bool build_runner(struct tester *t)
{
    const char *cc = tool("RISCV64_CC"), *top = getenv("top_srcdir");
    const char *tmp = tool("TMPDIR");
    if (!cc || !tool("QEMU_RISCV64"))
        return false;
    snprintf(t->dir, sizeof t->dir, "%s/glovebox-diff-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(t->dir)) {
        t->dir[0] = 0;
        return false;
    }
    return !shell("%s -O2 -march=rv64gc -mabi=lp64d -nostdlib -ffreestanding -fno-builtin -static "
                  "-mno-relax -fno-stack-protector -Wl,--section-start=.gadget=%#" PRIx64
                  " -o %s/runner %s/tests/guest/riscv64/runner.c 2>%s/cc.txt || "
                  "{ sed 's/^/# /' %s/cc.txt; false; }",
                  cc, VEC_GADGET, t->dir, top ? top : ".", t->dir, t->dir);
}

/* Runs groups; the output's words, or NULL. */
static uint64_t *run_qemu(struct tester *t, const struct vec_group *groups, size_t n, size_t words)
{
    char name[300];
    snprintf(name, sizeof name, "%s/in", t->dir);
    FILE *f = fopen(name, "wb");
    if (!f || fwrite(groups, sizeof *groups, n, f) != n || fclose(f))
        return NULL;
    double begin = now();
    int status = shell(
        "timeout 120 %s -cpu rv64,zba=true,zbb=true,zbc=true,zbs=true %s/runner <%s/in >%s/out",
        tool("QEMU_RISCV64"), t->dir, t->dir, t->dir);
    t->qemu_s += now() - begin;
    uint64_t *out = xcalloc(words, sizeof *out);
    snprintf(name, sizeof name, "%s/out", t->dir);
    f = fopen(name, "rb");
    size_t got = f ? fread(out, sizeof *out, words, f) : 0;
    if (f)
        fclose(f);
    if (!status && got == words)
        return out;
    printf("# the runner left with status %d after %zu of %zu results\n", status, got, words);
    free(out);
    return NULL;
}

/* Finds and shows the vector in which QEMU differs. */
static void find_difference(struct tester *t, const struct plan *p)
{
    struct vec_group g = p->group;
    g.dump = 1;
    uint64_t *words = run_qemu(t, &g, 1, (size_t)g.count * VEC_STATE_WORDS);
    struct vec_state s;
    if (!words)
        return;
    load_group(t, &g);
    vec_prepare(&g, &s);
    for (uint32_t i = 0; i < g.count; i++) {
        struct vec_state start, want;
        memcpy(&want, words + (size_t)i * VEC_STATE_WORDS, sizeof want);
        vec_make(&g, i, &s);
        start = s;
        engine_vector(t, &g, &start);
        if (memcmp(&start, &want, sizeof want)) {
            report(t, p, i, &start, &want, "QEMU");
            break;
        }
    }
    free(words);
}

/* One answer from QEMU for all groups that it can do; NULL without it. */
static uint64_t *qemu_hashes(struct tester *t, const struct plan_vec *plans)
{
    struct {
        VEC(struct vec_group);
    } groups = {0};
    for (size_t i = 0; i < plans->len; i++)
        if (plans->data[i].qemu)
            vec_push(&groups, plans->data[i].group);
    uint64_t *hashes = run_qemu(t, groups.data, groups.len, groups.len);
    vec_fini(&groups);
    return hashes;
}

/* ---- output ---- */

static unsigned test_number;
static bool all_well = true;

static void result(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void result(bool ok, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    printf("%sok %u - ", ok ? "" : "not ", ++test_number);
    vprintf(fmt, ap);
    printf("\n");
    fflush(stdout);
    va_end(ap);
    all_well &= ok;
}

/* Rows of one extension lie together: [*at, end) of the plans. */
static size_t extension_end(const struct plan_vec *plans, size_t at)
{
    size_t end = at;
    while (end < plans->len && is_ext(plans->data[end].row, rv_row(plans->data[at].row)->extension))
        end++;
    return end;
}

/* One line an extension. */
static void test_ref(struct tester *t, struct plan_vec *plans)
{
    for (size_t at = 0, end; at < plans->len; at = end) {
        uint64_t before = t->vectors;
        unsigned bad = UINT32_MAX;
        bool ok = true;
        end = extension_end(plans, at);
        for (size_t i = at; i < end; i++) {
            struct plan *p = &plans->data[i];
            if (p->row != bad && !check_ref(t, p)) /* one report a row */
                bad = p->row, ok = false;
        }
        result(ok, "%s: %s against plain C, %" PRIu64 " vectors", title(&plans->data[at]),
               t->engine->name, t->vectors - before);
    }
}

static void test_qemu(struct tester *t, const struct plan_vec *plans, const uint64_t *hashes)
{
    for (size_t at = 0, end; at < plans->len; at = end) {
        unsigned bad = UINT32_MAX;
        bool ok = true;
        uint64_t vectors = 0;
        end = extension_end(plans, at);
        for (size_t i = at; i < end; i++) {
            const struct plan *p = &plans->data[i];
            if (!p->qemu)
                continue;
            vectors += p->group.count;
            if (*hashes++ != p->hash && p->row != bad) {
                bad = p->row, ok = false;
                find_difference(t, p);
            }
        }
        if (vectors)
            result(ok, "%s: %s against QEMU, %" PRIu64 " vectors", title(&plans->data[at]),
                   t->engine->name, vectors);
    }
}

static void make_plans(struct plan_vec *plans, unsigned scale)
{
    enum { SEQUENCES = 4000 };
    uint64_t seed = 1;
    for (unsigned row = 0; row < RV_ROW_COUNT; row++) {
        size_t before = plans->len;
        if (!is_tested(row))
            continue;
        plan_row(plans, row, scale, &seed);
        if (plans->len == before)
            result(false, "%s: a word that can be run", rv_row(row)->name);
    }
    for (unsigned n = 0; n < SEQUENCES * scale; n++)
        plan_sequence(plans, n % 4, &seed);
}

static void remove_files(const struct tester *t)
{
    static const char *const names[] = {"runner", "cc.txt", "in", "out"};
    char name[300];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(name, sizeof name, "%s/%s", t->dir, names[i]);
        remove(name);
    }
    rmdir(t->dir);
}

int main(int argc, char **argv)
{
    static struct tester t;
    struct plan_vec plans = {0};
    make_plans(&plans, argc > 1 ? (unsigned)atoi(argv[1]) : 1);
    world_init(&t.world);
    t.have_qemu = build_runner(&t);
    uint64_t *hashes = t.have_qemu ? qemu_hashes(&t, &plans) : NULL;
    for (size_t i = 0; engines[i]; i++) {
        t.engine = engines[i];
        t.self = t.engine->open(&t.world);
        test_ref(&t, &plans);
        if (hashes)
            test_qemu(&t, &plans, hashes);
        t.engine->close(t.self);
    }
    if (hashes)
        printf("# QEMU took %.1f s\n", t.qemu_s);
    else if (t.have_qemu)
        result(false, "the runner under QEMU");
    else if (tap_nothing_missing())
        result(false, "missing: qemu-riscv64 or riscv64-linux-gnu-gcc");
    else
        printf("ok %u - # SKIP against QEMU: needs qemu-riscv64 (Debian package qemu-user) and "
               "riscv64-linux-gnu-gcc (gcc-riscv64-linux-gnu)\n",
               ++test_number);
    printf("# %zu groups, %" PRIu64 " vectors in engines, %.1f s with the reference\n", plans.len,
           t.vectors, t.engine_s);
    printf("1..%u\n", test_number);
    if (t.dir[0])
        remove_files(&t);
    free(hashes);
    vec_fini(&plans);
    world_fini(&t.world);
    return all_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
