# The files of src/script.

libglovebox_a_SOURCES += \
    src/script/console.c src/script/console.h
