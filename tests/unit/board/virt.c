/* The machine as a whole: its map, device tree, start, wires, timers, saved state. */
#include "tree.h"

enum { MSIP = 0x2000000, MTIMECMP = 0x2004000, MTIME = 0x200bff8, PLIC = 0xc000000 };
enum { UART = 0x10000000, TEST = 0x100000, FW_CFG = 0x10100000 };
enum { FLASH = 0x20000000, FLASH_BANK = 32 << 20 };
enum { ECAM = 0x30000000, PCI_WINDOW = 0x40000000 };
enum { CSR_MIP = 0x344, CSR_STIMECMP = 0x14d };

START_TEST(device_tree)
{
    struct rig r;
    size_t len;
    const void *fdt;

    rig_init(&r);
    r.config.append = "console=ttyS0 quiet";
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    fdt = board_dtb(r.board, &len);
    ck_assert_int_eq(fdt_check_full(fdt, len), 0);
    ck_assert_str_eq(path_of(fdt, "/", "compatible"), "riscv-virtio");
    ck_assert_str_eq(path_of(fdt, "/chosen", "bootargs"), "console=ttyS0 quiet");
    ck_assert_int_ge(fdt_path_offset(fdt, path_of(fdt, "/chosen", "stdout-path")), 0);
    ck_assert(!has(fdt, "/chosen", "linux,initrd-start"));
    int seed_len;
    const void *seed = fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "rng-seed", &seed_len);
    ck_assert(seed && seed_len == 64);
    ck_assert_uint_eq(cells(fdt, "/memory@80000000", "reg"), RAM);
    ck_assert_uint_eq(cell(fdt, "/memory@80000000", "reg", 3), 64 * MIB);
    ck_assert_uint_eq(cell(fdt, "/cpus", "timebase-frequency", 0), 10000000);
    ck_assert_str_eq(path_of(fdt, "/cpus/cpu@1", "riscv,isa-base"), "rv64i");
    ck_assert_str_eq(path_of(fdt, "/cpus/cpu@1", "mmu-type"), "riscv,sv57");
    ck_assert_uint_eq(cell(fdt, "/cpus/cpu@1", "riscv,cboz-block-size", 0), 64);
    ck_assert(strstr(path_of(fdt, "/cpus/cpu@1", "riscv,isa"), "rv64imafdc_"));
    ck_assert_uint_eq(cell(fdt, "/soc/plic@c000000", "riscv,ndev", 0), 96);
    ck_assert_uint_eq(cell(fdt, "/soc/serial@10000000", "interrupts", 0), 10);
    ck_assert_uint_eq(cell(fdt, "/soc/rtc@101000", "interrupts", 0), 11);
    ck_assert_uint_eq(cell(fdt, "/soc/virtio_mmio@10008000", "interrupts", 0), 8);
    ck_assert_uint_eq(cell(fdt, "/soc/virtio_mmio@10001000", "interrupts", 0), 1);
    ck_assert_uint_eq(cell(fdt, "/poweroff", "value", 0), 0x5555);
    ck_assert_str_eq(path_of(fdt, "/flash@20000000", "compatible"), "cfi-flash");
    ck_assert_uint_eq(cell(fdt, "/flash@20000000", "reg", 5), FLASH + FLASH_BANK);
    ck_assert_uint_eq(cell(fdt, "/flash@20000000", "reg", 7), FLASH_BANK);
    ck_assert_uint_eq(cell(fdt, "/flash@20000000", "bank-width", 0), 4);
    ck_assert_str_eq(path_of(fdt, "/fw-cfg@10100000", "compatible"), "qemu,fw-cfg-mmio");
    ck_assert_uint_eq(cell(fdt, "/fw-cfg@10100000", "reg", 3), 24);
    ck_assert_int_lt(fdt_path_offset(fdt, "/cpus/cpu@2"), 0);
    rig_fini(&r);
}
END_TEST

