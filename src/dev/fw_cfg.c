/* fw_cfg.c - see fw_cfg.h. */
#include "dev/fw_cfg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/buf.h"
#include "base/mem_alloc.h"
#include "dev/ticks.h"

#define PIECE    (UINT32_C(4) << 20) /* bytes that DMA moves in one go, */
#define PIECE_NS 100000              /* and how long after the last one */

enum { DATA = 0, SELECTOR = 8, DMA = 16 };
enum { ID_TRADITIONAL = 1, ID_DMA = 2 };
/* Bit 14 of a key asked for writing once, and is ignored. */
#define KEY_WRITE 0x4000
enum { CTL_ERROR = 1, CTL_READ = 2, CTL_SKIP = 4, CTL_SELECT = 8, CTL_WRITE = 16, CTL_KEY = 16 };
enum { ACCESS_LEN = 16, ENTRY_LEN = 64, ENTRY_NAME = 8 };

static const char dma_signature[8] = "QEMU CFG";

struct item {
    uint16_t key;
    uint32_t len;
    const uint8_t *data; /* NULL: it is in own */
    uint8_t own[4];
};

struct file {
    char name[FW_CFG_NAME_MAX + 1];
    const uint8_t *data;
    uint32_t len;
};

struct fw_cfg {
    struct dev dev; /* first */
    struct {
        VEC(struct item);
    } items;
    struct file files[FW_CFG_FILES]; /* by name */
    uint32_t nfiles;
    struct buf directory;

    uint16_t key;    /* selected; there may be no such item */
    uint32_t offset; /* of the next byte in it */
    uint64_t high;   /* half of the DMA register, written first */
    /* The transfer in progress, if the event is pending. */
    uint64_t control, address; /* where its control word is, and where bytes go next */
    uint32_t left;
    struct clock_event event;
};

static const struct dev_reg fw_cfg_regs[] = {
    {"data", DATA, 8, "the next bytes of the selected item"},
    {"selector", SELECTOR, 2, "the item's key, big-endian"},
    {"dma", DMA, 8, "address of a transfer's description, big-endian; reads QEMU CFG"},
    {0},
};

static void store_be(uint8_t *p, unsigned size, uint64_t v)
{
    bits_store_le(p, size, __builtin_bswap64(v) >> (64 - 8 * size));
}

static uint64_t load_be(const uint8_t *p, unsigned size)
{
    return __builtin_bswap64(bits_load_le(p, size)) >> (64 - 8 * size);
}

/* ---- items ---- */

static const struct item *find(const struct fw_cfg *f, uint16_t key)
{
    for (size_t i = 0; i < f->items.len; i++)
        if (f->items.data[i].key == key)
            return &f->items.data[i];
    return NULL;
}

/* The bytes of the selected item from the offset on; how many there are. */
static uint32_t rest(const struct fw_cfg *f, const uint8_t **data)
{
    const struct item *it = find(f, f->key);
    uint32_t file = (uint32_t)f->key - FW_CFG_FIRST_FILE, len = 0;

    if (f->key == FW_CFG_DIRECTORY) {
        *data = (const uint8_t *)f->directory.data;
        len = (uint32_t)f->directory.len;
    } else if (f->key >= FW_CFG_FIRST_FILE && file < f->nfiles) {
        *data = f->files[file].data;
        len = f->files[file].len;
    } else if (it) {
        *data = it->data ? it->data : it->own;
        len = it->len;
    }
    if (f->offset >= len)
        return 0;
    *data += f->offset;
    return len - f->offset;
}

static void select_item(struct fw_cfg *f, uint16_t key)
{
    f->key = key & ~KEY_WRITE;
    f->offset = 0;
}

/* ---- DMA ---- */

static void finish(struct fw_cfg *f, uint32_t result)
{
    uint8_t word[4];

    store_be(word, sizeof word, result);
    mem_dma_write(f->dev.mem, f->control, word, sizeof word);
    f->left = 0;
    clock_cancel(f->dev.clock, &f->event);
}

