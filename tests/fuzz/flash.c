/*
 * flash.c - where firmware comes from: banks of flash, with disks that are short, read only or
 * fail, and the firmware's configuration.
 */
#include <errno.h>

#include "dev/fw_cfg.h"
#include "dev/pflash.h"
#include "tests/fuzz/rig.h"

enum { FW_CFG, FLASH }; /* the devices */

/* Memory for transfers of many pieces. */
#define BIG      UINT64_C(0xc0000000)
#define BIG_SIZE (UINT64_C(9) << 20)

#define DISK_SIZE (PFLASH_BLOCK + 5 * 512)

struct own {
    bool chosen, has_disk, read_only, fails;
    uint8_t disk[DISK_SIZE];
};

static const uint8_t item[5000] = {1, 2, 3};

/* ---- the disk ---- */

static void check(uint64_t offset, uint64_t len)
{
    FUZZ_CHECK(offset <= DISK_SIZE && len <= DISK_SIZE - offset && offset % 512 == 0,
               "%" PRIu64 " bytes at %" PRIu64, len, offset);
}

static int disk_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
    const struct own *o = ((struct rig *)opaque)->own;

    check(offset, len);
    memcpy(buf, o->disk + offset, len);
    return 0;
}

static int disk_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
    struct own *o = ((struct rig *)opaque)->own;

    check(offset, len);
    FUZZ_CHECK(!o->read_only, "a write");
    if (o->fails)
        return -EIO;
    memcpy(o->disk + offset, buf, len);
    rig_see(opaque, "disk", bits_hash(buf, len, offset));
    return 0;
}

static int disk_flush(void *opaque)
{
    (void)opaque;
    return 0;
}

/* ---- devices ---- */

static void plug_fw_cfg(struct rig *r)
{
    static const uint32_t places[] = {0, 8, 16, UINT32_MAX};
    struct fw_cfg *f = fw_cfg_new("fw_cfg", r->bus.mem, r->bus.clock, NULL);
    int rc;

    fw_cfg_add_number(f, FW_CFG_CPUS, 3, 2);
    fw_cfg_add_bytes(f, FW_CFG_KERNEL_DATA, item, sizeof item);
    rc = fw_cfg_add_file(f, "opt/none", item, 0, NULL);
    rc = rc ? rc : fw_cfg_add_file(f, "etc/some", item, 77, NULL);
    FUZZ_CHECK(!rc, "%d", rc);
    rig_plug(r, fw_cfg_dev(f), MEM_PAGE_SIZE, places);
}

static void plug_flash(struct rig *r, const struct dev_disk *disk)
{
    static const uint32_t places[] = {0,
                                      0x1000,
                                      PFLASH_BLOCK - 0x200,
                                      PFLASH_BLOCK + 5 * 512 - 0x200,
                                      PFLASH_SIZE - 0x200,
                                      UINT32_MAX};
    struct dev *d = pflash_new("flash0", r->bus.mem, r->bus.clock, NULL, disk);
    struct err e = {0};

    rig_plug(r, d, PFLASH_SIZE, places);
    FUZZ_CHECK(!pflash_fill(d, &e), "%s", e.msg);
}

/* The first bytes of the program say what kind of disk. */
static void make(struct rig *r)
{
    struct own *o = r->own;
    struct dev_disk disk = {.read = disk_read,
                            .write = disk_write,
                            .flush = disk_flush,
                            .opaque = r,
                            .size = DISK_SIZE};
    int rc = mem_add_ram(r->bus.mem, "big", BIG, BIG_SIZE, NULL);

    FUZZ_CHECK(!rc, "%d", rc);
    if (!o->chosen) {
        o->has_disk = !fuzz_rarely(&r->in, 4);
        o->read_only = fuzz_rarely(&r->in, 4);
        memset(o->disk, 0xff, sizeof o->disk);
        memset(o->disk, 0xa5, 700);
    }
    o->chosen = true;
    disk.read_only = o->read_only;
    plug_fw_cfg(r);
    plug_flash(r, o->has_disk ? &disk : NULL);
}

/* ---- what drivers do ---- */

/* Somewhere in a bank: near the start, an edge of a block, the disk's end, or the bank's. */
static uint64_t any_offset(struct rig *r)
{
    static const uint64_t places[] = {0, PFLASH_BLOCK, DISK_SIZE, PFLASH_SIZE};
    uint64_t at = places[fuzz_below(&r->in, 4)];

    return (at + 4 * (fuzz_int(&r->in, 1) - 128)) % PFLASH_SIZE;
}

/* Four bytes of a bank, whatever loads give. */
static uint32_t array(const struct rig *r, uint64_t offset)
{
    uint32_t v = 0;

    mem_peek(r->bus.mem, r->bus.dev[FLASH]->base + offset, &v, sizeof v);
    return v;
}

/* One word is programmed: bits are cleared at the most, or all of a block is erased by a command
 * that was there before. */
