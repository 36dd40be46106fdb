/* aplic.c - see aplic.h.  Section numbers are the AIA specification's. */
#include "dev/aplic.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

/* 4.5 */
enum {
    DOMAINCFG = 0x0,
    SOURCECFG = 0x0, /* + 4 * n, from n = 1 on */
    MSIADDRCFG = 0x1bc0,
    SETIP = 0x1c00, /* four blocks of words, each with a register for a source by its number */
    IN_CLRIP = 0x1d00,
    SETIE = 0x1e00,
    CLRIE = 0x1f00,
    BLOCKS_END = 0x2000,
    BLOCK = 0x100,
    BLOCK_NUMBER = 0xdc,
    SETIPNUM_LE = 0x2000,
    GENMSI = 0x3000,
    TARGET = 0x3000, /* + 4 * n */
    IDC = 0x4000,
    IDC_STRIDE = 32,
    IDELIVERY = 0x00,
    IFORCE = 0x04,
    ITHRESHOLD = 0x08,
    TOPI = 0x18,
    CLAIMI = 0x1c,
};

/* domaincfg */
enum { IE = 1 << 8, DM = 1 << 2 };
#define DOMAINCFG_ONES UINT32_C(0x80000000)

/* sourcecfg: a source mode, or DELEGATED to the only child, whose index is 0. */
enum { DELEGATED = 1 << 10 };
enum { INACTIVE, DETACHED, EDGE1 = 4, EDGE0, LEVEL1, LEVEL0 };

/* target and genmsi: the fields of a message, and of direct delivery. */
enum { HART_LO = 18, PRIORITY_MASK = 0xff };
#define TARGET_HART UINT32_C(0xfffc0000)
#define TARGET_EIID UINT32_C(0x7ff)

/* mmsiaddrcfg, mmsiaddrcfgh, smsiaddrcfg, smsiaddrcfgh: what can be written.  4.5.3, 4.5.4 */
enum { MMSI, MMSIH, SMSI, SMSIH, MSIADDRS };
static const uint32_t msiaddr_mask[MSIADDRS] = {0xffffffff, 0x9f77ffff, 0xffffffff, 0x00700fff};
#define MMSIH_LOCKED UINT32_C(0x80000000)

struct idc {
    bool delivery, force;
    uint8_t threshold; /* 0: none */
};

struct aplic {
    struct dev dev; /* first */
    struct aplic_config config;
    struct aplic *child;
    uint32_t level[SOURCE_WORDS]; /* the wires: of a root */
    uint32_t sourcecfg[SOURCES + 1];
    uint32_t pending[SOURCE_WORDS], enabled[SOURCE_WORDS]; /* none but active sources */
    uint32_t target[SOURCES + 1];
    uint32_t msiaddr[MSIADDRS]; /* of a root */
    uint32_t genmsi;
    bool ie;
    struct idc idc[APLIC_HARTS];
    uint32_t raised; /* the output wires, a bit a hart */
};

static const struct dev_reg aplic_regs[] = {
    {"domaincfg", DOMAINCFG, 4, "IE (bit 8), DM (bit 2: messages)"},
    {"sourcecfg1", SOURCECFG + 4, 4, "mode or delegation of source 1; source n at 4 * n"},
    {"mmsiaddrcfg", MSIADDRCFG, 4, "machine-level interrupt files: page number, low"},
    {"mmsiaddrcfgh", MSIADDRCFG + 4, 4, "the same, high, and how harts are numbered"},
    {"smsiaddrcfg", MSIADDRCFG + 8, 4, "supervisor-level interrupt files: page number, low"},
    {"smsiaddrcfgh", MSIADDRCFG + 12, 4, "the same, high"},
    {"setip0", SETIP, 4, "pending bits of sources 0 to 31"},
    {"setip1", SETIP + 4, 4, "pending bits of sources 32 to 63"},
    {"in_clrip0", IN_CLRIP, 4, "rectified inputs of sources 0 to 31"},
    {"setie0", SETIE, 4, "enable bits of sources 0 to 31"},
    {"setie1", SETIE + 4, 4, "enable bits of sources 32 to 63"},
    {"genmsi", GENMSI, 4, "sends a message of its own"},
    {"target1", TARGET + 4, 4, "where source 1 goes; source n at 4 * n"},
    {"idelivery0", IDC + IDELIVERY, 4, "direct delivery to hart 0; hart n at 32 * n"},
    {"ithreshold0", IDC + ITHRESHOLD, 4, "priority threshold of hart 0"},
    {"topi0", IDC + TOPI, 4, "first interrupt of hart 0"},
    {0},
};

