# The files of src/base.

libglovebox_a_SOURCES += \
    src/base/arena.c src/base/arena.h \
    src/base/bits.c src/base/bits.h \
    src/base/buf.c src/base/buf.h \
    src/base/err.c src/base/err.h \
    src/base/log.c src/base/log.h \
    src/base/mem_alloc.c src/base/mem_alloc.h \
    src/base/vec.c src/base/vec.h
