# The tests of src/replay.

if HAVE_CHECK
replay_tests = \
    tests/unit/replay/replay \
    tests/unit/replay/verify
check_PROGRAMS += $(replay_tests)
TESTS += $(replay_tests)
endif
tests_unit_replay_replay_SOURCES = tests/unit/replay/replay.c tests/unit/machine/rig.h
tests_unit_replay_verify_SOURCES = tests/unit/replay/verify.c tests/unit/machine/rig.h
