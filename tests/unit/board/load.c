/* Images: where good ones go, and the one line that each bad one gets. */
#include <elf.h>
#include <zlib.h>

#include "base/mem_alloc.h"
#include "board/load.h"
#include "board_test.h"

static struct load_place place = {RAM, 64 * MIB, UINT64_MAX, false};

static uint8_t file[8192];
static size_t file_len;

struct elf {
    Elf64_Ehdr h;
    Elf64_Phdr p[3];
};

/* A good ELF file of two segments: code at RAM, data of 16 bytes and zeroes at RAM + 0x2000. */
static struct elf *good_elf(void)
{
    struct elf *f = (struct elf *)file;

    memset(file, 0, sizeof file);
    memcpy(f->h.e_ident, ELFMAG, 4);
    f->h.e_ident[EI_CLASS] = ELFCLASS64;
    f->h.e_ident[EI_DATA] = ELFDATA2LSB;
    f->h.e_type = ET_EXEC;
    f->h.e_machine = EM_RISCV;
    f->h.e_phoff = offsetof(struct elf, p);
    f->h.e_phentsize = sizeof f->p[0];
    f->h.e_phnum = 2;
    f->h.e_entry = UINT64_C(0xffffffc000000100);
    f->p[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                           .p_offset = 0x1000,
                           .p_paddr = RAM,
                           .p_vaddr = UINT64_C(0xffffffc000000000),
                           .p_filesz = 0x800,
                           .p_memsz = 0x800};
    f->p[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                           .p_offset = 0x1800,
                           .p_paddr = RAM + 0x2000,
                           .p_vaddr = UINT64_C(0xffffffc000002000),
                           .p_filesz = 16,
                           .p_memsz = 0x1000};
    file[0x1000] = 0x13;
    file[0x180f] = 0x77;
    file_len = 0x1810;
    return f;
}

/* A Linux Image at text_offset, of image_size bytes in memory. */
static void good_image(uint64_t text_offset, uint64_t image_size)
{
    memset(file, 0x5a, sizeof file);
    memset(file, 0, 64);
    bits_store_le(file + 8, 8, text_offset);
    bits_store_le(file + 16, 8, image_size);
    memcpy(file + 48, "RISCV\0\0\0RSC\x05", 12);
    file_len = sizeof file;
}

static int load(struct load_image *im, struct err *e)
{
    const char *path = rig_file("image", file, file_len);
    int rc = load_program(im, "kernel", path, &place, e);

    unlink(path);
    return rc;
}

/* The file is refused with one line that names it and says `why`. */
static void refused(const char *why)
{
    struct load_image im;
    struct err e = {0};

    ck_assert_int_lt(load(&im, &e), 0);
    ck_assert_msg(strstr(e.msg, why), "\"%s\" does not say \"%s\"", e.msg, why);
    ck_assert_msg(strstr(e.msg, "kernel ") && strstr(e.msg, "-image"), "%s", e.msg);
    ck_assert(!strchr(e.msg, '\n'));
    ck_assert_ptr_null(im.data);
}

START_TEST(elf)
{
    struct load_image im;
    struct mem *m = mem_new();
    uint8_t byte;

    good_elf();
    ck_assert_int_eq(load(&im, NULL), 0);
    ck_assert_uint_eq(im.entry, RAM + 0x100);
    ck_assert_uint_eq(im.segs.len, 2);
    ck_assert_uint_eq(im.segs.data[1].mem_len, 0x1000);
    mem_add_ram(m, "ram", RAM, MIB, NULL);
    load_put(&im, m);
    mem_peek(m, RAM, &byte, 1);
    ck_assert_uint_eq(byte, 0x13);
    mem_peek(m, RAM + 0x200f, &byte, 1);
    ck_assert_uint_eq(byte, 0x77);
    load_fini(&im);
    mem_free(m);
}
END_TEST

START_TEST(bad_elf)
{
    good_elf()->h.e_machine = EM_X86_64;
    refused("an ELF file for x86-64; this machine is riscv64");
    good_elf()->h.e_machine = EM_AARCH64;
    refused("for aarch64");
    good_elf()->h.e_machine = 0x1234;
    refused("for another machine");
    good_elf()->h.e_ident[EI_CLASS] = ELFCLASS32;
    refused("32-bit");
    good_elf()->h.e_ident[EI_DATA] = ELFDATA2MSB;
    refused("big-endian");
    good_elf()->h.e_type = ET_REL;
    refused("no program");
    good_elf()->h.e_phnum = 0;
    refused("without program headers");
    good_elf()->h.e_phentsize = 1;
    refused("without program headers");
    good_elf()->p[1].p_type = PT_INTERP;
    refused("dynamically linked");
    good_elf()->h.e_entry = 0;
    refused("entry lies in none");
}
END_TEST

