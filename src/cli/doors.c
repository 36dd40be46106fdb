/* doors.c - see doors.h. */
#include "cli/doors.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "cli/number.h"
#include "cli/parts.h"
#include "dev/virtio/console.h"
#include "dev/virtio/p9.h"
#include "host/host_entropy.h"
#include "host/host_file.h"

#define LOOPBACK 0x7f000001u

/* Of a file of fw_cfg. */
#define FW_FILE_MAX (UINT64_C(256) << 20)

/* The part of an option up to the next comma, terminated, and *rest behind it; NULL at the end. */
static char *next_part(char **rest)
{
    return *rest ? strsep(rest, ",") : NULL;
}

/* ---- networks ---- */

static int port_number(const char *text, uint16_t *port)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || !v || v > UINT16_MAX)
        return -EINVAL;
    *port = (uint16_t)v;
    return 0;
}

/* "tcp:[ADDR]:HOST-:GUEST"; text is cut up. */
static int parse_forward(char *text, struct host_forward *f)
{
    char *kind = strsep(&text, ":"), *address = strsep(&text, ":"), *host = strsep(&text, "-");
    struct in_addr a = {htonl(LOOPBACK)};

    if (!text || *text++ != ':')
        return -EINVAL;
    f->udp = !strcmp(kind, "udp");
    if ((!f->udp && strcmp(kind, "tcp")) || (*address && inet_pton(AF_INET, address, &a) != 1))
        return -EINVAL;
    f->address = ntohl(a.s_addr);
    return port_number(host, &f->host) || port_number(text, &f->guest) ? -EINVAL : 0;
}

static int forward(struct cli_net *n, const char *text, struct err *e)
{
    char *copy = xstrdup(text);
    struct host_forward f = {0};
    int rc = parse_forward(copy, &f);

    free(copy);
    if (rc)
        return err_set(e, EINVAL,
                       "--net: hostfwd=%.60s is not like hostfwd=tcp:[ADDRESS]:HOSTPORT-:GUESTPORT",
                       text);
    vec_push(&n->forwards, f);
    return 0;
}

static int parse_mac(const char *text, uint8_t mac[6], struct err *e)
{
    int end = 0;

    if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
               &mac[4], &mac[5], &end) != 6 ||
        text[end])
        return err_set(e, EINVAL, "--net: mac=%.40s is not like mac=52:54:00:12:34:56", text);
    return mac[0] & 1 ? err_set(e, EINVAL, "--net: mac=%.40s is for groups", text) : 0;
}

static int net_part(struct cli_net *n, const char *part, struct err *e)
{
    if (!strncmp(part, "mac=", 4))
        return parse_mac(part + 4, n->mac, e);
    if (!n->tap && !strcmp(part, "restrict")) {
        n->restricted = true;
        return 0;
    }
    if (!n->tap && !strncmp(part, "hostfwd=", 8))
        return forward(n, part + 8, e);
    return err_set(e, EINVAL, "--net: there is no \"%.60s\" for %s", part,
                   n->tap ? "tap" : "user, only restrict, mac= and hostfwd=");
}

int cli_net(struct cli_doors *d, const char *text, struct err *e)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    struct cli_net *n = &d->net[d->nnets];
    char *copy, *rest, *part;
    int rc = 0;

    if (d->nnets == BOARD_NETS)
        return err_set(e, EINVAL, "--net: %.100s is one too many; %d fit", text, BOARD_NETS);
    memcpy(n->mac, mac, sizeof mac);
    n->mac[5] = (uint8_t)(n->mac[5] + d->nnets);
    d->nnets++;
    copy = rest = xstrdup(text);
    part = next_part(&rest);
    if (!strncmp(part, "tap=", 4))
        n->tap = xstrdup(part + 4);
    else if (strcmp(part, "user"))
        rc = err_set(e, EINVAL, "--net: \"%.60s\" is neither user nor tap=INTERFACE", part);
    while (!rc && (part = next_part(&rest)))
        rc = net_part(n, part, e);
    free(copy);
    return rc;
}

static void user_send(void *opaque, uint64_t now, const uint8_t *frame, size_t len)
{
    host_slirp_send(((struct cli_net *)opaque)->user, now, frame, len);
}

static size_t user_receive(void *opaque, uint64_t now, uint8_t *frame)
{
    return host_slirp_receive(((struct cli_net *)opaque)->user, now, frame, DEV_FRAME_MAX);
}

static void user_wait(void *opaque, struct dev_wait *w)
{
    const struct pollfd *fds;
    uint64_t ns;
    size_t n = host_slirp_wait(((struct cli_net *)opaque)->user, &fds, &ns);

    for (size_t i = 0; i < n; i++)
        vec_push(w, fds[i]);
    w->ns = ns < w->ns ? ns : w->ns;
}

