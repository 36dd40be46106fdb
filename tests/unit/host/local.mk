# The tests of src/host.

host_tests = \
    tests/unit/host/clock \
    tests/unit/host/disk \
    tests/unit/host/file \
    tests/unit/host/nbd \
    tests/unit/host/port \
    tests/unit/host/slirp \
    tests/unit/host/thread \
    tests/unit/host/tty
if HAVE_CHECK
check_PROGRAMS += $(host_tests)
TESTS += $(host_tests)
endif
tests_unit_host_clock_SOURCES = tests/unit/host/clock.c tests/unit/unit.h
tests_unit_host_disk_SOURCES = tests/unit/host/disk.c tests/unit/host/folder.h tests/unit/unit.h
tests_unit_host_file_SOURCES = tests/unit/host/file.c tests/unit/host/folder.h tests/unit/unit.h
tests_unit_host_nbd_SOURCES = tests/unit/host/nbd.c tests/unit/host/folder.h tests/unit/unit.h
tests_unit_host_port_SOURCES = tests/unit/host/port.c tests/unit/unit.h
tests_unit_host_slirp_SOURCES = tests/unit/host/slirp.c tests/unit/unit.h
tests_unit_host_thread_SOURCES = tests/unit/host/thread.c tests/unit/unit.h
tests_unit_host_tty_SOURCES = tests/unit/host/tty.c tests/unit/unit.h
