/*
 * unit.h - the frame of a unit test program: libcheck, one suite, TAP.
 *
 *     UNIT_MAIN("folder/module", test_one, test_two)
 *
 * or, for all tests once with each of some settings, UNIT_MAIN_CASES with a table of
 * struct unit_case.  Each test runs in a process of its own, for at most UNIT_SECONDS.
 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

#ifndef UNIT_SECONDS
#define UNIT_SECONDS 30
#endif

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

static inline int unit_run_cases(const char *name, const struct unit_case *cases, size_t ncases,
                                 const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < ncases; i++)
        suite_add_tcase(suite, unit_case(&cases[i], tests, count));
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
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
