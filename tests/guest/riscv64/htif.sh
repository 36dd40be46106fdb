#!/bin/sh
# Programs with a symbol tohost: HTIF, to the instruction, on each engine.
. "$top_srcdir/tests/guest/riscv64/bare.sh"

# words: the two of HTIF, in a page that is data and code as well
words='
    .balign 64
    .globl tohost, fromhost
tohost: .dword 0
    .balign 64
fromhost: .dword 0
'
# asm NAME OPTION...: a program's text from standard input, and behind it the two words
asm() {
    { echo '.globl _start; .option norvc; _start:'; cat; echo "$words"; } >"$work/text"
    name=$1
    shift
    program "$name" S "$@" <"$work/text"
}

asm pass <<'END'
    li a0, 1
    la t0, tohost
    sd a0, (t0)
    j .
END
both pass 0 && counted 4
result $? "1 ends the machine at its store"

asm fail <<'END'
    li a0, 7 << 1 | 1
    la t0, tohost
    nop
    sd a0, (t0)
    j .
END
both fail 7 && counted 5
result $? "a failure's number is the exit status"

asm halves <<'END'
    li a0, 5 << 1 | 1
    la t0, tohost
    sw a0, (t0)
    sw zero, 4(t0)
    j .
END
both halves 5 && counted 5
result $? "two halves: the upper one is the request"

asm half <<'END'
    li a0, 5 << 1 | 1
    la t0, tohost
    sw a0, (t0)
    j .
END
both half 5 && count=$(sed -n 's/^count \([0-9]*\) .*/\1/p' "$work/err") && [ "$count" -gt 900 ] &&
    [ "$count" -lt 1100 ]
result $? "a lower half alone is the request a microsecond later"

# The loop is translated; each store leaves it.  Other stores to the page do not.
asm putchar <<'END'
    la t0, tohost
    la t4, fromhost
    li t1, 0x0101000000000000
    li t2, 1000
1:  andi t3, t2, 7
    addi t3, t3, 'a'
    or t3, t3, t1
    sd t3, (t0)
    ld t5, (t0)
    bnez t5, 3f
    sd t5, 8(t0)
    sd t5, (t4)
    addi t2, t2, -1
    bnez t2, 1b
    li t3, 0x010100000000000a
    sd t3, (t0)
    li t5, 0
3:  slli t5, t5, 1
    ori t5, t5, 1
    sd t5, (t0)
    j .
END
both putchar 0 && [ "$(wc -c <"$work/out")" = 1001 ] && [ "$(head -c 8 "$work/out")" = ahgfedcb ]
result $? "characters; tohost is 0 again at once"

asm syscalls <<'END'
    la s0, tohost
    la s1, fromhost
    la s2, block
    la t0, text             # write(1, text, 6)
    sd t0, 16(s2)
    sd s2, (s0)
    ld t0, (s1)             # the answer is there
    li a0, 1
    bne t0, a0, bad
    ld t0, (s2)
    li a0, 6
    bne t0, a0, bad
    sd zero, (s1)
    li t0, 64               # to a handle that there is not: -EBADF
    sd t0, (s2)
    li t0, 5
    sd t0, 8(s2)
    sd s2, (s0)
    sd zero, (s1)
    ld t0, (s2)
    li a0, -9
    bne t0, a0, bad
    li t0, 64               # from where there is no memory: -EFAULT
    sd t0, (s2)
    li t0, 2
    sd t0, 8(s2)
    sd zero, 16(s2)
    sd s2, (s0)
    sd zero, (s1)
    ld t0, (s2)
    li a0, -14
    bne t0, a0, bad
    li t0, 1000             # a call that there is not: -ENOSYS
    sd t0, (s2)
    sd s2, (s0)
    sd zero, (s1)
    ld t0, (s2)
    li a0, -38
    bne t0, a0, bad
    li t0, 93               # exit(3)
    sd t0, (s2)
    li t0, 3
    sd t0, 8(s2)
    sd s2, (s0)
    j .
bad:
    li t0, 99 << 1 | 1
    sd t0, (s0)
    j .
    .balign 8
block: .dword 64, 1, 0, 6, 0, 0, 0, 0
text: .ascii "hello\n"
END
both syscalls 3 && printed 'hello\n'
result $? "system calls: write, errors, exit"

# Answers wait for fromhost, in order.
asm answers <<'END'
    la s0, tohost
    la s1, fromhost
    la s2, block
    la t0, text
    sd t0, 16(s2)
    sd s2, (s0)
    li t0, 0x01ff000000000000   # the name of device 1
    la t1, name
    slli t1, t1, 8
    ori t1, t1, 0xff
    or t0, t0, t1
    sd t0, (s0)
    ld t0, (s1)
    li a0, 1
    bne t0, a0, bad
    sd zero, (s1)
    ld t0, (s1)
    li a0, 0x01ff000000000001
    bne t0, a0, bad
    sd zero, (s1)
    ld t0, (s1)
    bnez t0, bad
    la t1, name
    lw t0, (t1)
    li a0, 0x646362             # "bcd"
    bne t0, a0, bad
    li t0, 1
    sd t0, (s0)
    j .
bad:
    li t0, 99 << 1 | 1
    sd t0, (s0)
    j .
    .balign 8
block: .dword 64, 1, 0, 1, 0, 0, 0, 0
name: .space 64, 0xee
text: .ascii "."
END
both answers 0 && printed .
result $? "answers wait for fromhost, in order"