/* ---- sources ---- */

static bool by_messages(const struct aplic *a)
{
    return a->config.msi.send;
}

static const struct aplic *root_of(const struct aplic *a)
{
    return a->config.parent ? a->config.parent : a;
}

static unsigned mode_of(const struct aplic *a, unsigned n)
{
    return a->sourcecfg[n] & DELEGATED ? INACTIVE : a->sourcecfg[n];
}

static bool is_level(unsigned mode)
{
    return mode >= LEVEL1;
}

/* The wire, turned round for modes that are inverted; low for sources that do not look at it.
 * 4.5.2 */
static bool rectified(const struct aplic *a, unsigned n)
{
    unsigned mode = mode_of(a, n);

    return mode >= EDGE1 && sources_get(root_of(a)->level, n) != (mode & 1);
}

static uint32_t rectified_word(const struct aplic *a, unsigned word)
{
    uint32_t bits = 0;

    for (unsigned n = word * 32; n < word * 32 + 32 && n <= SOURCES; n++)
        bits |= (uint32_t)rectified(a, n) << (n % 32);
    return bits;
}

/* The pending bit as software writes it; a level may stand against that.  4.7 */
static void set_pending(struct aplic *a, unsigned n, bool v)
{
    if (is_level(mode_of(a, n)) && (!by_messages(a) || (v && !rectified(a, n))))
        return;
    sources_put(a->pending, n, v);
}

/* ---- delivery ---- */

/* 4.9.1 */
static uint64_t file_of(const struct aplic *a, unsigned hart)
{
    const uint32_t *r = root_of(a)->msiaddr, *own = a->config.parent ? r + SMSI : r + MMSI;
    unsigned lhxw = (unsigned)bits_get(r[MMSIH], 12, 4), hhxw = (unsigned)bits_get(r[MMSIH], 16, 3);
    unsigned hhxs = (unsigned)bits_get(r[MMSIH], 24, 5), lhxs = (unsigned)bits_get(own[1], 20, 3);
    uint64_t base = bits_get(own[1], 0, 12) << 32 | own[0];
    uint64_t g = (hart >> lhxw) & bits_mask(hhxw), h = hart & bits_mask(lhxw);

    return (base | g << (hhxs + 12) | h << lhxs) << 12;
}

/* What a target or genmsi register says. */
static void send(const struct aplic *a, uint32_t target)
{
    a->config.msi.send(a->config.msi.opaque, file_of(a, target >> HART_LO), target & TARGET_EIID);
}

static void forward(struct aplic *a)
{
    for (unsigned w = 0; w < SOURCE_WORDS; w++) {
        uint32_t bits = a->pending[w] & a->enabled[w];

        a->pending[w] &= ~bits;
        for (; bits; bits &= bits - 1)
            send(a, a->target[w * 32 + (unsigned)__builtin_ctz(bits)]);
    }
}

/* The source of the lowest priority number, then of the lowest number, that is pending and enabled
 * for a hart, as in topi; the threshold was asked.  4.8.1 */
static uint32_t top_of(const struct aplic *a, unsigned hart)
{
    uint32_t limit = a->idc[hart].threshold ? a->idc[hart].threshold : PRIORITY_MASK + 1;
    uint32_t top = 0;

    for (unsigned w = 0; w < SOURCE_WORDS; w++)
        for (uint32_t bits = a->pending[w] & a->enabled[w]; bits; bits &= bits - 1) {
            unsigned n = w * 32 + (unsigned)__builtin_ctz(bits);
            uint32_t priority = a->target[n] & PRIORITY_MASK;
            if (a->target[n] >> HART_LO != hart || priority >= limit)
                continue;
            limit = priority;
            top = n << 16 | priority;
        }
    return top;
}

