/* cmd.c - lines, prefixes, addresses, completion; tests/cli/console.sh has the rest. */
#include <errno.h>
#include <string.h>

#include "control/cmd.h"
#include "tests/unit/debug/tiny.h"
#include "tests/unit/unit.h"

/* addi a0, a0, 1; j to it */
static const uint32_t loop[] = {0x00150513, 0xffdff06f};

static struct ctl *c;
static struct cmd_session *s;
static struct buf out = BUF_INIT;
static struct err e;

static void setup(void)
{
    c = ctl_new(tiny_machine(loop, sizeof loop, (struct dev_chars){0}), &e);
    ck_assert(c);
    s = cmd_session_new(c, NULL);
}

static void teardown(void)
{
    cmd_session_free(s);
    ctl_free(c);
    buf_fini(&out);
}

static int run(const char *line)
{
    enum cmd_next next;

    buf_reset(&out);
    e.msg[0] = 0;
    return cmd_run(s, line, &out, &next, &e);
}

static void ok(const char *line, const char *text)
{
    ck_assert_msg(run(line) == 0, "%s: %s", line, e.msg);
    ck_assert_msg(strstr(out.data, text), "%s: \"%s\" is not in:\n%s", line, text, out.data);
}

static void bad(const char *line, const char *text)
{
    ck_assert_msg(run(line) < 0, "%s: was taken", line);
    ck_assert_msg(strstr(e.msg, text) && !strchr(e.msg, '\n'), "%s: \"%s\" is not in: %s", line,
                  text, e.msg);
}

START_TEST(table)
{
    for (const struct cmd *k = cmd_table; k->name; k++) {
        ck_assert(k->args && k->help && k->run && *k->help);
        for (const struct cmd *o = cmd_table; o->name; o++) {
            ck_assert(o == k || strcmp(o->name, k->name));
            ck_assert(!k->shorthand || strcmp(k->shorthand, o->name));
            ck_assert(o == k || !k->shorthand || !o->shorthand ||
                      strcmp(k->shorthand, o->shorthand));
        }
    }
}
END_TEST

START_TEST(lines)
{
    enum cmd_next next;

    setup();
    ok("", "");
    ok("  \t ", "");
    ok("# step", "");
    ok("hash", "count 0 hash ");
    ok("  step  3 \r\n", "count 3");
    ok("st", "count 4"); /* an only prefix */
    ok("s", "count 5");  /* a shorthand */
    ok("stepi", "count 6");
    ok("ne", "count 7"); /* what other names begin with */
    ok("until pc", "count 9");
    ok("until 10", "count 10");
    ok("u phys:0x80200004", "count 11");
    bad("re", "regs, release, reset");
    bad("frob", "frob: no such command");
    bad("step 1 2", "too much");
    bad("break", "what?");
    bad("step one", "step: one: not a number");
    bad("next 0", "0 times");
    bad("finish", "nobody knows");
    bad("stepline", "no line is known for 0x80200004; step and next");
    bad("until pc+1", "even addresses");
    ck_assert_int_eq(cmd_run(s, "q", &out, &next, &e), 0);
    ck_assert_int_eq(next, CMD_QUIT);
    ck_assert_int_eq(cmd_run(s, "hash", &out, &next, &e), 0);
    ck_assert_int_eq(next, CMD_GO_ON);
    teardown();
}
END_TEST

START_TEST(addresses)
{
    char line[4096] = "regs";

    setup();
    ok("x/1xw 0x80200000", "0x00150513");
    ok("x/xw 2149580800", "0x0000000080200000:");
    ok("x/w pc+4", "0xffdff06f");
    ok("x/1xw $pc+8-4", "0xffdff06f");
    ok("x/1xw -4+pc+4", "0x00150513");
    ok("x/1i pc", "=> 0x0000000080200000");
    ok("x 0x80200000 2", "0x00150513 0xffdff06f");
    ok("x/1xb 0b10+pc", "0x0000000080200002: 0x15");
    for (const char *const *w = (const char *const[]){"", "1+", "+", "1++1", "nosuch", "0x", "12z",
                                                      "99999999999999999999", "0b2", "$", NULL};
         *w; w++) {
        char text[64];
        snprintf(text, sizeof text, "x/1xw %s", *w);
        bad(text, "x: ");
    }
    for (int i = 0; i < 100; i++)
        strcat(line, " a0");
    bad(line, "at most");
    memset(line, 'y', sizeof line - 1);
    bad(line, "no such command");
    teardown();
}
END_TEST

