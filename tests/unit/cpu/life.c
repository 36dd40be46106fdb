/* life.c - making CPUs, finding registers, stops. */
#include "../riscv64/hart.h"
#include "tests/unit/cpu/stops.h"

START_TEST(layout)
{
    struct hart t;
    hart_init(&t);
    struct tlb *tlb = &t.c->tlb;
    ck_assert_ptr_eq((char *)tlb->l1 + tlb_l1_bytes(&tlb->config), t.c);
    ck_assert_uint_eq((uintptr_t)t.c % 64, 0);
    ck_assert_uint_eq(t.c->index, 3);
    ck_assert_ptr_eq(t.c->guest, &guest_riscv64);
    ck_assert_uint_eq(t.c->alarm, UINT64_MAX);
    hart_fini(&t);
    cpu_free(NULL);
}
END_TEST

START_TEST(bad_configurations)
{
    struct mem *m = mem_new();
    struct cpu_config config = {&guest_riscv64, 0, 1, m, TLB_CONFIG_DEFAULT, NULL};
    struct err e = {0};
    config.tlb.l1_entries = 100;
    ck_assert_ptr_null(cpu_new(&config, &e));
    ck_assert(strstr(e.msg, "100"));
    config.tlb.l1_entries = 16;
    static const char *const isas[] = {"rv32gc",      "rv64",    "rv64q",    "rv64i",
                                       "rv64gc_zxyz", "rv64gc_", "rv64imad", "rv64imac_zfa",
                                       "rv64gc__zba", "",        "rv64g_zcb"};
    for (unsigned i = 0; i < ARRAY_LEN(isas); i++) {
        config.isa = isas[i];
        e.msg[0] = 0;
        ck_assert_msg(!cpu_new(&config, &e), "%s was accepted", isas[i]);
        ck_assert_msg(!strncmp(e.msg, "isa: ", 5), "%s: %s", isas[i], e.msg);
    }
    mem_free(m);
}
END_TEST

START_TEST(isa_strings)
{
    static const struct {
        const char *in, *out;
        uint64_t misa; /* letters, A is bit 0 */
    } rows[] = {
        {"rv64im", "rv64im_zicntr_zicsr_zifencei_zihintntl_zihintpause_zihpm", 0x141100},
        {"RV64GC_Zba_SSTC",
         "rv64imafdc_zicntr_zicsr_zifencei_zihintntl_zihintpause_zihpm_zca_zcd_zba_sstc", 0x14112d},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct hart t;
        struct buf b = BUF_INIT;
        hart_init_isa(&t, rows[i].in);
        rv_isa_string(t.c, &b);
        ck_assert_str_eq(b.data, rows[i].out);
        ck_assert_uint_eq(t.h->misa, BIT(63) | rows[i].misa);
        buf_fini(&b);
        hart_fini(&t);
    }
    /* What a full hart says of itself makes a full hart. */
    struct hart t, again;
    struct buf b = BUF_INIT;
    hart_init(&t);
    rv_isa_string(t.c, &b);
    hart_init_isa(&again, b.data);
    ck_assert_uint_eq(again.h->ext, t.h->ext);
    ck_assert_uint_eq(again.h->ext, bits_mask(RV_EXT_COUNT) & ~RV_EXT_AIA);
    buf_fini(&b);
    hart_fini(&again);
    hart_fini(&t);
}
END_TEST