/* Boot loaders change it where it lies: U-Boot puts it right below its own data. */
START_TEST(device_tree_room)
{
    struct rig r;
    size_t len;
    void *fdt;

    rig_init(&r);
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    fdt = mem_host(r.mem, rv_x(r.cpu[0], 11), 1, true);
    board_dtb(r.board, &len);
    ck_assert_uint_eq(fdt_totalsize(fdt), len);
    for (unsigned i = 0; i < 16; i++) {
        char name[32];

        snprintf(name, sizeof name, "glovebox,property-%u", i);
        ck_assert_int_eq(fdt_setprop_u64(fdt, fdt_path_offset(fdt, "/chosen"), name, i), 0);
    }
    ck_assert_int_eq(fdt_check_full(fdt, len), 0);
    rig_fini(&r);
}
END_TEST

/* References lead to the nodes that they mean. */
START_TEST(device_tree_links)
{
    struct rig r;
    size_t len;
    const void *fdt;

    rig_init(&r);
    ck_assert_int_eq(rig_build(&r, "rv64imac_zicbom", NULL), 0);
    fdt = board_dtb(r.board, &len);
    for (unsigned i = 0; i < 2; i++) {
        char intc[64];
        uint32_t phandle;

        snprintf(intc, sizeof intc, "/cpus/cpu@%u/interrupt-controller", i);
        phandle = cell(fdt, intc, "phandle", 0);
        ck_assert_uint_eq(cell(fdt, "/soc/plic@c000000", "interrupts-extended", 4 * (int)i),
                          phandle);
        ck_assert_uint_eq(cell(fdt, "/soc/plic@c000000", "interrupts-extended", 4 * (int)i + 1),
                          11);
        ck_assert_uint_eq(cell(fdt, "/soc/plic@c000000", "interrupts-extended", 4 * (int)i + 3), 9);
        ck_assert_uint_eq(cell(fdt, "/soc/clint@2000000", "interrupts-extended", 4 * (int)i + 2),
                          phandle);
        ck_assert_uint_eq(cell(fdt, "/soc/clint@2000000", "interrupts-extended", 4 * (int)i + 3),
                          7);
    }
    ck_assert_uint_eq(cell(fdt, "/reboot", "regmap", 0),
                      cell(fdt, "/soc/test@100000", "phandle", 0));
    ck_assert_uint_eq(cell(fdt, "/soc/rtc@101000", "interrupt-parent", 0),
                      cell(fdt, "/soc/plic@c000000", "phandle", 0));
    ck_assert_str_eq(path_of(fdt, "/cpus/cpu@0", "riscv,isa-extensions"), "i");
    ck_assert(fdt_stringlist_search(fdt, fdt_path_offset(fdt, "/cpus/cpu@0"),
                                    "riscv,isa-extensions", "zicbom") > 0);
    ck_assert(fdt_stringlist_search(fdt, fdt_path_offset(fdt, "/cpus/cpu@0"),
                                    "riscv,isa-extensions", "f") < 0);
    ck_assert(has(fdt, "/cpus/cpu@0", "riscv,cbom-block-size"));
    ck_assert(!has(fdt, "/cpus/cpu@0", "riscv,cboz-block-size"));
    rig_fini(&r);
}
END_TEST

/* As Linux's binding of "pci-host-ecam-generic" wants it. */
START_TEST(device_tree_pci)
{
    static const char pci[] = "/soc/pci@30000000";
    struct rig r;
    size_t len;
    const void *fdt;

    rig_init(&r);
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    fdt = board_dtb(r.board, &len);
    ck_assert_str_eq(path_of(fdt, pci, "compatible"), "pci-host-ecam-generic");
    ck_assert_str_eq(path_of(fdt, pci, "device_type"), "pci");
    ck_assert_uint_eq(cells(fdt, pci, "reg"), ECAM);
    ck_assert_uint_eq(cell(fdt, pci, "reg", 3), 0x10000000);
    ck_assert_uint_eq(cell(fdt, pci, "bus-range", 1), 255);
    for (int i = 0; i < 3; i++) { /* kinds: ports, 32 bits, 64 bits; above RAM's 16 GiB */
        static const uint32_t want[3][7] = {
            {0x1000000, 0, 0, 0, 0x3000000, 0, 0x10000},
            {0x2000000, 0, PCI_WINDOW, 0, PCI_WINDOW, 0, 0x40000000},
            {0x3000000, 4, 0, 4, 0, 4, 0}};
        for (int c = 0; c < 7; c++)
            ck_assert_uint_eq(cell(fdt, pci, "ranges", 7 * i + c), want[i][c]);
    }
    for (int i = 0; i < 16; i++) {
        int slot = i / 4, pin = i % 4;

        ck_assert_uint_eq(cell(fdt, pci, "interrupt-map", 6 * i), (unsigned)slot << 11);
        ck_assert_uint_eq(cell(fdt, pci, "interrupt-map", 6 * i + 3), (unsigned)pin + 1);
        ck_assert_uint_eq(cell(fdt, pci, "interrupt-map", 6 * i + 4),
                          cell(fdt, "/soc/plic@c000000", "phandle", 0));
        ck_assert_uint_eq(cell(fdt, pci, "interrupt-map", 6 * i + 5),
                          0x20u + (unsigned)(slot + pin) % 4);
    }
    ck_assert_uint_eq(cell(fdt, pci, "interrupt-map-mask", 0), 0x1800);
    ck_assert_uint_eq(cell(fdt, pci, "interrupt-map-mask", 3), 7);
    ck_assert(!has(fdt, pci, "msi-parent")); /* there is nobody for messages */
    rig_fini(&r);
}
END_TEST

