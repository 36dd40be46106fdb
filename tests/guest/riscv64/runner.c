/*
 * runner.c - a riscv64 Linux program without a library: runs groups of vectors.
 *
 * Standard input: struct vec_group, any number.  Standard output: for each the
 * hash of the final states of its vectors, or, if it asks, these states.
 * vectors.h says what a vector is.
 */
#include "vectors.h"

/* Load all registers from the state that x31 points to, run the slot, store them back. */
__asm__(".section .gadget,\"awx\"\n"
        ".globl gadget_run\n"
        ".option norelax\n"
        ".macro regs op, first, last\n"
        "    .set i, \\first\n"
        "    .rept \\last - \\first + 1\n"
        "    reg \\op, %i\n"
        "    .set i, i + 1\n"
        "    .endr\n"
        ".endm\n"
        ".altmacro\n"
        ".macro reg op, n\n"
        "    \\op x\\n, 8 * \\n(x31)\n"
        ".endm\n"
        ".macro freg op, n\n"
        "    \\op f\\n, 8 * 32 + 8 * \\n(x31)\n"
        ".endm\n"
        ".macro fregs op\n"
        "    .set i, 0\n"
        "    .rept 32\n"
        "    freg \\op, %i\n"
        "    .set i, i + 1\n"
        "    .endr\n"
        ".endm\n"
        ".set FCSR, 8 * 64\n"
        ".set JUMPED, 8 * 73\n"
        ".set SAVED, 8 * 75\n"
        "gadget_run:\n"
        "    mv x31, a0\n"
        "    sd ra, SAVED(x31)\n    sd sp, SAVED + 8(x31)\n"
        "    sd gp, SAVED + 16(x31)\n    sd tp, SAVED + 24(x31)\n"
        "    sd s0, SAVED + 32(x31)\n    sd s1, SAVED + 40(x31)\n"
        "    sd s2, SAVED + 48(x31)\n    sd s3, SAVED + 56(x31)\n"
        "    sd s4, SAVED + 64(x31)\n    sd s5, SAVED + 72(x31)\n"
        "    sd s6, SAVED + 80(x31)\n    sd s7, SAVED + 88(x31)\n"
        "    sd s8, SAVED + 96(x31)\n    sd s9, SAVED + 104(x31)\n"
        "    sd s10, SAVED + 112(x31)\n    sd s11, SAVED + 120(x31)\n"
        "    ld t0, FCSR(x31)\n"
        "    fscsr t0\n"
        "    fregs fld\n"
        "    regs ld, 1, 30\n"
        "    j gadget_run + 0x4000\n"
        ".globl gadget_jumped, gadget_next\n"
        ".balign 8\n"
        "gadget_jumped:\n"
        "    sd x31, JUMPED(x31)\n"
        ".balign 8\n"
        "gadget_next:\n"
        "    regs sd, 1, 30\n"
        "    fregs fsd\n"
        "    frcsr t0\n"
        "    sd t0, FCSR(x31)\n"
        "    ld ra, SAVED(x31)\n    ld sp, SAVED + 8(x31)\n"
        "    ld gp, SAVED + 16(x31)\n    ld tp, SAVED + 24(x31)\n"
        "    ld s0, SAVED + 32(x31)\n    ld s1, SAVED + 40(x31)\n"
        "    ld s2, SAVED + 48(x31)\n    ld s3, SAVED + 56(x31)\n"
        "    ld s4, SAVED + 64(x31)\n    ld s5, SAVED + 72(x31)\n"
        "    ld s6, SAVED + 80(x31)\n    ld s7, SAVED + 88(x31)\n"
        "    ld s8, SAVED + 96(x31)\n    ld s9, SAVED + 104(x31)\n"
        "    ld s10, SAVED + 112(x31)\n    ld s11, SAVED + 120(x31)\n"
        "    ret\n"
        ".balign 4096\n"
        ".skip 0x10000 - (. - gadget_run)\n"
        ".globl gadget_state\n"
        "gadget_state:\n"
        "    .skip 4096\n"
        ".text\n"
        ".globl _start\n"
        "_start:\n"
        "    andi sp, sp, -16\n"
        "    call runner_main\n"
        "    li a7, 93\n"
        "    ecall\n");

void gadget_run(struct vec_state *s);
void gadget_jumped(void);
void gadget_next(void);
extern struct vec_state gadget_state;

enum { SYS_READ = 63, SYS_WRITE = 64, SYS_SIGALTSTACK = 132, SYS_SIGACTION = 134, SYS_MMAP = 222 };
enum { SIGILL_NUMBER = 4, SA_ON_ALT_STACK = 0x08000000, SA_INFO = 4 };

