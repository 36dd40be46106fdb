# The files of src/cli: the commands of the program.

glovebox_SOURCES += \
    src/cli/cli.h \
    src/cli/disks.c src/cli/disks.h \
    src/cli/doors.c src/cli/doors.h \
    src/cli/isa.c \
    src/cli/machine.c \
    src/cli/marker.c src/cli/marker.h \
    src/cli/number.c src/cli/number.h \
    src/cli/options.c src/cli/options.h \
    src/cli/parts.c src/cli/parts.h \
    src/cli/pump.c src/cli/pump.h \
    src/cli/run.c \
    src/cli/verify.c
