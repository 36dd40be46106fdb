/* virt.c - the RISC-V machine "virt": its map, devices and wires; and board.h. */
#include "board/virt.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "board/semihost.h"
#include "dev/finisher.h"
#include "dev/fw_cfg.h"
#include "dev/goldfish_rtc.h"
#include "dev/htif.h"
#include "dev/pflash.h"
#include "dev/ticks.h"
#include "dev/virtio/balloon.h"
#include "dev/virtio/blk.h"
#include "dev/virtio/console.h"
#include "dev/virtio/mmio.h"
#include "dev/virtio/net.h"
#include "dev/virtio/p9.h"
#include "dev/virtio/pci.h"
#include "dev/virtio/rng.h"

/* QEMU's hw/riscv/virt.c has the same. */
const struct virt_range virt_map[] = {
    [VIRT_ROM] = {0x1000, 0xf000, 0},
    [VIRT_TEST] = {0x100000, 0x1000, 0},
    [VIRT_RTC] = {0x101000, 0x1000, 11},
    [VIRT_CLINT] = {0x2000000, CLINT_SIZE, 0},
    [VIRT_PCIE_IO] = {0x3000000, 0x10000, 0},
    [VIRT_PLIC] = {0xc000000, PLIC_SIZE, 0},
    [VIRT_APLIC] = {0xc000000, APLIC_SIZE, 0},
    [VIRT_APLIC_S] = {0xd000000, APLIC_SIZE, 0},
    [VIRT_UART] = {0x10000000, 0x1000, 10},
    [VIRT_VIRTIO] = {0x10001000, VIO_MMIO_SIZE, 1},
    [VIRT_FW_CFG] = {0x10100000, 0x1000, 0},
    [VIRT_FLASH] = {0x20000000, PFLASH_SIZE, 0},
    [VIRT_IMSIC] = {0x24000000, IMSIC_SIZE, 0},
    [VIRT_IMSIC_S] = {0x28000000, IMSIC_SIZE, 0},
    [VIRT_PCIE] = {0x30000000, PCIE_ECAM_SIZE, 0x20},
    [VIRT_PCIE_MEM] = {0x40000000, 0x40000000, 0},
    [VIRT_RAM] = {0x80000000, 0, 0},
};

#define RAM_MIN (UINT64_C(8) << 20)
#define RAM_MAX (UINT64_C(1) << 40) /* the map above RAM is free up to here */

#define PCIE_HIGH_SIZE (UINT64_C(16) << 30) /* on a multiple of its size */

/* Slots beyond QEMU's eight go on behind them, with interrupts behind those of all else. */
#define SLOTS_MORE_IRQ 12

static_assert(VIRT_SLOTS_MAX >= BOARD_DISKS + BOARD_NETS + BOARD_SHARES + 3,
              "each device has its slot: entropy, ports and the balloon too");
static_assert(VIRT_SLOTS_MAX < PCIE_SLOTS, "on PCI too");
static_assert(BOARD_FW_FILES == FW_CFG_FILES && BOARD_PORTS == VIO_PORTS &&
                  BOARD_SEED == VIO_RNG_SEED,
              "as the devices have it");
static_assert(CLINT_HARTS >= BOARD_CPUS, "each hart has its timer");

static const char virt_name[] = "virt";
static const char virt_doc[] = "RISC-V 64: CLINT, PLIC or AIA, 16550A, PCI Express, virtio; "
                               "QEMU's memory map";

/* ---- wires ---- */

struct board_hart *board_hart(struct board *b, uint64_t n)
{
    return n < b->attached ? &b->hart[n] : NULL;
}

void board_line(struct board *b, unsigned hart, unsigned irq, bool level)
{
    struct board_hart *h = board_hart(b, hart);

    if (h)
        h->cpu->guest->line(h->cpu, irq, level);
}

static void msi_set(void *opaque, unsigned hart, bool level)
{
    board_line(opaque, hart, RV_IRQ_MSI, level);
}

static void mti_set(void *opaque, unsigned hart, bool level)
{
    board_line(opaque, hart, RV_IRQ_MTI, level);
}

/* ---- what CPUs ask for ---- */

static uint64_t env_time(void *opaque)
{
    struct board *b = opaque;

    return clint_time(b->clint);
}

