# The tests of src/board.

board_tests = \
    tests/unit/board/irq \
    tests/unit/board/load \
    tests/unit/board/sbi \
    tests/unit/board/semihost \
    tests/unit/board/virt
check_PROGRAMS += $(board_tests)
TESTS += $(board_tests)
board_test_headers = tests/unit/board/board_test.h tests/unit/unit.h
tests_unit_board_irq_SOURCES = tests/unit/board/irq.c tests/unit/board/tree.h $(board_test_headers)
tests_unit_board_load_SOURCES = tests/unit/board/load.c $(board_test_headers)
tests_unit_board_sbi_SOURCES = tests/unit/board/sbi.c $(board_test_headers)
tests_unit_board_virt_SOURCES = tests/unit/board/virt.c tests/unit/board/tree.h $(board_test_headers)
tests_unit_board_semihost_SOURCES = tests/unit/board/semihost.c $(board_test_headers)
