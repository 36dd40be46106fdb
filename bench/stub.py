# stub.py - what a debugger costs, as GDB's users see it: bench/stub_guest.S, or a Linux at its
# start, behind a GDB server.
#
#   gdb-multiarch -nx -q -batch -ex 'python argv = ["SOCKET", "PID", "PERCENT", "TASK"...]' -x stub.py [FILE]
#
# A task is the name of a function below.  Each prints a line "STUB name wall-seconds CPU-seconds" of
# one operation; the CPU time is that of GDB and of the emulator, whose process is PID, together.

import os
import tempfile
import time

import gdb

where, pid, percent = argv[0], int(argv[1]), int(argv[2])
MiB = 1 << 20


def clocks():
    # Linux's clock for the CPU time of a process: clock_getcpuclockid
    return time.monotonic(), time.process_time() + time.clock_gettime((~pid << 3) | 2)


def quietly(command):
    gdb.execute(command, to_string=True)


def measure(name, operations, command):
    before = clocks()
    quietly(command)
    spans = [b - a for a, b in zip(before, clocks())]
    print("STUB %s %.4g %.4g" % (name, spans[0] / operations, spans[1] / operations), flush=True)
    return spans[0]


def false_condition():
    """Which is true only when it was looked at n times; the last figure counts."""
    n, spent = 50, 0
    while spent < 0.2 * percent / 100:
        n *= 4
        quietly("tbreak *target if $a4 == %d" % (gdb.parse_and_eval("$a4") + n))
        spent = measure("false_condition", n, "continue")


def stepi():
    n = max(100, 50 * percent)
    measure("stepi", n, "stepi %d" % n)


def attach():
    """With 10,000 breakpoints, which are in when it is done."""
    quietly("detach")
    for i in range(10000):
        quietly("break *(long)&cold+%d" % (4 * i))
    quietly("set breakpoint always-inserted on")
    measure("attach_10000", 1, "target remote " + where)


def dump():
    """Of RAM: with a Linux that is loaded, which fills half of it, and free."""
    size = max(1, 64 * percent // 100)
    for name, start in ("dump", 0x80000000), ("dump_free", 0x90000000):
        with tempfile.NamedTemporaryFile() as file:
            measure(name, size, "dump binary memory %s %d %d" % (file.name, start, start + size * MiB))


for setting in ("pagination off", "confirm off", "width 0", "debuginfod enabled off"):
    quietly("set " + setting)
quietly("target remote " + where)
for task in argv[3:]:
    globals()[task]()
quietly("kill")
