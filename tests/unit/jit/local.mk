# The tests of src/jit.

if HAVE_CHECK
jit_unit_tests = \
    tests/unit/jit/explain \
    tests/unit/jit/links \
    tests/unit/jit/loops \
    tests/unit/jit/ops \
    tests/unit/jit/random \
    tests/unit/jit/random_riscv
check_PROGRAMS += $(jit_unit_tests)
TESTS += $(jit_unit_tests)
endif
jit_toy = tests/unit/jit/toy.c tests/unit/jit/toy.h tests/unit/unit.h
jit_pair = tests/unit/jit/pair.h tests/unit/accel/rvasm.h tests/unit/riscv64/hart.h \
    tests/unit/unit.h
tests_unit_jit_explain_SOURCES = tests/unit/jit/explain.c $(jit_pair)
tests_unit_jit_links_SOURCES = tests/unit/jit/links.c $(jit_pair)
tests_unit_jit_loops_SOURCES = tests/unit/jit/loops.c $(jit_toy) \
    tests/ir/ir_random.c tests/ir/ir_random.h
tests_unit_jit_ops_SOURCES = tests/unit/jit/ops.c $(jit_toy)
tests_unit_jit_random_SOURCES = tests/unit/jit/random.c $(jit_toy) \
    tests/ir/ir_random.c tests/ir/ir_random.h
tests_unit_jit_random_riscv_SOURCES = tests/unit/jit/random_riscv.c $(jit_pair)
