/* load.c - see load.h. */
#include "board/load.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "host/host_file.h"

/* A file may be larger than RAM, by its symbols; an uncompressed one by less, against bombs. */
#define FILE_SLACK (UINT64_C(1) << 30)
#define GZIP_SLACK (UINT64_C(256) << 20)

#define SEGMENTS_MAX 256

/* Linux, Documentation/arch/riscv/boot-image-header.rst */
enum { IMAGE_HEADER = 64, IMAGE_TEXT_OFFSET = 8, IMAGE_SIZE = 16, IMAGE_FLAGS = 24 };
enum { IMAGE_MAGIC2 = 56, IMAGE_FLAG_BIG_ENDIAN = 1 };

static int refuse(const struct load_image *im, struct err *e, const char *why)
{
    return err_set(e, EINVAL, "%s %s: %s", im->role, im->path, why);
}

static void add_seg(struct load_image *im, uint64_t addr, uint64_t mem_len, uint64_t offset,
                    uint64_t len)
{
    struct load_seg s = {addr, mem_len, (const uint8_t *)im->data + offset, len};
    vec_push(&im->segs, s);
}

/* ---- gzip ---- */

/* Inflates into memory that grows up to max; 0, or what is wrong. */
static const char *inflate_all(z_stream *z, uint8_t **out, size_t *len, uint64_t max)
{
    size_t cap = 0;
    int rc = Z_OK;

    *len = 0;
    while (rc != Z_STREAM_END) {
        if (*len == cap) {
            uint8_t *more;
            if (cap == max)
                return "unpacks to more than the machine's memory can take";
            cap = cap ? (cap * 2 < max ? cap * 2 : max) : 1 << 20;
            cap = cap < max ? cap : max;
            more = realloc(*out, cap + 1);
            if (!more)
                return "unpacks to more than this host's memory";
            *out = more;
        }
        z->next_out = *out + *len;
        z->avail_out = (uInt)(cap - *len < (1u << 30) ? cap - *len : 1u << 30);
        rc = inflate(z, Z_NO_FLUSH);
        *len = (size_t)(z->next_out - *out);
        if (rc == Z_BUF_ERROR || (rc == Z_OK && !z->avail_in && z->avail_out))
            return "the gzip data are cut off";
        if (rc != Z_OK && rc != Z_STREAM_END)
            return "the gzip data are damaged";
    }
    return NULL;
}

/* Replaces gzip data by what is in them. */
static int gunzip(struct load_image *im, uint64_t max, struct err *e)
{
    const uint8_t *in = im->data;
    z_stream z = {0};
    uint8_t *out = NULL;
    size_t len;
    const char *why;

    if (im->len < 2 || in[0] != 0x1f || in[1] != 0x8b)
        return 0;
    if (im->len > UINT32_MAX || inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return refuse(im, e, "cannot be unpacked");
    z.next_in = im->data;
    z.avail_in = (uInt)im->len;
    why = inflate_all(&z, &out, &len, max);
    inflateEnd(&z);
    if (why) {
        free(out);
        return refuse(im, e, why);
    }
    free(im->data);
    im->data = out;
    im->len = len;
    return 0;
}

/* ---- ELF ---- */

static const char *machine_name(unsigned machine)
{
    static const struct {
        unsigned machine;
        const char *name;
    } names[] = {
        {EM_386, "x86"},   {EM_X86_64, "x86-64"},       {EM_ARM, "arm"},
        {EM_MIPS, "mips"}, {EM_AARCH64, "aarch64"},     {EM_PPC64, "ppc64"},
        {EM_S390, "s390"}, {EM_LOONGARCH, "loongarch"},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].machine == machine)
            return names[i].name;
    return "another machine";
}

static int elf_header(const struct load_image *im, Elf64_Ehdr *h, struct err *e)
{
    const uint8_t *ident = im->data;

    if (im->len < EI_NIDENT + 4)
        return refuse(im, e, "the ELF file is cut off");
    if (ident[EI_DATA] != ELFDATA2LSB)
        return refuse(im, e, "a big-endian ELF file; this machine is riscv64");
    h->e_machine = (Elf64_Half)bits_load_le(ident + offsetof(Elf64_Ehdr, e_machine), 2);
    if (h->e_machine != EM_RISCV)
        return err_set(e, EINVAL, "%s %s: an ELF file for %s; this machine is riscv64", im->role,
                       im->path, machine_name(h->e_machine));
    if (ident[EI_CLASS] != ELFCLASS64)
        return refuse(im, e, "a 32-bit ELF file; this machine is riscv64");
    if (im->len < sizeof *h)
        return refuse(im, e, "the ELF file is cut off");
    memcpy(h, im->data, sizeof *h);
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return refuse(im, e, "an ELF file that is no program (an object or a core?)");
    if (h->e_phentsize != sizeof(Elf64_Phdr) || !h->e_phnum)
        return refuse(im, e, "an ELF file without program headers");
    if (h->e_phoff > im->len || (im->len - h->e_phoff) / sizeof(Elf64_Phdr) < h->e_phnum)
        return refuse(im, e, "the ELF file is cut off in its program headers");
    return 0;
}

