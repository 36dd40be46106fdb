# The files of src/board.

libglovebox_a_SOURCES += \
    src/board/board.h \
    src/board/boot.c \
    src/board/elf_symbol.c \
    src/board/fdt.c \
    src/board/irq.c \
    src/board/load.c src/board/load.h \
    src/board/semihost.c src/board/semihost.h \
    src/board/sbi.c src/board/sbi.h \
    src/board/sbi_hsm.c \
    src/board/sbi_pmu.c \
    src/board/virt.c src/board/virt.h