static void timer_fire(void *opaque)
{
    struct board_hart *h = opaque;

    h->timer_tick = UINT64_MAX;
    h->cpu->guest->timer_due(h->cpu);
}

static void timer_arm(struct board_hart *h)
{
    clock_set(h->board->config.clock, &h->timer,
              h->timer_tick == UINT64_MAX ? CLOCK_NEVER
                                          : clint_when(h->board->clint, h->timer_tick));
}

static void env_timer(void *opaque, unsigned cpu, uint64_t tick)
{
    struct board *b = opaque;

    b->hart[cpu].timer_tick = tick;
    timer_arm(&b->hart[cpu]);
}

/* mtime was written: the harts' own comparators look again. */
static void time_moved(void *opaque)
{
    struct board *b = opaque;

    for (unsigned i = 0; i < b->attached; i++)
        b->hart[i].cpu->guest->timer_due(b->hart[i].cpu);
}

bool board_has_sbi(const struct board *b)
{
    return !b->config.firmware && !b->bare && !b->flashed;
}

static bool env_firmware(void *opaque, struct cpu *c)
{
    struct board *b = opaque;

    return board_has_sbi(b) && sbi_call(b, c);
}

static bool env_semihosting(void *opaque, struct cpu *c)
{
    struct board *b = opaque;

    semihost_call(b->semihost, &b->hart[c->index]);
    return true;
}

static void env_changed(void *opaque, struct cpu *c)
{
    struct board *b = opaque;

    if (b->config.changed)
        b->config.changed(b->config.opaque, c);
}

void board_ended(struct board *b, enum board_end how, unsigned code)
{
    if (b->config.ended)
        b->config.ended(b->config.opaque, how, code);
    for (unsigned i = 0; i < b->attached; i++)
        cpu_kick(b->hart[i].cpu);
}

static void finish(void *opaque, enum finisher_how how, unsigned code)
{
    board_ended(opaque,
                how == FINISHER_PASS    ? BOARD_POWEROFF
                : how == FINISHER_RESET ? BOARD_REBOOT
                                        : BOARD_FAILED,
                code);
}

static void htif_end(void *opaque, bool failed, unsigned code)
{
    board_ended(opaque, failed ? BOARD_FAILED : BOARD_POWEROFF, code);
}

/* ---- the table of devices ---- */

int virt_add(struct board *b, struct dev *d, enum virt_place place, unsigned slot, struct err *e)
{
    const struct virt_range *r = &virt_map[place];

    vec_push(&b->devs, d);
    return dev_map(d, r->base + slot * r->size, r->size, e);
}

unsigned virt_irq(enum virt_place place, unsigned slot)
{
    return slot < VIRT_SLOTS ? virt_map[place].irq + slot : SLOTS_MORE_IRQ + slot - VIRT_SLOTS;
}

static struct dev_line irq_of(struct board *b, enum virt_place place, unsigned slot)
{
    return virt_line(b, virt_irq(place, slot));
}

static int add_cores(struct board *b, struct err *e)
{
    const struct board_config *c = &b->config;
    const struct clint_config clint = {
        .nharts = c->ncpus,
        .hz = c->timebase,
        .msi = {msi_set, b, 0},
        .mti = {mti_set, b, 0},
        .moved = time_moved,
        .opaque = b,
    };
    int rc;

    b->clint = clint_new("clint", c->mem, c->clock, c->log, &clint);
    rc = virt_add(b, clint_dev(b->clint), VIRT_CLINT, 0, e);
    return rc ? rc : virt_add_irqs(b, e);
}

static int add_chips(struct board *b, struct err *e)
{
    const struct board_config *c = &b->config;
    int rc =
        virt_add(b, finisher_new("test", c->mem, c->clock, c->log, finish, b), VIRT_TEST, 0, e);

    if (!rc)
        rc = virt_add(
            b,
            goldfish_rtc_new("rtc", c->mem, c->clock, c->log, irq_of(b, VIRT_RTC, 0), c->epoch_ns),
            VIRT_RTC, 0, e);
    if (rc)
        return rc;
    b->uart =
        uart16550_new("uart0", c->mem, c->clock, c->log, irq_of(b, VIRT_UART, 0), &c->console);
    return virt_add(b, uart16550_dev(b->uart), VIRT_UART, 0, e);
}

