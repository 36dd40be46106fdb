# The files of src/debug.

libglovebox_a_SOURCES += \
    src/debug/agent.c src/debug/agent.h \
    src/debug/backtrace.c src/debug/backtrace.h \
    src/debug/disas.c src/debug/disas.h \
    src/debug/disturb.c src/debug/disturb.h \
    src/debug/dump.c src/debug/dump.h \
    src/debug/dwarf.c src/debug/dwarf.h \
    src/debug/expr.c src/debug/expr.h \
    src/debug/kallsyms.c src/debug/kallsyms.h \
    src/debug/memory.c src/debug/memory.h \
    src/debug/points.c src/debug/points.h \
    src/debug/print.c src/debug/print.h \
    src/debug/regs.c src/debug/regs.h \
    src/debug/step.c src/debug/step.h \
    src/debug/symbols.c src/debug/symbols.h \
    src/debug/trace.c src/debug/trace.h \
    src/debug/walk.c src/debug/walk.h
