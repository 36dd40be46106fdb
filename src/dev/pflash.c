/* pflash.c - see pflash.h. */
#include "dev/pflash.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

#define BLOCKS  (PFLASH_SIZE / PFLASH_BLOCK)
#define BUFFER  UINT64_C(4096) /* bytes of a buffered program, both chips' */
#define SECTOR  UINT64_C(512)  /* the disk is written in whole ones */
#define NOWHERE UINT64_MAX
#define ERASED  0xff

enum {
    CMD_PROGRAM = 0x40,
    CMD_PROGRAM_ALT = 0x10,
    CMD_ERASE = 0x20,
    CMD_CLEAR_STATUS = 0x50,
    CMD_LOCK_SETUP = 0x60,
    CMD_STATUS = 0x70,
    CMD_ID = 0x90,
    CMD_QUERY = 0x98,
    CMD_BUFFER = 0xe8,
    CMD_CONFIRM = 0xd0,
};
/* Behind CMD_LOCK_SETUP, where CMD_CONFIRM unlocks. */
enum { LOCK = 0x01, LOCK_DOWN = 0x2f };

enum { SR_LOCKED = 0x02, SR_PROGRAM = 0x10, SR_ERASE = 0x20, SR_READY = 0x80 };
#define SR_SEQUENCE (SR_PROGRAM | SR_ERASE)

/* What loads give. */
enum { MODE_ARRAY, MODE_STATUS, MODE_ID, MODE_QUERY, MODES };
/* What the next store is. */
enum {
    STEP_COMMAND,
    STEP_PROGRAM,
    STEP_ERASE,
    STEP_LOCK,
    STEP_COUNT,
    STEP_DATA,
    STEP_CONFIRM,
    STEPS
};

/* Of one chip, by word addresses, as JESD68.01 has it: sizes are powers of two. */
/* clang-format off */
static const uint8_t query[] = {
    [0x10] = 'Q', 'R', 'Y',
    0x01, 0x00,                     /* Intel's command set */
    0x31, 0x00,                     /* its table, below */
    0x00, 0x00, 0x00, 0x00,         /* no other command set */
    [0x1b] = 0x45, 0x55,            /* Vcc of 4.5 to 5.5 V */
    0x00, 0x00,                     /* no Vpp */
    0x07, 0x07, 0x0a, 0x00,         /* us to program a word and a buffer, ms to erase a block */
    0x04, 0x04, 0x04, 0x00,         /* at most so many times as long */
    [0x27] = 24,                    /* bytes */
    0x02, 0x00,                     /* 16 bits, and 8 */
    0x0b, 0x00,                     /* bytes of a buffer */
    0x01,                           /* one kind of blocks: */
    BLOCKS - 1, 0x00,               /* so many and one more, */
    0x00, PFLASH_BLOCK / 2 >> 16,   /* of so many times 256 bytes */
    [0x31] = 'P', 'R', 'I', '1', '0', /* no optional features */
    [0x3f] = 0x01,
};
/* clang-format on */
static_assert(PFLASH_SIZE / 2 == 1 << 24 && BUFFER / 2 == 1 << 11, "as the query data have it");

/* Manufacturer and device, by word address. */
enum { ID_MAKER, ID_DEVICE, ID_LOCKED };
enum { MAKER = 0x89, DEVICE = 0x18 };

struct pflash {
    struct dev dev;       /* first */
    struct dev_disk disk; /* no read: there is none */
    uint8_t mode, step, status;
    uint32_t left;          /* stores of a buffered program's data that are to come */
    uint64_t window;        /* where the buffer goes; NOWHERE: the first of them says so */
    uint8_t buffer[BUFFER]; /* ERASED where nothing was stored */
    uint64_t locked[BLOCKS / 64];
    bool told; /* that the guest cannot write */
};

static const struct dev_reg pflash_regs[] = {
    {"word", 0, 4, "by the last command: the first word of the array, status, identifier or query"},
    {0},
};

/* ---- loads ---- */

