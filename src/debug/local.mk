# The files of src/debug.

libglovebox_a_SOURCES += \
    src/debug/breaks.c src/debug/breaks.h \
    src/debug/disas.c src/debug/disas.h \
    src/debug/dump.c src/debug/dump.h \
    src/debug/memory.c src/debug/memory.h \
    src/debug/regs.c src/debug/regs.h \
    src/debug/symbols.c src/debug/symbols.h \
    src/debug/walk.c src/debug/walk.h