static void tap_send(void *opaque, uint64_t now, const uint8_t *frame, size_t len)
{
    (void)now;
    host_tap_send(((struct cli_net *)opaque)->device, frame, len);
}

static size_t tap_receive(void *opaque, uint64_t now, uint8_t *frame)
{
    (void)now;
    return host_tap_receive(((struct cli_net *)opaque)->device, frame, DEV_FRAME_MAX);
}

static void tap_wait(void *opaque, struct dev_wait *w)
{
    dev_wait_fd(w, host_tap_fd(((struct cli_net *)opaque)->device), POLLIN);
}

static int open_net(struct cli_net *n, unsigned index, struct dev_net *door, struct log *log,
                    struct err *e)
{
    const struct host_slirp_config config = {
        .log = log,
        .restricted = n->restricted,
        .subnet = (uint8_t)(2 + index),
        .forwards = n->forwards.data,
        .nforwards = n->forwards.len,
    };

    if (n->tap) {
        n->device = host_tap_open(n->tap, e);
        *door = (struct dev_net){tap_send, tap_receive, tap_wait, n, {0}};
    } else {
        n->user = host_slirp_new(&config, e);
        *door = (struct dev_net){user_send, user_receive, user_wait, n, {0}};
    }
    memcpy(door->mac, n->mac, sizeof n->mac);
    return n->device || n->user ? 0 : err_prefix(e, "--net");
}

/* ---- folders ---- */

int cli_folder(const char *option, struct cli_share *s, const char *text, struct err *e)
{
    if (s->dir)
        return err_set(e, EINVAL, "%s: %.100s: there is a folder already: %.100s", option, text,
                       s->dir);
    s->dir = xstrdup(text);
    s->read_only = cli_cut_ro(s->dir);
    return 0;
}

int cli_folder_open(const char *option, struct cli_share *s, struct err *e)
{
    if (!s->dir)
        return 0;
    s->share = host_share_open(s->dir, s->read_only, e);
    return s->share ? 0 : err_prefix(e, "%s", option);
}

void cli_folder_fini(struct cli_share *s)
{
    host_share_close(s->share);
    free(s->dir);
}

/* The last parts are options: a folder's name may hold commas. */
int cli_share(struct cli_doors *d, const char *text, struct err *e)
{
    struct cli_share *s = &d->share[d->nshares];
    const char *tag = NULL;
    char *comma;

    if (d->nshares == BOARD_SHARES)
        return err_set(e, EINVAL, "--share: %.100s is one too many; %d fit", text, BOARD_SHARES);
    d->nshares++;
    s->dir = xstrdup(text);
    for (;;) {
        s->read_only |= cli_cut_ro(s->dir);
        comma = strrchr(s->dir, ',');
        if (!comma || strncmp(comma, ",tag=", 5) || tag)
            break;
        tag = comma + 5;
        *comma = 0;
    }
    if (!*s->dir || !tag || !*tag || strlen(tag) > VIO_P9_TAG)
        return err_set(e, EINVAL,
                       "--share: %.100s is not like DIR,tag=NAME[,ro], with 1 to %d bytes of NAME",
                       text, VIO_P9_TAG);
    s->tag = xstrdup(tag);
    for (unsigned i = 0; i + 1 < d->nshares; i++)
        if (!strcmp(d->share[i].tag, tag))
            return err_set(e, EINVAL, "--share: there are two with the tag %s", tag);
    return 0;
}

static int open_share(struct cli_share *s, struct dev_share *door, struct err *e)
{
    s->share = host_share_open(s->dir, s->read_only, e);
    *door = (struct dev_share){s->tag, s->share};
    return s->share ? 0 : err_prefix(e, "--share");
}

/* ---- ports ---- */

int cli_port(struct cli_doors *d, const char *text, struct err *e)
{
    struct cli_port *p = &d->port[d->nports];
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : 0;

    if (d->nports == BOARD_PORTS)
        return err_set(e, EINVAL, "--port: %.100s is one too many; %d fit", text, BOARD_PORTS);
    if (!len || len > VIO_PORT_NAME || !equals[1])
        return err_set(
            e, EINVAL,
            "--port: %.100s is not like NAME=FILE, unix:PATH or pty, with 1 to %d bytes of NAME",
            text, VIO_PORT_NAME);
    d->nports++;
    p->name = xstrdup(text);
    p->name[len] = 0;
    p->where = xstrdup(equals + 1);
    for (unsigned i = 0; i + 1 < d->nports; i++)
        if (!strcmp(d->port[i].name, p->name))
            return err_set(e, EINVAL, "--port: there are two with the name %s", p->name);
    return 0;
}

