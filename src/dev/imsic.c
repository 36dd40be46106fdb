/* imsic.c - see imsic.h.  Section numbers are the AIA specification's. */
#include "dev/imsic.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

#define WORDS ((IMSIC_IDS + 1) / 64)

enum { SETEIPNUM_LE = 0 }; /* in a page; 3.5 */

/* *iselect; 3.8 */
enum { EIDELIVERY = 0x70, EITHRESHOLD = 0x72, EIP0 = 0x80, EIE0 = 0xc0, END = 0x100 };

struct file {
    bool delivery;
    uint32_t threshold; /* 0: none */
    uint64_t eip[WORDS], eie[WORDS];
};

struct imsic {
    struct dev dev; /* first */
    unsigned nharts;
    struct dev_line out;
    struct file file[IMSIC_HARTS];
};

static const struct dev_reg imsic_regs[] = {
    {"seteipnum_le", SETEIPNUM_LE, 4, "makes an identity of hart 0 pending; hart n at 4096 * n"},
    {0},
};

/* Lower numbers have priority.  3.9 */
static unsigned top_of(const struct file *f)
{
    for (unsigned w = 0; w < WORDS; w++) {
        uint64_t bits = f->eip[w] & f->eie[w];
        unsigned id = w * 64 + (unsigned)(bits ? __builtin_ctzll(bits) : 0);
        if (bits)
            return f->threshold && id >= f->threshold ? 0 : id;
    }
    return 0;
}

/* 3.10 */
static void update(struct imsic *m, unsigned hart)
{
    const struct file *f = &m->file[hart];

    if (m->out.set)
        m->out.set(m->out.opaque, m->out.number + hart, f->delivery && top_of(f));
}

/* ---- the hart's side ---- */

/* The word of eip or eie behind a register, or NULL. */
static uint64_t *word_of(struct file *f, unsigned reg)
{
    unsigned w = reg % (EIE0 - EIP0) / 2;

    if (reg < EIP0 || reg >= END || reg % 2 || w >= WORDS)
        return NULL;
    return reg < EIE0 ? &f->eip[w] : &f->eie[w];
}

uint64_t imsic_read(struct imsic *m, unsigned hart, unsigned reg)
{
    struct file *f = &m->file[hart];
    const uint64_t *word = word_of(f, reg);

    if (reg == EIDELIVERY)
        return f->delivery;
    return reg == EITHRESHOLD ? f->threshold : word ? *word : 0;
}

/* Delivery from an APLIC (0x40000000) there is not: that value leaves eidelivery as it is.  3.8.1
 */
void imsic_write(struct imsic *m, unsigned hart, unsigned reg, uint64_t value)
{
    struct file *f = &m->file[hart];
    uint64_t *word = word_of(f, reg);

    if (reg == EIDELIVERY && value <= 1)
        f->delivery = value;
    else if (reg == EITHRESHOLD)
        f->threshold = value & IMSIC_IDS;
    else if (word)
        *word = word == f->eip || word == f->eie ? value & ~UINT64_C(1) : value;
    update(m, hart);
}

uint32_t imsic_top(const struct imsic *m, unsigned hart)
{
    unsigned id = top_of(&m->file[hart]);

    return id << 16 | id;
}

void imsic_claim(struct imsic *m, unsigned hart)
{
    struct file *f = &m->file[hart];
    unsigned id = top_of(f);

    f->eip[id / 64] &= ~BIT(id % 64);
    update(m, hart);
}

/* ---- the bus's side ---- */

bool imsic_send(struct imsic *m, uint64_t address, uint32_t data)
{
    uint64_t offset = address - m->dev.base;
    unsigned hart = (unsigned)(offset / IMSIC_PAGE);

    if (offset >= m->dev.size)
        return false;
    if (offset % IMSIC_PAGE == SETEIPNUM_LE && hart < m->nharts && data && data <= IMSIC_IDS) {
        m->file[hart].eip[data / 64] |= BIT(data % 64);
        update(m, hart);
    }
    return true;
}

static bool imsic_bus_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct imsic *m = opaque;

    (void)size;
    return imsic_send(m, m->dev.base + offset, (uint32_t)value);
}

/* All of it reads 0.  3.5 */
static bool imsic_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    (void)d, (void)offset;
    *value = 0;
    return size == 4;
}

static bool imsic_bus_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    return imsic_peek(opaque, offset, size, value);
}

/* ---- as a device ---- */

/* What 3.4 leaves open is 0. */
static void imsic_reset(struct dev *d)
{
    struct imsic *m = (struct imsic *)d;

    memset(m->file, 0, sizeof m->file);
    for (unsigned i = 0; i < m->nharts; i++)
        update(m, i);
}

/* There is no identity 0, and none above the last. */
static void check_file(struct file *f, struct snap *s)
{
    if (f->threshold <= IMSIC_IDS && !((f->eip[0] | f->eie[0]) & 1))
        return;
    snap_bad(s, "eip", "an identity that does not exist");
    f->threshold &= IMSIC_IDS;
    f->eip[0] &= ~UINT64_C(1);
    f->eie[0] &= ~UINT64_C(1);
}

static void imsic_state(struct dev *d, struct snap *s)
{
    struct imsic *m = (struct imsic *)d;

    snap_section(s, d->name, 1);
    for (unsigned i = 0; i < m->nharts; i++) {
        struct file *f = &m->file[i];

        snap_bool(s, "eidelivery", &f->delivery);
        snap_u32(s, "eithreshold", &f->threshold);
        snap_u64s(s, "eip", f->eip, WORDS);
        snap_u64s(s, "eie", f->eie, WORDS);
        check_file(f, s);
    }
}

static const struct mem_ops imsic_bus = {imsic_bus_read, imsic_bus_write, 4};

static const struct dev_class imsic_class = {
    .name = "riscv-imsics",
    .doc = "message-signalled interrupts to harts",
    .regs = imsic_regs,
    .bus = &imsic_bus,
    .reset = imsic_reset,
    .state = imsic_state,
    .peek = imsic_peek,
};

struct imsic *imsic_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                        unsigned nharts, struct dev_line out)
{
    struct imsic *m = xcalloc(1, sizeof *m);

    dev_init(&m->dev, &imsic_class, name, mem, clock, (struct dev_line){0}, log);
    m->nharts = nharts;
    m->out = out;
    return m;
}

struct dev *imsic_dev(struct imsic *m)
{
    return &m->dev;
}
