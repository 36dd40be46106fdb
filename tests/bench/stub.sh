#!/bin/sh
# stub.sh: bench/run measures a GDB server, ours, by raw packets and through GDB.
. "$top_srcdir/tests/real/lib.sh"

[ "$RISCV64_CC" ] || none_missing "no C compiler for riscv64 (Debian package gcc-riscv64-linux-gnu)"
need gdb-multiarch gdb-multiarch
mkdir "$work/bench"
{
    $RISCV64_CC -nostdlib -static -Wl,-N,-Ttext=0x80000000 -Wl,--build-id=none,--no-warn-rwx-segments \
        -o "$work/bench/stub-guest" "$top_srcdir/bench/stub_guest.S" &&
        $TEST_CC -O1 -fno-sanitize=all -fPIC -shared -o "$work/bench/host.so" "$top_srcdir/bench/host.c" &&
        cp "$top_builddir/bench/stub" "$work/bench/stub" && printf '#!/bin/sh\necho "cpu\tx\tnone"\n' >"$work/bench/run-native" &&
        chmod +x "$work/bench/run-native"
} >"$work/why" 2>&1
result $? "what it needs is built"

timeout -k 5 $((3 * SECONDS_MAX)) "$LUA" "$top_srcdir/bench/run" --build "$work" --guests "$guest" \
    --rounds 1 --size 1 --clock cpu --no-qemu --glovebox "$GLOVEBOX" --json "$work/json" stub >"$work/out" 2>&1
status=$?
cp "$work/out" "$work/why"
result $status "it measures a server"
cp "$work/out" "$work/why"
[ "$(grep -cE '^(guest.s speed|\.\.\.) .* [0-9.]+$' "$work/out")" = 6 ] &&
    [ "$(grep -cE '/s +[0-9.]+$' "$work/out")" = 6 ]
result $? "and has a figure for each of its lines"
"$LUA" "$top_srcdir/bench/compare" --all "$work/json" "$work/json" >"$work/why" 2>&1 &&
    grep -qE '^glovebox stub:stepi .* 1\.00 +same' "$work/why"
result $? "compare reads them"
plan