START_TEST(cut_elf)
{
    good_elf();
    file_len = 10;
    refused("cut off");
    good_elf();
    file_len = 40;
    refused("cut off");
    good_elf();
    file_len = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    refused("cut off in its program headers");
    good_elf()->h.e_phoff = UINT64_MAX - 8;
    refused("cut off in its program headers");
    good_elf();
    file_len = 0x180f;
    refused("cut off in a segment");
    good_elf()->p[0].p_offset = UINT64_MAX - 0x7ff;
    refused("cut off in a segment");
    good_elf()->p[0].p_memsz = 1;
    refused("larger in the file");
}
END_TEST

START_TEST(misplaced_elf)
{
    good_elf()->p[0].p_paddr = 0x1000;
    refused("are not in RAM (0x80000000 to 0x83ffffff)");
    good_elf()->p[0].p_paddr = RAM + 64 * MIB - 0x400;
    refused("are not in RAM");
    good_elf()->p[0].p_paddr = UINT64_MAX - 0x3ff;
    refused("are not in RAM");
    good_elf()->p[1].p_memsz = UINT64_MAX;
    refused("are not in RAM");
    good_elf()->p[1].p_paddr = RAM + 0x7ff;
    refused("two of its segments overlap at 0x800007ff");
    good_elf()->p[0].p_paddr = RAM + 0x2fff;
    refused("two of its segments overlap at 0x80002fff");
}
END_TEST

START_TEST(linux_image)
{
    struct load_image im;

    good_image(0x200000, 0x12345);
    ck_assert_int_eq(load(&im, NULL), 0);
    ck_assert_uint_eq(im.entry, RAM + 0x200000);
    ck_assert_uint_eq(im.segs.data[0].addr, RAM + 0x200000);
    ck_assert_uint_eq(im.segs.data[0].len, sizeof file);
    ck_assert_uint_eq(im.segs.data[0].mem_len, 0x12345);
    load_fini(&im);
    good_image(0x200000, 0);
    ck_assert_int_eq(load(&im, NULL), 0);
    ck_assert_uint_eq(im.segs.data[0].mem_len, sizeof file);
    load_fini(&im);
    good_image(0x200000, 63 * MIB);
    refused("are not in RAM");
    good_image(UINT64_MAX - 0xfff, 0);
    refused("text_offset is beyond RAM");
    good_image(0x200000, 0);
    file[24] = 1;
    refused("big-endian");
    good_image(0x200000, 0);
    file_len = 60;
    refused("cut off");
    good_image(0, 0);
    memcpy(file + 56, "ARM\x64", 4);
    refused("for aarch64");
    good_image(0, 0);
    memset(file + 48, 0, 16);
    memcpy(file + 0x202, "HdrS", 4);
    refused("for x86");
}
END_TEST

/* Replaces the file by gzip of it. */
static void compress_file(void)
{
    uint8_t out[sizeof file];
    z_stream z = {0};

    ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
    z.next_in = file;
    z.avail_in = (uInt)file_len;
    z.next_out = out;
    z.avail_out = sizeof out;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    file_len = z.total_out;
    memcpy(file, out, file_len);
    deflateEnd(&z);
}

START_TEST(gzip)
{
    struct load_image im;

    good_image(0x200000, 0x12345);
    compress_file();
    ck_assert_uint_lt(file_len, 1000);
    ck_assert_int_eq(load(&im, NULL), 0);
    ck_assert_uint_eq(im.segs.data[0].len, sizeof file);
    ck_assert_uint_eq(im.segs.data[0].data[100], 0x5a);
    load_fini(&im);
    good_elf();
    compress_file();
    ck_assert_int_eq(load(&im, NULL), 0);
    ck_assert_uint_eq(im.entry, RAM + 0x100);
    load_fini(&im);
    good_image(0x200000, 0);
    compress_file();
    file_len -= 12;
    refused("gzip data are cut off");
    good_image(0x200000, 0);
    compress_file();
    file[file_len - 6] ^= 1; /* the checksum */
    refused("gzip data are damaged");
    memset(file, 0xff, sizeof file);
    memcpy(file, "\x1f\x8b", 2);
    refused("damaged");
}
END_TEST