START_TEST(start_with_sbi)
{
    uint8_t kernel[100], initrd[5000];
    struct rig r;
    const void *fdt;
    uint64_t at;
    size_t len;

    memset(kernel, 0x11, sizeof kernel);
    memset(initrd, 0x22, sizeof initrd);
    rig_init(&r);
    r.config.kernel = rig_file("kernel", kernel, sizeof kernel);
    r.config.initrd = rig_file("initrd", initrd, sizeof initrd);
    r.config.load_addr = RAM + 0x200000;
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    fdt = board_dtb(r.board, &len);
    ck_assert_uint_eq(r.cpu[0]->pc, RAM + 0x200000);
    ck_assert_uint_eq(rv_x(r.cpu[0], 10), 0);
    ck_assert_uint_eq(rv_of(r.cpu[0])->priv, RV_S);
    at = rv_x(r.cpu[0], 11);
    ck_assert_uint_eq(at, RAM + 62 * MIB);
    ck_assert_mem_eq(mem_host(r.mem, at, len, false), fdt, len);
    ck_assert(!r.cpu[0]->halted && r.cpu[1]->halted);
    ck_assert_uint_eq(rv_of(r.cpu[1])->mie, 0);
    ck_assert_uint_eq(rig_peek(&r, RAM + 0x200063, 2), 0x11);
    at = cells(fdt, "/chosen", "linux,initrd-start");
    ck_assert_uint_eq(at, RAM + 62 * MIB - 8192);
    ck_assert_uint_eq(cells(fdt, "/chosen", "linux,initrd-end"), at + sizeof initrd);
    ck_assert_uint_eq(rig_peek(&r, at + sizeof initrd - 1, 2), 0x22);
    unlink(r.config.kernel);
    unlink(r.config.initrd);
    /* The files are gone: a reboot still gives the same. */
    mem_poke(r.mem, RAM + 0x200000, "garbage", 7);
    mem_poke(r.mem, RAM + 0x300000, "garbage", 7);
    rv_set_x(r.cpu[0], 5, 77);
    ck_assert_int_eq(board_reset(r.board, NULL), 0);
    ck_assert_uint_eq(rig_peek(&r, RAM + 0x200000, 1), 0x11);
    ck_assert_uint_eq(rig_peek(&r, RAM + 0x300000, 8), 0);
    ck_assert_uint_eq(rv_x(r.cpu[0], 5), 0);
    rig_fini(&r);
}
END_TEST

