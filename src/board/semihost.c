/* semihost.c - see semihost.h. */
#include "board/semihost.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "dev/ticks.h"
#include "host/host_share.h"

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE,
    SYS_WRITEC,
    SYS_WRITE0,
    SYS_WRITE,
    SYS_READ,
    SYS_READC,
    SYS_ISERROR,
    SYS_ISTTY,
    SYS_SEEK,
    SYS_FLEN = 0x0c,
    SYS_REMOVE = 0x0e,
    SYS_RENAME,
    SYS_CLOCK,
    SYS_TIME,
    SYS_ERRNO = 0x13,
    SYS_GET_CMDLINE = 0x15,
    SYS_HEAPINFO,
    SYS_EXIT = 0x18,
    SYS_EXIT_EXTENDED = 0x20,
    SYS_ELAPSED = 0x30,
    SYS_TICKFREQ,
};

#define APPLICATION_EXIT 0x20026 /* ADP_Stopped_ApplicationExit */
#define FAILED           UINT64_MAX

#define HANDLES        32
#define STANDARD       3 /* of these are there from the start: input, output, errors */
#define PATH_MAX_BYTES 255
#define CHUNK          65536
#define STRING_MAX     65536 /* of WRITE0 */

enum { A0 = 10, A1 = 11 };

/* What a handle stands for. */
enum kind { FREE, CONSOLE_IN, CONSOLE_OUT, FEATURES, HOST_FILE, KINDS };

struct file {
    uint8_t kind;
    uint8_t mode; /* of the host's file: the guest's number, 0 to 11 */
    uint64_t at;
    char path[PATH_MAX_BYTES + 1]; /* of HOST_FILE; else empty */
    int fd;                        /* likewise; else -1 */
};

struct semihost {
    struct board *board;
    struct file file[HANDLES]; /* by handle */
    uint32_t error;            /* of the last call that failed: errno */
    uint32_t waiting;          /* harts, as bits, that wait for a key */
};

struct call {
    struct semihost *s;
    struct board_hart *hart;
    uint64_t param;  /* a1 */
    uint64_t arg[4]; /* the words that it points to */
    bool again;      /* not carried out: to be made again when there is a key */
    bool gone;       /* no result: the machine ends */
};

static uint64_t fail(struct call *c, int error)
{
    c->s->error = (uint32_t)(error < 0 ? -error : error);
    return FAILED;
}

/* ---- the guest's memory ---- */

static bool get(struct call *c, uint64_t vaddr, void *data, uint64_t len)
{
    return cpu_peek(c->hart->cpu, vaddr, data, len) == len;
}

static bool put(struct call *c, uint64_t vaddr, const void *data, uint64_t len)
{
    return cpu_poke(c->hart->cpu, vaddr, data, len) == len;
}

static bool put_word(struct call *c, uint64_t vaddr, uint64_t value)
{
    uint8_t bytes[8];

    bits_store_le(bytes, sizeof bytes, value);
    return put(c, vaddr, bytes, sizeof bytes);
}

/* The first n words of the parameter block. */
static bool args(struct call *c, unsigned n)
{
    uint8_t bytes[sizeof c->arg];

    if (!get(c, c->param, bytes, 8 * n)) {
        fail(c, EFAULT);
        return false;
    }
    for (unsigned i = 0; i < n; i++)
        c->arg[i] = bits_load_le(bytes + 8 * i, 8);
    return true;
}

/* ---- names ---- */