/* A small file that unpacks to more than RAM and what may lie beside it. */
START_TEST(bomb)
{
    const uint64_t size = 400 * MIB;
    static uint8_t zeroes[1 << 20];
    uint8_t *out = xmalloc(4 << 20);
    z_stream z = {0};
    const char *path;
    struct load_image im;
    struct err e;

    ck_assert_int_eq(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
    z.next_out = out;
    z.avail_out = 4 << 20;
    for (uint64_t done = 0; done < size && z.avail_out > 20000; done += sizeof zeroes) {
        z.next_in = zeroes;
        z.avail_in = sizeof zeroes;
        ck_assert_int_eq(deflate(&z, Z_NO_FLUSH), Z_OK);
    }
    path = rig_file("bomb", out, z.total_out);
    place.ram_size = 8 * MIB;
    ck_assert_int_lt(load_program(&im, "kernel", path, &place, &e), 0);
    ck_assert_msg(strstr(e.msg, "unpacks to more than"), "%s", e.msg);
    unlink(path);
    deflateEnd(&z);
    free(out);
}
END_TEST

START_TEST(raw)
{
    struct load_image im;
    struct err e;

    memset(file, 1, sizeof file);
    file_len = 100;
    refused("a raw image needs a load address");
    file_len = 0;
    refused("empty");
    place.raw_addr = RAM + 0x1000;
    refused("empty");
    file_len = 100;
    ck_assert_int_eq(load(&im, NULL), 0);
    ck_assert_uint_eq(im.entry, RAM + 0x1000);
    load_fini(&im);
    place.raw_addr = 0;
    refused("are not in RAM");
    place.raw_addr = UINT64_MAX;
    ck_assert_int_lt(load_program(&im, "kernel", "/nonexistent/vmlinux", &place, &e), 0);
    ck_assert_str_eq(e.msg, "kernel: /nonexistent/vmlinux: No such file or directory");
    ck_assert_int_lt(load_program(&im, "kernel", "/", &place, &e), 0);
    ck_assert(strstr(e.msg, "directory"));
}
END_TEST

/* Whatever bytes of the headers are damaged: loaded inside RAM, or refused by name. */
START_TEST(damaged)
{
    unsigned loaded = 0;
    uint64_t seed = 1;

    for (unsigned turn = 0; turn < 3000; turn++) {
        struct load_image im;
        struct err e = {0};

        if (turn % 3)
            good_elf();
        else
            good_image(0x200000, 0x12345);
        for (unsigned n = 1 + turn % 4; n; n--) {
            seed = bits_mix(seed + turn + n);
            file[seed % (sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr))] = (uint8_t)(seed >> 32);
        }
        if (load(&im, &e)) {
            ck_assert_msg(strstr(e.msg, "kernel ") && strstr(e.msg, "-image: "), "%s", e.msg);
            continue;
        }
        loaded++;
        for (size_t i = 0; i < im.segs.len; i++) {
            const struct load_seg *s = &im.segs.data[i];
            ck_assert(s->addr >= RAM && s->addr - RAM + s->mem_len <= 64 * MIB);
            ck_assert_uint_le(s->len, s->mem_len);
            ck_assert(s->data >= (uint8_t *)im.data &&
                      s->data + s->len <= (uint8_t *)im.data + im.len);
        }
        load_fini(&im);
    }
    ck_assert_uint_gt(loaded, 100);
    ck_assert_uint_lt(loaded, 2900);
}
END_TEST

