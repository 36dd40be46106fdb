/*
 * machine.c - whole machines of one to three harts, the same one by the interpreter and by the
 * JIT: a program that the input chooses, in M-mode or above the built-in firmware.
 *
 * The program is made of instructions as they come and of short sequences that lead
 * somewhere: to devices, page tables, interrupt files, flash, firmware, the debugger's host.  Traps
 * skip what trapped.  Every few hundred instructions both have the same state, and now and then
 * they are given another one that somebody made up.
 */
#include "machine/machine.h"
#include "guest/riscv64/riscv64.h"
#include "machine/point.h"
#include "tests/fuzz/damage.h"
#include "tests/unit/accel/rvasm.h"

enum { BODY = 400, CHUNKS = 8, CHUNK_MAX = 800 };
enum {
    CSR_SSTATUS = 0x100,
    CSR_SIE = 0x104,
    CSR_STVEC = 0x105,
    CSR_SEPC = 0x141,
    CSR_SCAUSE = 0x142,
    CSR_SIP = 0x144,
    CSR_SATP = 0x180,
    CSR_SISELECT = 0x150,
    CSR_SIREG = 0x151,
    CSR_STOPEI = 0x15c,
    CSR_MIE = 0x304,
    CSR_MIP = 0x344,
    CSR_MISELECT = 0x350,
    CSR_MIREG = 0x351,
    CSR_MTOPEI = 0x35c,
    CSR_MSTATUS = 0x300,
    CSR_MTVEC = 0x305,
    CSR_MEPC = 0x341,
    CSR_MCAUSE = 0x342,
    CSR_PMPCFG0 = 0x3a0,
    CSR_PMPADDR0 = 0x3b0,
};
enum { MRET = 0x30200073, SRET = 0x10200073 };

#define RAM      UINT64_C(0x80000000)
#define RAM_SIZE (UINT64_C(8) << 20)
#define TABLE    0x10000u /* offset of what page tables may be: three pages */
#define REQUEST  0x18000u /* of a transfer's description */
#define FW_CFG   0x10100000u
#define FLASH    0x20000000u
#define IMSIC    0x24000000u
#define IMSIC_S  0x28000000u
#define ECAM     0x30000000u
#define PCI_MEM  0x40000000u

/* ---- programs ---- */

static uint32_t place(struct fuzz_in *in)
{
    /* clang-format off */
    static const uint32_t places[] = {
        RAM, RAM + TABLE, RAM + RAM_SIZE - 8, RAM + 0x800, 0x02000000, 0x02004000, 0x0200bff8,
        0x0c000000, 0x0c002000, 0x0c200000, 0x10000000, 0x10001000, 0x10008000, 0x00101000,
        0x00100000, 0x1000, RAM + 0x400000, 0x0c001c00, 0x0c003000, 0x0c004000, 0x0d000000,
        0x0d004000, IMSIC, IMSIC_S, FW_CFG, FLASH, FLASH + 0x2000000, ECAM, ECAM + 0x8000,
        ECAM + 0x8040, PCI_MEM, PCI_MEM + 0x4000, 0x03000000,
    };
    /* clang-format on */
    uint64_t at = places[fuzz_below(in, ARRAY_LEN(places))];

    at += fuzz_int(in, 1) * 4;
    return (uint32_t)(fuzz_rarely(in, 8) ? at + fuzz_int(in, 2) : at);
}

/* Any word into a register; it is not sign-extended. */
static void set_word(struct rvasm *a, unsigned rd, uint32_t value)
{
    rv_li(a, rd, value);
    rv_slli(a, rd, rd, 32);
    rv_srli(a, rd, rd, 32);
}

static unsigned any_reg(struct fuzz_in *in)
{
    return (unsigned)fuzz_below(in, 32);
}

/* An instruction, unless it is a jump to somewhere: the sequences below know where to, and how to
 * wait. */
