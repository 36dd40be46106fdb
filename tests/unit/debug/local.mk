# The tests of src/debug.

debug_tests = tests/unit/debug/debug tests/unit/debug/print tests/unit/debug/symbols
if HAVE_CHECK
check_PROGRAMS += $(debug_tests)
TESTS += $(debug_tests)
endif
tests_unit_debug_debug_SOURCES = \
    tests/unit/debug/debug.c tests/unit/debug/tiny.h tests/unit/unit.h
tests_unit_debug_print_SOURCES = \
    tests/unit/debug/print.c tests/unit/debug/tiny.h tests/unit/unit.h
tests_unit_debug_symbols_SOURCES = tests/unit/debug/symbols.c tests/unit/unit.h
