# The files of src/debug.

libglovebox_a_SOURCES += \
    src/debug/agent.c src/debug/agent.h \
    src/debug/disas.c src/debug/disas.h \
    src/debug/memory.c src/debug/memory.h \
    src/debug/points.c src/debug/points.h \
    src/debug/regs.c src/debug/regs.h \
    src/debug/trace.c src/debug/trace.h \
    src/debug/walk.c src/debug/walk.h