START_TEST(start_with_firmware)
{
    static const uint32_t code[] = {0x297, 0x02828613, 0xf1402573, 0x0202b583, 0x0182b283, 0x28067};
    uint8_t image[64] = {0x13};
    struct rig r;

    rig_init(&r);
    r.config.memory = 4096 * MIB;
    r.config.firmware = rig_file("firmware", image, sizeof image);
    r.config.kernel = rig_file("kernel", image, sizeof image);
    r.config.load_addr = RAM + 0x200000;
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    unlink(r.config.firmware);
    unlink(r.config.kernel);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(r.cpu[i]->pc, 0x1000);
        ck_assert_uint_eq(rv_of(r.cpu[i])->priv, RV_M);
        ck_assert(!r.cpu[i]->halted);
    }
    for (unsigned i = 0; i < ARRAY_LEN(code); i++)
        ck_assert_uint_eq(rig_peek(&r, 0x1000 + 4 * i, 4), code[i]);
    ck_assert_uint_eq(rig_peek(&r, 0x1018, 8), RAM);
    ck_assert_uint_eq(rig_peek(&r, 0x1020, 8), 0xbfe00000); /* below 3 GiB */
    ck_assert_uint_eq(rig_peek(&r, 0x1028, 8), 0x4942534f);
    ck_assert_uint_eq(rig_peek(&r, 0x1030, 8), 2);
    ck_assert_uint_eq(rig_peek(&r, 0x1038, 8), RAM + 0x200000);
    ck_assert_uint_eq(rig_peek(&r, 0x1040, 8), 1);
    ck_assert_uint_eq(rig_peek(&r, RAM, 1), 0x13);
    r.cpu[0]->pc = RAM; /* an ecall to it is a trap, not a call */
    rv_of(r.cpu[0])->priv = RV_S;
    ck_assert(!board_env(r.board)->firmware(r.board, r.cpu[0]));
    rig_fini(&r);
}
END_TEST

/* A disk that cannot be written, of one sector that the test owns. */
static int sector_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    memcpy(buf, (const uint8_t *)opaque + offset, len);
    return 0;
}

static void give_flash(struct rig *r, uint8_t *sector)
{
    r->config.flash[0] =
        (struct dev_disk){.read = sector_read, .opaque = sector, .size = 512, .read_only = true};
    r->config.nflash = 1;
}

/* An item of fw_cfg as a number of 4 bytes, or its first ones. */
static uint32_t fw_cfg(struct rig *r, uint16_t key)
{
    uint64_t v = 0;

    ck_assert(mem_write(r->mem, FW_CFG + 8, 2, (uint16_t)(key << 8 | key >> 8)));
    ck_assert(mem_read(r->mem, FW_CFG, 4, &v));
    return (uint32_t)v;
}

START_TEST(start_from_flash)
{
    uint8_t sector[512] = {0x13, 0x57}, image[64] = {0x13};
    struct rig r;
    size_t len;

    rig_init(&r);
    give_flash(&r, sector);
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(r.cpu[i]->pc, 0x1000);
        ck_assert_uint_eq(rv_of(r.cpu[i])->priv, RV_M);
        ck_assert(!r.cpu[i]->halted);
    }
    ck_assert_uint_eq(rig_peek(&r, 0x1018, 8), FLASH);
    ck_assert_uint_eq(rig_peek(&r, FLASH, 2), 0x5713);
    ck_assert_uint_eq(rig_peek(&r, FLASH + 512, 8), UINT64_MAX);
    ck_assert_uint_eq(rig_peek(&r, FLASH + 2 * FLASH_BANK - 8, 8), UINT64_MAX);
    rv_of(r.cpu[0])->priv = RV_S;
    ck_assert(!board_env(r.board)->firmware(r.board, r.cpu[0])); /* there is no SBI */
    mem_write(r.mem, FLASH + FLASH_BANK, 4, 0x400040);
    mem_write(r.mem, FLASH + FLASH_BANK, 4, 5);
    ck_assert_int_eq(board_reset(r.board, NULL), 0);
    ck_assert_uint_eq(rig_peek(&r, FLASH + FLASH_BANK, 4), 5); /* outlives a reboot */
    rig_fini(&r);

    rig_init(&r); /* behind the firmware, in S-mode */
    give_flash(&r, sector);
    r.config.firmware = rig_file("firmware", image, sizeof image);
    r.config.kernel = r.config.initrd = r.config.firmware;
    r.config.load_addr = RAM + 0x200000;
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    ck_assert_uint_eq(rig_peek(&r, 0x1018, 8), RAM);
    ck_assert_uint_eq(rig_peek(&r, 0x1038, 8), FLASH);
    ck_assert_uint_eq(rig_peek(&r, RAM + 0x200000, 8), 0); /* the kernel is in fw_cfg alone */
    ck_assert_uint_eq(fw_cfg(&r, 0x11), 0x13);
    ck_assert(!has(board_dtb(r.board, &len), "/chosen", "linux,initrd-start"));
    unlink(r.config.firmware);
    rig_fini(&r);

    rig_init(&r); /* with a kernel alone it is there to be used */
    give_flash(&r, sector);
    r.config.kernel = rig_file("kernel", image, sizeof image);
    r.config.load_addr = RAM + 0x200000;
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    ck_assert_uint_eq(r.cpu[0]->pc, RAM + 0x200000);
    ck_assert_uint_eq(rv_of(r.cpu[0])->priv, RV_S);
    unlink(r.config.kernel);
    rig_fini(&r);
}
END_TEST