/* A good file with symbols: those of `tohost` and `fromhost`, in its second segment. */
static void elf_with_symbols(void)
{
    struct elf *f = good_elf();
    Elf64_Shdr section[3] = {
        [1] = {.sh_type = SHT_SYMTAB,
               .sh_offset = 0x1900,
               .sh_size = 4 * sizeof(Elf64_Sym),
               .sh_entsize = sizeof(Elf64_Sym),
               .sh_link = 2},
        [2] = {.sh_type = SHT_STRTAB, .sh_offset = 0x1a00, .sh_size = 17},
    };
    Elf64_Sym symbol[4] = {
        [1] = {.st_name = 1, .st_shndx = SHN_UNDEF, .st_value = 1},
        [2] = {.st_name = 8, .st_shndx = SHN_ABS, .st_value = UINT64_C(0xffffffc000002048)},
        [3] = {.st_name = 1, .st_shndx = 1, .st_value = UINT64_C(0xffffffc000002008)},
    };

    f->h.e_shoff = 0x1820;
    f->h.e_shentsize = sizeof *section;
    f->h.e_shnum = 3;
    memcpy(file + 0x1820, section, sizeof section);
    memcpy(file + 0x1900, symbol, sizeof symbol);
    memcpy(file + 0x1a00, "\0tohost\0fromhost", 17);
    file_len = 0x1a11;
}

START_TEST(symbols)
{
    struct load_image im;
    uint64_t v = 0;

    elf_with_symbols();
    ck_assert_int_eq(load(&im, NULL), 0);
    ck_assert(load_symbol(&im, "tohost", &v));
    ck_assert_uint_eq(v, RAM + 0x2008);
    ck_assert(load_symbol(&im, "fromhost", &v));
    ck_assert_uint_eq(v, RAM + 0x2048);
    ck_assert(!load_symbol(&im, "tohos", &v) && !load_symbol(&im, "tohost2", &v) &&
              !load_symbol(&im, "to", &v));
    load_fini(&im);
    good_elf();
    ck_assert_int_eq(load(&im, NULL), 0);
    ck_assert(!load_symbol(&im, "tohost", &v));
    load_fini(&im);
    good_image(0, 4096);
    ck_assert_int_eq(load(&im, NULL), 0);
    ck_assert(!load_symbol(&im, "tohost", &v));
    load_fini(&im);
    ck_assert(!load_symbol(&im, "tohost", &v)); /* no image at all */
}
END_TEST

/* Symbols are looked for in no byte that is not there: for the sanitizers. */
START_TEST(damaged_symbols)
{
    unsigned found = 0;
    uint64_t seed = 7, v;

    for (unsigned turn = 0; turn < 20000; turn++) {
        struct load_image im;

        elf_with_symbols();
        for (unsigned n = 1 + turn % 3; n; n--) {
            seed = bits_mix(seed + turn + n);
            size_t at = seed % 4 ? 0x1820 + (seed >> 8) % 0x1f1 : 0x28 + (seed >> 8) % 24;
            file[at] = seed >> 40 & 1 ? 0xff : (uint8_t)(seed >> 32);
        }
        if (turn % 16 == 0)
            file_len -= (seed >> 50) % 0x200;
        if (load(&im, NULL))
            continue;
        if (load_symbol(&im, "tohost", &v)) {
            found++;
            ck_assert(v >= RAM && v < RAM + 0x3000);
        }
        load_fini(&im);
    }
    ck_assert_uint_gt(found, 1000);
    ck_assert_uint_lt(found, 19000);
}
END_TEST

/* A board says whose images are in each other's way. */
START_TEST(overlap)
{
    struct rig r;
    struct err e = {0};

    memset(file, 1, sizeof file);
    rig_init(&r);
    r.config.firmware = rig_file("firmware", file, sizeof file);
    r.config.kernel = rig_file("kernel", file, 100);
    r.config.load_addr = RAM + 0x1f00;
    ck_assert_int_lt(rig_build(&r, NULL, &e), 0);
    ck_assert_msg(strstr(e.msg, "firmware ") && strstr(e.msg, "-firmware and kernel ") &&
                      strstr(e.msg, "overlap at 0x80001f00"),
                  "%s", e.msg);
    rig_fini(&r);
    rig_init(&r);
    r.config.firmware = NULL;
    r.config.memory = 8 * MIB;
    good_image(0x200000, 5 * MIB);
    r.config.kernel = rig_file("kernel", file, file_len);
    ck_assert_int_lt(rig_build(&r, NULL, &e), 0);
    ck_assert_msg(strstr(e.msg, "-kernel and device tree") && strstr(e.msg, "too little RAM"), "%s",
                  e.msg);
    unlink(r.config.kernel);
    unlink(rig_file("firmware", file, 1));
    rig_fini(&r);
}
END_TEST

UNIT_MAIN("board/load", elf, bad_elf, cut_elf, misplaced_elf, linux_image, gzip, bomb, raw, damaged,
          symbols, damaged_symbols, overlap)
