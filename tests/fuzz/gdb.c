/*
 * gdb.c - a GDB server's session: packets such as clients send, with wild numbers, agent
 * expressions and damage, and bytes as they come.
 *
 * What comes back are whole packets with right sums.  In half of the inputs there are only
 * packets that look: then the machine must be as before.
 */
#include <stdlib.h>
#include <unistd.h>

#include "gdbstub/session.h"
#include "host/host_share.h"
#include "tests/fuzz/damage.h"

#define RAM      UINT64_C(0x80000000)
#define RAM_SIZE (UINT64_C(8) << 20)

enum { PACKETS = 60 };

/* clang-format off */
/* A packet, with @ for a number, & for an address, ! for a thread, ~ for a program, % for digits,
 * and ^ for bytes. */
static const char *const looks[] = {
    "?", "g", "g;thread:!;", "p@", "p20;thread:!;", "m&,@", "x&,@", "Hg!", "Hc!", "T!", "!", "qC",
    "qSupported:swbreak+;hwbreak+;error-message+;^", "qfThreadInfo", "qsThreadInfo",
    "qAttached:@", "qThreadExtraInfo,!", "qRcmd,%", "qRcmd,6861736820", "qCRC:&,@",
    "qSearch:memory:&;@;^", "qXfer:features:read:target.xml:@,@", "qXfer:memory-map:read::@,@",
    "qXfer:threads:read::@,@", "qXfer:osdata:read:devices:@,@", "qXfer:exec-file:read:@:@,@",
    "qXfer:^:read:^:@,@", "qXfer:auxv:read::@,@", "QStartNoAckMode", "QThreadSuffixSupported",
    "QListThreadsInStopReply", "QEnableErrorStrings",
    "QAllow:WriteMem:@;WriteReg:@;InsertBreak:@;Stop:@;^", "QNonStop:0", "Qqemu.PhyMemMode:@",
    "Qqemu.sstep=@", "qqemu.sstep", "Z0,&,@", "Z1,&,4;~~", "Z2,&,@;~", "Z3,&,@", "Z4,&,@",
    "Z0,80000000,4;~;cmds:@,~~", "Z@,&,@;cmds:0,~", "z0,&,@", "z@,80000000,4",
    "QCatchSyscalls:1;@;@", "QCatchSyscalls:0", "QSaveRegisterState;thread:!;",
    "qGetTLSAddr:!,@,@", "qHostInfo", "qProcessInfo", "qMemoryRegionInfo:&",
    "qMemoryRegionInfo:@", "qRegisterInfo@", "qThreadStopInfo!", "jThreadsInfo", "vCont?",
    "vFile:open:%,@,@", "vFile:pread:@,@,@", "vFile:pwrite:@,@,^", "vFile:close:@",
    "vFile:fstat:@", "vFile:readlink:%", "vFile:unlink:%", "vFile:stat:%", "vFile:setfs:@", "bc",
    "bs", "qSymbol:%:%", "qTStatus", "vMustReplyEmpty",
};
static const char *const acts[] = {
    "c", "c&", "s", "s&", "C@", "S@;&", "vCont;c", "vCont;s:!", "vCont;r&,&:!;c", "vCont;t:!",
    "vCont;C@:!;S@", "vCtrlC", "vStopped", "QNonStop:@", "D", "R", "vRun;%", "vAttach;@", "k",
    "vKill;@", "G%", "P@=%", "P8=%;thread:!;", "M&,@:%", "X&,@:^", "Hc-1",
    "QRestoreRegisterState:@;thread:!;",
};
/* clang-format on */

/* ---- the server ---- */

static struct ctl *ctl;
static struct gdb_config config;

static void killed(void *opaque)
{
    (void)opaque;
}

