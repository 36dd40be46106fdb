/* system.c - syscall, fault, pipe, signal, forkexec: what goes through the kernel. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define FAULT_BYTES (16u << 20)
#define PAGE        4096

uint64_t bench_syscall(unsigned long n)
{
    unsigned long same = 0;
    pid_t parent = getppid();

    bench_start();
    for (unsigned long i = 0; i < n; i++)
        same += getppid() == parent;
    bench_end();
    return same;
}

uint64_t bench_fault(unsigned long n)
{
    uint64_t sum = 0;

    bench_start();
    for (unsigned long round = 0; round < n; round++) {
        volatile uint8_t *p =
            mmap(NULL, FAULT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            bench_die("mmap");
        /* A fault a page, also where the kernel would rather give 2 MiB at once. */
        madvise((void *)p, FAULT_BYTES, MADV_NOHUGEPAGE);
        for (size_t i = 0; i < FAULT_BYTES; i += PAGE) {
            p[i] = (uint8_t)(i / PAGE + round);
            sum += p[i] + p[i + 1];
        }
        munmap((void *)p, FAULT_BYTES);
    }
    bench_end();
    return sum;
}

/* The other end of bench_pipe: sends back each byte, one higher. */
static _Noreturn void echo(int in, int out)
{
    uint8_t byte;

    while (read(in, &byte, 1) == 1) {
        byte++;
        if (write(out, &byte, 1) != 1)
            break;
    }
    _exit(0);
}

uint64_t bench_pipe(unsigned long n)
{
    int there[2], back[2];
    uint64_t sum = 0;
    uint8_t byte = 0;

    if (pipe(there) || pipe(back))
        bench_die("pipe");
    pid_t child = fork();
    if (child < 0)
        bench_die("fork");
    if (!child) {
        close(there[1]);
        close(back[0]);
        echo(there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    bench_start();
    for (unsigned long i = 0; i < n; i++) {
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            bench_die("pipe");
        sum += byte;
    }
    close(there[1]);
    waitpid(child, NULL, 0);
    bench_end();
    close(back[0]);
    return sum;
}

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught += number;
}

uint64_t bench_signal(unsigned long n)
{
    struct sigaction action = {.sa_handler = on_signal};
    pid_t self = getpid();

    if (sigaction(SIGUSR1, &action, NULL))
        bench_die("sigaction");
    caught = 0;
    bench_start();
    for (unsigned long i = 0; i < n; i++)
        kill(self, SIGUSR1);
    bench_end();
    return (uint64_t)caught / SIGUSR1;
}

uint64_t bench_forkexec(unsigned long n)
{
    char self[] = "/proc/self/exe", word[] = BENCH_CHILD;
    char *argv[] = {self, word, NULL}, *envp[] = {NULL};
    uint64_t good = 0;

    bench_start();
    for (unsigned long i = 0; i < n; i++) {
        int status = 0;
        pid_t child = fork();
        if (child < 0)
            bench_die("fork");
        if (!child) {
            execve(self, argv, envp);
            _exit(1);
        }
        good += waitpid(child, &status, 0) == child && status == 0;
    }
    bench_end();
    return good;
}