static const uint8_t *array(const struct pflash *p)
{
    return mem_find(p->dev.mem, p->dev.base)->host;
}

static bool is_locked(const struct pflash *p, uint64_t offset)
{
    uint64_t block = offset / PFLASH_BLOCK;

    return p->locked[block / 64] >> block % 64 & 1;
}

/* What each chip gives for the word at an offset in the bank.  Identifiers are read at the start of
 * any block. */
static uint16_t chip_word(const struct pflash *p, uint64_t offset)
{
    uint64_t address = offset / 4;

    if (p->mode == MODE_STATUS)
        return p->status;
    if (p->mode == MODE_QUERY)
        return address < sizeof query ? query[address] : 0;
    switch (address & 0xff) {
    case ID_MAKER:
        return MAKER;
    case ID_DEVICE:
        return DEVICE;
    case ID_LOCKED:
        return is_locked(p, offset);
    default:
        return 0;
    }
}

static bool pflash_peek(struct dev *d, uint64_t offset, unsigned size, uint64_t *value)
{
    const struct pflash *p = (struct pflash *)d;
    unsigned in_word = offset & 3;
    uint8_t bytes[8] = {0};

    if (p->mode == MODE_ARRAY) {
        *value = bits_load_le(array(p) + offset, size);
        return true;
    }
    for (unsigned i = 0; i < in_word + size; i += 2)
        bits_store_le(bytes + i, 2, chip_word(p, offset - in_word + i));
    *value = bits_load_le(bytes + in_word, size);
    return true;
}

static bool pflash_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value)
{
    return pflash_peek(opaque, offset, size, value);
}

/* ---- changes of the array ---- */

static bool is_blank(const uint8_t *bytes, uint64_t len)
{
    return !len || (bytes[0] == ERASED && !memcmp(bytes, bytes + 1, len - 1));
}

static bool refuse(struct pflash *p, const char *why)
{
    if (!p->told)
        log_warn(p->dev.log, "%s: the guest cannot write there: its file %s", p->dev.name, why);
    p->told = true;
    return false;
}

/* Whole sectors at an offset become these bytes, on the disk and then in the array. */
static bool store(struct pflash *p, uint64_t offset, const uint8_t *bytes, uint64_t len)
{
    const struct dev_disk *disk = &p->disk;
    uint64_t room = offset < disk->size ? disk->size - offset : 0;

    room = room < len ? room : len;
    if (disk->read && !is_blank(bytes + room, len - room))
        return refuse(p, "ends before");
    if (room && disk->write(disk->opaque, offset, bytes, room))
        return false;
    mem_poke(p->dev.mem, p->dev.base + offset, bytes, len);
    return true;
}

/* Programming clears bits.  All lies in one aligned piece of the buffer's size. */
static bool clear_bits(struct pflash *p, uint64_t offset, const uint8_t *bytes, uint64_t len)
{
    uint64_t from = offset & ~(SECTOR - 1), to = bits_align_up(offset + len, SECTOR);
    uint8_t whole[BUFFER];

    if (p->disk.read_only)
        return refuse(p, "is read only");
    memcpy(whole, array(p) + from, to - from);
    for (uint64_t i = 0; i < len; i++)
        whole[offset - from + i] &= bytes[i];
    return store(p, from, whole, to - from);
}

static bool erase_block(struct pflash *p, uint64_t offset)
{
    uint64_t from = offset & ~(PFLASH_BLOCK - 1);
    uint8_t erased[BUFFER];

    if (p->disk.read_only)
        return refuse(p, "is read only");
    memset(erased, ERASED, sizeof erased);
    for (uint64_t at = from; at < from + PFLASH_BLOCK; at += BUFFER)
        if (!is_blank(array(p) + at, BUFFER) && !store(p, at, erased, BUFFER))
            return false;
    return true;
}

/* ---- commands ---- */

/* The next store is a command again; loads give the status, with these bits of errors. */
static void done(struct pflash *p, unsigned errors)
{
    p->step = STEP_COMMAND;
    p->status |= (uint8_t)errors;
}

