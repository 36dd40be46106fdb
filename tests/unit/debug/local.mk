# The tests of src/debug.

if HAVE_CHECK
check_PROGRAMS += tests/unit/debug/debug tests/unit/debug/trace
TESTS += tests/unit/debug/debug tests/unit/debug/trace
endif
tests_unit_debug_debug_SOURCES = \
    tests/unit/debug/debug.c tests/unit/debug/tiny.h tests/unit/unit.h
tests_unit_debug_trace_SOURCES = \
    tests/unit/debug/trace.c tests/unit/debug/tiny.h tests/unit/unit.h
