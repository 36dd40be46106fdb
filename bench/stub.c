/*
 * stub.c - what a debugger costs, by raw packets to a GDB server: how fast the guest runs
 * (stub_guest.S) while there are points that it never hits, and how fast the client steps it.
 *
 *   stub SOCKET PID PERCENT SYMBOL=ADDRESS...
 *
 * PID is the emulator's, whose CPU time is told; symbols are beside, cold, beside_data, other_data.
 * Prints a line "STUB name wall-seconds CPU-seconds" for each figure: of one round of the guest's
 * loop, or of one step.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define S0 8 /* the register that counts rounds */

static const char *where;
static clockid_t emulator;
static int fd = -1;
static char in[1 << 16]; /* what came and was not looked at */
static size_t in_len;

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "stub: %s: %s\n", where, what);
    exit(1);
}

/* ---- packets ---- */

static void send_all(const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n <= 0)
            give_up("the emulator hung up");
        data += n;
        len -= (size_t)n;
    }
}

/* With an acknowledgement of what came before. */
static void put(const char *packet)
{
    char text[256];
    unsigned sum = 0;

    for (const char *p = packet; *p; p++)
        sum += (unsigned char)*p;
    send_all(text, (size_t)snprintf(text, sizeof text, "+$%s#%02x", packet, sum & 0xff));
}

static void drop(size_t n)
{
    in_len -= n;
    memmove(in, in + n, in_len);
}

static void expand(const char *data, size_t len, char *out, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < len && n + 100 < room; i++) {
        size_t repeat = data[i] == '*' && i + 1 < len && n ? (size_t)data[++i] - 29 : 0;

        if (repeat)
            memset(out + n, out[n - 1], repeat);
        else
            out[n++] = data[i];
        n += repeat;
    }
    out[n] = 0;
}

/* As read(); looks for a while before it sleeps, as to be woken takes longer than most answers do. */
static ssize_t receive(void *data, size_t len)
{
    ssize_t n = -1;

    for (int i = 0; i < 1000 && n < 0; i++)
        n = recv(fd, data, len, MSG_DONTWAIT);
    return n < 0 ? read(fd, data, len) : n;
}

/* The next packet, with its runs taken out, until the next call. */
static const char *get(void)
{
    static char packet[1 << 16];

    for (;;) {
        char *start = memchr(in, '$', in_len), *end = NULL;

        if (start)
            end = memchr(start, '#', in_len - (size_t)(start - in));
        if (end && end + 3 <= in + in_len) {
            expand(start + 1, (size_t)(end - start) - 1, packet, sizeof packet);
            drop((size_t)(end + 3 - in));
            return packet;
        }
        ssize_t n = in_len < sizeof in ? receive(in + in_len, sizeof in - in_len) : 0;
        if (n <= 0)
            give_up("the emulator hung up");
        in_len += (size_t)n;
    }
}

static const char *ask(const char *packet)
{
    put(packet);
    return get();
}

static void must(const char *packet)
{
    if (strcmp(ask(packet), "OK"))
        give_up(packet);
}

/* The server finds the machine at rest, and may be slow to listen. */
static void attach(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(a.sun_path, sizeof a.sun_path, "%s", where);
    in_len = 0;
    for (int i = 0; i < 500; i++) {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (fd >= 0 && !connect(fd, (struct sockaddr *)&a, sizeof a)) {
            ask("?");
            return;
        }
        close(fd);
        usleep(10000);
    }
    give_up(strerror(errno));
}

/* QEMU tells a new client of its stop, once more. */
static void settle(void)
{
    usleep(50000);
    while (recv(fd, in, sizeof in, MSG_DONTWAIT) > 0)
        ;
    in_len = 0;
}

static void detach(void)
{
    must("D");
    close(fd);
}

/* ---- measuring ---- */

