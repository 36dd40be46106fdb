/* random_riscv.c - random RISC-V programs by both engines, in M-, S- and U-mode, compared every
 * few instructions.  RANDOM_INSNS and RANDOM_SEED in the environment choose others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jit/jit.h"
#include "pair.h"
#include "tests/unit/accel/rvasm.h"

/* Physical places; also virtual ones where there is paging. */
#define HANDLER (RAM + 0x0000)
#define SAVE    (RAM + 0x0800)   /* what the handler keeps and needs */
#define CODE    (RAM + 0x1f02)   /* the program crosses a page, one instruction often too */
#define DATA    (RAM + 0x8000)   /* DATA_PAGES of it */
#define ALIAS   (RAM + 0x100000) /* virtual: the data pages once more */

enum {
    SLOTS = 256, /* instructions of a program, 4 bytes each */
    DATA_PAGES = 4,
    ROUND_MAX = 200,
    PROGRAM_INSNS = 4000, /* run of each program */
    CSR_MSCRATCH = 0x340,
    CSR_MTVEC = 0x305,
    CSR_MEPC = 0x341,
    CSR_MCAUSE = 0x342,
};

struct run {
    struct pair p;
    struct rvasm handler;
    uint64_t seed; /* advanced */
    unsigned priv;
    uint32_t code[SLOTS];
};

static uint64_t rnd(struct run *r)
{
    r->seed += UINT64_C(0x9e3779b97f4a7c15);
    return bits_mix(r->seed);
}

static unsigned below(struct run *r, unsigned n)
{
    return (unsigned)(rnd(r) % n);
}

static bool chance(struct run *r, unsigned percent)
{
    return below(r, 100) < percent;
}

/* ---- the handler ---- */

/* What lies at SAVE. */
enum {
    SAVE_T6 = 0,
    SAVE_T5 = 8,
    SAVE_START = 16,
    SAVE_MPP = 24,
    SAVE_SATP = 32,
    SAVE_POINTERS = 40
};

/* Reserved: where loads and stores of programs point. */
static const uint8_t pointers[] = {SP, S0, S1};

/* Skips the instruction that trapped.  Where none could be fetched, starts the program again, with
 * its privilege, satp and pointers. */
static void make_handler(struct rvasm *a)
{
    a->n = 0;
    rv_csr(a, RV_CSRW, T6, CSR_MSCRATCH, T6);
    rv_sd(a, T5, T6, SAVE_T5);
    rv_csr(a, RV_CSRS, T5, CSR_MCAUSE, ZERO);
    rv_addi(a, T5, T5, -RV_CAUSE_FETCH_ACCESS);
    unsigned access = rv_branch(a, RV_BEQ, T5, ZERO, 0);
    rv_addi(a, T5, T5, RV_CAUSE_FETCH_ACCESS - RV_CAUSE_FETCH_PAGE);
    unsigned page = rv_branch(a, RV_BEQ, T5, ZERO, 0);
    rv_csr(a, RV_CSRS, T5, CSR_MEPC, ZERO);
    rv_addi(a, T5, T5, -2);               /* slots lie at 2 modulo 4 */
    rv_word(a, rv_i(3, T5, 6, T5, 0x13)); /* ori */
    rv_addi(a, T5, T5, 3);
    unsigned out = rv_branch(a, RV_BEQ, ZERO, ZERO, 0);
    rv_to_here(a, access);
    rv_to_here(a, page);
    rv_li(a, T5, 0x1800);
    rv_csr(a, RV_CSRC, ZERO, CSR_MSTATUS, T5);
    rv_ld(a, T5, T6, SAVE_MPP);
    rv_csr(a, RV_CSRS, ZERO, CSR_MSTATUS, T5);
    rv_ld(a, T5, T6, SAVE_SATP);
    rv_csr(a, RV_CSRW, ZERO, CSR_SATP, T5);
    rv_word(a, 0x12000073); /* sfence.vma */
    for (unsigned i = 0; i < ARRAY_LEN(pointers); i++)
        rv_ld(a, pointers[i], T6, SAVE_POINTERS + 8 * (int)i);
    rv_ld(a, T5, T6, SAVE_START);
    rv_to_here(a, out);
    rv_csr(a, RV_CSRW, ZERO, CSR_MEPC, T5);
    rv_ld(a, T5, T6, SAVE_T5);
    rv_csr(a, RV_CSRW, T6, CSR_MSCRATCH, T6);
    rv_mret(a);
}

