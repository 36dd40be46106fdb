# The tests of src/dev.

dev_tests = \
    tests/unit/dev/aplic \
    tests/unit/dev/balloon \
    tests/unit/dev/clint \
    tests/unit/dev/fw_cfg \
    tests/unit/dev/imsic \
    tests/unit/dev/net \
    tests/unit/dev/overlay \
    tests/unit/dev/p9 \
    tests/unit/dev/pflash \
    tests/unit/dev/pci \
    tests/unit/dev/pcie_host \
    tests/unit/dev/plic \
    tests/unit/dev/rng \
    tests/unit/dev/rtc \
    tests/unit/dev/uart \
    tests/unit/dev/vconsole \
    tests/unit/dev/virtio \
    tests/unit/dev/vmmio \
    tests/unit/dev/vpci
check_PROGRAMS += $(dev_tests)
TESTS += $(dev_tests)
dev_test_headers = tests/unit/dev/dev_test.h tests/unit/unit.h
tests_unit_dev_aplic_SOURCES = tests/unit/dev/aplic.c $(dev_test_headers)
tests_unit_dev_clint_SOURCES = tests/unit/dev/clint.c $(dev_test_headers)
tests_unit_dev_overlay_SOURCES = tests/unit/dev/overlay.c tests/unit/unit.h
tests_unit_dev_fw_cfg_SOURCES = tests/unit/dev/fw_cfg.c $(dev_test_headers)
tests_unit_dev_pflash_SOURCES = tests/unit/dev/pflash.c $(dev_test_headers)
pci_test_headers = tests/unit/dev/pci_test.h $(dev_test_headers)
tests_unit_dev_pci_SOURCES = tests/unit/dev/pci.c $(pci_test_headers)
tests_unit_dev_pcie_host_SOURCES = tests/unit/dev/pcie_host.c $(pci_test_headers)
tests_unit_dev_imsic_SOURCES = tests/unit/dev/imsic.c $(dev_test_headers)
tests_unit_dev_plic_SOURCES = tests/unit/dev/plic.c $(dev_test_headers)
tests_unit_dev_rtc_SOURCES = tests/unit/dev/rtc.c $(dev_test_headers)
tests_unit_dev_uart_SOURCES = tests/unit/dev/uart.c $(dev_test_headers)
vio_test_headers = tests/unit/dev/vio_test.h $(dev_test_headers)
tests_unit_dev_balloon_SOURCES = tests/unit/dev/balloon.c $(vio_test_headers)
tests_unit_dev_net_SOURCES = tests/unit/dev/net.c $(vio_test_headers)
tests_unit_dev_p9_SOURCES = tests/unit/dev/p9.c $(vio_test_headers)
tests_unit_dev_rng_SOURCES = tests/unit/dev/rng.c $(vio_test_headers)
tests_unit_dev_vconsole_SOURCES = tests/unit/dev/vconsole.c $(vio_test_headers)
tests_unit_dev_virtio_SOURCES = tests/unit/dev/virtio.c $(vio_test_headers)
tests_unit_dev_vmmio_SOURCES = tests/unit/dev/vmmio.c $(vio_test_headers)
tests_unit_dev_vpci_SOURCES = tests/unit/dev/vpci.c $(vio_test_headers)
