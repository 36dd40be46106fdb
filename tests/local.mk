# Tests by folder, and those of the tree itself.

TESTS += tests/tree.sh
EXTRA_DIST += tests/tree.sh tests/tap.h

include tests/unit/base/local.mk
include tests/unit/softfloat/local.mk
include tests/unit/host/local.mk
include tests/unit/clock/local.mk
include tests/unit/snap/local.mk
include tests/unit/mem/local.mk
include tests/unit/ir/local.mk
include tests/unit/cpu/local.mk
include tests/unit/riscv64/local.mk
include tests/unit/jit/local.mk
include tests/unit/dev/local.mk
include tests/unit/accel/local.mk
include tests/unit/board/local.mk
include tests/unit/machine/local.mk
include tests/unit/replay/local.mk
include tests/unit/debug/local.mk
include tests/unit/control/local.mk
include tests/decode/local.mk
include tests/ir/local.mk
include tests/guest/local.mk
include tests/cli/local.mk
include tests/gdb/local.mk
include tests/real/local.mk
include tests/fuzz/local.mk
