/*
 * lift.c - units: where they end, what they trap on, and that any is well formed.
 *
 * The cases are rows of lift.txt, which says how they are written.  Values of
 * instructions are diff.c's business.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/buf.h"
#include "base/mem_alloc.h"
#include "guest/riscv64/priv.h"
#include "tests/guest/riscv64/engine.h"
#include "tests/unit/unit.h"
#include "tests/unit/cpu/stops.h"

enum { MTVEC = 0x1000 }; /* where traps go */

/* ---- a row of lift.txt ---- */

/* What holds of the machine at one moment. */
struct moment {
    uint64_t *regs; /* by row of the guest's table */
    uint64_t mem[VEC_WORDS];
    const char *exit;
    uint64_t bytes, insns, cause, address;
};

struct row {
    const char *where; /* file and line */
    struct world world;
    struct guest_fetch fetch;
    struct cpu_debug stops;
    uint64_t stop;
    uint8_t code[64];
    uint8_t next_page[4];
    uint32_t code_len;
    bool trapped;
    struct moment want;
};

static uint64_t number(const struct row *r, const char *text)
{
    char *end;
    int64_t base = 0;
    if (*text == 'w') {
        base = (int64_t)VEC_MEMORY;
        text++;
    } else if (*text == '+' || *text == '-') {
        base = (int64_t)VEC_SLOT;
    }
    uint64_t v = *text ? strtoull(text, &end, 0) + (uint64_t)base : (uint64_t)base;
    ck_assert_msg(!*text || !*end, "%s: %s is not a number", r->where, text);
    return v;
}

static int reg_row(const struct row *r, const char *name)
{
    int row = guest_find_reg(&guest_riscv64, name);
    ck_assert_msg(row >= 0, "%s: there is no %s", r->where, name);
    return row;
}

/* Words of 4 or 8 hexadecimal digits. */
static void parse_code(struct row *r, char *text)
{
    char *rest;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        uint32_t len = (uint32_t)strlen(word) / 2, v = (uint32_t)strtoul(word, NULL, 16);
        ck_assert_msg(len == 2 || len == 4, "%s: %s is no word", r->where, word);
        memcpy(r->code + r->code_len, &v, len);
        r->code_len += len;
    }
}

static void remove_extension(struct row *r, const char *name)
{
    static const char *const names[] = {
#define RV_X(id, text) text,
        RV_EXTENSIONS(RV_X)
#undef RV_X
    };
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (!strcmp(names[i], name)) {
            rv_of(r->world.cpu)->ext &= ~(UINT32_C(1) << i);
            return;
        }
    }
    ck_abort_msg("%s: there is no extension %s", r->where, name);
}

/* key=value in the column of what is before. */
static void set_up(struct row *r, const char *key, const char *value)
{
    struct cpu *c = r->world.cpu;
    struct rv_cpu *h = rv_of(c);
    if (!strcmp(key, "without")) {
        remove_extension(r, value);
    } else if (!strcmp(key, "max")) {
        r->fetch.max_insns = (uint32_t)number(r, value);
    } else if (!strcmp(key, "page")) { /* ends so many bytes behind the first instruction */
        r->fetch.len = (uint32_t)number(r, value);
        memcpy(r->next_page, r->code + r->fetch.len, 4);
    } else if (!strcmp(key, "next")) { /* whether the page behind is known */
        r->fetch.next = number(r, value) ? r->next_page : NULL;
    } else if (!strcmp(key, "stop")) {
        r->stop = number(r, value);
        r->stops = stops_at(&r->stop, 1);
        c->debug = &r->stops;
    } else if (!strcmp(key, "pass")) {
        r->fetch.pass_stop = number(r, value);
    } else if (!strcmp(key, "fs")) {
        h->mstatus = bits_set(h->mstatus, RV_FS_LO, 2, number(r, value));
    } else if (key[0] == 'm' && key[1] >= '0' && key[1] <= '7' && !key[2]) {
        r->world.window[key[1] - '0'] = number(r, value);
    } else {
        int row = reg_row(r, key);
        ck_assert_msg(guest_riscv64.reg_write(c, (uint32_t)row, number(r, value)),
                      "%s: %s cannot be set", r->where, key);
    }
    rv_update_context(h);
}

