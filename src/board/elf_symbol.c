/* elf_symbol.c - the symbols of an image that is an ELF file. */
#include <elf.h>
#include <string.h>

#include "board/load.h"

#define NAME_MAX_BYTES 1024 /* longer ones are none */

/* Section headers: their table was checked to lie in the file. */
struct sections {
    const struct load_image *im;
    const uint8_t *table;
    unsigned count;
};

static bool in_file(const struct load_image *im, uint64_t offset, uint64_t len)
{
    return offset <= im->len && len <= im->len - offset;
}

static bool open_sections(const struct load_image *im, struct sections *s)
{
    Elf64_Ehdr h;

    if (im->len < sizeof h || memcmp(im->data, ELFMAG, SELFMAG))
        return false;
    memcpy(&h, im->data, sizeof h);
    if (h.e_shentsize != sizeof(Elf64_Shdr) ||
        !in_file(im, h.e_shoff, (uint64_t)h.e_shnum * sizeof(Elf64_Shdr)))
        return false;
    *s = (struct sections){im, (const uint8_t *)im->data + h.e_shoff, h.e_shnum};
    return true;
}

static bool header(const struct sections *s, unsigned n, Elf64_Shdr *h)
{
    if (n >= s->count)
        return false;
    memcpy(h, s->table + n * sizeof *h, sizeof *h);
    return true;
}

/* Section n, if its contents are in the file. */
static bool section(const struct sections *s, unsigned n, Elf64_Shdr *h)
{
    return header(s, n, h) && h->sh_type != SHT_NOBITS &&
           in_file(s->im, h->sh_offset, h->sh_size);
}

/* The string at `at`, if its end is there too; else NULL. */
static const char *string_at(const struct load_image *im, const Elf64_Shdr *strings, uint64_t at)
{
    const char *s = (const char *)im->data + strings->sh_offset;
    uint64_t room = at < strings->sh_size ? strings->sh_size - at : 0;

    return room && memchr(s + at, 0, room < NAME_MAX_BYTES ? room : NAME_MAX_BYTES) ? s + at : NULL;
}

static struct load_sym describe(const struct sections *s, const Elf64_Shdr *strings,
                                const Elf64_Sym *y)
{
    struct load_sym k = {
        .name = string_at(s->im, strings, y->st_name), .value = y->st_value, .size = y->st_size};
    unsigned type = ELF64_ST_TYPE(y->st_info);
    Elf64_Shdr h;

    if (section(s, y->st_shndx, &h)) {
        k.end = h.sh_addr + h.sh_size;
        k.code = (type == STT_FUNC || type == STT_NOTYPE) && h.sh_flags & SHF_EXECINSTR;
    }
    if (header(s, y->st_shndx, &h))
        k.data = (type == STT_OBJECT || type == STT_NOTYPE) && h.sh_flags & SHF_ALLOC &&
                 !(h.sh_flags & SHF_EXECINSTR);
    return k;
}

/* The symbols of one table, until fn says false. */
static void visit_table(const struct sections *s, const Elf64_Shdr *symbols,
                        const Elf64_Shdr *strings, load_sym_fn *fn, void *opaque)
{
    const uint8_t *table = (const uint8_t *)s->im->data + symbols->sh_offset;
    Elf64_Sym y;

    for (uint64_t i = 0; i < symbols->sh_size / sizeof y; i++) {
        memcpy(&y, table + i * sizeof y, sizeof y);
        struct load_sym k = describe(s, strings, &y);
        if (y.st_shndx != SHN_UNDEF && k.name && *k.name && !fn(opaque, &k))
            return;
    }
}

/* The first table of a type that is as it should be. */
static bool find_table(const struct sections *s, uint32_t type, Elf64_Shdr *symbols,
                       Elf64_Shdr *strings)
{
    for (unsigned i = 0; i < s->count; i++)
        if (section(s, i, symbols) && symbols->sh_type == type &&
            symbols->sh_entsize == sizeof(Elf64_Sym) && section(s, symbols->sh_link, strings))
            return true;
    return false;
}

/* A file has one table of each type, and the dynamic linker's names are among the others, where
 * they were not stripped. */
void load_symbols(const struct load_image *im, load_sym_fn *fn, void *opaque)
{
    struct sections s;
    Elf64_Shdr symbols, strings;

    if (im->data && open_sections(im, &s) &&
        (find_table(&s, SHT_SYMTAB, &symbols, &strings) ||
         find_table(&s, SHT_DYNSYM, &symbols, &strings)))
        visit_table(&s, &symbols, &strings, fn, opaque);
}

/* Where a virtual address was loaded. */
static bool loaded_at(const struct load_image *im, uint64_t vaddr, uint64_t *paddr)
{
    Elf64_Ehdr h;
    Elf64_Phdr p;

    memcpy(&h, im->data, sizeof h);
    for (unsigned i = 0; i < h.e_phnum; i++) {
        memcpy(&p, (const uint8_t *)im->data + h.e_phoff + i * sizeof p, sizeof p);
        if (p.p_type != PT_LOAD || vaddr - p.p_vaddr >= p.p_memsz)
            continue;
        *paddr = vaddr - p.p_vaddr + p.p_paddr;
        return true;
    }
    return false;
}

struct sought {
    const char *name;
    uint64_t value;
    bool found;
};

static bool is_sought(void *opaque, const struct load_sym *k)
{
    struct sought *q = opaque;

    q->found = !strcmp(k->name, q->name);
    q->value = k->value;
    return !q->found;
}

bool load_symbol(const struct load_image *im, const char *name, uint64_t *paddr)
{
    struct sought q = {.name = name};

    load_symbols(im, is_sought, &q);
    return q.found && loaded_at(im, q.value, paddr);
}
