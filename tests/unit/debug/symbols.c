/* symbols.c - names of code and data: from files, by name and by address; names that are like another. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "debug/symbols.h"
#include "tests/unit/unit.h"

#define TEXT UINT64_C(0x10000)

/* A file with a section of code and one of data, and a few symbols in each. */
struct file {
    Elf64_Ehdr h;
    Elf64_Phdr p;
    Elf64_Shdr s[6];
    Elf64_Sym y[16];
    char strings[256];
};

static char path[] = "/tmp/glovebox-symbols-XXXXXX";
static struct file f;
static struct dbg_symbols *t;
static struct err e;
static struct buf out = BUF_INIT;
static unsigned nsyms, nstrings;

static void symbol(const char *name, unsigned type, unsigned section, uint64_t value, uint64_t size)
{
    f.y[nsyms++] = (Elf64_Sym){.st_name = nstrings,
                               .st_info = ELF64_ST_INFO(STB_GLOBAL, type),
                               .st_shndx = (Elf64_Half)section,
                               .st_value = value,
                               .st_size = size};
    strcpy(f.strings + nstrings, name);
    nstrings += (unsigned)strlen(name) + 1;
}

static void make(void)
{
    enum { CODE = 1, DATA, SYMBOLS, STRINGS };

    memset(&f, 0, sizeof f);
    f.h = (Elf64_Ehdr){.e_type = ET_EXEC,
                       .e_machine = EM_RISCV,
                       .e_phoff = offsetof(struct file, p),
                       .e_phnum = 1,
                       .e_phentsize = sizeof f.p,
                       .e_shoff = offsetof(struct file, s),
                       .e_shnum = 6,
                       .e_shentsize = sizeof *f.s};
    memcpy(f.h.e_ident, ELFMAG "\2\1\1", SELFMAG + 3);
    f.s[CODE] = (Elf64_Shdr){.sh_type = SHT_PROGBITS,
                             .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                             .sh_addr = TEXT,
                             .sh_size = 0x200};
    f.s[DATA] = (Elf64_Shdr){.sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_size = 0x100};
    nsyms = nstrings = 0;
    symbol("", STT_NOTYPE, 0, 0, 0);
    symbol("hot_loop", STT_FUNC, CODE, TEXT + 0x10, 0x30);
    symbol("hot_inner", STT_NOTYPE, CODE, TEXT + 0x20, 8);
    symbol("memcpy", STT_FUNC, CODE, TEXT + 0x80, 0);
    symbol("memcmp", STT_FUNC, CODE, TEXT + 0x100, 0);
    symbol("twice", STT_FUNC, CODE, TEXT + 0x1c0, 4);
    symbol("twice", STT_FUNC, CODE, TEXT + 0x180, 4);
    symbol("datum", STT_OBJECT, DATA, 0x40, 8);
    symbol("label_of_data", STT_NOTYPE, DATA, 0x48, 0);
    symbol("elsewhere", STT_FUNC, 0, TEXT, 4);
    symbol("$x", STT_NOTYPE, CODE, TEXT + 0x10, 0);
    symbol(".L7", STT_NOTYPE, CODE, TEXT + 0x18, 0);
    f.s[SYMBOLS] = (Elf64_Shdr){.sh_type = SHT_SYMTAB,
                                .sh_offset = offsetof(struct file, y),
                                .sh_size = nsyms * sizeof *f.y,
                                .sh_entsize = sizeof *f.y,
                                .sh_link = STRINGS};
    f.s[STRINGS] = (Elf64_Shdr){
        .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct file, strings), .sh_size = nstrings};
}

static int add(uint64_t offset)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_eq(write(fd, &f, sizeof f), sizeof f);
    close(fd);
    return dbg_symbols_file(t, path, offset, &e);
}

static void setup(void)
{
    close(mkstemp(path));
    t = dbg_symbols_new();
    make();
    ck_assert_msg(add(0) == 0, "%s", e.msg);
}

static void teardown(void)
{
    dbg_symbols_free(t);
    buf_fini(&out);
    unlink(path);
}

static const char *at(uint64_t addr)
{
    buf_reset(&out);
    dbg_symbols_text(t, addr, &out);
    return out.data;
}

START_TEST(by_address)
{
    setup();
    ck_assert_str_eq(at(TEXT + 0xe), "");
    ck_assert_str_eq(at(TEXT + 0x10), " <hot_loop>");
    ck_assert_str_eq(at(TEXT + 0x18), " <hot_loop+0x8>"); /* not .L7 */
    ck_assert_str_eq(at(TEXT + 0x24), " <hot_inner+0x4>");
    ck_assert_str_eq(at(TEXT + 0x28), " <hot_loop+0x18>"); /* behind what is in it */
    ck_assert_str_eq(at(TEXT + 0x40), "");
    ck_assert_str_eq(at(TEXT + 0xff), " <memcpy+0x7f>"); /* without a size: to the next */
    ck_assert_str_eq(at(TEXT + 0x1c3), " <twice+0x3>");
    ck_assert_str_eq(at(TEXT + 0x1c4), "");
    ck_assert_str_eq(at(0x3f), "");
    ck_assert_str_eq(at(0x47), " <datum+0x7>");
    ck_assert_str_eq(at(0x48), " <label_of_data>");
    ck_assert_str_eq(at(UINT64_MAX), "");
    teardown();
}
END_TEST

