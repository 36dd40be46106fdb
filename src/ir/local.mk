# The files of src/ir.
libglovebox_a_SOURCES += \
    src/ir/ir.h src/ir/ops.def \
    src/ir/arith.h src/ir/build.c src/ir/build.h src/ir/eval.c src/ir/interp.c \
    src/ir/opt_compact.c src/ir/opt_dead.c src/ir/opt_forward.c src/ir/ops.c src/ir/parse.c \
    src/ir/passes.c src/ir/print.c src/ir/text.c src/ir/text.h src/ir/verify.c