static void put_insn(struct rvasm *a, uint32_t raw)
{
    struct rv_insn in;

    rv_decode(raw, &in);
    if (in.op == RV_OP_JAL || in.op == RV_OP_JALR || (in.op >= RV_OP_BEQ && in.op <= RV_OP_BGEU) ||
        in.op == RV_OP_MRET || in.op == RV_OP_SRET || in.op == RV_OP_WFI)
        return;
    rv_word(a, in.len == 2 ? (raw & 0xffff) | 0x00010000 : raw); /* c.nop */
}

static void put_raw(struct fuzz_in *in, struct rvasm *a)
{
    put_insn(a, (uint32_t)fuzz_int(in, 4));
}

static void put_random(struct fuzz_in *in, struct rvasm *a)
{
    unsigned row = (unsigned)(fuzz_int(in, 2) % RV_ROW_COUNT);
    uint64_t seed = fuzz_int(in, 1);

    put_insn(a, rv_random(row, &seed));
}

/* A load, a store or an atomic. */
static void put_access(struct fuzz_in *in, struct rvasm *a)
{
    unsigned how = (unsigned)fuzz_int(in, 1), size = how & 3, rd = any_reg(in);

    set_word(a, T0, place(in));
    if (how & 4)
        rv_word(a, rv_i(0, T0, size, rd, 0x03));
    else if (how & 8)
        rv_word(a, rv_s(0, rd, T0, size));
    else
        rv_word(a, rv_r((how >> 4) << 3, rd, T0, 2 + (size & 1), A3, 0x2f));
}

static void put_device_write(struct fuzz_in *in, struct rvasm *a)
{
    set_word(a, T0, place(in));
    set_word(a, T1, (uint32_t)fuzz_value(in));
    rv_sw(a, T1, T0, 0);
}

static void store_word(struct rvasm *a, uint32_t addr, uint32_t value)
{
    set_word(a, T0, addr);
    set_word(a, T1, value);
    rv_sw(a, T1, T0, 0);
}

static void put_value(struct fuzz_in *in, struct rvasm *a)
{
    unsigned rd = any_reg(in);

    rv_li(a, rd, (uint32_t)fuzz_value(in));
}

static void put_csr(struct fuzz_in *in, struct rvasm *a)
{
    static const uint16_t csrs[] = {
        0x300, 0x302, 0x303, 0x304, 0x344, 0x100, 0x104, 0x144, 0x14d, 0x180, 0x30a, 0x3a0, 0x3b0,
        0x320, 0x323, 0xb00, 0xb02, 0xb03, 0xc00, 0xc01, 0x003, 0x341, 0x141, 0x747, 0xda0, 0x106,
        0x306, 0x001, 0x002, 0xf14, 0x301, 0xfb0, 0xdb0, 0x308, 0x309, 0x10a, 0x30c, 0x34a, 0x34b};
    unsigned i = (unsigned)fuzz_below(in, 48);
    unsigned csr = i < ARRAY_LEN(csrs) ? csrs[i] : (unsigned)fuzz_int(in, 2) & 0xfff;
    unsigned op = (unsigned)fuzz_below(in, 8), rd = any_reg(in), rs1 = any_reg(in);

    rv_csr(a, op & 3 ? op : op + 1, rd, csr, rs1);
}

static void put_ecall(struct fuzz_in *in, struct rvasm *a)
{
    static const uint32_t extensions[] = {0x10,       0x54494d45, 0x735049,   0x52464e43, 0x48534d,
                                          0x53525354, 0x504d55,   0x4442434e, 0,          1,
                                          2,          3,          8};

    rv_li(a, A7, extensions[fuzz_below(in, ARRAY_LEN(extensions))]);
    rv_li(a, A6, (uint32_t)fuzz_below(in, fuzz_rarely(in, 4) ? 16 : 3));
    for (unsigned reg = A0; reg <= A4; reg++)
        if (fuzz_below(in, 2))
            set_word(a, reg, fuzz_below(in, 2) ? place(in) : (uint32_t)fuzz_value(in));
    rv_ecall(a);
}