/* 4.8.2 */
static uint32_t outputs(const struct aplic *a)
{
    uint32_t raised = 0;

    for (unsigned i = 0; i < a->config.nharts && a->ie; i++)
        if (a->idc[i].delivery && (a->idc[i].force || top_of(a, i)))
            raised |= UINT32_C(1) << i;
    return raised;
}

static void update(struct aplic *a)
{
    if (!by_messages(a))
        sources_raise(&a->config.out, &a->raised, outputs(a));
    else if (a->ie)
        forward(a);
}

static uint32_t claim(struct aplic *a, unsigned hart)
{
    uint32_t top = top_of(a, hart);

    if (top)
        set_pending(a, top >> 16, false);
    else
        a->idc[hart].force = false;
    update(a);
    return top;
}

static void source_set(void *opaque, unsigned n, bool level)
{
    struct aplic *a = opaque;

    if (sources_get(a->level, n) == level)
        return;
    sources_put(a->level, n, level);
    while (a->sourcecfg[n] & DELEGATED)
        a = a->child;
    if (is_level(mode_of(a, n)))
        sources_put(a->pending, n, rectified(a, n));
    else if (rectified(a, n))
        sources_put(a->pending, n, true);
    update(a);
}

/* ---- registers ---- */

/* What sourcecfg makes of a value.  4.5.2 */
static uint32_t legal_sourcecfg(const struct aplic *a, uint32_t v)
{
    uint32_t mode = v & 7;

    if (v & DELEGATED)
        return a->child ? DELEGATED : INACTIVE;
    return mode == DETACHED || mode >= EDGE1 ? mode : INACTIVE;
}

/* The rest of a source follows from its new configuration.  Of what the specification leaves open:
 * a level that is there is pending, an edge that was is not; a new target is the first hart, with
 * the highest priority or with no message. */
static void configure(struct aplic *a, unsigned n, uint32_t cfg)
{
    unsigned before = mode_of(a, n);

    a->sourcecfg[n] = cfg;
    if (mode_of(a, n) == INACTIVE) {
        sources_put(a->pending, n, false);
        sources_put(a->enabled, n, false);
        a->target[n] = 0;
    } else if (before == INACTIVE) {
        a->target[n] = by_messages(a) ? 0 : 1;
    }
    if (is_level(mode_of(a, n)))
        sources_put(a->pending, n, rectified(a, n));
    update(a);
}

/* Nothing is there to be configured unless the parent delegates it. */
static void write_sourcecfg(struct aplic *a, unsigned n, uint32_t v)
{
    if (a->config.parent && !(a->config.parent->sourcecfg[n] & DELEGATED))
        return;
    v = legal_sourcecfg(a, v);
    if (a->child && !(v & DELEGATED))
        configure(a->child, n, INACTIVE);
    configure(a, n, v);
}

static void write_target(struct aplic *a, unsigned n, uint32_t v)
{
    uint32_t priority = v & PRIORITY_MASK;

    if (mode_of(a, n) == INACTIVE)
        return;
    a->target[n] = (v & TARGET_HART) | (by_messages(a) ? v & TARGET_EIID : priority ? priority : 1);
    update(a);
}

/* A source's bit in one of the four blocks. */
static void write_bit(struct aplic *a, unsigned block, unsigned n)
{
    if (mode_of(a, n) == INACTIVE)
        return;
    if (block == SETIP || block == IN_CLRIP)
        set_pending(a, n, block == SETIP);
    else
        sources_put(a->enabled, n, block == SETIE);
}

static void write_block(struct aplic *a, unsigned block, unsigned reg, uint32_t v)
{
    unsigned word = reg / 4;

    if (reg == BLOCK_NUMBER) {
        if (v <= SOURCES)
            write_bit(a, block, v);
    } else if (word < SOURCE_WORDS) {
        for (v &= sources_of(word); v; v &= v - 1)
            write_bit(a, block, word * 32 + (unsigned)__builtin_ctz(v));
    }
    update(a);
}

/* Only a root has them, if there are messages. */
static void write_msiaddr(struct aplic *a, unsigned i, uint32_t v)
{
    if (by_messages(a) && !a->config.parent && !(a->msiaddr[MMSIH] & MMSIH_LOCKED))
        a->msiaddr[i] = v & msiaddr_mask[i];
}

