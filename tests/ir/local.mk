# The tests of tests/ir: units as text.
check_PROGRAMS += tests/ir/run
TESTS += tests/ir/run
tests_ir_run_SOURCES = tests/ir/run.c tests/ir/ir_cpu.c tests/ir/ir_cpu.h
EXTRA_DIST += tests/ir/interp.ir tests/ir/passes.ir
