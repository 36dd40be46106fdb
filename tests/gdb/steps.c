/* steps.c - what the console's steps are tried on: calls, recursion, lines; with TICKING, and timer
 * interrupts whose handler calls the same functions.  Lines with a remark are known to steps.sh by
 * it. */
volatile long tohost[8] __attribute__((aligned(64)));
volatile long total, ticks;

#ifndef TICKING
#define TICKING 0
#endif
#define MTIME       ((volatile unsigned long *)0x0200bff8)
#define MTIMECMP(h) ((volatile unsigned long *)0x02004000 + (h))

__attribute__((noinline)) long twice(long x)
{
    total += x;
    return 2 * x;
}

__attribute__((noinline)) long sum(long n)
{
    if (n == 0) /* sum 1 */
        return 0;
    total += n;            /* sum 3 */
    return n + sum(n - 1); /* sum 4 */
} /* sum 5 */

__attribute__((noinline)) long fill(long *to, long n)
{
    for (long i = 0; i < n; i++)
        to[i] = twice(i);
    return n;
}

long words[64];

__attribute__((noinline)) void work(void)
{
    long a = twice(3); /* work 1 */
    long b = sum(5);   /* work 2 */
    total = a + b;     /* work 3 */
    fill(words, 3);    /* work 4 */
    total++;           /* work 5 */
} /* work 6 */

__attribute__((interrupt, aligned(4))) void tick(void)
{
    ticks += twice(sum(2));
    *MTIMECMP(0) = *MTIME + 7;
}

int main(void)
{
    if (TICKING) {
        *MTIMECMP(0) = *MTIME + 7;
        /* MTIE; MIE, and FS, since a handler that calls functions saves all that they may use. */
        __asm__ volatile("csrw mtvec, %0; csrs mie, %1; csrs mstatus, %2" ::"r"(tick), "r"(0x80),
                         "r"(0x2008));
    }
    for (;;)
        work(); /* main 1 */
}

/* The other harts call the same functions, too. */
void other(void)
{
    for (;;)
        work();
}

#include "start.h"
