/* tap.h - what test programs hear from their environment: what is missing is told as by tests/cli/lib.sh. */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number that whoever runs the test may choose. */
static inline uint64_t tap_number(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);
    return s ? strtoull(s, NULL, 0) : otherwise;
}

/* scripts/setup and scripts/fetch-guests have been run: what they bring and is missing is a failure. */
static inline bool tap_nothing_missing(void)
{
    const char *s = getenv("NOTHING_MISSING");
    return s && !strcmp(s, "yes");
}

/* The plan of a program that has no tests without what they bring; the program's status. */
static inline int tap_none_missing(const char *what)
{
    if (!tap_nothing_missing())
        printf("1..0 # SKIP %s\n", what);
    else
        printf("not ok 1 - missing: %s\n1..1\n", what);
    return EXIT_SUCCESS;
}

#endif
