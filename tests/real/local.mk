# The tests of tests/real: the Debian guest, on terminals.

check_PROGRAMS += tests/real/ptyrun
tests_real_ptyrun_SOURCES = tests/real/ptyrun.c
tests_real_ptyrun_LDADD = -lutil

real_tests = \
    tests/real/boot.sh \
    tests/real/debug.sh \
    tests/real/determinism.sh \
    tests/real/disks.sh \
    tests/real/dump.sh \
    tests/real/firmware.sh \
    tests/real/flash.sh \
    tests/real/harts.sh \
    tests/real/pci.sh \
    tests/real/interrupts.sh \
    tests/real/probe.sh \
    tests/real/symbols.sh \
    tests/real/translate.sh \
    tests/real/verify_broken.sh \
    tests/real/verify_disturb.sh \
    tests/real/verify_doors.sh
TESTS += $(real_tests)
EXTRA_DIST += $(real_tests) tests/real/lib.sh
