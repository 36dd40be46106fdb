/*
 * rsp.c - a client that speaks GDB's protocol in raw packets, and does so wrongly too.
 *
 *     rsp SOCKET GROUP
 *
 * The server's machine runs rsp.S on two harts.  Each group of tests finds it at rest, at its start or
 * where another group left it, and prints TAP.
 */
#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE 60000 /* ms until a reply must be there */
#define CLIENTS  16    /* that a server takes */

static const char *where;
static int tests;

static void result(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void result(bool ok, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    printf("%sok %d - ", ok ? "" : "not ", ++tests);
    vprintf(format, ap);
    putchar('\n');
    va_end(ap);
    fflush(stdout);
}

/* ---- a client ---- */

struct client {
    int fd;
    bool no_ack;
    char in[1 << 16]; /* not yet looked at */
    size_t len;
    char *packet; /* the last one, without its escapes and runs; terminated */
    size_t packet_len, sent_len;
    char start; /* '$' or '%' */
};

static void open_client(struct client *c)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    memset(c, 0, sizeof *c);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", where);
    c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a)) {
        printf("Bail out! %s: %s\n", where, strerror(errno));
        exit(1);
    }
}

static void close_client(struct client *c)
{
    close(c->fd);
    free(c->packet);
    c->packet = NULL;
}

/* As far as the server takes it. */
static void put_raw(struct client *c, const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

        if (n < 0)
            return;
        data += n;
        len -= (size_t)n;
    }
}

static void put_bytes(struct client *c, const char *data, size_t len)
{
    char *text = malloc(2 * len + 5);
    uint8_t sum = 0;
    size_t n = 0;

    text[n++] = '$';
    for (size_t i = 0; i < len; i++) {
        if (memchr("#$}*", data[i], 4)) {
            text[n++] = '}';
            text[n++] = (char)(data[i] ^ 0x20);
        } else {
            text[n++] = data[i];
        }
    }
    for (size_t i = 1; i < n; i++)
        sum = (uint8_t)(sum + (uint8_t)text[i]);
    sprintf(text + n, "#%02x", sum);
    put_raw(c, text, n + 3);
    free(text);
}

static void put(struct client *c, const char *packet)
{
    put_bytes(c, packet, strlen(packet));
}

/* More of the input; false: there is none in time, or the server hung up. */
static bool more(struct client *c, int timeout)
{
    struct pollfd fd = {.fd = c->fd, .events = POLLIN};
    ssize_t n;

    if (c->len == sizeof c->in || poll(&fd, 1, timeout) != 1)
        return false;
    n = read(c->fd, c->in + c->len, sizeof c->in - c->len);
    c->len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static void drop(struct client *c, size_t n)
{
    c->len -= n;
    memmove(c->in, c->in + n, c->len);
}

/* The next character outside of packets: '+', '-', or 0. */
static char next_char(struct client *c)
{
    char ch;

    while (!c->len)
        if (!more(c, PATIENCE))
            return 0;
    ch = c->in[0];
    drop(c, 1);
    return ch;
}

/* With escapes and runs taken out. */
static void keep(struct client *c, const char *data, size_t len)
{
    c->packet = realloc(c->packet, 98 * len + 1);
    c->packet_len = 0;
    c->sent_len = len;
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '*') {
            size_t n = (size_t)data[++i] - 29;

            memset(c->packet + c->packet_len, data[i - 2], n);
            c->packet_len += n;
        } else {
            c->packet[c->packet_len++] = data[i] == '}' ? (char)(data[++i] ^ 0x20) : data[i];
        }
    }
    c->packet[c->packet_len] = 0;
}

/* The next packet, or NULL. */
static const char *get(struct client *c, int timeout)
{
    for (;;) {
        size_t start = 0;
        const char *end;

        while (start < c->len && c->in[start] != '$' && c->in[start] != '%')
            start++;
        drop(c, start);
        end = c->len ? memchr(c->in, '#', c->len) : NULL;
        if (end && (size_t)(end - c->in) + 3 <= c->len) {
            c->start = c->in[0];
            keep(c, c->in + 1, (size_t)(end - c->in) - 1);
            drop(c, (size_t)(end - c->in) + 3);
            if (!c->no_ack && c->start == '$')
                put_raw(c, "+", 1);
            return c->packet;
        }
        if (!more(c, timeout))
            return NULL;
    }
}

static const char *ask(struct client *c, const char *packet)
{
    put(c, packet);
    return get(c, PATIENCE);
}

static bool is_like(const char *reply, const char *pattern)
{
    return reply && !fnmatch(pattern, reply, 0);
}

/* The reply is like the pattern (fnmatch). */
static bool says(struct client *c, const char *packet, const char *pattern)
{
    const char *reply = ask(c, packet);
    bool ok = is_like(reply, pattern);

    if (!ok)
        printf("# %.200s: %.300s, not %.200s\n", packet, reply ? reply : "(nothing)", pattern);
    return ok;
}

struct exchange {
    const char *packet, *pattern;
};

static bool all_say(struct client *c, const struct exchange *x, size_t n)
{
    bool ok = true;

    for (size_t i = 0; i < n; i++)
        ok &= says(c, x[i].packet, x[i].pattern);
    return ok;
}
#define SAY(c, ...)                                                                                \
    all_say(c, (const struct exchange[]){__VA_ARGS__},                                             \
            sizeof((const struct exchange[]){__VA_ARGS__}) / sizeof(struct exchange))

