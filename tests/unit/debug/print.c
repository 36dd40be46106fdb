/* print.c - printf for a debugger's client: conversions, escapes, strings of the guest, hostile
 * formats. */
#include <string.h>

#include "debug/print.h"
#include "tests/unit/debug/tiny.h"
#include "tests/unit/unit.h"

/* "text", and then no end before the page's */
static const uint32_t code[] = {0x74786574, 0};

#define ARGS(...) (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8

static struct machine *m;

static void prints(const char *want, const char *format, const uint64_t *args, unsigned nargs)
{
    struct buf out = BUF_INIT;

    dbg_print(machine_cpu(m, 0), format, args, nargs, &out);
    ck_assert_str_eq(out.data, want);
    buf_fini(&out);
}

START_TEST(conversions)
{
    m = tiny_machine(code, sizeof code, (struct dev_chars){0});
    prints("", "", NULL, 0);
    prints("-1 4294967295 -1 18446744073709551615", "%d %u %ld %llu",
           ARGS(UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX));
    prints("-128 255 -32768 65535", "%hhd %hhu %hd %hu", ARGS(0x80, 0xfff, 0x8000, 0xfffff));
    prints("[   2a] [00002A] [0x2a ] [+7]", "[%5x] [%06X] [%-#5x] [%+d]", ARGS(42, 42, 42, 7));
    prints("a=A p=0x80200000 o=17", "a=%c p=%p o=%o", ARGS(0x141, TINY_BASE, 15));
    prints("text|te|  text|", "%s|%.2s|%6s|%s",
           ARGS(TINY_BASE, TINY_BASE, TINY_BASE, UINT64_C(0xdead000000000000)));
    prints("0 100%", "%d 100%%", NULL, 0);
    machine_free(m);
}
END_TEST

START_TEST(escapes)
{
    m = tiny_machine(code, sizeof code, (struct dev_chars){0});
    prints("a\tb\n\"\\\033[0m\1018", "a\\tb\\n\\\"\\\\\\033[0m\\1018", NULL, 0);
    prints("\\", "\\", NULL, 0);
    machine_free(m);
}
END_TEST

START_TEST(hostile)
{
    m = tiny_machine(code, sizeof code, (struct dev_chars){0});
    prints("%n %*d %f %1000d 5", "%n %*d %f %1000d %d", ARGS(5));
    prints("%", "%", NULL, 0);
    prints("%-", "%-", NULL, 0);
    prints("%------d %hhhhd", "%------d %hhhhd", ARGS(1, 2));
    prints("%5.", "%5.", NULL, 0);
    machine_free(m);
}
END_TEST

UNIT_MAIN("debug/print", conversions, escapes, hostile)
