# The files of src/guest/riscv64.

include src/guest/riscv64/decode.mk

libglovebox_a_SOURCES += \
    src/guest/riscv64/counters.c \
    src/guest/riscv64/csr.c src/guest/riscv64/csr.def src/guest/riscv64/csr_list.h \
    src/guest/riscv64/helpers.c src/guest/riscv64/helpers.def \
    src/guest/riscv64/helpers_pure.c \
    src/guest/riscv64/lift.c src/guest/riscv64/lift.h \
    src/guest/riscv64/lift_fp.c \
    src/guest/riscv64/lift_int.c \
    src/guest/riscv64/lift_mem.c \
    src/guest/riscv64/lift_sys.c \
    src/guest/riscv64/pmp.c \
    src/guest/riscv64/priv.h \
    src/guest/riscv64/regs.c \
    src/guest/riscv64/riscv64.c src/guest/riscv64/riscv64.h \
    src/guest/riscv64/trap.c \
    src/guest/riscv64/walk.c
