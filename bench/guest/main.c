/*
 * main.c - runs benchmark programs by name.
 *
 *   run [-s PERCENT] NAME...     does PERCENT of the usual work; prints for each
 *                                  BENCH NAME START
 *                                  BENCH NAME END ns of time, ns of CPU time, both as it believes
 *                                  BENCH NAME SUM xxxxxxxxxxxxxxxx
 *   run -l                       lists them: name, group, description, with tabs
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

struct program {
    const char *name, *group, *doc;
    unsigned long work;
    uint64_t (*run)(unsigned long n);
};

static const struct program programs[] = {
#define PROGRAM(name, group, work, doc) {#name, #group, doc, work, bench_##name},
#include "programs.def"
#undef PROGRAM
};
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static const char *running;
static uint64_t started, used;

void bench_die(const char *what)
{
    fprintf(stderr, "BENCH %s FAILED: %s: %s\n", running, what, strerror(errno));
    exit(1);
}

void *bench_alloc(size_t bytes)
{
    char *p = malloc(bytes);

    if (!p)
        bench_die("malloc");
    memset(p, 0, bytes);
    return p;
}

/* One write a line, so that it leaves at once. */
static void say(const char *text)
{
    char line[80];
    int len = snprintf(line, sizeof(line), "BENCH %s %s\n", running, text);

    if (write(STDOUT_FILENO, line, (size_t)len) != len)
        bench_die("write");
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* CPU time of this process and of those that it waited for. */
static uint64_t used_ns(void)
{
    uint64_t us = 0;

    for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
        struct rusage u;
        getrusage(who, &u);
        us += (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
              (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    }
    return us * 1000;
}

void bench_start(void)
{
    say("START");
    tcdrain(STDOUT_FILENO); /* of no effect on a pipe */
    used = used_ns();
    started = now_ns();
}

void bench_end(void)
{
    uint64_t wall = now_ns() - started;
    char text[60];

    snprintf(text, sizeof(text), "END %llu %llu", (unsigned long long)wall,
             (unsigned long long)(used_ns() - used));
    say(text);
}

/* The guest has one CPU; what runs on the host is to have no more. */
static void stay_on_this_cpu(void)
{
    cpu_set_t set;
    int cpu = sched_getcpu();

    CPU_ZERO(&set);
    if (cpu >= 0) {
        CPU_SET(cpu, &set);
        sched_setaffinity(0, sizeof(set), &set);
    }
}

static void run(const struct program *p, unsigned long percent)
{
    unsigned long n = p->work * percent / 100;
    char text[40];

    running = p->name;
    uint64_t sum = p->run(n ? n : 1);
    snprintf(text, sizeof(text), "SUM %016llx", (unsigned long long)sum);
    say(text);
}

static const struct program *find(const char *name)
{
    for (size_t i = 0; i < PROGRAMS; i++)
        if (!strcmp(programs[i].name, name))
            return &programs[i];
    fprintf(stderr, "run: no program %s; run -l lists them\n", name);
    exit(2);
}

static void list(void)
{
    for (size_t i = 0; i < PROGRAMS; i++)
        printf("%s\t%s\t%s\n", programs[i].name, programs[i].group, programs[i].doc);
}

int main(int argc, char **argv)
{
    unsigned long percent = 100;
    int opt;

    if (argc == 2 && !strcmp(argv[1], BENCH_CHILD))
        _exit(0);
    while ((opt = getopt(argc, argv, "ls:")) != -1) {
        if (opt == 'l') {
            list();
            return 0;
        }
        if (opt != 's')
            return 2;
        percent = strtoul(optarg, NULL, 10);
    }
    stay_on_this_cpu();
    for (int i = optind; i < argc; i++)
        run(find(argv[i]), percent);
    return 0;
}