static void sbi_call(struct rvasm *a, uint32_t extension, uint32_t function, const uint32_t args[4])
{
    rv_li(a, A7, extension);
    rv_li(a, A6, function);
    for (unsigned i = 0; i < 4; i++)
        set_word(a, A0 + i, args[i]);
    rv_ecall(a);
}

/* Counters are matched with events, started near their end, stopped. */
static void put_pmu(struct fuzz_in *in, struct rvasm *a)
{
    uint32_t base = (uint32_t)fuzz_below(in, 8), mask = (uint32_t)fuzz_int(in, 1) & 0x1f;
    uint32_t function = (uint32_t)fuzz_below(in, 8), flags = (uint32_t)fuzz_int(in, 1);
    uint32_t args[] = {base, mask ? mask : 1, flags & 0x7f, 1 + (flags >> 7)};

    if (function > 2) {
        args[2] = flags & 3;
        args[3] = -(flags >> 2);
    }
    sbi_call(a, 0x504d55, function, args);
    rv_csr(a, RV_CSRS, any_reg(in), 0xc00 + base, ZERO);
}

/* Another hart is started, itself stopped seldom. */
static void put_hsm(struct fuzz_in *in, struct rvasm *a)
{
    static const uint8_t functions[] = {0, 0, 2, 3};
    uint32_t how = (uint32_t)fuzz_int(in, 1);
    uint32_t args[] = {how >> 2 & 3, (uint32_t)RAM + (how & 0x80 ? 0 : how >> 4 << 2), how, 0};
    uint32_t function = fuzz_rarely(in, 32) ? 1 : functions[how & 3];

    if (function == 3) {
        args[0] = how & 0x40 ? how << 25 : 0;
        rv_addi(a, T0, ZERO, 2);
        rv_csr(a, RV_CSRS, ZERO, CSR_SIE, T0);
        rv_csr(a, RV_CSRS, ZERO, CSR_SIP, T0);
    }
    sbi_call(a, 0x48534d, function, args);
}

static void put_semihosting(struct fuzz_in *in, struct rvasm *a)
{
    rv_li(a, A0, (uint32_t)fuzz_below(in, 0x34));
    rv_ram(a, A1, TABLE + 8 * (uint32_t)fuzz_below(in, 16));
    rv_word(a, 0x01f01013);
    rv_word(a, 0x00100073);
    rv_word(a, 0x40705013);
}

static void put_system(struct fuzz_in *in, struct rvasm *a)
{
    static const uint32_t words[] = {0x0000100f, 0x12000073, 0x00100073, 0x00000073,
                                     0x0ff0000f, 0x00d00073, 0x18000073};

    rv_word(a, words[fuzz_below(in, ARRAY_LEN(words))]);
}

/* Waits for an interrupt, which is there already, whatever may see it. */
static void put_wait(struct fuzz_in *in, struct rvasm *a)
{
    static const uint16_t csrs[] = {CSR_SIE, CSR_SIP, CSR_MIE, CSR_MIP};

    (void)in;
    rv_addi(a, T0, ZERO, 2);
    for (unsigned i = 0; i < ARRAY_LEN(csrs); i++)
        rv_csr(a, RV_CSRS, ZERO, csrs[i], T0);
    rv_wfi(a);
}

/* mret or sret to what follows, at some privilege. */
static void put_return(struct fuzz_in *in, struct rvasm *a)
{
    unsigned how = (unsigned)fuzz_int(in, 1), m = how & 1;
    uint32_t next = 4 * (rv_here(a) + (how & 2 ? 10 : 9));

    rv_li(a, T1, m ? 0x1800 : 0x100);
    rv_csr(a, how & 4 ? RV_CSRS : RV_CSRC, ZERO, m ? CSR_MSTATUS : CSR_SSTATUS, T1);
    rv_ram(a, T0, next);
    rv_csr(a, RV_CSRW, ZERO, m ? CSR_MEPC : CSR_SEPC, T0);
    if (how & 2)
        rv_addi(a, ZERO, ZERO, 0);
    rv_word(a, m ? MRET : SRET);
}

