/*
 * fdt.c - the device tree of "virt".
 *
 * Devicetree Specification 0.4, and the bindings in Linux's
 * Documentation/devicetree/bindings.  Nothing in it depends on the host.
 */
#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "board/virt.h"
#include "dev/fw_cfg.h"

#define ROOM         65536      /* for everything but the command line */
#define SIZE_MAX_FDT (2u << 20) /* Linux maps no more */
#define SLACK        4096       /* free, for boot loaders that change the tree where it is */

/* PHANDLE_IRQ is the controller that devices are wired to.  S-mode's IMSIC follows M-mode's. */
enum {
    PHANDLE_IRQ = 1,
    PHANDLE_TEST = 2,
    PHANDLE_APLIC_M = 3,
    PHANDLE_IMSIC = 4,
    PHANDLE_CPU = 0x10,
    PHANDLE_INTC = 0x20
};

/* The second cell of an APLIC's interrupt. */
enum { IRQ_LEVEL_HIGH = 4 };

/* The tree while it is written; the first error stays. */
struct tree {
    struct board *board;
    void *fdt;
    int status;
};

static void check(struct tree *t, int rc)
{
    if (!t->status)
        t->status = rc;
}

static void begin(struct tree *t, const char *name)
{
    check(t, fdt_begin_node(t->fdt, name));
}

static void begin_at(struct tree *t, const char *name, uint64_t addr)
{
    char full[64];

    snprintf(full, sizeof full, "%s@%" PRIx64, name, addr);
    begin(t, full);
}

static void end(struct tree *t)
{
    check(t, fdt_end_node(t->fdt));
}

static void str(struct tree *t, const char *name, const char *value)
{
    check(t, fdt_property_string(t->fdt, name, value));
}

static void u32(struct tree *t, const char *name, uint32_t value)
{
    check(t, fdt_property_u32(t->fdt, name, value));
}

static void u64(struct tree *t, const char *name, uint64_t value)
{
    check(t, fdt_property_u64(t->fdt, name, value));
}

static void bytes(struct tree *t, const char *name, const void *data, size_t len)
{
    check(t, fdt_property(t->fdt, name, data, (int)len));
}

static void flag(struct tree *t, const char *name)
{
    bytes(t, name, NULL, 0);
}

#define CELLS 112 /* in one property: interrupts for four slots of PCI */

static void cells(struct tree *t, const char *name, const uint32_t *values, size_t n)
{
    fdt32_t be[CELLS];

    for (size_t i = 0; i < n; i++)
        be[i] = cpu_to_fdt32(values[i]);
    bytes(t, name, be, n * sizeof *be);
}

/* Two cells each for the base and the size. */
static void reg(struct tree *t, uint64_t base, uint64_t size)
{
    fdt64_t be[2] = {cpu_to_fdt64(base), cpu_to_fdt64(size)};

    bytes(t, "reg", be, sizeof be);
}

static void cell_sizes(struct tree *t, uint32_t address, uint32_t size)
{
    u32(t, "#address-cells", address);
    u32(t, "#size-cells", size);
}

/* ---- CPUs ---- */

/* "rv64imafdc_zba_zbb" as a list of strings: i m a f d c zba zbb. */
static void isa_extensions(struct tree *t, const char *isa)
{
    struct buf list = BUF_INIT;
    const char *p = isa + strcspn(isa, "0123456789");

    p += strspn(p, "0123456789");
    for (; *p && *p != '_'; p++) {
        buf_ch(&list, *p);
        buf_ch(&list, 0);
    }
    while (*p++ == '_') {
        size_t len = strcspn(p, "_");
        buf_add(&list, p, len);
        buf_ch(&list, 0);
        p += len;
    }
    bytes(t, "riscv,isa-extensions", list.data, list.len);
    buf_fini(&list);
}

