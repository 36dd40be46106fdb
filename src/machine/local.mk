# The files of src/machine.

libglovebox_a_SOURCES += \
    src/machine/machine.c src/machine/machine.h \
    src/machine/machine_impl.h \
    src/machine/point.c \
    src/machine/state.c \
    src/machine/verify.c src/machine/verify_impl.h \
    src/machine/verify_report.c