/* A number in what may be a page table, an entry of one most often. */
static void put_entry(struct fuzz_in *in, struct rvasm *a)
{
    uint32_t page = fuzz_below(in, 2) ? TABLE >> 12 : (uint32_t)fuzz_below(in, 32);
    uint32_t entry = (((uint32_t)(RAM >> 12) + page) << 10) | (uint32_t)fuzz_int(in, 1);

    rv_ram(a, T0, TABLE + 8 * (uint32_t)fuzz_below(in, 512));
    if (fuzz_rarely(in, 4))
        rv_li(a, T1, (uint32_t)fuzz_value(in));
    else
        set_word(a, T1, entry);
    rv_sd(a, T1, T0, 0);
}

/* The entry of a table for a page of RAM. */
static uint32_t entry_of(uint32_t page, uint32_t flags)
{
    return (uint32_t)(RAM >> 12 << 10) + (page << 10) + flags;
}

static void store_entry(struct rvasm *a, uint32_t at, uint32_t entry)
{
    rv_ram(a, T0, TABLE + at);
    set_word(a, T1, entry);
    rv_sd(a, T1, T0, 0);
}

/* Tables by which RAM lies where it is, with any number of levels, and low addresses are walked
 * through up to three pages; they are in use then, so that the handler can be fetched. */
static void put_tables(struct fuzz_in *in, struct rvasm *a)
{
    enum { POINTER = 0x01, LEAF = 0xcf };

    for (uint32_t i = 0; i < 3; i++)
        store_entry(a, 0x1000 * i + 8 * 2, entry_of(0, LEAF));
    for (uint32_t i = 0; i < 2; i++)
        store_entry(a, 0x1000 * i, entry_of((TABLE >> 12) + i + 1, POINTER));
    set_word(a, T0, (uint32_t)((RAM + TABLE) >> 12));
    rv_li(a, T1, 8 + (uint32_t)fuzz_below(in, 3));
    rv_slli(a, T1, T1, 60);
    rv_add(a, T0, T0, T1);
    rv_csr(a, RV_CSRW, ZERO, CSR_SATP, T0);
}

/* Entries of the last of these tables, from the fourth on: another page of the program or of the
 * tables themselves, or any. */
static void put_leaf(struct fuzz_in *in, struct rvasm *a)
{
    uint32_t page = (uint32_t)fuzz_below(in, 32), flags = (uint32_t)fuzz_int(in, 1);
    uint32_t at = 0x2000 + 8 * (4 + (uint32_t)fuzz_below(in, 4));

    if (flags & 0x20) /* as large ones have to be */
        page = 0;
    store_entry(a, at, entry_of(page, fuzz_rarely(in, 4) ? flags : 0xcf & (flags | 0x0f)));
}

/* An access to what one of them maps, or across two; how large that is depends on the levels. */
static void put_mapped(struct fuzz_in *in, struct rvasm *a)
{
    unsigned how = (unsigned)fuzz_int(in, 1), size = how & 3, rd = any_reg(in);
    unsigned level = (unsigned)fuzz_below(in, 3);
    uint32_t offset = (uint32_t)fuzz_int(in, 1) * 8;

    rv_addi(a, T0, ZERO, 4 + (int)fuzz_below(in, 4));
    rv_slli(a, T0, T0, 12 + 9 * level);
    rv_addi(a, T0, T0, how & 0x80 ? -3 : (int)offset);
    if (how & 4)
        rv_word(a, rv_i(0, T0, size | (how >> 1 & 4), rd, 0x03));
    else if (how & 8)
        rv_word(a, rv_s(0, rd, T0, size));
    else
        rv_word(a, rv_r((how >> 4 & 7) << 4, rd, T0, 2 + (size & 1), A3, 0x2f));
}

/* Loads and stores of M-mode are those of the mode below; or no longer. */
static void put_mprv(struct fuzz_in *in, struct rvasm *a)
{
    uint64_t how = fuzz_int(in, 1);

    rv_li(a, T0, 0x20000 | (how & 2 ? 0x1800 : 0));
    rv_csr(a, RV_CSRC, ZERO, CSR_MSTATUS, T0);
    rv_li(a, T0, (how & 1 ? 0x20000 : 0) | (how & 4 ? 0x800 : 0) | (how & 8 ? 0xc0000 : 0));
    rv_csr(a, RV_CSRS, ZERO, CSR_MSTATUS, T0);
}

