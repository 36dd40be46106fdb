# The tests of tests/unit/riscv64.

rv_tests = \
    tests/unit/riscv64/aia \
    tests/unit/riscv64/counters \
    tests/unit/riscv64/csr \
    tests/unit/riscv64/pmp \
    tests/unit/riscv64/state \
    tests/unit/riscv64/trap \
    tests/unit/riscv64/walk
check_PROGRAMS += $(rv_tests)
TESTS += $(rv_tests)
rv_test_headers = tests/unit/unit.h tests/unit/riscv64/hart.h
tests_unit_riscv64_aia_SOURCES = tests/unit/riscv64/aia.c $(rv_test_headers)
tests_unit_riscv64_counters_SOURCES = tests/unit/riscv64/counters.c $(rv_test_headers)
tests_unit_riscv64_csr_SOURCES = tests/unit/riscv64/csr.c $(rv_test_headers)
tests_unit_riscv64_pmp_SOURCES = tests/unit/riscv64/pmp.c $(rv_test_headers)
tests_unit_riscv64_state_SOURCES = tests/unit/riscv64/state.c $(rv_test_headers)
tests_unit_riscv64_trap_SOURCES = tests/unit/riscv64/trap.c $(rv_test_headers)
tests_unit_riscv64_walk_SOURCES = tests/unit/riscv64/walk.c $(rv_test_headers)