static void want_fs(struct row *r, uint64_t fs)
{
    static const char *const names[] = {"mstatus", "sstatus"};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t *v = &r->want.regs[reg_row(r, names[i])];
        *v = bits_set(*v, RV_FS_LO, 2, fs);
        *v = bits_set(*v, 63, 1, fs == RV_FS_DIRTY);
    }
}

/* A trap into M-mode. */
static void want_trap(struct row *r, const char *value)
{
    char *tval = strchr(value, ':');
    ck_assert_msg(tval, "%s: trap=CAUSE:TVAL", r->where);
    *tval = 0;
    r->trapped = true;
    r->want.exit = "loop";
    r->want.regs[reg_row(r, "mcause")] = number(r, value);
    r->want.regs[reg_row(r, "mtval")] = number(r, tval + 1);
    r->want.regs[reg_row(r, "mepc")] = VEC_SLOT;
    r->want.regs[RV_SLOT_PC] = MTVEC;
    r->want.regs[reg_row(r, "priv")] = RV_M;
}

/* key=value in the column of what is afterwards. */
static void expect(struct row *r, const char *key, char *value)
{
    if (!strcmp(key, "exit")) {
        r->want.exit = value;
    } else if (!strcmp(key, "bytes")) {
        r->want.bytes = number(r, value);
    } else if (!strcmp(key, "insns")) {
        r->want.insns = number(r, value);
    } else if (!strcmp(key, "trap")) {
        want_trap(r, value);
    } else if (!strcmp(key, "fault")) {
        r->want.exit = "fault";
        r->want.cause = number(r, value);
        r->want.regs[RV_SLOT_PC] = VEC_SLOT;
    } else if (!strcmp(key, "address")) {
        r->want.address = number(r, value);
    } else if (!strcmp(key, "fs")) {
        want_fs(r, number(r, value));
    } else if (key[0] == 'm' && key[1] >= '0' && key[1] <= '7' && !key[2]) {
        r->want.mem[key[1] - '0'] = number(r, value);
    } else {
        r->want.regs[reg_row(r, key)] = number(r, value);
    }
}

static void each_pair(struct row *r, char *text, bool after)
{
    char *rest;
    for (char *pair = strtok_r(text, " ", &rest); pair; pair = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(pair, '=');
        ck_assert_msg(value, "%s: %s is not KEY=VALUE", r->where, pair);
        *value++ = 0;
        if (after)
            expect(r, pair, value);
        else
            set_up(r, pair, value);
    }
}

/* The text is there for people: it must be what the words mean. */
static void check_text(struct row *r, const char *text)
{
    struct buf out = BUF_INIT;
    for (uint32_t at = 0; at < r->code_len;) {
        struct rv_insn in;
        uint32_t raw = 0;
        memcpy(&raw, r->code + at, r->code_len - at < 4 ? 2 : 4);
        buf_str(&out, at ? "; " : "");
        if (rv_decode(raw, &in))
            rv_format(&in, VEC_SLOT + at, &out);
        else
            buf_str(&out, "illegal");
        at += in.len;
    }
    ck_assert_msg(!strcmp(out.data, text), "%s: the words are \"%s\"", r->where, out.data);
    buf_fini(&out);
}

/* ---- running it ---- */

static void read_regs(struct cpu *c, uint64_t *regs)
{
    for (uint32_t i = 0; i < guest_riscv64.nregs; i++)
        regs[i] = guest_riscv64.reg_read(c, i);
}

/* Registers that move by themselves; mstatus in a trap is trap.c's business. */
static bool is_compared(const struct row *r, uint32_t row)
{
    const char *name = guest_riscv64.regs[row].name;
    if (strstr(name, "cycle") || strstr(name, "instret") || strstr(name, "time"))
        return false;
    return !r->trapped || !strstr(name, "status");
}

