/* chips.c - the chips that are no virtio devices, wired together as on a board. */
#include "dev/clint.h"
#include "dev/finisher.h"
#include "dev/goldfish_rtc.h"
#include "dev/htif.h"
#include "dev/plic.h"
#include "dev/sources.h"
#include "dev/uart16550.h"
#include "tests/fuzz/rig.h"

#define TOHOST   (RIG_RAM + 0x1000)
#define FROMHOST (RIG_RAM + 0x1040)

enum { HARTS = 3, WIRE_MSI = 16, WIRE_MTI = 24 }; /* the PLIC's contexts come first */

struct chips {
    struct plic *plic;
    struct uart16550 *uart;
};

static void moved(void *opaque)
{
    rig_see(opaque, "mtime moved", 0);
}

static void finish(void *opaque, enum finisher_how how, unsigned code)
{
    rig_see(opaque, "finished", (uint64_t)how << 32 | code);
}

static void htif_end(void *opaque, bool failed, unsigned code)
{
    rig_see(opaque, "ended", (uint64_t)failed << 32 | code);
}

static void plug_htif(struct rig *r)
{
    static const uint32_t places[] = {0, UINT32_MAX};
    struct chips *c = r->own;
    const struct htif_config config = {
        .tohost = TOHOST, .fromhost = FROMHOST, .console = c->uart, .end = htif_end, .opaque = r};

    rig_plug(r, htif_new("htif", r->bus.mem, r->bus.clock, NULL, &config, NULL), 0, places);
}

static void make(struct rig *r)
{
    static const uint32_t none[] = {0, UINT32_MAX}, clint[] = {0, 0x4000, 0xbe00, UINT32_MAX},
                          plic[] = {0,        0x1000,   0x2000,   0x2080,
                                    0x200000, 0x201000, 0x202000, UINT32_MAX};
    struct mem *m = r->bus.mem;
    struct clock *t = r->bus.clock;
    struct chips *c = r->own;
    const struct dev_chars chars = rig_chars(r);
    const struct clint_config config = {.nharts = HARTS,
                                        .hz = 10000000,
                                        .msi = rig_line(r, WIRE_MSI),
                                        .mti = rig_line(r, WIRE_MTI),
                                        .moved = moved,
                                        .opaque = r};

    c->plic = plic_new("plic", m, t, NULL, 2 * HARTS, rig_line(r, 0));
    rig_plug(r, plic_dev(c->plic), PLIC_SIZE, plic);
    rig_plug(r, clint_dev(clint_new("clint", m, t, NULL, &config)), CLINT_SIZE, clint);
    c->uart = uart16550_new("uart", m, t, NULL, plic_source(c->plic, 10), &chars);
    rig_plug(r, uart16550_dev(c->uart), MEM_PAGE_SIZE, none);
    rig_plug(r, goldfish_rtc_new("rtc", m, t, NULL, plic_source(c->plic, 11), 1), MEM_PAGE_SIZE,
             none);
    rig_plug(r, finisher_new("test", m, t, NULL, finish, r), MEM_PAGE_SIZE, none);
    plug_htif(r);
}

static void op_source(struct rig *r)
{
    struct chips *c = r->own;
    struct dev_line l = plic_source(c->plic, 1 + (unsigned)fuzz_below(&r->in, SOURCES));

    dev_line_set(&l, fuzz_below(&r->in, 2));
}

/* A register of the UART, which are bytes; or the built-in firmware's use of it. */
static void op_uart(struct rig *r)
{
    struct chips *c = r->own;
    unsigned reg = (unsigned)fuzz_below(&r->in, 17);
    uint8_t bytes[20];

    if (reg < 8) {
        rig_write(r, 2, reg, 1, fuzz_int(&r->in, 1));
    } else if (reg < 16) {
        rig_read(r, 2, reg - 8, 1);
    } else {
        uart16550_setup(c->uart);
        rig_see(r, "taken", uart16550_take(c->uart, bytes, fuzz_below(&r->in, sizeof bytes)));
    }
}

/* A request of a program that knows HTIF: a system call's block lies behind the words. */
static void op_htif(struct rig *r)
{
    static const uint8_t calls[] = {64, 93, 1, 0};
    uint64_t block = TOHOST + 0x100, what = fuzz_below(&r->in, 4), number = fuzz_int(&r->in, 1);
    uint64_t word[] = {0, UINT64_C(1) << 56 | (number & 1) << 48 | number,
                       (number & 3) << 56 | UINT64_C(0xff) << 48 | block << 8 | (number >> 2 & 3),
                       block};

    rig_poke(r, block, 8, calls[fuzz_below(&r->in, 4)]);
    rig_poke(r, block + 8, 8, fuzz_below(&r->in, 3));
    rig_poke(r, block + 16, 8, rig_address(r));
    rig_poke(r, block + 24, 8, fuzz_value(&r->in));
    rig_poke(r, what ? TOHOST : FROMHOST, 8, word[what]);
    mem_bell_ring(r->bus.mem, what ? TOHOST : FROMHOST, 8);
}

const struct rig_kind rig_target = {
    .make = make,
    .own = sizeof(struct chips),
    .ops = {RIG_OPS, op_source, op_uart, op_htif, op_uart, rig_op_poll},
};
