#!/bin/sh
# How runs end: the guest's own status, counts, markers, guests that lead nowhere,
# signals, and output that nobody takes.
. "$top_srcdir/tests/cli/lib.sh"
cd "$work" || exit 1
at="--load-addr 0x80200000"

# lui t0, 0x100; lui t1, hi; addi t1, t1, lo; sw t1, (t0): to the finisher; j .
finish() { words 001002b7 "$1" "$2" 0062a023 0000006f; }
finish 00005337 55530313 >off       # 0x5555
finish 00073337 33330313 >fail7     # 0x73333
finish 00003337 33330313 >fail0     # 0x3333
finish 00007337 77730313 >reboot    # 0x7777
words 400002b7 00028067 >nowhere    # lui t0, 0x40000; jr t0
head -c 4096 /dev/zero >zeroes      # no instruction at all
words 10500073 ffdff06f >wait       # wfi; j .-4
words 0000006f >loop
# lui t0, 0x10000; li t1, c; sb t1, (t0) for "ok\n"; j to the start of it
words 100002b7 06f00313 00628023 06b00313 00628023 00a00313 00628023 fe9ff06f >talk

for engine in interp jit; do
    if [ $engine = jit ] && [ "$(uname -m)" != x86_64 ]; then
        skip "with the JIT" "it has no back end for this host"
        continue
    fi
    e="--engine $engine"
    ends 0 "$engine: power off" run off $at $e
    ends 7 "$engine: failure 7" run fail7 $at $e
    ends 1 "$engine: failure 0 is 1" run fail0 $at $e
    ends 0 "$engine: --no-reboot" run reboot $at $e --no-reboot
    ends 1 "$engine: waits for ever" run wait $at $e
    said "$engine: which is said" "nothing will ever wake"
    for guest in nowhere zeroes loop; do
        for n in 0 1 99999 1000000; do
            ends 0 "$engine: $guest, $n instructions" run $guest $at $e --stop-at $n --hash
            cat "$work/err" >>"$work/$engine.$guest"
            said "$engine: $guest, count $n" "count $n hash "
        done
    done
    ends 0 "$engine: --marker" run talk $at $e --marker "$(printf 'k\no')" --hash
    cat "$work/err" >>"$work/$engine.talk"
    said "$engine: what it printed" ok
    ends 1 "$engine: --marker that is not printed" run off $at $e --marker ok
    said "$engine: which is said" never
    ends 0 "$engine: --counters" run loop $at $e --stop-at 10 --counters
    said "$engine: instructions are counted" "machine.instructions"
done
if [ -e "$work/jit.loop" ]; then
    for guest in nowhere zeroes loop talk; do
        diff "$work/interp.$guest" "$work/jit.$guest" >"$work/why"
        result $? "the same counts and hashes on both engines: $guest"
    done
else
    skip "the same counts and hashes on both engines" "there is no JIT for this host"
fi

# ---- signals, and a reader that does not read ----

# stuck PID: the guest, which never rests, does
stuck() {
    for _ in 1 2 3 4 5; do
        ! grep -qs '^State:.R' "/proc/$1"/task/*/status || return
        sleep 0.02
    done
}

# killed SIGNAL STATUS NAME: with output to a pipe that nobody empties
killed() {
    mkfifo pipe
    exec 3<>pipe
    begin sh -c 'echo $$ >pid; exec "$@"' sh "$GLOVEBOX" run talk $at >pipe 2>"$work/err" 3<&- </dev/null
    timeout 30 head -c 1 <&3 >/dev/null
    await 30 stuck "$(cat pid)"
    kill -"$1" "$(cat pid)"
    join $pid
    why
    [ $status = "$2" ]
    result $? "$3"
    exec 3<&-
    rm pipe
}
killed TERM 143 "SIGTERM ends a machine whose output is stuck"
killed HUP 129 "SIGHUP too"
said "what was lost is said" "could not be written"

bounded() { timeout -k 5 "$SECONDS_MAX" "$@"; }
bounded "$GLOVEBOX" run talk $at </dev/null 2>"$work/err" | head -n 1 >"$work/out"
grep -q "standard output: Broken pipe" "$work/err"
result $? "a closed pipe ends the machine, with a line"

# Nothing is lost on the way to a slow reader.
bounded "$GLOVEBOX" run talk $at --stop-at 3000000 </dev/null 2>"$work/err" | { sleep 1; cat; } >"$work/slow"
bounded "$GLOVEBOX" run talk $at --stop-at 3000000 </dev/null >"$work/fast" 2>>"$work/err"
[ "$(wc -c <"$work/slow")" -gt 100000 ] && cmp "$work/slow" "$work/fast" >"$work/why" 2>&1
result $? "a slow reader gets every byte"
plan
