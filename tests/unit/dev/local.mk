# The tests of src/dev.

dev_tests = \
    tests/unit/dev/clint \
    tests/unit/dev/plic \
    tests/unit/dev/rtc \
    tests/unit/dev/uart \
    tests/unit/dev/virtio
check_PROGRAMS += $(dev_tests)
TESTS += $(dev_tests)
dev_test_headers = tests/unit/dev/dev_test.h tests/unit/unit.h
tests_unit_dev_clint_SOURCES = tests/unit/dev/clint.c $(dev_test_headers)
tests_unit_dev_plic_SOURCES = tests/unit/dev/plic.c $(dev_test_headers)
tests_unit_dev_rtc_SOURCES = tests/unit/dev/rtc.c $(dev_test_headers)
tests_unit_dev_uart_SOURCES = tests/unit/dev/uart.c $(dev_test_headers)
tests_unit_dev_virtio_SOURCES = tests/unit/dev/virtio.c $(dev_test_headers)