static int elf_segment(struct load_image *im, const Elf64_Phdr *p, struct err *e)
{
    if (p->p_type == PT_INTERP)
        return refuse(im, e, "a dynamically linked ELF file; link it statically");
    if (p->p_type != PT_LOAD || !p->p_memsz)
        return 0;
    if (p->p_filesz > p->p_memsz)
        return refuse(im, e, "an ELF segment is larger in the file than in memory");
    if (p->p_offset > im->len || p->p_filesz > im->len - p->p_offset)
        return refuse(im, e, "the ELF file is cut off in a segment");
    if (im->segs.len == SEGMENTS_MAX)
        return refuse(im, e, "the ELF file has more than 256 segments");
    add_seg(im, p->p_paddr, p->p_memsz, p->p_offset, p->p_filesz);
    return 0;
}

/* The entry is a virtual address: the physical one is found by the segment that holds it. */
static int elf_program(struct load_image *im, struct err *e)
{
    const uint8_t *table;
    bool entered = false;
    Elf64_Ehdr h;
    Elf64_Phdr p;
    int rc = elf_header(im, &h, e);

    if (rc)
        return rc;
    table = (const uint8_t *)im->data + h.e_phoff;
    for (unsigned i = 0; i < h.e_phnum; i++) {
        memcpy(&p, table + i * sizeof p, sizeof p);
        rc = elf_segment(im, &p, e);
        if (rc)
            return rc;
        if (p.p_type != PT_LOAD || h.e_entry - p.p_vaddr >= p.p_memsz || entered)
            continue;
        im->entry = h.e_entry - p.p_vaddr + p.p_paddr;
        entered = true;
    }
    if (!entered)
        return refuse(im, e, "the ELF file's entry lies in none of its segments");
    return 0;
}

/* ---- Linux Image ---- */

static bool magic_at(const struct load_image *im, size_t offset, const char *magic)
{
    return im->len >= offset + 4 && !memcmp((const uint8_t *)im->data + offset, magic, 4);
}

static int linux_program(struct load_image *im, const struct load_place *place, struct err *e)
{
    const uint8_t *h = im->data;
    uint64_t offset, size;

    if (im->len < IMAGE_HEADER)
        return refuse(im, e, "the Linux Image is cut off");
    offset = bits_load_le(h + IMAGE_TEXT_OFFSET, 8);
    size = bits_load_le(h + IMAGE_SIZE, 8);
    if (bits_load_le(h + IMAGE_FLAGS, 8) & IMAGE_FLAG_BIG_ENDIAN)
        return refuse(im, e, "a big-endian Linux Image");
    if (offset > place->ram_size)
        return refuse(im, e, "the Linux Image's text_offset is beyond RAM");
    im->entry = place->ram_base + offset;
    add_seg(im, im->entry, size > im->len ? size : im->len, 0, im->len);
    return 0;
}

/* ---- programs ---- */

static int raw_program(struct load_image *im, const struct load_place *place, struct err *e)
{
    if (!im->len)
        return refuse(im, e, "the file is empty");
    if (!place->always_raw && magic_at(im, IMAGE_MAGIC2, "ARM\x64"))
        return refuse(im, e, "a Linux Image for aarch64; this machine is riscv64");
    if (!place->always_raw && magic_at(im, 0x202, "HdrS"))
        return refuse(im, e, "a Linux kernel for x86; this machine is riscv64");
    if (place->raw_addr == UINT64_MAX)
        return refuse(im, e,
                      "neither an ELF file nor a Linux Image for riscv64, nor gzip of one; a raw "
                      "image needs a load address");
    im->entry = place->raw_addr;
    add_seg(im, im->entry, im->len, 0, im->len);
    return 0;
}

