/*
 * micro_guest.S - loops of single operations, for micro.c: a program that starts in S-mode at
 * 0x80200000, runs one loop and powers off by SBI.
 *
 * micro.c writes the parameters before it starts, and sets the disk up.  Memory (Sv39):
 *     0x00000000, 0x80000000    1 GiB each, as they are
 *     0x100000000               1 GiB of 4 KiB pages that are all the same one
 *     0x200000000               nothing
 */
#define ALIASES 0x100000000
#define NOTHING 0x200000000
#define UART_LSR 0x10000005

/* From `queue` on: the index of the available ring, that of the used ring, the request's sector. */
#define AVAIL_IDX 0x102
#define USED_IDX 0x202
#define SECTOR 0x308

/* PTE bits (privileged specification, 12.3) */
#define TABLE 0x01
#define LEAF  0xcf /* V R W X A D */

    .section .text
    .globl _start
_start:
    j start
    .balign 8
loop_number: .dword 0 /* at _start + 8 */
rounds:      .dword 0 /* at _start + 16 */
queue:       .dword 0 /* at _start + 24: the disk's rings and request, as below, ... */
notify:      .dword 0 /* at _start + 32: ... and the register for it */

start:
    /* Tables: root[0], [2] as they are, [4] to `middle`, of which every entry leads to `bottom`,
     * of which every entry is `data`. */
    la s0, root
    li t0, LEAF
    sd t0, 0(s0)
    li t0, (0x80000000 >> 2) | LEAF
    sd t0, 16(s0)
    la s1, middle
    srli t0, s1, 2
    ori t0, t0, TABLE
    sd t0, 32(s0)
    la t1, bottom
    srli t0, t1, 2
    ori t0, t0, TABLE
    la t2, data
    srli t3, t2, 2
    ori t3, t3, LEAF
    li t4, 512
1:  sd t0, 0(s1)
    sd t3, 0(t1)
    addi s1, s1, 8
    addi t1, t1, 8
    addi t4, t4, -1
    bnez t4, 1b
    srli t0, s0, 12
    li t1, 8 << 60 /* satp.MODE: Sv39 */
    or t0, t0, t1
    csrw satp, t0
    sfence.vma
    la t0, on_trap
    csrw stvec, t0
    li t0, 1 << 13 /* sstatus.FS: initial */
    csrs sstatus, t0

    li s0, ALIASES
    li t0, 4096 << 12 /* pages that even the largest L1 has but one place for */
    add s1, s0, t0
    add s2, s1, t0
    add s3, s2, t0
    li s4, NOTHING
    li s5, UART_LSR
    li s6, 4096
    li s8, 0
    li s9, (1 << 30) - 1
    la s7, far
    ld s10, queue
    ld s11, notify
    ld a2, rounds
    ld t0, loop_number
    slli t0, t0, 3
    la t1, loops
    add t0, t0, t1
    ld t0, 0(t0)
    jalr t0

    /* SBI: system reset, shutdown */
    li a7, 0x53525354
    li a6, 0
    li a0, 0
    li a1, 0
    ecall
1:  j 1b

    .balign 4
on_trap:
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    sret

/* A loop: the operations in between, a2 times.  Two of 8 bytes end it. */
.macro begin name
    .balign 64
\name:
.endm
.macro end name
    addi a2, a2, -1
    bnez a2, \name
    ret
.endm

begin empty
end empty

begin alu
    add t0, t0, a2
    xor t1, t0, a2
    add t2, t2, t1
    sub t3, t2, a2
    add t4, t4, t3
    xor t5, t4, a2
    add t6, t6, t5
    sub t0, t0, t6
end alu

begin load
    ld t0, 0(s0)
    ld t1, 64(s0)
    ld t2, 128(s0)
    ld t3, 192(s0)
    ld t4, 256(s0)
    ld t5, 320(s0)
    ld t6, 384(s0)
    ld a3, 448(s0)
end load

