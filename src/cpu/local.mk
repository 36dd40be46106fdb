# The files of src/cpu.

libglovebox_a_SOURCES += \
    src/cpu/access.c \
    src/cpu/cpu.c src/cpu/cpu.h \
    src/cpu/debug.c src/cpu/debug.h \
    src/cpu/guest.h
