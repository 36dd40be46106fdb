# The tests of src/cpu.

cpu_tests = tests/unit/cpu/access tests/unit/cpu/life
check_PROGRAMS += $(cpu_tests)
TESTS += $(cpu_tests)
cpu_test_headers = tests/unit/unit.h tests/unit/cpu/stops.h tests/unit/riscv64/hart.h
tests_unit_cpu_access_SOURCES = tests/unit/cpu/access.c $(cpu_test_headers)
tests_unit_cpu_life_SOURCES = tests/unit/cpu/life.c $(cpu_test_headers)
