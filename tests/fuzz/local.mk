# Fuzzing.  With --enable-fuzz, `make fuzz` builds the targets with libFuzzer; scripts/fuzz
# does it all.  Without, they are tests: over the inputs that once found a bug.
fuzz_targets = \
    tests/fuzz/aia \
    tests/fuzz/blk \
    tests/fuzz/chips \
    tests/fuzz/console \
    tests/fuzz/decode \
    tests/fuzz/gdb \
    tests/fuzz/flash \
    tests/fuzz/image \
    tests/fuzz/ir \
    tests/fuzz/machine \
    tests/fuzz/memory \
    tests/fuzz/net \
    tests/fuzz/p9 \
    tests/fuzz/pci \
    tests/fuzz/queue
if FUZZ
EXTRA_PROGRAMS += $(fuzz_targets)
CLEANFILES += $(fuzz_targets)
fuzz_main = tests/fuzz/fuzz.h
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz: $(BUILT_SOURCES)
	@$(MAKE) $(AM_MAKEFLAGS) $(fuzz_targets)
else
check_PROGRAMS += $(fuzz_targets)
TESTS += $(fuzz_targets)
fuzz_main = tests/fuzz/fuzz.h tests/fuzz/regress.c
fuzz_ldflags = $(AM_LDFLAGS)
fuzz:
	@echo 'make fuzz: configure with CC=clang --enable-fuzz, or use scripts/fuzz' >&2; exit 1
endif
.PHONY: fuzz
EXTRA_DIST += tests/fuzz/regress

fuzz_damage = $(fuzz_main) tests/fuzz/damage.c tests/fuzz/damage.h
fuzz_rig = $(fuzz_damage) tests/fuzz/rig.c tests/fuzz/rig.h
fuzz_driver = $(fuzz_rig) tests/fuzz/driver.c tests/fuzz/driver.h
tests_fuzz_aia_SOURCES = tests/fuzz/aia.c $(fuzz_rig)
tests_fuzz_aia_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_blk_SOURCES = tests/fuzz/blk.c $(fuzz_driver)
tests_fuzz_blk_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_chips_SOURCES = tests/fuzz/chips.c $(fuzz_rig)
tests_fuzz_chips_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_console_SOURCES = tests/fuzz/console.c $(fuzz_driver)
tests_fuzz_console_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_decode_SOURCES = tests/fuzz/decode.c $(fuzz_main)
tests_fuzz_decode_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_gdb_SOURCES = tests/fuzz/gdb.c $(fuzz_damage)
tests_fuzz_gdb_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_flash_SOURCES = tests/fuzz/flash.c $(fuzz_rig)
tests_fuzz_flash_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_image_SOURCES = tests/fuzz/image.c $(fuzz_damage)
tests_fuzz_image_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_ir_SOURCES = tests/fuzz/ir.c $(fuzz_damage) tests/ir/ir_random.c tests/ir/ir_random.h \
    tests/unit/jit/toy.c tests/unit/jit/toy.h
tests_fuzz_ir_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_machine_SOURCES = tests/fuzz/machine.c $(fuzz_damage) tests/unit/accel/rvasm.h
tests_fuzz_machine_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_memory_SOURCES = tests/fuzz/memory.c $(fuzz_driver)
tests_fuzz_memory_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_net_SOURCES = tests/fuzz/net.c $(fuzz_driver)
tests_fuzz_net_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_p9_SOURCES = tests/fuzz/p9.c $(fuzz_driver)
tests_fuzz_p9_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_pci_SOURCES = tests/fuzz/pci.c $(fuzz_rig)
tests_fuzz_pci_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_queue_SOURCES = tests/fuzz/queue.c $(fuzz_rig)
tests_fuzz_queue_LDFLAGS = $(fuzz_ldflags)