/* Registers of an interrupt file, with which messages become interrupts; or claims one. */
static void put_file(struct fuzz_in *in, struct rvasm *a)
{
    static const uint8_t regs[] = {0x70, 0x72, 0x80, 0xc0, 0xc2};
    uint64_t how = fuzz_int(in, 1);
    bool m = how & 1;

    rv_addi(a, T0, ZERO, how & 0x80 ? (int)fuzz_int(in, 1) : regs[(how >> 1 & 7) % 5]);
    rv_csr(a, RV_CSRW, ZERO, m ? CSR_MISELECT : CSR_SISELECT, T0);
    rv_addi(a, T0, ZERO, how & 0x10 ? -1 : 1);
    rv_csr(a, how & 0x20 ? RV_CSRW : RV_CSRS, T1, m ? CSR_MIREG : CSR_SIREG, T0);
    if (how & 0x40)
        rv_csr(a, RV_CSRW, any_reg(in), m ? CSR_MTOPEI : CSR_STOPEI, ZERO);
    rv_li(a, T0, 0xa00);
    rv_csr(a, RV_CSRS, ZERO, m ? CSR_MIE : CSR_SIE, T0);
}

/* A message to a hart. */
static void put_message(struct fuzz_in *in, struct rvasm *a)
{
    uint32_t how = (uint32_t)fuzz_int(in, 1);

    store_word(a, (how & 1 ? IMSIC : IMSIC_S) + 0x1000 * (how >> 1 & 3), how >> 3);
}

/* Commands to flash, and code that is run from it. */
static void put_flash(struct fuzz_in *in, struct rvasm *a)
{
    static const uint8_t commands[] = {0xff, 0x70, 0x90, 0x98, 0x20, 0xd0, 0x60, 0xe8, 0x50};
    uint32_t how = (uint32_t)fuzz_int(in, 1);
    uint32_t at = FLASH + (how & 0x80 ? 0x2000000 : 0) + (how & 0x70) * 0x10;
    unsigned command = how & 15;

    if (command < ARRAY_LEN(commands)) {
        store_word(a, at, commands[command]);
        rv_lw(a, any_reg(in), T0, 0);
        return;
    }
    store_word(a, at, 0x40);
    store_word(a, at, 0x00008067); /* ret */
    store_word(a, at, command & 1 ? 0xff : 0x70);
    rv_word(a, rv_i(0, T0, 0, RA, 0x67));
}

/* The program, or something else that firmware is given, is copied over RAM by a device. */
static void put_transfer(struct fuzz_in *in, struct rvasm *a)
{
    static const uint8_t keys[] = {0x11, 0x11, 0x19, 0x00};
    uint64_t how = fuzz_int(in, 1);
    uint32_t to = (uint32_t)RAM + (how & 4 ? TABLE : 0) + (uint32_t)(how >> 3) * 4;
    uint32_t len = (uint32_t)fuzz_int(in, 1) * 4, request = (uint32_t)RAM + REQUEST;

    store_word(a, request, __builtin_bswap32((uint32_t)keys[how & 3] << 16 | 0xa));
    store_word(a, request + 4, __builtin_bswap32(len));
    store_word(a, request + 8, 0);
    store_word(a, request + 12, __builtin_bswap32(to));
    store_word(a, FW_CFG + 16, 0);
    store_word(a, FW_CFG + 20, __builtin_bswap32(request));
}