static void cpu_node(struct tree *t, const struct board_hart *h)
{
    uint32_t ext = rv_of(h->cpu)->ext;
    struct buf isa = BUF_INIT;

    rv_isa_string(h->cpu, &isa);
    begin_at(t, "cpu", h->index);
    u32(t, "phandle", PHANDLE_CPU + h->index);
    str(t, "device_type", "cpu");
    u32(t, "reg", h->index);
    str(t, "status", "okay");
    str(t, "compatible", "riscv");
    str(t, "riscv,isa", isa.data);
    str(t, "riscv,isa-base", "rv64i");
    isa_extensions(t, isa.data);
    str(t, "mmu-type", "riscv,sv57");
    if (ext & RV_EXT(ZICBOM))
        u32(t, "riscv,cbom-block-size", RV_CBO_BYTES);
    if (ext & RV_EXT(ZICBOP))
        u32(t, "riscv,cbop-block-size", RV_CBO_BYTES);
    if (ext & RV_EXT(ZICBOZ))
        u32(t, "riscv,cboz-block-size", RV_CBO_BYTES);
    begin(t, "interrupt-controller");
    u32(t, "#interrupt-cells", 1);
    flag(t, "interrupt-controller");
    str(t, "compatible", "riscv,cpu-intc");
    u32(t, "phandle", PHANDLE_INTC + h->index);
    end(t);
    end(t);
    buf_fini(&isa);
}

static void cpus_node(struct tree *t)
{
    struct board *b = t->board;
    char name[16];

    begin(t, "cpus");
    cell_sizes(t, 1, 0);
    u32(t, "timebase-frequency", (uint32_t)b->config.timebase);
    for (unsigned i = 0; i < b->attached; i++)
        cpu_node(t, &b->hart[i]);
    begin(t, "cpu-map");
    begin(t, "cluster0");
    for (unsigned i = 0; i < b->attached; i++) {
        snprintf(name, sizeof name, "core%u", i);
        begin(t, name);
        u32(t, "cpu", PHANDLE_CPU + i);
        end(t);
    }
    end(t);
    end(t);
    end(t);
}

/* For firmware: cycles (1) and instructions (2) by their own and by all event counters. */
static void pmu_node(struct tree *t)
{
    static const uint32_t map[] = {1, 1, 0xfffffff9, 2, 2, 0xfffffffc};

    begin(t, "pmu");
    str(t, "compatible", "riscv,pmu");
    cells(t, "riscv,event-to-mhpmcounters", map, ARRAY_LEN(map));
    end(t);
}

/* ---- devices ---- */

/* Wires into each hart: of one interrupt of its own, or of two. */
static void hart_wires(struct tree *t, uint32_t first, uint32_t second)
{
    uint32_t wires[4 * BOARD_CPUS];
    unsigned n = 0;

    for (unsigned i = 0; i < t->board->attached; i++) {
        wires[n++] = PHANDLE_INTC + i;
        wires[n++] = first;
        if (second) {
            wires[n++] = PHANDLE_INTC + i;
            wires[n++] = second;
        }
    }
    cells(t, "interrupts-extended", wires, n);
}

/* The wire of a device. */
static void interrupt(struct tree *t, uint32_t irq)
{
    const uint32_t level[] = {irq, IRQ_LEVEL_HIGH};

    u32(t, "interrupt-parent", PHANDLE_IRQ);
    cells(t, "interrupts", level, t->board->plic ? 1 : 2);
}

/* A device node without its end: name, window, and the interrupt if it has one. */
static void device(struct tree *t, const char *name, enum virt_place place, unsigned slot,
                   uint64_t size)
{
    const struct virt_range *r = &virt_map[place];
    uint64_t base = r->base + slot * r->size;

    begin_at(t, name, base);
    reg(t, base, size ? size : r->size);
    if (r->irq)
        interrupt(t, virt_irq(place, slot));
}

static void plic_node(struct tree *t)
{
    static const char plic[] = "sifive,plic-1.0.0\0riscv,plic0";

    device(t, "plic", VIRT_PLIC, 0, 0);
    bytes(t, "compatible", plic, sizeof plic);
    u32(t, "phandle", PHANDLE_IRQ);
    u32(t, "riscv,ndev", SOURCES);
    flag(t, "interrupt-controller");
    u32(t, "#interrupt-cells", 1);
    u32(t, "#address-cells", 0);
    hart_wires(t, RV_IRQ_MEI, RV_IRQ_SEI);
    end(t);
}