START_TEST(stop_list)
{
    struct hart t;
    uint64_t pcs[] = {2, 10, 12, 100, UINT64_MAX};
    struct cpu_debug stops = stops_at(pcs, 5);
    hart_init(&t);
    ck_assert(!cpu_probed(t.c, 2, 10));
    t.c->debug = &stops;
    for (unsigned i = 0; i < 5; i++)
        ck_assert(cpu_probed(t.c, pcs[i], CPU_NO_PADDR));
    for (uint64_t pc = 0; pc < 120; pc++)
        ck_assert_int_eq(cpu_probed(t.c, pc, 10), pc == 2 || pc == 10 || pc == 12 || pc == 100);
    stops.virtual.n = 0;
    stops.physical = (struct cpu_pcs){.pcs = pcs, .n = 5};
    ck_assert(!cpu_probed(t.c, 2, 3) && cpu_probed(t.c, 3, 2));
    ck_assert(!cpu_probed(t.c, 3, CPU_NO_PADDR));
    ck_assert(cpu_pcs_cover(stops.physical, 7, 4) && !cpu_pcs_cover(stops.physical, 7, 3));

    const struct cpu_range ranges[] = {{1000, 1003}, {UINT64_MAX - 1, UINT64_MAX}};
    stops.virtual = (struct cpu_pcs){.pcs = pcs, .n = 5, .ranges = ranges, .nranges = 2};
    for (uint64_t pc = 990; pc < 1010; pc++)
        ck_assert_int_eq(cpu_probed(t.c, pc, CPU_NO_PADDR), pc >= 1000 && pc <= 1003);
    ck_assert(cpu_pcs_cover(stops.virtual, 990, 11) && !cpu_pcs_cover(stops.virtual, 990, 10));
    ck_assert(cpu_pcs_cover(stops.virtual, 1003, 0) && !cpu_pcs_cover(stops.virtual, 1004, 100));
    ck_assert(cpu_probed(t.c, UINT64_MAX, CPU_NO_PADDR) && !cpu_probed(t.c, 0, CPU_NO_PADDR));
    hart_fini(&t);
}
END_TEST

START_TEST(registers_by_name)
{
    const struct guest *g = &guest_riscv64;
    ck_assert_int_eq(guest_find_reg(g, "pc"), RV_SLOT_PC);
    ck_assert_int_eq(guest_find_reg(g, "x31"), 31);
    ck_assert_int_eq(guest_find_reg(g, "A0"), 10);
    ck_assert_int_eq(guest_find_reg(g, "fa0"), RV_SLOT_F + 10);
    ck_assert_int_eq(guest_find_reg(g, "nothing"), -1);
    ck_assert_uint_eq(g->regs[guest_find_reg(g, "fcsr")].bits, 32);
    ck_assert_uint_eq(g->regs[guest_find_reg(g, "cycle")].bits, 64);
    for (uint32_t i = 0; i < g->nregs; i++) {
        ck_assert_int_eq(guest_find_reg(g, g->regs[i].name), (int)i); /* names are unique */
        ck_assert_msg(g->regs[i].doc && *g->regs[i].doc, "%s", g->regs[i].name);
    }
}
END_TEST

/* A slot and its row are one register. */
START_TEST(slots_are_rows)
{
    const struct guest *g = &guest_riscv64;
    ck_assert_uint_eq(g->names.nslots, RV_SLOT_COUNT);
    for (uint32_t i = 0; i < RV_SLOT_COUNT; i++) {
        ck_assert_str_eq(g->names.slots[i].name, g->regs[i].name);
        ck_assert_int_eq(g->names.slots[i].offset, g->regs[i].offset);
        ck_assert_int_eq(g->names.slots[i].type, g->regs[i].kind == REG_FLOAT ? IR_F64 : IR_I64);
    }
}
END_TEST

START_TEST(registers_read_back)
{
    struct hart t;
    hart_init(&t);
    for (uint32_t i = 0; i < RV_SLOT_COUNT; i++) {
        ck_assert(rv_reg_write(t.c, i, 1000 + 2 * i));
        ck_assert_uint_eq(rv_reg_read(t.c, i), 1000 + 2 * i);
    }
    ck_assert_uint_eq(t.c->pc, 1000);
    ck_assert_uint_eq(t.h->x[5], 1010);
    ck_assert(!rv_reg_write(t.c, RV_SLOT_PC, 1001));
    uint32_t zero = (uint32_t)guest_find_reg(&guest_riscv64, "zero");
    ck_assert(!rv_reg_write(t.c, zero, 1));
    ck_assert_uint_eq(rv_reg_read(t.c, zero), 0);
    uint32_t priv = (uint32_t)guest_find_reg(&guest_riscv64, "priv");
    ck_assert(!rv_reg_write(t.c, priv, 2));
    ck_assert(rv_reg_write(t.c, priv, RV_S));
    ck_assert_uint_eq(rv_reg_read(t.c, priv), RV_S);
    uint32_t sscratch = (uint32_t)guest_find_reg(&guest_riscv64, "sscratch");
    ck_assert(rv_reg_write(t.c, sscratch, 5));
    ck_assert_uint_eq(rv_reg_read(t.c, sscratch), 5);
    ck_assert_uint_eq(guest_riscv64.regs[sscratch].number, 0x140);
    uint32_t mhartid = (uint32_t)guest_find_reg(&guest_riscv64, "mhartid");
    ck_assert(!rv_reg_write(t.c, mhartid, 5));
    ck_assert_uint_eq(rv_reg_read(t.c, mhartid), 3);
    uint32_t fflags = (uint32_t)guest_find_reg(&guest_riscv64, "fflags");
    ck_assert(rv_reg_write(t.c, fflags, 9));
    ck_assert_uint_eq(rv_reg_read(t.c, fflags), 9);
    ck_assert(!rv_reg_write(t.c, UINT32_MAX, 0));
    ck_assert(!rv_reg_write(t.c, guest_riscv64.nregs, 0));
    ck_assert_uint_eq(rv_reg_read(t.c, guest_riscv64.nregs), 0);
    rv_set_x(t.c, 0, 5);
    ck_assert_uint_eq(rv_x(t.c, 0), 0);
    hart_fini(&t);
}
END_TEST