static void compare(const struct row *r, const char *engine)
{
    for (uint32_t i = 0; i < guest_riscv64.nregs; i++) {
        uint64_t got = guest_riscv64.reg_read(r->world.cpu, i);
        ck_assert_msg(got == r->want.regs[i] || !is_compared(r, i),
                      "%s: %s: %s is %#" PRIx64 ", should be %#" PRIx64, r->where, engine,
                      guest_riscv64.regs[i].name, got, r->want.regs[i]);
    }
    for (unsigned i = 0; i < VEC_WORDS; i++)
        ck_assert_msg(r->world.window[i] == r->want.mem[i],
                      "%s: %s: m%u is %#" PRIx64 ", should be %#" PRIx64, r->where, engine, i,
                      r->world.window[i], r->want.mem[i]);
}

static const char *const exit_names[] = {
    [IR_EXIT_GOTO] = "goto",   [IR_EXIT_LOOP] = "loop",     [IR_EXIT_STOP] = "stop",
    [IR_EXIT_FAULT] = "fault", [IR_EXIT_BUDGET] = "budget",
};

static const char *run(struct row *r, const struct engine *e, const struct ir_unit *u)
{
    struct cpu *c = r->world.cpu;
    void *self = e->open(&r->world);
    e->load(self, u);
    c->budget = 1000;
    c->count_end = 1000;
    const char *name = exit_names[e->run(self)];
    e->close(self);
    return name;
}

/* Translates: false if another page is wanted. */
static bool translate(struct row *r, struct ir_unit *u, uint32_t *bytes)
{
    struct err e = {0};
    ir_unit_init(u, &r->world.arena, &guest_riscv64.names);
    if (guest_riscv64.translate(r->world.cpu, u, &r->fetch, bytes) == GUEST_NEEDS_NEXT)
        return false;
    ck_assert_msg(!ir_verify(u, &e), "%s: %s", r->where, e.msg);
    return true;
}

static void run_row(struct row *r, const struct engine *e)
{
    struct ir_unit u;
    uint32_t bytes;
    if (!translate(r, &u, &bytes)) {
        ck_assert_msg(!strcmp(r->want.exit, "next"), "%s: wants the next page", r->where);
        return;
    }
    const char *exit = run(r, e, &u);
    ck_assert_msg(!strcmp(exit, r->want.exit), "%s: %s: left by %s", r->where, e->name, exit);
    ck_assert_msg(bytes == r->want.bytes, "%s: %u bytes", r->where, bytes);
    ck_assert_msg(u.guest_insns == r->want.insns, "%s: %u instructions", r->where, u.guest_insns);
    compare(r, e->name);
    if (!strcmp(exit, "fault")) {
        const struct cpu *c = r->world.cpu;
        ck_assert_int_eq(c->access, CPU_FAULT);
        ck_assert_msg(c->fault.cause == r->want.cause && c->fault.addr == r->want.address,
                      "%s: %s: fault %" PRIu64 " at %#" PRIx64, r->where, e->name, c->fault.cause,
                      c->fault.addr);
    }
}

/* How many instructions the row's words are. */
static uint32_t count_words(const struct row *r)
{
    uint32_t n = 0;
    for (uint32_t at = 0; at < r->code_len; n++)
        at += (r->code[at] & 3) == 3 ? 4 : 2;
    return n;
}

/* columns: code, before, after, text. */
static void do_row(const char *where, char *columns[4], const struct engine *e)
{
    struct row r = {.where = where};
    struct moment *w = &r.want;
    world_init(&r.world);
    w->regs = xcalloc(guest_riscv64.nregs, sizeof *w->regs);
    parse_code(&r, columns[0]);
    mem_poke(r.world.mem, VEC_SLOT, r.code, r.code_len); /* a trap may ask for the bits */
    check_text(&r, columns[3]);
    r.fetch =
        (struct guest_fetch){.pc = VEC_SLOT, .host = r.code, .len = r.code_len, .max_insns = 64};
    r.world.cpu->pc = VEC_SLOT;
    rv_of(r.world.cpu)->mtvec = MTVEC;
    each_pair(&r, columns[1], false);

    read_regs(r.world.cpu, w->regs);
    memcpy(w->mem, r.world.window, sizeof w->mem);
    w->exit = "goto";
    w->bytes = r.code_len;
    w->insns = count_words(&r);
    w->regs[RV_SLOT_PC] = VEC_SLOT + r.code_len;
    each_pair(&r, columns[2], true);
    run_row(&r, e);
    free(w->regs);
    world_fini(&r.world);
}

