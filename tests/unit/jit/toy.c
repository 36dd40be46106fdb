/* toy.c - see toy.h. */
#include "toy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/buf.h"
#include "base/mem_alloc.h"

/* ---- names ---- */

#define SLOT(name, field, type)                                                                    \
    {                                                                                              \
        name, offsetof(struct toy, field), type                                                    \
    }
#define A(n) SLOT("a" #n, r.a[n], IR_I64)
#define W(n) SLOT("w" #n, r.w[n], IR_I32)
#define D(n) SLOT("d" #n, r.d[n], IR_F64)
#define S(n) SLOT("s" #n, r.s[n], IR_F32)

static const struct ir_slot slots[] = {
    A(0),  A(1),  A(2),
    A(3),  A(4),  A(5),
    A(6),  A(7),  A(8),
    A(9),  A(10), A(11),
    A(12), A(13), A(14),
    A(15), A(16), A(17),
    A(18), A(19), W(0),
    W(1),  W(2),  W(3),
    W(4),  W(5),  W(6),
    W(7),  D(0),  D(1),
    D(2),  D(3),  D(4),
    D(5),  D(6),  D(7),
    D(8),  D(9),  D(10),
    D(11), D(12), D(13),
    D(14), D(15), D(16),
    D(17), D(18), D(19),
    S(0),  S(1),  S(2),
    S(3),  S(4),  S(5),
    S(6),  S(7),  SLOT("pc", cpu.pc, IR_I64),
};
_Static_assert(ARRAY_LEN(slots) == TOY_SLOTS, "order of the slots");

/* Leaves nothing in the registers that a C function may change. */
static void clobber(void)
{
#if defined __x86_64__
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\t"
                     "movdqa %%xmm0, %%xmm1\n\tmovdqa %%xmm0, %%xmm2\n\t"
                     "movdqa %%xmm0, %%xmm3\n\tmovdqa %%xmm0, %%xmm4\n\t"
                     "movdqa %%xmm0, %%xmm5\n\tmovdqa %%xmm0, %%xmm6\n\t"
                     "movdqa %%xmm0, %%xmm7\n\tmovdqa %%xmm0, %%xmm8\n\t"
                     "movdqa %%xmm0, %%xmm9\n\tmovdqa %%xmm0, %%xmm10\n\t"
                     "movdqa %%xmm0, %%xmm11\n\tmovdqa %%xmm0, %%xmm12\n\t"
                     "movdqa %%xmm0, %%xmm13\n\tmovdqa %%xmm0, %%xmm14\n\t"
                     "movdqa %%xmm0, %%xmm15\n\t"
                     "movl $1, %%ecx\n\tmovl $2, %%edx\n\tmovl $3, %%esi\n\t"
                     "movl $4, %%edi\n\tmovl $5, %%r8d\n\tmovl $6, %%r9d\n\t"
                     "movl $7, %%r10d\n\tmovl $8, %%r11d"
                     :
                     :
                     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2",
                       "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                       "xmm12", "xmm13", "xmm14", "xmm15");
#endif
}

static uint64_t mix(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    (void)cpu;
    clobber();
    return bits_mix(a) + 3 * b - c;
}

static uint64_t look(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    const struct toy *t = cpu;
    uint64_t sum = a + 31 * t->cpu.pc;

    (void)b, (void)c;
    for (unsigned i = 0; i < TOY_A; i++)
        sum = sum * 5 + t->r.a[i];
    for (unsigned i = 0; i < TOY_D; i++)
        sum = sum * 5 + t->r.d[i];
    for (unsigned i = 0; i < TOY_W; i++)
        sum = sum * 5 + t->r.w[i];
    for (unsigned i = 0; i < TOY_S; i++)
        sum = sum * 5 + t->r.s[i];
    return sum;
}

static uint64_t counted(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    const struct toy *t = cpu;
    (void)a, (void)b, (void)c;
    return t->counts ? cpu_count(&t->cpu) : 0;
}

static uint64_t change(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct toy *t = cpu;
    (void)b, (void)c;
    clobber();
    t->r.a[1] += a;
    t->r.a[2] = 7;
    t->r.w[1]++;
    t->r.d[3] ^= 1;
    t->r.s[0] = (uint32_t)a;
    return 0;
}

static uint64_t trap(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct toy *t = cpu;
    (void)c;
    if (a) {
        t->r.a[7] = t->cpu.pc;
        t->cpu.pc = a;
        t->r.a[0]++;
        t->cpu.leave = 1;
    }
    return b + 1;
}

static uint64_t sticky(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct toy *t = cpu;
    uint64_t old = t->cpu.fp_flags;
    (void)b, (void)c;
    t->cpu.fp_flags |= a & 31;
    return old;
}

enum { LEAVES = IR_HELPER_READS | IR_HELPER_WRITES | IR_HELPER_LEAVES };
static const struct ir_helper helpers[] = {
    [TOY_MIX] = {"mix", mix, 3, 0, true},
    [TOY_LOOK] = {"look", look, 1, IR_HELPER_READS, true},
    [TOY_COUNTED] = {"counted", counted, 0, IR_HELPER_READS, true},
    [TOY_CHANGE] = {"change", change, 1, IR_HELPER_WRITES, false},
    [TOY_TRAP] = {"trap", trap, 1, LEAVES, false},
    [TOY_TRAP_GET] = {"trap_get", trap, 2, LEAVES, true},
    [TOY_STICKY] = {"sticky", sticky, 1, IR_HELPER_FP, true},
};