START_TEST(by_name)
{
    setup();
    ck_assert_uint_eq(dbg_symbols_named(t, "hot_loop", 0)->end, TEXT + 0x40);
    ck_assert_ptr_null(dbg_symbols_named(t, "hot_loop", 1));
    ck_assert_ptr_null(dbg_symbols_named(t, "hot", 0));
    ck_assert_ptr_null(dbg_symbols_named(t, "", 0));
    ck_assert(dbg_symbols_named(t, "hot_loop", 0)->code);
    ck_assert(!dbg_symbols_named(t, "datum", 0)->code);
    ck_assert(dbg_symbols_named(t, "datum", 0)->sized);
    ck_assert(!dbg_symbols_named(t, "memcpy", 0)->sized);
    ck_assert_ptr_null(dbg_symbols_named(t, "elsewhere", 0));
    ck_assert_uint_eq(dbg_symbols_named(t, "twice", 0)->start, TEXT + 0x180);
    ck_assert_uint_eq(dbg_symbols_named(t, "twice", 1)->start, TEXT + 0x1c0);
    ck_assert_str_eq(dbg_symbols_prefixed(t, "hot", 1)->name, "hot_loop");
    ck_assert_ptr_null(dbg_symbols_prefixed(t, "hot", 2));
    ck_assert_uint_eq(dbg_symbols_count(t), 8);
    dbg_symbols_add(t, "hot_air", UINT64_MAX - 15, true);
    dbg_symbols_added(t);
    ck_assert_str_eq(dbg_symbols_prefixed(t, "hot", 0)->name, "hot_air");
    ck_assert_str_eq(at(UINT64_MAX - 1), " <hot_air+0xe>");
    teardown();
}
END_TEST

/* The same file again, elsewhere; the last symbol without a size ends with its section. */
START_TEST(offsets)
{
    setup();
    f.y[5].st_size = 0;
    ck_assert_int_eq(add(0x7000000), 0);
    ck_assert_str_eq(at(TEXT + 0x10), " <hot_loop>");
    ck_assert_str_eq(at(TEXT + 0x7000010), " <hot_loop>");
    ck_assert_str_eq(at(TEXT + 0x70001ff), " <twice+0x3f>");
    ck_assert_str_eq(at(TEXT + 0x7000200), "");
    ck_assert_uint_eq(dbg_symbols_named(t, "hot_loop", 1)->start, TEXT + 0x7000010);
    ck_assert_int_eq(add(UINT64_MAX), 0);
    ck_assert_str_eq(at(TEXT + 0xf), " <hot_loop>");
    teardown();
}
END_TEST

/* A second table, of either type, is not read beside the first one; the linker's is, alone. */
START_TEST(tables)
{
    setup();
    f.s[5] = f.s[3];
    f.s[5].sh_offset += sizeof *f.y * 2; /* without hot_loop */
    f.s[5].sh_size -= sizeof *f.y * 2;
    for (unsigned type = SHT_SYMTAB;; type = SHT_DYNSYM) {
        dbg_symbols_free(t);
        t = dbg_symbols_new();
        f.s[5].sh_type = type;
        ck_assert_int_eq(add(0), 0);
        ck_assert_uint_eq(dbg_symbols_count(t), 8);
        if (type == SHT_DYNSYM)
            break;
    }
    f.s[3].sh_type = SHT_PROGBITS;
    dbg_symbols_free(t);
    t = dbg_symbols_new();
    ck_assert_int_eq(add(0), 0);
    ck_assert_uint_eq(dbg_symbols_count(t), 7);
    ck_assert_ptr_null(dbg_symbols_named(t, "hot_loop", 0));
    f.s[3] = f.s[5];
    f.s[3].sh_entsize++; /* what cannot be read does not hide another */
    ck_assert_int_eq(add(0), 0);
    ck_assert_uint_eq(dbg_symbols_count(t), 14);
    teardown();
}
END_TEST

static const char *near(const char *name)
{
    buf_reset(&out);
    dbg_symbols_near(t, name, &out);
    return out.data;
}

START_TEST(like_another)
{
    char longest[400];

    setup();
    ck_assert_str_eq(near("memcpi"), "memcpy, memcmp");
    ck_assert_str_eq(near("mencmp"), "memcmp, memcpy");
    ck_assert_str_eq(near("loop"), "hot_loop");
    ck_assert_str_eq(near("twic"), "twice"); /* once */
    ck_assert_str_eq(near("something_else"), "");
    ck_assert_str_eq(near(""), "");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    near(longest);
    teardown();
}
END_TEST

static void refused(const char *text)
{
    ck_assert_int_lt(add(0), 0);
    ck_assert_msg(strstr(e.msg, text) && strstr(e.msg, path), "\"%s\" is not in: %s", text, e.msg);
}

START_TEST(no_symbols)
{
    setup();
    ck_assert_int_eq(dbg_symbols_file(t, "/nonexistent", 0, &e), -ENOENT);
    f.h.e_machine = EM_X86_64;
    refused("x86-64");
    memset(&f, 'x', sizeof f);
    refused("not an ELF file");
    make();
    f.s[3].sh_type = SHT_PROGBITS;
    refused("names no code");
    make();
    f.s[3].sh_offset = UINT64_MAX - 100;
    refused("names no code");
    make();
    f.s[4].sh_size = 0;
    refused("names no code");
    make();
    f.s[1].sh_flags = f.s[2].sh_flags = 0;
    refused("names no code");
    ck_assert_str_eq(at(TEXT + 0x10), " <hot_loop>"); /* of the good one */
    teardown();
}
END_TEST

UNIT_MAIN("debug/symbols", by_address, by_name, offsets, tables, like_another, no_symbols)
