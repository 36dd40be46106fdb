# The files of src/accel.

libglovebox_a_SOURCES += \
    src/accel/accel.c src/accel/accel.h \
    src/accel/engine.h \
    src/accel/interp.c \
    src/accel/jit.c
