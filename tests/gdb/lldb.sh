#!/bin/sh
# LLDB on a bare program: breakpoints, conditions, steps, watchpoints, registers, memory, threads.
debugger=lldb
. "$top_srcdir/tests/gdb/lib.sh"

compile program "$top_srcdir/tests/gdb/program.c"
result $? "the program compiles"
machine "$work/program" --cpus 2

# lldb_says: runs LLDB's commands from standard input; what it prints is $work/said
lldb_says() {
    {
        echo "process connect --plugin gdb-remote unix-connect://$socket"
        cat
    } >"$work/commands"
    timeout -k 5 $((180 * patience)) lldb -X -x -b -s "$work/commands" "$work/program" \
        >"$work/said" 2>&1
}

lldb_says <<'END'
thread list
breakpoint set -n round
continue
bt
breakpoint delete -f
breakpoint set -f program.c -l 25
breakpoint modify -c 'i == 5' 2
continue
frame variable
expression -j 0 -- pair.second + 40
breakpoint delete -f
step
finish
next
next
finish
detach
END
has "breakpoints by name and line, a condition, step, next, finish" 'signal SIGTRAP' \
    'thread #2: .*CPU 1' 'stop reason = breakpoint 1\.1' 'program`round' 'frame #1: .*main' \
    'stop reason = breakpoint 2\.1' 'program.c:25' '\(int\) i = 5$' '^\(long\) (\$0 )?= 42$' \
    'stop reason = step in' \
    'twice\(x=5\)' 'stop reason = step out' 'work\(n=10\)' 'stop reason = step over' \
    'stop reason = step out' 'program`round' 'detached'

lldb_says <<'END'
register write t6 0x1234
register read t6
register read misa
memory write 0x80000800 0x11 0x22
memory read -s 1 -c 2 0x80000800
memory read -f s `(char *)&text`
memory region 0x80000000
memory region 0x20
expression -j 0 -- spins[1] > 100
thread backtrace all
thread step-inst
watchpoint set variable -w write counter
continue
watchpoint delete -f
process kill
END
has "a second visit: registers, memory, regions, threads, a watchpoint" 't6 = 0x0*1234' \
    'misa = 0x' '0x80000800: 11 22' 'a text to be found' '0x0*80000000-.* rwx' \
    '0x0*-0x0*1000\) ---' '^\(bool\) (\$[0-9]+ )?= true$' "name = 'CPU" "name = 'CPU" \
    'stop reason = instruction step into' 'Watchpoint 1 hit' 'stop reason = watchpoint 1'
machine_ends "process kill ends it"
end_machine
plan
