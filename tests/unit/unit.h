/*
 * unit.h - the frame of a unit test program: libcheck, one suite, TAP.
 *
 *     UNIT_MAIN("folder/module", test_one, test_two)
 *
 * or, for all tests once with each of some settings, UNIT_MAIN_CASES with a table of
 * struct unit_case.  Each test runs in a process of its own, for at most UNIT_SECONDS.  One that cannot
 * be made here calls unit_skip or unit_missing.
 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"

/* libcheck notes each assertion that holds, by a system call: loops with millions of them do without. */
#define _mark_point(file, line) ((void)0)

#ifndef UNIT_SECONDS
#define UNIT_SECONDS 300 /* against what hangs; on a host with other work, one may take minutes */
#endif

/* libcheck has no tests that are skipped: they fail with this in front of the reason. */
#define UNIT_SKIPPED "SKIP "

/* Ends the test, which cannot be made on this host. */
static inline void unit_skip(const char *why)
{
    ck_abort_msg(UNIT_SKIPPED "%s", why);
}

/* The same for want of what scripts/setup or scripts/fetch-guests brings. */
static inline void unit_missing(const char *what)
{
    if (tap_nothing_missing())
        ck_abort_msg("missing: %s", what);
    unit_skip(what);
}

struct unit_case {
    const char *name;
    void (*setup)(void); /* before each test, in its process; or NULL */
};

static inline TCase *unit_case(const struct unit_case *c, const TTest *const *tests, size_t count)
{
    TCase *tcase = tcase_create(c->name);

    tcase_set_timeout(tcase, UNIT_SECONDS);
    if (c->setup)
        tcase_add_checked_fixture(tcase, c->setup, NULL);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
    return tcase;
}

/* One line of TAP, and what a failure says behind it. */
static inline bool unit_result(unsigned number, TestResult *r, const char *test)
{
    const char *msg = tr_msg(r) ? tr_msg(r) : "";
    bool skipped = tr_rtype(r) != CK_PASS && !strncmp(msg, UNIT_SKIPPED, strlen(UNIT_SKIPPED));
    bool ok = skipped || tr_rtype(r) == CK_PASS;

    printf("%sok %u - %s: %s", ok ? "" : "not ", number, tr_tcname(r), test);
    if (skipped)
        printf(" # %s", msg);
    if (!ok)
        printf("\n# %s:%d: ", tr_lfile(r), tr_lno(r));
    for (; !ok && *msg; msg++)
        fputs(*msg == '\n' ? "\n# " : (char[]){*msg, 0}, stdout);
    putchar('\n');
    return ok;
}

/* Whether all went well.  There is one result a test, in the order of the tests. */
static inline bool unit_results(SRunner *runner, const TTest *const *tests, size_t count)
{
    TestResult **results = srunner_results(runner);
    int n = srunner_ntests_run(runner);
    bool ok = n > 0;

    for (int i = 0; i < n; i++)
        ok &= unit_result((unsigned)i + 1, results[i], tests[(size_t)i % count]->name);
    printf("1..%d\n", n);
    free(results);
    return ok;
}

static inline int unit_run_cases(const char *name, const struct unit_case *cases, size_t ncases,
                                 const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < ncases; i++)
        suite_add_tcase(suite, unit_case(&cases[i], tests, count));
    SRunner *runner = srunner_create(suite);
    unsetenv("CK_TAP_LOG_FILE_NAME"); /* which knows no skipping */
    srunner_run_all(runner, CK_SILENT);
    bool ok = unit_results(runner, tests, count);
    srunner_free(runner);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline int unit_run(const char *name, const TTest *const *tests, size_t count)
{
    const struct unit_case only = {name, NULL};

    return unit_run_cases(name, &only, 1, tests, count);
}

#define UNIT_MAIN_CASES(name, cases, ...)                                                          \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return unit_run_cases(name, cases, sizeof cases / sizeof *cases, tests,                    \
                              sizeof tests / sizeof *tests);                                       \
    }

#define UNIT_MAIN(name, ...)                                                                       \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return unit_run(name, tests, sizeof tests / sizeof *tests);                                \
    }

#endif
