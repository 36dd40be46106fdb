# The tests of tests/gdb: debuggers, and raw packets.

check_PROGRAMS += tests/gdb/rsp
tests_gdb_rsp_SOURCES = tests/gdb/rsp.c
tests_gdb_rsp_LDADD =

gdb_tests = \
    tests/gdb/basic.sh \
    tests/gdb/ends.sh \
    tests/gdb/kernel.sh \
    tests/gdb/lldb.sh \
    tests/gdb/nonstop.sh \
    tests/gdb/rsp.sh \
    tests/gdb/stepi.sh \
    tests/gdb/steps.sh \
    tests/gdb/trace.sh
TESTS += $(gdb_tests)
EXTRA_DIST += $(gdb_tests) tests/gdb/ends.c tests/gdb/lib.sh tests/gdb/program.c tests/gdb/rsp.S \
    tests/gdb/start.h tests/gdb/steps.c tests/gdb/suite/bare-riscv64.exp tests/gdb/suite/tests
