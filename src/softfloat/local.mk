# The files of src/softfloat.
libglovebox_a_SOURCES += \
    src/softfloat/arith.c \
    src/softfloat/compare.c \
    src/softfloat/convert.c \
    src/softfloat/num.c \
    src/softfloat/num.h \
    src/softfloat/softfloat.h
