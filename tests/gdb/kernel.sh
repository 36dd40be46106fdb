#!/bin/sh
# GDB on a Debian kernel that runs on four harts: what it says of itself in /proc/kallsyms is all that
# is known of it.
compiler=
. "$top_srcdir/tests/real/lib.sh"
. "$top_srcdir/tests/gdb/lib.sh"

mkfifo "$work/keys"
exec 3<>"$work/keys"
begin "$GLOVEBOX" run "$guest/Image" --initrd "$guest/initramfs.cpio.gz" --append console=ttyS0 --cpus 4 \
    --gdb "unix:$socket" <"$work/keys" >"$work/serial" 2>"$work/machine.err" 3<&-
machine=$pid
exec 3>"$work/keys"

# guest_says SECONDS PATTERN: until the guest has printed it
guest_says() {
    await "$1" grep -qE -- "$2" "$work/serial" && return
    { tail -n 20 "$work/serial"; cat "$work/machine.err"; } >"$work/why"
    return 1
}

await_server
guest_says 60 '^~ #'
result $? "the guest's shell is there"
echo "grep -E ' (panic_timeout|do_sys_openat2|__riscv_sys_openat)\$' /proc/kallsyms; echo TO''LD" >&3
guest_says 60 '^TOLD'
result $? "it tells addresses"
address() { sed -n "s/^\([0-9a-f]\{16\}\) . $1\r*\$/0x\1/p" "$work/serial"; }
openat=$(address __riscv_sys_openat) inner=$(address do_sys_openat2)
timeout=$(address panic_timeout)

# Of the system call's registers, saved at $a0, the path is the 11th of the user's: a1.
gdb_says <<END
info threads
thread apply all print \$priv
print \$satp
hbreak *$openat if ((char *)*(long *)(\$a0 + 88))[6] == 'v'
shell echo 'cat /etc/passwd /proc/uptime /proc/version' >$work/keys
continue
x/s *(char **)(\$a0 + 88)
print \$pc == $openat
rwatch -l *(char *)(*(long *)(\$a0 + 88))
continue
delete
stepi 20
tbreak *$inner
shell echo 'cat /etc/passwd' >$work/keys
continue
x/i \$pc
info registers
monitor walk $timeout
detach
END
has "attach to it, a condition, the user's memory, steps, detach" 'CPU 0' 'CPU 1' 'CPU 2' 'CPU 3' \
    '^\$[0-9]+ = \[ .*priv' '^\$[0-9]+ = \[ .*MODE=sv' 'Hardware assisted breakpoint 1' 'Breakpoint 1, 0x' \
    '"/proc/version"$' '^\$[0-9]+ = 1$' '^Hardware read watchpoint 2' \
    'hit Hardware read watchpoint 2' '^Value = 47' \
    'Temporary breakpoint 3, 0x' "=> $inner" '^sp ' 'physical 0x' 'detached'

echo "echo 6''7''89" >&3
guest_says 60 '^6789'
result $? "it carries on behind that"

# GDB's own catchpoints are of Linux programs, which it has to be told before it connects.
gdb_says <<END
detach
set osabi GNU/Linux
target remote $socket
catch syscall openat
shell echo 'cat /proc/version' >$work/keys
continue
x/s \$a1
continue
print (int)\$a0 > 0
delete
catch syscall 64
shell echo 'echo A''B''C' >$work/keys
continue
print \$a7
continue
delete
catch syscall
continue
continue
info breakpoints
detach
END
if grep -q "'catch syscall' is not supported" "$work/said"; then
    skip "system calls" "this GDB has no catch syscall for RISC-V (17 has)"
else
    has "system calls: by name, by number, any" "Catchpoint 1 \\(syscall 'openat' \\[56\\]\\)" \
        'Catchpoint 1 \(call to syscall openat\)' '"/proc/version"' \
        'Catchpoint 1 \(returned from syscall openat\)' '= 1' \
        "Catchpoint 2 \\(syscall 'write' \\[64\\]\\)" 'Catchpoint 2 \(call to syscall write\)' '= 64' \
        'Catchpoint 2 \(returned from syscall write\)' 'Catchpoint 3 \(any syscall\)' \
        'Catchpoint 3 \(call to syscall' 'Catchpoint 3 \((returned from|call to) syscall' \
        'syscall "<any syscall>"' 'detached'
    guest_says 10 '^ABC'
    result $? "it carries on behind them"
fi

gdb_says <<END
watch *(int *)$timeout
shell echo 'echo 77 >/proc/sys/kernel/panic' >$work/keys
continue
print *(int *)$timeout
delete
thread 3
p \$pc != 0
kill
END
has "a second visit: a variable of the kernel, a thread, kill" 'hit Hardware watchpoint 1:' \
    '^Old value = 0$' '^New value = 77$' '^\$1 = 77$' 'Switching to thread' '^\$2 = 1$'
machine_ends "kill ends it"
exec 3>&-
end_machine
plan
