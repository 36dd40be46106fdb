/*
 * micro.c - what single operations cost, measured from inside.
 *
 *   micro GUEST [PERCENT]       GUEST: micro_guest.S, linked at 0x80200000
 *
 * Each loop of the guest runs in a machine of its own; the time of the empty loop is
 * taken off.  Whether a loop does what it says is seen by counters.  Prints lines for bench/run:
 *     MICRO name value unit description
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/log.h"
#include "control/ctl.h"
#include "cpu/guest.h"
#include "host/host_clock.h"
#include "host/host_disk.h"
#include "host/host_file.h"
#include "machine/machine.h"

#define START      UINT64_C(0x80200000)
#define PARAMETERS (START + 8)
#define QUEUE      UINT64_C(0x82000000)
#define MEMORY     (UINT64_C(64) << 20)
#define DISK       (UINT64_C(1) << 20)
#define BLOCK      4096

struct loop {
    const char *name, *doc;
    unsigned ops;    /* a round */
    uint64_t rounds; /* at 100 percent */
    unsigned each;   /* how much an operation adds ... */
    const char *counter;
};

static const struct loop loops[] = {
#define LOOP(name, ops, thousands, each, counter, doc)                                             \
    {#name, doc, ops, UINT64_C(1000) * (thousands), each, counter},
#include "micro.def"
#undef LOOP
};

struct bench {
    const char *guest;
    uint64_t percent;
    struct log log;
    struct host_disk *disk; /* each block of it is full of its number, modulo 256 */
    double empty_ns;        /* a round of the empty loop, in the engine at work */
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

/* ---- the disk ---- */

static int disk_read(void *opaque, uint64_t offset, void *data, size_t len)
{
    struct err e;

    return host_disk_read(opaque, offset, data, len, &e);
}

/* A file that is in the page cache, as it has just been written; it has no name any more. */
static struct host_disk *new_disk(void)
{
    char path[] = "/tmp/glovebox-micro-XXXXXX";
    char block[BLOCK];
    int fd = mkstemp(path), rc = fd < 0 ? -1 : 0;
    struct err e;

    for (unsigned i = 0; i < DISK / BLOCK && !rc; i++) {
        memset(block, (int)i, sizeof block);
        rc = host_fd_write(fd, block, sizeof block);
    }
    if (rc) {
        err_set(&e, EIO, "%s: cannot be made", path);
        die(&e);
    }
    close(fd);
    struct host_disk *d = host_disk_open(path, true, &e);
    unlink(path);
    if (!d)
        die(&e);
    return d;
}

/* VIRTIO 1.2, 4.2.2: registers, in the order in which a driver writes them, and what it writes. */
static const struct {
    uint32_t reg;
    uint64_t value;
} set_up[] = {
    {0x070, 1 | 2},         /* status: acknowledged, there is a driver */
    {0x024, 1},             /* features 63:32: */
    {0x020, 1},             /* the modern interface alone */
    {0x070, 1 | 2 | 8},     /* status: features are settled */
    {0x030, 0},             /* of queue 0: */
    {0x038, 8},             /* size */
    {0x080, QUEUE},         /* descriptors */
    {0x090, QUEUE + 0x100}, /* the available ring */
    {0x0a0, QUEUE + 0x200}, /* the used ring */
    {0x044, 1},             /* ready */
    {0x070, 1 | 2 | 8 | 4}, /* status: go */
};
enum { VIO_DEVICE_ID = 8, VIO_BLK = 2, VIO_NOTIFY = 0x50 };

/* One request: a header at 0x300, a block of data at 0x1000, a status byte at 0x310 (2.7.5). */
static const struct {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
} request[] = {{QUEUE + 0x300, 16, 1, 1}, {QUEUE + 0x1000, BLOCK, 3, 2}, {QUEUE + 0x310, 1, 2, 0}};

/* Where the disk's registers are; its queue is ready and the request's descriptors are there. */
static uint64_t set_up_disk(struct machine *m)
{
    struct mem *mem = machine_mem(m);
    struct dev *const *devs;
    size_t n = board_devices(machine_board(m), &devs);
    uint64_t base = 0, id;

    for (size_t i = 0; i < n; i++)
        if (!strncmp(devs[i]->name, "virtio", 6) &&
            mem_read(mem, devs[i]->base + VIO_DEVICE_ID, 4, &id) && id == VIO_BLK)
            base = devs[i]->base;
    for (size_t i = 0; i < ARRAY_LEN(set_up); i++)
        mem_write(mem, base + set_up[i].reg, 4, set_up[i].value);
    mem_poke(mem, QUEUE, request, sizeof request);
    return base;
}

/* The last request was done, and brought the block that it asked for. */
static bool disk_worked(struct machine *m, uint64_t rounds)
{
    uint8_t data[BLOCK], want[BLOCK], status = 1;

    memset(want, (int)rounds, sizeof want);
    mem_peek(machine_mem(m), QUEUE + 0x310, &status, 1);
    mem_peek(machine_mem(m), QUEUE + 0x1000, data, sizeof data);
    return !status && !memcmp(data, want, sizeof data);
}

/* ---- machines ---- */

static struct machine *new_machine(struct bench *b, const char *engine, struct err *e)
{
    struct tlb_config tlb = TLB_CONFIG_DEFAULT;
    struct machine_config config = {
        .board =
            {.machine = "virt",
             .ncpus = 1,
             .memory = MEMORY,
             .kernel = b->guest,
             .load_addr = UINT64_MAX,
             .timebase = 10000000,
             .disks[0] = {.read = disk_read, .opaque = b->disk, .size = DISK, .read_only = true},
             .ndisks = 1,
             .log = &b->log},
        .guest = "riscv64",
        .engine = engine,
        .accel = {.break_op = -1},
        .tlb = tlb,
        .rate = 1000000000,
    };
    return machine_new(&config, e);
}

struct counted {
    const char *name;
    uint64_t value;
};

static void count(void *opaque, const char *name, uint64_t value, const char *unit, const char *doc)
{
    struct counted *k = opaque;

    (void)unit, (void)doc;
    if (!strcmp(name, k->name))
        k->value = value;
}

static uint64_t counter(struct machine *m, const char *name)
{
    struct counted k = {name, 0};

    machine_counters(m, count, &k);
    return k.value;
}

/* Ends the program if the loop did something else than its operations. */
static void check(struct machine *m, const struct loop *l, uint64_t rounds, bool counters)
{
    uint64_t ops = rounds * l->ops, want = ops * l->each, slack = ops / 100 + 2000;
    uint64_t value = counter(m, l->counter);

    if (counters && (value + slack < want || value > want + slack)) {
        fprintf(stderr, "micro: loop %s: %" PRIu64 " operations, but %s is %" PRIu64 "\n", l->name,
                ops, l->counter, value);
        exit(1);
    }
    if (!strcmp(l->name, "blk") && !disk_worked(m, rounds)) {
        fprintf(stderr, "micro: loop %s: the disk did not do what it was asked for\n", l->name);
        exit(1);
    }
}

/* A machine before a loop; the guest's program has not begun. */
static struct machine *ready_loop(struct bench *b, const char *engine, unsigned number,
                                  uint64_t rounds)
{
    struct err e;
    struct machine *m = new_machine(b, engine, &e);
    uint64_t parameters[4] = {number, rounds, QUEUE};

    if (!m)
        die(&e);
    parameters[3] = set_up_disk(m) + VIO_NOTIFY;
    mem_poke(machine_mem(m), PARAMETERS, parameters, sizeof(parameters));
    return m;
}

/* Runs it to the guest's end; ns of a round. */
static double finish_loop(struct machine *m, unsigned number, uint64_t rounds)
{
    unsigned code;
    uint64_t start = host_monotonic_ns();
    enum machine_stop stop = machine_run(m, UINT64_MAX);
    double ns = (double)(host_monotonic_ns() - start) / (double)rounds;

    if (stop != MACHINE_ENDED || machine_end(m, &code) != BOARD_POWEROFF) {
        fprintf(stderr, "micro: the guest did not come to its end in loop %s\n",
                loops[number].name);
        exit(1);
    }
    return ns;
}

/* Runs a loop to the guest's end; the machine, for who wants to look at it. */
static struct machine *run_loop(struct bench *b, const char *engine, unsigned number,
                                uint64_t rounds, double *ns)
{
    struct machine *m = ready_loop(b, engine, number, rounds);

    *ns = finish_loop(m, number, rounds);
    check(m, &loops[number], rounds, !strcmp(engine, "jit"));
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

/* From each machine's whole code, run once: the best of many, for a host that does other work. */
static void translating(struct bench *b, unsigned number)
{
    double best = 0, ns;

    for (int i = 0; i < 30; i++) {
        struct machine *m = run_loop(b, "jit", number, 1, &ns);
        ns = (double)counter(m, "jit.translate_time") / (double)counter(m, "jit.guest_insns");
        machine_free(m);
        if (!i || ns < best)
            best = ns;
    }
    say("", "translate", best * 100, "ns", "translating 100 guest instructions of short blocks");
}

/* False: there is no JIT on this host. */
static bool jit_loops(struct bench *b)
{
    struct err e;
    struct machine *m = new_machine(b, "jit", &e);

    if (!m) {
        fprintf(stderr, "micro: the interpreter alone: %s\n", e.msg);
        return false;
    }
    machine_free(m);
    b->empty_ns = time_loop(b, "jit", 0, scaled(b, loops[0].rounds));
    say("", "empty", b->empty_ns, "ns", loops[0].doc);
    for (unsigned i = 1; i < ARRAY_LEN(loops); i++) {
        double ns = time_loop(b, "jit", i, scaled(b, loops[i].rounds)) - b->empty_ns;
        say("", loops[i].name, ns / loops[i].ops, "ns", loops[i].doc);
        if (!strcmp(loops[i].name, "blocks"))
            translating(b, i);
    }
    return true;
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

/* ---- a debugger's points and steps ---- */

#define ALIASES UINT64_C(0x100000000) /* where the loops load and store */

/* Where a point is, and what it costs the loop in whose way it is; none of them ever stops. */
static const struct {
    const char *loop, *name, *doc;
    bool in_loop; /* at an instruction of the loop, which it is to look at in each round; else: */
    struct dbg_point point;
} with_points[] = {
    {"empty",
     "debug_condition",
     "a breakpoint's condition that is false, looked at",
     true,
     {.kind = DBG_BREAK}},
    {"load",
     "debug_break",
     "a load, with a breakpoint on the page of its code",
     false,
     {.kind = DBG_BREAK, .addr = PARAMETERS}},
    {"load",
     "debug_watch_load",
     "a load, with other bytes of its page watched",
     false,
     {.kind = DBG_WATCH, .addr = ALIASES + 2048, .len = 8, .access = CPU_WATCH_READ}},
    {"store",
     "debug_watch_store",
     "a store, with other bytes of its page watched",
     false,
     {.kind = DBG_WATCH, .addr = ALIASES + 2048, .len = 8, .access = CPU_WATCH_WRITE}},
};

static unsigned loop_named(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(loops); i++)
        if (!strcmp(loops[i].name, name))
            return i;
    abort();
}

/* ns of a round, the best of three, with a point. */
static double time_with(struct bench *b, unsigned number, uint64_t rounds,
                        const struct dbg_point *point, bool in_loop)
{
    static const uint8_t never[] = {DBG_AGENT_CONST8, 0, DBG_AGENT_END};
    enum { IN_LOOP = 20000 }; /* instructions; it is well within its rounds then */
    double best = 0;
    struct err e;

    for (int i = 0; i < 3; i++) {
        struct machine *m = ready_loop(b, "jit", number, rounds + IN_LOOP);
        struct dbg_points *points = dbg_points_new(m);
        struct dbg_point p = *point;
        if (in_loop) {
            machine_run(m, IN_LOOP);
            p.addr = machine_cpu(m, 0)->pc;
            if (dbg_agent_set(&p.cond, never, sizeof never, machine_guest(m), &e))
                die(&e);
        }
        unsigned n = dbg_points_add(points, &p);
        dbg_points_apply(points);
        double ns = finish_loop(m, number, rounds);
        if (in_loop && dbg_points_find(points, n)->evals < rounds) {
            fprintf(stderr, "micro: a condition was not looked at in each round\n");
            exit(1);
        }
        dbg_points_free(points);
        machine_free(m);
        if (!i || ns < best)
            best = ns;
    }
    return best;
}

static void steps(struct bench *b, uint64_t n)
{
    struct err e;
    struct ctl *c = ctl_new(ready_loop(b, "jit", 0, UINT64_MAX / 4), &e);
    struct ctl_go go = CTL_GO;
    struct ctl_stop stop;

    if (!c)
        die(&e);
    go.step = true;
    uint64_t start = host_monotonic_ns();
    for (uint64_t i = 0; i < n; i++)
        if (!ctl_step(c, &go, &stop) || stop.count != i + 1) {
            fprintf(stderr, "micro: a step was not one instruction\n");
            exit(1);
        }
    say("", "debug_step", (double)(host_monotonic_ns() - start) / (double)n, "ns",
        "a step of one instruction, asked of the control loop");
    ctl_free(c);
}

static void debugger(struct bench *b)
{
    for (unsigned i = 0; i < ARRAY_LEN(with_points); i++) {
        unsigned number = loop_named(with_points[i].loop);
        uint64_t rounds = scaled(b, loops[number].rounds);
        double ns = time_with(b, number, rounds, &with_points[i].point, with_points[i].in_loop);
        say("", with_points[i].name, (ns - b->empty_ns) / loops[number].ops, "ns",
            with_points[i].doc);
    }
    steps(b, scaled(b, 200000));
}

/* ---- memory, called from C ---- */

static uint64_t sink; /* keeps the compiler from leaving loops out */

/* ns of one, from a start until now. */
static double each(uint64_t start, uint64_t n)
{
    return (double)(host_monotonic_ns() - start) / (double)n;
}

/* Says what an access of 1 << log2 bytes took by `how`. */
static void say_width(const char *how, unsigned log2, double ns, const char *what)
{
    char name[40], doc[80];

    snprintf(name, sizeof name, "%s%u", how, 8u << log2);
    snprintf(doc, sizeof doc, "%s of %u byte%s %s", how, 1u << log2, log2 ? "s" : "", what);
    say("", name, ns, "ns", doc);
}

static void bus_accesses(struct mem *m, unsigned log2, uint64_t n)
{
    uint64_t start = host_monotonic_ns(), value = 0;

    for (uint64_t i = 0; i < n; i++)
        if (mem_read(m, START + ((i & 511) << log2), 1u << log2, &value))
            sink += value;
    say_width("mem_read", log2, each(start, n), "of RAM");
    start = host_monotonic_ns();
    for (uint64_t i = 0; i < n; i++)
        sink += mem_write(m, QUEUE + ((i & 511) << log2), 1u << log2, i);
    say_width("mem_write", log2, each(start, n), "of RAM");
}

static void dma_accesses(struct mem *m, unsigned log2, uint64_t n)
{
    uint64_t start = host_monotonic_ns(), value = 0;

    for (uint64_t i = 0; i < n; i++) {
        mem_dma_read(m, START + ((i & 511) << log2), &value, 1u << log2);
        sink += value;
    }
    say_width("mem_dma_read", log2, each(start, n), "of RAM, as of a ring");
    start = host_monotonic_ns();
    for (uint64_t i = 0; i < n; i++)
        sink += (unsigned)mem_dma_write(m, QUEUE + ((i & 511) << log2), &i, 1u << log2);
    say_width("mem_dma_write", log2, each(start, n), "of RAM, as of a ring");
}

static void cpu_accesses(struct cpu *c, unsigned log2, uint64_t n)
{
    unsigned mo = log2 | c->guest->data_mode(c) << IR_MO_MODE_SHIFT;
    uint64_t start = host_monotonic_ns(), value = 0;

    for (uint64_t i = 0; i < n; i++)
        if (cpu_load(c, START + ((i & 511) << log2), mo, &value) == CPU_OK)
            sink += value;
    say_width("cpu_load", log2, each(start, n), "as a slow path that hits L1");
    start = host_monotonic_ns();
    for (uint64_t i = 0; i < n; i++)
        sink += cpu_store(c, QUEUE + ((i & 511) << log2), mo, i);
    say_width("cpu_store", log2, each(start, n), "as a slow path that hits L1");
}

static void say_copy(const char *name, uint64_t start, uint64_t bytes, const char *doc)
{
    say("", name, (double)bytes / (double)(host_monotonic_ns() - start), "GB/s", doc);
}

/* A debugger's and a device's copies. */
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
    say_copy("dma_read", start, n * BYTES, "mem_dma_read of 1 MiB");
    start = host_monotonic_ns();
    for (uint64_t i = 0; i < n; i++)
        sink += (uint64_t)mem_dma_write(mem, QUEUE, buf, BYTES);
    say_copy("dma_write", start, n * BYTES, "mem_dma_write of 1 MiB");
    start = host_monotonic_ns();
    for (uint64_t i = 0; i < n; i++)
        sink += cpu_peek(c, START, buf, BYTES) + (uint8_t)buf[i % BYTES];
    say_copy("cpu_peek", start, n * BYTES, "cpu_peek of 1 MiB, by page tables");
    free(buf);
}

static void memory(struct bench *b)
{
    double ns;
    struct machine *m = run_loop(b, "interp", 0, 1, &ns);

    for (unsigned log2 = 0; log2 <= 3; log2++)
        bus_accesses(machine_mem(m), log2, scaled(b, 5000000));
    for (unsigned log2 = 0; log2 <= 3; log2++)
        dma_accesses(machine_mem(m), log2, scaled(b, 5000000));
    for (unsigned log2 = 0; log2 <= 3; log2++)
        cpu_accesses(machine_cpu(m, 0), log2, scaled(b, 5000000));
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
    b.disk = new_disk();
    if (jit_loops(&b))
        debugger(&b);
    interp_loops(&b);
    memory(&b);
    host_disk_close(b.disk, NULL);
    return 0;
}