START_TEST(firmware_configuration)
{
    uint8_t kernel[100] = {0x13}, initrd[5000] = {0x22};
    struct rig r;
    struct err e;

    rig_init(&r);
    r.config.kernel = rig_file("kernel", kernel, sizeof kernel);
    r.config.initrd = rig_file("initrd", initrd, sizeof initrd);
    r.config.append = "a=1";
    r.config.load_addr = RAM + 0x200000;
    r.config.fw_files[0] = (struct board_fw_file){"opt/x", "text", 4};
    r.config.nfw_files = 1;
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    ck_assert_uint_eq(fw_cfg(&r, 0x05), 2);
    ck_assert_uint_eq(fw_cfg(&r, 0x08), sizeof kernel);
    ck_assert_uint_eq(fw_cfg(&r, 0x11), 0x13);
    ck_assert_uint_eq(fw_cfg(&r, 0x0b), sizeof initrd);
    ck_assert_uint_eq(fw_cfg(&r, 0x12), 0x22);
    ck_assert_uint_eq(fw_cfg(&r, 0x14), 4);
    ck_assert_uint_eq(fw_cfg(&r, 0x15), 0x313d61);
    ck_assert_uint_eq(fw_cfg(&r, 0x20), 0x74786574);
    rig_fini(&r);

    rig_init(&r);
    r.config.fw_files[0].name = r.config.fw_files[1].name = "opt/x";
    r.config.nfw_files = 2;
    ck_assert_ptr_null(board_new(&r.config, &e));
    ck_assert_str_eq(e.msg, "fw_cfg file opt/x: there is a file of that name already");
    rig_fini(&r);

    rig_init(&r);
    r.config.nflash = 1;
    r.config.flash[0].size = FLASH_BANK + 512;
    ck_assert_ptr_null(board_new(&r.config, &e));
    ck_assert_str_eq(e.msg, "flash0: 33554944 bytes are more than the bank's 33554432");
    rig_fini(&r);
}
END_TEST

START_TEST(wires)
{
    struct rig r;

    rig_init(&r);
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    mem_write(r.mem, MSIP + 4, 4, 1);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), BIT(RV_IRQ_MSI));
    mem_write(r.mem, MSIP + 4, 4, 0);
    mem_write(r.mem, MTIMECMP + 8, 8, 50);
    rig_until(&r, 4999);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), 0);
    rig_until(&r, 5000);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), BIT(RV_IRQ_MTI));
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), 0);
    mem_write(r.mem, PLIC + 4 * 10, 4, 1);
    mem_write(r.mem, PLIC + 0x2080, 4, 1 << 10); /* the UART to hart 0, S */
    mem_write(r.mem, UART + 1, 1, 1);
    r.waiting = "k";
    board_poll(r.board);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), BIT(RV_IRQ_SEI));
    mem_write(r.mem, PLIC + 0x2080, 4, 0);
    mem_write(r.mem, PLIC + 0x2100, 4, 1 << 10); /* to hart 1, M */
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), 0);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), BIT(RV_IRQ_MTI) | BIT(RV_IRQ_MEI));
    ck_assert_uint_gt(r.changes, 0);
    ck_assert_int_eq(board_reset(r.board, NULL), 0);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), 0);
    rig_fini(&r);
}
END_TEST

START_TEST(supervisor_timer)
{
    struct rig r;
    uint64_t old;

    rig_init(&r);
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    r.now = 1000;
    ck_assert_uint_eq(rig_csr(&r, 0, 0xc01), 10);
    rv_csr_access(rv_of(r.cpu[0]), CSR_STIMECMP, RV_CSR_RW, true, 100, &old);
    rig_until(&r, 9999);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), 0);
    rig_until(&r, 10000);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), BIT(RV_IRQ_STI));
    rv_csr_access(rv_of(r.cpu[0]), CSR_STIMECMP, RV_CSR_RW, true, 500, &old);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), 0);
    mem_write(r.mem, MTIME, 8, 490); /* time jumps forward */
    rig_until(&r, 10999);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), 0);
    rig_until(&r, 11000);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), BIT(RV_IRQ_STI));
    mem_write(r.mem, MTIME, 8, 0); /* and back */
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), 0);
    rig_fini(&r);
}
END_TEST