/* Sent at once: it is never busy.  4.5.15 */
static void write_genmsi(struct aplic *a, uint32_t v)
{
    if (!by_messages(a))
        return;
    a->genmsi = v & (TARGET_HART | TARGET_EIID);
    send(a, a->genmsi);
}

static void write_idc(struct aplic *a, unsigned hart, unsigned reg, uint32_t v)
{
    if (by_messages(a) || hart >= a->config.nharts)
        return;
    struct idc *i = &a->idc[hart];
    if (reg == IDELIVERY)
        i->delivery = v & 1;
    else if (reg == IFORCE)
        i->force = v & 1;
    else if (reg == ITHRESHOLD)
        i->threshold = v & PRIORITY_MASK;
    update(a);
}

static bool aplic_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct aplic *a = opaque;
    uint32_t v = (uint32_t)value;
    unsigned at = (unsigned)offset, n = at % 0x1000 / 4;

    (void)size;
    if (at == DOMAINCFG) {
        a->ie = v & IE;
        update(a);
    } else if (at < 0x1000) {
        if (n <= SOURCES)
            write_sourcecfg(a, n, v);
    } else if (at >= MSIADDRCFG && at < MSIADDRCFG + 4 * MSIADDRS) {
        write_msiaddr(a, (at - MSIADDRCFG) / 4, v);
    } else if (at >= SETIP && at < BLOCKS_END) {
        write_block(a, at & ~(BLOCK - 1u), at % BLOCK, v);
    } else if (at == SETIPNUM_LE) {
        write_block(a, SETIP, BLOCK_NUMBER, v);
    } else if (at == GENMSI) {
        write_genmsi(a, v);
    } else if (at >= TARGET && at < IDC) {
        if (n <= SOURCES)
            write_target(a, n, v);
    } else if (at >= IDC) {
        write_idc(a, (at - IDC) / IDC_STRIDE, at % IDC_STRIDE, v);
    }
    return true;
}

static uint32_t read_block(const struct aplic *a, unsigned block, unsigned reg)
{
    unsigned word = reg / 4;

    if (word >= SOURCE_WORDS || block == CLRIE)
        return 0;
    if (block == IN_CLRIP)
        return rectified_word(a, word);
    return block == SETIP ? a->pending[word] : a->enabled[word];
}

static uint32_t read_idc(const struct aplic *a, unsigned hart, unsigned reg)
{
    if (by_messages(a) || hart >= a->config.nharts)
        return 0;
    switch (reg) {
    case IDELIVERY:
        return a->idc[hart].delivery;
    case IFORCE:
        return a->idc[hart].force;
    case ITHRESHOLD:
        return a->idc[hart].threshold;
    case TOPI:
    case CLAIMI:
        return top_of(a, hart);
    default:
        return 0;
    }
}

/* For claimi what a claim would give.  Holes read 0. */
static uint32_t read_register(const struct aplic *a, unsigned at)
{
    unsigned n = at % 0x1000 / 4;

    if (at == DOMAINCFG)
        return DOMAINCFG_ONES | (a->ie ? IE : 0) | (by_messages(a) ? DM : 0);
    if (at < 0x1000)
        return n <= SOURCES ? a->sourcecfg[n] : 0;
    if (at >= MSIADDRCFG && at < MSIADDRCFG + 4 * MSIADDRS)
        return a->msiaddr[(at - MSIADDRCFG) / 4];
    if (at >= SETIP && at < BLOCKS_END)
        return read_block(a, at & ~(BLOCK - 1u), at % BLOCK);
    if (at == GENMSI)
        return a->genmsi;
    if (at >= TARGET && at < IDC)
        return n <= SOURCES ? a->target[n] : 0;
    return at >= IDC ? read_idc(a, (at - IDC) / IDC_STRIDE, at % IDC_STRIDE) : 0;
}

static bool aplic_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    *value = size == 4 ? read_register((struct aplic *)d, (unsigned)offset) : 0;
    return size == 4;
}

static bool aplic_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct aplic *a = opaque;
    uint64_t hart = (offset - IDC) / IDC_STRIDE;

    if (offset >= IDC && offset % IDC_STRIDE == CLAIMI && !by_messages(a) &&
        hart < a->config.nharts) {
        *value = claim(a, (unsigned)hart);
        return true;
    }
    return aplic_peek(&a->dev, offset, size, value);
}

