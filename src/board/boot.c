/* boot.c - what is loaded into "virt", where, and how its harts start. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "board/virt.h"

#define FDT_ALIGN (UINT64_C(2) << 20)
#define FDT_LIMIT (UINT64_C(3) << 30) /* below this, so that 32-bit code can reach it */

int boot_load(struct board *b, struct err *e)
{
    const struct board_config *c = &b->config;
    struct load_place firmware = b->place;
    uint64_t tohost;
    int rc = 0;

    firmware.raw_addr = b->place.ram_base;
    firmware.always_raw = true;
    if (c->firmware)
        rc = load_program(&b->firmware, "firmware", c->firmware, &firmware, e);
    if (!rc && c->kernel)
        rc = load_program(&b->kernel, "kernel", c->kernel, &b->place, e);
    if (!rc && c->initrd)
        rc = load_file(&b->initrd, "initrd", c->initrd, b->place.ram_size, e);
    b->bare = !rc && !c->firmware && (c->bare || load_symbol(&b->kernel, "tohost", &tohost));
    b->flashed = c->nflash && (c->firmware || !c->kernel);
    if (b->flashed)
        b->kernel.segs.len = 0; /* it waits in fw_cfg */
    return rc;
}

void boot_fini(struct board *b)
{
    load_fini(&b->firmware);
    load_fini(&b->kernel);
    load_fini(&b->initrd);
    load_fini(&b->dtb);
}

/* The device tree lies at the top of RAM or of 3 GiB, the initrd right below it. */
static int place(struct board *b, struct err *e)
{
    struct load_image *images[] = {&b->firmware, &b->kernel, &b->initrd, &b->dtb};
    uint64_t base = b->place.ram_base, top = base + b->place.ram_size, dtb;

    if (top > FDT_LIMIT)
        top = FDT_LIMIT;
    dtb = (top - b->dtb.len) & ~(FDT_ALIGN - 1);
    if (b->dtb.len > top - base || dtb < base)
        return err_set(e, EINVAL, "the device tree of %zu bytes does not fit into RAM", b->dtb.len);
    load_at(&b->dtb, dtb);
    if (b->initrd.data && !b->flashed) {
        if (b->initrd.len > dtb - base)
            return err_set(e, EINVAL, "initrd %s: %zu bytes do not fit into RAM", b->initrd.path,
                           b->initrd.len);
        load_at(&b->initrd, (dtb - b->initrd.len) & ~MEM_PAGE_MASK);
    }
    return load_check(images, ARRAY_LEN(images), &b->place, e);
}

/* Made once: twice, as its size is what places the initrd that it names. */
static int make_dtb(struct board *b, struct err *e)
{
    int rc;

    b->dtb.role = "device tree";
    rc = virt_fdt(b, &b->dtb.data, &b->dtb.len, e);
    if (!rc)
        rc = place(b, e);
    if (!rc) {
        free(b->dtb.data);
        b->dtb.data = NULL;
        rc = virt_fdt(b, &b->dtb.data, &b->dtb.len, e);
    }
    if (!rc)
        load_at(&b->dtb, b->dtb.segs.data[0].addr);
    else
        load_fini(&b->dtb);
    return rc;
}

/*
 * What QEMU has at 0x1000: enters the firmware, or flash in its place, with a0 hartid, a1 device
 * tree, a2 struct fw_dynamic_info (OpenSBI, include/sbi/fw_dynamic.h).
 */
static void put_reset_rom(struct board *b, uint64_t dtb)
{
    enum { NEXT_S_MODE = 1 };
    static const uint32_t code[] = {
        0x00000297, /* auipc t0, 0 */
        0x02828613, /* addi a2, t0, 0x28 */
        0xf1402573, /* csrr a0, mhartid */
        0x0202b583, /* ld a1, 0x20(t0) */
        0x0182b283, /* ld t0, 0x18(t0) */
        0x00028067, /* jr t0 */
    };
    uint64_t flash = virt_map[VIRT_FLASH].base, kernel = b->kernel.data ? b->kernel.entry : 0;
    uint64_t next = b->flashed ? flash : kernel;
    const uint64_t data[] = {
        b->firmware.data ? b->firmware.entry : flash,
        dtb,                  /* 0x18, 0x20 */
        UINT64_C(0x4942534f), /* 0x28: "OSBI" */
        2,                    /* version of the struct */
        next,
        NEXT_S_MODE,
        0, /* options */
        0, /* the hart to boot on */
    };
    uint64_t rom = virt_map[VIRT_ROM].base;

    mem_poke(b->config.mem, rom, code, sizeof code);
    mem_poke(b->config.mem, rom + sizeof code, data, sizeof data);
}

/* A program of its own, in M-mode. */
static void start_bare(struct board *b, uint64_t dtb)
{
    enum { A0 = 10, A1 = 11 };

    for (unsigned i = 0; i < b->attached; i++) {
        struct cpu *c = b->hart[i].cpu;

        c->pc = b->kernel.entry;
        rv_set_x(c, A0, i);
        rv_set_x(c, A1, dtb);
    }
}

static void start_firmware(struct board *b, uint64_t dtb)
{
    put_reset_rom(b, dtb);
    for (unsigned i = 0; i < b->attached; i++)
        b->hart[i].cpu->pc = virt_map[VIRT_ROM].base;
}

int boot_start(struct board *b, struct err *e)
{
    int rc = b->dtb.data ? 0 : make_dtb(b, e);
    uint64_t dtb;

    if (rc)
        return rc;
    dtb = b->dtb.segs.data[0].addr;
    load_put(&b->firmware, b->config.mem);
    load_put(&b->kernel, b->config.mem);
    load_put(&b->initrd, b->config.mem);
    load_put(&b->dtb, b->config.mem);
    if (b->config.firmware || b->flashed)
        start_firmware(b, dtb);
    else if (b->bare)
        start_bare(b, dtb);
    else
        sbi_reset(b, b->kernel.data ? b->kernel.entry : b->place.ram_base, dtb);
    return 0;
}