/* Fields do not overlap, and cover what a register of flags can hold. */
START_TEST(bit_fields)
{
    static const char *const names[] = {
        "fflags",  "fcsr",   "mstatus",    "sstatus",       "mie",  "medeleg", "menvcfg",
        "senvcfg", "mcause", "mcounteren", "mcountinhibit", "misa", "stvec",   "pmpcfg0"};
    struct hart t;
    hart_init(&t);
    for (uint32_t i = 0; i < guest_riscv64.nregs; i++) {
        const struct guest_reg *r = &guest_riscv64.regs[i];
        uint64_t seen = 0;
        for (const struct reg_field *f = r->fields; f && f->name; f++) {
            uint64_t mask = bits_mask(f->width) << f->lo;
            ck_assert_msg(f->width && f->lo + f->width <= r->bits && !(seen & mask), "%s.%s",
                          r->name, f->name);
            seen |= mask;
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        uint32_t row = (uint32_t)guest_find_reg(&guest_riscv64, names[i]);
        uint64_t seen = 0, ones;
        csr_set(&t, CSR_MSTATUS, RV_MSTATUS_FS);
        rv_reg_write(t.c, row, UINT64_MAX & ~BIT(5)); /* CBIE 2 is reserved */
        ones = rv_reg_read(t.c, row);
        rv_reg_write(t.c, row, UINT64_MAX);
        ones |= rv_reg_read(t.c, row);
        for (const struct reg_field *f = guest_riscv64.regs[row].fields; f->name; f++) {
            bool top = ones >> (f->lo + f->width - 1) & 1;
            /* The upper bit of stvec.MODE is reserved. */
            ck_assert_msg(top || !strcmp(f->name, "MODE"), "%s.%s", names[i], f->name);
            seen |= bits_mask(f->width) << f->lo;
        }
        ck_assert_msg(!(ones & ~seen), "%s: %lx", names[i], (unsigned long)(ones & ~seen));
    }
    hart_fini(&t);
}
END_TEST

START_TEST(disassembly)
{
    static const uint8_t addi[] = {0x13, 0x05, 0x15, 0x00}, bad[] = {0xff, 0xff, 0xff, 0xff};
    struct buf b = BUF_INIT;
    ck_assert_uint_eq(guest_riscv64.disassemble(0, addi, 4, &b), 4);
    ck_assert_str_eq(b.data, "addi a0,a0,1");
    ck_assert_uint_eq(guest_riscv64.disassemble(0, addi, 3, &b), 0);
    ck_assert_uint_eq(guest_riscv64.disassemble(0, addi, 1, &b), 0);
    buf_reset(&b);
    ck_assert_uint_eq(guest_riscv64.disassemble(0, bad, 4, &b), 4);
    ck_assert_str_eq(b.data, ".4byte 0xffffffff");
    buf_reset(&b);
    ck_assert_uint_eq(guest_riscv64.disassemble(0, (const uint8_t[]){0, 0}, 2, &b), 2);
    ck_assert_str_eq(b.data, ".2byte 0x0000");
    buf_fini(&b);
}
END_TEST

UNIT_MAIN("cpu/life", layout, bad_configurations, isa_strings, stop_list, registers_by_name,
          slots_are_rows, registers_read_back, bit_fields, disassembly)
