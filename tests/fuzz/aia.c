/*
 * aia.c - the advanced interrupt architecture: two domains of APLICs, by messages or by wires,
 * and the interrupt files of both levels, with harts that use them.
 */
#include "dev/aplic.h"
#include "dev/imsic.h"
#include "tests/fuzz/rig.h"

enum { HARTS = 3, WIRES = 16 }; /* the wires of supervisor level follow those of machine level */
enum { LEVELS = 2 };
enum { EIDELIVERY = 0x70 };
enum {
    SOURCECFG = 0,
    MSIADDRCFG = 0x1bc0,
    SETIP = 0x1c00,
    IN_CLRIP = 0x1d00,
    SETIE = 0x1e00,
    CLRIE = 0x1f00,
    NUMBER = 0xdc,
    TARGET = 0x3000,
    IDC = 0x4000
};

struct own {
    bool chosen, messages;
    struct aplic *aplic[LEVELS]; /* devices 0 and 1 */
    struct imsic *imsic[LEVELS]; /* devices 2 and 3 */
};

static void send_message(void *opaque, uint64_t address, uint32_t data)
{
    const struct own *o = ((struct rig *)opaque)->own;

    for (unsigned i = 0; i < LEVELS; i++)
        if (imsic_send(o->imsic[i], address, data))
            return;
    rig_see(opaque, "lost", address ^ data);
}

static void plug_aplic(struct rig *r, unsigned level)
{
    static const uint32_t places[] = {SOURCECFG, MSIADDRCFG, SETIP,  IN_CLRIP, SETIE,
                                      CLRIE,     0x2000,     TARGET, IDC,      UINT32_MAX};
    struct own *o = r->own;
    struct aplic_config config = {.parent = level ? o->aplic[0] : NULL,
                                  .nharts = HARTS,
                                  .out = rig_line(r, WIRES * (LEVELS + level)),
                                  .files = RIG_DEV + RIG_DEV_SIZE * (LEVELS + level)};

    if (o->messages)
        config.msi = (struct dev_msi){send_message, r};
    o->aplic[level] =
        aplic_new(level ? "aplic.s" : "aplic.m", r->bus.mem, r->bus.clock, NULL, &config);
    rig_plug(r, aplic_dev(o->aplic[level]), APLIC_SIZE, places);
}

static void plug_imsic(struct rig *r, unsigned level)
{
    static const uint32_t places[] = {0, IMSIC_PAGE, 2 * IMSIC_PAGE, 3 * IMSIC_PAGE, UINT32_MAX};
    struct own *o = r->own;

    o->imsic[level] = imsic_new(level ? "imsic.s" : "imsic.m", r->bus.mem, r->bus.clock, NULL,
                                HARTS, rig_line(r, WIRES * level));
    rig_plug(r, imsic_dev(o->imsic[level]), IMSIC_SIZE, places);
}

/* The first byte of the program says which kind of delivery.  A root is reset once more, when it
 * knows its child's files. */
static void make(struct rig *r)
{
    struct own *o = r->own;

    if (!o->chosen)
        o->messages = fuzz_below(&r->in, 2);
    o->chosen = true;
    for (unsigned level = 0; level < LEVELS; level++)
        plug_aplic(r, level);
    for (unsigned level = 0; level < LEVELS; level++)
        plug_imsic(r, level);
    aplic_dev(o->aplic[0])->class->reset(aplic_dev(o->aplic[0]));
}

static unsigned any_source(struct rig *r)
{
    return (unsigned)fuzz_below(&r->in, fuzz_rarely(&r->in, 8) ? SOURCES + 2 : 5);
}

static void op_source(struct rig *r)
{
    struct own *o = r->own;
    struct dev_line l = aplic_source(o->aplic[0], 1 + any_source(r) % SOURCES);

    dev_line_set(&l, fuzz_below(&r->in, 2));
}

static void op_delegate(struct rig *r)
{
    if (fuzz_rarely(&r->in, 4))
        aplic_delegate(((struct own *)r->own)->aplic[0]);
}

