#!/bin/sh
# The debugger's console, from a pipe and from a terminal, with tiny guests.
. "$top_srcdir/tests/cli/lib.sh"
cd "$work" || exit 1
at="--load-addr 0x80200000"

# addi a0, a0, 1; addi a3, a3, 2; j to the start
words 00150513 00268693 ff9ff06f >count
# The same that prints: lui t0, 0x10000; li t1, 'k'; sb t1, (t0); j .-4
words 100002b7 06b00313 00628023 ffdff06f >talk
words 001002b7 00005337 55530313 0062a023 >off

# Writes again and again what it runs:
# auipc a0, 0; lw a1, 16(a0); addi a2, a2, 1; j .+4; 0x10: addi a3, a3, 2; sw a1, 16(a0); j 0x10
words 00000517 01052583 00160613 0040006f 00268693 00b52823 ff9ff06f >patch

# debug STATUS GUEST LINES OPTION...: a script's output in $work/out
debug() {
    want=$1 image=$2 lines=$3
    shift 3
    printf "$lines" | timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" debug "$image" \
        --load-addr 0x80200000 "$@" >"$work/out" 2>"$work/err"
    status=$?
    why
    [ $status = "$want" ]
}

debug 0 count ''
result $? "no commands: nothing is done"
said "it stands at the first instruction" "=> 0x0000000080200000  00150513"
said "at count 0" "count 0"

debug 0 count 'step\nregs a0\nstep 3\nregs a0 a3\nhash\nquit\nstep\n'
result $? "step and regs"
said "one step" "count 1"
said "four steps" "count 4"
said "a0 counted to 2" "a0            0x0000000000000002"
said "a3 counted to 2" "a3            0x0000000000000002"
[ "$(grep -c stopped "$work/out")" = 3 ]
result $? "nothing is done behind quit"

debug 0 count 'b pc+8\nc\nc\ni b\nd 1\nuntil 1000\ni b\nb pc if a0 == 1\nuntil 1100\ni b\n'
result $? "breakpoints"
said "the first stop" "breakpoint 1, CPU 0, count 2"
said "the second one, a round later" "breakpoint 1, CPU 0, count 5"
said "hits are counted" "hit 2 times"
grep -A 1 'conditional  hit 0 times' "$work/out" | grep -qE '^ +cost: looks [0-9.]+ ns each, [0-9.]+ .?s in all \(timed now\)$'
result $? "so is what it costs to look"
said "without it, the count is reached" "stopped, CPU 0, count 1000"
said "the list is empty" "no breakpoints"

debug 0 count 'set a0 0x1234\nset pc pc+4\nregs a0 pc\ndisas 0x80200000 3\nx/2xw pc\nx/s 0\nxp/1dw 0x80200000\n'
result $? "set, disas, x"
said "a register is set" "a0            0x0000000000001234"
said "so is the pc" "=> 0x0000000080200004"
said "jumps have addresses" "0x80200000"
said "words of memory" "0x0000000080200004: 0x00268693 0xff9ff06f"
said "where there is no memory" "no memory here"
said "physical, decimal" "1377555"

debug 0 count 'info cpus\ninfo devices uart\ninfo counters machine.\ninfo map\ninfo time\nwalk pc x\nexplain\nhelp\nhelp step\ncpu 0\n# a remark\n\nreset\n'
result $? "what else there is to look at"
for text in "0 instructions" "line status" "machine.instructions" "RAM" "virtual time" \
    "for a fetch" "addi" "breakpoint" "Carry out N"; do
    said "it says: $text" "$text"
done

