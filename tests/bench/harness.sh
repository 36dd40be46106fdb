#!/bin/sh
# harness.sh: the benchmark programs on the host, and bench/run with shell scripts that speak as an
# emulator's console does.  Prints TAP.

. "$top_srcdir/tests/cli/lib.sh"

# tell STATUS NAME: a result; $work/out explains a failure
tell() {
    cp "$work/out" "$work/why"
    result "$1" "$2"
}

# ---- the programs, with little of bigcode ----

bench=$top_srcdir/bench
mkdir "$work/bench"
"$LUA" "$bench/guest/bigcode_gen.lua" "$work/bigcode.c" "$work/bigcode.h" 20
$TEST_CC -O1 -fno-sanitize=all -ffp-contract=off -I"$work" -I"$bench/guest" -Wno-missing-prototypes \
    -o "$work/bench/run-native" "$bench"/guest/*.c "$work/bigcode.c" -lm >"$work/out" 2>&1 && [ ! -s "$work/out" ]
tell $? "the programs compile without a warning"
$TEST_CC -O1 -fno-sanitize=all -fPIC -shared -o "$work/bench/host.so" "$bench/host.c" >"$work/out" 2>&1 &&
    [ ! -s "$work/out" ]
tell $? "the module for Lua compiles without a warning"

names=$("$work/bench/run-native" -l | cut -f1)
"$work/bench/run-native" -s 1 $names >"$work/out" 2>&1
tell $? "every program runs"
awk '{ seen[$2] = seen[$2] $3 }
    END { for (n in seen) if (seen[n] != "STARTENDSUM") { print n, seen[n]; bad = 1 }; exit bad }' \
    "$work/out" >"$work/bad"
tell $? "each prints START, END and SUM"
[ "$names" ] && [ "$(wc -l <"$work/out")" = $((3 * $(echo $names | wc -w))) ]
tell $? "and nothing else"

# ---- the harness ----

mkdir -p "$work/guests/riscv64"
: >"$work/guests/riscv64/Image"
: >"$work/guests/riscv64/initramfs.cpio.gz"
cp "$work/bench/run-native" "$work/bench/run-riscv64"

# fake NAME COMMANDS: an emulator; COMMANDS see what the shell was told as $1...
fake() {
    cat >"$work/$1" <<END
#!/bin/sh
[ "\$1" != --version ] || { echo "$1 1.0"; exit; }
echo \$\$ >>"$work/pids"
printf 'starting\r\nGUEST-READY fake\r\n/ # '
while read -r word rest; do
    [ "\$word" != poweroff ] || { echo 'jit.translate_time 5000 ns'; echo 'jit.guest_insns 100 x'; exit; }
    set -- \$rest
    $2
    printf '/ # '
done
END
    chmod +x "$work/$1"
}
fake good "'$work/bench/run-native' \"\$@\""
fake wrong "'$work/bench/run-native' \"\$@\" | sed 's/SUM ..../SUM beef/'"
fake dying 'exit 3'
fake silent 'sleep 100'

run() {
    GLOVEBOX_GUESTS=$work/guests timeout 60 "$LUA" "$bench/run" --build "$work" --size 1 "$@" >"$work/out" 2>&1
}

run --rounds 2 --glovebox "$work/good" --qemu "other=$work/good" --json "$work/json" fib system
tell $? "two emulators in two rounds"
grep -Eq '^fib +[0-9.]+ .* [0-9.]+$' "$work/out" && grep -q '^  system: mean .* [0-9.]*$' "$work/out"
tell $? "a table with a mean for each group"
grep -q 'translating 100 guest instructions of Linux *5000 *ns' "$work/out" &&
    grep -q 'translating 100 guest instructions of Linux (other) *5000 *ns' "$work/out"
tell $? "counters are read"
"$LUA" "$bench/compare" --all "$work/json" "$work/json" >"$work/out" 2>&1 && grep -q '^other fib .* 1.00 *same' "$work/out" &&
    grep -q '^glovebox micro:translate_linux *5000 *5000 *1.00 *same' "$work/out"
tell $? "compare reads what was written"

run --rounds 1 --no-native --glovebox "$work/good" --qemu "$work/wrong" fib
[ $? = 1 ] && grep -q 'fib: .* computed ' "$work/out"
tell $? "two results that differ are a failure"
run --rounds 1 --no-qemu --glovebox "$work/dying" fib
[ $? = 1 ] && grep -q 'glovebox ended early' "$work/out"
tell $? "an emulator that ends is a failure"
run --rounds 1 --no-qemu --timeout 1 --glovebox "$work/silent" fib
[ $? = 1 ] && grep -q 'said nothing for too long' "$work/out"
tell $? "so is one that hangs"
run --glovebox "$work/none" fib
[ $? = 2 ] && grep -q 'none does not run' "$work/out"
tell $? "an emulator that is missing is named"
run --nonsense
[ $? = 2 ] && grep -q 'unknown option --nonsense' "$work/out"
tell $? "so is a wrong option"
run nothing
[ $? = 2 ] && grep -q 'no program or group nothing' "$work/out"
tell $? "and a wrong program"

# ---- Ctrl-C ----

rm -f "$work/pids"
export GLOVEBOX_GUESTS="$work/guests"
begin "$LUA" "$bench/run" --build "$work" --no-qemu --timeout 60 \
    --glovebox "$work/silent" fib >"$work/out" 2>&1
await 30 grep -q 'boot ' "$work/out"
stop $pid INT
[ $status = 130 ]
tell $? "Ctrl-C ends it"
await 10 gone "$(cat "$work/pids")"
tell $? "and its children"
plan