/* A function on PCI is given an address, or something else in its configuration is written. */
static void put_pci(struct fuzz_in *in, struct rvasm *a)
{
    uint64_t how = fuzz_int(in, 1);
    uint32_t at = ECAM + 0x8000 * (uint32_t)(how & 3), value = (uint32_t)fuzz_value(in);

    if (how & 4) {
        store_word(a, at + 0x20, PCI_MEM);
        store_word(a, at + 0x14, PCI_MEM + 0x4000);
        store_word(a, at + 0x04, 6);
    } else {
        store_word(a, at + (uint32_t)fuzz_int(in, 1) % 0x40 * 4, value);
    }
    store_word(a, PCI_MEM + (uint32_t)(how >> 3) * 4, value);
}

static void put_branch(struct fuzz_in *in, struct rvasm *a)
{
    unsigned back = (unsigned)fuzz_below(in, 32), how = (unsigned)fuzz_below(in, 8);
    unsigned rs1 = any_reg(in), rs2 = any_reg(in);

    rv_branch(a, how & ~2u, rs1, rs2, a->n > back ? a->n - back : 0);
}

static void (*const put_any[])(struct fuzz_in *in, struct rvasm *a) = {
    put_raw,    put_random,   put_random, put_random,      put_access, put_access, put_device_write,
    put_value,  put_csr,      put_ecall,  put_semihosting, put_system, put_entry,  put_tables,
    put_branch, put_return,   put_wait,   put_tables,      put_leaf,   put_leaf,   put_mapped,
    put_mapped, put_mprv,     put_pmu,    put_hsm,         put_file,   put_file,   put_message,
    put_flash,  put_transfer, put_pci,
};

/* Goes on four bytes behind what trapped; where nothing could be fetched, at the start, without
 * translation and with the handler's own privilege. */
static void make_handler(struct rvasm *a, bool m)
{
    static const uint8_t fetch[] = {RV_CAUSE_FETCH_ACCESS, RV_CAUSE_FETCH_PAGE};
    unsigned again[2], out;

    rv_csr(a, RV_CSRS, T6, m ? CSR_MCAUSE : CSR_SCAUSE, ZERO);
    for (unsigned i = 0; i < 2; i++) {
        rv_addi(a, T5, T6, -fetch[i]);
        again[i] = rv_branch(a, RV_BEQ, T5, ZERO, 0);
    }
    rv_csr(a, RV_CSRS, T6, m ? CSR_MEPC : CSR_SEPC, ZERO);
    rv_addi(a, T6, T6, 4);
    out = rv_branch(a, RV_BEQ, ZERO, ZERO, 0);
    rv_to_here(a, again[0]);
    rv_to_here(a, again[1]);
    rv_csr(a, RV_CSRW, ZERO, CSR_SATP, ZERO);
    rv_li(a, T6, m ? 0x1800 : 0x100);
    rv_csr(a, RV_CSRS, ZERO, m ? CSR_MSTATUS : CSR_SSTATUS, T6);
    rv_ram(a, T6, 0);
    rv_to_here(a, out);
    rv_csr(a, RV_CSRW, ZERO, m ? CSR_MEPC : CSR_SEPC, T6);
    rv_word(a, m ? MRET : SRET);
}

static void make_program(struct fuzz_in *in, struct rvasm *a, bool m)
{
    unsigned start = rv_branch(a, RV_BEQ, ZERO, ZERO, 0), handler = rv_here(a);

    make_handler(a, m);
    rv_to_here(a, start);
    rv_ram(a, T0, handler * 4);
    rv_csr(a, RV_CSRW, ZERO, m ? CSR_MTVEC : CSR_STVEC, T0);
    rv_li(a, T0, 0x6000); /* floating point is on */
    rv_csr(a, RV_CSRS, ZERO, m ? CSR_MSTATUS : CSR_SSTATUS, T0);
    if (m) { /* all of memory is anybody's */
        rv_addi(a, T0, ZERO, -1);
        rv_csr(a, RV_CSRW, ZERO, CSR_PMPADDR0, T0);
        rv_addi(a, T0, ZERO, 0x1f);
        rv_csr(a, RV_CSRW, ZERO, CSR_PMPCFG0, T0);
    }
    while (fuzz_left(in) && a->n < BODY)
        put_any[fuzz_below(in, ARRAY_LEN(put_any))](in, a);
    rv_jump(a, start);
}