static void port_write(void *opaque, const uint8_t *data, size_t len)
{
    host_port_write(((struct cli_port *)opaque)->port, data, len);
}

static size_t port_read(void *opaque, uint8_t *data, size_t len)
{
    return host_port_read(((struct cli_port *)opaque)->port, data, len);
}

static void port_wait(void *opaque, struct dev_wait *w)
{
    int fd = host_port_fd(((struct cli_port *)opaque)->port);

    if (fd >= 0)
        dev_wait_fd(w, fd, POLLIN);
}

static int open_port(struct cli_port *p, struct dev_port *door, struct log *log, struct err *e)
{
    p->port = host_port_open(p->where, log, e);
    if (!p->port)
        return err_prefix(e, "--port");
    if (!strcmp(p->where, "pty"))
        log_info(log, "port %s is %s", p->name, host_port_where(p->port));
    *door = (struct dev_port){p->name, {port_write, port_read, p, port_wait}};
    return 0;
}

/* ---- files of fw_cfg ---- */

int cli_fw_cfg(struct cli_doors *d, const char *text, struct err *e)
{
    struct cli_fw_file *f = &d->fw_file[d->nfw_files];
    const char *equals = strchr(text, '=');

    if (d->nfw_files == BOARD_FW_FILES)
        return err_set(e, EINVAL, "--fw-cfg: %.100s is one too many; %d fit", text, BOARD_FW_FILES);
    if (!equals || equals == text || !equals[1])
        return err_set(e, EINVAL, "--fw-cfg: %.100s is not like NAME=FILE or NAME=string:TEXT",
                       text);
    d->nfw_files++;
    f->name = xstrdup(text);
    f->name[equals - text] = 0;
    f->what = xstrdup(equals + 1);
    return 0;
}

static int open_fw_file(struct cli_fw_file *f, struct board_fw_file *door, struct err *e)
{
    static const char string[] = "string:";
    size_t len = 0;

    if (!strncmp(f->what, string, strlen(string))) {
        f->data = xstrdup(f->what + strlen(string));
        *door = (struct board_fw_file){f->name, f->data, (uint32_t)strlen(f->data)};
        return 0;
    }
    if (host_file_read(f->what, FW_FILE_MAX, &f->data, &len, e))
        return err_prefix(e, "--fw-cfg");
    *door = (struct board_fw_file){f->name, f->data, (uint32_t)len};
    return 0;
}

/* ---- entropy ---- */

int cli_rng_seed(struct cli_doors *d, struct board_config *b, const char *text, struct err *e)
{
    uint64_t seed = 0;
    int rc = 0;

    d->host_entropy = !strcmp(text, "host");
    if (!d->host_entropy)
        rc = cli_count("--rng-seed", text, &seed, e);
    memset(b->seed, 0, sizeof b->seed);
    bits_store_le(b->seed, 8, seed);
    return rc;
}

/* ---- all ---- */

int cli_doors_open(struct cli_doors *d, struct board_config *b, struct log *log, struct err *e)
{
    int rc = d->host_entropy ? host_entropy(b->seed, sizeof b->seed, e) : 0;

    for (unsigned i = 0; i < d->nnets && !rc; i++)
        rc = open_net(&d->net[i], i, &b->nets[i], log, e);
    for (unsigned i = 0; i < d->nshares && !rc; i++)
        rc = open_share(&d->share[i], &b->shares[i], e);
    for (unsigned i = 0; i < d->nports && !rc; i++)
        rc = open_port(&d->port[i], &b->ports[i], log, e);
    for (unsigned i = 0; i < d->nfw_files && !rc; i++)
        rc = open_fw_file(&d->fw_file[i], &b->fw_files[i], e);
    b->nnets = d->nnets;
    b->nshares = d->nshares;
    b->nports = d->nports;
    b->nfw_files = d->nfw_files;
    return rc;
}

void cli_doors_fini(struct cli_doors *d)
{
    for (unsigned i = 0; i < BOARD_NETS; i++) {
        host_slirp_free(d->net[i].user);
        host_tap_close(d->net[i].device);
        vec_fini(&d->net[i].forwards);
        free(d->net[i].tap);
    }
    for (unsigned i = 0; i < BOARD_SHARES; i++) {
        host_share_close(d->share[i].share);
        free(d->share[i].dir);
        free(d->share[i].tag);
    }
    for (unsigned i = 0; i < BOARD_PORTS; i++) {
        host_port_close(d->port[i].port);
        free(d->port[i].name);
        free(d->port[i].where);
    }
    for (unsigned i = 0; i < BOARD_FW_FILES; i++) {
        free(d->fw_file[i].name);
        free(d->fw_file[i].what);
        free(d->fw_file[i].data);
    }
}
