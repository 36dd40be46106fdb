# The tests of src/machine.

if HAVE_CHECK
machine_tests = \
    tests/unit/machine/boot \
    tests/unit/machine/machine \
    tests/unit/machine/messages
check_PROGRAMS += $(machine_tests)
TESTS += $(machine_tests)
endif
tests_unit_machine_boot_SOURCES = tests/unit/machine/boot.c tests/unit/machine/rig.h
tests_unit_machine_machine_SOURCES = tests/unit/machine/machine.c tests/unit/machine/rig.h \
    tests/unit/cpu/stops.h
tests_unit_machine_messages_SOURCES = tests/unit/machine/messages.c tests/unit/machine/rig.h
