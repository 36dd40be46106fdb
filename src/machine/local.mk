# The files of src/machine.

libglovebox_a_SOURCES += \
    src/machine/machine.c src/machine/machine.h \
    src/machine/machine_impl.h \
    src/machine/point.c src/machine/point.h \
    src/machine/state.c
