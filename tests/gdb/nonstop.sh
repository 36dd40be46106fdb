#!/bin/sh
# GDB in non-stop mode: four harts that stop and run each for itself.
. "$top_srcdir/tests/gdb/lib.sh"

compile program "$top_srcdir/tests/gdb/program.c"
result $? "the program compiles"
machine "$work/program" --cpus 4

gdb_hears "$work/program" <<END
set non-stop on
target remote $socket
until 4 +Thread 1.4 .*_start: info threads
break round thread 1
continue -a &
await Thread 1 .* hit Breakpoint 1, round
until [$][0-9]+ = 1$: print spins[2] > 10
info threads
thread 3
interrupt
await Thread 3 .* stopped
info threads
set \$before = spins[3]
stepi
stepi
until [$][0-9]+ = 1$: print spins[3] > \$before
thread 1
delete
continue &
until 1 +Thread 1.1 .*running: info threads
thread 3
until [$][0-9]+ = 1$: print total > 10
continue &
until 3 +Thread 1.3 .*running: info threads
interrupt -a
await Thread . .* stopped
until 4 +Thread 1.4 .*other: info threads
detach
quit
END
has "all are stopped at first" 'Thread 1 .* stopped' '4 +Thread 1.4 .*_start'
has "one stops at its breakpoint, the others run on" 'Thread 1 .* hit Breakpoint 1, round' \
    '1 +Thread 1.1 .*round \(\)' '2 +Thread 1.2 .*\(running\)' '4 +Thread 1.4 .*\(running\)'
has "another one is stopped, and stepped" 'Thread 3 .* stopped' '1 +Thread 1.1 .*round' \
    '3 +Thread 1.3 .*other \(hart=2\)' '^(\(gdb\) )?\$[0-9]+ = 1$'
has "one goes on, one does not; then all stop" '1 +Thread 1.1 .*\(running\)' '3 +Thread 1.3 .*other' \
    '^(\(gdb\) )?\$[0-9]+ = 1$' '3 +Thread 1.3 .*\(running\)' 'Thread 4 .* stopped' \
    '2 +Thread 1.2 .*other \(hart=1\)' 'detached'

gdb_says "$work/program" <<'END'
info threads
kill
END
has "all-stop behind it" '4 +Thread 1.4 .*other'
machine_ends "kill ends it"
plan
