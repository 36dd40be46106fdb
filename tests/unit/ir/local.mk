# The tests of tests/unit/ir.
if HAVE_CHECK
ir_unit_tests = \
    tests/unit/ir/eval \
    tests/unit/ir/random \
    tests/unit/ir/text \
    tests/unit/ir/verify
check_PROGRAMS += $(ir_unit_tests)
TESTS += $(ir_unit_tests)
ir_test_cpu = tests/ir/ir_cpu.c tests/ir/ir_cpu.h tests/unit/unit.h
tests_unit_ir_eval_SOURCES = tests/unit/ir/eval.c $(ir_test_cpu)
tests_unit_ir_random_SOURCES = tests/unit/ir/random.c $(ir_test_cpu) \
    tests/ir/ir_random.c tests/ir/ir_random.h
tests_unit_ir_text_SOURCES = tests/unit/ir/text.c $(ir_test_cpu)
tests_unit_ir_verify_SOURCES = tests/unit/ir/verify.c $(ir_test_cpu)
endif