/* The i-th virtio device, in the order in which they fill the slots, or NULL. */
static struct vio_device *virtio_device(const struct board_config *c, unsigned i)
{
    char serial[16];

    snprintf(serial, sizeof serial, "glovebox-%u", i);
    if (i < c->ndisks)
        return vio_blk_new(&c->disks[i], serial);
    i -= c->ndisks;
    if (i < c->nnets)
        return vio_net_new(&c->nets[i]);
    i -= c->nnets;
    if (!i--)
        return vio_rng_new(c->seed);
    if (c->nports && !i--)
        return vio_console_new(c->ports, c->nports);
    if (i < c->nshares)
        return vio_p9_new(&c->shares[i]);
    i -= c->nshares;
    return c->balloon && !i ? vio_balloon_new(c->balloon_bytes) : NULL;
}

struct virt_range virt_pcie_high(const struct board *b)
{
    uint64_t ram_end = b->place.ram_base + b->place.ram_size;

    return (struct virt_range){bits_align_up(ram_end, PCIE_HIGH_SIZE), PCIE_HIGH_SIZE, 0};
}

static int add_pcie(struct board *b, struct err *e)
{
    const struct board_config *c = &b->config;
    const struct virt_range *io = &virt_map[VIRT_PCIE_IO], *mem = &virt_map[VIRT_PCIE_MEM];
    struct virt_range high = virt_pcie_high(b);
    int rc;

    b->pcie = pcie_host_new("pcie", c->mem, c->clock, c->log, irq_of(b, VIRT_PCIE, 0));
    rc = virt_add(b, pcie_host_dev(b->pcie), VIRT_PCIE, 0, e);
    if (!rc)
        rc = pcie_host_window(b->pcie, "pcie-io", true, io->base, io->size, e);
    if (!rc)
        rc = pcie_host_window(b->pcie, "pcie-32", false, mem->base, mem->size, e);
    return rc ? rc : pcie_host_window(b->pcie, "pcie-64", false, high.base, high.size, e);
}

/* Virtio devices on PCI, in the slots behind the bridge's own. */
static void add_functions(struct board *b)
{
    const struct board_config *c = &b->config;
    struct vio_device *v;

    for (unsigned slot = 1; (v = virtio_device(c, slot - 1)); slot++) {
        struct pci_func *f;
        char name[16];

        snprintf(name, sizeof name, "pci%u", slot);
        f = vio_pci_new(name, c->mem, c->clock, c->log, pcie_host_intx(b->pcie, slot), b->msi, v);
        vec_push(&b->devs, &f->dev);
        pcie_host_plug(b->pcie, slot, f);
    }
}

static int add_slots(struct board *b, struct err *e)
{
    const struct board_config *c = &b->config;
    int rc = 0;

    for (b->slots = 0; b->slots < VIRT_SLOTS_MAX && !rc; b->slots++) {
        struct vio_device *v = c->virtio == BOARD_VIRTIO_MMIO ? virtio_device(c, b->slots) : NULL;
        char name[16];

        if (!v && b->slots >= VIRT_SLOTS)
            break;
        snprintf(name, sizeof name, "virtio%u", b->slots);
        rc = virt_add(
            b, vio_mmio_new(name, c->mem, c->clock, c->log, irq_of(b, VIRT_VIRTIO, b->slots), v),
            VIRT_VIRTIO, b->slots, e);
    }
    return rc;
}

static int add_flash(struct board *b, struct err *e)
{
    const struct board_config *c = &b->config;
    int rc = 0;

    for (unsigned i = 0; i < BOARD_FLASH && !rc; i++) {
        char name[16];
        struct dev *d;

        snprintf(name, sizeof name, "flash%u", i);
        d = pflash_new(name, c->mem, c->clock, c->log, i < c->nflash ? &c->flash[i] : NULL);
        rc = virt_add(b, d, VIRT_FLASH, i, e);
        if (!rc)
            rc = pflash_fill(d, e);
    }
    return rc;
}

