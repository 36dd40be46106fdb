/*
 * decode.c - any bytes as RISC-V code: the decoder's tables agree with each other, and what is
 * lifted passes the verifier, before and after the passes.
 */
#include "guest/riscv64/riscv64.h"
#include "tests/fuzz/fuzz.h"

#define RAM UINT64_C(0x80000000)

static struct cpu *cpu;
static struct arena arena;

static void make_cpu(void)
{
    struct mem *m = mem_new();
    struct cpu_config config = {
        .guest = &guest_riscv64, .count = 1, .mem = m, .tlb = {16, 0, 1, TLB_LRU}};

    mem_add_ram(m, "ram", RAM, MEM_PAGE_SIZE, NULL);
    cpu = cpu_new(&config, NULL);
    FUZZ_CHECK(cpu, "no CPU");
    arena_init(&arena);
}

/* One instruction, as people see it. */
static void check_insn(uint32_t raw, uint64_t pc)
{
    struct buf text = BUF_INIT;
    struct rv_insn in;
    bool known = rv_decode(raw, &in);
    const struct rv_row_info *row = rv_row(in.row);

    FUZZ_CHECK(in.len == ((raw & 3) == 3 ? 4 : 2), "0x%08x: %u bytes", raw, in.len);
    FUZZ_CHECK(known == (in.op != RV_OP_ILLEGAL), "0x%08x", raw);
    if (known) {
        FUZZ_CHECK((raw & row->mask) == row->match && row->op == in.op && row->len == in.len,
                   "0x%08x is no %s", raw, row->name);
        FUZZ_CHECK(in.rd < 32 && in.rs1 < 32 && in.rs2 < 32 && in.rs3 < 32 && in.rm < 8, "0x%08x",
                   raw);
    }
    rv_format(&in, pc, &text);
    rv_explain(&in, &text);
    guest_riscv64.disassemble(pc, (const uint8_t *)&raw, sizeof raw, &text);
    buf_fini(&text);
}

static void check_valid(const struct ir_unit *u, const char *what)
{
    struct buf text = BUF_INIT;
    struct err e = {0};

    ir_print(u, &text);
    FUZZ_CHECK(!ir_verify(u, &e), "%s: %s\n%s", what, e.msg, text.data);
    buf_fini(&text);
}

static void check_passes(const struct ir_unit *u, const struct ir_pass *passes)
{
    struct ir_unit v;

    ir_unit_copy(&v, &arena, u);
    for (const struct ir_pass *p = passes; p->name; p++) {
        p->run(&v);
        check_valid(&v, p->name);
    }
}

/* Any bytes, or instructions that there are. */
static size_t make_code(struct fuzz_in *in, bool known, uint8_t *code, size_t max)
{
    size_t len = 0;

    if (!known)
        return fuzz_bytes(in, code, max) & ~(size_t)1;
    while (fuzz_left(in) && len + 4 <= max) {
        unsigned row = (unsigned)(fuzz_int(in, 2) % RV_ROW_COUNT);
        uint64_t seed = fuzz_int(in, 1);

        bits_store_le(code + len, 4, rv_random(row, &seed));
        len += rv_row(row)->len;
    }
    return len;
}

/* The code as an engine would translate it, in some state of the CPU. */
static void check_unit(struct fuzz_in *in)
{
    struct rv_cpu *h = rv_of(cpu);
    static const uint8_t privs[] = {RV_U, RV_S, RV_M, RV_M};
    uint64_t how = fuzz_int(in, 2);
    uint8_t code[1024], next[4] = {0x13, 0, 0, 0};
    uint32_t bytes = 0, len = (uint32_t)make_code(in, how >> 15, code, sizeof code);
    struct guest_fetch fetch = {.pc = RAM + MEM_PAGE_SIZE - len,
                                .len = len,
                                .host = code,
                                .max_insns = 1 + (uint32_t)(how >> 8 & 63)};
    struct ir_unit u;

    if (!len)
        return;
    fetch.next = how & 1 ? next : NULL;
    h->priv = privs[how >> 1 & 3];
    h->mstatus = bits_set(h->mstatus, 13, 2, how >> 3 & 3); /* FS */
    h->frm = (uint8_t)(how >> 5 & 7);
    rv_update_context(h);
    ir_unit_init(&u, &arena, &guest_riscv64.names);
    if (guest_riscv64.translate(cpu, &u, &fetch, &bytes) != GUEST_UNIT)
        return;
    FUZZ_CHECK(bytes && bytes <= len + 2 && u.guest_insns, "%u bytes of %u", bytes, len);
    check_valid(&u, "lifted");
    check_passes(&u, ir_tier1_passes);
    check_passes(&u, ir_exact_passes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_in in = {data, data + len};

    if (!cpu)
        make_cpu();
    arena_reset(&arena);
    check_unit(&in);
    for (in.at = data; fuzz_left(&in);)
        check_insn((uint32_t)fuzz_int(&in, 4), RAM);
    return 0;
}
