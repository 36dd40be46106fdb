#!/bin/sh
# GDB on a bare program: breakpoints, conditions, steps, watchpoints, calls, memory.
. "$top_srcdir/tests/gdb/lib.sh"

compile program "$top_srcdir/tests/gdb/program.c"
result $? "the program compiles"
mkdir "$work/files"
echo a note >"$work/files/note"
machine "$work/program" --cpus 2 --gdb-files "$work/files"

gdb_says "$work/program" <<'END'
info threads
break round
continue
backtrace
print total
print pair
next
next
print total
finish
delete
tbreak work
continue
print n
step
step
info source
END
has "break, backtrace, next, finish, step" 'CPU 0' 'CPU 1' 'Breakpoint 1 at' 'Breakpoint 1, round' \
    '^#0  round' '^#1 .*main' '^\$1 = 0$' '^\$2 = \{first = 1, second = 2\}$' '^\$3 = 90$' '^main \(\)' \
    'hit Temporary breakpoint 2, work' '^\$4 = 10$' '^23' '^25' '^Current source file is'

gdb_says "$work/program" <<'END'
break twice if x == 7
continue
print x
print counter
info breakpoints
delete
watch counter
continue
continue
delete
rwatch pair.second
continue
delete
awatch total
continue
END
has "conditions and watchpoints" 'hit Breakpoint 1, twice' '^\$1 = 7$' '^\$2 = 7$' 'target evals' \
    'hit Hardware watchpoint 2: counter' '^Old value = 7$' '^New value = 8$' \
    'hit Hardware watchpoint 2: counter' '^Old value = 8$' '^New value = 9$' \
    'hit Hardware read watchpoint 3: pair.second' '^Value = ' \
    'hit Hardware access .*watchpoint 4: total' '^(V|Old v)alue = '

gdb_says "$work/program" <<'END'
print twice(21)
print work(4)
break work
continue
return
print $pc
set var pair.first = 1000
print pair
print $misa
print $mstatus
set $a5 = 77
print $a5
set $mscratch = 0x1234
print/x $mscratch
find &text, +sizeof(text), 'f', 'o', 'u', 'n', 'd'
x/s text
info registers
compare-sections .text
END
has "calls, return, registers, search, sums" '^\$1 = 42$' '^\$2 = 12$' 'hit Breakpoint 1, work' \
    '^\$3 = .*<round\+' '^\$4 = \{first = 1000' '^\$5 = \[ .*MXL=64' '^\$6 = \[ .*MPP=' '^\$7 = 77$' \
    '^\$8 = 0x1234$' '<text\+13>$' '<text>:.*"a text to be found"$' '^pc ' 'matched'

# A hart that waits goes on where it is told to, and then waits again.
gdb_says "$work/program" <<'END'
thread 1
set $before = $pc
set $pc = sleep
stepi
info threads
print twice(21)
info threads
set $pc = $before
break round
continue
END
has "a call while the hart waits" '^\* 1 .*waits for an interrupt' '^\$1 = 42$' '^\* 1 .*runs' \
    'hit Breakpoint 1, round'

# While one hart steps through a line, the others run, unless they are locked out.
gdb_says "$work/program" <<'END'
thread 1
set $pc = meet
set scheduler-locking on
print $before = spins[1]
stepi 1000
print spins[1] - $before
set scheduler-locking off
next
next
next
print counter
set $pc = main
END
has "a line that waits for another hart" '^\$2 = 0$' '^[0-9].*counter = -1' '^[0-9].*total = met' \
    '^\$3 = -1$'

gdb_says "$work/program" <<'END'
thread 2
backtrace
print spins[1] > 1000
stepi
stepi
thread 1
break other thread 2
hbreak *round
continue
disable
stepi 200
monitor info breaks
monitor continue
detach
END
has "threads, steps, monitor" '^#0 .*other' '^\$1 = 1$' 'hit Breakpoint 2, round' '^no breakpoints' \
    "use GDB's own" 'detached'

gdb_says "$work/program" <<END
set dprintf-style agent
tbreak round
continue
dprintf twice,"twice of %d\\n", x
break work if total == 1
break work if total >= 0
break other thread 1
continue
info breakpoints
continue
remote get /note $work/got
shell cat $work/got
remote put $work/commands made
shell cmp $work/commands $work/files/made && echo the same
remote delete made
remote get ../note $work/got2
END
has "dynamic printf on this side, two conditions, files" 'Dprintf 2' 'hit Breakpoint 4, work' \
    'agent-printf "twice of' 'total == 1 \(target evals' 'total >= 0 \(target evals' \
    '^twice of 0' '^twice of 9' 'hit Breakpoint 4, work' '^a note' '^the same' \
    'Remote I/O error: Permission denied'
[ ! -e "$work/files/made" ] && [ ! -e "$work/got2" ]
result $? "a file can be deleted; none outside can be had"

ran_on() {
    gdb_says "$work/program" <<'END'
print total > 1000
detach
END
    grep -qx '\$1 = 1' "$work/said"
}
await 2 ran_on
has "the machine ran on behind the detach" '^\$1 = 1$'
gdb_says "$work/program" <<'END'
kill
END
machine_ends "kill ends it"
end_machine

# What a client leaves behind is for whoever else is there: the person at the terminal.
cat >"$work/steps" <<END
expect $((30 * patience)) breakpoint 1
expect $((30 * patience)) (glovebox)
send info breaks\r
expect $((30 * patience)) hit 1 time 
send quit\r
exit 130 $((30 * patience))
END
(
    for _ in $(seq $((500 * patience))); do
        [ ! -S "$socket" ] || break
        sleep 0.01
    done
    gdb_says "$work/program" <<'END'
monitor break twice
detach
END
) &
TERM=xterm timeout -k 5 "$SECONDS_MAX" "$top_builddir/tests/real/ptyrun" "$work/steps" "$GLOVEBOX" run \
    --gdb "unix:$socket" "$work/program" >"$work/why" 2>&1
result $? "a breakpoint that stays when its client has left stops at the terminal"
wait

# Who had it stopped decides whether it runs on behind a client.
leave="timeout -k 5 $((60 * patience)) gdb-multiarch -nx -q -batch -ex 'target remote $socket' -ex detach"
cat >"$work/steps" <<END
expect $((30 * patience)) target remote
sleep 300
send \x01c
expect $((30 * patience)) paused, CPU 0, count 0
expect $((30 * patience)) (glovebox)
run $leave >$work/said 2>&1
send hash\r
expect $((30 * patience)) count 0 hash
send quit\r
exit 130 $((30 * patience))
END
rm -f "$socket"
TERM=xterm timeout -k 5 "$SECONDS_MAX" "$top_builddir/tests/real/ptyrun" "$work/steps" "$GLOVEBOX" run --wait \
    --gdb "unix:$socket" "$work/program" >"$work/why" 2>&1
result $? "a machine that the terminal paused stays so when a client leaves"
grep -q detached "$work/said"
result $? "the client was there"
plan