/* j to itself: how long the machine runs makes no difference. */
static void make_server(void)
{
    static const uint8_t code[] = {0x6f, 0, 0, 0};
    char dir[] = "/tmp/glovebox-fuzz-XXXXXX";
    struct machine_config m = {
        .board = {.machine = "virt",
                  .ncpus = 3,
                  .memory = RAM_SIZE,
                  .bare = true,
                  .kernel = fuzz_file(code, sizeof code),
                  .load_addr = RAM,
                  .timebase = 10000000},
        .guest = "riscv64",
        .engine = "interp",
        .accel = {.break_op = -1},
        .tlb = TLB_CONFIG_DEFAULT,
        .slice = 100,
    };
    struct err e = {0};
    struct machine *machine = machine_new(&m, &e);

    ctl = machine ? ctl_new(machine, &e) : NULL;
    FUZZ_CHECK(ctl, "%s", e.msg);
    config = (struct gdb_config){.ctl = ctl, .killed = killed};
    if (mkdtemp(dir)) /* nothing can be in a folder that is gone */
        config.files = host_share_open(dir, false, &e);
    rmdir(dir);
}

static void free_server(void)
{
    ctl_free(ctl);
    host_share_close(config.files);
}

static void take_hash(struct machine *m, void *arg)
{
    *(uint64_t *)arg = machine_hash(m);
}

static uint64_t hash(void)
{
    uint64_t h = 0;

    ctl_call(ctl, take_hash, &h);
    return h;
}

/* ---- packets ---- */

static void put_digits(struct fuzz_in *in, struct buf *out)
{
    uint8_t bytes[64];

    gdb_put_hex(out, bytes, fuzz_bytes(in, bytes, fuzz_below(in, sizeof bytes)));
}

static void put_bytes(struct fuzz_in *in, struct buf *out)
{
    uint8_t bytes[64];

    buf_add(out, bytes, fuzz_bytes(in, bytes, fuzz_below(in, sizeof bytes)));
}

/* Operations that are known, most often, and small operands. */
static void put_program(struct fuzz_in *in, struct buf *out)
{
    static const struct {
        uint8_t code, operand;
    } ops[] = {
#define OP(name, code, operand, pops, pushes) {code, operand},
        DBG_AGENT_OPS(OP)
#undef OP
    };
    struct buf code = BUF_INIT;

    for (uint64_t n = fuzz_below(in, 24); n; n--) {
        uint64_t op = fuzz_below(in, ARRAY_LEN(ops)), value = fuzz_int(in, 1);

        buf_ch(&code, (char)(fuzz_rarely(in, 32) ? fuzz_int(in, 1) : ops[op].code));
        for (unsigned i = ops[op].operand; i--;)
            buf_ch(&code, (char)(i ? 0 : value));
        if (ops[op].code == DBG_AGENT_PRINTF && value)
            buf_fmt(&code, "%.*s%c", (int)value - 1, "%s %d %c\\n %-20lx %p %%%08llu\\033%ld", 0);
    }
    buf_ch(&code, DBG_AGENT_END);
    buf_fmt(out, "X%zx,", code.len);
    gdb_put_hex(out, code.data, code.len);
    buf_fini(&code);
}

static void put_address(struct fuzz_in *in, struct buf *out)
{
    uint64_t at = fuzz_rarely(in, 4) ? fuzz_value(in) : RAM + (fuzz_int(in, 1) & ~UINT64_C(3));

    buf_fmt(out, "%" PRIx64, at);
}

static void put_thread(struct fuzz_in *in, struct buf *out)
{
    static const char *const threads[] = {"1",    "2",     "3",   "0",  "-1", "4",
                                          "p1.1", "p1.-1", "p-1", "p2", "",   "ffffffffffffffff"};

    buf_str(out, threads[fuzz_below(in, ARRAY_LEN(threads))]);
}