/* The external interrupts of a level; firmware keeps M-mode's from whom it starts. */
static void level_props(struct tree *t, enum virt_level level, bool wired)
{
    if (wired)
        hart_wires(t, level == VIRT_M ? RV_IRQ_MEI : RV_IRQ_SEI, 0);
    if (level == VIRT_M && board_has_sbi(t->board))
        str(t, "status", "disabled");
}

static void imsic_node(struct tree *t, enum virt_level level)
{
    static const char imsics[] = "qemu,imsics\0riscv,imsics";

    device(t, "interrupt-controller", VIRT_IMSIC + level, 0,
           (uint64_t)t->board->attached * IMSIC_PAGE);
    bytes(t, "compatible", imsics, sizeof imsics);
    u32(t, "phandle", PHANDLE_IMSIC + level);
    flag(t, "interrupt-controller");
    u32(t, "#interrupt-cells", 0);
    flag(t, "msi-controller");
    u32(t, "#msi-cells", 0);
    u32(t, "riscv,num-ids", IMSIC_IDS);
    level_props(t, level, true);
    end(t);
}

static void aplic_node(struct tree *t, enum virt_level level)
{
    static const char aplic[] = "qemu,aplic\0riscv,aplic";
    static const uint32_t delegation[] = {PHANDLE_IRQ, 1, SOURCES};

    device(t, "interrupt-controller", VIRT_APLIC + level, 0, 0);
    bytes(t, "compatible", aplic, sizeof aplic);
    u32(t, "phandle", level == VIRT_M ? PHANDLE_APLIC_M : PHANDLE_IRQ);
    flag(t, "interrupt-controller");
    u32(t, "#interrupt-cells", 2);
    u32(t, "#address-cells", 0);
    u32(t, "riscv,num-sources", SOURCES);
    if (level == VIRT_M) {
        u32(t, "riscv,children", PHANDLE_IRQ);
        cells(t, "riscv,delegation", delegation, ARRAY_LEN(delegation));
    }
    if (t->board->imsic[level])
        u32(t, "msi-parent", PHANDLE_IMSIC + level);
    level_props(t, level, !t->board->imsic[level]);
    end(t);
}

static void interrupt_nodes(struct tree *t)
{
    static const char clint[] = "sifive,clint0\0riscv,clint0";

    for (enum virt_level i = VIRT_M; i < VIRT_LEVELS; i++) {
        if (t->board->imsic[i])
            imsic_node(t, i);
        if (t->board->aplic[i])
            aplic_node(t, i);
    }
    if (t->board->plic)
        plic_node(t);

    device(t, "clint", VIRT_CLINT, 0, 0);
    bytes(t, "compatible", clint, sizeof clint);
    hart_wires(t, RV_IRQ_MSI, RV_IRQ_MTI);
    end(t);
}

/* What QEMU has beside the bus. */
static void flash_and_fw_cfg_nodes(struct tree *t)
{
    const struct virt_range *r = &virt_map[VIRT_FLASH];
    fdt64_t banks[2 * BOARD_FLASH];

    for (unsigned i = 0; i < BOARD_FLASH; i++) {
        banks[2 * i] = cpu_to_fdt64(r->base + i * r->size);
        banks[2 * i + 1] = cpu_to_fdt64(r->size);
    }
    begin_at(t, "flash", r->base);
    str(t, "compatible", "cfi-flash");
    bytes(t, "reg", banks, sizeof banks);
    u32(t, "bank-width", 4);
    end(t);

    device(t, "fw-cfg", VIRT_FW_CFG, 0, FW_CFG_SIZE);
    str(t, "compatible", "qemu,fw-cfg-mmio");
    flag(t, "dma-coherent");
    end(t);
}

