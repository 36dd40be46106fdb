# The files of src/clock.

libglovebox_a_SOURCES += \
    src/clock/clock.c src/clock/clock.h