static void offer(struct fw_cfg *f, enum fw_cfg_key size, enum fw_cfg_key data, const void *bytes,
                  size_t len)
{
    if (!bytes || len > UINT32_MAX)
        return;
    fw_cfg_add_number(f, size, (uint32_t)len, 4);
    fw_cfg_add_bytes(f, data, bytes, (uint32_t)len);
}

/* The kernel and what belongs to it are for boot loaders; mostly they are in RAM too. */
static int add_fw_cfg(struct board *b, struct err *e)
{
    const struct board_config *c = &b->config;
    struct fw_cfg *f = fw_cfg_new("fw_cfg", c->mem, c->clock, c->log);
    int rc = virt_add(b, fw_cfg_dev(f), VIRT_FW_CFG, 0, e);

    fw_cfg_add_number(f, FW_CFG_CPUS, c->ncpus, 2);
    offer(f, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, b->kernel.data, b->kernel.len);
    offer(f, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, b->initrd.data, b->initrd.len);
    if (c->append)
        offer(f, FW_CFG_CMDLINE_SIZE, FW_CFG_CMDLINE_DATA, c->append, strlen(c->append) + 1);
    for (unsigned i = 0; i < c->nfw_files && !rc; i++)
        rc = fw_cfg_add_file(f, c->fw_files[i].name, c->fw_files[i].data, c->fw_files[i].len, e);
    return rc;
}

/* For a program with a symbol "tohost". */
static int add_htif(struct board *b, struct err *e)
{
    const struct board_config *c = &b->config;
    const struct load_image *im = c->firmware ? &b->firmware : &b->kernel;
    struct htif_config config = {
        .fromhost = HTIF_NOWHERE, .console = b->uart, .end = htif_end, .opaque = b};

    if (!load_symbol(im, "tohost", &config.tohost))
        return 0;
    load_symbol(im, "fromhost", &config.fromhost);
    b->htif = htif_new("htif", c->mem, c->clock, c->log, &config, e);
    if (!b->htif)
        return err_prefix(e, "%s %s", im->role, im->path);
    vec_push(&b->devs, b->htif);
    return 0;
}

static int build(struct board *b, struct err *e)
{
    const struct virt_range *rom = &virt_map[VIRT_ROM];
    struct mem *m = b->config.mem;
    int rc = mem_add_rom(m, "rom", rom->base, rom->size, e);

    if (!rc)
        rc = mem_add_ram(m, "ram", b->place.ram_base, b->place.ram_size, e);
    if (!rc)
        rc = add_cores(b, e);
    if (!rc)
        rc = add_chips(b, e);
    if (!rc)
        rc = add_slots(b, e);
    if (!rc)
        rc = add_fw_cfg(b, e);
    if (!rc)
        rc = add_flash(b, e);
    if (!rc)
        rc = add_pcie(b, e);
    if (!rc && b->config.virtio == BOARD_VIRTIO_PCI)
        add_functions(b);
    return rc ? rc : add_htif(b, e);
}

/* ---- board.h ---- */

static int check_config(const struct board_config *c, struct err *e)
{
    char name[16];

    if (strcmp(c->machine, virt_name))
        return err_set(e, EINVAL, "%s: there is no such machine; there is: %s", c->machine,
                       virt_name);
    if (!c->ncpus || c->ncpus > BOARD_CPUS)
        return err_set(e, EINVAL, "%s has 1 to %d CPUs, not %u", virt_name, BOARD_CPUS, c->ncpus);
    if (c->memory < RAM_MIN || c->memory > RAM_MAX || c->memory % MEM_PAGE_SIZE)
        return err_set(e, EINVAL,
                       "%s has 8 MiB to 1 TiB of memory, in whole pages of 4 KiB, not %" PRIu64
                       " bytes",
                       virt_name, c->memory);
    if (c->ndisks > BOARD_DISKS)
        return err_set(e, EINVAL, "%s has at most %d disks, not %u", virt_name, BOARD_DISKS,
                       c->ndisks);
    if (c->nnets > BOARD_NETS || c->nports > BOARD_PORTS || c->nshares > BOARD_SHARES)
        return err_set(e, EINVAL, "%s has at most %d networks, %d ports and %d shared folders",
                       virt_name, BOARD_NETS, BOARD_PORTS, BOARD_SHARES);
    if (c->nflash > BOARD_FLASH || c->nfw_files > BOARD_FW_FILES)
        return err_set(e, EINVAL, "%s has %d banks of flash and at most %d fw_cfg files", virt_name,
                       BOARD_FLASH, BOARD_FW_FILES);
    for (unsigned i = 0; i < c->nflash; i++) {
        snprintf(name, sizeof name, "flash%u", i);
        if (pflash_check(&c->flash[i], name, e))
            return -EINVAL;
    }
    if (!c->timebase || c->timebase > DEV_NS_PER_SEC)
        return err_set(e, EINVAL, "the time base is 1 to 10^9 ticks a second, not %" PRIu64,
                       c->timebase);
    if (c->initrd && !c->kernel)
        return err_set(e, EINVAL, "initrd %s: there is no kernel that could use it", c->initrd);
    if (c->bare && (c->firmware || !c->kernel))
        return err_set(e, EINVAL, "a bare machine starts its kernel, and has no firmware");
    return 0;
}

