# The tests of src/debug.

debug_tests = tests/unit/debug/agent tests/unit/debug/debug tests/unit/debug/disturb \
    tests/unit/debug/expr tests/unit/debug/kallsyms tests/unit/debug/points tests/unit/debug/print \
    tests/unit/debug/step tests/unit/debug/symbols tests/unit/debug/trace tests/unit/debug/units
if HAVE_CHECK
check_PROGRAMS += $(debug_tests)
TESTS += $(debug_tests)
endif
debug_rig = tests/unit/debug/stopper.h tests/unit/machine/rig.h tests/unit/accel/rvasm.h \
    tests/unit/unit.h
tests_unit_debug_agent_SOURCES = tests/unit/debug/agent.c $(debug_rig)
tests_unit_debug_debug_SOURCES = \
    tests/unit/debug/debug.c tests/unit/debug/tiny.h tests/unit/unit.h
tests_unit_debug_disturb_SOURCES = tests/unit/debug/disturb.c $(debug_rig)
tests_unit_debug_expr_SOURCES = tests/unit/debug/expr.c $(debug_rig)
tests_unit_debug_kallsyms_SOURCES = tests/unit/debug/kallsyms.c $(debug_rig)
tests_unit_debug_points_SOURCES = tests/unit/debug/points.c $(debug_rig)
tests_unit_debug_print_SOURCES = \
    tests/unit/debug/print.c tests/unit/debug/tiny.h tests/unit/unit.h
tests_unit_debug_step_SOURCES = tests/unit/debug/step.c $(debug_rig)
tests_unit_debug_symbols_SOURCES = tests/unit/debug/symbols.c tests/unit/unit.h
tests_unit_debug_trace_SOURCES = \
    tests/unit/debug/trace.c tests/unit/debug/tiny.h $(debug_rig)
tests_unit_debug_units_SOURCES = tests/unit/debug/units.c $(debug_rig)
