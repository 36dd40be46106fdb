/* elf_symbol.c - the address of a named symbol in an image that is an ELF file. */
#include <elf.h>
#include <string.h>

#include "board/load.h"

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

/* Section n, if its contents are in the file. */
static bool section(const struct sections *s, unsigned n, Elf64_Shdr *h)
{
    if (n >= s->count)
        return false;
    memcpy(h, s->table + n * sizeof *h, sizeof *h);
    return h->sh_type != SHT_NOBITS && in_file(s->im, h->sh_offset, h->sh_size);
}

static bool is_named(const struct load_image *im, const Elf64_Shdr *strings, uint64_t at,
                     const char *name)
{
    size_t len = strlen(name) + 1;

    return at <= strings->sh_size && len <= strings->sh_size - at &&
           !memcmp((const uint8_t *)im->data + strings->sh_offset + at, name, len);
}

/* The value of the symbol in one table. */
static bool look_up(const struct load_image *im, const Elf64_Shdr *symbols,
                    const Elf64_Shdr *strings, const char *name, uint64_t *value)
{
    const uint8_t *table = (const uint8_t *)im->data + symbols->sh_offset;
    Elf64_Sym y;

    for (uint64_t i = 0; i < symbols->sh_size / sizeof y; i++) {
        memcpy(&y, table + i * sizeof y, sizeof y);
        if (y.st_shndx == SHN_UNDEF || !is_named(im, strings, y.st_name, name))
            continue;
        *value = y.st_value;
        return true;
    }
    return false;
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

bool load_symbol(const struct load_image *im, const char *name, uint64_t *paddr)
{
    struct sections s;
    Elf64_Shdr symbols, strings;
    uint64_t value;

    if (!im->data || !open_sections(im, &s))
        return false;
    for (unsigned i = 0; i < s.count; i++)
        if (section(&s, i, &symbols) && symbols.sh_type == SHT_SYMTAB &&
            symbols.sh_entsize == sizeof(Elf64_Sym) && section(&s, symbols.sh_link, &strings) &&
            look_up(im, &symbols, &strings, name, &value))
            return loaded_at(im, value, paddr);
    return false;
}
