/*
 * fw_cfg.h - QEMU's firmware configuration: items of bytes that firmware and kernels read by key.
 *
 * QEMU's docs/specs/fw_cfg.rst, in memory: a data register at 0, the selector at 8, the DMA register
 * at 16.  The guest changes no item.  DMA moves a piece at a time, so that a long transfer may take
 * virtual time; its control word says when it is done.
 */
#ifndef DEV_FW_CFG_H
#define DEV_FW_CFG_H

#include "dev/device.h"

#define FW_CFG_SIZE     0x18
#define FW_CFG_NAME_MAX 55 /* bytes */
#define FW_CFG_FILES    32

/* Keys of items that are no files; sizes and counts are numbers, little-endian. */
enum fw_cfg_key {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_CPUS = 0x05,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_DIRECTORY = 0x19,
    FW_CFG_FIRST_FILE = 0x20,
};

struct fw_cfg;

/* With the signature, the ID and an empty directory. */
struct fw_cfg *fw_cfg_new(const char *name, struct mem *mem, struct clock *clock, struct log *log);
struct dev *fw_cfg_dev(struct fw_cfg *f);

/* Before the machine runs.  Data stay the caller's and outlive f. */
void fw_cfg_add_bytes(struct fw_cfg *f, enum fw_cfg_key key, const void *data, uint32_t len);
/* size: 2 or 4 bytes. */
void fw_cfg_add_number(struct fw_cfg *f, enum fw_cfg_key key, uint32_t value, unsigned size);
/* Files are listed by name.  -EINVAL: the name is empty, too long, not printable ASCII or taken, or
 * there are FW_CFG_FILES. */
int fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data, uint32_t len,
                    struct err *e);

#endif
