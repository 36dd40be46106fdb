#!/bin/sh
# The debugger on the Debian kernel.
. "$top_srcdir/tests/real/lib.sh"

for engine in $engines; do
    cat >"$work/commands" <<'END'
step
step 2
disas
until 20000000
info cpus
regs satp sstatus
walk pc x
break pc
continue
continue
info breaks
delete 1
explain
x/4i pc
x/2xg sp
info counters tlb
info devices uart
until 20100000
hash
symbols
until mutex_lock
finish
next 500
until mutex_unlock
next 3
finish
info breaks
hash
END
    timeout -k 5 $SECONDS_MAX "$GLOVEBOX" debug "$guest/Image" --initrd \
        "$guest/initramfs.cpio.gz" --engine "$engine" <"$work/commands" >"$work/out" 2>"$work/err"
    status=$?
    why
    [ $status = 0 ] && [ ! -s "$work/err" ]
    result $? "$engine: a script"
    [ "$(sed -n 1p "$work/out")" = "stopped, CPU 0, count 0" ]
    result $? "$engine: it starts at the first instruction"
    said "$engine: which is the kernel's" "=> 0x0000000080200000  5a4d"
    said "$engine: one step" "count 1"
    said "$engine: two more" "count 3"
    said "$engine: to a count" "count 20000000"
    said "$engine: paging is on" "MODE:sv"
    said "$engine: a walk" "leaf"
    said "$engine: a breakpoint" "breakpoint 1, CPU 0"
    said "$engine: twice" "hit 2 times"
    said "$engine: the code behind it" "IR"
    said "$engine: to a function of a kernel that has no tables" "mutex_lock"
    said "$engine: of which nothing is left" "no breakpoints"
    tr '\n' ' ' <"$work/out" | grep -qE "mutex_lock [^:]*stopped, [^:]*\+0x[^:]*stopped, .* mutex_unlock "
    result $? "$engine: out of it, over calls, to another one"
    cp "$work/out" "$work/$engine"
done
last=$(tail -n 1 "$work/out")
printf 'until %s\nhash\n' "$(echo "$last" | cut -d' ' -f2)" >"$work/commands"
timeout -k 5 $SECONDS_MAX "$GLOVEBOX" debug "$guest/Image" --initrd "$guest/initramfs.cpio.gz" \
    --engine "$fast" <"$work/commands" >"$work/out" 2>"$work/err"
said "it would have come there all the same" "$last"
if [ -e "$work/interp" ] && [ -e "$work/jit" ]; then
    for text in "^stopped" "^breakpoint 1" "^count " "^satp" "hit 2"; do
        grep "$text" "$work/interp" >"$work/a"
        grep "$text" "$work/jit" >"$work/b"
        diff "$work/a" "$work/b" >"$work/why" && [ -s "$work/a" ]
        result $? "both engines say the same: $text"
    done
else
    skip "both engines say the same" "$one_engine"
fi
plan
