# The tests of src/snap.

snap_tests = tests/unit/snap/snap
if HAVE_CHECK
check_PROGRAMS += $(snap_tests)
TESTS += $(snap_tests)
endif
tests_unit_snap_snap_SOURCES = tests/unit/snap/snap.c tests/unit/unit.h
