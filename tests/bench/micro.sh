#!/bin/sh
# micro.sh: bench/micro measures what it says, which it sees by counters, and says all of it.
. "$top_srcdir/tests/cli/lib.sh"

[ "$RISCV64_CC" ] || none_missing "no C compiler for riscv64"
$RISCV64_CC -nostdlib -static -Wl,-Ttext=0x80200000 -Wl,--build-id=none -o "$work/guest" \
    "$top_srcdir/bench/micro_guest.S" >"$work/why" 2>&1
result $? "the guest is built"
timeout -k 5 "$SECONDS_MAX" "$top_builddir/bench/micro" "$work/guest" 1 >"$work/out" 2>"$work/err"
status=$?
why
[ $status = 0 ]
result $? "every loop does what it says"
names="interp_alu mem_read8 mem_write64 mem_dma_read16 mem_dma_write32 cpu_load8 cpu_store64 dma_write"
[ "$(uname -m)" != x86_64 ] ||
    names="$names translate debug_condition debug_break debug_watch_load debug_watch_store debug_step
        $(sed -n 's/^LOOP(\([a-z]*\),.*/\1/p' "$top_srcdir/bench/micro.def")"
: >"$work/why"
for name in $names; do
    grep -Eq "^MICRO $name -?[0-9.e+-]+ (ns|GB/s) [a-z]" "$work/out" || echo "$name" >>"$work/why"
done
[ ! -s "$work/why" ]
result $? "and has its line"
plan
