/* htif.c - see htif.h. */
#include "dev/htif.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "dev/ticks.h"

#define HALF_NS   1000 /* how long a lower half waits for its upper one */
#define ANSWERS   8    /* that wait for fromhost; what is more is lost */
#define READS     8    /* requests for a character */
#define WRITE_MAX 65536

enum { DEV_SYSCALL = 0, DEV_CONSOLE = 1 };
enum { CONSOLE_READ = 0, CONSOLE_WRITE = 1, IDENTIFY = 0xff };
/* The guest's numbers: those of Linux. */
enum { SYS_WRITE = 64, SYS_EXIT = 93 };
enum { GUEST_EBADF = 9, GUEST_EFAULT = 14, GUEST_ENOSYS = 38 };

struct htif {
    struct dev dev; /* first */
    struct htif_config config;
    struct clock_event half;
    uint64_t answer[ANSWERS];
    uint32_t nanswers, reads;
};

static const struct dev_reg htif_regs[] = {
    {"tohost", 0, 8, "request: device << 56 | command << 48 | payload"},
    {0},
};

/* ---- the two words ---- */

static uint64_t load(struct htif *h, uint64_t paddr)
{
    uint8_t bytes[8] = {0};

    mem_dma_read(h->dev.mem, paddr, bytes, sizeof bytes);
    return bits_load_le(bytes, sizeof bytes);
}

static void store(struct htif *h, uint64_t paddr, uint64_t value)
{
    uint8_t bytes[8];

    bits_store_le(bytes, sizeof bytes, value);
    mem_dma_write(h->dev.mem, paddr, bytes, sizeof bytes);
}

/* The oldest answer goes to fromhost, if that is free. */
static void deliver(struct htif *h)
{
    if (!h->nanswers || load(h, h->config.fromhost))
        return;
    store(h, h->config.fromhost, h->answer[0]);
    h->nanswers--;
    memmove(h->answer, h->answer + 1, h->nanswers * sizeof *h->answer);
}

static void answer(struct htif *h, uint64_t device, uint64_t command, uint64_t payload)
{
    if (h->config.fromhost == HTIF_NOWHERE)
        return;
    if (h->nanswers == ANSWERS) {
        log_debug(h->dev.log, "%s: nobody takes answers from fromhost", h->dev.name);
        return;
    }
    h->answer[h->nanswers++] = device << 56 | command << 48 | payload;
    deliver(h);
}

/* ---- device 0: system calls ---- */

/* write(fd, buffer, length), the buffer's address being physical */
static uint64_t sys_write(struct htif *h, const uint64_t *arg)
{
    uint64_t len = arg[2] < WRITE_MAX ? arg[2] : WRITE_MAX;
    uint8_t *data;

    if (arg[0] != 1 && arg[0] != 2)
        return -(uint64_t)GUEST_EBADF;
    data = xmalloc(len + 1);
    if (mem_dma_read(h->dev.mem, arg[1], data, len))
        len = -(uint64_t)GUEST_EFAULT;
    else
        uart16550_send(h->config.console, data, len);
    free(data);
    return len;
}

static void end(struct htif *h, uint64_t code)
{
    h->config.end(h->config.opaque, code != 0, (unsigned)code);
}

static void system_call(struct htif *h, uint64_t block)
{
    uint8_t bytes[64];
    uint64_t word[8], result;

    if (block % 8 || mem_dma_read(h->dev.mem, block, bytes, sizeof bytes)) {
        log_debug(h->dev.log, "%s: no system call is at 0x%" PRIx64, h->dev.name, block);
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(word); i++)
        word[i] = bits_load_le(bytes + 8 * i, 8);
    if (word[0] == SYS_EXIT) {
        end(h, word[1] & UINT32_MAX);
        return;
    }
    result = word[0] == SYS_WRITE ? sys_write(h, word + 1) : -(uint64_t)GUEST_ENOSYS;
    store(h, block, result);
    answer(h, DEV_SYSCALL, 0, 1);
}

/* ---- device 1: the console ---- */

/* Characters for those who asked for one. */
static void serve(struct htif *h)
{
    uint8_t byte;

    while (h->reads && h->nanswers < ANSWERS && uart16550_take(h->config.console, &byte, 1)) {
        h->reads--;
        answer(h, DEV_CONSOLE, CONSOLE_READ, 0x100 | byte);
    }
}

static void console(struct htif *h, uint64_t command, uint64_t payload)
{
    uint8_t byte = (uint8_t)payload;

    if (command == CONSOLE_WRITE) {
        uart16550_send(h->config.console, &byte, 1);
    } else if (command == CONSOLE_READ && h->reads < READS) {
        h->reads++;
        serve(h);
    }
}

/* ---- requests ---- */

/* The name of a device, or of one of its commands (the payload's low byte), as a string of 64
 * bytes at the address in the rest of the payload. */