/* ---- programs ---- */

static bool is_reserved(unsigned reg)
{
    for (unsigned i = 0; i < ARRAY_LEN(pointers); i++) {
        if (pointers[i] == reg)
            return true;
    }
    return false;
}

static bool is_csr(unsigned op)
{
    return op >= RV_OP_CSRRW && op <= RV_OP_CSRRCI;
}

static bool is_branch(unsigned op)
{
    return (op >= RV_OP_BEQ && op <= RV_OP_BGEU) || op == RV_OP_JAL;
}

/* CSRs that a program may name in M-mode, where all others could break the handler; counters
 * tell whether each instruction is counted. */
static const uint16_t csrs[] = {1, 2, 3, 0xc00, 0xc01, 0xc02, 0xb00, 0xb02, 0x300, 0x140, 0x341};

/* Loads, stores, atomics and cache block operations: rs1 is an address. */
static bool wants_address(const struct rv_insn *in)
{
    unsigned opcode = in->raw & 0x7f;

    return (opcode & 0x5b) == 0x03 || opcode == 0x2f || (in->raw & 0x707f) == 0x200f;
}

static uint32_t jump_to(unsigned rd, int offset)
{
    uint32_t o = (uint32_t)offset;
    return (o >> 20 & 1) << 31 | (o >> 1 & 1023) << 21 | (o >> 11 & 1) << 20 |
           (o >> 12 & 255) << 12 | rd << 7 | 0x6f;
}

/* Changes an instruction at slot `at` so that the program makes sense; false: another one please.
 */
static bool adapt(struct run *r, struct rv_insn *in, unsigned at)
{
    int target = 4 * ((int)below(r, SLOTS) - (int)at);

    if (in->len == 4 && is_branch(in->op)) {
        in->raw = in->op == RV_OP_JAL ? jump_to(in->rd, target)
                                      : (in->raw & 0x01fff07f) | rv_branch_offset(target);
    } else if (in->len == 4 && wants_address(in) && !chance(r, 2)) {
        in->raw = (in->raw & ~(31u << 15)) | (uint32_t)pointers[below(r, 3)] << 15;
    } else if (is_csr(in->op) && (r->priv == RV_M || chance(r, 80))) {
        unsigned csr = csrs[below(r, ARRAY_LEN(csrs) - (r->priv == RV_M ? 3 : 0))];
        if (csr > 3) /* read it */
            in->raw = rv_i((int)csr, ZERO, 2, in->rd, 0x73);
        else
            in->raw = (in->raw & 0xfffff) | csr << 20;
    }
    rv_decode(in->raw, in);
    if (is_reserved(in->rd) && in->op != RV_OP_CSRRW)
        return false;
    if (in->op == RV_OP_MRET || in->op == RV_OP_WFI)
        return r->priv == RV_U;
    if (in->op == RV_OP_SRET || in->op == RV_OP_JALR)
        return chance(r, 10);
    if (in->len == 2 && is_branch(in->op)) {
        int64_t to = 4 * (int64_t)at + in->imm;
        return to >= 0 && to < 4 * SLOTS && !(to & 3);
    }
    return !(is_csr(in->op) && is_reserved(in->rd));
}

static uint32_t random_insn(struct run *r, unsigned at, unsigned len)
{
    struct rv_insn in;

    for (unsigned tries = 0; tries < 2000; tries++) {
        rv_decode(rv_random(below(r, RV_ROW_COUNT), &r->seed), &in);
        if (in.len == len && adapt(r, &in, at))
            return in.raw;
    }
    return len == 4 ? 0x13 : 1; /* nop */
}

/* A jump by register to a slot, in two. */
static void indirect(struct run *r, unsigned at)
{
    int offset = 4 * ((int)below(r, SLOTS) - (int)at);
    unsigned link = below(r, 2) ? RA : ZERO;

    r->code[at] = T0 << 7 | 0x17; /* auipc */
    r->code[at + 1] = rv_i(offset, T0, 0, link, 0x67);
}

