#!/bin/sh
# GDB steps by the machine's own steps: into traps and out of them, and along a line at once.
. "$top_srcdir/tests/gdb/lib.sh"

compile rsp "$top_srcdir/tests/gdb/rsp.S" && compile program "$top_srcdir/tests/gdb/program.c"
result $? "the programs compile"

machine "$work/rsp"
gdb_says "$work/rsp" <<'END'
show osabi
break *0x80000088
continue
stepi
info symbol $pc
print $mcause
stepi 4
info symbol $pc
END
has "from a user's system call into its handler and back" '(currently|is) "none"' \
    'Breakpoint 1,' '^trap in' 'code=8' '^user \+ 12 in'
end_machine

machine "$work/program"
gdb_says "$work/program" <<'END'
tbreak work
continue
step
set debug remote 1
stepi 10
step
END
sed -n 's/.*Sending packet: \$\([^;:#,]*;.\).*/\1/p' "$work/said" | sort | uniq -c >"$work/why"
grep -q ' 10 vCont;s' "$work/why" && grep -q 'vCont;r' "$work/why" && ! grep -q 'vCont;c' "$work/why"
result $? "instructions by ten steps, the rest of a line by steps in a range"
end_machine
plan
