# The files of src/control.

libglovebox_a_SOURCES += \
    src/control/cmd.c src/control/cmd.h src/control/cmd_impl.h \
    src/control/cmd_dump.c \
    src/control/cmd_look.c \
    src/control/cmd_run.c \
    src/control/ctl.c src/control/ctl.h