static void make_program(struct run *r)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (chance(r, 4) && i + 1 < SLOTS) {
            indirect(r, i++);
        } else if (chance(r, 30)) { /* the second of two is never a jump: it could not be aimed */
            r->code[i] = random_insn(r, i, 2) | 1u << 16;
            uint32_t second = random_insn(r, i, 2);
            struct rv_insn in;
            rv_decode(second, &in);
            if (!is_branch(in.op))
                r->code[i] = (r->code[i] & 0xffff) | second << 16;
        } else {
            r->code[i] = random_insn(r, i, 4);
        }
    }
    r->code[SLOTS - 1] = jump_to(ZERO, -4 * (SLOTS - 1));
}

/* ---- state ---- */

/* All the same addresses, 4 KiB pages; the last data page is read-only and one is not yet dirty;
 * and the data again at ALIAS. */
static void make_pages(struct run *r, struct hart *t)
{
    uint64_t bits = r->priv == RV_U ? RWXAD | U : RWXAD;

    t->tables = RAM + 0x20000;
    csr_set(t, CSR_SATP, 0);
    if (r->priv == RV_M)
        return;
    hart_paging(t, 8);
    for (uint64_t a = RAM; a < RAM + 0x10000; a += MEM_PAGE_SIZE)
        hart_map(t, a, a, 0, bits);
    for (unsigned i = 0; i < DATA_PAGES; i++) {
        uint64_t without = i == 3 ? W : i == 1 ? D : 0;
        hart_map(t, DATA + i * MEM_PAGE_SIZE, DATA + i * MEM_PAGE_SIZE, 0, bits & ~without);
        hart_map(t, ALIAS + i * MEM_PAGE_SIZE, DATA + i * MEM_PAGE_SIZE, 0, bits);
    }
}

static void start_side(struct run *r, struct side *s, const uint64_t *aims)
{
    struct hart *t = &s->t;
    uint64_t keep[SAVE_POINTERS / 8 + 3] = {0}, seed = r->seed;

    make_pages(r, t);
    keep[SAVE_START / 8] = CODE;
    keep[SAVE_MPP / 8] = (uint64_t)r->priv << 11;
    keep[SAVE_SATP / 8] = t->h->satp;
    for (unsigned i = 1; i < 32; i++) {
        uint64_t v = bits_mix(seed + i);
        t->h->x[i] = v >> (v & 7) * 8;
        v = bits_mix(seed + 32 + i);
        t->h->f[i] = v & 1 ? v : v & 2 ? v | ~bits_mask(32) : bits_set(v, 52, 11, 1000 + (v & 63));
    }
    for (unsigned i = 0; i < ARRAY_LEN(pointers); i++)
        keep[SAVE_POINTERS / 8 + i] = t->h->x[pointers[i]] = aims[i];
    ck_assert_int_eq(mem_dma_write(t->mem, SAVE, keep, sizeof keep), 0);
    ck_assert_int_eq(mem_dma_write(t->mem, HANDLER, r->handler.code, r->handler.n * 4), 0);
    ck_assert_int_eq(mem_dma_write(t->mem, CODE, r->code, sizeof r->code), 0);
    csr_set(t, CSR_MTVEC, HANDLER);
    csr_set(t, CSR_MSCRATCH, SAVE);
    csr_set(t, CSR_MSTATUS, (uint64_t)(seed >> 9 & 3) << 13 | (seed & BIT(18))); /* FS, SUM */
    csr_set(t, CSR_MCOUNTEREN, 7);
    csr_set(t, 0x106, 7);                                             /* scounteren */
    csr_set(t, CSR_MENVCFG, r->priv == RV_S ? BIT(61) | 0xf0 : 0xf0); /* ADUE; cache blocks */
    csr_set(t, CSR_MIE, BIT(RV_IRQ_MTI));
    csr_set(t, CSR_MEDELEG, 0);
    hart_priv(t, r->priv);
    t->c->halted = 0;
    t->c->pc = CODE;
}

