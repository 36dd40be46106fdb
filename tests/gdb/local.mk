# The tests of tests/gdb: GDB itself.

gdb_tests = \
    tests/gdb/basic.sh \
    tests/gdb/ends.sh \
    tests/gdb/trace.sh
TESTS += $(gdb_tests)
EXTRA_DIST += $(gdb_tests) tests/gdb/ends.c tests/gdb/lib.sh tests/gdb/program.c \
    tests/gdb/suite/bare-riscv64.exp tests/gdb/suite/tests