static void init(struct board *b, const struct board_config *config)
{
    b->config = *config;
    b->place =
        (struct load_place){virt_map[VIRT_RAM].base, config->memory, config->load_addr, false};
    b->env = (struct cpu_env){.time = env_time,
                              .timer = env_timer,
                              .firmware = env_firmware,
                              .changed = env_changed,
                              .semihosting = config->semihosting ? env_semihosting : NULL,
                              .opaque = b};
    if (config->semihosting)
        b->semihost = semihost_new(b);
    for (unsigned i = 0; i < BOARD_CPUS; i++) {
        b->hart[i].board = b;
        b->hart[i].index = i;
        b->hart[i].timer_tick = UINT64_MAX;
        clock_event_init(&b->hart[i].timer, timer_fire, &b->hart[i]);
    }
    sbi_init(b);
}

struct board *board_new(const struct board_config *config, struct err *e)
{
    struct board *b;

    if (check_config(config, e))
        return NULL;
    b = xcalloc(1, sizeof *b);
    init(b, config);
    if (boot_load(b, e) || build(b, e)) {
        board_free(b);
        return NULL;
    }
    return b;
}

void board_free(struct board *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->devs.len; i++)
        dev_free(b->devs.data[i]);
    for (unsigned i = 0; i < BOARD_CPUS; i++) {
        clock_cancel(b->config.clock, &b->hart[i].timer);
        clock_cancel(b->config.clock, &b->hart[i].sbi_timer);
    }
    semihost_free(b->semihost);
    vec_fini(&b->devs);
    boot_fini(b);
    free(b);
}

const struct cpu_env *board_env(struct board *b)
{
    return &b->env;
}

void board_attach(struct board *b, struct cpu *c)
{
    c->env = &b->env;
    virt_attach_irqs(b, c);
    b->hart[b->attached++].cpu = c;
}

/* Pages that were written are zeroed; the others stay as the host lent them. */
static void clear_ram(struct board *b)
{
    static const uint8_t zeroes[MEM_PAGE_SIZE];
    struct mem *m = b->config.mem;
    uint64_t base = b->place.ram_base, end = base + b->place.ram_size;

    for (uint64_t page = base; page < end; page += MEM_PAGE_SIZE)
        if (memcmp(mem_host(m, page, MEM_PAGE_SIZE, false), zeroes, MEM_PAGE_SIZE))
            mem_poke(m, page, zeroes, MEM_PAGE_SIZE);
}

int board_reset(struct board *b, struct err *e)
{
    if (b->attached != b->config.ncpus)
        return err_set(e, EINVAL, "%s: %u of %u CPUs are there", virt_name, b->attached,
                       b->config.ncpus);
    if (b->used)
        clear_ram(b);
    b->used = true;
    for (unsigned i = 0; i < b->attached; i++) {
        struct board_hart *h = &b->hart[i];

        h->timer_tick = UINT64_MAX;
        clock_cancel(b->config.clock, &h->timer);
        h->cpu->guest->reset(h->cpu);
        h->cpu->halted = CPU_RUNS;
    }
    for (size_t i = 0; i < b->devs.len; i++)
        b->devs.data[i]->class->reset(b->devs.data[i]);
    if (b->semihost)
        semihost_reset(b->semihost);
    return boot_start(b, e);
}