START_TEST(finisher)
{
    struct rig r;

    rig_init(&r);
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    r.cpu[0]->leave = 0;
    mem_write(r.mem, TEST, 4, 0x00053333);
    ck_assert(r.end == BOARD_FAILED && r.code == 5 && r.cpu[0]->leave);
    mem_write(r.mem, TEST, 4, 0x5555);
    ck_assert(r.end == BOARD_POWEROFF && r.code == 0);
    mem_write(r.mem, TEST, 4, 0x7777);
    ck_assert(r.end == BOARD_REBOOT && r.ends == 3);
    rig_fini(&r);
}
END_TEST

static void ecam_write(struct rig *r, unsigned slot, unsigned reg, unsigned size, uint32_t v)
{
    ck_assert(mem_write(r->mem, ECAM + slot * 0x8000 + reg, size, v));
}

static uint64_t ecam_read(struct rig *r, unsigned slot, unsigned reg)
{
    uint64_t v = 0;

    ck_assert(mem_read(r->mem, ECAM + slot * 0x8000 + reg, 4, &v));
    return v;
}

/* Entropy is in the only slot: its BAR where the guest puts it, its wire to the PLIC. */
START_TEST(virtio_on_pci)
{
    const uint64_t bar = PCI_WINDOW + 0x100000;
    uint64_t v = 0;
    struct rig r;

    rig_init(&r);
    r.config.virtio = BOARD_VIRTIO_PCI;
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    for (unsigned slot = 0; slot < 8; slot++) { /* of virtio-mmio */
        ck_assert(mem_read(r.mem, UART + 0x1000 * (slot + 1) + 8, 4, &v));
        ck_assert_uint_eq(v, 0);
    }
    ck_assert_uint_eq(ecam_read(&r, 0, 0), 0x00081b36);
    ck_assert_uint_eq(ecam_read(&r, 1, 0), 0x10441af4);
    ck_assert_uint_eq(ecam_read(&r, 2, 0), UINT32_MAX);
    ck_assert_uint_eq(ecam_read(&r, 1, 0x34), 0x40); /* no MSI-X: the first is virtio's */
    ck_assert_uint_eq(ecam_read(&r, 1, 0x40) & 0xff, 9);
    ecam_write(&r, 1, 0x20, 4, (uint32_t)bar);
    ecam_write(&r, 1, 4, 2, 6);
    ck_assert(mem_read(r.mem, bar + 0x12, 2, &v));
    ck_assert_uint_eq(v, 1);
    mem_write(r.mem, PLIC + 4 * 0x21, 4, 1);
    mem_write(r.mem, PLIC + 0x2080 + 4, 4, BIT(1));
    ck_assert(mem_write(r.mem, bar + 0x14, 1, 15)); /* running, then a ring at 0: it breaks */
    ck_assert(mem_write(r.mem, bar + 0x1c, 2, 1));
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), BIT(RV_IRQ_SEI));
    ck_assert(mem_read(r.mem, bar + 0x1000, 1, &v));
    ck_assert_uint_eq(v, 2);
    ck_assert_int_eq(board_reset(r.board, NULL), 0);
    ck_assert_uint_eq(ecam_read(&r, 1, 4), 0x100000);
    ck_assert_uint_eq(ecam_read(&r, 1, 0x20), 0xc);
    rig_fini(&r);
}
END_TEST

