/* debug.c - registers, memory, disassembly and walks as text. */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "debug/disas.h"
#include "debug/memory.h"
#include "debug/regs.h"
#include "debug/walk.h"
#include "tests/unit/debug/tiny.h"
#include "tests/unit/unit.h"

/* addi a0, a0, 1; sh1add a0, a1, a2; c.nop, c.nop; no instruction; j to the start */
static const uint32_t code[] = {0x00150513, 0x20c5a533, 0x00010001, 0xffffffff, 0xff1ff06f};

static struct machine *m;
static struct cpu *c;
static struct buf out = BUF_INIT;

static void setup(void)
{
    m = tiny_machine(code, sizeof code, (struct dev_chars){0});
    c = machine_cpu(m, 0);
}

static void teardown(void)
{
    machine_free(m);
    buf_fini(&out);
}

#define ck_text(text)    ck_assert_msg(strstr(out.data, text), "\"%s\" is not in:\n%s", text, out.data)
#define ck_no_text(text) ck_assert_msg(!strstr(out.data, text), "\"%s\" is in:\n%s", text, out.data)

START_TEST(registers)
{
    struct err e;
    int row;

    setup();
    row = dbg_reg_find(c->guest, "$a0", &e);
    ck_assert_int_ge(row, 0);
    ck_assert_int_eq(row, dbg_reg_find(c->guest, "x10", &e));
    ck_assert_int_eq(dbg_reg_set(c, (uint32_t)row, 0x1234, &e), 0);
    dbg_regs_general(c, &out);
    ck_text("pc   0000000080200000\nzero 0000000000000000  ra ");
    ck_text("a0   0000000000001234");
    ck_assert_int_lt(dbg_reg_find(c->guest, "nosuch", &e), 0);
    ck_assert(strstr(e.msg, "nosuch"));
    row = dbg_reg_find(c->guest, "zero", &e);
    ck_assert_int_lt(dbg_reg_set(c, (uint32_t)row, 1, &e), 0);
    ck_assert(strstr(e.msg, "zero"));
    buf_reset(&out);
    row = dbg_reg_find(c->guest, "sstatus", &e);
    ck_assert_int_eq(dbg_reg_set(c, (uint32_t)row, 0x100, &e), 0);
    dbg_reg(c, (uint32_t)row, &out);
    ck_text("SPP:S");
    ck_text("SIE:0");
    teardown();
}
END_TEST

START_TEST(formats)
{
    struct dbg_format f = {'x', 4, 1};
    struct err e;

    ck_assert_int_eq(dbg_format_parse("8dg", &f, &e), 0);
    ck_assert(f.how == 'd' && f.size == 8 && f.count == 8);
    ck_assert_int_eq(dbg_format_parse("", &f, &e), 0);
    ck_assert(f.how == 'd' && f.size == 8 && f.count == 8);
    ck_assert_int_eq(dbg_format_parse("c", &f, &e), 0);
    ck_assert(f.how == 'c' && f.size == 1);
    ck_assert_int_eq(dbg_format_parse("q", &f, &e), -EINVAL);
    ck_assert_int_eq(dbg_format_parse("0x", &f, &e), -EINVAL);
    ck_assert_int_eq(dbg_format_parse("99999999999999999999x", &f, &e), -EINVAL);
    ck_assert_int_eq(dbg_format_parse("65536x", &f, &e), 0);
}
END_TEST

/* What x/FORMAT shows at `addr`, physical too. */
static void shows(const char *format, uint64_t addr, const char *text)
{
    struct dbg_format f = {'x', 4, 1};

    for (int physical = 0; physical < 2; physical++) {
        buf_reset(&out);
        ck_assert_int_eq(dbg_format_parse(format, &f, NULL), 0);
        dbg_memory(c, physical, addr, &f, &out);
        ck_assert_str_eq(out.data, text);
    }
}

