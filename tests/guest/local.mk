# The tests of tests/guest.

# Instructions against plain C and QEMU; needs no libcheck.
check_PROGRAMS += tests/guest/riscv64/diff
TESTS += tests/guest/riscv64/diff
tests_guest_riscv64_diff_SOURCES = \
    tests/guest/riscv64/diff.c \
    tests/guest/riscv64/engine.c tests/guest/riscv64/engine.h \
    tests/guest/riscv64/ref.c tests/guest/riscv64/ref.h \
    tests/guest/riscv64/vectors.h
EXTRA_DIST += tests/guest/riscv64/runner.c tests/guest/riscv64/lift.txt

if HAVE_CHECK
check_PROGRAMS += tests/guest/riscv64/lift
TESTS += tests/guest/riscv64/lift
tests_guest_riscv64_lift_SOURCES = \
    tests/guest/riscv64/engine.c tests/guest/riscv64/engine.h \
    tests/guest/riscv64/lift.c \
    tests/guest/riscv64/vectors.h
endif

# Programs on the bare machine.
bare_tests = \
    tests/guest/riscv64/flash.sh \
    tests/guest/riscv64/htif.sh \
    tests/guest/riscv64/semihosting.sh \
    tests/guest/riscv64/symbols.sh
TESTS += $(bare_tests)
EXTRA_DIST += $(bare_tests) tests/guest/riscv64/bare.sh
