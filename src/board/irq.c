/* irq.c - the interrupt controllers of "virt", and their wires to the harts. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "board/virt.h"

static_assert(PLIC_CONTEXTS >= 2 * BOARD_CPUS, "two contexts a hart");
static_assert(APLIC_HARTS >= BOARD_CPUS && IMSIC_HARTS >= BOARD_CPUS, "each hart has its own");

/* ---- wires ---- */

static void plic_set(void *opaque, unsigned context, bool level)
{
    board_line(opaque, context / 2, context % 2 ? RV_IRQ_SEI : RV_IRQ_MEI, level);
}

static void mei_set(void *opaque, unsigned hart, bool level)
{
    board_line(opaque, hart, RV_IRQ_MEI, level);
}

static void sei_set(void *opaque, unsigned hart, bool level)
{
    board_line(opaque, hart, RV_IRQ_SEI, level);
}

/* What the harts' external interrupts at a level are driven by. */
static struct dev_line hart_wires(struct board *b, enum virt_level level)
{
    return (struct dev_line){level == VIRT_M ? mei_set : sei_set, b, 0};
}

/* ---- messages ---- */

/* Addresses of anything else are as if nobody were there. */
static void msi_send(void *opaque, uint64_t address, uint32_t data)
{
    struct board *b = opaque;

    if (!imsic_send(b->imsic[VIRT_M], address, data))
        imsic_send(b->imsic[VIRT_S], address, data);
}

/* The interrupt files of a privilege level. */
static struct imsic *files(void *opaque, unsigned priv)
{
    struct board *b = opaque;

    return b->imsic[priv == RV_M ? VIRT_M : VIRT_S];
}

static uint64_t file_read(void *opaque, unsigned hart, unsigned priv, unsigned reg)
{
    return imsic_read(files(opaque, priv), hart, reg);
}

static void file_write(void *opaque, unsigned hart, unsigned priv, unsigned reg, uint64_t value)
{
    imsic_write(files(opaque, priv), hart, reg, value);
}

static uint64_t file_top(void *opaque, unsigned hart, unsigned priv)
{
    return imsic_top(files(opaque, priv), hart);
}

static void file_claim(void *opaque, unsigned hart, unsigned priv)
{
    imsic_claim(files(opaque, priv), hart);
}

/* ---- making them ---- */

static int add_plic(struct board *b, struct err *e)
{
    const struct board_config *c = &b->config;
    struct dev_line out = {plic_set, b, 0};

    b->plic = plic_new("plic", c->mem, c->clock, c->log, 2 * c->ncpus, out);
    return virt_add(b, plic_dev(b->plic), VIRT_PLIC, 0, e);
}

static int add_imsic(struct board *b, enum virt_level level, struct err *e)
{
    const struct board_config *c = &b->config;

    b->imsic[level] = imsic_new(level == VIRT_M ? "imsic_m" : "imsic_s", c->mem, c->clock, c->log,
                                c->ncpus, hart_wires(b, level));
    return virt_add(b, imsic_dev(b->imsic[level]), VIRT_IMSIC + level, 0, e);
}

static int add_imsics(struct board *b, struct err *e)
{
    int rc = add_imsic(b, VIRT_M, e);

    b->files = (struct rv_imsic){file_read, file_write, file_top, file_claim, b};
    b->msi = (struct dev_msi){msi_send, b};
    return rc ? rc : add_imsic(b, VIRT_S, e);
}

static int add_aplic(struct board *b, enum virt_level level, struct err *e)
{
    const struct board_config *c = &b->config;
    const struct aplic_config config = {
        .parent = level == VIRT_M ? NULL : b->aplic[VIRT_M],
        .nharts = c->ncpus,
        .out = hart_wires(b, level),
        .msi = b->msi,
        .files = virt_map[VIRT_IMSIC + level].base,
    };

    b->aplic[level] =
        aplic_new(level == VIRT_M ? "aplic_m" : "aplic_s", c->mem, c->clock, c->log, &config);
    return virt_add(b, aplic_dev(b->aplic[level]), VIRT_APLIC + level, 0, e);
}

static int add_aplics(struct board *b, struct err *e)
{
    int rc = add_aplic(b, VIRT_M, e);

    return rc ? rc : add_aplic(b, VIRT_S, e);
}

static int add_imsics_and_aplics(struct board *b, struct err *e)
{
    int rc = add_imsics(b, e);

    return rc ? rc : add_aplics(b, e);
}

static const struct {
    const char *name;
    int (*add)(struct board *b, struct err *e);
} kinds[] = {
    {"plic", add_plic},
    {"aplic", add_aplics},
    {"imsic", add_imsics_and_aplics},
};

int virt_add_irqs(struct board *b, struct err *e)
{
    const char *name = b->config.interrupts ? b->config.interrupts : kinds[0].name;
    struct buf names = BUF_INIT;
    unsigned i = 0;
    int rc;

    for (; i < ARRAY_LEN(kinds) && strcmp(kinds[i].name, name); i++)
        buf_fmt(&names, "%s%s", i ? ", " : "", kinds[i].name);
    if (i < ARRAY_LEN(kinds))
        rc = kinds[i].add(b, e);
    else
        rc = err_set(e, EINVAL, "interrupts: there is no %.60s; there is: %s", name, names.data);
    buf_fini(&names);
    return rc;
}

struct dev_line virt_line(struct board *b, unsigned n)
{
    return b->plic ? plic_source(b->plic, n) : aplic_source(b->aplic[VIRT_M], n);
}

void virt_attach_irqs(struct board *b, struct cpu *c)
{
    if (b->aplic[VIRT_M])
        rv_set_aia(c, b->imsic[VIRT_M] ? &b->files : NULL);
}
