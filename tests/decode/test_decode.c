/*
 * test_decode.c - the decoder: the words of riscv64.txt, and what must hold for every row.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/buf.h"
#include "guest/riscv64/decode.h"

#define PC 0x1000 /* where the file's instructions are */

static FILE *open_data(void)
{
    char name[4096];
    const char *dir = getenv("top_srcdir");
    snprintf(name, sizeof name, "%s/tests/decode/riscv64.txt", dir ? dir : ".");
    FILE *f = fopen(name, "r");
    ck_assert_msg(f, "%s: cannot be read", name);
    return f;
}

/* "addi rd=10 rs1=2 imm=16": the operation and the members that are not 0. */
static void dump(const struct rv_insn *in, struct buf *out)
{
    const struct {
        const char *name;
        int64_t value;
    } members[] = {
        {"rd", in->rd}, {"rs1", in->rs1}, {"rs2", in->rs2}, {"rs3", in->rs3},   {"rm", in->rm},
        {"aq", in->aq}, {"rl", in->rl},   {"imm", in->imm}, {"zimm", in->zimm},
    };
    buf_str(out, rv_op_name(in->op));
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (members[i].value)
            buf_fmt(out, " %s=%" PRId64, members[i].name, members[i].value);
}

/* What the decoder says of a word, as a line of the file says it. */
static void describe(uint32_t raw, struct buf *out)
{
    struct rv_insn in;
    bool ok = rv_decode(raw, &in);
    ck_assert_int_eq(ok, in.op != RV_OP_ILLEGAL);
    ck_assert_int_eq(ok, in.row != RV_ROW_ILLEGAL);
    if (!ok) {
        buf_str(out, "illegal");
        return;
    }
    rv_format(&in, PC, out);
    buf_str(out, " ; ");
    dump(&in, out);
}

START_TEST(words_of_the_file)
{
    FILE *f = open_data();
    struct buf out = BUF_INIT;
    char line[256];
    unsigned count = 0;
    while (fgets(line, sizeof line, f)) {
        char *want = strstr(line, " -> ");
        line[strcspn(line, "\n")] = 0;
        if (line[0] == '#' || !line[0])
            continue;
        ck_assert_msg(want, "no '->' in: %s", line);
        buf_reset(&out);
        uint32_t raw = (uint32_t)strtoul(line, NULL, 16);
        describe(raw, &out);
        ck_assert_msg(!strcmp(out.data, want + 4), "%s\n  is not: %s", line, out.data);
        struct rv_insn in;
        rv_decode(raw, &in);
        ck_assert_uint_eq(in.len, (unsigned)(want - line) / 2);
        count++;
    }
    ck_assert_uint_gt(count, 100);
    buf_fini(&out);
    fclose(f);
}
END_TEST

START_TEST(every_row_is_in_the_file)
{
    bool seen[RV_ROW_COUNT] = {false};
    FILE *f = open_data();
    char line[256];
    while (fgets(line, sizeof line, f)) {
        struct rv_insn in;
        if (line[0] != '#' && strstr(line, "->") &&
            rv_decode((uint32_t)strtoul(line, NULL, 16), &in))
            seen[in.row] = true;
    }
    for (unsigned row = 0; row < RV_ROW_COUNT; row++)
        ck_assert_msg(seen[row], "no line has %s", rv_row(row)->name);
    fclose(f);
}
END_TEST

START_TEST(random_words_are_of_their_row)
{
    uint64_t seed = 7;
    for (unsigned row = 0; row < RV_ROW_COUNT; row++) {
        const struct rv_row_info *info = rv_row(row);
        uint32_t zeros = UINT32_MAX, ones = 0;
        for (int i = 0; i < 300; i++) {
            uint32_t raw = rv_random(row, &seed);
            struct rv_insn in;
            ck_assert(rv_decode(raw, &in));
            ck_assert_msg(in.row == row, "%s became %s", info->name, rv_row(in.row)->name);
            ck_assert_uint_eq(in.op, info->op);
            ck_assert_uint_eq(in.len, info->len);
            ck_assert_uint_eq(in.raw, raw);
            ck_assert_uint_eq(raw & info->mask, info->match);
            ck_assert(in.rd < 32 && in.rs1 < 32 && in.rs2 < 32 && in.rs3 < 32 && in.rm < 8);
            zeros &= raw;
            ones |= raw;
        }
        /* every bit that is free was seen both ways */
        uint32_t all = info->len == 4 ? UINT32_MAX : 0xffff;
        ck_assert_msg((zeros & ~info->mask) == 0, "%s: always 1: %" PRIx32, info->name, zeros);
        ck_assert_msg((ones | info->mask) == all, "%s: always 0: %" PRIx32, info->name, ~ones);
    }
}
END_TEST

