/*
 * micro.c - what single operations cost, measured from inside.
 *
 *   micro GUEST [PERCENT]       GUEST: micro_guest.S, linked at 0x80200000
 *
 * Each loop of the guest runs in a machine of its own; the time of the empty loop is
 * taken off.  Prints lines for bench/run:
 *     MICRO name value unit description
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/log.h"
#include "cpu/guest.h"
#include "host/host_clock.h"
#include "machine/machine.h"

#define START       UINT64_C(0x80200000)
#define LOOP_NUMBER (START + 8)
#define ROUNDS      (START + 16)
#define MEMORY      (UINT64_C(64) << 20)

struct loop {
    const char *name, *doc;
    unsigned ops;    /* a round */
    uint64_t rounds; /* at 100 percent */
};

static const struct loop loops[] = {
#define LOOP(name, ops, thousands, doc) {#name, doc, ops, UINT64_C(1000) * (thousands)},
#include "micro.def"
#undef LOOP
};

struct bench {
    const char *guest;
    uint64_t percent;
    struct log log;
    double empty_ns; /* a round of the empty loop, in the engine at work */
};

static _Noreturn void die(const struct err *e)
{
    fprintf(stderr, "micro: %s\n", e->msg);
    exit(1);
}

static void say(const char *prefix, const char *name, double value, const char *unit,
                const char *doc)
{
    printf("MICRO %s%s %.4g %s %s\n", prefix, name, value, unit, doc);
    fflush(stdout);
}

static struct machine *new_machine(struct bench *b, const char *engine, struct err *e)
{
    struct tlb_config tlb = TLB_CONFIG_DEFAULT;
    struct machine_config config = {
        .board = {.machine = "virt",
                  .ncpus = 1,
                  .memory = MEMORY,
                  .kernel = b->guest,
                  .load_addr = UINT64_MAX,
                  .timebase = 10000000,
                  .log = &b->log},
        .guest = "riscv64",
        .engine = engine,
        .accel = {.break_op = -1},
        .tlb = tlb,
        .rate = 1000000000,
    };
    return machine_new(&config, e);
}

/* Runs a loop to the guest's end; the machine, for who wants to look at it. */
static struct machine *run_loop(struct bench *b, const char *engine, unsigned number,
                                uint64_t rounds, double *ns)
{
    struct err e;
    struct machine *m = new_machine(b, engine, &e);
    uint64_t parameters[2] = {number, rounds};
    unsigned code;

    if (!m)
        die(&e);

    mem_poke(machine_mem(m), LOOP_NUMBER, parameters, sizeof(parameters));
    uint64_t start = host_monotonic_ns();
    enum machine_stop stop = machine_run(m, UINT64_MAX);
    *ns = (double)(host_monotonic_ns() - start) / (double)rounds;
    if (stop != MACHINE_ENDED || machine_end(m, &code) != BOARD_POWEROFF) {
        fprintf(stderr, "micro: the guest did not come to its end in loop %s\n",
                loops[number].name);
        exit(1);
    }
    return m;
}

/* ns of a round: the best of three. */
static double time_loop(struct bench *b, const char *engine, unsigned number, uint64_t rounds)
{
    double best = 0;

    for (int i = 0; i < 3; i++) {
        double ns;
        machine_free(run_loop(b, engine, number, rounds, &ns));
        if (!i || ns < best)
            best = ns;
    }
    return best;
}

static uint64_t scaled(const struct bench *b, uint64_t n)
{
    n = n * b->percent / 100;
    return n ? n : 1;
}

static void jit_loops(struct bench *b)
{
    struct err e;
    struct machine *m = new_machine(b, "jit", &e);

    if (!m) {
        fprintf(stderr, "micro: the interpreter alone: %s\n", e.msg);
        return;
    }
    machine_free(m);
    b->empty_ns = time_loop(b, "jit", 0, scaled(b, loops[0].rounds));
    say("", "empty", b->empty_ns, "ns", loops[0].doc);
    for (unsigned i = 1; i < ARRAY_LEN(loops); i++) {
        double ns = time_loop(b, "jit", i, scaled(b, loops[i].rounds)) - b->empty_ns;
        say("", loops[i].name, ns / loops[i].ops, "ns", loops[i].doc);
    }
}