/* A guest's name, which is cut up, as a path of host_share.h.  0 or an errno. */
static int clean(char *name, char *path)
{
    char *save = NULL;
    size_t at = 0;

    for (char *part = strtok_r(name, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
        if (!strcmp(part, ".."))
            return EACCES;
        if (!strcmp(part, "."))
            continue;
        if (at)
            path[at++] = '/';
        memcpy(path + at, part, strlen(part));
        at += strlen(part);
    }
    path[at] = 0;
    return at ? 0 : EISDIR;
}

static int path_from(struct call *c, uint64_t vaddr, uint64_t len, char *path)
{
    char name[PATH_MAX_BYTES + 1];

    if (len > PATH_MAX_BYTES)
        return ENAMETOOLONG;
    if (!get(c, vaddr, name, len))
        return EFAULT;
    name[len] = 0;
    return clean(name, path);
}

/* ---- handles ---- */

static void close_file(struct file *f)
{
    if (f->kind == HOST_FILE && f->fd >= 0)
        host_share_close_file(f->fd);
    *f = (struct file){.fd = -1};
}

static struct file *file_of(struct call *c, uint64_t handle)
{
    if (handle < HANDLES && c->s->file[handle].kind != FREE)
        return &c->s->file[handle];
    fail(c, EBADF);
    return NULL;
}

/* Modes come in threes of a pair (text and binary): r, r+, w, w+, a, a+. */
static bool mode_appends(unsigned mode)
{
    return mode >= 8;
}

static int mode_flags(unsigned mode)
{
    bool both = mode & 2;

    if (mode < 4)
        return both ? O_RDWR : O_RDONLY;
    return (both ? O_RDWR : O_WRONLY) | O_CREAT | (mode_appends(mode) ? 0 : O_TRUNC);
}

static int open_host(struct call *c, struct file *f, int flags)
{
    struct host_share *share = c->s->board->config.semihosting_files;

    if (!share)
        return -EACCES;
    f->fd = host_share_file(share, f->path, flags, 0666);
    return f->fd < 0 ? f->fd : 0;
}

static uint64_t sys_open(struct call *c)
{
    struct semihost *s = c->s;
    unsigned n = STANDARD;
    int rc;

    if (!args(c, 3))
        return FAILED;
    while (n < HANDLES && s->file[n].kind != FREE)
        n++;
    if (n == HANDLES)
        return fail(c, EMFILE);
    if (c->arg[1] > 11)
        return fail(c, EINVAL);

    struct file f = {.kind = HOST_FILE, .mode = (uint8_t)c->arg[1], .fd = -1};
    rc = path_from(c, c->arg[0], c->arg[2], f.path);
    if (rc)
        return fail(c, rc);
    if (!strcmp(f.path, ":tt"))
        f.kind = f.mode < 4 ? CONSOLE_IN : CONSOLE_OUT;
    else if (!strcmp(f.path, ":semihosting-features"))
        f.kind = FEATURES;
    if (f.kind != HOST_FILE)
        f.path[0] = 0;
    if (f.kind == FEATURES && f.mode > 1)
        return fail(c, EACCES);
    rc = f.kind == HOST_FILE ? open_host(c, &f, mode_flags(f.mode)) : 0;
    if (rc)
        return fail(c, rc);
    s->file[n] = f;
    return n;
}

static uint64_t sys_close(struct call *c)
{
    struct file *f = args(c, 1) ? file_of(c, c->arg[0]) : NULL;

    if (!f)
        return FAILED;
    close_file(f);
    return 0;
}

/* ---- bytes ---- */

/* The magic bytes, and one of feature bits: exit_extended, and output and errors apart. */
static const uint8_t features[] = {'S', 'H', 'F', 'B', 3};

static int64_t length_of(const struct file *f)
{
    if (f->kind == FEATURES)
        return sizeof features;
    return f->kind == HOST_FILE ? host_share_length(f->fd) : 0;
}

/* Bytes moved, or a negative errno. */
static int64_t file_write(struct call *c, struct file *f, const uint8_t *data, size_t len)
{
    int64_t n = (int64_t)len;

    if (f->kind == CONSOLE_OUT) {
        uart16550_send(c->s->board->uart, data, len);
        return n;
    }
    if (f->kind != HOST_FILE)
        return -EBADF;
    if (mode_appends(f->mode)) {
        int64_t end = length_of(f);
        if (end < 0)
            return end;
        f->at = (uint64_t)end;
    }
    n = host_share_write(f->fd, f->at, data, len);
    if (n > 0)
        f->at += (uint64_t)n;
    return n;
}

static int64_t file_read(struct call *c, struct file *f, uint8_t *data, size_t len)
{
    int64_t n = 0;

    if (f->kind == CONSOLE_IN)
        return (int64_t)uart16550_take(c->s->board->uart, data, len);
    if (f->kind == CONSOLE_OUT)
        return -EBADF;
    if (f->kind == HOST_FILE) {
        n = host_share_read(f->fd, f->at, data, len);
    } else if (f->at < sizeof features) {
        n = (int64_t)(len < sizeof features - f->at ? len : sizeof features - f->at);
        memcpy(data, features + f->at, (size_t)n);
    }
    if (n > 0)
        f->at += (uint64_t)n;
    return n;
}

/* The result is how many bytes were not moved. */
static uint64_t sys_write(struct call *c)
{
    struct file *f = args(c, 3) ? file_of(c, c->arg[0]) : NULL;
    uint64_t len = c->arg[2], done = 0;
    uint8_t *data;
    int64_t n = 1;

    if (!f)
        return len ? len : FAILED;
    data = xmalloc(CHUNK);
    while (done < len && n > 0) {
        size_t part = len - done < CHUNK ? (size_t)(len - done) : CHUNK;
        n = get(c, c->arg[1] + done, data, part) ? file_write(c, f, data, part) : -EFAULT;
        if (n < 0)
            fail(c, (int)n);
        else
            done += (uint64_t)n;
    }
    free(data);
    return len - done;
}

/* Whether the hart has to wait for a key.  It need not if none will ever come. */
static bool must_wait(struct call *c)
{
    struct board *b = c->s->board;

    c->again = !uart16550_waiting(b->uart) && b->config.console.read;
    return c->again;
}

static uint64_t sys_read(struct call *c)
{
    struct file *f = args(c, 3) ? file_of(c, c->arg[0]) : NULL;
    uint64_t len = c->arg[2], done = 0;
    uint8_t *data;
    int64_t n = 1;

    if (!f)
        return len ? len : FAILED;
    if (f->kind == CONSOLE_IN && len && must_wait(c))
        return 0;
    data = xmalloc(CHUNK);
    while (done < len && n > 0) {
        n = file_read(c, f, data, len - done < CHUNK ? (size_t)(len - done) : CHUNK);
        if (n > 0 && !put(c, c->arg[1] + done, data, (uint64_t)n))
            n = -EFAULT;
        if (n < 0)
            fail(c, (int)n);
        else
            done += (uint64_t)n;
    }
    free(data);
    return len - done;
}

static uint64_t sys_readc(struct call *c)
{
    uint8_t byte;

    if (must_wait(c))
        return 0;
    return uart16550_take(c->s->board->uart, &byte, 1) ? byte : fail(c, EIO);
}

static uint64_t sys_writec(struct call *c)
{
    uint8_t byte;

    if (!get(c, c->param, &byte, 1))
        return fail(c, EFAULT);
    uart16550_send(c->s->board->uart, &byte, 1);
    return 0;
}

static uint64_t sys_write0(struct call *c)
{
    uint8_t byte;

    for (uint64_t i = 0; i < STRING_MAX && get(c, c->param + i, &byte, 1) && byte; i++)
        uart16550_send(c->s->board->uart, &byte, 1);
    return 0;
}

/* ---- other calls about files ---- */

static uint64_t sys_istty(struct call *c)
{
    struct file *f = args(c, 1) ? file_of(c, c->arg[0]) : NULL;

    return f ? f->kind == CONSOLE_IN || f->kind == CONSOLE_OUT : FAILED;
}

static uint64_t sys_seek(struct call *c)
{
    struct file *f = args(c, 2) ? file_of(c, c->arg[0]) : NULL;

    if (!f)
        return FAILED;
    if ((f->kind != HOST_FILE && f->kind != FEATURES) || c->arg[1] > INT64_MAX)
        return fail(c, EINVAL);
    f->at = c->arg[1];
    return 0;
}

static uint64_t sys_flen(struct call *c)
{
    struct file *f = args(c, 1) ? file_of(c, c->arg[0]) : NULL;
    int64_t n = f ? length_of(f) : 0;

    if (!f)
        return FAILED;
    return n < 0 ? fail(c, (int)n) : (uint64_t)n;
}

static uint64_t sys_remove(struct call *c)
{
    struct host_share *share = c->s->board->config.semihosting_files;
    char path[PATH_MAX_BYTES + 1];
    int rc;

    if (!args(c, 2))
        return FAILED;
    rc = share ? path_from(c, c->arg[0], c->arg[1], path) : EACCES;
    if (!rc)
        rc = host_share_unlink(share, path, false);
    return rc ? fail(c, rc) : 0;
}

static uint64_t sys_rename(struct call *c)
{
    struct host_share *share = c->s->board->config.semihosting_files;
    char from[PATH_MAX_BYTES + 1], to[PATH_MAX_BYTES + 1];
    int rc;

    if (!args(c, 4))
        return FAILED;
    rc = share ? path_from(c, c->arg[0], c->arg[1], from) : EACCES;
    if (!rc)
        rc = path_from(c, c->arg[2], c->arg[3], to);
    if (!rc)
        rc = host_share_rename(share, from, to);
    return rc ? fail(c, rc) : 0;
}

/* ---- time, memory, the end ---- */

static uint64_t now(const struct call *c)
{
    return clock_now(c->s->board->config.clock);
}

static uint64_t sys_time(struct call *c)
{
    return (c->s->board->config.epoch_ns + now(c)) / DEV_NS_PER_SEC;
}

/* Words: buffer, its size and, as an answer, the length of what is in it. */
static uint64_t sys_get_cmdline(struct call *c)
{
    const char *text = c->s->board->config.append ? c->s->board->config.append : "";
    uint64_t len = strlen(text);

    if (!args(c, 2))
        return FAILED;
    if (len >= c->arg[1])
        return fail(c, ENAMETOOLONG);
    if (!put(c, c->arg[0], text, len + 1) || !put_word(c, c->param + 8, len))
        return fail(c, EFAULT);
    return 0;
}

/* The heap goes up from the end of the program, the stack down from the device tree. */
static uint64_t sys_heapinfo(struct call *c)
{
    struct board *b = c->s->board;
    uint64_t low = b->place.ram_base, high = b->dtb.segs.data[0].addr;
    uint64_t block;

    for (size_t i = 0; i < b->kernel.segs.len; i++) {
        const struct load_seg *s = &b->kernel.segs.data[i];
        if (s->addr + s->mem_len > low)
            low = s->addr + s->mem_len;
    }
    low = bits_align_up(low, MEM_PAGE_SIZE);
    if (!args(c, 1))
        return FAILED;
    block = c->arg[0];
    if (!put_word(c, block, low) || !put_word(c, block + 8, high) ||
        !put_word(c, block + 16, high) || !put_word(c, block + 24, low))
        return fail(c, EFAULT);
    return 0;
}

static uint64_t sys_exit(struct call *c)
{
    unsigned code;

    if (!args(c, 2))
        return FAILED;
    code = c->arg[0] == APPLICATION_EXIT ? (unsigned)c->arg[1] : 1;
    board_ended(c->s->board, code ? BOARD_FAILED : BOARD_POWEROFF, code);
    c->gone = true;
    return 0;
}

static uint64_t sys_elapsed(struct call *c)
{
    return put_word(c, c->param, now(c)) ? 0 : fail(c, EFAULT);
}

/* ---- calls ---- */

static uint64_t dispatch(struct call *c, uint64_t number)
{
    switch (number) {
    case SYS_OPEN:
        return sys_open(c);
    case SYS_CLOSE:
        return sys_close(c);
    case SYS_WRITEC:
        return sys_writec(c);
    case SYS_WRITE0:
        return sys_write0(c);
    case SYS_WRITE:
        return sys_write(c);
    case SYS_READ:
        return sys_read(c);
    case SYS_READC:
        return sys_readc(c);
    case SYS_ISERROR:
        return args(c, 1) && !(c->arg[0] >> 63) ? 0 : 1;
    case SYS_ISTTY:
        return sys_istty(c);
    case SYS_SEEK:
        return sys_seek(c);
    case SYS_FLEN:
        return sys_flen(c);
    case SYS_REMOVE:
        return sys_remove(c);
    case SYS_RENAME:
        return sys_rename(c);
    case SYS_CLOCK: /* centiseconds */
        return now(c) / (DEV_NS_PER_SEC / 100);
    case SYS_TIME:
        return sys_time(c);
    case SYS_ERRNO:
        return c->s->error;
    case SYS_GET_CMDLINE:
        return sys_get_cmdline(c);
    case SYS_HEAPINFO:
        return sys_heapinfo(c);
    case SYS_EXIT:
    case SYS_EXIT_EXTENDED:
        return sys_exit(c);
    case SYS_ELAPSED:
        return sys_elapsed(c);
    case SYS_TICKFREQ:
        return DEV_NS_PER_SEC;
    default: /* names of temporary files and commands of the host's among them */
        return fail(c, ENOSYS);
    }
}

static void wait_for_key(struct semihost *s, struct board_hart *h)
{
    h->cpu->pc -= 4; /* the ebreak again */
    h->cpu->halted = CPU_WAITS;
    cpu_kick(h->cpu);
    s->waiting |= UINT32_C(1) << h->index;
}

void semihost_call(struct semihost *s, struct board_hart *h)
{
    struct call c = {.s = s, .hart = h, .param = rv_x(h->cpu, A1)};
    uint64_t result = dispatch(&c, rv_x(h->cpu, A0));

    s->waiting &= ~(UINT32_C(1) << h->index);
    if (c.again)
        wait_for_key(s, h);
    else if (!c.gone)
        rv_set_x(h->cpu, A0, result);
}

void semihost_poll(struct semihost *s)
{
    struct board *b = s->board;

    if (!s->waiting || !uart16550_waiting(b->uart))
        return;
    for (unsigned i = 0; i < b->attached; i++)
        if (s->waiting >> i & 1 && b->hart[i].cpu->halted == CPU_WAITS)
            b->hart[i].cpu->halted = CPU_RUNS;
    s->waiting = 0;
}

/* ---- life ---- */

static void close_files(struct semihost *s)
{
    for (unsigned i = 0; i < HANDLES; i++)
        close_file(&s->file[i]);
}

struct semihost *semihost_new(struct board *b)
{
    struct semihost *s = xcalloc(1, sizeof *s);

    s->board = b;
    for (unsigned i = 0; i < HANDLES; i++)
        s->file[i].fd = -1;
    semihost_reset(s);
    return s;
}

void semihost_reset(struct semihost *s)
{
    close_files(s);
    for (unsigned i = 0; i < STANDARD; i++)
        s->file[i].kind = i ? CONSOLE_OUT : CONSOLE_IN;
    s->error = s->waiting = 0;
}

void semihost_free(struct semihost *s)
{
    if (!s)
        return;
    close_files(s);
    free(s);
}

static void file_state(struct semihost *s, struct file *f, struct snap *snap)
{
    uint16_t len = (uint16_t)strlen(f->path);
    struct call c = {.s = s};
    char name[PATH_MAX_BYTES + 1] = "";

    snap_u8(snap, "kind", &f->kind);
    snap_u8(snap, "mode", &f->mode);
    snap_u64(snap, "at", &f->at);
    snap_u16(snap, "path_len", &len);
    if (f->kind >= KINDS || f->mode > 11 || len > PATH_MAX_BYTES || (len && f->kind != HOST_FILE)) {
        *f = (struct file){.fd = -1};
        snap_bad(snap, "file", "there is no such kind, mode or name");
        return;
    }
    memcpy(name, f->path, len);
    snap_bytes(snap, "path", name, len);
    if (!snap_loading(snap))
        return;
    if (f->kind == HOST_FILE &&
        (clean(name, f->path) || open_host(&c, f, mode_flags(f->mode) & ~(O_CREAT | O_TRUNC)))) {
        *f = (struct file){.fd = -1};
        snap_bad(snap, "path", "the file cannot be opened again");
    }
}

void semihost_state(struct semihost *s, struct snap *snap)
{
    snap_section(snap, "semihosting", 2);
    if (snap_loading(snap))
        semihost_reset(s);
    snap_u32(snap, "error", &s->error);
    snap_u32(snap, "waiting", &s->waiting);
    for (unsigned i = 0; i < HANDLES; i++)
        file_state(s, &s->file[i], snap);
}