/* ---- the guest ---- */

static int toy_init(struct cpu *c, const struct cpu_config *config, struct err *e)
{
    (void)c, (void)config, (void)e;
    return 0;
}

static void toy_nothing(struct cpu *c)
{
    (void)c;
}

static void toy_walk(struct cpu *c, uint64_t vaddr, enum tlb_access access, unsigned mode,
                     enum guest_walk_how how, struct guest_walk *out)
{
    uint64_t page = vaddr & ~MEM_PAGE_MASK;
    uint8_t allow = mode == 1 && page == MEM_PAGE_SIZE ? 1 << TLB_READ : 7;

    (void)c, (void)how;
    clobber();
    memset(out, 0, sizeof *out);
    out->paddr = vaddr;
    out->page = (struct tlb_page){page, page, allow, false};
    out->ok = allow & 1 << access;
    out->fault = (struct cpu_fault){100 + access, vaddr};
}

static void toy_misaligned(struct cpu *c, uint64_t vaddr, enum tlb_access access)
{
    c->fault = (struct cpu_fault){200 + access, vaddr};
}

static void toy_bus_fault(struct cpu *c, uint64_t vaddr, enum tlb_access access)
{
    c->fault = (struct cpu_fault){300 + access, vaddr};
}

const struct guest toy_guest = {
    .name = "toy",
    .cpu_size = sizeof(struct toy),
    .names = {slots, ARRAY_LEN(slots), TOY_SLOT_PC, helpers, ARRAY_LEN(helpers)},
    .init = toy_init,
    .fini = toy_nothing,
    .reset = toy_nothing,
    .walk = toy_walk,
    .misaligned = toy_misaligned,
    .bus_fault = toy_bus_fault,
};

/* ---- the rig ---- */

static void must(bool ok, const struct err *e)
{
    if (!ok) {
        fprintf(stderr, "rig: %s\n", e->msg);
        abort();
    }
}

void rig_init(struct rig *t)
{
    struct cpu_config config = {.guest = &toy_guest, .count = 1, .tlb = TLB_CONFIG_DEFAULT};
    struct jit_config jc = {.code_size = 1 << 21};
    struct err e = {0};

    *t = (struct rig){.mem = mem_new()};
    must(!mem_add_ram(t->mem, "ram", 0, TOY_MEM, &e), &e);
    mem_attr_set(t->mem, 2 * MEM_PAGE_SIZE, MEM_ATTR_WATCH);
    t->ram = mem_host(t->mem, 0, TOY_MEM, true);
    config.mem = t->mem;
    t->c = cpu_new(&config, &e);
    must(t->c, &e);
    t->jit = jit_new(&toy_guest, t->mem, 1, &jc, &e);
    must(t->jit, &e);
    jit_attach(t->jit, t->c);
    jit_select(t->jit, t->c);
    t->c->jumps[cpu_jump_index(CPU_NO_PC)].pc = 3; /* units here may go to pc 1: not found */
    arena_init(&t->arena);
    arena_init(&t->scratch);
}

void rig_fini(struct rig *t)
{
    jit_free(t->jit);
    cpu_free(t->c);
    mem_free(t->mem);
    arena_fini(&t->arena);
    arena_fini(&t->scratch);
}

void rig_load(struct rig *t, const struct toy_state *s)
{
    toy_of(t->c)->r = s->r;
    t->c->pc = s->pc;
    t->c->budget = s->budget;
    t->c->count_end = s->budget;
    t->c->fp_flags = s->flags;
    t->c->access = s->access;
    t->c->fault = s->fault;
    t->c->leave = 0;
    memcpy(t->ram, s->mem, TOY_MEM);
}

void rig_save(struct rig *t, struct toy_state *s)
{
    memset(s, 0, offsetof(struct toy_state, mem));
    s->r = toy_of(t->c)->r;
    s->pc = t->c->pc;
    s->budget = t->c->budget;
    s->flags = t->c->fp_flags;
    s->access = t->c->access;
    s->fault = t->c->fault;
    memcpy(s->mem, t->ram, TOY_MEM);
}

/* Now and then a float that is special. */
static uint64_t float_bits(uint64_t r)
{
    static const uint64_t edges[] = {
        0,
        BIT(63),
        1,
        0x7ff0000000000000,
        0xfff0000000000000,
        0x7ff8000000000000,
        0x7ff0000000000001,
        0x3ff0000000000000,
        0x0010000000000000,
        0x41efffffffe00000,
        0xc1e0000000000000,
        0x43e0000000000000,
        0x3fe0000000000000,
        0x7fefffffffffffff,
        0xffffffff3f800000,
        0xffffffff7f800001,
    };
    return r & 0x300 ? bits_set(r, 52, 11, 1023 + (r & 63) - 32) : edges[r & 15];
}

