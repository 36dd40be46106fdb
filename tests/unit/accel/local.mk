# The tests of src/accel.

if HAVE_CHECK
check_PROGRAMS += tests/unit/accel/interp
TESTS += tests/unit/accel/interp
endif
tests_unit_accel_interp_SOURCES = tests/unit/accel/interp.c tests/unit/accel/rvasm.h \
    tests/unit/cpu/stops.h tests/unit/riscv64/hart.h tests/unit/unit.h
