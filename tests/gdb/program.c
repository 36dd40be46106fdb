/* program.c - what GDB looks at in the tests: functions, variables, all harts busy. */
struct pair {
    int first;
    long second;
};

volatile long tohost[8] __attribute__((aligned(64)));
volatile int counter;
volatile long total;
struct pair pair = {1, 2};
char text[] = "a text to be found";
volatile long spins[8];

__attribute__((noinline)) int twice(int x)
{
    return 2 * x;
}

__attribute__((noinline)) long work(int n)
{
    long sum = 0;

    for (int i = 0; i < n; i++) {
        counter = i;
        sum += twice(i);
    }
    return sum;
}

__attribute__((noinline)) void round(void)
{
    total += work(10);
    pair.first++;
    pair.second -= 3;
}

void other(long hart)
{
    for (;;)
        spins[hart]++;
}

/* Goes on when the other hart has. */
__attribute__((noinline)) void meet(void)
{
    long met = spins[1] + 100000;

    while (spins[1] < met)
        ;
    counter = -1;
    total = met;
}

__asm__(".globl sleep\n"
        "sleep: wfi\n"
        "j sleep\n");

int main(void)
{
    for (;;)
        round();
}

#include "start.h"
