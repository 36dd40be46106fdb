# The tests of src/debug.

if HAVE_CHECK
check_PROGRAMS += tests/unit/debug/debug
TESTS += tests/unit/debug/debug
endif
tests_unit_debug_debug_SOURCES = \
    tests/unit/debug/debug.c tests/unit/debug/tiny.h tests/unit/unit.h
