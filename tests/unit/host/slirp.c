/* The user network: a guest made of bytes asks for addresses, pings, and is connected to. */
#include "host/host_slirp.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "base/bits.h"
#include "host/host_clock.h"

#define MS UINT64_C(1000000)

static const uint8_t guest_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};

static void be16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static size_t ethernet(uint8_t *f, const uint8_t *to, unsigned type)
{
    memcpy(f, to, 6);
    memcpy(f + 6, guest_mac, 6);
    be16(f + 12, type);
    return 14;
}

static void arp(uint8_t *f, const uint8_t *to, unsigned op, const uint8_t *to_mac, uint8_t net,
                uint8_t target)
{
    static const uint8_t head[] = {0, 1, 8, 0, 6, 4};
    const uint8_t me[] = {10, 0, net, 15}, it[] = {10, 0, net, target};

    ethernet(f, to, 0x806);
    memcpy(f + 14, head, 6);
    be16(f + 20, op);
    memcpy(f + 22, guest_mac, 6);
    memcpy(f + 28, me, 4);
    memcpy(f + 32, to_mac, 6);
    memcpy(f + 38, it, 4);
}

static unsigned sum(const uint8_t *p, size_t len)
{
    uint32_t s = 0;

    for (size_t i = 0; i < len; i += 2)
        s += (uint32_t)(p[i] << 8 | p[i + 1]);
    s = (s >> 16) + (s & 0xffff);
    return (s + (s >> 16)) & 0xffff;
}

/* An echo request for 10.0.net.2. */
static size_t ping(uint8_t *f, const uint8_t *gateway, uint8_t net)
{
    const uint8_t ip[] = {0x45, 0, 0, 32, 0, 1, 0, 0, 64, 1, 0, 0, 10, 0, net, 15, 10, 0, net, 2};
    const uint8_t icmp[] = {8, 0, 0, 0, 0, 9, 0, 1, 'p', 'i', 'n', 'g'};

    ethernet(f, gateway, 0x800);
    memcpy(f + 14, ip, sizeof ip);
    be16(f + 24, ~sum(f + 14, 20));
    memcpy(f + 34, icmp, sizeof icmp);
    be16(f + 36, ~sum(f + 34, sizeof icmp));
    return 46;
}

static struct host_slirp *start(const struct host_forward *forwards, size_t n, bool restricted)
{
    const struct host_slirp_config config = {
        .restricted = restricted, .subnet = 7, .forwards = forwards, .nforwards = n};
    struct err e = {0};
    struct host_slirp *s = host_slirp_new(&config, &e);

    ck_assert_msg(s, "%s", e.msg);
    return s;
}

/* The gateway's address, which it tells. */
static void find_gateway(struct host_slirp *s, uint8_t mac[6])
{
    uint8_t f[1518] = {0};
    size_t len;

    arp(f, broadcast, 1, (const uint8_t[6]){0}, 7, 2);
    host_slirp_send(s, 0, f, 42);
    len = host_slirp_receive(s, 0, f, sizeof f);
    ck_assert_uint_ge(len, 42);
    ck_assert(f[12] == 8 && f[13] == 6 && f[21] == 2);
    memcpy(mac, f + 22, 6);
}

START_TEST(answers)
{
    struct host_slirp *s = start(NULL, 0, true);
    uint8_t f[1518], mac[6];
    size_t len;

    ck_assert_uint_eq(host_slirp_receive(s, 0, f, sizeof f), 0);
    find_gateway(s, mac);
    host_slirp_send(s, 5 * MS, f, ping(f, mac, 7));
    len = host_slirp_receive(s, 5 * MS, f, sizeof f);
    ck_assert_uint_eq(len, 46);
    ck_assert_uint_eq(f[34], 0); /* the echo's reply, from whom it was sent to */
    ck_assert_mem_eq(f + 42, "ping", 4);
    ck_assert_uint_eq(f[29], 2);
    ck_assert_uint_eq(host_slirp_receive(s, 5 * MS, f, sizeof f), 0);
    host_slirp_free(s);
}
END_TEST