static char *trim(char *s)
{
    while (*s == ' ')
        s++;
    size_t n = strlen(s);
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\n'))
        s[--n] = 0;
    return s;
}

static void do_line(const char *where, const char *line, const struct engine *e)
{
    char *copy = xstrdup(line), *columns[4], *rest = copy;
    for (unsigned i = 0; i < 4; i++) {
        char *column = strsep(&rest, "|");
        ck_assert_msg(column, "%s: a row has four columns", where);
        columns[i] = trim(column);
    }
    do_row(where, columns, e);
    free(copy);
}

START_TEST(rows)
{
    char name[4096], where[64], line[1024];
    const char *top = getenv("top_srcdir");
    unsigned n = 0, at = 0;
    snprintf(name, sizeof name, "%s/tests/guest/riscv64/lift.txt", top ? top : ".");
    FILE *f = fopen(name, "r");
    ck_assert_msg(f, "%s: cannot be read", name);
    while (fgets(line, sizeof line, f)) {
        snprintf(where, sizeof where, "lift.txt:%u", ++at);
        if (line[0] == '#' || line[0] == '\n')
            continue;
        for (size_t i = 0; engines[i]; i++)
            do_line(where, line, engines[i]);
        n++;
    }
    fclose(f);
    ck_assert_uint_gt(n, 60);
}
END_TEST

/* ---- any unit is well formed ---- */

/* All that a context may say. */
static void set_context(struct rv_cpu *h, unsigned n)
{
    static const uint8_t privs[] = {RV_U, RV_S, RV_M};
    h->mstatus &= ~(RV_MSTATUS_FS | RV_MSTATUS_MPRV | RV_MSTATUS_SUM | RV_MSTATUS_MPP);
    h->mstatus |= (uint64_t)(n & 3) << RV_FS_LO | (n & 4 ? RV_MSTATUS_MPRV : 0);
    h->mstatus |= n & 8 ? RV_MSTATUS_SUM | BIT(RV_MPP_LO) : 0;
    h->frm = n >> 4 & 7;
    h->priv = privs[(n >> 7) % 3];
    rv_update_context(h);
}
enum { CONTEXTS = 128 * 3 };

/* The verifier's rules, accesses in the context's mode, a context's FP switched off. */
static void check_unit(struct world *w, unsigned row)
{
    struct err e = {0};
    struct ir_unit *u = &w->unit;
    struct buf text = BUF_INIT;
    if (ir_verify(u, &e)) {
        ir_print(u, &text);
        ck_abort_msg("%s, context %#x: %s\n%s", rv_row(row)->name, w->cpu->context, e.msg,
                     text.data);
    }
    for (uint32_t i = 0; i < u->ninsns; i++) {
        const struct ir_insn *in = &u->insns[i];
        bool access = in->op == IR_load || in->op == IR_store;
        ck_assert(!access || IR_MO_MODE(in->aux) == rv_data_mode(rv_of(w->cpu)));
        bool fp = in->op >= IR_fadd && in->op <= IR_fround;
        ck_assert(!fp || w->cpu->context & RV_CTX_FS);
    }
    ir_run_passes(u, ir_tier1_passes);
    ck_assert_msg(!ir_verify(u, &e), "%s, after the passes: %s", rv_row(row)->name, e.msg);
    buf_fini(&text);
}

START_TEST(every_row_in_every_context)
{
    struct world w;
    uint64_t seed = 1;
    world_init(&w);
    for (unsigned row = 1; row < RV_ROW_COUNT; row++)
        for (unsigned n = 0; n < CONTEXTS; n++) {
            uint32_t raw = rv_random(row, &seed);
            set_context(rv_of(w.cpu), n);
            world_translate(&w, &raw, rv_row(row)->len, VEC_SLOT, 1);
            ck_assert_uint_eq(w.unit.guest_insns, 1);
            check_unit(&w, row);
        }
    world_fini(&w);
}
END_TEST