static bool hung_up(struct client *c)
{
    while (more(c, PATIENCE))
        c->len = 0;
    return recv(c->fd, c->in, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET || errno == EPIPE;
}

/* "monitor hash", as digits. */
static char *hash(struct client *c)
{
    const char *reply = ask(c, "qRcmd,68617368");

    return strdup(reply ? reply : "");
}

/* ---- groups ---- */

/* "hold", "release", "info clients" of monitor. */
#define HOLD         "qRcmd,686f6c64"
#define RELEASE      "qRcmd,72656c65617365"
#define CLIENTS_TOLD "qRcmd,696e666f20636c69656e7473"

static void known(void)
{
    struct client c;

    open_client(&c);
    result(says(&c, "qSupported:swbreak+;hwbreak+", "PacketSize=100000;*QStartNoAckMode+*"),
           "qSupported");
    result(SAY(&c, {"!", "OK"}, {"?", "T05thread:*;core:*;*20:*;"}, {"qAttached", "1"},
               {"qC", "QC*"}, {"qfThreadInfo", "m1,2"}, {"qsThreadInfo", "l"}, {"T1", "OK"},
               {"Tp1.2", "OK"}, {"Hg1", "OK"}, {"Hc-1", "OK"}, {"Hgp1.1", "OK"},
               {"qThreadExtraInfo,1", "435055203020*"}, {"qOffsets", "Text=0;Data=0;Bss=0"},
               {"qSymbol::", "OK"}, {"qTStatus", "T0*"}, {"vMustReplyEmpty", ""}, {"vNoSuch", ""},
               {"vCont?", "vCont;c;C;s;S;t;r"}, {"bs", "E*"}, {"bc", "E*"}),
           "threads and questions");
    result(SAY(&c, {"p20", "????????????????"}, {"P8=0500000000000000", "OK"},
               {"p8", "0500000000000000"}, {"p0", "0000000000000000"}, {"p42", "????????"},
               {"pffff", "E16"}, {"P8=05", "E16"}, {"g", "0000*"}),
           "registers, one by one");
    result(strlen(ask(&c, "g")) == 65 * 16, "g has integers, pc and floats");
    result(SAY(&c, {"m80000080,4", "13041400"}, {"M80000180,2:beef", "OK"},
               {"m80000180,2", "beef"}, {"x80000080,4", "b\x13\x04\x14"}, {"X80000180,1:z", "OK"},
               {"m80000180,1", "7a"}, {"X80000180,0:", "OK"}, {"m80000180,0", ""},
               {"m0,4", "E0e"}, {"qSearch:memory:80000000;1000;find", "1,80000108"},
               {"qSearch:memory:80000000;100;find", "0"}, {"qCRC:80000108,4", "Ccfe80049"}),
           "memory");
    result(SAY(&c, {"Qqemu.PhyMemMode:1", "OK"}, {"qqemu.PhyMemMode", "1"},
               {"m80000080,1", "13"}, {"Qqemu.PhyMemMode:0", "OK"},
               {"qqemu.sstepbits", "ENABLE=1,NOIRQ=2,NOTIMER=4"}, {"qqemu.sstep", "0x7"},
               {"Qqemu.sstep=1", "OK"}, {"qqemu.sstep", "0x1"}, {"Qqemu.sstep=7", "OK"}),
           "QEMU's");
    result(SAY(&c, {"qXfer:features:read:target.xml:0,40", "m<?xml*"},
               {"qXfer:features:read:nosuch.xml:0,40", "E02"},
               {"qXfer:features:read:target.xml:ffffff,40", "l"},
               {"qXfer:memory-map:read::0,400", "l*<memory*"},
               {"qXfer:threads:read::0,400", "l*name=\"CPU 1\"*"},
               {"qXfer:osdata:read:devices:0,4000", "l*uart*"},
               {"qXfer:exec-file:read:1:0,400", "l/*/rsp"}, {"qXfer:auxv:read::0,400", "l"},
               {"qXfer:nosuch:read::0,1", ""}, {"qXfer:memory-map:write::0:aa", "E16"}),
           "qXfer");
    result(SAY(&c, {"QThreadEvents:1", "OK"}, {"QDisableRandomization:1", "OK"},
               {"QPassSignals:e;10", "OK"}, {"QProgramSignals:0", "OK"},
               {"QStartupWithShell:0", "OK"}, {"qGetTLSAddr:1,10,0", "10"},
               {"qGetTLSAddr:1,10,80000000", "E5f"}, {"qGetTLSAddr:9,10,0", "E16"}),
           "settings, thread-local storage");
    result(SAY(&c, {"QAllow:WriteMem:0;WriteReg:0;InsertBreak:0;Stop:0", "OK"},
               {"M80000180,1:00", "E01"}, {"X80000180,1:a", "E01"}, {"P8=0500000000000000", "E01"},
               {"Z0,80000080,4", "E01"}, {"vCtrlC", "E01"}, {"m80000180,1", "7a"},
               {"c80000080", "E01"}, {"s80000080", "E01"}, {"C05;80000080", "E01"},
               {"S05;80000080", "E01"}, {"vRun;", "E01"}, {"vAttach;1", "E01"},
               {"qRcmd,7365742078382035", "51416c6c6f77*"},     /* set x8 5 */
               {"qRcmd,7265736574", "51416c6c6f77*"},           /* reset */
               {"qRcmd,746220307838303030", "51416c6c6f77*"},   /* tb 0x8000 */
               {"qRcmd,696e666f20627265616b73", "6e6f2062*"}, /* info breaks: none */
               {"QNonStop:1", "OK"}, {"vCont;t", "E01"}, {"QNonStop:0", "OK"},
               {"QTDP:1:80000084:E:0:0", "OK"}, {"QAllow:InsertTrace:0", "OK"},
               {"QTDP:2:80000084:E:0:0", "E01"}, {"QTinit", "OK"},
               {"QAllow:WriteMem:1;WriteReg:1;InsertBreak:1;Stop:1;InsertTrace:1", "OK"},
               {"M80000180,1:00", "OK"}),
           "QAllow");
    result(SAY(&c, {"QStartNoAckMode", "OK"}), "QStartNoAckMode");
    c.no_ack = true;
    result(says(&c, "qC", "QC*"), "without acknowledgements");
    close_client(&c);
}

/* At power-on. */
static void begin(struct client *c)
{
    open_client(c);
    says(c, "qSupported:swbreak+;hwbreak+", "*");
    says(c, "vRun;", "T05thread:1;*");
}

/* Asks for a run; text that comes before its stop goes to text. */
static const char *run(struct client *c, char *text, size_t size)
{
    const char *reply;
    size_t n = 0;

    for (reply = ask(c, "vCont;c"); reply && reply[0] == 'O'; reply = get(c, PATIENCE))
        for (const char *p = reply + 1; p[0] && p[1] && n + 1 < size; p += 2)
            sscanf(p, "%2hhx", (unsigned char *)&text[n++]);
    text[n] = 0;
    return reply;
}

/* A client that speaks of processes: the machine is number 1. */
static void processes(void)
{
    struct client c;

    begin(&c);
    result(SAY(&c, {"qC", "QC1"}, {"D;9", "OK"}) && hung_up(&c),
           "to others threads are numbers, and a process is what they say");
    close_client(&c);
    open_client(&c);
    result(says(&c, "qSupported:multiprocess+;swbreak+", "*;multiprocess+;*"), "qSupported");
    result(SAY(&c, {"vRun;", "T05thread:p1.1;*"}, {"?", "T05thread:p1.1;*"}, {"qC", "QCp1.1"},
               {"qfThreadInfo", "mp1.1,p1.2"}, {"qsThreadInfo", "l"},
               {"qXfer:threads:read::0,400", "l*id=\"p1.2\"*name=\"CPU 1\"*"},
               {"qThreadExtraInfo,p1.2", "435055203120*"}, {"qAttached:1", "1"}),
           "threads are named with their process");
    result(SAY(&c, {"Hgp1.2", "OK"}, {"qC", "QCp1.2"}, {"Hgp0.0", "OK"}, {"Hcp1.-1", "OK"},
               {"Hgp2.1", "E16"}, {"Hgp1.3", "E16"}, {"Tp1.2", "OK"}, {"Tp2.1", "E03"}),
           "which is asked for");
    result(SAY(&c, {"vCont;s:p1.2", "T05thread:p1.2;*"}, {"vCont;s:p1.1;c:p1.-1", "T05thread:p1.1;*"},
               {"vCont;s:p2.1", "E16"}),
           "steps");
    result(SAY(&c, {"vKill;2", "E03"}, {"vAttach;2", "E03"}, {"vAttach;1", "T05thread:p1.1;*"},
               {"D;2", "E03"}, {"m80000080,4", "13041400"}, {"D;1", "OK"}) && hung_up(&c),
           "there is no other process");
    close_client(&c);
}

/* A notification. */
static bool tells(struct client *c, const char *pattern)
{
    return is_like(get(c, PATIENCE), pattern) && c->start == '%';
}

/* The machine goes on without a client that stays, and is another time its process. */
static void attaching(void)
{
    struct client c;

    open_client(&c);
    says(&c, "qSupported:multiprocess+", "*");
    result(SAY(&c, {"!", "OK"}, {"D;1", "OK"}, {"qfThreadInfo", "l"},
               {"qXfer:threads:read::0,400", "l*<threads>?</threads>?"}),
           "there is no process behind a detach");
    result(SAY(&c, {"vAttach;1", "T05thread:p1.*"}, {"qfThreadInfo", "mp1.1,p1.2"}), "it is there again");
    says(&c, "QNonStop:1", "OK");
    says(&c, "D;1", "OK");
    result(says(&c, "vAttach;1", "OK") && tells(&c, "Stop:T00thread:p1.1;*") &&
               SAY(&c, {"vStopped", "T00thread:p1.2;*"}, {"vStopped", "OK"}, {"vCont;t", "OK"}),
           "non-stop stays, and tells of each CPU");
    close_client(&c);
}

/* The machine ends, but not its debugger: with several CPUs too that is one process's end. */
static void ending(void)
{
    struct client c;

    open_client(&c);
    says(&c, "qSupported:multiprocess+", "*");
    result(SAY(&c, {"!", "OK"}, {"QNonStop:1", "OK"}, {"P5=4001008000000000", "OK"},
               {"P6=0700000000000000", "OK"}, {"P20=d000008000000000", "OK"}, {"vCont;c", "OK"}) &&
               tells(&c, "Stop:W03;process:1") && says(&c, "vStopped", "OK"),
           "told once");
    result(SAY(&c, {"qfThreadInfo", "l"}, {"vRun;", "T05thread:p1.1;*"},
               {"qfThreadInfo", "mp1.1,p1.2"}, {"vCont;t", "OK"}, {"vCont;s:p1.2", "OK"}) &&
               tells(&c, "Stop:T05thread:p1.2;*"),
           "there is none until it is started again");
    result(says(&c, "D;1", "OK"), "it is left");
    put_raw(&c, "\3", 1);
    result(!is_like(ask(&c, CLIENTS_TOLD), "*617474656e6473*"), "a client without a process stops none");
    close_client(&c);
}

static void running(void)
{
    struct client c;
    char text[200];
    const char *reply;

    begin(&c);
    result(SAY(&c, {"Z0,80000080,4", "OK"}, {"vCont;c", "T05thread:1;*swbreak:;*"},
               {"p20", "8000008000000000"}, {"vCont;s:1", "T05thread:1;*"},
               {"p20", "8400008000000000"}, {"s", "T05*"}, {"p20", "8800008000000000"},
               {"vCont;r80000080,8000008c:1", "T05*"}, {"p20", "4000008000000000"},
               {"c", "T05*swbreak*"}, {"C05", "T05*swbreak*"}, {"S05", "T05*"},
               {"s80000084", "T05*"}, {"p20", "8800008000000000"}, {"z0,80000080,4", "OK"},
               {"Z1,80000080,4", "OK"}, {"vCont;C05:-1", "T05*hwbreak:;*"},
               {"z1,80000080,4", "OK"}),
           "breakpoints and steps");
    /* s0 == 21 and s0 == 23: any of them */
    result(SAY(&c, {"P8=0000000000000000", "OK"},
               {"Z0,80000080,4;X7,26000822151327X7,26000822171327", "OK"},
               {"c", "T05*"}, {"p8", "1500000000000000"}, {"s", "T05*"}, {"c", "T05*"},
               {"p8", "1700000000000000"}),
           "two conditions");
    /* printf("u%d\n", s0); and s0 == 30 */
    result(SAY(&c, {"Z0,80000084,4;cmds:0,X12,260008220022003401000675" "25645c6e0027", "OK"},
               {"Z0,80000080,4;X7,260008221a1327", "OK"}),
           "commands are taken");
    reply = run(&c, text, sizeof text);
    result(is_like(reply, "T05*swbreak*") && !strcmp(text, "u24\nu25\nu26\n"),
           "they print and do not stop");
    result(SAY(&c, {"z0,80000084,4", "OK"}, {"z0,80000080,4", "OK"},
               {"Z2,80000100,8", "OK"}, {"c", "T05thread:2;*watch:80000100;*"},
               {"z2,80000100,8", "OK"}, {"Z3,80000104,1", "OK"},
               {"c", "T05thread:2;*rwatch:80000100;*"}, {"z3,80000104,1", "OK"},
               {"Z4,80000100,1", "OK"}, {"c", "T05*awatch:*"}, {"z4,80000100,1", "OK"},
               {"z4,80000100,1", "OK"}),
           "watchpoints");
    result(SAY(&c, {"vRun;", "T05*"}, {"QCatchSyscalls:1", "OK"}, {"c", "T05thread:1;*syscall_entry:40;*"},
               {"?", "T05*syscall_entry:40;*"}, {"p20", "4000008000000000"},
               {"c", "T05*syscall_return:40;*"}, {"p20", "8c00008000000000"},
               {"c", "T05*syscall_entry:5d;*"}, {"c", "T05*syscall_return:5d;*"},
               {"c", "T05*syscall_entry:40;*"}, {"c", "T05*syscall_return:40;*"},
               {"QCatchSyscalls:1;1;5d", "OK"}, {"c", "T05*syscall_entry:5d;*"},
               {"c", "T05*syscall_return:5d;*"}, {"c", "T05*syscall_entry:5d;*"},
               {"QCatchSyscalls:1;x", "E16"}, {"QCatchSyscalls:2", "E16"},
               {"QCatchSyscalls:0", "OK"}),
           "system calls");
    /* GDB takes all of its points away at a stop, and puts them back before it goes on. */
    result(SAY(&c, {"QCatchSyscalls:1;40", "OK"}, {"c", "T05*syscall_entry:40;*"},
               {"QCatchSyscalls:0", "OK"}, {"QCatchSyscalls:1;40", "OK"}, {"c", "T05*syscall_return:40;*"},
               {"QCatchSyscalls:0", "OK"}, {"?", "T05*syscall_return:40;*"},
               {"QCatchSyscalls:1;5d", "OK"}, {"c", "T05*syscall_entry:5d;*"},
               {"QCatchSyscalls:0", "OK"}, {"QCatchSyscalls:1;40", "OK"},
               {"c", "T05*syscall_entry:40;*"}, {"QCatchSyscalls:0", "OK"}, {"s", "T05*"},
               {"QCatchSyscalls:1", "OK"}, {"c", "T05*syscall_entry:5d;*"},
               {"QCatchSyscalls:0", "OK"}),
           "system calls, as GDB catches them");
    put(&c, "c");
    put_raw(&c, "\3", 1);
    result(is_like(get(&c, PATIENCE), "T02*"), "an interruption");
    result(SAY(&c, {"QNonStop:1", "OK"}, {"?", "T*thread:1;*"}, {"vStopped", "OK"}), "non-stop");
    result(tells(&c, "Stop:T*thread:2;*") && says(&c, "vStopped", "OK"), "stops, one by one");
    result(SAY(&c, {"vCont;c", "OK"}, {"qC", "QC*"}, {"vCont;t:2", "OK"}) &&
               tells(&c, "Stop:T00thread:2;*") && says(&c, "vStopped", "OK"),
           "one stops");
    result(says(&c, "vCont;t", "OK") && tells(&c, "Stop:T00thread:1;*") &&
               SAY(&c, {"vStopped", "OK"}, {"QNonStop:0", "OK"}),
           "the other one stops");
    result(says(&c, "D", "OK"), "detach");
    result(hung_up(&c), "the server hangs up behind it");
    close_client(&c);
}

/* A point's program of so many bytes: constants that are dropped again. */
static char *big_point(unsigned addr, unsigned len)
{
    char *packet = malloc(64 + 2 * len), *p = packet;

    p += sprintf(p, "Z0,%x,4;X%x,2201", addr, len);
    for (unsigned i = 3; i < len; i++)
        p += sprintf(p, i % 2 ? "28" : "29"); /* dup, pop */
    strcpy(p, "27");
    return packet;
}

/* More than a client may have, of each kind; and all of it goes with the client. */
static void limits(void)
{
    struct client c;
    char packet[1024], *big;
    unsigned n, at;

    begin(&c);
    for (n = 0; n < 2000; n++) { /* 64 conditions are as many points */
        at = (unsigned)sprintf(packet, "Z0,%x,4;", 0x80100000 + 4 * n);
        for (unsigned i = 0; i < 64; i++)
            at += (unsigned)sprintf(packet + at, "X3,220027");
        if (!is_like(ask(&c, packet), "OK"))
            break;
    }
    result(n == 1024 && is_like(c.packet, "E07"), "points");
    close_client(&c);
    begin(&c);
    for (n = 0; n < 1000; n++) {
        big = big_point(0x80100000 + 4 * n, 4095);
        put(&c, big);
        free(big);
        if (!is_like(get(&c, PATIENCE), "OK"))
            break;
    }
    result(n == 256 && is_like(c.packet, "E07"), "bytes of programs");
    result(SAY(&c, {"Z2,80000000,1000000", "OK"}, {"Z3,80000000,1000000", "OK"},
               {"Z4,80000000,1000000", "OK"}, {"Z2,81000000,1000000", "OK"},
               {"Z2,82000000,1", "E07"}, {"z2,81000000,1000000", "OK"}, {"Z2,82000000,1", "OK"}),
           "bytes that are watched");
    /* What is refused changes nothing. */
    result(SAY(&c, {"Z0,80000080,4;X7,260008221a1327", "OK"}, {"Z0,80000080,4;X1,ff", "E16"},
               {"qRcmd,696e666f20627265616b73", "*383030303030383020636f6e646974696f6e616c*"}),
           "a condition that is wrong leaves the one before");
    close_client(&c);
    begin(&c);
    result(says(&c, "qRcmd,696e666f20627265616b73", "6e6f20627265616b706f696e7473*"), "all are gone");
    close_client(&c);
}

/* Tracepoints: what is refused, steps, and whose trace it is. */
static void tracing(void)
{
    struct client a, b;

    begin(&a);
    result(SAY(&a, {"QTinit", "OK"}, {"QTDP:1:80000084:E:2:0:X1,ff", "E16"}, {"qTfP", "l"},
               {"QTDP:1:80000084:E:2:0:F4", "E5f"}, {"qTfP", "l"},
               {"QTDP:1:80000084:E:f4241:0", "E16"}, {"qTfP", "l"},
               {"QTDP:1:80000084:E:2:0-x", "E16"}, {"qTfP", "l"},
               {"QTDP:1:80000084:E:2:0-", "OK"}, {"QTDP:-1:80000084:R100-", "OK"},
               {"QTDP:1:80000084:E:2:0-", "E11"}, {"QTDP:-1:80000088:R100", "E02"},
               {"qTfP", "T1:80000084:E:2:0"},
               {"QTDP:-1:80000084:M0,0,8Y", "E16"}, {"qTfP", "l"}),
           "a tracepoint that is refused is no more");
    result(SAY(&a, {"QTDP:1:80000084:E:2:0-", "OK"}, {"QTDP:-1:80000084:M77,0,8", "E16"},
               {"qTfP", "l"}),
           "so is one of a register that there is not");
    result(SAY(&a, {"QTDP:1:80000084:E:2:0-", "OK"}, {"QTDP:-1:80000084:R100-", "OK"},
               {"QTDP:-1:80000084:SR100", "OK"}, {"Z0,80000080,4", "OK"}, {"c", "T05*swbreak*"},
               {"QTStart", "OK"}, {"vCont;r80000080,8000008c:1", "T05*"},
               {"p20", "4000008000000000"}, {"qTStatus", "T1;*tframes:3;*"}, {"QTFrame:2", "F2T1"},
               {"p20", "4000008000000000"}, {"QTFrame:ffffffff", "OK"},
               {"QTDP:-1:80000084:R100", "E10"}),
           "its steps are those of the client");
    /* me; it; why */
    result(SAY(&a, {"QTNotes:user:6d65;notes:6974;tstop:776879", "OK"},
               {"qTStatus", "T1;*;username:6d65;notes:6974"}, {"QTStop", "OK"},
               {"qTStatus", "T0;tstop:776879:0;*"}, {"QTNotes:notes:", "OK"}, {"QTNotes:", "OK"},
               {"qTStatus", "*;username:6d65;notes:"}, {"QTNotes:nosuch:61", "E16"},
               {"QTNotes:user:6", "E16"}, {"QTNotes:user", "OK"}, {"QTStart", "OK"},
               {"QTStop", "OK"}, {"qTStatus", "T0;tstop::0;*"}, {"QTStart", "OK"}),
           "notes");
    open_client(&b);
    result(says(&b, "D", "OK") && hung_up(&b) && says(&a, "qTStatus", "T1;*"),
           "a client that leaves ends no other one's trace");
    close_client(&b);
    open_client(&b);
    result(says(&a, "D", "OK") && says(&b, "qTStatus", "T0;tdisconnected*"), "but its own");
    result(SAY(&b, {"QTDP:-1:80000084:R100", "E10"}, {"QTinit", "OK"}),
           "what has run is not changed");
    close_client(&a);
    close_client(&b);
}

static void lldb(void)
{
    struct client c;

    begin(&c);
    result(SAY(&c, {"QThreadSuffixSupported", "OK"}, {"QListThreadsInStopReply", "OK"},
               {"?", "T05*threads:1,2;thread-pcs:80000000,80000000;*"},
               {"qHostInfo", "triple:*;endian:little;ptrsize:8;*"},
               {"qProcessInfo", "pid:1;*"}, {"qGDBServerVersion", "name:*;version:*;"},
               {"qShlibInfoAddr", ""}, {"qRegisterInfo20", "name:pc;*generic:pc;*"},
               {"qRegisterInfoa", "name:a0;bitsize:64;*alt-name:x10;generic:arg1;*dwarf:10;"},
               {"qRegisterInfo41", "E16"}),
           "LLDB's questions");
    result(SAY(&c, {"pa;thread:0002;", "0100000000000000"}, {"pa;thread:0001;", "0000000000000000"},
               {"p0;thread:9;", "E03"}, {"P8=0700000000000000;thread:2;", "OK"},
               {"p8;thread:2;", "0700000000000000"}, {"QSaveRegisterState;thread:2;", "1"},
               {"P8=0900000000000000;thread:2;", "OK"}, {"QRestoreRegisterState:1;thread:2;", "OK"},
               {"p8;thread:2;", "0700000000000000"}, {"QRestoreRegisterState:7;thread:2;", "E02"},
               {"g;thread:2;", "0000*"}, {"x0,0", "OK"}, {"x80000108,4", "find"}),
           "suffixes, saved registers, memory");
    result(SAY(&c, {"qMemoryRegionInfo:80000123", "start:80000000;size:*;permissions:rwx;"},
               {"qMemoryRegionInfo:0", "start:0;size:1000;"},
               {"qMemoryRegionInfo:ffffffffffffffff", "start:fffffffffffff000;size:1000;"},
               {"qThreadStopInfo2", "T0?thread:2;*"}, {"qThreadStopInfo1", "T0?thread:1;*"},
               {"qThreadStopInfo9", "E03"}, {"QEnableErrorStrings", "OK"}, {"pffff", "E16;*"}),
           "regions, stops");
    result(says(&c, "jThreadsInfo", "?{\"tid\":1,\"name\":\"CPU 0\",\"reason\":\"*\",*\"32\":*}?"),
           "jThreadsInfo");
    close_client(&c);
}

static void files(void)
{
    struct client c;

    /* "note", "made", "../out", "link" */
    begin(&c);
    result(SAY(&c, {"vFile:setfs:0", "F0"}, {"vFile:open:6e6f7465,0,0", "F0"},
               {"vFile:pread:0,ffffff,0", "F5;hello"}, {"vFile:pread:0,2,3", "F2;lo"},
               {"vFile:pread:0,2,ffff", "F0;"}, {"vFile:fstat:0", "F40;*"}, {"vFile:close:0", "F0"},
               {"vFile:close:0", "F-1,9"}, {"vFile:pread:0,2,3", "F-1,9"}),
           "reads");
    result(SAY(&c, {"vFile:open:2f6d616465,601,1b6", "F0"}, {"vFile:pwrite:0,0,ab}#c", "F5"},
               {"vFile:pwrite:0,8000000000000000,x", "F-1,16"}, {"vFile:close:0", "F0"},
               {"vFile:stat:6d616465", "F40;*"}, {"vFile:open:6d616465,0,0", "F0"},
               {"vFile:unlink:6d616465", "F0"}, {"vFile:fstat:0", "F40;*"}, {"vFile:close:0", "F0"},
               {"vFile:fstat:0", "F-1,9"},
               {"vFile:unlink:6d616465", "F-1,2"}),
           "writes");
    result(SAY(&c, {"vFile:open:2e2e2f6f7574,0,0", "F-1,d"}, {"vFile:open:6c696e6b,0,0", "F-1,*"},
               {"vFile:readlink:6c696e6b", "F6;../out"}, {"vFile:open:,0,0", "F-1,16"},
               {"vFile:open:6,0,0", "F-1,16"}, {"vFile:open:6e6f7465", "F-1,16"},
               {"vFile:open:6e6f7465,3,0", "F-1,16"}, {"vFile:open:6e6f7465,8,0", "F-1,16"},
               {"vFile:open:6e6f007465,0,0", "F-1,16"}, {"vFile:fstat:ffffffff", "F-1,9"},
               {"vFile:nosuch:0", ""}, {"vFile", ""}),
           "refusals");
    for (int i = 0; i < 16; i++)
        ask(&c, "vFile:open:6e6f7465,0,0");
    result(says(&c, "vFile:open:6e6f7465,0,0", "F-1,18"), "not more than fit");
    close_client(&c);
}

/* Each gets an error, and changes nothing. */
static const struct exchange bad[] = {
    {"Hg9", "E16"}, {"Hx1", "E16"}, {"H", "E16"}, {"Hg", "E16"}, {"Hg-", "E16"}, {"Hgp", "E16"},
    {"Hgp1.", "E16"}, {"Hgp-", "E16"}, {"Hgp-2.1", "E16"}, {"Hg-2", "E16"}, {"T", "E03"}, {"T99", "E03"}, {"Tx", "E03"}, {"Tp1.-", "E03"},
    {"qThreadExtraInfo,", "E03"}, {"qThreadExtraInfo,-1", "E03"}, {"p", "E16"}, {"px", "E16"},
    {"p11111111111111111", "E16"}, {"P", "E16"}, {"P8", "E16"}, {"P8=", "E16"}, {"P8=zz", "E16"},
    {"P8=0000", "E16"}, {"G00", "E16"}, {"Gzz", "E16"}, {"m", "E16"}, {"m,", "E16"},
    {"m80000000", "E16"}, {"m80000000,", "E16"}, {"m80000000,4x", "E16"}, {"mzz,4", "E16"},
    {"mffffffffffffffff,ffffffffffffffff", "E0e"}, {"m111111111111111111,4", "E16"},
    {"xffffffffffffffff,10", "E0e"}, {"x", "E16"}, {"M", "E16"}, {"M80000180,4:00", "E16"},
    {"M80000180,4:zzzzzzzz", "E16"}, {"M80000180,ffffffffffffffff:00", "E16"},
    {"M0,1:00", "E0e"}, {"M80000180,1", "E16"}, {"X", "E16"}, {"X80000180,4:a", "E16"},
    {"X80000180,0:a", "E16"}, {"X0,1:a", "E0e"}, {"Z", "E16"}, {"Z0", "E16"}, {"Z9,0,4", "E16"},
    {"Z0,80000080", "E16"}, {"Z0,80000080,", "E16"}, {"Z2,80000000,0", "E16"},
    {"Z2,80000000,ffffffffffffffff", "E16"}, {"Z2,ffffffffffffffff,2", "E16"},
    {"Z0,80000080,4;", "E16"}, {"Z0,80000080,4;X", "E16"}, {"Z0,80000080,4;X1", "E16"},
    {"Z0,80000080,4;X1,", "E16"}, {"Z0,80000080,4;X1,ff", "E16"}, {"Z0,80000080,4;X2,27", "E16"},
    {"Z0,80000080,4;Xffffffffffffffff,27", "E16"}, {"Z0,80000080,4;X3,20000027", "E16"},
    {"Z0,80000080,4;X2,2201", "E16"}, {"Z0,80000080,4;cmds:", "E16"},
    {"Z0,80000080,4;cmds:0,X3,340000", "E16"}, {"Z0,80000080,4;cmds:0,X5,3400000027", "E16"},
    {"Z0,80000080,4;cmds:0,Xa,2200220034ff00010027", "E16"}, {"z", "E16"}, {"z7,0,0", "E16"},
    {"Z0,80000080,4;X9,220120000623272727", "E16"}, /* a jump into an operation */
    {"qRcmd,0a63", "7468*"}, {"qRcmd,636f6e74696e75650a", "7468*"}, /* "\nc": not by monitor */
    {"qRcmd,zz", "E16"}, {"qRcmd,6", "E16"}, {"qCRC:", "E16"}, {"qCRC:0,ffffffffffffffff", "E07"},
    {"qCRC:80000000,40000001", "E07"}, {"qSearch:memory:80000000;40000001;a", "E07"},
    {"qCRC:0,10", "E0e"}, {"qSearch:memory:", "E16"}, {"qSearch:memory:80000000;10;", "E16"},
    {"qSearch:memory:0;ffffffffffffffff;a", "E07"}, {"qXfer:", "E16"}, {"qXfer:features", "E16"},
    {"qXfer:features:read:target.xml:0", "E16"}, {"qXfer:features:read:target.xml:x,1", "E16"},
    {"vCont;x", "E16"}, {"vCont;s:", "E16"}, {"vCont;s:99", "E16"},
    {"vCont;r1", "E16"}, {"vCont;t", "E16"}, {"vCont;t:1;c", "E16"}, {"cx", "E16"}, {"s80000084x", "E16"},
    {"vCont;C", "E16"}, {"vCont;cc", "E16"}, {"Qqemu.sstep=x", "E16"},
    {"qGetTLSAddr:", "E16"}, {"qMemoryRegionInfo:", "E16"}, {"qRegisterInfo", "E16"},
    {"qRegisterInfoffffffffffffffff", "E16"}, {"qThreadStopInfo", "E03"},
    {"QRestoreRegisterState:", "E*"}, {"QRestoreRegisterState:0", "E*"},
    {"QCatchSyscalls:", "E16"}, {"QCatchSyscalls:1;", "E16"}, {"", ""}, {"~", ""}, {"q", ""},
    {"v", ""}, {"Q", ""}, {"qSupportedx", ""}, {"vContx", ""}, {"\xff\xfe", ""},
};

/* Packets of a random kind that do not change the machine, and random bytes in them. */
static bool random_packets(struct client *c, unsigned n)
{
    static const char kinds[] = "HTpmxzqQ!?gvj";
    static const char set[] = "0123456789abcdef,;:=-.p*}#$Xzmemoryread";
    unsigned long seed = 12345;
    char packet[64];

    while (n--) {
        unsigned len = 0;

        for (unsigned i = 0; i < sizeof packet; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            packet[i] = set[(seed >> 33) % (sizeof set - 1)];
        }
        len = 1 + (unsigned)(seed >> 40) % (sizeof packet - 1);
        packet[0] = kinds[(seed >> 50) % (sizeof kinds - 1)];
        put_bytes(c, packet, len);
        if (!get(c, PATIENCE)) {
            printf("# no reply to %.*s\n", (int)len, packet);
            return false;
        }
    }
    return true;
}

static void hostile(void)
{
    struct client c;
    char *before, *after;
    bool ok = true;

    begin(&c);
    before = hash(&c);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok &= says(&c, bad[i].packet, bad[i].pattern);
    result(ok, "each packet that is wrong gets an error");
    result(random_packets(&c, 3000), "so does each of many random ones");
    after = hash(&c);
    result(*before && !strcmp(before, after), "the machine is as it was");
    close_client(&c);
    free(before);
    free(after);
}

static void framing(void)
{
    static char noise[(1 << 20) + 100];
    struct client c;
    char *before, *after;

    begin(&c);
    before = hash(&c);
    put_raw(&c, "$qC#00", 6);
    result(next_char(&c) == '-', "a wrong sum is asked for again");
    put_raw(&c, "$qC#zz", 6);
    result(next_char(&c) == '-', "a sum that is none, too");
    result(says(&c, "qC", "QC1"), "then it is all right");
    put_raw(&c, "-", 1);
    result(is_like(get(&c, PATIENCE), "QC1"), "a reply is sent again");
    put_raw(&c, "++++-+noise*}", 13);
    get(&c, PATIENCE);
    result(says(&c, "qC", "QC1"), "noise between packets is passed over");
    put_raw(&c, "$q", 2);
    usleep(20000);
    put_raw(&c, "C#", 2);
    usleep(20000);
    put_raw(&c, "b4", 2);
    result(is_like(get(&c, PATIENCE), "QC1"), "a packet in three pieces");
    put_raw(&c, "$qC#b4$qC#b4$?#3f", 17);
    result(is_like(get(&c, PATIENCE), "QC1") && is_like(get(&c, PATIENCE), "QC1") &&
               is_like(get(&c, PATIENCE), "T05*"),
           "three packets at once, in their order");
    put_raw(&c, "$m80000108,4}#", 14);
    put_raw(&c, "\3\3\3", 3);
    result(says(&c, "qC", "QC1"), "an escape without its byte, and interruptions at rest");
    after = hash(&c);
    result(*before && !strcmp(before, after), "the machine is as it was");
    memset(noise, 'a', sizeof noise);
    noise[0] = '$';
    put_raw(&c, noise, sizeof noise);
    result(hung_up(&c), "a packet without end is the end");
    close_client(&c);
    free(before);
    free(after);
}

/* Runs of all lengths: they come as they were written, in fewer characters. */
static void runs(void)
{
    static const uint8_t values[] = {0, 0x55, '*', '#', '}', 0xff};
    char text[65536], digits[65536], *data = text + 32;
    size_t n = 0, head;
    struct client c;

    for (unsigned run = 1; run < 90; run++)
        for (size_t v = 0; v < sizeof values; v++) {
            memset(data + n, values[v], run);
            n += run;
        }
    for (size_t i = 0; i < n; i++)
        sprintf(digits + 2 * i, "%02x", (uint8_t)data[i]);
    begin(&c);
    head = (size_t)snprintf(text, 32, "X80002000,%zx:", n);
    memmove(data - head, text, head);
    put_bytes(&c, data - head, head + n);
    result(is_like(get(&c, PATIENCE), "OK"), "runs of bytes are written");
    snprintf(text, 32, "m80002000,%zx", n);
    result(ask(&c, text) && !strcmp(c.packet, digits) && c.sent_len < 3 * n / 2,
           "as digits, runs are told in short");
    text[0] = 'x';
    result(ask(&c, text) && c.packet_len == n + 1 && !memcmp(c.packet + 1, data, n),
           "bytes come as they are");
    close_client(&c);
}

/* A client that asks for much and takes nothing: what it has asked for waits, and all of it comes. */
static void greedy(void)
{
    enum { MANY = 1000, SIZE = 0x7000 };
    static char minus[60000], large[MANY * 18 + 1];
    struct client c;
    unsigned n = 0;

    begin(&c);
    ask(&c, "m80000000,7000");
    memset(minus, '-', sizeof minus);
    put_raw(&c, minus, sizeof minus);
    put(&c, "qC");
    while (get(&c, PATIENCE) && c.packet_len == 2 * SIZE)
        n++;
    result(n < 100 && is_like(c.packet, "QC1"), "a reply is not sent again while it is sent");
    c.no_ack = says(&c, "QStartNoAckMode", "OK");
    for (n = 0; n < MANY; n++)
        memcpy(large + 18 * n, "$m80000000,7000#e8", 18);
    put_raw(&c, large, sizeof large - 1);
    for (n = 0; n < MANY && get(&c, PATIENCE) && c.packet_len == 2 * SIZE;)
        n++;
    result(n == MANY, "%d large replies at once", MANY);
    close_client(&c);
}

/* Clients that come and go. */
static void clients(void)
{
    struct client c[CLIENTS + 1];
    bool ok = true;

    begin(&c[0]);
    put_raw(&c[0], "$m80000000,", 11);
    close_client(&c[0]);
    open_client(&c[0]);
    result(says(&c[0], "m80000080,4", "13041400"), "one vanished within a packet");
    put(&c[0], "c");
    close_client(&c[0]);
    open_client(&c[0]);
    result(says(&c[0], "?", "T0*"), "one vanished while the machine ran");
    close_client(&c[0]);
    for (int i = 0; i < 30 && ok; i++) {
        open_client(&c[0]);
        ok = says(&c[0], "qC", "QC*");
        close_client(&c[0]);
    }
    result(ok, "one comes again and again");
    for (int i = 0; i <= CLIENTS; i++)
        open_client(&c[i]);
    for (int i = 0; i < CLIENTS; i++)
        ok &= says(&c[i], "m80000080,4", "13041400");
    result(ok, "%d at once", CLIENTS);
    result(hung_up(&c[CLIENTS]), "one more is turned away");
    close_client(&c[CLIENTS]);
    close_client(&c[3]);
    for (int i = 0; i < 100; i++, usleep(10000)) { /* until the server has seen it go */
        open_client(&c[3]);
        put(&c[3], "qC");
        if (is_like(get(&c[3], PATIENCE), "QC*"))
            break;
        close_client(&c[3]);
    }
    result(says(&c[3], "qC", "QC*"), "behind one that went, one finds its place");
    for (int i = 0; i < CLIENTS; i++)
        close_client(&c[i]);
}

/* Two on one machine: both see its stops, and one's points are not the other's. */
static void two(void)
{
    struct client a, b;
    bool ok = true;

    begin(&a);
    open_client(&b);
    says(&b, "qSupported:swbreak+", "*");
    result(SAY(&a, {"Z0,80000080,4", "OK"}) && SAY(&b, {"Z0,80000090,4", "OK"}), "each sets a point");
    put(&a, "vCont;c");
    result(is_like(get(&a, PATIENCE), "T05*swbreak:;*"), "one runs into its own");
    result(SAY(&b, {"?", "T05thread:1;*"}, {"Hg1", "OK"}, {"p20", "8000008000000000"}),
           "the other sees where that is");
    put(&a, "vCont;s:1");
    get(&a, PATIENCE);
    put(&a, "vCont;c");
    result(is_like(get(&a, PATIENCE), "T05thread:1;*") && says(&a, "p20", "9000008000000000"),
           "it stops at the other's, too");
    result(SAY(&b, {"z0,80000090,4", "OK"}, {"D", "OK"}) && hung_up(&b) &&
               SAY(&a, {"p20", "9000008000000000"}, {"?", "T05*"}),
           "the other leaves, and the machine stays where it is");
    close_client(&b);
    open_client(&b);
    result(says(&a, "z0,80000080,4", "OK"), "none is left");
    put(&a, "vCont;c");
    put_raw(&b, "\3", 1);
    result(is_like(get(&a, PATIENCE), "T02*"), "one interrupts what the other runs");
    for (int i = 0; i < 200 && ok; i++) {
        put(&a, "vCont;s:1");
        put(&b, "m80000080,4");
        ok = is_like(get(&b, PATIENCE), "13041400") && is_like(get(&a, PATIENCE), "T0*");
    }
    result(ok, "one steps while the other looks");
    for (int i = 0; i < 200 && ok; i++) { /* whoever is late hears of the other's stop */
        put(&a, "vCont;s:1");
        put(&b, "vCont;s:1");
        ok = is_like(get(&a, PATIENCE), "T0*") && is_like(get(&b, PATIENCE), "T0*");
    }
    result(ok, "both step at once");
    close_client(&a);
    close_client(&b);
}

/* One holds the machine: what the other asks for waits, and is told why. */
static void votes(void)
{
    struct client a, b;

    begin(&a);
    open_client(&b);
    says(&b, "qSupported:swbreak+", "*");
    says(&b, "Z0,80000090,4", "OK");
    result(SAY(&a, {HOLD, "OK"}, {CLIENTS_TOLD, "74686520636f6e736f6c65*2c20686f6c6473*"}),
           "one holds the machine; info clients says so");
    put(&b, "vCont;c");
    result(is_like(get(&b, PATIENCE), "O5b68656c642062792047444220*"), "the other is told that it waits");
    result(SAY(&a, {"Hg1", "OK"}, {"p20", "0000008000000000"}), "the first one looks meanwhile");
    put_raw(&b, "\3", 1);
    result(is_like(get(&b, PATIENCE), "T02*") && says(&b, "p20", "0000008000000000"),
           "the wait can be broken off");
    put(&b, "vCont;s:1");
    get(&b, PATIENCE);
    result(SAY(&a, {RELEASE, "OK"}) && is_like(get(&b, PATIENCE), "T05thread:1;*") &&
               says(&b, "p20", "0400008000000000"),
           "a step waits too, and is made when the first one lets go");
    says(&a, HOLD, "OK");
    result(says(&a, "vCont;s:1", "T05thread:1;*"), "who holds may step it alone");
    put(&b, "vCont;c");
    get(&b, PATIENCE);
    put(&a, "vCont;c");
    result(is_like(get(&a, PATIENCE), "T05*") && is_like(get(&b, PATIENCE), "T05*swbreak:;*") &&
               says(&b, "p20", "9000008000000000"),
           "both want it to run: it does, and stops for both");
    put(&b, "vCont;s:1");
    get(&b, PATIENCE);
    close_client(&a);
    result(is_like(get(&b, PATIENCE), "T05thread:1;*"), "who vanishes holds no more");
    close_client(&b);
}

/* The same without a stop of all: a step that waits stays one. */
static void votes_non_stop(void)
{
    struct client a, b;

    begin(&a);
    open_client(&b);
    says(&b, "QNonStop:1", "OK");
    says(&a, HOLD, "OK");
    result(SAY(&b, {"vCont;s:1;s:2", "OK"}), "two steps are asked for");
    usleep(1200000); /* longer than the server waits for a step */
    result(SAY(&b, {"vCont;t:2", "OK"}) && tells(&b, "Stop:T00thread:2;*") &&
               SAY(&b, {"vStopped", "OK"}, {"vCont;s:2", "OK"}),
           "one is taken back, and asked for again");
    says(&a, RELEASE, "OK");
    result(tells(&b, "Stop:T05thread:1;*") && says(&b, "Hg1", "OK") && says(&b, "p20", "0400008000000000"),
           "the first one is made");
    result(says(&b, "vStopped", "T05thread:2;*") && says(&b, "vStopped", "OK") &&
               SAY(&b, {"Hg2", "OK"}, {"p20", "c000008000000000"}),
           "and the other one");
    SAY(&b, {HOLD, "OK"}, {"vCont;c:2", "OK"});
    put(&a, "vCont;c");
    usleep(50000);
    result(SAY(&b, {"Hg1", "OK"}, {"p20", "0400008000000000"}, {"vCont;t:2", "OK"}) &&
               tells(&b, "Stop:T00thread:2;*") && is_like(get(&a, PATIENCE), "T02*"),
           "what one that holds keeps stopped stays so while it lets others run");
    close_client(&b);
    close_client(&a);
}

/* The console holds the machine, and then, when it was told to run, this client does. */
static void console(void)
{
    const char *asked = "74686520636f6e736f6c652c2061736b6564206c617374*"; /* the console, asked last */
    const char *start = "0000008000000000";
    struct client c;
    int i = 0;

    open_client(&c);
    put(&c, "vCont;c");
    result(is_like(get(&c, PATIENCE), "O5b68656c642062792074686520636f6e736f6c65*"),
           "the console holds");
    result(says(&c, HOLD, "OK"), "and so does GDB");
    put_raw(&c, "\3", 1);
    result(is_like(get(&c, PATIENCE), "T02*"), "the wait can be broken off");
    puts("# both");
    fflush(stdout);
    while (i++ < 1000 && !is_like(ask(&c, CLIENTS_TOLD), asked))
        usleep(10000);
    result(SAY(&c, {"Hg1", "OK"}, {"p20", start}), "what the console asks for waits");
    says(&c, RELEASE, "OK");
    while (i++ < 1000 && is_like(ask(&c, "p20"), start))
        usleep(10000);
    result(i < 1000, "until GDB lets go");
    close_client(&c);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } groups[] = {{"known", known},     {"processes", processes}, {"attaching", attaching},
                  {"ending", ending},   {"running", running}, {"lldb", lldb},
                  {"files", files},     {"hostile", hostile}, {"framing", framing}, {"runs", runs},
                  {"greedy", greedy},   {"limits", limits},   {"tracing", tracing}, {"clients", clients},
                  {"two", two},         {"votes", votes},     {"votes-non-stop", votes_non_stop}, {"console", console}};

    if (argc != 3)
        return 2;
    where = argv[1];
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (!strcmp(argv[2], groups[i].name))
            groups[i].run();
    return tests ? 0 : 2;
}
