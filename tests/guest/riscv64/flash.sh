#!/bin/sh
# A program in flash, which programs, erases and runs flash and reads fw_cfg, to the instruction, on
# each engine.
. "$top_srcdir/tests/guest/riscv64/bare.sh"

# The program ends with the number of the step that went wrong.
program boot S -Wl,-Ttext=0x20000000 <<'END'
    .macro must number, value
        li t6, \value
        li s11, \number
        bne a0, t6, fail
    .endm
    # a command, a word behind it; a0: the status
    .macro command cmd, offset, value
        li t0, 0x22000000 + \offset
        li t1, \cmd * 0x10001
        sw t1, (t0)
        li t1, \value
        sw t1, (t0)
        lw a0, (t0)
    .endm
    .macro array
        li t0, 0x22000000
        li t1, 0x00ff00ff
        sw t1, (t0)
    .endm
    .globl _start
    .option norvc
_start:
    # the handler goes to RAM: it shows the first bank and returns a0 = mcause to ra
    la t0, handler
    li t1, 0x80000000
    csrw mtvec, t1
    la t2, end
1:  lw t3, (t0)
    sw t3, (t1)
    addi t0, t0, 4
    addi t1, t1, 4
    bne t0, t2, 1b

    li s0, 0x22000000
    lw a0, (s0)
    must 1, -1
    command 0x40, 0, 0x02a00513  # li a0, 42
    must 2, 0x00800080
    command 0x40, 4, 0x00008067  # ret
    array
    jalr s0
    must 3, 42
    li s1, 50
2:  jalr s0
    addi s1, s1, -1
    bnez s1, 2b
    command 0x40, 0, 0x00800513  # li a0, 8: only clears bits
    array
    jalr s0
    must 4, 8

    # hidden: no code, then the same code again
    li t1, 0x00700070
    sw t1, (s0)
    jalr s0
    must 5, 1
    array
    jalr s0
    must 6, 8

    # this program's own bank, under its feet
    la ra, 3f
    li t0, 0x20000000
    li t1, 0x00700070
    sw t1, (t0)
    j fail
3:  must 7, 1

    command 0x20, 0, 0x00d000d0  # erase
    must 8, 0x00800080
    array
    lw a0, 4(s0)
    must 9, -1
    jalr s0
    must 10, 2                    # an illegal instruction
    command 0x20, 0, 0x00ff00ff
    must 11, 0x00b000b0
    command 0x50, 0, 0x00ff00ff
    must 12, -1

    # two words by the buffer
    command 0xe8, 0x1000, 0x00010001
    li t1, 0x00900513             # li a0, 9
    sw t1, (t0)
    li t1, 0x00008067
    sw t1, 4(t0)
    li t1, 0x00d000d0
    sw t1, (t0)
    lw a0, (t0)
    must 13, 0x00800080
    array
    li t0, 0x22001000
    jalr t0
    must 14, 9

    # fw_cfg: "abcd" to 0x80001000, by a description at 0x80000800
    li t0, 0x80000800
    li t1, 0x040000000a002000     # select the first file and read; 4 bytes
    sd t1, (t0)
    li t1, 0x0010008000000000
    sd t1, 8(t0)
    li t1, 0x0008008000000000
    li t2, 0x10100000
    sd t1, 16(t2)
    lw a0, (t0)
    must 15, 0
    li t0, 0x80001000
    lw a0, (t0)
    must 16, 0x64636261
    li t1, 0x5555
    j finish

fail:
    li t1, 0x3333
    slli s11, s11, 16
    or t1, t1, s11
finish:
    li t0, 0x100000
    sw t1, (t0)
    j .

handler:
    csrr a0, mcause
    li t5, 0x20000000
    li t6, 0x00ff00ff
    sw t6, (t5)
    csrw mepc, ra
    mret
end:
END
riscv64-linux-gnu-objcopy -O binary "$work/boot" "$work/rom"
truncate -s %512 "$work/rom"

rm -f "$work/first"
for engine in $engines; do
    gb run --flash "$work/rom,ro" --fw-cfg opt/org.glovebox/a=string:abcd --engine $engine --hash
    why
    grep '^count ' "$work/err" >"$work/this"
    [ -e "$work/first" ] || cp "$work/this" "$work/first"
    [ $status = 0 ] && cmp "$work/first" "$work/this" >>"$work/why"
    result $? "$engine: boots from flash; the same hash"
done
if [ "$engines" = "interp jit" ]; then
    gb verify --flash "$work/rom,ro" --fw-cfg opt/org.glovebox/a=string:abcd --interval 1
    why
    [ $status = 0 ] && grep -q "^same at" "$work/out"
    result $? "verify: after every instruction"
else
    skip "verify: after every instruction" "$one_engine"
fi

# What the guest programs is in the file, and there at the next start.
program keep S -Wl,-Ttext=0x20000000 <<'END'
    .globl _start
_start:
    li s0, 0x22000200
    lw a0, (s0)
    li t0, 0x00400040
    li t1, 0x64636261
    sw t0, (s0)
    sw t1, (s0)
    lw a1, (s0)
    slli a1, a1, 56             # one chip's status is the failure's number
    srli a1, a1, 40
    li t2, 0x3333
    or t2, t2, a1
    bne a0, t1, 1f
    li t2, 0x5555
1:  li t0, 0x100000
    sw t2, (t0)
    j .
END
riscv64-linux-gnu-objcopy -O binary "$work/keep" "$work/rom"
truncate -s %512 "$work/rom"
truncate -s 1024 "$work/data"
tr '\000' '\377' <"$work/data" >"$work/flash"
ends 128 "programs a file" run --flash "$work/rom,ro" --flash "$work/flash"
[ "$(tail -c 512 "$work/flash" | head -c 4)" = abcd ] && [ "$(wc -c <"$work/flash")" = 1024 ]
result $? "the file holds what was programmed"
ends 0 "it is there at the next start" run --flash "$work/rom,ro" --flash "$work/flash,ro"
tr '\000' '\377' <"$work/data" >"$work/flash"
ends 144 "a file that is read only: an error in the status" \
    run --flash "$work/rom,ro" --flash "$work/flash,ro"
said "and a message" "flash1: the guest cannot write there: its file is read only"
head -c 512 "$work/flash" >"$work/short"
ends 144 "behind the file's end: likewise" run --flash "$work/rom,ro" --flash "$work/short"
said "and another message" "flash1: the guest cannot write there: its file ends before"
plan
