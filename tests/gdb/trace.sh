#!/bin/sh
# Tracepoints: what hits write down, which frames there are, and when a trace stops.
. "$top_srcdir/tests/gdb/lib.sh"

compile program "$top_srcdir/tests/gdb/program.c"
result $? "the program compiles"
machine "$work/program" --cpus 2

gdb_says "$work/program" <<'END'
break round
continue
trace twice if x & 1
actions
collect $a0, counter, text
end
tvariable $calls = 100
set trace-user somebody
set trace-notes what for
trace work
actions
collect n, $calls, $calls = $calls + 1, pair.second
end
tstart
continue
continue
tstop
tstatus
info tracepoints
print $calls
tfind start
print n
print $calls
print pair.second
print total
tfind
print $a0
print counter
print text
print $s3
print pair
tfind tracepoint 3
print $calls
tfind pc twice
tfind none
print counter
tfind range &total, &total
END
has "frames" 'Tracepoint 2 at' 'state variable \$calls created' 'Tracepoint 3 at' 'Breakpoint 1' \
    'Collected 12 trace frames' 'Trace user is somebody' 'Trace notes: what for' 'hit 10 times' 'hit 2 times' \
    '^\$1 = 102$' 'frame 0, tracepoint 3$' \
    '^\$2 = 10$' '^\$3 = 100$' '^\$4 = 2$' '^\$5 = <unavailable>$' 'frame 1, tracepoint 2$' \
    '^\$6 = 1$' '^\$7 = 1$' '^\$8 = "a text to be found"$' '^\$9 = <unavailable>$' \
    '^\$10 = <unavailable>$' 'frame 6, tracepoint 3$' '^\$11 = 101$' 'frame 7, tracepoint 2$' \
    '^\$12 = 9$' '^No trace frame found'

gdb_says "$work/program" <<END
tsave $work/out.tf
disconnect
target tfile $work/out.tf
tfind 11
print \$a0
print counter
tdump
END
has "another client finds the trace, and saves it" 'frame 11, tracepoint 2$' '^\$1 = 9$' '^\$2 = 9$' \
    '^text = "a text'

gdb_says "$work/program" <<'END'
delete tracepoints
break round
continue
trace twice
actions
collect x
end
passcount 25
tstart
continue
continue
continue
continue
tstatus
tfind 24
print x
tfind 25
END
has "a pass count" 'Trace stopped by tracepoint' 'Collected 25 trace frames' \
    'frame 24,' '^\$1 = 4$' '^No trace frame found'

gdb_says "$work/program" <<'END'
delete tracepoints
trace work
actions
collect $a0
while-stepping 3
collect $pc, $sp
end
end
break round
continue
tstart
continue
tstop
tstatus
tfind 0
print $a0
tfind 1
print $pc > &work
print $sp != 0
print $a0
tfind 3
tfind 4
END
has "steps" 'Collected 4 trace frames' 'frame 0,' '^\$1 = 10$' 'frame 1,' '^\$2 = 1$' '^\$3 = 1$' \
    '^\$4 = <unavailable>$' 'frame 3,' '^No trace frame found'

# Where it goes on from, by a step, and from a stop that came before the tracepoint; but only once.
gdb_says "$work/program" <<'END'
delete tracepoints
break round
continue
trace *$pc
actions
collect $pc
end
tstart
stepi
tstatus
continue
tstatus
stepi
tstatus
tstop
tfind 0
print $pc == &round
END
has "an instruction that is stepped from" 'Collected 1 trace frame' 'hit Breakpoint' 'Collected 2 trace' \
    'Collected 2 trace' 'frame 0,' '^\$1 = 1$'

gdb_says "$work/program" <<'END'
delete tracepoints
set circular-trace-buffer on
set trace-buffer-size 9200
trace twice
actions
collect x
end
break round
continue
tstart
continue
continue
tstop
tstatus
tfind start
print x
tfind 4
print x
tfind 5
set circular-trace-buffer off
tstart
continue
tstatus
tfind 0
print x
END
has "a small buffer: the oldest go, or it is full" 'contains 5 trace frames \(of 20 created' \
    'frame 0,' '^\$1 = 5$' 'frame 4,' '^\$2 = 9$' '^No trace frame found' 'buffer was full' 'Collected 5 ' \
    'frame 0,' '^\$3 = 0$'

# The machine runs on behind a client that leaves, and so does a trace that is to.
gdb_says "$work/program" <<'END'
delete tracepoints
set disconnected-tracing on
set circular-trace-buffer on
set trace-buffer-size 100000
trace round
actions
collect total
end
tstart
detach
END
traced() {
    gdb_says "$work/program" <<'END'
tstatus
detach
END
    grep -qE '[2-9] created total|[0-9]{2} created total' "$work/said"
}
await 2 traced
gdb_says "$work/program" <<'END'
tstatus
tstop
tfind 1
print total > 0
tfind end
disable tracepoints
set disconnected-tracing off
tstart
END
has "a trace that goes on" 'Trace is running' 'created total' 'frame 1,' '^\$1 = 1$'
gdb_says "$work/program" <<'END'
tstatus
END
has "a trace that does not" 'disconnection'
end_machine
plan