/* ---- machines ---- */

enum { DISK = 1024 };

struct pair {
    struct machine *interp, *jit;
    uint64_t out[2];        /* hashes of what their consoles got */
    uint8_t flash[2][DISK]; /* what is behind their second banks */
    bool twice;             /* the JIT's goes back and runs once more */
};

static int flash_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    memcpy(buf, (uint8_t *)opaque + offset, len);
    return 0;
}

static int flash_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    memcpy((uint8_t *)opaque + offset, buf, len);
    return 0;
}

static void console_write(void *opaque, const uint8_t *data, size_t len)
{
    uint64_t *out = opaque;

    *out = bits_hash(data, len, *out);
}

/* Interrupt controllers, transports and flash. */
static void choose_devices(struct board_config *c, uint64_t how)
{
    static const char *const interrupts[] = {"plic", "aplic", "imsic", "imsic"};

    c->interrupts = interrupts[how & 3];
    c->virtio = how & 4 ? BOARD_VIRTIO_PCI : BOARD_VIRTIO_MMIO;
    c->nflash = how & 8 ? 2 : 0;
    c->flash[1] = (struct dev_disk){
        .read = flash_read, .write = flash_write, .size = DISK, .read_only = how & 16};
}

static void make_pair(struct fuzz_in *in, struct pair *p)
{
    static const uint32_t max_insns[] = {0, 1, 3, 0};
    uint64_t how = fuzz_int(in, 1), size = fuzz_int(in, 1), devices = fuzz_int(in, 1);
    struct rvasm a = {.n = 0};
    struct machine_config config = {
        .board = {.machine = "virt",
                  .ncpus = 1 + (unsigned)(how & 3) % 3,
                  .memory = RAM_SIZE,
                  .bare = how & 4,
                  .semihosting = how & 8,
                  .load_addr = RAM,
                  .timebase = 10000000,
                  .console = {.write = console_write, .opaque = &p->out[0]}},
        .guest = "riscv64",
        .isa = how & 16 ? "rv64imac" : NULL,
        .engine = "interp",
        .accel = {.max_insns = max_insns[how >> 6 & 3], .code_size = 1 << 20, .break_op = -1},
        .tlb = {16u << (size & 3), size >> 2 & 7 ? 1u << (size >> 2 & 7) : 0, 1, TLB_LRU},
        .slice = how & 32 ? 100 : 0,
    };
    struct err e = {0};

    choose_devices(&config.board, devices);
    p->twice = devices >> 5 == 7;
    config.board.flash[1].opaque = p->flash[0];
    make_program(in, &a, config.board.bare);
    config.board.kernel = fuzz_file(a.code, a.n * 4);
    p->interp = machine_new(&config, &e);
    FUZZ_CHECK(p->interp, "%s", e.msg);
    config.engine = "jit";
    config.board.console.opaque = &p->out[1];
    config.board.flash[1].opaque = p->flash[1];
    config.tlb = (struct tlb_config)TLB_CONFIG_DEFAULT;
    p->jit = machine_new(&config, &e);
    FUZZ_CHECK(p->jit, "%s", e.msg);
    mem_clean(machine_mem(p->interp));
    if (p->twice)
        machine_hash(p->jit);
    else
        mem_clean(machine_mem(p->jit));
}

static void show(struct machine *m)
{
    struct buf text = BUF_INIT;
    struct snap s;

    snap_open_list(&s, &text);
    machine_state(m, &s);
    snap_close(&s, NULL);
    fprintf(stderr, "---- %s, count %" PRIu64 "\n%s", machine_accel(m)->ops->name, machine_count(m),
            text.data);
    buf_fini(&text);
}

static uint64_t state_hash(struct machine *m)
{
    struct snap s;

    snap_open_hash(&s, 0);
    machine_state(m, &s);
    snap_close(&s, NULL);
    return s.hash;
}

