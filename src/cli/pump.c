/* pump.c - see pump.h. */
#include "cli/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/host_clock.h"
#include "host/host_file.h"

#define OUT_LIMIT (4u << 20) /* bytes that the machine may be ahead */
#define CHUNK     4096u      /* a pipe that poll calls writable takes this many at once */
#define CTRL_A    1
#define CTRL_C    3

static const char keys_help[] = "\r\n"
                                "C-a x  quit\r\n"
                                "C-a c  pause, and to the debugger's console\r\n"
                                "C-a h  this help\r\n"
                                "C-a C-a  send C-a to the guest\r\n";

/* ---- the machine's side ---- */

/* With the lock held. */
static void put(struct cli_pump *p, const void *data, size_t len)
{
    if (p->broken || !len)
        return;
    buf_add(&p->out, data, len);
    p->last = (uint8_t)p->out.data[p->out.len - 1];
}

static void chars_write(void *opaque, const uint8_t *data, size_t len)
{
    struct cli_pump *p = opaque;
    bool first, seen;

    host_mutex_lock(&p->lock);
    while (p->out.len - p->out_at > OUT_LIMIT && !p->free_flow)
        host_cond_wait(&p->room, &p->lock);
    first = p->out.len == p->out_at;
    put(p, data, len);
    seen = cli_marker_feed(&p->marker, data, len);
    host_mutex_unlock(&p->lock);
    if (first)
        host_wake_post(&p->wake);
    if (seen && p->ctl)
        ctl_pause(p->ctl);
}

static size_t chars_read(void *opaque, uint8_t *data, size_t len)
{
    struct cli_pump *p = opaque;
    size_t n;

    host_mutex_lock(&p->lock);
    n = len < p->nkeys ? len : p->nkeys;
    memcpy(data, p->keys, n);
    memmove(p->keys, p->keys + n, p->nkeys - n);
    p->nkeys -= n;
    host_mutex_unlock(&p->lock);
    return n;
}

static bool input_is_null(void)
{
    struct stat st, null;

    if (fstat(STDIN_FILENO, &st) < 0)
        return true;
    return S_ISCHR(st.st_mode) && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev;
}

struct dev_chars cli_pump_chars(struct cli_pump *p)
{
    return (struct dev_chars){
        .write = chars_write, .read = input_is_null() ? NULL : chars_read, .opaque = p};
}

/* ---- life ---- */

/* Standard output, opened anew so that O_NONBLOCK concerns nobody else, where that is
 * possible: pipes and terminals. */
static void open_output(struct cli_pump *p)
{
    struct stat st;
    int fd = -1;

    if (fstat(STDOUT_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(STDOUT_FILENO)))
        fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    p->out_own = fd >= 0;
    p->out_fd = fd >= 0 ? fd : STDOUT_FILENO;
}

static int take_signals(struct cli_pump *p, struct err *e)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    p->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return p->signal_fd < 0 ? err_sys(e, errno, "signals") : 0;
}

int cli_pump_init(struct cli_pump *p, struct log *log, const char *marker, struct err *e)
{
    int rc;

    memset(p, 0, sizeof *p);
    p->log = log;
    buf_init(&p->out);
    rc = host_wake_init(&p->wake, e);
    if (rc)
        return rc;
    rc = take_signals(p, e);
    if (rc) {
        host_wake_fini(&p->wake);
        return rc;
    }
    host_mutex_init(&p->lock);
    host_cond_init(&p->room);
    cli_marker_init(&p->marker, marker);
    p->in_tty = host_tty_is(STDIN_FILENO);
    open_output(p);
    return 0;
}

void cli_pump_fini(struct cli_pump *p)
{
    cli_pump_cooked(p);
    if (p->out_own)
        close(p->out_fd);
    close(p->signal_fd);
    host_cond_fini(&p->room);
    host_mutex_fini(&p->lock);
    host_wake_fini(&p->wake);
    buf_fini(&p->out);
}

void cli_pump_raw(struct cli_pump *p)
{
    struct err e;

    if (!p->in_tty || p->tty)
        return;
    p->tty = host_tty_raw(STDIN_FILENO, &e);
    if (!p->tty)
        log_warn(p->log, "%s", e.msg);
    p->log->cr = p->tty;
    p->escape = false;
}

void cli_pump_cooked(struct cli_pump *p)
{
    host_tty_cooked(p->tty);
    p->tty = NULL;
    p->log->cr = false;
}

static void set_flow(struct cli_pump *p, bool free_flow)
{
    host_mutex_lock(&p->lock);
    p->free_flow = free_flow;
    host_cond_broadcast(&p->room);
    host_mutex_unlock(&p->lock);
}

void cli_pump_pause(struct cli_pump *p)
{
    set_flow(p, true);
    ctl_pause(p->ctl);
}

void cli_pump_flow(struct cli_pump *p)
{
    set_flow(p, false);
}

/* ---- input ---- */

/* A key behind Ctrl-A: what is to be done, and whether it is for the guest. */
static unsigned escaped(struct cli_pump *p, uint8_t key, bool *send)
{
    *send = key == CTRL_A || key == 'a';
    if (key == 'h' || key == '?')
        cli_pump_text(p, keys_help, sizeof keys_help - 1);
    return key == 'x' ? CLI_PUMP_QUIT : key == 'c' ? CLI_PUMP_PAUSE : 0;
}

