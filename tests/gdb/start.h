/*
 * start.h - where a bare program of C begins: a stack for each hart, and main for the first one,
 * other for those behind it.  To be included at the end.
 */
char stacks[8][4096] __attribute__((aligned(16)));

__asm__(".section .text.start, \"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        ".option push\n"
        ".option norelax\n"
        "la gp, __global_pointer$\n"
        "la sp, stacks\n"
        "addi t0, a0, 1\n"
        "slli t0, t0, 12\n"
        "add sp, sp, t0\n"
        ".option pop\n"
        "beqz a0, main\n"
        "j other\n"
        ".text\n"); /* where the compiler takes itself to be */