START_TEST(points)
{
    setup();
    ok("break *0x80200004 if a0 == 3", "breakpoint 1 at 0x80200004");
    ok("continue", "count 5");
    ok("condition 1", "");
    ok("continue", "count 7");
    ok("ignore 1 2", "");
    ok("continue", "count 13");
    ok("info breaks", "  *0x80200004\n");
    ok("disable all", "");
    ok("tbreak phys:0x80200000", "breakpoint 2 at 0x80200000");
    ok("continue", "breakpoint 2, CPU 0, count 14");
    bad("delete 2", "no breakpoint 2");
    ok("enable 1", "");
    ok("continue", "breakpoint 1, CPU 0, count 15");
    ok("delete all", "");
    ok("info breaks", "no breakpoints");
    ok("watch u32[sp+8]", "watchpoint 3 of 4 bytes at 0x8");
    ok("rwatch pc-4, 16 if a0", "watchpoint 4 of 16 bytes at 0x80200000");
    ok("awatch phys:0x80200000,2", "watchpoint 5 of 2 bytes at 0x80200000");
    ok("watch u8[u32[0]+4] + 1", "watchpoint 6 of 8 bytes at 0x1");
    ok("info breaks", "physical");
    ok("catch trap load-page-fault", "catchpoint 7");
    ok("catch interrupt supervisor timer interrupt", "catchpoint 8");
    ok("catch reg-write satp if a0 == 1", "catchpoint 9");
    ok("catch device-read 0x10000000-0x100000ff", "catchpoint 10");
    ok("catch syscall 64 if a0 == 1", "catchpoint 11");
    ok("info breaks", "trap 13 (load page fault)");
    ok("info breaks", "reg-write 384");
    ok("info breaks", "syscall if a7 == 64 && (a0 == 1)");
    ok("condition 11 a1", "");
    ok("info breaks", "syscall if a1\n");
    bad("catch trap nonsense", "neither a number");
    bad("catch reg-write a0", "neither a number");
    bad("catch mode 3-2", "nothing is in it");
    bad("catch syscall write", "not a number");
    ok("delete all", "");
    ok("catch exec 0x80200004-0x80200007", "catchpoint 12 in 0x80200004-0x80200007");
    ok("continue", "catchpoint 12: code in 0x80200004-0x80200007 is about to run, CPU 0, count 17");
    ok("info breaks", "catch  exec 0x80200004-0x80200007 disabled  hit 1 time  exec 0x80200004-");
    ok("step 4", "count 21");
    ok("enable 12", "");
    ok("condition 12 a0 > 11", "");
    ok("continue", "catchpoint 12: code in 0x80200004-0x80200007 is about to run, CPU 0, count 23");
    ok("catch exec phys:0x80200000 if a0 == 13", "catchpoint 13 in 0x80200000-0x80200000");
    ok("info breaks", "exec 0x80200000-0x80200000 physical conditional  hit 0 times");
    ok("continue", "catchpoint 13: code in 0x80200000-0x80200000 is about to run, CPU 0, count 26");
    ok("delete all", "");
    ok("catch translate", "catchpoint 14\n");
    ok("catch translate evicted made 0x80200000-0x802000ff if a0", "in 0x80200000-0x802000ff\n");
    ok("catch translate invalidated phys:0x80200003", "catchpoint 16 in 0x80200003-0x80200003");
    ok("info breaks", "catch  translate made evicted invalidated  hit 0 times  translate\n");
    ok("info breaks", "catch  translate made evicted 0x80200000-0x802000ff conditional");
    ok("info breaks", "catch  translate invalidated 0x80200003-0x80200003 physical");
    bad("catch translate mode", "no symbol mode");
    /* What is made is told first, and then whatever else is to stop there. */
    ok("delete all", "");
    ok("break *0x80200004", "breakpoint 17");
    ok("catch translate made", "catchpoint 18");
    ok("continue", "catchpoint 18: code made: 0x80200000-0x80200003, 4 bytes, 1 instruction, to run now");
    ok("continue", "catchpoint 18: code made: 0x80200004-0x80200007");
    ok("continue", "breakpoint 17, CPU 0, count 27");
    ok("continue", "breakpoint 17, CPU 0, count 29");
    ok("delete 18", "");
    ok("catch translate made 0x80200003 if a0 == 99", "catchpoint 19");
    bad("catch translate made 1-0", "nothing is in it");
    bad("catch exec", "of which code?");
    bad("catch exec 8-7", "nothing is in it");
    bad("catch exec 8-", "not a number");
    bad("catch exec 8+4", "neither a number");
    bad("catch exec nosuch", "no symbol nosuch");
    bad("catch exec if a0", "of which code?");
    bad("break", "what?");
    bad("break pc if", "column 1");
    bad("break file.c:12", "no code of this line");
    bad("watch pc,0", "cannot be watched");
    bad("watch -1,2", "cannot be watched");
    bad("watch 0,0x7fffffffffffffff", "cannot be watched");
    bad("condition 19 (", "column");
    bad("condition 99 1", "no breakpoint 99");
    bad("ignore 19", "how many");
    bad("enable x", "not a number");
    teardown();
}
END_TEST