static void program(struct pflash *p, uint64_t offset, const uint8_t *bytes, uint64_t len)
{
    if (is_locked(p, offset))
        done(p, SR_PROGRAM | SR_LOCKED);
    else
        done(p, clear_bits(p, offset, bytes, len) ? 0 : SR_PROGRAM);
}

static void erase(struct pflash *p, uint64_t offset, uint8_t confirm)
{
    if (confirm != CMD_CONFIRM)
        done(p, SR_SEQUENCE);
    else if (is_locked(p, offset))
        done(p, SR_ERASE | SR_LOCKED);
    else
        done(p, erase_block(p, offset) ? 0 : SR_ERASE);
}

static void lock(struct pflash *p, uint64_t offset, uint8_t how)
{
    uint64_t block = offset / PFLASH_BLOCK, *word = &p->locked[block / 64];

    if (how == CMD_CONFIRM)
        *word &= ~BIT(block % 64);
    else if (how == LOCK || how == LOCK_DOWN)
        *word |= BIT(block % 64);
    done(p, how == CMD_CONFIRM || how == LOCK || how == LOCK_DOWN ? 0 : SR_SEQUENCE);
}

/* Each chip gets a word of a store: one less than their number comes first. */
static void count(struct pflash *p, uint64_t value)
{
    p->left = (uint32_t)(value & 0xffff) + 1;
    p->window = NOWHERE;
    p->step = STEP_DATA;
    memset(p->buffer, ERASED, sizeof p->buffer);
    if (p->left > BUFFER / 4)
        done(p, SR_SEQUENCE);
}

static void data(struct pflash *p, uint64_t offset, unsigned size, uint64_t value)
{
    if (p->window == NOWHERE)
        p->window = offset & ~(BUFFER - 1);
    if (offset - p->window >= BUFFER) {
        done(p, SR_SEQUENCE);
        return;
    }
    bits_store_le(p->buffer + (offset - p->window), size, value);
    if (!--p->left)
        p->step = STEP_CONFIRM;
}

/* What is no command leads back to the array, as AMD's reset does, with which drivers probe. */
static void command(struct pflash *p, uint8_t cmd)
{
    static const struct {
        uint8_t cmd, mode, step;
    } rows[] = {
        {CMD_PROGRAM, MODE_STATUS, STEP_PROGRAM}, {CMD_PROGRAM_ALT, MODE_STATUS, STEP_PROGRAM},
        {CMD_ERASE, MODE_STATUS, STEP_ERASE},     {CMD_LOCK_SETUP, MODE_STATUS, STEP_LOCK},
        {CMD_BUFFER, MODE_STATUS, STEP_COUNT},    {CMD_STATUS, MODE_STATUS, STEP_COMMAND},
        {CMD_ID, MODE_ID, STEP_COMMAND},          {CMD_QUERY, MODE_QUERY, STEP_COMMAND},
    };

    p->mode = MODE_ARRAY;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].cmd == cmd) {
            p->mode = rows[i].mode;
            p->step = rows[i].step;
        }
    }
    if (cmd == CMD_CLEAR_STATUS)
        p->status = SR_READY;
}

static void one_store(struct pflash *p, uint64_t offset, unsigned size, uint64_t value)
{
    uint8_t bytes[4];

    switch (p->step) {
    case STEP_PROGRAM:
        bits_store_le(bytes, size, value);
        program(p, offset, bytes, size);
        break;
    case STEP_ERASE:
        erase(p, offset, (uint8_t)value);
        break;
    case STEP_LOCK:
        lock(p, offset, (uint8_t)value);
        break;
    case STEP_COUNT:
        count(p, value);
        break;
    case STEP_DATA:
        data(p, offset, size, value);
        break;
    case STEP_CONFIRM:
        if ((uint8_t)value == CMD_CONFIRM)
            program(p, p->window, p->buffer, BUFFER);
        else
            done(p, SR_SEQUENCE);
        break;
    default:
        command(p, (uint8_t)value);
    }
}