static bool same_page(struct mem *a, struct mem *b, uint64_t addr)
{
    uint8_t page[MEM_PAGE_SIZE], other[MEM_PAGE_SIZE];

    mem_peek(a, addr, page, sizeof page);
    mem_peek(b, addr, other, sizeof other);
    return !memcmp(page, other, sizeof page);
}

/* Of the pages of one that were written since it was made, or since it was last hashed. */
static bool same_written(struct mem *m, struct mem *other)
{
    uint64_t *pages;
    size_t n = mem_dirty(m, &pages);
    bool same = true;

    for (size_t i = 0; i < n && same; i++)
        same = same_page(m, other, pages[i]);
    free(pages);
    return same;
}

static bool same_ram(const struct pair *p)
{
    struct mem *a = machine_mem(p->interp), *b = machine_mem(p->jit);

    return same_written(a, b) && same_written(b, a);
}

static void check_same(struct pair *p, const char *when)
{
    bool ram = same_ram(p);

    if (ram && state_hash(p->interp) == state_hash(p->jit) && p->out[0] == p->out[1] &&
        !memcmp(p->flash[0], p->flash[1], DISK))
        return;
    show(p->interp);
    show(p->jit);
    FUZZ_CHECK(false, "the engines differ %s%s", when, ram ? "" : ", in RAM");
}

static int load(struct machine *m, const struct buf *state, struct err *e)
{
    struct snap s;

    snap_open_load(&s, state->data, state->len);
    machine_state(m, &s);
    machine_accel(m)->ops->flush(machine_accel(m));
    return snap_close(&s, e);
}

static struct buf save(struct machine *m)
{
    struct buf out = BUF_INIT;
    struct snap s;

    snap_open_save(&s, &out);
    machine_state(m, &s);
    FUZZ_CHECK(!snap_close(&s, NULL), "saving failed");
    return out;
}

/* Both get a state that somebody made up, or refuse it and take a good one again. */
static void damage(struct fuzz_in *in, struct pair *p)
{
    struct buf good = save(p->interp), bad = save(p->interp);
    struct err e = {0};
    int rc;

    fuzz_damage_state(in, &bad);
    rc = load(p->interp, &bad, &e);
    FUZZ_CHECK(load(p->jit, &bad, NULL) == rc, "%s", e.msg);
    FUZZ_CHECK(!rc || (*e.msg && !strchr(e.msg, '\n')), "%s", e.msg);
    if (rc)
        FUZZ_CHECK(!load(p->interp, &good, &e) && !load(p->jit, &good, &e), "%s", e.msg);
    buf_fini(&good);
    buf_fini(&bad);
}

/* Runs, and is again what it was before. */
static void run_and_return(struct pair *p, uint64_t until)
{
    struct machine_point *point = machine_point_new(p->jit);
    uint64_t out = p->out[1];
    struct err e = {0};
    uint8_t flash[DISK];

    memcpy(flash, p->flash[1], DISK);
    machine_run(p->jit, until);
    FUZZ_CHECK(!machine_point_load(point, p->jit, &e), "%s", e.msg);
    memcpy(p->flash[1], flash, DISK);
    p->out[1] = out;
    machine_point_free(point);
}

static void run(struct fuzz_in *in, struct pair *p)
{
    for (unsigned i = 0; i < CHUNKS; i++) {
        uint64_t until = machine_count(p->interp) + 1 + fuzz_int(in, 2) % CHUNK_MAX;
        enum machine_stop stop = machine_run(p->interp, until);

        if (p->twice)
            run_and_return(p, until);
        FUZZ_CHECK(machine_run(p->jit, until) == stop, "not %d", stop);
        check_same(p, "after a run");
        if (stop != MACHINE_COUNT)
            return;
        if (fuzz_rarely(in, 4)) {
            damage(in, p);
            check_same(p, "after loading");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t head = len < 40 ? len : 40; /* what happens while the program runs */
    struct fuzz_in in = {data + head, data + len}, events = {data, data + head};
    struct pair p = {0};

    make_pair(&in, &p);
    run(&events, &p);
    machine_free(p.interp);
    machine_free(p.jit);
    return 0;
}