debug 1 count 'frobnicate\nd 7\nstep 0\nstep x\nregs nosuch\nset a0\nx/9999999x 0\nx/q 0\nx 1+\ninfo what\ncpu 9\nuntil -1\nwalk pc z\nr a0 b0\nbreak\nstep 1 2\nset zero 1\ni\nd\nstep 99999999999999999999\nhash\n'
result $? "a script with mistakes has status 1"
[ "$(wc -l <"$work/err")" = 20 ]
result $? "with a line for each"
said "and goes on" "count 0 hash "
debug 1 count 'step 2\nuntil 1\n'
result $? "until a count that is past"
said "which is said" "is past"
debug 1 off 'c\nc\n'
result $? "the guest's end"
said "is a stop" "the guest powered off, CPU 0, count 4"
said "behind which there is no more running" "reset starts it again"

# The second block is made, written to, and made again.
engines=interp
[ "$(uname -m)" != x86_64 ] || engines="interp jit"
debug 0 patch 'until 1000\nhash\n'
grep hash "$work/out" >undisturbed
for engine in $engines; do
    debug 0 patch 'catch translate made 0x80200010\nc\ncatch translate invalidated\nc\nc\nc\ni b\nd all\nuntil 1000\nhash\n' --engine $engine
    result $? "translated code comes and goes ($engine)"
    grep -o 'catchpoint.*,' "$work/out" >events
    cat >expected <<'END'
catchpoint 1: code made: 0x80200010-0x8020001b, 12 bytes, 3 instructions, to run now, CPU 0,
catchpoint 2: code invalidated: 0x80200010-0x8020001b, 12 bytes, 3 instructions, written by 0x80200014, CPU 0,
catchpoint 1: code made: 0x80200010-0x8020001b, 12 bytes, 3 instructions, to run now, CPU 0,
catchpoint 2: code invalidated: 0x80200010-0x8020001b, 12 bytes, 3 instructions, written by 0x80200014, CPU 0,
END
    diff expected events >"$work/why"
    result $? "which stops at each"
    said "before it runs" "to run now, CPU 0, count 4"
    said "behind the store" "written by 0x80200014, CPU 0, count 6"
    said "it is listed" "catch  translate invalidated  hit 2 times"
    grep hash "$work/out" | cmp - undisturbed >"$work/why"
    result $? "and the guest cannot tell"
done

# The same instructions, in one go and in pieces.
debug 0 count 'until 300000\nhash\n'
grep hash "$work/out" >one
debug 0 count 'until 7\nstep\nb pc\nuntil 1000\nd 1\nuntil 299999\nstep\nhash\n'
diff one "$work/out" | grep -q '^<'
[ $? = 1 ] && [ -s one ]
result $? "the hash does not depend on stops"

# ---- on a terminal ----

play "debug on a terminal" debug count $at <<'END'
expect 20 (glovebox)
send step 5\r
expect 30 count 5
send \r
expect 30 count 10
expect 30 (glovebox)
send rubbish\x03
expect 30 (glovebox)
send st\t 7\r
expect 30 count 17
send info ti\t\r
expect 30 virtual time
send regs sst\t\r
expect 30 sstatus
expect 30 (glovebox)
send continue\r
raw
send \x03
expect 30 paused
expect 30 (glovebox)
send continue\r
raw
send \x01c
expect 30 paused
expect 30 (glovebox)
kill 2
expect 30 ^C
send quit\r
exit 0 30
END
play "Ctrl-D is quit" debug count $at <<'END'
expect 20 (glovebox)
send \x04
exit 0 30
END
play "a terminal is given back by C-a x" run talk $at <<'END'
expect 20 kkkk
raw
send \x01h
expect 30 C-a x  quit
send \x01x
exit 130 30
END
play "and by a signal" run talk $at <<'END'
expect 20 kkkk
raw
kill 15
exit 143 30
END
play "and when the guest ends" run off $at <<'END'
exit 0 20
END
play "C-a c, and on" run talk $at <<'END'
expect 20 kkkk
send \x01c
expect 30 paused
expect 30 (glovebox)
send set t1 0x6a\r
send continue\r
expect 30 jjjj
raw
send \x01c
expect 30 (glovebox)
send quit\r
exit 130 30
END
play "bad options leave the terminal alone" run talk $at --cpus 99 <<'END'
expect 30 --cpus
exit 2 30
END
plan
