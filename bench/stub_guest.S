/*
 * stub_guest.S - what bench/stub.c and bench/stub.py run behind a GDB server: a loop that counts its
 * rounds in s0, a page of code and of data around it that it does not use, and code that never runs.
 */
    .option norvc
    .globl _start
    .text
_start:
    la s1, data
    li s0, 0
    j hot

    .balign 4096
hot:
    ld a0, 0(s1)
    addi a0, a0, 1
    sd a0, 0(s1)
    xor a1, a1, a0
    slli a2, a1, 3
    add a3, a3, a2
    addi s0, s0, 1
target:
    mv a4, s0
    j hot
beside: /* on the same page */
    .rept 1000
    nop
    .endr
    .balign 4096
cold:
    .rept 10000
    nop
    .endr

    .balign 4096
data:
    .dword 0
    .balign 2048
beside_data:
    .dword 0
    .balign 4096
other_data:
    .dword 0
    .balign 4096