void board_poll(struct board *b)
{
    for (size_t i = 0; i < b->devs.len; i++)
        if (b->devs.data[i]->class->poll)
            b->devs.data[i]->class->poll(b->devs.data[i]);
    if (b->semihost)
        semihost_poll(b->semihost);
}

bool board_doors(const struct board *b)
{
    return b->config.console.read || b->config.nnets || b->config.nports;
}

void board_wait(struct board *b, struct dev_wait *w)
{
    for (size_t i = 0; i < b->devs.len; i++)
        if (b->devs.data[i]->class->wait)
            b->devs.data[i]->class->wait(b->devs.data[i], w);
}

size_t board_devices(const struct board *b, struct dev *const **devs)
{
    *devs = b->devs.data;
    return b->devs.len;
}

void board_state(struct board *b, struct snap *s)
{
    snap_section(s, "board", 1);
    for (unsigned i = 0; i < b->attached; i++) {
        snap_u64(s, "timer_tick", &b->hart[i].timer_tick);
        dev_snap_event(s, "timer", b->config.clock, &b->hart[i].timer);
    }
    sbi_state(b, s);
    for (size_t i = 0; i < b->devs.len; i++)
        b->devs.data[i]->class->state(b->devs.data[i], s);
    if (b->semihost)
        semihost_state(b->semihost, s);
}

const void *board_dtb(const struct board *b, size_t *len)
{
    *len = b->dtb.len;
    return b->dtb.data;
}

void board_symbols(const struct board *b, bool (*fn)(void *opaque, const struct load_sym *k),
                   void *opaque)
{
    load_symbols(&b->kernel, fn, opaque);
    load_symbols(&b->firmware, fn, opaque);
}

const void *board_image(const struct board *b, unsigned n, size_t *len)
{
    const struct load_image *im = n ? &b->firmware : &b->kernel;

    *len = im->len;
    return im->data;
}

static const struct dev *dev_at(const struct board *b, const struct mem_region *r)
{
    for (size_t i = 0; i < b->devs.len; i++)
        if (r->opaque == b->devs.data[i])
            return b->devs.data[i];
    return NULL;
}

/* What a device is, or what it is a slot for. */
static void describe_dev(const struct dev *d, const struct vio_device *v, struct buf *out)
{
    buf_fmt(out, "%s: %s\n", v ? v->ops->name : d->class->name, v ? v->ops->doc : d->class->doc);
}

static void describe_region(const struct board *b, const struct mem_region *r, struct buf *out)
{
    static const char *const kinds[] = {
        [MEM_RAM] = "RAM", [MEM_ROM] = "ROM", [MEM_DEVICE] = "window to PCI"};
    const struct dev *d = r->ops ? dev_at(b, r) : NULL;
    const struct vio_device *v =
        d && !strncmp(d->name, "virtio", 6) ? vio_mmio_device((struct dev *)d) : NULL;

    buf_fmt(out, "%012" PRIx64 "-%012" PRIx64 "  %-8s  ", r->base, r->base + r->size - 1, r->name);
    if (d)
        describe_dev(d, v, out);
    else
        buf_fmt(out, "%s, %" PRIu64 " KiB\n", kinds[r->kind], r->size >> 10);
}

static void describe_functions(const struct board *b, struct buf *out)
{
    for (unsigned slot = 0; slot < PCIE_SLOTS; slot++) {
        struct pci_func *f = pcie_host_func(b->pcie, slot);

        if (!f)
            continue;
        buf_fmt(out, "PCI 00:%02x.0, %04x:%04x     %-8s  ", slot, pci_config_get(f, PCI_VENDOR, 2),
                pci_config_get(f, PCI_DEVICE, 2), f->dev.name);
        describe_dev(&f->dev, vio_pci_device(f), out);
    }
}

void board_describe(const struct board *b, struct buf *out)
{
    struct mem_region *const *regions;
    size_t n = mem_regions(b->config.mem, &regions);

    for (size_t i = 0; i < n; i++)
        describe_region(b, regions[i], out);
    describe_functions(b, out);
}

void board_list(struct buf *out)
{
    buf_fmt(out, "%s  %s\n", virt_name, virt_doc);
}
