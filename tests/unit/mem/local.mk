# The tests of src/mem.

mem_tests = \
    tests/unit/mem/code \
    tests/unit/mem/map \
    tests/unit/mem/table \
    tests/unit/mem/tlb \
    tests/unit/mem/walk
if HAVE_CHECK
check_PROGRAMS += $(mem_tests)
TESTS += $(mem_tests)
endif
mem_test_headers = tests/unit/mem/rig.h tests/unit/unit.h
tests_unit_mem_code_SOURCES = tests/unit/mem/code.c $(mem_test_headers)
tests_unit_mem_map_SOURCES = tests/unit/mem/map.c $(mem_test_headers)
tests_unit_mem_table_SOURCES = tests/unit/mem/table.c $(mem_test_headers)
tests_unit_mem_tlb_SOURCES = tests/unit/mem/tlb.c $(mem_test_headers)
tests_unit_mem_walk_SOURCES = tests/unit/mem/walk.c $(mem_test_headers)