START_TEST(values)
{
    setup();
    ok("print 1 + 2", "3 = 0x3");
    ok("print -1", "-1 = 0xffffffffffffffff");
    ok("print 2u - 3", "18446744073709551615 = ");
    ok("print/x u32[pc]", "0x150513");
    ok("print/d s8[pc+3]", "0\n");
    ok("print/t 5", "0b101");
    ok("print/o 8", "010");
    ok("print/c 65", "65 'A'");
    ok("print/u -1", "18446744073709551615");
    ok("print/a pc", "0x80200000\n");
    bad("print/q 1", "formats");
    bad("print/xx 1", "formats");
    bad("print/x", "column 1");
    bad("symbol pc", "no symbol at 0x80200000");
    bad("symbol nosuch", "nosuch: neither");
    bad("line", "no line is known");
    bad("list", "no line is known");
    bad("symbols", "no Linux kernel");
    bad("symbols /nonexistent", "/nonexistent");
    ok("backtrace", "#0   0x0000000080200000\n");
    bad("backtrace 0", "1 to 1000");
    teardown();
}
END_TEST

/* The completions of a line, with blanks between. */
static const char *all(const char *line)
{
    char *word;

    buf_reset(&out);
    for (unsigned n = 0; (word = cmd_complete(s, line, n)); n++) {
        buf_fmt(&out, "%s ", word);
        free(word);
    }
    return out.data;
}

START_TEST(completion)
{
    setup();
    ck_assert_str_eq(all("st"), "step stepi stepline ");
    ck_assert_str_eq(all("re"), "regs release reset ");
    ck_assert_str_eq(all("zz"), "");
    ck_assert_ptr_nonnull(strstr(all(""), "break catch condition continue "));
    ck_assert_str_eq(all("info c"), "clients counters cpus ");
    ck_assert_str_eq(all("i ti"), "time ");
    ck_assert_str_eq(all("help wal"), "walk ");
    ck_assert_str_eq(all("regs sst"), "sstatus ");
    ck_assert_str_eq(all("regs a0 sst"), "sstatus ");
    ck_assert_str_eq(all("x/4xw sat"), "satp ");
    ck_assert_str_eq(all("catch sy"), "syscall ");
    ck_assert_str_eq(all("catch reg"), "reg-read reg-write ");
    ck_assert_str_eq(all("catch e"), "exec ");
    ck_assert_str_eq(all("catch translate e"), "evicted ");
    ck_assert_str_eq(all("catch translate made i"), "invalidated ");
    ck_assert_str_eq(all("catch exec m"), "");
    ck_assert_str_eq(all("catch trap e"), "");
    ck_assert_str_eq(all("step x"), "");
    ck_assert_str_eq(all("frob x"), "");
    teardown();
}
END_TEST

static bool give_up(void *opaque, struct ctl_stop *stop)
{
    (void)stop;
    ++*(int *)opaque;
    return false;
}

START_TEST(waiting)
{
    struct ctl_stop stop;
    int asked = 0;

    setup();
    ck_assert(!cmd_last_stop(s, &stop));
    ok("step", "count 1");
    ck_assert(cmd_last_stop(s, &stop));
    ck_assert_uint_eq(stop.count, 1);
    cmd_session_on_wait(s, give_up, &asked);
    ck_assert_int_eq(run("continue"), 0);
    ck_assert_int_eq(asked, 1);
    ck_assert_str_eq(out.data, "");
    ck_assert(ctl_running(c));
    teardown();
}
END_TEST

UNIT_MAIN("control/cmd", table, lines, addresses, points, values, completion, waiting)