/* Copies to the guest what is left of the item, and zeroes behind it. */
static int copy(struct fw_cfg *f, uint32_t len)
{
    static const uint8_t zeroes[MEM_PAGE_SIZE];
    const uint8_t *data;
    uint32_t n = rest(f, &data), at;
    int rc = 0;

    n = n < len ? n : len;
    if (n)
        rc = mem_dma_write(f->dev.mem, f->address, data, n);
    for (at = n; at < len && !rc; at += n) {
        n = len - at < sizeof zeroes ? len - at : sizeof zeroes;
        rc = mem_dma_write(f->dev.mem, f->address + at, zeroes, n);
    }
    return rc;
}

static void skip(struct fw_cfg *f, uint32_t len)
{
    const uint8_t *data;
    uint32_t n = rest(f, &data);

    f->offset += n < len ? n : len;
}

static void piece(void *opaque)
{
    struct fw_cfg *f = opaque;
    uint32_t len = f->left < PIECE ? f->left : PIECE;

    if (copy(f, len)) {
        finish(f, CTL_ERROR);
        return;
    }
    skip(f, len);
    f->address += len;
    f->left -= len;
    if (f->left)
        clock_set(f->dev.clock, &f->event, clock_now(f->dev.clock) + PIECE_NS);
    else
        finish(f, 0);
}

/* The guest wrote where its description lies: control, length, address, all big-endian. */
static void transfer(struct fw_cfg *f, uint64_t description)
{
    uint8_t access[ACCESS_LEN];
    uint32_t control;

    f->high = 0;
    if (f->left) {
        log_debug(f->dev.log, "%s: a transfer is in progress", f->dev.name);
        return;
    }
    f->control = description;
    if (mem_dma_read(f->dev.mem, description, access, sizeof access)) {
        finish(f, CTL_ERROR);
        return;
    }
    control = (uint32_t)load_be(access, 4);
    f->left = (uint32_t)load_be(access + 4, 4);
    f->address = load_be(access + 8, 8);
    if (control & CTL_SELECT)
        select_item(f, (uint16_t)(control >> CTL_KEY));
    if (control & CTL_READ) {
        piece(f);
        return;
    }
    if (!(control & CTL_WRITE) && control & CTL_SKIP)
        skip(f, f->left);
    finish(f, control & CTL_WRITE && f->left ? CTL_ERROR : 0);
}

/* ---- registers ---- */

static bool fw_cfg_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    struct fw_cfg *f = (struct fw_cfg *)d;
    const uint8_t *data = NULL;
    uint8_t bytes[8] = {0};
    uint32_t n = rest(f, &data);

    if (offset == DATA && n)
        memcpy(bytes, data, n < size ? n : size);
    else if (offset == SELECTOR && size == 2)
        store_be(bytes, 2, f->key);
    else if (offset >= DMA && offset + size <= DMA + sizeof dma_signature)
        memcpy(bytes, dma_signature + (offset - DMA), size);
    else if (offset != DATA)
        return false;
    *value = bits_load_le(bytes, size);
    return true;
}

static bool fw_cfg_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    struct fw_cfg *f = opaque;

    if (!fw_cfg_peek(&f->dev, offset, size, value))
        return false;
    if (offset == DATA)
        skip(f, size);
    return true;
}

static bool fw_cfg_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct fw_cfg *f = opaque;
    uint64_t v = __builtin_bswap64(value) >> (64 - 8 * size);

    if (offset == SELECTOR && size == 2)
        select_item(f, (uint16_t)v);
    else if (offset == DMA && size == 8)
        transfer(f, v);
    else if (offset == DMA && size == 4)
        f->high = v << 32;
    else if (offset == DMA + 4 && size == 4)
        transfer(f, f->high | v);
    else
        return offset == DATA; /* where it is not taken */
    return true;
}

/* ---- the device ---- */

static void fw_cfg_reset(struct dev *d)
{
    struct fw_cfg *f = (struct fw_cfg *)d;

    select_item(f, FW_CFG_SIGNATURE);
    f->high = f->control = f->address = 0;
    f->left = 0;
    clock_cancel(d->clock, &f->event);
}