begin chain /* data is zero: each address depends on the load before */
    ld t0, 0(s0)
    add t0, t0, s0
    ld t0, 64(t0)
    add t0, t0, s0
    ld t0, 128(t0)
    add t0, t0, s0
    ld t0, 192(t0)
    add t0, t0, s0
    ld t0, 256(t0)
    add t0, t0, s0
    ld t0, 320(t0)
    add t0, t0, s0
    ld t0, 384(t0)
    add t0, t0, s0
    ld t0, 448(t0)
end chain

begin store
    sd a2, 512(s0)
    sd a2, 576(s0)
    sd a2, 640(s0)
    sd a2, 704(s0)
    sd a2, 768(s0)
    sd a2, 832(s0)
    sd a2, 896(s0)
    sd a2, 960(s0)
end store

begin second
    ld t0, 0(s0)
    ld t1, 0(s1)
    ld t2, 0(s2)
    ld t3, 0(s3)
    ld t0, 0(s0)
    ld t1, 0(s1)
    ld t2, 0(s2)
    ld t3, 0(s3)
end second

begin walk /* 2^18 pages in turn: more than L2 has (4096 sets of 4) */
    and s8, s8, s9
    add t1, s8, s0
    li t2, 8
1:
    .rept 8
    ld t0, 0(t1)
    add t1, t1, s6
    .endr
    addi t2, t2, -1
    bnez t2, 1b
    sub s8, t1, s0
end walk

begin device
    lbu t0, 0(s5)
end device

begin blk /* one request after the other; all have descriptor 0 */
    addi s8, s8, 1
    slli t0, s8, 3
    andi t0, t0, 0x7f8
    sd t0, SECTOR(s10)
    sh s8, AVAIL_IDX(s10)
    sw zero, (s11)
1:  lhu t0, USED_IDX(s10)
    sub t0, t0, s8
    slli t0, t0, 48
    bnez t0, 1b
end blk

begin blocks
    .rept 64
    ld t0, 0(s0)
    addi t0, t0, 1
    add t1, t1, t0
    sd t1, 8(s0)
    lw t2, 64(s0)
    andi t2, t2, 15
    beq t2, s6, 1f
    .endr
1:
end blocks

begin call
    mv a4, ra
    jal near
    jal near
    jal near
    jal near
    mv ra, a4
end call
near:
    ret

begin callfar
    mv a4, ra
    jalr s7
    jalr s7
    jalr s7
    jalr s7
    mv ra, a4
end callfar

begin fault
    .option push
    .option norvc
    lw t1, 0(s4)
    .option pop
end fault

begin sbi /* base extension: the specification's version */
    li a7, 0x10
    li a6, 0
    ecall
end sbi

begin csr
    csrr t0, sscratch
    csrw sscratch, a2
    csrr t1, sscratch
    csrw sscratch, a2
end csr

begin fma /* four chains */
    fmadd.d ft0, ft0, ft9, ft10
    fmadd.d ft1, ft1, ft9, ft10
    fmadd.d ft2, ft2, ft9, ft10
    fmadd.d ft3, ft3, ft9, ft10
    fmadd.d ft0, ft0, ft9, ft10
    fmadd.d ft1, ft1, ft9, ft10
    fmadd.d ft2, ft2, ft9, ft10
    fmadd.d ft3, ft3, ft9, ft10
end fma

begin fadd /* four chains */
    fadd.d ft0, ft0, ft9
    fadd.d ft1, ft1, ft9
    fadd.d ft2, ft2, ft9
    fadd.d ft3, ft3, ft9
    fadd.d ft0, ft0, ft9
    fadd.d ft1, ft1, ft9
    fadd.d ft2, ft2, ft9
    fadd.d ft3, ft3, ft9
end fadd

begin atomic
    amoadd.d t0, a2, (s0)
    amoadd.d t1, a2, (s0)
    amoadd.d t2, a2, (s0)
    amoadd.d t3, a2, (s0)
end atomic

    .balign 4096
far:
    ret

    .balign 8
loops:
#define LOOP(name, ops, thousands, each, counter, doc) .dword name;
#include "micro.def"
#undef LOOP

    .section .bss
    .balign 4096
root:   .space 4096
middle: .space 4096
bottom: .space 4096
data:   .space 4096