/* ---- as a device ---- */

/* The page number of the interrupt files as the board has them: software need not say it. */
static void reset_msiaddr(struct aplic *a)
{
    uint64_t m = a->config.files >> 12, s = a->child ? a->child->config.files >> 12 : 0;

    a->msiaddr[MMSI] = (uint32_t)m;
    a->msiaddr[MMSIH] = (uint32_t)(m >> 32) | APLIC_HART_BITS << 12;
    a->msiaddr[SMSI] = (uint32_t)s;
    a->msiaddr[SMSIH] = (uint32_t)(s >> 32);
}

/* What 4.6 leaves open is 0.  The devices behind the wires are reset with it. */
static void aplic_reset(struct dev *d)
{
    struct aplic *a = (struct aplic *)d;
    struct aplic clean = {.dev = a->dev, .config = a->config, .child = a->child};

    *a = clean;
    if (by_messages(a) && !a->config.parent)
        reset_msiaddr(a);
    a->raised = (uint32_t)bits_mask(a->config.nharts); /* so that every wire is driven */
    update(a);
}

static void idc_state(struct snap *s, struct idc *i)
{
    snap_bool(s, "idelivery", &i->delivery);
    snap_bool(s, "iforce", &i->force);
    snap_u8(s, "ithreshold", &i->threshold);
}

/* None but active sources are pending or enabled. */
static void check_active(struct aplic *a, struct snap *s)
{
    for (unsigned n = 1; n <= SOURCES; n++) {
        if (mode_of(a, n) != INACTIVE ||
            !(sources_get(a->pending, n) || sources_get(a->enabled, n)))
            continue;
        snap_bad(s, "pending", "a source that is not active");
        sources_put(a->pending, n, false);
        sources_put(a->enabled, n, false);
    }
}

static void aplic_state(struct dev *d, struct snap *s)
{
    struct aplic *a = (struct aplic *)d;

    snap_section(s, d->name, 1);
    sources_state(s, "level", a->level);
    for (unsigned n = 1; n <= SOURCES; n++) {
        snap_u32(s, "sourcecfg", &a->sourcecfg[n]);
        if (a->sourcecfg[n] != legal_sourcecfg(a, a->sourcecfg[n]))
            snap_bad(s, "sourcecfg", "no such mode");
        a->sourcecfg[n] = legal_sourcecfg(a, a->sourcecfg[n]);
        snap_u32(s, "target", &a->target[n]);
    }
    sources_state(s, "pending", a->pending);
    sources_state(s, "enabled", a->enabled);
    check_active(a, s);
    for (unsigned i = 0; i < MSIADDRS; i++)
        snap_u32(s, "msiaddrcfg", &a->msiaddr[i]);
    snap_u32(s, "genmsi", &a->genmsi);
    snap_bool(s, "ie", &a->ie);
    for (unsigned i = 0; i < a->config.nharts; i++)
        idc_state(s, &a->idc[i]);
    if (snap_loading(s) && !by_messages(a)) /* the harts keep what the wires said */
        a->raised = outputs(a);
}

static const struct mem_ops aplic_bus = {aplic_read, aplic_write, 4};

static const struct dev_class aplic_class = {
    .name = "riscv-aplic",
    .doc = "a domain of the interrupt controller for devices",
    .regs = aplic_regs,
    .bus = &aplic_bus,
    .reset = aplic_reset,
    .state = aplic_state,
    .peek = aplic_peek,
};

struct aplic *aplic_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                        const struct aplic_config *config)
{
    struct aplic *a = xcalloc(1, sizeof *a);

    dev_init(&a->dev, &aplic_class, name, mem, clock, (struct dev_line){0}, log);
    a->config = *config;
    if (config->parent)
        config->parent->child = a;
    return a;
}

struct dev *aplic_dev(struct aplic *a)
{
    return &a->dev;
}

struct dev_line aplic_source(struct aplic *a, unsigned n)
{
    return (struct dev_line){source_set, a, n};
}

void aplic_delegate(struct aplic *a)
{
    for (unsigned n = 1; n <= SOURCES; n++)
        write_sourcecfg(a, n, DELEGATED);
}