enum { PAGE = 512 };

/* Fills a page with anything; returns the bytes filled and the last row. */
static uint32_t random_page(uint8_t page[PAGE], uint64_t *seed, uint32_t *row)
{
    uint32_t len = 0;
    while (len + 4 <= PAGE) {
        *seed = bits_mix(*seed + 1);
        *row = 1 + (uint32_t)(*seed >> 20) % (RV_ROW_COUNT - 1);
        uint32_t raw = rv_random(*row, seed);
        memcpy(page + len, &raw, 4);
        len += rv_row(*row)->len;
    }
    return len;
}

START_TEST(random_pages)
{
    struct world w;
    uint64_t seed = 2;
    uint32_t lengths[65] = {0};
    world_init(&w);
    for (unsigned n = 0; n < 3000; n++) {
        uint8_t page[PAGE];
        uint32_t row, len = random_page(page, &seed, &row);
        set_context(rv_of(w.cpu), n % CONTEXTS);
        world_translate(&w, page, len, VEC_SLOT, 1000);
        lengths[w.unit.guest_insns]++;
        check_unit(&w, row);
    }
    ck_assert_uint_gt(lengths[1] + lengths[2], 100);
    world_fini(&w);
}
END_TEST

/* What the passes make of a page, folded as it is made or not. */
static char *optimised(struct world *w, const uint8_t *page, uint32_t len, struct ir_fold *fold)
{
    struct buf text = BUF_INIT;
    struct err e = {0};
    w->fold = fold;
    world_translate(w, page, len, VEC_SLOT, 1000);
    ck_assert_msg(!ir_verify(&w->unit, &e), "%s", e.msg);
    ir_run_passes(&w->unit, ir_tier1_passes);
    ir_print(&w->unit, &text);
    return buf_take(&text);
}

START_TEST(folded_or_not)
{
    struct ir_fold *fold = ir_fold_new(&guest_riscv64.names);
    struct world w;
    uint64_t seed = 3;
    world_init(&w);
    for (unsigned n = 0; n < 3000; n++) {
        uint8_t page[PAGE];
        uint32_t row, len = random_page(page, &seed, &row);
        set_context(rv_of(w.cpu), n % CONTEXTS);
        char *want = optimised(&w, page, len, NULL), *got = optimised(&w, page, len, fold);
        ck_assert_str_eq(got, want);
        free(want);
        free(got);
    }
    world_fini(&w);
    ir_fold_free(fold);
}
END_TEST

/* Any words at all, most of which are no instruction. */
START_TEST(random_words)
{
    struct world w;
    world_init(&w);
    for (uint64_t n = 0; n < 300000; n++) {
        uint32_t raw = (uint32_t)bits_mix(n);
        set_context(rv_of(w.cpu), (unsigned)(n % CONTEXTS));
        world_translate(&w, &raw, 4, VEC_SLOT, 2);
        check_unit(&w, RV_ROW_ILLEGAL);
    }
    world_fini(&w);
}
END_TEST

/* A unit has at most 64 instructions, and no more than were asked for. */
START_TEST(longest_unit)
{
    struct world w;
    uint16_t nops[200];
    world_init(&w);
    for (unsigned i = 0; i < 200; i++)
        nops[i] = 1;
    static const uint32_t max[][2] = {{1, 1}, {7, 7}, {64, 64}, {65, 64}, {100000, 64}};
    for (unsigned i = 0; i < ARRAY_LEN(max); i++) {
        world_translate(&w, nops, sizeof nops, VEC_SLOT, max[i][0]);
        ck_assert_uint_eq(w.unit.guest_insns, max[i][1]);
        const struct ir_insn *last = &w.unit.insns[w.unit.ninsns - 1];
        ck_assert_int_eq(last->op, IR_exit_pc);
        ck_assert_uint_eq(last->imm, VEC_SLOT + 2 * max[i][1]);
    }
    world_fini(&w);
}
END_TEST

UNIT_MAIN("riscv64/lift", rows, every_row_in_every_context, random_pages, folded_or_not,
          random_words, longest_unit)