struct ir_random toy_unit(uint64_t seed, uint64_t r)
{
    static const uint16_t windows[] = {0, 0x0f80, 0x1f00, 0x2f00}; /* the last two: partly watched */

    return (struct ir_random){
        .seed = seed,
        .names = &toy_guest.names,
        .memory = r & 8,
        .faults = r & 16,
        .calls = r & 32,
        .floats = r & 64,
        .mem_base = windows[r >> 7 & 3],
        .mem_size = 256,
        .mode = (uint8_t)(r >> 9 & 3),
    };
}

void toy_random(struct toy_state *s, uint64_t seed)
{
    memset(s, 0, offsetof(struct toy_state, mem));
    for (unsigned i = 0; i < TOY_A; i++) {
        uint64_t r = bits_mix(seed + i);
        s->r.a[i] = r >> (r & 7) * 8;
    }
    for (unsigned i = 0; i < TOY_D; i++)
        s->r.d[i] = float_bits(bits_mix(seed + 1000 + i));
    for (unsigned i = 0; i < TOY_W; i++)
        s->r.w[i] = (uint32_t)bits_mix(seed + 2000 + i);
    for (unsigned i = 0; i < TOY_S; i++)
        s->r.s[i] = (uint32_t)(float_bits(bits_mix(seed + 3000 + i)) >> (i & 1 ? 32 : 29));
    for (unsigned i = 0; i < TOY_MEM; i += 8)
        bits_store_le(s->mem + i, 8, bits_mix(seed + 4000 + i));
}

enum toy_left rig_interp(struct rig *t, const struct ir_unit *u)
{
    static const enum toy_left left[] = {
        [IR_EXIT_GOTO] = TOY_GOTO,   [IR_EXIT_LOOP] = TOY_LOOP,     [IR_EXIT_STOP] = TOY_STOP,
        [IR_EXIT_FAULT] = TOY_FAULT, [IR_EXIT_BUDGET] = TOY_BUDGET,
    };
    uint64_t *values = xmalloc((u->ninsns + 1) * sizeof *values), pc;
    enum ir_exit e = ir_interp(u, t->c, &cpu_ir_host, values, &pc);

    free(values);
    if (e == IR_EXIT_GOTO || e == IR_EXIT_FAULT || e == IR_EXIT_BUDGET)
        t->c->pc = pc;
    return left[e];
}

enum toy_left rig_run(struct rig *t, const struct jit_block *b)
{
    static const enum toy_left lefts[] = {
        [JIT_LEFT_GOTO] = TOY_GOTO,     [JIT_LEFT_LOOP] = TOY_LOOP,    [JIT_LEFT_STOP] = TOY_STOP,
        [JIT_LEFT_BUDGET] = TOY_BUDGET, [JIT_LEFT_ACCESS] = TOY_FAULT,
    };

    jit_fp_enter(t->jit, b->fp_rm);
    enum jit_left left = jit_run(t->jit, t->c, b->code);
    jit_fp_leave(t->jit, t->c);
    t->jit->linking = NULL;
    return lefts[left];
}

bool rig_jit(struct rig *t, struct ir_unit *u, enum toy_left *left)
{
    const struct jit_block *b = jit_compile(t->jit, u);

    if (b)
        *left = rig_run(t, b);
    return b;
}

/* ---- for people ---- */

struct report {
    unsigned count, max;
};

static void differ(struct report *r, const char *name, uint64_t want, uint64_t got)
{
    if (want != got && r->count++ < r->max)
        printf("#   %s: expected %#" PRIx64 ", got %#" PRIx64 "\n", name, want, got);
}

unsigned toy_compare(const struct toy_state *want, const struct toy_state *got, unsigned max)
{
    struct report r = {0, max};

    for (uint32_t i = 0; i < TOY_SLOT_PC; i++) {
        size_t at = (size_t)slots[i].offset - offsetof(struct toy, r);
        unsigned size = slots[i].type & 1 ? 4 : 8;
        differ(&r, slots[i].name, bits_load_le((const char *)&want->r + at, size),
               bits_load_le((const char *)&got->r + at, size));
    }
    differ(&r, "pc", want->pc, got->pc);
    differ(&r, "budget", (uint64_t)want->budget, (uint64_t)got->budget);
    differ(&r, "flags", want->flags, got->flags);
    differ(&r, "access", want->access, got->access);
    differ(&r, "fault.cause", want->fault.cause, got->fault.cause);
    differ(&r, "fault.addr", want->fault.addr, got->fault.addr);
    if (memcmp(want->mem, got->mem, TOY_MEM)) {
        for (unsigned i = 0; i < TOY_MEM; i++) {
            char name[32];
            snprintf(name, sizeof name, "byte at %#x", i);
            differ(&r, name, want->mem[i], got->mem[i]);
        }
    }
    return r.count;
}

void rig_print(struct rig *t, const struct ir_unit *u)
{
    struct buf out = {0};
    struct ir_unit copy;

    ir_unit_copy(&copy, &t->scratch, u);
    jit_explain(t->jit, &copy, &out);
    printf("%s\n", out.data ? out.data : "");
    buf_fini(&out);
}