static void op_program(struct rig *r)
{
    uint64_t offset = any_offset(r), value = fuzz_value(&r->in);
    uint32_t before = array(r, offset), after;

    rig_write(r, FLASH, offset, 4, 0x50);
    rig_write(r, FLASH, offset, 4, fuzz_below(&r->in, 2) ? 0x40 : 0x10);
    rig_write(r, FLASH, offset, 4, value);
    after = array(r, offset);
    FUZZ_CHECK(!(after & ~before) || after == UINT32_MAX, "%08x, %08x", before, after);
    rig_read(r, FLASH, offset, 4);
    if (fuzz_below(&r->in, 2))
        rig_write(r, FLASH, offset, 4, 0xff);
}

/* A block is erased, or locked, or what the byte says. */
static void op_block(struct rig *r)
{
    static const uint8_t commands[][2] = {{0x20, 0xd0}, {0x60, 0x01}, {0x60, 0xd0}, {0x60, 0x2f}};
    unsigned how = (unsigned)fuzz_int(&r->in, 1);
    uint64_t offset = any_offset(r);

    rig_write(r, FLASH, offset, 4, commands[how & 3][0]);
    rig_write(r, FLASH, offset, 4, how & 0xe0 ? commands[how & 3][1] : how);
    rig_read(r, FLASH, offset, 1u << (how >> 2 & 3));
}

/* A buffered program, which may be cut short or go astray. */
static void op_buffer(struct rig *r)
{
    unsigned how = (unsigned)fuzz_int(&r->in, 1);
    uint64_t offset = any_offset(r), count = fuzz_below(&r->in, 8);

    rig_write(r, FLASH, offset, 4, 0xe8);
    rig_write(r, FLASH, offset, 4, how & 0x1f ? count << 16 | count : fuzz_value(&r->in));
    for (uint64_t i = 0; i <= count; i++)
        rig_write(r, FLASH, offset + 4 * i, 4, fuzz_int(&r->in, 4));
    rig_write(r, FLASH, offset, 4, how & 0xe0 ? 0xd0 : 0);
}

/* What loads give. */
static void op_mode(struct rig *r)
{
    static const uint8_t modes[] = {0xff, 0x70, 0x90, 0x98};
    unsigned how = (unsigned)fuzz_int(&r->in, 1);

    rig_write(r, FLASH, any_offset(r), 4, modes[how & 3]);
    rig_read(r, FLASH, 4 * fuzz_int(&r->in, 1), 1u << (how >> 2 & 3));
}

/* Stores of any size anywhere. */
static void op_command(struct rig *r)
{
    unsigned size = 1u << fuzz_below(&r->in, 4);
    uint64_t offset = any_offset(r);

    rig_write(r, FLASH, offset, size, fuzz_value(&r->in));
}

static void op_disk(struct rig *r)
{
    struct own *o = r->own;

    o->fails = fuzz_rarely(&r->in, 4);
}

static uint64_t swapped(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

static uint64_t any_key(struct rig *r)
{
    static const uint16_t keys[] = {FW_CFG_SIGNATURE,   FW_CFG_ID,          FW_CFG_CPUS,
                                    FW_CFG_DIRECTORY,   FW_CFG_FIRST_FILE,  FW_CFG_FIRST_FILE + 1,
                                    FW_CFG_KERNEL_DATA, FW_CFG_CMDLINE_DATA};

    return fuzz_rarely(&r->in, 16) ? fuzz_int(&r->in, 2) : keys[fuzz_below(&r->in, 8)];
}

static void op_item(struct rig *r)
{
    uint64_t n = fuzz_below(&r->in, 16);

    rig_write(r, FW_CFG, 8, 2, swapped(any_key(r), 2));
    for (; n; n--)
        rig_read(r, FW_CFG, 0, 1u << (n & 3));
}

/* A description of a transfer, and the register that begins it. */
static void op_transfer(struct rig *r)
{
    uint64_t how = fuzz_int(&r->in, 1), at = RIG_RAM + (how & 3) * 16, key = any_key(r);
    uint64_t address = how & 4 ? rig_address(r) : BIG + fuzz_int(&r->in, 1);
    uint64_t len = fuzz_int(&r->in, 2);

    if (fuzz_rarely(&r->in, 32)) /* in pieces */
        len <<= 7;
    if (fuzz_rarely(&r->in, 32))
        len = fuzz_value(&r->in);
    rig_poke(r, at, 4, swapped(key << 16 | fuzz_below(&r->in, 32), 4));
    rig_poke(r, at + 4, 4, swapped((uint32_t)len, 4));
    rig_poke(r, at + 8, 8, swapped(address, 8));
    if (fuzz_rarely(&r->in, 16))
        at = rig_address(r);
    if (how & 0x80) {
        rig_write(r, FW_CFG, 16, 8, swapped(at, 8));
    } else {
        rig_write(r, FW_CFG, 16, 4, swapped(at >> 32, 4));
        rig_write(r, FW_CFG, 20, 4, swapped((uint32_t)at, 4));
    }
}

const struct rig_kind rig_target = {
    .make = make,
    .own = sizeof(struct own),
    .ops = {RIG_OPS, op_program, op_program, op_block, op_buffer, op_buffer, op_mode, op_command,
            op_disk, op_item, op_transfer, op_transfer},
};