static void identify(struct htif *h, uint64_t device, uint64_t payload)
{
    static const char *const names[2][3] = {{"syscall_proxy", "syscall", NULL},
                                            {"bcd", "read", "write"}};
    uint64_t what = payload & 0xff;
    unsigned row = what == IDENTIFY ? 0 : what < 2 ? (unsigned)what + 1 : 3;
    char text[64] = {0};

    if (device <= DEV_CONSOLE && row < 3 && names[device][row])
        memcpy(text, names[device][row], strlen(names[device][row]));
    mem_dma_write(h->dev.mem, payload >> 8, text, sizeof text);
    answer(h, device, IDENTIFY, 1);
}

static void request(struct htif *h)
{
    uint64_t v = load(h, h->config.tohost);
    uint64_t device = v >> 56, command = bits_get(v, 48, 8), payload = bits_get(v, 0, 48);

    clock_cancel(h->dev.clock, &h->half);
    if (!v)
        return;
    store(h, h->config.tohost, 0);
    if (command == IDENTIFY)
        identify(h, device, payload);
    else if (device == DEV_CONSOLE)
        console(h, command, payload);
    else if (device != DEV_SYSCALL || command)
        log_debug(h->dev.log, "%s: there is no device %" PRIu64 " with command %" PRIu64,
                  h->dev.name, device, command);
    else if (payload & 1)
        end(h, payload >> 1);
    else
        system_call(h, payload);
}

static void half_fire(void *opaque)
{
    request(opaque);
    deliver(opaque);
}

/* Whether the store was to the upper half of the word, or else the other one may follow. */
static bool complete(struct htif *h, uint64_t word, uint64_t paddr, uint64_t len)
{
    if (paddr + len > word + 4)
        return true;
    clock_set(h->dev.clock, &h->half, clock_now(h->dev.clock) + HALF_NS);
    return false;
}

static void tohost_stored(void *opaque, uint64_t paddr, uint64_t len)
{
    struct htif *h = opaque;

    if (complete(h, h->config.tohost, paddr, len))
        request(h);
}

static void fromhost_stored(void *opaque, uint64_t paddr, uint64_t len)
{
    struct htif *h = opaque;

    if (complete(h, h->config.fromhost, paddr, len))
        deliver(h);
}

/* ---- the device ---- */

static bool htif_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    (void)offset, (void)size;
    *value = load((struct htif *)d, d->base);
    return true;
}

static void htif_poll(struct dev *d)
{
    serve((struct htif *)d);
}

static void htif_reset(struct dev *d)
{
    struct htif *h = (struct htif *)d;

    h->nanswers = h->reads = 0;
    clock_cancel(d->clock, &h->half);
}

static void htif_state(struct dev *d, struct snap *s)
{
    struct htif *h = (struct htif *)d;

    snap_section(s, d->name, 1);
    snap_u32(s, "answers", &h->nanswers);
    snap_u32(s, "reads", &h->reads);
    if (h->nanswers > ANSWERS || h->reads > READS) {
        h->nanswers = h->reads = 0;
        snap_bad(s, "answers", "more than there can be");
    }
    snap_u64s(s, "answer", h->answer, h->nanswers);
    dev_snap_event(s, "half", d->clock, &h->half);
}

static void htif_free(struct dev *d)
{
    struct htif *h = (struct htif *)d;

    clock_cancel(d->clock, &h->half);
    free(h);
}

static const struct dev_class htif_class = {
    .name = "htif",
    .doc = "host-target interface: tohost and fromhost, in RAM",
    .regs = htif_regs,
    .reset = htif_reset,
    .state = htif_state,
    .free = htif_free,
    .peek = htif_peek,
    .poll = htif_poll,
};

static int check(struct mem *mem, const char *word, uint64_t paddr, struct err *e)
{
    if (paddr % 8)
        return err_set(e, EINVAL, "%s at 0x%" PRIx64 " is not aligned to 8 bytes", word, paddr);
    if (!mem_host(mem, paddr, 8, true))
        return err_set(e, EINVAL, "%s at 0x%" PRIx64 " is not in RAM", word, paddr);
    return 0;
}

struct dev *htif_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                     const struct htif_config *config, struct err *e)
{
    struct htif *h;

    if (check(mem, "tohost", config->tohost, e) ||
        (config->fromhost != HTIF_NOWHERE && check(mem, "fromhost", config->fromhost, e)))
        return NULL;
    h = xcalloc(1, sizeof *h);
    dev_init(&h->dev, &htif_class, name, mem, clock, (struct dev_line){0}, log);
    h->dev.base = config->tohost;
    h->dev.size = 8;
    h->config = *config;
    clock_event_init(&h->half, half_fire, h);
    mem_bell_add(mem, config->tohost, 8, tohost_stored, h);
    if (config->fromhost != HTIF_NOWHERE)
        mem_bell_add(mem, config->fromhost, 8, fromhost_stored, h);
    return &h->dev;
}
