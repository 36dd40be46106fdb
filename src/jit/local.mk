# The files of src/jit and its host back ends.
libglovebox_a_SOURCES += \
    src/jit/cache.c \
    src/jit/code.c \
    src/jit/code.h \
    src/jit/explain.c \
    src/jit/jit.h \
    src/jit/loop.c \
    src/jit/loop.h \
    src/jit/ra.c \
    src/jit/ra.h \
    src/jit/slow.c \
    src/jit/target.h \
    src/jit/x86_64/asm.h \
    src/jit/x86_64/emit.c \
    src/jit/x86_64/emit.h \
    src/jit/x86_64/lower_fp.c \
    src/jit/x86_64/lower_int.c \
    src/jit/x86_64/lower_mem.c \
    src/jit/x86_64/stubs.c