asm echo <<'END'
    la s0, tohost
    la s1, fromhost
1:  li t0, 0x0100000000000000
    sd t0, (s0)
2:  ld t1, (s1)
    beqz t1, 2b
    sd zero, (s1)
    andi t1, t1, 0xff
    li t0, 0x0101000000000000
    or t0, t0, t1
    sd t0, (s0)
    li t0, 'q'
    bne t1, t0, 1b
    li t0, 1
    sd t0, (s0)
    j .
END
printf 'some keys, q' >"$work/in"
for engine in $engines; do
    timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" run "$work/echo" --engine $engine \
        >"$work/out" 2>"$work/err" <"$work/in"
    status=$?
    why
    [ $status = 0 ] && printed 'some keys, q'
    result $? "$engine: characters from the console"
done
rm "$work/in"

# Misaligned stores and atomics ring as well; the device tree is in a1, hart numbers in a0.
asm forms <<'END'
    csrr t0, mhartid
    bne t0, a0, bad
    lwu t0, (a1)
    li t1, 0xedfe0dd0
    bne t0, t1, bad
    la s0, tohost
    li t1, 0x0101000000000000
    ori t1, t1, 'A'
    amoswap.d t2, t1, (s0)
    bnez t2, bad
    ld t2, (s0)
    bnez t2, bad
    li t1, 'B'                  # "B", by a store of bytes 4 to 11
    sw t1, (s0)
    li t1, 0x01010000
    sd t1, 4(s0)
    li t0, 1
    sd t0, (s0)
    j .
bad:
    la s0, tohost
    li t0, 99 << 1 | 1
    sd t0, (s0)
    j .
END
both forms 0 && printed AB
result $? "atomics and misaligned stores ring; a0 and a1 at the start"

{
    echo '.globl _start, tohost; _start: j .; .balign 8; .byte 0; tohost: .dword 0'
} | program odd S
refuses tohost run "$work/odd"

# ---- harts ----
# Each adds to a counter, by lr and sc and by an atomic; the last one to come reports.
cat >"$work/harts.text" <<'END'
    la s0, sum
    li s1, 20000
    li s3, 3
1:  lr.d t0, (s0)
    addi t0, t0, 1
    sc.d t1, t0, (s0)
    bnez t1, 1b
    addi t2, s0, 8
    amoadd.w zero, s3, (t2)
    addi s1, s1, -1
    bnez s1, 1b
    addi t2, s0, 16
    li t0, 1
    amoadd.d t1, t0, (t2)
    lw t3, 24(s0)               # how many harts there are
    addi t1, t1, 1
    bne t1, t3, wait
    ld t0, (s0)
    li t4, 20000
    mul t4, t4, t3
    bne t0, t4, bad
    lw t0, 8(s0)
    mul t4, t4, s3
    bne t0, t4, bad
    li t0, 1
    la s0, tohost
    sd t0, (s0)
    j .
bad:
    li t0, 99 << 1 | 1
    la s0, tohost
    sd t0, (s0)
wait:
    wfi
    j wait
    .balign 8
sum: .dword 0, 0, 0, HARTS
END
for n in 2 4 8; do
    asm harts$n -DHARTS=$n <"$work/harts.text"
    both harts$n 0 --cpus $n && both harts$n 0 --cpus $n --slice 100 &&
        both harts$n 0 --cpus $n --slice 101
    result $? "$n harts: lr and sc, atomics"
done
ends 2 "too short a slice for several CPUs" run "$work/harts2" --cpus 2 --slice 10

# A message around all harts, by interrupts to halted ones: count and time say what a step costs.
cat >"$work/ring.text" <<'END'
    .equ CLINT, 0x2000000
    la t0, trap
    csrw mtvec, t0
    li t0, 8
    csrw mie, t0
    slli s2, a0, 2
    li s3, CLINT
    add s2, s2, s3              # this hart's msip
    li s4, 0                    # rounds
    csrr s5, mhartid
    bnez s5, wait
    li t0, 100000               # the others are asleep by then
1:  addi t0, t0, -1
    bnez t0, 1b
    j send
wait:
    wfi
    lw t0, (s2)
    beqz t0, wait
    sw zero, (s2)
send:
    addi s4, s4, 1
    li t0, 500
    bgt s4, t0, end
    addi t0, s5, 1
    li t1, HARTS
    bne t0, t1, 2f
    li t0, 0
2:  slli t0, t0, 2
    add t0, t0, s3
    li t1, 1
    sw t1, (t0)
    j wait
end:
    li t0, 0x200bff8            # mtime: half a millisecond at most
    ld t1, (t0)
    li t0, 5000
    bgtu t1, t0, trap
    li t0, 1
    la s0, tohost
    sd t0, (s0)
    j .
trap:
    li t0, 99 << 1 | 1
    la s0, tohost
    sd t0, (s0)
    j .
END
for n in 2 8; do
    asm ring$n -DHARTS=$n <"$work/ring.text"
    both ring$n 0 --cpus $n --slice 5000 && count=$(sed -n 's/^count \([0-9]*\) .*/\1/p' "$work/err") &&
        [ "$count" -lt $((210000 + 500 * n * 20)) ]
    result $? "$n harts: a message goes around at once; who waits costs nothing"
done
plan