static long call(long number, long a, long b, long c, long d, long e)
{
    register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d, a4 __asm__("a4") = e, a5 __asm__("a5") = 0;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall"
                     : "+r"(a0)
                     : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7)
                     : "memory");
    return a0;
}

/* The compiler may ask for these. */
void *memcpy(void *to, const void *from, unsigned long n);
void *memcpy(void *to, const void *from, unsigned long n)
{
    char *t = to;
    for (const char *f = from; n--;)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int c, unsigned long n);
void *memset(void *to, int c, unsigned long n)
{
    for (char *t = to; n--;)
        *t++ = (char)c;
    return to;
}

/* The kernel's struct ucontext up to the pc, which lies before x1. */
struct context {
    uint64_t flags, link, stack[3], mask[16], unused, pc;
};

static uint64_t trapped;

/* An illegal instruction changes nothing: go on as if it had not been there. */
static void on_illegal(int sig, void *info, struct context *context)
{
    (void)sig, (void)info;
    trapped = 1;
    context->pc = (uint64_t)gadget_next;
}

/* Room for output, which goes out when it is full and at the end. */
static uint64_t output[8192];
static unsigned long output_words;

static void flush(void)
{
    const char *p = (const char *)output;
    for (unsigned long left = output_words * 8; left;) {
        long n = call(SYS_WRITE, 1, (long)p, (long)left, 0, 0);
        if (n <= 0)
            break;
        p += n;
        left -= (unsigned long)n;
    }
    output_words = 0;
}

static void emit(const void *words, unsigned long n)
{
    if (output_words + n > sizeof output / 8)
        flush();
    memcpy(output + output_words, words, n * 8);
    output_words += n;
}

/* jal x0 from one place to another. */
static uint32_t jump(uint64_t from, uint64_t to)
{
    uint32_t d = (uint32_t)(to - from);
    return (d >> 20 & 1) << 31 | (d >> 1 & 0x3ff) << 21 | (d >> 11 & 1) << 20 |
           (d >> 12 & 0xff) << 12 | 0x6f;
}

static void poke(uint64_t address, const void *bytes, unsigned long n)
{
    memcpy((void *)address, bytes, n);
}

static void place(const struct vec_group *g)
{
    uint64_t end = VEC_SLOT + g->code_len;
    uint32_t next = jump(end, (uint64_t)gadget_next);
    uint32_t jumped = jump(g->target, (uint64_t)gadget_jumped);
    if (g->target)
        poke(g->target, &jumped, 4);
    poke(end, &next, 4);
    poke(VEC_SLOT, g->code, g->code_len);
    __asm__ volatile("fence.i" ::: "memory");
}

static void run_group(const struct vec_group *g)
{
    struct vec_state *s = &gadget_state, initial;
    uint64_t hash = 0, *memory = (uint64_t *)VEC_MEMORY;
    place(g);
    vec_prepare(g, &initial);
    for (uint32_t i = 0; i < g->count; i++) {
        vec_make(g, i, &initial);
        *s = initial;
        memcpy(memory, s->mem, sizeof s->mem);
        trapped = 0;
        gadget_run(s);
        memcpy(s->mem, memory, sizeof s->mem);
        s->jumped = s->jumped != 0;
        s->trap = trapped;
        if (g->dump)
            emit(s, VEC_STATE_WORDS);
        else
            hash = vec_hash(s, hash);
    }
    if (!g->dump)
        emit(&hash, 1);
}

static int read_group(struct vec_group *g)
{
    char *p = (char *)g;
    for (unsigned long left = sizeof *g; left;) {
        long n = call(SYS_READ, 0, (long)p, (long)left, 0, 0);
        if (n <= 0)
            return 0;
        p += n;
        left -= (unsigned long)n;
    }
    return 1;
}

int runner_main(void);
int runner_main(void)
{
    static char stack[65536];
    struct {
        void *base;
        int flags;
        unsigned long size;
    } alt = {stack, 0, sizeof stack};
    struct {
        void (*handler)(int, void *, struct context *);
        unsigned long flags, mask;
    } action = {on_illegal, SA_ON_ALT_STACK | SA_INFO, 0};

    if (call(SYS_SIGALTSTACK, (long)&alt, 0, 0, 0, 0) ||
        call(SYS_SIGACTION, SIGILL_NUMBER, (long)&action, 0, 8, 0))
        return 1;
    /* Read and write, private, fixed, anonymous. */
    if (call(SYS_MMAP, (long)(VEC_MEMORY & ~UINT64_C(4095)), 4096, 3, 0x32, -1) < 0)
        return 2;
    struct vec_group g;
    while (read_group(&g))
        run_group(&g);
    flush();
    return 0;
}