START_TEST(upper_half_of_a_short_one_is_dropped)
{
    struct rv_insn in;
    ck_assert(rv_decode(0xffff4501, &in)); /* c.li a0,0 */
    ck_assert_uint_eq(in.raw, 0x4501);
    ck_assert_uint_eq(in.len, 2);
}
END_TEST

START_TEST(names)
{
    ck_assert_str_eq(rv_op_name(RV_OP_FENCE_I), "fence.i");
    ck_assert_str_eq(rv_op_name(RV_OP_ILLEGAL), "illegal");
    ck_assert_str_eq(rv_op_name(RV_OP_COUNT), "illegal");
    ck_assert_str_eq(rv_row(RV_ROW_C_LI)->name, "c.li");
    ck_assert_str_eq(rv_row(RV_ROW_SH1ADD)->extension, "Zba");
    ck_assert_str_eq(rv_row(RV_ROW_ILLEGAL)->name, "illegal");
    ck_assert_str_eq(rv_csr_name(0x300), "mstatus");
    ck_assert_str_eq(rv_csr_name(0xb1f), "mhpmcounter31");
    ck_assert_str_eq(rv_csr_name(0x001), "fflags");
    ck_assert_str_eq(rv_csr_name(0xfb0), "mtopi");
    ck_assert_ptr_null(rv_csr_name(0x7c0));
    for (unsigned op = 1; op < RV_OP_COUNT; op++)
        ck_assert_str_ne(rv_op_name(op), "illegal");
}
END_TEST

static void check_explained(uint32_t raw, const char *want)
{
    struct rv_insn in;
    struct buf out = BUF_INIT;
    rv_decode(raw, &in);
    rv_explain(&in, &out);
    ck_assert_str_eq(out.data, want);
    buf_fini(&out);
}

START_TEST(explanations)
{
    check_explained(0x01058513, "31:20 imm[11:0] = 0x010 (16)\n" /* addi a0,a1,16 */
                                "19:15 rs1 = 0x0b (a1)\n"
                                "14:12 fixed = 000\n"
                                "11:7  rd = 0x0a (a0)\n"
                                "6:0   fixed = 0010011\n");
    check_explained(0xfeb51ee3, "31    imm[12] = 0x1\n" /* bne a0,a1,.-4 */
                                "30:25 imm[10:5] = 0x3f\n"
                                "24:20 rs2 = 0x0b (a1)\n"
                                "19:15 rs1 = 0x0a (a0)\n"
                                "14:12 fixed = 001\n"
                                "11:8  imm[4:1] = 0xe\n"
                                "7     imm[11] = 0x1\n"
                                "6:0   fixed = 1100011\n"
                                "      imm = 0x1ffc (pc-4)\n");
    check_explained(0x0808, "15:13 fixed = 000\n" /* c.addi4spn a0,sp,16 */
                            "12:11 imm[5:4] = 0x1\n"
                            "10:7  imm[9:6] = 0x0\n"
                            "6     imm[2] = 0x0\n"
                            "5     imm[3] = 0x0\n"
                            "4:2   rd' = 0x2 (a0)\n"
                            "1:0   fixed = 00\n"
                            "      imm = 0x10 (16)\n"
                            "      stands for addi\n");
    check_explained(0, "no instruction\n");
}
END_TEST

/* The line's bits, "31:20" or "7", as a mask; 0 for a line that begins with spaces. */
static uint32_t line_bits(const char *line)
{
    unsigned hi, lo;
    int n = sscanf(line, "%u:%u", &hi, &lo);
    if (line[0] == ' ' || n < 1)
        return 0;
    if (n == 1)
        lo = hi;
    return (uint32_t)(bits_mask(hi - lo + 1) << lo);
}

START_TEST(explanations_cover_all_bits_once)
{
    uint64_t seed = 3;
    struct buf out = BUF_INIT;
    for (unsigned row = 0; row < RV_ROW_COUNT; row++) {
        struct rv_insn in;
        uint32_t seen = 0;
        rv_decode(rv_random(row, &seed), &in);
        buf_reset(&out);
        rv_explain(&in, &out);
        for (char *line = strtok(out.data, "\n"); line; line = strtok(NULL, "\n")) {
            ck_assert_uint_eq(seen & line_bits(line), 0);
            seen |= line_bits(line);
        }
        ck_assert_uint_eq(seen, in.len == 4 ? UINT32_MAX : 0xffff);
    }
    buf_fini(&out);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decode");
    TCase *t = tcase_create("riscv64");
    suite_add_tcase(s, t);
    tcase_add_test(t, words_of_the_file);
    tcase_add_test(t, every_row_is_in_the_file);
    tcase_add_test(t, random_words_are_of_their_row);
    tcase_add_test(t, upper_half_of_a_short_one_is_dropped);
    tcase_add_test(t, names);
    tcase_add_test(t, explanations);
    tcase_add_test(t, explanations_cover_all_bits_once);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
