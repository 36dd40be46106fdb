# The tests of src/control.

control_tests = tests/unit/control/cmd tests/unit/control/ctl
if HAVE_CHECK
check_PROGRAMS += $(control_tests)
TESTS += $(control_tests)
endif
tests_unit_control_cmd_SOURCES = \
    tests/unit/control/cmd.c tests/unit/debug/tiny.h tests/unit/unit.h
tests_unit_control_ctl_SOURCES = \
    tests/unit/control/ctl.c tests/unit/debug/tiny.h tests/unit/unit.h
