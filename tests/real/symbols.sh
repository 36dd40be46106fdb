#!/bin/sh
# The Debian kernel, by the names that it carries with it.
. "$top_srcdir/tests/real/lib.sh"

# console LINES: a script for the debugger
console() {
    printf "$1" | timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" debug "$guest/Image" \
        --initrd "$guest/initramfs.cpio.gz" --engine "$fast" \
        --append "console=ttyS0 guest=off" >"$work/out" 2>"$work/err"
    status=$?
    why
    [ $status = 0 ]
}

console 'symbols\nsymbol start_kernel\ntb start_kernel\nc\nx/s linux_banner\nbt\n'"\
"'b do_sys_openat2 if $a0 == -100 && u8[$a1] == 47\nc\nbt\nx/s a1\nfinish\nfinish\nnext 30\ni b\nd all\n'"\
"'watch jiffies_64\nc\nbt 3\nd all\ncatch syscall 64 if a0 == 1\nc\np scause\np a7\nd all\n'"\
"'catch trap store-page-fault\nc\np scause\nd all\nb __riscv_sys_reboot\nc\nbt\nd all\nc\n'
result $? "a boot with stops on the way"
[ "$(sed -n 's/^\([0-9]*\) names$/\1/p' "$work/out")" -gt 50000 ]
result $? "it has names"
said "of code" "code start_kernel, "
said "a function" "breakpoint 1, CPU 0"
said "a variable" '"Linux version 6.'
said "its caller" "_start_kernel+"
said "a condition on memory" "breakpoint 2, CPU 0"
said "from a call of a program" "do_trap_ecall_u+"
said "by way of the trap's frame" "handle_exception+"
said "a name of a file" ': "/'
grep -A 3 '^__riscv_sys_openat+' "$work/out" | grep -q '^do_trap_ecall_u+'
result $? "out of two functions"
said "a watched variable" "watchpoint 3: a write of 8 bytes"
said "in an interrupt" "tick_do_update_jiffies64+"
said "a system call" "catchpoint 4: trap 0x8, CPU 0"
said "its cause" "8 = 0x8"
said "its number" "64 = 0x40"
said "a trap by its cause" "catchpoint 5: trap 0x"
said "which is a page's" "15 = 0xf"
said "the end" "__riscv_sys_reboot+0x0"
said "is that of the machine" "the guest powered off"

# Stops change nothing.
console 'u 300000000\nhash\n'
want=$(grep ^count "$work/out")
console 'tb start_kernel\nc\nb mutex_lock if a0 == 1\nwatch jiffies_64\ncatch reg-write sscratch\n'"\
"'c\nc\nc\nc\nc\nc\nc\nc\nc\ndisable all\nenable 2\nu 300000000\nhash\n'
[ "$want" ] && [ "$(grep ^count "$work/out")" = "$want" ]
result $? "and none of it changes anything: $want"
plan
