# The files of src/replay.

libglovebox_a_SOURCES += \
    src/replay/log.c src/replay/log.h \
    src/replay/replay.c src/replay/replay.h \
    src/replay/verify.c src/replay/verify.h src/replay/verify_impl.h \
    src/replay/verify_report.c
