# The tests of src/clock.

clock_tests = tests/unit/clock/clock
if HAVE_CHECK
check_PROGRAMS += $(clock_tests)
TESTS += $(clock_tests)
endif
tests_unit_clock_clock_SOURCES = tests/unit/clock/clock.c tests/unit/unit.h
