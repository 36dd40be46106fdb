#!/bin/sh
# --dump on the Debian kernel: of a program in user space, by its own symbols.
. "$top_srcdir/tests/real/lib.sh"

# spin runs in 64 rounds, then the guest powers off: reboot, magic numbers, RB_POWER_OFF.
cat >"$work/hot.S" <<'END'
    .globl _start
_start:
    li s0, 64
1:  call spin
    addi s0, s0, -1
    bnez s0, 1b
    li a0, 0xfee1dead
    li a1, 672274793
    li a2, 0x4321fedc
    li a7, 142
    ecall
    .type spin, @function
spin:
    li a1, 1000
2:  xor a0, a0, a1
    addi a1, a1, -1
    bnez a1, 2b
    ret
    .size spin, . - spin
END
[ "$RISCV64_CC" ] || none_missing "no C compiler for riscv64"
$RISCV64_CC -nostdlib -static -o "$work/hot" "$work/hot.S" >"$work/why" 2>&1 &&
    "$LUA" - "$top_srcdir" "$guest/initramfs.cpio.gz" "$work" >>"$work/why" 2>&1 <<'END'
package.path = arg[1] .. "/bench/?.lua"
require("initramfs")(arg[2], arg[3] .. "/initramfs", { { "hot", arg[3] .. "/hot" } })
END
result $? "a program as /hot"

gb run "$guest/Image" --initrd "$work/initramfs" --append "console=ttyS0 rdinit=/hot" \
    --engine "$fast" --symbols "$work/hot" --dump spin --dump-out "$work/text"
why
[ $status = 0 ]
result $? "it runs"
grep "^====" "$work/text" >"$work/why"
grep -q "^==== .* <spin.*made for CPU 0" "$work/text"
result $? "its blocks are shown when they are made"
grep -q "c.xor a0,a1" "$work/text" && grep -q "xor v" "$work/text"
result $? "with guest code and IR"
[ "$fast" = interp ] || grep -q "^  [0-9a-f]*  j.* <STUB_LEFT_GOTO>" "$work/text"
result $? "and host code, if there is any"
[ "$fast" = interp ] || grep -q "^==== .* <spin.* linked from [1-9]" "$work/text"
result $? "and in the end with how they are linked"
plan