static void chip_nodes(struct tree *t)
{
    static const char test[] = "sifive,test1\0sifive,test0\0syscon";

    device(t, "test", VIRT_TEST, 0, 0);
    bytes(t, "compatible", test, sizeof test);
    u32(t, "phandle", PHANDLE_TEST);
    end(t);

    device(t, "rtc", VIRT_RTC, 0, 0);
    str(t, "compatible", "google,goldfish-rtc");
    end(t);

    device(t, "serial", VIRT_UART, 0, 0x100);
    str(t, "compatible", "ns16550a");
    u32(t, "clock-frequency", UART16550_CLOCK);
    end(t);

    for (unsigned i = 0; i < t->board->slots; i++) {
        device(t, "virtio_mmio", VIRT_VIRTIO, i, 0);
        str(t, "compatible", "virtio,mmio");
        end(t);
    }
}

/* PCI Bus Binding to IEEE 1275: kinds of space in an address's first cell, whose bits 15 to 11 are
 * the slot. */
enum { PCI_SPACE_IO = 0x1000000, PCI_SPACE_32 = 0x2000000, PCI_SPACE_64 = 0x3000000 };
enum { PCI_SLOT_SHIFT = 11, PCI_PINS = 4, PCI_PIN_MASK = 7 };

/* The interrupts repeat after four slots.  A wire has as many cells as in interrupt(). */
static void pcie_interrupts(struct tree *t)
{
    static const uint32_t mask[] = {(PCIE_WIRES - 1) << PCI_SLOT_SHIFT, 0, 0, PCI_PIN_MASK};
    uint32_t map[CELLS], *c = map;

    for (unsigned slot = 0; slot < PCIE_WIRES; slot++)
        for (unsigned pin = 0; pin < PCI_PINS; pin++) {
            *c++ = slot << PCI_SLOT_SHIFT;
            *c++ = 0;
            *c++ = 0;
            *c++ = pin + 1;
            *c++ = PHANDLE_IRQ;
            *c++ = virt_irq(VIRT_PCIE, pcie_host_wire(slot, pin));
            if (!t->board->plic)
                *c++ = IRQ_LEVEL_HIGH;
        }
    cells(t, "interrupt-map", map, (size_t)(c - map));
    cells(t, "interrupt-map-mask", mask, ARRAY_LEN(mask));
    u32(t, "#interrupt-cells", 1);
}

/* A range: address on the bus (the space first), address outside, size. */
static uint32_t *pcie_range(uint32_t *c, uint32_t space, uint64_t at, const struct virt_range *r)
{
    const uint64_t values[] = {at, r->base, r->size};

    *c++ = space;
    for (unsigned i = 0; i < ARRAY_LEN(values); i++) {
        *c++ = (uint32_t)(values[i] >> 32);
        *c++ = (uint32_t)values[i];
    }
    return c;
}

static void pcie_node(struct tree *t)
{
    const struct virt_range *ecam = &virt_map[VIRT_PCIE], *mem = &virt_map[VIRT_PCIE_MEM];
    const struct virt_range high = virt_pcie_high(t->board);
    const uint32_t buses[] = {0, (uint32_t)(ecam->size >> 20) - 1};
    uint32_t ranges[CELLS], *c = ranges;

    c = pcie_range(c, PCI_SPACE_IO, 0, &virt_map[VIRT_PCIE_IO]);
    c = pcie_range(c, PCI_SPACE_32, mem->base, mem);
    c = pcie_range(c, PCI_SPACE_64, high.base, &high);
    begin_at(t, "pci", ecam->base);
    str(t, "compatible", "pci-host-ecam-generic");
    str(t, "device_type", "pci");
    reg(t, ecam->base, ecam->size);
    cell_sizes(t, 3, 2);
    cells(t, "ranges", ranges, (size_t)(c - ranges));
    cells(t, "bus-range", buses, ARRAY_LEN(buses));
    u32(t, "linux,pci-domain", 0);
    flag(t, "dma-coherent");
    if (t->board->msi.send)
        u32(t, "msi-parent", PHANDLE_IMSIC + VIRT_S);
    pcie_interrupts(t);
    end(t);
}

