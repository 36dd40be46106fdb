/*
 * rsp.S - what tests/gdb/rsp.c looks at: the user of hart 0 makes two system calls in a loop and counts
 * its rounds in s0; the other harts count in memory.
 */
    .option norvc
    .section .text.start, "ax"
    .globl _start
_start:
    bnez a0, spin
    la t0, trap
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0x1800
    csrc mstatus, t0
    la t0, user
    csrw mepc, t0
    mret
    .org 0x40
trap:
    csrr t0, mepc
    addi t0, t0, 4
    csrw mepc, t0
    mret
    .org 0x80
user:
    addi s0, s0, 1
    li a7, 64
    ecall
    li a7, 93
    ecall
    j user
    .org 0xc0
spin:
    la t0, counter
1:  ld t1, 0(t0)
    addi t1, t1, 1
    sd t1, 0(t0)
    j 1b
    .org 0x100
counter:
    .dword 0
text:
    .asciz "find me"
    .balign 64
    .globl tohost
tohost:
    .dword 0
    .balign 4096