static int program(struct load_image *im, const struct load_place *place, struct err *e)
{
    int rc = gunzip(im, place->ram_size + GZIP_SLACK, e);

    if (rc)
        return rc;
    if (magic_at(im, 0, ELFMAG))
        rc = elf_program(im, e);
    else if (!place->always_raw && magic_at(im, IMAGE_MAGIC2, "RSC\x05"))
        rc = linux_program(im, place, e);
    else
        rc = raw_program(im, place, e);
    return rc ? rc : load_check(&im, 1, place, e);
}

int load_program(struct load_image *im, const char *role, const char *path,
                 const struct load_place *place, struct err *e)
{
    int rc = load_file(im, role, path, place->ram_size + FILE_SLACK, e);

    if (rc)
        return rc;
    rc = program(im, place, e);
    if (rc)
        load_fini(im);
    return rc;
}

int load_file(struct load_image *im, const char *role, const char *path, uint64_t max,
              struct err *e)
{
    int rc;

    *im = (struct load_image){.role = role, .path = path};
    rc = host_file_read(path, max, &im->data, &im->len, e);
    if (rc)
        err_prefix(e, "%s", role);
    return rc;
}

int load_elf(struct load_image *im, const char *role, const char *path, uint64_t max,
             struct err *e)
{
    Elf64_Ehdr h;
    int rc = load_file(im, role, path, max, e);

    if (rc)
        return rc;
    rc = gunzip(im, max, e);
    if (!rc && !magic_at(im, 0, ELFMAG))
        rc = refuse(im, e, "not an ELF file");
    rc = rc ? rc : elf_header(im, &h, e);
    if (rc)
        load_fini(im);
    return rc;
}

void load_at(struct load_image *im, uint64_t addr)
{
    im->segs.len = 0;
    add_seg(im, addr, im->len, 0, im->len);
}

void load_fini(struct load_image *im)
{
    free(im->data);
    vec_fini(&im->segs);
    *im = (struct load_image){0};
}

/* ---- places ---- */

/* For "%s%s%s": the role, and behind a space the path behind a space, if there is one. */
#define NAME(im) (im)->role, (im)->path ? " " : "", (im)->path ? (im)->path : ""

static int check_seg(const struct load_image *im, const struct load_seg *s,
                     const struct load_place *place, struct err *e)
{
    uint64_t offset = s->addr - place->ram_base;

    if (offset < place->ram_size && s->mem_len <= place->ram_size - offset)
        return 0;
    return err_set(e, EINVAL,
                   "%s%s%s: 0x%" PRIx64 " bytes at 0x%" PRIx64 " are not in RAM (0x%" PRIx64
                   " to 0x%" PRIx64 ")",
                   NAME(im), s->mem_len, s->addr, place->ram_base,
                   place->ram_base + place->ram_size - 1);
}

static int check_pair(const struct load_image *a, const struct load_seg *s,
                      const struct load_image *b, const struct load_seg *t, struct err *e)
{
    if (s->addr >= t->addr + t->mem_len || t->addr >= s->addr + s->mem_len)
        return 0;
    if (a == b)
        return err_set(e, EINVAL, "%s%s%s: two of its segments overlap at 0x%" PRIx64, NAME(a),
                       s->addr > t->addr ? s->addr : t->addr);
    return err_set(e, EINVAL,
                   "%s%s%s and %s%s%s overlap at 0x%" PRIx64 ": is there too little RAM?", NAME(a),
                   NAME(b), s->addr > t->addr ? s->addr : t->addr);
}

static int check_image(struct load_image *const *images, size_t n, size_t i,
                       const struct load_seg *s, struct err *e)
{
    for (size_t j = i; j < n; j++)
        for (size_t k = 0; k < images[j]->segs.len; k++) {
            const struct load_seg *t = &images[j]->segs.data[k];
            int rc = s < t || i != j ? check_pair(images[i], s, images[j], t, e) : 0;
            if (rc)
                return rc;
        }
    return 0;
}

int load_check(struct load_image *const *images, size_t n, const struct load_place *place,
               struct err *e)
{
    int rc = 0;

    for (size_t i = 0; i < n && !rc; i++)
        for (size_t k = 0; k < images[i]->segs.len && !rc; k++)
            rc = check_seg(images[i], &images[i]->segs.data[k], place, e);
    for (size_t i = 0; i < n && !rc; i++)
        for (size_t k = 0; k < images[i]->segs.len && !rc; k++)
            rc = check_image(images, n, i, &images[i]->segs.data[k], e);
    return rc;
}

void load_put(const struct load_image *im, struct mem *m)
{
    for (size_t i = 0; i < im->segs.len; i++)
        mem_poke(m, im->segs.data[i].addr, im->segs.data[i].data, im->segs.data[i].len);
}