/* A store to the test device that ends the machine. */
static void syscon_node(struct tree *t, const char *name, const char *compatible, uint32_t value)
{
    begin(t, name);
    str(t, "compatible", compatible);
    u32(t, "regmap", PHANDLE_TEST);
    u32(t, "offset", 0);
    u32(t, "value", value);
    end(t);
}

/* ---- the rest ---- */

static void memory_node(struct tree *t)
{
    begin_at(t, "memory", t->board->place.ram_base);
    str(t, "device_type", "memory");
    reg(t, t->board->place.ram_base, t->board->place.ram_size);
    end(t);
}

/* What the kernel's generator starts from: without it, it is not ready for long, and then costs each
 * system call dearly.  It follows from the seed alone, so that the guest is the same each time, but is
 * no part of the entropy device's bytes. */
static void rng_seed(struct tree *t)
{
    const uint8_t *seed = t->board->config.seed;
    uint8_t entropy[64];

    for (unsigned i = 0; i < sizeof entropy / 8; i++)
        bits_store_le(entropy + 8 * i, 8,
                      bits_mix(bits_hash(seed, sizeof t->board->config.seed, i + 1)));
    bytes(t, "rng-seed", entropy, sizeof entropy);
}

static void chosen_node(struct tree *t)
{
    const struct load_image *initrd = &t->board->initrd;
    uint64_t at = initrd->segs.len ? initrd->segs.data[0].addr : 0;
    char serial[64];

    snprintf(serial, sizeof serial, "/soc/serial@%" PRIx64, virt_map[VIRT_UART].base);
    begin(t, "chosen");
    str(t, "stdout-path", serial);
    if (t->board->config.append)
        str(t, "bootargs", t->board->config.append);
    if (initrd->data && !t->board->flashed) {
        u64(t, "linux,initrd-start", at);
        u64(t, "linux,initrd-end", at + initrd->len);
    }
    rng_seed(t);
    end(t);
}

static void root(struct tree *t)
{
    begin(t, "");
    cell_sizes(t, 2, 2);
    str(t, "compatible", "riscv-virtio");
    str(t, "model", "riscv-virtio,glovebox");
    chosen_node(t);
    memory_node(t);
    cpus_node(t);
    pmu_node(t);
    syscon_node(t, "poweroff", "syscon-poweroff", 0x5555);
    syscon_node(t, "reboot", "syscon-reboot", 0x7777);
    if (t->board->htif) {
        begin(t, "htif");
        str(t, "compatible", "ucb,htif0");
        end(t);
    }
    begin(t, "soc");
    cell_sizes(t, 2, 2);
    str(t, "compatible", "simple-bus");
    flag(t, "ranges");
    interrupt_nodes(t);
    chip_nodes(t);
    pcie_node(t);
    end(t);
    flash_and_fw_cfg_nodes(t);
    end(t);
}

int virt_fdt(struct board *b, void **dtb, size_t *len, struct err *e)
{
    size_t size = ROOM + (b->config.append ? strlen(b->config.append) : 0);
    struct tree t = {.board = b};

    if (size > SIZE_MAX_FDT - SLACK)
        return err_set(e, EINVAL, "the kernel command line is too long: %zu bytes", size - ROOM);
    t.fdt = calloc(1, size + SLACK);
    if (!t.fdt)
        return err_set(e, ENOMEM, "no memory for the device tree");
    check(&t, fdt_create(t.fdt, (int)size));
    check(&t, fdt_finish_reservemap(t.fdt));
    root(&t);
    check(&t, fdt_finish(t.fdt));
    if (!t.status)
        check(&t, fdt_open_into(t.fdt, t.fdt, (int)(fdt_totalsize(t.fdt) + SLACK)));
    if (t.status) {
        free(t.fdt);
        return err_set(e, EINVAL, "device tree: %s", fdt_strerror(t.status));
    }
    *dtb = t.fdt;
    *len = fdt_totalsize(t.fdt);
    return 0;
}
