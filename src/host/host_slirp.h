/*
 * host_slirp.h - a network of the guest's own, in the program: libslirp.
 *
 * With the subnet 2 the guest is 10.0.2.15 (by DHCP), its gateway, which is the host,
 * 10.0.2.2, the name server 10.0.2.3.  What the guest connects to is connected to by the program, as its
 * user; nothing connects to the guest but through forwarded ports.  No root is needed.
 *
 * Time is what the caller says in each call, in ns.  One thread at a time.
 */
#ifndef HOST_SLIRP_H
#define HOST_SLIRP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

struct host_slirp;

struct host_forward {
    bool udp;
    uint32_t address;      /* of the host's that it listens at, as in 0x7f000001 */
    uint16_t host, guest;  /* ports */
};

struct host_slirp_config {
    struct log *log;
    bool restricted; /* the guest reaches forwarded ports and nothing else of the host's */
    uint8_t subnet;
    const struct host_forward *forwards;
    size_t nforwards;
};

struct host_slirp *host_slirp_new(const struct host_slirp_config *config, struct err *e);
void host_slirp_free(struct host_slirp *s);

/* A frame from the guest. */
void host_slirp_send(struct host_slirp *s, uint64_t now, const uint8_t *frame, size_t len);
/* The next frame of at most max bytes for it, without waiting; 0: none. */
size_t host_slirp_receive(struct host_slirp *s, uint64_t now, uint8_t *frame, size_t max);

/* What there is to wait for until receive may have something, valid until the next call; *ns: at
 * most so long, or UINT64_MAX. */
size_t host_slirp_wait(struct host_slirp *s, const struct pollfd **fds, uint64_t *ns);

#endif