static void interp_loops(struct bench *b)
{
    static const char *const names[] = {"alu", "load", "fadd"};
    uint64_t rounds = scaled(b, 400000);
    double empty = time_loop(b, "interp", 0, rounds);

    for (unsigned i = 1; i < ARRAY_LEN(loops); i++) {
        for (unsigned k = 0; k < ARRAY_LEN(names); k++) {
            if (strcmp(names[k], loops[i].name))
                continue;
            char doc[120];
            snprintf(doc, sizeof(doc), "interpreted: %s", loops[i].doc);
            double ns = time_loop(b, "interp", i, rounds) - empty;
            say("interp_", names[k], ns / loops[i].ops, "ns", doc);
        }
    }
}

/* ---- memory, called from C ---- */

static uint64_t sink; /* keeps the compiler from leaving loops out */

static void bus_accesses(struct mem *m, uint64_t n)
{
    uint64_t start = host_monotonic_ns(), value = 0;

    for (uint64_t i = 0; i < n; i++)
        if (mem_read(m, START + (i & 511) * 8, 8, &value))
            sink += value;
    uint64_t middle = host_monotonic_ns();
    for (uint64_t i = 0; i < n; i++)
        sink += mem_write(m, START + 0x10000 + (i & 511) * 8, 8, i);
    uint64_t end = host_monotonic_ns();
    say("", "mem_read", (double)(middle - start) / (double)n, "ns", "mem_read of 8 bytes of RAM");
    say("", "mem_write", (double)(end - middle) / (double)n, "ns", "mem_write of 8 bytes of RAM");
}

static void cpu_accesses(struct cpu *c, uint64_t n)
{
    unsigned mo = IR_MO_64 | c->guest->data_mode(c) << IR_MO_MODE_SHIFT;
    uint64_t start = host_monotonic_ns(), value = 0;

    for (uint64_t i = 0; i < n; i++)
        if (cpu_load(c, START + (i & 511) * 8, mo, &value) == CPU_OK)
            sink += value;
    uint64_t middle = host_monotonic_ns();
    for (uint64_t i = 0; i < n; i++)
        sink += cpu_store(c, START + 0x10000 + (i & 511) * 8, mo, i);
    uint64_t end = host_monotonic_ns();
    say("", "cpu_load", (double)(middle - start) / (double)n, "ns",
        "cpu_load, as a slow path that hits L1");
    say("", "cpu_store", (double)(end - middle) / (double)n, "ns",
        "cpu_store, as a slow path that hits L1");
}

/* GB/s of a debugger's and a device's copies. */
static void copies(struct machine *m, uint64_t n)
{
    enum { BYTES = 1 << 20 };
    struct mem *mem = machine_mem(m);
    struct cpu *c = machine_cpu(m, 0);
    char *buf = malloc(BYTES);

    if (!buf)
        abort();
    uint64_t start = host_monotonic_ns();
    for (uint64_t i = 0; i < n; i++)
        sink += (uint64_t)mem_dma_read(mem, START, buf, BYTES) + (uint8_t)buf[i % BYTES];
    uint64_t middle = host_monotonic_ns();
    for (uint64_t i = 0; i < n; i++)
        sink += cpu_peek(c, START, buf, BYTES) + (uint8_t)buf[i % BYTES];
    uint64_t end = host_monotonic_ns();
    say("", "dma_read", (double)(n * BYTES) / (double)(middle - start), "GB/s",
        "mem_dma_read of 1 MiB");
    say("", "cpu_peek", (double)(n * BYTES) / (double)(end - middle), "GB/s",
        "cpu_peek of 1 MiB, by page tables");
    free(buf);
}

static void memory(struct bench *b)
{
    double ns;
    struct machine *m = run_loop(b, "interp", 0, 1, &ns);

    bus_accesses(machine_mem(m), scaled(b, 10000000));
    cpu_accesses(machine_cpu(m, 0), scaled(b, 10000000));
    copies(m, scaled(b, 1000));
    machine_free(m);
}

int main(int argc, char **argv)
{
    struct bench b = {.percent = 100};

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "Usage: micro GUEST [PERCENT]\n");
        return 2;
    }
    b.guest = argv[1];
    if (argc == 3)
        b.percent = strtoul(argv[2], NULL, 10);
    log_init(&b.log, STDERR_FILENO, LOG_WARN);
    jit_loops(&b);
    interp_loops(&b);
    memory(&b);
    return 0;
}