/* A source is configured, sent somewhere and enabled, as a driver does; or only a part of it. */
static void op_configure(struct rig *r)
{
    unsigned dev = (unsigned)fuzz_below(&r->in, LEVELS), n = any_source(r);
    uint64_t how = fuzz_int(&r->in, 1), hart = fuzz_below(&r->in, HARTS + 1);

    if (how & 1)
        rig_write(r, dev, SOURCECFG + 4 * n, 4, how & 8 ? 0x400 : how >> 4);
    if (how & 2)
        rig_write(r, dev, TARGET + 4 * n, 4, hart << 18 | fuzz_int(&r->in, 1));
    if (how & 4)
        rig_write(r, dev, SETIE + NUMBER, 4, n);
    rig_write(r, dev, 0, 4, how & 0xf0 ? 0x100 : 0);
}

/* Of the sources those that are pending or enabled are active. */
static void check_active(struct rig *r, unsigned dev)
{
    for (unsigned n = 1; n <= SOURCES; n++) {
        uint64_t base = r->bus.dev[dev]->base, word = n / 32 * 4, cfg, set, on;

        mem_read(r->bus.mem, base + SOURCECFG + 4 * n, 4, &cfg);
        mem_read(r->bus.mem, base + SETIP + word, 4, &set);
        mem_read(r->bus.mem, base + SETIE + word, 4, &on);
        FUZZ_CHECK((cfg && cfg < 8) || !((set | on) >> (n % 32) & 1), "source %u of domain %u", n,
                   dev);
    }
}

/* Direct delivery: the wires are on for harts that have something to claim; or claims it. */
static void op_hart(struct rig *r)
{
    unsigned dev = (unsigned)fuzz_below(&r->in, LEVELS), hart = (unsigned)fuzz_below(&r->in, HARTS);
    uint64_t how = fuzz_int(&r->in, 1), idc = IDC + 32 * hart;

    if (how & 1)
        rig_write(r, dev, idc, 4, 1);
    if (how & 2)
        rig_write(r, dev, idc + 8, 4, how >> 4);
    if (how & 4)
        rig_write(r, dev, idc + 4, 4, how >> 3 & 1);
    if (how & 8)
        rig_read(r, dev, idc + 0x1c, 4);
    check_active(r, dev);
}

/* After each use of a hart's file its wire says whether there is something. */
static void check_file(struct rig *r, unsigned level, unsigned hart)
{
    const struct own *o = r->own;
    bool any = imsic_top(o->imsic[level], hart) && imsic_read(o->imsic[level], hart, EIDELIVERY);

    FUZZ_CHECK(r->wire[WIRES * level + hart] == any, "hart %u, level %u", hart, level);
}

/* CSRs, as the hart has them. */
static void op_file(struct rig *r)
{
    struct own *o = r->own;
    unsigned level = (unsigned)fuzz_below(&r->in, LEVELS), how = (unsigned)fuzz_int(&r->in, 1);
    unsigned hart = how % HARTS,
             reg = EIDELIVERY + (unsigned)fuzz_below(&r->in, 0x100 - EIDELIVERY);
    struct imsic *m = o->imsic[level];

    switch (how >> 4) {
    case 0:
        imsic_claim(m, hart);
        break;
    case 1:
        rig_see(r, "top", imsic_top(m, hart));
        return;
    case 2:
        rig_see(r, "file", imsic_read(m, hart, reg));
        return;
    case 3: /* what drivers begin with */
        imsic_write(m, hart, EIDELIVERY, 1);
        imsic_write(m, hart, 0xc0, UINT64_MAX);
        break;
    default:
        imsic_write(m, hart, reg, fuzz_value(&r->in));
    }
    check_file(r, level, hart);
}

/* A message of a hart or a device. */
static void op_message(struct rig *r)
{
    unsigned level = (unsigned)fuzz_below(&r->in, LEVELS),
             hart = (unsigned)fuzz_below(&r->in, HARTS);

    rig_write(r, LEVELS + level, hart * IMSIC_PAGE, 4,
              fuzz_rarely(&r->in, 4) ? fuzz_value(&r->in) : 1 + fuzz_int(&r->in, 1) % IMSIC_IDS);
    check_file(r, level, hart);
}

const struct rig_kind rig_target = {
    .make = make,
    .own = sizeof(struct own),
    .ops = {RIG_OPS, op_source, op_source, op_delegate, op_configure, op_configure, op_hart,
            op_hart, op_file, op_file, op_message},
};
