# Benchmarks: `make bench` builds what bench/run needs.  None of it is built or
# run by `make` or `make check`, but for tests/bench.

bench_headers = bench/guest/bench.h bench/guest/programs.def
bench_sources = bench/guest/main.c bench/guest/bigcode.c bench/guest/calls.c bench/guest/fp.c \
    bench/guest/integer.c bench/guest/memory.c bench/guest/sha256.c bench/guest/sort.c \
    bench/guest/system.c bench/guest/vm.c
# Compiled apart: multiplications and additions may be fused.
bench_fused = bench/guest/fma.c
bench_tools = bench/run bench/compare bench/lib.lua bench/initramfs.lua bench/stub.lua bench/stub.py \
    bench/guest/bigcode_gen.lua
EXTRA_DIST += $(bench_headers) $(bench_sources) $(bench_fused) $(bench_tools) \
    bench/host.c bench/micro_guest.S bench/micro.def bench/stub_guest.S

# Not the project's flags: the programs are the same whatever Glovebox is built with.
bench_flags = -std=gnu17 -O2 -D_GNU_SOURCE -Ibench -I$(srcdir)/bench/guest
bench_program = $(bench_flags) -ffp-contract=off -static -o $@ \
    $(bench_sources:%=$(srcdir)/%) bench/$(1)-fused.o bench/$(1)-bigcode.o -lm

# A compiler that is missing is named.
bench_cc = $(if $(RISCV64_CC),$(RISCV64_CC),$(error no C compiler for riscv64: install gcc-riscv64-linux-gnu and configure again))

# In check_PROGRAMS: see tests/bench.
bench_micro_SOURCES = bench/micro.c
bench_micro_LDADD = libglovebox.a $(all_libs)
bench_micro_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/bench

bench_stub_SOURCES = bench/stub.c
bench_stub_LDADD =

bench_made = bench/micro$(EXEEXT) bench/micro-guest bench/stub$(EXEEXT) bench/stub-guest \
    bench/run-native bench/run-riscv64 bench/host.so
CLEANFILES += $(bench_made) bench/bigcode.c bench/bigcode.h bench/native-fused.o \
    bench/native-bigcode.o bench/riscv64-fused.o bench/riscv64-bigcode.o bench/initramfs

.PHONY: bench
bench: all
	@$(MAKE) $(AM_MAKEFLAGS) $(bench_made)
	@echo "bench: now run $(srcdir)/bench/run (--help lists its options)"

bench/bigcode.c: bench/guest/bigcode_gen.lua
	@$(MKDIR_P) bench
	$(AM_V_GEN)$(LUA) $(srcdir)/bench/guest/bigcode_gen.lua bench/bigcode.c bench/bigcode.h

bench/native-fused.o: $(bench_fused) $(bench_headers) bench/bigcode.c
	$(AM_V_CC)$(CC) $(bench_flags) -c -o $@ $(srcdir)/$(bench_fused)
bench/native-bigcode.o: bench/bigcode.c
	$(AM_V_CC)$(CC) $(bench_flags) -O1 -c -o $@ bench/bigcode.c
bench/run-native: $(bench_sources) bench/native-fused.o bench/native-bigcode.o
	$(AM_V_CCLD)$(CC) $(call bench_program,native)

bench/riscv64-fused.o: $(bench_fused) $(bench_headers) bench/bigcode.c
	$(AM_V_CC)$(bench_cc) $(bench_flags) -c -o $@ $(srcdir)/$(bench_fused)
bench/riscv64-bigcode.o: bench/bigcode.c
	$(AM_V_CC)$(bench_cc) $(bench_flags) -O1 -c -o $@ bench/bigcode.c
bench/run-riscv64: $(bench_sources) bench/riscv64-fused.o bench/riscv64-bigcode.o
	$(AM_V_CCLD)$(bench_cc) $(call bench_program,riscv64)
bench/micro-guest: bench/micro_guest.S bench/micro.def
	@$(MKDIR_P) bench
	$(AM_V_CCLD)$(bench_cc) -nostdlib -static -Wl,-Ttext=0x80200000 -Wl,--build-id=none \
	    -o $@ $(srcdir)/bench/micro_guest.S

bench/stub-guest: bench/stub_guest.S
	@$(MKDIR_P) bench
	$(AM_V_CCLD)$(bench_cc) -nostdlib -static -Wl,-N,-Ttext=0x80000000 -Wl,--build-id=none,--no-warn-rwx-segments \
	    -o $@ $(srcdir)/bench/stub_guest.S

# A module for the Lua interpreter, which knows no sanitizers.
bench/host.so: bench/host.c
	@$(MKDIR_P) bench
	$(AM_V_CCLD)$(CC) -std=gnu17 -O2 -D_GNU_SOURCE -fPIC -shared $(LUA_CFLAGS) -o $@ $(srcdir)/bench/host.c

include tests/bench/local.mk