START_TEST(memory)
{
    static const char text[] = "two \"words\"\n\x01";

    setup();
    mem_poke(machine_mem(m), TINY_BASE + 0x1000, text, sizeof text);
    shows("2xw", TINY_BASE, "0x0000000080200000: 0x00150513 0x20c5a533\n");
    shows("1xg", TINY_BASE, "0x0000000080200000: 0x20c5a53300150513\n");
    shows("3xb", TINY_BASE, "0x0000000080200000: 0x13 0x05 0x15\n");
    shows("1dw", TINY_BASE + 12, "0x000000008020000c:         -1\n");
    shows("1uh", TINY_BASE + 12, "0x000000008020000c: 65535\n");
    shows("1tb", TINY_BASE, "0x0000000080200000: 00010011\n");
    shows("1ow", TINY_BASE, "0x0000000080200000: 000005202423\n");
    shows("2c", TINY_BASE + 0x1000, "0x0000000080201000: 't' 'w'\n");
    shows("s", TINY_BASE + 0x1000, "0x0000000080201000: \"two \\\"words\\\"\\n\\001\"\n");
    shows("2xw", 0x80fffffc,
          "0x0000000080fffffc: 0x00000000\n0x0000000081000000: no memory here\n");
    shows("4xw", 0x10, "0x0000000000000010: no memory here\n");
    shows("2s", UINT64_MAX, "0xffffffffffffffff: no memory here\n");
    teardown();
}
END_TEST

static unsigned mark(void *opaque, uint64_t addr)
{
    return addr == *(uint64_t *)opaque ? DBG_MARK_PC | DBG_MARK_BREAK : 0;
}

START_TEST(disassembly)
{
    struct dbg_disas *d;
    uint64_t pc = TINY_BASE + 4;

    setup();
    d = dbg_disas_new(c->guest, NULL);
    ck_assert_uint_eq(dbg_disas_lines(d, c, TINY_BASE, 6, mark, &pc, &out), TINY_BASE + 20);
    ck_text("    0x0000000080200000  00150513  addi    a0, a0, 1\n");
    ck_text("*=> 0x0000000080200004  20c5a533  sh1add  a0,a1,a2\n"); /* not Capstone's */
    ck_text("    0x0000000080200008  0001      c.nop\n");
    ck_text("    0x000000008020000c  ffffffff  .4byte  0xffffffff\n");
    ck_text("jal     zero,0x80200000\n"); /* an address, not a distance */
    buf_reset(&out);
    ck_assert_uint_eq(dbg_disas_lines(d, c, 0, 3, NULL, NULL, &out), 0);
    ck_assert_str_eq(out.data, "    0x0000000000000000  no memory here\n");
    buf_reset(&out);
    ck_assert_uint_eq(dbg_disas_one(d, 0, (const uint8_t *)code, 3, &out), 0);
    ck_assert_uint_eq(dbg_disas_one(d, 0, (const uint8_t *)code, 1, &out), 0);
    dbg_disas_free(d);
    dbg_disas_free(NULL);
    teardown();
}
END_TEST

START_TEST(walks)
{
    /* A gigapage at 0x40000000 to 0x80000000, read and write; the table is at 0x80400000. */
    uint64_t pte = (UINT64_C(0x80000000) >> 12) << 10 | 0xc7;
    int satp;

    setup();
    dbg_walk(c, TINY_BASE, TLB_EXEC, &out);
    ck_text("for a fetch");
    ck_text("physical 0x80200000, ram");
    mem_poke(machine_mem(m), 0x80400008, &pte, sizeof pte);
    satp = dbg_reg_find(c->guest, "satp", NULL);
    ck_assert_int_eq(dbg_reg_set(c, (uint32_t)satp, UINT64_C(8) << 60 | 0x80400, NULL), 0);
    buf_reset(&out);
    dbg_walk(c, 0x40201234, TLB_READ, &out);
    ck_text("level 2: 0x000080400008 holds 0x00000000200000c7: leaf");
    ck_text("physical 0x80201234, ram");
    buf_reset(&out);
    dbg_walk(c, 0x40201234, TLB_EXEC, &out);
    ck_text("fault: instruction page fault (cause 12)");
    buf_reset(&out);
    dbg_walk(c, 0x123, TLB_WRITE, &out);
    ck_text("level 2: 0x000080400000 holds 0x0000000000000000");
    ck_text("fault: ");
    teardown();
}
END_TEST

UNIT_MAIN("debug", registers, formats, memory, disassembly, walks)