static void put_packet(struct fuzz_in *in, const char *text, struct buf *out)
{
    for (; *text; text++)
        switch (*text) {
        case '@':
            buf_fmt(out, "%" PRIx64, fuzz_value(in));
            break;
        case '&':
            put_address(in, out);
            break;
        case '!':
            put_thread(in, out);
            break;
        case '~':
            put_program(in, out);
            break;
        case '%':
            put_digits(in, out);
            break;
        case '^':
            put_bytes(in, out);
            break;
        default:
            buf_ch(out, *text);
        }
}

/* In its frame; if it may come to harm, damaged now and then, and in up to two pieces. */
static void send(struct fuzz_in *in, struct gdb_session *s, const struct buf *packet, bool harm)
{
    struct gdb_wire w;
    size_t cut;

    gdb_wire_init(&w);
    gdb_wire_send(&w, packet);
    if (harm && fuzz_rarely(in, 16))
        fuzz_damage(in, w.out.data, w.out.len);
    if (harm && fuzz_rarely(in, 16))
        w.out.len -= fuzz_below(in, w.out.len);
    cut = fuzz_rarely(in, 8) ? fuzz_below(in, w.out.len + 1) : w.out.len;
    gdb_wire_add(&s->wire, w.out.data, cut);
    gdb_session_input(s);
    gdb_wire_add(&s->wire, w.out.data + cut, w.out.len - cut);
    gdb_session_input(s);
    gdb_wire_fini(&w);
}

/* The machine comes to rest, and what it told goes out. */
static void settle(struct gdb_session *s)
{
    ctl_pause(ctl);
    ctl_wait(ctl, -1, NULL);
    gdb_session_news(s);
    ctl_pause(ctl); /* the other CPUs, non-stop */
    ctl_wait(ctl, -1, NULL);
}

/* Packets and notifications with their sums, and acknowledgements. */
static void check_output(struct gdb_session *s)
{
    const struct buf *out = &s->wire.out;
    char digits[3];

    for (size_t at = 0; at < out->len; at++) {
        uint8_t sum = 0;

        if (out->data[at] == '+' || out->data[at] == '-')
            continue;
        FUZZ_CHECK(out->data[at] == '$' || out->data[at] == '%', "at %zu of %s", at, out->data);
        for (at++; at < out->len && out->data[at] != '#'; at++)
            sum = (uint8_t)(sum + (uint8_t)out->data[at]);
        FUZZ_CHECK(at + 2 < out->len, "no end");
        snprintf(digits, sizeof digits, "%02x", sum);
        FUZZ_CHECK(!memcmp(out->data + at + 1, digits, 2), "sum %s", digits);
        at += 2;
    }
    buf_reset(&s->wire.out);
    s->wire.out_at = 0;
}

static void one_packet(struct fuzz_in *in, struct gdb_session *s, bool look)
{
    struct buf packet = BUF_INIT;
    uint64_t kind = look ? 0 : fuzz_below(in, 8);

    if (kind == 7) {
        put_bytes(in, &packet);
        gdb_wire_add(&s->wire, packet.data, packet.len);
        gdb_session_input(s);
    } else {
        put_packet(in,
                   kind > 3 ? acts[fuzz_below(in, ARRAY_LEN(acts))]
                            : looks[fuzz_below(in, ARRAY_LEN(looks))],
                   &packet);
        send(in, s, &packet, !look);
    }
    buf_fini(&packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_in in = {data, data + len};
    bool look = fuzz_int(&in, 1) & 1;
    struct gdb_session *s;
    uint64_t before;
    struct err e;

    make_server();
    s = gdb_session_new(&config, &e);
    FUZZ_CHECK(s, "%s", e.msg);
    before = look ? hash() : 0;
    for (unsigned n = 0; n < PACKETS && fuzz_left(&in) && !s->over; n++) {
        one_packet(&in, s, look);
        settle(s);
        check_output(s);
    }
    FUZZ_CHECK(!look || hash() == before, "packets that look have changed the machine");
    gdb_session_free(s);
    free_server();
    return 0;
}
