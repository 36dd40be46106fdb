/* ends.c - a program that ends the machine with status 3. */
volatile long tohost[8] __attribute__((aligned(64)));

__attribute__((noinline)) void leave(long code)
{
    tohost[0] = code << 1 | 1;
    for (;;)
        ;
}

int main(void)
{
    leave(3);
}

char stack[4096] __attribute__((aligned(16)));

__asm__(".section .text.start, \"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        ".option push\n"
        ".option norelax\n"
        "la sp, stack + 4096\n"
        ".option pop\n"
        "j main\n");