/* A loaded state goes on as the saved one would have. */
START_TEST(state)
{
    struct rig r, q;
    uint64_t old;

    rig_init(&r);
    r.config.virtio = BOARD_VIRTIO_PCI;
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    rig_until(&r, 12345);
    ecam_write(&r, 1, 0x20, 4, PCI_WINDOW);
    ecam_write(&r, 1, 4, 2, 2);
    rv_csr_access(rv_of(r.cpu[0]), CSR_STIMECMP, RV_CSR_RW, true, 500, &old);
    mem_write(r.mem, MTIMECMP + 8, 8, 600);
    mem_write(r.mem, PLIC + 4 * 10, 4, 1);
    rig_init(&q);
    q.config.virtio = BOARD_VIRTIO_PCI;
    ck_assert_int_eq(rig_build(&q, NULL, NULL), 0);
    q.now = r.now;
    rig_copy_state(&r, &q);
    ck_assert_uint_eq(clock_next(&q.clock), 50000);
    ck_assert(mem_read(q.mem, PCI_WINDOW + 0x12, 2, &old) && old == 1);
    rig_until(&q, 60000);
    ck_assert_uint_eq(rig_csr(&q, 1, CSR_MIP), BIT(RV_IRQ_MTI));
    rig_fini(&q);
    rig_fini(&r);
}
END_TEST

START_TEST(bad_configs)
{
    static const struct {
        const char *machine;
        unsigned ncpus;
        uint64_t memory, timebase;
        const char *initrd, *why;
    } bad[] = {
        {"pc", 1, 64 << 20, 1, NULL, "pc: there is no such machine; there is: virt"},
        {"virt", 0, 64 << 20, 1, NULL, "1 to 8 CPUs, not 0"},
        {"virt", 9, 64 << 20, 1, NULL, "1 to 8 CPUs, not 9"},
        {"virt", 1, 1 << 20, 1, NULL, "8 MiB to 1 TiB"},
        {"virt", 1, UINT64_MAX, 1, NULL, "8 MiB to 1 TiB"},
        {"virt", 1, (8 << 20) + 1, 1, NULL, "8 MiB to 1 TiB"},
        {"virt", 1, 64 << 20, 0, NULL, "the time base"},
        {"virt", 1, 64 << 20, 1, "/nonexistent", "there is no kernel"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct rig r;
        struct err e = {0};

        rig_init(&r);
        r.config.machine = bad[i].machine;
        r.config.ncpus = bad[i].ncpus;
        r.config.memory = bad[i].memory;
        r.config.timebase = bad[i].timebase;
        r.config.initrd = bad[i].initrd;
        ck_assert_ptr_null(board_new(&r.config, &e));
        ck_assert_msg(strstr(e.msg, bad[i].why), "%s", e.msg);
        rig_fini(&r);
    }
}
END_TEST

START_TEST(described)
{
    struct buf out = BUF_INIT;
    struct dev *const *devs;
    struct rig r;

    rig_init(&r);
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    ck_assert_uint_eq(board_devices(r.board, &devs), 17);
    board_describe(r.board, &out);
    ck_assert_msg(strstr(out.data, "000010000000-000010000fff  uart0     ns16550a: serial port\n"),
                  "%s", out.data);
    ck_assert_msg(strstr(out.data, "000080000000-000083ffffff  ram       RAM, 65536 KiB\n"), "%s",
                  out.data);
    ck_assert_msg(strstr(out.data, "000022000000-000023ffffff  flash1    cfi-flash: "), "%s",
                  out.data);
    ck_assert_msg(strstr(out.data, "000400000000-0007ffffffff  pcie-64   window to PCI"), "%s",
                  out.data);
    ck_assert(!strstr(out.data, "1af4"));
    rig_fini(&r);
    rig_init(&r);
    r.config.virtio = BOARD_VIRTIO_PCI;
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    buf_reset(&out);
    board_describe(r.board, &out);
    ck_assert_msg(strstr(out.data, "PCI 00:00.0, 1b36:0008     pcie      pci-host-ecam-generic: "),
                  "%s", out.data);
    ck_assert_msg(strstr(out.data, "PCI 00:01.0, 1af4:1044     pci1      virtio-rng: entropy\n"),
                  "%s", out.data);
    buf_reset(&out);
    board_list(&out);
    ck_assert(!strncmp(out.data, "virt  ", 6));
    buf_fini(&out);
    rig_fini(&r);
}
END_TEST

UNIT_MAIN("board/virt", device_tree, device_tree_room, device_tree_links, device_tree_pci,
          start_with_sbi, start_with_firmware, start_from_flash, firmware_configuration, wires,
          supervisor_timer, finisher, virtio_on_pci, state, bad_configs, described)