START_TEST(wrong_frames)
{
    struct host_slirp *s = start(NULL, 0, false);
    uint8_t f[1518], mac[6];
    uint64_t seed = 1;

    find_gateway(s, mac);
    for (unsigned i = 0; i < 20000; i++) {
        size_t len = 14 + (seed >> 8) % 100;

        ping(f, mac, 7);
        for (unsigned k = 0; k < 4; k++) {
            seed = bits_mix(seed + i + k);
            f[12 + seed % 60] = (uint8_t)(seed >> 32);
        }
        host_slirp_send(s, i * MS, f, len);
        while (host_slirp_receive(s, i * MS, f, sizeof f))
            ;
    }
    find_gateway(s, mac);
    host_slirp_free(s);
}
END_TEST

/* A port that is free now. */
static uint16_t free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f000001)}};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    close(fd);
    return ntohs(a.sin_port);
}

/* Someone connects to the forwarded port: the guest is asked for, and connected to. */
START_TEST(forwards)
{
    const struct host_forward f = {false, 0x7f000001, free_port(), 22};
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(f.host), .sin_addr = {htonl(f.address)}};
    struct host_slirp *s = start(&f, 1, true);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    uint64_t until = host_monotonic_ns() + 5000 * MS, now;
    uint8_t frame[1518], mac[6];
    bool asked = false, connected = false;

    find_gateway(s, mac);
    connect(fd, (const struct sockaddr *)&a, sizeof a);
    while (!connected && (now = host_monotonic_ns()) < until) {
        const struct pollfd *fds;
        uint64_t ns;
        size_t n = host_slirp_wait(s, &fds, &ns), len;
        struct pollfd copy[16];

        ck_assert_uint_ge(n, 1); /* the listening socket at least */
        ck_assert_uint_le(n, 16);
        memcpy(copy, fds, n * sizeof *fds);
        host_wait(copy, (unsigned)n, now + (ns < 100 * MS ? ns : 100 * MS));
        len = host_slirp_receive(s, now, frame, sizeof frame);
        if (len >= 42 && frame[13] == 6) {
            asked = true;
            arp(frame, mac, 2, mac, 7, 2);
            host_slirp_send(s, now, frame, 42);
        }
        if (len >= 54 && frame[12] == 8 && frame[13] == 0 && frame[23] == 6)
            connected = frame[37] == 22 && frame[47] == 2; /* the port; SYN */
    }
    ck_assert(connected);
    (void)asked; /* it may know the guest from the first question */
    close(fd);
    host_slirp_free(s);
}
END_TEST

START_TEST(taken_port)
{
    const struct host_forward f = {false, 0x7f000001, free_port(), 22};
    const struct host_slirp_config config = {.subnet = 2, .forwards = &f, .nforwards = 1};
    struct host_slirp *s = start(&f, 1, false);
    struct err e;

    ck_assert_ptr_null(host_slirp_new(&config, &e));
    ck_assert_ptr_nonnull(strstr(e.msg, "cannot listen at 127.0.0.1 port"));
    host_slirp_free(s);
}
END_TEST

/* Frames that nobody takes are lost beyond a number, and their order stays. */
START_TEST(full)
{
    struct host_slirp *s = start(NULL, 0, false);
    uint8_t f[1518], mac[6];
    unsigned n = 0;

    find_gateway(s, mac);
    for (unsigned i = 0; i < 1000; i++)
        host_slirp_send(s, 0, f, ping(f, mac, 7));
    ck_assert_uint_eq(host_slirp_receive(s, 0, f, 45), 0); /* none fits: all are lost */
    for (unsigned i = 0; i < 1000; i++)
        host_slirp_send(s, 0, f, ping(f, mac, 7));
    while (host_slirp_receive(s, 0, f, sizeof f))
        n++;
    ck_assert_uint_eq(n, 256);
    host_slirp_free(s);
}
END_TEST

UNIT_MAIN("host/slirp", answers, wrong_frames, forwards, taken_port, full)