/* What the items hold is given by whoever made the machine. */
static void fw_cfg_state(struct dev *d, struct snap *s)
{
    struct fw_cfg *f = (struct fw_cfg *)d;

    snap_section(s, d->name, 1);
    snap_u16(s, "key", &f->key);
    snap_u32(s, "offset", &f->offset);
    snap_u64(s, "high", &f->high);
    snap_u64(s, "control", &f->control);
    snap_u64(s, "address", &f->address);
    snap_u32(s, "left", &f->left);
    dev_snap_event(s, "next", d->clock, &f->event);
    if (f->event.pending != (f->left != 0)) {
        snap_bad(s, "left", "it is not what a transfer in progress has");
        fw_cfg_reset(d);
    }
}

static void fw_cfg_free(struct dev *d)
{
    struct fw_cfg *f = (struct fw_cfg *)d;

    clock_cancel(d->clock, &f->event);
    vec_fini(&f->items);
    buf_fini(&f->directory);
    free(f);
}

static const struct mem_ops fw_cfg_bus = {fw_cfg_read, fw_cfg_write, 1 | 2 | 4 | 8};

static const struct dev_class fw_cfg_class = {
    .name = "fw-cfg",
    .doc = "firmware configuration",
    .regs = fw_cfg_regs,
    .bus = &fw_cfg_bus,
    .reset = fw_cfg_reset,
    .state = fw_cfg_state,
    .free = fw_cfg_free,
    .peek = fw_cfg_peek,
};

/* ---- what there is ---- */

void fw_cfg_add_bytes(struct fw_cfg *f, enum fw_cfg_key key, const void *data, uint32_t len)
{
    struct item it = {.key = (uint16_t)key, .len = len, .data = data};

    vec_push(&f->items, it);
}

void fw_cfg_add_number(struct fw_cfg *f, enum fw_cfg_key key, uint32_t value, unsigned size)
{
    struct item it = {.key = (uint16_t)key, .len = size};

    bits_store_le(it.own, size, value);
    vec_push(&f->items, it);
}

/* A count, and of each file its size, its key, two bytes of nothing and its name. */
static void write_directory(struct fw_cfg *f)
{
    uint8_t entry[ENTRY_LEN];

    buf_reset(&f->directory);
    store_be(entry, 4, f->nfiles);
    buf_add(&f->directory, entry, 4);
    for (uint32_t i = 0; i < f->nfiles; i++) {
        memset(entry, 0, sizeof entry);
        store_be(entry, 4, f->files[i].len);
        store_be(entry + 4, 2, FW_CFG_FIRST_FILE + i);
        memcpy(entry + ENTRY_NAME, f->files[i].name, strlen(f->files[i].name));
        buf_add(&f->directory, entry, sizeof entry);
    }
}

static const char *bad_name(const char *name)
{
    size_t len = strlen(name);

    if (!len || len > FW_CFG_NAME_MAX)
        return "a name has 1 to 55 bytes";
    for (size_t i = 0; i < len; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return "a name is printable ASCII";
    return NULL;
}

int fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data, uint32_t len,
                    struct err *e)
{
    const char *why = bad_name(name);
    struct file *at = f->files;
    int order = 1;

    while (!why && at < f->files + f->nfiles && (order = strcmp(name, at->name)) > 0)
        at++;
    if (!order)
        why = "there is a file of that name already";
    else if (f->nfiles == FW_CFG_FILES)
        why = "there are 32 files already";
    if (why)
        return err_set(e, EINVAL, "fw_cfg file %.100s: %s", name, why);
    memmove(at + 1, at, (size_t)(f->files + f->nfiles - at) * sizeof *at);
    *at = (struct file){.data = data, .len = len};
    memcpy(at->name, name, strlen(name));
    f->nfiles++;
    write_directory(f);
    return 0;
}

struct fw_cfg *fw_cfg_new(const char *name, struct mem *mem, struct clock *clock, struct log *log)
{
    struct fw_cfg *f = xcalloc(1, sizeof *f);

    dev_init(&f->dev, &fw_cfg_class, name, mem, clock, (struct dev_line){0}, log);
    clock_event_init(&f->event, piece, f);
    buf_init(&f->directory);
    fw_cfg_add_bytes(f, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_number(f, FW_CFG_ID, ID_TRADITIONAL | ID_DMA, 4);
    write_directory(f);
    return f;
}

struct dev *fw_cfg_dev(struct fw_cfg *f)
{
    return &f->dev;
}