/* Leaves what is for the guest in data. */
static unsigned terminal_keys(struct cli_pump *p, uint8_t *data, size_t *len)
{
    unsigned events = 0;
    size_t n = 0;

    for (size_t i = 0; i < *len; i++) {
        bool send = true;

        if (p->escape) {
            events |= escaped(p, data[i], &send);
            p->escape = false;
            if (send)
                data[n++] = CTRL_A;
        } else if (data[i] == CTRL_A) {
            p->escape = true;
        } else if (data[i] == CTRL_C && p->ctrl_c_pauses) {
            events |= CLI_PUMP_PAUSE;
        } else {
            data[n++] = data[i];
        }
    }
    *len = n;
    return events;
}

static unsigned take_input(struct cli_pump *p)
{
    uint8_t data[CLI_KEYS_MAX];
    unsigned events = 0;
    size_t room, len;
    int n;

    host_mutex_lock(&p->lock);
    room = CLI_KEYS_MAX - p->nkeys;
    host_mutex_unlock(&p->lock);
    n = host_fd_read_now(STDIN_FILENO, data, room);
    if (n < 0)
        p->in_end = true;
    if (n <= 0)
        return 0;
    len = (size_t)n;
    if (p->in_tty)
        events = terminal_keys(p, data, &len);
    host_mutex_lock(&p->lock);
    memcpy(p->keys + p->nkeys, data, len);
    p->nkeys += len;
    host_mutex_unlock(&p->lock);
    if (len)
        machine_wake(p->m);
    return events;
}

/* ---- output ---- */

static void drop_output(struct cli_pump *p)
{
    host_mutex_lock(&p->lock);
    p->broken = true;
    buf_reset(&p->out);
    p->out_at = 0;
    host_cond_signal(&p->room);
    host_mutex_unlock(&p->lock);
}

/* Writes what can be written now. */
static unsigned put_output(struct cli_pump *p)
{
    uint8_t data[CHUNK];
    ssize_t n;
    size_t len;

    host_mutex_lock(&p->lock);
    len = p->out.len - p->out_at < CHUNK ? p->out.len - p->out_at : CHUNK;
    memcpy(data, p->out.data + p->out_at, len);
    host_mutex_unlock(&p->lock);
    n = len ? write(p->out_fd, data, len) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0) {
        log_error(p->log, "standard output: %s", strerror(errno));
        drop_output(p);
        return CLI_PUMP_BROKEN;
    }
    host_mutex_lock(&p->lock);
    p->out_at += (size_t)n;
    if (p->out_at == p->out.len) {
        buf_reset(&p->out);
        p->out_at = 0;
    }
    host_cond_signal(&p->room);
    host_mutex_unlock(&p->lock);
    return 0;
}

size_t cli_pump_left(struct cli_pump *p)
{
    size_t left;

    host_mutex_lock(&p->lock);
    left = p->out.len - p->out_at;
    host_mutex_unlock(&p->lock);
    return left;
}

void cli_pump_text(struct cli_pump *p, const char *text, size_t len)
{
    host_mutex_lock(&p->lock);
    put(p, text, len);
    host_mutex_unlock(&p->lock);
}

void cli_pump_fresh_line(struct cli_pump *p)
{
    host_mutex_lock(&p->lock);
    if (p->last && p->last != '\n')
        put(p, "\n", 1);
    host_mutex_unlock(&p->lock);
}

/* ---- both ---- */

static unsigned take_signal(struct cli_pump *p)
{
    struct signalfd_siginfo info;

    if (read(p->signal_fd, &info, sizeof info) != sizeof info)
        return 0;
    p->signal = (int)info.ssi_signo;
    return CLI_PUMP_SIGNAL;
}

static bool wants_input(struct cli_pump *p, enum cli_pump_in in)
{
    bool room;

    host_mutex_lock(&p->lock);
    room = p->nkeys < CLI_KEYS_MAX;
    host_mutex_unlock(&p->lock);
    return in == CLI_IN_CALLER || (in == CLI_IN_GUEST && room && !p->in_end);
}

unsigned cli_pump(struct cli_pump *p, enum cli_pump_in in, uint64_t until_ns)
{
    enum { SIGNALS, NEWS, WAKE, IN, OUT, COUNT };
    struct pollfd fds[COUNT] = {
        [SIGNALS] = {.fd = p->signal_fd, .events = POLLIN},
        [NEWS] = {.fd = p->client ? ctl_client_fd(p->client) : -1, .events = POLLIN},
        [WAKE] = {.fd = p->wake.fd, .events = POLLIN},
        [IN] = {.fd = wants_input(p, in) ? STDIN_FILENO : -1, .events = POLLIN},
        [OUT] = {.fd = cli_pump_left(p) ? p->out_fd : -1, .events = POLLOUT},
    };
    unsigned events = 0;

    host_wait(fds, COUNT, until_ns);
    if (fds[WAKE].revents)
        host_wake_clear(&p->wake);
    if (fds[SIGNALS].revents)
        events |= take_signal(p);
    if (fds[NEWS].revents) {
        ctl_client_ack(p->client);
        events |= CLI_PUMP_NEWS;
    }
    if (fds[OUT].revents)
        events |= put_output(p);
    if (fds[IN].revents)
        events |= in == CLI_IN_GUEST ? take_input(p) : (unsigned)CLI_PUMP_READABLE;
    return events;
}

bool cli_pump_drain(struct cli_pump *p, uint64_t until_ns)
{
    while (cli_pump_left(p)) {
        if (cli_pump(p, CLI_IN_NOBODY, until_ns) & (CLI_PUMP_SIGNAL | CLI_PUMP_BROKEN))
            return false;
        if (host_monotonic_ns() >= until_ns)
            return false;
    }
    return true;
}
