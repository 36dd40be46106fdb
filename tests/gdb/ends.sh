#!/bin/sh
# What GDB hears of a program's end, of a breakpoint that it jumps to, and the end of a run that it left.
. "$top_srcdir/tests/gdb/lib.sh"

compile ends "$top_srcdir/tests/gdb/ends.c"
result $? "the program compiles"

# The machine's end is the emulator's: the server has to be in time.
heard=0
for _ in 1 2 3 4 5; do
    machine "$work/ends"
    gdb_says "$work/ends" <<'END'
continue
END
    grep -q '^\[Inferior 1 .* exited with code 03\]$' "$work/said" && heard=$((heard + 1)) ||
        all_said "not told"
    end_machine
done
[ $heard = 5 ]
result $? "each end is told"

# GDB takes a breakpoint away to go on from it; one that is there is meant.
machine "$work/ends"
gdb_says "$work/ends" <<'END'
break leave
continue
jump *$pc
continue
END
has "a breakpoint that is jumped to" 'Breakpoint 1, leave' 'Breakpoint 1, leave' \
    'exited with code 03'
end_machine

# A debugger that came and went: the run has the end that the command line says.
compile program "$top_srcdir/tests/gdb/program.c"
machine "$work/program" --stop-at 50M --hash
gdb_says "$work/program" <<'END'
break round
continue
detach
END
machine_ends "--stop-at behind a detach ends it"
grep -q '^count 50000000 hash ' "$work/machine.err"
result $? "at that count"
end_machine
plan