static void show(struct pflash *p)
{
    mem_flash_hide(p->dev.mem, p->dev.base, p->mode != MODE_ARRAY);
}

/* The bus has 32 bits. */
static bool pflash_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct pflash *p = opaque;

    for (unsigned at = 0; at < size; at += 4)
        one_store(p, offset + at, size < 4 ? size : 4, value >> 8 * at);
    show(p);
    return true;
}

/* ---- the device ---- */

static void pflash_reset(struct dev *d)
{
    struct pflash *p = (struct pflash *)d;

    p->mode = MODE_ARRAY;
    p->step = STEP_COMMAND;
    p->status = SR_READY;
    p->left = 0;
    p->window = NOWHERE;
    memset(p->buffer, ERASED, sizeof p->buffer);
    memset(p->locked, 0, sizeof p->locked);
    show(p);
}

/* What later code relies on. */
static void check(struct pflash *p, struct snap *s)
{
    bool here = p->window < PFLASH_SIZE && p->window % BUFFER == 0;

    if (p->mode >= MODES || p->step >= STEPS)
        snap_bad(s, "step", "there is no such command");
    else if (p->step == STEP_DATA && (!p->left || p->left > BUFFER / 4))
        snap_bad(s, "left", "no buffer is so long");
    else if (!here && (p->window != NOWHERE || p->step == STEP_CONFIRM))
        snap_bad(s, "window", "it is not in the bank");
    else
        return;
    pflash_reset(&p->dev);
}

/* The bytes are saved as memory. */
static void pflash_state(struct dev *d, struct snap *s)
{
    struct pflash *p = (struct pflash *)d;

    snap_section(s, d->name, 1);
    snap_u8(s, "mode", &p->mode);
    snap_u8(s, "step", &p->step);
    snap_u8(s, "status", &p->status);
    snap_u32(s, "left", &p->left);
    snap_u64(s, "window", &p->window);
    snap_bytes(s, "buffer", p->buffer, sizeof p->buffer);
    snap_u64s(s, "locked", p->locked, ARRAY_LEN(p->locked));
    check(p, s);
    if (s->mode == SNAP_LOAD)
        show(p);
}

static const struct mem_ops pflash_bus = {pflash_read, pflash_write, 1 | 2 | 4 | 8};

static const struct dev_class pflash_class = {
    .name = "cfi-flash",
    .doc = "parallel NOR flash, 32 MiB in blocks of 256 KiB",
    .regs = pflash_regs,
    .bus = &pflash_bus,
    .flash = true,
    .reset = pflash_reset,
    .state = pflash_state,
    .peek = pflash_peek,
};

int pflash_check(const struct dev_disk *disk, const char *name, struct err *e)
{
    if (disk->size <= PFLASH_SIZE)
        return 0;
    return err_set(e, EINVAL, "%s: %" PRIu64 " bytes are more than the bank's %" PRIu64, name,
                   disk->size, PFLASH_SIZE);
}

struct dev *pflash_new(const char *name, struct mem *mem, struct clock *clock, struct log *log,
                       const struct dev_disk *disk)
{
    struct pflash *p = xcalloc(1, sizeof *p);

    dev_init(&p->dev, &pflash_class, name, mem, clock, (struct dev_line){0}, log);
    if (disk)
        p->disk = *disk;
    assert(p->disk.size <= PFLASH_SIZE);
    return &p->dev;
}

int pflash_fill(struct dev *d, struct err *e)
{
    const struct dev_disk *disk = &((struct pflash *)d)->disk;
    uint8_t bytes[BUFFER];

    for (uint64_t at = 0, len; at < disk->size; at += len) {
        len = disk->size - at < BUFFER ? disk->size - at : BUFFER;
        if (disk->read(disk->opaque, at, bytes, len))
            return err_set(e, EIO, "%s: its file cannot be read", d->name);
        if (!is_blank(bytes, len))
            mem_poke(d->mem, d->base + at, bytes, len);
    }
    return 0;
}