static double seconds(clockid_t clock)
{
    struct timespec t;

    return clock_gettime(clock, &t) ? 0 : (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct span {
    double wall, cpu;
};

static struct span now(void)
{
    return (struct span){seconds(CLOCK_MONOTONIC), seconds(emulator)};
}

static void tell(const char *name, struct span from, struct span to, double n)
{
    if (n <= 0)
        give_up("the guest does not run");
    printf("STUB %s %.4g %.4g\n", name, (to.wall - from.wall) / n, (to.cpu - from.cpu) / n);
    fflush(stdout);
}

static uint64_t rounds(void)
{
    const char *g = ask("g");
    uint64_t v = 0;
    unsigned byte;

    for (size_t i = 8; i-- > 0;) {
        if (strlen(g) < 16 * (S0 + 1) || sscanf(g + 16 * S0 + 2 * i, "%2x", &byte) != 1)
            give_up("g");
        v = v << 8 | byte;
    }
    return v;
}

static void run_for(double time)
{
    put("vCont;c");
    usleep((useconds_t)(time * 1e6));
    send_all("\3", 1);
    get();
}

static void measure(const char *name, double time)
{
    uint64_t before = rounds();
    struct span from = now(), to;
    uint64_t n = 0;

    for (int i = 0; i < 50 && !n; i++) { /* it may not get a CPU at once */
        run_for(time);
        to = now();
        n = rounds() - before;
    }
    tell(name, from, to, (double)n);
}

static void measure_alone(double time)
{
    uint64_t before = rounds();
    struct span from = now(), to;

    detach();
    usleep((useconds_t)(time * 1e6));
    attach();
    to = now();
    settle();
    tell("free", from, to, (double)(rounds() - before));
}

static void measure_steps(double time)
{
    struct span from = now();
    unsigned n = 0;

    for (; seconds(CLOCK_MONOTONIC) - from.wall < time; n++)
        ask("s");
    tell("step", from, now(), n);
}

/* ---- points ---- */

static void point(char set, unsigned type, uint64_t addr, unsigned kind)
{
    char packet[64];

    snprintf(packet, sizeof packet, "%c%u,%" PRIx64 ",%x", set, type, addr, kind);
    must(packet);
}

/* n breakpoints: as many as there is room for in the loop's page, others elsewhere. */
static void breakpoints(char set, unsigned n, uint64_t beside, uint64_t cold)
{
    for (unsigned i = 0; i < n; i++)
        point(set, 0, i < 900 ? beside + 4 * i : cold + 4 * (i - 900), 4);
}

static void measure_points(const char *name, unsigned n, const uint64_t *at, double time)
{
    breakpoints('Z', n, at[0], at[1]);
    measure(name, time);
    breakpoints('z', n, at[0], at[1]);
}

static void measure_watch(const char *name, uint64_t addr, double time)
{
    point('Z', 2, addr, 8);
    measure(name, time);
    point('z', 2, addr, 8);
}

int main(int argc, char **argv)
{
    static const char *const symbol[4] = {"beside", "cold", "beside_data", "other_data"};
    uint64_t at[4] = {0};
    double time;

    if (argc < 4)
        return 2;
    where = argv[1];
    if (clock_getcpuclockid(atoi(argv[2]), &emulator))
        give_up("no such process");
    time = atof(argv[3]) / 100;
    time = time > 0.05 ? time : 0.05;
    for (int i = 4; i < argc; i++)
        for (size_t k = 0; k < sizeof symbol / sizeof *symbol; k++)
            if (!strncmp(argv[i], symbol[k], strlen(symbol[k])) &&
                argv[i][strlen(symbol[k])] == '=')
                at[k] = strtoull(strchr(argv[i], '=') + 1, NULL, 16);
    attach();
    settle();
    run_for(0.1); /* to warm up */
    measure_alone(time);
    measure("attached", time);
    measure_points("points_1", 1, at, time);
    measure_points("points_100", 100, at, time);
    measure_points("points_10000", 10000, at, time);
    measure_watch("watch_other", at[3], time);
    measure_watch("watch_beside", at[2], time);
    measure_steps(time);
    put("k");
    return 0;
}