/* Where the pointers aim: into the data, sometimes (where nothing can break) at the code. */
static void choose_aims(struct run *r, uint64_t aims[3])
{
    bool harmless = r->priv == RV_U;

    aims[0] = DATA + 0x800 + 8 * below(r, 256);
    aims[1] = DATA + MEM_PAGE_SIZE * (1 + below(r, 3)) - below(r, 24);
    aims[2] = (r->priv == RV_M || chance(r, 50) ? DATA : ALIAS) + 0x2000 + below(r, 64);
    if (harmless && chance(r, 30))
        aims[below(r, 3)] = CODE + 4 * below(r, SLOTS);
}

/* ---- running ---- */

static void set_timer_line(struct run *r, bool level)
{
    PAIR_BOTH(&r->p, s, guest_riscv64.line(s->t.c, RV_IRQ_MTI, level));
}

/* Programs soon find a loop: out of it. */
static void go_elsewhere(struct run *r)
{
    uint64_t to = CODE + 4 * below(r, SLOTS), from = r->p.jit.t.c->pc;

    if (from - CODE < 4 * SLOTS)
        PAIR_BOTH(&r->p, s, s->t.c->pc = to);
}

static bool run_program(struct run *r)
{
    enum accel_stop stop;
    bool line = false;

    for (int64_t left = PROGRAM_INSNS; left > 0;) {
        int64_t n = 1 + below(r, chance(r, 20) ? 8 : ROUND_MAX);
        if (line || chance(r, 3))
            set_timer_line(r, line = !line);
        if (chance(r, 20))
            go_elsewhere(r);
        if (!pair_run(&r->p, n, &stop))
            return false;
        left -= n;
    }
    if (line)
        set_timer_line(r, false);
    if (same_memory(&r->p.jit, &r->p.interp, RAM, PAGES * MEM_PAGE_SIZE))
        return true;
    printf("# memory differs\n");
    return false;
}

static bool one_program(struct run *r)
{
    static const uint8_t privs[] = {RV_M, RV_S, RV_U, RV_U};
    uint64_t aims[3];

    r->priv = privs[below(r, 4)];
    make_program(r);
    choose_aims(r, aims);
    PAIR_BOTH(&r->p, s, start_side(r, s, aims));
    return run_program(r);
}

/* Runs programs; each tells its seed if it fails. */
static bool run_all(uint64_t insns, uint64_t seed, size_t code_size)
{
    struct run r;
    uint64_t first;
    bool ok = true;

    pair_init(&r.p, code_size, seed & 1 ? 0 : 5);
    make_handler(&r.handler);
    for (unsigned i = 0; ok && r.p.ran < insns; i++) {
        first = r.seed = bits_mix(bits_mix(seed) + i);
        ok = one_program(&r);
        if (!ok)
            printf("# seed %" PRIu64 ", program %u (%#" PRIx64 "), privilege %u\n", seed, i, first,
                   r.priv);
    }
    printf("# seed %" PRIu64 ": %" PRIu64 " instructions; blocks %" PRIu64 ", linked %" PRIu64
           ", killed %" PRIu64 ", evicted %" PRIu64 ", precise %" PRIu64 "; traps %" PRIu64
           ", interrupts %" PRIu64 "\n",
           seed, r.p.ran, pair_counter(&r.p, "jit.translated"), pair_counter(&r.p, "jit.linked"),
           pair_counter(&r.p, "jit.killed"), pair_counter(&r.p, "jit.evicted"),
           pair_counter(&r.p, "jit.precise"), r.p.jit.t.c->count.traps,
           r.p.jit.t.c->count.interrupts);
    pair_fini(&r.p);
    return ok;
}

START_TEST(programs)
{
    ck_assert(run_all(tap_number("RANDOM_INSNS", 700000), tap_number("RANDOM_SEED", 42), 0));
}
END_TEST

START_TEST(programs_in_little_code_memory)
{
    ck_assert(
        run_all(tap_number("RANDOM_INSNS", 300000), tap_number("RANDOM_SEED", 42) + 1, JIT_CODE_MIN));
}
END_TEST

UNIT_MAIN("jit/random_riscv", programs, programs_in_little_code_memory)
