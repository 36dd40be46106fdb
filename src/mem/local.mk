# The files of src/mem.

libglovebox_a_SOURCES += \
    src/mem/mem.c src/mem/mem.h src/mem/mem_impl.h \
    src/mem/pages.c \
    src/mem/tlb.c src/mem/tlb.h
