# The files of src/snap.

libglovebox_a_SOURCES += \
    src/snap/snap.c src/snap/snap.h
