/*
 * image.c - files that a machine is to start: ELF, Linux Image, raw, each perhaps gzip; and
 * the machine around them, with its device tree.
 */
#include <elf.h>
#include <libfdt.h>
#include <zlib.h>

#include "board/load.h"
#include "machine/machine.h"
#include "tests/fuzz/damage.h"

#define RAM      UINT64_C(0x80000000)
#define RAM_SIZE (UINT64_C(8) << 20)

static const char strings[] = "\0tohost\0fromhost";

/* Two segments, and a table of symbols. */
struct elf {
    Elf64_Ehdr head;
    Elf64_Phdr seg[2];
    Elf64_Shdr section[3]; /* none, symbols, their names */
    Elf64_Sym symbol[3];
    char strings[sizeof strings];
    uint8_t text[64];
};

static void make_elf(struct buf *out)
{
    struct elf f = {
        .head = {.e_type = ET_EXEC,
                 .e_machine = EM_RISCV,
                 .e_entry = RAM,
                 .e_phoff = offsetof(struct elf, seg),
                 .e_shoff = offsetof(struct elf, section),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 2,
                 .e_shentsize = sizeof(Elf64_Shdr),
                 .e_shnum = 3},
        .seg = {{.p_type = PT_LOAD,
                 .p_offset = offsetof(struct elf, text),
                 .p_vaddr = RAM,
                 .p_paddr = RAM,
                 .p_filesz = 64,
                 .p_memsz = 64},
                {.p_type = PT_LOAD, .p_vaddr = 0x1000, .p_paddr = RAM + 0x1000, .p_memsz = 64}},
        .section = {{0},
                    {.sh_type = SHT_SYMTAB,
                     .sh_offset = offsetof(struct elf, symbol),
                     .sh_size = sizeof f.symbol,
                     .sh_link = 2,
                     .sh_entsize = sizeof(Elf64_Sym)},
                    {.sh_type = SHT_STRTAB,
                     .sh_offset = offsetof(struct elf, strings),
                     .sh_size = sizeof strings}},
        .symbol = {{0},
                   {.st_name = 1, .st_shndx = 1, .st_value = 0x1000},
                   {.st_name = 8, .st_shndx = 1, .st_value = 0x1040 - 8}},
    };

    memcpy(f.head.e_ident, ELFMAG, SELFMAG);
    f.head.e_ident[EI_CLASS] = ELFCLASS64;
    f.head.e_ident[EI_DATA] = ELFDATA2LSB;
    memcpy(f.strings, strings, sizeof strings);
    buf_add(out, &f, sizeof f);
}

static void make_image(struct buf *out)
{
    uint8_t head[80] = {0};

    memcpy(head + 48, "RISCV\0\0\0RSC\x05", 12);
    buf_add(out, head, sizeof head);
}

static void make_gzip(struct buf *b)
{
    size_t room = compressBound(b->len) + 64;
    uint8_t *packed = malloc(room);
    z_stream z = {.next_in = (uint8_t *)b->data, .avail_in = (uInt)b->len};
    int rc = deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);

    z.next_out = packed;
    z.avail_out = (uInt)room;
    rc = rc ? rc : deflate(&z, Z_FINISH);
    FUZZ_CHECK(packed && rc == Z_STREAM_END, "%d", rc);
    buf_reset(b);
    buf_add(b, packed, room - z.avail_out);
    deflateEnd(&z);
    free(packed);
}

/* What is at the input's end is the file's, too. */
static void make_file(struct fuzz_in *in, struct buf *out)
{
    uint64_t kind = fuzz_below(in, 4), gzip = fuzz_below(in, 3);

    if (kind == 0)
        make_elf(out);
    else if (kind == 1)
        make_image(out);
    fuzz_damage(in, out->data, out->len);
    if (kind)
        buf_add(out, in->at, fuzz_left(in));
    if (gzip)
        make_gzip(out);
    if (gzip == 2)
        fuzz_damage(in, out->data, out->len);
}

static void check_image(const struct load_image *im, int rc, const struct err *e)
{
    struct mem *m;
    uint64_t addr;

    if (rc) {
        FUZZ_CHECK(!im->data && *e->msg && !strchr(e->msg, '\n'), "%d: %s", rc, e->msg);
        return;
    }
    m = mem_new();
    mem_add_ram(m, "ram", RAM, RAM_SIZE, NULL);
    for (size_t i = 0; i < im->segs.len; i++)
        FUZZ_CHECK(mem_host(m, im->segs.data[i].addr, im->segs.data[i].mem_len, true), "%zu", i);
    load_put(im, m);
    load_symbol(im, "tohost", &addr);
    load_symbol(im, "fromhost", &addr);
    mem_free(m);
}

static void check_dtb(const struct machine *m)
{
    struct buf text = BUF_INIT;
    size_t len;
    const void *dtb = board_dtb(machine_board(m), &len);

    FUZZ_CHECK(!fdt_check_full(dtb, len), "%d", fdt_check_full(dtb, len));
    board_describe(machine_board(m), &text);
    buf_fini(&text);
}

/* A machine with this file as its kernel, its firmware or its initrd. */
static void run_machine(struct fuzz_in *in, const char *path)
{
    uint64_t role = fuzz_below(in, 4), how = fuzz_int(in, 1), ncpus = fuzz_below(in, 10);
    const struct machine_config config = {
        .board = {.machine = "virt",
                  .ncpus = (unsigned)ncpus,
                  .memory = RAM_SIZE + (how & 3) * MEM_PAGE_SIZE,
                  .kernel = role == 1 ? NULL : path,
                  .firmware = role == 1 ? path : NULL,
                  .initrd = role == 2 ? path : NULL,
                  .append = how & 4 ? "append" : NULL,
                  .bare = role == 3,
                  .load_addr = RAM + (how >> 3 & 3) * 0x200000,
                  .timebase = 10000000,
                  .balloon = how & 32,
                  .disks = {{.size = 512, .read_only = true}},
                  .ndisks = how >> 6 & 1,
                  .ports = {{.name = "console"}},
                  .nports = how >> 7},
        .guest = "riscv64",
        .engine = "interp",
        .accel = {.break_op = -1},
        .tlb = {16, 0, 1, TLB_LRU},
    };
    struct err e = {0};
    struct machine *m = machine_new(&config, &e);

    if (m) {
        check_dtb(m);
        machine_run(m, 200);
    }
    FUZZ_CHECK(m || (*e.msg && !strchr(e.msg, '\n')), "%s", e.msg);
    machine_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_in in = {data, data + len};
    struct load_place place = {RAM, RAM_SIZE, UINT64_MAX, false};
    uint64_t how = fuzz_below(&in, 8);
    struct load_image im;
    struct buf file = BUF_INIT;
    struct err e = {0};
    int rc;

    if (how & 1)
        place.raw_addr = RAM + fuzz_value(&in);
    place.always_raw = how & 2;
    make_file(&in, &file);
    rc = load_program(&im, "kernel", fuzz_file(file.data, file.len), &place, &e);
    check_image(&im, rc, &e);
    load_fini(&im);
    if (how & 4)
        run_machine(&in, fuzz_file(file.data, file.len));
    buf_fini(&file);
    return 0;
}
