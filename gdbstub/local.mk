# The files of gdbstub.

libglovebox_a_SOURCES += \
    gdbstub/files.c \
    gdbstub/lldb.c \
    gdbstub/memory.c \
    gdbstub/packet.c gdbstub/packet.h \
    gdbstub/points.c \
    gdbstub/query.c \
    gdbstub/regs.c \
    gdbstub/resume.c \
    gdbstub/server.c gdbstub/server.h \
    gdbstub/session.c gdbstub/session.h \
    gdbstub/syscalls.c \
    gdbstub/trace.c \
    gdbstub/xml.c
