# The tests of src/base.

base_tests = \
    tests/unit/base/arena \
    tests/unit/base/bits \
    tests/unit/base/buf \
    tests/unit/base/err \
    tests/unit/base/log \
    tests/unit/base/vec
if HAVE_CHECK
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)
endif
tests_unit_base_arena_SOURCES = tests/unit/base/arena.c tests/unit/unit.h
tests_unit_base_bits_SOURCES = tests/unit/base/bits.c tests/unit/unit.h
tests_unit_base_buf_SOURCES = tests/unit/base/buf.c tests/unit/unit.h
tests_unit_base_err_SOURCES = tests/unit/base/err.c tests/unit/unit.h
tests_unit_base_log_SOURCES = tests/unit/base/log.c tests/unit/unit.h
tests_unit_base_vec_SOURCES = tests/unit/base/vec.c tests/unit/unit.h
