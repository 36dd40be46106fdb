#!/bin/sh
# GDB in non-stop mode: four harts that stop and run each for itself.
. "$top_srcdir/tests/gdb/lib.sh"

compile program "$top_srcdir/tests/gdb/program.c"
result $? "the program compiles"
machine "$work/program" --cpus 4

gdb_hears "$work/program" <<END
set non-stop on
target remote $socket
sleep 5
info threads
break round thread 1
continue -a &
sleep 10
info threads
thread 3
interrupt
sleep 5
info threads
print spins[2] > 10
set \$before = spins[3]
stepi
stepi
sleep 3
print spins[3] > \$before
thread 1
delete
continue &
sleep 5
info threads
thread 3
continue &
sleep 5
interrupt -a
sleep 7
info threads
print total > 10
detach
quit
END
has "all are stopped at first" 'Thread 1 .* stopped' '4 +Thread 4 .*_start' 
has "one stops at its breakpoint, the others run on" 'Thread 1 .* hit Breakpoint 1, round' \
    '1 +Thread 1 .*round \(\)' '2 +Thread 2 .*\(running\)' '4 +Thread 4 .*\(running\)'
has "another one is stopped, and stepped" 'Thread 3 .* stopped' '1 +Thread 1 .*round' \
    '3 +Thread 3 .*other \(hart=2\)' '\$1 = 1' '\$2 = 1'
has "one goes on, one does not; then all stop" '1 +Thread 1 .*\(running\)' '3 +Thread 3 .*other' \
    'Thread 4 .* stopped' '2 +Thread 2 .*other \(hart=1\)' '\$3 = 1' 'detached'

sleep 0.3
gdb_says "$work/program" <<'END'
info threads
kill
END
has "all-stop behind it" '4 +Thread 4 .*other'
end_machine
plan
